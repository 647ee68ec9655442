/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/guarantee/book.h"
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
    int64_t horizon; /* end of hourly evidence for its zones */
    uint32_t offer, name_rank;
};

struct class
{
    size_t first, end;        /* in candidates[] */
    int64_t horizon;          /* end of hourly evidence for its zones */
    struct gl_point obstacle; /* no run over any part of it is allowed; until_s 0 = none known */
};

struct search {
    struct gl_judge *judge;
    const uint32_t *name_rank;
    struct gl_decision *decision;
    struct candidate *candidates;
    struct class *classes;
    size_t count, class_count;
    int64_t horizon; /* the latest of all */
    const struct gl_offer_place *like;
    int64_t like_horizon; /* of its zones */
};

static void add(struct gl_decision *decision, const struct gl_alternative *alternative)
{
    size_t capacity = sizeof decision->alternatives / sizeof decision->alternatives[0];

    if (decision->alternative_count < capacity)
        decision->alternatives[decision->alternative_count++] = *alternative;
}

static bool is_same_region(const struct gl_question *question, uint32_t a, uint32_t b)
{
    return strcmp(question->offers[a].place->cloud, question->offers[b].place->cloud) == 0 &&
           strcmp(question->offers[a].place->region, question->offers[b].place->region) == 0;
}

static bool is_of_asked_cloud(const struct gl_question *question, uint32_t offer)
{
    return gl_globs_match(question->request->clouds, question->offers[offer].place->cloud);
}

static bool is_new_region(const struct gl_question *question, const uint32_t *chosen, size_t count,
                          uint32_t offer)
{
    for (size_t i = 0; i < count; i++)
        if (is_same_region(question, chosen[i], offer))
            return false;
    return true;
}

/* The best of each of the first few regions: another one of an asked cloud is nearer than any of
 * the others. */
