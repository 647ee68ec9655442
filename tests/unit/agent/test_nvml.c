/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/source.h"
#include "base/process.h"

#include <signal.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/agent/tree.h"

/* GPUs through the helper program and a fake NVIDIA library, both built here. */

#define SECOND INT64_C(1000000000)

struct bench {
    char folder[TREE_PATH], helper[2 * TREE_PATH];
    struct gl_machine machine;
    void *source;
    struct gl_yield out[GL_KINDS];
};

static struct bench bench;

static void build(const char *const *argv)
{
    GL_AUTO(gl_str_done) struct gl_str out = {0};
    struct gl_error err = {0};
    int status;

    if (gl_process_capture(argv, 65536, 60000, &out, &status, &err) < 0 || status != 0)
        fail_msg("%s failed: %s", argv[0], err.text);
}

static int build_both(void **state)
{
    char library[2 * TREE_PATH];
    const char *const fake[] = {
        "cc", "-shared", "-fPIC", "-o", library, "tests/fixtures/nvml_fake.c", NULL};
    const char *const helper[] = {
        "cc", "-D_GNU_SOURCE", "-o", bench.helper, "agent/gpu_main.c", "-ldl", NULL};

    (void)state;
    tree_make("test_nvml", bench.folder);
    snprintf(library, sizeof library, "%s/libnvidia-ml.so.1", bench.folder);
    snprintf(bench.helper, sizeof bench.helper, "%s/gpu", bench.folder);
    build(fake);
    build(helper);
    return setenv("LD_LIBRARY_PATH", bench.folder, 1);
}

static int drop_both(void **state)
{
    (void)state;
    tree_drop(bench.folder);
    return 0;
}

static int close_source(void **state)
{
    (void)state;
    if (bench.source != NULL)
        gl_source_nvml.close(bench.source);
    bench.source = NULL;
    return 0;
}

static int open_source(const char *mode, struct gl_error *err)
{
    const struct gl_source_setup setup = {
        .place = {""}, .machine = &bench.machine, .gpu_helper = bench.helper};

    setenv("GL_NVML_FAKE", mode, 1);
    return gl_source_nvml.open(&setup, &bench.source, err);
}

static void opened(const char *mode)
{
    struct gl_error err = {0};

    if (open_source(mode, &err) < 0)
        fail_msg("%s", err.text);
}

static const struct gl_yield *look(int64_t dt_ns)
{
    memset(bench.out, 0, sizeof bench.out);
    gl_source_nvml.sample(bench.source, dt_ns, bench.out);
    return &bench.out[GL_COMP_GPU];
}

static void test_energy_counter(void **state)
{
    const struct gl_yield *gpu;
    char text[128];

    (void)state;
    opened("energy");
    gpu = look(SECOND);
    assert_true(gpu->is_known);
    assert_int_equal(gpu->delta_uj, 2 * 300000000LL);
    assert_int_equal(gpu->tier, GL_TIER_M1);
    assert_int_equal(gpu->flags, 0);
    assert_true(gpu->low_uj < gpu->delta_uj && gpu->high_uj > gpu->delta_uj);
    gl_source_nvml.describe(bench.source, text, sizeof text);
    assert_string_equal(text, "2 boards, 2 with an energy counter");
}

static void test_power_only(void **state)
{
    const struct gl_yield *gpu;

    (void)state;
    opened("power");
    gpu = look(SECOND);
    assert_true(gpu->is_known);
    assert_int_equal(gpu->delta_uj, 2 * 300000000LL);
    assert_int_equal(gpu->tier, GL_TIER_M2);
    assert_true(gpu->high_uj > gpu->delta_uj * 5 / 4); /* wider than a counter's bounds */
}

static void test_neither(void **state)
{
    (void)state;
    opened("none");
    assert_false(look(SECOND)->is_known);
    assert_int_equal(look(SECOND)->delta_uj, 0);
}

