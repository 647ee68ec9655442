/* SPDX-License-Identifier: Apache-2.0 */
/* Promises: how they stand in the ledger and what becomes of them. */
#include "base/power.h"
#include "broker/demand.h"
#include "broker/promise.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/broker/ledger_bench.h"

#define START (NOW / 1000)
#define HOURS 48

/* ---- a zone whose hours a test writes ---- */

static float value[HOURS];
static uint8_t known[HOURS];
static struct gl_history history;
static const struct gl_history *histories[] = {&history};
static struct gl_zone_facts zone;

static void make_zone(void)
{
    history = (struct gl_history){
        .meaning = {.quantity = GL_INTENSITY,
                    .boundary = GL_LIFECYCLE,
                    .gases = GL_CO2E,
                    .factor_set = "IPCC2014"},
        .provider = "file",
        .dataset = "invented",
        .actuals = {START, HOURS, value, known, 0},
    };
    zone = (struct gl_zone_facts){.zone = "DE", .history_count = 1, .histories = histories};
    for (int i = 0; i < HOURS; i++) {
        value[i] = 100;
        known[i] = GL_HOUR_KNOWN;
    }
}

static const struct gl_zone_facts *facts(void *cookie, const char *name)
{
    return cookie != NULL && strcmp(name, "DE") == 0 ? &zone : NULL;
}

/* ---- promises of it ---- */

static const struct gl_rule rule = {.id = "flags"};

static struct gl_book_entry entry_of(uint32_t hours)
{
    struct gl_book_entry entry = {
        .rule = &rule,
        .zone = &zone,
        .legs = {.count = 1, .leg = {{GL_LEG_CEILING, 200}}},
        .limit_u = {200000000},
        .history = {&history},
        .is_ready = true,
        .promise = {.kind = GL_PROMISED, .start_s = START, .hours = hours, .probability = 0.9},
    };

    return entry;
}

static void issue(struct gl_ledger *ledger, const char *launch, uint32_t hours)
{
    struct gl_book_entry entry = entry_of(hours);
    char id[GL_PROMISE_ID];

    make_zone();
    if (gl_promise_issue(ledger, world, launch, &entry, id, &err) != 0)
        fail_msg("%s", err.text);
    assert_int_equal(strlen(id), 11);
}

static struct gl_promises_settled settle_at(struct gl_ledger *ledger, int64_t hour)
{
    struct gl_promises_settled settled;
    struct gl_world *later = gl_world_fixed_new((START + hour * 3600) * 1000, 1, NULL);
    const struct gl_promise_settling ask = {
        .ledger = ledger, .world = later, .facts = facts, .cookie = &zone};

    if (gl_promise_settle(&ask, &settled, &err) != 0)
        fail_msg("%s", err.text);
    gl_world_fixed_free(later);
    return settled;
}

static void nothing_is_issued_where_nothing_is_promised(void **state)
{
    struct gl_ledger *ledger = must_open();
    struct gl_book_entry entry = entry_of(0);
    char id[GL_PROMISE_ID] = "x";

    (void)state;
    make_zone();
    assert_int_equal(gl_promise_issue(ledger, world, "gl-a", &entry, id, &err), 0);
    assert_string_equal(id, "");
    entry = entry_of(5);
    entry.is_ready = false;
    assert_int_equal(gl_promise_issue(ledger, world, "gl-a", &entry, NULL, &err), 0);
    assert_int_equal(must_check(ledger).events, 0);
    gl_ledger_close(ledger);
}

static unsigned draws;

static void mostly_the_same(void *cookie, void *out, size_t length)
{
    (void)cookie;
    memset(out, ++draws % 4 == 0 ? (int)draws : 7, length);
}

static void an_id_that_is_taken_is_drawn_again(void **state)
{
    struct gl_ledger *ledger = must_open();
    struct gl_guarantee_rows rows;

    (void)state;
    world->random = mostly_the_same;
    draws = 0;
    for (int i = 0; i < 5; i++)
        issue(ledger, "gl-a", 3);
    assert_true(draws > 5);
    assert_int_equal(gl_ledger_guarantees(ledger, NULL, &rows, &err), 0);
    assert_int_equal(rows.count, 5);
    gl_guarantee_rows_free(&rows);
    assert_int_equal(must_check(ledger).events, 5);
    gl_ledger_close(ledger);
}

