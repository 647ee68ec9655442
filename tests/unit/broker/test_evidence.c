/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/evidence.h"

#include "tests/support/make_evidence.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

/* Unit tests link archives only. */
#include "tests/support/make_batches.c"
#include "tests/support/make_evidence.c"

#define T0 INT64_C(1767225600) /* an hour */

static struct gl_point point(int64_t from, int64_t until, int64_t value, int64_t low, int64_t high)
{
    return (struct gl_point){.from_s = T0 + from,
                             .until_s = T0 + until,
                             .value_u = value,
                             .low_u = low,
                             .high_u = high,
                             .updated_s = GL_UNKNOWN,
                             .evidence = GL_MEASURED};
}

static struct gl_series series_of(struct gl_point *points, size_t count)
{
    struct gl_series series = fake_series("XX", T0, T0, 1, GL_MEASURED);

    free(series.points);
    series.points = points;
    series.count = count;
    return series;
}

static void a_series_comes_back_as_it_was(void **state)
{
    struct gl_point points[] = {point(0, 3600, 41000000, 33000000, 49000000),
                                point(3600, 7200, 42000000, GL_UNKNOWN, GL_UNKNOWN),
                                point(7200, 9000, GL_UNKNOWN, GL_UNKNOWN, GL_UNKNOWN)};
    struct gl_series series = series_of(points, 3), back;
    struct gl_error err = {0};
    json_t *json;

    (void)state;
    points[1].evidence = GL_FORECAST;
    points[1].updated_s = T0 - 7;
    series.meaning = (struct gl_meaning){GL_RENEWABLE_SHARE,
                                         GL_LONG_RUN_MARGINAL,
                                         GL_BOUNDARY_NA,
                                         GL_GASES_NA,
                                         GL_SHARE_OF_LOAD,
                                         GL_MARKET,
                                         GL_MATCH_MONTHLY,
                                         GL_OF_SOLAR | GL_OF_STORAGE,
                                         "NESO"};
    series.issued_s = T0 - 5;
    series.retrieved_s = T0 - 4;
    series.bound_method = GL_BOUND_PROVIDER;
    for (size_t i = 0; i < sizeof series.body_sha256; i++)
        series.body_sha256[i] = (uint8_t)(17 * i);
    json = gl_evidence_json(&series, T0, T0 + 9000);
    assert_int_equal(gl_evidence_parse(json, &back, &err), 0);
    assert_memory_equal(&back.meaning, &series.meaning, sizeof back.meaning);
    assert_string_equal(back.zone, "XX");
    assert_string_equal(back.provider, "file");
    assert_string_equal(back.dataset, "invented");
    assert_string_equal(back.licence, "none");
    assert_string_equal(back.attribution, "a test");
    assert_int_equal(back.issued_s, series.issued_s);
    assert_int_equal(back.retrieved_s, series.retrieved_s);
    assert_int_equal(back.bound_method, series.bound_method);
    assert_memory_equal(back.body_sha256, series.body_sha256, sizeof back.body_sha256);
    assert_int_equal(back.count, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_true(back.points[i].from_s == points[i].from_s);
        assert_true(back.points[i].until_s == points[i].until_s);
        assert_true(back.points[i].value_u == points[i].value_u);
        assert_true(back.points[i].low_u == points[i].low_u);
        assert_true(back.points[i].high_u == points[i].high_u);
        assert_true(back.points[i].updated_s == points[i].updated_s);
        assert_int_equal(back.points[i].evidence, points[i].evidence);
    }
    free(back.points);
    json_decref(json);
}

static void only_the_points_of_the_time_are_kept(void **state)
{
    struct gl_series series = fake_series("XX", T0, T0 + 5 * 3600, 1, GL_MEASURED);
    json_t *json = gl_evidence_json(&series, T0 + 3600, T0 + 7201);

    (void)state;
    assert_int_equal(json_array_size(json_object_get(json, "points")), 2);
    json_decref(json);
    json = gl_evidence_json(&series, T0 - 3600, T0);
    assert_int_equal(json_array_size(json_object_get(json, "points")), 0);
    json_decref(json);
    free(series.points);
}

static void assert_refused(const json_t *json)
{
    struct gl_error err = {0};
    struct gl_series out = {.count = 77};

    assert_int_equal(gl_evidence_parse(json, &out, &err), -1);
    assert_int_not_equal(err.code, GL_OK);
    assert_int_equal(out.count, 77);
}

