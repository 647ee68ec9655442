/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/budget.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/time.h"

static int64_t at(const char *text)
{
    struct gl_error err = {0};
    struct gl_instant instant = {0};

    assert_int_equal(gl_instant_parse(text, &instant, &err), 0);
    return instant.unix_s;
}

/* ---- caps ---- */

static void test_caps(void **state)
{
    static const struct {
        const char *text, *period, *tag;
        int64_t ug, u_usd;
    } rows[] = {
        {"50 kg per month", "month", "", INT64_C(50000000000), GL_UNKNOWN},
        {"50 kg per month of {team}", "month", "team", INT64_C(50000000000), GL_UNKNOWN},
        {"1 t per 30d", "30d", "", INT64_C(1000000000000), GL_UNKNOWN},
        {"500 g per h", "hour", "", 500000000, GL_UNKNOWN},
        {"2 kgCO2e per quarter", "quarter", "", INT64_C(2000000000), GL_UNKNOWN},
        {"200 USD per month", "month", "", GL_UNKNOWN, 200000000},
        {"$0.5 per day", "day", "", GL_UNKNOWN, 500000},
        {"12.345678 USD per week", "week", "", GL_UNKNOWN, 12345678},
        {"1 g per 90min", "90min", "", 1000000, GL_UNKNOWN},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        GL_AUTO(gl_str_done) struct gl_str period = {0};
        struct gl_cap cap = {.limit = {GL_UNKNOWN, GL_UNKNOWN}};
        char tag[GL_ACCOUNT_SEGMENT];
        struct gl_error err = {0};

        assert_int_equal(gl_cap_read(rows[i].text, &cap, tag, &err), 0);
        gl_period_text(&cap.period, &period);
        assert_string_equal(gl_str_text(&period), rows[i].period);
        assert_string_equal(tag, rows[i].tag);
        assert_true(cap.limit.ug == rows[i].ug && cap.limit.u_usd == rows[i].u_usd);
    }
}

static void test_bad_caps(void **state)
{
    static const char *const rows[] = {
        "",
        "50 kg",
        "50 per month",
        "kg per month",
        "50 kg per fortnight",
        "USD per day",
        "1..5 USD per day",
        "-1 USD per day",
        "1.2345678 USD per day",
        "99999999999999 USD per day",
        "50 kg per month of team",
        "50 kg per month of {}",
        "50 kg per month of {a}b",
        "1 ton per day",
        "5. USD per day",
        "1 kg per 0d",
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct gl_cap cap = {.limit = {GL_UNKNOWN, GL_UNKNOWN}};
        char tag[GL_ACCOUNT_SEGMENT];
        struct gl_error err = {0};

        if (gl_cap_read(rows[i], &cap, tag, &err) == 0)
            fail_msg("\"%s\" was read", rows[i]);
        assert_true(err.code == GL_E_BAD_VALUE || err.code == GL_E_UNIT_MISSING);
        assert_true(cap.limit.ug == GL_UNKNOWN && cap.limit.u_usd == GL_UNKNOWN);
    }
}

/* Money of another kind is not taken for a mass. */
static void test_other_money(void **state)
{
    static const char *const rows[] = {"1 EUR per day", "1EUR per day", "€1 per day",
                                       "1 £ per 30d"};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct gl_cap cap = {.limit = {GL_UNKNOWN, GL_UNKNOWN}};
        char tag[GL_ACCOUNT_SEGMENT];
        struct gl_error err = {0};

        assert_int_equal(gl_cap_read(rows[i], &cap, tag, &err), -1);
        assert_int_equal(err.code, GL_E_BAD_VALUE);
        assert_non_null(strstr(err.text, "only USD is known"));
    }
}

/* ---- windows ---- */

static struct gl_zone zone_of(const char *rule)
{
    struct gl_zone zone = {.name = "Test"};
    struct gl_error err = {0};

