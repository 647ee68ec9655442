/* SPDX-License-Identifier: Apache-2.0 */
/* Pausing, resuming and moving through the journal while brokers are killed at every step, and
 * several of them at once. */
#define JOURNAL_CASE "test_journal_shift_killed"
#include "tests/fault/journal_child.h"
#include "tests/support/no_sync.h"

#include "broker/shift.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void wait_ms(int64_t ms)
{
    bench.cloud->world.sleep_ms(bench.cloud, ms);
}

static char launch[GL_CLOUD_ID];

static void start(const char *name)
{
    struct gl_instance instance;
    struct gl_error err = {0};

    if (journal_bench_start(&bench, name, &instance, &err) != 0)
        fail_msg("%s", err.text);
    snprintf(launch, sizeof launch, "%s", instance.launch_id);
}

static void fault(enum gl_memory_op op, enum gl_errc code, bool acts_first)
{
    bench.cloud->store->faults[op] =
        (struct gl_memory_fault){.times = 1, .code = code, .acts_first = acts_first};
}

/* ---- killed ---- */

static void nothing_fails(void)
{
}

static void suspend_answer_lost(void)
{
    fault(GL_MEMORY_SUSPEND, GL_E_TIMEOUT, true);
}

static void resume_answer_lost(void)
{
    fault(GL_MEMORY_RESUME, GL_E_TIMEOUT, true);
}

static void move_answer_lost(void)
{
    fault(GL_MEMORY_MOVE, GL_E_TIMEOUT, true);
}

static void move_not_heard(void)
{
    fault(GL_MEMORY_MOVE, GL_E_NETWORK, false);
}

static void spans_unreadable(void)
{
    fault(GL_MEMORY_SPANS, GL_E_PROVIDER, false);
}

static void killed_within(enum gl_memory_op op, bool acts_first)
{
    bench.cloud->store->faults[op] = (struct gl_memory_fault){
        .times = 1, .code = GL_E_TIMEOUT, .acts_first = acts_first, .kills_caller = true};
}

static void killed_before_suspend(void)
{
    killed_within(GL_MEMORY_SUSPEND, false);
}

static void killed_after_suspend(void)
{
    killed_within(GL_MEMORY_SUSPEND, true);
}

static void killed_after_resume(void)
{
    killed_within(GL_MEMORY_RESUME, true);
}

static void killed_before_move(void)
{
    killed_within(GL_MEMORY_MOVE, false);
}

static void killed_after_move(void)
{
    killed_within(GL_MEMORY_MOVE, true);
}

static void meter_is_mute(void)
{
    bench.cloud->is_mute = true;
}

static void (*const providers[])(void) = {
    nothing_fails,        suspend_answer_lost, resume_answer_lost, move_answer_lost,
    move_not_heard,       spans_unreadable,    meter_is_mute,      killed_before_suspend,
    killed_after_suspend, killed_after_resume, killed_before_move, killed_after_move,
};
#define PROVIDERS (sizeof providers / sizeof providers[0])

/* At least half a minute passes before an heir looks. */
static void killed_at_any_step_there_is_one_and_the_ledger_is_right(void **state)
{
    unsigned points = 0;

    (void)state;
    for (size_t p = 0; p < PROVIDERS; p++) {
        bool lived = false;

        for (unsigned k = 1; !lived && k < 40; k++) {
            again();
            providers[p]();
            lived = child_lives(k, journal_bench_shift_life);
            memset(bench.cloud->store->faults, 0, sizeof bench.cloud->store->faults);
            wait_ms(30000);
            journal_bench_assert_over(&bench);
            points += !lived;
        }
    }
    print_message("killed at %u steps of %zu kinds of provider\n", points, PROVIDERS);
    assert_true(points >= 150);
}

static void an_heir_killed_at_any_step_leaves_it_to_the_next(void **state)
{
    unsigned points = 0;

    (void)state;
    for (unsigned first = 3; first <= 20; first++) {
        bool lived = false;

        for (unsigned k = 1; !lived; k++) {
            again();
            child_lives(first, journal_bench_shift_life);
            bench.cloud->true_ms += (JOURNAL_LEASE_S + 1) * 1000;
            lived = child_lives(k, reconcile_life);
            journal_bench_assert_over(&bench);
            points += !lived;
        }
    }
    print_message("killed again at %u steps of reconciling\n", points);
    assert_true(points >= 20);
}

/* ---- at once ---- */

static void several_at_once_shift_it_one_after_the_other(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 8; round++) {
        pid_t pids[4];

        again();
        start("");
        wait_ms(4000);
        gl_ledger_close(bench.ledger);
        bench.ledger = NULL;
        for (unsigned i = 0; i < 4; i++) {
            pids[i] = fork();
            if (pids[i] == 0) {
                struct gl_error err = {0};
                bool is_open = journal_bench_ledger(&bench, 0, &err);
                int result = !is_open ? -1
                             : i == 0 ? journal_bench_pause(&bench, launch, &err)
                             : i == 1 ? journal_bench_resume(&bench, launch, &err)
                             : i == 2 ? journal_bench_move(&bench, launch, GL_MEMORY_REGION_2, &err)
                                      : reconcile_life(&bench, &err);

                gl_ledger_close(bench.ledger);
                _exit(result == 0 ? 0 : 1);
            }
        }
        for (unsigned i = 0; i < 4; i++) {
            int status = -1;

            waitpid(pids[i], &status, 0);
            assert_int_equal(status, 0);
        }
        assert_true(journal_bench_ledger(&bench, 0, &(struct gl_error){0}));
        journal_bench_assert_over(&bench);
    }
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(killed_at_any_step_there_is_one_and_the_ledger_is_right),
        CASE(an_heir_killed_at_any_step_leaves_it_to_the_next),
        CASE(several_at_once_shift_it_one_after_the_other),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
