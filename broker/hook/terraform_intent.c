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
    struct gl_attributes after = gl_tf_attributes(resource, resource->after->count == 0);
    struct gl_arena *arena = &tf->plan->arena;
    struct gl_intent past = {.place.how = "", .machine.how = NULL};

    if (resource->before->count == 0) {
        if (intent->change == GL_CHANGE_UPDATE)
            intent->change = GL_CHANGE_UNKNOWN; /* of what is not said */
        return;
    }
    gl_mapping_extract(tf->options->mapping, resource->row, &before, follower, arena, &past);
    intent->is_untold = gl_mapping_is_untold(resource->row, intent, &before, &after);
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
        intent->count = gl_intent_no_count;
        intent->count.how = "deferred";
    }
    if (intent->change == GL_CHANGE_UNKNOWN)
        gl_reader_add_text(arena, &intent->notes,
                           resource->change == GL_CHANGE_UNKNOWN
                               ? "actions of the change are not understood"
                               : "whether it grows cannot be told yet");
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
    struct gl_intent_place said;
    struct gl_intent *intent;

    intent = gl_reader_add_intent(tf->options, plan, resource->row, &after, &follower);
    name_intent(tf, resource, intent);
    intent->type = resource->parts.type;
    intent->change = resource->change;
    said = intent->place;
    gl_tf_place(tf, resource, intent);
    gl_reader_add_also(&plan->arena, &said, &intent->place);
    add_before(tf, resource, &follower, intent);
    add_notes(tf, resource, intent);
    intent->is_launch = gl_reader_is_launch(intent);
}

/* ---- scalers: what they say of their target counts ---- */

struct scaling {
    struct gl_tf *tf;
    const size_t *intent_of;             /* by number of the resource, +1; 0 = none */
    const struct gl_tf_resource **found; /* room for all, twice */
    const struct gl_intent *scaler;      /* the one that is joined now, and what it says */
    const char *how;
    bool is_open;
    struct gl_reader_index *named; /* "Deployment|default|web" -> resources, when it is asked for */
    size_t named_count;            /* of the resources, those that are in it */
};

static struct gl_intent *intent_of(const struct scaling *scaling,
                                   const struct gl_tf_resource *resource)
{
    size_t number = scaling->intent_of[resource - scaling->tf->resources];

    return number > 0 ? &scaling->tf->plan->intents[number - 1] : NULL;
}

static size_t targets_of(const struct scaling *scaling, const struct gl_tf_resource *scaler,
                         const struct gl_tf_resource **found, bool *out_is_untold)
{
    const struct gl_mapping_row *row = scaler->row;

    *out_is_untold = false;
    return row->target == NULL || row->target_types == NULL
               ? 0
               : gl_tf_targets(scaling->tf, scaler, gl_path_attribute(row->target),
                               row->target_types, found, out_is_untold);
}

static void scale(const struct scaling *scaling, struct gl_intent *target)
{
    gl_reader_scale(scaling->scaler, scaling->how, scaling->is_open, target);
}

static bool is_scaler(const struct gl_tf_resource *resource)
{
    return resource->row != NULL && resource->row->role == GL_ROLE_SCALER;
}

/* One machine stays one, whoever names it. */
static bool is_group(const struct gl_intent *intent)
{
    return intent != NULL && intent->role != GL_ROLE_MACHINE && intent->role != GL_ROLE_SCALER;
}

/* Groups that are made with it: of one that was there before the name would be known. */
static bool is_made(const struct gl_intent *intent)
{
    return intent->change == GL_CHANGE_CREATE || intent->change == GL_CHANGE_REPLACE ||
           intent->change == GL_CHANGE_UNKNOWN;
}

/* Which group is not in the plan: it may be any of its types. */
static bool scale_any(const struct scaling *scaling, const char *const *types)
{
    bool has_group = false;

    for (size_t i = 0; i < scaling->tf->resource_count; i++) {
        const struct gl_tf_resource *one = &scaling->tf->resources[i];
        struct gl_intent *target = intent_of(scaling, one);

        for (size_t type = 0; is_group(target) && types[type] != NULL; type++)
            if (strcmp(one->parts.type, types[type]) == 0 && is_made(target)) {
                scale(scaling, target);
                has_group = true;
            }
    }
    return has_group;
}

