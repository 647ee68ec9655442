/* SPDX-License-Identifier: Apache-2.0 */
/* Rules, the guard, and what holds of every replay: no look-ahead, no strategy below the bound. */
#include "tests/unit/policy/backtest_case.h"

/* ---- rules ---- */

/* Clean from midnight to noon. */
static void fill_halves(struct scene *scene, size_t place)
{
    for (size_t h = 0; h < HOURS; h++)
        scene->value[place][h] = h % 24 < 12 ? 100 : 500;
}

static void promises_decide_the_start(void **state)
{
    struct scene *scene = scene_new(1);
    const struct gl_backtest_run *run;

    (void)state;
    fill_halves(scene, 0);
    add_rule(scene, "300 g/kWh");
    add_job(scene, 50 * 24 + 2, 4, 8);    /* green already */
    add_job(scene, 50 * 24 + 14, 4, 24);  /* has to wait for midnight */
    add_job(scene, 50 * 24 + 14, 4, 8);   /* cannot */
    add_job(scene, 50 * 24 + 14, 14, 24); /* no half day is long enough */
    replay(scene);
    run = run_of(scene, GL_BACKTEST_WAIT, 0);
    assert_int_equal(run->end, GL_BACKTEST_DONE);
    assert_int_equal(run->wait_h, 0);
    assert_int_equal(run->issued, 1);
    assert_int_equal(run->kept, 1);
    run = run_of(scene, GL_BACKTEST_WAIT, 1);
    assert_int_equal(run->end, GL_BACKTEST_DONE);
    /* The promise needs an hour that is seen to be clean: with no lag, 01:00. */
    assert_in_range(run->wait_h, 10, 11);
    assert_int_equal(run->outside_h, 0);
    run = run_of(scene, GL_BACKTEST_WAIT, 2);
    assert_int_equal(run->end, GL_BACKTEST_REFUSED);
    assert_int_equal(run->why, GL_BACKTEST_WHY_BREAKS_NOW);
    assert_false(run->was_green);
    assert_int_equal(run_of(scene, GL_BACKTEST_WAIT, 3)->end, GL_BACKTEST_REFUSED);
    assert_int_equal(run_of(scene, GL_BACKTEST_NOW, 2)->outside_h, 4);
    assert_int_equal(scene->result.totals[GL_BACKTEST_WAIT].ends[GL_BACKTEST_REFUSED], 2);
    scene_free(scene);
}

static void few_issues_promise_nothing(void **state)
{
    struct scene *scene = scene_new(1);

    (void)state;
    fill_halves(scene, 0);
    add_rule(scene, "300 g/kWh");
    add_job(scene, 3 * 24 + 2, 2, 4);
    replay(scene);
    assert_int_equal(run_of(scene, GL_BACKTEST_WAIT, 0)->end, GL_BACKTEST_REFUSED);
    assert_int_equal(run_of(scene, GL_BACKTEST_WAIT, 0)->why, GL_BACKTEST_WHY_TOO_FEW_ISSUES);
    assert_true(run_of(scene, GL_BACKTEST_WAIT, 0)->was_green);
    scene_free(scene);
}

/* Home turns dirty on a morning that had always been clean: the promise breaks, the guard sees it
 * and leaves for the other place. */
static void guard_leaves_a_broken_place(void **state)
{
    struct scene *scene = scene_new(2);
    const size_t arrival = 50 * 24 + 1;
    const struct gl_backtest_run *run;

    (void)state;
    fill_halves(scene, 0);
    for (size_t h = 0; h < HOURS; h++)
        scene->value[1][h] = 250;
    for (size_t h = arrival + 2; h < arrival + 10; h++)
        scene->value[0][h] = 500;
    add_rule(scene, "300 g/kWh");
    add_job(scene, arrival, 6, 8);
    replay(scene);
    run = run_of(scene, GL_BACKTEST_GUARD, 0);
    assert_int_equal(run->end, GL_BACKTEST_DONE);
    assert_int_equal(run->first_place, 0);
    assert_int_equal(run->moves, 1);
    /* One dirty hour is taken for a passing one, as far as the forecast goes; not two. */
    assert_int_equal(run->outside_h, 2);
    assert_int_equal(run->breached, 1);
    assert_int_equal(run->kept, 1);
    assert_near(run->emitted_g.central, 2 * (2 * 100 + 2 * 500 + 2 * 250));
    /* Unguarded it would have stayed. */
    assert_int_equal(run_of(scene, GL_BACKTEST_PLACE, 0)->outside_h, 4);
    scene_free(scene);
}

