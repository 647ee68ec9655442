/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/backtest/part.h"

/* A plan with pauses as `run --interruptible` carries it out: its stretches are a timetable from
 * the first one on, asked every hour what it wants, and the guard has the word on the rules. */

static size_t add_stretches(const struct moment *moment, const struct task *task,
                            struct gl_timetable_run *runs)
{
    const size_t past = (size_t)((moment->now_s - task->planned_s) / GL_HOUR_S);
    size_t count = 0;

    for (size_t h = past; h < GL_BACKTEST_DEADLINE_H && count < GL_TIMETABLE_RUNS_MAX; h++) {
        const int64_t at_s = task->planned_s + (int64_t)h * GL_HOUR_S;

        if (task->plan[h] == GL_BACKTEST_NOWHERE)
            continue;
        if (count == 0 || runs[count - 1].until_s != at_s)
            runs[count++].from_s = at_s;
        runs[count - 1].until_s = at_s + GL_HOUR_S;
    }
    return count;
}

void gl_backtest_pace_begin(struct moment *moment, struct task *task)
{
    const struct gl_backtest_job *job = job_of(moment->replay, task);
    struct gl_timetable_run *runs =
        gl_arena_take(moment->replay->arena, GL_BACKTEST_DEADLINE_H * sizeof *runs);
    size_t count = task->planned_s != 0 ? add_stretches(moment, task, runs) : 0;

    if (count == 0) { /* nothing could be planned: it runs through */
        runs[0].from_s = moment->now_s;
        runs[0].until_s = moment->now_s + (int64_t)task->left_h * GL_HOUR_S;
        count = 1;
    }
    task->timetable =
        (struct gl_timetable){.runs = runs,
                              .count = count,
                              .work_s = (int64_t)task->left_h * GL_HOUR_S,
                              .deadline_s = job->arrival_s + (int64_t)job->deadline_h * GL_HOUR_S};
}

/* Looked at on the hour, so nothing is noticed late. */
static struct gl_timetable_choice ask_timetable(const struct moment *moment,
                                                const struct task *task)
{
    const struct gl_timetable_state state = {
        .now_s = moment->now_s,
        .done_s = task->timetable.work_s - (int64_t)task->left_h * GL_HOUR_S,
        .is_paused = task->is_paused,
    };
    struct gl_timetable_choice choice;

    gl_timetable_decide(&task->timetable, &state, &choice);
    return choice;
}

/* Hours until the wish changes: for so long it has to stay green. */
static uint32_t needed_h(const struct moment *moment, const struct task *task,
                         const struct gl_timetable_choice *wish)
{
    int64_t hours = wish->wish == GL_TIMETABLE_RUN && wish->until_s != GL_UNKNOWN
                        ? (wish->until_s - moment->now_s + GL_HOUR_S - 1) / GL_HOUR_S
                        : task->left_h;

    return hours < 1 ? 1 : hours < task->left_h ? (uint32_t)hours : task->left_h;
}

static bool is_in_stretch(const struct moment *moment, const struct task *task)
{
    for (size_t i = 0; i < task->timetable.count; i++)
        if (moment->now_s >= task->timetable.runs[i].from_s &&
            moment->now_s < task->timetable.runs[i].until_s)
            return true;
    return false;
}

static void stand_still(struct moment *moment, struct task *task,
                        const struct gl_guard_choice *choice)
{
    struct gl_backtest_run *run = task->run;

    run->plan_pauses =
        (uint16_t)(run->plan_pauses + (!task->is_paused && choice->why == GL_WHY_PLAN_PAUSES));
    run->held_h = (uint16_t)(run->held_h + is_in_stretch(moment, task));
    task->is_paused = true;
}

static void run_on(struct moment *moment, struct task *task, uint32_t hours)
{
    if (task->is_paused) { /* each stretch has a promise of its own */
        struct outlook outlook = gl_backtest_rules_start(moment, task->place, hours);

        gl_backtest_rules_promise(moment, task, task->place,
                                  outlook.hours < hours ? outlook.hours : hours);
    }
    task->run->made_up_h = (uint16_t)(task->run->made_up_h + !is_in_stretch(moment, task));
    gl_backtest_step_run(moment, task, task->place);
}

static void obey(struct moment *moment, struct task *task, const struct gl_guard_choice *choice,
                 uint32_t hours)
{
    if (choice->act == GL_GUARD_STOP) {
        task->is_over = true;
        task->run->end = GL_BACKTEST_STOPPED;
    } else if (choice->act == GL_GUARD_PAUSE ||
               (task->is_paused && choice->act != GL_GUARD_RESUME)) {
        stand_still(moment, task, choice);
    } else {
        run_on(moment, task, hours);
    }
}

void gl_backtest_pace_hour(struct moment *moment, struct task *task)
{
    const struct replay *replay = moment->replay;
    const struct gl_timetable_choice wish = ask_timetable(moment, task);
    const uint32_t hours = needed_h(moment, task, &wish);
    struct gl_guard_facts facts = replay->options->guard;
    struct gl_guard_choice choice;

    if (hours_left(moment, task) < task->left_h) {
        task->is_over = true;
        task->run->end = GL_BACKTEST_MISSED;
        return;
    }
    facts.is_paused = task->is_paused;
    facts.on_lapse = replay->on_lapse;
    facts.needed_h = hours;
    facts.lead_h = facts.lead_h > 0 ? facts.lead_h : 1;
    facts.min_stay_h = facts.min_stay_h > 0 ? facts.min_stay_h : 1;
    facts.lease_left_s = (int64_t)hours_left(moment, task) * GL_HOUR_S;
    facts.here = gl_backtest_guard_look(moment, task, task->place, hours);
    facts.place_count = 0; /* its data stay where it began */
    facts.max_egress_u_usd = GL_UNKNOWN;
    facts.can_pause = true;
    facts.can_move = false;
    facts.plan = wish.wish;
    facts.is_plan_forced = wish.is_forced;
    facts.has_no_rules = replay->rule_count == 0;
    gl_guard_decide(&facts, &choice);
    obey(moment, task, &choice, hours);
}
