/* SPDX-License-Identifier: Apache-2.0 */
/* A plan with pauses carried out by the guard: in time, made up for, against the rules, by hand in
 * between, and killed at every step of every change. */
#include "tests/fault/guard_case.h"

#include "broker/shift.h"
#include "broker/timetable.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

/* What a killed process wrote is in the kernel. */
int fsync(int fd)
{
    (void)fd;
    return 0;
}

int fdatasync(int fd)
{
    (void)fd;
    return 0;
}

/* An hour, two of pause, an hour; ten hours for it. */
static struct gl_timetable_run runs[2];
static struct gl_timetable timetable;

static void begin(const char *on_lapse, bool has_no_rules)
{
    int64_t now_s = guard_bench_now_s(bench);

    runs[0] = (struct gl_timetable_run){now_s, now_s + 3600};
    runs[1] = (struct gl_timetable_run){now_s + 3 * 3600, now_s + 4 * 3600};
    timetable = (struct gl_timetable){runs, 2, 2 * 3600, now_s + 10 * 3600};
    bench->timetable = &timetable;
    bench->has_no_rules = has_no_rules;
    bench->grids[0].has_no_history = bench->grids[1].has_no_history = true;
    start(on_lapse, 0, 10 * 3600);
}

static void it_is_paused_resumed_and_ended_as_planned(void **state)
{
    (void)state;
    for (int has_no_rules = 0; has_no_rules < 2; has_no_rules++) {
        again();
        begin("notify", has_no_rules);
        wait_s(1800);
        look();
        assert_int_equal(guarded.stayed, 1);
        assert_int_equal(guarded.next_s, runs[0].until_s);
        wait_s(1800);
        look();
        assert_did(GL_GUARD_PAUSE, GL_WHY_PLAN_PAUSES);
        assert_state("paused", GL_MEMORY_REGION);
        look();
        assert_did(GL_GUARD_STAY, GL_WHY_PLAN_PAUSES);
        assert_int_equal(guarded.next_s, runs[1].from_s);
        wait_s(7200);
        look();
        assert_did(GL_GUARD_RESUME, GL_WHY_PLAN_RUNS);
        assert_state("running", GL_MEMORY_REGION);
        wait_s(3590);
        look();
        assert_int_equal(guarded.stayed, 1);
        wait_s(20);
        look();
        assert_did(GL_GUARD_STOP, GL_WHY_DONE);
        assert_state("ended", GL_MEMORY_REGION);
        assert_int_equal(events("paused"), 1);
        assert_int_equal(events("resumed"), 1);
        assert_int_equal(journal_bench_events(&journal, "", "demand"), 0);
        journal_bench_assert_sound(&journal);
    }
}

static void a_late_resume_is_made_up_for(void **state)
{
    (void)state;
    begin("notify", true);
    wait_s(3600);
    look();
    wait_s(7200 + 600);
    look();
    assert_did(GL_GUARD_RESUME, GL_WHY_PLAN_RUNS);
    wait_s(3000 + 300);
    look();
    assert_did(GL_GUARD_STAY, GL_WHY_PLAN_RUNS);
    wait_s(400);
    look();
    assert_did(GL_GUARD_STOP, GL_WHY_DONE);
}

/* Over the limit in the second stretch: it stands still until green, or until there is no time left
 * and it only asked to be told. */
static void rules_hold_in_a_stretch_unless_the_deadline_wins(void **state)
{
    static const struct {
        const char *on_lapse;
        enum gl_guard_act act;
    } rows[] = {{"notify", GL_GUARD_RESUME}, {"pause", GL_GUARD_STAY}};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        again();
        begin(rows[i].on_lapse, false);
        wait_s(3600);
        look();
        assert_did(GL_GUARD_PAUSE, GL_WHY_PLAN_PAUSES);
        wait_s(7200);
        spike(0);
        look();
        assert_did(GL_GUARD_STAY, GL_WHY_NOT_GREEN);
        wait_s(6 * 3600 - 400); /* nine hours in, less what looks and a resume take */
        look();
        assert_state("paused", GL_MEMORY_REGION);
        wait_s(60);
        look();
        assert_int_equal(bench->told[0].act, rows[i].act);
        if (rows[i].act == GL_GUARD_RESUME)
            assert_told(0, GL_GUARD_RESUME, GL_WHY_DEADLINE);
    }
}

