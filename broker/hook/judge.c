/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/hook/judge.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "broker/hook/judge_part.h"
#include "broker/hook/reader.h"
#include "broker/render/decision.h"

/* What a report owns. */
struct memory {
    struct gl_arena arena;
    json_t *next;
    struct gl_judged *judged;
    struct gl_hook_finding *findings;
};

/* A report being made. */
struct making {
    struct gl_hook_judge judge;
    struct gl_hook_report *report;
    struct memory *memory;
    size_t judged_capacity, finding_capacity;
    struct gl_render_sources sources;
    double grams[3], delta[3], usd,
        usd_delta; /* an hour, in whole millionths: sums of these are exact */
    bool is_over_budget, is_over_rule;
};

const char *gl_finding_word(enum gl_finding_state state)
{
    static const char *const words[] = {"passed", "broken", "unknown", "warned", "waived", "known"};

    return (size_t)state < sizeof words / sizeof words[0] ? words[state] : "unknown";
}

/* ---- findings ---- */

/* " (document 2)" of a plan in several documents, which may repeat addresses; "" = the first. */
static const char *document_of(const struct gl_intent *intent)
{
    const char *mark =
        intent != NULL && intent->file != NULL ? strstr(intent->file, " (document ") : NULL;

    return mark != NULL ? mark : "";
}

/* Of rule, cloud and address; with several plans the plan's name too, with several documents the
 * number of each but the first. */
static void fingerprint(const struct making *making, struct gl_hook_finding *finding)
{
    const struct gl_intent *intent = finding->intent;
    const char *parts[] = {
        "greenlaunch finding 1", finding->rule != NULL ? finding->rule->id : "",
        intent != NULL && intent->cloud != NULL ? intent->cloud : "",
        intent != NULL ? intent->address : "",
        making->report->plan_count > 1 && finding->plan != NULL ? finding->plan->file : ""};
    char hex[GL_HASH_HEX];
    struct gl_hasher hasher;
    struct gl_hash hash;

    gl_hasher_init(&hasher);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        gl_hasher_add(&hasher, parts[i], strlen(parts[i]) + 1);
    if (*document_of(intent) != '\0')
        gl_hasher_add(&hasher, document_of(intent), strlen(document_of(intent)) + 1);
    gl_hasher_end(&hasher, &hash);
    gl_hash_hex(&hash, hex);
    memcpy(finding->fingerprint, hex, sizeof finding->fingerprint - 1);
    finding->fingerprint[sizeof finding->fingerprint - 1] = '\0';
}

/* With what of it was not read, where something is not known. */
static const char *message_of(const struct making *making, const struct gl_hook_result *result,
                              const struct gl_judged *judged)
{
    const char *const *names = judged != NULL ? judged->intent->sensitive : NULL;
    GL_AUTO(gl_str_done) struct gl_str text = {0};

    if (names == NULL || result->reason.outcome != GL_OUTCOME_UNKNOWN)
        return result->message;
    gl_str_add(&text, result->message);
    for (size_t i = 0; names[i] != NULL; i++)
        gl_str_addf(&text, "%s%s", i == 0 ? "; " : " and ", names[i]);
    gl_str_addf(&text, " %s marked sensitive", names[1] != NULL ? "are" : "is");
    gl_str_addf(&text, ": %s", gl_hook_reader_named(judged->plan->reader)->shown);
    return gl_hook_text(making->judge.arena, &text);
}

