/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_SIM_QUEUE_H
#define GL_BROKER_SIM_QUEUE_H

/* What is going to happen on a virtual clock: the clock jumps from one event to the next. Events of
 * one instant come in the order in which they were put in. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gl_sim_event {
    int64_t at_ms;
    uint32_t kind, index; /* the owner's */
    uint64_t number;      /* in the order they were put in */
};

struct gl_sim_queue {
    size_t count, capacity;
    uint64_t number;
    struct gl_sim_event *events; /* a heap, the next one first */
};

void gl_sim_queue_put(struct gl_sim_queue *queue, int64_t at_ms, uint32_t kind, uint32_t index);
/* False when nothing is going to happen any more. */
bool gl_sim_queue_take(struct gl_sim_queue *queue, struct gl_sim_event *out);
void gl_sim_queue_done(struct gl_sim_queue *queue);

#endif
