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

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(first_promises_have_their_own_level)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
