/* SPDX-License-Identifier: Apache-2.0 */
/* What providers/cloud/cloud.h says of suspend, resume, move and spans, said in code: every cloud
 * that can do them runs through all of it. Then what only the local cloud can show: readings
 * without a hole, output without a loss. */
#include "tests/conformance/cloud_bench.h"
#include "tests/conformance/cloud_memory.h"
#include "tests/conformance/cloud_readings.h"

#include "base/file.h"
#include "providers/cloud/sim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
    const char *name;
    bool is_local, wants_process, is_sim;
};

static const struct fixture fixtures[] = {
    {.name = "memory"},
    {.name = "local-process", .is_local = true, .wants_process = true},
    {.name = "local-vm", .is_local = true},
    {.name = "sim", .is_sim = true},
};

static const struct fixture *fixture;
static struct gl_bench bench;
static struct gl_memory_store *store;
static struct gl_sim *sim;
static const char *missing;
static struct gl_cloud_place places[] = {{.name = "here", .zone = "DE"},
                                         {.name = "there", .zone = "FR"}};

static void open_sim(void)
{
    static const struct gl_sim_place sim_places[] = {{.name = "sim-here"}, {.name = "sim-there"}};
    const struct gl_sim_options options = {
        .world = &bench.world, .places = sim_places, .place_count = 2};
    struct gl_error err = {0};

    sim = gl_sim_new(&options, &err);
    if (sim == NULL)
        fail_msg("%s", err.text);
    gl_cloud_close(bench.cloud);
    bench.cloud = gl_sim_open(sim);
}

static int open_fixture(void **state)
{
    (void)state;
    gl_bench_open(&bench, fixture->name, fixture->wants_process);
    gl_bench_set_places(&bench, places, 2);
    if (fixture->is_sim) {
        open_sim();
    } else if (!fixture->is_local) {
        store = gl_memory_store_new();
        gl_cloud_close(bench.cloud);
        bench.cloud = gl_memory_cloud_open(store, &bench.world);
    }
    missing = !fixture->is_local       ? NULL
              : fixture->wants_process ? gl_bench_no_process(&bench)
                                       : gl_bench_no_vm(&bench);
    return 0;
}

static int close_fixture(void **state)
{
    (void)state;
    gl_bench_close(&bench);
    if (store != NULL)
        gl_memory_store_free(store);
    gl_sim_free(sim);
    store = NULL;
    sim = NULL;
    return 0;
}

#define NEED()                                     \
    do {                                           \
        if (missing != NULL)                       \
            GL_BENCH_SKIP(fixture->name, missing); \
    } while (0)
/* Of an instance that cannot do it there is only to be told so. */
#define NEED_ABLE()                 \
    do {                            \
        NEED();                     \
        if (fixture->wants_process) \
            return;                 \
    } while (0)
#define NEED_VM()               \
    do {                        \
        NEED_ABLE();            \
        if (!fixture->is_local) \
            return;             \
    } while (0)

static const char *region(size_t i)
{
    const char *const *regions;
    struct gl_error err = {0};

    assert_int_equal(bench.cloud->ops->regions(bench.cloud, &regions, &err), 0);
    for (size_t j = 0; j <= i; j++)
        assert_non_null(regions[j]);
    return regions[i];
}

static struct gl_instance start(struct gl_bench_names *names, const char *const *command)
{
    struct gl_launch launch = gl_bench_launch(&bench, names, command);
    const char *const *types;
    struct gl_instance instance;
    struct gl_error err = {0};

    assert_int_equal(bench.cloud->ops->types(bench.cloud, launch.region, &types, &err), 0);
    launch.type = types[0];
    if (bench.cloud->ops->launch(bench.cloud, &launch, &instance, &err) < 0)
        fail_msg("launch: %s", err.text);
    return instance;
}

static struct gl_instance look(const char *id)
{
    struct gl_instance seen;
    struct gl_error err = {0};

    if (bench.cloud->ops->describe(bench.cloud, id, &seen, &err) < 0)
        fail_msg("describe: %s", err.text);
    return seen;
}

static void must(int got, const struct gl_error *err, const char *what)
{
    if (got < 0)
        fail_msg("%s: %s", what, err->text);
}

