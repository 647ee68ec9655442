/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/judge.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Judge every offer, rank them, say the verdict. What one offer is worth is judge.c's business. */

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
        rank.first = known_or_infinite((double)gl_judge_report(judge, offer, GL_INTENSITY));
        rank.second = grams;
        break;
    case GL_SORT_RENEWABLE:
        share = gl_judge_report(judge, offer, GL_RENEWABLE_SHARE);
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
    return (a->name_rank > b->name_rank) - (a->name_rank < b->name_rank);
}

static void count_outcomes(struct gl_decision *decision)
{
    for (size_t i = 0; i < decision->judged; i++)
        switch (decision->judgements[i].outcome) {
        case GL_SATISFIED:
            decision->allowed++;
            break;
        case GL_VIOLATED:
            decision->violated++;
            break;
        case GL_OUTCOME_UNKNOWN:
            decision->unknown++;
            break;
        case GL_NOT_ASKED:
            decision->not_asked++;
            break;
        }
}

static void judge_offers(struct gl_judge *judge, struct gl_decision *decision)
{
    const struct gl_question *question = judge->question;

    for (size_t i = 0; i < question->offer_count; i++) {
        struct gl_judgement *judgement = &decision->judgements[i];

        if (gl_judge_asks(question->request, &question->offers[i], true)) {
            gl_judge_offer(judge, (uint32_t)i, judgement);
            continue;
        }
        *judgement = (struct gl_judgement){
            .offer = (uint32_t)i,
            .outcome = GL_NOT_ASKED,
            .grade = GL_GRADE_E,
            .reason = {.outcome = GL_NOT_ASKED, .found_u = GL_UNKNOWN},
            .grams_per_h = {-1, -1, -1},
            .grams_total = {-1, -1, -1},
        };
    }
    count_outcomes(decision);
}

static int compare_front(const void *left, const void *right)
{
    const struct gl_rank *a = left, *b = right;

    if (a->first < b->first || a->first > b->first)
        return a->first < b->first ? -1 : 1;
    return (a->second > b->second) - (a->second < b->second);
}

/* Walk the allowed offers by grams: one is on the front when it is cheaper than everything cleaner;
 * of equal grams only the cheapest are. An unknown figure is never on it. */
static void mark_pareto(const struct gl_question *question, struct gl_decision *decision)
{
    struct gl_rank *front = gl_alloc(decision->allowed * sizeof *front);
    double cheapest = (double)INFINITY, previous_grams = -1, previous_price = -1;
    size_t count = 0;

    for (size_t i = 0; i < decision->judged; i++) {
        const struct gl_judgement *judgement = &decision->judgements[i];
        double price = price_of(&question->offers[i]);

        if (judgement->outcome == GL_SATISFIED && judgement->grams_total[1] >= 0 && isfinite(price))
            front[count++] = (struct gl_rank){
                .first = (double)judgement->grams_total[1], .second = price, .offer = (uint32_t)i};
    }
    qsort(front, count, sizeof *front, compare_front);
    for (size_t i = 0; i < count; i++) {
        bool is_twin = !(front[i].first > previous_grams) && !(front[i].second > previous_price);

        if (front[i].second < cheapest) {
            cheapest = front[i].second;
            previous_grams = front[i].first;
            previous_price = front[i].second;
            is_twin = true;
        }
        decision->judgements[front[i].offer].is_pareto = is_twin;
    }
    free(front);
}

static void rank_offers(struct gl_judge *judge, const uint32_t *name_rank,
                        struct gl_decision *decision)
{
    size_t count = 0;
    struct gl_rank *ranks = gl_alloc(decision->judged * sizeof *ranks);

    for (size_t i = 0; i < decision->judged; i++)
        if (decision->judgements[i].outcome != GL_NOT_ASKED)
            ranks[count++] = gl_rank_of(judge, &decision->judgements[i], name_rank[i]);
    qsort(ranks, count, sizeof *ranks, gl_rank_compare);
    for (size_t i = 0; i < count; i++)
        decision->ranked[i] = ranks[i].offer;
    free(ranks);
}

static int64_t latest_start(const struct gl_request *request)
{
    return request->latest_start.unix_s > request->start.unix_s ? request->latest_start.unix_s
                                                                : INT64_MAX;
}

/* A window exists when a later start is proven; beyond the asked latest start it is only told. */
static enum gl_verdict verdict_of(const struct gl_question *question,
                                  const struct gl_decision *decision)
{
    if (decision->allowed > 0)
        return GL_ALLOW;
    for (size_t i = 0; i < decision->alternative_count; i++)
        if (decision->alternatives[i].kind == GL_ALT_TIME &&
            decision->alternatives[i].start.unix_s <= latest_start(question->request))
            return GL_LATER;
    return decision->unknown > 0 ? GL_VERDICT_UNKNOWN : GL_REFUSE;
}

struct gl_decision *gl_decide(const struct gl_question *question)
{
    struct gl_decision *decision = gl_alloc(sizeof *decision);
    uint32_t *name_rank = gl_alloc(question->offer_count * sizeof *name_rank);
    struct gl_judge judge;

    gl_judge_init(&judge, question);
    decision->at = question->now;
    decision->judged = question->offer_count;
    decision->judgements = gl_alloc(question->offer_count * sizeof *decision->judgements);
    decision->ranked = gl_alloc(question->offer_count * sizeof *decision->ranked);
    judge_offers(&judge, decision);
    mark_pareto(question, decision);
    if (!question->has_no_digest)
        gl_decision_digest(question, decision, name_rank);
    rank_offers(&judge, name_rank, decision);
    if (decision->allowed == 0)
        gl_alternatives_find(&judge, name_rank, decision);
    decision->verdict = verdict_of(question, decision);
    gl_judge_done(&judge);
    free(name_rank);
    return decision;
}

void gl_decision_free(struct gl_decision *decision)
{
    if (decision == NULL)
        return;
    free(decision->judgements);
    free(decision->ranked);
    free(decision);
}

static size_t reasons_of(struct gl_judge *judge, const struct gl_offer *offer,
                         struct gl_reason *out, size_t capacity)
{
    const struct gl_question *question = judge->question;
    size_t count = 0;
    struct gl_tested tested;

    if (!gl_judge_asks(question->request, offer, true) && count < capacity)
        out[count++] = (struct gl_reason){.outcome = GL_NOT_ASKED, .found_u = GL_UNKNOWN};
    for (size_t i = 0; question->policy != NULL && i < question->policy->rule_count; i++) {
        const struct gl_rule *rule = &question->policy->rules[i];

        if (!gl_judge_applies(judge, rule, offer))
            continue;
        for (size_t c = 0; c < rule->count && count < capacity; c++)
            if (gl_judge_test(judge, &judge->plans[i], offer, &rule->constraints[c], &tested))
                out[count++] = tested.reason;
    }
    return count;
}

size_t gl_judge_all(const struct gl_question *question, uint32_t offer, struct gl_reason *out,
                    size_t capacity)
{
    struct gl_judge judge;
    size_t count;

    if (offer >= question->offer_count)
        return 0;
    gl_judge_init(&judge, question);
    count = reasons_of(&judge, &question->offers[offer], out, capacity);
    gl_judge_done(&judge);
    return count;
}
