/* SPDX-License-Identifier: Apache-2.0 */
#define FOLDER "build/tmp/test_store_archive"

#include "policy/guarantee/history.h"
#include "providers/signal/archive.h"
#include "tests/unit/providers/grid_script.h"
#include "tests/unit/providers/store_run.h"

#define ARCHIVE FOLDER "/archive"
#define DAY_S   INT64_C(86400)

static const struct gl_signal_store_options archived = {.archive_folder = ARCHIVE};
static const struct gl_signal_store_options off = {.archive_folder = ARCHIVE, .is_offline = true};

static const struct gl_zone_facts *look(struct gl_signal_store *store, const char *zone,
                                        const char *neso, int64_t now_s)
{
    struct gl_signal_query query = {
        .neso = neso, .from = {now_s}, .until = {now_s + HOUR}, .wants_history = true};

    snprintf(query.zone, sizeof query.zone, "%s", zone);
    return gl_signal_store_zone(store, &query);
}

static const struct gl_history *history_of(const struct gl_zone_facts *facts, const char *dataset,
                                           enum gl_quantity quantity)
{
    for (size_t i = 0; i < facts->history_count; i++)
        if (strcmp(facts->histories[i]->dataset, dataset) == 0 &&
            facts->histories[i]->meaning.quantity == quantity)
            return facts->histories[i];
    return NULL;
}

/* ---- a source over days ---- */

struct watch {
    struct gl_world *world;
    struct grid grid;
    struct gl_signal_store *store;
    const struct gl_zone_facts *facts;
};

static const struct gl_signal_config neso_only[] = {{.name = "neso"}};

static void watch_begin(struct watch *watch, int64_t now_s, bool is_offline)
{
    *watch = (struct watch){.world = gl_world_fixed_new(now_s * 1000, 1, NULL)};
    watch->grid.http.ops = &grid_ops;
    watch->grid.world = watch->world;
    watch->grid.forecast_s = 48 * HOUR;
    watch->world->http = &watch->grid.http;
    watch->store = gl_signal_store_new(&(struct gl_signal_store_options){
        .world = watch->world,
        .archive_folder = ARCHIVE,
        .sources = neso_only,
        .source_count = 1,
        .is_offline = is_offline,
    });
}

static const struct gl_history *watch_look(struct watch *watch, const char *neso)
{
    watch->facts = look(watch->store, "GB", neso, gl_now(watch->world).unix_s);
    return history_of(watch->facts, "national", GL_INTENSITY);
}

static void watch_end(struct watch *watch)
{
    gl_signal_store_free(watch->store);
    gl_world_fixed_free(watch->world);
}

static void test_nothing_unless_asked(void **state)
{
    struct run run = {0};
    const struct gl_zone_facts *facts;

    (void)state;
    start(&run, NOW, &archived);
    say_all(&run);
    facts = ask(&run, "GB");
    assert_int_equal(facts->history_count, 0);
    assert_int_equal(run.script.calls, 2); /* and no question more */
    assert_true(gl_file_exists(ARCHIVE));  /* stored all the same */
    finish(&run);
}

static void test_no_folder_no_history(void **state)
{
    struct run run = {0};
    const struct gl_zone_facts *facts;

    (void)state;
    start(&run, NOW, &uncached);
    say_all(&run);
    facts = look(run.store, "GB", NULL, NOW);
    assert_int_equal(facts->history_count, 0);
    assert_int_equal(run.script.calls, 2);
    finish(&run);
}

