/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "base/time.h"
#include "broker/cli/help.h"
#include "broker/interrupt.h"
#include "broker/render/decision.h"
#include "broker/render/table.h"
#include "broker/render/text.h"

#define LIMIT_DEFAULT 10
#define RANK_TEXT     80

struct offers_values {
    struct gl_ask ask;
    int64_t limit;
};

static const struct gl_option options[] = {
    GL_ASK_OPTIONS,
    {"sort", 0, GL_OPT_TEXT, offsetof(struct offers_values, ask) + GL_ASK_AT(sort), "KEY",
     "what comes first; price is the tiebreak of carbon", "Table", NULL, GL_SORT_WORDS, 0, 0, 0,
     NULL},
    {"limit", 'n', GL_OPT_INTEGER, offsetof(struct offers_values, limit), "N",
     "rows shown (default 10)", "Table", NULL, NULL, 1, 100000, 0, NULL},
    {0},
};

/* ---- the table ---- */

static const struct gl_column columns[] = {
    {"#", true, 0},         {"CLOUD", false, 0}, {"REGION", false, 0}, {"TYPE", false, 0},
    {"START", false, 9},    {"g/kWh", true, 0},  {"RENEW", true, 2},   {"g TOTAL", true, 5},
    {"LOW..HIGH", true, 7}, {"USD/h", true, 4},  {"GRADE", false, 0},  {"ZONE", false, 8},
};
#define COLUMNS (sizeof columns / sizeof columns[0])

static void start_text(const struct gl_ask_result *asked, char out[GL_INSTANT_TEXT])
{
    if (asked->request.start.unix_s == asked->now.unix_s)
        snprintf(out, GL_INSTANT_TEXT, "now");
    else
        gl_instant_text(asked->request.start, out);
}

static void figure_text(const struct gl_figure *figure, enum gl_quantity quantity,
                        struct gl_str *out)
{
    double scale = quantity == GL_INTENSITY ? 1.0 : 100.0;
    struct gl_band band = {gl_render_real(figure->low_u) * scale,
                           gl_render_real(figure->value_u) * scale,
                           gl_render_real(figure->high_u) * scale};

    gl_render_band(&band, out);
    if (quantity != GL_INTENSITY && figure->value_u != GL_UNKNOWN)
        gl_str_add(out, " %");
}

/* "0.12" and "0.05..0.2"; "?" when unknown. */
static void grams_text(const struct gl_judgement *judgement, char total[GL_RENDER_NUMBER],
                       struct gl_str *range)
{
    const float *grams = judgement->grams_total;
    char low[GL_RENDER_NUMBER], high[GL_RENDER_NUMBER];

    snprintf(total, GL_RENDER_NUMBER, "?");
    if (grams[1] < 0)
        return;
    gl_render_real_text((double)grams[1], total);
    if (grams[0] >= 0 && grams[2] > grams[0])
        gl_str_addf(range, "%s..%s", gl_render_real_text((double)grams[0], low),
                    gl_render_real_text((double)grams[2], high));
}

static void zones_text(const struct gl_offer *offer, struct gl_str *out)
{
    for (size_t i = 0; i < offer->zone_count; i++)
        gl_str_addf(out, "%s%s", i > 0 ? " or " : "", offer->zones[i]->zone);
    if (offer->zone_count == 0)
        gl_str_add_char(out, '?');
}

/* "*1"; a star says nothing to who listens. */
static void rank_text(size_t rank, bool is_pareto, bool is_accessible, char out[RANK_TEXT])
{
    if (is_accessible)
        snprintf(out, RANK_TEXT, "%zu%s", rank + 1,
                 is_pareto ? ", no other that fits is both cleaner and cheaper" : "");
    else
        snprintf(out, RANK_TEXT, "%s%zu", is_pareto ? "*" : "", rank + 1);
}

