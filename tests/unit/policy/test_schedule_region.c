/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "policy/schedule/region.h"
#include "tests/unit/policy/schedule_case.h"

#include <math.h>
#include <string.h>

#define CASES   1200
#define REGIONS 3
#define SLOTS   6

struct invented {
    int64_t cost[REGIONS * SLOTS], leave[REGIONS * SLOTS], enter[REGIONS * SLOTS];
    struct gl_region_lines lines;
    struct gl_pause_rules rules;
};

static void invent(uint64_t *seed, struct invented *to)
{
    const size_t regions = 1 + (size_t)case_below(seed, REGIONS);
    const size_t slots = 1 + (size_t)case_below(seed, SLOTS);

    const int64_t dear = 1 + case_below(seed, 5); /* of moving, against up to 25 of running */

    case_line(seed, 26, case_below(seed, 2) * 9, regions * slots, to->cost);
    case_line(seed, dear, case_below(seed, 2) * 5, regions * slots, to->leave);
    case_line(seed, dear, case_below(seed, 2) * 5, regions * slots, to->enter);
    to->lines = (struct gl_region_lines){
        .regions = regions,
        .slots = slots,
        .cost = to->cost,
        .leave = to->leave,
        .enter = case_below(seed, 5) == 0 ? NULL : to->enter,
        .home = (int)case_below(seed, (int64_t)regions + 1) - 1,
        .copy_slots = case_below(seed, 2) == 0 ? 0 : 1 + (size_t)case_below(seed, 3),
        .latest_start = case_below(seed, 2) == 0 ? SIZE_MAX : (size_t)case_below(seed, SLOTS),
    };
    to->rules = (struct gl_pause_rules){.start_cost = case_below(seed, 6),
                                        .start_slots = (double)case_below(seed, 2)};
}

enum shape { CONTIGUOUS, ANY };

static bool has_shape(const struct gl_region_lines *lines, const int *where, size_t work,
                      enum shape shape)
{
    size_t done = 0, runs = 0, first = 0;

    for (size_t t = 0; t < lines->slots; t++) {
        if (where[t] == GL_REGION_NONE)
            continue;
        if (!gl_cost_is_open(lines->cost[(size_t)where[t] * lines->slots + t]))
            return false;
        if (t == 0 || where[t - 1] == GL_REGION_NONE)
            runs++;
        first = done++ == 0 ? t : first;
    }
    return done == work && first <= lines->latest_start && (shape == ANY || runs == 1);
}

/* Every schedule there is: (regions + 1) ^ slots. */
static bool tried(const struct invented *invented, size_t work, enum shape shape, int64_t *out)
{
    const struct gl_region_lines *lines = &invented->lines;
    size_t all = 1;
    bool is_found = false;

    for (size_t t = 0; t < lines->slots; t++)
        all *= lines->regions + 1;
    for (size_t i = 0; i < all; i++) {
        int where[SLOTS];
        size_t rest = i;
        int64_t cost;

        for (size_t t = 0; t < lines->slots; t++) {
            where[t] = (int)(rest % (lines->regions + 1)) - 1;
            rest /= lines->regions + 1;
        }
        if (!has_shape(lines, where, work, shape))
            continue;
        cost = gl_region_cost(lines, shape == ANY ? &invented->rules : NULL, where);
        if (!gl_cost_is_open(cost))
            continue; /* a move without the time it takes */
        if (!is_found || cost < *out)
            *out = cost;
        is_found = true;
    }
    return is_found;
}

static void pauses_and_moves_are_the_best_of_all(void **state)
{
    uint64_t seed = 9;

    (void)state;
    for (uint64_t number = 1; number <= CASES; number++) {
        struct gl_arena arena = {0};
        struct invented invented;
        int64_t expected = 0, got = -1;
        int where[SLOTS];
        size_t work;
        bool is_found;

        invent(&seed, &invented);
        work = 1 + (size_t)case_below(&seed, (int64_t)invented.lines.slots);
        is_found = gl_region_pause(&invented.lines, work, &invented.rules, &arena, where, &got);
        CHECK(is_found == tried(&invented, work, ANY, &expected));
        CHECK(got == (is_found ? expected : -1));
        CHECK(!is_found || has_shape(&invented.lines, where, work, ANY));
        CHECK(!is_found || gl_region_cost(&invented.lines, &invented.rules, where) == got);
        gl_arena_done(&arena);
    }
}

