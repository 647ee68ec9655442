/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/guarantee/learning.h"

#include <math.h>

#include "policy/guarantee/evidence.h"

/* What is known at some row of one promised hour. */
enum verdict {
    IS_GREEN,
    IS_BRIDGED_GREEN, /* by its neighbours: good enough to learn from, never counted as kept */
    IS_BRIDGED_BREAK,
    IS_BREAK,
    IS_WAITING,
    IS_LOST, /* missing for good */
};

/* The value of hour `at` of the track's hours, of which `newest` is the last reported. */
static enum verdict value_at(const struct gl_track *track, size_t at, size_t newest,
                             float *out_value)
{
    size_t next;

    if (at > newest)
        return IS_WAITING;
    *out_value = track->hour[at];
    if (track->state[at] == GL_HOUR_KNOWN)
        return IS_GREEN;
    if (track->state[at] != GL_TRACK_BRIDGED)
        return newest - at > GL_TRACK_BRIDGE_H ? IS_LOST : IS_WAITING;
    for (next = at + 1; next < newest && track->state[next] != GL_HOUR_KNOWN; next++)
        continue;
    return next <= newest && track->state[next] == GL_HOUR_KNOWN ? IS_BRIDGED_GREEN : IS_WAITING;
}

static enum verdict judge_leg(const struct gl_leg *leg, const struct gl_track *track,
                              int64_t hour_s, size_t row, double *sum)
{
    size_t before = (size_t)track->lag_h + GL_TRACK_BEFORE_H;
    size_t newest = row + GL_TRACK_BEFORE_H - 1;
    size_t at = (size_t)((hour_s - track->from_s) / GL_HOUR_S + (int64_t)before);
    float value = 0;
    enum verdict verdict;
    bool breaks;

    if (hour_s < track->from_s)
        return IS_LOST;
    verdict = value_at(track, at, newest, &value);
    if (verdict != IS_GREEN && verdict != IS_BRIDGED_GREEN)
        return verdict;
    breaks = leg->kind == GL_LEG_BUDGET ? *sum + (double)value > (double)leg->limit
                                        : gl_leg_breaks(leg, value);
    if (!breaks)
        return verdict;
    return verdict == IS_GREEN ? IS_BREAK : IS_BRIDGED_BREAK;
}

/* A sum counts the hours before it as well: judged anew every hour, added once all legs are. */
static void add_to_budgets(const struct gl_guarantee_rule *rule,
                           const struct gl_track *const *tracks, int64_t hour_s,
                           struct pending *pending)
{
    size_t i;

    for (i = 0; i < rule->count; i++) {
        size_t at = (size_t)((hour_s - tracks[i]->from_s) / GL_HOUR_S + (int64_t)tracks[i]->lag_h +
                             GL_TRACK_BEFORE_H);

        if (rule->leg[i].kind == GL_LEG_BUDGET)
            pending->sum[i] += (double)tracks[i]->hour[at];
    }
}

/* Of all legs: one known break settles it; else the least certain counts. */
static enum verdict judge_hour(const struct gl_guarantee_rule *rule,
                               const struct gl_track *const *tracks, size_t row,
                               struct pending *pending)
{
    int64_t hour_s = pending->start_s + (int64_t)pending->next * GL_HOUR_S;
    enum verdict worst = IS_GREEN;
    size_t i;

    for (i = 0; i < rule->count; i++) {
        enum verdict verdict = judge_leg(&rule->leg[i], tracks[i], hour_s, row, &pending->sum[i]);

        if (verdict == IS_BREAK)
            return IS_BREAK;
        worst = verdict > worst ? verdict : worst;
    }
    if (worst <= IS_BRIDGED_GREEN)
        add_to_budgets(rule, tracks, hour_s, pending);
    return worst;
}

/* The first hour that is not green, or IS_GREEN when all are. */
static enum verdict judge(const struct gl_guarantee_rule *rule,
                          const struct gl_track *const *tracks, size_t row, struct pending *pending)
{
    for (; pending->next < pending->hours; pending->next++) {
        enum verdict verdict = judge_hour(rule, tracks, row, pending);

        if (verdict == IS_BRIDGED_GREEN)
            pending->has_gap = 1;
        else if (verdict != IS_GREEN)
            return verdict;
    }
    return IS_GREEN;
}

