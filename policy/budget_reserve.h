/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_POLICY_BUDGET_RESERVE_H
#define GL_POLICY_BUDGET_RESERVE_H

/* How much is reserved of a run before it begins, where futures of its grid are at hand: the watts
 * at their high bound, times the p-quantile over the paths of what the hours of the run add up to,
 * plus the embodied share at its high bound; never less than what its receipt would charge if its
 * meter never spoke and the forecast came true. Where no futures are at hand, or too few for p, the
 * high bound of each hour is reserved instead: the caller's (broker/budget.h). Pure. */

#include "policy/arena.h"
#include "policy/guarantee/ensemble.h"

#include <stdbool.h>
#include <stdint.h>

#define GL_RESERVE_P_PPM     950000 /* where nothing else is said */
#define GL_RESERVE_LEAST_PPM 500000
#define GL_RESERVE_MOST_PPM  999000

/* Sum of the hours in [from, until) times their g/kWh, the first and the last hour by their part.
 */
struct gl_reserve_path {
    int64_t path_u;    /* its p-quantile, millionths of g/kWh times hours, rounded up */
    int64_t central_u; /* of the forecast itself */
    uint32_t paths;
};

struct gl_reserve_run {
    const struct gl_ensemble *zones; /* candidates; in each hour of a path the worst counts */
    size_t zone_count;
    int64_t from_s, until_s;
    int64_t p_ppm;
};

/* The quantile is the rank ceil(p * (paths + 1)) of the sums in ascending order, so that one more
 * draw is above it with a probability of at most 1 - p. False, *out untouched: the futures do not
 * cover the run, one of its hours has no figure, or so few paths say nothing of p. */
bool gl_reserve_path(const struct gl_reserve_run *run, struct gl_arena *arena,
                     struct gl_reserve_path *out);

/* One run: energy over all of its time with PUE at its high bound, the embodied share, and what
 * must be reserved at least. */
struct gl_reserve {
    int64_t facility_mj, duration_s; /* duration_s > 0 */
    int64_t path_u;                  /* of no shorter a time than duration_s */
    int64_t embodied_ug, least_ug;
};
/* Micrograms, rounded up: facility_mj / (3.6e9 mJ/kWh) / (duration_s / 3600) * path_u + embodied.
 * Stops at INT64_MAX. */
int64_t gl_reserve_ug(const struct gl_reserve *reserve);

#endif
