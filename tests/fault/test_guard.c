/* SPDX-License-Identifier: Apache-2.0 */
/* The guard on the reference cloud: what it does when a promise lapses, when nothing is known, and
 * when what it tries fails. */
#include "tests/support/guard_bench.h"

#include "base/file.h"
#include "broker/finish.h"
#include "broker/shift.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

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

#define P90 900000
#define DAY INT64_C(86400)

static struct journal_bench journal;
static struct guard_bench *bench;
static char launch[GL_CLOUD_ID];
static struct gl_guarded guarded;

static int set_up(void **state)
{
    (void)state;
    journal_bench_open(&journal, "test_guard");
    journal.cloud->is_mute = true;
    bench = guard_bench_new(&journal);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    guard_bench_free(bench);
    journal_bench_close(&journal);
    return 0;
}

static void again(void)
{
    tear_down(NULL);
    set_up(NULL);
}

static void start(const char *on_lapse, int64_t probability_ppm, int64_t lease_s)
{
    struct gl_error err = {0};

    if (guard_bench_start(bench, "", on_lapse, probability_ppm, lease_s, launch, &err) != 0)
        fail_msg("%s", err.text);
}

static void look(void)
{
    struct gl_error err = {0};

    if (guard_bench_look(bench, &guarded, &err) != 0)
        fail_msg("%s", err.text);
}

static void wait_s(int64_t seconds)
{
    journal.cloud->true_ms += seconds * 1000;
}

static void fault(enum gl_memory_op op, unsigned times, enum gl_errc code)
{
    journal.cloud->store->faults[op] = (struct gl_memory_fault){.times = times, .code = code};
}

/* The grid of the place where it runs is over the limit now and for good. */
static void spike(int grid)
{
    bench->grids[grid].spike = 300;
    bench->grids[grid].spike_from_s = guard_bench_now_s(bench) / 3600 * 3600 - 7200;
}

static void assert_told(size_t index, enum gl_guard_act act, enum gl_guard_why why)
{
    assert_true(index < bench->told_count);
    assert_string_equal(gl_guard_act_word(bench->told[index].act), gl_guard_act_word(act));
    assert_string_equal(gl_guard_why_sentence(bench->told[index].why), gl_guard_why_sentence(why));
}

/* It said so, once, and nothing failed. */
static void assert_did(enum gl_guard_act act, enum gl_guard_why why)
{
    assert_int_equal(bench->told_count, 1);
    assert_told(0, act, why);
    assert_false(bench->told[0].has_failed);
    assert_int_equal(guarded.failed, 0);
    assert_int_equal(guarded.undone, 0);
}

static void assert_state(const char *state, const char *region)
{
    struct gl_launch_rows rows;
    struct gl_error err = {0};

    assert_int_equal(gl_ledger_launches(journal.ledger, launch, &rows, &err), 0);
    assert_int_equal(rows.count, 1);
    assert_string_equal(rows.rows[0].state, state);
    assert_string_equal(rows.rows[0].region, region);
    gl_launch_rows_free(&rows);
}

static unsigned events(const char *kind)
{
    return journal_bench_events(&journal, launch, kind);
}

static size_t promises(const char *filter)
{
    struct gl_guarantee_rows rows;
    struct gl_error err = {0};
    size_t count;

    assert_int_equal(gl_ledger_guarantees(journal.ledger, filter, &rows, &err), 0);
    count = rows.count;
    gl_guarantee_rows_free(&rows);
    return count;
}

static void assert_chain(void)
{
    struct gl_ledger_check check;
    struct gl_error err = {0};

    if (gl_ledger_check(journal.ledger, &check, &err) != 0)
        fail_msg("%s", err.text);
}

/* ---- promises ---- */

static void what_is_promised_stays_under_one_promise(void **state)
{
    (void)state;
    start("move", P90, 6 * 3600);
    look();
    assert_did(GL_GUARD_STAY, GL_WHY_PROMISED);
    assert_int_equal(promises("open"), 1);
    wait_s(300);
    look();
    assert_did(GL_GUARD_STAY, GL_WHY_PROMISED);
    assert_int_equal(promises("open"), 1);
    assert_int_equal(events("guard"), 0);
    assert_chain();
}

