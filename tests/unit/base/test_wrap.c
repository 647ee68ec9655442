/* SPDX-License-Identifier: Apache-2.0 */
#include "base/wrap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

typedef void wrapper(const char *text, struct gl_margins margins, struct gl_str *out);

static void assert_wrapped(wrapper *wrap, const char *text, struct gl_margins margins,
                           const char *expected)
{
    GL_AUTO(gl_str_done) struct gl_str out = {0};

    wrap(text, margins, &out);
    assert_string_equal(gl_str_text(&out), expected);
}

static void test_words(void **state)
{
    const struct gl_margins ten = {0, 2, 10};

    (void)state;
    assert_wrapped(gl_wrap_text, "", ten, "\n");
    assert_wrapped(gl_wrap_text, "one", ten, "one\n");
    assert_wrapped(gl_wrap_text, "one two xy", ten, "one two xy\n");
    assert_wrapped(gl_wrap_text, "one two xyz", ten, "one two\n  xyz\n");
    assert_wrapped(gl_wrap_text, "one two xyz a b c d", ten, "one two\n  xyz a b\n  c d\n");
    assert_wrapped(gl_wrap_text, "  one  two ", ten, "one  two\n");
    assert_wrapped(gl_wrap_text, "one\ntwo", ten, "one\n  two\n");
    assert_wrapped(gl_wrap_text, "one\n\ntwo\n", ten, "one\n\n  two\n");
}

/* What the caller has written counts, and columns are not bytes. */
static void test_margins(void **state)
{
    (void)state;
    assert_wrapped(gl_wrap_text, "aa bb", (struct gl_margins){5, 5, 10}, "aa bb\n");
    assert_wrapped(gl_wrap_text, "aa bbb", (struct gl_margins){5, 5, 10}, "aa\n     bbb\n");
    assert_wrapped(gl_wrap_text, "\xc3\xa4\xc3\xa4 \xc3\xb6", (struct gl_margins){0, 0, 4},
                   "\xc3\xa4\xc3\xa4 \xc3\xb6\n");
}

/* Nothing is ever cut: what somebody will copy stays whole, however long. */
static void test_long_word(void **state)
{
    GL_AUTO(gl_str_done) struct gl_str text = {0};
    char word[1000] = "", expected[1100];

    (void)state;
    memset(word, 'p', sizeof word - 1);
    snprintf(expected, sizeof expected, "at\n  %s\n  end\n", word);
    gl_str_addf(&text, "at %s end", word);
    assert_wrapped(gl_wrap_text, gl_str_text(&text), (struct gl_margins){0, 2, 80}, expected);
}

static void test_default_width(void **state)
{
    GL_AUTO(gl_str_done) struct gl_str text = {0};
    GL_AUTO(gl_str_done) struct gl_str out = {0};

    (void)state;
    for (int i = 0; i < 60; i++)
        gl_str_add(&text, "xyz ");
    gl_wrap_text(gl_str_text(&text), (struct gl_margins){0}, &out);
    assert_int_equal(strcspn(out.text, "\n"), 79);
}

static void test_long_lines(void **state)
{
    const struct gl_margins ten = {0, 2, 10};

    (void)state;
    assert_wrapped(gl_wrap_long, "", ten, "\n");
    assert_wrapped(gl_wrap_long, "  a  b", ten, "  a  b\n");
    assert_wrapped(gl_wrap_long, "  a  bcdefg", ten, "  a\n    bcdefg\n");
    assert_wrapped(gl_wrap_long, "a b\n  cc dd ee ff", ten, "a b\n  cc dd ee\n    ff\n");
    assert_wrapped(gl_wrap_long, "             ", ten, "             \n");
}

/* A word that only the indent makes too wide has less of that, beside a label too. */
static void test_wide_words(void **state)
{
    (void)state;
    assert_wrapped(gl_wrap_text, "abc defghij", (struct gl_margins){0, 4, 10}, "abc\n   defghij\n");
    assert_wrapped(gl_wrap_text, "abcdefgh i", (struct gl_margins){4, 4, 10},
                   "\n  abcdefgh\n    i\n");
    assert_wrapped(gl_wrap_text, "abcdefghijk", (struct gl_margins){4, 4, 10}, "abcdefghijk\n");
}

static void test_command(void **state)
{
    (void)state;
    assert_wrapped(gl_wrap_command, "run --a --b", (struct gl_margins){0, 4, 11},
                   "run --a \\\n"
                   "    --b\n");
    assert_wrapped(gl_wrap_command, "run --a", (struct gl_margins){0, 4, 11}, "run --a\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),      cmocka_unit_test(test_margins),
        cmocka_unit_test(test_long_word),  cmocka_unit_test(test_default_width),
        cmocka_unit_test(test_long_lines), cmocka_unit_test(test_command),
        cmocka_unit_test(test_wide_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
