/* SPDX-License-Identifier: Apache-2.0 */
/* What must hold for every decision of the guard, over invented places and over days of a grid that
 * changes its mind every hour. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "policy/facts.h"
#include "policy/guard.h"

#define WORLDS 20000
#define PLACES 4
#define WEEKS  50
#define DAY_S  INT64_C(86400)

static uint64_t word;

static int64_t below(int64_t limit)
{
    word = word * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (int64_t)((word >> 33) % (uint64_t)limit);
}

static struct gl_guard_place invent_place(void)
{
    struct gl_guard_place place = {
        .kind = (enum gl_promise_kind)below(6),
        .promised_h = (uint32_t)below(30),
        .g_per_h = (double)below(400),
        .has_g_per_h = below(5) != 0,
        .is_allowed = below(6) != 0,
        .has_saved_g = below(3) == 0,
        .saved_g = (double)(below(4000) - 1000),
    };

    return place;
}

static struct gl_guard_place places[PLACES];
static struct gl_guard_move moves[PLACES];

static struct gl_guard_facts invent(void)
{
    struct gl_guard_facts facts = {
        .is_paused = below(2) == 0,
        .on_lapse = (enum gl_on_lapse)below(4),
        .needed_h = (uint32_t)below(40),
        .lead_h = 1 + (uint32_t)below(3),
        .min_stay_h = 1 + (uint32_t)below(4),
        .was_moved_lately = below(4) == 0,
        .lease_left_s = below(40) * 3600 - 7200,
        .here = invent_place(),
        .places = places,
        .moves = moves,
        .place_count = (size_t)below(PLACES + 1),
        .margin = (double)below(3) / 2,
        .max_egress_u_usd = below(2) == 0 ? GL_UNKNOWN : below(100),
        .can_pause = below(4) != 0,
        .can_move = below(4) != 0,
    };

    for (size_t i = 0; i < PLACES; i++) {
        places[i] = invent_place();
        moves[i] = (struct gl_guard_move){
            .grams = (double)below(500),
            .seconds = (double)below(9000),
            .price_u_usd = below(4) == 0 ? GL_UNKNOWN : below(100),
        };
    }
    return facts;
}

/* Hours that count: promised, and where the rule lets it run. */
static uint32_t hours(const struct gl_guard_place *place)
{
    bool is_promise = place->kind == GL_PROMISED || place->kind == GL_BEYOND_HORIZON;

    return is_promise && place->is_allowed ? place->promised_h : 0;
}

static void assert_refuge(const struct gl_guard_facts *facts, const struct gl_guard_choice *choice)
{
    const struct gl_guard_place *there = &places[choice->place];
    uint32_t needed = facts->needed_h > 0 ? facts->needed_h : 1;
    uint32_t worth = facts->min_stay_h < needed ? facts->min_stay_h : needed;

    assert_true(choice->place < facts->place_count);
    assert_true(facts->can_move && facts->on_lapse == GL_LAPSE_MOVE && !facts->was_moved_lately);
    assert_true(hours(there) >= worth && hours(there) > hours(&facts->here));
    assert_true(choice->gain_g > 0);
    assert_true(there->has_saved_g || (there->has_g_per_h && facts->here.has_g_per_h));
    if (there->has_saved_g)
        assert_true(there->saved_g > moves[choice->place].grams * (1 + facts->margin));
    assert_true(facts->max_egress_u_usd == GL_UNKNOWN ||
                (moves[choice->place].price_u_usd != GL_UNKNOWN &&
                 moves[choice->place].price_u_usd <= facts->max_egress_u_usd));
}

static void assert_stay(const struct gl_guard_facts *facts)
{
    uint32_t needed = facts->needed_h > 0 ? facts->needed_h : 1;

    if (!facts->is_paused) /* unknown or lapsing is never left alone */
        assert_true(hours(&facts->here) >= (needed < facts->lead_h ? needed : facts->lead_h));
    else
        assert_true(hours(&facts->here) < facts->min_stay_h || hours(&facts->here) == 0);
}

