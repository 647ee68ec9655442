/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_TESTS_UNIT_POLICY_SCHEDULE_WORLD_H
#define GL_TESTS_UNIT_POLICY_SCHEDULE_WORLD_H

/* Two places with a few hours of invented futures, and a job with invented wishes. */

#include "policy/schedule/plan.h"
#include "tests/unit/policy/schedule_case.h"

#include <math.h>
#include <string.h>

#define PATHS  24
#define HOURS  7
#define PLACES 2
#define START  INT64_C(1773144000) /* 2026-03-10T12:00:00Z */

struct invented {
    float value[PLACES][PATHS * HOURS], central[PLACES][HOURS], climate[24];
    struct gl_ensemble intensity[PLACES];
    struct gl_plan_place places[PLACES];
    struct gl_plan_request request;
};

static inline void case_fill(uint64_t *seed, struct invented *to, size_t place, bool has_holes)
{
    struct gl_ensemble *ensemble = &to->intensity[place];

    for (size_t h = 0; h < ensemble->hours; h++)
        to->central[place][h] = (float)(10 + case_below(seed, 90));
    for (size_t i = 0; i < ensemble->paths * ensemble->hours; i++) {
        to->value[place][i] =
            to->central[place][i % ensemble->hours] + (float)case_below(seed, 40) - 10;
        if (has_holes && case_below(seed, 60) == 0)
            to->value[place][i] = (float)NAN;
        /* One path is the forecast itself. */
        if (ensemble->paths == 1)
            to->value[place][i] = to->central[place][i];
    }
    ensemble->value = to->value[place];
    ensemble->central = to->central[place];
}

static inline void invent(uint64_t *seed, struct invented *to, size_t paths)
{
    const size_t hours = 1 + (size_t)case_below(seed, HOURS);
    const bool has_holes = case_below(seed, 4) == 0;

    memset(to, 0, sizeof *to);
    for (size_t i = 0; i < 24; i++)
        to->climate[i] = (float)(60 + i);
    for (size_t p = 0; p < PLACES; p++) {
        to->intensity[p] = (struct gl_ensemble){.start_s = START, .hours = hours, .paths = paths};
        case_fill(seed, to, p, has_holes);
        to->places[p] =
            (struct gl_plan_place){.intensity = &to->intensity[p],
                                   .pue = 1 + 0.25 * (double)case_below(seed, 2),
                                   .kwh_per_hour = (double)case_below(seed, 4),
                                   .idle_kwh_per_hour = 4 * (double)case_below(seed, 2)};
    }
    to->request = (struct gl_plan_request){
        .places = to->places,
        .count = PLACES,
        .home = (int)case_below(seed, PLACES),
        .work_hours = 1 + (size_t)case_below(seed, (int64_t)hours),
        .latest_start_h = SIZE_MAX,
        .deadline_h = SIZE_MAX,
        .kwh_per_hour = 2,
        .copy = {.data_gb = 10, .kwh_per_gb = 0.02, .gbit_per_s = 8, .idle_kwh_per_hour = 9},
        .confidence = 0.9,
    };
}

static inline void vary(uint64_t *seed, struct gl_plan_request *request)
{
    request->start_kwh = (double)case_below(seed, 3) / 4;
    request->earliest_start_h = (size_t)case_below(seed, 3);
    if (case_below(seed, 3) == 0)
        request->latest_start_h = (size_t)case_below(seed, HOURS);
    if (case_below(seed, 3) == 0)
        request->deadline_h = (size_t)case_below(seed, HOURS);
    if (case_below(seed, 4) == 0)
        request->copy.data_gb = 0;
    if (case_below(seed, 2) == 0) { /* a copy of 1.5 hours, cheap */
        request->copy.gbit_per_s = 80.0 / 5400;
        request->copy.idle_kwh_per_hour = 0.05;
        request->copy.kwh_per_gb = 0.001;
    }
    request->may_pause = case_below(seed, 2) == 0;
    request->may_place = case_below(seed, 2) == 0;
    request->may_move = case_below(seed, 2) == 0;
    request->min_run_h = request->may_move ? 0 : (size_t)case_below(seed, 3);
}

#endif
