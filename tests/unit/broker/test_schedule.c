/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "broker/cli/schedule.h"
#include "tests/unit/policy/case.h"
#include "tests/unit/policy/invent_grid.h"

#define NOW_HOUR ((size_t)(470 * 24 + 16)) /* of the grid; it is half past */
#define ZONES    3

/* This machine in AA, clouds in BB and CC; ranked CC, BB, AA. CC is three times as clean. */
static struct grid *grids[ZONES];
static struct gl_history histories[ZONES];
static const struct gl_history *lists[ZONES][1];
static struct gl_zone_facts zones[ZONES];
static struct gl_offer offers[ZONES];
static struct gl_offer_list offer_list;
static uint32_t ranked[ZONES];
static struct gl_decision decision;
static struct gl_constraint limits[2];
static struct gl_rule rule;
static struct gl_policy policy;
static struct gl_book_entry entries[ZONES];
static struct gl_book book;
static struct gl_ask_result asked;
static struct gl_schedule_ask ask;
static struct gl_schedule schedule;

static void make_zone(size_t z, const char *name, float scale)
{
    grids[z] = grid_new(z + 1);
    for (size_t i = 0; i < GRID_HOURS; i++)
        grids[z]->value[i] *= scale;
    histories[z] = (struct gl_history){.meaning = case_meaning(GL_INTENSITY),
                                       .actuals = grids[z]->actuals,
                                       .actual_count = GRID_HOURS,
                                       .newest_actual_s = grid_time(NOW_HOUR - 1)};
    lists[z][0] = &histories[z];
    zones[z] = (struct gl_zone_facts){.history_count = 1, .histories = lists[z]};
    strcpy(zones[z].zone, name);
    offers[z] = case_offer(name, NULL);
    case_place(&offers[z])->cloud = z == 0 ? "local" : "aws";
    case_place(&offers[z])->pue = 1;
    case_place(&offers[z])->zone_count = 1;
    case_place(&offers[z])->zones[0] = &zones[z];
}

static int setup(void **state)
{
    static const struct gl_ask nothing_said;

    (void)state;
    make_zone(0, "AA", 1);
    make_zone(1, "BB", 1);
    make_zone(2, "CC", 0.3F);
    offer_list = (struct gl_offer_list){.offers = offers, .count = ZONES};
    for (uint32_t i = 0; i < ZONES; i++)
        ranked[i] = ZONES - 1 - i;
    decision = (struct gl_decision){.judged = ZONES, .ranked = ranked};
    limits[0] = case_limit(GL_KEY_MAX_INTENSITY, GRAMS(300));
    rule = case_rule("r", limits, 1);
    policy = case_policy(&rule, 0);
    book = (struct gl_book){0, entries};
    asked = (struct gl_ask_result){.ask = &nothing_said,
                                   .policy = &policy,
                                   .request = case_request(6 * HOUR),
                                   .offers = &offer_list,
                                   .decision = &decision,
                                   .book = &book,
                                   .now = {grid_time(NOW_HOUR) + 1800},
                                   .finish_by = {GL_UNKNOWN}};
    ask = (struct gl_schedule_ask){.work_s = 6 * HOUR,
                                   .latest_start_s = GL_UNKNOWN,
                                   .finish_by_s = GL_UNKNOWN,
                                   .confidence = 0.9,
                                   .home_zone = "AA"};
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    gl_schedule_done(&schedule);
    for (size_t z = 0; z < ZONES; z++)
        free(grids[z]);
    return 0;
}

static void plan(void)
{
    struct gl_error err = {0};

    gl_schedule_done(&schedule);
    assert_int_equal(gl_schedule_make(&asked, &ask, &schedule, &err), 0);
}

static void shorten(size_t z, size_t hours)
{
    size_t skipped = NOW_HOUR - hours;

    histories[z].actuals =
        (struct gl_actuals){grid_time(skipped), GRID_HOURS - skipped, grids[z]->value + skipped,
                            grids[z]->state + skipped, 0};
    histories[z].actual_count = hours;
}

/* ---- places ---- */

