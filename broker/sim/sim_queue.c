/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/sim/sim_queue.h"

#include <stdlib.h>

#include "base/error.h"

static bool is_before(const struct gl_sim_event *a, const struct gl_sim_event *b)
{
    return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->number < b->number;
}

static void swap(struct gl_sim_event *a, struct gl_sim_event *b)
{
    struct gl_sim_event kept = *a;

    *a = *b;
    *b = kept;
}

void gl_sim_queue_put(struct gl_sim_queue *queue, int64_t at_ms, uint32_t kind, uint32_t index)
{
    size_t i = queue->count;

    if (queue->count == queue->capacity) {
        queue->capacity = queue->capacity > 0 ? 2 * queue->capacity : 64;
        queue->events = gl_realloc(queue->events, queue->capacity * sizeof *queue->events);
    }
    queue->events[queue->count++] = (struct gl_sim_event){at_ms, kind, index, queue->number++};
    for (; i > 0 && is_before(&queue->events[i], &queue->events[(i - 1) / 2]); i = (i - 1) / 2)
        swap(&queue->events[i], &queue->events[(i - 1) / 2]);
}

bool gl_sim_queue_take(struct gl_sim_queue *queue, struct gl_sim_event *out)
{
    struct gl_sim_event *events = queue->events;
    size_t i = 0;

    if (queue->count == 0)
        return false;
    *out = events[0];
    events[0] = events[--queue->count];
    for (;;) {
        size_t child = 2 * i + 1;

        if (child + 1 < queue->count && is_before(&events[child + 1], &events[child]))
            child++;
        if (child >= queue->count || !is_before(&events[child], &events[i]))
            return true;
        swap(&events[i], &events[child]);
        i = child;
    }
}

void gl_sim_queue_done(struct gl_sim_queue *queue)
{
    free(queue->events);
    *queue = (struct gl_sim_queue){0};
}
