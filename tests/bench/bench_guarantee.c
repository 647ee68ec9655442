/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/bench.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/guarantee_data.h"

/* The acceptance backtest of policy/guarantee (docs/guarantee.md section 6): would the promises of
 * the past have been kept as stated, and how much of what an oracle would have promised were they?
 */

#define ZONES_MAX 11
#define CAPS      3
#define LEVELS    3
#define HORIZON   48
#define WORKERS   2
#define DAY_S     INT64_C(86400)

static const double probabilities[LEVELS] = {.90, .95, .99};
static const double quantiles[CAPS] = {.3, .5, .7};
static const char *const carbonx_zones[] = {"AU-NSW",      "BR-CS",       "DE",          "ES",
                                            "FR",          "GB",          "JP",          "PL",
                                            "US-CAL-CISO", "US-MIDA-PJM", "US-TEX-ERCO", NULL};
static const char *const carboncast_zones[] = {"AUS_QLD", "BPAT",  "CISO", "DE", "ERCO",
                                               "ES",      "NYISO", "PJM",  "PL", NULL};

/* What a method did at the requests of one zone, limit and probability. */
struct tally {
    double issued, kept, settled, hours;
};

struct cell {
    double requests, oracle_hours;
    struct tally ours, naive, tenth, climatology;
};

struct results {
    struct cell cell[ZONES_MAX][CAPS][LEVELS];
};

struct suite {
    const char *title;
    bool is_carboncast, is_share, is_builtin;
    uint32_t lag_h;
    int roll_days;        /* every forecast replaced by the one issued so many days later */
    unsigned missing_pct; /* of the actuals, hidden from the engine */
    unsigned cells_min;   /* requests below which a cell is not judged alone */
    uint32_t whole_h;     /* just so long */
    bool is_of_first;     /* only promises that could not be had an hour before */
    double slack_low, slack_high, slack_cell;
    double capture[LEVELS]; /* 0 = no target */
    double deviation[LEVELS];
};

/* One zone as the engine sees it, and the truth. */
struct scene {
    const struct suite *suite;
    struct gl_actuals seen;
    const float *truth;
    int64_t start_s;
    size_t hours;
    struct gl_issue *issue;
    struct gl_issues issues;
    int64_t learn_s, from_s, until_s;       /* of the judged requests */
    size_t reference_from, reference_hours; /* whose quantiles are the limits */
};

static int by_float(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;

    return (x > y) - (x < y);
}

static float limit_at(const struct scene *scene, double quantile)
{
    float *sorted = gl_alloc(scene->reference_hours * sizeof *sorted);
    double q = scene->suite->is_share ? 1 - quantile : quantile;
    float limit;

    memcpy(sorted, scene->truth + scene->reference_from, scene->reference_hours * sizeof *sorted);
    qsort(sorted, scene->reference_hours, sizeof *sorted, by_float);
    limit = sorted[(size_t)(q * (double)(scene->reference_hours - 1))];
    free(sorted);
    return limit;
}

/* ---- the scene ---- */

static void take_issues(struct scene *scene, const struct bench_zone *zone)
{
    size_t roll = (size_t)scene->suite->roll_days, i;

    scene->issue = gl_alloc(zone->issue_count * sizeof *scene->issue);
    for (i = 0; i + roll < zone->issue_count; i++)
        scene->issue[i] =
            (struct gl_issue){.received_s = zone->issued_s[i],
                              .start_s = zone->issued_s[i],
                              .count = BENCH_ISSUE_HOURS,
                              .value = zone->issue_values + (i + roll) * BENCH_ISSUE_HOURS};
    scene->issues = (struct gl_issues){i, scene->issue};
}

static void hide_hours(struct scene *scene)
{
    uint8_t *state = gl_alloc(scene->hours);
    uint64_t word = 88172645463325252u;
    size_t i;

    for (i = 0; i < scene->hours; i++) {
        word ^= word << 13;
        word ^= word >> 7;
        word ^= word << 17;
        state[i] = word % 100 < scene->suite->missing_pct ? GL_HOUR_MISSING : GL_HOUR_KNOWN;
    }
    scene->seen.state = state;
}

