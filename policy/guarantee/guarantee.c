/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/guarantee/guarantee.h"

#include <math.h>
#include <string.h>

#include "policy/guarantee/evidence.h"
#include "policy/guarantee/learning.h"

size_t gl_guarantee_size(void)
{
    return sizeof(struct gl_guarantee);
}

static bool is_usable(const struct gl_guarantee_rule *rule)
{
    size_t i;

    if (rule->count < 1 || rule->count > GL_GUARANTEE_MAX_LEGS ||
        !(rule->probability >= 0.5 && rule->probability <= 0.999) ||
        rule->whole_h > GL_TRACK_MAX_HORIZON)
        return false;
    for (i = 0; i < rule->count; i++)
        if (rule->leg[i].kind < GL_LEG_CEILING || rule->leg[i].kind > GL_LEG_BUDGET ||
            !(fabsf(rule->leg[i].limit) <= LIMIT_MAX))
            return false;
    return true;
}

static double first_start(const struct gl_guarantee_rule *rule)
{
    if (rule->whole_h == 0)
        return LEVEL_START;
    return FIRST_START_WHOLE * sqrt(fmin(1, FIRST_START_H / (double)rule->whole_h));
}

struct gl_guarantee *gl_guarantee_start(struct gl_arena *arena,
                                        const struct gl_guarantee_rule *rule, int64_t from_s)
{
    struct gl_guarantee *guarantee;
    size_t i;

    if (!is_usable(rule) || from_s % GL_HOUR_S != 0)
        return NULL;
    guarantee = gl_arena_take(arena, sizeof *guarantee); /* zeroed: stored as bytes */
    guarantee->rule.count = rule->count;
    for (i = 0; i < rule->count; i++) {
        guarantee->rule.leg[i].kind = rule->leg[i].kind;
        guarantee->rule.leg[i].limit = rule->leg[i].limit;
    }
    guarantee->rule.probability = rule->probability;
    guarantee->rule.whole_h = rule->whole_h;
    guarantee->next_s = from_s;
    guarantee->level = (rule->whole_h > 0 ? 1 : LEVEL_START) * (1 - rule->probability);
    guarantee->first_level = first_start(rule) * (1 - rule->probability);
    return guarantee;
}

double gl_guarantee_level(const struct gl_guarantee *guarantee, bool is_first)
{
    return is_first ? fmin(guarantee->level, guarantee->first_level) : guarantee->level;
}

static double level_now(const struct gl_guarantee *guarantee)
{
    return gl_guarantee_level(guarantee, guarantee->was_promised == 0);
}

/* ---- one decision ---- */

static bool is_stale(const struct gl_track *const *tracks, size_t count, size_t row)
{
    size_t i;

    for (i = 0; i < count; i++)
        if (tracks[i]->age[row] > tracks[i]->lag_h + GL_GUARANTEE_STALE_H)
            return true;
    return false;
}

static bool breaks_now(const struct gl_guarantee_rule *rule, const struct gl_track *const *tracks,
                       size_t row)
{
    size_t i;

    for (i = 0; i < rule->count; i++) {
        size_t newest = row + tracks[i]->lag_h + GL_TRACK_BEFORE_H - 1 - tracks[i]->age[row];

        if (rule->leg[i].kind != GL_LEG_BUDGET &&
            gl_leg_breaks(&rule->leg[i], tracks[i]->hour[newest]))
            return true;
    }
    return false;
}

static const float *path_at(const struct gl_track *track, size_t row)
{
    return track->path + row * track->horizon_h;
}

/* The first hour in which the forecast, with the errors of the issue `past` (SIZE_MAX = none),
 * breaks any leg. */
static size_t first_break(const struct gl_guarantee_rule *rule,
                          const struct gl_track *const *tracks, size_t row, size_t past,
                          size_t hours)
{
    size_t i;

    for (i = 0; i < rule->count; i++) {
        const float *residual =
            past == SIZE_MAX ? NULL : tracks[i]->residual + past * tracks[i]->horizon_h;

        hours = gl_evidence_first_break(&rule->leg[i], path_at(tracks[i], row), residual, hours);
    }
    return hours;
}

/* The length whose logarithm, less its risk at the price of 1/level, is greatest: the next hour is
 * added while it is worth its risk. 0 when none is. out_risk is of the length chosen. */
static size_t longest_worth(const struct histogram *histogram, double level, double max_risk,
                            double *out_risk)
{
    double most = 0, count = 0;
    size_t k, chosen = 0;

    for (k = 1; k <= histogram->hours; k++) {
        double risk, gain;

        count += histogram->broken[k - 1];
        risk = (count + 1) / (histogram->paths + 1);
        if (risk > max_risk)
            break;
        gain = log(1 + (double)k) - risk / level;
        if (gain > most) {
            most = gain;
            chosen = k;
            *out_risk = risk;
        }
    }
    return chosen;
}

static size_t whole_or_none(const struct histogram *histogram, size_t hours, double most_risk,
                            double *out_risk)
{
    double count = 0, risk;
    size_t k;

    if (hours > histogram->hours)
        return 0;
    for (k = 0; k < hours; k++)
        count += histogram->broken[k];
    risk = (count + 1) / (histogram->paths + 1);
    if (risk > most_risk)
        return 0;
    *out_risk = risk;
    return hours;
}

/* A level below the least risk there can be promises nothing, whatever the forecast, and so would
 * never learn better: it must rise. An hour that is refused for its own risk moves nothing. */
