/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "policy/schedule/green.h"
#include "policy/schedule/plan.h"

#include <math.h>
#include <string.h>

/* What must hold for every plan, on invented futures of several places: a daily wave, a forecast of
 * it, and paths that leave it the longer the more. Seeds count from 1; a failure prints its seed.
 */

#define WORLDS 150
#define PLACES 3
#define PATHS  80
#define HOURS  60
#define DRAWS  1500

#define CHECK(condition)                                                     \
    do {                                                                     \
        if (!(condition))                                                    \
            fail_msg("seed %llu: %s", (unsigned long long)seed, #condition); \
    } while (0)

/* One path more than the ensemble has: the one that then comes true. */
static struct world {
    uint64_t state;
    float value[PLACES][(PATHS + 1) * HOURS], central[PLACES][HOURS];
    struct gl_ensemble intensity[PLACES];
    struct gl_plan_place places[PLACES];
    struct gl_plan_request request;
} world;

static uint64_t next(void)
{
    uint64_t z = (world.state += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* -1 .. 1 */
static double unit(void)
{
    return (double)(next() >> 11) / 4503599627370496.0 - 1;
}

static size_t below(size_t limit)
{
    return (size_t)(next() % limit);
}

static void invent_place(size_t place)
{
    const double level = 150 + 100 * unit(), wave = 80 * (1 + unit()) / 2;
    const double phase = 12 * unit();

    for (size_t h = 0; h < HOURS; h++)
        world.central[place][h] =
            (float)(level + wave * sin(((double)h + phase) / 24 * 6.283185307179586));
    for (size_t path = 0; path <= PATHS; path++) {
        double off = 0;

        for (size_t h = 0; h < HOURS; h++) {
            off = 0.9 * off + 12 * unit();
            world.value[place][path * HOURS + h] = world.central[place][h] + (float)off;
        }
    }
    world.intensity[place] = (struct gl_ensemble){.start_s = 1773144000,
                                                  .hours = HOURS,
                                                  .paths = PATHS,
                                                  .value = world.value[place],
                                                  .central = world.central[place]};
    world.places[place] = (struct gl_plan_place){.intensity = &world.intensity[place], .pue = 1.1};
}

static void invent(uint64_t seed)
{
    memset(&world, 0, sizeof world);
    world.state = seed;
    for (size_t place = 0; place < PLACES; place++)
        invent_place(place);
    world.request = (struct gl_plan_request){
        .places = world.places,
        .count = PLACES,
        .home = (int)below(PLACES),
        .work_hours = 1 + below(20),
        .latest_start_h = SIZE_MAX,
        .deadline_h = 24 + below(HOURS - 24),
        .kwh_per_hour = 0.3,
        .start_kwh = 0.05 * (double)below(3),
        .copy = {20, GL_COPY_KWH_WORST, 10, 0.1},
        .confidence = 0.9,
    };
}

static struct gl_plan make(const struct gl_plan_request *request, struct gl_arena *arena)
{
    struct gl_error err = {0};
    struct gl_plan plan;

    if (gl_plan_make(request, arena, &plan, &err) != 0)
        fail_msg("%s", err.text);
    assert_true(plan.is_feasible);
    return plan;
}

/* Every freedom more, and every hour more, emits no more at the asked confidence. */
static void freedom_never_costs(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= WORLDS; seed++) {
        struct gl_arena arena = {0};
        struct gl_plan_request request;
        double window, placed;

        invent(seed);
        request = world.request;
        /* The bound is the criterion unless the forecast itself is above it. */
        window = make(&request, &arena).figures.emitted_g.high;
        request.deadline_h++;
        CHECK(make(&request, &arena).figures.emitted_g.high <= window + 1e-6);
        request.deadline_h--;
        request.may_pause = true;
        CHECK(make(&request, &arena).figures.emitted_g.high <= window + 1e-6);
        request.may_pause = false;
        request.may_place = true;
        placed = make(&request, &arena).figures.emitted_g.high;
        CHECK(placed <= window + 1e-6);
        request.may_move = request.may_pause = true;
        CHECK(make(&request, &arena).figures.emitted_g.high <= placed + 1e-6);
        gl_arena_done(&arena);
    }
}

static void a_plan_never_emits_more_than_now(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= WORLDS; seed++) {
        struct gl_arena arena = {0};
        struct gl_plan plan;

        invent(seed);
        world.request.may_pause = below(2) == 0;
        world.request.may_move = below(2) == 0;
        plan = make(&world.request, &arena);
        CHECK(plan.figures.emitted_g.high <= plan.figures.baseline_g.high + 1e-6);
        world.request.criterion = GL_PLAN_BY_CENTRAL;
        plan = make(&world.request, &arena);
        CHECK(plan.figures.saved_g.central >= -1e-6);
        gl_arena_done(&arena);
    }
}

static bool is_same(const struct gl_plan *a, const struct gl_plan *b)
{
    return a->hours == b->hours && memcmp(a->where, b->where, a->hours * sizeof *a->where) == 0;
}

static void swap_paths(size_t a, size_t b)
{
    for (size_t place = 0; place < PLACES; place++)
        for (size_t h = 0; h < HOURS; h++) {
            const float kept = world.value[place][a * HOURS + h];

            world.value[place][a * HOURS + h] = world.value[place][b * HOURS + h];
            world.value[place][b * HOURS + h] = kept;
        }
}

/* The same question has the same answer, whatever the order of the paths, and twice the energy has
 * twice the grams. */
static void order_and_scale_do_not_matter(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= WORLDS; seed++) {
        struct gl_arena arena = {0};
        struct gl_plan first, second;

        invent(seed);
        world.request.may_pause = below(2) == 0;
        world.request.may_move = below(2) == 0;
        first = make(&world.request, &arena);
        second = make(&world.request, &arena);
        CHECK(is_same(&first, &second));
        CHECK(memcmp(&first.figures, &second.figures, sizeof first.figures) == 0);
        for (size_t i = PATHS; i > 1; i--)
            swap_paths(i - 1, below(i));
        second = make(&world.request, &arena);
        CHECK(is_same(&first, &second));
        CHECK(fabs(first.figures.emitted_g.high - second.figures.emitted_g.high) < 1e-9);
        world.request.kwh_per_hour *= 2;
        world.request.start_kwh *= 2;
        world.request.copy.kwh_per_gb *= 2;
        world.request.copy.idle_kwh_per_hour *= 2;
        second = make(&world.request, &arena);
        CHECK(is_same(&first, &second));
        CHECK(fabs(2 * first.figures.emitted_g.high - second.figures.emitted_g.high) < 1e-6);
        gl_arena_done(&arena);
    }
}

