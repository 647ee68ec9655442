/* SPDX-License-Identifier: Apache-2.0 */
/* What pauses and moves cost: known when they are over, written once, one signal each. */
#include "base/power.h"
#include "broker/demand_signal.h"
#include "broker/evidence.h"
#include "tests/support/make_evidence.h"

#include <stdio.h>

/* Unit tests link archives only. */
#include "tests/support/make_batches.c"
#include "tests/support/make_evidence.c"

#include "tests/unit/broker/ledger_bench.h"

#define HOUR_MS INT64_C(3600000)
#define LAUNCH  "gl-4k2p9x"

static struct gl_ledger *ledger;

/* 100 g/kWh for two hours, then 300 until the hour. */
static json_t *grid(const char *zone, int64_t until_h)
{
    struct gl_series one = fake_series(zone, NOW / 1000, NOW / 1000 + 7200, 100000000, GL_MEASURED);
    struct gl_series two =
        fake_series(zone, NOW / 1000 + 7200, NOW / 1000 + until_h * 3600, 300000000, GL_MEASURED);
    json_t *json = gl_evidence_json(&one, INT64_MIN, INT64_MAX);
    json_t *later = gl_evidence_json(&two, INT64_MIN, INT64_MAX);

    json_array_extend(json_object_get(json, "points"), json_object_get(later, "points"));
    json_decref(later);
    free(one.points);
    free(two.points);
    return json;
}

/* The machine of fake_plan() at the load that its request says, with its PUE. */
static double kw_at(const json_t *plan, double load)
{
    const struct gl_machine machine = {
        .family = gl_power_family("epyc3"), .threads = 4, .memory_gb = 8};

    (void)plan;
    return gl_power_machine(&machine, load, load).central / 1000 * 1.2;
}

static double kw;

static void event(const char *kind, const char *state, const char *zone)
{
    struct gl_launch_change change = {GL_LAUNCH_KEEP, .launch = LAUNCH, .state = state};
    json_t *body = json_pack("{s:s,s:s}", "state", state, "zone", zone);

    assert_int_equal(gl_ledger_append(ledger, kind, LAUNCH, body, &change, &err), 0);
    json_decref(body);
}

/* A launch at NOW under a lease, with what is known of its grid until some hour. */
static void launch(int64_t lease_ms, int64_t known_h)
{
    json_t *plan = fake_plan(NOW / 1000, NOW / 1000 + lease_ms / 1000);
    const json_t *load = json_object_get(json_object_get(plan, "request"), "load_ppm");
    struct gl_launch_change change = {GL_LAUNCH_KEEP, .launch = LAUNCH, .state = "running"};
    GL_AUTO(gl_auto_free) char *text = NULL;
    json_t *body = json_pack("{s:s}", "state", "running");

    json_object_set_new(plan, "series", json_pack("[o]", grid("XX", known_h)));
    kw = kw_at(plan, json_is_integer(load) ? (double)json_integer_value(load) / 1e6 : 0.5);
    text = gl_json_canonical(plan, &err);
    change.plan = text;
    change.cloud = "local";
    change.zone = "XX";
    change.created_ms = change.started_ms = NOW;
    change.expires_ms = NOW + lease_ms;
    assert_int_equal(gl_ledger_append(ledger, "running", LAUNCH, body, &change, &err), 0);
    json_decref(body);
    json_decref(plan);
}

static void pass(int64_t ms)
{
    world->sleep_ms(world->cookie, ms);
}

static void signal_of(enum gl_demand_kind kind, enum gl_instead instead)
{
    struct gl_demand demand = gl_demand_begin(world, LAUNCH, false);
    struct gl_demand_told told;

    demand.kind = kind;
    demand.instead = instead;
    gl_demand_at(&demand, "local", "", "");
    snprintf(demand.rule, sizeof demand.rule,
             "intensity<=100g/kWh;location;average;lifecycle;hourly");
    assert_int_equal(gl_demand_record(ledger, &demand, 1, &told, &err), 0);
}

