/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/policy/one_offer.h"

static void unknown_is_admitted_only_as_the_rule_says(void **state)
{
    struct gl_judgement judgement;

    (void)state;
    intensity->is_suspect = true;
    limits[0] = case_limit(GL_KEY_MAX_INTENSITY, GRAMS(2999));
    assert_int_equal(judged().outcome, GL_OUTCOME_UNKNOWN);
    rule.on_unknown = GL_UNKNOWN_ASSUME_WORST;
    judgement = judged();
    assert_int_equal(judgement.outcome, GL_VIOLATED);
    assert_true(judgement.reason.found_u == GRAMS(3000));
    assert_int_equal(judgement.reason.gap, GL_GAP_SUSPECT);
    limits[0] = case_limit(GL_KEY_MAX_INTENSITY, GRAMS(3000));
    judgement = judged();
    assert_int_equal(judgement.outcome, GL_SATISFIED);
    assert_true(judgement.has_warning);
    rule.on_unknown = GL_UNKNOWN_WARN;
    limits[0] = case_limit(GL_KEY_MAX_INTENSITY, 1);
    judgement = judged();
    assert_int_equal(judgement.outcome, GL_SATISFIED);
    assert_true(judgement.has_warning);
    assert_int_equal(judgement.grade, GL_GRADE_E);
    rule.on_unknown = GL_UNKNOWN_ALLOW;
    assert_true(judged().has_warning);
    intensity->is_suspect = false; /* what is known is not admitted */
    assert_int_equal(judged().outcome, GL_VIOLATED);
}

static void the_worst_is_assumed_for_every_kind_of_limit(void **state)
{
    static const char *const se[] = {"SE", NULL};
    const int64_t worst_rate = 648000000; /* 0.180 kW * 1.2 * 3000 g/kWh */

    (void)state;
    rule.on_unknown = GL_UNKNOWN_ASSUME_WORST;
    intensity->is_suspect = renewable->is_suspect = true;
    assert_limit(GL_KEY_MIN_RENEWABLE, 1, GL_VIOLATED, 0);
    assert_limit(GL_KEY_MIN_RENEWABLE, 0, GL_SATISFIED, 0);
    assert_limit(GL_KEY_MAX_RATE, worst_rate + 1, GL_SATISFIED, worst_rate);
    assert_limit(GL_KEY_MAX_RATE, worst_rate - 1, GL_VIOLATED, worst_rate);
    case_type(&offer)->full_w.high = NAN;
    assert_limit(GL_KEY_MAX_RATE, INT64_MAX, GL_VIOLATED, GL_UNKNOWN);
    offer.price_u_usd_per_h = GL_UNKNOWN;
    assert_limit(GL_KEY_MAX_PRICE, INT64_MAX, GL_VIOLATED, GL_UNKNOWN);
    case_place(&offer)->country = "";
    assert_place(GL_KEY_COUNTRIES, se, GL_VIOLATED);
}

static void the_grade_rests_on_rules_in_force(void **state)
{
    struct gl_judgement judgement;

    (void)state;
    intensity->points[0].evidence = intensity->points[1].evidence = GL_ANNUAL_AVERAGE;
    limits[0] = case_limit(GL_KEY_MAX_INTENSITY, GRAMS(200));
    rule.on_unknown = GL_UNKNOWN_WARN;
    assert_int_equal(judged().grade, GL_GRADE_E);
    rule.level = GL_ADVISORY;
    judgement = judged();
    assert_int_equal(judgement.grade, GL_GRADE_D); /* of the reported grams alone */
    assert_int_equal(judgement.reason.outcome, GL_SATISFIED);
    case_place(&offer)->zone_count = 0;
    assert_int_equal(judged().grade, GL_GRADE_E);
    policy.rule_count = 0;
    judgement = judged();
    assert_int_equal(judgement.outcome, GL_SATISFIED);
    assert_int_equal(judgement.reason.outcome, GL_SATISFIED);
    assert_null(judgement.reason.rule);
    assert_false(judgement.has_warning);
}

