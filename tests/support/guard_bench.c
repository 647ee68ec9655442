/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/guard_bench.h"

#include "broker/timetable.h"
#include "tests/support/make_evidence.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const zones[2] = {"XX", "YY"};

int64_t guard_bench_now_s(const struct guard_bench *bench)
{
    return gl_now(&bench->journal->cloud->world).unix_s;
}

/* ---- the grid ---- */

static double noise(int64_t hour)
{
    uint64_t mixed = (uint64_t)hour * UINT64_C(0x9e3779b97f4a7c15);

    mixed ^= mixed >> 29;
    mixed *= UINT64_C(0xbf58476d1ce4e5b9);
    return (double)(mixed >> 40) / (double)(1 << 24) - 0.5;
}

static double truth(const struct guard_grid *grid, int64_t hour_s)
{
    double value = grid->base + grid->swing * sin((double)(hour_s / 3600 % 24) * 0.26179938779915);

    if (grid->spike > 0 && hour_s >= grid->spike_from_s)
        return grid->spike;
    return value + 6 * noise(hour_s / 3600);
}

static const struct gl_meaning meaning = {.quantity = GL_INTENSITY,
                                          .boundary = GL_LIFECYCLE,
                                          .gases = GL_CO2E,
                                          .trace = GL_FLOW_TRACED,
                                          .factor_set = "IPCC2014"};

static void fill_history(struct guard_grid *grid, const char *zone, int64_t now_s)
{
    int64_t start_s = METERED_EPOCH_MS / 1000 - (int64_t)GUARD_BENCH_DAYS * 86400;
    int64_t known_s = grid->stands_at_s > 0 ? grid->stands_at_s : now_s;
    size_t count = (size_t)((known_s - start_s) / 3600);

    count = count < GUARD_BENCH_HOURS ? count : GUARD_BENCH_HOURS;
    for (size_t i = 0; i < count; i++) {
        int64_t hour_s = start_s + (int64_t)i * 3600;
        bool is_missing = grid->missing_from_s > 0 && hour_s >= grid->missing_from_s &&
                          hour_s < grid->missing_from_s + 86400;

        grid->value[i] = (float)truth(grid, hour_s);
        grid->state[i] = is_missing ? GL_HOUR_MISSING : GL_HOUR_KNOWN;
        if (!is_missing && grid->is_estimated && hour_s > now_s - 86400)
            grid->state[i] |= GL_HOUR_ESTIMATED;
    }
    grid->history = (struct gl_history){
        .meaning = meaning,
        .provider = "file",
        .dataset = "invented",
        .actuals = {start_s, count, grid->value, grid->state, 0},
        .known_s = now_s,
        .actual_count = count,
        .newest_actual_s = start_s + (int64_t)(count - 1) * 3600,
        .newest_issue_s = GL_UNKNOWN,
    };
    snprintf(grid->history.zone, sizeof grid->history.zone, "%s", zone);
}

/* The forecast of the data at hand is the truth. */
static void fill_series(struct guard_grid *grid, const char *zone, int64_t now_s)
{
    int64_t known_s = grid->stands_at_s > 0 ? grid->stands_at_s : now_s;
    int64_t hour_s = known_s / 3600 * 3600;

    free(grid->series.points);
    grid->series = fake_series(zone, hour_s, hour_s + (int64_t)50 * 3600, 0, GL_FORECAST);
    grid->series.issued_s = grid->series.retrieved_s = known_s;
    for (size_t i = 0; i < grid->series.count; i++) {
        struct gl_point *point = &grid->series.points[i];

        point->value_u = point->low_u = point->high_u = (int64_t)(truth(grid, point->from_s) * 1e6);
    }
}

static void fill(struct guard_grid *grid, const char *zone, int64_t now_s)
{
    fill_history(grid, zone, now_s);
    fill_series(grid, zone, now_s);
    grid->histories[0] = &grid->history;
    grid->all[0] = &grid->series;
    grid->facts = (struct gl_zone_facts){.count = 1,
                                         .series = grid->all,
                                         .history_count = grid->has_no_history ? 0 : 1,
                                         .histories = grid->histories};
    snprintf(grid->facts.zone, sizeof grid->facts.zone, "%s", zone);
}

static const struct gl_zone_facts *facts(void *cookie, const char *zone)
{
    struct guard_bench *bench = cookie;

    bench->asked++;
    for (int i = 0; i < 2; i++)
        if (strcmp(zone, zones[i]) == 0 && !bench->grids[i].is_unknown)
            return &bench->grids[i].facts;
    return NULL;
}

static size_t places(void *cookie, const struct gl_launch_row *row, struct gl_cloud_place *out,
                     size_t capacity)
{
    struct guard_bench *bench = cookie;

    (void)row;
    if (bench->place_count > capacity)
        return 0;
    memcpy(out, bench->places, bench->place_count * sizeof *out);
    return bench->place_count;
}

/* ---- what was reported ---- */

