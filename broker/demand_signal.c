/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/demand_signal.h"

#include <stdio.h>
#include <string.h>

#include "broker/keeping.h"

#define WANTED_MAX_MS INT64_C(1000000000000000)

/* ---- parts ---- */

struct gl_demand gl_demand_begin(const struct gl_world *world, const char *launch, bool is_demo)
{
    struct gl_demand demand = {
        .limit_u = GL_UNKNOWN,
        .found_u = GL_UNKNOWN,
        .key = GL_KEYS,
        .grade = GL_GRADE_E,
        .lost_ms = GL_UNKNOWN,
        .extra_ug = GL_UNKNOWN,
        .at_ms = world->now_ms(world->cookie),
        .is_demo = is_demo,
    };

    if (launch != NULL)
        gl_demand_key_of(launch, &demand);
    else
        gl_demand_draw_key(world, &demand);
    return demand;
}

static int64_t cut_product(int64_t a, int64_t b)
{
    int64_t product;

    return __builtin_mul_overflow(a, b, &product) || product > WANTED_MAX_MS ? WANTED_MAX_MS
                                                                             : product;
}

void gl_demand_want(struct gl_demand *demand, struct gl_span duration, uint32_t count,
                    uint32_t gpus)
{
    int64_t run_s = duration.s > 0 ? duration.s : 0;

    demand->wanted_ms = cut_product(cut_product(run_s, 1000), count > 0 ? count : 1);
    demand->gpu_ms = cut_product(demand->wanted_ms, gpus);
}

/* A limit on places, sizes or prices is the user's own: where it decides, nobody may be told that
 * green supply was missing, and the signal speaks of that limit alone. */
static int write_rule(const struct gl_reason *reason, char out[GL_DEMAND_RULE],
                      struct gl_error *err)
{
    const struct gl_constraint *constraint = reason->constraint;
    struct gl_rule own = *reason->rule;

    if (constraint == NULL || reason->gap != GL_GAP_NONE || constraint->key->id >= GL_KEYS ||
        gl_demand_tells(constraint->key->id))
        return gl_demand_rule(reason->rule, out, err);
    own.constraints = constraint;
    own.count = 1;
    own.budget = NULL;
    return gl_demand_rule(&own, out, err);
}

bool gl_demand_of_reason(const struct gl_reason *reason, struct gl_demand *demand)
{
    const struct gl_constraint *constraint = reason->constraint;
    struct gl_error ignored = {0};

    if (!gl_demand_capability(reason->gap, &demand->capability))
        return false;
    demand->rule[0] = '\0';
    demand->key = GL_KEYS;
    demand->limit_u = demand->found_u = GL_UNKNOWN;
    if (reason->rule != NULL && write_rule(reason, demand->rule, &ignored) != 0)
        return false;
    if (constraint == NULL || constraint->key->id >= GL_KEYS)
        return true;
    demand->key = (int)constraint->key->id;
    if (gl_demand_tells(constraint->key->id)) {
        demand->limit_u = constraint->number;
        demand->found_u = reason->found_u;
    }
    return true;
}

/* ---- of a decision ---- */

/* Is it a green rule that keeps the offer back, and not the user's own place, size or price? */
static bool is_green(const struct gl_reason *reason)
{
    return reason->constraint != NULL && gl_demand_tells(reason->constraint->key->id);
}

static size_t find_provider(const struct gl_demand *signals, size_t count, const char *provider)
{
    size_t i = 0;

    while (i < count && strcmp(signals[i].provider, provider) != 0)
        i++;
    return i;
}

/* What names no type would take any: the nearest offer's, and its GPUs, are nobody's wish. */
static bool names_a_type(const struct gl_request *request)
{
    for (const char *const *type = request->types; type != NULL && *type != NULL; type++)
        if (strcmp(*type, "*") == 0)
            return false;
    return request->types != NULL && request->types[0] != NULL;
}

static bool fill(const struct gl_question *question, const struct gl_judgement *judgement,
                 struct gl_demand *demand)
{
    const struct gl_offer *offer = &question->offers[judgement->offer];
    const struct gl_request *request = question->request;
    const bool has_type = names_a_type(request);

    if (!gl_demand_of_reason(&judgement->reason, demand))
        return false;
    if (demand->capability == GL_CAPABILITY_HOURLY && offer->place->zone_count == 0)
        demand->capability = GL_CAPABILITY_PLACE;
    gl_demand_at(demand, offer->place->cloud, offer->place->region,
                 has_type ? offer->type->name : "");
    demand->grade = judgement->grade <= GL_GRADE_E ? (enum gl_grade)judgement->grade : GL_GRADE_E;
    gl_demand_want(demand, request->duration, request->count,
                   has_type || request->gpu != NULL ? offer->type->gpu_count : 0);
    return true;
}

static enum gl_demand_kind kind_of(enum gl_verdict verdict)
{
    return verdict == GL_LATER             ? GL_DEMAND_LATER
           : verdict == GL_VERDICT_UNKNOWN ? GL_DEMAND_UNKNOWN
                                           : GL_DEMAND_REFUSE;
}

