/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "broker/cli/grid.h"
#include "broker/cli/rows.h"
#include "broker/promise.h"
#include "broker/render/promise.h"
#include "broker/render/table.h"
#include "broker/render/text.h"

static const struct gl_option options[] = {{0}};

/* ---- one promise ---- */

static int64_t number(const json_t *body, const char *key)
{
    return (int64_t)json_integer_value(json_object_get(body, key));
}

static const char *text(const json_t *body, const char *key)
{
    const char *value = json_string_value(json_object_get(body, key));

    return value != NULL ? value : "";
}

/* One that cannot be read is told of and does not hide the others. */
static json_t *parse(struct gl_context *context, const struct gl_guarantee_row *row)
{
    struct gl_error why = {0};
    json_t *body = gl_json_parse(row->body, strlen(row->body), row->id, &why);

    context->is_demo |= row->is_demo;
    if (body != NULL && json_is_object(body))
        return body;
    json_decref(body);
    gl_warn(context, "GL9002", "guarantee %s in the ledger cannot be read: %s", row->id, why.text);
    return NULL;
}

static void add_foreign(struct gl_str *line, const char *foreign)
{
    gl_str_add_printable(line, foreign, strlen(foreign));
}

static json_t *row_json(const struct gl_guarantee_row *row, const json_t *body)
{
    struct gl_error ignored = {0};
    json_t *settled = row->settled[0] != '\0'
                          ? gl_json_parse(row->settled, strlen(row->settled), row->id, &ignored)
                          : NULL;
    json_t *json = json_deep_copy(body);

    json_object_set_new(json, "launch", json_string(row->launch));
    json_object_set_new(json, "state", json_string(row->state));
    json_object_set_new(json, "settled", settled != NULL ? settled : json_null());
    return json;
}

/* The hour that it was given in had begun: what was gone of it is not promised. */
static int64_t from_s(const json_t *body)
{
    int64_t start_s = number(body, "start_s"), at_s = number(body, "at_s");

    return at_s > start_s ? at_s : start_s;
}

/* "8.5" */
static void hours_text(const struct gl_guarantee_row *row, const json_t *body, char out[24])
{
    snprintf(out, 24, "%.3g", (double)(row->until_s - from_s(body)) / 3600);
}

/* ---- list ---- */

static const struct gl_column columns[] = {
    {"GUARANTEE", false, 0}, {"LAUNCH", false, 3}, {"ZONE", false, 0}, {"FROM", false, 5},
    {"UNTIL", false, 0},     {"HOURS", true, 2},   {"P", true, 1},     {"STATE", false, 0},
};
#define COLUMNS (sizeof columns / sizeof columns[0])

static void add_row(struct gl_table *table, const struct gl_guarantee_row *row, const json_t *body)
{
    char from[GL_INSTANT_TEXT], until[GL_INSTANT_TEXT], hours[24], p[24];

    gl_instant_text((struct gl_instant){from_s(body)}, from);
    gl_instant_text((struct gl_instant){row->until_s}, until);
    from[16] = until[16] = '\0'; /* to the minute */
    hours_text(row, body, hours);
    snprintf(p, sizeof p, "%.4g %%", (double)number(body, "probability_ppm") / 1e4);
    gl_table_row(table, (const char *const[COLUMNS]){row->id, row->launch, row->zone, from, until,
                                                     hours, p, row->state});
}

static int list(struct gl_context *context, const struct gl_guarantee_rows *rows)
{
    struct gl_table *table = gl_table_new(columns, COLUMNS);
    json_t *all = json_array();

    for (size_t i = 0; i < rows->count; i++) {
        GL_AUTO(gl_auto_json) json_t *body = parse(context, &rows->rows[i]);

        if (body == NULL)
            continue;
        add_row(table, &rows->rows[i], body);
        json_array_append_new(all, row_json(&rows->rows[i], body));
    }
    if (rows->count > 0)
        gl_table_text(table, context->columns, context->globals.is_accessible,
                      &context->reply.text);
    else
        gl_str_add(&context->reply.text, "No guarantee was issued yet.\n");
    gl_table_free(table);
    context->reply.data = json_pack("{s:o}", "guarantees", all);
    return json_array_size(all) == rows->count ? GL_EXIT_OK : GL_EXIT_BREACH;
}

/* ---- show ---- */

static void add_line(struct gl_context *context, const char *label, const struct gl_str *line)
{
    gl_str_addf(&context->reply.text, "  %-9s ", label);
    gl_render_hang(gl_str_text(line), 12, context->columns, &context->reply.text);
}

