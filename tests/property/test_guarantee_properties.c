/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/policy/invent_grid.h"

/* What must hold of promises whatever the data are. Seeds count from 1; a failure prints its
 * seed. */

#define GRIDS 6

#define CHECK(condition)                                                     \
    do {                                                                     \
        if (!(condition))                                                    \
            fail_msg("seed %llu: %s", (unsigned long long)seed, #condition); \
    } while (0)

/* ---- an adversary that knows every promise and breaks it ---- */

#define HORIZON 24
#define HOURS   6000
#define BEFORE  GL_TRACK_BEFORE_H
#define LIMIT   100.0F

/* A track of which only the truth varies: the forecast says `calm` and has `odd` bad errors in a
 * hundred. */
struct arena_of_lies {
    float path[HOURS * HORIZON], residual[HOURS * HORIZON], hour[HOURS + BEFORE];
    uint16_t known[HOURS], settled[HOURS], age[HOURS];
    uint8_t state[HOURS + BEFORE];
    struct gl_track track;
};

static struct arena_of_lies *lies_new(unsigned odd)
{
    struct arena_of_lies *lies = calloc(1, sizeof *lies);

    for (size_t i = 0; i < HOURS; i++) {
        lies->known[i] = lies->settled[i] = HORIZON;
        for (size_t k = 0; k < HORIZON; k++)
            lies->path[i * HORIZON + k] = 50;
        if (i * 7919 % 100 < odd)
            lies->residual[i * HORIZON + i % HORIZON] = 100;
    }
    memset(lies->state, GL_HOUR_KNOWN, sizeof lies->state);
    lies->track = (struct gl_track){HORIZON,     0,
                                    GRID_START,  HOURS,
                                    lies->path,  lies->residual,
                                    lies->known, lies->settled,
                                    lies->age,   lies->hour,
                                    lies->state, HOURS + BEFORE};
    return lies;
}

/* How the adversary behaves: a bit set. */
enum { LAST_HOUR = 1, FIRST_HOUR = 2, IN_TURNS = 4, AT_RANDOM = 8 };

static void betray(struct arena_of_lies *lies, size_t now, uint32_t hours, unsigned how)
{
    size_t at = how & FIRST_HOUR ? now : now + hours - 1;

    if ((how & IN_TURNS && now / 700 % 2 == 0) || (how & AT_RANDOM && grid_noise() < 0.5F))
        return;
    if (at < HOURS)
        lies->hour[at + BEFORE] = LIMIT + 1;
}

/* Of N promises settled the broken ones exceed N (1 - p) by no more than what the level can fall:
 * from its start, and once more by those that were still pending; and by the hours at which it was
 * raised without a promise. */
static void check_bound(uint64_t seed, const struct gl_guarantee_score *score, double probability,
                        uint32_t recoveries)
{
    double alpha = 1 - probability, settled = score->kept + score->broken;
    double bound = (3 + 0.03 * HORIZON) / 0.03 + alpha * (double)recoveries;

    CHECK((double)score->broken - alpha * settled <= bound + 1e-6);
}

static void the_books_balance_against_any_adversary(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 30; seed++) {
        struct arena_of_lies *lies = lies_new((unsigned)(seed % 3));
        const struct gl_track *tracks[] = {&lies->track};
        const double probability = seed % 2 ? .9 : .97;
        struct gl_guarantee_rule rule = grid_rule(GL_LEG_CEILING, LIMIT, probability);
        struct gl_arena arena = {0};
        struct gl_guarantee *guarantee;
        struct gl_promise promise;
        uint32_t broken_early = 0;

        grid_word = seed;
        guarantee = gl_guarantee_start(&arena, &rule, GRID_START + 2000 * GL_HOUR_S);
        for (size_t now = 2000; now < HOURS; now++) {
            CHECK(gl_guarantee_advance(guarantee, tracks, grid_time(now)));
            CHECK(gl_guarantee_decide(guarantee, tracks, grid_time(now), 0, &promise));
            if (promise.hours > 0)
                betray(lies, now, promise.hours, (unsigned)(1 + seed % 15));
            check_bound(seed, &promise.score, probability, promise.score.recoveries);
            CHECK(promise.level <= 10 * (1 - probability) + 1e-12);
            CHECK(promise.hours == 0 || promise.level > 0);
            if (now == 3000)
                broken_early = promise.score.broken;
        }
        CHECK(promise.score.issued > 0);
        CHECK(broken_early == 0 || promise.score.broken > 0);
        gl_arena_done(&arena);
        free(lies);
    }
}

