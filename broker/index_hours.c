/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/index.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/guarantee/history.h"
#include "policy/judge.h"

#define SHARE_U 10000.0 /* parts per million of one per cent */

/* A zone as its stored hours show it: what the evaluator is given in place of what is live. */
struct past_zone {
    const struct gl_zone_facts *is;
    struct gl_zone_facts facts;
    const struct gl_series **list;
    struct gl_series *series;
};

struct past {
    const struct gl_question *question;
    const struct gl_index_options *options;
    size_t span;             /* hours that a figure may be looked for in */
    unsigned quantities;     /* that the rules look at; a year of the others is only memory */
    struct past_zone *zones; /* those of the offers, each once */
    size_t zone_count;
    struct gl_offer *offers; /* those of the question, in their past places: */
    struct gl_offer_place *places;
    uint8_t *cloud;  /* of each offer; GL_INDEX_CLOUDS_MAX = not counted */
    bool *is_stored; /* of each offer: all of its zones have a past */
};

/* ---- stored hours as evidence ---- */

static int64_t bounded(double value_u, enum gl_quantity quantity)
{
    const double most = quantity == GL_INTENSITY ? (double)GL_WORST_INTENSITY_U : 1e6;

    return llround(fmin(fmax(value_u, 0), most));
}

/* What is final is its own bound. What may be revised has moved by so much before, or has none. */
static struct gl_point point_of(const struct gl_history *history, size_t i, int64_t now_s)
{
    const enum gl_quantity quantity = history->meaning.quantity;
    const double unit = quantity == GL_INTENSITY ? 1e6 : SHARE_U;
    const double value_u = (double)history->actuals.value[i] * unit;
    const int64_t from_s = history->actuals.start_s + (int64_t)i * GL_HOUR_S;
    bool is_final =
        history->actuals.state == NULL || (history->actuals.state[i] & GL_HOUR_ESTIMATED) == 0;
    double moved_u = is_final ? 0 : (double)history->revisions.worst * unit;
    struct gl_point point = {.from_s = from_s,
                             .until_s = from_s + GL_HOUR_S,
                             .value_u = llround(value_u),
                             .low_u = GL_UNKNOWN,
                             .high_u = GL_UNKNOWN,
                             .updated_s = now_s,
                             .evidence = is_final ? GL_MEASURED : GL_PRELIMINARY};

    if (is_final || history->revisions.hours > 0) {
        point.low_u = bounded(value_u - moved_u, quantity);
        point.high_u = bounded(value_u + moved_u, quantity);
        if (point.low_u > point.value_u)
            point.low_u = point.value_u;
        if (point.high_u < point.value_u)
            point.high_u = point.value_u;
    }
    return point;
}

static void add_series(const struct past *past, const struct gl_history *history,
                       struct gl_series *out)
{
    const struct gl_actuals *actuals = &history->actuals;
    int64_t from_s = past->options->from.unix_s;

    *out = (struct gl_series){.meaning = history->meaning,
                              .bound_method = GL_BOUND_REVISION,
                              .issued_s = GL_UNKNOWN,
                              .retrieved_s = past->question->now.unix_s,
                              .points = gl_alloc(past->span * sizeof *out->points)};
    memcpy(out->zone, history->zone, sizeof out->zone);
    memcpy(out->provider, history->provider, sizeof out->provider);
    memcpy(out->dataset, history->dataset, sizeof out->dataset);
    for (size_t h = 0; h < past->span; h++) {
        int64_t at_s = from_s + (int64_t)h * GL_HOUR_S;
        float ignored;

        if (gl_actual_at(actuals, at_s, &ignored))
            out->points[out->count++] =
                point_of(history, (size_t)((at_s - actuals->start_s) / GL_HOUR_S),
                         past->question->now.unix_s);
    }
}

static const struct past_zone *zone_of(struct past *past, const struct gl_zone_facts *is)
{
    struct past_zone *zone = past->zones;

    for (size_t z = 0; z < past->zone_count; z++, zone++)
        if (zone->is == is)
            return zone;
    past->zone_count++;
    *zone = (struct past_zone){.is = is};
    zone->series = gl_alloc((is->history_count + 1) * sizeof *zone->series);
    zone->list = gl_alloc((is->history_count + 1) * sizeof *zone->list);
    memcpy(zone->facts.zone, is->zone, sizeof zone->facts.zone);
    for (size_t i = 0; i < is->history_count; i++) {
        struct gl_series *series = &zone->series[zone->facts.count];

        if ((past->quantities >> is->histories[i]->meaning.quantity & 1) == 0)
            continue;
        add_series(past, is->histories[i], series);
        if (series->count > 0)
            zone->list[zone->facts.count++] = series;
        else
            free(series->points);
    }
    zone->facts.series = zone->list;
    return zone;
}

