/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/policy/schedule_world.h"

#include <math.h>
#include <string.h>

#define CASES 500

/* ---- an evaluation of its own ---- */

static double value_of(const struct invented *invented, int place, size_t path, size_t hour)
{
    const struct gl_ensemble *ensemble = &invented->intensity[place];
    const float value = path == ensemble->paths ? ensemble->central[hour]
                                                : ensemble->value[path * ensemble->hours + hour];

    return invented->places[place].pue * (double)value;
}

/* Whole hours in which nothing runs. */
static size_t copy_h(const struct gl_plan_request *request)
{
    const double hours = gl_region_copy_hours(&request->copy);

    return hours < 1 || (!request->may_place && !request->may_move) ? 0 : (size_t)ceil(hours);
}

static double kwh_in(const struct invented *invented, int place)
{
    const double own = invented->places[place].kwh_per_hour;

    return own > 0 ? own : invented->request.kwh_per_hour;
}

/* Grams of a place's end of a copy. */
static double end_of(const struct invented *invented, int place, size_t path, size_t hour)
{
    struct gl_region_copy copy = invented->request.copy;

    if (invented->places[place].idle_kwh_per_hour > 0)
        copy.idle_kwh_per_hour = invented->places[place].idle_kwh_per_hour;
    return gl_region_copy_kwh(&copy) * value_of(invented, place, path, hour);
}

static double emitted(const struct invented *invented, const int *where, size_t path)
{
    const struct gl_plan_request *request = &invented->request;
    const bool has_copy = (request->may_place || request->may_move) && request->copy.data_gb > 0;
    const size_t took = copy_h(request);
    int at = request->home;
    double sum = 0;

    for (size_t h = 0; h < invented->intensity[0].hours; h++) {
        double kwh;

        if (where[h] == GL_REGION_NONE)
            continue;
        kwh = kwh_in(invented, where[h]);
        if (h == 0 || where[h - 1] == GL_REGION_NONE)
            kwh *= 1 + request->start_kwh / request->kwh_per_hour;
        sum += kwh * value_of(invented, where[h], path, h);
        if (where[h] != at && has_copy)
            sum +=
                end_of(invented, where[h], path, h - took) + end_of(invented, at, path, h - took);
        at = where[h];
    }
    return sum;
}

/* The score a plan is chosen by; infinite when it runs through a hole. */
static double score_of(const struct invented *invented, const int *where)
{
    const size_t paths = invented->intensity[0].paths;
    double grams[PATHS];

    for (size_t path = 0; path < paths; path++) {
        grams[path] = emitted(invented, where, path);
        if (!isfinite(grams[path]))
            return (double)INFINITY;
    }
    if (invented->request.criterion == GL_PLAN_BY_CENTRAL)
        return emitted(invented, where, paths);
    return gl_quantile_upper(grams, paths, invented->request.confidence);
}

struct shape {
    size_t work, runs, first, end;
    bool is_one_place, is_home, has_short_run, has_time; /* for its copies */
};

static struct shape shape_of(const struct invented *invented, const int *where)
{
    const struct gl_plan_request *request = &invented->request;
    struct shape shape = {.is_one_place = true, .is_home = true, .has_time = true};
    int at = request->home;
    size_t length = 0;

    for (size_t h = 0; h < invented->intensity[0].hours; h++) {
        if (where[h] == GL_REGION_NONE) {
            shape.has_short_run |=
                length > 0 && length < request->min_run_h && shape.work < request->work_hours;
            length = 0;
            continue;
        }
        if (at != where[h])
            shape.has_time &= shape.work == 0 ? h >= request->earliest_start_h + copy_h(request)
                                              : h - shape.end >= copy_h(request);
        shape.is_one_place &= shape.work == 0 || at == where[h];
        shape.runs += length++ == 0;
        shape.first = shape.work++ == 0 ? h : shape.first;
        shape.end = h + 1;
        shape.is_home &= where[h] == request->home;
        at = where[h];
    }
    return shape;
}

