/* SPDX-License-Identifier: Apache-2.0 */
/* The guard on the reference cloud: what it tries fails, promises are broken, many are watched. */
#include "tests/fault/guard_case.h"

#include "broker/finish.h"
#include "broker/shift.h"

#include <malloc.h>
#include <time.h>
#include <unistd.h>

/* What a killed process wrote is in the kernel. */
int fsync(int fd)
{
    (void)fd;
    return 0;
}

int fdatasync(int fd)
{
    (void)fd;
    return 0;
}

/* ---- what fails falls to the milder ---- */

static void a_move_that_fails_becomes_a_pause(void **state)
{
    (void)state;
    start("move", P90, 6 * 3600);
    wait_s(600);
    spike(0);
    fault(GL_MEMORY_MOVE, 1, GL_E_PROVIDER);
    look();
    assert_int_equal(bench->told_count, 2);
    assert_told(0, GL_GUARD_MOVE, GL_WHY_BROKEN);
    assert_true(bench->told[0].has_failed);
    assert_int_equal(bench->told[0].tries, 1);
    assert_int_equal(bench->told[0].retry_s, guard_bench_now_s(bench) + 300);
    assert_told(1, GL_GUARD_PAUSE, GL_WHY_BROKEN);
    assert_false(bench->told[1].has_failed);
    assert_state("paused", GL_MEMORY_REGION);
    assert_int_equal(guarded.failed, 1);
    assert_int_equal(guarded.undone, 0);
    assert_int_equal(guarded.paused, 1);
    assert_chain();
    /* Green elsewhere, and the move may be tried again after five minutes, not before. */
    wait_s(299);
    look();
    assert_did(GL_GUARD_STAY, GL_WHY_NOT_GREEN);
    wait_s(1);
    look();
    assert_did(GL_GUARD_RESUME, GL_WHY_GREEN_AGAIN);
    assert_state("running", GL_MEMORY_REGION_2);
    assert_int_equal(promises("open"), 1);
}

/* Nothing but its budget was in the way, until something else fails too. */
static void a_move_over_its_budget_becomes_a_pause(void **state)
{
    struct gl_cap cap = {.path = "org", .limit = {GL_UNKNOWN, GL_UNKNOWN}, .zone = "UTC"};
    GL_AUTO(gl_auto_json) json_t *charge = json_pack("{s:[s],s:[]}", "accounts", "org/ml", "caps");
    char tag[GL_ACCOUNT_SEGMENT];
    struct gl_error err = {0};

    (void)state;
    assert_int_equal(gl_cap_read("1 g per year", &cap, tag, &err), 0);
    for (int fails_too = 0; fails_too < 2; fails_too++) {
        again();
        journal.charge = charge;
        start("move", P90, 20 * 3600);
        assert_int_equal(gl_budget_set(journal.ledger, &cap, "Ada", &err), 0);
        wait_s(600);
        spike(0);
        if (fails_too)
            fault(GL_MEMORY_SUSPEND, 1000, GL_E_GUEST);
        look();
        assert_told(0, GL_GUARD_MOVE, GL_WHY_BROKEN);
        assert_true(bench->told[0].has_failed);
        assert_int_equal(bench->told[0].code, GL_E_BUDGET);
        assert_told(1, GL_GUARD_PAUSE, GL_WHY_BROKEN);
        assert_state(fails_too ? "running" : "paused", GL_MEMORY_REGION);
        assert_int_equal(guarded.failed, 1);
        assert_int_equal(guarded.over_budget, !fails_too);
    }
}

