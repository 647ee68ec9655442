/* SPDX-License-Identifier: Apache-2.0 */
/* Many contributions to one shared feed. What an organisation says is kept as rows of three small
 * numbers that point at a need and month, which is kept once; so ten thousand contributions fit
 * into memory, and a newer one takes the place of an older. */
#include "broker/feed_part.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Needs and months over all contributions, told or not; rows over all of them. */
#define PLACES_MAX 262144
#define ROWS_MAX   ((size_t)8 << 20)
#define INDEX_SIZE (2 * PLACES_MAX)

/* A need and month that somebody spoke of. */
struct place {
    uint8_t fingerprint[GL_HASH_BYTES];
    int month;
    enum gl_capability capability;
    char *texts; /* provider, region, rule, each with its end */
};

/* What one organisation said of a place, cut to the bounds of the noise. */
struct row {
    uint32_t place;
    uint16_t launches, hours, gpu_hours;
};

struct contribution {
    uint8_t key[GL_KEY_BYTES];
    int64_t issued_s;
    struct gl_hash hash;
    struct row *rows;
    size_t count;
};

struct gl_demand_merge {
    struct gl_demand_merge_options options;
    struct place *places;
    size_t place_count, place_capacity;
    uint32_t *index; /* place plus one; 0 = empty */
    struct contribution *contributions;
    size_t contribution_count, row_count;
};

struct gl_demand_merge *gl_demand_merge_new(const struct gl_demand_merge_options *options,
                                            struct gl_error *err)
{
    struct gl_demand_merge *merge;

    if (options->k < GL_DEMAND_K || options->k > GL_DEMAND_K_MAX) {
        gl_fail(err, GL_E_USAGE,
                "k is %d to %d: fewer organisations behind a figure would tell of them",
                GL_DEMAND_K, GL_DEMAND_K_MAX);
        return NULL;
    }
    merge = gl_alloc(sizeof *merge);
    merge->options = *options;
    merge->index = gl_alloc(INDEX_SIZE * sizeof *merge->index);
    merge->contributions = gl_alloc(GL_DEMAND_CONTRIBUTIONS_MAX * sizeof *merge->contributions);
    return merge;
}

void gl_demand_merge_free(struct gl_demand_merge *merge)
{
    if (merge == NULL)
        return;
    for (size_t i = 0; i < merge->place_count; i++)
        free(merge->places[i].texts);
    for (size_t i = 0; i < merge->contribution_count; i++)
        free(merge->contributions[i].rows);
    free(merge->places);
    free(merge->index);
    free(merge->contributions);
    free(merge);
}

size_t gl_demand_merge_organisations(const struct gl_demand_merge *merge)
{
    return merge->contribution_count;
}

/* ---- places ---- */

static uint32_t *slot_of(const struct gl_demand_merge *merge, const uint8_t *fingerprint, int month)
{
    uint64_t start;
    size_t i;

    memcpy(&start, fingerprint, sizeof start);
    for (i = (size_t)(start + (uint64_t)month * 0x9e3779b9u) % INDEX_SIZE; merge->index[i] != 0;
         i = (i + 1) % INDEX_SIZE) {
        const struct place *place = &merge->places[merge->index[i] - 1];

        if (place->month == month &&
            memcmp(place->fingerprint, fingerprint, sizeof place->fingerprint) == 0)
            break;
    }
    return &merge->index[i];
}

static char *texts_of(const struct gl_demand_cell *cell)
{
    const char *const texts[] = {cell->provider, cell->region, cell->rule};
    size_t lengths[3], total = 0;
    char *out, *at;

    for (size_t i = 0; i < 3; i++)
        total += lengths[i] = strlen(texts[i]) + 1;
    at = out = gl_alloc(total);
    for (size_t i = 0; i < 3; i++) {
        memcpy(at, texts[i], lengths[i]);
        at += lengths[i];
    }
    return out;
}

static int find_place(struct gl_demand_merge *merge, const struct gl_demand_cell *cell,
                      uint32_t *out, struct gl_error *err)
{
    struct place place = {.month = cell->month, .capability = cell->capability};
    uint32_t *slot;

    if (gl_hex_parse(cell->fingerprint, place.fingerprint, sizeof place.fingerprint, err) != 0)
        return -1;
    slot = slot_of(merge, place.fingerprint, place.month);
    if (*slot == 0) {
        if (merge->place_count == PLACES_MAX)
            return gl_fail(err, GL_E_TOO_LARGE, "more than %d different cells in all", PLACES_MAX);
        if (merge->place_count == merge->place_capacity) {
            merge->place_capacity = merge->place_capacity > 0 ? 2 * merge->place_capacity : 256;
            merge->places =
                gl_realloc(merge->places, merge->place_capacity * sizeof *merge->places);
        }
        place.texts = texts_of(cell);
        merge->places[merge->place_count++] = place;
        *slot = (uint32_t)merge->place_count;
    }
    *out = *slot - 1;
    return 0;
}

