/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_TESTS_UNIT_ACCOUNT_BENCH_H
#define GL_TESTS_UNIT_ACCOUNT_BENCH_H

/* What the tests of the account share: a meter of ten watts, and short ways into what was derived.
 * Included by one program each, after cmocka. */

#include "broker/account.h"
#include "broker/plausible.h"

#include "base/power.h"
#include "tests/support/make_evidence.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Unit tests link archives only. */
#include "tests/support/make_batches.c"
#include "tests/support/make_evidence.c"

#define LAUNCH  "gl-4k2p9xyz"
#define HOUR    INT64_C(3600000)
#define START   INT64_C(1767225600000) /* on the hour */
#define UNKNOWN INT64_MIN

static struct fake_meter meter;

/* A meter of 10 J a second (9 to 15), about what this machine draws at full load. */
static inline void ten_watts(int64_t start_ms)
{
    struct gl_component *cpu;

    fake_meter_init(&meter, LAUNCH, 3, start_ms);
    cpu = &meter.next.components[0];
    cpu->delta_uj = 10000000;
    cpu->low_uj = 9000000;
    cpu->high_uj = 15000000;
}

/* What gl_account() makes of the evidence, which is freed. */
static inline json_t *derive(json_t *evidence)
{
    struct gl_error err = {0};
    json_t *derived = NULL;

    if (gl_account(evidence, &derived, &err) != 0)
        fail_msg("%s", err.text);
    json_decref(evidence);
    return derived;
}

static inline json_t *heard(int64_t started_ms, int64_t ended_ms)
{
    return derive(fake_evidence(&meter, LAUNCH, started_ms, ended_ms));
}

static inline json_t *silent(int64_t started_ms, int64_t ended_ms)
{
    return derive(fake_evidence(NULL, LAUNCH, started_ms, ended_ms));
}

static inline const json_t *member(const json_t *object, const char *key)
{
    const json_t *found = json_object_get(object, key);

    if (found == NULL)
        fail_msg("no member %s", key);
    return found;
}

/* One of the three numbers of a band; UNKNOWN for null. */
static inline int64_t band(const json_t *object, const char *key, size_t which)
{
    const json_t *found = member(object, key);

    if (json_is_null(found))
        return UNKNOWN;
    assert_int_equal(json_array_size(found), 3);
    return json_integer_value(json_array_get(found, which));
}

static inline int64_t total(const json_t *derived, const char *key, size_t which)
{
    return band(member(derived, "footprint"), key, which);
}

static inline const json_t *slot(const json_t *derived, size_t index)
{
    return json_array_get(member(derived, "slots"), index);
}

static inline const json_t *gap(const json_t *derived, size_t index)
{
    return json_array_get(member(derived, "gaps"), index);
}

static inline int64_t number(const json_t *object, const char *key)
{
    assert_true(json_is_integer(member(object, key)));
    return json_integer_value(member(object, key));
}

static inline const char *word(const json_t *object, const char *key)
{
    return json_string_value(member(object, key));
}

static inline const char *result_of(const json_t *derived, size_t rule)
{
    return word(json_array_get(member(derived, "plausibility"), rule - 1), "result");
}

static inline void assert_slots_sum(const json_t *derived)
{
    const json_t *slots = member(derived, "slots");

    for (size_t b = 0; b < 3; b++) {
        int64_t sum = 0;

        for (size_t i = 0; i < json_array_size(slots); i++)
            sum += band(json_array_get(slots, i), "energy_mj", b);
        assert_int_equal(sum, total(derived, "energy_mj", b));
    }
    for (size_t i = 1; i < json_array_size(slots); i++)
        assert_int_equal(number(slot(derived, i), "from_s"),
                         number(slot(derived, i - 1), "until_s"));
}

/* Watts of the plan's machine at the high side of full load and the low side of idle, in mW. */
static inline double gap_watts(bool is_high)
{
    const struct gl_machine machine = {gl_power_family("epyc3"), 4, 8, 0, 0};

    return is_high ? gl_power_machine(&machine, 1, 1).high : gl_power_machine(&machine, 0, 0).low;
}

static inline void assert_near(int64_t found, double expected)
{
    if (fabs((double)found - expected) > 1)
        fail_msg("%" PRId64 " is not %.1f", found, expected);
}

#endif
