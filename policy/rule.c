/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/draft.h"
#include "policy/judge.h"

#include "base/time.h"

#include <string.h>

#define NEAREST_MAX 256 /* comparing is slow, and a hint is no more than that */

struct gl_rule *gl_policy_rule(const struct gl_policy *policy, const char *id)
{
    const struct gl_policy_memory *memory = policy->memory;

    for (size_t i = 0; i < policy->rule_count; i++)
        if (strcmp(memory->rules[i].id, id) == 0)
            return &memory->rules[i];
    return NULL;
}

const char *gl_policy_nearest_rule(const struct gl_policy *policy,
                                   const struct gl_diagnostics *diagnostics, const char *id)
{
    const char *ids[NEAREST_MAX];
    size_t count = 0;

    if (diagnostics->count == GL_POLICY_MAX_ERRORS)
        return NULL;
    while (count < policy->rule_count && count < NEAREST_MAX) {
        ids[count] = policy->rules[count].id;
        count++;
    }
    return gl_text_nearest(id, ids, count);
}

/* ---- what a rule must be as a whole ---- */

static bool has_key(const struct gl_rule *rule, enum gl_key_id id)
{
    return gl_rule_constraint(rule, id) != NULL;
}

/* Is any of these keys limited, not only how it is judged? Grade and age alone still demand that
 * evidence exists. */
static bool is_limiting(const struct gl_rule *rule)
{
    if (rule->budget != NULL)
        return true;
    for (size_t i = 0; i < rule->count; i++)
        if (gl_key_is_limit(rule->constraints[i].key))
            return true;
    return has_key(rule, GL_KEY_MIN_GRADE) || has_key(rule, GL_KEY_MAX_DATA_AGE);
}

static bool says_what_is_green(const struct gl_rule *rule)
{
    return has_key(rule, GL_KEY_MAX_INTENSITY) || has_key(rule, GL_KEY_MIN_RENEWABLE) ||
           has_key(rule, GL_KEY_MIN_CARBON_FREE) || has_key(rule, GL_KEY_GREEN_BELOW) ||
           has_key(rule, GL_KEY_MAX_RATE);
}

static bool has_promisable_limit(const struct gl_rule *rule)
{
    return has_key(rule, GL_KEY_MAX_INTENSITY) || has_key(rule, GL_KEY_MIN_RENEWABLE) ||
           has_key(rule, GL_KEY_MIN_CARBON_FREE) || has_key(rule, GL_KEY_GREEN_BELOW) ||
           has_key(rule, GL_KEY_MAX_RATE) || has_key(rule, GL_KEY_MAX_TOTAL);
}

#define CONFIDENCE_LEAST_U 500000
#define CONFIDENCE_MOST_U  999000

static int check_rule(const struct gl_reader *reader, const struct gl_rule *rule,
                      const struct gl_mark *mark)
{
    if (!is_limiting(rule))
        return gl_diagnose(&reader->source, mark, GL_E_BAD_VALUE,
                           "rule \"%s\" limits nothing; write a limit, as in max_intensity: 100 "
                           "gCO2e/kWh",
                           rule->id);
    if (has_key(rule, GL_KEY_GREEN_FOR) && !says_what_is_green(rule))
        return gl_diagnose(&reader->source, mark, GL_E_BAD_VALUE,
                           "rule \"%s\" does not say what is green; green_for needs green_below, "
                           "max_intensity, min_renewable, min_carbon_free or max_rate",
                           rule->id);
    if (has_key(rule, GL_KEY_CONFIDENCE) && !has_promisable_limit(rule))
        return gl_diagnose(&reader->source, mark, GL_E_BAD_VALUE,
                           "rule \"%s\" says nothing that could be promised; confidence needs "
                           "max_intensity, min_renewable, min_carbon_free, green_below, max_rate "
                           "or max_total",
                           rule->id);
    if (has_key(rule, GL_KEY_CONFIDENCE) &&
        (gl_rule_number(rule, GL_KEY_CONFIDENCE) < CONFIDENCE_LEAST_U ||
         gl_rule_number(rule, GL_KEY_CONFIDENCE) > CONFIDENCE_MOST_U))
        return gl_diagnose(&reader->source, mark, GL_E_BAD_VALUE,
                           "rule \"%s\" asks for a confidence outside 50%% to 99.9%%", rule->id);
    if (has_key(rule, GL_KEY_MAX_VCPUS) && has_key(rule, GL_KEY_MIN_VCPUS) &&
        gl_rule_number(rule, GL_KEY_MIN_VCPUS) > gl_rule_number(rule, GL_KEY_MAX_VCPUS))
        return gl_diagnose(&reader->source, mark, GL_E_BAD_VALUE,
                           "rule \"%s\" has min_vcpus above max_vcpus, so nothing can satisfy it",
                           rule->id);
    return 0;
}

