/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_AGENT_RAPL_H
#define GL_AGENT_RAPL_H

/* Energy between two looks at a counter that wraps (Linux powercap: energy_uj counts up to
 * max_energy_range_uj and starts again at 0). Pure. Says so when the answer is not certain, and
 * never turns a failed read or a reset counter into energy. */

#include "base/error.h"

enum gl_rapl_result {
    GL_RAPL_OK,
    GL_RAPL_WRAPPED,       /* certain: one wrap */
    GL_RAPL_IMPLAUSIBLE,   /* more than the zone can draw: reset, or a read that failed */
    GL_RAPL_AMBIGUOUS,     /* so long that it may have wrapped more often than is seen */
    GL_RAPL_UNKNOWN_RANGE, /* ran backwards and nobody says where it wraps */
};

struct gl_rapl_look {
    uint64_t before_uj, now_uj;
    uint64_t range_uj; /* 0 = could not be read */
    int64_t dt_ns;
    double most_w; /* what the zone can draw at most */
};

/* *out_uj is set only with OK and WRAPPED. */
enum gl_rapl_result gl_rapl_delta(const struct gl_rapl_look *look, int64_t *out_uj);
/* How long a counter of this range may go unread: range / (4 * most_w), 1 s at least. */
int64_t gl_rapl_longest_ms(uint64_t range_uj, double most_w);

#endif
