/* SPDX-License-Identifier: Apache-2.0 */
/* Limits on grams as promises: an hour's (max_rate) and the run's (max_total), by the watts of an
 * offer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "policy/guarantee/book.h"
#include "policy/guarantee/evidence.h"
#include "policy/judge.h"
#include "tests/unit/policy/case.h"
#include "tests/unit/policy/invent_grid.h"

#define NOW_HOUR ((size_t)(470 * 24 + 10))
#define OFFERS   40

static struct grid *grid;
static struct gl_history intensity;
static const struct gl_history *histories[1];
static struct gl_zone_facts zone;
static const struct gl_zone_facts *zones[1];
static struct gl_constraint limits[4];
static struct gl_rule rule;
static struct gl_policy policy;
static struct gl_request request;
static struct gl_offer offers[OFFERS];
static struct gl_book_ask ask;
static struct gl_arena arena;

/* An offer whose upper bound, PUE included, is `watts` at full load. */
static struct gl_offer offer_of(double watts)
{
    static const struct gl_offer_place place = {.cloud = "aws",
                                                .region = "r",
                                                .country = "SE",
                                                .pue = 2,
                                                .mapping = GL_MAP_SINGLE,
                                                .zone_count = 1,
                                                .zones = {&zone}};
    static const struct gl_offer_type type = {.name = "m.large", .arch = "x86_64"};
    struct gl_offer offer = {.place = &place, .type = &type};

    case_type(&offer)->full_w = (struct gl_band){watts / 8, watts / 4, watts / 2};
    return offer;
}

static void limit(enum gl_key_id key, int64_t number)
{
    limits[0] = case_limit(key, number);
    limits[1] = case_limit(GL_KEY_CONFIDENCE, PERCENT(90));
    rule = case_rule("r", limits, 2);
}

static int setup(void **state)
{
    (void)state;
    grid = grid_new(3);
    intensity = (struct gl_history){.meaning = case_meaning(GL_INTENSITY),
                                    .zone = "XX",
                                    .provider = "invented",
                                    .actuals = grid->actuals,
                                    .newest_actual_s = grid_time(NOW_HOUR - 1)};
    histories[0] = &intensity;
    zone = (struct gl_zone_facts){.zone = "XX", .history_count = 1, .histories = histories};
    zones[0] = &zone;
    request = (struct gl_request){.load = 1, .count = 1, .duration = {3 * HOUR}};
    request.start.unix_s = request.latest_start.unix_s = grid_time(NOW_HOUR);
    offers[0] = offer_of(500);
    policy = case_policy(&rule, 1);
    ask = (struct gl_book_ask){.policy = &policy,
                               .zones = zones,
                               .zone_count = 1,
                               .now = {grid_time(NOW_HOUR)},
                               .run = {3 * HOUR},
                               .probability = 0.9,
                               .request = &request,
                               .offers = offers,
                               .offer_count = 1};
    arena = (struct gl_arena){0};
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    gl_arena_done(&arena);
    free(grid);
    return 0;
}

static const struct gl_book_entry *entry_for(const struct gl_offer *offer)
{
    return gl_book_find_offer(gl_book_make(&arena, &ask), &rule, &zone,
                              &(struct gl_book_load){&request, offer});
}

/* ---- of an hour ---- */

static void a_rate_is_promised_as_the_intensity_it_comes_to(void **state)
{
    const struct gl_book_entry *by_rate, *by_intensity;

    (void)state;
    limit(GL_KEY_MAX_RATE, GRAMS(180)); /* of half a kilowatt: 360 g/kWh */
    by_rate = entry_for(&offers[0]);
    assert_non_null(by_rate);
    assert_int_equal(by_rate->legs.leg[0].kind, GL_LEG_CEILING);
    assert_int_equal(by_rate->limit_u[0], GRAMS(360));
    assert_true(fabs(by_rate->kw - 0.5) < 1e-12);
    limit(GL_KEY_MAX_INTENSITY, GRAMS(360));
    by_intensity = entry_for(&offers[0]);
    assert_int_equal(by_intensity->promise.kind, GL_PROMISED);
    assert_memory_equal(&by_rate->promise, &by_intensity->promise, sizeof by_rate->promise);
    assert_memory_equal(&by_rate->later, &by_intensity->later, sizeof by_rate->later);
}

