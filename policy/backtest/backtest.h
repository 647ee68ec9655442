/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_POLICY_BACKTEST_H
#define GL_POLICY_BACKTEST_H

/* What would have happened: jobs, a policy and several ways to run them, replayed hour by hour over
 * recorded figures. Each hour is decided by the product's own functions (forecast, guarantee,
 * ensemble, plan, guard) from what was known at that hour; what came later is used only to count
 * grams and to settle promises. The unit is the whole hour of UTC: a job counts from the hour it
 * arrives in, runs for whole hours and spends its energy evenly. Pure; docs/backtest.md. */

#include "base/unit.h"
#include "policy/arena.h"
#include "policy/guarantee/guarantee.h"
#include "policy/guard.h"
#include "policy/policy.h"
#include "policy/schedule/region.h"

#define GL_BACKTEST_PLACES     64
#define GL_BACKTEST_JOBS       ((size_t)200000)
#define GL_BACKTEST_DEADLINE_H 384 /* most hours from arrival to the deadline */
#define GL_BACKTEST_RULES      8
#define GL_BACKTEST_WAITS      12    /* bars of the histogram of waits */
#define GL_BACKTEST_HORIZON_H  24    /* least hours that are forecast */
#define GL_BACKTEST_PATHS      30    /* fewer past issues give no plan */
#define GL_BACKTEST_NOWHERE    0xff  /* no place, in gl_backtest_run.where */
#define GL_BACKTEST_REVISION   0.114 /* of figures that may still be revised, docs/signals.md */

enum gl_backtest_strategy {
    GL_BACKTEST_NOW,    /* the baseline: the hour it arrives, at home, whatever the policy says */
    GL_BACKTEST_WAIT,   /* at home, in one piece, in the planned hour */
    GL_BACKTEST_PAUSE,  /* at home, in the planned hours */
    GL_BACKTEST_PLACE,  /* the hour it arrives, in the place that plans best */
    GL_BACKTEST_FREE,   /* place and hours planned together */
    GL_BACKTEST_GUARD,  /* place and hour planned, then moved, paused or stopped by the guard */
    GL_BACKTEST_ORACLE, /* the least that was possible, with all of this, had the future been known
                         */
    GL_BACKTEST_STRATEGIES,
};
const char *gl_backtest_word(enum gl_backtest_strategy strategy);  /* "now" "wait" ... */
const char *gl_backtest_title(enum gl_backtest_strategy strategy); /* "wait for best hour" */

struct gl_backtest_place {
    const struct gl_zone_facts *zone;   /* its histories; what the policy's rules are judged on */
    const struct gl_history *intensity; /* what grams are counted by: one of them, of an average,
                                           location-based intensity */
    double pue;                         /* at least 1 */
};

struct gl_backtest_job {
    int64_t arrival_s;   /* a whole hour */
    uint32_t work_h;     /* at least 1 */
    uint32_t deadline_h; /* hours from arrival until it must have ended; below work_h: refused */
    float kwh_per_hour;  /* running, without PUE; > 0 */
    uint16_t home;       /* index of a place */
    bool may_pause;
};

struct gl_backtest_options {
    const struct gl_backtest_place *places;
    size_t place_count;
    const struct gl_backtest_job *jobs; /* by arrival_s ascending */
    size_t job_count;
    const struct gl_policy *policy; /* NULL or without a limit on the grid's figures: no promises */
    double confidence;              /* of plans, and of rules without one: .5 .. .999 */
    uint32_t replan_h; /* a waiting or pausing job is planned anew after so many hours; 0 = only
                          when its plan could not be followed */
    double start_kwh;  /* of every start */
    struct gl_region_copy copy;  /* what a move carries */
    struct gl_guard_facts guard; /* lead_h, min_stay_h, margin and on_lapse are used; on_lapse is
                                    overridden by the policy's own */
    /* Called now and then with what is done so far, of `all`; false ends the replay. May be NULL.
     */
    bool (*tick)(void *cookie, size_t done, size_t all);
    void *cookie;
};

enum gl_backtest_end {
    GL_BACKTEST_DONE,
    GL_BACKTEST_REFUSED, /* never started: see `why` */
    GL_BACKTEST_MISSED,  /* started, but not over at the deadline: the rule kept it paused */
    GL_BACKTEST_STOPPED, /* by the guard */
    GL_BACKTEST_BEYOND,  /* its deadline lies beyond the recorded hours: not replayed */
    GL_BACKTEST_UNKNOWN, /* ran through an hour without a figure: its grams are not known */
    GL_BACKTEST_ABSENT,  /* the strategy does not apply: no rule to guard, no other place */
    GL_BACKTEST_ENDS,
};
const char *gl_backtest_end_word(enum gl_backtest_end end);

