/* SPDX-License-Identifier: Apache-2.0 */
#include "base/time.h"
#include "providers/signal/adapter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define NOW  INT64_C(1768046400) /* 2026-01-10T12:00Z */
#define HOUR INT64_C(3600)

static const struct gl_meaning intensity = {
    .quantity = GL_INTENSITY, .boundary = GL_DIRECT, .gases = GL_CO2E};
static const struct gl_meaning share = {.quantity = GL_RENEWABLE_SHARE};
static const struct gl_meaning load_share = {.quantity = GL_RENEWABLE_SHARE,
                                             .trace = GL_SHARE_OF_LOAD};

struct row {
    int64_t from, until, value, updated;
};

/* A tidied series of these rows; times in hours from NOW. */
static struct gl_series tidied(const struct gl_meaning *meaning, const struct row *rows,
                               size_t count)
{
    struct gl_series series = {
        .meaning = *meaning,
        .issued_s = GL_UNKNOWN,
        .retrieved_s = NOW,
        .points = gl_alloc(count * sizeof *series.points),
    };

    for (size_t i = 0; i < count; i++) {
        struct gl_point point =
            gl_signal_point(NOW + rows[i].from * HOUR, NOW + rows[i].until * HOUR, GL_FORECAST);

        point.value_u = rows[i].value;
        point.updated_s = rows[i].updated == 0 ? GL_UNKNOWN : NOW + rows[i].updated * HOUR;
        series.points[series.count++] = point;
    }
    gl_series_tidy(&series, (struct gl_instant){NOW});
    return series;
}

#define TIDIED(meaning, ...)                           \
    tidied(meaning, (const struct row[]){__VA_ARGS__}, \
           sizeof((const struct row[]){__VA_ARGS__}) / sizeof(struct row))

/* `hours` after NOW begins what is suspect. */
static void assert_suspicion(const struct gl_series *series, const char *why, int hours)
{
    char expected[sizeof series->suspicion], at[GL_INSTANT_TEXT];

    snprintf(expected, sizeof expected, "%s at %s", why,
             gl_instant_text((struct gl_instant){NOW + hours * HOUR}, at));
    assert_string_equal(series->suspicion, expected);
}

static void check_suspect_at(struct gl_series series, const char *why, int hours)
{
    assert_int_equal(series.is_suspect, why != NULL);
    if (why != NULL)
        assert_suspicion(&series, why, hours);
    else
        assert_string_equal(series.suspicion, "");
    for (size_t i = 1; i < series.count; i++)
        assert_true(series.points[i].from_s >= series.points[i - 1].until_s);
    free(series.points);
}

static void check_suspect(struct gl_series series, const char *why)
{
    check_suspect_at(series, why, 0);
}

static void test_sorts(void **state)
{
    struct gl_series series = TIDIED(&intensity, {2, 3, 30, 0}, {0, 1, 10, 0}, {1, 2, 20, 0});

    (void)state;
    assert_int_equal(series.count, 3);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(series.points[i].value_u, 10 * (int64_t)(i + 1));
    check_suspect(series, NULL);
}

static void test_drops_duplicates_and_gaps(void **state)
{
    struct gl_series series =
        TIDIED(&intensity, {0, 1, 10, 0}, {0, 1, 10, 0}, {1, 2, GL_UNKNOWN, 0}, {2, 3, 30, 0});

    (void)state;
    assert_int_equal(series.count, 2);
    assert_int_equal(series.points[1].from_s, NOW + 2 * HOUR);
    check_suspect(series, NULL);
}

static void test_keeps_later_word(void **state)
{
    struct gl_series series = TIDIED(&intensity, {0, 1, 50, -1}, {0, 1, 40, -3}, {0, 1, 45, -2});

    (void)state;
    assert_int_equal(series.count, 1);
    assert_int_equal(series.points[0].value_u, 50);
    check_suspect(series, NULL);
}

static void test_conflict(void **state)
{
    static const char why[] = "conflicting values";

    (void)state;
    check_suspect(TIDIED(&intensity, {0, 1, 10, 0}, {0, 1, 20, 0}), why);
    check_suspect(TIDIED(&intensity, {0, 1, 10, -1}, {0, 1, 20, 0}), why);
    check_suspect(TIDIED(&intensity, {0, 1, 10, -1}, {0, 1, 20, -1}), why);
    check_suspect(TIDIED(&intensity, {0, 1, 10, -2}, {0, 1, 20, -1}), NULL);
}

/* The order of the answer must not matter, not even for what is kept of a conflict. */
static void test_order_does_not_matter(void **state)
{
    struct gl_series a = TIDIED(&intensity, {0, 1, 10, 0}, {0, 1, 20, 0}, {1, 2, 5, 0});
    struct gl_series b = TIDIED(&intensity, {1, 2, 5, 0}, {0, 1, 20, 0}, {0, 1, 10, 0});

    (void)state;
    assert_int_equal(a.count, b.count);
    for (size_t i = 0; i < a.count; i++) {
        assert_int_equal(a.points[i].from_s, b.points[i].from_s);
        assert_int_equal(a.points[i].value_u, b.points[i].value_u);
    }
    free(a.points);
    free(b.points);
}

