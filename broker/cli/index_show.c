/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/time.h"
#include "broker/cli/index_part.h"
#include "broker/render/decision.h"
#include "broker/render/table.h"
#include "broker/render/text.h"

#define PERCENT_TEXT 24
#define COUNT_TEXT   24
#define RULES_SHOWN  6

static const char method[] =
    "GREEN: offers that fit the rule, judged as greenlaunch offers judges them. A past hour is "
    "judged "
    "by the last word stored on it, for a run of the asked duration begun then; an hour without a "
    "stored figure is unknown, is shown apart and is never green, and a yearly average (grade D) "
    "speaks of no hour. All percentages are of all offers, unknown ones included.";

static char *percent_text(uint64_t part, const struct gl_index_count *count, char out[PERCENT_TEXT])
{
    double percent = gl_index_percent(part, count);

    if (isnan(percent))
        snprintf(out, PERCENT_TEXT, "?");
    else
        snprintf(out, PERCENT_TEXT, "%.1f %%", percent);
    return out;
}

static struct gl_index_count all_hours(const struct gl_index *index, size_t cloud)
{
    return gl_index_sum(index, cloud, 0, index->hour_count);
}

static bool is_known(const struct gl_index_count *count)
{
    return count->green + count->not_green > 0;
}

/* ---- text ---- */

static void add_head(struct index_call *call, const struct index_shown *shown)
{
    GL_AUTO(gl_str_done) struct gl_str line = {0};
    char at[GL_INSTANT_TEXT], span[GL_QUANTITY_TEXT];

    gl_str_addf(&line, "Green availability: offers that fit %s, as of %s, for %s.",
                shown->is_standard ? "the rule of --renewable-only" : "your rules",
                gl_instant_text(shown->asked->now, at),
                gl_span_text(shown->asked->request.duration, span));
    gl_render_wrap(gl_str_text(&line), 0, call->context->columns, &call->context->reply.text);
    gl_render_rules(shown->asked->policy, RULES_SHOWN, call->context->columns,
                    &call->context->reply.text);
    gl_str_add_char(&call->context->reply.text, '\n');
}

#define COLUMNS 8

static void add_now(struct index_call *call, const struct gl_index *index)
{
    bool is_accessible = call->context->globals.is_accessible;
    const struct gl_column columns[COLUMNS] = {
        {"PROVIDER", false, 0},  {"OFFERS", true, 0},
        {"GREEN NOW", true, 0},  {"NOT", true, 0},
        {"UNKNOWN", true, 0},    {"BY YEAR", true, 2},
        {"PAST GREEN", true, 0}, {is_accessible ? "PAST UNKNOWN" : "PAST UNKN.", true, 1},
    };
    struct gl_table *table = gl_table_new(columns, COLUMNS);

    for (size_t c = 0; c < index->cloud_count; c++) {
        const struct gl_index_cloud *cloud = &index->clouds[c];
        const struct gl_index_count past = all_hours(index, c);
        char offers[COUNT_TEXT], texts[5][PERCENT_TEXT], by_year[PERCENT_TEXT];

        snprintf(offers, sizeof offers, "%zu", cloud->offers);
        gl_table_row(
            table, (const char *const[]){cloud->cloud, offers,
                                         percent_text(cloud->now.green, &cloud->now, texts[0]),
                                         percent_text(cloud->now.not_green, &cloud->now, texts[1]),
                                         percent_text(cloud->now.unknown, &cloud->now, texts[2]),
                                         percent_text(cloud->by_year, &cloud->now, by_year),
                                         percent_text(past.green, &past, texts[3]),
                                         percent_text(past.unknown, &past, texts[4])});
    }
    gl_table_text(table, call->context->columns, is_accessible, &call->context->reply.text);
    gl_table_free(table);
}

/* A yearly average is grade D: what rests on it is said, wherever it counts. */
static bool add_yearly(const struct gl_index *index, struct gl_str *line)
{
    uint64_t green = 0, by_year = 0;

    for (size_t c = 0; c < index->cloud_count; c++) {
        green += index->clouds[c].now.green;
        by_year += index->clouds[c].by_year;
    }
    if (by_year > 0)
        gl_str_addf(line,
                    "Of the %" PRIu64 " offers green now, %" PRIu64
                    " rest on yearly averages (grade D): no hour stands behind them.",
                    green, by_year);
    return by_year > 0;
}

