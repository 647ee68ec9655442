/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/footprint.h"

#include "base/csv.h"
#include "base/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Published footprints, recomputed through gl_footprint_of() and compared within the rounding in
 * which they were printed (tests/vectors/metering/README.md). */

#define G_PER_LB   453.59237
#define MJ_PER_KWH 3.6e9

struct table {
    struct gl_csv csv;
    char *bytes;
    const char *header[GL_CSV_MAX_FIELDS];
    size_t columns;
};

static void open_table(struct table *table, const char *name)
{
    char path[128];
    struct gl_error err = {0};
    size_t length;

    snprintf(path, sizeof path, "tests/vectors/metering/%s", name);
    if (gl_file_read(path, 65536, &table->bytes, &length, &err) != 0)
        fail_msg("%s", err.text);
    gl_csv_init(&table->csv, table->bytes, name);
    assert_int_equal(gl_csv_next(&table->csv, &err), 1);
    table->columns = table->csv.count;
    memcpy(table->header, table->csv.fields, sizeof table->header);
}

static bool next_row(struct table *table)
{
    struct gl_error err = {0};
    int result = gl_csv_next(&table->csv, &err);

    if (result < 0)
        fail_msg("%s", err.text);
    if (result == 0) {
        free(table->bytes);
        return false;
    }
    assert_int_equal(table->csv.count, table->columns);
    return true;
}

static const char *text(const struct table *table, const char *column)
{
    for (size_t i = 0; i < table->columns; i++)
        if (strcmp(table->header[i], column) == 0)
            return table->csv.fields[i];
    fail_msg("no column %s", column);
    return NULL;
}

static double number(const struct table *table, const char *column)
{
    const char *field = text(table, column);
    char *end;
    double value = strtod(field, &end);

    assert_true(end != field && *end == '\0');
    return value;
}

/* Half a unit of the last digit that was printed. */
static double rounding(const struct table *table, const char *column)
{
    const char *dot = strchr(text(table, column), '.');

    return 0.5 * pow(10, dot != NULL ? -(double)strlen(dot + 1) : 0);
}

static void assert_printed(const struct table *table, const char *column, double found,
                           double tolerance)
{
    double printed = number(table, column);
    double most = rounding(table, column) * 1.0001 + tolerance * printed;

    if (fabs(found - printed) > most)
        fail_msg("%s: %s is printed %s and computed %.4f", table->csv.fields[0], column,
                 text(table, column), found);
}

/* One run of so many kWh at one intensity, in integers as a receipt has them. */
static struct gl_footprint run_of(double kwh, double g_per_kwh, double pue)
{
    const int64_t energy_mj = (int64_t)llround(kwh * MJ_PER_KWH);
    const int64_t intensity_u = (int64_t)llround(g_per_kwh * 1e6);
    const struct gl_slot slot = {.from_s = 0,
                                 .until_s = 3600,
                                 .energy_mj = {energy_mj, energy_mj, energy_mj},
                                 .intensity_u = {intensity_u, intensity_u, intensity_u}};
    struct gl_footprint footprint;
    struct gl_error err = {0};

    if (gl_footprint_of(&slot, 1, (int64_t)llround(pue * 1000), NULL, &footprint, &err) != 0)
        fail_msg("%s", err.text);
    return footprint;
}

static double facility_kwh(const struct gl_footprint *footprint)
{
    return (double)footprint->facility_mj[1] / MJ_PER_KWH;
}

static double grams(const struct gl_footprint *footprint)
{
    return (double)footprint->operational_ug[1] / 1e6;
}

static void strubell_2019_table_3(void **state)
{
    struct table table;
    size_t rows = 0;

    (void)state;
    open_table(&table, "strubell2019_table3.csv");
    for (; next_row(&table); rows++) {
        double kwh = number(&table, "power_w") * number(&table, "hours") / 1000;
        struct gl_footprint footprint = run_of(kwh, 0.954 * G_PER_LB, 1.58);
        double tolerance = number(&table, "tolerance_permille") / 1000;

        assert_printed(&table, "kwh_times_pue", facility_kwh(&footprint), tolerance);
        assert_printed(&table, "co2e_lb", grams(&footprint) / G_PER_LB, tolerance);
    }
    assert_int_equal(rows, 6);
}