static bool is_allowed(const struct invented *invented, const int *where)
{
    const struct gl_plan_request *request = &invented->request;
    const struct shape shape = shape_of(invented, where);

    if (shape.work != request->work_hours || shape.has_short_run || !shape.has_time ||
        shape.first < request->earliest_start_h || shape.first > request->latest_start_h ||
        shape.end > request->deadline_h)
        return false;
    return (request->may_pause || shape.runs == 1) && (request->may_move || shape.is_one_place) &&
           (request->may_move || request->may_place || shape.is_home);
}

/* The best score of all schedules, only contiguous ones in one place when so asked. */
static double best_of_all(const struct invented *invented, bool only_windows)
{
    const size_t hours = invented->intensity[0].hours;
    struct invented narrow = *invented;
    double best = (double)INFINITY;
    size_t all = 1;

    if (only_windows) {
        narrow.request.may_place = narrow.request.may_place || narrow.request.may_move;
        narrow.request.may_pause = narrow.request.may_move = false;
    }
    for (size_t h = 0; h < hours; h++)
        all *= PLACES + 1;
    for (size_t i = 0; i < all; i++) {
        int where[HOURS];
        size_t rest = i;

        for (size_t h = 0; h < hours; h++) {
            where[h] = (int)(rest % (PLACES + 1)) - 1;
            rest /= PLACES + 1;
        }
        if (is_allowed(&narrow, where))
            best = fmin(best, score_of(&narrow, where));
    }
    return best;
}

/* plan.where has at least HOURS entries, whatever the deadline. */
static struct gl_plan make(const struct invented *invented, struct gl_arena *arena)
{
    int *where = gl_arena_take(arena, 4 * HOURS * sizeof *where);
    struct gl_error err = {0};
    struct gl_plan plan;

    if (gl_plan_make(&invented->request, arena, &plan, &err) != 0)
        fail_msg("%s", err.text);
    for (size_t h = 0; h < 4 * HOURS; h++)
        where[h] = h < plan.hours ? plan.where[h] : GL_REGION_NONE;
    plan.where = where;
    return plan;
}

static double plan_score(const struct invented *invented, const struct gl_plan *plan)
{
    return score_of(invented, plan->where);
}

/* With one path every line is the same line, and every form is exact. */
static void one_path_is_planned_exactly(void **state)
{
    uint64_t seed = 19;

    (void)state;
    for (uint64_t number = 1; number <= CASES; number++) {
        struct gl_arena arena = {0};
        struct invented invented;
        struct gl_plan plan;
        double best;

        invent(&seed, &invented, 1);
        vary(&seed, &invented.request);
        invented.request.criterion = (enum gl_plan_criterion)case_below(&seed, 2);
        plan = make(&invented, &arena);
        best = best_of_all(&invented, false);
        CHECK(plan.is_feasible == (bool)isfinite(best));
        if (plan.is_feasible) {
            CHECK(is_allowed(&invented, plan.where));
            /* Lines are thousandths of a gram. */
            CHECK(fabs(plan_score(&invented, &plan) - best) < 0.02);
            CHECK(fabs(plan.figures.emitted_g.central - plan.figures.emitted_g.high) < 1e-9);
            CHECK(fabs(plan.figures.confidence - 0.5) < 1e-12);
        }
        gl_arena_done(&arena);
    }
}

/* A start now at home, taken although the quantile of another is less. */
static bool is_stay(const struct invented *invented, const struct gl_plan *plan)
{
    return plan->start_h == 0 && plan->starts == 1 && plan->moves == 0 &&
           plan->where[0] == invented->request.home;
}

/* A run without pauses is the best of all by the quantile itself; the other forms are no worse.
 * Only what would be no less if the forecast comes true is not waited for. */
