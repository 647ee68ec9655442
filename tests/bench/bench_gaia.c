/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/schedule/pause.h"
#include "policy/schedule/window.h"
#include "tests/bench/bench.h"
#include "tests/bench/bench_gaia_queue.h"
#include "tests/bench/bench_paper.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* GAIA (ASPLOS 2024), figures 8, 10, 11 and 12: 1,000 jobs of a week against 720 hours of South
 * Australia, in units of 5 s, 1 W per core. Settings as in its repository at commit 62a5efc. The
 * starts come from policy/schedule; Carbon-Time and the threshold are rules of that paper. */

#define UNITS_PER_HOUR 720
#define HOURS          720
#define UNITS          ((size_t)HOURS * UNITS_PER_HOUR)
#define SHORT_UNITS    1440
#define ON_DEMAND      (0.0624 / UNITS_PER_HOUR)
#define SPOT           (0.01248 / UNITS_PER_HOUR)
#define RESERVED       0.4
#define MOST_JOBS      2000
#define MOST_PIECES    64

struct job {
    size_t arrival, length, wait, expected, cpus;
    bool is_short; /* at most 2 h: may run on spot */
};

/* What is queued: a job or, where it pauses, one of its runs. */
struct item {
    size_t arrival, latest, length, cpus;
    bool is_short;
};

struct trace {
    int64_t hour[HOURS];
    int64_t *sum; /* of units, each at its hour's intensity */
    struct job jobs[MOST_JOBS];
    size_t count;
};

enum policy {
    NO_WAIT,
    LOWEST_SLOT,
    LOWEST_WINDOW,
    CARBON_TIME,
    ECOVISOR,
    WAIT_AWHILE,
    WAIT_AWHILE_FIRST,
    ALL_WAIT,
    TRUE_WINDOW,
    TRUE_CARBON_TIME,
};

struct setting {
    enum policy policy;
    size_t reserved;
    bool is_eager; /* starts before its time when a reserved core is free */
    bool has_spot;
};

struct outcome {
    double carbon, cost, seconds;
};

/* ---- data ---- */

static int read_jobs(const char *folder, struct trace *trace, struct gl_error *err)
{
    double short_sum = 0, long_sum = 0;
    size_t shorts = 0, longs = 0;
    char line[128];
    bool is_pipe;
    FILE *file = bench_open(folder, "gaia/pai_1k.csv", &is_pipe, err);

    if (file == NULL)
        return -1;
    while (fgets(line, sizeof line, file) != NULL && trace->count < MOST_JOBS) {
        struct job *job = &trace->jobs[trace->count];
        double arrival, length;

        if (sscanf(line, "%lf,%lf,%zu", &arrival, &length, &job->cpus) != 3)
            continue;
        length /= 5;
        trace->count++;
        job->arrival = (size_t)(arrival / 5);
        job->length = (size_t)length;
        job->is_short = length <= SHORT_UNITS;
        short_sum += length <= SHORT_UNITS ? length : 0;
        long_sum += length >= SHORT_UNITS ? length : 0;
        shorts += length <= SHORT_UNITS;
        longs += length >= SHORT_UNITS;
    }
    bench_close(file, is_pipe);
    for (size_t i = 0; i < trace->count; i++) {
        struct job *job = &trace->jobs[i];
        const bool is_queued_short = job->length < SHORT_UNITS;

        job->wait = (is_queued_short ? 6 : 24) * UNITS_PER_HOUR;
        job->expected =
            (size_t)(is_queued_short ? short_sum / (double)shorts : long_sum / (double)longs);
    }
    return trace->count > 0 ? 0 : gl_fail(err, GL_E_IO, "gaia/pai_1k.csv holds no jobs");
}

static int read_trace(const char *folder, struct trace *trace, struct gl_error *err)
{
    struct bench_csv csv;
    int64_t *unit;

    if (bench_csv_read(folder, "gaia/AU-SA_2022_hours7000_7719.csv", &csv, err) != 0)
        return -1;
    unit = gl_alloc(UNITS * sizeof *unit);
    for (size_t h = 0; h < HOURS && h < csv.rows; h++) {
        trace->hour[h] = gl_cost_of(csv.value[h * csv.columns]);
        for (size_t u = 0; u < UNITS_PER_HOUR; u++)
            unit[h * UNITS_PER_HOUR + u] = trace->hour[h];
    }
    trace->sum = gl_alloc((UNITS + 1) * sizeof *trace->sum);
    gl_window_prefix(unit, UNITS, trace->sum);
    free(unit);
    bench_csv_done(&csv);
    return read_jobs(folder, trace, err);
}

