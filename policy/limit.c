/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/guarantee/book.h"
#include "policy/judge.h"

#include <math.h>
#include <string.h>

/* One constraint against one offer: how each key is tested is a row here. */

enum kind {
    KIND_HOW,       /* says how others are judged */
    KIND_FIGURE,    /* bound of a zone figure against the number */
    KIND_EMISSION,  /* watts times intensity against the number */
    KIND_EVIDENCE,  /* a limit only when the rule has no other: evidence must exist */
    KIND_GREEN_FOR, /* carried by the rule's limits; alone it cannot be shown */
    KIND_PROMISE,   /* the rule's limits on figures, promised together */
    KIND_PLACE,     /* globs over region or country */
    KIND_SIZE,      /* a number of the offer or the request */
    KIND_BUDGET,    /* of accounts, which nothing keeps yet */
};

struct row {
    enum kind kind;
    enum gl_quantity quantity;
    bool is_floor, is_denial;
};

static const struct row rows[GL_KEYS_ALL] = {
    [GL_KEY_MAX_INTENSITY] = {KIND_FIGURE, GL_INTENSITY, false, false},
    [GL_KEY_MIN_RENEWABLE] = {KIND_FIGURE, GL_RENEWABLE_SHARE, true, false},
    [GL_KEY_MIN_CARBON_FREE] = {KIND_FIGURE, GL_CARBON_FREE_SHARE, true, false},
    [GL_KEY_MIN_GRADE] = {KIND_EVIDENCE, GL_INTENSITY, false, false},
    [GL_KEY_MAX_DATA_AGE] = {KIND_EVIDENCE, GL_INTENSITY, false, false},
    [GL_KEY_GREEN_FOR] = {KIND_GREEN_FOR, GL_INTENSITY, false, false},
    [GL_KEY_GREEN_BELOW] = {KIND_FIGURE, GL_INTENSITY, false, false},
    [GL_KEY_CONFIDENCE] = {KIND_PROMISE, GL_INTENSITY, true, false},
    [GL_KEY_ON_LAPSE] = {KIND_HOW, GL_INTENSITY, false, false},
    [GL_KEY_ACCOUNTING] = {KIND_HOW, GL_INTENSITY, false, false},
    [GL_KEY_RATE] = {KIND_HOW, GL_INTENSITY, false, false},
    [GL_KEY_BOUNDARY] = {KIND_HOW, GL_INTENSITY, false, false},
    [GL_KEY_BIOMASS] = {KIND_HOW, GL_INTENSITY, false, false},
    [GL_KEY_REGIONS] = {KIND_PLACE, GL_INTENSITY, false, false},
    [GL_KEY_NOT_REGIONS] = {KIND_PLACE, GL_INTENSITY, false, true},
    [GL_KEY_COUNTRIES] = {KIND_PLACE, GL_INTENSITY, false, false},
    [GL_KEY_NOT_COUNTRIES] = {KIND_PLACE, GL_INTENSITY, false, true},
    [GL_KEY_MIN_VCPUS] = {KIND_SIZE, GL_INTENSITY, true, false},
    [GL_KEY_MAX_VCPUS] = {KIND_SIZE, GL_INTENSITY, false, false},
    [GL_KEY_MAX_MEMORY] = {KIND_SIZE, GL_INTENSITY, false, false},
    [GL_KEY_MAX_COUNT] = {KIND_SIZE, GL_INTENSITY, false, false},
    [GL_KEY_MAX_PRICE] = {KIND_SIZE, GL_INTENSITY, false, false},
    [GL_KEY_MAX_RATE] = {KIND_EMISSION, GL_INTENSITY, false, false},
    [GL_KEY_MAX_TOTAL] = {KIND_EMISSION, GL_INTENSITY, false, false},
    [GL_KEY_BUDGET_LIMIT] = {KIND_BUDGET, GL_INTENSITY, false, false},
    [GL_KEY_BUDGET_MONEY] = {KIND_BUDGET, GL_INTENSITY, false, false},
    [GL_KEY_BUDGET_WARN_AT] = {KIND_BUDGET, GL_INTENSITY, false, false},
    [GL_KEY_MAX_INCREASE] = {KIND_BUDGET, GL_INTENSITY, false, false},
    [GL_KEY_MAX_INCREASE_SHARE] = {KIND_BUDGET, GL_INTENSITY, false, false},
};

/* What a test is about, passed down as one. */
struct subject {
    struct gl_judge *judge;
    const struct gl_rule_plan *plan;
    const struct gl_offer *offer;
    const struct gl_constraint *constraint;
    const struct row *row;
};

