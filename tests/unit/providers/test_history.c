/* SPDX-License-Identifier: Apache-2.0 */
#include "base/time.h"
#include "providers/signal/adapter.h"
#include "providers/signal/history.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOW  INT64_C(1768046400) /* 2026-01-10T12:00Z */
#define HOUR INT64_C(3600)
#define DAY  INT64_C(86400)
#define G(x) ((int64_t)(x)*1000000)

static const struct gl_meaning grams = {.quantity = GL_INTENSITY,
                                        .boundary = GL_DIRECT,
                                        .gases = GL_CO2,
                                        .trace = GL_FIXED_IMPORTS,
                                        .factor_set = "NESO"};
static const struct gl_meaning share = {
    .quantity = GL_RENEWABLE_SHARE, .trace = GL_SHARE_OF_LOAD, .share_of = GL_OF_RENEWABLE};

static struct gl_point points[256];
static struct gl_series series;

static int set_up(void **state)
{
    (void)state;
    series = (struct gl_series){.meaning = grams,
                                .zone = "GB",
                                .provider = "neso",
                                .dataset = "national",
                                .issued_s = GL_UNKNOWN,
                                .retrieved_s = NOW,
                                .points = points};
    return 0;
}

static struct gl_point *add(int64_t from_s, int64_t step_s, int64_t value_u,
                            enum gl_evidence evidence)
{
    points[series.count] = gl_signal_point(from_s, from_s + step_s, evidence);
    points[series.count].value_u = value_u;
    return &points[series.count++];
}

/* ---- points to hours ---- */

static void test_weighted_mean(void **state)
{
    struct gl_archive_actual *hours = NULL;

    (void)state;
    add(NOW - 2 * HOUR, 900, G(100), GL_MEASURED);
    add(NOW - 2 * HOUR + 900, 2700, G(200), GL_PRELIMINARY)->updated_s = NOW - 60;
    assert_int_equal(gl_history_actuals(&series, (struct gl_instant){NOW}, &hours), 1);
    assert_int_equal(hours[0].hour_s, NOW - 2 * HOUR);
    assert_int_equal(hours[0].value_u, G(175));
    assert_int_equal(hours[0].evidence, GL_PRELIMINARY); /* the less certain one */
    assert_int_equal(hours[0].updated_s, NOW - 60);
    assert_int_equal(hours[0].received_s, NOW);
    free(hours);
}

/* Half an hour that is missing makes the hour missing: it is not the other half. */
static void test_only_whole_hours(void **state)
{
    struct gl_archive_actual *hours = NULL;

    (void)state;
    add(NOW - 3 * HOUR, 1800, G(100), GL_MEASURED); /* its second half is a hole */
    for (int i = 0; i < 12; i++)                    /* five minutes each */
        add(NOW - 2 * HOUR + i * 300, 300, G(10 * i), GL_MEASURED);
    for (int i = 0; i < 11; i++)
        add(NOW - HOUR + i * 300, 300, G(1), GL_MEASURED);
    assert_int_equal(gl_history_actuals(&series, (struct gl_instant){NOW}, &hours), 1);
    assert_int_equal(hours[0].hour_s, NOW - 2 * HOUR);
    assert_int_equal(hours[0].value_u, G(55));
    free(hours);
}

/* An interval across the full hour counts in both; near zero stays near zero. */
static void test_across_the_hour(void **state)
{
    struct gl_archive_actual *hours = NULL;

    (void)state;
    add(NOW - 2 * HOUR, 1800, 0, GL_MEASURED);
    add(NOW - 2 * HOUR + 1800, HOUR, 3, GL_MEASURED);
    add(NOW - HOUR + 1800, 1800, 0, GL_MEASURED);
    assert_int_equal(gl_history_actuals(&series, (struct gl_instant){NOW}, &hours), 2);
    assert_int_equal(hours[0].value_u, 2); /* 1.5 millionths, rounded */
    assert_int_equal(hours[1].value_u, 2);
    free(hours);
}

