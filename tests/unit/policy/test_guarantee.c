/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "policy/guarantee/learning.h"
#include "tests/unit/policy/invent_grid.h"

#define DAYS(count) ((size_t)(count)*24)
#define LEARN       DAYS(80)
#define NOW         DAYS(400)

static struct grid *grid;
static struct gl_arena arena;
static struct gl_track track;
static const struct gl_track *tracks[GL_GUARANTEE_MAX_LEGS];

static int set_up(void **state)
{
    (void)state;
    grid = grid_new(11);
    for (size_t i = 0; i < GL_GUARANTEE_MAX_LEGS; i++)
        tracks[i] = &track;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    free(grid);
    gl_arena_done(&arena);
    return 0;
}

static void forecast(void)
{
    assert_true(grid_track(&arena, grid, NULL, DAYS(12), NOW, &track));
}

static struct gl_guarantee *learnt(const struct gl_guarantee_rule *rule, size_t until)
{
    struct gl_guarantee *guarantee = gl_guarantee_start(&arena, rule, grid_time(LEARN));

    assert_non_null(guarantee);
    assert_true(gl_guarantee_advance(guarantee, tracks, grid_time(until)));
    return guarantee;
}

static struct gl_promise decided(const struct gl_guarantee *guarantee, size_t hour, uint32_t asked)
{
    struct gl_promise promise;

    assert_true(gl_guarantee_decide(guarantee, tracks, grid_time(hour), asked, &promise));
    return promise;
}

static struct gl_promise promised(const struct gl_guarantee_rule *rule, size_t hour)
{
    return decided(learnt(rule, hour), hour, 0);
}

/* ---- values at the limit ---- */

static void equality_is_kept(void **state)
{
    const struct gl_guarantee_rule ceiling = grid_rule(GL_LEG_CEILING, 200.1F, .9);
    const struct gl_guarantee_rule floor = grid_rule(GL_LEG_FLOOR, 200.1F, .9);
    const struct gl_actuals *actuals = &grid->actuals;
    struct gl_promise promise;
    struct gl_settled settled;

    (void)state;
    grid_fill(grid, gl_hour_value(200100000));
    forecast();
    promise = promised(&ceiling, DAYS(300));
    assert_int_equal(promise.kind, GL_PROMISED);
    assert_int_equal(promise.hours, 48);
    assert_int_equal(promise.score.kept, promise.score.issued - 47);
    assert_int_equal(promised(&floor, DAYS(300)).hours, 48);
    gl_guarantee_settle(&ceiling, &actuals, &promise, grid_time(NOW), &settled);
    assert_int_equal(settled.kind, GL_SETTLED_KEPT);
    gl_guarantee_settle(&floor, &actuals, &promise, grid_time(NOW), &settled);
    assert_int_equal(settled.kind, GL_SETTLED_KEPT);
}

static void no_intensity_at_all_can_be_promised(void **state)
{
    const struct gl_guarantee_rule rule = grid_rule(GL_LEG_CEILING, 0, .99);

    (void)state;
    grid_fill(grid, 0);
    forecast();
    assert_int_equal(promised(&rule, DAYS(300)).hours, 48);
}

static void a_share_of_all_can_be_promised(void **state)
{
    const struct gl_guarantee_rule rule = grid_rule(GL_LEG_FLOOR, 100, .99);

    (void)state;
    grid_fill(grid, 100);
    forecast();
    assert_int_equal(promised(&rule, DAYS(300)).hours, 48);
}

/* ---- kinds of answers ---- */

static void a_limit_broken_now_promises_nothing(void **state)
{
    const struct gl_guarantee_rule rule = grid_rule(GL_LEG_CEILING, 400, .9);

    (void)state;
    grid->value[DAYS(300) - 1] = 401;
    grid->value[DAYS(310) - 1] = 399;
    forecast();
    assert_int_equal(promised(&rule, DAYS(300)).kind, GL_BREAKS_NOW);
    assert_int_equal(promised(&rule, DAYS(300)).hours, 0);
    assert_int_not_equal(promised(&rule, DAYS(310)).kind, GL_BREAKS_NOW);
}