size_t gl_demand_of_decision(const struct gl_question *question, const struct gl_decision *decision,
                             const struct gl_demand *like, struct gl_demand out[GL_DEMAND_PLACES])
{
    size_t count = 0, known = decision->allowed + decision->unknown + decision->violated;

    for (int pass = 0; pass < 2; pass++)
        for (size_t i = decision->allowed; i < known; i++) {
            const struct gl_judgement *judgement = &decision->judgements[decision->ranked[i]];
            const char *provider =
                gl_demand_provider_word(question->offers[judgement->offer].place->cloud);

            if (is_green(&judgement->reason) != (pass == 0) || count == GL_DEMAND_PLACES ||
                find_provider(out, count, provider) < count)
                continue;
            out[count] = *like;
            out[count].kind = kind_of(decision->verdict);
            count += fill(question, judgement, &out[count]);
        }
    return count;
}

void gl_demand_of_policy(const struct gl_policy *policy, char out[GL_DEMAND_RULE])
{
    char one[GL_DEMAND_RULE];
    struct gl_error ignored = {0};

    out[0] = '\0';
    for (size_t r = 0; policy != NULL && r < policy->rule_count; r++)
        if (gl_demand_rule(&policy->rules[r], one, &ignored) == 0 && strchr(one, '=') != NULL &&
            (out[0] == '\0' || strcmp(one, out) < 0))
            snprintf(out, GL_DEMAND_RULE, "%s", one);
}

/* ---- of a launch ---- */

/* A plan states the confidence of a rule beside its limits. */
static int64_t confidence_of(const json_t *rules, const char *id)
{
    const json_t *rule;
    size_t i;

    json_array_foreach(rules, i, rule)
    {
        const char *one = json_string_value(json_object_get(rule, "id"));
        const json_t *ppm = json_object_get(rule, "confidence_ppm");

        if (one != NULL && strcmp(one, id) == 0 && json_is_integer(ppm))
            return (int64_t)json_integer_value(ppm);
    }
    return GL_UNKNOWN;
}

/* The rule as it was before it was stated: constraints in the order of keys. */
static bool normal_form(const struct gl_rule *stated, int64_t confidence, char out[GL_DEMAND_RULE])
{
    struct gl_constraint constraints[GL_KEYS + 1];
    struct gl_rule rule = *stated;
    struct gl_error ignored = {0};
    size_t count;

    if (confidence == GL_UNKNOWN || stated->count > GL_KEYS ||
        gl_rule_constraint(stated, GL_KEY_CONFIDENCE) != NULL)
        return gl_demand_rule(stated, out, &ignored) == 0;
    memcpy(constraints, stated->constraints, stated->count * sizeof *constraints);
    constraints[stated->count] =
        (struct gl_constraint){.key = &gl_keys(&count)[GL_KEY_CONFIDENCE], .number = confidence};
    rule.constraints = constraints;
    rule.count = stated->count + 1;
    return gl_demand_rule(&rule, out, &ignored) == 0;
}

/* The rule of that id, else the first in order of text. */
static void read_rule(const struct gl_policy *policy, const json_t *rules, const char *id,
                      char out[GL_DEMAND_RULE])
{
    char one[GL_DEMAND_RULE];

    out[0] = '\0';
    for (size_t r = 0; r < policy->rule_count; r++) {
        const struct gl_rule *rule = &policy->rules[r];
        bool is_asked = id != NULL && strcmp(rule->id, id) == 0;

        if (!normal_form(rule, confidence_of(rules, rule->id), one) || strchr(one, '=') == NULL)
            continue;
        if (is_asked || out[0] == '\0' || strcmp(one, out) < 0)
            snprintf(out, GL_DEMAND_RULE, "%s", one);
        if (is_asked)
            return;
    }
}

static enum gl_grade grade_of(const json_t *guarantee)
{
    const char *letter = json_string_value(json_object_get(guarantee, "grade"));

    return letter != NULL && letter[0] >= 'A' && letter[0] <= 'E' ? (enum gl_grade)(letter[0] - 'A')
                                                                  : GL_GRADE_E;
}

static uint32_t gpus_of(const json_t *plan)
{
    json_int_t gpus =
        json_integer_value(json_object_get(json_object_get(plan, "machine"), "gpu_count"));

    return gpus > 0 && gpus < UINT16_MAX ? (uint32_t)gpus : 0;
}

bool gl_demand_of_launch(const struct gl_world *world, const struct gl_launch_row *row,
                         const char *rule, struct gl_span left, struct gl_demand *out)
{
    struct gl_error ignored = {0};
    GL_AUTO(gl_auto_json)
    json_t *plan = gl_json_parse(row->plan, strlen(row->plan), "plan", &ignored);
    const json_t *guarantee = json_object_get(plan, "guarantee");
    const json_t *rules = json_object_get(guarantee, "rules");
    struct gl_policy *policy = NULL;

    if (gl_keeping_read_rules(rules, &policy, &ignored) != 0 || policy == NULL)
        return false;
    *out = gl_demand_begin(world, row->launch, row->is_demo);
    read_rule(policy, rules, rule, out->rule);
    gl_policy_free(policy);
    gl_demand_at(out, row->cloud, row->region, row->type);
    gl_demand_want(out, left, 1, gpus_of(plan));
    out->grade = grade_of(guarantee);
    return out->rule[0] != '\0';
}
