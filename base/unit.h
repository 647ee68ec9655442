/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BASE_UNIT_H
#define GL_BASE_UNIT_H

/* Quantities whose unit is their type, and the grammar people write them in. Adding grams to watts
 * does not compile. Refuses bare numbers, exponents, thousands separators, "ton" and "m".
 * Text is parsed with integers only (no binary floating text), as millionths of the base unit. */

#include "base/error.h"

struct gl_intensity {
    double g_per_kwh;
};
struct gl_mass {
    double g;
};
struct gl_energy {
    double wh;
};
struct gl_power {
    double w;
};
struct gl_share {
    double ratio;
}; /* 0..1; may pass 1 for shares of load */
struct gl_price {
    double usd_per_h;
};
struct gl_instant {
    int64_t unix_s;
};
struct gl_span {
    int64_t s;
};

/* An estimate: low <= central <= high, in the unit its name says. */
struct gl_band {
    double low, central, high;
};

enum gl_dimension {
    GL_DIM_INTENSITY, /* base: g/kWh */
    GL_DIM_MASS,      /* g */
    GL_DIM_ENERGY,    /* Wh */
    GL_DIM_POWER,     /* W */
    GL_DIM_MASS_RATE, /* g per h ("50 g/h", "1 kg per day"; month = 730.5 h, year = 8766 h) */
    GL_DIM_DURATION,  /* s */
    GL_DIM_SHARE,     /* ratio, written as % only */
    GL_DIM_SIZE,      /* bytes; GB = 1e9, GiB = 2^30 */
    GL_DIM_PRICE,     /* USD per h: "0.40 USD/h", "$0.40/h" */
    GL_DIM_COUNT,     /* plain number, no unit */
    GL_DIM_COUNT_KINDS,
};

/* Parse all of `text` as a quantity of dimension `dim` into millionths of its base unit.
 * Errors: UNIT_MISSING (text says how to write it), BAD_VALUE (overflow, negative, syntax). */
int gl_quantity_parse(enum gl_dimension dim, const char *text, int64_t *out_millionths,
                      struct gl_error *err);

/* Durations also as ISO 8601 "PT4H" and sums "1h30min"; whole seconds, at least 1, at most 10 y. */
int gl_span_parse(const char *text, struct gl_span *out, struct gl_error *err);
int gl_share_parse(const char *text, struct gl_share *out, struct gl_error *err);

/* Write a quantity for people, three significant digits, into `out` (always terminated):
 * gl_mass 1234.5 g -> "1.23 kg". Returns out. */
#define GL_QUANTITY_TEXT 48
char *gl_mass_text(struct gl_mass mass, char out[GL_QUANTITY_TEXT]);
char *gl_energy_text(struct gl_energy energy, char out[GL_QUANTITY_TEXT]);
char *gl_span_text(struct gl_span span, char out[GL_QUANTITY_TEXT]); /* "1 h 30 min" */
/* Three significant digits without exponent or unit: 0.0123, 4.56, 123, 45600. */
char *gl_number_text(double number, char out[GL_QUANTITY_TEXT]);

/* The words of the grammar, for help and JSON Schema: name, units, example, regular expression. */
struct gl_dimension_row {
    enum gl_dimension dim;
    const char *name, *units, *example, *pattern;
};
const struct gl_dimension_row *gl_dimension_row(enum gl_dimension dim);

#endif
