/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_PLACE_H
#define GL_BROKER_PLACE_H

/* The proof of the place of a running launch: the document that its machine put on the console,
 * verified (providers/cloud/identity.h) and written down (broker/proof.h). Fetches the public keys
 * that it needs; keeps no document. */

#include "broker/guestline.h"
#include "broker/launch.h"
#include "providers/cloud/identity.h"

/* Once a launch: event "identity" with its grade, or, for a document that does not hold, event
 * "identity-refused" with the reason. What cannot be checked now is left for the next look.
 * Whoever reads a console does it (broker/readings.c): a machine in another place than it was
 * launched in is told while it runs. */
void gl_place_prove(struct gl_launcher *launcher, const struct gl_launch_row *row,
                    struct gl_cloud *cloud, const struct gl_guest_said *said);

/* Whose document it is: where the cloud's signed documents call a machine otherwise than its API
 * does (Azure: vmId), the API is asked. identity->instance becomes the launch's when it is its own,
 * else it stays; identity->region becomes what the API says when that is another than the launch's.
 * Errors: of the cloud. */
int gl_place_bind(const struct gl_launch_row *row, struct gl_cloud *cloud,
                  struct gl_identity *identity, struct gl_error *err);

/* Has a machine that runs, and that its cloud signs for, not shown where it is yet? Then reading
 * its console (gl_collect) may tell. False a quarter of an hour after its start: it has none to
 * show. */
bool gl_place_is_awaited(struct gl_launcher *launcher, const struct gl_launch_row *row);

/* What is known of the place of a launch, by its events; "" and false = nothing. */
struct gl_place_known {
    char grade[2];
    char contradicts[24]; /* member of the proof (broker/proof.h) that is not the launch's */
    char refused[200];    /* why a document was not accepted */
};
int gl_place_find(struct gl_ledger *ledger, const char *launch, struct gl_place_known *out,
                  struct gl_error *err);

#endif
