/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

double bench_now_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

double bench_processor_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Documentation/filesystems/proc.rst of Linux: 5 resets the peak resident set. */
void bench_peak_reset(void)
{
    FILE *file = fopen("/proc/self/clear_refs", "w");

    if (file == NULL)
        return;
    fputs("5", file);
    fclose(file);
}

long bench_peak_kib(void)
{
    FILE *file = fopen("/proc/self/status", "r");
    char line[256];
    long kib = -1;

    if (file == NULL)
        return -1;
    while (fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "VmHWM: %ld kB", &kib) == 1)
            break;
    fclose(file);
    return kib;
}

static int usage(void)
{
    fputs("usage: bench start PROGRAM | offers | json | demand | demand-ledger FOLDER | energy "
          "FOLDER | papers | planning | "
          "guarantee FOLDER [SUITE] | receipt FILE | aws FOLDER | hook COMMANDS | hook-plan "
          "RESOURCES | "
          "hook-jansson FILE | hook-reader FILE\n",
          stderr);
    return 2;
}

/* Exactly one of the two functions is set. */
static const struct suite {
    const char *name;
    int (*plain)(struct gl_error *err);
    int (*on)(const char *path, struct gl_error *err);
} suites[] = {
    {"offers", bench_offers, NULL},
    {"papers", bench_papers, NULL},
    {"planning", bench_planning, NULL},
    {"start", NULL, bench_start},
    {"energy", NULL, bench_energy},
    {"receipt", NULL, bench_receipt},
    {"aws", NULL, bench_aws},
    {"json", bench_json, NULL},
    {"demand", bench_demand, NULL},
    {"demand-ledger", NULL, bench_demand_ledger},
    {"hook", NULL, bench_hook},
    {"hook-plan", NULL, bench_hook_plan},
    {"hook-jansson", NULL, bench_hook_jansson},
    {"hook-reader", NULL, bench_hook_reader},
};

static const struct suite *suite_of(int argc, char **argv)
{
    for (size_t i = 0; argc > 1 && i < sizeof suites / sizeof suites[0]; i++)
        if (strcmp(argv[1], suites[i].name) == 0 && (suites[i].plain != NULL || argc > 2))
            return &suites[i];
    return NULL;
}

int main(int argc, char **argv)
{
    const struct suite *suite = suite_of(argc, argv);
    struct gl_error err = {0};
    int result;

    if (argc > 1 && strcmp(argv[1], "guarantee") == 0)
        result = bench_guarantee(argc > 2 ? argv[2] : getenv("GREENLAUNCH_BENCH_GRID"),
                                 argc > 3 ? argv[3] : NULL, &err);
    else if (suite == NULL)
        return usage();
    else
        result = suite->plain != NULL ? suite->plain(&err) : suite->on(argv[2], &err);
    if (result != 0)
        printf("  skipped: %s\n", err.text);
    return result == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
