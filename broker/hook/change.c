/* SPDX-License-Identifier: Apache-2.0 */
/* What a plan changes in grams an hour, and the rules that limit it. */
#include <math.h>
#include <string.h>

#include "broker/hook/judge_part.h"

/* What runs before and after, by what the plan does. */
static const struct {
    bool has_before, has_after;
} sides[] = {
    [GL_CHANGE_NONE] = {true, true},     [GL_CHANGE_READ] = {true, true},
    [GL_CHANGE_CREATE] = {false, true},  [GL_CHANGE_REPLACE] = {true, true},
    [GL_CHANGE_GROW] = {true, true},     [GL_CHANGE_MOVE] = {true, true},
    [GL_CHANGE_UPDATE] = {true, true},   [GL_CHANGE_SHRINK] = {true, true},
    [GL_CHANGE_DELETE] = {true, false},  [GL_CHANGE_FORGET] = {true, true},
    [GL_CHANGE_UNKNOWN] = {false, true},
};

/* Machines that a role stands for itself. */
bool gl_hook_is_counted(const struct gl_intent *intent)
{
    return intent->is_mapped && intent->role != GL_ROLE_TEMPLATE &&
           intent->role != GL_ROLE_SCALER && intent->role != GL_ROLE_OPAQUE;
}

static bool is_same_before(const struct gl_intent *intent)
{
    return intent->place_before == NULL && intent->machine_before == NULL &&
           intent->count_before == NULL;
}

struct side {
    const struct gl_intent_machine *machine;
    const struct gl_intent_place *place;
    const struct gl_intent_count *count;
};

/* Of the variants the dearest; NAN when one has no price. */
static double price_of(const struct gl_hook_judge *judge, const uint32_t *variants, size_t count)
{
    int64_t most = 0;

    for (size_t i = 0; i < count; i++) {
        int64_t price = judge->offers[variants[i]].price_u_usd_per_h;

        if (price == GL_UNKNOWN)
            return (double)NAN;
        most = price > most ? price : most;
    }
    return (double)most / 1e6;
}

static double times(double one, int64_t number)
{
    return number == GL_UNKNOWN ? (double)NAN : number == 0 ? 0 : one * (double)number;
}

static void weigh(struct gl_hook_judge *judge, const struct gl_intent *intent,
                  const struct side *side, double out_grams[3], double *out_usd)
{
    const struct gl_question question = {.policy = judge->ask->policy,
                                         .count_basis = judge->ask->count_basis,
                                         .count_basis_least = judge->ask->count_basis_least};
    uint32_t variants[GL_HOOK_VARIANTS];
    size_t count = gl_hook_variants(judge, intent, side->machine, side->place, variants);
    int64_t counts[GL_COUNT_BASES], number;

    gl_hook_counts(side->count, judge->offers[variants[0]].type->vcpus, counts);
    number = counts[gl_rule_count_basis(&question, NULL)];
    gl_hook_rate_of(judge, variants, count, out_grams);
    for (unsigned part = 0; part < 3; part++)
        out_grams[part] = times(out_grams[part], number);
    *out_usd = times(price_of(judge, variants, count), number);
}

void gl_hook_change_of(struct gl_hook_judge *judge, const struct gl_intent *intent,
                       const struct gl_hook_plan *plan, struct gl_hook_change *out)
{
    const struct side after = {&intent->machine, &intent->place, &intent->count};
    const struct side before = {
        intent->machine_before != NULL ? intent->machine_before : &intent->machine,
        intent->place_before != NULL ? intent->place_before : &intent->place,
        intent->count_before != NULL ? intent->count_before : &intent->count};

    (void)plan;
    *out = (struct gl_hook_change){0};
    if (!gl_hook_is_counted(intent))
        return;
    if (sides[intent->change].has_after)
        weigh(judge, intent, &after, out->after, &out->usd_after);
    if (!sides[intent->change].has_before)
        return;
    if (sides[intent->change].has_after && is_same_before(intent)) {
        memcpy(out->before, out->after, sizeof out->before);
        out->usd_before = out->usd_after;
    } else {
        weigh(judge, intent, &before, out->before, &out->usd_before);
    }
}

static bool is_unmoved(const struct gl_intent *intent)
{
    const char *was =
        intent->place_before != NULL ? intent->place_before->region : intent->place.region;

    return was != NULL && intent->place.region != NULL && strcmp(was, intent->place.region) == 0;
}

