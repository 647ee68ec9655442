/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_CLI_GRID_H
#define GL_BROKER_CLI_GRID_H

/* The grid as known now, zone by zone with histories, for what looks at launches that exist: the
 * guard, and the settling of promises. */

#include "broker/context.h"
#include "policy/guarantee/guarantee.h"

#define GL_GRID_AHEAD_S ((int64_t)48 * 3600)

struct gl_grid {
    struct gl_context *context;
    struct gl_signal_store *signals;
    struct gl_instant now;
};

/* Asks the sources anew: open one for each look. Errors: those of gl_context_signals(). */
int gl_grid_open(struct gl_grid *out, struct gl_context *context, struct gl_error *err);
void gl_grid_close(struct gl_grid *grid);
/* A gl_facts_of (broker/promise.h) with the grid as cookie; lives until gl_grid_close(). */
const struct gl_zone_facts *gl_grid_zone(void *grid, const char *zone);

#endif