/* ---- a draft to a rule ---- */

/* The written limits in order of key id. */
static void pack(struct gl_arena *arena, const struct gl_constraint *const *limits,
                 struct gl_rule *out)
{
    struct gl_constraint *packed;
    size_t count = 0;

    for (size_t id = 0; id < GL_KEYS; id++)
        count += limits[id] != NULL;
    packed = gl_arena_take(arena, count * sizeof *packed);
    out->constraints = packed;
    out->count = count;
    for (size_t id = 0; id < GL_KEYS; id++)
        if (limits[id] != NULL)
            *packed++ = *limits[id];
}

/* Add what the defaults say. A rule that rests on no evidence (places, sizes) does not get a grade
 * or an age from them: that would make it demand evidence. */
static void apply_defaults(struct gl_arena *arena, const struct gl_rule_draft *draft,
                           const struct gl_defaults_draft *defaults, struct gl_rule *rule)
{
    const struct gl_constraint *limits[GL_KEYS];
    bool is_timely = false;

    for (size_t i = 0; i < rule->count; i++)
        is_timely = is_timely || gl_key_is_timely(rule->constraints[i].key->id);
    if (defaults == NULL || !is_timely)
        return;
    for (size_t id = 0; id < GL_KEYS; id++)
        limits[id] = draft->limits[id] != NULL ? draft->limits[id] : defaults->limits[id];
    pack(arena, limits, rule);
}

static int64_t said(int64_t written, int64_t absent, int64_t otherwise)
{
    return written == absent ? otherwise : written;
}

int gl_rule_add(struct gl_policy *policy, const struct gl_reader *reader,
                const struct gl_rule_draft *draft, const struct gl_defaults_draft *defaults)
{
    struct gl_policy_memory *memory = policy->memory;
    int level = defaults != NULL ? defaults->level : (int)GL_HARD;
    int on_unknown = defaults != NULL ? defaults->on_unknown : (int)GL_UNKNOWN_REFUSE;
    int basis = (int)said(draft->count_basis, GL_NOT_WRITTEN,
                          defaults != NULL ? defaults->count_basis : GL_NOT_WRITTEN);
    struct gl_rule rule = {
        .id = draft->id,
        .description = draft->description != NULL ? draft->description : "",
        .message = draft->message != NULL ? draft->message : "",
        .pos = gl_pos_of(&reader->source, &draft->mark),
        .match = draft->match,
        .exclude = draft->exclude,
        .has_exclude = gl_yaml_member(draft->node, "exclude") != NULL,
        .level = (enum gl_level)said(draft->level, GL_NOT_WRITTEN, level),
        .on_unknown = (enum gl_on_unknown)said(draft->on_unknown, GL_NOT_WRITTEN, on_unknown),
        .enforce_from = {said(draft->enforce_from_s, GL_UNKNOWN, 0)},
        .budget = gl_budget_of(reader, draft->budget),
        .count_basis = basis != GL_NOT_WRITTEN ? (enum gl_count_basis)basis : GL_COUNT_WORST,
        .has_count_basis = basis != GL_NOT_WRITTEN,
    };

    memcpy(rule.points, draft->points, sizeof rule.points);
    pack(&memory->arena, draft->limits, &rule);
    if (check_rule(reader, &rule, &draft->mark))
        return -1;
    apply_defaults(&memory->arena, draft, defaults, &rule);
    memory->rules = gl_arena_grow(&memory->arena, memory->rules, policy->rule_count, sizeof rule);
    memory->rules[policy->rule_count++] = rule;
    policy->rules = memory->rules;
    return 0;
}

/* ---- overrides ---- */

