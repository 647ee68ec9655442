/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/keeping.h"

#include "broker/account.h"
#include "policy/guarantee/book.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RULES_MAX   64
#define REASONS_MAX (RULES_MAX * 3)

/* What is judged hour by hour, and how: the rest of a rule does not change during a run. */
static bool is_hourly_limit(enum gl_key_id key)
{
    return key == GL_KEY_MAX_INTENSITY || key == GL_KEY_MIN_RENEWABLE ||
           key == GL_KEY_MIN_CARBON_FREE;
}

static bool is_stated(enum gl_key_id key)
{
    static const enum gl_key_id how[] = {GL_KEY_MIN_GRADE, GL_KEY_MAX_DATA_AGE, GL_KEY_ACCOUNTING,
                                         GL_KEY_RATE,      GL_KEY_BOUNDARY,     GL_KEY_BIOMASS};

    for (size_t i = 0; i < sizeof how / sizeof how[0]; i++)
        if (how[i] == key)
            return true;
    return is_hourly_limit(key);
}

/* Where the limits are promised, it is the promise that was judged. */
static bool is_shown_to_hold(enum gl_key_id key)
{
    return is_hourly_limit(key) || key == GL_KEY_CONFIDENCE;
}

/* ---- stating ---- */

#define CEILING_TEXT 64

/* What is promised below a limit is promised for the whole run (`confidence`): there green_below
 * says what max_intensity says, and so does max_rate for the watts of the offer; of all the lowest
 * one counts. False when that is max_intensity itself, or nothing is promised so. */
static bool promised_below(const struct gl_question *question, const struct gl_offer *offer,
                           const struct gl_rule *rule, char out[CEILING_TEXT])
{
    const struct gl_constraint *below = gl_rule_constraint(rule, GL_KEY_GREEN_BELOW);
    int64_t most_u = gl_rule_number(rule, GL_KEY_MAX_INTENSITY), rate_u;

    if (gl_rule_constraint(rule, GL_KEY_CONFIDENCE) == NULL)
        return false;
    out[0] = '\0';
    if (below != NULL && (most_u == GL_UNKNOWN || below->number < most_u)) {
        snprintf(out, CEILING_TEXT, "%s", below->written);
        most_u = below->number;
    }
    rate_u = gl_book_rate_ceiling(rule, &(struct gl_book_load){question->request, offer});
    if (rate_u != GL_UNKNOWN && (most_u == GL_UNKNOWN || rate_u < most_u))
        snprintf(out, CEILING_TEXT, "%" PRId64 ".%06" PRId64 " gCO2e/kWh", rate_u / 1000000,
                 rate_u % 1000000);
    return out[0] != '\0';
}

static json_t *limit_json(const char *key, const char *limit)
{
    return json_pack("{s:s,s:s}", "key", key, "limit", limit);
}

static json_t *rule_json(const struct gl_question *question, const struct gl_offer *offer,
                         const struct gl_rule *rule)
{
    char below[CEILING_TEXT];
    bool has_below = promised_below(question, offer, rule, below);
    json_t *limits = json_array();

    if (has_below)
        json_array_append_new(limits, limit_json("max_intensity", below));
    for (size_t i = 0; i < rule->count; i++) {
        const struct gl_constraint *constraint = &rule->constraints[i];

        if (is_stated(constraint->key->id) &&
            (!has_below || constraint->key->id != GL_KEY_MAX_INTENSITY))
            json_array_append_new(limits, limit_json(constraint->key->name, constraint->written));
    }
    return json_pack("{s:s,s:o}", "id", rule->id, "limits", limits);
}

/* A rule that only limits the sum of the run says nothing of an hour. */
static bool is_judged_hourly(const struct gl_rule *rule)
{
    for (size_t i = 0; i < rule->count; i++)
        if (is_hourly_limit(rule->constraints[i].key->id) ||
            rule->constraints[i].key->id == GL_KEY_GREEN_BELOW ||
            rule->constraints[i].key->id == GL_KEY_MAX_RATE)
            return true;
    return false;
}

