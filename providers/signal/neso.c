/* SPDX-License-Identifier: Apache-2.0 */
#include "base/time.h"
#include "providers/signal/adapter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* UK NESO Carbon Intensity API, https://carbon-intensity.github.io/api-definitions/
 *
 * National figures carry forecast and outturn ("actual", about half an hour late and revised for a
 * day); regional ones only a forecast, with the generation mix. Intensity is of consumption: direct
 * emissions, imports at a fixed factor per country, so never comparable with lifecycle figures.
 * Renewable share = wind + solar + hydro + biomass of the mix; imports have no known origin and
 * count as not renewable.
 *
 * The API states no bounds. Ours (docs/signals.md):
 * - outturn: +-11.4 %, how far published figures still move (GL_REVISION_PPM);
 * - forecast: +-20 g or 11 %, whichever is more: the mean error the operator reports for four days
 *   ahead (api-definitions issue 11). A mean is no coverage, so series with forecasts state none;
 * - shares: +-11.4 % of the part that is not renewable. */

#define ENDPOINT     "https://api.carbonintensity.org.uk"
#define HALF_HOUR_S  1800
#define STEP_S       ((int64_t)6 * 3600)   /* request times are cut to this, so that URLs repeat */
#define HOUR_S       ((int64_t)3600)       /* or to this, when all 48 hours ahead are wanted */
#define FORWARD_S    ((int64_t)48 * 3600)  /* of the fw48h form */
#define RANGE_MAX_S  ((int64_t)14 * 86400) /* of the {from}/{to} form */
#define REGION_MAX   17
#define FORECAST_PPM 110000
#define FORECAST_U   INT64_C(20000000)
#define WHOLE_PPM    1000000

enum request { REGIONAL, NATIONAL, MIX };

static bool covers(const char *zone)
{
    return strcmp(zone, "GB") == 0;
}

/* The region number 1..17, 0 for the whole country. */
static unsigned region_of(const struct gl_signal_query *query)
{
    unsigned region = 0;

    for (const char *c = query->neso; c != NULL && *c != '\0'; c++) {
        if (*c < '0' || *c > '9' || region > REGION_MAX)
            return 0;
        region = region * 10 + (unsigned)(*c - '0');
    }
    return region <= REGION_MAX ? region : 0;
}

/* The past is that of the whole country: regions never get an outturn. */
static enum request request_of(const struct gl_signal_query *query, unsigned index)
{
    return region_of(query) > 0 && !query->is_past ? (enum request)index
                                                   : (enum request)(index + 1);
}

/* "2026-01-01T12:00Z": the API knows no seconds. */
static void minute_text(int64_t unix_s, char out[GL_INSTANT_TEXT])
{
    char text[GL_INSTANT_TEXT];

    gl_instant_text((struct gl_instant){unix_s}, text);
    snprintf(out, GL_INSTANT_TEXT, "%.16sZ", text);
}

/* The path below /intensity/ or /regional/intensity/ for the wanted time. */
static void span_text(const struct gl_signal_query *query, char out[2 * GL_INSTANT_TEXT])
{
    int64_t step_s = query->wants_history && !query->is_past ? HOUR_S : STEP_S;
    int64_t from_s = query->from.unix_s - query->from.unix_s % step_s;
    int64_t until_s = query->until.unix_s + step_s - 1;
    char from[GL_INSTANT_TEXT], until[GL_INSTANT_TEXT];

    until_s -= until_s % step_s;
    if (until_s > from_s + RANGE_MAX_S)
        until_s = from_s + RANGE_MAX_S;
    minute_text(from_s, from);
    minute_text(until_s, until);
    snprintf(out, 2 * GL_INSTANT_TEXT, "%s/%s", from,
             !query->is_past && until_s <= from_s + FORWARD_S ? "fw48h" : until);
}

