/* SPDX-License-Identifier: Apache-2.0 */
#include "base/time.h"
#include "providers/data/data.h"
#include "providers/signal/adapter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Electricity Maps API v4 and v3, https://app.electricitymaps.com/developer-hub/api/reference
 *
 * Flow-traced consumption with lifecycle factors, hourly, for the zones that our own table has. v4
 * is asked unless the endpoint ends otherwise; the answers are alike. Carbon intensity, renewable
 * and carbon-free share, of the last 24 hours and, with a paid plan, of the coming ones.
 *
 * What has to be watched:
 * - without a zone it knows the service takes that of the caller's address and answers 200: it is
 *   told not to, and an answer that names another zone than the one asked for is refused;
 * - a plan without the wanted step gets a coarser one in silence: the step of the answer counts,
 *   and one longer than an hour is refused;
 * - isEstimated counts, not estimationMethod, which can say MEASURED beside it; where it is absent
 *   nothing is known, so the figure counts as estimated;
 * - shares may be numbers in strings, any figure may be null; null is a gap, never another number;
 * - a forecast of N hours has N + 1 points: the first is the running hour;
 * - 401 is a bad token as well as a right that the plan does not include.
 *
 * No bounds are given. Observed figures get those of how far published figures still move, which
 * were measured on this very service; estimated ones and forecasts none. */

#define ENDPOINT      "https://api.electricitymaps.com/v4"
#define HOUR_S        ((int64_t)3600)
#define RANGE_MAX_S   ((int64_t)10 * 86400) /* of past-range, hourly */
#define HORIZON_SHORT 24
#define HORIZON_LONG  72
#define UNIT_G        "gCO2eq/kWh"
#define TIME_MAX_S    INT64_C(253402300799)

static const char *const signals[] = {"carbon-intensity", "renewable-energy", "carbon-free-energy"};
#define SIGNALS (sizeof signals / sizeof signals[0])

static bool covers(const char *zone)
{
    return gl_data_zone(zone) != NULL;
}

/* ---- questions ---- */

static bool is_version_4(const char *endpoint)
{
    size_t length = strlen(endpoint);

    return length > 3 && strcmp(endpoint + length - 3, "/v4") == 0;
}

/* The horizons are 6, 24, 48 and 72; few of them, so that URLs repeat. */
static int horizon_of(const struct gl_signal_query *query)
{
    int64_t asked_s = query->until.unix_s - query->from.unix_s;

    return query->wants_history || asked_s > (HORIZON_SHORT - 3) * HOUR_S ? HORIZON_LONG
                                                                          : HORIZON_SHORT;
}

/* "past-range" from hour to hour; the same hours give the same URL. */
static void add_range(const struct gl_signal_query *query, struct gl_str *out)
{
    int64_t from_s = query->from.unix_s - query->from.unix_s % HOUR_S;
    int64_t until_s = query->until.unix_s + HOUR_S - 1;
    char from[GL_INSTANT_TEXT], until[GL_INSTANT_TEXT];

    until_s -= until_s % HOUR_S;
    if (until_s > from_s + RANGE_MAX_S)
        until_s = from_s + RANGE_MAX_S;
    if (until_s > TIME_MAX_S)
        until_s = TIME_MAX_S;
    gl_str_addf(out, "past-range?start=%s&end=%s&",
                gl_instant_text((struct gl_instant){from_s}, from),
                gl_instant_text((struct gl_instant){until_s}, until));
}

/* Answers of now come in pairs: what was, what is to come. */
static const char *signal_of(const struct gl_signal_query *query, unsigned index)
{
    return signals[(query->is_past ? index : index / 2) % SIGNALS];
}

static bool is_forecast(const struct gl_signal_query *query, unsigned index)
{
    return !query->is_past && index % 2 == 1;
}

static unsigned urls(const struct gl_signal_query *query, const char *endpoint, unsigned index,
                     char *out, size_t capacity)
{
    GL_AUTO(gl_str_done) struct gl_str url = {0};

    endpoint = endpoint != NULL ? endpoint : ENDPOINT;
    gl_str_addf(&url, "%s/%s/", endpoint, signal_of(query, index));
    if (query->is_past)
        add_range(query, &url);
    else if (is_forecast(query, index))
        gl_str_addf(&url, "forecast?horizonHours=%d&", horizon_of(query));
    else
        gl_str_add(&url, "history?");
    gl_str_addf(&url, "zone=%s&temporalGranularity=hourly%s&%s", query->zone,
                strcmp(signal_of(query, index), signals[0]) == 0 ? "&emissionFactorType=lifecycle"
                                                                 : "",
                is_version_4(endpoint) ? "disableCallerLookup=true"
                                       : "shouldUseFallbackCallerLookup=false");
    snprintf(out, capacity, "%s", gl_str_text(&url));
    return query->is_past ? SIGNALS : 2 * SIGNALS;
}

