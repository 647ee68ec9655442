/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "broker/keeping.h"
#include "tests/unit/broker/account_bench.h"

/* A minute of silence with another share series and other rules (NULL = the usual ones). */
static json_t *promised(json_t *shares, json_t *limits)
{
    json_t *evidence = fake_evidence(NULL, LAUNCH, START, START + 60000);
    json_t *guarantee = json_object_get(evidence, "guarantee");

    if (shares != NULL)
        json_array_set_new(json_object_get(evidence, "series"), 1, shares);
    if (limits != NULL)
        json_object_set_new(json_array_get(json_object_get(guarantee, "rules"), 0), "limits",
                            limits);
    return evidence;
}

static void assert_guarantee(json_t *evidence, const char *state, const char *why)
{
    json_t *derived = derive(evidence);
    const json_t *found = member(derived, "guarantee");

    if (strcmp(word(found, "state"), state) != 0 || strcmp(word(found, "why"), why) != 0)
        fail_msg("%s (%s), not %s (%s)", word(found, "state"), word(found, "why"), state, why);
    json_decref(derived);
}

static json_t *limit(const char *key, const char *text)
{
    return json_pack("[{s:s,s:s}]", "key", key, "limit", text);
}

static void a_guarantee_is_kept_when_time_evidence_and_rule_hold(void **state)
{
    json_t *derived = derive(promised(NULL, NULL));
    const json_t *guarantee = member(derived, "guarantee");

    (void)state;
    assert_string_equal(word(guarantee, "state"), "kept");
    assert_string_equal(word(guarantee, "why"), "");
    assert_true(json_is_null(member(guarantee, "first")));
    assert_int_equal(number(guarantee, "promised_until_s"), START / 1000 + 120);
    assert_int_equal(number(guarantee, "run_until_s"), START / 1000 + 60);
    json_decref(derived);
    assert_guarantee(promised(NULL, limit("max_intensity", "200 gCO2e/kWh")), "unknown",
                     "evidence"); /* the measured series states no bound */
    assert_guarantee(promised(NULL, limit("min_renewable", "98%")), "kept", "");
}

static void a_violated_limit_breaches_and_names_the_first_interval(void **state)
{
    json_t *evidence = fake_evidence(NULL, LAUNCH, START, START + 4 * HOUR);
    json_t *points, *derived;
    const json_t *first;

    (void)state;
    points = json_object_get(json_array_get(json_object_get(evidence, "series"), 1), "points");
    for (size_t i = 2; i < 4; i++)
        for (size_t v = 2; v < 5; v++)
            json_array_set_new(json_array_get(points, i), v, json_integer(940000));
    json_array_set_new(json_array_get(points, 1), 3, json_null()); /* an unknown hour before it */
    derived = derive(evidence);
    assert_string_equal(word(member(derived, "guarantee"), "state"), "breached");
    assert_string_equal(word(member(derived, "guarantee"), "why"), "limit");
    first = member(member(derived, "guarantee"), "first");
    assert_int_equal(number(first, "from_s"), (START + 2 * HOUR) / 1000);
    assert_int_equal(number(first, "until_s"), (START + 3 * HOUR) / 1000);
    assert_string_equal(word(first, "rule"), "renewable-only");
    assert_string_equal(word(first, "key"), "min_renewable");
    assert_string_equal(word(first, "limit"), "95%");
    assert_int_equal(number(first, "found_u"), 940000);
    json_decref(derived);
}

