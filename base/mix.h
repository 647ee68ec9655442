/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BASE_MIX_H
#define GL_BASE_MIX_H

#include <stdint.h>

/* Spreads the bits of a word, for hash tables and sums; no protection against intent. The finaliser
 * of MurmurHash3 (public domain). */
static inline uint64_t gl_mix(uint64_t word)
{
    word ^= word >> 33;
    word *= UINT64_C(0xff51afd7ed558ccd);
    word ^= word >> 33;
    word *= UINT64_C(0xc4ceb9fe1a85ec53);
    return word ^ word >> 33;
}

#endif
