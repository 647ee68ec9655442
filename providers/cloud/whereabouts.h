/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_PROVIDERS_WHEREABOUTS_H
#define GL_PROVIDERS_WHEREABOUTS_H

/* Where each cloud's credentials are looked for, and which of these places has something: names of
 * variables and paths of files. Reads no file and shows no value; whether what is there works, only
 * the cloud can say. The order is that of the adapters' chains. */

#include "base/str.h"
#include "base/world.h"

enum gl_whereabouts_kind {
    GL_WHERE_VARIABLE, /* an environment variable that holds the secret or names who gives it */
    GL_WHERE_FILE,     /* a file; `variable` names another one when it is set */
    GL_WHERE_FILES,    /* the same, but `variable` names several with ":" between them */
};

/* Ends at cloud NULL. */
struct gl_whereabouts {
    const char *cloud;
    enum gl_whereabouts_kind kind;
    const char *variable; /* NULL = none */
    /* Of a file: "~/...", "$VARIABLE/...", below the configuration folder "+/...", or as it is. */
    const char *path;
};
extern const struct gl_whereabouts gl_whereabouts[];

/* Append those of a cloud that have something, with commas; "HCLOUD_TOKEN" or "~/.aws/credentials".
 * Nothing is appended when there is none. */
void gl_whereabouts_found(const char *cloud, const struct gl_world *world, struct gl_str *out);
/* Append where it is looked for at all, with commas. */
void gl_whereabouts_all(const char *cloud, struct gl_str *out);

#endif
