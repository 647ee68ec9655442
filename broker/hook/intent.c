/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/hook/intent.h"

#include "broker/hook/mapping.h"
#include "providers/data/data.h"

#include <string.h>

const char *const gl_role_words[] = {"launch",   "group",    "template", "scaler", "managed",
                                     "fraction", "reserved", "opaque",   NULL};
const char *const gl_change_words[] = {"none",   "read",   "create", "replace", "grow",    "move",
                                       "update", "shrink", "delete", "forget",  "unknown", NULL};
const char *const gl_surety_words[] = {"unknown", "hint",    "assumed",  "medium",
                                       "high",    "certain", "asserted", NULL};

const struct gl_intent_machine gl_intent_no_machine = {.vcpus_u = GL_UNKNOWN,
                                                       .memory_mib = GL_UNKNOWN,
                                                       .size_u = GL_UNKNOWN,
                                                       .accelerator_count = GL_UNKNOWN,
                                                       .surety = GL_SURE_NOT};
const struct gl_intent_count gl_intent_no_count = {.min = GL_UNKNOWN,
                                                   .desired = GL_UNKNOWN,
                                                   .max = GL_UNKNOWN,
                                                   .unit = "machine",
                                                   .surety = GL_SURE_NOT};

const char *gl_role_word(enum gl_role role)
{
    return gl_role_words[role];
}

const char *gl_change_word(enum gl_change change)
{
    return gl_change_words[change];
}

const char *gl_surety_word(enum gl_surety surety)
{
    return gl_surety_words[surety];
}

void gl_hook_plan_done(struct gl_hook_plan *plan)
{
    gl_arena_done(&plan->arena);
    gl_keyset_done(&plan->unmapped_keys);
    *plan = (struct gl_hook_plan){0};
}

void gl_intent_add_candidate(struct gl_intent_place *place, const char *region,
                             struct gl_arena *arena)
{
    size_t count = 0;
    const char **list;

    if (place->region != NULL && strcmp(place->region, region) == 0)
        return;
    for (; place->candidates != NULL && place->candidates[count] != NULL; count++)
        if (strcmp(place->candidates[count], region) == 0)
            return;
    list = gl_arena_take(arena, (count + 2) * sizeof *list);
    if (count > 0)
        memcpy(list, place->candidates, count * sizeof *list);
    list[count] = region;
    place->candidates = list;
}

void gl_intent_dispute(struct gl_intent_place *place, const char *region, const char *conflict,
                       struct gl_arena *arena)
{
    const char *said = place->region;

    place->region = NULL;
    if (said != NULL)
        gl_intent_add_candidate(place, said, arena);
    gl_intent_add_candidate(place, region, arena);
    place->conflict = conflict;
    place->evidence = "none";
    place->surety = GL_SURE_NOT;
}

void gl_intent_hide_place(struct gl_intent_place *place, const char *name, struct gl_arena *arena)
{
    static const char words[] = " is marked sensitive";
    size_t length = strlen(name);
    char *how = gl_arena_take(arena, length + sizeof words);

    memcpy(how, name, length);
    memcpy(how + length, words, sizeof words);
    place->region = NULL;
    place->candidates = NULL;
    place->conflict = NULL;
    place->how = how;
    place->evidence = "none";
    place->surety = GL_SURE_NOT;
    place->is_hidden = true;
}

/* ---- before against after ---- */

/* More or fewer of something that is known on both sides; an amount that was known and is not any
 * more may be larger. */
struct difference {
    bool is_more, is_less, is_unknown;
};

static void compare_numbers(struct difference *difference, int64_t before, int64_t after)
{
    if (before == after)
        return;
    if (before == GL_UNKNOWN || after == GL_UNKNOWN)
        difference->is_unknown |= after == GL_UNKNOWN;
    else if (after > before)
        difference->is_more = true;
    else
        difference->is_less = true;
}

static void compare_rows(struct difference *difference, const struct gl_type_row *before,
                         const struct gl_type_row *after)
{
    compare_numbers(difference, before->vcpus, after->vcpus);
    compare_numbers(difference, before->memory_mib, after->memory_mib);
    compare_numbers(difference, before->gpu_count, after->gpu_count);
}

static bool same(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static const struct gl_type_row *row_of(const struct gl_intent *intent)
{
    return intent->cloud != NULL && intent->machine.catalogue != NULL
               ? gl_data_type(intent->cloud, intent->machine.catalogue)
               : NULL;
}

static bool same_types(const struct gl_intent_machine *a, const struct gl_intent_machine *b)
{
    size_t i = 0;

    if (!same(a->type, b->type))
        return false;
    if (a->candidates == NULL || b->candidates == NULL)
        return a->candidates == b->candidates;
    while (a->candidates[i] != NULL && same(a->candidates[i], b->candidates[i]))
        i++;
    return a->candidates[i] == NULL && b->candidates[i] == NULL;
}

static void compare_machines(struct difference *difference, const struct gl_intent *before,
                             const struct gl_intent *after)
{
    const struct gl_type_row *was = row_of(before), *is = row_of(after);

    compare_numbers(difference, before->machine.vcpus_u, after->machine.vcpus_u);
    compare_numbers(difference, before->machine.memory_mib, after->machine.memory_mib);
    compare_numbers(difference, before->machine.size_u, after->machine.size_u);
    if (!same(before->machine.accelerator, after->machine.accelerator))
        difference->is_more |= after->machine.accelerator != NULL;
    else
        compare_numbers(difference, before->machine.accelerator_count,
                        after->machine.accelerator_count);
    if (same_types(&before->machine, &after->machine))
        return;
    if (after->machine.type == NULL)
        difference->is_unknown = true;
    else if (was != NULL && is != NULL && before->machine.candidates == NULL &&
             after->machine.candidates == NULL)
        compare_rows(difference, was, is);
    else
        difference->is_more = true; /* another machine, of which no more is known */
}

/* A region beside its own that it was not in. */
static bool is_elsewhere_too(const struct gl_intent_place *before,
                             const struct gl_intent_place *after)
{
    const char *const *is = after->is_beside ? after->candidates : NULL;

    for (; is != NULL && *is != NULL; is++) {
        const char *const *was = before->candidates;

        while (was != NULL && *was != NULL && !same(*was, *is))
            was++;
        if (was == NULL || *was == NULL)
            return true;
    }
    return false;
}

enum gl_change gl_intent_compare(const struct gl_intent *before, const struct gl_intent *after)
{
    struct difference difference = {0};

    if (before->place.region != NULL && after->place.region != NULL &&
        !same(before->place.region, after->place.region))
        return GL_CHANGE_MOVE;
    difference.is_more = is_elsewhere_too(&before->place, &after->place);
    difference.is_unknown = after->place.has_more;
    compare_machines(&difference, before, after);
    difference.is_unknown |= after->is_untold;
    /* What ran on machines elsewhere, or unseen, now has its own. */
    difference.is_more |= before->role == GL_ROLE_OPAQUE && after->role != GL_ROLE_OPAQUE;
    compare_numbers(&difference, before->count.min, after->count.min);
    compare_numbers(&difference, before->count.desired, after->count.desired);
    compare_numbers(&difference, before->count.max, after->count.max);
    if (difference.is_more)
        return GL_CHANGE_GROW;
    if (difference.is_unknown)
        return GL_CHANGE_UNKNOWN;
    return difference.is_less ? GL_CHANGE_SHRINK : GL_CHANGE_UPDATE;
}
