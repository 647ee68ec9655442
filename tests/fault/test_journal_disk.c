/* SPDX-License-Identifier: Apache-2.0 */
/* The journal on a disk that fails at call number N (failing_disk.h); N runs over all of them. */
#undef _FORTIFY_SOURCE
#define JOURNAL_CASE "test_journal_disk"
#include "tests/fault/journal_case.h"
#include "tests/support/failing_disk.h"

#include "base/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- the disk ---- */

/* Counted, but not done: a killed process loses nothing that the kernel has. */
int fsync(int fd)
{
    (void)fd;
    return strikes(true) ? -1 : 0;
}

int fdatasync(int fd)
{
    (void)fd;
    return strikes(true) ? -1 : 0;
}

/* ---- tests ---- */

struct outcome {
    bool is_killed;
    bool has_struck; /* the life reached call number N */
    int code;        /* its error, 0 = none */
};

typedef int life(struct journal_bench *bench, struct gl_error *err);

static life *const lives[] = {journal_bench_life, journal_bench_shift_life};
#define LIVES (sizeof lives / sizeof lives[0])

/* When it strikes: 0 = never. */
struct strike {
    unsigned kill_at, full_from, full_until;
};

/* A life in a process of its own on that disk. The ledger is opened before the disk is armed when
 * `has_ledger`, else its making is part of the life. */
static struct outcome live(life *living, struct strike strike, bool has_ledger)
{
    unsigned full_from = strike.full_from;
    struct outcome outcome = {0};
    int status = -1, pipes[2];
    unsigned told[2] = {0, 0};
    pid_t child;

    assert_int_equal(pipe(pipes), 0);
    gl_ledger_close(bench.ledger);
    bench.ledger = NULL;
    if (!has_ledger)
        assert_int_equal(unlink(bench.ledger_path), 0);
    child = fork();
    if (child == 0) {
        struct gl_error err = {0};

        disk.kill_at = strike.kill_at;
        disk.full_from = full_from;
        disk.full_until = strike.full_until;
        disk.is_armed = !has_ledger;
        if (journal_bench_ledger(&bench, 0, &err)) {
            disk.is_armed = true;
            living(&bench, &err);
            gl_ledger_close(bench.ledger);
        }
        disk.is_armed = false;
        told[0] = disk.count;
        told[1] = (unsigned)err.code;
        _exit(write(pipes[1], told, sizeof told) == (ssize_t)sizeof told ? 0 : 2);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    outcome.is_killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    assert_true(outcome.is_killed || status == 0);
    if (!outcome.is_killed)
        assert_int_equal(read(pipes[0], told, sizeof told), sizeof told);
    close(pipes[0]);
    close(pipes[1]);
    outcome.has_struck = outcome.is_killed || (full_from > 0 && told[0] >= full_from);
    outcome.code = (int)told[1];
    assert_true(journal_bench_ledger(&bench, 0, &(struct gl_error){0}));
    return outcome;
}

static void kill_before_every_change(life *living, bool has_ledger)
{
    struct outcome outcome = {.is_killed = true};
    unsigned points = 0;

    for (unsigned n = 1; outcome.is_killed; n++) {
        again();
        outcome = live(living, (struct strike){.kill_at = n}, has_ledger);
        if (!outcome.is_killed)
            assert_int_equal(outcome.code, GL_OK);
        journal_bench_assert_over(&bench);
        points += outcome.is_killed;
    }
    print_message("killed at each of %u changes of files, %s\n", points,
                  has_ledger ? "on a ledger" : "from the first opening of the ledger");
    assert_true(points > 60);
}

static void killed_before_every_change_of_a_file(void **state)
{
    (void)state;
    kill_before_every_change(journal_bench_life, false);
    for (size_t i = 0; i < LIVES; i++)
        kill_before_every_change(lives[i], true);
}

/* One call finds no space, or all from there on; afterwards there is space again. */
static void fill_at_every_change(life *living, bool stays)
{
    struct outcome outcome = {.has_struck = true};
    unsigned points = 0, failures = 0;

    for (unsigned n = 1; outcome.has_struck; n++) {
        again();
        outcome =
            live(living, (struct strike){.full_from = n, .full_until = stays ? UINT32_MAX : n + 1},
                 true);
        if (outcome.code != GL_OK && outcome.code != GL_E_DISK_FULL)
            fail_msg("full at change %u: code %d", n, outcome.code);
        journal_bench_assert_over(&bench);
        points += outcome.has_struck;
        failures += outcome.code != GL_OK;
    }
    print_message("full at each of %u changes of files, %s: %u said so\n", points,
                  stays ? "and after" : "once", failures);
    assert_true(points > 60);
    assert_true(failures > 30);
}

static void full_at_every_change_of_a_file(void **state)
{
    (void)state;
    for (size_t i = 0; i < LIVES; i++)
        for (int stays = 0; stays < 2; stays++)
            fill_at_every_change(lives[i], stays == 1);
}

/* SQLite's own limit on the file, at every size from too small to enough. */
static void a_ledger_that_cannot_grow(void **state)
{
    bool is_enough = false;
    unsigned sizes = 0;

    (void)state;
    for (int pages = 1; !is_enough; pages++) {
        struct gl_error err = {0};

        again();
        gl_ledger_close(bench.ledger);
        bench.ledger = NULL;
        assert_int_equal(unlink(bench.ledger_path), 0);
        if (journal_bench_ledger(&bench, pages, &err))
            is_enough = journal_bench_life(&bench, &err) == 0;
        if (!is_enough)
            assert_int_equal(err.code, GL_E_DISK_FULL);
        assert_true(journal_bench_ledger(&bench, 0, &(struct gl_error){0}));
        journal_bench_assert_over(&bench);
        sizes++;
    }
    print_message("%u sizes of the ledger\n", sizes);
    assert_true(sizes > 8);
}

/* Nothing can be written down any more: what runs is ended all the same. */
static void a_full_disk_does_not_keep_an_instance_running(void **state)
{
    struct gl_instance instance;
    struct gl_ending ending = {.wait = {1}};
    struct gl_error err = {0};

    (void)state;
    assert_int_equal(journal_bench_start(&bench, "", &instance, &err), 0);
    bench.cloud->true_ms += 12000;
    disk = (struct disk){.is_armed = true, .full_from = 1, .full_until = UINT32_MAX};
    assert_int_equal(gl_launch_finish(&bench.launcher, instance.launch_id, &ending, &err), -1);
    disk.is_armed = false;
    assert_int_equal(err.code, GL_E_DISK_FULL);
    assert_true(ending.is_over);
    assert_null(ending.receipt);
    assert_non_null(strstr(err.text, "is stopped, but the ledger could not be written"));
    assert_int_equal(gl_memory_running(bench.cloud->store), 0);
    journal_bench_assert_over(&bench);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(killed_before_every_change_of_a_file),
        CASE(full_at_every_change_of_a_file),
        CASE(a_ledger_that_cannot_grow),
        CASE(a_full_disk_does_not_keep_an_instance_running),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
