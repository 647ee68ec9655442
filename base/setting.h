/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BASE_SETTING_H
#define GL_BASE_SETTING_H

#include <stdbool.h>
#include <stddef.h>

/* What an adapter lets its user set, a cloud or a venue alike: `{region: eu-north-1}` of the
 * configuration read against the adapter's table. Never a secret: of those a table names the
 * environment variable. Pure; everything is borrowed. */

struct gl_setting {
    const char *name, *value;
};

/* A row of such a table, which ends at name NULL. */
struct gl_setting_key {
    const char *name; /* of a secret only for messages */
    const char *what; /* for people, as a part of a sentence */
    const char *fallback;
    const char *variable; /* a secret: the environment variable, or VARIABLE_FILE names a file */
    bool is_required;
    const char *choices; /* "a|b", checked; NULL = any one line */
};

/* The row of that name; NULL when `keys` (NULL = no table) has none. */
const struct gl_setting_key *gl_setting_key(const struct gl_setting_key *keys, const char *name);
/* What a setting is set to; NULL when it is not. */
const char *gl_setting_find(const struct gl_setting *settings, size_t count, const char *name);

#endif
