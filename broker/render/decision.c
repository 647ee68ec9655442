/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/render/decision.h"
#include "broker/render/promise.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/time.h"
#include "broker/context.h"
#include "broker/render/text.h"
#include "policy/judge.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- verdict ---- */

void gl_render_verdict(enum gl_verdict verdict, bool is_color, struct gl_str *out)
{
    static const struct {
        const char *word;
        enum gl_tone tone;
    } rows[] = {{"ALLOWED", GL_TONE_GOOD},
                {"LATER", GL_TONE_DOUBT},
                {"REFUSED", GL_TONE_BAD},
                {"UNKNOWN", GL_TONE_DOUBT}};

    gl_render_tone(out, rows[verdict].word, rows[verdict].tone, is_color);
}

/* ---- rules ---- */

static bool limits_any(const struct gl_rule *rule, const enum gl_key_id *keys, size_t count)
{
    for (size_t i = 0; i < rule->count; i++)
        for (size_t k = 0; k < count; k++)
            if (rule->constraints[i].key->id == keys[k])
                return true;
    return false;
}

static const enum gl_key_id emission_keys[] = {GL_KEY_MAX_INTENSITY, GL_KEY_GREEN_BELOW,
                                               GL_KEY_MAX_RATE, GL_KEY_MAX_TOTAL};
static const enum gl_key_id share_keys[] = {GL_KEY_MIN_RENEWABLE, GL_KEY_MIN_CARBON_FREE};

static bool limits_emission(const struct gl_rule *rule)
{
    return limits_any(rule, emission_keys, COUNT(emission_keys));
}

/* "hourly, location-based, grade C or better, live data at most 3 h old" */
static void add_how(const struct gl_rule *rule, struct gl_str *out)
{
    int64_t grade = gl_rule_number(rule, GL_KEY_MIN_GRADE);
    char span[GL_QUANTITY_TEXT];

    if (!limits_emission(rule) && !limits_any(rule, share_keys, COUNT(share_keys)))
        return;
    gl_str_addf(out, "; %s%s-based", grade <= GL_GRADE_C ? "hourly, " : "",
                gl_accounting_word((enum gl_accounting)gl_rule_number(rule, GL_KEY_ACCOUNTING)));
    if (limits_emission(rule))
        gl_str_addf(out, ", %s, %s", gl_rate_word((enum gl_rate)gl_rule_number(rule, GL_KEY_RATE)),
                    gl_boundary_word((enum gl_boundary)gl_rule_number(rule, GL_KEY_BOUNDARY)));
    if (gl_rule_number(rule, GL_KEY_BIOMASS) == 0)
        gl_str_add(out, ", without biomass");
    gl_str_addf(out, ", grade %c%s, live data at most %s old",
                gl_grade_letter((enum gl_grade)grade), grade > GL_GRADE_A ? " or better" : "",
                gl_span_text((struct gl_span){gl_rule_number(rule, GL_KEY_MAX_DATA_AGE)}, span));
    if (rule->on_unknown != GL_UNKNOWN_REFUSE)
        gl_str_addf(out, ", on unknown: %s", gl_on_unknown_word(rule->on_unknown));
    if (rule->level == GL_ADVISORY)
        gl_str_add(out, ", advisory");
}

static void add_limits(const struct gl_rule *rule, struct gl_str *out)
{
    const char *separator = "";

    for (size_t i = 0; i < rule->count; i++) {
        const struct gl_constraint *one = &rule->constraints[i];

        if (one->key->standard != GL_UNKNOWN) /* says how, not what: add_how() */
            continue;
        gl_str_addf(out, "%s%s ", separator, one->key->name);
        gl_str_add_printable(out, one->written, strlen(one->written));
        separator = ", ";
    }
    if (separator[0] == '\0')
        gl_str_add(out, "evidence must be at hand");
}

void gl_render_rules(const struct gl_policy *policy, unsigned most, unsigned columns,
                     struct gl_str *out)
{
    size_t shown = policy->rule_count < most ? policy->rule_count : most;