static void yearly_averages_are_reported_though_they_prove_nothing(void **state)
{
    (void)state;
    zone.facts.count = 0;
    memset(zone.series, 0, sizeof zone.series);
    case_yearly(&zone, GL_INTENSITY, GRAMS(20));
    limits[0] = case_limit(GL_KEY_MAX_INTENSITY, GRAMS(200));
    assert_int_equal(judged().outcome, GL_OUTCOME_UNKNOWN);
    assert_near(judged().grams_per_h[1], 0.15 * 1.2 * 20);
}

static void grams_are_reported_within_the_boundary_of_the_rules(void **state)
{
    (void)state;
    case_forecast(&zone, GL_INTENSITY, 12, GRAMS(40))->meaning.boundary = GL_DIRECT;
    rule.count = 2;
    limits[0] = case_limit(GL_KEY_MAX_INTENSITY, GRAMS(200));
    limits[1] = case_limit(GL_KEY_BOUNDARY, GL_DIRECT);
    assert_near(judged().grams_per_h[1], 0.15 * 1.2 * 40);
    limits[1] = case_limit(GL_KEY_RATE, GL_SHORT_RUN_MARGINAL);
    assert_near(judged().grams_per_h[1], 0.15 * 1.2 * 100); /* always the average rate */
}

static void advisory_rules_only_warn(void **state)
{
    struct gl_judgement judgement;

    (void)state;
    limits[0] = case_limit(GL_KEY_MAX_INTENSITY, 1);
    rule.level = GL_ADVISORY;
    judgement = judged();
    assert_int_equal(judgement.outcome, GL_SATISFIED);
    assert_true(judgement.has_warning);
    assert_int_equal(judgement.reason.outcome, GL_VIOLATED);
    assert_ptr_equal(judgement.reason.rule, &rule);
    rule.level = GL_SOFT;
    assert_int_equal(judged().outcome, GL_VIOLATED);
    rule.enforce_from.unix_s = NOW + 1;
    assert_int_equal(judged().outcome, GL_SATISFIED);
    assert_true(judged().has_warning);
    request.start.unix_s = NOW + HOUR; /* the clock decides, not the start */
    assert_int_equal(judged().outcome, GL_SATISFIED);
    rule.enforce_from.unix_s = NOW;
    assert_int_equal(judged().outcome, GL_VIOLATED);
}

static void with_waiver(void)
{
    policy.waivers = &waiver;
    policy.waiver_count = 1;
    limits[0] = case_limit(GL_KEY_MAX_INTENSITY, GRAMS(50));
}

static void a_waiver_in_force_turns_a_violation_into_a_warning(void **state)
{
    struct gl_judgement judgement;

    (void)state;
    with_waiver();
    judgement = judged();
    assert_int_equal(judgement.outcome, GL_SATISFIED);
    assert_true(judgement.has_warning);
    assert_ptr_equal(judgement.reason.waiver, &waiver);
    waiver.created.unix_s = NOW;
    assert_int_equal(judged().outcome, GL_SATISFIED);
    waiver.created.unix_s = NOW + 1;
    assert_int_equal(judged().outcome, GL_VIOLATED);
    assert_null(judged().reason.waiver);
}

static void an_expired_waiver_is_named_and_does_not_help(void **state)
{
    (void)state;
    with_waiver();
    waiver.expires.unix_s = NOW;
    assert_int_equal(judged().outcome, GL_VIOLATED);
    assert_ptr_equal(judged().reason.waiver, &waiver);
    waiver.expires.unix_s = NOW + 1;
    assert_int_equal(judged().outcome, GL_SATISFIED);
}

static void a_waiver_is_exact(void **state)
{
    (void)state;
    with_waiver();
    waiver.target = "aws/eu-west-1/*";
    assert_int_equal(judged().outcome, GL_VIOLATED);
    waiver.target = "aws/eu-north-1/m.large";
    assert_int_equal(judged().outcome, GL_SATISFIED);
    waiver.rule = "another";
    assert_int_equal(judged().outcome, GL_VIOLATED);
}

