/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/signal/adapter.h"
#include "tests/unit/providers/signal_case.h"

static void test_cases(void **state)
{
    (void)state;
    case_run_all("carbon-aware-sdk", 22);
}

static void check_url(const struct gl_signal_query *q, unsigned index, unsigned count,
                      const char *wanted)
{
    char url[512];

    assert_int_equal(
        gl_signal_carbon_aware.urls(q, "http://127.0.0.1:8080", index, url, sizeof url), count);
    assert_string_equal(url, wanted);
}

/* For now without a time: a time that is not over makes the service pay for its answer. */
static void test_urls(void **state)
{
    const struct gl_signal_config config = {.location = "westus"};
    struct gl_signal_query q = {.zone = "US-CAL-CISO",
                                .from = {1768039200},
                                .until = {1768039200 + INT64_C(20) * 86400},
                                .config = &config};

    (void)state;
    check_url(&q, 0, 2, "http://127.0.0.1:8080/emissions/bylocation?location=westus");
    check_url(&q, 1, 2, "http://127.0.0.1:8080/emissions/forecasts/current?location=westus");
    q.is_past = true;
    check_url(&q, 0, 1,
              "http://127.0.0.1:8080/emissions/bylocation?location=westus"
              "&time=2026-01-10T10:00:00Z&toTime=2026-01-17T10:00:00Z");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_cases), cmocka_unit_test(test_urls)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
