/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_POLICY_SCHEDULE_TRANSPORT_H
#define GL_POLICY_SCHEDULE_TRANSPORT_H

/* Placing many loads in few places: every origin's load goes to places within its latency limit,
 * no place takes more than its capacity, the sum of grams is least. Exact by min-cost flow
 * (successive shortest paths with potentials); the published greedy for comparison. */

#include "base/error.h"
#include "policy/arena.h"
#include "policy/schedule/schedule.h"

#define GL_TRANSPORT_PLACES 1000
#define GL_TRANSPORT_BARRED INT64_MAX /* cost of a pair that is not allowed */

struct gl_transport {
    size_t origins, places;
    const int64_t *load;     /* of each origin, >= 0, any unit */
    const int64_t *capacity; /* of each place, the same unit */
    const int64_t *cost;     /* cost[origin * places + place] of a unit, or GL_TRANSPORT_BARRED */
};

struct gl_transport_answer {
    int64_t *flow;  /* flow[origin * places + place]; in the arena */
    int64_t placed; /* of the sum of loads; the rest has no room */
    double cost;    /* sum of flow * cost */
};

/* As much as can be placed, and that for the least cost. Costs may be negative; |cost| < 2^40,
 * loads and capacities below 2^40. */
int gl_transport_solve(const struct gl_transport *problem, struct gl_arena *arena,
                       struct gl_transport_answer *out, struct gl_error *err);

/* The greedy of the limits study (Sukprasert et al., EuroSys 2024, arXiv 2306.06502), quirks
 * included, to compare with it: every load is in its own place at first (origins == places); in the
 * order given, each origin fills its allowed places, cheapest first, itself among them. Never
 * better than gl_transport_solve(). out_load has the load of every place; `cost` of place p is
 * cost[p], `is_allowed[origin * places + place]`. */
struct gl_transport_greedy {
    size_t places;
    const int64_t *load, *cost;
    int64_t capacity; /* of every place */
    const bool *is_allowed;
};
void gl_transport_greedy(const struct gl_transport_greedy *problem, const size_t *order,
                         int64_t *out_load);

#endif