static void guard_pauses_and_stops(void **state)
{
    struct scene *scene = scene_new(1);
    const size_t arrival = 50 * 24 + 1;

    (void)state;
    fill_halves(scene, 0);
    for (size_t h = arrival + 2; h < arrival + 4; h++)
        scene->value[0][h] = 500;
    add_rule(scene, "300 g/kWh");
    add_job(scene, arrival, 4, 72)->may_pause = true;
    replay(scene);
    /* Move is not possible with one place: it falls to a pause, and runs again when clean and such
     * hours, the first ever, are no surprise any more. */
    assert_true(run_of(scene, GL_BACKTEST_GUARD, 0)->pauses >= 1);
    assert_int_equal(run_of(scene, GL_BACKTEST_GUARD, 0)->end, GL_BACKTEST_DONE);
    gl_arena_done(&scene->arena);
    scene->options.guard.on_lapse = GL_LAPSE_STOP;
    replay(scene);
    assert_int_equal(run_of(scene, GL_BACKTEST_GUARD, 0)->end, GL_BACKTEST_STOPPED);
    assert_near(scene->result.totals[GL_BACKTEST_GUARD].lost_g, 2 * (100 + 100 + 500));
    assert_int_equal(scene->result.totals[GL_BACKTEST_GUARD].compared, 0);
    scene_free(scene);
}

/* ---- by timetable ---- */

/* Clean from eight to noon and from midnight to four: no five hours in a row. */
static void fill_stretches(struct scene *scene)
{
    for (size_t h = 0; h < HOURS; h++)
        scene->value[0][h] = h % 24 < 4 || (h % 24 >= 8 && h % 24 < 12) ? 100 : 500;
}

/* Planned from ten to noon and from midnight to three. At midnight the hour before was still dirty,
 * so nothing can be promised: it stands still, and makes up for it at the end. */
static void a_stretch_that_is_not_green_is_held_and_made_up_for(void **state)
{
    static const uint8_t runs[] = {0, 1, 15, 16, 17};
    struct scene *scene = scene_new(1);
    const struct gl_backtest_run *run;

    (void)state;
    fill_stretches(scene);
    add_rule(scene, "300 g/kWh");
    add_job(scene, 50 * 24 + 10, 5, 20)->may_pause = true;
    replay(scene);
    run = run_of(scene, GL_BACKTEST_PAUSE, 0);
    assert_int_equal(run->end, GL_BACKTEST_DONE);
    for (size_t h = 0; h < run->hours; h++)
        assert_int_equal(run->where[h] == 0, memchr(runs, (int)h, sizeof runs) != NULL);
    assert_int_equal(run->pauses, 1);
    assert_int_equal(run->plan_pauses, 1);
    assert_int_equal(run->held_h, 1);
    assert_int_equal(run->made_up_h, 1);
    assert_int_equal(run->outside_h, 0);
    assert_int_equal(run->issued, 2); /* one for each stretch */
    assert_int_equal(run->kept, 2);
    assert_int_equal(scene->result.totals[GL_BACKTEST_PAUSE].held_h, 1);
    assert_int_equal(scene->result.totals[GL_BACKTEST_PAUSE].made_up_h, 1);
    assert_int_equal(scene->result.totals[GL_BACKTEST_PAUSE].plan_pauses, 1);
    scene_free(scene);
}

/* The second stretch never turns green: who asked to be told of a lapse is done in time all the
 * same, who asked for pauses is not. */