static void test_what_is_no_actual(void **state)
{
    struct gl_archive_actual *hours = NULL;

    (void)state;
    add(NOW - 9 * HOUR, HOUR, G(1), GL_FORECAST);
    add(NOW - 8 * HOUR, HOUR, G(1), GL_HISTORIC_AVERAGE);
    add(NOW - 7 * HOUR, HOUR, G(1), GL_ANNUAL_AVERAGE);
    add(NOW - 6 * HOUR, HOUR, G(1), GL_PROVIDER_CLAIM);
    add(NOW - 5 * HOUR, 2 * HOUR, G(1), GL_MEASURED); /* a mean of two hours is of neither */
    add(NOW, HOUR, G(1), GL_ESTIMATED);               /* not over yet */
    assert_int_equal(gl_history_actuals(&series, (struct gl_instant){NOW + 1800}, &hours), 0);
    assert_null(hours);
}

/* Clocks of people change, hours of UTC do not: 2025-10-26 and 2026-03-29 in Europe. */
static void test_clock_change_days(void **state)
{
    static const char *const days[] = {"2025-10-26T00:00Z", "2026-03-29T00:00Z"};

    (void)state;
    for (size_t d = 0; d < 2; d++) {
        struct gl_archive_actual *hours = NULL;
        struct gl_instant day = {0};
        struct gl_error err = {0};

        set_up(NULL);
        assert_int_equal(gl_instant_parse(days[d], &day, &err), 0);
        for (int i = 0; i < 48; i++)
            add(day.unix_s + i * 1800, 1800, G(100 + i), GL_MEASURED);
        assert_int_equal(gl_history_actuals(&series, (struct gl_instant){day.unix_s + DAY}, &hours),
                         24);
        for (int i = 0; i < 24; i++) {
            assert_int_equal(hours[i].hour_s, day.unix_s + i * HOUR);
            assert_int_equal(hours[i].value_u, G(100 + 2 * i) + 500000);
        }
        free(hours);
    }
}

static void test_issue(void **state)
{
    int64_t values_u[GL_ARCHIVE_MAX_HOURS];
    struct gl_archive_issue issue;

    (void)state;
    add(NOW - HOUR, HOUR, G(1), GL_FORECAST); /* over: rewritten, no forecast any more */
    add(NOW, 1800, G(100), GL_PRELIMINARY);   /* the running hour: half of it measured */
    add(NOW + 1800, 1800, G(120), GL_FORECAST);
    add(NOW + 2 * HOUR, HOUR, G(130), GL_FORECAST); /* after a hole */
    add(NOW + 3 * HOUR, 1800, G(140), GL_FORECAST); /* half an hour is no hour */
    assert_true(gl_history_issue(&series, (struct gl_instant){NOW + 2000}, values_u, &issue));
    assert_int_equal(issue.start_s, NOW);
    assert_int_equal(issue.received_s, NOW + 2000);
    assert_int_equal(issue.issued_s, GL_UNKNOWN);
    assert_int_equal(issue.count, 3);
    assert_int_equal(issue.value_u[0], G(110));
    assert_int_equal(issue.value_u[1], GL_UNKNOWN);
    assert_int_equal(issue.value_u[2], G(130));
}

static void test_no_issue(void **state)
{
    int64_t values_u[GL_ARCHIVE_MAX_HOURS];
    struct gl_archive_issue issue;

    (void)state;
    assert_false(gl_history_issue(&series, (struct gl_instant){NOW}, values_u, &issue));
    add(NOW - HOUR, HOUR, G(1), GL_FORECAST);
    add(NOW, HOUR, G(1), GL_MEASURED);
    add(NOW + HOUR, HOUR, G(1), GL_SUBSTITUTE);
    add(NOW + 2 * HOUR, HOUR, G(1), GL_ANNUAL_AVERAGE);
    assert_false(gl_history_issue(&series, (struct gl_instant){NOW}, values_u, &issue));
}

static void test_long_issue_is_cut(void **state)
{
    int64_t values_u[GL_ARCHIVE_MAX_HOURS];
    struct gl_archive_issue issue;

    (void)state;
    for (int i = 0; i < 200; i++)
        add(NOW + i * HOUR, HOUR, G(1), GL_FORECAST);
    assert_true(gl_history_issue(&series, (struct gl_instant){NOW}, values_u, &issue));
    assert_int_equal(issue.count, GL_ARCHIVE_MAX_HOURS);
}

/* ---- records to a history ---- */

static struct gl_archive_actual actuals[256];
static struct gl_archive_content content;
static const struct gl_archive_entry entry = {
    .provider = "neso",
    .dataset = "national",
    .zone = "GB",
    .licence = "CC BY 4.0",
    .meaning = {.quantity = GL_INTENSITY, .boundary = GL_DIRECT, .gases = GL_CO2}};

