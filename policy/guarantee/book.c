/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/guarantee/book_part.h"

#include <math.h>
#include <string.h>

#include "policy/guarantee/evidence.h"
#include "policy/guarantee/learning.h"
#include "policy/judge.h"

/* Keys that limit a figure of the grid and can so be promised. */
static const struct {
    enum gl_key_id key;
    enum gl_quantity quantity;
    enum gl_leg_kind kind;
    bool is_of_grams; /* divided by the watts it becomes a limit on the grid */
} promisable[] = {
    {GL_KEY_MAX_INTENSITY, GL_INTENSITY, GL_LEG_CEILING, false},
    {GL_KEY_GREEN_BELOW, GL_INTENSITY, GL_LEG_CEILING, false},
    {GL_KEY_MIN_RENEWABLE, GL_RENEWABLE_SHARE, GL_LEG_FLOOR, false},
    {GL_KEY_MIN_CARBON_FREE, GL_CARBON_FREE_SHARE, GL_LEG_FLOOR, false},
    {GL_KEY_MAX_RATE, GL_INTENSITY, GL_LEG_CEILING, true},
    {GL_KEY_MAX_TOTAL, GL_INTENSITY, GL_LEG_BUDGET, true},
};
#define PROMISABLE (sizeof promisable / sizeof promisable[0])
_Static_assert(PROMISABLE <= GL_GUARANTEE_MAX_LEGS, "a rule may have every promisable limit");

#define MOST_LIMIT_U 1e15 /* per kW; more limits nothing */

bool gl_book_limits_grams(const struct gl_rule *rule)
{
    for (size_t i = 0; i < PROMISABLE; i++)
        if (promisable[i].is_of_grams && gl_rule_number(rule, promisable[i].key) != GL_UNKNOWN)
            return true;
    return false;
}

static bool is_promised_of_grams(const struct gl_rule *rule, bool wants_later)
{
    return gl_book_limits_grams(rule) &&
           (wants_later || gl_rule_number(rule, GL_KEY_CONFIDENCE) != GL_UNKNOWN);
}

bool gl_book_is_promisable(const struct gl_rule *rule, bool wants_later)
{
    for (size_t i = 0; i < PROMISABLE; i++)
        if (gl_rule_number(rule, promisable[i].key) != GL_UNKNOWN &&
            (!promisable[i].is_of_grams || is_promised_of_grams(rule, wants_later)))
            return true;
    return false;
}

/* A history of the zone's first source that measures what the rule means. */
static const struct gl_history *history_for(const struct gl_rule *rule, enum gl_quantity quantity,
                                            const struct gl_zone_facts *zone)
{
    struct gl_need need = gl_rule_need(rule, quantity);

    for (size_t i = 0; i < zone->history_count; i++) {
        const struct gl_history *history = zone->histories[i];

        if (gl_figure_gap(&history->meaning, &need.want) == GL_GAP_NONE &&
            history->actuals.count > 0)
            return history;
    }
    return NULL;
}

/* Of a limit on grams what is left for a kilowatt, rounded down. */
static int64_t limit_of(const struct gl_rule *rule, size_t which, double kw)
{
    int64_t limit = gl_rule_number(rule, promisable[which].key);

    if (limit == GL_UNKNOWN || !promisable[which].is_of_grams)
        return limit;
    return kw > 0 ? (int64_t)fmin((double)limit / kw, MOST_LIMIT_U) : GL_UNKNOWN;
}

/* kw 0: limits on grams aside. */
static bool legs_of(const struct gl_rule *rule, const struct gl_zone_facts *zone, double kw,
                    struct gl_book_entry *out)
{
    *out = (struct gl_book_entry){.rule = rule, .zone = zone, .is_ready = true, .kw = kw};
    for (size_t i = 0; i < PROMISABLE; i++) {
        int64_t limit = limit_of(rule, i, kw);
        size_t leg = out->legs.count;

        if (limit == GL_UNKNOWN)
            continue;
        out->legs.leg[leg] = (struct gl_leg){
            .kind = promisable[i].kind,
            .limit = gl_history_value(promisable[i].quantity, limit),
        };
        out->limit_u[leg] = limit;
        out->history[leg] = history_for(rule, promisable[i].quantity, zone);
        out->is_ready = out->is_ready && out->history[leg] != NULL;
        out->legs.count++;
    }
    out->is_ready = out->is_ready && out->legs.count > 0;
    return out->is_ready;
}

bool gl_book_legs(const struct gl_rule *rule, const struct gl_zone_facts *zone,
                  struct gl_book_entry *out)
{
    return legs_of(rule, zone, 0, out);
}

