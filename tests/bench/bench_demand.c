/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/bench.h"

#include "policy/demand.h"
#include "providers/data/data.h"

#include <stdio.h>
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

int bench_demand(struct gl_error *err)
{
    static const struct demand_case cases[] = {
        {"a million, four rules, 90 days", 4, 90, false},
        {"a million, 60 rules, 3,650 days", 60, 3650, true},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int status;
        pid_t pid;

        fflush(stdout);
        pid = fork();
        if (pid == 0) {
            status = show(&cases[i]);
            fflush(stdout);
            _exit(status);
        }
        if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0)
            return gl_fail(err, GL_E_INTERNAL, "the measurement ended early");
    }
    return 0;
}