/* ---- when a job starts ---- */

static size_t window_start(const struct trace *trace, const struct job *job, size_t length,
                           size_t step)
{
    const struct gl_window_ask ask = {.length = length,
                                      .earliest = job->arrival,
                                      .latest = job->arrival + job->wait,
                                      .step = step};
    struct gl_window window = {.start = job->arrival};

    gl_window_best(trace->sum, UNITS, &ask, &window);
    return window.start;
}

/* Most carbon saved per time until completion. */
static size_t carbon_time_start(const struct trace *trace, const struct job *job, size_t length)
{
    const int64_t *sum = trace->sum + job->arrival;
    size_t best = 0;
    double best_rate = 0;

    for (size_t i = 0; i <= job->wait && job->arrival + i + length <= UNITS; i += UNITS_PER_HOUR) {
        const int64_t saved = (sum[length] - sum[0]) - (sum[i + length] - sum[i]);
        const double rate = (double)saved / (double)(i + length);

        if (rate > best_rate) {
            best_rate = rate;
            best = i;
        }
    }
    return job->arrival + best;
}

static size_t start_of(const struct trace *trace, const struct job *job, enum policy policy)
{
    switch (policy) {
    case LOWEST_SLOT:
        return window_start(trace, job, 1, 1);
    case LOWEST_WINDOW:
        return window_start(trace, job, job->expected, UNITS_PER_HOUR);
    case TRUE_WINDOW:
        return window_start(trace, job, job->length, UNITS_PER_HOUR);
    case CARBON_TIME:
        return carbon_time_start(trace, job, job->expected);
    case TRUE_CARBON_TIME:
        return carbon_time_start(trace, job, job->length);
    case ALL_WAIT:
        return job->arrival + job->wait;
    default:
        return job->arrival;
    }
}

/* The hours, or parts of hours, between two units. */
static size_t parts_of(const struct trace *trace, size_t from, size_t until,
                       struct gl_pause_part *out)
{
    size_t count = 0;

    for (size_t at = from; at < until; count++) {
        const size_t hour = at / UNITS_PER_HOUR, end = (hour + 1) * UNITS_PER_HOUR;
        const size_t size = (end < until ? end : until) - at;

        out[count] = (struct gl_pause_part){.cost = trace->hour[hour], .at = at, .size = size};
        at += size;
    }
    return count;
}

static int by_time(const void *left, const void *right)
{
    const struct gl_pause_part *a = left, *b = right;

    return a->at < b->at ? -1 : a->at > b->at;
}

static int by_cost(const void *left, const void *right)
{
    const struct gl_pause_part *a = left, *b = right;

    return a->cost < b->cost ? -1 : a->cost > b->cost;
}

/* The 30 % quantile of the next 24 h, between the two units around it. */
static double threshold_of(const struct trace *trace, const struct job *job)
{
    struct gl_pause_part parts[32];
    const size_t end = job->arrival + (size_t)24 * UNITS_PER_HOUR;
    const size_t until = end < UNITS ? end : UNITS;
    const size_t count = parts_of(trace, job->arrival, until, parts);
    const double rank = 0.3 * (double)(until - job->arrival - 1);
    size_t seen = 0;
    double low = 0;
    bool has_low = false;

    qsort(parts, count, sizeof *parts, by_cost);
    for (size_t i = 0; i < count; i++) {
        seen += parts[i].size;
        if (!has_low && (double)seen > floor(rank)) {
            low = (double)parts[i].cost;
            has_low = true;
        }
        if ((double)seen > floor(rank) + 1)
            return low + ((double)parts[i].cost - low) * (rank - floor(rank));
    }
    return low;
}

/* Runs below the threshold and, once it has waited enough, always. */
static void use_threshold(const struct trace *trace, const struct job *job,
                          struct gl_pause_part *parts, size_t count)
{
    const double threshold = threshold_of(trace, job);
    size_t wait = job->wait, work = job->length;

    for (size_t i = 0; i < count; i++) {
        size_t idle = (double)parts[i].cost < threshold ? 0 : parts[i].size;

        idle = idle < wait ? idle : wait;
        wait -= idle;
        parts[i].at += idle;
        parts[i].used = parts[i].size - idle < work ? parts[i].size - idle : work;
        work -= parts[i].used;
    }
}

