/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/guard.h"

#include "policy/facts.h"

const char *const gl_on_lapse_words[] = {"notify", "pause", "move", "stop", NULL};

static const char *const act_words[] = {"stay", "move", "pause", "resume", "stop", "notify"};

static const char *const why_sentences[] = {
    [GL_WHY_PROMISED] = "promised for as long as it is needed",
    [GL_WHY_TIME_YET] = "will lapse later, not within the lead time",
    [GL_WHY_LAPSES] = "expected to lapse within the lead time",
    [GL_WHY_BROKEN] = "the limit is broken now",
    [GL_WHY_UNKNOWN] = "the evidence no longer says whether it is green",
    [GL_WHY_GREEN_AGAIN] = "green again for long enough",
    [GL_WHY_NOT_GREEN] = "not green yet, or not for long enough",
    [GL_WHY_LEASE] = "the lease leaves no time to finish",
    [GL_WHY_PERSON] = "paused by a person, who resumes it",
    [GL_WHY_OVER] = "it has ended meanwhile",
    [GL_WHY_PLAN_PAUSES] = "between two stretches of its plan",
    [GL_WHY_PLAN_RUNS] = "in a stretch of its plan",
    [GL_WHY_DEADLINE] = "it would not be done in time if it stood still now",
    [GL_WHY_DONE] = "it has run for as long as it was to",
};

const char *gl_guard_act_word(enum gl_guard_act act)
{
    return act_words[act];
}

const char *gl_guard_why_sentence(enum gl_guard_why why)
{
    return why_sentences[why];
}

/* Hours that are promised in a place; 0 where the rule does not let it run. */
static uint32_t promised(const struct gl_guard_place *place)
{
    bool is_promise = place->kind == GL_PROMISED || place->kind == GL_BEYOND_HORIZON;

    return place->is_allowed && is_promise ? place->promised_h : 0;
}

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* While it runs there is always something left to need. */
static uint32_t needed(const struct gl_guard_facts *facts)
{
    return facts->needed_h > 0 ? facts->needed_h : 1;
}

/* Grams saved by spending the hours promised there there instead of here, the move paid; false when
 * they are not known. */
static bool gain_of(const struct gl_guard_facts *facts, size_t i, double *out)
{
    const struct gl_guard_place *there = &facts->places[i];
    double hours = (double)least(promised(there), needed(facts)), saved_g = there->saved_g;

    if (!there->has_saved_g && (!there->has_g_per_h || !facts->here.has_g_per_h))
        return false;
    if (!there->has_saved_g)
        saved_g = (facts->here.g_per_h - there->g_per_h) * hours;
    *out = saved_g - facts->moves[i].grams * (1 + facts->margin);
    return true;
}

static bool is_affordable(const struct gl_guard_facts *facts, size_t i)
{
    int64_t price = facts->moves[i].price_u_usd;

    return facts->max_egress_u_usd == GL_UNKNOWN ||
           (price != GL_UNKNOWN && price <= facts->max_egress_u_usd);
}

/* Green there for longer than it takes to get there and longer than here. */
static bool is_refuge(const struct gl_guard_facts *facts, size_t i)
{
    uint32_t hours = promised(&facts->places[i]);
    bool lasts = hours >= least(facts->min_stay_h, needed(facts)) &&
                 (double)hours * 3600 > facts->moves[i].seconds;

    return lasts && hours > promised(&facts->here);
}

/* The refuge with the largest gain; of equals the first. A place of unknown grams is no refuge:
 * nothing could be said of the gain. */
static bool find_refuge(const struct gl_guard_facts *facts, struct gl_guard_choice *choice)
{
    bool is_found = false;

    for (size_t i = 0; i < facts->place_count; i++) {
        double gain;

        if (!is_refuge(facts, i))
            continue;
        if (!is_affordable(facts, i)) {
            choice->was_refused_price = !is_found;
            continue;
        }
        choice->was_refused_gain = !is_found;
        if (!gain_of(facts, i, &gain) || !(gain > 0) || (is_found && gain <= choice->gain_g))
            continue;
        is_found = true;
        choice->was_refused_gain = choice->was_refused_price = false;
        choice->place = i;
        choice->gain_g = gain;
    }
    return is_found;
}

/* Is there anything to do, and why? */
static enum gl_guard_why look(const struct gl_guard_facts *facts)
{
    uint32_t hours = promised(&facts->here);

    if (hours >= needed(facts))
        return GL_WHY_PROMISED;
    if (facts->here.kind == GL_BREAKS_NOW || !facts->here.is_allowed)
        return GL_WHY_BROKEN;
    if (facts->here.kind == GL_STALE || facts->here.kind == GL_TOO_FEW_ISSUES)
        return GL_WHY_UNKNOWN;
    return hours >= facts->lead_h ? GL_WHY_TIME_YET : GL_WHY_LAPSES;
}

