/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/schedule/plan.h"
#include "policy/schedule/transport.h"
#include "policy/schedule/window.h"
#include "tests/bench/bench.h"
#include "tests/bench/bench_paper.h"

#include <stdlib.h>

/* How the planning forms grow, on invented series. */

#define REGIONS 200
#define YEAR    8760
#define ROUNDS  25

/* xorshift64 (Marsaglia 2003): invented intensities, 20 to 819 g/kWh. */
static int64_t invented(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return (20 + (int64_t)(*state % 800)) * GL_COST_PER_G;
}

/* ---- window search against a plain read of the same memory ---- */

static int64_t read_all(const int64_t *sum, size_t count)
{
    int64_t total[4] = {0};

    for (size_t i = 0; i + 4 <= count; i += 4) {
        total[0] += sum[i];
        total[1] += sum[i + 1];
        total[2] += sum[i + 2];
        total[3] += sum[i + 3];
    }
    return total[0] + total[1] + total[2] + total[3];
}

static void windows(void)
{
    const size_t count = (size_t)REGIONS * (YEAR + 1);
    int64_t *sum = gl_alloc(count * sizeof *sum), *cost = gl_alloc(YEAR * sizeof *cost);
    double query = 1e9, floor = 1e9, before = bench_now_s(), built;
    struct gl_window window = {0};
    volatile int64_t kept;
    uint64_t state = 88172645463325252ULL;
    size_t line = 0;

    for (size_t r = 0; r < REGIONS; r++) {
        for (size_t h = 0; h < YEAR; h++)
            cost[h] = invented(&state);
        gl_window_prefix(cost, YEAR, sum + r * (YEAR + 1));
    }
    built = bench_now_s() - before;
    /* In turn, so that both see the same noise; the best of each. */
    for (int round = 0; round < ROUNDS; round++) {
        before = bench_now_s();
        kept = read_all(sum, count);
        if (bench_now_s() - before < floor)
            floor = bench_now_s() - before;
        before = bench_now_s();
        gl_window_best_of(sum, REGIONS, YEAR, 24, &line, &window);
        if (bench_now_s() - before < query)
            query = bench_now_s() - before;
    }
    (void)kept;
    bench_table_note("Best 24 h window of %d regions x %d h: %.2f ms a query; reading the same "
                     "%.1f MB: %.2f ms; ratio %.2f (prefix sums built in %.0f ms)",
                     REGIONS, YEAR, query * 1e3, (double)(count * sizeof *sum) / 1e6, floor * 1e3,
                     query / floor, built * 1e3);
    free(sum);
    free(cost);
}

/* ---- regions ---- */

struct world {
    int64_t *cost, *move;
    int *where;
    struct gl_region_lines lines;
};

static struct world world_of(size_t regions, size_t slots)
{
    struct world world = {0};
    uint64_t state = 362436069ULL;

    world.cost = gl_alloc(regions * slots * sizeof *world.cost);
    world.move = gl_alloc(regions * slots * sizeof *world.move);
    world.where = gl_alloc(slots * sizeof *world.where);
    for (size_t i = 0; i < regions * slots; i++) {
        world.cost[i] = invented(&state);
        world.move[i] = world.cost[i] / 4;
    }
    world.lines = (struct gl_region_lines){.regions = regions,
                                           .slots = slots,
                                           .cost = world.cost,
                                           .leave = world.move,
                                           .enter = world.move,
                                           .home = 0,
                                           .latest_start = SIZE_MAX};
    return world;
}

static void world_done(struct world *world)
{
    free(world->cost);
    free(world->move);
    free(world->where);
}

static double time_of(const struct world *world, size_t work, bool has_pauses)
{
    const struct gl_pause_rules rules = {.start_slots = 0.1};
    double best = 1e9;

    for (int round = 0; round < 5; round++) {
        struct gl_arena arena = {0};
        const double before = bench_now_s();
        int64_t cost;

        if (has_pauses)
            gl_region_pause(&world->lines, work, &rules, &arena, world->where, &cost);
        else
            gl_region_run(&world->lines, 0, work, &arena, world->where, &cost);
        if (bench_now_s() - before < best)
            best = bench_now_s() - before;
        gl_arena_done(&arena);
    }
    return best;
}

