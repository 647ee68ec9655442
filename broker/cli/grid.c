/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/cli/grid.h"

#include <stdio.h>

int gl_grid_open(struct gl_grid *out, struct gl_context *context, struct gl_error *err)
{
    *out = (struct gl_grid){.context = context, .signals = gl_context_signals(context, err)};
    if (out->signals == NULL)
        return -1;
    return gl_context_now(context, &out->now, err);
}

void gl_grid_close(struct gl_grid *grid)
{
    gl_signal_store_free(grid->signals);
    grid->signals = NULL;
}

const struct gl_zone_facts *gl_grid_zone(void *cookie, const char *zone)
{
    const struct gl_grid *grid = cookie;
    struct gl_signal_query query = {
        .from = grid->now,
        .until = {grid->now.unix_s + GL_GRID_AHEAD_S},
        .wants_history = true,
    };

    if (zone == NULL || zone[0] == '\0')
        return NULL;
    snprintf(query.zone, sizeof query.zone, "%s", zone);
    return gl_signal_store_zone(grid->signals, &query);
}
