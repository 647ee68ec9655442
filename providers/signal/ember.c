/* SPDX-License-Identifier: Apache-2.0 */
#include "base/time.h"
#include "providers/signal/adapter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Ember, API v1, https://api.ember-energy.org/v1/docs
 *
 * Averages of a year and of a month for whole countries: lifecycle intensity, and the shares of
 * generation that Ember calls Renewables and Clean (with nuclear). Of what is generated in the
 * country; trade is not part of them. They rank and rule out, and say nothing of an hour: a year is
 * an annual average, a month a historic one of that month and no other. A year or month that is not
 * over is left out, whatever was published of it. */

#define ENDPOINT "https://api.ember-energy.org"
#define YEARS    3  /* back */
#define STANDS   3  /* years, as the built-in averages */
#define MONTHS   13 /* back: the same month of last year is among them */
#define YEAR_MIN 1970

enum request { INTENSITY_YEARLY, SHARES_YEARLY, INTENSITY_MONTHLY, SHARES_MONTHLY, REQUESTS };

/* Zones that are whole countries on both sides, by ISO 3166; GB is not the United Kingdom, and a
 * country of several zones is none of them. */
static const struct {
    char zone[3], code[4];
} countries[] = {
    {"AE", "ARE"}, {"AR", "ARG"}, {"AT", "AUT"}, {"AU", "AUS"}, {"BE", "BEL"}, {"BG", "BGR"},
    {"BR", "BRA"}, {"CA", "CAN"}, {"CH", "CHE"}, {"CN", "CHN"}, {"CO", "COL"}, {"CZ", "CZE"},
    {"DE", "DEU"}, {"DK", "DNK"}, {"EE", "EST"}, {"ES", "ESP"}, {"FI", "FIN"}, {"FR", "FRA"},
    {"GR", "GRC"}, {"HR", "HRV"}, {"HU", "HUN"}, {"ID", "IDN"}, {"IE", "IRL"}, {"IL", "ISR"},
    {"IN", "IND"}, {"IS", "ISL"}, {"IT", "ITA"}, {"JP", "JPN"}, {"KR", "KOR"}, {"LT", "LTU"},
    {"LU", "LUX"}, {"LV", "LVA"}, {"MX", "MEX"}, {"MY", "MYS"}, {"NL", "NLD"}, {"NO", "NOR"},
    {"NZ", "NZL"}, {"PH", "PHL"}, {"PL", "POL"}, {"PT", "PRT"}, {"QA", "QAT"}, {"RO", "ROU"},
    {"RS", "SRB"}, {"SA", "SAU"}, {"SE", "SWE"}, {"SG", "SGP"}, {"SI", "SVN"}, {"SK", "SVK"},
    {"TH", "THA"}, {"TR", "TUR"}, {"TW", "TWN"}, {"US", "USA"}, {"VN", "VNM"}, {"ZA", "ZAF"},
};

static const struct gl_signal_key keys[] = {
    {.variable = "EMBER_API_KEY", .what = "key", .parameter = "api_key"}, {0}};

static const char *code_of(const char *zone)
{
    for (size_t i = 0; i < sizeof countries / sizeof countries[0]; i++)
        if (strcmp(countries[i].zone, zone) == 0)
            return countries[i].code;
    return NULL;
}

static bool covers(const char *zone)
{
    return code_of(zone) != NULL;
}

static bool is_monthly(unsigned request)
{
    return request == INTENSITY_MONTHLY || request == SHARES_MONTHLY;
}

static bool is_of_shares(unsigned request)
{
    return request == SHARES_YEARLY || request == SHARES_MONTHLY;
}

/* ---- the question ---- */

/* "2026" or "2026-01", `back` years or months before `at`. */
static void date_text(struct gl_instant at, bool is_month, int back, char out[GL_INSTANT_TEXT])
{
    int year, month, day, hour, minute, second, months;

    gl_instant_civil(at, &year, &month, &day, &hour, &minute, &second);
    months = year * 12 + month - 1 - (is_month ? back : back * 12);
    if (months < YEAR_MIN * 12)
        months = YEAR_MIN * 12;
    if (is_month)
        snprintf(out, GL_INSTANT_TEXT, "%04d-%02d", months / 12, months % 12 + 1);
    else
        snprintf(out, GL_INSTANT_TEXT, "%04d", months / 12);
}

