/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/backtest/part.h"

#include <stdlib.h>

/* All runs of a strategy as totals and spreads. */

static const uint32_t bars[GL_BACKTEST_WAITS] = {0, 1, 2, 3, 4, 6, 9, 12, 18, 24, 48, 96};

void gl_backtest_wait_bar(size_t i, uint32_t *out_low, uint32_t *out_high)
{
    *out_low = bars[i];
    *out_high = i + 1 < GL_BACKTEST_WAITS ? bars[i + 1] - 1 : UINT32_MAX;
}

static size_t bar_of(uint32_t wait_h)
{
    size_t i = GL_BACKTEST_WAITS - 1;

    while (bars[i] > wait_h)
        i--;
    return i;
}

static int ascending(const void *left, const void *right)
{
    const double *a = left, *b = right;

    return *a < *b ? -1 : *a > *b;
}

/* The smallest value that at least `percent` of them do not exceed. */
static double percentile(const double *values, size_t count, unsigned percent)
{
    size_t rank = (count * percent + 99) / 100;

    return values[rank > 0 ? rank - 1 : 0];
}

static struct gl_backtest_spread spread_of(double *values, size_t count)
{
    if (count == 0)
        return (struct gl_backtest_spread){0};
    qsort(values, count, sizeof *values, ascending);
    return (struct gl_backtest_spread){
        .p5 = percentile(values, count, 5),
        .p25 = percentile(values, count, 25),
        .p50 = percentile(values, count, 50),
        .p75 = percentile(values, count, 75),
        .p95 = percentile(values, count, 95),
        .least = values[0],
        .most = values[count - 1],
    };
}

static void add_band(struct gl_band *sum, const struct gl_band *band)
{
    sum->low += band->low;
    sum->central += band->central;
    sum->high += band->high;
}

/* Room for one figure a job. */
struct lists {
    double *saved, *waits;
    size_t saved_count, wait_count;
};

static void compare(const struct gl_backtest_run *run, const struct gl_backtest_run *bound,
                    struct gl_backtest_total *total, struct lists *lists)
{
    /* What rounding leaves of a difference is none. */
    const double eps = 1e-9 * run->baseline_g.central;

    total->compared++;
    add_band(&total->emitted_g, &run->emitted_g);
    add_band(&total->baseline_g, &run->baseline_g);
    add_band(&total->saved_g, &run->saved_g);
    total->bound_g += bound->saved_g.central;
    total->better += run->saved_g.central > eps;
    total->worse += run->saved_g.central < -eps;
    if (run->baseline_g.central > 0)
        lists->saved[lists->saved_count++] = 100 * run->saved_g.central / run->baseline_g.central;
}

/* The same job by other strategies: what it is compared with. */
struct others {
    const struct gl_backtest_run *baseline, *bound;
};

static void add_run(const struct gl_backtest_run *run, const struct others *others,
                    struct gl_backtest_total *total, struct lists *lists)
{
    bool has_started = run->end == GL_BACKTEST_DONE || run->end == GL_BACKTEST_MISSED ||
                       run->end == GL_BACKTEST_STOPPED;

    total->ends[run->end]++;
    total->whys[run->why]++;
    total->unplanned += run->was_unplanned;
    total->refused_though_green += run->was_green;
    total->outside_h += run->outside_h;
    total->pauses += run->pauses;
    total->moves += run->moves;
    total->plan_pauses += run->plan_pauses;
    total->held_h += run->held_h;
    total->made_up_h += run->made_up_h;
    total->issued += run->issued;
    total->kept += run->kept;
    total->breached += run->breached;
    for (uint32_t h = 0; run->where != NULL && h < run->hours; h++)
        total->running_h += run->where[h] != GL_BACKTEST_NOWHERE;
    if (has_started) {
        total->waits[bar_of(run->wait_h)]++;
        lists->waits[lists->wait_count++] = run->wait_h;
        total->mean_wait_h += run->wait_h;
    }
    if (run->end == GL_BACKTEST_DONE && run->has_baseline &&
        others->baseline->end == GL_BACKTEST_DONE)
        compare(run, others->bound, total, lists);
    if (run->end == GL_BACKTEST_MISSED || run->end == GL_BACKTEST_STOPPED)
        total->lost_g += run->emitted_g.central;
}

static void total_of(const struct replay *replay, enum gl_backtest_strategy strategy,
                     struct lists *lists, struct gl_backtest_total *out)
{
    const size_t count = replay->options->job_count;
    struct gl_backtest_total total = {0};

    lists->saved_count = lists->wait_count = 0;
    for (size_t i = 0; i < count; i++) {
        const struct others others = {&replay->runs[GL_BACKTEST_NOW][i],
                                      &replay->runs[GL_BACKTEST_ORACLE][i]};

        add_run(&replay->runs[strategy][i], &others, &total, lists);
    }
    total.is_absent = total.ends[GL_BACKTEST_ABSENT] == count;
    total.equal = total.compared - total.better - total.worse;
    total.unsettled = total.issued - total.kept - total.breached;
    if (total.baseline_g.central > 0)
        total.saved_percent = 100 * total.saved_g.central / total.baseline_g.central;
    if (lists->wait_count > 0)
        total.mean_wait_h /= (double)lists->wait_count;
    total.saved_share = spread_of(lists->saved, lists->saved_count);
    total.wait_h = spread_of(lists->waits, lists->wait_count);
    *out = total;
}

void gl_backtest_tally(const struct replay *replay, struct gl_backtest_result *out)
{
    const size_t count = replay->options->job_count;
    struct lists lists = {
        .saved = gl_arena_take(replay->arena, (count + 1) * sizeof(double)),
        .waits = gl_arena_take(replay->arena, (count + 1) * sizeof(double)),
    };

    for (int s = 0; s < GL_BACKTEST_STRATEGIES; s++)
        total_of(replay, (enum gl_backtest_strategy)s, &lists, &out->totals[s]);
}
