/* SPDX-License-Identifier: Apache-2.0 */
/* The journal under everything that can go wrong around it but the disk (test_journal_disk): killed
 * at every step, a provider whose answers get lost, clocks that jump, several brokers at once, a
 * ledger that is gone. */
#define JOURNAL_CASE "test_journal"
#include "tests/fault/journal_child.h"
#include "tests/support/no_sync.h"

#include "base/file.h"

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

#define DAY_MS INT64_C(86400000)

/* ---- checkpoints ---- */

/* ---- providers that misbehave ---- */

static void fault(enum gl_memory_op op, unsigned times, enum gl_errc code, bool acts_first)
{
    bench.cloud->store->faults[op] =
        (struct gl_memory_fault){.times = times, .code = code, .acts_first = acts_first};
}

static void provider_is_well(void)
{
}

static void launch_answer_lost(void)
{
    fault(GL_MEMORY_LAUNCH, 1, GL_E_TIMEOUT, true);
}

static void launch_answer_lost_and_no_look(void)
{
    fault(GL_MEMORY_LAUNCH, 1, GL_E_TIMEOUT, true);
    fault(GL_MEMORY_FIND, 1, GL_E_NETWORK, false);
}

static void launch_not_heard_twice(void)
{
    fault(GL_MEMORY_LAUNCH, 2, GL_E_NETWORK, false);
}

static void launch_not_heard_at_all(void)
{
    fault(GL_MEMORY_LAUNCH, 9, GL_E_NETWORK, false);
}

static void launch_not_heard_and_no_look(void)
{
    fault(GL_MEMORY_LAUNCH, 1, GL_E_NETWORK, false);
    fault(GL_MEMORY_FIND, 1, GL_E_NETWORK, false);
}

static void launch_refused(void)
{
    fault(GL_MEMORY_LAUNCH, 1, GL_E_NO_CREDENTIAL, false);
}

static void stop_answer_lost(void)
{
    fault(GL_MEMORY_STOP, 1, GL_E_TIMEOUT, true);
}

static void stop_not_heard(void)
{
    fault(GL_MEMORY_STOP, 1, GL_E_TIMEOUT, false);
}

static void describe_unanswered(void)
{
    fault(GL_MEMORY_DESCRIBE, 1, GL_E_PROVIDER, false);
}

static void console_unreadable(void)
{
    fault(GL_MEMORY_CONSOLE, 1, GL_E_PROVIDER, false);
}

static void stop_does_not_end_it(void)
{
    bench.cloud->lingers = true;
}

static void meter_is_mute(void)
{
    bench.cloud->is_mute = true;
}

static void (*const providers[])(void) = {
    provider_is_well,       launch_answer_lost,      launch_answer_lost_and_no_look,
    launch_not_heard_twice, launch_not_heard_at_all, launch_not_heard_and_no_look,
    launch_refused,         stop_answer_lost,        stop_not_heard,
    describe_unanswered,    console_unreadable,      stop_does_not_end_it,
    meter_is_mute,
};
#define PROVIDERS (sizeof providers / sizeof providers[0])

/* Faults that a dead process did not use up are over when its heir looks. */
static void all_is_well(void)
{
    memset(bench.cloud->store->faults, 0, sizeof bench.cloud->store->faults);
}

/* ---- tests ---- */

static void a_broker_killed_at_any_step_loses_nothing(void **state)
{
    unsigned points = 0;

    (void)state;
    for (size_t p = 0; p < PROVIDERS; p++) {
        bool lived = false;

        for (unsigned k = 1; !lived; k++) {
            again();
            providers[p]();
            lived = child_lives(k, journal_bench_life);
            all_is_well();
            journal_bench_assert_over(&bench);
            points += !lived;
        }
    }
    print_message("killed at %u steps of %zu kinds of provider\n", points, PROVIDERS);
    assert_true(points >= 50);
}

/* The heir may be killed too: here while it ends what the first left past its lease. */
static void a_reconciling_broker_killed_at_any_step_loses_nothing(void **state)
{
    unsigned points = 0;

    (void)state;
    for (unsigned first = 1; first <= 6; first++) {
        bool lived = false;

        for (unsigned k = 1; !lived; k++) {
            again();
            child_lives(first, journal_bench_life);
            bench.cloud->true_ms += (JOURNAL_LEASE_S + 1) * 1000;
            lived = child_lives(k, reconcile_life);
            journal_bench_assert_over(&bench);
            points += !lived;
        }
    }
    print_message("killed again at %u steps of reconciling\n", points);
    assert_true(points >= 8);
}

static void a_clock_that_jumps_at_any_step_loses_nothing(void **state)
{
    static const int64_t jumps[] = {DAY_MS, -DAY_MS, 3600000, -3600000, -6000};
    unsigned points = 0;

    (void)state;
    for (size_t j = 0; j < sizeof jumps / sizeof jumps[0]; j++) {
        bool is_reached = true;

        for (unsigned k = 1; is_reached; k++) {
            struct gl_error err = {0};

            again();
            steps.at = k;
            steps.count = 0;
            steps.kills = false;
            steps.jump_ms = jumps[j];
            bench.launcher.checkpoint = on_step;
            if (journal_bench_life(&bench, &err) != 0)
                fail_msg("%s", err.text);
            is_reached = steps.count >= k;
            bench.launcher.checkpoint = NULL;
            journal_bench_assert_over(&bench);
            points += is_reached;
        }
    }
    print_message("clock jumped at %u steps\n", points);
    assert_true(points >= 20);
}

