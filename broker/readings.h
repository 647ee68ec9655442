/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_READINGS_H
#define GL_BROKER_READINGS_H

/* What came back of a run: the verified readings, and what else its machine said. Of rented
 * machines the readings are kept below the state folder as they are seen, for their consoles may
 * show only the last part, or go with the machine. Only the files of the journal call it. */

#include "broker/guestline.h"
#include "broker/launch.h"
#include "broker/meterlog.h"

struct gl_collected {
    struct gl_meterlog log;
    struct gl_guest_said said;
    const char *note; /* what the receipt has to say of the readings; NULL = nothing */
};

/* Read the console of a launch so far; `cloud` NULL: only what was kept of a rented machine. A
 * console that will not be readable any more does not keep a launch open: *out says so; kept
 * readings that are there and cannot be read do. What it says of its place is verified, and of an
 * early end noted, in the ledger (broker/place.h, broker/notice.h). Free with gl_collected_done().
 * Errors: of the cloud, worth another try; IO. */
int gl_collect(struct gl_launcher *launcher, const struct gl_launch_row *row,
               struct gl_cloud *cloud, struct gl_collected *out, struct gl_error *err);
void gl_collected_done(struct gl_collected *collected);

/* What the meter of a rented machine pushed, beside what is kept of it; the next gl_collect() has
 * it. Only what it signed counts: readings, and how its command ended; a place or a notice stands
 * on the provider's console alone. What is known already is passed over: *out_new tells how many
 * readings were not. NOT_FOUND: no launch of that name on a rented machine is open; NOT_VERIFIED:
 * this launch has signed none of it; LOCKED, IO: worth another try. */
int gl_collect_pushed(struct gl_launcher *launcher, const char *launch, const char *bytes,
                      size_t length, size_t *out_new, struct gl_error *err);

/* With the receipt in the ledger what was kept of a launch goes; what its command printed last
 * stays (broker/output.h). What cannot go now is swept later: of all launches of `rows` that are
 * over. */
void gl_readings_drop(struct gl_launcher *launcher, const char *launch);
void gl_readings_sweep(struct gl_launcher *launcher, const struct gl_launch_rows *rows);

/* Nothing but the enrolment token: a log to feed. */
int gl_collect_nothing(struct gl_launcher *launcher, const struct gl_launch_row *row,
                       struct gl_collected *out, struct gl_error *err);

#endif
