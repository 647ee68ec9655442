/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "policy/schedule/plan_starts.h"
#include "tests/unit/policy/schedule_world.h"

#define CASES    400
#define REQUESTS 12

/* A job with nothing to it but its start. */
static void ask_for_a_start(uint64_t *seed, struct gl_plan_request *request)
{
    const size_t hours = request->places[0].intensity->hours;

    request->home = (int)case_below(seed, PLACES);
    request->work_hours = 1 + (size_t)case_below(seed, (int64_t)hours);
    request->deadline_h = (size_t)case_below(seed, (int64_t)hours + 1);
    request->latest_start_h = case_below(seed, 3) == 0 ? (size_t)case_below(seed, HOURS) : SIZE_MAX;
    request->kwh_per_hour = (double)(1 + case_below(seed, 4)) / 2;
    request->may_place = case_below(seed, 2) == 0;
}

static void invent_starts(uint64_t *seed, struct invented *invented)
{
    invent(seed, invented, 1 + (size_t)case_below(seed, PATHS));
    for (size_t p = 0; p < PLACES; p++)
        invented->places[p].kwh_per_hour = invented->places[p].idle_kwh_per_hour = 0;
    invented->request.copy.data_gb = 0;
}

static void starts_are_those_of_whole_plans(void **state)
{
    uint64_t seed = 41;
    size_t found = 0, elsewhere = 0;

    (void)state;
    for (uint64_t number = 1; number <= CASES; number++) {
        struct gl_arena arena = {0};
        struct gl_plan_starts *starts;
        struct invented invented;

        invent_starts(&seed, &invented);
        starts = gl_plan_starts_new_in(&arena, invented.places, PLACES, 0.9);
        for (size_t i = 0; i < REQUESTS; i++) {
            struct gl_error err = {0};
            size_t place, start_h;
            struct gl_plan plan;
            bool has_start;

            ask_for_a_start(&seed, &invented.request);
            CHECK(gl_plan_starts_serve(&invented.request));
            CHECK(gl_plan_make(&invented.request, &arena, &plan, &err) == 0);
            has_start = gl_plan_starts_find(starts, &invented.request, &place, &start_h);
            CHECK(has_start == plan.is_feasible);
            if (!has_start)
                continue;
            CHECK(start_h == plan.start_h);
            CHECK((int)place == plan.where[start_h]);
            found++;
            elsewhere += (int)place != invented.request.home;
        }
        gl_arena_done(&arena);
    }
    assert_true(found > CASES && elsewhere > CASES / 4);
}

static void what_has_more_to_it_is_left_to_the_planner(void **state)
{
    uint64_t seed = 5;
    struct invented invented;
    struct gl_plan_request request;

    (void)state;
    invent_starts(&seed, &invented);
    invented.request.deadline_h = invented.intensity[0].hours;
    invented.request.may_place = true;
    assert_true(gl_plan_starts_serve(&invented.request));
    request = invented.request, request.may_pause = true;
    assert_false(gl_plan_starts_serve(&request));
    request = invented.request, request.may_move = true;
    assert_false(gl_plan_starts_serve(&request));
    request = invented.request, request.start_kwh = 0.1;
    assert_false(gl_plan_starts_serve(&request));
    request = invented.request, request.copy.data_gb = 1;
    assert_false(gl_plan_starts_serve(&request));
    request.may_place = false; /* nothing is copied */
    assert_true(gl_plan_starts_serve(&request));
    request = invented.request, request.earliest_start_h = 1;
    assert_false(gl_plan_starts_serve(&request));
    request = invented.request, request.deadline_h++;
    assert_false(gl_plan_starts_serve(&request));
    request = invented.request, request.criterion = GL_PLAN_BY_CENTRAL;
    assert_false(gl_plan_starts_serve(&request));
    invented.places[1].kwh_per_hour = 2;
    assert_false(gl_plan_starts_serve(&invented.request));
}

static void quantiles_known_beforehand_change_nothing(void **state)
{
    uint64_t seed = 43;
    size_t paused = 0;

    (void)state;
    for (uint64_t number = 1; number <= CASES; number++) {
        struct gl_arena arena = {0};
        struct gl_plan plain, shared;
        struct invented invented;
        struct gl_error err = {0};

        invent(&seed, &invented, 1 + (size_t)case_below(&seed, PATHS));
        vary(&seed, &invented.request);
        invented.request.may_pause = true;
        CHECK(gl_plan_make(&invented.request, &arena, &plain, &err) == 0);
        for (size_t p = 0; p < PLACES; p++)
            invented.places[p].upper = gl_plan_upper_in(&arena, &invented.intensity[p], 0.9);
        CHECK(gl_plan_make(&invented.request, &arena, &shared, &err) == 0);
        CHECK(plain.is_feasible == shared.is_feasible && plain.hours == shared.hours);
        if (plain.is_feasible)
            CHECK(memcmp(plain.where, shared.where, plain.hours * sizeof *plain.where) == 0);
        paused += plain.is_feasible && plain.starts > 1;
        gl_arena_done(&arena);
    }
    assert_true(paused > CASES / 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(starts_are_those_of_whole_plans),
        cmocka_unit_test(quantiles_known_beforehand_change_nothing),
        cmocka_unit_test(what_has_more_to_it_is_left_to_the_planner),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