static void put(int64_t hour_s, int64_t value_u, int64_t received_s, enum gl_evidence evidence)
{
    actuals[content.actual_count++] = (struct gl_archive_actual){.hour_s = hour_s,
                                                                 .value_u = value_u,
                                                                 .received_s = received_s,
                                                                 .known_s = received_s,
                                                                 .updated_s = GL_UNKNOWN,
                                                                 .evidence = evidence};
}

static struct gl_history *history_at(int64_t now_s)
{
    content.actuals = actuals;
    return gl_history_of_content(&entry, &content, (struct gl_instant){now_s});
}

static int set_up_content(void **state)
{
    (void)state;
    content = (struct gl_archive_content){0};
    return 0;
}

static void test_last_word_counts(void **state)
{
    struct gl_history *history;
    float value = 0;

    (void)state;
    put(NOW - 5 * HOUR, G(100), NOW - 4 * HOUR, GL_MEASURED);
    put(NOW - 3 * HOUR, G(90), NOW - 2 * HOUR, GL_ESTIMATED);
    put(NOW - 3 * HOUR, G(95), NOW - HOUR, GL_MEASURED);
    put(NOW - 2 * HOUR, G(80), NOW - HOUR, GL_PRELIMINARY);
    history = history_at(NOW);
    assert_string_equal(history->provider, "neso");
    assert_int_equal(history->actuals.start_s, NOW - 5 * HOUR);
    assert_int_equal(history->actuals.count, 4);
    assert_int_equal(history->actual_count, 3);
    assert_true(gl_actual_at(&history->actuals, NOW - 3 * HOUR, &value));
    assert_true(value == 95.0F);
    assert_false(gl_actual_at(&history->actuals, NOW - 4 * HOUR, &value)); /* the hole stays */
    assert_int_equal(history->actuals.state[0], GL_HOUR_KNOWN);
    assert_int_equal(history->actuals.state[3], GL_HOUR_KNOWN | GL_HOUR_ESTIMATED);
    assert_int_equal(history->estimated_count, 1);
    assert_int_equal(history->newest_actual_s, NOW - 2 * HOUR);
    assert_int_equal(history->newest_issue_s, GL_UNKNOWN);
    gl_history_free(history);
    history = history_at(NOW + 5 * DAY); /* preliminary figures settle */
    assert_int_equal(history->estimated_count, 0);
    gl_history_free(history);
}

/* Shares are stored in parts per million and read in per cent, like limits. */
static void test_unit_of_shares(void **state)
{
    struct gl_archive_entry shares = entry;
    struct gl_history *history;
    float value = 0;

    (void)state;
    shares.meaning = share;
    put(NOW - 2 * HOUR, 965000, NOW, GL_MEASURED);
    content.actuals = actuals;
    history = gl_history_of_content(&shares, &content, (struct gl_instant){NOW});
    assert_true(gl_actual_at(&history->actuals, NOW - 2 * HOUR, &value));
    assert_true(value == 96.5F);
    assert_true(value == gl_history_value(GL_RENEWABLE_SHARE, 965000));
    gl_history_free(history);
}

/* Twenty polls, the newest hour 40 minutes old but for one that is 4 h: the 95th percentile. */
static void test_lag(void **state)
{
    struct gl_history *history;

    (void)state;
    for (int i = 0; i < 20; i++)
        put(NOW + i * HOUR, G(1), NOW + (i + 1) * HOUR + (i == 7 ? 4 * HOUR + 1 : 2400),
            GL_MEASURED);
    history = history_at(NOW + DAY);
    assert_true(history->is_lag_measured);
    assert_int_equal(history->lag_count, 20);
    assert_int_equal(history->actuals.lag_h, 1);
    gl_history_free(history);
    put(NOW + 20 * HOUR, G(1), NOW + 21 * HOUR + 5 * HOUR, GL_MEASURED);
    put(NOW + 21 * HOUR, G(1), NOW + 22 * HOUR + 6 * HOUR, GL_MEASURED);
    history = history_at(NOW + 2 * DAY);
    assert_int_equal(history->actuals.lag_h, 5);
    gl_history_free(history);
}

/* One poll that brings a day of hours says how old the newest is, not the oldest; what was fetched
 * later says nothing. */