/* Every group that `names` leads to, the scaler itself or, at second hand, what it scales through:
 * a schedule names its group by that. `found` has room for what is found. False when there is
 * none. */
static bool scale_targets(const struct scaling *scaling, const struct gl_tf_resource *names,
                          const struct gl_tf_resource **found, bool is_second)
{
    bool is_untold, has_group;
    size_t count = targets_of(scaling, names, found, &is_untold);

    has_group = is_untold && scale_any(scaling, names->row->target_types);
    for (size_t i = 0; i < count; i++) {
        struct gl_intent *target = intent_of(scaling, found[i]);

        if (is_scaler(found[i]) && !is_second) {
            has_group |= scale_targets(scaling, found[i], found + count, true);
        } else if (is_group(target)) {
            scale(scaling, target);
            has_group = true;
        }
    }
    return has_group;
}

/* Every group that has the name that the scaler writes. False when none has. */
static bool scale_named(struct scaling *scaling, const struct gl_tf_resource *scaler)
{
    struct gl_tf *tf = scaling->tf;
    struct gl_attributes from = gl_tf_attributes(scaler, scaler->after->count == 0);
    const char *name = gl_reader_named(scaler->row->target_named, &from, &tf->work);
    size_t cursor = 0, number;
    bool has_group = false;

    if (name == NULL)
        return false;
    for (; scaling->named_count < tf->resource_count; scaling->named_count++) {
        const struct gl_tf_resource *one = &tf->resources[scaling->named_count];
        struct gl_attributes said = gl_tf_attributes(one, one->after->count == 0);
        const char *own =
            one->row != NULL ? gl_reader_named(one->row->named, &said, &tf->work) : NULL;

        if (own != NULL)
            gl_reader_index_add(scaling->named, own, scaling->named_count);
    }
    while (gl_reader_index_next(scaling->named, name, &cursor, &number)) {
        struct gl_intent *target = intent_of(scaling, &tf->resources[number]);

        if (is_group(target)) {
            scale(scaling, target);
            has_group = true;
        }
    }
    return has_group;
}

static void join_scaler(struct scaling *scaling, const struct gl_tf_resource *resource)
{
    struct gl_tf *tf = scaling->tf;
    struct gl_attributes from = gl_tf_attributes(resource, resource->after->count == 0);
    struct gl_follower follower = gl_tf_follower(tf);
    struct gl_intent *intent = intent_of(scaling, resource);

    scaling->scaler = intent;
    scaling->how = gl_reader_scaled_by(&tf->plan->arena, intent);
    scaling->is_open = gl_reader_is_open(resource->row, &from, &follower, &tf->work);
    if (!scale_targets(scaling, resource, scaling->found, false) && !scale_named(scaling, resource))
        gl_reader_add_text(&tf->plan->arena, &intent->notes,
                           "the group it scales is not in the plan: judge a plan that holds both");
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
    size_t *number_of = gl_arena_take(&tf->work, (tf->resource_count + 1) * sizeof *number_of);
    struct gl_reader_index named = {0};
    struct scaling scaling = {
        .tf = tf,
        .named = &named,
        .intent_of = number_of,
        .found = gl_arena_take(&tf->work, (2 * tf->resource_count + 1) * sizeof *scaling.found)};
    size_t first = plan->count, machines = 0;

    for (size_t i = 0; i < tf->resource_count; i++)
        machines += is_machine(&tf->resources[i]);
    gl_reader_expect(plan, machines);
    add_intents(tf, number_of);
    for (size_t i = 0; i < tf->resource_count; i++)
        if (is_machine(&tf->resources[i]) && is_scaler(&tf->resources[i]))
            join_scaler(&scaling, &tf->resources[i]);
    gl_reader_index_done(&named);
    for (size_t i = first; i < plan->count; i++)
        plan->launches += plan->intents[i].is_launch;
}
