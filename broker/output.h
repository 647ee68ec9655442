/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_OUTPUT_H
#define GL_BROKER_OUTPUT_H

/* The last of what the command of a rented machine printed, kept for `status` when its launch is
 * over: "<state>/output/LAUNCH", mode 0600. In no receipt and not in the ledger, for it may hold
 * secrets: whoever deletes the file has deleted it. */

#include "broker/guestline.h"
#include "broker/launch.h"

/* Where it is more than what is kept already. Errors: IO, DISK_FULL. */
int gl_output_keep(const struct gl_launcher *launcher, const struct gl_guest_said *said,
                   struct gl_error *err);
/* Into out->tail; false where there is none. Free with gl_guest_said_done() either way. */
bool gl_output_read(const struct gl_launcher *launcher, const char *launch,
                    struct gl_guest_said *out);

#endif
