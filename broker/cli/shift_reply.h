/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_CLI_SHIFT_REPLY_H
#define GL_BROKER_CLI_SHIFT_REPLY_H

/* What pause, resume and migrate do alike. */

#include "broker/cli/act.h"
#include "broker/demand_signal.h"
#include "broker/shift.h"

/* The launch that is meant, with the ledger brought to the truth first: its row, in *rows, and its
 * plan, a new reference. Errors: UNKNOWN_NAME, USAGE, those of the ledger. */
struct gl_shift_subject {
    struct gl_launcher launcher;
    struct gl_launch_rows rows;
    const struct gl_launch_row *row;
    json_t *plan;
};
int gl_shift_subject_find(struct gl_context *context, const char *name,
                          struct gl_shift_subject *out, struct gl_error *err);
void gl_shift_subject_done(struct gl_shift_subject *subject);

/* Text, data and next steps of what it is now. `done`: "Paused" ... Returns the exit status. */
int gl_shift_reply(struct gl_context *context, struct gl_shift_subject *subject, const char *done,
                   struct gl_error *err);

/* Is there an unmet need behind pausing or moving it: are its rules broken where it is, by what is
 * known already? Asked before it is done; *out has everything but kind and what was done instead.
 */
bool gl_shift_need(struct gl_context *context, const struct gl_shift_subject *subject,
                   struct gl_demand *out);

/* Do the rules of its plan hold in this place for the rest of its lease? 0 and the grid series of
 * the place; the exit status of a refusal, with the reply filled; -1 with *err. */
int gl_shift_judge(struct gl_context *context, const struct gl_shift_subject *subject,
                   const char *place, const char *zone, json_t **out_series, struct gl_error *err);

#endif
