/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_POLICY_BACKTEST_PART_H
#define GL_POLICY_BACKTEST_PART_H

/* What the parts of the replay share: the recorded figures laid ready, the rules with what they
 * have learnt, what is known of the hour being replayed, and a task: one job by one strategy. */

#include "policy/backtest/backtest.h"
#include "policy/guarantee/book.h"
#include "policy/schedule/plan_starts.h"
#include "policy/schedule/timetable.h"

#define LENGTHS_MAX 4 /* lengths that promises are learnt for exactly, the most frequent ones */

/* One rule in one place. */
struct watched {
    struct gl_guarantee_rule legs;
    const struct gl_track *tracks[GL_GUARANTEE_MAX_LEGS];
    const struct gl_actuals *actuals[GL_GUARANTEE_MAX_LEGS];
    struct gl_guarantee *open;               /* for as long as possible */
    struct gl_guarantee *whole[LENGTHS_MAX]; /* of just that length */
    /* Of the hour being replayed, once asked for. */
    int64_t open_at_s, whole_at_s[LENGTHS_MAX];
    struct gl_promise open_promise, whole_promise[LENGTHS_MAX];
};

/* One place. */
struct stage {
    const struct gl_track *intensity;
    struct watched *watched; /* rule_count */
};

struct replay {
    const struct gl_backtest_options *options;
    struct gl_arena *arena;
    int64_t first_s, end_s; /* recorded hours that all places share: [first_s, end_s) */
    int64_t learn_s;        /* from which hour on forecasts and promises are learnt from */
    uint32_t horizon_h;
    size_t rule_count;
    struct stage stages[GL_BACKTEST_PLACES];
    bool is_any_pausing; /* of the jobs */
    uint32_t lengths[LENGTHS_MAX], green_for_h;
    size_t length_count;
    double probability;
    enum gl_on_lapse on_lapse;
    struct gl_backtest_run *runs[GL_BACKTEST_STRATEGIES];
};

/* How many futures keep one rule in one place. */
struct kept {
    bool is_counted;
    const uint16_t *paths; /* gl_green_lengths(); NULL: too few issues are settled */
    double least;          /* so many make a run likely to keep it */
};

/* The hour being replayed; its memory lasts as long as it. */
struct moment {
    struct replay *replay;
    int64_t now_s;
    struct gl_arena scratch;
    bool is_filled; /* the futures have been looked for */
    size_t paths;   /* 0: too little is known to plan */
    struct gl_plan_place places[GL_BACKTEST_PLACES];
    struct gl_ensemble futures[GL_BACKTEST_PLACES];
    /* With rules: the hours of each place that are likely to keep them, horizon_h a place; and the
     * futures with the other hours made so dear that a plan takes them last. */
    bool *green;
    struct kept *kept; /* [place * rule_count + rule] */
    struct gl_plan_place priced[GL_BACKTEST_PLACES];
    struct gl_ensemble priced_futures[GL_BACKTEST_PLACES];
    struct gl_plan_starts *starts; /* on these futures */
    struct planned *planned;       /* whole plans on them, by what was asked */
};

/* What a promise of all rules together says of a place. */
struct outlook {
    enum gl_promise_kind kind;
    uint32_t hours;
};

/* One job by one strategy, on its way. */
struct task {
    size_t job;
    enum gl_backtest_strategy strategy;
    struct gl_backtest_run *run;
    uint8_t *where;
    uint8_t *plan; /* what is planned, by hour from planned_s; as where */
    bool is_started, is_paused, is_over;
    bool is_doubtful;         /* its plan runs in hours that are not likely to keep the rules */
    enum gl_backtest_why why; /* it was kept waiting last */
    size_t place;             /* where it runs or last ran */
    uint32_t left_h;          /* of its work */
    struct gl_timetable timetable; /* count 0: it runs through */
    int64_t planned_s;             /* when the plan was made; 0 = there is none */
    int64_t replan_s;              /* the plan holds until then */
};

/* ---- rules.c ---- */

