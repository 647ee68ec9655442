/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/broker/account_bench.h"

static void readings_are_summed_with_pue_and_embodied(void **state)
{
    json_t *derived;

    (void)state;
    ten_watts(START);
    fake_meter_read_many(&meter, 359);
    fake_meter_read_final(&meter);
    derived = heard(START, START + 360000);
    assert_int_equal(total(derived, "energy_mj", 0), 3240000);
    assert_int_equal(total(derived, "energy_mj", 1), 3600000); /* 1 Wh */
    assert_int_equal(total(derived, "energy_mj", 2), 5400000);
    assert_int_equal(total(derived, "facility_mj", 1), 4320000); /* x 1.2 */
    assert_int_equal(total(derived, "operational_ug", 0),
                     95688); /* x 88.6 g/kWh: no bound stated */
    assert_int_equal(total(derived, "operational_ug", 1), 120000); /* x 100 g/kWh */
    assert_int_equal(total(derived, "operational_ug", 2), 200520);
    /* 1,000 kg over 35,040 h, 360 s of it, 0.020833 of the machine: 59454.9 ug */
    assert_int_equal(total(derived, "embodied_ug", 1), 59455);
    assert_int_equal(total(derived, "embodied_ug", 0), 29727);
    assert_int_equal(total(derived, "embodied_ug", 2), 118910);
    assert_int_equal(total(derived, "total_ug", 1), 179455);
    assert_int_equal(number(member(derived, "footprint"), "duration_s"), 360);
    assert_int_equal(band(member(derived, "sci"), "ug_per_unit", 1), 179455);
    assert_int_equal(json_array_size(member(derived, "gaps")), 0);
    assert_slots_sum(derived);
    assert_true(json_is_true(member(member(derived, "meter"), "is_final")));
    assert_int_equal(number(member(derived, "meter"), "readings"), 360);
    assert_int_equal(number(member(derived, "meter"), "covered_ms"), 360000);
    assert_string_equal(word(member(derived, "meter"), "tier"), "E2");
    assert_string_equal(word(member(derived, "meter"), "trust"), "C");
    assert_string_equal(word(derived, "grade"), "C");
    assert_string_equal(result_of(derived, 10), "ok");
    json_decref(derived);
}

static void silence_is_charged_at_the_high_bound(void **state)
{
    json_t *derived = silent(START, START + 100000);

    (void)state;
    assert_int_equal(json_array_size(member(derived, "gaps")), 1);
    assert_int_equal(number(gap(derived, 0), "from_ms"), START);
    assert_int_equal(number(gap(derived, 0), "until_ms"), START + 100000);
    assert_near(band(gap(derived, 0), "energy_uj", 0), gap_watts(false) * 1e8);
    assert_near(band(gap(derived, 0), "energy_uj", 1), gap_watts(true) * 1e8);
    assert_near(band(gap(derived, 0), "energy_uj", 2), gap_watts(true) * 1e8);
    assert_near(total(derived, "energy_mj", 1), gap_watts(true) * 1e5);
    assert_true(json_is_null(member(member(derived, "meter"), "tier")));
    assert_string_equal(word(member(derived, "meter"), "trust"), "D");
    assert_string_equal(word(derived, "grade"), "E");
    assert_string_equal(result_of(derived, 1), "not checked");
    assert_string_equal(result_of(derived, 10), "flagged");
    json_decref(derived);
}