static void set_scene(struct scene *scene, const struct suite *suite, const struct bench_zone *zone)
{
    const int64_t year = suite->is_carboncast ? 1577836800 : 1609459200; /* 2020, 2021 */

    memset(scene, 0, sizeof *scene);
    scene->suite = suite;
    scene->truth = suite->is_share ? zone->renewable : zone->intensity;
    scene->start_s = zone->start_s;
    scene->hours = zone->hours;
    scene->seen = (struct gl_actuals){zone->start_s, zone->hours, scene->truth, NULL, suite->lag_h};
    if (!suite->is_builtin && !suite->is_share)
        take_issues(scene, zone);
    if (suite->missing_pct > 0)
        hide_hours(scene);
    scene->reference_from = (size_t)((year - zone->start_s) / GL_HOUR_S);
    scene->reference_hours = suite->is_carboncast ? 8784 : 8760;
    scene->learn_s = year + 80 * DAY_S; /* a fifth of a year of errors before the first promise */
    scene->from_s = suite->is_carboncast ? 1628985600 : 1640995200;  /* 2021-08-15, 2022-01-01 */
    scene->until_s = suite->is_carboncast ? 1640304000 : 1735344000; /* 2021-12-24, 2024-12-28 */
}

/* ---- baselines ---- */

static bool is_green(const struct scene *scene, float limit, size_t hour)
{
    return scene->suite->is_share ? scene->truth[hour] >= limit : scene->truth[hour] <= limit;
}

/* Whole green hours from hour `at` on. */
static size_t green_hours(const struct scene *scene, float limit, size_t at)
{
    size_t k = 0;

    while (k < HORIZON && at + k < scene->hours && is_green(scene, limit, at + k))
        k++;
    return k;
}

static void count(struct tally *tally, size_t promised, size_t green)
{
    if (promised == 0)
        return;
    tally->issued++;
    tally->settled++;
    tally->hours += (double)promised;
    tally->kept += green >= promised;
}

/* Hours until the newest forecast, times `factor`, first exceeds the limit. */
static size_t forecast_hours(const struct scene *scene, float limit, int64_t now_s, float factor)
{
    size_t i = scene->issues.count, k, first;

    while (i > 0 && scene->issue[i - 1].received_s > now_s)
        i--;
    if (i == 0)
        return 0;
    first = (size_t)((now_s - scene->issue[i - 1].start_s) / GL_HOUR_S);
    for (k = 0; k < HORIZON && first + k < BENCH_ISSUE_HOURS; k++)
        if (scene->issue[i - 1].value[first + k] * factor > limit)
            break;
    return k;
}

/* By hour: how long green lasted from it on; NOT_GREEN where the hour before was not. */
#define NOT_GREEN 255

static unsigned char *lasting(const struct scene *scene, float limit)
{
    unsigned char *lasts = gl_alloc(scene->hours);
    size_t i;

    lasts[0] = NOT_GREEN;
    for (i = 1; i < scene->hours; i++)
        lasts[i] =
            is_green(scene, limit, i - 1) ? (unsigned char)green_hours(scene, limit, i) : NOT_GREEN;
    return lasts;
}

/* The (1 - p) quantile of how long green lasted at this hour of the day over the last year. */
static void climatology(const unsigned char *lasts, size_t at, size_t out_hours[LEVELS])
{
    double histogram[HORIZON + 1] = {0}, total = 0;
    size_t day, offset, p, k;

    for (day = 3; day <= 365; day++)
        for (offset = 0; offset < 5; offset++) {
            size_t back = day * 24 + 2 - offset;

            if (back < at && lasts[at - back] != NOT_GREEN) {
                histogram[lasts[at - back]]++;
                total++;
            }
        }
    for (p = 0; p < LEVELS; p++) {
        double sum = 0, rank = floor((1 - probabilities[p]) * (total + 1));

        for (k = 0; k < HORIZON && rank >= 1; k++) {
            sum += histogram[k];
            if (sum >= rank)
                break;
        }
        out_hours[p] = rank >= 1 ? k : 0;
    }
}

static void judge_baselines(const struct scene *scene, float limit, struct cell cells[LEVELS])
{
    unsigned char *lasts = lasting(scene, limit);
    int64_t now_s;
    size_t p;

    for (now_s = scene->from_s; now_s < scene->until_s; now_s += GL_HOUR_S) {
        size_t at = (size_t)((now_s - scene->start_s) / GL_HOUR_S), hours[LEVELS];
        size_t green = green_hours(scene, limit, at);

        if (lasts[at - scene->suite->lag_h] == NOT_GREEN)
            continue;
        climatology(lasts, at, hours);
        for (p = 0; p < LEVELS; p++) {
            count(&cells[p].climatology, hours[p], green);
            count(&cells[p].naive, forecast_hours(scene, limit, now_s, 1), green);
            count(&cells[p].tenth, forecast_hours(scene, limit, now_s, 1.1F), green);
        }
    }
    free(lasts);
}