static void the_deadline_forces_only_who_is_to_be_told(void **state)
{
    struct scene *scene = scene_new(1);
    const size_t arrival = 50 * 24 + 10;
    const struct gl_backtest_run *run;

    (void)state;
    fill_stretches(scene);
    for (size_t h = arrival + 14; h < arrival + 30; h++)
        scene->value[0][h] = 500;
    add_rule(scene, "300 g/kWh");
    add_job(scene, arrival, 5, 20)->may_pause = true;
    scene->options.guard.on_lapse = GL_LAPSE_PAUSE;
    replay(scene);
    run = run_of(scene, GL_BACKTEST_PAUSE, 0);
    assert_int_equal(run->end, GL_BACKTEST_MISSED);
    assert_int_equal(run->outside_h, 0);
    gl_arena_done(&scene->arena);
    scene->options.guard.on_lapse = GL_LAPSE_NOTIFY;
    replay(scene);
    run = run_of(scene, GL_BACKTEST_PAUSE, 0);
    assert_int_equal(run->end, GL_BACKTEST_DONE);
    assert_int_equal(run->span_h, 20); /* the last hours before its deadline */
    assert_int_equal(run->outside_h, 3);
    assert_int_equal(run->held_h, 3);
    assert_int_equal(run->made_up_h, 3);
    scene_free(scene);
}

/* Planned once and then carried out: --replan changes nothing of what has begun. */
static void what_has_begun_keeps_its_timetable(void **state)
{
    struct scene *one = scene_new(1), *two = scene_new(1);
    const struct gl_backtest_run *a, *b;

    (void)state;
    for (size_t h = 0; h < HOURS; h++)
        one->value[0][h] = two->value[0][h] = h % 24 < 3 || h % 24 == 20 ? 100 : 400;
    for (size_t h = 50 * 24 + 10; h < 50 * 24 + 16; h++)
        two->value[0][h] = 20; /* what nobody foresaw, after it has begun */
    two->options.replan_h = 1;
    add_job(one, 50 * 24, 4, 24)->may_pause = true;
    add_job(two, 50 * 24, 4, 24)->may_pause = true;
    replay(one);
    replay(two);
    a = run_of(one, GL_BACKTEST_PAUSE, 0);
    b = run_of(two, GL_BACKTEST_PAUSE, 0);
    assert_int_equal(a->pauses, 1);
    assert_memory_equal(a->where, b->where, a->hours);
    scene_free(one);
    scene_free(two);
}

/* ---- invented days: what must hold whatever comes ---- */

