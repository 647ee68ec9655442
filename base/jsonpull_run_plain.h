/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BASE_JSONPULL_RUN_PLAIN_H
#define GL_BASE_JSONPULL_RUN_PLAIN_H

/* As base/jsonpull_run.h says, 8 bytes at a time. */

#include <endian.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define GL_JSCAN_EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

/* The upper bit of each byte of `word` that is zero. */
static inline uint64_t gl_jscan_zeros(uint64_t word)
{
    return ~(((word & GL_JSCAN_EACH(0x7f)) + GL_JSCAN_EACH(0x7f)) | word) & GL_JSCAN_EACH(0x80);
}

/* The upper bit of each byte that is no plain part of a string: '"', '\\', a control character, or
 * not ASCII. */
static inline uint64_t gl_jscan_stops_of(uint64_t word)
{
    return (word & GL_JSCAN_EACH(0x80)) | gl_jscan_zeros(word & GL_JSCAN_EACH(0xe0)) |
           gl_jscan_zeros(word ^ GL_JSCAN_EACH('"')) | gl_jscan_zeros(word ^ GL_JSCAN_EACH('\\'));
}

/* The same of the 64 bytes from `at` on, bit i for byte i. The product moves the upper bit of byte
 * k to bit 56 + k. */
static inline uint64_t gl_jscan_stops(const char *at)
{
    uint64_t word, stops = 0;

    for (unsigned i = 0; i < 64; i += 8) {
        memcpy(&word, at + i, sizeof word);
        stops |= ((gl_jscan_stops_of(le64toh(word)) >> 7) * UINT64_C(0x0102040810204080) >> 56)
                 << i;
    }
    return stops;
}

/* The first byte from `at` on that is no plain part of a string. The run is copied to `out`; up to
 * 8 bytes more are read and written. */
static inline const char *gl_jscan_plain(const char *at, char *out)
{
    for (;; at += 8, out += 8) {
        uint64_t word, stops;

        memcpy(&word, at, sizeof word);
        memcpy(out, &word, sizeof word);
        stops = gl_jscan_stops_of(le64toh(word));
        if (stops != 0)
            return at + __builtin_ctzll(stops) / 8;
    }
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
