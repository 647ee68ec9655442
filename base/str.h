/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BASE_STR_H
#define GL_BASE_STR_H

/* Growable text with a ceiling, and borrowed views. Append functions never fail: past the ceiling
 * they stop, set `is_cut`, and the text so far stays valid and NUL-terminated. Refuses encodings:
 * bytes are bytes; gl_text_columns() and gl_utf8_put() alone know UTF-8. */

#include "base/error.h"

struct gl_str {
    char *text;    /* NUL-terminated once anything was appended; NULL when empty and fresh */
    size_t length; /* bytes without the NUL */
    size_t capacity;
    size_t ceiling; /* 0 = GL_STR_CEILING */
    bool is_cut;
};

#define GL_STR_CEILING ((size_t)64 << 20)

/* Borrowed bytes, not NUL-terminated. */
struct gl_view {
    const char *text;
    size_t length;
};

void gl_str_add(struct gl_str *str, const char *text);
void gl_str_add_bytes(struct gl_str *str, const void *bytes, size_t length);
void gl_str_add_char(struct gl_str *str, char c);
void gl_str_addf(struct gl_str *str, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The text, "" when empty; borrowed until the next change. */
const char *gl_str_text(const struct gl_str *str);
/* Hand the buffer over to the caller (free()); *str is fresh again. Never NULL. */
char *gl_str_take(struct gl_str *str);
void gl_str_clear(struct gl_str *str); /* keeps the buffer */
void gl_str_done(struct gl_str *str);  /* frees; fine as GL_AUTO(gl_str_done) */

/* Shell-style match of `text` against `pattern` with * and ?; no brackets, case-sensitive, no
 * recursion. */
bool gl_glob_match(const char *pattern, const char *text);

/* Edit distance (insert, delete, replace, swap), capped at 255; for "did you mean". */
unsigned gl_text_distance(const char *a, const char *b);
/* The nearest of `count` names within a third of the length of `name`, NULL when none is near; one
 * that differs in the case of its letters only is always near. */
const char *gl_text_nearest(const char *name, const char *const *names, size_t count);

/* `code`, at most U+10FFFF and no surrogate, as UTF-8 in `out`; bytes written (Unicode 15 table
 * 3-6). */
size_t gl_utf8_put(uint32_t code, char out[4]);

/* NULL, or nothing but blanks and control characters: no name and no reason. */
bool gl_text_is_blank(const char *text);
/* `line`, from 1, or the last line that says anything where that stands above: readers miss what is
 * missing at the end below it. */
size_t gl_text_line_within(const char *text, size_t length, size_t line);
/* Terminal columns of UTF-8 text: combining 0, wide 2, malformed bytes 1 each. */
unsigned gl_text_columns(const char *text);

/* Append `text` with control characters and malformed UTF-8 made visible (\x1b -> "\x1b" in
 * letters), so that foreign text cannot steer a terminal. Newlines and tabs become spaces. */
void gl_str_add_printable(struct gl_str *str, const char *text, size_t length);
/* The same into a small buffer, cut to fit (always terminated): foreign text inside a message.
 * Returns out. */
#define GL_TEXT_SHOWN 64
char *gl_text_show(const char *text, char out[GL_TEXT_SHOWN]);

#endif