bool gl_key_is_timely(enum gl_key_id key)
{
    return rows[key].kind == KIND_FIGURE || rows[key].kind == KIND_EMISSION ||
           rows[key].kind == KIND_EVIDENCE || rows[key].kind == KIND_GREEN_FOR ||
           rows[key].kind == KIND_PROMISE;
}

bool gl_key_is_of_place(enum gl_key_id key)
{
    return rows[key].kind != KIND_EMISSION && rows[key].kind != KIND_SIZE;
}

bool gl_key_bounds_run(enum gl_key_id key, enum gl_quantity *out_quantity)
{
    if (rows[key].kind != KIND_FIGURE || key == GL_KEY_GREEN_BELOW)
        return false;
    *out_quantity = rows[key].quantity;
    return true;
}

bool gl_key_is_number(enum gl_key_id key)
{
    return rows[key].kind == KIND_FIGURE || rows[key].kind == KIND_EMISSION ||
           rows[key].kind == KIND_SIZE;
}

bool gl_key_is_floor(enum gl_key_id key)
{
    return rows[key].is_floor;
}

static struct gl_tested outcome_of(const struct subject *subject, enum gl_outcome outcome,
                                   int64_t found_u, enum gl_gap gap)
{
    return (struct gl_tested){
        .reason = {.outcome = outcome,
                   .rule = subject->plan->rule,
                   .constraint = subject->constraint,
                   .gap = gap,
                   .found_u = found_u},
    };
}

static struct gl_tested unknown(const struct subject *subject, enum gl_gap gap)
{
    return outcome_of(subject, GL_OUTCOME_UNKNOWN, GL_UNKNOWN, gap);
}

static struct gl_tested compared(const struct subject *subject, int64_t found_u)
{
    int64_t limit = subject->constraint->number;
    bool holds = subject->row->is_floor ? found_u >= limit : found_u <= limit;

    return outcome_of(subject, holds ? GL_SATISFIED : GL_VIOLATED, found_u, GL_GAP_NONE);
}

static int severity(enum gl_outcome outcome)
{
    return outcome == GL_VIOLATED ? 2 : outcome == GL_OUTCOME_UNKNOWN ? 1 : 0;
}

/* Keep the worse of two tests of one constraint, and the worse grade of both. */
static void worsen(const struct subject *subject, struct gl_tested *worst, struct gl_tested other)
{
    int more = severity(other.reason.outcome) - severity(worst->reason.outcome);
    int64_t a = worst->reason.found_u, b = other.reason.found_u;
    bool is_further =
        a != GL_UNKNOWN && b != GL_UNKNOWN && (subject->row->is_floor ? b < a : b > a);
    enum gl_grade grade = worst->grade;
    bool has_evidence = worst->has_evidence || other.has_evidence;

    if (other.has_evidence && (!worst->has_evidence || other.grade > grade))
        grade = other.grade;
    if (more > 0 || (more == 0 && is_further))
        *worst = other;
    worst->grade = grade;
    worst->has_evidence = has_evidence;
}

static bool is_nameless(const char *name)
{
    return name == NULL || name[0] == '\0';
}

/* Without a region nothing is known of its zone or country either. */
static enum gl_gap gap_of_place(const struct gl_offer *offer)
{
    return is_nameless(offer->place->region) ? GL_GAP_PLACE : GL_GAP_MISSING;
}

/* Micrograms, rounded up, of an emission in grams; a sum too large for the integer stays there. */
static int64_t micrograms_up(double grams)
{
    double micrograms = ceil(grams * 1e6);

    return micrograms < 9.2e18 ? (int64_t)micrograms : INT64_MAX;
}

/* Grams over one hour, or over the asked duration, at the upper bound of watts and intensity. */
static struct gl_tested test_emission(const struct subject *subject, int64_t intensity_u)
{
    struct gl_band watts;
    double grams;

    if (gl_judge_count(subject->judge, subject->plan->rule) == GL_UNKNOWN)
        return unknown(subject, GL_GAP_COUNT);
    if (!gl_judge_watts_of(subject->judge, subject->plan->rule, subject->offer, &watts))
        return unknown(subject, GL_GAP_POWER);
    grams = watts.high / 1000 * ((double)intensity_u / 1e6);
    if (subject->constraint->key->id == GL_KEY_MAX_TOTAL)
        grams *= (double)subject->judge->duration.s / 3600;
    return compared(subject, micrograms_up(grams));
}

static struct gl_tested test_evidence(const struct subject *subject, const struct gl_figure *figure)
{
    int64_t found =
        subject->constraint->key->id == GL_KEY_MIN_GRADE ? (int64_t)figure->grade : figure->age_s;

