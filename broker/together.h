/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_TOGETHER_H
#define GL_BROKER_TOGETHER_H

/* Several clouds asked at once: each by a child of its own, as an adapter's operations wait for
 * their answers. One that is dead or throttled costs the others nothing but the deadline of all. A
 * child asks and tells what it heard; it writes no ledger, changes no cloud and prints nothing. */

#include "base/str.h"

#define GL_TOGETHER_MS 60000 /* for all of them */

struct gl_together {
    void *cookie;
    /* Append what is to be known of question `index`, at least a byte. In a child; a single
     * question is asked in this process, in its own time. */
    void (*ask)(void *cookie, size_t index, struct gl_str *out);
    /* First in each child: leave what is the parent's (its connections, the ledger) alone. */
    void (*apart)(void *cookie);
    /* Asked at least four times a second; true ends the waiting. NULL = never. */
    bool (*is_cancelled)(void *cookie);
    int64_t deadline_ms; /* 0 = GL_TOGETHER_MS */
};

/* answers[0..count): all zero before, to be freed by the caller; empty where no answer came in
 * time. At the end no child is left. */
void gl_together(const struct gl_together *how, size_t count, struct gl_str *answers);

/* Of an empty answer: TIMEOUT, or INTERRUPTED where the waiting was ended. -1. */
int gl_together_fail(const char *cloud, bool was_cancelled, struct gl_error *err);

#endif
