/* SPDX-License-Identifier: Apache-2.0 */
/* From decided offers to a plan in time and place. */
#include "broker/cli/schedule.h"

#include <stdio.h>
#include <string.h>

#include "base/time.h"
#include "broker/cli/schedule_green.h"
#include "broker/cli/schedule_places.h"
#include "broker/cli/show_strip.h"

#define LEAST_HOURS 48 /* of futures; more where a longer run or deadline asks for them */
#define SLACK_HOURS 24 /* of a run as long as that */
/* Past issues of the last sixty days are laid on today's forecast: what ends so much earlier leaves
 * too few of them, however much of it there is. */
#define ENOUGH_HOURS 576
#define OLD_S        (INT64_C(30) * 86400)

/* ---- options ---- */

struct gl_schedule_ask gl_schedule_ask_of(struct gl_context *context,
                                          const struct gl_ask_result *asked,
                                          const struct gl_when_values *values)
{
    const struct gl_when *when = &values->when;
    bool has_latest = asked->request.latest_start.unix_s > asked->request.start.unix_s;
    struct gl_schedule_ask ask = {
        .work_s = asked->request.duration.s,
        .latest_start_s = has_latest ? asked->request.latest_start.unix_s : GL_UNKNOWN,
        .finish_by_s = asked->finish_by.unix_s,
        .may_pause = when->is_interruptible,
        .may_place = when->may_place || when->may_move,
        .may_move = when->may_move,
        .data_gb = when->data_u == INT64_MIN ? 1 : (double)when->data_u / 1e15,
        .confidence = GL_BOOK_PROBABILITY,
        .home_zone = gl_context_zone(context, values->ask.zone),
        .config = &context->config,
        .clouds = &values->ask.clouds,
    };
    int64_t confidence = GL_UNKNOWN;

    if (ask.may_pause && values->ask.start_by == NULL)
        ask.latest_start_s = GL_UNKNOWN; /* of a run with pauses only the end counts */
    for (size_t r = 0; r < asked->policy->rule_count; r++)
        if (gl_rule_number(&asked->policy->rules[r], GL_KEY_CONFIDENCE) > confidence)
            confidence = gl_rule_number(&asked->policy->rules[r], GL_KEY_CONFIDENCE);
    if (confidence != GL_UNKNOWN)
        ask.confidence = (double)confidence / 1e6;
    return ask;
}

/* ---- futures ---- */

/* In every hour of every path the worse of two zones. */
static void keep_worse(struct gl_arena *arena, const struct gl_ensemble *other,
                       struct gl_ensemble *futures)
{
    size_t count = futures->hours * futures->paths;
    float *value = gl_arena_take(arena, count * sizeof *value);
    float *central = gl_arena_take(arena, futures->hours * sizeof *central);

    for (size_t i = 0; i < count; i++)
        value[i] = futures->value[i] > other->value[i] ? futures->value[i] : other->value[i];
    for (size_t h = 0; h < futures->hours; h++)
        central[h] =
            futures->central[h] > other->central[h] ? futures->central[h] : other->central[h];
    futures->value = value;
    futures->central = central;
}

/* Futures of all the places on the same past issues; false when there are too few. */
static bool fill(struct gl_arena *arena, struct gl_schedule_place *places, size_t count,
                 const struct gl_ask_result *asked, uint32_t hours)
{
    const struct gl_history *histories[2 * GL_SCHEDULE_PLACES];
    struct gl_ensemble futures[2 * GL_SCHEDULE_PLACES];
    size_t zones = 0, at = 0;

    for (size_t i = 0; i < count; i++)
        for (size_t z = 0; z < places[i].zone_count; z++)
            histories[zones++] = places[i].intensity[z];
    if (zones == 0 || gl_book_futures(arena, histories, zones, asked->now, hours, futures) == 0)
        return false;
    for (size_t i = 0; i < count; i++) {
        places[i].futures = futures[at];
        if (places[i].zone_count > 1)
            keep_worse(arena, &futures[at + 1], &places[i].futures);
        at += places[i].zone_count;
    }
    return true;
}

