/* SPDX-License-Identifier: Apache-2.0 */
/* One kind of intent against every rule: the worst of what it may come out as. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/hook/judge_part.h"
#include "broker/render/decision.h"
#include "policy/judge.h"
#include "providers/data/data.h"

#define REASONS_MAX 1024

const char *gl_hook_text(struct gl_arena *arena, const struct gl_str *text)
{
    GL_AUTO(gl_str_done) struct gl_str shown = {0};

    gl_str_add_printable(&shown, gl_str_text(text), text->length);
    return gl_arena_text(arena, gl_str_text(&shown), shown.length);
}

const char *gl_hook_rule_place(struct gl_arena *arena, const struct gl_rule *rule,
                               const struct gl_constraint *constraint)
{
    const struct gl_pos *pos =
        constraint != NULL && constraint->pos.file[0] != '\0' ? &constraint->pos : &rule->pos;
    GL_AUTO(gl_str_done) struct gl_str text = {0};

    gl_str_add(&text, pos->file);
    if (pos->line > 0)
        gl_str_addf(&text, ":%u", (unsigned)pos->line);
    return gl_hook_text(arena, &text);
}

/* ---- the case and its question ---- */

static struct gl_span duration_of(const struct gl_hook_ask *ask, const struct gl_intent *intent)
{
    bool is_shorter = intent->duration_s != GL_UNKNOWN && intent->duration_s > 0 &&
                      intent->duration_s < ask->duration.s;

    return is_shorter ? (struct gl_span){intent->duration_s} : ask->duration;
}

static uint32_t whole(int64_t count)
{
    if (count == GL_UNKNOWN || count < 1)
        return 1;
    return count < UINT32_MAX ? (uint32_t)count : UINT32_MAX;
}

void gl_hook_case_of(const struct gl_hook_judge *judge, const struct gl_intent *intent,
                     const struct gl_hook_plan *plan, uint32_t offer, struct gl_hook_case *out)
{
    const struct gl_offer *one = &judge->offers[offer];

    *out = (struct gl_hook_case){
        .intent = intent,
        .plan = plan,
        .offer = offer,
        .subject = {.role = (unsigned)intent->role,
                    .action = (unsigned)intent->change,
                    .address = intent->address,
                    .resource = intent->type,
                    .plan = plan->file},
        .clouds = {one->place->cloud, NULL},
        .regions = {one->place->region, NULL},
        .types = {one->type->name, NULL},
    };
    gl_hook_counts(&intent->count, one->type->vcpus, out->subject.counts);
    out->request = (struct gl_request){
        .duration = duration_of(judge->ask, intent),
        .start = judge->ask->now,
        .latest_start = judge->ask->now,
        .load = judge->ask->load,
        .count = whole(out->subject.counts[GL_COUNT_WORST]),
        .clouds = out->clouds,
        .regions = out->regions,
        .types = out->types,
        .tags = intent->tags,
        .subject = &out->subject,
    };
}

struct gl_question gl_hook_question(const struct gl_hook_judge *judge,
                                    const struct gl_hook_case *one, const struct gl_offer *offers,
                                    size_t count)
{
    const struct gl_hook_ask *ask = judge->ask;

    return (struct gl_question){.policy = ask->policy,
                                .request = &one->request,
                                .offers = offers,
                                .offer_count = count,
                                .now = ask->now,
                                .has_no_digest = true,
                                .book = ask->book,
                                .gate = ask->gate,
                                .keeps_accounts = ask->left != NULL,
                                .count_basis = ask->count_basis,
                                .count_basis_least = ask->count_basis_least};
}

/* ---- which intents are alike ---- */

static void put_i64(struct gl_str *out, int64_t value)
{
    gl_str_add_bytes(out, &value, sizeof value);
}

/* All that the judgement depends on: the offers, the numbers, and whom rules and waivers name. */
static void put_case(struct gl_hook_judge *judge, const struct gl_hook_case *one,
                     struct gl_str *key)
{
    const struct gl_policy *policy = judge->ask->policy;
    const struct gl_offer *offer = &judge->offers[one->offer];

