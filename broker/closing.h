/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_CLOSING_H
#define GL_BROKER_CLOSING_H

/* The end of a launch as a document: what its cloud and its machine say of it becomes evidence,
 * receipt and the ledger's "ended". Ends nothing itself: broker/finish.c does, and calls it. */

#include "broker/finish.h"
#include "broker/readings.h"
#include "broker/shift.h"

/* All that is known of a run. */
struct gl_run {
    const struct gl_launch_row *row;
    struct gl_instance instance;
    struct gl_collected got;
    struct gl_shift_times times;
    bool goes_on; /* it has not ended: the account so far */
};

/* What the provider says of it. When it has forgotten it, or there is none to ask: LOST, and
 * *cloud NULL, for there is nothing more to ask for. */
int gl_instance_look(struct gl_cloud **cloud, const char *id, struct gl_instance *out,
                     struct gl_error *err);
/* The same, but BUSY for what a cloud has not yet had the time to show, and the errors of
 * gl_tenant_check() where it is asked for another account. */
int gl_instance_look_believed(struct gl_launcher *launcher, const struct gl_launch_row *row,
                              struct gl_cloud **cloud, struct gl_instance *out,
                              struct gl_error *err);

/* What its cloud says of it, its readings, where and when it ran. Free with gl_run_done(). */
int gl_run_read(struct gl_launcher *launcher, struct gl_cloud *cloud, struct gl_run *run,
                struct gl_error *err);
void gl_run_done(struct gl_run *run);
/* How its command ended: as the caller saw it, else as the cloud says, else as the guest does. */
void gl_run_take_exit(struct gl_run *run, struct gl_ending *ending);

/* The receipt of a run, in its file: before anything of the run goes, and before the ledger says
 * ended. One that a crash left behind is the receipt. */
struct gl_sealed {
    json_t *evidence;
    char *receipt;
};
int gl_run_seal(struct gl_launcher *launcher, const struct gl_run *run, struct gl_sealed *out,
                struct gl_error *err);
void gl_sealed_done(struct gl_sealed *sealed);
/* "ended", or "lost" when the cloud has forgotten it; *out_receipt is its text, to be freed. */
int gl_sealed_record(struct gl_launcher *launcher, const struct gl_run *run,
                     struct gl_sealed *sealed, char **out_receipt, struct gl_error *err);

/* All of it, of an instance that is over. */
int gl_run_close(struct gl_launcher *launcher, const struct gl_launch_row *row,
                 struct gl_cloud *cloud, struct gl_ending *ending, struct gl_error *err);

/* A durable step was taken (gl_launcher.checkpoint). */
void gl_launch_step(const struct gl_launcher *launcher, const char *step);

#endif
