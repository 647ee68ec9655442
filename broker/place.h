/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_PLACE_H
#define GL_BROKER_PLACE_H

/* The proof of the place of a running launch: the document that its machine put on the console,
 * verified (providers/cloud/identity.h) and written down (broker/proof.h). Fetches the public keys
 * that it needs; keeps no document. */

#include "broker/guestline.h"
#include "broker/launch.h"

/* Once a launch: event "identity" with its grade, or, for a document that does not hold, event
 * "identity-refused" with the reason. What cannot be checked now is left for the next look. */
void gl_place_prove(struct gl_launcher *launcher, const struct gl_launch_row *row,
                    struct gl_cloud *cloud, const struct gl_guest_said *said);

#endif
