/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/providers/signal_case.h"

static void test_cases(void **state)
{
    (void)state;
    case_run_all("electricity-maps", 38);
}

static struct gl_signal_query query(const char *from, const char *until)
{
    struct gl_signal_query q = {.zone = "SE-SE3"};
    struct gl_error err = {0};

    assert_int_equal(gl_instant_parse(from, &q.from, &err), 0);
    assert_int_equal(gl_instant_parse(until, &q.until, &err), 0);
    return q;
}

static void check_url(const struct gl_signal_query *q, const char *endpoint, unsigned index,
                      unsigned count, const char *wanted)
{
    const struct gl_signal_ops *ops = gl_signal_find("electricity-maps");
    char url[512];

    assert_int_equal(ops->urls(q, endpoint, index, url, sizeof url), count);
    assert_string_equal(url, wanted);
}

static void test_covers(void **state)
{
    const struct gl_signal_ops *ops = gl_signal_find("electricity-maps");

    (void)state;
    assert_true(ops->covers("SE-SE3") && ops->covers("US-CAL-CISO") && ops->covers("JP-TK"));
    assert_false(ops->covers("SE-SE9") || ops->covers("de"));
}

/* The service is told never to take the place of the caller, in the words of each version. */
static void test_urls_now(void **state)
{
    struct gl_signal_query q = query("2026-01-10T10:00Z", "2026-01-10T13:10Z");

    (void)state;
    check_url(&q, NULL, 0, 6,
              "https://api.electricitymaps.com/v4/carbon-intensity/history?zone=SE-SE3"
              "&temporalGranularity=hourly&emissionFactorType=lifecycle&disableCallerLookup=true");
    check_url(&q, NULL, 1, 6,
              "https://api.electricitymaps.com/v4/carbon-intensity/forecast?horizonHours=24"
              "&zone=SE-SE3&temporalGranularity=hourly&emissionFactorType=lifecycle"
              "&disableCallerLookup=true");
    check_url(&q, NULL, 2, 6,
              "https://api.electricitymaps.com/v4/renewable-energy/history?zone=SE-SE3"
              "&temporalGranularity=hourly&disableCallerLookup=true");
    check_url(&q, "https://api.electricitymaps.com/v3", 5, 6,
              "https://api.electricitymaps.com/v3/carbon-free-energy/forecast?horizonHours=24"
              "&zone=SE-SE3&temporalGranularity=hourly&shouldUseFallbackCallerLookup=false");
    check_url(&q, "https://api-access.electricitymaps.com/abc", 0, 6,
              "https://api-access.electricitymaps.com/abc/carbon-intensity/history?zone=SE-SE3"
              "&temporalGranularity=hourly&emissionFactorType=lifecycle"
              "&shouldUseFallbackCallerLookup=false");
}

static void test_urls_far(void **state)
{
    struct gl_signal_query q = query("2026-01-10T10:00Z", "2026-01-11T22:00Z");
    char url[512];

    (void)state;
    gl_signal_find("electricity-maps")->urls(&q, NULL, 1, url, sizeof url);
    assert_non_null(strstr(url, "horizonHours=72&"));
    q = query("2026-01-10T10:00Z", "2026-01-10T13:00Z");
    q.wants_history = true;
    gl_signal_find("electricity-maps")->urls(&q, NULL, 1, url, sizeof url);
    assert_non_null(strstr(url, "horizonHours=72&"));
}

/* At most ten days in one answer, from hour to hour. */
static void test_urls_past(void **state)
{
    struct gl_signal_query q = query("2026-01-01T10:20Z", "2026-01-20T13:10Z");

    (void)state;
    q.is_past = true;
    check_url(&q, NULL, 0, 3,
              "https://api.electricitymaps.com/v4/carbon-intensity/past-range"
              "?start=2026-01-01T10:00:00Z&end=2026-01-11T10:00:00Z&zone=SE-SE3"
              "&temporalGranularity=hourly&emissionFactorType=lifecycle&disableCallerLookup=true");
    check_url(&q, NULL, 2, 3,
              "https://api.electricitymaps.com/v4/carbon-free-energy/past-range"
              "?start=2026-01-01T10:00:00Z&end=2026-01-11T10:00:00Z&zone=SE-SE3"
              "&temporalGranularity=hourly&disableCallerLookup=true");
}

/* A bad token ends it; a right that the plan does not include is about the one question. */
static void test_refusals(void **state)
{
    static const struct {
        int status;
        const char *body;
        enum gl_errc code;
        bool is_narrow;
        const char *says;
    } rows[] = {
        {401, "{\"error\":\"Token is invalid\"}", GL_E_NO_CREDENTIAL, false, "not accepted"},
        {401, "{\"error\":\"Token unauthorized for zoneKey DE\"}", GL_E_UNKNOWN_DATA, true,
         "no entitlement"},
        {401, "{\"message\":\"Endpoint not available\"}", GL_E_UNKNOWN_DATA, true,
         "no entitlement"},
        {401, "", GL_E_NO_CREDENTIAL, false, "not accepted"},
        {403, "Access denied", GL_E_UNKNOWN_DATA, true, "no entitlement"},
        {404, "{\"error\":\"No zone\"}", GL_E_UNKNOWN_DATA, true, "does not know this zone"},
        {400, "{\"error\":\"bad horizon\"}", GL_OK, true, ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct gl_error err = {0};

        assert_int_equal(gl_signal_find("electricity-maps")
                             ->refuse(rows[i].status, rows[i].body, strlen(rows[i].body), &err),
                         rows[i].is_narrow);
        assert_int_equal(err.code, rows[i].code);
        assert_true(strstr(err.text, rows[i].says) != NULL || err.code == GL_OK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),     cmocka_unit_test(test_covers),
        cmocka_unit_test(test_urls_now),  cmocka_unit_test(test_urls_far),
        cmocka_unit_test(test_urls_past), cmocka_unit_test(test_refusals),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
