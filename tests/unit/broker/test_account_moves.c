/* SPDX-License-Identifier: Apache-2.0 */
/* The account of a run that was paused and moved: what is charged where, and what ties it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "broker/tie.h"
#include "tests/unit/broker/account_bench.h"

#define MOVE 7

/* ---- evidence: 10 s in a (XX), still 100 s, 10 s there, 2 s frozen for the move, 20 s in b (YY)
 */

#define PAUSED  (START + 10000)
#define RESUMED (START + 110000)
#define LEFT    (START + 120000)
#define ARRIVED (START + 122000)
#define ENDED   (START + 142000)

static json_t *span(int64_t from_ms, int64_t until_ms, bool is_running, bool is_moved)
{
    json_t *json = json_pack("{s:I,s:I,s:b,s:s,s:s}", "from_ms", (json_int_t)from_ms, "until_ms",
                             (json_int_t)until_ms, "is_running", is_running, "region",
                             is_moved ? "b" : "a", "zone", is_moved ? "YY" : "XX");

    if (is_moved)
        json_object_set_new(json, "move", json_integer(MOVE));
    return json;
}

static json_t *of_move(json_t *series)
{
    json_object_set_new(series, "move", json_integer(MOVE));
    return series;
}

/* 39 readings: one a second, the first after 500 ms would be here after 1 s. */
static void read_all(void)
{
    ten_watts(START);
    fake_meter_read_many(&meter, 10);
    meter.next.wall_ms += RESUMED - PAUSED;
    fake_meter_read_many(&meter, 10);
    meter.next.wall_ms += ARRIVED - LEFT;
    fake_meter_read_many(&meter, 19);
    fake_meter_read_final(&meter);
}

static json_t *shifted(void)
{
    json_t *evidence, *instance;

    read_all();
    evidence = fake_evidence(&meter, LAUNCH, START, ENDED);
    instance = json_object_get(evidence, "instance");
    json_object_set_new(instance, "region", json_string("b"));
    json_object_set_new(instance, "zone", json_string("YY"));
    json_object_set_new(
        instance, "spans",
        json_pack("[o,o,o,o,o]", span(START, PAUSED, true, false),
                  span(PAUSED, RESUMED, false, false), span(RESUMED, LEFT, true, false),
                  span(LEFT, ARRIVED, false, false), span(ARRIVED, ENDED, true, true)));
    json_object_set_new(
        instance, "series",
        json_pack("[o,o]",
                  of_move(fake_series_json("YY", START / 1000, START / 1000 + 7200, 40000000)),
                  of_move(fake_shares_json("YY", START / 1000, START / 1000 + 7200, 990000))));
    return evidence;
}

static json_t *part(json_t *evidence, const char *list, size_t index)
{
    return json_array_get(json_object_get(json_object_get(evidence, "instance"), list), index);
}

/* ---- the account ---- */

static void each_stretch_meets_the_grid_of_its_place(void **state)
{
    json_t *derived = derive(shifted());

    (void)state;
    assert_int_equal(total(derived, "energy_mj", 1), 400000);
    assert_int_equal(total(derived, "energy_mj", 0), 360000);
    assert_int_equal(json_array_size(member(derived, "gaps")), 0);
    assert_int_equal(json_array_size(member(derived, "slots")), 3);
    assert_string_equal(word(slot(derived, 0), "zone"), "XX");
    assert_string_equal(word(slot(derived, 1), "zone"), "XX");
    assert_string_equal(word(slot(derived, 2), "zone"), "YY");
    assert_int_equal(band(slot(derived, 0), "energy_mj", 1), 100000);
    assert_int_equal(band(slot(derived, 1), "energy_mj", 1), 100000);
    assert_int_equal(band(slot(derived, 2), "energy_mj", 1), 200000);
    assert_int_equal(band(slot(derived, 2), "intensity_u_g_per_kwh", 1), 40000000);
    /* 200 J at 100 and 200 J at 40 g/kWh, PUE 1.2. */
    assert_int_equal(total(derived, "operational_ug", 1), 9333);
    assert_int_equal(number(member(derived, "run"), "running_ms"), 40000);
    assert_int_equal(number(member(derived, "run"), "still_ms"), 102000);
    assert_int_equal(number(member(derived, "meter"), "covered_ms"), 40000);
    for (size_t rule = 1; rule <= 12; rule++)
        if (rule != 8) /* nobody said what the host spent */
            assert_string_equal(result_of(derived, rule), "ok");
    json_decref(derived);
}

