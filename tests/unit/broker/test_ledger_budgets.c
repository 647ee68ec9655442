/* SPDX-License-Identifier: Apache-2.0 */
/* Accounts in the ledger: what fits is reserved, what was taken is spent, and the sums are those of
 * the events. */
#include "broker/budget_relocation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "tests/unit/broker/budget_bench.h"

#define DAY_MS INT64_C(86400000)

#define TREE_LIMITS(ledger)                           \
    do {                                              \
        set(ledger, "org", "1 kg per month");         \
        set(ledger, "org/{team}", "600 g per month"); \
    } while (0)

static void what_fits_is_reserved_at_every_level(void **state)
{
    struct gl_ledger *ledger = must_open();

    (void)state;
    TREE_LIMITS(ledger);
    assert_int_equal(reserve(ledger, "gl-1", "org/ml/x", 500000000), 0);
    assert_int_equal(balance(ledger, "org").held.ug, 500000000);
    assert_int_equal(balance(ledger, "org/ml").held.ug, 500000000);
    assert_int_equal(balance(ledger, "org/web").held.ug, 0);
    assert_int_equal(reserve(ledger, "gl-2", "org/ml", 100000001), -1);
    assert_int_equal(err.code, GL_E_BUDGET);
    assert_non_null(strstr(err.text, "budget org/ml: 100 g of 600 g left"));
    assert_non_null(strstr(err.text, "what would fit: 59 min"));
    assert_int_equal(reserve(ledger, "gl-2", "org/web/y", 500000000), 0);
    assert_int_equal(reserve(ledger, "gl-3", "org/new", 1), -1); /* org itself is full */
    assert_non_null(strstr(err.text, "budget org:"));
    assert_sound(ledger);
    gl_ledger_close(ledger);
}

static void a_launch_reserves_once_however_often_it_is_tried(void **state)
{
    struct gl_ledger *ledger = must_open();

    (void)state;
    TREE_LIMITS(ledger);
    assert_int_equal(reserve(ledger, "gl-1", "org/ml", 600000000), 0);
    assert_int_equal(reserve(ledger, "gl-1", "org/ml", 600000000), 0);
    assert_int_equal(balance(ledger, "org/ml").held.ug, 600000000);
    assert_int_equal(reserve(ledger, "gl-1", "org/ml", 1), 0);
    assert_int_equal(balance(ledger, "org").held.ug, 1);
    assert_sound(ledger);
    gl_ledger_close(ledger);
}

static void what_was_measured_is_spent_and_the_rest_is_free(void **state)
{
    struct gl_ledger *ledger = must_open();

    (void)state;
    TREE_LIMITS(ledger);
    assert_int_equal(reserve(ledger, "gl-1", "org/ml", 600000000), 0);
    finish(ledger, "gl-1", 123456789, NOW, NOW + LEASE_MS);
    assert_int_equal(balance(ledger, "org/ml").spent.ug, 123456789);
    assert_int_equal(balance(ledger, "org").spent.ug, 123456789);
    assert_int_equal(balance(ledger, "org").held.ug, 0);
    assert_int_equal(reserve(ledger, "gl-2", "org/ml", 600000000), -1);
    assert_int_equal(reserve(ledger, "gl-2", "org/ml", 476543211), 0);
    finish(ledger, "gl-2", -1, 0, 0); /* never started */
    assert_int_equal(balance(ledger, "org").held.ug, 0);
    assert_int_equal(balance(ledger, "org").spent.ug, 123456789);
    assert_sound(ledger);
    gl_ledger_close(ledger);
}

/* Three days over the end of a month: every microgram in one of the two. */
static void a_run_over_the_end_of_a_window_is_in_both(void **state)
{
    struct gl_ledger *ledger = must_open();
    int64_t first = NOW - DAY_MS, sum;

    (void)state;
    TREE_LIMITS(ledger);
    assert_int_equal(reserve(ledger, "gl-1", "org/ml", 600000000), 0);
    finish(ledger, "gl-1", 300000001, first, first + 3 * DAY_MS);
    sum = balance_at(ledger, "org", NOW - 1000).spent.ug;
    assert_in_range(sum, 90000000, 110000000);
    assert_int_equal(sum + balance_at(ledger, "org", NOW).spent.ug, 300000001);
    gl_ledger_close(ledger);
}

/* Forty minutes around midnight: half and half, to the microgram. */
static void a_short_run_over_midnight_is_in_both_days(void **state)
{
    struct gl_ledger *ledger = must_open();

    (void)state;
    set(ledger, "org", "1 kg per day");
    assert_int_equal(reserve(ledger, "gl-1", "org", 600000000), 0);
    finish(ledger, "gl-1", 400000001, NOW - 20 * 60000, NOW + 20 * 60000);
    assert_int_equal(balance_at(ledger, "org", NOW - 1000).spent.ug, 200000000);
    assert_int_equal(balance_at(ledger, "org", NOW).spent.ug, 200000001);
    assert_sound(ledger);
    gl_ledger_close(ledger);
}

