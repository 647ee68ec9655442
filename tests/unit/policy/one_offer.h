/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_TESTS_UNIT_POLICY_ONE_OFFER_H
#define GL_TESTS_UNIT_POLICY_ONE_OFFER_H

#include "tests/unit/policy/case.h"

#include <math.h>

/* One offer, one zone with an hourly forecast of 12 hours, one rule. Tests change what they need.
 */
static struct case_zone zone, other_zone;
static struct gl_series *intensity, *renewable, *carbon_free;
static struct gl_offer offer;
static struct gl_request request;
static struct gl_constraint limits[8];
static struct gl_rule rule;
static struct gl_waiver waiver;
static struct gl_policy policy;
static struct gl_question question;

static inline int setup(void **state)
{
    (void)state;
    case_zone_init(&zone, "SE-SE1");
    case_zone_init(&other_zone, "PL");
    intensity = case_forecast(&zone, GL_INTENSITY, 12, GRAMS(100));
    renewable = case_forecast(&zone, GL_RENEWABLE_SHARE, 12, PERCENT(90));
    carbon_free = case_forecast(&zone, GL_CARBON_FREE_SHARE, 12, PERCENT(98));
    offer = case_offer("eu-north-1", &zone);
    request = case_request(2 * HOUR);
    rule = case_rule("r", limits, 1);
    policy = case_policy(&rule, 1);
    waiver = (struct gl_waiver){.rule = "r",
                                .target = "aws/eu-north-1/*",
                                .reason = "licence",
                                .owner = "team@example.com",
                                .created = {NOW - DAY},
                                .expires = {NOW + DAY}};
    question = (struct gl_question){
        .policy = &policy, .request = &request, .offers = &offer, .offer_count = 1, .now = {NOW}};
    return 0;
}

static inline void assert_near(float found, double expected)
{
    assert_true(fabs((double)found - expected) < 1e-3);
}

static inline struct gl_judgement judged(void)
{
    struct gl_decision *decision = gl_decide(&question);
    struct gl_judgement judgement = decision->judgements[0];

    gl_decision_free(decision);
    return judgement;
}

static inline void assert_limit(enum gl_key_id key, int64_t number, enum gl_outcome outcome,
                                int64_t found_u)
{
    struct gl_reason reasons[4];

    limits[0] = case_limit(key, number);
    assert_int_equal(judged().outcome, outcome);
    assert_int_equal(gl_judge_all(&question, 0, reasons, 4), 1);
    assert_int_equal(reasons[0].outcome, outcome);
    assert_int_equal(reasons[0].found_u, found_u);
    assert_ptr_equal(reasons[0].constraint, &limits[0]);
    assert_ptr_equal(reasons[0].rule, &rule);
}

static inline void assert_unknown(enum gl_key_id key, int64_t number, enum gl_gap gap)
{
    struct gl_judgement judgement;

    limits[0] = case_limit(key, number);
    judgement = judged();
    assert_int_equal(judgement.outcome, GL_OUTCOME_UNKNOWN);
    assert_int_equal(judgement.reason.gap, gap);
    assert_ptr_equal(judgement.reason.constraint, &limits[0]);
}

static inline void assert_place(enum gl_key_id key, const char *const *globs,
                                enum gl_outcome outcome)
{
    limits[0] = case_globs(key, globs);
    assert_int_equal(judged().outcome, outcome);
}

#define TEST(function) cmocka_unit_test_setup(function, setup)

#endif