static void gaps_in_between_and_at_the_end_cost_more_than_readings(void **state)
{
    json_t *derived;

    (void)state;
    ten_watts(START + 3000); /* the first reading ends at 4 s and covers one second */
    fake_meter_read_many(&meter, 2);
    meter.next.gap_ms = 5000;
    fake_meter_read(&meter); /* blind from 5 to 10 s */
    meter.next.gap_ms = 0;
    fake_meter_read(&meter); /* until 12 s; then silence */
    derived = heard(START, START + 20000);
    assert_int_equal(json_array_size(member(derived, "gaps")), 3);
    assert_int_equal(number(gap(derived, 0), "until_ms"), START + 4000 - GL_FIRST_READING_MS);
    assert_int_equal(number(gap(derived, 1), "from_ms"), START + 5000);
    assert_int_equal(number(gap(derived, 1), "until_ms"), START + 10000);
    assert_int_equal(number(gap(derived, 2), "from_ms"), START + 12000);
    assert_int_equal(number(gap(derived, 2), "until_ms"), START + 20000);
    assert_near(total(derived, "energy_mj", 1), 40000 + gap_watts(true) * 16000);
    assert_near(total(derived, "energy_mj", 0), 36000 + gap_watts(false) * 16000);
    assert_int_equal(number(member(derived, "meter"), "covered_ms"), 4000);
    assert_false(json_is_true(member(member(derived, "meter"), "is_final")));
    assert_slots_sum(derived);
    json_decref(derived);
}

/* Two hours with another intensity each: energy is charged in its own hour. */
static void an_hour_boundary_splits_energy_and_intensity(void **state)
{
    json_t *evidence, *derived, *points;

    (void)state;
    ten_watts(START + HOUR - 30000);
    fake_meter_read_many(&meter, 60); /* 30 s before the hour, 30 s after */
    evidence = fake_evidence(&meter, LAUNCH, START + HOUR - 30000, START + HOUR + 30000);
    points = json_object_get(json_array_get(json_object_get(evidence, "series"), 0), "points");
    json_array_set_new(json_array_get(points, 1), 2, json_integer(300000000));
    derived = derive(evidence);
    assert_int_equal(json_array_size(member(derived, "slots")), 2);
    assert_int_equal(number(slot(derived, 0), "until_s"), (START + HOUR) / 1000);
    assert_int_equal(band(slot(derived, 0), "energy_mj", 1), 300000);
    assert_int_equal(band(slot(derived, 1), "energy_mj", 1), 300000);
    assert_int_equal(band(slot(derived, 0), "intensity_u_g_per_kwh", 1), 100000000);
    assert_int_equal(band(slot(derived, 1), "intensity_u_g_per_kwh", 1), 300000000);
    assert_int_equal(total(derived, "operational_ug", 1), 10000 + 30000); /* 300 J x 1.2 */
    json_decref(derived);
}

/* A reading across the hour is cut there by time; both parts are whole milliseconds' worth. */
static void a_reading_across_the_hour_is_cut_by_time(void **state)
{
    json_t *derived;

    (void)state;
    ten_watts(START + HOUR - 1250);
    fake_meter_read_many(&meter, 3); /* the second runs from 0.25 s before the hour to 0.75 after */
    derived = heard(START + HOUR - 1250, START + HOUR + 1750);
    assert_int_equal(band(slot(derived, 0), "energy_mj", 1), 12500);
    assert_int_equal(band(slot(derived, 1), "energy_mj", 1), 17500);
    assert_int_equal(total(derived, "energy_mj", 1), 30000);
    json_decref(derived);
}

/* Odd times and energies, stretches over several hours: slots sum to the readings but for half a
 * millijoule a slot, and stay in order. */
static void slots_sum_to_the_stretches(void **state)
{
    (void)state;
    for (int64_t seed = 1; seed <= 40; seed++) {
        struct gl_component *cpu;
        int64_t sum[3] = {0, 0, 0};
        json_t *derived;
        size_t slots;

        ten_watts(START + seed * 977);
        cpu = &meter.next.components[0];
        for (size_t i = 0; i < 6; i++) {
            meter.step_ms = 1 + (seed * 7919 + (int64_t)i * 104729) % 7000001;
            cpu->delta_uj = meter.step_ms * (3000 + seed * 13) + 7;
            cpu->low_uj = cpu->delta_uj - seed % 2;
            cpu->high_uj = cpu->delta_uj + seed % 3;
            if (i == 0)
                meter.step_ms = 1 + seed;
            if (i == 0)
                cpu->delta_uj = cpu->low_uj = cpu->high_uj = 5003 * (1 + seed);
            fake_meter_read(&meter);
            sum[0] += cpu->low_uj;
            sum[1] += cpu->delta_uj;
            sum[2] += cpu->high_uj;
        }
        derived = heard(START + seed * 977, meter.next.wall_ms);
        assert_int_equal(json_array_size(member(derived, "gaps")), 0);
        slots = json_array_size(member(derived, "slots"));
        assert_slots_sum(derived);
        for (size_t b = 0; b < 3; b++)
            assert_true(llabs(total(derived, "energy_mj", b) * 1000 - sum[b]) <=
                        500 * (int64_t)slots + 1000 * (b != 1));
        json_decref(derived);
    }
}