static void add_row(struct gl_table *table, const struct gl_ask_result *asked,
                    const struct gl_question *question, size_t rank, bool is_accessible)
{
    uint32_t index = asked->decision->ranked[rank];
    const struct gl_offer *offer = &question->offers[index];
    const struct gl_judgement *judgement = &asked->decision->judgements[index];
    const struct gl_figure intensity = gl_render_figure(question, offer, GL_INTENSITY);
    const struct gl_figure share = gl_render_figure(question, offer, GL_RENEWABLE_SHARE);
    GL_AUTO(gl_str_done) struct gl_str g = {0};
    GL_AUTO(gl_str_done) struct gl_str renewable = {0};
    GL_AUTO(gl_str_done) struct gl_str range = {0};
    GL_AUTO(gl_str_done) struct gl_str zones = {0};
    char total[GL_RENDER_NUMBER], number[RANK_TEXT], price[GL_RENDER_NUMBER],
        start[GL_INSTANT_TEXT];
    char grade[3] = {gl_grade_letter((enum gl_grade)judgement->grade),
                     judgement->has_warning ? '!' : '\0', '\0'};

    rank_text(rank, judgement->is_pareto, is_accessible, number);
    start_text(asked, start);
    figure_text(&intensity, GL_INTENSITY, &g);
    figure_text(&share, GL_RENEWABLE_SHARE, &renewable);
    grams_text(judgement, total, &range);
    zones_text(offer, &zones);
    gl_table_row(table, (const char *const[COLUMNS]){
                            number, offer->cloud, offer->region, offer->type, start,
                            gl_str_text(&g), gl_str_text(&renewable), total, gl_str_text(&range),
                            gl_render_number(offer->price_u_usd_per_h, 1e-6, price), grade,
                            gl_str_text(&zones)});
}

/* ---- what the figures are ---- */

static void add_sources(struct gl_context *context, const struct gl_question *question,
                        const struct gl_decision *decision, size_t shown)
{
    struct gl_render_sources sources = {.count = 0};
    GL_AUTO(gl_str_done) struct gl_str line = {0};

    for (size_t i = 0; i < shown; i++) {
        const struct gl_offer *offer = &question->offers[decision->ranked[i]];
        struct gl_figure intensity = gl_render_figure(question, offer, GL_INTENSITY);
        struct gl_figure share = gl_render_figure(question, offer, GL_RENEWABLE_SHARE);

        gl_render_source_note(&sources, &intensity);
        gl_render_source_note(&sources, &share);
    }
    gl_render_sources(&sources, &line);
    gl_render_wrap(gl_str_text(&line), 0, context->columns, &context->reply.text);
}

static bool has_warning_among(const struct gl_decision *decision, size_t shown)
{
    for (size_t i = 0; i < shown; i++)
        if (decision->judgements[decision->ranked[i]].has_warning)
            return true;
    return false;
}

static void add_legend(struct gl_context *context, const struct gl_question *question,
                       bool has_warning)
{
    const struct gl_request *request = question->request;
    GL_AUTO(gl_str_done) struct gl_str line = {0};
    char span[GL_QUANTITY_TEXT];

    gl_str_addf(
        &line,
        "g is gCO2e of the grid's average, location-based; RENEW the renewable share; g "
        "TOTAL what %u instance%s would emit in %s at %.0f %% load; USD/h the list price of "
        "one; GRADE that of the evidence, A best%s.%s",
        request->count, request->count == 1 ? "" : "s", gl_span_text(request->duration, span),
        request->load * 100,
        has_warning ? ", ! admitted with a warning (greenlaunch why says which)" : "",
        context->globals.is_accessible
            ? ""
            : " * no other offer that fits is both cleaner and cheaper.");
    gl_render_wrap(gl_str_text(&line), 0, context->columns, &context->reply.text);
}

/* ---- the answer ---- */

