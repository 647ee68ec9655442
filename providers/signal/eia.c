/* SPDX-License-Identifier: Apache-2.0 */
#include "base/time.h"
#include "providers/signal/mix.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* US Energy Information Administration, API v2, https://www.eia.gov/opendata/documentation.php
 *
 * electricity/rto/fuel-type-data: net generation of a balancing authority by fuel, MWh of each
 * hour, hours to a day late. No intensity is published, so mix.h makes one. region-data is left
 * out: its NG (net generation, not the fuel) and D (demand) tell nothing of fuels.
 *
 * `period` is the end of the hour and has no zone; with frequency=hourly it is UTC, with
 * local-hourly it is not, and such an answer is refused. Values are strings since 2.1.6, may be
 * null, and negative for storage that is filled and for plants that use more than they make. At
 * most 5,000 rows come at once: ten days of twenty fuels, and an answer that is one page of several
 * is refused. */

#define ENDPOINT "https://api.eia.gov"
#define HOUR_S   INT64_C(3600)
#define BACK_S   (48 * HOUR_S) /* how late the newest hour may be */
#define PAST_S   ((int64_t)10 * 86400)
#define ROWS_MAX 5000
#define MW_MAX   1e6

/* The part after the second hyphen is the respondent's code. EIA-930's balancing authorities,
 * compared with Electricity Maps' list of zones (00b65c8) and our region table (2026-07). */
static const char *const zones[] = {
    "US-CAL-BANC",  "US-CAL-CISO",  "US-CAL-IID", "US-CAL-LDWP", "US-CAL-TIDC", "US-CAR-CPLE",
    "US-CAR-CPLW",  "US-CAR-DUK",   "US-CAR-SC",  "US-CAR-SCEG", "US-CAR-YAD",  "US-CENT-SPA",
    "US-CENT-SWPP", "US-FLA-FMPP",  "US-FLA-FPC", "US-FLA-FPL",  "US-FLA-GVL",  "US-FLA-HST",
    "US-FLA-JEA",   "US-FLA-SEC",   "US-FLA-TAL", "US-FLA-TEC",  "US-MIDA-PJM", "US-MIDW-AECI",
    "US-MIDW-LGEE", "US-MIDW-MISO", "US-NE-ISNE", "US-NW-AVA",   "US-NW-BPAT",  "US-NW-CHPD",
    "US-NW-DOPD",   "US-NW-GCPD",   "US-NW-GRID", "US-NW-IPCO",  "US-NW-NEVP",  "US-NW-NWMT",
    "US-NW-PACE",   "US-NW-PACW",   "US-NW-PGE",  "US-NW-PSCO",  "US-NW-PSEI",  "US-NW-SCL",
    "US-NW-TPWR",   "US-NW-WACM",   "US-NW-WAUW", "US-NY-NYIS",  "US-SE-SEPA",  "US-SE-SOCO",
    "US-SW-AZPS",   "US-SW-EPE",    "US-SW-PNM",  "US-SW-SRP",   "US-SW-TEPC",  "US-SW-WALC",
    "US-TEN-TVA",   "US-TEX-ERCO",
};

/* Solar or wind with a battery behind one meter (SNB, WNB) is none of these: what the battery gives
 * cannot be told apart. */
static const struct gl_fuel_code fuels[] = {
    {"BAT", GL_FUEL_STORAGE},    {"COL", GL_FUEL_COAL},
    {"GEO", GL_FUEL_GEOTHERMAL}, {"NG", GL_FUEL_GAS},
    {"NUC", GL_FUEL_NUCLEAR},    {"PS", GL_FUEL_STORAGE},
    {"SUN", GL_FUEL_SOLAR},      {"WAT", GL_FUEL_HYDRO},
    {"WND", GL_FUEL_WIND},       {0},
};

static const struct gl_signal_key keys[] = {
    {.variable = "EIA_API_KEY", .what = "key", .parameter = "api_key"}, {0}};

static const char *respondent_of(const char *zone)
{
    for (size_t i = 0; i < sizeof zones / sizeof zones[0]; i++)
        if (strcmp(zones[i], zone) == 0)
            return strrchr(zones[i], '-') + 1;
    return NULL;
}

static bool covers(const char *zone)
{
    return respondent_of(zone) != NULL;
}

/* "2026-01-10T12" */
static void hour_text(int64_t unix_s, char out[GL_INSTANT_TEXT])
{
    char text[GL_INSTANT_TEXT];

    gl_instant_text((struct gl_instant){unix_s}, text);
    snprintf(out, GL_INSTANT_TEXT, "%.13s", text);
}

/* The first hour that is wanted is called by its end. Brackets are encoded: servers and proxies
 * refuse bare ones. */
static unsigned urls(const struct gl_signal_query *query, const char *endpoint, unsigned index,
                     char *out, size_t capacity)
{
    int64_t back_s = query->is_past ? 0 : BACK_S;
    int64_t from_s = query->from.unix_s - query->from.unix_s % HOUR_S;
    int64_t until_s = query->until.unix_s + HOUR_S - 1;
    char from[GL_INSTANT_TEXT], until[GL_INSTANT_TEXT];

    (void)index;
    from_s = from_s > back_s ? from_s - back_s : 0;
    until_s -= until_s % HOUR_S;
    if (until_s > from_s + PAST_S)
        until_s = from_s + PAST_S;
    if (until_s <= from_s)
        until_s = from_s + HOUR_S;
    hour_text(from_s + HOUR_S, from);
    hour_text(until_s, until);
    snprintf(out, capacity,
             "%s/v2/electricity/rto/fuel-type-data/data/?frequency=hourly&data%%5B0%%5D=value"
             "&facets%%5Brespondent%%5D%%5B%%5D=%s&start=%s&end=%s"
             "&sort%%5B0%%5D%%5Bcolumn%%5D=period&sort%%5B0%%5D%%5Bdirection%%5D=desc"
             "&offset=0&length=%d",
             endpoint != NULL ? endpoint : ENDPOINT, respondent_of(query->zone), from, until,
             ROWS_MAX);
    return 1;
}

