/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_TESTS_SUPPORT_GUARD_BENCH_H
#define GL_TESTS_SUPPORT_GUARD_BENCH_H

/* A guard over the journal bench: the two places of the metered cloud in two grids (XX and YY) that
 * a test makes as green, dirty, late or unknown as it likes, and what the guard reported. Asserts
 * with cmocka. */

#include "broker/guard.h"
#include "policy/schedule/timetable.h"
#include "tests/support/journal_bench.h"

#define GUARD_BENCH_DAYS  80 /* of history */
#define GUARD_BENCH_HOURS ((size_t)(GUARD_BENCH_DAYS + 40) * 24)
#define GUARD_BENCH_TOLD  64

/* Grams per kWh of an hour: base + swing * sin(hour of the day), and `spike` from an instant on. A
 * little noise on top, so that forecasts err. */
struct guard_grid {
    double base, swing, spike;
    int64_t spike_from_s;
    int64_t stands_at_s;    /* nothing newer is known than this; 0 = all until now */
    int64_t missing_from_s; /* actuals are missing from here on for a day; 0 = none */
    bool is_unknown;        /* nobody knows the zone */
    bool has_no_history;    /* only a series: the data at hand */
    bool is_estimated;      /* actuals of the last day may be revised */
    /* made from these */
    float value[GUARD_BENCH_HOURS];
    uint8_t state[GUARD_BENCH_HOURS];
    struct gl_history history;
    const struct gl_history *histories[1];
    struct gl_series series;
    const struct gl_series *all[1];
    struct gl_zone_facts facts;
};

/* One report, kept. */
struct guard_told {
    enum gl_guard_act act;
    enum gl_guard_why why;
    bool has_failed;
    enum gl_errc code;
    unsigned tries;
    int64_t retry_s, told_s;
    bool was_refused_gain, was_refused_price;
    char launch[GL_CLOUD_ID], to[40], continued[GL_CLOUD_ID], unmoved[200];
};

struct guard_bench {
    struct journal_bench *journal;
    struct guard_grid grids[2]; /* XX, YY */
    struct gl_cloud_place places[3];
    size_t place_count;
    struct gl_guard guard;
    const struct gl_timetable *timetable; /* of the next launch; NULL = none */
    bool has_no_rules;                    /* the next launch: nothing but that */
    unsigned asked;                       /* how often facts were asked for */
    size_t told_count, news_count;
    struct guard_told told[GUARD_BENCH_TOLD];
    char news[GUARD_BENCH_TOLD][24]; /* states, "breached there" */
};

/* Green and known for ever: 100 g/kWh here, 50 there. On the heap. */
struct guard_bench *guard_bench_new(struct journal_bench *journal);
void guard_bench_free(struct guard_bench *bench);
/* Launch under "max_intensity 200 g", for `lease_s`; `probability_ppm` 0: nothing was promised, it
 * holds by the data at hand. */
int guard_bench_start(struct guard_bench *bench, const char *name, const char *on_lapse,
                      int64_t probability_ppm, int64_t lease_s, char out_launch[GL_CLOUD_ID],
                      struct gl_error *err);
json_t *guard_bench_plan(const char *on_lapse, int64_t probability_ppm, int64_t from_s,
                         int64_t until_s);
/* Look once with the grid as it is known now; what was reported before is forgotten. */
int guard_bench_look(struct guard_bench *bench, struct gl_guarded *out, struct gl_error *err);
/* Seconds of the bench's clock. */
int64_t guard_bench_now_s(const struct guard_bench *bench);

#endif
