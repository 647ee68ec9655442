/* SPDX-License-Identifier: Apache-2.0 */
#define FOLDER "build/tmp/test_backfill"

#include "policy/guarantee/history.h"
#include "tests/unit/providers/grid_script.h"
#include "tests/unit/providers/store_run.h"

#define ARCHIVE FOLDER "/archive"
#define DAY     INT64_C(86400)

static const struct gl_signal_config neso_only[] = {{.name = "neso"}};

struct fill {
    struct gl_world *world;
    struct grid grid;
    struct gl_signal_store *store;
    struct gl_backfill_result result;
    struct gl_error err;
    unsigned steps, stops_at;
    struct gl_backfill_step last;
};

static void begin(struct fill *fill, int64_t now_s, const struct gl_signal_store_options *options)
{
    struct gl_signal_store_options own = *options;

    *fill = (struct fill){.world = gl_world_fixed_new(now_s * 1000, 1, NULL)};
    fill->grid.http.ops = &grid_ops;
    fill->grid.world = fill->world;
    fill->grid.forecast_s = 48 * HOUR;
    fill->world->http = &fill->grid.http;
    own.world = fill->world;
    own.sources = neso_only;
    own.source_count = 1;
    fill->store = gl_signal_store_new(&own);
}

static void end(struct fill *fill)
{
    gl_signal_store_free(fill->store);
    gl_world_fixed_free(fill->world);
}

static bool note(void *cookie, const struct gl_backfill_step *step)
{
    struct fill *fill = cookie;

    fill->last = *step;
    return ++fill->steps != fill->stops_at;
}

static int run(struct fill *fill, const char *zone, int64_t from_s, int64_t until_s)
{
    const struct gl_backfill ask = {
        .zone = zone, .from = {from_s}, .until = {until_s}, .progress = note, .cookie = fill};

    return gl_signal_backfill(fill->store, &ask, &fill->result, &fill->err);
}

static const struct gl_signal_store_options archived = {.archive_folder = ARCHIVE};

static const struct gl_history *history_of(struct fill *fill, enum gl_quantity quantity)
{
    struct gl_signal_query query = {.zone = "GB", .is_cache_only = true, .wants_history = true};
    const struct gl_zone_facts *facts;

    query.from = gl_now(fill->world);
    query.until.unix_s = query.from.unix_s + HOUR;
    facts = gl_signal_store_zone(fill->store, &query);
    for (size_t i = 0; i < facts->history_count; i++)
        if (facts->histories[i]->meaning.quantity == quantity)
            return facts->histories[i];
    return NULL;
}

/* Pieces of 14 days on a fixed grid, newest first, a second apart, two answers each. */
static void test_pieces(void **state)
{
    struct fill fill;
    const struct gl_history *history;
    float value = 0;

    (void)state;
    begin(&fill, NOW, &archived);
    assert_int_equal(run(&fill, "GB", NOW - 30 * DAY, NOW), 0);
    assert_int_equal(fill.result.sources, 1);
    assert_int_equal(fill.result.requests, 6);
    assert_int_equal(fill.grid.calls, 6);
    assert_int_equal(fill.steps, 3);
    assert_int_equal(fill.last.all, 3);
    assert_int_equal(fill.last.done, 3);
    assert_string_equal(fill.last.source, "neso");
    assert_non_null(strstr(fill.grid.urls[0], "/intensity/2026-01-01T00:00Z/2026-01-10T12:00Z"));
    assert_non_null(strstr(fill.grid.urls[1], "/generation/2026-01-01T00:00Z/2026-01-10T12:00Z"));
    assert_non_null(strstr(fill.grid.urls[2], "/intensity/2025-12-18T00:00Z/2026-01-01T00:00Z"));
    for (unsigned i = 1; i < 6; i++)
        assert_true(fill.grid.at_s[i] - fill.grid.at_s[i - 1] >= 1);
    history = history_of(&fill, GL_INTENSITY);
    assert_int_equal(history->issues.count, 0); /* past forecasts were rewritten */
    assert_int_equal(history->actual_count, 37 * 24 + 12 - 1);
    assert_false(history->is_lag_measured);
    assert_int_equal(history->actuals.lag_h, GL_HISTORY_LAG_H);
    assert_true(gl_actual_at(&history->actuals, NOW - 20 * DAY, &value));
    assert_true(value == (float)grid_truth(NOW - 20 * DAY) + 0.5F);
    assert_int_equal(history_of(&fill, GL_CARBON_FREE_SHARE)->actual_count, 37 * 24 + 12);
    end(&fill);
}

/* Cut off in the middle: the next run begins where it was, the one after that asks for the piece
 * that is not settled alone. */