static void too_few_issues_are_an_indication(void **state)
{
    const struct gl_guarantee_rule rule = grid_rule(GL_LEG_CEILING, 1000, .9);
    struct gl_promise promise;

    (void)state;
    forecast();
    promise = decided(gl_guarantee_start(&arena, &rule, 0), DAYS(20), 0);
    assert_int_equal(promise.kind, GL_TOO_FEW_ISSUES);
    assert_in_range(promise.issues, 1, GL_GUARANTEE_MIN_ISSUES - 1);
    assert_int_equal(promise.hours, 0);
    assert_int_equal(promise.indication_h, 48);
    promise = decided(gl_guarantee_start(&arena, &rule, 0), DAYS(60), 0);
    assert_int_equal(promise.kind, GL_PROMISED);
    assert_true(promise.issues >= GL_GUARANTEE_MIN_ISSUES);
}

static void old_data_promise_nothing_new(void **state)
{
    const struct gl_guarantee_rule rule = grid_rule(GL_LEG_CEILING, 1000, .9);

    (void)state;
    memset(grid->state + DAYS(300), GL_HOUR_MISSING, 30);
    forecast();
    assert_int_equal(promised(&rule, DAYS(300) + 12).kind, GL_PROMISED);
    assert_int_equal(promised(&rule, DAYS(300) + 24).kind, GL_PROMISED);
    assert_int_equal(promised(&rule, DAYS(300) + 25).kind, GL_STALE);
    assert_int_equal(promised(&rule, DAYS(300) + 31).kind, GL_PROMISED);
}

static void beyond_the_forecast_is_no_promise(void **state)
{
    const struct gl_guarantee_rule rule = grid_rule(GL_LEG_CEILING, 1000, .9);
    const struct gl_guarantee *guarantee;
    struct gl_promise promise;

    (void)state;
    for (size_t day = 0; day < GRID_DAYS; day++)
        grid->issue[day].count = 30;
    assert_true(grid_track(&arena, grid, &grid->issues, DAYS(12), NOW, &track));
    guarantee = learnt(&rule, DAYS(300));
    promise = decided(guarantee, DAYS(300), 30);
    assert_int_equal(promise.kind, GL_PROMISED);
    assert_int_equal(promise.hours, 30);
    assert_int_equal(promise.covered_h, 30);
    promise = decided(guarantee, DAYS(300), 31);
    assert_int_equal(promise.kind, GL_BEYOND_HORIZON);
    assert_int_equal(promise.hours, 30);
    assert_int_equal(promise.indication_h, 48);
    assert_int_equal(decided(guarantee, DAYS(300) + 10, 21).kind, GL_BEYOND_HORIZON);
}

static void a_sudden_limit_cannot_be_promised(void **state)
{
    const struct gl_guarantee_rule rule = grid_rule(GL_LEG_CEILING, 299, .99);
    struct gl_promise promise;

    (void)state;
    for (size_t i = 0; i < GRID_HOURS; i++)
        grid->value[i] = 300 + 30 * grid_noise(); /* nothing can be foreseen */
    grid->value[NOW - 1] = 250;
    forecast();
    promise = promised(&rule, NOW);
    assert_int_equal(promise.kind, GL_NONE_POSSIBLE);
    assert_int_equal(promise.hours, 0);
}

/* ---- order ---- */

/* Of a fresh state, so that only the evidence counts. */
static struct gl_promise fresh(const struct gl_guarantee_rule *rule, size_t hour)
{
    return decided(gl_guarantee_start(&arena, rule, 0), hour, 0);
}

static void more_is_promised_at_a_lower_probability(void **state)
{
    uint32_t more = 0;

    (void)state;
    forecast();
    for (size_t hour = DAYS(200); hour < DAYS(203); hour++)
        for (float limit = 280; limit <= 460; limit += 20) {
            struct gl_guarantee_rule rule = grid_rule(GL_LEG_CEILING, limit, .9);
            uint32_t hours = fresh(&rule, hour).hours, safer;

            rule.probability = .97;
            safer = fresh(&rule, hour).hours;
            assert_true(safer <= hours);
            more += safer < hours;
        }
    assert_true(more > 30);
}

static void a_looser_limit_is_surer(void **state)
{
    uint32_t surer = 0;

    (void)state;
    forecast();
    for (size_t hour = DAYS(200); hour < DAYS(203); hour++) {
        double last = 0;

        for (float limit = 280; limit <= 460; limit += 20) {
            struct gl_guarantee_rule rule = grid_rule(GL_LEG_CEILING, limit, .6);
            struct gl_promise promise;

            rule.whole_h = 6;
            promise = fresh(&rule, hour);
            assert_true(promise.own_chance >= last);
            surer += promise.own_chance > last;
            last = promise.own_chance;
        }
    }
    assert_true(surer > 90);
}

