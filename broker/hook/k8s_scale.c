/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/hook/k8s_part.h"

#include <stdlib.h>
#include <string.h>

/* Autoscalers and what they scale, Rollouts and the workload whose pods they run: in one input or
 * in several that are judged together. */

struct one {
    struct gl_hook_plan *plan;
    struct gl_k8s_known known;
    bool is_alone; /* what it is about was not in its own input */
};

struct gl_k8s_together {
    struct gl_arena arena;
    struct one *ones;
    size_t count;
    struct gl_reader_index by_name; /* "namespace|kind|name" -> one */
};

int64_t gl_k8s_pods(int64_t count, int64_t each, int64_t beside)
{
    int64_t pods;

    return count != GL_UNKNOWN && each != GL_UNKNOWN && beside != GL_UNKNOWN &&
                   !__builtin_mul_overflow(count, each, &pods) && pods + beside <= GL_HOOK_COUNT_MAX
               ? pods + beside
               : GL_UNKNOWN;
}

static struct gl_intent *intent_of(const struct gl_hook_plan *plan,
                                   const struct gl_k8s_known *known)
{
    return known->intent > 0 ? &plan->intents[known->intent - 1] : NULL;
}

/* ---- one of them ---- */

static void scale_one(const struct gl_intent *scaler, const char *how,
                      const struct gl_k8s_known *known, struct gl_intent *target)
{
    struct gl_intent pods = *scaler;

    pods.count.min = gl_k8s_pods(pods.count.min, known->each, known->beside);
    pods.count.max = gl_k8s_pods(pods.count.max, known->each, known->beside);
    pods.count.max = gl_k8s_pods(pods.count.max, known->peak, 0);
    gl_reader_scale(&pods, how, pods.count.max == GL_UNKNOWN, target);
}

/* It may take the place of that workload, which is scaled down as its own pods become ready: until
 * then both run. Source: Argo Rollouts, "Migrating": workloadRef, scaleDown. */
static void take_pods(const struct gl_k8s_known *known, struct gl_intent *intent,
                      struct gl_intent *other, struct gl_arena *arena)
{
    intent->machine = other->machine;
    intent->interruptible = other->interruptible;
    if (intent->place.surety != GL_SURE_ASSERTED) {
        intent->place = other->place;
        intent->cloud = other->cloud;
    }
    if (known->is_moved) {
        other->count.min = other->count.desired = 0;
        other->count.how = gl_reader_say(arena, "until %s takes its place", intent->address);
    }
}

/* What it is about; an object that says no namespace may get that of any other. "" = nothing. */
static const char *key_of(struct gl_arena *arena, const struct gl_reader_index *index,
                          const struct gl_k8s_known *known)
{
    bool is_scaler = known->kind->what == GL_K8S_SCALER;
    const char *kind = is_scaler ? known->target_kind : known->like_kind;
    const char *name = is_scaler ? known->target_name : known->like_name;
    const char *namespaces[] = {known->namespace, *known->namespace == '\0' ? "default" : ""};
    size_t number;

    for (size_t i = 0; kind != NULL && name != NULL && i < 2; i++) {
        const char *key = gl_reader_say(arena, "%s|%s|%s", namespaces[i], kind, name);

        if (gl_reader_index_last(index, key, &number))
            return key;
    }
    return "";
}

/* ---- in one input ---- */

static const char *kept(struct gl_arena *arena, const char *text)
{
    return text != NULL ? gl_arena_text(arena, text, strlen(text)) : NULL;
}

void gl_k8s_leave(struct gl_k8s *k8s, const struct gl_k8s_known *known, bool is_alone)
{
    struct gl_k8s_together *together = k8s->options->together;
    struct one *one;

    if (together == NULL)
        return;
    together->ones =
        gl_arena_grow(&together->arena, together->ones, together->count, sizeof *together->ones);
    one = &together->ones[together->count];
    *one = (struct one){.plan = k8s->plan, .known = *known, .is_alone = is_alone};
    one->known.namespace = kept(&together->arena, known->namespace);
    one->known.target_kind = kept(&together->arena, known->target_kind);
    one->known.target_name = kept(&together->arena, known->target_name);
    one->known.like_kind = kept(&together->arena, known->like_kind);
    one->known.like_name = kept(&together->arena, known->like_name);
    gl_reader_index_add(&together->by_name,
                        gl_reader_say(&together->arena, "%s|%s|%s", known->namespace,
                                      known->object_kind, known->name),
                        together->count++);
}

