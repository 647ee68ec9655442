/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "base/wrap.h"
#include "broker/cli/again.h"
#include "broker/cli/claim.h"
#include "broker/cli/help.h"
#include "broker/cli/refresh.h"
#include "broker/cli/rented.h"
#include "broker/interrupt.h"
#include "broker/render/decision.h"
#include "broker/render/promise.h"
#include "broker/render/table.h"
#include "broker/render/text.h"

#define RECORDS_MAX   8 /* zones whose record is told below the table */
#define LIMIT_DEFAULT 10
#define RANK_TEXT     80

struct offers_values {
    struct gl_ask ask;
    int64_t limit;
    bool is_by_region, wants_refresh;
};

static const struct gl_option options[] = {
#include "broker/cli/ask_options.def"
    {"sort", 0, GL_OPT_TEXT, offsetof(struct offers_values, ask) + GL_ASK_AT(sort), "KEY",
     "what comes first; price is the tiebreak of carbon", "Table", NULL, GL_SORT_WORDS, 0, 0, 0,
     NULL},
    {"limit", 'n', GL_OPT_INTEGER, offsetof(struct offers_values, limit), "N",
     "rows shown (default 10)", "Table", NULL, NULL, 1, 100000, 0, NULL},
    {"refresh", 0, GL_OPT_FLAG, offsetof(struct offers_values, wants_refresh), NULL,
     "ask the clouds for their regions, types and prices first", "Table", NULL, NULL, 0, 0, 0,
     NULL},
    {"by-region", 0, GL_OPT_FLAG, offsetof(struct offers_values, is_by_region), NULL,
     "the best offer of each region only", "Table", NULL, NULL, 0, 0, 0, NULL},
    {0},
};

/* ---- the table ---- */

static const struct gl_column columns[] = {
    {"#", true, 0},
    {"CLOUD", false, 0},
    {"REGION", false, 0},
    {"TYPE", false, 0},
    {"START", false, 9},
    {"g/kWh", true, 0},
    {"RENEW", true, 2},
    {"g TOTAL", true, 5},
    {"LOW..HIGH", true, 7},
    {"USD/h", true, 4},
    {"GRADE", false, 0},
    {"ZONE", false, 8},
    {"GREEN UNTIL", false, 1},
};
#define COLUMNS (sizeof columns / sizeof columns[0])
enum { RENEW = 6, TOTAL = 7, PRICE = 9 }; /* of columns[]: told when they had room */

/* Which of the ranked offers are shown. */
struct picks {
    size_t count; /* of ranks[] */
    size_t fit;   /* that could be shown: all allowed ones, or one a region */
    size_t *ranks;
};

static bool is_told(const struct gl_question *question, const struct gl_book_entry *entry)
{
    return entry != NULL && entry->is_ready &&
           gl_book_gap(entry, entry->rule, question->now) == GL_GAP_NONE;
}

/* The last column is for promises: only where something can be said of one. */
static size_t column_count(const struct gl_question *question, const struct gl_decision *decision,
                           const struct picks *picks)
{
    for (size_t i = 0; i < picks->count; i++)
        if (is_told(question, gl_render_promise_of(
                                  question, &question->offers[decision->ranked[picks->ranks[i]]])))
            return COLUMNS;
    return COLUMNS - 1;
}

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
    for (size_t i = 0; i < offer->place->zone_count; i++)
        gl_str_addf(out, "%s%s", i > 0 ? " or " : "", offer->place->zones[i]->zone);
    if (offer->place->zone_count == 0)
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

