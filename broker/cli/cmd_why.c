/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "base/wrap.h"
#include "broker/cli/again.h"
#include "broker/cli/claim.h"
#include "broker/cli/help.h"
#include "broker/render/decision.h"
#include "broker/render/promise.h"
#include "broker/render/series.h"
#include "broker/render/table.h"
#include "broker/render/text.h"
#include "providers/data/data.h"

#define LIMIT_DEFAULT 20
#define REASONS_MAX   256
#define NAME_PARTS    3

struct why_values {
    struct gl_ask ask;
    bool is_refused;
    int64_t limit;
};

static const struct gl_option options[] = {
#include "broker/cli/ask_options.def"
    {"refused", 0, GL_OPT_FLAG, offsetof(struct why_values, is_refused), NULL,
     "every region with an offer that does not fit, and why", "Table", NULL, NULL, 0, 0, 0, NULL},
    {"limit", 'n', GL_OPT_INTEGER, offsetof(struct why_values, limit), "N",
     "rows shown with --refused (default 20)", "Table", NULL, NULL, 1, 100000, 0, NULL},
    {0},
};

/* ---- which offer ---- */

/* "cloud/region/type" cut in a copy. */
struct name {
    char *copy;
    const char *parts[NAME_PARTS];
};

static int parse_name(const char *text, struct name *out, struct gl_error *err)
{
    char shown[GL_TEXT_SHOWN];
    char *at;

    out->copy = at = gl_strdup(text);
    for (size_t i = 0; i < NAME_PARTS; i++) {
        char *slash = i + 1 < NAME_PARTS ? strchr(at, '/') : NULL;

        out->parts[i] = at;
        if (*at == '\0' || (slash == NULL && i + 1 < NAME_PARTS) || strpbrk(at, "*?") != NULL)
            return gl_fail(err, GL_E_USAGE,
                           "\"%s\" names no offer; write CLOUD/REGION/TYPE, as in "
                           "aws/eu-north-1/m7g.large",
                           gl_text_show(text, shown));
        if (slash != NULL) {
            *slash = '\0';
            at = slash + 1;
        }
    }
    return 0;
}

static bool is_named(const struct gl_offer *offer, const struct name *name)
{
    return strcmp(offer->type->name, name->parts[2]) == 0 &&
           strcmp(offer->place->region, name->parts[1]) == 0 &&
           strcmp(offer->place->cloud, name->parts[0]) == 0;
}

/* The nearest known name among those of the offers that share the parts before it. */
static const char *nearest_part(const struct gl_offer_list *offers, const struct name *name,
                                size_t part)
{
    const char **names = gl_alloc((offers->count + 1) * sizeof *names);
    const char *nearest;
    size_t count = 0;

    for (size_t i = 0; i < offers->count; i++) {
        const struct gl_offer *offer = &offers->offers[i];
        const char *parts[NAME_PARTS] = {offer->place->cloud, offer->place->region,
                                         offer->type->name};
        bool is_alike = true;

        for (size_t p = 0; p < part; p++)
            is_alike = is_alike && strcmp(parts[p], name->parts[p]) == 0;
        if (is_alike && (count == 0 || strcmp(names[count - 1], parts[part]) != 0))
            names[count++] = parts[part];
    }
    nearest = gl_text_nearest(name->parts[part], names, count);
    free(names);
    return nearest;
}

/* The first part that no offer has. */
static size_t unknown_part(const struct gl_offer_list *offers, const struct name *name)
{
    size_t most = 0;

    for (size_t i = 0; i < offers->count; i++) {
        const struct gl_offer *offer = &offers->offers[i];
        const char *parts[NAME_PARTS] = {offer->place->cloud, offer->place->region,
                                         offer->type->name};
        size_t alike = 0;

        while (alike < NAME_PARTS && strcmp(parts[alike], name->parts[alike]) == 0)
            alike++;
        most = alike > most ? alike : most;
    }
    return most < NAME_PARTS ? most : NAME_PARTS - 1;
}

static int fail_name(const struct gl_offer_list *offers, const struct name *name,
                     struct gl_error *err)
{
    static const char *const words[] = {"cloud", "region", "type"};
    size_t part = unknown_part(offers, name);
    const char *nearest = nearest_part(offers, name, part);
    char shown[GL_TEXT_SHOWN];
    bool is_filtered = part == 2 && gl_data_type(name->parts[0], name->parts[2]) != NULL;

