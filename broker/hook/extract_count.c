/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/hook/mapping_part.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WEIGHTS_MAX 400
#define PER_MAX     64
#define PARTS_MAX   64

/* A number and how it came about. */
struct part {
    int64_t value; /* GL_UNKNOWN */
    enum gl_known known;
    const struct gl_path *path;
};

static struct part part_of(struct gl_extraction *extraction, const struct gl_path *path)
{
    struct part part = {GL_UNKNOWN, GL_KNOWN_ABSENT, path};

    if (path == NULL)
        return part;
    part.value = gl_path_number(path, extraction->attributes, extraction->follower, &part.known);
    if (part.value > GL_HOOK_COUNT_MAX)
        part = (struct part){GL_UNKNOWN, GL_KNOWN_LATER, path};
    return part;
}

static bool is_said(struct part part)
{
    return part.known == GL_KNOWN_VALUE;
}

/* A total of 0 is one that a state holds where nobody wrote it. */
static bool is_number(struct part part)
{
    return is_said(part) && part.value > 0;
}

static void note_unknown(struct gl_extraction *extraction, struct part part)
{
    if (part.known == GL_KNOWN_LATER)
        gl_extract_unknown(extraction, part.path);
}

/* Nobody knows, as opposed to nobody having written it. */
static bool is_open(struct part part)
{
    return part.known == GL_KNOWN_LATER || part.known == GL_KNOWN_UNSAID;
}

static int64_t times(int64_t value, int64_t factor)
{
    if (value == GL_UNKNOWN || factor == GL_UNKNOWN || value * factor > GL_HOOK_COUNT_MAX)
        return GL_UNKNOWN;
    return value * factor;
}

static void multiply(struct gl_intent_count *count, int64_t factor)
{
    count->min = times(count->min, factor);
    count->desired = times(count->desired, factor);
    count->max = times(count->max, factor);
}

/* "per zone, 3 assumed": the words around a number. */
static const char *sentence(struct gl_arena *arena, const char *before, int64_t number,
                            const char *after)
{
    char text[96];
    int length = snprintf(text, sizeof text, "%s%lld%s", before, (long long)number, after);

    return gl_arena_text(arena, text, (size_t)length);
}

/* Bounds that hold at times: of all of them the least and the most. */
static int64_t furthest(struct gl_extraction *extraction, const struct gl_path *path, bool is_most,
                        int64_t bound)
{
    const struct gl_count_row *row = &extraction->row->count;
    struct part beside;
    enum gl_known known = GL_KNOWN_ABSENT;
    int64_t value = GL_UNKNOWN;

    if (path == NULL)
        return bound;
    value = gl_path_furthest(path, extraction->attributes, extraction->follower, is_most, &known);
    if (known == GL_KNOWN_LATER || value > GL_HOOK_COUNT_MAX) {
        gl_extract_unknown(extraction, path);
        return is_most ? GL_UNKNOWN : bound;
    }
    if (known != GL_KNOWN_VALUE)
        return bound;
    if (row->or_plus != NULL) {
        beside = part_of(extraction, row->or_plus);
        value = beside.value != GL_UNKNOWN ? value + beside.value : is_most ? GL_UNKNOWN : value;
        if (value == GL_UNKNOWN)
            return value;
    }
    return bound == GL_UNKNOWN || (value > bound) == is_most ? value : bound;
}

/* A most below what is wanted bounds nothing: AKS keeps 0 and 0 where it does not scale. And
 * there are never fewer than the least, where the number itself is left at 0. */
static void settle_bounds(struct gl_intent_count *out)
{
    if (out->max != GL_UNKNOWN && out->max < out->desired) {
        if (out->max == 0)
            out->min = out->desired;
        out->max = out->desired;
    }
    if (out->desired != GL_UNKNOWN && out->desired < out->min)
        out->desired = out->min;
}

