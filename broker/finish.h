/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_FINISH_H
#define GL_BROKER_FINISH_H

/* The end of a launch: readings off the console, evidence, receipt, ledger. Split from launch.c;
 * only the journal calls it. */

#include "broker/launch.h"

struct gl_ending {
    struct gl_span wait;
    int64_t exit_status; /* -1 = as the cloud says */
    char **out_receipt;  /* may be NULL */
};

/* End an instance in order (at most `wait` for its meter) unless it is over, make sure that it is,
 * and close the launch. */
int gl_launch_end(struct gl_launcher *launcher, const struct gl_launch_row *row,
                  struct gl_cloud *cloud, const struct gl_ending *ending, struct gl_error *err);

/* Collect what the meter said and write receipt and "ended" (or "lost" when `cloud` is NULL or has
 * forgotten it). The instance must be over. Idempotent: a launch that has a receipt is left alone,
 * and a receipt that a crash left behind is the receipt. exit_status -1 = as the cloud says. */
int gl_launch_close(struct gl_launcher *launcher, const struct gl_launch_row *row,
                    struct gl_cloud *cloud, int64_t exit_status, char **out_receipt,
                    struct gl_error *err);

/* One process works on a launch at a time. */
int gl_launch_lock(const char *state_folder, const char *launch, int64_t wait_ms,
                   struct gl_error *err);
void gl_launch_unlock(int lock);
char *gl_enrol_token_path(const char *state_folder, const char *launch);

#endif
