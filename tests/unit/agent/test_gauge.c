/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/gauge.h"
#include "agent/source.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/agent/tree.h"

#define SECOND INT64_C(1000000000)
#define HWMON  "/sys/class/hwmon/hwmon3"

static void test_sentinels(void **state)
{
    /* what BMCs and drivers were seen to report in place of "I do not know" */
    static const uint64_t sentinels[] = {
        0,          65535,      65535000, 65535000000, 4294967295, 4294967295000, 4294967295000000,
        2147483647, 5000000001, /* 5 kW from a machine that can draw 1 kW */
        UINT64_MAX,
    };
    static const uint64_t good[] = {1, 65536, 42000000, 250000000, 999999999};

    (void)state;
    for (size_t i = 0; i < sizeof sentinels / sizeof sentinels[0]; i++)
        if (!gl_gauge_is_sentinel(sentinels[i], 1000))
            fail_msg("%llu passed", (unsigned long long)sentinels[i]);
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        if (gl_gauge_is_sentinel(good[i], 1000))
            fail_msg("%llu refused", (unsigned long long)good[i]);
}

static void test_trapezoid(void **state)
{
    struct gl_gauge gauge = {0};
    int64_t uj = -1;

    (void)state;
    assert_false(gl_gauge_look(&gauge, true, 100000000, 0.5, 0, &uj));
    assert_true(gl_gauge_look(&gauge, true, 200000000, 0.5, SECOND, &uj));
    assert_int_equal(uj, 150000000);
    assert_true(gl_gauge_look(&gauge, true, 200000000, 0.5, SECOND / 2, &uj));
    assert_int_equal(uj, 100000000);
    assert_false(gl_gauge_look(&gauge, false, 0, 0.5, SECOND, &uj));
    assert_false(gl_gauge_look(&gauge, true, 50000000, 0.5, SECOND, &uj));
    assert_true(gl_gauge_look(&gauge, true, 50000000, 0.5, SECOND, &uj));
    assert_int_equal(uj, 50000000);
}

static void test_fractions_are_carried(void **state)
{
    struct gl_gauge gauge = {0};
    int64_t uj, sum = 0;

    (void)state;
    gl_gauge_look(&gauge, true, 1, 0, 0, &uj);
    for (int i = 0; i < 1000; i++) {
        assert_true(gl_gauge_look(&gauge, true, 1, 0, SECOND / 10, &uj));
        sum += uj;
    }
    assert_in_range(sum, 99, 100); /* 1 uW for 100 s */
}

static void test_frozen_sensor(void **state)
{
    struct gl_gauge moving = {0}, still = {0};
    int64_t uj;
    bool is_known = true;

    (void)state;
    gl_gauge_look(&moving, true, 90000000, 0.1, 0, &uj);
    gl_gauge_look(&still, true, 90000000, 0.1, 0, &uj);
    for (int i = 0; i < GL_GAUGE_FROZEN + 2; i++) {
        is_known = gl_gauge_look(&moving, true, 90000000, i % 2 == 0 ? 0.1 : 0.9, SECOND, &uj);
        assert_true(gl_gauge_look(&still, true, 90000000, 0.1, SECOND, &uj));
    }
    assert_false(is_known);
    assert_false(gl_gauge_look(&moving, true, 90000000, 0.5, SECOND, &uj));
    /* it moves again: one look to start, then it counts */
    gl_gauge_look(&moving, true, 91000000, 0.5, SECOND, &uj);
    assert_true(gl_gauge_look(&moving, true, 92000000, 0.5, SECOND, &uj));
}

/* ---- hwmon ---- */

struct bench {
    char root[TREE_PATH];
    struct gl_machine machine;
    double load;
    void *source;
    struct gl_yield out[GL_KINDS];
};

static int set_up(void **state)
{
    static struct bench bench;

    bench = (struct bench){.machine = {.threads = 8, .memory_gb = 32}, .load = 0.5};
    tree_make("test_gauge", bench.root);
    tree_put(bench.root, HWMON "/name", "power_meter\n");
    tree_number(bench.root, HWMON "/power1_average", 200000000);
    *state = &bench;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *bench = *state;

    if (bench->source != NULL)
        gl_source_hwmon.close(bench->source);
    tree_drop(bench->root);
    return 0;
}

static int open_source(struct bench *bench, struct gl_error *err)
{
    const struct gl_source_setup setup = {
        .place = {bench->root}, .machine = &bench->machine, .load = &bench->load};

    return gl_source_hwmon.open(&setup, &bench->source, err);
}