static double next_unit(uint64_t *seed)
{
    uint64_t z = (*seed += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (double)((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

static void fill_weather(struct scene *scene, size_t place, uint64_t seed)
{
    double weather = 0;

    for (size_t h = 0; h < HOURS; h++) {
        weather = 0.97 * weather + 30 * (next_unit(&seed) - 0.5);
        scene->value[place][h] =
            (float)(300 + 90 * cos((double)(h % 24) / 24 * 6.2832) + 3 * weather);
        if (scene->value[place][h] < 5)
            scene->value[place][h] = 5;
    }
}

static struct scene *scene_of_weather(uint64_t seed)
{
    struct scene *scene = scene_new(2);

    fill_weather(scene, 0, seed);
    fill_weather(scene, 1, seed + 1000);
    add_rule(scene, "320 g/kWh");
    scene->history[0].actuals.lag_h = scene->history[1].actuals.lag_h = 2;
    scene->options.start_kwh = 0.2;
    scene->options.copy = (struct gl_region_copy){
        .data_gb = 20, .kwh_per_gb = GL_COPY_KWH_WORST, .gbit_per_s = 1, .idle_kwh_per_hour = 0.1};
    for (size_t i = 0; i < 60; i++) {
        struct gl_backtest_job *job =
            add_job(scene, 40 * 24 + 9 * i, 1 + (uint32_t)(i % 7), 8 + (uint32_t)(i % 5) * 4);

        job->home = i % 3 == 0;
        job->may_pause = i % 2 == 0;
    }
    return scene;
}

static void oracle_bounds_every_strategy(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct scene *scene = scene_of_weather(seed);
        size_t compared = 0;

        replay(scene);
        for (int s = 0; s < GL_BACKTEST_ORACLE; s++)
            for (size_t i = 0; i < scene->options.job_count; i++) {
                const struct gl_backtest_run *run = run_of(scene, (enum gl_backtest_strategy)s, i);
                const struct gl_backtest_run *bound = run_of(scene, GL_BACKTEST_ORACLE, i);

                if (run->end != GL_BACKTEST_DONE)
                    continue;
                compared++;
                if (run->emitted_g.central < bound->emitted_g.central * (1 - 1e-5))
                    fail_msg("seed %d, job %zu: %s emits %.4f, the bound %.4f", (int)seed, i,
                             gl_backtest_word((enum gl_backtest_strategy)s), run->emitted_g.central,
                             bound->emitted_g.central);
            }
        assert_true(compared > 150);
        scene_free(scene);
    }
}

/* Everything a strategy did before an hour is the same whatever came from that hour on, and in the
 * hours whose figures were not known yet. */
static void the_future_changes_nothing_before_it(void **state)
{
    const size_t cut = 52 * 24 + 5;
    struct scene *before = scene_of_weather(7), *after = scene_of_weather(7);
    size_t looked_at = 0, differ_later = 0;

    (void)state;
    for (size_t p = 0; p < PLACES; p++)
        for (size_t h = cut - 1 - after->history[p].actuals.lag_h; h < HOURS; h++)
            after->value[p][h] = (float)(20 + (h * 37 + p * 11) % 600);
    replay(before);
    replay(after);
    for (int s = 0; s < GL_BACKTEST_ORACLE; s++)
        for (size_t i = 0; i < before->options.job_count; i++) {
            const struct gl_backtest_run *a = run_of(before, (enum gl_backtest_strategy)s, i);
            const struct gl_backtest_run *b = run_of(after, (enum gl_backtest_strategy)s, i);
            size_t arrival = (size_t)((before->jobs[i].arrival_s - START_S) / GL_HOUR_S);

            for (size_t h = 0; a->where != NULL && h < a->hours; h++) {
                if (arrival + h >= cut) {
                    differ_later += a->where[h] != b->where[h];
                    continue;
                }
                looked_at++;
                if (a->where[h] != b->where[h])
                    fail_msg("job %zu by %s knew the future", i,
                             gl_backtest_word((enum gl_backtest_strategy)s));
            }
        }
    assert_true(looked_at > 500);
    assert_true(differ_later > 20); /* and the change did matter afterwards */
    scene_free(before);
    scene_free(after);
}

static void same_input_same_answer(void **state)
{
    struct scene *one = scene_of_weather(9), *two = scene_of_weather(9);

    (void)state;
    replay(one);
    replay(two);
    for (int s = 0; s < GL_BACKTEST_STRATEGIES; s++)
        assert_memory_equal(&one->result.totals[s], &two->result.totals[s],
                            sizeof one->result.totals[s]);
    scene_free(one);
    scene_free(two);
}

/* Three hours in which many jobs alike but for one thing arrive. */
static struct scene *scene_of_crowds(bool has_costs)
{
    struct scene *scene = scene_of_weather(13);

    scene->options.policy = NULL; /* what promises learn depends on the lengths of all jobs */
    scene->options.start_kwh = has_costs ? 0.3 : 0;
    scene->options.copy.data_gb = has_costs ? 20 : 0;
    for (size_t i = 0; i < scene->options.job_count; i++) {
        struct gl_backtest_job *job = &scene->jobs[i];

        job->arrival_s = START_S + (40 * 24 + 7 * (int64_t)(i / 20)) * GL_HOUR_S;
        job->kwh_per_hour = i % 4 < 2 ? 0.1F : 4;
        job->work_h = 3 + (uint32_t)(i % 5 == 0);
        job->deadline_h = 20 - (uint32_t)(i % 7 == 0);
    }
    return scene;
}

/* The first one says since when there is evidence. */
static void assert_goes_the_same_way_alone(const struct scene *all, size_t i)
{
    struct scene *alone = scene_of_weather(13);

    alone->options = all->options;
    alone->jobs[0] = all->jobs[0], alone->jobs[1] = all->jobs[i];
    alone->options.jobs = alone->jobs;
    alone->options.job_count = 2;
    replay(alone);
    for (int s = 0; s < GL_BACKTEST_STRATEGIES; s++) {
        const struct gl_backtest_run *one = run_of(all, (enum gl_backtest_strategy)s, i);
        const struct gl_backtest_run *other = run_of(alone, (enum gl_backtest_strategy)s, 1);

        assert_int_equal(one->hours, other->hours);
        if (one->hours > 0)
            assert_memory_equal(one->where, other->where, one->hours);
        assert_near(one->emitted_g.central, other->emitted_g.central);
    }
    scene_free(alone);
}

/* What is worked out once for all jobs of an hour is right for each of them. */
static void jobs_of_one_hour_do_not_touch_each_other(void **state)
{
    (void)state;
    for (int has_costs = 0; has_costs < 2; has_costs++) {
        struct scene *all = scene_of_crowds(has_costs == 1);

        replay(all);
        for (size_t i = 0; i < all->options.job_count; i++) {
            assert_goes_the_same_way_alone(all, i);
            /* A start that is worth three hours of running pays for no pause. */
            if (has_costs == 1 && all->jobs[i].kwh_per_hour < 1)
                assert_int_equal(run_of(all, GL_BACKTEST_FREE, i)->pauses, 0);
        }
        scene_free(all);
    }
}

static void totals_add_up(void **state)
{
    struct scene *scene = scene_of_weather(11);

    (void)state;
    replay(scene);
    for (int s = 0; s < GL_BACKTEST_STRATEGIES; s++) {
        const struct gl_backtest_total *total = &scene->result.totals[s];
        size_t ends = 0, waits = 0;
        double emitted = 0;

        for (size_t e = 0; e < GL_BACKTEST_ENDS; e++)
            ends += total->ends[e];
        for (size_t w = 0; w < GL_BACKTEST_WAITS; w++)
            waits += total->waits[w];
        for (size_t i = 0; i < scene->options.job_count; i++)
            if (run_of(scene, (enum gl_backtest_strategy)s, i)->end == GL_BACKTEST_DONE)
                emitted += run_of(scene, (enum gl_backtest_strategy)s, i)->emitted_g.central;
        assert_int_equal(ends, scene->options.job_count);
        assert_int_equal(waits, total->ends[GL_BACKTEST_DONE] + total->ends[GL_BACKTEST_MISSED] +
                                    total->ends[GL_BACKTEST_STOPPED]);
        assert_near(total->emitted_g.central, emitted);
        assert_near(total->saved_g.central, total->baseline_g.central - total->emitted_g.central);
        assert_int_equal(total->better + total->equal + total->worse, total->compared);
        assert_int_equal(total->issued, total->kept + total->breached + total->unsettled);
    }
    scene_free(scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(promises_decide_the_start),
        cmocka_unit_test(few_issues_promise_nothing),
        cmocka_unit_test(guard_leaves_a_broken_place),
        cmocka_unit_test(guard_pauses_and_stops),
        cmocka_unit_test(a_stretch_that_is_not_green_is_held_and_made_up_for),
        cmocka_unit_test(the_deadline_forces_only_who_is_to_be_told),
        cmocka_unit_test(what_has_begun_keeps_its_timetable),
        cmocka_unit_test(oracle_bounds_every_strategy),
        cmocka_unit_test(the_future_changes_nothing_before_it),
        cmocka_unit_test(same_input_same_answer),
        cmocka_unit_test(jobs_of_one_hour_do_not_touch_each_other),
        cmocka_unit_test(totals_add_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