static void joined_rules_are_no_surer_than_each(void **state)
{
    struct gl_guarantee_rule rule = grid_rule(GL_LEG_CEILING, 380, .6);
    uint32_t less = 0;

    (void)state;
    rule.whole_h = 6;
    forecast();
    for (size_t hour = DAYS(200); hour < DAYS(203); hour++) {
        struct gl_guarantee_rule joint = rule, other = grid_rule(GL_LEG_FLOOR, 220, .6);
        double one, two, both;

        other.whole_h = 6;
        joint.count = 2;
        joint.leg[1] = other.leg[0];
        one = fresh(&rule, hour).own_chance;
        two = fresh(&other, hour).own_chance;
        both = fresh(&joint, hour).own_chance;
        assert_true(both <= one && both <= two);
        less += both < one && both < two;
        joint.leg[1] = rule.leg[0]; /* the same twice changes nothing */
        assert_true(fresh(&joint, hour).own_chance == one);
    }
    assert_true(less > 0);
}

static void a_budget_is_a_sum(void **state)
{
    const struct gl_guarantee_rule rule = grid_rule(GL_LEG_BUDGET, 1000, .9);
    const struct gl_actuals *actuals = &grid->actuals;
    struct gl_promise promise;
    struct gl_settled settled;

    (void)state;
    grid_fill(grid, 100);
    forecast();
    promise = promised(&rule, DAYS(300));
    assert_int_equal(promise.hours, 10); /* 10 hours of 100 are 1000: kept */
    assert_int_equal(promise.score.broken, 0);
    assert_true(promise.score.kept > 5000);
    gl_guarantee_settle(&rule, &actuals, &promise, grid_time(NOW), &settled);
    assert_int_equal(settled.kind, GL_SETTLED_KEPT);
    grid->value[DAYS(300) + 8] = 101;
    gl_guarantee_settle(&rule, &actuals, &promise, grid_time(NOW), &settled);
    assert_int_equal(settled.kind, GL_SETTLED_BREACHED);
    assert_int_equal(settled.hour, 9);
}

static void a_whole_length_is_all_or_nothing(void **state)
{
    struct gl_guarantee_rule rule = grid_rule(GL_LEG_CEILING, 370, .9);
    struct gl_guarantee *guarantee;
    uint32_t none = 0, whole = 0;

    (void)state;
    rule.whole_h = 6;
    forecast();
    guarantee = learnt(&rule, DAYS(300));
    for (size_t hour = DAYS(300); hour < DAYS(310); hour++) {
        struct gl_promise promise = decided(guarantee, hour, 0);

        if (promise.kind == GL_PROMISED)
            assert_int_equal(promise.hours, 6);
        else
            assert_int_equal(promise.hours, 0);
        whole += promise.hours == 6;
        none += promise.kind == GL_NONE_POSSIBLE;
    }
    assert_true(whole > 20 && none > 5);
    rule.whole_h = 49;
    assert_int_equal(promised(&rule, DAYS(300)).kind, GL_BEYOND_HORIZON);
}

/* ---- learning ---- */

static void promises_are_kept_as_often_as_stated(void **state)
{
    const double probabilities[] = {.9, .95};

    (void)state;
    assert_true(grid_track(&arena, grid, &grid->issues, DAYS(12), NOW, &track));
    for (size_t p = 0; p < 2; p++)
        for (float limit = 320; limit <= 380; limit += 60) {
            struct gl_guarantee_rule rule = grid_rule(GL_LEG_CEILING, limit, probabilities[p]);
            struct gl_guarantee_score score = promised(&rule, NOW).score;
            double kept = (double)score.kept / (score.kept + score.broken);

            assert_true(score.issued > 2000);
            assert_true(score.unsettled <= 48);
            assert_true(score.recoveries * 200 < score.asked); /* refusals do not loosen */
            assert_true(kept > probabilities[p] - 0.02 && kept < probabilities[p] + 0.06);
            assert_true(score.hours / score.issued > 2);
            assert_true(score.median_h >= 2 && score.median_h <= 48);
        }
}

