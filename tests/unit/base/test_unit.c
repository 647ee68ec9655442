/* SPDX-License-Identifier: Apache-2.0 */
#include "base/unit.h"

#include <inttypes.h>
#include <math.h>
#include <regex.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define UNTOUCHED INT64_C(-12345)

struct good {
    enum gl_dimension dim;
    const char *text;
    int64_t millionths;
};

static const struct good good[] = {
    {GL_DIM_INTENSITY, "100 gCO2e/kWh", 100000000},
    {GL_DIM_INTENSITY, "100gCO2/kWh", 100000000},
    {GL_DIM_INTENSITY,
     "100 gCO\xe2\x82\x82"
     "e/kWh",
     100000000},
    {GL_DIM_INTENSITY, "100 g CO2eq / kWh", 100000000},
    {GL_DIM_INTENSITY, "100 g CO2e per kWh", 100000000},
    {GL_DIM_INTENSITY, "  100 g/kWh\t", 100000000},
    {GL_DIM_INTENSITY, "41.5 kgCO2e/MWh", 41500000},
    {GL_DIM_INTENSITY, "0.4 tCO2e/MWh", 400000000},
    {GL_DIM_INTENSITY, "1000 lb/MWh", 453592370},
    {GL_DIM_INTENSITY, "1 lb/MWh", 453592},
    {GL_DIM_INTENSITY, "3 lb/MWh", 1360777}, /* 1360777.11 */
    {GL_DIM_INTENSITY, "5 lb/MWh", 2267962}, /* 2267961.85, rounded */
    {GL_DIM_INTENSITY, "0 g/kWh", 0},
    {GL_DIM_INTENSITY, "1 t/GWh", 1000000},
    {GL_DIM_INTENSITY, "500 mgCO2e/kWh", 500000},
    {GL_DIM_MASS, "500 mg", 500000},
    {GL_DIM_MASS, "12.3 mgCO2e", 12300},
    {GL_DIM_MASS_RATE, "730.5 mg per month", 1000},
    {GL_DIM_ENERGY, "44.4 mWh", 44400},
    {GL_DIM_MASS, "5 kg", INT64_C(5000000000)},
    {GL_DIM_MASS, "1.5 t", INT64_C(1500000000000)},
    {GL_DIM_MASS, "2kgCO2e", INT64_C(2000000000)},
    {GL_DIM_MASS, "2 kg CO2", INT64_C(2000000000)},
    {GL_DIM_MASS, "1 lb", 453592370},
    {GL_DIM_MASS, "1_000 g", INT64_C(1000000000)},
    {GL_DIM_MASS, "0.000_001 g", 1},
    {GL_DIM_MASS, "0.0000004 g", 0},
    {GL_DIM_MASS, "0.0000005 g", 1},
    {GL_DIM_MASS, "9223372.03685477580 t", INT64_C(9223372036854775800)},
    {GL_DIM_ENERGY, "1 kWh", INT64_C(1000000000)},
    {GL_DIM_ENERGY, "3600 J", 1000000},
    {GL_DIM_ENERGY, "3.6 kJ", 1000000},
    {GL_DIM_ENERGY, "3.6 MJ", INT64_C(1000000000)},
    {GL_DIM_ENERGY, "1 J", 278},
    {GL_DIM_ENERGY, "2 MWh", INT64_C(2000000000000)},
    {GL_DIM_ENERGY, "1 GWh", INT64_C(1000000000000000)},
    {GL_DIM_POWER, "300 W", 300000000},
    {GL_DIM_POWER, "0.3 kW", 300000000},
    {GL_DIM_POWER, "1 MW", INT64_C(1000000000000)},
    {GL_DIM_MASS_RATE, "50 g/h", 50000000},
    {GL_DIM_MASS_RATE, "24 kg per day", INT64_C(1000000000)},
    {GL_DIM_MASS_RATE, "24 kgCO2e/d", INT64_C(1000000000)},
    {GL_DIM_MASS_RATE, "168 g/week", 1000000},
    {GL_DIM_MASS_RATE, "730.5 g per month", 1000000},
    {GL_DIM_MASS_RATE, "8766 g per year", 1000000},
    {GL_DIM_SHARE, "80%", 800000},
    {GL_DIM_SHARE, "80 %", 800000},
    {GL_DIM_SHARE, "99.9999%", 999999},
    {GL_DIM_SHARE, "150%", 1500000},
    {GL_DIM_SIZE, "16 GiB", INT64_C(17179869184000000)},
    {GL_DIM_SIZE, "16GB", INT64_C(16000000000000000)},
    {GL_DIM_SIZE, "1 TiB", INT64_C(1099511627776000000)},
    {GL_DIM_SIZE, "1 KiB", 1024000000},
    {GL_DIM_SIZE, "1 MiB", INT64_C(1048576000000)},
    {GL_DIM_SIZE, "512 B", 512000000},
    {GL_DIM_PRICE, "0.40 USD/h", 400000},
    {GL_DIM_PRICE, "$0.40/h", 400000},
    {GL_DIM_PRICE, "$ 0.40 per hour", 400000},
    {GL_DIM_PRICE, "730.5 USD per month", 1000000},
    {GL_DIM_COUNT, "8", 8000000},
    {GL_DIM_COUNT, "1.5", 1500000},
    {GL_DIM_COUNT, "007", 7000000},
    {GL_DIM_DURATION, "4h", INT64_C(14400000000)},
};