static void suspend(const char *id)
{
    struct gl_error err = {0};

    must(bench.cloud->ops->suspend(bench.cloud, id, &err), &err, "suspend");
}

static void resume(const char *id)
{
    struct gl_error err = {0};

    must(bench.cloud->ops->resume(bench.cloud, id, &err), &err, "resume");
}

static void move(const char *id, const char *to)
{
    struct gl_error err = {0};

    must(bench.cloud->ops->move(bench.cloud, id, to, &err), &err, "move");
}

static void terminate(const char *id)
{
    struct gl_error err = {0};

    must(bench.cloud->ops->terminate(bench.cloud, id, &err), &err, "terminate");
}

/* In order and without holes; the states of all of them, as in "run@here still@here run@there". */
static void expect_spans(const char *id, const char *expected)
{
    GL_AUTO(gl_auto_free) struct gl_instance_span *spans = NULL;
    GL_AUTO(gl_str_done) struct gl_str text = {0};
    struct gl_error err = {0};
    size_t count;

    must(bench.cloud->ops->spans(bench.cloud, id, &spans, &count, &err), &err, "spans");
    for (size_t i = 0; i < count; i++) {
        gl_str_addf(&text, "%s%s@%s", i > 0 ? " " : "", spans[i].is_running ? "run" : "still",
                    spans[i].region);
        assert_true(spans[i].from_ms <= spans[i].until_ms);
        if (i > 0)
            assert_true(spans[i].from_ms == spans[i - 1].until_ms);
    }
    assert_true(count > 0 && spans[count - 1].until_ms == INT64_MAX);
    assert_string_equal(gl_str_text(&text), expected);
}

static int64_t stood_still_ms(const char *id)
{
    GL_AUTO(gl_auto_free) struct gl_instance_span *spans = NULL;
    struct gl_error err = {0};
    int64_t sum_ms = 0;
    size_t count;

    must(bench.cloud->ops->spans(bench.cloud, id, &spans, &count, &err), &err, "spans");
    for (size_t i = 0; i < count; i++)
        sum_ms += spans[i].is_running ? 0 : spans[i].until_ms - spans[i].from_ms;
    return sum_ms;
}

/* ---- the contract ---- */

static void test_suspend_and_resume(void **state)
{
    struct gl_bench_names names;
    struct gl_instance made, seen;
    struct gl_cloud *other;
    struct gl_error err = {0};
    char expected[200];

    (void)state;
    NEED_ABLE();
    made = start(&names, NULL);
    assert_int_equal(made.caps, GL_CLOUD_SUSPENDS | GL_CLOUD_MOVES);
    suspend(made.id);
    suspend(made.id); /* fine twice */
    seen = look(made.id);
    assert_int_equal(seen.state, GL_STATE_SUSPENDED);
    assert_string_equal(seen.token, made.token);
    if (fixture->is_local) {
        assert_false(gl_bench_has_process(&bench, names.token)); /* no energy */
        other = gl_bench_reopen(&bench);
        must(other->ops->describe(other, made.id, &seen, &err), &err, "describe by another");
        assert_int_equal(seen.state, GL_STATE_SUSPENDED);
        gl_cloud_close(other);
    }
    assert_int_equal(bench.cloud->ops->find_by_request(bench.cloud, NULL, names.token, &seen, &err),
                     1);
    assert_int_equal(seen.state, GL_STATE_SUSPENDED);
    resume(made.id);
    resume(made.id);
    seen = look(made.id);
    assert_int_equal(seen.state, GL_STATE_RUNNING);
    assert_string_equal(seen.id, made.id);
    snprintf(expected, sizeof expected, "run@%s still@%s run@%s", region(0), region(0), region(0));
    expect_spans(made.id, expected);
    gl_bench_stop(&bench, made.id);
    assert_int_equal(look(made.id).state, GL_STATE_ENDED);
}