static void it_is_kept_when_every_hour_is_known_and_within(void **state)
{
    struct gl_ledger *ledger = must_open();

    (void)state;
    issue(ledger, "gl-a", 5);
    value[4] = 200; /* equality keeps it */
    value[5] = 900; /* after it */
    assert_int_equal(settle_at(ledger, 4).open, 1);
    assert_int_equal(settle_at(ledger, 5).kept, 1);
    assert_int_equal(settle_at(ledger, 6).open, 0);
    gl_ledger_close(ledger);
}

static void a_broken_hour_settles_at_once(void **state)
{
    struct gl_ledger *ledger = must_open();
    struct gl_promises_settled settled;

    (void)state;
    issue(ledger, "gl-a", 12);
    value[2] = 201;
    assert_int_equal(settle_at(ledger, 2).open, 1);
    settled = settle_at(ledger, 3);
    assert_int_equal(settled.breached, 1);
    assert_int_equal(settled.met, 1); /* nothing says that it was elsewhere */
    gl_ledger_close(ledger);
}

/* The launch behind the promise says what its provider could not give. */
static void a_breach_is_an_unmet_need(void **state)
{
    static const char plan[] =
        "{\"guarantee\":{\"grade\":\"B\",\"rules\":[{\"id\":\"r\",\"limits\":[{\"key\":"
        "\"max_intensity\",\"limit\":\"200 g/kWh\"}]}]}}";
    const struct gl_launch_change change = {
        GL_LAUNCH_KEEP,        .launch = "gl-a",   .state = "running", .cloud = "aws",
        .region = "eu-west-1", .type = "m5.large", .plan = plan};
    const struct gl_demand_ask all = {0, false};
    struct gl_ledger *ledger = must_open();
    struct gl_clustering *clustering;
    const struct gl_cluster *cluster;
    json_t *body = json_object();
    size_t count;

    (void)state;
    assert_int_equal(gl_ledger_append(ledger, "intended", "gl-a", body, &change, &err), 0);
    json_decref(body);
    issue(ledger, "gl-a", 12);
    value[2] = 201;
    assert_int_equal(settle_at(ledger, 3).breached, 1);
    clustering = gl_demand_clusters(ledger, &all, &err);
    assert_non_null(clustering);
    cluster = gl_clustering_end(clustering, &count);
    assert_int_equal(count, 1);
    assert_int_equal(cluster->by_kind[GL_DEMAND_BREACH], 1);
    assert_int_equal(cluster->by_instead[GL_INSTEAD_RAN], 1);
    assert_int_equal(cluster->wanted_ms, 12 * 3600 * 1000);
    assert_string_equal(cluster->first->region, "eu-west-1");
    assert_non_null(strstr(cluster->first->rule, "intensity<=200g/kWh"));
    gl_clustering_free(clustering);
    gl_ledger_close(ledger);
}

/* ---- killed at every look at the clock: each event of the ledger takes one ---- */

static int64_t (*true_now_ms)(void *cookie);
static int looks_left;

static int64_t killing_now_ms(void *cookie)
{
    if (looks_left-- == 0)
        _exit(9);
    return true_now_ms(cookie);
}

/* False: it came to its end before. */
static bool settle_killed_at(int look)
{
    pid_t child = fork();
    int status;

    assert_true(child >= 0);
    if (child == 0) {
        struct gl_promises_settled settled;
        struct gl_ledger *ledger;
        struct gl_promise_settling ask = {.facts = facts, .cookie = &zone};

        world->sleep_ms(world->cookie, 3 * 3600000);
        true_now_ms = world->now_ms;
        world->now_ms = killing_now_ms;
        looks_left = look;
        ledger = gl_ledger_open(path, world, 0, &err);
        ask.ledger = ledger;
        ask.world = world;
        _exit(ledger != NULL && gl_promise_settle(&ask, &settled, &err) == 0 ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) != 0)
        assert_int_equal(WEXITSTATUS(status), 9);
    return WEXITSTATUS(status) == 9;
}

static int count_demand(void *cookie, const json_t *event)
{
    *(int *)cookie += strcmp(json_string_value(json_object_get(event, "kind")), "demand") == 0;
    return 0;
}

static void assert_told_once(bool may_be_open)
{
    struct gl_ledger *ledger = must_open();
    struct gl_guarantee_rows open;
    int told = 0;

    assert_int_equal(gl_ledger_guarantees(ledger, "open", &open, &err), 0);
    assert_int_equal(gl_ledger_events(ledger, NULL, &told, count_demand, &err), 0);
    assert_true(may_be_open || open.count == 0);
    assert_int_equal(told, open.count == 0 ? 1 : 0);
    gl_guarantee_rows_free(&open);
    must_check(ledger);
    gl_ledger_close(ledger);
}

