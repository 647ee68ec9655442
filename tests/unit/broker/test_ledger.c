/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/ledger.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/broker/ledger_bench.h"

static void an_event_and_its_projection_come_back(void **state)
{
    struct gl_ledger *ledger = must_open();
    struct gl_launch_rows rows;
    struct gl_launch_change change = {
        GL_LAUNCH_KEEP,   .launch = "gl-1", .name = "n'ame", .state = "intended", .cloud = "local",
        .region = "here", .type = "small",  .zone = "IS",    .token = "t",        .plan = "{}"};
    json_t *body = json_pack("{s:s}", "b", "x|y");

    (void)state;
    change.attempt = 1;
    change.created_ms = NOW;
    change.started_ms = NOW + 1;
    change.expires_ms = NOW + 2;
    change.is_demo = 1;
    assert_int_equal(gl_ledger_append(ledger, "intent", "gl-1", body, &change, &err), 0);
    change = (struct gl_launch_change){GL_LAUNCH_KEEP, .launch = "gl-1", .state = "ended",
                                       .instance = "i-1", .receipt = "{\"r\":1}"};
    change.ended_ms = NOW + 3;
    change.exit_status = 0;
    assert_int_equal(gl_ledger_append(ledger, "ended", "gl-1", body, &change, &err), 0);
    gl_ledger_close(ledger);
    ledger = must_open();
    assert_int_equal(gl_ledger_launches(ledger, "gl-1", &rows, &err), 0);
    assert_int_equal(rows.count, 1);
    assert_string_equal(rows.rows[0].name, "n'ame");
    assert_string_equal(rows.rows[0].state, "ended");
    assert_string_equal(rows.rows[0].cloud, "local");
    assert_string_equal(rows.rows[0].region, "here");
    assert_string_equal(rows.rows[0].type, "small");
    assert_string_equal(rows.rows[0].zone, "IS");
    assert_string_equal(rows.rows[0].token, "t");
    assert_string_equal(rows.rows[0].instance, "i-1");
    assert_string_equal(rows.rows[0].plan, "{}");
    assert_string_equal(rows.rows[0].receipt, "{\"r\":1}");
    assert_int_equal(rows.rows[0].attempt, 1);
    assert_int_equal(rows.rows[0].created_ms, NOW);
    assert_int_equal(rows.rows[0].started_ms, NOW + 1);
    assert_int_equal(rows.rows[0].expires_ms, NOW + 2);
    assert_int_equal(rows.rows[0].ended_ms, NOW + 3);
    assert_int_equal(rows.rows[0].exit_status, 0);
    assert_true(rows.rows[0].is_demo);
    gl_launch_rows_free(&rows);
    json_decref(body);
    gl_ledger_close(ledger);
}

static void launches_are_found_by_id_name_and_state_newest_first(void **state)
{
    struct gl_ledger *ledger = must_open();
    struct gl_launch_rows rows;

    (void)state;
    assert_int_equal(append(ledger, "gl-a", "running", 1), 0);
    assert_int_equal(append(ledger, "gl-b", "running", 3), 0);
    assert_int_equal(append(ledger, "gl-c", "ended", 2), 0);
    assert_int_equal(gl_ledger_launches(ledger, NULL, &rows, &err), 0);
    assert_int_equal(rows.count, 3);
    assert_string_equal(rows.rows[0].launch, "gl-b");
    assert_string_equal(rows.rows[1].launch, "gl-c");
    assert_string_equal(rows.rows[2].launch, "gl-a");
    gl_launch_rows_free(&rows);
    assert_int_equal(gl_ledger_launches(ledger, "running", &rows, &err), 0);
    assert_int_equal(rows.count, 2);
    gl_launch_rows_free(&rows);
    assert_int_equal(gl_ledger_launches(ledger, "' OR 1=1 --", &rows, &err), 0);
    assert_int_equal(rows.count, 0);
    gl_launch_rows_free(&rows);
    gl_ledger_close(ledger);
}

static void events_are_exported_in_order(void **state)
{
    struct gl_ledger *ledger = must_open();
    struct seen all = {0}, odd = {0}, two = {.most = 2};

    (void)state;
    append_many(ledger, 7);
    assert_int_equal(gl_ledger_events(ledger, NULL, &all, see, &err), 0);
    assert_int_equal(gl_ledger_events(ledger, "gl-odd", &odd, see, &err), 0);
    assert_int_equal(gl_ledger_events(ledger, NULL, &two, see, &err), 0);
    assert_int_equal(all.count, 7);
    assert_int_equal(odd.count, 4);
    assert_int_equal(two.count, 2);
    gl_str_done(&all.text);
    gl_str_done(&odd.text);
    gl_str_done(&two.text);
    gl_ledger_close(ledger);
}

