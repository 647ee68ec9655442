/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "policy/schedule/transport.h"
#include "tests/unit/policy/schedule_case.h"

#include <string.h>

#define CASES 1500
#define MOST  3
#define BAR   GL_TRANSPORT_BARRED

struct invented {
    int64_t load[MOST], capacity[MOST], cost[MOST * MOST];
    struct gl_transport problem;
};

static void invent(uint64_t *seed, struct invented *to)
{
    const size_t origins = 1 + (size_t)case_below(seed, MOST);
    const size_t places = 1 + (size_t)case_below(seed, MOST);

    case_line(seed, 4, 0, origins, to->load);
    case_line(seed, 5, 0, places, to->capacity);
    case_line(seed, 9, 0, origins * places, to->cost);
    for (size_t i = 0; i < origins * places; i++) {
        to->cost[i] -= 2;
        if (case_below(seed, 4) == 0)
            to->cost[i] = BAR;
    }
    to->problem = (struct gl_transport){.origins = origins,
                                        .places = places,
                                        .load = to->load,
                                        .capacity = to->capacity,
                                        .cost = to->cost};
}

struct best {
    int64_t placed, cost;
};

/* Every way to give units of pair `pair` and those after it. */
static void try_all(const struct gl_transport *problem, size_t pair, int64_t *rest, int64_t *room,
                    struct best now, struct best *best)
{
    const size_t origin = pair / problem->places, place = pair % problem->places;

    if (pair == problem->origins * problem->places) {
        if (now.placed > best->placed || (now.placed == best->placed && now.cost < best->cost))
            *best = now;
        return;
    }
    for (int64_t units = 0; units <= rest[origin] && units <= room[place]; units++) {
        if (units > 0 && problem->cost[pair] == BAR)
            break;
        rest[origin] -= units;
        room[place] -= units;
        try_all(problem, pair + 1, rest, room,
                (struct best){now.placed + units,
                              now.cost + (units > 0 ? units * problem->cost[pair] : 0)},
                best);
        rest[origin] += units;
        room[place] += units;
    }
}

static void is_possible(const struct gl_transport *problem, const int64_t *flow, uint64_t number)
{
    for (size_t o = 0; o < problem->origins; o++) {
        int64_t sum = 0;

        for (size_t p = 0; p < problem->places; p++) {
            CHECK(flow[o * problem->places + p] >= 0);
            CHECK(flow[o * problem->places + p] == 0 ||
                  problem->cost[o * problem->places + p] != BAR);
            sum += flow[o * problem->places + p];
        }
        CHECK(sum <= problem->load[o]);
    }
    for (size_t p = 0; p < problem->places; p++) {
        int64_t sum = 0;

        for (size_t o = 0; o < problem->origins; o++)
            sum += flow[o * problem->places + p];
        CHECK(sum <= problem->capacity[p]);
    }
}

static void the_flow_is_the_best_of_all(void **state)
{
    uint64_t seed = 12;

    (void)state;
    for (uint64_t number = 1; number <= CASES; number++) {
        struct gl_transport_answer answer;
        struct best best = {.placed = -1};
        struct gl_arena arena = {0};
        struct gl_error err = {0};
        int64_t rest[MOST], room[MOST];
        struct invented invented = {0};

        invent(&seed, &invented);
        memcpy(rest, invented.load, sizeof rest);
        memcpy(room, invented.capacity, sizeof room);
        try_all(&invented.problem, 0, rest, room, (struct best){0}, &best);
        CHECK(gl_transport_solve(&invented.problem, &arena, &answer, &err) == 0);
        is_possible(&invented.problem, answer.flow, number);
        CHECK(answer.placed == best.placed);
        CHECK((int64_t)answer.cost == best.cost);
        gl_arena_done(&arena);
    }
}

static void nonsense_is_refused(void **state)
{
    int64_t load[1] = {-1}, capacity[1] = {1}, cost[1] = {1};
    struct gl_transport problem = {
        .origins = 1, .places = 1, .load = load, .capacity = capacity, .cost = cost};
    struct gl_transport_answer answer = {.placed = 5};
    struct gl_arena arena = {0};
    struct gl_error err = {0};

    (void)state;
    assert_int_equal(gl_transport_solve(&problem, &arena, &answer, &err), -1);
    assert_int_equal(err.code, GL_E_BAD_VALUE);
    gl_error_clear(&err);
    load[0] = 1;
    capacity[0] = INT64_MAX;
    assert_int_equal(gl_transport_solve(&problem, &arena, &answer, &err), -1);
    gl_error_clear(&err);
    capacity[0] = 1;
    cost[0] = INT64_MAX - 1;
    assert_int_equal(gl_transport_solve(&problem, &arena, &answer, &err), -1);
    gl_error_clear(&err);
    problem.places = 0;
    assert_int_equal(gl_transport_solve(&problem, &arena, &answer, &err), -1);
    assert_int_equal(err.code, GL_E_TOO_LARGE);
    assert_int_equal(answer.placed, 5);
    gl_arena_done(&arena);
}

static void the_greedy_fills_the_cleanest_first(void **state)
{
    const int64_t load[3] = {50, 50, 50}, cost[3] = {10, 20, 30};
    const size_t order[3] = {0, 1, 2};
    const bool all[9] = {true, true, true, true, true, true, true, true, true};
    const bool chain[9] = {true, false, false, false, true, false, false, true, true};
    struct gl_transport_greedy problem = {
        .places = 3, .load = load, .cost = cost, .capacity = 100, .is_allowed = all};
    int64_t out[3];

    (void)state;
    gl_transport_greedy(&problem, order, out);
    assert_int_equal(out[0], 100);
    assert_int_equal(out[1], 50);
    assert_int_equal(out[2], 0);
    problem.is_allowed = chain;
    gl_transport_greedy(&problem, order, out);
    assert_int_equal(out[0], 50);
    assert_int_equal(out[1], 100);
    assert_int_equal(out[2], 0);
}

/* Its quirk: 80 lie in place 0 already, 50 of them its own; there is no room to "move" them to
 * itself, so they go where it is dirtier. */
static void the_greedy_has_its_quirk(void **state)
{
    const int64_t load[3] = {50, 50, 50}, cost[3] = {20, 10, 30};
    const size_t order[3] = {2, 0, 1}; /* not the paper's order, so that place 0 fills first */
    const bool allowed[9] = {true, false, true, false, true, false, true, false, true};
    const struct gl_transport_greedy problem = {
        .places = 3, .load = load, .cost = cost, .capacity = 80, .is_allowed = allowed};
    int64_t out[3];

    (void)state;
    gl_transport_greedy(&problem, order, out);
    assert_int_equal(out[0], 30);
    assert_int_equal(out[2], 70);
    /* The last one's rest, 20 of 50, is put over what lies there. */
    assert_int_equal(out[1], 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_flow_is_the_best_of_all),
        cmocka_unit_test(nonsense_is_refused),
        cmocka_unit_test(the_greedy_fills_the_cleanest_first),
        cmocka_unit_test(the_greedy_has_its_quirk),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