static void a_lapse_gets_what_was_asked_for(void **state)
{
    static const struct {
        const char *on_lapse, *state, *region;
        enum gl_guard_act act;
    } rows[] = {
        {"move", "running", GL_MEMORY_REGION_2, GL_GUARD_MOVE},
        {"pause", "paused", GL_MEMORY_REGION, GL_GUARD_PAUSE},
        {"stop", "ended", GL_MEMORY_REGION, GL_GUARD_STOP},
        {"notify", "running", GL_MEMORY_REGION, GL_GUARD_NOTIFY},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        again();
        start(rows[i].on_lapse, P90, 6 * 3600);
        wait_s(600);
        spike(0);
        look();
        assert_did(rows[i].act, GL_WHY_BROKEN);
        assert_state(rows[i].state, rows[i].region);
        assert_int_equal(events("demand"), 0); /* it stands apart from the launch */
        assert_int_equal(journal_bench_events(&journal, "", "demand"), 1);
        assert_int_equal(promises("open"), rows[i].act == GL_GUARD_MOVE);
        assert_chain();
    }
}

/* The day's cycle crosses the limit: it acts while the limit still holds. */
static void it_acts_before_the_limit_is_broken(void **state)
{
    bool has_acted = false;

    (void)state;
    bench->grids[0].base = 150;
    bench->grids[0].swing = 80; /* over 200 from about half past two until half past nine UTC */
    start("pause", P90, 20 * 3600);
    for (int minute = 0; minute < 4 * 60 && !has_acted; minute += 5) {
        look();
        has_acted = guarded.paused > 0;
        wait_s(300);
    }
    assert_true(has_acted);
    assert_told(0, GL_GUARD_PAUSE, GL_WHY_LAPSES);
    assert_true(guard_bench_now_s(bench) % DAY < 3 * 3600);
}

struct spoken {
    const char *kind;
    const json_t *found;
};

static int keep_event(void *cookie, const json_t *event)
{
    struct spoken *spoken = cookie;

    if (strcmp(json_string_value(json_object_get(event, "kind")), spoken->kind) == 0)
        spoken->found = json_incref((json_t *)(uintptr_t)event);
    return 0;
}

static void the_event_says_why_and_on_what_it_rests(void **state)
{
    struct spoken spoken = {"move", NULL};
    struct gl_error err = {0};
    const json_t *body, *evidence, *here, *to;

    (void)state;
    start("move", P90, 6 * 3600);
    wait_s(600);
    spike(0);
    look();
    assert_int_equal(gl_ledger_events(journal.ledger, launch, &spoken, keep_event, &err), 0);
    body = json_object_get(spoken.found, "body");
    evidence = json_object_get(body, "evidence");
    here = json_object_get(evidence, "here");
    to = json_object_get(evidence, "to");
    assert_string_equal(json_string_value(json_object_get(body, "by")), "guard");
    assert_string_equal(json_string_value(json_object_get(here, "zone")), "XX");
    assert_string_equal(json_string_value(json_object_get(here, "state")), "broken now");
    assert_string_equal(json_string_value(json_object_get(to, "zone")), "YY");
    assert_true(json_integer_value(json_object_get(to, "until_s")) > guard_bench_now_s(bench));
    assert_true(json_integer_value(json_object_get(evidence, "gain_ug")) > 0);
    assert_null(json_object_get(to, "id"));
    json_decref((json_t *)(uintptr_t)spoken.found);
}

/* ---- unknown is never green ---- */

static void late(void)
{
    bench->grids[0].stands_at_s = guard_bench_now_s(bench) - 30 * 3600;
}

static void later_than_the_rule_allows(void)
{
    bench->grids[0].stands_at_s = guard_bench_now_s(bench) - 5 * 3600; /* max_data_age: 3 h */
}

static void unknown_zone(void)
{
    bench->grids[0].is_unknown = true;
}

static void no_history(void)
{
    bench->grids[0].has_no_history = true;
}

