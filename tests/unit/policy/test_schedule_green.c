/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "policy/schedule/green.h"
#include "tests/unit/policy/schedule_case.h"

#include <math.h>
#include <string.h>

#define CASES 600
#define PATHS 24
#define HOURS 14

struct invented {
    float value[2][PATHS * HOURS], central[HOURS];
    struct gl_ensemble signal[2];
    struct gl_green_limit limits[2];
    struct gl_green_ask ask;
};

static void invent(uint64_t *seed, struct invented *to)
{
    const size_t paths = 1 + (size_t)case_below(seed, PATHS);
    const size_t hours = 1 + (size_t)case_below(seed, HOURS);
    const bool has_holes = case_below(seed, 3) == 0;

    memset(to, 0, sizeof *to);
    for (size_t s = 0; s < 2; s++) {
        for (size_t i = 0; i < paths * hours; i++) {
            to->value[s][i] = (float)case_below(seed, 20);
            if (has_holes && case_below(seed, 30) == 0)
                to->value[s][i] = (float)NAN;
        }
        to->signal[s] = (struct gl_ensemble){
            .hours = hours, .paths = paths, .value = to->value[s], .central = to->central};
        to->limits[s] = (struct gl_green_limit){
            .signal = &to->signal[s],
            .limit = (double)(s == 0 ? 10 + case_below(seed, 11) : case_below(seed, 9)),
            .is_floor = s == 1,
        };
    }
    to->ask = (struct gl_green_ask){.limits = to->limits,
                                    .count = 1 + (size_t)case_below(seed, 2),
                                    .run_hours = 1 + (size_t)case_below(seed, 5),
                                    .latest_start = (size_t)case_below(seed, HOURS + 3),
                                    .level = (double)case_below(seed, 11) / 20};
}

static bool keeps(const struct invented *invented, size_t path, size_t start, size_t run)
{
    const size_t hours = invented->signal[0].hours;

    for (size_t h = start; h < start + run; h++) {
        if (!((double)invented->value[0][path * hours + h] <= invented->limits[0].limit))
            return false;
        if (invented->ask.count == 2 &&
            !((double)invented->value[1][path * hours + h] >= invented->limits[1].limit))
            return false;
    }
    return true;
}

static size_t broken(const struct invented *invented, size_t start, size_t run)
{
    size_t count = 0;

    for (size_t path = 0; path < invented->signal[0].paths; path++)
        count += !keeps(invented, path, start, run);
    return count;
}

static size_t rank_of(const struct invented *invented)
{
    return (size_t)floor(invented->ask.level * (double)(invented->signal[0].paths + 1) + 1e-9);
}

static void is_right(const struct invented *invented, const size_t *kept,
                     const struct gl_green_start *got, uint64_t number)
{
    const size_t hours = invented->signal[0].hours, run = invented->ask.run_hours;
    const size_t rank = rank_of(invented), paths = invented->signal[0].paths;
    size_t last = hours - run, start = SIZE_MAX;

    last = invented->ask.latest_start < last ? invented->ask.latest_start : last;
    for (size_t h = 0; h < hours; h++) {
        const size_t bad = h + run <= hours ? broken(invented, h, run) : paths;

        CHECK(kept[h] == paths - bad);
        if (h <= last && start == SIZE_MAX && bad < rank)
            start = h;
        CHECK(got->is_found || h > last || kept[h] <= got->kept);
    }
    CHECK(got->is_found == (start != SIZE_MAX));
    CHECK(!got->is_found || got->start == start);
    CHECK(got->kept == kept[got->start]);
    CHECK(!got->is_found || got->longest >= run);
    CHECK(got->longest == 0 || broken(invented, got->start, got->longest) < rank);
    CHECK(got->start + got->longest == hours ||
          broken(invented, got->start, got->longest + 1) >= rank);
}

/* Every length at once says what each length by itself does. */
static void lengths_are_right(const struct invented *invented, struct gl_arena *arena,
                              uint64_t number)
{
    const size_t hours = invented->signal[0].hours, paths = invented->signal[0].paths;
    const uint16_t *kept = gl_green_lengths(invented->limits, invented->ask.count, arena);

    CHECK(kept != NULL);
    for (size_t h = 0; h < hours; h++)
        for (size_t run = 0; run <= hours; run++)
            CHECK(kept[h * (hours + 1) + run] ==
                  (h + run <= hours ? paths - broken(invented, h, run) : 0));
}

