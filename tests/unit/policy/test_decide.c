/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/policy/case.h"

#include <math.h>
#include <stdlib.h>

#define OFFERS 6

/* Four zones with 48 hourly forecasts, one offer in each, one rule with one limit. */
static struct case_zone zones[4];
static struct gl_series *intensities[4];
static struct gl_offer offers[OFFERS];
static struct gl_request request;
static struct gl_constraint limits[4];
static struct gl_rule rule;
static struct gl_policy policy;
static struct gl_question question;

static int setup(void **state)
{
    static const char *const regions[] = {"r0", "r1", "r2", "r3"};

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        case_zone_init(&zones[i], regions[i]);
        intensities[i] = case_forecast(&zones[i], GL_INTENSITY, 48, GRAMS(100) * (int64_t)(i + 1));
        offers[i] = case_offer(regions[i], &zones[i]);
        offers[i].price_u_usd_per_h = 500000 - 100000 * (int64_t)i;
    }
    request = case_request(4 * HOUR);
    limits[0] = case_limit(GL_KEY_MAX_INTENSITY, GRAMS(330)); /* r0, r1 and r2, not r3 */
    rule = case_rule("r", limits, 1);
    policy = case_policy(&rule, 1);
    question = (struct gl_question){
        .policy = &policy, .request = &request, .offers = offers, .offer_count = 4, .now = {NOW}};
    return 0;
}

static void assert_ranked(const struct gl_decision *decision, const char *regions)
{
    size_t count = strlen(regions) / 2;

    assert_int_equal(decision->judged - decision->not_asked, count);
    for (size_t i = 0; i < count; i++)
        assert_memory_equal(offers[decision->ranked[i]].place->region, regions + 2 * i, 2);
}

static void assert_sorted(enum gl_sort sort, const char *regions)
{
    struct gl_decision *decision;

    question.sort = sort;
    decision = gl_decide(&question);
    assert_ranked(decision, regions);
    gl_decision_free(decision);
}

static const struct gl_alternative *alternative_of(const struct gl_decision *decision,
                                                   enum gl_alternative_kind kind)
{
    for (size_t i = 0; i < decision->alternative_count; i++)
        if (decision->alternatives[i].kind == kind)
            return &decision->alternatives[i];
    return NULL;
}

static enum gl_verdict verdict(void)
{
    struct gl_decision *decision = gl_decide(&question);
    enum gl_verdict is = decision->verdict;

    gl_decision_free(decision);
    return is;
}

static void allowed_offers_come_first_and_cleanest_first(void **state)
{
    struct gl_decision *decision = gl_decide(&question);

    (void)state;
    assert_int_equal(decision->verdict, GL_ALLOW);
    assert_int_equal(decision->at.unix_s, NOW);
    assert_int_equal(decision->allowed, 3);
    assert_int_equal(decision->violated, 1);
    assert_int_equal(decision->unknown, 0);
    assert_int_equal(decision->not_asked, 0);
    assert_int_equal(decision->alternative_count, 0);
    assert_ranked(decision, "r0r1r2r3");
    assert_true(fabs((double)decision->judgements[1].grams_total[1] - 4 * 0.18 * 200) < 1e-3);
    gl_decision_free(decision);
}

static void unknown_ranks_between_allowed_and_violated(void **state)
{
    struct gl_decision *decision;

    (void)state;
    intensities[0]->is_suspect = true;
    decision = gl_decide(&question);
    assert_ranked(decision, "r1r2r0r3");
    assert_int_equal(decision->unknown, 1);
    gl_decision_free(decision);
}

static void every_sort_has_its_order(void **state)
{
    (void)state;
    limits[0].number = GRAMS(3000);
    assert_sorted(GL_SORT_CARBON, "r0r1r2r3");
    assert_sorted(GL_SORT_PRICE, "r3r2r1r0");
    assert_sorted(GL_SORT_INTENSITY, "r0r1r2r3");
    case_type(&offers[0])->full_w = (struct gl_band){900, 900, 900};
    case_type(&offers[0])->idle_w = (struct gl_band){900, 900, 900};
    assert_sorted(GL_SORT_CARBON, "r1r2r3r0");
    assert_sorted(GL_SORT_INTENSITY, "r0r1r2r3");
    case_forecast(&zones[2], GL_RENEWABLE_SHARE, 48, PERCENT(50));
    case_forecast(&zones[3], GL_RENEWABLE_SHARE, 48, PERCENT(70));
    assert_sorted(GL_SORT_RENEWABLE, "r3r2r1r0"); /* unknown last: r1 and r0 by grams */
}