    gl_text_show(name->parts[part], shown);
    if (is_filtered)
        return gl_fail(err, GL_E_UNKNOWN_NAME,
                       "%s is not among the offers of %s/%s: it is not sold there, or outside the "
                       "asked sizes",
                       shown, name->parts[0], name->parts[1]);
    return gl_fail(err, GL_E_UNKNOWN_NAME, "no %s \"%s\"%s%s%s", words[part], shown,
                   nearest != NULL ? "; did you mean " : "", nearest != NULL ? nearest : "",
                   nearest != NULL ? "?" : "");
}

/* ---- one offer ---- */

/* The request for this offer alone: what else there is becomes an alternative. */
struct narrow {
    const char *clouds[2], *regions[2], *types[2];
    struct gl_request request;
    struct gl_question question;
    struct gl_decision *decision;
    uint32_t offer;
};

static void decide_narrow(const struct gl_ask_result *asked, uint32_t offer, struct narrow *out)
{
    const struct gl_offer *one = &asked->offers->offers[offer];

    *out = (struct narrow){.clouds = {one->place->cloud, NULL},
                           .regions = {one->place->region, NULL},
                           .types = {one->type->name, NULL},
                           .request = asked->request,
                           .offer = offer};
    out->request.clouds = out->clouds;
    out->request.regions = out->regions;
    out->request.types = out->types;
    out->question = (struct gl_question){.policy = asked->policy,
                                         .request = &out->request,
                                         .offers = asked->offers->offers,
                                         .offer_count = asked->offers->count,
                                         .now = asked->now,
                                         .book = asked->book,
                                         .keeps_accounts = true};
    out->decision = gl_decide(&out->question);
}

static void wrapped(struct gl_context *context, unsigned indent, const struct gl_str *line)
{
    gl_render_wrap(gl_str_text(line), indent, context->columns, &context->reply.text);
}

static void add_head(struct gl_context *context, const struct narrow *narrow)
{
    const struct gl_offer *offer = &narrow->question.offers[narrow->offer];
    GL_AUTO(gl_str_done) struct gl_str line = {0};
    char at[GL_INSTANT_TEXT], span[GL_QUANTITY_TEXT];

    gl_render_verdict(narrow->decision->verdict, context->is_color, &line);
    gl_str_addf(&line, ": %s/%s/%s\n", offer->place->cloud, offer->place->region,
                offer->type->name);
    gl_str_addf(&line, "as of %s, for %s", gl_instant_text(narrow->question.now, at),
                gl_span_text(narrow->request.duration, span));
    wrapped(context, 0, &line);
    gl_render_rules(narrow->question.policy, 6, context->columns, &context->reply.text);
}

/* Size, place, expected grams, price: what the offer is. */
static void add_offer(struct gl_context *context, const struct narrow *narrow)
{
    const struct gl_offer *offer = &narrow->question.offers[narrow->offer];
    const struct gl_judgement *judgement = &narrow->decision->judgements[narrow->offer];
    GL_AUTO(gl_str_done) struct gl_str line = {0};
    char price[GL_RENDER_NUMBER], span[GL_QUANTITY_TEXT];
    const float *grams = judgement->grams_total;

    gl_str_addf(&line, "offer: %u vCPU, %u MiB, %s%s%s, PUE %.3g, zone ", offer->type->vcpus,
                offer->type->memory_mib, offer->type->arch != NULL ? offer->type->arch : "?",
                offer->type->gpu != NULL ? ", " : "",
                offer->type->gpu != NULL ? offer->type->gpu : "", offer->place->pue);
    for (size_t i = 0; i < offer->place->zone_count; i++)
        gl_str_addf(&line, "%s%s", i > 0 ? " or " : "", offer->place->zones[i]->zone);
    gl_str_addf(&line, "%s (mapping %s%s)\nexpect: ", offer->place->zone_count == 0 ? "?" : "",
                gl_mapping_word(offer->place->mapping),
                offer->place->zone_count > 1 ? ", the worse one counts" : "");
    gl_render_band(&(struct gl_band){(double)grams[0], (double)grams[1], (double)grams[2]}, &line);
    gl_str_addf(&line, " gCO2e in %s at %.0f %% load, location-based (power: %s); ",
                gl_span_text(narrow->request.duration, span), narrow->request.load * 100,
                offer->type->power_source);
    if (offer->price_u_usd_per_h == GL_UNKNOWN)
        gl_str_add(&line, "price not known");
    else
        gl_str_addf(&line, "%s USD/h%s%s%s",
                    gl_render_number(offer->price_u_usd_per_h, 1e-6, price),
                    offer->price_source[0] != '\0' ? " (" : "", offer->price_source,
                    offer->price_source[0] != '\0' ? ")" : "");
    wrapped(context, 2, &line);
}

