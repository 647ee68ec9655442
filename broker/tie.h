/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_TIE_H
#define GL_BROKER_TIE_H

/* What ties the parts of a receipt to each other and to the ledger: whoever holds the broker's key
 * can sign anything, but not make an instance, a zone or a promise belong to a decision that was
 * never taken. The plan is all of the evidence but what the run added: "launch", "name", "demo",
 * "issued_ms", "instance", and of "meter" everything but "interval_ms". Checks nothing that
 * gl_account() derives. */

#include "broker/ledger.h"

/* The token of an attempt: "launch|attempt|plan hash|order hash", hashed. The order is what the
 * plan does not hold (image, files, network ...): only its hash is in a receipt. */
void gl_tie_token(const char *launch, int64_t attempt, const char *plan_sha256,
                  const char *order_sha256, char out[GL_HASH_HEX]);

/* Does the evidence of a receipt belong together? From method 2 on:
 *   instance.zone, series[].zone   among offer.zones (two only where the mapping is disputed), also
 *                                  those of guarantee.series; of a command on the host, which has
 *                                  no offer: instance.zone
 *   guarantee.from_s, until_s      decision.at_s, and that plus request.duration_s
 *   instance.plan_sha256           the hash of the plan
 *   instance.token                 gl_tie_token() of launch, attempt and both hashes
 * From method 3 on, where it was paused or moved:
 *   instance.spans[]               the first where it was launched; without a move only zones of
 *                                  offer.zones, with one the same region and zone throughout
 *   instance.region, zone          those of the last one
 *   instance.series[]              of the zone of their move
 * Whatever the method, where it is there:
 *   instance.identity              gl_proof_check() (broker/proof.h)
 * Before it the same as far as the members are there. -1 NOT_VERIFIED naming the first member that
 * does not, by its path. */
int gl_tie_check(const json_t *evidence, struct gl_error *err);

/* Put plan and order hash, as the intent of this token wrote them, into "instance", and the proof
 * of its place if an event "identity" has one. Intents of older programs have no order hash: it is
 * then left out. Errors: of the ledger. */
int gl_tie_seal(struct gl_ledger *ledger, const char *launch, const char *token, json_t *instance,
                struct gl_error *err);

/* Is this receipt (document and its very bytes) the one that the ledger's events speak of, and did
 * every move in it stand there before it was made? *out_seen false: they speak of none. -1 TAMPERED
 * naming the event that differs. */
int gl_tie_receipt(struct gl_ledger *ledger, const json_t *receipt, const char *bytes,
                   bool *out_seen, struct gl_error *err);
/* The same of plan and receipt as they stand in the launch's row. */
int gl_tie_row(struct gl_ledger *ledger, const struct gl_launch_row *row, struct gl_error *err);

#endif
