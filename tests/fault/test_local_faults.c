/* SPDX-License-Identifier: Apache-2.0 */
/* What can go wrong around a local instance: a QEMU that ends, hangs or is killed, a launcher that
 * is killed at any moment. Always: a clear error, nothing left running. */
#include "tests/conformance/cloud_bench.h"

#include "base/file.h"
#include "providers/cloud/local.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static struct gl_bench bench;
static const char *no_vm, *no_process;
static char real_path[4096];

static int set_up(void **state)
{
    (void)state;
    snprintf(real_path, sizeof real_path, "%s", getenv("PATH"));
    gl_bench_open(&bench, "local_faults", false);
    no_vm = gl_bench_no_vm(&bench);
    no_process = gl_bench_no_process(&bench);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    gl_bench_close(&bench);
    return 0;
}

static void expect_absent(const char *token)
{
    struct gl_instance seen;
    struct gl_error err = {0};

    assert_int_equal(bench.cloud->ops->find_by_request(bench.cloud, NULL, token, &seen, &err), 0);
}

/* ---- a QEMU that is none ---- */

static char fakes[64]; /* not below the build: root's QEMU runs as nobody, who must get there */

/* Put a script in front of QEMU in PATH. */
static void fake_qemu(const char *script)
{
    char path[128], paths[5000];
    struct gl_error err = {0};

    snprintf(fakes, sizeof fakes, "/tmp/gl-fakes-%ld", (long)getpid());
    snprintf(path, sizeof path, "%s/qemu-system-x86_64", fakes);
    assert_true(mkdir(fakes, 0755) == 0 || gl_file_exists(fakes));
    assert_int_equal(chmod(fakes, 0755), 0);
    assert_int_equal(gl_file_write(path, script, strlen(script), 0755, &err), 0);
    snprintf(paths, sizeof paths, "%s:%s", fakes, real_path);
    setenv("PATH", paths, 1);
}

static void real_qemu(void)
{
    struct gl_error ignored = {0};

    gl_dir_remove(fakes, &ignored);
    setenv("PATH", real_path, 1);
    unsetenv("GREENLAUNCH_BOOT_TIMEOUT");
    unsetenv("GREENLAUNCH_ACCEL");
}

static int back_to_normal(void **state)
{
    (void)state;
    real_qemu();
    return 0;
}

/* Launch with the fake: -1 and its error; nothing of it is left. */
static void launch_fails(enum gl_errc code, const char *words)
{
    struct gl_bench_names names;
    struct gl_launch launch = gl_bench_launch(&bench, &names, NULL);
    struct gl_instance instance;
    struct gl_error err = {0};

    assert_int_equal(bench.cloud->ops->launch(bench.cloud, &launch, &instance, &err), -1);
    if (err.code != code || strstr(err.text, words) == NULL)
        fail_msg("expected %d with \"%s\", got %d: %s", code, words, err.code, err.text);
    expect_absent(names.token);
    assert_false(gl_bench_has_process(&bench, names.token));
}

static void test_qemu_that_ends_at_once(void **state)
{
    (void)state;
    GL_BENCH_NEED("qemu_that_ends_at_once", no_vm);
    fake_qemu("#!/bin/sh\necho 'no bios, no fun' >&2\nexit 1\n");
    launch_fails(GL_E_LAUNCH, "no bios, no fun");
    real_qemu();
}

static void test_guest_that_never_answers(void **state)
{
    (void)state;
    GL_BENCH_NEED("guest_that_never_answers", no_vm);
    fake_qemu("#!/bin/sh\nexec sleep 300\n");
    setenv("GREENLAUNCH_BOOT_TIMEOUT", "1", 1);
    launch_fails(GL_E_GUEST, "console.log");
    real_qemu();
}

static bool gives_up(void *cookie)
{
    unsigned *asked = cookie;

    return ++*asked > 5;
}