static void this_machine_is_the_baseline_wherever_it_ranks(void **state)
{
    (void)state;
    plan();
    assert_true(schedule.has_plan && schedule.is_home);
    assert_int_equal(schedule.count, 3);
    assert_string_equal(schedule.places[0].name, "AA");
    assert_string_equal(schedule.places[1].name, "CC");
    assert_int_equal(schedule.plan.where[schedule.plan.start_h], 0); /* it may go nowhere else */
    assert_true(schedule.plan.figures.has_baseline);
    ask.may_place = true;
    ask.data_gb = 0;
    plan();
    assert_int_equal(schedule.plan.where[schedule.plan.start_h], 1);
    assert_true(schedule.plan.figures.saved_percent.central > 50);
}

static void without_this_machine_the_best_ranked_is_the_baseline(void **state)
{
    (void)state;
    ask.home_zone = NULL;
    plan();
    assert_false(schedule.is_home || schedule.is_home_missing);
    assert_string_equal(schedule.places[0].name, "CC");
    ask.home_zone = "BB"; /* a cloud stands there, not this machine */
    plan();
    assert_false(schedule.is_home || schedule.is_home_missing);
}

static void a_home_without_a_history_is_not_planned_around_unasked(void **state)
{
    (void)state;
    zones[0].history_count = 0;
    plan();
    assert_true(schedule.is_home_missing);
    assert_false(schedule.has_plan);
    assert_int_equal(schedule.without, 1);
    ask.may_place = true;
    plan();
    assert_true(schedule.is_home_missing && schedule.has_plan);
    assert_string_equal(schedule.places[0].name, "CC");
}

static void a_short_history_is_named_with_its_hours(void **state)
{
    (void)state;
    shorten(1, 500);
    plan();
    assert_int_equal(schedule.count, 2);
    assert_int_equal(schedule.gap_count, 1);
    assert_string_equal(schedule.gaps[0].zone, "BB");
    assert_int_equal(schedule.gaps[0].hours, 500);
    assert_int_equal(schedule.gaps[0].lack, GL_SCHEDULE_SHORT);
    shorten(0, 500);
    plan();
    assert_true(schedule.is_home_missing);
    assert_false(schedule.has_plan);
}

/* A long history that ended long ago is not called short. */
static void a_history_that_ended_long_ago_is_named_so(void **state)
{
    const size_t ended = NOW_HOUR - 70 * 24;

    (void)state;
    histories[1].actuals.count = ended;
    histories[1].actual_count = ended;
    histories[1].newest_actual_s = grid_time(ended - 1);
    plan();
    assert_int_equal(schedule.count, 2);
    assert_int_equal(schedule.gap_count, 1);
    assert_string_equal(schedule.gaps[0].zone, "BB");
    assert_int_equal(schedule.gaps[0].lack, GL_SCHEDULE_OLD);
    assert_int_equal(schedule.gaps[0].newest_s, grid_time(ended - 1));
}

static void figures_of_another_boundary_are_not_compared(void **state)
{
    (void)state;
    histories[2].meaning.boundary = GL_DIRECT;
    plan();
    assert_int_equal(schedule.count, 2);
    assert_string_equal(schedule.gaps[0].zone, "CC");
    assert_int_equal(schedule.gaps[0].lack, GL_SCHEDULE_MEANING);
    histories[2].meaning = histories[0].meaning;
    histories[2].meaning.accounting = GL_MARKET;
    plan();
    assert_int_equal(schedule.count, 2);
    assert_int_equal(schedule.gap_count, 0); /* no grid figure at all */
    assert_int_equal(schedule.without, 1);
}

static void of_a_disputed_region_the_worse_zone_counts_in_every_hour(void **state)
{
    const struct gl_ensemble *both, *one, *other;

    (void)state;
    case_place(&offers[1])->zones[1] = &zones[0];
    case_place(&offers[1])->zone_count = 2;
    plan();
    assert_string_equal(schedule.places[2].name, "BB or AA");
    one = &schedule.places[0].futures; /* AA */
    both = &schedule.places[2].futures;
    for (size_t i = 0; i < both->hours * both->paths; i++)
        assert_true(both->value[i] >= one->value[i]);
    case_place(&offers[1])->zones[1] = &zones[2];
    plan();
    other = &schedule.places[1].futures; /* CC, always cleaner */
    both = &schedule.places[2].futures;
    for (size_t h = 0; h < both->hours; h++)
        assert_true(both->central[h] > other->central[h]);
    zones[2].history_count = 0; /* what the other zone emits is not known */
    plan();
    assert_int_equal(schedule.count, 1);
}

