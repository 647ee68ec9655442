/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/schedule/plan_view.h"

#include <string.h>

/* Below this on average, g/kWh, a baseline is next to nothing and a percentage of it is noise. */
#define LEAST_BASELINE 1.0

static void add_term(struct gl_plan_terms *terms, const struct gl_plan_view *view,
                     struct gl_plan_term term)
{
    terms->is_open = terms->is_open && view->is_open[term.place * view->slots + term.hour];
    terms->term[terms->count++] = term;
}

/* The copy before hour `h`, at both ends, in hours in which nothing runs. */
static void add_move(struct gl_plan_terms *terms, const struct gl_plan_view *view, size_t h,
                     const size_t from_to[2])
{
    terms->moves++;
    if (!view->has_copy)
        return;
    if (h < view->move_h || (terms->end_h > 0 && h - terms->end_h < view->move_h)) {
        terms->is_open = false;
        return;
    }
    for (size_t end = 0; end < 2; end++)
        add_term(terms, view,
                 (struct gl_plan_term){.place = from_to[end],
                                       .hour = h - view->move_h,
                                       .weight = view->move_slots[from_to[end]]});
}

/* Hour `h` in place `to`; the data was in `from`. */
static void add_hour(struct gl_plan_terms *terms, const struct gl_plan_view *view, size_t h,
                     const size_t from_to[2], bool is_start)
{
    const double weight = 1 + (is_start ? view->start_slots : 0);

    if (from_to[0] != from_to[1])
        add_move(terms, view, h, from_to);
    add_term(terms, view, (struct gl_plan_term){.place = from_to[1], .hour = h, .weight = weight});
    terms->starts += is_start;
    if (terms->end_h == 0)
        terms->first_h = h;
    terms->end_h = h + 1;
    terms->climate_h += h >= view->forecast_h;
}

void gl_plan_terms(const struct gl_plan_view *view, const int *where, struct gl_plan_terms *out)
{
    struct gl_plan_terms terms = {.is_open = true};
    size_t at = (size_t)view->request->home;

    terms.term = gl_arena_take(view->arena, (3 * view->slots + 1) * sizeof *terms.term);
    for (size_t h = 0; h < view->slots; h++) {
        const bool is_start = h == 0 || where[h - 1] == GL_REGION_NONE;

        if (where[h] == GL_REGION_NONE)
            continue;
        add_hour(&terms, view, h, (size_t[2]){at, (size_t)where[h]}, is_start);
        at = (size_t)where[h];
    }
    *out = terms;
}

void gl_plan_emitted(const struct gl_plan_view *view, const struct gl_plan_terms *terms,
                     double *out_g)
{
    for (size_t path = 0; path <= view->paths; path++) {
        double sum = 0;

        for (size_t i = 0; i < terms->count; i++)
            sum += terms->term[i].weight *
                   gl_plan_value(view, terms->term[i].place, path, terms->term[i].hour);
        out_g[path] = sum * view->kwh;
    }
}

double gl_plan_score(const struct gl_plan_view *view, double *grams)
{
    if (view->request->criterion == GL_PLAN_BY_CENTRAL)
        return grams[gl_plan_central(view)];
    return gl_quantile_upper(grams, view->paths, view->request->confidence);
}

bool gl_plan_is_better(const struct gl_plan_view *view, const double *grams, double score)
{
    if (view->request->criterion == GL_PLAN_BY_CENTRAL)
        return grams[gl_plan_central(view)] < score;
    return gl_quantile_upper_is_below(grams, view->paths, view->request->confidence, score);
}

void gl_plan_offer(const struct gl_plan_view *view, const int *where, struct gl_plan_best *best)
{
    struct gl_arena scratch = {0};
    struct gl_plan_view here = *view;
    struct gl_plan_terms terms;

    here.arena = &scratch;
    gl_plan_terms(&here, where, &terms);
    if (terms.is_open) {
        double *grams = gl_arena_take(&scratch, (view->paths + 1) * sizeof *grams);

        gl_plan_emitted(view, &terms, grams);
        if (!best->is_found || gl_plan_is_better(view, grams, best->score)) {
            best->is_found = true;
            best->score = gl_plan_score(view, grams);
            memcpy(best->where, where, view->slots * sizeof *where);
        }
    }
    gl_arena_done(&scratch);
}

