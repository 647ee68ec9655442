/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_POLICY_SCHEDULE_GREEN_H
#define GL_POLICY_SCHEDULE_GREEN_H

/* "Find a start within the deadline such that the whole run is green with probability p": counts,
 * for every start, the paths on which every hour of the run keeps every limit; several signals
 * are judged on the same path, so what goes together in the grid goes together here.
 * O(signals * paths * hours). An hour without a figure is not green. Equality keeps a limit. */

#include "policy/arena.h"
#include "policy/guarantee/ensemble.h"

#include <stdbool.h>
#include <stdint.h>

struct gl_green_limit {
    const struct gl_ensemble *signal; /* the same start, hours and paths in all limits */
    double limit;                     /* in the unit of the signal */
    bool is_floor;                    /* value >= limit, else value <= limit */
};

struct gl_green_ask {
    const struct gl_green_limit *limits;
    size_t count; /* at least 1 */
    size_t run_hours;
    size_t latest_start; /* hours from the ensemble's first; beyond the last that fits: that one */
    double level; /* share of promises that may break, e.g. 1 - p; as the guarantee's level */
};

struct gl_green_start {
    bool is_found; /* the earliest start that may be promised: fewer than
                      floor(level * (paths + 1)) paths break (docs/method.md section 9) */
    size_t start;  /* when not found: the start with the fewest broken paths */
    size_t kept, paths;
    size_t longest; /* hours from `start` that may be promised; >= run_hours when found */
};

/* False when no start is inside the ensembles or they do not match; out untouched then.
 * out_kept: NULL or `hours` counts, the paths kept from each start (0 where it does not fit). */
bool gl_green_find(const struct gl_green_ask *ask, struct gl_arena *arena, size_t *out_kept,
                   struct gl_green_start *out);

/* The same counts of every length at once: paths kept from `start` on for `run` hours, at
 * [start * (hours + 1) + run]; in the arena. NULL when the limits do not match. */
const uint16_t *gl_green_lengths(const struct gl_green_limit *limits, size_t count,
                                 struct gl_arena *arena);

/* The tightest limit a run of run_hours from each start keeps with the same rule, by a sliding
 * extremum a path: what could be promised instead. out_limit has hours - run_hours + 1 entries;
 * entries without an answer (a hole, too few paths) have out_has false. Returns their number. */
size_t gl_green_tightest(const struct gl_green_limit *limit, size_t run_hours, double level,
                         struct gl_arena *arena, double *out_limit, bool *out_has);

#endif