/* The energy of a reading is not lost where a pause cuts through it. */
static void a_reading_across_a_pause_is_in_both_parts(void **state)
{
    json_t *evidence, *derived;

    (void)state;
    evidence = shifted();
    json_object_set_new(part(evidence, "spans", 0), "until_ms", json_integer(PAUSED - 500));
    json_object_set_new(part(evidence, "spans", 1), "from_ms", json_integer(PAUSED - 500));
    json_object_set_new(part(evidence, "spans", 1), "until_ms", json_integer(RESUMED - 500));
    json_object_set_new(part(evidence, "spans", 2), "from_ms", json_integer(RESUMED - 500));
    derived = derive(evidence);
    assert_int_equal(total(derived, "energy_mj", 1), 400000);
    assert_int_equal(band(slot(derived, 0), "energy_mj", 1), 95000);
    assert_int_equal(band(slot(derived, 1), "energy_mj", 1), 105000);
    json_decref(derived);
}

/* A missing reading is charged where it ran, a pause nowhere. */
static void silence_while_it_runs_is_charged_there(void **state)
{
    json_t *evidence, *derived;
    double watts = gap_watts(true);

    (void)state;
    ten_watts(START);
    fake_meter_read_many(&meter, 10);
    meter.next.wall_ms += RESUMED - PAUSED;
    fake_meter_read_many(&meter, 5);
    evidence = shifted();
    json_object_set_new(json_object_get(evidence, "meter"), "batches",
                        json_pack("[o]", fake_batch(&meter, 0, 15)));
    derived = derive(evidence);
    assert_int_equal(json_array_size(member(derived, "gaps")), 2);
    assert_int_equal(number(gap(derived, 0), "from_ms"), RESUMED + 5000);
    assert_int_equal(number(gap(derived, 0), "until_ms"), LEFT);
    assert_int_equal(number(gap(derived, 1), "from_ms"), ARRIVED);
    assert_int_equal(number(gap(derived, 1), "until_ms"), ENDED);
    assert_near(band(slot(derived, 2), "energy_mj", 1), watts * 20000);
    assert_string_equal(result_of(derived, 10), "flagged");
    json_decref(derived);
}

/* The guest cannot say that it stood still: only the cloud's stretches count. */
static void a_guest_that_claims_a_pause_is_charged_and_flagged(void **state)
{
    json_t *derived;

    (void)state;
    read_all();
    derived = heard(START, ENDED);
    assert_string_equal(result_of(derived, 9), "flagged");
    assert_string_equal(result_of(derived, 10), "flagged");
    assert_true(total(derived, "energy_mj", 1) > 1500000);
    assert_null(json_object_get(derived, "run"));
    json_decref(derived);
}

static void a_clock_that_was_not_told_the_time_yet_is_no_fault(void **state)
{
    json_t *derived;

    (void)state;
    for (int late = 0; late < 2; late++) {
        json_t *evidence;

        ten_watts(START);
        fake_meter_read_many(&meter, 10);
        fake_meter_read_many(&meter, late == 0 ? 4 : 8); /* seconds until it is told */
        meter.next.wall_ms += RESUMED - PAUSED;
        fake_meter_read_many(&meter, late == 0 ? 6 : 2);
        meter.next.wall_ms += ARRIVED - LEFT;
        fake_meter_read_many(&meter, 20);
        evidence = shifted();
        ten_watts(START);
        fake_meter_read_many(&meter, 10);
        fake_meter_read_many(&meter, late == 0 ? 4 : 8);
        meter.next.wall_ms += RESUMED - PAUSED;
        fake_meter_read_many(&meter, late == 0 ? 6 : 2);
        meter.next.wall_ms += ARRIVED - LEFT;
        fake_meter_read_many(&meter, 20);
        json_object_set_new(
            json_object_get(evidence, "meter"), "batches",
            json_pack("[o,o]", fake_batch(&meter, 0, 20), fake_batch(&meter, 20, 20)));
        derived = derive(evidence);
        assert_string_equal(result_of(derived, 9), late == 0 ? "ok" : "flagged");
        json_decref(derived);
    }
}