static void report(void *cookie, const struct gl_guard_report *report)
{
    struct guard_bench *bench = cookie;
    struct guard_told *told = &bench->told[bench->told_count];

    if (bench->told_count == GUARD_BENCH_TOLD)
        return;
    bench->told_count++;
    *told = (struct guard_told){.act = report->choice.act,
                                .why = report->choice.why,
                                .has_failed = report->failed != NULL,
                                .code = report->failed != NULL ? report->failed->code : GL_OK,
                                .tries = report->tries,
                                .retry_s = report->retry_s,
                                .told_s = report->told_s,
                                .was_refused_gain = report->choice.was_refused_gain,
                                .was_refused_price = report->choice.was_refused_price};
    snprintf(told->launch, sizeof told->launch, "%s", report->row->launch);
    snprintf(told->to, sizeof told->to, "%s", report->to_region);
    snprintf(told->continued, sizeof told->continued, "%s", report->continued);
    snprintf(told->unmoved, sizeof told->unmoved, "%s", report->unmoved);
}

static void news(void *cookie, const struct gl_promise_news *news)
{
    struct guard_bench *bench = cookie;

    if (bench->news_count < GUARD_BENCH_TOLD)
        snprintf(bench->news[bench->news_count++], sizeof bench->news[0], "%s%s", news->state,
                 news->was_there ? " there" : "");
}

/* ---- the bench ---- */

struct guard_bench *guard_bench_new(struct journal_bench *journal)
{
    struct guard_bench *bench = gl_alloc(sizeof *bench);

    bench->journal = journal;
    bench->grids[0].base = 100;
    bench->grids[1].base = 50;
    bench->places[0] = (struct gl_cloud_place){.name = GL_MEMORY_REGION, .zone = "XX"};
    bench->places[1] = (struct gl_cloud_place){.name = GL_MEMORY_REGION_2, .zone = "YY"};
    bench->place_count = 2;
    bench->guard = (struct gl_guard){.launcher = &journal->launcher,
                                     .cookie = bench,
                                     .facts = facts,
                                     .places = places,
                                     .report = report,
                                     .news = news,
                                     .margin = -1};
    return bench;
}

void guard_bench_free(struct guard_bench *bench)
{
    for (int i = 0; i < 2; i++)
        free(bench->grids[i].series.points);
    free(bench);
}

json_t *guard_bench_plan(const char *on_lapse, int64_t probability_ppm, int64_t from_s,
                         int64_t until_s)
{
    json_t *plan = fake_plan(from_s, until_s), *offer = json_object_get(plan, "offer");

    json_object_set_new(offer, "region", json_string(GL_MEMORY_REGION));
    json_object_set_new(json_object_get(plan, "machine"), "memory_mb", json_integer(500));
    json_object_set_new(
        plan, "guarantee",
        json_pack("{s:s,s:I,s:I,s:s,s:o,s:[{s:s,s:[{s:s,s:s}]}]}", "rule",
                  "carbon_intensity <= 200", "from_s", (json_int_t)from_s, "until_s",
                  (json_int_t)until_s, "on_lapse", on_lapse, "probability_ppm",
                  probability_ppm > 0 ? json_integer((json_int_t)probability_ppm) : json_null(),
                  "rules", "id", "flags", "limits", "key", "max_intensity", "limit",
                  "200 gCO2e/kWh"));
    return plan;
}

int guard_bench_start(struct guard_bench *bench, const char *name, const char *on_lapse,
                      int64_t probability_ppm, int64_t lease_s, char out_launch[GL_CLOUD_ID],
                      struct gl_error *err)
{
    int64_t now_s = guard_bench_now_s(bench);
    GL_AUTO(gl_auto_json)
    json_t *plan = guard_bench_plan(on_lapse, probability_ppm, now_s, now_s + lease_s);
    struct gl_instance instance;

    const struct gl_order order = {
        .name = name,
        .cloud = "memory",
        .zone = "XX",
        .plan = plan,
        .launch = {.region = GL_MEMORY_REGION, .type = GL_MEMORY_TYPE, .lease = {lease_s}}};

    if (bench->has_no_rules)
        json_object_set_new(plan, "guarantee", json_null());
    if (bench->timetable != NULL)
        json_object_set_new(plan, "timetable", gl_timetable_json(bench->timetable));
    if (bench->journal->charge != NULL)
        json_object_set_new(plan, "budget", json_deep_copy(bench->journal->charge));
    if (gl_launch_start(&bench->journal->launcher, &order, &instance, err) != 0)
        return -1;
    snprintf(out_launch, GL_CLOUD_ID, "%s", instance.launch_id);
    return 0;
}

int guard_bench_look(struct guard_bench *bench, struct gl_guarded *out, struct gl_error *err)
{
    for (int i = 0; i < 2; i++)
        fill(&bench->grids[i], zones[i], guard_bench_now_s(bench));
    bench->told_count = bench->news_count = 0;
    bench->asked = 0;
    return gl_guard_once(&bench->guard, out, err);
}
