/* SPDX-License-Identifier: Apache-2.0 */
/* What providers/cloud/cloud.h says, said in code: every cloud runs through all of it. */
#include "tests/conformance/cloud_azure_bench.h"
#include "tests/conformance/cloud_bench.h"
#include "tests/conformance/cloud_fake_kubernetes.h"
#include "tests/conformance/cloud_fake_vps.h"
#include "tests/conformance/cloud_memory.h"
#include "tests/conformance/cloud_remote.h"

#include "providers/cloud/identity.h"
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

#define NO_TOKEN "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"

/* One cloud under test. */
struct fixture {
    const char *name;  /* of this run of the suite */
    const char *cloud; /* in the registry; NULL = the reference cloud in memory, or sim */
    bool is_sim;
    bool wants_process;
    const struct gl_remote_fixture *remote; /* its counterpart */
};

static const struct fixture fixtures[] = {
    {.name = "memory"},
    {.name = "local-process", .cloud = "local", .wants_process = true},
    {.name = "local-vm", .cloud = "local"},
    {.name = "sim", .is_sim = true},
    {.name = "aws", .cloud = "aws", .remote = &gl_remote_fixture_aws},
    {.name = "gcp", .cloud = "gcp", .remote = &gl_remote_fixture_gcp},
    {.name = "openstack", .cloud = "openstack", .remote = &gl_remote_fixture_openstack},
    {.name = "azure", .cloud = "azure", .remote = &gl_remote_fixture_azure},
    {.name = "hetzner", .cloud = "hetzner", .remote = &gl_remote_fixture_hetzner},
    {.name = "digitalocean", .cloud = "digitalocean", .remote = &gl_remote_fixture_digitalocean},
    {.name = "scaleway", .cloud = "scaleway", .remote = &gl_remote_fixture_scaleway},
    {.name = "kubernetes", .cloud = "kubernetes", .remote = &gl_remote_fixture_kubernetes},
};

static const struct fixture *fixture;
static struct gl_bench bench;         /* its cloud is the one under test */
static struct gl_memory_store *store; /* of the memory cloud */
static struct gl_sim *sim;            /* of the simulated cloud */
static void *counterpart;             /* of a remote cloud */
static const char *missing;           /* why this cloud cannot be tested here */

static bool is_local(void)
{
    return fixture->cloud != NULL && strcmp(fixture->cloud, "local") == 0;
}

/* As another process would open it. */
static struct gl_cloud *open_again(void)
{
    struct gl_cloud_options options = {.world = &bench.world,
                                       .state_folder = bench.folder,
                                       .zone = "GB",
                                       .wants_process = fixture->wants_process};
    struct gl_error err = {0};
    struct gl_cloud *cloud;

    if (counterpart != NULL)
        gl_remote_fixture_set(fixture->remote, counterpart, &bench.world, &options);
    cloud = sim != NULL     ? gl_sim_open(sim)
            : store != NULL ? gl_memory_cloud_open(store, &bench.world)
                            : gl_cloud_open(fixture->cloud, &options, &err);
    if (cloud == NULL)
        fail_msg("open: %s", err.text);
    return cloud;
}

/* Why it cannot be tested here; NULL when it can. */
static const char *find_missing(void)
{
    static char why[256];
    struct gl_error err = {0};
    char who[128];

    if (is_local())
        return fixture->wants_process ? gl_bench_no_process(&bench) : gl_bench_no_vm(&bench);
    if (bench.cloud->ops->whoami(bench.cloud, who, &err) == 0)
        return NULL;
    snprintf(why, sizeof why, "%.200s", err.text);
    return why;
}

static struct gl_sim *open_sim(void)
{
    static const struct gl_sim_place places[] = {
        {.name = "here", .price_u_usd_per_h = 10000},
        {.name = "there", .price_u_usd_per_h = GL_UNKNOWN}};
    const struct gl_sim_options options = {
        .world = &bench.world, .places = places, .place_count = 2};
    struct gl_error err = {0};
    struct gl_sim *made = gl_sim_new(&options, &err);

    if (made == NULL)
        fail_msg("%s", err.text);
    return made;
}

static int open_fixture(void **state)
{
    (void)state;
    gl_bench_open(&bench, fixture->name, fixture->wants_process);
    gl_cloud_close(bench.cloud);
    if (fixture->is_sim)
        sim = open_sim();
    else if (fixture->remote != NULL)
        counterpart = fixture->remote->start();
    else if (fixture->cloud == NULL)
        store = gl_memory_store_new();
    bench.cloud = open_again();
    missing = find_missing();
    return 0;
}

