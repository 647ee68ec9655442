/* SPDX-License-Identifier: Apache-2.0 */
/* A mapping that the program carries and cannot read: this program carries a file of its own. */
#include "broker/hook/mapping_part.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define HEAD "mapping: 1\nprovider:\n  name: acme\n"
#define ROWS                                                                    \
    "rows:\n- type: acme_box\n  role: launch\n  machine: flavor\n  count: =1\n" \
    "- type: acme_rack\n  role: launch\n  machine: flavor..\n  count: =1\n"

static struct gl_carried carried = {.name = "acme"};

const struct gl_carried *gl_mapping_carried(size_t *out_count)
{
    *out_count = 1;
    return &carried;
}

/* How a program ends that asks for the row, and what it says; -1 = by a signal. */
static int status_of(const char *text, const char *type, char out_said[256])
{
    int ends[2], status;
    pid_t child;
    ssize_t length;

    carried.begin = text;
    carried.end = text + strlen(text);
    assert_int_equal(pipe(ends), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct gl_error err = {0};
        struct gl_hook_mapping *mapping = gl_mapping_open(NULL, &err);

        dup2(ends[1], STDERR_FILENO);
        _exit(mapping != NULL && gl_mapping_row(mapping, type) != NULL ? 0 : 77);
    }
    close(ends[1]);
    length = read(ends[0], out_said, 255);
    out_said[length > 0 ? length : 0] = '\0';
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void a_row_that_cannot_be_read_ends_the_program(void **state)
{
    char said[256];

    (void)state;
    assert_int_equal(status_of(HEAD ROWS, "acme_box", said), 0);
    assert_string_equal(said, "");
    assert_int_equal(status_of(HEAD ROWS, "acme_none", said), 77);
    assert_int_equal(status_of(HEAD ROWS, "acme_rack", said), GL_EXIT_INTERNAL);
    assert_non_null(strstr(said, "its mapping acme, line 11: machine"));
}

static void a_head_that_cannot_be_read_ends_the_program(void **state)
{
    char said[256];

    (void)state;
    assert_int_equal(status_of(HEAD "  zone_rule: diagonal\n" ROWS, "acme_box", said),
                     GL_EXIT_INTERNAL);
    assert_non_null(strstr(said, "its mapping acme, line 4: "));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_that_cannot_be_read_ends_the_program),
        cmocka_unit_test(a_head_that_cannot_be_read_ends_the_program),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
