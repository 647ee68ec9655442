/* SPDX-License-Identifier: Apache-2.0 */
#define FOLDER "build/tmp/test_store"

#include "tests/unit/providers/store_run.h"

/* ---- order ---- */

static void test_unknown_zone(void **state)
{
    struct run run = {0};
    const struct gl_zone_facts *facts;

    (void)state;
    start(&run, NOW, &uncached);
    facts = ask(&run, "XX-NOWHERE");
    assert_non_null(facts);
    assert_int_equal(facts->count, 0);
    assert_string_equal(facts->zone, "XX-NOWHERE");
    assert_int_equal(run.script.calls, 0);
    assert_true(report_of(&run, "neso", "XX-NOWHERE")->is_skipped);
    finish(&run);
}

static void test_order(void **state)
{
    struct run run = {0};
    const struct gl_zone_facts *facts;

    (void)state;
    start(&run, NOW, &uncached);
    say_all(&run);
    facts = ask(&run, "GB");
    assert_int_equal(facts->count, 6);
    assert_string_equal(facts->series[0]->provider, "neso");
    assert_int_equal(facts->series[0]->meaning.quantity, GL_INTENSITY);
    assert_string_equal(facts->series[2]->provider, "neso");
    for (size_t i = 3; i < 6; i++)
        assert_string_equal(facts->series[i]->provider, "builtin");
    finish(&run);
}

/* The table comes last wherever it is configured, and once. */
static void test_builtin_last(void **state)
{
    static const struct gl_signal_config sources[] = {
        {.name = "builtin"}, {.name = "energy-charts"}, {.name = "builtin"}};
    struct run run = {0};
    const struct gl_zone_facts *facts;

    (void)state;
    start(&run, NOW, &(struct gl_signal_store_options){.sources = sources, .source_count = 3});
    say_all(&run);
    facts = ask(&run, "DE");
    assert_int_equal(facts->count, 5);
    assert_string_equal(facts->series[0]->provider, "energy-charts");
    assert_string_equal(facts->series[2]->provider, "builtin");
    finish(&run);
}

static void test_unknown_source(void **state)
{
    static const struct gl_signal_config sources[] = {{.name = "nesso"}};
    struct run run = {0};

    (void)state;
    start(&run, NOW, &(struct gl_signal_store_options){.sources = sources, .source_count = 1});
    assert_int_equal(ask(&run, "GB")->count, 3);
    assert_int_equal(report_of(&run, "nesso", "GB")->error.code, GL_E_CONFIG);
    assert_false(report_of(&run, "nesso", "GB")->is_ok);
    finish(&run);
}

static void test_each_zone_once(void **state)
{
    struct run run = {0};
    const struct gl_zone_facts *facts;

    (void)state;
    start(&run, NOW, &uncached);
    say_all(&run);
    facts = ask(&run, "DE");
    assert_ptr_equal(ask(&run, "DE"), facts);
    assert_int_equal(run.script.calls, 2);
    assert_ptr_not_equal(ask(&run, "FR"), facts);
    assert_int_equal(run.script.calls, 4);
    finish(&run);
}

static void test_says_where_from(void **state)
{
    struct run run = {0};
    const struct gl_series *series;
    struct gl_hash hash;

    (void)state;
    start(&run, NOW, &uncached);
    say_all(&run);
    series = series_of(ask(&run, "GB"), "neso");
    gl_hash_of(NESO_BODY, strlen(NESO_BODY), &hash);
    assert_memory_equal(series->body_sha256, hash.bytes, sizeof hash.bytes);
    assert_int_equal(series->retrieved_s, NOW);
    assert_true(report_of(&run, "neso", "GB")->is_ok);
    assert_false(report_of(&run, "neso", "GB")->is_from_cache);
    assert_int_equal(report_of(&run, "neso", "GB")->age_s, 0);
    finish(&run);
}

/* ---- cache ---- */

static void test_young_answer_is_used(void **state)
{
    struct run run = {0};

    (void)state;
    fill_cache();
    start(&run, NOW + 4 * MINUTE, &cached);
    assert_non_null(series_of(ask(&run, "GB"), "neso"));
    assert_int_equal(run.script.calls, 0);
    assert_true(report_of(&run, "neso", "GB")->is_ok);
    assert_true(report_of(&run, "neso", "GB")->is_from_cache);
    assert_int_equal(report_of(&run, "neso", "GB")->age_s, 4 * MINUTE);
    finish(&run);
}

