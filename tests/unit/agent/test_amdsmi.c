/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/ladder.h"
#include "agent/source.h"
#include "base/process.h"

#include <signal.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/agent/tree.h"

/* AMD's boards through the helper program and fake libraries, all built here; and beside the power
 * sensors that the same boards have: never two for the same joule. */

#define SECOND INT64_C(1000000000)
#define BOARDS UINT64_C(400000000) /* microjoules of both a second */

static char folder[TREE_PATH], helper[2 * TREE_PATH];
static struct gl_machine machine;
static void *source;
static bool is_counted;
static struct gl_yield out[GL_KINDS];

static void build(const char *const *argv)
{
    GL_AUTO(gl_str_done) struct gl_str said = {0};
    struct gl_error err = {0};
    int status;

    if (gl_process_capture(argv, 65536, 60000, &said, &status, &err) < 0 || status != 0)
        fail_msg("%s failed: %s", argv[0], err.text);
}

static void library(const char *name, const char *define)
{
    char path[3 * TREE_PATH];
    const char *const fake[] = {
        "cc", "-shared", "-fPIC", define, "-o", path, "tests/fixtures/amdsmi_fake.c", NULL};

    snprintf(path, sizeof path, "%s/%s", folder, name);
    build(fake);
}

static int build_all(void **state)
{
    const char *const program[] = {"cc", "-D_GNU_SOURCE", "-o", helper, "agent/gpu_main.c", "-ldl",
                                   NULL};

    (void)state;
    tree_make("test_amdsmi", folder);
    snprintf(helper, sizeof helper, "%s/gpu", folder);
    build(program);
    return setenv("LD_LIBRARY_PATH", folder, 1);
}

static int drop_all(void **state)
{
    (void)state;
    tree_drop(folder);
    return 0;
}

static int with_amdsmi(void **state)
{
    (void)state;
    library("libamd_smi.so", "-DAMDSMI");
    return 0;
}

static int with_rocm(void **state)
{
    (void)state;
    library("librocm_smi64.so", "-DROCM");
    return 0;
}

static int close_source(void **state)
{
    char path[3 * TREE_PATH];

    (void)state;
    if (source != NULL)
        gl_source_nvml.close(source);
    source = NULL;
    is_counted = false;
    snprintf(path, sizeof path, "%s/libamd_smi.so", folder);
    unlink(path);
    snprintf(path, sizeof path, "%s/librocm_smi64.so", folder);
    unlink(path);
    return 0;
}

static int open_source(const char *mode, struct gl_error *err)
{
    const struct gl_source_setup setup = {
        .place = {""}, .machine = &machine, .gpu_helper = helper, .amd_is_counted = &is_counted};

    setenv("GL_AMDSMI_FAKE", mode, 1);
    return gl_source_nvml.open(&setup, &source, err);
}

static void opened(const char *mode)
{
    struct gl_error err = {0};

    if (open_source(mode, &err) < 0)
        fail_msg("%s", err.text);
}

static const struct gl_yield *look(void)
{
    memset(out, 0, sizeof out);
    gl_source_nvml.sample(source, SECOND, out);
    return &out[GL_COMP_GPU];
}

static void assert_counted(const struct gl_yield *gpu)
{
    assert_true(gpu->is_known);
    assert_int_equal(gpu->tier, GL_TIER_M1);
    assert_string_equal(gpu->source, "amdsmi");
    assert_int_equal(gpu->flags, 0);
    assert_in_range(gpu->delta_uj, BOARDS - 4000, BOARDS + 4000); /* whole millijoules */
}

static void test_energy_counter(void **state)
{
    (void)state;
    opened("energy");
    assert_false(look()->is_known); /* said first, counted from the next look on */
    assert_true(is_counted);
    assert_counted(look());
    assert_counted(look());
}

static void test_a_counter_that_stands_still_is_not_believed(void **state)
{
    const struct gl_yield *gpu;

    (void)state;
    opened("frozen");
    look();
    assert_counted(look());
    look();       /* it may just have moved before */
    gpu = look(); /* two seconds without a joule: no board does that */
    assert_false(gpu->is_known);
    assert_int_equal(gpu->flags, GL_FLAG_BOUNDED);
    assert_false(is_counted);
    assert_false(look()->is_known);
}

static void test_a_guest_has_no_counter(void **state)
{
    (void)state;
    opened("guest");
    for (int i = 0; i < 3; i++) {
        assert_false(look()->is_known);
        assert_int_equal(look()->flags, 0); /* left to the power sensors, and not a failure */
        assert_false(is_counted);
    }
}

static void test_rocm_where_amdsmi_is_not(void **state)
{
    (void)state;
    opened("energy");
    look();
    assert_counted(look());
}

static void test_absent(void **state)
{
    struct gl_error err = {0};

    (void)state;
    assert_int_equal(open_source("absent", &err), -1);
    assert_int_equal(err.code, GL_E_NOT_FOUND);
}

/* ---- beside the power sensor ---- */

static void sample_both(struct gl_ladder *ladder)
{
    memset(out, 0, sizeof out);
    gl_ladder_sample(ladder, SECOND, out);
}

static void test_never_two_for_the_same_joule(void **state)
{
    static const struct gl_source *const both[] = {&gl_source_hwmon, &gl_source_nvml};
    char root[TREE_PATH + 8];
    struct gl_source_setup setup = {.machine = &machine, .gpu_helper = helper};
    struct gl_ladder ladder;

    (void)state;
    snprintf(root, sizeof root, "%s/root", folder);
    tree_put(root, "/sys/class/hwmon/hwmon0/name", "amdgpu\n");
    tree_put(root, "/sys/class/hwmon/hwmon0/power1_average", "390000000\n");
    setup.place.sysroot = root;
    setenv("GL_AMDSMI_FAKE", "frozen", 1);
    gl_ladder_open(&ladder, &setup, both, 2, NULL, NULL);
    sample_both(&ladder);
    assert_string_equal(out[GL_COMP_GPU].source, "hwmon");
    assert_int_equal(out[GL_COMP_GPU].delta_uj, 390000000);
    sample_both(&ladder);
    assert_string_equal(out[GL_COMP_GPU].source, "amdsmi");
    assert_in_range(out[GL_COMP_GPU].delta_uj, BOARDS - 4000, BOARDS + 4000);
    sample_both(&ladder);
    sample_both(&ladder); /* it stands still: doubtful once, then the sensor again */
    assert_false(out[GL_COMP_GPU].is_known);
    assert_int_equal(out[GL_COMP_GPU].flags & GL_FLAG_BOUNDED, GL_FLAG_BOUNDED);
    sample_both(&ladder);
    assert_string_equal(out[GL_COMP_GPU].source, "hwmon");
    assert_int_equal(out[GL_COMP_GPU].delta_uj, 390000000);
    gl_ladder_close(&ladder);
}

int main(void)
{
#define CASE(f, with) cmocka_unit_test_setup_teardown(f, with, close_source)
    const struct CMUnitTest tests[] = {
        CASE(test_energy_counter, with_amdsmi),
        CASE(test_a_counter_that_stands_still_is_not_believed, with_amdsmi),
        CASE(test_a_guest_has_no_counter, with_amdsmi),
        CASE(test_rocm_where_amdsmi_is_not, with_rocm),
        CASE(test_absent, with_amdsmi),
        CASE(test_never_two_for_the_same_joule, with_amdsmi),
    };

    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, build_all, drop_all);
}
