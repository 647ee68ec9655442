/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/sim/sim_grid.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/sim/sim_grid_part.h"
#include "broker/sim/sim_weather.h"
#include "policy/guarantee/forecast.h"

#define INVENTED_DAY_S INT64_C(1781049600) /* 2026-06-10T00:00Z, a Wednesday */
#define DAY_S          INT64_C(86400)
#define PAST_H         24 /* of observed hours in a series */

static const char attribution[] = "SIMULATED";

/* ---- making it ---- */

struct gl_sim_grid *gl_sim_grid_new(size_t zone_count, int64_t day_s)
{
    struct gl_sim_grid *grid = gl_alloc(sizeof *grid);

    grid->day_s = day_s;
    grid->now_s = INT64_MIN;
    grid->zone_count = zone_count;
    grid->zones = gl_alloc(zone_count * sizeof *grid->zones);
    return grid;
}

static void label(struct gl_sim_zone *zone, struct gl_sim_signal *signal)
{
    struct gl_history *history = &signal->history;
    struct gl_series *series = &signal->series;

    history->meaning = series->meaning = signal->meaning;
    memcpy(history->zone, zone->name, sizeof history->zone);
    memcpy(series->zone, zone->name, sizeof series->zone);
    snprintf(series->provider, sizeof series->provider, "simulated");
    snprintf(history->provider, sizeof history->provider, "simulated");
    snprintf(series->attribution, sizeof series->attribution, "%s", attribution);
    snprintf(history->attribution, sizeof history->attribution, "%s", attribution);
    memcpy(history->dataset, series->dataset, sizeof history->dataset);
    snprintf(series->licence, sizeof series->licence, "none");
    snprintf(history->licence, sizeof history->licence, "none");
}

void gl_sim_zone_begin(struct gl_sim_zone *zone, const char *name, int64_t start_s, size_t hours)
{
    snprintf(zone->name, sizeof zone->name, "%s", name);
    zone->start_s = start_s;
    zone->hours = hours;
}

void gl_sim_zone_signal(struct gl_sim_zone *zone, const struct gl_meaning *meaning,
                        const char *dataset, int64_t *truth_u)
{
    struct gl_sim_signal *signal = &zone->signals[zone->signal_count];

    signal->meaning = *meaning;
    signal->truth_u = truth_u;
    signal->value = gl_alloc(zone->hours * sizeof *signal->value);
    signal->state = gl_alloc(zone->hours);
    signal->seen.value = gl_alloc(zone->hours * sizeof *signal->seen.value);
    signal->series.points = gl_alloc((PAST_H + GL_SIM_AHEAD_H) * sizeof *signal->series.points);
    snprintf(signal->series.dataset, sizeof signal->series.dataset, "%s", dataset);
    label(zone, signal);
    signal->history.actuals = (struct gl_actuals){.start_s = zone->start_s,
                                                  .value = signal->value,
                                                  .state = signal->state,
                                                  .lag_h = GL_SIM_LAG_H};
    signal->history.is_lag_measured = true;
    signal->history.keeper = &signal->tracks;
    signal->history.lag_count = 1;
    signal->history.newest_actual_s = GL_UNKNOWN;
    signal->history.newest_issue_s = GL_UNKNOWN;
    zone->series[zone->signal_count] = &signal->series;
    zone->histories[zone->signal_count] = &signal->history;
    zone->signal_count++;
    zone->facts = (struct gl_zone_facts){.count = zone->signal_count,
                                         .series = zone->series,
                                         .history_count = zone->signal_count,
                                         .histories = zone->histories};
    memcpy(zone->facts.zone, zone->name, sizeof zone->facts.zone);
}

