/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "policy/guarantee/book.h"
#include "tests/unit/policy/one_offer.h"

/* The judge on rules with `confidence`, with promises written by hand: what the engine says is
 * tested in test_book.c. */
static struct gl_history history;
static const struct gl_history *histories[] = {&history};
static struct gl_book_entry entries[2];
static struct gl_book book;

static struct gl_book_entry promised(const struct gl_zone_facts *facts, uint32_t hours)
{
    struct gl_book_entry entry = {.rule = &rule,
                                  .zone = facts,
                                  .history = {&history},
                                  .is_ready = true,
                                  .promise = {.kind = hours > 0 ? GL_PROMISED : GL_NONE_POSSIBLE,
                                              .start_s = NOW,
                                              .hours = hours,
                                              .probability = 0.95}};

    entry.legs.count = 1;
    return entry;
}

/* At most 120 g/kWh, promised with 95 % for 4 h; the run takes 2 h. */
static int setup_promise(void **state)
{
    setup(state);
    limits[0] = case_limit(GL_KEY_MAX_INTENSITY, GRAMS(120));
    limits[1] = case_limit(GL_KEY_CONFIDENCE, PERCENT(95));
    rule = case_rule("r", limits, 2);
    history =
        (struct gl_history){.meaning = case_meaning(GL_INTENSITY), .newest_actual_s = NOW - HOUR};
    zone.facts.history_count = 1;
    zone.facts.histories = histories;
    entries[0] = promised(&zone.facts, 4);
    book = (struct gl_book){1, entries};
    question.book = &book;
    return 0;
}

static void assert_judged(enum gl_outcome outcome, enum gl_gap gap, int64_t found_s)
{
    struct gl_reason reasons[4];

    assert_int_equal(judged().outcome, outcome);
    assert_int_equal(gl_judge_all(&question, 0, reasons, 4),
                     1); /* the limit itself is not tested */
    assert_int_equal(reasons[0].outcome, outcome);
    assert_int_equal(reasons[0].gap, gap);
    assert_int_equal(reasons[0].found_u, found_s);
    assert_int_equal(reasons[0].constraint->key->id, GL_KEY_CONFIDENCE);
}

static void a_promise_for_the_whole_run_satisfies(void **state)
{
    (void)state;
    assert_judged(GL_SATISFIED, GL_GAP_NONE, 4 * HOUR);
    assert_int_equal(judged().grade, GL_GRADE_C);
    request.duration.s = 4 * HOUR;
    assert_judged(GL_SATISFIED, GL_GAP_NONE, 4 * HOUR);
    request.duration.s = 4 * HOUR + 1;
    assert_judged(GL_VIOLATED, GL_GAP_NONE, 4 * HOUR);
}

/* Neither the forecast at hand nor a better figure counts instead. */
static void figures_at_hand_do_not_stand_in_for_a_promise(void **state)
{
    (void)state;
    entries[0] = promised(&zone.facts, 0);
    limits[0].number = GRAMS(1000);
    assert_judged(GL_VIOLATED, GL_GAP_NONE, 0);
    entries[0] = promised(&zone.facts, 4);
    limits[0].number = GRAMS(1);
    assert_judged(GL_SATISFIED, GL_GAP_NONE, 4 * HOUR);
}

static void green_for_asks_for_longer_than_the_run(void **state)
{
    (void)state;
    limits[2] = case_limit(GL_KEY_GREEN_FOR, 4 * HOUR);
    rule = case_rule("r", limits, 3);
    assert_judged(GL_SATISFIED, GL_GAP_NONE, 4 * HOUR);
    limits[2].number = 5 * HOUR;
    assert_judged(GL_VIOLATED, GL_GAP_NONE, 4 * HOUR);
}

/* What is promised from the full hour on does not last longer because it is asked later. */
static void the_end_of_a_promise_counts_not_its_length(void **state)
{
    (void)state;
    question.now.unix_s = request.start.unix_s = NOW + 1800;
    assert_judged(GL_SATISFIED, GL_GAP_NONE, 4 * HOUR - 1800);
    request.duration.s = 4 * HOUR;
    assert_judged(GL_VIOLATED, GL_GAP_NONE, 4 * HOUR - 1800);
}