/* The worst grade of what the row shows: a yearly intensity beside a forecast share is D. */
static enum gl_grade shown_grade(const struct gl_judgement *judgement,
                                 const struct gl_figure *intensity, const struct gl_figure *share)
{
    enum gl_grade worst = (enum gl_grade)judgement->grade;

    if (intensity->value_u != GL_UNKNOWN && intensity->grade > worst)
        worst = intensity->grade;
    return share->value_u != GL_UNKNOWN && share->grade > worst ? share->grade : worst;
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
        start[GL_INSTANT_TEXT], until[GL_RENDER_UNTIL];
    char grade[3] = {gl_grade_letter(shown_grade(judgement, &intensity, &share)),
                     judgement->has_warning ? '!' : '\0', '\0'};

    rank_text(rank, judgement->is_pareto, is_accessible, number);
    start_text(asked, start);
    figure_text(&intensity, GL_INTENSITY, &g);
    figure_text(&share, GL_RENEWABLE_SHARE, &renewable);
    grams_text(judgement, total, &range);
    zones_text(offer, &zones);
    gl_table_row(table,
                 (const char *const[COLUMNS]){
                     number, offer->place->cloud, offer->place->region, offer->type->name, start,
                     gl_str_text(&g), gl_str_text(&renewable), total, gl_str_text(&range),
                     gl_render_number(offer->price_u_usd_per_h, 1e-6, price), grade,
                     gl_str_text(&zones),
                     gl_render_until(gl_render_promise_of(question, offer), question->now, until)});
}

static size_t limit_of(const struct offers_values *values)
{
    return values->limit == INT64_MIN ? LIMIT_DEFAULT : (size_t)values->limit;
}

/* Offers of a region lie side by side: so many of them from this one on. */
static size_t region_length(const struct gl_question *question, size_t first)
{
    const struct gl_offer *offers = question->offers;
    size_t end = first + 1;

    while (end < question->offer_count && offers[end].place == offers[first].place)
        end++;
    return end - first;
}

/* For each offer the number of its region. */
static uint32_t *number_regions(const struct gl_question *question, uint32_t *out_count)
{
    uint32_t *regions = gl_alloc(question->offer_count * sizeof *regions);

    *out_count = 0;
    for (size_t i = 0; i < question->offer_count; (*out_count)++)
        for (size_t left = region_length(question, i); left > 0; left--)
            regions[i++] = *out_count;
    return regions;
}

/* The best of each region, all of them, so that the count of those left out is right. */
static void pick_by_region(const struct gl_question *question, const struct gl_decision *decision,
                           struct picks *out)
{
    uint32_t count;
    GL_AUTO(gl_auto_free) uint32_t *regions = number_regions(question, &count);
    GL_AUTO(gl_auto_free) bool *is_seen = gl_alloc(count * sizeof *is_seen);

    out->ranks = gl_alloc((count + 1) * sizeof *out->ranks);
    for (size_t rank = 0; rank < decision->allowed; rank++) {
        uint32_t region = regions[decision->ranked[rank]];

        if (!is_seen[region])
            out->ranks[out->count++] = rank;
        is_seen[region] = true;
    }
    out->fit = out->count;
}

static void pick(const struct gl_question *question, const struct gl_decision *decision,
                 const struct offers_values *values, struct picks *out)
{
    size_t limit = limit_of(values);

    if (values->is_by_region) {
        pick_by_region(question, decision, out);
    } else {
        out->fit = decision->allowed;
        out->count = out->fit < limit ? out->fit : limit;
        out->ranks = gl_alloc((out->count + 1) * sizeof *out->ranks);
        for (size_t rank = 0; rank < out->count; rank++)
            out->ranks[rank] = rank;
    }
    if (out->count > limit)
        out->count = limit;
}

/* ---- what the figures are ---- */

static void add_sources(struct gl_context *context, const struct gl_question *question,
                        const struct gl_decision *decision, const struct picks *picks)
{
    struct gl_render_sources sources = {.count = 0};
    GL_AUTO(gl_str_done) struct gl_str line = {0};

    for (size_t i = 0; i < picks->count; i++) {
        const struct gl_offer *offer = &question->offers[decision->ranked[picks->ranks[i]]];
        struct gl_figure intensity = gl_render_figure(question, offer, GL_INTENSITY);
        struct gl_figure share = gl_render_figure(question, offer, GL_RENEWABLE_SHARE);

        gl_render_source_note(&sources, &intensity);
        gl_render_source_note(&sources, &share);
    }
    gl_render_sources(&sources, &line);
    gl_render_wrap(gl_str_text(&line), 0, context->columns, &context->reply.text);
}

