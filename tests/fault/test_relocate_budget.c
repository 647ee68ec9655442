/* SPDX-License-Identifier: Apache-2.0 */
/* A move by image under a cap: both launches together hold what may come of it, at every step, and
 * no microgram more. */
#define JOURNAL_CASE "test_relocate_budget"
#include "tests/fault/relocate_case.h"

#include "broker/budget.h"

#define TRIAL_S 120 /* of the case's verification, and a minute */

static json_t *charge;

static int begin_tests(void **state)
{
    (void)state;
    charge = json_pack("{s:[s],s:[]}", "accounts", "org/ml", "caps");
    return 0;
}

static int end_tests(void **state)
{
    (void)state;
    json_decref(charge);
    return 0;
}

static void limit(int64_t ug)
{
    struct gl_cap cap = {.path = "org", .limit = {ug, GL_UNKNOWN}, .zone = "UTC"};
    struct gl_error err = {0};

    assert_int_equal(gl_period_read("year", &cap.period, &err), 0);
    if (gl_budget_set(bench.ledger, &cap, "test", &err) != 0)
        fail_msg("%s", err.text);
}

static struct gl_balance balance(void)
{
    GL_AUTO(gl_caps_done) struct gl_caps caps = {0, NULL};
    struct gl_account_state state;
    struct gl_error err = {0};

    assert_int_equal(gl_budget_caps(bench.ledger, &caps, &err), 0);
    assert_int_equal(gl_budget_state(bench.ledger, &caps.items[0], "org",
                                     gl_ledger_now_ms(bench.ledger), NULL, &state, &err),
                     0);
    return state.balance;
}

static int64_t taken(void)
{
    struct gl_balance now = balance();

    return now.held.ug + now.spent.ug;
}

static int64_t hold_of(const char *launch)
{
    struct gl_amount amount = {0, 0};
    struct gl_error err = {0};
    bool is_held;

    assert_int_equal(gl_budget_hold(bench.ledger, launch, &is_held, &amount, &err), 0);
    return is_held ? amount.ug : 0;
}

static int64_t wanted_there(int64_t lease_s)
{
    struct gl_error err = {0};
    GL_AUTO(gl_auto_json) json_t *plan = plan_there(&err);
    struct gl_wanted wanted;

    assert_int_equal(
        gl_budget_wanted(&(struct gl_wanted_of){.plan = plan,
                                                .start_ms = gl_ledger_now_ms(bench.ledger),
                                                .lease_s = lease_s},
                         &wanted, &err),
        0);
    return wanted.amount.ug;
}

/* By its meter, or its part of the time where that is more. */
static int64_t used_by_now(int64_t held)
{
    GL_AUTO(gl_auto_json) json_t *derived = NULL;
    GL_AUTO(gl_launch_rows_free) struct gl_launch_rows rows = {0};
    struct gl_error err = {0};
    struct gl_cloud *cloud = bench.launcher.open(bench.launcher.cookie, "memory", "XX", &err);
    int64_t part = (held * 4 + JOURNAL_LEASE_S - 1) / JOURNAL_LEASE_S, told;

    assert_int_equal(gl_ledger_launches(bench.ledger, old_id, &rows, &err), 0);
    assert_int_equal(gl_launch_so_far(&bench.launcher, &rows.rows[0], cloud, &derived, &err), 0);
    gl_cloud_close(cloud);
    told = json_integer_value(
        json_array_get(json_object_get(json_object_get(derived, "footprint"), "total_ug"), 1));
    assert_true(told > 0);
    return told > part ? told : part;
}

/* A launch that is charged, and what its move needs under the caps: it goes there with the rest, or
 * is tried there and stays. */
static int64_t held_alone;

static int64_t begin_charged(void)
{
    int64_t goes, stays;

    again();
    bench.charge = charge;
    limit(INT64_C(1000000000));
    start_old();
    held_alone = hold_of(old_id);
    goes = used_by_now(held_alone) + wanted_there(JOURNAL_LEASE_S - 4);
    stays = held_alone + wanted_there(TRIAL_S);
    return goes > stays ? goes : stays;
}

/* ---- exactly what may be used ---- */