/* Enough hours that do not serve may be ones of long ago. */
static enum gl_schedule_lack lack_of(const struct gl_history *history,
                                     const struct gl_ask_result *asked)
{
    bool is_long = history->actual_count >= ENOUGH_HOURS;

    return is_long && asked->now.unix_s - history->newest_actual_s > OLD_S ? GL_SCHEDULE_OLD
                                                                           : GL_SCHEDULE_SHORT;
}

static void drop_place(struct gl_schedule *schedule, const struct gl_ask_result *asked, size_t at)
{
    const struct gl_schedule_place *place = &schedule->places[at];

    for (size_t z = 0; z < place->zone_count; z++)
        gl_schedule_add_gap(schedule, place->zones[z], place->intensity[z],
                            lack_of(place->intensity[z], asked));
    if (at == 0 && schedule->is_home) {
        schedule->is_home = false;
        schedule->is_home_missing = true;
    }
    memmove(&schedule->places[at], &schedule->places[at + 1],
            (schedule->count - at - 1) * sizeof schedule->places[0]);
    schedule->count--;
}

static void drop_short(struct gl_schedule *schedule, const struct gl_ask_result *asked,
                       uint32_t hours)
{
    for (size_t i = 0; i < schedule->count;) {
        struct gl_schedule_place alone = schedule->places[i];
        struct gl_arena trial = {0};

        if (fill(&trial, &alone, 1, asked, hours))
            i++;
        else
            drop_place(schedule, asked, i);
        gl_arena_done(&trial);
    }
}

/* A place whose own history is too short would leave the others without: it is left out first.
 * Then, where past issues in common are too few, the worst ranked one. */
static void fill_futures(struct gl_schedule *schedule, const struct gl_ask_result *asked,
                         uint32_t hours)
{
    bool is_filled = fill(&schedule->arena, schedule->places, schedule->count, asked, hours);

    if (!is_filled)
        drop_short(schedule, asked, hours);
    while (!is_filled && schedule->count > 0) {
        is_filled = fill(&schedule->arena, schedule->places, schedule->count, asked, hours);
        if (!is_filled)
            drop_place(schedule, asked, schedule->count - 1);
    }
}

/* ---- the plan ---- */

static int64_t first_hour(const struct gl_ask_result *asked)
{
    return gl_instant_hour(asked->now).unix_s;
}

/* Of the hour that has begun. */
static int64_t gone_s(const struct gl_ask_result *asked)
{
    return asked->now.unix_s - first_hour(asked);
}

/* Whole hours from the first one until an instant; SIZE_MAX for no instant. */
static size_t hours_until(const struct gl_ask_result *asked, int64_t at_s)
{
    if (at_s == GL_UNKNOWN)
        return SIZE_MAX;
    return at_s <= first_hour(asked) ? 0 : (size_t)((at_s - first_hour(asked)) / GL_HOUR_S);
}

/* The last hour need not be run to its end; where the first has begun and there may be pauses, what
 * is gone of it is made up for at the end. */
static size_t deadline_of(const struct gl_ask_result *asked, const struct gl_schedule_ask *ask)
{
    int64_t spare_s = gl_hours_up(ask->work_s) * GL_HOUR_S - ask->work_s;

    if (ask->finish_by_s == GL_UNKNOWN)
        return SIZE_MAX;
    return hours_until(asked, ask->finish_by_s + spare_s - (ask->may_pause ? gone_s(asked) : 0));
}

/* As far as asked for, within what forecasts reach. */
static uint32_t horizon_of(const struct gl_ask_result *asked, const struct gl_schedule_ask *ask)
{
    size_t hours = LEAST_HOURS, work = (size_t)gl_hours_up(ask->work_s);
    size_t deadline = hours_until(asked, ask->finish_by_s);

    if (work + SLACK_HOURS > hours)
        hours = work + SLACK_HOURS;
    if (deadline != SIZE_MAX && deadline > hours)
        hours = deadline;
    return hours < GL_TRACK_MAX_HORIZON ? (uint32_t)hours : GL_TRACK_MAX_HORIZON;
}