static void ties_go_to_price_and_then_to_the_name(void **state)
{
    (void)state;
    for (size_t i = 0; i < 4; i++)
        case_place(&offers[i])->zones[0] = &zones[0].facts;
    assert_sorted(GL_SORT_CARBON, "r3r2r1r0");
    offers[0].price_u_usd_per_h = offers[3].price_u_usd_per_h;
    assert_sorted(GL_SORT_CARBON, "r0r3r2r1");
    offers[2].price_u_usd_per_h = GL_UNKNOWN;
    assert_sorted(GL_SORT_CARBON, "r0r3r1r2");
}

static void pareto_marks_what_nothing_beats(void **state)
{
    static const bool expected[OFFERS] = {true, false, true, false, true, false};
    struct gl_decision *decision;

    (void)state;
    limits[0].number = GRAMS(3000);
    offers[1].price_u_usd_per_h = 500000; /* dirtier than r0 at the same price */
    offers[3].price_u_usd_per_h = 300000; /* r2 costs the same and is cleaner */
    offers[4] = offers[2];                /* equal to r2 */
    case_type(&offers[4])->name = "n.large";
    offers[5] = offers[0];
    case_type(&offers[5])->name = "n.large";
    offers[5].price_u_usd_per_h = GL_UNKNOWN;
    question.offer_count = 6;
    decision = gl_decide(&question);
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(decision->judgements[i].is_pareto, expected[i]);
    gl_decision_free(decision);
}

static void violated_offers_are_never_on_the_front(void **state)
{
    struct gl_decision *decision;

    (void)state;
    offers[3].price_u_usd_per_h = 1;
    decision = gl_decide(&question);
    assert_false(decision->judgements[3].is_pareto);
    assert_true(decision->judgements[0].is_pareto);
    gl_decision_free(decision);
}

static void verdicts_follow_the_best_outcome(void **state)
{
    (void)state;
    assert_int_equal(verdict(), GL_ALLOW);
    limits[0].number = GRAMS(1);
    assert_int_equal(verdict(), GL_REFUSE);
    intensities[2]->is_suspect = true;
    assert_int_equal(verdict(), GL_VERDICT_UNKNOWN);
    question.offer_count = 0;
    assert_int_equal(verdict(), GL_REFUSE);
}

static void without_rules_everything_asked_is_allowed(void **state)
{
    (void)state;
    policy.rule_count = 0;
    assert_int_equal(verdict(), GL_ALLOW);
    question.policy = NULL;
    assert_int_equal(verdict(), GL_ALLOW);
    case_place(&offers[0])->zone_count = case_place(&offers[1])->zone_count =
        case_place(&offers[2])->zone_count = case_place(&offers[3])->zone_count = 0;
    assert_int_equal(verdict(), GL_ALLOW);
}

static void places_outside_the_filter_are_offered(void **state)
{
    static const char *const asked[] = {"r3", NULL}, *const clouds[] = {"local", NULL};
    struct gl_decision *decision;

    (void)state;
    request.regions = asked;
    offers[4] = offers[0];
    case_type(&offers[4])->name = "n.large";
    question.offer_count = 5;
    decision = gl_decide(&question);
    assert_int_equal(decision->verdict, GL_REFUSE);
    assert_int_equal(decision->not_asked, 4);
    assert_ranked(decision, "r3");
    assert_int_equal(decision->alternatives[0].kind, GL_ALT_PLACE);
    assert_string_equal(offers[decision->alternatives[0].offer].place->region, "r0");
    assert_string_equal(offers[decision->alternatives[1].offer].place->region,
                        "r1"); /* r0 only once */
    assert_string_equal(offers[decision->alternatives[2].offer].place->region, "r2");
    assert_int_equal(decision->alternatives[2].kind, GL_ALT_PLACE);
    assert_int_not_equal(decision->alternatives[3].kind, GL_ALT_PLACE);
    gl_decision_free(decision);
    case_place(&offers[2])->cloud = case_place(&offers[3])->cloud = clouds[0];
    request.clouds = clouds; /* another region of the asked cloud is the nearest */
    decision = gl_decide(&question);
    assert_string_equal(offers[decision->alternatives[0].offer].place->region, "r2");
    gl_decision_free(decision);
    request.min_vcpus = 64; /* not a matter of place alone */
    decision = gl_decide(&question);
    assert_null(alternative_of(decision, GL_ALT_PLACE));
    gl_decision_free(decision);
}

