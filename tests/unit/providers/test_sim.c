/* SPDX-License-Identifier: Apache-2.0 */
/* What the conformance suite cannot show: scheduled faults, the virtual clock, thousands of
 * instances, memory that outlives a killed process. */
#include "providers/cloud/sim.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define START_MS INT64_C(1781049600000)
#define HOUR_MS  INT64_C(3600000)
#define LEASE_H  10

static const struct gl_sim_place places[] = {{.name = "one", .price_u_usd_per_h = 1000},
                                             {.name = "two", .price_u_usd_per_h = GL_UNKNOWN},
                                             {.name = "small", .capacity = 2}};

struct bench {
    struct gl_world *world;
    struct gl_sim *sim;
    struct gl_cloud *cloud;
    unsigned launched;
    char token[GL_HASH_HEX], id[GL_CLOUD_ID];
};

static void write_spans(void *cookie, const struct gl_sim_guest *guest, struct gl_str *out)
{
    (void)cookie;
    for (size_t i = 0; i < guest->span_count; i++)
        gl_str_addf(out, "%s@%s ", guest->spans[i].is_running ? "run" : "still",
                    guest->spans[i].region);
    gl_str_addf(out, "%s", guest->is_final ? "end" : "");
}

static void open_bench(struct bench *bench, size_t instances, int64_t move_ms)
{
    struct gl_error err = {0};

    *bench = (struct bench){.world = gl_world_fixed_new(START_MS, 1, NULL)};
    bench->sim = gl_sim_new(&(struct gl_sim_options){.world = bench->world,
                                                     .places = places,
                                                     .place_count = 3,
                                                     .instances = instances,
                                                     .move_ms = move_ms,
                                                     .console = write_spans},
                            &err);
    assert_non_null(bench->sim);
    bench->cloud = gl_sim_open(bench->sim);
}

static void close_bench(struct bench *bench)
{
    gl_cloud_close(bench->cloud);
    gl_sim_free(bench->sim);
    gl_world_fixed_free(bench->world);
}

static void sleep_h(struct bench *bench, double hours)
{
    bench->world->sleep_ms(bench->world->cookie, (int64_t)(hours * (double)HOUR_MS));
}

static int launch(struct bench *bench, const char *place, struct gl_instance *out,
                  struct gl_error *err)
{
    unsigned number = ++bench->launched;
    const struct gl_launch wish = {.token = bench->token,
                                   .launch_id = bench->id,
                                   .region = place,
                                   .type = "sim-2",
                                   .attempt = 1,
                                   .expires = {gl_now(bench->world).unix_s + LEASE_H * 3600},
                                   .interval_s = 60};

    snprintf(bench->token, sizeof bench->token, "%064x", number);
    snprintf(bench->id, sizeof bench->id, "gl-%u", number);
    return bench->cloud->ops->launch(bench->cloud, &wish, out, err);
}

static struct gl_instance must_launch(struct bench *bench, const char *place)
{
    struct gl_instance instance;
    struct gl_error err = {0};

    if (launch(bench, place, &instance, &err) != 0)
        fail_msg("%s", err.text);
    return instance;
}

static struct gl_instance look(struct bench *bench, const char *id)
{
    struct gl_instance seen;
    struct gl_error err = {0};

    if (bench->cloud->ops->describe(bench->cloud, id, &seen, &err) != 0)
        fail_msg("%s", err.text);
    return seen;
}

static void schedule(struct bench *bench, enum gl_sim_fault_kind kind, const char *place,
                     double from_h, double until_h)
{
    int64_t now = bench->world->now_ms(bench->world->cookie);
    const struct gl_sim_fault fault = {
        .kind = kind,
        .place = place,
        .from_ms = now + (int64_t)(from_h * (double)HOUR_MS),
        .until_ms = now + (int64_t)(until_h * (double)HOUR_MS),
        .extra_ms = HOUR_MS,
    };
    struct gl_error err = {0};

    assert_int_equal(gl_sim_schedule(bench->sim, &fault, &err), 0);
}

