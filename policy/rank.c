/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/judge.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Which of the judged offers comes first. */

static double known_or_infinite(double value)
{
    return value >= 0 ? value : (double)INFINITY;
}

static double price_of(const struct gl_offer *offer)
{
    return known_or_infinite((double)offer->price_u_usd_per_h);
}

struct gl_rank gl_rank_of(struct gl_judge *judge, const struct gl_judgement *judgement,
                          uint32_t name_rank)
{
    const struct gl_offer *offer = &judge->question->offers[judgement->offer];
    double grams = known_or_infinite((double)judgement->grams_total[1]), price = price_of(offer);
    struct gl_rank rank = {grams, price, name_rank, judgement->offer, (uint8_t)judgement->outcome};
    int64_t share;

    switch (judge->question->sort) {
    case GL_SORT_CARBON:
        break;
    case GL_SORT_PRICE:
        rank.first = price;
        rank.second = grams;
        break;
    case GL_SORT_INTENSITY:
        rank.first =
            known_or_infinite((double)gl_judge_report(judge, offer, GL_INTENSITY, GL_PART_CENTRAL));
        rank.second = grams;
        break;
    case GL_SORT_RENEWABLE:
        share = gl_judge_report(judge, offer, GL_RENEWABLE_SHARE, GL_PART_CENTRAL);
        rank.first = share == GL_UNKNOWN ? (double)INFINITY : -(double)share;
        rank.second = grams;
        break;
    }
    return rank;
}

/* Groups in the order allowed, unknown, violated. */
static int group_order(uint8_t outcome)
{
    return outcome == GL_SATISFIED ? 0 : outcome == GL_OUTCOME_UNKNOWN ? 1 : 2;
}

int gl_rank_compare(const void *left, const void *right)
{
    const struct gl_rank *a = left, *b = right;
    int groups = group_order(a->group) - group_order(b->group);

    if (groups != 0)
        return groups;
    if (a->first < b->first || a->first > b->first)
        return a->first < b->first ? -1 : 1;
    if (a->second < b->second || a->second > b->second)
        return a->second < b->second ? -1 : 1;
    if (a->name_rank != b->name_rank)
        return a->name_rank < b->name_rank ? -1 : 1;
    return (a->offer > b->offer) - (a->offer < b->offer);
}

/* ---- the best few ---- */

