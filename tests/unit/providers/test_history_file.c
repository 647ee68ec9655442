/* SPDX-License-Identifier: Apache-2.0 */
#define FOLDER "build/tmp/test_history_file"

#include "policy/guarantee/history.h"
#include "tests/unit/providers/store_run.h"

#define SERIES FOLDER "/series.csv"
#define HEAD   "from,until,zone,quantity,unit,value,evidence,issued,updated\n"
#define DAY    INT64_C(86400)

static const struct gl_signal_config files[] = {{.name = "file", .path = SERIES}};
static const struct gl_signal_store_options given = {.sources = files, .source_count = 1};

static void write_series(const char *text)
{
    struct gl_error err = {0};

    assert_int_equal(gl_file_write(SERIES, text, strlen(text), 0600, &err), 0);
}

static const struct gl_zone_facts *look(struct run *run, const char *zone)
{
    struct gl_signal_query query = {.wants_history = true, .from = gl_now(run->world)};

    query.until.unix_s = query.from.unix_s + HOUR;
    snprintf(query.zone, sizeof query.zone, "%s", zone);
    return gl_signal_store_zone(run->store, &query);
}

static void add_row(struct gl_str *text, int64_t from_s, int64_t step_s, const char *rest)
{
    char from[GL_INSTANT_TEXT], until[GL_INSTANT_TEXT];

    gl_str_addf(text, "%s,%s,DE,carbon_intensity,g/kWh,%s\n",
                gl_instant_text((struct gl_instant){from_s}, from),
                gl_instant_text((struct gl_instant){from_s + step_s}, until), rest);
}

/* Actuals of half-hours, and two issues of a day each. */
static void write_usual(void)
{
    struct gl_str text = {0};
    char rest[80], issued[GL_INSTANT_TEXT];

    gl_str_add(&text, HEAD);
    for (int64_t at_s = NOW - 10 * DAY; at_s < NOW + DAY; at_s += 1800) {
        snprintf(rest, sizeof rest, "%d,measured,,", at_s % 3600 == 0 ? 100 : 110);
        add_row(&text, at_s, 1800, rest);
    }
    for (int64_t issued_s = NOW - DAY; issued_s <= NOW + DAY; issued_s += DAY / 2)
        for (int i = 0; i < 24; i++) {
            snprintf(rest, sizeof rest, "%d,forecast,%s,", 200 + i,
                     gl_instant_text((struct gl_instant){issued_s}, issued));
            add_row(&text, issued_s + i * HOUR, HOUR, rest);
        }
    write_series(gl_str_text(&text));
    gl_str_done(&text);
}

static void test_actuals_and_issues(void **state)
{
    struct run run = {0};
    const struct gl_zone_facts *facts;
    const struct gl_history *history;
    float value = 0;

    (void)state;
    write_usual();
    start(&run, NOW, &given);
    facts = look(&run, "DE");
    assert_int_equal(facts->history_count, 1);
    history = facts->histories[0];
    assert_string_equal(history->provider, "file");
    assert_string_equal(history->dataset, "series.csv");
    assert_int_equal(history->actuals.start_s, NOW - 10 * DAY);
    assert_int_equal(history->actual_count, 240); /* nothing of the time that has not come */
    assert_int_equal(history->estimated_count, 0);
    assert_true(gl_actual_at(&history->actuals, NOW - HOUR, &value));
    assert_true(value == 105.0F);
    assert_int_equal(history->actuals.lag_h, 0);
    assert_false(history->is_lag_measured);
    assert_int_equal(history->issues.count, 3); /* not those of tomorrow */
    assert_int_equal(history->issues.issue[0].received_s, NOW - DAY);
    assert_int_equal(history->issues.issue[2].received_s, NOW);
    assert_int_equal(history->issues.issue[2].count, 24);
    assert_true(history->issues.issue[2].value[23] == 223.0F);
    finish(&run);
}

/* The same file, earlier: only what had come by then. */
static void test_stands_in_the_past(void **state)
{
    struct run run = {0};
    const struct gl_history *history;

    (void)state;
    write_usual();
    start(&run, NOW - DAY / 2 - 60, &given);
    history = look(&run, "DE")->histories[0];
    assert_int_equal(history->actual_count, 9 * 24 + 11);
    assert_int_equal(history->issues.count, 1);
    assert_int_equal(history->newest_actual_s, NOW - DAY / 2 - 2 * HOUR);
    finish(&run);
}