static void an_unknown_place_makes_the_carbon_unknown(void **state)
{
    json_t *evidence = shifted(), *derived;

    (void)state;
    json_object_del(json_object_get(evidence, "instance"), "series");
    derived = derive(evidence);
    assert_int_equal(total(derived, "energy_mj", 1), 400000);
    assert_int_equal(total(derived, "total_ug", 1), UNKNOWN);
    assert_true(json_is_null(member(slot(derived, 2), "intensity_u_g_per_kwh")));
    assert_int_equal(band(slot(derived, 1), "intensity_u_g_per_kwh", 1), 100000000);
    json_decref(derived);
}

/* ---- the guarantee ---- */

static void assert_guarantee(json_t *evidence, const char *state, const char *why)
{
    json_t *derived = derive(evidence);
    const json_t *found = member(derived, "guarantee");

    assert_string_equal(word(found, "state"), state);
    assert_string_equal(word(found, "why"), why);
    json_decref(derived);
}

static json_t *with_share(int64_t ppm)
{
    json_t *evidence = shifted();

    json_array_set_new(json_object_get(json_object_get(evidence, "instance"), "series"), 1,
                       of_move(fake_shares_json("YY", START / 1000, START / 1000 + 7200, ppm)));
    return evidence;
}

static void the_rules_are_asked_again_of_the_place(void **state)
{
    json_t *evidence;

    (void)state;
    assert_guarantee(with_share(960000), "kept", "");
    assert_guarantee(with_share(940000), "breached", "limit");
    evidence = shifted();
    json_array_remove(json_object_get(json_object_get(evidence, "instance"), "series"), 1);
    assert_guarantee(evidence, "unknown", "evidence");
}

/* What the grid was like meanwhile, and how long it stood still, breaches nothing. */
static void paused_time_cannot_breach(void **state)
{
    json_t *evidence = shifted(), *points;

    (void)state;
    points = json_object_get(json_array_get(json_object_get(evidence, "series"), 1), "points");
    json_array_clear(points);
    json_array_append_new(points,
                          json_pack("[I,I,i,i,i,s,n]", (json_int_t)START / 1000,
                                    (json_int_t)PAUSED / 1000, 980000, 980000, 980000, "forecast"));
    json_array_append_new(points,
                          json_pack("[I,I,i,i,i,s,n]", (json_int_t)PAUSED / 1000,
                                    (json_int_t)RESUMED / 1000, 10000, 10000, 10000, "forecast"));
    json_array_append_new(points, json_pack("[I,I,i,i,i,s,n]", (json_int_t)RESUMED / 1000,
                                            (json_int_t)START / 1000 + 3600, 980000, 980000, 980000,
                                            "forecast"));
    assert_guarantee(evidence, "kept", "");
    /* It stands still at its end, long after the promise. */
    evidence = shifted();
    json_object_set_new(json_object_get(evidence, "guarantee"), "until_s",
                        json_integer(LEFT / 1000));
    json_object_set_new(part(evidence, "spans", 3), "until_ms", json_integer(ENDED));
    json_array_remove(json_object_get(json_object_get(evidence, "instance"), "spans"), 4);
    json_object_set_new(json_object_get(evidence, "meter"), "batches",
                        json_pack("[o]", fake_batch(&meter, 0, 20)));
    assert_guarantee(evidence, "kept", "");
}

/* Older programs knew no stretches: what their receipts say stays true. */
static void a_receipt_of_method_2_is_not_looked_at_for_stretches(void **state)
{
    json_t *evidence = shifted(), *derived;

    (void)state;
    json_object_set_new(evidence, "method_version", json_integer(2));
    derived = derive(evidence);
    assert_null(json_object_get(derived, "run"));
    assert_true(total(derived, "energy_mj", 1) > 1500000);
    json_decref(derived);
}

