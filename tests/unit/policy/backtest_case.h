/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_TESTS_UNIT_POLICY_BACKTEST_CASE_H
#define GL_TESTS_UNIT_POLICY_BACKTEST_CASE_H

/* Invented places with recorded figures, jobs among them, and the replay of both. */

#include "policy/backtest/backtest.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define DAYS    70
#define HOURS   (DAYS * 24)
#define START_S INT64_C(1704067200) /* 2024-01-01T00:00Z, a whole day */
#define PLACES  2

/* Recorded figures of invented places, and what stands between them and a replay. */
struct scene {
    float value[PLACES][HOURS];
    uint8_t state[PLACES][HOURS];
    struct gl_history history[PLACES];
    const struct gl_history *list[PLACES];
    struct gl_zone_facts zone[PLACES];
    struct gl_backtest_place places[PLACES];
    struct gl_backtest_job jobs[256];
    struct gl_backtest_options options;
    struct gl_arena arena;
    struct gl_backtest_result result;
    struct gl_policy *policy;
};

static inline struct scene *scene_new(size_t places)
{
    struct scene *scene = gl_alloc(sizeof *scene);

    for (size_t p = 0; p < places; p++) {
        struct gl_history *history = &scene->history[p];

        memset(scene->state[p], GL_HOUR_KNOWN, HOURS);
        history->meaning = (struct gl_meaning){.quantity = GL_INTENSITY,
                                               .boundary = GL_LIFECYCLE,
                                               .gases = GL_CO2E,
                                               .accounting = GL_LOCATION};
        snprintf(history->zone, sizeof history->zone, "%c%zu", 'P', p);
        history->actuals = (struct gl_actuals){START_S, HOURS, scene->value[p], scene->state[p], 0};
        history->newest_actual_s = START_S + (HOURS - 1) * GL_HOUR_S;
        scene->list[p] = history;
        memcpy(scene->zone[p].zone, history->zone, sizeof history->zone);
        scene->zone[p].histories = &scene->list[p];
        scene->zone[p].history_count = 1;
        scene->places[p] = (struct gl_backtest_place){&scene->zone[p], history, 1};
    }
    scene->options = (struct gl_backtest_options){
        .places = scene->places,
        .place_count = places,
        .jobs = scene->jobs,
        .confidence = 0.9,
        .guard = {.margin = 0.5, .on_lapse = GL_LAPSE_MOVE},
    };
    return scene;
}

static inline void scene_free(struct scene *scene)
{
    gl_arena_done(&scene->arena);
    gl_policy_free(scene->policy);
    free(scene);
}

static inline struct gl_backtest_job *add_job(struct scene *scene, size_t hour, uint32_t work_h,
                                              uint32_t deadline_h)
{
    struct gl_backtest_job *job = &scene->jobs[scene->options.job_count++];

    *job = (struct gl_backtest_job){.arrival_s = START_S + (int64_t)hour * GL_HOUR_S,
                                    .work_h = work_h,
                                    .deadline_h = deadline_h,
                                    .kwh_per_hour = 2};
    return job;
}

static inline void add_rule(struct scene *scene, const char *intensity)
{
    const char *limits[] = {"max_intensity", intensity, "confidence", "90%", NULL};
    struct gl_error err = {0};

    scene->policy = gl_policy_with_flags(NULL, "rule", limits, &err);
    assert_non_null(scene->policy);
    scene->options.policy = scene->policy;
}

static inline void replay(struct scene *scene)
{
    struct gl_error err = {0};

    if (gl_backtest_run(&scene->options, &scene->arena, &scene->result, &err) != 0)
        fail_msg("%s", err.text);
}

static inline const struct gl_backtest_run *run_of(const struct scene *scene,
                                                   enum gl_backtest_strategy strategy, size_t job)
{
    return &scene->result.runs[strategy][job];
}

static inline void assert_near(double value, double expected)
{
    if (!(fabs(value - expected) <= 1e-6 * (1 + fabs(expected))))
        fail_msg("%.9g is not %.9g", value, expected);
}

#endif
