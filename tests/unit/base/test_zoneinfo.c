/* SPDX-License-Identifier: Apache-2.0 */
#include "base/zoneinfo.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/str.h"

#define FOLDER "/usr/share/zoneinfo"

/* ---- files made here ---- */

struct type {
    int32_t offset;
};
struct change {
    int64_t at;
    uint8_t type;
};

static void add_number(struct gl_str *out, int64_t value, unsigned bytes)
{
    for (unsigned i = bytes; i-- > 0;)
        gl_str_add_char(out, (char)(uint8_t)((uint64_t)value >> (8 * i)));
}

static void add_block(struct gl_str *out, char version, unsigned width,
                      const struct change *changes, size_t count, const struct type *types,
                      size_t type_count)
{
    gl_str_add(out, "TZif");
    gl_str_add_char(out, version);
    for (int i = 0; i < 15; i++)
        gl_str_add_char(out, '\0');
    add_number(out, 0, 4);
    add_number(out, 0, 4);
    add_number(out, 0, 4);
    add_number(out, (int64_t)count, 4);
    add_number(out, (int64_t)type_count, 4);
    add_number(out, 4, 4);
    for (size_t i = 0; i < count; i++)
        add_number(out, changes[i].at, width);
    for (size_t i = 0; i < count; i++)
        add_number(out, changes[i].type, 1);
    for (size_t i = 0; i < type_count; i++) {
        add_number(out, types[i].offset, 4);
        add_number(out, 0, 2);
    }
    add_number(out, 0, 4);
}

static const struct type types[] = {{3600}, {7200}};
static const struct change changes[] = {{1000000, 1}, {2000000, 0}};

static void make(struct gl_str *out, char version, const char *rule)
{
    add_block(out, version, 4, changes, 2, types, 2);
    if (version == '\0')
        return;
    add_block(out, version, 8, changes, 2, types, 2);
    gl_str_addf(out, "\n%s\n", rule);
}

static void test_versions(void **state)
{
    static const char versions[] = {'\0', '2', '3'};

    (void)state;
    for (size_t i = 0; i < sizeof versions; i++) {
        GL_AUTO(gl_str_done) struct gl_str file = {0};
        GL_AUTO(gl_zone_done) struct gl_zone zone = {0};
        struct gl_error err = {0};

        make(&file, versions[i], "");
        assert_int_equal(gl_zone_read(file.text, file.length, "Test/Zone", &zone, &err), 0);
        assert_int_equal(gl_zone_offset(&zone, 999999), 3600);
        assert_int_equal(gl_zone_offset(&zone, 1000000), 7200);
        assert_int_equal(gl_zone_offset(&zone, 2000000), 3600);
        assert_int_equal(gl_zone_next(&zone, 0), 1000000);
        assert_int_equal(gl_zone_next(&zone, 1000000), 2000000);
        assert_true(gl_zone_next(&zone, 2000000) == INT64_MAX);
        /* 1000000 is local 1003600, at once 1007200: what lies between is skipped. */
        assert_int_equal(gl_zone_of_local(&zone, 1003599), 999999);
        assert_int_equal(gl_zone_of_local(&zone, 1005000), 1000000);
        assert_int_equal(gl_zone_of_local(&zone, 1007201), 1000001);
        /* 2000000 is local 2007200, at once 2003600: it comes twice, the first counts. */
        assert_int_equal(gl_zone_of_local(&zone, 2005000), 1997800);
    }
}

/* Every byte cut and every byte changed: an answer or an error, never a fault. */
static void test_malformed(void **state)
{
    GL_AUTO(gl_str_done) struct gl_str file = {0};
    size_t refused = 0;

    (void)state;
    make(&file, '2', "CET-1CEST,M3.5.0,M10.5.0/3");
    for (size_t length = 0; length < file.length; length++) {
        struct gl_zone zone;
        struct gl_error err = {0};

        assert_int_equal(gl_zone_read(file.text, length, "cut", &zone, &err), -1);
        assert_int_equal(err.code, GL_E_BAD_VALUE);
    }
    for (size_t i = 0; i < file.length; i++)
        for (int value = 0; value < 256; value += 51) {
            GL_AUTO(gl_auto_free) char *copy = gl_alloc(file.length);
            GL_AUTO(gl_zone_done) struct gl_zone zone = {0};
            struct gl_error err = {0};

            memcpy(copy, file.text, file.length);
            copy[i] = (char)value;
            if (gl_zone_read(copy, file.length, "changed", &zone, &err) != 0) {
                refused++;
                continue;
            }
            gl_zone_offset(&zone, 1700000000);
            gl_zone_of_local(&zone, 1700000000);
        }
    assert_true(refused > 100);
}

static void test_leap_seconds_are_refused(void **state)
{
    GL_AUTO(gl_str_done) struct gl_str file = {0};
    struct gl_zone zone;
    struct gl_error err = {0};

    (void)state;
    add_block(&file, '\0', 4, changes, 2, types, 2);
    file.text[20 + 11] = 1;
    add_number(&file, 0, 8);
    assert_int_equal(gl_zone_read(file.text, file.length, "right/UTC", &zone, &err), -1);
    assert_non_null(strstr(err.text, "leap"));
}

/* ---- rules ---- */