static void the_earliest_green_start_is_found(void **state)
{
    uint64_t seed = 16;

    (void)state;
    for (uint64_t number = 1; number <= CASES; number++) {
        struct gl_green_start got = {.start = 99};
        struct gl_arena arena = {0};
        struct invented invented;
        size_t kept[HOURS];
        bool has_answer;

        invent(&seed, &invented);
        lengths_are_right(&invented, &arena, number);
        has_answer = gl_green_find(&invented.ask, &arena, kept, &got);
        CHECK(has_answer == (invented.ask.run_hours <= invented.signal[0].hours));
        if (has_answer)
            is_right(&invented, kept, &got, number);
        else
            CHECK(got.start == 99);
        gl_arena_done(&arena);
    }
}

static void the_tightest_limit_is_kept_and_no_tighter_one(void **state)
{
    uint64_t seed = 17;

    (void)state;
    for (uint64_t number = 1; number <= CASES; number++) {
        const size_t which = number % 2;
        struct gl_arena arena = {0};
        struct invented invented;
        size_t starts, rank, hours, run, paths;
        double limit[HOURS];
        bool has[HOURS];

        invent(&seed, &invented);
        paths = invented.signal[0].paths;
        hours = invented.signal[0].hours;
        run = invented.ask.run_hours;
        rank = rank_of(&invented);
        starts =
            gl_green_tightest(&invented.limits[which], run, invented.ask.level, &arena, limit, has);
        CHECK(starts == (run <= hours ? hours - run + 1 : 0));
        /* Only the signal in question limits anything. */
        invented.ask.count = 1 + which;
        for (size_t i = 0; which == 1 && i < paths * hours; i++)
            invented.value[0][i] = 0;
        for (size_t h = 0; h < starts; h++) {
            bool has_hole = false;

            for (size_t i = 0; i < paths * run; i++)
                has_hole |= !isfinite(invented.value[which][i / run * hours + h + i % run]);
            CHECK(has[h] == (!has_hole && rank > 0 && rank <= paths));
            if (!has[h])
                continue;
            invented.limits[which].limit = limit[h];
            CHECK(broken(&invented, h, run) < rank);
            invented.limits[which].limit = limit[h] + (which == 1 ? 0.5 : -0.5);
            CHECK(broken(&invented, h, run) >= rank);
        }
        gl_arena_done(&arena);
    }
}

static void equality_keeps_a_limit_and_a_hole_does_not(void **state)
{
    float value[19 * 3], central[3] = {0};
    struct gl_ensemble signal = {.hours = 3, .paths = 19, .value = value, .central = central};
    struct gl_green_limit limit = {.signal = &signal, .limit = 200};
    struct gl_green_ask ask = {.limits = &limit, .count = 1, .run_hours = 3, .level = 0.05};
    struct gl_green_start got;
    struct gl_arena arena = {0};

    (void)state;
    for (size_t i = 0; i < 19 * 3; i++)
        value[i] = 200;
    assert_true(gl_green_find(&ask, &arena, NULL, &got));
    assert_true(got.is_found); /* 19 paths are just enough for 95 %: none may break */
    assert_int_equal(got.longest, 3);
    limit.limit = 199.99;
    assert_true(gl_green_find(&ask, &arena, NULL, &got));
    assert_false(got.is_found);
    limit.limit = 200;
    value[4] = (float)NAN;
    assert_true(gl_green_find(&ask, &arena, NULL, &got));
    assert_false(got.is_found);
    assert_int_equal(got.kept, 18);
    assert_int_equal(got.longest, 1);
    value[4] = 200;
    signal.paths = 18;
    assert_true(gl_green_find(&ask, &arena, NULL, &got));
    assert_false(got.is_found); /* 18 are too few, however green */
    ask.count = 0;
    assert_false(gl_green_find(&ask, &arena, NULL, &got));
    assert_null(gl_green_lengths(&limit, 0, &arena));
    gl_arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_earliest_green_start_is_found),
        cmocka_unit_test(the_tightest_limit_is_kept_and_no_tighter_one),
        cmocka_unit_test(equality_keeps_a_limit_and_a_hole_does_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