static void what_a_person_does_in_between_stands(void **state)
{
    const struct gl_shift_reason person = {"person", "asked for by hand", NULL};
    struct gl_error err = {0};

    (void)state;
    begin("notify", true);
    wait_s(3600);
    look();
    assert_did(GL_GUARD_PAUSE, GL_WHY_PLAN_PAUSES);
    wait_s(60);
    assert_int_equal(gl_launch_resume(&journal.launcher, launch, &person, &err), 0);
    look();
    assert_int_equal(guarded.paused, 0);
    assert_state("running", GL_MEMORY_REGION);
    assert_int_equal(gl_launch_pause(&journal.launcher, launch, &person, &err), 0);
    wait_s(7200);
    look();
    assert_did(GL_GUARD_STAY, GL_WHY_PERSON);
    assert_state("paused", GL_MEMORY_REGION);
}

static void a_timetable_in_disorder_is_told(void **state)
{
    (void)state;
    begin("notify", true);
    again();
    runs[0] = (struct gl_timetable_run){100, 50};
    timetable = (struct gl_timetable){runs, 1, 10, 1000};
    bench->timetable = &timetable;
    bench->has_no_rules = true;
    start("notify", 0, 3600);
    look();
    assert_int_equal(guarded.failed, 1);
    assert_int_equal(bench->told[0].code, GL_E_NOT_VERIFIED);
    assert_state("running", GL_MEMORY_REGION);
}

static void only_the_one_that_is_asked_for(void **state)
{
    char first[GL_CLOUD_ID];

    (void)state;
    begin("notify", true);
    memcpy(first, launch, sizeof first);
    start("notify", 0, 10 * 3600);
    wait_s(3600);
    bench->guard.only = first;
    look();
    assert_int_equal(bench->told_count, 1);
    assert_string_equal(bench->told[0].launch, first);
    assert_state("running", GL_MEMORY_REGION);
    bench->guard.only = NULL;
    look();
    assert_state("paused", GL_MEMORY_REGION);
}

/* ---- killed ---- */

static struct {
    unsigned at, count;
} steps;

static void on_step(void *cookie, const char *step)
{
    (void)cookie;
    assert_true(step[0] != '\0');
    if (++steps.count == steps.at)
        kill(getpid(), SIGKILL);
}

/* True when it was killed before it was through. */
static bool child_looks(unsigned kill_at)
{
    int status = -1;
    pid_t child;

    gl_ledger_close(journal.ledger);
    journal.ledger = NULL;
    child = fork();
    if (child == 0) {
        struct gl_error err = {0};

        if (!journal_bench_ledger(&journal, 0, &err))
            _exit(2);
        steps.at = kill_at;
        steps.count = 0;
        journal.launcher.checkpoint = on_step;
        guard_bench_look(bench, &guarded, &err);
        gl_ledger_close(journal.ledger);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(journal_bench_ledger(&journal, 0, &(struct gl_error){0}));
    return WIFSIGNALED(status);
}

/* The pause, the resume and the end of a plan, each killed at every step: the next look goes on,
 * and there is one of everything. */
static void killed_at_any_step_the_next_look_goes_on(void **state)
{
    static const struct {
        int64_t wait_s;
        const char *state;
    } phases[] = {{3600, "paused"}, {7200, "running"}, {3600, "ended"}};
    unsigned points = 0;

    (void)state;
    for (size_t phase = 0; phase < 3; phase++)
        for (unsigned k = 1, was_killed = 1; was_killed; k++) {
            again();
            begin("notify", true);
            for (size_t p = 0; p < phase; p++) {
                wait_s(phases[p].wait_s);
                look();
            }
            wait_s(phases[phase].wait_s);
            was_killed = child_looks(k);
            points += was_killed;
            look();
            look();
            assert_state(phases[phase].state, GL_MEMORY_REGION);
            assert_true(events("paused") == 1);
            assert_true(events("resumed") == (phase > 0));
            journal_bench_assert_sound(&journal);
            assert_chain();
        }
    print_message("killed at %u steps\n", points);
    assert_true(points >= 15);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(it_is_paused_resumed_and_ended_as_planned),
        CASE(a_late_resume_is_made_up_for),
        CASE(rules_hold_in_a_stretch_unless_the_deadline_wins),
        CASE(what_a_person_does_in_between_stands),
        CASE(a_timetable_in_disorder_is_told),
        CASE(only_the_one_that_is_asked_for),
        CASE(killed_at_any_step_the_next_look_goes_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
