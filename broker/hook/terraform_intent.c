/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/hook/terraform_part.h"

#include <string.h>

/* ---- lists that grow in the plan's arena ---- */

static void add_text(struct gl_arena *arena, const char *const **list, const char *text)
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

static const char *say(struct gl_tf *tf, const char *format, const char *text)
{
    GL_AUTO(gl_str_done) struct gl_str line = {0};

    gl_str_addf(&line, format, text);
    return gl_arena_text(&tf->plan->arena, gl_str_text(&line), line.length);
}

/* ---- one intent ---- */

/* Machines that run now: of what is created there are none. */
static void add_before(struct gl_tf *tf, const struct gl_tf_resource *resource,
                       const struct gl_follower *follower, struct gl_intent *intent)
{
    struct gl_attributes before = gl_tf_attributes(resource, true);
    struct gl_arena *arena = &tf->plan->arena;
    struct gl_intent past = {.place.how = "", .machine.how = NULL};

    if (resource->before.count == 0)
        return;
    gl_mapping_extract(tf->options->mapping, resource->row, &before, follower, arena, &past);
    intent->place_before = gl_arena_take(arena, sizeof past.place);
    *intent->place_before = past.place.region != NULL ? past.place : intent->place;
    intent->machine_before = gl_arena_take(arena, sizeof past.machine);
    *intent->machine_before = past.machine;
    intent->count_before = gl_arena_take(arena, sizeof past.count);
    *intent->count_before = past.count;
    if (intent->change == GL_CHANGE_UPDATE) {
        past.place = *intent->place_before;
        intent->change = gl_intent_compare(&past, intent);
    }
}

static bool starts_machines(enum gl_role role)
{
    return role != GL_ROLE_TEMPLATE && role != GL_ROLE_SCALER && role != GL_ROLE_OPAQUE;
}

static bool starts(enum gl_change change)
{
    return change == GL_CHANGE_CREATE || change == GL_CHANGE_REPLACE || change == GL_CHANGE_GROW ||
           change == GL_CHANGE_MOVE || change == GL_CHANGE_UNKNOWN;
}

static bool is_stopped(const struct gl_intent *intent)
{
    return intent->count.max == 0;
}

static void add_notes(struct gl_tf *tf, const struct gl_tf_resource *resource,
                      struct gl_intent *intent)
{
    struct gl_arena *arena = &tf->plan->arena;

    if (resource->is_forgotten)
        add_text(arena, &intent->notes, "the old one is dropped from the state and keeps running");
    if (resource->deferred != NULL) {
        add_text(arena, &intent->notes,
                 say(tf, "deferred (%s): how many there will be is not known", resource->deferred));
        intent->count = (struct gl_intent_count){.min = GL_UNKNOWN,
                                                 .desired = GL_UNKNOWN,
                                                 .max = GL_UNKNOWN,
                                                 .unit = "machine",
                                                 .how = "deferred"};
    }
    if (intent->change == GL_CHANGE_UNKNOWN)
        add_text(arena, &intent->notes, "actions of the change are not understood");
}

static void add_intent(struct gl_tf *tf, const struct gl_tf_resource *resource)
{
    struct gl_hook_plan *plan = tf->plan;
    struct gl_attributes after = gl_tf_attributes(resource, resource->after.count == 0);
    struct gl_follower follower = gl_tf_follower(tf);
    struct gl_intent *intent;

    plan->intents = gl_arena_grow(&plan->arena, plan->intents, plan->count, sizeof *plan->intents);
    intent = &plan->intents[plan->count++];
    *intent = (struct gl_intent){
        .address = resource->address,
        .file = tf->document,
        .provider = resource->provider != NULL ? say(tf, "%s", resource->provider) : "",
        .change = resource->change,
        .is_mapped = true};
    gl_mapping_extract(tf->options->mapping, resource->row, &after, &follower, &plan->arena,
                       intent);
    gl_tf_place(tf, resource, intent);
    add_before(tf, resource, &follower, intent);
    add_notes(tf, resource, intent);
    intent->is_launch =
        starts_machines(intent->role) && starts(intent->change) && !is_stopped(intent);
}

/* ---- scalers: what they say of their target counts ---- */

struct scaling {
    struct gl_tf *tf;
    const size_t *intent_of; /* by number of the resource, +1; 0 = none */
};

static struct gl_intent *find_target(const struct scaling *scaling,
                                     const struct gl_tf_resource *scaler)
{
    struct gl_attributes from = gl_tf_attributes(scaler, scaler->after.count == 0), found;
    const char *head = scaler->row->target != NULL ? gl_path_head(scaler->row->target) : NULL;

    for (size_t i = 0;
         head != NULL && scaler->row->target_types != NULL && scaler->row->target_types[i] != NULL;
         i++)
        if (gl_tf_follow(scaling->tf, &from, head, scaler->row->target_types[i], &found)) {
            const struct gl_tf_resource *target = found.resource;
            size_t number = scaling->intent_of[target - scaling->tf->resources];

            return number > 0 ? &scaling->tf->plan->intents[number - 1] : NULL;
        }
    return NULL;
}

static void take_number(int64_t said, int64_t *out)
{
    if (said != GL_UNKNOWN)
        *out = said;
}

/* The most a group may become is what its scaler says; more than before is a launch. */
static void scale(struct gl_tf *tf, const struct gl_intent *scaler, struct gl_intent *target)
{
    int64_t max = target->count.max;

    take_number(scaler->count.min, &target->count.min);
    take_number(scaler->count.max, &target->count.max);
    if (target->count.desired == GL_UNKNOWN)
        target->count.desired = target->count.min;
    target->count.how = say(tf, "scaled by %s", scaler->address);
    if (!starts(scaler->change) && scaler->change != GL_CHANGE_UPDATE)
        return;
    if (target->change == GL_CHANGE_NONE || target->change == GL_CHANGE_UPDATE) {
        bool is_larger =
            max == GL_UNKNOWN || target->count.max == GL_UNKNOWN || target->count.max > max;

        target->change = is_larger ? GL_CHANGE_GROW : target->change;
        target->is_launch = starts_machines(target->role) && is_larger;
    }
}

/* ---- all of them ---- */

static bool is_machine(const struct gl_tf_resource *resource)
{
    return resource->row != NULL && !resource->parts.is_data;
}

void gl_tf_intents(struct gl_tf *tf)
{
    struct gl_hook_plan *plan = tf->plan;
    size_t *intent_of = gl_arena_take(&tf->work, (tf->resource_count + 1) * sizeof *intent_of);
    struct scaling scaling = {tf, intent_of};
    size_t first = plan->count;

    for (size_t i = 0; i < tf->resource_count; i++)
        if (is_machine(&tf->resources[i])) {
            add_intent(tf, &tf->resources[i]);
            intent_of[i] = plan->count;
        }
    for (size_t i = 0; i < tf->resource_count; i++) {
        const struct gl_tf_resource *resource = &tf->resources[i];
        struct gl_intent *target;

        if (!is_machine(resource) || resource->row->role != GL_ROLE_SCALER)
            continue;
        target = find_target(&scaling, resource);
        if (target != NULL)
            scale(tf, &plan->intents[intent_of[i] - 1], target);
        else
            add_text(&plan->arena, &plan->intents[intent_of[i] - 1].notes,
                     "the group it scales is not in the plan");
    }
    for (size_t i = first; i < plan->count; i++)
        plan->launches += plan->intents[i].is_launch;
}
