/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_CLI_SCHEDULE_H
#define GL_BROKER_CLI_SCHEDULE_H

/* When and where a request would best run: the zones of the decided offers as ensembles, the plan
 * of policy/schedule over them, and the earliest start from which the whole run would be promised
 * green. */

#include "broker/cli/command.h"
#include "policy/guarantee/book.h"
#include "policy/schedule/plan.h"
#include "policy/schedule/timetable.h"

#define GL_SCHEDULE_PLACES 64

/* Options of plan (when_options.def); its values struct has `struct gl_when when` right after
 * `struct gl_ask ask`. */
struct gl_when {
    bool is_interruptible, may_place, may_move;
    int64_t data_u; /* millionths of a byte; INT64_MIN = 1 GB */
};
struct gl_when_values {
    struct gl_ask ask;
    struct gl_when when;
};
#define GL_WHEN_AT(field) offsetof(struct gl_when_values, when.field)

struct gl_schedule_ask {
    int64_t work_s;         /* of running */
    int64_t latest_start_s; /* GL_UNKNOWN = whenever */
    int64_t finish_by_s;    /* GL_UNKNOWN = the end of the forecast */
    bool may_pause, may_place, may_move;
    double data_gb;        /* that a move copies */
    double confidence;     /* .5 .. .999: the strictest of the policy, else GL_BOOK_PROBABILITY */
    const char *home_zone; /* where this machine stands; NULL = nobody has said */
    const struct gl_config *config;      /* with the clouds that were added; NULL = anywhere */
    const struct gl_option_list *clouds; /* that the request names; NULL = none */
    bool takes_all;                      /* places that nothing can be launched in too */
};

/* What was decided and the options as a question; borrows. */
struct gl_schedule_ask gl_schedule_ask_of(struct gl_context *context,
                                          const struct gl_ask_result *asked,
                                          const struct gl_when_values *values);

/* One place a zone, or a pair of zones where it is disputed which one a region stands in: then the
 * worse of both counts in every hour. */
struct gl_schedule_place {
    char name[84];  /* "FR", "DE or PL" */
    uint32_t offer; /* the best ranked one there that is as large as what stands at home; at home
                       one of this machine */
    bool is_ready;  /* launch would start it: this machine, a cloud that was added or named */
    size_t zone_count;
    const struct gl_zone_facts *zones[2];
    const struct gl_history *intensity[2]; /* of each zone */
    struct gl_ensemble futures;
};

/* Why a zone that has stored figures is not planned on. */
enum gl_schedule_lack {
    GL_SCHEDULE_SHORT,   /* too few of them */
    GL_SCHEDULE_MEANING, /* they mean something else than those of the other places */
    GL_SCHEDULE_SIZE,    /* no machine as large as what stands at home */
    GL_SCHEDULE_OLD,     /* enough of them, but they end too long ago */
};

struct gl_schedule_gap {
    const char *zone;
    enum gl_schedule_lack lack;
    size_t hours;     /* stored */
    int64_t newest_s; /* start of the newest of them; GL_UNKNOWN */
};

/* A better plan that begins to need, in `offer`, a cloud that nothing can be launched on yet. */
struct gl_schedule_other {
    bool is_found;
    char name[84];
    uint32_t offer;
    size_t start_h;
    struct gl_band emitted_g;
    double confidence;
};

/* When the policy's limits would be promised for the whole run; rule, p and level are those of the
 * promises of `offers --confidence`. */
struct gl_schedule_green {
    bool has_rule;   /* the policy limits a figure of the grid */
    bool is_known;   /* in some place there is enough history to say */
    enum gl_gap gap; /* why not */
    bool is_found;
    size_t start;  /* earliest hour from that of now, 0 = now; not found: most futures are kept */
    size_t within; /* hours in which starts were looked for */
    int place;
    uint32_t kept, paths;                /* not found: of how many futures */
    uint64_t starts[GL_SCHEDULE_PLACES]; /* of each place: bit h, hour h */
};

struct gl_schedule {
    struct gl_arena arena;                               /* owns all below */
    struct gl_schedule_place places[GL_SCHEDULE_PLACES]; /* [0] is "now, same place" */
    size_t count;
    struct gl_schedule_gap gaps[GL_SCHEDULE_PLACES];
    size_t gap_count;
    size_t without;     /* zones of which nothing is stored */
    size_t passed_over; /* places that nothing can be launched in, while there are others */
    struct gl_schedule_other other;
    bool is_home;         /* places[0] is where this machine stands */
    bool is_home_missing; /* it stands in a zone asked for that cannot be planned on */
    bool has_plan;        /* false: no zone asked for has a history long enough */
    struct gl_plan plan;
    bool is_green_plan; /* the plan was chosen among the promised starts */
    struct gl_schedule_green green;
};

/* Plan what was decided, with histories and later starts: over the places that could be launched
 * in, or, where there is none, over all, which are then marked. *out is to be given back by
 * gl_schedule_done(), also when it could not be planned (has_plan false). Errors: those of
 * gl_plan_make(). */
int gl_schedule_make(const struct gl_ask_result *asked, const struct gl_schedule_ask *ask,
                     struct gl_schedule *out, struct gl_error *err);
void gl_schedule_done(struct gl_schedule *schedule);

/* The instant an hour of the plan begins; that of hour 0 is now. */
struct gl_instant gl_schedule_at(const struct gl_ask_result *asked, size_t hour);
/* The instant a run that ends with the plan's hour `end` ends: what was over of the first hour when
 * it began is made up for, what is too much of the last is left. */
struct gl_instant gl_schedule_end(const struct gl_ask_result *asked, const struct gl_plan *plan,
                                  size_t end);

/* The stretches of a plan from now on as a timetable with a deadline, into `runs`, which has
 * GL_TIMETABLE_RUNS_MAX places. INTERNAL for one in disorder. */
int gl_schedule_timetable(const struct gl_ask_result *asked, const struct gl_schedule_ask *wish,
                          const struct gl_schedule *schedule, struct gl_timetable_run *runs,
                          struct gl_timetable *out, struct gl_error *err);

/* Now, later, not at all, or nothing known: by the plan, and where rules limit the grid by the
 * promise for the whole run too. Of a run with pauses only the plan counts: its rules are asked
 * when each stretch begins. */
enum gl_verdict gl_schedule_verdict(const struct gl_schedule_ask *ask,
                                    const struct gl_schedule *schedule);
/* The whole reply of a plan: verdict, figures, what to do next. `ask` is the question as it was
 * given. Returns the exit status of the verdict. */
int gl_schedule_reply(struct gl_context *context, const struct gl_ask *ask,
                      const struct gl_ask_result *asked, const struct gl_schedule_ask *wish,
                      const struct gl_schedule *schedule);

/* As text and as "data" (docs/planning.md section 4). */
void gl_schedule_show(struct gl_context *context, const struct gl_ask_result *asked,
                      const struct gl_schedule_ask *ask, const struct gl_schedule *schedule);

#endif