/* min / desired / max with what is not said filled in from what is. */
static void fill(struct gl_extraction *extraction, struct part min, struct part desired,
                 struct part max, struct gl_intent_count *out)
{
    const struct gl_count_row *row = &extraction->row->count;
    bool is_fixed = extraction->row->role != GL_ROLE_SCALER;

    note_unknown(extraction, min);
    note_unknown(extraction, desired);
    note_unknown(extraction, max);
    out->surety = GL_SURE_CERTAIN;
    out->desired = desired.value;
    if (!is_said(desired) && !is_open(desired) && is_fixed) {
        out->desired = is_said(min) ? min.value : row->standard;
        if (!is_said(min) && row->standard != GL_UNKNOWN) {
            out->surety = GL_SURE_ASSUMED;
            out->how = sentence(extraction->arena, "default of ", row->standard, "");
        }
    }
    /* Without bounds of its own it stays as many as it starts with. */
    out->min = is_said(min) || is_open(min) ? min.value : out->desired;
    out->max = is_said(max) || is_open(max) ? max.value : out->desired;
    out->min = furthest(extraction, row->or_min, false, out->min);
    if (!is_open(max)) /* what is not known is no lower bound of the most */
        out->max = furthest(extraction, row->or_max, true, out->max);
    settle_bounds(out);
    if (out->desired == GL_UNKNOWN && out->min == GL_UNKNOWN && out->max == GL_UNKNOWN)
        out->surety = GL_SURE_NOT;
}

static bool is_among(const char *text, const char *const *texts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(texts[i], text) == 0)
            return true;
    return false;
}

/* How many zones each number is for. */
static void apply_per(struct gl_extraction *extraction, const struct gl_intent_place *place,
                      struct gl_intent_count *out)
{
    const struct gl_count_row *row = &extraction->row->count;
    const char *zones[PER_MAX], *followed = NULL;
    enum gl_known known;
    size_t count;

    if (row->per == NULL)
        return;
    if (gl_extract_is_untold(extraction, row->per)) {
        multiply(out, GL_UNKNOWN);
        return;
    }
    count = gl_path_texts(row->per, extraction->attributes, extraction->follower, extraction->arena,
                          zones, PER_MAX, &known, &followed);
    if (known == GL_KNOWN_VALUE && count > 0) {
        /* A list of what it is a part of leaves out the zone of that, as its own may. */
        bool adds_zone = row->per_adds_zone || followed != NULL;
        int64_t factor = (int64_t)count +
                         (adds_zone && place->zone != NULL && !is_among(place->zone, zones, count));

        multiply(out, factor);
        out->how = sentence(extraction->arena, "per zone, ", factor, " zones");
    } else if (place->zone == NULL && row->per_assumed > 0) {
        multiply(out, row->per_assumed);
        out->how = sentence(extraction->arena, "per zone, ", row->per_assumed, " assumed");
        out->surety = out->surety > GL_SURE_ASSUMED ? GL_SURE_ASSUMED : out->surety;
        gl_extract_note(extraction, "the count is for each zone");
    }
}

static void apply_times(struct gl_extraction *extraction, struct gl_intent_count *out)
{
    const struct gl_count_row *row = &extraction->row->count;
    struct part factor;

    if (row->times == NULL)
        return;
    factor = part_of(extraction, row->times);
    note_unknown(extraction, factor);
    if (!is_said(factor) && !is_open(factor))
        factor.value = row->times_plus > 0 ? 0 : 1;
    if (row->zero_is_unsaid && factor.value == 0)
        factor.value = 1;
    multiply(out, factor.value == GL_UNKNOWN ? GL_UNKNOWN : factor.value + row->times_plus);
}

