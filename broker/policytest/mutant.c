/* SPDX-License-Identifier: Apache-2.0 */
/* Policies with one limit loosened by one unit. A test suite that still passes with such a policy
 * does not hold that limit in place. */
#include <stdio.h>
#include <string.h>

#include "broker/policytest/policytest.h"

/* One unit of each dimension, as people write limits. */
static const struct {
    int dim;
    int64_t step_u;
    const char *text;
} steps[] = {
    {GL_DIM_INTENSITY, 1000000, "1 g/kWh"},
    {GL_DIM_SHARE, 10000, "1%"},
    {GL_DIM_PRICE, 10000, "0.01 USD/h"},
    {GL_DIM_MASS_RATE, 1000000, "1 g/h"},
    {GL_DIM_MASS, 1000000, "1 g"},
    {GL_DIM_COUNT, 1000000, "1"},
    {GL_DIM_SIZE, INT64_C(1073741824) * 1000000, "1 GiB"},
};

#define SPAN_STEP_S 60

/* The limit one unit looser, and what was done; false when there is nothing looser. */
static bool loosen(struct gl_constraint *constraint, const char **out_how)
{
    const struct gl_key *key = constraint->key;
    int sign = key->direction == GL_TIGHTER_UP ? -1 : 1;

    if (key->kind == GL_KIND_SPAN) {
        constraint->number += sign * SPAN_STEP_S;
        *out_how = "1 min";
        return key->direction != GL_TIGHTER_FIXED && constraint->number >= 0;
    }
    if (key->id == GL_KEY_MIN_GRADE) {
        *out_how = "1 grade";
        return ++constraint->number <= GL_GRADE_E;
    }
    if (key->kind == GL_KIND_BOOL) {
        *out_how = "counting biomass";
        return constraint->number++ == 0;
    }
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
        if (steps[i].dim == key->dim &&
            (key->kind == GL_KIND_QUANTITY || key->kind == GL_KIND_COUNT)) {
            constraint->number += sign * steps[i].step_u;
            *out_how = steps[i].text;
            return constraint->number >= 0;
        }
    return false;
}

/* Room for a copy of the rule's constraints without number `left_out` (the count for none). */
static struct gl_constraint *copy_constraints(struct gl_arena *arena, const struct gl_rule *rule,
                                              size_t left_out)
{
    struct gl_constraint *copy = gl_arena_take(arena, (rule->count + 1) * sizeof *copy);
    size_t kept = 0;

    for (size_t i = 0; i < rule->count; i++)
        if (i != left_out)
            copy[kept++] = rule->constraints[i];
    return copy;
}

static char *describe(struct gl_arena *arena, const struct gl_rule *rule,
                      const struct gl_constraint *constraint, const char *how)
{
    GL_AUTO(gl_str_done) struct gl_str text = {0};

    gl_str_addf(&text, "rule %s: %s ", rule->id, constraint->key->name);
    gl_str_add_printable(&text, constraint->written, strlen(constraint->written));
    gl_str_addf(&text, " %s%s", how != NULL ? "loosened by " : "left out", how != NULL ? how : "");
    return gl_arena_text(arena, gl_str_text(&text), text.length);
}

/* The policy with constraint `c` of rule `r` loosened, or left out when it is a list. */
static bool make(const struct gl_policy *policy, size_t r, size_t c, struct gl_arena *arena,
                 struct gl_test_mutant *out)
{
    const struct gl_rule *rule = &policy->rules[r];
    const struct gl_constraint *original = &rule->constraints[c];
    bool is_list = original->key->kind == GL_KIND_GLOBS;
    struct gl_constraint *constraints = copy_constraints(arena, rule, is_list ? c : rule->count);
    struct gl_rule *rules = gl_arena_take(arena, policy->rule_count * sizeof *rules);
    const char *how = NULL;

    if (!is_list && !loosen(&constraints[c], &how))
        return false;
    memcpy(rules, policy->rules, policy->rule_count * sizeof *rules);
    rules[r].constraints = constraints;
    rules[r].count -= is_list;
    *out = (struct gl_test_mutant){.policy = *policy};
    out->policy.rules = rules;
    out->text = describe(arena, rule, original, how);
    return true;
}

size_t gl_test_mutants(const struct gl_policy *policy, struct gl_arena *arena,
                       struct gl_test_mutant **out)
{
    struct gl_test_mutant *mutants;
    size_t most = 0, count = 0;

    for (size_t r = 0; r < policy->rule_count; r++)
        most += policy->rules[r].count;
    mutants = gl_arena_take(arena, (most + 1) * sizeof *mutants);
    for (size_t r = 0; r < policy->rule_count; r++)
        for (size_t c = 0; c < policy->rules[r].count; c++)
            count += make(policy, r, c, arena, &mutants[count]);
    *out = mutants;
    return count;
}