static void without_a_book_or_an_entry_it_is_unknown(void **state)
{
    (void)state;
    question.book = NULL;
    assert_judged(GL_OUTCOME_UNKNOWN, GL_GAP_MISSING, GL_UNKNOWN);
    question.book = &book;
    book.count = 0;
    assert_judged(GL_OUTCOME_UNKNOWN, GL_GAP_MISSING, GL_UNKNOWN);
    case_place(&offer)->zone_count = 0;
    assert_judged(GL_OUTCOME_UNKNOWN, GL_GAP_MISSING, GL_UNKNOWN);
}

static void each_gap_is_unknown_and_named(void **state)
{
    (void)state;
    entries[0].is_ready = false;
    assert_judged(GL_OUTCOME_UNKNOWN, GL_GAP_MEANING, GL_UNKNOWN);
    entries[0] = promised(&zone.facts, 4);
    history.newest_actual_s = NOW - 6 * HOUR;
    assert_judged(GL_OUTCOME_UNKNOWN, GL_GAP_STALE, GL_UNKNOWN);
    history.newest_actual_s = NOW - HOUR;
    entries[0].promise.kind = GL_STALE;
    assert_judged(GL_OUTCOME_UNKNOWN, GL_GAP_STALE, GL_UNKNOWN);
    entries[0].promise.kind = GL_TOO_FEW_ISSUES;
    assert_judged(GL_OUTCOME_UNKNOWN, GL_GAP_ISSUES, GL_UNKNOWN);
    entries[0].promise.kind = GL_BEYOND_HORIZON;
    entries[0].promise.hours = 1;
    assert_judged(GL_OUTCOME_UNKNOWN, GL_GAP_HORIZON, GL_UNKNOWN);
    entries[0].promise.hours = 2; /* which is enough */
    assert_judged(GL_SATISFIED, GL_GAP_NONE, 2 * HOUR);
    entries[0].promise.kind = GL_BREAKS_NOW;
    assert_judged(GL_VIOLATED, GL_GAP_NONE, 0);
}

static void a_disputed_zone_needs_both_promises(void **state)
{
    (void)state;
    case_place(&offer)->zones[1] = &other_zone.facts;
    case_place(&offer)->zone_count = 2;
    assert_judged(GL_OUTCOME_UNKNOWN, GL_GAP_MISSING, GL_UNKNOWN);
    entries[1] = promised(&other_zone.facts, 3);
    book.count = 2;
    assert_judged(GL_SATISFIED, GL_GAP_NONE, 3 * HOUR);
    entries[1] = promised(&other_zone.facts, 1);
    assert_judged(GL_VIOLATED, GL_GAP_NONE, HOUR);
    entries[0].promise.kind = GL_STALE;
    assert_judged(GL_VIOLATED, GL_GAP_NONE, HOUR); /* a violation says more than unknown */
}

static void a_waiver_covers_a_lacking_promise(void **state)
{
    (void)state;
    entries[0] = promised(&zone.facts, 1);
    policy.waivers = &waiver;
    policy.waiver_count = 1;
    assert_judged(GL_SATISFIED, GL_GAP_NONE, HOUR);
    assert_true(judged().has_warning);
    waiver.expires.unix_s = NOW;
    assert_judged(GL_VIOLATED, GL_GAP_NONE, HOUR);
    waiver.expires.unix_s = NOW + DAY;
    entries[0].promise.kind = GL_TOO_FEW_ISSUES;
    assert_judged(GL_OUTCOME_UNKNOWN, GL_GAP_ISSUES,
                  GL_UNKNOWN); /* what is unknown is not waived */
}

static void on_unknown_says_what_a_lacking_history_means(void **state)
{
    (void)state;
    entries[0].promise.kind = GL_TOO_FEW_ISSUES;
    rule.on_unknown = GL_UNKNOWN_WARN;
    assert_judged(GL_SATISFIED, GL_GAP_ISSUES, GL_UNKNOWN);
    assert_true(judged().has_warning);
    assert_int_equal(judged().grade, GL_GRADE_E);
    rule.on_unknown = GL_UNKNOWN_ASSUME_WORST;
    assert_judged(GL_VIOLATED, GL_GAP_ISSUES, GL_UNKNOWN);
}

/* ---- alternatives ---- */

static const struct gl_alternative *alternative(const struct gl_decision *decision,
                                                enum gl_alternative_kind kind)
{
    for (size_t i = 0; i < decision->alternative_count; i++)
        if (decision->alternatives[i].kind == kind)
            return &decision->alternatives[i];
    return NULL;
}

