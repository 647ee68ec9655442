/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/policy/one_offer.h"

static void a_ceiling_takes_the_upper_bound(void **state)
{
    (void)state;
    assert_limit(GL_KEY_MAX_INTENSITY, GRAMS(110), GL_SATISFIED, GRAMS(110));
    assert_limit(GL_KEY_MAX_INTENSITY, GRAMS(110) - 1, GL_VIOLATED, GRAMS(110));
}

static void a_floor_takes_the_lower_bound(void **state)
{
    (void)state;
    assert_limit(GL_KEY_MIN_RENEWABLE, PERCENT(81), GL_SATISFIED, PERCENT(81));
    assert_limit(GL_KEY_MIN_RENEWABLE, PERCENT(81) + 1, GL_VIOLATED, PERCENT(81));
    assert_limit(GL_KEY_MIN_CARBON_FREE, 882000, GL_SATISFIED, 882000);
    assert_limit(GL_KEY_MIN_CARBON_FREE, 882001, GL_VIOLATED, 882000);
}

static void the_whole_duration_counts(void **state)
{
    (void)state;
    renewable->points[1].low_u = PERCENT(10);
    assert_limit(GL_KEY_MIN_RENEWABLE, PERCENT(80), GL_VIOLATED, PERCENT(10));
    request.duration.s = HOUR;
    assert_limit(GL_KEY_MIN_RENEWABLE, PERCENT(80), GL_SATISFIED, PERCENT(81));
    request.duration.s = 13 * HOUR;
    assert_unknown(GL_KEY_MIN_RENEWABLE, PERCENT(80), GL_GAP_COVERAGE);
    request.duration.s = 0;
    assert_unknown(GL_KEY_MIN_RENEWABLE, PERCENT(80), GL_GAP_COVERAGE);
}

static void a_missing_bound_or_zone_is_unknown(void **state)
{
    (void)state;
    renewable->points[0].low_u = GL_UNKNOWN;
    assert_unknown(GL_KEY_MIN_RENEWABLE, 0, GL_GAP_NO_BOUND);
    assert_true(judged().reason.found_u == PERCENT(90));
    case_place(&offer)->zone_count = 0;
    assert_unknown(GL_KEY_MAX_INTENSITY, GRAMS(3000), GL_GAP_MISSING);
}

static void a_disputed_zone_is_judged_by_the_worse(void **state)
{
    (void)state;
    case_forecast(&other_zone, GL_INTENSITY, 12, GRAMS(200));
    case_place(&offer)->zones[1] = &other_zone.facts;
    case_place(&offer)->zone_count = 2;
    assert_limit(GL_KEY_MAX_INTENSITY, GRAMS(220), GL_SATISFIED, GRAMS(220));
    assert_limit(GL_KEY_MAX_INTENSITY, GRAMS(219), GL_VIOLATED, GRAMS(220));
    assert_near(judged().grams_per_h[1], 150 * 1.2 * 0.2);
    assert_unknown(GL_KEY_MIN_RENEWABLE, PERCENT(10), GL_GAP_MISSING); /* of the second zone */
    assert_limit(GL_KEY_MAX_INTENSITY, GRAMS(100), GL_VIOLATED, GRAMS(220));
    case_place(&offer)->zones[0] = &other_zone.facts;
    case_place(&offer)->zones[1] = &zone.facts;
    assert_limit(GL_KEY_MAX_INTENSITY, GRAMS(219), GL_VIOLATED, GRAMS(220));
    assert_limit(GL_KEY_MAX_INTENSITY, GRAMS(50), GL_VIOLATED, GRAMS(220)); /* of two violations */
    other_zone.points[0][0].evidence = GL_MEASURED;
    other_zone.points[0][1].evidence = GL_MEASURED;
    other_zone.points[0][1].from_s = NOW;
    other_zone.points[0][0].until_s = NOW;
    other_zone.points[0][0].from_s = NOW - HOUR;
    assert_int_equal(judged().grade, GL_GRADE_C); /* the worse of A and C */
}

