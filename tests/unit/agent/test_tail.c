/* SPDX-License-Identifier: Apache-2.0 */
/* The last of what a command printed, and the line that says so. */
#include "agent/tail.h"

#include "base/file.h"
#include "tests/support/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "tests/support/scratch.c"

static char *folder, *path;
static struct gl_tail tail;
static struct gl_error err;

static int fresh(void **state)
{
    (void)state;
    folder = scratch_make("tail");
    path = gl_path_join(folder, "output");
    err = (struct gl_error){0};
    return 0;
}

static int done(void **state)
{
    (void)state;
    free(path);
    scratch_remove(folder);
    return 0;
}

static void write_output(size_t length)
{
    GL_AUTO(gl_auto_free) char *bytes = gl_alloc(length + 1);

    for (size_t i = 0; i < length; i++)
        bytes[i] = (char)('a' + i % 26);
    assert_int_equal(gl_file_write(path, bytes, length, 0600, &err), 0);
}

static void the_last_of_it_is_read(void **state)
{
    static const size_t lengths[] = {
        0, 1, GL_TAIL_BYTES - 1, GL_TAIL_BYTES, GL_TAIL_BYTES + 1, 5 * GL_TAIL_BYTES + 7};

    (void)state;
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        size_t length = lengths[i], kept = length < GL_TAIL_BYTES ? length : GL_TAIL_BYTES;

        write_output(length);
        assert_int_equal(gl_tail_read(path, &tail, &err), 0);
        assert_int_equal(tail.length, kept);
        assert_int_equal(tail.is_cut, length > GL_TAIL_BYTES);
        for (size_t k = 0; k < kept; k++)
            assert_int_equal(tail.bytes[k], 'a' + (length - kept + k) % 26);
    }
}

static void what_is_no_file_is_not_waited_for(void **state)
{
    (void)state;
    assert_int_equal(gl_tail_read(path, &tail, &err), -1);
    assert_int_equal(err.code, GL_E_IO);
    gl_error_clear(&err);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(gl_tail_read(path, &tail, &err), -1);
    assert_non_null(strstr(err.text, "no regular file"));
    gl_error_clear(&err);
    assert_int_equal(gl_tail_read(folder, &tail, &err), -1);
}

/* The longest line fits, and its signature covers what stands before it. */
static void the_line_is_signed(void **state)
{
    static const uint8_t seed[32] = {7};
    GL_AUTO(gl_auto_free) char *line = gl_alloc(GL_TAIL_LINE_MAX);
    char *launch = "gl-a-name-of-as-many-characters-as-a-launch-may-have-63-of-them";
    struct gl_secret_key secret;
    struct gl_public_key key;
    struct gl_signature signature;
    char *signed_end, *end, sig[128];
    size_t length;

    (void)state;
    gl_key_of_seed(seed, &secret, &key);
    for (size_t i = 0; i < 2; i++) {
        write_output(i == 0 ? 5 : 2 * GL_TAIL_BYTES);
        assert_int_equal(gl_tail_read(path, &tail, &err), 0);
        length = gl_tail_line(launch, &tail, &secret, &key, line);
        assert_in_range(length, 1, GL_TAIL_LINE_MAX - 1);
        assert_int_equal(line[length - 1], '\n');
        assert_int_equal(strlen(line), length);
        assert_null(memchr(line, '\n', length - 1));
        assert_int_equal(strncmp(line, i == 0 ? "GLO1 {\"cut\":false," : "GLO1 {\"cut\":true,", 17),
                         0);
        assert_true(i > 0 || strstr(line, "\"output\":\"YWJjZGU=\",\"sig\":\"") != NULL);
        signed_end = strstr(line, ",\"sig\":\"");
        end = strstr(signed_end, "\",\"v\":1}\n");
        snprintf(sig, sizeof sig, "%.*s", (int)(end - signed_end - 8), signed_end + 8);
        assert_int_equal(
            gl_base64_parse(sig, signature.bytes, sizeof signature.bytes, &length, &err), 0);
        *signed_end = '}';
        assert_true(
            gl_signature_holds(&key, line + 5, (size_t)(signed_end + 1 - line - 5), &signature));
    }
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, fresh, done)
    const struct CMUnitTest tests[] = {
        CASE(the_last_of_it_is_read),
        CASE(what_is_no_file_is_not_waited_for),
        CASE(the_line_is_signed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
