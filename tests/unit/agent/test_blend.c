/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/blend.h"

#include "agent/ladder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "tests/unit/agent/tree.h"

#define SECOND INT64_C(1000000000)

static const struct gl_config_machine machine_config = {
    .family = "epyc3", .threads_milli = 8000, .baseline_permille = 1000, .memory_mb = 64000};
static const struct gl_place here = {""};

static void near(int64_t found, double expected)
{
    if ((double)found < expected * 0.999 - 2 || (double)found > expected * 1.001 + 2)
        fail_msg("%lld is not near %.0f", (long long)found, expected);
}

static struct gl_model model_of(struct gl_config_machine config)
{
    struct gl_model model;

    gl_model_init(&model, &config, &here);
    return model;
}

static struct gl_yield known(int64_t uj)
{
    return gl_yield_of(uj, (struct gl_accuracy){0.9, 1.1}, GL_TIER_M1, "test");
}

static int64_t sum_of(const struct gl_yield out[GL_KINDS])
{
    int64_t sum = 0;

    for (size_t i = 0; i < GL_KINDS; i++)
        sum += out[i].is_known ? out[i].delta_uj : 0;
    return sum;
}

static void test_model_alone(void **state)
{
    struct gl_model model = model_of(machine_config);
    struct gl_yield measured[GL_KINDS] = {{0}}, out[GL_KINDS];
    struct gl_band band = gl_power_machine(&model.machine, 0.5, 0);

    (void)state;
    gl_blend(&model, measured, 0.5, 2 * SECOND, out);
    near(sum_of(out), band.central * 2e6);
    near(out[GL_COMP_CPU].low_uj + out[GL_COMP_DRAM].low_uj, band.low * 2e6);
    near(out[GL_COMP_CPU].high_uj + out[GL_COMP_DRAM].high_uj, band.high * 2e6);
    assert_int_equal(out[GL_COMP_CPU].tier, GL_TIER_E1);
    assert_string_equal(out[GL_COMP_CPU].source, "model");
    assert_false(out[GL_COMP_NODE].is_known || out[GL_COMP_OTHER].is_known);
    assert_false(out[GL_COMP_GPU].is_known);
}

static void test_tiers(void **state)
{
    char root[TREE_PATH];
    struct gl_place place = {root};
    struct gl_config_machine config = machine_config;
    struct gl_model model;

    (void)state;
    tree_make("test_blend", root);
    config.family[0] = '\0';
    gl_model_init(&model, &config, &place);
    assert_int_equal(model.tier, GL_TIER_E3); /* no /proc/cpuinfo there */
    tree_put(root, "/proc/cpuinfo",
             "processor\t: 0\nvendor_id\t: AuthenticAMD\ncpu family\t: 25\nmodel\t\t: 1\n"
             "model name\t: AMD EPYC\nstepping\t: 1\n");
    gl_model_init(&model, &config, &place);
    assert_int_equal(model.tier, GL_TIER_E2);
    assert_string_equal(model.machine.family->key, "epyc3");
    tree_put(root, "/proc/cpuinfo", "processor\t: 0\nCPU implementer\t: 0x41\nCPU part\t: 0xd0c\n");
    gl_model_init(&model, &config, &place);
    assert_string_equal(model.machine.family->key, "neoverse-n1");
    tree_put(root, "/proc/cpuinfo", "processor : 0\n");
    gl_model_init(&model, &config, &place);
    assert_int_equal(model.tier, GL_TIER_E3);
    config.baseline_permille = 200;
    gl_model_init(&model, &config, &place);
    assert_true(model.machine.threads > 1.59 && model.machine.threads < 1.61);
    tree_drop(root);
}

static void test_measured_cpu_is_completed(void **state)
{
    struct gl_model model = model_of(machine_config);
    struct gl_yield measured[GL_KINDS] = {{0}}, out[GL_KINDS];

    (void)state;
    measured[GL_COMP_CPU] = known(50000000);
    gl_blend(&model, measured, 0.5, SECOND, out);
    assert_int_equal(out[GL_COMP_CPU].delta_uj, 50000000);
    near(out[GL_COMP_DRAM].delta_uj, 64 * 0.38 * 1e6); /* all of it: the package holds none */
    near(out[GL_COMP_OTHER].delta_uj, 0.33 * (50e6 + 64 * 0.38e6));
    near(out[GL_COMP_OTHER].low_uj, 0.2 * (50e6 + 64 * 0.38e6));
    near(out[GL_COMP_OTHER].high_uj, 0.6 * (50e6 + 64 * 0.38e6));
    measured[GL_COMP_DRAM] = known(7000000);
    gl_blend(&model, measured, 0.5, SECOND, out);
    assert_int_equal(out[GL_COMP_DRAM].delta_uj, 7000000);
    assert_string_equal(out[GL_COMP_DRAM].source, "test");
}