/* Each member in turn: taken out, then an unknown word or another type. */
static void every_member_is_needed_and_checked(void **state)
{
    json_t *whole = fake_series_json("XX", T0, T0 + 3600, 1);
    const char *key;
    json_t *value;

    (void)state;
    json_object_foreach(whole, key, value)
    {
        json_t *changed = json_deep_copy(whole);
        bool may_be_unknown = strcmp(key, "issued_s") == 0;

        json_object_del(changed, key);
        if (!may_be_unknown)
            assert_refused(changed);
        json_object_set_new(changed, key, json_true());
        if (!may_be_unknown)
            assert_refused(changed);
        json_object_set_new(changed, key, json_string("wolkenkuckucksheim"));
        if (json_is_string(value) && strchr("zpdlaf", key[0]) == NULL)
            assert_refused(changed); /* no free text */
        json_decref(changed);
    }
    json_decref(whole);
}

static void a_malformed_point_is_refused(void **state)
{
    static const char *const points[] = {
        "[1,2,3,4,5]",
        "[1,2,3,4,5,\"measured\",7,8]",
        "[1,2,3,4,5,7,\"measured\"]",
        "[1,2,3,4,5,\"weighed\"]",
        "[2,2,3,4,5,\"measured\"]",
        "[3,2,3,4,5,\"measured\"]",
        "[null,2,3,4,5,\"measured\"]",
        "[-5,2,3,4,5,\"measured\"]",
        "[1,null,3,4,5,\"measured\"]",
        "[1,2.5,3,4,5,\"measured\"]",
        "{\"from\":1}",
        "7",
    };

    (void)state;
    for (size_t i = 0; i < sizeof points / sizeof points[0]; i++) {
        struct gl_error err = {0};
        json_t *json = fake_series_json("XX", T0, T0 + 3600, 1);

        json_array_append_new(json_object_get(json, "points"),
                              gl_json_parse(points[i], strlen(points[i]), "point", &err));
        assert_int_equal(json_array_size(json_object_get(json, "points")), 2);
        assert_refused(json);
        json_decref(json);
    }
}

/* Receipts of the first method: six numbers a point. */
static void a_point_without_its_update_is_read(void **state)
{
    json_t *json = fake_series_json("XX", T0, T0 + 3600, 1);
    struct gl_series back;
    struct gl_error err = {0};

    (void)state;
    json_array_remove(json_array_get(json_object_get(json, "points"), 0), 6);
    assert_int_equal(gl_evidence_parse(json, &back, &err), 0);
    assert_true(back.points[0].updated_s == GL_UNKNOWN);
    free(back.points);
    json_decref(json);
}

static void the_first_average_of_a_zone_makes_carbon(void **state)
{
    static const bool expected[] = {false, false, true, false, true};
    struct gl_evidence_list list;
    struct gl_error err = {0};
    json_t *series = json_pack(
        "[o,o,o,o,o]", fake_shares_json("XX", T0, T0 + 3600, 1),
        fake_series_json("XX", T0, T0 + 3600, 2), fake_series_json("XX", T0, T0 + 3600, 3),
        fake_series_json("XX", T0, T0 + 3600, 4), fake_series_json("YY", T0, T0 + 3600, 5));

    (void)state;
    json_object_set_new(json_array_get(series, 1), "accounting", json_string("market"));
    json_array_set_new(json_array_get(json_object_get(json_array_get(series, 4), "points"), 0), 5,
                       json_string("forecast"));
    assert_int_equal(gl_evidence_list_parse(series, &list, &err), 0);
    assert_int_equal(list.count, 5);
    assert_memory_equal(list.is_counted, expected, sizeof expected);
    assert_int_equal(gl_evidence_list_grade(&list), 'C');
    gl_evidence_list_done(&list);
    json_object_del(json_array_get(series, 4), "zone");
    assert_int_equal(gl_evidence_list_parse(series, &list, &err), -1);
    assert_non_null(strstr(err.text, "evidence.series[4]"));
    json_decref(series);
}

static void too_many_points_are_refused(void **state)
{
    json_t *json = fake_series_json("XX", T0, T0 + 3600, 1);
    json_t *points = json_object_get(json, "points");

    (void)state;
    for (size_t i = 0; i < 20000; i++)
        json_array_append(points, json_array_get(points, 0));
    assert_refused(json);
    json_decref(json);
}

static void the_mean_is_weighted_by_time(void **state)
{
    struct gl_point points[] = {point(0, 3600, 100, 90, 130), point(3600, 7200, 400, 380, 900)};
    const struct gl_series series = series_of(points, 2);
    int64_t out[3];

    (void)state;
    assert_int_equal(gl_evidence_over(&series, T0, T0 + 7200, GL_UNBOUNDED_EXACT, out), 0);
    assert_true(out[0] == 90 && out[1] == 250 && out[2] == 900);
    assert_int_equal(gl_evidence_over(&series, T0 + 2700, T0 + 6300, GL_UNBOUNDED_EXACT, out),
                     0); /* 900 s, 2700 s */
    assert_true(out[0] == 90 && out[1] == 325 && out[2] == 900);
    assert_int_equal(gl_evidence_over(&series, T0 + 3600, T0 + 3601, GL_UNBOUNDED_EXACT, out), 0);
    assert_true(out[0] == 380 && out[1] == 400 && out[2] == 900);
    assert_int_equal(gl_evidence_over(&series, T0 + 3599, T0 + 3600, GL_UNBOUNDED_EXACT, out), 0);
    assert_true(out[0] == 90 && out[1] == 100 && out[2] == 130);
}