/* Times `factor` when it `is_so`; at worst so when what the path says is not known yet. */
static void apply_factor(struct gl_extraction *extraction, const struct gl_path *path, bool is_so,
                         int64_t factor, struct gl_intent_count *out)
{
    enum gl_known known = GL_KNOWN_ABSENT;
    const char *text;

    if (path == NULL)
        return;
    if (is_so) {
        multiply(out, factor);
        out->how = sentence(extraction->arena, "times ", factor, " for high availability");
        return;
    }
    gl_path_texts(path, extraction->attributes, extraction->follower, extraction->arena, &text, 1,
                  &known, NULL);
    if (known == GL_KNOWN_LATER) {
        gl_extract_unknown(extraction, path);
        out->max = times(out->max, factor);
    }
}

static void apply_factors(struct gl_extraction *extraction, struct gl_intent_count *out)
{
    const struct gl_count_row *row = &extraction->row->count;
    bool is_doubled = row->doubled_if != NULL &&
                      gl_extract_matches(extraction, row->doubled_if, row->doubled_words);
    bool is_tripled = row->tripled_if != NULL &&
                      gl_extract_matches(extraction, row->tripled_if, row->tripled_words);

    apply_factor(extraction, row->doubled_if, is_doubled, row->doubled_by, out);
    apply_factor(extraction, row->doubled_unless,
                 gl_extract_is_other(extraction, row->doubled_unless, row->doubled_unless_words),
                 row->doubled_by, out);
    apply_factor(extraction, row->tripled_if, is_tripled, 3, out);
}

/* Of how many numbers is what is wanted the sum? */
static int64_t count_parts(struct gl_extraction *extraction)
{
    const struct gl_path *path = extraction->row->count.desired;
    const char *parts[PARTS_MAX];
    int64_t count = 0;
    size_t all = path != NULL ? gl_path_texts(path, extraction->attributes, extraction->follower,
                                              extraction->arena, parts, PARTS_MAX, NULL, NULL)
                              : 0;

    for (size_t i = 0; i < all; i++)
        count += strcmp(parts[i], "0") != 0;
    return count;
}

/* Capacity is in units of weight: the lightest type makes the most machines of it, and each part of
 * a sum is rounded by itself. */
static void apply_weight(struct gl_extraction *extraction, struct gl_intent_count *out)
{
    const struct gl_path *path = extraction->row->count.weight;
    const char *weights[WEIGHTS_MAX];
    int64_t *const members[] = {&out->min, &out->desired, &out->max};
    enum gl_known known;
    int64_t least = 0, more;
    size_t count;

    if (path == NULL)
        return;
    count = gl_path_choices(path, extraction->attributes, extraction->follower, extraction->arena,
                            weights, WEIGHTS_MAX, &known, NULL);
    if (known == GL_KNOWN_LATER) { /* it may be as light as 1 */
        gl_extract_unknown(extraction, path);
        return;
    }
    for (size_t i = 0; i < count && count < WEIGHTS_MAX; i++) {
        int64_t weight = strtoll(weights[i], NULL, 10);

        if (weight > 0 && (least == 0 || weight < least))
            least = weight;
    }
    if (least <= 1)
        return;
    more = count_parts(extraction);
    for (size_t i = 0; i < 3; i++)
        if (*members[i] != GL_UNKNOWN && *members[i] > 0) {
            int64_t rounded = (*members[i] + least - 1) / least + (more > 1 ? more - 1 : 0);

            *members[i] = rounded < *members[i] ? rounded : *members[i];
        }
    out->how = sentence(extraction->arena, "capacity divided by weight ", least, "");
}

static void apply_unit(struct gl_extraction *extraction, struct gl_intent_count *out)
{
    const struct gl_count_row *row = &extraction->row->count;
    const char *text = NULL;

    out->unit = row->unit;
    if (row->unit_from == NULL ||
        gl_path_texts(row->unit_from, extraction->attributes, extraction->follower,
                      extraction->arena, &text, 1, NULL, NULL) == 0)
        return;
    if (strcmp(text, "vcpu") == 0) {
        out->unit = "vcpu";
    } else if (strcmp(text, "memory-mib") == 0) {
        out->min = out->desired = out->max = GL_UNKNOWN;
        out->surety = GL_SURE_NOT;
        gl_extract_note(extraction, "the capacity is an amount of memory");
    }
}