    assert_int_equal(gl_zone_rule_read(rule, &zone.rule, &err), 0);
    zone.first_s = zone.rule.standard_s;
    return zone;
}

#define BERLIN "CET-1CEST,M3.5.0,M10.5.0/3"

static void test_windows(void **state)
{
    static const struct {
        const char *rule;
        enum gl_period period;
        const char *now, *from, *until;
    } rows[] = {
        {"UTC0", GL_PER_MONTH, "2026-11-22T09:00Z", "2026-11-01T00:00Z", "2026-12-01T00:00Z"},
        {"UTC0", GL_PER_WEEK, "2026-11-22T09:00Z", "2026-11-16T00:00Z", "2026-11-23T00:00Z"},
        {"UTC0", GL_PER_WEEK, "2026-01-01T00:00Z", "2025-12-29T00:00Z", "2026-01-05T00:00Z"},
        {"UTC0", GL_PER_QUARTER, "2026-11-22T09:00Z", "2026-10-01T00:00Z", "2027-01-01T00:00Z"},
        {"UTC0", GL_PER_YEAR, "2026-12-31T23:59Z", "2026-01-01T00:00Z", "2027-01-01T00:00Z"},
        {"UTC0", GL_PER_HOUR, "2026-11-22T09:59Z", "2026-11-22T09:00Z", "2026-11-22T10:00Z"},
        {BERLIN, GL_PER_MONTH, "2026-10-31T23:30Z", "2026-10-31T23:00Z", "2026-11-30T23:00Z"},
        {BERLIN, GL_PER_MONTH, "2026-10-01T00:00Z", "2026-09-30T22:00Z", "2026-10-31T23:00Z"},
        /* Days of 23 and of 25 hours. */
        {BERLIN, GL_PER_DAY, "2026-03-29T12:00Z", "2026-03-28T23:00Z", "2026-03-29T22:00Z"},
        {BERLIN, GL_PER_DAY, "2026-10-25T12:00Z", "2026-10-24T22:00Z", "2026-10-25T23:00Z"},
        {BERLIN, GL_PER_HOUR, "2026-10-25T00:30Z", "2026-10-25T00:00Z", "2026-10-25T01:00Z"},
        {BERLIN, GL_PER_WEEK, "2026-10-25T12:00Z", "2026-10-18T22:00Z", "2026-10-25T23:00Z"},
        /* Clocks go on at midnight: the day begins at one. */
        {"<-03>3<-02>,M10.3.0/0,M2.3.0/0", GL_PER_DAY, "2026-10-18T12:00Z", "2026-10-18T03:00Z",
         "2026-10-19T02:00Z"},
        /* And a minute past midnight back: the next day began the first time. */
        {"NST3:30NDT,M3.2.0/0:01,M11.1.0/0:01", GL_PER_DAY, "2026-11-01T03:00Z",
         "2026-11-01T02:30Z", "2026-11-02T03:30Z"},
        {"<+0530>-5:30", GL_PER_DAY, "2026-11-22T20:00Z", "2026-11-22T18:30Z", "2026-11-23T18:30Z"},
        {"<+0530>-5:30", GL_PER_HOUR, "2026-11-22T20:00Z", "2026-11-22T19:30Z",
         "2026-11-22T20:30Z"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct gl_zone zone = zone_of(rows[i].rule);
        const struct gl_period_of period = {rows[i].period, 0};
        struct gl_stretch_of_time window = gl_window_at(&period, &zone, at(rows[i].now));
        char from[GL_INSTANT_TEXT], until[GL_INSTANT_TEXT];

        if (window.from_s != at(rows[i].from) || window.until_s != at(rows[i].until))
            fail_msg("row %zu: %s to %s", i,
                     gl_instant_text((struct gl_instant){window.from_s}, from),
                     gl_instant_text((struct gl_instant){window.until_s}, until));
    }
}

/* Zones by name, as Python's zoneinfo has them: clocks that change at midnight, a day that never
 * was (Samoa went from the 29th to the 31st), quarters of an hour, a leap day, ends of months. */
static const struct {
    const char *zone;
    enum gl_period period;
    const char *now, *from, *until;
} named_zones[] = {
    {"Europe/Berlin", GL_PER_DAY, "2026-03-28T23:30Z", "2026-03-28T23:00Z", "2026-03-29T22:00Z"},
    {"Europe/Berlin", GL_PER_MONTH, "2026-03-15T12:00Z", "2026-02-28T23:00Z", "2026-03-31T22:00Z"},
    {"America/Sao_Paulo", GL_PER_DAY, "2018-02-17T12:00Z", "2018-02-17T02:00Z",
     "2018-02-18T03:00Z"},
    {"Europe/Berlin", GL_PER_DAY, "2026-03-29T12:00Z", "2026-03-28T23:00Z", "2026-03-29T22:00Z"},
    {"Europe/Berlin", GL_PER_MONTH, "2026-03-31T21:59Z", "2026-02-28T23:00Z", "2026-03-31T22:00Z"},
    {"Europe/Berlin", GL_PER_MONTH, "2026-03-31T22:00Z", "2026-03-31T22:00Z", "2026-04-30T22:00Z"},
    {"Europe/Berlin", GL_PER_MONTH, "2028-02-29T22:59Z", "2028-01-31T23:00Z", "2028-02-29T23:00Z"},
    {"Europe/Berlin", GL_PER_DAY, "2028-02-29T12:00Z", "2028-02-28T23:00Z", "2028-02-29T23:00Z"},
    {"America/Sao_Paulo", GL_PER_DAY, "2018-11-04T12:00Z", "2018-11-04T03:00Z",
     "2018-11-05T02:00Z"},
    {"America/Sao_Paulo", GL_PER_DAY, "2018-02-18T02:30Z", "2018-02-17T02:00Z",
     "2018-02-18T03:00Z"},
    {"America/Sao_Paulo", GL_PER_MONTH, "2026-11-30T23:00Z", "2026-11-01T03:00Z",
     "2026-12-01T03:00Z"},
    {"Pacific/Apia", GL_PER_DAY, "2011-12-30T09:59Z", "2011-12-29T10:00Z", "2011-12-30T10:00Z"},
    {"Pacific/Apia", GL_PER_DAY, "2011-12-30T10:00Z", "2011-12-30T10:00Z", "2011-12-31T10:00Z"},
    {"Pacific/Apia", GL_PER_MONTH, "2011-12-31T09:59Z", "2011-12-01T10:00Z", "2011-12-31T10:00Z"},
    {"Pacific/Apia", GL_PER_YEAR, "2011-12-31T10:00Z", "2011-12-31T10:00Z", "2012-12-31T10:00Z"},
    {"Asia/Kathmandu", GL_PER_DAY, "2026-11-22T18:15Z", "2026-11-22T18:15Z", "2026-11-23T18:15Z"},
    {"Asia/Kathmandu", GL_PER_DAY, "2026-11-22T18:14Z", "2026-11-21T18:15Z", "2026-11-22T18:15Z"},
    {"Asia/Kathmandu", GL_PER_QUARTER, "2026-12-31T18:14Z", "2026-09-30T18:15Z",
     "2026-12-31T18:15Z"},
    {"Asia/Kathmandu", GL_PER_DAY, "1986-01-01T00:00Z", "1985-12-31T18:30Z", "1986-01-01T18:15Z"},
};

static void test_named_zones(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof named_zones / sizeof named_zones[0]; i++) {
        const struct gl_period_of period = {named_zones[i].period, 0};
        struct gl_stretch_of_time window;
        struct gl_error err = {0};
        struct gl_zone zone;

        if (gl_zone_load(named_zones[i].zone, NULL, &zone, &err) != 0) {
            print_message("%s\n", err.text);
            skip();
        }
        window = gl_window_at(&period, &zone, at(named_zones[i].now));
        gl_zone_done(&zone);
        if (window.from_s != at(named_zones[i].from) || window.until_s != at(named_zones[i].until))
            fail_msg("%s at %s: %lld to %lld", named_zones[i].zone, named_zones[i].now,
                     (long long)window.from_s, (long long)window.until_s);
    }
}