/* Whoever waits for it gives up: that is no fault of the machine, and nothing is left. */
static void test_launch_that_is_given_up(void **state)
{
    struct gl_bench_names names;
    struct gl_launch launch = gl_bench_launch(&bench, &names, NULL);
    struct gl_instance instance;
    struct gl_error err = {0};
    unsigned asked = 0;

    (void)state;
    GL_BENCH_NEED("launch_that_is_given_up", no_vm);
    fake_qemu("#!/bin/sh\nexec sleep 300\n");
    launch.is_cancelled = gives_up;
    launch.cookie = &asked;
    assert_int_equal(bench.cloud->ops->launch(bench.cloud, &launch, &instance, &err), -1);
    assert_int_equal(err.code, GL_E_INTERRUPTED);
    assert_true(asked > 5);
    expect_absent(names.token);
    assert_false(gl_bench_has_process(&bench, names.token));
    real_qemu();
}

static void test_qemu_that_cannot_be_run(void **state)
{
    (void)state;
    GL_BENCH_NEED("qemu_that_cannot_be_run", no_vm);
    fake_qemu("#!/no/such/interpreter\n");
    launch_fails(GL_E_IO, "qemu-system-x86_64");
    real_qemu();
}

/* KVM is offered and does not work: aborts at once, or hangs silently. Either way TCG takes over
 * and the verdict is kept. */
static void test_kvm_that_fails(void **state)
{
    static const char *const forms[] = {
        "#!/bin/sh\ncase \"$*\" in *'-accel kvm'*) exit 134;; esac\n"
        "exec /usr/bin/qemu-system-x86_64 \"$@\"\n",
        "#!/bin/sh\ncase \"$*\" in *'-accel kvm'*) exec sleep 300;; esac\n"
        "exec /usr/bin/qemu-system-x86_64 \"$@\"\n"};

    (void)state;
    GL_BENCH_NEED("kvm_that_fails", no_vm);
    if (access("/usr/bin/qemu-system-x86_64", X_OK) != 0)
        GL_BENCH_SKIP("kvm_that_fails", "QEMU is not in /usr/bin");
    for (size_t i = 0; i < 2; i++) {
        struct gl_bench_names names;
        struct gl_launch launch;
        struct gl_instance instance;
        struct gl_error err = {0};
        char path[600], *text;
        size_t length;

        fake_qemu(forms[i]);
        setenv("GREENLAUNCH_ACCEL", "probe", 1);
        launch = gl_bench_launch(&bench, &names, NULL);
        if (bench.cloud->ops->launch(bench.cloud, &launch, &instance, &err) < 0)
            fail_msg("%s", err.text);
        assert_string_equal(instance.how, "qemu/tcg");
        assert_true(gl_bench_has_process(&bench, names.token));
        assert_int_equal(bench.cloud->ops->terminate(bench.cloud, instance.id, &err), 0);
        real_qemu();
        snprintf(path, sizeof path, "%s/local/kvm.json", bench.folder);
        assert_int_equal(gl_file_read(path, 4096, &text, &length, &err), 0);
        assert_non_null(strstr(text, "\"works\":false"));
        free(text);
    }
}

static void test_qemu_killed(void **state)
{
    static const char *const command[] = {"sleep", "300", NULL};
    struct gl_bench_names names;
    struct gl_launch launch;
    struct gl_bench_run run = {.status = -1};
    struct gl_local_record record;
    struct gl_instance seen;
    struct gl_error err = {0};
    char folder[700];
    pid_t pid;

    (void)state;
    GL_BENCH_NEED("qemu_killed", no_vm);
    launch = gl_bench_launch(&bench, &names, command);
    assert_int_equal(bench.cloud->ops->launch(bench.cloud, &launch, &run.instance, &err), 0);
    snprintf(folder, sizeof folder, "%s/local/%s", bench.folder, run.instance.id);
    assert_int_equal(gl_local_record_load(folder, &record, &err), 0);
    pid = fork();
    if (pid == 0) {
        usleep(300000);
        kill(record.process.pid, SIGKILL);
        _exit(0);
    }
    assert_int_equal(gl_bench_attach(&bench, &run, &err), -1);
    assert_int_equal(err.code, GL_E_GUEST);
    assert_non_null(strstr(err.text, run.instance.console));
    waitpid(pid, NULL, 0);
    assert_int_equal(bench.cloud->ops->describe(bench.cloud, run.instance.id, &seen, &err), 0);
    assert_int_equal(seen.state, GL_STATE_ENDED);
    gl_bench_run_done(&run);
}

