/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/bench.h"
#include "tests/bench/bench_paper.h"

#include <stdio.h>
#include <stdlib.h>

/* The papers whose problem policy/schedule solves. What has no data is skipped with the reason. */

static const struct paper {
    const char *name;
    int (*run)(const char *folder, struct gl_error *err);
} papers[] = {
    {"GAIA", bench_gaia},          {"Limits study", bench_limits},         {"DACF", bench_dacf},
    {"Dodge et al.", bench_dodge}, {"Forms of planning", bench_migration},
};

static void run(const struct paper *paper, const char *folder, const char *variable)
{
    struct gl_error err = {0};

    if (folder == NULL || *folder == '\0')
        printf("\n  %s: skipped: %s names no folder with its data\n", paper->name, variable);
    else if (paper->run(folder, &err) != 0)
        printf("\n  %s: skipped: %s\n", paper->name, err.text);
}

int bench_planning(struct gl_error *err)
{
    const struct paper awhile = {"Let's Wait Awhile", bench_awhile};
    const struct bench_count *count = bench_table_count();

    for (size_t i = 0; i < sizeof papers / sizeof papers[0]; i++)
        run(&papers[i], getenv("GREENLAUNCH_BENCH_PAPERS"), "GREENLAUNCH_BENCH_PAPERS");
    run(&awhile, getenv("GREENLAUNCH_BENCH_AWHILE"), "GREENLAUNCH_BENCH_AWHILE");
    printf("\n  %d of %d published or recomputed figures are equal to the digits printed\n",
           count->equal, count->rows);
    return bench_schedule(err);
}
