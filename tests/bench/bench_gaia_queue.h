/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_TESTS_BENCH_GAIA_QUEUE_H
#define GL_TESTS_BENCH_GAIA_QUEUE_H

/* The order in which GAIA's simulator serves jobs that arrived in the same 5 s. It keeps them in a
 * binary heap (CPython's heapq) by arrival alone, takes all out and puts all back in every step, so
 * the order of equals depends on the shape of the heap and on how many steps have passed. With
 * reserved cores that order decides who gets them, and the paper's figures follow from it. */

#include <stddef.h>

/* What comes out of a heap into which `count` items of rising `key` were put: out_from[i] is the
 * place in the list of the i-th. */
void gaia_queue_pop_all(const size_t *key, size_t count, size_t *out_from);

/* `item` (of rising `key`) after `steps` times out and back. */
void gaia_queue_wait(const size_t *key, size_t *item, size_t count, size_t steps);

#endif