/* Grams of a contiguous run at home on the path that was left out. */
static double came_true(const struct gl_plan *plan)
{
    const float *value = world.value[world.request.home] + (size_t)PATHS * HOURS;
    double sum = 0;

    for (size_t h = 0; h < plan->hours; h++)
        if (plan->where[h] != GL_REGION_NONE)
            sum += 1.1 * (double)value[h] * world.request.kwh_per_hour;
    return sum + 1.1 * (double)value[plan->start_h] * world.request.start_kwh;
}

/* "At most G grams with 90 %" is kept by a further draw in about 90 of 100 cases. Choosing the best
 * of many starts on the same paths costs about a point; three are allowed. */
static void what_is_promised_is_kept_by_a_further_path(void **state)
{
    size_t kept = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= DRAWS; seed++) {
        struct gl_arena arena = {0};
        struct gl_plan plan;

        invent(seed);
        plan = make(&world.request, &arena);
        kept += came_true(&plan) <= plan.figures.emitted_g.high;
        gl_arena_done(&arena);
    }
    if (kept < DRAWS * 87 / 100 || kept > DRAWS * 95 / 100)
        fail_msg("%zu of %d kept", kept, DRAWS);
}

/* The same of a green run: promised at 90 %, kept in about 90 of 100 cases. */
static void a_green_start_is_kept_by_a_further_path(void **state)
{
    size_t kept = 0, found = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= DRAWS; seed++) {
        const struct gl_green_limit limit = {.signal = &world.intensity[0], .limit = 190};
        const struct gl_green_ask ask = {
            .limits = &limit, .count = 1, .run_hours = 6, .latest_start = HOURS, .level = 0.1};
        struct gl_arena arena = {0};
        struct gl_green_start start;
        bool is_green = true;

        invent(seed);
        assert_true(gl_green_find(&ask, &arena, NULL, &start));
        for (size_t h = start.start; start.is_found && h < start.start + 6; h++)
            is_green = is_green && world.value[0][PATHS * HOURS + h] <= 190;
        found += start.is_found;
        kept += start.is_found && is_green;
        gl_arena_done(&arena);
    }
    if (found < DRAWS / 2 || kept * 100 < found * 87)
        fail_msg("%zu of %zu kept", kept, found);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(freedom_never_costs),
        cmocka_unit_test(a_plan_never_emits_more_than_now),
        cmocka_unit_test(order_and_scale_do_not_matter),
        cmocka_unit_test(what_is_promised_is_kept_by_a_further_path),
        cmocka_unit_test(a_green_start_is_kept_by_a_further_path),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
