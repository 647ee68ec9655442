/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_LEARNT_H
#define GL_BROKER_LEARNT_H

/* What the guarantee engine has learnt of each rule, kept below the state folder, so that a year is
 * replayed once and not on every call. A file that is not exactly what was written by this build is
 * as good as absent: it is learnt again. Losing it costs time, never truth. */

#include "policy/guarantee/book.h"

#define GL_LEARNT_FILES 256 /* kept; what was not used for longest is forgotten */

struct gl_learnt {
    char *folder;
    struct gl_book_memory memory; /* to be handed to gl_book_make() */
};

/* `out` must not move afterwards. state_folder NULL: nothing is kept. */
void gl_learnt_init(struct gl_learnt *out, const char *state_folder);
void gl_learnt_done(struct gl_learnt *learnt);

#endif
