/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_CLI_DEMO_H
#define GL_BROKER_CLI_DEMO_H

/* One simulated day, shared by the files of `demo day`: jobs arrive, are promised a place, launched
 * through the journal, watched by the guard and accounted for, all of it on a virtual clock over
 * simulated grids and a simulated cloud. The ledger, the guard, the shifts and the receipts are the
 * real ones. Everything that is printed says SIMULATED. */

#include "broker/cli/command.h"
#include "broker/guard.h"
#include "broker/sim/sim_grid.h"
#include "broker/sim/sim_meter.h"
#include "broker/sim/sim_queue.h"
#include "policy/guarantee/book.h"
#include "policy/schedule/timetable.h"

#define GL_DEMO_INSTANCES     12
#define GL_DEMO_INSTANCES_MAX 20000
#define GL_DEMO_SEED          46
#define GL_DEMO_SHOWN         24 /* more jobs than this are told of by the hour, not one by one */
#define GL_DEMO_PLANNED       24 /* jobs at most that are run by a plan with pauses: the first ones */
#define GL_DEMO_TYPE          "sim-16"
#define GL_DEMO_LOAD          0.65        /* of its processors */
#define GL_DEMO_NEWS          10          /* on the screen */
#define GL_DEMO_SPARE_S       (14 * 3600) /* of the lease, for pauses */

enum gl_demo_state { GL_DEMO_COMING, GL_DEMO_WAITING, GL_DEMO_LIVE, GL_DEMO_DONE, GL_DEMO_NEVER };

struct gl_demo_job {
    char name[24]; /* "train-3": the number is its place in the list, from 1 on */
    enum gl_on_lapse on_lapse;
    size_t home; /* the zone it would run in without us; only there unless it may move */
    int64_t arrives_ms, run_ms;
    enum gl_demo_state state;
    size_t stretches; /* of its plan with pauses; 0 = it runs through */
    bool is_paused;
    char launch[GL_CLOUD_ID], instance[GL_CLOUD_ID];
    size_t zone; /* where it is now */
    double grams, baseline_g;
    int64_t ran_ms;
};

enum gl_demo_news_kind {
    GL_DEMO_PROMISE,
    GL_DEMO_WAIT,
    GL_DEMO_SPIKE,
    GL_DEMO_MOVE,
    GL_DEMO_PAUSE,
    GL_DEMO_RESUME,
    GL_DEMO_NOTIFY,
    GL_DEMO_STOP,
    GL_DEMO_BREACH,
    GL_DEMO_KEPT,
    GL_DEMO_END,
    GL_DEMO_TROUBLE,
    GL_DEMO_NEWS_KINDS
};
extern const char *const gl_demo_news_words[]; /* by the kind, then NULL */

/* Something that happened. */
struct gl_demo_news {
    int64_t at_ms;
    enum gl_demo_news_kind kind;
    char job[24]; /* "" = of the grid */
    char text[200];
};

struct gl_demo_counts {
    unsigned of[GL_DEMO_NEWS_KINDS]; /* news of each kind */
    unsigned launched, live, paused, waiting, done, never;
    unsigned plan_pauses;          /* between two stretches of a plan; of the pauses */
    unsigned receipts, unverified; /* receipts that hold, and those that do not */
    unsigned kept, breached, open; /* promises */
    unsigned met;                  /* of the breached: the job ran there then */
    double grams, baseline_g;      /* of what has ended */
    double ran_h;
    int64_t energy_mj;
};

struct gl_demo_options {
    uint64_t seed;
    const char *trace; /* NULL = invented */
    uint32_t instances;
    double speed; /* virtual seconds a second; 0 = as fast as possible */
};