/* Nothing is known of before, so it is taken to run on as it is. */
static bool is_unchanged(const struct gl_intent *intent)
{
    return intent->change != GL_CHANGE_CREATE && is_same_before(intent) &&
           sides[intent->change].has_after && sides[intent->change].has_before;
}

/* Larger in units that say nothing of power. */
static bool is_larger(const struct gl_intent *intent)
{
    int64_t is = intent->machine.size_u,
            was = intent->machine_before != NULL ? intent->machine_before->size_u : GL_UNKNOWN;

    return was != GL_UNKNOWN && (is == GL_UNKNOWN || is > was);
}

double gl_hook_usd_delta(const struct gl_intent *intent, const struct gl_hook_change *change)
{
    if (is_unchanged(intent))
        return 0;
    if (is_larger(intent))
        return (double)NAN;
    return change->usd_after - (intent->keeps_old ? 0 : change->usd_before);
}

/* In one place the same intensity stands on both sides; of what is not known before, nothing can
 * be taken off. */
void gl_hook_delta_of(const struct gl_intent *intent, const struct gl_hook_change *change,
                      double out[3])
{
    bool is_same = is_unchanged(intent);
    bool is_wide = !is_unmoved(intent);

    for (unsigned part = 0; part < 3; part++) {
        double before = change->before[is_wide ? 2 - part : part];

        out[part] = change->after[part] - (isnan(before) || intent->keeps_old ? 0 : before);
        if (is_same)
            out[part] = 0;
        else if (is_larger(intent))
            out[part] = (double)NAN;
    }
    if (out[0] > out[2]) {
        double least = out[2];

        out[2] = out[0];
        out[0] = least;
    }
}

/* ---- rules on the whole change ---- */

struct sum {
    /* Upper bound of the one, lower of the other, in whole micrograms an hour: sums of these are
     * exact, whatever their order. */
    double delta, before;
    size_t intents, unknown;
    bool is_before_unknown;
};

static void add_intent(struct gl_hook_judge *judge, const struct gl_rule *rule,
                       const struct gl_intent *intent, const struct gl_hook_plan *plan,
                       struct sum *sum)
{
    uint32_t variants[GL_HOOK_VARIANTS];
    struct gl_hook_change change;
    struct gl_hook_case one;
    double delta[3];

    if (!gl_hook_is_counted(intent))
        return;
    gl_hook_variants(judge, intent, &intent->machine, &intent->place, variants);
    gl_hook_case_of(judge, intent, plan, variants[0], &one);
    if (gl_rule_scope(rule, &one.request, &judge->offers[variants[0]]) == GL_SCOPE_NO)
        return;
    sum->intents++;
    if (intent->change == GL_CHANGE_NONE || intent->change == GL_CHANGE_READ) {
        if (rule->budget->max_increase_share.key == NULL)
            return;
    }
    gl_hook_change_of(judge, intent, plan, &change);
    gl_hook_delta_of(intent, &change, delta);
    sum->unknown += isnan(delta[2]) ? 1 : 0;
    sum->delta += isnan(delta[2]) ? 0 : ceil(delta[2] * 1e6);
    sum->is_before_unknown = sum->is_before_unknown || isnan(change.before[0]);
    sum->before += isnan(change.before[0]) ? 0 : floor(change.before[0] * 1e6);
}

static int64_t millionths(double value)
{
    double scaled = ceil(value * 1e6);

    return scaled >= 9.2e18 ? INT64_MAX : scaled <= -9.2e18 ? -INT64_MAX : (int64_t)scaled;
}

/* One of the two limits; false when the rule does not have it. */
static bool test_limit(const struct gl_rule *rule, const struct gl_constraint *limit,
                       const struct sum *sum, struct gl_reason *out)
{
    bool is_share = limit == &rule->budget->max_increase_share;
    bool is_from_nothing = is_share && !(sum->before > 0) && !sum->is_before_unknown;
    bool is_unknown = sum->unknown > 0 || (is_share && sum->is_before_unknown && sum->delta > 0);

    if (limit->key == NULL)
        return false;
    *out = (struct gl_reason){.rule = rule, .constraint = limit, .found_u = GL_UNKNOWN};
    if (is_unknown) {
        out->outcome = GL_OUTCOME_UNKNOWN;
        out->gap = GL_GAP_POWER;
        return true;
    }
    if (!is_share)
        out->found_u = millionths(sum->delta / 1e6 * GL_HOOK_MONTH_H);
    else if (!is_from_nothing)
        out->found_u = millionths(sum->before > 0 ? sum->delta / sum->before : 0);
    out->outcome = out->found_u != GL_UNKNOWN
                       ? (out->found_u <= limit->number ? GL_SATISFIED : GL_VIOLATED)
                   : sum->delta > 0 ? GL_VIOLATED
                                    : GL_SATISFIED;
    return true;
}