/* ---- answers ---- */

static struct gl_meaning meaning_of(const char *signal)
{
    struct gl_meaning meaning = {.quantity = GL_INTENSITY,
                                 .boundary = GL_LIFECYCLE,
                                 .gases = GL_CO2E,
                                 .trace = GL_FLOW_TRACED,
                                 .factor_set = "ElectricityMaps"};

    if (strcmp(signal, signals[0]) == 0)
        return meaning;
    return (struct gl_meaning){
        .quantity = strcmp(signal, signals[1]) == 0 ? GL_RENEWABLE_SHARE : GL_CARBON_FREE_SHARE,
        .trace = GL_FLOW_TRACED,
        .share_of = GL_OF_RENEWABLE | (strcmp(signal, signals[1]) == 0 ? 0 : GL_OF_NUCLEAR),
    };
}

static int check_zone(const json_t *root, const char *zone, struct gl_error *err)
{
    char shown[GL_TEXT_SHOWN];
    const char *found;

    if (gl_json_string(root, "zone", &found, err))
        return -1;
    if (strcmp(found, zone) == 0)
        return 0;
    return gl_fail(err, GL_E_BAD_REPLY,
                   "zone %s was asked for, %s came: perhaps that of this machine's address", zone,
                   gl_text_show(found, shown));
}

/* A word that must be `wanted` where it is said at all. */
static int check_word(const json_t *object, const char *key, const char *wanted,
                      struct gl_error *err)
{
    const json_t *found = json_object_get(object, key);
    char shown[GL_TEXT_SHOWN];

    if (found == NULL || json_is_null(found))
        return 0;
    if (!json_is_string(found))
        return gl_fail(err, GL_E_BAD_REPLY, "\"%s\" is no text", key);
    if (strcmp(json_string_value(found), wanted) == 0)
        return 0;
    return gl_fail(err, GL_E_BAD_REPLY, "\"%s\" is %s instead of %s", key,
                   gl_text_show(json_string_value(found), shown), wanted);
}

/* The step in seconds; GL_UNKNOWN when the answer does not say it. */
static int read_step(const json_t *root, int64_t *out, struct gl_error *err)
{
    static const struct {
        const char *word;
        int64_t seconds;
    } steps[] = {{"hourly", 3600}, {"15_minutes", 900}, {"5_minutes", 300}};
    const json_t *found = json_object_get(root, "temporalGranularity");
    char shown[GL_TEXT_SHOWN];

    *out = GL_UNKNOWN;
    if (found == NULL || json_is_null(found))
        return 0;
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
        if (json_is_string(found) && strcmp(json_string_value(found), steps[i].word) == 0) {
            *out = steps[i].seconds;
            return 0;
        }
    return gl_fail(err, GL_E_BAD_REPLY, "hourly figures were asked for, %s ones came",
                   json_is_string(found) ? gl_text_show(json_string_value(found), shown) : "other");
}

/* What the points of an answer have in common. */
struct frame {
    const json_t *root;
    int64_t step_s;
    bool is_forecast;
};

static enum gl_evidence evidence_of(const struct frame *frame, const json_t *item)
{
    if (frame->is_forecast)
        return GL_FORECAST;
    return json_is_false(json_object_get(item, "isEstimated")) ? GL_PRELIMINARY : GL_ESTIMATED;
}

/* The figure in millionths of g/kWh or of the whole; GL_UNKNOWN where there is none. */
static int read_figure(const json_t *item, const struct gl_meaning *meaning, int64_t *out,
                       struct gl_error *err)
{
    bool is_intensity = meaning->quantity == GL_INTENSITY;
    const char *key = is_intensity && json_object_get(item, "carbonIntensity") != NULL
                          ? "carbonIntensity"
                          : "value";
    bool is_known = false;
    double number = 0;

    *out = GL_UNKNOWN;
    if (check_word(item, "unit", is_intensity ? UNIT_G : "%", err) ||
        check_word(item, "emissionFactorType", "lifecycle", err) ||
        gl_json_number(item, key, &number, &is_known, err))
        return -1;
    if (is_known && gl_signal_micro(number, out))
        return gl_fail(err, GL_E_BAD_REPLY, "\"%s\" is no possible figure", key);
    if (is_known && !is_intensity)
        *out /= 100;
    return 0;
}

static int read_point(const struct frame *frame, const json_t *item, struct gl_series *series,
                      struct gl_error *err)
{
    struct gl_point point;
    int64_t from_s = 0;

    if (gl_signal_time(item, "datetime", &from_s, err))
        return -1;
    point =
        gl_signal_point(from_s, frame->step_s == GL_UNKNOWN ? GL_UNKNOWN : from_s + frame->step_s,
                        evidence_of(frame, item));
    if (read_figure(item, &series->meaning, &point.value_u, err))
        return -1;
    if (json_is_string(json_object_get(item, "updatedAt")) &&
        gl_signal_time(item, "updatedAt", &point.updated_s, err))
        return -1;
    if (point.evidence == GL_PRELIMINARY && series->meaning.quantity == GL_INTENSITY)
        gl_signal_bound_observed(&point);
    else if (point.evidence == GL_PRELIMINARY)
        gl_signal_bound_share(&point);
    series->points[series->count++] = point;
    return 0;
}