static void test_suspended_is_ended(void **state)
{
    struct gl_bench_names names;
    struct gl_instance made;

    (void)state;
    NEED_ABLE();
    made = start(&names, NULL);
    suspend(made.id);
    terminate(made.id);
    terminate(made.id);
    assert_int_equal(look(made.id).state, GL_STATE_ENDED);
    made = start(&names, NULL);
    suspend(made.id);
    gl_bench_stop(&bench, made.id);
    gl_bench_stop(&bench, made.id);
    assert_int_equal(look(made.id).state, GL_STATE_ENDED);
    if (fixture->is_local) { /* in order: with its last reading */
        GL_AUTO(gl_auto_free) char *console = gl_bench_console(&bench, made.id);

        assert_non_null(strstr(console, "\"final\":true"));
        assert_false(gl_bench_has_process(&bench, names.token));
    }
}

static void test_what_is_over_stays_over(void **state)
{
    struct gl_bench_names names;
    struct gl_instance made;

    (void)state;
    NEED_ABLE();
    made = start(&names, NULL);
    terminate(made.id);
    for (int i = 0; i < 3; i++) {
        const struct gl_cloud_ops *ops = bench.cloud->ops;
        struct gl_error err = {0};
        int got = i == 0   ? ops->suspend(bench.cloud, made.id, &err)
                  : i == 1 ? ops->resume(bench.cloud, made.id, &err)
                           : ops->move(bench.cloud, made.id, region(1), &err);

        assert_int_equal(got, -1);
        assert_int_equal(err.code, GL_E_GUEST);
        assert_int_equal(look(made.id).state, GL_STATE_ENDED);
    }
}

static void test_move(void **state)
{
    struct gl_bench_names names;
    struct gl_instance made, seen;
    struct gl_error err = {0};
    char expected[200];

    (void)state;
    NEED_ABLE();
    made = start(&names, NULL);
    assert_string_equal(made.region, region(0));
    for (unsigned i = 0; i < 2; i++)
        move(made.id, region(1));
    seen = look(made.id);
    assert_int_equal(seen.state, GL_STATE_RUNNING);
    assert_string_equal(seen.id, made.id);
    assert_string_equal(seen.token, made.token);
    assert_int_equal(bench.cloud->ops->find_by_request(bench.cloud, NULL, names.token, &seen, &err),
                     1);
    assert_string_equal(seen.region, region(1));
    assert_int_equal(bench.cloud->ops->move(bench.cloud, made.id, "no-such-place", &err), -1);
    assert_int_equal(err.code, GL_E_UNKNOWN_NAME);
    assert_int_equal(look(made.id).state, GL_STATE_RUNNING);
    if (fixture->is_local)
        snprintf(expected, sizeof expected, "run@here still@here run@there");
    else
        snprintf(expected, sizeof expected, "run@%s run@%s", region(0), region(1));
    expect_spans(made.id, expected);
    move(made.id, region(0));
    assert_string_equal(look(made.id).region, region(0));
    gl_bench_stop(&bench, made.id);
}

static void test_move_of_a_suspended_one(void **state)
{
    struct gl_bench_names names;
    struct gl_instance made, seen;

    (void)state;
    NEED_ABLE();
    made = start(&names, NULL);
    suspend(made.id);
    move(made.id, region(1));
    seen = look(made.id);
    assert_int_equal(seen.state, GL_STATE_SUSPENDED);
    assert_string_equal(seen.region, region(1));
    resume(made.id);
    seen = look(made.id);
    assert_int_equal(seen.state, GL_STATE_RUNNING);
    assert_string_equal(seen.region, region(1));
    gl_bench_stop(&bench, made.id);
}

static void test_unknown_instance(void **state)
{
    const struct gl_cloud_ops *ops = bench.cloud->ops;
    struct gl_instance_span *spans;
    struct gl_error err[4] = {{0}};
    size_t count;

    (void)state;
    NEED();
    assert_int_equal(ops->suspend(bench.cloud, "gl-neverheardof", &err[0]), -1);
    assert_int_equal(ops->resume(bench.cloud, "gl-neverheardof", &err[1]), -1);
    assert_int_equal(ops->move(bench.cloud, "gl-neverheardof", region(1), &err[2]), -1);
    assert_int_equal(ops->spans(bench.cloud, "gl-neverheardof", &spans, &count, &err[3]), -1);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(err[i].code, GL_E_NOT_FOUND);
}