static void add_legend(struct gl_context *context, const struct gl_question *question,
                       const struct gl_decision *decision, const struct picks *picks,
                       const struct gl_table *table)
{
    const struct gl_request *request = question->request;
    bool is_accessible = context->globals.is_accessible, has_warning = false, lacks_price = false;
    GL_AUTO(gl_str_done) struct gl_str line = {0};
    char span[GL_QUANTITY_TEXT];

    for (size_t i = 0; i < picks->count; i++) {
        uint32_t offer = decision->ranked[picks->ranks[i]];

        has_warning |= decision->judgements[offer].has_warning;
        lacks_price |= question->offers[offer].price_u_usd_per_h == GL_UNKNOWN;
    }
    gl_str_add(&line, "g is gCO2e of the grid's average, location-based; ");
    if (gl_table_shows(table, context->columns, is_accessible, RENEW))
        gl_str_add(&line, "RENEW the renewable share; ");
    if (gl_table_shows(table, context->columns, is_accessible, TOTAL))
        gl_str_addf(&line, "g TOTAL what %u instance%s would emit in %s at %.0f %% load; ",
                    request->count, request->count == 1 ? "" : "s",
                    gl_span_text(request->duration, span), request->load * 100);
    if (gl_table_shows(table, context->columns, is_accessible, PRICE))
        gl_str_addf(&line, "USD/h the list price of one%s; ",
                    lacks_price ? ", ? where it is not known" : "");
    gl_str_addf(&line, "GRADE that of the evidence, A best%s.%s",
                has_warning ? ", ! admitted with a warning (greenlaunch why says which)" : "",
                is_accessible ? "" : " * no other offer that fits is both cleaner and cheaper.");
    gl_render_wrap(gl_str_text(&line), 0, context->columns, &context->reply.text);
}

/* ---- the answer ---- */

static void add_refusals(struct gl_context *context, const struct gl_decision *decision)
{
    struct gl_render_refusal rows[GL_RENDER_REFUSALS];
    size_t count = gl_render_refusals(decision, rows);
    GL_AUTO(gl_str_done) struct gl_str line = {0};
    bool is_first = true;

    gl_str_addf(&line, "%zu do not fit", decision->violated + decision->unknown);
    for (size_t i = 0; i < count; i++) {
        bool is_unknown = rows[i].outcome == GL_OUTCOME_UNKNOWN;

        if (rows[i].outcome == GL_NOT_ASKED)
            continue;
        gl_str_addf(&line, "%s %zu %s%s%s", is_first ? ":" : ",", rows[i].count,
                    is_unknown ? "unknown (" : "", rows[i].why, is_unknown ? ")" : "");
        is_first = false;
    }
    gl_str_add_char(&line, '.');
    gl_render_wrap(gl_str_text(&line), 0, context->columns, &context->reply.text);
}

/* How promises like those of the rows fared, or why nothing is said of any: a line a zone that is
 * named, the first row's first. */
static void add_record(struct gl_context *context, const struct gl_question *question,
                       const struct gl_decision *decision, const struct picks *picks)
{
    const struct gl_book_entry *seen[RECORDS_MAX];
    size_t count = 0;

    for (size_t i = 0; i < picks->count && count < RECORDS_MAX; i++) {
        const struct gl_offer *offer = &question->offers[decision->ranked[picks->ranks[i]]];
        const struct gl_book_entry *entry = gl_render_promise_of(question, offer);
        GL_AUTO(gl_str_done) struct gl_str line = {0};
        size_t at = 0;

        while (at < count && seen[at] != entry)
            at++;
        if (entry == NULL || at < count || (count > 0 && !is_told(question, entry)))
            continue;
        seen[count++] = entry;
        gl_render_told(question, entry, is_told(question, entry), &line);
        gl_render_wrap(gl_str_text(&line), 0, context->columns, &context->reply.text);
    }
}

static void add_notes(struct gl_context *context, const struct gl_question *question,
                      const struct gl_decision *decision, const struct picks *picks,
                      const struct gl_table *table)
{
    if (picks->count < picks->fit)
        gl_str_addf(&context->reply.text, "and %zu more: --limit N\n", picks->fit - picks->count);
    gl_str_add_char(&context->reply.text, '\n');
    add_record(context, question, decision, picks);
    add_legend(context, question, decision, picks, table);
    add_sources(context, question, decision, picks);
}

