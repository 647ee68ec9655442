/* SPDX-License-Identifier: Apache-2.0 */
#include "base/time.h"
#include "providers/signal/adapter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* WattTime API v3, https://docs.watttime.org
 *
 * co2_moer: the short-run marginal rate, direct CO2 (not CO2e) of the plants that answer a change
 * of load, in lb/MWh, every five minutes, up to 72 hours ahead. co2_aoer: the average rate, of the
 * past only. Marginal and average differ by their meaning and are never joined. A model is named by
 * its date: figures of two models differ in factor_set and data set, so nothing joins them either.
 *
 * Left out: /v3/signal-index. It ranks the hours of one region from 0 to 100; it is no share and
 * says nothing between regions. An answer in any other unit than lb/MWh is refused.
 *
 * Evidence: a rate is the output of a model, so past ones are preliminary; estimated where input
 * was imputed; substitute when the model is a proxy for a region without data of its own. A series
 * that the service warns about is not used. The plan without charge knows one region only (403):
 * that is a missing right, not a state of the grid. */

#define ENDPOINT    "https://api.watttime.org"
#define STEP_S      300
#define HOUR_S      ((int64_t)3600)
#define PAST_S      ((int64_t)30 * 86400) /* of the 32 days that one answer may span */
#define HORIZON     24
#define HORIZON_MAX 72
#define LB_PER_MWH  0.45359237 /* g/kWh: 453.59237 g a pound (exact), 1000 kWh a MWh */
#define UNITS       "lbs_co2_per_mwh"
#define TIME_MAX_S  INT64_C(253402300799)

static bool covers(const char *zone)
{
    return gl_watttime_region(zone) != NULL;
}

static const char *region_of(const struct gl_signal_query *query)
{
    if (query->config != NULL && query->config->location != NULL)
        return query->config->location;
    return gl_watttime_region(query->zone);
}

/* ---- questions ---- */

static const char *signal_of(const struct gl_signal_query *query, unsigned index)
{
    return query->is_past && index == 1 ? "co2_aoer" : "co2_moer";
}

/* Every time has its zone, or the service refuses it; + has to be encoded. */
static void time_text(int64_t unix_s, char out[48])
{
    char text[GL_INSTANT_TEXT];

    gl_instant_text((struct gl_instant){unix_s}, text);
    snprintf(out, 48, "%.19s%%2B00:00", text);
}

/* The end is inclusive: the last step of a stretch begins five minutes before it is over. */
static void add_range(const struct gl_signal_query *query, struct gl_str *url)
{
    int64_t from_s = query->from.unix_s - query->from.unix_s % STEP_S;
    int64_t last_s = query->until.unix_s - STEP_S;
    char from[48], last[48];

    if (last_s > from_s + PAST_S - STEP_S)
        last_s = from_s + PAST_S - STEP_S;
    if (last_s < from_s)
        last_s = from_s;
    time_text(from_s, from);
    time_text(last_s - last_s % STEP_S, last);
    gl_str_addf(url, "&start=%s&end=%s&include_imputed_marker=true", from, last);
}

static int horizon_of(const struct gl_signal_query *query)
{
    int64_t hours = (query->until.unix_s - query->from.unix_s) / HOUR_S + 1;

    if (query->wants_history || hours > HORIZON)
        return hours > 2 * HORIZON ? HORIZON_MAX : 2 * HORIZON;
    return HORIZON;
}

static unsigned urls(const struct gl_signal_query *query, const char *endpoint, unsigned index,
                     char *out, size_t capacity)
{
    GL_AUTO(gl_str_done) struct gl_str url = {0};
    const char *region = region_of(query);

    gl_str_addf(&url, "%s/v3/%s?region=%s&signal_type=%s", endpoint != NULL ? endpoint : ENDPOINT,
                query->is_past ? "historical" : "forecast", region != NULL ? region : "",
                signal_of(query, index));
    if (query->is_past)
        add_range(query, &url);
    else
        gl_str_addf(&url, "&horizon_hours=%d", horizon_of(query));
    snprintf(out, capacity, "%s", gl_str_text(&url));
    if (region == NULL)
        return 0;
    return query->is_past ? 2 : 1;
}

