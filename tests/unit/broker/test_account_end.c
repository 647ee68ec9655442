/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/broker/account_bench.h"

/* The run ended at 5 s by the broker; the meter went on for 20 s. All it used is charged. */
static void readings_after_the_end_are_charged_and_named(void **state)
{
    const json_t *rule;
    json_t *derived;

    (void)state;
    ten_watts(START);
    fake_meter_read_many(&meter, 25);
    derived = heard(START, START + 5000);
    assert_int_equal(total(derived, "energy_mj", 1), 250000);
    assert_int_equal(total(derived, "energy_mj", 0), 225000);
    assert_int_equal(total(derived, "energy_mj", 2), 375000);
    assert_int_equal(number(member(derived, "meter"), "covered_ms"), 5000);
    assert_int_equal(number(member(derived, "footprint"), "duration_s"), 5);
    rule = json_array_get(member(derived, "plausibility"), 11);
    assert_string_equal(word(rule, "rule"), "P12");
    assert_string_equal(word(rule, "result"), "flagged");
    assert_int_equal(number(rule, "count"), 15); /* five of them within tolerance */
    assert_non_null(strstr(word(rule, "note"), "reading 11 ends 6000 ms after the run"));
    assert_string_equal(word(derived, "grade"), "D");
    assert_slots_sum(derived);
    json_decref(derived);
}

static void blind_time_after_the_end_costs_like_a_gap(void **state)
{
    json_t *derived;

    (void)state;
    ten_watts(START);
    fake_meter_read_many(&meter, 4);
    meter.next.gap_ms = 10000;
    fake_meter_read(&meter); /* blind from 4 to 14 s, read until 15 s; the run ended at 5 s */
    derived = heard(START, START + 5000);
    assert_near(total(derived, "energy_mj", 1), 50000 + gap_watts(true) * 10000);
    assert_int_equal(number(gap(derived, 0), "until_ms"), START + 5000);
    assert_string_equal(result_of(derived, 12), "flagged");
    assert_slots_sum(derived);
    json_decref(derived);
}

static void a_little_after_the_end_is_charged_without_a_word(void **state)
{
    json_t *derived;

    (void)state;
    ten_watts(START);
    fake_meter_read_many(&meter, 5);
    derived = heard(START, START + 3000);
    assert_int_equal(total(derived, "energy_mj", 1), 50000);
    assert_string_equal(result_of(derived, 12), "ok");
    json_decref(derived);
}

/* Whatever a guest says of its clock, its launch can be closed. */
static void an_absurd_end_can_be_accounted_for(void **state)
{
    json_t *derived;

    (void)state;
    ten_watts(START);
    fake_meter_read(&meter);
    meter.next.boottime_ns = INT64_MAX / 2;
    meter.next.components[0].delta_uj = meter.next.components[0].high_uj = INT64_C(1) << 60;
    fake_meter_read(&meter);
    derived = heard(START, START + 3000);
    assert_string_equal(result_of(derived, 12), "flagged");
    assert_string_equal(result_of(derived, 1), "replaced");
    assert_slots_sum(derived);
    json_decref(derived);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(readings_after_the_end_are_charged_and_named),
        cmocka_unit_test(blind_time_after_the_end_costs_like_a_gap),
        cmocka_unit_test(a_little_after_the_end_is_charged_without_a_word),
        cmocka_unit_test(an_absurd_end_can_be_accounted_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
