/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/bench.h"

#include "base/file.h"
#include "broker/demand.h"
#include "providers/data/data.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* A million demand signals clustered, each made just before it is added: made-up launches over the
 * regions of the tables. What making them costs is measured alone and taken off; in processor time.
 * In a process of its own each, so that the peak is its own. */

#define SIGNALS 1000000

struct demand_case {
    const char *title;
    unsigned rules, days; /* limits in g/kWh; days that they are spread over */
    bool costs_time;      /* each cost another time */
};

/* Of this process: the load of others has no part in it. */
static double processor_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static uint64_t next(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *state >> 16;
}

static void make(const struct demand_case *of, const struct gl_region_row *regions, size_t count,
                 uint64_t *state, struct gl_demand *out)
{
    const struct gl_region_row *row = &regions[next(state) % count];

    snprintf(out->provider, sizeof out->provider, "%s", row->cloud);
    snprintf(out->region, sizeof out->region, "%s", row->region);
    snprintf(out->rule, sizeof out->rule,
             "intensity<=%ug/kWh;location;average;lifecycle;hourly;grade>=C;data-age<=10800s",
             (unsigned)(next(state) % of->rules) * 5 + 20);
    snprintf(out->launch_key, sizeof out->launch_key, "%012llx",
             (unsigned long long)(next(state) & UINT64_C(0xffffffffffff)));
    out->at_ms = INT64_C(1767225600000) + (int64_t)(next(state) % of->days) * 86400000;
    out->found_u = (int64_t)(next(state) % 500) * 1000000;
    out->lost_ms = of->costs_time ? (int64_t)(next(state) % 86400000) : GL_UNKNOWN;
}

static int run(const struct demand_case *of, bool adds, double *out_s, size_t *out_clusters,
               struct gl_error *err)
{
    const struct gl_region_row *regions;
    size_t count = gl_data_regions(&regions);
    struct gl_clustering *clustering = gl_clustering_new();
    struct gl_demand one = {.limit_u = 100000000,
                            .key = GL_KEY_MAX_INTENSITY,
                            .wanted_ms = 6 * 3600 * 1000,
                            .extra_ug = GL_UNKNOWN};
    uint64_t state = 1;
    double start = processor_s();
    int result = 0;

    for (size_t i = 0; i < SIGNALS && result == 0; i++) {
        make(of, regions, count, &state, &one);
        if (adds)
            result = gl_clustering_add(clustering, &one, err);
    }
    gl_clustering_end(clustering, out_clusters);
    *out_s = processor_s() - start;
    gl_clustering_free(clustering);
    return result;
}

static int show(const struct demand_case *of)
{
    struct gl_error err = {0};
    double made_s, took_s;
    size_t clusters;
    long before, peak;

    if (run(of, false, &made_s, &clusters, &err) != 0)
        return 1;
    bench_peak_reset();
    before = bench_peak_kib();
    if (run(of, true, &took_s, &clusters, &err) != 0) {
        printf("  %s\n", err.text);
        return 1;
    }
    peak = bench_peak_kib();
    printf("  %-34s %6zu clusters  %5.2f s  %5.1f MiB\n", of->title, clusters, took_s - made_s,
           (double)(peak - before) / 1024);
    return 0;
}

static const struct demand_case cases[] = {
    {"a million, four rules, 90 days", 4, 90, false},
    {"a million, 60 rules, 3,650 days", 60, 3650, true},
};
#define CASES (sizeof cases / sizeof cases[0])

/* In a process of its own. */
static int apart(const struct demand_case *of, const char *path,
                 int (*measure)(const struct demand_case *of, const char *path),
                 struct gl_error *err)
{
    int status;
    pid_t pid;

    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        status = measure(of, path);
        fflush(stdout);
        _exit(status);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0)
        return gl_fail(err, GL_E_INTERNAL, "the measurement ended early");
    return 0;
}

static int show_memory(const struct demand_case *of, const char *path)
{
    (void)path;
    return show(of);
}

int bench_demand(struct gl_error *err)
{
    for (size_t i = 0; i < CASES; i++)
        if (apart(&cases[i], NULL, show_memory, err) != 0)
            return -1;
    return 0;
}

/* ---- out of the ledger ---- */

/* Behind its back and in one transaction: a million events one by one are a million syncs. The
 * hashes are made up, which no reading asks about but `ledger check`. */