static void learning_in_pieces_or_at_once_is_the_same(void **state)
{
    const struct gl_guarantee_rule rule = grid_rule(GL_LEG_CEILING, 350, .9);
    struct gl_guarantee *once, *pieces, *restored;
    struct gl_promise a, b;

    (void)state;
    forecast();
    once = learnt(&rule, DAYS(300));
    pieces = gl_guarantee_start(&arena, &rule, grid_time(LEARN));
    for (size_t hour = LEARN; hour < DAYS(250); hour += 37)
        assert_true(gl_guarantee_advance(pieces, tracks, grid_time(hour)));
    restored = gl_arena_take(&arena, gl_guarantee_size()); /* as if stored and read back */
    memcpy(restored, pieces, gl_guarantee_size());
    assert_true(gl_guarantee_advance(restored, tracks, grid_time(DAYS(300))));
    assert_true(gl_guarantee_decide(once, tracks, grid_time(DAYS(300)), 0, &a));
    assert_true(gl_guarantee_decide(restored, tracks, grid_time(DAYS(300)), 0, &b));
    assert_memory_equal(&a, &b, sizeof a);
    assert_memory_equal(once, learnt(&rule, DAYS(300)), gl_guarantee_size());
    assert_true(gl_guarantee_advance(once, tracks, grid_time(DAYS(200)))); /* the clock went back */
    assert_memory_equal(once, learnt(&rule, DAYS(300)), gl_guarantee_size());
}

static void a_shorter_track_is_enough_once_learnt(void **state)
{
    const struct gl_guarantee_rule rule = grid_rule(GL_LEG_CEILING, 350, .9);
    struct gl_guarantee *guarantee;
    struct gl_promise promise;
    uint32_t asked;

    (void)state;
    forecast();
    guarantee = learnt(&rule, DAYS(300));
    asked = decided(guarantee, DAYS(300), 0).score.asked;
    assert_true(grid_track(&arena, grid, NULL, DAYS(300) - DAYS(67), DAYS(301), &track));
    assert_true(gl_guarantee_advance(guarantee, tracks, grid_time(DAYS(301))));
    promise = decided(guarantee, DAYS(301), 0);
    assert_true(promise.score.asked >= asked && promise.score.asked <= asked + 24);
    assert_true(promise.score.unsettled <= 48);
}

static void missing_hours_never_count_as_kept(void **state)
{
    const struct gl_guarantee_rule rule = grid_rule(GL_LEG_CEILING, 1000, .9);
    struct gl_guarantee_score score;

    (void)state;
    for (size_t i = 0; i < GRID_HOURS; i += 4)
        grid->state[i] = GL_HOUR_MISSING; /* in every promise of 48 hours */
    forecast();
    score = promised(&rule, DAYS(300)).score;
    assert_true(score.issued > 3000);
    assert_int_equal(score.kept, 0);
    assert_int_equal(score.broken, 0);
    assert_int_equal(score.unsettled, score.issued);
}

static void a_long_gap_teaches_nothing(void **state)
{
    const struct gl_guarantee_rule rule = grid_rule(GL_LEG_CEILING, 1000, .9);
    struct gl_guarantee *guarantee;
    double before;

    (void)state;
    memset(grid->state + DAYS(200), GL_HOUR_MISSING, DAYS(10));
    forecast();
    guarantee = learnt(&rule, DAYS(200));
    before = gl_guarantee_level(guarantee, false);
    gl_guarantee_advance(guarantee, tracks, grid_time(DAYS(209)));
    assert_true(gl_guarantee_level(guarantee, false) == before);
    assert_int_equal(decided(guarantee, DAYS(209), 0).kind, GL_STALE);
}

static void the_late_hours_are_promised_too(void **state)
{
    const struct gl_guarantee_rule rule = grid_rule(GL_LEG_CEILING, 350, .9);
    struct gl_guarantee_score prompt, late;

    (void)state;
    forecast();
    prompt = promised(&rule, NOW).score;
    grid->actuals.lag_h = 3;
    forecast();
    late = promised(&rule, NOW).score;
    assert_true(fabs((double)late.kept / (late.kept + late.broken) - .9) < 0.03);
    assert_true(late.hours < prompt.hours);
}

/* ---- what is refused ---- */