static void pause_here(void)
{
    event("pause", "moving", "XX");
    event("paused", "paused", "XX");
    signal_of(GL_DEMAND_PAUSE, GL_INSTEAD_PAUSED);
}

static void resume_here(void)
{
    event("resume", "moving", "XX");
    event("resumed", "running", "XX");
}

static int count_kind(void *cookie, const json_t *one)
{
    const char *kind = json_string_value(json_object_get(one, "kind"));

    *(int *)cookie += strcmp(kind, "demand-cost") == 0;
    return 0;
}

static int costs_written(void)
{
    int count = 0;

    assert_int_equal(gl_ledger_events(ledger, NULL, &count, count_kind, &err), 0);
    return count;
}

/* One cluster, one launch; its signals' costs. The ledger holds. */
static void assert_cost(int64_t signals, int64_t lost_ms, double extra_ug)
{
    struct gl_clustering *clustering;
    const struct gl_cluster *cluster;
    struct gl_ledger_check check;
    size_t count;

    clustering = gl_demand_clusters(ledger, &(struct gl_demand_ask){0, false}, &err);
    if (clustering == NULL)
        fail_msg("%s", err.text);
    cluster = gl_clustering_end(clustering, &count);
    assert_int_equal(count, 1);
    assert_int_equal(cluster->signals, signals);
    assert_int_equal(cluster->launches, 1);
    assert_int_equal(cluster->lost_ms, lost_ms);
    if ((double)cluster->extra_ug > extra_ug + 2 || (double)cluster->extra_ug < extra_ug - 2)
        fail_msg("%lld and not %.1f", (long long)cluster->extra_ug, extra_ug);
    gl_clustering_free(clustering);
    if (gl_ledger_check(ledger, &check, &err) != 0)
        fail_msg("%s", err.text);
}

static int begin(void **state)
{
    set_up(state);
    ledger = must_open();
    return 0;
}

static int end(void **state)
{
    gl_ledger_close(ledger);
    return tear_down(state);
}

/* ---- pauses ---- */

static void a_pause_costs_its_time_and_the_difference_of_the_hours(void **state)
{
    (void)state;
    launch(6 * HOUR_MS, 6);
    pass(HOUR_MS);
    pause_here();
    assert_cost(1, 0, 0);
    assert_int_equal(costs_written(), 0); /* nobody knows yet */
    pass(HOUR_MS);
    resume_here();
    assert_int_equal(gl_demand_settle(ledger, &err), 0);
    assert_int_equal(costs_written(), 1);
    assert_cost(1, HOUR_MS, kw * (300 - 100) * 1e6);
    assert_int_equal(gl_demand_settle(ledger, &err), 0);
    assert_cost(1, HOUR_MS, kw * (300 - 100) * 1e6);
    assert_int_equal(costs_written(), 1); /* once */
}

/* Whoever resumed it was killed before the cost was written: reading it finds it. */
static void what_a_killed_one_left_is_completed_by_the_next(void **state)
{
    (void)state;
    launch(6 * HOUR_MS, 6);
    pause_here();
    pass(HOUR_MS / 2);
    resume_here();
    assert_cost(1, HOUR_MS / 2, 0); /* 100 g then as now */
    assert_int_equal(costs_written(), 1);
}

static void beyond_the_lease_nothing_is_made_up(void **state)
{
    (void)state;
    launch(2 * HOUR_MS + HOUR_MS / 2, 6);
    pass(HOUR_MS);
    pause_here();
    pass(HOUR_MS);
    resume_here();
    assert_cost(1, HOUR_MS, kw * (300 * 0.5 - 100) * 1e6);
}

static void what_ends_paused_has_spent_nothing(void **state)
{
    (void)state;
    launch(6 * HOUR_MS, 6);
    pause_here();
    pass(HOUR_MS);
    event("ended", "ended", "XX");
    assert_cost(1, HOUR_MS, -kw * 100 * 1e6);
}