/* What cannot be done says so beforehand, says why, and is not half done. */
static void test_one_that_cannot(void **state)
{
    struct gl_bench_names names;
    struct gl_instance made;
    struct gl_error err = {0};

    (void)state;
    NEED();
    if (!fixture->wants_process)
        return;
    made = start(&names, NULL);
    assert_int_equal(made.caps, 0);
    assert_int_equal(bench.cloud->ops->suspend(bench.cloud, made.id, &err), -1);
    assert_int_equal(err.code, GL_E_NO_LOCAL);
    assert_non_null(strstr(err.text, "not a virtual machine"));
    gl_error_clear(&err);
    assert_int_equal(bench.cloud->ops->move(bench.cloud, made.id, region(1), &err), -1);
    assert_int_equal(err.code, GL_E_NO_LOCAL);
    assert_int_equal(look(made.id).state, GL_STATE_RUNNING);
    assert_string_equal(look(made.id).region, region(0));
    expect_spans(made.id, "run@here");
    gl_bench_stop(&bench, made.id);
}

/* ---- the wall clock rules the lease ---- */

static int64_t late_ms; /* how far ahead of the truth the cloud's clock is */

static int64_t late_now(void *cookie)
{
    struct timespec now;

    (void)cookie;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 + late_ms;
}

static void test_lease_ends_while_suspended(void **state)
{
    struct gl_bench_names names;
    struct gl_instance made;
    struct gl_error err = {0};

    (void)state;
    NEED_ABLE();
    bench.world.now_ms = late_now;
    made = start(&names, NULL);
    suspend(made.id);
    late_ms = 3600000;
    assert_int_equal(bench.cloud->ops->resume(bench.cloud, made.id, &err), -1);
    assert_int_equal(err.code, GL_E_TIMEOUT);
    assert_int_equal(look(made.id).state, GL_STATE_SUSPENDED);
    gl_bench_stop(&bench, made.id);
    assert_int_equal(look(made.id).state, GL_STATE_ENDED);
    late_ms = 0;
}

/* ---- the local cloud: nothing is lost and nothing is doubled ---- */

/* A guest that went on would end by its own clock only; the lease of its host ends it. */
static void test_lease_is_not_prolonged(void **state)
{
    struct gl_bench_names names;
    struct gl_launch launch;
    struct gl_instance made;
    struct gl_error err = {0};
    GL_AUTO(gl_auto_free) char *console = NULL;
    int64_t since_ms;

    (void)state;
    NEED_VM();
    bench.world.now_ms = late_now;
    launch = gl_bench_launch(&bench, &names, NULL);
    since_ms = late_now(NULL);
    must(bench.cloud->ops->launch(bench.cloud, &launch, &made, &err), &err, "launch");
    suspend(made.id);
    late_ms = 595000 - (late_now(NULL) - since_ms); /* of 600 s */
    resume(made.id);
    for (int i = 0; i < 300 && look(made.id).state != GL_STATE_ENDED; i++)
        usleep(100000);
    late_ms = 0;
    assert_int_equal(look(made.id).state, GL_STATE_ENDED);
    console = gl_bench_console(&bench, made.id);
    assert_non_null(strstr(console, "the lease has ended"));
    assert_non_null(strstr(console, "\"final\":true"));
}

static void test_readings_go_on(void **state)
{
    struct gl_bench_names names;
    struct gl_instance made;
    struct gl_readings readings;
    GL_AUTO(gl_auto_free) char *console = NULL;

    (void)state;
    NEED_VM();
    made = start(&names, NULL);
    sleep(2);
    suspend(made.id);
    sleep(3);
    resume(made.id);
    sleep(2);
    move(made.id, "there");
    sleep(2);
    move(made.id, "here");
    sleep(1);
    gl_bench_stop(&bench, made.id);
    console = gl_bench_console(&bench, made.id);
    gl_readings_of(console, &names, &readings);
    assert_true(readings.count >= 6);
    assert_int_equal(readings.refused, 0);
    assert_true(readings.is_final);
    assert_int_equal(readings.gap_ms, 0);
    assert_true(readings.jumps >= 1 && readings.jumps <= 3); /* a move is seldom noticed */
    /* what the wall clock is ahead of the boot clock is what the cloud says that it stood still */
    assert_in_range(readings.wall_ms - readings.boot_ms - stood_still_ms(made.id) + 1000, 0, 2000);
    assert_true(readings.is_whole);
    expect_spans(made.id, "run@here still@here run@here still@here run@there still@there run@here");
}

