/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/backtest/part.h"
#include "policy/guarantee/evidence.h"

#include <stdlib.h>
#include <string.h>

/* The policy's rules as promises, one after the other in every place: the same legs, the same
 * engine and the same order of asking as policy/guarantee/book.h. */

/* Rules that bind: advisory ones never refuse. */
static bool is_binding(const struct gl_rule *rule)
{
    return rule->level != GL_ADVISORY;
}

static bool has_leg(const struct gl_rule *rule)
{
    static const struct gl_zone_facts nowhere;
    struct gl_book_entry entry;

    gl_book_legs(rule, &nowhere, &entry);
    return entry.legs.count > 0;
}

static uint32_t hours_up(int64_t seconds)
{
    return seconds == GL_UNKNOWN ? 0 : (uint32_t)((seconds + GL_HOUR_S - 1) / GL_HOUR_S);
}

/* What the whole policy says: its least confidence, longest green_for and mildest act. */
static void note_rule(struct replay *replay, const struct gl_rule *rule)
{
    int64_t lapse = gl_rule_number(rule, GL_KEY_ON_LAPSE);
    uint32_t green_for = hours_up(gl_rule_number(rule, GL_KEY_GREEN_FOR));
    int64_t asked = gl_rule_number(rule, GL_KEY_CONFIDENCE);
    double probability = asked == GL_UNKNOWN ? replay->options->confidence : (double)asked / 1e6;

    if (green_for > replay->green_for_h)
        replay->green_for_h = green_for;
    if (replay->rule_count == 0 || probability < replay->probability)
        replay->probability = probability;
    for (size_t i = 0; i < rule->count; i++)
        if (rule->constraints[i].key->id == GL_KEY_ON_LAPSE)
            replay->on_lapse = (enum gl_on_lapse)lapse;
}

/* Names the columns of a trace that say what its figures mean, and what they mean without them. */
static int fail_meaning(const struct gl_rule *rule, bool is_intensity, const char *zone,
                        struct gl_error *err)
{
    return gl_fail(err, GL_E_UNKNOWN_DATA,
                   "the trace of %s holds no %s of the meaning that rule \"%s\" limits; its "
                   "columns %s, rate (average) and accounting (location) say what it means, in "
                   "parentheses what holds without them",
                   zone, is_intensity ? "carbon intensity" : "share", rule->id,
                   is_intensity ? "boundary (direct)" : "quantity, share_of");
}

static int check_rule(const struct gl_rule *rule, const struct gl_book_entry *entry,
                      const char *zone, struct gl_error *err)
{
    int64_t age_s = gl_rule_number(rule, GL_KEY_MAX_DATA_AGE);

    for (size_t leg = 0; leg < entry->legs.count; leg++)
        if (entry->history[leg] == NULL)
            return fail_meaning(rule, entry->legs.leg[leg].kind == GL_LEG_CEILING, zone, err);
    if (gl_rule_number(rule, GL_KEY_MIN_GRADE) < GL_GRADE_C)
        return gl_fail(err, GL_E_UNKNOWN_DATA,
                       "rule \"%s\" asks for better evidence than a forecast (grade C): nothing "
                       "could ever be promised",
                       rule->id);
    for (size_t leg = 0; leg < entry->legs.count; leg++)
        if ((int64_t)entry->history[leg]->actuals.lag_h * GL_HOUR_S > age_s)
            return gl_fail(err, GL_E_UNKNOWN_DATA,
                           "the figures of %s are known %u h late, later than rule \"%s\" allows",
                           zone, (unsigned)entry->history[leg]->actuals.lag_h, rule->id);
    return 0;
}

/* A track of each history, made once. */
static const struct gl_track *track_of(struct replay *replay, size_t place,
                                       const struct gl_history *history)
{
    const struct gl_backtest_place *at = &replay->options->places[place];
    const struct gl_track_options options = {
        .horizon_h = replay->horizon_h,
        .from_s = replay->learn_s,
        .until_s = replay->end_s - GL_HOUR_S,
    };
    struct gl_track *track;

    if (history == at->intensity)
        return replay->stages[place].intensity;
    track = gl_arena_take(replay->arena, sizeof *track);
    if (!gl_track_build(replay->arena, &history->actuals, &history->issues, &options, track))
        return NULL;
    return track;
}

static int watch(struct replay *replay, size_t place, const struct gl_rule *rule,
                 struct gl_error *err)
{
    const struct gl_backtest_place *at = &replay->options->places[place];
    struct watched *one = &replay->stages[place].watched[replay->rule_count];
    int64_t asked = gl_rule_number(rule, GL_KEY_CONFIDENCE);
    struct gl_book_entry entry;