static void what_fails_is_tried_ever_more_seldom_and_said(void **state)
{
    unsigned tries = 0;

    (void)state;
    start("pause", P90, 20 * 3600);
    wait_s(600);
    spike(0);
    fault(GL_MEMORY_SUSPEND, 1000, GL_E_GUEST);
    for (int minute = 0; minute < 6 * 60; minute += 5) {
        look();
        if (bench->told[0].has_failed) {
            tries++;
            assert_told(0, GL_GUARD_PAUSE, GL_WHY_BROKEN);
            assert_told(1, GL_GUARD_NOTIFY, GL_WHY_BROKEN);
            assert_int_equal(bench->told[0].tries, tries);
            assert_int_equal(guarded.undone, 1);
        } else {
            assert_int_equal(bench->told_count, 1);
            assert_told(0, GL_GUARD_NOTIFY, GL_WHY_BROKEN);
            assert_int_equal(bench->told[0].tries, tries);
            assert_true(bench->told[0].retry_s > guard_bench_now_s(bench));
        }
        wait_s(300);
    }
    /* At 0, 5, 15, 35, 75 minutes, then hourly. */
    assert_int_equal(tries, 9);
    assert_in_range(events("guard"), 9, 9 + 7);
    journal.cloud->store->faults[GL_MEMORY_SUSPEND].times = 0;
    wait_s(3600);
    look();
    assert_did(GL_GUARD_PAUSE, GL_WHY_BROKEN);
}

static void nothing_can_be_done_is_told_once_an_hour(void **state)
{
    (void)state;
    start("notify", P90, 6 * 3600);
    wait_s(600);
    spike(0);
    for (int minute = 0; minute < 60; minute += 5) {
        look();
        assert_did(GL_GUARD_NOTIFY, GL_WHY_BROKEN);
        assert_true((bench->told[0].told_s == GL_UNKNOWN) == (minute == 0));
        assert_int_equal(events("guard"), 1);
        wait_s(300);
    }
    look();
    assert_int_equal(bench->told[0].told_s, GL_UNKNOWN);
    assert_int_equal(events("guard"), 2);
}

static void an_instance_without_means_is_told_of(void **state)
{
    (void)state;
    start("move", P90, 6 * 3600);
    wait_s(600);
    spike(0);
    journal.cloud->store->instances[0].seen.caps = GL_CLOUD_SUSPENDS;
    look();
    assert_did(GL_GUARD_PAUSE, GL_WHY_BROKEN);
    again();
    start("move", P90, 6 * 3600);
    wait_s(600);
    spike(0);
    journal.cloud->store->instances[0].seen.caps = 0;
    look();
    assert_did(GL_GUARD_NOTIFY, GL_WHY_BROKEN);
}

static void a_place_that_disappears_becomes_a_pause(void **state)
{
    (void)state;
    start("move", P90, 6 * 3600);
    wait_s(600);
    spike(0);
    bench->places[1].name = "gone";
    look();
    assert_int_equal(bench->told_count, 2);
    assert_int_equal(bench->told[0].code, GL_E_UNKNOWN_NAME);
    assert_string_equal(bench->told[0].to, "gone");
    assert_told(1, GL_GUARD_PAUSE, GL_WHY_BROKEN);
    assert_state("paused", GL_MEMORY_REGION);
    assert_chain();
}

static void what_another_works_on_is_left_to_it(void **state)
{
    struct gl_error err = {0};
    int lock;

    (void)state;
    start("move", P90, 6 * 3600);
    wait_s(600);
    spike(0);
    lock = gl_launch_lock(journal.folder, launch, 0, &err);
    assert_true(lock >= 0);
    look();
    gl_launch_unlock(lock);
    assert_int_equal(bench->told_count, 1);
    assert_int_equal(bench->told[0].code, GL_E_LOCKED);
    assert_int_equal(guarded.undone, 1);
    assert_int_equal(events("guard"), 0);
    look();
    assert_did(GL_GUARD_MOVE, GL_WHY_BROKEN);
}

