/* SPDX-License-Identifier: Apache-2.0 */
/* Where a local instance's file system comes from, and what it is when there is no QEMU or no root.
 */
#include "tests/conformance/cloud_bench.h"

#include "base/file.h"
#include "base/process.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static struct gl_bench bench;
static const char *no_vm, *no_process;

static int set_up(void **state)
{
    (void)state;
    gl_bench_open(&bench, "cloud_image", false);
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

/* ---- images ---- */

static void shell(const char *script)
{
    const char *const argv[] = {"/bin/sh", "-c", script, NULL};
    struct gl_str text = {0};
    struct gl_error err = {0};
    int status = -1;

    if (gl_process_capture(argv, 65536, 60000, &text, &status, &err) < 0 || status != 0)
        fail_msg("%s: status %d %s", script, status, err.text);
    gl_str_done(&text);
}

/* A root of busybox, a hard link, and a file that names it. */
static void make_root(char out[600])
{
    char script[4096];

    snprintf(out, 600, "%s/root", bench.folder);
    snprintf(script, sizeof script,
             "rm -rf %s && mkdir -p %s/bin %s/etc && cp $(command -v busybox) %s/bin/busybox && "
             "ln %s/bin/busybox %s/bin/sh && ln -s busybox %s/bin/cat && echo mine >%s/etc/root",
             out, out, out, out, out, out, out, out);
    shell(script);
}

static void run_image(const char *image, const char *type)
{
    static const char *const command[] = {"/bin/sh", "-c", "cat /etc/root; echo 1 >/work/x", NULL};
    struct gl_bench_names names;
    struct gl_launch launch = gl_bench_launch(&bench, &names, command);

    launch.image = image;
    launch.type = type;
    gl_bench_expect_text(&bench, &launch, "mine\n");
}

static void test_tree_images(void **state)
{
    char root[600], image[620], script[2048];

    (void)state;
    GL_BENCH_NEED("tree_images", no_vm);
    if (system("command -v busybox >/dev/null && command -v tar >/dev/null") != 0)
        GL_BENCH_SKIP("tree_images", "no busybox or tar");
    make_root(root);
    snprintf(image, sizeof image, "%s.tar.gz", root);
    snprintf(script, sizeof script, "tar -C %s -czf %s .", root, image);
    shell(script);
    run_image(image, "small");
}

static void test_disk_images(void **state)
{
    char root[600], raw[620], script[2048], before[GL_HASH_HEX], after[GL_HASH_HEX];
    struct gl_hash hash;
    struct gl_error err = {0};

    (void)state;
    GL_BENCH_NEED("disk_images", no_vm);
    if (system("command -v mkfs.ext4 >/dev/null || test -x /sbin/mkfs.ext4") != 0)
        GL_BENCH_SKIP("disk_images", "no mkfs.ext4");
    make_root(root);
    snprintf(raw, sizeof raw, "%s.raw", root);
    snprintf(script, sizeof script, "PATH=$PATH:/sbin mkfs.ext4 -q -d %s %s 16M", root, raw);
    shell(script);
    assert_int_equal(gl_hash_of_file(raw, &hash, &err), 0);
    gl_hash_hex(&hash, before);
    run_image(raw, "small");
    assert_int_equal(gl_hash_of_file(raw, &hash, &err), 0);
    assert_string_equal(gl_hash_hex(&hash, after), before); /* the user's disk is never written */
    if (system("command -v qemu-img >/dev/null") != 0)
        GL_BENCH_SKIP("disk_images (qcow2)", "no qemu-img");
    snprintf(script, sizeof script, "qemu-img convert -f raw -O qcow2 %s %s.q", raw, raw);
    shell(script);
    strcat(raw, ".q");
    run_image(raw, "small");
}

/* What it wrote is in QEMU's hands alone: it says so beforehand, refuses, and runs on. */
static void test_disk_machine_stays_where_it_is(void **state)
{
    char root[600], raw[620], script[2048];
    struct gl_bench_names names;
    struct gl_launch launch = gl_bench_launch(&bench, &names, NULL);
    struct gl_instance seen;
    struct gl_error err = {0};

    (void)state;
    GL_BENCH_NEED("disk_machine_stays_where_it_is", no_vm);
    if (system("command -v mkfs.ext4 >/dev/null || test -x /sbin/mkfs.ext4") != 0)
        GL_BENCH_SKIP("disk_machine_stays_where_it_is", "no mkfs.ext4");
    make_root(root);
    snprintf(raw, sizeof raw, "%s.raw", root);
    snprintf(script, sizeof script, "PATH=$PATH:/sbin mkfs.ext4 -q -F -d %s %s 16M", root, raw);
    shell(script);
    launch.image = raw;
    launch.type = "small";
    if (bench.cloud->ops->launch(bench.cloud, &launch, &seen, &err) < 0)
        fail_msg("launch: %s", err.text);
    assert_int_equal(seen.caps, 0);
    assert_int_equal(bench.cloud->ops->suspend(bench.cloud, seen.id, &err), -1);
    assert_int_equal(err.code, GL_E_NO_LOCAL);
    assert_non_null(strstr(err.text, "has a disk of its own"));
    gl_error_clear(&err);
    assert_int_equal(bench.cloud->ops->describe(bench.cloud, seen.id, &seen, &err), 0);
    assert_int_equal(seen.state, GL_STATE_RUNNING);
    assert_int_equal(bench.cloud->ops->terminate(bench.cloud, seen.id, &err), 0);
}

/* ---- where there is no QEMU ---- */

static void test_process_fallback(void **state)
{
    static const char *const command[] = {
        "sh", "-c", "id -u; touch /usr/x 2>/dev/null || echo safe; cat /in/f; ls /root | wc -l",
        NULL};
    char path[600], pair[700], *guest = gl_path_join(bench.folder, "nowhere");
    const char *files[] = {pair, NULL};
    struct gl_bench_names names;
    struct gl_launch launch;
    struct gl_bench_run run;
    struct gl_error err = {0};

    (void)state;
    if (no_process != NULL) {
        free(guest);
        GL_BENCH_SKIP("process_fallback", no_process);
    }
    setenv("GREENLAUNCH_GUEST", guest, 1); /* as if no kernel had been unpacked */
    gl_bench_write(&bench, "f", "carried\n", 0600, path);
    snprintf(pair, sizeof pair, "%s:/in/f", path);
    launch = gl_bench_launch(&bench, &names, command);
    launch.files_in = files;
    gl_bench_expect(&bench, &launch, 0, &run);
    assert_string_equal(run.instance.how, "process");
    assert_string_equal(gl_str_text(&run.out), "0\nsafe\ncarried\n0\n");
    gl_bench_run_done(&run);
    launch = gl_bench_launch(&bench, &names, command);
    launch.image = path;
    assert_int_equal(bench.cloud->ops->launch(bench.cloud, &launch, &run.instance, &err), -1);
    assert_int_equal(err.code, GL_E_NO_LOCAL);
    assert_non_null(strstr(err.text, "guest kernel"));
    unsetenv("GREENLAUNCH_GUEST");
    free(guest);
}

/* The host's count of CPU time covers what the command's own children used. */
static void test_process_cpu_time(void **state)
{
    static const char *const command[] = {
        "sh", "-c", "for i in 1 2; do timeout 1 sh -c 'while :; do :; done'; done; exit 0", NULL};
    struct gl_bench_names names;
    struct gl_launch launch;
    struct gl_bench_run run;
    struct gl_instance seen;
    struct gl_error err = {0};

    (void)state;
    if (no_process != NULL)
        GL_BENCH_SKIP("process_cpu_time", no_process);
    setenv("GREENLAUNCH_GUEST", bench.folder, 1);
    launch = gl_bench_launch(&bench, &names, command);
    gl_bench_expect(&bench, &launch, 0, &run);
    assert_int_equal(bench.cloud->ops->describe(bench.cloud, run.instance.id, &seen, &err), 0);
    assert_true(seen.host_cpu_ms >= 300); /* two seconds of spinning, on a machine that is shared */
    gl_bench_run_done(&run);
    unsetenv("GREENLAUNCH_GUEST");
}

/* ---- not as root ---- */

static int as_nobody(const char *type_of_run)
{
    static const char *const command[] = {"sh", "-c", "exit 5", NULL};
    struct gl_bench own = bench;
    struct gl_bench_names names;
    struct gl_launch launch;
    struct gl_bench_run run;
    struct gl_error err = {0};

    /* Without an exec in between the kernel would keep this process's files from itself. */
    if (setgid(65534) != 0 || setuid(65534) != 0 || prctl(PR_SET_DUMPABLE, 1) != 0)
        return 10;
    own.wants_process = strcmp(type_of_run, "process") == 0;
    own.cloud = gl_bench_reopen(&own);
    if ((own.wants_process ? gl_bench_no_process(&own) : gl_bench_no_vm(&own)) != NULL)
        return 77;
    launch = gl_bench_launch(&own, &names, command);
    if (gl_bench_run(&own, &launch, &run, &err) < 0) {
        print_message("%s\n", err.text);
        return 11;
    }
    if (own.cloud->ops->stop(own.cloud, run.instance.id, (struct gl_span){15}, &err) < 0)
        return 12;
    return run.status;
}

static void test_without_root(void **state)
{
    static const char *const kinds[] = {"process", "vm"};

    (void)state;
    if (geteuid() != 0)
        GL_BENCH_SKIP("without_root", "these tests run without root as it is");
    for (size_t i = 0; i < 2; i++) {
        struct gl_bench own = bench;
        pid_t pid;
        int status;

        snprintf(own.folder, sizeof own.folder, "/tmp/gl-test-%ld-%s", (long)getpid(), kinds[i]);
        assert_int_equal(mkdir(own.folder, 0700), 0);
        assert_int_equal(chown(own.folder, 65534, 65534), 0);
        pid = fork();
        if (pid == 0) {
            bench = own;
            _exit(as_nobody(kinds[i]));
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        struct gl_error err = {0};

        assert_int_equal(gl_dir_remove(own.folder, &err), 0);
        if (WEXITSTATUS(status) == 77)
            GL_BENCH_SKIP("without_root", "the build folder is not readable for others");
        assert_int_equal(WEXITSTATUS(status), 5);
    }
}

static void test_nothing_is_left(void **state)
{
    (void)state;
    assert_int_equal(gl_bench_left(&bench), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tree_images),
        cmocka_unit_test(test_disk_images),
        cmocka_unit_test(test_disk_machine_stays_where_it_is),
        cmocka_unit_test(test_process_fallback),
        cmocka_unit_test(test_process_cpu_time),
        cmocka_unit_test(test_without_root),
        cmocka_unit_test(test_nothing_is_left),
    };

    return cmocka_run_group_tests_name("cloud_image", tests, set_up, tear_down);
}
