/* SPDX-License-Identifier: Apache-2.0 */
#define FOLDER "build/tmp/test_store_trouble"

#include "tests/unit/providers/store_run.h"

/* ---- trouble ---- */

static void test_dead_source_is_asked_once(void **state)
{
    struct run run = {0};

    (void)state;
    start(&run, NOW, &uncached);
    say(&run, (struct answer){.match = "/signal", .status = 0});
    assert_int_equal(ask(&run, "DE")->count, 3);
    assert_int_equal(ask(&run, "FR")->count, 3);
    assert_int_equal(ask(&run, "ES")->count, 3);
    assert_int_equal(run.script.calls, 1);
    assert_int_equal(report_of(&run, "energy-charts", "DE")->error.code, GL_E_NETWORK);
    assert_false(report_of(&run, "energy-charts", "DE")->is_skipped);
    assert_int_equal(report_of(&run, "energy-charts", "ES")->error.code, GL_E_NETWORK);
    assert_true(report_of(&run, "energy-charts", "ES")->is_skipped);
    finish(&run);
}

static void test_dead_source_cached_answer(void **state)
{
    struct run run = {0};
    const struct gl_signal_report *report;

    (void)state;
    fill_cache();
    start(&run, NOW + HOUR, &cached);
    assert_int_equal(series_of(ask(&run, "GB"), "neso")->retrieved_s, NOW);
    report = report_of(&run, "neso", "GB");
    assert_true(report->is_ok && report->is_from_cache);
    assert_int_equal(report->error.code, GL_E_NETWORK);
    assert_int_equal(report->age_s, HOUR);
    finish(&run);
}

/* Every source is silent: all of it together takes no longer than the deadline. */
static void test_deadline(void **state)
{
    static const char *const zones[] = {"GB", "DE", "FR", "DK-DK1", "ES", "AT"};
    struct run run = {0};
    int64_t began_ms;

    (void)state;
    start(&run, NOW, &uncached);
    say(&run, (struct answer){.match = "https://", .status = 200, .delay_ms = 60000});
    began_ms = run.world->monotonic_ms(run.world->cookie);
    for (size_t i = 0; i < sizeof zones / sizeof zones[0]; i++)
        assert_int_equal(ask(&run, zones[i])->count, 3);
    assert_true(run.world->monotonic_ms(run.world->cookie) - began_ms <= 2000);
    assert_true(run.script.longest_timeout_ms <= 1000);
    assert_int_equal(run.script.calls, 2); /* the budget of two silent sources */
    assert_int_equal(report_of(&run, "energinet", "DK-DK1")->error.code, GL_E_TIMEOUT);
    finish(&run);
}

static void test_deadline_of_options(void **state)
{
    struct run run = {0};

    (void)state;
    start(&run, NOW, &(struct gl_signal_store_options){.deadline_ms = 300});
    say(&run, (struct answer){.match = "https://", .status = 200, .delay_ms = 60000});
    ask(&run, "GB");
    ask(&run, "DE");
    ask(&run, "DK-DK1");
    assert_true(run.script.waited_ms <= 300);
    finish(&run);
}

static void test_bad_answer_is_not_kept(void **state)
{
    struct run run = {0};

    (void)state;
    fill_cache();
    start(&run, NOW + HOUR, &cached);
    say(&run, (struct answer){.match = "/intensity/", .status = 200, .body = "{\"data\":[{\"from"});
    say(&run, (struct answer){.match = "/generation", .status = 200, .body = MIX_BODY});
    assert_int_equal(series_of(ask(&run, "GB"), "neso")->points[0].value_u, 110000000);
    assert_int_equal(report_of(&run, "neso", "GB")->error.code, GL_E_BAD_REPLY);
    finish(&run);
    run = (struct run){0};
    start(&run, NOW + HOUR,
          &(struct gl_signal_store_options){.cache_folder = CACHE, .is_offline = true});
    assert_int_equal(series_of(ask(&run, "GB"), "neso")->points[0].value_u, 110000000);
    finish(&run);
}

static void test_suspect_answer_is_not_kept(void **state)
{
    struct run run = {0};

    (void)state;
    start(&run, NOW, &cached);
    say(&run, (struct answer){.match = "/intensity/", .status = 200, .body = NESO_CONFLICT});
    assert_true(series_of(ask(&run, "GB"), "neso")->is_suspect);
    assert_false(report_of(&run, "neso", "GB")->is_ok);
    assert_int_not_equal(report_of(&run, "neso", "GB")->error.code, GL_OK);
    finish(&run);
    run = (struct run){0};
    start(&run, NOW, &(struct gl_signal_store_options){.cache_folder = CACHE, .is_offline = true});
    assert_null(series_of(ask(&run, "GB"), "neso"));
    finish(&run);
}