static void no_window_is_better_by_the_quantile(void **state)
{
    uint64_t seed = 20;

    (void)state;
    for (uint64_t number = 1; number <= CASES; number++) {
        struct gl_arena arena = {0};
        struct invented invented;
        struct gl_plan plan;
        double best;

        invent(&seed, &invented, PATHS);
        vary(&seed, &invented.request);
        invented.request.criterion = (enum gl_plan_criterion)case_below(&seed, 2);
        invented.request.may_pause &= number % 2 == 0;
        invented.request.earliest_start_h *= number % 2 == 0;
        plan = make(&invented, &arena);
        best = best_of_all(&invented, true);
        CHECK(plan.is_feasible || !isfinite(best));
        if (plan.is_feasible && plan.figures.has_baseline && number % 2)
            CHECK(is_stay(&invented, &plan) || plan.figures.saved_g.central > 0);
        if (plan.is_feasible && !is_stay(&invented, &plan)) {
            CHECK(is_allowed(&invented, plan.where));
            CHECK(plan_score(&invented, &plan) <= best + 1e-9);
            CHECK(invented.request.may_pause || invented.request.may_move ||
                  fabs(plan_score(&invented, &plan) - best) < 1e-9);
        }
        gl_arena_done(&arena);
    }
}

/* Every figure again, on every path. */
static void figures_are_those_of_the_paths(void **state)
{
    uint64_t seed = 21;

    (void)state;
    for (uint64_t number = 1; number <= CASES; number++) {
        double grams[PATHS], saved[PATHS], baseline[PATHS];
        int now[HOURS];
        struct gl_arena arena = {0};
        struct invented invented;
        struct gl_plan plan;
        size_t better = 0;

        invent(&seed, &invented, PATHS);
        vary(&seed, &invented.request);
        plan = make(&invented, &arena);
        for (size_t h = 0; h < HOURS; h++)
            now[h] = h < invented.request.work_hours ? invented.request.home : GL_REGION_NONE;
        CHECK(!plan.is_feasible ||
              plan.figures.has_baseline == (bool)isfinite(score_of(&invented, now)));
        if (plan.is_feasible && plan.figures.has_baseline) {
            for (size_t path = 0; path < PATHS; path++) {
                grams[path] = emitted(&invented, plan.where, path);
                baseline[path] = emitted(&invented, now, path);
                saved[path] = baseline[path] - grams[path];
                better += saved[path] > 0;
            }
            CHECK(fabs(plan.figures.saves_share - (double)better / PATHS) < 1e-12);
            CHECK(plan.figures.emitted_g.high >= gl_quantile_upper(grams, PATHS, .9) - 1e-9);
            CHECK(plan.figures.emitted_g.low <= gl_quantile_lower(grams, PATHS, .9) + 1e-9);
            CHECK(plan.figures.saved_g.low <= gl_quantile_lower(saved, PATHS, .9) + 1e-9);
            CHECK(fabs(plan.figures.emitted_g.central - emitted(&invented, plan.where, PATHS)) <
                  1e-6);
            CHECK(fabs(plan.figures.baseline_g.central - emitted(&invented, now, PATHS)) < 1e-6);
            CHECK(plan.figures.saved_g.low <= plan.figures.saved_g.central);
            CHECK(plan.figures.saved_g.central <= plan.figures.saved_g.high);
            CHECK(!plan.figures.has_percent || fabs(plan.figures.saved_percent.central -
                                                    100 * plan.figures.saved_g.central /
                                                        plan.figures.baseline_g.central) < 1e-6);
        }
        gl_arena_done(&arena);
    }
}