bool gl_extract_is_other(struct gl_extraction *extraction, const struct gl_path *path,
                         const char *const *words)
{
    const char *text;
    enum gl_known known;

    if (path == NULL)
        return false;
    gl_path_texts(path, extraction->attributes, extraction->follower, extraction->arena, &text, 1,
                  &known, NULL);
    if (words == NULL)
        return known == GL_KNOWN_ABSENT || known == GL_KNOWN_NULL;
    return known == GL_KNOWN_VALUE && !gl_extract_matches(extraction, path, words);
}

static void apply_none(struct gl_extraction *extraction, struct gl_intent_count *out)
{
    const struct gl_count_row *row = &extraction->row->count;

    if ((row->none_if != NULL && gl_extract_matches(extraction, row->none_if, row->none_words)) ||
        gl_extract_is_other(extraction, row->only_if, row->only_words)) {
        out->min = out->desired = out->max = 0;
        out->surety = GL_SURE_CERTAIN;
        out->how = NULL;
    } else if (row->briefly_if != NULL && gl_extract_matches(extraction, row->briefly_if, NULL)) {
        out->min = out->desired = 0;
        out->is_brief = true;
        out->how = "only while it is created";
    }
}

/* It makes more machines of itself, as many as it likes: so it does after it is created. */
static void apply_open(struct gl_extraction *extraction, struct gl_intent_count *out)
{
    const struct gl_count_row *row = &extraction->row->count;

    if (row->open_if == NULL || (!gl_extract_is_untold(extraction, row->open_if) &&
                                 !gl_extract_matches(extraction, row->open_if, row->open_words)))
        return;
    out->max = GL_UNKNOWN;
    out->is_brief = false;
    out->how = "as many as the pods ask for";
}

/* How many there are with those that are kept ready: of a number below 0 as many as may be. */
static int64_t ready_of(struct gl_extraction *extraction, int64_t most)
{
    const struct gl_path *path = extraction->row->count.ready;
    struct part part = part_of(extraction, path);
    const char *text = NULL;

    if (is_said(part))
        return part.value;
    if (is_open(part))
        gl_path_texts(path, extraction->attributes, extraction->follower, extraction->arena, &text,
                      1, NULL, NULL);
    if (!is_open(part) || (text != NULL && *text == '-'))
        return most;
    note_unknown(extraction, part);
    return GL_UNKNOWN;
}

/* Machines that are kept ready beside those that work run from the start, or stand still. */
static void apply_ready(struct gl_extraction *extraction, struct gl_intent_count *out)
{
    const struct gl_count_row *row = &extraction->row->count;
    enum gl_known known = GL_KNOWN_ABSENT;
    const char *text;
    int64_t all;

    if (row->ready_if == NULL)
        return;
    gl_path_texts(row->ready_if, extraction->attributes, extraction->follower, extraction->arena,
                  &text, 1, &known, NULL);
    if (known != GL_KNOWN_VALUE && known != GL_KNOWN_LATER)
        return;
    if (known == GL_KNOWN_VALUE &&
        !gl_extract_matches(extraction, row->ready_if, row->ready_words)) {
        gl_extract_note(extraction, "machines that are kept ready stand still: not counted");
        return;
    }
    all = ready_of(extraction, out->max);
    if (all == GL_UNKNOWN || out->desired == GL_UNKNOWN || all > out->desired)
        out->desired = all;
    if (all == GL_UNKNOWN || (out->max != GL_UNKNOWN && all > out->max))
        out->max = all;
    out->how = "with those that are kept ready";
}

static struct part wanted_of(struct gl_extraction *extraction)
{
    const struct gl_count_row *row = &extraction->row->count;
    struct part desired = part_of(extraction, row->desired);

