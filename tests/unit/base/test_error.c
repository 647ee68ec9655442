/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void test_first_failure_wins(void **state)
{
    struct gl_error err = {0};

    (void)state;
    assert_int_equal(gl_fail(&err, GL_E_USAGE, "first %d", 1), -1);
    assert_int_equal(gl_fail(&err, GL_E_IO, "second"), -1);
    assert_int_equal(gl_fail_sys(&err, GL_E_IO, EIO, "third"), -1);
    assert_int_equal(gl_fail_at(&err, GL_E_IO, NULL, "fourth"), -1);
    assert_int_equal(err.code, GL_E_USAGE);
    assert_int_equal(err.sys, 0);
    assert_string_equal(err.text, "first 1");
    gl_error_clear(&err);
    assert_int_equal(err.code, GL_OK);
    assert_string_equal(err.text, "");
}

static void test_errno_and_full_disk(void **state)
{
    struct gl_error err = {0};

    (void)state;
    assert_int_equal(gl_fail_sys(&err, GL_E_IO, ENOENT, "open %s", "x"), -1);
    assert_int_equal(err.code, GL_E_IO);
    assert_int_equal(err.sys, ENOENT);
    assert_string_equal(err.text, "open x: No such file or directory");
    gl_error_clear(&err);
    gl_fail_sys(&err, GL_E_IO, ENOSPC, "write");
    assert_int_equal(err.code, GL_E_DISK_FULL);
    gl_error_clear(&err);
    gl_fail_sys(&err, GL_E_IO, EDQUOT, "write");
    assert_int_equal(err.code, GL_E_DISK_FULL);
    gl_error_clear(&err);
    gl_fail_sys(&err, GL_E_NETWORK, ENOSPC, "send");
    assert_int_equal(err.code, GL_E_NETWORK);
}

static void test_position(void **state)
{
    struct gl_pos pos = {"a.yaml", 3, 7};
    struct gl_error err = {0};

    (void)state;
    assert_int_equal(gl_fail_at(&err, GL_E_SYNTAX, &pos, "bad %c", 'x'), -1);
    assert_string_equal(err.pos.file, "a.yaml");
    assert_int_equal(err.pos.line, 3);
    assert_int_equal(err.pos.column, 7);
    gl_error_clear(&err);
    gl_fail_at(&err, GL_E_SYNTAX, NULL, "bad");
    assert_int_equal(err.pos.line, 0);
}

static void test_wrap(void **state)
{
    struct gl_error err = {0};
    char longest[2 * sizeof err.text];

    (void)state;
    gl_fail(&err, GL_E_IO, "inner");
    assert_int_equal(gl_wrap(&err, "middle %d", 2), -1);
    gl_wrap(&err, "outer");
    assert_string_equal(err.text, "outer: middle 2: inner");
    assert_int_equal(err.code, GL_E_IO);
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    gl_wrap(&err, "%s", longest);
    assert_int_equal(strlen(err.text), sizeof err.text - 1);
    gl_error_clear(&err);
    gl_wrap(&err, "nothing inside");
    assert_int_equal(err.code, GL_E_INTERNAL);
}

static void test_tables(void **state)
{
    unsigned codes, exits, count;
    const struct gl_errc_row *rows = gl_errc_rows(&codes);
    const struct gl_exit_row *statuses = gl_exit_rows(&exits);

    (void)state;
    assert_true(codes > 20);
    for (unsigned i = 0; i < codes; i++) {
        assert_ptr_equal(gl_errc_row(rows[i].code), &rows[i]); /* also: no id twice */
        assert_non_null(gl_exit_row((int)rows[i].exit));
        assert_true(rows[i].sentence[0] != '\0' && rows[i].hint[0] != '\0');
    }
    for (unsigned i = 0; i < exits; i++)
        assert_ptr_equal(gl_exit_row((int)statuses[i].status), &statuses[i]);
    assert_null(gl_exit_row(77));
    assert_ptr_equal(gl_errc_row((enum gl_errc)9999), gl_errc_row(GL_E_INTERNAL));
    assert_string_equal(gl_errc_row(GL_E_UNIT_MISSING)->symbol, "UNIT_MISSING");
    assert_int_equal(gl_errc_row(GL_E_TIMEOUT)->exit, GL_EXIT_TIMEOUT);
    assert_true(gl_errc_row(GL_E_NETWORK)->is_retryable);
    assert_false(gl_errc_row(GL_E_TAMPERED)->is_retryable);
    assert_string_equal(gl_exit_rows(&count)[3].name, "refused");
}