static void a_judged_schedule_has_the_same_figures(void **state)
{
    uint64_t seed = 22;

    (void)state;
    for (uint64_t number = 1; number <= CASES; number++) {
        struct gl_arena arena = {0};
        struct gl_error err = {0};
        struct invented invented;
        struct gl_plan plan, judged;

        invent(&seed, &invented, PATHS);
        vary(&seed, &invented.request);
        plan = make(&invented, &arena);
        if (plan.is_feasible) {
            CHECK(gl_plan_judge(&invented.request, plan.where, plan.hours, &arena, &judged, &err) ==
                  0);
            CHECK(judged.is_feasible);
            CHECK(memcmp(&judged.figures.emitted_g, &plan.figures.emitted_g,
                         sizeof plan.figures.emitted_g) == 0);
            CHECK(judged.starts == plan.starts && judged.moves == plan.moves);
            CHECK(judged.start_h == plan.start_h && judged.end_h == plan.end_h);
        }
        gl_arena_done(&arena);
    }
}

/* ---- a world by hand: falling intensity, 24 equal paths ---- */

static void by_hand(struct invented *to, const float central[HOURS])
{
    uint64_t seed = 23;

    invent(&seed, to, PATHS);
    for (size_t p = 0; p < PLACES; p++) {
        to->intensity[p].hours = HOURS;
        memcpy(to->central[p], central, HOURS * sizeof *central);
        for (size_t i = 0; i < PATHS * HOURS; i++)
            to->value[p][i] = central[i % HOURS];
        to->places[p].pue = 1;
    }
    to->request.count = 1;
    to->request.home = 0;
    to->request.work_hours = 2;
    for (size_t p = 0; p < PLACES; p++)
        to->places[p].kwh_per_hour = to->places[p].idle_kwh_per_hour = 0;
}

static const float falling[HOURS] = {90, 80, 70, 60, 50, 40, 30};

static void deadlines_are_exclusive(void **state)
{
    struct gl_arena arena = {0};
    struct invented invented;
    struct gl_plan plan;

    (void)state;
    by_hand(&invented, falling);
    for (size_t deadline = 2; deadline <= HOURS; deadline++) {
        invented.request.deadline_h = deadline;
        plan = make(&invented, &arena);
        assert_true(plan.is_feasible);
        assert_int_equal(plan.end_h, deadline);
        assert_int_equal(plan.uncovered_h, 0);
    }
    invented.request.deadline_h = 1;
    assert_false(make(&invented, &arena).is_feasible);
    invented.request.deadline_h = SIZE_MAX;
    invented.request.latest_start_h = 3;
    plan = make(&invented, &arena);
    assert_int_equal(plan.start_h, 3);
    invented.request.earliest_start_h = 4;
    assert_false(make(&invented, &arena).is_feasible);
    gl_arena_done(&arena);
}

static void an_hour_with_a_hole_is_not_used(void **state)
{
    struct gl_arena arena = {0};
    struct invented invented;
    struct gl_plan plan;

    (void)state;
    by_hand(&invented, falling);
    invented.value[0][17 * HOURS + 6] = (float)NAN; /* in one path only */
    plan = make(&invented, &arena);
    assert_int_equal(plan.end_h, 6);
    invented.request.may_pause = true;
    plan = make(&invented, &arena);
    assert_int_equal(plan.end_h, 6);
    assert_true(plan.figures.has_baseline);
    invented.central[0][0] = (float)INFINITY; /* now is not known */
    plan = make(&invented, &arena);
    assert_true(plan.is_feasible);
    assert_false(plan.figures.has_baseline);
    assert_false(plan.figures.has_percent);
    gl_arena_done(&arena);
}