/* GAIA's first published code counted the start of a job that needs no pause from the beginning of
 * the trace instead of from its arrival: most of these started at once. Its printed figures are of
 * that code. */
static void start_as_first_published(const struct job *job, struct item *only)
{
    const size_t offset = only->latest - job->arrival;

    only->latest = offset > job->arrival ? offset : job->arrival;
}

static bool is_awhile(enum policy policy)
{
    return policy == WAIT_AWHILE || policy == WAIT_AWHILE_FIRST;
}

static size_t pause_items(const struct trace *trace, const struct job *job, enum policy policy,
                          struct item *out)
{
    struct gl_pause_part *parts;
    const size_t end = job->arrival + job->length + job->wait, until = end < UNITS ? end : UNITS;
    size_t count, kept = 0;

    parts = gl_alloc((HOURS + 1) * sizeof *parts);
    count = parts_of(trace, job->arrival, until, parts);
    if (is_awhile(policy)) {
        gl_pause_cheapest_parts(parts, count, job->length);
        qsort(parts, count, sizeof *parts, by_time);
    } else {
        use_threshold(trace, job, parts, count);
    }
    for (size_t i = 0; i < count; i++) {
        if (parts[i].used == 0)
            continue;
        if (kept > 0 && out[kept - 1].latest + out[kept - 1].length == parts[i].at) {
            out[kept - 1].length += parts[i].used;
            continue;
        }
        out[kept++] = (struct item){.arrival = job->arrival,
                                    .latest = parts[i].at,
                                    .length = parts[i].used,
                                    .cpus = job->cpus,
                                    .is_short = job->is_short};
    }
    for (size_t i = 0; is_awhile(policy) && kept > 1 && i < kept; i++)
        out[i].is_short = out[i].length <= SHORT_UNITS;
    if (policy == WAIT_AWHILE_FIRST && kept == 1)
        start_as_first_published(job, out);
    free(parts);
    return kept;
}

/* ---- the cluster ---- */

struct cluster {
    const struct trace *trace;
    const struct setting *setting;
    struct item *items;
    size_t count, free_cores, last_start;
    size_t *queue, *key, *from; /* items that wait, their arrivals, places in the queue */
    size_t waiting, arrived, last_event;
    bool *is_event;
    size_t *release;
    struct outcome outcome;
};

static void submit(struct cluster *cluster, const struct item *item, size_t now)
{
    const int64_t *sum = cluster->trace->sum;
    const double core_units = (double)item->cpus * (double)item->length;
    const int64_t cost = sum[now + item->length] - sum[now];

    cluster->outcome.carbon +=
        (double)cost / GL_COST_PER_G / 1000 / UNITS_PER_HOUR * (double)item->cpus;
    cluster->last_start = now > cluster->last_start ? now : cluster->last_start;
    if (cluster->setting->has_spot && item->is_short) {
        cluster->outcome.cost += core_units * SPOT;
    } else if (cluster->free_cores >= item->cpus) {
        cluster->free_cores -= item->cpus;
        cluster->release[now + item->length] += item->cpus;
        cluster->is_event[now + item->length] = cluster->is_event[now + item->length + 1] = true;
    } else {
        cluster->outcome.cost += core_units * ON_DEMAND;
    }
}

static bool is_due(const struct cluster *cluster, const struct item *item, size_t now)
{
    if (now >= item->latest)
        return true;
    if (!cluster->setting->is_eager || cluster->free_cores < item->cpus)
        return false;
    return !cluster->setting->has_spot || !item->is_short;
}

/* What waits, in the order it is served. The order matters for reserved cores only. */
static void order_queue(struct cluster *cluster, size_t now)
{
    const bool has_order = cluster->setting->reserved > 0;

    for (size_t i = 0; i < cluster->waiting; i++)
        cluster->key[i] = cluster->items[cluster->queue[i]].arrival;
    if (has_order && now > cluster->last_event + 1)
        gaia_queue_wait(cluster->key, cluster->queue, cluster->waiting,
                        now - cluster->last_event - 1);
    for (; cluster->arrived < cluster->count && cluster->items[cluster->arrived].arrival <= now;
         cluster->arrived++) {
        cluster->key[cluster->waiting] = cluster->items[cluster->arrived].arrival;
        cluster->queue[cluster->waiting++] = cluster->arrived;
    }
    for (size_t i = 0; i < cluster->waiting; i++)
        cluster->from[i] = i;
    if (has_order)
        gaia_queue_pop_all(cluster->key, cluster->waiting, cluster->from);
    cluster->last_event = now;
}

