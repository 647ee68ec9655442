/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/policy/case.h"

static struct case_zone zone;

static int setup(void **state)
{
    (void)state;
    case_zone_init(&zone, "SE-SE1");
    return 0;
}

static struct gl_figure_limits limits_of(enum gl_grade min_grade)
{
    return (struct gl_figure_limits){.now = {NOW}, .min_grade = min_grade};
}

static struct gl_figure figure_at(enum gl_quantity quantity, int64_t from, int64_t until,
                                  enum gl_grade min_grade)
{
    struct gl_meaning want = {.quantity = quantity};
    struct gl_figure_limits limits = limits_of(min_grade);

    want.boundary = quantity == GL_INTENSITY ? GL_LIFECYCLE : GL_BOUNDARY_NA;
    return gl_figure_of(&zone.facts, &want, (struct gl_instant){from}, (struct gl_instant){until},
                        &limits);
}

static struct gl_figure intensity(int64_t from, int64_t until)
{
    return figure_at(GL_INTENSITY, from, until, GL_GRADE_C);
}

static void assert_gap(struct gl_figure figure, enum gl_gap gap)
{
    assert_int_equal(figure.gap, gap);
    assert_true(figure.value_u == GL_UNKNOWN);
    assert_true(figure.low_u == GL_UNKNOWN);
    assert_true(figure.high_u == GL_UNKNOWN);
    assert_true(figure.age_s == GL_UNKNOWN);
    assert_null(figure.series);
}

static void mean_is_weighted_and_bounds_are_the_worst(void **state)
{
    struct gl_series *series = case_forecast(&zone, GL_INTENSITY, 3, GRAMS(100));
    struct gl_figure figure;

    (void)state;
    series->points[1].value_u = GRAMS(200);
    series->points[1].low_u = GRAMS(80);
    series->points[1].high_u = GRAMS(260);
    series->points[2].value_u = GRAMS(400);
    series->points[2].low_u = GRAMS(390);
    series->points[2].high_u = GRAMS(410);
    figure = intensity(NOW + HOUR / 2, NOW + 2 * HOUR + HOUR / 2);
    assert_int_equal(figure.gap, GL_GAP_NONE);
    assert_int_equal(figure.value_u, GRAMS(225)); /* (100/2 + 200 + 400/2) / 2 */
    assert_int_equal(figure.low_u, GRAMS(80));
    assert_int_equal(figure.high_u, GRAMS(410));
    assert_int_equal(figure.grade, GL_GRADE_C);
    assert_ptr_equal(figure.series, series);
    assert_int_equal(figure.age_s, HOUR);
}

static void the_worst_grade_of_the_points_counts(void **state)
{
    struct gl_series *series = case_forecast(&zone, GL_INTENSITY, 2, GRAMS(100));

    (void)state;
    series->points[0].evidence = GL_MEASURED;
    assert_int_equal(intensity(NOW, NOW + HOUR).grade, GL_GRADE_A);
    assert_int_equal(intensity(NOW, NOW + 2 * HOUR).grade, GL_GRADE_C);
    assert_gap(figure_at(GL_INTENSITY, NOW, NOW + 2 * HOUR, GL_GRADE_B), GL_GAP_GRADE);
}

static void every_second_must_be_covered(void **state)
{
    struct gl_series *series = case_forecast(&zone, GL_INTENSITY, 4, GRAMS(100));

    (void)state;
    assert_int_equal(intensity(NOW, NOW + 4 * HOUR).gap, GL_GAP_NONE);
    assert_gap(intensity(NOW, NOW + 4 * HOUR + 1), GL_GAP_COVERAGE);
    assert_gap(intensity(NOW - 1, NOW + HOUR), GL_GAP_COVERAGE);
    series->points[1].until_s--;
    assert_gap(intensity(NOW, NOW + 4 * HOUR), GL_GAP_COVERAGE);
    assert_int_equal(intensity(NOW, NOW + HOUR).gap, GL_GAP_NONE);
    series->points[1].until_s++;
    series->points[2].value_u = GL_UNKNOWN;
    assert_gap(intensity(NOW, NOW + 4 * HOUR), GL_GAP_COVERAGE);
}

