/* SPDX-License-Identifier: Apache-2.0 */
#include "base/process.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <unistd.h>

static void it_tells_of_a_process(void **state)
{
    static const char *const argv[] = {"/bin/sleep", "100", NULL};
    const struct gl_spawn spawn = {
        .argv = argv, .stdin_fd = -1, .stdout_fd = -1, .stderr_fd = -1, .uid = -1, .gid = -1};
    struct gl_process_stat stat, untouched = {.parent = 77};
    struct gl_process process;
    struct gl_error err = {0};
    int status;

    (void)state;
    assert_int_equal(gl_process_start(&spawn, &process, &err), 0);
    assert_true(gl_process_stat(process.pid, &stat));
    assert_int_equal(stat.parent, getpid());
    assert_int_equal(stat.start_ticks, process.start_ticks);
    gl_process_kill(&process, SIGKILL);
    assert_int_equal(gl_process_wait(&process, -1, &status), 1);
    assert_false(gl_process_stat(process.pid, &untouched));
    assert_int_equal(untouched.parent, 77);
    assert_false(gl_process_stat(0, &untouched));
    assert_false(gl_process_stat(-1, &untouched));
}

/* The time of a child that was awaited is among ours. */
static void it_tells_of_awaited_children(void **state)
{
    static const char *const argv[] = {"/bin/sh", "-c",
                                       "i=0; while [ $i -lt 400000 ]; do i=$((i + 1)); done", NULL};
    GL_AUTO(gl_str_done) struct gl_str text = {0};
    struct gl_process_stat before, after;
    struct gl_error err = {0};
    int status;

    (void)state;
    assert_true(gl_process_stat(getpid(), &before));
    assert_int_equal(gl_process_capture(argv, 64, 60000, &text, &status, &err), 0);
    assert_true(gl_process_stat(getpid(), &after));
    assert_true(after.reaped_ticks > before.reaped_ticks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_tells_of_a_process),
        cmocka_unit_test(it_tells_of_awaited_children),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
