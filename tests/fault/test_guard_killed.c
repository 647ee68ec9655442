/* SPDX-License-Identifier: Apache-2.0 */
/* A guard killed at every step and at every call that changes a file, on a disk that is full, and
 * several of them at once: one instance, a chain that holds, and a second look that agrees. */
#undef _FORTIFY_SOURCE
#include "tests/support/failing_disk.h"
#include "tests/support/guard_bench.h"
#include "tests/support/no_sync.h"

#include "base/file.h"
#include "broker/demand.h"
#include "broker/shift.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- the bench ---- */

#define P90     900000
#define LEASE_S JOURNAL_LEASE_S

static struct journal_bench journal;
static struct guard_bench *bench;
static char launch[GL_CLOUD_ID];

static int set_up(void **state)
{
    (void)state;
    disk = (struct disk){0};
    journal_bench_open(&journal, "test_guard_killed");
    bench = guard_bench_new(&journal);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    disk.is_armed = false;
    guard_bench_free(bench);
    journal_bench_close(&journal);
    return 0;
}

static void again(void)
{
    tear_down(NULL);
    set_up(NULL);
}

/* A situation in which the guard has something to do. Promises need a year replayed: of the two
 * kinds of knowledge the data at hand is quick. */
struct scene {
    const char *on_lapse, *ends_as, *ends_in;
    int64_t probability_ppm;
    bool is_paused;
    void (*spoil)(void);
};

static void nothing(void)
{
}

static void move_fails(void)
{
    journal.cloud->store->faults[GL_MEMORY_MOVE] =
        (struct gl_memory_fault){.times = 1, .code = GL_E_PROVIDER};
}

static void move_answer_lost(void)
{
    move_fails();
    journal.cloud->store->faults[GL_MEMORY_MOVE].acts_first = true;
}

static const struct scene scenes[] = {
    {"move", "running", GL_MEMORY_REGION_2, 0, false, nothing},
    {"move", "running", GL_MEMORY_REGION_2, P90, false, nothing},
    {"move", "running", GL_MEMORY_REGION_2, 0, false, move_answer_lost},
    {"move", "paused", GL_MEMORY_REGION, 0, false, move_fails},
    {"move", "running", GL_MEMORY_REGION_2, 0, true, nothing},
    {"pause", "paused", GL_MEMORY_REGION, 0, false, nothing},
    {"stop", "ended", GL_MEMORY_REGION, 0, false, nothing},
    {"notify", "running", GL_MEMORY_REGION, 0, false, nothing},
};
#define SCENES (sizeof scenes / sizeof scenes[0])

/* Left as a guard finds it: five minutes into the lease, and over the limit. */
static void play(const struct scene *scene)
{
    struct gl_error err = {0};

    again();
    bench->grids[0].has_no_history = bench->grids[1].has_no_history = scene->probability_ppm == 0;
    if (guard_bench_start(bench, "", scene->on_lapse, scene->probability_ppm, LEASE_S, launch,
                          &err) != 0)
        fail_msg("%s", err.text);
    journal.cloud->true_ms += 4000;
    if (scene->is_paused && journal_bench_pause(&journal, launch, &err) != 0)
        fail_msg("%s", err.text);
    bench->grids[0].spike = 3000;
    bench->grids[0].spike_from_s = guard_bench_now_s(bench) - 4 * 3600;
    scene->spoil();
}

static struct {
    unsigned at, count;
} steps;

static void on_step(void *cookie, const char *step)
{
    (void)cookie;
    assert_true(step[0] != '\0');
    if (++steps.count == steps.at)
        kill(getpid(), SIGKILL);
}

/* How a look in a process of its own came out. */
enum {
    KILLED = -1,
    FINE,
    FAILED, /* as a whole */
    TOLD,   /* something failed, and it said so */
    UNSEEN, /* the disk struck, and it said nothing of it */
};

static bool is_struck(const struct disk *with)
{
    return with->full_from > 0 && disk.count >= with->full_from;
}