static void test_counter_reset(void **state)
{
    const struct gl_yield *gpu;

    (void)state;
    opened("reset");
    assert_int_equal(look(SECOND)->delta_uj, 600000000LL);
    gpu = look(SECOND); /* back to zero: the power integral stands in */
    assert_true(gpu->is_known);
    assert_int_equal(gpu->flags, GL_FLAG_REBOOT);
    assert_int_equal(gpu->tier, GL_TIER_M2);
    assert_int_equal(gpu->delta_uj, 600000000LL);
    gpu = look(SECOND);
    assert_int_equal(gpu->tier, GL_TIER_M1);
    assert_int_equal(gpu->delta_uj, 600000000LL);
}

static void test_counter_against_power(void **state)
{
    const struct gl_yield *gpu = NULL;

    (void)state;
    opened("liar");
    for (int i = 0; i < 61; i++)
        gpu = look(SECOND);
    assert_true(gpu->is_known);
    assert_int_equal(gpu->flags, GL_FLAG_SENTINEL);
}

static void test_more_than_the_limit(void **state)
{
    (void)state;
    opened("energy");
    /* 300 J in ten milliseconds, from a board with a limit of 700 W; its power integral is taken */
    assert_int_equal(look(SECOND / 100)->tier, GL_TIER_M1); /* within the counter's own slack */
    close_source(NULL);
    opened("liar");
    assert_int_equal(look(SECOND / 100)->tier, GL_TIER_M2);
}

static void test_hang_is_killed(void **state)
{
    const struct gl_yield *gpu;

    (void)state;
    opened("hang");
    assert_true(look(SECOND)->is_known);
    gpu = look(SECOND); /* two seconds of patience */
    assert_false(gpu->is_known);
    assert_int_equal(gpu->flags, GL_FLAG_BOUNDED);
    gpu = look(SECOND); /* not asked again before its pause is over */
    assert_false(gpu->is_known);
    setenv("GL_NVML_FAKE", "energy", 1);
    look(61 * SECOND); /* started again: a first look */
    assert_true(look(SECOND)->is_known);
}

static void test_absent(void **state)
{
    struct gl_source_setup setup = {.place = {""}, .machine = &bench.machine};
    struct gl_error err = {0};

    (void)state;
    assert_int_equal(open_source("absent", &err), -1);
    assert_int_equal(err.code, GL_E_NOT_FOUND);
    gl_error_clear(&err);
    setup.gpu_helper = "/nonexistent/helper";
    assert_int_equal(gl_source_nvml.open(&setup, &bench.source, &err), -1);
    gl_error_clear(&err);
    setup.gpu_helper = "/bin/true"; /* says nothing at all */
    assert_int_equal(gl_source_nvml.open(&setup, &bench.source, &err), -1);
}

static void test_helper_once(void **state)
{
    GL_AUTO(gl_str_done) struct gl_str out = {0};
    const char *const argv[] = {bench.helper, "--once", NULL};
    struct gl_error err = {0};
    int status;

    (void)state;
    setenv("GL_NVML_FAKE", "power", 1);
    assert_int_equal(gl_process_capture(argv, 4096, 5000, &out, &status, &err), 0);
    assert_string_equal(gl_str_text(&out), "0 - 300000 700000\n1 - 300000 700000\nend\n");
    gl_str_clear(&out);
    setenv("GL_NVML_FAKE", "absent", 1);
    assert_int_equal(gl_process_capture(argv, 4096, 5000, &out, &status, &err), 0);
    assert_string_equal(gl_str_text(&out), "unsupported\nend\n");
}

int main(void)
{
#define CASE(f) cmocka_unit_test_teardown(f, close_source)
    const struct CMUnitTest tests[] = {
        CASE(test_energy_counter),
        CASE(test_power_only),
        CASE(test_neither),
        CASE(test_counter_reset),
        CASE(test_counter_against_power),
        CASE(test_more_than_the_limit),
        CASE(test_hang_is_killed),
        CASE(test_absent),
        CASE(test_helper_once),
    };

    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, build_both, drop_both);
}