static unsigned urls(const struct gl_signal_query *query, const char *endpoint, unsigned index,
                     char *out, size_t capacity)
{
    unsigned region = region_of(query);
    char span[2 * GL_INSTANT_TEXT];

    endpoint = endpoint != NULL ? endpoint : ENDPOINT;
    span_text(query, span);
    switch (request_of(query, index)) {
    case REGIONAL:
        snprintf(out, capacity, "%s/regional/intensity/%s/regionid/%u", endpoint, span, region);
        break;
    case NATIONAL:
        snprintf(out, capacity, "%s/intensity/%s", endpoint, span);
        break;
    case MIX:
        snprintf(out, capacity, "%s/generation%s%s", endpoint, query->is_past ? "/" : "",
                 query->is_past ? span : "");
        break;
    }
    return region > 0 && !query->is_past ? 3 : 2;
}

static struct gl_meaning intensity_meaning(void)
{
    return (struct gl_meaning){
        .quantity = GL_INTENSITY,
        .boundary = GL_DIRECT,
        .gases = GL_CO2,
        .trace = GL_FIXED_IMPORTS,
        .factor_set = "NESO",
    };
}

static struct gl_meaning share_meaning(enum gl_quantity quantity)
{
    return (struct gl_meaning){
        .quantity = quantity,
        .trace = GL_FIXED_IMPORTS,
        .share_of = GL_OF_SOLAR | GL_OF_WIND | GL_OF_HYDRO | GL_OF_BIOMASS |
                    (quantity == GL_CARBON_FREE_SHARE ? GL_OF_NUCLEAR : 0),
    };
}

/* Half-hour of an item; nothing else is published. */
static int read_times(const json_t *item, struct gl_point *point, struct gl_error *err)
{
    int64_t from_s = 0, until_s = 0;

    if (gl_signal_time(item, "from", &from_s, err) || gl_signal_time(item, "to", &until_s, err))
        return -1;
    if (until_s - from_s != HALF_HOUR_S)
        return gl_fail(err, GL_E_BAD_REPLY, "an interval is not half an hour long");
    *point = gl_signal_point(from_s, until_s, GL_FORECAST);
    return 0;
}

/* A member that may be absent, null or a number. */
static int read_optional(const json_t *object, const char *key, int64_t *out, struct gl_error *err)
{
    double number = 0;
    bool is_known = false;

    *out = GL_UNKNOWN;
    if (json_object_get(object, key) == NULL)
        return 0;
    if (gl_json_number(object, key, &number, &is_known, err))
        return -1;
    if (is_known && gl_signal_micro(number, out))
        return gl_fail(err, GL_E_BAD_REPLY, "\"%s\" is no possible figure", key);
    return 0;
}

static void bound_forecast(struct gl_point *point)
{
    int64_t margin;

    if (point->value_u < 0) /* unknown, or for gl_series_tidy() to find */
        return;
    margin = point->value_u / 1000 * FORECAST_PPM / 1000;
    if (margin < FORECAST_U)
        margin = FORECAST_U;
    point->low_u = point->value_u > margin ? point->value_u - margin : 0;
    point->high_u = point->value_u + margin;
}

/* "intensity": {"forecast", "actual", "index"}: the outturn where there is one. */
static int read_intensity(const json_t *item, struct gl_point *point, struct gl_error *err)
{
    json_t *intensity;
    int64_t forecast, actual;

    if (gl_json_object(item, "intensity", &intensity, err) ||
        read_optional(intensity, "forecast", &forecast, err) ||
        read_optional(intensity, "actual", &actual, err))
        return -1;
    point->value_u = actual != GL_UNKNOWN ? actual : forecast;
    if (actual == GL_UNKNOWN) {
        bound_forecast(point);
        return 0;
    }
    point->evidence = GL_PRELIMINARY;
    gl_signal_bound_observed(point);
    return 0;
}

/* Sums of a mix, in ppm. */
struct mix {
    int64_t renewable, nuclear, all;
};

