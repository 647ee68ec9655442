/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "policy/footprint.h"

#include <string.h>

#define HOUR      3600
#define MJ_PER_WH INT64_C(3600000)

/* One hour; energy in Wh and intensity in g/kWh, 10 % either side. */
static struct gl_slot slot_of(int64_t hour, int64_t wh, int64_t grams)
{
    return (struct gl_slot){
        .from_s = hour * HOUR,
        .until_s = (hour + 1) * HOUR,
        .energy_mj = {wh * MJ_PER_WH * 9 / 10, wh * MJ_PER_WH, wh * MJ_PER_WH * 11 / 10},
        .intensity_u = {grams * 900000, grams * 1000000, grams * 1100000},
    };
}

static struct gl_footprint footprint_of(const struct gl_slot *slots, size_t count, int64_t pue,
                                        const struct gl_embodied *embodied)
{
    struct gl_footprint out;
    struct gl_error err = {0};

    assert_int_equal(gl_footprint_of(slots, count, pue, embodied, &out, &err), 0);
    assert_int_equal(err.code, GL_OK);
    return out;
}

static void refuses(const struct gl_slot *slots, size_t count, int64_t pue,
                    const struct gl_embodied *embodied, const char *text)
{
    struct gl_footprint out, untouched;
    struct gl_error err = {0};

    memset(&out, 0x5a, sizeof out);
    untouched = out;
    assert_int_equal(gl_footprint_of(slots, count, pue, embodied, &out, &err), -1);
    assert_int_equal(err.code, GL_E_BAD_VALUE);
    assert_string_equal(err.text, text);
    assert_memory_equal(&out, &untouched, sizeof out);
}

/* 1 kWh at 100 g/kWh, then 2 kWh at 300 g/kWh, PUE 1.2: 0.12 + 0.72 = 0.84 kg. */
static void energy_of_an_hour_meets_intensity_of_that_hour(void **state)
{
    const struct gl_slot slots[] = {slot_of(0, 1000, 100), slot_of(1, 2000, 300)};
    struct gl_footprint out = footprint_of(slots, 2, 1200, NULL);

    (void)state;
    assert_int_equal(out.energy_mj[1], 3000 * MJ_PER_WH);
    assert_int_equal(out.facility_mj[1], 3600 * MJ_PER_WH);
    assert_int_equal(out.operational_ug[1], 840000000);
    assert_int_equal(out.operational_ug[0], 680400000);  /* 0.9 * 0.9 */
    assert_int_equal(out.operational_ug[2], 1016400000); /* 1.1 * 1.1 */
    assert_int_equal(out.embodied_ug[1], 0);
    assert_int_equal(out.total_ug[1], 840000000);
    assert_int_equal(out.duration_s, 2 * HOUR);
}

/* SCI: M = TE * TiR/EL * RR/ToR; 1,000 kg over 4 years of 8,766 h, 1/16 of it for 1 h = 1.7825 g.
 */
static void embodied_carbon_follows_sci(void **state)
{
    const struct gl_slot slots[] = {slot_of(0, 0, 100)};
    const struct gl_embodied embodied = {
        {500000, 1000000, 2000000}, INT64_C(4) * 8766 * HOUR, 62500, 0};
    struct gl_footprint out = footprint_of(slots, 1, 1000, &embodied);

    (void)state;
    assert_int_equal(out.embodied_ug[1], 1782455); /* 1e12 ug / 35064 / 16 = 1782454.9 */
    assert_int_equal(out.embodied_ug[0], 891227);  /* 891227.47 */
    assert_int_equal(out.embodied_ug[2], 3564910);
    assert_int_equal(out.total_ug[1], 1782455);
    assert_int_equal(out.operational_ug[1], 0);
}

/* Strubell et al. 2019, table 3, Transformer base: 1415.78 W for 12 h, PUE 1.58, 0.954 lb/kWh:
 * 26.84 kWh and 25.61 lb (11.616 kg). */
static void strubell_transformer_base_is_reproduced(void **state)
{
    struct gl_slot slot = {.until_s = 12 * HOUR};
    struct gl_footprint out;

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        slot.energy_mj[i] = INT64_C(1415780) * 12 * HOUR; /* mW * s */
        slot.intensity_u[i] = INT64_C(432727121);         /* 0.954 lb of 453.59237 g */
    }
    out = footprint_of(&slot, 1, 1580, NULL);
    assert_in_range(out.facility_mj[1] / MJ_PER_WH, 26843, 26844);
    assert_in_range(out.operational_ug[1] / 1000000, 11615, 11616);
}

