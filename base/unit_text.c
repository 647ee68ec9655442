/* SPDX-License-Identifier: Apache-2.0 */
/* The printing half of base/unit.h. */
#include "base/unit.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *gl_number_text(double number, char out[GL_QUANTITY_TEXT])
{
    char parts[32], digits[4];
    const char *sign = number < 0 ? "-" : "";
    const char *mark;
    long exponent;

    if (!isfinite(number) || fabs(number) >= 1e36) {
        snprintf(out, GL_QUANTITY_TEXT, "%s", isfinite(number) ? "out of range" : "unknown");
        return out;
    }
    snprintf(parts, sizeof parts, "%.2e", fabs(number)); /* "1.23e+04" does the rounding */
    mark = strchr(parts, 'e');
    exponent = strtol(mark + 1, NULL, 10);
    snprintf(digits, sizeof digits, "%c%c%c", parts[0], mark[-2], mark[-1]);
    if (fabs(number) < 1e-36)
        snprintf(out, GL_QUANTITY_TEXT, "0");
    else if (exponent >= 2)
        snprintf(out, GL_QUANTITY_TEXT, "%s%s%.*s", sign, digits, (int)exponent - 2,
                 "0000000000000000000000000000000000");
    else if (exponent >= 0)
        snprintf(out, GL_QUANTITY_TEXT, "%s%.*s.%s", sign, (int)exponent + 1, digits,
                 digits + exponent + 1);
    else
        snprintf(out, GL_QUANTITY_TEXT, "%s0.%.*s%s", sign, (int)-exponent - 1,
                 "0000000000000000000000000000000000000", digits);
    return out;
}

/* A unit to print in, and its size in the base unit. */
struct label {
    const char *unit;
    double size;
};

/* Print in the largest unit that leaves at least 1 after rounding; labels come largest first. */
static char *scaled_text(double value, const struct label *labels, size_t count,
                         char out[GL_QUANTITY_TEXT])
{
    char number[GL_QUANTITY_TEXT];
    size_t i = 0;

    if (!isfinite(value))
        return gl_number_text(value, out);
    while (i + 1 < count && fabs(value) < labels[i].size * 0.9995)
        i++;
    gl_number_text(value / labels[i].size, number);
    if (value == 0)
        i = count - 2; /* nothing is 0 of the base unit, which is the last but one */
    snprintf(out, GL_QUANTITY_TEXT, "%.40s %s", number, labels[i].unit);
    return out;
}

char *gl_mass_text(struct gl_mass mass, char out[GL_QUANTITY_TEXT])
{
    static const struct label labels[] = {{"t", 1e6}, {"kg", 1e3}, {"g", 1}, {"mg", 1e-3}};

    return scaled_text(mass.g, labels, sizeof labels / sizeof labels[0], out);
}

char *gl_energy_text(struct gl_energy energy, char out[GL_QUANTITY_TEXT])
{
    static const struct label labels[] = {
        {"GWh", 1e9}, {"MWh", 1e6}, {"kWh", 1e3}, {"Wh", 1}, {"mWh", 1e-3}};

    return scaled_text(energy.wh, labels, sizeof labels / sizeof labels[0], out);
}

char *gl_span_text(struct gl_span span, char out[GL_QUANTITY_TEXT])
{
    static const struct {
        const char *unit;
        uint64_t s;
    } parts[] = {{"d", 86400}, {"h", 3600}, {"min", 60}, {"s", 1}};
    uint64_t left = span.s < 0 ? -(uint64_t)span.s : (uint64_t)span.s;
    size_t used = (size_t)snprintf(out, GL_QUANTITY_TEXT, "%s", span.s < 0 ? "-" : "");

    if (left == 0)
        snprintf(out, GL_QUANTITY_TEXT, "0 s");
    for (size_t i = 0; left > 0; left %= parts[i++].s)
        if (left >= parts[i].s)
            used += (size_t)snprintf(out + used, GL_QUANTITY_TEXT - used, "%s%" PRIu64 " %s",
                                     used > 1 ? " " : "", left / parts[i].s, parts[i].unit);
    return out;
}