static int add_fuel(const json_t *entry, struct mix *mix, struct gl_error *err)
{
    static const char *const renewable[] = {"wind", "solar", "hydro", "biomass"};
    const char *fuel;
    int64_t ppm;

    if (gl_json_string(entry, "fuel", &fuel, err) || read_optional(entry, "perc", &ppm, err))
        return -1;
    if (ppm == GL_UNKNOWN || ppm < 0)
        return gl_fail(err, GL_E_BAD_REPLY, "the mix holds a fuel without a possible share");
    ppm /= 100; /* millionths of a percent to millionths */
    mix->all += ppm;
    if (strcmp(fuel, "nuclear") == 0)
        mix->nuclear += ppm;
    for (size_t i = 0; i < sizeof renewable / sizeof renewable[0]; i++)
        if (strcmp(fuel, renewable[i]) == 0)
            mix->renewable += ppm;
    return 0;
}

/* "generationmix": [{"fuel", "perc"}], one decimal each, so the sum may miss 100 % a little. */
static int read_mix(const json_t *item, struct mix *mix, struct gl_error *err)
{
    json_t *fuels, *entry;
    size_t i;

    *mix = (struct mix){0};
    if (gl_json_array(item, "generationmix", &fuels, err))
        return -1;
    if (json_array_size(fuels) > 32)
        return gl_fail(err, GL_E_BAD_REPLY, "the mix holds more fuels than there are");
    json_array_foreach(fuels, i, entry) if (add_fuel(entry, mix, err)) return -1;
    if (mix->all < WHOLE_PPM - 20000 || mix->all > WHOLE_PPM + 20000)
        return gl_fail(err, GL_E_BAD_REPLY, "the mix does not add up to 100 %%");
    return 0;
}

static void set_share(struct gl_point *point, int64_t ppm)
{
    int64_t share = ppm < WHOLE_PPM ? ppm : WHOLE_PPM;
    int64_t margin = (WHOLE_PPM - share) * GL_REVISION_PPM / WHOLE_PPM;

    point->value_u = share;
    point->low_u = share > margin ? share - margin : 0;
    point->high_u = share + margin < WHOLE_PPM ? share + margin : WHOLE_PPM;
}

/* Series of one answer; NULL when the answer has none of that kind. */
struct target {
    struct gl_series *intensity, *renewable, *carbon_free;
};

static int read_item(const json_t *item, const struct target *target, bool is_forecast,
                     struct gl_error *err)
{
    struct gl_point point;
    struct mix mix;

    if (read_times(item, &point, err))
        return -1;
    if (target->intensity != NULL) {
        struct gl_series *series = target->intensity;

        if (read_intensity(item, &point, err))
            return -1;
        series->points[series->count++] = point;
    }
    if (target->renewable == NULL)
        return 0;
    if (read_mix(item, &mix, err))
        return -1;
    point =
        gl_signal_point(point.from_s, point.until_s, is_forecast ? GL_FORECAST : GL_PRELIMINARY);
    set_share(&point, mix.renewable);
    target->renewable->points[target->renewable->count++] = point;
    set_share(&point, mix.renewable + mix.nuclear);
    target->carbon_free->points[target->carbon_free->count++] = point;
    return 0;
}

static void state_bounds(struct gl_series *series)
{
    bool has_forecast = false;

    for (size_t i = 0; i < series->count; i++)
        has_forecast = has_forecast || series->points[i].evidence == GL_FORECAST;
    series->bound_method = GL_BOUND_REVISION;
    series->bound_permille = has_forecast ? 0 : GL_REVISION_PERMILLE;
}

/* Room for every series of a request. The pointers are taken last: adding moves the array. */
static struct target begin(struct gl_signal_result *result, enum request request, size_t points,
                           const struct gl_signal_label *label)
{
    const struct gl_meaning intensity = intensity_meaning();
    const struct gl_meaning renewable = share_meaning(GL_RENEWABLE_SHARE);
    const struct gl_meaning carbon_free = share_meaning(GL_CARBON_FREE_SHARE);
    struct target target = {0};
    size_t at = result->count;

    if (request != MIX)
        gl_signal_begin(result, points, label, &intensity);
    if (request != NATIONAL) {
        gl_signal_begin(result, points, label, &renewable);
        gl_signal_begin(result, points, label, &carbon_free);
    }
    if (request != MIX)
        target.intensity = &result->series[at++];
    if (request != NATIONAL) {
        target.renewable = &result->series[at];
        target.carbon_free = &result->series[at + 1];
    }
    return target;
}