/* Note a value of an override that is less strict; `was` as written, `place` where. */
static int fail_loosens(const struct gl_reader *reader, const struct gl_node *node,
                        const char *name, const char *was, const struct gl_pos *pos)
{
    char place[GL_POS_TEXT];
    char now[GL_TEXT_SHOWN], before[GL_TEXT_SHOWN];

    if (pos != NULL)
        gl_pos_text(pos, place);
    return gl_diagnose(&reader->source, &node->mark, GL_E_LOOSENS,
                       "%s: %s loosens %s %s%s%s; an override may only tighten", name,
                       gl_text_show(node->kind == GL_NODE_SCALAR ? node->text : "this list", now),
                       pos != NULL ? "the" : "the built-in", gl_text_show(was, before),
                       pos != NULL ? " of " : "", pos != NULL ? place : "");
}

/* Where a key of a rule was written: in it or in its require. */
static const struct gl_node *node_of_key(const struct gl_rule_draft *draft, const char *name)
{
    const struct gl_node *node = gl_yaml_member(draft->node, name);

    return node != NULL ? node : gl_yaml_member(gl_yaml_member(draft->node, "require"), name);
}

static int override_limit(const struct gl_reader *reader, const struct gl_rule_draft *draft,
                          const struct gl_constraint *was, const struct gl_constraint *now)
{
    const struct gl_key *key = now->key;
    struct gl_constraint standard = {.key = key, .number = key->standard};
    char text[GL_VALUE_TEXT];

    if (was == NULL && gl_key_is_limit(key)) /* a new limit can only tighten */
        return 0;
    if (gl_value_is_as_tight(now, was != NULL ? was : &standard))
        return 0;
    return fail_loosens(reader, node_of_key(draft, key->name), key->name,
                        was != NULL ? was->written : gl_value_standard_text(key, text),
                        was != NULL ? &was->pos : NULL);
}

static int override_limits(const struct gl_reader *reader, const struct gl_rule_draft *draft,
                           struct gl_rule *rule)
{
    const struct gl_constraint *limits[GL_KEYS] = {NULL};
    int result = 0;

    for (size_t i = 0; i < rule->count; i++)
        limits[rule->constraints[i].key->id] = &rule->constraints[i];
    for (size_t id = 0; id < GL_KEYS; id++) {
        if (draft->limits[id] == NULL)
            continue;
        result |= override_limit(reader, draft, limits[id], draft->limits[id]);
        limits[id] = draft->limits[id];
    }
    pack(reader->arena, limits, rule);
    return result;
}

/* An override that matches less would loosen, and whether it does cannot always be told. */
static int check_no_match(const struct gl_reader *reader, const struct gl_rule_draft *draft,
                          const char *name)
{
    const struct gl_node *node = gl_yaml_member(draft->node, name);

    if (node == NULL)
        return 0;
    return gl_diagnose(&reader->source, &node->key_mark, GL_E_LOOSENS,
                       "an override keeps the %s of the rule it tightens; write a rule of its own "
                       "instead",
                       name);
}

static const char *enforced_text(const struct gl_rule *rule, char out[GL_INSTANT_TEXT])
{
    return rule->enforce_from.unix_s != 0 ? gl_instant_text(rule->enforce_from, out)
                                          : "immediate force";
}

/* level goes up, on_unknown towards refuse, enforce_from to earlier. */
static int override_words(const struct gl_reader *reader, const struct gl_rule_draft *draft,
                          struct gl_rule *rule)
{
    char date[GL_INSTANT_TEXT];
    int result = 0;

    if (draft->level != GL_NOT_WRITTEN && draft->level < (int)rule->level)
        result = fail_loosens(reader, gl_yaml_member(draft->node, "level"), "level",
                              gl_level_word(rule->level), &rule->pos);
    else if (draft->level != GL_NOT_WRITTEN)
        rule->level = (enum gl_level)draft->level;
    if (draft->on_unknown != GL_NOT_WRITTEN && draft->on_unknown > (int)rule->on_unknown)
        result = fail_loosens(reader, gl_yaml_member(draft->node, "on_unknown"), "on_unknown",
                              gl_on_unknown_word(rule->on_unknown), &rule->pos);
    else if (draft->on_unknown != GL_NOT_WRITTEN)
        rule->on_unknown = (enum gl_on_unknown)draft->on_unknown;
    if (draft->enforce_from_s != GL_UNKNOWN && draft->enforce_from_s > rule->enforce_from.unix_s)
        result = fail_loosens(reader, gl_yaml_member(draft->node, "enforce_from"), "enforce_from",
                              enforced_text(rule, date), &rule->pos);
    else if (draft->enforce_from_s != GL_UNKNOWN)
        rule->enforce_from.unix_s = draft->enforce_from_s;
    return result;
}