/* What the green ones rest on, and why the others are not. */
static void add_reasons(struct index_call *call, const struct gl_index *index,
                        const struct gl_decision *decision)
{
    struct gl_render_refusal rows[GL_RENDER_REFUSALS];
    size_t count = gl_render_refusals(decision, rows);
    GL_AUTO(gl_str_done) struct gl_str yearly = {0};
    GL_AUTO(gl_str_done) struct gl_str line = {0};

    if (add_yearly(index, &yearly)) {
        gl_str_add_char(&call->context->reply.text, '\n');
        gl_render_wrap(gl_str_text(&yearly), 0, call->context->columns, &call->context->reply.text);
    }
    for (size_t i = 0; i < count; i++) {
        if (rows[i].outcome == GL_NOT_ASKED)
            continue;
        gl_str_addf(&line, "%s%zu %s", line.length > 0 ? ", " : "Not green now: ", rows[i].count,
                    rows[i].outcome == GL_OUTCOME_UNKNOWN ? "unknown (" : "");
        gl_str_addf(&line, "%s%s", rows[i].why, rows[i].outcome == GL_OUTCOME_UNKNOWN ? ")" : "");
    }
    if (line.length == 0)
        return;
    gl_str_add_char(&line, '.');
    if (yearly.length == 0)
        gl_str_add_char(&call->context->reply.text, '\n');
    gl_render_wrap(gl_str_text(&line), 0, call->context->columns, &call->context->reply.text);
}

static void add_past_rows(struct gl_table *table, const struct index_shown *shown, size_t cloud)
{
    struct gl_index_period period;

    for (size_t h = 0; gl_index_period(shown->index, shown->by, h, &period); h += period.count) {
        struct gl_index_count sum = gl_index_sum(shown->index, cloud, period.first, period.count);
        char texts[3][PERCENT_TEXT], hours[COUNT_TEXT];

        snprintf(hours, sizeof hours, "%zu", period.count);
        gl_table_row(table, (const char *const[]){shown->index->clouds[cloud].cloud, period.label,
                                                  hours, percent_text(sum.green, &sum, texts[0]),
                                                  percent_text(sum.not_green, &sum, texts[1]),
                                                  percent_text(sum.unknown, &sum, texts[2])});
    }
}

/* Clouds of which no past hour is known. False when there are none. */
static bool add_unknown(const struct gl_index *index, struct gl_str *line)
{
    size_t count = 0;

    for (size_t c = 0; c < index->cloud_count; c++) {
        const struct gl_index_count past = all_hours(index, c);

        if (!is_known(&past))
            gl_str_addf(line, "%s%s", count++ > 0 ? ", " : "No past hour is known of ",
                        index->clouds[c].cloud);
    }
    if (count > 0)
        gl_str_add(line, ": unknown, not green. greenlaunch signals --backfill 90d --zone ZONE "
                         "stores what a source has.");
    return count > 0;
}

static void add_past(struct index_call *call, const struct index_shown *shown)
{
    static const struct gl_column columns[] = {
        {"PROVIDER", false, 0}, {"PERIOD (UTC)", false, 0}, {"HOURS", true, 1},
        {"GREEN", true, 0},     {"NOT", true, 0},           {"UNKNOWN", true, 0},
    };
    struct gl_table *table = gl_table_new(columns, sizeof columns / sizeof columns[0]);
    struct gl_str *out = &call->context->reply.text;
    GL_AUTO(gl_str_done) struct gl_str line = {0};
    size_t rows = 0;

    for (size_t c = 0; c < shown->index->cloud_count; c++) {
        const struct gl_index_count past = all_hours(shown->index, c);

        if (!is_known(&past))
            continue;
        rows++;
        if (shown->has_periods)
            add_past_rows(table, shown, c);
    }
    if (rows > 0 && shown->has_periods) {
        gl_str_addf(out, "\nPast hours by %s:\n", shown->by_word);
        gl_table_text(table, call->context->columns, call->context->globals.is_accessible, out);
    }
    gl_table_free(table);
    gl_str_add_char(out, '\n');
    if (add_unknown(shown->index, &line))
        gl_render_wrap(gl_str_text(&line), 0, call->context->columns, out);
}

