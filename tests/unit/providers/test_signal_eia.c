/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/data/data.h"
#include "tests/unit/providers/signal_case.h"

#define NOW INT64_C(1768047000) /* 2026-01-10T12:10Z */

static void test_cases(void **state)
{
    (void)state;
    case_run_all("eia", 29);
}

static const char *url_of(const char *zone, int64_t from_s, int64_t until_s, bool is_past)
{
    static char url[512];
    struct gl_signal_query query = {.from = {from_s}, .until = {until_s}, .is_past = is_past};

    snprintf(query.zone, sizeof query.zone, "%s", zone);
    assert_int_equal(gl_signal_find("eia")->urls(&query, NULL, 0, url, sizeof url), 1);
    return url;
}

/* Hours by their end, in UTC; no bare bracket. */
static void test_urls(void **state)
{
    (void)state;
    assert_string_equal(
        url_of("US-CAL-CISO", NOW, NOW + 3600, false),
        "https://api.eia.gov/v2/electricity/rto/fuel-type-data/data/?frequency=hourly"
        "&data%5B0%5D=value&facets%5Brespondent%5D%5B%5D=CISO&start=2026-01-08T13"
        "&end=2026-01-10T14&sort%5B0%5D%5Bcolumn%5D=period&sort%5B0%5D%5Bdirection%5D=desc"
        "&offset=0&length=5000");
    assert_non_null(strstr(url_of("US-MIDA-PJM", NOW - 10 * 86400, NOW, true),
                           "=PJM&start=2025-12-31T13&end=2026-01-10T12&"));
}

static void test_respondents(void **state)
{
    const struct gl_zone_row *zones;
    size_t count = gl_data_zones(&zones), covered = 0;

    (void)state;
    for (size_t i = 0; i < count; i++) {
        char wanted[64];

        if (!gl_signal_find("eia")->covers(zones[i].zone))
            continue;
        covered++;
        snprintf(wanted, sizeof wanted, "%%5D=%s&", strrchr(zones[i].zone, '-') + 1);
        assert_non_null(strstr(url_of(zones[i].zone, NOW, NOW + 1, false), wanted));
    }
    assert_int_equal(covered, 56); /* each is a zone of ours */
    assert_false(gl_signal_find("eia")->covers("US-HI"));
    assert_false(gl_signal_find("eia")->covers("US"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_cases), cmocka_unit_test(test_urls),
                                       cmocka_unit_test(test_respondents)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
