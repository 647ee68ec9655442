/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/signal/adapter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Energy-Charts (Fraunhofer ISE), https://api.energy-charts.info (OpenAPI 1.5).
 *
 * /signal and /ren_share_forecast give the renewable share of *load* from the start of the day for
 * as long as a prediction exists, in steps of 15 minutes or an hour. It passes 100 % when the
 * country exports; it is kept as it comes and means something else than a share of what was
 * consumed. The API does not say where figures of the past turn into predictions, nor what they
 * were made from: past ones count as estimated, later ones as forecast, all as substitute when the
 * answer says that they stand in for missing data. No country is echoed and no bounds are given.
 *
 * Left out: /co2eq. It is not in the published description, may vanish, and states neither its
 * factors nor whether they are direct or lifecycle; a figure whose meaning is unknown is no use. */

#define ENDPOINT   "https://api.energy-charts.info"
#define STEP_MAX_S 3600
#define TIME_MAX_S INT64_C(253402300799) /* the end of the year 9999 */

/* Zones that are whole countries on both sides. Denmark, Italy, Norway and Sweden are several grid
 * zones; "uk" holds Northern Ireland, the zone GB does not. */
static const char *const zones[] = {
    "AL", "AT", "BA", "BE", "BG", "CH", "CY", "CZ", "DE", "EE", "ES", "FI",
    "FR", "GE", "GR", "HR", "HU", "IE", "LT", "LU", "LV", "MD", "ME", "MK",
    "MT", "NL", "PL", "PT", "RO", "RS", "SI", "SK", "TR", "UA", "XK",
};

/* What came of the forecast is in the other answer, whose own prediction is not stored beside it.
 */
static const struct gl_signal_filing filing[] = {
    {"signal", "share", false, true}, {"ren_share_forecast", "share", true, false}, {0}};

static bool covers(const char *zone)
{
    for (size_t i = 0; i < sizeof zones / sizeof zones[0]; i++)
        if (strcmp(zones[i], zone) == 0)
            return true;
    return false;
}

static unsigned urls(const struct gl_signal_query *query, const char *endpoint, unsigned index,
                     char *out, size_t capacity)
{
    snprintf(out, capacity, "%s/%s?country=%c%c", endpoint != NULL ? endpoint : ENDPOINT,
             index == 0 ? "signal" : "ren_share_forecast", query->zone[0] | 0x20,
             query->zone[1] | 0x20);
    return 2;
}

/* One figure in percent; null is a gap. */
static int read_percent(const json_t *entry, int64_t *out, struct gl_error *err)
{
    int64_t micro;

    *out = GL_UNKNOWN;
    if (json_is_null(entry))
        return 0;
    if (!json_is_number(entry) || gl_signal_micro(json_number_value(entry), &micro))
        return gl_fail(err, GL_E_BAD_REPLY, "a share is not a possible number");
    *out = micro / 100;
    return 0;
}

static enum gl_evidence evidence_of(int64_t from_s, struct gl_instant now, bool is_substitute,
                                    unsigned index)
{
    if (is_substitute)
        return GL_SUBSTITUTE;
    return index == 0 && from_s < now.unix_s ? GL_ESTIMATED : GL_FORECAST;
}

static int read_points(const json_t *times, const json_t *shares, bool is_substitute,
                       unsigned index, struct gl_series *series, struct gl_error *err)
{
    struct gl_instant now = {series->retrieved_s};

    for (size_t i = 0; i < json_array_size(times); i++) {
        const json_t *time = json_array_get(times, i);
        int64_t from_s = json_integer_value(time);
        struct gl_point point;

        if (!json_is_integer(time) || from_s < 0 || from_s > TIME_MAX_S)
            return gl_fail(err, GL_E_BAD_REPLY, "a time is not in Unix seconds");
        point = gl_signal_point(from_s, GL_UNKNOWN, evidence_of(from_s, now, is_substitute, index));
        if (read_percent(json_array_get(shares, i), &point.value_u, err))
            return -1;
        series->points[series->count++] = point;
    }
    if (gl_series_close(series, STEP_MAX_S, err)) {
        err->code = GL_E_BAD_REPLY;
        return -1;
    }
    return 0;
}

static int read_arrays(json_t *root, const struct gl_signal_label *label,
                       struct gl_signal_result *result, struct gl_error *err)
{
    const struct gl_meaning meaning = {
        .quantity = GL_RENEWABLE_SHARE,
        .trace = GL_SHARE_OF_LOAD,
        .share_of = GL_OF_RENEWABLE,
    };
    const json_t *substitute = json_object_get(root, "substitute");
    json_t *times, *shares;
    size_t count;

    if (gl_json_array(root, "unix_seconds", &times, err) ||
        gl_json_array(root, label->request == 0 ? "share" : "ren_share", &shares, err))
        return -1;
    count = json_array_size(times);
    if (count != json_array_size(shares))
        return gl_fail(err, GL_E_BAD_REPLY, "there are %zu times but %zu shares", count,
                       json_array_size(shares));
    if (count == 0)
        return gl_fail(err, GL_E_UNKNOWN_DATA, "the answer holds no interval");
    if (count > GL_SIGNAL_MAX_POINTS)
        return gl_fail(err, GL_E_TOO_LARGE, "the answer holds too many intervals");
    /* Said to be a boolean; anything but a plain "no" counts as "yes". */
    return read_points(times, shares, substitute != NULL && !json_is_false(substitute),
                       label->request, gl_signal_begin(result, count, label, &meaning), err);
}

static int parse(const struct gl_signal_query *query, unsigned index, const char *body,
                 size_t length, struct gl_instant retrieved, struct gl_signal_result *result,
                 struct gl_error *err)
{
    const char *dataset = index == 0 ? "signal" : "ren_share_forecast";
    const struct gl_signal_label label = {
        &gl_signal_energy_charts, query->zone, dataset, retrieved, query, index};

    return gl_signal_parse(&label, (struct gl_view){body, length}, read_arrays, result, err);
}

const struct gl_signal_ops gl_signal_energy_charts = {
    .name = "energy-charts",
    .title = "Energy-Charts",
    .attribution = "Energy-Charts.info (Fraunhofer ISE)",
    .licence = "CC BY 4.0",
    .homepage = "https://www.energy-charts.info",
    .needs_network = true,
    .covers = covers,
    .urls = urls,
    .parse = parse,
    .filing = filing,
};