static void what_is_not_known_lapses(void **state)
{
    static void (*const ways[])(void) = {late, later_than_the_rule_allows, unknown_zone,
                                         no_history};

    (void)state;
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        again();
        start("pause", P90, 6 * 3600);
        wait_s(600);
        ways[i]();
        look();
        assert_did(GL_GUARD_PAUSE, GL_WHY_UNKNOWN);
        assert_state("paused", GL_MEMORY_REGION);
        wait_s(3600);
        bench->grids[0].stands_at_s += bench->grids[0].stands_at_s > 0 ? 3600 : 0;
        look();
        assert_did(GL_GUARD_STAY, GL_WHY_NOT_GREEN);
        assert_int_equal(promises(NULL), 0);
    }
}

static void too_few_past_forecasts_are_unknown(void **state)
{
    (void)state;
    start("pause", P90, 6 * 3600);
    wait_s(600);
    bench->grids[0].missing_from_s = 0;
    look();
    assert_did(GL_GUARD_STAY, GL_WHY_PROMISED);
    /* Only the last day is known: nothing was settled. */
    bench->guard.facts = bench->guard.facts;
    bench->grids[0].history.actuals.count = 0;
    again();
    journal.cloud->true_ms = -(int64_t)GUARD_BENCH_DAYS * DAY * 1000 + 2 * DAY * 1000;
    start("pause", P90, 6 * 3600);
    look();
    assert_did(GL_GUARD_PAUSE, GL_WHY_UNKNOWN);
}

static void a_place_of_unknown_zone_is_no_refuge(void **state)
{
    (void)state;
    for (int way = 0; way < 4; way++) {
        again();
        start("move", P90, 6 * 3600);
        wait_s(600);
        spike(0);
        bench->places[1].zone = way == 0 ? NULL : way == 1 ? "" : way == 2 ? "ZZ" : "YY";
        bench->grids[1].has_no_history = way == 3;
        look();
        assert_did(GL_GUARD_PAUSE, GL_WHY_BROKEN);
    }
}

static void where_grams_are_not_known_nothing_is_gained(void **state)
{
    (void)state;
    start("move", P90, 6 * 3600);
    wait_s(600);
    late();
    look();
    assert_did(GL_GUARD_PAUSE, GL_WHY_UNKNOWN);
}

/* ---- launched without a promise: the data at hand ---- */

static void the_data_at_hand_is_judged_by_the_evaluator(void **state)
{
    (void)state;
    bench->grids[0].has_no_history = bench->grids[1].has_no_history = true;
    start("move", 0, 6 * 3600);
    look();
    assert_did(GL_GUARD_STAY, GL_WHY_PROMISED);
    assert_int_equal(promises(NULL), 0);
    wait_s(600);
    bench->grids[0].spike = 300; /* as forecast, for the hour after next */
    bench->grids[0].spike_from_s = guard_bench_now_s(bench) / 3600 * 3600 + 7200;
    look();
    assert_did(GL_GUARD_STAY, GL_WHY_TIME_YET);
    bench->grids[0].spike_from_s -= 3600;
    look();
    assert_did(GL_GUARD_MOVE, GL_WHY_LAPSES);
    assert_state("running", GL_MEMORY_REGION_2);
    assert_int_equal(promises(NULL), 0);
    wait_s(600);
    bench->grids[1].spike = 300;
    bench->grids[1].spike_from_s = guard_bench_now_s(bench) - 3600;
    look();
    assert_did(GL_GUARD_PAUSE, GL_WHY_BROKEN);
}

static void data_at_hand_that_is_stale_or_gone_lapses(void **state)
{
    static void (*const ways[])(void) = {late, unknown_zone};

    (void)state;
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        again();
        bench->grids[0].has_no_history = true;
        start("pause", 0, 6 * 3600);
        wait_s(600);
        ways[i]();
        look();
        assert_did(GL_GUARD_PAUSE, GL_WHY_UNKNOWN);
    }
}

static void spoil_plan(const char *plan)
{
    struct gl_launch_change change = {GL_LAUNCH_KEEP, .launch = launch, .plan = plan};
    struct gl_error err = {0};
    json_t *body = json_object();

    assert_int_equal(gl_ledger_append(journal.ledger, "spoilt", launch, body, &change, &err), 0);
    json_decref(body);
}

