/* SPDX-License-Identifier: Apache-2.0 */
#include "base/sha256.h"

#if defined(__x86_64__)

#include <cpuid.h>
#include <immintrin.h>

#define BLOCK 64

/* FIPS 180-4 section 4.2.2. */
static const uint32_t constants[64] __attribute__((aligned(16))) = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

bool gl_sha256_can(void)
{
    unsigned a, b, c, d;
    bool has_shuffles = __get_cpuid(1, &a, &b, &c, &d) && (c & bit_SSSE3) && (c & bit_SSE4_1);

    return has_shuffles && __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & bit_SHA);
}

/* The instructions want the words of the state as two registers, (a b e f) and (c d g h). */
struct halves {
    __m128i abef, cdgh;
};

__attribute__((target("sha,sse4.1"))) static struct halves load(const uint32_t state[8])
{
    __m128i abcd = _mm_loadu_si128((const __m128i *)(const void *)state);
    __m128i efgh = _mm_loadu_si128((const __m128i *)(const void *)(state + 4));
    __m128i badc = _mm_shuffle_epi32(abcd, 0xb1), hgfe = _mm_shuffle_epi32(efgh, 0x1b);

    return (struct halves){_mm_alignr_epi8(badc, hgfe, 8), _mm_blend_epi16(hgfe, badc, 0xf0)};
}

__attribute__((target("sha,sse4.1"))) static void store(struct halves halves, uint32_t state[8])
{
    __m128i feba = _mm_shuffle_epi32(halves.abef, 0x1b);
    __m128i dchg = _mm_shuffle_epi32(halves.cdgh, 0xb1);

    _mm_storeu_si128((__m128i *)(void *)state, _mm_blend_epi16(feba, dchg, 0xf0));
    _mm_storeu_si128((__m128i *)(void *)(state + 4), _mm_alignr_epi8(dchg, feba, 8));
}

/* Four rounds with the four words of the schedule in `words`. */
__attribute__((target("sha,sse4.1"))) static inline struct halves rounds(struct halves halves,
                                                                         __m128i words,
                                                                         size_t round)
{
    __m128i sum =
        _mm_add_epi32(words, _mm_load_si128((const __m128i *)(const void *)(constants + round)));

    halves.cdgh = _mm_sha256rnds2_epu32(halves.cdgh, halves.abef, sum);
    halves.abef = _mm_sha256rnds2_epu32(halves.abef, halves.cdgh, _mm_shuffle_epi32(sum, 0x0e));
    return halves;
}

/* The next four words of the schedule from the sixteen before. */
__attribute__((target("sha,sse4.1"))) static inline __m128i expand(__m128i w0, __m128i w4,
                                                                   __m128i w8, __m128i w12)
{
    __m128i sum = _mm_add_epi32(_mm_sha256msg1_epu32(w0, w4), _mm_alignr_epi8(w12, w8, 4));

    return _mm_sha256msg2_epu32(sum, w12);
}

__attribute__((target("sha,sse4.1"))) static struct halves block(struct halves before,
                                                                 const uint8_t *bytes)
{
    const __m128i *words = (const __m128i *)(const void *)bytes;
    const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
    __m128i w0 = _mm_shuffle_epi8(_mm_loadu_si128(words), big_endian);
    __m128i w4 = _mm_shuffle_epi8(_mm_loadu_si128(words + 1), big_endian);
    __m128i w8 = _mm_shuffle_epi8(_mm_loadu_si128(words + 2), big_endian);
    __m128i w12 = _mm_shuffle_epi8(_mm_loadu_si128(words + 3), big_endian);
    struct halves halves = before;

    for (size_t round = 0;; round += 16) {
        halves = rounds(halves, w0, round);
        halves = rounds(halves, w4, round + 4);
        halves = rounds(halves, w8, round + 8);
        halves = rounds(halves, w12, round + 12);
        if (round == 48)
            break;
        w0 = expand(w0, w4, w8, w12);
        w4 = expand(w4, w8, w12, w0);
        w8 = expand(w8, w12, w0, w4);
        w12 = expand(w12, w0, w4, w8);
    }
    halves.abef = _mm_add_epi32(halves.abef, before.abef);
    halves.cdgh = _mm_add_epi32(halves.cdgh, before.cdgh);
    return halves;
}

__attribute__((target("sha,sse4.1"))) void gl_sha256_blocks(uint32_t state[8], const uint8_t *bytes,
                                                            size_t count)
{
    struct halves halves = load(state);

    for (; count > 0; count--, bytes += BLOCK)
        halves = block(halves, bytes);
    store(halves, state);
}

#else

bool gl_sha256_can(void)
{
    return false;
}

void gl_sha256_blocks(uint32_t state[8], const uint8_t *bytes, size_t count)
{
    (void)state;
    (void)bytes;
    (void)count;
}

#endif
