/* SPDX-License-Identifier: Apache-2.0 */
/* Grams, ends and bad input of a replay, by hand-computed cases. */
#include "tests/unit/policy/backtest_case.h"

/* 100 at midnight, 10 more every hour of the day. */
static void fill_ramp(struct scene *scene, size_t place)
{
    for (size_t h = 0; h < HOURS; h++)
        scene->value[place][h] = 100 + 10 * (float)(h % 24);
}

/* ---- grams ---- */

static void baseline_is_exact(void **state)
{
    struct scene *scene = scene_new(1);

    (void)state;
    fill_ramp(scene, 0);
    add_job(scene, 40 * 24 + 10, 3, 3);
    scene->places[0].pue = 1.5;
    scene->options.start_kwh = 4;
    replay(scene);
    /* (200 + 210 + 220) * 2 kWh and a start of 4 kWh at 200, times PUE. */
    assert_near(run_of(scene, GL_BACKTEST_NOW, 0)->emitted_g.central, (1260 + 800) * 1.5);
    assert_near(run_of(scene, GL_BACKTEST_NOW, 0)->saved_g.central, 0);
    assert_int_equal(run_of(scene, GL_BACKTEST_NOW, 0)->span_h, 3);
    assert_int_equal(scene->result.totals[GL_BACKTEST_NOW].running_h, 3);
    scene_free(scene);
}

static void oracle_finds_the_cheapest(void **state)
{
    struct scene *scene = scene_new(1);
    const struct gl_backtest_run *run;

    (void)state;
    fill_ramp(scene, 0);
    add_job(scene, 40 * 24 + 10, 2, 24);
    replay(scene);
    run = run_of(scene, GL_BACKTEST_ORACLE, 0);
    /* 100 and 110 of the next midnight, 2 kWh each. */
    assert_near(run->emitted_g.central, 420);
    assert_int_equal(run->wait_h, 14);
    assert_near(run->saved_g.central, 2 * (200 + 210) - 420);
    /* A day that is like the days before is foreseen. */
    run = run_of(scene, GL_BACKTEST_WAIT, 0);
    assert_near(run->emitted_g.central, 420);
    assert_false(run->was_unplanned);
    assert_near(scene->result.totals[GL_BACKTEST_WAIT].bound_g,
                scene->result.totals[GL_BACKTEST_WAIT].saved_g.central);
    scene_free(scene);
}

static void pauses_where_that_pays(void **state)
{
    struct scene *scene = scene_new(1);
    const struct gl_backtest_run *run;

    (void)state;
    for (size_t h = 0; h < HOURS; h++)
        scene->value[0][h] = h % 2 == 0 ? 50 : 400;
    add_job(scene, 40 * 24, 3, 12)->may_pause = true;
    replay(scene);
    run = run_of(scene, GL_BACKTEST_PAUSE, 0);
    assert_near(run->emitted_g.central, 2 * 150);
    assert_near(run_of(scene, GL_BACKTEST_ORACLE, 0)->emitted_g.central, 2 * 150);
    assert_near(run_of(scene, GL_BACKTEST_WAIT, 0)->emitted_g.central, 2 * (50 + 400 + 50));
    assert_int_equal(run->pauses, 2);
    assert_int_equal(run->where[0], 0);
    assert_int_equal(run->where[1], GL_BACKTEST_NOWHERE);
    gl_arena_done(&scene->arena);
    scene->options.start_kwh = 20; /* a start now costs more than a dear hour */
    replay(scene);
    run = run_of(scene, GL_BACKTEST_PAUSE, 0);
    assert_int_equal(run->pauses, 0);
    assert_near(run->emitted_g.central, 2 * (50 + 400 + 50) + 20 * 50);
    scene_free(scene);
}

static void estimates_have_a_band(void **state)
{
    struct scene *scene = scene_new(1);
    const struct gl_backtest_run *run;

    (void)state;
    fill_ramp(scene, 0);
    for (size_t h = 0; h < HOURS; h++)
        scene->state[0][h] |= GL_HOUR_ESTIMATED;
    add_job(scene, 40 * 24, 1, 1);
    replay(scene);
    run = run_of(scene, GL_BACKTEST_NOW, 0);
    assert_near(run->emitted_g.central, 200);
    assert_near(run->emitted_g.low, 200 * (1 - GL_BACKTEST_REVISION));
    assert_near(run->emitted_g.high, 200 * (1 + GL_BACKTEST_REVISION));
    scene_free(scene);
}

static void holes_are_not_counted(void **state)
{
    struct scene *scene = scene_new(1);

    (void)state;
    fill_ramp(scene, 0);
    scene->state[0][40 * 24 + 1] = GL_HOUR_MISSING;
    scene->value[0][40 * 24 + 1] = NAN;
    add_job(scene, 40 * 24, 2, 2);
    add_job(scene, 40 * 24 + 4, 2, 2);
    replay(scene);
    assert_int_equal(run_of(scene, GL_BACKTEST_NOW, 0)->end, GL_BACKTEST_UNKNOWN);
    assert_int_equal(run_of(scene, GL_BACKTEST_ORACLE, 0)->end, GL_BACKTEST_UNKNOWN);
    assert_int_equal(scene->result.totals[GL_BACKTEST_NOW].compared, 1);
    assert_near(scene->result.totals[GL_BACKTEST_NOW].emitted_g.central, 2 * (140 + 150));
    scene_free(scene);
}

/* ---- what cannot be replayed ---- */