/* 1.5 hours of copying: two hours pass before it can run elsewhere, and before it can go on. */
static void a_long_copy_takes_its_hours(void **state)
{
    const float there[HOURS] = {10, 10, 90, 10, 90, 10, 90};
    int moved[4] = {GL_REGION_NONE, GL_REGION_NONE, 0, 1};
    struct gl_arena arena = {0};
    struct gl_error err = {0};
    struct invented invented;
    struct gl_plan plan;

    (void)state;
    by_hand(&invented, falling);
    for (size_t i = 0; i < PATHS * HOURS; i++) {
        invented.value[0][i] = invented.central[0][i % HOURS] = 200;
        invented.value[1][i] = invented.central[1][i % HOURS] = there[i % HOURS];
    }
    invented.request.count = 2;
    invented.request.may_pause = invented.request.may_place = true;
    invented.request.copy.data_gb = 10;
    invented.request.copy.gbit_per_s = 80.0 / 5400;
    invented.request.copy.idle_kwh_per_hour = 0;
    invented.request.copy.kwh_per_gb = 0.02;
    plan = make(&invented, &arena);
    assert_int_equal(plan.start_h, 3);
    assert_int_equal(plan.end_h, 6);
    assert_int_equal(plan.moves, 1);
    /* 0.1 kWh at each end in hour 1, where the other end is clean. */
    assert_true(fabs(plan.figures.emitted_g.central - (2 * (10 + 10) + 0.1 * (200 + 10))) < 1e-6);
    assert_int_equal(gl_plan_judge(&invented.request, moved, 4, &arena, &plan, &err), 0);
    assert_false(plan.is_feasible);
    moved[0] = 0;
    moved[2] = GL_REGION_NONE;
    assert_int_equal(gl_plan_judge(&invented.request, moved, 4, &arena, &plan, &err), 0);
    assert_true(plan.is_feasible);
    assert_int_equal(plan.moves, 1);
    gl_arena_done(&arena);
}

static void next_to_nothing_has_no_percentage(void **state)
{
    const float clean[HOURS] = {0.5F, 0, 0, 0, 0, 0, 0};
    struct gl_arena arena = {0};
    struct invented invented;
    struct gl_plan plan;

    (void)state;
    by_hand(&invented, clean);
    plan = make(&invented, &arena);
    assert_int_equal(plan.start_h, 1); /* ties: the earliest */
    assert_true(fabs(plan.figures.saved_g.central - 1) < 1e-9);
    assert_false(plan.figures.has_percent);
    gl_arena_done(&arena);
}

static void a_plan_stays_inside_the_forecast(void **state)
{
    struct gl_arena arena = {0};
    struct invented invented;
    struct gl_plan plan;

    (void)state;
    by_hand(&invented, falling);
    invented.request.deadline_h = HOURS + 10;
    plan = make(&invented, &arena);
    assert_int_equal(plan.forecast_h, HOURS);
    assert_int_equal(plan.uncovered_h, 10);
    assert_int_equal(plan.end_h, HOURS);
    assert_false(plan.has_tail);
    for (size_t i = 0; i < 24; i++)
        invented.climate[i] = 20; /* the tail is cleaner in most years, and still not used */
    invented.climate[(12 + HOURS + 3) % 24] = 10;
    invented.places[0].climate = invented.climate;
    plan = make(&invented, &arena);
    assert_int_equal(plan.end_h, HOURS);
    assert_true(plan.has_tail);
    assert_true(fabs(plan.tail_at_most_g - 2 * (20 + 10)) < 1e-9);
    assert_int_equal(plan.climate_h, 0);
    invented.request.deadline_h = HOURS + 1; /* no room for a run after the forecast */
    plan = make(&invented, &arena);
    assert_false(plan.has_tail);
    gl_arena_done(&arena);
}

static void a_job_longer_than_the_forecast_says_so(void **state)
{
    struct gl_arena arena = {0};
    struct invented invented;
    struct gl_plan plan;

    (void)state;
    by_hand(&invented, falling);
    invented.request.work_hours = HOURS + 3;
    assert_false(make(&invented, &arena).is_feasible);
    invented.places[0].climate = invented.climate;
    plan = make(&invented, &arena);
    assert_true(plan.is_feasible);
    assert_int_equal(plan.start_h, 0);
    assert_int_equal(plan.climate_h, 3);
    /* 19, 20 and 21 h of the UTC day are 79, 80 and 81 g. */
    assert_true(fabs(plan.figures.emitted_g.central - 2 * (420 + 79 + 80 + 81)) < 1e-6);
    invented.request.deadline_h = HOURS + 2;
    assert_false(make(&invented, &arena).is_feasible);
    gl_arena_done(&arena);
}