/* 90..120 W idle and 180..240 W full at half load: 135, 150, 180 W; times PUE 1.2. */
static void emissions_are_watts_times_intensity_at_the_upper_bound(void **state)
{
    struct gl_judgement judgement;
    const int64_t rate = 23760000; /* 0.180 kW * 1.2 * 110 g/kWh = 23.76 g/h */

    (void)state;
    assert_limit(GL_KEY_MAX_RATE, rate + 1, GL_SATISFIED, rate);
    assert_limit(GL_KEY_MAX_RATE, rate - 1, GL_VIOLATED, rate);
    assert_limit(GL_KEY_MAX_TOTAL, 2 * rate + 1, GL_SATISFIED, 2 * rate);
    judgement = judged();
    assert_near(judgement.grams_per_h[0], 0.135 * 1.2 * 90);
    assert_near(judgement.grams_per_h[1], 0.150 * 1.2 * 100);
    assert_near(judgement.grams_per_h[2], 23.76);
    assert_near(judgement.grams_total[1], 36);
    request.count = 3;
    assert_limit(GL_KEY_MAX_RATE, rate, GL_VIOLATED, 3 * rate);
}

static void load_scales_between_idle_and_full(void **state)
{
    static const struct {
        double load, watts;
    } rows[] = {{0, 100}, {1, 200}, {0.25, 125}, {-3, 100}, {7, 200}, {NAN, 200}};

    (void)state;
    case_place(&offer)->pue = 1;
    assert_near(judged().grams_per_h[1], 150 * 0.1);
    case_place(&offer)->pue = 1.2;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        request.load = rows[i].load;
        assert_near(judged().grams_per_h[1], rows[i].watts * 1.2 * 0.1);
    }
}

static void unusable_power_is_unknown_and_no_grams_come_out(void **state)
{
    static const struct gl_band bad[] = {
        {0, 0, 0}, {-1, 200, 300}, {200, 100, 300}, {NAN, 200, 300}, {100, 200, INFINITY}};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        case_type(&offer)->full_w = bad[i];
        assert_unknown(GL_KEY_MAX_RATE, GRAMS(1000000), GL_GAP_POWER);
        assert_true(judged().grams_per_h[1] < 0);
    }
    for (size_t i = 1; i < sizeof bad / sizeof bad[0]; i++) {
        offer = case_offer("eu-north-1", &zone);
        case_type(&offer)->idle_w = bad[i];
        assert_unknown(GL_KEY_MAX_RATE, GRAMS(1000000), GL_GAP_POWER);
    }
    offer = case_offer("eu-north-1", &zone);
    case_type(&offer)->idle_w = (struct gl_band){90, 100, 241}; /* more idle than full */
    assert_unknown(GL_KEY_MAX_RATE, GRAMS(1000000), GL_GAP_POWER);
    offer = case_offer("eu-north-1", &zone);
    case_place(&offer)->pue = 0.9;
    assert_unknown(GL_KEY_MAX_TOTAL, GRAMS(1000000), GL_GAP_POWER);
    case_place(&offer)->pue = NAN;
    assert_unknown(GL_KEY_MAX_TOTAL, GRAMS(1000000), GL_GAP_POWER);
}

static void prices_and_sizes_are_compared(void **state)
{
    (void)state;
    assert_limit(GL_KEY_MAX_PRICE, 500000, GL_SATISFIED, 500000);
    assert_limit(GL_KEY_MAX_PRICE, 499999, GL_VIOLATED, 500000);
    assert_limit(GL_KEY_MIN_VCPUS, 4000000, GL_SATISFIED, 4000000);
    assert_limit(GL_KEY_MIN_VCPUS, 5000000, GL_VIOLATED, 4000000);
    assert_limit(GL_KEY_MAX_VCPUS, 4000000, GL_SATISFIED, 4000000);
    assert_limit(GL_KEY_MAX_VCPUS, 3000000, GL_VIOLATED, 4000000);
    assert_limit(GL_KEY_MAX_MEMORY, INT64_C(17179869184000000), GL_SATISFIED,
                 INT64_C(17179869184000000));
    assert_limit(GL_KEY_MAX_MEMORY, INT64_C(17179869183999999), GL_VIOLATED,
                 INT64_C(17179869184000000));
    request.count = 2;
    assert_limit(GL_KEY_MAX_COUNT, 2000000, GL_SATISFIED, 2000000);
    assert_limit(GL_KEY_MAX_COUNT, 1000000, GL_VIOLATED, 2000000);
    offer.price_u_usd_per_h = GL_UNKNOWN;
    assert_unknown(GL_KEY_MAX_PRICE, INT64_MAX, GL_GAP_PRICE);
    case_type(&offer)->vcpus = 0;
    assert_unknown(GL_KEY_MIN_VCPUS, 0, GL_GAP_MISSING);
    case_type(&offer)->memory_mib = UINT32_MAX; /* more bytes than millionths can hold */
    assert_limit(GL_KEY_MAX_MEMORY, INT64_MAX - 1, GL_VIOLATED, INT64_MAX);
}

