/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BASE_JSONPULL_RUN_SSE2_H
#define GL_BASE_JSONPULL_RUN_SSE2_H

/* As base/jsonpull_run.h says, 16 bytes at a time. */

#include <emmintrin.h>
#include <stddef.h>
#include <stdint.h>

/* What is no plain part of a string among 16 bytes: '"', '\\', a control character, or not ASCII;
 * bit i for byte i. */
static inline unsigned gl_jscan_stops_of(__m128i bytes)
{
    /* The comparison is signed: bytes from 0x80 on are below the space as well. */
    __m128i stops = _mm_or_si128(_mm_cmplt_epi8(bytes, _mm_set1_epi8(' ')),
                                 _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')),
                                              _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'))));

    return (unsigned)_mm_movemask_epi8(stops);
}

/* The same of the 64 bytes from `at` on. */
static inline uint64_t gl_jscan_stops(const char *at)
{
    const __m128i *from = (const __m128i *)(const void *)at;
    uint64_t low = gl_jscan_stops_of(_mm_loadu_si128(from)) |
                   gl_jscan_stops_of(_mm_loadu_si128(from + 1)) << 16;
    uint64_t high = gl_jscan_stops_of(_mm_loadu_si128(from + 2)) |
                    gl_jscan_stops_of(_mm_loadu_si128(from + 3)) << 16;

    return low | high << 32;
}

/* The first byte from `at` on that is no plain part of a string. The run is copied to `out`; up to
 * 16 bytes more are read and written. */
static inline const char *gl_jscan_plain(const char *at, char *out)
{
    for (;; at += 16, out += 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
        unsigned stops = gl_jscan_stops_of(bytes);

        _mm_storeu_si128((__m128i *)(void *)out, bytes);
        if (stops != 0)
            return at + __builtin_ctz(stops);
    }
}

/* The first byte from `at` on that is no white space of JSON. */
static inline const char *gl_jscan_space_end(const char *at)
{
    for (;; at += 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
        __m128i spaces = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(' ')),
                                                   _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\n'))),
                                      _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('\r')),
                                                   _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\t'))));
        unsigned others = ~(unsigned)_mm_movemask_epi8(spaces) & 0xffffu;

        if (others != 0)
            return at + __builtin_ctz(others);
    }
}

/* How many bytes from `from` to `to` end a line. */
static inline size_t gl_jscan_line_ends(const char *from, const char *to)
{
    const __m128i line_end = _mm_set1_epi8('\n'), zero = _mm_setzero_si128();
    __m128i sum = zero;
    size_t count;

    for (; to - from >= 16; from += 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)from);
        __m128i ones = _mm_sub_epi8(zero, _mm_cmpeq_epi8(bytes, line_end));

        sum = _mm_add_epi64(sum, _mm_sad_epu8(ones, zero));
    }
    count = (size_t)_mm_cvtsi128_si32(sum) + (size_t)_mm_cvtsi128_si32(_mm_srli_si128(sum, 8));
    for (; from < to; from++)
        count += *from == '\n';
    return count;
}

#endif
