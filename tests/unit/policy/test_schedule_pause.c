/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "policy/schedule/pause.h"
#include "tests/unit/policy/schedule_case.h"

#include <string.h>

#define CASES 1500
#define MOST  11

static size_t ran(const bool *run, size_t slots)
{
    size_t count = 0;

    for (size_t i = 0; i < slots; i++)
        count += run[i];
    return count;
}

/* Every run is long enough, or ends the work. */
static bool keeps_least_run(const bool *run, size_t slots, size_t least, size_t work)
{
    size_t length = 0, done = 0;

    for (size_t i = 0; i <= slots; i++) {
        if (i < slots && run[i]) {
            length++;
            done++;
            continue;
        }
        if (length > 0 && length < least && done < work)
            return false;
        length = 0;
    }
    return true;
}

static bool is_open(const int64_t *cost, size_t slots, const bool *run,
                    const struct gl_pause_rules *rules)
{
    bool has_begun = false;

    for (size_t i = 0; i < slots; i++) {
        if (!run[i])
            continue;
        if (!gl_cost_is_open(cost[i]))
            return false;
        if (!has_begun && rules->first != NULL && !gl_cost_is_open(rules->first[i]))
            return false;
        has_begun = true;
    }
    return true;
}

/* Every subset of the slots. */
static bool tried(const int64_t *cost, size_t slots, size_t work,
                  const struct gl_pause_rules *rules, int64_t *out)
{
    bool is_found = false;

    for (unsigned set = 0; set < 1U << slots; set++) {
        bool run[MOST];
        int64_t sum;

        for (size_t i = 0; i < slots; i++)
            run[i] = (set >> i & 1) != 0;
        if (ran(run, slots) != work || !is_open(cost, slots, run, rules) ||
            !keeps_least_run(run, slots, rules->min_run, work))
            continue;
        sum = gl_pause_cost(cost, slots, run, rules);
        if (!is_found || sum < *out)
            *out = sum;
        is_found = true;
    }
    return is_found;
}

static void the_plan_is_the_best_of_all_subsets(void **state)
{
    uint64_t seed = 4;

    (void)state;
    for (uint64_t number = 1; number <= CASES; number++) {
        const size_t slots = 1 + (size_t)case_below(&seed, MOST);
        const size_t work = 1 + (size_t)case_below(&seed, (int64_t)slots);
        int64_t cost[MOST], first[MOST], expected = 0, got = -1;
        struct gl_pause_rules rules = {
            .start_cost = case_below(&seed, 8),
            .start_slots = (double)case_below(&seed, 3) / 2,
            .min_run = (size_t)case_below(&seed, 5),
        };
        struct gl_arena arena = {0};
        bool run[MOST], is_found;

        case_line(&seed, 10, case_below(&seed, 2) * 8, slots, cost);
        case_line(&seed, 6, case_below(&seed, 2) * 3, slots, first);
        if (case_below(&seed, 2) == 0)
            rules.first = first;
        is_found = gl_pause_plan(cost, slots, work, &rules, &arena, run, &got);
        CHECK(is_found == tried(cost, slots, work, &rules, &expected));
        if (is_found) {
            CHECK(got == expected);
            CHECK(ran(run, slots) == work);
            CHECK(is_open(cost, slots, run, &rules));
            CHECK(keeps_least_run(run, slots, rules.min_run, work));
            CHECK(gl_pause_cost(cost, slots, run, &rules) == got);
        } else {
            CHECK(got == -1);
        }
        gl_arena_done(&arena);
    }
}

static void the_cheapest_slots_are_the_plan_without_a_price(void **state)
{
    const struct gl_pause_rules free_rules = {0};
    uint64_t seed = 5;

    (void)state;
    for (uint64_t number = 1; number <= CASES; number++) {
        const size_t slots = 1 + (size_t)case_below(&seed, MOST);
        const size_t work = 1 + (size_t)case_below(&seed, (int64_t)slots);
        int64_t cost[MOST], room[MOST], expected = 0, got = -1;
        bool run[MOST], is_found;

        case_line(&seed, 4, case_below(&seed, 2) * 6, slots, cost);
        is_found = gl_pause_cheapest(cost, slots, work, room, run, &got);
        CHECK(is_found == tried(cost, slots, work, &free_rules, &expected));
        CHECK(!is_found || got == expected);
        CHECK(!is_found || ran(run, slots) == work);
        /* Ties go to the earlier slot: nothing equal was left out before one that was taken. */
        for (size_t i = 0; is_found && i < slots; i++)
            for (size_t j = i + 1; j < slots; j++)
                CHECK(run[i] || !run[j] || cost[j] < cost[i]);
    }
}

static void parts_of_hours_are_filled_from_the_cheapest(void **state)
{
    uint64_t seed = 6;

    (void)state;
    for (uint64_t number = 1; number <= CASES; number++) {
        const size_t count = 1 + (size_t)case_below(&seed, 4);
        struct gl_pause_part parts[4];
        int64_t unit[16], room[16], expected = 0, got = 0;
        bool run[16];
        size_t units = 0, work;

        for (size_t i = 0; i < count; i++) {
            parts[i] = (struct gl_pause_part){
                .cost = case_below(&seed, 5), .at = i, .size = 1 + (size_t)case_below(&seed, 4)};
            if (case_below(&seed, 9) == 0)
                parts[i].cost = GL_COST_CLOSED;
            for (size_t j = 0; j < parts[i].size; j++)
                unit[units++] = parts[i].cost;
        }
        work = 1 + (size_t)case_below(&seed, (int64_t)units);
        CHECK(gl_pause_cheapest_parts(parts, count, work) ==
              gl_pause_cheapest(unit, units, work, room, run, &expected));
        for (size_t i = 0; i < count; i++)
            got += (int64_t)parts[i].used * (parts[i].used > 0 ? parts[i].cost : 0);
        CHECK(expected == 0 || got == expected);
    }
}