static void what_nothing_is_known_of_stays_unknown(void **state)
{
    (void)state;
    launch(6 * HOUR_MS, 3); /* the second half of what is made up is not known */
    pass(HOUR_MS + HOUR_MS / 2);
    pause_here();
    pass(HOUR_MS);
    resume_here();
    assert_cost(1, HOUR_MS, 0);
    assert_int_equal(costs_written(), 1);
}

/* Two that come to the same end at once: the second one finds it said. */
static void a_cost_is_written_once(void **state)
{
    struct gl_ledger_open *open;
    struct gl_ledger_cost cost;
    size_t count;

    (void)state;
    launch(6 * HOUR_MS, 6);
    pause_here();
    assert_int_equal(gl_ledger_signals_open(ledger, &open, &count, &err), 0);
    assert_int_equal(count, 1);
    cost = (struct gl_ledger_cost){open[0].seq, open[0].launch_key, 7000, GL_UNKNOWN};
    assert_int_equal(gl_ledger_signal_cost(ledger, &cost, &err), 0);
    cost.lost_ms = 8000;
    assert_int_equal(gl_ledger_signal_cost(ledger, &cost, &err), 0);
    assert_int_equal(costs_written(), 1);
    assert_cost(1, 7000, 0);
    free(open);
}

static void each_pause_is_a_signal_of_one_launch(void **state)
{
    (void)state;
    launch(6 * HOUR_MS, 6);
    pause_here();
    pass(HOUR_MS / 2);
    resume_here();
    pass(HOUR_MS / 4);
    pause_here();
    pass(HOUR_MS / 4);
    assert_cost(2, HOUR_MS / 2, 0);
    resume_here();
    assert_cost(2, HOUR_MS / 2 + HOUR_MS / 4, 0);
    assert_int_equal(costs_written(), 2);
}

/* ---- moves ---- */

static void move_there(int64_t took_ms, const char *state)
{
    json_t *body = json_pack("{s:s,s:s}", "state", "moving", "zone", "YY");
    struct gl_series there =
        fake_series("YY", NOW / 1000, NOW / 1000 + 6 * 3600, 20000000, GL_MEASURED);

    json_object_set_new(body, "series",
                        json_pack("[o]", gl_evidence_json(&there, INT64_MIN, INT64_MAX)));
    free(there.points);
    assert_int_equal(gl_ledger_append(ledger, "move", LAUNCH, body, NULL, &err), 0);
    json_decref(body);
    pass(took_ms);
    event("moved", state, "YY");
    signal_of(GL_DEMAND_MOVE, GL_INSTEAD_MOVED);
}

static void a_move_costs_its_copy_and_saves_the_difference(void **state)
{
    /* docs/planning.md: at each end 0.0025 kWh a GB of 8 GB, and idle for 64 s at 1 Gbit/s. */
    double copy_kwh, idle_kw;

    (void)state;
    launch(2 * HOUR_MS, 6);
    idle_kw = kw_at(NULL, 0);
    copy_kwh = 0.0025 * 8 + idle_kw * 64 / 3600;
    move_there(HOUR_MS, "running");
    assert_cost(1, HOUR_MS, (copy_kwh * (100 + 20) - kw * (100 - 20)) * 1e6);
    assert_int_equal(costs_written(), 1);
}

static void moving_what_is_paused_loses_no_time(void **state)
{
    (void)state;
    launch(6 * HOUR_MS, 6);
    event("pause", "moving", "XX");
    event("paused", "paused", "XX");
    move_there(HOUR_MS, "paused");
    assert_cost(1, 0, 0);
    assert_int_equal(costs_written(), 1);
}

/* ---- moves by image ---- */

