/* SPDX-License-Identifier: Apache-2.0 */
/* gl_fd_write() of base/file.h. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define SIGNAL_US 2000

static void test_fd_write_full_disk(void **state)
{
    int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
    struct gl_error err = {0};

    (void)state;
    if (fd < 0)
        skip();
    assert_int_equal(gl_fd_write(fd, "x", 1, &err), -1);
    assert_int_equal(err.code, GL_E_DISK_FULL);
    assert_int_equal(err.sys, ENOSPC);
    close(fd);
}

static void test_fd_write_broken_pipe(void **state)
{
    struct gl_error err = {0};
    int fds[2];

    (void)state;
    signal(SIGPIPE, SIG_IGN);
    assert_int_equal(pipe(fds), 0);
    close(fds[0]);
    assert_int_equal(gl_fd_write(fds[1], "x", 1, &err), -1);
    assert_int_equal(err.sys, EPIPE);
    assert_int_equal(gl_fd_write(fds[1], "", 0, &err), 0);
    close(fds[1]);
}

/* The next is set here: however slow this is, there is time for work between two. */
static void on_alarm(int number)
{
    (void)number;
    ualarm(SIGNAL_US, 0);
}

/* Short writes, a full pipe that does not block, and signals all the while. */
static void test_fd_write_resumes(void **state)
{
    const size_t size = 1 << 20;
    struct sigaction action = {.sa_handler = on_alarm};
    struct gl_error err = {0};
    char *bytes = gl_alloc(size);
    int fds[2], status;
    pid_t child;

    (void)state;
    for (size_t i = 0; i < size; i++)
        bytes[i] = (char)(i * 7 + i / 4096);
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    child = fork();
    if (child == 0) {
        char chunk[4096];
        size_t at = 0;
        ssize_t got;

        close(fds[1]);
        while ((got = read(fds[0], chunk, sizeof chunk)) > 0) {
            if (memcmp(chunk, bytes + at, (size_t)got) != 0)
                _exit(2);
            at += (size_t)got;
            usleep(20);
        }
        _exit(at == size ? 0 : 3);
    }
    close(fds[0]);
    fcntl(fds[1], F_SETFL, O_NONBLOCK);
    sigaction(SIGALRM, &action, NULL);
    ualarm(SIGNAL_US, 0);
    assert_int_equal(gl_fd_write(fds[1], bytes, size / 2, &err), 0);
    fcntl(fds[1], F_SETFL, 0);
    assert_int_equal(gl_fd_write(fds[1], bytes + size / 2, size / 2, &err), 0);
    ualarm(0, 0);
    close(fds[1]);
    while (waitpid(child, &status, 0) < 0)
        ;
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fd_write_full_disk),
        cmocka_unit_test(test_fd_write_broken_pipe),
        cmocka_unit_test(test_fd_write_resumes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
