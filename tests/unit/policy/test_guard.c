/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "policy/facts.h"
#include "policy/guard.h"

static struct gl_guard_place place(enum gl_promise_kind kind, uint32_t hours, double g_per_h)
{
    return (struct gl_guard_place){
        .kind = kind,
        .promised_h = hours,
        .g_per_h = g_per_h,
        .has_g_per_h = true,
        .is_allowed = true,
    };
}

/* Here: 1 hour promised at 40 g/h, 8 needed; there: 10 hours at 10 g/h; a move costs 20 g. */
static struct gl_guard_place there;
static struct gl_guard_move move;

static struct gl_guard_facts lapsing(enum gl_on_lapse on_lapse)
{
    there = place(GL_PROMISED, 10, 10);
    move = (struct gl_guard_move){.grams = 20, .seconds = 60};
    return (struct gl_guard_facts){
        .on_lapse = on_lapse,
        .needed_h = 8,
        .lead_h = 2,
        .min_stay_h = 2,
        .lease_left_s = 20 * 3600,
        .here = place(GL_PROMISED, 1, 40),
        .places = &there,
        .moves = &move,
        .place_count = 1,
        .margin = 0.5,
        .max_egress_u_usd = GL_UNKNOWN,
        .can_pause = true,
        .can_move = true,
    };
}

static struct gl_guard_choice decide(const struct gl_guard_facts *facts)
{
    struct gl_guard_choice choice;

    gl_guard_decide(facts, &choice);
    return choice;
}

static void a_promise_that_lasts_is_left_alone(void **state)
{
    struct gl_guard_facts facts = lapsing(GL_LAPSE_MOVE);

    (void)state;
    facts.here.promised_h = 8;
    assert_int_equal(decide(&facts).act, GL_GUARD_STAY);
    assert_int_equal(decide(&facts).why, GL_WHY_PROMISED);
    facts.here.promised_h = 7;
    assert_int_equal(decide(&facts).act, GL_GUARD_STAY);
    assert_int_equal(decide(&facts).why, GL_WHY_TIME_YET);
    facts.here.promised_h = facts.lead_h;
    assert_int_equal(decide(&facts).why, GL_WHY_TIME_YET);
    facts.here.promised_h = facts.lead_h - 1;
    assert_int_equal(decide(&facts).why, GL_WHY_LAPSES);
}

/* The gain is (40 - 10) g/h over the 8 hours needed, less 1.5 times the 20 g of the move: 210 g. */
static void a_lapse_takes_the_action_asked_for(void **state)
{
    static const struct {
        enum gl_on_lapse on_lapse;
        bool can_pause, can_move;
        enum gl_guard_act act;
    } rows[] = {
        {GL_LAPSE_MOVE, true, true, GL_GUARD_MOVE},
        {GL_LAPSE_MOVE, true, false, GL_GUARD_PAUSE},
        {GL_LAPSE_MOVE, false, false, GL_GUARD_NOTIFY},
        {GL_LAPSE_PAUSE, true, true, GL_GUARD_PAUSE},
        {GL_LAPSE_PAUSE, false, true, GL_GUARD_NOTIFY},
        {GL_LAPSE_NOTIFY, true, true, GL_GUARD_NOTIFY},
        {GL_LAPSE_STOP, true, true, GL_GUARD_STOP},
        {GL_LAPSE_STOP, false, false, GL_GUARD_STOP},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct gl_guard_facts facts = lapsing(rows[i].on_lapse);
        struct gl_guard_choice choice;

        facts.can_pause = rows[i].can_pause;
        facts.can_move = rows[i].can_move;
        choice = decide(&facts);
        assert_int_equal(choice.act, rows[i].act);
        assert_int_equal(choice.why, GL_WHY_LAPSES);
        assert_int_equal(choice.place, rows[i].act == GL_GUARD_MOVE ? 0 : SIZE_MAX);
        if (rows[i].act == GL_GUARD_MOVE)
            assert_true(choice.gain_g > 209.9 && choice.gain_g < 210.1);
    }
}

static void unknown_and_broken_are_never_green(void **state)
{
    static const struct {
        enum gl_promise_kind kind;
        enum gl_guard_why why;
    } rows[] = {
        {GL_STALE, GL_WHY_UNKNOWN},
        {GL_TOO_FEW_ISSUES, GL_WHY_UNKNOWN},
        {GL_BREAKS_NOW, GL_WHY_BROKEN},
        {GL_NONE_POSSIBLE, GL_WHY_LAPSES},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct gl_guard_facts facts = lapsing(GL_LAPSE_PAUSE);

        /* Hours left over from an earlier answer count for nothing. */
        facts.here = place(rows[i].kind, 100, 40);
        assert_int_equal(decide(&facts).act, GL_GUARD_PAUSE);
        assert_int_equal(decide(&facts).why, rows[i].why);
    }
}