/* ---- contributions ---- */

static bool is_member(const struct gl_demand_members *members, const uint8_t key[GL_KEY_BYTES])
{
    for (size_t i = 0; members != NULL && i < members->count; i++)
        if (memcmp(members->keys[i].bytes, key, GL_KEY_BYTES) == 0)
            return true;
    return members == NULL;
}

static int check_contribution(const struct gl_demand_merge *merge,
                              const struct gl_demand_feed *feed, const uint8_t key[GL_KEY_BYTES],
                              struct gl_error *err)
{
    if (feed->is_shared)
        return gl_fail(err, GL_E_BAD_VALUE, "it is a shared feed already");
    if (feed->is_demo)
        return gl_fail(err, GL_E_BAD_VALUE, "it is of a demonstration");
    if (!is_member(merge->options.members, key))
        return gl_fail(err, GL_E_BAD_VALUE, "its key %.16s... is of no member", feed->key);
    if (feed->count > ROWS_MAX - merge->row_count)
        return gl_fail(err, GL_E_TOO_LARGE, "more than %zu cells in all", ROWS_MAX);
    return 0;
}

static uint16_t cut(int64_t number, int64_t bound)
{
    return (uint16_t)(number < bound ? number : bound);
}

static struct row *rows_of(struct gl_demand_merge *merge, const struct gl_demand_feed *feed,
                           struct gl_error *err)
{
    struct row *rows = gl_alloc((feed->count + 1) * sizeof *rows);

    for (size_t i = 0; i < feed->count; i++) {
        const struct gl_demand_cell *cell = &feed->cells[i];

        if (find_place(merge, cell, &rows[i].place, err) != 0) {
            free(rows);
            return NULL;
        }
        /* The low ends: what is told of many is told as "at least". */
        rows[i].launches = cut(cell->launches.low, GL_DEMAND_LAUNCHES_BOUND);
        rows[i].hours = cut(cell->hours.low, GL_DEMAND_HOURS_BOUND);
        rows[i].gpu_hours = cut(cell->gpu_hours.low, GL_DEMAND_HOURS_BOUND);
    }
    return rows;
}

static struct contribution *of_key(struct gl_demand_merge *merge, const uint8_t key[GL_KEY_BYTES])
{
    for (size_t i = 0; i < merge->contribution_count; i++)
        if (memcmp(merge->contributions[i].key, key, GL_KEY_BYTES) == 0)
            return &merge->contributions[i];
    return NULL;
}

/* Of two of one second the greater hash wins, so that the order of the files does not. */
static bool is_newer(const struct contribution *one, const struct contribution *other)
{
    if (one->issued_s != other->issued_s)
        return one->issued_s > other->issued_s;
    return memcmp(one->hash.bytes, other->hash.bytes, sizeof one->hash.bytes) > 0;
}

int gl_demand_merge_add(struct gl_demand_merge *merge, const struct gl_demand_feed *feed,
                        bool *out_is_newest, struct gl_error *err)
{
    struct contribution one = {
        .issued_s = feed->issued_s, .hash = feed->hash, .count = feed->count};
    struct contribution *before;

    if (gl_hex_parse(feed->key, one.key, sizeof one.key, err) != 0 ||
        check_contribution(merge, feed, one.key, err) != 0)
        return -1;
    before = of_key(merge, one.key);
    *out_is_newest = before == NULL || is_newer(&one, before);
    if (!*out_is_newest)
        return 0;
    if (before == NULL && merge->contribution_count == GL_DEMAND_CONTRIBUTIONS_MAX)
        return gl_fail(err, GL_E_TOO_LARGE, "more than %d organisations",
                       GL_DEMAND_CONTRIBUTIONS_MAX);
    one.rows = rows_of(merge, feed, err);
    if (one.rows == NULL)
        return -1;
    if (before == NULL)
        before = &merge->contributions[merge->contribution_count++];
    merge->row_count += one.count - before->count;
    free(before->rows);
    *before = one;
    return 0;
}

/* ---- figures ---- */

/* What all of them said of one place. `said` is a digest of who said what: other noise for other
 * data, the same for the same. */
struct sum {
    int64_t organisations, launches, hours, gpu_hours;
    struct gl_hasher said;
};

static int key_order(const void *left, const void *right)
{
    return memcmp(((const struct contribution *)left)->key,
                  ((const struct contribution *)right)->key, GL_KEY_BYTES);
}

static void add_row(struct sum *sum, const uint8_t key[GL_KEY_BYTES], const struct row *row)
{
    const uint16_t said[] = {row->launches, row->hours, row->gpu_hours};

    if (sum->organisations++ == 0)
        gl_hasher_init(&sum->said);
    sum->launches += row->launches;
    sum->hours += row->hours;
    sum->gpu_hours += row->gpu_hours;
    gl_hasher_add(&sum->said, key, GL_KEY_BYTES);
    gl_hasher_add(&sum->said, said, sizeof said);
}