/* Whatever the clock said in between, the end is recorded, and every microgram once. */
static void a_run_of_any_length_is_booked_whole(void **state)
{
    static const int64_t spans_ms[] = {
        0,           1,           899999,       900000,         DAY_MS,
        96 * 900000, 40 * DAY_MS, 400 * DAY_MS, 90000 * DAY_MS, 290000000 * DAY_MS};
    struct gl_ledger *ledger = must_open();
    int64_t sum = 0;

    (void)state;
    set(ledger, "org", "1 t per 3650d");
    for (size_t i = 0; i < sizeof spans_ms / sizeof spans_ms[0]; i++) {
        char launch[16];

        snprintf(launch, sizeof launch, "gl-%zu", i);
        assert_int_equal(reserve(ledger, launch, "org", 1000), 0);
        finish(ledger, launch, 777 + (int64_t)i, NOW - 5, NOW - 5 + spans_ms[i]);
        sum += 777 + (int64_t)i;
        assert_int_equal(balance(ledger, "org").spent.ug, sum);
    }
    assert_sound(ledger);
    gl_ledger_close(ledger);
}

/* Events of before pieces were written are booked as they were then. */
static void an_older_event_is_booked_as_it_was(void **state)
{
    struct gl_ledger *ledger = must_open();
    GL_AUTO(gl_auto_json)
    json_t *body = json_pack("{s:s,s:{s:s,s:i,s:n,s:I,s:I}}", "state", "ended", "budget", "op",
                             "spend", "ug", 400, "u_usd", "from_ms", (json_int_t)(NOW - 20 * 60000),
                             "until_ms", (json_int_t)(NOW + 20 * 60000));

    (void)state;
    set(ledger, "org", "1 kg per day");
    assert_int_equal(reserve(ledger, "gl-1", "org", 600000000), 0);
    assert_int_equal(gl_ledger_append(ledger, "ended", "gl-1", body, NULL, &err), 0);
    assert_int_equal(balance_at(ledger, "org", NOW - 1000).spent.ug, 400);
    assert_int_equal(balance(ledger, "org").spent.ug, 0);
    assert_sound(ledger);
    gl_ledger_close(ledger);
}

/* A guard that saw it run asks for more after it has ended: nothing is held for nobody. */
static void what_has_ended_reserves_nothing_more(void **state)
{
    struct gl_ledger *ledger = must_open();

    (void)state;
    TREE_LIMITS(ledger);
    assert_int_equal(reserve(ledger, "gl-1", "org/ml", 5000), 0);
    finish(ledger, "gl-1", 77, NOW, NOW + 1);
    assert_int_equal(reserve(ledger, "gl-1", "org/ml", 9000), -1);
    assert_non_null(strstr(err.text, "has ended"));
    assert_int_equal(reserve_as(ledger, "gl-1", "org/ml", 9000, "late"), -1);
    assert_int_equal(balance(ledger, "org").held.ug, 0);
    assert_int_equal(balance(ledger, "org").spent.ug, 77);
    assert_sound(ledger);
    gl_ledger_close(ledger);
}

static int count_one(void *cookie, const char *launch, const struct gl_amount *held)
{
    (void)launch;
    assert_int_equal(held->ug, 600000000);
    ++*(int *)cookie;
    return 0;
}

static int holders_at(struct gl_ledger *ledger, int64_t at_ms)
{
    int count = 0;

    assert_int_equal(gl_budget_holders(ledger, "org/ml", at_ms, &count, count_one, &err), 0);
    return count;
}

static void a_reservation_ends_with_its_lease(void **state)
{
    struct gl_ledger *ledger = must_open();

    (void)state;
    TREE_LIMITS(ledger);
    assert_int_equal(reserve(ledger, "gl-1", "org/ml", 600000000), 0);
    assert_int_equal(balance_at(ledger, "org", NOW + LEASE_MS - 1).held.ug, 600000000);
    assert_int_equal(balance_at(ledger, "org", NOW + LEASE_MS).held.ug, 0);
    assert_int_equal(holders_at(ledger, NOW + LEASE_MS - 1), 1);
    assert_int_equal(holders_at(ledger, NOW + LEASE_MS), 0);
    assert_int_equal(holders_at(ledger, GL_UNKNOWN), 1);
    world->sleep_ms(world->cookie, LEASE_MS);
    assert_int_equal(reserve(ledger, "gl-2", "org/ml", 600000000), 0);
    finish(ledger, "gl-1", 5, NOW, NOW + 1000); /* it ran after all: that is charged */
    assert_int_equal(balance(ledger, "org").spent.ug, 5);
    assert_sound(ledger);
    gl_ledger_close(ledger);
}

