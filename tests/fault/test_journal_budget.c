/* SPDX-License-Identifier: Apache-2.0 */
/* The journal with a budget, its broker killed at every step: what was charged is what the receipts
 * say, and nothing stays reserved. */
#define JOURNAL_CASE "test_journal_budget"
#include "tests/fault/journal_child.h"
#include "tests/support/no_sync.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/budget.h"
#include "broker/budget_cap.h"

static void set(const char *account, const char *limit, enum gl_at_cap at_cap)
{
    struct gl_cap cap = {.limit = {GL_UNKNOWN, GL_UNKNOWN}, .zone = "UTC", .at_cap = at_cap};
    char tag[GL_ACCOUNT_SEGMENT];
    struct gl_error err = {0};

    snprintf(cap.path, sizeof cap.path, "%s", account);
    assert_int_equal(gl_cap_read(limit, &cap, tag, &err), 0);
    if (gl_budget_set(bench.ledger, &cap, "test", &err) != 0)
        fail_msg("%s", err.text);
}

static struct gl_balance balance_of(const char *account)
{
    GL_AUTO(gl_caps_done) struct gl_caps caps = {0, NULL};
    struct gl_account_state state;
    struct gl_error err = {0};

    assert_int_equal(gl_budget_caps(bench.ledger, &caps, &err), 0);
    assert_int_equal(gl_budget_state(bench.ledger, gl_account_cap(caps.items, caps.count, account),
                                     account, gl_ledger_now_ms(bench.ledger), NULL, &state, &err),
                     0);
    return state.balance;
}

static json_t *charge_of(const char *account)
{
    return json_pack("{s:[s],s:[]}", "accounts", account, "caps");
}

/* Of all receipts. */
static int64_t receipts_ug(void)
{
    GL_AUTO(gl_launch_rows_free) struct gl_launch_rows rows = {0};
    struct gl_error err = {0};
    int64_t sum = 0;

    assert_int_equal(gl_ledger_launches(bench.ledger, NULL, &rows, &err), 0);
    for (size_t i = 0; i < rows.count; i++)
        if (rows.rows[i].receipt[0] != '\0')
            sum += journal_bench_footprint(&bench, rows.rows[i].launch, "total_ug");
    return sum;
}

static void a_broker_killed_at_any_step_leaks_no_gram(void **state)
{
    GL_AUTO(gl_auto_json) json_t *charge = charge_of("org/ml");
    unsigned points = 0;
    bool lived = false;

    (void)state;
    for (unsigned k = 1; !lived; k++) {
        struct gl_balance balance;

        again();
        bench.charge = charge;
        set("org", "1 t per year", GL_AT_CAP_REFUSE);
        lived = child_lives(k, journal_bench_life);
        balance = balance_of("org");
        assert_true(balance.held.ug > 0 || balance.spent.ug > 0); /* from the intent on */
        journal_bench_assert_over(&bench);
        balance = balance_of("org");
        assert_int_equal(balance.held.ug, 0);
        assert_int_equal(balance.spent.ug, receipts_ug());
        points += !lived;
    }
    print_message("killed at %u steps\n", points);
    assert_true(points >= 5);
}

static void what_does_not_fit_is_not_sent(void **state)
{
    GL_AUTO(gl_auto_json) json_t *charge = charge_of("org/ml");
    struct gl_instance instance;
    struct gl_error err = {0};

    (void)state;
    bench.charge = charge;
    set("org", "0.001 g per year", GL_AT_CAP_REFUSE);
    assert_int_equal(journal_bench_start(&bench, "", &instance, &err), -1);
    assert_int_equal(err.code, GL_E_BUDGET);
    assert_non_null(strstr(err.text, "would fit"));
    assert_int_equal(journal_bench_events(&bench, NULL, "intent"), 0);
    journal_bench_assert_over(&bench);
}

/* It has taken what there is: the guard's look ends it, or pauses it. */
static void at_the_cap(enum gl_at_cap at_cap, const char *wanted)
{
    GL_AUTO(gl_auto_json) json_t *charge = charge_of("org/ml");
    GL_AUTO(gl_launch_rows_free) struct gl_launch_rows rows = {0};
    struct gl_instance instance;
    struct gl_capped capped;
    struct gl_error err = {0};

    bench.charge = charge;
    set("org", "1 t per year", at_cap);
    if (journal_bench_start(&bench, "", &instance, &err) != 0)
        fail_msg("%s", err.text);
    bench.cloud->world.sleep_ms(bench.cloud, 12000);
    assert_int_equal(gl_budget_enforce(&bench.launcher, &capped, &err), 0);
    assert_int_equal(capped.paused + capped.stopped + capped.failed, 0);
    set("org", "0.000001 g per year", at_cap);
    assert_int_equal(gl_budget_enforce(&bench.launcher, &capped, &err), 0);
    if (capped.failed > 0)
        fail_msg("%s", capped.first.text);
    assert_int_equal(capped.paused, at_cap == GL_AT_CAP_PAUSE);
    assert_int_equal(capped.stopped, at_cap == GL_AT_CAP_STOP);
    assert_int_equal(gl_ledger_launches(bench.ledger, instance.launch_id, &rows, &err), 0);
    assert_string_equal(rows.rows[0].state, wanted);
    assert_int_equal(gl_budget_enforce(&bench.launcher, &capped, &err), 0);
    assert_int_equal(capped.paused + capped.stopped + capped.resumed + capped.failed, 0);
    set("org", "2 t per year", at_cap);
    assert_int_equal(gl_budget_enforce(&bench.launcher, &capped, &err), 0);
    assert_int_equal(capped.resumed, at_cap == GL_AT_CAP_PAUSE);
    assert_int_equal(capped.failed, 0);
    journal_bench_assert_over(&bench);
}

static void at_the_cap_work_is_paused(void **state)
{
    (void)state;
    at_the_cap(GL_AT_CAP_PAUSE, "paused");
}

static void at_the_cap_work_is_stopped(void **state)
{
    (void)state;
    at_the_cap(GL_AT_CAP_STOP, "ended");
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_broker_killed_at_any_step_leaks_no_gram),
        CASE(what_does_not_fit_is_not_sent),
        CASE(at_the_cap_work_is_paused),
        CASE(at_the_cap_work_is_stopped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