static void assert_unknown(const struct gl_series *series, int64_t from, int64_t until)
{
    int64_t out[3] = {7, 7, 7};

    assert_int_equal(gl_evidence_over(series, T0 + from, T0 + until, GL_UNBOUNDED_EXACT, out), -1);
    assert_true(out[0] == 7 && out[1] == 7 && out[2] == 7);
}

static void what_is_not_covered_is_unknown(void **state)
{
    struct gl_point points[] = {point(0, 3600, 100, GL_UNKNOWN, GL_UNKNOWN),
                                point(3660, 7200, 400, GL_UNKNOWN, GL_UNKNOWN)};
    const struct gl_series series = series_of(points, 2), none = series_of(NULL, 0);

    (void)state;
    assert_unknown(&series, -1, 60);
    assert_unknown(&series, 3000, 4000); /* over the gap */
    assert_unknown(&series, 3600, 3601); /* in it */
    assert_unknown(&series, 7000, 7201);
    assert_unknown(&series, 8000, 8001);
    assert_unknown(&series, 60, 60);
    assert_unknown(&series, 61, 60);
    assert_unknown(&none, 0, 1);
    points[1].from_s = T0 + 3600;
    points[1].value_u = GL_UNKNOWN;
    assert_unknown(&series, 3000, 4000);
}

/* A point that contradicts itself says nothing; the footprint would refuse it later and the launch
 * could not be closed. */
static void contradictory_points_are_unknown(void **state)
{
    static const int64_t bands[][3] = {
        {100, 110, 120}, /* value, low, high: low above the value */
        {100, 90, 95},   /* high below it */
        {100, -1, 120},  {-100, GL_UNKNOWN, GL_UNKNOWN}, {100, GL_UNKNOWN, 50},
    };

    (void)state;
    for (size_t i = 0; i < sizeof bands / sizeof bands[0]; i++) {
        struct gl_point points[] = {point(0, 3600, bands[i][0], bands[i][1], bands[i][2])};
        const struct gl_series series = series_of(points, 1);

        assert_unknown(&series, 0, 60);
    }
}

static void a_yearly_average_gets_the_spread_of_hours(void **state)
{
    struct gl_point points[] = {point(0, 31536000, 100000001, GL_UNKNOWN, GL_UNKNOWN)};
    const struct gl_series series = series_of(points, 1);
    int64_t out[3];

    (void)state;
    points[0].evidence = GL_ANNUAL_AVERAGE;
    assert_int_equal(gl_evidence_over(&series, T0, T0 + 60, GL_UNBOUNDED_EXACT, out), 0);
    assert_true(out[0] == 53000000 && out[1] == 100000001 && out[2] == 145000001);
    points[0].low_u = 99000000; /* stated bounds stay */
    points[0].high_u = 101000000;
    assert_int_equal(gl_evidence_over(&series, T0, T0 + 60, GL_UNBOUNDED_EXACT, out), 0);
    assert_true(out[0] == 99000000 && out[2] == 101000000);
    points[0].evidence = GL_MEASURED;
    points[0].low_u = points[0].high_u = GL_UNKNOWN;
    assert_int_equal(gl_evidence_over(&series, T0, T0 + 60, GL_UNBOUNDED_EXACT, out), 0);
    assert_true(out[0] == 100000001 && out[2] == 100000001);
}

/* Since method 4: what is known of revisions for observed hours, the spread of hours for the rest.
 */
