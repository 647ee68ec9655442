/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/feed.h"

#include <string.h>

void gl_noise_begin(struct gl_noise *noise, const uint8_t secret[32], const struct gl_hash *purpose)
{
    struct gl_hash key;

    *noise = (struct gl_noise){.used = GL_HASH_BYTES};
    gl_hmac_sha256(secret, 32, purpose->bytes, sizeof purpose->bytes, &key);
    memcpy(noise->key, key.bytes, sizeof noise->key);
}

static uint64_t next_word(struct gl_noise *noise)
{
    uint64_t word;

    if (noise->used == sizeof noise->block) {
        uint8_t counter[8];
        struct gl_hash block;

        for (size_t i = 0; i < sizeof counter; i++)
            counter[i] = (uint8_t)(noise->counter >> (8 * i));
        gl_hmac_sha256(noise->key, sizeof noise->key, counter, sizeof counter, &block);
        memcpy(noise->block, block.bytes, sizeof noise->block);
        noise->counter++;
        noise->used = 0;
    }
    word = 0;
    for (size_t i = 0; i < sizeof word; i++)
        word |= (uint64_t)noise->block[noise->used + i] << (8 * i);
    noise->used += sizeof word;
    return word;
}

/* Every number below `limit` alike; what would favour the low ones is drawn again. */
static uint64_t below(struct gl_noise *noise, uint64_t limit)
{
    uint64_t least = (0 - limit) % limit, word;

    do
        word = next_word(noise);
    while (word < least);
    return word % limit;
}

/* True with probability exp(-part/whole), part <= whole. */
static bool is_exp(struct gl_noise *noise, uint64_t part, uint64_t whole)
{
    uint64_t round = 1;

    while (below(noise, whole * round) < part)
        round++;
    return round % 2 == 1;
}

int64_t gl_noise_laplace(struct gl_noise *noise, int64_t scale)
{
    uint64_t whole = (uint64_t)scale;

    for (;;) {
        uint64_t rest = below(noise, whole);
        int64_t whole_steps = 0, size;
        bool is_negative;

        if (!is_exp(noise, rest, whole))
            continue;
        while (is_exp(noise, 1, 1))
            whole_steps++;
        size = (int64_t)rest + scale * whole_steps;
        is_negative = below(noise, 2) == 1;
        /* One zero, not two. */
        if (is_negative && size == 0)
            continue;
        return is_negative ? -size : size;
    }
}