/* The list of an answer, whatever its version calls it; the whole answer when it is one point. */
static const json_t *list_of(const json_t *root, json_t *alone)
{
    static const char *const names[] = {"history", "data", "forecast"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (json_is_array(json_object_get(root, names[i])))
            return json_object_get(root, names[i]);
    json_array_append(alone, (json_t *)(uintptr_t)root);
    return alone;
}

static int read_points(const json_t *items, const struct frame *frame, struct gl_series *series,
                       struct gl_error *err)
{
    json_t *item;
    size_t i;

    json_array_foreach(items, i, item) if (read_point(frame, item, series, err)) return -1;
    if (gl_series_close(series, HOUR_S, err)) {
        err->code = GL_E_BAD_REPLY;
        return -1;
    }
    return 0;
}

static int read_root(json_t *root, const struct gl_signal_label *label,
                     struct gl_signal_result *result, struct gl_error *err)
{
    const struct gl_meaning meaning = meaning_of(label->dataset);
    struct frame frame = {.root = root, .is_forecast = is_forecast(label->query, label->request)};
    GL_AUTO(gl_auto_json) json_t *alone = json_array();
    const json_t *items = list_of(root, alone);
    struct gl_series *series;

    if (check_zone(root, label->zone, err) || read_step(root, &frame.step_s, err) ||
        check_word(root, "emissionFactorType", "lifecycle", err) ||
        check_word(root, "unit", meaning.quantity == GL_INTENSITY ? UNIT_G : "%", err))
        return -1;
    if (json_array_size(items) == 0)
        return gl_fail(err, GL_E_UNKNOWN_DATA, "the answer holds no hour");
    if (json_array_size(items) > GL_SIGNAL_MAX_POINTS)
        return gl_fail(err, GL_E_TOO_LARGE, "the answer holds too many hours");
    series = gl_signal_begin(result, json_array_size(items), label, &meaning);
    if (!frame.is_forecast) {
        series->bound_method = GL_BOUND_REVISION;
        series->bound_permille = GL_REVISION_PERMILLE;
    } else if (json_is_string(json_object_get(root, "updatedAt")) &&
               gl_signal_time(root, "updatedAt", &series->issued_s, err)) {
        return -1;
    }
    return read_points(items, &frame, series, err);
}

static int parse(const struct gl_signal_query *query, unsigned index, const char *body,
                 size_t length, struct gl_instant retrieved, struct gl_signal_result *result,
                 struct gl_error *err)
{
    const struct gl_signal_label label = {.ops = &gl_signal_electricity_maps,
                                          .zone = query->zone,
                                          .dataset = signal_of(query, index),
                                          .retrieved = retrieved,
                                          .query = query,
                                          .request = index};

    return gl_signal_parse(&label, (struct gl_view){body, length}, read_root, result, err);
}

/* ---- refusals ---- */

static bool says(const char *body, size_t length, const char *part)
{
    size_t part_length = strlen(part);

    for (size_t i = 0; i + part_length <= length; i++)
        if (strncasecmp(body + i, part, part_length) == 0)
            return true;
    return false;
}

static bool refuse(int status, const char *body, size_t length, struct gl_error *err)
{
    bool is_right = says(body, length, "zoneKey") || says(body, length, "not available") ||
                    says(body, length, "unauthorized for");

    if (status == 401 && !is_right) {
        gl_fail(err, GL_E_NO_CREDENTIAL, "the token is not accepted (status 401)");
        return false;
    }
    if (status == 401 || status == 403)
        gl_fail(err, GL_E_UNKNOWN_DATA,
                "no entitlement: the plan does not include this (status %d)", status);
    else if (status == 404)
        gl_fail(err, GL_E_UNKNOWN_DATA, "the service does not know this zone (status 404)");
    return true;
}

static const struct gl_signal_key keys[] = {
    {.variable = "ELECTRICITYMAPS_TOKEN", .what = "token", .header = "auth-token"}, {0}};

const struct gl_signal_ops gl_signal_electricity_maps = {
    .name = "electricity-maps",
    .title = "Electricity Maps",
    .attribution = "Electricity Maps, electricitymaps.com",
    .licence = "proprietary, no redistribution",
    .homepage = "https://www.electricitymaps.com",
    .needs_network = true,
    .covers = covers,
    .urls = urls,
    .parse = parse,
    .keys = keys,
    .refuse = refuse,
    .per_minute = 100, /* of 150, burst included */
    .past_s = RANGE_MAX_S,
};
