/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_POLICY_SCHEDULE_THRESHOLD_H
#define GL_POLICY_SCHEDULE_THRESHOLD_H

/* Pausing without any forecast: k-min search with double thresholds (Lechowicz et al., "Online
 * Pause and Resume", POMACS 2023, arXiv 2303.17551). Run in the i-th slot of work when the current
 * intensity is at most level i; levels fall as the work goes on. Needs only bounds of the
 * intensity; best possible for a deterministic rule, but worst-case: a forecast, even yesterday's
 * hours, saves twice as much (docs/planning.md). */

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

struct gl_threshold {
    double lowest, highest; /* L, U: bounds of the intensity, g/kWh; 0 < L < U */
    double switching;       /* cost of one change between on and off, in g/kWh of one slot */
    size_t work;            /* k: slots of work in all */
    double ratio;           /* alpha: the competitive ratio; gl_threshold_init() sets it */
};

/* Errors: BAD_VALUE when the bounds are not 0 < L < U, the work is 0 or switching is outside
 * 0 .. (U - L) / 2. */
int gl_threshold_init(double lowest, double highest, double switching, size_t work,
                      struct gl_threshold *out, struct gl_error *err);

/* Level of work slot i = 1 .. work; lower when it would have to start (was_running false). */
double gl_threshold_level(const struct gl_threshold *threshold, size_t i, bool was_running);

/* Runs now? `done` slots of work are done, slots_left until the deadline, this one included. */
bool gl_threshold_runs(const struct gl_threshold *threshold, size_t done, size_t slots_left,
                       bool was_running, double g_per_kwh);

#endif