/* Those that could not be had an hour before are booked by themselves, too: what somebody who waits
 * for green gets, of a whole length or as long as possible. */
struct first_ones {
    uint32_t count, broken, open;
};

static struct first_ones first_ones_of(const struct arena_of_lies *lies, const uint32_t *hours,
                                       size_t now)
{
    struct first_ones ones = {0};

    for (size_t at = 2000; at < now; at++) {
        bool is_broken = false;

        if (hours[at] == 0 || hours[at - 1] > 0)
            continue;
        for (size_t k = 0; k < hours[at]; k++)
            is_broken = is_broken || (at + k < now && lies->hour[at + k + BEFORE] > LIMIT);
        ones.count++;
        ones.broken += is_broken;
        ones.open += !is_broken && at + hours[at] > now;
    }
    return ones;
}

static void check_first_bound(uint64_t seed, const struct first_ones *ones,
                              const struct gl_guarantee_rule *rule, uint32_t recoveries)
{
    double alpha = 1 - rule->probability, settled = ones->count - ones->open;
    double begun = rule->whole_h > 0 ? 2 : 3;
    double bound = (begun + 0.2 * HORIZON) / 0.2 + alpha * (double)recoveries;

    CHECK((double)ones->broken - alpha * settled <= bound + 1e-6);
}

static void the_books_balance_for_those_who_wait(void **state)
{
    static uint32_t hours[HOURS];

    (void)state;
    for (uint64_t seed = 1; seed <= 30; seed++) {
        struct arena_of_lies *lies = lies_new((unsigned)(seed % 3));
        const struct gl_track *tracks[] = {&lies->track};
        const double probability = seed % 2 ? .9 : .97;
        struct gl_guarantee_rule rule = grid_rule(GL_LEG_CEILING, LIMIT, probability);
        struct gl_arena arena = {0};
        struct gl_guarantee *guarantee;
        struct gl_promise promise;
        struct first_ones ones;
        size_t betrayed = 0;

        grid_word = seed;
        rule.whole_h = (uint32_t)(seed % 10);
        memset(hours, 0, sizeof hours);
        guarantee = gl_guarantee_start(&arena, &rule, GRID_START + 2000 * GL_HOUR_S);
        for (size_t now = 2000; now < HOURS; now++) {
            CHECK(gl_guarantee_advance(guarantee, tracks, grid_time(now)));
            CHECK(gl_guarantee_decide(guarantee, tracks, grid_time(now), 0, &promise));
            hours[now] = promise.hours;
            /* At most one in forty hours is broken, so that over all promises nothing shows. */
            if (promise.hours > 0 && hours[now - 1] == 0 && now - betrayed > 40) {
                betray(lies, now, promise.hours, FIRST_HOUR);
                betrayed = now;
            }
            CHECK(promise.hours == 0 || promise.level > 0);
            CHECK(promise.level <= (rule.whole_h > 0 ? 5 : 10) * (1 - probability) + 1e-12);
        }
        ones = first_ones_of(lies, hours, HOURS);
        CHECK(ones.count > 0);
        check_first_bound(seed, &ones, &rule, promise.score.recoveries);
        gl_arena_done(&arena);
        free(lies);
    }
}

/* ---- invented grids ---- */

static void poison_missing(struct grid *grid)
{
    for (size_t i = 0; i < GRID_HOURS; i++)
        if (grid->state[i] == GL_HOUR_MISSING)
            grid->value[i] = NAN;
}

static void drop_hours(struct grid *grid, unsigned percent)
{
    for (size_t i = 0; i < GRID_HOURS; i++)
        if ((grid_word = grid_word * 6364136223846793005u + 99991) >> 33 < (uint64_t)percent << 24)
            grid->state[i] = GL_HOUR_MISSING;
}

static bool has_gap(const struct grid *grid, size_t first, uint32_t hours)
{
    return memchr(grid->state + first, GL_HOUR_MISSING, hours) != NULL;
}

/* Every promise of a replay, settled one by one: those with a missing hour are never kept, and the
 * replay counts no more as kept than they. */
