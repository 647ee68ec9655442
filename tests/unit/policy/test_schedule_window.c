/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "policy/schedule/window.h"
#include "tests/unit/policy/schedule_case.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CASES 2000
#define MOST  150

/* The first of the cheapest open windows, by trying all; SIZE_MAX when there is none. */
static size_t tried(const int64_t *cost, size_t length, size_t first, size_t last, int64_t *out)
{
    size_t best = SIZE_MAX;

    for (size_t start = first; start <= last; start++) {
        int64_t sum = 0;

        for (size_t i = 0; i < length; i++)
            sum += cost[start + i];
        if (gl_cost_is_open(sum) && (best == SIZE_MAX || sum < *out)) {
            best = start;
            *out = sum;
        }
    }
    return best;
}

static void the_cheapest_window_is_found(void **state)
{
    uint64_t seed = 1;

    (void)state;
    for (uint64_t number = 1; number <= CASES; number++) {
        const size_t slots = 1 + (size_t)case_below(&seed, MOST);
        const struct gl_window_ask ask = {
            .length = 1 + (size_t)case_below(&seed, (int64_t)slots),
            .earliest = (size_t)case_below(&seed, 8),
            .latest = (size_t)case_below(&seed, MOST),
            .step = (size_t)case_below(&seed, 4),
        };
        int64_t cost[MOST], sum[MOST + 1], expected = 0;
        struct gl_window window = {.start = 77};
        size_t start = SIZE_MAX, last = slots - ask.length;
        bool is_found;

        case_line(&seed, 5, case_below(&seed, 2) * 12, slots, cost);
        gl_window_prefix(cost, slots, sum);
        is_found = gl_window_best(sum, slots, &ask, &window);
        last = ask.latest < last ? ask.latest : last;
        for (size_t i = ask.earliest; i <= last; i += ask.step > 0 ? ask.step : 1) {
            int64_t one = 0;

            if (tried(cost, ask.length, i, i, &one) == SIZE_MAX)
                continue;
            if (start == SIZE_MAX || one < expected) {
                start = i;
                expected = one;
            }
        }
        CHECK(is_found == (start != SIZE_MAX));
        CHECK(window.start == (is_found ? start : 77));
        CHECK(!is_found || window.cost == expected);
    }
}

static void every_arrival_gets_its_cheapest_window(void **state)
{
    uint64_t seed = 2;

    (void)state;
    for (uint64_t number = 1; number <= CASES; number++) {
        const size_t slots = 1 + (size_t)case_below(&seed, MOST);
        const size_t length = 1 + (size_t)case_below(&seed, (int64_t)slots);
        const size_t slack = case_below(&seed, 4) == 0 ? SIZE_MAX : (size_t)case_below(&seed, MOST);
        int64_t cost[MOST], sum[MOST + 1];
        struct gl_window windows[MOST];
        size_t queue[MOST + 1];

        case_line(&seed, 5, case_below(&seed, 2) * 9, slots, cost);
        gl_window_prefix(cost, slots, sum);
        CHECK(gl_window_best_each(sum, slots, length, slack, queue, windows) == slots - length + 1);
        for (size_t i = 0; i + length <= slots; i++) {
            const size_t end = slots - length;
            int64_t expected = 0;
            size_t start = tried(cost, length, i, slack < end - i ? i + slack : end, &expected);

            CHECK(gl_cost_is_open(windows[i].cost) == (start != SIZE_MAX));
            CHECK(start == SIZE_MAX || (windows[i].start == start && windows[i].cost == expected));
        }
    }
}

static void the_first_of_equal_lines_wins(void **state)
{
    const int64_t cost[3][4] = {{5, 5, 5, 5}, {9, 1, 2, 9}, {2, 1, 9, 9}};
    int64_t sum[3 * 5];
    struct gl_window window;
    size_t line;

    (void)state;
    for (size_t r = 0; r < 3; r++)
        gl_window_prefix(cost[r], 4, sum + r * 5);
    assert_true(gl_window_best_of(sum, 3, 4, 2, &line, &window));
    assert_int_equal(line, 1);
    assert_int_equal(window.start, 1);
    assert_int_equal(window.cost, 3);
}

static void a_window_ends_by_the_deadline(void **state)
{
    const int64_t cost[6] = {4, 4, 4, 1, 1, 0};
    const size_t length = 2;
    struct gl_window_ask ask = {.length = 2};
    struct gl_window window;
    int64_t sum[7];

    (void)state;
    gl_window_prefix(cost, 6, sum);
    for (size_t deadline = length; deadline <= 6; deadline++) {
        ask.latest = deadline - length;
        assert_true(gl_window_best(sum, 6, &ask, &window));
        assert_true(window.start + length <= deadline);
    }
    assert_int_equal(window.start, 4);
    ask.latest = 3; /* the deadline is 5: one slot less */
    assert_true(gl_window_best(sum, 6, &ask, &window));
    assert_int_equal(window.start, 3);
    ask.length = 7;
    assert_false(gl_window_best(sum, 6, &ask, &window));
    ask.length = 0;
    assert_false(gl_window_best(sum, 6, &ask, &window));
}

