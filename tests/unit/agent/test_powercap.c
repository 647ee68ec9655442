/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/source.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/agent/tree.h"

/* The powercap source on fixture trees laid out as the kernel, node_exporter's and Kepler's
 * fixtures do: zones in the class folder or nested, two packages, an mmio twin, a malformed zone.
 */

#define SECOND INT64_C(1000000000)
#define RANGE  UINT64_C(262143328850)
#define CLASS  "/sys/class/powercap"

struct bench {
    char root[TREE_PATH];
    struct gl_machine machine;
    void *source;
    struct gl_yield out[GL_KINDS];
};

static void put_zone(const struct bench *bench, const char *folder, const char *name, uint64_t uj)
{
    char path[200];

    snprintf(path, sizeof path, CLASS "/%s/name", folder);
    tree_put(bench->root, path, name);
    snprintf(path, sizeof path, CLASS "/%s/max_energy_range_uj", folder);
    tree_number(bench->root, path, RANGE);
    snprintf(path, sizeof path, CLASS "/%s/energy_uj", folder);
    tree_number(bench->root, path, uj);
}

static void set_energy(const struct bench *bench, const char *folder, uint64_t uj)
{
    char path[200];

    snprintf(path, sizeof path, CLASS "/%s/energy_uj", folder);
    tree_number(bench->root, path, uj);
}

static int set_up(void **state)
{
    static struct bench bench;

    bench = (struct bench){.machine = {.threads = 64, .memory_gb = 256}};
    tree_make("test_powercap", bench.root);
    put_zone(&bench, "intel-rapl:0", "package-0\n", 1000000);
    put_zone(&bench, "intel-rapl:0/intel-rapl:0:0", "core\n", 500000);
    put_zone(&bench, "intel-rapl:0/intel-rapl:0:1", "dram\n", 200000);
    put_zone(&bench, "intel-rapl:1", "package-1\n", 2000000);
    put_zone(&bench, "intel-rapl:1/intel-rapl:1:0", "dram\n", 300000);
    /* the same sub-zones once more, as the class folder of a real kernel lists them */
    put_zone(&bench, "intel-rapl:0:1", "dram\n", 200000);
    put_zone(&bench, "intel-rapl:1:0", "dram\n", 300000);
    put_zone(&bench, "intel-rapl-mmio:0", "package-0\n", 1000000);
    tree_put(bench.root, CLASS "/intel-rapl/enabled", "1\n");
    tree_put(bench.root, CLASS "/intel-rapl:7/energy_uj", "no name beside it\n");
    *state = &bench;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *bench = *state;

    if (bench->source != NULL)
        gl_source_powercap.close(bench->source);
    tree_drop(bench->root);
    return 0;
}

static int open_source(struct bench *bench, struct gl_error *err)
{
    const struct gl_source_setup setup = {.place = {bench->root}, .machine = &bench->machine};

    return gl_source_powercap.open(&setup, &bench->source, err);
}

static void opened(struct bench *bench)
{
    struct gl_error err = {0};

    if (open_source(bench, &err) < 0)
        fail_msg("%s", err.text);
}

static void look(struct bench *bench, int64_t dt_ns)
{
    memset(bench->out, 0, sizeof bench->out);
    gl_source_powercap.sample(bench->source, dt_ns, bench->out);
}

static void test_sums_packages_and_dram_once(void **state)
{
    struct bench *bench = *state;

    opened(bench);
    set_energy(bench, "intel-rapl:0", 51000000);
    set_energy(bench, "intel-rapl:1", 32000000);
    set_energy(bench, "intel-rapl:0/intel-rapl:0:0", 30500000);
    set_energy(bench, "intel-rapl:0/intel-rapl:0:1", 10200000);
    set_energy(bench, "intel-rapl:1/intel-rapl:1:0", 5300000);
    set_energy(bench, "intel-rapl:0:1", 10200000);
    set_energy(bench, "intel-rapl:1:0", 5300000);
    look(bench, SECOND);
    assert_true(bench->out[GL_COMP_CPU].is_known);
    assert_int_equal(bench->out[GL_COMP_CPU].delta_uj, 50000000 + 30000000);
    assert_int_equal(bench->out[GL_COMP_DRAM].delta_uj, 10000000 + 5000000);
    assert_false(bench->out[GL_COMP_NODE].is_known);
    assert_false(bench->out[GL_COMP_GPU].is_known);
    /* low and high stand round the value, and a fixture is never a measurement */
    assert_true(bench->out[GL_COMP_CPU].low_uj < 80000000);
    assert_true(bench->out[GL_COMP_CPU].high_uj > 80000000);
    assert_int_equal(bench->out[GL_COMP_CPU].tier, GL_TIER_S);
}

