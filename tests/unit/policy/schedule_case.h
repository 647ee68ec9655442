/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_TESTS_UNIT_POLICY_SCHEDULE_CASE_H
#define GL_TESTS_UNIT_POLICY_SCHEDULE_CASE_H

/* Invented cost lines for tests of the planning forms: small whole numbers, so that ties are many,
 * and a closed slot now and then. */

#include "policy/schedule/schedule.h"

/* splitmix64 (Steele, Lea, Flood 2014); `seed` is the state. */
static inline uint64_t case_next(uint64_t *seed)
{
    uint64_t z = (*seed += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static inline int64_t case_below(uint64_t *seed, int64_t limit)
{
    return (int64_t)(case_next(seed) % (uint64_t)limit);
}

/* Costs 0 .. largest - 1; one in `closed` is closed, none when 0. */
static inline void case_line(uint64_t *seed, int64_t largest, int64_t closed, size_t slots,
                             int64_t *out_cost)
{
    for (size_t i = 0; i < slots; i++) {
        out_cost[i] = case_below(seed, largest);
        if (closed > 0 && case_below(seed, closed) == 0)
            out_cost[i] = GL_COST_CLOSED;
    }
}

#define CHECK(condition)                                                       \
    do {                                                                       \
        if (!(condition))                                                      \
            fail_msg("case %llu: %s", (unsigned long long)number, #condition); \
    } while (0)

#endif