/* ---- offers ---- */

/* The place with its zones' past; true when all of them have one. */
static bool place_in_past(struct past *past, const struct gl_offer_place *is,
                          struct gl_offer_place *out)
{
    bool is_stored = is->zone_count > 0;

    *out = *is;
    for (size_t z = 0; z < is->zone_count && z < 2; z++) {
        const struct past_zone *zone = zone_of(past, is->zones[z]);

        out->zones[z] = &zone->facts;
        is_stored = is_stored && zone->facts.count > 0;
    }
    return is_stored;
}

/* Offers of a region lie side by side: what was found for the one before mostly holds. */
static void place_offers(struct past *past)
{
    const struct gl_offer_place *was = NULL;
    struct gl_offer_place *out = past->places;
    bool is_stored = false;

    for (size_t i = 0; i < past->question->offer_count; i++) {
        past->offers[i] = past->question->offers[i];
        if (past->offers[i].place != was) {
            was = past->offers[i].place;
            is_stored = place_in_past(past, was, out++);
        }
        past->offers[i].place = out - 1;
        past->is_stored[i] = is_stored;
    }
}

/* ---- clouds ---- */

static int by_name(const void *a, const void *b)
{
    const struct gl_index_cloud *one = a, *other = b;

    return strcmp(one->cloud, other->cloud);
}

static size_t find_cloud(const struct gl_index *index, const char *name)
{
    size_t at = 0;

    while (at < index->cloud_count && strcmp(index->clouds[at].cloud, name) != 0)
        at++;
    return at;
}

static void find_clouds(const struct gl_question *question, const struct gl_decision *decision,
                        struct gl_index *out)
{
    const char *last = NULL;

    for (size_t i = 0; i < question->offer_count; i++) {
        const char *name = question->offers[i].place->cloud;

        if (decision->judgements[i].outcome == GL_NOT_ASKED || name == last ||
            find_cloud(out, name) < out->cloud_count)
            continue;
        last = name;
        if (out->cloud_count == GL_INDEX_CLOUDS_MAX)
            out->is_more = true;
        else
            out->clouds[out->cloud_count++].cloud = name;
    }
    qsort(out->clouds, out->cloud_count, sizeof out->clouds[0], by_name);
}

/* Grade E is a guess, or an unknown that a rule lets pass: not known to be green. */
static void count_now(const struct gl_judgement *judgement, struct gl_index_cloud *cloud)
{
    bool is_known = judgement->grade < GL_GRADE_E;

    cloud->offers++;
    cloud->now.green += judgement->outcome == GL_SATISFIED && is_known;
    cloud->by_year += judgement->outcome == GL_SATISFIED && judgement->grade == GL_GRADE_D;
    cloud->now.not_green += judgement->outcome == GL_VIOLATED;
    cloud->now.unknown += judgement->outcome == GL_OUTCOME_UNKNOWN ||
                          (judgement->outcome == GL_SATISFIED && !is_known);
}

static void count_offers(struct past *past, const struct gl_decision *decision,
                         struct gl_index *out)
{
    size_t cloud = GL_INDEX_CLOUDS_MAX;

    for (size_t i = 0; i < decision->judged; i++) {
        past->cloud[i] = GL_INDEX_CLOUDS_MAX;
        if (decision->judgements[i].outcome == GL_NOT_ASKED)
            continue;
        if (cloud >= out->cloud_count ||
            strcmp(out->clouds[cloud].cloud, past->offers[i].place->cloud) != 0)
            cloud = find_cloud(out, past->offers[i].place->cloud);
        if (cloud == out->cloud_count)
            continue;
        past->cloud[i] = (uint8_t)cloud;
        count_now(&decision->judgements[i], &out->clouds[cloud]);
        out->clouds[cloud].stored_offers += past->is_stored[i];
    }
}

/* ---- hours ---- */

static struct gl_index_count *counts_of(struct gl_index *index, size_t cloud)
{
    return &index->hours[cloud * index->hour_count];
}