/* r1 is fine from the tenth hour on, r2 from the thirtieth. */
static void only_later_is_green(void)
{
    for (size_t hour = 0; hour < 48; hour++) {
        intensities[1]->points[hour].high_u = hour < 10 ? GRAMS(300) : GRAMS(250);
        intensities[2]->points[hour].high_u = hour < 30 ? GRAMS(400) : GRAMS(301);
        intensities[0]->points[hour].high_u = GRAMS(400);
    }
    limits[0].number = GRAMS(260);
}

static void a_later_window_is_found_by_hourly_evidence(void **state)
{
    struct gl_decision *decision;
    const struct gl_alternative *later;

    (void)state;
    only_later_is_green();
    decision = gl_decide(&question);
    assert_int_equal(decision->verdict, GL_LATER);
    later = alternative_of(decision, GL_ALT_TIME);
    assert_non_null(later);
    assert_string_equal(offers[later->offer].place->region, "r1");
    assert_int_equal(later->start.unix_s, NOW + 10 * HOUR);
    assert_int_equal(later->duration.s, 4 * HOUR);
    gl_decision_free(decision);
    intensities[1]->points[8].high_u = GRAMS(250); /* over by the asked start */
    request.duration.s = HOUR / 4;
    request.start.unix_s = request.latest_start.unix_s = NOW + 9 * HOUR + 100;
    decision = gl_decide(&question);
    assert_int_equal(alternative_of(decision, GL_ALT_TIME)->start.unix_s, NOW + 10 * HOUR);
    gl_decision_free(decision);
}

static void a_window_after_the_latest_start_is_told_but_is_not_later(void **state)
{
    struct gl_decision *decision;

    (void)state;
    only_later_is_green();
    request.latest_start.unix_s = NOW + 10 * HOUR;
    assert_int_equal(verdict(), GL_LATER);
    request.latest_start.unix_s = NOW + 10 * HOUR - 1;
    decision = gl_decide(&question);
    assert_int_equal(decision->verdict, GL_REFUSE);
    assert_int_equal(alternative_of(decision, GL_ALT_TIME)->start.unix_s, NOW + 10 * HOUR);
    gl_decision_free(decision);
}

static void no_window_is_promised_without_evidence_for_all_of_it(void **state)
{
    (void)state;
    only_later_is_green();
    intensities[1]->count = 13; /* green hours 10..12, four are asked */
    intensities[2]->count = 13;
    assert_int_equal(verdict(), GL_REFUSE);
    request.duration.s = 3 * HOUR;
    assert_int_equal(verdict(), GL_LATER);
}

static void yearly_averages_promise_no_window(void **state)
{
    struct gl_decision *decision;

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        zones[i].facts.count = 0;
        memset(&zones[i].series[0], 0, sizeof zones[i].series[0]);
        case_yearly(&zones[i], GL_INTENSITY, GRAMS(20));
    }
    decision = gl_decide(&question);
    assert_int_equal(decision->verdict, GL_VERDICT_UNKNOWN);
    assert_null(alternative_of(decision, GL_ALT_TIME));
    assert_null(alternative_of(decision, GL_ALT_SIZE));
    gl_decision_free(decision);
}

static void what_time_cannot_change_is_not_promised(void **state)
{
    struct gl_decision *decision;

    (void)state;
    only_later_is_green();
    rule.count = 2;
    limits[1] = case_limit(GL_KEY_MAX_PRICE, 1);
    decision = gl_decide(&question);
    assert_int_equal(decision->verdict, GL_REFUSE);
    assert_null(alternative_of(decision, GL_ALT_TIME));
    gl_decision_free(decision);
}