/* ---- a launcher that is killed ---- */

/* At whatever moment: afterwards there is nothing, or something that can be found and ended, and a
 * new launch with the token works. */
static void kill_launcher_after(useconds_t delay_us)
{
    struct gl_bench_names names;
    struct gl_launch launch = gl_bench_launch(&bench, &names, NULL);
    struct gl_instance seen;
    struct gl_error err = {0};
    pid_t pid = fork();
    int got;

    if (pid == 0) {
        bench.cloud->ops->launch(bench.cloud, &launch, &seen, &err);
        _exit(0);
    }
    usleep(delay_us);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    got = bench.cloud->ops->find_by_request(bench.cloud, NULL, names.token, &seen, &err);
    assert_true(got >= 0);
    if (got == 0)
        assert_false(gl_bench_has_process(&bench, names.token));
    if (got == 1) {
        assert_string_equal(seen.launch_id, names.id);
        assert_int_equal(bench.cloud->ops->terminate(bench.cloud, seen.id, &err), 0);
        assert_false(gl_bench_has_process(&bench, names.token));
        return;
    }
    if (bench.cloud->ops->launch(bench.cloud, &launch, &seen, &err) < 0)
        fail_msg("again: %s", err.text);
    assert_int_equal(bench.cloud->ops->terminate(bench.cloud, seen.id, &err), 0);
}

static void test_launcher_killed(void **state)
{
    static const useconds_t delays_ms[] = {0, 2, 5, 10, 15, 25, 40, 70, 120, 200, 300, 400};

    (void)state;
    GL_BENCH_NEED("launcher_killed", no_vm);
    for (size_t i = 0; i < sizeof delays_ms / sizeof *delays_ms; i++)
        kill_launcher_after(delays_ms[i] * 1000);
}

static void test_process_launcher_killed(void **state)
{
    struct gl_cloud *vm = bench.cloud;

    (void)state;
    if (no_process != NULL)
        GL_BENCH_SKIP("process_launcher_killed", no_process);
    bench.wants_process = true;
    bench.cloud = gl_bench_reopen(&bench);
    for (useconds_t delay_us = 0; delay_us < 12000; delay_us += 250)
        kill_launcher_after(delay_us);
    gl_cloud_close(bench.cloud);
    bench.cloud = vm;
    bench.wants_process = false;
}

/* A launch that died half-way is begun anew by the same token, and the leftover is ended. */
static void test_half_a_launch_is_redone(void **state)
{
    struct gl_bench_names names;
    struct gl_launch launch;
    struct gl_instance seen;
    struct gl_error err = {0};
    pid_t pid;

    (void)state;
    GL_BENCH_NEED("half_a_launch_is_redone", no_vm);
    fake_qemu("#!/bin/sh\nkill -STOP $$\n");
    launch = gl_bench_launch(&bench, &names, NULL);
    pid = fork();
    if (pid == 0) {
        bench.cloud->ops->launch(bench.cloud, &launch, &seen, &err);
        _exit(0);
    }
    for (int i = 0; i < 500 && !gl_bench_has_process(&bench, names.token); i++)
        usleep(10000);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    assert_true(gl_bench_has_process(&bench, names.token));
    real_qemu();
    if (bench.cloud->ops->launch(bench.cloud, &launch, &seen, &err) < 0)
        fail_msg("again: %s", err.text);
    assert_int_equal(seen.state, GL_STATE_RUNNING);
    assert_int_equal(bench.cloud->ops->terminate(bench.cloud, seen.id, &err), 0);
    assert_false(gl_bench_has_process(&bench, names.token));
}

/* ---- stopped by somebody else while attached ---- */