enum gl_backtest_why {
    GL_BACKTEST_WHY_NONE,
    GL_BACKTEST_WHY_TOO_LONG,   /* the deadline is shorter than the job */
    GL_BACKTEST_WHY_BREAKS_NOW, /* the rest: gl_promise_kind when it was last asked for */
    GL_BACKTEST_WHY_NONE_POSSIBLE,
    GL_BACKTEST_WHY_TOO_FEW_ISSUES,
    GL_BACKTEST_WHY_STALE,
    GL_BACKTEST_WHY_BEYOND_HORIZON,
    GL_BACKTEST_WHYS,
};
const char *gl_backtest_why_sentence(enum gl_backtest_why why);

/* One job by one strategy. */
struct gl_backtest_run {
    uint8_t end, why;   /* gl_backtest_end, gl_backtest_why */
    bool was_unplanned; /* too little was known to plan: started at once */
    bool was_green;     /* REFUSED, but in hindsight there was a start that kept every rule */
    uint16_t first_place;
    uint16_t pauses, moves;
    uint16_t plan_pauses; /* begun between two stretches of its timetable */
    uint16_t held_h;      /* stood still in a stretch, because a rule did not hold */
    uint16_t made_up_h;   /* ran outside its stretches, for what was held or for the deadline */
    uint32_t wait_h;      /* from arrival to the first running hour */
    uint32_t span_h;      /* from arrival to the end */
    uint32_t outside_h;   /* running hours that broke a rule */
    uint32_t issued, kept, breached;               /* promises; the others could not be settled */
    struct gl_band emitted_g, baseline_g, saved_g; /* known when DONE */
    bool has_baseline;                             /* the baseline ran through known hours only */
    uint32_t hours;                                /* entries of where */
    const uint8_t *where; /* by hour from arrival: place, or GL_BACKTEST_NOWHERE; in the arena */
};

/* p-th percentiles over jobs. */
struct gl_backtest_spread {
    double p5, p25, p50, p75, p95, least, most;
};

/* All jobs of one strategy. Grams are summed over the jobs that are done by this strategy and by
 * the baseline, so that the two sums speak of the same jobs. */
struct gl_backtest_total {
    bool is_absent;
    size_t ends[GL_BACKTEST_ENDS], whys[GL_BACKTEST_WHYS];
    size_t compared; /* jobs the sums are over */
    size_t unplanned, refused_though_green;
    struct gl_band emitted_g, baseline_g, saved_g;
    double bound_g;              /* what a perfect forecast would have saved of the same jobs */
    double saved_percent;        /* central; meaningful when baseline_g.central > 0 */
    size_t better, equal, worse; /* of `compared`, by grams against the baseline */
    struct gl_backtest_spread saved_share; /* per cent of each job's own baseline */
    struct gl_backtest_spread wait_h;      /* of jobs that started */
    double mean_wait_h;
    size_t waits[GL_BACKTEST_WAITS]; /* jobs that started; bar i: gl_backtest_wait_bar() */
    uint64_t running_h, outside_h, pauses, moves;
    uint64_t plan_pauses, held_h, made_up_h; /* gl_backtest_run */
    double lost_g; /* emitted by jobs that missed their deadline or were stopped: for nothing */
    uint64_t issued, kept, breached, unsettled;
};

struct gl_backtest_result {
    size_t job_count;
    const struct gl_backtest_run *runs[GL_BACKTEST_STRATEGIES]; /* job_count each, in the arena */
    struct gl_backtest_total totals[GL_BACKTEST_STRATEGIES];
    size_t rule_count;  /* rules that were promised */
    double probability; /* the least asked for */
    uint32_t horizon_h;
    uint32_t needed_lengths; /* lengths that promises were learnt for exactly */
    int64_t from_s, until_s; /* hours that were replayed */
};

/* Replays. Results live in the arena. Errors: BAD_VALUE for options out of range, UNKNOWN_DATA when
 * a rule limits what the traces do not hold or asks for a grade no forecast has, TOO_LARGE,
 * INTERRUPTED when `tick` said so. */
int gl_backtest_run(const struct gl_backtest_options *options, struct gl_arena *arena,
                    struct gl_backtest_result *out, struct gl_error *err);

/* Lower and upper bound, in whole hours, of bar i of the histogram of waits: the upper one is
 * UINT32_MAX for the last. */
void gl_backtest_wait_bar(size_t i, uint32_t *out_low, uint32_t *out_high);

#endif