static void regions(void)
{
    static const size_t counts[] = {25, 50, 100, 200, 400};

    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        struct world world = world_of(counts[i], 384);
        const double run = time_of(&world, 384, false);
        const double paused = time_of(&world, 24, true);

        bench_table_note("%3zu regions x 384 h: run through with moves %6.2f ms (%.1f ns a cell), "
                         "24 h of work with pauses and moves %7.2f ms (%.1f ns a cell)",
                         counts[i], run * 1e3, run * 1e9 / (double)(counts[i] * 384), paused * 1e3,
                         paused * 1e9 / (double)(counts[i] * 384 * 24));
        world_done(&world);
    }
}

static int transports(struct gl_error *err)
{
    for (size_t count = 25; count <= 100; count *= 2) {
        int64_t *cost = gl_alloc(count * count * sizeof *cost);
        int64_t *load = gl_alloc(2 * count * sizeof *load);
        struct gl_transport problem = {.origins = count,
                                       .places = count,
                                       .load = load,
                                       .capacity = load + count,
                                       .cost = cost};
        struct gl_transport_answer answer;
        struct gl_arena arena = {0};
        uint64_t state = 521288629ULL;
        double before;
        int result;

        for (size_t i = 0; i < count * count; i++)
            cost[i] = invented(&state);
        for (size_t i = 0; i < 2 * count; i++)
            load[i] = invented(&state) / GL_COST_PER_G * (i < count ? 1 : 2);
        before = bench_now_s();
        result = gl_transport_solve(&problem, &arena, &answer, err);
        bench_table_note("%3zu origins x %3zu places: exact transport in %.2f ms", count, count,
                         (bench_now_s() - before) * 1e3);
        gl_arena_done(&arena);
        free(cost);
        free(load);
        if (result != 0)
            return -1;
    }
    return 0;
}

/* ---- whole plans on ensembles ---- */

#define PATHS  300
#define HOURS  96
#define PLACES 10

struct futures {
    float value[PLACES][PATHS * HOURS], central[PLACES][HOURS];
    struct gl_ensemble ensemble[PLACES];
    struct gl_plan_place places[PLACES];
};

static struct futures *futures_new(void)
{
    struct futures *futures = gl_alloc(sizeof *futures);
    uint64_t state = 123456789ULL;

    for (size_t p = 0; p < PLACES; p++) {
        for (size_t h = 0; h < HOURS; h++)
            futures->central[p][h] = (float)invented(&state) / GL_COST_PER_G;
        for (size_t i = 0; i < (size_t)PATHS * HOURS; i++)
            futures->value[p][i] =
                futures->central[p][i % HOURS] + (float)invented(&state) / (8 * GL_COST_PER_G);
        futures->ensemble[p] = (struct gl_ensemble){.hours = HOURS,
                                                    .paths = PATHS,
                                                    .value = futures->value[p],
                                                    .central = futures->central[p]};
        futures->places[p] = (struct gl_plan_place){.intensity = &futures->ensemble[p], .pue = 1.2};
    }
    return futures;
}

static int plans(struct gl_error *err)
{
    static const struct {
        const char *what;
        size_t places;
        bool may_pause, may_place, may_move;
    } rows[] = {
        {"one place, one window", 1, false, false, false},
        {"one place, pauses", 1, true, false, false},
        {"ten places, launch anywhere", PLACES, false, true, false},
        {"ten places, pauses and moves", PLACES, true, true, true},
    };
    struct futures *futures = futures_new();
    int result = 0;

    for (size_t i = 0; result == 0 && i < sizeof rows / sizeof rows[0]; i++) {
        const struct gl_plan_request request = {
            .places = futures->places,
            .count = rows[i].places,
            .work_hours = 24,
            .latest_start_h = SIZE_MAX,
            .deadline_h = SIZE_MAX,
            .kwh_per_hour = 0.4,
            .start_kwh = 0.02,
            .may_pause = rows[i].may_pause,
            .may_place = rows[i].may_place,
            .may_move = rows[i].may_move,
            .copy = {50, GL_COPY_KWH_BEST, 10, 0.1},
            .confidence = 0.95,
        };
        struct gl_arena arena = {0};
        struct gl_plan plan;
        const double before = bench_now_s();

        result = gl_plan_make(&request, &arena, &plan, err);
        bench_table_note("24 h job in 96 h on %d paths, %s: planned and judged in %.2f ms", PATHS,
                         rows[i].what, (bench_now_s() - before) * 1e3);
        gl_arena_done(&arena);
    }
    free(futures);
    return result;
}

int bench_schedule(struct gl_error *err)
{
    printf("\n  Planning on invented series\n");
    windows();
    regions();
    if (transports(err) != 0)
        return -1;
    return plans(err);
}