static void begin_metered(struct gl_ledger *ledger, const char *machine);

static void whoever_is_killed_loses_no_need(void **state)
{
    int look = 0;
    bool was_killed = true;

    for (; was_killed; look++) {
        struct gl_ledger *ledger;

        tear_down(state);
        set_up(state);
        ledger = must_open();
        begin_metered(ledger, "");
        issue(ledger, "gl-a", 12);
        value[2] = 201;
        gl_ledger_close(ledger);
        was_killed = settle_killed_at(look);
        assert_told_once(true);
        ledger = must_open();
        settle_at(ledger, 3);
        gl_ledger_close(ledger);
        assert_told_once(false);
    }
    assert_true(look > 3); /* the settling looks, and so does each of two events */
}

/* ---- what it cost ---- */

static void note(struct gl_ledger *ledger, const char *kind, const char *state)
{
    json_t *body = json_pack("{s:s,s:s}", "state", state, "zone", "DE");

    assert_int_equal(gl_ledger_append(ledger, kind, "gl-a", body, NULL, &err), 0);
    json_decref(body);
}

static void begin_metered(struct gl_ledger *ledger, const char *machine)
{
    struct gl_launch_change change = {GL_LAUNCH_KEEP, .launch = "gl-a", .state = "running",
                                      .cloud = "local", .zone = "DE"};
    char plan[600];
    json_t *body = json_object();

    snprintf(plan, sizeof plan,
             "{\"guarantee\":{\"grade\":\"B\",\"rules\":[{\"id\":\"r\",\"limits\":[{\"key\":"
             "\"max_intensity\",\"limit\":\"200 g/kWh\"}]}]},\"offer\":{\"zones\":[\"DE\"]},"
             "\"pue_milli\":1500%s}",
             machine);
    change.plan = plan;
    assert_int_equal(gl_ledger_append(ledger, "intended", "gl-a", body, &change, &err), 0);
    json_decref(body);
    note(ledger, "launched", "running");
}

static void assert_cost(struct gl_ledger *ledger, int64_t extra_known, double extra_ug)
{
    const struct gl_demand_ask all = {0, false};
    struct gl_clustering *clustering = gl_demand_clusters(ledger, &all, &err);
    const struct gl_cluster *cluster;
    size_t count;

    assert_non_null(clustering);
    cluster = gl_clustering_end(clustering, &count);
    assert_int_equal(count, 1);
    assert_int_equal(cluster->lost_known, 1); /* it ran on */
    assert_int_equal(cluster->lost_ms, 0);
    assert_int_equal(cluster->extra_known, extra_known);
    if (extra_known > 0 &&
        ((double)cluster->extra_ug > extra_ug + 2 || (double)cluster->extra_ug < extra_ug - 2))
        fail_msg("%lld and not %.1f", (long long)cluster->extra_ug, extra_ug);
    gl_clustering_free(clustering);
}

#define MACHINE                                                                     \
    ",\"machine\":{\"family\":\"epyc3\",\"threads_milli\":4000,\"memory_mb\":8000," \
    "\"gpu_count\":0,\"gpu_watts\":0}"

/* 100 g over for an hour, then 50 g over for the half hour that it was not paused; what is not
 * known yet, and what comes after, is no part of it. */
static void a_breach_costs_what_went_beyond_the_promise(void **state)
{
    struct gl_ledger *ledger = must_open();
    const struct gl_machine machine = {
        .family = gl_power_family("epyc3"), .threads = 4, .memory_gb = 8};
    double kw = gl_power_machine(&machine, 0.5, 0.5).central / 1000 * 1.5;

    (void)state;
    begin_metered(ledger, MACHINE);
    issue(ledger, "gl-a", 12);
    value[2] = 300;
    value[3] = 250;
    value[4] = 900;
    known[4] = 0;
    world->sleep_ms(world->cookie, 3 * 3600000 + 1800000);
    note(ledger, "paused", "paused");
    assert_int_equal(settle_at(ledger, 5).breached, 1);
    assert_cost(ledger, 1, kw * (100 + 50 * 0.5) * 1e6);
    gl_ledger_close(ledger);
}

static void without_watts_nobody_knows_the_grams(void **state)
{
    struct gl_ledger *ledger = must_open();

    (void)state;
    begin_metered(ledger, "");
    issue(ledger, "gl-a", 12);
    value[2] = 300;
    assert_int_equal(settle_at(ledger, 5).breached, 1);
    assert_cost(ledger, 0, 0);
    gl_ledger_close(ledger);
}

