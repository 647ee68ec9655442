/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/bench_gaia_queue.h"

#include "base/error.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Lib/heapq.py: the smaller child moves up to the hole until a leaf, the right one of equals; then
 * the item that was last goes up from there. */
static void settle(const size_t *key, size_t *heap, size_t count)
{
    const size_t last = heap[0];
    size_t at = 0, child = 1;

    while (child < count) {
        if (child + 1 < count && !(key[heap[child]] < key[heap[child + 1]]))
            child++;
        heap[at] = heap[child];
        at = child;
        child = 2 * at + 1;
    }
    while (at > 0 && key[last] < key[heap[(at - 1) / 2]]) {
        heap[at] = heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    heap[at] = last;
}

void gaia_queue_pop_all(const size_t *key, size_t count, size_t *out_from)
{
    size_t *heap = gl_alloc(count * sizeof *heap);
    size_t left = count;

    /* A rising list is a heap as it stands. */
    for (size_t i = 0; i < count; i++)
        heap[i] = i;
    for (size_t i = 0; i < count; i++) {
        out_from[i] = heap[0];
        heap[0] = heap[--left];
        settle(key, heap, left);
    }
    free(heap);
}

static bool has_equals(const size_t *key, size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (key[i] == key[i - 1])
            return true;
    return false;
}

/* Every step permutes equals in the same way, since it sees keys only: the permutation to the power
 * of `steps`, by squaring. */
void gaia_queue_wait(const size_t *key, size_t *item, size_t count, size_t steps)
{
    size_t *power, *moved;

    if (steps == 0 || !has_equals(key, count))
        return;
    power = gl_alloc(count * sizeof *power);
    moved = gl_alloc(count * sizeof *moved);
    gaia_queue_pop_all(key, count, power);
    for (; steps > 0; steps /= 2) {
        if (steps % 2 == 1) {
            for (size_t i = 0; i < count; i++)
                moved[i] = item[power[i]];
            memcpy(item, moved, count * sizeof *item);
        }
        for (size_t i = 0; i < count; i++)
            moved[i] = power[power[i]];
        memcpy(power, moved, count * sizeof *power);
    }
    free(power);
    free(moved);
}
