/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "policy/guarantee/book.h"
#include "tests/unit/policy/case.h"
#include "tests/unit/policy/invent_grid.h"

#define NOW_HOUR ((size_t)(470 * 24 + 10))

/* One zone with an invented past of intensity and of a share that goes against it; one rule. */
static struct grid *grid, *shares;
static struct gl_history intensity, share;
static const struct gl_history *histories[2];
static struct gl_zone_facts zone;
static const struct gl_zone_facts *zones[1];
static struct gl_constraint limits[4];
static struct gl_rule rule;
static struct gl_policy policy;
static struct gl_book_ask ask;
static struct gl_arena arena;

static void fill_shares(void)
{
    for (size_t i = 0; i < GRID_HOURS; i++)
        shares->value[i] = fminf(100, fmaxf(0, 100 - grid->value[i] / 6));
}

static int setup(void **state)
{
    (void)state;
    grid = grid_new(3);
    shares = grid_new(3);
    fill_shares();
    intensity = (struct gl_history){.meaning = case_meaning(GL_INTENSITY),
                                    .zone = "XX",
                                    .provider = "invented",
                                    .actuals = grid->actuals,
                                    .newest_actual_s = grid_time(NOW_HOUR - 1)};
    share = intensity;
    share.meaning = case_meaning(GL_RENEWABLE_SHARE);
    share.actuals = shares->actuals;
    histories[0] = &intensity;
    histories[1] = &share;
    zone = (struct gl_zone_facts){.zone = "XX", .history_count = 2, .histories = histories};
    zones[0] = &zone;
    limits[0] = case_limit(GL_KEY_MAX_INTENSITY, GRAMS(360));
    rule = case_rule("r", limits, 1);
    policy = case_policy(&rule, 1);
    ask = (struct gl_book_ask){.policy = &policy,
                               .zones = zones,
                               .zone_count = 1,
                               .now = {grid_time(NOW_HOUR) + 600},
                               .run = {2 * HOUR},
                               .probability = 0.9};
    arena = (struct gl_arena){0};
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    gl_arena_done(&arena);
    free(grid);
    free(shares);
    return 0;
}

static const struct gl_book_entry *entry_now(void)
{
    const struct gl_book *book = gl_book_make(&arena, &ask);

    assert_true(book->count <= 1);
    return book->count == 0 ? NULL : &book->entries[0];
}

static enum gl_gap gap_now(void)
{
    return gl_book_gap(entry_now(), &rule, ask.now);
}

/* ---- what a promise is made from ---- */

static void a_rule_is_promised_on_the_history_that_means_it(void **state)
{
    const struct gl_book_entry *entry = entry_now();

    (void)state;
    assert_true(entry->is_ready);
    assert_int_equal(entry->promise.kind, GL_PROMISED);
    assert_true(entry->promise.hours >= 1 && entry->promise.hours <= GL_BOOK_HORIZON_H);
    assert_ptr_equal(entry->history[0], &intensity);
    assert_true(fabs(entry->promise.probability - 0.9) < 1e-9);
    assert_int_equal(gl_promise_until(&entry->promise),
                     grid_time(NOW_HOUR) + (int64_t)entry->promise.hours * HOUR);
    assert_int_equal(gap_now(), GL_GAP_NONE);
    assert_ptr_equal(gl_book_find(gl_book_make(&arena, &ask), &rule, &zone)->zone, &zone);
}

static void a_history_of_another_meaning_is_none(void **state)
{
    (void)state;
    intensity.meaning.boundary = GL_DIRECT;
    assert_false(entry_now()->is_ready);
    assert_int_equal(gap_now(), GL_GAP_MEANING);
    intensity.meaning = case_meaning(GL_INTENSITY);
    intensity.meaning.accounting = GL_MARKET;
    assert_int_equal(gap_now(), GL_GAP_MEANING);
    intensity.meaning = case_meaning(GL_INTENSITY);
    intensity.meaning.rate = GL_SHORT_RUN_MARGINAL;
    assert_int_equal(gap_now(), GL_GAP_MEANING);
    intensity.meaning = case_meaning(GL_INTENSITY);
    intensity.actuals.count = 0;
    assert_int_equal(gap_now(), GL_GAP_MEANING);
}

static void no_history_is_missing_and_no_limit_is_no_entry(void **state)
{
    (void)state;
    zone.history_count = 0;
    assert_null(entry_now());
    assert_int_equal(gl_book_gap(NULL, &rule, ask.now), GL_GAP_MISSING);
    zone.history_count = 2;
    limits[0] = case_limit(GL_KEY_MAX_PRICE, GRAMS(1));
    assert_null(entry_now());
}