static void places_are_globs(void **state)
{
    static const char *const north[] = {"us-east-1", "eu-north*", NULL}, *const us[] = {"us-*",
                                                                                        NULL};
    static const char *const se[] = {"NO", "SE", NULL}, *const pl[] = {"PL", NULL};

    (void)state;
    assert_place(GL_KEY_REGIONS, north, GL_SATISFIED);
    assert_place(GL_KEY_REGIONS, us, GL_VIOLATED);
    assert_place(GL_KEY_NOT_REGIONS, north, GL_VIOLATED);
    assert_place(GL_KEY_NOT_REGIONS, us, GL_SATISFIED);
    assert_place(GL_KEY_COUNTRIES, se, GL_SATISFIED);
    assert_place(GL_KEY_COUNTRIES, pl, GL_VIOLATED);
    assert_place(GL_KEY_NOT_COUNTRIES, se, GL_VIOLATED);
    assert_place(GL_KEY_NOT_COUNTRIES, pl, GL_SATISFIED);
    case_place(&offer)->country = "";
    assert_place(GL_KEY_COUNTRIES, se, GL_OUTCOME_UNKNOWN);
    assert_place(GL_KEY_NOT_COUNTRIES, se, GL_OUTCOME_UNKNOWN);
}

static void the_rule_says_what_evidence_counts(void **state)
{
    (void)state;
    rule.count = 2;
    limits[0] = case_limit(GL_KEY_MAX_INTENSITY, GRAMS(200));
    limits[1] = case_limit(GL_KEY_MIN_GRADE, GL_GRADE_B);
    assert_int_equal(judged().reason.gap, GL_GAP_GRADE);
    limits[1] = case_limit(GL_KEY_MIN_GRADE, GL_GRADE_C);
    assert_int_equal(judged().outcome, GL_SATISFIED);
    assert_int_equal(judged().grade, GL_GRADE_C);
    limits[1] = case_limit(GL_KEY_MAX_DATA_AGE, HOUR - 1);
    assert_int_equal(judged().reason.gap, GL_GAP_STALE);
    limits[1] = case_limit(GL_KEY_MAX_DATA_AGE, HOUR);
    assert_int_equal(judged().outcome, GL_SATISFIED);
    limits[1] = case_limit(GL_KEY_ACCOUNTING, GL_MARKET);
    assert_int_equal(judged().reason.gap, GL_GAP_MEANING);
    limits[1] = case_limit(GL_KEY_RATE, GL_SHORT_RUN_MARGINAL);
    assert_int_equal(judged().reason.gap, GL_GAP_MEANING);
    limits[1] = case_limit(GL_KEY_BOUNDARY, GL_DIRECT);
    assert_int_equal(judged().reason.gap, GL_GAP_MEANING);
    limits[0] = case_limit(GL_KEY_MIN_RENEWABLE, PERCENT(50));
    limits[1] = case_limit(GL_KEY_BIOMASS, 0);
    assert_int_equal(judged().reason.gap, GL_GAP_MEANING);
    renewable->meaning.share_of = GL_OF_WIND | GL_OF_HYDRO;
    assert_int_equal(judged().outcome, GL_SATISFIED);
}

static void yearly_averages_count_only_from_grade_d_and_never_for_green_time(void **state)
{
    (void)state;
    zone.facts.count = 0;
    memset(zone.series, 0, sizeof zone.series);
    case_yearly(&zone, GL_INTENSITY, GRAMS(20));
    limits[0] = case_limit(GL_KEY_MAX_INTENSITY, GRAMS(20));
    assert_int_equal(judged().reason.gap, GL_GAP_GRADE);
    rule.count = 2;
    limits[1] = case_limit(GL_KEY_MIN_GRADE, GL_GRADE_D);
    assert_int_equal(judged().outcome, GL_SATISFIED);
    assert_int_equal(judged().grade, GL_GRADE_D);
    assert_false(judged().has_warning);
    rule.count = 3;
    limits[2] = case_limit(GL_KEY_GREEN_FOR, HOUR);
    assert_int_equal(judged().reason.gap, GL_GAP_NOT_HOURLY);
}