void gl_index_show_text(struct index_call *call, const struct index_shown *shown)
{
    GL_AUTO(gl_str_done) struct gl_str line = {0};

    add_head(call, shown);
    if (shown->index->cloud_count == 0) {
        gl_render_wrap("No offer was asked for.", 0, call->context->columns,
                       &call->context->reply.text);
        return;
    }
    add_now(call, shown->index);
    add_reasons(call, shown->index, shown->asked->decision);
    add_past(call, shown);
    gl_str_addf(&line,
                "%s BY YEAR: of all offers, those green by a yearly average alone; PAST: the "
                "%zu hours before.",
                method, shown->index->hour_count);
    if (!shown->has_periods)
        gl_str_add(&line, " Hour by hour or added up: --by hour, day, week or month.");
    gl_render_wrap(gl_str_text(&line), 0, call->context->columns, &call->context->reply.text);
}

/* ---- rows of data ---- */

static const char *const heads[] = {"provider",      "period",         "from",
                                    "until",         "offers",         "green",
                                    "not_green",     "unknown",        "green_by_yearly_average",
                                    "green_percent", "unknown_percent"};
#define HEADS (sizeof heads / sizeof heads[0])

static char *number(uint64_t value, char out[COUNT_TEXT])
{
    snprintf(out, COUNT_TEXT, "%" PRIu64, value);
    return out;
}

static char *bare_percent(uint64_t part, const struct gl_index_count *count, char out[PERCENT_TEXT])
{
    double percent = gl_index_percent(part, count);

    if (isnan(percent))
        out[0] = '\0';
    else
        snprintf(out, PERCENT_TEXT, "%.3f", percent);
    return out;
}

struct data_row {
    const struct gl_index_cloud *cloud;
    const char *period;
    struct gl_instant from, until;
    const struct gl_index_count *count;
    bool is_now;
};

static void add_data_row(struct index_cells *cells, const struct data_row *row)
{
    const struct gl_index_count *count = row->count;
    char from[GL_INSTANT_TEXT], until[GL_INSTANT_TEXT], offers[COUNT_TEXT], texts[4][COUNT_TEXT],
        green[PERCENT_TEXT], unknown[PERCENT_TEXT];

    gl_index_cells_add(cells,
                       (const char *const[HEADS]){
                           row->cloud->cloud, row->period, gl_instant_text(row->from, from),
                           gl_instant_text(row->until, until), number(row->cloud->offers, offers),
                           number(count->green, texts[0]), number(count->not_green, texts[1]),
                           number(count->unknown, texts[2]),
                           row->is_now ? number(row->cloud->by_year, texts[3]) : "0",
                           bare_percent(count->green, count, green),
                           bare_percent(count->unknown, count, unknown)});
}

static struct index_cells cells_of(const struct index_shown *shown)
{
    struct index_cells cells = {.columns = HEADS};
    const struct gl_instant now = shown->asked->now;
    const struct gl_instant end = {now.unix_s + shown->asked->request.duration.s};

    for (size_t c = 0; c < shown->index->cloud_count; c++) {
        const struct gl_index_cloud *cloud = &shown->index->clouds[c];
        struct gl_index_period period;

        add_data_row(&cells, &(struct data_row){cloud, "now", now, end, &cloud->now, true});
        for (size_t h = 0; gl_index_period(shown->index, shown->by, h, &period);
             h += period.count) {
            struct gl_index_count sum = gl_index_sum(shown->index, c, period.first, period.count);

            add_data_row(&cells, &(struct data_row){cloud, period.label, period.from, period.until,
                                                    &sum, false});
        }
    }
    return cells;
}

void gl_index_show_csv(struct index_call *call, const struct index_shown *shown)
{
    struct index_cells cells = cells_of(shown);

    gl_index_cells_csv(&cells, heads, &call->context->reply.text);
    gl_index_cells_done(&cells);
}

/* ---- JSON ---- */

static json_t *count_json(const struct gl_index_count *count)
{
    double green = gl_index_percent(count->green, count);

    return json_pack("{s:I,s:I,s:I,s:o}", "green", (json_int_t)count->green, "not_green",
                     (json_int_t)count->not_green, "unknown", (json_int_t)count->unknown,
                     "green_percent", isnan(green) ? json_null() : json_real(green));
}