static void every_instance_asked_for_counts(void **state)
{
    (void)state;
    limit(GL_KEY_MAX_RATE, GRAMS(180));
    request.count = 3;
    assert_int_equal(entry_for(&offers[0])->limit_u[0], GRAMS(120));
    request.load = 0.5;
    assert_int_equal(entry_for(&offers[0])->limit_u[0], GRAMS(240));
}

static void without_watts_or_offers_nothing_is_promised(void **state)
{
    struct gl_offer unknown = offer_of(500);

    (void)state;
    limit(GL_KEY_MAX_RATE, GRAMS(180));
    case_type(&unknown)->full_w = (struct gl_band){-1, -1, -1};
    assert_null(entry_for(&unknown));
    offers[0] = unknown;
    assert_int_equal(gl_book_make(&arena, &ask)->count, 0);
    offers[0] = offer_of(500);
    assert_null(gl_book_find(gl_book_make(&arena, &ask), &rule, &zone));
    ask.offers = NULL;
    ask.offer_count = 0;
    assert_int_equal(gl_book_make(&arena, &ask)->count, 0);
}

/* Without `confidence` figures decide, but a plan wants to know. */
static void without_confidence_only_later_starts_ask_for_it(void **state)
{
    (void)state;
    limit(GL_KEY_MAX_RATE, GRAMS(180));
    rule = case_rule("r", limits, 1);
    assert_int_equal(gl_book_make(&arena, &ask)->count, 0);
    assert_false(gl_book_is_promisable(&rule, false));
    ask.wants_later = true;
    assert_true(gl_book_is_promisable(&rule, true));
    assert_int_equal(entry_for(&offers[0])->limit_u[0], GRAMS(360));
    assert_true(entry_for(&offers[0])->later.is_known);
}

/* ---- many powers ---- */

static const struct gl_book_entry *find_of(const struct gl_book *book, size_t offer)
{
    return gl_book_find_offer(book, &rule, &zone, &(struct gl_book_load){&request, &offers[offer]});
}

/* 40 powers for 16 entries: one for all that keep the limit in the dirtiest hour, one for all that
 * break it in the cleanest, the others where it matters. */
static void a_power_between_takes_the_promise_of_the_next_higher(void **state)
{
    const struct gl_book *book;
    float least = 1e9F, most = 0;
    double low, high;

    (void)state;
    for (size_t h = NOW_HOUR - 60 * 24; h < NOW_HOUR; h++) {
        least = fminf(least, grid->value[h]);
        most = fmaxf(most, grid->value[h]);
    }
    low = 180 / (double)most;
    high = 180 / (double)least;
    limit(GL_KEY_MAX_RATE, GRAMS(180));
    for (size_t i = 0; i < OFFERS; i++)
        offers[i] = offer_of(1000 * (low / 2 + 1.5 * high * (double)(OFFERS - i) / OFFERS));
    ask.offer_count = OFFERS;
    book = gl_book_make(&arena, &ask);
    assert_true(book->count > 10 && book->count <= GL_BOOK_POWERS);
    for (size_t i = 1; i < book->count; i++)
        assert_true(book->entries[i].kw > book->entries[i - 1].kw);
    for (size_t i = 0; i < OFFERS; i++) {
        double kw = offers[i].type->full_w.high * 2 / 1000;
        const struct gl_book_entry *entry = find_of(book, i);

        assert_non_null(entry);
        assert_true(entry->kw >= kw - 1e-12);
        if (kw <= low)
            assert_true(entry->kw <= low);
        if (kw > low && kw < high) /* no more than the next of the offers but one */
            assert_true(entry->kw < kw + 2.1 * 1.5 * high / OFFERS);
    }
    assert_int_equal(find_of(book, 0)->promise.kind, GL_BREAKS_NOW);
    offers[0] = offer_of(1000 * 3 * high);
    assert_null(find_of(book, 0));
}

static void only_what_is_asked_for_has_a_power(void **state)
{
    static const char *const types[] = {"other", NULL};

    (void)state;
    limit(GL_KEY_MAX_RATE, GRAMS(180));
    offers[1] = offer_of(250);
    case_type(&offers[1])->name = "other";
    ask.offer_count = 2;
    assert_int_equal(gl_book_make(&arena, &ask)->count, 2);
    request.types = types;
    assert_int_equal(gl_book_make(&arena, &ask)->count, 1);
    assert_true(fabs(gl_book_make(&arena, &ask)->entries[0].kw - 0.25) < 1e-12);
}

/* ---- of the run ---- */

/* 200 g/kWh from noon to midnight, else 400, every day alike. */
static void use_plain_days(void)
{
    for (size_t i = 0; i < GRID_HOURS; i++)
        grid->value[i] = i % 24 >= 12 ? 200 : 400;
}

