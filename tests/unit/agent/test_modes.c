/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/modes.h"

#include "base/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "tests/unit/agent/tree.h"

/* The command line of the meter, and its modes beside the guest; each run in a process of its own,
 * whose stdout is a file. */

static char folder[TREE_PATH], out_path[2 * TREE_PATH], readings[2 * TREE_PATH],
    spool[2 * TREE_PATH];

static int set_up(void **state)
{
    (void)state;
    tree_make("test_modes", folder);
    snprintf(out_path, sizeof out_path, "%s/stdout", folder);
    snprintf(readings, sizeof readings, "%s/readings", folder);
    snprintf(spool, sizeof spool, "%s/spool", folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    tree_drop(folder);
    return 0;
}

static char *read_file(const char *path)
{
    struct gl_error err = {0};
    size_t length;
    char *text;

    if (gl_file_read(path, 1 << 20, &text, &length, &err) < 0)
        fail_msg("%s", err.text);
    return text;
}

/* ---- the command line ---- */

#define ARGS(...) ((char *[]){"greenlaunch-meter", __VA_ARGS__, NULL})

static int parse(char **argv, struct gl_meter_options *out, struct gl_error *err)
{
    int argc = 0;

    while (argv[argc] != NULL)
        argc++;
    *err = (struct gl_error){0};
    return gl_meter_options_parse(argc, argv, out, err);
}

static void refuses(char **argv, const char *reason)
{
    struct gl_meter_options options;
    struct gl_error err;

    if (parse(argv, &options, &err) == 0)
        fail_msg("taken: %s", argv[1]);
    assert_int_equal(err.code, GL_E_USAGE);
    if (strstr(err.text, reason) == NULL)
        fail_msg("%s: said \"%s\"", argv[1], err.text);
}

static void test_refused_options(void **state)
{
    (void)state;
    refuses((char *[]){"greenlaunch-meter", NULL}, "no mode");
    refuses(ARGS("--what"), "unknown option --what");
    refuses(ARGS("--run", "--daemon"), "more than one mode");
    refuses(ARGS("--run", "--output", "x"), "needs a command");
    refuses(ARGS("--run", "--", "true"), "nowhere to write");
    refuses(ARGS("--daemon"), "nowhere to write");
    refuses(ARGS("--daemon", "--output", "x", "--console", "y"), "two names");
    refuses(ARGS("--guest"), "--control");
    refuses(ARGS("--replay"), "needs a value");
    refuses(ARGS("--oneshot", "--interval", "0"), "1 to 3600000");
    refuses(ARGS("--oneshot", "--interval", "5s"), "1 to 3600000");
    refuses(ARGS("--oneshot", "--memory-mb", "99999999999999999999"), "number");
    refuses(ARGS("--oneshot", "--launch", "a/b"), "launch name");
    refuses(ARGS("--oneshot", "--load", "some"), "machine or tree");
    refuses(ARGS("--replay", "x", "--exit", "256"), "0 to 255");
    refuses(ARGS("--replay", "x", "--exit", "-1"), "0 to 255");
    refuses(ARGS("--replay", "x", "--exit", "1x"), "0 to 255");
    refuses(ARGS("--replay", "x", "--exit", ""), "0 to 255");
    refuses(ARGS("--replay", "x", "--tail", "y"), "goes with --exit");
}

static void test_options(void **state)
{
    struct gl_meter_options options;
    struct gl_error err;

    (void)state;
    assert_int_equal(parse(ARGS("--run", "--launch", "gl-1", "--interval", "250", "--family",
                                "epyc3", "--threads-milli", "1500", "--memory-mb", "512",
                                "--output", "-", "--", "ls", "--run"),
                           &options, &err),
                     0);
    assert_int_equal(options.mode, GL_MODE_RUN);
    assert_string_equal(options.launch, "gl-1");
    assert_int_equal(options.interval_ms, 250);
    assert_int_equal(options.threads_milli, 1500);
    assert_string_equal(options.command[0], "ls");
    assert_string_equal(options.command[1], "--run");
    assert_string_equal(options.sysroot, "");
}

/* ---- modes ---- */

/* Run what `argv` says with stdout in a file; returns the exit status. */
static pid_t start_mode(char **argv)
{
    struct gl_meter_options options;
    struct gl_error err;
    pid_t pid;
    int fd;

    if (parse(argv, &options, &err) < 0)
        fail_msg("%s", err.text);
    pid = fork();
    if (pid != 0)
        return pid;
    fd = open(out_path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    dup2(fd, 1);
    switch (options.mode) {
    case GL_MODE_ONESHOT:
        fd = gl_mode_oneshot(&options, &err);
        break;
    case GL_MODE_SELFTEST:
        fd = gl_mode_selftest(&options);
        break;
    case GL_MODE_REPLAY:
        fd = gl_mode_replay(&options, &err);
        break;
    default:
        fd = gl_mode_run(&options, &err);
        break;
    }
    fflush(stdout);
    _exit(fd < 0 ? (int)gl_errc_row(err.code)->exit : fd);
}

static int finish(pid_t pid)
{
    int status;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static int run_mode(char **argv)
{
    return finish(start_mode(argv));
}

/* Records of all batches in the text; the last one into *out. */
static size_t count_records(const char *text, struct gl_reading *out)
{
    GL_AUTO(gl_auto_free) char *copy = gl_strdup(text);
    char *at = copy, *line;
    size_t count = 0;

    while ((line = strsep(&at, "\n")) != NULL) {
        struct gl_error err = {0};
        json_t *batch, *record;
        size_t i;

        if (strncmp(line, "GLM1 ", 5) != 0)
            continue;
        batch = gl_json_parse(line + 5, strlen(line + 5), "batch", &err);
        assert_non_null(batch);
        json_array_foreach(json_object_get(batch, "records"), i, record)
        {
            GL_AUTO(gl_auto_free) char *canonical = gl_json_canonical(record, &err);

            if (gl_reading_parse(canonical, strlen(canonical), out, &err) < 0)
                fail_msg("%s", err.text);
            count++;
        }
        json_decref(batch);
    }
    return count;
}

static void test_run_passes_the_status_on(void **state)
{
    GL_AUTO(gl_auto_free) char *text = NULL;
    char token[2 * TREE_PATH], nowhere[2 * TREE_PATH];
    struct gl_reading last;

    (void)state;
    snprintf(token, sizeof token, "%s/token", folder);
    snprintf(nowhere, sizeof nowhere, "%s/no/such/folder/readings", folder);
    tree_put(folder, "/token",
             "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n");
    assert_int_equal(
        run_mode(ARGS("--run", "--output", readings, "--token-file", token, "--launch", "gl-run",
                      "--interval", "200", "--", "/bin/sh", "-c", "echo said; sleep 1; exit 7")),
        7);
    text = read_file(readings);
    assert_non_null(strstr(text, "GLE1 "));
    assert_true(count_records(text, &last) >= 4);
    assert_true(last.is_final);
    assert_string_equal(last.launch, "gl-run");
    gl_auto_free(&text);
    text = read_file(out_path);
    assert_string_equal(text, "said\n"); /* nothing of ours between */
    assert_int_equal(
        run_mode(ARGS("--run", "--output", readings, "--", "/bin/sh", "-c", "kill -TERM $$")),
        128 + SIGTERM);
    assert_int_equal(run_mode(ARGS("--run", "--output", readings, "--", "no-such-program")), 127);
    assert_int_equal(run_mode(ARGS("--run", "--output", nowhere, "--", "true")), 1);
    assert_int_equal(run_mode(ARGS("--run", "--output", "fd:99", "--", "true")), 2);
    tree_put(folder, "/token", "short\n");
    assert_int_equal(
        run_mode(ARGS("--run", "--output", readings, "--token-file", token, "--", "true")), 2);
}

static void test_terminated_command(void **state)
{
    GL_AUTO(gl_auto_free) char *text = NULL;
    const struct timespec second = {.tv_sec = 1};
    struct gl_reading last;
    pid_t pid;

    (void)state;
    pid = start_mode(ARGS("--run", "--output", readings, "--", "sleep", "600"));
    nanosleep(&second, NULL);
    kill(pid, SIGTERM);
    assert_int_equal(finish(pid), 128 + SIGTERM);
    text = read_file(readings);
    count_records(text, &last);
    assert_true(last.is_final);
}

/* How the command ended, and what it printed last where that is known. */
static void replay_with_an_end(void)
{
    GL_AUTO(gl_auto_free) char *told = NULL, *untold = NULL;
    char printed[2 * TREE_PATH];

    snprintf(printed, sizeof printed, "%s/printed", folder);
    tree_put(folder, "/printed", "hello\n");
    for (char **text = &told; text != NULL; text = text == &told ? &untold : NULL) {
        unlink(readings);
        assert_int_equal(run_mode(ARGS("--replay", spool, "--output", readings, "--exit", "7",
                                       "--tail", printed)),
                         0);
        *text = read_file(readings);
        unlink(printed);
    }
    assert_non_null(strstr(told, "\nGLO1 {\"cut\":false,"));
    assert_non_null(strstr(told, "\"output\":\"aGVsbG8K\""));
    assert_true(strstr(told, "\nGLX1 {\"exit\":7,") > strstr(told, "\nGLO1 "));
    assert_non_null(strstr(untold, "\nGLX1 {\"exit\":7,"));
    assert_null(strstr(untold, "GLO1"));
}

static void test_daemon_with_spool(void **state)
{
    const struct timespec second = {.tv_sec = 1};
    GL_AUTO(gl_auto_free) char *text = NULL;
    struct gl_reading last = {0};
    size_t records;
    pid_t pid;

    (void)state;
    pid = start_mode(ARGS("--daemon", "--spool", spool, "--interval", "100"));
    nanosleep(&second, NULL);
    kill(pid, SIGTERM);
    assert_int_equal(finish(pid), 0);
    assert_int_equal(run_mode(ARGS("--replay", spool)), 0);
    text = read_file(out_path);
    assert_non_null(strstr(text, " records, 1 to "));
    records = strtoul(text, NULL, 10);
    assert_true(records > 3);
    assert_int_equal(run_mode(ARGS("--replay", spool, "--output", readings)), 0);
    gl_auto_free(&text);
    text = read_file(readings);
    assert_int_equal(count_records(text, &last), records);
    assert_true(last.is_final);
    assert_null(strstr(text, "GLE1 "));
    /* with the token: enrolled, for who has seen no console */
    {
        char token[2 * TREE_PATH];

        snprintf(token, sizeof token, "%s/token", folder);
        tree_put(folder, "/token",
                 "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n");
        unlink(readings);
        assert_int_equal(
            run_mode(ARGS("--replay", spool, "--output", readings, "--token-file", token)), 0);
    }
    gl_auto_free(&text);
    text = read_file(readings);
    assert_int_equal(strncmp(text, "GLE1 ", 5), 0);
    assert_int_equal(count_records(text, &last), records);
    replay_with_an_end();
    /* and a spool that was tampered with */
    {
        char path[3 * TREE_PATH];
        int fd;

        snprintf(path, sizeof path, "%s/00000001.seg", spool);
        fd = open(path, O_RDWR | O_CLOEXEC);
        assert_int_equal(pwrite(fd, "9", 1, 60), 1);
        close(fd);
    }
    assert_int_equal(run_mode(ARGS("--replay", spool)), 9);
    assert_int_equal(run_mode(ARGS("--replay", folder)), 5); /* no spool there */
}

static void test_oneshot(void **state)
{
    GL_AUTO(gl_auto_free) char *text = NULL;
    struct gl_reading reading;
    struct gl_error err = {0};

    (void)state;
    tree_put(folder, "/sys/class/powercap/intel-rapl:0/name", "package-0\n");
    tree_number(folder, "/sys/class/powercap/intel-rapl:0/max_energy_range_uj", 262143328850);
    tree_number(folder, "/sys/class/powercap/intel-rapl:0/energy_uj", 1000);
    assert_int_equal(run_mode(ARGS("--oneshot", "--sysroot", folder)), 0);
    text = read_file(out_path);
    text[strcspn(text, "\n")] = '\0';
    if (gl_reading_parse(text, strlen(text), &reading, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(reading.seq, 1);
    for (size_t i = 0; i < reading.component_count; i++)
        assert_int_equal(reading.components[i].tier, GL_TIER_S);
    /* the counter stood still for a second: not believed, and not zero */
    assert_int_equal(reading.components[0].flags, GL_FLAG_SENTINEL | GL_FLAG_BOUNDED);
    assert_true(reading.components[0].delta_uj > 0);
}

static void test_selftest(void **state)
{
    GL_AUTO(gl_auto_free) char *text = NULL;

    (void)state;
    tree_put(folder, "/sys/class/powercap/intel-rapl:0/name", "package-0\n");
    tree_number(folder, "/sys/class/powercap/intel-rapl:0/energy_uj", 1000);
    assert_int_equal(run_mode(ARGS("--selftest", "--sysroot", folder)), 0);
    text = read_file(out_path);
    assert_non_null(strstr(text, "ok   crypto"));
    assert_non_null(strstr(text, "ok   clock"));
    assert_non_null(strstr(text, "use  powercap   package-0 (not sysfs)"));
    assert_non_null(strstr(text, "no   hwmon"));
    assert_non_null(strstr(text, "use  model      tier S"));
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refused_options),
        cmocka_unit_test(test_options),
        CASE(test_run_passes_the_status_on),
        CASE(test_terminated_command),
        CASE(test_daemon_with_spool),
        CASE(test_oneshot),
        CASE(test_selftest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