static void an_offer_of_unknown_power_is_passed_over(void **state)
{
    (void)state;
    case_type(&offers[2])->full_w.central = -1;
    plan();
    assert_int_equal(schedule.count, 2);
}

/* ---- hours ---- */

static void longer_runs_and_deadlines_are_forecast_further(void **state)
{
    (void)state;
    decision.judged = 1;
    ranked[0] = 0;
    plan();
    assert_int_equal(schedule.plan.forecast_h, 48);
    assert_int_equal(schedule.plan.uncovered_h, 0);
    ask.work_s = asked.request.duration.s = 60 * HOUR;
    plan();
    assert_int_equal(schedule.plan.forecast_h, 84);
    assert_true(schedule.plan.is_feasible);
    ask.finish_by_s = asked.now.unix_s + 20 * DAY;
    plan();
    assert_int_equal(schedule.plan.forecast_h, GL_TRACK_MAX_HORIZON);
    assert_int_equal(schedule.plan.uncovered_h, 20 * 24 - GL_TRACK_MAX_HORIZON);
    ask.work_s = asked.request.duration.s = 400 * HOUR;
    plan();
    assert_false(schedule.plan.is_feasible);
}

/* It is half past: a run of 6 h that starts now ends at half past, a later one at the full hour. */
static void a_run_ends_when_its_work_is_done(void **state)
{
    struct gl_plan one = {.end_h = 6};

    (void)state;
    assert_int_equal(gl_schedule_at(&asked, 0).unix_s, asked.now.unix_s);
    assert_int_equal(gl_schedule_at(&asked, 2).unix_s, grid_time(NOW_HOUR + 2));
    assert_int_equal(gl_schedule_end(&asked, &one, 6).unix_s, asked.now.unix_s + 6 * HOUR);
    one.start_h = 1;
    one.end_h = 7;
    assert_int_equal(gl_schedule_end(&asked, &one, 7).unix_s, grid_time(NOW_HOUR + 7));
    asked.request.duration.s = 5 * HOUR + 600;
    assert_int_equal(gl_schedule_end(&asked, &one, 7).unix_s, grid_time(NOW_HOUR + 6) + 600);
    assert_int_equal(gl_schedule_end(&asked, &one, 3).unix_s, grid_time(NOW_HOUR + 3));
}

static void the_deadline_is_kept_to_the_minute(void **state)
{
    (void)state;
    asked.request.duration.s = ask.work_s = 5 * HOUR + 1800;
    decision.judged = 1;
    ranked[0] = 0;
    for (int64_t left_s = ask.work_s; left_s < 8 * HOUR; left_s += 900) {
        ask.finish_by_s = asked.now.unix_s + left_s;
        plan();
        assert_true(schedule.plan.is_feasible);
        assert_true(gl_schedule_end(&asked, &schedule.plan, schedule.plan.end_h).unix_s <=
                    ask.finish_by_s);
        ask.may_pause = true;
        plan();
        assert_true(schedule.plan.is_feasible);
        assert_true(gl_schedule_end(&asked, &schedule.plan, schedule.plan.end_h).unix_s <=
                    ask.finish_by_s);
        ask.may_pause = false;
    }
}

/* ---- promises ---- */

static void add_entry(size_t z, uint64_t starts, bool is_now)
{
    struct gl_book_entry *entry = &entries[book.count++];

    policy.rule_count = 1;
    *entry = (struct gl_book_entry){
        .rule = &rule,
        .zone = &zones[z],
        .history = {&histories[z]},
        .is_ready = true,
        .is_run_promised = is_now,
        .promise = {.kind = GL_NONE_POSSIBLE},
        .later = {.is_known = true, .run_h = 6, .within_h = 43, .starts = starts, .paths = 100}};
    entry->legs.count = 1;
    for (size_t h = 0; h < 43; h++)
        entry->later.kept[h] = (uint16_t)(starts >> h & 1 ? 97 : h == 9 ? 70 : 40);
}

