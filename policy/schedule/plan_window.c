/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/schedule/plan_view.h"

/* Contiguous runs, every start on every path: the quantile of each start's sums, not the sum of
 * quantiles, in O(starts * paths) a place. */

struct sums {
    double *sum;    /* [path * (slots + 1) + hour] of one place, paths + 1 futures */
    size_t *closed; /* slots + 1: hours without a figure before */
    double *grams;  /* of one start, paths + 1 */
};

static void add_up(const struct gl_plan_view *view, size_t place, const struct sums *to)
{
    const size_t slots = view->slots;

    to->closed[0] = 0;
    for (size_t h = 0; h < slots; h++)
        to->closed[h + 1] = to->closed[h] + !view->is_open[place * slots + h];
    for (size_t path = 0; path <= view->paths; path++) {
        double *sum = to->sum + path * (slots + 1);

        sum[0] = 0;
        for (size_t h = 0; h < slots; h++) {
            const bool is_open = view->is_open[place * slots + h];

            sum[h + 1] = sum[h] + (is_open ? gl_plan_value(view, place, path, h) : 0);
        }
    }
}

static void start_at(const struct gl_plan_view *view, size_t place, size_t start,
                     const struct sums *sums)
{
    const size_t home = (size_t)view->request->home, work = view->request->work_hours;
    const bool is_moved = place != home && view->has_copy;

    for (size_t path = 0; path <= view->paths; path++) {
        const double *sum = sums->sum + path * (view->slots + 1);
        double slots = sum[start + work] - sum[start];

        slots += view->start_slots * gl_plan_value(view, place, path, start);
        if (is_moved)
            slots +=
                view->move_slots[home] * gl_plan_value(view, home, path, start - view->move_h) +
                view->move_slots[place] * gl_plan_value(view, place, path, start - view->move_h);
        sums->grams[path] = slots * view->kwh;
    }
}

static bool may_start(const struct gl_plan_view *view, size_t place, size_t start,
                      const struct sums *sums)
{
    const size_t home = (size_t)view->request->home, took = view->move_h;

    if (sums->closed[start + view->request->work_hours] != sums->closed[start])
        return false;
    if (place == home || !view->has_copy)
        return true;
    return start >= view->request->earliest_start_h + took &&
           view->is_open[home * view->slots + start - took] &&
           view->is_open[place * view->slots + start - took];
}

static void write_run(const struct gl_plan_view *view, size_t place, size_t start, int *out_where)
{
    for (size_t h = 0; h < view->slots; h++)
        out_where[h] =
            h >= start && h - start < view->request->work_hours ? (int)place : GL_REGION_NONE;
}

static void try_place(const struct gl_plan_view *view, size_t place, const struct sums *sums,
                      struct gl_plan_best *best)
{
    const struct gl_plan_request *request = view->request;
    size_t last = view->slots - request->work_hours;

    last = request->latest_start_h < last ? request->latest_start_h : last;
    for (size_t start = request->earliest_start_h; start <= last; start++) {
        if (!may_start(view, place, start, sums))
            continue;
        start_at(view, place, start, sums);
        if (best->is_found && !gl_plan_is_better(view, sums->grams, best->score))
            continue;
        best->is_found = true;
        best->score = gl_plan_score(view, sums->grams);
        write_run(view, place, start, best->where);
    }
}

void gl_plan_windows(const struct gl_plan_view *view, struct gl_plan_best *best)
{
    const struct gl_plan_request *request = view->request;
    const bool is_free = request->may_place || request->may_move;
    struct sums sums;

    sums.sum = gl_arena_take(view->arena, (view->paths + 1) * (view->slots + 1) * sizeof *sums.sum);
    sums.closed = gl_arena_take(view->arena, (view->slots + 1) * sizeof *sums.closed);
    sums.grams = gl_arena_take(view->arena, (view->paths + 1) * sizeof *sums.grams);
    /* Home first: of equals, nothing is moved. */
    add_up(view, (size_t)request->home, &sums);
    try_place(view, (size_t)request->home, &sums, best);
    for (size_t place = 0; is_free && place < request->count; place++) {
        if (place == (size_t)request->home)
            continue;
        add_up(view, place, &sums);
        try_place(view, place, &sums, best);
    }
}
