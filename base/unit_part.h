/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BASE_UNIT_PART_H
#define GL_BASE_UNIT_PART_H

/* What the files of base/unit.h share: how a dimension is written. Only they include it. */

#include "base/unit.h"

#define WORD 24 /* longest unit, with its end */

/* One unit: num/den millionths of the base unit of its dimension. */
struct scale {
    const char *name;
    int64_t num, den;
};

struct dimension {
    struct gl_dimension_row row;
    const struct scale *heads; /* NULL: no unit at all */
    const struct scale *tails; /* after "/" or "per"; NULL: none */
    bool may_have_carbon;      /* "CO2e" after the mass */
};

/* The unit of `dim` that was likely meant, whatever its case; "" when none is near. */
void gl_unit_nearest(const struct dimension *dim, const char *written, char out[WORD]);

#endif