static void what_is_not_known_to_have_moved_is_left_alone(void **state)
{
    (void)state;
    start("move", P90, 6 * 3600);
    wait_s(600);
    spike(0);
    fault(GL_MEMORY_MOVE, 1, GL_E_TIMEOUT);
    journal.cloud->store->faults[GL_MEMORY_MOVE].acts_first = true;
    journal.cloud->hides = true;
    look();
    assert_int_equal(bench->told_count, 1);
    assert_true(bench->told[0].has_failed);
    assert_state("moving", GL_MEMORY_REGION);
    journal.cloud->hides = journal.cloud->is_hidden = false;
    look(); /* it did move */
    assert_int_equal(guarded.reconciled.shifted, 1);
    assert_state("running", GL_MEMORY_REGION_2);
    assert_did(GL_GUARD_STAY, GL_WHY_PROMISED);
    assert_int_equal(promises("open"), 1);
}

/* At the step before the act. */
static void end_it(void *cookie, const char *step)
{
    (void)cookie;
    if (strcmp(step, "guard-decided") == 0)
        journal.cloud->store->instances[0].seen.state = GL_STATE_ENDED;
}

static void one_that_ends_meanwhile_is_no_failure(void **state)
{
    (void)state;
    start("move", P90, 6 * 3600);
    wait_s(600);
    spike(0);
    journal.launcher.checkpoint = end_it;
    look();
    assert_did(GL_GUARD_STAY, GL_WHY_OVER);
    again(); /* the cloud only says so, and it runs on */
    start("move", P90, 6 * 3600);
    wait_s(600);
    spike(0);
    fault(GL_MEMORY_MOVE, 1, GL_E_NOT_FOUND);
    look();
    assert_int_equal(guarded.failed, 1);
    assert_told(1, GL_GUARD_PAUSE, GL_WHY_BROKEN);
}

/* ---- another account ---- */

static struct gl_cloud_ops rented;
static const char *whose;

static int rented_whoami(struct gl_cloud *cloud, char out[128], struct gl_error *err)
{
    (void)cloud;
    (void)err;
    snprintf(out, 128, "%s", whose);
    return 0;
}

/* Somebody else's machine: an account has it, and no other account is shown it. */
static struct gl_cloud *rented_open(void *cookie, const char *name, const char *zone,
                                    struct gl_error *err)
{
    struct gl_cloud *cloud = metered_cloud_open(cookie, name, zone, err);

    if (cloud == NULL)
        return NULL;
    rented = *cloud->ops;
    rented.caps |= GL_CLOUD_REMOTE;
    rented.whoami = rented_whoami;
    cloud->ops = &rented;
    return cloud;
}

static void lend_it(void *cookie, const char *step)
{
    (void)cookie;
    if (strcmp(step, "guard-decided") != 0)
        return;
    whose = "account two";
    fault(GL_MEMORY_MOVE, 1, GL_E_NOT_FOUND);
    fault(GL_MEMORY_DESCRIBE, 100, GL_E_NOT_FOUND);
}

static void what_another_account_does_not_show_is_not_over(void **state)
{
    (void)state;
    whose = "account one";
    journal.launcher.open = rented_open;
    start("move", P90, 6 * 3600);
    wait_s(600);
    spike(0);
    journal.launcher.checkpoint = lend_it;
    look();
    assert_int_equal(guarded.failed, 1);
    for (size_t i = 0; i < bench->told_count; i++)
        assert_int_not_equal(bench->told[i].why, GL_WHY_OVER);
    assert_state("running", GL_MEMORY_REGION);
}

/* ---- breaches ---- */

static void a_broken_hour_is_a_breach_at_once(void **state)
{
    (void)state;
    start("notify", P90, 20 * 3600);
    look();
    assert_int_equal(promises("open"), 1);
    wait_s(2 * 3600 + 60);
    bench->grids[0].spike = 300;
    bench->grids[0].spike_from_s = guard_bench_now_s(bench) / 3600 * 3600 - 3600;
    look();
    assert_int_equal(bench->news_count, 1);
    assert_string_equal(bench->news[0], "breached there");
    assert_int_equal(guarded.settled.met, 1);
    assert_int_equal(promises("breached"), 1);
    assert_int_equal(events("settled"), 1);
    look();
    assert_int_equal(bench->news_count, 0);
    assert_int_equal(guarded.settled.met, 0);
    assert_chain();
}