static void empty_intervals_and_zones_are_unknown(void **state)
{
    struct gl_meaning want = case_meaning(GL_INTENSITY);
    struct gl_figure_limits limits = limits_of(GL_GRADE_E);

    (void)state;
    assert_gap(intensity(NOW, NOW + HOUR), GL_GAP_MISSING);
    assert_gap(
        gl_figure_of(NULL, &want, (struct gl_instant){NOW}, (struct gl_instant){NOW + 1}, &limits),
        GL_GAP_MISSING);
    case_forecast(&zone, GL_INTENSITY, 4, GRAMS(100));
    assert_gap(intensity(NOW, NOW), GL_GAP_COVERAGE);
    assert_gap(intensity(NOW, NOW - HOUR), GL_GAP_COVERAGE);
    assert_gap(intensity(INT64_MIN, INT64_MAX), GL_GAP_COVERAGE);
    zone.series[0].count = 0;
    assert_gap(intensity(NOW, NOW + HOUR), GL_GAP_MISSING);
}

static void live_evidence_goes_stale_after_three_hours(void **state)
{
    struct gl_series *series = case_series(&zone, GL_INTENSITY);
    struct gl_point *point =
        case_point(series, NOW - HOUR / 2, NOW + HOUR / 2, GRAMS(50), GL_MEASURED);
    struct gl_meaning want = case_meaning(GL_INTENSITY);
    struct gl_figure_limits limits = limits_of(GL_GRADE_C);

    (void)state;
    assert_int_equal(intensity(NOW, NOW + 60).age_s, HOUR / 2);
    point->updated_s = NOW - 10;
    assert_int_equal(intensity(NOW, NOW + 60).age_s, 10);
    point->updated_s = GL_UNKNOWN;
    limits.max_age.s = HOUR / 2;
    assert_int_equal(
        gl_figure_of(&zone.facts, &want, limits.now, (struct gl_instant){NOW + 60}, &limits).gap,
        GL_GAP_NONE);
    limits.max_age.s = HOUR / 2 - 1;
    assert_gap(gl_figure_of(&zone.facts, &want, limits.now, (struct gl_instant){NOW + 60}, &limits),
               GL_GAP_STALE);
    point->from_s = NOW - 3 * HOUR;
    assert_int_equal(intensity(NOW - HOUR, NOW).gap, GL_GAP_NONE);
    point->from_s = NOW - 3 * HOUR - 1;
    assert_gap(intensity(NOW - HOUR, NOW), GL_GAP_STALE);
}

static void a_feed_that_ended_hours_ago_is_stale_rather_than_short(void **state)
{
    struct gl_series *series = case_series(&zone, GL_INTENSITY);

    (void)state;
    case_point(series, NOW - 10 * HOUR, NOW - 9 * HOUR, GRAMS(50), GL_MEASURED);
    assert_gap(intensity(NOW, NOW + HOUR), GL_GAP_STALE);
    series->points[0].from_s = NOW - 2 * HOUR;
    series->points[0].until_s = NOW - HOUR;
    assert_gap(intensity(NOW, NOW + HOUR), GL_GAP_COVERAGE);
}

static void a_forecast_may_be_26_hours_old_unless_the_rule_says_less(void **state)
{
    struct gl_series *series = case_forecast(&zone, GL_INTENSITY, 4, GRAMS(50));
    struct gl_meaning want = case_meaning(GL_INTENSITY);
    struct gl_figure_limits limits = limits_of(GL_GRADE_C);

    (void)state;
    series->issued_s = NOW - 26 * HOUR;
    assert_int_equal(intensity(NOW, NOW + HOUR).gap, GL_GAP_NONE);
    series->issued_s--;
    assert_gap(intensity(NOW, NOW + HOUR), GL_GAP_STALE);
    series->issued_s = NOW - 5 * HOUR;
    limits.max_age.s = 4 * HOUR;
    assert_gap(gl_figure_of(&zone.facts, &want, limits.now, (struct gl_instant){NOW + 60}, &limits),
               GL_GAP_STALE);
}

