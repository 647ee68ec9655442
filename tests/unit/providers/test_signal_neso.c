/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/providers/signal_case.h"

static void test_cases(void **state)
{
    (void)state;
    case_run_all("neso", 28);
}

static struct gl_signal_query query(const char *neso, const char *from, const char *until)
{
    struct gl_signal_query q = {.zone = "GB", .neso = neso};
    struct gl_error err = {0};

    assert_int_equal(gl_instant_parse(from, &q.from, &err), 0);
    assert_int_equal(gl_instant_parse(until, &q.until, &err), 0);
    return q;
}

static void check_url(const struct gl_signal_query *q, unsigned index, unsigned count,
                      const char *wanted)
{
    char url[512];

    assert_int_equal(gl_signal_find("neso")->urls(q, NULL, index, url, sizeof url), count);
    assert_string_equal(url, wanted);
}

static void test_covers(void **state)
{
    const struct gl_signal_ops *ops = gl_signal_find("neso");

    (void)state;
    assert_true(ops->covers("GB"));
    assert_false(ops->covers("GB-NIR"));
    assert_false(ops->covers("gb"));
}

static void test_urls_national(void **state)
{
    struct gl_signal_query q = query(NULL, "2026-01-10T13:37:21Z", "2026-01-10T17:37:21Z");

    (void)state;
    check_url(&q, 0, 2, "https://api.carbonintensity.org.uk/intensity/2026-01-10T12:00Z/fw48h");
    check_url(&q, 1, 2, "https://api.carbonintensity.org.uk/generation");
}

/* The same question a little later is the same URL, so that the cache is of use. */
static void test_urls_repeat(void **state)
{
    struct gl_signal_query q = query(NULL, "2026-01-10T17:59:59Z", "2026-01-10T19:00Z");

    (void)state;
    check_url(&q, 0, 2, "https://api.carbonintensity.org.uk/intensity/2026-01-10T12:00Z/fw48h");
}

static void test_urls_region(void **state)
{
    struct gl_signal_query q = query("13", "2026-01-10T12:00Z", "2026-01-10T16:00Z");

    (void)state;
    check_url(&q, 0, 3,
              "https://api.carbonintensity.org.uk/regional/intensity/"
              "2026-01-10T12:00Z/fw48h/regionid/13");
    check_url(&q, 1, 3, "https://api.carbonintensity.org.uk/intensity/2026-01-10T12:00Z/fw48h");
    check_url(&q, 2, 3, "https://api.carbonintensity.org.uk/generation");
}

/* More than 48 hours need the other form; more than 14 days are refused by the API. */
static void test_urls_long(void **state)
{
    struct gl_signal_query q = query(NULL, "2026-01-10T12:00Z", "2026-01-13T01:00Z");

    (void)state;
    check_url(&q, 0, 2,
              "https://api.carbonintensity.org.uk/intensity/2026-01-10T12:00Z/"
              "2026-01-13T06:00Z");
    q = query(NULL, "2026-01-10T12:00Z", "2026-03-01T00:00Z");
    check_url(&q, 0, 2,
              "https://api.carbonintensity.org.uk/intensity/2026-01-10T12:00Z/"
              "2026-01-24T12:00Z");
}

/* A region that is none asks for the whole country: nothing of it may reach the URL. */
static void test_urls_bad_region(void **state)
{
    static const char *const bad[] = {"0", "18", "x", "1/../2", "-1", "", "99999999999999999999"};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct gl_signal_query q = query(bad[i], "2026-01-10T12:00Z", "2026-01-10T16:00Z");

        check_url(&q, 0, 2, "https://api.carbonintensity.org.uk/intensity/2026-01-10T12:00Z/fw48h");
    }
}

static void test_urls_endpoint(void **state)
{
    struct gl_signal_query q = query(NULL, "2026-01-10T12:00Z", "2026-01-10T16:00Z");
    char url[512];

    (void)state;
    gl_signal_find("neso")->urls(&q, "http://127.0.0.1:1", 1, url, sizeof url);
    assert_string_equal(url, "http://127.0.0.1:1/generation");
}

/* All 48 hours ahead from the running hour on. */
static void test_urls_for_the_archive(void **state)
{
    struct gl_signal_query q = query(NULL, "2026-01-10T13:37:21Z", "2026-01-10T17:37:21Z");

    (void)state;
    q.wants_history = true;
    check_url(&q, 0, 2, "https://api.carbonintensity.org.uk/intensity/2026-01-10T13:00Z/fw48h");
}

/* The past: 14 days at most, of the whole country. */
static void test_urls_past(void **state)
{
    struct gl_signal_query q = query("13", "2026-01-01T00:00Z", "2026-01-15T00:00Z");

    (void)state;
    q.is_past = true;
    check_url(&q, 0, 2,
              "https://api.carbonintensity.org.uk/intensity/2026-01-01T00:00Z/2026-01-15T00:00Z");
    check_url(&q, 1, 2,
              "https://api.carbonintensity.org.uk/generation/2026-01-01T00:00Z/"
              "2026-01-15T00:00Z");
    q.until.unix_s += 86400;
    check_url(&q, 0, 2,
              "https://api.carbonintensity.org.uk/intensity/2026-01-01T00:00Z/2026-01-15T00:00Z");
    q = query(NULL, "2026-01-10T12:00Z", "2026-01-10T13:00Z");
    q.is_past = true; /* never the form for what is ahead */
    check_url(&q, 0, 2,
              "https://api.carbonintensity.org.uk/intensity/2026-01-10T12:00Z/2026-01-10T18:00Z");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_covers),
        cmocka_unit_test(test_urls_national),
        cmocka_unit_test(test_urls_repeat),
        cmocka_unit_test(test_urls_region),
        cmocka_unit_test(test_urls_long),
        cmocka_unit_test(test_urls_bad_region),
        cmocka_unit_test(test_urls_endpoint),
        cmocka_unit_test(test_urls_for_the_archive),
        cmocka_unit_test(test_urls_past),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
