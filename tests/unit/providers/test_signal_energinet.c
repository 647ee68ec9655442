/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/providers/signal_case.h"

static void test_cases(void **state)
{
    (void)state;
    case_run_all("energinet", 15);
}

static void test_covers(void **state)
{
    const struct gl_signal_ops *ops = gl_signal_find("energinet");

    (void)state;
    assert_true(ops->covers("DK-DK1"));
    assert_true(ops->covers("DK-DK2"));
    assert_false(ops->covers("DK"));
    assert_false(ops->covers("DK-BHM"));
    assert_false(ops->covers("DK1"));
}

static void check_url(const char *from, const char *until, unsigned index, const char *wanted)
{
    struct gl_signal_query q = {.zone = "DK-DK2"};
    struct gl_error err = {0};
    char url[512];

    assert_int_equal(gl_instant_parse(from, &q.from, &err), 0);
    assert_int_equal(gl_instant_parse(until, &q.until, &err), 0);
    assert_int_equal(gl_signal_find("energinet")->urls(&q, NULL, index, url, sizeof url), 2);
    assert_string_equal(url, wanted);
}

#define FILTER "&filter=%7B%22PriceArea%22%3A%5B%22DK2%22%5D%7D&limit=1152"

static void test_urls(void **state)
{
    (void)state;
    check_url("2026-01-10T12:34:56Z", "2026-01-10T16:34:56Z", 0,
              "https://api.energidataservice.dk/dataset/CO2Emis?start=2026-01-10T00:00"
              "&end=2026-01-11T00:00" FILTER);
    check_url("2026-01-10T12:34:56Z", "2026-01-10T16:34:56Z", 1,
              "https://api.energidataservice.dk/dataset/CO2EmisProg?start=2026-01-10T00:00"
              "&end=2026-01-11T00:00" FILTER);
}

/* Times are read as Danish, up to two hours ahead of UTC: 23:00Z lies in the next Danish day. */
static void test_urls_before_midnight(void **state)
{
    (void)state;
    check_url("2026-01-10T21:00Z", "2026-01-10T23:00Z", 1,
              "https://api.energidataservice.dk/dataset/CO2EmisProg?start=2026-01-10T00:00"
              "&end=2026-01-12T00:00" FILTER);
}

static void test_urls_long(void **state)
{
    (void)state;
    check_url("2026-01-10T12:00Z", "2026-02-10T12:00Z", 1,
              "https://api.energidataservice.dk/dataset/CO2EmisProg?start=2026-01-10T00:00"
              "&end=2026-01-14T00:00" FILTER);
}

static void test_urls_for_the_archive(void **state)
{
    struct gl_signal_query q = {.zone = "DK-DK2", .wants_history = true};
    struct gl_error err = {0};
    char url[512];

    (void)state;
    assert_int_equal(gl_instant_parse("2026-01-10T12:34:56Z", &q.from, &err), 0);
    q.until.unix_s = q.from.unix_s + 3600;
    assert_int_equal(gl_signal_find("energinet")->urls(&q, NULL, 1, url, sizeof url), 2);
    assert_string_equal(url, "https://api.energidataservice.dk/dataset/CO2EmisProg?"
                             "start=2026-01-10T00:00&end=2026-01-13T00:00" FILTER);
    q.is_past = true;
    q.until.unix_s = q.from.unix_s + 14 * 86400;
    assert_int_equal(gl_signal_find("energinet")->urls(&q, NULL, 0, url, sizeof url), 1);
    assert_string_equal(url, "https://api.energidataservice.dk/dataset/CO2Emis?"
                             "start=2026-01-10T00:00&end=2026-01-25T00:00"
                             "&filter=%7B%22PriceArea%22%3A%5B%22DK2%22%5D%7D&limit=4320");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),     cmocka_unit_test(test_covers),
        cmocka_unit_test(test_urls),      cmocka_unit_test(test_urls_before_midnight),
        cmocka_unit_test(test_urls_long), cmocka_unit_test(test_urls_for_the_archive),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
