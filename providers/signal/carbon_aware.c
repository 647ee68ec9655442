/* SPDX-License-Identifier: Apache-2.0 */
#include "base/time.h"
#include "providers/data/data.h"
#include "providers/signal/adapter.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Carbon Aware SDK WebApi of the Green Software Foundation, wherever somebody runs one:
 * https://carbon-aware-sdk.greensoftware.foundation, its source at commit e6de58da.
 *
 * Its answers hold numbers alone: no unit, neither average nor marginal, lifecycle nor direct, and
 * no word on what is estimated. All of that comes from the configuration and without it nothing is
 * read; figures of the past count as estimated.
 *
 * What has to be watched:
 * - a location is named in words of the service's own; points echo that name, or the region of
 *   WattTime where that is the data behind it. Any other name is refused;
 * - an intensity that the data behind it does not know comes as -1: unknown, never a figure;
 * - the duration of a single point is "00:00:00": such a point has no end and is refused;
 * - asked for a time that is not all over, it falls to a paid request of the data behind it: for
 *   now it is asked without a time and gives the newest point;
 * - "no data" is 204 without a body, forecasts that the data behind it lacks are 501. */

#define ENDPOINT   "https://localhost"
#define PAST_S     ((int64_t)7 * 86400)
#define STEP_MAX_S ((int64_t)3600)
#define LB_PER_MWH 0.45359237 /* g/kWh */
#define TIME_MAX_S INT64_C(253402300799)

enum request { EMISSIONS, FORECAST };

static bool covers(const char *zone)
{
    return gl_data_zone(zone) != NULL;
}

static const char *location_of(const struct gl_signal_query *query)
{
    bool is_said = query->config != NULL && query->config->location != NULL;

    return is_said ? query->config->location : query->zone;
}

static void add_range(const struct gl_signal_query *query, struct gl_str *url)
{
    int64_t until_s = query->until.unix_s;
    char from[GL_INSTANT_TEXT], until[GL_INSTANT_TEXT];

    if (until_s > query->from.unix_s + PAST_S)
        until_s = query->from.unix_s + PAST_S;
    if (until_s > TIME_MAX_S)
        until_s = TIME_MAX_S;
    gl_str_addf(url, "&time=%s&toTime=%s", gl_instant_text(query->from, from),
                gl_instant_text((struct gl_instant){until_s}, until));
}

static unsigned urls(const struct gl_signal_query *query, const char *endpoint, unsigned index,
                     char *out, size_t capacity)
{
    GL_AUTO(gl_str_done) struct gl_str url = {0};

    gl_str_addf(&url, "%s/emissions/%s?location=%s", endpoint != NULL ? endpoint : ENDPOINT,
                index == FORECAST ? "forecasts/current" : "bylocation", location_of(query));
    if (query->is_past)
        add_range(query, &url);
    snprintf(out, capacity, "%s", gl_str_text(&url));
    return query->is_past ? 1 : 2;
}

/* ---- what the figures are ---- */

static int word_of(const char *const *words, const char *word, int *out)
{
    for (int i = 0; word != NULL && words[i] != NULL; i++)
        if (strcmp(words[i], word) == 0) {
            *out = i;
            return 0;
        }
    return -1;
}

static int read_meaning(const struct gl_signal_config *config, struct gl_meaning *out,
                        double *out_unit, struct gl_error *err)
{
    int rate, boundary, gases, trace;

    if (config == NULL || config->unit == NULL || word_of(gl_rate_words, config->rate, &rate) ||
        word_of(gl_boundary_words, config->boundary, &boundary) ||
        word_of(gl_gases_words, config->gases, &gases) ||
        word_of(gl_trace_words, config->trace, &trace) || boundary == GL_BOUNDARY_NA ||
        gases == GL_GASES_NA)
        return gl_fail(err, GL_E_CONFIG,
                       "the service does not say what its figures are; the configuration has to: "
                       "rate, boundary, gases, trace, unit");
    *out = (struct gl_meaning){.quantity = GL_INTENSITY,
                               .rate = (enum gl_rate)rate,
                               .boundary = (enum gl_boundary)boundary,
                               .gases = (enum gl_gases)gases,
                               .trace = (enum gl_trace)trace};
    *out_unit = strcmp(config->unit, "lb/MWh") == 0 ? LB_PER_MWH : 1;
    return 0;
}

/* ---- answers ---- */

/* How the members of a point are called. */
struct shape {
    const char *time, *figure;
    double unit;
    enum gl_evidence evidence;
};

static int check_location(const json_t *object, const struct gl_signal_query *query,
                          struct gl_error *err)
{
    const char *region = gl_watttime_region(query->zone), *found;
    char shown[GL_TEXT_SHOWN];

    if (gl_json_string(object, "location", &found, err))
        return -1;
    if (strcmp(found, location_of(query)) == 0 || (region != NULL && strcmp(found, region) == 0))
        return 0;
    return gl_fail(err, GL_E_BAD_REPLY, "location %s was asked for, %s came", location_of(query),
                   gl_text_show(found, shown));
}