static int close_fixture(void **state)
{
    (void)state;
    gl_bench_close(&bench);
    if (store != NULL)
        gl_memory_store_free(store);
    gl_sim_free(sim);
    if (counterpart != NULL)
        gl_remote_fixture_end(fixture->remote, counterpart, &bench.world);
    store = NULL;
    sim = NULL;
    counterpart = NULL;
    return 0;
}

#define NEED()                                     \
    do {                                           \
        if (missing != NULL)                       \
            GL_BENCH_SKIP(fixture->name, missing); \
    } while (0)

/* The names that a launch on this cloud uses. */
static struct gl_launch plain_launch(struct gl_bench_names *names)
{
    struct gl_launch launch = gl_bench_launch(&bench, names, NULL);
    const char *const *types;
    struct gl_error err = {0};

    assert_int_equal(bench.cloud->ops->types(bench.cloud, launch.region, &types, &err), 0);
    launch.type = types[0];
    return launch;
}

static struct gl_instance start(const struct gl_launch *launch)
{
    struct gl_instance instance;
    struct gl_error err = {0};

    if (bench.cloud->ops->launch(bench.cloud, launch, &instance, &err) < 0)
        fail_msg("launch: %s", err.text);
    return instance;
}

static size_t running(void)
{
    struct gl_instance *items;
    struct gl_error err = {0};
    size_t count, alive = 0;

    if (bench.cloud->ops->list(bench.cloud, &items, &count, &err) < 0)
        fail_msg("list: %s", err.text);
    for (size_t i = 0; i < count; i++)
        alive += items[i].state != GL_STATE_ENDED;
    free(items);
    return alive;
}

/* ---- what there is ---- */

static void test_operations_are_there(void **state)
{
    const struct gl_cloud_ops *ops = bench.cloud->ops;
    enum gl_identity_kind kind;

    (void)state;
    assert_true(ops->name && ops->title);
    assert_true(ops->whoami && ops->regions && ops->types && ops->price && ops->launch);
    assert_true(ops->describe && ops->find_by_request && ops->list && ops->stop);
    assert_true(ops->terminate && ops->console && ops->classify && ops->close);
    assert_int_equal((ops->caps & GL_CLOUD_RUNS_COMMANDS) != 0, ops->attach != NULL);
    assert_int_equal((ops->caps & GL_CLOUD_SUSPENDS) != 0, ops->suspend && ops->resume);
    assert_int_equal((ops->caps & GL_CLOUD_MOVES) != 0, ops->move != NULL);
    assert_int_equal((ops->caps & GL_CLOUD_IDENTITY) != 0, gl_identity_kind_of(ops->name, &kind));
    assert_true((ops->caps & GL_CLOUD_IDENTITY) != 0 || ops->identity == NULL);
    assert_int_equal(ops->classify(0, NULL), GL_OK);
    assert_int_not_equal(ops->classify(1, "nonsense"), GL_OK);
}

static void test_places_and_prices(void **state)
{
    const struct gl_cloud_ops *ops = bench.cloud->ops;
    const char *const *regions, *const *types;
    struct gl_error err = {0};
    char who[128] = "";

    (void)state;
    NEED();
    assert_int_equal(ops->whoami(bench.cloud, who, &err), 0);
    assert_int_not_equal(who[0], '\0');
    assert_int_equal(ops->regions(bench.cloud, &regions, &err), 0);
    assert_non_null(regions[0]);
    for (size_t i = 0; regions[i] != NULL; i++) {
        assert_int_equal(ops->types(bench.cloud, regions[i], &types, &err), 0);
        assert_non_null(types[0]);
        for (size_t j = 0; types[j] != NULL; j++) {
            int64_t price = -7;

            assert_int_equal(ops->price(bench.cloud, regions[i], types[j], &price, &err), 0);
            assert_true(price >= 0 || price == GL_UNKNOWN);
            if ((ops->caps & GL_CLOUD_FREE) != 0)
                assert_int_equal(price, 0);
        }
    }
}

