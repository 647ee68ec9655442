/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_TESTS_SUPPORT_INVENT_H
#define GL_TESTS_SUPPORT_INVENT_H

/* Worlds invented from a seed, for tests of what must hold for every decision. Their evidence is
 * missing, stale, negative, future-dated, truncated, contradictory, unsorted or of another meaning.
 * The same seed gives the same world. */

#include "tests/unit/policy/case.h"

#define ZONES       5
#define OFFERS      12
#define RULES       3
#define CONSTRAINTS 4

struct world {
    uint64_t random;
    struct case_zone zones[ZONES];
    struct gl_offer offers[OFFERS + 1]; /* the last one is not asked about yet */
    size_t offer_count;
    struct gl_constraint constraints[RULES][CONSTRAINTS];
    struct gl_rule rules[RULES];
    struct gl_waiver waiver;
    struct gl_policy policy;
    struct gl_request request;
    struct gl_question question;
};

/* The present world and the seed it came from. */
extern struct world world;
extern uint64_t seed;

/* Fill `world`; each series is spoiled with a chance of one in `spoil_one_in`, perhaps again. */
void invent_world(uint64_t number, int64_t spoil_one_in);
/* Another rule at this index. */
void invent_rule(size_t index);
int64_t invent_below(int64_t limit);
bool invent_one_in(int64_t n);

#endif