static double probability_of(const struct gl_rule *rule, double otherwise)
{
    int64_t asked = gl_rule_number(rule, GL_KEY_CONFIDENCE);

    return asked == GL_UNKNOWN ? otherwise : (double)asked / 1e6;
}

/* ---- tracks ---- */

static int64_t hour_of(struct gl_instant at)
{
    return at.unix_s / GL_HOUR_S * GL_HOUR_S;
}

/* The earliest hour any of the histories speaks of. */
static int64_t first_hour(const struct gl_history *const *histories, size_t count)
{
    int64_t first = INT64_MAX;

    for (size_t i = 0; i < count; i++)
        if (histories[i]->actuals.start_s < first)
            first = histories[i]->actuals.start_s;
    return first;
}

/* Tracks of all the histories that begin together, `days` back or where the data begins. */
static bool build_tracks(struct gl_arena *arena, const struct gl_history *const *histories,
                         size_t count, const struct gl_track_options *options, struct gl_track *out)
{
    struct gl_track_options within = *options;
    int64_t first = first_hour(histories, count);

    if (within.from_s < first)
        within.from_s = first;
    if (within.from_s > within.until_s)
        return false;
    for (size_t i = 0; i < count; i++)
        if (!gl_track_of(arena, histories[i], &within, &out[i]))
            return false;
    return true;
}

/* ---- what was learnt ---- */

/* What the state was learnt from: another zone, source, meaning, limit, probability or engine must
 * not find it. */
static void key_of(const struct gl_book_entry *entry, uint32_t horizon_h, struct gl_hash *out)
{
    struct gl_str text = {0};

    gl_str_addf(&text, "%zu|%u|%u|%.6f", gl_guarantee_size(), horizon_h, entry->legs.whole_h,
                entry->legs.probability);
    for (size_t i = 0; i < entry->legs.count; i++) {
        const struct gl_history *history = entry->history[i];
        const struct gl_meaning *meaning = &history->meaning;

        gl_str_addf(&text, "|%d %a %s %s %s %d%d%d%d%d%d%d %u %s", (int)entry->legs.leg[i].kind,
                    (double)entry->legs.leg[i].limit, history->zone, history->provider,
                    history->dataset, (int)meaning->quantity, (int)meaning->rate,
                    (int)meaning->boundary, (int)meaning->gases, (int)meaning->trace,
                    (int)meaning->accounting, (int)meaning->matching, meaning->share_of,
                    meaning->factor_set);
    }
    gl_hash_of(gl_str_text(&text), text.length, out);
    gl_str_done(&text);
}

#define DAY_S (24 * GL_HOUR_S)
/* What the engine looks back on before the first hour it decides. */
#define LOOK_BACK_S(horizon_h) (65 * DAY_S + (int64_t)(horizon_h)*GL_HOUR_S)

/* The state as learnt before, or a fresh one that begins a replay ago. */
static struct gl_guarantee *recall(struct gl_arena *arena, const struct gl_book_ask *ask,
                                   const struct gl_guarantee_rule *legs, const struct gl_hash *key,
                                   int64_t now_s)
{
    int64_t from_s = now_s - GL_GUARANTEE_REPLAY_DAYS * DAY_S;
    const struct gl_book_memory *memory = ask->memory;
    struct gl_guarantee *state = gl_guarantee_start(arena, legs, from_s);

    if (state == NULL || memory == NULL || memory->load == NULL)
        return state;
    if (memory->load(memory->cookie, key, state, gl_guarantee_size()) && state->next_s <= now_s)
        return state;
    return gl_guarantee_start(arena, legs, from_s); /* nothing kept, or the clock was set back */
}

/* ---- later starts ---- */

/* Today's forecast with the errors of a past issue. */
static float value_at(const struct gl_track *track, const size_t row_past[2], size_t hour)
{
    return track->path[row_past[0] * track->horizon_h + hour] +
           track->residual[row_past[1] * track->horizon_h + hour];
}

static bool is_green(const struct gl_guarantee_rule *legs, const struct gl_track *const *tracks,
                     const size_t row_past[2], size_t hour)
{
    for (size_t i = 0; i < legs->count; i++) {
        if (legs->leg[i].kind != GL_LEG_BUDGET &&
            gl_leg_breaks(&legs->leg[i], value_at(tracks[i], row_past, hour)))
            return false;
    }
    return true;
}

