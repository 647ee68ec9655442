/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_POLICY_GUARANTEE_H
#define GL_POLICY_GUARANTEE_H

/* For how long can green be promised? The past errors of the forecast are laid on today's forecast,
 * each such path says when it would first break the limit, and an adaptive level picks the quantile
 * so that of the promises issued the stated share is kept in the long run (docs/guarantee.md).
 * A long-run frequency, not the chance of one promise or of one month: print it so. Pure: same
 * tracks, rule and hour, same bytes. Promises nothing without 60 settled past issues, on stale
 * data, or beyond what the forecast covers. */

#include "policy/guarantee/forecast.h"

#define GL_GUARANTEE_MAX_LEGS    6
#define GL_GUARANTEE_MIN_ISSUES  60
#define GL_GUARANTEE_REPLAY_DAYS 365
#define GL_GUARANTEE_WINDOW_DAYS 60 /* of past errors; plus the horizon */
#define GL_GUARANTEE_STALE_H     24 /* newest actual older than this: no promise */

/* What must hold in every promised hour. Equality is kept. */
enum gl_leg_kind {
    GL_LEG_CEILING, /* value <= limit, an intensity */
    GL_LEG_FLOOR,   /* value >= limit, a share */
    GL_LEG_BUDGET,  /* sum of the values since the start <= limit: g/kWh times hours, so a budget in
                       grams is divided by the power in kW first */
};

struct gl_leg {
    enum gl_leg_kind kind;
    float limit; /* by gl_hour_value() when it comes from millionths */
};

/* Legs are joined: all must hold. Leg i is judged on tracks[i], where one track may serve several
 * legs; the tracks of one rule begin at the same hour, have as many paths and the same horizon. */
struct gl_guarantee_rule {
    size_t count; /* 1..GL_GUARANTEE_MAX_LEGS */
    struct gl_leg leg[GL_GUARANTEE_MAX_LEGS];
    double probability; /* .5 .. .999 */
    uint32_t whole_h;   /* 0: as long as possible; else exactly this long or not at all, which is
                           learnt for this length and so is the better answer to a fixed wish */
};

/* Long promises are broken more often than short ones of the same probability: how those of like
 * length fared. */
#define GL_GUARANTEE_CLASSES 4
extern const uint32_t gl_guarantee_class_from_h[GL_GUARANTEE_CLASSES]; /* 1, 7, 13, 25 */
size_t gl_guarantee_class(uint32_t hours); /* of a promise of at least an hour */
struct gl_guarantee_alike {
    uint32_t kept, broken;
};

/* How promises of this rule fared, those of the replay and all since. */
struct gl_guarantee_score {
    uint32_t asked;      /* hours at which the limit held and a promise was looked for */
    uint32_t issued;     /* of these, with a promise of at least an hour */
    uint32_t kept;       /* of the issued, settled and kept */
    uint32_t broken;     /* settled and broken */
    uint32_t unsettled;  /* hours missing, or not over yet */
    double hours;        /* sum of the promised hours */
    uint32_t median_h;   /* of the issued promises */
    uint32_t recoveries; /* hours at which the level was too low to promise, and was raised */
    struct gl_guarantee_alike alike[GL_GUARANTEE_CLASSES]; /* kept and broken by promised length */
};

enum gl_promise_kind {
    GL_PROMISED,       /* `hours` are promised */
    GL_NONE_POSSIBLE,  /* the limit holds now, but no hour can be promised at this probability */
    GL_TOO_FEW_ISSUES, /* fewer than 60 settled past issues that speak for now
                          (evidence.h); indication only */
    GL_STALE,          /* newest actual too old, or no forecast of the coming hour */
    GL_BREAKS_NOW,     /* the newest known hour breaks the limit */
    GL_BEYOND_HORIZON, /* more was asked than the forecast covers: no promise of that, an indication
                          only; `hours` is what can be promised instead, perhaps 0 */
};

struct gl_promise {
    enum gl_promise_kind kind;
    int64_t start_s;       /* the first promised hour */
    uint32_t hours;        /* promised from start_s; 0 unless PROMISED or BEYOND_HORIZON */
    uint32_t indication_h; /* until the forecast itself first breaks the limit, at most the horizon:
                              an indication, never a promise */
    uint32_t covered_h;    /* hours the forecasts cover from start_s */
    uint32_t issues;       /* past issues it rests on */
    double probability;    /* as asked */
    double level;          /* the learnt level: risk worth taking for e-fold the duration, or, with
                              whole_h, at all */
    double own_chance;     /* share of the past paths that keep the promise; 0 without one */
    struct gl_guarantee_score score;
};

/* The learnt state of one rule on one set of tracks: create by gl_guarantee_start, then advance.
 * gl_guarantee_size() plain bytes without pointers, which a caller may store and read back by the
 * same build, aligned for any object. */
struct gl_guarantee;
size_t gl_guarantee_size(void);

/* A fresh state in the arena that begins to learn at from_s. NULL when the rule or a limit is not
 * usable (count, probability, a limit that is not a finite number). */
struct gl_guarantee *gl_guarantee_start(struct gl_arena *arena,
                                        const struct gl_guarantee_rule *rule, int64_t from_s);

/* Learns from every hour before now_s it has not learnt from: settles what is due, then decides as
 * if asked. Tracks should cover 65 days and the horizon before the first such hour; hours that they
 * do not cover are skipped. Cost: about 10 to 30 microseconds an hour. False when the tracks do not
 * fit the rule or each other. */
bool gl_guarantee_advance(struct gl_guarantee *guarantee, const struct gl_track *const *tracks,
                          int64_t now_s);

/* The promise that can be made at now_s (a whole hour: the hour that has begun), for as long as
 * possible; asked_h > 0 says how long was asked, for BEYOND_HORIZON. Does not change the state:
 * advance first. False as above, or when now_s is not an hour of the tracks. */
bool gl_guarantee_decide(const struct gl_guarantee *guarantee, const struct gl_track *const *tracks,
                         int64_t now_s, uint32_t asked_h, struct gl_promise *out_promise);

/* ---- afterwards ---- */

enum gl_settlement {
    GL_SETTLED_KEPT,     /* every hour known and within the limit */
    GL_SETTLED_BREACHED, /* at `hour` */
    GL_SETTLED_NOT_YET,  /* hours are still to come or to be reported */
    GL_SETTLED_MISSING,  /* all are due, some are missing: never counted as kept */
};

struct gl_settled {
    enum gl_settlement kind;
    uint32_t hour;     /* BREACHED: index of the first breaking hour; MISSING: of the first gap */
    bool on_estimates; /* an hour it rests on may still be revised by its source */
};

/* What became of a promise of `hours` hours from start_s, as far as known at now_s. actuals[i] goes
 * with leg i. */
void gl_guarantee_settle(const struct gl_guarantee_rule *rule,
                         const struct gl_actuals *const *actuals, const struct gl_promise *promise,
                         int64_t now_s, struct gl_settled *out_settled);

#endif
