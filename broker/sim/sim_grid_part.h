/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_SIM_GRID_PART_H
#define GL_BROKER_SIM_GRID_PART_H

/* The insides of a simulated grid, for those who make one. */

#include "broker/sim/sim_grid.h"
#include "policy/guarantee/forecast.h"
#include "policy/guarantee/profile.h"

#define GL_SIM_SIGNALS_MAX 2 /* intensity, then renewable share if there is one */

struct gl_sim_signal {
    struct gl_meaning meaning;
    int64_t *truth_u; /* by hour, GL_UNKNOWN where nobody knows; owned */
    float *value;     /* what is known of it, filled as time goes by */
    uint8_t *state;
    struct gl_history history;
    struct gl_track_keeper tracks; /* so that an hour more costs little */
    struct gl_profile profile;     /* what the forecaster has learnt of that */
    struct gl_seen seen;
    struct gl_series series; /* the last day and the forecast */
};

struct gl_sim_zone {
    char name[40];
    int64_t start_s;
    size_t hours, signal_count;
    struct gl_sim_signal signals[GL_SIM_SIGNALS_MAX];
    const struct gl_series *series[GL_SIM_SIGNALS_MAX];
    const struct gl_history *histories[GL_SIM_SIGNALS_MAX];
    struct gl_zone_facts facts;
};

struct gl_sim_grid {
    int64_t day_s, now_s;
    size_t zone_count;
    struct gl_sim_zone *zones;
};

struct gl_sim_grid *gl_sim_grid_new(size_t zone_count, int64_t day_s);
void gl_sim_zone_begin(struct gl_sim_zone *zone, const char *name, int64_t start_s, size_t hours);
/* Takes truth_u, zone->hours of them. */
void gl_sim_zone_signal(struct gl_sim_zone *zone, const struct gl_meaning *meaning,
                        const char *dataset, int64_t *truth_u);

#endif
