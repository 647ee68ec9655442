/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/judge.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Judge every offer, rank them, say the verdict. What one offer is worth is judge.c's business. */

/* ---- the front ---- */

struct front_point {
    double grams, price;
    uint32_t offer;
};

/* Allowed offers that no other one beats in grams and price at once: ever dirtier, ever cheaper. */
struct front {
    struct front_point *points;
    size_t count, capacity;
    struct front_point beater; /* of the last one beaten; it mostly beats the next one too */
};

/* Index of the first point that is dirtier. */
static size_t first_dirtier(const struct front *front, double grams)
{
    size_t low = 0, high = front->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (front->points[middle].grams <= grams)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Put the point in place of [from, until), which it beats. */
static void put_point(struct front *front, size_t from, size_t until,
                      const struct front_point *point)
{
    if (front->count == front->capacity) {
        front->capacity = front->capacity != 0 ? front->capacity * 2 : 64;
        front->points = gl_realloc(front->points, front->capacity * sizeof *front->points);
    }
    memmove(&front->points[from + 1], &front->points[until],
            (front->count - until) * sizeof *front->points);
    front->points[from] = *point;
    front->count += 1 - (until - from);
}

/* Better in one and not worse in the other. */
static bool beats(const struct front_point *a, const struct front_point *b)
{
    return a->grams <= b->grams && a->price <= b->price &&
           (a->grams < b->grams || a->price < b->price);
}

/* Of equal points all stay. */
static void add_point(struct front *front, const struct front_point *point)
{
    size_t at, from, until;

    if (front->count > 0 && beats(&front->beater, point))
        return;
    at = from = until = first_dirtier(front, point->grams);
    if (at > 0 && beats(&front->points[at - 1], point)) {
        front->beater = front->points[at - 1];
        return;
    }
    while (from > 0 && front->points[from - 1].grams >= point->grams &&
           front->points[from - 1].price > point->price)
        from--;
    while (until < front->count && front->points[until].price >= point->price)
        until++;
    put_point(front, from, until, point);
    front->beater = *point;
}

/* An unknown figure is never on the front. */
static void add_allowed(struct front *front, const struct gl_offer *offer,
                        const struct gl_judgement *judgement)
{
    if (judgement->grams_total[1] >= 0 && offer->price_u_usd_per_h >= 0)
        add_point(front, &(struct front_point){(double)judgement->grams_total[1],
                                               (double)offer->price_u_usd_per_h, judgement->offer});
}

/* ---- every offer ---- */

/* Place by place: tens of thousands of offers do not stay in a cache until all are judged. */
static void judge_offers(struct gl_judge *judge, struct gl_decision *decision)
{
    size_t counts[GL_NOT_ASKED + 1] = {0};
    struct front front = {0};

    for (size_t i = 0; i < decision->judged;)
        for (size_t end = gl_judge_run(judge, i, decision->judgements); i < end; i++) {
            const struct gl_judgement *judgement = &decision->judgements[i];

            counts[judgement->outcome]++;
            if (judgement->outcome == GL_SATISFIED)
                add_allowed(&front, &judge->question->offers[i], judgement);
        }
    for (size_t i = 0; i < front.count; i++)
        decision->judgements[front.points[i].offer].is_pareto = true;
    free(front.points);
    decision->allowed = counts[GL_SATISFIED];
    decision->violated = counts[GL_VIOLATED];
    decision->unknown = counts[GL_OUTCOME_UNKNOWN];
    decision->not_asked = counts[GL_NOT_ASKED];
}

/* ---- the verdict ---- */

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

static void fill_bounds(struct gl_judge *judge, struct gl_decision *decision)
{
    size_t asked = decision->judged - decision->not_asked;
    size_t wanted = judge->question->ranked_wanted;

    for (size_t i = 0; i < wanted && i < asked; i++)
        gl_judge_bounds(judge, &decision->judgements[decision->ranked[i]]);
}

/* Of judgements[] and ranked[], which lie one after the other. */
static size_t table_size(const struct gl_decision *decision)
{
    return decision->judged * (sizeof *decision->judgements + sizeof *decision->ranked);
}

struct gl_decision *gl_decide(const struct gl_question *question)
{
    struct gl_decision *decision = gl_alloc(sizeof *decision);
    uint32_t *name_rank = NULL;
    struct gl_judge judge;

    gl_judge_init(&judge, question);
    decision->at = question->now;
    decision->judged = question->offer_count;
    decision->judgements = gl_alloc_table(table_size(decision));
    decision->ranked = (uint32_t *)(decision->judgements + question->offer_count);
    judge_offers(&judge, decision);
    if (!question->has_no_digest || decision->allowed == 0)
        name_rank = gl_alloc(question->offer_count * sizeof *name_rank);
    if (!question->has_no_digest)
        gl_decision_digest(question, decision, name_rank);
    gl_rank_offers(&judge, name_rank, decision);
    if (judge.is_brief)
        fill_bounds(&judge, decision);
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
    gl_free_table(decision->judgements, table_size(decision));
    free(decision);
}

static size_t reasons_of(struct gl_judge *judge, const struct gl_offer *offer,
                         struct gl_reason *out, size_t capacity)
{
    const struct gl_question *question = judge->question;
    size_t count = 0;
    struct gl_tested tested;

    if (count < capacity && !(gl_judge_asks_place(question->request, offer) &&
                              gl_judge_asks_type(question->request, offer)))
        out[count++] = (struct gl_reason){.outcome = GL_NOT_ASKED, .found_u = GL_UNKNOWN};
    for (size_t i = 0; question->policy != NULL && i < question->policy->rule_count; i++) {
        const struct gl_rule *rule = &question->policy->rules[i];

        if (!gl_judge_applies(judge, rule, offer))
            continue;
        for (size_t l = 0; l < judge->plans[i].limit_count && count < capacity; l++) {
            gl_judge_test(judge, &judge->plans[i], offer,
                          judge->limits[judge->plans[i].first_limit + l].constraint, &tested);
            out[count++] = tested.reason;
        }
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

void gl_judge_one(const struct gl_question *question, uint32_t offer, struct gl_judgement *out)
{
    struct gl_judge judge;

    gl_judge_init(&judge, question);
    gl_judge_offer(&judge, offer, out);
    gl_judge_done(&judge);
}
