/* SPDX-License-Identifier: Apache-2.0 */
/* Promises where there is next to nothing to promise of. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "policy/guarantee/learning.h"
#include "tests/unit/policy/invent_grid.h"

#define DAYS(count) ((size_t)(count)*24)
#define NOW         DAYS(400)

static struct grid *grid;
static struct gl_arena arena;
static struct gl_track track;

static void forecast(void)
{
    assert_true(grid_track(&arena, grid, NULL, DAYS(12), NOW, &track));
}

static struct gl_promise promised(const struct gl_guarantee_rule *rule, size_t hour)
{
    const struct gl_track *const tracks[] = {&track};
    struct gl_guarantee *guarantee = gl_guarantee_start(&arena, rule, grid_time(DAYS(80)));
    struct gl_promise promise;

    assert_non_null(guarantee);
    assert_true(gl_guarantee_advance(guarantee, tracks, grid_time(hour)));
    assert_true(gl_guarantee_decide(guarantee, tracks, grid_time(hour), 0, &promise));
    return promise;
}

/* Nothing to divide by: errors of nothing are nothing, and a millionth above the limit breaks it.
 */
static void near_zero_is_a_value_like_any_other(void **state)
{
    const struct gl_guarantee_rule none = grid_rule(GL_LEG_CEILING, 0, .99);
    const struct gl_guarantee_rule little = grid_rule(GL_LEG_CEILING, .02F, .9);
    const struct gl_guarantee_rule less = grid_rule(GL_LEG_CEILING, .005F, .9);
    const struct gl_actuals *actuals;
    struct gl_promise promise;
    struct gl_settled settled;

    (void)state;
    grid = grid_new(11);
    actuals = &grid->actuals;
    grid_fill(grid, gl_hour_value(0));
    forecast();
    promise = promised(&none, DAYS(300));
    assert_int_equal(promise.kind, GL_PROMISED);
    assert_int_equal(promise.hours, 48);
    gl_guarantee_settle(&none, &actuals, &promise, grid_time(NOW), &settled);
    assert_int_equal(settled.kind, GL_SETTLED_KEPT);
    grid->value[DAYS(300) + 5] = gl_hour_value(1);
    gl_guarantee_settle(&none, &actuals, &promise, grid_time(NOW), &settled);
    assert_int_equal(settled.kind, GL_SETTLED_BREACHED);
    for (size_t i = 0; i < GRID_HOURS; i++) /* 0 to 11.5 mg/kWh, day by day */
        grid->value[i] = gl_hour_value((int64_t)(i % 24) * 500);
    forecast();
    assert_int_equal(promised(&little, DAYS(300)).hours, 48);
    promise = promised(&less, DAYS(300) + 1);
    assert_int_equal(promise.kind, GL_PROMISED);
    assert_int_equal(promise.hours, 10); /* at 10:00 it is at the limit, at 11:00 above */
    free(grid);
    gl_arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(near_zero_is_a_value_like_any_other),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