static void jobs_beyond_and_too_long(void **state)
{
    struct scene *scene = scene_new(1);

    (void)state;
    fill_ramp(scene, 0);
    add_job(scene, 40 * 24, 6, 5);
    add_job(scene, HOURS - 4, 3, 5);
    add_job(scene, HOURS - 3, 3, 3);
    replay(scene);
    for (int s = 0; s < GL_BACKTEST_STRATEGIES; s++) {
        enum gl_backtest_strategy strategy = (enum gl_backtest_strategy)s;

        if (scene->result.totals[s].is_absent)
            continue;
        assert_int_equal(run_of(scene, strategy, 0)->end, GL_BACKTEST_REFUSED);
        assert_int_equal(run_of(scene, strategy, 0)->why, GL_BACKTEST_WHY_TOO_LONG);
        assert_int_equal(run_of(scene, strategy, 1)->end, GL_BACKTEST_BEYOND);
        assert_int_equal(run_of(scene, strategy, 2)->end, GL_BACKTEST_DONE);
    }
    assert_true(scene->result.totals[GL_BACKTEST_GUARD].is_absent);
    assert_true(scene->result.totals[GL_BACKTEST_PAUSE].is_absent);
    assert_true(scene->result.totals[GL_BACKTEST_PLACE].is_absent);
    scene_free(scene);
}

static void without_history_it_starts_at_once(void **state)
{
    struct scene *scene = scene_new(1);

    (void)state;
    fill_ramp(scene, 0);
    add_job(scene, 3 * 24 + 10, 2, 24);
    replay(scene);
    assert_true(run_of(scene, GL_BACKTEST_WAIT, 0)->was_unplanned);
    assert_int_equal(run_of(scene, GL_BACKTEST_WAIT, 0)->wait_h, 0);
    assert_near(run_of(scene, GL_BACKTEST_WAIT, 0)->saved_g.central, 0);
    assert_int_equal(scene->result.totals[GL_BACKTEST_WAIT].unplanned, 1);
    scene_free(scene);
}

static bool stop_at_once(void *cookie, size_t done, size_t all)
{
    (void)done;
    (void)all;
    ++*(int *)cookie;
    return false;
}

static void assert_fails(struct scene *scene, enum gl_errc code)
{
    struct gl_error err = {0};

    assert_int_equal(gl_backtest_run(&scene->options, &scene->arena, &scene->result, &err), -1);
    assert_int_equal(err.code, code);
    gl_arena_done(&scene->arena);
}

static void bad_options_are_refused(void **state)
{
    static const char *const share[] = {"min_renewable", "50%", NULL};
    static const char *const grade[] = {"max_intensity", "50 g/kWh", "min_grade", "B", NULL};
    static const char *const direct[] = {"max_intensity", "50 g/kWh", "boundary", "direct", NULL};
    const char *const *const rules[] = {share, grade, direct};
    struct scene *scene = scene_new(2);
    struct gl_error err = {0};
    int calls = 0;

    (void)state;
    fill_ramp(scene, 0);
    fill_ramp(scene, 1);
    assert_fails(scene, GL_E_BAD_VALUE); /* no jobs */
    add_job(scene, 40 * 24, 2, 24);
    for (size_t i = 0; i < 3; i++) {
        scene->options.policy = gl_policy_with_flags(NULL, "rule", rules[i], &err);
        assert_fails(scene, GL_E_UNKNOWN_DATA);
        gl_policy_free((struct gl_policy *)(uintptr_t)scene->options.policy);
    }
    scene->options.policy = NULL;
    scene->jobs[0].arrival_s++;
    assert_fails(scene, GL_E_BAD_VALUE);
    scene->jobs[0].arrival_s--;
    scene->jobs[0].home = 2;
    assert_fails(scene, GL_E_BAD_VALUE);
    scene->jobs[0].home = 0;
    scene->jobs[0].kwh_per_hour = NAN;
    assert_fails(scene, GL_E_BAD_VALUE);
    scene->jobs[0].kwh_per_hour = 1;
    scene->options.confidence = 1;
    assert_fails(scene, GL_E_BAD_VALUE);
    scene->options.confidence = 0.9;
    scene->history[1].meaning.boundary = GL_DIRECT;
    assert_fails(scene, GL_E_MEANING);
    scene->history[1].meaning.boundary = GL_LIFECYCLE;
    scene->history[1].actuals.start_s += HOURS * GL_HOUR_S;
    assert_fails(scene, GL_E_UNKNOWN_DATA);
    scene->history[1].actuals.start_s = START_S;
    scene->options.tick = stop_at_once;
    scene->options.cookie = &calls;
    assert_fails(scene, GL_E_INTERRUPTED);
    assert_int_equal(calls, 1);
    scene_free(scene);
}

static void bars_cover_every_wait(void **state)
{
    uint32_t low, high, next = 0;

    (void)state;
    for (size_t i = 0; i < GL_BACKTEST_WAITS; i++) {
        gl_backtest_wait_bar(i, &low, &high);
        assert_int_equal(low, next);
        assert_true(high >= low);
        next = high + 1;
    }
    assert_int_equal(high, UINT32_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(baseline_is_exact),
        cmocka_unit_test(oracle_finds_the_cheapest),
        cmocka_unit_test(pauses_where_that_pays),
        cmocka_unit_test(estimates_have_a_band),
        cmocka_unit_test(holes_are_not_counted),
        cmocka_unit_test(jobs_beyond_and_too_long),
        cmocka_unit_test(without_history_it_starts_at_once),
        cmocka_unit_test(bad_options_are_refused),
        cmocka_unit_test(bars_cover_every_wait),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
