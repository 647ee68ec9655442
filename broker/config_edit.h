/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_CONFIG_EDIT_H
#define GL_BROKER_CONFIG_EDIT_H

/* Small changes to the configuration file of a person: the lines of one cloud or one source are
 * replaced, put in or taken out, and every other byte stays as it is, comments too. A list that
 * stands on one line ("sources: [neso, eia]") is written anew with a line an item; comments inside
 * of what is replaced go with it, and *out shows them. What does not come out exactly as wanted is
 * refused, never guessed. Pure. */

#include "broker/config.h"

struct gl_config_edit {
    size_t line;                  /* the first that changes, from 1 */
    struct gl_str removed, added; /* whole lines */
    struct gl_str text;           /* the file afterwards */
    unsigned mode;                /* of the file; 0 = 0600 */
};

/* Make `text`, the file at `path` ("" = there is none yet), say what `after` says: it differs from
 * what the file says now in the cloud `name` only. CONFIG when this cannot be done line by line. */
int gl_config_edit_cloud(const char *text, const char *path, const struct gl_world *world,
                         const struct gl_config *after, const char *name,
                         struct gl_config_edit *out, struct gl_error *err);

/* The same where `after` differs in one source: number `index` of it is new (`is_added`), or number
 * `index` of the file is gone. A file that lists no sources gets all of after's. */
struct gl_config_source_edit {
    const struct gl_config *after;
    size_t index;
    bool is_added;
};
int gl_config_edit_source(const char *text, const char *path, const struct gl_world *world,
                          const struct gl_config_source_edit *edit, struct gl_config_edit *out,
                          struct gl_error *err);

void gl_config_edit_done(struct gl_config_edit *edit);

#endif