static void add_table(struct gl_context *context, const struct gl_ask_result *asked,
                      const struct gl_question *question, const struct picks *picks)
{
    bool is_accessible = context->globals.is_accessible;
    struct gl_column titled[COLUMNS];
    struct gl_table *table;

    if (picks->count == 0)
        return;
    memcpy(titled, columns, sizeof titled);
    titled[0].title = is_accessible ? "OFFER" : "#";
    table = gl_table_new(titled, column_count(question, asked->decision, picks));
    for (size_t i = 0; i < picks->count; i++)
        add_row(table, asked, question, picks->ranks[i], is_accessible);
    gl_str_add_char(&context->reply.text, '\n');
    gl_table_text(table, context->columns, is_accessible, &context->reply.text);
    add_notes(context, question, asked->decision, picks, table);
    gl_table_free(table);
}

static void add_alternatives(struct gl_context *context, const struct gl_question *question,
                             const struct gl_decision *decision)
{
    if (decision->alternative_count > 0)
        gl_str_add(&context->reply.text, "Nearest that fits:\n");
    for (size_t i = 0; i < decision->alternative_count; i++) {
        GL_AUTO(gl_str_done) struct gl_str line = {0};

        gl_render_alternative(question, &decision->alternatives[i], &line);
        gl_str_add(&context->reply.text, "  ");
        gl_wrap_text(gl_str_text(&line), (struct gl_margins){2, 10, context->columns},
                     &context->reply.text);
    }
}

/* What a worse grade would admit, as talk and as data. */
static void add_hint(struct gl_context *context, const struct gl_ask_result *asked)
{
    const struct gl_question question = gl_ask_question(asked);
    const struct gl_decision *decision = asked->decision;
    GL_AUTO(gl_str_done) struct gl_str hint = {0};
    struct gl_ask ask = *asked->ask;
    char grade[2];

    if (gl_render_promise_hint(&question, decision, &hint))
        gl_render_wrap(gl_str_text(&hint), 0, context->columns, &context->reply.text);
    gl_str_clear(&hint);
    if (!gl_render_grade_hint(&question, decision, &hint, grade))
        return;
    gl_render_wrap(gl_str_text(&hint), 0, context->columns, &context->reply.text);
    if (context->reply.data != NULL)
        json_object_set_new(context->reply.data, "hint", json_string(gl_str_text(&hint)));
    ask.min_grade = grade;
    if (grade[0] != '\0')
        gl_again_next(context, "admit the grade that is at hand, plainly shown", "offers", &ask,
                      NULL);
}

static void add_next(struct gl_context *context, const struct gl_ask_result *asked)
{
    static const char *const refused[] = {"--refused", NULL};
    const struct gl_decision *decision = asked->decision;

    if (decision->violated + decision->unknown > 0) {
        gl_render_wrap("Why: greenlaunch why --refused and the same rules, or greenlaunch why "
                       "CLOUD/REGION/TYPE",
                       0, context->columns, &context->reply.text);
        gl_again_next(context, "every place that does not fit, and why", "why", asked->ask,
                      refused);
    }
}

static void add_summary(struct gl_context *context, const struct gl_ask_result *asked)
{
    const struct gl_decision *decision = asked->decision;
    GL_AUTO(gl_str_done) struct gl_str line = {0};
    char at[GL_INSTANT_TEXT], span[GL_QUANTITY_TEXT];

    gl_render_verdict(decision->verdict, context->is_color, &line);
    if (decision->allowed == 0)
        gl_str_addf(&line, ": %s", gl_render_gist(decision));
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

static void answer_text(struct gl_context *context, const struct gl_ask_result *asked,
                        const struct gl_question *question, const struct picks *picks)
{
    add_summary(context, asked);
    add_table(context, asked, question, picks);
    if (asked->decision->violated + asked->decision->unknown > 0)
        add_refusals(context, asked->decision);
    if (asked->decision->allowed == 0)
        add_alternatives(context, question, asked->decision);
}

/* ---- the answer as data: made only for --json ---- */

static json_t *counts_json(const struct gl_decision *decision)
{
    return json_pack("{s:I,s:I,s:I,s:I,s:I}", "offers", (json_int_t)decision->judged, "fit",
                     (json_int_t)decision->allowed, "violated", (json_int_t)decision->violated,
                     "unknown", (json_int_t)decision->unknown, "not_asked",
                     (json_int_t)decision->not_asked);
}

static json_t *offers_json(const struct gl_question *question, const struct gl_decision *decision,
                           const struct picks *picks)
{
    json_t *rows = json_array();

    for (size_t i = 0; i < picks->count; i++) {
        size_t rank = picks->ranks[i];
        json_t *row = gl_render_offer_json(question, decision, decision->ranked[rank]);

        json_object_set_new(row, "rank", json_integer((json_int_t)rank + 1));
        json_array_append_new(rows, row);
    }
    return rows;
}

static json_t *refusals_json(const struct gl_decision *decision)
{
    struct gl_render_refusal rows[GL_RENDER_REFUSALS];
    size_t count = gl_render_refusals(decision, rows);
    json_t *list = json_array();

    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, json_pack("{s:s,s:s,s:I}", "outcome",
                                              gl_outcome_word(rows[i].outcome), "why", rows[i].why,
                                              "count", (json_int_t)rows[i].count));
    return list;
}