/* ---- ours ---- */

static struct gl_guarantee *started(struct gl_arena *arena, const struct scene *scene, float limit,
                                    double probability)
{
    struct gl_guarantee_rule rule = {
        .count = 1, .probability = probability, .whole_h = scene->suite->whole_h};

    rule.leg[0] = (struct gl_leg){scene->suite->is_share ? GL_LEG_FLOOR : GL_LEG_CEILING, limit};
    return gl_guarantee_start(arena, &rule, scene->learn_s);
}

static void judge_ours(const struct scene *scene, const struct gl_track *track, float limit,
                       double probability, struct cell *cell)
{
    struct gl_arena arena = {0};
    struct gl_guarantee *guarantee = started(&arena, scene, limit, probability);
    struct gl_promise promise = {.hours = 0};
    int64_t now_s;

    for (now_s = scene->from_s; now_s < scene->until_s; now_s += GL_HOUR_S) {
        size_t at = (size_t)((now_s - scene->start_s) / GL_HOUR_S);
        size_t green = green_hours(scene, limit, at);
        bool is_later = scene->suite->is_of_first && promise.hours > 0;

        if (!gl_guarantee_advance(guarantee, &track, now_s) ||
            !gl_guarantee_decide(guarantee, &track, now_s, 0, &promise))
            continue;
        if (promise.kind != GL_PROMISED && promise.kind != GL_NONE_POSSIBLE)
            continue;
        cell->requests++;
        cell->oracle_hours += (double)green;
        if (!is_later)
            count(&cell->ours, promise.hours, green);
    }
    gl_arena_done(&arena);
}

/* The other methods are shown where there is a provider's forecast as it came. */
static bool has_baselines(const struct suite *suite)
{
    return !suite->is_builtin && !suite->is_share && suite->lag_h == 0 && suite->missing_pct == 0 &&
           !suite->is_of_first;
}

static void judge_zone(const struct suite *suite, const struct bench_zone *zone,
                       struct cell cells[CAPS][LEVELS])
{
    struct scene scene;
    struct gl_arena arena = {0};
    struct gl_track track;
    struct gl_track_options options = {.horizon_h = HORIZON};
    size_t q, p;

    set_scene(&scene, suite, zone);
    options.from_s = scene.start_s + GL_TRACK_FIRST_DAYS * DAY_S;
    options.until_s = scene.until_s;
    if (!gl_track_build(&arena, &scene.seen, &scene.issues, &options, &track))
        return;
    for (q = 0; q < CAPS; q++) {
        float limit = limit_at(&scene, quantiles[q]);

        for (p = 0; p < LEVELS; p++)
            judge_ours(&scene, &track, limit, probabilities[p], &cells[q][p]);
        if (has_baselines(suite))
            judge_baselines(&scene, limit, cells[q]);
    }
    gl_arena_done(&arena);
    free(scene.issue);
}

static int judge_all(const struct suite *suite, const struct bench_zone *zones, size_t count_of,
                     struct results *results)
{
    pid_t workers[WORKERS];
    size_t w, z;

    memset(results, 0, sizeof *results);
    fflush(stdout);
    for (w = 0; w < WORKERS; w++) {
        workers[w] = fork();
        if (workers[w] != 0)
            continue;
        for (z = w; z < count_of; z += WORKERS)
            judge_zone(suite, &zones[z], results->cell[z]);
        _exit(0);
    }
    for (w = 0; w < WORKERS; w++)
        if (workers[w] > 0)
            waitpid(workers[w], NULL, 0);
    return 0;
}

/* ---- the table ---- */

struct summary {
    double kept, worst, deviation, issued, capture, beats;
};

typedef const struct tally *(*pick)(const struct cell *cell);

static const struct tally *pick_ours(const struct cell *cell)
{
    return &cell->ours;
}

static const struct tally *pick_naive(const struct cell *cell)
{
    return &cell->naive;
}

static const struct tally *pick_tenth(const struct cell *cell)
{
    return &cell->tenth;
}

static const struct tally *pick_climatology(const struct cell *cell)
{
    return &cell->climatology;
}