static struct sum *sums_of(struct gl_demand_merge *merge)
{
    struct sum *sums = gl_alloc((merge->place_count + 1) * sizeof *sums);

    if (merge->contribution_count > 0)
        qsort(merge->contributions, merge->contribution_count, sizeof *merge->contributions,
              key_order);
    for (size_t i = 0; i < merge->contribution_count; i++) {
        const struct contribution *one = &merge->contributions[i];

        for (size_t row = 0; row < one->count; row++)
            add_row(&sums[one->rows[row].place], one->key, &one->rows[row]);
    }
    return sums;
}

/* The noise of one figure belongs to its place, its name and what was said, and to nothing else. */
static int64_t noised(int64_t figure, int64_t bound, const struct gl_hash *said, const char *name,
                      const uint8_t secret[32])
{
    struct gl_hasher hasher;
    struct gl_hash purpose;
    struct gl_noise noise;

    gl_hasher_init(&hasher);
    gl_hasher_add(&hasher, said->bytes, sizeof said->bytes);
    gl_hasher_add(&hasher, name, strlen(name));
    gl_hasher_end(&hasher, &purpose);
    gl_noise_begin(&noise, secret, &purpose);
    figure += gl_noise_laplace(&noise, bound / GL_DEMAND_EPSILON);
    gl_wipe(&noise, sizeof noise);
    return figure;
}

static struct gl_hash digest_of(const struct place *place, struct sum *sum)
{
    struct gl_hash said;

    gl_hasher_add(&sum->said, place->fingerprint, sizeof place->fingerprint);
    gl_hasher_add(&sum->said, &place->month, sizeof place->month);
    gl_hasher_end(&sum->said, &said);
    return said;
}

static void name_cell(const struct place *place, struct gl_demand_cell *cell)
{
    const char *provider = place->texts, *region = provider + strlen(provider) + 1,
               *rule = region + strlen(region) + 1;

    gl_hex_text(place->fingerprint, sizeof place->fingerprint, cell->fingerprint);
    cell->month = place->month;
    cell->capability = place->capability;
    snprintf(cell->provider, sizeof cell->provider, "%s", provider);
    snprintf(cell->region, sizeof cell->region, "%s", region);
    snprintf(cell->rule, sizeof cell->rule, "%s", rule);
}

/* False: too few speak of it. That they are k is asked of the true number and of the noised one, so
 * that a cell that is absent tells not even that. */
static bool make_cell(const struct gl_demand_merge *merge, const struct place *place,
                      struct sum *sum, const uint8_t secret[32], struct gl_demand_cell *out)
{
    int64_t k = merge->options.k, organisations;
    struct gl_hash said;

    if (sum->organisations < k || place->month >= gl_demand_month(merge->options.now))
        return false;
    said = digest_of(place, sum);
    organisations = noised(sum->organisations, 1, &said, "organisations", secret);
    if (organisations < k)
        return false;
    *out = (struct gl_demand_cell){.organisations = gl_demand_range_of(organisations)};
    if (out->organisations.low < k)
        out->organisations.low = k;
    out->launches = gl_demand_range_of(
        noised(sum->launches, GL_DEMAND_LAUNCHES_BOUND, &said, "launches", secret));
    out->hours =
        gl_demand_range_of(noised(sum->hours, GL_DEMAND_HOURS_BOUND, &said, "hours", secret));
    out->gpu_hours = gl_demand_range_of(
        noised(sum->gpu_hours, GL_DEMAND_HOURS_BOUND, &said, "gpu_hours", secret));
    name_cell(place, out);
    return true;
}

json_t *gl_demand_merge_end(struct gl_demand_merge *merge, const uint8_t secret[32],
                            size_t *out_count, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) struct sum *sums = sums_of(merge);
    GL_AUTO(gl_auto_free) struct gl_demand_cell *cells = NULL;
    size_t count = 0, capacity = 0;
    json_t *list;

    for (size_t i = 0; i < merge->place_count; i++) {
        if (count == capacity) {
            capacity = capacity > 0 ? 2 * capacity : 256;
            cells = gl_realloc(cells, capacity * sizeof *cells);
        }
        count += make_cell(merge, &merge->places[i], &sums[i], secret, &cells[count]);
    }
    list = gl_demand_cells_json(cells, count, true, err);
    if (list == NULL)
        return NULL;
    *out_count = count;
    return json_pack("{s:i,s:s,s:b,s:I,s:I,s:o,s:o}", "greenlaunch_demand", 1, "kind", "shared",
                     "demo", 0, "issued_s", (json_int_t)merge->options.now.unix_s, "k",
                     (json_int_t)merge->options.k, "noise", gl_demand_noise_json(), "cells", list);
}
