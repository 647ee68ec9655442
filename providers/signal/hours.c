/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/signal/history.h"

#include "providers/signal/archive_part.h"

#include <stdlib.h>

/* One hour under construction. */
struct hour {
    int64_t covered_s;
    int64_t sum; /* value times seconds: at most 3e9 * 3,600 */
    int64_t updated_s;
    enum gl_evidence evidence;
};

/* Which points count, and until when a point may reach. */
struct choice {
    bool is_forecast; /* forecasts too */
    int64_t from_s, until_s;
};

static int64_t hour_of(int64_t unix_s)
{
    return unix_s - unix_s % GL_HOUR_S;
}

static bool is_chosen(const struct gl_point *point, const struct choice *choice)
{
    if (point->value_u == GL_UNKNOWN || point->until_s - point->from_s > GL_HOUR_S ||
        point->until_s <= choice->from_s || point->from_s < 0 || point->until_s > choice->until_s)
        return false;
    if (choice->is_forecast && point->evidence == GL_SUBSTITUTE)
        return false;
    return gl_archive_is_observed(point->evidence) ||
           (choice->is_forecast && point->evidence == GL_FORECAST);
}

/* Less certain as the enum grows, but for the forecast, which no observed hour holds. */
static enum gl_evidence worse(enum gl_evidence a, enum gl_evidence b)
{
    return a > b ? a : b;
}

static void add_part(struct hour *hour, const struct gl_point *point, int64_t seconds)
{
    if (hour->covered_s == 0) {
        hour->evidence = point->evidence;
        hour->updated_s = point->updated_s;
    }
    hour->covered_s += seconds;
    hour->sum += point->value_u * seconds;
    hour->evidence = worse(hour->evidence, point->evidence);
    if (point->updated_s > hour->updated_s) /* GL_UNKNOWN is the smallest */
        hour->updated_s = point->updated_s;
}

/* Lay the chosen points over `count` hours from start_s. Points do not overlap. */
static void lay(const struct gl_series *series, const struct choice *choice, int64_t start_s,
                struct hour *hours, size_t count)
{
    for (size_t i = 0; i < series->count; i++) {
        const struct gl_point *point = &series->points[i];

        if (!is_chosen(point, choice))
            continue;
        for (int64_t at_s = point->from_s; at_s < point->until_s;) {
            int64_t end_s = hour_of(at_s) + GL_HOUR_S;
            size_t index = (size_t)((hour_of(at_s) - start_s) / GL_HOUR_S);

            end_s = end_s < point->until_s ? end_s : point->until_s;
            if (at_s >= start_s && index < count)
                add_part(&hours[index], point, end_s - at_s);
            at_s = end_s;
        }
    }
}

static int64_t mean_of(const struct hour *hour)
{
    return hour->covered_s == GL_HOUR_S ? (hour->sum + GL_HOUR_S / 2) / GL_HOUR_S : GL_UNKNOWN;
}

/* First and end hour of the chosen points; false when there is none. The newest hours stay when
 * there are too many. */
static bool span_of(const struct gl_series *series, const struct choice *choice, int64_t most,
                    int64_t out[2])
{
    bool has_any = false;

    for (size_t i = 0; i < series->count; i++) {
        const struct gl_point *point = &series->points[i];

        if (!is_chosen(point, choice))
            continue;
        if (!has_any || point->from_s < out[0])
            out[0] = point->from_s;
        if (!has_any || point->until_s > out[1])
            out[1] = point->until_s;
        has_any = true;
    }
    if (!has_any)
        return false;
    out[0] = hour_of(out[0]);
    out[1] = hour_of(out[1] + GL_HOUR_S - 1);
    if ((out[1] - out[0]) / GL_HOUR_S > most)
        out[0] = out[1] - most * GL_HOUR_S;
    return true;
}

size_t gl_history_actuals(const struct gl_series *series, struct gl_instant known_at,
                          struct gl_archive_actual **out)
{
    const struct choice choice = {.from_s = 0, .until_s = known_at.unix_s};
    int64_t span[2] = {0, 0};
    struct hour *hours;
    size_t count, kept = 0;

    *out = NULL;
    if (!span_of(series, &choice, GL_HISTORY_MAX_HOURS, span))
        return 0;
    count = (size_t)((span[1] - span[0]) / GL_HOUR_S);
    hours = gl_alloc(count * sizeof *hours);
    *out = gl_alloc(count * sizeof **out);
    lay(series, &choice, span[0], hours, count);
    for (size_t i = 0; i < count; i++) {
        int64_t value_u = mean_of(&hours[i]);

        if (value_u == GL_UNKNOWN)
            continue;
        (*out)[kept++] = (struct gl_archive_actual){
            .hour_s = span[0] + (int64_t)i * GL_HOUR_S,
            .value_u = value_u,
            .received_s = known_at.unix_s,
            .known_s = GL_UNKNOWN,
            .updated_s = hours[i].updated_s,
            .evidence = hours[i].evidence,
        };
    }
    free(hours);
    return kept;
}

bool gl_history_issue(const struct gl_series *series, struct gl_instant at, int64_t *values_u,
                      struct gl_archive_issue *out)
{
    const struct choice choice = {
        .is_forecast = true, .from_s = hour_of(at.unix_s), .until_s = INT64_MAX};
    struct hour hours[GL_ARCHIVE_MAX_HOURS] = {{0}};
    uint32_t count = 0;

    lay(series, &choice, choice.from_s, hours, GL_ARCHIVE_MAX_HOURS);
    for (uint32_t i = 0; i < GL_ARCHIVE_MAX_HOURS; i++) {
        values_u[i] = mean_of(&hours[i]);
        if (values_u[i] != GL_UNKNOWN && hours[i].evidence == GL_FORECAST)
            count = i + 1;
    }
    if (count == 0)
        return false;
    *out = (struct gl_archive_issue){
        .issued_s = series->issued_s,
        .received_s = at.unix_s,
        .known_s = GL_UNKNOWN,
        .start_s = choice.from_s,
        .count = count,
        .value_u = values_u,
    };
    return true;
}