static void test_unknown_names(void **state)
{
    struct gl_bench_names names;
    struct gl_launch launch;
    struct gl_instance instance;
    const char *const *types;
    struct gl_error err = {0};
    int64_t price;

    (void)state;
    NEED();
    assert_int_equal(bench.cloud->ops->types(bench.cloud, "no-such-place", &types, &err), -1);
    assert_int_equal(err.code, GL_E_UNKNOWN_NAME);
    launch = plain_launch(&names);
    gl_error_clear(&err);
    assert_int_equal(bench.cloud->ops->price(bench.cloud, launch.region, "vast", &price, &err), -1);
    assert_int_equal(err.code, GL_E_UNKNOWN_NAME);
    launch.region = "no-such-place";
    gl_error_clear(&err);
    assert_int_equal(bench.cloud->ops->launch(bench.cloud, &launch, &instance, &err), -1);
    assert_int_equal(err.code, GL_E_UNKNOWN_NAME);
    launch = plain_launch(&names);
    launch.type = "vast";
    gl_error_clear(&err);
    assert_int_equal(bench.cloud->ops->launch(bench.cloud, &launch, &instance, &err), -1);
    assert_int_equal(err.code, GL_E_UNKNOWN_NAME);
    gl_error_clear(&err);
    assert_int_equal(
        bench.cloud->ops->find_by_request(bench.cloud, NULL, names.token, &instance, &err), 0);
    assert_int_equal(running(), 0);
}

static void test_unknown_instance(void **state)
{
    static const char *const ids[] = {"gl-neverheardof", "i-0123456789", "", "../../etc/passwd"};
    const struct gl_cloud_ops *ops = bench.cloud->ops;
    struct gl_instance instance;

    (void)state;
    NEED();
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        struct gl_error err[4] = {{0}};
        struct gl_str text = {0};
        uint64_t next;

        assert_int_equal(ops->describe(bench.cloud, ids[i], &instance, &err[0]), -1);
        assert_int_equal(ops->stop(bench.cloud, ids[i], (struct gl_span){1}, &err[1]), -1);
        assert_int_equal(ops->terminate(bench.cloud, ids[i], &err[2]), -1);
        assert_int_equal(ops->console(bench.cloud, ids[i], 0, &text, &next, &err[3]), -1);
        for (size_t j = 0; j < 4; j++)
            assert_int_equal(err[j].code, GL_E_NOT_FOUND);
        gl_str_done(&text);
    }
}

/* ---- one life ---- */

static void check_same(const struct gl_instance *seen, const struct gl_launch *launch)
{
    assert_string_equal(seen->launch_id, launch->launch_id);
    assert_string_equal(seen->token, launch->token);
    assert_string_equal(seen->region, launch->region);
    assert_string_equal(seen->type, launch->type);
    assert_int_equal(seen->attempt, launch->attempt);
    assert_int_equal(seen->expires.unix_s, launch->expires.unix_s);
    assert_true(seen->started.unix_s > 1600000000);
    assert_true(seen->id[0] != '\0' && seen->how[0] != '\0');
}

/* It has ended; a remote cloud may have forgotten it by then. False when it has. */
static bool check_over(struct gl_cloud *cloud, const char *id, const struct gl_launch *launch)
{
    struct gl_instance seen;
    struct gl_error err = {0};

    if (cloud->ops->describe(cloud, id, &seen, &err) < 0) {
        assert_int_equal(err.code, GL_E_NOT_FOUND);
        assert_int_not_equal(cloud->ops->caps & GL_CLOUD_REMOTE, 0);
        return false;
    }
    check_same(&seen, launch);
    /* Where the console goes with the machine, stop() only powers off: the broker reads, then frees
     * it (broker/finish.c). */
    if (seen.state == GL_STATE_HALTED) {
        assert_int_not_equal(cloud->ops->caps & GL_CLOUD_HALTS, 0);
        assert_int_equal(cloud->ops->terminate(cloud, id, &err), 0);
        return false;
    }
    assert_int_equal(seen.state, GL_STATE_ENDED);
    return true;
}

