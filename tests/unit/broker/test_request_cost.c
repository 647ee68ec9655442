/* SPDX-License-Identifier: Apache-2.0 */
/* What was done instead and what it cost: in cells of a table, in words and in JSON. */
#include "broker/cli/request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

typedef void writer(const struct gl_cluster *cluster, struct gl_str *out);

static void assert_written(writer *write, const struct gl_cluster *cluster, const char *expected)
{
    GL_AUTO(gl_str_done) struct gl_str text = {0};

    write(cluster, &text);
    assert_string_equal(gl_str_text(&text), expected);
}

static void what_was_done_most_is_named(void **state)
{
    struct gl_cluster cluster = {.signals = 3, .by_instead = {[GL_INSTEAD_RAN] = 3}};

    (void)state;
    assert_written(gl_request_instead_cell, &cluster, "ran-on");
    cluster.by_instead[GL_INSTEAD_MOVED] = 4;
    assert_written(gl_request_instead_cell, &cluster, "moved+");
    cluster.by_instead[GL_INSTEAD_MOVED] = 3; /* of equals the first of the list */
    assert_written(gl_request_instead_cell, &cluster, "moved+");
}

static void hours_and_grams_have_units_and_signs(void **state)
{
    static const struct {
        int64_t lost_ms, extra_ug;
        const char *lost, *extra;
    } rows[] = {
        {0, 0, "0 min", "0 g"},
        {29999, 70000, "0 min", "+70.0 mg"},
        {5 * 60000, -300000000, "5 min", "-300 g"},
        {9000000, INT64_C(4200000000), "2.5 h", "+4.20 kg"},
        {INT64_C(3600000) * 1234, INT64_C(-1500000000000), "1234 h", "-1.50 t"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct gl_cluster cluster = {.lost_ms = rows[i].lost_ms, .extra_ug = rows[i].extra_ug};

        assert_written(gl_request_lost_cell, &cluster, "-");
        assert_written(gl_request_extra_cell, &cluster, "-");
        cluster.lost_known = cluster.extra_known = 1;
        assert_written(gl_request_lost_cell, &cluster, rows[i].lost);
        assert_written(gl_request_extra_cell, &cluster, rows[i].extra);
    }
}

static void what_is_not_known_has_a_reason(void **state)
{
    struct gl_cluster cluster = {.signals = 5,
                                 .by_instead = {[GL_INSTEAD_MOVED] = 3, [GL_INSTEAD_STOPPED] = 2},
                                 .lost_ms = 9000000,
                                 .lost_known = 5,
                                 .extra_ug = -2000000,
                                 .extra_known = 4};

    (void)state;
    assert_written(
        gl_request_add_cost, &cluster,
        "done instead: 3 moved, 2 stopped; cost: hours 2.5 h; grams -2.00 g, known of 4 of "
        "5: a move is not over, or a grid or the machine is not known; of what was "
        "stopped the grid or the machine is not known");
    cluster.extra_known = 5;
    assert_written(gl_request_add_cost, &cluster,
                   "done instead: 3 moved, 2 stopped; cost: hours 2.5 h; grams -2.00 g");
    cluster = (struct gl_cluster){.signals = 2, .by_instead = {[GL_INSTEAD_NOTHING] = 2}};
    assert_written(gl_request_add_cost, &cluster,
                   "done instead: 2 did not run; cost: unknown: of what did not run nobody knows "
                   "where it ran later");
}

static void json_says_null_and_why(void **state)
{
    struct gl_cluster cluster = {
        .signals = 2, .by_instead = {[GL_INSTEAD_WAITED] = 2}, .lost_ms = 7000, .lost_known = 2};
    json_t *cost = gl_request_cost_json(&cluster), *instead = gl_request_instead_json(&cluster);

    (void)state;
    assert_int_equal(json_integer_value(json_object_get(cost, "lost_ms")), 7000);
    assert_int_equal(json_array_size(json_object_get(cost, "lost_unknown_why")), 0);
    assert_true(json_is_null(json_object_get(cost, "extra_ug")));
    assert_int_equal(json_array_size(json_object_get(cost, "extra_unknown_why")), 1);
    assert_int_equal(json_integer_value(json_object_get(instead, "waited")), 2);
    assert_int_equal(json_object_size(instead), 1);
    json_decref(cost);
    json_decref(instead);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_done_most_is_named),
        cmocka_unit_test(hours_and_grams_have_units_and_signs),
        cmocka_unit_test(what_is_not_known_has_a_reason),
        cmocka_unit_test(json_says_null_and_why),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
