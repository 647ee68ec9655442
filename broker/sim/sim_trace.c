/* SPDX-License-Identifier: Apache-2.0 */
/* A simulated grid from somebody's recorded series. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/sim/sim_grid_part.h"
#include "providers/signal/history.h"

#define DAY_S  INT64_C(86400)
#define EVER_S INT64_C(253402300799) /* a recording is read to its end, whenever that is */

/* What the file says of one zone. */
struct recorded {
    char zone[40];
    size_t count;
    struct gl_history **histories;
    const struct gl_history *chosen[GL_SIM_SIGNALS_MAX]; /* NULL = none */
};

static void recorded_done(struct recorded *recorded)
{
    for (size_t i = 0; i < recorded->count; i++)
        gl_history_free(recorded->histories[i]);
    free(recorded->histories);
}

static const struct gl_history *choose(const struct recorded *recorded, enum gl_quantity quantity)
{
    const struct gl_history *chosen = NULL;

    for (size_t i = 0; i < recorded->count; i++) {
        const struct gl_history *history = recorded->histories[i];

        if (history->meaning.quantity == quantity && history->meaning.rate == GL_AVERAGE &&
            history->meaning.accounting == GL_LOCATION &&
            (chosen == NULL || history->actual_count > chosen->actual_count))
            chosen = history;
    }
    return chosen;
}

static int64_t end_s(const struct gl_history *history)
{
    return history->actual_count > 0 ? history->newest_actual_s + GL_HOUR_S : 0;
}

static bool has_day(const struct gl_history *history, int64_t day_s)
{
    const struct gl_actuals *actuals = &history->actuals;
    float value;

    if (actuals->start_s > day_s - GL_SIM_DAYS_LEAST * DAY_S)
        return false;
    for (int64_t h = 0; h < GL_SIM_DAY_H; h++)
        if (!gl_actual_at(actuals, day_s + h * GL_HOUR_S, &value))
            return false;
    return true;
}

static int64_t *truth_of(const struct gl_history *history, int64_t start_s, size_t hours)
{
    double unit = history->meaning.quantity == GL_INTENSITY ? 1e6 : 1e4;
    int64_t *truth_u = gl_alloc(hours * sizeof *truth_u);

    for (size_t i = 0; i < hours; i++) {
        float value;

        truth_u[i] = gl_actual_at(&history->actuals, start_s + (int64_t)i * GL_HOUR_S, &value)
                         ? (int64_t)floor((double)value * unit + 0.5)
                         : GL_UNKNOWN;
    }
    return truth_u;
}

static void add_zone(struct gl_sim_grid *grid, const struct recorded *recorded)
{
    struct gl_sim_zone *zone = &grid->zones[grid->zone_count++];
    const struct gl_history *first = recorded->chosen[0];
    int64_t earliest_s = grid->day_s - GL_SIM_DAYS_KNOWN * DAY_S;
    int64_t start_s = first->actuals.start_s > earliest_s ? first->actuals.start_s : earliest_s;
    size_t hours = (size_t)((grid->day_s - start_s) / GL_HOUR_S) + GL_SIM_DAY_H + GL_SIM_AHEAD_H;
    char dataset[64];

    gl_sim_zone_begin(zone, recorded->zone, start_s, hours);
    for (size_t s = 0; s < GL_SIM_SIGNALS_MAX; s++) {
        const struct gl_history *history = recorded->chosen[s];

        if (history == NULL)
            continue;
        snprintf(dataset, sizeof dataset, "SIMULATED from %.40s", history->dataset);
        gl_sim_zone_signal(zone, &history->meaning, dataset, truth_of(history, start_s, hours));
    }
}

/* Each zone that the file names, once. */
static size_t read_zones(struct gl_signal_result *series, struct recorded *out)
{
    size_t count = 0;

    for (size_t i = 0; i < series->count && count < GL_SIM_ZONES_MAX; i++) {
        struct recorded *recorded = &out[count];
        struct gl_error ignored = {0};
        bool is_there = false;

        for (size_t z = 0; z < count; z++)
            is_there |= strcmp(out[z].zone, series->series[i].zone) == 0;
        if (is_there)
            continue;
        memcpy(recorded->zone, series->series[i].zone, sizeof recorded->zone);
        recorded->count = gl_history_of_file(series, recorded->zone, (struct gl_instant){EVER_S},
                                             &recorded->histories, &ignored);
        recorded->chosen[0] = choose(recorded, GL_INTENSITY);
        recorded->chosen[1] = choose(recorded, GL_RENEWABLE_SHARE);
        count++;
    }
    return count;
}

static struct gl_sim_grid *grid_of(const struct recorded *recorded, size_t count)
{
    struct gl_sim_grid *grid = gl_sim_grid_new(count, 0);
    int64_t newest_s = 0;

    for (size_t i = 0; i < count; i++)
        if (recorded[i].chosen[0] != NULL && end_s(recorded[i].chosen[0]) > newest_s)
            newest_s = end_s(recorded[i].chosen[0]);
    grid->zone_count = 0;
    grid->day_s = newest_s / DAY_S * DAY_S - DAY_S;
    for (size_t i = 0; i < count; i++)
        if (recorded[i].chosen[0] != NULL && has_day(recorded[i].chosen[0], grid->day_s))
            add_zone(grid, &recorded[i]);
    return grid;
}

struct gl_sim_grid *gl_sim_grid_of_file(const char *path, const struct gl_world *world,
                                        struct gl_error *err)
{
    const struct gl_signal_config config = {.name = "file", .path = path};
    const struct gl_signal_query query = {.is_past = true, .until = {EVER_S}};
    struct recorded *recorded;
    struct gl_signal_result series = {0};
    struct gl_sim_grid *grid;
    size_t count;

    if (gl_signal_find("file")->read(&query, &config, world, &series, err) != 0) {
        gl_signal_result_done(&series);
        return NULL;
    }
    recorded = gl_alloc(GL_SIM_ZONES_MAX * sizeof *recorded);
    count = read_zones(&series, recorded);
    grid = grid_of(recorded, count);
    for (size_t i = 0; i < count; i++)
        recorded_done(&recorded[i]);
    free(recorded);
    gl_signal_result_done(&series);
    if (grid->zone_count > 0)
        return grid;
    gl_sim_grid_free(grid);
    gl_fail(err, GL_E_UNKNOWN_DATA,
            "%s holds no zone with a whole day of hourly average intensity and %d days before it",
            path, GL_SIM_DAYS_LEAST);
    return NULL;
}