static void a_rule_in_force_by_then_counts_for_a_later_start(void **state)
{
    struct gl_rule rules[2];

    (void)state;
    only_later_is_green();
    rules[0] = rule;
    rules[1] = case_rule("from-tomorrow", &limits[1], 1);
    limits[1] = case_limit(GL_KEY_MAX_INTENSITY, GRAMS(100));
    rules[1].enforce_from.unix_s = NOW + 20 * HOUR;
    policy = case_policy(rules, 2);
    assert_int_equal(verdict(), GL_LATER);
    rules[1].enforce_from.unix_s = NOW + 10 * HOUR;
    assert_int_equal(verdict(), GL_REFUSE);
}

static void a_shorter_run_that_fits_is_found(void **state)
{
    struct gl_decision *decision;
    const struct gl_alternative *shorter;

    (void)state;
    for (size_t i = 0; i < 4; i++)
        for (size_t hour = i == 2 ? 3 : 1; hour < 48; hour++)
            intensities[i]->points[hour].high_u = GRAMS(2000);
    decision = gl_decide(&question);
    assert_int_equal(decision->verdict, GL_REFUSE);
    shorter = alternative_of(decision, GL_ALT_SIZE);
    assert_non_null(shorter);
    assert_string_equal(offers[shorter->offer].place->region, "r2");
    assert_int_equal(shorter->duration.s, 3 * HOUR);
    assert_int_equal(shorter->start.unix_s, NOW);
    gl_decision_free(decision);
}

static void an_emission_limit_is_searched_too(void **state)
{
    struct gl_decision *decision;

    (void)state;
    limits[0] = case_limit(GL_KEY_MAX_TOTAL, GRAMS(60)); /* r0: 23.76 g/h at the upper bound */
    decision = gl_decide(&question);
    assert_int_equal(decision->verdict, GL_REFUSE);
    assert_int_equal(alternative_of(decision, GL_ALT_SIZE)->duration.s, 2 * HOUR + HOUR / 2);
    assert_int_equal(alternative_of(decision, GL_ALT_SIZE)->offer, 0);
    gl_decision_free(decision);
}

static void the_least_loosening_is_named(void **state)
{
    struct gl_decision *decision;
    const struct gl_alternative *looser;

    (void)state;
    rule.count = 2;
    limits[0].number = GRAMS(100);                    /* r0 has 110: 10 % more */
    limits[1] = case_limit(GL_KEY_MAX_PRICE, 450000); /* r0 costs 500000: two in the way */
    decision = gl_decide(&question);
    looser = alternative_of(decision, GL_ALT_LOOSER);
    assert_non_null(looser);
    assert_string_equal(offers[looser->offer].place->region, "r1");
    assert_ptr_equal(looser->constraint, &limits[0]);
    assert_int_equal(looser->needed_u, GRAMS(220));
    gl_decision_free(decision);
    limits[1].number = 500000;
    decision = gl_decide(&question);
    looser = alternative_of(decision, GL_ALT_LOOSER);
    assert_string_equal(offers[looser->offer].place->region, "r0");
    assert_int_equal(looser->needed_u, GRAMS(110));
    limits[0].number = looser->needed_u; /* and it is enough */
    gl_decision_free(decision);
    assert_int_equal(verdict(), GL_ALLOW);
}

static void loosening_a_floor_is_measured_downwards(void **state)
{
    struct gl_decision *decision;

    (void)state;
    case_forecast(&zones[0], GL_RENEWABLE_SHARE, 48, PERCENT(10));
    case_forecast(&zones[1], GL_RENEWABLE_SHARE, 48, PERCENT(70));
    case_forecast(&zones[2], GL_RENEWABLE_SHARE, 48, PERCENT(30));
    limits[0] = case_limit(GL_KEY_MIN_RENEWABLE, PERCENT(80));
    decision = gl_decide(&question);
    assert_int_equal(decision->verdict, GL_VERDICT_UNKNOWN); /* r3 */
    assert_int_equal(alternative_of(decision, GL_ALT_LOOSER)->offer, 1);
    assert_int_equal(alternative_of(decision, GL_ALT_LOOSER)->needed_u, PERCENT(63));
    gl_decision_free(decision);
}