static void test_quantities(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct gl_error err = {0};
        int64_t value = UNTOUCHED;

        if (gl_quantity_parse(good[i].dim, good[i].text, &value, &err) != 0)
            fail_msg("%s: %s", good[i].text, err.text);
        if (value != good[i].millionths)
            fail_msg("%s: %" PRId64 ", not %" PRId64, good[i].text, value, good[i].millionths);
    }
}

struct bad {
    enum gl_dimension dim;
    const char *text;
    enum gl_errc code;
    const char *says; /* part of the message */
};

static const struct bad bad[] = {
    {GL_DIM_INTENSITY, "100", GL_E_UNIT_MISSING, "write the unit, as in \"100 gCO2e/kWh\""},
    {GL_DIM_INTENSITY, "100 ", GL_E_UNIT_MISSING, "write the unit"},
    {GL_DIM_INTENSITY, "100 g", GL_E_UNIT_MISSING, "no unit of intensity"},
    {GL_DIM_INTENSITY, "100 g/h", GL_E_UNIT_MISSING, "no unit of intensity"},
    {GL_DIM_INTENSITY, "100 g per", GL_E_UNIT_MISSING, "no unit"},
    {GL_DIM_INTENSITY, "100 g per / kWh", GL_E_UNIT_MISSING, "no unit"},
    {GL_DIM_INTENSITY, "100 g//kWh", GL_E_UNIT_MISSING, "no unit"},
    {GL_DIM_INTENSITY, "100 gco2e/kwh", GL_E_UNIT_MISSING, "no unit"},
    {GL_DIM_INTENSITY, "100 g CO2e CO2e/kWh", GL_E_UNIT_MISSING, "no unit"},
    {GL_DIM_INTENSITY, "100 gCO2e CO2e/kWh", GL_E_UNIT_MISSING, "no unit"},
    {GL_DIM_INTENSITY, "100 CO2e/kWh", GL_E_UNIT_MISSING, "no unit"},
    {GL_DIM_INTENSITY, "100 g/kWhCO2e", GL_E_UNIT_MISSING, "no unit"},
    {GL_DIM_INTENSITY, "100 g/kWh extra", GL_E_UNIT_MISSING, "no unit"},
    {GL_DIM_INTENSITY, "100 ton/MWh", GL_E_UNIT_MISSING, "which ton?"},
    {GL_DIM_INTENSITY, "100 abcdefghijklmnopqrstuvwxyzabcdefgh/kWh", GL_E_UNIT_MISSING, "no unit"},
    {GL_DIM_INTENSITY, "-5 g/kWh", GL_E_BAD_VALUE, "negative"},
    {GL_DIM_INTENSITY, "+5 g/kWh", GL_E_BAD_VALUE, "does not begin with a number"},
    {GL_DIM_INTENSITY, "1,5 g/kWh", GL_E_BAD_VALUE, "comma"},
    {GL_DIM_INTENSITY, "1e3 g/kWh", GL_E_BAD_VALUE, "exponent"},
    {GL_DIM_INTENSITY, "1E+3 g/kWh", GL_E_BAD_VALUE, "exponent"},
    {GL_DIM_INTENSITY, "1e-3 g/kWh", GL_E_BAD_VALUE, "exponent"},
    {GL_DIM_INTENSITY, "1E3 g/kWh", GL_E_BAD_VALUE, "exponent"},
    {GL_DIM_INTENSITY, "1 000 g/kWh", GL_E_BAD_VALUE, "space between digits"},
    {GL_DIM_INTENSITY, "nan g/kWh", GL_E_BAD_VALUE, "does not begin with a number"},
    {GL_DIM_INTENSITY, "inf", GL_E_BAD_VALUE, "does not begin with a number"},
    {GL_DIM_INTENSITY, "", GL_E_BAD_VALUE, "does not begin with a number"},
    {GL_DIM_INTENSITY, ".5 g/kWh", GL_E_BAD_VALUE, "digit before the point"},
    {GL_DIM_INTENSITY, "5. g/kWh", GL_E_BAD_VALUE, "both sides"},
    {GL_DIM_INTENSITY, "1.2.3 g/kWh", GL_E_BAD_VALUE, "both sides"},
    {GL_DIM_INTENSITY, "1__0 g/kWh", GL_E_BAD_VALUE, "underscore"},
    {GL_DIM_INTENSITY, "10_ g/kWh", GL_E_BAD_VALUE, "underscore"},
    {GL_DIM_INTENSITY, "\x1b[1m", GL_E_BAD_VALUE, "\\x1b"},
    {GL_DIM_MASS, "1 ton", GL_E_UNIT_MISSING, "which ton?"},
    {GL_DIM_MASS, "1 tons", GL_E_UNIT_MISSING, "which ton?"},
    {GL_DIM_MASS, "1 kg/h", GL_E_UNIT_MISSING, "no unit of mass"},
    {GL_DIM_MASS, "1 kg per", GL_E_UNIT_MISSING, "no unit of mass"},
    {GL_DIM_MASS, "1 kg/", GL_E_UNIT_MISSING, "no unit of mass"},
    {GL_DIM_MASS, "9223372.03685477581 t", GL_E_BAD_VALUE, "too large"},
    {GL_DIM_MASS, "999999999999999999 t", GL_E_BAD_VALUE, "too large"},
    {GL_DIM_MASS, "1000000000000000000 g", GL_E_BAD_VALUE, "too many digits"},
    {GL_DIM_MASS, "0.0000000000000000001 g", GL_E_BAD_VALUE, "too many digits"},
    {GL_DIM_ENERGY, "1 kWhCO2e", GL_E_UNIT_MISSING, "no unit of energy"},
    {GL_DIM_ENERGY, "1 kwh", GL_E_UNIT_MISSING, "did you mean \"kWh\""},
    {GL_DIM_POWER, "1 mW", GL_E_UNIT_MISSING, "no unit of power"},
    {GL_DIM_MASS_RATE, "50 g", GL_E_UNIT_MISSING, "50 kg per month"},
    {GL_DIM_MASS_RATE, "50 g/m", GL_E_UNIT_MISSING, "minute or month"},
    {GL_DIM_SHARE, "0.8", GL_E_UNIT_MISSING, "write the unit, as in \"80%\""},
    {GL_DIM_SHARE, "80%%", GL_E_UNIT_MISSING, "did you mean \"%\""},
    {GL_DIM_SHARE, "80 pct", GL_E_UNIT_MISSING, "did you mean \"%\""},
    {GL_DIM_INTENSITY, "1 gC02/kWh", GL_E_UNIT_MISSING, "did you mean \"gCO2e/kWh\""},
    {GL_DIM_MASS, "5 kgs", GL_E_UNIT_MISSING, "did you mean \"kg\""},
    {GL_DIM_DURATION, "3x", GL_E_UNIT_MISSING, "write it as in \"1h30min\""},
    {GL_DIM_DURATION, "5 minutes", GL_E_UNIT_MISSING, "did you mean \"min\""},
    {GL_DIM_SIZE, "16 Gb", GL_E_UNIT_MISSING, "did you mean \"GB\""},
    {GL_DIM_SIZE, "999 TiB", GL_E_BAD_VALUE, "too large"},
    {GL_DIM_PRICE, "0.40 EUR/h", GL_E_UNIT_MISSING, "no unit of price"},
    {GL_DIM_PRICE, "0.40 USD", GL_E_UNIT_MISSING, "no unit of price"},
    {GL_DIM_PRICE, "$0.40", GL_E_UNIT_MISSING, "write the unit"},
    {GL_DIM_PRICE, "$0.40 USD/h", GL_E_UNIT_MISSING, "no unit of price"},
    {GL_DIM_PRICE, "$0.40 CO2e/h", GL_E_UNIT_MISSING, "no unit of price"},
    {GL_DIM_PRICE, "$/h", GL_E_BAD_VALUE, "does not begin"},
    {GL_DIM_PRICE, "$1 per month and then some more", GL_E_UNIT_MISSING, "no unit of price"},
    {GL_DIM_MASS, "$1 g", GL_E_BAD_VALUE, "does not begin"},
    {GL_DIM_COUNT, "8 cores", GL_E_BAD_VALUE, "without a unit"},
    {GL_DIM_COUNT, "", GL_E_BAD_VALUE, "does not begin"},
    {GL_DIM_DURATION, "4", GL_E_UNIT_MISSING, "write the unit, as in \"1h30min\""},
    {GL_DIM_COUNT_KINDS, "1", GL_E_INTERNAL, "no dimension"},
};

