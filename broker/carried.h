/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_CARRIED_H
#define GL_BROKER_CARRIED_H

/* Which of the meters that the user names a rented machine is sent: that of its processor. Sends
 * nothing and reads no file. */

#include "providers/cloud/userdata.h"

/* Is any named? NULL is none. */
bool gl_carried_is_any(const struct gl_carried_meter *meter);

/* The meter for machines of `type`, whose architecture is `arch` (NULL or "" = not known, taken as
 * x86_64), out of what is `named`: *out borrows from it, and has the one in url, sha256 and path. A
 * type of another architecture is refused, with what mends it: USAGE. Where none is named at all
 * *out is none. */
struct gl_carried_type {
    const char *cloud, *type, *arch;
};
int gl_carried_pick(const struct gl_carried_meter *named, const struct gl_carried_type *type,
                    struct gl_carried_meter *out, struct gl_error *err);

#endif