static void a_yearly_source_before_an_hourly_one_is_not_overruled(void **state)
{
    struct gl_decision *decision;

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        case_yearly(&zones[i], GL_INTENSITY, GRAMS(900));
        zones[i].list[0] = &zones[i].series[1];
        zones[i].list[1] = &zones[i].series[0];
    }
    rule.count = 2;
    limits[1] = case_limit(GL_KEY_MIN_GRADE, GL_GRADE_D);
    decision = gl_decide(&question);
    assert_int_equal(decision->verdict, GL_REFUSE);
    assert_null(alternative_of(decision, GL_ALT_TIME));
    assert_null(alternative_of(decision, GL_ALT_SIZE));
    gl_decision_free(decision);
}

static void nothing_looser_is_named_for_unknown_or_places(void **state)
{
    static const char *const nowhere[] = {"x", NULL};
    struct gl_decision *decision;

    (void)state;
    limits[0] = case_globs(GL_KEY_REGIONS, nowhere);
    decision = gl_decide(&question);
    assert_null(alternative_of(decision, GL_ALT_LOOSER));
    gl_decision_free(decision);
    limits[0] = case_limit(GL_KEY_MAX_INTENSITY, GRAMS(50));
    for (size_t i = 0; i < 4; i++)
        intensities[i]->is_suspect = true;
    rule.on_unknown = GL_UNKNOWN_ASSUME_WORST;
    decision = gl_decide(&question);
    assert_int_equal(decision->violated, 4);
    assert_null(alternative_of(decision, GL_ALT_LOOSER));
    gl_decision_free(decision);
}

static struct gl_hash digest(void)
{
    struct gl_decision *decision = gl_decide(&question);
    struct gl_hash hash = decision->digest;

    gl_decision_free(decision);
    return hash;
}

static void the_digest_does_not_see_the_order_of_offers(void **state)
{
    struct gl_hash before = digest();
    struct gl_offer swapped = offers[0];

    (void)state;
    offers[0] = offers[3];
    offers[3] = swapped;
    assert_memory_equal(digest().bytes, before.bytes, GL_HASH_BYTES);
    assert_sorted(GL_SORT_CARBON, "r0r1r2r3");
}

#define ASSERT_CHANGES(change, back)                                       \
    do {                                                                   \
        struct gl_hash before = digest(), after;                           \
        change;                                                            \
        after = digest();                                                  \
        assert_memory_not_equal(after.bytes, before.bytes, GL_HASH_BYTES); \
        back;                                                              \
        after = digest();                                                  \
        assert_memory_equal(after.bytes, before.bytes, GL_HASH_BYTES);     \
    } while (0)

static void the_digest_sees_everything_else(void **state)
{
    static const char *const tags[] = {"a=b", NULL};

    (void)state;
    ASSERT_CHANGES(policy.digest.bytes[0]++, policy.digest.bytes[0]--);
    ASSERT_CHANGES(request.duration.s++, request.duration.s--);
    ASSERT_CHANGES(request.load = 0.6, request.load = 0.5);
    ASSERT_CHANGES(request.tags = tags, request.tags = NULL);
    ASSERT_CHANGES(request.latest_start.unix_s++, request.latest_start.unix_s--);
    ASSERT_CHANGES(question.now.unix_s++, question.now.unix_s--);
    ASSERT_CHANGES(question.sort = GL_SORT_PRICE, question.sort = GL_SORT_CARBON);
    ASSERT_CHANGES(question.offer_count--, question.offer_count++);
    ASSERT_CHANGES(case_place(&offers[1])->cloud = "awt", case_place(&offers[1])->cloud = "aws");
    ASSERT_CHANGES(case_place(&offers[1])->region = "rx", case_place(&offers[1])->region = "r1");
    ASSERT_CHANGES(case_type(&offers[1])->name = "m.largo",
                   case_type(&offers[1])->name = "m.large");
    ASSERT_CHANGES(offers[1].price_u_usd_per_h++, offers[1].price_u_usd_per_h--);
    ASSERT_CHANGES(intensities[3]->points[0].value_u += GRAMS(1),
                   intensities[3]->points[0].value_u -= GRAMS(1));
    ASSERT_CHANGES(limits[0].number = GRAMS(100), limits[0].number = GRAMS(330));
}