static void test_lag_is_of_the_newest(void **state)
{
    struct gl_history *history;

    (void)state;
    for (int poll = 0; poll < 8; poll++)
        for (int i = 0; i < 6; i++)
            put(NOW + (poll * 6 + i) * HOUR, G(1), NOW + (poll * 6 + 6) * HOUR + 1800, GL_MEASURED);
    history = history_at(NOW + 3 * DAY);
    assert_int_equal(history->lag_count, 8);
    assert_int_equal(history->actuals.lag_h, 1);
    gl_history_free(history);
    for (size_t i = 0; i < content.actual_count; i++)
        actuals[i].is_backfilled = true;
    history = history_at(NOW + 3 * DAY);
    assert_false(history->is_lag_measured);
    assert_int_equal(history->actuals.lag_h, GL_HISTORY_LAG_H);
    gl_history_free(history);
}

static void test_revisions(void **state)
{
    struct gl_history *history;

    (void)state;
    for (int i = 0; i < 20; i++) {
        put(NOW + i * HOUR, G(100), NOW + (i + 2) * HOUR, GL_PRELIMINARY);
        if (i < 3)
            put(NOW + i * HOUR, G(100) - G(i + 1), NOW + (i + 5) * HOUR, GL_PRELIMINARY);
    }
    history = history_at(NOW + 2 * DAY);
    assert_int_equal(history->revisions.hours, 20);
    assert_int_equal(history->revisions.changed, 3);
    assert_true(history->revisions.p95 == 2.0F);
    assert_true(history->revisions.worst == 3.0F);
    gl_history_free(history);
}

static void test_issues_in_order(void **state)
{
    int64_t values_u[] = {G(1), GL_UNKNOWN, G(3), G(4)};
    struct gl_archive_issue issues[] = {
        {.received_s = NOW, .known_s = NOW, .start_s = NOW, .count = 3, .value_u = values_u},
        {.received_s = NOW - 50, /* the clock had gone back */
         .known_s = NOW,
         .start_s = NOW - HOUR,
         .count = 1,
         .value_u = values_u + 3},
    };
    struct gl_history *history;

    (void)state;
    content.issues = issues;
    content.issue_count = 2;
    history = history_at(NOW);
    assert_int_equal(history->issues.count, 2);
    assert_int_equal(history->issues.issue[0].count, 3);
    assert_int_equal(history->issues.issue[0].state[1], GL_HOUR_MISSING);
    assert_true(history->issues.issue[0].value[2] == 3.0F);
    assert_int_equal(history->issues.issue[1].received_s, NOW);
    assert_true(history->issues.issue[1].value[0] == 4.0F);
    assert_int_equal(history->newest_issue_s, NOW);
    gl_history_free(history);
}

/* Two hours 140 years apart do not ask for the memory between them. */
static void test_span_has_a_ceiling(void **state)
{
    struct gl_history *history;

    (void)state;
    put(0, G(1), HOUR, GL_MEASURED);
    put(NOW, G(2), NOW + HOUR, GL_MEASURED);
    history = history_at(NOW + HOUR);
    assert_int_equal(history->actuals.count, GL_HISTORY_MAX_HOURS);
    assert_int_equal(history->actual_count, 1);
    assert_int_equal(history->newest_actual_s, NOW);
    gl_history_free(history);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_weighted_mean, set_up),
        cmocka_unit_test_setup(test_only_whole_hours, set_up),
        cmocka_unit_test_setup(test_across_the_hour, set_up),
        cmocka_unit_test_setup(test_what_is_no_actual, set_up),
        cmocka_unit_test_setup(test_clock_change_days, set_up),
        cmocka_unit_test_setup(test_issue, set_up),
        cmocka_unit_test_setup(test_no_issue, set_up),
        cmocka_unit_test_setup(test_long_issue_is_cut, set_up),
        cmocka_unit_test_setup(test_last_word_counts, set_up_content),
        cmocka_unit_test_setup(test_unit_of_shares, set_up_content),
        cmocka_unit_test_setup(test_lag, set_up_content),
        cmocka_unit_test_setup(test_lag_is_of_the_newest, set_up_content),
        cmocka_unit_test_setup(test_revisions, set_up_content),
        cmocka_unit_test_setup(test_issues_in_order, set_up_content),
        cmocka_unit_test_setup(test_span_has_a_ceiling, set_up_content),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