static void a_waiver_stays_within_its_cap(void **state)
{
    (void)state;
    with_waiver();
    waiver.cap = case_limit(GL_KEY_MAX_INTENSITY, GRAMS(110));
    assert_int_equal(judged().outcome, GL_SATISFIED);
    waiver.cap = case_limit(GL_KEY_MAX_INTENSITY, GRAMS(109));
    assert_int_equal(judged().outcome, GL_VIOLATED);
    assert_null(judged().reason.waiver);
    waiver.cap = case_limit(GL_KEY_MIN_RENEWABLE, PERCENT(50));
    renewable->is_suspect = true; /* a cap that is not known to hold does not hold */
    assert_int_equal(judged().outcome, GL_VIOLATED);
}

static void a_waiver_does_not_make_the_unknown_known(void **state)
{
    (void)state;
    with_waiver();
    intensity->is_suspect = true;
    assert_int_equal(judged().outcome, GL_OUTCOME_UNKNOWN);
    rule.count = 2;
    limits[0] = case_limit(GL_KEY_MIN_RENEWABLE, PERCENT(100)); /* violated, and waived */
    limits[1] = case_limit(GL_KEY_MAX_INTENSITY, GRAMS(50));
    assert_int_equal(judged().outcome, GL_OUTCOME_UNKNOWN);
}

static void a_rule_speaks_only_of_what_it_matches(void **state)
{
    static const char *const aws[] = {"aws", NULL}, *const gcp[] = {"gcp", NULL};
    static const char *const prod[] = {"env=prod", NULL};
    static const char *const tags[] = {"team=x", "env=prod", NULL};

    (void)state;
    limits[0] = case_limit(GL_KEY_MAX_INTENSITY, 1);
    rule.match.clouds = gcp;
    assert_int_equal(judged().outcome, GL_SATISFIED);
    rule.match.clouds = aws;
    assert_int_equal(judged().outcome, GL_VIOLATED);
    rule.match.tags = prod;
    assert_int_equal(judged().outcome, GL_SATISFIED);
    request.tags = tags;
    assert_int_equal(judged().outcome, GL_VIOLATED);
    rule.match.min_vcpus = 5;
    assert_int_equal(judged().outcome, GL_SATISFIED);
    rule.match.min_vcpus = 4;
    rule.match.needs_gpu = true;
    assert_int_equal(judged().outcome, GL_SATISFIED);
    case_type(&offer)->gpu = "T4";
    assert_int_equal(judged().outcome, GL_VIOLATED);
    rule.has_exclude = true;
    rule.exclude.clouds = gcp;
    assert_int_equal(judged().outcome, GL_VIOLATED);
    rule.exclude.clouds = aws;
    assert_int_equal(judged().outcome, GL_SATISFIED);
}

static void the_request_filters_first(void **state)
{
    static const char *const gcp[] = {"gcp", NULL}, *const large[] = {"*.xlarge", NULL};

    (void)state;
    limits[0] = case_limit(GL_KEY_MAX_INTENSITY, GRAMS(200));
    request.min_vcpus = 4;
    request.max_vcpus = 4;
    request.min_memory_mib = request.max_memory_mib = 16384;
    request.arch = "x86_64";
    assert_int_equal(judged().outcome, GL_SATISFIED);
    request.min_vcpus = 5;
    assert_int_equal(judged().outcome, GL_NOT_ASKED);
    request.min_vcpus = 0;
    request.max_vcpus = 3;
    assert_int_equal(judged().outcome, GL_NOT_ASKED);
    request.max_vcpus = 0;
    request.min_memory_mib = 16385;
    assert_int_equal(judged().outcome, GL_NOT_ASKED);
    request.min_memory_mib = 0;
    request.arch = "arm64";
    assert_int_equal(judged().outcome, GL_NOT_ASKED);
    request.arch = NULL;
    request.gpu = "*";
    assert_int_equal(judged().outcome, GL_NOT_ASKED);
    case_type(&offer)->gpu = "T4";
    assert_int_equal(judged().outcome, GL_SATISFIED);
    request.clouds = gcp;
    assert_int_equal(judged().outcome, GL_NOT_ASKED);
    request.clouds = NULL;
    request.regions = gcp;
    assert_int_equal(judged().outcome, GL_NOT_ASKED);
    request.regions = NULL;
    request.types = large;
    assert_int_equal(judged().outcome, GL_NOT_ASKED);
}