static void add_estimate(struct gl_context *context, const struct gl_claim *claim)
{
    GL_AUTO(gl_str_done) struct gl_str line = {0};
    char at[GL_INSTANT_TEXT];

    gl_str_addf(&line,
                "claim: %.3g g CO2e an hour when asked on %.10s, by the provider's own estimate "
                "for this type; decides nothing here",
                (double)claim->estimate_ug / 1e6,
                gl_instant_text((struct gl_instant){claim->estimated_s}, at));
    wrapped(context, 2, &line);
}

static void add_share(struct gl_context *context, const struct gl_claim *claim)
{
    GL_AUTO(gl_str_done) struct gl_str line = {0};
    char at[GL_INSTANT_TEXT];

    gl_str_add(&line, "claim: ");
    if (claim->asked_ppm != GL_UNKNOWN)
        gl_str_addf(&line, "%.3g %% carbon-free when asked on %.10s",
                    (double)claim->asked_ppm / 1e4,
                    gl_instant_text((struct gl_instant){claim->asked_s}, at));
    if (claim->row != NULL)
        gl_str_addf(&line, "%s%.3g %% carbon-free in %d",
                    claim->asked_ppm != GL_UNKNOWN ? ", " : "",
                    claim->row->carbon_free_permille / 10.0, claim->row->year);
    gl_str_addf(&line, ", says the provider, contracts counted (market%s); decides nothing here",
                claim->is_unmatched ? "" : ", hourly");
    wrapped(context, 2, &line);
}

/* What the cloud says of itself stands apart from the evidence. */
static void add_claim(struct gl_context *context, const struct narrow *narrow)
{
    const struct gl_offer *offer = &narrow->question.offers[narrow->offer];
    struct gl_claims claims = {.context = context};
    struct gl_claim claim;

    if (gl_claim_find(&claims, offer->place->cloud, offer->place->region, offer->type->name,
                      &claim)) {
        if (gl_claim_has_share(&claim))
            add_share(context, &claim);
        if (claim.estimate_ug != GL_UNKNOWN)
            add_estimate(context, &claim);
        json_object_set_new(context->reply.data, "claim",
                            gl_claim_json(&claim, narrow->question.now));
    }
    gl_claims_done(&claims);
}

static json_t *add_reasons(struct gl_context *context, const struct narrow *narrow)
{
    GL_AUTO(gl_auto_free) struct gl_reason *reasons = gl_alloc(REASONS_MAX * sizeof *reasons);
    size_t count = gl_judge_all(&narrow->question, narrow->offer, reasons, REASONS_MAX);
    json_t *list = json_array();

    gl_str_add(&context->reply.text, "Reasons:\n");
    if (count == 0)
        gl_str_add(&context->reply.text, "  no rule speaks about this offer\n");
    for (size_t i = 0; i < count; i++) {
        GL_AUTO(gl_str_done) struct gl_str line = {0};

        gl_str_addf(&line, "%s: ", gl_outcome_word(reasons[i].outcome));
        gl_reason_text(&reasons[i], &line);
        if (reasons[i].rule != NULL && reasons[i].outcome == GL_VIOLATED &&
            reasons[i].rule->message != NULL && reasons[i].rule->message[0] != '\0') {
            gl_str_add(&line, ": ");
            gl_str_add_printable(&line, reasons[i].rule->message, strlen(reasons[i].rule->message));
        }
        wrapped(context, 2, &line);
        json_array_append_new(list, gl_render_reason_json(&reasons[i]));
    }
    return list;
}

/* ---- evidence ---- */