static void a_place_that_the_rule_forbids_is_no_refuge(void **state)
{
    struct gl_guard_facts facts = lapsing(GL_LAPSE_MOVE);

    (void)state;
    there.is_allowed = false;
    assert_int_equal(decide(&facts).act, GL_GUARD_PAUSE);
    there = place(GL_STALE, 10, 10);
    assert_int_equal(decide(&facts).act, GL_GUARD_PAUSE);
    there = place(GL_PROMISED, 10, 10);
    there.has_g_per_h = false;
    assert_int_equal(decide(&facts).act, GL_GUARD_PAUSE);
    assert_true(decide(&facts).was_refused_gain);
}

static void a_move_must_gain_more_than_it_costs(void **state)
{
    struct gl_guard_facts facts = lapsing(GL_LAPSE_MOVE);

    (void)state;
    move.grams = 159; /* 240 g saved, 238.5 g with the margin */
    assert_int_equal(decide(&facts).act, GL_GUARD_MOVE);
    move.grams = 160; /* 240 g: nothing gained */
    assert_int_equal(decide(&facts).act, GL_GUARD_PAUSE);
    assert_true(decide(&facts).was_refused_gain);
    move.grams = 0;
    there.promised_h = 1; /* not worth it for so short */
    assert_int_equal(decide(&facts).act, GL_GUARD_PAUSE);
    assert_false(decide(&facts).was_refused_gain);
    there.promised_h = 2;
    assert_int_equal(decide(&facts).act, GL_GUARD_MOVE);
    move.seconds = 2 * 3600; /* lapsed before it arrives */
    assert_int_equal(decide(&facts).act, GL_GUARD_PAUSE);
}

static void a_dear_move_is_not_made(void **state)
{
    struct gl_guard_facts facts = lapsing(GL_LAPSE_MOVE);

    (void)state;
    move.price_u_usd = 90000;
    facts.max_egress_u_usd = 90000;
    assert_int_equal(decide(&facts).act, GL_GUARD_MOVE);
    assert_false(decide(&facts).was_refused_price);
    facts.max_egress_u_usd = 89999;
    assert_int_equal(decide(&facts).act, GL_GUARD_PAUSE);
    assert_true(decide(&facts).was_refused_price);
    assert_false(decide(&facts).was_refused_gain);
    move.price_u_usd = GL_UNKNOWN; /* nobody says what it costs */
    assert_int_equal(decide(&facts).act, GL_GUARD_PAUSE);
    assert_true(decide(&facts).was_refused_price);
    facts.max_egress_u_usd = GL_UNKNOWN; /* and nobody asks */
    assert_int_equal(decide(&facts).act, GL_GUARD_MOVE);
}

/* After a move the roles are swapped: nothing goes back while the new promise stands, and never
 * back to the place with the shorter promise. */
static void a_move_is_not_undone(void **state)
{
    struct gl_guard_facts facts = lapsing(GL_LAPSE_MOVE);

    (void)state;
    assert_int_equal(decide(&facts).act, GL_GUARD_MOVE);
    facts.here = place(GL_PROMISED, 10, 10);
    there = place(GL_PROMISED, 1, 40);
    assert_int_equal(decide(&facts).act, GL_GUARD_STAY);
    facts.here.promised_h = 1;
    there = place(GL_PROMISED, 10, 40); /* longer, but dirtier */
    assert_int_equal(decide(&facts).act, GL_GUARD_PAUSE);
}

static void of_two_refuges_the_larger_gain_wins(void **state)
{
    struct gl_guard_facts facts = lapsing(GL_LAPSE_MOVE);
    const struct gl_guard_place places[] = {place(GL_PROMISED, 10, 20), place(GL_PROMISED, 4, 1),
                                            place(GL_PROMISED, 10, 15)};
    const struct gl_guard_move moves[] = {{.grams = 1}, {.grams = 1}, {.grams = 1}};

    (void)state;
    facts.places = places;
    facts.moves = moves;
    facts.place_count = 3;
    assert_int_equal(decide(&facts).place, 2);
}

static void a_paused_instance_waits_for_enough_green(void **state)
{
    struct gl_guard_facts facts = lapsing(GL_LAPSE_PAUSE);

    (void)state;
    facts.is_paused = true;
    assert_int_equal(decide(&facts).act, GL_GUARD_STAY);
    assert_int_equal(decide(&facts).why, GL_WHY_NOT_GREEN);
    facts.here.promised_h = 2;
    assert_int_equal(decide(&facts).act, GL_GUARD_RESUME);
    assert_int_equal(decide(&facts).why, GL_WHY_GREEN_AGAIN);
    assert_int_equal(decide(&facts).place, SIZE_MAX);
    facts.here.kind = GL_STALE;
    assert_int_equal(decide(&facts).act, GL_GUARD_STAY);
    facts.here = place(GL_PROMISED, 1, 40);
    facts.needed_h = 1; /* all that is left is promised */
    assert_int_equal(decide(&facts).act, GL_GUARD_RESUME);
}