static const struct gl_hook_finding *add_finding(struct making *making,
                                                 const struct gl_hook_result *result,
                                                 const struct gl_judged *judged)
{
    struct gl_hook_report *report = making->report;
    struct gl_hook_finding *finding;
    struct gl_known_finding known;

    if (report->finding_count == making->finding_capacity) {
        making->finding_capacity =
            making->finding_capacity != 0 ? making->finding_capacity * 2 : 64;
        making->memory->findings = gl_realloc(
            making->memory->findings, making->finding_capacity * sizeof *making->memory->findings);
        report->findings = making->memory->findings;
    }
    finding = &making->memory->findings[report->finding_count++];
    *finding = (struct gl_hook_finding){
        .intent = judged != NULL ? judged->intent : NULL,
        .plan = judged != NULL           ? judged->plan
                : report->plan_count > 0 ? report->plans[0]
                                         : NULL,
        .rule = result->rule,
        .state = result->state,
        .reason = result->reason,
        .message = message_of(making, result, judged),
        .rule_place = result->place,
        .count = judged != NULL ? judged->count : GL_UNKNOWN,
        .size = judged != NULL ? judged->size : (struct gl_hook_size){GL_UNKNOWN, GL_UNKNOWN},
        .shorts = result->shorts,
        .short_count = result->short_count,
    };
    finding->at = (struct gl_source_place){
        .file = finding->plan != NULL ? finding->plan->file : "", .line = 1, .is_sure = false};
    if (!making->judge.ask->has_no_digest || making->judge.ask->baseline != NULL)
        fingerprint(making, finding);
    known = gl_hook_known(finding);
    if ((finding->state == GL_FINDING_BROKEN || finding->state == GL_FINDING_UNKNOWN) &&
        gl_hook_baseline_knows(making->judge.ask->baseline, &known))
        finding->state = GL_FINDING_KNOWN;
    report->waived += finding->state == GL_FINDING_WAIVED;
    report->known += finding->state == GL_FINDING_KNOWN;
    report->warned += finding->state == GL_FINDING_WARNED;
    return finding;
}

/* What is left of the kind's verdict when some of its findings are known. */
static enum gl_verdict add_findings(struct making *making, const struct gl_hook_kind *kind,
                                    const struct gl_judged *judged)
{
    size_t broken = 0, unknown = 0;

    for (size_t i = 0; i < kind->result_count; i++) {
        const struct gl_hook_finding *finding = add_finding(making, &kind->results[i], judged);

        broken += finding->state == GL_FINDING_BROKEN;
        unknown += finding->state == GL_FINDING_UNKNOWN;
        if (finding->state == GL_FINDING_WAIVED && finding->reason.waiver != NULL)
            making->judge
                .is_waiver_used[finding->reason.waiver - making->judge.ask->policy->waivers] = true;
    }
    if (broken + unknown == 0)
        return GL_ALLOW;
    if (kind->verdict == GL_LATER)
        return GL_LATER;
    return broken > 0 ? GL_REFUSE : GL_VERDICT_UNKNOWN;
}

/* ---- intents ---- */

/* Machines that cannot be seen count as none in a plan; what starts them is looked at all the same.
 */
static bool is_started_opaque(const struct gl_intent *intent)
{
    static const bool starts[] = {
        [GL_CHANGE_CREATE] = true, [GL_CHANGE_REPLACE] = true, [GL_CHANGE_GROW] = true,
        [GL_CHANGE_MOVE] = true,   [GL_CHANGE_UPDATE] = true,  [GL_CHANGE_UNKNOWN] = true};

    return intent->role == GL_ROLE_OPAQUE && (size_t)intent->change < sizeof starts &&
           starts[intent->change];
}

static bool is_launched(const struct gl_intent *intent)
{
    return (intent->is_launch || is_started_opaque(intent)) && intent->is_mapped &&
           intent->role != GL_ROLE_TEMPLATE && intent->role != GL_ROLE_SCALER;
}

static struct gl_judged *add_judged(struct making *making)
{
    struct gl_hook_report *report = making->report;

    if (report->judged_count == making->judged_capacity) {
        making->judged_capacity = making->judged_capacity != 0 ? making->judged_capacity * 2 : 64;
        making->memory->judged = gl_realloc(
            making->memory->judged, making->judged_capacity * sizeof *making->memory->judged);
        report->judged = making->memory->judged;
    }
    return &making->memory->judged[report->judged_count++];
}

static void count_unknown(struct gl_hook_report *report, const struct gl_intent *intent,
                          int64_t count)
{
    report->unknown_region += intent->place.region == NULL && (intent->place.candidates == NULL ||
                                                               intent->place.candidates[0] == NULL);
    report->unknown_machine += intent->machine.type == NULL && intent->machine.catalogue == NULL &&
                               intent->role != GL_ROLE_FRACTION;
    report->unknown_count += count == GL_UNKNOWN;
}