static void a_forecast_without_issue_is_dated_by_its_retrieval(void **state)
{
    struct gl_series *series = case_forecast(&zone, GL_INTENSITY, 4, GRAMS(50));

    (void)state;
    series->issued_s = GL_UNKNOWN;
    series->retrieved_s = NOW - 2 * HOUR;
    assert_int_equal(intensity(NOW, NOW + HOUR).age_s, 2 * HOUR);
    series->retrieved_s = NOW - 27 * HOUR;
    assert_gap(intensity(NOW, NOW + HOUR), GL_GAP_STALE);
    series->retrieved_s = GL_UNKNOWN;
    assert_gap(intensity(NOW, NOW + HOUR), GL_GAP_STALE);
}

static void absurd_dates_are_survived(void **state)
{
    struct gl_series *series = case_yearly(&zone, GL_INTENSITY, GRAMS(20));
    struct gl_meaning want = case_meaning(GL_INTENSITY);
    struct gl_figure_limits limits = limits_of(GL_GRADE_E);

    (void)state;
    series->points[0].updated_s = INT64_MAX;
    assert_gap(figure_at(GL_INTENSITY, NOW, NOW + 1, GL_GRADE_D), GL_GAP_FUTURE);
    series->points[0].evidence = GL_HISTORIC_AVERAGE;
    series->points[0].from_s = series->points[0].until_s - HOUR;
    series->points[0].until_s = NOW + HOUR;
    assert_gap(figure_at(GL_INTENSITY, NOW, NOW + 1, GL_GRADE_D), GL_GAP_FUTURE);
    series->points[0].updated_s = GL_UNKNOWN;
    limits.now.unix_s = INT64_MAX;
    assert_gap(gl_figure_of(&zone.facts, &want, (struct gl_instant){NOW},
                            (struct gl_instant){NOW + 1}, &limits),
               GL_GAP_COVERAGE);
    series->points[0].from_s = INT64_MIN;
    assert_gap(figure_at(GL_INTENSITY, NOW, NOW + 1, GL_GRADE_D), GL_GAP_SUSPECT);
}

static void what_is_dated_in_the_future_is_refused(void **state)
{
    struct gl_series *series = case_series(&zone, GL_INTENSITY);
    struct gl_point *point = case_point(series, NOW, NOW + HOUR, GRAMS(50), GL_MEASURED);

    (void)state;
    assert_int_equal(intensity(NOW, NOW + 60).gap, GL_GAP_NONE);
    point->updated_s = NOW + 300;
    assert_int_equal(intensity(NOW, NOW + 60).gap, GL_GAP_NONE);
    point->updated_s = NOW + 301;
    assert_gap(intensity(NOW, NOW + 60), GL_GAP_FUTURE);
    point->updated_s = GL_UNKNOWN;
    series->retrieved_s = NOW + 301;
    assert_gap(intensity(NOW, NOW + 60), GL_GAP_FUTURE);
    series->retrieved_s = NOW;
    series->issued_s = NOW + 301;
    assert_gap(intensity(NOW, NOW + 60), GL_GAP_FUTURE);
    series->issued_s = GL_UNKNOWN;
    point->from_s = NOW + 301;
    assert_gap(intensity(NOW + 400, NOW + 500), GL_GAP_FUTURE);
    point->evidence = GL_FORECAST; /* only a forecast may speak of later hours */
    assert_int_equal(intensity(NOW + 400, NOW + 500).gap, GL_GAP_NONE);
}