static void run_cluster(struct cluster *cluster)
{
    for (size_t now = 0; now < UNITS; now++) {
        size_t kept = 0;

        if (!cluster->is_event[now])
            continue;
        order_queue(cluster, now);
        for (size_t i = 0; i < cluster->waiting; i++) {
            const size_t item = cluster->queue[cluster->from[i]];

            if (is_due(cluster, &cluster->items[item], now))
                submit(cluster, &cluster->items[item], now);
            else
                cluster->key[kept++] = item;
        }
        memcpy(cluster->queue, cluster->key, kept * sizeof *cluster->queue);
        cluster->waiting = kept;
        /* What ends now is free from the next unit on. */
        cluster->free_cores += cluster->release[now];
    }
}

static size_t make_items(const struct trace *trace, enum policy policy, struct item *out)
{
    size_t count = 0;

    for (size_t i = 0; i < trace->count; i++) {
        const struct job *job = &trace->jobs[i];

        if (job->length == 0)
            continue;
        if (is_awhile(policy) || policy == ECOVISOR) {
            count += pause_items(trace, job, policy, out + count);
            continue;
        }
        out[count++] = (struct item){.arrival = job->arrival,
                                     .latest = start_of(trace, job, policy),
                                     .length = job->length,
                                     .cpus = job->cpus,
                                     .is_short = job->is_short};
    }
    return count;
}

static struct outcome simulate(const struct trace *trace, struct setting setting)
{
    const double before = bench_now_s();
    struct cluster cluster = {.trace = trace, .setting = &setting};

    cluster.items = gl_alloc(trace->count * MOST_PIECES * sizeof *cluster.items);
    cluster.is_event = gl_alloc((UNITS + 2) * sizeof *cluster.is_event);
    cluster.release = gl_alloc((UNITS + 2) * sizeof *cluster.release);
    cluster.free_cores = setting.reserved;
    cluster.count = make_items(trace, setting.policy, cluster.items);
    cluster.queue = gl_alloc(3 * (cluster.count + 1) * sizeof *cluster.queue);
    cluster.key = cluster.queue + cluster.count + 1;
    cluster.from = cluster.key + cluster.count + 1;
    for (size_t i = 0; i < cluster.count; i++)
        cluster.is_event[cluster.items[i].arrival] = cluster.is_event[cluster.items[i].latest] =
            true;
    run_cluster(&cluster);
    cluster.outcome.cost +=
        (double)setting.reserved * RESERVED * (double)cluster.last_start * ON_DEMAND;
    free(cluster.queue);
    free(cluster.items);
    free(cluster.is_event);
    free(cluster.release);
    cluster.outcome.seconds = bench_now_s() - before;
    return cluster.outcome;
}

/* ---- the tables ---- */

static void figure_8(const struct trace *trace, double base)
{
    static const struct {
        const char *what;
        enum policy policy;
        double paper;
    } rows[] = {
        {"GAIA fig 8 NoWait", NO_WAIT, 1},
        {"GAIA fig 8 Lowest-Slot", LOWEST_SLOT, 0.780037},
        {"GAIA fig 8 Lowest-Window (mean length)", LOWEST_WINDOW, 0.683704},
        {"GAIA fig 8 Carbon-Time", CARBON_TIME, 0.724888},
        {"GAIA fig 8 Ecovisor", ECOVISOR, 0.639105},
        {"GAIA fig 8 Wait Awhile, its code", WAIT_AWHILE, 0.546196},
        {"GAIA fig 8 Wait Awhile, printed (first code)", WAIT_AWHILE_FIRST, 0.607509},
        {"GAIA Lowest-Window, true lengths (recomputed)", TRUE_WINDOW, 0.614376},
        {"GAIA Carbon-Time, true lengths (recomputed)", TRUE_CARBON_TIME, 0.657892},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct outcome got = simulate(trace, (struct setting){.policy = rows[i].policy});

        bench_table_row(&(struct bench_row){.what = rows[i].what,
                                            .paper = rows[i].paper,
                                            .ours = got.carbon / base,
                                            .digits = 6,
                                            .seconds = got.seconds});
    }
}