    for (size_t i = 0; i < shown; i++) {
        GL_AUTO(gl_str_done) struct gl_str line = {0};

        gl_str_addf(&line, "rule %s: ", policy->rules[i].id);
        add_limits(&policy->rules[i], &line);
        add_how(&policy->rules[i], &line);
        gl_render_wrap(gl_str_text(&line), 2, columns, out);
    }
    if (shown < policy->rule_count)
        gl_str_addf(out, "  and %zu more rules: greenlaunch policy explain\n",
                    policy->rule_count - shown);
}

static json_t *limits_json(const struct gl_rule *rule)
{
    json_t *limits = json_array();

    for (size_t i = 0; i < rule->count; i++) {
        const struct gl_constraint *one = &rule->constraints[i];

        json_array_append_new(limits, json_pack("{s:s,s:s,s:s,s:I}", "key", one->key->name, "limit",
                                                one->written != NULL ? one->written : "", "file",
                                                one->pos.file, "line", (json_int_t)one->pos.line));
    }
    return limits;
}

json_t *gl_render_rules_json(const struct gl_policy *policy)
{
    json_t *rules = json_array();

    for (size_t i = 0; i < policy->rule_count; i++) {
        const struct gl_rule *rule = &policy->rules[i];
        char grade[2] = {gl_grade_letter((enum gl_grade)gl_rule_number(rule, GL_KEY_MIN_GRADE)),
                         '\0'};

        json_array_append_new(
            rules,
            json_pack(
                "{s:s,s:s,s:s,s:o,s:s,s:s,s:s,s:s,s:I}", "id", rule->id, "level",
                gl_level_word(rule->level), "on_unknown", gl_on_unknown_word(rule->on_unknown),
                "limits", limits_json(rule), "accounting",
                gl_accounting_word((enum gl_accounting)gl_rule_number(rule, GL_KEY_ACCOUNTING)),
                "rate", gl_rate_word((enum gl_rate)gl_rule_number(rule, GL_KEY_RATE)), "boundary",
                gl_boundary_word((enum gl_boundary)gl_rule_number(rule, GL_KEY_BOUNDARY)),
                "min_grade", grade, "max_data_age_s",
                (json_int_t)gl_rule_number(rule, GL_KEY_MAX_DATA_AGE)));
    }
    return rules;
}

/* ---- figures ---- */

/* As the evaluator reports grams: within the boundary of the first rule that limits emissions. */
static struct gl_meaning meaning_shown(const struct gl_policy *policy, enum gl_quantity quantity)
{
    const struct gl_rule none = {0}, *rule = &none;
    struct gl_meaning want = {.quantity = quantity};

    for (size_t i = 0; policy != NULL && i < policy->rule_count && rule == &none; i++)
        if (limits_emission(&policy->rules[i]))
            rule = &policy->rules[i];
    if (quantity == GL_INTENSITY)
        want.boundary = (enum gl_boundary)gl_rule_number(rule, GL_KEY_BOUNDARY);
    return want;
}

static bool is_worse(const struct gl_figure *a, const struct gl_figure *b,
                     enum gl_quantity quantity)
{
    if (a->value_u == GL_UNKNOWN || b->value_u == GL_UNKNOWN)
        return a->value_u == GL_UNKNOWN;
    return quantity == GL_INTENSITY ? a->value_u > b->value_u : a->value_u < b->value_u;
}

struct gl_figure gl_render_figure(const struct gl_question *question, const struct gl_offer *offer,
                                  enum gl_quantity quantity)
{
    const struct gl_request *request = question->request;
    const struct gl_meaning want = meaning_shown(question->policy, quantity);
    const struct gl_figure_limits limits = {
        .now = question->now, .min_grade = GL_GRADE_E, .wants_best = true};
    struct gl_instant until = {request->start.unix_s + request->duration.s};
    struct gl_figure worst = {.value_u = GL_UNKNOWN,
                              .low_u = GL_UNKNOWN,
                              .high_u = GL_UNKNOWN,
                              .grade = GL_GRADE_E,
                              .age_s = GL_UNKNOWN,
                              .gap = GL_GAP_MISSING};

    for (size_t i = 0; i < offer->place->zone_count; i++) {
        struct gl_figure one =
            gl_figure_of(offer->place->zones[i], &want, request->start, until, &limits);

        if (i == 0 || is_worse(&one, &worst, quantity))
            worst = one;
    }
    return worst;
}

