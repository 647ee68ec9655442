/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/plausible.h"

#include "tests/support/make_batches.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

/* Unit tests link archives only. */
#include "tests/support/make_batches.c"

#define START INT64_C(1767225600000)

static struct fake_meter meter;
static struct gl_run_facts facts;

/* Two hardware threads of EPYC 7003, 8 GB: between 0.308 and 1.6 x (1.25 x 2.117 x 2 + 0.6 x 8) =
 * 16.148 W by P1 and P2; 2 W at 10 % load fits them and the model. */
static int set_up(void **state)
{
    (void)state;
    fake_meter_init(&meter, "gl-1", 5, START);
    meter.next.components[0].delta_uj = 2000000;
    meter.next.components[0].low_uj = 1500000;
    meter.next.components[0].high_uj = 3000000;
    facts = (struct gl_run_facts){
        .machine = {gl_power_family("epyc3"), 2, 8, 0, 0},
        .started_ms = START,
        .ended_ms = START + 10000,
        .interval_ms = 1000,
        .host_cpu_ms = -1,
        .covered_ms = 10000,
        .readings = meter.made,
    };
    return 0;
}

static struct gl_plausible_finding found(unsigned rule)
{
    struct gl_plausible_finding findings[GL_PLAUSIBLE_RULES];
    char name[8];

    facts.count = meter.count;
    gl_plausible_check(&facts, findings);
    snprintf(name, sizeof name, "P%u", rule);
    assert_string_equal(findings[rule - 1].rule, name);
    assert_true(findings[rule - 1].title[0] != '\0');
    return findings[rule - 1];
}

static void assert_found(unsigned rule, enum gl_plausible_result result, uint32_t count)
{
    struct gl_plausible_finding finding = found(rule);

    if (finding.result != result || finding.count != count)
        fail_msg("P%u is %s (%u), not %s (%u): %s", rule, gl_plausible_word(finding.result),
                 finding.count, gl_plausible_word(result), count, finding.note);
}

static void all_rules_hold_for_an_honest_run(void **state)
{
    (void)state;
    fake_meter_read_many(&meter, 9);
    fake_meter_read_final(&meter);
    facts.host_cpu_ms = 2100; /* 10 % of 2 threads for 10 s, and what the host adds */
    for (unsigned rule = 1; rule <= GL_PLAUSIBLE_RULES; rule++)
        assert_found(rule, GL_PLAUSIBLE, 0);
}

static void nothing_to_look_at_is_not_a_pass(void **state)
{
    (void)state;
    facts.covered_ms = 0;
    for (unsigned rule = 1; rule <= 9; rule++)
        assert_found(rule, GL_NOT_CHECKED, 0);
    assert_found(10, GL_FLAGGED, 1);
    assert_found(11, GL_PLAUSIBLE, 0);
    fake_meter_read(&meter);
    assert_found(1, GL_PLAUSIBLE, 0);
    assert_found(2, GL_NOT_CHECKED, 0);
    assert_found(3, GL_NOT_CHECKED, 0);
    assert_found(7, GL_NOT_CHECKED, 0);
    assert_found(8, GL_NOT_CHECKED, 0);
}

static void p1_more_than_the_machine_can_draw(void **state)
{
    (void)state;
    fake_meter_read_many(&meter, 3);
    meter.next.components[0].delta_uj = meter.next.components[0].high_uj = 25000000;
    fake_meter_read(&meter); /* 25 W; at most 16.15 W and half a second of slack */
    meter.next.components[0].delta_uj = 20000000;
    fake_meter_read(&meter); /* 20 J in a second: inside the slack */
    assert_found(1, GL_REPLACED, 1);
    assert_true(gl_plausible_is_excessive(&facts, 3, 1000));
    assert_false(gl_plausible_is_excessive(&facts, 4, 1000));
    assert_false(gl_plausible_is_excessive(&facts, 3, 2000));
}