static void impossible_values_never_count(void **state)
{
    static const int64_t impossible[] = {-1, GRAMS(3000) + 1, INT64_MAX, INT64_MIN + 1};
    struct gl_series *series = case_forecast(&zone, GL_INTENSITY, 4, GRAMS(100));

    (void)state;
    for (size_t i = 0; i < sizeof impossible / sizeof impossible[0]; i++) {
        series->points[2].value_u = impossible[i];
        assert_gap(intensity(NOW, NOW + 4 * HOUR), GL_GAP_SUSPECT);
    }
    series->points[2].value_u = series->points[2].low_u = 0; /* a grid may be clean */
    assert_int_equal(intensity(NOW, NOW + 4 * HOUR).low_u, 0);
    series->points[2].value_u = GRAMS(100);
    series->points[2].low_u = GRAMS(101);
    assert_gap(intensity(NOW, NOW + 4 * HOUR), GL_GAP_SUSPECT);
    series->points[2].low_u = -1;
    assert_gap(intensity(NOW, NOW + 4 * HOUR), GL_GAP_SUSPECT);
    series->points[2].low_u = GRAMS(90);
    series->points[2].high_u = GRAMS(99);
    assert_gap(intensity(NOW, NOW + 4 * HOUR), GL_GAP_SUSPECT);
    series->points[2].high_u = GRAMS(3001);
    assert_gap(intensity(NOW, NOW + 4 * HOUR), GL_GAP_SUSPECT);
}

static void a_share_of_load_may_pass_one_but_not_one_and_a_half(void **state)
{
    struct gl_series *series = case_forecast(&zone, GL_RENEWABLE_SHARE, 2, PERCENT(120));

    (void)state;
    assert_int_equal(figure_at(GL_RENEWABLE_SHARE, NOW, NOW + HOUR, GL_GRADE_C).low_u,
                     PERCENT(108));
    series->points[0].value_u = PERCENT(150) + 1;
    series->points[0].high_u = GL_UNKNOWN;
    assert_gap(figure_at(GL_RENEWABLE_SHARE, NOW, NOW + HOUR, GL_GRADE_C), GL_GAP_SUSPECT);
}

static void flagged_unsorted_and_overlapping_series_are_suspect(void **state)
{
    struct gl_series *series = case_forecast(&zone, GL_INTENSITY, 4, GRAMS(100));

    (void)state;
    series->is_suspect = true;
    assert_gap(intensity(NOW, NOW + HOUR), GL_GAP_SUSPECT);
    series->is_suspect = false;
    series->points[3].from_s -= 1;
    assert_gap(intensity(NOW, NOW + HOUR), GL_GAP_SUSPECT);
    series->points[3].from_s = NOW - DAY;
    series->points[3].until_s = NOW - DAY + HOUR;
    assert_gap(intensity(NOW, NOW + HOUR), GL_GAP_SUSPECT);
    series->points[3].from_s = NOW + 4 * HOUR;
    series->points[3].until_s = NOW + 4 * HOUR;
    assert_gap(intensity(NOW, NOW + HOUR), GL_GAP_SUSPECT);
}

static void another_meaning_is_not_taken(void **state)
{
    struct gl_series *series = case_forecast(&zone, GL_INTENSITY, 4, GRAMS(100));

    (void)state;
    series->meaning.boundary = GL_DIRECT;
    assert_gap(intensity(NOW, NOW + HOUR), GL_GAP_MEANING);
    series->meaning.boundary = GL_LIFECYCLE;
    series->meaning.rate = GL_SHORT_RUN_MARGINAL;
    assert_gap(intensity(NOW, NOW + HOUR), GL_GAP_MEANING);
    series->meaning.rate = GL_AVERAGE;
    series->meaning.accounting = GL_MARKET;
    assert_gap(intensity(NOW, NOW + HOUR), GL_GAP_MARKET);
    series->meaning.accounting = GL_RESIDUAL;
    assert_gap(intensity(NOW, NOW + HOUR), GL_GAP_MARKET);
    series->meaning.accounting = GL_LOCATION;
    assert_gap(figure_at(GL_RENEWABLE_SHARE, NOW, NOW + HOUR, GL_GRADE_E), GL_GAP_MISSING);
    assert_int_equal(intensity(NOW, NOW + HOUR).gap, GL_GAP_NONE);
}

