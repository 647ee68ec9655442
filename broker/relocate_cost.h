/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_RELOCATE_COST_H
#define GL_BROKER_RELOCATE_COST_H

/* What a move to another region costs and gains, before anything is powered off. Formulas:
 * docs/launching.md "Moving to another region". What is not known is said so and never 0; pure but
 * for the built-in tables. */

#include "base/json.h"
#include "policy/facts.h"

struct gl_relocate_ask {
    const char *cloud;
    const json_t *plan;         /* of the launch as it is: machine, load, PUE, region */
    const json_t *here, *there; /* grid series of both places, as gl_evidence_place() */
    /* Candidate zones of both: two where the mapping is disputed, NULL or "" = no more. Unless each
     * of them is known the gain is not. */
    const char *here_zones[2], *there_zones[2];
    int64_t pue_there_milli;   /* 0 = as here */
    bool is_anew;              /* nothing is copied, and it runs on meanwhile */
    double disk_gb;            /* > 0; of one that begins anew 0 */
    int64_t lost_work_s;       /* work that the command does again; at least 0 */
    int64_t price_u_usd_per_h; /* there; GL_UNKNOWN */
    struct gl_instant now, until;
};

struct gl_relocate_estimate {
    int64_t still_s;           /* nothing runs for so long; of one that begins anew both do */
    double copy_kwh, lost_kwh; /* lost: started, idle until it is heard of, and work done again */
    bool has_grams;            /* false: nothing is known of one of the grids */
    double here_g_per_kwh, there_g_per_kwh;
    double cost_g, gain_g;   /* gain: before the cost is taken off */
    int64_t egress_u_usd;    /* at most; GL_UNKNOWN */
    int64_t overlap_u_usd;   /* of both machines being there at once; GL_UNKNOWN */
    const char *egress_from; /* source of the price; NULL */
    bool is_worth_it;        /* the gain is more than 1.5 times the cost */
};
/* Errors: BAD_VALUE, and of series that are none. */
int gl_relocate_estimate(const struct gl_relocate_ask *ask, struct gl_relocate_estimate *out,
                         struct gl_error *err);

/* kW of the machine of a plan at a load in 0..1, central, with the facility of `pue_milli`. */
double gl_relocate_kw(const json_t *plan, double load, int64_t pue_milli);

#endif
