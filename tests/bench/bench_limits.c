/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/schedule/pause.h"
#include "policy/schedule/transport.h"
#include "policy/schedule/window.h"
#include "tests/bench/bench.h"
#include "tests/bench/bench_paper.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* "On the Limitations of Carbon-Aware Temporal and Spatial Workload Shifting in the Cloud"
 * (EuroSys 2024, arXiv 2306.06502): 123 zones, every hour of 2022 as a start. */

#define YEAR   8760
#define ZONES  "ci2022-123zones/ci_2022_hourly_123zones.csv.gz"
#define MATRIX "ci2022-123zones/gcp_latency_matrix.csv"

/* The study's averages for 168 h and a day of slack are those of the 122 zones without this one,
 * the cleanest: with it they are 2.8896 and 7.0847 g/kWh. */
#define LEFT_OUT     "SE-SE1"
#define LEFT_OUT_FOR 168

struct year {
    struct bench_csv csv;
    int64_t *cost; /* [zone * YEAR + hour] */
};

/* ---- in time ---- */

/* Of all zones together, by start hour. */
struct sums {
    int64_t now[YEAR], deferred[YEAR], paused[YEAR];
    size_t starts;
};

static void add_zone(const int64_t *cost, size_t work, size_t slack, struct sums *sums)
{
    static int64_t sum[YEAR + 1], room[YEAR], each[YEAR], rest[YEAR];
    static struct gl_window window[YEAR];
    static size_t queue[YEAR + 1];
    const size_t span = slack < YEAR ? work + slack : YEAR + 1;
    size_t full = 0;

    gl_window_prefix(cost, YEAR, sum);
    gl_window_best_each(sum, YEAR, work, slack, queue, window);
    gl_pause_cheapest_rest(cost, YEAR, work, room, rest);
    if (span <= YEAR)
        full = gl_pause_cheapest_each(cost, YEAR, work, span, room, each);
    for (size_t i = 0; i < sums->starts; i++) {
        sums->now[i] += sum[i + work] - sum[i];
        sums->deferred[i] += window[i].cost;
        sums->paused[i] += i < full ? each[i] : rest[i];
    }
}

struct shares {
    double defer_percent, pause_percent, defer_g, pause_g, seconds;
};

/* Of all zones but the column `without` (SIZE_MAX: of all). */
static struct shares study(const struct year *year, size_t work, size_t slack, size_t without)
{
    const double before = bench_now_s();
    struct sums *sums = gl_alloc(sizeof *sums);
    struct shares shares = {0};
    size_t zones = 0;

    /* As in the study: with a day of slack the last start is left out. */
    sums->starts = slack < YEAR ? YEAR - work : YEAR - work + 1;
    for (size_t zone = 0; zone < year->csv.columns; zone++) {
        if (zone == without)
            continue;
        add_zone(year->cost + zone * YEAR, work, slack, sums);
        zones++;
    }
    for (size_t i = 0; i < sums->starts; i++) {
        const double now = (double)sums->now[i];
        const double deferred = now - (double)sums->deferred[i];
        const double paused = (double)(sums->deferred[i] - sums->paused[i]);

        shares.defer_percent += 100 * deferred / now;
        shares.pause_percent += 100 * paused / now;
        shares.defer_g += deferred;
        shares.pause_g += paused;
    }
    shares.defer_percent /= (double)sums->starts;
    shares.pause_percent /= (double)sums->starts;
    shares.defer_g /= (double)(sums->starts * zones * work) * GL_COST_PER_G;
    shares.pause_g /= (double)(sums->starts * zones * work) * GL_COST_PER_G;
    free(sums);
    shares.seconds = bench_now_s() - before;
    return shares;
}

static const struct {
    size_t work;
    double day[4], year[2]; /* defer %, pause %, defer g, pause g; defer %, pause % */
} temporal[] = {
    {1, {15.5897, 0, 57.3798, 0}, {41.7519, 0}},
    {6, {12.6326, 0.8104, 46.4739, 2.9840}, {39.0141, 1.1029}},
    {12, {8.5339, 2.6863, 31.3736, 9.8815}, {34.3481, 4.4340}},
    {24, {3.6094, 4.9996, 13.2803, 18.3605}, {28.3151, 8.7698}},
    {48, {2.3452, 3.6441, 8.6304, 13.3922}, {25.6134, 9.5064}},
    {96, {1.3442, 2.6091, 4.9475, 9.5944}, {22.1489, 10.6211}},
    {168, {0.7845, 1.9273, 2.9123, 7.1403}, {18.9424, 11.5649}},
};

/* Paper's and our value of "NUMBER what", of "what" when the number is 0. */
static void row(const char *what, size_t number, const double values[2], double seconds)
{
    char name[64] = "";

    if (number > 0)
        snprintf(name, sizeof name, "%zu ", number);
    strncat(name, what, sizeof name - strlen(name) - 1);
    bench_table_row(&(struct bench_row){
        .what = name, .paper = values[0], .ours = values[1], .digits = 4, .seconds = seconds});
}