static void test_refusals(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct gl_error err = {0};
        int64_t value = UNTOUCHED;

        if (gl_quantity_parse(bad[i].dim, bad[i].text, &value, &err) != -1)
            fail_msg("\"%s\" was taken", bad[i].text);
        if (err.code != bad[i].code || strstr(err.text, bad[i].says) == NULL)
            fail_msg("\"%s\": %d %s", bad[i].text, (int)err.code, err.text);
        assert_int_equal(value, UNTOUCHED);
    }
}

static void test_spans(void **state)
{
    static const struct {
        const char *text;
        int64_t s;
    } rows[] = {
        {"1s", 1},          {"90 min", 5400}, {"4h", 14400},      {"1.5h", 5400},
        {"2d", 172800},     {"1w", 604800},   {"1h30min", 5400},  {"1 h 30 min", 5400},
        {"1d 2h3s", 93603}, {"PT4H", 14400},  {"P1D", 86400},     {"P1DT2H30M", 95400},
        {"P2W", 1209600},   {"PT90S", 90},    {"PT1H1M1S", 3661}, {"3652.5 d", 315576000},
        {" 5 min ", 300},   {"1_000s", 1000},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct gl_error err = {0};
        struct gl_span span = {-1};

        if (gl_span_parse(rows[i].text, &span, &err) != 0)
            fail_msg("%s: %s", rows[i].text, err.text);
        assert_int_equal(span.s, rows[i].s);
    }
}