    gl_book_legs(rule, at->zone, &entry);
    if (check_rule(rule, &entry, at->zone->zone, err) != 0)
        return -1;
    one->legs = entry.legs;
    one->legs.probability = asked == GL_UNKNOWN ? replay->options->confidence : (double)asked / 1e6;
    for (size_t leg = 0; leg < entry.legs.count; leg++) {
        one->tracks[leg] = track_of(replay, place, entry.history[leg]);
        one->actuals[leg] = &entry.history[leg]->actuals;
        if (one->tracks[leg] == NULL)
            return gl_fail(err, GL_E_BAD_VALUE, "the trace of %s is out of range", at->zone->zone);
    }
    one->open = gl_guarantee_start(replay->arena, &one->legs, replay->learn_s);
    for (size_t i = 0; i < replay->length_count; i++) {
        one->legs.whole_h = replay->lengths[i];
        one->whole[i] = gl_guarantee_start(replay->arena, &one->legs, replay->learn_s);
    }
    one->legs.whole_h = 0;
    return one->open != NULL
               ? 0
               : gl_fail(err, GL_E_BAD_VALUE, "rule \"%s\" cannot be promised at %g %%", rule->id,
                         one->legs.probability * 100);
}

/* ---- which lengths ---- */

struct length {
    uint32_t hours;
    size_t count;
};

static int by_count(const void *left, const void *right)
{
    const struct length *a = left, *b = right;

    if (a->count != b->count)
        return a->count > b->count ? -1 : 1;
    return a->hours < b->hours ? -1 : a->hours > b->hours;
}

static void choose_lengths(struct replay *replay)
{
    struct length *lengths =
        gl_arena_take(replay->arena, (GL_BACKTEST_DEADLINE_H + 1) * sizeof *lengths);

    for (uint32_t i = 0; i <= GL_BACKTEST_DEADLINE_H; i++)
        lengths[i].hours = i;
    for (size_t i = 0; i < replay->options->job_count; i++) {
        uint32_t hours = replay->options->jobs[i].work_h;

        hours = hours > replay->green_for_h ? hours : replay->green_for_h;
        if (hours <= replay->horizon_h)
            lengths[hours].count++;
    }
    qsort(lengths, GL_BACKTEST_DEADLINE_H + 1, sizeof *lengths, by_count);
    for (size_t i = 0; i < LENGTHS_MAX && lengths[i].count > 0; i++)
        replay->lengths[replay->length_count++] = lengths[i].hours;
}

int gl_backtest_rules_prepare(struct replay *replay, struct gl_error *err)
{
    const struct gl_policy *policy = replay->options->policy;
    const size_t places = replay->options->place_count;
    size_t count = 0;

    replay->on_lapse = replay->options->guard.on_lapse;
    for (size_t r = 0; policy != NULL && r < policy->rule_count; r++) {
        if (!is_binding(&policy->rules[r]) || !has_leg(&policy->rules[r]))
            continue;
        if (count++ == GL_BACKTEST_RULES)
            return gl_fail(err, GL_E_TOO_LARGE, "more than %d rules to promise", GL_BACKTEST_RULES);
        note_rule(replay, &policy->rules[r]);
    }
    choose_lengths(replay);
    for (size_t p = 0; p < places; p++)
        replay->stages[p].watched =
            gl_arena_take(replay->arena, (count + 1) * sizeof *replay->stages[p].watched);
    for (size_t r = 0; policy != NULL && r < policy->rule_count; r++) {
        if (!is_binding(&policy->rules[r]) || !has_leg(&policy->rules[r]))
            continue;
        for (size_t p = 0; p < places; p++)
            if (watch(replay, p, &policy->rules[r], err) != 0)
                return -1;
        replay->rule_count++;
    }
    return 0;
}

/* ---- asking ---- */

static const struct gl_promise *ask(struct gl_guarantee *state, const struct watched *one,
                                    int64_t now_s, int64_t *at_s, struct gl_promise *promise)
{
    if (*at_s == now_s)
        return promise;
    *at_s = now_s;
    *promise = (struct gl_promise){.kind = GL_STALE};
    if (gl_guarantee_advance(state, one->tracks, now_s))
        gl_guarantee_decide(state, one->tracks, now_s, 0, promise);
    return promise;
}

static struct outlook outlook_of(const struct gl_promise *promise)
{
    return (struct outlook){promise->kind, promise->hours};
}