static void a_figure_that_may_be_revised_is_no_breach_yet(void **state)
{
    (void)state;
    bench->grids[0].is_estimated = true;
    start("notify", P90, 20 * 3600);
    look();
    wait_s(2 * 3600 + 60);
    bench->grids[0].spike = 300;
    bench->grids[0].spike_from_s = guard_bench_now_s(bench) / 3600 * 3600 - 3600;
    look();
    assert_string_equal(bench->news[0], "open there");
    assert_int_equal(guarded.settled.met, 0);
    bench->grids[0].spike = 0;
    look(); /* revised: it was not broken */
    assert_int_equal(bench->news_count, 0);
    assert_int_equal(promises("breached"), 0);
}

static void what_was_moved_away_in_time_is_no_breach_of_its_launch(void **state)
{
    (void)state;
    bench->grids[0].base = 150;
    bench->grids[0].swing = 80;
    start("move", P90, 20 * 3600);
    look();
    assert_int_equal(promises("open"), 1);
    /* The forecast knew better than the promise: gone before the hour that breaks it. */
    bench->grids[0].is_unknown = true;
    bench->guard.lead_s = 3600;
    wait_s(60);
    look();
    assert_state("paused", GL_MEMORY_REGION);
    bench->grids[0].is_unknown = false;
    bench->grids[0].spike = 300;
    wait_s(3 * 3600);
    bench->grids[0].spike_from_s = METERED_EPOCH_MS / 1000 + 3600;
    look();
    assert_string_equal(bench->news[0], "breached");
    assert_int_equal(guarded.settled.breached, 1);
    assert_int_equal(guarded.settled.met, 0);
}

/* ---- all of them ---- */

static void a_name_is_no_state(void **state)
{
    struct gl_error err = {0};
    char other[GL_CLOUD_ID];

    (void)state;
    assert_int_equal(guard_bench_start(bench, "paused", "notify", P90, 6 * 3600, launch, &err), 0);
    assert_int_equal(guard_bench_start(bench, "running", "notify", P90, 6 * 3600, other, &err), 0);
    assert_int_equal(journal_bench_finish(&journal, other, 0, &err), 0);
    wait_s(600);
    spike(0);
    look();
    assert_int_equal(guarded.watched, 1);
    assert_did(GL_GUARD_NOTIFY, GL_WHY_BROKEN);
    assert_string_equal(bench->told[0].launch, launch);
}

static void dry_changes_nothing(void **state)
{
    struct gl_ledger_check before, after;
    struct gl_error err = {0};

    (void)state;
    start("move", P90, 6 * 3600);
    wait_s(600);
    spike(0);
    assert_int_equal(gl_ledger_check(journal.ledger, &before, &err), 0);
    bench->guard.is_dry = true;
    look();
    assert_did(GL_GUARD_MOVE, GL_WHY_BROKEN);
    assert_int_equal(gl_ledger_check(journal.ledger, &after, &err), 0);
    assert_string_equal(before.head, after.head);
    assert_state("running", GL_MEMORY_REGION);
}

static unsigned calls;

static bool after_the_first(void *cookie)
{
    (void)cookie;
    return ++calls > 1;
}

static void an_interruption_ends_it_between_two_launches(void **state)
{
    (void)state;
    start("notify", P90, 6 * 3600);
    start("notify", P90, 6 * 3600);
    calls = 0;
    journal.launcher.is_interrupted = after_the_first;
    look();
    assert_int_equal(guarded.watched, 1);
    journal.launcher.is_interrupted = NULL;
    look();
    assert_int_equal(guarded.watched, 2);
}