static void look(struct bench *bench)
{
    memset(bench->out, 0, sizeof bench->out);
    gl_source_hwmon.sample(bench->source, SECOND, bench->out);
}

static void test_power_meter(void **state)
{
    struct bench *bench = *state;
    struct gl_error err = {0};
    const struct gl_yield *node = &bench->out[GL_COMP_NODE];

    tree_put(bench->root, HWMON "/power1_accuracy", "10%\n");
    assert_int_equal(open_source(bench, &err), 0);
    assert_int_equal(gl_source_hwmon.longest_ms(bench->source), 1000);
    tree_number(bench->root, HWMON "/power1_average", 300000000);
    look(bench);
    assert_true(node->is_known);
    assert_int_equal(node->delta_uj, 250000000);
    assert_int_equal(node->low_uj, 225000000);
    assert_int_equal(node->high_uj, 275000000);
    assert_int_equal(node->tier, GL_TIER_S);
}

static void test_power_meter_gone_wrong(void **state)
{
    struct bench *bench = *state;
    struct gl_error err = {0};
    const struct gl_yield *node = &bench->out[GL_COMP_NODE];

    assert_int_equal(open_source(bench, &err), 0);
    tree_number(bench->root, HWMON "/power1_average", 4294967295000);
    look(bench);
    assert_false(node->is_known);
    assert_int_equal(node->flags, GL_FLAG_SENTINEL | GL_FLAG_BOUNDED);
    tree_put(bench->root, HWMON "/power1_average", "");
    look(bench);
    assert_false(node->is_known);
    assert_int_equal(node->flags, GL_FLAG_BOUNDED);
}

static void test_energy_counter_comes_first(void **state)
{
    struct bench *bench = *state;
    struct gl_error err = {0};
    const struct gl_yield *node = &bench->out[GL_COMP_NODE];

    tree_number(bench->root, HWMON "/energy1_input", 7000000);
    assert_int_equal(open_source(bench, &err), 0);
    assert_true(gl_source_hwmon.longest_ms(bench->source) > 1000);
    tree_number(bench->root, HWMON "/energy1_input", 107000000);
    look(bench);
    assert_int_equal(node->delta_uj, 100000000);
    tree_number(bench->root, HWMON "/energy1_input", 5); /* 64 bits never wrap: a reset */
    look(bench);
    assert_false(node->is_known);
    tree_number(bench->root, HWMON "/energy1_input", 90000005);
    look(bench);
    assert_int_equal(node->delta_uj, 90000000);
}

static void test_cards_and_strangers(void **state)
{
    struct bench *bench = *state;
    struct gl_error err = {0};

    tree_put(bench->root, HWMON "/name", "nvme\n"); /* not known what its power would be of */
    tree_put(bench->root, "/sys/class/hwmon/hwmon0/name", "amdgpu\n");
    tree_number(bench->root, "/sys/class/hwmon/hwmon0/power1_average", 50000000);
    tree_put(bench->root, "/sys/class/hwmon/hwmon1/name", "amdgpu\n");
    tree_number(bench->root, "/sys/class/hwmon/hwmon1/power1_input", 30000000);
    assert_int_equal(open_source(bench, &err), 0);
    look(bench);
    assert_false(bench->out[GL_COMP_NODE].is_known);
    assert_int_equal(bench->out[GL_COMP_GPU].delta_uj, 80000000);
    tree_put(bench->root, "/sys/class/hwmon/hwmon1/power1_input", "");
    look(bench); /* half of the cards is not known, so the sum is not */
    assert_false(bench->out[GL_COMP_GPU].is_known);
}

static void test_dead_from_the_start(void **state)
{
    struct bench *bench = *state;
    struct gl_error err = {0};

    tree_number(bench->root, HWMON "/power1_average", 65535000000);
    assert_int_equal(open_source(bench, &err), -1);
    assert_int_equal(err.code, GL_E_NOT_FOUND);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sentinels),
        cmocka_unit_test(test_trapezoid),
        cmocka_unit_test(test_fractions_are_carried),
        cmocka_unit_test(test_frozen_sensor),
        CASE(test_power_meter),
        CASE(test_power_meter_gone_wrong),
        CASE(test_energy_counter_comes_first),
        CASE(test_cards_and_strangers),
        CASE(test_dead_from_the_start),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