static void unknown_evidence_is_neither_kept_nor_breached(void **state)
{
    json_t *shares = fake_shares_json("XX", START / 1000, START / 1000 + 3600, 980000);
    json_t *evidence, *derived;

    (void)state;
    json_array_clear(json_object_get(shares, "points"));
    assert_guarantee(promised(shares, NULL), "unknown", "evidence");
    assert_guarantee(
        promised(fake_shares_json("YY", START / 1000, START / 1000 + 3600, 980000), NULL),
        "unknown", "evidence");
    shares = fake_shares_json("XX", START / 1000, START / 1000 + 3600, 980000);
    json_object_set_new(shares, "accounting", json_string("market"));
    assert_guarantee(promised(shares, NULL), "unknown", "evidence");
    shares = fake_shares_json("XX", START / 1000, START / 1000 + 3600, 980000);
    json_object_set_new(shares, "issued_s", json_integer(START / 1000 - 27 * 3600)); /* stale */
    assert_guarantee(promised(shares, NULL), "unknown", "evidence");
    /* Of several unknown hours the first is named; a later one that holds mends nothing. */
    evidence = fake_evidence(NULL, LAUNCH, START, START + 3 * HOUR);
    json_array_remove(
        json_object_get(json_array_get(json_object_get(evidence, "series"), 1), "points"), 1);
    derived = derive(evidence);
    assert_int_equal(number(member(member(derived, "guarantee"), "first"), "from_s"),
                     (START + HOUR) / 1000);
    assert_true(json_is_null(member(member(member(derived, "guarantee"), "first"), "found_u")));
    json_decref(derived);
}

/* A source that the rules saw behind the reported one. */
static void further_sources_of_the_rules_count(void **state)
{
    json_t *market = fake_shares_json("XX", START / 1000, START / 1000 + 3600, 980000);
    json_t *evidence;

    (void)state;
    json_object_set_new(market, "accounting", json_string("market"));
    evidence = promised(market, NULL);
    json_object_set_new(
        json_object_get(evidence, "guarantee"), "series",
        json_pack("[o]", fake_shares_json("XX", START / 1000, START / 1000 + 3600, 970000)));
    assert_guarantee(evidence, "kept", "");
}

static void outside_the_promised_time_nothing_was_promised(void **state)
{
    json_t *evidence = promised(NULL, NULL);

    (void)state;
    json_object_set_new(json_object_get(evidence, "guarantee"), "until_s",
                        json_integer(START / 1000 + 60));
    assert_guarantee(json_deep_copy(evidence), "kept", "");
    /* An orderly end takes its time. */
    json_object_set_new(json_object_get(evidence, "guarantee"), "until_s",
                        json_integer(START / 1000 + 50));
    assert_guarantee(json_deep_copy(evidence), "kept", "");
    json_object_set_new(json_object_get(evidence, "guarantee"), "until_s",
                        json_integer(START / 1000 + 49));
    assert_guarantee(json_deep_copy(evidence), "unknown", "time");
    json_object_set_new(evidence, "method_version", json_integer(2));
    json_object_set_new(json_object_get(evidence, "guarantee"), "until_s",
                        json_integer(START / 1000 + 59));
    assert_guarantee(json_deep_copy(evidence), "unknown", "time");
    json_object_set_new(evidence, "method_version", json_integer(3));
    json_object_set_new(json_object_get(evidence, "guarantee"), "from_s",
                        json_integer(START / 1000 + 1));
    json_object_set_new(json_object_get(evidence, "guarantee"), "until_s",
                        json_integer(START / 1000 + 60));
    assert_guarantee(json_deep_copy(evidence), "unknown", "time");
    json_object_del(json_object_get(evidence, "guarantee"), "rules");
    assert_guarantee(evidence, "unknown", "no rule");
    /* After it a violated limit breaches nothing. */
    evidence = fake_evidence(NULL, LAUNCH, START, START + 2 * HOUR);
    json_object_set_new(json_object_get(evidence, "guarantee"), "until_s",
                        json_integer((START + HOUR) / 1000));
    json_array_set_new(
        json_array_get(
            json_object_get(json_array_get(json_object_get(evidence, "series"), 1), "points"), 1),
        3, json_integer(1));
    assert_guarantee(evidence, "unknown", "time");
}

static void a_disputed_promise_must_hold_in_both_zones(void **state)
{
    for (int64_t other = 940000; other <= 960000; other += 20000) {
        json_t *evidence = promised(NULL, NULL);

        (void)state;
        json_object_set_new(json_object_get(evidence, "offer"), "mapping", json_string("disputed"));
        json_array_append_new(json_object_get(json_object_get(evidence, "offer"), "zones"),
                              json_string("YY"));
        json_array_append_new(json_object_get(evidence, "series"),
                              fake_shares_json("YY", START / 1000, START / 1000 + 3600, other));
        assert_guarantee(evidence, other < 950000 ? "breached" : "kept",
                         other < 950000 ? "limit" : "");
    }
}