/* Quantiles of the paths, widened to what the forecast itself says; reorders `values`. */
static struct gl_band band_of(const struct gl_plan_view *view, double *values)
{
    const double share = view->request->confidence, central = values[view->paths];
    struct gl_band band = {.central = central};

    band.low = gl_quantile_lower(values, view->paths, share);
    band.high = gl_quantile_upper(values, view->paths, share);
    band.low = central < band.low ? central : band.low;
    band.high = central > band.high ? central : band.high;
    return band;
}

static bool has_percentage(const struct gl_plan_view *view, const double *baseline)
{
    const double least = LEAST_BASELINE * view->kwh * view->share[view->request->home] *
                         (double)view->request->work_hours;

    for (size_t path = 0; path <= view->paths; path++)
        if (!(baseline[path] >= least))
            return false;
    return true;
}

static void compare(const struct gl_plan_view *view, const double *emitted, double *baseline,
                    struct gl_plan_figures *out)
{
    const size_t count = view->paths + 1;
    double *saved = gl_arena_take(view->arena, count * sizeof *saved);
    double *percent = gl_arena_take(view->arena, count * sizeof *percent);
    size_t better = 0;

    out->has_percent = has_percentage(view, baseline);
    for (size_t path = 0; path < count; path++) {
        saved[path] = baseline[path] - emitted[path];
        better += path < view->paths && saved[path] > 0;
        if (out->has_percent)
            percent[path] = 100 * saved[path] / baseline[path];
    }
    out->saves_share = (double)better / (double)view->paths;
    if (out->has_percent)
        out->saved_percent = band_of(view, percent);
    out->saved_g = band_of(view, saved);
    out->baseline_g = band_of(view, baseline);
}

/* Start now, same place. */
static bool baseline_terms(const struct gl_plan_view *view, int *where, struct gl_plan_terms *out)
{
    if (view->request->work_hours > view->slots)
        return false;
    for (size_t h = 0; h < view->slots; h++)
        where[h] = h < view->request->work_hours ? view->request->home : GL_REGION_NONE;
    gl_plan_terms(view, where, out);
    return out->is_open;
}

static double central_g(const struct gl_plan_view *view, const struct gl_plan_terms *terms)
{
    double *grams = gl_arena_take(view->arena, (view->paths + 1) * sizeof *grams);

    gl_plan_emitted(view, terms, grams);
    return grams[view->paths];
}

void gl_plan_stay(const struct gl_plan_view *view, struct gl_plan_best *best)
{
    int *where = gl_arena_take(view->arena, view->slots * sizeof *where);
    struct gl_plan_terms chosen, now;

    if (!best->is_found || view->request->may_pause || view->request->earliest_start_h > 0 ||
        !baseline_terms(view, where, &now))
        return;
    gl_plan_terms(view, best->where, &chosen);
    if (central_g(view, &chosen) >= central_g(view, &now))
        memcpy(best->where, where, view->slots * sizeof *where);
}

static double supported(const struct gl_plan_view *view)
{
    const double most = (double)view->paths / (double)(view->paths + 1);

    return view->request->confidence < most ? view->request->confidence : most;
}

void gl_plan_report(const struct gl_plan_view *view, const int *where,
                    const struct gl_plan_terms *terms, struct gl_plan *out)
{
    const size_t count = view->paths + 1;
    double *emitted = gl_arena_take(view->arena, count * sizeof *emitted);
    double *baseline = gl_arena_take(view->arena, count * sizeof *baseline);
    int *same = gl_arena_take(view->arena, view->slots * sizeof *same);
    struct gl_plan_terms now;

    out->is_feasible = true;
    out->hours = view->slots;
    out->where = gl_arena_take(view->arena, view->slots * sizeof *out->where);
    memcpy(out->where, where, view->slots * sizeof *where);
    out->start_h = terms->first_h;
    out->end_h = terms->end_h;
    out->starts = terms->starts;
    out->moves = terms->moves;
    out->climate_h = terms->climate_h;
    out->figures = (struct gl_plan_figures){.confidence = supported(view)};
    gl_plan_emitted(view, terms, emitted);
    out->figures.has_baseline = baseline_terms(view, same, &now);
    if (out->figures.has_baseline) {
        gl_plan_emitted(view, &now, baseline);
        compare(view, emitted, baseline, &out->figures);
    }
    out->figures.emitted_g = band_of(view, emitted);
}