static const struct gl_column evidence_columns[] = {
    {"ZONE", false, 0},  {"WHAT", false, 0},  {"VALUE", true, 0},
    {"GRADE", false, 0}, {"DATED", false, 4}, {"SOURCE", false, 5},
};
#define EVIDENCE_COLUMNS (sizeof evidence_columns / sizeof evidence_columns[0])

static json_t *add_series(struct gl_table *table, const struct gl_zone_facts *zone,
                          const struct gl_series *series, struct gl_instant now)
{
    const struct gl_reading_at reading = gl_render_at(series, now);
    GL_AUTO(gl_str_done) struct gl_str value = {0};
    GL_AUTO(gl_str_done) struct gl_str dated = {0};
    char grade[8];

    if (reading.point != NULL)
        gl_render_value(series->meaning.quantity, reading.point, &value);
    else
        gl_str_add_char(&value, '?');
    gl_render_grade(series, reading.point, grade);
    gl_render_dated(series, reading.age_s, &dated);
    gl_table_row(table, (const char *const[EVIDENCE_COLUMNS]){
                            zone->zone, gl_render_quantity(series->meaning.quantity),
                            gl_str_text(&value), grade, gl_str_text(&dated), series->provider});
    return gl_render_series_json(series, now);
}

static json_t *add_evidence(struct gl_context *context, const struct narrow *narrow)
{
    const struct gl_offer *offer = &narrow->question.offers[narrow->offer];
    struct gl_table *table = gl_table_new(evidence_columns, EVIDENCE_COLUMNS);
    json_t *list = json_array();

    for (size_t z = 0; z < offer->place->zone_count; z++)
        for (size_t i = 0; i < offer->place->zones[z]->count; i++)
            json_array_append_new(list, add_series(table, offer->place->zones[z],
                                                   offer->place->zones[z]->series[i],
                                                   narrow->question.now));
    gl_str_add(&context->reply.text, "Evidence at hand:\n");
    if (json_array_size(list) > 0)
        gl_table_text(table, context->columns, context->globals.is_accessible,
                      &context->reply.text);
    else
        gl_str_add(&context->reply.text, offer->place->zone_count > 0
                                             ? "  none for its zone\n"
                                             : "  none: nobody has said in which zone it stands:\n"
                                               "  --zone ZONE, or greenlaunch init\n");
    gl_table_free(table);
    return list;
}

/* The command that waits for this offer. */
static void add_wait(struct gl_context *context, const struct gl_ask_result *asked,
                     const struct narrow *narrow)
{
    struct gl_ask ask = *asked->ask;
    struct gl_ask_result one = *asked;

    ask.clouds = (struct gl_option_list){.items = {narrow->clouds[0]}, .count = 1};
    ask.regions = (struct gl_option_list){.items = {narrow->regions[0]}, .count = 1};
    ask.types = (struct gl_option_list){.items = {narrow->types[0]}, .count = 1};
    one.ask = &ask;
    one.decision = narrow->decision;
    gl_again_wait(context, &one);
}

/* The best offer of all, when this one is not allowed and another is. */
static void add_alternatives(struct gl_context *context, const struct gl_ask_result *asked,
                             const struct narrow *narrow)
{
    const struct gl_decision *decision = narrow->decision;
    struct gl_str *out = &context->reply.text;
    GL_AUTO(gl_str_done) struct gl_str hint = {0};
    char grade[2];

    json_object_set_new(context->reply.data, "alternatives",
                        gl_render_alternatives_json(&narrow->question, decision));
    if (decision->allowed > 0)
        return;
    gl_str_add(out, "Nearest that fits:\n");
    for (size_t i = 0; i < decision->alternative_count; i++) {
        GL_AUTO(gl_str_done) struct gl_str line = {0};

        gl_render_alternative(&narrow->question, &decision->alternatives[i], &line);
        gl_str_add(out, "  ");
        gl_wrap_text(gl_str_text(&line), (struct gl_margins){2, 10, context->columns}, out);
    }
    add_wait(context, asked, narrow);
    if (asked->decision->allowed > 0) {
        const struct gl_offer *best = &asked->offers->offers[asked->decision->ranked[0]];

        GL_AUTO(gl_str_done) struct gl_str line = {0};

        gl_str_addf(&line, "best    %s/%s/%s of %zu that fit: greenlaunch offers",
                    best->place->cloud, best->place->region, best->type->name,
                    asked->decision->allowed);
        gl_str_add(out, "  ");
        gl_wrap_text(gl_str_text(&line), (struct gl_margins){2, 10, context->columns}, out);
    } else if (decision->alternative_count == 0) {
        gl_str_add(out, "  none is proven by the evidence at hand\n");
    }
    if (gl_render_promise_hint(&narrow->question, decision, &hint))
        wrapped(context, 0, &hint);
    gl_str_clear(&hint);
    if (gl_render_grade_hint(&narrow->question, decision, &hint, grade)) {
        wrapped(context, 0, &hint);
        json_object_set_new(context->reply.data, "hint", json_string(gl_str_text(&hint)));
    }
}