static void test_node_stands_alone_or_not_at_all(void **state)
{
    struct gl_model model = model_of(machine_config);
    struct gl_yield measured[GL_KINDS] = {{0}}, out[GL_KINDS];

    (void)state;
    measured[GL_COMP_NODE] = known(100000000);
    measured[GL_COMP_CPU] = known(60000000);
    measured[GL_COMP_DRAM] = known(10000000);
    gl_blend(&model, measured, 0.5, SECOND, out);
    assert_int_equal(sum_of(out), 100000000);
    /* P5: less than its parts, so it is something else; here a GPU it does not see */
    measured[GL_COMP_GPU] = known(300000000);
    gl_blend(&model, measured, 0.5, SECOND, out);
    assert_false(out[GL_COMP_NODE].is_known);
    assert_int_equal(out[GL_COMP_CPU].delta_uj, 60000000);
    assert_int_equal(out[GL_COMP_CPU].flags, GL_FLAG_SENTINEL);
    assert_int_equal(out[GL_COMP_GPU].delta_uj, 300000000);
    /* standing still */
    memset(measured, 0, sizeof measured);
    measured[GL_COMP_NODE] = known(0);
    gl_blend(&model, measured, 0.5, SECOND, out);
    assert_true(sum_of(out) > 0);
}

static void test_failed_sensor_costs_the_high_bound(void **state)
{
    struct gl_model model = model_of(machine_config);
    struct gl_yield measured[GL_KINDS] = {{0}}, out[GL_KINDS];
    struct gl_band band = gl_power_cpu(&model.machine, 0.5);

    (void)state;
    measured[GL_COMP_CPU].flags = GL_FLAG_BOUNDED;
    gl_blend(&model, measured, 0.5, SECOND, out);
    near(out[GL_COMP_CPU].delta_uj, band.high * 1e6);
    near(out[GL_COMP_CPU].low_uj, band.low * 1e6);
    assert_int_equal(out[GL_COMP_CPU].flags, GL_FLAG_BOUNDED);
    /* a source that is not believed is only told, and the model takes its place */
    measured[GL_COMP_CPU].flags = GL_FLAG_SENTINEL;
    gl_blend(&model, measured, 0.5, SECOND, out);
    near(out[GL_COMP_CPU].delta_uj, band.central * 1e6);
    assert_int_equal(out[GL_COMP_CPU].flags, GL_FLAG_SENTINEL);
}

static void test_simulated_parts_make_a_simulated_whole(void **state)
{
    struct gl_model model = model_of(machine_config);
    struct gl_yield measured[GL_KINDS] = {{0}}, out[GL_KINDS];

    (void)state;
    measured[GL_COMP_CPU] = known(50000000);
    measured[GL_COMP_CPU].tier = GL_TIER_S;
    gl_blend(&model, measured, 0.5, SECOND, out);
    assert_int_equal(out[GL_COMP_OTHER].tier, GL_TIER_S);
}

static void test_gpu_without_a_counter(void **state)
{
    struct gl_config_machine config = machine_config;
    struct gl_model model;
    struct gl_yield measured[GL_KINDS] = {{0}}, out[GL_KINDS];

    (void)state;
    config.gpu_count = 2;
    config.gpu_watts = 300;
    model = model_of(config);
    gl_blend(&model, measured, 0, SECOND, out);
    near(out[GL_COMP_GPU].delta_uj, 0.75 * 600e6);    /* half load */
    near(out[GL_COMP_GPU].low_uj, 0.6 * 0.1 * 600e6); /* idle, low */
    near(out[GL_COMP_GPU].high_uj, 1.05 * 600e6);     /* limiter */
}

/* ---- the ladder ---- */

/* Sources for it: each knows the CPU while its switch is on. */
static struct {
    bool can_open, is_known;
    int closed;
} switches[2];

static int fake_open(size_t i, void **out_state, struct gl_error *err)
{
    if (!switches[i].can_open)
        return gl_fail(err, GL_E_NOT_FOUND, "switched off");
    *out_state = &switches[i];
    return 0;
}

static int open_first(const struct gl_source_setup *setup, void **out, struct gl_error *err)
{
    (void)setup;
    return fake_open(0, out, err);
}

