/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_PROVIDERS_SIGNAL_MIX_H
#define GL_PROVIDERS_SIGNAL_MIX_H

/* What generation by fuel is worth, for sources that publish megawatts and no intensity: an
 * intensity by one named set of lifecycle factors, and shares. Of production only: imports and
 * exports are not seen, so nothing of this is ever comparable with a figure of consumption.
 *
 * Factors: medians of IPCC 2014 (AR5, working group III, annex III, table A.III.2), g CO2e/kWh.
 * What the table knows no median for (oil, waste, other, codes never heard of) is charged like
 * coal, the highest one, and where it is more than a tenth of an interval's generation there is no
 * intensity. Storage gives back what was counted when it was made: it is no part of the intensity,
 * and in the shares it stands below the line only. A negative figure is a plant's own use: it
 * counts as nothing, and when all of them are more than a hundredth of the rest the interval is
 * left out. An interval counts only when every fuel that the answer names has a figure for it. */

#include "providers/signal/adapter.h"

enum gl_fuel {
    GL_FUEL_OTHER,
    GL_FUEL_BIOMASS,
    GL_FUEL_COAL,
    GL_FUEL_GAS,
    GL_FUEL_GEOTHERMAL,
    GL_FUEL_HYDRO,
    GL_FUEL_MARINE,
    GL_FUEL_NUCLEAR,
    GL_FUEL_SOLAR,
    GL_FUEL_STORAGE,
    GL_FUEL_WIND_ONSHORE,
    GL_FUEL_WIND, /* offshore, or not said where */
};

/* A source's code for a fuel: a row of a table, ended by one without a code. */
struct gl_fuel_code {
    const char *code;
    enum gl_fuel fuel;
};

#define GL_MIX_TYPES 32
#define GL_MIX_CODE  8

/* Steps of one length by types in order of appearance; zeroed before gl_mix_init(). */
struct gl_mix {
    int64_t from_s, step_s;
    size_t steps;
    unsigned types;
    char codes[GL_MIX_TYPES][GL_MIX_CODE];
    enum gl_fuel fuels[GL_MIX_TYPES];
    int64_t *kw; /* [step * GL_MIX_TYPES + type], GL_UNKNOWN where nothing was said */
};

/* One figure over one or more steps. */
struct gl_mix_entry {
    unsigned type;
    int64_t from_s, until_s; /* on the grid of the mix */
    int64_t kw;
};

/* An empty mix of [from, until), a whole number of steps. TOO_LARGE above GL_SIGNAL_MAX_POINTS. */
int gl_mix_init(struct gl_mix *mix, int64_t from_s, int64_t until_s, int64_t step_s,
                struct gl_error *err);
void gl_mix_done(struct gl_mix *mix); /* fine for GL_AUTO */
/* The type of a source's code, new or known; what `table` does not hold is GL_FUEL_OTHER.
 * BAD_REPLY for an impossible code or too many of them. */
int gl_mix_type(struct gl_mix *mix, const struct gl_fuel_code *table, const char *code,
                unsigned *out, struct gl_error *err);
/* BAD_REPLY when it is off the grid, impossible (above 1,000 GW) or contradicts an earlier one. */
int gl_mix_add(struct gl_mix *mix, const struct gl_mix_entry *entry, struct gl_error *err);
/* Add intensity, renewable and carbon-free share, those of them that have a point; UNKNOWN_DATA
 * when none has. */
int gl_mix_series(const struct gl_mix *mix, const struct gl_signal_label *label,
                  struct gl_signal_result *result, struct gl_error *err);

#endif
