/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/data/data.h"
#include "providers/signal/adapter.h"
#include "tests/unit/providers/signal_case.h"

static void test_cases(void **state)
{
    (void)state;
    case_run_all("watttime", 27);
}

static struct gl_signal_query query(const char *zone, const char *from, const char *until)
{
    struct gl_signal_query q = {.zone = ""};
    struct gl_error err = {0};

    snprintf(q.zone, sizeof q.zone, "%s", zone);
    assert_int_equal(gl_instant_parse(from, &q.from, &err), 0);
    assert_int_equal(gl_instant_parse(until, &q.until, &err), 0);
    return q;
}

static void check_url(const struct gl_signal_query *q, unsigned index, unsigned count,
                      const char *wanted)
{
    char url[512];

    assert_int_equal(gl_signal_watttime.urls(q, NULL, index, url, sizeof url), count);
    assert_string_equal(url, wanted);
}

/* Zones that are a part of a region, or hold several, are for the configuration to say. */
static void test_regions(void **state)
{
    const struct gl_zone_row *rows;
    size_t count = gl_data_zones(&rows), found = 0;

    (void)state;
    assert_string_equal(gl_watttime_region("KR"), "KOR");
    assert_string_equal(gl_watttime_region("US-NW-BPAT"), "BPA");
    assert_true(gl_signal_watttime.covers("CA-QC"));
    assert_false(gl_signal_watttime.covers("US-MIDA-PJM") || gl_signal_watttime.covers("GB") ||
                 gl_signal_watttime.covers("US-CAL-CISO") || gl_signal_watttime.covers("SE-SE3"));
    for (size_t i = 0; i < count; i++)
        found += gl_watttime_region(rows[i].zone) != NULL;
    assert_int_equal(found, 33); /* every row is of a zone that there is */
}

static void test_urls_now(void **state)
{
    struct gl_signal_query q = query("DE", "2026-01-10T10:00Z", "2026-01-10T13:10Z");

    (void)state;
    check_url(&q, 0, 1,
              "https://api.watttime.org/v3/forecast?region=DE&signal_type=co2_moer"
              "&horizon_hours=24");
    q.wants_history = true;
    check_url(&q, 0, 1,
              "https://api.watttime.org/v3/forecast?region=DE&signal_type=co2_moer"
              "&horizon_hours=48");
    q.until.unix_s += 60 * 3600;
    check_url(&q, 0, 1,
              "https://api.watttime.org/v3/forecast?region=DE&signal_type=co2_moer"
              "&horizon_hours=72");
}

static void test_urls_of_configuration(void **state)
{
    const struct gl_signal_config config = {.name = "watttime", .location = "PJM_DC"};
    struct gl_signal_query q = query("US-MIDA-PJM", "2026-01-10T10:00Z", "2026-01-10T13:10Z");

    (void)state;
    check_url(&q, 0, 0,
              "https://api.watttime.org/v3/forecast?region=&signal_type=co2_moer"
              "&horizon_hours=24");
    q.config = &config;
    check_url(&q, 0, 1,
              "https://api.watttime.org/v3/forecast?region=PJM_DC&signal_type=co2_moer"
              "&horizon_hours=24");
}

/* Times carry their zone, the end is inclusive, and one answer is of 30 days at most. */
static void test_urls_past(void **state)
{
    struct gl_signal_query q = query("DE", "2026-01-10T10:02Z", "2026-01-10T13:00Z");

    (void)state;
    q.is_past = true;
    check_url(&q, 0, 2,
              "https://api.watttime.org/v3/historical?region=DE&signal_type=co2_moer"
              "&start=2026-01-10T10:00:00%2B00:00&end=2026-01-10T12:55:00%2B00:00"
              "&include_imputed_marker=true");
    check_url(&q, 1, 2,
              "https://api.watttime.org/v3/historical?region=DE&signal_type=co2_aoer"
              "&start=2026-01-10T10:00:00%2B00:00&end=2026-01-10T12:55:00%2B00:00"
              "&include_imputed_marker=true");
    q = query("DE", "2026-01-01T00:00Z", "2026-06-01T00:00Z");
    q.is_past = true;
    check_url(&q, 0, 2,
              "https://api.watttime.org/v3/historical?region=DE&signal_type=co2_moer"
              "&start=2026-01-01T00:00:00%2B00:00&end=2026-01-30T23:55:00%2B00:00"
              "&include_imputed_marker=true");
}

static struct gl_meaning meaning_of(const char *folder, bool is_past, unsigned request)
{
    struct gl_signal_query q = query("DE", "2026-01-10T10:00Z", "2026-01-10T13:10Z");
    struct gl_signal_result result = {0};
    char path[128], *body;
    struct gl_error err = {0};
    struct gl_meaning meaning;
    size_t length;

    q.is_past = is_past;
    snprintf(path, sizeof path, "tests/vectors/signal/watttime/%s/body.json", folder);
    assert_int_equal(gl_file_read(path, 1 << 16, &body, &length, &err), 0);
    assert_int_equal(gl_signal_watttime.parse(&q, request, body, length,
                                              (struct gl_instant){1768047000}, &result, &err),
                     0);
    meaning = result.series[0].meaning;
    gl_signal_result_done(&result);
    free(body);
    return meaning;
}

/* Figures of two models, and marginal and average ones, are refused side by side. */
static void test_nothing_joins(void **state)
{
    struct gl_meaning january = meaning_of("forecast", false, 0);
    struct gl_meaning february = meaning_of("model_other", false, 0);
    struct gl_meaning average = meaning_of("historical_average", true, 1);
    struct gl_error err = {0};

    (void)state;
    assert_int_equal(gl_meaning_join(&january, &january, &err), 0);
    assert_int_equal(gl_meaning_join(&january, &february, &err), -1);
    assert_int_equal(err.code, GL_E_MEANING);
    assert_non_null(strstr(err.text, "factor_set"));
    err = (struct gl_error){0};
    assert_int_equal(gl_meaning_join(&january, &average, &err), -1);
    assert_non_null(strstr(err.text, "rate"));
}

static void test_refusals(void **state)
{
    struct gl_error err = {0};

    (void)state;
    assert_false(gl_signal_watttime.refuse(401, "", 0, &err));
    assert_int_equal(err.code, GL_E_NO_CREDENTIAL);
    err = (struct gl_error){0};
    assert_true(gl_signal_watttime.refuse(403, "{\"error\":\"Invalid scope\"}", 25, &err));
    assert_int_equal(err.code, GL_E_UNKNOWN_DATA);
    assert_non_null(strstr(err.text, "no entitlement"));
    err = (struct gl_error){0};
    assert_true(gl_signal_watttime.refuse(422, "", 0, &err));
    assert_int_equal(err.code, GL_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),     cmocka_unit_test(test_regions),
        cmocka_unit_test(test_urls_now),  cmocka_unit_test(test_urls_of_configuration),
        cmocka_unit_test(test_urls_past), cmocka_unit_test(test_nothing_joins),
        cmocka_unit_test(test_refusals),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
