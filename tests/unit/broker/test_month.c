/* SPDX-License-Identifier: Apache-2.0 */
/* Months of receipts, and months beside statements. */
#include "broker/month.h"

#include "base/time.h"
#include "broker/receipt.h"
#include "tests/support/make_evidence.h"

/* Unit tests link archives only. */
#include "tests/support/make_batches.c"
#include "tests/support/make_evidence.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LAUNCH "gl-4k2p9xyz"
#define HOUR   INT64_C(3600000)
#define G      INT64_C(1000000) /* micrograms */

static struct gl_launch_row row;

static int64_t ms_of(int month, int day, int hour)
{
    return gl_instant_of_civil(2026, month, day, hour, 0, 0).unix_s * 1000;
}

/* A launch without readings: charged between idle and all that the machine can draw. */
static void ran(int64_t from_ms, int64_t until_ms)
{
    struct gl_secret_key secret;
    struct gl_public_key key;
    struct gl_error err = {0};
    json_t *evidence = fake_evidence(NULL, LAUNCH, from_ms, until_ms);

    gl_key_of_seed((const uint8_t[32]){1}, &secret, &key);
    free(row.receipt);
    row = (struct gl_launch_row){.launch = (char *)(uintptr_t)LAUNCH,
                                 .region = (char *)(uintptr_t) "eu-north-1",
                                 .started_ms = from_ms,
                                 .created_ms = from_ms,
                                 .ended_ms = until_ms};
    row.receipt = gl_receipt_make(evidence, &secret, &key, &err);
    json_decref(evidence);
    if (row.receipt == NULL)
        fail_msg("%s", err.text);
}

static struct gl_month month_of(int number)
{
    struct gl_month month;

    gl_month_begin(&month, gl_instant_of_civil(2026, number, 1, 0, 0, 0));
    gl_month_add(&month, &row, ms_of(12, 1, 0));
    return month;
}

static int64_t figure(const char *key, size_t bound)
{
    struct gl_error err = {0};
    json_t *receipt = gl_json_parse(row.receipt, strlen(row.receipt), "r", &err);
    const json_t *footprint = json_object_get(json_object_get(receipt, "derived"), "footprint");
    int64_t value = json_integer_value(json_array_get(json_object_get(footprint, key), bound));

    json_decref(receipt);
    return value;
}

static void the_parts_of_a_launch_are_the_whole(void **state)
{
    (void)state;
    for (int before = 0; before <= 5; before++) {
        struct gl_month october, november, september;

        ran(ms_of(11, 1, 0) - before * HOUR - HOUR / 3, ms_of(11, 1, 0) + 2 * HOUR);
        september = month_of(9);
        october = month_of(10);
        november = month_of(11);
        assert_int_equal(september.launches, 0);
        assert_int_equal(october.counted, 1);
        assert_int_equal(october.split, 1);
        for (size_t i = 0; i < 3; i++) {
            int64_t operational = october.operational_ug[i] + november.operational_ug[i];
            int64_t embodied = october.embodied_ug[i] + november.embodied_ug[i];

            assert_true(october.operational_ug[i] > 0 && november.operational_ug[i] > 0);
            assert_in_range(figure("operational_ug", i) - operational, 0, 1); /* cut once each */
            assert_in_range(figure("embodied_ug", i) - embodied, 0, 1);
        }
        /* One grid all along: carbon goes with time. */
        assert_in_range(october.operational_ug[1] * 120 -
                            november.operational_ug[1] * (60 * before + 20) + 1000,
                        0, 2000);
        assert_int_equal((october.gap_ms + november.gap_ms) / 1000, 3600 * (before + 2) + 1200);
    }
}

