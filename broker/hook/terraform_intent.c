/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/hook/path.h"
#include "broker/hook/terraform_part.h"

#include <string.h>

/* ---- one intent ---- */

/* Machines that run now: of what is created there are none. */
static void add_before(struct gl_tf *tf, const struct gl_tf_resource *resource,
                       const struct gl_follower *follower, struct gl_intent *intent)
{
    struct gl_attributes before = gl_tf_attributes(resource, true);
    struct gl_arena *arena = &tf->plan->arena;
    struct gl_intent past = {.place.how = "", .machine.how = NULL};

    if (resource->before->count == 0)
        return;
    gl_mapping_extract(tf->options->mapping, resource->row, &before, follower, arena, &past);
    gl_reader_set_past(arena, intent, &past);
    intent->keeps_old = resource->is_forgotten && resource->change == GL_CHANGE_REPLACE;
}

static void add_notes(struct gl_tf *tf, const struct gl_tf_resource *resource,
                      struct gl_intent *intent)
{
    struct gl_arena *arena = &tf->plan->arena;

    if (resource->is_forgotten)
        gl_reader_add_text(arena, &intent->notes,
                           "the old one is dropped from the state and keeps running");
    if (resource->deferred != NULL) {
        gl_reader_add_text(arena, &intent->notes,
                           gl_reader_say(&tf->plan->arena,
                                         "deferred (%s): how many there will be is not known",
                                         resource->deferred));
        intent->count = (struct gl_intent_count){.min = GL_UNKNOWN,
                                                 .desired = GL_UNKNOWN,
                                                 .max = GL_UNKNOWN,
                                                 .unit = "machine",
                                                 .how = "deferred"};
    }
    if (intent->change == GL_CHANGE_UNKNOWN)
        gl_reader_add_text(arena, &intent->notes, "actions of the change are not understood");
}

static void add_intent(struct gl_tf *tf, const struct gl_tf_resource *resource)
{
    struct gl_hook_plan *plan = tf->plan;
    struct gl_attributes after = gl_tf_attributes(resource, resource->after->count == 0);
    struct gl_follower follower = gl_tf_follower(tf);
    struct gl_intent *intent;

    intent = gl_reader_add_intent(tf->options, plan, resource->row, &after, &follower);
    intent->address = resource->address;
    intent->file = tf->document;
    intent->provider = resource->provider != NULL ? resource->provider : "";
    intent->type = resource->parts.type;
    intent->change = resource->change;
    gl_tf_place(tf, resource, intent);
    add_before(tf, resource, &follower, intent);
    add_notes(tf, resource, intent);
    intent->is_launch = gl_reader_is_launch(intent);
}

/* ---- scalers: what they say of their target counts ---- */

struct scaling {
    struct gl_tf *tf;
    const size_t *intent_of; /* by number of the resource, +1; 0 = none */
};

static struct gl_intent *find_target(const struct scaling *scaling,
                                     const struct gl_tf_resource *scaler)
{
    struct gl_attributes from = gl_tf_attributes(scaler, scaler->after->count == 0), found;
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

static void scale(struct gl_tf *tf, const struct gl_tf_resource *resource,
                  const struct gl_intent *scaler, struct gl_intent *target)
{
    struct gl_attributes from = gl_tf_attributes(resource, resource->after->count == 0);
    struct gl_follower follower = gl_tf_follower(tf);

    gl_reader_scale(&tf->plan->arena, scaler,
                    gl_reader_is_open(resource->row->count.max, &from, &follower, &tf->work),
                    target);
}

/* ---- all of them ---- */

static bool is_machine(const struct gl_tf_resource *resource)
{
    return resource->row != NULL && !resource->parts.is_data;
}

#define PASSING_INTENTS 32 /* whose passing memory is given back at once */

/* What is worked out for one is said in passing memory, though the whole reader knows but the
 * plan's; of that the plan keeps once what many have. */
static void add_intents(struct gl_tf *tf, size_t *intent_of)
{
    struct gl_hook_plan *plan = tf->plan;
    struct gl_arena kept = plan->arena;
    size_t passing = 0;

    plan->arena = (struct gl_arena){0};
    for (size_t i = 0; i < tf->resource_count; i++) {
        if (!is_machine(&tf->resources[i]))
            continue;
        add_intent(tf, &tf->resources[i]);
        gl_reader_settle(&kept, &tf->said, &plan->arena, &plan->intents[plan->count - 1]);
        intent_of[i] = plan->count;
        if (++passing % PASSING_INTENTS == 0)
            gl_arena_done(&plan->arena);
    }
    gl_arena_done(&plan->arena);
    plan->arena = kept;
}

void gl_tf_intents(struct gl_tf *tf)
{
    struct gl_hook_plan *plan = tf->plan;
    size_t *intent_of = gl_arena_take(&tf->work, (tf->resource_count + 1) * sizeof *intent_of);
    struct scaling scaling = {tf, intent_of};
    size_t first = plan->count, machines = 0;

    for (size_t i = 0; i < tf->resource_count; i++)
        machines += is_machine(&tf->resources[i]);
    gl_reader_expect(plan, machines);
    add_intents(tf, intent_of);
    for (size_t i = 0; i < tf->resource_count; i++) {
        const struct gl_tf_resource *resource = &tf->resources[i];
        struct gl_intent *target;

        if (!is_machine(resource) || resource->row->role != GL_ROLE_SCALER)
            continue;
        target = find_target(&scaling, resource);
        if (target != NULL)
            scale(tf, resource, &plan->intents[intent_of[i] - 1], target);
        else
            gl_reader_add_text(&plan->arena, &plan->intents[intent_of[i] - 1].notes,
                               "the group it scales is not in the plan");
    }
    for (size_t i = first; i < plan->count; i++)
        plan->launches += plan->intents[i].is_launch;
}