static bool may_move(const struct gl_guard_facts *facts)
{
    return facts->on_lapse == GL_LAPSE_MOVE && facts->can_move && !facts->was_moved_lately;
}

static void decide_running(const struct gl_guard_facts *facts, struct gl_guard_choice *choice)
{
    choice->why = look(facts);
    if (choice->why == GL_WHY_PROMISED || choice->why == GL_WHY_TIME_YET)
        return;
    if (facts->on_lapse == GL_LAPSE_STOP)
        choice->act = GL_GUARD_STOP;
    else if (may_move(facts) && find_refuge(facts, choice))
        choice->act = GL_GUARD_MOVE;
    else if (facts->on_lapse != GL_LAPSE_NOTIFY && facts->can_pause)
        choice->act = GL_GUARD_PAUSE;
    else
        choice->act = GL_GUARD_NOTIFY;
}

/* Paused: runs again where it can stay green for long enough. A pause costs nothing to go on with,
 * so a place elsewhere is only taken when here is not green. */
static void decide_paused(const struct gl_guard_facts *facts, struct gl_guard_choice *choice)
{
    uint32_t enough = least(facts->min_stay_h, needed(facts));

    choice->why = GL_WHY_NOT_GREEN;
    if (facts->lease_left_s < (int64_t)needed(facts) * GL_HOUR_S)
        choice->why = GL_WHY_LEASE;
    if (promised(&facts->here) >= enough && promised(&facts->here) > 0)
        choice->act = GL_GUARD_RESUME;
    else if (may_move(facts) && find_refuge(facts, choice))
        choice->act = GL_GUARD_RESUME;
    else if (choice->why == GL_WHY_LEASE)
        choice->act = GL_GUARD_NOTIFY;
    if (choice->act == GL_GUARD_RESUME)
        choice->why = GL_WHY_GREEN_AGAIN;
}

uint32_t gl_guard_hours(int64_t until_s, const struct gl_guard_span *span)
{
    int64_t left_s = until_s != GL_UNKNOWN ? until_s - span->now_s : 0;
    int64_t hours = left_s / GL_HOUR_S;

    if (left_s > 0 && until_s >= span->end_s)
        return span->needed_h > 0 ? span->needed_h : 1;
    if (left_s <= 0 || left_s < span->lead_s)
        return 0;
    if (hours == 0 && span->lead_s > 0) /* shorter than an hour, longer than the lead time */
        return 1;
    return hours < UINT32_MAX ? (uint32_t)hours : UINT32_MAX;
}

/* What the plan settles by itself; false when the rules have their say. */
static bool decide_by_plan(const struct gl_guard_facts *facts, struct gl_guard_choice *choice)
{
    bool is_pausing = facts->plan == GL_TIMETABLE_PAUSE;

    if (facts->plan == GL_TIMETABLE_NONE)
        return false;
    if (facts->plan == GL_TIMETABLE_END) {
        choice->act = GL_GUARD_STOP;
        choice->why = GL_WHY_DONE;
        return true;
    }
    choice->why = is_pausing              ? GL_WHY_PLAN_PAUSES
                  : facts->is_plan_forced ? GL_WHY_DEADLINE
                                          : GL_WHY_PLAN_RUNS;
    if (is_pausing && !facts->is_paused)
        choice->act = facts->can_pause ? GL_GUARD_PAUSE : GL_GUARD_NOTIFY;
    if (!is_pausing && facts->is_paused && facts->has_no_rules)
        choice->act = GL_GUARD_RESUME;
    return is_pausing || facts->has_no_rules;
}

/* In a stretch of its plan, paused, and the rules do not hold: a launch that is only told of a
 * lapse is done in time all the same. */
static void insist(const struct gl_guard_facts *facts, struct gl_guard_choice *choice)
{
    bool is_resumed = choice->act == GL_GUARD_RESUME;

    if (!is_resumed && (!facts->is_plan_forced || facts->on_lapse != GL_LAPSE_NOTIFY))
        return;
    choice->act = GL_GUARD_RESUME;
    choice->why = facts->is_plan_forced ? GL_WHY_DEADLINE : GL_WHY_PLAN_RUNS;
}

void gl_guard_decide(const struct gl_guard_facts *facts, struct gl_guard_choice *out)
{
    *out = (struct gl_guard_choice){.act = GL_GUARD_STAY, .place = SIZE_MAX};
    if (decide_by_plan(facts, out))
        return;
    if (!facts->is_paused) {
        decide_running(facts, out);
        return;
    }
    decide_paused(facts, out);
    if (facts->plan == GL_TIMETABLE_RUN)
        insist(facts, out);
}
