/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_append(void **state)
{
    struct gl_str str = {0};

    (void)state;
    assert_string_equal(gl_str_text(&str), "");
    gl_str_add(&str, "one");
    gl_str_add_char(&str, ' ');
    gl_str_add_bytes(&str, "two!", 3);
    gl_str_addf(&str, " %d %s", 3, "four");
    gl_str_add_bytes(&str, NULL, 0);
    assert_string_equal(gl_str_text(&str), "one two 3 four");
    assert_int_equal(str.length, 14);
    gl_str_addf(&str, "%500s", "x");
    assert_int_equal(str.length, 514);
    gl_str_clear(&str);
    assert_string_equal(gl_str_text(&str), "");
    gl_str_add(&str, "again");
    assert_string_equal(gl_str_text(&str), "again");
    gl_str_done(&str);
    assert_null(str.text);
    gl_str_clear(&str);
    gl_str_done(&str);
}

static void test_ceiling(void **state)
{
    struct gl_str str = {.ceiling = 5};

    (void)state;
    gl_str_add(&str, "abcde");
    assert_false(str.is_cut);
    gl_str_add(&str, "");
    assert_false(str.is_cut);
    gl_str_add(&str, "f");
    assert_true(str.is_cut);
    assert_string_equal(gl_str_text(&str), "abcde");
    gl_str_clear(&str);
    assert_false(str.is_cut);
    gl_str_add(&str, "123");
    gl_str_addf(&str, "%s", "456");
    assert_string_equal(gl_str_text(&str), "12345");
    gl_str_clear(&str);
    gl_str_add(&str, "123456");
    gl_str_add(&str, "7"); /* after a cut nothing more comes: no gap in the middle */
    assert_string_equal(gl_str_text(&str), "12345");
    gl_str_done(&str);
    assert_int_equal(str.ceiling, 5);
}

static void test_take(void **state)
{
    struct gl_str str = {0};
    char *text = gl_str_take(&str);

    (void)state;
    assert_string_equal(text, "");
    free(text);
    gl_str_add(&str, "mine");
    text = gl_str_take(&str);
    assert_string_equal(text, "mine");
    assert_null(str.text);
    assert_int_equal(str.length, 0);
    free(text);
}