/* The jump comes while it runs: between launch and finish there is no step of ours. When no meter
 * speaks, a clock set back by less than the run cannot be told from a shorter run. */
static void a_clock_that_jumps_while_it_runs_loses_nothing(void **state)
{
    static const int64_t jumps[] = {DAY_MS, -DAY_MS, -14000, -6000};

    (void)state;
    for (size_t j = 0; j < sizeof jumps / sizeof jumps[0]; j++)
        for (int is_mute = 0; is_mute < (jumps[j] == -6000 ? 1 : 2); is_mute++) {
            struct gl_instance instance;
            struct gl_error err = {0};

            again();
            bench.cloud->is_mute = is_mute == 1;
            assert_int_equal(journal_bench_start(&bench, "", &instance, &err), 0);
            bench.cloud->true_ms += 6000;
            bench.cloud->jump_ms += jumps[j];
            bench.cloud->true_ms += 6000;
            assert_int_equal(journal_bench_finish(&bench, instance.launch_id, 1, &err), 0);
            journal_bench_assert_over(&bench);
        }
}

static void reconcile_in_children(unsigned children)
{
    pid_t pids[16];

    gl_ledger_close(bench.ledger);
    bench.ledger = NULL;
    for (unsigned i = 0; i < children; i++) {
        pids[i] = fork();
        if (pids[i] == 0) {
            struct gl_error err = {0};
            int result = -1;

            if (journal_bench_ledger(&bench, 0, &err))
                result = reconcile_life(&bench, &err);
            gl_ledger_close(bench.ledger);
            _exit(result == 0 ? 0 : 1);
        }
    }
    for (unsigned i = 0; i < children; i++) {
        int status = -1;

        waitpid(pids[i], &status, 0);
        assert_int_equal(status, 0);
    }
    assert_true(journal_bench_ledger(&bench, 0, &(struct gl_error){0}));
}

static void brokers_that_reconcile_at_once_do_it_once(void **state)
{
    (void)state;
    for (unsigned round = 1; round <= 12; round++) {
        again();
        for (unsigned i = 0; i < 4; i++) /* left at several states, then past their leases */
            child_lives(1 + (round + i) % 6, journal_bench_life);
        if (round % 2 == 0)
            bench.cloud->true_ms += (JOURNAL_LEASE_S + 1) * 1000;
        reconcile_in_children(4);
        journal_bench_assert_over(&bench); /* one end each */
    }
}

/* One asks for the end while the other finds it past its lease. */
static void finish_and_reconcile_at_once_write_one_receipt(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 12; round++) {
        struct gl_instance instance;
        struct gl_error err = {0};
        int status = -1;
        pid_t child;

        again();
        assert_int_equal(journal_bench_start(&bench, "", &instance, &err), 0);
        bench.cloud->true_ms += 12000;
        bench.cloud->true_ms += (JOURNAL_LEASE_S + 1) * 1000;
        gl_ledger_close(bench.ledger);
        bench.ledger = NULL;
        child = fork();
        if (child == 0) {
            _exit(!journal_bench_ledger(&bench, 0, &err) ||
                  journal_bench_finish(&bench, instance.launch_id, 1, &err) != 0);
        }
        reconcile_in_children(2);
        waitpid(child, &status, 0);
        assert_int_equal(status, 0);
        journal_bench_assert_over(&bench);
    }
}

/* "stop --all-mine" without a ledger: everything is found by its labels. */
static void without_a_ledger_everything_is_found_by_label(void **state)
{
    GL_AUTO(gl_auto_free) struct gl_instance *found = NULL;
    struct gl_cloud *cloud;
    struct gl_instance instance;
    struct gl_error err = {0};
    size_t count = 0;

    (void)state;
    for (int i = 0; i < 3; i++)
        assert_int_equal(journal_bench_start(&bench, "", &instance, &err), 0);
    launch_answer_lost_and_no_look(); /* one more that nobody heard of */
    assert_int_equal(journal_bench_start(&bench, "", &instance, &err), -1);
    gl_error_clear(&err);
    gl_ledger_close(bench.ledger);
    bench.ledger = NULL;
    assert_int_equal(unlink(bench.ledger_path), 0);
    cloud = metered_cloud_open(bench.cloud, "memory", NULL, &err);
    assert_int_equal(cloud->ops->list(cloud, &found, &count, &err), 0);
    assert_int_equal(count, 4);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(strncmp(found[i].launch_id, "gl-", 3), 0);
        assert_int_equal(cloud->ops->stop(cloud, found[i].id, (struct gl_span){1}, &err), 0);
        assert_int_equal(cloud->ops->terminate(cloud, found[i].id, &err), 0);
    }
    assert_int_equal(gl_memory_running(bench.cloud->store), 0);
    gl_cloud_close(cloud);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_broker_killed_at_any_step_loses_nothing),
        CASE(a_reconciling_broker_killed_at_any_step_loses_nothing),
        CASE(a_clock_that_jumps_at_any_step_loses_nothing),
        CASE(a_clock_that_jumps_while_it_runs_loses_nothing),
        CASE(brokers_that_reconcile_at_once_do_it_once),
        CASE(finish_and_reconcile_at_once_write_one_receipt),
        CASE(without_a_ledger_everything_is_found_by_label),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