static void add_refusals(struct gl_context *context, const struct gl_decision *decision)
{
    struct gl_render_refusal rows[GL_RENDER_REFUSALS];
    size_t count = gl_render_refusals(decision, rows);
    json_t *list = json_array();
    GL_AUTO(gl_str_done) struct gl_str line = {0};
    bool is_first = true;

    gl_str_addf(&line, "%zu do not fit", decision->violated + decision->unknown);
    for (size_t i = 0; i < count; i++) {
        bool is_unknown = rows[i].outcome == GL_OUTCOME_UNKNOWN;

        if (rows[i].outcome != GL_NOT_ASKED)
            gl_str_addf(&line, "%s %zu %s%s%s", is_first ? ":" : ",", rows[i].count,
                        is_unknown ? "unknown (" : "", rows[i].why, is_unknown ? ")" : "");
        is_first = is_first && rows[i].outcome == GL_NOT_ASKED;
        json_array_append_new(list, json_pack("{s:s,s:s,s:I}", "outcome",
                                              gl_outcome_word(rows[i].outcome), "why", rows[i].why,
                                              "count", (json_int_t)rows[i].count));
    }
    gl_str_add_char(&line, '.');
    json_object_set_new(context->reply.data, "refused_by", list);
    if (!is_first)
        gl_render_wrap(gl_str_text(&line), 0, context->columns, &context->reply.text);
}

static void add_table(struct gl_context *context, const struct gl_ask_result *asked,
                      const struct gl_question *question, size_t limit)
{
    const struct gl_decision *decision = asked->decision;
    size_t shown = decision->allowed < limit ? decision->allowed : limit;
    bool is_accessible = context->globals.is_accessible;
    struct gl_column titled[COLUMNS];
    struct gl_table *table = gl_table_new(titled, COLUMNS);
    json_t *rows = json_array();

    memcpy(titled, columns, sizeof titled);
    titled[0].title = is_accessible ? "OFFER" : "#";
    for (size_t i = 0; i < shown; i++) {
        json_t *row = gl_render_offer_json(question, decision, decision->ranked[i]);

        json_object_set_new(row, "rank", json_integer((json_int_t)i + 1));
        json_array_append_new(rows, row);
        add_row(table, asked, question, i, is_accessible);
    }
    json_object_set_new(context->reply.data, "offers", rows);
    if (shown > 0) {
        gl_str_add_char(&context->reply.text, '\n');
        gl_table_text(table, context->columns, is_accessible, &context->reply.text);
        if (shown < decision->allowed)
            gl_str_addf(&context->reply.text, "and %zu more: --limit N\n",
                        decision->allowed - shown);
        gl_str_add_char(&context->reply.text, '\n');
        add_legend(context, question, has_warning_among(decision, shown));
        add_sources(context, question, decision, shown);
    }
    gl_table_free(table);
}

static void add_alternatives(struct gl_context *context, const struct gl_question *question,
                             const struct gl_decision *decision)
{
    GL_AUTO(gl_str_done) struct gl_str hint = {0};
    bool is_flag = false;

    json_object_set_new(context->reply.data, "alternatives",
                        gl_render_alternatives_json(question, decision));
    if (decision->allowed > 0)
        return;
    if (decision->alternative_count > 0)
        gl_str_add(&context->reply.text, "Nearest that fits:\n");
    for (size_t i = 0; i < decision->alternative_count; i++) {
        gl_str_add(&context->reply.text, "  ");
        gl_render_alternative(question, &decision->alternatives[i], &context->reply.text);
        gl_str_add_char(&context->reply.text, '\n');
    }
    if (!gl_render_grade_hint(question, decision, &hint, &is_flag))
        return;
    gl_render_wrap(gl_str_text(&hint), 0, context->columns, &context->reply.text);
    json_object_set_new(context->reply.data, "hint", json_string(gl_str_text(&hint)));
    if (is_flag)
        gl_next(context, "admit yearly averages, plainly grade D",
                (const char *const[]){"offers", "--renewable-only", "--min-grade", "D", NULL});
}

static void add_next(struct gl_context *context, const struct gl_decision *decision)
{
    if (decision->violated + decision->unknown > 0) {
        gl_render_wrap("Why: greenlaunch why --refused and the same rules, or greenlaunch why "
                       "CLOUD/REGION/TYPE",
                       0, context->columns, &context->reply.text);
        gl_next(context, "every place that does not fit, and why",
                (const char *const[]){"why", "--refused", NULL});
    }
}

static const char *gist(const struct gl_decision *decision)
{
    if (decision->judged == decision->not_asked)
        return "no offer has the asked cloud, region, type and size";
    switch (decision->verdict) {
    case GL_LATER:
        return "nothing fits now, but a window exists";
    case GL_VERDICT_UNKNOWN:
        return "the evidence at hand proves no offer green, and unknown is never green";
    default:
        return "no offer satisfies the rules";
    }
}