static int write_events(const struct demand_case *of, const char *path)
{
    const struct gl_region_row *regions;
    size_t count = gl_data_regions(&regions);
    struct gl_demand one = {.limit_u = 100000000,
                            .key = GL_KEY_MAX_INTENSITY,
                            .wanted_ms = 6 * 3600 * 1000,
                            .extra_ug = GL_UNKNOWN};
    sqlite3_stmt *insert = NULL;
    sqlite3 *db = NULL;
    uint64_t state = 1;
    int failed = sqlite3_open(path, &db) != SQLITE_OK ||
                 sqlite3_exec(db, "PRAGMA synchronous = OFF; BEGIN", NULL, NULL, NULL) != 0 ||
                 sqlite3_prepare_v2(db, "INSERT INTO events VALUES(?,?,'demand','',?,'','')", -1,
                                    &insert, NULL) != SQLITE_OK;

    for (int i = 1; i <= SIGNALS && !failed; i++) {
        struct gl_error err = {0};
        json_t *body;
        char *text;

        make(of, regions, count, &state, &one);
        body = json_pack("{s:[o]}", "signals", gl_demand_json(&one));
        text = gl_json_canonical(body, &err);
        sqlite3_bind_int(insert, 1, i);
        sqlite3_bind_int64(insert, 2, one.at_ms);
        sqlite3_bind_text(insert, 3, text, -1, SQLITE_STATIC);
        failed = sqlite3_step(insert) != SQLITE_DONE;
        sqlite3_reset(insert);
        free(text);
        json_decref(body);
    }
    sqlite3_finalize(insert);
    failed |= sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) != SQLITE_OK;
    sqlite3_close(db);
    return failed;
}

/* -1 with what went wrong printed. */
static int read_once(const char *path, double *out_s, size_t *out_clusters)
{
    struct gl_world *world = gl_world_fixed_new(INT64_C(1767225600000), 1, NULL);
    struct gl_error err = {0};
    double start = processor_s();
    struct gl_ledger *ledger = gl_ledger_open(path, world, 0, &err);
    struct gl_clustering *clustering =
        ledger != NULL ? gl_demand_clusters(ledger, &(struct gl_demand_ask){0, false}, &err) : NULL;

    if (clustering != NULL)
        gl_clustering_end(clustering, out_clusters);
    else
        printf("  %s\n", err.text);
    *out_s = processor_s() - start;
    gl_clustering_free(clustering);
    gl_ledger_close(ledger);
    gl_world_fixed_free(world);
    return clustering != NULL ? 0 : -1;
}

/* As after an older version: all events are taken into the projection first. */
static int show_first(const struct demand_case *of, const char *path)
{
    size_t clusters;
    double took_s;

    if (write_events(of, path) != 0 || read_once(path, &took_s, &clusters) != 0)
        return 1;
    printf("  %-34s taken into the projection, once  %5.2f s\n", of->title, took_s);
    return 0;
}

static int show_read(const struct demand_case *of, const char *path)
{
    size_t clusters;
    long before, peak;
    double took_s;

    bench_peak_reset();
    before = bench_peak_kib();
    if (read_once(path, &took_s, &clusters) != 0)
        return 1;
    peak = bench_peak_kib();
    printf("  %-34s %6zu clusters  %5.2f s  %5.1f MiB more, %5.1f MiB in all\n", of->title,
           clusters, took_s, (double)(peak - before) / 1024, (double)peak / 1024);
    return 0;
}

static int make_ledger(const char *path, struct gl_error *err)
{
    struct gl_world *world = gl_world_fixed_new(INT64_C(1767225600000), 1, NULL);
    struct gl_ledger *ledger = gl_ledger_open(path, world, 0, err);

    gl_ledger_close(ledger);
    gl_world_fixed_free(world);
    return ledger != NULL ? 0 : -1;
}

int bench_demand_ledger(const char *folder, struct gl_error *err)
{
    char path[4096];

    for (size_t i = 0; i < CASES; i++) {
        snprintf(path, sizeof path, "%s/demand-%zu.db", folder, i);
        if (make_ledger(path, err) != 0 || apart(&cases[i], path, show_first, err) != 0 ||
            apart(&cases[i], path, show_read, err) != 0)
            return -1;
        unlink(path);
    }
    return 0;
}