/* Forecast and outturn come apart: what is over is an actual, what is ahead an issue. */
static void test_forecast_and_outturn(void **state)
{
    struct watch watch;
    const struct gl_history *history;
    float value = 0;

    (void)state;
    watch_begin(&watch, NOW + 600, false);
    history = watch_look(&watch, NULL);
    assert_non_null(history);
    assert_int_equal(watch.grid.calls, 4);
    assert_non_null(strstr(watch.grid.urls[0], "/intensity/2026-01-10T12:00Z/fw48h"));
    assert_non_null(strstr(watch.grid.urls[2], "/intensity/2026-01-09T06:00Z/2026-01-10T18:00Z"));
    assert_non_null(strstr(watch.grid.urls[3], "/generation/2026-01-09T06:00Z/2026-01-10T18:00Z"));
    assert_int_equal(history->issues.count, 1);
    assert_int_equal(history->issues.issue[0].received_s, NOW + 600);
    assert_int_equal(history->issues.issue[0].start_s, NOW);
    assert_int_equal(history->issues.issue[0].count, 48);
    assert_true(history->issues.issue[0].value[5] ==
                (float)(grid_forecast(NOW + 5 * HOUR, NOW + 600) + 0.5));
    assert_int_equal(history->newest_actual_s, NOW - 2 * HOUR); /* the last half-hour is not in */
    assert_true(gl_actual_at(&history->actuals, NOW - 2 * HOUR, &value));
    assert_true(value == (float)(grid_actual(NOW - 2 * HOUR, NOW) + 0.5));
    assert_false(gl_actual_at(&history->actuals, NOW - HOUR, &value));
    assert_string_equal(history->licence, "CC BY 4.0");
    assert_string_equal(history->zone, "GB");
    /* The mix of past half-hours: actual shares, no forecast of them. */
    history = history_of(watch.facts, "national", GL_RENEWABLE_SHARE);
    assert_int_equal(history->issues.count, 0);
    assert_int_equal(history->actual_count, 30);
    assert_true(gl_actual_at(&history->actuals, NOW - 2 * HOUR, &value));
    assert_true(value == (float)(grid_truth(NOW - 2 * HOUR) % 50) + 0.5F);
    /* What is fetched for the archive alone is not one of the answers. */
    assert_int_equal(watch.facts->count, 3 + 3);
    watch_end(&watch);
}

/* ---- honest replay ---- */

static void hash_history(const struct gl_history *history, struct gl_hash *out)
{
    struct gl_str text = {0};

    gl_str_addf(&text, "%lld %zu %u %zu %zu|", (long long)history->actuals.start_s,
                history->actual_count, history->actuals.lag_h, history->revisions.changed,
                history->lag_count);
    for (size_t i = 0; i < history->actuals.count; i++)
        gl_str_addf(&text, "%d:%.3f ", history->actuals.state[i],
                    (double)history->actuals.value[i]);
    for (size_t i = 0; i < history->issues.count; i++) {
        const struct gl_issue *issue = &history->issues.issue[i];

        gl_str_addf(&text, "|%lld %lld %u ", (long long)issue->received_s,
                    (long long)issue->start_s, issue->count);
        for (uint32_t k = 0; k < issue->count; k++)
            gl_str_addf(&text, "%d:%.3f ", issue->state[k], (double)issue->value[k]);
    }
    gl_hash_of(gl_str_text(&text), text.length, out);
    gl_str_done(&text);
}

/* Watch a grid for four days, every three hours; then stand at each of these times again, offline:
 * the history is byte for byte the one that was seen then. */
static void test_replay_is_what_was_seen(void **state)
{
    enum { LOOKS = 32 };
    struct gl_hash seen[LOOKS], again;
    struct watch watch;
    const struct gl_history *history;
    float value = 0;

    (void)state;
    for (int i = 0; i < LOOKS; i++) {
        watch_begin(&watch, NOW + 600 + i * 3 * HOUR, false);
        hash_history(watch_look(&watch, NULL), &seen[i]);
        watch_end(&watch);
    }
    for (int i = 0; i < LOOKS; i++) {
        watch_begin(&watch, NOW + 600 + i * 3 * HOUR, true);
        hash_history(watch_look(&watch, NULL), &again);
        assert_memory_equal(&again, &seen[i], sizeof again);
        assert_int_equal(watch.grid.calls, 0);
        watch_end(&watch);
    }
    watch_begin(&watch, NOW + 600 + (LOOKS - 1) * 3 * HOUR, true);
    history = watch_look(&watch, NULL);
    assert_int_equal(history->issues.count, LOOKS); /* each reaches further than the one before */
    assert_int_equal(history->actual_count, 29 + 3 * (LOOKS - 1));
    assert_true(history->is_lag_measured);
    assert_int_equal(history->actuals.lag_h, 2); /* an hour and ten minutes */
    assert_true(history->revisions.changed > 20);
    assert_true(history->revisions.worst == 2.0F);
    assert_true(gl_actual_at(&history->actuals, NOW + DAY_S, &value));
    assert_true(value == (float)(grid_truth(NOW + DAY_S) + 0.5)); /* the settled value */
    watch_end(&watch);
}

/* ---- forecasts that are not as asked ---- */

static void test_forecast_shorter_than_asked(void **state)
{
    struct watch watch;
    const struct gl_history *history;

    (void)state;
    watch_begin(&watch, NOW, false);
    watch.grid.forecast_s = 12 * HOUR; /* to the day's end only */
    history = watch_look(&watch, NULL);
    assert_int_equal(history->issues.issue[0].count, 12);
    watch_end(&watch);
}

