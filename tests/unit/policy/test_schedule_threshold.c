/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "policy/schedule/threshold.h"
#include "tests/unit/policy/schedule_case.h"

#include <math.h>

#define LOW  50.0
#define HIGH 800.0

static struct gl_threshold made(double switching, size_t work)
{
    struct gl_threshold threshold;
    struct gl_error err = {0};

    assert_int_equal(gl_threshold_init(LOW, HIGH, switching, work, &threshold, &err), 0);
    return threshold;
}

/* (1 - L/U) / (1 - 1/a) = (1 + 1/(ka))^k, as published; the first level is U / a. */
static void the_ratio_solves_the_published_equation(void **state)
{
    (void)state;
    for (size_t work = 1; work <= 48; work++) {
        const struct gl_threshold threshold = made(0, work);
        const double a = threshold.ratio, k = (double)work;

        assert_true(a > 1 && a < HIGH / LOW);
        assert_true(fabs((1 - LOW / HIGH) / (1 - 1 / a) - pow(1 + 1 / (k * a), k)) < 1e-9);
        assert_true(fabs(gl_threshold_level(&threshold, 1, true) - HIGH / a) < 1e-6);
    }
}

/* With a price b of switching the first level is U / a + 2 b (1 / (ka) - 1 / k + 1). */
static void switching_raises_the_levels_as_published(void **state)
{
    (void)state;
    for (size_t work = 1; work <= 48; work++) {
        const struct gl_threshold threshold = made(60, work);
        const double a = threshold.ratio, k = (double)work;

        assert_true(fabs(gl_threshold_level(&threshold, 1, true) -
                         (HIGH / a + 120 * (1 / (k * a) - 1 / k + 1))) < 1e-6);
    }
}

/* One slot: the square root of L U, as in one-min search. */
static void one_slot_is_the_square_root_rule(void **state)
{
    const struct gl_threshold threshold = made(0, 1);

    (void)state;
    assert_true(fabs(gl_threshold_level(&threshold, 1, true) - sqrt(LOW * HIGH)) < 1e-6);
}

static void levels_fall_to_the_lowest(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        const double switching = 50.0 * i;
        const struct gl_threshold threshold = made(switching, 12);

        for (size_t slot = 1; slot <= 12; slot++) {
            const double level = gl_threshold_level(&threshold, slot, true);

            assert_true(gl_threshold_level(&threshold, slot + 1, true) < level);
            assert_true(fabs(level - gl_threshold_level(&threshold, slot, false) - 2 * switching) <
                        1e-9);
        }
        assert_true(fabs(gl_threshold_level(&threshold, 13, false) - LOW) < 1e-6);
    }
}

/* The sum of the `work` smallest; destroys `value`. */
static double smallest(double *value, size_t slots, size_t work)
{
    double sum = 0;

    for (size_t taken = 0; taken < work; taken++) {
        size_t best = 0;

        for (size_t i = 1; i < slots; i++)
            if (value[i] < value[best])
                best = i;
        sum += value[best];
        value[best] = 1e9;
    }
    return sum;
}

/* However the intensity goes within its bounds, the work is done by the deadline and costs at most
 * `ratio` times the optimum. */
static void the_ratio_is_kept_and_the_work_is_done(void **state)
{
    uint64_t seed = 18;

    (void)state;
    for (uint64_t number = 1; number <= 2000; number++) {
        const size_t slots = 4 + (size_t)case_below(&seed, 20);
        const size_t work = 1 + (size_t)case_below(&seed, (int64_t)slots);
        const struct gl_threshold threshold = made(0, work);
        double value[24], sum = 0;
        bool was_running = false;
        size_t done = 0;

        for (size_t i = 0; i < slots; i++)
            value[i] = LOW + (double)case_below(&seed, 751);
        for (size_t i = 0; i < slots; i++) {
            was_running = gl_threshold_runs(&threshold, done, slots - i, was_running, value[i]);
            sum += was_running ? value[i] : 0;
            done += was_running;
        }
        CHECK(done == work);
        CHECK(sum <= threshold.ratio * smallest(value, slots, work) + 1e-6);
    }
}

static void no_slack_means_run_and_no_work_means_rest(void **state)
{
    const struct gl_threshold threshold = made(0, 3);

    (void)state;
    assert_true(gl_threshold_runs(&threshold, 1, 2, false, 5000));
    assert_false(gl_threshold_runs(&threshold, 1, 3, false, 5000));
    assert_true(gl_threshold_runs(&threshold, 1, 3, false, LOW));
    assert_false(gl_threshold_runs(&threshold, 3, 5, true, LOW));
    assert_true(
        gl_threshold_runs(&threshold, 0, 9, false, gl_threshold_level(&threshold, 1, false)));
    assert_false(gl_threshold_runs(&threshold, 0, 9, false, (double)NAN));
}

static void nonsense_is_refused(void **state)
{
    struct gl_threshold threshold = {.work = 77};
    struct gl_error err = {0};

    (void)state;
    assert_int_equal(gl_threshold_init(0, 800, 0, 3, &threshold, &err), -1);
    assert_int_equal(err.code, GL_E_BAD_VALUE);
    assert_int_equal(gl_threshold_init(800, 800, 0, 3, &threshold, &err), -1);
    assert_int_equal(gl_threshold_init((double)NAN, 800, 0, 3, &threshold, &err), -1);
    assert_int_equal(gl_threshold_init(50, (double)INFINITY, 0, 3, &threshold, &err), -1);
    assert_int_equal(gl_threshold_init(50, 800, 0, 0, &threshold, &err), -1);
    assert_int_equal(gl_threshold_init(50, 800, -1, 3, &threshold, &err), -1);
    assert_int_equal(gl_threshold_init(50, 800, 375, 3, &threshold, &err), -1);
    assert_int_equal(threshold.work, 77);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_ratio_solves_the_published_equation),
        cmocka_unit_test(switching_raises_the_levels_as_published),
        cmocka_unit_test(one_slot_is_the_square_root_rule),
        cmocka_unit_test(levels_fall_to_the_lowest),
        cmocka_unit_test(the_ratio_is_kept_and_the_work_is_done),
        cmocka_unit_test(no_slack_means_run_and_no_work_means_rest),
        cmocka_unit_test(nonsense_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
