/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/hook/reader_part.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- texts and lists in the plan's arena ---- */

const char *gl_reader_say(struct gl_arena *arena, const char *format, ...)
{
    va_list arguments, again;
    char *kept;
    int length;

    va_start(arguments, format);
    va_copy(again, arguments);
    length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    kept = gl_arena_take(arena, length < 0 ? 1 : (size_t)length + 1);
    if (length > 0)
        vsnprintf(kept, (size_t)length + 1, format, again);
    va_end(again);
    return kept;
}

char *gl_reader_join(struct gl_arena *arena, const char *const *parts)
{
    size_t lengths[GL_READER_PARTS], count = 0, total = 0, at = 0;
    char *out;

    for (; count < GL_READER_PARTS && parts[count] != NULL; count++)
        total += lengths[count] = strlen(parts[count]);
    out = gl_arena_take(arena, total + 1);
    for (size_t i = 0; i < count; at += lengths[i++])
        memcpy(out + at, parts[i], lengths[i]);
    return out;
}

void gl_reader_add_text(struct gl_arena *arena, const char *const **list, const char *text)
{
    size_t count = 0;
    const char **longer;

    while (*list != NULL && (*list)[count] != NULL)
        count++;
    longer = gl_arena_take(arena, (count + 2) * sizeof *longer);
    if (count > 0)
        memcpy(longer, *list, count * sizeof *longer);
    longer[count] = text;
    *list = longer;
}

void gl_reader_add_unmapped(struct gl_hook_plan *plan, const char *type)
{
    size_t length = strlen(type), count;
    const char **types;
    bool is_new;

    count = gl_keyset_add(&plan->unmapped_keys, type, length, &is_new);
    if (!is_new)
        return;
    /* With the NULL behind them they are one more; new room is zeroed. */
    types = gl_arena_grow(&plan->arena, plan->unmapped, count > 0 ? count + 1 : 0, sizeof *types);
    types[count] = gl_arena_text(&plan->arena, type, length);
    types[count + 1] = NULL;
    plan->unmapped = types;
}

/* ---- places ---- */

void gl_reader_set_place(struct gl_arena *arena, struct gl_intent_place *place, const char *region,
                         const char *evidence, enum gl_surety surety, const char *how)
{
    place->region = gl_arena_text(arena, region, strlen(region));
    place->evidence = evidence;
    place->surety = surety;
    place->how = how;
}

void gl_reader_join_place(struct gl_arena *arena, struct gl_intent_place *place,
                          const struct gl_intent_place *more)
{
    const char *const *before = place->candidates;

    if (place->region == NULL) {
        *place = *more;
        return;
    }
    gl_intent_add_candidate(place, more->region, arena);
    for (size_t i = 0; more->candidates != NULL && more->candidates[i] != NULL; i++)
        gl_intent_add_candidate(place, more->candidates[i], arena);
    if (place->candidates != before && place->surety > GL_SURE_MEDIUM)
        place->surety = GL_SURE_MEDIUM;
}

/* A region of its own goes before that of its provider. */
bool gl_reader_rests_on_zone(const struct gl_mapping_provider *provider,
                             const struct gl_intent_place *place)
{
    return provider->has_binding_region && place->region != NULL && place->zone != NULL &&
           strcmp(place->evidence, "attribute") != 0;
}

void gl_reader_compare_place(struct gl_arena *arena, struct gl_intent_place *place,
                             const struct gl_intent_place *told)
{
    const char *const *others = told->candidates;
    bool is_told = strcmp(told->region, place->region) == 0;

    for (size_t i = 0; others != NULL && others[i] != NULL; i++)
        is_told |= strcmp(others[i], place->region) == 0;
    if (is_told)
        return;
    gl_intent_dispute(place, told->region,
                      gl_reader_say(arena, "%s says %s", told->how, told->region), arena);
    for (size_t i = 0; others != NULL && others[i] != NULL; i++)
        gl_intent_add_candidate(place, others[i], arena);
}

void gl_reader_hide_place(struct gl_arena *arena, const char *name, struct gl_intent *intent)
{
    gl_intent_hide_place(&intent->place, name, arena);
    gl_reader_add_text(arena, &intent->sensitive, gl_arena_text(arena, name, strlen(name)));
}

void gl_reader_add_also(struct gl_arena *arena, const struct gl_intent_place *said,
                        struct gl_intent_place *place)
{
    const char *const *also = said->is_beside ? said->candidates : NULL;