static json_t *real_or_null(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

/* A bound that no source states is unknown, though the evaluator may have taken the value for it.
 */
static double bound(int64_t millionths, const struct gl_figure *figure, double scale)
{
    bool is_value = millionths == figure->value_u;
    bool is_known = millionths != GL_UNKNOWN && figure->value_u != GL_UNKNOWN &&
                    (!is_value || figure->series->bound_method != GL_BOUND_NONE);

    return is_known ? (double)millionths * scale : (double)NAN;
}

json_t *gl_render_figure_json(const struct gl_figure *figure, enum gl_quantity quantity)
{
    double scale = quantity == GL_INTENSITY ? 1e-6 : 1e-4;
    char grade[2] = {gl_grade_letter(figure->grade), '\0'};
    json_t *object = json_pack(
        "{s:o,s:o,s:o,s:s}", "value",
        figure->value_u == GL_UNKNOWN ? json_null() : json_real((double)figure->value_u * scale),
        "low", real_or_null(bound(figure->low_u, figure, scale)), "high",
        real_or_null(bound(figure->high_u, figure, scale)), "unit",
        quantity == GL_INTENSITY ? "gCO2e/kWh" : "%");

    if (figure->series == NULL) {
        json_object_set_new(object, "why_unknown", json_string(gl_gap_sentence(figure->gap)));
        return object;
    }
    json_object_set_new(object, "accounting",
                        json_string(gl_accounting_word(figure->series->meaning.accounting)));
    json_object_set_new(object, "grade", json_string(grade));
    json_object_set_new(object, "source", json_string(figure->series->provider));
    json_object_set_new(object, "dataset", json_string(figure->series->dataset));
    if (gl_render_year(figure->series) != 0)
        json_object_set_new(object, "year", json_integer(gl_render_year(figure->series)));
    else if (figure->age_s != GL_UNKNOWN)
        json_object_set_new(object, "age_s", json_integer(figure->age_s));
    return object;
}

static json_t *grams_json(const float grams[3], const char *unit, uint8_t grade)
{
    char letter[2] = {gl_grade_letter((enum gl_grade)grade), '\0'};
    double parts[3];
    json_t *object;

    for (unsigned i = 0; i < 3; i++)
        parts[i] = grams[i] < 0 ? (double)NAN : (double)grams[i];
    object = json_pack("{s:o,s:o,s:o,s:s,s:s}", "value", real_or_null(parts[1]), "low",
                       real_or_null(parts[0]), "high", real_or_null(parts[2]), "unit", unit,
                       "accounting", "location");
    if (grams[1] >= 0)
        json_object_set_new(object, "grade", json_string(letter));
    return object;
}

static json_t *zones_json(const struct gl_offer *offer)
{
    json_t *zones = json_array();

    for (size_t i = 0; i < offer->place->zone_count; i++)
        json_array_append_new(zones, json_string(offer->place->zones[i]->zone));
    return zones;
}

static json_t *price_json(const struct gl_offer *offer)
{
    bool is_known = offer->price_u_usd_per_h != GL_UNKNOWN;

    return json_pack("{s:o,s:s,s:s}", "value",
                     is_known ? json_real((double)offer->price_u_usd_per_h / 1e6) : json_null(),
                     "unit", "USD/h", "source", is_known ? offer->price_source : "");
}

json_t *gl_render_offer_json(const struct gl_question *question, const struct gl_decision *decision,
                             uint32_t index)
{
    const struct gl_offer *offer = &question->offers[index];
    const struct gl_judgement *judgement = &decision->judgements[index];
    const struct gl_figure intensity = gl_render_figure(question, offer, GL_INTENSITY);
    const struct gl_figure share = gl_render_figure(question, offer, GL_RENEWABLE_SHARE);
    const struct gl_figure carbon_free = gl_render_figure(question, offer, GL_CARBON_FREE_SHARE);
    const struct gl_book_entry *promise = gl_render_promise_of(question, offer);
    char grade[2] = {gl_grade_letter((enum gl_grade)judgement->grade), '\0'};
    char at[GL_INSTANT_TEXT];

    return json_pack(
        "{s:s,s:s,s:s,s:s,s:s?,s:s?,s:I,s:I,s:I,s:s,s:o,s:s,s:s,s:s,s:b,s:b,s:o,s:o,s:o,s:o,s:o,"
        "s:o,s:o,s:o}",
        "cloud", offer->place->cloud, "region", offer->place->region, "type", offer->type->name,
        "country", offer->place->country, "arch", offer->type->arch, "gpu", offer->type->gpu,
        "gpu_count", (json_int_t)offer->type->gpu_count, "vcpus", (json_int_t)offer->type->vcpus,
        "memory_mib", (json_int_t)offer->type->memory_mib, "mapping",
        gl_mapping_word(offer->place->mapping), "zones", zones_json(offer), "start",
        gl_instant_text(question->request->start, at), "outcome",
        gl_outcome_word(judgement->outcome), "grade", grade, "pareto", judgement->is_pareto,
        "warning", judgement->has_warning, "intensity",
        gl_render_figure_json(&intensity, GL_INTENSITY), "renewable",
        gl_render_figure_json(&share, GL_RENEWABLE_SHARE), "carbon_free",
        gl_render_figure_json(&carbon_free, GL_CARBON_FREE_SHARE), "rate",
        grams_json(judgement->grams_per_h, "gCO2e/h", (uint8_t)intensity.grade), "total",
        grams_json(judgement->grams_total, "gCO2e", (uint8_t)intensity.grade), "price",
        price_json(offer), "reason", gl_render_reason_json(&judgement->reason), "guarantee",
        promise != NULL ? gl_render_promise_json(promise, question->now) : json_null());
}

json_t *gl_render_request_json(const struct gl_request *request)
{
    char start[GL_INSTANT_TEXT], latest[GL_INSTANT_TEXT];

    return json_pack(
        "{s:I,s:s,s:s,s:f,s:I,s:I,s:I,s:I,s:I,s:s?,s:s?,s:o,s:o,s:o}", "duration_s",
        (json_int_t)request->duration.s, "start", gl_instant_text(request->start, start),
        "latest_start", gl_instant_text(request->latest_start, latest), "load", request->load,
        "count", (json_int_t)request->count, "min_vcpus", (json_int_t)request->min_vcpus,
        "max_vcpus", (json_int_t)request->max_vcpus, "min_memory_mib",
        (json_int_t)request->min_memory_mib, "max_memory_mib", (json_int_t)request->max_memory_mib,
        "gpu", request->gpu, "arch", request->arch, "clouds", gl_words_json(request->clouds),
        "regions", gl_words_json(request->regions), "types", gl_words_json(request->types));
}

/* ---- reasons ---- */

json_t *gl_render_reason_json(const struct gl_reason *reason)
{
    GL_AUTO(gl_str_done) struct gl_str text = {0};

    gl_reason_text(reason, &text);
    return json_pack("{s:s,s:s?,s:s?,s:s?,s:s,s:b}", "outcome", gl_outcome_word(reason->outcome),
                     "rule", reason->rule != NULL ? reason->rule->id : NULL, "key",
                     reason->constraint != NULL ? reason->constraint->key->name : NULL, "gap",
                     reason->gap != GL_GAP_NONE ? gl_gap_sentence(reason->gap) : NULL, "text",
                     gl_str_text(&text), "waived", reason->waiver != NULL);
}

static const char *const too[GL_KEYS] = {
    [GL_KEY_MAX_INTENSITY] = "too dirty",
    [GL_KEY_MIN_RENEWABLE] = "too little renewable",
    [GL_KEY_MIN_CARBON_FREE] = "too little carbon-free",
    [GL_KEY_GREEN_FOR] = "not green long enough",
    [GL_KEY_GREEN_BELOW] = "not green long enough",
    [GL_KEY_CONFIDENCE] = "not promised for long enough",
    [GL_KEY_REGIONS] = "in a region that is not allowed",
    [GL_KEY_NOT_REGIONS] = "in a region that is not allowed",
    [GL_KEY_COUNTRIES] = "in a country that is not allowed",
    [GL_KEY_NOT_COUNTRIES] = "in a country that is not allowed",
    [GL_KEY_MIN_VCPUS] = "too small",
    [GL_KEY_MAX_VCPUS] = "too large",
    [GL_KEY_MAX_MEMORY] = "too large",
    [GL_KEY_MAX_COUNT] = "too many at once",
    [GL_KEY_MAX_PRICE] = "too dear",
    [GL_KEY_MAX_RATE] = "emitting too much an hour",
    [GL_KEY_MAX_TOTAL] = "emitting too much in all",
};

const char *gl_render_why(const struct gl_reason *reason)
{
    if (reason->outcome == GL_NOT_ASKED)
        return "not asked for";
    if (reason->gap != GL_GAP_NONE)
        return gl_gap_sentence(reason->gap);
    if (reason->constraint != NULL && too[reason->constraint->key->id] != NULL)
        return too[reason->constraint->key->id];
    return "against a rule";
}

static bool is_refused_alike(const struct gl_judgement *a, const struct gl_judgement *b)
{
    return a->outcome == b->outcome && a->reason.gap == b->reason.gap &&
           a->reason.constraint == b->reason.constraint;
}

static void count_refusals(struct gl_render_refusal *out, size_t *count,
                           const struct gl_judgement *judgement, size_t alike)
{
    const char *why = gl_render_why(&judgement->reason);
    size_t at = 0;

    while (at < *count && (out[at].outcome != judgement->outcome || strcmp(out[at].why, why) != 0))
        at++;
    if (at == GL_RENDER_REFUSALS)
        return;
    if (at == *count)
        out[(*count)++] = (struct gl_render_refusal){judgement->outcome, why, 0};
    out[at].count += alike;
}

size_t gl_render_refusals(const struct gl_decision *decision,
                          struct gl_render_refusal out[GL_RENDER_REFUSALS])
{
    const struct gl_judgement *before = NULL; /* offers of one place mostly fail alike */
    size_t count = 0, alike = 0;

    for (size_t i = 0; i < decision->judged; i++) {
        const struct gl_judgement *one = &decision->judgements[i];

        if (one->outcome == GL_SATISFIED)
            continue;
        if (before != NULL && !is_refused_alike(before, one)) {
            count_refusals(out, &count, before, alike);
            alike = 0;
        }
        before = one;
        alike++;
    }
    if (before != NULL)
        count_refusals(out, &count, before, alike);
    for (size_t i = 1; i < count; i++) /* a handful: insertion keeps equal counts in order */
        for (size_t j = i; j > 0 && out[j].count > out[j - 1].count; j--) {
            struct gl_render_refusal smaller = out[j - 1];

            out[j - 1] = out[j];
            out[j] = smaller;
        }
    return count;
}

/* What the reason's limit is about. */
static enum gl_quantity quantity_of(const struct gl_reason *reason)
{
    switch (reason->constraint->key->id) {
    case GL_KEY_MIN_RENEWABLE:
        return GL_RENEWABLE_SHARE;
    case GL_KEY_MIN_CARBON_FREE:
        return GL_CARBON_FREE_SHARE;
    default:
        return GL_INTENSITY;
    }
}

/* Offers looked at for one that a worse grade would admit. */
#define HINT_LOOKED_AT 1000

/* The first unknown offer whose evidence is usable but for its grade, which goes to *out_grade. */
static const struct gl_judgement *first_below_grade(const struct gl_question *question,
                                                    const struct gl_decision *decision,
                                                    enum gl_grade *out_grade)
{
    size_t looked_at = 0;

    for (size_t i = 0; i < decision->judged && looked_at < HINT_LOOKED_AT; i++) {
        const struct gl_judgement *one = &decision->judgements[i];
        struct gl_figure figure;

        if (one->outcome != GL_OUTCOME_UNKNOWN || one->reason.gap != GL_GAP_GRADE)
            continue;
        looked_at++;
        figure = gl_render_figure(question, &question->offers[i], quantity_of(&one->reason));
        *out_grade = figure.grade;
        if (figure.value_u != GL_UNKNOWN &&
            (int64_t)figure.grade > gl_rule_number(one->reason.rule, GL_KEY_MIN_GRADE))
            return one;
    }
    return NULL;
}

/* What `is` would mean if it answered the question: equal but for what was asked. */
static struct gl_meaning as_asked(const struct gl_meaning *is, const struct gl_meaning *want)
{
    uint32_t counted = want->share_of != 0 ? want->share_of : UINT32_MAX;
    struct gl_meaning asked = *is;

    asked.accounting = want->accounting;
    asked.rate = want->rate;
    if (want->quantity == GL_INTENSITY)
        asked.boundary = want->boundary;
    else
        asked.share_of = is->share_of != 0 ? is->share_of & counted : want->share_of;
    return asked;
}

/* Would the series do, if the rule asked for what it means? */
static bool is_misfit(const struct gl_question *question, const struct gl_need *need,
                      const struct gl_series *series)
{
    const struct gl_request *request = question->request;
    const struct gl_zone_facts alone = {.count = 1, .series = &series};
    const struct gl_figure_limits limits = {.now = question->now,
                                            .max_age = {need->max_age_s},
                                            .min_grade = need->min_grade,
                                            .needs_hourly = need->needs_hourly};
    const struct gl_instant until = {request->start.unix_s + request->duration.s};

    return series->meaning.quantity == need->want.quantity &&
           gl_figure_gap(&series->meaning, &need->want) != GL_GAP_NONE &&
           gl_figure_of(&alone, &series->meaning, request->start, until, &limits).series != NULL;
}

/* The first evidence of its place that would do but for what it means, and in what it differs. */
static bool add_misfit(const struct gl_question *question, const struct gl_judgement *one,
                       struct gl_str *out)
{
    const struct gl_offer_place *place = question->offers[one->offer].place;
    const struct gl_need need = gl_rule_need(one->reason.rule, quantity_of(&one->reason));
    struct gl_error differs = {0};

    for (size_t z = 0; z < place->zone_count; z++)
        for (size_t i = 0; i < place->zones[z]->count; i++) {
            const struct gl_series *series = place->zones[z]->series[i];
            const struct gl_meaning asked = as_asked(&series->meaning, &need.want);

            if (!is_misfit(question, &need, series) ||
                gl_meaning_join(&series->meaning, &asked, &differs) == 0)
                continue;
            gl_str_addf(out, "%s means something else than the rule asks for (%s).",
                        series->dataset, differs.text);
            return true;
        }
    return false;
}

/* The same of the first unknown offer for which nothing at hand means what is asked. */
static bool add_first_misfit(const struct gl_question *question, const struct gl_decision *decision,
                             struct gl_str *out)
{
    for (size_t i = 0; i < decision->judged; i++) {
        const struct gl_judgement *one = &decision->judgements[i];

        if (one->outcome == GL_OUTCOME_UNKNOWN &&
            (one->reason.gap == GL_GAP_MEANING || one->reason.gap == GL_GAP_MARKET))
            return add_misfit(question, one, out);
    }
    return false;
}

bool gl_render_grade_hint(const struct gl_question *question, const struct gl_decision *decision,
                          struct gl_str *out, char out_grade[2])
{
    enum gl_grade grade = GL_GRADE_E;
    const struct gl_judgement *one = first_below_grade(question, decision, &grade);
    bool is_flag, has_misfit;

    out_grade[0] = '\0';
    if (one == NULL)
        return add_first_misfit(question, decision, out);
    is_flag = strcmp(one->reason.rule->pos.file, "the command line") == 0;
    out_grade[0] = is_flag ? gl_grade_letter(grade) : '\0';
    out_grade[1] = '\0';
    has_misfit = add_misfit(question, one, out);
    gl_str_addf(out, "%s %s (grade %c) are at hand; ", has_misfit ? " Else only" : "Only",
                grade == GL_GRADE_D ? "yearly averages" : "weaker figures", gl_grade_letter(grade));
    if (is_flag)
        gl_str_addf(out, "--min-grade %c admits them.", gl_grade_letter(grade));
    else
        gl_str_addf(
            out, "rule %s asks for grade %c or better.", one->reason.rule->id,
            gl_grade_letter((enum gl_grade)gl_rule_number(one->reason.rule, GL_KEY_MIN_GRADE)));
    return true;
}

const char *gl_render_gist(const struct gl_decision *decision)
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