static void an_hour_without_intensity_leaves_carbon_unknown(void **state)
{
    json_t *evidence = fake_evidence(NULL, LAUNCH, START, START + 2 * HOUR);
    json_t *derived;

    (void)state;
    json_array_remove(
        json_object_get(json_array_get(json_object_get(evidence, "series"), 0), "points"), 1);
    derived = derive(evidence);
    assert_int_equal(band(slot(derived, 0), "intensity_u_g_per_kwh", 1), 100000000);
    assert_int_equal(band(slot(derived, 1), "intensity_u_g_per_kwh", 1), UNKNOWN);
    assert_int_equal(total(derived, "operational_ug", 1), UNKNOWN);
    assert_int_equal(total(derived, "total_ug", 1), UNKNOWN);
    assert_true(json_is_null(member(member(derived, "sci"), "ug_per_unit")));
    assert_true(total(derived, "energy_mj", 1) > 0);
    assert_true(total(derived, "embodied_ug", 1) > 0);
    assert_string_equal(word(derived, "grade"), "E");
    json_decref(derived);
}

static json_t *with_series(json_t *first, json_t *second, const char *mapping)
{
    json_t *evidence = fake_evidence(NULL, LAUNCH, START, START + 60000);
    json_t *series = json_array();

    if (first != NULL)
        json_array_append_new(series, first);
    if (second != NULL)
        json_array_append_new(series, second);
    json_object_set_new(evidence, "series", series);
    json_object_set_new(json_object_get(evidence, "offer"), "mapping", json_string(mapping));
    return derive(evidence);
}

static json_t *series(const char *zone, int64_t g_per_kwh)
{
    return fake_series_json(zone, START / 1000, START / 1000 + 3600, g_per_kwh * 1000000);
}

static json_t *series_meaning(const char *zone, int64_t g_per_kwh, const char *key,
                              const char *text)
{
    json_t *json = series(zone, g_per_kwh);

    json_object_set_new(json, key, json_string(text));
    return json;
}

static void assert_intensity(json_t *derived, int64_t g_per_kwh)
{
    assert_int_equal(band(slot(derived, 0), "intensity_u_g_per_kwh", 1),
                     g_per_kwh < 0 ? UNKNOWN : g_per_kwh * 1000000);
    assert_int_equal(total(derived, "total_ug", 1) == UNKNOWN, g_per_kwh < 0);
    json_decref(derived);
}

static void a_disputed_region_is_judged_by_the_worse_zone(void **state)
{
    json_t *hole = series("B", 300);

    (void)state;
    assert_intensity(with_series(series("A", 100), series("B", 300), "disputed"), 300);
    assert_intensity(with_series(series("B", 300), series("A", 100), "disputed"), 300);
    assert_intensity(with_series(series("A", 100), NULL, "disputed"), -1);
    assert_intensity(with_series(series("A", 100), series("A", 300), "disputed"), -1);
    json_array_clear(json_object_get(hole, "points"));
    assert_intensity(with_series(series("A", 100), hole, "disputed"), -1);
    assert_intensity(with_series(series("A", 100), NULL, "agreed"), 100);
}

