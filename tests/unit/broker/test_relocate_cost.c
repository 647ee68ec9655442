/* SPDX-License-Identifier: Apache-2.0 */
/* Cost and gain of a move to another region, and the plan of the launch that goes on there. */
#include "broker/relocate.h"
#include "broker/relocate_cost.h"

#include "tests/support/make_batches.c"
#include "tests/support/make_evidence.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#define NOW INT64_C(1767225600)

static json_t *plan, *here, *there;
static struct gl_error err;

static int set_up(void **state)
{
    (void)state;
    plan = fake_plan(NOW, NOW + 10 * 3600);
    here = json_pack("[o]", fake_series_json("XX", NOW, NOW + 10 * 3600, 400000000));
    there = json_pack("[o]", fake_series_json("YY", NOW, NOW + 10 * 3600, 50000000));
    json_object_set_new(json_object_get(plan, "offer"), "region", json_string("sa-east-1"));
    gl_error_clear(&err);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    json_decref(plan);
    json_decref(here);
    json_decref(there);
    return 0;
}

static void assert_near(double got, double expected)
{
    if (!(fabs(got - expected) < 1e-9))
        fail_msg("%.12f and not %.12f", got, expected);
}

static struct gl_relocate_ask ask_of(double disk_gb)
{
    return (struct gl_relocate_ask){.cloud = "aws",
                                    .plan = plan,
                                    .here = here,
                                    .there = there,
                                    .here_zones = {"XX"},
                                    .there_zones = {"YY", ""},
                                    .disk_gb = disk_gb,
                                    .price_u_usd_per_h = 100000,
                                    .now = {NOW},
                                    .until = {NOW + 10 * 3600}};
}

static struct gl_relocate_estimate estimate(const struct gl_relocate_ask *ask)
{
    struct gl_relocate_estimate got;

    if (gl_relocate_estimate(ask, &got, &err) != 0)
        fail_msg("%s", err.text);
    return got;
}

/* 10 GB: 80 s a way at 1 Gbit/s, 0.005 kWh/GB * 10 / 2 = 0.025 kWh at each end. */
static void test_by_hand(void **state)
{
    const struct gl_relocate_ask ask = ask_of(10);
    const struct gl_relocate_estimate got = estimate(&ask);

    (void)state;
    assert_int_equal(got.still_s, 2 * 80 + 900);
    assert_near(got.copy_kwh, 0.025);
    assert_true(got.has_grams);
    assert_near(got.here_g_per_kwh, 400);
    assert_near(got.there_g_per_kwh, 50);
    assert_near(got.cost_g, 0.025 * 450 + got.lost_kwh * 50);
    assert_int_equal(got.egress_u_usd, 1380000);
    assert_non_null(strstr(got.egress_from, "AWS Price List"));
    assert_int_equal(got.overlap_u_usd, (int64_t)(1060.0 / 3600 * 100000 + 0.5));
    assert_true(got.gain_g > 0);
    assert_true(got.is_worth_it);
}

static void test_does_not_pay(void **state)
{
    struct gl_relocate_ask ask = ask_of(10);

    (void)state;
    ask.until.unix_s = NOW + 1200; /* hardly any time left */
    assert_false(estimate(&ask).is_worth_it);
    ask = ask_of(2000); /* a large disk */
    assert_false(estimate(&ask).is_worth_it);
    ask = ask_of(10);
    ask.here = there; /* the same grid, and a dirtier one */
    ask.here_zones[0] = "YY";
    assert_false(estimate(&ask).is_worth_it);
    ask.there = here;
    ask.there_zones[0] = "XX";
    assert_true(estimate(&ask).gain_g < 0);
    assert_false(estimate(&ask).is_worth_it);
    ask = ask_of(10);
    ask.lost_work_s = 200 * 3600;
    assert_false(estimate(&ask).is_worth_it);
}

static void test_unknown_is_never_zero(void **state)
{
    struct gl_relocate_ask ask = ask_of(10);
    struct gl_relocate_estimate got;

    (void)state;
    ask.there = NULL;
    ask.cloud = "hetzner";
    ask.price_u_usd_per_h = GL_UNKNOWN;
    got = estimate(&ask);
    assert_false(got.has_grams);
    assert_false(got.is_worth_it);
    assert_int_equal(got.egress_u_usd, GL_UNKNOWN);
    assert_int_equal(got.overlap_u_usd, GL_UNKNOWN);
    ask = ask_of(10);
    ask.until.unix_s = NOW + 40 * 3600; /* beyond what is known */
    assert_false(estimate(&ask).has_grams);
    ask = ask_of(0);
    assert_int_equal(gl_relocate_estimate(&ask, &got, &err), -1);
    assert_int_equal(err.code, GL_E_BAD_VALUE);
}