static json_t *past_json(const struct index_shown *shown, size_t cloud)
{
    json_t *periods = json_array();
    struct gl_index_period period;

    for (size_t h = 0; gl_index_period(shown->index, shown->by, h, &period); h += period.count) {
        struct gl_index_count sum = gl_index_sum(shown->index, cloud, period.first, period.count);
        json_t *one = count_json(&sum);
        char from[GL_INSTANT_TEXT], until[GL_INSTANT_TEXT];

        json_object_set_new(one, "period", json_string(period.label));
        json_object_set_new(one, "from", json_string(gl_instant_text(period.from, from)));
        json_object_set_new(one, "until", json_string(gl_instant_text(period.until, until)));
        json_array_append_new(periods, one);
    }
    return periods;
}

json_t *gl_index_show_json(const struct index_shown *shown)
{
    json_t *providers = json_array();
    char now[GL_INSTANT_TEXT], from[GL_INSTANT_TEXT];

    for (size_t c = 0; c < shown->index->cloud_count; c++) {
        const struct gl_index_cloud *cloud = &shown->index->clouds[c];
        const struct gl_index_count past = all_hours(shown->index, c);

        json_array_append_new(
            providers, json_pack("{s:s,s:I,s:o,s:I,s:I,s:o,s:o}", "cloud", cloud->cloud, "offers",
                                 (json_int_t)cloud->offers, "now", count_json(&cloud->now),
                                 "green_by_yearly_average", (json_int_t)cloud->by_year,
                                 "offers_with_stored_hours", (json_int_t)cloud->stored_offers,
                                 "past", count_json(&past), "periods", past_json(shown, c)));
    }
    return json_pack("{s:s,s:s,s:o,s:o,s:b,s:s,s:s,s:I,s:s,s:o}", "index", "availability", "method",
                     method, "rules", gl_render_rules_json(shown->asked->policy), "request",
                     gl_render_request_json(&shown->asked->request), "standard_rule",
                     shown->is_standard, "now", gl_instant_text(shown->asked->now, now), "from",
                     gl_instant_text(shown->index->from, from), "hours",
                     (json_int_t)shown->index->hour_count, "by", shown->by_word, "providers",
                     providers);
}

/* ---- page ---- */

static void add_now_chart(const struct gl_index *index, struct gl_str *out)
{
    const char *labels[GL_INDEX_CLOUDS_MAX];
    double green[GL_INDEX_CLOUDS_MAX];
    GL_AUTO(gl_str_done) struct gl_str summary = {0};

    gl_str_add(&summary,
               "Share of each provider's offers that fit the rule; what is unknown is not "
               "green: see the second table. ");
    add_yearly(index, &summary);

    for (size_t c = 0; c < index->cloud_count; c++) {
        labels[c] = index->clouds[c].cloud;
        green[c] = gl_index_percent(index->clouds[c].now.green, &index->clouds[c].now);
    }
    gl_html_chart(out, &(struct gl_html_chart){
                           .kind = GL_HTML_BARS,
                           .id = "now",
                           .title = "Green now",
                           .summary = gl_str_text(&summary),
                           .label = "provider",
                           .unit = "% of offers",
                           .labels = labels,
                           .count = index->cloud_count,
                           .series = &(struct gl_html_series){"green", green},
                           .series_count = 1,
                           .decimals = 1,
                           .most = 100,
                       });
}

/* The periods of one cloud as three lines. */
struct lines {
    size_t count;
    char (*names)[24];
    const char **labels;
    double *values[3];
};

static void lines_init(struct lines *lines, const struct index_shown *shown, size_t cloud)
{
    size_t most = shown->index->hour_count;
    struct gl_index_period period;

    lines->names = gl_alloc(most * sizeof *lines->names);
    lines->labels = gl_alloc(most * sizeof *lines->labels);
    for (size_t s = 0; s < 3; s++)
        lines->values[s] = gl_alloc(most * sizeof *lines->values[s]);
    for (size_t h = 0; gl_index_period(shown->index, shown->by, h, &period); h += period.count) {
        const struct gl_index_count sum =
            gl_index_sum(shown->index, cloud, period.first, period.count);
        size_t i = lines->count++;

        snprintf(lines->names[i], sizeof lines->names[i], "%s", period.label);
        lines->labels[i] = lines->names[i];
        lines->values[0][i] = gl_index_percent(sum.green, &sum);
        lines->values[1][i] = gl_index_percent(sum.not_green, &sum);
        lines->values[2][i] = gl_index_percent(sum.unknown, &sum);
    }
}

