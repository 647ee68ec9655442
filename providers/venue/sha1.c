/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/venue/sha1.h"

#include "base/sign.h"

#include <stdlib.h>
#include <string.h>

static uint32_t rotate(uint32_t value, unsigned bits)
{
    return value << bits | value >> (32 - bits);
}

static uint32_t mix(unsigned round, uint32_t b, uint32_t c, uint32_t d)
{
    if (round < 20)
        return ((b & c) | (~b & d)) + 0x5a827999u;
    if (round < 40)
        return (b ^ c ^ d) + 0x6ed9eba1u;
    if (round < 60)
        return ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdcu;
    return (b ^ c ^ d) + 0xca62c1d6u;
}

static void take_block(uint32_t state[5], const uint8_t block[64])
{
    uint32_t words[80], a = state[0], b = state[1], c = state[2], d = state[3], e = state[4];

    for (unsigned i = 0; i < 16; i++)
        words[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 |
                   (uint32_t)block[4 * i + 2] << 8 | block[4 * i + 3];
    for (unsigned i = 16; i < 80; i++)
        words[i] = rotate(words[i - 3] ^ words[i - 8] ^ words[i - 14] ^ words[i - 16], 1);
    for (unsigned i = 0; i < 80; i++) {
        uint32_t next = rotate(a, 5) + mix(i, b, c, d) + e + words[i];

        e = d;
        d = c;
        c = rotate(b, 30);
        b = a;
        a = next;
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
    state[4] += e;
    gl_wipe(words, sizeof words);
}

void gl_sha1_hex(const char *text, size_t length, char out[GL_SHA1_HEX])
{
    uint32_t state[5] = {0x67452301u, 0xefcdab89u, 0x98badcfeu, 0x10325476u, 0xc3d2e1f0u};
    size_t padded = (length + 9 + 63) / 64 * 64;
    uint8_t *copy = gl_alloc(padded), bytes[20];

    memcpy(copy, text, length);
    copy[length] = 0x80;
    for (unsigned i = 0; i < 8; i++)
        copy[padded - 1 - i] = (uint8_t)((uint64_t)length * 8 >> (8 * i));
    for (size_t at = 0; at < padded; at += 64)
        take_block(state, copy + at);
    gl_wipe(copy, padded);
    free(copy);
    for (unsigned i = 0; i < 20; i++)
        bytes[i] = (uint8_t)(state[i / 4] >> (24 - 8 * (i % 4)));
    gl_hex_text(bytes, sizeof bytes, out);
}