    put_i64(key, one->offer);
    for (size_t i = 0; i < GL_COUNT_BASES; i++)
        put_i64(key, one->subject.counts[i]);
    put_i64(key, one->request.duration.s);
    for (size_t i = 0; i < policy->rule_count; i++) {
        enum gl_scope scope = gl_rule_scope(&policy->rules[i], &one->request, offer);

        gl_str_add_char(key, (char)scope);
        judge->is_rule_used[i] = judge->is_rule_used[i] || scope != GL_SCOPE_NO;
    }
    for (size_t i = 0; i < policy->waiver_count; i++)
        gl_str_add_char(key, gl_waiver_names(&policy->waivers[i], &one->request, offer) ? 1 : 0);
}

/* ---- results ---- */

static int weight(enum gl_finding_state state)
{
    static const int weights[] = {
        [GL_FINDING_PASSED] = 0, [GL_FINDING_WARNED] = 1,  [GL_FINDING_WAIVED] = 2,
        [GL_FINDING_KNOWN] = 3,  [GL_FINDING_UNKNOWN] = 4, [GL_FINDING_BROKEN] = 5,
    };

    return weights[state];
}

static enum gl_finding_state state_of(const struct gl_question *question,
                                      const struct gl_reason *reason)
{
    if (reason->outcome == GL_SATISFIED && reason->waiver != NULL)
        return GL_FINDING_WAIVED;
    if (reason->outcome == GL_SATISFIED)
        return reason->gap != GL_GAP_NONE ? GL_FINDING_WARNED : GL_FINDING_PASSED;
    if (!gl_rule_binds(question, reason->rule))
        return GL_FINDING_WARNED;
    return reason->outcome == GL_VIOLATED ? GL_FINDING_BROKEN : GL_FINDING_UNKNOWN;
}

/* One result a rule while its reasons come in. */
struct collected {
    struct gl_hook_result result;
    struct gl_str said; /* sentences of all reasons of the weightiest state */
};

/* Without a grid there is no evidence, whatever source is asked. */
static bool is_off_the_map(const struct gl_reason *reason, const struct gl_offer *offer)
{
    return reason->gap == GL_GAP_MISSING && offer->place->cloud[0] != '\0' &&
           offer->place->region[0] != '\0' &&
           gl_data_region(offer->place->cloud, offer->place->region) == NULL;
}

static void say(struct collected *one, const struct gl_reason *reason, const char *where,
                const struct gl_offer *offer)
{
    GL_AUTO(gl_str_done) struct gl_str text = {0};

    gl_reason_text(reason, &text);
    if (is_off_the_map(reason, offer)) {
        gl_str_addf(&text, ", because no table says in which grid %s of %s lies",
                    offer->place->region, offer->place->cloud);
    }
    if (strstr(gl_str_text(&one->said), gl_str_text(&text)) != NULL)
        return;
    gl_str_addf(&one->said, "%s%s%s", one->said.length > 0 ? "; " : "", where, gl_str_text(&text));
}

static void collect(const struct gl_question *question, const struct gl_reason *reason,
                    const char *where, struct collected *out)
{
    enum gl_finding_state state = state_of(question, reason);

    if (state == GL_FINDING_PASSED || weight(state) < weight(out->result.state))
        return;
    if (weight(state) > weight(out->result.state)) {
        gl_str_clear(&out->said);
        out->result.state = state;
        out->result.reason = *reason;
    }
    say(out, reason, where, question->offers);
}

static const struct gl_rule *rule_asking_opaque(const struct gl_hook_judge *judge,
                                                const struct gl_rule *rule,
                                                const struct gl_hook_case *one)
{
    bool asks = (rule->match.roles >> GL_ROLE_OPAQUE & 1) != 0;

    return asks && gl_rule_scope(rule, &one->request, &judge->offers[one->offer]) != GL_SCOPE_NO
               ? rule
               : NULL;
}

/* Machines that cannot be seen: a rule that asks for them finds nothing. */
static void collect_opaque(const struct gl_hook_judge *judge, const struct gl_hook_case *one,
                           struct collected *all)
{
    const struct gl_policy *policy = judge->ask->policy;

