/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_POLICY_SCHEDULE_PAUSE_H
#define GL_POLICY_SCHEDULE_PAUSE_H

/* A run that may pause: which `work` slots of a cost line to run in. Without a price of pausing
 * the `work` cheapest slots are optimal (quickselect, O(T)); with one, or with a least length of a
 * run, a table over (slot, work done, on/off) is, in O(T * work). */

#include "policy/arena.h"
#include "policy/schedule/schedule.h"

struct gl_pause_rules {
    int64_t start_cost;   /* of every start, the first included, in the unit of the line; >= 0 */
    double start_slots;   /* further energy of a start, as a multiple of a running slot's, at the
                             price of the slot it starts in; >= 0 */
    size_t min_run;       /* slots a run lasts at least, unless it finishes the work; 0 = 1 */
    const int64_t *first; /* NULL, or by slot: what the first start costs more, e.g. bringing the
                             data; closed: it may not be there */
};

/* What a start in a slot of price `cost` costs, without `first`. */
int64_t gl_pause_start(const struct gl_pause_rules *rules, int64_t cost);

/* The `work` cheapest open slots. out_run[i] (slots entries) = runs in slot i. `room` is room for
 * `slots` costs. False when fewer than `work` are open; outputs untouched then. */
bool gl_pause_cheapest(const int64_t *cost, size_t slots, size_t work, int64_t *room, bool *out_run,
                       int64_t *out_cost);

/* The same for parts of time of different sizes, e.g. what is left of this hour and whole hours
 * after it. Sorts `parts` by cost, then time; a part that is used in part is used from its
 * beginning. False when the open parts are smaller than `work` in all. */
struct gl_pause_part {
    int64_t cost; /* of one unit of its size */
    size_t at;    /* order in time */
    size_t size, used;
};
bool gl_pause_cheapest_parts(struct gl_pause_part *parts, size_t count, size_t work);

/* Exact optimum under `rules`. The table takes slots * work bytes of `arena`. *out_cost counts the
 * starts. False when it cannot be done. work <= GL_PAUSE_MAX_WORK. */
#define GL_PAUSE_MAX_WORK ((size_t)1 << 14)
bool gl_pause_plan(const int64_t *cost, size_t slots, size_t work,
                   const struct gl_pause_rules *rules, struct gl_arena *arena, bool *out_run,
                   int64_t *out_cost);

/* Cost of a given schedule: its slots and, by `rules` (may be NULL), its starts. */
int64_t gl_pause_cost(const int64_t *cost, size_t slots, const bool *run,
                      const struct gl_pause_rules *rules);

/* The hourly rule: is slot 0 among the `work` cheapest of what is left until the deadline (ties
 * earlier), or must it run because nothing is to spare (slots <= work)? False when closed. */
bool gl_pause_runs_now(const int64_t *cost, size_t slots, size_t work);

/* The cost of the `work` cheapest slots of [i, i + span) for every i = 0 .. slots - span; `room`
 * is room for span costs. out_cost has slots - span + 1 entries; returns their number. */
size_t gl_pause_cheapest_each(const int64_t *cost, size_t slots, size_t work, size_t span,
                              int64_t *room, int64_t *out_cost);
/* The same of [i, slots) for i = 0 .. slots - work; `room` is room for `work` costs. */
size_t gl_pause_cheapest_rest(const int64_t *cost, size_t slots, size_t work, int64_t *room,
                              int64_t *out_cost);

#endif