    return outcome_of(subject, GL_SATISFIED, found, GL_GAP_NONE);
}

static struct gl_tested test_figure(const struct subject *subject, const struct gl_figure *figure)
{
    int64_t bound = subject->row->is_floor ? figure->low_u : figure->high_u;
    struct gl_tested tested;

    if (figure->series == NULL)
        return unknown(subject, figure->gap);
    if (subject->row->kind == KIND_EVIDENCE)
        tested = test_evidence(subject, figure);
    else if (bound == GL_UNKNOWN)
        tested = outcome_of(subject, GL_OUTCOME_UNKNOWN, figure->value_u, GL_GAP_NO_BOUND);
    else if (subject->row->kind == KIND_EMISSION)
        tested = test_emission(subject, bound);
    else
        tested = compared(subject, bound);
    tested.grade = figure->grade;
    tested.has_evidence = true;
    return tested;
}

/* Every zone and both intervals: the run, and the hours that must be shown green. */
static struct gl_tested test_zones(const struct subject *subject)
{
    const struct gl_offer *offer = subject->offer;
    enum gl_key_id key = subject->constraint->key->id;
    enum gl_quantity quantity = subject->row->quantity;
    bool needs_run = key != GL_KEY_GREEN_BELOW;
    bool needs_green =
        key == GL_KEY_GREEN_BELOW || (subject->plan->green_for != NULL && key != GL_KEY_MAX_TOTAL);
    uint32_t needs[2] = {subject->plan->run_needs[quantity], subject->plan->green_needs[quantity]};
    struct gl_tested worst = unknown(subject, gap_of_place(offer));

    for (size_t zone = 0; zone < offer->place->zone_count && zone < 2; zone++)
        for (size_t window = needs_run ? 0 : 1; window < (needs_green ? 2 : 1); window++) {
            struct gl_tested tested = test_figure(
                subject, gl_judge_figure(subject->judge, offer->place->zones[zone], needs[window]));

            if (zone == 0 && window == (needs_run ? 0 : 1))
                worst = tested;
            else
                worsen(subject, &worst, tested);
        }
    return worst;
}

/* Only the asked duration was looked at, for later. */
static bool is_later_start(const struct gl_judge *judge, const struct gl_book_entry *entry)
{
    const struct gl_question *question = judge->question;

    return judge->start.unix_s > question->now.unix_s &&
           judge->duration.s == question->request->duration.s &&
           gl_book_starts_at(entry, question->now, judge->start);
}

/* How long it is promised from the start on; 0 = not. */
static int64_t promised_s(const struct gl_judge *judge, const struct gl_book_entry *entry)
{
    int64_t until_s =
        entry != NULL && entry->is_ready ? gl_promise_until(&entry->promise) : GL_UNKNOWN;

    return until_s == GL_UNKNOWN || until_s < judge->start.unix_s ? 0
                                                                  : until_s - judge->start.unix_s;
}

/* Why there is no answer; NONE when there is one. What begins later is promised when it begins. */
static enum gl_gap promise_gap(const struct subject *subject, const struct gl_book_entry *entry,
                               bool is_held)
{
    const struct gl_judge *judge = subject->judge;
    const struct gl_rule *rule = subject->plan->rule;
    enum gl_gap gap = gl_book_gap(entry, rule, judge->question->now);
    struct gl_band watts;

    if (entry == NULL && gl_book_limits_grams(rule) &&
        !gl_judge_watts(judge, subject->offer, &watts))
        return GL_GAP_POWER;
    if (gap == GL_GAP_NONE && !is_held &&
        (judge->start.unix_s > judge->question->now.unix_s ||
         entry->promise.kind == GL_BEYOND_HORIZON))
        return GL_GAP_HORIZON;
    return gap;
}

/* A promise from now on, for as long as the run or the time asked to be green. Rests on forecasts:
 * grade C. */
static struct gl_tested test_promise_in(const struct subject *subject,
                                        const struct gl_zone_facts *zone)
{
    const struct gl_judge *judge = subject->judge;
    const struct gl_rule *rule = subject->plan->rule;
    const struct gl_book_entry *entry =
        gl_book_find_offer(judge->question->book, rule, zone,
                           &(struct gl_book_load){judge->question->request, subject->offer});
    int64_t green_for = gl_rule_number(rule, GL_KEY_GREEN_FOR);
    int64_t needed_s = green_for > judge->duration.s ? green_for : judge->duration.s;
    bool is_later = gl_book_gap(entry, rule, judge->question->now) == GL_GAP_NONE &&
                    is_later_start(judge, entry);
    int64_t held_s = is_later ? needed_s : promised_s(judge, entry);
    enum gl_gap gap = promise_gap(subject, entry, held_s >= needed_s);
    struct gl_tested tested;

    if (gap != GL_GAP_NONE)
        return unknown(subject, gap);
    tested =
        outcome_of(subject, held_s >= needed_s ? GL_SATISFIED : GL_VIOLATED, held_s, GL_GAP_NONE);
    tested.grade = GL_GRADE_C;
    tested.has_evidence = true;
    return tested;
}