static void add_past_chart(const struct index_shown *shown, size_t cloud, struct gl_str *out)
{
    struct lines lines = {0};
    GL_AUTO(gl_str_done) struct gl_str title = {0};
    GL_AUTO(gl_str_done) struct gl_str summary = {0};
    char id[32];

    lines_init(&lines, shown, cloud);
    snprintf(id, sizeof id, "past-%zu", cloud);
    gl_str_addf(&title, "%s over time", shown->index->clouds[cloud].cloud);
    gl_str_addf(
        &summary,
        "Share of the offers of %s, by %s (UTC); hours without a stored figure are unknown, "
        "never green.",
        shown->index->clouds[cloud].cloud, shown->by_word);
    gl_html_chart(out, &(struct gl_html_chart){
                           .kind = GL_HTML_LINES,
                           .id = id,
                           .title = gl_str_text(&title),
                           .summary = gl_str_text(&summary),
                           .label = shown->by_word,
                           .unit = "% of offers",
                           .labels = lines.labels,
                           .count = lines.count,
                           .series = (const struct gl_html_series[]){{"green", lines.values[0]},
                                                                     {"not green", lines.values[1]},
                                                                     {"unknown", lines.values[2]}},
                           .series_count = 3,
                           .decimals = 1,
                           .most = 100,
                           .ticks = lines.count > 24 ? 24 : 1,
                       });
    free(lines.names);
    free(lines.labels);
    for (size_t s = 0; s < 3; s++)
        free(lines.values[s]);
}

/* What the bars do not draw: the rest of the offers, and the past as a whole. */
static void add_now_table(const struct gl_index *index, struct gl_str *out)
{
    static const char *const columns[] = {"provider",   "offers",      "green now",
                                          "not green",  "unknown",     "by yearly average",
                                          "past green", "past unknown"};
    struct index_cells cells = {.columns = sizeof columns / sizeof columns[0]};

    for (size_t c = 0; c < index->cloud_count; c++) {
        const struct gl_index_cloud *cloud = &index->clouds[c];
        const struct gl_index_count past = all_hours(index, c);
        char texts[6][PERCENT_TEXT], offers[COUNT_TEXT];

        gl_index_cells_add(
            &cells, (const char *const[]){cloud->cloud, number(cloud->offers, offers),
                                          percent_text(cloud->now.green, &cloud->now, texts[0]),
                                          percent_text(cloud->now.not_green, &cloud->now, texts[1]),
                                          percent_text(cloud->now.unknown, &cloud->now, texts[2]),
                                          percent_text(cloud->by_year, &cloud->now, texts[3]),
                                          percent_text(past.green, &past, texts[4]),
                                          percent_text(past.unknown, &past, texts[5])});
    }
    gl_index_cells_html(&cells, "All offers, with what is unknown", columns, out);
    gl_index_cells_done(&cells);
}

void gl_index_show_html(struct index_call *call, const struct index_shown *shown)
{
    GL_AUTO(gl_str_done) struct gl_str rules = {0};
    GL_AUTO(gl_str_done) struct gl_str unknown = {0};

    gl_render_rules(shown->asked->policy, RULES_SHOWN, 1000, &rules);
    gl_html_paragraph(&call->page, gl_str_text(&rules));
    gl_html_paragraph(&call->page, method);
    add_now_chart(shown->index, &call->page);
    add_now_table(shown->index, &call->page);
    for (size_t c = 0; c < shown->index->cloud_count; c++) {
        const struct gl_index_count past = all_hours(shown->index, c);

        if (is_known(&past))
            add_past_chart(shown, c, &call->page);
    }
    if (add_unknown(shown->index, &unknown))
        gl_html_paragraph(&call->page, gl_str_text(&unknown));
}
