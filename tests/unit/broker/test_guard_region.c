/* SPDX-License-Identifier: Apache-2.0 */
/* Where the guard could take a rented machine, what that costs, and what it may cost. */
#include "broker/guard_part.h"
#include "providers/data/data.h"

#include "tests/support/make_batches.c"
#include "tests/support/make_evidence.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#define NOW    INT64_C(1767225600)
#define HOUR_S INT64_C(3600)

static char cloud[] = "aws", region[] = "eu-central-1", type[] = "m5.large";
static struct gl_launch_row row;
static struct gl_guard guard;
static struct gl_guard_look look;
static struct gl_watch watch;
static struct gl_outlook here, there;

static int set_up(void **state)
{
    (void)state;
    row = (struct gl_launch_row){.launch = cloud,
                                 .cloud = cloud,
                                 .region = region,
                                 .type = type,
                                 .started_ms = (NOW - 600) * 1000,
                                 .expires_ms = (NOW + 10 * HOUR_S) * 1000};
    guard = (struct gl_guard){.margin = -1};
    look = (struct gl_guard_look){.guard = &guard, .now = {NOW}};
    here = there = (struct gl_outlook){.kind = GL_PROMISED, .known_h = GL_OUTLOOK_H};
    for (size_t i = 0; i < GL_OUTLOOK_H; i++) {
        here.g_per_kwh[i] = 400;
        there.g_per_kwh[i] = 50;
    }
    watch = (struct gl_watch){.look = &look,
                              .row = &row,
                              .plan = fake_plan(NOW, NOW + 10 * HOUR_S),
                              .here = &here,
                              .place_count = 1,
                              .places = {{.name = "eu-north-1", .zone = "SE-SE3"}},
                              .there = {&there}};
    return json_object_set_new(json_object_get(watch.plan, "offer"), "region", json_string(region));
}

static int tear_down(void **state)
{
    (void)state;
    gl_watch_done(&watch);
    return 0;
}

static void test_regions(void **state)
{
    struct gl_cloud_place places[GL_GUARD_PLACES_MAX];
    size_t count = gl_guard_regions(&row, places, GL_GUARD_PLACES_MAX);

    (void)state;
    assert_true(count >= 10);
    for (size_t i = 0; i < count; i++) {
        const struct gl_region_row *known = gl_data_region("aws", places[i].name);

        assert_non_null(known);
        assert_string_not_equal(places[i].name, region);
        assert_string_not_equal(places[i].zone, "");
        assert_true(gl_data_price(gl_data_type("aws", type), known, NULL) >= 0);
    }
    assert_int_equal(gl_guard_regions(&row, places, 3), 3);
    row.type = region; /* no type of that name: no price anywhere */
    assert_int_equal(gl_guard_regions(&row, places, GL_GUARD_PLACES_MAX), 0);
}

static int64_t price_in(const char *name)
{
    return gl_data_price(gl_data_type("aws", type), gl_data_region("aws", name), NULL);
}

/* Copy at both ends, 10 GB at what the region takes, idle start and ten minutes of work there;
 * 1,060 s in which nothing runs. */
static void test_full_cost(void **state)
{
    struct gl_guard_place place = {.kind = GL_PROMISED, .promised_h = 10, .is_allowed = true};
    struct gl_guard_move move;
    double ratio;

    (void)state;
    gl_guard_region_cost(&watch, 0, 0.1, &place, &move);
    assert_true(fabs(move.seconds - 1060) < 1e-9);
    assert_true(move.grams > 0.025 * 450);
    assert_true(move.price_u_usd ==
                10 * gl_data_egress("aws", region)->u_usd_per_gb +
                    (int64_t)(1060.0 / 3600 * (double)price_in("eu-north-1") + 0.5));
    ratio = (double)gl_data_region("aws", "eu-north-1")->pue_milli / 1200;
    assert_true(place.has_saved_g && place.is_allowed);
    assert_true(fabs(place.saved_g - (400 * 0.1 - 50 * 0.1 * ratio) * (10 - 1060.0 / 3600)) < 1e-6);
    there.known_h = 3; /* nobody knows the rest */
    place.has_saved_g = false;
    gl_guard_region_cost(&watch, 0, 0.1, &place, &move);
    assert_false(place.has_saved_g);
}

static void test_money(void **state)
{
    struct gl_guard_place place = {.kind = GL_PROMISED, .promised_h = 10, .is_allowed = true};
    struct gl_guard_move move;

    (void)state;
    assert_int_equal(gl_guard_move_ceiling(&watch), price_in(region) * 10);
    row.expires_ms = NOW * 1000;
    assert_int_equal(gl_guard_move_ceiling(&watch), 0);
    guard.is_any_price = true;
    assert_int_equal(gl_guard_move_ceiling(&watch), GL_UNKNOWN);
    row.expires_ms = (NOW + 10 * HOUR_S) * 1000;
    watch.terms.max_price_u_usd = price_in("eu-north-1");
    gl_guard_region_cost(&watch, 0, 0.1, &place, &move);
    assert_true(place.is_allowed);
    watch.terms.max_price_u_usd--; /* dearer there than it was launched for */
    gl_guard_region_cost(&watch, 0, 0.1, &place, &move);
    assert_false(place.is_allowed);
    strcpy(cloud, "gcp"); /* nobody says what the way costs */
    watch.terms.max_price_u_usd = 0;
    gl_guard_region_cost(&watch, 0, 0.1, &place, &move);
    assert_int_equal(move.price_u_usd, GL_UNKNOWN);
    strcpy(cloud, "aws");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_regions),
        CASE(test_full_cost),
        CASE(test_money),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