static void test_one_life(void **state)
{
    const struct gl_cloud_ops *ops = bench.cloud->ops;
    struct gl_bench_names names;
    struct gl_launch launch;
    struct gl_instance made, seen;
    struct gl_error err = {0};
    bool is_shown;
    char *console;

    (void)state;
    NEED();
    launch = plain_launch(&names);
    assert_int_equal(ops->find_by_request(bench.cloud, NULL, names.token, &seen, &err), 0);
    made = start(&launch);
    check_same(&made, &launch);
    assert_int_equal(ops->describe(bench.cloud, made.id, &seen, &err), 0);
    check_same(&seen, &launch);
    assert_true(seen.state == GL_STATE_RUNNING || seen.state == GL_STATE_LAUNCHING);
    assert_int_equal(ops->find_by_request(bench.cloud, NULL, names.token, &seen, &err), 1);
    assert_string_equal(seen.id, made.id);
    assert_int_equal(running(), 1);
    assert_int_equal(ops->stop(bench.cloud, made.id, (struct gl_span){15}, &err), 0);
    assert_int_equal(ops->stop(bench.cloud, made.id, (struct gl_span){15}, &err), 0);
    assert_int_equal(ops->terminate(bench.cloud, made.id, &err), 0);
    assert_int_equal(ops->terminate(bench.cloud, made.id, &err), 0);
    is_shown = check_over(bench.cloud, made.id, &launch);
    assert_int_equal(ops->find_by_request(bench.cloud, NULL, names.token, &seen, &err), is_shown);
    assert_int_equal(running(), 0);
    if (!is_shown)
        return;
    console = gl_bench_console(&bench, made.id); /* still there after the end */
    if (is_local()) {
        assert_non_null(strstr(console, "GLE1 "));
        assert_non_null(strstr(console, "\"final\":true"));
    }
    free(console);
}

static void test_terminated_at_once(void **state)
{
    struct gl_bench_names names;
    struct gl_launch launch;
    struct gl_instance made;
    struct gl_error err = {0};

    (void)state;
    NEED();
    launch = plain_launch(&names);
    made = start(&launch);
    assert_int_equal(bench.cloud->ops->terminate(bench.cloud, made.id, &err), 0);
    check_over(bench.cloud, made.id, &launch);
    assert_int_equal(running(), 0);
}

/* ---- the token ---- */

static void test_same_token_same_instance(void **state)
{
    struct gl_cloud *other;
    struct gl_bench_names names, names_2;
    struct gl_launch launch, launch_2;
    struct gl_instance first, second, third;
    struct gl_error err = {0};

    (void)state;
    NEED();
    launch = plain_launch(&names);
    first = start(&launch);
    other = open_again();
    assert_int_equal(other->ops->launch(other, &launch, &second, &err), 0);
    gl_cloud_close(other);
    assert_string_equal(first.id, second.id);
    assert_int_equal(running(), 1);
    /* A second attempt of the same launch has another token and is another instance. */
    launch_2 = plain_launch(&names_2);
    launch_2.launch_id = launch.launch_id;
    launch_2.attempt = 2;
    third = start(&launch_2);
    assert_string_not_equal(third.id, first.id);
    assert_string_equal(third.launch_id, first.launch_id);
    assert_int_equal(running(), 2);
    assert_int_equal(bench.cloud->ops->terminate(bench.cloud, first.id, &err), 0);
    assert_int_equal(bench.cloud->ops->terminate(bench.cloud, third.id, &err), 0);
    /* An ended instance is still what its token stands for, while it is shown. */
    if (!check_over(bench.cloud, first.id, &launch))
        return;
    assert_int_equal(bench.cloud->ops->launch(bench.cloud, &launch, &second, &err), 0);
    assert_string_equal(first.id, second.id);
    assert_int_equal(running(), 0);
}

/* Two launchers at the same moment with one token: each gets the one instance. */
static void test_same_token_at_once(void **state)
{
    struct gl_bench_names names;
    struct gl_launch launch;
    struct gl_instance seen;
    struct gl_error err = {0};
    pid_t pids[2];
    int status;

    (void)state;
    NEED();
    if (store != NULL) /* memory without locks: nothing to learn from it */
        return;
    launch = plain_launch(&names);
    for (size_t i = 0; i < 2; i++) {
        pids[i] = fork();
        if (pids[i] == 0) {
            struct gl_cloud *cloud = open_again();

            _exit(cloud->ops->launch(cloud, &launch, &seen, &err) < 0);
        }
    }
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        assert_int_equal(status, 0);
    }
    assert_int_equal(running(), 1);
    assert_int_equal(bench.cloud->ops->find_by_request(bench.cloud, NULL, names.token, &seen, &err),
                     1);
    assert_int_equal(bench.cloud->ops->terminate(bench.cloud, seen.id, &err), 0);
}