static void a_later_start_is_told_when_it_would_be_promised(void **state)
{
    struct gl_decision *decision;

    (void)state;
    entries[0] = promised(&zone.facts, 0);
    entries[0].later = (struct gl_later){
        .is_known = true, .run_h = 2, .within_h = 46, .starts = UINT64_C(1) << 20 | 1 << 17};
    decision = gl_decide(&question); /* figures reach 12 h only */
    assert_int_equal(decision->verdict, GL_LATER);
    assert_int_equal(alternative(decision, GL_ALT_TIME)->start.unix_s, NOW + 17 * HOUR);
    assert_int_equal(alternative(decision, GL_ALT_TIME)->duration.s, 2 * HOUR);
    assert_null(alternative(decision, GL_ALT_LOOSER));
    assert_null(alternative(decision, GL_ALT_SIZE));
    gl_decision_free(decision);
    request.latest_start.unix_s = NOW + 16 * HOUR; /* too late: told, but not promised in time */
    decision = gl_decide(&question);
    assert_int_equal(decision->verdict, GL_REFUSE);
    gl_decision_free(decision);
}

static void nothing_that_is_not_promised_is_an_alternative(void **state)
{
    struct gl_decision *decision;

    (void)state;
    entries[0] = promised(&zone.facts, 0);
    entries[0].later = (struct gl_later){.is_known = true, .run_h = 2, .within_h = 46};
    limits[0].number = GRAMS(1000); /* the forecast at hand would keep it */
    decision = gl_decide(&question);
    assert_int_equal(decision->verdict, GL_REFUSE);
    assert_int_equal(decision->alternative_count, 0);
    gl_decision_free(decision);
    entries[0].later.is_known = false;
    entries[0].later.starts = 1 << 7; /* of a book that could say nothing */
    decision = gl_decide(&question);
    assert_null(alternative(decision, GL_ALT_TIME));
    gl_decision_free(decision);
}

/* A shorter run that the promise of now covers may be told; its later starts were not looked at. */
static void a_shorter_run_is_told_as_far_as_promised(void **state)
{
    struct gl_decision *decision;

    (void)state;
    request.duration.s = 6 * HOUR;
    decision = gl_decide(&question);
    assert_int_equal(decision->verdict, GL_REFUSE);
    assert_int_equal(alternative(decision, GL_ALT_SIZE)->duration.s, 4 * HOUR);
    assert_null(alternative(decision, GL_ALT_TIME));
    gl_decision_free(decision);
}

static void another_rule_must_hold_at_the_later_start_too(void **state)
{
    static struct gl_constraint second_limits[1];
    static struct gl_rule rules[2];
    struct gl_decision *decision;

    (void)state;
    second_limits[0] = case_limit(GL_KEY_MIN_RENEWABLE, PERCENT(80)); /* by figures, 12 h of them */
    rules[0] = rule;
    rules[1] = case_rule("s", second_limits, 1);
    policy = case_policy(rules, 2);
    entries[0] = promised(&zone.facts, 0);
    entries[0].rule = &rules[0];
    entries[0].later = (struct gl_later){.is_known = true, .run_h = 2, .starts = 1 << 7 | 1 << 20};
    decision = gl_decide(&question);
    assert_int_equal(alternative(decision, GL_ALT_TIME)->start.unix_s, NOW + 7 * HOUR);
    gl_decision_free(decision);
    renewable->points[8].low_u = PERCENT(10);
    decision = gl_decide(&question);
    assert_null(alternative(decision, GL_ALT_TIME)); /* not after 20 h: no figure says so */
    gl_decision_free(decision);
}

#define PROMISE(function) cmocka_unit_test_setup(function, setup_promise)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PROMISE(a_promise_for_the_whole_run_satisfies),
        PROMISE(figures_at_hand_do_not_stand_in_for_a_promise),
        PROMISE(green_for_asks_for_longer_than_the_run),
        PROMISE(the_end_of_a_promise_counts_not_its_length),
        PROMISE(without_a_book_or_an_entry_it_is_unknown),
        PROMISE(each_gap_is_unknown_and_named),
        PROMISE(a_disputed_zone_needs_both_promises),
        PROMISE(a_waiver_covers_a_lacking_promise),
        PROMISE(on_unknown_says_what_a_lacking_history_means),
        PROMISE(a_later_start_is_told_when_it_would_be_promised),
        PROMISE(nothing_that_is_not_promised_is_an_alternative),
        PROMISE(a_shorter_run_is_told_as_far_as_promised),
        PROMISE(another_rule_must_hold_at_the_later_start_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