static void add_places(struct search *search, const struct gl_rank *ranks, size_t count)
{
    const struct gl_question *question = search->judge->question;
    uint32_t chosen[PLACES];
    size_t places = 0;

    for (size_t i = 0; i < 2 * count && places < PLACES; i++) {
        const uint32_t offer = ranks[i % count].offer;

        if (is_of_asked_cloud(question, offer) != (i < count) ||
            !is_new_region(question, chosen, places, offer))
            continue;
        chosen[places++] = offer;
        add(search->decision, &(struct gl_alternative){.kind = GL_ALT_PLACE,
                                                       .offer = offer,
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
            !gl_judge_asks_type(question->request, &question->offers[i]))
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

/* The rule of the one violated limit of an offer; NULL when more stands against it. */
static const struct gl_rule_plan *only_violation(struct gl_judge *judge,
                                                 const struct gl_offer *offer,
                                                 struct gl_reason *out)
{
    const struct gl_policy *policy = judge->question->policy;
    const struct gl_rule_plan *plan = NULL;

    for (size_t i = 0; i < policy->rule_count; i++) {
        const struct gl_rule_plan *one = &judge->plans[i];
        struct gl_limit *limits = &judge->limits[one->first_limit];
        struct gl_tested own;

        if (!gl_judge_binds(judge, one->rule) || !gl_judge_applies(judge, one->rule, offer))
            continue;
        for (size_t l = 0; l < one->limit_count; l++) {
            const struct gl_tested *tested = gl_judge_limit(judge, one, &limits[l], offer, &own);

            if (tested->reason.outcome == GL_SATISFIED)
                continue;
            if (tested->reason.outcome != GL_VIOLATED || plan != NULL)
                return NULL;
            plan = one;
            *out = tested->reason;
        }
    }
    return plan;
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
        const struct gl_offer *offer = &question->offers[i];
        const struct gl_rule_plan *plan = NULL;
        struct gl_reason reason = {0};
        double by;

        if (search->decision->judgements[i].outcome == GL_VIOLATED)
            plan = only_violation(search->judge, offer, &reason);
        if (plan == NULL)
            continue;
        by = loosening(&reason);
        if (best.constraint != NULL &&
            (by > least || (!(by < least) && search->name_rank[i] > search->name_rank[best.offer])))
            continue;
        if (!holds_at_found(search->judge, plan, offer, &reason))
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
        hash = mixed(hash, gl_waiver_names(&policy->waivers[i], judge->question->request, offer));
    return hash;
}

/* Do the limits in force hold: all of them, or those that no other time could change? */
static bool holds(struct gl_judge *judge, const struct gl_offer *offer, bool with_timely)
{
    const struct gl_policy *policy = judge->question->policy;

    for (size_t i = 0; i < policy->rule_count; i++) {
        const struct gl_rule_plan *plan = &judge->plans[i];
        struct gl_limit *limits = &judge->limits[plan->first_limit];
        struct gl_tested own;

        if (!gl_judge_binds(judge, plan->rule) || !gl_judge_applies(judge, plan->rule, offer))
            continue;
        for (size_t l = 0; l < plan->limit_count; l++)
            if ((with_timely || !gl_key_is_timely(limits[l].constraint->key->id)) &&
                gl_judge_limit(judge, plan, &limits[l], offer, &own)->reason.outcome !=
                    GL_SATISFIED)
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

/* Until when later starts could be promised in the zone, by any rule; 0 = none was looked for. */
static int64_t promised_horizon(const struct gl_question *question,
                                const struct gl_zone_facts *zone)
{
    int64_t now_s = question->now.unix_s, horizon = 0;

    for (size_t i = 0; question->book != NULL && i < question->book->count; i++)
        if (question->book->entries[i].zone == zone && question->book->entries[i].later.is_known)
            horizon = now_s - now_s % HOUR_S + GL_BOOK_HORIZON_H * HOUR_S;
    return horizon;
}

static int64_t search_until(const struct search *search, const struct gl_zone_facts *zone)
{
    int64_t evident = horizon_of(zone);
    int64_t promised = promised_horizon(search->judge->question, zone);

    return evident > promised ? evident : promised;
}

/* Of all its zones; asked for runs of offers at the same place. */
static int64_t horizon_at(struct search *search, const struct gl_offer_place *place)
{
    int64_t horizon;

    if (search->like == place)
        return search->like_horizon;
    horizon = place->zone_count > 0 ? search_until(search, place->zones[0]) : 0;
    if (place->zone_count > 1 && search_until(search, place->zones[1]) < horizon)
        horizon = search_until(search, place->zones[1]);
    search->like = place;
    search->like_horizon = horizon;
    return horizon;
}

/* Without hourly evidence of what is to come there is nothing to search. */
static void add_candidate(struct search *search, uint32_t index)
{
    const struct gl_offer *offer = &search->judge->question->offers[index];
    struct candidate *candidate = &search->candidates[search->count];
    int64_t horizon = horizon_at(search, offer->place);
    struct gl_band watts;

    if (horizon <= search->judge->question->request->start.unix_s ||
        !holds(search->judge, offer, false))
        return;
    *candidate = (struct candidate){
        .zones = {offer->place->zones[0],
                  offer->place->zone_count > 1 ? offer->place->zones[1] : NULL},
        .rules = applying(search->judge, offer),
        .watts = gl_judge_watts(search->judge, offer, &watts) ? watts.high : (double)INFINITY,
        .horizon = horizon,
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
        *class = (struct class){.first = i, .end = i + 1, .horizon = candidate->horizon};
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

/* The zone's series of the quantity; NULL when several might be asked, or none. */
static const struct gl_series *only_series(const struct gl_zone_facts *zone,
                                           enum gl_quantity quantity)
{
    const struct gl_series *only = NULL;

    for (size_t i = 0; i < zone->count; i++) {
        if (zone->series[i]->meaning.quantity != quantity)
            continue;
        if (only != NULL)
            return NULL;
        only = zone->series[i];
    }
    return only;
}

static bool is_breach(const struct gl_constraint *limit, const struct gl_point *point)
{
    if (gl_key_is_floor(limit->key->id))
        return point->low_u != GL_UNKNOWN && point->low_u < limit->number;
    return point->high_u != GL_UNKNOWN && point->high_u > limit->number;
}

/* A point of [start, until) whose bound breaks the limit: as bounds are the worst of all points, it
 * breaks it for every run that has a part in it. The last such point blocks most later starts, the
 * first one most shorter runs. */
static bool find_breach(const struct search *search, const struct gl_constraint *limit,
                        const struct gl_zone_facts *zone, bool is_last, struct gl_point *out)
{
    const struct gl_judge *judge = search->judge;
    const struct gl_series *series;
    const struct gl_point *points;
    enum gl_quantity quantity;
    size_t count;

    if (zone == NULL || !gl_key_bounds_run(limit->key->id, &quantity))
        return false;
    series = only_series(zone, quantity);
    if (series == NULL)
        return false;
    points = gl_figure_points(series, judge->start.unix_s, judge->start.unix_s + judge->duration.s,
                              &count);
    for (size_t i = 0; i < count; i++) {
        const struct gl_point *point = &points[is_last ? count - 1 - i : i];

        if (is_breach(limit, point)) {
            *out = *point;
            return true;
        }
    }
    return false;
}

/* Look for what stands in the way of the class in the present case, before every rule is tested:
 * mostly the same dirty hour stands in the way of many windows. Waived rules are left to the test.
 */
static bool has_obstacle(struct search *search, struct class *class, bool is_last)
{
    struct gl_judge *judge = search->judge;
    const struct candidate *first = &search->candidates[class->first];
    const struct gl_offer *offer = &judge->question->offers[first->offer];

    for (size_t i = 0; i < judge->question->policy->rule_count; i++) {
        const struct gl_rule_plan *plan = &judge->plans[i];

        if (plan->has_waivers || !gl_judge_binds(judge, plan->rule) ||
            !gl_judge_applies(judge, plan->rule, offer))
            continue;
        for (size_t l = 0; l < plan->limit_count; l++) {
            const struct gl_constraint *limit = judge->limits[plan->first_limit + l].constraint;

            if (find_breach(search, limit, first->zones[0], is_last, &class->obstacle) ||
                find_breach(search, limit, first->zones[1], is_last, &class->obstacle))
                return true;
        }
    }
    return false;
}

/* The best offer that every rule allows over [start, start + duration), by hourly evidence. */
static bool find_best_at(struct search *search, int64_t start, int64_t duration,
                         struct gl_rank *out_best)
{
    const struct gl_offer *offers = search->judge->question->offers;
    bool is_later = start > search->judge->question->request->start.unix_s, has_best = false;

    gl_judge_set_case(search->judge, (struct gl_instant){start}, (struct gl_span){duration}, true);
    for (size_t i = 0; i < search->class_count; i++) {
        struct class *class = &search->classes[i];

        if (start + duration > class->horizon ||
            (start < class->obstacle.until_s && start + duration > class->obstacle.from_s) ||
            has_obstacle(search, class, is_later))
            continue;
        if (holds(search->judge, &offers[search->candidates[class->first].offer], true))
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

    for (size_t i = 0; i < search->class_count; i++) /* at another start other rules may bind */
        search->classes[i].obstacle = (struct gl_point){0};
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