struct gl_sim_grid *gl_sim_grid_invent(uint64_t seed, bool has_spike)
{
    static const struct gl_meaning meanings[2] = {
        {.quantity = GL_INTENSITY,
         .boundary = GL_LIFECYCLE,
         .gases = GL_CO2E,
         .factor_set = "IPCC2014"},
        {.quantity = GL_RENEWABLE_SHARE,
         .share_of = GL_OF_SOLAR | GL_OF_WIND | GL_OF_HYDRO | GL_OF_GEOTHERMAL | GL_OF_BIOMASS}};
    const struct gl_sim_spike spike = {1, INVENTED_DAY_S + 9 * GL_HOUR_S,
                                       INVENTED_DAY_S + (has_spike ? 12 : 9) * GL_HOUR_S};
    size_t hours = GL_SIM_DAYS_KNOWN * 24 + GL_SIM_DAY_H + GL_SIM_AHEAD_H;
    int64_t start_s = INVENTED_DAY_S - GL_SIM_DAYS_KNOWN * DAY_S;
    struct gl_sim_grid *grid = gl_sim_grid_new(GL_SIM_WEATHER_ZONES, INVENTED_DAY_S);
    char dataset[64];

    snprintf(dataset, sizeof dataset, "SIMULATED weather, seed %llu", (unsigned long long)seed);
    for (size_t i = 0; i < GL_SIM_WEATHER_ZONES; i++) {
        int64_t *truth[2] = {gl_alloc(hours * sizeof **truth), gl_alloc(hours * sizeof **truth)};

        gl_sim_weather_make(seed, i, start_s, hours, &spike, truth[0], truth[1]);
        gl_sim_zone_begin(&grid->zones[i], gl_sim_weather_zone(i), start_s, hours);
        for (int q = 0; q < 2; q++)
            gl_sim_zone_signal(&grid->zones[i], &meanings[q], dataset, truth[q]);
    }
    return grid;
}

void gl_sim_grid_free(struct gl_sim_grid *grid)
{
    if (grid == NULL)
        return;
    for (size_t i = 0; i < grid->zone_count; i++)
        for (size_t s = 0; s < grid->zones[i].signal_count; s++) {
            struct gl_sim_signal *signal = &grid->zones[i].signals[s];

            gl_track_keeper_done(&signal->tracks);
            free(signal->truth_u);
            free(signal->value);
            free(signal->state);
            free(signal->seen.value);
            free(signal->series.points);
        }
    free(grid->zones);
    free(grid);
}

/* ---- asking it ---- */

size_t gl_sim_grid_zones(const struct gl_sim_grid *grid)
{
    return grid->zone_count;
}

const char *gl_sim_grid_zone(const struct gl_sim_grid *grid, size_t zone)
{
    return grid->zones[zone].name;
}

size_t gl_sim_grid_find(const struct gl_sim_grid *grid, const char *zone)
{
    for (size_t i = 0; i < grid->zone_count; i++)
        if (strcmp(grid->zones[i].name, zone) == 0)
            return i;
    return SIZE_MAX;
}

int64_t gl_sim_grid_day_s(const struct gl_sim_grid *grid)
{
    return grid->day_s;
}

enum gl_boundary gl_sim_grid_boundary(const struct gl_sim_grid *grid)
{
    return grid->zones[0].signals[0].meaning.boundary;
}

const struct gl_zone_facts *gl_sim_grid_facts(const struct gl_sim_grid *grid, size_t zone)
{
    return &grid->zones[zone].facts;
}

int64_t gl_sim_grid_truth(const struct gl_sim_grid *grid, size_t zone, int64_t at_s)
{
    const struct gl_sim_zone *there = &grid->zones[zone];
    int64_t hour = (at_s - there->start_s) / GL_HOUR_S;

    return at_s < there->start_s || hour >= (int64_t)there->hours ? GL_UNKNOWN
                                                                  : there->signals[0].truth_u[hour];
}

/* ---- time goes by ---- */