static void the_plan_starts_where_a_promise_would_be_made(void **state)
{
    (void)state;
    add_entry(0, UINT64_C(1) << 30 | 1 << 11, false);
    plan();
    assert_true(schedule.green.has_rule && schedule.green.is_known && schedule.green.is_found);
    assert_int_equal(schedule.green.start, 11);
    assert_true(schedule.is_green_plan);
    assert_true(schedule.plan.start_h == 11 || schedule.plan.start_h == 30);
    ask.latest_start_s = grid_time(NOW_HOUR + 29);
    plan();
    assert_int_equal(schedule.plan.start_h, 11);
    ask.latest_start_s = grid_time(NOW_HOUR + 10);
    plan();
    assert_true(schedule.green.is_known);
    assert_false(schedule.green.is_found);
    assert_int_equal(schedule.green.start, 9);
    assert_int_equal(schedule.green.kept, 70);
    entries[0].is_run_promised = true;
    plan();
    assert_int_equal(schedule.green.start, 0);
    assert_int_equal(schedule.plan.start_h, 0);
}

static void what_no_rule_could_promise_is_unknown_and_named(void **state)
{
    (void)state;
    add_entry(0, 0, false);
    entries[0].promise.kind = GL_TOO_FEW_ISSUES;
    plan();
    assert_true(schedule.green.has_rule);
    assert_false(schedule.green.is_known);
    assert_int_equal(schedule.green.gap, GL_GAP_ISSUES);
    entries[0].promise.kind = GL_NONE_POSSIBLE;
    entries[0].later.within_h = 0;
    plan();
    assert_false(schedule.green.is_known);
    assert_int_equal(schedule.green.gap, GL_GAP_HORIZON);
}

static void other_places_count_only_where_it_may_go(void **state)
{
    (void)state;
    add_entry(0, UINT64_C(1) << 20, false);
    add_entry(2, UINT64_C(1) << 3, true);
    plan();
    assert_int_equal(schedule.green.start, 20);
    ask.may_place = true;
    plan();
    assert_int_equal(schedule.green.start, 0);
    assert_string_equal(schedule.places[schedule.green.place].name, "CC");
}

static void of_two_rules_both_must_be_promised(void **state)
{
    static struct gl_rule rules[2];

    (void)state;
    rules[0] = rules[1] = rule;
    policy = case_policy(rules, 2);
    add_entry(0, 1 << 5 | 1 << 9 | 1 << 12, true);
    add_entry(0, 1 << 7 | 1 << 9 | 1 << 12, false);
    policy.rule_count = 2;
    entries[0].rule = &rules[0];
    entries[1].rule = &rules[1];
    plan();
    assert_int_equal(schedule.green.start, 9);
    rules[1].level = GL_ADVISORY; /* which binds nobody */
    plan();
    assert_int_equal(schedule.green.start, 0);
}

/* ---- by which offer ---- */

static void each_place_is_charged_with_its_own_watts(void **state)
{
    double three_times;

    (void)state;
    ask.may_place = true;
    ask.data_gb = 0;
    plan();
    assert_int_equal(schedule.plan.where[schedule.plan.start_h], 1); /* CC */
    case_type(&offers[2])->full_w =
        (struct gl_band){1800, 2000, 2400}; /* ten times those at home */
    plan();
    assert_string_not_equal(schedule.places[schedule.plan.where[schedule.plan.start_h]].name, "CC");
    case_type(&offers[0])->full_w = case_type(&offers[1])->full_w = offers[2].type->full_w;
    plan();
    three_times = schedule.plan.figures.baseline_g.central;
    case_place(&offers[2])->pue = 4; /* 0.3 times as dirty, four times as much around it */
    plan();
    assert_string_not_equal(schedule.places[schedule.plan.where[schedule.plan.start_h]].name, "CC");
    assert_true(fabs(schedule.plan.figures.baseline_g.central - three_times) < 1e-9);
}