static void test_goes_on(void **state)
{
    struct fill fill;

    (void)state;
    begin(&fill, NOW, &archived);
    fill.grid.fails_from = 4;
    assert_int_equal(run(&fill, "GB", NOW - 60 * DAY, NOW), -1);
    assert_int_equal(fill.err.code, GL_E_NETWORK);
    assert_true(fill.result.hours > 0); /* what came stays */
    end(&fill);
    begin(&fill, NOW + HOUR, &archived);
    fill.grid.fails_from = 5;
    fill.grid.status = 410;
    assert_int_equal(run(&fill, "GB", NOW - 60 * DAY, NOW), -1);
    assert_int_equal(fill.err.code, GL_E_NOT_FOUND);
    end(&fill);
    begin(&fill, NOW + 2 * HOUR, &archived);
    assert_int_equal(run(&fill, "GB", NOW - 60 * DAY, NOW), 0);
    assert_int_equal(fill.steps, 5);
    assert_int_equal(fill.result.requests, 2 + 3 * 2); /* one settled piece was there */
    end(&fill);
    begin(&fill, NOW + 3 * HOUR, &archived);
    assert_int_equal(run(&fill, "GB", NOW - 60 * DAY, NOW), 0);
    assert_int_equal(fill.result.requests, 2);
    assert_true(fill.last.was_there);
    assert_int_equal(history_of(&fill, GL_INTENSITY)->actual_count, 65 * 24 + 14);
    end(&fill);
}

static void test_stopped(void **state)
{
    struct fill fill;

    (void)state;
    begin(&fill, NOW, &archived);
    fill.stops_at = 2;
    assert_int_equal(run(&fill, "GB", NOW - 60 * DAY, NOW), -1);
    assert_int_equal(fill.err.code, GL_E_INTERRUPTED);
    assert_int_equal(fill.grid.calls, 4);
    end(&fill);
}

/* What a watch had stored is not stored again, and a settled figure is a revision of it. */
static void test_beside_a_watch(void **state)
{
    struct fill fill;
    const struct gl_history *history;
    struct gl_signal_query query = {
        .zone = "GB", .from = {NOW}, .until = {NOW + HOUR}, .wants_history = true};

    (void)state;
    begin(&fill, NOW, &archived);
    gl_signal_store_zone(fill.store, &query);
    end(&fill);
    begin(&fill, NOW + 5 * DAY, &archived);
    assert_int_equal(run(&fill, "GB", NOW - 2 * DAY, NOW + 5 * DAY), 0);
    assert_true(fill.result.revisions > 0);
    history = history_of(&fill, GL_INTENSITY);
    assert_int_equal(history->issues.count, 1);
    assert_true(history->revisions.changed > 0);
    assert_int_equal(history->revisions.hours, 29); /* of those that the watch saw first */
    assert_int_equal(history->lag_count, 1);
    end(&fill);
}

static void test_refused(void **state)
{
    static const struct gl_signal_store_options offline = {.archive_folder = ARCHIVE,
                                                           .is_offline = true};
    struct fill fill;

    (void)state;
    begin(&fill, NOW, &(struct gl_signal_store_options){0});
    assert_int_equal(run(&fill, "GB", NOW - DAY, NOW), -1);
    assert_int_equal(fill.err.code, GL_E_CONFIG);
    end(&fill);
    begin(&fill, NOW, &offline);
    assert_int_equal(run(&fill, "GB", NOW - DAY, NOW), -1);
    assert_int_equal(fill.err.code, GL_E_CONFIG);
    end(&fill);
    begin(&fill, NOW, &archived);
    assert_int_equal(run(&fill, "DE", NOW - DAY, NOW), -1);
    assert_int_equal(fill.err.code, GL_E_CONFIG);
    assert_non_null(strstr(fill.err.text, "DE"));
    gl_error_clear(&fill.err);
    assert_int_equal(run(&fill, "GB", NOW, NOW), -1);
    gl_error_clear(&fill.err);
    assert_int_equal(run(&fill, "GB", NOW - 2000 * DAY, NOW), -1);
    assert_int_equal(fill.err.code, GL_E_BAD_VALUE);
    assert_int_equal(fill.grid.calls, 0);
    end(&fill);
}

/* A list of done pieces that is not ours is no list. */
static void test_list_of_pieces_is_untrusted(void **state)
{
    static const char *const texts[] = {"", "{}", "[1,", "[\"x\",null,-5,1e99]", "[[[[]]]]"};
    struct gl_error err = {0};

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct fill fill;

        assert_int_equal(gl_dir_remove(FOLDER, &err) || gl_dir_make(ARCHIVE, &err), 0);
        assert_int_equal(
            gl_file_write(ARCHIVE "/neso.GB.backfilled", texts[i], strlen(texts[i]), 0600, &err),
            0);
        begin(&fill, NOW, &archived);
        assert_int_equal(run(&fill, "GB", NOW - 20 * DAY, NOW), 0);
        assert_int_equal(fill.result.requests, 4);
        end(&fill);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_pieces, set_up),
        cmocka_unit_test_setup(test_goes_on, set_up),
        cmocka_unit_test_setup(test_stopped, set_up),
        cmocka_unit_test_setup(test_beside_a_watch, set_up),
        cmocka_unit_test_setup(test_refused, set_up),
        cmocka_unit_test_setup(test_list_of_pieces_is_untrusted, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