/* An hour before the broken one is missing. */
static void with_a_gap_before_it_nobody_knows_the_grams(void **state)
{
    struct gl_ledger *ledger = must_open();

    (void)state;
    begin_metered(ledger, MACHINE);
    issue(ledger, "gl-a", 12);
    known[1] = 0;
    value[2] = 300;
    assert_int_equal(settle_at(ledger, 5).breached, 1);
    assert_cost(ledger, 0, 0);
    gl_ledger_close(ledger);
}

static void figures_that_may_be_revised_are_waited_for(void **state)
{
    struct gl_ledger *ledger = must_open();

    (void)state;
    issue(ledger, "gl-a", 5);
    value[2] = 201;
    known[2] |= GL_HOUR_ESTIMATED;
    assert_int_equal(settle_at(ledger, 5).open, 1);
    assert_int_equal(settle_at(ledger, 5 + 71).open, 1);
    value[2] = 199; /* revised, and still an estimate */
    assert_int_equal(settle_at(ledger, 5 + 71).open, 1);
    assert_int_equal(settle_at(ledger, 5 + 72).kept, 1);
    gl_ledger_close(ledger);
}

static void a_missing_hour_is_never_kept(void **state)
{
    struct gl_ledger *ledger = must_open();

    (void)state;
    issue(ledger, "gl-a", 5);
    known[1] = GL_HOUR_MISSING;
    assert_int_equal(settle_at(ledger, 5 + 7 * 24 - 1).open, 1);
    assert_int_equal(settle_at(ledger, 5 + 7 * 24).unsettled, 1);
    issue(ledger, "gl-b", 5); /* a known broken hour breaks it all the same */
    known[1] = GL_HOUR_MISSING;
    value[3] = 300;
    assert_int_equal(settle_at(ledger, 5).breached, 1);
    issue(ledger, "gl-c", 5); /* its source is gone */
    history.provider[0] = 'x';
    assert_int_equal(settle_at(ledger, 10).open, 1);
    assert_int_equal(settle_at(ledger, 5 + 7 * 24).unsettled, 1);
    gl_ledger_close(ledger);
}

static void one_that_cannot_be_read_does_not_keep_the_others(void **state)
{
    static const char *const bodies[] = {
        "nothing",
        "{}",
        "[]",
        "{\"start_s\":1767225600,\"hours\":5,\"legs\":[]}",
        "{\"start_s\":1767225600,\"hours\":5000000,\"legs\":[{}]}",
        "{\"start_s\":1767225600,\"hours\":5,\"legs\":[{\"kind\":\"wall\",\"limit_u\":1}]}",
        ("{\"start_s\":1767225600,\"hours\":5,\"legs\":[{\"kind\":\"floor\",\"limit_u\":"
         "9223372036854775807,\"quantity\":\"renewable_share\"}]}"),
    };

    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        struct gl_promises_settled settled;
        struct gl_ledger *ledger;
        char how[512];

        tear_down(state);
        set_up(state);
        ledger = must_open();
        issue(ledger, "gl-a", 5);
        issue(ledger, "gl-b", 5);
        issue(ledger, "gl-c", 5);
        gl_ledger_close(ledger);
        snprintf(how, sizeof how, "UPDATE guarantees SET body='%s' WHERE launch='gl-b'", bodies[i]);
        sql(how);
        ledger = must_open();
        settled = settle_at(ledger, 5);
        assert_int_equal(settled.kept, 2);
        assert_int_equal(settled.failed, 1);
        assert_non_null(strstr(settled.first.text, "guarantee gr-"));
        assert_int_equal(gl_promise_settle_all(ledger, world, facts, &zone, &settled, &err), -1);
        gl_error_clear(&err);
        gl_ledger_close(ledger);
    }
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(nothing_is_issued_where_nothing_is_promised),
        CASE(an_id_that_is_taken_is_drawn_again),
        CASE(it_is_kept_when_every_hour_is_known_and_within),
        CASE(a_broken_hour_settles_at_once),
        CASE(a_breach_is_an_unmet_need),
        CASE(whoever_is_killed_loses_no_need),
        CASE(a_breach_costs_what_went_beyond_the_promise),
        CASE(without_watts_nobody_knows_the_grams),
        CASE(with_a_gap_before_it_nobody_knows_the_grams),
        CASE(figures_that_may_be_revised_are_waited_for),
        CASE(a_missing_hour_is_never_kept),
        CASE(one_that_cannot_be_read_does_not_keep_the_others),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
