/* SPDX-License-Identifier: Apache-2.0 */
/* When something may be sent: rows, and ten thousand random histories against the plain words of
 * the rule. */
#include "providers/venue/rate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NOW  ((int64_t)1795334400)
#define HOUR ((int64_t)3600)
#define DAY  (24 * HOUR)

static struct gl_venue_pace pace_of(const struct gl_venue_past *past, size_t count)
{
    return (struct gl_venue_pace){
        .now = {NOW}, .place = "github o/r", .past = past, .past_count = count, .told_wait_s = -1};
}

static enum gl_venue_may may(struct gl_venue_pace pace, int64_t *out_from_s)
{
    struct gl_venue_pace_answer answer;

    gl_venue_pace_decide(&pace, &answer);
    assert_int_equal(answer.why[0] == '\0', answer.may == GL_VENUE_MAY);
    *out_from_s = answer.from.unix_s;
    return answer.may;
}

static void test_place(void **state)
{
    const struct gl_venue_past past[] = {{"github o/r", {NOW - 29 * DAY}},
                                         {"github other/r", {NOW - DAY}}};
    int64_t from_s;

    (void)state;
    assert_int_equal(may(pace_of(NULL, 0), &from_s), GL_VENUE_MAY);
    assert_int_equal(may(pace_of(past, 2), &from_s), GL_VENUE_WAIT);
    assert_int_equal(from_s, NOW + DAY);
    assert_int_equal(may(pace_of(past + 1, 1), &from_s), GL_VENUE_MAY);
}

static void test_day(void **state)
{
    const struct gl_venue_past past[] = {{"a", {NOW - 5 * HOUR}},
                                         {"b", {NOW - 23 * HOUR}},
                                         {"c", {NOW - 2 * HOUR}},
                                         {"d", {NOW - 40 * HOUR}}};
    const struct gl_venue_past four[] = {{"a", {NOW - 5 * HOUR}},
                                         {"b", {NOW - 5 * HOUR}},
                                         {"c", {NOW - 2 * HOUR}},
                                         {"d", {NOW - HOUR}}};
    int64_t from_s;

    (void)state;
    assert_int_equal(may(pace_of(past, 4), &from_s), GL_VENUE_WAIT);
    assert_int_equal(from_s, NOW + HOUR);
    assert_int_equal(may(pace_of(past + 1, 3), &from_s), GL_VENUE_MAY);
    /* More than there may be: room comes when the third youngest is a day old. */
    assert_int_equal(may(pace_of(four, 4), &from_s), GL_VENUE_WAIT);
    assert_int_equal(from_s, NOW + 19 * HOUR);
}

static void test_clock_back(void **state)
{
    const struct gl_venue_past past[] = {{"github o/r", {NOW + 400 * DAY}}};
    int64_t from_s;

    (void)state;
    assert_int_equal(may(pace_of(past, 1), &from_s), GL_VENUE_WAIT);
    assert_int_equal(from_s, NOW + 30 * DAY);
}

static void test_back_off(void **state)
{
    struct gl_venue_pace pace = pace_of(NULL, 0);
    int64_t from_s;

    (void)state;
    assert_int_equal(gl_venue_back_off_s(0), 0);
    assert_int_equal(gl_venue_back_off_s(1), HOUR);
    assert_int_equal(gl_venue_back_off_s(4), 8 * HOUR);
    assert_int_equal(gl_venue_back_off_s(8), 128 * HOUR);
    assert_int_equal(gl_venue_back_off_s(9), 7 * DAY);
    assert_int_equal(gl_venue_back_off_s(4000000000u), 7 * DAY);
    pace.failures = 3;
    pace.failed.unix_s = NOW - HOUR;
    assert_int_equal(may(pace, &from_s), GL_VENUE_WAIT);
    assert_int_equal(from_s, NOW + 3 * HOUR);
    pace.told_wait_s = 10 * HOUR;
    assert_int_equal(may(pace, &from_s), GL_VENUE_WAIT);
    assert_int_equal(from_s, NOW + 9 * HOUR);
    pace.failed.unix_s = NOW - 11 * HOUR;
    assert_int_equal(may(pace, &from_s), GL_VENUE_MAY);
}

static void test_stops(void **state)
{
    static const enum gl_venue_answer stops[] = {GL_ANSWER_RATE_LIMITED, GL_ANSWER_FORBIDDEN,
                                                 GL_ANSWER_GONE, GL_ANSWER_PERSON};
    struct gl_venue_pace pace = pace_of(NULL, 0);
    int64_t from_s;

    (void)state;
    for (size_t i = 0; i < sizeof stops / sizeof *stops; i++) {
        pace.last = stops[i];
        assert_int_equal(may(pace, &from_s), GL_VENUE_STOP);
        pace.now.unix_s += 1000 * DAY; /* time alone lifts nothing */
        assert_int_equal(may(pace, &from_s), GL_VENUE_STOP);
        pace.now.unix_s = NOW;
    }
    pace.last = GL_ANSWER_OK;
    assert_int_equal(may(pace, &from_s), GL_VENUE_MAY);
    pace.is_stopped = true;
    assert_int_equal(may(pace, &from_s), GL_VENUE_STOP);
}

/* Whoever obeys the decision never has two at a place in 30 days, nor four in any day, and is let
 * through at the very second that it was told. */
static void test_random(void **state)
{
    static const char *const places[] = {"github o/r", "b", "c", "d", "e", "f", "g", "h"};
    struct gl_venue_past past[400];
    size_t count = 0, waits = 0;
    int64_t now = NOW;
    uint64_t seed = 88172645463325252u;

    (void)state;
    for (unsigned round = 0; round < 10000 && count < 400; round++) {
        struct gl_venue_pace pace = pace_of(past, count);
        struct gl_venue_pace_answer answer;

        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        now += (int64_t)(seed % (5 * (uint64_t)HOUR));
        pace.now.unix_s = now;
        pace.place = places[seed >> 32 & 7];
        gl_venue_pace_decide(&pace, &answer);
        if (answer.may == GL_VENUE_WAIT && (seed >> 40 & 7) == 0) {
            now = pace.now.unix_s = answer.from.unix_s;
            gl_venue_pace_decide(&pace, &answer);
            assert_int_equal(answer.may, GL_VENUE_MAY);
            waits++;
        }
        if (answer.may != GL_VENUE_MAY)
            continue;
        for (size_t i = 0; i < count; i++)
            assert_true(strcmp(past[i].place, pace.place) != 0 ||
                        now - past[i].at.unix_s >= 30 * DAY);
        assert_true(count < 3 || now - past[count - 3].at.unix_s >= DAY);
        past[count++] = (struct gl_venue_past){pace.place, {now}};
    }
    assert_true(count > 100 && waits > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_place),      cmocka_unit_test(test_day),
        cmocka_unit_test(test_clock_back), cmocka_unit_test(test_back_off),
        cmocka_unit_test(test_stops),      cmocka_unit_test(test_random),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
