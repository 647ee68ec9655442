/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_CLI_CLAIM_H
#define GL_BROKER_CLI_CLAIM_H

/* What clouds claim of their own regions, to be shown beside an offer: what a signal source of the
 * cloud's name says, else the newest that `offers --refresh` has kept, and the one of the built-in
 * table; and what `offers --refresh` was told that a type emits in an hour, by its provider's own
 * estimate. Claims count contracts (market) and are shown only; no decision ever sees one. */

#include "broker/context.h"
#include "providers/data/data.h"
#include "providers/pricelist.h"

#define GL_CLAIM_CLOUDS 16

/* Lists that were looked into, each read once. */
struct gl_claims {
    struct gl_context *context;
    bool is_kept_only;             /* signal sources are not asked: what they said before serves */
    struct gl_signal_store *store; /* of the sources, once one is wanted */
    size_t count;
    struct {
        char cloud[24];
        bool is_there;
        struct gl_pricelist list;
    } kept[GL_CLAIM_CLOUDS];
};

struct gl_claim {
    int64_t asked_ppm;              /* GL_UNKNOWN = nothing kept */
    int64_t asked_s;                /* when */
    bool is_unmatched;              /* how it is matched in time was not said: else hour by hour */
    const struct gl_claim_row *row; /* of the table; NULL = none */
    int64_t estimate_ug;            /* CO2e an hour of the type; GL_UNKNOWN */
    int64_t estimated_s;            /* when that was asked */
};
/* Is a share claimed? */
bool gl_claim_has_share(const struct gl_claim *claim);
/* False when the cloud claims nothing of it that we know of. */
bool gl_claim_find(struct gl_claims *claims, const char *cloud, const char *region,
                   const char *type, struct gl_claim *out);
/* {"carbon_free_share": the newest, "built_in": {...} where both are known, "estimate": ...}. New
 * reference. */
json_t *gl_claim_json(const struct gl_claim *claim, struct gl_instant now);
/* Put "claim" into every row of offers that one is known of. */
void gl_claims_add(struct gl_context *context, json_t *offers, struct gl_instant now);
void gl_claims_done(struct gl_claims *claims);

#endif