/* Said once of an input. */
static void tell_alone(struct gl_hook_plan *plan, struct gl_intent *scaler)
{
    static const char said[] = "what it scales is not here, so what it may grow to is not judged: "
                               "give both in one call";

    gl_reader_add_text(&plan->arena, &scaler->notes, said);
    for (const char *const *note = plan->notes; note != NULL && *note != NULL; note++)
        if (strstr(*note, said) != NULL)
            return;
    gl_reader_add_text(&plan->arena, &plan->notes,
                       gl_reader_say(&plan->arena, "%s: %s", scaler->address, said));
}

void gl_k8s_scale(struct gl_k8s *k8s, const struct gl_k8s_known *scaler)
{
    struct gl_intent *intent = intent_of(k8s->plan, scaler);
    const char *key = key_of(&k8s->work, &k8s->by_name, scaler);
    const char *how = gl_reader_scaled_by(&k8s->plan->arena, intent);
    size_t cursor = 0, number;
    bool is_here = false;

    while (gl_reader_index_next(&k8s->by_name, key, &cursor, &number)) {
        struct gl_intent *target = intent_of(k8s->plan, &k8s->known[number]);

        if (target == NULL)
            continue;
        scale_one(intent, how, &k8s->known[number], target);
        is_here = true;
    }
    if (!is_here && k8s->options->together == NULL)
        tell_alone(k8s->plan, intent);
    else
        gl_k8s_leave(k8s, scaler, !is_here);
}

void gl_k8s_join_pods(struct gl_k8s *k8s, const struct gl_k8s_known *known)
{
    struct gl_arena *arena = &k8s->plan->arena;
    struct gl_intent *intent = intent_of(k8s->plan, known), *other = NULL;
    const char *key = key_of(&k8s->work, &k8s->by_name, known);
    size_t cursor = 0, number;

    while (other == NULL && gl_reader_index_next(&k8s->by_name, key, &cursor, &number))
        other = intent_of(k8s->plan, &k8s->known[number]);
    if (other != NULL)
        take_pods(known, intent, other, arena);
    else if (intent->place.region == NULL)
        intent->place.how = gl_reader_say(arena, "%s/%s, whose pods it runs, is not here",
                                          known->like_kind, known->like_name);
    if (other == NULL)
        gl_k8s_leave(k8s, known, true);
}

/* ---- in several ---- */

struct gl_k8s_together *gl_k8s_together_new(void)
{
    struct gl_k8s_together *together = gl_alloc(sizeof *together);

    *together = (struct gl_k8s_together){.count = 0};
    return together;
}

void gl_k8s_together_free(struct gl_k8s_together *together)
{
    if (together == NULL)
        return;
    gl_reader_index_done(&together->by_name);
    gl_arena_done(&together->arena);
    free(together);
}

/* A scaler widens the bounds of all that it may mean; whose pods a Rollout runs has to be clear. */
static void join(struct gl_k8s_together *together, const struct one *one)
{
    struct gl_arena *arena = &one->plan->arena;
    struct gl_intent *intent = intent_of(one->plan, &one->known), *other = NULL;
    const char *key = key_of(&together->arena, &together->by_name, &one->known);
    bool is_scaler = one->known.kind->what == GL_K8S_SCALER;
    size_t cursor = 0, number, count = 0;

    while (gl_reader_index_next(&together->by_name, key, &cursor, &number)) {
        const struct one *found = &together->ones[number];

        if (found == one || intent_of(found->plan, &found->known) == NULL)
            continue;
        other = intent_of(found->plan, &found->known);
        count++;
        if (is_scaler)
            scale_one(intent, gl_reader_scaled_by(&found->plan->arena, intent), &found->known,
                      other);
    }
    if (is_scaler && count == 0)
        tell_alone(one->plan, intent);
    if (!is_scaler && count == 1)
        take_pods(&one->known, intent, other, arena);
    else if (!is_scaler && count > 1 && intent->place.region == NULL)
        intent->place.how = gl_reader_say(arena, "several %s/%s, whose pods it may run, are here",
                                          one->known.like_kind, one->known.like_name);
}

void gl_k8s_together_finish(struct gl_k8s_together *together)
{
    for (size_t i = 0; i < together->count; i++)
        if (together->ones[i].is_alone)
            join(together, &together->ones[i]);
    for (size_t i = 0; i < together->count; i++)
        together->ones[i].plan->launches = 0;
    for (size_t i = 0; i < together->count; i++) {
        struct gl_hook_plan *plan = together->ones[i].plan;

        for (size_t k = 0; k < plan->count && (i == 0 || together->ones[i - 1].plan != plan); k++)
            plan->launches += plan->intents[k].is_launch;
    }
}
