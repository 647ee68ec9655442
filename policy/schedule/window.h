/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_POLICY_SCHEDULE_WINDOW_H
#define GL_POLICY_SCHEDULE_WINDOW_H

/* One contiguous run: the cheapest window of a cost line. With prefix sums a window is one
 * subtraction, so one query is O(T), every arrival of a year together O(n). */

#include "policy/schedule/schedule.h"

struct gl_window {
    size_t start;
    int64_t cost;
};

/* sum[i] = cost of the slots [0, i): slots + 1 entries. slots <= GL_SCHEDULE_SLOTS. */
void gl_window_prefix(const int64_t *cost, size_t slots, int64_t *out_sum);

struct gl_window_ask {
    size_t length;
    size_t earliest, latest; /* start; the deadline is exclusive: latest = deadline - length */
    size_t step;             /* starts are earliest + i * step; 0 = 1 */
};

/* The cheapest window inside `slots`; the earliest of equals. False when none fits or all run
 * through a closed slot; out untouched then. */
bool gl_window_best(const int64_t *sum, size_t slots, const struct gl_window_ask *ask,
                    struct gl_window *out);

/* The same for every arrival i = 0 .. slots - length at once: start in [i, i + slack], in O(slots)
 * by a monotone queue. slack = SIZE_MAX: to the end of the line (suffix minimum). `queue` is room
 * for slots + 1. out has slots - length + 1 entries; out[i].cost >= GL_COST_CLOSED when every
 * window of i is closed. Returns the number of entries, 0 when length is 0 or above slots. */
size_t gl_window_best_each(const int64_t *sum, size_t slots, size_t length, size_t slack,
                           size_t *queue, struct gl_window *out);

/* The best of many lines of equal length, e.g. regions: prefix sums of line r at
 * sum + r * (slots + 1). The first line of equals. */
bool gl_window_best_of(const int64_t *sum, size_t lines, size_t slots, size_t length,
                       size_t *out_line, struct gl_window *out);

#endif