/* Hours whose lag has passed are written down; nothing later ever is. */
static void reveal(const struct gl_sim_zone *zone, struct gl_sim_signal *signal, int64_t now_s)
{
    struct gl_history *history = &signal->history;
    int64_t over = (now_s - zone->start_s) / GL_HOUR_S - GL_SIM_LAG_H;

    for (; (int64_t)history->actuals.count < over && history->actuals.count < zone->hours;
         history->actuals.count++) {
        size_t i = history->actuals.count;
        bool is_known = signal->truth_u[i] != GL_UNKNOWN;

        signal->state[i] = is_known ? GL_HOUR_KNOWN : GL_HOUR_MISSING;
        if (is_known)
            signal->value[i] = gl_history_value(signal->meaning.quantity, signal->truth_u[i]);
        if (is_known || signal->seen.count > 0) {
            if (signal->seen.count == 0)
                signal->seen.base = zone->start_s / GL_HOUR_S + (int64_t)i;
            gl_profile_learn(&signal->profile, &signal->seen, is_known, signal->value[i]);
        }
        if (!is_known)
            continue;
        history->actual_count++;
        history->newest_actual_s = zone->start_s + (int64_t)i * GL_HOUR_S;
    }
    history->known_s = now_s;
}

static void add_point(struct gl_series *series, int64_t from_s, int64_t value_u,
                      enum gl_evidence evidence, int64_t updated_s)
{
    series->points[series->count++] = (struct gl_point){.from_s = from_s,
                                                        .until_s = from_s + GL_HOUR_S,
                                                        .value_u = value_u,
                                                        .low_u = GL_UNKNOWN,
                                                        .high_u = GL_UNKNOWN,
                                                        .updated_s = updated_s,
                                                        .evidence = evidence};
}

/* Forecast of the hours from now on by the built-in profile: what was learnt stays learnt, so that
 * an hour costs microseconds. */
static void add_forecast(struct gl_sim_signal *signal, int64_t hour_s)
{
    bool is_share = signal->meaning.quantity != GL_INTENSITY;
    float path[GL_SIM_AHEAD_H];

    if (signal->seen.count < GL_TRACK_FIRST_DAYS * 24)
        return;
    gl_profile_path(&signal->profile, &signal->seen, hour_s / GL_HOUR_S, GL_SIM_AHEAD_H, path);
    for (size_t k = 0; k < GL_SIM_AHEAD_H; k++) {
        double value = path[k] > 0 ? (double)path[k] : 0;

        value = is_share && value > 100 ? 100 : value;
        add_point(&signal->series, hour_s + (int64_t)k * GL_HOUR_S,
                  (int64_t)floor(value * (is_share ? 1e4 : 1e6) + 0.5), GL_FORECAST, hour_s);
    }
}

static void tell(const struct gl_sim_zone *zone, struct gl_sim_signal *signal, int64_t now_s)
{
    const struct gl_actuals *actuals = &signal->history.actuals;
    int64_t hour_s = now_s - (now_s % GL_HOUR_S);
    size_t first = actuals->count > PAST_H ? actuals->count - PAST_H : 0;

    signal->series.count = 0;
    signal->series.issued_s = hour_s;
    for (size_t i = first; i < actuals->count; i++)
        if (signal->state[i] & GL_HOUR_KNOWN) {
            int64_t from_s = zone->start_s + (int64_t)i * GL_HOUR_S;

            add_point(&signal->series, from_s, signal->truth_u[i], GL_ESTIMATED,
                      from_s + (1 + GL_SIM_LAG_H) * GL_HOUR_S);
        }
    add_forecast(signal, hour_s);
}

void gl_sim_grid_advance(struct gl_sim_grid *grid, int64_t now_s)
{
    bool is_new_hour = grid->now_s / GL_HOUR_S != now_s / GL_HOUR_S;

    if (now_s <= grid->now_s)
        return;
    for (size_t i = 0; i < grid->zone_count; i++)
        for (size_t s = 0; s < grid->zones[i].signal_count; s++) {
            struct gl_sim_signal *signal = &grid->zones[i].signals[s];

            reveal(&grid->zones[i], signal, now_s);
            if (is_new_hour)
                tell(&grid->zones[i], signal, now_s);
            signal->series.retrieved_s = now_s;
        }
    grid->now_s = now_s;
}
