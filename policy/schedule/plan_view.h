/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_POLICY_SCHEDULE_PLAN_VIEW_H
#define GL_POLICY_SCHEDULE_PLAN_VIEW_H

/* What the parts of plan.h share: the ensembles of all places as one table of futures, beyond the
 * forecast continued by the climate figure, and a schedule as a sum of terms over it. */

#include "policy/schedule/plan.h"

struct gl_plan_view {
    const struct gl_plan_request *request;
    struct gl_arena *arena;
    size_t paths, forecast_h, slots;
    double kwh;         /* of a running hour where it draws most: what cost lines are of */
    double *share;      /* [place]: of a running hour there, as a share of that */
    double start_slots; /* energy of a start as a multiple of a running hour */
    bool has_copy;      /* a change of place costs something */
    double *move_slots; /* [place]: energy of that end of a move as a multiple of a running hour */
    size_t move_h;      /* whole hours that a move takes and in which nothing runs; 0: it runs on */
    bool *is_open;      /* [place * slots + hour]: every path has a figure */
};

/* One future more than there are paths: the forecast itself. */
static inline size_t gl_plan_central(const struct gl_plan_view *view)
{
    return view->paths;
}

static inline float gl_plan_raw(const struct gl_plan_place *place, size_t path, size_t hour)
{
    const struct gl_ensemble *ensemble = place->intensity;

    if (path == ensemble->paths)
        return ensemble->central[hour];
    return ensemble->value[path * ensemble->hours + hour];
}

static inline float gl_plan_climate(const struct gl_plan_place *place, size_t hour)
{
    return place->climate[((size_t)(place->intensity->start_s / 3600 % 24) + hour) % 24];
}

/* Grams of a running hour there for each kWh of view->kwh, with PUE; the hour is open. */
static inline double gl_plan_value(const struct gl_plan_view *view, size_t place, size_t path,
                                   size_t hour)
{
    const struct gl_plan_place *at = &view->request->places[place];

    return view->share[place] * at->pue *
           (double)(hour < view->forecast_h ? gl_plan_raw(at, path, hour)
                                            : gl_plan_climate(at, hour));
}

/* Errors: BAD_VALUE, TOO_LARGE. `slots` hours are looked at. */
int gl_plan_view_init(const struct gl_plan_request *request, size_t slots, struct gl_arena *arena,
                      struct gl_plan_view *out, struct gl_error *err);
int gl_plan_check(const struct gl_plan_request *request, struct gl_error *err);
/* Has every path a figure that is believed? */
bool gl_plan_is_open(const struct gl_plan_place *at, size_t hour);

enum gl_plan_line {
    GL_PLAN_LINE_CENTRAL,
    GL_PLAN_LINE_MEAN,
    GL_PLAN_LINE_QUANTILE, /* of every hour by itself, at the asked confidence */
    GL_PLAN_LINES,
};

/* Cost line of a place, `slots` entries: closed before the earliest start. */
void gl_plan_line(const struct gl_plan_view *view, enum gl_plan_line kind, size_t place,
                  int64_t *out_cost);

/* What a schedule emits on every path: weight times intensity. */
struct gl_plan_term {
    size_t place, hour;
    double weight; /* of a running hour's energy there */
};
struct gl_plan_terms {
    struct gl_plan_term *term;
    size_t count;
    size_t starts, moves, first_h, end_h, climate_h;
    bool is_open; /* every hour it needs has a figure */
};

void gl_plan_terms(const struct gl_plan_view *view, const int *where, struct gl_plan_terms *out);
/* Grams on every path and, last, if the forecast comes true: paths + 1 entries. */
void gl_plan_emitted(const struct gl_plan_view *view, const struct gl_plan_terms *terms,
                     double *out_g);
/* What plans are compared by; reorders the paths of `grams`. */
double gl_plan_score(const struct gl_plan_view *view, double *grams);
/* Is what gl_plan_score() would give below `score`? */
bool gl_plan_is_better(const struct gl_plan_view *view, const double *grams, double score);
/* Everything of *out but the tail, for a schedule whose terms are open. */
void gl_plan_report(const struct gl_plan_view *view, const int *where,
                    const struct gl_plan_terms *terms, struct gl_plan *out);

/* The best schedule found so far. */
struct gl_plan_best {
    bool is_found;
    double score;
    int *where;
};
void gl_plan_offer(const struct gl_plan_view *view, const int *where, struct gl_plan_best *best);
/* Every contiguous run in the places that may be used, exactly by the asked criterion. */
void gl_plan_windows(const struct gl_plan_view *view, struct gl_plan_best *best);
/* Instead of the best one start now in the same place, where that may be done, when the best one
 * emits no less if the forecast comes true: a narrower spread alone is not worth the waiting. Not
 * of a plan with pauses, whose stretches answer to the rules one by one. */
void gl_plan_stay(const struct gl_plan_view *view, struct gl_plan_best *best);

#endif
