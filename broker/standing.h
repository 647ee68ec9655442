/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_STANDING_H
#define GL_BROKER_STANDING_H

/* A world whose wall clock stands at one instant and is otherwise that of another world: what
 * --at shows to the grid signals, so that evidence is as old as it would be then. Offline: an
 * answer fetched now is no evidence of another time. */

#include "base/world.h"

struct gl_standing_world {
    struct gl_world world;        /* first: what is handed out */
    const struct gl_world *inner; /* borrowed */
    int64_t now_ms;
};

/* `out` must not move afterwards: its world points to it. */
void gl_standing_world_init(struct gl_standing_world *out, const struct gl_world *inner,
                            struct gl_instant at);

#endif