static void what_makes_no_sense_is_refused(void **state)
{
    struct gl_guarantee_rule rule = grid_rule(GL_LEG_CEILING, NAN, .9);
    struct gl_guarantee *guarantee;
    struct gl_promise promise = {.hours = 77};
    struct gl_track other;

    (void)state;
    forecast();
    assert_null(gl_guarantee_start(&arena, &rule, 0));
    rule = grid_rule(GL_LEG_CEILING, 300, 1.0);
    assert_null(gl_guarantee_start(&arena, &rule, 0));
    rule.probability = .4;
    assert_null(gl_guarantee_start(&arena, &rule, 0));
    rule.probability = .9;
    assert_null(gl_guarantee_start(&arena, &rule, 1));
    rule.count = 0;
    assert_null(gl_guarantee_start(&arena, &rule, 0));
    rule.count = GL_GUARANTEE_MAX_LEGS + 1;
    assert_null(gl_guarantee_start(&arena, &rule, 0));
    rule.count = 1;
    guarantee = gl_guarantee_start(&arena, &rule, 0);
    assert_false(gl_guarantee_decide(guarantee, tracks, grid_time(NOW) + 1800, 0, &promise));
    assert_false(gl_guarantee_decide(guarantee, tracks, grid_time(NOW + 1), 0, &promise));
    assert_false(gl_guarantee_decide(guarantee, tracks, grid_time(DAYS(11)), 0, &promise));
    assert_int_equal(promise.hours, 77);
    rule.count = 2;
    rule.leg[1] = rule.leg[0];
    guarantee = gl_guarantee_start(&arena, &rule, 0);
    assert_true(grid_track(&arena, grid, NULL, DAYS(13), NOW, &other));
    tracks[1] = &other;
    assert_false(gl_guarantee_decide(guarantee, tracks, grid_time(NOW), 0, &promise));
    assert_false(gl_guarantee_advance(guarantee, tracks, grid_time(NOW)));
}

/* ---- settling ---- */

struct expected {
    size_t missing, breaking; /* hours of the promise; 99 = none */
    size_t now;               /* hours since its start */
    enum gl_settlement kind;
    uint32_t hour;
};

static void a_promise_is_settled_on_what_is_known(void **state)
{
    static const struct expected table[] = {
        {99, 99, 6, GL_SETTLED_KEPT, 0},    {99, 99, 5, GL_SETTLED_NOT_YET, 0},
        {99, 4, 6, GL_SETTLED_BREACHED, 4}, {99, 0, 1, GL_SETTLED_BREACHED, 0},
        {99, 5, 5, GL_SETTLED_NOT_YET, 0},  {99, 6, 9, GL_SETTLED_KEPT, 0},
        {2, 99, 6, GL_SETTLED_MISSING, 2},  {2, 99, 400, GL_SETTLED_MISSING, 2},
        {2, 4, 6, GL_SETTLED_BREACHED, 4},  {4, 2, 6, GL_SETTLED_BREACHED, 2},
        {5, 99, 5, GL_SETTLED_NOT_YET, 0},  {99, 99, 0, GL_SETTLED_NOT_YET, 0},
    };
    const struct gl_guarantee_rule rule = grid_rule(GL_LEG_CEILING, 300, .9);
    const struct gl_promise promise = {.start_s = grid_time(1000), .hours = 6};
    const struct gl_actuals *actuals = &grid->actuals;

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct gl_settled settled;

        grid_fill(grid, 300);
        memset(grid->state, GL_HOUR_KNOWN, sizeof grid->state);
        grid->state[1000 + table[i].missing] = GL_HOUR_MISSING;
        grid->value[1000 + table[i].missing] = 1e9F;
        grid->value[1000 + table[i].breaking] = 300.01F;
        gl_guarantee_settle(&rule, &actuals, &promise, grid_time(1000 + table[i].now), &settled);
        assert_int_equal(settled.kind, table[i].kind);
        if (settled.kind == GL_SETTLED_BREACHED || settled.kind == GL_SETTLED_MISSING)
            assert_int_equal(settled.hour, table[i].hour);
        assert_false(settled.on_estimates);
    }
}