static void no_gap_is_ever_kept(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= GRIDS; seed++) {
        struct grid *grid = grid_new(seed);
        const struct gl_actuals *actuals = &grid->actuals;
        struct gl_arena arena = {0};
        struct gl_track track;
        const struct gl_track *tracks[] = {&track};
        struct gl_guarantee_rule rule =
            grid_rule(GL_LEG_CEILING, 300 + 10 * (float)seed, seed % 2 ? .9 : .95);
        struct gl_guarantee *guarantee;
        struct gl_promise promise = {0};
        uint32_t kept = 0, gaps = 0;

        drop_hours(grid, 5);
        poison_missing(grid);
        CHECK(grid_track(&arena, grid, &grid->issues, 300, 5000, &track));
        guarantee = gl_guarantee_start(&arena, &rule, grid_time(2000));
        for (size_t now = 2000; now < 5000; now++) {
            struct gl_settled settled;

            gl_guarantee_advance(guarantee, tracks, grid_time(now));
            gl_guarantee_decide(guarantee, tracks, grid_time(now), 0, &promise);
            if (promise.hours == 0)
                continue;
            gl_guarantee_settle(&rule, &actuals, &promise, grid_time(6000), &settled);
            if (has_gap(grid, now, promise.hours)) {
                CHECK(settled.kind != GL_SETTLED_KEPT);
                gaps++;
            }
            CHECK(settled.kind != GL_SETTLED_NOT_YET);
            kept += settled.kind == GL_SETTLED_KEPT;
        }
        CHECK(gaps > 0 && promise.score.kept > 0);
        CHECK(promise.score.kept <= kept);
        gl_arena_done(&arena);
        free(grid);
    }
}

static void same_input_same_bytes(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= GRIDS; seed++) {
        struct grid *grid = grid_new(seed);
        struct gl_arena arena[2] = {{0}, {0}};
        struct gl_guarantee *guarantee[2];
        struct gl_guarantee_rule rule = grid_rule(GL_LEG_FLOOR, 250, .9);

        grid->actuals.lag_h = (uint32_t)seed % 4;
        drop_hours(grid, (unsigned)seed % 3);
        for (size_t i = 0; i < 2; i++) {
            struct gl_track track;
            const struct gl_track *tracks[] = {&track};

            CHECK(grid_track(&arena[i], grid, &grid->issues, 300, 4000, &track));
            guarantee[i] = gl_guarantee_start(&arena[i], &rule, grid_time(1800));
            CHECK(gl_guarantee_advance(guarantee[i], tracks, grid_time(4000)));
        }
        CHECK(memcmp(guarantee[0], guarantee[1], gl_guarantee_size()) == 0);
        gl_arena_done(&arena[0]);
        gl_arena_done(&arena[1]);
        free(grid);
    }
}

/* A promise made with all of history at hand is the one made on the day. */
static void hindsight_changes_nothing(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= GRIDS; seed++) {
        struct grid *grid = grid_new(seed);
        struct gl_arena arena = {0};
        struct gl_track with, without;
        const struct gl_track *tracks[] = {&with}, *live[] = {&without};
        struct gl_guarantee_rule rule = grid_rule(GL_LEG_CEILING, 350, .9);
        struct gl_guarantee *guarantee;
        struct gl_promise then, now;
        const size_t day = 4000 + seed;

        grid->actuals.lag_h = (uint32_t)seed % 3;
        drop_hours(grid, 8);
        CHECK(grid_track(&arena, grid, &grid->issues, 300, 4200, &with));
        guarantee = gl_guarantee_start(&arena, &rule, grid_time(1800));
        CHECK(gl_guarantee_advance(guarantee, tracks, grid_time(day)));
        CHECK(gl_guarantee_decide(guarantee, tracks, grid_time(day), 0, &then));
        for (size_t i = day - grid->actuals.lag_h; i < GRID_HOURS; i++)
            grid->state[i] = GL_HOUR_MISSING; /* not reported yet */
        grid->issues.count = day / 24 + 1;
        CHECK(grid_track(&arena, grid, &grid->issues, 300, day, &without));
        guarantee = gl_guarantee_start(&arena, &rule, grid_time(1800));
        CHECK(gl_guarantee_advance(guarantee, live, grid_time(day)));
        CHECK(gl_guarantee_decide(guarantee, live, grid_time(day), 0, &now));
        CHECK(memcmp(&then, &now, sizeof now) == 0);
        gl_arena_done(&arena);
        free(grid);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_books_balance_against_any_adversary),
        cmocka_unit_test(the_books_balance_for_those_who_wait),
        cmocka_unit_test(no_gap_is_ever_kept),
        cmocka_unit_test(same_input_same_bytes),
        cmocka_unit_test(hindsight_changes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