static void too_short_a_history_promises_nothing(void **state)
{
    const size_t skipped = NOW_HOUR - 18 * 24;

    (void)state;
    intensity.actuals = (struct gl_actuals){grid_time(skipped), GRID_HOURS - skipped,
                                            grid->value + skipped, grid->state + skipped, 0};
    assert_int_equal(entry_now()->promise.kind, GL_TOO_FEW_ISSUES);
    assert_int_equal(gap_now(), GL_GAP_ISSUES);
    assert_false(entry_now()->later.is_known);
    assert_false(entry_now()->is_run_promised);
}

static void old_figures_promise_nothing(void **state)
{
    (void)state;
    intensity.newest_actual_s = grid_time(NOW_HOUR - 5);
    assert_int_equal(gap_now(), GL_GAP_STALE);
    intensity.newest_actual_s = grid_time(NOW_HOUR - 3); /* ended 2 h 10 min ago, 3 h are allowed */
    assert_int_equal(gap_now(), GL_GAP_NONE);
    intensity.newest_actual_s = GL_UNKNOWN;
    assert_int_equal(gap_now(), GL_GAP_STALE);
    intensity.newest_actual_s = grid_time(NOW_HOUR - 1);
    for (size_t i = NOW_HOUR - 30; i < GRID_HOURS; i++)
        grid->state[i] = GL_HOUR_MISSING;
    assert_int_equal(entry_now()->promise.kind, GL_STALE);
    assert_int_equal(gap_now(), GL_GAP_STALE);
}

static void a_better_grade_than_forecasts_is_refused(void **state)
{
    (void)state;
    limits[1] = case_limit(GL_KEY_MIN_GRADE, GL_GRADE_B);
    rule = case_rule("r", limits, 2);
    assert_int_equal(gap_now(), GL_GAP_GRADE);
}

static void limits_of_one_rule_are_promised_together(void **state)
{
    const struct gl_book_entry *both, *one, *other;

    (void)state;
    one = entry_now();
    limits[0] = case_limit(GL_KEY_MIN_RENEWABLE, PERCENT(42));
    other = entry_now();
    limits[1] = case_limit(GL_KEY_MAX_INTENSITY, GRAMS(360));
    rule = case_rule("r", limits, 2);
    both = entry_now();
    assert_int_equal(both->legs.count, 2);
    assert_true(both->is_ready);
    assert_true(both->promise.score.asked <= one->promise.score.asked);
    assert_int_equal(one->promise.score.alike[0].kept + one->promise.score.alike[1].kept +
                         one->promise.score.alike[2].kept + one->promise.score.alike[3].kept,
                     one->promise.score.kept);
    assert_true(both->promise.score.asked <= other->promise.score.asked);
    assert_true(both->promise.score.hours < one->promise.score.hours);
    share.meaning.accounting = GL_MARKET;
    assert_int_equal(gap_now(), GL_GAP_MEANING); /* one leg without a history: nothing of both */
}

static void a_rules_own_confidence_counts(void **state)
{
    const struct gl_book_entry *loose = entry_now(), *strict;

    (void)state;
    limits[1] = case_limit(GL_KEY_CONFIDENCE, PERCENT(99));
    rule = case_rule("r", limits, 2);
    strict = entry_now();
    assert_true(fabs(strict->promise.probability - 0.99) < 1e-9);
    assert_true(strict->promise.score.hours < loose->promise.score.hours);
}

/* ---- memory ---- */

struct kept {
    unsigned char bytes[1 << 17];
    struct gl_hash key;
    size_t size;
    unsigned loads, hits, saves;
};

static bool load(void *cookie, const struct gl_hash *key, void *bytes, size_t size)
{
    struct kept *kept = cookie;

    kept->loads++;
    if (kept->size != size || memcmp(&kept->key, key, sizeof *key) != 0)
        return false;
    memcpy(bytes, kept->bytes, size);
    kept->hits++;
    return true;
}

static void save(void *cookie, const struct gl_hash *key, const void *bytes, size_t size)
{
    struct kept *kept = cookie;

    assert_true(size <= sizeof kept->bytes);
    memcpy(kept->bytes, bytes, size);
    kept->key = *key;
    kept->size = size;
    kept->saves++;
}

static const struct gl_promise *promise_at(size_t hour)
{
    ask.now.unix_s = grid_time(hour) + 600;
    return &entry_now()->promise;
}

