/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "policy/schedule/budget.h"
#include "tests/unit/policy/schedule_case.h"

#include <math.h>

#define CASES   1000
#define JOBS    4
#define OPTIONS 3

struct invented {
    struct gl_option options[JOBS][OPTIONS];
    struct gl_budget_job jobs[JOBS];
    size_t count;
    double budget_g;
};

static void invent(uint64_t *seed, struct invented *to)
{
    to->count = 1 + (size_t)case_below(seed, JOBS);
    for (size_t j = 0; j < to->count; j++) {
        const size_t options = 1 + (size_t)case_below(seed, OPTIONS);

        for (size_t i = 0; i < options; i++)
            to->options[j][i] = (struct gl_option){.price = (double)case_below(seed, 12),
                                                   .carbon_g = (double)case_below(seed, 12)};
        to->jobs[j] = (struct gl_budget_job){.options = to->options[j], .count = options};
    }
    to->budget_g = (double)case_below(seed, 40);
}

/* The least price of any choice of at most `carbon_g`; infinite when there is none. */
static double tried(const struct invented *invented, double carbon_g, double *out_least_carbon)
{
    double best = (double)INFINITY;
    size_t all = 1;

    *out_least_carbon = (double)INFINITY;
    for (size_t j = 0; j < invented->count; j++)
        all *= invented->jobs[j].count;
    for (size_t i = 0; i < all; i++) {
        double price = 0, carbon = 0;
        size_t rest = i;

        for (size_t j = 0; j < invented->count; j++) {
            const struct gl_option *option = &invented->options[j][rest % invented->jobs[j].count];

            rest /= invented->jobs[j].count;
            price += option->price;
            carbon += option->carbon_g;
        }
        *out_least_carbon = carbon < *out_least_carbon ? carbon : *out_least_carbon;
        if (carbon <= carbon_g && price < best)
            best = price;
    }
    return best;
}

static void no_choice_with_as_few_grams_is_cheaper(void **state)
{
    uint64_t seed = 13;

    (void)state;
    for (uint64_t number = 1; number <= CASES; number++) {
        struct gl_budget_answer answer;
        struct invented invented;
        double least, price = 0, carbon = 0;
        size_t choice[JOBS];

        invent(&seed, &invented);
        gl_budget_choose(invented.jobs, invented.count, invented.budget_g, choice, &answer);
        for (size_t j = 0; j < invented.count; j++) {
            price += invented.options[j][choice[j]].price;
            carbon += invented.options[j][choice[j]].carbon_g;
        }
        CHECK(fabs(answer.price - price) < 1e-9);
        CHECK(fabs(answer.carbon_g - carbon) < 1e-9);
        CHECK(fabs(tried(&invented, carbon, &least) - price) < 1e-9);
        CHECK(answer.is_kept == (least <= invented.budget_g));
        CHECK(answer.is_kept == (carbon <= invented.budget_g));
        CHECK(answer.is_kept || fabs(carbon - least) < 1e-9);
    }
}

/* What the multiplier leaves unspent is less than one step of one job, when no two jobs step at the
 * same multiplier. */
static void the_gap_is_at_most_one_job(void **state)
{
    uint64_t seed = 14;

    (void)state;
    for (uint64_t number = 1; number <= CASES; number++) {
        struct gl_option options[6][2];
        struct gl_budget_job jobs[6];
        struct gl_budget_answer answer;
        double budget, dirtiest = 0;
        size_t choice[6];

        for (size_t j = 0; j < 6; j++) {
            const double grams = 5 + (double)case_below(&seed, 20);

            options[j][0] = (struct gl_option){.price = 1, .carbon_g = grams};
            options[j][1] = (struct gl_option){.price = 2 + 1.3717 * (double)j, .carbon_g = 1};
            jobs[j] = (struct gl_budget_job){.options = options[j], .count = 2};
            dirtiest += grams;
        }
        budget = 6 + (double)case_below(&seed, 100);
        gl_budget_choose(jobs, 6, budget, choice, &answer);
        CHECK(answer.is_kept);
        CHECK(answer.carbon_g <= budget);
        CHECK(budget >= dirtiest || budget - answer.carbon_g <= answer.largest_step_g);
        CHECK(budget < dirtiest || !(answer.lambda > 0));
    }
}

