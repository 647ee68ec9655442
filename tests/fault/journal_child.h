/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_TESTS_JOURNAL_CHILD_H
#define GL_TESTS_JOURNAL_CHILD_H

/* Lives of a broker in a process of its own that is killed at a step of the journal, or whose clock
 * jumps there. With journal_case.h, for test_journal*.c. */

#include "tests/fault/journal_case.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

/* What happens at step number `at`; the count of all. */
static struct {
    unsigned at, count;
    bool kills;
    int64_t jump_ms;
} steps;

static inline void on_step(void *cookie, const char *step)
{
    struct metered_cloud *cloud = cookie;

    assert_true(step[0] != '\0');
    if (++steps.count != steps.at)
        return;
    if (steps.kills)
        kill(getpid(), SIGKILL);
    cloud->jump_ms += steps.jump_ms;
}

static inline void child(unsigned kill_at, int (*life)(struct journal_bench *, struct gl_error *))
{
    struct gl_error err = {0};

    steps.at = kill_at;
    steps.kills = true;
    if (!journal_bench_ledger(&bench, 0, &err))
        _exit(2);
    bench.launcher.checkpoint = on_step;
    life(&bench, &err);
    gl_ledger_close(bench.ledger);
    _exit(0);
}

/* Run `life` in a process of its own that dies at step `kill_at`; true if it got to its end. */
static inline bool child_lives(unsigned kill_at,
                               int (*life)(struct journal_bench *, struct gl_error *))
{
    int status = -1;
    pid_t pid;

    gl_ledger_close(bench.ledger); /* a connection does not cross fork() */
    bench.ledger = NULL;
    pid = fork();
    if (pid == 0)
        child(kill_at, life);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(journal_bench_ledger(&bench, 0, &(struct gl_error){0}));
    if (WIFSIGNALED(status))
        assert_int_equal(WTERMSIG(status), SIGKILL);
    else
        assert_int_equal(WEXITSTATUS(status) % 99, 0); /* 99: killed by the fault of a call */
    return status == 0;
}

static inline int reconcile_life(struct journal_bench *own, struct gl_error *err)
{
    struct gl_reconciled counts;

    return gl_launch_reconcile(&own->launcher, &counts, err);
}

#endif