static int child_looks(unsigned kill_at_step, struct disk with)
{
    int status = -1;
    pid_t child;

    gl_ledger_close(journal.ledger);
    journal.ledger = NULL;
    child = fork();
    if (child == 0) {
        struct gl_guarded guarded;
        struct gl_error err = {0};
        int result;

        if (!journal_bench_ledger(&journal, 0, &err))
            _exit(2);
        steps.at = kill_at_step;
        journal.launcher.checkpoint = on_step;
        disk = with;
        result = guard_bench_look(bench, &guarded, &err);
        disk.is_armed = false;
        gl_ledger_close(journal.ledger);
        _exit(!is_struck(&with)                                     ? FINE
              : result != 0                                         ? FAILED
              : guarded.failed > 0 || guarded.reconciled.failed > 0 ? TOLD
                                                                    : UNSEEN);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(journal_bench_ledger(&journal, 0, &(struct gl_error){0}));
    if (WIFSIGNALED(status)) {
        assert_int_equal(WTERMSIG(status), SIGKILL);
        return KILLED;
    }
    return WEXITSTATUS(status);
}

static void look(struct gl_guarded *out)
{
    struct gl_error err = {0};

    if (guard_bench_look(bench, out, &err) != 0)
        fail_msg("%s", err.text);
}

static void assert_row(const char *state, const char *region)
{
    struct gl_launch_rows rows;
    struct gl_error err = {0};

    assert_int_equal(gl_ledger_launches(journal.ledger, launch, &rows, &err), 0);
    assert_string_equal(rows.rows[0].state, state);
    assert_string_equal(rows.rows[0].region, region);
    gl_launch_rows_free(&rows);
}

/* Promises of the place where it runs that stand: one, or none where nothing is promised. */
static void assert_promises(const struct scene *scene)
{
    struct gl_guarantee_rows rows;
    struct gl_error err = {0};
    unsigned here = 0;

    assert_int_equal(gl_ledger_guarantees(journal.ledger, "open", &rows, &err), 0);
    for (size_t i = 0; i < rows.count; i++)
        here += strcmp(rows.rows[i].zone, "YY") == 0;
    assert_int_equal(here, scene->probability_ppm > 0);
    gl_guarantee_rows_free(&rows);
}

/* ---- what it cost ---- */

/* Signals and costs, in order of their events; a cost names the signal that it is of. */
struct costs {
    unsigned signals, open, costs; /* open: of a pause or a move, whose cost is known at its end */
    int64_t of[8];
};

static int note_cost(void *cookie, const json_t *event)
{
    struct costs *costs = cookie;
    const json_t *body = json_object_get(event, "body");
    const char *kind = json_string_value(json_object_get(event, "kind")), *what;

    if (strcmp(kind, "demand") == 0) {
        what = json_string_value(
            json_object_get(json_array_get(json_object_get(body, "signals"), 0), "kind"));
        costs->signals++;
        costs->open += strcmp(what, "pause") == 0 || strcmp(what, "move") == 0;
    } else if (strcmp(kind, "demand-cost") == 0) {
        assert_true(costs->costs < sizeof costs->of / sizeof costs->of[0]);
        costs->of[costs->costs++] = json_integer_value(json_object_get(body, "of"));
    }
    return 0;
}

static struct costs read_costs(void)
{
    struct costs costs = {0};
    struct gl_error err = {0};

    assert_int_equal(gl_ledger_events(journal.ledger, NULL, &costs, note_cost, &err), 0);
    for (unsigned i = 0; i < costs.costs; i++)
        for (unsigned k = 0; k < i; k++)
            assert_true(costs.of[i] != costs.of[k]);
    return costs;
}

/* When all is over each pause and each move has its cost, once, whoever was killed meanwhile and
 * however often it is asked; what was stopped or ran on had it from the start. */
static void assert_costs(const struct scene *scene)
{
    const struct gl_demand_ask all = {0, false};
    struct gl_error err = {0};
    struct gl_clustering *clustering;
    const struct gl_cluster *cluster;
    struct costs costs;
    size_t count;

    for (int i = 0; i < 2; i++)
        if (gl_demand_settle(journal.ledger, &err) != 0)
            fail_msg("%s", err.text);
    costs = read_costs();
    assert_int_equal(costs.costs, costs.open);
    assert_true(costs.signals <= 1);
    if (costs.signals == 0)
        return;
    clustering = gl_demand_clusters(journal.ledger, &all, &err);
    assert_non_null(clustering);
    cluster = gl_clustering_end(clustering, &count);
    assert_int_equal(count, 1);
    assert_int_equal(cluster->lost_known, cluster->signals);
    if (strcmp(scene->on_lapse, "stop") == 0)
        assert_true(cluster->lost_ms > 0 && cluster->extra_known == 1 && cluster->extra_ug < 0);
    if (strcmp(scene->on_lapse, "notify") == 0)
        assert_true(cluster->lost_ms == 0 && cluster->extra_known == 0);
    gl_clustering_free(clustering);
}

/* ---- and what it says of a need ---- */

enum { PAUSED, MOVED, STOPPED, RAN, ACTS };

/* What the guard did, by the journal, and the signals of it. */
struct told {
    char intent[8], by[8], before[8];
    bool is_stop_noted, is_paused;
    unsigned done[ACTS], signals[ACTS];
};

static const char *text_of(const json_t *json, const char *key)
{
    const char *text = json_string_value(json_object_get(json, key));

    return text != NULL ? text : "";
}

static void note_signal(struct told *told, const json_t *body)
{
    static const char *const words[ACTS] = {"paused", "moved", "stopped", "ran-on"};
    const json_t *signals = json_object_get(body, "signals");

    assert_int_equal(json_array_size(signals), 1);
    for (int i = 0; i < ACTS; i++)
        told->signals[i] += strcmp(text_of(json_array_get(signals, 0), "instead"), words[i]) == 0;
}

static int note_act(void *cookie, const json_t *event)
{
    struct told *told = cookie;
    const json_t *body = json_object_get(event, "body");
    const char *kind = text_of(event, "kind"), *act = text_of(body, "act");
    bool is_guards = strcmp(told->by, "guard") == 0;

    if (strcmp(kind, "pause") == 0 || strcmp(kind, "resume") == 0 || strcmp(kind, "move") == 0) {
        snprintf(told->intent, sizeof told->intent, "%s", kind);
        /* The scene's own rest on other evidence. */
        snprintf(told->by, sizeof told->by, "%s",
                 json_is_integer(json_object_get(json_object_get(body, "evidence"), "at_s"))
                     ? text_of(body, "by")
                     : "");
        snprintf(told->before, sizeof told->before, "%s", text_of(body, "before"));
    }
    if (strcmp(kind, "guard") == 0 && json_is_null(json_object_get(body, "error"))) {
        told->done[RAN] += strcmp(act, "notify") == 0 && !told->is_paused;
        told->is_stop_noted |= strcmp(act, "stop") == 0;
    }
    told->done[PAUSED] += is_guards && strcmp(kind, "paused") == 0;
    told->done[MOVED] +=
        is_guards && strcmp(kind, "moved") == 0 && strcmp(told->before, "running") == 0;
    told->done[STOPPED] += told->is_stop_noted && strcmp(kind, "ended") == 0;
    if (text_of(body, "state")[0] != '\0')
        told->is_paused = strcmp(text_of(body, "state"), "paused") == 0;
    if (strcmp(kind, "demand") == 0)
        note_signal(told, body);
    return 0;
}

/* Each act has left one signal: none is lost with a guard that died, none is told twice. */
static void assert_each_told_once(void)
{
    struct gl_error err = {0};
    struct told told = {.done = {0}};

    assert_int_equal(gl_ledger_events(journal.ledger, NULL, &told, note_act, &err), 0);
    for (int i = 0; i < ACTS; i++)
        if (told.signals[i] != told.done[i])
            fail_msg("act %d: done %u times, told %u times", i, told.done[i], told.signals[i]);
}

/* Whatever happened before, what was to be done is done by the next look, or the one after the wait
 * for what had failed; and then nothing more. */
static void assert_comes_right(const struct scene *scene)
{
    struct gl_guarded guarded;
    unsigned shifts;

    memset(journal.cloud->store->faults, 0, sizeof journal.cloud->store->faults);
    journal_bench_assert_sound(&journal);
    look(&guarded);
    if (scene->spoil == move_fails || guarded.failed > 0 || guarded.undone > 0) {
        journal_bench_assert_sound(&journal);
    } else {
        assert_row(scene->ends_as, scene->ends_in);
        assert_promises(scene);
    }
    shifts = journal_bench_events(&journal, launch, "moved") +
             journal_bench_events(&journal, launch, "paused");
    look(&guarded);
    assert_true(journal_bench_events(&journal, launch, "moved") +
                    journal_bench_events(&journal, launch, "paused") ==
                shifts);
    journal_bench_assert_over(&journal);
    assert_each_told_once();
    assert_costs(scene);
}

/* ---- killed ---- */

static void killed_at_any_step(void **state)
{
    unsigned points = 0;

    (void)state;
    for (size_t s = 0; s < SCENES; s++)
        for (unsigned k = 1;; k++) {
            int status;

            play(&scenes[s]);
            status = child_looks(k, (struct disk){0});
            assert_comes_right(&scenes[s]);
            if (status != KILLED)
                break;
            points++;
        }
    print_message("killed at %u steps of %zu scenes\n", points, SCENES);
    assert_true(points >= 40);
}

/* ---- killed, and ended before another look ---- */

/* What the guard has done by now, as the cloud has it: written down or not. */
static struct told seen_of(const struct scene *scene)
{
    const struct gl_instance *seen = &journal.cloud->store->instances[0].seen;
    struct told told = {.done = {0}};

    if (scene->is_paused)
        return told;
    told.done[PAUSED] = seen->state == GL_STATE_SUSPENDED;
    told.done[MOVED] = strcmp(seen->region, GL_MEMORY_REGION) != 0;
    return told;
}

static void stop_it(void)
{
    struct gl_ending ending = {.wait = {5}, .exit_status = -1};
    struct gl_error err = {0};

    if (gl_launch_finish(&journal.launcher, launch, &ending, &err) != 0)
        fail_msg("%s", err.text);
    free(ending.receipt);
}

/* Behind the ledger's back, as by its own timer. */
static void let_it_end(void)
{
    struct gl_error err = {0};
    struct gl_cloud *cloud = metered_cloud_open(journal.cloud, "memory", "XX", &err);
    const char *id = journal.cloud->store->instances[0].seen.id;
    struct gl_reconciled counts;

    assert_non_null(cloud);
    assert_int_equal(cloud->ops->stop(cloud, id, (struct gl_span){5}, &err), 0);
    gl_cloud_close(cloud);
    if (gl_launch_reconcile(&journal.launcher, &counts, &err) != 0 || counts.failed > 0)
        fail_msg("%s", err.text);
}

static void killed_and_then_ended_it_is_told_all_the_same(void **state)
{
    static void (*const ends[])(void) = {stop_it, let_it_end};
    unsigned points = 0;

    (void)state;
    for (size_t s = 0; s < 2 * SCENES; s++)
        for (unsigned k = 1;; k++) {
            struct told told = {.done = {0}}, done;
            struct gl_error err = {0};
            int status;

            play(&scenes[s / 2]);
            status = child_looks(k, (struct disk){0});
            done = seen_of(&scenes[s / 2]);
            ends[s % 2]();
            assert_int_equal(gl_ledger_events(journal.ledger, NULL, &told, note_act, &err), 0);
            for (int i = PAUSED; i <= MOVED; i++)
                if (told.signals[i] != done.done[i])
                    fail_msg("scene %zu, step %u, act %d: done %u times, told %u times", s, k, i,
                             done.done[i], told.signals[i]);
            assert_each_told_once();
            journal_bench_assert_over(&journal);
            if (status != KILLED)
                break;
            points++;
        }
    assert_true(points >= 80);
}

static void killed_at_any_call_that_changes_a_file(void **state)
{
    unsigned points = 0;

    (void)state;
    for (size_t s = 0; s < SCENES; s++) {
        if (scenes[s].probability_ppm > 0)
            continue; /* the same calls, with a replay before each */
        for (unsigned k = 1;; k++) {
            int status;

            play(&scenes[s]);
            status = child_looks(0, (struct disk){.is_armed = true, .kill_at = k});
            assert_comes_right(&scenes[s]);
            if (status != KILLED)
                break;
            points++;
        }
    }
    print_message("killed at %u calls\n", points);
    assert_true(points >= 100);
}

/* ---- a full disk ---- */

static void a_disk_that_is_full_changes_nothing_unseen(void **state)
{
    unsigned points = 0;

    (void)state;
    for (size_t s = 0; s < SCENES; s++) {
        if (scenes[s].probability_ppm > 0)
            continue;
        for (unsigned k = 1;; k++) {
            int status;

            play(&scenes[s]);
            status = child_looks(
                0, (struct disk){.is_armed = true, .full_from = k, .full_until = UINT32_MAX});
            /* What it said nothing of was done all the same. */
            if (status == UNSEEN && scenes[s].spoil != move_fails)
                assert_row(scenes[s].ends_as, scenes[s].ends_in);
            journal.cloud->true_ms += 5000;
            assert_comes_right(&scenes[s]);
            if (status == FINE)
                break;
            points++;
        }
    }
    print_message("full from %u calls on\n", points);
    assert_true(points >= 100);
}

/* ---- at once ---- */

static void of_several_at_once_one_acts(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 8; round++) {
        struct gl_guarded guarded;
        unsigned locked = 0;
        pid_t pids[4];

        play(&scenes[0]);
        gl_ledger_close(journal.ledger);
        journal.ledger = NULL;
        for (int i = 0; i < 4; i++) {
            pids[i] = fork();
            if (pids[i] == 0) {
                struct gl_error err = {0};
                int result = journal_bench_ledger(&journal, 0, &err)
                                 ? guard_bench_look(bench, &guarded, &err)
                                 : -1;

                gl_ledger_close(journal.ledger);
                _exit(result == 0 ? 0 : (int)gl_errc_row(err.code)->exit);
            }
        }
        for (int i = 0; i < 4; i++) {
            int status = -1;

            waitpid(pids[i], &status, 0);
            assert_true(WIFEXITED(status));
            assert_true(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 5);
            locked += WEXITSTATUS(status) == 5;
        }
        assert_true(locked < 4);
        assert_true(journal_bench_ledger(&journal, 0, &(struct gl_error){0}));
        assert_int_equal(journal_bench_events(&journal, launch, "move"), 1);
        assert_int_equal(journal_bench_events(&journal, launch, "moved"), 1);
        assert_comes_right(&scenes[0]);
    }
}

static void the_second_one_says_that_it_is(void **state)
{
    struct gl_guarded guarded;
    struct gl_error err = {0};
    int lock = gl_guard_lock(journal.folder, &err);

    (void)state;
    assert_true(lock >= 0);
    assert_int_equal(guard_bench_look(bench, &guarded, &err), -1);
    assert_int_equal(err.code, GL_E_LOCKED);
    assert_int_equal(gl_errc_row(err.code)->exit, 5);
    assert_non_null(strstr(err.text, "another guard is at work"));
    gl_error_clear(&err);
    bench->guard.is_locked = true; /* it is this one */
    assert_int_equal(guard_bench_look(bench, &guarded, &err), 0);
    bench->guard.is_locked = false;
    close(lock);
    assert_int_equal(guard_bench_look(bench, &guarded, &err), 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(killed_at_any_step),
        CASE(killed_and_then_ended_it_is_told_all_the_same),
        CASE(killed_at_any_call_that_changes_a_file),
        CASE(a_disk_that_is_full_changes_nothing_unseen),
        CASE(of_several_at_once_one_acts),
        CASE(the_second_one_says_that_it_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