/* Each place with the watts and the PUE of its own offer. */
static struct gl_plan_place place_of(const struct gl_ask_result *asked,
                                     const struct gl_schedule_place *place)
{
    const struct gl_offer *offer = &asked->offers->offers[place->offer];
    double idle = offer->type->idle_w.central, full = offer->type->full_w.central;
    double watts = idle + (full - idle) * asked->request.load;

    return (struct gl_plan_place){.intensity = &place->futures,
                                  .pue = offer->place->pue,
                                  .kwh_per_hour = watts * asked->request.count / 1000,
                                  .idle_kwh_per_hour = idle * asked->request.count / 1000};
}

/* The cheapest of the starts that would be promised, run through in one place; as in plan.h, none
 * that emits no less than a start now at home, if that is one of them. */
static int choose_green(const struct gl_plan_request *request, struct gl_schedule *schedule,
                        struct gl_error *err)
{
    size_t places = request->may_place ? schedule->count : 1;
    size_t hours = GL_BOOK_HORIZON_H + request->work_hours;
    bool may_stay = schedule->green.starts[0] & 1;
    int *where = gl_arena_take(&schedule->arena, hours * sizeof *where);

    for (size_t p = 0; p < places; p++)
        for (size_t h = 0; h < GL_BOOK_HORIZON_H; h++) {
            struct gl_plan plan;

            if ((schedule->green.starts[p] >> h & 1) == 0)
                continue;
            for (size_t i = 0; i < hours; i++)
                where[i] = i >= h && i < h + request->work_hours ? (int)p : GL_REGION_NONE;
            if (gl_plan_judge(request, where, h + request->work_hours, &schedule->arena, &plan,
                              err) != 0)
                return -1;
            if (!plan.is_feasible ||
                (schedule->is_green_plan &&
                 ((may_stay && plan.figures.saved_g.central <= 0) ||
                  plan.figures.emitted_g.high >= schedule->plan.figures.emitted_g.high)))
                continue;
            plan.uncovered_h = schedule->plan.uncovered_h;
            schedule->plan = plan;
            schedule->is_green_plan = true;
        }
    return 0;
}

static int make_plan(const struct gl_ask_result *asked, const struct gl_schedule_ask *ask,
                     struct gl_schedule *schedule, struct gl_error *err)
{
    struct gl_plan_place places[GL_SCHEDULE_PLACES];
    const struct gl_plan_place home = place_of(asked, &schedule->places[0]);
    struct gl_plan_request request = {
        .places = places,
        .count = schedule->count,
        .work_hours = (size_t)gl_hours_up(ask->work_s),
        .latest_start_h = hours_until(asked, ask->latest_start_s),
        .deadline_h = deadline_of(asked, ask),
        .kwh_per_hour = home.kwh_per_hour,
        .may_pause = ask->may_pause,
        .may_place = ask->may_place,
        .may_move = ask->may_move,
        .copy = {.data_gb = ask->data_gb,
                 .kwh_per_gb = GL_COPY_KWH_WORST,
                 .gbit_per_s = 1,
                 .idle_kwh_per_hour = home.idle_kwh_per_hour},
        .confidence = ask->confidence,
        .criterion = GL_PLAN_BY_QUANTILE,
    };

    for (size_t i = 0; i < schedule->count; i++)
        places[i] = place_of(asked, &schedule->places[i]);
    if (gl_plan_make(&request, &schedule->arena, &schedule->plan, err) != 0)
        return -1;
    if (!schedule->green.has_rule || ask->may_pause || ask->may_move)
        return 0;
    return choose_green(&request, schedule, err);
}

static int make(const struct gl_ask_result *asked, const struct gl_schedule_ask *ask,
                struct gl_schedule *out, struct gl_error *err)
{
    *out = (struct gl_schedule){0};
    gl_schedule_list_places(asked, ask, out);
    fill_futures(out, asked, horizon_of(asked, ask));
    if (out->is_home_missing && !ask->may_place)
        out->count = 0; /* it may run nowhere else */
    gl_schedule_find_green(asked, ask, out);
    if (out->count == 0)
        return 0;
    if (make_plan(asked, ask, out, err) != 0) {
        gl_schedule_done(out);
        return -1;
    }
    out->has_plan = true;
    return 0;
}