json_t *gl_keeping_rules(const struct gl_question *question, uint32_t offer)
{
    struct gl_reason reasons[REASONS_MAX];
    size_t count = gl_judge_all(question, offer, reasons, REASONS_MAX);
    const struct gl_rule *last = NULL;
    json_t *rules = json_array();

    for (size_t i = 0; i < count; i++) {
        const struct gl_reason *reason = &reasons[i];

        /* Reasons come in the order of rules. */
        if (reason->rule == NULL || reason->rule == last || reason->constraint == NULL ||
            !is_shown_to_hold(reason->constraint->key->id) || reason->outcome != GL_SATISFIED ||
            reason->rule->level == GL_ADVISORY ||
            reason->rule->enforce_from.unix_s > question->now.unix_s ||
            !is_judged_hourly(reason->rule))
            continue;
        last = reason->rule;
        json_array_append_new(rules, rule_json(question, &question->offers[offer], reason->rule));
    }
    return rules;
}

/* ---- reading them back ---- */

static int not_a_rule(struct gl_error *err, size_t rule, const struct gl_error *why)
{
    return gl_fail(err, GL_E_NOT_VERIFIED, "evidence.guarantee.rules[%zu] is no rule: %s", rule,
                   why->text[0] != '\0' ? why->text : "an unknown limit");
}

static int add_rule(struct gl_policy **policy, const json_t *rule, size_t index,
                    struct gl_error *err)
{
    const json_t *limits = json_object_get(rule, "limits");
    const char *id = json_string_value(json_object_get(rule, "id"));
    const char *pairs[2 * GL_KEYS + 1] = {NULL};
    struct gl_error why = {0};
    struct gl_policy *longer;
    size_t count = json_array_size(limits);

    if (id == NULL || count == 0 || count > GL_KEYS)
        return not_a_rule(err, index, &why);
    for (size_t i = 0; i < count; i++) {
        const json_t *limit = json_array_get(limits, i);
        const char *name = json_string_value(json_object_get(limit, "key"));
        const struct gl_key *key = name != NULL ? gl_key_named(name) : NULL;

        pairs[2 * i] = name;
        pairs[2 * i + 1] = json_string_value(json_object_get(limit, "limit"));
        if (key == NULL || !is_stated(key->id) || pairs[2 * i + 1] == NULL)
            return not_a_rule(err, index, &why);
    }
    longer = gl_policy_with_flags(*policy, id, pairs, &why);
    if (longer == NULL)
        return not_a_rule(err, index, &why);
    *policy = longer;
    return 0;
}

int gl_keeping_read_rules(const json_t *rules, struct gl_policy **out, struct gl_error *err)
{
    struct gl_policy *policy = NULL;

    if (json_array_size(rules) > RULES_MAX)
        return gl_fail(err, GL_E_NOT_VERIFIED, "evidence.guarantee.rules holds more than %d",
                       RULES_MAX);
    for (size_t i = 0; i < json_array_size(rules); i++)
        if (add_rule(&policy, json_array_get(rules, i), i, err) != 0) {
            gl_policy_free(policy);
            return -1;
        }
    *out = policy;
    return 0;
}

/* ---- the run ---- */

/* What is known of each zone of the offer: the reported series, then what else the rules saw. */
struct places {
    struct gl_evidence_list others;
    struct gl_zone_facts zones[2];
    const struct gl_series *series[2][2 * GL_EVIDENCE_SERIES_MAX];
    struct gl_offer_place place;
    struct gl_offer offer;
};

static void places_free(struct places **places)
{
    gl_evidence_list_done(&(*places)->others);
    free(*places);
}

static void add_series(const struct gl_evidence_list *list, struct places *places, size_t index)
{
    struct gl_zone_facts *facts = &places->zones[index];

    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->series[i].zone, facts->zone) == 0)
            places->series[index][facts->count++] = &list->series[i];
}

static void add_zone(struct places *places, const char *zone)
{
    struct gl_offer_place *place = &places->place;
    struct gl_zone_facts *facts = &places->zones[place->zone_count];

    *facts = (struct gl_zone_facts){.series = places->series[place->zone_count]};
    snprintf(facts->zone, sizeof facts->zone, "%s", zone != NULL ? zone : "");
    place->zones[place->zone_count++] = facts;
}