static void in_time(const struct year *year)
{
    double total = 0;

    for (size_t i = 0; i < sizeof temporal / sizeof temporal[0]; i++) {
        const size_t work = temporal[i].work;
        const size_t without =
            work == LEFT_OUT_FOR ? bench_csv_column(&year->csv, LEFT_OUT) : SIZE_MAX;
        const struct shares day = study(year, work, 24, without);
        const struct shares all = study(year, work, YEAR, SIZE_MAX);

        row("h job, slack 24 h: defer %", work,
            (const double[2]){temporal[i].day[0], day.defer_percent}, day.seconds);
        row("h job, slack 24 h: interrupt %", work,
            (const double[2]){temporal[i].day[1], day.pause_percent}, -1);
        row("h job, slack 24 h: defer g/kWh", work,
            (const double[2]){temporal[i].day[2], day.defer_g}, -1);
        row("h job, slack 24 h: interrupt g/kWh", work,
            (const double[2]){temporal[i].day[3], day.pause_g}, -1);
        row("h job, slack 1 year: defer %", work,
            (const double[2]){temporal[i].year[0], all.defer_percent}, all.seconds);
        row("h job, slack 1 year: interrupt %", work,
            (const double[2]){temporal[i].year[1], all.pause_percent}, -1);
        total += day.seconds + all.seconds;
    }
    bench_table_note(
        "All starts of 123 zones and seven lengths, slack of a day and of a year: %.2f s "
        "on one core (the study's own loop: about 2.4 ms a window).",
        total);
}

/* ---- in space ---- */

static int64_t sum_of(const struct year *year, size_t zone)
{
    int64_t sum = 0;

    for (size_t h = 0; h < YEAR; h++)
        sum += year->cost[zone * YEAR + h];
    return sum;
}

static void one_and_unlimited(const struct year *year)
{
    const double before = bench_now_s(), scale = (double)YEAR * GL_COST_PER_G;
    const size_t zones = year->csv.columns;
    int64_t all = 0, best = INT64_MAX, following = 0;

    for (size_t zone = 0; zone < zones; zone++) {
        const int64_t sum = sum_of(year, zone);

        all += sum;
        best = sum < best ? sum : best;
    }
    for (size_t h = 0; h < YEAR; h++) {
        int64_t least = INT64_MAX;

        for (size_t zone = 0; zone < zones; zone++)
            if (year->cost[zone * YEAR + h] < least)
                least = year->cost[zone * YEAR + h];
        following += least;
    }
    row("zones, mean g/kWh", zones,
        (const double[2]){368.3755, (double)all / (double)zones / scale}, bench_now_s() - before);
    row("greenest zone, g/kWh", 0, (const double[2]){15.8996, (double)best / scale}, -1);
    row("one migration saves, g/kWh", 0,
        (const double[2]){352.4759, (double)all / (double)zones / scale - (double)best / scale},
        -1);
    row("migration every hour saves, g/kWh", 0,
        (const double[2]){353.5661,
                          (double)all / (double)zones / scale - (double)following / scale},
        -1);
}

#define PLACES 40

struct clouds {
    size_t count;
    int64_t cost[PLACES];            /* sum of the year */
    double latency[PLACES * PLACES]; /* [origin * count + place] */
};

static void sort_by_cost(const struct year *year, const size_t *zone, struct clouds *clouds,
                         size_t *column)
{
    for (size_t i = 0; i < clouds->count; i++) {
        const int64_t cost = sum_of(year, zone[i]);
        const size_t from = column[i];
        size_t j = i;

        for (; j > 0 && clouds->cost[j - 1] > cost; j--) {
            clouds->cost[j] = clouds->cost[j - 1];
            column[j] = column[j - 1];
        }
        clouds->cost[j] = cost;
        column[j] = from;
    }
}

/* The regions whose zone is among the 123, each once, from the cleanest; the matrix has the same
 * names in rows and columns. */
static int read_clouds(const char *folder, const struct year *year, struct clouds *out,
                       struct gl_error *err)
{
    size_t column[PLACES], zone[PLACES];
    struct bench_csv matrix;

    if (bench_csv_read(folder, MATRIX, &matrix, err) != 0)
        return -1;
    *out = (struct clouds){0};
    for (size_t i = 0; i < matrix.columns && out->count < PLACES; i++) {
        zone[out->count] = bench_csv_column(&year->csv, matrix.names[i]);
        if (zone[out->count] == SIZE_MAX || bench_csv_column(&matrix, matrix.names[i]) != i)
            continue;
        column[out->count++] = i;
    }
    sort_by_cost(year, zone, out, column);
    for (size_t o = 0; o < out->count; o++)
        for (size_t p = 0; p < out->count; p++) {
            double *latency = &out->latency[o * out->count + p];

            /* A name that is twice in the matrix is as near as its nearer row. */
            *latency = (double)INFINITY;
            for (size_t row_of = 0; row_of < matrix.rows; row_of++)
                if (strcmp(matrix.names[row_of], matrix.names[column[p]]) == 0)
                    *latency = fmin(*latency, matrix.value[row_of * matrix.columns + column[o]]);
        }
    bench_csv_done(&matrix);
    return 0;
}