/* The policy's promisable rules in every place. */
int gl_backtest_rules_prepare(struct replay *replay, struct gl_error *err);
/* What can be promised in a place now: `needed_h` hours or as many as possible; to what runs, and
 * to what would start now. */
struct outlook gl_backtest_rules_outlook(struct moment *moment, size_t place, uint32_t needed_h);
struct outlook gl_backtest_rules_start(struct moment *moment, size_t place, uint32_t needed_h);
/* Note a promise of `hours` from now in `place` and what became of it. */
void gl_backtest_rules_promise(struct moment *moment, struct task *task, size_t place,
                               uint32_t hours);
/* Does the hour break a rule in the place? Unknown figures do not. */
bool gl_backtest_rules_break(const struct replay *replay, size_t place, int64_t hour_s);
/* Known to keep every rule from `start_s` on for `hours`? */
bool gl_backtest_rules_keep(const struct replay *replay, size_t place, int64_t start_s,
                            uint32_t hours);
enum gl_backtest_why gl_backtest_rules_why(enum gl_promise_kind kind);

/* ---- moment.c ---- */

/* A plan of what is left of a task, from now. False when nothing can be planned. */
struct wish {
    bool may_pause, may_place;
    bool is_now; /* it has to start in this hour */
};
bool gl_backtest_moment_plan(struct moment *moment, const struct task *task,
                             const struct wish *wish, struct gl_plan *out);
/* Does a plan run in hours that are not likely to keep the rules? */
bool gl_backtest_moment_is_doubtful(const struct moment *moment, const struct gl_plan *plan);
/* Grams, at the asked confidence, of running all that is left in `place` from now. False when not
 * known. */
bool gl_backtest_moment_grams(struct moment *moment, const struct task *task, size_t place,
                              double *out_g);
/* Mean expected g/kWh with PUE of the next `hours` in a place. False when not known. */
bool gl_backtest_moment_mean(struct moment *moment, size_t place, uint32_t hours,
                             double *out_g_per_kwh);
/* Is a run of `hours` that starts so many hours from now expected to keep every rule, with the
 * probability asked for? */
bool gl_backtest_moment_is_green(struct moment *moment, size_t place, size_t start_h,
                                 uint32_t hours);
void gl_backtest_moment_done(struct moment *moment);

/* ---- step.c, guarding.c ---- */

static inline const struct gl_backtest_job *job_of(const struct replay *replay,
                                                   const struct task *task)
{
    return &replay->options->jobs[task->job];
}

/* Hours until the deadline, the present one included. */
static inline uint32_t hours_left(const struct moment *moment, const struct task *task)
{
    const struct gl_backtest_job *job = job_of(moment->replay, task);

    return job->deadline_h - (uint32_t)((moment->now_s - job->arrival_s) / GL_HOUR_S);
}

/* One hour of a task. */
void gl_backtest_step_task(struct moment *moment, struct task *task);
/* The task runs in `place` in this hour. */
void gl_backtest_step_run(struct moment *moment, struct task *task, size_t place);
/* One hour of a started task under guard. */
void gl_backtest_guard_hour(struct moment *moment, struct task *task);

/* What can be promised in a place for `needed_h`, and what it would emit there. */
struct gl_guard_place gl_backtest_guard_look(struct moment *moment, const struct task *task,
                                             size_t place, uint32_t needed_h);

/* ---- pacing.c: a plan with pauses, carried out ---- */

/* The plan becomes the timetable of a task that starts now; it is never planned anew. */
void gl_backtest_pace_begin(struct moment *moment, struct task *task);
/* One hour of such a task: the timetable and the guard, as for a launch with --interruptible. */
void gl_backtest_pace_hour(struct moment *moment, struct task *task);

/* ---- account.c ---- */

/* The best there was, all known. */
void gl_backtest_account_oracle(struct replay *replay, size_t job);
/* Grams of a finished run and of the baseline. */
void gl_backtest_account_run(struct replay *replay, size_t job, struct gl_backtest_run *run);

/* ---- tally.c ---- */
void gl_backtest_tally(const struct replay *replay, struct gl_backtest_result *out);

#endif