static void rounding_is_half_up_and_only_once(void **state)
{
    struct gl_slot slots[2] = {{.until_s = 1}, {.from_s = 1, .until_s = 2}};

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        slots[0].energy_mj[i] = slots[1].energy_mj[i] = 900000000; /* 0.25 kWh */
        slots[0].intensity_u[i] = slots[1].intensity_u[i] = 1;
    }
    assert_int_equal(footprint_of(slots, 1, 1000, NULL).operational_ug[1], 0); /* 0.25 */
    assert_int_equal(footprint_of(slots, 2, 1000, NULL).operational_ug[1], 1); /* 0.50 */
    slots[1].energy_mj[0] = slots[1].energy_mj[1] = slots[1].energy_mj[2] = 899999999;
    assert_int_equal(footprint_of(slots, 2, 1000, NULL).operational_ug[1], 0);
    slots[0].energy_mj[0] = slots[0].energy_mj[1] = slots[0].energy_mj[2] = 1;
    assert_int_equal(footprint_of(slots, 1, 1499, NULL).facility_mj[1], 1);
    assert_int_equal(footprint_of(slots, 1, 1500, NULL).facility_mj[1], 2);
}

/* Components of one hour are several slots: their time counts once. */
static void duration_is_from_the_first_to_the_last_instant(void **state)
{
    const struct gl_slot slots[] = {slot_of(5, 1, 1), slot_of(2, 1, 1), slot_of(2, 1, 1)};

    (void)state;
    assert_int_equal(footprint_of(slots, 3, 1000, NULL).duration_s, 4 * HOUR);
    assert_int_equal(footprint_of(NULL, 0, 1000, NULL).duration_s, 0);
    assert_int_equal(footprint_of(NULL, 0, 1000, NULL).total_ug[2], 0);
}

static void nonsense_is_refused(void **state)
{
    struct gl_slot slot = slot_of(0, 1, 1);

    (void)state;
    refuses(&slot, 1, 999, NULL, "PUE is below 1");
    slot.energy_mj[0] = slot.energy_mj[1] + 1;
    refuses(&slot, 1, 1000, NULL, "slot 0: energy is negative or not ordered");
    slot.energy_mj[0] = -1;
    refuses(&slot, 1, 1000, NULL, "slot 0: energy is negative or not ordered");
    slot = slot_of(0, 1, 1);
    slot.intensity_u[1] = INT64_MIN; /* unknown is not a number */
    refuses(&slot, 1, 1000, NULL, "slot 0: intensity is negative or not ordered");
    slot = slot_of(0, 1, 1);
    slot.until_s = slot.from_s;
    refuses(&slot, 1, 1000, NULL, "slot 0 ends before it begins");
}

static void nonsense_about_the_machine_is_refused(void **state)
{
    const struct gl_slot slot = slot_of(0, 1, 1);
    struct gl_embodied embodied = {{1, 2, 3}, 1, 1000000, 0};

    (void)state;
    footprint_of(&slot, 1, 1000, &embodied);
    embodied.share_ppm = 1000001;
    refuses(&slot, 1, 1000, &embodied, "share of the machine is outside 0..1");
    embodied.share_ppm = 0;
    assert_int_equal(footprint_of(&slot, 1, 1000, &embodied).embodied_ug[2], 0);
    embodied.share_ppm = -1;
    refuses(&slot, 1, 1000, &embodied, "share of the machine is outside 0..1");
    embodied.share_ppm = 1;
    embodied.lifetime_s = 0;
    refuses(&slot, 1, 1000, &embodied, "lifetime of the machine is not positive");
    embodied.lifetime_s = 1;
    embodied.reserved_s = -1;
    refuses(&slot, 1, 1000, &embodied, "the time it was reserved is negative");
    embodied.reserved_s = 0;
    embodied.platform_g[2] = 1;
    refuses(&slot, 1, 1000, &embodied, "embodied carbon is negative or not ordered");
}

static void what_does_not_fit_63_bits_is_refused(void **state)
{
    struct gl_slot slots[2] = {slot_of(0, 1, 1), slot_of(1, 1, 1)};
    struct gl_embodied embodied = {{0, 0, INT64_MAX}, 1, 1000000, 0};

    (void)state;
    slots[0].energy_mj[2] = slots[1].energy_mj[2] = INT64_MAX;
    refuses(slots, 2, 1000, NULL, "footprint is beyond 63 bits");
    slots[0].intensity_u[2] = slots[1].intensity_u[2] = INT64_MAX;
    refuses(slots, 2, 1000, NULL, "footprint is beyond 63 bits");
    slots[0] = slot_of(0, 1, 1);
    refuses(slots, 1, INT64_MAX, NULL, "footprint is beyond 63 bits");
    refuses(slots, 1, 1000, &embodied, "footprint is beyond 63 bits");
    slots[0].intensity_u[2] = INT64_C(4000000000000000000); /* fits alone, not with the rest */
    slots[0].energy_mj[2] = INT64_C(7200000000);
    embodied.platform_g[2] = INT64_C(2000000000000000);
    refuses(slots, 1, 1000, &embodied, "footprint is beyond 63 bits");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(energy_of_an_hour_meets_intensity_of_that_hour),
        cmocka_unit_test(embodied_carbon_follows_sci),
        cmocka_unit_test(strubell_transformer_base_is_reproduced),
        cmocka_unit_test(rounding_is_half_up_and_only_once),
        cmocka_unit_test(duration_is_from_the_first_to_the_last_instant),
        cmocka_unit_test(nonsense_is_refused),
        cmocka_unit_test(nonsense_about_the_machine_is_refused),
        cmocka_unit_test(what_does_not_fit_63_bits_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