static void move_at_the_cap(int64_t there, bool is_dirtier)
{
    struct gl_error err = {0};
    int64_t needed;

    there_ug_per_kwh = there;
    needed = begin_charged();
    assert_int_equal(needed > held_alone + wanted_there(TRIAL_S), is_dirtier);
    assert_true(needed < held_alone + wanted_there(JOURNAL_LEASE_S - 4)); /* not both */
    limit(needed - 1);
    assert_int_equal(move(&bench, &err), -1);
    assert_int_equal(err.code, GL_E_BUDGET);
    assert_int_equal(bench.cloud->store->calls[GL_MEMORY_HALT], 0);
    assert_int_equal(journal_bench_events(&bench, old_id, "relocate-intended"), 0);
    assert_int_equal(taken(), held_alone);
    limit(needed);
    gl_error_clear(&err);
    if (move(&bench, &err) != 0)
        fail_msg("%s", err.text);
    assert_true(taken() <= needed);
    assert_int_equal(hold_of(old_id), 0);
    assert_true(balance().held.ug > 0 && balance().spent.ug > 0);
    assert_true(is_there_and_sound());
    assert_int_equal(balance().held.ug, 0);
}

/* What it uses while the new one is tried counts, too. */
static void one_that_runs_on_needs_that_much_more(void **state)
{
    struct gl_relocated out;
    struct gl_error err = {0};
    int64_t needed;

    (void)state;
    there_ug_per_kwh = 600000000;
    needed = begin_charged();
    limit(needed);
    assert_int_equal(move_with(&bench, (struct gl_relocate_order){.is_anew = true}, &out, &err),
                     -1);
    assert_int_equal(err.code, GL_E_BUDGET);
    assert_int_equal(journal_bench_events(&bench, old_id, "relocate-intended"), 0);
    limit(needed + (held_alone * TRIAL_S + JOURNAL_LEASE_S - 1) / JOURNAL_LEASE_S);
    gl_error_clear(&err);
    if (move_with(&bench, (struct gl_relocate_order){.is_anew = true}, &out, &err) != 0)
        fail_msg("%s", err.text);
    assert_true(is_there_and_sound());
    assert_int_equal(balance().held.ug, 0);
}

static void near_the_cap_it_is_moved_with_what_may_be_used(void **state)
{
    (void)state;
    move_at_the_cap(40000000, false);
    move_at_the_cap(300000000, true);
    there_ug_per_kwh = 40000000;
}

/* Nothing is known of the new place: under a cap it stays, and runs on. */
static void what_is_not_known_is_not_moved_under_a_cap(void **state)
{
    struct gl_relocate_order order = {.region = GL_MEMORY_REGION_2, .zone = "YY"};
    const struct gl_shift_reason reason = {"person", "why not", NULL};
    struct gl_relocated out;
    struct gl_error err = {0};
    GL_AUTO(gl_auto_json) json_t *plan = NULL;

    (void)state;
    begin_charged();
    plan = plan_there(&err);
    json_object_set_new(plan, "series", json_array());
    order.reason = &reason;
    order.plan = plan;
    order.command = command;
    assert_int_equal(gl_launch_relocate(&bench.launcher, old_id, &order, &out, &err), -1);
    assert_int_equal(err.code, GL_E_UNKNOWN_DATA);
    assert_int_equal(bench.cloud->store->calls[GL_MEMORY_HALT], 0);
    assert_int_equal(taken(), held_alone);
}

/* ---- killed ---- */

static int count_new(void *cookie, const char *launch, const struct gl_amount *held)
{
    (void)held;
    *(int *)cookie += strcmp(launch, old_id) != 0;
    return 0;
}

/* Whoever reserves what seems free takes nothing that this move may still need. */
static void assert_all_reserved(int64_t needed)
{
    struct gl_error err = {0};
    int others = 0;

    assert_true(taken() <= needed);
    assert_int_equal(gl_budget_holders(bench.ledger, "org", GL_UNKNOWN, &others, count_new, &err),
                     0);
    if (others > 0 && hold_of(old_id) > 0 &&
        journal_bench_events(&bench, old_id, "relocate-failed") == 0)
        assert_true(taken() >= needed - 1);
}