static void a_smaller_machine_does_not_stand_for_the_one_at_home(void **state)
{
    static const char *const types[] = {"m.large", NULL};

    (void)state;
    case_type(&offers[2])->vcpus = 1;
    ask.may_place = true;
    plan();
    assert_int_equal(schedule.count, 2);
    assert_int_equal(schedule.gap_count, 1);
    assert_string_equal(schedule.gaps[0].zone, "CC");
    assert_int_equal(schedule.gaps[0].lack, GL_SCHEDULE_SIZE);
    asked.request.types = types; /* who names types means them */
    plan();
    assert_int_equal(schedule.count, 3);
}

/* ---- where something can be launched ---- */

static void plans_keep_to_clouds_that_are_set_up_and_name_the_others(void **state)
{
    static const struct gl_config config;
    static const struct gl_option_list named = {.count = 1, .items = {"aws"}};

    (void)state;
    ask.config = &config;
    ask.may_place = true;
    ask.data_gb = 0;
    plan();
    assert_int_equal(schedule.count, 1);
    assert_int_equal(schedule.passed_over, 2);
    assert_int_equal(schedule.plan.where[schedule.plan.start_h], 0);
    assert_true(schedule.other.is_found);
    assert_string_equal(schedule.other.name, "CC");
    assert_int_equal(schedule.other.offer, 2);
    assert_true(schedule.other.emitted_g.high < schedule.plan.figures.emitted_g.high);
    ask.clouds = &named; /* launch starts on a cloud that is named */
    plan();
    assert_int_equal(schedule.count, 3);
    assert_string_equal(schedule.places[schedule.plan.where[schedule.plan.start_h]].name, "CC");
    assert_true(schedule.places[1].is_ready);
    assert_false(schedule.other.is_found);
}

static void nothing_better_elsewhere_is_not_told(void **state)
{
    static const struct gl_config config;

    (void)state;
    case_type(&offers[1])->full_w = case_type(&offers[2])->full_w =
        (struct gl_band){1800, 2000, 2400};
    ask.config = &config;
    ask.may_place = true;
    plan();
    assert_int_equal(schedule.passed_over, 2);
    assert_false(schedule.other.is_found);
}

static void without_any_place_to_launch_in_all_are_planned_on_and_marked(void **state)
{
    static const struct gl_config config;

    (void)state;
    case_place(&offers[0])->cloud = "azure";
    ask.config = &config;
    ask.may_place = true;
    plan();
    assert_int_equal(schedule.count, 3);
    assert_false(schedule.places[0].is_ready || schedule.places[1].is_ready);
    assert_true(schedule.has_plan);
    assert_false(schedule.other.is_found);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(this_machine_is_the_baseline_wherever_it_ranks),
        TEST(without_this_machine_the_best_ranked_is_the_baseline),
        TEST(a_home_without_a_history_is_not_planned_around_unasked),
        TEST(a_short_history_is_named_with_its_hours),
        TEST(a_history_that_ended_long_ago_is_named_so),
        TEST(figures_of_another_boundary_are_not_compared),
        TEST(of_a_disputed_region_the_worse_zone_counts_in_every_hour),
        TEST(an_offer_of_unknown_power_is_passed_over),
        TEST(longer_runs_and_deadlines_are_forecast_further),
        TEST(a_run_ends_when_its_work_is_done),
        TEST(the_deadline_is_kept_to_the_minute),
        TEST(the_plan_starts_where_a_promise_would_be_made),
        TEST(what_no_rule_could_promise_is_unknown_and_named),
        TEST(other_places_count_only_where_it_may_go),
        TEST(of_two_rules_both_must_be_promised),
        TEST(each_place_is_charged_with_its_own_watts),
        TEST(a_smaller_machine_does_not_stand_for_the_one_at_home),
        TEST(plans_keep_to_clouds_that_are_set_up_and_name_the_others),
        TEST(nothing_better_elsewhere_is_not_told),
        TEST(without_any_place_to_launch_in_all_are_planned_on_and_marked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