/* Let the rank at `at` sink below those that are worse: a heap with the worst on top. */
static void sink(struct gl_rank *heap, size_t count, size_t at)
{
    const struct gl_rank sinking = heap[at];
    size_t child;

    while ((child = 2 * at + 1) < count) {
        if (child + 1 < count && gl_rank_compare(&heap[child], &heap[child + 1]) < 0)
            child++;
        if (gl_rank_compare(&sinking, &heap[child]) >= 0)
            break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = sinking;
}

/* Is the offer behind the worst of the best few, as far as its judgement alone tells? Most are, and
 * an offer that is not looked at is not brought into the cache. */
static bool is_behind(const struct gl_judge *judge, const struct gl_judgement *judgement,
                      const struct gl_rank *worst)
{
    if ((uint8_t)judgement->outcome != worst->group)
        return group_order((uint8_t)judgement->outcome) > group_order(worst->group);
    return judge->question->sort == GL_SORT_CARBON &&
           known_or_infinite((double)judgement->grams_total[1]) > worst->first;
}

/* Where the next offer is, from `at` on, that may be among the best few; the end when none is. */
static size_t next_candidate(const struct gl_judge *judge, const struct gl_decision *decision,
                             size_t at, const struct gl_rank *worst)
{
    const struct gl_rank bar = *worst;

    while (at < decision->judged && (decision->judgements[at].outcome == GL_NOT_ASKED ||
                                     is_behind(judge, &decision->judgements[at], &bar)))
        at++;
    return at;
}

/* The best `wanted` of the offers asked about into ranks[], in no order. */
static void gather_best(struct gl_judge *judge, const struct gl_decision *decision,
                        const uint32_t *name_rank, struct gl_rank *ranks, size_t wanted)
{
    size_t count = 0, i = 0;

    for (; count < wanted; i++)
        if (decision->judgements[i].outcome != GL_NOT_ASKED)
            ranks[count++] =
                gl_rank_of(judge, &decision->judgements[i], name_rank != NULL ? name_rank[i] : 0);
    for (size_t parent = wanted / 2; parent-- > 0;)
        sink(ranks, wanted, parent);
    for (; (i = next_candidate(judge, decision, i, ranks)) < decision->judged; i++) {
        const struct gl_rank rank =
            gl_rank_of(judge, &decision->judgements[i], name_rank != NULL ? name_rank[i] : 0);

        if (gl_rank_compare(&rank, ranks) >= 0)
            continue;
        *ranks = rank;
        sink(ranks, wanted, 0);
    }
}

/* ---- the whole order ---- */

#define DIGIT_BITS 11
#define DIGITS     3 /* of a float */
#define BUCKETS    (1U << DIGIT_BITS)

/* Larger for what comes later, the same for what a float cannot tell apart. */
static uint32_t coarse_key(const struct gl_rank *rank)
{
    float first = (float)rank->first;
    uint32_t bits;

    memcpy(&bits, &first, sizeof bits);
    return bits & 0x80000000U ? ~bits : bits | 0x80000000U;
}

static uint32_t digit_of(const struct gl_rank *rank, unsigned digit)
{
    if (digit == DIGITS)
        return (uint32_t)group_order(rank->group);
    return coarse_key(rank) >> (digit * DIGIT_BITS) & (BUCKETS - 1);
}

/* One pass of a radix sort: stable, from ranks[] into out[]. */
static void sort_by_digit(const struct gl_rank *ranks, size_t count, unsigned digit,
                          struct gl_rank *out)
{
    size_t at[BUCKETS] = {0}, sum = 0;

    for (size_t i = 0; i < count; i++)
        at[digit_of(&ranks[i], digit)]++;
    for (size_t bucket = 0; bucket < BUCKETS; bucket++) {
        size_t size = at[bucket];

        at[bucket] = sum;
        sum += size;
    }
    for (size_t i = 0; i < count; i++)
        out[at[digit_of(&ranks[i], digit)]++] = ranks[i];
}

/* Tens of thousands of offers are sorted by digits, which leaves short runs to compare in full. */
static void sort_ranks(struct gl_rank *ranks, size_t count)
{
    struct gl_rank *spare = gl_alloc_table(count * sizeof *spare);
    size_t end;

    for (unsigned digit = 0; digit <= DIGITS; digit += 2) {
        sort_by_digit(ranks, count, digit, spare);
        sort_by_digit(spare, count, digit + 1, ranks);
    }
    gl_free_table(spare, count * sizeof *spare);
    for (size_t i = 0; i < count; i = end) {
        for (end = i + 1; end < count && ranks[end].group == ranks[i].group &&
                          coarse_key(&ranks[end]) == coarse_key(&ranks[i]);
             end++)
            continue;
        if (end - i > 1)
            qsort(&ranks[i], end - i, sizeof *ranks, gl_rank_compare);
    }
}

void gl_rank_offers(struct gl_judge *judge, const uint32_t *name_rank, struct gl_decision *decision)
{
    size_t most = decision->judged - decision->not_asked, wanted = judge->question->ranked_wanted;
    struct gl_rank *ranks;

    if (most == 0)
        return;
    if (wanted == 0 || wanted > most)
        wanted = most;
    ranks = gl_alloc_table(wanted * sizeof *ranks);
    gather_best(judge, decision, name_rank, ranks, wanted);
    if (wanted > BUCKETS)
        sort_ranks(ranks, wanted);
    else
        qsort(ranks, wanted, sizeof *ranks, gl_rank_compare);
    for (size_t i = 0; i < wanted; i++)
        decision->ranked[i] = ranks[i].offer;
    gl_free_table(ranks, wanted * sizeof *ranks);
}