static void test_span_refusals(void **state)
{
    static const struct {
        const char *text;
        enum gl_errc code;
        const char *says;
    } rows[] = {
        {"5m", GL_E_UNIT_MISSING, "minute or month? write min"},
        {"5", GL_E_UNIT_MISSING, "write the unit"},
        {"1h30", GL_E_UNIT_MISSING, "write the unit"},
        {"1 month", GL_E_UNIT_MISSING, "no unit of duration"},
        {"1 /h", GL_E_UNIT_MISSING, "no unit of duration"},
        {"1 abcdefghijklmnopqrstuvwxyzabcdef", GL_E_UNIT_MISSING, "no unit of duration"},
        {"", GL_E_BAD_VALUE, "empty"},
        {"0s", GL_E_BAD_VALUE, "at least 1 s"},
        {"0.5s", GL_E_BAD_VALUE, "whole number of seconds"},
        {"30min1h", GL_E_BAD_VALUE, "longest unit first"},
        {"1h1h", GL_E_BAD_VALUE, "longest unit first"},
        {"-1h", GL_E_BAD_VALUE, "negative"},
        {"11000d", GL_E_BAD_VALUE, "at most 10 years"},
        {"3652d 13h", GL_E_BAD_VALUE, "at most 10 years"},
        {"999999999999999999w", GL_E_BAD_VALUE, "at most 10 years"},
        {"4h,", GL_E_BAD_VALUE, "number"},
        {"P", GL_E_BAD_VALUE, "empty"},
        {"PT", GL_E_BAD_VALUE, "empty"},
        {"P1DT", GL_E_BAD_VALUE, "empty"},
        {"P1M", GL_E_BAD_VALUE, "ISO 8601"},
        {"P1Y", GL_E_BAD_VALUE, "ISO 8601"},
        {"P4H", GL_E_BAD_VALUE, "ISO 8601"},
        {"PT1M1H", GL_E_BAD_VALUE, "ISO 8601"},
        {"PT4", GL_E_BAD_VALUE, "ISO 8601"},
        {"P1T4H", GL_E_BAD_VALUE, "ISO 8601"},
        {"PTT4H", GL_E_BAD_VALUE, "ISO 8601"},
        {"PTH", GL_E_BAD_VALUE, "ISO 8601"},
        {"PT1.5H", GL_E_BAD_VALUE, "ISO 8601"},
        {"PT99999999999999999999S", GL_E_BAD_VALUE, "ISO 8601"},
        {"PT999999999999S", GL_E_BAD_VALUE, "at most 10 years"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct gl_error err = {0};
        struct gl_span span = {-1};

        if (gl_span_parse(rows[i].text, &span, &err) != -1)
            fail_msg("\"%s\" was taken as %" PRId64 " s", rows[i].text, span.s);
        if (err.code != rows[i].code || strstr(err.text, rows[i].says) == NULL)
            fail_msg("\"%s\": %d %s", rows[i].text, (int)err.code, err.text);
        assert_int_equal(span.s, -1);
    }
}

static void test_share(void **state)
{
    struct gl_share share = {-1};
    struct gl_error err = {0};

    (void)state;
    assert_int_equal(gl_share_parse("12.5%", &share, &err), 0);
    assert_true(fabs(share.ratio - 0.125) < 1e-12);
    assert_int_equal(gl_share_parse("0.5", &share, &err), -1);
    assert_int_equal(err.code, GL_E_UNIT_MISSING);
    assert_true(fabs(share.ratio - 0.125) < 1e-12);
}

static void test_number_text(void **state)
{
    static const struct {
        double number;
        const char *text;
    } rows[] = {
        {0.0123, "0.0123"},
        {4.56, "4.56"},
        {123, "123"},
        {45600, "45600"},
        {0, "0"},
        {-4.56, "-4.56"},
        {999.6, "1000"},
        {0.09996, "0.100"},
        {1, "1.00"},
        {12.34, "12.3"},
        {45678, "45700"},
        {1e-40, "0"},
        {9.996, "10.0"},
        {0.5, "0.500"},
        {-0.00123456, "-0.00123"},
        {1e36, "out of range"},
        {-1e300, "out of range"},
        {(double)NAN, "unknown"},
        {(double)INFINITY, "unknown"},
        {9.99e35, "999000000000000000000000000000000000"},
    };
    char out[GL_QUANTITY_TEXT];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_string_equal(gl_number_text(rows[i].number, out), rows[i].text);
    assert_true(strlen(gl_number_text(-1.23e-36, out)) < GL_QUANTITY_TEXT);
    assert_true(fabs(strtod(out, NULL) + 1.23e-36) < 1e-38);
}

static void test_quantity_text(void **state)
{
    char out[GL_QUANTITY_TEXT];

    (void)state;
    assert_string_equal(gl_mass_text((struct gl_mass){1234.5}, out), "1.23 kg");
    assert_string_equal(gl_mass_text((struct gl_mass){0}, out), "0 g");
    assert_string_equal(gl_mass_text((struct gl_mass){999.6}, out), "1.00 kg");
    assert_string_equal(gl_mass_text((struct gl_mass){999.4}, out), "999 g");
    assert_string_equal(gl_mass_text((struct gl_mass){0.0123}, out), "12.3 mg");
    assert_string_equal(gl_mass_text((struct gl_mass){2.5e6}, out), "2.50 t");
    assert_string_equal(gl_mass_text((struct gl_mass){-1234.5}, out), "-1.23 kg");
    assert_string_equal(gl_mass_text((struct gl_mass){(double)NAN}, out), "unknown");
    assert_string_equal(gl_energy_text((struct gl_energy){0}, out), "0 Wh");
    assert_string_equal(gl_energy_text((struct gl_energy){0.5}, out), "500 mWh");
    assert_string_equal(gl_energy_text((struct gl_energy){1500}, out), "1.50 kWh");
    assert_string_equal(gl_energy_text((struct gl_energy){3.2e6}, out), "3.20 MWh");
    assert_string_equal(gl_energy_text((struct gl_energy){3.2e9}, out), "3.20 GWh");
    assert_string_equal(gl_span_text((struct gl_span){5400}, out), "1 h 30 min");
    assert_string_equal(gl_span_text((struct gl_span){0}, out), "0 s");
    assert_string_equal(gl_span_text((struct gl_span){-60}, out), "-1 min");
    assert_string_equal(gl_span_text((struct gl_span){93784}, out), "1 d 2 h 3 min 4 s");
    assert_string_equal(gl_span_text((struct gl_span){INT64_MIN}, out),
                        "-106751991167300 d 15 h 30 min 8 s");
}

static uint64_t next_random(uint64_t *seed)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *seed >> 33;
}