static void add_summary(struct gl_context *context, const struct gl_ask_result *asked)
{
    const struct gl_decision *decision = asked->decision;
    GL_AUTO(gl_str_done) struct gl_str line = {0};
    char at[GL_INSTANT_TEXT], span[GL_QUANTITY_TEXT];

    gl_render_verdict(decision->verdict, context->is_color, &line);
    if (decision->allowed == 0)
        gl_str_addf(&line, ": %s", gist(decision));
    else
        gl_str_addf(&line, ": %zu of %zu offers fit%s", decision->allowed,
                    decision->judged - decision->not_asked,
                    asked->policy->rule_count > 0 ? " your rules" : "; no rules were given");
    gl_str_addf(&line, ".\nas of %s, for %s", gl_instant_text(asked->now, at),
                gl_span_text(asked->request.duration, span));
    if (decision->not_asked > 0)
        gl_str_addf(&line, "; %zu others were not asked for", decision->not_asked);
    gl_render_wrap(gl_str_text(&line), 0, context->columns, &context->reply.text);
    gl_render_rules(asked->policy, 6, context->columns, &context->reply.text);
}

static json_t *counts_json(const struct gl_decision *decision)
{
    return json_pack("{s:I,s:I,s:I,s:I,s:I}", "offers", (json_int_t)decision->judged, "fit",
                     (json_int_t)decision->allowed, "violated", (json_int_t)decision->violated,
                     "unknown", (json_int_t)decision->unknown, "not_asked",
                     (json_int_t)decision->not_asked);
}

static void answer(struct gl_context *context, const struct gl_ask_result *asked, size_t limit)
{
    const struct gl_decision *decision = asked->decision;
    const struct gl_question question = gl_ask_question(asked);
    char at[GL_INSTANT_TEXT], digest[GL_HASH_HEX];

    context->reply.verdict = gl_verdict_word(decision->verdict);
    context->reply.data =
        json_pack("{s:s,s:s,s:o,s:o,s:o,s:s}", "now", gl_instant_text(asked->now, at), "threshold",
                  asked->threshold, "rules", gl_render_rules_json(asked->policy), "request",
                  gl_render_request_json(&asked->request), "counts", counts_json(decision),
                  "digest", gl_hash_hex(&decision->digest, digest));
    add_summary(context, asked);
    add_table(context, asked, &question, limit);
    add_refusals(context, decision);
    add_alternatives(context, &question, decision);
    add_next(context, decision);
}

static int run(struct gl_context *context, const struct gl_call *call, struct gl_error *err)
{
    const struct offers_values *values = call->values;
    struct gl_ask_result asked;
    int status;

    if (gl_help_operands(&gl_command_offers, call, 0, 0, err) != 0 ||
        gl_ask_decide(context, &values->ask, &asked, err) != 0)
        return -1;
    answer(context, &asked, values->limit == INT64_MIN ? LIMIT_DEFAULT : (size_t)values->limit);
    status = gl_verdict_exit(asked.decision->verdict);
    if (gl_interrupted())
        status = gl_interrupt_fail(err, "offers: some signals were not asked");
    gl_ask_result_done(&asked);
    return status;
}

const struct gl_command gl_command_offers = {
    .name = "offers",
    .group = "Look",
    .summary = "rank what could be launched now, cleanest first",
    .operands = "",
    .description =
        "Judges every known instance type in every known cloud region, and this machine, by the "
        "rules of the policy files and of the command line, and ranks those that fit. Without "
        "rules it ranks everything. Live grid data are used where a source answers without a key, "
        "yearly averages (grade D) elsewhere; the strict default of --renewable-only does not "
        "accept yearly averages, --min-grade D does. Nothing is started and no demand is recorded.",
    .example =
        "$ greenlaunch offers --at 2026-06-01T12:00Z --renewable-only --min-grade D --cpus 4\n"
        "ALLOWED: 51 of 3805 offers fit your rules.",
    .options = options,
    .values_size = sizeof(struct offers_values),
    .run = run,
};
