/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_TESTS_BENCH_AWHILE_RANDOM_H
#define GL_TESTS_BENCH_AWHILE_RANDOM_H

/* The random numbers of "Let's Wait Awhile": NumPy's default generator, PCG64 seeded through
 * SeedSequence, so that the same jobs and the same forecast errors are drawn. Sources: O'Neill,
 * "PCG" (HMC-CS-2014-0905); Lemire, "Fast random integer generation in an interval" (2019);
 * Marsaglia and Tsang, "The ziggurat method" (2000); NumPy's documentation of its streams. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AWHILE_LAYERS 256

__extension__ typedef unsigned __int128 awhile_wide;

struct awhile_random {
    awhile_wide state, increment;
    uint32_t half; /* the upper half of the last 64 bits, when kept */
    bool has_half;
    double ratio[AWHILE_LAYERS + 1], width[AWHILE_LAYERS + 1], height[AWHILE_LAYERS + 1];
};

void awhile_random_seed(struct awhile_random *random, uint32_t seed);
double awhile_random_double(struct awhile_random *random); /* [0, 1) */
/* 0 .. limit - 1. */
uint32_t awhile_random_below(struct awhile_random *random, uint32_t limit);
double awhile_random_normal(struct awhile_random *random);
/* How many of `count` trials of chance `share` succeed; share * count at most 30 (inversion). */
size_t awhile_random_binomial(struct awhile_random *random, size_t count, double share);

#endif