    if (row->zero_is_unsaid && desired.value == 0)
        desired = (struct part){GL_UNKNOWN, GL_KNOWN_ABSENT, desired.path};
    return desired;
}

/* The path of a bound; NULL where the group does not scale, and the number wanted is said. */
static const struct gl_path *bound_of(struct gl_extraction *extraction, const struct gl_path *bound,
                                      struct part desired)
{
    static const char *const yes[] = {"true", NULL};

    return is_said(desired) &&
                   gl_extract_is_other(extraction, extraction->row->count.scales_if, yes)
               ? NULL
               : bound;
}

static struct part most_of(struct gl_extraction *extraction, struct part desired)
{
    const struct gl_count_row *row = &extraction->row->count;
    struct part max = part_of(extraction, bound_of(extraction, row->max, desired));

    if (row->zero_is_no_limit && max.value == 0)
        max = (struct part){GL_UNKNOWN, GL_KNOWN_UNSAID, max.path};
    return max;
}

/* Totals and factors, of which a state holds both: where one of them is written, the other is what
 * was before. */
struct whole {
    struct part min, desired, max;
    bool is_written; /* the total, and none of the factors */
    bool is_stale;   /* a factor, and not the total */
};

static struct whole whole_of(struct gl_extraction *extraction)
{
    const struct gl_count_row *row = &extraction->row->count;
    struct whole whole = {.min = part_of(extraction, row->total_min),
                          .desired = part_of(extraction, row->total_desired),
                          .max = part_of(extraction, row->total_max)};
    const struct gl_path *const paths[] = {row->total_desired, row->desired, row->times};
    int written[3];

    if (row->total_desired == NULL)
        return whole;
    for (size_t i = 0; i < 3; i++)
        written[i] = gl_path_written(paths[i], extraction->attributes, extraction->follower);
    whole.is_written = written[0] == 1 && written[1] == 0 && written[2] == 0;
    whole.is_stale = written[0] == 0 && (written[1] == 1 || written[2] == 1);
    return whole;
}

static void count_factors(struct gl_extraction *extraction, const struct gl_intent_place *place,
                          const struct whole *whole, struct part desired,
                          struct gl_intent_count *out)
{
    const struct gl_count_row *row = &extraction->row->count;
    bool is_total_open =
        whole->desired.known == GL_KNOWN_LATER && (whole->is_written || !is_said(desired));

    fill(extraction, part_of(extraction, bound_of(extraction, row->min, desired)),
         is_total_open ? whole->desired : desired, most_of(extraction, desired), out);
    apply_per(extraction, place, out);
    apply_times(extraction, out);
}

static void count_all(struct gl_extraction *extraction, const struct gl_intent_place *place,
                      struct gl_intent_count *out)
{
    struct whole whole = whole_of(extraction);
    struct part desired = wanted_of(extraction);
    bool has_total = !whole.is_stale &&
                     (is_number(whole.desired) || is_number(whole.min) || is_number(whole.max));
    struct gl_intent_count factors = {0};

    if (has_total)
        fill(extraction, whole.min, whole.desired, whole.max, out);
    else
        count_factors(extraction, place, &whole, desired, out);
    if (!has_total || whole.is_written || !is_number(whole.desired) || !is_said(desired))
        return;
    count_factors(extraction, place, &whole, desired, &factors); /* which of them counts? */
    if (factors.desired > out->desired)
        *out = factors;
}

void gl_extract_count(struct gl_extraction *extraction, const struct gl_intent_place *place,
                      struct gl_intent_count *out)
{
    *out = (struct gl_intent_count){0};
    count_all(extraction, place, out);
    apply_factors(extraction, out);
    apply_weight(extraction, out);
    apply_unit(extraction, out);
    apply_ready(extraction, out);
    apply_none(extraction, out);
    apply_open(extraction, out);
}
