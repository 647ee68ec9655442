/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_FINISH_H
#define GL_BROKER_FINISH_H

/* What the files of the journal share: a launch in the ledger (record.c), and its end - readings
 * off the console, evidence, receipt, ledger (finish.c). Only launch.c and settle.c call it. */

#include "broker/launch.h"

/* Append what became of it, and change its state. */
int gl_launch_record_state(const struct gl_launcher *launcher, const char *launch, const char *kind,
                           const char *state, const char *why, struct gl_error *err);
int gl_launch_record_running(const struct gl_launcher *launcher, const struct gl_instance *instance,
                             const char *launch, const char *kind, struct gl_error *err);
/* The id that the user means: an id, else the one live launch of that name, else the newest of that
 * name. A state is no name. USAGE when several live launches are called so, UNKNOWN_NAME. */
int gl_launch_named(struct gl_launcher *launcher, const char *name, char out_id[GL_CLOUD_ID],
                    struct gl_error *err);
/* The launch of this id as the ledger knows it now: rows->rows[*out_index]; *rows was {0} or is
 * freed first. UNKNOWN_NAME when there is none. */
int gl_launch_find(struct gl_launcher *launcher, const char *id, struct gl_launch_rows *rows,
                   size_t *out_index, struct gl_error *err);

/* End an instance in order unless it is over, make sure that it is, and close the launch. */
int gl_launch_end(struct gl_launcher *launcher, const struct gl_launch_row *row,
                  struct gl_cloud *cloud, struct gl_ending *ending, struct gl_error *err);

/* Close a launch of which nothing runs and of which there is nothing to ask for: receipt without
 * readings, and "ended". `why` goes into the receipt. */
int gl_launch_close_unstarted(struct gl_launcher *launcher, const struct gl_launch_row *row,
                              const char *why, struct gl_error *err);

/* One process works on a launch at a time. */
int gl_launch_lock(const char *state_folder, const char *launch, int64_t wait_ms,
                   struct gl_error *err);
void gl_launch_unlock(int lock);
char *gl_enrol_token_path(const char *state_folder, const char *launch);

#endif