static void test_not_modified(void **state)
{
    struct run run = {0};

    (void)state;
    fill_cache();
    start(&run, NOW + 10 * MINUTE, &cached);
    say(&run, (struct answer){.match = "/intensity/", .status = 304});
    say(&run, (struct answer){.match = "/generation", .status = 200, .body = MIX_BODY});
    assert_int_equal(series_of(ask(&run, "GB"), "neso")->retrieved_s, NOW);
    assert_int_equal(run.script.conditional, 1);
    assert_int_equal(run.script.calls, 2);
    assert_int_equal(report_of(&run, "neso", "GB")->age_s, 10 * MINUTE);
    assert_int_equal(report_of(&run, "neso", "GB")->error.code, GL_OK);
    finish(&run);
    /* It was just confirmed: no question for another while, still with its old age. */
    run = (struct run){0};
    start(&run, NOW + 12 * MINUTE, &cached);
    assert_int_equal(series_of(ask(&run, "GB"), "neso")->retrieved_s, NOW);
    assert_int_equal(run.script.calls, 0);
    finish(&run);
}

static void test_new_answer_replaces(void **state)
{
    struct run run = {0};

    (void)state;
    fill_cache();
    start(&run, NOW + 10 * MINUTE, &cached);
    say(&run, (struct answer){.match = "/intensity/", .status = 200, .body = NESO_LATER});
    assert_int_equal(series_of(ask(&run, "GB"), "neso")->points[0].value_u, 140000000);
    assert_string_equal(run.script.last_match, "");
    finish(&run);
    run = (struct run){0};
    start(&run, NOW + 20 * MINUTE,
          &(struct gl_signal_store_options){.cache_folder = CACHE, .is_offline = true});
    assert_int_equal(series_of(ask(&run, "GB"), "neso")->points[0].value_u, 140000000);
    finish(&run);
}

static void test_offline(void **state)
{
    struct run run = {0};
    const struct gl_signal_report *report;

    (void)state;
    fill_cache();
    start(&run, NOW + 3 * HOUR,
          &(struct gl_signal_store_options){.cache_folder = CACHE, .is_offline = true});
    say_all(&run);
    assert_int_equal(series_of(ask(&run, "GB"), "neso")->retrieved_s, NOW);
    report = report_of(&run, "neso", "GB");
    assert_true(report->is_ok && report->is_from_cache && !report->is_skipped);
    assert_int_equal(report->age_s, 3 * HOUR);
    assert_null(series_of(ask(&run, "DE"), "energy-charts"));
    assert_true(report_of(&run, "energy-charts", "DE")->is_skipped);
    assert_int_equal(report_of(&run, "energy-charts", "DE")->error.code, GL_OK);
    assert_int_equal(run.script.calls, 0);
    finish(&run);
}

static void test_no_transport(void **state)
{
    struct run run = {0};

    (void)state;
    fill_cache();
    start(&run, NOW + HOUR, &cached);
    run.world->http = NULL;
    assert_non_null(series_of(ask(&run, "GB"), "neso"));
    finish(&run);
}

static void test_cache_only(void **state)
{
    struct gl_signal_query query = {
        .zone = "DE", .from = {NOW}, .until = {NOW + HOUR}, .is_cache_only = true};
    struct run run = {0};

    (void)state;
    start(&run, NOW, &cached);
    say_all(&run);
    assert_int_equal(gl_signal_store_zone(run.store, &query)->count, 3);
    assert_int_equal(run.script.calls, 0);
    query.is_cache_only = false;
    assert_int_equal(gl_signal_store_zone(run.store, &query)->count, 5);
    finish(&run);
}

/* Six hours later the URL is another one; the last answer to the same question still speaks. */
static void test_latest_of_other_url(void **state)
{
    struct run run = {0};
    const struct gl_series *series;

    (void)state;
    fill_cache();
    start(&run, NOW + 7 * HOUR,
          &(struct gl_signal_store_options){.cache_folder = CACHE, .is_offline = true});
    series = series_of(ask_at(&run, "GB", NOW + 7 * HOUR), "neso");
    assert_non_null(series);
    assert_int_equal(series->retrieved_s, NOW);
    assert_int_equal(report_of(&run, "neso", "GB")->age_s, 7 * HOUR);
    finish(&run);
}

static void test_clock_went_back(void **state)
{
    struct run run = {0};
    const struct gl_series *series;

    (void)state;
    fill_cache();
    start(&run, NOW - 24 * HOUR,
          &(struct gl_signal_store_options){.cache_folder = CACHE, .is_offline = true});
    series = series_of(ask(&run, "GB"), "neso");
    assert_true(series->is_suspect);
    assert_string_equal(series->suspicion,
                        "it was retrieved in the future: the clock has gone back");
    assert_false(report_of(&run, "neso", "GB")->is_ok);
    assert_int_equal(report_of(&run, "neso", "GB")->error.code, GL_E_UNKNOWN_DATA);
    finish(&run);
    /* With a network it is asked anew, and not conditionally: nothing kept is to be trusted. */
    run = (struct run){0};
    start(&run, NOW - 24 * HOUR, &cached);
    say_all(&run);
    assert_false(series_of(ask(&run, "GB"), "neso")->is_suspect);
    assert_int_equal(run.script.conditional, 0);
    finish(&run);
}

