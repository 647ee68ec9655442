/* SPDX-License-Identifier: Apache-2.0 */
/* What is reserved of a run: path sums of known distributions, parts of hours, rounding. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "policy/budget_reserve.h"
#include "tests/unit/policy/schedule_case.h"

#include <math.h>
#include <string.h>

#define START_S INT64_C(1767225600)
#define HOUR_S  3600
#define PATHS   99
#define HOURS   6

static float value[2][PATHS * HOURS], central[2][HOURS];
static struct gl_ensemble zones[2];
static struct gl_arena arena;

/* Path i holds i + 1 g/kWh in every hour, in an order that is not sorted; the forecast 50. */
static int set_up(void **state)
{
    (void)state;
    for (size_t z = 0; z < 2; z++) {
        for (size_t i = 0; i < PATHS; i++)
            for (size_t h = 0; h < HOURS; h++)
                value[z][i * HOURS + h] = (float)((i * 37) % PATHS + 1);
        for (size_t h = 0; h < HOURS; h++)
            central[z][h] = 50;
        zones[z] = (struct gl_ensemble){START_S, HOURS, PATHS, value[z], central[z]};
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    gl_arena_done(&arena);
    arena = (struct gl_arena){0};
    return 0;
}

static struct gl_reserve_run run_of(int64_t from_s, int64_t until_s, int64_t p_ppm)
{
    return (struct gl_reserve_run){zones, 1, START_S + from_s, START_S + until_s, p_ppm};
}

static int64_t path_of(int64_t from_s, int64_t until_s, int64_t p_ppm)
{
    const struct gl_reserve_run run = run_of(from_s, until_s, p_ppm);
    struct gl_reserve_path path;

    assert_true(gl_reserve_path(&run, &arena, &path));
    assert_int_equal(path.paths, PATHS);
    return path.path_u;
}

static void the_quantile_of_equal_steps_is_its_rank(void **state)
{
    (void)state;
    assert_int_equal(path_of(0, HOUR_S, 950000), 95 * 1000000);
    assert_int_equal(path_of(0, HOUR_S, 500000), 50 * 1000000);
    assert_int_equal(path_of(0, HOUR_S, 990000), 99 * 1000000);
    assert_int_equal(path_of(0, 4 * HOUR_S, 950000), 4 * 95 * 1000000);
    assert_int_equal(path_of(1800, 2 * HOUR_S, 950000), 95 * 1500000);
    assert_int_equal(path_of(HOUR_S + 900, HOUR_S + 1800, 900000), 90 * 250000);
}

/* Paths of which each has one dirty hour: the sum is what is judged, not each hour by itself. */
static void the_sum_of_a_path_counts_not_its_worst_hour(void **state)
{
    (void)state;
    for (size_t i = 0; i < PATHS; i++)
        for (size_t h = 0; h < HOURS; h++)
            value[0][i * HOURS + h] = h == i % HOURS ? 700 : 100;
    assert_int_equal(path_of(0, HOURS * HOUR_S, 950000), 1200 * 1000000);
    assert_int_equal(path_of(0, HOUR_S, 950000), 700 * 1000000);
}

static void of_two_candidates_the_worse_of_each_hour_counts(void **state)
{
    struct gl_reserve_run run = run_of(0, 2 * HOUR_S, 950000);
    struct gl_reserve_path path;

    (void)state;
    for (size_t i = 0; i < PATHS; i++) {
        value[0][i * HOURS] = 200;
        value[0][i * HOURS + 1] = 10;
        value[1][i * HOURS] = 20;
        value[1][i * HOURS + 1] = 100;
    }
    central[1][1] = 80;
    run.zone_count = 2;
    assert_true(gl_reserve_path(&run, &arena, &path));
    assert_int_equal(path.path_u, 300 * 1000000);
    assert_int_equal(path.central_u, 130 * 1000000);
    zones[1].paths--;
    assert_false(gl_reserve_path(&run, &arena, &path));
}

static void what_the_futures_do_not_cover_has_no_quantile(void **state)
{
    const struct gl_reserve_run bad[] = {
        run_of(-1, HOUR_S, 950000),     run_of(0, HOURS * HOUR_S + 1, 950000),
        run_of(HOUR_S, HOUR_S, 950000), run_of(0, HOUR_S, 995000), /* 99 paths back 0.99 */
        run_of(0, HOUR_S, 1000000),     run_of(0, HOUR_S, 0),
    };
    struct gl_reserve_path path = {.path_u = 7};
    struct gl_reserve_run run = run_of(0, 2 * HOUR_S, 950000);

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(gl_reserve_path(&bad[i], &arena, &path));
    value[0][3 * HOURS + 1] = (float)NAN;
    assert_false(gl_reserve_path(&run, &arena, &path));
    run.until_s = START_S + HOUR_S;
    value[0][3 * HOURS] = -1;
    assert_false(gl_reserve_path(&run, &arena, &path));
    assert_int_equal(path.path_u, 7);
}

/* One kW for two hours at 100 g/kWh is 200 g. */
static void grams_are_energy_times_the_path(void **state)
{
    struct gl_reserve run = {.facility_mj = INT64_C(7200000000),
                             .duration_s = 7200,
                             .path_u = 200 * 1000000,
                             .embodied_ug = 0,
                             .least_ug = 0};

    (void)state;
    assert_int_equal(gl_reserve_ug(&run), 200 * 1000000);
    run.embodied_ug = 5;
    assert_int_equal(gl_reserve_ug(&run), 200 * 1000000 + 5);
    run.least_ug = 200 * 1000000 + 6;
    assert_int_equal(gl_reserve_ug(&run), 200 * 1000000 + 6);
    run = (struct gl_reserve){1, 1, 1, 0, 0}; /* a millionth of a microgram */
    assert_int_equal(gl_reserve_ug(&run), 1);
    run = (struct gl_reserve){INT64_MAX, 1, INT64_MAX, 1, 0};
    assert_int_equal(gl_reserve_ug(&run), INT64_MAX);
}

/* Whatever the paths are: never below the forecast at p of a symmetric error, more with more p and
 * with more time, and the share of paths above it is at most 1 - p. */
static void more_sureness_and_more_time_never_take_less(void **state)
{
    uint64_t seed = 11;

    (void)state;
    for (int i = 0; i < 400; i++) {
        int64_t until_s = 60 + case_below(&seed, HOURS * HOUR_S - 60), p = 500000, before = 0;

        for (size_t v = 0; v < PATHS * HOURS; v++)
            value[0][v] = (float)case_below(&seed, 900);
        for (; p <= 990000; p += 70000) {
            int64_t path_u = path_of(0, until_s, p);
            size_t above = 0;

            assert_true(path_u >= before && path_u >= path_of(0, until_s / 2 + 1, p));
            before = path_u;
            for (size_t at = 0; at < PATHS; at++) {
                double sum = 0;

                for (int64_t s = 0; s < until_s; s += HOUR_S)
                    sum += (double)value[0][at * HOURS + (size_t)(s / HOUR_S)] *
                           (double)(until_s - s < HOUR_S ? until_s - s : HOUR_S) / HOUR_S;
                above += sum * 1e6 > (double)path_u + 1;
            }
            assert_true((double)above <= PATHS * (1 - (double)p / 1e6));
        }
    }
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(the_quantile_of_equal_steps_is_its_rank),
        CASE(the_sum_of_a_path_counts_not_its_worst_hour),
        CASE(of_two_candidates_the_worse_of_each_hour_counts),
        CASE(what_the_futures_do_not_cover_has_no_quantile),
        CASE(grams_are_energy_times_the_path),
        CASE(more_sureness_and_more_time_never_take_less),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