static struct summary summarize(const struct suite *suite, const struct results *results, size_t p,
                                pick method)
{
    struct summary sum = {.worst = 1};
    double requests = 0, issued = 0, kept = 0, hours = 0, oracle = 0, judged = 0;
    size_t z, q;

    for (z = 0; z < ZONES_MAX; z++)
        for (q = 0; q < CAPS; q++) {
            const struct cell *cell = &results->cell[z][q][p];
            const struct tally *tally = method(cell);

            if (cell->requests < (double)suite->cells_min ||
                tally->settled < (suite->is_of_first ? 100 : 1))
                continue;
            requests += cell->requests;
            oracle += cell->oracle_hours;
            issued += tally->issued;
            kept += tally->kept;
            hours += tally->hours;
            judged++;
            sum.worst = fmin(sum.worst, tally->kept / tally->settled);
            sum.deviation += fabs(tally->kept / tally->settled - probabilities[p]);
            sum.beats += tally->hours > cell->climatology.hours;
        }
    sum.kept = kept / issued;
    sum.deviation /= judged;
    sum.beats /= judged;
    sum.issued = issued / requests;
    sum.capture = hours / oracle;
    return sum;
}

static void print_row(const char *name, double p, const struct summary *sum)
{
    printf("  %-26s %.2f  %.4f  %.3f  %.4f  %.3f  %.3f\n", name, p, sum->kept, sum->worst,
           sum->deviation, sum->issued, sum->capture);
}

static void print_target(const char *what, double low, double value, double high)
{
    bool holds = value >= low && value <= high;

    if (high < 1)
        printf("    %-32s %.3f .. %.3f", what, low, high);
    else
        printf("    %-32s at least %.3f", what, low);
    printf("  %.4f  %s\n", value, holds ? "holds" : "does not hold");
}

static void print_targets(const struct suite *suite, size_t p, const struct summary *ours)
{
    double asked = probabilities[p];

    print_target("pooled kept", asked - suite->slack_low, ours->kept,
                 fmin(asked + suite->slack_high, 0.9999));
    print_target("worst cell", asked - suite->slack_cell, ours->worst, 1);
    if (suite->deviation[p] > 0)
        print_target("mean deviation of a cell", 0, ours->deviation, suite->deviation[p]);
    if (suite->capture[p] > 0)
        print_target("share of the oracle's hours", suite->capture[p], ours->capture, 1);
    if (suite->capture[p] > 0)
        print_target("cells that beat climatology", 0.8, ours->beats, 1);
}

static void print_suite(const struct suite *suite, const struct results *results)
{
    struct summary sum;
    size_t p;

    printf("\n  %-26s p     kept    worst  dev.    issued capture\n", suite->title);
    for (p = 0; p < LEVELS; p++) {
        sum = summarize(suite, results, p, pick_ours);
        print_row("ours", probabilities[p], &sum);
        print_targets(suite, p, &sum);
        if (!has_baselines(suite))
            continue;
        sum = summarize(suite, results, p, pick_climatology);
        print_row("run-length climatology", probabilities[p], &sum);
    }
    if (!has_baselines(suite))
        return;
    sum = summarize(suite, results, 0, pick_naive);
    print_row("the forecast as it is", probabilities[0], &sum);
    sum = summarize(suite, results, 0, pick_tenth);
    print_row("the forecast + 10 %", probabilities[0], &sum);
}

static void print_zones(const struct results *results, const char *const *names)
{
    size_t z, p;

    printf("\n  limit at the median          kept at .90 .95 .99       capture\n");
    for (z = 0; names[z] != NULL; z++) {
        printf("  %-28s", names[z]);
        for (p = 0; p < LEVELS; p++)
            printf(" %.3f", results->cell[z][1][p].ours.kept / results->cell[z][1][p].ours.settled);
        printf("   ");
        for (p = 0; p < LEVELS; p++)
            printf(" %.3f",
                   results->cell[z][1][p].ours.hours / results->cell[z][1][p].oracle_hours);
        printf("\n");
    }
}

/* ---- time ---- */

