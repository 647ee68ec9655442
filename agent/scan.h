/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_AGENT_SCAN_H
#define GL_AGENT_SCAN_H

/* A pull reader for the two small JSON documents that the meter takes from outside: its config and
 * its own records. The static program links it in place of a JSON library. Knows objects, arrays,
 * strings, integers, true, false and null in ASCII; refuses reals, NUL, raw control characters,
 * bytes beyond ASCII and nesting below GL_SCAN_DEPTH. The first trouble sticks: every later call
 * returns false, and `problem` says what it was. Never allocates, never recurses. */

#include "base/error.h"

#define GL_SCAN_DEPTH 4
#define GL_SCAN_KEY   32

struct gl_scan {
    const char *at, *end;
    const char *problem; /* NULL while all is well */
    unsigned depth;
    bool is_first; /* no comma before the next member or element */
};

void gl_scan_begin(struct gl_scan *scan, const char *bytes, size_t length);
/* Enter an object ('{') or array ('['). */
bool gl_scan_enter(struct gl_scan *scan, char bracket);
/* Is there another member or element before `bracket` ('}' or ']')? At the end leaves it. */
bool gl_scan_more(struct gl_scan *scan, char bracket);
/* The key of the next member, with its colon. */
bool gl_scan_key(struct gl_scan *scan, char out[GL_SCAN_KEY]);
/* A string of less than `room` bytes, with NUL; *out_length may be NULL. */
bool gl_scan_string(struct gl_scan *scan, char *out, size_t room, size_t *out_length);
bool gl_scan_int(struct gl_scan *scan, int64_t low, int64_t high, int64_t *out);
bool gl_scan_bool(struct gl_scan *scan, bool *out);
/* Take `null` if it stands here. */
bool gl_scan_null(struct gl_scan *scan);
/* Nothing but white space is left, and nothing went wrong. */
bool gl_scan_done(struct gl_scan *scan);
/* Say what is wrong, for callers that check values; returns false. */
bool gl_scan_refuse(struct gl_scan *scan, const char *problem);

#endif
