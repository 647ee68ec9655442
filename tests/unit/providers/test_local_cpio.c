/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/local_cpio.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

static int memory_file(void)
{
    int fd = memfd_create("test", MFD_CLOEXEC);

    assert_true(fd >= 0);
    return fd;
}

static char *contents(int fd, size_t *out_length)
{
    off_t length = lseek(fd, 0, SEEK_END);
    char *bytes = gl_alloc((size_t)length + 1);

    assert_int_equal(pread(fd, bytes, (size_t)length, 0), length);
    *out_length = (size_t)length;
    return bytes;
}

/* Every byte of a one-member archive, by hand from cpio(5). */
static void test_bytes(void **state)
{
    static const char head[] = "070701"
                               "00000001"
                               "000081A4"
                               "00000000"
                               "00000000"
                               "00000001"
                               "00000000"
                               "00000005"
                               "00000000"
                               "00000000"
                               "00000000"
                               "00000000"
                               "00000006"
                               "00000000"
                               "a/b.c";
    struct gl_error err = {0};
    struct gl_newc archive;
    int fd = memory_file();
    size_t length;
    char *bytes;

    (void)state;
    gl_newc_init(&archive, fd, 4096);
    assert_int_equal(gl_newc_add(&archive, "/a/b.c", S_IFREG | 0644, "hello", 5, &err), 0);
    assert_int_equal(gl_newc_finish(&archive, &err), 0);
    bytes = contents(fd, &length);
    assert_int_equal(length, 512);
    assert_int_equal(length, archive.length);
    assert_memory_equal(bytes, head, sizeof head); /* with the name's NUL: 116 bytes, no padding */
    assert_memory_equal(bytes + 116,
                        "hello\0\0\0"
                        "070701",
                        14);
    assert_string_equal(bytes + 124 + 110, "TRAILER!!!");
    free(bytes);
    close(fd);
}

static void test_parents_come_first(void **state)
{
    struct gl_error err = {0};
    struct gl_newc archive;
    int fd = memory_file();
    struct gl_newc_member member;
    size_t length;
    char *bytes;

    (void)state;
    gl_newc_init(&archive, fd, 4096);
    assert_int_equal(gl_newc_add_folder(&archive, "usr/lib/x", &err), 0);
    bytes = contents(fd, &length);
    assert_string_equal(bytes + 110, "usr");
    assert_string_equal(bytes + 116 + 110, "usr/lib");
    assert_int_equal(gl_newc_header_parse(bytes + 116, &member, &err), 0);
    assert_int_equal(member.mode, S_IFDIR | 0755);
    assert_int_equal(member.name_length, 8);
    free(bytes);
    close(fd);
}

static void test_names_that_climb(void **state)
{
    static const char *const bad[] = {"..", "a/../b", "a/..", "/..", "", "/", "../x"};
    static const char *const good[] = {"a", "/a", "a..b", "..a", "a/.../b"};
    struct gl_newc archive;
    int fd = memory_file();

    (void)state;
    gl_newc_init(&archive, fd, 4096);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct gl_error err = {0};

        assert_false(gl_newc_name_is_safe(bad[i]));
        assert_int_equal(gl_newc_add(&archive, bad[i], S_IFREG, NULL, 0, &err), -1);
        assert_int_equal(err.code, GL_E_BAD_VALUE);
    }
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_true(gl_newc_name_is_safe(good[i]));
    assert_int_equal(archive.length, 0);
    close(fd);
}

static void test_ceiling(void **state)
{
    struct gl_error err = {0};
    struct gl_newc archive;
    int fd = memory_file();

    (void)state;
    gl_newc_init(&archive, fd, 200);
    assert_int_equal(gl_newc_add(&archive, "a", S_IFREG | 0644, "x", 1, &err), 0);
    assert_int_equal(gl_newc_add(&archive, "b", S_IFREG | 0644, "x", 1, &err), -1);
    assert_int_equal(err.code, GL_E_TOO_LARGE);
    close(fd);
}

static void test_longer_than_announced(void **state)
{
    const struct gl_newc_member member = {.mode = S_IFREG | 0644, .size = 2};
    struct gl_error err = {0};
    struct gl_newc archive;
    int fd = memory_file();

    (void)state;
    gl_newc_init(&archive, fd, 4096);
    assert_int_equal(gl_newc_open(&archive, "a", &member, &err), 0);
    assert_int_equal(gl_newc_data(&archive, "abc", 3, &err), -1);
    assert_int_equal(err.code, GL_E_INTERNAL);
    close(fd);
}

static void test_headers_that_are_none(void **state)
{
    char header[GL_NEWC_HEADER];
    struct gl_newc_member member;
    struct gl_error err = {0};

    (void)state;
    memset(header, '0', sizeof header);
    assert_int_equal(gl_newc_header_parse(header, &member, &err), -1);
    memcpy(header, "070701", 6);
    gl_error_clear(&err);
    assert_int_equal(gl_newc_header_parse(header, &member, &err), -1); /* a name of no bytes */
    header[6 + 8 * 11 + 7] = '2';
    gl_error_clear(&err);
    assert_int_equal(gl_newc_header_parse(header, &member, &err), 0);
    header[20] = 'g';
    assert_int_equal(gl_newc_header_parse(header, &member, &err), -1);
    assert_int_equal(err.code, GL_E_BAD_VALUE);
}

static void test_host_file(void **state)
{
    struct gl_error err = {0};
    struct gl_newc archive;
    int fd = memory_file();
    struct gl_newc_member member;
    size_t length;
    char *bytes;

    (void)state;
    gl_newc_init(&archive, fd, 1 << 20);
    assert_int_equal(gl_newc_add_file(&archive, "m", "Makefile", 1 << 20, &err), 0);
    bytes = contents(fd, &length);
    assert_int_equal(gl_newc_header_parse(bytes, &member, &err), 0);
    assert_true(S_ISREG(member.mode));
    assert_true(member.size > 100);
    assert_memory_equal(bytes + 112, "# SPDX", 6);
    assert_int_equal(gl_newc_add_file(&archive, "m", "Makefile", 10, &err), -1);
    assert_int_equal(err.code, GL_E_TOO_LARGE);
    gl_error_clear(&err);
    assert_int_equal(gl_newc_add_file(&archive, "d", "providers", 1 << 20, &err), -1);
    assert_int_equal(err.code, GL_E_BAD_VALUE);
    gl_error_clear(&err);
    assert_int_equal(gl_newc_add_file(&archive, "n", "no/such/file", 1 << 20, &err), -1);
    assert_int_equal(err.code, GL_E_IO);
    free(bytes);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_parents_come_first),
        cmocka_unit_test(test_names_that_climb),
        cmocka_unit_test(test_ceiling),
        cmocka_unit_test(test_longer_than_announced),
        cmocka_unit_test(test_headers_that_are_none),
        cmocka_unit_test(test_host_file),
    };

    return cmocka_run_group_tests_name("local_cpio", tests, NULL, NULL);
}