static void figures_become_costs(void **state)
{
    (void)state;
    assert_int_equal(gl_cost_of(84.7345), 84735);
    assert_int_equal(gl_cost_of(0), 0);
    assert_int_equal(gl_cost_of(0.0004), 0);
    assert_int_equal(gl_cost_of(-12.5), -12500);
    assert_true(gl_cost_is_open(gl_cost_of(GL_COST_MAX_G)));
    assert_false(gl_cost_is_open(gl_cost_of(GL_COST_MAX_G + 1)));
    assert_false(gl_cost_is_open(gl_cost_of((double)NAN)));
    assert_false(gl_cost_is_open(gl_cost_of((double)INFINITY)));
    assert_true(fabs(gl_cost_grams(84735, 2) - 169.47) < 1e-9);
}

/* A full line of the most expensive hours is still open; with one closed slot it is not. */
static void the_longest_sum_is_told_from_a_closed_slot(void **state)
{
    int64_t *cost = calloc(GL_SCHEDULE_SLOTS, sizeof *cost);
    int64_t *sum = calloc(GL_SCHEDULE_SLOTS + 1, sizeof *sum);

    (void)state;
    for (size_t i = 0; i < GL_SCHEDULE_SLOTS; i++)
        cost[i] = gl_cost_of(GL_COST_MAX_G);
    gl_window_prefix(cost, GL_SCHEDULE_SLOTS, sum);
    assert_true(gl_cost_is_open(sum[GL_SCHEDULE_SLOTS]));
    for (size_t i = 0; i < GL_SCHEDULE_SLOTS; i++)
        cost[i] = -cost[i];
    cost[5] = GL_COST_CLOSED;
    gl_window_prefix(cost + 4, 2, sum);
    assert_true(sum[2] > 0);
    for (size_t i = 0; i < GL_SCHEDULE_SLOTS; i++)
        cost[i] = GL_COST_CLOSED;
    gl_window_prefix(cost, GL_SCHEDULE_SLOTS, sum);
    assert_false(gl_cost_is_open(sum[GL_SCHEDULE_SLOTS]));
    free(cost);
    free(sum);
}

static int by_value(const void *left, const void *right)
{
    const double a = *(const double *)left, b = *(const double *)right;

    return a < b ? -1 : a > b;
}

static void quantiles_are_those_of_a_sort(void **state)
{
    uint64_t seed = 3;

    (void)state;
    for (uint64_t number = 1; number <= CASES; number++) {
        const size_t count = 1 + (size_t)case_below(&seed, 60);
        const double share = (double)(1 + case_below(&seed, 999)) / 1000;
        double values[60], sorted[60];
        size_t rank = (size_t)ceil(share * (double)(count + 1) - 1e-9);

        rank = rank < 1 ? 1 : rank > count ? count : rank;
        for (size_t i = 0; i < count; i++)
            values[i] = (double)case_below(&seed, 20);
        memcpy(sorted, values, sizeof sorted);
        qsort(sorted, count, sizeof *sorted, by_value);
        CHECK(gl_quantile_upper(values, count, share) == sorted[rank - 1]);
        CHECK(gl_quantile_lower(values, count, share) == sorted[count - rank]);
    }
}

static void nineteen_paths_support_95_percent(void **state)
{
    double values[20];

    (void)state;
    for (size_t count = 1; count <= 20; count++) {
        for (size_t i = 0; i < count; i++)
            values[i] = (double)i;
        assert_true(gl_quantile_upper(values, count, .95) == (double)(count - 1));
    }
    for (size_t i = 0; i < 20; i++)
        values[i] = (double)i;
    assert_true(gl_quantile_upper(values, 20, .9) == 18);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_cheapest_window_is_found),
        cmocka_unit_test(every_arrival_gets_its_cheapest_window),
        cmocka_unit_test(the_first_of_equal_lines_wins),
        cmocka_unit_test(a_window_ends_by_the_deadline),
        cmocka_unit_test(figures_become_costs),
        cmocka_unit_test(the_longest_sum_is_told_from_a_closed_slot),
        cmocka_unit_test(quantiles_are_those_of_a_sort),
        cmocka_unit_test(nineteen_paths_support_95_percent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