static void expect_console(struct bench *bench, const char *id, const char *expected)
{
    struct gl_str text = {0};
    struct gl_error err = {0};
    uint64_t next = 0;

    assert_int_equal(bench->cloud->ops->console(bench->cloud, id, 0, &text, &next, &err), 0);
    assert_int_equal(next, text.length);
    assert_non_null(strchr(gl_str_text(&text), '\n'));
    assert_memory_equal(gl_str_text(&text), "SIMULATED ", 10);
    assert_string_equal(strchr(gl_str_text(&text), '\n') + 1, expected);
    gl_str_done(&text);
}

static void test_names_are_checked(void **state)
{
    static const struct gl_sim_place twice[] = {{.name = "a"}, {.name = "a"}};
    struct gl_error err = {0};

    (void)state;
    assert_null(gl_sim_new(&(struct gl_sim_options){.places = twice, .place_count = 2}, &err));
    assert_int_equal(err.code, GL_E_BAD_VALUE);
    gl_error_clear(&err);
    assert_null(gl_sim_new(&(struct gl_sim_options){.places = twice, .place_count = 0}, &err));
    assert_int_equal(err.code, GL_E_TOO_LARGE);
}

static void test_lease_ends(void **state)
{
    struct bench bench;
    struct gl_instance made;

    (void)state;
    open_bench(&bench, 0, 0);
    made = must_launch(&bench, "one");
    assert_non_null(strstr(made.how, "simulated"));
    sleep_h(&bench, LEASE_H - 0.01);
    assert_int_equal(look(&bench, made.id).state, GL_STATE_RUNNING);
    sleep_h(&bench, 3);
    assert_int_equal(look(&bench, made.id).state, GL_STATE_ENDED);
    expect_console(&bench, made.id, "run@one end");
    close_bench(&bench);
}

static void test_no_stock(void **state)
{
    struct bench bench;
    struct gl_instance made, again;
    struct gl_error err = {0};

    (void)state;
    open_bench(&bench, 0, 0);
    schedule(&bench, GL_SIM_NO_STOCK, "two", 1, 2);
    made = must_launch(&bench, "two");
    sleep_h(&bench, 1);
    assert_int_equal(launch(&bench, "two", &again, &err), -1);
    assert_int_equal(err.code, GL_E_RATE_LIMIT);
    gl_error_clear(&err);
    assert_int_equal(
        bench.cloud->ops->find_by_request(bench.cloud, NULL, bench.token, &again, &err), 0);
    assert_int_equal(look(&bench, made.id).state, GL_STATE_RUNNING);
    made = must_launch(&bench, "one");
    assert_int_equal(bench.cloud->ops->move(bench.cloud, made.id, "two", &err), -1);
    assert_int_equal(err.code, GL_E_RATE_LIMIT);
    assert_string_equal(look(&bench, made.id).region, "one");
    sleep_h(&bench, 1);
    gl_error_clear(&err);
    assert_int_equal(bench.cloud->ops->move(bench.cloud, made.id, "two", &err), 0);
    close_bench(&bench);
}

static void test_capacity(void **state)
{
    struct bench bench;
    struct gl_instance made, again;
    struct gl_error err = {0};

    (void)state;
    open_bench(&bench, 3, 0);
    made = must_launch(&bench, "small");
    must_launch(&bench, "small");
    assert_int_equal(launch(&bench, "small", &again, &err), -1);
    assert_int_equal(err.code, GL_E_RATE_LIMIT);
    gl_error_clear(&err);
    assert_int_equal(bench.cloud->ops->terminate(bench.cloud, made.id, &err), 0);
    must_launch(&bench, "small");
    assert_int_equal(launch(&bench, "one", &again, &err), -1); /* the memory is full */
    assert_int_equal(err.code, GL_E_LAUNCH);
    close_bench(&bench);
}

static void test_unreachable_runs_on(void **state)
{
    struct bench bench;
    struct gl_instance made, seen;
    struct gl_error err = {0};

    (void)state;
    open_bench(&bench, 0, 0);
    made = must_launch(&bench, "one");
    schedule(&bench, GL_SIM_UNREACHABLE, "one", 1, 2);
    sleep_h(&bench, 1.5);
    assert_int_equal(bench.cloud->ops->describe(bench.cloud, made.id, &seen, &err), -1);
    assert_int_equal(err.code, GL_E_NETWORK);
    gl_error_clear(&err);
    /* absence is not proven while a place does not answer */
    assert_int_equal(bench.cloud->ops->find_by_request(bench.cloud, NULL, "0", &seen, &err), -1);
    gl_error_clear(&err);
    assert_int_equal(bench.cloud->ops->stop(bench.cloud, made.id, (struct gl_span){1}, &err), -1);
    sleep_h(&bench, 1);
    assert_int_equal(look(&bench, made.id).state, GL_STATE_RUNNING);
    expect_console(&bench, made.id, "run@one ");
    close_bench(&bench);
}

