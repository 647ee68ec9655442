/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BASE_JSONPULL_RUN_PLAIN_H
#define GL_BASE_JSONPULL_RUN_PLAIN_H

/* As base/jsonpull_run.h says, 8 bytes at a time. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define GL_JSCAN_EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

/* Not zero when a byte of `word` is zero (and then perhaps for bytes beside it). */
static inline uint64_t gl_jscan_zeros(uint64_t word)
{
    return (word - GL_JSCAN_EACH(1)) & ~word & GL_JSCAN_EACH(0x80);
}

static inline bool gl_jscan_is_plain(char byte)
{
    return byte >= ' ' && (unsigned char)byte < 0x80 && byte != '"' && byte != '\\';
}

/* The first byte from `at` on that is no plain part of a string: '"', '\\', a control character, or
 * not ASCII. With `out` the run is copied there; up to 8 bytes more are read and written. */
static inline const char *gl_jscan_plain(const char *at, char *out)
{
    for (;;) {
        uint64_t word, stops;

        memcpy(&word, at, sizeof word);
        stops = (word & GL_JSCAN_EACH(0x80)) | gl_jscan_zeros(word & GL_JSCAN_EACH(0xe0)) |
                gl_jscan_zeros(word ^ GL_JSCAN_EACH('"')) |
                gl_jscan_zeros(word ^ GL_JSCAN_EACH('\\'));
        if (out != NULL) {
            memcpy(out, &word, sizeof word);
            out += sizeof word;
        }
        if (stops != 0)
            break;
        at += sizeof word;
    }
    while (gl_jscan_is_plain(*at))
        at++;
    return at;
}

/* The first byte from `at` on that is no white space of JSON. */
static inline const char *gl_jscan_space_end(const char *at)
{
    while (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t')
        at++;
    return at;
}

/* How many bytes from `from` to `to` end a line. */
static inline size_t gl_jscan_line_ends(const char *from, const char *to)
{
    size_t count = 0;

    while ((from = memchr(from, '\n', (size_t)(to - from))) != NULL) {
        count++;
        from++;
    }
    return count;
}

#endif
