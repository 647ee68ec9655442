/* SPDX-License-Identifier: Apache-2.0 */
/* Promises in the ledger: issued once, settled once, and never other than their events say. */
#include "broker/ledger.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/broker/ledger_bench.h"

static int issue(struct gl_ledger *ledger, const char *id, const char *launch)
{
    GL_AUTO(gl_auto_json)
    json_t *body = json_pack("{s:s,s:s,s:s,s:I}", "id", id, "state", "open", "zone", "DE",
                             "until_s", (json_int_t)1767240000);

    return gl_ledger_guarantee(ledger, launch, body, &err);
}

static int settle(struct gl_ledger *ledger, const char *id, const char *launch, const char *state,
                  bool *out_settled)
{
    GL_AUTO(gl_auto_json) json_t *body = json_pack("{s:s,s:s}", "id", id, "state", state);

    return gl_ledger_guarantee_settle(ledger, launch, body, NULL, out_settled, &err);
}

static void assert_state(struct gl_ledger *ledger, const char *id, const char *state)
{
    struct gl_guarantee_rows rows;

    assert_int_equal(gl_ledger_guarantees(ledger, id, &rows, &err), 0);
    assert_int_equal(rows.count, 1);
    assert_string_equal(rows.rows[0].state, state);
    assert_true((rows.rows[0].settled[0] == '\0') == (strcmp(state, "open") == 0));
    gl_guarantee_rows_free(&rows);
}

static int64_t events_of(struct gl_ledger *ledger)
{
    struct gl_ledger_check check;

    if (gl_ledger_check(ledger, &check, &err) != 0)
        fail_msg("%s", err.text);
    return check.events;
}

static void a_promise_is_issued_and_settled_once(void **state)
{
    struct gl_ledger *ledger = must_open();
    bool is_settled = false;

    (void)state;
    assert_int_equal(issue(ledger, "gr-1", "gl-a"), 0);
    assert_int_equal(issue(ledger, "gr-2", "gl-a"), 0);
    assert_state(ledger, "gr-1", "open");
    assert_int_equal(settle(ledger, "gr-1", "gl-a", "kept", &is_settled), 0);
    assert_true(is_settled);
    assert_state(ledger, "gr-1", "kept");
    assert_int_equal(events_of(ledger), 3);
    assert_int_equal(settle(ledger, "gr-1", "gl-a", "breached", &is_settled), 0);
    assert_false(is_settled);
    assert_state(ledger, "gr-1", "kept");
    assert_state(ledger, "gr-2", "open");
    assert_int_equal(events_of(ledger), 3);
    gl_ledger_close(ledger);
}

static void an_id_that_is_taken_leaves_nothing(void **state)
{
    struct gl_ledger *ledger = must_open();

    (void)state;
    assert_int_equal(issue(ledger, "gr-1", "gl-a"), 0);
    assert_int_equal(issue(ledger, "gr-1", "gl-b"), -1);
    assert_int_equal(err.code, GL_E_DUPLICATE_KEY);
    gl_error_clear(&err);
    assert_int_equal(events_of(ledger), 1);
    gl_ledger_close(ledger);
}

static void what_was_never_promised_cannot_be_settled(void **state)
{
    struct gl_ledger *ledger = must_open();
    bool is_settled = true;

    (void)state;
    assert_int_equal(issue(ledger, "gr-1", "gl-a"), 0);
    assert_int_equal(settle(ledger, "gr-2", "gl-a", "kept", &is_settled), -1);
    assert_int_equal(err.code, GL_E_UNKNOWN_NAME);
    gl_error_clear(&err);
    assert_int_equal(settle(ledger, "gr-1", "gl-b", "kept", &is_settled), -1);
    assert_int_equal(err.code, GL_E_UNKNOWN_NAME);
    gl_error_clear(&err);
    assert_true(is_settled);
    assert_int_equal(events_of(ledger), 1);
    gl_ledger_close(ledger);
}

static void assert_tampered(const char *text, const char *how)
{
    struct gl_ledger_check check;
    struct gl_ledger *ledger = must_open();
    bool is_settled;

    assert_int_equal(issue(ledger, "gr-1", "gl-a"), 0);
    assert_int_equal(issue(ledger, "gr-2", "gl-a"), 0);
    assert_int_equal(settle(ledger, "gr-1", "gl-a", "breached", &is_settled), 0);
    assert_int_equal(events_of(ledger), 3);
    gl_ledger_close(ledger);
    sql(how);
    ledger = must_open();
    assert_int_equal(gl_ledger_check(ledger, &check, &err), -1);
    assert_int_equal(err.code, GL_E_TAMPERED);
    if (strstr(err.text, text) == NULL)
        fail_msg("%s: %s", how, err.text);
    gl_error_clear(&err);
    gl_ledger_close(ledger);
}