static int open_second(const struct gl_source_setup *setup, void **out, struct gl_error *err)
{
    (void)setup;
    return fake_open(1, out, err);
}

static int64_t fake_longest(const void *state)
{
    return state == &switches[0] ? 5000 : 900;
}

static void fake_sample(void *state, int64_t dt_ns, struct gl_yield out[GL_KINDS])
{
    size_t i = state == &switches[0] ? 0 : 1;

    (void)dt_ns;
    if (switches[i].is_known)
        out[GL_COMP_CPU] = known(i == 0 ? 1000 : 2000);
    else
        out[GL_COMP_CPU].flags = GL_FLAG_BOUNDED;
}

static void fake_close(void *state)
{
    switches[state == &switches[0] ? 0 : 1].closed++;
}

static const struct gl_source fakes[] = {
    {"first", "one", open_first, fake_longest, fake_sample, NULL, fake_close},
    {"second", "one", open_second, fake_longest, fake_sample, NULL, fake_close},
};
static const struct gl_source *const fake_sources[] = {&fakes[0], &fakes[1]};

static void start(struct gl_ladder *ladder, bool first, bool second)
{
    const struct gl_source_setup setup = {.place = {""}};

    memset(switches, 0, sizeof switches);
    switches[0].can_open = switches[0].is_known = first;
    switches[1].can_open = switches[1].is_known = second;
    gl_ladder_open(ladder, &setup, fake_sources, 2, NULL, NULL);
}

static void test_ladder_takes_one_of_a_group(void **state)
{
    struct gl_yield out[GL_KINDS];
    struct gl_ladder ladder;

    (void)state;
    start(&ladder, true, true);
    gl_ladder_sample(&ladder, SECOND, out);
    assert_int_equal(out[GL_COMP_CPU].delta_uj, 1000);
    assert_int_equal(gl_ladder_longest_ms(&ladder, 10000), 5000);
    gl_ladder_close(&ladder);
    assert_int_equal(switches[0].closed, 1);
    assert_int_equal(switches[1].closed, 0);
    start(&ladder, false, false);
    gl_ladder_sample(&ladder, SECOND, out);
    assert_false(out[GL_COMP_CPU].is_known);
    assert_int_equal(out[GL_COMP_CPU].flags, 0);
    gl_ladder_close(&ladder);
}

static void test_ladder_gives_way(void **state)
{
    struct gl_yield out[GL_KINDS];
    struct gl_ladder ladder;

    (void)state;
    start(&ladder, true, true);
    switches[0].is_known = false;
    for (int i = 0; i < GL_LADDER_FAILURES; i++) {
        gl_ladder_sample(&ladder, SECOND, out);
        assert_false(out[GL_COMP_CPU].is_known);
        assert_int_equal(out[GL_COMP_CPU].flags, GL_FLAG_BOUNDED);
    }
    /* the second opened during that look, and speaks from the next one on */
    assert_int_equal(switches[0].closed, 1);
    gl_ladder_sample(&ladder, SECOND, out);
    assert_int_equal(out[GL_COMP_CPU].delta_uj, 2000);
    gl_ladder_close(&ladder);
}

static void test_ladder_without_a_second(void **state)
{
    struct gl_yield out[GL_KINDS];
    struct gl_ladder ladder;

    (void)state;
    start(&ladder, true, false);
    switches[0].is_known = false;
    for (int i = 0; i < GL_LADDER_FAILURES; i++)
        gl_ladder_sample(&ladder, SECOND, out);
    gl_ladder_sample(&ladder, SECOND, out);
    assert_int_equal(out[GL_COMP_CPU].flags, 0); /* no longer a doubt, simply no sensor */
    assert_int_equal(switches[0].closed, 0);
    switches[0].is_known = true;
    gl_ladder_sample(&ladder, SECOND, out); /* it came back */
    assert_int_equal(out[GL_COMP_CPU].delta_uj, 1000);
    gl_ladder_close(&ladder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_model_alone),
        cmocka_unit_test(test_tiers),
        cmocka_unit_test(test_measured_cpu_is_completed),
        cmocka_unit_test(test_node_stands_alone_or_not_at_all),
        cmocka_unit_test(test_failed_sensor_costs_the_high_bound),
        cmocka_unit_test(test_simulated_parts_make_a_simulated_whole),
        cmocka_unit_test(test_gpu_without_a_counter),
        cmocka_unit_test(test_ladder_takes_one_of_a_group),
        cmocka_unit_test(test_ladder_gives_way),
        cmocka_unit_test(test_ladder_without_a_second),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