static void judge_launch(struct making *making, const struct gl_intent *intent,
                         const struct gl_hook_plan *plan, const struct gl_hook_change *change)
{
    const struct gl_hook_kind *kind = gl_hook_kind_of(&making->judge, intent, plan);
    struct gl_judged *judged = add_judged(making);

    *judged = (struct gl_judged){
        .intent = intent,
        .plan = plan,
        .intensity = kind->intensity,
        .usd_per_h = kind->usd,
        .count = kind->count,
        .size = kind->size,
        .remedies = kind->remedies,
        .remedy_count = kind->remedy_count,
        .at = {.file = plan->file, .line = 1, .is_sure = false},
    };
    memcpy(judged->grams_per_h, kind->grams, sizeof judged->grams_per_h);
    memcpy(judged->grams_per_h_before, change->before, sizeof judged->grams_per_h_before);
    judged->verdict = add_findings(making, kind, judged);
    gl_render_source_note(&making->sources, &kind->intensity);
    count_unknown(making->report, intent, kind->count);
    for (unsigned part = 0; part < 3; part++)
        making->grams[part] += round(kind->grams[part] * 1e6);
    making->usd += round(kind->usd * 1e6);
}

/* One that a rule asks for is judged, and unknown; any other is listed. */
static bool judge_opaque(struct making *making, const struct gl_intent *intent,
                         const struct gl_hook_plan *plan, const struct gl_hook_change *change)
{
    const struct gl_policy *policy = making->judge.ask->policy;
    bool is_asked = false;

    for (size_t i = 0; i < policy->rule_count; i++)
        is_asked = is_asked || (policy->rules[i].match.roles >> GL_ROLE_OPAQUE & 1) != 0;
    if (!is_asked || gl_hook_kind_of(&making->judge, intent, plan)->result_count == 0)
        return false;
    judge_launch(making, intent, plan, change);
    return true;
}

static bool is_changed(const struct gl_intent *intent)
{
    return intent->change != GL_CHANGE_NONE && intent->change != GL_CHANGE_READ &&
           intent->change != GL_CHANGE_FORGET;
}

static void add_change(struct making *making, const struct gl_intent *intent,
                       const struct gl_hook_change *change)
{
    double delta[3];

    gl_hook_delta_of(intent, change, delta);
    for (unsigned part = 0; part < 3; part++)
        making->delta[part] += round(delta[part] * 1e6);
    making->usd_delta += round(gl_hook_usd_delta(intent, change) * 1e6);
}

static void judge_plan(struct making *making, const struct gl_hook_plan *plan,
                       struct gl_hook_texts *opaque)
{
    struct gl_hook_report *report = making->report;

    for (size_t i = 0; i < plan->count; i++) {
        const struct gl_intent *intent = &plan->intents[i];
        struct gl_hook_change change = {0};

        if (is_changed(intent)) {
            gl_hook_change_of(&making->judge, intent, plan, &change);
            add_change(making, intent, &change);
        }
        if (!is_launched(intent)) {
            report->context++;
            continue;
        }
        if (intent->role != GL_ROLE_OPAQUE) {
            report->launches++;
            judge_launch(making, intent, plan, &change);
            continue;
        }
        report->opaque++;
        report->launches += judge_opaque(making, intent, plan, &change);
        gl_hook_texts_add(&making->memory->arena, opaque, intent->address);
    }
    report->resources += plan->resources;
    report->skipped += plan->skipped;
}

/* ---- order ---- */

static int badness(enum gl_verdict verdict)
{
    static const int order[] = {
        [GL_ALLOW] = 0, [GL_LATER] = 1, [GL_VERDICT_UNKNOWN] = 2, [GL_REFUSE] = 3};

    return order[verdict];
}

/* Of the whole change first; of equal ones in several plans, by the name of the plan. */
static int compare_intents(const struct gl_intent *a, const struct gl_hook_plan *in_a,
                           const struct gl_intent *b, const struct gl_hook_plan *in_b)
{
    int order = (a != NULL) - (b != NULL);

    if (order == 0 && a != NULL)
        order = gl_hook_compare_intents(a, b);
    if (order == 0 && in_a != NULL && in_b != NULL)
        order = strcmp(in_a->file, in_b->file);
    return order;
}

static int compare_judged(const void *left, const void *right)
{
    const struct gl_judged *a = left, *b = right;

    if (a->verdict != b->verdict)
        return badness(b->verdict) - badness(a->verdict);
    return compare_intents(a->intent, a->plan, b->intent, b->plan);
}

