/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/unit/policy/one_offer.h"

/* Requests that stand for a resource of a plan, and what a plan leaves open. */

static struct gl_subject subject;

static void from_plan(void)
{
    subject = (struct gl_subject){.role = 0,
                                  .action = 2,
                                  .address = "module.a.aws_instance.web[0]",
                                  .resource = "aws_instance",
                                  .plan = "prod.json",
                                  .counts = {2, 3, 8}};
    request.subject = &subject;
}

static void an_unknown_region_is_neither_green_nor_dirty(void **state)
{
    static const char *const north[] = {"eu-*", NULL};

    (void)state;
    from_plan();
    case_place(&offer)->region = "";
    case_place(&offer)->country = "";
    case_place(&offer)->zone_count = 0;
    limits[0] = case_globs(GL_KEY_REGIONS, north);
    assert_int_equal(judged().outcome, GL_OUTCOME_UNKNOWN);
    limits[0] = case_globs(GL_KEY_NOT_REGIONS, north);
    assert_int_equal(judged().outcome, GL_OUTCOME_UNKNOWN);
    assert_int_equal(judged().reason.gap, GL_GAP_PLACE);
    assert_unknown(GL_KEY_MAX_INTENSITY, GRAMS(3000), GL_GAP_PLACE);
}

static void an_unknown_machine_has_no_size(void **state)
{
    (void)state;
    from_plan();
    case_type(&offer)->name = "";
    case_type(&offer)->vcpus = 0;
    case_type(&offer)->memory_mib = 0;
    assert_unknown(GL_KEY_MAX_VCPUS, 8000000, GL_GAP_TYPE);
    assert_unknown(GL_KEY_MIN_VCPUS, 1000000, GL_GAP_TYPE);
}

/* A rule that may not even be for it: what it finds broken is unknown, what holds holds. */
static void a_rule_for_unknown_places_only_doubts(void **state)
{
    static const char *const east[] = {"us-east-*", NULL};

    (void)state;
    from_plan();
    case_place(&offer)->region = "";
    rule.match.regions = east;
    assert_int_equal(gl_rule_scope(&rule, &request, &offer), GL_SCOPE_MAYBE);
    assert_unknown(GL_KEY_MAX_VCPUS, 2000000, GL_GAP_PLACE);
    limits[0] = case_limit(GL_KEY_MAX_VCPUS, 8000000);
    assert_int_equal(judged().outcome, GL_SATISFIED);
    rule.match = (struct gl_match){0};
    rule.has_exclude = true;
    rule.exclude.regions = east;
    assert_unknown(GL_KEY_MAX_VCPUS, 2000000, GL_GAP_PLACE);
}

static void each_rule_counts_by_its_basis(void **state)
{
    (void)state;
    from_plan();
    question.count_basis = GL_COUNT_WORST;
    assert_limit(GL_KEY_MAX_COUNT, 4000000, GL_VIOLATED, 8000000);
    rule.has_count_basis = true;
    rule.count_basis = GL_COUNT_NOW;
    assert_limit(GL_KEY_MAX_COUNT, 4000000, GL_SATISFIED, 2000000);
    rule.count_basis = GL_COUNT_TYPICAL;
    assert_limit(GL_KEY_MAX_COUNT, 2000000, GL_VIOLATED, 3000000);
    subject.counts[GL_COUNT_TYPICAL] = GL_UNKNOWN;
    assert_unknown(GL_KEY_MAX_COUNT, 9000000, GL_GAP_COUNT);
    assert_unknown(GL_KEY_MAX_RATE, GRAMS(1000000), GL_GAP_COUNT);
}

static void rules_match_what_a_plan_does(void **state)
{
    static const char *const legacy[] = {"module.legacy.**", NULL};
    static const char *const own[] = {"module.a.**", NULL};
    static const char *const aws[] = {"aws_*", NULL};
    static const char *const google[] = {"google_*", NULL};

    (void)state;
    from_plan();
    rule.match.addresses = legacy;
    assert_int_equal(gl_rule_scope(&rule, &request, &offer), GL_SCOPE_NO);
    rule.match.addresses = own;
    rule.match.roles = 1;
    rule.match.actions = 4;
    assert_int_equal(gl_rule_scope(&rule, &request, &offer), GL_SCOPE_YES);
    rule.match.types = aws;
    assert_int_equal(gl_rule_scope(&rule, &request, &offer), GL_SCOPE_YES);
    rule.match.types = google;
    assert_int_equal(gl_rule_scope(&rule, &request, &offer), GL_SCOPE_NO);
    rule.match.types = NULL;
    subject.action = 4;
    assert_int_equal(gl_rule_scope(&rule, &request, &offer), GL_SCOPE_NO);
    request.subject = NULL; /* by hand there is no address */
    assert_int_equal(gl_rule_scope(&rule, &request, &offer), GL_SCOPE_NO);
    rule.match.addresses = NULL;
    assert_int_equal(gl_rule_scope(&rule, &request, &offer), GL_SCOPE_YES);
}

static void waivers_name_addresses_and_plans(void **state)
{
    (void)state;
    from_plan();
    waiver.target = "";
    waiver.address = "module.a.**";
    assert_true(gl_waiver_names(&waiver, &request, &offer));
    waiver.plan = "dev*";
    assert_false(gl_waiver_names(&waiver, &request, &offer));
    waiver.plan = "prod*";
    assert_true(gl_waiver_names(&waiver, &request, &offer));
    waiver.target = "gcp/*/*";
    assert_false(gl_waiver_names(&waiver, &request, &offer));
    request.subject = NULL;
    waiver.target = "aws/*/*";
    assert_false(gl_waiver_names(&waiver, &request, &offer));
}

static void points_have_levels_of_their_own(void **state)
{
    (void)state;
    limits[0] = case_limit(GL_KEY_MAX_INTENSITY, GRAMS(50));
    rule.points[GL_AT_PLAN] = GL_ADVISORY + 1;
    assert_int_equal(judged().outcome, GL_VIOLATED);
    question.gate = GL_AT_PLAN;
    assert_int_equal(judged().outcome, GL_SATISFIED);
    assert_true(judged().has_warning);
}

/* Nothing keeps accounts yet, so a limit of one is not known to hold. */
static void a_budget_limit_is_unknown(void **state)
{
    struct gl_budget budget = {.limit = case_limit(GL_KEY_MAX_TOTAL, 0)};

    (void)state;
    limits[0] = case_limit(GL_KEY_MAX_INTENSITY, GRAMS(200));
    budget.limit.key = gl_budget_key(GL_KEY_BUDGET_LIMIT);
    rule.budget = &budget;
    assert_int_equal(judged().outcome, GL_OUTCOME_UNKNOWN);
    assert_int_equal(judged().reason.gap, GL_GAP_BUDGET);
    rule.on_unknown = GL_UNKNOWN_WARN;
    assert_int_equal(judged().outcome, GL_SATISFIED);
    assert_true(judged().has_warning);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_unknown_region_is_neither_green_nor_dirty),
        TEST(an_unknown_machine_has_no_size),
        TEST(a_rule_for_unknown_places_only_doubts),
        TEST(each_rule_counts_by_its_basis),
        TEST(rules_match_what_a_plan_does),
        TEST(waivers_name_addresses_and_plans),
        TEST(points_have_levels_of_their_own),
        TEST(a_budget_limit_is_unknown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