/* ---- answers ---- */

/* What the answer says of itself. */
struct frame {
    bool is_forecast, is_proxy;
    int64_t step_s;
};

static int check_text(const json_t *meta, const char *key, const char *wanted, struct gl_error *err)
{
    char shown[GL_TEXT_SHOWN];
    const char *found;

    if (gl_json_string(meta, key, &found, err))
        return -1;
    if (strcmp(found, wanted) == 0)
        return 0;
    return gl_fail(err, GL_E_BAD_REPLY, "\"%s\" is %s instead of %s", key,
                   gl_text_show(found, shown), wanted);
}

/* The model's date, as in 2026-03-01, into the name of the data set and of the factors. */
static int read_model(const json_t *meta, const char *signal, struct gl_series *series,
                      struct frame *frame, struct gl_error *err)
{
    const json_t *model = json_object_get(meta, "model");
    const char *date = json_string_value(json_object_get(model, "date"));
    const char *type = json_string_value(json_object_get(model, "type"));

    if (date == NULL || strlen(date) != 10 || strspn(date, "0123456789-") != 10)
        return gl_fail(err, GL_E_BAD_REPLY, "the answer does not say which model it is of");
    snprintf(series->dataset, sizeof series->dataset, "%s %s", signal, date);
    snprintf(series->meaning.factor_set, sizeof series->meaning.factor_set, "WattTime %s", date);
    frame->is_proxy = type != NULL && strstr(type, "proxy") != NULL;
    return 0;
}

static void read_warnings(const json_t *meta, struct gl_series *series)
{
    const json_t *warnings = json_object_get(meta, "warnings");
    const char *type = json_string_value(json_object_get(json_array_get(warnings, 0), "type"));
    char text[sizeof series->suspicion], shown[GL_TEXT_SHOWN];

    if (warnings == NULL || json_is_null(warnings) ||
        (json_is_array(warnings) && json_array_size(warnings) == 0))
        return;
    snprintf(text, sizeof text, "the source warns about it: %.60s",
             type != NULL ? gl_text_show(type, shown) : "it does not say why");
    gl_series_suspect(series, text);
}

static int read_meta(const json_t *root, const struct gl_signal_label *label, struct frame *frame,
                     struct gl_series *series, struct gl_error *err)
{
    const char *signal = signal_of(label->query, label->request);
    json_t *meta;

    if (gl_json_object(root, "meta", &meta, err) ||
        check_text(meta, "region", region_of(label->query), err) ||
        check_text(meta, "signal_type", signal, err) || check_text(meta, "units", UNITS, err) ||
        gl_json_int(meta, "data_point_period_seconds", 60, HOUR_S, &frame->step_s, err) ||
        read_model(meta, signal, series, frame, err))
        return -1;
    read_warnings(meta, series);
    frame->is_forecast = !label->query->is_past;
    return frame->is_forecast && json_object_get(meta, "generated_at") != NULL
               ? gl_signal_time(meta, "generated_at", &series->issued_s, err)
               : 0;
}

static enum gl_evidence evidence_of(const struct frame *frame, const json_t *item)
{
    const json_t *imputed = json_object_get(item, "imputed_data_used");

    if (frame->is_proxy)
        return GL_SUBSTITUTE;
    if (frame->is_forecast)
        return GL_FORECAST;
    return imputed == NULL || json_is_false(imputed) ? GL_PRELIMINARY : GL_ESTIMATED;
}

static int read_point(const json_t *item, const struct frame *frame, struct gl_series *series,
                      struct gl_error *err)
{
    struct gl_point point;
    bool is_known = false;
    int64_t from_s = 0;
    double pounds = 0;

