/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_POLICY_SCHEDULE_PLAN_H
#define GL_POLICY_SCHEDULE_PLAN_H

/* A plan for one job over ensembles of one or more places: when, where, with which pauses and
 * moves; what it will emit and what it saves against starting now in the same place, each with
 * its sureness. Chosen on a few cost lines (the forecast, the mean of the paths, each hour's
 * quantile), each solved exactly; whichever is best by the asked criterion over all paths wins, so
 * a plan is never worse by that criterion than the best contiguous run (which is exact). One
 * without pauses that emits no less than starting now in the same place if the forecast comes true
 * gives way to that, where it may be done. Slots are the hours of the ensembles. Refuses nothing: a
 * job that does not fit is a plan that is not feasible. */

#include "base/error.h"
#include "base/unit.h"
#include "policy/arena.h"
#include "policy/guarantee/ensemble.h"
#include "policy/schedule/region.h"

struct gl_plan_place {
    const struct gl_ensemble *intensity; /* g/kWh; start, hours and paths the same in all places */
    double pue;                          /* at least 1 */
    /* Of the job on the machine there, without PUE, running and idle while a copy lasts; 0 = what
     * the request says (a start's energy is in proportion). */
    double kwh_per_hour, idle_kwh_per_hour;
    /* Beyond the forecast: 24 values by hour of the UTC day, the quantile of past years at the
     * request's confidence, g/kWh; NULL when not known. */
    const float *climate;
    /* Each hour's quantile at the request's confidence, `hours` of gl_plan_upper_in(), for whoever
     * plans often on the same futures; NULL: worked out each time. */
    const float *upper;
};

enum gl_plan_criterion {
    GL_PLAN_BY_QUANTILE, /* least grams at the asked confidence */
    GL_PLAN_BY_CENTRAL,  /* least grams if the forecast comes true */
};

struct gl_plan_request {
    const struct gl_plan_place *places;
    size_t count;
    int home;                /* where "now, same place" is, and the data: index of a place */
    size_t work_hours;       /* whole hours of running, at least 1 */
    size_t earliest_start_h; /* 0 = now */
    size_t latest_start_h;   /* SIZE_MAX: only the deadline counts (--start-by) */
    size_t deadline_h;       /* ended by the end of hour deadline_h - 1 (--finish-by); SIZE_MAX:
                                the end of the forecast */
    double kwh_per_hour;     /* running, without PUE; > 0; where a place does not say its own */
    double start_kwh;        /* of every start: boot, restore of a checkpoint */
    size_t min_run_h; /* 0 = 1; with may_move only plans that stay in one place keep one above 1 */
    bool may_pause, may_place, may_move; /* place: launch elsewhere; move: after launch too */
    /* Used when may_place or may_move; data_gb 0: nothing to bring. A copy of an hour or more takes
     * whole hours in which nothing runs; a shorter one is made while it runs. */
    struct gl_region_copy copy;
    double confidence; /* 0.5 .. 0.999, e.g. 0.95 */
    enum gl_plan_criterion criterion;
};

/* low and high are the quantiles 1 - confidence and confidence over the paths, widened to the
 * central figure where that lies outside; central is the forecast's own. */
struct gl_plan_figures {
    struct gl_band emitted_g;
    struct gl_band baseline_g; /* start now, same place */
    struct gl_band saved_g;    /* baseline - emitted on the same path */
    struct gl_band saved_percent;
    bool has_baseline;  /* false: "now, same place" runs through hours without a figure */
    bool has_percent;   /* false: a baseline of (nearly) nothing has no percentage */
    double confidence;  /* the asked one, or what so few paths support: paths / (paths + 1) */
    double saves_share; /* of paths on which it emits less than the baseline */
};

struct gl_plan {
    bool is_feasible;
    size_t hours;         /* entries of where */
    int *where;           /* place of each hour or GL_REGION_NONE; in the arena */
    size_t start_h;       /* first hour that runs; from the ensembles' first hour */
    size_t end_h;         /* one past the last */
    size_t starts, moves; /* runs; changes of place, that from home included */
    struct gl_plan_figures figures;
    size_t paths;          /* how many futures the quantiles rest on */
    size_t forecast_h;     /* hours the forecast reaches; planned inside these */
    size_t uncovered_h;    /* hours before the deadline that no forecast reaches */
    size_t climate_h;      /* hours of the plan that run on the climate figure, because the job is
                              longer than the forecast */
    bool has_tail;         /* the tail could be judged by the climate figure: */
    double tail_at_most_g; /* the cheapest contiguous run in the tail, at that quantile */
};

/* Errors: BAD_VALUE for ensembles that do not match or a figure out of its range; TOO_LARGE. */
int gl_plan_make(const struct gl_plan_request *request, struct gl_arena *arena, struct gl_plan *out,
                 struct gl_error *err);

/* What `upper` of a place is; in the arena. */
const float *gl_plan_upper_in(struct gl_arena *arena, const struct gl_ensemble *intensity,
                              double confidence);

/* Judges a schedule made by somebody else, e.g. the running one before a move: where has `hours`
 * entries (hours beyond the forecast are judged by the climate figure). Fills everything but the
 * tail; not feasible when it runs in an hour without a figure. */
int gl_plan_judge(const struct gl_plan_request *request, const int *where, size_t hours,
                  struct gl_arena *arena, struct gl_plan *out, struct gl_error *err);

#endif