static void receipts_of_the_first_method_look_at_time_and_evidence_alone(void **state)
{
    json_t *evidence = promised(NULL, NULL), *derived;
    json_t *guarantee = json_object_get(evidence, "guarantee");

    (void)state;
    fake_method_1(evidence);
    json_object_set_new(guarantee, "until_s", json_integer(START / 1000 + 60));
    derived = derive(json_deep_copy(evidence));
    assert_string_equal(word(member(derived, "guarantee"), "state"), "kept");
    assert_null(json_object_get(member(derived, "guarantee"), "why"));
    assert_int_equal(json_array_size(member(derived, "plausibility")), 11);
    json_decref(derived);
    json_object_set_new(guarantee, "until_s", json_integer(START / 1000 + 59));
    derived = derive(json_deep_copy(evidence));
    assert_string_equal(word(member(derived, "guarantee"), "state"), "outlived");
    json_decref(derived);
    json_object_set_new(evidence, "guarantee", json_null());
    derived = derive(evidence);
    assert_true(json_is_null(member(derived, "guarantee")));
    json_decref(derived);
}

/* ---- a place that it may be moved to ---- */

static void assert_place(const json_t *plan, int64_t ppm, enum gl_outcome expected,
                         const char *reason)
{
    json_t *json = fake_shares_json("YY", START / 1000, START / 1000 + 7200, ppm);
    GL_AUTO(gl_str_done) struct gl_str said = {0};
    struct gl_error err = {0};
    struct gl_series series;
    const struct gl_series *list[] = {&series};
    struct gl_zone_facts zone = {.zone = "YY", .series = list, .count = ppm >= 0};
    enum gl_outcome outcome;

    assert_int_equal(gl_evidence_parse(json, &series, &err), 0);
    if (gl_keeping_place(plan, &zone, (struct gl_instant){START / 1000 + 60},
                         (struct gl_instant){START / 1000 + 7200}, &outcome, &said, &err) != 0)
        fail_msg("%s", err.text);
    assert_int_equal(outcome, expected);
    if (strstr(gl_str_text(&said), reason) == NULL)
        fail_msg("%s", gl_str_text(&said));
    free(series.points);
    json_decref(json);
}

static void a_place_is_asked_for_the_rest_of_the_lease(void **state)
{
    json_t *plan = fake_plan(START / 1000, START / 1000 + 7200);
    struct gl_str said = {0};
    struct gl_error err = {0};
    struct gl_zone_facts nowhere = {.count = 0};
    enum gl_outcome outcome;

    (void)state;
    assert_place(plan, 960000, GL_SATISFIED, "");
    assert_place(plan, 940000, GL_VIOLATED, "95 %");
    assert_place(plan, -1, GL_OUTCOME_UNKNOWN, "");
    json_object_set_new(plan, "guarantee", json_null()); /* nothing was promised */
    assert_place(plan, 940000, GL_SATISFIED, "");
    json_object_set_new(plan, "guarantee", json_pack("{s:[{s:s}]}", "rules", "id", "none"));
    assert_int_equal(gl_keeping_place(plan, &nowhere, (struct gl_instant){1},
                                      (struct gl_instant){2}, &outcome, &said, &err),
                     -1);
    assert_int_equal(err.code, GL_E_NOT_VERIFIED);
    json_decref(plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_guarantee_is_kept_when_time_evidence_and_rule_hold),
        cmocka_unit_test(a_violated_limit_breaches_and_names_the_first_interval),
        cmocka_unit_test(unknown_evidence_is_neither_kept_nor_breached),
        cmocka_unit_test(further_sources_of_the_rules_count),
        cmocka_unit_test(outside_the_promised_time_nothing_was_promised),
        cmocka_unit_test(a_disputed_promise_must_hold_in_both_zones),
        cmocka_unit_test(a_place_is_asked_for_the_rest_of_the_lease),
        cmocka_unit_test(receipts_of_the_first_method_look_at_time_and_evidence_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
