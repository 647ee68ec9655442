/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "broker/cli/help.h"
#include "broker/cli/misnamed.h"
#include "broker/cli/signals_archive.h"
#include "broker/cli/signals_history.h"
#include "broker/interrupt.h"
#include "broker/render/decision.h"
#include "broker/render/series.h"
#include "broker/render/table.h"
#include "broker/render/text.h"
#include "providers/data/data.h"

#define ZONES_MAX     1024
#define LIMIT_DEFAULT 18 /* with heading, legend and prompt a screen of 24 lines */
#define LOOK_BACK_S   7200
#define LOOK_AHEAD_S  3600

struct signals_values {
    struct gl_option_list explain, regions;
    int64_t limit;
    const char *backfill, *zone;
};

static const struct gl_option options[] = {
    {"explain", 0, GL_OPT_LIST, offsetof(struct signals_values, explain), "ZONE",
     "every number of the zone: meaning, age, licence, cache, disagreements", NULL, NULL, NULL, 0,
     0, 0, "zone"},
    {"region", 0, GL_OPT_LIST, offsetof(struct signals_values, regions), "CLOUD/REGION",
     "the zones behind a cloud region", NULL, NULL, NULL, 0, 0, 0, "offer"},
    {"limit", 'n', GL_OPT_INTEGER, offsetof(struct signals_values, limit), "N",
     "rows shown when no zone is named (default 18)", NULL, NULL, NULL, 1, 100000, 0, NULL},
    {"backfill", 0, GL_OPT_TEXT, offsetof(struct signals_values, backfill), "SPAN",
     "fetch what sources measured in --zone before, as in 90d, and store it", "History", NULL, NULL,
     0, 0, 0, NULL},
    {"zone", 0, GL_OPT_TEXT, offsetof(struct signals_values, zone), "ZONE",
     "the zone of --backfill", "History", NULL, NULL, 0, 0, 0, "zone"},
    {0},
};

/* A zone asked for, and what is known of it. */
struct asked_zone {
    struct gl_signal_query query;
    const struct gl_zone_facts *facts;
    double g_per_kwh; /* of the first intensity, for sorting; 1e9 when unknown */
    bool is_explained;
};

struct asked {
    struct asked_zone *zones;
    size_t count;
    struct gl_instant now;
    bool is_all; /* nobody named a zone: all of them, without the network */
};

/* ---- which zones ---- */

static int add_zone(struct asked *asked, const char *zone, const char *neso, bool is_explained,
                    struct gl_error *err)
{
    struct asked_zone *one = &asked->zones[asked->count];
    char shown[GL_TEXT_SHOWN];

    if (strlen(zone) >= sizeof one->query.zone || zone[0] == '\0')
        return gl_fail(err, GL_E_UNKNOWN_NAME, "\"%s\" is no grid zone, as in SE-SE3",
                       gl_text_show(zone, shown));
    if (asked->count == ZONES_MAX)
        return gl_fail(err, GL_E_USAGE, "more than %d zones", ZONES_MAX);
    *one = (struct asked_zone){.query = {.neso = neso,
                                         .from = {gl_instant_hour(asked->now).unix_s - LOOK_BACK_S},
                                         .until = {asked->now.unix_s + LOOK_AHEAD_S},
                                         .is_cache_only = asked->is_all,
                                         .wants_history = is_explained,
                                         .wants_claims = is_explained},
                               .is_explained = is_explained};
    snprintf(one->query.zone, sizeof one->query.zone, "%s", zone);
    asked->count++;
    return 0;
}

/* "aws/eu-north-1" to the zones behind it. */
static int add_region(struct asked *asked, const char *text, struct gl_error *err)
{
    const char *slash = strchr(text, '/');
    char cloud[32], shown[GL_TEXT_SHOWN];
    const struct gl_region_row *row = NULL;

    if (slash != NULL && (size_t)(slash - text) < sizeof cloud) {
        char region[64];

        snprintf(cloud, sizeof cloud, "%.*s", (int)(slash - text), text);
        snprintf(region, sizeof region, "%.*s", (int)strcspn(slash + 1, "/"), slash + 1);
        row = gl_data_region(cloud, region);
    }
    if (row == NULL)
        return gl_fail(err, GL_E_UNKNOWN_NAME,
                       "no cloud region \"%s\"; write CLOUD/REGION, as in "
                       "aws/eu-north-1",
                       gl_text_show(text, shown));
    for (size_t i = 0; i < 2 && row->zones[i] != NULL; i++)
        if (add_zone(asked, row->zones[i], row->neso, false, err) != 0)
            return -1;
    return 0;
}