static void add_words(struct gl_str *line, const char *words)
{
    for (; *words != '\0'; words++)
        gl_str_add_char(line, *words == '_' ? ' ' : *words);
}

static void add_limits(struct gl_context *context, const json_t *body)
{
    const json_t *leg;
    size_t i;

    json_array_foreach(json_object_get(body, "legs"), i, leg)
    {
        GL_AUTO(gl_str_done) struct gl_str line = {0};
        bool is_share = strcmp(text(leg, "quantity"), "carbon_intensity") != 0;
        double limit = (double)number(leg, "limit_u") / (is_share ? 1e4 : 1e6);

        add_words(&line, text(leg, "quantity"));
        gl_str_addf(&line, " %s %.6g %s, by ",
                    strcmp(text(leg, "kind"), "floor") == 0 ? "at least" : "at most", limit,
                    is_share ? "%" : "gCO2e/kWh");
        add_foreign(&line, text(leg, "provider"));
        gl_str_add_char(&line, ' ');
        add_foreign(&line, text(leg, "dataset"));
        add_line(context, "limit", &line);
    }
}

static void add_settled(struct gl_context *context, const struct gl_guarantee_row *row,
                        const json_t *json)
{
    const json_t *settled = json_object_get(json, "settled");
    GL_AUTO(gl_str_done) struct gl_str line = {0};
    char hour[GL_INSTANT_TEXT];

    gl_str_add(&line, row->state);
    if (strcmp(row->state, "open") == 0 && row->until_s <= gl_now(&context->world).unix_s)
        gl_str_add(&line, ": its time is over, but not all that was measured then is known");
    if (json_is_integer(json_object_get(settled, "hour_s")))
        gl_str_addf(&line, ": %s in the hour of %s",
                    strcmp(row->state, "breached") == 0 ? "the limit was broken"
                                                        : "nothing is known",
                    gl_instant_text((struct gl_instant){number(settled, "hour_s")}, hour));
    if (json_is_false(json_object_get(settled, "was_there")))
        gl_str_add(&line, ", when the launch had been moved, paused or ended");
    if (json_is_true(json_object_get(settled, "on_estimates")))
        gl_str_add(&line, ", on figures that the source had not settled");
    add_line(context, "state", &line);
}

/* Of promises as long as this one; those of older programs do not say. */
static void add_alike(struct gl_str *line, const json_t *body)
{
    const json_t *alike = json_object_get(json_object_get(body, "record"), "alike");
    int64_t settled = number(alike, "kept") + number(alike, "broken");

    if (settled <= 0)
        return;
    gl_str_add(line, "; of those of ");
    gl_render_class((uint32_t)number(body, "hours"), line);
    gl_str_addf(line, " %.1f %% of %" PRId64,
                100.0 * (double)number(alike, "kept") / (double)settled, settled);
}

/* What the promise itself rests on, and how such promises fared before it. */
static void add_record(struct gl_context *context, const json_t *body)
{
    const json_t *record = json_object_get(body, "record");
    int64_t settled = number(record, "kept") + number(record, "broken");
    GL_AUTO(gl_str_done) struct gl_str line = {0};
    GL_AUTO(gl_str_done) struct gl_str fared = {0};

    add_foreign(&line, text(body, "method"));
    gl_str_addf(&line, " on %" PRId64 " past forecasts; %.4g %% of them keep this one",
                number(body, "issues"), (double)number(body, "own_chance_ppm") / 1e4);
    add_line(context, "rests on", &line);
    if (settled > 0) {
        gl_str_addf(&fared,
                    "of %" PRId64 " such promises %.1f %% were kept, half of them %" PRId64
                    " h or longer",
                    settled, 100.0 * (double)number(record, "kept") / (double)settled,
                    number(record, "median_h"));
        add_alike(&fared, body);
    } else {
        gl_str_add(&fared, "no such promise was settled before");
    }
    add_line(context, "before", &fared);
}

static int show_one(struct gl_context *context, const struct gl_guarantee_row *row, json_t *all)
{
    GL_AUTO(gl_auto_json) json_t *body = parse(context, row);
    GL_AUTO(gl_str_done) struct gl_str line = {0};
    char from[GL_INSTANT_TEXT], until[GL_INSTANT_TEXT], hours[24];
    json_t *json;

    if (body == NULL)
        return -1;
    gl_str_addf(&context->reply.text, "%s  launch %s  zone ", row->id, row->launch);
    add_foreign(&context->reply.text, row->zone);
    gl_str_add_char(&context->reply.text, '\n');
    hours_text(row, body, hours);
    gl_str_addf(&line, "%s to %s, %s h, p %.4g %%, rule ",
                gl_instant_text((struct gl_instant){from_s(body)}, from),
                gl_instant_text((struct gl_instant){row->until_s}, until), hours,
                (double)number(body, "probability_ppm") / 1e4);
    add_foreign(&line, text(body, "rule"));
    add_line(context, "promised", &line);
    add_limits(context, body);
    add_record(context, body);
    json = row_json(row, body);
    add_settled(context, row, json);
    json_array_append_new(all, json);
    return 0;
}