static void what_is_not_known_is_not_reserved_under_a_cap(void **state)
{
    struct gl_ledger *ledger = must_open();

    (void)state;
    set(ledger, "org", "1 kg per month");
    assert_int_equal(reserve(ledger, "gl-1", "org", GL_UNKNOWN), -1);
    assert_int_equal(err.code, GL_E_UNKNOWN_DATA);
    assert_int_equal(reserve(ledger, "gl-1", "free", GL_UNKNOWN), 0);
    set(ledger, "org", "2 USD per month"); /* instead: no limit of grams */
    assert_int_equal(reserve(ledger, "gl-2", "org", 1), -1);
    assert_non_null(strstr(err.text, "price is not known"));
    gl_ledger_close(ledger);
}

static void an_override_is_kept_with_reason_and_name(void **state)
{
    struct gl_ledger *ledger = must_open();
    GL_AUTO(gl_auto_free) char *text = NULL;
    size_t length;

    (void)state;
    set(ledger, "org", "1 g per month");
    assert_int_equal(reserve(ledger, "gl-1", "org", 2000000), -1);
    assert_int_equal(reserve_as(ledger, "gl-1", "org", 2000000, "the fire brigade"), 0);
    assert_int_equal(balance(ledger, "org").held.ug, 2000000);
    assert_sound(ledger);
    gl_ledger_close(ledger);
    assert_int_equal(gl_file_read(path, (size_t)64 << 20, &text, &length, &err), 0);
    assert_non_null(memmem(text, length, "the fire brigade", 16));
}

static void a_transfer_moves_what_is_there(void **state)
{
    struct gl_ledger *ledger = must_open();
    struct gl_amount amount = {400000000, 0};

    (void)state;
    TREE_LIMITS(ledger);
    assert_int_equal(reserve(ledger, "gl-1", "org/ml", 300000000), 0);
    assert_int_equal(gl_budget_move(ledger, "org/ml", "org/web", &amount, "Ada", "idle", &err), -1);
    assert_int_equal(err.code, GL_E_BUDGET);
    gl_error_clear(&err);
    amount.ug = 300000000;
    assert_int_equal(gl_budget_move(ledger, "org/ml", "org/web", &amount, "Ada", "idle", &err), 0);
    assert_int_equal(reserve(ledger, "gl-2", "org/ml", 1), -1);
    assert_int_equal(reserve(ledger, "gl-2", "org/web", 700000000), 0); /* 900 of 900 but for org */
    assert_int_equal(balance(ledger, "org").held.ug, 1000000000);
    assert_int_equal(balance(ledger, "org").granted.ug, 0);
    gl_error_clear(&err);
    assert_int_equal(gl_budget_move(ledger, "a", "b", &amount, NULL, NULL, &err), -1);
    assert_int_equal(err.code, GL_E_UNKNOWN_NAME);
    gl_error_clear(&err);
    set(ledger, "org/lab/x", "1 g per month");
    assert_int_equal(gl_budget_unset(ledger, "org/{team}", "Ada", &err), 0);
    /* From one without a limit: a larger cap under another name. */
    assert_int_equal(gl_budget_move(ledger, "org/free", "org/lab/x", &amount, NULL, NULL, &err),
                     -1);
    assert_int_equal(err.code, GL_E_UNKNOWN_NAME);
    gl_error_clear(&err);
    assert_int_equal(gl_budget_move(ledger, "org", "org/lab/x", &amount, "Ada", "", &err), 0);
    assert_sound(ledger);
    gl_ledger_close(ledger);
}

static int64_t fits_from(struct gl_ledger *ledger, const char *account, int64_t ug)
{
    GL_AUTO(gl_auto_free) struct gl_short *what = gl_alloc(sizeof *what);
    GL_AUTO(gl_auto_json)
    json_t *wanted =
        json_pack("{s:[s],s:[],s:I,s:n,s:I}", "accounts", account, "caps", "ug", (json_int_t)ug,
                  "u_usd", "until_ms", (json_int_t)(gl_ledger_now_ms(ledger) + LEASE_MS));

    assert_int_equal(gl_budget_short(ledger, "", wanted, what, &err), 1);
    return what->fits_from_s == GL_UNKNOWN ? GL_UNKNOWN
                                           : (what->fits_from_s - NOW / 1000) / (DAY_MS / 1000);
}

static void spend_ago(struct gl_ledger *ledger, const char *launch, const char *account, int64_t ug,
                      int64_t days)
{
    assert_int_equal(reserve(ledger, launch, account, 1), 0);
    finish(ledger, launch, ug, NOW - days * DAY_MS, NOW - days * DAY_MS + 1);
}

