/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/backtest/part.h"

/* What each strategy does in one hour, from what is known in it. */

#define NO_PLACE SIZE_MAX

void gl_backtest_step_run(struct moment *moment, struct task *task, size_t place)
{
    const struct gl_backtest_job *job = job_of(moment->replay, task);
    size_t hour = (size_t)((moment->now_s - job->arrival_s) / GL_HOUR_S);
    struct gl_backtest_run *run = task->run;

    if (!task->is_started) {
        run->first_place = (uint16_t)place;
        run->wait_h = (uint32_t)hour;
        run->moves = place != job->home;
    } else {
        run->moves = (uint16_t)(run->moves + (place != task->place));
        run->pauses = (uint16_t)(run->pauses + task->is_paused);
    }
    task->is_started = true;
    task->is_paused = false;
    task->place = place;
    task->where[hour] = (uint8_t)place;
    run->outside_h += gl_backtest_rules_break(moment->replay, place, moment->now_s);
    task->left_h--;
    if (task->left_h > 0)
        return;
    task->is_over = true;
    run->end = GL_BACKTEST_DONE;
    run->span_h = (uint32_t)hour + 1;
}

static void give_up(struct task *task)
{
    task->is_over = true;
    task->run->end = task->is_started ? GL_BACKTEST_MISSED : GL_BACKTEST_REFUSED;
    task->run->why = (uint8_t)task->why;
}

/* How long green has to be promised for to start. */
static uint32_t needed_h(const struct moment *moment, const struct task *task)
{
    uint32_t green_for = moment->replay->green_for_h;

    return task->left_h > green_for ? task->left_h : green_for;
}

/* Is it promised there for as long as it is needed? Notes why not. */
static bool is_promised(struct moment *moment, struct task *task, size_t place)
{
    struct outlook outlook;

    if (moment->replay->rule_count == 0)
        return true;
    outlook = gl_backtest_rules_start(moment, place, needed_h(moment, task));
    if (outlook.hours >= needed_h(moment, task))
        return true;
    task->why = gl_backtest_rules_why(outlook.kind);
    return false;
}

/* Of the promised places the one that costs least now; home when nothing is known of the cost. */
static size_t best_promised(struct moment *moment, struct task *task)
{
    const size_t home = job_of(moment->replay, task)->home;
    double least = 0;
    size_t best = NO_PLACE;

    for (size_t p = 0; p < moment->replay->options->place_count; p++) {
        double grams;

        if (!is_promised(moment, task, p))
            continue;
        if (!gl_backtest_moment_grams(moment, task, p, &grams)) {
            if (p == home)
                return home;
            continue;
        }
        if (best == NO_PLACE || grams < least) {
            best = p;
            least = grams;
        }
    }
    return best;
}

/* Make the plan of what has not begun anew when it is due. False when nothing can be planned. */
static bool refresh(struct moment *moment, struct task *task, const struct wish *wish)
{
    const uint32_t every_h = moment->replay->options->replan_h;
    struct gl_plan plan;

    if (task->planned_s != 0 && moment->now_s < task->replan_s)
        return true;
    task->planned_s = 0;
    if (!gl_backtest_moment_plan(moment, task, wish, &plan))
        return false;
    task->planned_s = moment->now_s;
    task->is_doubtful = gl_backtest_moment_is_doubtful(moment, &plan);
    task->replan_s = every_h > 0 ? moment->now_s + every_h * GL_HOUR_S : INT64_MAX;
    for (size_t h = 0; h < GL_BACKTEST_DEADLINE_H; h++)
        task->plan[h] = h < plan.hours && plan.where[h] != GL_REGION_NONE ? (uint8_t)plan.where[h]
                                                                          : GL_BACKTEST_NOWHERE;
    return true;
}

/* The first planned hour from now on, from now; and its place. */
static size_t planned_start(const struct moment *moment, const struct task *task, size_t *out_place)
{
    size_t past = (size_t)((moment->now_s - task->planned_s) / GL_HOUR_S);

    for (size_t h = past; h < GL_BACKTEST_DEADLINE_H; h++)
        if (task->plan[h] != GL_BACKTEST_NOWHERE) {
            *out_place = task->plan[h];
            return h - past;
        }
    *out_place = NO_PLACE;
    return 0;
}

static void start(struct moment *moment, struct task *task, size_t place)
{
    gl_backtest_rules_promise(moment, task, place, needed_h(moment, task));
    gl_backtest_step_run(moment, task, place);
}

/* The place to start in now, NO_PLACE to wait. A plan only looks for low grams; the rule has the
 * last word, and a promise that can be had now is not let go for a start that is not likely to
 * keep it. */
