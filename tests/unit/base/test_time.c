/* SPDX-License-Identifier: Apache-2.0 */
#include "base/time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void test_parse(void **state)
{
    static const struct {
        const char *text;
        int64_t unix_s;
    } rows[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"2026-01-01T12:00Z", 1767268800},
        {"2026-01-01T12:00:00Z", 1767268800},
        {"2026-01-01t12:00:00z", 1767268800},
        {"2026-01-01 12:00:00Z", 1767268800},
        {"2026-01-01T12:00:00.999999Z", 1767268800},
        {"2026-01-01T12:00:00,5Z", 1767268800},
        {"2026-01-01T13:00+01:00", 1767268800},
        {"2026-01-01T06:30:00-05:30", 1767268800},
        {"2026-01-01T12:00-00:00", 1767268800},
        {"2026-01-02T11:59+23:59", 1767268800},
        {"2026-01-01T23:59:59Z", 1767311999},
        {"2016-12-31T23:59:60Z", 1483228800}, /* the last leap second */
        {"2017-01-01T00:59:60+01:00", 1483228800},
        {"2000-02-29T00:00Z", 951782400},
        {"2038-01-19T03:14:08Z", INT64_C(2147483648)},
        {"9999-12-31T23:59:59Z", INT64_C(253402300799)},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct gl_error err = {0};
        struct gl_instant at = {-7};

        if (gl_instant_parse(rows[i].text, &at, &err) != 0)
            fail_msg("%s: %s", rows[i].text, err.text);
        assert_int_equal(at.unix_s, rows[i].unix_s);
    }
}