/* What was given away comes back, what was got goes, 30 days later. */
static void transfers_fall_out_of_a_sliding_window(void **state)
{
    struct gl_ledger *ledger = must_open();
    const struct gl_amount amount = {300000000, 0};

    (void)state;
    set(ledger, "org", "5 kg per 30d");
    set(ledger, "org/{team}", "600 g per 30d");
    spend_ago(ledger, "gl-1", "org/ml", 300000000, 10);
    spend_ago(ledger, "gl-2", "org/web", 400000000, 15);
    world->sleep_ms(world->cookie, 1000);
    assert_int_equal(gl_budget_move(ledger, "org/ml", "org/web", &amount, "Ada", "", &err), 0);
    spend_ago(ledger, "gl-3", "org/web", 400000000, 1);
    assert_int_equal(fits_from(ledger, "org/ml", 200000000), 20);
    assert_int_equal(fits_from(ledger, "org/ml", 400000000), 30);
    assert_int_equal(fits_from(ledger, "org/ml", 600000001), GL_UNKNOWN);
    assert_int_equal(fits_from(ledger, "org/web", 450000000), 15);
    assert_int_equal(fits_from(ledger, "org/web", 600000000), 29);
    gl_ledger_close(ledger);
}

/* The largest limit there is, and more given to it: a text, and no sum beyond an integer. */
static void the_largest_limit_is_told(void **state)
{
    struct gl_ledger *ledger = must_open();
    struct gl_cap cap = {.path = "org/big",
                         .limit = {INT64_MAX - 901, INT64_MAX - 901},
                         .period = {GL_PER_YEAR, 0},
                         .zone = "UTC"};
    const struct gl_amount amount = {900, 900};
    GL_AUTO(gl_str_done) struct gl_str text = {0};
    struct gl_account_state account;

    (void)state;
    assert_int_equal(gl_budget_set(ledger, &cap, "Ada", &err), 0);
    assert_int_equal(gl_budget_move(ledger, "org", "org/big", &amount, "Ada", "", &err), 0);
    assert_int_equal(gl_budget_state(ledger, &cap, "org/big", NOW, NULL, &account, &err), 0);
    gl_budget_left_text(&cap, &account, true, &text);
    gl_budget_left_text(&cap, &account, false, &text);
    assert_null(strstr(gl_str_text(&text), "of -"));
    assert_int_equal(gl_budget_move(ledger, "org", "org/big", &amount, "Ada", "", &err), -1);
    assert_int_equal(err.code, GL_E_BUDGET); /* more could not be added up */
    gl_ledger_close(ledger);
}

static void a_changed_account_is_found(void **state)
{
    static const char *const changes[] = {
        "UPDATE holds SET ug = ug - 1",
        "DELETE FROM holds WHERE path = 'org'",
        "UPDATE spends SET ug = 0 WHERE path = 'org'",
        "INSERT INTO spends SELECT * FROM spends LIMIT 1",
        "UPDATE caps SET body = replace(body, '1000000000', '9000000000')",
        "INSERT INTO grants VALUES('org', 1767225600000, 5, 0)",
        "UPDATE holds SET until_ms = 0",
    };

    (void)state;
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        struct gl_ledger *ledger;
        struct gl_ledger_check check;

        tear_down(NULL);
        set_up(NULL);
        ledger = must_open();
        TREE_LIMITS(ledger);
        assert_int_equal(reserve(ledger, "gl-1", "org/ml", 5000), 0);
        assert_int_equal(reserve(ledger, "gl-2", "org/ml", 5000), 0);
        finish(ledger, "gl-2", 77, NOW, NOW + 1);
        assert_sound(ledger);
        sql(changes[i]);
        assert_int_equal(gl_ledger_check(ledger, &check, &err), -1);
        assert_int_equal(err.code, GL_E_TAMPERED);
        gl_ledger_close(ledger);
    }
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(what_fits_is_reserved_at_every_level),
        CASE(a_launch_reserves_once_however_often_it_is_tried),
        CASE(what_was_measured_is_spent_and_the_rest_is_free),
        CASE(a_run_over_the_end_of_a_window_is_in_both),
        CASE(a_short_run_over_midnight_is_in_both_days),
        CASE(a_run_of_any_length_is_booked_whole),
        CASE(an_older_event_is_booked_as_it_was),
        CASE(what_has_ended_reserves_nothing_more),
        CASE(a_reservation_ends_with_its_lease),
        CASE(what_is_not_known_is_not_reserved_under_a_cap),
        CASE(an_override_is_kept_with_reason_and_name),
        CASE(a_transfer_moves_what_is_there),
        CASE(transfers_fall_out_of_a_sliding_window),
        CASE(the_largest_limit_is_told),
        CASE(a_changed_account_is_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