static void test_a_tree_bound_over_sys_is_not_genuine(void **state)
{
    struct gl_place real = {""};
    int fd = gl_place_open(&real, "/proc/self/stat");

    (void)state;
    assert_true(fd >= 0);
    assert_false(gl_place_is_genuine(&real, fd)); /* no prefix, but not sysfs either */
    close(fd);
    fd = gl_place_open(&real, "/sys/kernel/notes");
    if (fd < 0)
        skip();
    assert_true(gl_place_is_genuine(&real, fd));
    close(fd);
}

static void test_wrap(void **state)
{
    struct bench *bench = *state;

    set_energy(bench, "intel-rapl:0", RANGE - 1000000);
    opened(bench);
    set_energy(bench, "intel-rapl:0", 3000000);
    look(bench, SECOND);
    assert_true(bench->out[GL_COMP_CPU].is_known);
    assert_int_equal(bench->out[GL_COMP_CPU].delta_uj, 4000000);
    assert_int_equal(bench->out[GL_COMP_CPU].flags, GL_FLAG_WRAPPED);
}

static void test_failed_read_is_never_zero(void **state)
{
    struct bench *bench = *state;

    opened(bench);
    tree_put(bench->root, CLASS "/intel-rapl:0/energy_uj", "");
    look(bench, SECOND);
    assert_false(bench->out[GL_COMP_CPU].is_known);
    assert_int_equal(bench->out[GL_COMP_CPU].flags, GL_FLAG_BOUNDED);
    assert_int_equal(bench->out[GL_COMP_CPU].delta_uj, 0);
    /* the counter is back far away: this look only starts anew, the next one counts */
    set_energy(bench, "intel-rapl:0", 200000000000);
    look(bench, SECOND);
    assert_false(bench->out[GL_COMP_CPU].is_known);
    set_energy(bench, "intel-rapl:0", 200007000000);
    look(bench, SECOND);
    assert_true(bench->out[GL_COMP_CPU].is_known);
    assert_int_equal(bench->out[GL_COMP_CPU].delta_uj, 7000000);
}

static void test_nonsense_is_not_a_number(void **state)
{
    static const char *const texts[] = {
        "-5\n", "12x\n", "0x10\n", "1e9\n", "99999999999999999999999\n", "\n"};
    struct bench *bench = *state;

    opened(bench);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        tree_put(bench->root, CLASS "/intel-rapl:1/energy_uj", texts[i]);
        look(bench, SECOND);
        if (bench->out[GL_COMP_CPU].is_known)
            fail_msg("took %s", texts[i]);
    }
}

static void test_vanished_zone(void **state)
{
    struct bench *bench = *state;

    opened(bench);
    tree_remove(bench->root, CLASS "/intel-rapl:0/intel-rapl:0:1/energy_uj");
    set_energy(bench, "intel-rapl:0", 2000000);
    set_energy(bench, "intel-rapl:1", 3000000);
    look(bench, SECOND);
    assert_int_equal(bench->out[GL_COMP_CPU].delta_uj, 2000000);
}

static void test_reset_and_implausible(void **state)
{
    struct bench *bench = *state;

    set_energy(bench, "intel-rapl:0", 200000000000);
    opened(bench);
    set_energy(bench, "intel-rapl:0", 0); /* error told as zero, or a driver loaded anew */
    look(bench, 10 * SECOND);
    assert_false(bench->out[GL_COMP_CPU].is_known);
    assert_int_equal(bench->out[GL_COMP_CPU].flags, GL_FLAG_BOUNDED);
}