/* Stricter at every point, where it says anything of it. */
static int override_points(const struct gl_reader *reader, const struct gl_rule_draft *draft,
                           const struct gl_rule *was, struct gl_rule *rule)
{
    const struct gl_node *node = gl_yaml_member(draft->node, "points");
    int result = 0;

    for (unsigned point = 0; point < GL_GATES; point++) {
        enum gl_level before = gl_rule_level(was, (enum gl_gate)point);

        if (draft->points[point] == 0)
            continue;
        if (draft->points[point] - 1 < (int)before)
            result = fail_loosens(reader, gl_yaml_member(node, gl_gate_words[point]),
                                  gl_gate_words[point], gl_level_word(before), &rule->pos);
        rule->points[point] = draft->points[point];
    }
    return result;
}

static int override_basis(const struct gl_reader *reader, const struct gl_rule_draft *draft,
                          struct gl_rule *rule)
{
    enum gl_count_basis before = rule->has_count_basis ? rule->count_basis : GL_COUNT_WORST;

    if (draft->count_basis == GL_NOT_WRITTEN)
        return 0;
    if (draft->count_basis < (int)before)
        return fail_loosens(reader, gl_yaml_member(draft->node, "count_basis"), "count_basis",
                            gl_count_basis_word(before), &rule->pos);
    rule->count_basis = (enum gl_count_basis)draft->count_basis;
    rule->has_count_basis = true;
    return 0;
}

static bool limits_intensity(const struct gl_rule *rule)
{
    return has_key(rule, GL_KEY_MAX_INTENSITY) || has_key(rule, GL_KEY_GREEN_BELOW) ||
           has_key(rule, GL_KEY_MAX_RATE) || has_key(rule, GL_KEY_MAX_TOTAL);
}

static bool limits_share(const struct gl_rule *rule)
{
    return has_key(rule, GL_KEY_MIN_RENEWABLE) || has_key(rule, GL_KEY_MIN_CARBON_FREE);
}

/* A rule of a grade or age alone demands evidence of the intensity. With a share beside it, it
 * would ask for evidence of the share only. */
static int check_demand(const struct gl_reader *reader, const struct gl_rule *was,
                        const struct gl_rule *now, const struct gl_mark *mark)
{
    bool is_demand = !limits_intensity(was) && !limits_share(was) &&
                     (has_key(was, GL_KEY_MIN_GRADE) || has_key(was, GL_KEY_MAX_DATA_AGE));

    if (!is_demand || limits_intensity(now) || !limits_share(now))
        return 0;
    return gl_diagnose(&reader->source, mark, GL_E_LOOSENS,
                       "rule \"%s\" would no longer demand evidence of the intensity; write a rule "
                       "of its own instead",
                       was->id);
}

int gl_rule_override(const struct gl_reader *reader, struct gl_rule *rule,
                     const struct gl_rule_draft *draft)
{
    struct gl_rule tighter = *rule;
    int result = 0;

    result |= check_no_match(reader, draft, "match");
    result |= check_no_match(reader, draft, "exclude");
    result |= override_words(reader, draft, &tighter);
    result |= override_points(reader, draft, rule, &tighter);
    result |= override_basis(reader, draft, &tighter);
    if (draft->budget != NULL)
        result |= gl_budget_override(reader, draft->budget, &tighter.budget);
    result |= override_limits(reader, draft, &tighter);
    if (draft->description != NULL)
        tighter.description = draft->description;
    if (draft->message != NULL)
        tighter.message = draft->message;
    tighter.pos = gl_pos_of(&reader->source, &draft->mark);
    result |= check_demand(reader, rule, &tighter, &draft->mark);
    if (result || check_rule(reader, &tighter, &draft->mark))
        return -1;
    *rule = tighter;
    return 0;
}