/* As long as possible; when that is too short, or for a start, just the length needed. */
static struct outlook look(struct moment *moment, struct watched *one, uint32_t needed_h,
                           bool is_start)
{
    struct outlook open =
        outlook_of(ask(one->open, one, moment->now_s, &one->open_at_s, &one->open_promise));
    const struct replay *replay = moment->replay;
    bool is_long_enough = open.hours >= needed_h;

    for (size_t i = 0; i < replay->length_count && (is_start || !is_long_enough); i++) {
        struct outlook whole;

        if (replay->lengths[i] != needed_h || one->whole[i] == NULL)
            continue;
        whole = outlook_of(
            ask(one->whole[i], one, moment->now_s, &one->whole_at_s[i], &one->whole_promise[i]));
        if (whole.hours >= needed_h)
            return whole;
        if (is_long_enough)
            return (struct outlook){GL_NONE_POSSIBLE, needed_h - 1};
    }
    if (needed_h > replay->horizon_h && open.hours > 0)
        open.kind = GL_BEYOND_HORIZON;
    return open;
}

static struct outlook look_at_all(struct moment *moment, size_t place, uint32_t needed_h,
                                  bool is_start)
{
    struct stage *stage = &moment->replay->stages[place];
    struct outlook least = {GL_PROMISED, UINT32_MAX};

    for (size_t r = 0; r < moment->replay->rule_count; r++) {
        struct outlook one = look(moment, &stage->watched[r], needed_h, is_start);

        if (one.hours < least.hours)
            least = one;
    }
    if (least.hours > 0 && least.kind == GL_PROMISED && least.hours < needed_h)
        least.kind = GL_NONE_POSSIBLE; /* of what was asked */
    return least;
}

struct outlook gl_backtest_rules_outlook(struct moment *moment, size_t place, uint32_t needed_h)
{
    return look_at_all(moment, place, needed_h, false);
}

/* As in policy/guarantee/book.c: what is learnt for one length answers who starts a run of it. */
struct outlook gl_backtest_rules_start(struct moment *moment, size_t place, uint32_t needed_h)
{
    return look_at_all(moment, place, needed_h, true);
}

void gl_backtest_rules_promise(struct moment *moment, struct task *task, size_t place,
                               uint32_t hours)
{
    const struct replay *replay = moment->replay;
    const struct gl_promise promise = {
        .kind = GL_PROMISED, .start_s = moment->now_s, .hours = hours};
    bool is_kept = true;

    if (replay->rule_count == 0 || hours == 0)
        return;
    task->run->issued++;
    for (size_t r = 0; r < replay->rule_count; r++) {
        const struct watched *one = &replay->stages[place].watched[r];
        struct gl_settled settled;

        gl_guarantee_settle(&one->legs, one->actuals, &promise,
                            replay->end_s + GL_TRACK_MAX_LAG * GL_HOUR_S, &settled);
        if (settled.kind == GL_SETTLED_BREACHED) {
            task->run->breached++;
            return;
        }
        is_kept = is_kept && settled.kind == GL_SETTLED_KEPT;
    }
    task->run->kept += is_kept;
}

/* ---- afterwards ---- */

static bool leg_fails(const struct watched *one, size_t leg, int64_t hour_s, bool if_unknown)
{
    float value;

    if (!gl_actual_at(one->actuals[leg], hour_s, &value))
        return if_unknown;
    return gl_leg_breaks(&one->legs.leg[leg], value);
}

static bool any_fails(const struct replay *replay, size_t place, int64_t hour_s, bool if_unknown)
{
    for (size_t r = 0; r < replay->rule_count; r++) {
        const struct watched *one = &replay->stages[place].watched[r];

        for (size_t leg = 0; leg < one->legs.count; leg++)
            if (leg_fails(one, leg, hour_s, if_unknown))
                return true;
    }
    return false;
}

bool gl_backtest_rules_break(const struct replay *replay, size_t place, int64_t hour_s)
{
    return any_fails(replay, place, hour_s, false);
}

bool gl_backtest_rules_keep(const struct replay *replay, size_t place, int64_t start_s,
                            uint32_t hours)
{
    for (uint32_t h = 0; h < hours; h++)
        if (any_fails(replay, place, start_s + (int64_t)h * GL_HOUR_S, true))
            return false;
    return true;
}

enum gl_backtest_why gl_backtest_rules_why(enum gl_promise_kind kind)
{
    static const enum gl_backtest_why whys[] = {
        [GL_PROMISED] = GL_BACKTEST_WHY_NONE_POSSIBLE,
        [GL_NONE_POSSIBLE] = GL_BACKTEST_WHY_NONE_POSSIBLE,
        [GL_TOO_FEW_ISSUES] = GL_BACKTEST_WHY_TOO_FEW_ISSUES,
        [GL_STALE] = GL_BACKTEST_WHY_STALE,
        [GL_BREAKS_NOW] = GL_BACKTEST_WHY_BREAKS_NOW,
        [GL_BEYOND_HORIZON] = GL_BACKTEST_WHY_BEYOND_HORIZON,
    };

    return whys[kind];
}
