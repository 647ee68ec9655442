/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/judge.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What would be allowed near a refusal: elsewhere, later, shorter, or with one limit looser. Later
 * and shorter are proven by hourly evidence only. */

#define PLACES     3
#define STEP_S     900
#define SEARCH_S   (96 * 3600)
#define LONGEST_S  (14 * 86400)
#define SIZE_STEPS 96
#define HOUR_S     3600

/* Offers that another start or duration could save, grouped: same zones, same rules, same waivers.
 * Within a class the least watts come first, so when the first fails on evidence all do. */
struct candidate {
    const struct gl_zone_facts *zones[2];
    uint64_t rules; /* hash of what applies */
    double watts;
    uint32_t offer, name_rank;
};

struct class
{
    size_t first, end; /* in candidates[] */
    int64_t horizon;   /* end of hourly evidence for its zones */
};

struct search {
    struct gl_judge *judge;
    const uint32_t *name_rank;
    struct gl_decision *decision;
    struct candidate *candidates;
    struct class *classes;
    size_t count, class_count;
    int64_t horizon; /* the latest of all */
};

static void add(struct gl_decision *decision, const struct gl_alternative *alternative)
{
    size_t capacity = sizeof decision->alternatives / sizeof decision->alternatives[0];

    if (decision->alternative_count < capacity)
        decision->alternatives[decision->alternative_count++] = *alternative;
}

static bool is_same_region(const struct gl_question *question, uint32_t a, uint32_t b)
{
    return strcmp(question->offers[a].cloud, question->offers[b].cloud) == 0 &&
           strcmp(question->offers[a].region, question->offers[b].region) == 0;
}

/* The best of each of the first few regions. */
static void add_places(struct search *search, const struct gl_rank *ranks, size_t count)
{
    const struct gl_question *question = search->judge->question;
    uint32_t chosen[PLACES];
    size_t places = 0;

    for (size_t i = 0; i < count && places < PLACES; i++) {
        bool is_new = true;

        for (size_t p = 0; p < places && is_new; p++)
            is_new = !is_same_region(question, chosen[p], ranks[i].offer);
        if (!is_new)
            continue;
        chosen[places++] = ranks[i].offer;
        add(search->decision, &(struct gl_alternative){.kind = GL_ALT_PLACE,
                                                       .offer = ranks[i].offer,
                                                       .start = question->request->start,
                                                       .duration = question->request->duration,
                                                       .needed_u = GL_UNKNOWN});
    }
}

static void find_places(struct search *search)
{
    const struct gl_question *question = search->judge->question;
    struct gl_rank *ranks = gl_alloc(search->decision->not_asked * sizeof *ranks);
    size_t count = 0;

    for (size_t i = 0; i < question->offer_count; i++) {
        struct gl_judgement judgement;

        if (search->decision->judgements[i].outcome != GL_NOT_ASKED ||
            !gl_judge_asks(question->request, &question->offers[i], false))
            continue;
        gl_judge_offer(search->judge, (uint32_t)i, &judgement);
        if (judgement.outcome == GL_SATISFIED)
            ranks[count++] = gl_rank_of(search->judge, &judgement, search->name_rank[i]);
    }
    qsort(ranks, count, sizeof *ranks, gl_rank_compare);
    add_places(search, ranks, count);
    free(ranks);
}

/* Would the limit hold if it stood at what was found? Not when a second, disputed zone is unknown.
 */
static bool holds_at_found(struct gl_judge *judge, const struct gl_rule_plan *plan,
                           const struct gl_offer *offer, const struct gl_reason *reason)
{
    struct gl_constraint looser = *reason->constraint;
    struct gl_tested tested;

    looser.number = reason->found_u;
    return gl_key_is_number(looser.key->id) && reason->gap == GL_GAP_NONE &&
           gl_judge_test(judge, plan, offer, &looser, &tested) &&
           tested.reason.outcome == GL_SATISFIED;
}

/* The one violated limit of an offer, if loosening it alone would allow the offer. */
static bool only_violation(struct gl_judge *judge, const struct gl_offer *offer,
                           struct gl_reason *out)
{
    const struct gl_policy *policy = judge->question->policy;
    const struct gl_rule_plan *plan = NULL;

    for (size_t i = 0; i < policy->rule_count; i++) {
        const struct gl_rule *rule = &policy->rules[i];
        struct gl_tested tested;

        if (!gl_judge_binds(judge, rule) || !gl_judge_applies(judge, rule, offer))
            continue;
        for (size_t c = 0; c < rule->count; c++) {
            if (!gl_judge_test(judge, &judge->plans[i], offer, &rule->constraints[c], &tested) ||
                tested.reason.outcome == GL_SATISFIED)
                continue;
            if (tested.reason.outcome != GL_VIOLATED || plan != NULL)
                return false;
            plan = &judge->plans[i];
            *out = tested.reason;
        }
    }
    return plan != NULL && holds_at_found(judge, plan, offer, out);
}

