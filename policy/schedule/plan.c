/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/schedule/plan_view.h"

#include <math.h>

/* Candidates for one kind of cost line. */
struct lines {
    int64_t *cost; /* [place * slots + hour] */
    int64_t *move; /* of one end of a move, likewise; closed hours cannot be left or entered */
    int64_t *first;
    bool *run;
    int *where;
};

static bool is_usable(const struct gl_plan_view *view, size_t place)
{
    const struct gl_plan_request *request = view->request;

    return request->may_place || request->may_move || place == (size_t)request->home;
}

static void make_lines(const struct gl_plan_view *view, enum gl_plan_line kind, struct lines *to)
{
    const size_t slots = view->slots;

    for (size_t place = 0; place < view->request->count; place++)
        if (is_usable(view, place))
            gl_plan_line(view, kind, place, to->cost + place * slots);
    for (size_t i = 0; i < view->request->count * slots; i++) {
        to->move[i] = GL_COST_CLOSED;
        if (gl_cost_is_open(to->cost[i]))
            to->move[i] = llround(view->move_slots[i / slots] * (double)to->cost[i]);
        if (to->move[i] < 0 || !view->has_copy)
            to->move[i] = 0;
    }
}

/* What the first start in `place` costs more, by hour. */
static void first_costs(const struct gl_plan_view *view, size_t place, const struct lines *lines)
{
    const size_t slots = view->slots, home = (size_t)view->request->home, took = view->move_h;

    for (size_t h = 0; h < slots; h++) {
        lines->first[h] = 0;
        if (h > view->request->latest_start_h || (place != home && h < took))
            lines->first[h] = GL_COST_CLOSED;
        else if (place != home)
            lines->first[h] =
                lines->move[home * slots + h - took] + lines->move[place * slots + h - took];
    }
}

/* Whether and when it runs in one place. */
static bool pause_in(const struct gl_plan_view *view, size_t place, const struct lines *lines)
{
    const struct gl_plan_request *request = view->request;
    const struct gl_pause_rules rules = {
        .start_slots = view->start_slots, .min_run = request->min_run_h, .first = lines->first};
    const bool is_simple = view->start_slots <= 0 && request->min_run_h <= 1 &&
                           request->latest_start_h >= view->slots &&
                           (place == (size_t)request->home || !view->has_copy);
    const int64_t *cost = lines->cost + place * view->slots;
    int64_t total;

    /* No price of starting anywhere: the cheapest hours are the plan. */
    if (is_simple)
        return gl_pause_cheapest(cost, view->slots, request->work_hours,
                                 gl_arena_take(view->arena, view->slots * sizeof *cost), lines->run,
                                 &total);
    return gl_pause_plan(cost, view->slots, request->work_hours, &rules, view->arena, lines->run,
                         &total);
}

static void try_pauses(const struct gl_plan_view *view, const struct lines *lines,
                       struct gl_plan_best *best)
{
    for (size_t place = 0; place < view->request->count; place++) {
        if (!is_usable(view, place))
            continue;
        first_costs(view, place, lines);
        if (!pause_in(view, place, lines))
            continue;
        for (size_t h = 0; h < view->slots; h++)
            lines->where[h] = lines->run[h] ? (int)place : GL_REGION_NONE;
        gl_plan_offer(view, lines->where, best);
    }
}

static struct gl_region_lines regions_of(const struct gl_plan_view *view, const struct lines *lines)
{
    return (struct gl_region_lines){
        .regions = view->request->count,
        .slots = view->slots,
        .cost = lines->cost,
        .leave = lines->move,
        .enter = lines->move,
        .home = view->request->home,
        .copy_slots = view->move_h,
        .latest_start = view->request->latest_start_h,
    };
}

/* Without pauses, from every start; with them, all at once. */
static void try_moves(const struct gl_plan_view *view, const struct lines *lines,
                      struct gl_plan_best *best)
{
    const struct gl_plan_request *request = view->request;
    const struct gl_region_lines regions = regions_of(view, lines);
    const struct gl_pause_rules rules = {.start_slots = view->start_slots};
    size_t last = view->slots - request->work_hours;
    int64_t cost;

    last = request->latest_start_h < last ? request->latest_start_h : last;
    for (size_t start = request->earliest_start_h; view->move_h == 0 && start <= last; start++) {
        struct gl_arena scratch = {0};

        if (gl_region_run(&regions, start, request->work_hours, &scratch, lines->where, &cost))
            gl_plan_offer(view, lines->where, best);
        gl_arena_done(&scratch);
    }
    if (request->may_pause && request->min_run_h <= 1) {
        struct gl_arena scratch = {0};

        if (gl_region_pause(&regions, request->work_hours, &rules, &scratch, lines->where, &cost))
            gl_plan_offer(view, lines->where, best);
        gl_arena_done(&scratch);
    }
}

static void search(const struct gl_plan_view *view, struct gl_plan_best *best)
{
    const struct gl_plan_request *request = view->request;
    const size_t all = request->count * view->slots;
    struct lines lines;

    gl_plan_windows(view, best);
    if (!request->may_pause && !request->may_move)
        return;
    lines.cost = gl_arena_take(view->arena, all * sizeof *lines.cost);
    lines.move = gl_arena_take(view->arena, all * sizeof *lines.move);
    lines.first = gl_arena_take(view->arena, view->slots * sizeof *lines.first);
    lines.run = gl_arena_take(view->arena, view->slots * sizeof *lines.run);
    lines.where = gl_arena_take(view->arena, view->slots * sizeof *lines.where);
    for (int kind = 0; kind < GL_PLAN_LINES; kind++) {
        if (request->criterion == GL_PLAN_BY_CENTRAL && kind != GL_PLAN_LINE_CENTRAL)
            break;
        make_lines(view, (enum gl_plan_line)kind, &lines);
        if (request->may_pause)
            try_pauses(view, &lines, best);
        if (request->may_move && request->count > 1)
            try_moves(view, &lines, best);
    }
}

