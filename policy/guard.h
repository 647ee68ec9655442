/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_POLICY_GUARD_H
#define GL_POLICY_GUARD_H

/* What to do with one running or paused instance whose promise is watched: nothing, move, pause,
 * resume, stop or tell. Decides before the promise is expected to lapse, not after; moves only for
 * a gain larger than everything the move costs. Pure. Formulas: docs/guard.md. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/guarantee/guarantee.h"
#include "policy/schedule/timetable.h"

/* The first thing tried when a promise lapses. What cannot be done falls to the next milder one:
 * move to pause, pause to notify. Stopping is never fallen back to: it must be asked for. */
enum gl_on_lapse { GL_LAPSE_NOTIFY, GL_LAPSE_PAUSE, GL_LAPSE_MOVE, GL_LAPSE_STOP };
extern const char *const gl_on_lapse_words[]; /* by the enum, then NULL */

enum gl_guard_act {
    GL_GUARD_STAY,   /* the promise stands, or there is time yet */
    GL_GUARD_MOVE,   /* to places[place] */
    GL_GUARD_PAUSE,  /* until green again */
    GL_GUARD_RESUME, /* where it is, or after moving to places[place] */
    GL_GUARD_STOP,
    GL_GUARD_NOTIFY, /* nothing better can be done */
};
const char *gl_guard_act_word(enum gl_guard_act act); /* "stay" "move" ... */

enum gl_guard_why {
    GL_WHY_PROMISED,    /* promised to the end of what is needed */
    GL_WHY_TIME_YET,    /* will lapse, but not within the lead time */
    GL_WHY_LAPSES,      /* expected to lapse within the lead time */
    GL_WHY_BROKEN,      /* the limit is broken now */
    GL_WHY_UNKNOWN,     /* the evidence says nothing: not green */
    GL_WHY_GREEN_AGAIN, /* paused, and worth running again */
    GL_WHY_NOT_GREEN,   /* paused, and still not green for long enough */
    GL_WHY_LEASE,       /* paused, and the lease leaves no time to finish */
    GL_WHY_PERSON,      /* paused by a person: theirs to resume */
    GL_WHY_OVER,        /* it has ended meanwhile */
    GL_WHY_PLAN_PAUSES, /* between two stretches of its plan */
    GL_WHY_PLAN_RUNS,   /* in a stretch of its plan */
    GL_WHY_DEADLINE,    /* outside a stretch, but there is no time left to stand still */
    GL_WHY_DONE,        /* it has run for as long as it was to */
};
const char *gl_guard_why_sentence(enum gl_guard_why why);

/* A place the instance could be in, with the promise that could be made there now. */
struct gl_guard_place {
    enum gl_promise_kind kind;
    uint32_t promised_h; /* from now, at the probability of the rule */
    double g_per_h;      /* expected emissions of this instance there, a mean */
    bool has_g_per_h;    /* false: not known */
    bool is_allowed;     /* the rule lets it run there */
    bool has_saved_g;    /* elsewhere: saved_g is known; else the means above are compared */
    double saved_g;      /* over the hours promised there and needed, against staying here */
};

/* The full cost of moving once, docs/planning.md: energy of the copy at both ends, both ends idle
 * while it lasts, work since the last checkpoint, and egress as grams are not money: a limit. */
struct gl_guard_move {
    double grams;        /* copy, idle overlap and lost work */
    double seconds;      /* how long it takes */
    int64_t price_u_usd; /* of egress, millionths of a dollar; GL_UNKNOWN: not under a ceiling */
};

struct gl_guard_facts {
    bool is_paused;
    enum gl_on_lapse on_lapse;
    uint32_t needed_h;     /* hours the instance still has to run or the promise has to last,
                              whichever is shorter; rounded up; 0 counts as 1 while it runs */
    uint32_t lead_h;       /* act when the promise lapses within this; at least 1 */
    uint32_t min_stay_h;   /* least promised duration worth a move or a resume; at least 1 */
    bool was_moved_lately; /* less than min_stay_h ago: it is not moved again, whatever it gains */
    int64_t lease_left_s;
    struct gl_guard_place here;
    const struct gl_guard_place *places; /* elsewhere */
    const struct gl_guard_move *moves;   /* cost of moving to places[i] */
    size_t place_count;
    double margin;            /* of the gain over the cost of moving: 0.5 = half as much again */
    int64_t max_egress_u_usd; /* a dearer move is not made; GL_UNKNOWN = no ceiling */
    bool can_pause, can_move;
    /* Of a launch that carries out a plan with pauses: what its timetable wants now. NONE: it has
     * none. */
    enum gl_timetable_wish plan;
    bool is_plan_forced;
    bool has_no_rules; /* nothing limits the grid: only the plan counts */
};

struct gl_guard_choice {
    enum gl_guard_act act;
    enum gl_guard_why why;
    size_t place;           /* MOVE and a RESUME elsewhere: index; else SIZE_MAX */
    double gain_g;          /* MOVE: grams saved over the promised hours, cost taken off */
    bool was_refused_gain;  /* a green place was there, but the move costs more than it gains */
    bool was_refused_price; /* and this one: but getting there costs more money than it may, or
                               nobody knows how much */
};

/* Whole hours from now that a promise until until_s is worth to who needs it until end_s: all of
 * needed_h when it lasts to the end, else rounded down; 0 when it ends within lead_s. GL_UNKNOWN
 * until_s: 0. */
struct gl_guard_span {
    int64_t now_s, end_s, lead_s;
    uint32_t needed_h;
};
uint32_t gl_guard_hours(int64_t until_s, const struct gl_guard_span *span);

/* A plan goes first: it is paused between two stretches whatever is promised, and resumed in one
 * when the rules hold. Where they do not hold it stands still longer, unless the deadline leaves no
 * time and the launch asked for no more than to be told of a lapse. */
void gl_guard_decide(const struct gl_guard_facts *facts, struct gl_guard_choice *out);

#endif
