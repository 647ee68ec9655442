/* SPDX-License-Identifier: Apache-2.0 */
/* Random interleavings of reserving, spending, giving back, moving and time that passes: the sums
 * are those of a plain model to the microgram, never negative, never over a cap. */
#include <unistd.h> /* before those that replace its calls */

#include "broker/budget.h"
#include "tests/support/no_sync.h"
#include "tests/support/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"

#define NOW      INT64_C(1767225600000)
#define STEPS    400
#define SEEDS    6
#define LAUNCHES 24
#define ACCOUNTS 6

/* Parents come before their children. */
static const char *const accounts[ACCOUNTS] = {"org",      "org/ml",   "org/web",
                                               "org/ml/a", "org/ml/b", "org/web/c"};
static const int parents[ACCOUNTS] = {-1, 0, 0, 1, 1, 2};
static const int64_t limits[ACCOUNTS] = {1000000, 600000, 600000, 400000, 400000, 500000};

/* What must be. */
struct launch {
    bool is_held;
    int account;
    int64_t ug, until_ms;
};
struct model {
    int64_t spent[ACCOUNTS], granted[ACCOUNTS];
    struct launch launches[LAUNCHES];
};

struct bench {
    char *folder, *path;
    struct gl_world *world;
    struct gl_ledger *ledger;
    struct model model;
    uint32_t seed;
    unsigned refused, done;
};

static struct gl_error err;

static int64_t below(struct bench *b, int64_t limit)
{
    b->seed = b->seed * 1664525u + 1013904223u;
    return (int64_t)(b->seed >> 8) % limit;
}

static int64_t now_ms(const struct bench *b)
{
    return b->world->now_ms(b->world->cookie);
}

static int64_t held(const struct bench *b, int account, int without)
{
    int64_t sum = 0;

    for (int i = 0; i < LAUNCHES; i++) {
        const struct launch *launch = &b->model.launches[i];

        if (!launch->is_held || launch->until_ms <= now_ms(b) || i == without)
            continue;
        for (int at = launch->account; at >= 0; at = parents[at])
            sum += at == account ? launch->ug : 0;
    }
    return sum;
}

static int64_t left(const struct bench *b, int account, int without)
{
    return limits[account] + b->model.granted[account] - b->model.spent[account] -
           held(b, account, without);
}

/* ---- steps: each says what must come of it, does it, and compares ---- */

static void reserve(struct bench *b)
{
    int number = (int)below(b, LAUNCHES), account = (int)below(b, ACCOUNTS);
    struct launch wanted = {true, account, below(b, 150000), now_ms(b) + 1000 + below(b, 20000)};
    GL_AUTO(gl_auto_json) json_t *charge = json_pack("{s:[s]}", "accounts", accounts[account]);
    GL_AUTO(gl_auto_json) json_t *body = json_object();
    const struct gl_amount amount = {wanted.ug, GL_UNKNOWN};
    bool fits = true;
    char name[16];
    int result;

    for (int at = account; at >= 0; at = parents[at])
        fits = fits && wanted.ug <= left(b, at, number);
    snprintf(name, sizeof name, "gl-%d", number);
    json_object_set_new(body, "budget", gl_budget_reserve_json(charge, &amount, wanted.until_ms));
    gl_error_clear(&err);
    result = gl_ledger_append(b->ledger, "intent", name, body, NULL, &err);
    assert_int_equal(result, fits ? 0 : -1);
    assert_true(fits || err.code == GL_E_BUDGET);
    if (fits)
        b->model.launches[number] = wanted;
    b->done += fits;
    b->refused += !fits;
}

static void finish(struct bench *b)
{
    int number = (int)below(b, LAUNCHES);
    struct launch *launch = &b->model.launches[number];
    GL_AUTO(gl_auto_json) json_t *body = json_pack("{s:s}", "state", "ended");
    struct gl_amount spent = {launch->is_held ? below(b, launch->ug + 1) : 0, 0};
    bool is_spent = below(b, 3) > 0;
    char name[16];

    /* What is past its lease may have lent its room to others: it then gave nothing back. */
    is_spent = is_spent && launch->is_held && launch->until_ms > now_ms(b);
    snprintf(name, sizeof name, "gl-%d", number);
    if (is_spent)
        json_object_set_new(body, "budget",
                            gl_budget_spend_json(&spent, now_ms(b) - below(b, 7200000), now_ms(b)));
    assert_int_equal(gl_ledger_append(b->ledger, "ended", name, body, NULL, &err), 0);
    for (int at = launch->account; is_spent && at >= 0; at = parents[at])
        b->model.spent[at] += spent.ug;
    launch->is_held = false;
}

