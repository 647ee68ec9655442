/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/backtest/part.h"

/* The guard, asked every hour of a run or a pause. */

struct gl_guard_place gl_backtest_guard_look(struct moment *moment, const struct task *task,
                                             size_t place, uint32_t needed_h)
{
    struct outlook outlook = gl_backtest_rules_outlook(moment, place, needed_h);
    struct gl_guard_place at = {
        .kind = outlook.kind, .promised_h = outlook.hours, .is_allowed = true};
    double mean;

    if (outlook.hours > 0 && outlook.kind == GL_NONE_POSSIBLE) /* shorter than needed */
        at.kind = GL_PROMISED;
    at.has_g_per_h = gl_backtest_moment_mean(
        moment, place, outlook.hours > 0 && outlook.hours < needed_h ? outlook.hours : needed_h,
        &mean);
    if (at.has_g_per_h)
        at.g_per_h = mean * (double)job_of(moment->replay, task)->kwh_per_hour;
    return at;
}

/* Energy at both ends, at what the next hour is expected to be like there. */
static struct gl_guard_move move_to(struct moment *moment, const struct task *task, size_t place)
{
    const struct gl_region_copy *copy = &moment->replay->options->copy;
    struct gl_guard_move move = {0};
    double here = 0, there = 0;

    if (!(copy->data_gb > 0))
        return move;
    move.seconds = gl_region_copy_hours(copy) * (double)GL_HOUR_S;
    if (gl_backtest_moment_mean(moment, task->place, 1, &here) &&
        gl_backtest_moment_mean(moment, place, 1, &there))
        move.grams = gl_region_copy_kwh(copy) * (here + there);
    return move;
}

static void obey(struct moment *moment, struct task *task, const struct gl_guard_choice *choice,
                 const size_t *elsewhere)
{
    size_t place = choice->place != SIZE_MAX ? elsewhere[choice->place] : task->place;

    if (choice->act == GL_GUARD_STOP) {
        task->is_over = true;
        task->run->end = GL_BACKTEST_STOPPED;
        return;
    }
    if (choice->act == GL_GUARD_PAUSE || (task->is_paused && choice->act != GL_GUARD_RESUME)) {
        task->is_paused = true;
        return;
    }
    if (choice->act == GL_GUARD_MOVE || choice->act == GL_GUARD_RESUME) {
        struct outlook outlook = gl_backtest_rules_outlook(moment, place, task->left_h);

        gl_backtest_rules_promise(moment, task, place,
                                  outlook.hours < task->left_h ? outlook.hours : task->left_h);
    }
    gl_backtest_step_run(moment, task, place);
}

void gl_backtest_guard_hour(struct moment *moment, struct task *task)
{
    const struct replay *replay = moment->replay;
    struct gl_guard_place places[GL_BACKTEST_PLACES];
    struct gl_guard_move moves[GL_BACKTEST_PLACES];
    size_t elsewhere[GL_BACKTEST_PLACES], count = 0;
    struct gl_guard_facts facts = replay->options->guard;
    struct gl_guard_choice choice;

    if (hours_left(moment, task) < task->left_h) {
        task->is_over = true;
        task->run->end = GL_BACKTEST_MISSED;
        return;
    }
    for (size_t p = 0; p < replay->options->place_count; p++) {
        if (p == task->place)
            continue;
        elsewhere[count] = p;
        places[count] = gl_backtest_guard_look(moment, task, p, task->left_h);
        moves[count++] = move_to(moment, task, p);
    }
    facts.is_paused = task->is_paused;
    facts.on_lapse = replay->on_lapse;
    facts.needed_h = task->left_h;
    facts.lead_h = facts.lead_h > 0 ? facts.lead_h : 1;
    facts.min_stay_h = facts.min_stay_h > 0 ? facts.min_stay_h : 1;
    facts.lease_left_s = (int64_t)hours_left(moment, task) * GL_HOUR_S;
    facts.here = gl_backtest_guard_look(moment, task, task->place, task->left_h);
    facts.places = places;
    facts.moves = moves;
    facts.place_count = count;
    facts.max_egress_u_usd = GL_UNKNOWN;
    facts.can_pause = job_of(replay, task)->may_pause;
    facts.can_move = count > 0;
    gl_guard_decide(&facts, &choice);
    obey(moment, task, &choice, elsewhere);
}