static int compare_findings(const void *left, const void *right)
{
    static const int order[] = {
        [GL_FINDING_BROKEN] = 0, [GL_FINDING_UNKNOWN] = 1, [GL_FINDING_WAIVED] = 2,
        [GL_FINDING_KNOWN] = 3,  [GL_FINDING_WARNED] = 4,  [GL_FINDING_PASSED] = 5};
    const struct gl_hook_finding *a = left, *b = right;
    int difference = order[a->state] - order[b->state];

    if (difference == 0)
        difference = compare_intents(a->intent, a->plan, b->intent, b->plan);
    if (difference == 0)
        difference = strcmp(a->rule->id, b->rule->id);
    return difference;
}

/* ---- the verdict ---- */

static void say_launches(const struct gl_hook_report *report, struct gl_str *out)
{
    size_t let_pass = report->waived + report->known + report->warned;

    gl_str_addf(out, "allowed: %zu launch%s, ", report->launches,
                report->launches == 1 ? "" : "es");
    if (let_pass == 0)
        gl_str_add(out, "every rule holds");
    else
        gl_str_addf(out, "%zu finding%s let pass", let_pass, let_pass == 1 ? "" : "s");
}

static bool is_partial(const struct gl_hook_report *report)
{
    for (size_t i = 0; i < report->plan_count; i++)
        if (report->plans[i]->is_partial)
            return true;
    return false;
}

/* What no rule could look at is no part of what is allowed. */
static void say_allowed(const struct gl_hook_report *report, struct gl_str *out)
{
    bool is_unseen = report->opaque + report->unmapped > 0 || is_partial(report);

    if (report->launches > 0)
        say_launches(report, out);
    else
        gl_str_addf(out, "allowed: nothing is launched%s", is_unseen ? " that can be seen" : "");
    if (report->opaque > 0)
        gl_str_addf(out, "; machines of %zu resource%s cannot be seen", report->opaque,
                    report->opaque == 1 ? "" : "s");
    if (report->unmapped > 0)
        gl_str_addf(out, "; %zu unmapped type%s may be machines", report->unmapped,
                    report->unmapped == 1 ? "" : "s");
}

/* Precedence of exits: refused, over budget, unknown, later, fine. */
static void conclude(struct making *making)
{
    struct gl_hook_report *report = making->report;
    size_t verdicts[4] = {0};
    bool is_budget_unknown = false;
    GL_AUTO(gl_str_done) struct gl_str text = {0};

    for (size_t i = 0; i < report->judged_count; i++)
        verdicts[report->judged[i].verdict]++;
    for (size_t i = 0; i < report->finding_count; i++)
        if (report->findings[i].intent == NULL) {
            const bool is_broken = report->findings[i].state == GL_FINDING_BROKEN;

            making->is_over_budget |= is_broken;
            making->is_over_rule |= is_broken && report->findings[i].rule != &gl_hook_budgets;
            is_budget_unknown |= report->findings[i].state == GL_FINDING_UNKNOWN;
        }
    if (verdicts[GL_REFUSE] > 0) {
        report->verdict = GL_REFUSE;
        report->exit = GL_EXIT_REFUSED;
        gl_str_addf(&text, "refused: %zu of %zu launches break a rule", verdicts[GL_REFUSE],
                    report->launches);
    } else if (making->is_over_budget) {
        report->verdict = GL_REFUSE;
        report->exit = GL_EXIT_BUDGET;
        gl_str_addf(&text, "over budget: this change adds more than %s",
                    making->is_over_rule ? "a rule allows" : "its accounts have left");
    } else if (verdicts[GL_VERDICT_UNKNOWN] > 0 || is_budget_unknown) {
        report->verdict = GL_VERDICT_UNKNOWN;
        report->exit = GL_EXIT_UNKNOWN;
        if (verdicts[GL_VERDICT_UNKNOWN] > 0)
            gl_str_addf(&text, "unknown: %zu of %zu launches cannot be shown to keep the rules",
                        verdicts[GL_VERDICT_UNKNOWN], report->launches);
        else
            gl_str_add(&text, "unknown: what this change adds cannot be told");
    } else if (verdicts[GL_LATER] > 0) {
        report->verdict = GL_LATER;
        report->exit = GL_EXIT_LATER;
        gl_str_addf(&text, "later: %zu of %zu launches are allowed at another time",
                    verdicts[GL_LATER], report->launches);
    } else {
        report->verdict = GL_ALLOW;
        report->exit = GL_EXIT_OK;
        say_allowed(report, &text);
    }
    report->headline = gl_hook_text(&making->memory->arena, &text);
}