static void test_forecast_with_a_hole(void **state)
{
    struct watch watch;
    const struct gl_issue *issue;

    (void)state;
    watch_begin(&watch, NOW, false);
    watch.grid.rows_of_s = NOW + 6 * HOUR + GRID_HALF;
    issue = &watch_look(&watch, NULL)->issues.issue[0];
    assert_int_equal(issue->count, 48);
    assert_int_equal(issue->state[6], GL_HOUR_MISSING); /* one half-hour is not the hour */
    assert_int_equal(issue->state[5], GL_HOUR_KNOWN);
    assert_int_equal(issue->state[7], GL_HOUR_KNOWN);
    watch_end(&watch);
}

/* An answer to a question about tomorrow does not hide the forecast of today. */
static void test_part_of_a_forecast(void **state)
{
    struct gl_signal_query query = {
        .zone = "GB", .from = {NOW + 20 * HOUR}, .until = {NOW + 22 * HOUR}, .wants_history = true};
    struct watch watch;

    (void)state;
    watch_begin(&watch, NOW, false);
    watch_look(&watch, NULL);
    watch.facts = gl_signal_store_zone(watch.store, &query);
    assert_int_equal(history_of(watch.facts, "national", GL_INTENSITY)->issues.count, 1);
    watch_end(&watch);
}

/* Slow answers: what is for the archive alone is not asked for. */
static void test_answers_come_first(void **state)
{
    struct run run = {0};

    (void)state;
    start(&run, NOW, &archived);
    say(&run,
        (struct answer){.match = "/intensity/", .status = 200, .body = NESO_BODY, .delay_ms = 900});
    say(&run,
        (struct answer){.match = "/generation", .status = 200, .body = MIX_BODY, .delay_ms = 200});
    look(run.store, "GB", NULL, NOW);
    assert_int_equal(run.script.calls, 2);
    finish(&run);
}

static void test_forecast_revised(void **state)
{
    struct watch watch;
    const struct gl_issues *issues;

    (void)state;
    for (int i = 0; i < 2; i++) { /* the forecast changes at 18:00 */
        watch_begin(&watch, NOW + 5 * HOUR + 3000 + i * HOUR, false);
        watch_look(&watch, NULL);
        watch_end(&watch);
    }
    watch_begin(&watch, NOW + DAY_S, true);
    issues = &watch_look(&watch, NULL)->issues;
    assert_int_equal(issues->count, 2);
    assert_true(issues->issue[0].value[3] != issues->issue[1].value[2]); /* of one hour */
    watch_end(&watch);
}

/* The same answer minutes later, and an answer out of the cache, is no new issue. */
static void test_same_forecast_once(void **state)
{
    struct watch watch;

    (void)state;
    for (int i = 0; i < 3; i++) {
        watch_begin(&watch, NOW + i * 60, false);
        assert_int_equal(watch_look(&watch, NULL)->issues.count, 1);
        watch_end(&watch);
    }
}

static void test_clock_jump(void **state)
{
    struct watch watch;
    const struct gl_history *history;

    (void)state;
    watch_begin(&watch, NOW + 3 * HOUR, false);
    watch_look(&watch, NULL);
    watch_end(&watch);
    watch_begin(&watch, NOW, false); /* three hours back */
    history = watch_look(&watch, NULL);
    assert_null(history); /* nothing of it was known before that later time */
    watch_end(&watch);
    watch_begin(&watch, NOW + 3 * HOUR, true);
    history = watch_look(&watch, NULL);
    assert_int_equal(history->issues.count, 2); /* but it is kept */
    assert_int_equal(history->issues.issue[1].received_s, NOW + 3 * HOUR);
    watch_end(&watch);
}

/* ---- answers that are not to be trusted ---- */

#define TWO_WORDS                                                   \
    "{\"data\":[" NESO_ITEM("12:00", "12:30", "110") "," NESO_ITEM( \
        "12:00", "12:30", "120") "," NESO_ITEM("12:30", "13:00", "120") "]}"

