/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "policy/guarantee/profile.h"
#include "tests/unit/policy/invent_grid.h"

#define DAYS(count) ((size_t)(count)*24)

static struct grid *grid;
static struct gl_arena arena;

static int set_up(void **state)
{
    (void)state;
    grid = grid_new(7);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    free(grid);
    gl_arena_done(&arena);
    return 0;
}

static struct gl_track track_of(const struct gl_issues *issues, size_t from, size_t until)
{
    struct gl_track track;

    assert_true(grid_track(&arena, grid, issues, from, until, &track));
    return track;
}

static const float *path_of(const struct gl_track *track, size_t row)
{
    return track->path + row * track->horizon_h;
}

/* Of the first `hours` hours of the paths issued at midnight. */
static double mean_error(const struct gl_track *track, size_t hours)
{
    double sum = 0;

    for (size_t i = 0; i < track->count; i += 24)
        for (size_t k = 0; k < hours; k++)
            sum += fabs((double)track->residual[i * track->horizon_h + k]);
    return sum / (double)((track->count + 23) / 24 * hours);
}

static void a_daily_cycle_is_learnt(void **state)
{
    struct gl_track track;

    (void)state;
    for (size_t i = 0; i < GRID_HOURS; i++)
        grid->value[i] = grid_cycle(i);
    track = track_of(NULL, DAYS(20), DAYS(40));
    for (size_t i = 0; i < DAYS(17); i++) {
        assert_int_equal(track.settled[i], 48);
        assert_int_equal(track.known[i], 48);
        for (size_t k = 0; k < 48; k++)
            assert_true(fabsf(track.residual[i * 48 + k]) < 0.5F);
    }
}

static void nothing_later_changes_a_path(void **state)
{
    struct gl_track before, after;

    (void)state;
    before = track_of(&grid->issues, DAYS(60), DAYS(100));
    for (size_t i = DAYS(100); i < GRID_HOURS; i++)
        grid->value[i] = 9999;
    for (size_t day = 101; day < GRID_DAYS; day++)
        for (size_t k = 0; k < GRID_ISSUE; k++)
            grid->issued[day][k] = 1;
    after = track_of(&grid->issues, DAYS(60), DAYS(100));
    assert_memory_equal(before.path, after.path, before.count * 48 * sizeof(float));
}

static void the_lag_is_waited_for(void **state)
{
    struct gl_track before, after;

    (void)state;
    grid->actuals.lag_h = 5;
    before = track_of(NULL, DAYS(60), DAYS(70));
    assert_int_equal(before.age[0], 5);
    for (size_t i = DAYS(70) - 5; i < GRID_HOURS; i++)
        grid->value[i] = 9999;
    after = track_of(NULL, DAYS(60), DAYS(70));
    assert_memory_equal(path_of(&before, DAYS(10)), path_of(&after, DAYS(10)), 48 * sizeof(float));
    grid->value[DAYS(70) - 6] = 9999; /* reported just now */
    after = track_of(NULL, DAYS(60), DAYS(70));
    assert_memory_not_equal(path_of(&before, DAYS(10)), path_of(&after, DAYS(10)),
                            48 * sizeof(float));
}

static void an_issue_of_the_future_is_not_used(void **state)
{
    struct gl_track before, after;

    (void)state;
    before = track_of(&grid->issues, DAYS(60), DAYS(61) - 1);
    grid->issue[60].received_s = grid_time(DAYS(61));
    after = track_of(&grid->issues, DAYS(60), DAYS(61) - 1);
    assert_memory_not_equal(before.path, after.path, before.count * 48 * sizeof(float));
    for (size_t k = 0; k < GRID_ISSUE; k++)
        grid->issued[60][k] = 9999;
    before = track_of(&grid->issues, DAYS(60), DAYS(61) - 1);
    assert_memory_equal(before.path, after.path, before.count * 48 * sizeof(float));
}

static void a_missing_hour_is_not_read(void **state)
{
    struct gl_track before, after;

    (void)state;
    for (size_t i = 0; i < GRID_HOURS; i += 7)
        grid->state[i] = GL_HOUR_MISSING;
    before = track_of(&grid->issues, DAYS(60), DAYS(100));
    for (size_t i = 0; i < GRID_HOURS; i += 7)
        grid->value[i] = i % 2 ? NAN : -1e30F;
    after = track_of(&grid->issues, DAYS(60), DAYS(100));
    assert_memory_equal(before.path, after.path, before.count * 48 * sizeof(float));
    assert_memory_equal(before.residual, after.residual, before.count * 48 * sizeof(float));
}