static char *mass_text(double g, char out[GL_QUANTITY_TEXT])
{
    return gl_mass_text((struct gl_mass){g}, out);
}

static char *energy_text(double wh, char out[GL_QUANTITY_TEXT])
{
    return gl_energy_text((struct gl_energy){wh}, out);
}

/* Ways in which a quantity is printed; what stands behind it belongs to the unit. */
static const struct printed {
    enum gl_dimension dim;
    char *(*print)(double value, char out[GL_QUANTITY_TEXT]);
    const char *behind;
} printers[] = {
    {GL_DIM_MASS, mass_text, ""},
    {GL_DIM_MASS, mass_text, "CO2e"},
    {GL_DIM_MASS, mass_text, " CO2e"},
    {GL_DIM_MASS_RATE, mass_text, "/h"},
    {GL_DIM_MASS_RATE, mass_text, "CO2e per h"},
    {GL_DIM_INTENSITY, mass_text, "CO2e/kWh"},
    {GL_DIM_ENERGY, energy_text, ""},
};

static void check_printed(const struct printed *printed, double value, unsigned units[128])
{
    char number[GL_QUANTITY_TEXT], text[2 * GL_QUANTITY_TEXT];
    struct gl_error err = {0};
    int64_t millionths = 0;

    printed->print(value, number);
    snprintf(text, sizeof text, "%s%s", number, printed->behind);
    if (gl_quantity_parse(printed->dim, text, &millionths, &err) != 0)
        fail_msg("%s: %s", text, err.text);
    if (fabs((double)millionths / 1e6 - value) > 0.00501 * value + 0.5e-6)
        fail_msg("%s is not %g", text, value);
    units[(unsigned char)strchr(number, ' ')[1]]++;
}

