/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/bench_awhile_random.h"

#include <math.h>

#define RIGHT_EDGE                                                                 \
    3.6541528853610087963519472518  /* of the lowest layer's rectangle, 256 layers \
                                     */
#define MANTISSA 4503599627370496.0 /* 2^52 */

/* ---- the seed: SeedSequence ---- */

static uint32_t hash_mix(uint32_t value, uint32_t *constant, uint32_t factor)
{
    value ^= *constant;
    *constant *= factor;
    value *= *constant;
    return value ^ value >> 16;
}

static uint32_t mix(uint32_t x, uint32_t y)
{
    const uint32_t mixed = 0xca01f9ddU * x - 0x4973f715U * y;

    return mixed ^ mixed >> 16;
}

static void seed_words(uint32_t seed, uint64_t out[4])
{
    uint32_t pool[4], constant = 0x43b0d7e5U, words[8];

    for (size_t i = 0; i < 4; i++)
        pool[i] = hash_mix(i == 0 ? seed : 0, &constant, 0x931e8875U);
    for (size_t from = 0; from < 4; from++)
        for (size_t to = 0; to < 4; to++)
            if (from != to)
                pool[to] = mix(pool[to], hash_mix(pool[from], &constant, 0x931e8875U));
    constant = 0x8b51f9ddU;
    for (size_t i = 0; i < 8; i++)
        words[i] = hash_mix(pool[i % 4], &constant, 0x58f38dedU);
    for (size_t i = 0; i < 4; i++)
        out[i] = (uint64_t)words[2 * i + 1] << 32 | words[2 * i];
}

/* ---- bits: PCG XSL RR 128/64 ---- */

static void step(struct awhile_random *random)
{
    const awhile_wide factor = (awhile_wide)0x2360ed051fc65da4ULL << 64 | 0x4385df649fccf645ULL;

    random->state = random->state * factor + random->increment;
}

static uint64_t next_64(struct awhile_random *random)
{
    uint64_t bits;
    unsigned turn;

    step(random);
    bits = (uint64_t)(random->state >> 64) ^ (uint64_t)random->state;
    turn = (unsigned)(random->state >> 122);
    return bits >> turn | bits << (-turn & 63);
}

static uint32_t next_32(struct awhile_random *random)
{
    uint64_t bits;

    if (random->has_half) {
        random->has_half = false;
        return random->half;
    }
    bits = next_64(random);
    random->half = (uint32_t)(bits >> 32);
    random->has_half = true;
    return (uint32_t)bits;
}

/* ---- the layers of the ziggurat ---- */

static double density(double x)
{
    return exp(-0.5 * x * x);
}

static void make_layers(struct awhile_random *random)
{
    /* Of every layer: the lowest rectangle and the tail beyond it. */
    const double area =
        RIGHT_EDGE * density(RIGHT_EDGE) + sqrt(acos(-1) / 2) * erfc(RIGHT_EDGE / sqrt(2));
    double edge = RIGHT_EDGE, outer = RIGHT_EDGE;

    random->ratio[0] = RIGHT_EDGE * density(RIGHT_EDGE) / area * MANTISSA;
    random->ratio[1] = 0;
    random->width[0] = area / density(RIGHT_EDGE) / MANTISSA;
    random->width[AWHILE_LAYERS - 1] = RIGHT_EDGE / MANTISSA;
    random->height[0] = 1;
    random->height[AWHILE_LAYERS - 1] = density(RIGHT_EDGE);
    for (size_t i = AWHILE_LAYERS - 2; i >= 1; i--) {
        edge = sqrt(-2 * log(area / edge + density(edge)));
        random->ratio[i + 1] = edge / outer * MANTISSA;
        outer = edge;
        random->height[i] = density(edge);
        random->width[i] = edge / MANTISSA;
    }
}

void awhile_random_seed(struct awhile_random *random, uint32_t seed)
{
    uint64_t words[4];

    seed_words(seed, words);
    *random = (struct awhile_random){0};
    random->increment = ((awhile_wide)words[2] << 64 | words[3]) << 1 | 1;
    step(random);
    random->state += (awhile_wide)words[0] << 64 | words[1];
    step(random);
    make_layers(random);
}

/* ---- distributions ---- */

double awhile_random_double(struct awhile_random *random)
{
    return (double)(next_64(random) >> 11) / 9007199254740992.0;
}

uint32_t awhile_random_below(struct awhile_random *random, uint32_t limit)
{
    const uint32_t least = (UINT32_MAX - (limit - 1)) % limit;
    uint64_t product = (uint64_t)next_32(random) * limit;

    while ((uint32_t)product < least)
        product = (uint64_t)next_32(random) * limit;
    return (uint32_t)(product >> 32);
}

static double tail(struct awhile_random *random)
{
    for (;;) {
        const double x = -log1p(-awhile_random_double(random)) / RIGHT_EDGE;
        const double y = -log1p(-awhile_random_double(random));

        if (y + y > x * x)
            return RIGHT_EDGE + x;
    }
}

double awhile_random_normal(struct awhile_random *random)
{
    for (;;) {
        const uint64_t bits = next_64(random);
        const size_t layer = bits & 0xff;
        const uint64_t size = bits >> 9 & 0xfffffffffffffULL;
        const double sign = (bits >> 8 & 1) != 0 ? -1 : 1;
        const double x = (double)size * random->width[layer];
        double height;

        if ((double)size < random->ratio[layer])
            return sign * x;
        if (layer == 0)
            return (size >> 8 & 1) != 0 ? -tail(random) : tail(random);
        height = random->height[layer - 1] - random->height[layer];
        if (height * awhile_random_double(random) + random->height[layer] < density(x))
            return sign * x;
    }
}

/* Of a share of at most one half. */
static size_t invert(struct awhile_random *random, size_t count, double share)
{
    const double n = (double)count, rest = 1 - share;
    const double first = exp(n * log1p(-share));
    const double limit = n * share + 10 * sqrt(n * share * rest + 1);
    const size_t bound = (size_t)(limit < n ? limit : n);
    double drawn = awhile_random_double(random), chance = first;
    size_t hits = 0;

    while (drawn > chance) {
        hits++;
        if (hits > bound) {
            hits = 0;
            chance = first;
            drawn = awhile_random_double(random);
            continue;
        }
        drawn -= chance;
        chance = (n - (double)hits + 1) * share * chance / ((double)hits * rest);
    }
    return hits;
}

size_t awhile_random_binomial(struct awhile_random *random, size_t count, double share)
{
    if (count == 0 || share <= 0)
        return 0;
    return share <= 0.5 ? invert(random, count, share) : count - invert(random, count, 1 - share);
}