/* The offer as it was decided about, and as it is in the place that a move brought it to. */
static void fill_offer(const struct gl_keeping *keeping, const struct gl_run_span *span,
                       struct places *places)
{
    const json_t *zones = json_object_get(json_object_get(keeping->evidence, "offer"), "zones");
    const struct gl_evidence_list *moved;

    places->place = gl_offer_place_in(NULL);
    places->offer = (struct gl_offer){.place = &places->place, .type = &gl_offer_type_unknown};
    if (span != NULL && (span->move > 0 || span->zone[0] == '\0')) {
        add_zone(places, span->zone);
        moved = gl_evidence_moves_find(keeping->moves, span->move);
        if (moved != NULL)
            add_series(moved, places, 0);
        return;
    }
    for (size_t z = 0; z < json_array_size(zones) && z < 2; z++) {
        add_zone(places, json_string_value(json_array_get(zones, z)));
        add_series(keeping->series, places, z);
        add_series(&places->others, places, z);
    }
}

/* Where it is asked about, and as of when: of the decision, or of the move. */
static void stand_at(const struct gl_keeping *keeping, const struct gl_run_span *span,
                     struct places *places, struct gl_question *question)
{
    const json_t *decision = json_object_get(keeping->evidence, "decision");
    bool is_moved = span != NULL && span->move > 0;

    fill_offer(keeping, span, places);
    question->now.unix_s =
        is_moved ? span->since_ms / 1000 : json_integer_value(json_object_get(decision, "at_s"));
}

struct verdict {
    enum gl_outcome outcome;
    const char *why;
    struct gl_reason reason;
    int64_t from_s, until_s;
};

/* The first limit that does not hold in [from, until), violated ones before unknown ones. */
static void judge_interval(struct gl_question *question, struct gl_request *request,
                           struct verdict *verdict)
{
    struct gl_reason reasons[REASONS_MAX];
    size_t count;

    request->start.unix_s = verdict->from_s;
    request->duration.s = verdict->until_s - verdict->from_s;
    count = gl_judge_all(question, 0, reasons, REASONS_MAX);
    verdict->outcome = GL_SATISFIED;
    for (size_t i = 0; i < count && verdict->outcome != GL_VIOLATED; i++) {
        if (reasons[i].outcome == GL_SATISFIED ||
            (verdict->outcome != GL_SATISFIED && reasons[i].outcome != GL_VIOLATED))
            continue;
        verdict->outcome = reasons[i].outcome == GL_VIOLATED ? GL_VIOLATED : GL_OUTCOME_UNKNOWN;
        verdict->reason = reasons[i];
    }
    verdict->why = verdict->outcome == GL_VIOLATED ? "limit" : "evidence";
}

/* A violated interval decides; without one the first unknown interval does. */
static void judge_run(const struct gl_keeping *keeping, const struct gl_policy *policy,
                      struct places *places, int64_t promised_s, struct verdict *out)
{
    struct gl_request request = {.count = 1, .load = 1};
    struct gl_question question = {
        .policy = policy,
        .request = &request,
        .offers = &places->offer,
        .offer_count = 1,
        .has_no_digest = true,
    };

    for (size_t i = 0; i < keeping->slot_count && out->outcome != GL_VIOLATED; i++) {
        const struct gl_run_span *span = keeping->spans != NULL ? keeping->spans[i] : NULL;
        struct verdict one = {.from_s = keeping->slots[i].from_s,
                              .until_s = keeping->slots[i].until_s};

        if (i == 0 || span != keeping->spans[i - 1])
            stand_at(keeping, span, places, &question);
        one.until_s = one.until_s < promised_s ? one.until_s : promised_s;
        if (one.until_s <= one.from_s)
            break;
        judge_interval(&question, &request, &one);
        if (one.outcome == GL_VIOLATED ||
            (one.outcome == GL_OUTCOME_UNKNOWN && out->outcome == GL_SATISFIED))
            *out = one;
    }
}

int gl_keeping_place(const json_t *plan, const struct gl_zone_facts *zone, struct gl_instant now,
                     struct gl_instant until, enum gl_outcome *out, struct gl_str *out_reason,
                     struct gl_error *err)
{
    const json_t *guarantee = json_object_get(plan, "guarantee");
    struct gl_request request = {.count = 1, .load = 1};
    const struct gl_offer_place place = gl_offer_place_in(zone);
    const struct gl_offer offer = {.place = &place, .type = &gl_offer_type_unknown};
    struct gl_question question = {
        .request = &request, .offers = &offer, .offer_count = 1, .now = now, .has_no_digest = true};
    struct verdict verdict = {.from_s = now.unix_s, .until_s = until.unix_s};
    struct gl_policy *policy = NULL;

