/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_HINT_H
#define GL_BROKER_HINT_H

/* What to do about an error, for people: the hint of its code (base/errc.def), or a nearer one
 * where the command looked in a place of its own. Pure. */

#include "base/error.h"

/* `command` may be NULL: none yet. Never NULL, of constant life. */
const char *gl_hint_of(const char *command, const struct gl_error *err);

#endif