static void test_parse_refusals(void **state)
{
    static const struct {
        const char *text, *says;
    } rows[] = {
        {"", "is no time"},
        {"2026-01-01", "is no time"},
        {"2026-01-01T", "is no time"},
        {"2026-01-01T12", "is no time"},
        {"2026-01-01T12:00", "has no zone"},
        {"2026-01-01T12:00:00", "has no zone"},
        {"2026-01-01T12:00:00.", "is no time"},
        {"2026-01-01T12:0aZ", "is no time"},
        {"2026-01-01T12:00:0Z", "is no time"},
        {"2026-01-01T12:00Zx", "no valid zone"},
        {"2026-01-01T12:00+0100", "no valid zone"},
        {"2026-01-01T12:00+24:00", "no valid zone"},
        {"2026-01-01T12:00+01:60", "no valid zone"},
        {"2026-01-01T12:00 CET", "no valid zone"},
        {"2026-01-01T24:00Z", "is no time"},
        {"2026-01-01T12:60Z", "is no time"},
        {"2026-01-01T12:00:61Z", "is no time"},
        {"2026-01-01T12:00:60Z", "no such second"},
        {"2026-13-01T12:00Z", "is no time"},
        {"2026-00-01T12:00Z", "is no time"},
        {"2026-02-29T12:00Z", "is no time"},
        {"2026-04-31T12:00Z", "is no time"},
        {"2026-01-00T12:00Z", "is no time"},
        {"2100-02-29T12:00Z", "is no time"},
        {"1969-12-31T23:59Z", "is no time"},
        {"1970-01-01T00:00+00:01", "outside the years"},
        {"9999-12-31T23:59-00:01", "outside the years"},
        {"26-01-01T12:00Z", "is no time"},
        {" 2026-01-01T12:00Z", "is no time"},
        {"\x1b[2J", "\\x1b"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct gl_error err = {0};
        struct gl_instant at = {-7};

        if (gl_instant_parse(rows[i].text, &at, &err) != -1)
            fail_msg("\"%s\" was taken", rows[i].text);
        assert_int_equal(err.code, GL_E_BAD_VALUE);
        if (strstr(err.text, rows[i].says) == NULL)
            fail_msg("\"%s\": %s", rows[i].text, err.text);
        assert_int_equal(at.unix_s, -7);
    }
}

static void test_date(void **state)
{
    struct gl_error err = {0};
    struct gl_instant at = {-7};

    (void)state;
    assert_int_equal(gl_date_parse("2026-01-31", &at, &err), 0);
    assert_int_equal(at.unix_s, 1769817600);
    assert_int_equal(gl_date_parse("2026-01-31T00:00Z", &at, &err), -1);
    assert_int_equal(err.code, GL_E_BAD_VALUE);
    gl_error_clear(&err);
    assert_int_equal(gl_date_parse("2026-1-31", &at, &err), -1);
    assert_int_equal(at.unix_s, 1769817600);
}

static bool is_leap(int year)
{
    return year % 400 == 0 || (year % 4 == 0 && year % 100 != 0);
}

/* Every day of 431 years counted one by one, against text and both conversions. */
static void test_every_day(void **state)
{
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t unix_s = 0;

    (void)state;
    for (int year = 1970; year <= 2400; year++)
        for (int month = 1; month <= 12; month++)
            for (int day = 1; day <= lengths[month - 1] + (month == 2 && is_leap(year)); day++) {
                int c[6], second = (int)(unix_s / 86400 * 7919 % 86400);
                struct gl_instant at = {unix_s + second}, back = {0};
                struct gl_error err = {0};
                char text[GL_INSTANT_TEXT], expected[80];

                gl_instant_civil(at, &c[0], &c[1], &c[2], &c[3], &c[4], &c[5]);
                snprintf(expected, sizeof expected, "%04d-%02d-%02dT%02d:%02d:%02dZ", year, month,
                         day, second / 3600, second / 60 % 60, second % 60);
                assert_string_equal(gl_instant_text(at, text), expected);
                assert_int_equal(gl_instant_of_civil(c[0], c[1], c[2], c[3], c[4], c[5]).unix_s,
                                 at.unix_s);
                assert_int_equal(gl_instant_parse(text, &back, &err), 0);
                assert_int_equal(back.unix_s, at.unix_s);
                unix_s += 86400;
            }
    assert_int_equal(unix_s, INT64_C(13601088000)); /* 2401-01-01 */
}

static void test_text_of_extremes(void **state)
{
    char out[GL_INSTANT_TEXT];
    int year, month, day, hour, minute, second;

    (void)state;
    assert_string_equal(gl_instant_text((struct gl_instant){-1}, out), "1969-12-31T23:59:59Z");
    assert_string_equal(gl_instant_text((struct gl_instant){INT64_C(-62167219200)}, out),
                        "0000-01-01T00:00:00Z");
    assert_string_equal(gl_instant_text((struct gl_instant){INT64_C(253402300799)}, out),
                        "9999-12-31T23:59:59Z");
    assert_string_equal(gl_instant_text((struct gl_instant){INT64_C(253402300800)}, out),
                        "unix:253402300800");
    assert_string_equal(gl_instant_text((struct gl_instant){INT64_MIN}, out),
                        "unix:-9223372036854775808");
    gl_instant_civil((struct gl_instant){INT64_MAX}, &year, &month, &day, &hour, &minute, &second);
    assert_int_equal(year, 9999);
    gl_instant_civil((struct gl_instant){INT64_MIN}, &year, &month, &day, &hour, &minute, &second);
    assert_int_equal(year, 0);
    assert_int_equal(gl_instant_of_civil(-1, 3, 1, 0, 0, 0).unix_s,
                     INT64_C(-62193657600)); /* 306 days before the year 0 */
}

static void test_hour(void **state)
{
    (void)state;
    assert_int_equal(gl_instant_hour((struct gl_instant){0}).unix_s, 0);
    assert_int_equal(gl_instant_hour((struct gl_instant){3599}).unix_s, 0);
    assert_int_equal(gl_instant_hour((struct gl_instant){3600}).unix_s, 3600);
    assert_int_equal(gl_instant_hour((struct gl_instant){-1}).unix_s, -3600);
    assert_int_equal(gl_instant_hour((struct gl_instant){-3600}).unix_s, -3600);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_parse_refusals),
        cmocka_unit_test(test_date),
        cmocka_unit_test(test_every_day),
        cmocka_unit_test(test_text_of_extremes),
        cmocka_unit_test(test_hour),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
