/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/schedule/region.h"
#include "policy/schedule/window.h"
#include "tests/bench/bench.h"
#include "tests/bench/bench_paper.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What each form of planning saves against running now at home: 1 kW jobs, 2022 lifecycle
 * intensity, every 37th hour a start, every region of a set a home, savings of the mean over homes
 * and starts. A move takes a slot. The reference column was computed before, by a prototype. */

#define YEAR    8760
#define EVERY   37
#define REGIONS 10
#define FORMS   8

struct form {
    const char *what;
    double move_kwh; /* at both ends together; below 0: no move after launch */
    bool may_pause, may_place;
};

static const struct form forms[FORMS] = {
    {"defer at home", -1, false, false},  {"pause at home", -1, true, false},
    {"launch anywhere", -1, false, true}, {"launch anywhere, pause", -1, true, true},
    {"and move, 0 kWh", 0, true, true},   {"and move, 0.2 kWh", 0.2, true, true},
    {"and move, 1 kWh", 1, true, true},   {"and move, 5 kWh", 5, true, true},
};

static const struct row {
    const char *regions[REGIONS + 1];
    size_t work, slack;
    double before[FORMS];
} rows[] = {
    {{"DE", "FR", "GB", "ES", "IE", "IT-NO", "SE-SE3", "NL", "CH", "FI"},
     24,
     24,
     {7.56, 12.93, 91.17, 91.58, 91.58, 91.58, 91.58, 91.58}},
    {{"DE", "FR", "GB", "ES", "IE", "IT-NO", "SE-SE3", "NL", "CH", "FI"},
     72,
     24,
     {3.63, 7.62, 90.95, 91.31, 91.31, 91.31, 91.31, 91.31}},
    {{"DE", "GB", "ES", "IE", "IT-NO", "NL", "PL", "US-CAL-CISO"},
     6,
     24,
     {16.92, 17.63, 65.71, 66.04, 66.30, 66.10, 66.04, 66.04}},
    {{"DE", "GB", "ES", "IE", "IT-NO", "NL", "PL", "US-CAL-CISO"},
     24,
     24,
     {6.29, 11.78, 56.79, 61.00, 63.21, 62.60, 61.58, 61.00}},
    {{"DE", "GB", "ES", "IE", "IT-NO", "NL", "PL", "US-CAL-CISO"},
     72,
     24,
     {3.01, 6.57, 53.42, 55.98, 60.20, 59.48, 57.96, 56.48}},
};

struct problem {
    const struct row *row;
    size_t regions, slots;
    const int64_t *year[REGIONS];
    int64_t *cost, *move;
    int *where;
};

/* The best of one place, or of all; INT64_MAX without any. */
static int64_t stay(const struct problem *problem, const struct form *form, size_t home)
{
    int64_t best = INT64_MAX, got, *room = gl_alloc((problem->slots + 1) * sizeof *room);
    bool *run = gl_alloc(problem->slots * sizeof *run);
    const struct gl_window_ask ask = {.length = problem->row->work, .latest = SIZE_MAX};
    struct gl_window window;

    for (size_t r = 0; r < problem->regions; r++) {
        const int64_t *cost = problem->cost + r * problem->slots;

        if (!form->may_place && r != home)
            continue;
        if (form->may_pause) {
            gl_pause_cheapest(cost, problem->slots, problem->row->work, room, run, &got);
        } else {
            gl_window_prefix(cost, problem->slots, room);
            gl_window_best(room, problem->slots, &ask, &window);
            got = window.cost;
        }
        best = got < best ? got : best;
    }
    free(room);
    free(run);
    return best;
}

static int64_t follow(const struct problem *problem, const struct form *form)
{
    const struct gl_region_lines lines = {.regions = problem->regions,
                                          .slots = problem->slots,
                                          .cost = problem->cost,
                                          .leave = problem->move,
                                          .enter = problem->move,
                                          .home = GL_REGION_NONE,
                                          .copy_slots = 1,
                                          .latest_start = SIZE_MAX};
    const struct gl_pause_rules rules = {0};
    struct gl_arena arena = {0};
    int64_t cost = INT64_MAX;

    for (size_t i = 0; i < problem->regions * problem->slots; i++)
        problem->move[i] = llround(form->move_kwh / 2 * (double)problem->cost[i]);
    gl_region_pause(&lines, problem->row->work, &rules, &arena, problem->where, &cost);
    gl_arena_done(&arena);
    return cost;
}

static void add_start(struct problem *problem, size_t at, double now[1], double best[FORMS])
{
    for (size_t r = 0; r < problem->regions; r++)
        memcpy(problem->cost + r * problem->slots, problem->year[r] + at,
               problem->slots * sizeof *problem->cost);
    for (size_t home = 0; home < problem->regions; home++) {
        for (size_t t = 0; t < problem->row->work; t++)
            *now += (double)problem->cost[home * problem->slots + t];
        best[0] += (double)stay(problem, &forms[0], home);
        best[1] += (double)stay(problem, &forms[1], home);
    }
    for (size_t i = 2; i < FORMS; i++)
        best[i] +=
            (double)problem->regions * (double)(forms[i].move_kwh < 0 ? stay(problem, &forms[i], 0)
                                                                      : follow(problem, &forms[i]));
}

static void run_row(struct problem *problem)
{
    const struct row *row = problem->row;
    const double before = bench_now_s();
    double now = 0, best[FORMS] = {0};
    size_t starts = 0;

    problem->slots = row->work + row->slack;
    problem->cost = gl_alloc(problem->regions * problem->slots * sizeof *problem->cost);
    problem->move = gl_alloc(problem->regions * problem->slots * sizeof *problem->move);
    problem->where = gl_alloc(problem->slots * sizeof *problem->where);
    for (size_t at = 0; at < YEAR - problem->slots; at += EVERY, starts++)
        add_start(problem, at, &now, best);
    for (size_t i = 0; i < FORMS; i++) {
        char name[64];

        snprintf(name, sizeof name, "%zu regions, %zu h + %zu h: %s", problem->regions, row->work,
                 row->slack, forms[i].what);
        bench_table_row(&(struct bench_row){.what = name,
                                            .paper = row->before[i],
                                            .ours = 100 * (1 - best[i] / now),
                                            .digits = 2,
                                            .seconds = i == 0 ? bench_now_s() - before : -1});
    }
    free(problem->cost);
    free(problem->move);
    free(problem->where);
}

int bench_migration(const char *folder, struct gl_error *err)
{
    struct bench_csv csv;

    if (bench_csv_read(folder, "ci2022-123zones/ci_2022_hourly_123zones.csv.gz", &csv, err) != 0)
        return -1;
    bench_table_title(
        "Forms of planning in 2022, saved % of running now at home (all forms' time); "
        "\"paper\" = a prototype");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0] && csv.rows == YEAR; i++) {
        struct problem problem = {.row = &rows[i]};
        int64_t *lines[REGIONS] = {0};

        for (; rows[i].regions[problem.regions] != NULL; problem.regions++) {
            const size_t column = bench_csv_column(&csv, rows[i].regions[problem.regions]);

            if (column == SIZE_MAX)
                break;
            lines[problem.regions] = bench_csv_line(&csv, column);
            problem.year[problem.regions] = lines[problem.regions];
        }
        run_row(&problem);
        for (size_t r = 0; r < REGIONS; r++)
            free(lines[r]);
    }
    bench_csv_done(&csv);
    return 0;
}