static json_t *answer_json(const struct gl_ask_result *asked, const struct gl_question *question,
                           const struct picks *picks)
{
    const struct gl_decision *decision = asked->decision;
    char at[GL_INSTANT_TEXT], digest[GL_HASH_HEX];

    return json_pack("{s:s,s:s,s:o,s:o,s:o,s:s,s:o,s:o,s:o}", "now",
                     gl_instant_text(asked->now, at), "threshold", asked->threshold, "rules",
                     gl_render_rules_json(asked->policy), "request",
                     gl_render_request_json(&asked->request), "counts", counts_json(decision),
                     "digest", gl_hash_hex(&decision->digest, digest), "offers",
                     offers_json(question, decision, picks), "refused_by", refusals_json(decision),
                     "alternatives", gl_render_alternatives_json(question, decision));
}

static void answer(struct gl_context *context, const struct gl_ask_result *asked,
                   const struct offers_values *values)
{
    const struct gl_decision *decision = asked->decision;
    const struct gl_question question = gl_ask_question(asked);
    struct picks picks = {0};

    context->reply.verdict = gl_verdict_word(decision->verdict);
    pick(&question, decision, values, &picks);
    for (size_t i = 0; i < picks.count; i++)
        if (gl_rented_warn(context, &asked->offers->offers[decision->ranked[picks.ranks[i]]]))
            break;
    if (context->globals.is_json) {
        context->reply.data = answer_json(asked, &question, &picks);
        gl_claims_add(context, json_object_get(context->reply.data, "offers"), asked->now);
    } else
        answer_text(context, asked, &question, &picks);
    if (decision->allowed == 0) {
        gl_again_wait(context, asked);
        add_hint(context, asked);
    }
    add_next(context, asked);
    free(picks.ranks);
}

static void give_back(void *asked)
{
    gl_ask_result_done(asked);
    free(asked);
}

static int run(struct gl_context *context, const struct gl_call *call, struct gl_error *err)
{
    const struct offers_values *values = call->values;
    struct gl_ask ask = values->ask;
    struct gl_ask_result asked;
    GL_AUTO(gl_auto_json) json_t *refreshed = NULL;
    int status;

    ask.ranked_wanted = values->is_by_region ? 0 : limit_of(values);
    if (gl_help_operands(&gl_command_offers, call, 0, 0, err) != 0 ||
        (values->wants_refresh && gl_refresh(context, &ask.clouds, &refreshed, err) != 0) ||
        gl_ask_decide(context, &ask, &asked, err) != 0)
        return -1;
    answer(context, &asked, values);
    if (refreshed != NULL && context->reply.data != NULL)
        json_object_set(context->reply.data, "refreshed", refreshed);
    status = gl_verdict_exit(asked.decision->verdict);
    context->made_from = memcpy(gl_alloc(sizeof asked), &asked, sizeof asked);
    context->give_back = give_back;
    if (gl_interrupted())
        status = gl_interrupt_fail(err, "offers: some signals were not asked");
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
        "accept yearly averages, --min-grade D does. Prices are those of the built-in table, or "
        "those that a cloud told when --refresh last asked it. Nothing is started and no demand is "
        "recorded.",
    .example =
        "$ greenlaunch offers --at 2026-06-01T12:00Z --renewable-only --min-grade D --cpus 4\n"
        "ALLOWED: 51 of 3805 offers fit your rules.",
    .options = options,
    .values_size = sizeof(struct offers_values),
    .run = run,
};