/* Every line of a command that never stops to write, to one who is attached all the time, and with
 * what it is given to read. */
static void test_output_goes_on(void **state)
{
    static const char *const command[] = {
        "sh", "-c",
        "i=0; while [ $i -lt 4000 ]; do echo line $i of a long story; i=$((i+1)); "
        "[ $((i % 50)) -ne 0 ] || sleep 0.1; done; wc -c; exit 5",
        NULL};
    struct gl_bench_names names;
    struct gl_bench_run run = {.status = -1};
    struct gl_error err = {0};
    struct gl_str expected = {0};
    pid_t pid;
    int status;

    (void)state;
    NEED_VM();
    run.instance = start(&names, command);
    pid = fork();
    if (pid == 0) {
        usleep(700000);
        suspend(run.instance.id);
        usleep(700000);
        resume(run.instance.id);
        usleep(700000);
        move(run.instance.id, "there");
        usleep(500000);
        move(run.instance.id, "here");
        _exit(0);
    }
    run.input = "0123456789";
    if (gl_bench_attach(&bench, &run, &err) < 0)
        fail_msg("attach: %s", err.text);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_int_equal(run.status, 5);
    for (int i = 0; i < 4000; i++)
        gl_str_addf(&expected, "line %d of a long story\n", i);
    gl_str_add(&expected, "10\n");
    assert_int_equal(run.out.length, expected.length);
    assert_string_equal(gl_str_text(&run.out), gl_str_text(&expected));
    assert_string_equal(gl_str_text(&run.err_text), "");
    gl_bench_stop(&bench, run.instance.id);
    gl_bench_run_done(&run);
    gl_str_done(&expected);
}

/* Attached to one that is suspended, and somebody ends it: what became of its command is told. */
static void test_stopped_while_suspended_and_attached(void **state)
{
    static const char *const command[] = {"sleep", "300", NULL};
    struct gl_bench_names names;
    struct gl_bench_run run = {.status = -1};
    struct gl_error err = {0};
    pid_t pid;
    int status;

    (void)state;
    NEED_VM();
    run.instance = start(&names, command);
    suspend(run.instance.id);
    pid = fork();
    if (pid == 0)
        _exit(gl_bench_attach(&bench, &run, &err) == 0 ? run.status : 1);
    usleep(2000000); /* until it is attached, on a busy machine too */
    gl_bench_stop(&bench, run.instance.id);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(WEXITSTATUS(status), 128 + 15);
    assert_true(look(run.instance.id).has_exit);
}

static void test_nothing_is_left(void **state)
{
    (void)state;
    assert_int_equal(gl_bench_left(&bench), 0);
}

static int run_suite(const struct fixture *which)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_suspend_and_resume),
        cmocka_unit_test(test_suspended_is_ended),
        cmocka_unit_test(test_what_is_over_stays_over),
        cmocka_unit_test(test_move),
        cmocka_unit_test(test_move_of_a_suspended_one),
        cmocka_unit_test(test_unknown_instance),
        cmocka_unit_test(test_one_that_cannot),
        cmocka_unit_test(test_lease_ends_while_suspended),
        cmocka_unit_test(test_lease_is_not_prolonged),
        cmocka_unit_test(test_readings_go_on),
        cmocka_unit_test(test_output_goes_on),
        cmocka_unit_test(test_stopped_while_suspended_and_attached),
        cmocka_unit_test(test_nothing_is_left),
    };

    fixture = which;
    return cmocka_run_group_tests_name(which->name, tests, open_fixture, close_fixture);
}

/* All of them, or those named. */
int main(int argc, char **argv)
{
    int failed = 0;

    for (size_t i = 0; i < sizeof fixtures / sizeof *fixtures; i++) {
        bool is_wanted = argc < 2;

        for (int j = 1; j < argc; j++)
            is_wanted |= strcmp(argv[j], fixtures[i].name) == 0;
        failed += is_wanted ? run_suite(&fixtures[i]) : 0;
    }
    return failed;
}