/* Minutes as a number, or "hh:mm:ss"; GL_UNKNOWN when there is none, or when it is 0. */
static int read_duration(const json_t *item, int64_t *out_s, struct gl_error *err)
{
    const json_t *found = json_object_get(item, "duration");
    const char *text = json_string_value(found);
    unsigned hours, minutes, seconds;
    int end = 0;
    int64_t length_s = 0;

    *out_s = GL_UNKNOWN;
    if (found == NULL || json_is_null(found))
        return 0;
    if (json_is_integer(found) && json_integer_value(found) >= 0 &&
        json_integer_value(found) <= STEP_MAX_S / 60)
        length_s = json_integer_value(found) * 60;
    else if (text != NULL && sscanf(text, "%2u:%2u:%2u%n", &hours, &minutes, &seconds, &end) == 3 &&
             text[end] == '\0' && minutes < 60 && seconds < 60)
        length_s = (int64_t)hours * 3600 + minutes * 60 + seconds;
    else
        return gl_fail(err, GL_E_BAD_REPLY, "\"duration\" is no length of at most an hour");
    if (length_s > STEP_MAX_S)
        return gl_fail(err, GL_E_BAD_REPLY, "\"duration\" is longer than an hour");
    if (length_s > 0)
        *out_s = length_s;
    return 0;
}

static int read_point(const json_t *item, const struct gl_signal_label *label,
                      const struct shape *shape, struct gl_series *series, struct gl_error *err)
{
    int64_t from_s = 0, length_s = GL_UNKNOWN;
    struct gl_point point;
    bool is_known = false;
    double number = 0;

    if (check_location(item, label->query, err) ||
        gl_signal_time(item, shape->time, &from_s, err) || read_duration(item, &length_s, err) ||
        gl_json_number(item, shape->figure, &number, &is_known, err))
        return -1;
    point = gl_signal_point(from_s, length_s == GL_UNKNOWN ? GL_UNKNOWN : from_s + length_s,
                            shape->evidence);
    is_known = is_known && (number < -1 || number > -1);
    if (is_known && gl_signal_micro(number * shape->unit, &point.value_u))
        return gl_fail(err, GL_E_BAD_REPLY, "\"%s\" is no possible figure", shape->figure);
    series->points[series->count++] = point;
    return 0;
}

static int read_points(const json_t *items, const struct gl_signal_label *label,
                       const struct shape *shape, struct gl_series *series, struct gl_error *err)
{
    json_t *item;
    size_t i;

    json_array_foreach(items, i, item) if (read_point(item, label, shape, series, err)) return -1;
    if (gl_series_close(series, STEP_MAX_S, err)) {
        err->code = GL_E_BAD_REPLY;
        return -1;
    }
    return 0;
}

static int check_count(const json_t *items, struct gl_error *err)
{
    if (json_array_size(items) == 0)
        return gl_fail(err, GL_E_UNKNOWN_DATA, "the answer holds no interval");
    if (json_array_size(items) > GL_SIGNAL_MAX_POINTS)
        return gl_fail(err, GL_E_TOO_LARGE, "the answer holds too many intervals");
    return 0;
}

static int read_emissions(json_t *root, const struct gl_signal_label *label,
                          struct gl_signal_result *result, struct gl_error *err)
{
    struct shape shape = {"time", "rating", 1, GL_ESTIMATED};
    struct gl_meaning meaning;

    if (read_meaning(label->query->config, &meaning, &shape.unit, err) || check_count(root, err))
        return -1;
    return read_points(root, label, &shape,
                       gl_signal_begin(result, json_array_size(root), label, &meaning), err);
}

static int read_forecast(json_t *root, const struct gl_signal_label *label,
                         struct gl_signal_result *result, struct gl_error *err)
{
    struct shape shape = {"timestamp", "value", 1, GL_FORECAST};
    const json_t *forecast = json_array_get(root, 0);
    struct gl_meaning meaning;
    struct gl_series *series;
    json_t *items;

    if (read_meaning(label->query->config, &meaning, &shape.unit, err))
        return -1;
    if (json_array_size(root) != 1)
        return gl_fail(err, GL_E_BAD_REPLY, "one forecast was asked for, %zu came",
                       json_array_size(root));
    if (check_location(forecast, label->query, err) ||
        gl_json_array(forecast, "forecastData", &items, err) || check_count(items, err))
        return -1;
    series = gl_signal_begin(result, json_array_size(items), label, &meaning);
    if (gl_signal_time(forecast, "generatedAt", &series->issued_s, err))
        return -1;
    return read_points(items, label, &shape, series, err);
}

static int parse(const struct gl_signal_query *query, unsigned index, const char *body,
                 size_t length, struct gl_instant retrieved, struct gl_signal_result *result,
                 struct gl_error *err)
{
    const char *location = location_of(query);
    char dataset[64];
    const struct gl_signal_label label = {.ops = &gl_signal_carbon_aware,
                                          .zone = query->zone,
                                          .dataset = dataset,
                                          .retrieved = retrieved,
                                          .query = query,
                                          .request = index};

    snprintf(dataset, sizeof dataset, "emissions %.40s", location);
    return gl_signal_parse_list(&label, (struct gl_view){body, length},
                                index == FORECAST ? read_forecast : read_emissions, result, err);
}

const struct gl_signal_ops gl_signal_carbon_aware = {
    .name = "carbon-aware-sdk",
    .title = "Carbon Aware SDK WebApi",
    .attribution = "Carbon Aware SDK WebApi, and the data behind it",
    .licence = "terms of the data behind it",
    .homepage = "https://carbon-aware-sdk.greensoftware.foundation",
    .needs_network = true,
    .needs_meaning = true,
    .covers = covers,
    .urls = urls,
    .parse = parse,
    .past_s = PAST_S,
};