static void more_confidence_is_never_a_lower_bound(void **state)
{
    uint64_t seed = 24;

    (void)state;
    for (uint64_t number = 1; number <= CASES; number++) {
        double before = 0;
        struct gl_arena arena = {0};
        struct invented invented;
        struct gl_plan plan;

        invent(&seed, &invented, PATHS);
        for (int i = 0; i < 4; i++) {
            double at_most;

            invented.request.confidence = (const double[]){.5, .75, .9, .95}[i];
            plan = make(&invented, &arena);
            if (!plan.is_feasible)
                break;
            at_most = is_stay(&invented, &plan) ? before : plan_score(&invented, &plan);
            CHECK(at_most >= before - 1e-9);
            before = at_most;
        }
        gl_arena_done(&arena);
    }
}

static void refused(const struct gl_plan_request *request, enum gl_errc code)
{
    struct gl_plan plan = {.hours = 99};
    struct gl_arena arena = {0};
    struct gl_error err = {0};

    assert_int_equal(gl_plan_make(request, &arena, &plan, &err), -1);
    assert_int_equal(err.code, code);
    assert_int_equal(plan.hours, 99);
    gl_arena_done(&arena);
}

#define REFUSED(field, wrong, code)                        \
    do {                                                   \
        struct gl_plan_request request = invented.request; \
                                                           \
        request.field = (wrong);                           \
        refused(&request, (code));                         \
    } while (0)

static void nonsense_is_refused(void **state)
{
    struct invented invented;

    (void)state;
    by_hand(&invented, falling);
    invented.request.count = 2;
    invented.request.may_move = true;
    REFUSED(home, 2, GL_E_BAD_VALUE);
    REFUSED(home, -1, GL_E_BAD_VALUE);
    REFUSED(count, 0, GL_E_BAD_VALUE);
    REFUSED(work_hours, 0, GL_E_BAD_VALUE);
    REFUSED(work_hours, 8785, GL_E_TOO_LARGE);
    REFUSED(kwh_per_hour, 0, GL_E_BAD_VALUE);
    REFUSED(kwh_per_hour, (double)INFINITY, GL_E_BAD_VALUE);
    REFUSED(start_kwh, -1, GL_E_BAD_VALUE);
    REFUSED(confidence, 0.49, GL_E_BAD_VALUE);
    REFUSED(confidence, 1, GL_E_BAD_VALUE);
    REFUSED(copy.gbit_per_s, 0, GL_E_BAD_VALUE);
    REFUSED(copy.kwh_per_gb, -1, GL_E_BAD_VALUE);
    REFUSED(copy.data_gb, (double)NAN, GL_E_BAD_VALUE);
    invented.places[1].pue = 0.9;
    refused(&invented.request, GL_E_BAD_VALUE);
    invented.places[1].pue = 1;
    invented.intensity[1].start_s += 3600;
    refused(&invented.request, GL_E_BAD_VALUE);
    invented.intensity[1].start_s -= 3600;
    invented.intensity[1].hours--;
    refused(&invented.request, GL_E_BAD_VALUE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_path_is_planned_exactly),
        cmocka_unit_test(no_window_is_better_by_the_quantile),
        cmocka_unit_test(figures_are_those_of_the_paths),
        cmocka_unit_test(a_judged_schedule_has_the_same_figures),
        cmocka_unit_test(deadlines_are_exclusive),
        cmocka_unit_test(an_hour_with_a_hole_is_not_used),
        cmocka_unit_test(a_long_copy_takes_its_hours),
        cmocka_unit_test(next_to_nothing_has_no_percentage),
        cmocka_unit_test(a_plan_stays_inside_the_forecast),
        cmocka_unit_test(a_job_longer_than_the_forecast_says_so),
        cmocka_unit_test(more_confidence_is_never_a_lower_bound),
        cmocka_unit_test(nonsense_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