static void test_unreadable_range_discards_backwards(void **state)
{
    struct bench *bench = *state;

    tree_remove(bench->root, CLASS "/intel-rapl:0/max_energy_range_uj");
    set_energy(bench, "intel-rapl:0", 4000000000);
    opened(bench);
    set_energy(bench, "intel-rapl:0", 10000);
    look(bench, SECOND);
    assert_false(bench->out[GL_COMP_CPU].is_known);
    set_energy(bench, "intel-rapl:0", 5010000);
    look(bench, SECOND);
    assert_int_equal(bench->out[GL_COMP_CPU].delta_uj, 5000000);
}

static void test_too_long_is_ambiguous(void **state)
{
    struct bench *bench = *state;

    opened(bench);
    set_energy(bench, "intel-rapl:0", 2000000);
    look(bench, 900 * SECOND);
    assert_false(bench->out[GL_COMP_CPU].is_known);
    /* range / (4 * 500 W) */
    assert_in_range(gl_source_powercap.longest_ms(bench->source), 131000, 131100);
}

static void test_psys_and_parts(void **state)
{
    struct bench *bench = *state;

    put_zone(bench, "intel-rapl:2", "psys\n", 9000000);
    opened(bench);
    set_energy(bench, "intel-rapl:2", 109000000);
    set_energy(bench, "intel-rapl:0", 11000000);
    set_energy(bench, "intel-rapl:0/intel-rapl:0:0", 60500000); /* cores above both packages: P5 */
    look(bench, SECOND);
    assert_true(bench->out[GL_COMP_NODE].is_known);
    assert_int_equal(bench->out[GL_COMP_NODE].delta_uj, 100000000);
    assert_string_equal(bench->out[GL_COMP_NODE].source, "psys");
    assert_int_equal(bench->out[GL_COMP_CPU].delta_uj, 60000000);
    assert_int_equal(bench->out[GL_COMP_CPU].flags, GL_FLAG_SENTINEL);
}

static void test_one_unreadable_package_is_no_measurement(void **state)
{
    struct bench *bench = *state;
    struct gl_error err = {0};

    tree_put(bench->root, CLASS "/intel-rapl:1/energy_uj", "");
    assert_int_equal(open_source(bench, &err), -1);
    assert_int_equal(err.code, GL_E_IO);
    assert_non_null(strstr(err.text, "1 of 2"));
}

static void test_frozen_counter_is_not_no_energy(void **state)
{
    struct bench *bench = *state;

    opened(bench);
    look(bench, SECOND);
    assert_false(bench->out[GL_COMP_CPU].is_known);
    assert_int_equal(bench->out[GL_COMP_CPU].flags, GL_FLAG_SENTINEL | GL_FLAG_BOUNDED);
    look(bench, SECOND / 100); /* but nothing is seen of a moment */
    assert_true(bench->out[GL_COMP_CPU].is_known);
}

static void test_no_zone(void **state)
{
    struct bench *bench = *state;
    struct gl_error err = {0};

    tree_drop(bench->root);
    assert_int_equal(open_source(bench, &err), -1);
    assert_int_equal(err.code, GL_E_NOT_FOUND);
}

static void test_nested_class_folder(void **state)
{
    struct bench *bench = *state;

    tree_drop(bench->root);
    put_zone(bench, "intel-rapl/intel-rapl:0", "package-0\n", 5);
    put_zone(bench, "intel-rapl/intel-rapl:0/intel-rapl:0:0", "dram\n", 6);
    opened(bench);
    set_energy(bench, "intel-rapl/intel-rapl:0", 1000005);
    set_energy(bench, "intel-rapl/intel-rapl:0/intel-rapl:0:0", 500006);
    look(bench, SECOND);
    assert_int_equal(bench->out[GL_COMP_CPU].delta_uj, 1000000);
    assert_int_equal(bench->out[GL_COMP_DRAM].delta_uj, 500000);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(test_sums_packages_and_dram_once),
        CASE(test_a_tree_bound_over_sys_is_not_genuine),
        CASE(test_wrap),
        CASE(test_failed_read_is_never_zero),
        CASE(test_nonsense_is_not_a_number),
        CASE(test_vanished_zone),
        CASE(test_reset_and_implausible),
        CASE(test_unreadable_range_discards_backwards),
        CASE(test_too_long_is_ambiguous),
        CASE(test_psys_and_parts),
        CASE(test_one_unreadable_package_is_no_measurement),
        CASE(test_frozen_counter_is_not_no_energy),
        CASE(test_no_zone),
        CASE(test_nested_class_folder),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
