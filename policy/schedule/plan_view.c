/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/schedule/plan_view.h"

#include <math.h>
#include <stdlib.h>

#define MOST_HOURS 8784 /* a year */
#define MOST_PUE   10.0

bool gl_plan_is_open(const struct gl_plan_place *at, size_t hour)
{
    if (hour >= at->intensity->hours)
        return at->climate != NULL && gl_cost_is_believed(at->pue * gl_plan_climate(at, hour));
    for (size_t path = 0; path <= at->intensity->paths; path++)
        if (!gl_cost_is_believed(at->pue * gl_plan_raw(at, path, hour)))
            return false;
    return true;
}

static int check_copy(const struct gl_region_copy *copy, struct gl_error *err)
{
    if (!(copy->data_gb >= 0) || !isfinite(copy->data_gb))
        return gl_fail(err, GL_E_BAD_VALUE, "the data to move must be 0 GB or more");
    if (!(copy->kwh_per_gb >= 0) || !(copy->kwh_per_gb <= 1))
        return gl_fail(err, GL_E_BAD_VALUE, "energy of a transfer must be 0 to 1 kWh per GB");
    if (copy->data_gb > 0 && !(copy->gbit_per_s > 0))
        return gl_fail(err, GL_E_BAD_VALUE, "the bandwidth of a transfer must be above 0");
    if (!(copy->idle_kwh_per_hour >= 0) || !isfinite(copy->idle_kwh_per_hour))
        return gl_fail(err, GL_E_BAD_VALUE, "idle energy must be 0 kWh per hour or more");
    return 0;
}

static int check_place(const struct gl_plan_request *request, size_t i, struct gl_error *err)
{
    const struct gl_ensemble *first = request->places[0].intensity;
    const struct gl_ensemble *ensemble = request->places[i].intensity;

    if (ensemble->start_s != first->start_s || ensemble->hours != first->hours ||
        ensemble->paths != first->paths)
        return gl_fail(err, GL_E_BAD_VALUE,
                       "the forecasts of the places are not of the same hours");
    if (!(request->places[i].pue >= 1) || !(request->places[i].pue <= MOST_PUE))
        return gl_fail(err, GL_E_BAD_VALUE, "the PUE of a place must be 1 to %g", MOST_PUE);
    if (!(request->places[i].kwh_per_hour >= 0) || !isfinite(request->places[i].kwh_per_hour) ||
        !(request->places[i].idle_kwh_per_hour >= 0) ||
        !isfinite(request->places[i].idle_kwh_per_hour))
        return gl_fail(err, GL_E_BAD_VALUE, "energy in a place must be 0 kWh per hour or more");
    return 0;
}

static int check_size(const struct gl_plan_request *request, struct gl_error *err)
{
    const struct gl_ensemble *first = request->places[0].intensity;

    if (first->hours == 0 || first->hours > GL_ENSEMBLE_MAX_HOURS || first->paths == 0 ||
        first->paths > GL_ENSEMBLE_MAX_PATHS || first->start_s < 0 || first->start_s % 3600 != 0)
        return gl_fail(err, GL_E_BAD_VALUE, "the forecast is not 1 to %d whole hours, %d paths",
                       GL_ENSEMBLE_MAX_HOURS, GL_ENSEMBLE_MAX_PATHS);
    if (request->work_hours > MOST_HOURS || request->earliest_start_h > MOST_HOURS)
        return gl_fail(err, GL_E_TOO_LARGE, "plans reach at most %d hours", MOST_HOURS);
    return 0;
}

static int check_job(const struct gl_plan_request *request, struct gl_error *err)
{
    if (request->work_hours == 0 || !(request->kwh_per_hour > 0) ||
        !isfinite(request->kwh_per_hour))
        return gl_fail(err, GL_E_BAD_VALUE, "a plan needs an hour of work and energy to spend");
    if (!(request->start_kwh >= 0) || !(request->start_kwh <= 1000 * request->kwh_per_hour))
        return gl_fail(err, GL_E_BAD_VALUE, "energy of a start must be 0 to 1000 hours' worth");
    if (!(request->confidence >= 0.5) || !(request->confidence <= 0.999))
        return gl_fail(err, GL_E_BAD_VALUE, "confidence must be 50 to 99.9 %%");
    if (request->may_place || request->may_move)
        return check_copy(&request->copy, err);
    return 0;
}

int gl_plan_check(const struct gl_plan_request *request, struct gl_error *err)
{
    if (request->count == 0 || request->count > GL_REGION_COUNT)
        return gl_fail(err, GL_E_BAD_VALUE, "a plan needs 1 to %d places", GL_REGION_COUNT);
    if (request->home < 0 || (size_t)request->home >= request->count)
        return gl_fail(err, GL_E_BAD_VALUE, "home is not one of the places");
    if (check_size(request, err) != 0)
        return -1;
    for (size_t i = 0; i < request->count; i++)
        if (check_place(request, i, err) != 0)
            return -1;
    return check_job(request, err);
}

