/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_POLICY_SCHEDULE_TIMETABLE_H
#define GL_POLICY_SCHEDULE_TIMETABLE_H

/* A plan with pauses as it is carried out: should it run, stand still or end now? The plan says
 * which stretches; how much work is done and when it must be done decide over the plan: what was
 * lost by a late start is made up for at the end of a stretch, and it runs through a planned pause
 * that would make it miss its deadline. Pure. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GL_TIMETABLE_RUNS_MAX  400 /* hours that a forecast reaches, and some */
#define GL_TIMETABLE_RESTART_S 60  /* allowed for going on after a pause */

struct gl_timetable_run {
    int64_t from_s, until_s; /* Unix seconds; in order, apart from each other, none empty */
};

struct gl_timetable {
    const struct gl_timetable_run *runs;
    size_t count;       /* at least 1 */
    int64_t work_s;     /* of running, in all */
    int64_t deadline_s; /* the end of its lease: the work must be done by then */
};

enum gl_timetable_wish {
    GL_TIMETABLE_NONE,
    GL_TIMETABLE_RUN,
    GL_TIMETABLE_PAUSE,
    GL_TIMETABLE_END
};

struct gl_timetable_state {
    int64_t now_s;
    int64_t done_s; /* it has run for so long */
    int64_t late_s; /* what changes is noticed so late at worst: the time between two looks */
    bool is_paused;
};

struct gl_timetable_choice {
    enum gl_timetable_wish wish; /* never NONE */
    bool is_forced;              /* RUN: the deadline leaves no time to stand still */
    int64_t since_s;             /* PAUSE: when the stretch before it ended, as planned */
    int64_t until_s; /* when the wish changes if all goes on like this; GL_UNKNOWN for END */
};

/* Is it one: at least a run, in order, apart, none empty, work and deadline within reason? */
bool gl_timetable_is_sound(const struct gl_timetable *timetable);

void gl_timetable_decide(const struct gl_timetable *timetable,
                         const struct gl_timetable_state *state, struct gl_timetable_choice *out);

#endif