/* Below 0 the level is a debt: nothing is promised until it is paid back. */
static void move(const struct gl_guarantee_rule *rule, double step, double broken, double *level)
{
    double alpha = 1 - rule->probability;
    double most = rule->whole_h > 0 ? MAX_RISK : LEVEL_MAX;

    *level = fmin(*level + step * alpha * (alpha - broken), most * alpha);
}

static void move_level(struct gl_guarantee *guarantee, double broken)
{
    move(&guarantee->rule, STEP, broken, &guarantee->level);
}

/* What is promised hour after hour through a long green time is kept more often than what can be
 * had when it begins, and whoever waits gets the latter: kept as stated, too. */
static void move_first_level(struct gl_guarantee *guarantee, double broken)
{
    move(&guarantee->rule, FIRST_STEP, broken, &guarantee->first_level);
}

/* The one that is too low. */
static void recover(struct gl_guarantee *guarantee, bool is_first)
{
    guarantee->score.recoveries++;
    if (gl_guarantee_level(guarantee, is_first) < guarantee->level)
        move_first_level(guarantee, 0);
    else
        move_level(guarantee, 0);
}

static void settle(struct gl_guarantee *guarantee, enum verdict verdict,
                   const struct pending *pending)
{
    struct gl_guarantee_alike *alike = &guarantee->score.alike[gl_guarantee_class(pending->hours)];

    if (verdict == IS_LOST)
        return;
    move_level(guarantee, verdict == IS_GREEN ? 0 : 1);
    if (pending->is_first)
        move_first_level(guarantee, verdict == IS_GREEN ? 0 : 1);
    if (verdict == IS_BREAK) {
        guarantee->score.broken++;
        alike->broken++;
    } else if (verdict == IS_GREEN && !pending->has_gap) {
        guarantee->score.kept++;
        alike->kept++;
    }
}

static void settle_due(struct gl_guarantee *guarantee, const struct gl_track *const *tracks,
                       size_t row)
{
    size_t i, left = 0;

    for (i = 0; i < guarantee->pending_count; i++) {
        struct pending *pending = &guarantee->pending[i];
        enum verdict verdict = judge(&guarantee->rule, tracks, row, pending);

        if (verdict == IS_WAITING)
            guarantee->pending[left++] = *pending;
        else
            settle(guarantee, verdict, pending);
    }
    guarantee->pending_count = (uint32_t)left;
}

/* As if asked: the promise of this row is remembered until it is settled. */
static void promise_at(struct gl_guarantee *guarantee, const struct gl_track *const *tracks,
                       size_t row)
{
    bool was_promised = guarantee->was_promised != 0;
    struct choice choice;
    struct pending *pending;

    gl_guarantee_choose(guarantee, tracks, row, &choice);
    guarantee->was_promised = choice.hours > 0;
    if (choice.kind != GL_PROMISED && choice.kind != GL_NONE_POSSIBLE)
        return;
    guarantee->score.asked++;
    if (choice.is_level_too_low)
        recover(guarantee, !was_promised);
    if (choice.hours == 0 || guarantee->pending_count == PENDING_MAX)
        return;
    guarantee->score.issued++;
    guarantee->score.hours += (double)choice.hours;
    guarantee->lengths[choice.hours]++;
    pending = &guarantee->pending[guarantee->pending_count++];
    *pending = (struct pending){.start_s = tracks[0]->from_s + (int64_t)row * GL_HOUR_S,
                                .hours = (uint32_t)choice.hours,
                                .is_first = !was_promised};
}

bool gl_guarantee_advance(struct gl_guarantee *guarantee, const struct gl_track *const *tracks,
                          int64_t now_s)
{
    size_t row;

    if (!gl_evidence_tracks_fit(tracks, guarantee->rule.count) || now_s % GL_HOUR_S != 0)
        return false;
    if (guarantee->next_s < tracks[0]->from_s)
        guarantee->next_s = now_s < tracks[0]->from_s ? now_s : tracks[0]->from_s;
    for (; guarantee->next_s < now_s; guarantee->next_s += GL_HOUR_S) {
        row = gl_evidence_row(tracks[0], guarantee->next_s);
        if (row == SIZE_MAX) {
            guarantee->was_promised = 0;
            continue;
        }
        settle_due(guarantee, tracks, row);
        promise_at(guarantee, tracks, row);
    }
    row = gl_evidence_row(tracks[0], now_s);
    if (row != SIZE_MAX)
        settle_due(guarantee, tracks, row);
    return true;
}