static void absurd_requests_are_survived(void **state)
{
    (void)state;
    limits[0].number = GRAMS(1);
    request.duration.s = INT64_MAX;
    assert_int_equal(verdict(), GL_VERDICT_UNKNOWN);
    request.start.unix_s = INT64_MIN;
    assert_int_equal(verdict(), GL_VERDICT_UNKNOWN);
    request.start.unix_s = INT64_MAX;
    request.duration.s = 1;
    assert_int_equal(verdict(), GL_VERDICT_UNKNOWN);
    request = case_request(-5);
    assert_int_equal(verdict(), GL_VERDICT_UNKNOWN);
    request = case_request(HOUR);
    request.latest_start.unix_s = INT64_MAX;
    assert_int_equal(verdict(), GL_REFUSE);
    gl_decision_free(NULL);
}

/* One dirty hour: no window over it, and the first one after it. */
static void a_dirty_hour_is_stepped_over(void **state)
{
    const struct gl_alternative *later, *shorter;
    struct gl_decision *decision;

    (void)state;
    question.offer_count = 1;
    intensities[0]->points[2].high_u = GRAMS(331);
    decision = gl_decide(&question);
    later = alternative_of(decision, GL_ALT_TIME);
    shorter = alternative_of(decision, GL_ALT_SIZE);
    assert_non_null(later);
    assert_non_null(shorter);
    assert_int_equal(later->start.unix_s, NOW + 3 * HOUR);
    assert_int_equal(shorter->duration.s, 2 * HOUR);
    gl_decision_free(decision);
}

/* The same hour, but another source says otherwise where the first one ends. */
static void a_dirty_hour_of_one_source_does_not_speak_for_another(void **state)
{
    const struct gl_alternative *later;
    struct gl_decision *decision;
    struct gl_series *second = case_forecast(&zones[0], GL_INTENSITY, 48, GRAMS(100));

    (void)state;
    question.offer_count = 1;
    intensities[0]->count = 5;
    intensities[0]->points[4].high_u = GRAMS(331);
    intensities[0]->points[0].high_u = GRAMS(331);
    second->meaning.gases = GL_CO2; /* of another meaning, so that they do not contradict */
    decision = gl_decide(&question);
    later = alternative_of(decision, GL_ALT_TIME);
    assert_non_null(later);
    assert_int_equal(later->start.unix_s, NOW + HOUR + 900); /* past what the first one covers */
    gl_decision_free(decision);
}

#define TEST(function) cmocka_unit_test_setup(function, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(allowed_offers_come_first_and_cleanest_first),
        TEST(unknown_ranks_between_allowed_and_violated),
        TEST(every_sort_has_its_order),
        TEST(ties_go_to_price_and_then_to_the_name),
        TEST(pareto_marks_what_nothing_beats),
        TEST(violated_offers_are_never_on_the_front),
        TEST(verdicts_follow_the_best_outcome),
        TEST(without_rules_everything_asked_is_allowed),
        TEST(places_outside_the_filter_are_offered),
        TEST(a_later_window_is_found_by_hourly_evidence),
        TEST(a_window_after_the_latest_start_is_told_but_is_not_later),
        TEST(no_window_is_promised_without_evidence_for_all_of_it),
        TEST(yearly_averages_promise_no_window),
        TEST(what_time_cannot_change_is_not_promised),
        TEST(a_rule_in_force_by_then_counts_for_a_later_start),
        TEST(a_shorter_run_that_fits_is_found),
        TEST(an_emission_limit_is_searched_too),
        TEST(the_least_loosening_is_named),
        TEST(loosening_a_floor_is_measured_downwards),
        TEST(a_yearly_source_before_an_hourly_one_is_not_overruled),
        TEST(nothing_looser_is_named_for_unknown_or_places),
        TEST(the_digest_does_not_see_the_order_of_offers),
        TEST(the_digest_sees_everything_else),
        TEST(absurd_requests_are_survived),
        TEST(a_dirty_hour_is_stepped_over),
        TEST(a_dirty_hour_of_one_source_does_not_speak_for_another),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
