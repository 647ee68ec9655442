/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/backtest/part.h"

#include <math.h>
#include <string.h>

/* What it came to, by the recorded figures: the planner's own sums, on the one future that was.
 * Two paths besides the figure itself, low and high, say how far a figure that its source may still
 * revise can move. */

#define PATHS 2

struct truth {
    struct gl_arena scratch;
    struct gl_ensemble past[GL_BACKTEST_PLACES];
    struct gl_plan_place places[GL_BACKTEST_PLACES];
};

static void lay(const struct gl_actuals *actuals, int64_t start_s, size_t hours, float *out)
{
    for (size_t h = 0; h < hours; h++) {
        int64_t hour_s = start_s + (int64_t)h * GL_HOUR_S;
        size_t i = (size_t)((hour_s - actuals->start_s) / GL_HOUR_S);
        float value = NAN, spread = 0;

        if (gl_actual_at(actuals, hour_s, &value) && actuals->state != NULL &&
            (actuals->state[i] & GL_HOUR_ESTIMATED) != 0)
            spread = (float)GL_BACKTEST_REVISION;
        out[h] = value * (1 - spread);
        out[hours + h] = value * (1 + spread);
        out[2 * hours + h] = value;
    }
}

static void truth_init(const struct replay *replay, const struct gl_backtest_job *job,
                       struct truth *truth)
{
    const size_t hours = job->deadline_h;

    truth->scratch = (struct gl_arena){0};
    for (size_t p = 0; p < replay->options->place_count; p++) {
        const struct gl_backtest_place *place = &replay->options->places[p];
        float *values = gl_arena_take(&truth->scratch, 3 * hours * sizeof *values);

        lay(&place->intensity->actuals, job->arrival_s, hours, values);
        truth->past[p] = (struct gl_ensemble){
            .start_s = job->arrival_s,
            .hours = hours,
            .paths = PATHS,
            .value = values,
            .central = values + PATHS * hours,
        };
        truth->places[p] = (struct gl_plan_place){.intensity = &truth->past[p], .pue = place->pue};
    }
}

static struct gl_plan_request request_of(const struct replay *replay, const struct truth *truth,
                                         const struct gl_backtest_job *job)
{
    return (struct gl_plan_request){
        .places = truth->places,
        .count = replay->options->place_count,
        .home = job->home,
        .work_hours = job->work_h,
        .latest_start_h = SIZE_MAX,
        .deadline_h = job->deadline_h,
        .kwh_per_hour = (double)job->kwh_per_hour,
        .start_kwh = replay->options->start_kwh,
        .copy = replay->options->copy,
        .may_pause = job->may_pause,
        .may_place = replay->options->place_count > 1,
        .may_move = replay->options->place_count > 1,
        .confidence = 0.999, /* of two paths: the lower and the higher one */
        .criterion = GL_PLAN_BY_CENTRAL,
    };
}

static void note(const struct gl_plan *plan, struct gl_backtest_run *run)
{
    run->emitted_g = plan->figures.emitted_g;
    run->has_baseline = plan->figures.has_baseline;
    if (run->has_baseline) {
        run->baseline_g = plan->figures.baseline_g;
        run->saved_g = plan->figures.saved_g;
    }
}

void gl_backtest_account_run(struct replay *replay, size_t job, struct gl_backtest_run *run)
{
    const struct gl_backtest_job *of = &replay->options->jobs[job];
    int where[GL_BACKTEST_DEADLINE_H];
    struct gl_plan_request request;
    struct gl_error ignored = {0};
    struct gl_plan plan = {0};
    struct truth truth;

    truth_init(replay, of, &truth);
    request = request_of(replay, &truth, of);
    for (size_t h = 0; h < run->hours; h++)
        where[h] = run->where[h] == GL_BACKTEST_NOWHERE ? GL_REGION_NONE : run->where[h];
    if (gl_plan_judge(&request, where, run->hours, &truth.scratch, &plan, &ignored) == 0 &&
        plan.is_feasible)
        note(&plan, run);
    else
        run->end = GL_BACKTEST_UNKNOWN;
    gl_arena_done(&truth.scratch);
}

/* The hours and places of a plan as those of a run. */
static void write_run(const struct gl_plan *plan, struct gl_backtest_run *run, uint8_t *where)
{
    for (size_t h = 0; h < run->hours; h++)
        if (h < plan->hours && plan->where[h] != GL_REGION_NONE)
            where[h] = (uint8_t)plan->where[h];
    run->wait_h = (uint32_t)plan->start_h;
    run->span_h = (uint32_t)plan->end_h;
    run->first_place = where[plan->start_h];
    run->pauses = (uint16_t)(plan->starts - 1);
    run->moves = (uint16_t)plan->moves;
}

void gl_backtest_account_oracle(struct replay *replay, size_t job)
{
    const struct gl_backtest_job *of = &replay->options->jobs[job];
    struct gl_backtest_run *run = &replay->runs[GL_BACKTEST_ORACLE][job];
    uint8_t *where = gl_arena_take(replay->arena, of->deadline_h);
    struct gl_plan_request request;
    struct gl_error ignored = {0};
    struct gl_plan plan = {0};
    struct truth truth;

    memset(where, GL_BACKTEST_NOWHERE, of->deadline_h);
    run->where = where;
    run->hours = of->deadline_h;
    truth_init(replay, of, &truth);
    request = request_of(replay, &truth, of);
    run->end = GL_BACKTEST_UNKNOWN;
    if (gl_plan_make(&request, &truth.scratch, &plan, &ignored) == 0 && plan.is_feasible) {
        run->end = GL_BACKTEST_DONE;
        write_run(&plan, run, where);
        for (size_t h = 0; h < run->hours; h++)
            run->outside_h +=
                where[h] != GL_BACKTEST_NOWHERE &&
                gl_backtest_rules_break(replay, where[h], of->arrival_s + (int64_t)h * GL_HOUR_S);
        note(&plan, run);
    }
    gl_arena_done(&truth.scratch);
}