static void test_server_error_is_tried_again(void **state)
{
    struct run run = {0};

    (void)state;
    start(&run, NOW, &uncached);
    say(&run, (struct answer){.match = "/intensity/", .status = 500, .times = 1});
    say_all(&run);
    assert_non_null(series_of(ask(&run, "GB"), "neso"));
    assert_int_equal(run.script.calls, 3);
    assert_int_equal(report_of(&run, "neso", "GB")->error.code, GL_OK);
    finish(&run);
}

static void test_server_error_twice(void **state)
{
    struct run run = {0};

    (void)state;
    start(&run, NOW, &uncached);
    say(&run, (struct answer){.match = "https://", .status = 503});
    assert_int_equal(ask(&run, "GB")->count, 3);
    assert_int_equal(run.script.calls, 2);
    assert_int_equal(report_of(&run, "neso", "GB")->error.code, GL_E_PROVIDER);
    finish(&run);
}

static void test_rate_limited(void **state)
{
    struct run run = {0};

    (void)state;
    start(&run, NOW, &uncached);
    say(&run, (struct answer){.match = "/signal", .status = 429, .retry_after_s = 60});
    ask(&run, "DE");
    ask(&run, "FR");
    assert_int_equal(run.script.calls, 1);
    assert_int_equal(report_of(&run, "energy-charts", "FR")->error.code, GL_E_RATE_LIMIT);
    finish(&run);
}

static void test_statuses(void **state)
{
    static const struct {
        int status;
        enum gl_errc code;
    } cases[] = {
        {401, GL_E_PROVIDER},  {403, GL_E_PROVIDER},  {404, GL_E_NOT_FOUND},
        {410, GL_E_NOT_FOUND}, {422, GL_E_PROVIDER},  {204, GL_E_UNKNOWN_DATA},
        {302, GL_E_BAD_REPLY}, {304, GL_E_BAD_REPLY}, {501, GL_E_UNKNOWN_DATA},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct run run = {0};

        start(&run, NOW, &uncached);
        say(&run,
            (struct answer){.match = "https://", .status = cases[i].status, .body = SIGNAL_BODY});
        assert_int_equal(ask(&run, "DE")->count, 3);
        assert_int_equal(report_of(&run, "energy-charts", "DE")->error.code, cases[i].code);
        assert_non_null(strstr(report_of(&run, "energy-charts", "DE")->error.text, "status"));
        finish(&run);
    }
}

/* "No such country" says nothing about the next one. */
static void test_not_found_is_no_death(void **state)
{
    struct run run = {0};

    (void)state;
    start(&run, NOW, &uncached);
    say(&run, (struct answer){.match = "country=xk", .status = 404});
    say_all(&run);
    assert_null(series_of(ask(&run, "XK"), "energy-charts"));
    assert_non_null(series_of(ask(&run, "DE"), "energy-charts"));
    finish(&run);
}

static void test_polite(void **state)
{
    static const char *const zones[] = {"AL", "AT", "BA", "BE", "BG", "CH", "CY", "CZ", "DE", "EE",
                                        "ES", "FI", "FR", "GE", "GR", "HR", "HU", "IE", "LT"};
    struct run run = {0};

    (void)state;
    start(&run, NOW, &uncached);
    say_all(&run);
    for (size_t i = 0; i < sizeof zones / sizeof zones[0]; i++)
        ask(&run, zones[i]);
    assert_int_equal(run.script.calls, 24);
    assert_int_equal(report_of(&run, "energy-charts", "LT")->error.code, GL_E_RATE_LIMIT);
    run.world->sleep_ms(run.world->cookie, 5000);
    assert_non_null(series_of(ask(&run, "NL"), "energy-charts"));
    finish(&run);
}

static void test_endpoint_too_long(void **state)
{
    char endpoint[600];
    struct gl_signal_config source = {.name = "energy-charts", .endpoint = endpoint};
    struct run run = {0};

    (void)state;
    memset(endpoint, 'a', sizeof endpoint - 1);
    endpoint[sizeof endpoint - 1] = '\0';
    start(&run, NOW, &(struct gl_signal_store_options){.sources = &source, .source_count = 1});
    assert_int_equal(ask(&run, "DE")->count, 3);
    assert_int_equal(report_of(&run, "energy-charts", "DE")->error.code, GL_E_CONFIG);
    assert_int_equal(run.script.calls, 0);
    finish(&run);
}

/* ---- a fault at every call ---- */

#define RECORDING FOLDER "/recording"

static const char *const fault_zones[] = {"GB", "DE", "DK-DK1"};
static const char *const fault_sources[] = {"neso", "energy-charts", "energinet"};
#define FAULT_ZONES 3

static bool has_same_points(const struct gl_series *a, const struct gl_series *b)
{
    for (size_t i = 0; i < a->count && a->count == b->count; i++) {
        const struct gl_point *p = &a->points[i], *q = &b->points[i];

        if (p->from_s != q->from_s || p->until_s != q->until_s || p->value_u != q->value_u ||
            p->low_u != q->low_u || p->high_u != q->high_u || p->evidence != q->evidence)
            return false;
    }
    return a->count == b->count;
}