static void test_rules(void **state)
{
    static const struct {
        const char *rule;
        int64_t at_s;
        int32_t offset;
    } rows[] = {
        {"CET-1CEST,M3.5.0,M10.5.0/3", 1774745999, 3600}, /* 2026-03-29T00:59:59Z */
        {"CET-1CEST,M3.5.0,M10.5.0/3", 1774746000, 7200},
        {"CET-1CEST,M3.5.0,M10.5.0/3", 1792889999, 7200}, /* 2026-10-25T00:59:59Z */
        {"CET-1CEST,M3.5.0,M10.5.0/3", 1792890000, 3600},
        {"<+0330>-3:30", 1774746000, 12600},
        {"EST5EDT,M3.2.0,M11.1.0", 1773000000, -14400}, /* 2026-03-08T20:00Z */
        {"<-03>3", 0, -10800},
        {"AEST-10AEDT,M10.1.0,M4.1.0/3", 1767225600, 39600}, /* the year ends in summer */
        {"XXX3EDT4,0/0,J365/23", 1774746000, -14400},        /* summer all year (RFC 8536) */
        {"<-02>2<-01>,M3.5.0/-1,M10.5.0/0", 1774745999, -7200},
        {"<-02>2<-01>,M3.5.0/-1,M10.5.0/0", 1774746000, -3600},
        {"IST-2IDT,M3.4.4/26,M10.5.0", 1774569599, 7200}, /* 2026-03-26T23:59:59Z */
        {"IST-2IDT,M3.4.4/26,M10.5.0", 1774569600, 10800},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct gl_zone_rule rule;
        struct gl_error err = {0};

        assert_int_equal(gl_zone_rule_read(rows[i].rule, &rule, &err), 0);
        if (gl_zone_rule_offset(&rule, rows[i].at_s) != rows[i].offset)
            fail_msg("%s at %lld: %d", rows[i].rule, (long long)rows[i].at_s,
                     (int)gl_zone_rule_offset(&rule, rows[i].at_s));
    }
}

static void test_bad_rules(void **state)
{
    static const char *const rows[] = {
        "",
        "CET",
        "1",
        "CET-1CEST",
        "CET-1CEST,M3.5.0",
        "C-1",
        "CET-25",
        "CET-1:60",
        "<CET-1",
        "CET-1CEST,M13.5.0,M10.5.0",
        "CET-1x1",
        "CET-1CEST,M3.6.0,M10.5.0",
        "CET-1CEST,M3.5.7,M10.5.0",
        "CET-1CEST,J0,J365",
        "CET-1CEST,M3.5.0/168,M10.5.0",
        "CET-1CEST,M3.5.0,M10.5.0,",
        "CET-1CEST,366,1",
        "CET--1",
        "CET-9999999999999",
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct gl_zone_rule rule;
        struct gl_error err = {0};

        if (gl_zone_rule_read(rows[i], &rule, &err) == 0)
            fail_msg("\"%s\" was read", rows[i]);
        assert_int_equal(err.code, GL_E_BAD_VALUE);
    }
}

/* ---- names, and the machine's own zones beside its C library ---- */

static void test_names(void **state)
{
    static const char *const bad[] = {"",        "/etc/passwd", "../etc", "Europe//Berlin",
                                      "Europe/", "Mars/Base",   "a b",    "Europe/Ber\nlin"};
    struct gl_zone zone;
    struct gl_error err = {0};

    (void)state;
    assert_int_equal(gl_zone_load("UTC", "/nonexistent", &zone, &err), 0);
    assert_int_equal(gl_zone_offset(&zone, 0), 0);
    assert_true(gl_zone_next(&zone, 0) == INT64_MAX);
    assert_int_equal(gl_zone_of_local(&zone, 86400), 86400);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        err = (struct gl_error){0};
        assert_int_equal(gl_zone_load(bad[i], NULL, &zone, &err), -1);
        assert_int_equal(err.code, GL_E_UNKNOWN_NAME);
    }
}

static const char *const zones[] = {
    "Europe/Berlin",     "America/New_York",  "Australia/Lord_Howe", "Asia/Kolkata",
    "America/St_Johns",  "Africa/Casablanca", "Pacific/Apia",        "Europe/Dublin",
    "America/Sao_Paulo", "Asia/Jerusalem",    "Antarctica/Troll",    "Asia/Tokyo",
};

static void compare_zone(const char *name)
{
    GL_AUTO(gl_zone_done) struct gl_zone zone = {0};
    struct gl_error err = {0};

    assert_int_equal(gl_zone_load(name, FOLDER, &zone, &err), 0);
    setenv("TZ", name, 1);
    tzset();
    for (int64_t at = -1000000000; at < 4000000000; at += 5000017) {
        time_t time = (time_t)at;
        struct tm parts;

        localtime_r(&time, &parts);
        if (parts.tm_gmtoff != gl_zone_offset(&zone, at))
            fail_msg("%s at %lld: %ld, not %d", name, (long long)at, parts.tm_gmtoff,
                     (int)gl_zone_offset(&zone, at));
    }
    for (int64_t at = 0; at < 4000000000;) {
        int64_t next = gl_zone_next(&zone, at);
        time_t before = (time_t)(next - 1);
        struct tm parts;

        if (next == INT64_MAX)
            break;
        localtime_r(&before, &parts);
        assert_int_equal(parts.tm_gmtoff, gl_zone_offset(&zone, next - 1));
        at = next;
    }
}

static void test_as_the_c_library(void **state)
{
    (void)state;
    if (access(FOLDER "/Europe/Berlin", R_OK) != 0) {
        print_message("no time zones on this machine\n");
        skip();
    }
    for (size_t i = 0; i < sizeof zones / sizeof zones[0]; i++)
        compare_zone(zones[i]);
    unsetenv("TZ");
    tzset();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_versions),
        cmocka_unit_test(test_malformed),
        cmocka_unit_test(test_leap_seconds_are_refused),
        cmocka_unit_test(test_rules),
        cmocka_unit_test(test_bad_rules),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_as_the_c_library),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