/* A budget that a choice meets exactly is spent, and of options at one price the greener is taken.
 */
static void equality_keeps_a_budget(void **state)
{
    const struct gl_option options[3] = {{1, 10}, {2, 4}, {9, 1}},
                           same[3] = {{1, 7}, {1, 5}, {1, 6}};
    const struct gl_budget_job jobs[2] = {{options, 3}, {options, 3}}, one = {same, 3};
    struct gl_budget_answer answer;
    size_t choice[2];

    (void)state;
    gl_budget_choose(jobs, 2, 8, choice, &answer);
    assert_true(answer.is_kept);
    assert_int_equal(choice[0], 1);
    assert_int_equal(choice[1], 1);
    assert_true(fabs(answer.lambda - 1.0 / 6) < 1e-9);
    gl_budget_choose(jobs, 2, 7.999, choice, &answer);
    assert_int_equal(choice[0], 2);
    gl_budget_choose(jobs, 2, 1.9, choice, &answer);
    assert_false(answer.is_kept);
    assert_int_equal(choice[0], 2);
    gl_budget_choose(&one, 1, 100, choice, &answer);
    assert_int_equal(choice[0], 1);
}

/* No point lies below any multiplier's best point of the front. */
static void is_lowest(const struct gl_option *points, size_t count, const size_t *hull, size_t kept,
                      uint64_t number)
{
    for (int step = 0; step < 80; step++) {
        const double lambda = step / 4.0;
        double best = (double)INFINITY, front = (double)INFINITY;

        for (size_t i = 0; i < count; i++)
            best = fmin(best, points[i].price + lambda * points[i].carbon_g);
        for (size_t i = 0; i < kept; i++)
            front = fmin(front, points[hull[i]].price + lambda * points[hull[i]].carbon_g);
        CHECK(fabs(best - front) < 1e-9);
    }
}

static void the_front_is_what_multipliers_choose(void **state)
{
    uint64_t seed = 15;

    (void)state;
    for (uint64_t number = 1; number <= CASES; number++) {
        const size_t count = 1 + (size_t)case_below(&seed, 9);
        struct gl_option points[9];
        struct gl_arena arena = {0};
        size_t hull[9], kept;

        for (size_t i = 0; i < count; i++)
            points[i] = (struct gl_option){.price = (double)case_below(&seed, 12),
                                           .carbon_g = (double)case_below(&seed, 12)};
        kept = gl_front_hull(points, count, &arena, hull);
        CHECK(kept >= 1 && kept <= count);
        for (size_t i = 1; i < kept; i++) {
            CHECK(points[hull[i]].price > points[hull[i - 1]].price);
            CHECK(points[hull[i]].carbon_g < points[hull[i - 1]].carbon_g);
        }
        is_lowest(points, count, hull, kept, number);
        /* Every inner point is strictly below the line of its neighbours. */
        for (size_t i = 1; i + 1 < kept; i++) {
            const struct gl_option *a = &points[hull[i - 1]], *b = &points[hull[i]];
            const struct gl_option *c = &points[hull[i + 1]];
            const double on_line = a->carbon_g + (c->carbon_g - a->carbon_g) *
                                                     (b->price - a->price) / (c->price - a->price);

            CHECK(b->carbon_g < on_line - 1e-12);
        }
        gl_arena_done(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_choice_with_as_few_grams_is_cheaper),
        cmocka_unit_test(the_gap_is_at_most_one_job),
        cmocka_unit_test(equality_keeps_a_budget),
        cmocka_unit_test(the_front_is_what_multipliers_choose),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