/* A machine in a file keeps no place; frozen for a move it keeps two for a moment. */
static void embodied_carbon_counts_the_time_a_place_was_kept(void **state)
{
    json_t *derived = derive(shifted()), *evidence = shifted(), *old;
    int64_t full_ug = 0, kept_ug = total(derived, "embodied_ug", 1);

    (void)state;
    assert_int_equal(number(member(derived, "footprint"), "duration_s"), 142);
    assert_int_equal(number(member(derived, "footprint"), "reserved_s"), 42);
    json_object_set_new(evidence, "method_version", json_integer(3));
    old = derive(evidence);
    full_ug = total(old, "embodied_ug", 1);
    assert_null(json_object_get(member(old, "footprint"), "reserved_s"));
    assert_near(kept_ug, (double)full_ug * 42 / 142);
    assert_int_equal(total(derived, "operational_ug", 1), total(old, "operational_ug", 1));
    json_decref(derived);
    json_decref(old);
}

/* ---- what ties it ---- */

static void assert_tied(json_t *evidence, const char *refused)
{
    struct gl_error err = {0};

    fake_tie(evidence);
    if (refused == NULL) {
        if (gl_tie_check(evidence, &err) != 0)
            fail_msg("%s", err.text);
    } else if (gl_tie_check(evidence, &err) == 0 || strstr(err.text, refused) == NULL) {
        fail_msg("%s, not %s", err.text, refused);
    }
    json_decref(evidence);
}

static void stretches_and_series_belong_to_a_move(void **state)
{
    json_t *changed;

    (void)state;
    assert_tied(shifted(), NULL);
    changed = shifted();
    json_object_del(part(changed, "spans", 4), "move");
    assert_tied(changed, "evidence.instance.spans[4].zone is \"YY\", which is not among");
    changed = shifted();
    json_object_set_new(part(changed, "spans", 0), "move", json_integer(3));
    assert_tied(changed, "evidence.instance.spans[0].zone");
    changed = shifted();
    json_object_set_new(part(changed, "spans", 3), "move", json_integer(MOVE));
    assert_tied(changed, "evidence.instance.spans[4].zone is \"YY\", which is not where its move");
    changed = shifted();
    json_object_set_new(json_object_get(changed, "instance"), "zone", json_string("XX"));
    assert_tied(changed, "evidence.instance.zone is \"XX\", which is not that of its last stretch");
    changed = shifted();
    json_object_set_new(part(changed, "series", 0), "zone", json_string("ZZ"));
    assert_tied(changed, "evidence.instance.series[0].zone is \"ZZ\"");
    changed = shifted();
    json_object_set_new(part(changed, "series", 1), "move", json_integer(8));
    assert_tied(changed, "evidence.instance.series[1].zone is \"YY\"");
    changed = shifted();
    json_object_set_new(json_array_get(json_object_get(changed, "series"), 0), "zone",
                        json_string("YY"));
    assert_tied(changed, "evidence.series[0].zone");
}

/* A place that nobody knows the zone of may be in a receipt: its carbon is unknown. */
static void an_unnamed_place_holds(void **state)
{
    json_t *evidence = shifted();

    (void)state;
    json_object_del(json_object_get(evidence, "instance"), "series");
    json_object_del(part(evidence, "spans", 4), "move");
    json_object_set_new(part(evidence, "spans", 4), "zone", json_string(""));
    json_object_set_new(json_object_get(evidence, "instance"), "zone", json_string(""));
    assert_tied(evidence, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_stretch_meets_the_grid_of_its_place),
        cmocka_unit_test(a_reading_across_a_pause_is_in_both_parts),
        cmocka_unit_test(silence_while_it_runs_is_charged_there),
        cmocka_unit_test(a_guest_that_claims_a_pause_is_charged_and_flagged),
        cmocka_unit_test(a_clock_that_was_not_told_the_time_yet_is_no_fault),
        cmocka_unit_test(an_unknown_place_makes_the_carbon_unknown),
        cmocka_unit_test(the_rules_are_asked_again_of_the_place),
        cmocka_unit_test(paused_time_cannot_breach),
        cmocka_unit_test(a_receipt_of_method_2_is_not_looked_at_for_stretches),
        cmocka_unit_test(embodied_carbon_counts_the_time_a_place_was_kept),
        cmocka_unit_test(stretches_and_series_belong_to_a_move),
        cmocka_unit_test(an_unnamed_place_holds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
