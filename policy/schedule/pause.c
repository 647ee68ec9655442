/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/schedule/pause.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "policy/schedule/select.h"

int64_t gl_pause_start(const struct gl_pause_rules *rules, int64_t cost)
{
    if (rules == NULL)
        return 0;
    if (rules->start_slots <= 0 || !gl_cost_is_open(cost))
        return rules->start_cost;
    return rules->start_cost + llround(rules->start_slots * (double)cost);
}

GL_DEFINE_SELECT(select_rank, int64_t);

bool gl_pause_cheapest(const int64_t *cost, size_t slots, size_t work, int64_t *room, bool *out_run,
                       int64_t *out_cost)
{
    size_t equal = work;
    int64_t level, sum = 0;

    if (work == 0 || work > slots)
        return false;
    memcpy(room, cost, slots * sizeof *room);
    level = select_rank(room, slots, work - 1);
    if (!gl_cost_is_open(level))
        return false;
    for (size_t i = 0; i < slots; i++)
        equal -= cost[i] < level;
    for (size_t i = 0; i < slots; i++) {
        out_run[i] = cost[i] < level || (cost[i] == level && equal > 0);
        if (cost[i] == level && equal > 0)
            equal--;
        sum += out_run[i] ? cost[i] : 0;
    }
    *out_cost = sum;
    return true;
}

static int by_cost(const void *left, const void *right)
{
    const struct gl_pause_part *a = left, *b = right;

    if (a->cost != b->cost)
        return a->cost < b->cost ? -1 : 1;
    return a->at < b->at ? -1 : a->at > b->at;
}

bool gl_pause_cheapest_parts(struct gl_pause_part *parts, size_t count, size_t work)
{
    qsort(parts, count, sizeof *parts, by_cost);
    for (size_t i = 0; i < count; i++) {
        parts[i].used = 0;
        if (!gl_cost_is_open(parts[i].cost))
            continue;
        parts[i].used = parts[i].size < work ? parts[i].size : work;
        work -= parts[i].used;
    }
    return work == 0;
}

int64_t gl_pause_cost(const int64_t *cost, size_t slots, const bool *run,
                      const struct gl_pause_rules *rules)
{
    int64_t sum = 0;
    bool has_begun = false;

    for (size_t i = 0; i < slots; i++) {
        if (!run[i])
            continue;
        if (i == 0 || !run[i - 1])
            sum += gl_pause_start(rules, cost[i]);
        if (!has_begun && rules != NULL && rules->first != NULL)
            sum += rules->first[i];
        has_begun = true;
        sum += cost[i];
    }
    return sum;
}

bool gl_pause_runs_now(const int64_t *cost, size_t slots, size_t work)
{
    size_t cheaper = 0;

    if (work == 0 || slots == 0 || !gl_cost_is_open(cost[0]))
        return false;
    if (slots <= work)
        return true;
    for (size_t i = 1; i < slots; i++)
        cheaper += cost[i] < cost[0];
    return cheaper < work;
}

/* ---- every arrival: a sorted window with the sum of its `work` smallest ---- */

struct sorted {
    int64_t *values;
    size_t count, work;
    int64_t sum; /* of the first `work` */
};

/* First index whose value is at least `value`. */
static size_t place_of(const struct sorted *sorted, int64_t value)
{
    size_t low = 0, high = sorted->count;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;

        if (sorted->values[middle] < value)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void sorted_remove(struct sorted *sorted, int64_t value)
{
    const size_t place = place_of(sorted, value);
    int64_t *values = sorted->values;

    if (place < sorted->work) {
        sorted->sum -= value;
        if (sorted->work < sorted->count)
            sorted->sum += values[sorted->work];
    }
    memmove(values + place, values + place + 1, (sorted->count - place - 1) * sizeof *values);
    sorted->count--;
}

static void sorted_add(struct sorted *sorted, int64_t value)
{
    const size_t place = place_of(sorted, value);
    int64_t *values = sorted->values;

    if (place < sorted->work) {
        sorted->sum += value;
        if (sorted->count >= sorted->work)
            sorted->sum -= values[sorted->work - 1];
    }
    memmove(values + place + 1, values + place, (sorted->count - place) * sizeof *values);
    values[place] = value;
    sorted->count++;
}

size_t gl_pause_cheapest_each(const int64_t *cost, size_t slots, size_t work, size_t span,
                              int64_t *room, int64_t *out_cost)
{
    struct sorted sorted = {.values = room, .work = work};

    if (work == 0 || work > span || span > slots)
        return 0;
    for (size_t i = 0; i < span; i++)
        sorted_add(&sorted, cost[i]);
    out_cost[0] = sorted.sum;
    for (size_t i = span; i < slots; i++) {
        sorted_remove(&sorted, cost[i - span]);
        sorted_add(&sorted, cost[i]);
        out_cost[i - span + 1] = sorted.sum;
    }
    return slots - span + 1;
}

/* Down a heap with the largest on top. */
static void sift(int64_t *heap, size_t count, size_t from)
{
    for (;;) {
        size_t child = 2 * from + 1;

        if (child >= count)
            return;
        if (child + 1 < count && heap[child + 1] > heap[child])
            child++;
        if (heap[child] <= heap[from])
            return;
        select_rank_swap(&heap[child], &heap[from]);
        from = child;
    }
}

size_t gl_pause_cheapest_rest(const int64_t *cost, size_t slots, size_t work, int64_t *room,
                              int64_t *out_cost)
{
    const size_t last = slots - work;
    int64_t sum = 0;

    if (work == 0 || work > slots)
        return 0;
    for (size_t i = 0; i < work; i++) {
        room[i] = cost[last + i];
        sum += room[i];
    }
    for (size_t i = work / 2; i-- > 0;)
        sift(room, work, i);
    out_cost[last] = sum;
    for (size_t i = last; i-- > 0;) {
        if (cost[i] < room[0]) {
            sum += cost[i] - room[0];
            room[0] = cost[i];
            sift(room, work, 0);
        }
        out_cost[i] = sum;
    }
    return last + 1;
}