static void test_suspect_is_not_stored(void **state)
{
    struct run run = {0};

    (void)state;
    start(&run, NOW, &archived);
    say(&run, (struct answer){.match = "/intensity/", .status = 200, .body = TWO_WORDS});
    say(&run, (struct answer){.match = "/generation", .status = 200, .body = "{}"});
    say(&run, (struct answer){.match = "/CO2Emis", .status = 200, .body = DANISH_BODY("CO2Emis")});
    ask(&run, "GB");
    assert_int_equal(look(run.store, "GB", NULL, NOW)->history_count, 0);
    /* DK2 was asked for, DK1 came; and the forecast's answer is of another data set. */
    assert_int_equal(look(run.store, "DK-DK2", NULL, NOW)->history_count, 0);
    assert_int_equal(report_of(&run, "energinet", "DK-DK2")->error.code, GL_E_BAD_REPLY);
    assert_int_equal(report_of(&run, "energinet", "DK-DK2")->archive.code, GL_OK);
    finish(&run);
}

/* 410: named, not asked again, and what is stored still serves. */
static void test_source_is_gone(void **state)
{
    struct watch watch;
    const struct gl_history *history;
    size_t count;
    const struct gl_signal_report *reports;

    (void)state;
    watch_begin(&watch, NOW, false);
    watch_look(&watch, NULL);
    watch_end(&watch);
    watch_begin(&watch, NOW + HOUR, false);
    watch.grid.fails_from = 1;
    watch.grid.status = 410;
    history = watch_look(&watch, NULL);
    assert_int_equal(watch.grid.calls, 1);
    assert_int_equal(history->issues.count, 1);
    reports = gl_signal_store_reports(watch.store, &count);
    assert_string_equal(reports[0].source, "neso");
    assert_int_equal(reports[0].error.code, GL_E_NOT_FOUND);
    assert_non_null(strstr(reports[0].error.text, "neso answered with status 410"));
    assert_non_null(strstr(reports[0].error.text, "gone for good"));
    watch_look(&watch, "13");
    assert_int_equal(watch.grid.calls, 1);
    watch_end(&watch);
}

/* ---- the archive cannot be written ---- */

static void test_archive_fails(void **state)
{
    static const struct gl_signal_store_options nowhere = {.archive_folder = "/proc/no/archive"};
    struct run run = {0};
    const struct gl_zone_facts *facts;

    (void)state;
    start(&run, NOW, &nowhere);
    say_all(&run);
    facts = look(run.store, "GB", NULL, NOW);
    assert_int_equal(facts->count, 6); /* the answers serve all the same */
    assert_int_equal(facts->history_count, 0);
    assert_true(report_of(&run, "neso", "GB")->is_ok);
    assert_int_equal(report_of(&run, "neso", "GB")->error.code, GL_OK);
    assert_int_equal(report_of(&run, "neso", "GB")->archive.code, GL_E_IO);
    finish(&run);
}

/* ---- places and meanings ---- */

#define REGION_ITEM(from, to, forecast)                                               \
    "{\"from\":\"2026-01-10T" from "Z\",\"to\":\"2026-01-10T" to "Z\",\"intensity\":" \
    "{\"forecast\":" forecast ",\"index\":\"low\"},\"generationmix\":[{\"fuel\":"     \
    "\"wind\",\"perc\":80},{\"fuel\":\"gas\",\"perc\":20}]}"
#define REGION_BODY                                                                              \
    "{\"data\":{\"regionid\":13,\"data\":[" REGION_ITEM("12:00", "12:30", "50") "," REGION_ITEM( \
        "12:30", "13:00", "70") "]}}"

/* A region never gets an outturn, and that of the whole country is not its own. */
static void test_region_apart(void **state)
{
    struct run run = {0};
    const struct gl_zone_facts *facts;
    const struct gl_history *history;

    (void)state;
    start(&run, NOW, &archived);
    say(&run, (struct answer){.match = "/regional/", .status = 200, .body = REGION_BODY});
    say_all(&run);
    facts = look(run.store, "GB", "13", NOW);
    history = history_of(facts, "region 13", GL_INTENSITY);
    assert_non_null(history);
    assert_int_equal(history->actuals.count, 0);
    assert_int_equal(history->issues.count, 1);
    assert_true(history->issues.issue[0].value[0] == 60.0F);
    assert_non_null(history_of(facts, "region 13", GL_RENEWABLE_SHARE));
    assert_non_null(history_of(facts, "national", GL_INTENSITY));
    assert_null(history_of(look(run.store, "GB", NULL, NOW), "region 13", GL_INTENSITY));
    assert_null(history_of(look(run.store, "GB", "12", NOW), "region 13", GL_INTENSITY));
    finish(&run);
}