static void killed_at_any_step_no_gram_is_free_too_early(void **state)
{
    unsigned points = 0, there = 0;
    bool lived = false;

    (void)state;
    for (unsigned k = 1; !lived; k++) {
        int64_t needed = begin_charged();

        limit(needed);
        bench.cloud->store->image_steps = 1;
        lived = child_lives(k, move);
        assert_all_reserved(needed);
        if (is_there_and_sound())
            there++;
        else
            assert_true(journal_bench_events(&bench, old_id, "relocate-intended") == 0 ||
                        journal_bench_events(&bench, old_id, "relocate-failed") == 1);
        assert_int_equal(balance().held.ug, 0);
        assert_true(balance().spent.ug <= needed);
        points += !lived;
    }
    print_message("killed at %u steps, there %u times\n", points, there);
    assert_true(points >= 8 && there >= 2 && there < points);
}

/* ---- undone ---- */

/* While it goes on somebody else asks for a single microgram. */
static void ask_for_one(void *cookie, const char *step, int64_t waited_s)
{
    GL_AUTO(gl_auto_json) json_t *body = json_object();
    const struct gl_amount one = {1, GL_UNKNOWN};
    struct gl_error err = {0};

    (void)step;
    (void)waited_s;
    json_object_set_new(
        body, "budget",
        gl_budget_reserve_json(charge, &one, gl_ledger_now_ms(bench.ledger) + 3600000));
    assert_int_equal(gl_ledger_append(bench.ledger, "budget", "gl-other", body, NULL, &err), -1);
    assert_int_equal(err.code, GL_E_BUDGET);
    ++*(int *)cookie;
}

static void one_that_comes_back_has_all_that_it_had(void **state)
{
    int64_t needed = begin_charged();
    struct gl_relocated out;
    struct gl_error err = {0};
    int asked = 0;

    (void)state;
    limit(needed);
    bench.cloud->is_mute = true;
    bench.cloud->store->image_steps = 2;
    assert_int_equal(
        move_with(&bench, (struct gl_relocate_order){.progress = ask_for_one, .cookie = &asked},
                  &out, &err),
        -1);
    assert_int_equal(err.code, GL_E_TIMEOUT);
    assert_true(asked > 6);
    bench.cloud->is_mute = false;
    assert_int_equal(hold_of(old_id), held_alone);
    assert_int_equal(balance().held.ug, held_alone);
    assert_true(balance().spent.ug > 0); /* it ran there for a while */
    assert_true(taken() <= needed);
    assert_false(is_there_and_sound());
    assert_true(balance().spent.ug <= needed);
}

/* ---- what comes back holds what it held alone: no microgram more, none less ---- */

static bool is_over(const char *launch)
{
    GL_AUTO(gl_launch_rows_free) struct gl_launch_rows rows = {0};
    struct gl_error err = {0};

    assert_int_equal(gl_ledger_launches(bench.ledger, launch, &rows, &err), 0);
    assert_int_equal(rows.count, 1);
    return gl_launch_row_is_over(&rows.rows[0]);
}

static void assert_as_before(unsigned k)
{
    if (hold_of(old_id) != held_alone || balance().held.ug != held_alone)
        fail_msg("killed at step %u: %lld of %lld reserved, %lld by it alone", k,
                 (long long)balance().held.ug, (long long)held_alone, (long long)hold_of(old_id));
    assert_false(is_over(old_id));
}

/* Killed at every step, and nobody looks for so long: what was started there is not heard of. */
static unsigned come_back_killed_at_each(int64_t unseen_ms)
{
    unsigned tried_there = 0;
    bool lived = false;

    for (unsigned k = 1; !lived; k++) {
        limit(begin_charged());
        bench.cloud->is_mute = true;
        bench.cloud->store->image_steps = 1;
        lived = child_lives(k, move);
        wait_ms(unseen_ms);
        reconcile_until_settled();
        bench.cloud->is_mute = false;
        assert_as_before(k);
        tried_there += balance().spent.ug > 0;
        assert_false(is_there_and_sound());
        assert_int_equal(balance().held.ug, 0);
    }
    return tried_there;
}

static void whenever_it_is_killed_it_comes_back_with_what_it_had(void **state)
{
    (void)state;
    assert_true(come_back_killed_at_each(0) >= 2);
    /* Longer than the trial that was reserved for. */
    assert_true(come_back_killed_at_each(150000) >= 2);
}