static void short_gaps_are_bridged_and_long_ones_end_the_errors(void **state)
{
    struct gl_track track;

    (void)state;
    memset(grid->state + DAYS(62), GL_HOUR_MISSING, 6);
    memset(grid->state + DAYS(64), GL_HOUR_MISSING, 7);
    track = track_of(NULL, DAYS(60), DAYS(70));
    assert_int_equal(track.settled[DAYS(1)], 48);
    assert_int_equal(track.settled[DAYS(2) + 12], 36); /* up to the long gap */
    assert_int_equal(track.settled[DAYS(4)], 0);
    assert_int_equal(track.settled[DAYS(4) + 7], 48);
    assert_int_equal(track.age[DAYS(4) + 7], 7);
    assert_int_equal(track.age[DAYS(4) + 8], 0);
    assert_int_equal(track.settled[DAYS(10)], 1); /* the hour of the last path is in the data */
}

static void the_first_days_forecast_nothing(void **state)
{
    struct gl_track track;

    (void)state;
    track = track_of(&grid->issues, 384, 400); /* the actuals begin 384 hours before */
    assert_int_equal(track.known[0], 48);
    grid->actuals.start_s = grid_time(384);
    grid->actuals.count = GRID_HOURS - 384;
    track = track_of(&grid->issues, 384, 384 + DAYS(GL_TRACK_FIRST_DAYS));
    assert_int_equal(track.age[0], UINT16_MAX);
    assert_int_equal(track.known[DAYS(GL_TRACK_FIRST_DAYS) - 1], 0);
    assert_int_equal(track.known[DAYS(GL_TRACK_FIRST_DAYS)], 48);
}

static void a_short_issue_covers_what_it_has(void **state)
{
    struct gl_track track;

    (void)state;
    for (size_t day = 0; day < GRID_DAYS; day++)
        grid->issue[day].count = 30;
    track = track_of(&grid->issues, DAYS(60), DAYS(61));
    assert_int_equal(track.known[0], 30);
    assert_int_equal(track.known[10], 20);
    assert_int_equal(track.known[24], 30);
    for (size_t k = 0; k < 48; k++) /* continued all the same */
        assert_true(path_of(&track, 10)[k] > 50 && path_of(&track, 10)[k] < 550);
}

static void a_hole_is_filled_by_an_older_issue_only(void **state)
{
    struct gl_track track;

    (void)state;
    grid->issued_state[60][20] = GL_HOUR_MISSING;
    grid->issued[60][20] = NAN;
    track = track_of(&grid->issues, DAYS(60), DAYS(61));
    assert_int_equal(track.known[0], 48); /* yesterday's has the hour */
    for (size_t day = 50; day < 60; day++)
        grid->issue[day].count = 24;
    track = track_of(&grid->issues, DAYS(60), DAYS(61));
    assert_int_equal(track.known[0], 20);
    assert_int_equal(track.known[20], 0);
    assert_int_equal(track.known[21], 48);
}

static void a_silent_provider_is_replaced(void **state)
{
    struct gl_track track;

    (void)state;
    grid->issues.count = 61; /* the last is of day 60 */
    track = track_of(&grid->issues, DAYS(60), DAYS(70));
    assert_int_equal(track.known[DAYS(2)], 48);
    assert_int_equal(track.known[DAYS(3)], 24);
    assert_int_equal(track.known[DAYS(4) - 1], 1);
    assert_int_equal(track.known[DAYS(4)], 48); /* the built-in one */
    assert_int_equal(track.settled[DAYS(4)], 48);
}

static void a_constant_error_of_the_provider_is_corrected(void **state)
{
    struct gl_track raw, biased;

    (void)state;
    raw = track_of(&grid->issues, DAYS(100), DAYS(150));
    for (size_t day = 0; day < GRID_DAYS; day++)
        for (size_t k = 0; k < GRID_ISSUE; k++)
            grid->issued[day][k] += 60;
    biased = track_of(&grid->issues, DAYS(100), DAYS(150));
    assert_true(mean_error(&biased, 24) < mean_error(&raw, 24) * 1.25);
}

static void the_blend_is_no_worse_than_either(void **state)
{
    struct gl_track blend, builtin;
    double provider = 0, naive = 0;
    const size_t from = DAYS(200), days = 100;

    (void)state;
    blend = track_of(&grid->issues, from, from + DAYS(days) - 1);
    builtin = track_of(NULL, from, from + DAYS(days) - 1);
    for (size_t day = 0; day < days; day++)
        for (size_t k = 0; k < 24; k++) {
            size_t hour = from + DAYS(day) + k;

            provider += fabs((double)(grid->issued[200 + day][k] - grid->value[hour]));
            naive += fabs((double)(grid->value[hour - 24] - grid->value[hour]));
        }
    provider /= (double)DAYS(days);
    naive /= (double)DAYS(days);
    assert_true(mean_error(&builtin, 24) < naive);
    assert_true(mean_error(&blend, 24) < provider);
    assert_true(mean_error(&blend, 24) < mean_error(&builtin, 24));
}

static void a_wild_reading_is_forgotten(void **state)
{
    struct gl_track calm, shaken;

    (void)state;
    calm = track_of(&grid->issues, DAYS(100), DAYS(140));
    grid->value[DAYS(90)] = 1e9F;
    shaken = track_of(&grid->issues, DAYS(100), DAYS(140));
    assert_true(mean_error(&shaken, 48) < mean_error(&calm, 48) * 1.5);
}

