/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_POLICY_SCHEDULE_REGION_H
#define GL_POLICY_SCHEDULE_REGION_H

/* Where to run, slot by slot: launch in the best region, move while running, or pause and move.
 * Leaving region r for r' in slot t costs leave(r, t) + enter(r', t); because the two parts are
 * separate (both at least 0), the best source of a move is one minimum a slot, and the tables are
 * O(T * R) for a run without pauses and O(T * R * work) with pauses, not O(R^2). A copy is
 * made while the instance runs on, or in whole slots in which it does not; its energy and the idle
 * ends are in leave and enter. */

#include "policy/arena.h"
#include "policy/schedule/pause.h"
#include "policy/schedule/schedule.h"

#define GL_REGION_NONE  (-1) /* does not run in this slot */
#define GL_REGION_COUNT 4096 /* most regions */
#define GL_REGION_TABLE ((size_t)1 << 28)

/* The copy of what a job carries, docs/planning.md: half of the energy at each end's intensity,
 * and both ends idle while it lasts. */
struct gl_region_copy {
    double data_gb;
    double kwh_per_gb;        /* GL_COPY_KWH_BEST .. GL_COPY_KWH_WORST */
    double gbit_per_s;        /* > 0 */
    double idle_kwh_per_hour; /* of one idle instance */
};
#define GL_COPY_KWH_BEST  0.001
#define GL_COPY_KWH_WORST 0.005

/* Energy at each of the two ends, kWh: half the transfer and the idle time of that end. */
double gl_region_copy_kwh(const struct gl_region_copy *copy);
/* Hours the copy takes. */
double gl_region_copy_hours(const struct gl_region_copy *copy);

struct gl_region_lines {
    size_t regions, slots;
    const int64_t *cost;  /* cost[r * slots + t] */
    const int64_t *leave; /* like cost: of moving out of r at the beginning of t; NULL = 0;
                             closed: no move then */
    const int64_t *enter; /* of moving into r */
    int home;             /* where the data is: the first start elsewhere is a move.
                             GL_REGION_NONE: it may start anywhere for nothing */
    size_t copy_slots;    /* whole slots that a move takes and in which nothing runs; 0: it runs on
                             while its data is copied and moves between two slots. Leave and enter
                             count in the first of them */
    size_t latest_start;  /* last slot in which the first run may start; SIZE_MAX: any */
};

/* From slot `start` for `work` slots without a pause, moving when that pays: O(work * R). False
 * when a move takes slots. */
bool gl_region_run(const struct gl_region_lines *lines, size_t start, size_t work,
                   struct gl_arena *arena, int *out_where, int64_t *out_cost);

/* Exact optimum with pauses and moves: O(T * R * work) time, about a byte of `arena` for each
 * (T, R, work), at most GL_REGION_TABLE; false beyond. While paused the data stays where it was; it
 * may be resumed elsewhere for the price of a move and of a start. `rules` charges each start (to
 * move between two slots while running is none); its min_run and first are not used here. */
bool gl_region_pause(const struct gl_region_lines *lines, size_t work,
                     const struct gl_pause_rules *rules, struct gl_arena *arena, int *out_where,
                     int64_t *out_cost);

/* Cost of a given schedule. */
int64_t gl_region_cost(const struct gl_region_lines *lines, const struct gl_pause_rules *rules,
                       const int *where);

#endif