static unsigned urls(const struct gl_signal_query *query, const char *endpoint, unsigned index,
                     char *out, size_t capacity)
{
    bool is_month = is_monthly(index);
    char from[GL_INSTANT_TEXT], until[GL_INSTANT_TEXT];

    date_text(query->from, is_month, is_month ? MONTHS : YEARS, from);
    date_text(query->from, is_month, 0, until);
    snprintf(out, capacity, "%s/v1/%s/%s?entity_code=%s&start_date=%s&end_date=%s%s",
             endpoint != NULL ? endpoint : ENDPOINT,
             is_of_shares(index) ? "electricity-generation" : "carbon-intensity",
             is_month ? "monthly" : "yearly", code_of(query->zone), from, until,
             is_of_shares(index) ? "&is_aggregate_series=true" : "");
    return REQUESTS;
}

/* ---- rows ---- */

/* "2025" or "2025-06" as the time it stands for. */
static int read_date(const json_t *row, bool is_month, struct gl_point *point, struct gl_error *err)
{
    const char *text;
    struct gl_error trouble = {0};
    struct gl_instant from;
    char day[GL_INSTANT_TEXT];
    int year, month, ignored;

    if (gl_json_string(row, "date", &text, err))
        return -1;
    snprintf(day, sizeof day, is_month ? "%.7s-01" : "%.4s-01-01", text);
    if (strlen(text) != (is_month ? 7 : 4) || gl_date_parse(day, &from, &trouble))
        return gl_fail(err, GL_E_BAD_REPLY, "\"date\" is not a %s", is_month ? "month" : "year");
    gl_instant_civil(from, &year, &month, &ignored, &ignored, &ignored, &ignored);
    month = is_month ? month + 1 : 13;
    *point = gl_signal_point(
        from.unix_s,
        gl_instant_of_civil(month > 12 ? year + 1 : year, month > 12 ? 1 : month, 1, 0, 0, 0)
            .unix_s,
        is_month ? GL_HISTORIC_AVERAGE : GL_ANNUAL_AVERAGE);
    return 0;
}

static int read_figure(const json_t *row, enum gl_quantity quantity, int64_t *out,
                       struct gl_error *err)
{
    const char *key =
        quantity == GL_INTENSITY ? "emissions_intensity_gco2_per_kwh" : "share_of_generation_pct";
    double number = 0;
    bool is_known = false;

    if (gl_json_number(row, key, &number, &is_known, err))
        return -1;
    if (is_known && gl_signal_micro(number, out))
        return gl_fail(err, GL_E_BAD_REPLY, "\"%s\" is no possible figure", key);
    if (is_known && quantity != GL_INTENSITY)
        *out /= 100; /* millionths of a per cent to millionths */
    return 0;
}

/* Is the row about this quantity? A generation row is of one series, a fuel or a group of them. */
static bool is_about(const json_t *row, enum gl_quantity quantity)
{
    const char *series = json_string_value(json_object_get(row, "series"));

    if (quantity == GL_INTENSITY)
        return true;
    return series != NULL &&
           strcmp(series, quantity == GL_RENEWABLE_SHARE ? "Renewables" : "Clean") == 0;
}

static int read_row(const json_t *row, const struct gl_signal_label *label,
                    struct gl_series *series, struct gl_error *err)
{
    const char *code;
    struct gl_point point;

    if (gl_json_string(row, "entity_code", &code, err) ||
        read_date(row, is_monthly(label->request), &point, err) ||
        read_figure(row, series->meaning.quantity, &point.value_u, err))
        return -1;
    if (strcmp(code, code_of(label->zone)) != 0)
        return gl_fail(err, GL_E_BAD_REPLY, "%s was asked for, another entity came",
                       code_of(label->zone));
    if (point.until_s <= label->retrieved.unix_s)
        series->points[series->count++] = point;
    return 0;
}

/* Ember's renewables are bioenergy, hydro, solar, wind, and "other": geothermal, tide and wave. */
static struct gl_meaning meaning_of(enum gl_quantity quantity, bool is_month)
{
    struct gl_meaning meaning = {.quantity = quantity,
                                 .trace = GL_PRODUCTION,
                                 .matching = is_month ? GL_MATCH_MONTHLY : GL_MATCH_ANNUAL};