    for (size_t i = 0; i < policy->rule_count; i++) {
        const struct gl_rule *rule = rule_asking_opaque(judge, &policy->rules[i], one);
        struct gl_reason reason = {
            .outcome = GL_OUTCOME_UNKNOWN, .gap = GL_GAP_TYPE, .rule = rule, .found_u = GL_UNKNOWN};
        const struct gl_question question = gl_hook_question(judge, one, judge->offers, 0);

        if (rule == NULL)
            continue;
        reason.constraint = rule->count > 0 ? &rule->constraints[0] : NULL;
        all[i].result.reason = reason;
        all[i].result.state = rule->on_unknown == GL_UNKNOWN_WARN ||
                                      rule->on_unknown == GL_UNKNOWN_ALLOW ||
                                      !gl_rule_binds(&question, rule)
                                  ? GL_FINDING_WARNED
                                  : GL_FINDING_UNKNOWN;
        gl_str_clear(&all[i].said);
        gl_str_add(&all[i].said, "what machines it starts cannot be seen in the plan");
    }
}

static void collect_case(const struct gl_hook_judge *judge, const struct gl_hook_case *one,
                         bool is_one_of_many, struct collected *all)
{
    GL_AUTO(gl_auto_free) struct gl_reason *reasons = gl_alloc(REASONS_MAX * sizeof *reasons);
    const struct gl_offer *offer = &judge->offers[one->offer];
    const struct gl_question question = gl_hook_question(judge, one, offer, 1);
    size_t count = gl_judge_all(&question, 0, reasons, REASONS_MAX);
    GL_AUTO(gl_str_done) struct gl_str where = {0};

    if (is_one_of_many)
        gl_str_addf(&where, "%s%sin %s: ", offer->type->name,
                    offer->type->name[0] != '\0' ? " " : "",
                    offer->place->region[0] != '\0' ? offer->place->region : "an unknown region");
    for (size_t i = 0; i < count; i++)
        if (reasons[i].rule != NULL)
            collect(&question, &reasons[i], gl_str_text(&where),
                    &all[reasons[i].rule - judge->ask->policy->rules]);
}

static void finish_results(const struct gl_hook_judge *judge, struct collected *all,
                           struct gl_hook_kind *out)
{
    size_t rules = judge->ask->policy->rule_count;

    for (size_t i = 0; i < rules; i++)
        out->result_count += all[i].result.state != GL_FINDING_PASSED;
    out->results = gl_arena_take(judge->arena, (out->result_count + 1) * sizeof *out->results);
    out->result_count = 0;
    for (size_t i = 0; i < rules; i++) {
        struct gl_hook_result *result = &all[i].result;
        const struct gl_rule *rule = &judge->ask->policy->rules[i];

        if (result->state != GL_FINDING_PASSED) {
            if (rule->message[0] != '\0' && weight(result->state) >= weight(GL_FINDING_UNKNOWN))
                gl_str_addf(&all[i].said, ": %s", rule->message);
            result->rule = rule;
            result->message = gl_hook_text(judge->arena, &all[i].said);
            result->place = gl_hook_rule_place(judge->arena, rule, result->reason.constraint);
            out->results[out->result_count++] = *result;
        }
        gl_str_done(&all[i].said);
    }
}

/* ---- verdict ---- */

static int badness(enum gl_verdict verdict)
{
    static const int order[] = {
        [GL_ALLOW] = 0, [GL_LATER] = 1, [GL_VERDICT_UNKNOWN] = 2, [GL_REFUSE] = 3};

    return order[verdict];
}

static enum gl_verdict verdict_of_results(const struct gl_hook_kind *kind)
{
    enum gl_verdict verdict = GL_ALLOW;

    for (size_t i = 0; i < kind->result_count; i++)
        if (kind->results[i].state == GL_FINDING_BROKEN)
            return GL_REFUSE;
        else if (kind->results[i].state == GL_FINDING_UNKNOWN)
            verdict = GL_VERDICT_UNKNOWN;
    return verdict;
}

static double price_of(const struct gl_offer *offer, int64_t count)
{
    if (offer->price_u_usd_per_h == GL_UNKNOWN || count == GL_UNKNOWN)
        return (double)NAN;
    return (double)offer->price_u_usd_per_h / 1e6 * (double)count;
}

/* The larger of two; of one that is not known, that. */
static double dearer(double a, double b)
{
    return isnan(a) || isnan(b) ? (double)NAN : fmax(a, b);
}

static bool is_worse_figure(const struct gl_figure *figure, const struct gl_figure *than)
{
    if (figure->value_u == GL_UNKNOWN || than->value_u == GL_UNKNOWN)
        return figure->value_u == GL_UNKNOWN;
    return figure->value_u > than->value_u;
}

