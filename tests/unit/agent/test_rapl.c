/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/rapl.h"

#include "base/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VECTORS "tests/vectors/metering/rapl_wrap_vectors.csv"
#define SECOND  INT64_C(1000000000)

struct vector {
    char name[48], flag[48];
    uint64_t before, now, range, expected;
    double dt_s, most_w;
    bool has_expected;
};

struct vectors {
    size_t count;
    struct vector rows[32];
};

static struct vectors read_vectors(void)
{
    GL_AUTO(gl_auto_free) char *text = NULL;
    struct vectors vectors = {0};
    struct gl_error err = {0};
    size_t length;
    char *at, *line;

    if (gl_file_read(VECTORS, 65536, &text, &length, &err) < 0)
        fail_msg("%s", err.text);
    at = text;
    strsep(&at, "\n"); /* the heading */
    while ((line = strsep(&at, "\n")) != NULL && line[0] != '\0') {
        struct vector *row = &vectors.rows[vectors.count++];
        char *fields[8];

        for (size_t i = 0; i < 8; i++)
            fields[i] = strsep(&line, ",");
        assert_non_null(fields[7]);
        snprintf(row->name, sizeof row->name, "%s", fields[0]);
        snprintf(row->flag, sizeof row->flag, "%s", fields[7]);
        row->before = strtoull(fields[1], NULL, 10);
        row->now = strtoull(fields[2], NULL, 10);
        row->range = strtoull(fields[3], NULL, 10);
        row->dt_s = strtod(fields[4], NULL);
        row->most_w = strtod(fields[5], NULL);
        row->has_expected = fields[6][0] != '\0';
        row->expected = strtoull(fields[6], NULL, 10);
    }
    assert_true(vectors.count >= 9);
    return vectors;
}

static enum gl_rapl_result result_of_flag(const char *flag)
{
    static const struct {
        const char *flag;
        enum gl_rapl_result result;
    } rows[] = {
        {"ok", GL_RAPL_OK},
        {"wrap", GL_RAPL_WRAPPED},
        {"reset_or_error_implausible", GL_RAPL_IMPLAUSIBLE},
        {"discard_unknown_range", GL_RAPL_UNKNOWN_RANGE},
        {"ambiguous_interval_gt_range_over_pmax", GL_RAPL_AMBIGUOUS},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (strcmp(rows[i].flag, flag) == 0)
            return rows[i].result;
    fail_msg("unknown flag %s", flag);
    return GL_RAPL_OK;
}

static void test_published_vectors(void **state)
{
    struct vectors vectors = read_vectors();

    (void)state;
    for (size_t i = 0; i < vectors.count; i++) {
        const struct vector *row = &vectors.rows[i];
        const struct gl_rapl_look look = {
            .before_uj = row->before,
            .now_uj = row->now,
            .range_uj = row->range,
            .dt_ns = (int64_t)(row->dt_s * (double)SECOND),
            .most_w = row->most_w,
        };
        int64_t delta = -1;
        enum gl_rapl_result result = gl_rapl_delta(&look, &delta);

        if (result != result_of_flag(row->flag))
            fail_msg("%s: result %d, expected %s", row->name, (int)result, row->flag);
        if (row->has_expected ? delta != (int64_t)row->expected : delta != -1)
            fail_msg("%s: delta %lld", row->name, (long long)delta);
    }
}

/* A repeatable stream of numbers (xorshift64). */
static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* Thirty days at up to most_w, looked at when the rule says so, at times twice as late: the sum of
 * what the meter saw must be what was used, to the microjoule. */
static void simulate(uint64_t range, double most_w, uint64_t seed)
{
    int64_t interval_ms = gl_rapl_longest_ms(range, most_w);
    uint64_t used_uj = 0, seen_uj = 0, counter = range / 3, random = seed;
    int64_t wraps = 0;

    if (interval_ms > 10000)
        interval_ms = 10000;
    for (int64_t now_ms = 0; now_ms < INT64_C(30) * 86400000;) {
        int64_t late = next_random(&random) % 16 == 0 ? 2 : 1;
        int64_t dt_ms = interval_ms * late - (int64_t)(next_random(&random) % 50);
        uint64_t most_uj = (uint64_t)(most_w * (double)dt_ms * 1000);
        uint64_t uj = next_random(&random) % 8 == 0 ? most_uj : next_random(&random) % most_uj;
        struct gl_rapl_look look = {counter, 0, range, dt_ms * 1000000, most_w};
        enum gl_rapl_result result;
        int64_t delta = 0;

        counter = (counter + uj) % range;
        look.now_uj = counter;
        result = gl_rapl_delta(&look, &delta);
        if (result != GL_RAPL_OK && result != GL_RAPL_WRAPPED)
            fail_msg("range %llu, %g W: uncertain (%d)", (unsigned long long)range, most_w,
                     (int)result);
        wraps += result == GL_RAPL_WRAPPED;
        used_uj += uj;
        seen_uj += (uint64_t)delta;
        now_ms += dt_ms;
    }
    if (used_uj != seen_uj)
        fail_msg("range %llu, %g W: used %llu uJ, seen %llu", (unsigned long long)range, most_w,
                 (unsigned long long)used_uj, (unsigned long long)seen_uj);
    assert_true(wraps > 0 || most_w < 10);
}

static void test_thirty_days_lose_nothing(void **state)
{
    struct vectors vectors = read_vectors();
    static const double powers[] = {5, 45, 120, 200, 400};

    (void)state;
    for (size_t i = 0; i < vectors.count; i++) {
        if (vectors.rows[i].range == 0)
            continue;
        simulate(vectors.rows[i].range, vectors.rows[i].most_w, 88172645463325252ULL + i);
        for (size_t p = 0; p < sizeof powers / sizeof powers[0]; p++)
            simulate(vectors.rows[i].range, powers[p], 1234567 + i);
    }
    simulate(65532610987ULL, 400, 99); /* AMD's counter as powercap shows it */
}

static void test_interval_rule(void **state)
{
    (void)state;
    /* 65.7 kJ at 400 W: 41 s, the worked example of the rule */
    assert_in_range(gl_rapl_longest_ms(65712999613ULL, 400), 41000, 41100);
    assert_int_equal(gl_rapl_longest_ms(0, 400), 3600000);
    assert_int_equal(gl_rapl_longest_ms(1000, 400), 1000);
    assert_int_equal(gl_rapl_longest_ms(UINT64_MAX, 1), 3600000);
}

static void test_counter_beyond_its_range(void **state)
{
    const struct gl_rapl_look look = {300000000000ULL, 1000, 262143328850ULL, SECOND, 400};
    int64_t delta = -1;

    (void)state;
    assert_int_equal(gl_rapl_delta(&look, &delta), GL_RAPL_IMPLAUSIBLE);
    assert_int_equal(delta, -1);
}

static void test_more_than_the_zone_can_draw(void **state)
{
    /* 500 J in one second from a zone that draws 400 W at most */
    const struct gl_rapl_look look = {0, 500000000, 262143328850ULL, SECOND, 400};
    int64_t delta = -1;

    (void)state;
    assert_int_equal(gl_rapl_delta(&look, &delta), GL_RAPL_IMPLAUSIBLE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_published_vectors),
        cmocka_unit_test(test_thirty_days_lose_nothing),
        cmocka_unit_test(test_interval_rule),
        cmocka_unit_test(test_counter_beyond_its_range),
        cmocka_unit_test(test_more_than_the_zone_can_draw),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