/* Does the run that begins in hour `start` stay within every sum? */
static bool is_within(const struct gl_guarantee_rule *legs, const struct gl_track *const *tracks,
                      const size_t row_past[2], const size_t start_run[2])
{
    for (size_t i = 0; i < legs->count; i++) {
        double sum = 0;

        if (legs->leg[i].kind != GL_LEG_BUDGET)
            continue;
        for (size_t h = start_run[0]; h < start_run[0] + start_run[1]; h++)
            sum += (double)value_at(tracks[i], row_past, h);
        if (sum > (double)legs->leg[i].limit)
            return false;
    }
    return true;
}

/* Backwards along each path: the green hours from hour h on. */
static void count_kept(const struct gl_guarantee_rule *legs, const struct gl_track *const *tracks,
                       const size_t row_past[2], size_t hours, struct gl_later *later)
{
    size_t run = 0;

    for (size_t h = hours; h-- > 0;) {
        run = is_green(legs, tracks, row_past, h) ? run + 1 : 0;
        later->kept[h] = (uint16_t)(later->kept[h] + (run >= later->run_h &&
                                                      is_within(legs, tracks, row_past,
                                                                (size_t[2]){h, later->run_h})));
    }
}

/* The share of paths that may break it is that of the promise of this length from now. Of a start
 * that is not possible an hour before, that of first ones. */
static void find_later(const struct gl_guarantee *state, const struct gl_track *const *tracks,
                       const struct gl_promise *promise, struct gl_later *out)
{
    const struct gl_guarantee_rule *legs = &state->rule;
    size_t rows[GL_EVIDENCE_MAX_ROWS], row = gl_evidence_row(tracks[0], promise->start_s), paths;
    size_t hours = promise->covered_h < GL_BOOK_HORIZON_H ? promise->covered_h : GL_BOOK_HORIZON_H;
    double max_risk = fmin(0.5, MAX_RISK * (1 - legs->probability));
    bool goes_on = promise->hours > 0;

    if (promise->kind == GL_STALE || hours == 0 || row == SIZE_MAX)
        return;
    paths = gl_evidence_rows(tracks, legs->count, row, promise->covered_h, rows);
    if (paths < GL_GUARANTEE_MIN_ISSUES || promise->kind == GL_TOO_FEW_ISSUES)
        return;
    out->is_known = true;
    out->paths = (uint32_t)paths;
    out->within_h = hours < out->run_h ? 0 : (uint32_t)hours - out->run_h + 1;
    for (size_t i = 0; i < paths; i++)
        count_kept(legs, tracks, (size_t[2]){row, rows[i]}, hours, out);
    for (uint32_t h = 1; h < out->within_h; h++) {
        double risk = fmin(gl_guarantee_level(state, !goes_on), max_risk);

        goes_on = (double)(paths - out->kept[h] + 1) / (double)(paths + 1) <= risk;
        if (goes_on)
            out->starts |= UINT64_C(1) << h;
    }
}

/* ---- one promise ---- */

/* `later`: NULL, or with run_h set. */
static bool promise_by(const struct gl_book_ask *ask, const struct gl_book_entry *entry,
                       struct gl_promise *out, struct gl_later *later)
{
    uint32_t horizon_h = ask->horizon_h > 0 ? ask->horizon_h : GL_BOOK_HORIZON_H;
    int64_t now_s = hour_of(ask->now);
    struct gl_track tracks[GL_GUARANTEE_MAX_LEGS];
    const struct gl_track *list[GL_GUARANTEE_MAX_LEGS];
    struct gl_arena arena = {0};
    struct gl_track_options options = {.horizon_h = horizon_h, .until_s = now_s};
    struct gl_guarantee *state;
    struct gl_hash key;
    bool is_ready, is_learning;

    for (size_t i = 0; i < GL_GUARANTEE_MAX_LEGS; i++)
        list[i] = &tracks[i];
    key_of(entry, horizon_h, &key);
    state = recall(&arena, ask, &entry->legs, &key, now_s);
    is_learning = state != NULL && state->next_s < now_s;
    options.from_s = state != NULL ? state->next_s - LOOK_BACK_S(horizon_h) : now_s;
    is_ready = state != NULL &&
               build_tracks(&arena, entry->history, entry->legs.count, &options, tracks) &&
               gl_guarantee_advance(state, list, now_s) &&
               gl_guarantee_decide(state, list, now_s, 0, out);
    if (is_ready && later != NULL)
        find_later(state, list, out, later);
    if (is_ready && is_learning && ask->memory != NULL && ask->memory->save != NULL)
        ask->memory->save(ask->memory->cookie, &key, state, gl_guarantee_size());
    gl_arena_done(&arena);
    return is_ready;
}

