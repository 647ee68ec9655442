/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_CLI_BACKTEST_PART_H
#define GL_BROKER_CLI_BACKTEST_PART_H

/* What the parts of `greenlaunch backtest` share: recorded series and jobs read in, and the result
 * of the replay, which text, JSON and HTML each show in their own way. */

#include "broker/cli/command.h"
#include "policy/backtest/backtest.h"
#include "providers/signal/history.h"

struct backtest_values {
    struct gl_option_list traces, places;
    const char *jobs, *job, *home, *from, *until, *html, *week;
    const char *renewable_only, *max_intensity, *min_renewable, *min_carbon_free, *boundary,
        *green_for, *on_lapse;
    bool has_no_biomass, is_interruptible, has_runs;
    int64_t finish_by_s, slack_s, replan_s, lag_s; /* INT64_MIN = not given */
    int64_t power_u, confidence_ppm, pue_u, start_energy_u, data_bytes_u; /* millionths */
};

#define BACKTEST_SLACK_S   86400
#define BACKTEST_JOB       "6h,every=6h"
#define BACKTEST_POWER_W   1000.0
#define BACKTEST_GBIT      1.0 /* per s of a copy */
#define BACKTEST_IDLE_PART 0.3 /* of the job's power, of the idle end while data is copied */
#define BACKTEST_MARGIN    0.5 /* of a move's gain over its cost */

/* One zone of the traces. */
struct backtest_zone {
    struct gl_history **histories; /* owned */
    size_t count;
    struct gl_zone_facts facts;
    const struct gl_history *intensity; /* NULL: none that grams can be counted by */
    const char *path;                   /* of the file; borrowed */
};

/* How jobs were read, for the words of the report. */
struct backtest_notes {
    size_t rounded;   /* jobs whose length is no whole number of hours */
    size_t late;      /* jobs that arrive within an hour: counted from its beginning */
    size_t dropped;   /* rows outside of --from and --until */
    bool is_relative; /* arrivals were seconds since --from */
    bool has_power;   /* said, by option or row */
};

struct backtest {
    struct gl_context *context;
    const struct backtest_values *values;
    struct backtest_zone *zones;
    size_t zone_count;
    struct gl_backtest_place places[GL_BACKTEST_PLACES];
    size_t place_count, home;
    struct gl_backtest_job *jobs; /* owned */
    size_t job_count, job_room;
    struct backtest_notes notes;
    struct gl_policy *policy; /* owned; NULL = none */
    struct gl_arena arena;
    struct gl_backtest_options options;
    struct gl_backtest_result result;
    int64_t from_s, until_s; /* arrivals */
    int64_t first_s, end_s;  /* recorded hours all places share */
    int64_t week_s;          /* start of the week that is drawn */
    const char *jobs_name;
};

/* ---- backtest_trace.c ---- */
int gl_backtest_read_traces(struct backtest *bt, struct gl_error *err);
/* Places and home among the zones; what each counts grams by. */
int gl_backtest_choose_places(struct backtest *bt, struct gl_error *err);
void gl_backtest_traces_done(struct backtest *bt);
/* 'A' when all of it is measured, 'B' when some is an estimate. */
char gl_backtest_grade(const struct gl_history *history);
/* Hours of [first_s, end_s) without a figure. */
size_t gl_backtest_holes(const struct backtest *bt, const struct gl_history *history);

/* ---- backtest_jobs.c ---- */
int gl_backtest_read_jobs(struct backtest *bt, struct gl_error *err);

/* ---- how it is shown ---- */
void gl_backtest_text(struct backtest *bt);
void gl_backtest_accessible(struct backtest *bt);
json_t *gl_backtest_json(const struct backtest *bt);
void gl_backtest_html(const struct backtest *bt, struct gl_str *out);
/* The strategy that saves most of those that know no future. */
enum gl_backtest_strategy gl_backtest_best(const struct backtest *bt);
/* "max_intensity 300 gCO2e/kWh, 95 %" of the binding rules; "" without. */
void gl_backtest_rules_text(const struct backtest *bt, struct gl_str *out);
/* How pauses were carried out, by strategy; nothing when there were none. */
void gl_backtest_pauses_text(const struct backtest *bt, struct gl_str *out);
/* "12.3 %", "-" when not known; never "-0.0 %". Returns out. */
char *gl_backtest_percent(double percent, unsigned decimals, char out[72]);
/* Of what a perfect forecast would have saved of the same jobs, per cent; NaN when that is none. */
double gl_backtest_of_bound(const struct gl_backtest_total *total);
/* "1092 jobs of 6 h, 6550 kWh in all ..." */
void gl_backtest_jobs_text(const struct backtest *bt, struct gl_str *out);
/* Job-hours that a strategy ran in place `place` (SIZE_MAX: anywhere) in each of `count` hours from
 * start_s. */
void gl_backtest_hours(const struct backtest *bt, enum gl_backtest_strategy strategy,
                       int64_t start_s, size_t count, uint32_t *out);

#define BACKTEST_MARK   "Replayed history: simulated, nothing was launched."
#define BACKTEST_WEEK_H 168

#endif