/* What is printed reads back as the same value, to the three digits that are printed, from
 * millionths of the base unit to the most that can be written, in every unit there is. */
static void test_print_and_parse(void **state)
{
    static const char letters[] = "mgktWMG"; /* that the units begin with */
    unsigned units[128] = {0};
    uint64_t seed = 1;

    (void)state;
    for (int i = 0; i < 70000; i++) {
        size_t way = (size_t)i % (sizeof printers / sizeof printers[0]);
        double value = (double)(next_random(&seed) % 8000 + 1000) / 1e9; /* to 9e-6 */

        for (uint64_t tens = next_random(&seed) % 19; tens > 0; tens--)
            value *= 10;
        check_printed(&printers[way], i % 1000 == 0 ? 0 : value, units);
    }
    for (const char *letter = letters; *letter != '\0'; letter++)
        if (units[(unsigned char)*letter] < 1000)
            fail_msg("few units begin with %c: the test says little", *letter);
}

/* Integer amounts of every metric unit are exact, with and without a point. */
static void test_exact_scaling(void **state)
{
    static const struct {
        enum gl_dimension dim;
        const char *unit;
        int64_t micro;
    } units[] = {
        {GL_DIM_MASS, "g", 1000000},
        {GL_DIM_MASS, "kg", 1000000000},
        {GL_DIM_ENERGY, "Wh", 1000000},
        {GL_DIM_ENERGY, "kWh", 1000000000},
        {GL_DIM_POWER, "W", 1000000},
        {GL_DIM_POWER, "kW", 1000000000},
        {GL_DIM_INTENSITY, "gCO2e/kWh", 1000000},
        {GL_DIM_INTENSITY, "kgCO2e/MWh", 1000000},
        {GL_DIM_INTENSITY, "tCO2e/MWh", 1000000000},
        {GL_DIM_SHARE, "%", 10000},
        {GL_DIM_SIZE, "KiB", 1024000000},
        {GL_DIM_PRICE, "USD/h", 1000000},
        {GL_DIM_MASS, "lb", 453592370},
    };
    uint64_t seed = 2;

    (void)state;
    for (int i = 0; i < 20000; i++) {
        size_t u = next_random(&seed) % (sizeof units / sizeof units[0]);
        int64_t whole = (int64_t)(next_random(&seed) % 1000000000);
        int64_t hundredths = (int64_t)(next_random(&seed) % 100);
        struct gl_error err = {0};
        int64_t value = 0;
        char text[64];

        snprintf(text, sizeof text, "%" PRId64 ".%02" PRId64 "%s%s", whole, hundredths,
                 i % 2 ? " " : "", units[u].unit);
        if (gl_quantity_parse(units[u].dim, text, &value, &err) != 0)
            fail_msg("%s: %s", text, err.text);
        /* (whole + hundredths/100) * micro, rounded half up */
        assert_int_equal(value, whole * units[u].micro + (hundredths * units[u].micro + 50) / 100);
    }
}

