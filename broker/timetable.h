/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_TIMETABLE_H
#define GL_BROKER_TIMETABLE_H

/* The timetable of a launch that may be paused: "timetable" of its plan, written with the intent,
 * so that whoever looks next (guard, waiting command, after whatever crash) goes on with it. What
 * was done of it follows from the pauses and resumes of the journal alone.
 *   {"work_s","deadline_s","runs":[{"from_s","until_s"}]} */

#include "base/json.h"
#include "broker/launch.h"
#include "policy/schedule/timetable.h"

struct gl_timetable_kept {
    struct gl_timetable timetable; /* count 0: the launch has none */
    struct gl_timetable_run runs[GL_TIMETABLE_RUNS_MAX];
};

/* New reference. */
json_t *gl_timetable_json(const struct gl_timetable *timetable);
/* Of a plan; count 0 when it has none. Points into *out: not to be copied. Errors: NOT_VERIFIED. */
int gl_timetable_read(const json_t *plan, struct gl_timetable_kept *out, struct gl_error *err);

/* Seconds that a launch has run until now, pauses left out, as its cloud tells. Errors: of cloud
 * and ledger. */
int gl_timetable_done(struct gl_launcher *launcher, const struct gl_launch_row *row,
                      int64_t *out_done_s, struct gl_error *err);

#endif