/* The launcher is gone the moment after; another process finds the instance and ends it in order.
 */
static void test_adopted_after_a_crash(void **state)
{
    struct gl_bench_names names;
    struct gl_launch launch;
    struct gl_instance seen;
    struct gl_cloud *other;
    struct gl_error err = {0};
    pid_t pid;
    int status;

    (void)state;
    NEED();
    launch = plain_launch(&names);
    pid = fork();
    if (pid == 0) {
        if (bench.cloud->ops->launch(bench.cloud, &launch, &seen, &err) < 0)
            _exit(1);
        kill(getpid(), SIGKILL);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    other = open_again();
    assert_int_equal(other->ops->find_by_request(other, NULL, names.token, &seen, &err), 1);
    check_same(&seen, &launch);
    assert_int_equal(other->ops->stop(other, seen.id, (struct gl_span){15}, &err), 0);
    check_over(other, seen.id, &launch);
    gl_cloud_close(other);
    assert_int_equal(running(), 0);
}

static void test_token_never_seen(void **state)
{
    struct gl_instance seen;
    struct gl_error err = {0};

    (void)state;
    NEED();
    assert_int_equal(bench.cloud->ops->find_by_request(bench.cloud, NULL, NO_TOKEN, &seen, &err),
                     0);
    assert_int_equal(err.code, GL_OK);
}

/* ---- commands ---- */

static void test_command(void **state)
{
    static const char *const command[] = {"sh", "-c", "echo out; echo err >&2; exit 7", NULL};
    struct gl_bench_names names;
    struct gl_launch launch;
    struct gl_bench_run run;
    struct gl_instance seen;
    struct gl_error err = {0};

    (void)state;
    NEED();
    if (bench.cloud->ops->attach == NULL)
        return;
    launch = plain_launch(&names);
    launch.command = command;
    if (store != NULL) {
        store->command_status = 7;
        store->command_output = "out\n";
    }
    assert_int_equal(gl_bench_run(&bench, &launch, &run, &err), 0);
    assert_int_equal(run.status, 7);
    assert_string_equal(gl_str_text(&run.out), "out\n");
    if (is_local())
        assert_string_equal(gl_str_text(&run.err_text), "err\n");
    gl_bench_stop(&bench, run.instance.id);
    assert_int_equal(bench.cloud->ops->describe(bench.cloud, run.instance.id, &seen, &err), 0);
    assert_true(seen.has_exit);
    assert_int_equal(seen.exit_status, 7);
    gl_bench_run_done(&run);
}

static bool never(void *cookie)
{
    (void)cookie;
    return false;
}

static void test_cancelled(void **state)
{
    static const char *const command[] = {"sleep", "300", NULL};
    const struct gl_attach attach = {.on_tick = never, .stdin_fd = -1};
    struct gl_bench_names names;
    struct gl_launch launch;
    struct gl_instance made;
    struct gl_error err = {0};
    int status = -7;

    (void)state;
    NEED();
    if (bench.cloud->ops->attach == NULL)
        return;
    launch = plain_launch(&names);
    launch.command = command;
    made = start(&launch);
    assert_int_equal(bench.cloud->ops->attach(bench.cloud, made.id, &attach, &status, &err), -1);
    assert_int_equal(err.code, GL_E_INTERRUPTED);
    assert_int_equal(status, -7); /* untouched */
    gl_error_clear(&err);
    assert_int_equal(running(), 1); /* it goes on without us */
    assert_int_equal(bench.cloud->ops->terminate(bench.cloud, made.id, &err), 0);
}

static void test_nothing_is_left(void **state)
{
    (void)state;
    assert_int_equal(gl_bench_left(&bench), 0);
}

static int run_suite(const struct fixture *which)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_operations_are_there),
        cmocka_unit_test(test_places_and_prices),
        cmocka_unit_test(test_unknown_names),
        cmocka_unit_test(test_unknown_instance),
        cmocka_unit_test(test_one_life),
        cmocka_unit_test(test_terminated_at_once),
        cmocka_unit_test(test_same_token_same_instance),
        cmocka_unit_test(test_same_token_at_once),
        cmocka_unit_test(test_adopted_after_a_crash),
        cmocka_unit_test(test_token_never_seen),
        cmocka_unit_test(test_command),
        cmocka_unit_test(test_cancelled),
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