static void test_place_is_gone(void **state)
{
    struct bench bench;
    struct gl_instance made, moved, again;
    struct gl_error err = {0};

    (void)state;
    open_bench(&bench, 0, 0);
    made = must_launch(&bench, "one");
    moved = must_launch(&bench, "one");
    schedule(&bench, GL_SIM_GONE, "one", 2, 100);
    sleep_h(&bench, 1);
    assert_int_equal(bench.cloud->ops->move(bench.cloud, moved.id, "two", &err), 0);
    sleep_h(&bench, 1.5);
    assert_int_equal(look(&bench, made.id).state, GL_STATE_LOST);
    assert_int_equal(look(&bench, moved.id).state, GL_STATE_RUNNING);
    assert_int_equal(gl_sim_count(bench.sim, true), 1);
    assert_int_equal(gl_sim_count(bench.sim, false), 2);
    assert_int_equal(launch(&bench, "one", &again, &err), -1);
    assert_int_equal(err.code, GL_E_LAUNCH);
    expect_console(&bench, made.id, "run@one "); /* without a goodbye */
    close_bench(&bench);
}

static void test_spot_notice(void **state)
{
    struct bench bench;
    struct gl_instance made, moved;
    struct gl_error err = {0};
    int64_t lease_s;

    (void)state;
    open_bench(&bench, 0, 0);
    made = must_launch(&bench, "one");
    moved = must_launch(&bench, "one");
    lease_s = made.expires.unix_s;
    schedule(&bench, GL_SIM_SPOT, "one", 1, 2);
    assert_int_equal(look(&bench, made.id).expires.unix_s, lease_s);
    sleep_h(&bench, 1);
    assert_int_equal(look(&bench, made.id).expires.unix_s, START_MS / 1000 + 2 * 3600);
    assert_int_equal(bench.cloud->ops->move(bench.cloud, moved.id, "two", &err), 0);
    assert_int_equal(look(&bench, moved.id).expires.unix_s, lease_s);
    sleep_h(&bench, 1);
    assert_int_equal(look(&bench, made.id).state, GL_STATE_ENDED);
    assert_int_equal(look(&bench, moved.id).state, GL_STATE_RUNNING);
    expect_console(&bench, made.id, "run@one end");
    made = must_launch(&bench, "one"); /* after it was all over: no concern of this one */
    sleep_h(&bench, 1);
    assert_int_equal(look(&bench, made.id).state, GL_STATE_RUNNING);
    close_bench(&bench);
}

/* The caller does not wait: the stretch that it stands still is told afterwards. */
static void test_slow_move(void **state)
{
    struct bench bench;
    struct gl_instance made;
    struct gl_error err = {0};
    struct gl_instance_span *spans;
    size_t count;

    (void)state;
    open_bench(&bench, 0, 60000);
    made = must_launch(&bench, "one");
    schedule(&bench, GL_SIM_SLOW, "two", 0, 5);
    sleep_h(&bench, 1);
    assert_int_equal(bench.cloud->ops->move(bench.cloud, made.id, "two", &err), 0);
    assert_int_equal(bench.world->now_ms(bench.world->cookie), START_MS + HOUR_MS);
    expect_console(&bench, made.id, "run@one still@two ");
    sleep_h(&bench, 2);
    expect_console(&bench, made.id, "run@one still@two run@two ");
    assert_int_equal(bench.cloud->ops->spans(bench.cloud, made.id, &spans, &count, &err), 0);
    assert_int_equal(count, 3);
    assert_int_equal(spans[1].until_ms - spans[1].from_ms, HOUR_MS + 60000);
    free(spans);
    /* suspended in the middle of a move: it does not go on by itself */
    assert_int_equal(bench.cloud->ops->move(bench.cloud, made.id, "one", &err), 0);
    assert_int_equal(bench.cloud->ops->suspend(bench.cloud, made.id, &err), 0);
    sleep_h(&bench, 3);
    assert_int_equal(look(&bench, made.id).state, GL_STATE_SUSPENDED);
    expect_console(&bench, made.id, "run@one still@two run@two still@one ");
    close_bench(&bench);
}