static double kwh_in(const struct gl_plan_request *request, size_t place)
{
    const double own = request->places[place].kwh_per_hour;

    return own > 0 ? own : request->kwh_per_hour;
}

static void lay_energy(const struct gl_plan_request *request, struct gl_plan_view *view)
{
    view->share = gl_arena_take(view->arena, request->count * sizeof *view->share);
    view->start_slots = request->start_kwh / request->kwh_per_hour;
    for (size_t place = 0; place < request->count; place++)
        view->kwh = fmax(view->kwh, kwh_in(request, place));
    for (size_t place = 0; place < request->count; place++)
        view->share[place] = kwh_in(request, place) / view->kwh;
}

static void lay_moves(const struct gl_plan_request *request, struct gl_plan_view *view)
{
    const double hours = gl_region_copy_hours(&request->copy);

    view->move_slots = gl_arena_take(view->arena, request->count * sizeof *view->move_slots);
    if ((!request->may_place && !request->may_move) || !(request->copy.data_gb > 0))
        return;
    view->has_copy = true;
    for (size_t place = 0; place < request->count; place++) {
        struct gl_region_copy copy = request->copy;

        if (request->places[place].idle_kwh_per_hour > 0)
            copy.idle_kwh_per_hour = request->places[place].idle_kwh_per_hour;
        view->move_slots[place] = gl_region_copy_kwh(&copy) / kwh_in(request, place);
    }
    if (hours >= 1)
        view->move_h = hours < (double)view->slots ? (size_t)ceil(hours) : view->slots;
}

int gl_plan_view_init(const struct gl_plan_request *request, size_t slots, struct gl_arena *arena,
                      struct gl_plan_view *out, struct gl_error *err)
{
    struct gl_plan_view view = {.request = request, .arena = arena, .slots = slots};

    if (gl_plan_check(request, err) != 0)
        return -1;
    if (slots > 2 * MOST_HOURS)
        return gl_fail(err, GL_E_TOO_LARGE, "plans reach at most %d hours", 2 * MOST_HOURS);
    view.paths = request->places[0].intensity->paths;
    view.forecast_h = request->places[0].intensity->hours;
    lay_energy(request, &view);
    lay_moves(request, &view);
    view.is_open = gl_arena_take(arena, request->count * slots * sizeof *view.is_open);
    for (size_t place = 0; place < request->count; place++)
        for (size_t hour = 0; hour < slots; hour++)
            view.is_open[place * slots + hour] = gl_plan_is_open(&request->places[place], hour);
    *out = view;
    return 0;
}

static double mean(const struct gl_plan_view *view, size_t place, size_t hour)
{
    double sum = 0;

    for (size_t path = 0; path < view->paths; path++)
        sum += gl_plan_value(view, place, path, hour);
    return sum / (double)view->paths;
}

/* Of the paths' figures as they are: what is a share of them has the same rank. */
static float upper_of(const struct gl_ensemble *intensity, size_t hour, double confidence)
{
    double values[GL_ENSEMBLE_MAX_PATHS];

    for (size_t path = 0; path < intensity->paths; path++)
        values[path] = (double)intensity->value[path * intensity->hours + hour];
    return (float)gl_quantile_upper(values, intensity->paths, confidence);
}

const float *gl_plan_upper_in(struct gl_arena *arena, const struct gl_ensemble *intensity,
                              double confidence)
{
    float *upper = gl_arena_take(arena, intensity->hours * sizeof *upper);

    for (size_t hour = 0; hour < intensity->hours; hour++)
        upper[hour] = upper_of(intensity, hour, confidence);
    return upper;
}

static double quantile(const struct gl_plan_view *view, size_t place, size_t hour)
{
    const struct gl_plan_place *at = &view->request->places[place];
    const double weight = view->share[place] * at->pue;

    if (hour >= view->forecast_h)
        return weight * (double)gl_plan_climate(at, hour);
    if (at->upper != NULL)
        return weight * (double)at->upper[hour];
    return weight * (double)upper_of(at->intensity, hour, view->request->confidence);
}

void gl_plan_line(const struct gl_plan_view *view, enum gl_plan_line kind, size_t place,
                  int64_t *out_cost)
{
    for (size_t hour = 0; hour < view->slots; hour++) {
        double value;

        out_cost[hour] = GL_COST_CLOSED;
        if (hour < view->request->earliest_start_h || !view->is_open[place * view->slots + hour])
            continue;
        if (kind == GL_PLAN_LINE_CENTRAL)
            value = gl_plan_value(view, place, gl_plan_central(view), hour);
        else
            value =
                kind == GL_PLAN_LINE_MEAN ? mean(view, place, hour) : quantile(view, place, hour);
        out_cost[hour] = gl_cost_of(value);
    }
}