static int insert_copies(size_t count, int64_t probability_ppm)
{
    int64_t now_s = guard_bench_now_s(bench);
    json_t *plan = guard_bench_plan("move", probability_ppm, now_s, now_s + 6 * 3600);
    struct gl_error err = {0};
    char *text = gl_json_canonical(plan, &err);
    json_t *body = json_object();

    for (size_t i = 0; i < count; i++) {
        char id[GL_CLOUD_ID];
        struct gl_launch_change change = {GL_LAUNCH_KEEP,
                                          .launch = id,
                                          .state = "running",
                                          .cloud = "memory",
                                          .region = GL_MEMORY_REGION,
                                          .zone = "XX",
                                          .instance = "m-1",
                                          .plan = text};

        snprintf(id, sizeof id, "gl-copy%zu", i);
        change.expires_ms = (now_s + 6 * 3600) * 1000;
        if (gl_ledger_append(journal.ledger, "copied", id, body, &change, &err) != 0)
            fail_msg("%s", err.text);
    }
    free(text);
    json_decref(body);
    json_decref(plan);
    return 0;
}

static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* However many stand under the same rules, each zone is worked out once. */
static void a_thousand_launches_ask_once(void **state)
{
    double began;

    (void)state;
    insert_copies(1, P90);
    bench->guard.is_dry = true;
    began = seconds();
    look();
    print_message("1 launch: %.1f ms\n", (seconds() - began) * 1000);
    insert_copies(1000, P90);
    began = seconds();
    look();
    print_message("1,000 launches: %.1f ms\n", (seconds() - began) * 1000);
    assert_int_equal(guarded.watched, 1000);
    assert_int_equal(guarded.stayed, 1000);
    assert_int_equal(bench->asked, 1); /* of where else it could be nobody asks: it is well */
}

static unsigned opened;

static struct gl_cloud *open_counted(void *cookie, const char *name, const char *zone,
                                     struct gl_error *err)
{
    opened++;
    return metered_cloud_open(cookie, name, zone, err);
}

/* Each of them is described, over one handle. */
static void a_hundred_launches_open_their_cloud_once(void **state)
{
    (void)state;
    insert_copies(100, P90);
    journal.cloud->store->calls[GL_MEMORY_DESCRIBE] = 0;
    journal.launcher.open = open_counted;
    opened = 0;
    spike(0);
    bench->guard.is_dry = true;
    look();
    assert_int_equal(guarded.watched, 100);
    assert_int_equal(journal.cloud->store->calls[GL_MEMORY_DESCRIBE], 100);
    assert_int_equal(opened, 1);
    opened = 0;
    look();
    assert_int_equal(opened, 1); /* a look each */
}

static void memory_does_not_grow_over_looks(void **state)
{
    size_t used = 0;

    (void)state;
    start("notify", P90, 6 * 3600);
    wait_s(600);
    spike(0);
    for (int i = 0; i < 50; i++) {
        look();
        if (i == 9)
            used = mallinfo2().uordblks;
    }
    /* SQLite's page cache may still take a page or two. */
    assert_true(mallinfo2().uordblks <= used + 16384);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_move_that_fails_becomes_a_pause),
        CASE(a_move_over_its_budget_becomes_a_pause),
        CASE(what_fails_is_tried_ever_more_seldom_and_said),
        CASE(nothing_can_be_done_is_told_once_an_hour),
        CASE(an_instance_without_means_is_told_of),
        CASE(a_place_that_disappears_becomes_a_pause),
        CASE(what_another_works_on_is_left_to_it),
        CASE(what_is_not_known_to_have_moved_is_left_alone),
        CASE(one_that_ends_meanwhile_is_no_failure),
        CASE(what_another_account_does_not_show_is_not_over),
        CASE(a_broken_hour_is_a_breach_at_once),
        CASE(a_figure_that_may_be_revised_is_no_breach_yet),
        CASE(what_was_moved_away_in_time_is_no_breach_of_its_launch),
        CASE(a_name_is_no_state),
        CASE(dry_changes_nothing),
        CASE(an_interruption_ends_it_between_two_launches),
        CASE(a_thousand_launches_ask_once),
        CASE(a_hundred_launches_open_their_cloud_once),
        CASE(memory_does_not_grow_over_looks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