static int64_t length_of(const struct gl_book_ask *ask, const struct gl_rule *rule)
{
    int64_t green_for = gl_rule_number(rule, GL_KEY_GREEN_FOR);

    return green_for > ask->run.s ? green_for : ask->run.s;
}

/* Hours from the one that has begun until a run that starts now is over. */
static uint32_t hours_needed(const struct gl_book_ask *ask, const struct gl_rule *rule)
{
    int64_t until_s = ask->now.unix_s + length_of(ask, rule);

    return (uint32_t)((until_s - hour_of(ask->now) + GL_HOUR_S - 1) / GL_HOUR_S);
}

/* To less than the run. */
static void cut(struct gl_promise *promise, uint32_t run_h)
{
    promise->hours = run_h - 1;
    if (promise->hours > 0)
        return;
    promise->kind = GL_NONE_POSSIBLE;
    promise->own_chance = 0;
}

/* Of just the length of the run, where that can be promised: what is learnt for one length answers
 * it better. And from when on it would be, when not now. The longest promise there is does not
 * answer it: who waited for the first hour in which it is as long as the run would find it broken
 * more often than stated. */
static void promise_run(const struct gl_book_ask *ask, struct gl_book_entry *entry)
{
    bool has_confidence = gl_rule_number(entry->rule, GL_KEY_CONFIDENCE) != GL_UNKNOWN;
    const uint32_t run_h = hours_needed(ask, entry->rule);
    bool is_long_enough = entry->promise.hours >= run_h;
    struct gl_promise whole = {.kind = GL_NONE_POSSIBLE};
    struct gl_book_entry of_run = *entry;

    of_run.legs.whole_h = run_h;
    entry->is_run_promised = is_long_enough;
    entry->later.run_h = (uint32_t)((length_of(ask, entry->rule) + GL_HOUR_S - 1) / GL_HOUR_S);
    if (entry->later.run_h == 0 || run_h > GL_TRACK_MAX_HORIZON ||
        !promise_by(ask, &of_run, &whole, &entry->later))
        return;
    entry->is_run_promised = whole.kind == GL_PROMISED;
    if (is_long_enough && !entry->is_run_promised)
        cut(&entry->promise, run_h);
    if (!is_long_enough && entry->is_run_promised && has_confidence) {
        entry->legs.whole_h = run_h;
        entry->promise = whole;
    }
}

static void promise_of(const struct gl_book_ask *ask, struct gl_book_entry *entry)
{
    entry->is_ready = promise_by(ask, entry, &entry->promise, NULL);
    if (entry->is_ready &&
        (ask->wants_later || gl_rule_number(entry->rule, GL_KEY_CONFIDENCE) != GL_UNKNOWN))
        promise_run(ask, entry);
}

bool gl_book_starts_at(const struct gl_book_entry *entry, struct gl_instant now,
                       struct gl_instant start)
{
    int64_t after_s = start.unix_s - hour_of(now);

    if (start.unix_s <= now.unix_s)
        return entry->is_run_promised;
    return entry->later.is_known && after_s % GL_HOUR_S == 0 &&
           after_s / GL_HOUR_S < GL_BOOK_HORIZON_H &&
           (entry->later.starts >> (after_s / GL_HOUR_S) & 1) != 0;
}

enum gl_gap gl_book_gap(const struct gl_book_entry *entry, const struct gl_rule *rule,
                        struct gl_instant now)
{
    int64_t max_age_s = gl_rule_number(rule, GL_KEY_MAX_DATA_AGE);

    if (entry == NULL)
        return GL_GAP_MISSING;
    if (!entry->is_ready)
        return GL_GAP_MEANING;
    if (gl_rule_number(rule, GL_KEY_MIN_GRADE) < GL_GRADE_C)
        return GL_GAP_GRADE;
    for (size_t i = 0; i < entry->legs.count; i++)
        if (entry->history[i]->newest_actual_s == GL_UNKNOWN ||
            now.unix_s - entry->history[i]->newest_actual_s - GL_HOUR_S >
                max_age_s + entry->history[i]->actuals.lag_h * GL_HOUR_S)
            return GL_GAP_STALE;
    switch (entry->promise.kind) {
    case GL_STALE:
        return GL_GAP_STALE;
    case GL_TOO_FEW_ISSUES:
        return GL_GAP_ISSUES;
    default:
        return GL_GAP_NONE;
    }
}

int64_t gl_promise_until(const struct gl_promise *promise)
{
    if (promise->hours == 0 || (promise->kind != GL_PROMISED && promise->kind != GL_BEYOND_HORIZON))
        return GL_UNKNOWN;
    return promise->start_s + (int64_t)promise->hours * GL_HOUR_S;
}