/* Is a usable series one of those of the run without a fault, figure by figure? */
static void check_series(const struct gl_series *series, const struct gl_zone_facts *good)
{
    struct gl_error ignored = {0};

    if (series->is_suspect)
        return;
    for (size_t i = 0; i < good->count; i++)
        if (strcmp(good->series[i]->dataset, series->dataset) == 0 &&
            gl_meaning_join(&good->series[i]->meaning, &series->meaning, &ignored) == 0 &&
            has_same_points(good->series[i], series))
            return;
    fail_msg("a wrong figure came out of %s", series->dataset);
}

static unsigned run_with_fault(struct run *good, unsigned call, enum gl_http_fault fault)
{
    struct run run = {0};
    struct gl_http *http = gl_http_fault_new(gl_http_replay_new(RECORDING), call, fault);
    unsigned missing = 0;

    start(&run, NOW, &uncached);
    run.world->http = http;
    for (size_t i = 0; i < FAULT_ZONES; i++) {
        const struct gl_zone_facts *facts = ask(&run, fault_zones[i]);
        const struct gl_zone_facts *wanted = ask(good, fault_zones[i]);

        for (size_t k = 0; k < facts->count; k++)
            check_series(facts->series[k], wanted);
        assert_true(facts->count >= 3 && facts->count <= wanted->count);
        missing += facts->count != wanted->count;
        if (facts->count != wanted->count)
            assert_int_not_equal(report_of(&run, fault_sources[i], fault_zones[i])->error.code,
                                 GL_OK);
    }
    finish(&run);
    gl_http_close(http);
    return missing;
}

static void test_fault_at_every_call(void **state)
{
    static const enum gl_http_fault faults[] = {
        GL_FAULT_NETWORK, GL_FAULT_TIMEOUT,  GL_FAULT_500,     GL_FAULT_429,
        GL_FAULT_EMPTY,   GL_FAULT_TRUNCATE, GL_FAULT_GARBAGE,
    };
    struct run good = {0};
    struct gl_http *recorder;

    (void)state;
    start(&good, NOW, &uncached);
    say_all(&good);
    recorder = gl_http_record_new(&good.script.http, RECORDING, NULL);
    good.world->http = recorder;
    for (size_t i = 0; i < FAULT_ZONES; i++)
        ask(&good, fault_zones[i]);
    assert_int_equal(good.script.calls, 6);
    assert_int_equal(run_with_fault(&good, 0, GL_FAULT_NONE), 0);
    for (size_t f = 0; f < sizeof faults / sizeof faults[0]; f++) {
        for (unsigned call = 1; call <= good.script.calls; call++) {
            unsigned missing = run_with_fault(&good, call, faults[f]);

            /* A server's error is mended by the second try; every other fault costs one source. */
            assert_int_equal(missing, faults[f] == GL_FAULT_500 ? 0 : 1);
        }
    }
    finish(&good);
    gl_http_close(recorder);
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

/* 410 holds for a day, for other processes too; another server is another service. */
static void test_gone_for_a_day(void **state)
{
    static const struct gl_signal_config moved[] = {
        {.name = "neso", .endpoint = "https://elsewhere.example"}};
    struct run run = {0};

    (void)state;
    start(&run, NOW, &cached);
    say(&run, (struct answer){.match = "https://", .status = 410});
    ask(&run, "GB");
    assert_int_equal(run.script.calls, 1);
    finish(&run);
    run = (struct run){0};
    start(&run, NOW + 23 * HOUR, &cached);
    say_all(&run);
    ask(&run, "GB");
    assert_int_equal(run.script.calls, 0);
    assert_int_equal(report_of(&run, "neso", "GB")->error.code, GL_E_NOT_FOUND);
    assert_non_null(strstr(report_of(&run, "neso", "GB")->error.text,
                           "neso answered with status 410 at 2026-01-10T12:00:00Z"));
    finish(&run);
    run = (struct run){0};
    start(&run, NOW + HOUR,
          &(struct gl_signal_store_options){
              .cache_folder = CACHE, .sources = moved, .source_count = 1});
    say_all(&run);
    ask(&run, "GB");
    assert_int_equal(run.script.calls, 2);
    finish(&run);
    run = (struct run){0};
    start(&run, NOW + 24 * HOUR, &cached);
    say_all(&run);
    ask(&run, "GB");
    assert_int_equal(run.script.calls, 2);
    finish(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_dead_source_is_asked_once),
        TEST(test_dead_source_cached_answer),
        TEST(test_deadline),
        TEST(test_gone_for_a_day),
        TEST(test_deadline_of_options),
        TEST(test_bad_answer_is_not_kept),
        TEST(test_suspect_answer_is_not_kept),
        TEST(test_server_error_is_tried_again),
        TEST(test_server_error_twice),
        TEST(test_rate_limited),
        TEST(test_statuses),
        TEST(test_not_found_is_no_death),
        TEST(test_polite),
        TEST(test_endpoint_too_long),
        TEST(test_fault_at_every_call),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
