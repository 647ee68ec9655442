/* SPDX-License-Identifier: Apache-2.0 */
/* From the history of a grid to what a launch reserves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "broker/cli/charge.h"
#include "broker/evidence.h"
#include "policy/schedule/timetable.h"
#include "tests/unit/policy/case.h"
#include "tests/unit/policy/invent_grid.h"

#define NOW_HOUR ((size_t)(470 * 24 + 16)) /* of the grid; it is half past */
#define RUN_S    (6 * HOUR)

static struct grid *grid;
static struct gl_history history;
static const struct gl_history *histories[1];
static struct gl_zone_facts zone;
static struct gl_offer offer;
static struct gl_offer_list offers;
static struct gl_ask_result asked;
static struct gl_config config;
static json_t *plan;

/* What the plan counts in: the grid's mean in every hour, by the same source. */
static json_t *counted(const char *provider, enum gl_boundary boundary)
{
    int64_t from_s = grid_time(NOW_HOUR);
    struct gl_point points[8];
    struct gl_series series = {.meaning = case_meaning(GL_INTENSITY), .count = 8, .points = points};

    series.meaning.boundary = boundary;
    strcpy(series.zone, "AA");
    strcpy(series.provider, provider);
    series.issued_s = GL_UNKNOWN;
    for (int64_t i = 0; i < 8; i++)
        points[i] = (struct gl_point){
            from_s + i * HOUR, from_s + (i + 1) * HOUR, 300000000, GL_UNKNOWN, GL_UNKNOWN, from_s,
            GL_FORECAST};
    return json_pack("[o]", gl_evidence_json(&series, from_s, from_s + 8 * HOUR));
}

static int setup(void **state)
{
    static const struct gl_ask nothing_said;

    (void)state;
    grid = grid_new(1);
    history = (struct gl_history){.meaning = case_meaning(GL_INTENSITY),
                                  .provider = "live",
                                  .actuals = grid->actuals,
                                  .actual_count = GRID_HOURS,
                                  .newest_actual_s = grid_time(NOW_HOUR - 1)};
    histories[0] = &history;
    zone = (struct gl_zone_facts){.zone = "AA", .history_count = 1, .histories = histories};
    offer = case_offer("AA", NULL);
    case_place(&offer)->zone_count = 1;
    case_place(&offer)->zones[0] = &zone;
    offers = (struct gl_offer_list){.offers = &offer, .count = 1};
    asked = (struct gl_ask_result){.ask = &nothing_said,
                                   .request = case_request(RUN_S),
                                   .offers = &offers,
                                   .now = {grid_time(NOW_HOUR) + 1800}};
    config = (struct gl_config){.reserve_ppm = 0};
    plan = json_pack("{s:o,s:{}}", "series", counted("live", GL_LIFECYCLE), "budget");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    json_decref(plan);
    free(grid);
    return 0;
}

static const json_t *futures(void)
{
    json_object_del(json_object_get(plan, "budget"), "futures");
    gl_charge_futures(&config, &asked, 0, plan);
    return json_object_get(json_object_get(plan, "budget"), "futures");
}

static int64_t member(const char *key)
{
    const json_t *value = json_object_get(futures(), key);

    assert_true(json_is_integer(value));
    return json_integer_value(value);
}

static void the_history_of_the_counted_source_gives_a_quantile(void **state)
{
    double sum = 0;
    int64_t at_95, at_50;

    (void)state;
    assert_int_equal(member("from_s"), asked.now.unix_s);
    assert_int_equal(member("until_s"), asked.now.unix_s + RUN_S);
    assert_int_equal(member("p_ppm"), 950000);
    assert_true(member("paths") >= 19);
    at_95 = member("path_u");
    config.reserve_ppm = 500000;
    at_50 = member("path_u");
    assert_int_equal(member("p_ppm"), 500000);
    for (size_t h = 0; h < 6; h++)
        sum += (double)grid->value[NOW_HOUR + h];
    /* Around what came of it, and the surer one above. */
    assert_true(at_95 > at_50 && (double)at_95 / 1e6 > sum * 0.9 &&
                (double)at_50 / 1e6 < sum * 1.3);
    asked.request.duration.s = RUN_S / 2;
    assert_true(member("path_u") < at_50 * 6 / 10);
}

static void other_figures_are_not_taken_for_it(void **state)
{
    (void)state;
    json_object_set_new(plan, "series", counted("another", GL_LIFECYCLE));
    assert_null(futures());
    json_object_set_new(plan, "series", counted("live", GL_DIRECT));
    assert_null(futures());
    json_object_set_new(plan, "series", json_array());
    assert_null(futures());
    json_object_set_new(plan, "series", counted("live", GL_LIFECYCLE));
    assert_non_null(futures());
    zone.history_count = 0;
    assert_null(futures());
}

static void too_long_a_run_or_too_sure_a_wish_has_none(void **state)
{
    (void)state;
    config.reserve_ppm = 999000;
    assert_null(futures());
    config.reserve_ppm = 0;
    assert_non_null(futures());
    asked.request.duration.s = 400 * HOUR;
    assert_null(futures());
    asked.request.duration.s = RUN_S;
    asked.timetable = &(struct gl_timetable){.deadline_s = asked.now.unix_s + 2 * RUN_S};
    assert_int_equal(member("until_s"), asked.now.unix_s + 2 * RUN_S);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(the_history_of_the_counted_source_gives_a_quantile),
        CASE(other_figures_are_not_taken_for_it),
        CASE(too_long_a_run_or_too_sure_a_wish_has_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