static void test_span_round_trip(void **state)
{
    uint64_t seed = 3;

    (void)state;
    for (int i = 0; i < 20000; i++) {
        struct gl_span span = {(int64_t)(next_random(&seed) % 315576000) + 1};
        struct gl_span back = {0};
        struct gl_error err = {0};
        char text[GL_QUANTITY_TEXT];

        if (gl_span_parse(gl_span_text(span, text), &back, &err) != 0)
            fail_msg("%s: %s", text, err.text);
        assert_int_equal(back.s, span.s);
    }
}

static void test_rows(void **state)
{
    (void)state;
    assert_null(gl_dimension_row(GL_DIM_COUNT_KINDS));
    for (int dim = 0; dim < GL_DIM_COUNT_KINDS; dim++) {
        const struct gl_dimension_row *row = gl_dimension_row((enum gl_dimension)dim);
        struct gl_error err = {0};
        int64_t value = 0;

        assert_int_equal(row->dim, dim);
        assert_true(row->name[0] != '\0' && row->units[0] != '\0');
        if (gl_quantity_parse(row->dim, row->example, &value, &err) != 0)
            fail_msg("%s: %s", row->example, err.text);
    }
}

/* Text made of the grammar's own pieces, mostly in their places: the parser and the published
 * pattern must agree. */
