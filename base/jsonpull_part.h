/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BASE_JSONPULL_PART_H
#define GL_BASE_JSONPULL_PART_H

/* What the parts of the reader share. The document passes through a window that always ends with
 * NUL bytes: no JSON holds one, so that every scan stops there by itself and only then asks whether
 * more is to come. The functions here take the place they stand at and return the place behind what
 * they read, NULL after an error (which pull->err has got). A place is good until the next call
 * that may refill the window. */

#include <stdint.h>
#include <string.h>

#include "base/jsonpull.h"
#include "base/jsonpull_run.h"

#define GL_JSCAN_WINDOW ((size_t)64 << 10) /* larger than any number and any escape */
#define GL_JSCAN_PAD    ((size_t)64)       /* NUL bytes behind it: scans look ahead that far */

_Static_assert(GL_JSONPULL_MAX_NUMBER < GL_JSCAN_WINDOW / 2, "a number fits into the window");

#define GL_JSCAN_TOO_LONG "a string of more than 16 MiB"
#define GL_JSCAN_NUL_NAME "a name with U+0000"

enum gl_jscan_state {
    GL_JSCAN_VALUE, /* a value comes next */
    GL_JSCAN_FIRST, /* a container was entered */
    GL_JSCAN_NEXT,  /* a value of a container was read */
    GL_JSCAN_DONE,  /* a document was read */
};

/* Decoded text that grows; always with room for one more window. */
struct gl_jscan_text {
    char *text;
    size_t length, capacity;
    size_t limit; /* largest length with the string under way */
    bool has_nul; /* U+0000 was in it */
};

struct gl_jsonpull {
    struct gl_feed *feed;
    struct gl_error failure; /* the first one: after it nothing is read */
    struct gl_error *err;    /* of the call under way */
    enum gl_jscan_state state;
    const char *at;          /* where the next call goes on */
    const char *end;         /* of what the window holds */
    const char *counted;     /* line ends before it are in `lines` */
    uint64_t lines, columns; /* line ends so far, and bytes since the last of them */
    bool is_over;            /* the feed has nothing more */
    unsigned depth;
    bool is_object[GL_JSONPULL_MAX_DEPTH + 1]; /* what was entered at depth 1 .. depth */
    struct gl_jscan_text text;                 /* what was lent last */
    const char *block;                         /* 64 bytes that were looked at, NULL = none */
    uint64_t stops;                            /* gl_jscan_stops() of them */
    char window[GL_JSCAN_WINDOW + GL_JSCAN_PAD];
};

/* ---- jsonpull_scan.c: the seldom taken ways ---- */

const char *gl_jscan_fail(struct gl_jsonpull *pull, const char *at, enum gl_errc code,
                          const char *what);
/* SYNTAX: `what` was expected at this place. */
const char *gl_jscan_expected(struct gl_jsonpull *pull, const char *at, const char *what);
/* More bytes behind those from `at` on, which go to the front; or pull->is_over. */
const char *gl_jscan_refill(struct gl_jsonpull *pull, const char *at);
/* At least `count` bytes from the place on are in the window, unless the input ends before. */
const char *gl_jscan_need(struct gl_jsonpull *pull, const char *at, size_t count);
const char *gl_jscan_spaces(struct gl_jsonpull *pull, const char *at);
/* What no plain run of a string holds: escapes, other than ASCII, the end of the window. */
const char *gl_jscan_special(struct gl_jsonpull *pull, const char *at, struct gl_jscan_text *out);
/* A number; it may have moved: *io_at is its beginning. */
const char *gl_jscan_number(struct gl_jsonpull *pull, const char **io_at);
/* gl_jscan_word() of what is not the word, or only its beginning yet. */
const char *gl_jscan_late_word(struct gl_jsonpull *pull, const char *at, enum gl_jkind kind);
const char *gl_jscan_skip(struct gl_jsonpull *pull, const char *at);
/* jsonpull_tree.c; `choice` NULL takes all */
const char *gl_jscan_take(struct gl_jsonpull *pull, const char *at,
                          const struct gl_jsonpull_choice *choice, struct gl_jtree *tree);
void gl_jscan_grow(struct gl_jscan_text *out, size_t needed);
/* Room for all that is in the window from `at` on. */
static inline void gl_jscan_reserve(const struct gl_jsonpull *pull, const char *at,
                                    struct gl_jscan_text *out)
{
    size_t needed = out->length + (size_t)(pull->end - at) + GL_JSCAN_PAD;

    if (needed > out->capacity)
        gl_jscan_grow(out, needed);
}

#endif