static char *danish(const char *set, int64_t from_s, int count, int value)
{
    struct gl_str body = {0};
    char at[GL_INSTANT_TEXT];

    gl_str_addf(&body, "{\"dataset\":\"%s\",\"records\":[", set);
    for (int i = 0; i < count; i++)
        gl_str_addf(&body, "%s{\"Minutes5UTC\":\"%.19s\",\"PriceArea\":\"DK1\",\"CO2Emission\":%d}",
                    i > 0 ? "," : "", gl_instant_text((struct gl_instant){from_s + i * 300}, at),
                    value + i % 12);
    gl_str_add(&body, "]}");
    return gl_str_take(&body);
}

/* The two data sets of Energinet are one history: the one says what came of the other. */
static void test_forecast_and_actual_of_two_datasets(void **state)
{
    GL_AUTO(gl_auto_free) char *past = danish("CO2Emis", NOW - 6 * HOUR, 71, 80);
    GL_AUTO(gl_auto_free) char *ahead = danish("CO2EmisProg", NOW - HOUR, 12 * 10, 90);
    struct run run = {0};
    const struct gl_zone_facts *facts;
    const struct gl_history *history;

    (void)state;
    start(&run, NOW, &archived);
    say(&run, (struct answer){.match = "/CO2Emis?", .status = 200, .body = past});
    say(&run, (struct answer){.match = "/CO2EmisProg?", .status = 200, .body = ahead});
    facts = look(run.store, "DK-DK1", NULL, NOW);
    assert_int_equal(facts->history_count, 1);
    history = facts->histories[0];
    assert_string_equal(history->dataset, "CO2Emis");
    assert_int_equal(history->actual_count, 5); /* the last five minutes are missing */
    assert_true(history->actuals.value[0] == 85.5F);
    assert_int_equal(history->issues.count, 1);
    assert_int_equal(history->issues.issue[0].start_s, NOW);
    assert_int_equal(history->issues.issue[0].count, 9);
    assert_true(history->issues.issue[0].value[0] == 95.5F);
    finish(&run);
}

/* Energy-Charts: past shares are actuals that may still move; the other answer is the forecast. */
static void test_energy_charts(void **state)
{
    struct run run = {0};
    const struct gl_zone_facts *facts;
    const struct gl_history *history;

    (void)state;
    start(&run, NOW, &archived);
    say_all(&run);
    facts = look(run.store, "DE", NULL, NOW);
    assert_int_equal(facts->history_count, 1);
    history = facts->histories[0];
    assert_int_equal(history->meaning.trace, GL_SHARE_OF_LOAD);
    assert_int_equal(history->actual_count, 1);
    assert_int_equal(history->estimated_count, 1);
    assert_true(history->actuals.value[0] == 50.5F);
    assert_int_equal(history->issues.count, 1);
    assert_int_equal(history->issues.issue[0].count, 2);
    assert_true(history->issues.issue[0].value[0] == 61.0F);
    finish(&run);
}

static void test_offline_reads_the_archive(void **state)
{
    struct run run = {0};

    (void)state;
    start(&run, NOW, &archived);
    say_all(&run);
    ask(&run, "DE");
    finish(&run);
    run = (struct run){0};
    start(&run, NOW + HOUR, &off);
    assert_int_equal(look(run.store, "DE", NULL, NOW + HOUR)->history_count, 1);
    assert_int_equal(run.script.calls, 0);
    finish(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_nothing_unless_asked, set_up),
        cmocka_unit_test_setup(test_no_folder_no_history, set_up),
        cmocka_unit_test_setup(test_forecast_and_outturn, set_up),
        cmocka_unit_test_setup(test_replay_is_what_was_seen, set_up),
        cmocka_unit_test_setup(test_forecast_shorter_than_asked, set_up),
        cmocka_unit_test_setup(test_forecast_with_a_hole, set_up),
        cmocka_unit_test_setup(test_part_of_a_forecast, set_up),
        cmocka_unit_test_setup(test_answers_come_first, set_up),
        cmocka_unit_test_setup(test_forecast_revised, set_up),
        cmocka_unit_test_setup(test_same_forecast_once, set_up),
        cmocka_unit_test_setup(test_clock_jump, set_up),
        cmocka_unit_test_setup(test_suspect_is_not_stored, set_up),
        cmocka_unit_test_setup(test_source_is_gone, set_up),
        cmocka_unit_test_setup(test_archive_fails, set_up),
        cmocka_unit_test_setup(test_region_apart, set_up),
        cmocka_unit_test_setup(test_forecast_and_actual_of_two_datasets, set_up),
        cmocka_unit_test_setup(test_energy_charts, set_up),
        cmocka_unit_test_setup(test_offline_reads_the_archive, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
