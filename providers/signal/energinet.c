/* SPDX-License-Identifier: Apache-2.0 */
#include "base/time.h"
#include "providers/signal/adapter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Energinet's Energi Data Service, https://www.energidataservice.dk/guides/api-guides
 *
 * CO2Emis is the near real-time history and CO2EmisProg the forecast of at least nine hours, both
 * in g CO2/kWh of electricity consumed, every five minutes for the price areas DK1 and DK2. Direct
 * emissions of each plant (heat by the 125 % method), exchange with the neighbours included, so
 * the trace is consumption with the operator's own factors for imports. No bounds are given; the
 * history gets those of how far published figures still move, the forecast none.
 *
 * The API takes times without a zone and reads them as Danish; a Danish clock is one or two hours
 * ahead of UTC. So UTC is sent, two hours are added at the end, and only Minutes5UTC of the answer
 * is read: whatever the season, the wanted time is inside. */

#define ENDPOINT   "https://api.energidataservice.dk"
#define STEP_S     300
#define DAY_S      ((int64_t)86400)
#define ZONE_S     7200 /* how far Danish time may be ahead */
#define SPAN_MAX_S (4 * DAY_S)
#define AHEAD_S    (2 * DAY_S) /* asked for when forecasts are stored */
#define PAST_S     (14 * DAY_S)

static const char *const datasets[] = {"CO2Emis", "CO2EmisProg"};

/* What came of the forecast is in the other data set. */
static const struct gl_signal_filing filing[] = {
    {"CO2Emis", "CO2Emis", false, true}, {"CO2EmisProg", "CO2Emis", true, false}, {0}};

/* "DK1" for "DK-DK1". */
static const char *area_of(const char *zone)
{
    return strcmp(zone, "DK-DK1") == 0 || strcmp(zone, "DK-DK2") == 0 ? zone + 3 : NULL;
}

static bool covers(const char *zone)
{
    return area_of(zone) != NULL;
}

static void minute_text(int64_t unix_s, char out[GL_INSTANT_TEXT])
{
    char text[GL_INSTANT_TEXT];

    gl_instant_text((struct gl_instant){unix_s}, text);
    snprintf(out, GL_INSTANT_TEXT, "%.16s", text);
}

/* Whole days, so that URLs repeat. Without a limit the API cuts the answer at 100 rows. */
static unsigned urls(const struct gl_signal_query *query, const char *endpoint, unsigned index,
                     char *out, size_t capacity)
{
    int64_t from_s = query->from.unix_s - query->from.unix_s % DAY_S;
    int64_t most_s = query->is_past ? PAST_S + DAY_S : SPAN_MAX_S;
    int64_t until_s = query->until.unix_s;
    char from[GL_INSTANT_TEXT], until[GL_INSTANT_TEXT];

    if (query->wants_history && !query->is_past && until_s < query->from.unix_s + AHEAD_S)
        until_s = query->from.unix_s + AHEAD_S;
    until_s += ZONE_S + DAY_S - 1;
    until_s -= until_s % DAY_S;
    if (until_s > from_s + most_s)
        until_s = from_s + most_s;
    minute_text(from_s, from);
    minute_text(until_s, until);
    snprintf(out, capacity,
             "%s/dataset/%s?start=%s&end=%s&filter=%%7B%%22PriceArea%%22%%3A%%5B%%22%s%%22%%5D%%7D"
             "&limit=%d",
             endpoint != NULL ? endpoint : ENDPOINT, datasets[index % 2], from, until,
             area_of(query->zone), (int)(most_s / STEP_S));
    return query->is_past ? 1 : 2;
}