/* Parts of a measured node are inside it and not counted again. */
static void p1_does_not_count_parts_twice(void **state)
{
    int64_t energy[3];

    (void)state;
    meter.next.component_count = 2;
    meter.next.components[1] = meter.next.components[0];
    meter.next.components[1].kind = GL_COMP_NODE;
    meter.next.components[0].delta_uj = meter.next.components[1].delta_uj = 15000000;
    meter.next.components[0].high_uj = meter.next.components[1].high_uj = 15000000;
    fake_meter_read_many(&meter, 3);
    assert_found(1, GL_PLAUSIBLE, 0);
    gl_reading_energy(&meter.made[0], energy);
    assert_true(energy[0] == 1500000 && energy[1] == 15000000 && energy[2] == 15000000);
}

/* The time a meter was blind is charged as a gap: its energy must fit the rest. */
static void p1_looks_at_the_covered_time_only(void **state)
{
    (void)state;
    fake_meter_read_many(&meter, 2);
    meter.next.gap_ms = 5000;
    meter.next.components[0].delta_uj = meter.next.components[0].high_uj = 30000000;
    fake_meter_read(&meter); /* 30 J: much for one second, little for six */
    assert_found(1, GL_REPLACED, 1);
}

static void p1_bears_any_integer(void **state)
{
    int64_t energy[3];

    (void)state;
    meter.next.component_count = 3;
    for (size_t c = 0; c < 3; c++) {
        meter.next.components[c] = meter.next.components[0];
        meter.next.components[c].kind = (enum gl_component_kind)c;
        meter.next.components[c].delta_uj = meter.next.components[c].high_uj = INT64_MAX;
    }
    meter.made[0] = meter.next;
    meter.made[0].boottime_ns = INT64_MAX;
    meter.made[1] = meter.made[0];
    meter.made[1].wall_ms = INT64_MAX;
    snprintf(meter.made[1].boot, sizeof meter.made[1].boot, "another");
    meter.count = 2;
    gl_reading_energy(&meter.made[0], energy);
    assert_true(energy[0] == 4500000 && energy[1] == INT64_MAX && energy[2] == INT64_MAX);
    assert_found(1, GL_REPLACED, 2);
    facts.machine = (struct gl_machine){NULL, 10000, 100000, 64, 10000};
    facts.ended_ms = START + INT64_C(31536000000);
    found(1); /* a megawatt for a year is more than 63 bits of microjoules */
    assert_true(gl_plausible_bound_uj(&facts, INT64_C(31536000000)) == INT64_MAX);
}

static void p2_less_than_an_idle_machine_draws(void **state)
{
    (void)state;
    fake_meter_read_many(&meter, 3);
    meter.next.components[0].delta_uj = meter.next.components[0].low_uj = 300000;
    fake_meter_read(&meter); /* 0.3 W; 0.308 W at least */
    meter.next.components[0].delta_uj = 310000;
    fake_meter_read(&meter);
    assert_found(2, GL_FLAGGED, 1);
    meter.made[4].component_count = 0; /* a reading of nothing */
    assert_found(2, GL_FLAGGED, 2);
}

static void p3_energy_that_runs_backwards(void **state)
{
    (void)state;
    meter.next.component_count = 2;
    meter.next.components[1] = meter.next.components[0];
    meter.next.components[1].kind = GL_COMP_GPU;
    fake_meter_read_many(&meter, 4);
    assert_found(3, GL_PLAUSIBLE, 0);
    meter.made[2].components[1].total_mj = meter.made[1].components[1].total_mj - 1;
    assert_found(3, GL_FLAGGED, 1);
    /* The same when a kind comes in between and moves the others. */
    meter.made[2].component_count = 3;
    meter.made[2].components[2] = meter.made[2].components[1];
    meter.made[2].components[1] = meter.made[2].components[0];
    meter.made[2].components[1].kind = GL_COMP_DRAM;
    meter.made[2].components[1].total_mj = 0;
    assert_found(3, GL_FLAGGED, 1);
}

static void p4_counters_that_were_ambiguous(void **state)
{
    (void)state;
    meter.next.components[0].flags = GL_FLAG_WRAPPED | GL_FLAG_MERGED | GL_FLAG_REBOOT;
    fake_meter_read_many(&meter, 2);
    assert_found(4, GL_PLAUSIBLE, 0);
    meter.next.components[0].flags |= GL_FLAG_BOUNDED;
    fake_meter_read_many(&meter, 2);
    assert_found(4, GL_FLAGGED, 2);
    assert_found(6, GL_PLAUSIBLE, 0);
}

