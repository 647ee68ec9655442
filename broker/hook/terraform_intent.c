/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/hook/path.h"
#include "broker/hook/terraform_part.h"

#include <stdlib.h>
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
    if (resource->variant != NULL)
        gl_reader_add_text(arena, &intent->notes, resource->variant);
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

/* What tells it from others of its kind. */
static void name_intent(const struct gl_tf *tf, const struct gl_tf_resource *resource,
                        struct gl_intent *intent)
{
    intent->address = resource->address;
    intent->file = tf->document;
    intent->provider = resource->provider != NULL ? resource->provider : "";
    intent->tags = resource->tags;
}

static void add_intent(struct gl_tf *tf, const struct gl_tf_resource *resource)
{
    struct gl_hook_plan *plan = tf->plan;
    struct gl_attributes after = gl_tf_attributes(resource, resource->after->count == 0);
    struct gl_follower follower = gl_tf_follower(tf);
    struct gl_intent *intent;

    intent = gl_reader_add_intent(tf->options, plan, resource->row, &after, &follower);
    name_intent(tf, resource, intent);
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

static const struct gl_tf_resource *followed(const struct scaling *scaling,
                                             const struct gl_tf_resource *scaler)
{
    struct gl_attributes from = gl_tf_attributes(scaler, scaler->after->count == 0), found;
    const char *head = scaler->row->target != NULL ? gl_path_head(scaler->row->target) : NULL;

    for (size_t i = 0;
         head != NULL && scaler->row->target_types != NULL && scaler->row->target_types[i] != NULL;
         i++)
        if (gl_tf_follow(scaling->tf, &from, head, scaler->row->target_types[i], &found))
            return found.resource;
    return NULL;
}

/* A schedule names its group by what scales it: on to the group. */
static struct gl_intent *find_target(const struct scaling *scaling,
                                     const struct gl_tf_resource *scaler)
{
    const struct gl_tf_resource *target = followed(scaling, scaler);
    size_t number;

    if (target != NULL && target->row != NULL && target->row->role == GL_ROLE_SCALER)
        target = followed(scaling, target);
    if (target == NULL)
        return NULL;
    number = scaling->intent_of[target - scaling->tf->resources];
    return number > 0 ? &scaling->tf->plan->intents[number - 1] : NULL;
}

static void scale(struct gl_tf *tf, const struct gl_tf_resource *resource,
                  const struct gl_intent *scaler, struct gl_intent *target)
{
    struct gl_attributes from = gl_tf_attributes(resource, resource->after->count == 0);
    struct gl_follower follower = gl_tf_follower(tf);

    gl_reader_scale(&tf->plan->arena, scaler,
                    gl_reader_is_open(resource->row, &from, &follower, &tf->work), target);
}

/* ---- all of them ---- */

static bool is_machine(const struct gl_tf_resource *resource)
{
    return resource->row != NULL && !resource->parts.is_data;
}

/* All that an intent follows from but for its names, unless it matters which instance it is: texts
 * and trees that are equal are held once, so that their addresses tell them apart. */
struct cause {
    const void *module, *type, *name, *row, *deferred, *before, *after, *unknown;
    size_t change, is_forgotten;
};
static struct cause cause_of(const struct gl_tf_resource *resource)
{
    return (struct cause){.module = resource->parts.module,
                          .type = resource->parts.type,
                          .name = resource->parts.name,
                          .row = resource->row,
                          .deferred = resource->deferred,
                          .before = resource->before,
                          .after = resource->after,
                          .unknown = resource->unknown,
                          .change = resource->change,
                          .is_forgotten = resource->is_forgotten};
}

/* Causes of late, and the number of the intent that came of each, from 1; a newer one takes the
 * place of an older one. */
#define CAUSES 256 /* a power of two */
struct cause_row {
    struct cause cause;
    size_t number;
};

static struct cause_row *row_of(struct cause_row *rows, const struct cause *cause)
{
    uintptr_t mixed = ((uintptr_t)cause->name >> 4) * 31 + ((uintptr_t)cause->after >> 4) +
                      ((uintptr_t)cause->module >> 4) * 7;

    return &rows[(mixed ^ mixed >> 8) % CAUSES];
}

#define PASSING_INTENTS 32 /* whose passing memory is given back at once */

/* What is worked out for one is said in passing memory, though the whole reader knows but the
 * plan's; of that the plan keeps once what many have. */
struct saying {
    struct gl_tf *tf;
    struct gl_arena kept; /* of the plan */
    struct cause_row *rows;
    size_t said;
};

/* What the user asserts goes by addresses, so that no two are alike then. */
static void say_intent(struct saying *saying, const struct gl_tf_resource *resource)
{
    struct gl_tf *tf = saying->tf;
    struct gl_hook_plan *plan = tf->plan;
    struct cause cause = cause_of(resource);
    struct cause_row *row = row_of(saying->rows, &cause);
    const char *const *asserted = tf->options->regions;
    size_t picked = tf->picked;

    if (row->number > 0 && memcmp(&row->cause, &cause, sizeof cause) == 0) {
        name_intent(tf, resource, gl_reader_add_like(plan, row->number - 1));
        return;
    }
    add_intent(tf, resource);
    gl_reader_settle(&saying->kept, &tf->said, &plan->arena, &plan->intents[plan->count - 1]);
    if (tf->picked == picked && (asserted == NULL || *asserted == NULL))
        *row = (struct cause_row){cause, plan->count};
    if (++saying->said % PASSING_INTENTS == 0)
        gl_arena_done(&plan->arena);
}

static void add_intents(struct gl_tf *tf, size_t *intent_of)
{
    struct gl_hook_plan *plan = tf->plan;
    struct saying saying = {
        .tf = tf, .kept = plan->arena, .rows = gl_alloc(CAUSES * sizeof *saying.rows)};

    plan->arena = (struct gl_arena){0};
    for (size_t i = 0; i < tf->resource_count; i++) {
        if (!is_machine(&tf->resources[i]))
            continue;
        say_intent(&saying, &tf->resources[i]);
        intent_of[i] = plan->count;
    }
    gl_arena_done(&plan->arena);
    plan->arena = saying.kept;
    free(saying.rows);
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