static void test_allocation(void **state)
{
    char *text = gl_alloc(0);
    unsigned char *zeros = gl_alloc(100);

    (void)state;
    text = gl_realloc(text, 4);
    memcpy(text, "abc", 4);
    text = gl_realloc(text, 1000);
    assert_string_equal(text, "abc");
    for (int i = 0; i < 100; i++)
        assert_int_equal(zeros[i], 0);
    free(zeros);
    zeros = (unsigned char *)gl_strdup(text);
    assert_string_equal((char *)zeros, "abc");
    gl_auto_free(&zeros);
    assert_null(zeros);
    gl_auto_free(&text);
    text = gl_realloc(NULL, 0);
    free(text);
}

static void test_large_tables(void **state)
{
    static const size_t sizes[] = {1, (1 << 19) - 1, 1 << 19, (2 << 20) + 1, 5 << 20};
    const size_t huge_page = 2 << 20;

    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        unsigned char *table = gl_alloc_table(sizes[i]), *other = gl_alloc_table(sizes[i]);

        assert_true(sizes[i] < huge_page / 4 || (uintptr_t)table % huge_page == 0);
        assert_int_equal(table[0] | table[sizes[i] / 2] | table[sizes[i] - 1], 0);
        memset(table, 1, sizes[i]);
        assert_int_equal(other[0] | other[sizes[i] - 1], 0);
        gl_free_table(table, sizes[i]);
        memset(other, 1, sizes[i]);
        gl_free_table(other, sizes[i]);
    }
    gl_free_table(gl_alloc_table(0), 0);
    gl_free_table(NULL, 0);
    gl_free_table(NULL, huge_page);
}

static void test_close(void **state)
{
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    int kept = fd;

    (void)state;
    assert_true(fd >= 0);
    gl_auto_close(&fd);
    assert_int_equal(fd, -1);
    assert_int_equal(fcntl(kept, F_GETFD), -1);
    gl_auto_close(&fd);
}

/* Status and stderr of a child that runs out of memory in one of four ways. */
static int dying(int way, char out[64])
{
    volatile size_t size = SIZE_MAX / 2;
    int pipe_fds[2], status;
    ssize_t length;
    pid_t child;

    assert_int_equal(pipe(pipe_fds), 0);
    child = fork();
    if (child == 0) {
        dup2(pipe_fds[1], STDERR_FILENO);
        if (way == 0)
            gl_die_of_memory();
        if (way == 1)
            gl_alloc(size);
        if (way == 2)
            gl_alloc_table(size);
        gl_realloc(NULL, size);
        _exit(99);
    }
    close(pipe_fds[1]);
    length = read(pipe_fds[0], out, 63);
    out[length > 0 ? length : 0] = '\0';
    close(pipe_fds[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void test_out_of_memory(void **state)
{
    char text[64];
    int ways = 4;

    (void)state;
#ifdef __SANITIZE_ADDRESS__
    ways = 1; /* the sanitizer ends the process itself at an impossible size */
#endif
    for (int way = 0; way < ways; way++) {
        assert_int_equal(dying(way, text), 1);
        assert_string_equal(text, "greenlaunch: out of memory\n");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_failure_wins),
        cmocka_unit_test(test_errno_and_full_disk),
        cmocka_unit_test(test_position),
        cmocka_unit_test(test_wrap),
        cmocka_unit_test(test_tables),
        cmocka_unit_test(test_allocation),
        cmocka_unit_test(test_large_tables),
        cmocka_unit_test(test_close),
        cmocka_unit_test(test_out_of_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