static void a_paused_instance_may_go_on_elsewhere(void **state)
{
    struct gl_guard_facts facts = lapsing(GL_LAPSE_MOVE);

    (void)state;
    facts.is_paused = true;
    assert_int_equal(decide(&facts).act, GL_GUARD_RESUME);
    assert_int_equal(decide(&facts).place, 0);
    facts.on_lapse = GL_LAPSE_PAUSE;
    assert_int_equal(decide(&facts).act, GL_GUARD_STAY);
}

static void a_lease_too_short_to_finish_is_told(void **state)
{
    struct gl_guard_facts facts = lapsing(GL_LAPSE_PAUSE);

    (void)state;
    facts.is_paused = true;
    facts.lease_left_s = 8 * 3600;
    assert_int_equal(decide(&facts).act, GL_GUARD_STAY);
    facts.lease_left_s = 8 * 3600 - 1;
    assert_int_equal(decide(&facts).act, GL_GUARD_NOTIFY);
    assert_int_equal(decide(&facts).why, GL_WHY_LEASE);
}

/* A plan with pauses goes first; the rules have their say in its stretches. */
static void a_plan_goes_first(void **state)
{
    static const struct {
        enum gl_timetable_wish plan;
        bool is_paused, is_forced, has_no_rules, is_green;
        enum gl_on_lapse on_lapse;
        enum gl_guard_act act;
        enum gl_guard_why why;
    } rows[] = {
        {GL_TIMETABLE_PAUSE, 0, 0, 0, 1, GL_LAPSE_NOTIFY, GL_GUARD_PAUSE, GL_WHY_PLAN_PAUSES},
        {GL_TIMETABLE_PAUSE, 1, 0, 0, 1, GL_LAPSE_NOTIFY, GL_GUARD_STAY, GL_WHY_PLAN_PAUSES},
        {GL_TIMETABLE_RUN, 0, 0, 1, 0, GL_LAPSE_NOTIFY, GL_GUARD_STAY, GL_WHY_PLAN_RUNS},
        {GL_TIMETABLE_RUN, 0, 1, 1, 0, GL_LAPSE_NOTIFY, GL_GUARD_STAY, GL_WHY_DEADLINE},
        {GL_TIMETABLE_RUN, 1, 0, 1, 0, GL_LAPSE_NOTIFY, GL_GUARD_RESUME, GL_WHY_PLAN_RUNS},
        {GL_TIMETABLE_RUN, 1, 0, 0, 1, GL_LAPSE_PAUSE, GL_GUARD_RESUME, GL_WHY_PLAN_RUNS},
        {GL_TIMETABLE_RUN, 1, 0, 0, 0, GL_LAPSE_NOTIFY, GL_GUARD_STAY, GL_WHY_NOT_GREEN},
        {GL_TIMETABLE_RUN, 1, 1, 0, 0, GL_LAPSE_NOTIFY, GL_GUARD_RESUME, GL_WHY_DEADLINE},
        {GL_TIMETABLE_RUN, 1, 1, 0, 0, GL_LAPSE_PAUSE, GL_GUARD_STAY, GL_WHY_NOT_GREEN},
        {GL_TIMETABLE_RUN, 0, 0, 0, 0, GL_LAPSE_PAUSE, GL_GUARD_PAUSE, GL_WHY_BROKEN},
        {GL_TIMETABLE_END, 0, 0, 0, 1, GL_LAPSE_NOTIFY, GL_GUARD_STOP, GL_WHY_DONE},
        {GL_TIMETABLE_END, 1, 0, 1, 1, GL_LAPSE_NOTIFY, GL_GUARD_STOP, GL_WHY_DONE},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct gl_guard_facts facts = lapsing(rows[i].on_lapse);

        facts.is_paused = rows[i].is_paused;
        facts.plan = rows[i].plan;
        facts.is_plan_forced = rows[i].is_forced;
        facts.has_no_rules = rows[i].has_no_rules;
        facts.here = rows[i].is_green ? place(GL_PROMISED, 20, 40) : place(GL_BREAKS_NOW, 0, 40);
        assert_int_equal(decide(&facts).act, rows[i].act);
        assert_int_equal(decide(&facts).why, rows[i].why);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plan_goes_first),
        cmocka_unit_test(a_promise_that_lasts_is_left_alone),
        cmocka_unit_test(a_lapse_takes_the_action_asked_for),
        cmocka_unit_test(unknown_and_broken_are_never_green),
        cmocka_unit_test(a_place_that_the_rule_forbids_is_no_refuge),
        cmocka_unit_test(a_move_must_gain_more_than_it_costs),
        cmocka_unit_test(a_dear_move_is_not_made),
        cmocka_unit_test(a_move_is_not_undone),
        cmocka_unit_test(of_two_refuges_the_larger_gain_wins),
        cmocka_unit_test(a_paused_instance_waits_for_enough_green),
        cmocka_unit_test(a_paused_instance_may_go_on_elsewhere),
        cmocka_unit_test(a_lease_too_short_to_finish_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