static void image_move(int64_t copied_ms, int64_t extra_ug)
{
    struct gl_demand demand = gl_demand_begin(world, LAUNCH, false);
    struct gl_demand_told told;

    event("relocate-intended", "moving", "YY");
    pass(HOUR_MS / 60); /* until it is off it runs */
    event("relocate-halted", "moving", "");
    pass(copied_ms);
    event("relocate-imaged", "moving", "");
    event("relocate-launched", "moving", "");
    pass(HOUR_MS / 30);
    event("relocate-verified", "moving", "");
    pass(HOUR_MS / 10); /* what is put away then costs it no time */
    event("relocate-ended", "stopping", "");
    event("ended", "ended", "");
    demand.kind = GL_DEMAND_MOVE;
    demand.instead = GL_INSTEAD_MOVED;
    demand.extra_ug = extra_ug;
    gl_demand_at(&demand, "local", "", "");
    snprintf(demand.rule, sizeof demand.rule,
             "intensity<=100g/kWh;location;average;lifecycle;hourly");
    assert_int_equal(gl_demand_record(ledger, &demand, 1, &told, &err), 0);
}

static void a_move_by_image_costs_the_time_that_nothing_ran(void **state)
{
    (void)state;
    launch(6 * HOUR_MS, 6);
    image_move(HOUR_MS / 2, -70000);
    assert_cost(1, HOUR_MS / 2 + HOUR_MS / 30, -70000);
    assert_int_equal(costs_written(), 1);
    assert_int_equal(gl_demand_settle(ledger, &err), 0);
    assert_cost(1, HOUR_MS / 2 + HOUR_MS / 30, -70000);
    assert_int_equal(costs_written(), 1);
}

/* What was not known before cannot be told of a place that its events do not know. */
static void a_move_by_image_makes_up_no_grams(void **state)
{
    struct gl_clustering *clustering;
    size_t count;

    (void)state;
    launch(6 * HOUR_MS, 6);
    image_move(HOUR_MS / 2, GL_UNKNOWN);
    clustering = gl_demand_clusters(ledger, &(struct gl_demand_ask){0, false}, &err);
    assert_non_null(clustering);
    assert_int_equal(gl_clustering_end(clustering, &count)->extra_known, 0);
    gl_clustering_free(clustering);
    assert_cost(1, HOUR_MS / 2 + HOUR_MS / 30, 0);
}

/* ---- events that say otherwise ---- */

static void a_cost_of_another_launch_is_told(void **state)
{
    static const char *const bodies[] = {
        "{'of':2,'launch_key':'00000000000a','lost_ms':1,'extra_ug':1}",
        "{'of':99,'launch_key':'00000000000a','lost_ms':1,'extra_ug':1}",
        "{'of':4,'launch_key':'00000000000a','lost_ms':1,'extra_ug':1}",
        "{'of':4,'launch_key':'zz','lost_ms':1,'extra_ug':1}",
        "{'of':4,'lost_ms':1,'extra_ug':1}",
        "{}",
    };

    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        char text[120];
        json_t *body;

        end(state);
        begin(state);
        launch(6 * HOUR_MS, 6);
        pause_here(); /* its signal is event 4 */
        snprintf(text, sizeof text, "%s", bodies[i]);
        for (char *at = text; *at != '\0'; at++)
            if (*at == '\'')
                *at = '"';
        body = json_loads(text, 0, NULL);
        assert_int_equal(gl_ledger_append(ledger, "demand-cost", "", body, NULL, &err), 0);
        json_decref(body);
        if (gl_demand_clusters(ledger, &(struct gl_demand_ask){0, false}, &err) != NULL)
            fail_msg("%s", text);
        assert_int_equal(err.code, GL_E_TAMPERED);
        gl_error_clear(&err);
    }
}

#undef CASE
#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_pause_costs_its_time_and_the_difference_of_the_hours),
        CASE(what_a_killed_one_left_is_completed_by_the_next),
        CASE(beyond_the_lease_nothing_is_made_up),
        CASE(what_ends_paused_has_spent_nothing),
        CASE(what_nothing_is_known_of_stays_unknown),
        CASE(a_cost_is_written_once),
        CASE(each_pause_is_a_signal_of_one_launch),
        CASE(a_move_costs_its_copy_and_saves_the_difference),
        CASE(moving_what_is_paused_loses_no_time),
        CASE(a_move_by_image_costs_the_time_that_nothing_ran),
        CASE(a_move_by_image_makes_up_no_grams),
        CASE(a_cost_of_another_launch_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
