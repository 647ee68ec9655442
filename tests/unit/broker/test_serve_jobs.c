/* SPDX-License-Identifier: Apache-2.0 */
/* Children of the server: once, four at a time, followed, ended. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/file.h"
#include "broker/serve/jobs.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* What the children tell: they do not share our memory. */
static int told[2], standard_error;
static struct gl_world world;
static volatile sig_atomic_t is_asked_to_stop;

static void on_term(int number)
{
    (void)number;
    is_asked_to_stop = 1;
}

static void tell(const char *word)
{
    struct gl_error ignored = {0};

    gl_fd_write(told[1], word, strlen(word), &ignored);
}

/* Standard error is the one thing a child keeps beside 0 and 1: the pipe lies there. */
static int run(void *cookie, const struct gl_runtask *task, const char *why)
{
    (void)cookie;
    told[1] = STDERR_FILENO;
    if (why != NULL) {
        tell("G");
        return strncmp(task->id, "worse", 5) == 0 ? 1 : 0;
    }
    if (strncmp(task->id, "crash", 5) == 0)
        raise(SIGKILL);
    if (strncmp(task->id, "bad", 3) == 0 || strncmp(task->id, "worse", 5) == 0)
        return 1;
    if (strncmp(task->id, "hang", 4) == 0) {
        signal(SIGTERM, on_term);
        tell("H");
        while (!is_asked_to_stop)
            usleep(10000);
        tell("S");
        return 0;
    }
    tell("R");
    return write(9, "x", 1) == 1 ? 1 : 0; /* a descriptor of the parent's must be closed */
}

static struct gl_jobs *jobs_new(void)
{
    return gl_jobs_new(&(struct gl_jobs_options){.world = &world, .run = run});
}

static enum gl_jobs_taken add(struct gl_jobs *jobs, const char *id)
{
    struct gl_runtask task = {.stage = gl_runtask_stage_named("pre_plan")};
    enum gl_jobs_taken taken;

    snprintf(task.id, sizeof task.id, "%s", id);
    gl_secret_init(&task.token, "t", 2);
    taken = gl_jobs_add(jobs, &task);
    gl_runtask_done(&task);
    return taken;
}

static void settle(struct gl_jobs *jobs)
{
    while (gl_jobs_count(jobs) > 0) {
        gl_jobs_tend(jobs);
        usleep(2000);
    }
}

/* What was told, in order of arrival. */
static const char *words(char out[256])
{
    ssize_t length = read(told[0], out, 255);

    out[length > 0 ? length : 0] = '\0';
    return out;
}

static void a_task_is_done_once(void **state)
{
    struct gl_jobs *jobs = jobs_new();
    char text[256];

    (void)state;
    assert_int_equal(add(jobs, "a"), GL_JOBS_TAKEN);
    assert_int_equal(add(jobs, "a"), GL_JOBS_BEFORE);
    settle(jobs);
    assert_int_equal(add(jobs, "a"), GL_JOBS_BEFORE);
    settle(jobs);
    assert_string_equal(words(text), "R");
    gl_jobs_stop(jobs, 0);
}

static void a_bad_end_is_reported_once(void **state)
{
    struct gl_jobs *jobs = jobs_new();
    char text[256];

    (void)state;
    add(jobs, "crash");
    settle(jobs);
    assert_string_equal(words(text), "G");
    add(jobs, "bad");
    settle(jobs);
    assert_string_equal(words(text), "G");
    add(jobs, "worse"); /* and the report of it fails too: it ends there */
    settle(jobs);
    assert_string_equal(words(text), "G");
    gl_jobs_stop(jobs, 0);
}

static void too_many_are_sent_away(void **state)
{
    struct gl_jobs *jobs = jobs_new();
    char id[16], text[256];

    (void)state;
    for (int i = 0; i < GL_JOBS_WAITING; i++) {
        snprintf(id, sizeof id, "task-%d", i);
        assert_int_equal(add(jobs, id), GL_JOBS_TAKEN);
    }
    assert_int_equal(add(jobs, "one-more"), GL_JOBS_FULL);
    settle(jobs);
    assert_int_equal(strlen(words(text)), GL_JOBS_WAITING);
    assert_int_equal(add(jobs, "one-more"), GL_JOBS_TAKEN); /* it was not remembered */
    settle(jobs);
    words(text);
    gl_jobs_stop(jobs, 0);
}

static void a_stop_ends_what_runs_and_reports_what_waits(void **state)
{
    struct gl_jobs *jobs = jobs_new();
    size_t seen = 0;
    char text[256];

    (void)state;
    for (int i = 0; i < GL_JOBS_AT_ONCE; i++)
        add(jobs, (const char *const[]){"hang-1", "hang-2", "hang-3", "hang-4"}[i]);
    add(jobs, "late");
    gl_jobs_tend(jobs);
    for (int tries = 0; tries < 5000 && seen < GL_JOBS_AT_ONCE; tries++) {
        usleep(2000);
        seen += strlen(words(text));
    }
    assert_int_equal(seen, GL_JOBS_AT_ONCE);
    assert_int_equal(gl_jobs_count(jobs), GL_JOBS_AT_ONCE + 1);
    gl_jobs_stop(jobs, 0);
    words(text);
    assert_int_equal(strlen(text), GL_JOBS_AT_ONCE + 1);
    assert_non_null(strchr(text, 'G'));
    assert_null(strchr(text, 'R'));
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no child is left */
}

static int begin(void **state)
{
    (void)state;
    gl_world_real(&world);
    standard_error = dup(STDERR_FILENO);
    if (pipe2(told, O_NONBLOCK) != 0)
        return -1;
    return dup2(told[1], 9) == 9 && dup2(told[1], STDERR_FILENO) >= 0 ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    return dup2(standard_error, STDERR_FILENO) >= 0 ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_task_is_done_once),
        cmocka_unit_test(a_bad_end_is_reported_once),
        cmocka_unit_test(too_many_are_sent_away),
        cmocka_unit_test(a_stop_ends_what_runs_and_reports_what_waits),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