/* Others at work shall not show. */
static double processor_s(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

static void measure(const struct bench_zone *zone)
{
    static const struct suite suite = {.title = "time"};
    struct scene scene;
    struct gl_arena arena = {0};
    struct gl_track built, *track = &built;
    struct gl_guarantee *guarantee;
    struct gl_promise promise;
    double begun = processor_s(), tracked, replayed, decided;
    struct gl_track_options options = {.horizon_h = HORIZON};
    unsigned i;

    set_scene(&scene, &suite, zone);
    options.until_s = scene.until_s;
    options.from_s = scene.until_s - (GL_GUARANTEE_REPLAY_DAYS + 65) * DAY_S;
    scene.learn_s = scene.until_s - GL_GUARANTEE_REPLAY_DAYS * DAY_S;
    gl_track_build(&arena, &scene.seen, &scene.issues, &options, &built);
    tracked = processor_s();
    guarantee = started(&arena, &scene, limit_at(&scene, 0.5), 0.9);
    gl_guarantee_advance(guarantee, (const struct gl_track *const *)&track, scene.until_s);
    replayed = processor_s();
    for (i = 0; i < 8760; i++)
        gl_guarantee_decide(guarantee, (const struct gl_track *const *)&track,
                            scene.until_s - (int64_t)i * GL_HOUR_S, 0, &promise);
    decided = processor_s();
    printf("\n  cold zone (%s, %d days), processor time: forecasts %.3f s + replay %.3f s; a "
           "decision %.1f us\n",
           zone->name, GL_GUARANTEE_REPLAY_DAYS, tracked - begun, replayed - tracked,
           (decided - replayed) / 8760 * 1e6);
    print_target("seconds of a cold zone", 0, replayed - begun, 0.9999999);
    printf("    %-32s at most 50      %.1f  %s\n", "microseconds a decision",
           (decided - replayed) / 8760 * 1e6,
           (decided - replayed) / 8760 <= 50e-6 ? "holds" : "does not hold");
    gl_arena_done(&arena);
    free(scene.issue);
}

/* ---- all ---- */

#define SLACK .slack_low = .005, .slack_high = .02, .slack_cell = .03

static const struct suite suites[] = {
    {.title = "carbonx, provider",
     .slack_low = .005,
     .slack_high = .02,
     .slack_cell = .03,
     .capture = {.70, .60, .44},
     .deviation = {.015, .010, .006}},
    {.title = "forecasts of 30 days later", .roll_days = 30, SLACK},
    {.title = "data 3 h late", .lag_h = 3, SLACK},
    {.title = "5 % of hours missing", .missing_pct = 5, SLACK},
    {.title = "built-in forecaster", .is_builtin = true, SLACK},
    {.title = "renewable share, built-in", .is_share = true, SLACK},
    {.title = "CarbonCast, replay start",
     .is_carboncast = true,
     .cells_min = 300,
     .slack_low = .01,
     .slack_high = .02,
     .slack_cell = .05},
    {.title = "6 h, by those who wait", .whole_h = 6, .is_of_first = true, SLACK},
    {.title = "longest, by those who wait", .is_of_first = true, SLACK},
    {.title = "24 h, by those who wait", .whole_h = 24, .is_of_first = true, SLACK},
};

static int load(const char *folder, const char *const *names, bool is_carboncast,
                struct bench_zone *zones, struct gl_error *err)
{
    size_t z;

    for (z = 0; names[z] != NULL; z++)
        if ((is_carboncast ? bench_zone_carboncast : bench_zone_carbonx)(folder, names[z],
                                                                         &zones[z], err) != 0)
            return -1;
    return (int)z;
}

int bench_guarantee(const char *folder, const char *only, struct gl_error *err)
{
    static struct bench_zone carbonx[ZONES_MAX], carboncast[ZONES_MAX];
    struct results *results;
    int xs, casts;
    size_t i;

    if (folder == NULL)
        return gl_fail(err, GL_E_NOT_FOUND, "GREENLAUNCH_BENCH_GRID names no folder of series");
    xs = load(folder, carbonx_zones, false, carbonx, err);
    casts = xs < 0 ? -1 : load(folder, carboncast_zones, true, carboncast, err);
    if (casts < 0)
        return -1;
    results =
        mmap(NULL, sizeof *results, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (results == MAP_FAILED)
        return gl_fail_sys(err, GL_E_IO, errno, "mmap");
    for (i = 0; i < sizeof suites / sizeof *suites; i++) {
        const struct suite *suite = &suites[i];

        if (only != NULL && (strlen(only) != 1 || (size_t)(only[0] - '0') != i))
            continue;
        judge_all(suite, suite->is_carboncast ? carboncast : carbonx,
                  (size_t)(suite->is_carboncast ? casts : xs), results);
        print_suite(suite, results);
        if (i == 0)
            print_zones(results, carbonx_zones);
    }
    measure(&carbonx[2]);
    munmap(results, sizeof *results);
    return 0;
}
