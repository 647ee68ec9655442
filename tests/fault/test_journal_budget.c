/* SPDX-License-Identifier: Apache-2.0 */
/* The journal with a budget, its broker killed at every step: what was charged is what the receipts
 * say, and nothing stays reserved. */
#define JOURNAL_CASE "test_journal_budget"
#include "tests/fault/journal_child.h"
#include "tests/support/make_evidence.h"
#include "tests/support/no_sync.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/budget.h"
#include "broker/budget_cap.h"
#include "broker/shift.h"

#define JOURNAL_BENCH_NOW_S INT64_C(1767225600)

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

/* Somebody with a name said that it may: a cap that is spent by it does not end it. */
static void what_was_approved_is_left_alone(void **state)
{
    GL_AUTO(gl_auto_json) json_t *charge = charge_of("org/ml");
    struct gl_instance approved, other;
    struct gl_capped capped;
    struct gl_error err = {0};

    (void)state;
    set("org", "1 t per year", GL_AT_CAP_STOP);
    bench.charge = charge;
    if (journal_bench_start(&bench, "", &other, &err) != 0)
        fail_msg("%s", err.text);
    set("org", "0.000001 g per year", GL_AT_CAP_STOP);
    json_object_set_new(charge, "override", json_pack("{s:s,s:s}", "why", "fire", "by", "Ada"));
    if (journal_bench_start(&bench, "", &approved, &err) != 0)
        fail_msg("%s", err.text);
    bench.cloud->world.sleep_ms(bench.cloud, 12000);
    assert_int_equal(gl_budget_enforce(&bench.launcher, &capped, &err), 0);
    assert_int_equal(capped.stopped, 1);
    assert_int_equal(capped.paused + capped.failed, 0);
    assert_true(balance_of("org").held.ug > 0);
    assert_true(balance_of("org").spent.ug > 0);
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

/* ---- more than was reserved ---- */

/* Runs, and has reserved so little that it has passed that by now. */
static void start_short(char out_launch[GL_CLOUD_ID])
{
    GL_AUTO(gl_auto_json) json_t *charge = charge_of("org/ml");
    GL_AUTO(gl_auto_json) json_t *body = json_object();
    const struct gl_amount little = {10, GL_UNKNOWN};
    struct gl_instance instance;
    struct gl_error err = {0};

    bench.charge = charge;
    if (journal_bench_start(&bench, "", &instance, &err) != 0)
        fail_msg("%s", err.text);
    json_object_set_new(body, "budget",
                        gl_budget_reserve_json(charge, &little,
                                               gl_ledger_now_ms(bench.ledger) +
                                                   JOURNAL_LEASE_S * 1000 + GL_HOLD_MS));
    assert_int_equal(gl_ledger_append(bench.ledger, "budget", instance.launch_id, body, NULL, &err),
                     0);
    assert_int_equal(balance_of("org").held.ug, 10);
    bench.cloud->world.sleep_ms(bench.cloud, 30000);
    snprintf(out_launch, GL_CLOUD_ID, "%s", instance.launch_id);
    bench.charge = NULL;
}

static struct gl_capped look(void)
{
    struct gl_capped capped;
    struct gl_error err = {0};

    if (gl_budget_enforce(&bench.launcher, &capped, &err) != 0)
        fail_msg("%s", err.text);
    if (capped.failed > 0)
        fail_msg("%s", capped.first.text);
    return capped;
}

static void more_is_reserved_as_it_goes(void **state)
{
    char launch[GL_CLOUD_ID];
    int64_t held;

    (void)state;
    set("org", "1 t per year", GL_AT_CAP_STOP);
    start_short(launch);
    assert_int_equal(look().grown, 1);
    held = balance_of("org").held.ug;
    assert_true(held > 10 * 9); /* for the rest of its lease, not only for what was taken */
    assert_int_equal(look().grown, 0);
    assert_int_equal(balance_of("org").held.ug, held);
    journal_bench_assert_over(&bench);
    assert_true(balance_of("org").spent.ug <= held);
}

/* Others have reserved the rest: it alone is paused, and stays so. */
static void without_room_the_action_of_the_cap_is_taken(void **state)
{
    GL_AUTO(gl_auto_json) json_t *charge = charge_of("org/web");
    GL_AUTO(gl_auto_json) json_t *body = json_object();
    GL_AUTO(gl_launch_rows_free) struct gl_launch_rows rows = {0};
    const struct gl_amount rest = {INT64_C(1000000000) - 10, GL_UNKNOWN};
    char launch[GL_CLOUD_ID];
    struct gl_capped capped;
    struct gl_error err = {0};

    (void)state;
    set("org", "1 t per year", GL_AT_CAP_PAUSE);
    start_short(launch);
    set("org", "1 kg per year", GL_AT_CAP_PAUSE);
    json_object_set_new(body, "budget", gl_budget_reserve_json(charge, &rest, INT64_MAX / 4));
    assert_int_equal(gl_ledger_append(bench.ledger, "budget", "gl-other", body, NULL, &err), 0);
    capped = look();
    assert_int_equal(capped.grown, 1);
    assert_int_equal(capped.paused, 1);
    assert_true(balance_of("org").held.ug > rest.ug + 10);
    for (int i = 0; i < 3; i++) {
        capped = look();
        assert_int_equal(capped.paused + capped.resumed, 0);
    }
    assert_int_equal(gl_ledger_launches(bench.ledger, launch, &rows, &err), 0);
    assert_string_equal(rows.rows[0].state, "paused");
    journal_bench_assert_over(&bench);
}

/* What it took in the hour before is not of this one. */
static void in_the_next_window_it_goes_on(void **state)
{
    GL_AUTO(gl_auto_json) json_t *charge = charge_of("org/ml");
    struct gl_instance instance;
    struct gl_error err = {0};

    (void)state;
    bench.charge = charge;
    set("org", "1 t per hour", GL_AT_CAP_PAUSE);
    bench.cloud->world.sleep_ms(bench.cloud, 3400000 - gl_ledger_now_ms(bench.ledger) % 3600000);
    if (journal_bench_start(&bench, "", &instance, &err) != 0)
        fail_msg("%s", err.text);
    bench.cloud->world.sleep_ms(bench.cloud, 100000);
    set("org", "0.03 g per hour", GL_AT_CAP_PAUSE);
    assert_int_equal(look().paused, 1);
    assert_int_equal(look().resumed, 0);
    bench.cloud->world.sleep_ms(bench.cloud, 150000);
    assert_int_equal(look().resumed, 1);
    assert_int_equal(look().paused, 0);
    journal_bench_assert_over(&bench);
}

/* ---- moves ---- */

static int move_to(const char *launch, const json_t *series, struct gl_error *err)
{
    return gl_launch_move(&bench.launcher, launch,
                          &(struct gl_shift_place){GL_MEMORY_REGION_2, "YY", series},
                          &(struct gl_shift_reason){.by = "guard", .why = "test"}, err);
}

static void a_move_reserves_what_it_may_take_there(void **state)
{
    GL_AUTO(gl_auto_json) json_t *charge = charge_of("org/ml");
    GL_AUTO(gl_auto_json) json_t *dirty = json_array();
    struct gl_instance instance;
    struct gl_error err = {0};
    int64_t now_s, before;

    (void)state;
    bench.charge = charge;
    set("org", "1 kg per year", GL_AT_CAP_REFUSE);
    if (journal_bench_start(&bench, "", &instance, &err) != 0)
        fail_msg("%s", err.text);
    bench.cloud->world.sleep_ms(bench.cloud, 5000);
    now_s = gl_ledger_now_ms(bench.ledger) / 1000;
    before = balance_of("org").held.ug;
    json_array_append_new(dirty, fake_series_json("YY", now_s - 3600, now_s + 7200, 900000000));
    set("org", "0.1 g per year", GL_AT_CAP_REFUSE);
    assert_int_equal(move_to(instance.launch_id, dirty, &err), -1);
    assert_int_equal(err.code, GL_E_BUDGET);
    gl_error_clear(&err);
    assert_int_equal(move_to(instance.launch_id, NULL, &err), -1);
    assert_int_equal(err.code, GL_E_UNKNOWN_DATA);
    assert_int_equal(balance_of("org").held.ug, before);
    assert_int_equal(journal_bench_events(&bench, NULL, "move"), 0);
    set("org", "1 kg per year", GL_AT_CAP_REFUSE);
    gl_error_clear(&err);
    if (move_to(instance.launch_id, dirty, &err) != 0)
        fail_msg("%s", err.text);
    assert_true(balance_of("org").held.ug > before * 3);
    journal_bench_assert_over(&bench);
    assert_int_equal(balance_of("org").held.ug, 0);
}

/* ---- futures ---- */

static int64_t wanted_with(const json_t *plan, int64_t path_u, struct gl_wanted *out)
{
    GL_AUTO(gl_auto_json) json_t *of = json_deep_copy(plan);
    const struct gl_reserve_run run = {
        .from_s = JOURNAL_BENCH_NOW_S, .until_s = JOURNAL_BENCH_NOW_S + 3600, .p_ppm = 950000};
    const struct gl_reserve_path path = {.path_u = path_u, .paths = 99};
    const json_t *offer = json_object_get(of, "offer");
    struct gl_error err = {0};

    json_object_set_new(
        of, "budget",
        json_pack("{s:o}", "futures",
                  gl_budget_futures_json(&run, &path,
                                         json_string_value(json_object_get(offer, "cloud")),
                                         json_string_value(json_object_get(offer, "region")))));
    if (gl_budget_wanted(&(struct gl_wanted_of){.plan = of,
                                                .start_ms = JOURNAL_BENCH_NOW_S * 1000,
                                                .lease_s = 3600},
                         out, &err) != 0)
        fail_msg("%s", err.text);
    return out->amount.ug;
}

static void the_quantile_is_reserved_where_futures_are_at_hand(void **state)
{
    GL_AUTO(gl_auto_json)
    json_t *plan = fake_plan(JOURNAL_BENCH_NOW_S, JOURNAL_BENCH_NOW_S + 3600);
    struct gl_wanted wanted;
    struct gl_error err = {0};
    int64_t high, least, at_100, at_200;

    (void)state;
    assert_int_equal(gl_budget_wanted(&(struct gl_wanted_of){.plan = plan,
                                                             .start_ms = JOURNAL_BENCH_NOW_S * 1000,
                                                             .lease_s = 3600},
                                      &wanted, &err),
                     0);
    assert_int_equal(wanted.p_ppm, 0);
    high = wanted.amount.ug;
    least = wanted_with(plan, 0, &wanted); /* the forecast, which no reservation is below */
    assert_int_equal(wanted.p_ppm, 950000);
    assert_int_equal(wanted.paths, 99);
    at_100 = wanted_with(plan, 100 * 1000000, &wanted);
    at_200 = wanted_with(plan, 200 * 1000000, &wanted);
    assert_true(0 < least && least <= at_100 && at_100 < high && high < at_200);
    assert_in_range(wanted_with(plan, 300 * 1000000, &wanted) - at_200, at_200 - at_100 - 1,
                    at_200 - at_100 + 1);
    /* A longer run than the futures reach, or one of another place, has the high bound. */
    assert_int_equal(wanted_with(plan, -1, &wanted), high);
    assert_int_equal(wanted.p_ppm, 0);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_broker_killed_at_any_step_leaks_no_gram),
        CASE(what_does_not_fit_is_not_sent),
        CASE(what_was_approved_is_left_alone),
        CASE(at_the_cap_work_is_paused),
        CASE(at_the_cap_work_is_stopped),
        CASE(more_is_reserved_as_it_goes),
        CASE(without_room_the_action_of_the_cap_is_taken),
        CASE(in_the_next_window_it_goes_on),
        CASE(a_move_reserves_what_it_may_take_there),
        CASE(the_quantile_is_reserved_where_futures_are_at_hand),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