static void random_quantity(uint64_t *seed, char *out, size_t size)
{
    enum { CHOICES = 16, SLOTS = 6 };
    static const char *const slots[SLOTS][CHOICES] = {
        {"1", "20", "0.5", "1_000", "3.25", "40", "7", "9", "$", "$2", ".", "-", ",", "P", "T",
         "e5"},
        {"", "", "", "", " ", " ", " ", "  ", "1", "_0", ".", ",", "e5", "-", "4H", "2M"},
        {"g", "kg", "t", "mg", "W", "kW", "mWh", "kWh", "%", "GiB", "B", "USD", "h", "min", "s",
         ""},
        {"", "", "", "", "", "", "CO2e", " CO2",
         "CO\xe2\x82\x82"
         "e",
         "ton", "1", "%", "m", "g", "d", "w"},
        {"", "", "", "", "", "", "/", "/", "/", " / ", " per ", " per ", " per ", "per", "//", " "},
        {"", "", "", "", "", "", "kWh", "kWh", "MWh", "h", "day", "month", "year", "m", "g", "5"},
    };

    out[0] = '\0';
    for (size_t i = 0; i < SLOTS; i++) {
        size_t slot = next_random(seed) % 16 ? i : next_random(seed) % SLOTS;
        size_t used = strlen(out);

        snprintf(out + used, size - used, "%s", slots[slot][next_random(seed) % CHOICES]);
    }
    while (strlen(out) > 0 && out[strlen(out) - 1] == ' ') /* the pattern takes no margin */
        out[strlen(out) - 1] = '\0';
}

/* Is `text` taken, and does the pattern say so too? */
static bool agree(enum gl_dimension dim, const regex_t *pattern, const char *text)
{
    struct gl_error err = {0};
    int64_t value;
    bool is_taken = gl_quantity_parse(dim, text, &value, &err) == 0;
    bool is_matched = regexec(pattern, text, 0, NULL, 0) == 0;

    if (is_taken && !is_matched && text[0] != ' ')
        fail_msg("taken, yet the pattern refuses: %s as %d", text, (int)dim);
    /* A pattern knows neither sizes nor the order of a sum. */
    if (!is_taken && is_matched && dim != GL_DIM_DURATION && !strstr(err.text, "too large"))
        fail_msg("refused, yet the pattern takes: %s as %d: %s", text, (int)dim, err.text);
    return is_taken;
}

static void test_patterns_agree(void **state)
{
    regex_t patterns[GL_DIM_COUNT_KINDS];
    unsigned taken[GL_DIM_COUNT_KINDS] = {0};
    uint64_t seed = 4;
    char text[128];

    (void)state;
    for (int dim = 0; dim < GL_DIM_COUNT_KINDS; dim++)
        assert_int_equal(regcomp(&patterns[dim], gl_dimension_row((enum gl_dimension)dim)->pattern,
                                 REG_EXTENDED | REG_NOSUB),
                         0);
    for (int i = 0; i < 400000; i++) {
        int dim = i % GL_DIM_COUNT_KINDS;

        if (dim == 0)
            random_quantity(&seed, text, sizeof text);
        taken[dim] += agree((enum gl_dimension)dim, &patterns[dim], text);
    }
    for (int dim = 0; dim < GL_DIM_COUNT_KINDS; dim++) {
        if (taken[dim] < 20)
            fail_msg("only %u of dimension %d were valid: the test says little", taken[dim], dim);
        regfree(&patterns[dim]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_quantities),    cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_spans),         cmocka_unit_test(test_span_refusals),
        cmocka_unit_test(test_share),         cmocka_unit_test(test_number_text),
        cmocka_unit_test(test_quantity_text), cmocka_unit_test(test_print_and_parse),
        cmocka_unit_test(test_exact_scaling), cmocka_unit_test(test_span_round_trip),
        cmocka_unit_test(test_rows),          cmocka_unit_test(test_patterns_agree),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
