/* SPDX-License-Identifier: Apache-2.0 */
/* Plans with pauses on a simulated day. */
#include "broker/cli/demo.h"
#include "broker/cli/schedule.h"

/* By the end of its lease, and of the day. */
static int64_t deadline_of(const struct gl_demo *demo, const struct gl_demo_job *job)
{
    int64_t day_end_s = gl_sim_grid_day_s(demo->grid) + GL_SIM_DAY_H * GL_HOUR_S;
    int64_t lease_end_s = (job->arrives_ms + job->run_ms) / 1000 + GL_DEMO_SPARE_S;

    return lease_end_s < day_end_s ? lease_end_s : day_end_s;
}

int gl_demo_plan(const struct gl_demo *demo, const struct gl_demo_job *job,
                 const struct gl_ask_result *asked, struct gl_demo_plan *out, struct gl_error *err)
{
    const struct gl_schedule_ask wish = {.work_s = job->run_ms / 1000,
                                         .latest_start_s = GL_UNKNOWN,
                                         .finish_by_s = deadline_of(demo, job),
                                         .may_pause = true,
                                         .confidence = GL_BOOK_PROBABILITY};
    struct gl_schedule schedule;
    int result = 0;

    out->is_known = false;
    out->timetable = (struct gl_timetable){.count = 0};
    if (gl_schedule_make(asked, &wish, &schedule, err) != 0)
        return -1;
    if (schedule.has_plan && schedule.plan.is_feasible) {
        out->is_known = true;
        out->start_s = gl_schedule_at(asked, schedule.plan.start_h).unix_s;
        if (schedule.plan.start_h == 0)
            result =
                gl_schedule_timetable(asked, &wish, &schedule, out->runs, &out->timetable, err);
    }
    gl_schedule_done(&schedule);
    return result;
}
