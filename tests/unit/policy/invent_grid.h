/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_TESTS_INVENT_GRID_H
#define GL_TESTS_INVENT_GRID_H

/* An invented grid: a daily cycle and weather that fades slowly, with a provider that issues a
 * 96-hour forecast every midnight. Same seed, same grid. */

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "policy/guarantee/ensemble.h"
#include "policy/guarantee/guarantee.h"

#define GRID_DAYS  480
#define GRID_HOURS ((size_t)GRID_DAYS * 24)
#define GRID_START (INT64_C(16000) * 86400) /* a midnight of 2013 */
#define GRID_ISSUE 96

struct grid {
    float value[GRID_HOURS];
    uint8_t state[GRID_HOURS];
    struct gl_actuals actuals;
    struct gl_issue issue[GRID_DAYS];
    float issued[GRID_DAYS][GRID_ISSUE];
    uint8_t issued_state[GRID_DAYS][GRID_ISSUE];
    struct gl_issues issues;
};

static uint64_t grid_word;

/* Roughly normal, deviation 1. */
static inline float grid_noise(void)
{
    float sum = 0;

    for (int i = 0; i < 12; i++) {
        grid_word = grid_word * 6364136223846793005u + 1442695040888963407u;
        sum += (float)(grid_word >> 40) / 16777216.0F;
    }
    return sum - 6;
}

static inline int64_t grid_time(size_t hour)
{
    return GRID_START + (int64_t)hour * GL_HOUR_S;
}

static inline float grid_cycle(size_t hour)
{
    return 300 + 80 * sinf((float)(hour % 24) * 0.2617994F);
}

static inline void grid_issue(struct grid *grid, size_t day)
{
    for (size_t k = 0; k < GRID_ISSUE; k++) {
        size_t hour = day * 24 + k;
        float weather = hour < GRID_HOURS ? grid->value[hour] - grid_cycle(hour) : 0;

        grid->issued[day][k] = grid_cycle(hour) + weather * expf(-(float)k / 24) + 8 * grid_noise();
        grid->issued_state[day][k] = GL_HOUR_KNOWN;
    }
    grid->issue[day] = (struct gl_issue){.received_s = grid_time(day * 24),
                                         .start_s = grid_time(day * 24),
                                         .count = GRID_ISSUE,
                                         .value = grid->issued[day],
                                         .state = grid->issued_state[day]};
}

/* On the heap: free() it. */
static inline struct grid *grid_new(uint64_t seed)
{
    struct grid *grid = calloc(1, sizeof *grid);
    float weather = 0;

    grid_word = seed * 2654435761u + 12345;
    for (size_t i = 0; i < GRID_HOURS; i++) {
        weather = 0.97F * weather + 12 * grid_noise();
        grid->value[i] = fmaxf(0, grid_cycle(i) + weather);
        grid->state[i] = GL_HOUR_KNOWN;
    }
    for (size_t day = 0; day < GRID_DAYS; day++)
        grid_issue(grid, day);
    grid->actuals = (struct gl_actuals){GRID_START, GRID_HOURS, grid->value, grid->state, 0};
    grid->issues = (struct gl_issues){GRID_DAYS, grid->issue};
    return grid;
}

static inline void grid_fill(struct grid *grid, float value)
{
    for (size_t i = 0; i < GRID_HOURS; i++)
        grid->value[i] = value;
}

/* The track of hours [from, until] of the grid; `issues` may be NULL. */
static inline bool grid_track(struct gl_arena *arena, const struct grid *grid,
                              const struct gl_issues *issues, size_t from, size_t until,
                              struct gl_track *out_track)
{
    const struct gl_track_options options = {48, grid_time(from), grid_time(until)};

    return gl_track_build(arena, &grid->actuals, issues, &options, out_track);
}

static inline struct gl_guarantee_rule grid_rule(enum gl_leg_kind kind, float limit,
                                                 double probability)
{
    struct gl_guarantee_rule rule = {.count = 1, .probability = probability};

    rule.leg[0] = (struct gl_leg){kind, limit};
    return rule;
}

#endif
