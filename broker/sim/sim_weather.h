/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_SIM_WEATHER_H
#define GL_BROKER_SIM_WEATHER_H

/* Invented grids: weather from a seed, plants that follow it, demand with a daily, weekly and
 * yearly shape, and plants that fail. Plausible, of no real place, and named so: every zone's name
 * begins with "simulated-". The same seed gives the same hours on every machine up to rounding, and
 * hours do not depend on how many come after them. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GL_SIM_WEATHER_ZONES 6

/* Something that nobody could foresee: in these hours wind and water give a fifth. */
struct gl_sim_spike {
    size_t zone;
    int64_t from_s, until_s; /* empty: none */
};

const char *gl_sim_weather_zone(size_t zone);
/* `hours` hours from start_s on, a whole hour: grams CO2e per kWh (whole grams, lifecycle factors
 * of IPCC 2014) and renewable share in tenths of a per cent, in millionths of g/kWh and of one. */
void gl_sim_weather_make(uint64_t seed, size_t zone, int64_t start_s, size_t hours,
                         const struct gl_sim_spike *spike, int64_t *out_intensity_u,
                         int64_t *out_share_u);

#endif
