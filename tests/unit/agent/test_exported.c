/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/model.h"
#include "agent/source.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/agent/tree.h"

/* A tree that the host shares, as Scaphandre's qemu exporter writes it, and perf counters. */

#define SECOND INT64_C(1000000000)
#define ZONE   "/var/scaphandre/intel-rapl:0:0/energy_uj"

struct bench {
    char root[TREE_PATH];
    struct gl_machine machine;
    double load;
    void *source;
    uint64_t counter;
    struct gl_yield out[GL_KINDS];
};

static int set_up(void **state)
{
    static struct bench bench;

    bench = (struct bench){.machine = {.threads = 4, .memory_gb = 16}, .load = 0.5, .counter = 77};
    bench.machine.family = gl_power_family("epyc3");
    tree_make("test_exported", bench.root);
    tree_number(bench.root, ZONE, bench.counter);
    *state = &bench;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *bench = *state;

    if (bench->source != NULL)
        gl_source_exported.close(bench->source);
    tree_drop(bench->root);
    return 0;
}

static void opened(struct bench *bench)
{
    const struct gl_source_setup setup = {
        .place = {bench->root}, .machine = &bench->machine, .load = &bench->load};
    struct gl_error err = {0};

    if (gl_source_exported.open(&setup, &bench->source, &err) < 0)
        fail_msg("%s", err.text);
}

/* The host adds this much, and the guest looks after `dt_s` seconds. */
static const struct gl_yield *grow(struct bench *bench, double uj, int64_t dt_s)
{
    bench->counter += (uint64_t)uj;
    tree_number(bench->root, ZONE, bench->counter);
    memset(bench->out, 0, sizeof bench->out);
    gl_source_exported.sample(bench->source, dt_s * SECOND, bench->out);
    return &bench->out[GL_COMP_CPU];
}

static double model_w(const struct bench *bench)
{
    return gl_power_cpu(&bench->machine, bench->load).central;
}

static void test_share_of_the_host(void **state)
{
    struct bench *bench = *state;
    const struct gl_yield *cpu;

    opened(bench);
    for (int i = 0; i < 20; i++) {
        cpu = grow(bench, model_w(bench) * 1e7, 10);
        assert_true(cpu->is_known);
        assert_int_equal(cpu->flags, 0);
        assert_int_equal(cpu->tier, GL_TIER_S);
        assert_string_equal(cpu->source, "exported");
    }
    assert_false(grow(bench, 1e12, 10)->is_known); /* 100 kW */
    assert_int_equal(grow(bench, 0, 10)->delta_uj, 0);
}

static void test_a_fifth_of_the_truth_is_not_believed(void **state)
{
    struct bench *bench = *state;
    const struct gl_yield *cpu = NULL;

    opened(bench);
    /* microwatts added as microjoules every five seconds */
    for (int i = 0; i < 14; i++)
        cpu = grow(bench, model_w(bench) * 1e6, 5);
    assert_false(cpu->is_known);
    assert_int_equal(cpu->flags, GL_FLAG_SENTINEL);
    /* and it stays so: nobody mends an exporter while it runs */
    assert_false(grow(bench, model_w(bench) * 5e6, 5)->is_known);
}

static void test_a_machine_that_really_idles_passes(void **state)
{
    struct bench *bench = *state;
    const struct gl_yield *cpu = NULL;

    bench->load = 0;
    opened(bench);
    for (int i = 0; i < 14; i++)
        cpu = grow(bench, model_w(bench) * 0.6 * 5e6, 5);
    assert_true(cpu->is_known);
}

static void test_reset_of_the_tree(void **state)
{
    struct bench *bench = *state;
    const struct gl_yield *cpu;

    bench->counter = 900000000;
    tree_number(bench->root, ZONE, bench->counter);
    opened(bench);
    bench->counter = 0;
    cpu = grow(bench, 5, 10);
    assert_false(cpu->is_known);
    assert_int_equal(cpu->flags, GL_FLAG_BOUNDED);
}

static void test_a_host_that_stopped_writing(void **state)
{
    struct bench *bench = *state;

    opened(bench);
    assert_true(grow(bench, 5e7, 10)->is_known);
    assert_true(grow(bench, 0, 10)->is_known);
    assert_true(grow(bench, 0, 10)->is_known);
    assert_false(grow(bench, 0, 10)->is_known); /* no machine draws nothing for half a minute */
    assert_int_equal(bench->out[GL_COMP_CPU].flags, GL_FLAG_BOUNDED);
    assert_true(grow(bench, 5e7, 10)->is_known);
}