static int read_items(const json_t *items, enum request request,
                      const struct gl_signal_label *label, struct gl_signal_result *result,
                      struct gl_error *err)
{
    size_t count = json_array_size(items);
    struct target target;
    json_t *item;
    size_t i;

    if (count == 0)
        return gl_fail(err, GL_E_UNKNOWN_DATA, "the answer holds no half-hour");
    if (count > GL_SIGNAL_MAX_POINTS)
        return gl_fail(err, GL_E_TOO_LARGE, "the answer holds too many half-hours");
    target = begin(result, request, count, label);
    json_array_foreach(items, i,
                       item) if (read_item(item, &target, request == REGIONAL, err)) return -1;
    for (size_t k = 0; k < result->count; k++)
        state_bounds(&result->series[k]);
    return 0;
}

/* The region's half-hours, from {"regionid", "data": [..]} alone or in an array of one. */
static const json_t *region_items(const json_t *data, unsigned region, struct gl_error *err)
{
    const json_t *found =
        json_is_array(data) && json_array_size(data) == 1 ? json_array_get(data, 0) : data;
    int64_t id;
    json_t *items;

    if (gl_json_int(found, "regionid", 0, 1000, &id, err))
        return NULL;
    if (id != (int64_t)region) {
        gl_fail(err, GL_E_BAD_REPLY, "region %u was asked for, region %d came", region, (int)id);
        return NULL;
    }
    return gl_json_array(found, "data", &items, err) ? NULL : items;
}

static int read_data(json_t *root, const struct gl_signal_label *label,
                     struct gl_signal_result *result, struct gl_error *err)
{
    enum request request = request_of(label->query, label->request);
    GL_AUTO(gl_auto_json) json_t *wrapped = json_array();
    json_t *found = json_object_get(root, "data");
    const json_t *items = found;

    if (found == NULL)
        return gl_fail(err, GL_E_BAD_REPLY, "the answer has no \"data\"");
    if (request == REGIONAL && !(json_is_array(found) && json_array_size(found) == 0)) {
        items = region_items(found, region_of(label->query), err);
        if (items == NULL)
            return -1;
    } else if (json_is_object(found)) { /* /generation answers with one object or an array */
        json_array_append(wrapped, found);
        items = wrapped;
    }
    if (!json_is_array(items))
        return gl_fail(err, GL_E_BAD_REPLY, "\"data\" is neither a list nor an object");
    return read_items(items, request, label, result, err);
}

static int parse(const struct gl_signal_query *query, unsigned index, const char *body,
                 size_t length, struct gl_instant retrieved, struct gl_signal_result *result,
                 struct gl_error *err)
{
    char dataset[32] = "national";
    const struct gl_signal_label label = {&gl_signal_neso, query->zone, dataset,
                                          retrieved,       query,       index};

    if (request_of(query, index) == REGIONAL)
        snprintf(dataset, sizeof dataset, "region %u", region_of(query));
    return gl_signal_parse(&label, (struct gl_view){body, length}, read_data, result, err);
}

/* "national" speaks of every place, a region of itself only. */
static bool is_of(const struct gl_signal_query *query, const char *name)
{
    char own[32];

    snprintf(own, sizeof own, "region %u", region_of(query));
    return strcmp(name, "national") == 0 || strcmp(name, own) == 0;
}

const struct gl_signal_ops gl_signal_neso = {
    .name = "neso",
    .title = "UK NESO Carbon Intensity",
    .attribution = "National Energy System Operator (NESO), carbonintensity.org.uk",
    .licence = "CC BY 4.0",
    .homepage = "https://carbonintensity.org.uk",
    .needs_network = true,
    .covers = covers,
    .urls = urls,
    .parse = parse,
    .is_of = is_of,
    .past_s = RANGE_MAX_S,
};