static void running_through_is_the_best_of_all(void **state)
{
    uint64_t seed = 10;

    (void)state;
    for (uint64_t number = 1; number <= CASES; number++) {
        struct invented invented;
        int64_t expected = 0, best = INT64_MAX;
        size_t work;

        invent(&seed, &invented);
        invented.lines.copy_slots = 0;
        work = 1 + (size_t)case_below(&seed, (int64_t)invented.lines.slots);
        for (size_t start = 0; start + work <= invented.lines.slots; start++) {
            struct gl_arena arena = {0};
            int64_t got;
            int where[SLOTS];

            if (start <= invented.lines.latest_start &&
                gl_region_run(&invented.lines, start, work, &arena, where, &got)) {
                CHECK(has_shape(&invented.lines, where, work, CONTIGUOUS));
                CHECK(gl_region_cost(&invented.lines, NULL, where) == got);
                best = got < best ? got : best;
            }
            gl_arena_done(&arena);
        }
        CHECK((best != INT64_MAX) == tried(&invented, work, CONTIGUOUS, &expected));
        CHECK(best == INT64_MAX || best == expected);
    }
}

/* 100 GB at 10 Gb/s take 80 s; 0.001 kWh/GB are 0.1 kWh, half at each end. */
static void a_copy_costs_at_both_ends(void **state)
{
    const struct gl_region_copy copy = {
        .data_gb = 100, .kwh_per_gb = GL_COPY_KWH_BEST, .gbit_per_s = 10, .idle_kwh_per_hour = 0.9};

    (void)state;
    assert_true(fabs(gl_region_copy_hours(&copy) - 80.0 / 3600) < 1e-12);
    assert_true(fabs(gl_region_copy_kwh(&copy) - (0.05 + 0.02)) < 1e-12);
}

static void a_move_that_does_not_pay_is_not_made(void **state)
{
    const int64_t cost[2 * 4] = {10, 10, 10, 10, 8, 8, 8, 8};
    int64_t move[2 * 4] = {4, 4, 4, 4, 4, 4, 4, 4};
    const struct gl_region_lines lines = {.regions = 2,
                                          .slots = 4,
                                          .cost = cost,
                                          .leave = move,
                                          .enter = move,
                                          .home = 0,
                                          .latest_start = SIZE_MAX};
    struct gl_arena arena = {0};
    int where[4];
    int64_t total;

    (void)state;
    assert_true(gl_region_run(&lines, 0, 4, &arena, where, &total));
    assert_int_equal(where[0], 0); /* 8 to gain, 8 to pay: it stays */
    assert_int_equal(where[3], 0);
    move[0] = 3;
    assert_true(gl_region_run(&lines, 0, 4, &arena, where, &total));
    assert_int_equal(where[0], 1);
    assert_int_equal(total, 32 + 7);
    gl_arena_done(&arena);
}

static void a_closed_end_is_not_left_or_entered(void **state)
{
    const int64_t cost[2 * 2] = {GL_COST_CLOSED, GL_COST_CLOSED, 8, 8};
    const int64_t closed[2 * 2] = {GL_COST_CLOSED, GL_COST_CLOSED, 0, 0};
    struct gl_region_lines lines = {
        .regions = 2, .slots = 2, .cost = cost, .leave = closed, .latest_start = SIZE_MAX};
    const struct gl_pause_rules rules = {0};
    struct gl_arena arena = {0};
    int where[2];
    int64_t total;

    (void)state;
    assert_false(gl_region_pause(&lines, 1, &rules, &arena, where, &total));
    assert_false(gl_region_run(&lines, 0, 1, &arena, where, &total));
    lines.leave = NULL;
    assert_true(gl_region_pause(&lines, 1, &rules, &arena, where, &total));
    assert_true(gl_region_run(&lines, 0, 1, &arena, where, &total));
    lines.home = 1;
    lines.cost = (const int64_t[]){8, 8, GL_COST_CLOSED, GL_COST_CLOSED};
    lines.enter = closed;
    assert_false(gl_region_pause(&lines, 1, &rules, &arena, where, &total));
    assert_false(gl_region_run(&lines, 0, 1, &arena, where, &total));
    gl_arena_done(&arena);
}

static void tables_have_a_ceiling(void **state)
{
    const struct gl_region_lines lines = {.regions = GL_REGION_COUNT, .slots = 9000};
    const struct gl_pause_rules rules = {0};
    struct gl_arena arena = {0};
    int64_t total;

    (void)state;
    assert_false(gl_region_pause(&lines, 8000, &rules, &arena, NULL, &total));
    assert_null(arena.chunks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pauses_and_moves_are_the_best_of_all),
        cmocka_unit_test(running_through_is_the_best_of_all),
        cmocka_unit_test(a_copy_costs_at_both_ends),
        cmocka_unit_test(a_move_that_does_not_pay_is_not_made),
        cmocka_unit_test(a_closed_end_is_not_left_or_entered),
        cmocka_unit_test(tables_have_a_ceiling),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