static void a_plan_that_cannot_be_read_is_told(void **state)
{
    static const char *const plans[] = {
        "{", "{\"guarantee\":{\"rules\":[{\"id\":\"a\",\"limits\":[]}]}}", "{\"guarantee\":{}}"};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        again();
        start("pause", P90, 6 * 3600);
        spoil_plan(plans[i]);
        look();
        assert_int_equal(guarded.watched, 1);
        assert_int_equal(guarded.failed, 1);
        assert_int_equal(guarded.undone, 1);
        assert_true(bench->told[0].has_failed);
        assert_int_equal(bench->told[0].code, i == 0 ? GL_E_SYNTAX : GL_E_NOT_VERIFIED);
    }
    again();
    start("pause", P90, 6 * 3600);
    spoil_plan("{\"guarantee\":null}");
    look();
    assert_int_equal(guarded.watched, 0);
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

static void one_that_ended_meanwhile_is_no_failure(void **state)
{
    (void)state;
    start("move", P90, 6 * 3600);
    wait_s(600);
    spike(0);
    fault(GL_MEMORY_MOVE, 1, GL_E_NOT_FOUND);
    look();
    assert_int_equal(guarded.failed, 1); /* the cloud says so, and it runs on: that is one */
    assert_true(bench->told_count >= 1);
}

/* ---- pauses ---- */

static void what_a_person_paused_stays_paused(void **state)
{
    struct gl_error err = {0};

    (void)state;
    start("pause", P90, 6 * 3600);
    wait_s(600);
    assert_int_equal(journal_bench_resume(&journal, launch, &err), 0);
    assert_int_equal(gl_launch_pause(&journal.launcher, launch,
                                     &(struct gl_shift_reason){"person", "", NULL}, &err),
                     0);
    look();
    assert_did(GL_GUARD_STAY, GL_WHY_PERSON);
    assert_state("paused", GL_MEMORY_REGION);
    assert_int_equal(journal_bench_resume(&journal, launch, &err), 0);
    wait_s(600);
    spike(0);
    look();
    assert_did(GL_GUARD_PAUSE, GL_WHY_BROKEN);
    bench->grids[0].spike = 0;
    wait_s(3600);
    look();
    assert_did(GL_GUARD_RESUME, GL_WHY_GREEN_AGAIN);
    assert_state("running", GL_MEMORY_REGION);
    assert_int_equal(promises("open"), 1);
}

static void it_goes_on_only_under_a_promise_that_lasts(void **state)
{
    bool has_resumed = false;

    (void)state;
    bench->grids[0].base = 150;
    bench->grids[0].swing = 80;
    wait_s(4 * 3600); /* over the limit */
    start("pause", P90, 20 * 3600);
    look();
    assert_did(GL_GUARD_PAUSE, GL_WHY_BROKEN);
    for (int minute = 0; minute < 9 * 60 && !has_resumed; minute += 15) {
        wait_s(900);
        look();
        has_resumed = guarded.resumed > 0;
    }
    assert_true(has_resumed);
    assert_in_range(guard_bench_now_s(bench) % DAY, 9 * 3600, 12 * 3600);
    look();
    assert_int_equal(guarded.stayed, 1);
}

static void past_its_lease_it_is_reaped(void **state)
{
    (void)state;
    start("pause", P90, 3600);
    wait_s(600);
    spike(0);
    look();
    assert_state("paused", GL_MEMORY_REGION);
    wait_s(3600);
    look();
    assert_int_equal(guarded.reconciled.reaped, 1);
    assert_int_equal(guarded.watched, 0);
    assert_state("ended", GL_MEMORY_REGION);
}

static void a_lease_without_time_is_told(void **state)
{
    (void)state;
    start("pause", P90, 7200);
    wait_s(600);
    spike(0);
    look();
    assert_did(GL_GUARD_PAUSE, GL_WHY_BROKEN);
    wait_s(5400);
    look();
    assert_did(GL_GUARD_NOTIFY, GL_WHY_LEASE);
}