static void what_is_not_known_is_counted_as_such(void **state)
{
    struct gl_month month;
    char *digit;

    (void)state;
    ran(ms_of(10, 5, 8), ms_of(10, 5, 9));
    month = month_of(10);
    assert_int_equal(month.counted, 1);
    assert_int_equal(month.unread, 1);
    assert_string_equal(month.names[0], "eu-north-1");
    digit = strstr(row.receipt, "\"exit_status\":0");
    digit[14] = '1'; /* changed by somebody */
    month = month_of(10);
    assert_int_equal(month.counted, 0);
    assert_int_equal(month.broken, 1);
    free(row.receipt);
    row.receipt = NULL;
    month = month_of(10);
    assert_int_equal(month.open, 1);
    ran(ms_of(10, 5, 8), ms_of(10, 5, 9));
    row.launch = (char *)(uintptr_t) "gl-another1"; /* the receipt of another launch */
    month = month_of(10);
    assert_int_equal(month.broken, 1);
}

/* ---- verdicts ---- */

static struct gl_month ours(int64_t low, int64_t high)
{
    struct gl_month month;

    gl_month_begin(&month, gl_instant_of_civil(2026, 10, 1, 0, 0, 0));
    month.launches = month.counted = 1;
    for (size_t i = 0; i < 3; i++)
        month.operational_ug[i] = i == 0 ? low : i == 1 ? (low + high) / 2 : high;
    month.names[0][0] = '\0';
    return month;
}

static struct gl_month_pair against(const struct gl_month *month, enum gl_stated_basis basis,
                                    int64_t ug)
{
    struct gl_statement_row stated = {.basis = basis, .kind = GL_STATED_MACHINES, .ug = ug};
    struct gl_statement statement;
    struct gl_month_pair found;

    gl_statement_begin(&statement, month->from);
    statement.rows = &stated;
    statement.count = 1;
    statement.step_ug = 2 * G; /* one gram either way */
    gl_month_compare(month, &statement, &found);
    return found;
}

static void bounds_and_rounding_meet_or_do_not(void **state)
{
    const struct gl_month month = ours(10 * G, 20 * G);
    static const struct {
        int64_t stated_g;
        enum gl_month_verdict verdict;
    } cases[] = {{8, GL_MONTH_OUTSIDE},
                 {9, GL_MONTH_WITHIN},
                 {15, GL_MONTH_WITHIN},
                 {21, GL_MONTH_WITHIN},
                 {22, GL_MONTH_OUTSIDE}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(against(&month, GL_STATED_LOCATION, cases[i].stated_g * G).verdict,
                         cases[i].verdict);
}

static void what_is_not_whole_is_not_within(void **state)
{
    struct gl_month month = ours(10 * G, 20 * G);

    (void)state;
    assert_int_equal(against(&month, GL_STATED_LOCATION, GL_UNKNOWN).verdict, GL_MONTH_NOT_CLEAR);
    assert_int_equal(against(&month, GL_STATED_MARKET, 15 * G).verdict, GL_MONTH_NOT_CLEAR);
    assert_int_equal(against(&month, GL_STATED_UNSAID, 15 * G).verdict, GL_MONTH_NOT_CLEAR);
    month.launches = 2; /* one is not counted: ours is a lower bound */
    month.open = 1;
    assert_int_equal(against(&month, GL_STATED_LOCATION, 15 * G).verdict, GL_MONTH_NOT_CLEAR);
    assert_int_equal(against(&month, GL_STATED_LOCATION, 50 * G).verdict, GL_MONTH_NOT_CLEAR);
    assert_int_equal(against(&month, GL_STATED_LOCATION, 5 * G).verdict, GL_MONTH_OUTSIDE);
    month.launches = month.counted = 0;
    assert_int_equal(against(&month, GL_STATED_LOCATION, 15 * G).verdict, GL_MONTH_NOT_CLEAR);
}

static int done(void **state)
{
    (void)state;
    free(row.receipt);
    row.receipt = NULL;
    return 0;
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, done)
    const struct CMUnitTest tests[] = {
        TEST(the_parts_of_a_launch_are_the_whole),
        TEST(what_is_not_known_is_counted_as_such),
        TEST(bounds_and_rounding_meet_or_do_not),
        TEST(what_is_not_whole_is_not_within),
    };
#undef TEST

    return cmocka_run_group_tests(tests, NULL, NULL);
}
