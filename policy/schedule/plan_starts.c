/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/schedule/plan_starts.h"

#include "policy/schedule/plan_view.h"

/* The best start up to some hour. */
struct pick {
    double score; /* grams for each kWh of a running hour, the quantile that was asked for */
    size_t start;
    bool is_found;
};

/* One length in one place. */
struct line {
    struct pick *pick; /* by the latest start that is allowed; `done` of them are known */
    size_t done;
};

struct sums {
    double *sum;    /* [hour * paths + path]: of the hours before */
    size_t *closed; /* hours + 1: hours without a figure before */
    struct line *line;
};

struct gl_plan_starts {
    struct gl_arena *arena;
    const struct gl_plan_place *places;
    size_t count, hours, paths;
    double confidence, *grams;
    struct sums *sums; /* a place; without `sum`: not yet asked for */
};

struct gl_plan_starts *gl_plan_starts_new_in(struct gl_arena *arena,
                                             const struct gl_plan_place *places, size_t count,
                                             double confidence)
{
    struct gl_plan_starts *starts = gl_arena_take(arena, sizeof *starts);

    *starts = (struct gl_plan_starts){
        .arena = arena,
        .places = places,
        .count = count,
        .hours = places[0].intensity->hours,
        .paths = places[0].intensity->paths,
        .confidence = confidence,
    };
    starts->grams = gl_arena_take(arena, starts->paths * sizeof *starts->grams);
    starts->sums = gl_arena_take(arena, count * sizeof *starts->sums);
    return starts;
}

bool gl_plan_starts_serve(const struct gl_plan_request *request)
{
    for (size_t p = 0; p < request->count; p++)
        if (request->places[p].kwh_per_hour > 0)
            return false;
    return !request->may_pause && !request->may_move && !(request->start_kwh > 0) &&
           !(request->may_place && request->copy.data_gb > 0) && request->earliest_start_h == 0 &&
           request->criterion == GL_PLAN_BY_QUANTILE &&
           request->deadline_h <= request->places[0].intensity->hours;
}

static void add_up(struct gl_plan_starts *starts, size_t place)
{
    const struct gl_plan_place *at = &starts->places[place];
    const size_t hours = starts->hours, paths = starts->paths;
    struct sums *to = &starts->sums[place];

    to->sum = gl_arena_take(starts->arena, (hours + 1) * paths * sizeof *to->sum);
    to->closed = gl_arena_take(starts->arena, (hours + 1) * sizeof *to->closed);
    to->line = gl_arena_take(starts->arena, (hours + 1) * sizeof *to->line);
    for (size_t h = 0; h < hours; h++) {
        const bool is_open = gl_plan_is_open(at, h);

        to->closed[h + 1] = to->closed[h] + !is_open;
        for (size_t path = 0; path < paths; path++)
            to->sum[(h + 1) * paths + path] =
                to->sum[h * paths + path] +
                (is_open ? at->pue * (double)gl_plan_raw(at, path, h) : 0);
    }
}

static void try_start(struct gl_plan_starts *starts, const struct sums *sums, size_t work,
                      size_t start, struct pick *best)
{
    const size_t paths = starts->paths;
    const double *from = sums->sum + start * paths, *until = sums->sum + (start + work) * paths;

    if (sums->closed[start + work] != sums->closed[start])
        return;
    for (size_t path = 0; path < paths; path++)
        starts->grams[path] = until[path] - from[path];
    if (best->is_found &&
        !gl_quantile_upper_is_below(starts->grams, paths, starts->confidence, best->score))
        return;
    best->is_found = true;
    best->start = start;
    best->score = gl_quantile_upper(starts->grams, paths, starts->confidence);
}

static struct pick best_until(struct gl_plan_starts *starts, size_t place, size_t work, size_t last)
{
    struct sums *sums = &starts->sums[place];
    struct line *line;

    if (sums->sum == NULL)
        add_up(starts, place);
    line = &sums->line[work];
    if (line->pick == NULL)
        line->pick = gl_arena_take(starts->arena, (starts->hours - work + 1) * sizeof *line->pick);
    for (; line->done <= last; line->done++) {
        if (line->done > 0)
            line->pick[line->done] = line->pick[line->done - 1];
        try_start(starts, sums, work, line->done, &line->pick[line->done]);
    }
    return line->pick[last];
}

/* If the forecast comes true. */
static double central_g(const struct gl_plan_request *request, size_t place, size_t start)
{
    const struct gl_plan_place *at = &request->places[place];
    double sum = 0;

    for (size_t h = start; h < start + request->work_hours; h++)
        sum += at->pue * (double)gl_plan_raw(at, at->intensity->paths, h);
    return sum * request->kwh_per_hour;
}

/* As gl_plan_stay(). */
static bool stays(const struct gl_plan_starts *starts, const struct gl_plan_request *request,
                  size_t place, size_t start)
{
    const size_t home = (size_t)request->home;

    return starts->sums[home].closed[request->work_hours] == 0 &&
           central_g(request, place, start) >= central_g(request, home, 0);
}

bool gl_plan_starts_find(struct gl_plan_starts *starts, const struct gl_plan_request *request,
                         size_t *out_place, size_t *out_start_h)
{
    const size_t home = (size_t)request->home, work = request->work_hours;
    struct gl_error ignored = {0};
    size_t last, place = home;
    struct pick best;

    if (gl_plan_check(request, &ignored) != 0 || work > request->deadline_h)
        return false;
    last = request->deadline_h - work;
    last = request->latest_start_h < last ? request->latest_start_h : last;
    /* Home first: of equals, nothing is moved. */
    best = best_until(starts, home, work, last);
    for (size_t p = 0; request->may_place && p < request->count; p++) {
        struct pick other = {0};

        if (p != home)
            other = best_until(starts, p, work, last);
        if (!other.is_found || (best.is_found && !(other.score < best.score)))
            continue;
        best = other;
        place = p;
    }
    if (!best.is_found)
        return false;
    if (stays(starts, request, place, best.start)) {
        place = home;
        best.start = 0;
    }
    *out_place = place;
    *out_start_h = best.start;
    return true;
}
