/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_SIM_GRID_H
#define GL_BROKER_SIM_GRID_H

/* The grids of a simulated day, as an observer of that time knows them: hours that are over and
 * whose lag has passed, and what the built-in forecaster makes of those. The truth of later hours
 * stands apart and is asked for by name, to settle accounts and to draw. Invented by
 * broker/sim/sim_weather.h or recorded by somebody (docs/signals.md, the `file` source); either way
 * every series says that it is simulated. */

#include "base/world.h"
#include "policy/guarantee/history.h"

#define GL_SIM_ZONES_MAX  64
#define GL_SIM_DAYS_KNOWN 400 /* before the day, invented; of a recording at most */
#define GL_SIM_DAYS_LEAST 90
#define GL_SIM_DAY_H      24
#define GL_SIM_LAG_H      1
#define GL_SIM_AHEAD_H    48 /* that forecasts reach */

struct gl_sim_grid;

/* Invented from a seed; the day is 10 June 2026. has_spike: something unforeseeable happens at nine
 * o'clock in the second zone, for three hours. */
struct gl_sim_grid *gl_sim_grid_invent(uint64_t seed, bool has_spike);
/* Of a series file: the day is the last whole one of an hourly location-based average intensity;
 * zones that lack an hour of it, or have fewer than GL_SIM_DAYS_LEAST days before it, are left out.
 * Forecasts in the file are not used. NULL: errors of the file; UNKNOWN_DATA when no zone is left.
 */
struct gl_sim_grid *gl_sim_grid_of_file(const char *path, const struct gl_world *world,
                                        struct gl_error *err);
void gl_sim_grid_free(struct gl_sim_grid *grid); /* NULL is fine */

size_t gl_sim_grid_zones(const struct gl_sim_grid *grid);
const char *gl_sim_grid_zone(const struct gl_sim_grid *grid, size_t zone);
/* SIZE_MAX when there is none of that name. */
size_t gl_sim_grid_find(const struct gl_sim_grid *grid, const char *zone);
int64_t gl_sim_grid_day_s(const struct gl_sim_grid *grid); /* its first second */
enum gl_boundary gl_sim_grid_boundary(const struct gl_sim_grid *grid);

/* Let it be now_s: what is known by then becomes known, forecasts are issued again. Never back. */
void gl_sim_grid_advance(struct gl_sim_grid *grid, int64_t now_s);
/* What is known now, with histories; borrowed, changed by the next advance. */
const struct gl_zone_facts *gl_sim_grid_facts(const struct gl_sim_grid *grid, size_t zone);
/* What was or will be: millionths of g/kWh of the hour that holds at_s; GL_UNKNOWN when nobody
 * knows. */
int64_t gl_sim_grid_truth(const struct gl_sim_grid *grid, size_t zone, int64_t at_s);

#endif
