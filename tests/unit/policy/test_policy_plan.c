/* SPDX-License-Identifier: Apache-2.0 */
#include "policy_text.h"

#include "policy/decide.h"

/* What policies say of plans: whom rules match, at which point, by which number, and budgets. */

#define HEAD "greenlaunch: 1\nrules:\n"

static void rules_match_resources_of_plans(void **state)
{
    struct gl_policy *policy =
        parse_good(HEAD "  - {max_count: 1, match: {role: [launch, group], action: create,\n"
                        "     resource: aws_*, address: ['module.a.**', 'x[\"k,1\"]']},\n"
                        "     exclude: {address: module.legacy.**}}\n");
    const struct gl_match *match = &policy->rules[0].match;

    (void)state;
    assert_int_equal(match->roles, 1 | 2);
    assert_int_equal(match->actions, 4);
    assert_string_equal(match->resources[0], "aws_*");
    assert_string_equal(match->addresses[1], "x[\"k,1\"]");
    assert_string_equal(policy->rules[0].exclude.addresses[0], "module.legacy.**");
    gl_policy_free(policy);
    assert_bad(HEAD "  - {max_count: 1, match: {role: machine}}\n", GL_E_BAD_VALUE, 3, 34,
               "role is launch, group");
    assert_bad(HEAD "  - {max_count: 1, match: {action: []}}\n", GL_E_BAD_VALUE, 3, 36,
               "action is an empty list");
}

static void levels_differ_by_point(void **state)
{
    struct gl_policy *policy =
        parse_good(HEAD "  - {max_count: 1, level: soft, points: {plan: advisory, apply: hard}}\n");
    const struct gl_rule *rule = policy->rules;

    (void)state;
    assert_int_equal(gl_rule_level(rule, GL_AT_PLAN), GL_ADVISORY);
    assert_int_equal(gl_rule_level(rule, GL_AT_APPLY), GL_HARD);
    assert_int_equal(gl_rule_level(rule, GL_AT_LAUNCH), GL_SOFT);
    assert_int_equal(gl_rule_level(rule, GL_AT_MIGRATE), GL_SOFT);
    gl_policy_free(policy);
    assert_bad(HEAD "  - {max_count: 1, points: {deploy: hard}}\n", GL_E_UNKNOWN_KEY, 3, 29,
               "in points");
}

static void defaults_say_how_many_count(void **state)
{
    struct gl_policy *policy =
        parse_good("greenlaunch: 1\ndefaults: {count_basis: typical}\nrules:\n"
                   "  - {id: a, max_count: 1}\n"
                   "  - {id: b, max_count: 1, count_basis: now}\n");
    struct gl_question question = {.policy = policy, .count_basis = GL_COUNT_WORST};

    (void)state;
    assert_int_equal(gl_rule_count_basis(&question, &policy->rules[0]), GL_COUNT_TYPICAL);
    assert_int_equal(gl_rule_count_basis(&question, &policy->rules[1]), GL_COUNT_NOW);
    assert_int_equal(gl_rule_count_basis(&question, NULL), GL_COUNT_TYPICAL);
    question.count_basis_least = GL_COUNT_WORST; /* a call may be stricter, never looser */
    assert_int_equal(gl_rule_count_basis(&question, &policy->rules[1]), GL_COUNT_WORST);
    gl_policy_free(policy);
}

static void budgets_are_kept(void **state)
{
    struct gl_policy *policy = parse_good("greenlaunch: 1\nid: p\nrules:\n"
                                          "  - id: team\n"
                                          "    budget:\n"
                                          "      limit: 50 kg per month\n"
                                          "      of: {tag: team}\n"
                                          "      money: 200 USD per month\n"
                                          "      warn_at: 80%\n"
                                          "      max_increase: 5 kg\n"
                                          "      max_increase_share: 20%\n");
    const struct gl_budget *budget = policy->rules[0].budget;
    GL_AUTO(gl_str_done) struct gl_str text = {0};

    (void)state;
    assert_non_null(budget);
    assert_string_equal(budget->of_tag, "team");
    assert_string_equal(budget->money.written, "200 USD per month");
    assert_int_equal(budget->money.number, 200000000 / 7305 * 10);
    assert_int_equal(budget->max_increase.number, INT64_C(5000000000));
    assert_int_equal(budget->max_increase_share.number, 200000);
    assert_int_equal(budget->warn_at.number, 800000);
    gl_policy_explain(policy, 80, &text);
    assert_non_null(strstr(text.text, "max_increase     5 kg"));
    assert_non_null(strstr(text.text, "at_cap"));
    gl_policy_free(policy);
    assert_bad(HEAD "  - {max_count: 1, budget: {warn_at: 80%}}\n", GL_E_BAD_VALUE, 3, 28,
               "budget limits nothing");
    assert_bad(HEAD "  - {max_count: 1, budget: {max_increase: 5}}\n", GL_E_UNIT_MISSING, 3, 43,
               "max_increase");
    assert_bad(HEAD "  - {max_count: 1, budget: {limit: 1 kg per day, of: team}}\n", GL_E_BAD_VALUE,
               3, 54, "{tag: team}");
}

