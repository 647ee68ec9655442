/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_AGENT_GAUGE_H
#define GL_AGENT_GAUGE_H

/* Power gauges: watts looked at once a second and integrated by the trapezoid rule, after the
 * values that are error codes in disguise (P6) have been taken out. Pure. */

#include "base/error.h"

#define GL_GAUGE_MS     1000 /* between two looks; more often adds no information */
#define GL_GAUGE_FROZEN 120  /* equal values in a row at changing load: the sensor is dead */

struct gl_gauge {
    bool has_before;
    uint64_t before_uw;
    unsigned equal;             /* looks in a row with the same value */
    double load_low, load_high; /* over those looks */
    double rest_uj;
};

/* Is this a sentinel: zero, all ones in 16 or 32 bits at any scale of a thousand, or more than
 * most_w? (BMCs report 65535 W or 4294967295 mW when they do not know.) */
bool gl_gauge_is_sentinel(uint64_t uw, double most_w);
/* Energy since the last look; false on the first look, after a value that was not good, and once
 * the gauge counts as frozen. `is_good` false: the value could not be read or is a sentinel. */
bool gl_gauge_look(struct gl_gauge *gauge, bool is_good, uint64_t uw, double load, int64_t dt_ns,
                   int64_t *out_uj);

#endif