static void settling_knows_lag_estimates_and_legs(void **state)
{
    struct gl_guarantee_rule rule = grid_rule(GL_LEG_CEILING, 300, .9);
    struct gl_promise promise = {.start_s = grid_time(1000), .hours = 6};
    const struct gl_actuals *actuals[] = {&grid->actuals, &grid->actuals};
    struct gl_settled settled;

    (void)state;
    grid_fill(grid, 300);
    grid->actuals.lag_h = 2;
    gl_guarantee_settle(&rule, actuals, &promise, grid_time(1007), &settled);
    assert_int_equal(settled.kind, GL_SETTLED_NOT_YET);
    gl_guarantee_settle(&rule, actuals, &promise, grid_time(1008), &settled);
    assert_int_equal(settled.kind, GL_SETTLED_KEPT);
    grid->state[1003] |= GL_HOUR_ESTIMATED;
    gl_guarantee_settle(&rule, actuals, &promise, grid_time(1008), &settled);
    assert_int_equal(settled.kind, GL_SETTLED_KEPT);
    assert_true(settled.on_estimates);
    rule.count = 2;
    rule.leg[1] = (struct gl_leg){GL_LEG_FLOOR, 300};
    grid->value[1003] = 299;
    gl_guarantee_settle(&rule, actuals, &promise, grid_time(1008), &settled);
    assert_int_equal(settled.kind, GL_SETTLED_BREACHED);
    assert_int_equal(settled.hour, 3);
    assert_true(settled.on_estimates);
    promise.hours = 0;
    gl_guarantee_settle(&rule, actuals, &promise, grid_time(1008), &settled);
    assert_int_equal(settled.kind, GL_SETTLED_NOT_YET);
}

/* ---- ensembles ---- */

static void futures_of_places_belong_together(void **state)
{
    struct grid *elsewhere = grid_new(12);
    struct gl_track other;
    const float ceilings[] = {0, 310};
    struct gl_ensemble_options options = {grid_time(NOW), 40, 60, ceilings};
    struct gl_ensemble ensembles[2] = {{.paths = 77}}, alone;
    bool differ = false;

    (void)state;
    forecast();
    assert_true(grid_track(&arena, elsewhere, NULL, DAYS(12), NOW, &other));
    tracks[1] = &other;
    memset(elsewhere->state + DAYS(380), GL_HOUR_MISSING, 12);
    assert_true(grid_track(&arena, elsewhere, NULL, DAYS(12), NOW, &other));
    assert_true(gl_ensemble_fill(&arena, tracks, 1, &options, &alone) > 250);
    assert_in_range(gl_ensemble_fill(&arena, tracks, 2, &options, ensembles), 60, alone.paths - 1);
    assert_int_equal(ensembles[0].paths, ensembles[1].paths);
    assert_int_equal(ensembles[0].hours, 40);
    assert_true(ensembles[1].start_s == grid_time(NOW));
    for (size_t i = 0; i < ensembles[1].paths * 40; i++) {
        assert_true(ensembles[0].value[i] >= 0 && ensembles[1].value[i] <= 310);
        differ = differ || ensembles[0].value[i] > 310;
    }
    assert_true(differ);
    assert_memory_equal(ensembles[0].central, track.path + (track.count - 1) * 48,
                        40 * sizeof(float));
    options.min_paths = 400;
    ensembles[0].paths = 77;
    assert_int_equal(gl_ensemble_fill(&arena, tracks, 2, &options, ensembles), 0);
    options = (struct gl_ensemble_options){grid_time(NOW), 49, 60, NULL};
    assert_int_equal(gl_ensemble_fill(&arena, tracks, 1, &options, ensembles), 0);
    assert_int_equal(ensembles[0].paths, 77);
    free(elsewhere);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(equality_is_kept),
        TEST(no_intensity_at_all_can_be_promised),
        TEST(a_share_of_all_can_be_promised),
        TEST(a_limit_broken_now_promises_nothing),
        TEST(too_few_issues_are_an_indication),
        TEST(old_data_promise_nothing_new),
        TEST(beyond_the_forecast_is_no_promise),
        TEST(a_sudden_limit_cannot_be_promised),
        TEST(more_is_promised_at_a_lower_probability),
        TEST(a_looser_limit_is_surer),
        TEST(joined_rules_are_no_surer_than_each),
        TEST(a_budget_is_a_sum),
        TEST(a_whole_length_is_all_or_nothing),
        TEST(promises_are_kept_as_often_as_stated),
        TEST(learning_in_pieces_or_at_once_is_the_same),
        TEST(a_shorter_track_is_enough_once_learnt),
        TEST(missing_hours_never_count_as_kept),
        TEST(a_long_gap_teaches_nothing),
        TEST(the_late_hours_are_promised_too),
        TEST(what_makes_no_sense_is_refused),
        TEST(a_promise_is_settled_on_what_is_known),
        TEST(settling_knows_lag_estimates_and_legs),
        TEST(futures_of_places_belong_together),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