static bool is_too_low(const struct gl_guarantee *guarantee, const struct histogram *histogram)
{
    double worth = guarantee->rule.whole_h > 0 ? 1 : log(2); /* of the first hour */

    return level_now(guarantee) * worth * (histogram->paths + 1) < 1;
}

static void choose(const struct gl_guarantee *guarantee, const struct histogram *histogram,
                   struct choice *choice)
{
    const struct gl_guarantee_rule *rule = &guarantee->rule;
    double alpha = 1 - rule->probability, risk = 1;
    double max_risk = fmin(0.5, MAX_RISK * alpha), level = level_now(guarantee);

    if (level > 0)
        choice->hours = rule->whole_h > 0
                            ? whole_or_none(histogram, rule->whole_h, fmin(level, max_risk), &risk)
                            : longest_worth(histogram, level, max_risk, &risk);
    choice->own_chance = choice->hours > 0 ? 1 - risk : 0;
    choice->is_level_too_low = choice->hours == 0 && is_too_low(guarantee, histogram);
}

void gl_guarantee_choose(const struct gl_guarantee *guarantee, const struct gl_track *const *tracks,
                         size_t row, struct choice *choice)
{
    const struct gl_guarantee_rule *rule = &guarantee->rule;
    size_t rows[GL_EVIDENCE_MAX_ROWS], i;
    struct histogram histogram = {.hours = tracks[0]->horizon_h};

    memset(choice, 0, sizeof *choice);
    for (i = 0; i < rule->count; i++)
        if (tracks[i]->known[row] < histogram.hours)
            histogram.hours = tracks[i]->known[row];
    choice->covered = histogram.hours;
    choice->kind = GL_STALE;
    if (is_stale(tracks, rule->count, row))
        return;
    choice->kind = GL_BREAKS_NOW;
    if (breaks_now(rule, tracks, row))
        return;
    choice->issues =
        gl_evidence_rows(tracks, rule->count, row, histogram.hours > 0 ? histogram.hours : 1, rows);
    for (i = 0; i < rule->count; i++)
        if (gl_evidence_surprise(tracks[i], row, histogram.hours, rows, choice->issues) > 0)
            choice->issues = 0;
    choice->kind = GL_TOO_FEW_ISSUES;
    if (choice->issues < GL_GUARANTEE_MIN_ISSUES)
        return;
    choice->kind = GL_STALE;
    if (histogram.hours == 0)
        return;
    histogram.paths = (double)choice->issues;
    for (i = 0; i < choice->issues; i++)
        histogram.broken[first_break(rule, tracks, row, rows[i], histogram.hours)]++;
    choose(guarantee, &histogram, choice);
    choice->kind = choice->hours > 0 ? GL_PROMISED : GL_NONE_POSSIBLE;
}

/* ---- the answer ---- */

const uint32_t gl_guarantee_class_from_h[GL_GUARANTEE_CLASSES] = {1, 7, 13, 25};

size_t gl_guarantee_class(uint32_t hours)
{
    size_t at = GL_GUARANTEE_CLASSES - 1;

    while (at > 0 && hours < gl_guarantee_class_from_h[at])
        at--;
    return at;
}

static uint32_t median_of(const struct gl_guarantee *guarantee)
{
    uint32_t seen = 0, k;

    for (k = 1; k < GL_TRACK_MAX_HORIZON; k++) {
        seen += guarantee->lengths[k];
        if (seen > 0 && seen * 2 >= guarantee->score.issued)
            break;
    }
    return guarantee->score.issued > 0 ? k : 0;
}

static void fill_score(const struct gl_guarantee *guarantee, struct gl_guarantee_score *score)
{
    memcpy(score, &guarantee->score, sizeof *score);
    score->unsettled = score->issued - score->kept - score->broken;
    score->median_h = median_of(guarantee);
}

bool gl_guarantee_decide(const struct gl_guarantee *guarantee, const struct gl_track *const *tracks,
                         int64_t now_s, uint32_t asked_h, struct gl_promise *out_promise)
{
    struct gl_promise *promise = out_promise;
    struct choice choice;
    size_t row = gl_evidence_row(tracks[0], now_s);

    if (row == SIZE_MAX || !gl_evidence_tracks_fit(tracks, guarantee->rule.count))
        return false;
    gl_guarantee_choose(guarantee, tracks, row, &choice);
    memset(promise, 0, sizeof *promise); /* the padding too: same input, same bytes */
    promise->kind = choice.kind;
    promise->start_s = now_s;
    promise->probability = guarantee->rule.probability;
    promise->hours = (uint32_t)choice.hours;
    promise->covered_h = (uint32_t)choice.covered;
    promise->issues = (uint32_t)choice.issues;
    promise->own_chance = choice.own_chance;
    promise->level = level_now(guarantee);
    if (choice.covered > 0)
        promise->indication_h =
            (uint32_t)first_break(&guarantee->rule, tracks, row, SIZE_MAX, tracks[0]->horizon_h);
    asked_h = asked_h > guarantee->rule.whole_h ? asked_h : guarantee->rule.whole_h;
    if (asked_h > choice.covered && (choice.kind == GL_PROMISED || choice.kind == GL_NONE_POSSIBLE))
        promise->kind = GL_BEYOND_HORIZON;
    fill_score(guarantee, &promise->score);
    return true;
}
