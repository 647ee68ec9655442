/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_POLICY_SCHEDULE_SCHEDULE_H
#define GL_POLICY_SCHEDULE_SCHEDULE_H

/* What every planning form shares: the cost line. A line holds the price of running in each slot
 * of time, in thousandths of a gram per kWh of the job's own energy, as integers, so that sums are
 * exact and do not depend on the order of adding. The forms (window.h, pause.h, region.h) solve a
 * line exactly; plan.h makes lines of ensembles and judges what they chose on every path.
 * A slot nobody knows the intensity of is closed: no plan runs in it. Ties go to the earlier slot.
 * Pure: memory comes from the caller or an arena. Formulas: docs/planning.md. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GL_COST_PER_G     1000
#define GL_COST_CLOSED    ((int64_t)1 << 42) /* a sum this large runs through a closed slot */
#define GL_SCHEDULE_SLOTS ((size_t)1 << 20)  /* most slots of one line */
#define GL_COST_MAX_G     4000               /* beyond this either way a figure is not believed */

/* The cost of a slot at this intensity, rounded to the nearest thousandth of a gram; CLOSED when
 * the figure is not finite or not believed. */
int64_t gl_cost_of(double g_per_kwh);
bool gl_cost_is_believed(double g_per_kwh); /* else CLOSED */
/* Grams for `kwh` in every slot of a line that costs `cost` in sum. */
double gl_cost_grams(int64_t cost, double kwh);
static inline bool gl_cost_is_open(int64_t cost)
{
    return cost < GL_COST_CLOSED;
}

/* A value that a further draw from the same source passes with probability at most 1 - share: the
 * ceil(share * (count + 1))-th smallest of `values`, the largest when there are too few (then only
 * count / (count + 1) is backed). Exchangeable draws: Vovk et al. 2005; docs/planning.md. Reorders
 * `values`; count at least 1. */
double gl_quantile_upper(double *values, size_t count, double share);
/* gl_quantile_upper(values, count, share) < bound, with less work and nothing reordered. */
bool gl_quantile_upper_is_below(const double *values, size_t count, double share, double bound);
/* The mirror image: at least `share` of further draws are not below it. */
double gl_quantile_lower(double *values, size_t count, double share);

#endif
