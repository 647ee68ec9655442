/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/providers/signal_case.h"

static void test_cases(void **state)
{
    (void)state;
    case_run_all("energy-charts", 17);
}

/* Only zones that are the same area on both sides. */
static void test_covers(void **state)
{
    const struct gl_signal_ops *ops = gl_signal_find("energy-charts");

    (void)state;
    assert_true(ops->covers("DE"));
    assert_true(ops->covers("FR"));
    assert_false(ops->covers("DK-DK1"));
    assert_false(ops->covers("NO"));
    assert_false(ops->covers("GB"));
    assert_false(ops->covers("de"));
}

static void test_urls(void **state)
{
    const struct gl_signal_ops *ops = gl_signal_find("energy-charts");
    struct gl_signal_query q = {.zone = "DE"};
    char url[512];

    (void)state;
    assert_int_equal(ops->urls(&q, NULL, 0, url, sizeof url), 2);
    assert_string_equal(url, "https://api.energy-charts.info/signal?country=de");
    assert_int_equal(ops->urls(&q, "http://127.0.0.1:1", 1, url, sizeof url), 2);
    assert_string_equal(url, "http://127.0.0.1:1/ren_share_forecast?country=de");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_covers),
        cmocka_unit_test(test_urls),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
