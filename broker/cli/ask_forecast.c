/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/cli/ask_forecast.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "policy/guarantee/book.h"

#define SPARE_H 2 /* beyond the end that is asked for: a run begins late and ends late */

static uint32_t hours_to(struct gl_instant now, struct gl_instant until)
{
    int64_t first_s = now.unix_s / GL_HOUR_S * GL_HOUR_S;
    int64_t hours = (until.unix_s - first_s + GL_HOUR_S - 1) / GL_HOUR_S + SPARE_H;

    return hours > GL_BOOK_HORIZON_H ? GL_BOOK_HORIZON_H : hours < 1 ? 1 : (uint32_t)hours;
}

static struct gl_point point_of(const struct gl_ensemble *futures, size_t hour, double to_micro)
{
    int64_t from_s = futures->start_s + (int64_t)hour * GL_HOUR_S;

    return (struct gl_point){
        .from_s = from_s,
        .until_s = from_s + GL_HOUR_S,
        .value_u = llround((double)futures->central[hour] * to_micro),
        .low_u = GL_UNKNOWN,
        .high_u = GL_UNKNOWN,
        .updated_s = GL_UNKNOWN,
        .evidence = GL_FORECAST,
    };
}

/* NULL when the past is too short to forecast from. */
static const struct gl_series *series_of(struct gl_arena *arena, const struct gl_history *history,
                                         struct gl_instant now, uint32_t hours)
{
    double to_micro = history->meaning.quantity == GL_INTENSITY ? 1e6 : 1e4;
    struct gl_ensemble futures;
    struct gl_series *series;

    if (gl_book_futures(arena, &history, 1, now, hours, &futures) == 0)
        return NULL;
    series = gl_arena_take(arena, sizeof *series);
    series->meaning = history->meaning;
    memcpy(series->zone, history->zone, sizeof series->zone);
    memcpy(series->provider, history->provider, sizeof series->provider);
    snprintf(series->dataset, sizeof series->dataset, "%.40s, our forecast", history->dataset);
    memcpy(series->licence, history->licence, sizeof series->licence);
    memcpy(series->attribution, history->attribution, sizeof series->attribution);
    series->issued_s = now.unix_s;
    series->retrieved_s = now.unix_s;
    series->points = gl_arena_take(arena, futures.hours * sizeof *series->points);
    for (; series->count < futures.hours; series->count++)
        series->points[series->count] = point_of(&futures, series->count, to_micro);
    return series;
}

/* Does a source say what the coming hours will be? Then that is what is shown. */
static bool is_forecast(const struct gl_zone_facts *zone, const struct gl_history *history,
                        struct gl_instant now)
{
    for (size_t i = 0; i < zone->count; i++) {
        const struct gl_series *series = zone->series[i];
        struct gl_error ignored = {0};

        if (series->count > 0 && series->points[series->count - 1].until_s > now.unix_s &&
            series->points[series->count - 1].evidence != GL_ANNUAL_AVERAGE &&
            gl_meaning_join(&series->meaning, &history->meaning, &ignored) == 0)
            return true;
    }
    return false;
}

static bool is_of_table(const struct gl_series *series)
{
    return strcmp(series->provider, "builtin") == 0;
}

static const struct gl_zone_facts *with_forecasts(struct gl_arena *arena,
                                                  const struct gl_zone_facts *zone,
                                                  struct gl_instant now, uint32_t hours)
{
    size_t room = zone->count + zone->history_count;
    const struct gl_series **list = gl_arena_take(arena, room * sizeof *list);
    struct gl_zone_facts *copy = gl_arena_take(arena, sizeof *copy);
    size_t at = 0;

    *copy = *zone;
    copy->count = 0;
    while (at < zone->count && !is_of_table(zone->series[at]))
        list[copy->count++] = zone->series[at++];
    for (size_t i = 0; i < zone->history_count; i++) {
        const struct gl_series *series = is_forecast(zone, zone->histories[i], now)
                                             ? NULL
                                             : series_of(arena, zone->histories[i], now, hours);

        if (series != NULL)
            list[copy->count++] = series;
    }
    while (at < zone->count)
        list[copy->count++] = zone->series[at++];
    copy->series = list;
    return copy;
}

/* Zones replaced so far: offers share theirs. */
struct replaced {
    const struct gl_zone_facts *was, *is;
};
#define REPLACED_MAX 64

static const struct gl_zone_facts *replacement(const struct replaced *list, size_t count,
                                               const struct gl_zone_facts *zone)
{
    for (size_t i = 0; i < count; i++)
        if (list[i].was == zone)
            return list[i].is;
    return NULL;
}

void gl_ask_forecast(struct gl_arena *arena, struct gl_offer_list *offers, struct gl_instant now,
                     struct gl_instant until)
{
    struct replaced list[REPLACED_MAX];
    uint32_t hours = hours_to(now, until);
    size_t count = 0;

    for (size_t i = 0; i < offers->place_count; i++)
        for (size_t z = 0; z < offers->places[i].zone_count; z++) {
            const struct gl_zone_facts *zone = offers->places[i].zones[z];
            const struct gl_zone_facts *is;

            if (zone->history_count == 0)
                continue;
            is = replacement(list, count, zone);
            if (is == NULL && count < REPLACED_MAX) {
                is = with_forecasts(arena, zone, now, hours);
                list[count++] = (struct replaced){zone, is};
            }
            if (is != NULL)
                offers->places[i].zones[z] = is;
        }
}