static void patterson_2021_table_4(void **state)
{
    struct table table;
    size_t rows = 0;

    (void)state;
    open_table(&table, "patterson2021_table4.csv");
    for (; next_row(&table); rows++) {
        double kwh =
            number(&table, "chips") * number(&table, "watts") * number(&table, "days") * 24 / 1000;
        double pue = number(&table, "pue");
        struct gl_footprint gross = run_of(kwh, number(&table, "gross_kg_per_kwh") * 1000, pue);
        struct gl_footprint net = run_of(kwh, number(&table, "net_kg_per_kwh") * 1000, pue);

        assert_printed(&table, "mwh", facility_kwh(&gross) / 1000, 0.008);
        assert_printed(&table, "gross_t", grams(&gross) / 1e6, 0.008);
        assert_printed(&table, "net_t", grams(&net) / 1e6, 0.008);
    }
    assert_int_equal(rows, 6);
}

static void luccioni_2022_bloom(void **state)
{
    struct table table;
    double tonnes[3];
    size_t rows = 0;

    (void)state;
    open_table(&table, "luccioni2022_bloom.csv");
    for (; next_row(&table); rows++) {
        struct gl_footprint footprint =
            run_of(number(&table, "kwh"), number(&table, "g_per_kwh"), number(&table, "pue"));

        assert_true(rows < 3);
        tonnes[rows] = grams(&footprint) / 1e6;
        assert_printed(&table, "tonnes", tonnes[rows], 0);
    }
    assert_int_equal(rows, 3);
    assert_true(fabs(1082990 * 0.4 - 433196) < 0.5); /* GPU hours times 0.4 kW */
    assert_true(fabs(tonnes[0] + tonnes[2] + 11.2 - 50.5) < 0.05);
}

static void essay_seeds(void **state)
{
    struct table table;
    size_t rows = 0;

    (void)state;
    open_table(&table, "essay_seeds.csv");
    for (; next_row(&table); rows++) {
        double kwh = number(&table, "gpu_hours") * number(&table, "watts") / 1000;
        bool is_pound = strcmp(text(&table, "factor_unit"), "lb/kWh") == 0;
        double factor = text(&table, "factor")[0] != '\0' ? number(&table, "factor") : 0;
        struct gl_footprint footprint = run_of(kwh, factor * (is_pound ? G_PER_LB : 1), 1);
        const char *unit = text(&table, "unit");

        if (strcmp(unit, "kWh") == 0)
            assert_printed(&table, "value", facility_kwh(&footprint), 0);
        else if (strcmp(unit, "lb") == 0)
            assert_printed(&table, "value", grams(&footprint) / G_PER_LB, 0);
        else if (strcmp(unit, "kg") == 0)
            assert_printed(&table, "value", grams(&footprint) / 1000, 0);
        else
            fail_msg("unit %s", unit);
    }
    assert_int_equal(rows, 8);
    /* Offsetting forty GPU hours at 10 USD a tonne. */
    struct gl_footprint forty = run_of(10, G_PER_LB, 1);
    assert_true(fabs(grams(&forty) / 1e6 * 10 - 0.0454) < 0.00005);
}

/* SCI, ISO/IEC 21031: TE 1,000 kg, EL 4 years of 8,760 h, TiR 1 h, RR/ToR 2/96: M = 0.5945 g. */
static void sci_embodied_share_of_an_hour(void **state)
{
    const struct gl_slot slot = {.from_s = 0, .until_s = 3600};
    const struct gl_embodied embodied = {.platform_g = {1000000, 1000000, 1000000},
                                         .lifetime_s = INT64_C(35040) * 3600,
                                         .share_ppm = 1000000 * 2 / 96};
    struct gl_footprint footprint;
    struct gl_error err = {0};

    (void)state;
    assert_int_equal(gl_footprint_of(&slot, 1, 1000, &embodied, &footprint, &err), 0);
    assert_true(fabs((double)footprint.embodied_ug[1] / 1e6 - 0.5945) < 0.0001);
    assert_int_equal(footprint.operational_ug[1], 0);
    assert_int_equal(footprint.total_ug[1], footprint.embodied_ug[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strubell_2019_table_3),         cmocka_unit_test(patterson_2021_table_4),
        cmocka_unit_test(luccioni_2022_bloom),           cmocka_unit_test(essay_seeds),
        cmocka_unit_test(sci_embodied_share_of_an_hour),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