/* A clock that jumps ahead of the lease is no promise; one set back blocks nothing. */
static void clocks_that_jump_promise_nothing(void **state)
{
    (void)state;
    start("pause", P90, 6 * 3600);
    wait_s(600);
    bench->grids[0].stands_at_s = guard_bench_now_s(bench);
    journal.cloud->jump_ms = 2 * DAY * 1000;
    look();
    assert_int_equal(guarded.paused + guarded.reconciled.reaped, 1);
    again();
    start("pause", P90, 6 * 3600);
    wait_s(600);
    spike(0);
    fault(GL_MEMORY_SUSPEND, 1, GL_E_GUEST);
    look();
    assert_int_equal(guarded.undone, 1);
    journal.cloud->jump_ms = -3600 * 1000;
    look();
    assert_did(GL_GUARD_PAUSE, GL_WHY_BROKEN);
}

/* ---- moves ---- */

static void one_that_was_just_moved_is_not_moved_again(void **state)
{
    (void)state;
    start("move", P90, 20 * 3600);
    wait_s(600);
    spike(0);
    look();
    assert_did(GL_GUARD_MOVE, GL_WHY_BROKEN);
    wait_s(1800);
    bench->grids[0].spike = 0;
    spike(1);
    look();
    assert_did(GL_GUARD_PAUSE, GL_WHY_BROKEN);
    assert_state("paused", GL_MEMORY_REGION_2);
    wait_s(5400);
    look();
    assert_did(GL_GUARD_RESUME, GL_WHY_GREEN_AGAIN);
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
    assert_int_equal(events("guarantee-settled"), 1);
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
    assert_int_equal(
        guard_bench_start(bench, "paused", "notify", P90, 6 * 3600, launch, &err), 0);
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

static void interrupted(void **state)
{
    (void)state;
    start("notify", P90, 6 * 3600);
    start("notify", P90, 6 * 3600);
    bench->journal->launcher.is_interrupted = (bool (*)(void *))(void (*)(void))strdup;
    bench->journal->launcher.is_interrupted = NULL;
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
    assert_int_equal(bench->asked, 2);
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

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(what_is_promised_stays_under_one_promise),
        CASE(a_lapse_gets_what_was_asked_for),
        CASE(it_acts_before_the_limit_is_broken),
        CASE(the_event_says_why_and_on_what_it_rests),
        CASE(what_is_not_known_lapses),
        CASE(too_few_past_forecasts_are_unknown),
        CASE(a_place_of_unknown_zone_is_no_refuge),
        CASE(where_grams_are_not_known_nothing_is_gained),
        CASE(the_data_at_hand_is_judged_by_the_evaluator),
        CASE(data_at_hand_that_is_stale_or_gone_lapses),
        CASE(a_plan_that_cannot_be_read_is_told),
        CASE(a_move_that_fails_becomes_a_pause),
        CASE(what_fails_is_tried_ever_more_seldom_and_said),
        CASE(nothing_can_be_done_is_told_once_an_hour),
        CASE(an_instance_without_means_is_told_of),
        CASE(a_place_that_disappears_becomes_a_pause),
        CASE(what_another_works_on_is_left_to_it),
        CASE(what_is_not_known_to_have_moved_is_left_alone),
        CASE(one_that_ended_meanwhile_is_no_failure),
        CASE(what_a_person_paused_stays_paused),
        CASE(it_goes_on_only_under_a_promise_that_lasts),
        CASE(past_its_lease_it_is_reaped),
        CASE(a_lease_without_time_is_told),
        CASE(clocks_that_jump_promise_nothing),
        CASE(one_that_was_just_moved_is_not_moved_again),
        CASE(a_broken_hour_is_a_breach_at_once),
        CASE(a_figure_that_may_be_revised_is_no_breach_yet),
        CASE(what_was_moved_away_in_time_is_no_breach_of_its_launch),
        CASE(a_name_is_no_state),
        CASE(dry_changes_nothing),
        CASE(interrupted),
        CASE(a_thousand_launches_ask_once),
        CASE(memory_does_not_grow_over_looks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