static double loosening(const struct gl_reason *reason)
{
    double limit = (double)reason->constraint->number, found = (double)reason->found_u;

    return limit > 0 ? fabs(found - limit) / limit : (double)INFINITY;
}

static void find_looser(struct search *search)
{
    const struct gl_question *question = search->judge->question;
    struct gl_alternative best = {.kind = GL_ALT_LOOSER};
    double least = 0;

    for (size_t i = 0; i < question->offer_count; i++) {
        struct gl_reason reason = {0};
        double by;

        if (search->decision->judgements[i].outcome != GL_VIOLATED ||
            !only_violation(search->judge, &question->offers[i], &reason))
            continue;
        by = loosening(&reason);
        if (best.constraint != NULL &&
            (by > least || (!(by < least) && search->name_rank[i] > search->name_rank[best.offer])))
            continue;
        least = by;
        best.offer = (uint32_t)i;
        best.constraint = reason.constraint;
        best.needed_u = reason.found_u;
    }
    if (best.constraint != NULL)
        add(search->decision, &best);
}

static uint64_t mixed(uint64_t hash, uint64_t value)
{
    return (hash ^ value) * UINT64_C(0x100000001b3);
}

static uint64_t applying(const struct gl_judge *judge, const struct gl_offer *offer)
{
    const struct gl_policy *policy = judge->question->policy;
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (size_t i = 0; i < policy->rule_count; i++)
        hash = mixed(hash, gl_judge_applies(judge, &policy->rules[i], offer));
    for (size_t i = 0; i < policy->waiver_count; i++)
        hash = mixed(hash, gl_judge_is_target(&policy->waivers[i], offer));
    return hash;
}

/* Do the limits in force hold: all of them, or those that no other time could change? */
static bool holds(struct gl_judge *judge, const struct gl_offer *offer, bool with_timely)
{
    const struct gl_policy *policy = judge->question->policy;

    for (size_t i = 0; i < policy->rule_count; i++) {
        const struct gl_rule *rule = &policy->rules[i];
        struct gl_tested tested;

        if (!gl_judge_binds(judge, rule) || !gl_judge_applies(judge, rule, offer))
            continue;
        for (size_t c = 0; c < rule->count; c++)
            if ((with_timely || !gl_key_is_timely(rule->constraints[c].key->id)) &&
                gl_judge_test(judge, &judge->plans[i], offer, &rule->constraints[c], &tested) &&
                tested.reason.outcome != GL_SATISFIED)
                return false;
    }
    return true;
}

static int compare_class(const struct candidate *a, const struct candidate *b)
{
    for (unsigned i = 0; i < 2; i++)
        if (a->zones[i] != b->zones[i])
            return (uintptr_t)a->zones[i] < (uintptr_t)b->zones[i] ? -1 : 1;
    return (a->rules > b->rules) - (a->rules < b->rules);
}

static int compare_candidates(const void *left, const void *right)
{
    const struct candidate *a = left, *b = right;
    int order = compare_class(a, b);

    if (order != 0)
        return order;
    if (a->watts < b->watts || a->watts > b->watts)
        return a->watts < b->watts ? -1 : 1;
    return (a->name_rank > b->name_rank) - (a->name_rank < b->name_rank);
}

/* Until when the zone has evidence of an hour or finer. */
static int64_t horizon_of(const struct gl_zone_facts *zone)
{
    int64_t horizon = 0;

    for (size_t i = 0; i < zone->count; i++) {
        const struct gl_series *series = zone->series[i];
        const struct gl_point *last = series->points + series->count - (series->count ? 1 : 0);

        if (series->count > 0 && !series->is_suspect && last->until_s > horizon &&
            last->from_s >= last->until_s - HOUR_S)
            horizon = last->until_s;
    }
    return horizon;
}

static void add_candidate(struct search *search, uint32_t index)
{
    const struct gl_offer *offer = &search->judge->question->offers[index];
    struct candidate *candidate = &search->candidates[search->count];
    struct gl_band watts;

    if (offer->zone_count == 0 || !holds(search->judge, offer, false))
        return;
    *candidate = (struct candidate){
        .zones = {offer->zones[0], offer->zone_count > 1 ? offer->zones[1] : NULL},
        .rules = applying(search->judge, offer),
        .watts = gl_judge_watts(search->judge, offer, &watts) ? watts.high : (double)INFINITY,
        .offer = index,
        .name_rank = search->name_rank[index],
    };
    search->count++;
}

static void gather_candidates(struct search *search)
{
    const struct gl_question *question = search->judge->question;
    size_t most = search->decision->violated + search->decision->unknown;

    search->candidates = gl_alloc(most * sizeof *search->candidates);
    for (size_t i = 0; i < question->offer_count; i++) {
        enum gl_outcome outcome = search->decision->judgements[i].outcome;

        if (outcome == GL_VIOLATED || outcome == GL_OUTCOME_UNKNOWN)
            add_candidate(search, (uint32_t)i);
    }
    qsort(search->candidates, search->count, sizeof *search->candidates, compare_candidates);
}

