/* SPDX-License-Identifier: Apache-2.0 */
/* Reservations of launches that go on from others, and of those that stay after all. */
#include "broker/budget_relocation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/broker/budget_bench.h"

static int go_on(struct gl_ledger *ledger, const char *launch, const char *from, int64_t used_ug,
                 int64_t ug)
{
    GL_AUTO(gl_auto_json) json_t *charge = json_pack("{s:[s],s:[]}", "accounts", "org/ml", "caps");
    GL_AUTO(gl_auto_json) json_t *body = json_object();
    struct gl_launch_change change = {GL_LAUNCH_KEEP, .launch = launch, .state = "intended"};
    const struct gl_amount wanted = {ug, GL_UNKNOWN}, used = {used_ug, GL_UNKNOWN};
    json_t *budget = gl_budget_reserve_json(charge, &wanted, gl_ledger_now_ms(ledger) + LEASE_MS);

    gl_error_clear(&err);
    json_object_set_new(budget, "from", gl_budget_from_json(from, &used));
    json_object_set_new(body, "budget", budget);
    return gl_ledger_append(ledger, "intent", launch, body, &change, &err);
}

static void two_that_go_on_from_each_other_share(void **state)
{
    struct gl_ledger *ledger = must_open();

    (void)state;
    set(ledger, "org", "1 g per month");
    set(ledger, "org/{team}", "1 g per month");
    assert_int_equal(reserve(ledger, "gl-1", "org/ml", 900000), 0);
    assert_int_equal(reserve(ledger, "gl-3", "org/web", 50000), 0);
    assert_int_equal(go_on(ledger, "gl-2", "gl-1", 300000, 650001), -1); /* 51 more than there is */
    assert_int_equal(err.code, GL_E_BUDGET);
    assert_non_null(strstr(err.text, "nothing of it would fit"));
    assert_int_equal(hold_of(ledger, "gl-1"), 900000);
    assert_int_equal(go_on(ledger, "gl-2", "gl-1", 300000, 500000), 0);
    assert_int_equal(hold_of(ledger, "gl-1"), 400000);
    assert_int_equal(go_on(ledger, "gl-2", "gl-1", 300000, 650000), 0); /* tried elsewhere */
    assert_int_equal(hold_of(ledger, "gl-1"), 300000);
    assert_int_equal(balance(ledger, "org").held.ug, 1000000);
    assert_int_equal(balance(ledger, "org/ml").held.ug, 950000);
    finish(ledger, "gl-2", 150000, 1000, 2000); /* it comes back */
    assert_int_equal(hold_of(ledger, "gl-1"), 800000);
    assert_int_equal(balance(ledger, "org").held.ug, 850000);
    assert_sound(ledger);
    gl_ledger_close(ledger);
}

/* Also where the caps were lowered meanwhile: what is shared is there already. */
static void what_needs_no_more_is_not_asked_for_room(void **state)
{
    struct gl_ledger *ledger = must_open();

    (void)state;
    set(ledger, "org", "1 g per month");
    assert_int_equal(reserve(ledger, "gl-1", "org/ml", 900000), 0);
    set(ledger, "org", "0.5 g per month");
    assert_int_equal(go_on(ledger, "gl-2", "gl-1", 100000, 800000), 0);
    assert_int_equal(hold_of(ledger, "gl-1"), 100000);
    finish(ledger, "gl-1", 100000, 1000, 2000); /* it went there */
    finish(ledger, "gl-2", -1, 0, 0);           /* and never ran: to nobody */
    assert_int_equal(balance(ledger, "org").held.ug, 0);
    assert_int_equal(hold_of(ledger, "gl-1"), -1);
    assert_sound(ledger);
    gl_ledger_close(ledger);
}

