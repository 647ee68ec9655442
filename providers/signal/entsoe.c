/* SPDX-License-Identifier: Apache-2.0 */
#include "base/time.h"
#include "base/xml.h"
#include "providers/signal/mix.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ENTSO-E Transparency Platform, https://transparencyplatform.zendesk.com (web API guide)
 *
 * Only A75/A16, actual generation per production type, in MW: the platform publishes no intensity,
 * so mix.h makes one. Left out: A69, wind and solar a day ahead. It covers those two only, and a
 * share needs the load, which is another document (A65); the two are never one answer.
 *
 * An answer is a GL_MarketDocument of TimeSeries (one fuel and direction) of Periods of Points.
 * inBiddingZone_Domain marks generation, outBiddingZone_Domain consumption (pumping, own use),
 * which is passed over. curveType A01 gives every position; A03 leaves out repeats, so a position
 * holds until the next one or the end of its Period. Between Periods nothing is known. Answers
 * without data are an Acknowledgement_MarketDocument, with status 200 or 400. */

#define ENDPOINT  "https://web-api.tp.entsoe.eu"
#define HOUR_S    INT64_C(3600)
#define BACK_S    (24 * HOUR_S) /* how far back the newest figures may lie */
#define PAST_S    ((int64_t)14 * 86400)
#define BYTES_MAX ((size_t)8 << 20)
#define DOMAIN_IN "inBiddingZone_Domain.mRID"
#define DOMAIN_EX "outBiddingZone_Domain.mRID"

/* Zones that are one bidding zone on both sides, and its EIC: the platform's list of areas, read in
 * EnergieID/entsoe-py (005b867) and our region table (2026-07). DE is DE-LU, with Luxembourg; IE is
 * the single market of the whole island. GB stopped publishing in 2021 and is left to NESO. */
static const struct {
    const char *zone, *eic;
} areas[] = {
    {"AT", "10YAT-APG------L"},     {"BA", "10YBA-JPCC-----D"},     {"BE", "10YBE----------2"},
    {"BG", "10YCA-BULGARIA-R"},     {"CH", "10YCH-SWISSGRIDZ"},     {"CZ", "10YCZ-CEPS-----N"},
    {"DE", "10Y1001A1001A82H"},     {"DK-DK1", "10YDK-1--------W"}, {"DK-DK2", "10YDK-2--------M"},
    {"EE", "10Y1001A1001A39I"},     {"ES", "10YES-REE------0"},     {"FI", "10YFI-1--------U"},
    {"FR", "10YFR-RTE------C"},     {"GR", "10YGR-HTSO-----Y"},     {"HR", "10YHR-HEP------M"},
    {"HU", "10YHU-MAVIR----U"},     {"IE", "10Y1001A1001A59C"},     {"IT-CNO", "10Y1001A1001A70O"},
    {"IT-CSO", "10Y1001A1001A71M"}, {"IT-NO", "10Y1001A1001A73I"},  {"IT-SAR", "10Y1001A1001A74G"},
    {"IT-SIC", "10Y1001A1001A75E"}, {"IT-SO", "10Y1001A1001A788"},  {"LT", "10YLT-1001A0008Q"},
    {"LV", "10YLV-1001A00074"},     {"ME", "10YCS-CG-TSO---S"},     {"MK", "10YMK-MEPSO----8"},
    {"NL", "10YNL----------L"},     {"NO-NO1", "10YNO-1--------2"}, {"NO-NO2", "10YNO-2--------T"},
    {"NO-NO3", "10YNO-3--------J"}, {"NO-NO4", "10YNO-4--------9"}, {"NO-NO5", "10Y1001A1001A48H"},
    {"PL", "10YPL-AREA-----S"},     {"PT", "10YPT-REN------W"},     {"RO", "10YRO-TEL------P"},
    {"RS", "10YCS-SERBIATSOV"},     {"SE-SE1", "10Y1001A1001A44P"}, {"SE-SE2", "10Y1001A1001A45N"},
    {"SE-SE3", "10Y1001A1001A46L"}, {"SE-SE4", "10Y1001A1001A47J"}, {"SI", "10YSI-ELES-----O"},
    {"SK", "10YSK-SEPS-----K"},
};

/* psrType. B15 (other renewable) says too little to count as any of ours. */
static const struct gl_fuel_code fuels[] = {
    {"B01", GL_FUEL_BIOMASS},      {"B02", GL_FUEL_COAL},       {"B03", GL_FUEL_COAL},
    {"B04", GL_FUEL_GAS},          {"B05", GL_FUEL_COAL},       {"B07", GL_FUEL_COAL},
    {"B08", GL_FUEL_COAL},         {"B09", GL_FUEL_GEOTHERMAL}, {"B10", GL_FUEL_STORAGE},
    {"B11", GL_FUEL_HYDRO},        {"B12", GL_FUEL_HYDRO},      {"B13", GL_FUEL_MARINE},
    {"B14", GL_FUEL_NUCLEAR},      {"B16", GL_FUEL_SOLAR},      {"B18", GL_FUEL_WIND},
    {"B19", GL_FUEL_WIND_ONSHORE}, {"B25", GL_FUEL_STORAGE},    {0},
};