static void test_sliding(void **state)
{
    const struct gl_period_of period = {GL_PER_SPAN, 30 * 86400};
    int64_t now = at("2026-11-22T09:00Z");
    struct gl_stretch_of_time window = gl_window_at(&period, &gl_zone_utc, now);

    (void)state;
    assert_int_equal(window.until_s, now + 1);
    assert_int_equal(window.until_s - window.from_s, 30 * 86400);
}

/* ---- accounts ---- */

static void test_accounts(void **state)
{
    static const char *const tags[] = {"team=ml", "project=a b/c", NULL};
    static const struct {
        const char *tree, *path;
    } rows[] = {
        {"org", "org"},
        {"org/{team}", "org/ml"},
        {"org/{team}/{project}", "org/ml/a%20b%2Fc"},
        {"org/{squad}/{team}", "org/untagged/ml"},
        {"x/a%20b", "x/a%20b"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char path[GL_ACCOUNT_PATH];
        struct gl_error err = {0};

        assert_int_equal(gl_account_of(rows[i].tree, tags, path, &err), 0);
        assert_string_equal(path, rows[i].path);
    }
}

static void test_paths(void **state)
{
    static const char *const good[] = {"org", "org/ml", "a-b/c.d/e_f", "a/b/c/d/e/f/g/h"};
    static const char *const bad[] = {
        "", "/", "org/", "/org", "org//ml", "org ml", "a/b/c/d/e/f/g/h/i", "{a", "a{b}", "{}"};

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_true(gl_account_is_path(good[i]));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (gl_account_is_pattern(bad[i]))
            fail_msg("\"%s\" is taken for an account", bad[i]);
    assert_true(gl_account_is_pattern("org/{team}"));
    assert_false(gl_account_is_path("org/{team}"));
}

/* As people write it, and why not. A file's path is none; what earlier versions kept stays
 * readable.
 */
static void test_paths_as_written(void **state)
{
    static const struct {
        const char *text, *path; /* of an error: what it says */
        bool is_wrong;
    } rows[] = {
        {"org/ml", "org/ml", false},
        {"org/{team}", "org/{team}", false},
        {"org/team a", "org/team%20a", false},
        {"org/M\303\274ll", "org/M%C3%BCll", false},
        {"org/50%", "org/50%25", false},
        {"org/team%20a", "org/team%20a", false},
        {"org/a..b/.hidden", "org/a..b/.hidden", false},
        {"../x", "dots alone", true},
        {"org/..", "dots alone", true},
        {"org/./x", "dots alone", true},
        {"org/{..}", "dots alone", true},
        {"org//x", "is empty", true},
        {"/org", "is empty", true},
        {"org/", "is empty", true},
        {"", "is empty", true},
        {"org/ x", "blank", true},
        {"org/x ", "blank", true},
        {"org/a\nb", "control character", true},
        {"org/a{b}", "braces", true},
        {"org/{}", "braces", true},
        {"org/{a b}", "at most 8 names", true},
        {"a/b/c/d/e/f/g/h/i", "at most 8 names", true},
        {"org/01234567890123456789012345678901234567890123456789012345678901234", "63", true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char path[GL_ACCOUNT_PATH] = "as before";
        struct gl_error err = {0};
        bool is_wrong = gl_account_read(rows[i].text, path, &err) != 0;

        if (is_wrong != rows[i].is_wrong ||
            strstr(is_wrong ? err.text : path, rows[i].path) == NULL)
            fail_msg("\"%s\": %s %s", rows[i].text, path, err.text);
        assert_true(!is_wrong || strcmp(path, "as before") == 0);
    }
    assert_false(gl_account_is_pattern("../x"));
    assert_true(gl_account_was_pattern("../x"));
    assert_false(gl_account_was_pattern("org x"));
}

/* The value of a tag is anybody's: it is always an account, and the one that its name as written
 * means. */
static void test_a_tag_and_its_name_as_written(void **state)
{
    static const char *const values[] = {"team a", "M\303\274ll", "50%", "a..b", "x@y+z"};
    struct gl_error err = {0};
    char path[GL_ACCOUNT_PATH], read[GL_ACCOUNT_PATH], text[64];

    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        const char *tags[] = {text, NULL};

        snprintf(text, sizeof text, "team=%s", values[i]);
        assert_int_equal(gl_account_of("org/{team}", tags, path, &err), 0);
        snprintf(text, sizeof text, "org/%s", values[i]);
        assert_int_equal(gl_account_read(text, read, &err), 0);
        assert_string_equal(path, read);
    }
    assert_int_equal(
        gl_account_of("org/{team}", (const char *const[]){"team=..", NULL}, path, &err), 0);
    assert_string_equal(path, "org/%2E%2E");
    assert_int_equal(gl_account_of("../{team}", NULL, path, &err), -1);
}

static void test_which_cap(void **state)
{
    const struct gl_cap caps[] = {
        {.path = "org"},
        {.path = "org/{team}"},
        {.path = "org/ml"},
        {.path = "org/{team}/{project}"},
        {.path = "org/{team}/big"},
    };
    static const struct {
        const char *path;
        int cap; /* -1 = none */
    } rows[] = {{"org", 0},        {"org/web", 1},     {"org/ml", 2}, {"org/ml/x", 3},
                {"org/ml/big", 4}, {"org/ml/x/y", -1}, {"other", -1}, {"organic", -1}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct gl_cap *cap = gl_account_cap(caps, 5, rows[i].path);

        if (cap != (rows[i].cap < 0 ? NULL : &caps[rows[i].cap]))
            fail_msg("%s is under %s", rows[i].path, cap != NULL ? cap->path : "none");
    }
}

static int note(void *cookie, const char *path, int sign)
{
    gl_str_addf(cookie, "%c%s ", sign < 0 ? '-' : '+', path);
    return 0;
}

static void test_between(void **state)
{
    static const struct {
        const char *from, *to, *deltas;
    } rows[] = {
        {"org/ml", "org/web", "-org/ml +org/web "},
        {"org/ml/a", "org/web/b", "-org/ml/a -org/ml +org/web/b +org/web "},
        {"org/ml", "org/ml/a", "+org/ml/a "},
        {"org/ml/a", "org", "-org/ml/a -org/ml "},
        {"org/ml", "org/mlx", "-org/ml +org/mlx "},
        {"a", "b", "-a +b "},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        GL_AUTO(gl_str_done) struct gl_str deltas = {0};

        gl_account_between(rows[i].from, rows[i].to, &deltas, note);
        assert_string_equal(gl_str_text(&deltas), rows[i].deltas);
    }
}

/* ---- what is left ---- */

static void test_fit(void **state)
{
    struct gl_cap cap = {
        .limit = {1000, GL_UNKNOWN}, .warn_count = 2, .warn_ppm = {500000, 900000}};
    struct gl_balance balance = {.granted = {100, 0}, .spent = {600, 5}, .held = {200, 0}};

    (void)state;
    assert_int_equal(gl_balance_left_of(&cap, &balance).ug, 300);
    assert_true(gl_balance_left_of(&cap, &balance).u_usd == GL_UNKNOWN);
    assert_int_equal(gl_budget_fit(&cap, &balance, &(struct gl_amount){300, GL_UNKNOWN}), GL_FITS);
    assert_int_equal(gl_budget_fit(&cap, &balance, &(struct gl_amount){301, 0}), GL_FITS_NOT);
    assert_int_equal(gl_budget_fit(&cap, &balance, &(struct gl_amount){GL_UNKNOWN, 0}),
                     GL_FIT_UNKNOWN);
    assert_int_equal(gl_budget_fit_s(&cap, &balance, &(struct gl_amount){600, 0}, 3600), 1800);
    assert_int_equal(gl_budget_fit_s(&cap, &balance, &(struct gl_amount){300, 0}, 3600), 3600);
    assert_int_equal(gl_budget_warning(&cap, &balance), 500000);
    balance.held.ug = 390;
    assert_int_equal(gl_budget_warning(&cap, &balance), 900000);
    balance.held.ug = balance.spent.ug = 0;
    assert_true(gl_budget_warning(&cap, &balance) == GL_UNKNOWN);
    cap.limit = (struct gl_amount){GL_UNKNOWN, 100};
    balance.spent.u_usd = 101;
    assert_int_equal(gl_budget_fit_s(&cap, &balance, &(struct gl_amount){1, 1}, 3600), 0);
    /* Sums that do not fit an integer say no, never yes. */
    assert_true(gl_balance_left(INT64_MAX, INT64_MAX, 0, 0) == INT64_MAX);
    assert_true(gl_balance_left(0, 0, INT64_MAX, INT64_MAX) < 0);
}

/* A limit lowered below what was given away is none, not less; what comes back goes there first. */
static void test_overdrawn(void **state)
{
    struct gl_cap cap = {.limit = {1000, GL_UNKNOWN}, .warn_count = 1, .warn_ppm = {500000}};
    struct gl_balance balance = {.granted = {-3000, 0}, .spent = {10, 0}};

    (void)state;
    assert_int_equal(gl_balance_limit(1000, -3000), 0);
    assert_int_equal(gl_balance_overdrawn(1000, -3000), 2000);
    assert_int_equal(gl_balance_left_of(&cap, &balance).ug, -10);
    balance.spent.ug = 0;
    assert_int_equal(gl_balance_left_of(&cap, &balance).ug, 0);
    assert_int_equal(gl_budget_fit(&cap, &balance, &(struct gl_amount){1, 0}), GL_FITS_NOT);
    assert_int_equal(gl_budget_fit_s(&cap, &balance, &(struct gl_amount){1, 0}, 3600), 0);
    assert_int_equal(gl_budget_warning(&cap, &balance), 500000);
    balance.granted.ug = -999;
    assert_int_equal(gl_balance_left_of(&cap, &balance).ug, 1);
    assert_int_equal(gl_balance_overdrawn(1000, -999), 0);
    assert_true(gl_balance_limit(GL_UNKNOWN, -3000) == GL_UNKNOWN);
    assert_int_equal(gl_balance_overdrawn(GL_UNKNOWN, -3000), 0);
    assert_true(gl_balance_limit(INT64_MAX, INT64_MAX) == INT64_MAX);
}

static void test_exhaustion(void **state)
{
    static const int64_t even[] = {10, 10, 10, 10}, odd[] = {0, 20, 0, 20};
    struct gl_spending spending = {even, 4, 3600, 1000000, 100, 0};
    struct gl_exhaustion end;

    (void)state;
    gl_budget_exhaustion(&spending, &end);
    assert_int_equal(end.central_s, 1000000 + 10 * 3600);
    assert_int_equal(end.low_s, end.central_s);
    /* A sliding window is full within its length or never. */
    spending.span_s = 10 * 3600;
    gl_budget_exhaustion(&spending, &end);
    assert_int_equal(end.central_s, 1000000 + 10 * 3600);
    spending.span_s = 10 * 3600 - 1;
    gl_budget_exhaustion(&spending, &end);
    assert_true(end.central_s == INT64_MAX);
    spending.slices = odd;
    gl_budget_exhaustion(&spending, &end);
    assert_true(end.low_s < 1000000 + 7 * 3600 && end.high_s == INT64_MAX);
    spending.span_s = 0;
    gl_budget_exhaustion(&spending, &end);
    assert_int_equal(end.central_s, 1000000 + 10 * 3600);
    /* sqrt(d) of 10 d +- 1.2816 * 11.547 * sqrt(d) = 100. */
    assert_in_range(end.low_s, 1000000 + 6 * 3600, 1000000 + 7 * 3600);
    assert_in_range(end.high_s, 1000000 + 15 * 3600, 1000000 + 17 * 3600);
    spending.count = 2;
    gl_budget_exhaustion(&spending, &end);
    assert_true(end.low_s == GL_UNKNOWN && end.central_s != GL_UNKNOWN);
    spending.count = 0;
    gl_budget_exhaustion(&spending, &end);
    assert_true(end.central_s == GL_UNKNOWN);
    spending.left = 0;
    gl_budget_exhaustion(&spending, &end);
    assert_int_equal(end.central_s, 1000000);
    spending = (struct gl_spending){(const int64_t[]){0, 0, 0}, 3, 3600, 0, 5, 0};
    gl_budget_exhaustion(&spending, &end);
    assert_true(end.central_s == INT64_MAX && end.high_s == INT64_MAX);
}

/* ---- property: calendar windows tile time, whatever the clocks do ---- */

static const char *const rules[] = {
    "UTC0",
    BERLIN,
    "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0",
    "NST3:30NDT,M3.2.0/0:01,M11.1.0/0:01",
    "<-03>3<-02>,M10.3.0/0,M2.3.0/0",
    "IST-2IDT,M3.4.4/26,M10.5.0",
    "<+1245>-12:45<+1345>,M9.5.0/2:45,M4.1.0/3:45",
};

static void check_tiling(const struct gl_zone *zone, enum gl_period period, int64_t start)
{
    const struct gl_period_of of = {period, 0};
    struct gl_stretch_of_time window = gl_window_at(&of, zone, start);

    for (int i = 0; i < 60; i++) {
        struct gl_stretch_of_time next = gl_window_at(&of, zone, window.until_s);
        struct gl_stretch_of_time first = gl_window_at(&of, zone, window.from_s);
        struct gl_stretch_of_time last = gl_window_at(&of, zone, window.until_s - 1);

        assert_true(window.from_s < window.until_s);
        assert_true(next.from_s == window.until_s);
        assert_true(first.from_s == window.from_s && first.until_s == window.until_s);
        assert_true(last.from_s == window.from_s && last.until_s == window.until_s);
        window = next;
    }
}

static void test_windows_tile_time(void **state)
{
    (void)state;
    for (size_t r = 0; r < sizeof rules / sizeof rules[0]; r++) {
        const struct gl_zone zone = zone_of(rules[r]);

        for (int period = 0; period < GL_PER_SPAN; period++)
            for (int64_t month = 0; month < 14; month++)
                check_tiling(&zone, (enum gl_period)period,
                             at("2026-01-01T00:00Z") + month * 2592000 - 86400);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_caps),
        cmocka_unit_test(test_bad_caps),
        cmocka_unit_test(test_other_money),
        cmocka_unit_test(test_windows),
        cmocka_unit_test(test_named_zones),
        cmocka_unit_test(test_sliding),
        cmocka_unit_test(test_accounts),
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_paths_as_written),
        cmocka_unit_test(test_a_tag_and_its_name_as_written),
        cmocka_unit_test(test_which_cap),
        cmocka_unit_test(test_between),
        cmocka_unit_test(test_fit),
        cmocka_unit_test(test_overdrawn),
        cmocka_unit_test(test_exhaustion),
        cmocka_unit_test(test_windows_tile_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