static void what_was_learnt_answers_as_learning_anew_does(void **state)
{
    static struct kept kept;
    const struct gl_book_memory memory = {&kept, load, save};
    struct gl_promise again;

    (void)state;
    memset(&kept, 0, sizeof kept);
    for (size_t hour = NOW_HOUR - 30; hour <= NOW_HOUR; hour += 10) {
        const struct gl_promise *remembered, *anew;

        ask.memory = &memory;
        remembered = promise_at(hour);
        ask.memory = NULL;
        anew = promise_at(hour);
        assert_int_equal(remembered->kind, anew->kind);
        assert_int_equal(remembered->hours, anew->hours);
    }
    assert_int_equal(kept.saves, 4);
    assert_int_equal(kept.hits, 3);
    ask.memory = &memory;
    memcpy(&again, promise_at(NOW_HOUR), sizeof again);
    assert_memory_equal(&again, promise_at(NOW_HOUR), sizeof again);
    assert_int_equal(kept.hits, 5);
    limits[0] = case_limit(GL_KEY_MAX_INTENSITY, GRAMS(361)); /* another rule: not that memory */
    promise_at(NOW_HOUR);
    assert_int_equal(kept.hits, 5);
}

static void a_clock_set_back_learns_anew(void **state)
{
    static struct kept kept;
    const struct gl_book_memory memory = {&kept, load, save};
    const struct gl_promise *before, *after;

    (void)state;
    memset(&kept, 0, sizeof kept);
    before = promise_at(NOW_HOUR - 100);
    ask.memory = &memory;
    promise_at(NOW_HOUR);
    after = promise_at(NOW_HOUR - 100);
    assert_memory_equal(before, after, sizeof *before);
}

static void the_same_question_has_the_same_bytes(void **state)
{
    const struct gl_promise *first, *second;

    (void)state;
    first = promise_at(NOW_HOUR);
    second = promise_at(NOW_HOUR);
    assert_ptr_not_equal(first, second);
    assert_memory_equal(first, second, sizeof *first);
}

/* The longest promise there is may be long enough in the first hour of a green time in which the
 * run itself is too risky to who waited for it: then less than the run is promised. */
static void a_run_is_answered_by_what_is_learnt_for_its_length(void **state)
{
    struct gl_constraint open = case_limit(GL_KEY_MAX_INTENSITY, GRAMS(360));
    const struct gl_rule of_run = case_rule("r", limits, 2), of_none = case_rule("r", &open, 1);
    uint32_t promised = 0, refused = 0;

    (void)state;
    limits[1] = case_limit(GL_KEY_CONFIDENCE, PERCENT(90));
    ask.run.s = 10 * HOUR;
    for (size_t hour = NOW_HOUR - 60; hour <= NOW_HOUR; hour += 6) {
        const struct gl_book_entry *entry;
        uint32_t longest;

        ask.now.unix_s = grid_time(hour);
        rule = of_none;
        longest = entry_now()->promise.hours;
        rule = of_run;
        entry = entry_now();
        assert_int_equal(entry->is_run_promised, entry->promise.hours >= 10);
        promised += entry->is_run_promised;
        if (longest < 10 || entry->is_run_promised)
            continue;
        assert_int_equal(entry->promise.hours, 9);
        refused++;
    }
    assert_true(promised > 0);
    assert_true(refused > 0);
}

/* ---- later starts ---- */

/* Without weather: green at 12:00 to 23:00 every day, 300 against 301, 321 and more before. */
static void use_plain_days(void)
{
    for (size_t i = 0; i < GRID_HOURS; i++)
        grid->value[i] = i % 24 >= 12 ? 200 : 400;
    limits[0] = case_limit(GL_KEY_MAX_INTENSITY, GRAMS(300));
    limits[1] = case_limit(GL_KEY_CONFIDENCE, PERCENT(90));
    rule = case_rule("r", limits, 2);
    ask.run.s = 3 * HOUR;
}

static void later_starts_are_those_that_fit_the_green_hours(void **state)
{
    const struct gl_book_entry *entry;

    (void)state;
    use_plain_days();
    entry = entry_now();
    assert_int_equal(entry->promise.kind, GL_BREAKS_NOW);
    assert_false(entry->is_run_promised);
    assert_true(entry->later.is_known);
    assert_int_equal(entry->later.run_h, 3);
    assert_int_equal(entry->later.within_h, 46);
    for (size_t h = 0; h < 46; h++) {
        bool fits = (NOW_HOUR + h) % 24 >= 12 && (NOW_HOUR + h) % 24 <= 21;

        assert_int_equal(entry->later.starts >> h & 1, fits);
        assert_int_equal(entry->later.kept[h], fits ? entry->later.paths : 0);
        assert_int_equal(
            gl_book_starts_at(entry, ask.now, (struct gl_instant){grid_time(NOW_HOUR + h)}),
            fits && h > 0);
    }
    assert_int_equal(entry->later.starts >> 46, 0);
    assert_false(
        gl_book_starts_at(entry, ask.now, (struct gl_instant){grid_time(NOW_HOUR + 2) + 900}));
    assert_false(gl_book_starts_at(entry, ask.now, (struct gl_instant){grid_time(NOW_HOUR + 70)}));
}