static const struct gl_signal_key keys[] = {
    {.variable = "ENTSOE_TOKEN", .what = "token", .parameter = "securityToken"}, {0}};

static const char *const headers[] = {"Accept: application/xml, text/xml", NULL};

static const char *eic_of(const char *zone)
{
    for (size_t i = 0; i < sizeof areas / sizeof areas[0]; i++)
        if (strcmp(areas[i].zone, zone) == 0)
            return areas[i].eic;
    return NULL;
}

static bool covers(const char *zone)
{
    return eic_of(zone) != NULL;
}

/* ---- the question ---- */

/* "202601101200" */
static void minute_text(int64_t unix_s, char out[GL_INSTANT_TEXT])
{
    int year, month, day, hour, minute, second;

    gl_instant_civil((struct gl_instant){unix_s}, &year, &month, &day, &hour, &minute, &second);
    snprintf(out, GL_INSTANT_TEXT, "%04d%02d%02d%02d%02d", year, month, day, hour, minute);
}

/* Whole hours, so that URLs repeat. */
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
    if (until_s > from_s + PAST_S + HOUR_S)
        until_s = from_s + PAST_S + HOUR_S;
    if (until_s <= from_s)
        until_s = from_s + HOUR_S;
    minute_text(from_s, from);
    minute_text(until_s, until);
    snprintf(out, capacity,
             "%s/api?documentType=A75&processType=A16&in_Domain=%s&periodStart=%s&periodEnd=%s",
             endpoint != NULL ? endpoint : ENDPOINT, eic_of(query->zone), from, until);
    return 1;
}

/* ---- one Period ---- */

struct period {
    int64_t from_s, until_s, step_s;
};

static bool is_text(const struct gl_xml_node *node, const char *path, const char *wanted)
{
    const char *text = gl_xml_text(node, path);

    return text != NULL && strcmp(text, wanted) == 0;
}

static int read_instant(const struct gl_xml_node *node, const char *path, int64_t *out,
                        struct gl_error *err)
{
    const char *text = gl_xml_text(node, path);
    struct gl_error trouble = {0};
    struct gl_instant at;

    if (text == NULL || gl_instant_parse(text, &at, &trouble))
        return gl_fail(err, GL_E_BAD_REPLY, "a Period's %s is not a time with its zone", path);
    *out = at.unix_s;
    return 0;
}

static int read_period(const struct gl_xml_node *node, struct period *out, struct gl_error *err)
{
    static const struct {
        const char *word;
        int64_t step_s;
    } steps[] = {{"PT15M", 900}, {"PT30M", 1800}, {"PT60M", 3600}, {"PT1H", 3600}};
    struct period period = {0};

    if (read_instant(node, "timeInterval/start", &period.from_s, err) ||
        read_instant(node, "timeInterval/end", &period.until_s, err))
        return -1;
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
        if (is_text(node, "resolution", steps[i].word))
            period.step_s = steps[i].step_s;
    if (period.step_s == 0)
        return gl_fail(err, GL_E_BAD_REPLY, "a resolution is none of PT15M, PT30M and PT60M");
    if (period.until_s <= period.from_s || period.from_s % period.step_s != 0 ||
        period.until_s % period.step_s != 0)
        return gl_fail(err, GL_E_BAD_REPLY, "a Period is no whole number of intervals");
    *out = period;
    return 0;
}

/* "1234" or "1234.5" megawatts; what is below zero has its own series of consumption. */
static int read_kw(const char *text, int64_t *out, struct gl_error *err)
{
    int64_t kw = 0, unit = 1000;
    size_t digits = text != NULL ? strspn(text, "0123456789") : 0;
    const char *rest = text != NULL ? text + digits : "";

    if (digits == 0 || digits > 9)
        return gl_fail(err, GL_E_BAD_REPLY, "a quantity is no possible figure");
    for (size_t i = 0; i < digits; i++)
        kw = kw * 10 + (text[i] - '0') * 1000;
    if (*rest == '.' && rest[1] != '\0')
        for (rest++; *rest >= '0' && *rest <= '9'; rest++, unit /= 10)
            kw += (*rest - '0') * (unit / 10);
    if (*rest != '\0')
        return gl_fail(err, GL_E_BAD_REPLY, "a quantity is no possible figure");
    *out = kw;
    return 0;
}