static void hours_without_bounds_get_wide_ones(void **state)
{
    static const struct {
        enum gl_evidence evidence;
        int64_t low, high;
    } rows[] = {
        {GL_MEASURED, 88600000, 111400000},         {GL_PRELIMINARY, 88600000, 111400000},
        {GL_ESTIMATED, 88600000, 111400000},        {GL_FORECAST, 53000000, 145000000},
        {GL_HISTORIC_AVERAGE, 53000000, 145000000}, {GL_ANNUAL_AVERAGE, 53000000, 145000000},
        {GL_SUBSTITUTE, 53000000, 145000000},       {GL_PROVIDER_CLAIM, 53000000, 145000000},
    };
    struct gl_point points[] = {point(0, 3600, 100000000, GL_UNKNOWN, GL_UNKNOWN)};
    const struct gl_series series = series_of(points, 1);
    int64_t out[3];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        points[0].evidence = rows[i].evidence;
        points[0].low_u = points[0].high_u = GL_UNKNOWN;
        assert_int_equal(gl_evidence_over(&series, T0, T0 + 60, GL_UNBOUNDED_WIDENED, out), 0);
        assert_true(out[0] == rows[i].low && out[1] == 100000000 && out[2] == rows[i].high);
        points[0].low_u = 99000000; /* each stated bound stays */
        assert_int_equal(gl_evidence_over(&series, T0, T0 + 60, GL_UNBOUNDED_WIDENED, out), 0);
        assert_true(out[0] == 99000000 && out[2] == rows[i].high);
    }
}

/* ---- what of a zone is reported ---- */

static const char *reported_dataset(const struct gl_series *const *series, size_t count)
{
    const struct gl_zone_facts zone = {.zone = "XX", .count = count, .series = series};
    const struct gl_zone_facts *zones[] = {&zone};
    static char dataset[64];
    json_t *list =
        gl_evidence_figures(zones, 1, (struct gl_instant){T0}, (struct gl_instant){T0 + 3600});
    const char *text = json_string_value(json_object_get(json_array_get(list, 0), "dataset"));

    snprintf(dataset, sizeof dataset, "%s", text != NULL ? text : "");
    json_decref(list);
    return dataset;
}

static struct gl_series known_as(const char *dataset, struct gl_point *points)
{
    struct gl_series series = series_of(points, 1);

    snprintf(series.dataset, sizeof series.dataset, "%s", dataset);
    series.meaning = (struct gl_meaning){.quantity = GL_INTENSITY, .boundary = GL_LIFECYCLE};
    series.issued_s = series.retrieved_s = T0 - 600;
    return series;
}

static void an_hour_without_bounds_is_reported_before_a_year(void **state)
{
    struct gl_point year[] = {point(-86400, 3600 * 24 * 700, 20000000, GL_UNKNOWN, GL_UNKNOWN)},
                    hours[] = {point(0, 3600, 90000000, GL_UNKNOWN, GL_UNKNOWN)};
    struct gl_series yearly, hourly;
    const struct gl_series *both[] = {&hourly, &yearly};

    (void)state;
    year[0].evidence = GL_ANNUAL_AVERAGE;
    hours[0].evidence = GL_FORECAST;
    yearly = known_as("year", year);
    hourly = known_as("hour", hours);
    assert_string_equal(reported_dataset(both, 2), "hour");
    assert_string_equal(reported_dataset(both + 1, 1), "year");
    hours[0].until_s -= 60; /* not all of it is known: then the year is */
    assert_string_equal(reported_dataset(both, 2), "year");
    hours[0].until_s += 60;
    hourly.issued_s = hourly.retrieved_s = T0 - 2 * 86400; /* stale */
    assert_string_equal(reported_dataset(both, 2), "year");
}

/* A receipt from a stranger may hold any integer. */
static void the_largest_integers_do_not_overflow(void **state)
{
    struct gl_point points[] = {point(0, 3600, INT64_MAX, 0, INT64_MAX),
                                point(3600, 31536000, INT64_MAX, GL_UNKNOWN, GL_UNKNOWN)};
    const struct gl_series series = series_of(points, 2);
    int64_t out[3];

    (void)state;
    points[1].evidence = GL_ANNUAL_AVERAGE;
    assert_int_equal(gl_evidence_over(&series, T0, T0 + 31536000, GL_UNBOUNDED_EXACT, out), 0);
    assert_true(out[0] == 0 && out[1] == INT64_MAX && out[2] == INT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_series_comes_back_as_it_was),
        cmocka_unit_test(only_the_points_of_the_time_are_kept),
        cmocka_unit_test(every_member_is_needed_and_checked),
        cmocka_unit_test(a_malformed_point_is_refused),
        cmocka_unit_test(a_point_without_its_update_is_read),
        cmocka_unit_test(the_first_average_of_a_zone_makes_carbon),
        cmocka_unit_test(too_many_points_are_refused),
        cmocka_unit_test(the_mean_is_weighted_by_time),
        cmocka_unit_test(what_is_not_covered_is_unknown),
        cmocka_unit_test(contradictory_points_are_unknown),
        cmocka_unit_test(a_yearly_average_gets_the_spread_of_hours),
        cmocka_unit_test(hours_without_bounds_get_wide_ones),
        cmocka_unit_test(an_hour_without_bounds_is_reported_before_a_year),
        cmocka_unit_test(the_largest_integers_do_not_overflow),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