static void a_provider_claim_is_no_location_evidence(void **state)
{
    struct gl_series *series = case_forecast(&zone, GL_RENEWABLE_SHARE, 4, PERCENT(100));
    struct gl_meaning want = {.quantity = GL_RENEWABLE_SHARE, .accounting = GL_MARKET};
    struct gl_figure_limits limits = limits_of(GL_GRADE_E);

    (void)state;
    series->points[0].evidence = GL_PROVIDER_CLAIM;
    series->points[0].updated_s = NOW;
    assert_gap(figure_at(GL_RENEWABLE_SHARE, NOW, NOW + HOUR, GL_GRADE_E), GL_GAP_MARKET);
    series->meaning.accounting = GL_MARKET;
    assert_int_equal(
        gl_figure_of(&zone.facts, &want, limits.now, (struct gl_instant){NOW + HOUR}, &limits).gap,
        GL_GAP_NONE);
}

static void what_counts_as_renewable_must_fit(void **state)
{
    struct gl_series *series = case_forecast(&zone, GL_RENEWABLE_SHARE, 4, PERCENT(90));
    struct gl_meaning want = {.quantity = GL_RENEWABLE_SHARE,
                              .share_of = GL_OF_SOLAR | GL_OF_WIND | GL_OF_HYDRO};
    struct gl_figure_limits limits = limits_of(GL_GRADE_C);
    struct gl_instant until = {NOW + HOUR};

    (void)state;
    assert_gap(gl_figure_of(&zone.facts, &want, limits.now, until, &limits), GL_GAP_MEANING);
    series->meaning.share_of = GL_OF_WIND;
    assert_int_equal(gl_figure_of(&zone.facts, &want, limits.now, until, &limits).gap, GL_GAP_NONE);
    series->meaning.share_of = 0; /* not stated: cannot be shown to leave biomass out */
    assert_gap(gl_figure_of(&zone.facts, &want, limits.now, until, &limits), GL_GAP_MEANING);
    series->meaning.share_of = GL_OF_WIND | GL_OF_NUCLEAR; /* that is not a renewable share */
    assert_gap(figure_at(GL_RENEWABLE_SHARE, NOW, NOW + HOUR, GL_GRADE_C), GL_GAP_MEANING);
}

static void without_a_bound_the_value_is_shown_but_the_gap_stays(void **state)
{
    struct gl_series *series = case_forecast(&zone, GL_INTENSITY, 4, GRAMS(100));
    struct gl_figure figure;

    (void)state;
    series->points[1].high_u = GL_UNKNOWN;
    figure = intensity(NOW, NOW + 2 * HOUR);
    assert_int_equal(figure.gap, GL_GAP_NO_BOUND);
    assert_int_equal(figure.value_u, GRAMS(100));
    assert_int_equal(figure.low_u, GRAMS(90));
    assert_true(figure.high_u == GL_UNKNOWN);
    assert_ptr_equal(figure.series, series);
    case_forecast(&zone, GL_INTENSITY, 4, GRAMS(105))->points[0].high_u = GL_UNKNOWN;
    assert_ptr_equal(intensity(NOW, NOW + 2 * HOUR).series, series);
    case_forecast(&zone, GL_INTENSITY, 4, GRAMS(110)); /* the next source states one */
    assert_int_equal(intensity(NOW, NOW + 2 * HOUR).value_u, GRAMS(110));
}