static void the_first_of_the_worst_is_the_reason(void **state)
{
    struct gl_reason reasons[8];

    (void)state;
    rule.count = 4;
    limits[0] = case_limit(GL_KEY_MAX_INTENSITY, GRAMS(500));
    limits[1] = case_limit(GL_KEY_MIN_RENEWABLE, PERCENT(10));
    limits[2] = case_limit(GL_KEY_MIN_CARBON_FREE, PERCENT(99));
    limits[3] = case_limit(GL_KEY_MAX_PRICE, 1);
    renewable->is_suspect = true;
    assert_int_equal(judged().outcome, GL_VIOLATED);
    assert_ptr_equal(judged().reason.constraint, &limits[2]);
    assert_int_equal(gl_judge_all(&question, 0, reasons, 8), 4);
    assert_int_equal(reasons[0].outcome, GL_SATISFIED);
    assert_int_equal(reasons[1].outcome, GL_OUTCOME_UNKNOWN);
    assert_int_equal(reasons[2].outcome, GL_VIOLATED);
    assert_int_equal(reasons[3].outcome, GL_VIOLATED);
    assert_int_equal(gl_judge_all(&question, 0, reasons, 2), 2);
    assert_int_equal(gl_judge_all(&question, 1, reasons, 8), 0);
    request.min_vcpus = 64;
    assert_int_equal(gl_judge_all(&question, 0, NULL, 0), 0);
    assert_int_equal(gl_judge_all(&question, 0, reasons, 8), 5); /* not asked, and why else */
    assert_int_equal(reasons[0].outcome, GL_NOT_ASKED);
    (void)carbon_free;
}

static void assert_text(const char *expected)
{
    struct gl_str text = {0};
    struct gl_reason reasons[4];

    assert_true(gl_judge_all(&question, 0, reasons, 4) > 0);
    gl_reason_text(&reasons[0], &text);
    assert_string_equal(gl_str_text(&text), expected);
    gl_str_done(&text);
}

static void reasons_read_as_sentences(void **state)
{
    static const char *const us[] = {"us-*", "eu-west-?", NULL}, *const se[] = {"SE", NULL};

    (void)state;
    limits[0] = case_limit(GL_KEY_MIN_RENEWABLE, PERCENT(95));
    assert_text("renewable share 81 % is below 95 % (policy.yaml:12)");
    limits[0] = case_limit(GL_KEY_MIN_RENEWABLE, PERCENT(80));
    assert_text("renewable share 81 % is within 80 % (policy.yaml:12)");
    limits[0] = case_limit(GL_KEY_MIN_RENEWABLE, PERCENT(81) + 1); /* never "81 is below 81" */
    assert_text("renewable share 81 % is below 81.0001 % (policy.yaml:12)");
    limits[0] = case_limit(GL_KEY_MAX_INTENSITY, GRAMS(50));
    assert_text("carbon intensity 110 gCO2e/kWh is above 50 gCO2e/kWh (policy.yaml:12)");
    limits[0] = case_limit(GL_KEY_MAX_RATE, 12500000);
    assert_text("emission rate 23.8 g/h is above 12.5 g/h (policy.yaml:12)");
    limits[0] = case_limit(GL_KEY_MAX_MEMORY, INT64_C(8589934592000000));
    limits[0].pos.line = 0;
    assert_text("memory 16 GiB is above 8 GiB (policy.yaml)");
    limits[0] = case_globs(GL_KEY_REGIONS, us);
    assert_text("region is not one of us-*, eu-west-? (policy.yaml:12)");
    limits[0] = case_globs(GL_KEY_NOT_COUNTRIES, se);
    rule.level = GL_ADVISORY;
    assert_text("country is one of SE, advisory (policy.yaml:12)");
    rule.level = GL_HARD;
    limits[0] = case_limit(GL_KEY_MIN_GRADE, GL_GRADE_C);
    limits[0].pos.file[0] = '\0';
    assert_text("evidence of carbon intensity is at hand");
}