    if (said->is_beside && place->candidates == also)
        place->candidates = NULL;
    if (said->has_more && place->surety != GL_SURE_ASSERTED)
        *place = (struct gl_intent_place){.evidence = "none",
                                          .how = "its further locations cannot be told yet",
                                          .has_more = true};
    place->is_beside = said->is_beside;
    for (; place->region != NULL && also != NULL && *also != NULL; also++)
        gl_intent_add_candidate(place, *also, arena);
}

bool gl_reader_place_by_user(const struct gl_hook_options *options, struct gl_arena *arena,
                             const char *address, struct gl_intent_place *out)
{
    const char *const *rows = options->regions;

    for (; rows != NULL && *rows != NULL; rows++) {
        const char *equals = strrchr(*rows, '=');
        const char *glob;

        if (equals == NULL)
            continue;
        glob = gl_arena_text(arena, *rows, (size_t)(equals - *rows));
        if (!gl_glob_match(glob, address))
            continue;
        gl_reader_set_place(arena, out, equals + 1, "asserted", GL_SURE_ASSERTED, "--region");
        out->candidates = NULL;
        out->conflict = NULL;
        return true;
    }
    return false;
}

bool gl_reader_place_by_environment(const struct gl_hook_options *options,
                                    const struct gl_mapping_provider *provider,
                                    struct gl_arena *arena, struct gl_intent_place *out)
{
    if (!options->wants_environment || options->environment == NULL)
        return false;
    for (size_t i = 0; provider->environment != NULL && provider->environment[i] != NULL; i++) {
        const char *text = options->environment(options->cookie, provider->environment[i]);

        if (text == NULL || *text == '\0')
            continue;
        gl_reader_set_place(arena, out, text, "environment", GL_SURE_HINT,
                            gl_reader_say(arena, "%s of this process", provider->environment[i]));
        return true;
    }
    return false;
}

/* ---- intents ---- */

void gl_reader_expect(struct gl_hook_plan *plan, size_t more)
{
    struct gl_intent *larger;

    if (plan->room - plan->count >= more)
        return;
    plan->room = plan->count + more;
    larger = gl_arena_take(&plan->arena, plan->room * sizeof *larger);
    if (plan->count > 0)
        memcpy(larger, plan->intents, plan->count * sizeof *larger);
    plan->intents = larger;
}

static struct gl_intent *add(struct gl_hook_plan *plan)
{
    struct gl_intent *intent;

    if (plan->count == plan->room)
        gl_reader_expect(plan, plan->count < 4 ? 4 : plan->count);
    intent = &plan->intents[plan->count++];
    *intent = (struct gl_intent){.provider = ""};
    return intent;
}

struct gl_intent *gl_reader_add_intent(const struct gl_hook_options *options,
                                       struct gl_hook_plan *plan, const struct gl_mapping_row *row,
                                       const struct gl_attributes *attributes,
                                       const struct gl_follower *follower)
{
    struct gl_intent *intent = add(plan);

    intent->type = row->type;
    intent->is_mapped = true;
    gl_mapping_extract(options->mapping, row, attributes, follower, &plan->arena, intent);
    return intent;
}

struct gl_intent *gl_reader_add_like(struct gl_hook_plan *plan, size_t number)
{
    struct gl_intent *intent = add(plan);

    *intent = plan->intents[number];
    intent->like = number + 1;
    return intent;
}

struct gl_intent gl_reader_blank(void)
{
    return (struct gl_intent){
        .provider = "",
        .place = {.how = "nothing says it", .evidence = "none", .surety = GL_SURE_NOT},
        .machine = gl_intent_no_machine,
        .count = gl_intent_no_count,
        .interruptible = -1,
        .duration_s = GL_UNKNOWN,
    };
}

struct gl_intent *gl_reader_add_blank(struct gl_hook_plan *plan)
{
    struct gl_intent *intent = add(plan);

    *intent = gl_reader_blank();
    return intent;
}