static void p5_parts_above_the_whole(void **state)
{
    (void)state;
    meter.next.component_count = 3;
    meter.next.components[1] = meter.next.components[2] = meter.next.components[0];
    meter.next.components[1].kind = GL_COMP_DRAM;
    meter.next.components[2].kind = GL_COMP_NODE;
    meter.next.components[2].delta_uj = 4000000;
    fake_meter_read(&meter);
    assert_found(5, GL_PLAUSIBLE, 0);
    meter.next.components[2].delta_uj = 3999999;
    fake_meter_read(&meter);
    assert_found(5, GL_FLAGGED, 1);
    meter.made[1].components[0].delta_uj = meter.made[1].components[1].delta_uj = INT64_MAX;
    assert_found(5, GL_FLAGGED, 1);
}

static void p6_sensors_that_gave_nonsense(void **state)
{
    (void)state;
    fake_meter_read(&meter);
    meter.next.components[0].flags = GL_FLAG_SENTINEL;
    fake_meter_read(&meter);
    assert_found(6, GL_FLAGGED, 1);
    assert_found(4, GL_PLAUSIBLE, 0);
}

static void read_watts(double watts)
{
    struct gl_component *cpu = &meter.next.components[0];

    cpu->delta_uj = cpu->low_uj = cpu->high_uj = (int64_t)(watts * 1e6);
    fake_meter_read(&meter);
}

/* At 10 % load 2 threads of 0.736 W, times 0.83 .. 1.72, and 6 GB of 0.2 .. 0.6 W beside those of
 * the family: 2.422 .. 6.132 W. */
static void p7_far_from_the_model(void **state)
{
    (void)state;
    fake_meter_read_many(&meter, 2);
    read_watts(1.22);
    read_watts(12.2);
    assert_found(7, GL_PLAUSIBLE, 0);
    read_watts(1.20);
    assert_found(7, GL_FLAGGED, 1);
    read_watts(12.3);
    assert_found(7, GL_FLAGGED, 2);
    meter.made[5].busy_ppm = 1000000; /* at full load it is near */
    assert_found(7, GL_FLAGGED, 1);
}

static void p8_cpu_time_that_the_host_did_not_spend(void **state)
{
    (void)state;
    meter.next.busy_ppm = 1000000;
    fake_meter_read_many(&meter, 10); /* two threads busy for 10 s */
    facts.host_cpu_ms = 20000;
    assert_found(8, GL_PLAUSIBLE, 0);
    facts.host_cpu_ms = 6600; /* three times less */
    assert_found(8, GL_FLAGGED, 1);
    facts.host_cpu_ms = 210000; /* ten times more */
    assert_found(8, GL_FLAGGED, 1);
    facts.host_cpu_ms = 2000;
    assert_found(8, GL_NOT_CHECKED, 0);
}

static void p9_a_clock_that_jumps(void **state)
{
    (void)state;
    fake_meter_read_many(&meter, 3);
    meter.next.wall_ms += 86400000;
    fake_meter_read_many(&meter, 2);
    assert_found(9, GL_FLAGGED, 2);
    assert_true(gl_reading_end_ms(&facts, 4) == START + 5000); /* by the boot clock */
}

/* A guest that is wrong by a day from the start: the first reading ends by the boot clock. */
static void p9_a_clock_that_is_wrong_from_the_start(void **state)
{
    (void)state;
    for (int64_t day = -86400000; day <= 86400000; day += 2 * 86400000) {
        set_up(NULL);
        meter.next.wall_ms += day;
        fake_meter_read_many(&meter, 5);
        assert_found(9, GL_FLAGGED, 5);
        assert_true(gl_reading_end_ms(&facts, 0) == START + 2000); /* 1 s before, 1 s reading */
        assert_true(gl_reading_end_ms(&facts, 4) == START + 6000);
        assert_true(gl_readings_until_ms(&facts) == START + 6000);
        meter.made[0].boottime_ns = INT64_C(864000) * 1000000000; /* up for ten days: a container */
        assert_true(gl_reading_end_ms(&facts, 0) == START + 2000);
    }
}