/* What is kept is kept under names that somebody wrote. */
static void accounts_are_named_by_ids(void **state)
{
    (void)state;
    assert_bad(HEAD "  - {id: cap, budget: {limit: 1 kg per day}}\n", GL_E_BAD_VALUE, 3, 5,
               "the id of its policy");
    assert_bad("greenlaunch: 1\nid: p\nrules:\n  - {budget: {money: 1 USD per day}}\n",
               GL_E_BAD_VALUE, 4, 5, "the id of its rule");
    gl_policy_free(parse_good(HEAD "  - {budget: {max_increase: 1 kg}}\n"));
}

/* The including file's text after an included floor with the rule "r". */
static const char floor_text[] = "greenlaunch: 1\nrules:\n"
                                 "  - {id: r, max_count: 9, points: {plan: soft},\n"
                                 "     count_basis: typical, budget: {max_increase: 5 kg}}\n";

static int load(void *cookie, const char *from, const char *path, struct gl_view *out_text,
                const char **out_name, struct gl_error *err)
{
    (void)cookie, (void)from, (void)err;
    *out_text = view_of(floor_text);
    *out_name = path;
    return 0;
}

static struct gl_policy *over_floor(const char *keys)
{
    const struct gl_policy_loader loader = {NULL, load};
    char text[512];

    snprintf(text, sizeof text,
             "greenlaunch: 1\ninclude: floor.yaml\nrules:\n  - {id: r, override: true, %s}\n",
             keys);
    return gl_policy_parse(view_of(text), "p.yaml", &loader, &found);
}

static void overrides_only_tighten(void **state)
{
    static const char *const looser[] = {"points: {plan: advisory}", "count_basis: now",
                                         "budget: {max_increase: 6 kg}", "points: {launch: soft}"};
    static const char *const tighter[] = {"points: {plan: hard}", "count_basis: worst",
                                          "budget: {max_increase: 4 kg}",
                                          "budget: {max_increase_share: 1%}"};

    (void)state;
    for (size_t i = 0; i < sizeof looser / sizeof looser[0]; i++) {
        assert_null(over_floor(looser[i]));
        assert_int_equal(found.errors[0].code, GL_E_LOOSENS);
    }
    for (size_t i = 0; i < sizeof tighter / sizeof tighter[0]; i++) {
        struct gl_policy *policy = over_floor(tighter[i]);

        assert_non_null(policy);
        assert_non_null(policy->rules[0].budget->max_increase.key);
        gl_policy_free(policy);
    }
}

static void addresses_match_by_part(void **state)
{
    static const struct {
        const char *pattern, *address;
        bool is_match;
    } rows[] = {
        {"aws_instance.web", "aws_instance.web", true},
        {"aws_instance.web", "aws_instance.web[0]", false},
        {"aws_instance.*", "aws_instance.web[0]", true},
        {"aws_instance.*", "module.a.aws_instance.web", false},
        {"*.web", "aws_instance.web", true},
        {"*.web", "module.a.aws_instance.web", false},
        {"**.web", "module.a.aws_instance.web", true},
        {"module.legacy.**", "module.legacy.module.b.aws_instance.web[\"a.b\"]", true},
        {"module.legacy.**", "module.legacy2.aws_instance.web", false},
        {"module.*.aws_instance.*", "module.a.aws_instance.web", true},
        {"module.*.aws_instance.*", "module.a.module.b.aws_instance.web", false},
        {"module.**.web?", "module.a.x.web1", true},
        {"module.**.web?", "module.a.x.web.", false},
        {"x[\"*\"]", "x[\"k\"]", true},
        {"**a**b**c", "xxaxxbxxbxxc", true},
        {"**a*b*c", "a.a.abc", true},
        {"", "", true},
        {"", "a", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (gl_address_match(rows[i].pattern, rows[i].address) != rows[i].is_match)
            fail_msg("%s ~ %s", rows[i].pattern, rows[i].address);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_match_resources_of_plans), cmocka_unit_test(levels_differ_by_point),
        cmocka_unit_test(defaults_say_how_many_count),    cmocka_unit_test(budgets_are_kept),
        cmocka_unit_test(accounts_are_named_by_ids),      cmocka_unit_test(overrides_only_tighten),
        cmocka_unit_test(addresses_match_by_part),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
