/* SPDX-License-Identifier: Apache-2.0 */
#include "base/power.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define assert_near(a, b) assert_near_at((a), (b), __LINE__)

static void assert_near_at(double a, double b, int line)
{
    if (!(fabs(a - b) <= 1e-6 * (1 + fabs(b))))
        fail_msg("line %d: %.9g is not near %.9g", line, a, b);
}

static void the_table_is_in_order(void **state)
{
    size_t count;
    const struct gl_power_family *rows = gl_power_families(&count);

    (void)state;
    assert_int_equal(count, 20);
    for (size_t i = 0; i < count; i++) {
        assert_ptr_equal(gl_power_family(rows[i].key), &rows[i]);
        assert_true(i == 0 || strcmp(rows[i - 1].key, rows[i].key) < 0);
        assert_true(rows[i].servers >= 3);
        assert_true(rows[i].gb_per_thread >= 0 && rows[i].gb_per_thread < 8);
        for (size_t stat = 0; stat < 3; stat++)
            for (size_t load = 0; load < 11; load++) {
                const float *w = rows[i].w_per_thread[stat];

                assert_true(w[load] > 0 && w[load] < 15);
                assert_true(load == 0 || w[load] > w[load - 1]);
                assert_true(stat == 0 || w[load] >= rows[i].w_per_thread[stat - 1][load]);
            }
    }
    assert_null(gl_power_family("z80"));
}

/* Points of the published curve; halves are linear between them. */
static void a_known_cpu_follows_its_curve(void **state)
{
    const struct gl_machine machine = {.family = gl_power_family("cascadelake"), .threads = 8};
    struct gl_band band = gl_power_cpu(&machine, 0.5);

    (void)state;
    assert_near(band.central, 8 * (double)1.824f);
    assert_near(band.low, 0.83 * band.central);
    assert_near(band.high, 1.72 * band.central);
    assert_near(gl_power_cpu(&machine, 0).central, 8 * (double)0.513f);
    assert_near(gl_power_cpu(&machine, 1).central, 8 * (double)3.75f);
    assert_near(gl_power_cpu(&machine, 0.95).central, 4 * ((double)3.112f + (double)3.75f));
    assert_near(gl_power_cpu(&machine, -1).central, gl_power_cpu(&machine, 0).central);
    assert_near(gl_power_cpu(&machine, 7).central, gl_power_cpu(&machine, 1).central);
    assert_near(gl_power_cpu(&machine, (double)NAN).central, gl_power_cpu(&machine, 1).central);
}

