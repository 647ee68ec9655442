/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_CLI_STRETCHES_H
#define GL_BROKER_CLI_STRETCHES_H

/* An order with --interruptible: planned with pauses up to its deadline, started when its first
 * stretch comes, with the rest of the plan as its timetable (broker/timetable.h). Refuses what
 * could not be paused before anything is started. */

#include "broker/cli/schedule.h"
#include "broker/cli/start_instance.h"
#include "broker/timetable.h"

struct gl_stretches {
    struct gl_ask
        first; /* the question of the first stretch; borrows from the one that was asked */
    struct gl_timetable timetable;
    struct gl_timetable_run runs[GL_TIMETABLE_RUNS_MAX];
    int64_t start_s; /* of the first stretch; GL_UNKNOWN when there is no plan */
};

/* Fails for rules that a run with pauses cannot keep: USAGE for one with max_total. */
int gl_stretches_check_rules(const struct gl_policy *policy, struct gl_error *err);

/* Can what is asked for be carried out with pauses at all? Errors: USAGE without a deadline, with a
 * rule that only judges a run as a whole, or for what cannot be suspended on this machine. */
int gl_stretches_check(const struct gl_context *context, const struct gl_ask *ask,
                       const char *image, struct gl_error *err);

/* Plan now. 0: the first stretch begins now, *out is filled and points into itself. Else the exit
 * status of a plan that begins later or not at all, with the reply filled like that of `plan`; -1
 * with *err. */
int gl_stretches_plan(struct gl_context *context, const struct gl_ask *ask,
                      struct gl_stretches *out, struct gl_error *err);

/* While a command is followed: its pauses in time. The looks are those of `guard --once --launch`,
 * in a process of their own, so that they cost this one nothing and a guard at work is respected.
 */
struct gl_pace {
    struct gl_context *context;
    struct gl_launcher *launcher;
    char launch[GL_CLOUD_ID];
    struct gl_timetable_kept kept;
    struct gl_process looking;
    bool is_looking;
    int64_t next_ms; /* monotonic: ask again */
};

/* A launch without a timetable has no pace: the calls then do nothing. */
void gl_pace_begin(struct gl_pace *pace, struct gl_context *context, struct gl_launcher *launcher,
                   const char *launch);
void gl_pace_tick(struct gl_pace *pace);
void gl_pace_end(struct gl_pace *pace);

#endif