static void only_location_based_averages_make_carbon(void **state)
{
    (void)state;
    assert_intensity(with_series(NULL, NULL, "agreed"), -1);
    assert_intensity(with_series(series_meaning("A", 5, "accounting", "market"), NULL, "agreed"),
                     -1);
    assert_intensity(with_series(series_meaning("A", 5, "accounting", "residual"), NULL, "agreed"),
                     -1);
    assert_intensity(with_series(series_meaning("A", 900, "rate", "short_run_marginal"),
                                 series("A", 100), "agreed"),
                     100);
    assert_intensity(with_series(series_meaning("A", 900, "quantity", "renewable_share"),
                                 series("A", 100), "agreed"),
                     100);
    /* The first source of a zone counts; a second one neither helps nor harms. */
    assert_intensity(with_series(series("A", 100), series("A", 300), "agreed"), 100);
}

static void the_grade_is_that_of_the_weakest_evidence(void **state)
{
    static const struct {
        enum gl_tier tier;
        const char *evidence, *grade;
    } rows[] = {
        {GL_TIER_M1, "measured", "A"},       {GL_TIER_M2, "measured", "A"},
        {GL_TIER_H, "measured", "B"},        {GL_TIER_E1, "measured", "C"},
        {GL_TIER_E2, "measured", "C"},       {GL_TIER_E3, "measured", "E"},
        {GL_TIER_S, "measured", "E"},        {GL_TIER_H, "preliminary", "B"},
        {GL_TIER_M1, "forecast", "C"},       {GL_TIER_M1, "annual_average", "D"},
        {GL_TIER_M1, "provider_claim", "E"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        json_t *evidence, *derived, *share;
        json_t *all;

        ten_watts(START);
        meter.next.components[0].tier = rows[i].tier;
        fake_meter_read_many(&meter, 3);
        evidence = fake_evidence(&meter, LAUNCH, START, START + 3000);
        all = json_object_get(evidence, "series");
        json_array_set_new(json_array_get(json_object_get(json_array_get(all, 0), "points"), 0), 5,
                           json_string(rows[i].evidence));
        share = series_meaning("A", 1, "quantity", "renewable_share"); /* makes no carbon */
        json_array_set_new(json_array_get(json_object_get(share, "points"), 0), 5,
                           json_string("provider_claim"));
        json_array_append_new(all, share);
        derived = derive(evidence);
        assert_string_equal(word(derived, "grade"), rows[i].grade);
        json_decref(derived);
    }
}

/* Ten seconds on a platform of so many grams. */
static json_t *graded(int64_t platform_g, int64_t method)
{
    json_t *evidence;

    ten_watts(START);
    fake_meter_read_many(&meter, 10);
    evidence = fake_evidence(&meter, LAUNCH, START, START + 10000);
    json_object_set_new(evidence, "method_version", json_integer(method));
    json_object_set_new(
        json_object_get(evidence, "embodied"), "platform_g",
        json_pack("[I,I,I]", (json_int_t)0, (json_int_t)platform_g, (json_int_t)platform_g));
    return derive(evidence);
}

static void the_total_is_graded_by_its_larger_part(void **state)
{
    json_t *derived = graded(4 * FAKE_PLATFORM_G, 4);

    (void)state;
    assert_true(total(derived, "embodied_ug", 1) > total(derived, "operational_ug", 1));
    assert_string_equal(word(derived, "grade"), "C"); /* of the operational part, as ever */
    assert_string_equal(word(derived, "total_grade"), "E");
    assert_int_equal(gl_account_total_grade(derived), 'E');
    json_decref(derived);
    derived = graded(1, 4);
    assert_true(total(derived, "embodied_ug", 1) < total(derived, "operational_ug", 1));
    assert_string_equal(word(derived, "total_grade"), "C");
    json_decref(derived);
    derived = graded(4 * FAKE_PLATFORM_G, 3); /* says nothing of it; it is worth no more for that */
    assert_null(json_object_get(derived, "total_grade"));
    assert_int_equal(gl_account_total_grade(derived), 'E');
    json_decref(derived);
    derived = graded(1, 3);
    assert_int_equal(gl_account_total_grade(derived), 'C');
    json_decref(derived);
}

static json_t *unbounded(const char *evidence_word, int64_t method)
{
    json_t *evidence, *point;

    ten_watts(START);
    fake_meter_read_many(&meter, 3);
    evidence = fake_evidence(&meter, LAUNCH, START, START + 3000);
    json_object_set_new(evidence, "method_version", json_integer(method));
    point = json_array_get(
        json_object_get(json_array_get(json_object_get(evidence, "series"), 0), "points"), 0);
    json_array_set_new(point, 3, json_null());
    json_array_set_new(point, 4, json_null());
    json_array_set_new(point, 5, json_string(evidence_word));
    return derive(evidence);
}

static void hours_without_bounds_are_charged_with_wide_ones(void **state)
{
    static const struct {
        const char *evidence;
        int64_t method, low, high;
    } rows[] = {
        {"estimated", 4, 88600000, 111400000},      {"forecast", 4, 53000000, 145000000},
        {"estimated", 3, 100000000, 100000000},     {"forecast", 3, 100000000, 100000000},
        {"annual_average", 3, 53000000, 145000000},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        json_t *derived = unbounded(rows[i].evidence, rows[i].method);

        assert_int_equal(band(slot(derived, 0), "intensity_u_g_per_kwh", 0), rows[i].low);
        assert_int_equal(band(slot(derived, 0), "intensity_u_g_per_kwh", 1), 100000000);
        assert_int_equal(band(slot(derived, 0), "intensity_u_g_per_kwh", 2), rows[i].high);
        json_decref(derived);
    }
}

static void impossible_energy_is_replaced_by_the_bound(void **state)
{
    const struct gl_machine machine = {gl_power_family("epyc3"), 4, 8, 0, 0};
    double most = gl_power_plausible_max(&machine).w;
    json_t *derived;

    (void)state;
    ten_watts(START);
    fake_meter_read(&meter);
    meter.next.components[0].delta_uj = meter.next.components[0].high_uj = INT64_C(1) << 60;
    fake_meter_read(&meter);
    derived = heard(START, START + 2000);
    assert_near(total(derived, "energy_mj", 1), 10000 + most * 1000);
    assert_near(total(derived, "energy_mj", 2), 15000 + most * 1000);
    assert_int_equal(total(derived, "energy_mj", 0), 18000);
    assert_string_equal(result_of(derived, 1), "replaced");
    json_decref(derived);
}

/* A guest that calls its high bound nine exajoules must not make its launch impossible to close. */
static void an_absurd_high_bound_is_cut(void **state)
{
    json_t *derived;

    (void)state;
    ten_watts(START);
    fake_meter_read(&meter);
    meter.next.component_count = 2;
    meter.next.components[1] = meter.next.components[0];
    meter.next.components[1].kind = GL_COMP_GPU;
    meter.next.components[1].delta_uj = meter.next.components[1].low_uj = 0;
    meter.next.components[0].high_uj = meter.next.components[1].high_uj = INT64_MAX;
    fake_meter_read(&meter);
    derived = heard(START, START + 2000);
    assert_int_equal(total(derived, "energy_mj", 1), 20000);
    assert_true(total(derived, "energy_mj", 2) < 100000);
    json_decref(derived);
}

/* Two readings that end in the same millisecond: the time is counted once, the energy of both. */
static void energy_without_time_is_carried_on(void **state)
{
    json_t *derived;

    (void)state;
    ten_watts(START);
    fake_meter_read_many(&meter, 2);
    meter.step_ms = 0;
    meter.next.components[0].delta_uj = meter.next.components[0].high_uj = 12000000;
    fake_meter_read(&meter); /* within half a second of what is possible */
    meter.next.components[0].delta_uj = meter.next.components[0].high_uj = 10000000;
    meter.step_ms = 1000;
    fake_meter_read(&meter);
    meter.step_ms = 0;
    fake_meter_read(&meter); /* also as the last one */
    derived = heard(START, START + 3000);
    assert_int_equal(total(derived, "energy_mj", 1), 52000);
    assert_int_equal(number(member(derived, "meter"), "covered_ms"), 3000);
    json_decref(derived);
}

/* The guest's clock is a day off: what it measured is charged all the same. */
static void a_wrong_clock_loses_no_energy(void **state)
{
    (void)state;
    for (int64_t day = -24 * HOUR; day <= 24 * HOUR; day += 48 * HOUR) {
        json_t *derived;

        ten_watts(START + day);
        fake_meter_read_many(&meter, 9);
        fake_meter_read_final(&meter); /* by the boot clock it ends 11 s after the start */
        derived = heard(START, START + 11000);
        assert_true(total(derived, "energy_mj", 1) >= 100000);
        assert_true(total(derived, "energy_mj", 1) < 100000 + 2 * 15000);
        assert_string_equal(result_of(derived, 9), "flagged");
        json_decref(derived);
    }
}

static void short_and_long_runs_are_accounted_for(void **state)
{
    json_t *derived = silent(START, START);

    (void)state;
    assert_int_equal(json_array_size(member(derived, "slots")), 0);
    assert_int_equal(total(derived, "energy_mj", 2), 0);
    json_decref(derived);
    derived = silent(START + 1, START + 2);
    assert_int_equal(json_array_size(member(derived, "slots")), 1);
    assert_int_equal(number(slot(derived, 0), "until_s"), START / 1000 + 1);
    json_decref(derived);
    derived = silent(START + 5, START + 366 * 24 * HOUR);
    assert_int_equal(json_array_size(member(derived, "slots")), 366 * 24);
    assert_slots_sum(derived);
    json_decref(derived);
}

/* The largest machine for the longest run: saturated, not negative, and still a receipt. */
static void the_largest_machine_does_not_overflow(void **state)
{
    json_t *evidence = fake_evidence(NULL, LAUNCH, START, START + 366 * 24 * HOUR);
    json_t *derived;

    (void)state;
    json_object_set_new(evidence, "machine",
                        json_pack("{s:s,s:i,s:i,s:i,s:i}", "family", "", "threads_milli", 10000000,
                                  "memory_mb", 100000000, "gpu_count", 64, "gpu_watts", 10000));
    derived = derive(evidence);
    assert_true(total(derived, "energy_mj", 0) > 0);
    assert_true(total(derived, "energy_mj", 1) >= total(derived, "energy_mj", 0));
    assert_slots_sum(derived);
    json_decref(derived);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(readings_are_summed_with_pue_and_embodied),
        cmocka_unit_test(silence_is_charged_at_the_high_bound),
        cmocka_unit_test(gaps_in_between_and_at_the_end_cost_more_than_readings),
        cmocka_unit_test(an_hour_boundary_splits_energy_and_intensity),
        cmocka_unit_test(a_reading_across_the_hour_is_cut_by_time),
        cmocka_unit_test(slots_sum_to_the_stretches),
        cmocka_unit_test(an_hour_without_intensity_leaves_carbon_unknown),
        cmocka_unit_test(a_disputed_region_is_judged_by_the_worse_zone),
        cmocka_unit_test(only_location_based_averages_make_carbon),
        cmocka_unit_test(the_grade_is_that_of_the_weakest_evidence),
        cmocka_unit_test(the_total_is_graded_by_its_larger_part),
        cmocka_unit_test(hours_without_bounds_are_charged_with_wide_ones),
        cmocka_unit_test(impossible_energy_is_replaced_by_the_bound),
        cmocka_unit_test(an_absurd_high_bound_is_cut),
        cmocka_unit_test(energy_without_time_is_carried_on),
        cmocka_unit_test(a_wrong_clock_loses_no_energy),
        cmocka_unit_test(short_and_long_runs_are_accounted_for),
        cmocka_unit_test(the_largest_machine_does_not_overflow),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
