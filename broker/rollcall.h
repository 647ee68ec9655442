/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_ROLLCALL_H
#define GL_BROKER_ROLLCALL_H

/* Clouds asked before anything of theirs is looked at one by one: the rented ones all at once
 * (broker/together.h), so that those that do not answer cost one deadline in all and are named in
 * launcher->silent. Concludes nothing about any instance, and writes nothing. */

#include "broker/launch.h"

/* What one cloud shows of ours. */
struct gl_roll {
    const char *cloud;
    bool has_answered; /* else `why` */
    struct gl_error why;
    char unseen[256]; /* as gl_cloud.unseen */
    size_t count;
    struct gl_instance *items; /* of its list(); NULL when there are none */
};

/* Ask these clouds how one of the launches that the ledger has there is, which says whether they
 * can be asked about the others, and for their lists: out[i] of clouds[i], to be done. Those that
 * are silent already are not asked. Without launcher->apart one after another. */
void gl_rollcall(struct gl_launcher *launcher, const char *const *clouds, size_t count,
                 struct gl_roll *out);
void gl_rolls_done(struct gl_roll *rolls, size_t count);

/* Only whether the clouds of the launches that are not over can be asked; nothing where they stand
 * in one, which is told by the first look. */
void gl_rollcall_of(struct gl_launcher *launcher, const struct gl_launch_rows *rows);

#endif