static void collect(int from, int to, int64_t ug, int64_t deltas[ACCOUNTS])
{
    bool is_above[ACCOUNTS] = {false};

    for (int at = to; at >= 0; at = parents[at])
        is_above[at] = true;
    for (int at = from; at >= 0 && !is_above[at]; at = parents[at])
        deltas[at] -= ug;
    memset(is_above, 0, sizeof is_above);
    for (int at = from; at >= 0; at = parents[at])
        is_above[at] = true;
    for (int at = to; at >= 0 && !is_above[at]; at = parents[at])
        deltas[at] += ug;
}

static void move(struct bench *b)
{
    int from = (int)below(b, ACCOUNTS), to = (int)below(b, ACCOUNTS);
    struct gl_amount amount = {1 + below(b, 100000), 0};
    int64_t deltas[ACCOUNTS] = {0};
    bool fits = from != to;
    int result;

    collect(from, to, amount.ug, deltas);
    for (int at = 0; at < ACCOUNTS; at++)
        fits = fits && (deltas[at] >= 0 || -deltas[at] <= left(b, at, -1));
    gl_error_clear(&err);
    result = gl_budget_move(b->ledger, accounts[from], accounts[to], &amount, "x", "y", &err);
    assert_int_equal(result, fits ? 0 : -1);
    for (int at = 0; fits && at < ACCOUNTS; at++)
        b->model.granted[at] += deltas[at];
}

static void pass(struct bench *b)
{
    b->world->sleep_ms(b->world->cookie, below(b, 8000));
}

static void compare(struct bench *b)
{
    GL_AUTO(gl_caps_done) struct gl_caps caps = {0, NULL};

    assert_int_equal(gl_budget_caps(b->ledger, &caps, &err), 0);
    for (int i = 0; i < ACCOUNTS; i++) {
        const struct gl_cap *cap = gl_account_cap(caps.items, caps.count, accounts[i]);
        struct gl_account_state state;

        assert_int_equal(
            gl_budget_state(b->ledger, cap, accounts[i], now_ms(b), NULL, &state, &err), 0);
        assert_int_equal(state.balance.spent.ug, b->model.spent[i]);
        assert_int_equal(state.balance.held.ug, held(b, i, -1));
        assert_int_equal(state.balance.granted.ug, b->model.granted[i]);
        assert_true(state.balance.spent.ug >= 0 && state.balance.held.ug >= 0);
        assert_true(gl_balance_left_of(cap, &state.balance).ug >= 0);
    }
}

static void set_up_bench(struct bench *b, uint32_t seed)
{
    *b = (struct bench){.seed = seed};
    b->folder = scratch_make("test_budget_properties");
    b->path = gl_path_join(b->folder, "ledger.db");
    b->world = gl_world_fixed_new(NOW + INT64_C(40) * 86400000, 1, NULL);
    b->ledger = gl_ledger_open(b->path, b->world, 0, &err);
    assert_non_null(b->ledger);
    for (int i = 0; i < ACCOUNTS; i++) {
        struct gl_cap cap = {
            .limit = {limits[i], GL_UNKNOWN}, .period = {GL_PER_YEAR, 0}, .zone = "UTC"};

        snprintf(cap.path, sizeof cap.path, "%s", accounts[i]);
        assert_int_equal(gl_budget_set(b->ledger, &cap, NULL, &err), 0);
    }
}

static void any_interleaving_keeps_every_gram(void **state)
{
    static void (*const steps[])(struct bench *) = {reserve, reserve, reserve, finish,
                                                    finish,  move,    pass};

    (void)state;
    for (uint32_t seed = 1; seed <= SEEDS; seed++) {
        struct gl_ledger_check check;
        struct bench b;

        set_up_bench(&b, seed);
        for (int i = 0; i < STEPS; i++) {
            steps[below(&b, sizeof steps / sizeof *steps)](&b);
            compare(&b);
        }
        if (gl_ledger_check(b.ledger, &check, &err) != 0)
            fail_msg("%s", err.text);
        assert_true(b.refused > 10 && b.done > 30);
        gl_ledger_close(b.ledger);
        gl_world_fixed_free(b.world);
        free(b.path);
        scratch_remove(b.folder);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(any_interleaving_keeps_every_gram)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
