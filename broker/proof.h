/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_PROOF_H
#define GL_BROKER_PROOF_H

/* The proof of the place in ledger and receipt: "instance.identity", what the cloud signed about
 * where the instance runs (providers/cloud/identity.h), as
 *   {grade, provider, region, availability_zone, instance, document_sha256, verified_s}
 * and, where it does not fit the launch, "contradicts": the name of the member that does not. Then
 * its grade is D: nothing is proved, and the receipt says so for good. What the document does not
 * say is left out; the document itself is kept nowhere. */

#include "broker/ledger.h"
#include "providers/cloud/identity.h"

/* Write the event "identity" of a launch, compared with where its row says that it runs. The
 * instance of a row may be "PLACE/ID": the ID counts. Errors: of the ledger. */
int gl_proof_record(struct gl_ledger *ledger, const struct gl_launch_row *row,
                    const struct gl_identity *identity, struct gl_instant verified,
                    struct gl_error *err);

/* Put the body of such an event into the evidence's "instance". A later one replaces it, but not a
 * contradiction; one of a place that the instance has left is passed over. */
void gl_proof_take(json_t *instance, const json_t *body);

/* Is "instance.identity", if there, whole, and does it fit the rest of "instance" or name what does
 * not? NOT_VERIFIED naming the member. */
int gl_proof_check(const json_t *evidence, struct gl_error *err);
/* NOT_VERIFIED when it contradicts the launch: such a receipt is in order, its place is not. */
int gl_proof_stands(const json_t *evidence, struct gl_error *err);

#endif