/* ---- rows ---- */

/* The start of the hour that ends at "2026-01-10T12"; with anything after it, it may be local. */
static int read_hour(const json_t *row, int64_t *out, struct gl_error *err)
{
    char marked[GL_INSTANT_TEXT];
    struct gl_error trouble = {0};
    struct gl_instant at;
    const char *text;

    if (gl_json_string(row, "period", &text, err))
        return -1;
    snprintf(marked, sizeof marked, "%.13s:00Z", text);
    if (strlen(text) != 13 || gl_instant_parse(marked, &at, &trouble) || at.unix_s < HOUR_S)
        return gl_fail(err, GL_E_BAD_REPLY, "\"period\" is not an hour of UTC");
    *out = at.unix_s - HOUR_S;
    return 0;
}

static int read_row(const json_t *row, const char *respondent, struct gl_mix *mix,
                    struct gl_error *err)
{
    const char *found, *code, *unit;
    struct gl_mix_entry entry = {0};
    double mw = 0;
    bool is_known = false;

    if (read_hour(row, &entry.from_s, err) || gl_json_string(row, "respondent", &found, err) ||
        gl_json_string(row, "fueltype", &code, err) ||
        gl_json_string(row, "value-units", &unit, err) ||
        gl_json_number(row, "value", &mw, &is_known, err))
        return -1;
    if (strcmp(found, respondent) != 0)
        return gl_fail(err, GL_E_BAD_REPLY, "%s was asked for, another respondent came",
                       respondent);
    if (strcmp(unit, "megawatthours") != 0)
        return gl_fail(err, GL_E_BAD_REPLY, "a value is not in megawatthours");
    if (gl_mix_type(mix, fuels, code, &entry.type, err))
        return -1;
    if (!is_known) /* null: its hour stays without */
        return 0;
    if (fabs(mw) > MW_MAX)
        return gl_fail(err, GL_E_BAD_REPLY, "\"value\" is no possible figure");
    entry.until_s = entry.from_s + HOUR_S;
    entry.kw = llround(mw * 1000);
    return gl_mix_add(mix, &entry, err);
}

static int measure(const json_t *rows, int64_t *from_s, int64_t *until_s, struct gl_error *err)
{
    const json_t *row;
    int64_t at = 0;
    size_t i;

    *from_s = INT64_MAX;
    *until_s = INT64_MIN;
    json_array_foreach(rows, i, row)
    {
        if (read_hour(row, &at, err))
            return -1;
        *from_s = at < *from_s ? at : *from_s;
        *until_s = at + HOUR_S > *until_s ? at + HOUR_S : *until_s;
    }
    return 0;
}

/* `total` counts the rows of all pages, as a number or as text. */
static int check_pages(const json_t *response, size_t rows, struct gl_error *err)
{
    double total = 0;
    bool is_known = false;

    if (gl_json_number(response, "total", &total, &is_known, err))
        return -1;
    if (rows > ROWS_MAX || (is_known && total > (double)rows))
        return gl_fail(err, GL_E_TOO_LARGE, "the answer is one page of several");
    return 0;
}

static int read_response(json_t *root, const struct gl_signal_label *label,
                         struct gl_signal_result *result, struct gl_error *err)
{
    GL_AUTO(gl_mix_done) struct gl_mix mix = {0};
    const char *frequency;
    json_t *response, *rows, *row;
    int64_t from_s, until_s;
    size_t i;

    if (gl_json_object(root, "response", &response, err) ||
        gl_json_array(response, "data", &rows, err))
        return -1;
    if (json_array_size(rows) == 0)
        return gl_fail(err, GL_E_UNKNOWN_DATA, "the answer holds no hour");
    if (gl_json_string(response, "frequency", &frequency, err) ||
        check_pages(response, json_array_size(rows), err))
        return -1;
    if (strcmp(frequency, "hourly") != 0)
        return gl_fail(err, GL_E_BAD_REPLY, "the answer is not in hours of UTC");
    if (measure(rows, &from_s, &until_s, err) || gl_mix_init(&mix, from_s, until_s, HOUR_S, err))
        return -1;
    json_array_foreach(rows, i, row)
    {
        if (read_row(row, respondent_of(label->zone), &mix, err))
            return -1;
    }
    return gl_mix_series(&mix, label, result, err);
}

static int parse(const struct gl_signal_query *query, unsigned index, const char *body,
                 size_t length, struct gl_instant retrieved, struct gl_signal_result *result,
                 struct gl_error *err)
{
    const struct gl_signal_label label = {.ops = &gl_signal_eia,
                                          .zone = query->zone,
                                          .dataset = "fuel-type-data",
                                          .retrieved = retrieved,
                                          .query = query,
                                          .request = index};

    return gl_signal_parse(&label, (struct gl_view){body, length}, read_response, result, err);
}

const struct gl_signal_ops gl_signal_eia = {
    .name = "eia",
    .title = "US Energy Information Administration",
    .attribution = "U.S. Energy Information Administration; factors: IPCC 2014",
    .licence = "US public domain",
    .homepage = "https://www.eia.gov/opendata",
    .needs_network = true,
    .covers = covers,
    .urls = urls,
    .parse = parse,
    .keys = keys,
    .past_s = PAST_S,
};