static void test_updates_give_lag_and_revisions(void **state)
{
    struct run run = {0};
    struct gl_str text = {0};
    const struct gl_history *history;
    char rest[80], updated[GL_INSTANT_TEXT];
    float value = 0;

    (void)state;
    gl_str_add(&text, HEAD);
    for (int i = 0; i < 20; i++) {
        int64_t at_s = NOW - DAY + i * HOUR;

        snprintf(rest, sizeof rest, "%d,measured,,%s", 100 + i,
                 gl_instant_text((struct gl_instant){at_s + HOUR + 5400}, updated));
        add_row(&text, at_s, HOUR, rest);
    }
    write_series(gl_str_text(&text));
    gl_str_done(&text);
    start(&run, NOW, &given);
    history = look(&run, "DE")->histories[0];
    assert_true(history->is_lag_measured);
    assert_int_equal(history->actuals.lag_h, 2);
    assert_int_equal(history->revisions.changed, 0);
    finish(&run);
    /* What was updated after the time we stand at was not known then. */
    run = (struct run){0};
    start(&run, NOW - DAY + 2 * HOUR + 5400, &given);
    history = look(&run, "DE")->histories[0];
    assert_int_equal(history->actual_count, 2);
    assert_true(gl_actual_at(&history->actuals, NOW - DAY + HOUR, &value));
    assert_true(value == 101.0F);
    finish(&run);
}

/* Meanings and zones stay apart; a forecast that does not say when it was issued is no issue. */
static void test_apart(void **state)
{
    struct run run = {0};
    const struct gl_zone_facts *facts;

    (void)state;
    write_series(HEAD
                 "2026-01-10T10:00Z,2026-01-10T11:00Z,DE,carbon_intensity,g/kWh,100,measured,,\n"
                 "2026-01-10T10:00Z,2026-01-10T11:00Z,DE,renewable_share,%,96,measured,,\n"
                 "2026-01-10T10:00Z,2026-01-10T11:00Z,FR,renewable_share,%,20,measured,,\n"
                 "2026-01-10T12:00Z,2026-01-10T13:00Z,DE,carbon_free_share,%,99,forecast,,\n");
    start(&run, NOW, &given);
    facts = look(&run, "DE");
    assert_int_equal(facts->history_count, 2);
    assert_int_equal(facts->histories[0]->meaning.quantity, GL_INTENSITY);
    assert_int_equal(facts->histories[1]->meaning.quantity, GL_RENEWABLE_SHARE);
    assert_true(facts->histories[1]->actuals.value[0] == 96.0F);
    assert_int_equal(look(&run, "FR")->history_count, 1);
    assert_int_equal(look(&run, "ES")->history_count, 0);
    finish(&run);
}

static void test_suspect_series(void **state)
{
    struct run run = {0};

    (void)state;
    write_series(HEAD
                 "2026-01-10T10:00Z,2026-01-10T11:00Z,DE,carbon_intensity,g/kWh,100,measured,,\n"
                 "2026-01-10T10:00Z,2026-01-10T11:00Z,DE,carbon_intensity,g/kWh,120,measured,,\n");
    start(&run, NOW, &given);
    assert_int_equal(look(&run, "DE")->history_count, 0);
    assert_int_equal(report_of(&run, "file", "DE")->archive.code, GL_E_UNKNOWN_DATA);
    assert_non_null(strstr(report_of(&run, "file", "DE")->archive.text, "conflicting values"));
    finish(&run);
}

/* A year of hourly issues, out of order: within the ceilings, and quick. */
static void test_thousands_of_issues(void **state)
{
    struct run run = {0};
    struct gl_str text = {0};
    const struct gl_zone_facts *facts;
    char rest[80], issued[GL_INSTANT_TEXT];

    (void)state;
    gl_str_add(&text, HEAD);
    for (int i = 0; i < 8760; i++) {
        int64_t issued_s = NOW - (i * 7919 % 8760) * HOUR;

        snprintf(rest, sizeof rest, "%d,forecast,%s,", i % 500,
                 gl_instant_text((struct gl_instant){issued_s}, issued));
        add_row(&text, issued_s, HOUR, rest);
        add_row(&text, issued_s + HOUR, HOUR, rest);
    }
    write_series(gl_str_text(&text));
    gl_str_done(&text);
    start(&run, NOW, &given);
    facts = look(&run, "DE");
    assert_int_equal(facts->histories[0]->issues.count, 8760);
    assert_int_equal(facts->histories[0]->issues.issue[8759].received_s, NOW);
    assert_int_equal(facts->histories[0]->issues.issue[0].received_s, NOW - 8759 * HOUR);
    assert_in_range(facts->count, 256, 256 + 3); /* the newest, and the yearly table */
    assert_int_equal(facts->series[0]->issued_s, NOW);
    finish(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_actuals_and_issues, set_up),
        cmocka_unit_test_setup(test_stands_in_the_past, set_up),
        cmocka_unit_test_setup(test_updates_give_lag_and_revisions, set_up),
        cmocka_unit_test_setup(test_apart, set_up),
        cmocka_unit_test_setup(test_suspect_series, set_up),
        cmocka_unit_test_setup(test_thousands_of_issues, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
