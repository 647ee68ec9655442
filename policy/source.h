/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_POLICY_SOURCE_H
#define GL_POLICY_SOURCE_H

/* A text being read and the errors found in it. Internal to the policy reader. */

#include "policy/policy.h"

/* A place in the text, from 1, in characters; width is what a caret line marks. */
struct gl_mark {
    uint32_t line, column, width;
};

struct gl_source {
    const char *name;    /* shown: a file, or a flag */
    struct gl_view text; /* without a byte order mark */
    struct gl_diagnostics *diagnostics;
};

struct gl_source gl_source_of(struct gl_view text, const char *name,
                              struct gl_diagnostics *diagnostics);

/* Note an error; the first GL_POLICY_MAX_ERRORS are kept in order of place within a file. `mark`
 * NULL = the whole text. Returns -1. */
int gl_diagnose(const struct gl_source *source, const struct gl_mark *mark, enum gl_errc code,
                const char *format, ...) __attribute__((format(printf, 4, 5)));

/* How many errors so far, kept or not. */
size_t gl_diagnosed(const struct gl_diagnostics *diagnostics);

struct gl_pos gl_pos_of(const struct gl_source *source, const struct gl_mark *mark);

/* "floor.yaml:4:20", or the name alone when there is no line. Returns out. */
#define GL_POS_TEXT 288
char *gl_pos_text(const struct gl_pos *pos, char out[GL_POS_TEXT]);

#endif