    if (gl_signal_time(item, "point_time", &from_s, err) ||
        gl_json_number(item, "value", &pounds, &is_known, err))
        return -1;
    point = gl_signal_point(from_s, from_s + frame->step_s, evidence_of(frame, item));
    if (is_known && gl_signal_micro(pounds * LB_PER_MWH, &point.value_u))
        return gl_fail(err, GL_E_BAD_REPLY, "\"value\" is no possible figure");
    if (json_is_string(json_object_get(item, "last_updated")) &&
        gl_signal_time(item, "last_updated", &point.updated_s, err))
        return -1;
    series->points[series->count++] = point;
    return 0;
}

static int read_root(json_t *root, const struct gl_signal_label *label,
                     struct gl_signal_result *result, struct gl_error *err)
{
    bool is_average = strcmp(signal_of(label->query, label->request), "co2_aoer") == 0;
    const struct gl_meaning meaning = {
        .quantity = GL_INTENSITY,
        .rate = is_average ? GL_AVERAGE : GL_SHORT_RUN_MARGINAL,
        .boundary = GL_DIRECT,
        .gases = GL_CO2,
        .trace = GL_PRODUCTION,
    };
    struct frame frame = {.is_proxy = false};
    struct gl_series *series;
    json_t *items, *item;
    size_t i;

    if (gl_json_array(root, "data", &items, err))
        return -1;
    if (json_array_size(items) == 0)
        return gl_fail(err, GL_E_UNKNOWN_DATA, "the answer holds no interval");
    if (json_array_size(items) > GL_SIGNAL_MAX_POINTS)
        return gl_fail(err, GL_E_TOO_LARGE, "the answer holds too many intervals");
    series = gl_signal_begin(result, json_array_size(items), label, &meaning);
    if (read_meta(root, label, &frame, series, err))
        return -1;
    json_array_foreach(items, i, item) if (read_point(item, &frame, series, err)) return -1;
    return 0;
}

static int parse(const struct gl_signal_query *query, unsigned index, const char *body,
                 size_t length, struct gl_instant retrieved, struct gl_signal_result *result,
                 struct gl_error *err)
{
    const struct gl_signal_label label = {.ops = &gl_signal_watttime,
                                          .zone = query->zone,
                                          .dataset = signal_of(query, index),
                                          .retrieved = retrieved,
                                          .query = query,
                                          .request = index};

    if (region_of(query) == NULL)
        return gl_fail(err, GL_E_CONFIG, "no WattTime region is known for %s", query->zone);
    return gl_signal_parse(&label, (struct gl_view){body, length}, read_root, result, err);
}

/* ---- refusals ---- */

static bool refuse(int status, const char *body, size_t length, struct gl_error *err)
{
    (void)body;
    (void)length;
    if (status == 401) { /* a fresh token, too: send_known() of fetch.c */
        gl_fail(err, GL_E_NO_CREDENTIAL, "the account is not accepted (status 401)");
        return false;
    }
    if (status == 403)
        gl_fail(err, GL_E_UNKNOWN_DATA,
                "no entitlement: the plan does not include this region (status 403)");
    return true;
}

static const struct gl_signal_key keys[] = {
    {.variable = "WATTTIME_USER", .what = "user name", .is_user = true},
    {.variable = "WATTTIME_PASSWORD", .what = "password"},
    {0},
};

/* A token is good for 30 minutes. */
static const struct gl_signal_login login = {
    .endpoint = ENDPOINT, .path = "/login", .member = "token", .renew_s = 1500};

const struct gl_signal_ops gl_signal_watttime = {
    .name = "watttime",
    .title = "WattTime",
    .attribution = "WattTime, watttime.org",
    .licence = "proprietary, no redistribution",
    .homepage = "https://watttime.org",
    .needs_network = true,
    .covers = covers,
    .urls = urls,
    .parse = parse,
    .keys = keys,
    .login = &login,
    .refuse = refuse,
    .per_minute = 300, /* of 600 */
    .past_s = PAST_S,
};