static bool is_called(const struct gl_launch_rows *launches, const char *launch, const char *name)
{
    for (size_t i = 0; i < launches->count; i++)
        if (strcmp(launches->rows[i].launch, launch) == 0)
            return strcmp(launches->rows[i].name, name) == 0;
    return false;
}

/* One by its id, or all of a launch by its id or name. */
static int show(struct gl_context *context, const char *id, const struct gl_guarantee_rows *rows,
                struct gl_error *err)
{
    GL_AUTO(gl_launch_rows_free) struct gl_launch_rows launches = {0};
    GL_AUTO(gl_auto_json) json_t *all = json_array();
    char shown[GL_TEXT_SHOWN];
    size_t found = 0;

    if (gl_ledger_launches(context->ledger, id, &launches, err) != 0)
        return -1;
    for (size_t i = 0; i < rows->count; i++) {
        const struct gl_guarantee_row *row = &rows->rows[i];

        if (strcmp(row->id, id) != 0 && strcmp(row->launch, id) != 0 &&
            !is_called(&launches, row->launch, id))
            continue;
        found++;
        show_one(context, row, all);
    }
    if (found == 0)
        return gl_fail(err, GL_E_UNKNOWN_NAME,
                       "no guarantee \"%s\", nor a launch that was given one; see: greenlaunch "
                       "guarantee list",
                       gl_text_show(id, shown));
    context->reply.data = json_pack("{s:O}", "guarantees", all);
    return json_array_size(all) == found ? GL_EXIT_OK : GL_EXIT_BREACH;
}

/* ---- score: how our promises fared, by what they promised ---- */

#define LEVELS_MAX 512 /* probabilities are asked for in tenths of a per cent */
struct score {
    int64_t ppm;
    unsigned issued, open, kept, breached, unsettled;
    int64_t hours;
};

static struct score *score_of(struct score *scores, size_t *count, int64_t ppm)
{
    for (size_t i = 0; i < *count; i++)
        if (scores[i].ppm == ppm)
            return &scores[i];
    if (*count == LEVELS_MAX)
        return NULL;
    scores[*count] = (struct score){.ppm = ppm};
    return &scores[(*count)++];
}

static void add_to(struct score *score, const char *state)
{
    score->issued++;
    score->open += strcmp(state, "open") == 0;
    score->kept += strcmp(state, "kept") == 0;
    score->breached += strcmp(state, "breached") == 0;
    score->unsettled += strcmp(state, "unsettled") == 0;
}

static void add_rate(struct gl_str *line, const struct score *score)
{
    unsigned settled = score->kept + score->breached;

    if (settled > 0) {
        gl_str_addf(line, "; kept %.1f %% of %u", 100.0 * (double)score->kept / (double)settled,
                    settled);
    } else {
        gl_str_add(line, score->open > 0 ? "; none is settled yet" : "; none could be settled");
    }
}

static void show_score(struct gl_context *context, const struct score *score, json_t *all)
{
    unsigned settled = score->kept + score->breached;
    GL_AUTO(gl_str_done) struct gl_str line = {0};

    gl_str_addf(&line,
                "p %.4g %%: %u issued, %u kept, %u breached, %u unsettled, %u "
                "open",
                (double)score->ppm / 1e4, score->issued, score->kept, score->breached,
                score->unsettled, score->open);
    add_rate(&line, score);
    gl_render_hang(gl_str_text(&line), 2, context->columns, &context->reply.text);
    json_array_append_new(
        all,
        json_pack("{s:f,s:i,s:i,s:i,s:i,s:i,s:I,s:o}", "probability", (double)score->ppm / 1e6,
                  "issued", (int)score->issued, "kept", (int)score->kept, "breached",
                  (int)score->breached, "unsettled", (int)score->unsettled, "open",
                  (int)score->open, "hours", (json_int_t)score->hours, "kept_share",
                  settled > 0 ? json_real((double)score->kept / (double)settled) : json_null()));
}

static int by_probability(const void *a, const void *b)
{
    int64_t x = ((const struct score *)a)->ppm, y = ((const struct score *)b)->ppm;

    return (x > y) - (x < y);
}