/* Change one byte of every file in the cache. */
static void spoil_cache(void)
{
    DIR *dir = opendir(CACHE);
    const struct dirent *entry;

    assert_non_null(dir);
    while ((entry = readdir(dir)) != NULL) {
        struct gl_error err = {0};
        char path[512], *bytes;
        size_t length;

        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", CACHE, entry->d_name);
        assert_int_equal(gl_file_read(path, 1 << 20, &bytes, &length, &err), 0);
        bytes[length - 5] ^= 1;
        assert_int_equal(gl_file_write(path, bytes, length, 0600, &err), 0);
        free(bytes);
    }
    closedir(dir);
}

static void test_spoilt_cache(void **state)
{
    struct run run = {0};

    (void)state;
    fill_cache();
    spoil_cache();
    start(&run, NOW + MINUTE,
          &(struct gl_signal_store_options){.cache_folder = CACHE, .is_offline = true});
    assert_null(series_of(ask(&run, "GB"), "neso"));
    finish(&run);
}

static void test_unwritable_cache(void **state)
{
    struct run run = {0};

    (void)state;
    start(&run, NOW, &(struct gl_signal_store_options){.cache_folder = "/dev/null/cache"});
    say_all(&run);
    assert_false(series_of(ask(&run, "GB"), "neso")->is_suspect);
    assert_true(report_of(&run, "neso", "GB")->is_ok);
    assert_int_equal(report_of(&run, "neso", "GB")->error.code, GL_E_IO);
    finish(&run);
}

/* ---- files ---- */

#define SERIES FOLDER "/series.csv"

static void write_series(const char *text)
{
    struct gl_error err = {0};

    assert_int_equal(gl_file_write(SERIES, text, strlen(text), 0600, &err), 0);
}

static const struct gl_signal_config file_first[] = {{.name = "file", .path = SERIES},
                                                     {.name = "neso"}};

static void test_file(void **state)
{
    struct run run = {0};
    const struct gl_zone_facts *facts;

    (void)state;
    write_series("zone,from,until,quantity,unit,value,evidence\n"
                 "DE,2026-01-10T12:00Z,2026-01-10T13:00Z,renewable_share,percent,96,forecast\n"
                 "FR,2026-01-10T12:00Z,2026-01-10T13:00Z,renewable_share,percent,30,forecast\n");
    start(&run, NOW, &(struct gl_signal_store_options){.sources = file_first, .source_count = 2});
    facts = ask(&run, "DE");
    assert_int_equal(facts->count, 4);
    assert_string_equal(facts->series[0]->provider, "file");
    assert_int_equal(facts->series[0]->points[0].value_u, 960000);
    assert_true(report_of(&run, "file", "DE")->is_ok);
    assert_int_equal(unlink(SERIES), 0); /* it is read once, for every zone */
    assert_int_equal(ask(&run, "FR")->count, 4);
    assert_int_equal(report_of(&run, "file", "FR")->error.code, GL_OK);
    assert_int_equal(ask(&run, "ES")->count, 3);
    assert_true(report_of(&run, "file", "ES")->is_skipped);
    assert_int_equal(facts->series[0]->points[0].value_u, 960000);
    finish(&run);
}

static void test_bad_file(void **state)
{
    struct run run = {0};

    (void)state;
    write_series("zone,from,until,quantity,unit,value\nDE,2026\n");
    start(&run, NOW, &(struct gl_signal_store_options){.sources = file_first, .source_count = 2});
    assert_int_equal(ask(&run, "DE")->count, 3);
    assert_int_equal(report_of(&run, "file", "DE")->error.code, GL_E_SYNTAX);
    assert_int_equal(report_of(&run, "file", "DE")->error.line, 2);
    assert_false(report_of(&run, "file", "DE")->is_ok);
    finish(&run);
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_unknown_zone),
        TEST(test_order),
        TEST(test_builtin_last),
        TEST(test_unknown_source),
        TEST(test_each_zone_once),
        TEST(test_says_where_from),
        TEST(test_young_answer_is_used),
        TEST(test_not_modified),
        TEST(test_new_answer_replaces),
        TEST(test_offline),
        TEST(test_no_transport),
        TEST(test_cache_only),
        TEST(test_latest_of_other_url),
        TEST(test_clock_went_back),
        TEST(test_spoilt_cache),
        TEST(test_unwritable_cache),
        TEST(test_file),
        TEST(test_bad_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