static void block_receipts(bool is_blocked)
{
    GL_AUTO(gl_auto_free) char *folder = gl_path_join(bench.folder, "receipts");
    struct gl_error err = {0};

    if (is_blocked)
        assert_int_equal(gl_file_write(folder, "", 0, 0600, &err), 0);
    else
        assert_int_equal(remove(folder), 0);
}

static void find_tried(char out[GL_CLOUD_ID])
{
    GL_AUTO(gl_launch_rows_free) struct gl_launch_rows rows = {0};
    struct gl_error err = {0};

    assert_int_equal(gl_ledger_launches(bench.ledger, "nightly", &rows, &err), 0);
    assert_int_equal(rows.count, 2);
    for (size_t i = 0; i < rows.count; i++)
        if (strcmp(rows.rows[i].launch, old_id) != 0)
            snprintf(out, GL_CLOUD_ID, "%s", rows.rows[i].launch);
}

/* The machine there is gone, and its receipt cannot be written yet: its end is told after that of
 * the move. */
static int64_t fail_with_its_end_untold(char tried[GL_CLOUD_ID])
{
    int64_t needed = begin_charged();
    struct gl_error err = {0};

    limit(needed);
    bench.cloud->is_mute = true;
    block_receipts(true);
    assert_int_equal(move(&bench, &err), -1);
    assert_int_equal(err.code, GL_E_TIMEOUT);
    assert_int_equal(journal_bench_events(&bench, old_id, "relocate-failed"), 1);
    find_tried(tried);
    assert_false(is_over(tried));
    bench.cloud->is_mute = false;
    block_receipts(false);
    return needed;
}

static void an_end_that_is_told_later_gives_nothing_back_twice(void **state)
{
    char tried[GL_CLOUD_ID];
    int64_t needed = fail_with_its_end_untold(tried);

    (void)state;
    assert_int_equal(hold_of(old_id), held_alone);
    assert_int_equal(hold_of(tried), needed - held_alone); /* all that was reserved, divided anew */
    reconcile_until_settled();
    assert_true(is_over(tried));
    assert_as_before(0);
    assert_true(balance().spent.ug > 0);
    assert_true(taken() <= needed);
    assert_false(is_there_and_sound());
    assert_int_equal(balance().held.ug, 0);
}

/* Nor while a second move has divided anew what there is. */
static void end_tried(void *cookie, const char *step, int64_t waited_s)
{
    struct gl_ending ending = {.exit_status = -1};
    struct gl_error err = {0};
    const char *tried = cookie;
    int64_t held = hold_of(old_id);

    (void)waited_s;
    if (strcmp(step, "waiting for the first reading") != 0 || is_over(tried))
        return;
    assert_true(held < held_alone); /* the new one holds the rest */
    if (gl_launch_finish(&bench.launcher, tried, &ending, &err) != 0)
        fail_msg("%s", err.text);
    free(ending.receipt);
    assert_int_equal(hold_of(old_id), held);
}

static void what_was_tried_before_gives_nothing_to_a_second_move(void **state)
{
    char tried[GL_CLOUD_ID];
    struct gl_relocated out;
    struct gl_error err = {0};

    (void)state;
    there_ug_per_kwh = 300000000;
    fail_with_its_end_untold(tried);
    limit(INT64_C(1000000000));
    bench.cloud->is_mute = true;
    assert_int_equal(move_with(&bench,
                               (struct gl_relocate_order){.progress = end_tried, .cookie = tried},
                               &out, &err),
                     -1);
    there_ug_per_kwh = 40000000;
    bench.cloud->is_mute = false;
    assert_true(is_over(tried));
    assert_as_before(0);
    assert_false(is_there_and_sound());
    assert_int_equal(balance().held.ug, 0);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(one_that_runs_on_needs_that_much_more),
        CASE(near_the_cap_it_is_moved_with_what_may_be_used),
        CASE(what_is_not_known_is_not_moved_under_a_cap),
        CASE(killed_at_any_step_no_gram_is_free_too_early),
        CASE(one_that_comes_back_has_all_that_it_had),
        CASE(whenever_it_is_killed_it_comes_back_with_what_it_had),
        CASE(an_end_that_is_told_later_gives_nothing_back_twice),
        CASE(what_was_tried_before_gives_nothing_to_a_second_move),
    };

    return cmocka_run_group_tests(tests, begin_tests, end_tests);
}
