/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_POLICY_FOOTPRINT_H
#define GL_POLICY_FOOTPRINT_H

/* Footprint of a run, in integers so that anyone can recompute it exactly: energy by slot times
 * carbon intensity of the same slot times PUE, plus the embodied share; low / central / high.
 * Formula and sources: docs/method.md (SCI, ISO/IEC 21031: SCI = (O + M) / R; M = TE * TiR/EL *
 * RR/ToR). Arithmetic in 128-bit integers, rounded half up to whole micrograms. */

#include "policy/facts.h"

/* Energy of one slot of time and the intensity that held in it. */
struct gl_slot {
    int64_t from_s, until_s;
    int64_t energy_mj[3];   /* low, central, high, without PUE */
    int64_t intensity_u[3]; /* micro g/kWh; low <= central <= high */
};

struct gl_embodied {
    int64_t platform_g[3]; /* TE: of the whole machine, low / central / high */
    int64_t lifetime_s;    /* EL, e.g. 4 years */
    int64_t share_ppm;     /* RR/ToR: part of the machine reserved */
    int64_t reserved_s;    /* TiR; 0 = from the first slot to the last */
};

struct gl_footprint {
    int64_t energy_mj[3];   /* sum, without PUE */
    int64_t facility_mj[3]; /* with PUE */
    int64_t operational_ug[3];
    int64_t embodied_ug[3];
    int64_t total_ug[3];
    int64_t duration_s; /* from the first slot to the last */
    int64_t reserved_s; /* that the embodied share counts */
};

/* Errors: BAD_VALUE for a negative or unordered band, PUE below 1, or a sum beyond 63 bits. */
int gl_footprint_of(const struct gl_slot *slots, size_t count, int64_t pue_milli,
                    const struct gl_embodied *embodied, struct gl_footprint *out,
                    struct gl_error *err);

#endif
