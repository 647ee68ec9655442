/* SPDX-License-Identifier: Apache-2.0 */
/* 200 processes that launch, run and end on one budget at once, killed at random: at no instant
 * more than it has, and nothing reserved for longer than a lease. */
#include <unistd.h> /* before those that replace its calls */

#include "broker/budget.h"
#include "tests/support/no_sync.h"
#include "tests/support/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/file.h"
#include "base/time.h"

#define PROCESSES 200
#define LIMIT_UG  INT64_C(1000000000) /* 1 kg */
#define LEASE_MS  1500

static char *folder, *path;
static struct gl_error err;

static uint32_t next_of(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

/* Another one each time; GL_SEED repeats one. */
static uint32_t seed_of(void)
{
    const char *said = getenv("GL_SEED");
    struct gl_world world;

    gl_world_real(&world);
    return said != NULL ? (uint32_t)strtoul(said, NULL, 10)
                        : (uint32_t)world.monotonic_ms(world.cookie);
}

static struct gl_ledger *open_ledger(const struct gl_world *world)
{
    struct gl_ledger *ledger = gl_ledger_open(path, world, 0, &err);

    if (ledger == NULL)
        fail_msg("%s", err.text);
    return ledger;
}

static int reserve(struct gl_ledger *ledger, const char *launch, const char *account, int64_t ug,
                   struct gl_error *why)
{
    GL_AUTO(gl_auto_json) json_t *charge = json_pack("{s:[s]}", "accounts", account);
    GL_AUTO(gl_auto_json) json_t *body = json_object();
    struct gl_launch_change change = {GL_LAUNCH_KEEP, .launch = launch, .state = "intended"};
    const struct gl_amount wanted = {ug, GL_UNKNOWN};

    json_object_set_new(
        body, "budget",
        gl_budget_reserve_json(charge, &wanted, gl_ledger_now_ms(ledger) + LEASE_MS));
    return gl_ledger_append(ledger, "intent", launch, body, &change, why);
}

/* Spent in part, or given back. */
static int end(struct gl_ledger *ledger, const char *launch, int64_t ug, struct gl_error *why)
{
    GL_AUTO(gl_auto_json) json_t *body = json_pack("{s:s}", "state", "ended");
    struct gl_launch_change change = {GL_LAUNCH_KEEP, .launch = launch, .state = "ended"};
    const struct gl_amount spent = {ug, 0};
    int64_t now_ms = gl_ledger_now_ms(ledger);

    if (ug > 0)
        json_object_set_new(body, "budget", gl_budget_spend_json(&spent, now_ms - 5, now_ms));
    return gl_ledger_append(ledger, "ended", launch, body, &change, why);
}

/* One broker; SIGKILL may hit it anywhere. */
static void broker(unsigned number, uint32_t of_run)
{
    static const char *const accounts[] = {"org/ml/a", "org/ml/b", "org/web", "org"};
    struct gl_world world;
    uint32_t seed = number * 2654435761u + of_run;
    struct gl_ledger *ledger;

    gl_world_real(&world);
    ledger = gl_ledger_open(path, &world, 0, &err);
    for (unsigned i = 0; ledger != NULL && i < 6; i++) {
        struct gl_error why = {0};
        int64_t ug = 1000000 + next_of(&seed) % 60000000;
        char launch[32];
        int result;

        snprintf(launch, sizeof launch, "gl-%u-%u", number, i);
        result = reserve(ledger, launch, accounts[next_of(&seed) % 4], ug, &why);
        if (result != 0 && why.code != GL_E_BUDGET && why.code != GL_E_LOCKED)
            _exit(3);
        if (result == 0 && next_of(&seed) % 4 != 0 &&
            end(ledger, launch, next_of(&seed) % 2 == 0 ? 0 : ug / 8, &why) != 0 &&
            why.code != GL_E_LOCKED)
            _exit(4);
    }
    gl_ledger_close(ledger);
    _exit(ledger != NULL ? 0 : 2);
}

static struct gl_account_state state_of(struct gl_ledger *ledger, const char *account,
                                        const char *limit)
{
    struct gl_cap cap = {.limit = {GL_UNKNOWN, GL_UNKNOWN}, .zone = "UTC"};
    struct gl_account_state state;
    char tag[GL_ACCOUNT_SEGMENT];

    assert_int_equal(gl_cap_read(limit, &cap, tag, &err), 0);
    if (gl_budget_state(ledger, &cap, account, gl_ledger_now_ms(ledger), NULL, &state, &err) != 0)
        fail_msg("%s", err.text);
    return state;
}

static void assert_never_over(struct gl_ledger *ledger)
{
    struct gl_account_state org = state_of(ledger, "org", "1 kg per year");
    struct gl_account_state ml = state_of(ledger, "org/ml", "400 g per year");

    assert_true(org.balance.spent.ug + org.balance.held.ug <= LIMIT_UG);
    assert_true(ml.balance.spent.ug + ml.balance.held.ug <= LIMIT_UG * 4 / 10);
    assert_true(org.balance.held.ug >= 0 && ml.balance.held.ug >= 0);
}

static void set(struct gl_ledger *ledger, const char *account, const char *limit)
{
    struct gl_cap cap = {.limit = {GL_UNKNOWN, GL_UNKNOWN}, .zone = "UTC"};
    char tag[GL_ACCOUNT_SEGMENT];

    snprintf(cap.path, sizeof cap.path, "%s", account);
    assert_int_equal(gl_cap_read(limit, &cap, tag, &err), 0);
    assert_int_equal(gl_budget_set(ledger, &cap, "test", &err), 0);
}

/* Replay the chain in its order: at every event what is spent and held fits. */
struct replay {
    int64_t spent, held[PROCESSES * 8], until[PROCESSES * 8], most;
    unsigned reserved, refused;
};

static int replay_one(void *cookie, const json_t *event)
{
    struct replay *replay = cookie;
    const json_t *budget = json_object_get(json_object_get(event, "body"), "budget");
    const char *op = json_string_value(json_object_get(budget, "op"));
    const char *launch = json_string_value(json_object_get(event, "launch"));
    int64_t at_ms = json_integer_value(json_object_get(event, "at_ms")), sum;
    unsigned number, i, slot;

    if (sscanf(launch, "gl-%u-%u", &number, &i) != 2)
        return 0;
    slot = number * 8 + i;
    if (op != NULL && strcmp(op, "reserve") == 0) {
        replay->held[slot] = json_integer_value(json_object_get(budget, "ug"));
        replay->until[slot] = json_integer_value(json_object_get(budget, "until_ms"));
        replay->reserved++;
    } else {
        replay->held[slot] = 0;
        if (op != NULL)
            replay->spent += json_integer_value(json_object_get(budget, "ug"));
    }
    sum = replay->spent;
    for (slot = 0; slot < PROCESSES * 8; slot++)
        if (replay->until[slot] > at_ms)
            sum += replay->held[slot];
    replay->most = sum > replay->most ? sum : replay->most;
    return 0;
}

static void nothing_is_ever_overspent(void **state)
{
    GL_AUTO(gl_auto_free) struct replay *replay = gl_alloc(sizeof *replay);
    struct gl_world world;
    struct gl_ledger *ledger;
    struct gl_ledger_check check;
    pid_t pids[PROCESSES]; /* of those that were not waited for */
    unsigned started = 0, ended = 0, killed = 0, failed = 0;
    uint32_t seed = seed_of();

    (void)state;
    print_message("seed %u\n", seed);
    gl_world_real(&world);
    ledger = open_ledger(&world);
    set(ledger, "org", "1 kg per year");
    set(ledger, "org/{team}", "400 g per year");
    gl_ledger_close(ledger);
    while (ended < PROCESSES) {
        unsigned running = started - ended;
        int status;
        pid_t pid;

        for (; started < PROCESSES; started++, running++) {
            pids[running] = fork();
            if (pids[running] == 0)
                broker(started, seed);
        }
        if (next_of(&seed) % 2 == 0)
            kill(pids[next_of(&seed) % running], SIGKILL);
        pid = wait(&status);
        assert_true(pid > 0);
        for (unsigned i = 0; i < running; i++)
            if (pids[i] == pid)
                pids[i] = pids[running - 1];
        ended++;
        killed += WIFSIGNALED(status);
        failed += WIFEXITED(status) && WEXITSTATUS(status) != 0;
        if (ended % 20 == 0) {
            ledger = open_ledger(&world);
            assert_never_over(ledger);
            gl_ledger_close(ledger);
        }
    }
    ledger = open_ledger(&world);
    assert_never_over(ledger);
    if (gl_ledger_check(ledger, &check, &err) != 0)
        fail_msg("%s", err.text);
    assert_int_equal(gl_ledger_events(ledger, NULL, replay, replay_one, &err), 0);
    print_message("%u processes, %u killed, %u reservations, most %" PRId64 " of %" PRId64 " ug\n",
                  PROCESSES, killed, replay->reserved, replay->most, LIMIT_UG);
    assert_int_equal(failed, 0);
    assert_true(replay->most <= LIMIT_UG);
    assert_true(replay->most > LIMIT_UG / 2 && killed > 20 && replay->reserved > 30);
    world.sleep_ms(world.cookie, LEASE_MS + 50);
    assert_int_equal(state_of(ledger, "org", "1 kg per year").balance.held.ug, 0);
    gl_ledger_close(ledger);
}

static int set_up(void **state)
{
    (void)state;
    folder = scratch_make("test_budget_many");
    path = gl_path_join(folder, "ledger.db");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    free(path);
    scratch_remove(folder);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nothing_is_ever_overspent, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
