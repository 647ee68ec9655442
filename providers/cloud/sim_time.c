/* SPDX-License-Identifier: Apache-2.0 */
/* What becomes of simulated instances as time goes by. Nothing happens by itself: whoever asks
 * brings the instance to the present first. */
#include "providers/cloud/sim_part.h"

#include <string.h>

bool gl_sim_is_alive(const struct gl_sim_instance *instance)
{
    return instance->state != GL_STATE_ENDED && instance->state != GL_STATE_LOST;
}

bool gl_sim_note(struct gl_sim_instance *instance, int64_t now_ms, uint32_t place, bool is_running)
{
    if (instance->span_count == GL_SIM_SPANS_MAX)
        return false;
    instance->spans[instance->span_count++] = (struct gl_sim_span){now_ms, place, is_running};
    instance->place = place;
    return true;
}

void gl_sim_end(struct gl_sim_instance *instance, enum gl_instance_state state, int64_t at_ms,
                bool is_in_order)
{
    instance->state = state;
    instance->ended_ms = at_ms;
    instance->was_in_order = is_in_order;
}

const struct gl_sim_known_fault *gl_sim_fault_now(const struct gl_sim *sim,
                                                  enum gl_sim_fault_kind kind, uint32_t place,
                                                  int64_t now_ms)
{
    for (uint32_t i = 0; i < sim->fault_count; i++) {
        const struct gl_sim_known_fault *fault = &sim->faults[i];

        if (fault->kind == kind && fault->place == place && fault->from_ms <= now_ms &&
            now_ms < fault->until_ms)
            return fault;
    }
    return NULL;
}

/* Since when it is where it is. */
static int64_t there_since(const struct gl_sim_instance *instance)
{
    int64_t since_ms = instance->started_ms;

    for (uint32_t i = instance->span_count;
         i > 0 && instance->spans[i - 1].place == instance->place; i--)
        since_ms = instance->spans[i - 1].from_ms;
    return since_ms;
}

/* Has this fault struck an instance that is in its place since then? Only what begins later or goes
 * on now concerns it. */
static bool concerns(const struct gl_sim_known_fault *fault, const struct gl_sim_instance *instance)
{
    return fault->place == instance->place && fault->until_ms > there_since(instance);
}

int64_t gl_sim_expires(const struct gl_sim *sim, const struct gl_sim_instance *instance,
                       int64_t now_ms)
{
    int64_t expires_ms = instance->expires_ms;

    for (uint32_t i = 0; i < sim->fault_count; i++) {
        const struct gl_sim_known_fault *fault = &sim->faults[i];

        if (fault->kind == GL_SIM_SPOT && fault->from_ms <= now_ms && concerns(fault, instance) &&
            (expires_ms == 0 || fault->until_ms < expires_ms))
            expires_ms = fault->until_ms;
    }
    return expires_ms;
}

/* When its place went down with it; INT64_MAX = it did not. */
static int64_t gone_ms(const struct gl_sim *sim, const struct gl_sim_instance *instance)
{
    int64_t gone_ms = INT64_MAX;

    for (uint32_t i = 0; i < sim->fault_count; i++) {
        const struct gl_sim_known_fault *fault = &sim->faults[i];

        if (fault->kind == GL_SIM_GONE && concerns(fault, instance) && fault->from_ms < gone_ms)
            gone_ms = fault->from_ms;
    }
    return gone_ms;
}

/* A suspended instance outlives its lease: it costs nothing, and stop() ends it in order. */
void gl_sim_settle(struct gl_sim *sim, struct gl_sim_instance *instance, int64_t now_ms)
{
    int64_t expires_ms, lost_ms;

    if (!gl_sim_is_alive(instance))
        return;
    expires_ms = gl_sim_expires(sim, instance, now_ms);
    lost_ms = gone_ms(sim, instance);
    if (instance->state == GL_STATE_SUSPENDED || expires_ms == 0)
        expires_ms = INT64_MAX;
    if (instance->thaw_ms > 0 && instance->thaw_ms <= now_ms &&
        instance->thaw_ms < (expires_ms < lost_ms ? expires_ms : lost_ms)) {
        /* move() has kept room for it */
        gl_sim_note(instance, instance->thaw_ms, instance->place, true);
        instance->thaw_ms = 0;
    }
    if (lost_ms <= now_ms && lost_ms <= expires_ms)
        gl_sim_end(instance, GL_STATE_LOST, lost_ms, false);
    else if (expires_ms <= now_ms)
        gl_sim_end(instance, GL_STATE_ENDED, expires_ms, true);
}

struct gl_instance_span *gl_sim_spans(const struct gl_sim *sim,
                                      const struct gl_sim_instance *instance, size_t *out_count)
{
    struct gl_instance_span *spans = gl_alloc(instance->span_count * sizeof *spans);

    for (uint32_t i = 0; i < instance->span_count; i++) {
        const struct gl_sim_span *span = &instance->spans[i];

        spans[i] = (struct gl_instance_span){
            span->from_ms, i + 1 < instance->span_count ? span[1].from_ms : INT64_MAX,
            span->is_running, ""};
        memcpy(spans[i].region, sim->places[span->place].name, sizeof spans[i].region);
    }
    *out_count = instance->span_count;
    return spans;
}