static void say(const struct gl_reason *reason, const struct sum *sum, struct gl_str *out)
{
    if (out->length > 0)
        gl_str_add(out, "; ");
    if (reason->outcome == GL_OUTCOME_UNKNOWN)
        gl_str_addf(out,
                    "what this change adds is unknown: the emissions of %zu resource%s are not "
                    "known",
                    sum->unknown, sum->unknown == 1 ? "" : "s");
    else if (reason->found_u == GL_UNKNOWN)
        gl_str_addf(out, "the change adds %.3g kg a month where nothing ran before",
                    sum->delta / 1e6 * GL_HOOK_MONTH_H / 1000);
    else
        gl_reason_text(reason, out);
}

void gl_hook_admit(const struct gl_hook_judge *judge, const struct gl_reason *reason,
                   struct gl_hook_result *out)
{
    const struct gl_hook_ask *ask = judge->ask;
    const struct gl_question question = {.policy = ask->policy, .now = ask->now, .gate = ask->gate};
    const struct gl_rule *rule = reason->rule;
    bool is_let = reason->outcome == GL_OUTCOME_UNKNOWN &&
                  (rule->on_unknown == GL_UNKNOWN_WARN || rule->on_unknown == GL_UNKNOWN_ALLOW);
    enum gl_finding_state state =
        reason->outcome == GL_VIOLATED || rule->on_unknown == GL_UNKNOWN_ASSUME_WORST
            ? GL_FINDING_BROKEN
            : GL_FINDING_UNKNOWN;

    if (is_let || !gl_rule_binds(&question, rule))
        state = GL_FINDING_WARNED;
    if (out->rule != NULL && out->state == GL_FINDING_BROKEN)
        return;
    out->rule = rule;
    out->state = state;
    out->reason = *reason;
}

static bool judge_rule(struct gl_hook_judge *judge, const struct gl_rule *rule,
                       struct gl_hook_result *out)
{
    const struct gl_hook_ask *ask = judge->ask;
    const struct gl_constraint *limits[] = {&rule->budget->max_increase,
                                            &rule->budget->max_increase_share};
    GL_AUTO(gl_str_done) struct gl_str text = {0};
    struct sum sum = {0};
    struct gl_reason reason;

    *out = (struct gl_hook_result){0};
    for (size_t p = 0; p < ask->plan_count; p++)
        for (size_t i = 0; i < ask->plans[p]->count; i++)
            add_intent(judge, rule, &ask->plans[p]->intents[i], ask->plans[p], &sum);
    if (sum.intents > 0)
        judge->is_rule_used[rule - ask->policy->rules] = true;
    for (size_t i = 0; sum.intents > 0 && i < sizeof limits / sizeof limits[0]; i++)
        if (test_limit(rule, limits[i], &sum, &reason) && reason.outcome != GL_SATISFIED) {
            say(&reason, &sum, &text);
            gl_hook_admit(judge, &reason, out);
        }
    if (out->rule == NULL)
        return false;
    out->message = gl_hook_text(judge->arena, &text);
    out->place = gl_hook_rule_place(judge->arena, rule, out->reason.constraint);
    return true;
}

size_t gl_hook_increases(struct gl_hook_judge *judge, struct gl_hook_result *out)
{
    const struct gl_policy *policy = judge->ask->policy;
    size_t count = 0;

    for (size_t i = 0; i < policy->rule_count; i++) {
        const struct gl_rule *rule = &policy->rules[i];

        if (rule->budget != NULL && (rule->budget->max_increase.key != NULL ||
                                     rule->budget->max_increase_share.key != NULL))
            count += judge_rule(judge, rule, &out[count]);
    }
    return count;
}