/* ---- perf counters, by an injected opener ---- */

#define PMU "/sys/bus/event_source/devices/power"

/* Each counter is a pipe with the values that reads will find. */
static int fake_perf_open(uint32_t type, uint64_t config, int cpu)
{
    uint64_t pkg[2][3] = {{1000, 5000, 9000}, {500, 2500, 3500}}, ram[3] = {0, 1000, 1000};
    int ends[2];

    assert_int_equal(type, 9);
    if (config == 3) /* energy-psys: not there for this user */
        return -1;
    if (pipe(ends) < 0)
        return -1;
    if (write(ends[1], config == 2 ? pkg[cpu / 8] : ram, sizeof ram) != sizeof ram)
        return -1;
    close(ends[1]);
    return ends[0];
}

static void put_pmu(const struct bench *bench)
{
    static const char *const names[] = {"pkg", "ram", "psys"};
    static const char *const configs[] = {"event=0x02\n", "event=0x3\n", "event=0x03\n"};
    char path[128];

    tree_put(bench->root, PMU "/type", "9\n");
    tree_put(bench->root, PMU "/cpumask", "0,8\n");
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof path, PMU "/events/energy-%s", names[i]);
        tree_put(bench->root, path, i == 1 ? "event=0x04\n" : configs[i]);
        snprintf(path, sizeof path, PMU "/events/energy-%s.unit", names[i]);
        tree_put(bench->root, path, "Joules\n");
        snprintf(path, sizeof path, PMU "/events/energy-%s.scale", names[i]);
        tree_put(bench->root, path, i == 1 ? "1.5e-5\n" : "6.103515625e-05\n");
    }
}

static void test_perf(void **state)
{
    struct bench *bench = *state;
    struct gl_source_setup setup = {.place = {bench->root}, .machine = &bench->machine};
    struct gl_yield out[GL_KINDS] = {{0}};
    struct gl_error err = {0};
    void *perf;

    put_pmu(bench);
    assert_int_equal(gl_source_perf.open(&setup, &perf, &err), -1); /* no counter in a fixture */
    gl_error_clear(&err);
    setup.perf_open = fake_perf_open;
    assert_int_equal(gl_source_perf.open(&setup, &perf, &err), 0);
    gl_source_perf.sample(perf, SECOND, out);
    /* (4000 + 2000) counts of 61.03515625 uJ; memory twice 1000 of 15 uJ */
    assert_int_equal(out[GL_COMP_CPU].delta_uj, 366210);
    assert_int_equal(out[GL_COMP_DRAM].delta_uj, 30000);
    assert_false(out[GL_COMP_NODE].is_known);
    memset(out, 0, sizeof out);
    gl_source_perf.sample(perf, SECOND, out);
    /* 5000 counts are 305175.78 uJ, and 0.94 uJ were carried over */
    assert_int_equal(out[GL_COMP_CPU].delta_uj, 305176);
    memset(out, 0, sizeof out);
    gl_source_perf.sample(perf, SECOND, out); /* the pipes are empty: a failed read */
    assert_false(out[GL_COMP_CPU].is_known);
    assert_int_equal(out[GL_COMP_CPU].flags, GL_FLAG_BOUNDED);
    gl_source_perf.close(perf);
}

static void test_perf_with_a_strange_unit(void **state)
{
    struct bench *bench = *state;
    struct gl_source_setup setup = {
        .place = {bench->root}, .machine = &bench->machine, .perf_open = fake_perf_open};
    struct gl_error err = {0};
    void *perf;

    put_pmu(bench);
    tree_put(bench->root, PMU "/events/energy-pkg.unit", "Watts\n");
    assert_int_equal(gl_source_perf.open(&setup, &perf, &err), -1);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(test_share_of_the_host),
        CASE(test_a_fifth_of_the_truth_is_not_believed),
        CASE(test_a_machine_that_really_idles_passes),
        CASE(test_reset_of_the_tree),
        CASE(test_a_host_that_stopped_writing),
        CASE(test_perf),
        CASE(test_perf_with_a_strange_unit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