static void test_moves_run_out(void **state)
{
    struct bench bench;
    struct gl_instance made;
    struct gl_error err = {0};
    unsigned moves = 0;

    (void)state;
    open_bench(&bench, 0, 0);
    made = must_launch(&bench, "one");
    while (bench.cloud->ops->move(bench.cloud, made.id, moves % 2 == 0 ? "two" : "one", &err) == 0)
        moves++;
    assert_int_equal(err.code, GL_E_LAUNCH);
    assert_in_range(moves, 60, GL_SIM_SPANS_MAX);
    assert_int_equal(look(&bench, made.id).state, GL_STATE_RUNNING);
    close_bench(&bench);
}

/* A launcher that is killed while it holds the lock leaves an instance and no lock behind. */
static void test_killed_launcher(void **state)
{
    struct bench bench;
    struct gl_instance made;
    struct gl_error err = {0};
    int status;
    pid_t pid;

    (void)state;
    open_bench(&bench, 0, 0);
    pid = fork();
    if (pid == 0) {
        if (launch(&bench, "one", &made, &err) == 0)
            kill(getpid(), SIGKILL);
        _exit(1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(gl_sim_count(bench.sim, true), 1);
    snprintf(bench.token, sizeof bench.token, "%064x", 1);
    assert_int_equal(bench.cloud->ops->find_by_request(bench.cloud, NULL, bench.token, &made, &err),
                     1);
    close_bench(&bench);
}

/* A clock that lets others go first. */
static int64_t slow_now_ms(void *cookie)
{
    (void)cookie;
    usleep(20);
    return START_MS;
}

/* Four processes launch at the same time: nothing is overwritten. */
static void test_launchers_at_once(void **state)
{
    struct bench bench;
    pid_t pids[4];
    int status, gate[2];
    char byte;

    (void)state;
    open_bench(&bench, 2000, 0);
    bench.world->now_ms = slow_now_ms;
    assert_int_equal(pipe(gate), 0);
    for (unsigned p = 0; p < 4; p++) {
        pids[p] = fork();
        if (pids[p] != 0)
            continue;
        bench.launched = p * 100;
        close(gate[1]);
        if (read(gate[0], &byte, 1) != 0) /* all of them begin when the parent has closed it */
            _exit(2);
        for (int i = 0; i < 100; i++) {
            struct gl_instance made;
            struct gl_error err = {0};

            if (launch(&bench, "one", &made, &err) != 0 || strcmp(made.token, bench.token) != 0)
                _exit(1);
        }
        _exit(0);
    }
    close(gate[0]);
    close(gate[1]);
    for (unsigned p = 0; p < 4; p++) {
        assert_int_equal(waitpid(pids[p], &status, 0), pids[p]);
        assert_int_equal(status, 0);
    }
    assert_int_equal(gl_sim_count(bench.sim, true), 400);
    close_bench(&bench);
}

static void test_thousands(void **state)
{
    struct bench bench;
    struct gl_instance *items, made;
    struct gl_error err = {0};
    size_t count;

    (void)state;
    open_bench(&bench, 5000, 0);
    for (unsigned i = 0; i < 5000; i++)
        made = must_launch(&bench, i % 2 == 0 ? "one" : "two");
    assert_string_equal(made.id, "sim-5000");
    assert_int_equal(bench.cloud->ops->list(bench.cloud, &items, &count, &err), 0);
    assert_int_equal(count, 5000);
    assert_string_equal(items[4998].region, "one");
    free(items);
    close_bench(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_are_checked),
        cmocka_unit_test(test_lease_ends),
        cmocka_unit_test(test_no_stock),
        cmocka_unit_test(test_capacity),
        cmocka_unit_test(test_unreachable_runs_on),
        cmocka_unit_test(test_place_is_gone),
        cmocka_unit_test(test_spot_notice),
        cmocka_unit_test(test_slow_move),
        cmocka_unit_test(test_moves_run_out),
        cmocka_unit_test(test_killed_launcher),
        cmocka_unit_test(test_launchers_at_once),
        cmocka_unit_test(test_thousands),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