static void test_stopped_while_attached(void **state)
{
    static const char *const command[] = {"sleep", "300", NULL};
    struct gl_bench_names names;
    struct gl_launch launch;
    struct gl_bench_run run = {.status = -1};
    struct gl_error err = {0};
    char *console;
    pid_t pid;
    int status;

    (void)state;
    GL_BENCH_NEED("stopped_while_attached", no_vm);
    launch = gl_bench_launch(&bench, &names, command);
    assert_int_equal(bench.cloud->ops->launch(bench.cloud, &launch, &run.instance, &err), 0);
    pid = fork();
    if (pid == 0)
        _exit(gl_bench_attach(&bench, &run, &err) == 0 ? run.status : 1);
    usleep(500000);
    gl_bench_stop(&bench, run.instance.id);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(WEXITSTATUS(status), 128 + SIGTERM);
    console = gl_bench_console(&bench, run.instance.id);
    assert_non_null(strstr(console, "\"final\":true"));
    free(console);
}

static void test_console_flooded(void **state)
{
    static const char *const command[] = {
        "sh", "-c",
        "i=0; while [ $i -lt 300 ]; do head -c 4000 /dev/zero | tr '\\0' x "
        ">/dev/ttyS0; i=$((i+1)); done; exit 3",
        NULL};
    struct gl_bench_names names;
    struct gl_launch launch;
    struct gl_bench_run run;
    struct gl_str text = {.ceiling = 5000};
    struct gl_error err = {0};
    uint64_t next;

    (void)state;
    GL_BENCH_NEED("console_flooded", no_vm);
    launch = gl_bench_launch(&bench, &names, command);
    if (gl_bench_run(&bench, &launch, &run, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(run.status, 3);
    assert_int_equal(bench.cloud->ops->console(bench.cloud, run.instance.id, 0, &text, &next, &err),
                     0);
    assert_int_equal(text.length, 5000);
    assert_int_equal(next, 5000);
    gl_bench_stop(&bench, run.instance.id);
    gl_str_done(&text);
    gl_bench_run_done(&run);
}

/* ---- records ---- */

/* A record that cannot be read might be the one that is asked for: not "proven absent". */
static void test_damaged_record(void **state)
{
    struct gl_instance seen;
    struct gl_error err = {0};
    char path[600];

    (void)state;
    snprintf(path, sizeof path, "%s/local/gl-damaged", bench.folder);
    assert_int_equal(gl_dir_make(path, &err), 0);
    gl_bench_write(&bench, "local/gl-damaged/instance.json", "{\"v\":1,", 0600, path);
    assert_int_equal(bench.cloud->ops->find_by_request(
                         bench.cloud, NULL,
                         "1111111111111111111111111111111111111111111111111111111111111111", &seen,
                         &err),
                     -1);
    snprintf(path, sizeof path, "%s/local/gl-damaged", bench.folder);
    gl_error_clear(&err);
    assert_int_equal(gl_dir_remove(path, &err), 0);
}

static void test_no_memory(void **state)
{
    struct gl_bench_names names;
    struct gl_launch launch;
    struct gl_instance instance;
    struct gl_error err = {0};

    (void)state;
    launch = gl_bench_launch(&bench, &names, NULL);
    launch.memory_mib = 16000000;
    assert_int_equal(bench.cloud->ops->launch(bench.cloud, &launch, &instance, &err), -1);
    assert_int_equal(err.code, GL_E_LAUNCH);
    assert_non_null(strstr(err.text, "free memory"));
    expect_absent(names.token);
}

static void test_nothing_is_left(void **state)
{
    (void)state;
    assert_int_equal(gl_bench_left(&bench), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_qemu_that_ends_at_once, back_to_normal),
        cmocka_unit_test_teardown(test_guest_that_never_answers, back_to_normal),
        cmocka_unit_test_teardown(test_launch_that_is_given_up, back_to_normal),
        cmocka_unit_test_teardown(test_qemu_that_cannot_be_run, back_to_normal),
        cmocka_unit_test_teardown(test_kvm_that_fails, back_to_normal),
        cmocka_unit_test(test_qemu_killed),
        cmocka_unit_test(test_launcher_killed),
        cmocka_unit_test(test_process_launcher_killed),
        cmocka_unit_test_teardown(test_half_a_launch_is_redone, back_to_normal),
        cmocka_unit_test(test_stopped_while_attached),
        cmocka_unit_test(test_console_flooded),
        cmocka_unit_test(test_damaged_record),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_nothing_is_left),
    };

    return cmocka_run_group_tests_name("local_faults", tests, set_up, tear_down);
}