static void a_projection_that_does_not_follow_is_found(void **state)
{
    static const char *const ways[][2] = {
        {"gr-1", "UPDATE guarantees SET state='kept' WHERE id='gr-1'"},
        {"gr-1", "UPDATE guarantees SET state='open',settled='' WHERE id='gr-1'"},
        {"gr-1", "UPDATE guarantees SET settled='{}' WHERE id='gr-1'"},
        {"gr-2", "UPDATE guarantees SET state='kept' WHERE id='gr-2'"},
        {"gr-2", "UPDATE guarantees SET state='kept',settled='{}' WHERE id='gr-2'"},
        {"gr-2", "UPDATE guarantees SET zone='FR' WHERE id='gr-2'"},
        {"gr-2", "UPDATE guarantees SET until_s=1 WHERE id='gr-2'"},
        {"gr-2", "UPDATE guarantees SET launch='gl-b' WHERE id='gr-2'"},
        {"gr-2", "UPDATE guarantees SET body='{}' WHERE id='gr-2'"},
        {"gr-2", "DELETE FROM guarantees WHERE id='gr-2'"},
        {"gr-3", "INSERT INTO guarantees VALUES('gr-3','gl-a','open','DE',1,'{}','')"},
    };

    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        if (i > 0) {
            tear_down(state);
            set_up(state);
        }
        assert_tampered(ways[i][0], ways[i][1]);
    }
}

/* As the program before this one left it. */
static void make_first_version(void)
{
    struct gl_ledger *ledger = must_open();

    assert_int_equal(append(ledger, "gl-old", "running", 1), 0);
    gl_ledger_close(ledger);
    sql("DROP TABLE guarantees; PRAGMA user_version = 1");
}

static void a_ledger_of_the_first_version_goes_on(void **state)
{
    struct gl_launch_rows rows;
    struct gl_ledger *ledger;

    (void)state;
    make_first_version();
    ledger = must_open();
    assert_int_equal(gl_ledger_launches(ledger, NULL, &rows, &err), 0);
    assert_int_equal(rows.count, 1);
    gl_launch_rows_free(&rows);
    assert_int_equal(issue(ledger, "gr-1", "gl-old"), 0);
    assert_int_equal(events_of(ledger), 2);
    gl_ledger_close(ledger);
    ledger = must_open();
    assert_state(ledger, "gr-1", "open");
    gl_ledger_close(ledger);
}

static void a_first_version_to_look_at_has_no_promises(void **state)
{
    static const struct gl_error full = {.code = GL_E_DISK_FULL, .text = "no space"};
    struct gl_guarantee_rows rows = {.count = 7};
    struct gl_ledger *ledger;
    bool is_settled;

    (void)state;
    make_first_version();
    ledger = gl_ledger_open_to_look(path, world, &full, &err);
    assert_non_null(ledger);
    assert_int_equal(gl_ledger_guarantees(ledger, NULL, &rows, &err), 0);
    assert_int_equal(rows.count, 0);
    assert_int_equal(events_of(ledger), 1);
    assert_int_equal(issue(ledger, "gr-1", "gl-old"), -1);
    assert_int_equal(err.code, GL_E_DISK_FULL);
    gl_error_clear(&err);
    assert_int_equal(settle(ledger, "gr-1", "gl-old", "kept", &is_settled), -1);
    assert_int_equal(err.code, GL_E_DISK_FULL);
    gl_error_clear(&err);
    gl_ledger_close(ledger);
}

static void a_full_disk_leaves_no_half_promise(void **state)
{
    struct gl_ledger *ledger = open_capped(32);
    struct gl_guarantee_rows rows;
    unsigned issued = 0;

    (void)state;
    if (ledger == NULL)
        fail_msg("%s", err.text);
    for (unsigned i = 0; i < 200; i++) {
        char id[16];

        snprintf(id, sizeof id, "gr-%u", i);
        if (issue(ledger, id, "gl-a") != 0)
            break;
        issued++;
    }
    assert_int_equal(err.code, GL_E_DISK_FULL);
    gl_error_clear(&err);
    assert_true(issued > 0 && issued < 200);
    assert_int_equal(events_of(ledger), issued);
    assert_int_equal(gl_ledger_guarantees(ledger, NULL, &rows, &err), 0);
    assert_int_equal(rows.count, issued);
    gl_guarantee_rows_free(&rows);
    gl_ledger_close(ledger);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_promise_is_issued_and_settled_once),
        CASE(an_id_that_is_taken_leaves_nothing),
        CASE(what_was_never_promised_cannot_be_settled),
        CASE(a_projection_that_does_not_follow_is_found),
        CASE(a_ledger_of_the_first_version_goes_on),
        CASE(a_first_version_to_look_at_has_no_promises),
        CASE(a_full_disk_leaves_no_half_promise),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