static int add_every_zone(struct gl_context *context, struct asked *asked, struct gl_error *err)
{
    const struct gl_zone_row *rows;
    size_t count = gl_data_zones(&rows);

    asked->is_all = true;
    if (context->config.zone != NULL && gl_data_zone(context->config.zone) == NULL &&
        add_zone(asked, context->config.zone, NULL, false, err) != 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        if (add_zone(asked, rows[i].zone, NULL, false, err) != 0)
            return -1;
    return 0;
}

static int collect(struct gl_context *context, const struct signals_values *values,
                   const struct gl_operands *operands, struct asked *asked, struct gl_error *err)
{
    for (size_t i = 0; i < operands->count; i++)
        if (add_zone(asked, operands->words[i], NULL, false, err) != 0)
            return -1;
    for (size_t i = 0; i < values->regions.count; i++)
        if (add_region(asked, values->regions.items[i], err) != 0)
            return -1;
    for (size_t i = 0; i < values->explain.count; i++)
        if (add_zone(asked, values->explain.items[i], NULL, true, err) != 0)
            return -1;
    return asked->count > 0 ? 0 : add_every_zone(context, asked, err);
}

static bool is_known_zone(const char *zone)
{
    const struct gl_region_row *rows;
    size_t count = gl_data_regions(&rows);

    if (gl_data_zone(zone) != NULL)
        return true;
    for (size_t i = 0; i < count; i++)
        for (size_t z = 0; z < 2 && rows[i].zones[z] != NULL; z++)
            if (strcmp(rows[i].zones[z], zone) == 0)
                return true;
    return false;
}

static int fail_zone(const char *zone, struct gl_error *err)
{
    const char *nearest = gl_nearest_zone(zone);
    char shown[GL_TEXT_SHOWN];

    return gl_fail(err, GL_E_UNKNOWN_NAME, "no grid zone \"%s\"%s%s%s", gl_text_show(zone, shown),
                   nearest != NULL ? "; did you mean " : "", nearest != NULL ? nearest : "",
                   nearest != NULL ? "?" : "");
}

/* ---- what is known ---- */

static double first_intensity(const struct gl_zone_facts *facts, struct gl_instant now)
{
    for (size_t i = 0; i < facts->count; i++) {
        struct gl_reading_at reading = gl_render_at(facts->series[i], now);

        if (facts->series[i]->meaning.quantity == GL_INTENSITY && reading.point != NULL)
            return gl_render_real(reading.point->value_u);
    }
    return 1e9;
}

static int look_up(struct asked *asked, struct gl_signal_store *store, struct gl_error *err)
{
    for (size_t i = 0; i < asked->count; i++) {
        struct asked_zone *one = &asked->zones[i];

        if (gl_interrupted())
            return gl_interrupt_fail(err, "signals: not every source was asked");
        one->facts = gl_signal_store_zone(store, &one->query);
        one->g_per_kwh = first_intensity(one->facts, asked->now);
        if (one->facts->count == 0 && !is_known_zone(one->query.zone))
            return fail_zone(one->query.zone, err);
    }
    return 0;
}

static int compare_zones(const void *left, const void *right)
{
    const struct asked_zone *a = left, *b = right;

    if (a->g_per_kwh < b->g_per_kwh || a->g_per_kwh > b->g_per_kwh)
        return a->g_per_kwh < b->g_per_kwh ? -1 : 1;
    return strcmp(a->query.zone, b->query.zone);
}

/* ---- the table: one row a zone and data set ---- */

static const struct gl_column columns[] = {
    {"ZONE", false, 0},  {"g/kWh", true, 0},  {"RENEWABLE", true, 0}, {"CARBON-FREE", true, 5},
    {"GRADE", false, 0}, {"DATED", false, 0}, {"SOURCE", false, 4},   {"MEANING", false, 9},
};
#define COLUMNS (sizeof columns / sizeof columns[0])

/* The series of one data set: the first of each quantity. */
struct row {
    const struct gl_series *by_quantity[GL_QUANTITIES];
};

/* Rows of a zone: a second series of one quantity and data set begins a new one. */
static size_t rows_of(const struct gl_zone_facts *facts, struct row *rows)
{
    size_t count = 0;

    for (size_t i = 0; i < facts->count; i++) {
        const struct gl_series *series = facts->series[i];
        enum gl_quantity quantity = series->meaning.quantity;
        size_t r = 0;

        for (; r < count; r++) {
            const struct gl_series *any = rows[r].by_quantity[0] != NULL   ? rows[r].by_quantity[0]
                                          : rows[r].by_quantity[1] != NULL ? rows[r].by_quantity[1]
                                                                           : rows[r].by_quantity[2];

            if (rows[r].by_quantity[quantity] == NULL &&
                strcmp(any->provider, series->provider) == 0)
                break;
        }
        if (r == count)
            rows[count++] = (struct row){{NULL}};
        rows[r].by_quantity[quantity] = series;
    }
    return count;
}

static void cell(const struct gl_series *series, struct gl_instant now, struct gl_str *out)
{
    const struct gl_reading_at nothing = {.point = NULL};
    const struct gl_reading_at reading = series != NULL ? gl_render_at(series, now) : nothing;

    if (reading.point == NULL) {
        gl_str_add_char(out, '?');
        return;
    }
    gl_render_value(series->meaning.quantity, reading.point, out);
    if (series->meaning.quantity == GL_INTENSITY) /* the head of the column has the unit */
        out->text[out->length -= strlen(" gCO2e/kWh")] = '\0';
}

static void add_row(struct gl_table *table, const char *zone, const struct row *row,
                    struct gl_instant now)
{
    GL_AUTO(gl_str_done) struct gl_str dated = {0};
    GL_AUTO(gl_str_done) struct gl_str meaning = {0};
    struct gl_str values[GL_QUANTITIES] = {{0}};
    const struct gl_series *first = NULL;
    struct gl_reading_at reading;
    char grade[8] = "?";

    for (unsigned q = 0; q < GL_QUANTITIES; q++) {
        cell(row->by_quantity[q], now, &values[q]);
        first = first != NULL ? first : row->by_quantity[q];
    }
    reading = gl_render_at(first, now);
    gl_render_grade(first, reading.point, grade);
    if (gl_render_year(first) != 0)
        gl_str_addf(&dated, "year %d", gl_render_year(first));
    else
        gl_render_dated(first, reading.age_s, &dated);
    gl_render_meaning(&first->meaning, &meaning);
    gl_table_row(table, (const char *const[COLUMNS]){zone, gl_str_text(&values[GL_INTENSITY]),
                                                     gl_str_text(&values[GL_RENEWABLE_SHARE]),
                                                     gl_str_text(&values[GL_CARBON_FREE_SHARE]),
                                                     grade, gl_str_text(&dated), first->provider,
                                                     gl_str_text(&meaning)});
    for (unsigned q = 0; q < GL_QUANTITIES; q++)
        gl_str_done(&values[q]);
}

static void add_zone_rows(struct gl_table *table, const struct asked_zone *one,
                          struct gl_instant now)
{
    GL_AUTO(gl_auto_free) struct row *rows = gl_alloc((one->facts->count + 1) * sizeof *rows);
    size_t count = rows_of(one->facts, rows);

    for (size_t i = 0; i < count; i++)
        add_row(table, one->query.zone, &rows[i], now);
    if (count == 0)
        gl_table_row(table, (const char *const[COLUMNS]){one->query.zone, "?", "?", "?", "?",
                                                         "no data", "", ""});
}

static size_t add_table(struct gl_context *context, const struct asked *asked, size_t limit)
{
    struct gl_table *table = gl_table_new(columns, COLUMNS);
    size_t shown = asked->is_all && limit < asked->count ? limit : asked->count;
    size_t in_table = 0;

    for (size_t i = 0; i < shown; i++) {
        in_table += !asked->zones[i].is_explained;
        if (!asked->zones[i].is_explained)
            add_zone_rows(table, &asked->zones[i], asked->now);
    }
    if (in_table > 0)
        gl_table_text(table, context->columns, context->globals.is_accessible,
                      &context->reply.text);
    gl_table_free(table);
    if (shown < asked->count)
        gl_str_addf(&context->reply.text, "and %zu more zones: --limit N\n", asked->count - shown);
    if (in_table > 0)
        gl_render_wrap("g is gCO2e; ? is unknown. Whose electricity, which gases, by which method: "
                       "greenlaunch signals --explain ZONE",
                       0, context->columns, &context->reply.text);
    return shown;
}

/* ---- one zone explained ---- */

static void field(struct gl_context *context, const char *name, const char *text)
{
    GL_AUTO(gl_str_done) struct gl_str line = {0};

    if (text[0] == '\0')
        return;
    gl_str_addf(&line, "%s: ", name);
    gl_str_add_printable(&line, text, strlen(text));
    gl_render_wrap(gl_str_text(&line), 4, context->columns, &context->reply.text);
}

static void explain_series(struct gl_context *context, const struct gl_series *series,
                           struct gl_instant now)
{
    const struct gl_reading_at reading = gl_render_at(series, now);
    GL_AUTO(gl_str_done) struct gl_str head = {0};
    GL_AUTO(gl_str_done) struct gl_str meaning = {0};
    GL_AUTO(gl_str_done) struct gl_str dated = {0};

    gl_str_addf(&head, "%s: ", gl_render_quantity(series->meaning.quantity));
    if (reading.point != NULL) {
        gl_render_value(series->meaning.quantity, reading.point, &head);
        if (!series->is_suspect)
            gl_str_addf(&head, ", grade %c",
                        gl_grade_letter(gl_grade_of_evidence(reading.point->evidence)));
        gl_render_word(&head, ", ", gl_evidence_word(reading.point->evidence));
        gl_render_dated(series, reading.age_s, &dated);
        if (!reading.is_covering)
            gl_str_add(&dated, "; it does not cover this instant");
    } else {
        gl_str_add(&head, "nothing for this instant");
    }
    gl_render_wrap(gl_str_text(&head), 2, context->columns, &context->reply.text);
    field(context, "dated", gl_str_text(&dated));
    gl_render_meaning(&series->meaning, &meaning);
    field(context, "meaning", gl_str_text(&meaning));
    if (series->is_suspect)
        field(context, "not to be trusted", series->suspicion);
}

static bool is_same_source(const struct gl_series *a, const struct gl_series *b)
{
    return strcmp(a->dataset, b->dataset) == 0 && strcmp(a->attribution, b->attribution) == 0 &&
           strcmp(a->licence, b->licence) == 0 && a->retrieved_s == b->retrieved_s &&
           gl_render_has_body(a) == gl_render_has_body(b);
}

/* Below the figures that it gave. */
static void explain_source(struct gl_context *context, const struct gl_series *series)
{
    GL_AUTO(gl_str_done) struct gl_str plain = {0};
    GL_AUTO(gl_str_done) struct gl_str line = {0};
    char retrieved[GL_INSTANT_TEXT];

    gl_str_addf(&plain, "source: %s (%s), %s; ", series->dataset, series->attribution,
                series->licence);
    if (gl_render_has_body(series))
        gl_str_addf(&plain, "retrieved %s",
                    gl_instant_text((struct gl_instant){series->retrieved_s}, retrieved));
    else
        gl_str_add(&plain, "built into this program");
    gl_str_add_printable(&line, gl_str_text(&plain), plain.length);
    gl_render_wrap(gl_str_text(&line), 2, context->columns, &context->reply.text);
}

static const char *report_word(const struct gl_signal_report *report)
{
    if (report->error.code == GL_E_NO_CREDENTIAL)
        return "no credential";
    if (report->is_unknown)
        return report->is_ok ? "partly unknown" : "unknown";
    if (report->error.code != GL_OK)
        return report->is_ok ? "partly failed" : "failed";
    if (report->is_skipped)
        return "knows nothing of this zone";
    return report->is_from_cache ? "from the cache" : "answered";
}

static json_t *report_json(const struct gl_signal_report *report)
{
    return json_pack("{s:s,s:s,s:b,s:b,s:b,s:o,s:s?,s:s?}", "source", report->source, "state",
                     report_word(report), "ok", report->is_ok, "from_cache", report->is_from_cache,
                     "skipped", report->is_skipped, "age_s",
                     report->age_s == GL_UNKNOWN ? json_null() : json_integer(report->age_s),
                     "error", report->error.code != GL_OK ? report->error.text : NULL,
                     "archive_error", report->archive.code != GL_OK ? report->archive.text : NULL);
}

/* What happened to each source for the zone; text when `is_shown`. */
static json_t *add_reports(struct gl_context *context, const struct gl_signal_store *store,
                           const char *zone, bool is_shown)
{
    size_t count;
    const struct gl_signal_report *reports = gl_signal_store_reports(store, &count);
    json_t *list = json_array();

    if (is_shown)
        gl_str_add(&context->reply.text, "  asked:\n");
    for (size_t i = 0; i < count; i++) {
        GL_AUTO(gl_str_done) struct gl_str line = {0};
        char age[GL_RENDER_NUMBER];

        if (strcmp(reports[i].zone, zone) != 0)
            continue;
        json_array_append_new(list, report_json(&reports[i]));
        gl_str_add(&line, report_word(&reports[i]));
        if (reports[i].age_s != GL_UNKNOWN)
            gl_str_addf(&line, ", %s old", gl_render_age(reports[i].age_s, age));
        if (reports[i].error.code != GL_OK)
            gl_str_addf(&line, ": %s", reports[i].error.text);
        if (reports[i].archive.code != GL_OK)
            gl_str_addf(&line, "; nothing of it is stored: %s", reports[i].archive.text);
        if (is_shown && (!reports[i].is_skipped || reports[i].error.code != GL_OK ||
                         strcmp(reports[i].source, "file") == 0))
            field(context, reports[i].source, gl_str_text(&line));
    }
    return list;
}

static void explain(struct gl_context *context, const struct asked_zone *one, struct gl_instant now)
{
    const struct gl_zone_row *row = gl_data_zone(one->query.zone);
    struct gl_str *out = &context->reply.text;
    GL_AUTO(gl_str_done) struct gl_str head = {0};
    char at[GL_INSTANT_TEXT];

    gl_str_addf(&head, "%s%s%s%s as of %s", one->query.zone, row != NULL ? " (" : "",
                row != NULL ? row->name : "", row != NULL ? ")" : "", gl_instant_text(now, at));
    gl_render_wrap(gl_str_text(&head), 0, context->columns, out);
    if (one->facts->count == 0)
        gl_str_add(out, "  nothing is known of this zone\n");
    for (size_t i = 0; i < one->facts->count; i++) {
        const struct gl_series *series = one->facts->series[i];

        explain_series(context, series, now);
        if (i + 1 == one->facts->count || !is_same_source(series, one->facts->series[i + 1]))
            explain_source(context, series);
    }
}

static const char words[] =
    "average: of all power at the time (marginal: of one kWh more); lifecycle: with fuel supply "
    "and building (direct: what the plant emits); flow traced: imports as they were made; "
    "location-based: of the grid (market-based: of contracts); matched annual: over a year, not by "
    "the hour.";

/* ---- the answer ---- */

static json_t *zone_json(struct gl_context *context, const struct asked_zone *one,
                         const struct gl_signal_store *store, struct gl_instant now)
{
    const struct gl_zone_row *row = gl_data_zone(one->query.zone);
    GL_AUTO(gl_str_done) struct gl_str lines = {0};
    json_t *series = json_array(), *reports, *disagreements;

    for (size_t i = 0; i < one->facts->count; i++)
        json_array_append_new(series, gl_render_series_json(one->facts->series[i], now));
    reports = add_reports(context, store, one->query.zone, one->is_explained);
    if (one->is_explained)
        gl_signals_history_show(context, one->facts, now);
    disagreements = gl_render_disagreements(one->facts, now, context->columns, &lines);
    if (one->is_explained && lines.length > 0)
        gl_str_addf(&context->reply.text, "  compared:\n%s", gl_str_text(&lines));
    return json_pack("{s:s,s:s?,s:o,s:o,s:o,s:o}", "zone", one->query.zone, "name",
                     row != NULL ? row->name : NULL, "series", series, "reports", reports,
                     "disagreements", disagreements, "history",
                     gl_signals_history_json(one->facts));
}

static int answer(struct gl_context *context, const struct asked *asked,
                  const struct gl_signal_store *store, size_t limit)
{
    size_t shown = add_table(context, asked, limit);
    json_t *zones = json_array();
    char at[GL_INSTANT_TEXT];
    bool has_any = false, has_words = false;

    for (size_t i = 0; i < shown; i++) {
        const struct asked_zone *one = &asked->zones[i];

        if (one->is_explained)
            explain(context, one, asked->now);
        json_array_append_new(zones, zone_json(context, one, store, asked->now));
        has_any = has_any || one->facts->count > 0;
        has_words = has_words || (one->is_explained && one->facts->count > 0);
    }
    if (has_words)
        gl_render_wrap(words, 0, context->columns, &context->reply.text);
    context->reply.data =
        json_pack("{s:s,s:o}", "now", gl_instant_text(asked->now, at), "zones", zones);
    if (has_any)
        return GL_EXIT_OK;
    context->reply.verdict = "unknown";
    return GL_EXIT_UNKNOWN;
}

static int show(struct gl_context *context, const struct gl_call *call, struct gl_error *err)
{
    const struct signals_values *values = call->values;
    GL_AUTO(gl_auto_free) struct asked_zone *zones = gl_alloc(ZONES_MAX * sizeof *zones);
    struct asked asked = {.zones = zones};
    struct gl_signal_store *store;
    int status = -1;

    if (gl_help_operands(&gl_command_signals, call, 0, 64, err) != 0 ||
        gl_context_now(context, &asked.now, err) != 0 ||
        collect(context, values, call->operands, &asked, err) != 0)
        return -1;
    gl_progress_signals(context);
    store = gl_context_signals(context, err);
    if (store != NULL && look_up(&asked, store, err) == 0) {
        if (asked.is_all)
            qsort(zones, asked.count, sizeof *zones, compare_zones);
        gl_progress_end(context);
        status = answer(context, &asked, store,
                        values->limit == INT64_MIN ? LIMIT_DEFAULT : (size_t)values->limit);
    }
    gl_signal_store_free(store);
    return status;
}

static int backfill(struct gl_context *context, const struct gl_call *call, struct gl_error *err)
{
    const struct signals_values *values = call->values;
    const char *zone = values->zone != NULL ? values->zone : context->config.zone;

    if (gl_help_operands(&gl_command_signals, call, 0, 0, err) != 0)
        return -1;
    if (values->backfill == NULL)
        return gl_fail(err, GL_E_USAGE,
                       "--zone is the zone of --backfill; to look at one: greenlaunch signals "
                       "ZONE");
    if (values->explain.count + values->regions.count > 0)
        return gl_fail(err, GL_E_USAGE,
                       "--backfill only stores: --explain and --region are for "
                       "another call");
    if (zone == NULL)
        return gl_fail(err, GL_E_USAGE, "--backfill of which zone? give --zone ZONE");
    if (!is_known_zone(zone) && zone != context->config.zone)
        return fail_zone(zone, err);
    return gl_signals_backfill(context, values->backfill, zone, err);
}

static int run(struct gl_context *context, const struct gl_call *call, struct gl_error *err)
{
    const struct signals_values *values = call->values;

    return values->backfill != NULL || values->zone != NULL ? backfill(context, call, err)
                                                            : show(context, call, err);
}

const struct gl_command gl_command_signals = {
    .name = "signals",
    .group = "Look",
    .summary = "carbon intensity and renewable share of grid zones, with their sources",
    .operands = "[ZONE...]",
    .description =
        "Shows what each source says of a grid zone now. Figures that mean different things (other "
        "gases, another boundary, another share) stand in rows of their own and are never mixed. "
        "Without a zone, lists every zone by what is cached and built in, cleanest first, without "
        "using the network. --explain shows every number with its age, meaning, licence and cache "
        "state, what is stored of its past, and where sources disagree. Sources are waited for at "
        "most two seconds in all. --backfill 90d --zone ZONE fetches past figures of a zone from "
        "the sources that give them and stores them, so that promises and plans can be made; run "
        "again it goes on where it was.",
    .example = "$ greenlaunch signals --offline SE-SE3\n"
               "ZONE    g/kWh  RENEWABLE  CARBON-FREE  GRADE  DATED      SOURCE\n"
               "SE-SE3     20       64 %        100 %  D      year 2025  builtin",
    .options = options,
    .values_size = sizeof(struct signals_values),
    .run = run,
};