static void test_overlap(void **state)
{
    struct gl_series series = TIDIED(&intensity, {0, 2, 10, 0}, {1, 3, 20, 0});

    (void)state;
    assert_int_equal(series.count, 2);
    assert_int_equal(series.points[0].until_s, NOW + HOUR);
    check_suspect_at(series, "intervals overlap", 1);
    check_suspect(TIDIED(&intensity, {0, 2, 10, 0}, {0, 1, 20, 0}), "intervals overlap");
}

static void test_range(void **state)
{
    (void)state;
    check_suspect(TIDIED(&intensity, {0, 1, 3000000000, 0}), NULL);
    check_suspect(TIDIED(&intensity, {0, 1, 3000000001, 0}), "a figure is out of range");
    check_suspect(TIDIED(&intensity, {0, 1, -1, 0}), "a figure is negative");
    check_suspect(TIDIED(&intensity, {0, 1, 0, 0}), NULL);
    check_suspect(TIDIED(&share, {0, 1, 1005000, 0}), NULL);
    check_suspect(TIDIED(&share, {0, 1, 1005001, 0}), "a figure is out of range");
    check_suspect(TIDIED(&load_share, {0, 1, 1800000, 0}), NULL);
    check_suspect(TIDIED(&load_share, {0, 1, 10000001, 0}), "a figure is out of range");
}

static void test_empty_interval(void **state)
{
    struct gl_series series = TIDIED(&intensity, {1, 1, 10, 0}, {2, 1, 10, 0}, {2, 3, 10, 0});

    (void)state;
    assert_int_equal(series.count, 1);
    check_suspect_at(series, "an interval ends before it begins", 1);
}

static void test_future(void **state)
{
    struct gl_series series = {.meaning = intensity, .issued_s = NOW + HOUR, .retrieved_s = NOW};

    (void)state;
    gl_series_tidy(&series, (struct gl_instant){NOW});
    assert_true(series.is_suspect);
    assert_string_equal(series.suspicion, "it was issued in the future");
    series = (struct gl_series){
        .meaning = intensity, .issued_s = GL_UNKNOWN, .retrieved_s = NOW + 86400};
    gl_series_tidy(&series, (struct gl_instant){NOW});
    assert_string_equal(series.suspicion,
                        "it was retrieved in the future: the clock has gone back");
    check_suspect(TIDIED(&intensity, {0, 1, 10, 1}), "a figure was changed in the future");
}

static void test_bounds(void **state)
{
    struct gl_point point = gl_signal_point(NOW, NOW + HOUR, GL_FORECAST);
    struct gl_series series = {.meaning = intensity,
                               .issued_s = GL_UNKNOWN,
                               .retrieved_s = NOW,
                               .count = 1,
                               .points = &point};

    (void)state;
    point.value_u = 10;
    point.low_u = 11;
    gl_series_tidy(&series, (struct gl_instant){NOW});
    assert_suspicion(&series, "a lower bound is above its value", 0);
    series.is_suspect = false;
    point.low_u = 9;
    point.high_u = 9;
    gl_series_tidy(&series, (struct gl_instant){NOW});
    assert_suspicion(&series, "an upper bound is below its value", 0);
    series.is_suspect = false;
    point.low_u = -1;
    gl_series_tidy(&series, (struct gl_instant){NOW});
    assert_suspicion(&series, "a figure is negative", 0);
}

static void test_first_suspicion_stays(void **state)
{
    struct gl_series series = {.is_suspect = false};

    (void)state;
    gl_series_suspect(&series, "one");
    gl_series_suspect(&series, "two");
    assert_string_equal(series.suspicion, "one");
}

static void test_micro(void **state)
{
    int64_t out = 7;

    (void)state;
    assert_int_equal(gl_signal_micro(12.3456789, &out), 0);
    assert_int_equal(out, 12345679);
    assert_int_equal(gl_signal_micro(-1.5, &out), 0);
    assert_int_equal(out, -1500000);
    assert_int_equal(gl_signal_micro(1e10, &out), -1);
    assert_int_equal(gl_signal_micro((double)INFINITY, &out), -1);
    assert_int_equal(gl_signal_micro((double)NAN, &out), -1);
    assert_int_equal(out, -1500000);
}

static void test_registry(void **state)
{
    size_t count;
    const struct gl_signal_ops *const *all = gl_signal_registry(&count);

    (void)state;
    assert_true(count >= 5);
    for (size_t i = 0; i < count; i++)
        assert_ptr_equal(gl_signal_find(all[i]->name), all[i]);
    assert_null(gl_signal_find("no-such-source"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sorts),
        cmocka_unit_test(test_drops_duplicates_and_gaps),
        cmocka_unit_test(test_keeps_later_word),
        cmocka_unit_test(test_conflict),
        cmocka_unit_test(test_order_does_not_matter),
        cmocka_unit_test(test_overlap),
        cmocka_unit_test(test_range),
        cmocka_unit_test(test_empty_interval),
        cmocka_unit_test(test_future),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_first_suspicion_stays),
        cmocka_unit_test(test_micro),
        cmocka_unit_test(test_registry),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