/* Nothing is copied; for a quarter of an hour both run. */
static void test_anew(void **state)
{
    struct gl_relocate_ask ask = ask_of(0);
    struct gl_relocate_estimate got;
    double kw = gl_relocate_kw(plan, 0.5, 1000), load = kw * 0.25 * 400;

    (void)state;
    ask.is_anew = true;
    got = estimate(&ask);
    assert_int_equal(got.still_s, 900);
    assert_near(got.copy_kwh, 0);
    assert_int_equal(got.egress_u_usd, 0);
    assert_int_equal(got.overlap_u_usd, 25000);
    assert_true(got.cost_g > got.lost_kwh * 50);
    assert_true(got.cost_g - got.lost_kwh * 50 > load * 0.5);
    ask = ask_of(10);
    ask.is_anew = true;
    assert_int_equal(gl_relocate_estimate(&ask, &got, &err), -1);
}

/* Two candidates: there the worse one counts, here the better one, and both must be known. */
static void test_disputed_zone(void **state)
{
    struct gl_relocate_ask ask = ask_of(10);

    (void)state;
    ask.there_zones[1] = "ZZ";
    assert_false(estimate(&ask).has_grams);
    assert_false(estimate(&ask).is_worth_it);
    json_array_append_new(there, fake_series_json("ZZ", NOW, NOW + 10 * 3600, 300000000));
    assert_near(estimate(&ask).there_g_per_kwh, 300);
    ask = ask_of(10);
    ask.here_zones[1] = "WW";
    assert_false(estimate(&ask).has_grams);
    assert_false(estimate(&ask).is_worth_it);
    json_array_append_new(here, fake_series_json("WW", NOW, NOW + 10 * 3600, 60000000));
    assert_near(estimate(&ask).here_g_per_kwh, 60);
    json_array_append_new(here, fake_series_json("VV", NOW, NOW + 10 * 3600, 10000000));
    assert_near(estimate(&ask).here_g_per_kwh, 60); /* no candidate */
    ask.here_zones[0] = NULL;                       /* nobody knows where it stands */
    assert_false(estimate(&ask).has_grams);
}

static void test_plan(void **state)
{
    static const char *const zones[] = {"YY"};
    const struct gl_relocate_place place = {"aws", "eu-north-1", zones, 1, there};
    json_t *made = gl_relocate_plan(plan, &place, (struct gl_instant){NOW + 3600},
                                    (struct gl_instant){NOW + 7200}, &err);
    json_t *guarantee = json_object_get(made, "guarantee");

    (void)state;
    assert_non_null(made);
    assert_true(json_equal(json_object_get(made, "series"), there));
    assert_true(json_equal(json_object_get(guarantee, "rules"),
                           json_object_get(json_object_get(plan, "guarantee"), "rules")));
    assert_int_equal(json_integer_value(json_object_get(guarantee, "from_s")), NOW + 3600);
    assert_int_equal(json_integer_value(json_object_get(guarantee, "until_s")), NOW + 7200);
    assert_true(json_is_null(json_object_get(guarantee, "probability_ppm")));
    assert_string_equal(
        json_string_value(json_object_get(json_object_get(made, "offer"), "region")), "eu-north-1");
    assert_int_equal(
        json_integer_value(json_object_get(json_object_get(made, "request"), "duration_s")), 3600);
    /* the old one is as it was */
    assert_int_equal(json_integer_value(json_object_get(plan, "pue_milli")), 1200);
    json_decref(made);
    assert_null(gl_relocate_plan(there, &place, (struct gl_instant){NOW},
                                 (struct gl_instant){NOW + 1}, &err));
    assert_int_equal(err.code, GL_E_NOT_VERIFIED);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_by_hand), CASE(test_does_not_pay),  CASE(test_unknown_is_never_zero),
        CASE(test_anew),    CASE(test_disputed_zone), CASE(test_plan),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