    if (quantity == GL_INTENSITY) {
        meaning.boundary = GL_LIFECYCLE;
        meaning.gases = GL_CO2E;
        snprintf(meaning.factor_set, sizeof meaning.factor_set, "Ember");
    } else {
        meaning.share_of = GL_OF_RENEWABLE | GL_OF_MARINE |
                           (quantity == GL_CARBON_FREE_SHARE ? GL_OF_NUCLEAR : 0U);
    }
    return meaning;
}

/* Of several years the newest; it stands for the years after, until the start of the third. Two
 * figures for it are for gl_series_tidy() to find. */
static void keep_newest(struct gl_series *series)
{
    int64_t newest_s = INT64_MIN;
    size_t kept = 0;
    int year, ignored;

    for (size_t i = 0; i < series->count; i++)
        if (series->points[i].value_u != GL_UNKNOWN && series->points[i].from_s > newest_s)
            newest_s = series->points[i].from_s;
    for (size_t i = 0; i < series->count; i++) {
        struct gl_point *point = &series->points[i];

        if (point->from_s != newest_s || point->value_u == GL_UNKNOWN)
            continue;
        gl_instant_civil((struct gl_instant){newest_s}, &year, &ignored, &ignored, &ignored,
                         &ignored, &ignored);
        point->until_s = gl_instant_of_civil(year + STANDS, 1, 1, 0, 0, 0).unix_s;
        series->points[kept++] = *point;
    }
    series->count = kept;
}

static int read_quantity(const json_t *rows, enum gl_quantity quantity,
                         const struct gl_signal_label *label, struct gl_signal_result *result,
                         struct gl_error *err)
{
    const struct gl_meaning meaning = meaning_of(quantity, is_monthly(label->request));
    struct gl_series *series = gl_signal_begin(result, json_array_size(rows), label, &meaning);
    const json_t *row;
    size_t i;

    json_array_foreach(rows, i, row)
    {
        if (is_about(row, quantity) && read_row(row, label, series, err))
            return -1;
    }
    if (!is_monthly(label->request))
        keep_newest(series);
    if (series->count == 0)
        return gl_fail(err, GL_E_UNKNOWN_DATA, "the answer holds no %s that is over",
                       is_monthly(label->request) ? "month" : "year");
    return 0;
}

static int read_rows(json_t *root, const struct gl_signal_label *label,
                     struct gl_signal_result *result, struct gl_error *err)
{
    json_t *rows;

    if (gl_json_array(root, "data", &rows, err))
        return -1;
    if (json_array_size(rows) == 0)
        return gl_fail(err, GL_E_UNKNOWN_DATA, "the answer holds no row");
    if (json_array_size(rows) > GL_SIGNAL_MAX_POINTS)
        return gl_fail(err, GL_E_TOO_LARGE, "the answer holds too many rows");
    if (!is_of_shares(label->request))
        return read_quantity(rows, GL_INTENSITY, label, result, err);
    return read_quantity(rows, GL_RENEWABLE_SHARE, label, result, err) ||
                   read_quantity(rows, GL_CARBON_FREE_SHARE, label, result, err)
               ? -1
               : 0;
}

static int parse(const struct gl_signal_query *query, unsigned index, const char *body,
                 size_t length, struct gl_instant retrieved, struct gl_signal_result *result,
                 struct gl_error *err)
{
    const struct gl_signal_label label = {.ops = &gl_signal_ember,
                                          .zone = query->zone,
                                          .dataset = is_monthly(index) ? "monthly" : "yearly",
                                          .retrieved = retrieved,
                                          .query = query,
                                          .request = index};

    return gl_signal_parse(&label, (struct gl_view){body, length}, read_rows, result, err);
}

const struct gl_signal_ops gl_signal_ember = {
    .name = "ember",
    .title = "Ember",
    .attribution = "Ember, ember-energy.org",
    .licence = "CC BY 4.0",
    .homepage = "https://ember-energy.org",
    .needs_network = true,
    .covers = covers,
    .urls = urls,
    .parse = parse,
    .keys = keys,
};