static int explain_offer(struct gl_context *context, const struct gl_ask_result *asked,
                         uint32_t offer)
{
    struct narrow narrow;
    json_t *reasons, *evidence;
    char at[GL_INSTANT_TEXT];
    int status;

    decide_narrow(asked, offer, &narrow);
    status = gl_verdict_exit(narrow.decision->verdict);
    context->reply.verdict = gl_verdict_word(narrow.decision->verdict);
    add_head(context, &narrow);
    add_offer(context, &narrow);
    reasons = add_reasons(context, &narrow);
    evidence = add_evidence(context, &narrow);
    context->reply.data =
        json_pack("{s:s,s:s,s:o,s:o,s:o,s:o}", "now", gl_instant_text(asked->now, at), "threshold",
                  asked->threshold, "rules", gl_render_rules_json(asked->policy), "offer",
                  gl_render_offer_json(&narrow.question, narrow.decision, offer), "reasons",
                  reasons, "evidence", evidence);
    add_claim(context, &narrow);
    add_alternatives(context, asked, &narrow);
    gl_decision_free(narrow.decision);
    return status;
}

/* ---- everything refused ---- */

static const struct gl_column refused_columns[] = {
    {"CLOUD", false, 0}, {"REGION", false, 0}, {"OFFERS", true, 0},
    {"BEST", false, 3},  {"WHY", false, 0},
};
#define REFUSED_COLUMNS (sizeof refused_columns / sizeof refused_columns[0])

/* One region: how many of its offers do not fit, and the best-ranked of them. */
struct place {
    uint32_t best;
    size_t count;
};

static bool is_same_region(const struct gl_offer *a, const struct gl_offer *b)
{
    return strcmp(a->place->cloud, b->place->cloud) == 0 &&
           strcmp(a->place->region, b->place->region) == 0;
}

/* Refused offers in the order of their rank, one place a region. */
static size_t group_refused(const struct gl_ask_result *asked, struct place *places)
{
    const struct gl_decision *decision = asked->decision;
    const struct gl_offer *offers = asked->offers->offers;
    size_t ranked = decision->judged - decision->not_asked, count = 0;

    for (size_t i = decision->allowed; i < ranked; i++) {
        size_t p = 0;

        while (p < count && !is_same_region(&offers[places[p].best], &offers[decision->ranked[i]]))
            p++;
        if (p == count)
            places[count++] = (struct place){decision->ranked[i], 0};
        places[p].count++;
    }
    return count;
}

/* Without "(file:line)" at the end: the rules stand above the table. */
static void short_reason(const struct gl_reason *reason, struct gl_str *out)
{
    char *place;

    if (reason->gap != GL_GAP_NONE) {
        gl_str_add(out, gl_render_why(reason));
        return;
    }
    gl_reason_text(reason, out);
    place = out->length > 0 && out->text[out->length - 1] == ')' ? strrchr(out->text, '(') : NULL;
    if (place != NULL && place > out->text)
        place[-1] = '\0';
}