static void note_totals(struct making *making)
{
    struct gl_hook_report *report = making->report;

    for (unsigned part = 0; part < 3; part++) {
        report->grams_per_month[part] = making->grams[part] / 1e6 * GL_HOOK_MONTH_H;
        report->delta_grams_per_month[part] = making->delta[part] / 1e6 * GL_HOOK_MONTH_H;
    }
    report->usd_per_month = making->usd / 1e6 * GL_HOOK_MONTH_H;
    report->delta_usd_per_month = making->usd_delta / 1e6 * GL_HOOK_MONTH_H;
}

/* Only of what is told: the look-up may read files. */
static void locate_all(struct making *making)
{
    const struct gl_hook_ask *ask = making->judge.ask;
    const struct gl_hook_report *report = making->report;

    if (ask->locate == NULL)
        return;
    for (size_t i = 0; i < report->finding_count; i++) {
        struct gl_hook_finding *finding = &making->memory->findings[i];

        if (finding->plan != NULL)
            ask->locate(ask->locate_cookie, finding->plan, finding->intent, &finding->at);
    }
    for (size_t i = 0; i < report->judged_count; i++) {
        struct gl_judged *judged = &making->memory->judged[i];

        if (judged->verdict != GL_ALLOW)
            ask->locate(ask->locate_cookie, judged->plan, judged->intent, &judged->at);
    }
}

static void judge_increases(struct making *making)
{
    size_t rules = making->judge.ask->policy->rule_count;
    GL_AUTO(gl_auto_free)
    struct gl_hook_result *results = gl_alloc((2 * rules + 2) * sizeof *results);
    size_t count = gl_hook_increases(&making->judge, results);

    count += gl_hook_accounts(&making->judge, &results[count]);
    for (size_t i = 0; i < count; i++)
        add_finding(making, &results[i], NULL);
}

struct gl_hook_report *gl_hook_judge(const struct gl_hook_ask *ask)
{
    struct gl_hook_report *report = gl_alloc(sizeof *report);
    struct memory *memory = gl_alloc(sizeof *memory);
    struct making making = {.report = report, .memory = memory};
    struct gl_hook_texts opaque = {0};

    *report = (struct gl_hook_report){.at = ask->now,
                                      .is_demo = ask->is_demo,
                                      .is_offline = ask->is_offline,
                                      .is_advisory = ask->is_advisory,
                                      .point = gl_gate_word(ask->gate),
                                      .policy = ask->policy,
                                      .plans = ask->plans,
                                      .plan_count = ask->plan_count,
                                      .memory = memory};
    gl_hook_judge_open(&making.judge, ask, &memory->arena);
    for (size_t i = 0; i < ask->plan_count; i++)
        judge_plan(&making, ask->plans[i], &opaque);
    judge_increases(&making);
    if (report->judged_count > 0)
        qsort(memory->judged, report->judged_count, sizeof *memory->judged, compare_judged);
    if (report->finding_count > 0)
        qsort(memory->findings, report->finding_count, sizeof *memory->findings, compare_findings);
    locate_all(&making);
    report->opaque_addresses = gl_hook_texts_end(&memory->arena, &opaque);
    gl_hook_tell_unmapped(&making.judge, report);
    conclude(&making);
    gl_hook_tell(&making.judge, &making.sources, report);
    note_totals(&making);
    report->baseline_size = ask->baseline != NULL ? ask->baseline->count : 0;
    report->baseline_gone = gl_hook_baseline_gone(ask->baseline, report);
    if (!ask->has_no_digest) {
        gl_hook_digest_facts(report, &report->facts_digest);
        gl_hook_digest_judgement(ask, report);
    }
    gl_hook_judge_close(&making.judge);
    return report;
}

void gl_hook_report_free(struct gl_hook_report *report)
{
    struct memory *memory;

    if (report == NULL)
        return;
    memory = report->memory;
    gl_arena_done(&memory->arena);
    free(memory->judged);
    free(memory->findings);
    free(memory);
    free(report);
}
