/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_AGENT_CHAIN_H
#define GL_AGENT_CHAIN_H

/* What a meter must remember from one record to the next, and how energy since the last record is
 * gathered. A record that could not be stored is not lost: its energy stays gathered and goes into
 * the next one, so that a full disk or a stalled console costs time resolution and no energy. */

#include "agent/load.h"
#include "agent/source.h"

/* The end of the chain: enough to continue it after a restart. */
struct gl_chain_head {
    uint64_t seq;        /* of the last record, 0 = none yet */
    struct gl_hash hash; /* of the last record, zeros before the first */
    char boot[40];
    int64_t boottime_ns, wall_ms; /* of the last record */
    bool has_kind[GL_KINDS];      /* was ever in a record: then it stays in all later ones */
    int64_t total_uj[GL_KINDS];
};

/* Energy gathered since the last record. */
struct gl_gather {
    bool has_kind[GL_KINDS];
    struct gl_yield sum[GL_KINDS]; /* worst tier and all flags of the looks in it */
    int64_t gap_ms;
    double busy_ns, steal_ns; /* share times time */
    int64_t dt_ns;
};

struct gl_chain_names {
    char agent[17], boot[40], launch[64], model[17];
};

void gl_gather_add(struct gl_gather *gather, const struct gl_yield yields[GL_KINDS],
                   const struct gl_load *load, int64_t dt_ns);
void gl_gather_clear(struct gl_gather *gather);

/* The record after `head` with everything gathered. */
void gl_chain_next(const struct gl_chain_head *head, const struct gl_gather *gather,
                   const struct gl_chain_names *names, struct gl_moment now,
                   struct gl_reading *out);
/* The head after that record, whose canonical bytes have this hash. */
void gl_chain_advance(struct gl_chain_head *head, const struct gl_reading *reading,
                      const struct gl_hash *hash);
/* Milliseconds that no record covers when the chain goes on at `now`; 0 for a fresh chain. */
int64_t gl_chain_gap_ms(const struct gl_chain_head *head, const char *boot, struct gl_moment now);

#endif