static void coarse_forecasts_do_not_count_up_to_grade_c(void **state)
{
    (void)state;
    intensity->count = 1;
    intensity->points[0].until_s = NOW + 3 * HOUR;
    assert_unknown(GL_KEY_MAX_INTENSITY, GRAMS(200), GL_GAP_NOT_HOURLY);
}

static void green_time_extends_the_limits(void **state)
{
    (void)state;
    rule.count = 2;
    limits[0] = case_limit(GL_KEY_MAX_INTENSITY, GRAMS(110));
    limits[1] = case_limit(GL_KEY_GREEN_FOR, 6 * HOUR);
    assert_int_equal(judged().outcome, GL_SATISFIED);
    intensity->points[5].high_u = GRAMS(300);
    assert_int_equal(judged().outcome, GL_VIOLATED);
    assert_true(judged().reason.found_u == GRAMS(300));
    limits[1] = case_limit(GL_KEY_GREEN_FOR, 5 * HOUR);
    assert_int_equal(judged().outcome, GL_SATISFIED);
    limits[1] = case_limit(GL_KEY_GREEN_FOR, 13 * HOUR);
    intensity->points[5].high_u = GRAMS(110);
    assert_int_equal(judged().reason.gap, GL_GAP_COVERAGE);
}

static void green_below_holds_in_the_green_time_only(void **state)
{
    (void)state;
    rule.count = 2;
    limits[0] = case_limit(GL_KEY_GREEN_FOR, HOUR);
    limits[1] = case_limit(GL_KEY_GREEN_BELOW, GRAMS(110));
    intensity->points[1].high_u = GRAMS(900);
    assert_int_equal(judged().outcome, GL_SATISFIED);
    limits[0] = case_limit(GL_KEY_GREEN_FOR, 2 * HOUR);
    assert_int_equal(judged().outcome, GL_VIOLATED);
    rule.count = 1;
    assert_limit(GL_KEY_GREEN_BELOW, GRAMS(110), GL_VIOLATED, GRAMS(900)); /* the run itself */
    assert_unknown(GL_KEY_GREEN_FOR, HOUR, GL_GAP_MEANING); /* nothing says what green is */
}

static void a_grade_alone_asks_for_evidence(void **state)
{
    struct gl_reason reasons[2];

    (void)state;
    assert_limit(GL_KEY_MIN_GRADE, GL_GRADE_C, GL_SATISFIED, GL_GRADE_C);
    assert_unknown(GL_KEY_MIN_GRADE, GL_GRADE_B, GL_GAP_GRADE);
    assert_limit(GL_KEY_MAX_DATA_AGE, HOUR, GL_SATISFIED, HOUR);
    limits[0] = case_limit(GL_KEY_ACCOUNTING, GL_LOCATION);
    assert_int_equal(gl_judge_all(&question, 0, reasons, 2), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_ceiling_takes_the_upper_bound),
        TEST(a_floor_takes_the_lower_bound),
        TEST(the_whole_duration_counts),
        TEST(a_missing_bound_or_zone_is_unknown),
        TEST(a_disputed_zone_is_judged_by_the_worse),
        TEST(emissions_are_watts_times_intensity_at_the_upper_bound),
        TEST(load_scales_between_idle_and_full),
        TEST(unusable_power_is_unknown_and_no_grams_come_out),
        TEST(prices_and_sizes_are_compared),
        TEST(places_are_globs),
        TEST(the_rule_says_what_evidence_counts),
        TEST(yearly_averages_count_only_from_grade_d_and_never_for_green_time),
        TEST(coarse_forecasts_do_not_count_up_to_grade_c),
        TEST(green_time_extends_the_limits),
        TEST(green_below_holds_in_the_green_time_only),
        TEST(a_grade_alone_asks_for_evidence),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
