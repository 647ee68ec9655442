/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/schedule/transport.h"

#include <string.h>

/* The next cheapest place after the one of cost `above`, or SIZE_MAX. */
static size_t next_cheapest(const struct gl_transport_greedy *problem, size_t origin, int64_t above)
{
    size_t best = SIZE_MAX;

    for (size_t p = 0; p < problem->places; p++)
        if (problem->is_allowed[origin * problem->places + p] && problem->cost[p] > above &&
            (best == SIZE_MAX || problem->cost[p] < problem->cost[best]))
            best = p;
    return best;
}

/* Part of `origin`'s load for `place`. What it "moves" to itself stays, yet is counted against the
 * room of its place, which already holds it: the rest then goes to dirtier places. */
static int64_t give(const struct gl_transport_greedy *problem, size_t origin, size_t place,
                    int64_t work, int64_t *load)
{
    const int64_t room = problem->capacity - load[place];
    const int64_t part = work < room ? work : room;

    if (room < 0)
        return 0;
    load[place] += part;
    load[origin] -= part;
    return part;
}

void gl_transport_greedy(const struct gl_transport_greedy *problem, const size_t *order,
                         int64_t *out_load)
{
    int64_t work = 0;

    memcpy(out_load, problem->load, problem->places * sizeof *out_load);
    for (size_t i = 0; i < problem->places; i++) {
        const size_t origin = order[i];
        size_t place = next_cheapest(problem, origin, INT64_MIN);

        work = problem->load[origin];
        while (work > 0 && place != SIZE_MAX) {
            work -= give(problem, origin, place, work, out_load);
            place = next_cheapest(problem, origin, problem->cost[place]);
        }
    }
    /* As published: only the last origin's rest is put back, over whatever came there. */
    if (work > 0)
        out_load[order[problem->places - 1]] = work;
}