static void judge_hour(const struct past *past, struct gl_judge *judge, size_t hour,
                       struct gl_index *out)
{
    const struct gl_instant start = {out->from.unix_s + (int64_t)hour * GL_HOUR_S};

    gl_judge_set_case(judge, start, past->question->request->duration, true);
    for (size_t i = 0; i < past->question->offer_count; i++) {
        struct gl_judgement judgement = {.outcome = GL_OUTCOME_UNKNOWN};
        struct gl_index_count *count;

        if (past->cloud[i] == GL_INDEX_CLOUDS_MAX)
            continue;
        if (past->is_stored[i])
            gl_judge_offer(judge, (uint32_t)i, &judgement);
        count = counts_of(out, past->cloud[i]) + hour;
        count->green += judgement.outcome == GL_SATISFIED;
        count->not_green += judgement.outcome == GL_VIOLATED;
        count->unknown += judgement.outcome == GL_OUTCOME_UNKNOWN;
    }
}

static int judge_hours(const struct past *past, struct gl_index *out, struct gl_error *err)
{
    struct gl_question question = *past->question;
    struct gl_judge judge;
    bool goes_on = true;

    question.offers = past->offers;
    question.book = NULL;
    gl_judge_init(&judge, &question);
    for (size_t h = 0; h < out->hour_count && goes_on; h++) {
        judge_hour(past, &judge, h, out);
        goes_on = past->options->tick == NULL || past->options->tick(past->options->cookie);
    }
    gl_judge_done(&judge);
    return goes_on ? 0 : gl_fail(err, GL_E_INTERRUPTED, "stopped while judging past hours");
}

/* ---- all of it ---- */

/* A run begun in the last hour takes later ones too. */
static size_t span_of(const struct gl_question *question, size_t hour_count)
{
    int64_t longest_s = question->request->duration.s;
    size_t hours;

    for (size_t r = 0; r < question->policy->rule_count; r++)
        for (size_t c = 0; c < question->policy->rules[r].count; c++) {
            const struct gl_constraint *one = &question->policy->rules[r].constraints[c];

            if (one->key->id == GL_KEY_GREEN_FOR && one->number > longest_s)
                longest_s = one->number;
        }
    hours = longest_s > 0 ? (size_t)gl_hours_up(longest_s) : 1;
    return hour_count + (hours < GL_INDEX_HOURS_MAX ? hours : GL_INDEX_HOURS_MAX);
}

static void past_init(struct past *past)
{
    size_t count = past->question->offer_count;

    past->offers = gl_alloc((count + 1) * sizeof *past->offers);
    past->places = gl_alloc((count + 1) * sizeof *past->places);
    past->cloud = gl_alloc(count + 1);
    past->is_stored = gl_alloc((count + 1) * sizeof *past->is_stored);
    past->zones = gl_alloc((2 * count + 1) * sizeof *past->zones);
    place_offers(past);
}

static void past_done(struct past *past)
{
    for (size_t z = 0; z < past->zone_count; z++) {
        for (size_t i = 0; i < past->zones[z].facts.count; i++)
            free(past->zones[z].series[i].points);
        free(past->zones[z].series);
        free(past->zones[z].list);
    }
    free(past->zones);
    free(past->offers);
    free(past->places);
    free(past->cloud);
    free(past->is_stored);
}

int gl_index_availability(const struct gl_question *question, const struct gl_decision *decision,
                          const struct gl_index_options *options, struct gl_index *out,
                          struct gl_error *err)
{
    struct gl_index index = {.from = options->from, .hour_count = options->hour_count};
    struct past past = {.question = question, .options = options};
    int result;

    if (index.hour_count > GL_INDEX_HOURS_MAX)
        return gl_fail(err, GL_E_TOO_LARGE, "at most %d past hours", GL_INDEX_HOURS_MAX);
    past.span = span_of(question, index.hour_count);
    past.quantities = gl_index_quantities(question->policy);
    past_init(&past);
    find_clouds(question, decision, &index);
    count_offers(&past, decision, &index);
    index.hours = gl_alloc((index.cloud_count * index.hour_count + 1) * sizeof *index.hours);
    for (size_t c = 0; c < index.cloud_count; c++)
        index.clouds[c].hours = counts_of(&index, c);
    result = judge_hours(&past, &index, err);
    past_done(&past);
    if (result == 0)
        *out = index;
    else
        gl_index_done(&index);
    return result;
}

void gl_index_done(struct gl_index *index)
{
    free(index->hours);
    *index = (struct gl_index){0};
}