static void the_chain_is_as_documented(void **state)
{
    struct gl_ledger *ledger = must_open();
    struct gl_ledger_check check;
    struct gl_hash hash;
    char hex[GL_HASH_HEX];
    static const char zeros[] = "0000000000000000000000000000000000000000000000000000000000000000";
    struct gl_str text = {0};

    (void)state;
    check = must_check(ledger);
    assert_int_equal(check.events, 0);
    assert_string_equal(check.head, zeros);
    assert_int_equal(append(ledger, "gl-1", "running", 1), 0);
    gl_str_addf(&text, "%s|1|%" PRId64 "|running|gl-1|{\"number\":1,\"state\":\"running\"}", zeros,
                NOW + 10);
    gl_hash_of(text.text, text.length, &hash);
    check = must_check(ledger);
    assert_int_equal(check.events, 1);
    assert_int_equal(check.launches, 1);
    assert_string_equal(check.head, gl_hash_hex(&hash, hex));
    gl_str_done(&text);
    gl_ledger_close(ledger);
}

static void events_cannot_be_changed_or_deleted(void **state)
{
    sqlite3 *db;

    (void)state;
    struct gl_ledger *ledger = must_open();
    append_many(ledger, 2);
    gl_ledger_close(ledger);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_not_equal(sqlite3_exec(db, "UPDATE events SET body = ''", NULL, NULL, NULL),
                         SQLITE_OK);
    assert_int_not_equal(sqlite3_exec(db, "DELETE FROM events", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static void assert_check_names(const char *expected)
{
    struct gl_ledger *ledger = must_open();
    struct gl_ledger_check check = {.events = 77};

    assert_int_equal(gl_ledger_check(ledger, &check, &err), -1);
    assert_int_equal(err.code, GL_E_TAMPERED);
    if (strstr(err.text, expected) == NULL)
        fail_msg("not \"%s\" but: %s", expected, err.text);
    assert_int_equal(check.events, 77);
    gl_error_clear(&err);
    gl_ledger_close(ledger);
}

static void check_names_the_first_changed_event(void **state)
{
    static const char *const edits[] = {
        "at_ms = at_ms + 1",
        "kind = 'x'",
        "launch = 'gl-x'",
        "body = replace(body, '1', '2')",
        "body = body || ' '",
        "hash = replace(hash, substr(hash, 1, 1), 'x')",
        /* The bar between the members moved: the text under the hash is the same. */
        "kind = kind || '|' || launch, launch = 'x'",
    };
    char text[256], expected[64];

    (void)state;
    for (size_t e = 0; e < sizeof edits / sizeof edits[0]; e++)
        for (int seq = 1; seq <= 3; seq++) {
            fresh(3);
            if (seq != 1 && strstr(edits[e], "replace(body") != NULL)
                continue;
            snprintf(text, sizeof text, WITHOUT_GUARDS "UPDATE events SET %s WHERE seq = %d",
                     edits[e], seq);
            sql(text);
            snprintf(expected, sizeof expected, "event %d ", seq);
            assert_check_names(expected);
        }
    fresh(3);
    sql(WITHOUT_GUARDS "UPDATE events SET prev = 'x' WHERE seq = 2");
    assert_check_names("event 2 does not follow");
}

/* The members run together under the hash with bars between: only the body may hold one. */
static void a_moved_bar_is_noticed(void **state)
{
    struct gl_ledger *ledger = must_open();
    json_t *body = json_pack("{s:s}", "why", "a|b");

    (void)state;
    assert_int_equal(gl_ledger_append(ledger, "failed", "gl-1", body, NULL, &err), 0);
    gl_ledger_close(ledger);
    sql(WITHOUT_GUARDS "UPDATE events SET launch = 'gl-1|{\"why\":\"a', body = 'b\"}'");
    assert_check_names("event 1 was changed");
    fresh(0);
    ledger = must_open();
    assert_int_equal(gl_ledger_append(ledger, "a|b", "gl-1", body, NULL, &err), -1);
    gl_error_clear(&err);
    assert_int_equal(gl_ledger_append(ledger, "a", "gl|1", body, NULL, &err), -1);
    gl_ledger_close(ledger);
    json_decref(body);
}

static void check_names_the_first_missing_event(void **state)
{
    char text[128], expected[64];

    (void)state;
    for (int seq = 1; seq <= 4; seq++) { /* the last one too */
        fresh(4);
        snprintf(text, sizeof text, WITHOUT_GUARDS "DELETE FROM events WHERE seq = %d", seq);
        sql(text);
        snprintf(expected, sizeof expected, "event %d is missing", seq);
        assert_check_names(expected);
    }
    fresh(4);
    sql(WITHOUT_GUARDS "DELETE FROM events");
    assert_check_names("event 1 is missing");
    fresh(4); /* cut out and closed up */
    sql(WITHOUT_GUARDS "DELETE FROM events WHERE seq = 2; UPDATE events SET seq = seq - 1"
                       " WHERE seq > 2");
    assert_check_names("event 2 does not follow");
    fresh(2); /* put in */
    sql("INSERT INTO events SELECT 3, at_ms, kind, launch, body, hash, hash FROM events"
        " WHERE seq = 2");
    assert_check_names("event 3 ");
}

static void processes_that_begin_and_append_at_once_agree(void **state)
{
    enum { PROCESSES = 6, EACH = 25 };
    pid_t children[PROCESSES];
    struct gl_ledger_check check;
    struct gl_ledger *ledger;

    (void)state;
    for (size_t p = 0; p < PROCESSES; p++) {
        children[p] = fork();
        if (children[p] == 0) {
            ledger = open_capped(0);
            for (int64_t i = 0; ledger != NULL && i < EACH; i++)
                if (append(ledger, "gl-1", "running", i) != 0)
                    break;
            if (err.code != GL_OK)
                fprintf(stderr, "%s\n", err.text);
            gl_ledger_close(ledger);
            _exit(err.code != GL_OK);
        }
    }
    for (size_t p = 0; p < PROCESSES; p++) {
        int status = -1;

        waitpid(children[p], &status, 0);
        assert_int_equal(status, 0);
    }
    ledger = must_open();
    check = must_check(ledger);
    assert_int_equal(check.events, PROCESSES * EACH);
    gl_ledger_close(ledger);
}

static const char cases[][GL_HASH_HEX] = {
    "7f3a91c200000000000000000000000000000000000000000000000000000000",
    "7f3a91c200000000000000000000000000000000000000000000000000000001",
};

/* One launch that could not have what both cases speak of, or the second alone. */
static int need(struct gl_ledger *ledger, const char *key, bool is_demo, bool is_second,
                int64_t *out_seen)
{
    GL_AUTO(gl_auto_json) json_t *body = json_pack("{s:s,s:s}", "padding", padding, "key", key);
    const struct gl_ledger_demand demand = {body, key, is_demo, is_second ? 1 : 2,
                                            &cases[is_second]};

    return gl_ledger_demand(ledger, &demand, out_seen, &err);
}

static void launches_are_counted_by_what_they_needed(void **state)
{
    struct gl_ledger *ledger = must_open();
    int64_t seen = 0;

    (void)state;
    assert_int_equal(need(ledger, "00000000000a", false, false, &seen), 0);
    assert_int_equal(seen, 1);
    assert_int_equal(need(ledger, "00000000000b", false, false, &seen), 0);
    assert_int_equal(seen, 2);
    assert_int_equal(need(ledger, "00000000000b", false, false, &seen), 0); /* once more */
    assert_int_equal(seen, 2);
    assert_int_equal(need(ledger, "00000000000c", false, true, &seen), 0);
    assert_int_equal(seen, 3); /* the second case was seen with the first as well */
    assert_int_equal(need(ledger, "00000000000c", true, true, &seen), 0);
    assert_int_equal(seen, 1); /* of demonstrations */
    gl_ledger_close(ledger);
    ledger = must_open();
    assert_int_equal(need(ledger, "00000000000d", false, false, &seen), 0);
    assert_int_equal(seen, 3);
    assert_int_equal(must_check(ledger).events, 6);
    gl_ledger_close(ledger);
}

static void a_demand_signal_is_counted_and_chained_or_neither(void **state)
{
    struct gl_ledger *ledger = open_capped(60);
    int64_t seen = 0, counted = 0;
    char key[16];

    (void)state;
    do
        snprintf(key, sizeof key, "%012d", (int)++counted);
    while (need(ledger, key, false, false, &seen) == 0);
    assert_int_equal(seen, counted - 1);
    assert_int_equal(err.code, GL_E_DISK_FULL);
    gl_error_clear(&err);
    gl_ledger_close(ledger);
    ledger = must_open();
    assert_int_equal(must_check(ledger).events, seen);
    assert_int_equal(need(ledger, key, false, false, &seen), 0);
    assert_int_equal(seen, counted);
    gl_ledger_close(ledger);
}

static void what_cannot_be_canonical_is_not_recorded(void **state)
{
    struct gl_ledger *ledger = must_open();
    json_t *body = json_pack("{s:f}", "x", 0.5);

    (void)state;
    assert_int_equal(gl_ledger_append(ledger, "a", "gl-1", body, NULL, &err), -1);
    gl_error_clear(&err);
    assert_int_equal(gl_ledger_append(ledger, "a", "gl-1", NULL, NULL, &err), -1);
    assert_int_equal(must_check(ledger).events, 0);
    json_decref(body);
    gl_ledger_close(ledger);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(an_event_and_its_projection_come_back),
        CASE(launches_are_found_by_id_name_and_state_newest_first),
        CASE(events_are_exported_in_order),
        CASE(the_chain_is_as_documented),
        CASE(events_cannot_be_changed_or_deleted),
        CASE(check_names_the_first_changed_event),
        CASE(a_moved_bar_is_noticed),
        CASE(check_names_the_first_missing_event),
        CASE(processes_that_begin_and_append_at_once_agree),
        CASE(launches_are_counted_by_what_they_needed),
        CASE(a_demand_signal_is_counted_and_chained_or_neither),
        CASE(what_cannot_be_canonical_is_not_recorded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