/* Where the plan would first run in a place that nothing can be launched in; SIZE_MAX: nowhere. */
static size_t first_unready(const struct gl_schedule *schedule)
{
    for (size_t h = 0; schedule->has_plan && schedule->plan.is_feasible && h < schedule->plan.end_h;
         h++)
        if (schedule->plan.where[h] != GL_REGION_NONE &&
            !schedule->places[schedule->plan.where[h]].is_ready)
            return h;
    return SIZE_MAX;
}

/* What the places that were passed over would add: the plan over all of them, if it is better. */
static int find_other(const struct gl_ask_result *asked, const struct gl_schedule_ask *ask,
                      struct gl_schedule *schedule, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) struct gl_schedule *all = gl_alloc(sizeof *all);
    struct gl_schedule_ask everywhere = *ask;
    size_t hour;

    everywhere.takes_all = true;
    if (make(asked, &everywhere, all, err) != 0)
        return -1;
    hour = first_unready(all);
    if (hour != SIZE_MAX &&
        (!schedule->plan.is_feasible ||
         all->plan.figures.emitted_g.high < schedule->plan.figures.emitted_g.high)) {
        const struct gl_schedule_place *place = &all->places[all->plan.where[hour]];

        schedule->other = (struct gl_schedule_other){.is_found = true,
                                                     .offer = place->offer,
                                                     .start_h = all->plan.start_h,
                                                     .emitted_g = all->plan.figures.emitted_g,
                                                     .confidence = all->plan.figures.confidence};
        memcpy(schedule->other.name, place->name, sizeof place->name);
    }
    gl_schedule_done(all);
    return 0;
}

int gl_schedule_make(const struct gl_ask_result *asked, const struct gl_schedule_ask *ask,
                     struct gl_schedule *out, struct gl_error *err)
{
    if (make(asked, ask, out, err) != 0)
        return -1;
    if (!ask->may_place || out->passed_over == 0 || find_other(asked, ask, out, err) == 0)
        return 0;
    gl_schedule_done(out);
    return -1;
}

void gl_schedule_done(struct gl_schedule *schedule)
{
    gl_arena_done(&schedule->arena);
    *schedule = (struct gl_schedule){0};
}

/* ---- hours ---- */

struct gl_instant gl_schedule_at(const struct gl_ask_result *asked, size_t hour)
{
    return hour == 0 ? asked->now
                     : (struct gl_instant){first_hour(asked) + (int64_t)hour * GL_HOUR_S};
}

struct gl_instant gl_schedule_end(const struct gl_ask_result *asked, const struct gl_plan *plan,
                                  size_t end)
{
    struct gl_instant at = gl_schedule_at(asked, end);
    int64_t work_s = asked->request.duration.s;

    if (end != plan->end_h)
        return at;
    at.unix_s -= gl_hours_up(work_s) * GL_HOUR_S - work_s;
    if (plan->start_h == 0)
        at.unix_s += gone_s(asked);
    return at;
}

int gl_schedule_timetable(const struct gl_ask_result *asked, const struct gl_schedule_ask *wish,
                          const struct gl_schedule *schedule, struct gl_timetable_run *runs,
                          struct gl_timetable *out, struct gl_error *err)
{
    struct gl_stretch one = {0};
    struct gl_timetable timetable = {runs, 0, wish->work_s, wish->finish_by_s};

    while (timetable.count < GL_TIMETABLE_RUNS_MAX && gl_stretch_next(asked, schedule, &one))
        runs[timetable.count++] = (struct gl_timetable_run){one.from.unix_s, one.until.unix_s};
    if (!gl_timetable_is_sound(&timetable))
        return gl_fail(err, GL_E_INTERNAL, "a plan whose stretches are in disorder");
    *out = timetable;
    return 0;
}