static void yearly_averages_stand_for_themselves_from_grade_d(void **state)
{
    struct gl_figure figure;

    (void)state;
    case_yearly(&zone, GL_INTENSITY, GRAMS(20));
    assert_gap(intensity(NOW, NOW + HOUR), GL_GAP_GRADE);
    figure = figure_at(GL_INTENSITY, NOW, NOW + 30 * DAY, GL_GRADE_D);
    assert_int_equal(figure.gap, GL_GAP_NONE);
    assert_int_equal(figure.value_u, GRAMS(20));
    assert_int_equal(figure.low_u, GRAMS(20));
    assert_int_equal(figure.high_u, GRAMS(20));
    assert_int_equal(figure.grade, GL_GRADE_D);
    assert_int_equal(figure.age_s, NOW - (YEAR_START + 365 * DAY));
    assert_gap(figure_at(GL_INTENSITY, YEAR_START - 1, NOW, GL_GRADE_D), GL_GAP_COVERAGE);
}

static void a_year_is_stale_after_three_calendar_years(void **state)
{
    struct gl_series *series = case_yearly(&zone, GL_INTENSITY, GRAMS(20));

    (void)state;
    series->points[0].from_s = 1672531200; /* 2023 */
    series->points[0].until_s = 1704067200;
    assert_int_equal(figure_at(GL_INTENSITY, NOW, NOW + HOUR, GL_GRADE_D).gap, GL_GAP_NONE);
    series->points[0].from_s = 1640995200; /* 2022 */
    series->points[0].until_s = 1672531200;
    assert_gap(figure_at(GL_INTENSITY, NOW, NOW + HOUR, GL_GRADE_D), GL_GAP_STALE);
    series->points[0].from_s = NOW + DAY;
    series->points[0].until_s = NOW + 366 * DAY;
    assert_gap(figure_at(GL_INTENSITY, NOW + DAY, NOW + 2 * DAY, GL_GRADE_D), GL_GAP_FUTURE);
}

static void a_source_may_say_until_when_its_average_stands(void **state)
{
    struct gl_series *series = case_yearly(&zone, GL_INTENSITY, GRAMS(20));

    (void)state;
    series->points[0].until_s = YEAR_START + 3 * 365 * DAY;
    assert_int_equal(figure_at(GL_INTENSITY, NOW, NOW + HOUR, GL_GRADE_D).age_s,
                     NOW - (YEAR_START + 365 * DAY)); /* since the year itself ended */
    series->points[0].until_s = NOW + HOUR;
    assert_int_equal(figure_at(GL_INTENSITY, NOW, NOW + HOUR, GL_GRADE_D).gap, GL_GAP_NONE);
    assert_gap(figure_at(GL_INTENSITY, NOW, NOW + HOUR + 1, GL_GRADE_D), GL_GAP_COVERAGE);
}

static void usual_figures_do_not_age_within_three_years(void **state)
{
    struct gl_series *usual = case_series(&zone, GL_INTENSITY);

    (void)state;
    case_point(usual, NOW, NOW + HOUR, GRAMS(70), GL_HISTORIC_AVERAGE);
    usual->issued_s = NOW - 200 * DAY;
    assert_int_equal(figure_at(GL_INTENSITY, NOW, NOW + HOUR, GL_GRADE_D).value_u, GRAMS(70));
    usual->points[0].from_s = NOW + 60; /* an hour to come is as old as its publication */
    assert_int_equal(figure_at(GL_INTENSITY, NOW + 60, NOW + HOUR, GL_GRADE_D).age_s, 200 * DAY);
    usual->issued_s = NOW - 1600 * DAY;
    assert_gap(figure_at(GL_INTENSITY, NOW + 60, NOW + HOUR, GL_GRADE_D), GL_GAP_STALE);
    usual->points[0].evidence = GL_SUBSTITUTE; /* a year of a neighbour stands like a year */
    usual->points[0].from_s = YEAR_START;
    usual->points[0].until_s = YEAR_START + 365 * DAY;
    assert_gap(figure_at(GL_INTENSITY, NOW, NOW + HOUR, GL_GRADE_D), GL_GAP_GRADE);
    assert_int_equal(figure_at(GL_INTENSITY, NOW, NOW + HOUR, GL_GRADE_E).value_u, GRAMS(70));
}