static void add_place(struct gl_table *table, const struct gl_ask_result *asked,
                      const struct place *place, json_t *list)
{
    const struct gl_offer *offer = &asked->offers->offers[place->best];
    const struct gl_reason *reason = &asked->decision->judgements[place->best].reason;
    GL_AUTO(gl_str_done) struct gl_str why = {0};
    char count[24];

    short_reason(reason, &why);
    snprintf(count, sizeof count, "%zu", place->count);
    gl_table_row(table,
                 (const char *const[REFUSED_COLUMNS]){offer->place->cloud, offer->place->region,
                                                      count, offer->type->name, gl_str_text(&why)});
    json_array_append_new(list, json_pack("{s:s,s:s,s:I,s:s,s:o}", "cloud", offer->place->cloud,
                                          "region", offer->place->region, "offers",
                                          (json_int_t)place->count, "best", offer->type->name,
                                          "reason", gl_render_reason_json(reason)));
}

static int explain_refused(struct gl_context *context, const struct gl_ask_result *asked,
                           size_t limit)
{
    const struct gl_decision *decision = asked->decision;
    size_t refused = decision->unknown + decision->violated;
    struct gl_table *table = gl_table_new(refused_columns, REFUSED_COLUMNS);
    GL_AUTO(gl_auto_free) struct place *places = gl_alloc((refused + 1) * sizeof *places);
    GL_AUTO(gl_str_done) struct gl_str line = {0};
    size_t count = group_refused(asked, places);
    json_t *list = json_array();

    context->reply.verdict = gl_verdict_word(decision->verdict);
    context->reply.data = json_pack(
        "{s:s,s:o,s:I,s:I,s:I,s:o}", "threshold", asked->threshold, "rules",
        gl_render_rules_json(asked->policy), "fit", (json_int_t)decision->allowed, "refused",
        (json_int_t)decision->violated, "unknown", (json_int_t)decision->unknown, "places", list);
    gl_str_addf(&line, "%zu of %zu offers do not fit, in %zu regions", refused,
                decision->judged - decision->not_asked, count);
    wrapped(context, 0, &line);
    gl_render_rules(asked->policy, 6, context->columns, &context->reply.text);
    for (size_t i = 0; i < count && i < limit; i++)
        add_place(table, asked, &places[i], list);
    if (count > 0)
        gl_table_text(table, context->columns, context->globals.is_accessible,
                      &context->reply.text);
    if (count > limit)
        gl_str_addf(&context->reply.text, "and %zu more regions: --limit N\n", count - limit);
    gl_table_free(table);
    return gl_verdict_exit(decision->verdict);
}

/* ---- the command ---- */

static int explain_named(struct gl_context *context, const struct gl_ask_result *asked,
                         const struct name *name, struct gl_error *err)
{
    for (uint32_t i = 0; i < asked->offers->count; i++)
        if (is_named(&asked->offers->offers[i], name))
            return explain_offer(context, asked, i);
    return fail_name(asked->offers, name, err);
}

static int run(struct gl_context *context, const struct gl_call *call, struct gl_error *err)
{
    const struct why_values *values = call->values;
    size_t operands = values->is_refused ? 0 : 1;
    struct name name = {.copy = NULL};
    GL_AUTO(gl_auto_free) char *copy = NULL;
    struct gl_ask_result asked;
    int status;

    if (gl_help_operands(&gl_command_why, call, operands, operands, err) != 0)
        return -1;
    status = values->is_refused ? 0 : parse_name(call->operands->words[0], &name, err);
    copy = name.copy;
    if (status != 0 || gl_ask_decide(context, &values->ask, &asked, err) != 0)
        return -1;
    if (values->is_refused)
        status = explain_refused(
            context, &asked, values->limit == INT64_MIN ? LIMIT_DEFAULT : (size_t)values->limit);
    else
        status = explain_named(context, &asked, &name, err);
    gl_ask_result_done(&asked);
    return status;
}

const struct gl_command gl_command_why = {
    .name = "why",
    .group = "Look",
    .summary = "every reason for or against an offer, with the evidence",
    .operands = "[CLOUD/REGION/TYPE]",
    .description =
        "Judges one offer by every rule and shows each reason, what was found, what the limit is "
        "and where it was written, the evidence with source, grade and age, and the nearest "
        "alternatives in place, time and size. --refused lists every region with an offer that "
        "does not fit. Ends with the exit status of the verdict.",
    .example =
        "$ greenlaunch why aws/eu-central-1/m7g.large --max-intensity 100g/kWh --min-grade D\n"
        "REFUSED: aws/eu-central-1/m7g.large",
    .options = options,
    .values_size = sizeof(struct why_values),
    .run = run,
};