static int read_position(const struct gl_xml_node *point, int64_t most, int64_t *out,
                         struct gl_error *err)
{
    const char *text = gl_xml_text(point, "position");
    int64_t position = 0;

    for (; text != NULL && *text >= '0' && *text <= '9' && position <= most; text++)
        position = position * 10 + (*text - '0');
    if (text == NULL || *text != '\0')
        position = 0;
    if (position < 1 || position > most)
        return gl_fail(err, GL_E_BAD_REPLY, "a position is outside its Period");
    *out = position;
    return 0;
}

/* With A03 a point holds until the next one. */
static int read_points(const struct gl_xml_node *node, const struct period *period, unsigned type,
                       bool is_filled, struct gl_mix *mix, struct gl_error *err)
{
    int64_t steps = (period->until_s - period->from_s) / period->step_s, before = 0;
    const struct gl_xml_node *point = gl_xml_child(node, "Point");

    while (point != NULL) {
        const struct gl_xml_node *next = gl_xml_next(point, "Point");
        struct gl_mix_entry entry = {.type = type};
        int64_t at, end;

        if (read_position(point, steps, &at, err) ||
            read_kw(gl_xml_text(point, "quantity"), &entry.kw, err))
            return -1;
        if (at <= before)
            return gl_fail(err, GL_E_BAD_REPLY, "the positions of a Period do not rise");
        end = is_filled ? steps + 1 : at + 1;
        if (is_filled && next != NULL && read_position(next, steps, &end, err))
            return -1;
        entry.from_s = period->from_s + (at - 1) * period->step_s;
        entry.until_s = period->from_s + (end - 1) * period->step_s;
        if (end > at && gl_mix_add(mix, &entry, err))
            return -1;
        before = at;
        point = next;
    }
    return 0;
}

/* ---- the document ---- */

/* Is it generation of the zone? 1 yes, 0 consumption, -1 something else. */
static int read_direction(const struct gl_xml_node *series, const char *eic, struct gl_error *err)
{
    const char *made = gl_xml_text(series, DOMAIN_IN), *used = gl_xml_text(series, DOMAIN_EX);
    const char *domain = made != NULL ? made : used;

    if (domain == NULL || (made != NULL && used != NULL))
        return gl_fail(err, GL_E_BAD_REPLY, "a series is neither of generation nor of consumption");
    if (strcmp(domain, eic) != 0)
        return gl_fail(err, GL_E_BAD_REPLY, "%s was asked for, another area came", eic);
    return made != NULL ? 1 : 0;
}

static int read_series(const struct gl_xml_node *series, const char *eic, struct gl_mix *mix,
                       struct gl_error *err)
{
    const char *code = gl_xml_text(series, "MktPSRType/psrType");
    bool is_filled = is_text(series, "curveType", "A03");
    const struct gl_xml_node *node = gl_xml_child(series, "Period");
    int direction = read_direction(series, eic, err);
    struct period period;
    unsigned type;

    if (direction <= 0)
        return direction;
    if (!is_text(series, "quantity_Measure_Unit.name", "MAW"))
        return gl_fail(err, GL_E_BAD_REPLY, "a series is not in megawatts (MAW)");
    if (!is_filled && gl_xml_text(series, "curveType") != NULL &&
        !is_text(series, "curveType", "A01"))
        return gl_fail(err, GL_E_BAD_REPLY, "a curveType is neither A01 nor A03");
    if (gl_mix_type(mix, fuels, code != NULL ? code : "", &type, err))
        return -1;
    for (; node != NULL; node = gl_xml_next(node, "Period"))
        if (read_period(node, &period, err) ||
            read_points(node, &period, type, is_filled, mix, err))
            return -1;
    return 0;
}

/* From the earliest to the latest Period, in the smallest step of all. */
static int measure(const struct gl_xml_node *root, struct period *out, struct gl_error *err)
{
    const struct gl_xml_node *series = gl_xml_child(root, "TimeSeries");
    struct period period;

    *out = (struct period){0};
    for (; series != NULL; series = gl_xml_next(series, "TimeSeries"))
        for (const struct gl_xml_node *node = gl_xml_child(series, "Period"); node != NULL;
             node = gl_xml_next(node, "Period")) {
            if (read_period(node, &period, err))
                return -1;
            if (out->step_s == 0)
                *out = period;
            out->from_s = period.from_s < out->from_s ? period.from_s : out->from_s;
            out->until_s = period.until_s > out->until_s ? period.until_s : out->until_s;
            out->step_s = period.step_s < out->step_s ? period.step_s : out->step_s;
        }
    return out->step_s > 0 ? 0 : gl_fail(err, GL_E_UNKNOWN_DATA, "the answer holds no Period");
}