/* Three hours of half a kilowatt: 600, 500, 400 or 300 g by how many lie before noon. */
static void a_total_is_promised_for_the_sum_of_the_run(void **state)
{
    const struct gl_book_entry *entry;

    (void)state;
    use_plain_days();
    limit(GL_KEY_MAX_TOTAL, GRAMS(400));
    entry = entry_for(&offers[0]);
    assert_int_equal(entry->legs.leg[0].kind, GL_LEG_BUDGET);
    assert_int_equal(entry->limit_u[0], GRAMS(800));
    assert_false(entry->is_run_promised); /* 10:00 to 13:00 are 500 g */
    assert_true(entry->later.is_known);
    for (size_t h = 0; h < entry->later.within_h; h++) {
        size_t hour = (NOW_HOUR + h) % 24, before = 0;

        for (size_t k = hour; k < hour + 3; k++)
            before += k % 24 < 12;
        assert_int_equal(entry->later.kept[h], before <= 1 ? entry->later.paths : 0);
        assert_int_equal(entry->later.starts >> h & 1, before <= 1 && h > 0);
    }
    limit(GL_KEY_MAX_TOTAL, GRAMS(500));
    assert_true(entry_for(&offers[0])->is_run_promised);
    assert_true(entry_for(&offers[0])->promise.hours >= 3);
    limit(GL_KEY_MAX_TOTAL, GRAMS(500) - 1000);
    assert_false(entry_for(&offers[0])->is_run_promised);
}

/* The promised sum is a quantile of sums over whole paths: hours that make up for each other make
 * a tighter total possible than the worst of every hour would. */
static void a_total_is_tighter_than_the_rate_of_every_hour(void **state)
{
    int64_t rate = 0, total = 0;

    (void)state;
    ask.run.s = request.duration.s = 24 * HOUR;
    for (int64_t g = 100; g <= 400 && rate == 0; g += 10) {
        limit(GL_KEY_MAX_RATE, GRAMS(g));
        rate = entry_for(&offers[0])->is_run_promised ? g : 0;
    }
    for (int64_t g = 100; g <= 400 && total == 0; g += 10) {
        limit(GL_KEY_MAX_TOTAL, GRAMS(24 * g));
        total = entry_for(&offers[0])->is_run_promised ? g : 0;
    }
    assert_true(total > 0);
    assert_true(rate == 0 || total < rate);
}

/* What was promised at every hour of weeks, settled on what came: kept as often as asked. */
static void promised_totals_are_kept_as_stated(void **state)
{
    uint32_t kept, broken;
    const struct gl_promise *promise;

    (void)state;
    ask.run.s = request.duration.s = 12 * HOUR;
    limit(GL_KEY_MAX_TOTAL, GRAMS(12 * 175)); /* 350 g/kWh on average */
    promise = &entry_for(&offers[0])->promise;
    kept = promise->score.kept;
    broken = promise->score.broken;
    assert_true(kept + broken > 1000);
    assert_true((double)kept / (double)(kept + broken) >= 0.88);
    assert_true(broken > 0);
}

static void all_six_limits_are_promised_together(void **state)
{
    const struct gl_book_entry *both, *one;

    (void)state;
    limit(GL_KEY_MAX_TOTAL, GRAMS(3 * 170));
    one = entry_for(&offers[0]);
    limits[2] = case_limit(GL_KEY_MAX_RATE, GRAMS(175));
    limits[3] = case_limit(GL_KEY_MAX_INTENSITY, GRAMS(360));
    rule = case_rule("r", limits, 4);
    both = entry_for(&offers[0]);
    assert_int_equal(both->legs.count, 3);
    assert_true(both->promise.score.asked <= one->promise.score.asked);
    assert_true(both->promise.score.hours <= one->promise.score.hours);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_rate_is_promised_as_the_intensity_it_comes_to),
        TEST(every_instance_asked_for_counts),
        TEST(without_watts_or_offers_nothing_is_promised),
        TEST(without_confidence_only_later_starts_ask_for_it),
        TEST(a_power_between_takes_the_promise_of_the_next_higher),
        TEST(only_what_is_asked_for_has_a_power),
        TEST(a_total_is_promised_for_the_sum_of_the_run),
        TEST(a_total_is_tighter_than_the_rate_of_every_hour),
        TEST(promised_totals_are_kept_as_stated),
        TEST(all_six_limits_are_promised_together),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