static struct gl_tested test_promise(const struct subject *subject)
{
    struct gl_tested worst = unknown(subject, GL_GAP_MISSING);

    for (size_t zone = 0; zone < subject->offer->place->zone_count && zone < 2; zone++) {
        struct gl_tested tested = test_promise_in(subject, subject->offer->place->zones[zone]);

        if (zone == 0)
            worst = tested;
        else
            worsen(subject, &worst, tested);
    }
    return worst;
}

static struct gl_tested test_place(const struct subject *subject)
{
    enum gl_key_id key = subject->constraint->key->id;
    bool is_region = key == GL_KEY_REGIONS || key == GL_KEY_NOT_REGIONS;
    const char *name = is_region ? subject->offer->place->region : subject->offer->place->country;
    bool is_listed = false;

    if (name == NULL || name[0] == '\0')
        return unknown(subject, gap_of_place(subject->offer));
    for (const char *const *glob = subject->constraint->globs; glob && *glob && !is_listed; glob++)
        is_listed = gl_glob_match(*glob, name);
    return outcome_of(subject, is_listed == subject->row->is_denial ? GL_VIOLATED : GL_SATISFIED,
                      GL_UNKNOWN, GL_GAP_NONE);
}

static struct gl_tested test_size(const struct subject *subject)
{
    const struct gl_offer *offer = subject->offer;
    int64_t count = gl_judge_count(subject->judge, subject->plan->rule);
    int64_t found = GL_UNKNOWN;

    switch (subject->constraint->key->id) {
    case GL_KEY_MIN_VCPUS:
    case GL_KEY_MAX_VCPUS:
        if (offer->type->vcpus != 0)
            found = (int64_t)offer->type->vcpus * 1000000;
        break;
    case GL_KEY_MAX_MEMORY: /* bytes; saturates beyond 8 TiB */
        if (offer->type->memory_mib != 0 &&
            __builtin_mul_overflow((int64_t)offer->type->memory_mib * (1 << 20), 1000000, &found))
            found = INT64_MAX;
        break;
    case GL_KEY_MAX_COUNT:
        if (count == GL_UNKNOWN)
            return unknown(subject, GL_GAP_COUNT);
        if (__builtin_mul_overflow(count, 1000000, &found))
            found = INT64_MAX;
        break;
    default:
        if (offer->price_u_usd_per_h < 0)
            return unknown(subject, GL_GAP_PRICE);
        found = offer->price_u_usd_per_h;
    }
    if (found == GL_UNKNOWN)
        return unknown(subject, is_nameless(offer->type->name) ? GL_GAP_TYPE : GL_GAP_MISSING);
    return compared(subject, found);
}

static struct gl_tested test_by_kind(const struct subject *subject)
{
    switch (subject->row->kind) {
    case KIND_PLACE:
        return test_place(subject);
    case KIND_SIZE:
        return test_size(subject);
    case KIND_GREEN_FOR:
        return unknown(subject, GL_GAP_MEANING);
    case KIND_PROMISE:
        return test_promise(subject);
    case KIND_BUDGET:
        return unknown(subject, GL_GAP_BUDGET);
    default:
        return test_zones(subject);
    }
}

bool gl_judge_is_test(const struct gl_rule_plan *plan, const struct gl_constraint *constraint)
{
    enum kind kind = rows[constraint->key->id].kind;

    if (kind == KIND_EVIDENCE || kind == KIND_GREEN_FOR)
        return !plan->has_limit;
    if (kind == KIND_FIGURE || kind == KIND_EMISSION)
        return !plan->is_promised;
    return kind != KIND_HOW;
}

const struct gl_constraint *gl_budget_first(const struct gl_budget *budget)
{
    return budget->limit.key != NULL ? &budget->limit : &budget->money;
}

/* The worst that could be true, put to the same test. */
static struct gl_tested assumed_worst(const struct subject *subject, struct gl_tested tested)
{
    enum gl_gap gap = tested.reason.gap;
    struct gl_tested worst = outcome_of(subject, GL_VIOLATED, GL_UNKNOWN, gap);

