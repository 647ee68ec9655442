/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/chain.h"

#include <stdio.h>
#include <string.h>

#define JUMP_MS 1000

static void add_yield(struct gl_yield *sum, bool *has, const struct gl_yield *yield)
{
    uint32_t flags = sum->flags | yield->flags;

    if (!*has)
        *sum = *yield;
    else {
        /* of two tiers and sources the less certain one names the whole */
        if (yield->tier >= sum->tier) {
            sum->tier = yield->tier;
            sum->source = yield->source;
        }
        sum->delta_uj += yield->delta_uj;
        sum->low_uj += yield->low_uj;
        sum->high_uj += yield->high_uj;
    }
    sum->flags = flags;
    *has = true;
}

void gl_gather_add(struct gl_gather *gather, const struct gl_yield yields[GL_KINDS],
                   const struct gl_load *load, int64_t dt_ns)
{
    for (size_t i = 0; i < GL_KINDS; i++)
        if (yields[i].is_known)
            add_yield(&gather->sum[i], &gather->has_kind[i], &yields[i]);
    gather->busy_ns += load->busy_share * (double)dt_ns;
    gather->steal_ns += load->steal_ppm * 1e-6 * (double)dt_ns;
    gather->dt_ns += dt_ns;
}

void gl_gather_clear(struct gl_gather *gather)
{
    *gather = (struct gl_gather){0};
}

static uint32_t ppm(double part, int64_t whole)
{
    double share = whole > 0 ? part / (double)whole : 0;

    return share >= 1 ? 1000000 : share > 0 ? (uint32_t)(share * 1e6) : 0;
}

/* A kind that fell silent stays with no new energy, so that the last record's totals are all. */
static struct gl_component component_of(const struct gl_chain_head *head,
                                        const struct gl_gather *gather, size_t kind)
{
    const struct gl_yield *sum = &gather->sum[kind];
    struct gl_component component = {
        .kind = (enum gl_component_kind)kind,
        .tier = GL_TIER_E3,
        .total_mj = head->total_uj[kind] / 1000,
    };

    snprintf(component.source, sizeof component.source, "none");
    if (!gather->has_kind[kind])
        return component;
    component.tier = sum->tier;
    component.flags = sum->flags;
    component.delta_uj = sum->delta_uj;
    component.low_uj = sum->low_uj < sum->delta_uj ? sum->low_uj : sum->delta_uj;
    component.high_uj = sum->high_uj > sum->delta_uj ? sum->high_uj : sum->delta_uj;
    component.total_mj = (head->total_uj[kind] + sum->delta_uj) / 1000;
    snprintf(component.source, sizeof component.source, "%s", sum->source);
    return component;
}

/* A machine that stood still goes on with its boot clock where it was, and with a wall clock that
 * its host sets ahead: the record that spans it says so. */
static uint32_t jump_flag(const struct gl_chain_head *head, const char *boot, struct gl_moment now)
{
    int64_t boot_ms = (now.boottime_ns - head->boottime_ns) / 1000000;
    int64_t jump_ms = now.wall_ms - head->wall_ms - boot_ms;

    if (head->seq == 0 || strcmp(head->boot, boot) != 0)
        return 0;
    return jump_ms > JUMP_MS || jump_ms < -JUMP_MS ? GL_FLAG_JUMPED : 0;
}

void gl_chain_next(const struct gl_chain_head *head, const struct gl_gather *gather,
                   const struct gl_chain_names *names, struct gl_moment now, struct gl_reading *out)
{
    *out = (struct gl_reading){
        .seq = head->seq + 1,
        .previous = head->hash,
        .gap_ms = gather->gap_ms,
        .boottime_ns = now.boottime_ns,
        .wall_ms = now.wall_ms,
        .busy_ppm = ppm(gather->busy_ns, gather->dt_ns),
        .steal_ppm = ppm(gather->steal_ns, gather->dt_ns),
    };
    memcpy(out->agent, names->agent, sizeof out->agent);
    memcpy(out->boot, names->boot, sizeof out->boot);
    memcpy(out->launch, names->launch, sizeof out->launch);
    memcpy(out->model, names->model, sizeof out->model);
    for (size_t kind = 0; kind < GL_KINDS; kind++)
        if (gather->has_kind[kind] || head->has_kind[kind])
            out->components[out->component_count++] = component_of(head, gather, kind);
    for (size_t i = 0; i < out->component_count; i++)
        out->components[i].flags |= jump_flag(head, names->boot, now);
}

void gl_chain_advance(struct gl_chain_head *head, const struct gl_reading *reading,
                      const struct gl_hash *hash)
{
    head->seq = reading->seq;
    head->hash = *hash;
    memcpy(head->boot, reading->boot, sizeof head->boot);
    head->boottime_ns = reading->boottime_ns;
    head->wall_ms = reading->wall_ms;
    for (size_t i = 0; i < reading->component_count; i++) {
        const struct gl_component *component = &reading->components[i];

        head->has_kind[component->kind] = true;
        head->total_uj[component->kind] += component->delta_uj;
    }
}

int64_t gl_chain_gap_ms(const struct gl_chain_head *head, const char *boot, struct gl_moment now)
{
    int64_t gap_ms;

    if (head->seq == 0)
        return 0;
    if (strcmp(head->boot, boot) == 0 && now.boottime_ns >= head->boottime_ns)
        return (now.boottime_ns - head->boottime_ns) / 1000000;
    /* Another boot: only the wall clock spans it, and it may have been set back. */
    gap_ms = now.wall_ms - head->wall_ms;
    return gap_ms > 0 ? gap_ms : 0;
}