/* The larger of two; of one that is not known, that. */
static int64_t larger(int64_t a, int64_t b)
{
    if (a == GL_UNKNOWN || b == GL_UNKNOWN)
        return GL_UNKNOWN;
    return a > b ? a : b;
}

static struct gl_hook_size size_of(const struct gl_offer_type *type)
{
    if (type->vcpus == 0)
        return (struct gl_hook_size){GL_UNKNOWN, GL_UNKNOWN};
    return (struct gl_hook_size){type->vcpus, type->gpu_count};
}

/* Of several ways it may come out, the worst of each figure. */
static void note_figures(struct gl_hook_judge *judge, const struct gl_hook_case *one, bool is_first,
                         struct gl_hook_kind *out)
{
    const struct gl_offer *offer = &judge->offers[one->offer];
    const struct gl_question question = gl_hook_question(judge, one, offer, 1);
    struct gl_figure figure = gl_render_figure(&question, offer, GL_INTENSITY);
    int64_t count = one->subject.counts[gl_rule_count_basis(&question, NULL)];
    struct gl_hook_size size = size_of(offer->type);
    double price = price_of(offer, count);

    if (is_first || is_worse_figure(&figure, &out->intensity))
        out->intensity = figure;
    out->usd = is_first ? price : dearer(out->usd, price);
    out->count = is_first ? count : larger(out->count, count);
    out->size.vcpus = is_first ? size.vcpus : larger(out->size.vcpus, size.vcpus);
    out->size.gpus = is_first ? size.gpus : larger(out->size.gpus, size.gpus);
}

static struct gl_hook_kind *judge_kind(struct gl_hook_judge *judge, struct gl_hook_case *cases,
                                       const uint32_t *variants, size_t count)
{
    struct gl_hook_kind *kind = gl_arena_take(judge->arena, sizeof *kind);
    size_t rules = judge->ask->policy->rule_count;
    GL_AUTO(gl_auto_free) struct collected *all = gl_alloc((rules + 1) * sizeof *all);
    bool is_opaque = cases[0].intent->role == GL_ROLE_OPAQUE;

    for (size_t i = 0; i < count; i++) {
        note_figures(judge, &cases[i], i == 0, kind);
        if (!is_opaque)
            collect_case(judge, &cases[i], count > 1, all);
    }
    if (is_opaque)
        collect_opaque(judge, &cases[0], all);
    finish_results(judge, all, kind);
    kind->verdict = verdict_of_results(kind);
    gl_hook_rate_of(judge, variants, count, kind->grams);
    for (unsigned part = 0; part < 3; part++)
        kind->grams[part] =
            kind->count == GL_UNKNOWN ? (double)NAN : kind->grams[part] * (double)kind->count;
    for (size_t i = 0; i < count && !is_opaque && badness(kind->verdict) > badness(GL_ALLOW); i++)
        if (kind->remedy_count == 0)
            gl_hook_remedies(judge, &cases[i], kind);
    return kind;
}

const struct gl_hook_kind *gl_hook_kind_of(struct gl_hook_judge *judge,
                                           const struct gl_intent *intent,
                                           const struct gl_hook_plan *plan)
{
    struct gl_str *key = &judge->key;
    uint32_t variants[GL_HOOK_VARIANTS];
    size_t count = gl_hook_variants(judge, intent, &intent->machine, &intent->place, variants);
    struct gl_hook_case first, *cases = &first;
    bool is_new;
    size_t number;

    if (count > 1)
        cases = gl_alloc(count * sizeof *cases);
    gl_str_clear(key);
    put_i64(key, intent->role == GL_ROLE_OPAQUE);
    for (size_t i = 0; i < count; i++) {
        gl_hook_case_of(judge, intent, plan, variants[i], &cases[i]);
        put_case(judge, &cases[i], key);
    }
    number = gl_keyset_add(&judge->kind_keys, key->text, key->length, &is_new);
    if (is_new) {
        if ((number & (number - 1)) == 0)
            judge->kinds =
                gl_realloc(judge->kinds, (number != 0 ? number * 2 : 1) * sizeof *judge->kinds);
        judge->kinds[number] = judge_kind(judge, cases, variants, count);
    }
    if (cases != &first)
        free(cases);
    return judge->kinds[number];
}
