/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/schedule/window.h"

void gl_window_prefix(const int64_t *cost, size_t slots, int64_t *out_sum)
{
    int64_t sum = 0;

    for (size_t i = 0; i < slots; i++) {
        out_sum[i] = sum;
        sum += cost[i];
    }
    out_sum[slots] = sum;
}

/* Below 0 when one of the BLOCK windows costs less than `least`: the sign bits of all differences
 * together, which compilers turn into vector instructions, where a 64-bit minimum has none. */
#define BLOCK 32

static int64_t any_less(const int64_t *sum, const int64_t *end, int64_t least)
{
    int64_t signs[4] = {0};

    for (size_t i = 0; i < BLOCK; i += 4) {
        signs[0] |= end[i] - sum[i] - least;
        signs[1] |= end[i + 1] - sum[i + 1] - least;
        signs[2] |= end[i + 2] - sum[i + 2] - least;
        signs[3] |= end[i + 3] - sum[i + 3] - least;
    }
    return signs[0] | signs[1] | signs[2] | signs[3];
}

/* The first of the cheapest windows that cost less than *best, SIZE_MAX when there is none. */
static size_t scan(const int64_t *sum, size_t first, size_t last, size_t length, int64_t *best)
{
    const int64_t *end = sum + length;
    size_t found = SIZE_MAX, i = first;
    int64_t least = *best;

    while (i <= last) {
        const size_t until = last - i >= BLOCK ? i + BLOCK : last + 1;

        if (until - i == BLOCK && any_less(sum + i, end + i, least) >= 0) {
            i = until;
            continue;
        }
        for (; i < until; i++)
            if (end[i] - sum[i] < least) {
                least = end[i] - sum[i];
                found = i;
            }
    }
    *best = least;
    return found;
}

static size_t scan_steps(const int64_t *sum, const struct gl_window_ask *ask, size_t last,
                         int64_t *best)
{
    size_t found = SIZE_MAX;

    for (size_t i = ask->earliest; i <= last; i += ask->step)
        if (sum[i + ask->length] - sum[i] < *best) {
            *best = sum[i + ask->length] - sum[i];
            found = i;
        }
    return found;
}

bool gl_window_best(const int64_t *sum, size_t slots, const struct gl_window_ask *ask,
                    struct gl_window *out)
{
    int64_t best = GL_COST_CLOSED;
    size_t last, found;

    if (ask->length == 0 || ask->length > slots)
        return false;
    last = ask->latest < slots - ask->length ? ask->latest : slots - ask->length;
    if (ask->step > 1)
        found = scan_steps(sum, ask, last, &best);
    else
        found = scan(sum, ask->earliest, last, ask->length, &best);
    if (found == SIZE_MAX)
        return false;
    *out = (struct gl_window){.start = found, .cost = best};
    return true;
}

static size_t each_to_the_end(const int64_t *sum, size_t slots, size_t length,
                              struct gl_window *out)
{
    const size_t count = slots - length + 1;
    struct gl_window best = {.start = count - 1, .cost = sum[slots] - sum[count - 1]};

    for (size_t i = count; i-- > 0;) {
        const int64_t cost = sum[i + length] - sum[i];

        if (cost <= best.cost)
            best = (struct gl_window){.start = i, .cost = cost};
        out[i] = best;
    }
    return count;
}

size_t gl_window_best_each(const int64_t *sum, size_t slots, size_t length, size_t slack,
                           size_t *queue, struct gl_window *out)
{
    size_t head = 0, tail = 0, next = 0, count;

    if (length == 0 || length > slots)
        return 0;
    if (slack >= slots - length)
        return each_to_the_end(sum, slots, length, out);
    count = slots - length + 1;
    for (size_t i = 0; i < count; i++) {
        const size_t last = slack < count - 1 - i ? i + slack : count - 1;

        for (; next <= last; next++) {
            const int64_t cost = sum[next + length] - sum[next];

            while (tail > head && out[queue[tail - 1]].cost > cost)
                tail--;
            /* The price of a start still ahead; overwritten when its turn as an arrival comes. */
            out[next].cost = cost;
            queue[tail++] = next;
        }
        while (queue[head] < i)
            head++;
        out[i].start = queue[head];
        if (queue[head] != i)
            out[i].cost = out[queue[head]].cost;
    }
    return count;
}

bool gl_window_best_of(const int64_t *sum, size_t lines, size_t slots, size_t length,
                       size_t *out_line, struct gl_window *out)
{
    int64_t best = GL_COST_CLOSED;
    bool is_found = false;

    if (length == 0 || length > slots)
        return false;
    for (size_t r = 0; r < lines; r++) {
        const size_t start = scan(sum + r * (slots + 1), 0, slots - length, length, &best);

        if (start == SIZE_MAX)
            continue;
        *out_line = r;
        *out = (struct gl_window){.start = start, .cost = best};
        is_found = true;
    }
    return is_found;
}