static void unknowns_and_waivers_read_as_sentences(void **state)
{
    (void)state;
    intensity->is_suspect = true;
    limits[0] = case_limit(GL_KEY_MAX_INTENSITY, GRAMS(50));
    assert_text("carbon intensity is unknown: the evidence is contradictory or impossible "
                "(policy.yaml:12)");
    rule.on_unknown = GL_UNKNOWN_ASSUME_WORST;
    assert_text("carbon intensity is unknown: the evidence is contradictory or impossible, the "
                "worst is assumed (policy.yaml:12)");
    rule.on_unknown = GL_UNKNOWN_WARN;
    assert_text("carbon intensity is unknown: the evidence is contradictory or impossible, "
                "admitted by on_unknown (policy.yaml:12)");
    intensity->is_suspect = false;
    with_waiver();
    assert_text("carbon intensity 110 gCO2e/kWh is above 50 gCO2e/kWh (policy.yaml:12), waived "
                "until 2026-03-11 by team@example.com");
    waiver.expires.unix_s = NOW - DAY;
    assert_text("carbon intensity 110 gCO2e/kWh is above 50 gCO2e/kWh (policy.yaml:12), its "
                "waiver expired on 2026-03-09, owner team@example.com");
}

static void other_reasons_and_words(void **state)
{
    static const char *const gcp[] = {"gcp", NULL};
    struct gl_reason none = {.outcome = GL_SATISFIED};
    struct gl_str text = {0};

    (void)state;
    request.clouds = gcp;
    limits[0] = case_limit(GL_KEY_MAX_INTENSITY, GRAMS(50));
    assert_text("outside the asked clouds, regions, types or sizes");
    gl_reason_text(&none, &text);
    assert_string_equal(gl_str_text(&text), "every rule holds");
    gl_str_done(&text);
    for (int gap = GL_GAP_NONE; gap <= GL_GAP_MARKET; gap++)
        assert_non_null(gl_gap_sentence((enum gl_gap)gap));
    assert_string_equal(gl_gap_sentence((enum gl_gap)99), "the evidence is not usable");
    assert_string_equal(gl_verdict_word(GL_LATER), "later");
    assert_string_equal(gl_verdict_word((enum gl_verdict)9), "unknown");
    assert_string_equal(gl_outcome_word(GL_NOT_ASKED), "not asked");
    assert_string_equal(gl_outcome_word((enum gl_outcome)9), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(unknown_is_admitted_only_as_the_rule_says),
        TEST(the_worst_is_assumed_for_every_kind_of_limit),
        TEST(the_grade_rests_on_rules_in_force),
        TEST(yearly_averages_are_reported_though_they_prove_nothing),
        TEST(grams_are_reported_within_the_boundary_of_the_rules),
        TEST(advisory_rules_only_warn),
        TEST(a_waiver_in_force_turns_a_violation_into_a_warning),
        TEST(an_expired_waiver_is_named_and_does_not_help),
        TEST(a_waiver_is_exact),
        TEST(a_waiver_stays_within_its_cap),
        TEST(a_waiver_does_not_make_the_unknown_known),
        TEST(a_rule_speaks_only_of_what_it_matches),
        TEST(the_request_filters_first),
        TEST(the_first_of_the_worst_is_the_reason),
        TEST(reasons_read_as_sentences),
        TEST(unknowns_and_waivers_read_as_sentences),
        TEST(other_reasons_and_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