static void the_latest_year_is_the_one_that_stands(void **state)
{
    struct gl_series *series = case_series(&zone, GL_INTENSITY);

    (void)state;
    case_point(series, 1704067200, YEAR_START, GRAMS(40), GL_ANNUAL_AVERAGE);
    case_point(series, YEAR_START, YEAR_START + 365 * DAY, GRAMS(30), GL_ANNUAL_AVERAGE);
    assert_int_equal(figure_at(GL_INTENSITY, NOW, NOW + HOUR, GL_GRADE_D).value_u, GRAMS(30));
    assert_int_equal(
        figure_at(GL_INTENSITY, YEAR_START - HOUR, YEAR_START + HOUR, GL_GRADE_D).value_u,
        GRAMS(35));
}

static void coarse_points_are_not_hourly(void **state)
{
    struct gl_series *series = case_series(&zone, GL_INTENSITY);
    struct gl_meaning want = case_meaning(GL_INTENSITY);
    struct gl_figure_limits limits = limits_of(GL_GRADE_D);
    struct gl_instant until = {NOW + 60};

    (void)state;
    series->issued_s = NOW;
    case_point(series, NOW, NOW + HOUR + 1, GRAMS(20), GL_FORECAST);
    assert_int_equal(gl_figure_of(&zone.facts, &want, limits.now, until, &limits).gap, GL_GAP_NONE);
    limits.needs_hourly = true;
    assert_gap(gl_figure_of(&zone.facts, &want, limits.now, until, &limits), GL_GAP_NOT_HOURLY);
    series->points[0].until_s--;
    assert_int_equal(gl_figure_of(&zone.facts, &want, limits.now, until, &limits).gap, GL_GAP_NONE);
    /* A yearly average beside it lacks the grade as well: what is nearer is what is told. */
    series->points[0].until_s++;
    limits.min_grade = GL_GRADE_C;
    case_yearly(&zone, GL_INTENSITY, GRAMS(20));
    assert_gap(gl_figure_of(&zone.facts, &want, limits.now, until, &limits), GL_GAP_NOT_HOURLY);
    limits.min_grade = GL_GRADE_D;
    zone.facts.count = 0;
    memset(&zone.series[0], 0, sizeof zone.series[0]);
    case_yearly(&zone, GL_INTENSITY, GRAMS(20));
    assert_gap(gl_figure_of(&zone.facts, &want, limits.now, until, &limits), GL_GAP_NOT_HOURLY);
}

static void the_first_usable_series_is_taken(void **state)
{
    struct gl_series *first = case_forecast(&zone, GL_INTENSITY, 4, GRAMS(100));
    struct gl_series *second = case_forecast(&zone, GL_INTENSITY, 4, GRAMS(90));

    (void)state;
    assert_ptr_equal(intensity(NOW, NOW + HOUR).series, first);
    first->is_suspect = true;
    assert_ptr_equal(intensity(NOW, NOW + HOUR).series, second);
}

static void sources_of_one_meaning_that_disagree_are_a_conflict(void **state)
{
    struct gl_series *first = case_forecast(&zone, GL_INTENSITY, 4, GRAMS(100));
    struct gl_series *second = case_forecast(&zone, GL_INTENSITY, 4, GRAMS(75));

    (void)state;
    assert_ptr_equal(intensity(NOW, NOW + HOUR).series, first); /* 25 % of the larger: allowed */
    second->points[0].value_u--;
    assert_gap(intensity(NOW, NOW + HOUR), GL_GAP_CONFLICT);
    second->meaning.trace = GL_PRODUCTION; /* another meaning cannot contradict */
    assert_ptr_equal(intensity(NOW, NOW + HOUR).series, first);
    second->meaning.trace = GL_FLOW_TRACED;
    second->points[0].evidence = GL_ESTIMATED; /* nor can another grade */
    second->points[0].updated_s = NOW;
    assert_ptr_equal(intensity(NOW, NOW + HOUR).series, first);
}