static void gather_classes(struct search *search)
{
    search->classes = gl_alloc(search->count * sizeof *search->classes);
    for (size_t i = 0; i < search->count; i++) {
        const struct candidate *candidate = &search->candidates[i];
        struct class *class = &search->classes[search->class_count];

        if (i > 0 && compare_class(candidate, candidate - 1) == 0) {
            class[-1].end = i + 1;
            continue;
        }
        *class = (struct class){i, i + 1, horizon_of(candidate->zones[0])};
        if (candidate->zones[1] != NULL && horizon_of(candidate->zones[1]) < class->horizon)
            class->horizon = horizon_of(candidate->zones[1]);
        if (class->horizon > search->horizon)
            search->horizon = class->horizon;
        search->class_count++;
    }
}

/* The better of what is in *best and the allowed members of the class. */
static bool take_best(struct search *search, const struct class *class, struct gl_rank *best,
                      bool has_best)
{
    for (size_t i = class->first; i < class->end; i++) {
        const struct candidate *candidate = &search->candidates[i];
        struct gl_judgement judgement;
        struct gl_rank rank;

        gl_judge_offer(search->judge, candidate->offer, &judgement);
        if (judgement.outcome != GL_SATISFIED)
            continue;
        rank = gl_rank_of(search->judge, &judgement, candidate->name_rank);
        if (!has_best || gl_rank_compare(&rank, best) < 0)
            *best = rank;
        has_best = true;
    }
    return has_best;
}

/* The best offer that every rule allows over [start, start + duration), by hourly evidence. */
static bool find_best_at(struct search *search, int64_t start, int64_t duration,
                         struct gl_rank *out_best)
{
    const struct gl_offer *offers = search->judge->question->offers;
    bool has_best = false;

    gl_judge_set_case(search->judge, (struct gl_instant){start}, (struct gl_span){duration}, true);
    for (size_t i = 0; i < search->class_count; i++) {
        const struct class *class = &search->classes[i];

        if (start + duration <= class->horizon &&
            holds(search->judge, &offers[search->candidates[class->first].offer], true))
            has_best = take_best(search, class, out_best, has_best);
    }
    return has_best;
}

static void find_time(struct search *search)
{
    const struct gl_request *request = search->judge->question->request;
    int64_t start = request->start.unix_s, duration = request->duration.s;
    int64_t last = start + SEARCH_S;
    struct gl_rank best;

    if (request->latest_start.unix_s > last)
        last = request->latest_start.unix_s;
    if (last > start + LONGEST_S)
        last = start + LONGEST_S;
    if (last > search->horizon - duration)
        last = search->horizon - duration;
    for (int64_t at = start - start % STEP_S + STEP_S; at <= last; at += STEP_S)
        if (find_best_at(search, at, duration, &best)) {
            add(search->decision, &(struct gl_alternative){.kind = GL_ALT_TIME,
                                                           .offer = best.offer,
                                                           .start = {at},
                                                           .duration = {duration},
                                                           .needed_u = GL_UNKNOWN});
            return;
        }
}

static void find_size(struct search *search)
{
    const struct gl_request *request = search->judge->question->request;
    int64_t step = (request->duration.s / SIZE_STEPS / STEP_S + 1) * STEP_S;
    int64_t duration = (request->duration.s - 1) / step * step;
    struct gl_rank best;

    if (duration > search->horizon - request->start.unix_s)
        duration = (search->horizon - request->start.unix_s) / step * step;
    for (; duration > 0; duration -= step)
        if (find_best_at(search, request->start.unix_s, duration, &best)) {
            add(search->decision, &(struct gl_alternative){.kind = GL_ALT_SIZE,
                                                           .offer = best.offer,
                                                           .start = request->start,
                                                           .duration = {duration},
                                                           .needed_u = GL_UNKNOWN});
            return;
        }
}

/* Instants and durations outside this could overflow; nobody can have evidence for them. */
static bool is_searchable(const struct gl_request *request)
{
    return request->start.unix_s >= 0 && request->start.unix_s < GL_FAR_S &&
           request->duration.s > 0 && request->duration.s < GL_FAR_S;
}

void gl_alternatives_find(struct gl_judge *judge, const uint32_t *name_rank,
                          struct gl_decision *decision)
{
    const struct gl_request *request = judge->question->request;
    struct search search = {.judge = judge, .name_rank = name_rank, .decision = decision};

    find_places(&search);
    if (judge->question->policy == NULL || decision->violated + decision->unknown == 0)
        return;
    find_looser(&search);
    if (!is_searchable(request))
        return;
    gl_judge_set_case(judge, request->start, request->duration, true);
    gather_candidates(&search);
    gather_classes(&search);
    find_time(&search);
    find_size(&search);
    free(search.candidates);
    free(search.classes);
}