/* ---- the book ---- */

struct writing {
    struct gl_arena *arena;
    const struct gl_book_ask *ask;
    struct gl_book *book;
    struct gl_book_entry *entries;
};

static void write_entry(struct writing *to, const struct gl_rule *rule,
                        const struct gl_zone_facts *zone, double kw)
{
    struct gl_book_entry entry;

    legs_of(rule, zone, kw, &entry);
    if (entry.legs.count == 0)
        return;
    entry.legs.probability = probability_of(rule, to->ask->probability);
    if (entry.is_ready)
        promise_of(to->ask, &entry);
    to->entries = gl_arena_grow(to->arena, to->entries, to->book->count, sizeof *to->entries);
    to->entries[to->book->count++] = entry;
}

static void write_rule(struct writing *to, const struct gl_rule *rule,
                       const struct gl_zone_facts *zone)
{
    const struct gl_book_question about = {to->ask, rule, zone,
                                           history_for(rule, GL_INTENSITY, zone)};
    double *kw;
    size_t count;

    if (!is_promised_of_grams(rule, to->ask->wants_later)) {
        write_entry(to, rule, zone, 0);
        return;
    }
    count = gl_book_powers(to->arena, &about, &kw);
    for (size_t i = 0; i < count; i++)
        write_entry(to, rule, zone, kw[i]);
}

const struct gl_book *gl_book_make(struct gl_arena *arena, const struct gl_book_ask *ask)
{
    struct writing to = {arena, ask, gl_arena_take(arena, sizeof *to.book), NULL};

    for (size_t r = 0; r < ask->policy->rule_count; r++)
        for (size_t z = 0; z < ask->zone_count; z++)
            if (ask->zones[z]->history_count > 0)
                write_rule(&to, &ask->policy->rules[r], ask->zones[z]);
    to.book->entries = to.entries;
    return to.book;
}

/* Entries of one rule and zone come by power. */
static const struct gl_book_entry *find(const struct gl_book *book, const struct gl_rule *rule,
                                        const struct gl_zone_facts *zone, double kw)
{
    for (size_t i = 0; book != NULL && i < book->count; i++) {
        const struct gl_book_entry *entry = &book->entries[i];

        if (entry->rule == rule && entry->zone == zone &&
            (!(entry->kw > 0) || (kw > 0 && entry->kw >= kw)))
            return entry;
    }
    return NULL;
}

const struct gl_book_entry *gl_book_find(const struct gl_book *book, const struct gl_rule *rule,
                                         const struct gl_zone_facts *zone)
{
    return find(book, rule, zone, 0);
}

int64_t gl_book_rate_ceiling(const struct gl_rule *rule, const struct gl_book_load *load)
{
    size_t which = 0;

    while (promisable[which].key != GL_KEY_MAX_RATE)
        which++;
    return limit_of(rule, which, gl_book_kw(load));
}

const struct gl_book_entry *gl_book_find_offer(const struct gl_book *book,
                                               const struct gl_rule *rule,
                                               const struct gl_zone_facts *zone,
                                               const struct gl_book_load *load)
{
    return find(book, rule, zone, gl_book_kw(load));
}

size_t gl_book_futures(struct gl_arena *arena, const struct gl_history *const *histories,
                       size_t count, struct gl_instant now, uint32_t hours, struct gl_ensemble *out)
{
    const struct gl_track_options options = {
        .horizon_h = hours,
        .from_s = hour_of(now) - LOOK_BACK_S(hours),
        .until_s = hour_of(now),
    };
    struct gl_track *tracks = gl_arena_take(arena, (count + 1) * sizeof *tracks);
    const struct gl_track **list = gl_arena_take(arena, (count + 1) * sizeof *list);
    float *at_most = gl_arena_take(arena, (count + 1) * sizeof *at_most);

    if (count == 0 || !build_tracks(arena, histories, count, &options, tracks))
        return 0;
    for (size_t i = 0; i < count; i++)
        list[i] = &tracks[i];
    for (size_t i = 0; i < count; i++)
        at_most[i] = histories[i]->meaning.quantity == GL_INTENSITY ||
                             histories[i]->meaning.trace == GL_SHARE_OF_LOAD
                         ? 0
                         : 100;
    return gl_ensemble_fill(arena, list, count,
                            &(struct gl_ensemble_options){.now_s = options.until_s,
                                                          .hours = hours,
                                                          .min_paths = GL_GUARANTEE_MIN_ISSUES,
                                                          .at_most = at_most},
                            out);
}
