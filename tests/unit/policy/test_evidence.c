/* SPDX-License-Identifier: Apache-2.0 */
/* Which past errors speak for today: none that are nothing beside today's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "policy/guarantee/evidence.h"
#include "tests/unit/policy/invent_grid.h"

#define DAYS(count) ((size_t)(count)*24)
#define STEP        DAYS(200)

static struct grid *grid;
static struct gl_arena arena;
static struct gl_track track;

static int set_up(void **state)
{
    (void)state;
    grid = grid_new(11);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    free(grid);
    gl_arena_done(&arena);
    return 0;
}

static float surprise(size_t hour)
{
    const struct gl_track *const tracks[] = {&track};
    size_t rows[GL_EVIDENCE_MAX_ROWS], row = gl_evidence_row(&track, grid_time(hour));
    size_t count = gl_evidence_rows(tracks, 1, row, 48, rows);

    assert_true(count > GL_GUARANTEE_MIN_ISSUES);
    return gl_evidence_surprise(&track, row, 48, rows, count);
}

/* How far apart the futures of the last hour ahead are. */
static float band(size_t hour)
{
    const struct gl_track *const tracks[] = {&track};
    float least = INFINITY, most = -INFINITY;
    struct gl_ensemble ensemble;

    assert_true(gl_ensemble_fill(&arena, tracks, 1,
                                 &(struct gl_ensemble_options){
                                     .now_s = grid_time(hour), .hours = 48, .min_paths = 30},
                                 &ensemble) > 30);
    for (size_t path = 0; path < ensemble.paths; path++) {
        least = fminf(least, ensemble.value[path * 48 + 47]);
        most = fmaxf(most, ensemble.value[path * 48 + 47]);
    }
    return most - least;
}

static struct gl_promise promised(float limit, size_t hour)
{
    const struct gl_guarantee_rule rule = grid_rule(GL_LEG_CEILING, limit, 0.9);
    const struct gl_track *const tracks[] = {&track};
    struct gl_guarantee *guarantee = gl_guarantee_start(&arena, &rule, grid_time(DAYS(80)));
    struct gl_promise promise;

    assert_non_null(guarantee);
    assert_true(gl_guarantee_advance(guarantee, tracks, grid_time(hour)));
    assert_true(gl_guarantee_decide(guarantee, tracks, grid_time(hour), 0, &promise));
    return promise;
}

/* Either way out of 200 g/kWh, where no forecast was ever wrong. */
static void after_a_step_out_of_stillness_nothing_is_certain(void **state)
{
    static const float to[] = {120, 300};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        grid_fill(grid, 200);
        for (size_t h = STEP; h < GRID_HOURS; h++)
            grid->value[h] = to[i];
        assert_true(grid_track(&arena, grid, NULL, DAYS(12), STEP + 60, &track));
        assert_int_equal(promised(400, STEP).kind, GL_PROMISED);
        assert_true(band(STEP) < 1);
        for (size_t h = STEP + 1; h < STEP + 24; h++) {
            assert_true(surprise(h) >= 79);
            assert_true(band(h) >= 79);
        }
        assert_int_equal(promised(400, STEP + 1).kind, GL_TOO_FEW_ISSUES);
        assert_int_equal(promised(400, STEP + 1).hours, 0);
        gl_arena_done(&arena);
    }
}

/* What the scale of the signal takes for nothing is no step. */
static void next_to_nothing_is_no_step(void **state)
{
    (void)state;
    grid_fill(grid, 200);
    for (size_t h = STEP; h < GRID_HOURS; h++)
        grid->value[h] = 209;
    assert_true(grid_track(&arena, grid, NULL, DAYS(12), STEP + 60, &track));
    assert_true(surprise(STEP + 1) <= 0);
}

static void weather_speaks_for_weather(void **state)
{
    (void)state;
    assert_true(grid_track(&arena, grid, &grid->issues, DAYS(12), DAYS(400), &track));
    for (size_t h = DAYS(80); h <= DAYS(400); h++)
        assert_true(surprise(h) <= 0);
}

/* Before anything is known of an hour there is no error to compare with. */
static void without_a_newest_hour_nothing_is_compared(void **state)
{
    (void)state;
    memset(grid->state, 0, sizeof grid->state);
    assert_true(grid_track(&arena, grid, NULL, DAYS(12), DAYS(100), &track));
    assert_true(gl_evidence_surprise(&track, DAYS(80), 48, NULL, 0) <= 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(after_a_step_out_of_stillness_nothing_is_certain, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(next_to_nothing_is_no_step, set_up, tear_down),
        cmocka_unit_test_setup_teardown(weather_speaks_for_weather, set_up, tear_down),
        cmocka_unit_test_setup_teardown(without_a_newest_hour_nothing_is_compared, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
