/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/runclock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

static struct gl_run_spans parsed(const char *text, int64_t started_ms, int64_t ended_ms)
{
    struct gl_error err = {0};
    GL_AUTO(gl_auto_json) json_t *instance = gl_json_parse(text, strlen(text), "test", &err);
    struct gl_run_spans spans = {0};

    if (instance == NULL || gl_run_spans_parse(instance, started_ms, ended_ms, &spans, &err) != 0)
        fail_msg("%s", err.text);
    return spans;
}

#define SPAN(from, until, runs, more)                                      \
    "{\"from_ms\":" #from ",\"until_ms\":" #until ",\"is_running\":" #runs \
    ",\"region\":\"a\",\"zone\":\"XX\"" more "}"
#define THREE                                                                       \
    "{\"spans\":[" SPAN(100, 200, true, "") "," SPAN(200, 260, false, "") "," SPAN( \
        260, 300, true, "") "," SPAN(300, 340, false, "") "]}"

static void without_spans_both_clocks_are_one(void **state)
{
    struct gl_run_spans none = parsed("{}", 100, 300);

    (void)state;
    assert_int_equal(none.count, 0);
    assert_int_equal(gl_run_clock(&none, 170), 170);
    assert_int_equal(gl_run_wall(&none, 170, false), 170);
    assert_int_equal(gl_run_wall(&none, INT64_MAX, true), INT64_MAX);
}

static void its_own_clock_stands_still_with_it(void **state)
{
    struct gl_run_spans spans = parsed(THREE, 100, 340);
    static const int64_t clock[][2] = {{50, 50},   {100, 100}, {199, 199}, {200, 200},
                                       {230, 200}, {260, 200}, {270, 210}, {300, 240},
                                       {330, 240}, {340, 240}, {400, 300}};
    static const int64_t wall[][3] = {{50, 50, 50},    {199, 199, 199}, {200, 200, 260},
                                      {201, 261, 261}, {239, 299, 299}, {240, 300, 340},
                                      {260, 360, 360}};

    (void)state;
    for (size_t i = 0; i < sizeof clock / sizeof *clock; i++)
        assert_int_equal(gl_run_clock(&spans, clock[i][0]), clock[i][1]);
    for (size_t i = 0; i < sizeof wall / sizeof *wall; i++) {
        assert_int_equal(gl_run_wall(&spans, wall[i][0], false), wall[i][1]);
        assert_int_equal(gl_run_wall(&spans, wall[i][0], true), wall[i][2]);
    }
    gl_run_spans_done(&spans);
}

/* As the cloud tells it while it is suspended: nobody knows until when. */
static void what_has_not_ended_is_no_overflow(void **state)
{
    struct gl_run_span items[] = {{.from_ms = 100, .until_ms = 200, .is_running = true},
                                  {.from_ms = 200, .until_ms = INT64_MAX}};
    const struct gl_run_spans spans = {2, items};

    (void)state;
    assert_int_equal(gl_run_clock(&spans, INT64_MAX - 1), 200);
    assert_int_equal(gl_run_wall(&spans, 210, true), 210);
}

static void a_place_begins_with_its_move(void **state)
{
    struct gl_run_spans spans = parsed(
        "{\"spans\":[" SPAN(0, 10, true, "") "," SPAN(10, 20, true, ",\"move\":7") "," SPAN(
            20, 30, false, ",\"move\":7") "," SPAN(30, 40, true,
                                                   ",\"move\":7") "," SPAN(40, 50, true,
                                                                           ",\"move\":9") "]}",
        0, 50);
    static const int64_t since[] = {0, 10, 10, 10, 40}, moves[] = {0, 7, 7, 7, 9};

    (void)state;
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(spans.items[i].since_ms, since[i]);
        assert_int_equal(spans.items[i].move, moves[i]);
    }
    gl_run_spans_done(&spans);
}

static void assert_refused(const char *text)
{
    struct gl_error err = {0};
    GL_AUTO(gl_auto_json) json_t *instance = gl_json_parse(text, strlen(text), "test", &err);
    struct gl_run_spans spans = {77, NULL};

    assert_non_null(instance);
    assert_int_equal(gl_run_spans_parse(instance, 100, 300, &spans, &err), -1);
    assert_int_equal(spans.count, 77);
}

static void holes_overlaps_and_other_ends_are_refused(void **state)
{
    (void)state;
    assert_refused("{\"spans\":null}");
    assert_refused("{\"spans\":[]}");
    assert_refused("{\"spans\":[1]}");
    assert_refused("{\"spans\":[" SPAN(100, 299, true, "") "]}");
    assert_refused("{\"spans\":[" SPAN(100, 301, true, "") "]}");
    assert_refused("{\"spans\":[" SPAN(101, 300, true, "") "]}");
    assert_refused("{\"spans\":[" SPAN(100, 200, true, "") "," SPAN(201, 300, true, "") "]}");
    assert_refused("{\"spans\":[" SPAN(100, 200, true, "") "," SPAN(199, 300, true, "") "]}");
    assert_refused("{\"spans\":[" SPAN(100, 300, 1, "") "]}");
    assert_refused("{\"spans\":[" SPAN(100, 300, true, ",\"move\":0") "]}");
    assert_refused("{\"spans\":[{\"from_ms\":100,\"until_ms\":300,\"is_running\":true,"
                   "\"region\":\"a\"}]}");
    assert_refused("{\"spans\":[{\"from_ms\":100,\"until_ms\":300,\"is_running\":true,\"region\":"
                   "\"a\",\"zone\":\"0123456789012345678901234567890123456789\"}]}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_spans_both_clocks_are_one),
        cmocka_unit_test(its_own_clock_stands_still_with_it),
        cmocka_unit_test(what_has_not_ended_is_no_overflow),
        cmocka_unit_test(a_place_begins_with_its_move),
        cmocka_unit_test(holes_overlaps_and_other_ends_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