static void a_run_that_is_promised_now_may_start_later_too(void **state)
{
    const struct gl_book_entry *entry;

    (void)state;
    use_plain_days();
    ask.now.unix_s = grid_time(NOW_HOUR + 3);
    intensity.newest_actual_s = grid_time(NOW_HOUR + 2);
    entry = entry_now();
    assert_int_equal(entry->promise.kind, GL_PROMISED);
    assert_true(entry->is_run_promised);
    assert_true(gl_book_starts_at(entry, ask.now, ask.now));
    assert_true(entry->later.is_known);
    ask.wants_later = true;
    assert_int_equal(entry_now()->later.starts & 3, 2); /* of now only the promise itself speaks */
    ask.run.s = 20 * HOUR;                              /* no green time is so long */
    assert_false(entry_now()->is_run_promised);
    assert_int_equal(entry_now()->later.starts, 0);
    ask.run.s = 60 * HOUR; /* longer than forecasts reach */
    assert_int_equal(entry_now()->later.within_h, 0);
    assert_int_equal(entry_now()->later.starts, 0);
}

static void without_confidence_later_starts_are_looked_for_when_wanted(void **state)
{
    (void)state;
    use_plain_days();
    rule = case_rule("r", limits, 1);
    assert_false(entry_now()->later.is_known);
    ask.wants_later = true;
    assert_true(entry_now()->later.is_known);
    assert_true(entry_now()->later.starts != 0);
}

/* A tie is kept: the figure of every hour is the limit. */
static void a_figure_at_the_limit_keeps_it(void **state)
{
    (void)state;
    grid_fill(grid, 300);
    limits[0] = case_limit(GL_KEY_MAX_INTENSITY, GRAMS(300));
    assert_int_equal(entry_now()->promise.kind, GL_PROMISED);
    limits[0] = case_limit(GL_KEY_MAX_INTENSITY, GRAMS(300) - 1000);
    assert_int_equal(entry_now()->promise.kind, GL_BREAKS_NOW);
}

/* ---- futures ---- */

static void futures_are_of_the_asked_hours_and_never_negative(void **state)
{
    const struct gl_history *list[] = {&intensity, &share};
    struct gl_ensemble futures[2];
    size_t paths;

    (void)state;
    for (size_t i = 0; i < GRID_HOURS; i++)
        grid->value[i] = fmaxf(0, grid->value[i] - 290); /* often near zero */
    for (size_t i = 0; i < GRID_HOURS; i++)
        shares->value[i] = fminf(100, shares->value[i] + 48); /* often near all */
    paths = gl_book_futures(&arena, list, 2, ask.now, 48, futures);
    assert_true(paths >= GL_GUARANTEE_MIN_ISSUES);
    assert_int_equal(futures[0].start_s, grid_time(NOW_HOUR));
    assert_int_equal(futures[0].paths, futures[1].paths);
    for (size_t i = 0; i < futures[0].paths * futures[0].hours; i++) {
        assert_true(futures[0].value[i] >= 0);
        assert_true(futures[1].value[i] >= 0 && futures[1].value[i] <= 100);
    }
    assert_int_equal(gl_book_futures(&arena, list, 0, ask.now, 48, futures), 0);
    ask.now.unix_s = GRID_START + 20 * DAY;
    assert_int_equal(gl_book_futures(&arena, list, 1, ask.now, 48, futures), 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

static void lengths_fall_into_classes(void **state)
{
    static const uint32_t hours[][2] = {{1, 0},  {6, 0},  {7, 1},  {12, 1},
                                        {13, 2}, {24, 2}, {25, 3}, {384, 3}};

    (void)state;
    for (size_t i = 0; i < sizeof hours / sizeof hours[0]; i++)
        assert_int_equal(gl_guarantee_class(hours[i][0]), hours[i][1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lengths_fall_into_classes),
        TEST(a_rule_is_promised_on_the_history_that_means_it),
        TEST(a_history_of_another_meaning_is_none),
        TEST(no_history_is_missing_and_no_limit_is_no_entry),
        TEST(too_short_a_history_promises_nothing),
        TEST(old_figures_promise_nothing),
        TEST(a_better_grade_than_forecasts_is_refused),
        TEST(limits_of_one_rule_are_promised_together),
        TEST(a_rules_own_confidence_counts),
        TEST(what_was_learnt_answers_as_learning_anew_does),
        TEST(a_clock_set_back_learns_anew),
        TEST(the_same_question_has_the_same_bytes),
        TEST(later_starts_are_those_that_fit_the_green_hours),
        TEST(a_run_that_is_promised_now_may_start_later_too),
        TEST(a_run_is_answered_by_what_is_learnt_for_its_length),
        TEST(without_confidence_later_starts_are_looked_for_when_wanted),
        TEST(a_figure_at_the_limit_keeps_it),
        TEST(futures_are_of_the_asked_hours_and_never_negative),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