static void every_decision_is_one_that_may_be_made(void **state)
{
    unsigned seen[GL_GUARD_NOTIFY + 1] = {0};

    (void)state;
    word = 7;
    for (int i = 0; i < WORLDS; i++) {
        struct gl_guard_facts facts = invent();
        struct gl_guard_choice choice;

        gl_guard_decide(&facts, &choice);
        seen[choice.act]++;
        assert_int_equal(choice.place != SIZE_MAX,
                         choice.act == GL_GUARD_MOVE ||
                             (choice.act == GL_GUARD_RESUME && choice.place != SIZE_MAX));
        if (choice.place != SIZE_MAX)
            assert_refuge(&facts, &choice);
        if (choice.act == GL_GUARD_STAY)
            assert_stay(&facts);
        if (choice.act == GL_GUARD_PAUSE)
            assert_true(facts.can_pause && facts.on_lapse != GL_LAPSE_NOTIFY && !facts.is_paused);
        if (choice.act == GL_GUARD_STOP)
            assert_true(facts.on_lapse == GL_LAPSE_STOP && !facts.is_paused);
        if (choice.act == GL_GUARD_RESUME && choice.place == SIZE_MAX)
            assert_true(hours(&facts.here) > 0);
    }
    for (int act = 0; act <= GL_GUARD_NOTIFY; act++)
        assert_true(seen[act] > 0);
}

/* ---- no ping-pong ---- */

/* A run that is looked at every five minutes; what is promised is drawn anew every hour. */
struct run {
    size_t at;
    bool is_paused;
    int64_t moved_s;
    unsigned moves, pauses;
    struct gl_guard_place all[PLACES];
};

static void new_hour(struct run *run)
{
    for (size_t i = 0; i < PLACES; i++)
        run->all[i] = (struct gl_guard_place){
            .kind = below(3) == 0 ? GL_BREAKS_NOW : GL_PROMISED,
            .promised_h = (uint32_t)below(6),
            .g_per_h = (double)(20 + below(300)),
            .has_g_per_h = true,
            .is_allowed = true,
        };
}

static void look(struct run *run, int64_t now_s)
{
    struct gl_guard_place elsewhere[PLACES - 1];
    size_t index[PLACES - 1], count = 0;
    struct gl_guard_move costs[PLACES - 1];
    struct gl_guard_facts facts = {
        .is_paused = run->is_paused,
        .on_lapse = GL_LAPSE_MOVE,
        .needed_h = run->is_paused ? 2 : 24,
        .lead_h = 1,
        .min_stay_h = 2,
        .was_moved_lately = now_s - run->moved_s < 2 * 3600,
        .lease_left_s = DAY_S,
        .here = run->all[run->at],
        .places = elsewhere,
        .moves = costs,
        .margin = 0.5,
        .max_egress_u_usd = GL_UNKNOWN,
        .can_pause = true,
        .can_move = true,
    };
    struct gl_guard_choice choice;

    for (size_t i = 0; i < PLACES; i++) {
        if (i == run->at)
            continue;
        elsewhere[count] = run->all[i];
        costs[count] = (struct gl_guard_move){.grams = 30, .seconds = 60};
        index[count++] = i;
    }
    facts.place_count = count;
    gl_guard_decide(&facts, &choice);
    run->pauses += choice.act == GL_GUARD_PAUSE;
    run->is_paused =
        choice.act == GL_GUARD_PAUSE || (run->is_paused && choice.act != GL_GUARD_RESUME);
    if (choice.place == SIZE_MAX)
        return;
    /* Over what is promised there and needed: more than one and a half times its cost. */
    assert_true(choice.gain_g > 0);
    assert_true((run->all[run->at].g_per_h - run->all[index[choice.place]].g_per_h) * 6 > 45);
    run->at = index[choice.place];
    run->moved_s = now_s;
    run->moves++;
}

static void moves_are_bounded_by_the_time_that_passes(void **state)
{
    unsigned most = 0, all = 0;

    (void)state;
    for (unsigned week = 0; week < WEEKS; week++) {
        struct run run = {.moved_s = -DAY_S};

        word = 1000 + week;
        for (int64_t now_s = 0; now_s < 7 * DAY_S; now_s += 300) {
            if (now_s % 3600 == 0)
                new_hour(&run);
            look(&run, now_s);
        }
        assert_true(run.moves <= 7 * 12); /* one in two hours */
        assert_true(run.pauses <= 7 * 24);
        most = run.moves > most ? run.moves : most;
        all += run.moves;
    }
    print_message("moves a week: %u at most, %u on average\n", most, all / WEEKS);
    assert_true(all > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_decision_is_one_that_may_be_made),
        cmocka_unit_test(moves_are_bounded_by_the_time_that_passes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