static void every_arrival_gets_its_cheapest_slots(void **state)
{
    uint64_t seed = 7;

    (void)state;
    for (uint64_t number = 1; number <= CASES; number++) {
        const size_t slots = 1 + (size_t)case_below(&seed, 30);
        const size_t span = 1 + (size_t)case_below(&seed, (int64_t)slots);
        const size_t work = 1 + (size_t)case_below(&seed, (int64_t)span);
        int64_t cost[30], room[30], each[30], rest[30], expected = 0;
        bool run[30];

        case_line(&seed, 6, 0, slots, cost);
        CHECK(gl_pause_cheapest_each(cost, slots, work, span, room, each) == slots - span + 1);
        for (size_t i = 0; i + span <= slots; i++) {
            CHECK(gl_pause_cheapest(cost + i, span, work, room, run, &expected));
            CHECK(each[i] == expected);
        }
        CHECK(gl_pause_cheapest_rest(cost, slots, work, room, rest) == slots - work + 1);
        for (size_t i = 0; i + work <= slots; i++) {
            CHECK(gl_pause_cheapest(cost + i, slots - i, work, room, run, &expected));
            CHECK(rest[i] == expected);
        }
    }
}

/* Followed hour by hour on a forecast that does not change, the hourly rule is the optimum. */
static void the_hourly_rule_runs_the_cheapest_slots(void **state)
{
    uint64_t seed = 8;

    (void)state;
    for (uint64_t number = 1; number <= CASES; number++) {
        const size_t slots = 1 + (size_t)case_below(&seed, MOST);
        const size_t work = 1 + (size_t)case_below(&seed, (int64_t)slots);
        int64_t cost[MOST], room[MOST], expected, sum = 0;
        bool run[MOST];
        size_t left = work;

        case_line(&seed, 5, 0, slots, cost);
        CHECK(gl_pause_cheapest(cost, slots, work, room, run, &expected));
        for (size_t i = 0; i < slots; i++)
            if (gl_pause_runs_now(cost + i, slots - i, left)) {
                CHECK(run[i]);
                sum += cost[i];
                left--;
            }
        CHECK(left == 0);
        CHECK(sum == expected);
    }
}

static void no_slack_means_run(void **state)
{
    const int64_t cost[4] = {900, 1, 1, 1};
    const int64_t hole[2] = {GL_COST_CLOSED, 1};

    (void)state;
    assert_true(gl_pause_runs_now(cost, 4, 4));
    assert_false(gl_pause_runs_now(cost, 4, 3));
    assert_true(gl_pause_runs_now(cost, 3, 4)); /* late already */
    assert_false(gl_pause_runs_now(cost, 4, 0));
    assert_false(gl_pause_runs_now(cost, 0, 1));
    assert_false(gl_pause_runs_now(hole, 2, 2));
}

/* Two cheap valleys: a price of starting beyond what the second saves joins them. */
static void a_price_of_starting_joins_runs(void **state)
{
    const int64_t cost[6] = {1, 1, 9, 9, 1, 1};
    struct gl_pause_rules rules = {.start_cost = 15};
    struct gl_arena arena = {0};
    bool run[6];
    int64_t total;

    (void)state;
    assert_true(gl_pause_plan(cost, 6, 4, &rules, &arena, run, &total));
    assert_int_equal(total, 4 + 2 * 15);
    assert_false(run[2]);
    rules.start_cost = 17;
    assert_true(gl_pause_plan(cost, 6, 4, &rules, &arena, run, &total));
    assert_int_equal(total, 20 + 17);
    assert_true(run[2]);
    rules = (struct gl_pause_rules){.min_run = 3};
    assert_true(gl_pause_plan(cost, 6, 4, &rules, &arena, run, &total));
    assert_int_equal(total, 12); /* three slots and, to finish, the cheap fifth */
    gl_arena_done(&arena);
}

static void what_cannot_be_done_is_not_planned(void **state)
{
    const int64_t cost[3] = {1, GL_COST_CLOSED, 1};
    const struct gl_pause_rules rules = {0}, longer = {.min_run = 2};
    struct gl_arena arena = {0};
    int64_t room[3], total = -7;
    bool run[3] = {false, true, false};

    (void)state;
    assert_false(gl_pause_cheapest(cost, 3, 3, room, run, &total));
    assert_false(gl_pause_cheapest(cost, 3, 4, room, run, &total));
    assert_false(gl_pause_cheapest(cost, 3, 0, room, run, &total));
    assert_false(gl_pause_plan(cost, 3, 3, &rules, &arena, run, &total));
    assert_false(gl_pause_plan(cost, 3, 0, &rules, &arena, run, &total));
    assert_false(gl_pause_plan(cost, 3, 2, &longer, &arena, run, &total));
    assert_int_equal(total, -7);
    assert_true(run[1]);
    assert_int_equal(gl_pause_cheapest_each(cost, 3, 2, 1, room, room), 0);
    assert_int_equal(gl_pause_cheapest_rest(cost, 3, 4, room, room), 0);
    gl_arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_plan_is_the_best_of_all_subsets),
        cmocka_unit_test(the_cheapest_slots_are_the_plan_without_a_price),
        cmocka_unit_test(parts_of_hours_are_filled_from_the_cheapest),
        cmocka_unit_test(every_arrival_gets_its_cheapest_slots),
        cmocka_unit_test(the_hourly_rule_runs_the_cheapest_slots),
        cmocka_unit_test(no_slack_means_run),
        cmocka_unit_test(a_price_of_starting_joins_runs),
        cmocka_unit_test(what_cannot_be_done_is_not_planned),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