void gl_reader_set_past(struct gl_arena *arena, struct gl_intent *intent,
                        const struct gl_intent *past)
{
    struct gl_intent was = *past;
    bool is_hidden = past->sensitive != NULL || intent->sensitive != NULL;
    enum gl_change change;

    if (was.place.region == NULL)
        was.place = intent->place;
    if (past->place.is_beside)
        was.place.candidates = past->place.candidates;
    intent->place_before = gl_arena_take(arena, sizeof was.place);
    *intent->place_before = was.place;
    intent->machine_before = gl_arena_take(arena, sizeof was.machine);
    *intent->machine_before = was.machine;
    intent->count_before = gl_arena_take(arena, sizeof was.count);
    *intent->count_before = was.count;
    change = gl_intent_compare(&was, intent);
    if (is_hidden && (change == GL_CHANGE_UPDATE || change == GL_CHANGE_SHRINK))
        change = GL_CHANGE_UNKNOWN;
    if (intent->change == GL_CHANGE_UPDATE ||
        (intent->change == GL_CHANGE_NONE && intent->is_latest && change != GL_CHANGE_UPDATE))
        intent->change = change;
}

/* ---- launches ---- */

static bool starts_machines(enum gl_role role)
{
    return role != GL_ROLE_TEMPLATE && role != GL_ROLE_SCALER && role != GL_ROLE_OPAQUE;
}

static bool starts(enum gl_change change)
{
    return change == GL_CHANGE_CREATE || change == GL_CHANGE_REPLACE || change == GL_CHANGE_GROW ||
           change == GL_CHANGE_MOVE || change == GL_CHANGE_UNKNOWN;
}

bool gl_reader_is_launch(const struct gl_intent *intent)
{
    return starts_machines(intent->role) && starts(intent->change) && intent->count.max != 0 &&
           !intent->count.is_brief;
}

/* A number there that can only be told later, or that nobody believes? */
static bool is_later(const struct gl_path *path, const struct gl_attributes *from,
                     const struct gl_follower *follower)
{
    enum gl_known known;

    return path != NULL &&
           (gl_path_furthest(path, from, follower, true, &known) > GL_HOOK_COUNT_MAX ||
            known == GL_KNOWN_LATER);
}

bool gl_reader_is_open(const struct gl_mapping_row *row, const struct gl_attributes *from,
                       const struct gl_follower *follower, struct gl_arena *scratch)
{
    const char *text = NULL;

    if (row->count.max != NULL)
        gl_path_texts(row->count.max, from, follower, scratch, &text, 1, NULL, NULL);
    /* One below 0 is told: it means none. */
    return ((text == NULL || *text != '-') && is_later(row->count.max, from, follower)) ||
           is_later(row->count.or_max, from, follower);
}

const char *gl_reader_named(const struct gl_path *path, const struct gl_attributes *from,
                            struct gl_arena *arena)
{
    const char *texts[4];
    enum gl_known known = GL_KNOWN_ABSENT;
    size_t count = path != NULL ? gl_path_texts(path, from, NULL, arena, texts,
                                                sizeof texts / sizeof texts[0], &known, NULL)
                                : 0;
    const char *name = "";

    if (count == 0 || known != GL_KNOWN_VALUE)
        return NULL;
    for (size_t i = 0; i < count; i++)
        name = GL_READER_JOIN(arena, name, "|", texts[i]);
    return name;
}

static int64_t further(int64_t a, int64_t b, bool is_more)
{
    if (a == GL_UNKNOWN || b == GL_UNKNOWN)
        return a == GL_UNKNOWN ? b : a;
    return (a > b) == is_more ? a : b;
}

const char *gl_reader_scaled_by(struct gl_arena *arena, const struct gl_intent *scaler)
{
    return gl_reader_say(arena, "scaled by %s", scaler->address);
}

void gl_reader_scale(const struct gl_intent *scaler, const char *how, bool is_open,
                     struct gl_intent *target)
{
    int64_t max = target->count.max;

    if (scaler->change == GL_CHANGE_DELETE)
        return;
    target->count.min = further(scaler->count.min, target->count.min, false);
    target->count.max = further(scaler->count.max, target->count.max, true);
    target->count.max = further(scaler->count.desired, target->count.max, true);
    if (is_open)
        target->count.max = GL_UNKNOWN;
    if (target->count.desired == GL_UNKNOWN)
        target->count.desired = target->count.min;
    target->count.how = how;
    if ((starts(scaler->change) || scaler->change == GL_CHANGE_UPDATE) &&
        (target->change == GL_CHANGE_NONE || target->change == GL_CHANGE_UPDATE) &&
        (max == GL_UNKNOWN || target->count.max == GL_UNKNOWN || target->count.max > max))
        target->change = GL_CHANGE_GROW;
    target->is_launch = gl_reader_is_launch(target);
}