static void times_stay_inside_the_run(void **state)
{
    (void)state;
    fake_meter_read_many(&meter, 12);
    facts.count = meter.count;
    assert_true(gl_reading_end_ms(&facts, 11) == START + 10000);
    assert_true(gl_readings_until_ms(&facts) == START + 12000);
    meter.made[11].boottime_ns = 0; /* the boot clock ran backwards */
    assert_true(gl_reading_end_ms(&facts, 11) == START);
    snprintf(meter.made[11].boot, sizeof meter.made[11].boot, "another");
    meter.made[11].wall_ms = START + 8000; /* another boot: by the wall clock */
    assert_true(gl_reading_end_ms(&facts, 11) == START + 8000);
}

static void p10_readings_that_do_not_cover_the_run(void **state)
{
    (void)state;
    fake_meter_read_many(&meter, 10);
    facts.ended_ms = START + 1000000;
    facts.covered_ms = 990000;
    assert_found(10, GL_PLAUSIBLE, 0); /* one per cent */
    facts.covered_ms = 989999;
    assert_found(10, GL_FLAGGED, 1);
    facts.ended_ms = START + 10000; /* two intervals are no silence */
    facts.covered_ms = 8000;
    assert_found(10, GL_PLAUSIBLE, 0);
    facts.covered_ms = 7999;
    assert_found(10, GL_FLAGGED, 1);
}

static void p11_a_forked_chain(void **state)
{
    (void)state;
    assert_found(11, GL_PLAUSIBLE, 0);
    facts.forked = 2;
    assert_found(11, GL_FLAGGED, 2);
}

static void p12_readings_after_the_end(void **state)
{
    (void)state;
    assert_found(12, GL_NOT_CHECKED, 0);
    fake_meter_read_many(&meter, 17);
    facts.latest_ms = START + 86400000;
    facts.ended_ms = START + 12000; /* the last ends 5 s later */
    assert_found(12, GL_PLAUSIBLE, 0);
    facts.ended_ms = START + 11999;
    assert_found(12, GL_FLAGGED, 1);
    assert_non_null(strstr(found(12).note, "reading 17 ends 5001 ms after the run"));
    facts.ended_ms = START + 10000;
    assert_found(12, GL_FLAGGED, 2);
    assert_non_null(strstr(found(12).note, "reading 16 ends 6000 ms after the run"));
    assert_true(gl_reading_end_ms(&facts, 16) == START + 17000);
    facts.latest_ms = START + 16500;
    assert_true(gl_reading_end_ms(&facts, 16) == START + 16500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(all_rules_hold_for_an_honest_run, set_up),
        cmocka_unit_test_setup(nothing_to_look_at_is_not_a_pass, set_up),
        cmocka_unit_test_setup(p1_more_than_the_machine_can_draw, set_up),
        cmocka_unit_test_setup(p1_does_not_count_parts_twice, set_up),
        cmocka_unit_test_setup(p1_looks_at_the_covered_time_only, set_up),
        cmocka_unit_test_setup(p1_bears_any_integer, set_up),
        cmocka_unit_test_setup(p2_less_than_an_idle_machine_draws, set_up),
        cmocka_unit_test_setup(p3_energy_that_runs_backwards, set_up),
        cmocka_unit_test_setup(p4_counters_that_were_ambiguous, set_up),
        cmocka_unit_test_setup(p5_parts_above_the_whole, set_up),
        cmocka_unit_test_setup(p6_sensors_that_gave_nonsense, set_up),
        cmocka_unit_test_setup(p7_far_from_the_model, set_up),
        cmocka_unit_test_setup(p8_cpu_time_that_the_host_did_not_spend, set_up),
        cmocka_unit_test_setup(p9_a_clock_that_jumps, set_up),
        cmocka_unit_test_setup(p9_a_clock_that_is_wrong_from_the_start, set_up),
        cmocka_unit_test_setup(times_stay_inside_the_run, set_up),
        cmocka_unit_test_setup(p10_readings_that_do_not_cover_the_run, set_up),
        cmocka_unit_test_setup(p11_a_forked_chain, set_up),
        cmocka_unit_test_setup(p12_readings_after_the_end, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
