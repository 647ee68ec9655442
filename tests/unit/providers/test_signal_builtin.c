/* SPDX-License-Identifier: Apache-2.0 */
#include "base/time.h"
#include "providers/data/data.h"
#include "providers/signal/signal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

static struct gl_signal_result read_zone(const char *zone)
{
    struct gl_world *world = gl_world_fixed_new(INT64_C(1768046400000), 1, NULL);
    const struct gl_signal_config config = {.name = "builtin"};
    struct gl_signal_query query = {.zone = ""};
    struct gl_signal_result result = {0};
    struct gl_error err = {0};

    snprintf(query.zone, sizeof query.zone, "%s", zone);
    if (gl_signal_find("builtin")->read(&query, &config, world, &result, &err))
        assert_int_equal(err.code, GL_E_UNKNOWN_NAME);
    gl_world_fixed_free(world);
    return result;
}

static void test_three_series(void **state)
{
    const struct gl_zone_row *row = gl_data_zone("DE");
    struct gl_signal_result result = read_zone("DE");
    const int64_t wanted[] = {row->intensity_g_per_kwh * INT64_C(1000000),
                              row->renewable_pct * INT64_C(10000),
                              row->carbon_free_pct * INT64_C(10000)};

    (void)state;
    assert_int_equal(result.count, 3);
    for (size_t i = 0; i < 3; i++) {
        const struct gl_series *series = &result.series[i];

        assert_int_equal(series->meaning.quantity, i);
        assert_int_equal(series->meaning.trace, GL_FLOW_TRACED);
        assert_int_equal(series->count, 1);
        assert_int_equal(series->points[0].value_u, wanted[i]);
        assert_int_equal(series->points[0].low_u, GL_UNKNOWN);
        assert_int_equal(series->points[0].high_u, GL_UNKNOWN);
        assert_int_equal(series->points[0].evidence, GL_ANNUAL_AVERAGE);
        assert_string_equal(series->licence, "ODbL-1.0");
        assert_non_null(strstr(series->attribution, "Electricity Maps"));
    }
    gl_signal_result_done(&result);
}

static void test_stands_three_years(void **state)
{
    const struct gl_zone_row *row = gl_data_zone("FR");
    struct gl_signal_result result = read_zone("FR");
    char from[GL_INSTANT_TEXT], until[GL_INSTANT_TEXT], wanted[64];
    const struct gl_point *point = &result.series[0].points[0];

    (void)state;
    snprintf(wanted, sizeof wanted, "%d-01-01T00:00:00Z", row->year);
    assert_string_equal(gl_instant_text((struct gl_instant){point->from_s}, from), wanted);
    snprintf(wanted, sizeof wanted, "%d-01-01T00:00:00Z", row->year + 3);
    assert_string_equal(gl_instant_text((struct gl_instant){point->until_s}, until), wanted);
    snprintf(wanted, sizeof wanted, "electricitymaps-yearly-%d", row->year);
    assert_string_equal(result.series[0].dataset, wanted);
    gl_signal_result_done(&result);
}

static void test_meanings(void **state)
{
    struct gl_signal_result result = read_zone("SE");
    uint32_t renewable = GL_OF_SOLAR | GL_OF_WIND | GL_OF_HYDRO | GL_OF_GEOTHERMAL | GL_OF_BIOMASS;

    (void)state;
    assert_int_equal(result.count, 3);
    assert_int_equal(result.series[0].meaning.boundary, GL_LIFECYCLE);
    assert_int_equal(result.series[0].meaning.gases, GL_CO2E);
    assert_int_equal(result.series[1].meaning.boundary, GL_BOUNDARY_NA);
    assert_int_equal(result.series[1].meaning.share_of, renewable);
    assert_int_equal(result.series[2].meaning.share_of, renewable | GL_OF_NUCLEAR);
    gl_signal_result_done(&result);
}

static void test_unknown_zone(void **state)
{
    struct gl_signal_result result = read_zone("XX-NOWHERE");

    (void)state;
    assert_int_equal(result.count, 0);
    assert_false(gl_signal_find("builtin")->covers("XX-NOWHERE"));
}

/* Every zone of the table gives series that are fit to be used. */
static void test_every_zone(void **state)
{
    const struct gl_zone_row *rows;
    size_t count = gl_data_zones(&rows);

    (void)state;
    assert_true(count > 300);
    for (size_t i = 0; i < count; i++) {
        struct gl_signal_result result = read_zone(rows[i].zone);

        for (size_t k = 0; k < result.count; k++) {
            gl_series_tidy(&result.series[k], (struct gl_instant){1768046400});
            assert_false(result.series[k].is_suspect);
            assert_int_equal(result.series[k].count, 1);
        }
        gl_signal_result_done(&result);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_three_series), cmocka_unit_test(test_stands_three_years),
        cmocka_unit_test(test_meanings),     cmocka_unit_test(test_unknown_zone),
        cmocka_unit_test(test_every_zone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