    if (subject->row->kind == KIND_FIGURE)
        worst = compared(subject, subject->row->is_floor ? 0 : GL_WORST_INTENSITY_U);
    else if (subject->row->kind == KIND_EMISSION && gap != GL_GAP_POWER)
        worst = test_emission(subject, GL_WORST_INTENSITY_U);
    worst.reason.gap = gap;
    if (worst.reason.outcome == GL_OUTCOME_UNKNOWN)
        worst.reason.outcome = GL_VIOLATED;
    worst.has_warning = worst.reason.outcome == GL_SATISFIED;
    worst.grade = GL_GRADE_E;
    worst.has_evidence = true;
    return worst;
}

static void admit_unknown(const struct subject *subject, struct gl_tested *tested)
{
    if (subject->judge->is_strict)
        return;
    switch (subject->plan->rule->on_unknown) {
    case GL_UNKNOWN_REFUSE:
        break;
    case GL_UNKNOWN_ASSUME_WORST:
        *tested = assumed_worst(subject, *tested);
        break;
    case GL_UNKNOWN_WARN:
    case GL_UNKNOWN_ALLOW:
        tested->reason.outcome = GL_SATISFIED;
        tested->has_warning = true;
        tested->grade = GL_GRADE_E;
        tested->has_evidence = true;
        break;
    }
}

static bool is_within_cap(const struct subject *subject, const struct gl_waiver *waiver)
{
    struct subject capped = *subject;

    if (waiver->cap.key == NULL)
        return true;
    capped.constraint = &waiver->cap;
    capped.row = &rows[waiver->cap.key->id];
    return capped.row->kind != KIND_HOW && test_by_kind(&capped).reason.outcome == GL_SATISFIED;
}

/* A waiver in force turns a violation into a warning; an expired one is named. */
void gl_judge_waive(struct gl_judge *judge, const struct gl_rule_plan *plan,
                    const struct gl_offer *offer, const struct gl_constraint *constraint,
                    struct gl_tested *tested)
{
    const struct subject subject = {judge, plan, offer, constraint, &rows[constraint->key->id]};
    const struct gl_policy *policy = judge->question->policy;
    int64_t now = judge->question->now.unix_s, at = judge->at.unix_s;

    if (tested->reason.outcome != GL_VIOLATED || !plan->has_waivers)
        return;
    for (size_t i = 0; i < policy->waiver_count; i++) {
        const struct gl_waiver *waiver = &policy->waivers[i];

        if (strcmp(waiver->rule, plan->rule->id) != 0 || waiver->created.unix_s > now ||
            !gl_waiver_names(waiver, judge->question->request, offer))
            continue;
        if (at >= waiver->expires.unix_s) {
            tested->reason.waiver = waiver;
        } else if (is_within_cap(&subject, waiver)) {
            tested->reason.waiver = waiver;
            tested->reason.outcome = GL_SATISFIED;
            tested->has_warning = true;
            return;
        }
    }
}

void gl_judge_look(struct gl_judge *judge, const struct gl_rule_plan *plan,
                   const struct gl_offer *offer, const struct gl_constraint *constraint,
                   struct gl_tested *out)
{
    const struct subject subject = {judge, plan, offer, constraint, &rows[constraint->key->id]};

    *out = test_by_kind(&subject);
    if (out->reason.outcome == GL_OUTCOME_UNKNOWN)
        admit_unknown(&subject, out);
}

void gl_judge_doubt(const struct gl_judge *judge, const struct gl_rule *rule,
                    const struct gl_offer *offer, struct gl_tested *tested)
{
    bool is_known = !is_nameless(offer->place->region) && !is_nameless(offer->type->name) &&
                    !is_nameless(offer->place->cloud) && offer->type->vcpus != 0;

    if (is_known || tested->reason.outcome != GL_VIOLATED ||
        gl_rule_scope(rule, judge->question->request, offer) != GL_SCOPE_MAYBE)
        return;
    tested->reason.outcome = GL_OUTCOME_UNKNOWN;
    tested->reason.gap = is_nameless(offer->place->region) ? GL_GAP_PLACE : GL_GAP_TYPE;
    tested->reason.waiver = NULL;
}

bool gl_judge_test(struct gl_judge *judge, const struct gl_rule_plan *plan,
                   const struct gl_offer *offer, const struct gl_constraint *constraint,
                   struct gl_tested *out)
{
    if (!gl_judge_is_test(plan, constraint))
        return false;
    gl_judge_look(judge, plan, offer, constraint, out);
    gl_judge_waive(judge, plan, offer, constraint, out);
    gl_judge_doubt(judge, plan->rule, offer, out);
    return true;
}