static void test_glob(void **state)
{
    static const struct {
        const char *pattern, *text;
        bool matches;
    } rows[] = {
        {"", "", true},
        {"", "a", false},
        {"*", "", true},
        {"*", "anything", true},
        {"?", "", false},
        {"?", "a", true},
        {"a*c", "abc", true},
        {"a*c", "ac", true},
        {"a*c", "abcd", false},
        {"europe-north*", "europe-north1", true},
        {"aws_*", "google_x", false},
        {"*b*b*", "abab", true},
        {"**", "x", true},
        {"a?c", "ac", false},
        {"A", "a", false},
        {"[a]", "a", false},
        {"[a]", "[a]", true},
        {"*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (gl_glob_match(rows[i].pattern, rows[i].text) != rows[i].matches)
            fail_msg("%s against %s", rows[i].pattern, rows[i].text);
}

/* The definition of the pattern, without thought for time. */
static bool naive_match(const char *pattern, const char *text)
{
    if (*pattern == '\0')
        return *text == '\0';
    if (*pattern == '*')
        return naive_match(pattern + 1, text) || (*text && naive_match(pattern, text + 1));
    return *text && (*pattern == '?' || *pattern == *text) && naive_match(pattern + 1, text + 1);
}

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

static void random_text(uint32_t *seed, const char *alphabet, size_t longest, char *out)
{
    size_t length = next_random(seed) % (longest + 1);

    for (size_t i = 0; i < length; i++)
        out[i] = alphabet[next_random(seed) % strlen(alphabet)];
    out[length] = '\0';
}

static void test_glob_against_definition(void **state)
{
    uint32_t seed = 20260101;
    unsigned matched = 0;

    (void)state;
    for (int i = 0; i < 50000; i++) {
        char pattern[9], text[11];
        bool is_match;

        random_text(&seed, "ab*?", 8, pattern);
        random_text(&seed, "ab", 10, text);
        is_match = naive_match(pattern, text);
        matched += is_match;
        if (gl_glob_match(pattern, text) != is_match)
            fail_msg("%s against %s", pattern, text);
    }
    assert_in_range(matched, 5000, 45000);
}

static void test_distance(void **state)
{
    char longest[300];

    (void)state;
    assert_int_equal(gl_text_distance("", ""), 0);
    assert_int_equal(gl_text_distance("", "abc"), 3);
    assert_int_equal(gl_text_distance("abc", ""), 3);
    assert_int_equal(gl_text_distance("kitten", "sitting"), 3);
    assert_int_equal(gl_text_distance("zone", "zoen"), 1);
    assert_int_equal(gl_text_distance("ab", "ba"), 1);
    assert_int_equal(gl_text_distance("ca", "abc"), 3); /* no edit inside a swap */
    memset(longest, 'x', sizeof longest);
    longest[299] = '\0';
    assert_int_equal(gl_text_distance(longest, ""), 255);
    assert_int_equal(gl_text_distance("", longest), 255);
    longest[255] = '\0';
    assert_int_equal(gl_text_distance(longest, ""), 255);
    assert_int_equal(gl_text_distance(longest, longest), 0);
}

/* A distance is symmetric, zero for equals only, and bounded by the lengths. */
static void test_distance_properties(void **state)
{
    uint32_t seed = 7;

    (void)state;
    for (int i = 0; i < 20000; i++) {
        char a[9], b[9];
        unsigned there, back;

        random_text(&seed, "abc", 8, a);
        random_text(&seed, "abc", 8, b);
        there = gl_text_distance(a, b);
        back = gl_text_distance(b, a);
        assert_int_equal(there, back);
        assert_int_equal(there == 0, strcmp(a, b) == 0);
        assert_true(there <= (strlen(a) > strlen(b) ? strlen(a) : strlen(b)));
        assert_true((size_t)there + strlen(a) >= strlen(b));
    }
}

static void test_nearest(void **state)
{
    static const char *const names[] = {"region", "zone", "food", "max-intensity"};

    (void)state;
    assert_string_equal(gl_text_nearest("foo", names, 4), "food");
    assert_string_equal(gl_text_nearest("regoin", names, 4), "region");
    assert_string_equal(gl_text_nearest("max-intensty", names, 4), "max-intensity");
    assert_string_equal(gl_text_nearest("FOOD", names, 4), "food"); /* four edits of four */
    assert_null(gl_text_nearest("xyz", names, 4));
    assert_null(gl_text_nearest("v", names, 4));
    assert_null(gl_text_nearest("zoxx", names, 4)); /* two edits of four letters */
    assert_null(gl_text_nearest("zone", names, 0));
    assert_string_equal(gl_text_nearest("zone", names, 4), "zone");
}

static void test_columns(void **state)
{
    (void)state;
    assert_int_equal(gl_text_columns(""), 0);
    assert_int_equal(gl_text_columns("abc"), 3);
    assert_int_equal(gl_text_columns("CO\xe2\x82\x82"), 3);
    assert_int_equal(gl_text_columns("e\xcc\x81"), 1);                /* combining acute */
    assert_int_equal(gl_text_columns("\xe6\x97\xa5\xe6\x9c\xac"), 4); /* two ideographs */
    assert_int_equal(gl_text_columns("\xf0\x9f\x8c\xb1"), 2);         /* seedling */
    assert_int_equal(gl_text_columns("\xc3\xa9"), 1);
    assert_int_equal(gl_text_columns("\xff\xfe"), 2);
    assert_int_equal(gl_text_columns("\xe2\x82"), 2);         /* cut short */
    assert_int_equal(gl_text_columns("\xc0\xaf"), 2);         /* overlong */
    assert_int_equal(gl_text_columns("\xe0\x80\xaf"), 3);     /* overlong, three bytes */
    assert_int_equal(gl_text_columns("\xed\xa0\x80"), 3);     /* surrogate */
    assert_int_equal(gl_text_columns("\xf4\x90\x80\x80"), 4); /* past U+10FFFF */
    assert_int_equal(gl_text_columns("a\x07"
                                     "b"),
                     2);
    assert_int_equal(gl_text_columns("\xef\xbf\xbd"), 1);
    assert_int_equal(gl_text_columns("\xc2\xa0\xe0\xa0\x80\xf0\x90\x80\x80"), 3); /* smallest */
    assert_int_equal(gl_text_columns("\xf4\x8f\xbf\xbf"), 1);                     /* largest */
}

static void assert_printable(const char *text, size_t length, const char *expected)
{
    struct gl_str str = {0};

    gl_str_add_printable(&str, text, length);
    assert_string_equal(gl_str_text(&str), expected);
    gl_str_done(&str);
}

static void test_printable(void **state)
{
    (void)state;
    assert_printable("plain", 5, "plain");
    assert_printable("\x1b[31m", 5, "\\x1b[31m");
    assert_printable("a\nb\tc\rd", 7, "a b c d");
    assert_printable("a\0b", 3, "a\\x00b");
    assert_printable("\x7f", 1, "\\x7f");
    assert_printable("CO\xe2\x82\x82", 5, "CO\xe2\x82\x82");
    assert_printable("\xe2\x82", 2, "\\xe2\\x82");
    assert_printable("\xff", 1, "\\xff");
    assert_printable("\xe2\x80\x8a\xe2\x80\x8b", 6, "\xe2\x80\x8a\\u200b");
    assert_printable("\xe2\x80\x8f\xe2\x80\x90", 6, "\\u200f\xe2\x80\x90");
    assert_printable("\xe2\x80\xa8\xe2\x81\xaf", 6, "\\u2028\\u206f");
    assert_printable("\xc2\x9b", 2, "\\u009b");          /* the one-character CSI */
    assert_printable("\xe2\x80\xae", 3, "\\u202e");      /* right-to-left override */
    assert_printable("\xd8\x9c", 2, "\\u061c");          /* Arabic letter mark */
    assert_printable("a\xc2\xad", 3, "a\\u00ad");        /* soft hyphen */
    assert_printable("\xf3\xa0\x80\x81", 4, "\\ue0001"); /* tag character */
}

/* Whatever the bytes: what comes out holds no control character and takes no odd columns. */
static void test_printable_of_random_bytes(void **state)
{
    uint32_t seed = 3;

    (void)state;
    for (int i = 0; i < 5000; i++) {
        struct gl_str str = {0};
        char bytes[32];

        for (size_t j = 0; j < sizeof bytes; j++)
            bytes[j] = (char)next_random(&seed);
        gl_str_add_printable(&str, bytes, sizeof bytes);
        for (size_t j = 0; j < str.length; j++)
            assert_true((unsigned char)str.text[j] >= 0x20 && str.text[j] != 0x7f);
        gl_str_done(&str);
    }
}

static void test_show(void **state)
{
    char out[GL_TEXT_SHOWN], longest[200];

    (void)state;
    assert_string_equal(gl_text_show("zone", out), "zone");
    assert_string_equal(gl_text_show("\x1b", out), "\\x1b");
    memset(longest, 'a', 199);
    longest[199] = '\0';
    gl_text_show(longest, out);
    assert_int_equal(strlen(out), GL_TEXT_SHOWN - 1);
    assert_string_equal(out + GL_TEXT_SHOWN - 4, "...");
}

static void test_blank(void **state)
{
    static const char *const blank[] = {
        NULL, "", " ", "\t\r\n", "\x1b\x7f ", "\xc2\xa0", "\xe2\x80\x8b\xe3\x80\x80"};
    static const char *const name[] = {"A", " Ada ", "\xc3\x85sa", "\xff"};

    (void)state;
    for (size_t i = 0; i < sizeof blank / sizeof *blank; i++)
        assert_true(gl_text_is_blank(blank[i]));
    for (size_t i = 0; i < sizeof name / sizeof *name; i++)
        assert_false(gl_text_is_blank(name[i]));
}

static void test_line_within(void **state)
{
    static const char text[] = "a\nb: [c,\r\n \t\n\n";

    (void)state;
    assert_int_equal(gl_text_line_within(text, sizeof text - 1, 1), 1);
    assert_int_equal(gl_text_line_within(text, sizeof text - 1, 2), 2);
    assert_int_equal(gl_text_line_within(text, sizeof text - 1, 5), 2);
    assert_int_equal(gl_text_line_within("", 0, 1), 1);
    assert_int_equal(gl_text_line_within("\n\n", 2, 3), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_line_within), cmocka_unit_test(test_append),
        cmocka_unit_test(test_ceiling),     cmocka_unit_test(test_take),
        cmocka_unit_test(test_glob),        cmocka_unit_test(test_glob_against_definition),
        cmocka_unit_test(test_distance),    cmocka_unit_test(test_distance_properties),
        cmocka_unit_test(test_nearest),     cmocka_unit_test(test_columns),
        cmocka_unit_test(test_printable),   cmocka_unit_test(test_printable_of_random_bytes),
        cmocka_unit_test(test_show),        cmocka_unit_test(test_blank),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