/* Mean distance between the forecasts of the next day and what is true of it. */
static double distance_of(size_t from, size_t until, double (*truth)(size_t))
{
    struct gl_track track = track_of(NULL, from, until);
    double sum = 0;

    for (size_t i = 0; i < track.count; i++)
        for (size_t k = 0; k < 24; k++)
            sum += fabs((double)path_of(&track, i)[k] - truth(from + i + k));
    return sum / (double)(track.count * 24);
}

static double rising(size_t hour)
{
    return 100 + (double)hour / 12;
}

/* Twelve quiet days that are like none of those that follow. */
static double woken(size_t hour)
{
    return hour < DAYS(12) ? 20 : 300 + 200 * sin((double)(hour % 24) * 0.2618);
}

/* A forecast is not held to the range of the days a history happens to begin with. */
static void first_days_unlike_the_rest_are_left_behind(void **state)
{
    static double (*const truths[])(size_t) = {rising, woken};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        for (size_t h = 0; h < GRID_HOURS; h++)
            grid->value[h] = (float)truths[i](h);
        assert_true(distance_of(DAYS(80), DAYS(100), truths[i]) < 5);
    }
}

static void what_is_out_of_range_is_refused(void **state)
{
    struct gl_track track = {.count = 77};
    struct gl_track_options options = {48, grid_time(DAYS(60)), grid_time(DAYS(61))};

    (void)state;
    options.horizon_h = 0;
    assert_false(gl_track_build(&arena, &grid->actuals, NULL, &options, &track));
    options.horizon_h = GL_TRACK_MAX_HORIZON + 1;
    assert_false(gl_track_build(&arena, &grid->actuals, NULL, &options, &track));
    options.horizon_h = 48;
    options.until_s += 1800; /* not a whole hour */
    assert_false(gl_track_build(&arena, &grid->actuals, NULL, &options, &track));
    options.until_s = options.from_s - GL_HOUR_S; /* the clock went back */
    assert_false(gl_track_build(&arena, &grid->actuals, NULL, &options, &track));
    options.until_s = options.from_s;
    grid->actuals.lag_h = GL_TRACK_MAX_LAG + 1;
    assert_false(gl_track_build(&arena, &grid->actuals, NULL, &options, &track));
    assert_int_equal(track.count, 77);
    grid->actuals.lag_h = GL_TRACK_MAX_LAG;
    assert_true(gl_track_build(&arena, &grid->actuals, NULL, &options, &track));
    assert_int_equal(track.count, 1);
}

static void no_data_at_all_forecasts_nothing(void **state)
{
    struct gl_track track;

    (void)state;
    grid->actuals.count = 0;
    track = track_of(NULL, DAYS(60), DAYS(61));
    for (size_t i = 0; i < track.count; i++) {
        assert_int_equal(track.known[i], 0);
        assert_int_equal(track.age[i], UINT16_MAX);
        assert_int_equal(track.settled[i], 0);
    }
}

static void persistence_is_estimated(void **state)
{
    struct gl_persistence persistence = {0};
    double deviation = 0;

    (void)state;
    assert_true(gl_persistence_at(&persistence, 1) == 0);
    grid_word = 5;
    for (int64_t hour = 0; hour < 20000; hour++) {
        deviation = 0.8 * deviation + (double)grid_noise();
        gl_persistence_learn(&persistence, hour, deviation);
    }
    assert_true(fabs(gl_persistence_rho(&persistence) - 0.8) < 0.03);
    assert_true(fabs(gl_persistence_at(&persistence, 20001) -
                     deviation * pow(gl_persistence_rho(&persistence), 2)) < 1e-9);
    for (int64_t hour = 30000; hour < 32000; hour++)
        gl_persistence_learn(&persistence, hour, 5); /* would be 1 */
    assert_true(gl_persistence_rho(&persistence) <= 0.995);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_daily_cycle_is_learnt),
        TEST(nothing_later_changes_a_path),
        TEST(the_lag_is_waited_for),
        TEST(an_issue_of_the_future_is_not_used),
        TEST(a_missing_hour_is_not_read),
        TEST(short_gaps_are_bridged_and_long_ones_end_the_errors),
        TEST(the_first_days_forecast_nothing),
        TEST(a_short_issue_covers_what_it_has),
        TEST(a_hole_is_filled_by_an_older_issue_only),
        TEST(a_silent_provider_is_replaced),
        TEST(a_constant_error_of_the_provider_is_corrected),
        TEST(the_blend_is_no_worse_than_either),
        TEST(a_wild_reading_is_forgotten),
        TEST(first_days_unlike_the_rest_are_left_behind),
        TEST(what_is_out_of_range_is_refused),
        TEST(no_data_at_all_forecasts_nothing),
        TEST(persistence_is_estimated),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
