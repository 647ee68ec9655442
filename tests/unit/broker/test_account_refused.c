/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/account.h"

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

#define LAUNCH "gl-4k2p9xyz"
#define HOUR   INT64_C(3600000)
#define START  INT64_C(1767225600000)

static struct fake_meter meter;

static void three_readings(void)
{
    fake_meter_init(&meter, LAUNCH, 3, START);
    fake_meter_read_many(&meter, 3);
}

static void assert_refused(json_t *evidence, enum gl_errc code)
{
    struct gl_error err = {0};
    json_t *derived = NULL;

    if (gl_account(evidence, &derived, &err) == 0 || (code != GL_OK && err.code != code))
        fail_msg("code %d, not %d: %s", err.code, code, err.text);
    assert_null(derived);
    json_decref(evidence);
}

static json_t *changed(const char *object, const char *key, json_t *value)
{
    json_t *evidence = fake_evidence(&meter, LAUNCH, START, START + 3000);
    json_t *at = object != NULL ? json_object_get(evidence, object) : evidence;

    if (value != NULL)
        json_object_set_new(at, key, value);
    else
        json_object_del(at, key);
    return evidence;
}

static char *derived_text(void)
{
    struct gl_error err = {0};
    json_t *evidence = fake_evidence(&meter, LAUNCH, START, START + 90000);
    json_t *derived = NULL;
    char *text;

    assert_int_equal(gl_account(evidence, &derived, &err), 0);
    text = gl_json_canonical(derived, &err);
    assert_non_null(text);
    json_decref(derived);
    json_decref(evidence);
    return text;
}

/* Nor is anything else looked at: the same evidence gives the same bytes. */
static void evidence_alone_decides(void **state)
{
    char *first, *second;

    (void)state;
    three_readings();
    first = derived_text();
    second = derived_text();
    assert_string_equal(first, second);
    free(first);
    free(second);
}

static void missing_evidence_is_refused(void **state)
{
    static const char *const members[][2] = {
        {NULL, "launch"},          {NULL, "instance"},           {NULL, "machine"},
        {NULL, "series"},          {NULL, "pue_milli"},          {NULL, "embodied"},
        {NULL, "meter"},           {"meter", "token"},           {"meter", "batches"},
        {"meter", "interval_ms"},  {"meter", "forked"},          {"instance", "started_ms"},
        {"instance", "ended_ms"},  {"instance", "host_cpu_ms"},  {"machine", "family"},
        {"machine", "memory_mb"},  {"machine", "threads_milli"}, {"machine", "gpu_count"},
        {"machine", "gpu_watts"},  {"embodied", "platform_g"},   {"embodied", "lifetime_s"},
        {"embodied", "share_ppm"},
    };

    (void)state;
    three_readings();
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        assert_refused(changed(members[i][0], members[i][1], NULL), GL_OK);
        assert_refused(changed(members[i][0], members[i][1], json_true()), GL_OK);
    }
    /* Without its enrolment there is no key for the batches. */
    assert_refused(changed("meter", "enrolment", NULL), GL_E_NOT_VERIFIED);
}

static void senseless_evidence_is_refused(void **state)
{
    json_t *many = json_array();

    (void)state;
    three_readings();
    assert_refused(changed("instance", "ended_ms", json_integer(START - 1)), GL_E_BAD_REPLY);
    assert_refused(changed("instance", "ended_ms", json_integer(START + 366 * 24 * HOUR + 1)),
                   GL_E_BAD_REPLY);
    assert_refused(changed("instance", "started_ms", json_integer(INT64_MAX)), GL_E_BAD_REPLY);
    assert_refused(changed("meter", "interval_ms", json_integer(0)), GL_E_BAD_REPLY);
    assert_refused(changed("meter", "token", json_string("no hex")), GL_E_BAD_VALUE);
    assert_refused(changed("meter", "forked", json_integer(-1)), GL_E_BAD_REPLY);
    assert_refused(changed(NULL, "pue_milli", json_integer(999)), GL_E_BAD_REPLY);
    assert_refused(changed("embodied", "platform_g", json_pack("[i,i]", 1, 2)), GL_E_BAD_REPLY);
    assert_refused(changed("embodied", "platform_g", json_pack("[i,i,i]", 3, 2, 1)),
                   GL_E_BAD_VALUE);
    assert_refused(changed("embodied", "share_ppm", json_integer(1000001)), GL_E_BAD_REPLY);
    assert_refused(changed("machine", "threads_milli", json_integer(0)), GL_E_BAD_REPLY);
    for (size_t i = 0; i < 65; i++)
        json_array_append_new(many,
                              fake_series_json("A", START / 1000, START / 1000 + 3600, 1000000));
    assert_refused(changed(NULL, "series", many), GL_E_TOO_LARGE);
}

static void tampered_readings_are_refused(void **state)
{
    json_t *evidence, *batch;

    (void)state;
    three_readings();
    evidence = fake_evidence(&meter, LAUNCH, START, START + 3000);
    batch = json_array_get(json_object_get(json_object_get(evidence, "meter"), "batches"), 0);
    json_object_set_new(
        json_array_get(json_object_get(json_array_get(json_object_get(batch, "records"), 1), "c"),
                       0),
        "d", json_integer(1));
    assert_refused(evidence, GL_OK);
    assert_refused(changed(NULL, "launch", json_string("gl-other")), GL_E_NOT_VERIFIED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(evidence_alone_decides),
        cmocka_unit_test(missing_evidence_is_refused),
        cmocka_unit_test(senseless_evidence_is_refused),
        cmocka_unit_test(tampered_readings_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
