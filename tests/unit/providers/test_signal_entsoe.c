/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/data/data.h"
#include "tests/unit/providers/signal_case.h"

#define NOW INT64_C(1768047000) /* 2026-01-10T12:10Z */

static void test_cases(void **state)
{
    (void)state;
    case_run_all("entsoe", 41);
}

static const char *url_of(const char *zone, int64_t from_s, int64_t until_s, bool is_past)
{
    static char url[512];
    struct gl_signal_query query = {.from = {from_s}, .until = {until_s}, .is_past = is_past};

    snprintf(query.zone, sizeof query.zone, "%s", zone);
    assert_int_equal(gl_signal_find("entsoe")->urls(&query, NULL, 0, url, sizeof url), 1);
    return url;
}

static void test_urls(void **state)
{
    (void)state;
    assert_string_equal(url_of("FR", NOW, NOW + 3600, false),
                        "https://web-api.tp.entsoe.eu/api?documentType=A75&processType=A16"
                        "&in_Domain=10YFR-RTE------C&periodStart=202601091200"
                        "&periodEnd=202601101400");
    /* The past as it is asked for; at most 14 days and an hour. */
    assert_non_null(strstr(url_of("FR", NOW - 14 * 86400, NOW, true),
                           "&periodStart=202512271200&periodEnd=202601101300"));
    assert_non_null(strstr(url_of("SE-SE3", NOW - 90 * 86400, NOW, true),
                           "10Y1001A1001A46L&periodStart=202510121200&periodEnd=202510261300"));
}

/* The last character of an EIC is a checksum of the others (EIC reference manual, section 5). */
static char check_of(const char *eic)
{
    static const char alphabet[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-";
    int sum = 0;

    for (int i = 0; i < 15; i++)
        sum += (int)(strchr(alphabet, eic[i]) - alphabet) * (16 - i);
    return alphabet[36 - (sum + 36) % 37];
}

static void test_areas(void **state)
{
    const struct gl_zone_row *zones;
    size_t count = gl_data_zones(&zones), covered = 0;

    (void)state;
    for (size_t i = 0; i < count; i++) {
        const char *eic;

        if (!gl_signal_find("entsoe")->covers(zones[i].zone))
            continue;
        covered++;
        eic = strstr(url_of(zones[i].zone, NOW, NOW + 1, false), "in_Domain=") + 10;
        assert_int_equal(strcspn(eic, "&"), 16);
        if (eic[15] != check_of(eic))
            fail_msg("%s: %.16s has another checksum", zones[i].zone, eic);
    }
    assert_int_equal(covered, 43); /* each is a zone of ours */
    assert_false(gl_signal_find("entsoe")->covers("GB"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_cases), cmocka_unit_test(test_urls),
                                       cmocka_unit_test(test_areas)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