static void two_rows(const char *what, struct outcome got, const double paper[2],
                     const double base[2])
{
    char name[64];

    snprintf(name, sizeof name, "%s carbon", what);
    bench_table_row(&(struct bench_row){.what = name,
                                        .paper = paper[0],
                                        .ours = got.carbon / base[0],
                                        .digits = base[0] > 1 ? 6 : 4,
                                        .seconds = got.seconds});
    snprintf(name, sizeof name, "%s cost", what);
    bench_table_row(&(struct bench_row){.what = name,
                                        .paper = paper[1],
                                        .ours = got.cost / base[1],
                                        .digits = base[1] > 1 ? 6 : 4,
                                        .seconds = -1});
}

static void figure_10(const struct trace *trace, double base)
{
    static const struct {
        const char *what;
        enum policy policy;
        bool is_eager;
        double paper[2];
    } rows[] = {
        {"GAIA fig 10 NoWait", NO_WAIT, false, {1, 0.851234}},
        {"GAIA fig 10 AllWait-Threshold", ALL_WAIT, true, {0.921652, 0.715772}},
        {"GAIA fig 10 Ecovisor", ECOVISOR, false, {0.639105, 0.996330}},
        {"GAIA fig 10 Carbon-Time", CARBON_TIME, false, {0.724888, 1}},
        {"GAIA fig 10 RES-First-Carbon-Time", CARBON_TIME, true, {0.854406, 0.783703}},
        {"GAIA fig 10 Wait Awhile, its code", WAIT_AWHILE, false, {0.546196, 1.046119}},
        {"GAIA fig 10 Wait Awhile, printed", WAIT_AWHILE_FIRST, false, {0.607509, 0.984101}},
    };
    const double reference =
        simulate(trace, (struct setting){.policy = CARBON_TIME, .reserved = 9}).cost;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        two_rows(rows[i].what,
                 simulate(trace, (struct setting){.policy = rows[i].policy,
                                                  .reserved = 9,
                                                  .is_eager = rows[i].is_eager}),
                 rows[i].paper, (const double[2]){base, reference});
}

static void figure_11(const struct trace *trace)
{
    static const double paper[8][2] = {
        {436.4346, 178.2613}, {458.9968, 159.7178}, {480.3223, 142.1485}, {499.8982, 124.2251},
        {521.4924, 108.9403}, {540.4446, 106.5461}, {550.8798, 109.0236}, {556.3805, 110.2621},
    };

    for (size_t i = 0; i < 8; i++) {
        char name[64];

        snprintf(name, sizeof name, "GAIA fig 11 %zu reserved", 3 * (i + 1));
        two_rows(name,
                 simulate(trace, (struct setting){.policy = CARBON_TIME,
                                                  .reserved = 3 * (i + 1),
                                                  .is_eager = true}),
                 paper[i], (const double[2]){1, 1});
    }
}

static void figure_12(const struct trace *trace)
{
    static const struct {
        const char *what;
        struct setting setting;
        double paper;
    } rows[] = {
        {"GAIA fig 12 Spot-First-Carbon-Time cost", {CARBON_TIME, 0, false, true}, 0.858983},
        {"GAIA fig 12 Spot-First-Ecovisor cost", {ECOVISOR, 0, false, true}, 0.858983},
        {"GAIA fig 12 SPOT-RES-Carbon-Time, 9 cost", {CARBON_TIME, 9, true, true}, 0.589779},
        {"GAIA fig 12 SPOT-RES-Carbon-Time, 6 cost", {CARBON_TIME, 6, true, true}, 0.666424},
    };
    const double dearest = simulate(trace, (struct setting){.policy = NO_WAIT}).cost;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct outcome got = simulate(trace, rows[i].setting);

        bench_table_row(&(struct bench_row){.what = rows[i].what,
                                            .paper = rows[i].paper,
                                            .ours = got.cost / dearest,
                                            .digits = 6,
                                            .seconds = got.seconds});
    }
}

int bench_gaia(const char *folder, struct gl_error *err)
{
    struct trace *trace = gl_alloc(sizeof *trace);
    struct outcome base;

    if (read_trace(folder, trace, err) != 0) {
        free(trace->sum);
        free(trace);
        return -1;
    }
    bench_table_title("GAIA (ASPLOS 2024): its own code takes 5.7 to 372 s a policy");
    base = simulate(trace, (struct setting){.policy = NO_WAIT});
    bench_table_row(&(struct bench_row){.what = "GAIA NoWait carbon, g",
                                        .paper = 562.171256,
                                        .ours = base.carbon,
                                        .digits = 6,
                                        .seconds = base.seconds});
    figure_8(trace, base.carbon);
    figure_10(trace, base.carbon);
    figure_11(trace);
    figure_12(trace);
    free(trace->sum);
    free(trace);
    return 0;
}