struct placed {
    double greedy, exact, seconds;
};

static int place(const struct clouds *clouds, int64_t load, double limit_ms, struct placed *out,
                 struct gl_error *err)
{
    int64_t loads[PLACES], capacity[PLACES], cost[PLACES * PLACES], greedy[PLACES];
    bool is_allowed[PLACES * PLACES];
    size_t order[PLACES] = {0};
    const size_t count = clouds->count;
    const double scale = (double)YEAR * GL_COST_PER_G * (double)load * (double)count;
    struct gl_transport_answer answer;
    struct gl_arena arena = {0};
    double before;

    for (size_t o = 0; o < count; o++) {
        loads[o] = load;
        capacity[o] = 100;
        order[o] = o;
        for (size_t p = 0; p < count; p++) {
            is_allowed[o * count + p] = clouds->latency[o * count + p] <= limit_ms;
            cost[o * count + p] = is_allowed[o * count + p] ? clouds->cost[p] : GL_TRANSPORT_BARRED;
        }
    }
    gl_transport_greedy(&(struct gl_transport_greedy){.places = count,
                                                      .load = loads,
                                                      .cost = clouds->cost,
                                                      .capacity = 100,
                                                      .is_allowed = is_allowed},
                        order, greedy);
    out->greedy = 0;
    for (size_t p = 0; p < count; p++)
        out->greedy += (double)greedy[p] * (double)clouds->cost[p] / scale;
    before = bench_now_s();
    if (gl_transport_solve(&(struct gl_transport){.origins = count,
                                                  .places = count,
                                                  .load = loads,
                                                  .capacity = capacity,
                                                  .cost = cost},
                           &arena, &answer, err) != 0)
        return -1;
    out->seconds = bench_now_s() - before;
    out->exact = answer.cost / scale;
    gl_arena_done(&arena);
    return 0;
}

static int in_capacity(const struct clouds *clouds, struct gl_error *err)
{
    static const struct {
        size_t limit_ms;
        double greedy_50, exact_50, greedy_99, exact_99;
    } rows[] = {
        {5, 372.3320, 372.3320, 372.3320, 372.3320},   {50, 261.6117, 261.5889, 199.7688, 199.7688},
        {100, 244.3762, 225.6024, 135.6410, 135.6410}, {150, 208.5570, 208.4371, 86.6236, 86.6236},
        {200, 206.2002, 206.2002, 40.1124, 40.1124},   {250, 206.9847, 206.2002, 28.4712, 28.4712},
        {300, 206.2002, 206.2002, 28.4712, 28.4712},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct placed half, all;

        if (place(clouds, 50, (double)rows[i].limit_ms, &half, err) != 0 ||
            place(clouds, 1, (double)rows[i].limit_ms, &all, err) != 0)
            return -1;
        row("ms, 50 % idle: greedy", rows[i].limit_ms,
            (const double[2]){rows[i].greedy_50, half.greedy}, -1);
        row("ms, 50 % idle: exact (optimum recomputed)", rows[i].limit_ms,
            (const double[2]){rows[i].exact_50, half.exact}, half.seconds);
        row("ms, 99 % idle: greedy", rows[i].limit_ms,
            (const double[2]){rows[i].greedy_99, all.greedy}, -1);
        row("ms, 99 % idle: exact (optimum recomputed)", rows[i].limit_ms,
            (const double[2]){rows[i].exact_99, all.exact}, all.seconds);
        if (half.exact < half.greedy - 5e-5)
            bench_table_note("%zu ms: the exact placement emits %.2f %% less than the paper's.",
                             rows[i].limit_ms, 100 * (1 - half.exact / half.greedy));
    }
    return 0;
}

int bench_limits(const char *folder, struct gl_error *err)
{
    struct year year = {0};
    struct clouds clouds;
    int result;

    if (bench_csv_read(folder, ZONES, &year.csv, err) != 0)
        return -1;
    if (year.csv.rows != YEAR) {
        bench_csv_done(&year.csv);
        return gl_fail(err, GL_E_IO, "%s does not hold the hours of a year", ZONES);
    }
    year.cost = gl_alloc(year.csv.columns * YEAR * sizeof *year.cost);
    for (size_t zone = 0; zone < year.csv.columns; zone++) {
        int64_t *line = bench_csv_line(&year.csv, zone);

        memcpy(year.cost + zone * YEAR, line, YEAR * sizeof *line);
        free(line);
    }
    bench_table_title("Limits study (EuroSys 2024), 123 zones, 2022");
    in_time(&year);
    one_and_unlimited(&year);
    result = read_clouds(folder, &year, &clouds, err);
    if (result == 0)
        result = in_capacity(&clouds, err);
    free(year.cost);
    bench_csv_done(&year.csv);
    return result;
}
