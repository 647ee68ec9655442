/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/data/data.h"
#include "tests/unit/providers/signal_case.h"

#define NOW INT64_C(1768047000) /* 2026-01-10T12:10Z */

static void test_cases(void **state)
{
    (void)state;
    case_run_all("ember", 17);
}

static void assert_url(int64_t now_s, unsigned index, const char *rest)
{
    const struct gl_signal_query query = {.zone = "DE", .from = {now_s}, .until = {now_s + 1}};
    char url[512], wanted[512];

    assert_int_equal(gl_signal_find("ember")->urls(&query, NULL, index, url, sizeof url), 4);
    snprintf(wanted, sizeof wanted, "https://api.ember-energy.org/v1/%s", rest);
    assert_string_equal(url, wanted);
}

static void test_urls(void **state)
{
    (void)state;
    assert_url(NOW, 0, "carbon-intensity/yearly?entity_code=DEU&start_date=2023&end_date=2026");
    assert_url(NOW, 1,
               "electricity-generation/yearly?entity_code=DEU&start_date=2023&end_date=2026"
               "&is_aggregate_series=true");
    assert_url(NOW, 2,
               "carbon-intensity/monthly?entity_code=DEU&start_date=2024-12&end_date=2026-01");
    assert_url(NOW + 40 * 86400, 3,
               "electricity-generation/monthly?entity_code=DEU&start_date=2025-01"
               "&end_date=2026-02&is_aggregate_series=true");
}

static void test_countries(void **state)
{
    const struct gl_zone_row *zones;
    size_t count = gl_data_zones(&zones), covered = 0;

    (void)state;
    for (size_t i = 0; i < count; i++)
        covered += gl_signal_find("ember")->covers(zones[i].zone);
    assert_int_equal(covered, 54); /* each is a zone of ours */
    assert_false(gl_signal_find("ember")->covers("GB"));
    assert_false(gl_signal_find("ember")->covers("SE-SE3"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_cases), cmocka_unit_test(test_urls),
                                       cmocka_unit_test(test_countries)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
