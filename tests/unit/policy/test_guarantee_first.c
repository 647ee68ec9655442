/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "policy/guarantee/learning.h"
#include "tests/unit/policy/invent_grid.h"

#define DAYS(count) ((size_t)(count)*24)

struct seen {
    uint32_t firsts, others, lower;
};

/* A hundred days, hour by hour: which level counted? */
static struct seen watch(const struct gl_guarantee_rule *rule, const struct gl_track *const *tracks,
                         struct gl_arena *arena)
{
    struct gl_guarantee *guarantee = gl_guarantee_start(arena, rule, grid_time(DAYS(80)));
    struct gl_promise promise = {.hours = 0};
    struct seen seen = {0};

    for (size_t hour = DAYS(200); hour < DAYS(300); hour++) {
        bool is_first = promise.hours == 0;
        double all, first;

        assert_true(gl_guarantee_advance(guarantee, tracks, grid_time(hour)));
        all = gl_guarantee_level(guarantee, false);
        first = gl_guarantee_level(guarantee, true);
        assert_true(gl_guarantee_decide(guarantee, tracks, grid_time(hour), 0, &promise));
        assert_true(first <= all);
        if (hour > DAYS(200))
            assert_true(promise.level == (is_first ? first : all));
        seen.firsts += is_first && promise.hours > 0;
        seen.others += !is_first && promise.hours > 0;
        seen.lower += first < all;
    }
    return seen;
}

/* First promises, which could not be had an hour before, have a level of their own; the others
 * not. */
static void first_promises_have_their_own_level(void **state)
{
    struct grid *grid = grid_new(11);
    struct gl_guarantee_rule rule = grid_rule(GL_LEG_CEILING, 350, .9);
    struct gl_arena arena = {0};
    struct gl_track track;
    const struct gl_track *tracks[] = {&track};

    (void)state;
    assert_true(grid_track(&arena, grid, NULL, DAYS(12), DAYS(400), &track));
    for (rule.whole_h = 0; rule.whole_h <= 6; rule.whole_h += 6) {
        struct seen seen = watch(&rule, tracks, &arena);

        assert_true(seen.firsts > 20 && seen.others > seen.firsts && seen.lower > 20);
    }
    gl_arena_done(&arena);
    free(grid);
}

/* Of long wishes there are few first promises to learn from: they begin nearer to 1 - p. */
static void longer_wishes_begin_lower(void **state)
{
    static const struct {
        uint32_t whole_h;
        double first; /* in units of 1 - p */
    } rows[] = {{1, 2}, {6, 2}, {12, 1.41421356237}, {24, 1}, {96, 0.5}, {0, 3}};
    struct gl_guarantee_rule rule = grid_rule(GL_LEG_CEILING, 350, .95);
    struct gl_arena arena = {0};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct gl_guarantee *guarantee;

        rule.whole_h = rows[i].whole_h;
        guarantee = gl_guarantee_start(&arena, &rule, grid_time(0));
        assert_non_null(guarantee);
        assert_true(fabs(guarantee->first_level - rows[i].first * .05) < 1e-9);
    }
    gl_arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(first_promises_have_their_own_level),
                                       cmocka_unit_test(longer_wishes_begin_lower)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
