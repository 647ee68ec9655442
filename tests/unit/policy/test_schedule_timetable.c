/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "policy/facts.h"
#include "policy/schedule/timetable.h"
#include "tests/unit/policy/schedule_case.h"

#define H   INT64_C(3600)
#define T0  (INT64_C(500000) * H)
#define MIN INT64_C(60)

/* Two hours, three of pause, one hour; to be done six hours after that. */
static const struct gl_timetable_run runs[] = {{T0, T0 + 2 * H}, {T0 + 5 * H, T0 + 6 * H}};
static struct gl_timetable timetable;

static int set_up(void **state)
{
    (void)state;
    timetable = (struct gl_timetable){runs, 2, 3 * H, T0 + 12 * H};
    return 0;
}

static struct gl_timetable_choice decide(int64_t now_s, int64_t done_s, bool is_paused)
{
    const struct gl_timetable_state at = {now_s, done_s, 5 * MIN, is_paused};
    struct gl_timetable_choice choice;

    gl_timetable_decide(&timetable, &at, &choice);
    return choice;
}

static void it_runs_in_a_stretch_and_stands_still_between_two(void **state)
{
    (void)state;
    assert_int_equal(decide(T0, 0, false).wish, GL_TIMETABLE_RUN);
    assert_int_equal(decide(T0, 0, false).until_s, T0 + 2 * H);
    assert_int_equal(decide(T0 + 2 * H - 1, 2 * H - 1, false).wish, GL_TIMETABLE_RUN);
    assert_int_equal(decide(T0 + 2 * H, 2 * H, false).wish, GL_TIMETABLE_PAUSE);
    assert_int_equal(decide(T0 + 2 * H, 2 * H, false).until_s, T0 + 5 * H);
    assert_int_equal(decide(T0 + 3 * H, 2 * H, true).since_s, T0 + 2 * H);
    assert_int_equal(decide(T0 + 5 * H - 1, 2 * H, true).wish, GL_TIMETABLE_PAUSE);
    assert_int_equal(decide(T0 + 5 * H, 2 * H, true).wish, GL_TIMETABLE_RUN);
    assert_false(decide(T0 + 5 * H, 2 * H, true).is_forced);
    assert_int_equal(decide(T0 + 6 * H, 3 * H, false).wish, GL_TIMETABLE_END);
    assert_int_equal(decide(T0 + 6 * H, 3 * H, false).until_s, GL_UNKNOWN);
}

static void what_was_lost_is_made_up_for(void **state)
{
    (void)state;
    /* Ten minutes late: it runs on for ten minutes at the end of the stretch, */
    assert_int_equal(decide(T0 + 2 * H, 2 * H - 10 * MIN, false).wish, GL_TIMETABLE_RUN);
    assert_int_equal(decide(T0 + 2 * H, 2 * H - 10 * MIN, false).until_s, T0 + 2 * H + 10 * MIN);
    assert_int_equal(decide(T0 + 2 * H + 10 * MIN, 2 * H, false).wish, GL_TIMETABLE_PAUSE);
    /* and after the last one, until it is done. */
    assert_int_equal(decide(T0 + 6 * H, 3 * H - 10 * MIN, false).wish, GL_TIMETABLE_RUN);
    assert_int_equal(decide(T0 + 6 * H, 3 * H - 10 * MIN, false).until_s, T0 + 6 * H + 10 * MIN);
    /* Work that was done sooner ends it sooner. */
    assert_int_equal(decide(T0 + 5 * H, 3 * H - MIN, false).until_s, T0 + 5 * H + MIN);
}

/* An hour left: with a look every five minutes it may stand still until 66 minutes before the
 * deadline, and is only paused where that is two looks away. */
static void the_deadline_wins(void **state)
{
    int64_t latest_s;

    (void)state;
    timetable.deadline_s = T0 + 6 * H;
    latest_s = timetable.deadline_s - H - GL_TIMETABLE_RESTART_S - 5 * MIN;
    assert_int_equal(decide(latest_s, 2 * H, true).wish, GL_TIMETABLE_PAUSE);
    assert_int_equal(decide(latest_s, 2 * H, true).until_s, latest_s + 1);
    assert_int_equal(decide(latest_s + 1, 2 * H, true).wish, GL_TIMETABLE_RUN);
    assert_true(decide(latest_s + 1, 2 * H, true).is_forced);
    assert_int_equal(decide(latest_s - 5 * MIN, 2 * H, false).wish, GL_TIMETABLE_PAUSE);
    assert_int_equal(decide(latest_s - 5 * MIN + 1, 2 * H, false).wish, GL_TIMETABLE_RUN);
    /* No slack at all: it runs through. */
    timetable.deadline_s = T0 + 3 * H;
    assert_int_equal(decide(T0 + 2 * H, 2 * H, false).wish, GL_TIMETABLE_RUN);
}

/* Whatever the plan, however late the looks: it is done by the deadline, and runs no longer than
 * its work and one look. */
static void any_plan_is_done_in_time(void **state)
{
    uint64_t seed = 7;

    (void)state;
    for (uint64_t number = 0; number < 3000; number++) {
        struct gl_timetable_run made[6];
        int64_t at = T0, sum = 0, done = 0, late = 1 + case_below(&seed, 600), now, paused = 0;
        size_t count = 1 + (size_t)case_below(&seed, 6);
        struct gl_timetable_choice choice;

        for (size_t i = 0; i < count; i++) {
            made[i].from_s = at;
            at += 600 + case_below(&seed, 3 * H);
            made[i].until_s = at;
            sum += at - made[i].from_s;
            at += 1 + case_below(&seed, 5 * H);
        }
        timetable =
            (struct gl_timetable){made, count, sum, made[count - 1].until_s + case_below(&seed, H)};
        CHECK(gl_timetable_is_sound(&timetable));
        for (now = T0;;) {
            const struct gl_timetable_state look = {now, done, late, paused > 0};
            int64_t step = 1 + case_below(&seed, late);

            gl_timetable_decide(&timetable, &look, &choice);
            if (choice.wish == GL_TIMETABLE_END)
                break;
            CHECK(choice.until_s > now);
            paused = choice.wish == GL_TIMETABLE_PAUSE;
            done += paused ? 0 : step;
            now += step;
            if (done >= sum)
                CHECK(now - (done - sum) <= timetable.deadline_s);
        }
        CHECK(done < sum + late);
    }
}

static void what_is_in_disorder_is_none(void **state)
{
    struct gl_timetable_run bad[2] = {runs[0], runs[1]};

    (void)state;
    assert_true(gl_timetable_is_sound(&timetable));
    timetable.runs = bad;
    bad[1].from_s = bad[0].until_s;
    assert_false(gl_timetable_is_sound(&timetable));
    bad[1] = (struct gl_timetable_run){T0 + 6 * H, T0 + 6 * H};
    assert_false(gl_timetable_is_sound(&timetable));
    set_up(NULL);
    timetable.count = 0;
    assert_false(gl_timetable_is_sound(&timetable));
    set_up(NULL);
    timetable.work_s = 0;
    assert_false(gl_timetable_is_sound(&timetable));
    set_up(NULL);
    timetable.deadline_s = T0 + 3 * H - 1;
    assert_false(gl_timetable_is_sound(&timetable));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(it_runs_in_a_stretch_and_stands_still_between_two, set_up),
        cmocka_unit_test_setup(what_was_lost_is_made_up_for, set_up),
        cmocka_unit_test_setup(the_deadline_wins, set_up),
        cmocka_unit_test_setup(any_plan_is_done_in_time, set_up),
        cmocka_unit_test_setup(what_is_in_disorder_is_none, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