    if (gl_keeping_read_rules(json_object_get(guarantee, "rules"), &policy, err) != 0)
        return -1;
    verdict.outcome = GL_SATISFIED;
    if (policy != NULL && until.unix_s > now.unix_s) {
        question.policy = policy;
        judge_interval(&question, &request, &verdict);
    }
    if (verdict.outcome != GL_SATISFIED)
        gl_reason_text(&verdict.reason, out_reason);
    gl_policy_free(policy);
    *out = verdict.outcome;
    return 0;
}

static json_t *first_json(const struct verdict *verdict)
{
    const struct gl_reason *reason = &verdict->reason;
    json_t *found = reason->found_u == GL_UNKNOWN ? json_null() : json_integer(reason->found_u);

    if (verdict->outcome == GL_SATISFIED || reason->rule == NULL || reason->constraint == NULL) {
        json_decref(found);
        return json_null();
    }
    return json_pack("{s:I,s:I,s:s,s:s,s:s,s:o}", "from_s", (json_int_t)verdict->from_s, "until_s",
                     (json_int_t)verdict->until_s, "rule", reason->rule->id, "key",
                     reason->constraint->key->name, "limit", reason->constraint->written, "found_u",
                     found);
}

static int judged_json(const struct gl_keeping *keeping, const json_t *guarantee, int64_t until_s,
                       json_t **out, struct gl_error *err)
{
    static const char *const states[] = {"kept", "breached", "unknown"};
    GL_AUTO(places_free) struct places *places = gl_alloc(sizeof *places);
    int64_t from_s = json_integer_value(json_object_get(guarantee, "from_s"));
    int64_t late_s = keeping->method >= 3 ? GL_ENDING_S : 0;
    struct verdict verdict = {.outcome = GL_SATISFIED, .why = ""};
    struct gl_policy *policy = NULL;
    json_t *first;

    if (gl_evidence_list_parse(json_object_get(guarantee, "series"), &places->others, err) != 0)
        return gl_wrap(err, "evidence.guarantee");
    if (gl_keeping_read_rules(json_object_get(guarantee, "rules"), &policy, err) != 0)
        return -1;
    if (policy != NULL)
        judge_run(keeping, policy, places, until_s, &verdict);
    first = first_json(&verdict);
    /* Outside the promised time nothing was promised; without a rule nothing was. */
    if (verdict.outcome == GL_SATISFIED && policy == NULL)
        verdict = (struct verdict){.outcome = GL_OUTCOME_UNKNOWN, .why = "no rule"};
    else if (verdict.outcome == GL_SATISFIED &&
             (keeping->ended_s - late_s > until_s || keeping->started_s < from_s))
        verdict = (struct verdict){.outcome = GL_OUTCOME_UNKNOWN, .why = "time"};
    *out = json_pack("{s:s,s:s,s:o,s:I,s:I}", "state", states[verdict.outcome], "why", verdict.why,
                     "first", first, "run_until_s", (json_int_t)keeping->ended_s,
                     "promised_until_s", (json_int_t)until_s);
    gl_policy_free(policy);
    return 0;
}

int gl_keeping_json(const struct gl_keeping *keeping, json_t **out, struct gl_error *err)
{
    const json_t *guarantee = json_object_get(keeping->evidence, "guarantee");
    int64_t until_s = json_integer_value(json_object_get(guarantee, "until_s"));
    const char *state = keeping->ended_s > until_s     ? "outlived"
                        : !keeping->is_intensity_known ? "unknown"
                                                       : "kept";

    if (!json_is_object(guarantee)) {
        *out = json_null();
        return 0;
    }
    if (keeping->method >= 2)
        return judged_json(keeping, guarantee, until_s, out, err);
    *out = json_pack("{s:s,s:I,s:I}", "state", state, "run_until_s", (json_int_t)keeping->ended_s,
                     "promised_until_s", (json_int_t)until_s);
    return 0;
}
