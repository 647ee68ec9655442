/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BASE_WRAP_H
#define GL_BASE_WRAP_H

/* Text as lines of a terminal. Breaks between words only: a word wider than the line stands on a
 * line of its own, whole, because it is a path or a name that somebody will copy. One that only the
 * indent makes too wide has less of that. */

#include "base/str.h"

#define GL_WRAP_COLUMNS 80 /* where nobody says how wide the terminal is */

struct gl_margins {
    unsigned taken;   /* columns of the first line that the caller has written already */
    unsigned indent;  /* of the lines that follow it */
    unsigned columns; /* of the terminal; 0 = GL_WRAP_COLUMNS */
};

/* Append `text` within the margins; spaces at the beginning of a line are left out, a newline
 * begins a new line. Ends with a newline. */
void gl_wrap_text(const char *text, struct gl_margins margins, struct gl_str *out);

/* The same, but lines keep the spaces they begin with; `indent` is added to those where a line goes
 * on. */
void gl_wrap_long(const char *text, struct gl_margins margins, struct gl_str *out);

/* A shell command: where it does not fit, lines end in " \" so that it can still be copied. */
void gl_wrap_command(const char *command, struct gl_margins margins, struct gl_str *out);

#endif