static void shares_conflict_beyond_ten_points(void **state)
{
    struct gl_series *second;

    (void)state;
    case_forecast(&zone, GL_RENEWABLE_SHARE, 4, PERCENT(80));
    second = case_forecast(&zone, GL_RENEWABLE_SHARE, 4, PERCENT(90));
    assert_int_equal(figure_at(GL_RENEWABLE_SHARE, NOW, NOW + HOUR, GL_GRADE_C).gap, GL_GAP_NONE);
    second->points[0].value_u++;
    assert_gap(figure_at(GL_RENEWABLE_SHARE, NOW, NOW + HOUR, GL_GRADE_C), GL_GAP_CONFLICT);
}

static void the_most_telling_gap_is_reported(void **state)
{
    struct gl_series *market = case_forecast(&zone, GL_INTENSITY, 4, GRAMS(100));
    struct gl_series *direct, *poor;

    (void)state;
    market->meaning.accounting = GL_MARKET;
    assert_gap(intensity(NOW, NOW + HOUR), GL_GAP_MARKET);
    direct = case_forecast(&zone, GL_INTENSITY, 4, GRAMS(100));
    direct->meaning.boundary = GL_DIRECT;
    assert_gap(intensity(NOW, NOW + HOUR), GL_GAP_MEANING);
    case_yearly(&zone, GL_INTENSITY, GRAMS(100));
    assert_gap(intensity(NOW, NOW + HOUR), GL_GAP_GRADE);
    poor = case_forecast(&zone, GL_INTENSITY, 1, GRAMS(100));
    assert_gap(intensity(NOW, NOW + 2 * HOUR), GL_GAP_COVERAGE);
    poor->issued_s = NOW + HOUR;
    assert_gap(intensity(NOW, NOW + 2 * HOUR), GL_GAP_FUTURE);
    poor->issued_s = NOW - 30 * HOUR;
    assert_gap(intensity(NOW, NOW + HOUR), GL_GAP_STALE);
    poor->is_suspect = true;
    assert_gap(intensity(NOW, NOW + HOUR), GL_GAP_SUSPECT);
}

#define TEST(function) cmocka_unit_test_setup(function, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(mean_is_weighted_and_bounds_are_the_worst),
        TEST(the_worst_grade_of_the_points_counts),
        TEST(every_second_must_be_covered),
        TEST(empty_intervals_and_zones_are_unknown),
        TEST(live_evidence_goes_stale_after_three_hours),
        TEST(a_feed_that_ended_hours_ago_is_stale_rather_than_short),
        TEST(a_forecast_may_be_26_hours_old_unless_the_rule_says_less),
        TEST(a_forecast_without_issue_is_dated_by_its_retrieval),
        TEST(absurd_dates_are_survived),
        TEST(what_is_dated_in_the_future_is_refused),
        TEST(impossible_values_never_count),
        TEST(a_share_of_load_may_pass_one_but_not_one_and_a_half),
        TEST(flagged_unsorted_and_overlapping_series_are_suspect),
        TEST(another_meaning_is_not_taken),
        TEST(a_provider_claim_is_no_location_evidence),
        TEST(what_counts_as_renewable_must_fit),
        TEST(without_a_bound_the_value_is_shown_but_the_gap_stays),
        TEST(yearly_averages_stand_for_themselves_from_grade_d),
        TEST(a_year_is_stale_after_three_calendar_years),
        TEST(a_source_may_say_until_when_its_average_stands),
        TEST(usual_figures_do_not_age_within_three_years),
        TEST(the_latest_year_is_the_one_that_stands),
        TEST(coarse_points_are_not_hourly),
        TEST(the_first_usable_series_is_taken),
        TEST(sources_of_one_meaning_that_disagree_are_a_conflict),
        TEST(shares_conflict_beyond_ten_points),
        TEST(the_most_telling_gap_is_reported),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
