/* SPDX-License-Identifier: Apache-2.0 */
/* What the local cloud does beyond the contract: programs and files carried along, the
 * golden snapshot and leases. */
#include "tests/conformance/cloud_bench.h"

#include "base/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
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
static const char *no_vm;

static int set_up(void **state)
{
    (void)state;
    gl_bench_open(&bench, "cloud_local", false);
    no_vm = gl_bench_no_vm(&bench);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    gl_bench_close(&bench);
    return 0;
}

/* ---- carried along ---- */

static void test_program_with_libraries(void **state)
{
    static const char *const command[] = {"openssl", "dgst", "-sha256", "/in/data", NULL};
    static const char *const with[] = {"/usr/bin/openssl", NULL};
    char path[600], pair[700];
    const char *files[] = {pair, NULL};
    struct gl_bench_names names;
    struct gl_launch launch;

    (void)state;
    GL_BENCH_NEED("program_with_libraries", no_vm);
    if (access(with[0], X_OK) != 0)
        GL_BENCH_SKIP("program_with_libraries", "no /usr/bin/openssl");
    gl_bench_write(&bench, "data", "abc", 0600, path);
    snprintf(pair, sizeof pair, "%s:/in/data", path);
    launch = gl_bench_launch(&bench, &names, command);
    launch.with = with;
    launch.files_in = files;
    /* FIPS 180-2, appendix B.1 */
    gl_bench_expect_text(&bench, &launch,
                         "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void test_files_out(void **state)
{
    static const char *const command[] = {
        "sh", "-c", "mkdir /out/d; echo one >/out/d/a; echo two >/out/d/b; ln -s /etc /out/d/l",
        NULL};
    struct gl_bench_names names;
    struct gl_launch launch;
    struct gl_bench_run run;
    struct gl_error err = {0};
    char to[600], inside[640], *text;
    size_t length;

    (void)state;
    GL_BENCH_NEED("files_out", no_vm);
    launch = gl_bench_launch(&bench, &names, command);
    assert_int_equal(gl_bench_run(&bench, &launch, &run, &err), 0);
    snprintf(to, sizeof to, "%s/fetched", bench.folder);
    assert_int_equal(bench.cloud->ops->fetch(bench.cloud, run.instance.id, "/out/d/a", to, &err),
                     0);
    assert_int_equal(gl_file_read(to, 100, &text, &length, &err), 0);
    assert_string_equal(text, "one\n");
    free(text);
    snprintf(to, sizeof to, "%s/folder", bench.folder);
    assert_int_equal(bench.cloud->ops->fetch(bench.cloud, run.instance.id, "/out/d", to, &err), 0);
    snprintf(inside, sizeof inside, "%s/b", to);
    assert_int_equal(gl_file_read(inside, 100, &text, &length, &err), 0);
    assert_string_equal(text, "two\n");
    free(text);
    snprintf(inside, sizeof inside, "%s/l", to);
    assert_false(gl_file_exists(inside)); /* links are not taken over */
    assert_int_equal(bench.cloud->ops->fetch(bench.cloud, run.instance.id, "/none", to, &err), -1);
    assert_int_equal(err.code, GL_E_NOT_FOUND);
    gl_bench_stop(&bench, run.instance.id);
    gl_error_clear(&err);
    assert_int_equal(bench.cloud->ops->fetch(bench.cloud, run.instance.id, "/out/d/a", to, &err),
                     -1);
    assert_int_equal(err.code, GL_E_GUEST);
    gl_bench_run_done(&run);
}

static void test_stdin_and_user_data(void **state)
{
    static const char *const command[] = {
        "sh", "-c", "cat /run/greenlaunch/user-data; wc -c; kill -9 $$", NULL};
    struct gl_bench_names names;
    struct gl_launch launch;
    struct gl_bench_run run = {.status = -1};
    struct gl_error err = {0};
    struct gl_attach attach = {.cookie = NULL};
    char bytes[100000] = {0};
    int ends[2];
    pid_t pid;

    (void)state;
    GL_BENCH_NEED("stdin_and_user_data", no_vm);
    launch = gl_bench_launch(&bench, &names, command);
    launch.user_data = "hello guest\n";
    assert_int_equal(bench.cloud->ops->launch(bench.cloud, &launch, &run.instance, &err), 0);
    assert_int_equal(pipe(ends), 0);
    pid = fork();
    if (pid == 0)
        _exit(write(ends[1], bytes, sizeof bytes) != sizeof bytes);
    close(ends[1]);
    attach.stdin_fd = ends[0];
    assert_int_equal(
        bench.cloud->ops->attach(bench.cloud, run.instance.id, &attach, &run.status, &err), 0);
    assert_int_equal(run.status, 137);
    waitpid(pid, NULL, 0);
    close(ends[0]);
    gl_bench_stop(&bench, run.instance.id);
}

/* Output that comes the moment the command starts must not fall between launcher and follower. */
static void test_no_output_is_lost(void **state)
{
    static const char *const command[] = {"echo", "the only line", NULL};

    (void)state;
    GL_BENCH_NEED("no_output_is_lost", no_vm);
    for (int i = 0; i < 5; i++) {
        struct gl_bench_names names;
        struct gl_launch launch = gl_bench_launch(&bench, &names, command);
        struct gl_bench_run run;

        gl_bench_expect(&bench, &launch, 0, &run);
        assert_string_equal(gl_str_text(&run.out), "the only line\n");
        gl_bench_run_done(&run);
    }
}

static void test_bad_files(void **state)
{
    static const char *const files[] = {"/no/such/file:/in/x", NULL};
    static const char *const with[] = {"no-such-program-at-all", NULL};
    struct gl_bench_names names;
    struct gl_launch launch;
    struct gl_instance instance;

    (void)state;
    GL_BENCH_NEED("bad_files", no_vm);
    for (int i = 0; i < 3; i++) {
        struct gl_error err = {0};

        launch = gl_bench_launch(&bench, &names, NULL);
        launch.files_in = i == 0 ? files : NULL;
        launch.with = i == 1 ? with : NULL;
        launch.image = i == 2 ? "/no/such/image" : NULL;
        assert_int_equal(bench.cloud->ops->launch(bench.cloud, &launch, &instance, &err), -1);
        assert_int_equal(err.code, GL_E_USAGE);
        gl_error_clear(&err);
        assert_int_equal(
            bench.cloud->ops->find_by_request(bench.cloud, NULL, names.token, &instance, &err), 0);
    }
}

/* ---- the golden snapshot ---- */

/* The one snapshot's path; false when there is not exactly one. */
static bool find_snapshot(char out[1200])
{
    char folder[600];
    struct dirent *entry;
    unsigned count = 0;
    DIR *handle;

    snprintf(folder, sizeof folder, "%s/local/golden", bench.folder);
    handle = opendir(folder);
    while (handle != NULL && (entry = readdir(handle)) != NULL)
        if (strstr(entry->d_name, ".mig") != NULL) {
            snprintf(out, 1200, "%s/%s", folder, entry->d_name);
            count++;
        }
    if (handle != NULL)
        closedir(handle);
    return count == 1;
}

static void test_golden_snapshot(void **state)
{
    static const char *const command[] = {"cat", "/proc/sys/kernel/random/uuid", NULL};
    char path[1200], first[64], byte;
    struct gl_bench_names names;
    struct gl_launch launch;
    struct gl_bench_run run;
    struct stat info;
    int fd;

    (void)state;
    GL_BENCH_NEED("golden_snapshot", no_vm);
    launch = gl_bench_launch(&bench, &names, command);
    gl_bench_expect(&bench, &launch, 0, &run);
    snprintf(first, sizeof first, "%s", gl_str_text(&run.out));
    gl_bench_run_done(&run);
    assert_true(find_snapshot(path));
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 077, 0);
    /* Restored twins have different randomness. */
    launch = gl_bench_launch(&bench, &names, command);
    gl_bench_expect(&bench, &launch, 0, &run);
    assert_string_not_equal(gl_str_text(&run.out), first);
    gl_bench_run_done(&run);
    /* One changed byte in the middle: found out, thrown away, booted cold, made anew. */
    fd = open(path, O_RDWR | O_CLOEXEC);
    assert_int_equal(pread(fd, &byte, 1, info.st_size / 2), 1);
    byte ^= 1;
    assert_int_equal(pwrite(fd, &byte, 1, info.st_size / 2), 1);
    close(fd);
    launch = gl_bench_launch(&bench, &names, command);
    gl_bench_expect(&bench, &launch, 0, &run);
    gl_bench_run_done(&run);
    assert_true(find_snapshot(path));
    fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat again;

    assert_int_equal(fstat(fd, &again), 0);
    assert_int_not_equal(again.st_ino, info.st_ino);
    close(fd);
}

/* ---- the lease ---- */

static void test_lease_ends_it(void **state)
{
    static const char *const command[] = {"sleep", "300", NULL};
    struct gl_bench_names names;
    struct gl_launch launch;
    struct gl_bench_run run;
    struct gl_instance seen;
    struct gl_error err = {0};
    char *console;

    (void)state;
    GL_BENCH_NEED("lease_ends_it", no_vm);
    launch = gl_bench_launch(&bench, &names, command);
    launch.expires.unix_s = gl_now(&bench.world).unix_s + 12;
    /* The guest's own timer ends it: nobody here does. */
    if (gl_bench_run(&bench, &launch, &run, &err) == 0)
        assert_int_equal(run.status, 128 + 15);
    else
        assert_int_equal(err.code, GL_E_TIMEOUT);
    for (int i = 0; i < 100; i++) {
        gl_error_clear(&err);
        assert_int_equal(bench.cloud->ops->describe(bench.cloud, run.instance.id, &seen, &err), 0);
        if (seen.state == GL_STATE_ENDED)
            break;
        usleep(100000);
    }
    assert_int_equal(seen.state, GL_STATE_ENDED);
    console = gl_bench_console(&bench, run.instance.id);
    assert_non_null(strstr(console, "\"final\":true"));
    free(console);
    gl_bench_run_done(&run);
}

/* The kernel's boot id is the snapshot's; each instance makes one of its own. */
static void test_two_of_one_snapshot_differ(void **state)
{
    char boots[2][40];

    (void)state;
    GL_BENCH_NEED("two_of_one_snapshot_differ", no_vm);
    for (int i = 0; i < 2; i++) {
        struct gl_bench_names names;
        struct gl_launch launch = gl_bench_launch(&bench, &names, NULL);
        struct gl_instance made;
        struct gl_error err = {0};
        GL_AUTO(gl_auto_free) char *console = NULL;
        const char *boot;

        if (bench.cloud->ops->launch(bench.cloud, &launch, &made, &err) < 0)
            fail_msg("%s", err.text);
        gl_bench_stop(&bench, made.id);
        console = gl_bench_console(&bench, made.id);
        boot = strstr(console, "GLE1 {\"boot\":\"");
        assert_non_null(boot);
        snprintf(boots[i], sizeof boots[i], "%.36s", boot + strlen("GLE1 {\"boot\":\""));
    }
    assert_string_not_equal(boots[0], boots[1]);
}

static void test_nothing_is_left(void **state)
{
    (void)state;
    assert_int_equal(gl_bench_left(&bench), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden_snapshot), /* first: it looks at the only snapshot */
        cmocka_unit_test(test_program_with_libraries),
        cmocka_unit_test(test_files_out),
        cmocka_unit_test(test_stdin_and_user_data),
        cmocka_unit_test(test_no_output_is_lost),
        cmocka_unit_test(test_bad_files),
        cmocka_unit_test(test_lease_ends_it),
        cmocka_unit_test(test_two_of_one_snapshot_differ),
        cmocka_unit_test(test_nothing_is_left),
    };

    return cmocka_run_group_tests_name("cloud_local", tests, set_up, tear_down);
}