static int read_document(const struct gl_xml_node *root, const struct gl_signal_label *label,
                         struct gl_signal_result *result, struct gl_error *err)
{
    GL_AUTO(gl_mix_done) struct gl_mix mix = {0};
    const struct gl_xml_node *series = gl_xml_child(root, "TimeSeries");
    struct period all;

    if (strcmp(root->name, "GL_MarketDocument") != 0)
        return gl_fail(err, GL_E_BAD_REPLY, "the answer is no GL_MarketDocument");
    if (!is_text(root, "type", "A75") || !is_text(root, "process.processType", "A16"))
        return gl_fail(err, GL_E_BAD_REPLY,
                       "the answer is not A75/A16, actual generation of every type");
    if (measure(root, &all, err) || gl_mix_init(&mix, all.from_s, all.until_s, all.step_s, err))
        return -1;
    for (; series != NULL; series = gl_xml_next(series, "TimeSeries"))
        if (read_series(series, eic_of(label->zone), &mix, err))
            return -1;
    return gl_mix_series(&mix, label, result, err);
}

/* An Acknowledgement: code 999 stands for much, its text tells what. Neither is repeated. */
static int fail_acknowledged(const struct gl_xml_node *root, struct gl_error *err)
{
    const char *text = gl_xml_text(root, "Reason/text");

    if (is_text(root, "Reason/code", "999") && text != NULL &&
        strcasestr(text, "no matching data") != NULL)
        return gl_fail(err, GL_E_UNKNOWN_DATA, "there is no data for this time");
    return gl_fail(err, GL_E_BAD_REPLY, "the question was refused with an acknowledgement%s",
                   is_text(root, "Reason/code", "999") ? ", reason 999" : "");
}

static int read_bytes(struct gl_view bytes, const struct gl_signal_label *label,
                      struct gl_signal_result *result, struct gl_error *err)
{
    GL_AUTO(gl_auto_xml) struct gl_xml *doc = NULL;
    const struct gl_xml_node *root;

    if (bytes.length > BYTES_MAX)
        return gl_fail(err, GL_E_TOO_LARGE, "the answer is larger than %zu MiB", BYTES_MAX >> 20);
    if (bytes.length >= 4 && memcmp(bytes.text, "PK\3\4", 4) == 0)
        return gl_fail(err, GL_E_BAD_REPLY,
                       "the answer is a ZIP archive, which is not read: ask for a shorter time");
    if (gl_xml_parse(bytes.text, bytes.length, &doc, err))
        return -1;
    root = gl_xml_root(doc);
    if (strcmp(root->name, "Acknowledgement_MarketDocument") == 0)
        return fail_acknowledged(root, err);
    return read_document(root, label, result, err);
}

static int parse(const struct gl_signal_query *query, unsigned index, const char *body,
                 size_t length, struct gl_instant retrieved, struct gl_signal_result *result,
                 struct gl_error *err)
{
    const struct gl_signal_label label = {.ops = &gl_signal_entsoe,
                                          .zone = query->zone,
                                          .dataset = "A75",
                                          .retrieved = retrieved,
                                          .query = query,
                                          .request = index};

    if (read_bytes((struct gl_view){body, length}, &label, result, err))
        return gl_wrap(err, "%s", label.ops->title);
    return 0;
}

static bool refuse(int status, const char *body, size_t length, struct gl_error *err)
{
    GL_AUTO(gl_auto_xml) struct gl_xml *doc = NULL;
    struct gl_error ignored = {0}, said = {0};
    const char *title = gl_signal_entsoe.title;

    if (status == 401 || status == 403) {
        gl_fail(err, GL_E_NO_CREDENTIAL, "%s does not accept the token", title);
        return false;
    }
    if (length <= BYTES_MAX && gl_xml_parse(body, length, &doc, &ignored) == 0 &&
        strcmp(gl_xml_root(doc)->name, "Acknowledgement_MarketDocument") == 0)
        fail_acknowledged(gl_xml_root(doc), &said);
    if (said.code == GL_E_UNKNOWN_DATA)
        gl_fail(err, GL_E_UNKNOWN_DATA, "%s: %s", title, said.text);
    else
        gl_fail(err, GL_E_PROVIDER, "%s refused the question with status %d", title, status);
    return true;
}

const struct gl_signal_ops gl_signal_entsoe = {
    .name = "entsoe",
    .title = "ENTSO-E Transparency Platform",
    .attribution = "ENTSO-E Transparency Platform; factors: IPCC 2014",
    .licence = "terms of transparency.entsoe.eu",
    .homepage = "https://transparency.entsoe.eu",
    .needs_network = true,
    .covers = covers,
    .urls = urls,
    .parse = parse,
    .keys = keys,
    .refuse = refuse,
    .headers = headers,
    .past_s = PAST_S,
};