static size_t choose(struct moment *moment, struct task *task, const struct wish *wish)
{
    const bool is_last = wish->is_now || hours_left(moment, task) <= task->left_h;
    size_t place = job_of(moment->replay, task)->home, in_h = 0;

    if (refresh(moment, task, wish))
        in_h = planned_start(moment, task, &place);
    else
        task->run->was_unplanned = true;
    if (place == NO_PLACE) {
        place = job_of(moment->replay, task)->home;
        in_h = 0;
    }
    if (moment->replay->rule_count == 0)
        return in_h == 0 ? place : NO_PLACE;
    if (in_h > 0)
        return is_promised(moment, task, place) &&
                       !gl_backtest_moment_is_green(moment, place, in_h, needed_h(moment, task))
                   ? place
                   : NO_PLACE;
    if (is_promised(moment, task, place))
        return place;
    task->planned_s = 0; /* the plan could not be followed */
    return wish->may_place && is_last ? best_promised(moment, task) : NO_PLACE;
}

/* In one piece. */
static void run_whole(struct moment *moment, struct task *task, const struct wish *wish)
{
    size_t place;

    if (task->is_started) {
        gl_backtest_step_run(moment, task, task->place);
        return;
    }
    place = choose(moment, task, wish);
    if (place != NO_PLACE)
        start(moment, task, place);
    else if (wish->is_now || hours_left(moment, task) <= task->left_h)
        give_up(task);
}

/* Hours planned in a row from now on, in this place. */
static uint32_t stretch(const struct moment *moment, const struct task *task, size_t place)
{
    size_t past = (size_t)((moment->now_s - task->planned_s) / GL_HOUR_S);
    uint32_t hours = 0;

    while (past + hours < GL_BACKTEST_DEADLINE_H && task->plan[past + hours] == place)
        hours++;
    return hours > 0 ? hours : 1;
}

/* Can its first stretch, or `green_for` when that is longer, be promised? Notes why not. */
static bool is_stretch_promised(struct moment *moment, struct task *task, size_t place,
                                uint32_t hours)
{
    const uint32_t green_for = moment->replay->green_for_h;
    struct outlook outlook;

    hours = hours > green_for ? hours : green_for;
    if (moment->replay->rule_count == 0)
        return true;
    outlook = gl_backtest_rules_start(moment, place, hours);
    if (outlook.hours >= hours)
        return true;
    task->why = gl_backtest_rules_why(outlook.kind);
    return false;
}

/* A job that may not be finished in hours that keep the rules is not begun, but for a promise of
 * the whole run. */
static bool may_begin(struct moment *moment, struct task *task, size_t place)
{
    if (task->planned_s == 0 || !task->is_doubtful)
        return true;
    return is_promised(moment, task, place);
}

/* With pauses: planned until its first stretch begins and is promised, then by its timetable. */
static void begin_pieces(struct moment *moment, struct task *task, const struct wish *wish)
{
    size_t place = job_of(moment->replay, task)->home, in_h = 0;
    uint32_t hours = 1;

    if (hours_left(moment, task) < task->left_h) {
        give_up(task);
        return;
    }
    if (refresh(moment, task, wish)) {
        in_h = planned_start(moment, task, &place);
        hours = stretch(moment, task, place);
    } else {
        task->run->was_unplanned = true;
    }
    if (in_h > 0)
        return;
    if (place == NO_PLACE || !may_begin(moment, task, place) ||
        !is_stretch_promised(moment, task, place, hours)) {
        task->planned_s = 0; /* what was planned may not be done */
        return;
    }
    gl_backtest_pace_begin(moment, task);
    gl_backtest_rules_promise(moment, task, place, hours);
    gl_backtest_step_run(moment, task, place);
}

static void step_pause(struct moment *moment, struct task *task, bool may_place)
{
    if (!job_of(moment->replay, task)->may_pause)
        run_whole(moment, task, &(struct wish){.may_place = may_place});
    else if (task->is_started)
        gl_backtest_pace_hour(moment, task);
    else
        begin_pieces(moment, task, &(struct wish){.may_pause = true, .may_place = may_place});
}

void gl_backtest_step_task(struct moment *moment, struct task *task)
{
    switch (task->strategy) {
    case GL_BACKTEST_NOW:
        gl_backtest_step_run(moment, task, job_of(moment->replay, task)->home);
        break;
    case GL_BACKTEST_WAIT:
        run_whole(moment, task, &(struct wish){0});
        break;
    case GL_BACKTEST_PLACE:
        run_whole(moment, task, &(struct wish){.may_place = true, .is_now = true});
        break;
    case GL_BACKTEST_PAUSE:
        step_pause(moment, task, false);
        break;
    case GL_BACKTEST_FREE:
        step_pause(moment, task, true);
        break;
    case GL_BACKTEST_GUARD:
        if (task->is_started)
            gl_backtest_guard_hour(moment, task);
        else
            run_whole(moment, task, &(struct wish){.may_place = true});
        break;
    case GL_BACKTEST_ORACLE:
    case GL_BACKTEST_STRATEGIES:
        break;
    }
}
