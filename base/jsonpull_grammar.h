/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BASE_JSONPULL_GRAMMAR_H
#define GL_BASE_JSONPULL_GRAMMAR_H

/* The grammar of RFC 8259, sections 2 to 7: the ways that are taken all the time, compiled into
 * those who take them. As base/jsonpull_part.h says, from the place they stand at to the place
 * behind what they read. */

#include "base/jsonpull_part.h"

/* Behind the white space; what comes then is in the window, unless the input ends. */
static inline const char *gl_jscan_space(struct gl_jsonpull *pull, const char *at)
{
    if ((unsigned char)at[0] > ' ')
        return at;
    if (at[0] == ' ' && (unsigned char)at[1] > ' ')
        return at + 1;
    return gl_jscan_spaces(pull, at);
}

static inline bool gl_jscan_is_word(const char *at, enum gl_jkind kind)
{
    if (kind == GL_JFALSE)
        return memcmp(at, "false", 5) == 0;
    return memcmp(at, kind == GL_JTRUE ? "true" : "null", 4) == 0;
}

/* One of the words null, true, false. */
static inline const char *gl_jscan_word(struct gl_jsonpull *pull, const char *at,
                                        enum gl_jkind kind)
{
    if (gl_jscan_is_word(at, kind))
        return at + (kind == GL_JFALSE ? 5 : 4);
    return gl_jscan_late_word(pull, at, kind);
}

/* As gl_jscan_plain(), of a run that nobody keeps. Many strings are shorter than the time it takes
 * to look: one look at 64 bytes serves all that end in them. */
static inline const char *gl_jscan_pass_plain(struct gl_jsonpull *pull, const char *at)
{
    uintptr_t into = (uintptr_t)at - (uintptr_t)pull->block; /* far beyond 64 when there is none */
    uint64_t stops = into < 64 ? pull->stops >> into : 0;

    if (stops != 0)
        return at + __builtin_ctzll(stops);
    if (into < 64)
        at += 64 - into;
    while ((stops = gl_jscan_stops(at)) == 0)
        at += 64;
    pull->block = at;
    pull->stops = stops;
    return at + __builtin_ctzll(stops);
}

/* A string whose opening quote is at `at`, passed over. */
static inline const char *gl_jscan_pass_string(struct gl_jsonpull *pull, const char *at)
{
    at++;
    for (;;) {
        at = gl_jscan_pass_plain(pull, at);
        if (*at == '"')
            return at + 1;
        at = gl_jscan_special(pull, at, NULL);
        if (at == NULL)
            return NULL;
    }
}

/* A string whose opening quote is at `at`; its text goes to the end of `out`. */
static inline const char *gl_jscan_string(struct gl_jsonpull *pull, const char *at,
                                          struct gl_jscan_text *out)
{
    at++;
    gl_jscan_reserve(pull, at, out);
    out->limit = out->length + GL_JSONPULL_MAX_STRING;
    for (;;) {
        const char *from = at;

        at = gl_jscan_plain(at, out->text + out->length);
        out->length += (size_t)(at - from);
        if (out->length > out->limit)
            return gl_jscan_fail(pull, at, GL_E_TOO_LARGE, GL_JSCAN_TOO_LONG);
        if (*at == '"')
            return at + 1;
        at = gl_jscan_special(pull, at, out);
        if (at == NULL)
            return NULL;
    }
}

/* The name of a member with its colon, and white space: its value stands there then. `out` NULL:
 * nobody keeps it. */
static inline const char *gl_jscan_key(struct gl_jsonpull *pull, const char *at,
                                       struct gl_jscan_text *out)
{
    if (*at != '"')
        return gl_jscan_expected(pull, at, "a name in quotes");
    at = out != NULL ? gl_jscan_string(pull, at, out) : gl_jscan_pass_string(pull, at);
    at = at != NULL ? gl_jscan_space(pull, at) : NULL;
    if (at == NULL)
        return NULL;
    if (*at != ':')
        return gl_jscan_expected(pull, at, "':'");
    return gl_jscan_space(pull, at + 1);
}

/* Into the container whose bracket is at `at`. */
static inline const char *gl_jscan_open(struct gl_jsonpull *pull, const char *at)
{
    if (pull->depth == GL_JSONPULL_MAX_DEPTH)
        return gl_jscan_fail(pull, at, GL_E_TOO_LARGE, "nested too deeply");
    pull->is_object[++pull->depth] = *at == '{';
    return at + 1;
}

/* Is there anything in the container just opened (*out_has), as then at the place returned? Else it
 * is left again. */
static inline const char *gl_jscan_first(struct gl_jsonpull *pull, const char *at, bool *out_has)
{
    at = gl_jscan_space(pull, at);
    if (at == NULL)
        return NULL;
    *out_has = *at != (pull->is_object[pull->depth] ? '}' : ']');
    if (*out_has)
        return at;
    pull->depth--;
    return at + 1;
}

/* Behind a value in a container: is there another (*out_has), as then at the place returned? Else
 * the container is left. */
static inline const char *gl_jscan_next(struct gl_jsonpull *pull, const char *at, bool *out_has)
{
    bool is_object = pull->is_object[pull->depth];

    at = gl_jscan_space(pull, at);
    if (at == NULL)
        return NULL;
    *out_has = *at == ',';
    if (*at == ',')
        return gl_jscan_space(pull, at + 1);
    if (*at != (is_object ? '}' : ']'))
        return gl_jscan_expected(pull, at, is_object ? "',' or '}'" : "',' or ']'");
    pull->depth--;
    return at + 1;
}

#endif