/* ---- beyond the forecast ---- */

static bool climate_run(const struct gl_plan_view *view, size_t place, size_t start,
                        double *out_slots)
{
    const struct gl_plan_request *request = view->request;
    const bool is_home = place == (size_t)request->home;
    double slots = 0;

    for (size_t h = start; h < start + request->work_hours; h++) {
        if (request->places[place].climate == NULL || !isfinite(gl_plan_value(view, place, 0, h)))
            return false;
        slots += gl_plan_value(view, place, 0, h);
    }
    slots += view->start_slots * gl_plan_value(view, place, 0, start);
    if (!is_home && view->has_copy) {
        const size_t home = (size_t)request->home;

        if (request->places[home].climate == NULL)
            return false;
        slots += view->move_slots[home] * gl_plan_value(view, home, 0, start) +
                 view->move_slots[place] * gl_plan_value(view, place, 0, start);
    }
    *out_slots = slots;
    return true;
}

/* The climate figure repeats every day: a day of starts is all of them. */
static void judge_tail(const struct gl_plan_view *view, struct gl_plan *out)
{
    const struct gl_plan_request *request = view->request;
    const bool is_free = request->may_place || request->may_move;
    size_t end = request->deadline_h, start = view->forecast_h;

    if (end == SIZE_MAX || end < request->work_hours)
        return;
    start = request->earliest_start_h > start ? request->earliest_start_h : start;
    for (size_t last = start + 24; start < last; start++) {
        if (start > end - request->work_hours || start > request->latest_start_h)
            return;
        for (size_t place = 0; place < request->count; place++) {
            double slots;

            if ((!is_free && place != (size_t)request->home) ||
                !climate_run(view, place, start, &slots))
                continue;
            slots *= view->kwh;
            if (!out->has_tail || slots < out->tail_at_most_g)
                out->tail_at_most_g = slots;
            out->has_tail = true;
        }
    }
}

/* Hours to plan in: to the deadline, but not beyond the forecast unless the job is longer. */
static size_t planned_hours(const struct gl_plan_request *request)
{
    const size_t forecast = request->places[0].intensity->hours;
    const size_t needed = request->earliest_start_h + request->work_hours;
    const size_t slots = needed > forecast ? needed : forecast;

    return request->deadline_h < slots ? request->deadline_h : slots;
}

int gl_plan_make(const struct gl_plan_request *request, struct gl_arena *arena, struct gl_plan *out,
                 struct gl_error *err)
{
    struct gl_plan plan = {0};
    struct gl_plan_best best = {0};
    struct gl_plan_terms terms;
    struct gl_plan_view view;
    size_t slots;

    if (gl_plan_check(request, err) != 0)
        return -1;
    slots = planned_hours(request);
    if (request->may_move && request->may_pause &&
        slots + 1 > GL_REGION_TABLE / (request->work_hours + 1) / request->count)
        return gl_fail(err, GL_E_TOO_LARGE, "too many places for so long a job with pauses");
    if (gl_plan_view_init(request, slots, arena, &view, err) != 0)
        return -1;
    plan.paths = view.paths;
    plan.forecast_h = view.forecast_h;
    if (request->deadline_h != SIZE_MAX && request->deadline_h > view.forecast_h)
        plan.uncovered_h = request->deadline_h - view.forecast_h;
    judge_tail(&view, &plan);
    best.where = gl_arena_take(arena, (slots + 1) * sizeof *best.where);
    if (slots >= request->work_hours)
        search(&view, &best);
    gl_plan_stay(&view, &best);
    if (best.is_found) {
        gl_plan_terms(&view, best.where, &terms);
        gl_plan_report(&view, best.where, &terms, &plan);
    }
    *out = plan;
    return 0;
}

int gl_plan_judge(const struct gl_plan_request *request, const int *where, size_t hours,
                  struct gl_arena *arena, struct gl_plan *out, struct gl_error *err)
{
    struct gl_plan plan = {0};
    struct gl_plan_terms terms;
    struct gl_plan_view view;
    int *padded;
    size_t slots;

    if (gl_plan_check(request, err) != 0)
        return -1;
    slots = hours > request->work_hours ? hours : request->work_hours;
    if (gl_plan_view_init(request, slots, arena, &view, err) != 0)
        return -1;
    padded = gl_arena_take(arena, slots * sizeof *padded);
    for (size_t h = 0; h < slots; h++) {
        padded[h] = h < hours ? where[h] : GL_REGION_NONE;
        if (padded[h] != GL_REGION_NONE && (padded[h] < 0 || (size_t)padded[h] >= request->count))
            return gl_fail(err, GL_E_BAD_VALUE, "hour %zu runs in no known place", h);
    }
    plan.paths = view.paths;
    plan.forecast_h = view.forecast_h;
    gl_plan_terms(&view, padded, &terms);
    if (terms.is_open && terms.count > 0)
        gl_plan_report(&view, padded, &terms, &plan);
    *out = plan;
    return 0;
}