static void note_failed(struct gl_ledger *ledger, const char *launch, json_t *budget)
{
    GL_AUTO(gl_auto_json)
    json_t *body = json_pack("{s:s,s:o}", "state", "running", "budget", budget);

    gl_error_clear(&err);
    if (gl_ledger_append(ledger, "relocate-failed", launch, body, NULL, &err) != 0)
        fail_msg("%s", err.text);
}

static void stay(struct gl_ledger *ledger, int64_t alone_ug, const char *tried)
{
    const struct gl_amount alone = {alone_ug, GL_UNKNOWN};

    note_failed(ledger, "gl-1", gl_budget_stay_json(&alone, tried));
}

/* gl-1 holds 400 mg and gl-2, which was to go on from it, 500; gl-1 alone needs 800. */
static struct gl_ledger *must_divide(void)
{
    struct gl_ledger *ledger;

    assert_int_equal(gl_dir_remove(folder, &err), 0);
    assert_int_equal(gl_dir_make(folder, &err), 0);
    ledger = must_open();
    set(ledger, "org", "1 g per month");
    assert_int_equal(reserve(ledger, "gl-1", "org/ml", 900000), 0);
    assert_int_equal(go_on(ledger, "gl-2", "gl-1", 100000, 500000), 0);
    assert_int_equal(hold_of(ledger, "gl-1"), 400000);
    return ledger;
}

/* Whether the end of the other one is told before that, after it or never. */
static void one_that_stays_holds_just_what_it_did(void **state)
{
    struct gl_ledger *ledger = must_divide();

    (void)state;
    finish(ledger, "gl-2", 30000, NOW, NOW + 1000);
    assert_int_equal(hold_of(ledger, "gl-1"), 870000);
    stay(ledger, 800000, "gl-2");
    assert_int_equal(hold_of(ledger, "gl-1"), 800000);
    assert_sound(ledger);
    gl_ledger_close(ledger);

    ledger = must_divide();
    finish(ledger, "gl-2", 450000, NOW, NOW + 1000); /* more than was left of what both held */
    assert_int_equal(hold_of(ledger, "gl-1"), 450000);
    stay(ledger, 800000, "gl-2");
    assert_int_equal(hold_of(ledger, "gl-1"), 800000);
    assert_sound(ledger);
    gl_ledger_close(ledger);

    ledger = must_divide();
    stay(ledger, 800000, "gl-2");
    assert_int_equal(hold_of(ledger, "gl-1"), 800000);
    assert_int_equal(hold_of(ledger, "gl-2"), 100000);
    finish(ledger, "gl-2", 30000, NOW, NOW + 1000);
    assert_int_equal(hold_of(ledger, "gl-1"), 800000);
    assert_int_equal(balance(ledger, "org").held.ug, 800000);
    assert_int_equal(balance(ledger, "org").spent.ug, 30000);
    assert_sound(ledger);
    gl_ledger_close(ledger);

    ledger = must_divide();
    stay(ledger, GL_UNKNOWN, ""); /* nothing is known of it: it keeps what it has */
    assert_int_equal(hold_of(ledger, "gl-1"), 400000);
    assert_int_equal(hold_of(ledger, "gl-2"), 500000);
    assert_sound(ledger);
    gl_ledger_close(ledger);
}

/* A ledger of an earlier version says what it said when it was written. */
static void what_was_eased_stays_so(void **state)
{
    struct gl_ledger *ledger = must_divide();

    (void)state;
    note_failed(ledger, "gl-1", json_pack("{s:s,s:i,s:n}", "op", "ease", "ug", 350000, "u_usd"));
    assert_int_equal(hold_of(ledger, "gl-1"), 350000);
    finish(ledger, "gl-2", 30000, 1000, 2000);
    assert_int_equal(hold_of(ledger, "gl-1"), 820000);
    assert_sound(ledger);
    gl_ledger_close(ledger);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(two_that_go_on_from_each_other_share),
        CASE(what_needs_no_more_is_not_asked_for_room),
        CASE(one_that_stays_holds_just_what_it_did),
        CASE(what_was_eased_stays_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