static int add_scores(struct gl_context *context, const struct gl_guarantee_rows *rows)
{
    struct score scores[LEVELS_MAX];
    size_t count = 0, left_out = 0;
    json_t *all = json_array();

    for (size_t i = 0; i < rows->count; i++) {
        GL_AUTO(gl_auto_json) json_t *body = parse(context, &rows->rows[i]);
        struct score *score =
            body != NULL ? score_of(scores, &count, number(body, "probability_ppm")) : NULL;

        left_out += score == NULL;
        if (score == NULL)
            continue;
        add_to(score, rows->rows[i].state);
        score->hours += number(body, "hours");
    }
    qsort(scores, count, sizeof *scores, by_probability);
    for (size_t i = 0; i < count; i++)
        show_score(context, &scores[i], all);
    gl_render_hang(rows->count == 0
                       ? "No guarantee was issued yet."
                       : "A promise is kept or breached on what was measured; a missing hour is "
                         "never kept.",
                   0, context->columns, &context->reply.text);
    if (left_out > 0)
        gl_warn(context, "GL9002", "left out of these figures: %zu of %zu", left_out, rows->count);
    context->reply.data = json_pack("{s:o}", "scores", all);
    return left_out == 0 ? GL_EXIT_OK : GL_EXIT_BREACH;
}

/* ---- the command ---- */

/* What has come due is settled before it is shown. */
static void settle(struct gl_context *context, struct gl_ledger *ledger)
{
    struct gl_promises_settled settled;
    struct gl_error failed = {0};
    struct gl_grid grid;
    char code[16];

    if (context->globals.at != NULL)
        return;
    if (gl_grid_open(&grid, context, &failed) == 0) {
        gl_promise_settle_all(ledger, &context->world, gl_grid_zone, &grid, &settled, &failed);
        gl_grid_close(&grid);
    }
    snprintf(code, sizeof code, "GL%04d", (int)failed.code);
    if (failed.code != GL_OK)
        gl_warn(context, code, "not all promises that have come due are settled: %s", failed.text);
}

static bool has_open(const struct gl_guarantee_rows *rows)
{
    for (size_t i = 0; i < rows->count; i++)
        if (strcmp(rows->rows[i].state, "open") == 0)
            return true;
    return false;
}

static int read_settled(struct gl_context *context, struct gl_guarantee_rows *out,
                        struct gl_error *err)
{
    struct gl_error ignored = {0};
    bool is_writable = gl_context_ledger(context, &ignored) != NULL;
    struct gl_ledger *ledger = gl_context_ledger_to_look(context, err);

    if (ledger == NULL || gl_ledger_guarantees(ledger, NULL, out, err) != 0)
        return -1;
    if (!is_writable || !has_open(out))
        return 0;
    settle(context, ledger);
    gl_guarantee_rows_free(out);
    return gl_ledger_guarantees(ledger, NULL, out, err);
}

static int run(struct gl_context *context, const struct gl_call *call, struct gl_error *err)
{
    size_t count = call->operands->count;
    const char *word = count > 0 ? call->operands->words[0] : "list";
    bool is_show = strcmp(word, "show") == 0, is_list = strcmp(word, "list") == 0;
    GL_AUTO(gl_guarantee_rows_free) struct gl_guarantee_rows rows = {0};

    if ((!is_list && strcmp(word, "score") != 0 && !is_show) || count > (is_show ? 2 : 1) ||
        (is_show && count != 2))
        return gl_fail(err, GL_E_USAGE,
                       "write guarantee list, guarantee show ID or guarantee score");
    if (read_settled(context, &rows, err) != 0)
        return -1;
    if (is_list)
        return list(context, &rows);
    return is_show ? show(context, call->operands->words[1], &rows, err)
                   : add_scores(context, &rows);
}

const struct gl_command gl_command_guarantee = {
    .name = "guarantee",
    .group = "Prove",
    .summary = "the promises that were given, and how many were kept",
    .operands = "[list | show ID | score]",
    .description =
        "A guarantee says: this rule holds in this zone until then, with this probability. "
        "Each "
        "one stands in the ledger from the moment it is given and is settled on what was "
        "measured: "
        "kept, breached, or unsettled when hours are missing for good. It speaks of the grid, "
        "so "
        "it "
        "is settled whatever became of the launch. The probability is a long-run frequency; "
        "score "
        "compares it with what was kept. ID is a guarantee, or a launch that was given some, by "
        "id or name.",
    .example = "greenlaunch guarantee score",
    .options = options,
    .values_size = 1,
    .run = run,
};
