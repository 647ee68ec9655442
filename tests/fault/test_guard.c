/* SPDX-License-Identifier: Apache-2.0 */
/* The guard on the reference cloud: what it does when a promise lapses, and when nothing is known.
 */
#include "broker/demand.h"
#include "tests/fault/guard_case.h"

#include "broker/shift.h"

#include <sys/wait.h>
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

/* Whoever calls it by the clock learns what was left unwatched in between. */
static void the_time_between_two_looks_is_known(void **state)
{
    (void)state;
    start("move", P90, 6 * 3600);
    look();
    assert_int_equal(guarded.unseen_s, GL_UNKNOWN);
    wait_s(5400);
    bench->guard.is_dry = true; /* has acted on nothing */
    look();
    assert_int_equal(guarded.unseen_s, 5400);
    bench->guard.is_dry = false;
    look();
    assert_int_equal(guarded.unseen_s, 5400);
    look();
    assert_int_equal(guarded.unseen_s, 0);
}

/* The one demand signal: of a cloud that is nobody's else, without its region's name. */
static void assert_demand(enum gl_demand_kind kind, enum gl_instead instead)
{
    const struct gl_demand_ask all = {0, false};
    struct gl_error err = {0};
    struct gl_clustering *clustering = gl_demand_clusters(journal.ledger, &all, &err);
    const struct gl_cluster *cluster;
    size_t count;

    assert_non_null(clustering);
    cluster = gl_clustering_end(clustering, &count);
    assert_int_equal(count, 1);
    assert_int_equal(cluster->by_kind[kind], 1);
    assert_int_equal(cluster->by_instead[instead], 1);
    assert_string_equal(cluster->first->provider, "private");
    assert_string_equal(cluster->first->region, "");
    assert_non_null(strstr(cluster->first->rule, "intensity<="));
    assert_true(cluster->wanted_ms > 0);
    gl_clustering_free(clustering);
}

static void a_lapse_gets_what_was_asked_for(void **state)
{
    static const struct {
        const char *on_lapse, *state, *region;
        enum gl_guard_act act;
        enum gl_demand_kind kind;
        enum gl_instead instead;
    } rows[] = {
        {"move", "running", GL_MEMORY_REGION_2, GL_GUARD_MOVE, GL_DEMAND_MOVE, GL_INSTEAD_MOVED},
        {"pause", "paused", GL_MEMORY_REGION, GL_GUARD_PAUSE, GL_DEMAND_PAUSE, GL_INSTEAD_PAUSED},
        {"stop", "ended", GL_MEMORY_REGION, GL_GUARD_STOP, GL_DEMAND_BREACH, GL_INSTEAD_STOPPED},
        {"notify", "running", GL_MEMORY_REGION, GL_GUARD_NOTIFY, GL_DEMAND_BREACH, GL_INSTEAD_RAN},
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
        assert_demand(rows[i].kind, rows[i].instead);
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
    assert_non_null(spoken.found);
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
    look();
    assert_did(GL_GUARD_STAY, GL_WHY_PROMISED);
    again(); /* two days into what is known of the grid */
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
    unknown_zone();
    look();
    assert_did(GL_GUARD_PAUSE, GL_WHY_UNKNOWN);
    /* Late, but the forecast that there is says what it would emit. */
    again();
    start("move", P90, 6 * 3600);
    wait_s(600);
    late();
    look();
    assert_did(GL_GUARD_MOVE, GL_WHY_UNKNOWN);
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
    assert_string_equal(bench->told[0].unmoved, "");
    wait_s(1800);
    bench->grids[0].spike = 0;
    bench->grids[0].base = 20;
    spike(1);
    look();
    assert_did(GL_GUARD_PAUSE, GL_WHY_BROKEN);
    assert_string_equal(bench->told[0].unmoved, "it was moved less than 2 h ago");
    assert_state("paused", GL_MEMORY_REGION_2);
    wait_s(5400);
    look();
    assert_did(GL_GUARD_RESUME, GL_WHY_GREEN_AGAIN);
    assert_state("running", GL_MEMORY_REGION);
}

/* Between fork and exec a child holds what its parent did: a QEMU that is starting is no guard. */
static void what_a_killed_one_was_starting_is_waited_for(void **state)
{
    const struct timespec moment = {.tv_nsec = 300000000};
    struct gl_error err = {0};
    int lock = gl_guard_lock(journal.folder, &err);
    pid_t pid;

    (void)state;
    assert_true(lock >= 0);
    pid = fork();
    if (pid == 0) {
        nanosleep(&moment, NULL);
        _exit(0);
    }
    close(lock);
    assert_int_equal(guard_bench_look(bench, &guarded, &err), 0);
    waitpid(pid, NULL, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(what_is_promised_stays_under_one_promise),
        CASE(the_time_between_two_looks_is_known),
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
        CASE(what_a_person_paused_stays_paused),
        CASE(it_goes_on_only_under_a_promise_that_lasts),
        CASE(past_its_lease_it_is_reaped),
        CASE(a_lease_without_time_is_told),
        CASE(clocks_that_jump_promise_nothing),
        CASE(one_that_was_just_moved_is_not_moved_again),
        CASE(what_a_killed_one_was_starting_is_waited_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
