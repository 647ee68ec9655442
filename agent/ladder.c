/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/ladder.h"

#include <string.h>

static bool group_is_served(const struct gl_ladder *ladder, const struct gl_source *source)
{
    for (size_t i = 0; i < ladder->count; i++)
        if (ladder->rungs[i].state != NULL &&
            strcmp(ladder->rungs[i].source->group, source->group) == 0)
            return true;
    return false;
}

void gl_ladder_open(struct gl_ladder *ladder, const struct gl_source_setup *setup,
                    const struct gl_source *const *sources, size_t count,
                    void (*report)(void *cookie, const struct gl_source *source, const void *state,
                                   const struct gl_error *error),
                    void *cookie)
{
    *ladder = (struct gl_ladder){.setup = *setup};
    ladder->setup.amd_is_counted = &ladder->amd_is_counted;
    for (size_t i = 0; i < count && i < GL_LADDER_MAX; i++) {
        struct gl_rung *rung = &ladder->rungs[i];
        struct gl_error err = {0};

        rung->source = sources[i];
        if (!group_is_served(ladder, sources[i]) &&
            sources[i]->open(&ladder->setup, &rung->state, &err) < 0)
            rung->is_spent = true;
        ladder->count = i + 1;
        if (report != NULL && (rung->state != NULL || rung->is_spent))
            report(cookie, sources[i], rung->state, rung->is_spent ? &err : NULL);
    }
}

/* Let another source of the group take over from one that fails on and on. */
static void give_way(struct gl_ladder *ladder, struct gl_rung *failed)
{
    for (size_t i = 0; i < ladder->count; i++) {
        struct gl_rung *rung = &ladder->rungs[i];
        struct gl_error ignored = {0};

        if (rung == failed || rung->is_spent || rung->state != NULL ||
            strcmp(rung->source->group, failed->source->group) != 0)
            continue;
        rung->is_fresh = rung->source->open(&ladder->setup, &rung->state, &ignored) == 0;
        if (!rung->is_fresh) {
            rung->is_spent = true;
            continue;
        }
        failed->source->close(failed->state);
        failed->state = NULL;
        failed->is_spent = true;
        return;
    }
}

/* Two sources of GPU energy see cards of different makers. */
static void add_cards(struct gl_yield *sum, const struct gl_yield *yield)
{
    sum->flags |= yield->flags;
    sum->tier = yield->tier > sum->tier ? yield->tier : sum->tier;
    sum->delta_uj += yield->delta_uj;
    sum->low_uj += yield->low_uj;
    sum->high_uj += yield->high_uj;
}

/* Take the source's words; true if it knew anything. */
static bool merge(struct gl_yield out[GL_KINDS], const struct gl_yield yields[GL_KINDS],
                  uint32_t flags_kept)
{
    bool is_any = false;

    for (size_t kind = 0; kind < GL_KINDS; kind++) {
        is_any = is_any || yields[kind].is_known;
        if (yields[kind].is_known && out[kind].is_known && kind == GL_COMP_GPU)
            add_cards(&out[kind], &yields[kind]);
        else if (yields[kind].is_known && !out[kind].is_known)
            out[kind] = yields[kind];
        else if (!out[kind].is_known)
            out[kind].flags |= yields[kind].flags & flags_kept;
    }
    return is_any;
}

void gl_ladder_sample(struct gl_ladder *ladder, int64_t dt_ns, struct gl_yield out[GL_KINDS])
{
    for (size_t kind = 0; kind < GL_KINDS; kind++)
        out[kind] = (struct gl_yield){0};
    for (size_t i = 0; i < ladder->count; i++) {
        struct gl_rung *rung = &ladder->rungs[i];
        struct gl_yield yields[GL_KINDS] = {{0}};
        uint32_t flags_kept =
            ~(uint32_t)(rung->failures >= GL_LADDER_FAILURES ? GL_FLAG_BOUNDED : 0);

        if (rung->state == NULL || rung->is_fresh) {
            rung->is_fresh = false;
            continue;
        }
        rung->source->sample(rung->state, dt_ns, yields);
        rung->failures = merge(out, yields, flags_kept) ? 0 : rung->failures + 1;
        if (rung->failures == GL_LADDER_FAILURES)
            give_way(ladder, rung);
    }
}

int64_t gl_ladder_longest_ms(const struct gl_ladder *ladder, int64_t most_ms)
{
    for (size_t i = 0; i < ladder->count; i++) {
        const struct gl_rung *rung = &ladder->rungs[i];
        int64_t longest = rung->state != NULL ? rung->source->longest_ms(rung->state) : most_ms;

        if (longest < most_ms)
            most_ms = longest;
    }
    return most_ms;
}

void gl_ladder_close(struct gl_ladder *ladder)
{
    for (size_t i = 0; i < ladder->count; i++)
        if (ladder->rungs[i].state != NULL)
            ladder->rungs[i].source->close(ladder->rungs[i].state);
    ladder->count = 0;
}