static int compare(const void *a, const void *b)
{
    const float *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

/* The generic curve is the median over the families, here taken anew. */
static void an_unknown_cpu_is_the_median_family(void **state)
{
    const struct gl_machine machine = {.threads = 1};
    size_t count;
    const struct gl_power_family *rows = gl_power_families(&count);

    (void)state;
    for (size_t load = 0; load < 11; load++) {
        float w[32];
        double median;
        struct gl_band band = gl_power_cpu(&machine, (double)load / 10);

        assert_in_range(count, 2, 32);
        for (size_t i = 0; i < count; i++)
            w[i] = rows[i].w_per_thread[1][load];
        qsort(w, count, sizeof w[0], compare);
        median = ((double)w[(count - 1) / 2] + (double)w[count / 2]) / 2;
        assert_near(band.central, median);
        assert_near(band.low, 0.4 * median);
        assert_near(band.high, 2.5 * median);
    }
}

static void memory_counts_above_the_family_own(void **state)
{
    struct gl_machine machine = {
        .family = gl_power_family("cascadelake"), .threads = 10, .memory_gb = 117.1};
    struct gl_band band = gl_power_memory(&machine);

    (void)state;
    assert_near(band.low, 20.0); /* 117.1 - 10 * 1.71 = 100 GB */
    assert_near(band.central, 38.0);
    assert_near(band.high, 60.0);
    machine.memory_gb = 17;
    assert_near(gl_power_memory(&machine).high, 0);
    machine.family = NULL; /* not known: 4 GB a thread */
    machine.memory_gb = 50;
    assert_near(gl_power_memory(&machine).central, 3.8);
}

static void a_gpu_follows_its_limit(void **state)
{
    const struct gl_machine machine = {.gpu_count = 2, .gpu_watts = 400};
    static const double rows[][2] = {{0, 80},    {0.05, 200}, {0.1, 320}, {0.3, 460},
                                     {0.5, 600}, {0.75, 700}, {1, 800}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct gl_band band = gl_power_gpu(&machine, rows[i][0]);
        double high = 1.8 * rows[i][1];

        assert_near(band.central, rows[i][1]);
        assert_near(band.low, 0.6 * rows[i][1]);
        assert_near(band.high, high < 840 ? high : 840); /* the board holds its limit */
    }
}

static void a_machine_is_the_sum_of_its_parts(void **state)
{
    const struct gl_machine machine = {.family = gl_power_family("epyc3"),
                                       .threads = 16,
                                       .memory_gb = 128,
                                       .gpu_count = 1,
                                       .gpu_watts = 300};
    struct gl_band cpu = gl_power_cpu(&machine, 0.37), memory = gl_power_memory(&machine);
    struct gl_band gpu = gl_power_gpu(&machine, 0.2), all = gl_power_machine(&machine, 0.37, 0.2);

    (void)state;
    assert_near(all.low, cpu.low + memory.low + gpu.low);
    assert_near(all.central, cpu.central + memory.central + gpu.central);
    assert_near(all.high, cpu.high + memory.high + gpu.high);
    assert_true(all.low < all.central && all.central < all.high);
}

static void plausible_bounds_hold_every_estimate(void **state)
{
    struct gl_machine machine = {.family = gl_power_family("cascadelake"),
                                 .threads = 8,
                                 .memory_gb = 32,
                                 .gpu_count = 1,
                                 .gpu_watts = 72};
    size_t count;
    const struct gl_power_family *rows = gl_power_families(&count);
    double unknown_max, unknown_min;

    (void)state;
    assert_near(gl_power_plausible_max(&machine).w,
                1.6 * (1.25 * (double)5.305f * 8 + 0.6 * 32) + 1.05 * 72);
    assert_near(gl_power_plausible_min(&machine).w, 0.5 * (double)0.427f * 8 + 5);
    machine.family = NULL;
    unknown_max = gl_power_plausible_max(&machine).w;
    unknown_min = gl_power_plausible_min(&machine).w;
    for (size_t i = 0; i < count; i++) {
        machine.family = &rows[i];
        assert_true(gl_power_plausible_max(&machine).w <= unknown_max);
        assert_true(gl_power_plausible_min(&machine).w >= unknown_min);
        assert_true(gl_power_machine(&machine, 1, 1).high <= unknown_max);
        assert_true(gl_power_machine(&machine, 0, 0).central >= unknown_min);
    }
}

static void processors_are_known_by_their_numbers(void **state)
{
    static const struct {
        const char *vendor;
        unsigned family, model, stepping;
        const char *key;
    } rows[] = {
        {"GenuineIntel", 6, 0x55, 4, "skylake"},
        {"GenuineIntel", 6, 0x55, 7, "cascadelake"},
        {"GenuineIntel", 6, 0x55, 5, "cascadelake"},
        {"GenuineIntel", 6, 0x55, 11, "cooperlake"},
        {"GenuineIntel", 6, 0x55, 8, NULL},
        {"GenuineIntel", 6, 0x6a, 6, "icelake"},
        {"GenuineIntel", 6, 0x8f, 8, "sapphirerapids"},
        {"GenuineIntel", 6, 0xcf, 2, "emeraldrapids"},
        {"GenuineIntel", 6, 0xad, 1, "graniterapids"},
        {"GenuineIntel", 6, 0x4f, 1, "broadwell"},
        {"GenuineIntel", 6, 0x3f, 2, "haswell"},
        {"GenuineIntel", 6, 0x2d, 7, "sandybridge"},
        {"GenuineIntel", 6, 0x3e, 4, "ivybridge"},
        {"GenuineIntel", 6, 0x9e, 10, "coffeelake"},
        {"AuthenticAMD", 23, 0x01, 2, "epyc1"},
        {"AuthenticAMD", 23, 0x31, 0, "epyc2"},
        {"AuthenticAMD", 25, 0x01, 1, "epyc3"},
        {"AuthenticAMD", 25, 0x11, 1, "epyc4"},
        {"AuthenticAMD", 25, 0xa0, 2, "epyc4"},
        {"AuthenticAMD", 26, 0x02, 1, "epyc5"},
        {"AuthenticAMD", 26, 0x11, 0, "epyc5"},
        {"ARM", 0x41, 0xd0c, 1, "neoverse-n1"},
        {"AuthenticAMD", 15, 107, 1, NULL}, /* QEMU's qemu64 */
        {"GenuineIntel", 6, 6, 3, NULL},
        {"GenuineIntel", 25, 0x01, 1, NULL},
        {"", 6, 0x55, 4, NULL},
    };
    size_t count;
    const struct gl_power_family *families = gl_power_families(&count);

    (void)state;
    assert_true(count > 0 && families != NULL);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *key =
            gl_power_family_of_cpu(rows[i].vendor, rows[i].family, rows[i].model, rows[i].stepping);

        if (rows[i].key == NULL) {
            assert_null(key);
            continue;
        }
        assert_non_null(key);
        assert_string_equal(key, rows[i].key);
        assert_non_null(gl_power_family(key));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_is_in_order),
        cmocka_unit_test(a_known_cpu_follows_its_curve),
        cmocka_unit_test(an_unknown_cpu_is_the_median_family),
        cmocka_unit_test(memory_counts_above_the_family_own),
        cmocka_unit_test(a_gpu_follows_its_limit),
        cmocka_unit_test(a_machine_is_the_sum_of_its_parts),
        cmocka_unit_test(plausible_bounds_hold_every_estimate),
        cmocka_unit_test(processors_are_known_by_their_numbers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