/* Minutes5UTC has no zone mark in practice; its name is its zone. */
static int read_time(const json_t *record, int64_t *out, struct gl_error *err)
{
    struct gl_instant at;
    const char *text;
    char marked[GL_INSTANT_TEXT + 1];

    if (gl_json_string(record, "Minutes5UTC", &text, err))
        return -1;
    snprintf(marked, sizeof marked, "%s%s", text, strpbrk(text, "Zz+") != NULL ? "" : "Z");
    if (strlen(text) > GL_INSTANT_TEXT - 1 || gl_instant_parse(marked, &at, err)) {
        gl_error_clear(err);
        return gl_fail(err, GL_E_BAD_REPLY, "\"Minutes5UTC\" is not a time");
    }
    *out = at.unix_s;
    return 0;
}

static int read_record(const json_t *record, const char *area, enum gl_evidence evidence,
                       struct gl_series *series, struct gl_error *err)
{
    struct gl_point point;
    const char *found;
    double number = 0;
    bool is_known = false;
    int64_t from_s = 0;

    if (gl_json_string(record, "PriceArea", &found, err) || read_time(record, &from_s, err))
        return -1;
    if (strcmp(found, area) != 0) {
        char shown[GL_TEXT_SHOWN];

        return gl_fail(err, GL_E_BAD_REPLY, "area %s was asked for, %s came", area,
                       gl_text_show(found, shown));
    }
    if (gl_json_number(record, "CO2Emission", &number, &is_known, err))
        return -1;
    point = gl_signal_point(from_s, from_s + STEP_S, evidence);
    if (is_known && gl_signal_micro(number, &point.value_u))
        return gl_fail(err, GL_E_BAD_REPLY, "\"CO2Emission\" is no possible figure");
    if (evidence == GL_PRELIMINARY)
        gl_signal_bound_observed(&point);
    series->points[series->count++] = point;
    return 0;
}

static int read_records(json_t *root, const struct gl_signal_label *label,
                        struct gl_signal_result *result, struct gl_error *err)
{
    const struct gl_meaning meaning = {
        .quantity = GL_INTENSITY,
        .boundary = GL_DIRECT,
        .gases = GL_CO2,
        .trace = GL_FIXED_IMPORTS,
        .factor_set = "Energinet",
    };
    const char *dataset = json_string_value(json_object_get(root, "dataset"));
    struct gl_series *series;
    json_t *records, *record;
    size_t i;

    if (dataset != NULL && strcmp(dataset, label->dataset) != 0)
        return gl_fail(err, GL_E_BAD_REPLY, "the answer is of another data set");
    if (gl_json_array(root, "records", &records, err))
        return -1;
    if (json_array_size(records) == 0)
        return gl_fail(err, GL_E_UNKNOWN_DATA, "the answer holds no interval");
    if (json_array_size(records) > GL_SIGNAL_MAX_POINTS)
        return gl_fail(err, GL_E_TOO_LARGE, "the answer holds too many intervals");
    series = gl_signal_begin(result, json_array_size(records), label, &meaning);
    if (label->request == 0) {
        series->bound_method = GL_BOUND_REVISION;
        series->bound_permille = GL_REVISION_PERMILLE;
    }
    json_array_foreach(records, i,
                       record) if (read_record(record, area_of(label->zone),
                                               label->request == 0 ? GL_PRELIMINARY : GL_FORECAST,
                                               series, err)) return -1;
    return 0;
}

static int parse(const struct gl_signal_query *query, unsigned index, const char *body,
                 size_t length, struct gl_instant retrieved, struct gl_signal_result *result,
                 struct gl_error *err)
{
    const struct gl_signal_label label = {
        &gl_signal_energinet, query->zone, datasets[index % 2], retrieved, query, index};

    return gl_signal_parse(&label, (struct gl_view){body, length}, read_records, result, err);
}

const struct gl_signal_ops gl_signal_energinet = {
    .name = "energinet",
    .title = "Energinet Energi Data Service",
    .attribution = "Energinet, energidataservice.dk",
    .licence = "terms of energidataservice.dk",
    .homepage = "https://www.energidataservice.dk",
    .needs_network = true,
    .covers = covers,
    .urls = urls,
    .parse = parse,
    .filing = filing,
    .past_s = PAST_S,
};
