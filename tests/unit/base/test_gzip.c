/* SPDX-License-Identifier: Apache-2.0 */
#include "base/gzip.h"

#include "base/feed.h"
#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void comes_back(const char *bytes, size_t length, size_t most)
{
    struct gl_error err = {0};
    size_t packed_length, again_length, piece;
    char *packed = gl_gzip(bytes, length, &packed_length, &err);
    char *again = gl_gzip(bytes, length, &again_length, &err);
    struct gl_feed *feed = gl_feed_of_bytes(packed, packed_length, "packed");
    GL_AUTO(gl_str_done) struct gl_str out = {0};
    const char *some;

    assert_non_null(packed);
    assert_true(packed_length <= most);
    assert_true(gl_is_gzip(packed, packed_length));
    assert_int_equal(packed_length, again_length);
    assert_memory_equal(packed, again, packed_length); /* nothing of when or where */
    do {
        assert_int_equal(gl_feed_next(feed, &some, &piece, &err), 0);
        gl_str_add_bytes(&out, some, piece);
    } while (piece > 0);
    assert_int_equal(out.length, length);
    assert_memory_equal(gl_str_text(&out), bytes, length);
    gl_feed_close(feed);
    free(packed);
    free(again);
}

static void test_there_and_back(void **state)
{
    const size_t length = 300000;
    char *bytes = gl_alloc(length);
    uint32_t seed = 1;

    (void)state;
    comes_back("", 0, 64);
    comes_back("a", 1, 64);
    memset(bytes, 'x', length);
    comes_back(bytes, length, 1000);
    for (size_t i = 0; i < length; i++) /* nothing in it repeats */
        bytes[i] = (char)((seed = seed * 1664525U + 1013904223U) >> 24);
    comes_back(bytes, length, length + 1000);
    free(bytes);
}

static void test_what_is_gzip(void **state)
{
    (void)state;
    assert_true(gl_is_gzip("\x1f\x8b\x08", 3));
    assert_false(gl_is_gzip("\x1f\x8b", 2));
    assert_false(gl_is_gzip("\x7f"
                            "ELF",
                            4));
    assert_false(gl_is_gzip("", 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_what_is_gzip),
    };

    return cmocka_run_group_tests_name("gzip", tests, NULL, NULL);
}