struct gl_demo {
    struct gl_context *context;
    struct gl_demo_options options;
    char *folder;           /* of the scratch state */
    struct gl_world *world; /* the virtual one */
    struct gl_sim_grid *grid;
    struct gl_sim *sim;
    struct gl_cloud *cloud;
    struct gl_sim_meter meter;
    struct gl_launcher launcher;
    struct gl_guard guard;
    struct gl_book_memory memory;
    void *learnt;                  /* of the memory */
    int64_t limit_u;               /* of intensity, millionths of g/kWh */
    char limit[40];                /* "150 gCO2e/kWh" */
    struct gl_policy *policies[4]; /* by gl_on_lapse */
    struct gl_arena promises;      /* of the books */
    const struct gl_book *books[4];
    size_t offer_count;
    struct gl_offer_type type;
    struct gl_offer_place *places;
    struct gl_offer *offers; /* one a place */
    struct gl_sim_queue queue;
    size_t job_count;
    struct gl_demo_job *jobs;
    struct gl_demo_counts counts;
    json_t *events;                         /* every news, for --json; NULL = not wanted */
    struct gl_demo_news news[GL_DEMO_NEWS]; /* the last ones, a ring */
    size_t news_count;
    struct gl_demo_counts last_hour; /* counts as they were told last */
    int64_t began_ms, drawn_ms;      /* real, monotonic */
    unsigned drawn_lines;
    int64_t ledger_events;
};

/* demo_day.c: the day. begin: -1 leaves nothing open. run: 0, or -1 INTERRUPTED and what else broke
 * it off. */
int gl_demo_begin(struct gl_demo *demo, struct gl_error *err);
int gl_demo_run(struct gl_demo *demo, struct gl_error *err);
void gl_demo_done(struct gl_demo *demo);
int64_t gl_demo_now_ms(const struct gl_demo *demo);
void gl_demo_happened(struct gl_demo *demo, enum gl_demo_news_kind kind,
                      const struct gl_demo_job *job, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* demo_plan.c: a plan with pauses for a job that is bound to its place, made and carried out as for
 * --interruptible. */
struct gl_demo_plan {
    bool is_known;                 /* false: nothing can be planned, or not in time */
    int64_t start_s;               /* of its first stretch */
    struct gl_timetable timetable; /* from a start now on; count 0: it begins later */
    struct gl_timetable_run runs[GL_TIMETABLE_RUNS_MAX];
};
int gl_demo_plan(const struct gl_demo *demo, const struct gl_demo_job *job,
                 const struct gl_ask_result *asked, struct gl_demo_plan *out, struct gl_error *err);

/* demo_jobs.c: what is to run, and its life. */
void gl_demo_make_jobs(struct gl_demo *demo);
/* The promises that can be given this hour. */
void gl_demo_make_books(struct gl_demo *demo);
/* Launch it if a place can be promised, else it waits. -1: the journal failed. */
int gl_demo_try(struct gl_demo *demo, struct gl_demo_job *job, struct gl_error *err);
/* Stop it if it has run for as long as it is to, or in any case. */
int gl_demo_finish(struct gl_demo *demo, struct gl_demo_job *job, bool in_any_case,
                   struct gl_error *err);
/* When it will have run for long enough goes into the queue. */
void gl_demo_expect_end(struct gl_demo *demo, const struct gl_demo_job *job);
struct gl_demo_job *gl_demo_job_named(struct gl_demo *demo, const char *name);

/* demo_watch.c: the guard's eyes and what it reports. */
void gl_demo_watch(struct gl_demo *demo);

/* demo_show.c: lines and the screen. */
enum { GL_DEMO_EVENT_ARRIVE, GL_DEMO_EVENT_HOUR, GL_DEMO_EVENT_LOOK, GL_DEMO_EVENT_END };
void gl_demo_show_start(struct gl_demo *demo);
void gl_demo_show_news(struct gl_demo *demo, const struct gl_demo_news *news);
void gl_demo_show_hour(struct gl_demo *demo);
void gl_demo_draw(struct gl_demo *demo);
void gl_demo_sum_up(struct gl_demo *demo);

#endif
