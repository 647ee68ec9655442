/* SPDX-License-Identifier: Apache-2.0 */
#include "base/process.h"

#include "base/file.h"

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
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define FOLDER "build/tmp/test_process"

static int set_up(void **state)
{
    struct gl_error err = {0};

    (void)state;
    return gl_dir_make(FOLDER, &err);
}

static int tear_down(void **state)
{
    struct gl_error err = {0};

    (void)state;
    return gl_dir_remove(FOLDER, &err);
}

/* What `script` prints under /bin/sh with the rules of `spawn` (its argv and stdout are set here);
 * to be freed. */
static char *shell(struct gl_spawn spawn, const char *script, int *out_status)
{
    const char *const argv[] = {"/bin/sh", "-c", script, NULL};
    char *text = gl_alloc(4096);
    struct gl_error err = {0};
    struct gl_process process;
    ssize_t got;
    size_t used = 0;
    int ends[2];

    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    spawn.argv = argv;
    spawn.stdout_fd = ends[1];
    if (gl_process_start(&spawn, &process, &err) < 0)
        fail_msg("%s", err.text);
    close(ends[1]);
    while ((got = read(ends[0], text + used, 4095 - used)) > 0)
        used += (size_t)got;
    close(ends[0]);
    assert_int_equal(gl_process_wait(&process, -1, out_status), 1);
    return text;
}

static const struct gl_spawn plain = {.stdin_fd = -1, .stderr_fd = -1, .uid = -1, .gid = -1};

static void expect(struct gl_spawn spawn, const char *script, const char *expected)
{
    int status;
    char *text = shell(spawn, script, &status);

    assert_string_equal(text, expected);
    assert_int_equal(status, 0);
    free(text);
}

static struct gl_process start(const char *const *argv)
{
    struct gl_spawn spawn = plain;
    struct gl_error err = {0};
    struct gl_process process;

    spawn.argv = argv;
    spawn.stdout_fd = -1;
    assert_int_equal(gl_process_start(&spawn, &process, &err), 0);
    return process;
}

static const char *const sleep_long[] = {"sleep", "100", NULL};

static void exit_status_and_signal_are_reported(void **state)
{
    struct gl_process process;
    int status;

    (void)state;
    free(shell(plain, "exit 7", &status));
    assert_int_equal(status, 7);
    process = start(sleep_long);
    assert_true(gl_process_is_alive(&process));
    assert_int_equal(gl_process_wait(&process, 0, &status), 0);
    assert_int_equal(gl_process_wait(&process, 20, &status), 0);
    gl_process_kill(&process, SIGTERM);
    assert_int_equal(gl_process_wait(&process, -1, &status), 1);
    assert_int_equal(status, 128 + SIGTERM);
    assert_false(gl_process_is_alive(&process));
    assert_int_equal(gl_process_wait(&process, -1, &status), -1);
    assert_int_equal(gl_process_cpu_ms(&process), -1);
    gl_process_kill(&process, SIGTERM); /* fine when it is gone */
}

static void an_exec_failure_is_ours_to_report(void **state)
{
    static const char *const none[] = {"/nowhere/at/all", NULL}, *const text[] = {FOLDER, NULL};
    static const char *const unknown[] = {"no-such-program-anywhere", NULL};
    const char *const *const rows[] = {none, text, unknown};
    const int sys[] = {ENOENT, EACCES, ENOENT};
    struct gl_spawn spawn = plain;
    struct gl_process process = {.pid = 77};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct gl_error err = {0};

        spawn.argv = rows[i];
        assert_int_equal(gl_process_start(&spawn, &process, &err), -1);
        assert_int_equal(err.code, GL_E_IO);
        assert_int_equal(err.sys, sys[i]);
        assert_non_null(strstr(err.text, rows[i][0]));
        assert_int_equal(process.pid, 77);
    }
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* and no zombie stays */
    assert_int_equal(errno, ECHILD);
}

static void folder_and_environment_are_set(void **state)
{
    static const char *const environment[] = {"COLOUR=green", NULL};
    struct gl_spawn spawn = plain;

    (void)state;
    spawn.folder = "/";
    spawn.environment = environment;
    expect(spawn, "pwd; echo $COLOUR; echo ${HOME:-none}", "/\ngreen\nnone\n");
    spawn.folder = "/nowhere";
    {
        static const char *const argv[] = {"/bin/true", NULL};
        struct gl_process process;
        struct gl_error err = {0};

        spawn.argv = argv;
        assert_int_equal(gl_process_start(&spawn, &process, &err), -1);
        assert_non_null(strstr(err.text, "folder"));
    }
}

/* The shell's own descriptors are closed by the redirection of ls alone. */
static void only_kept_descriptors_pass(void **state)
{
    struct gl_spawn spawn = plain;
    int leaked = open("/dev/null", O_RDONLY); /* on purpose without O_CLOEXEC */
    int kept = fcntl(leaked, F_DUPFD_CLOEXEC, 57);
    char script[160];

    (void)state;
    assert_int_equal(kept, 57);
    spawn.keep_fds = &kept;
    spawn.keep_count = 1;
    snprintf(script, sizeof script,
             "test -e /proc/$$/fd/57 && echo kept; test -e /proc/$$/fd/%d || echo closed", leaked);
    expect(spawn, script, "kept\nclosed\n");
    spawn.keep_count = 0;
    expect(spawn, "test -e /proc/$$/fd/57 || echo closed", "closed\n");
    close(kept);
    close(leaked);
}

/* stdout and stderr swapped: 2 is wanted as 1 and 1 as 2. */
static void standard_descriptors_may_be_permuted(void **state)
{
    static const char *const argv[] = {"/bin/sh", "-c", "echo out; echo err >&2", NULL};
    struct gl_spawn spawn = {
        .argv = argv, .stdin_fd = -1, .stdout_fd = 2, .stderr_fd = 1, .uid = -1, .gid = -1};
    int out = open(FOLDER "/one", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    int error = open(FOLDER "/two", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    int old_out, old_error, status, result;
    struct gl_error err = {0};
    struct gl_process process;
    char text[8] = "";

    (void)state;
    fflush(NULL);
    old_out = dup(1), old_error = dup(2);
    dup2(out, 1), dup2(error, 2);
    result = gl_process_start(&spawn, &process, &err);
    dup2(old_out, 1), dup2(old_error, 2);
    close(old_out), close(old_error);
    assert_int_equal(result, 0);
    assert_int_equal(gl_process_wait(&process, -1, &status), 1);
    assert_int_equal(pread(out, text, 4, 0), 4);
    assert_string_equal(text, "err\n");
    assert_int_equal(pread(error, text, 4, 0), 4);
    assert_string_equal(text, "out\n");
    close(out), close(error);
}

static void a_file_cannot_outgrow_its_limit(void **state)
{
    struct gl_spawn spawn = plain;
    struct stat info;
    int status;

    (void)state;
    spawn.folder = FOLDER;
    spawn.file_size_limit = 8192;
    /* SIGXFSZ is ignored, so the writer sees an error instead of dying of a signal (128 + 25). */
    free(shell(spawn, "dd if=/dev/zero of=big bs=1000 count=100 2>/dev/null; exit $?", &status));
    assert_int_equal(status, 1);
    assert_int_equal(stat(FOLDER "/big", &info), 0);
    assert_int_equal(info.st_size, 8192);
}

static void a_detached_child_leads_its_own_session(void **state)
{
    struct gl_spawn spawn = plain;

    (void)state;
    spawn.is_detached = true;
    expect(spawn, "set -- $(sed 's/.*) //' /proc/$$/stat); test $4 = $$ && echo leads", "leads\n");
    spawn.is_detached = false;
    expect(spawn, "set -- $(sed 's/.*) //' /proc/$$/stat); test $4 = $$ || echo follows",
           "follows\n");
}

static void signals_are_reset(void **state)
{
    struct gl_spawn spawn = plain;
    sigset_t block, before;

    (void)state;
    signal(SIGPIPE, SIG_IGN);
    signal(SIGHUP, SIG_DFL);
    sigemptyset(&block);
    sigaddset(&block, SIGTERM);
    sigprocmask(SIG_BLOCK, &block, &before);
    /* The C library keeps 32 and 33 for itself: nobody can reset them, and some parents ignore
     * them. */
    expect(spawn,
           "sed -n 's/^Sig\\(Blk\\|Ign\\):.*\\(........\\)$/\\2/p' /proc/self/status | sed s/^8/0/",
           "00000000\n00000000\n");
    sigprocmask(SIG_SETMASK, &before, NULL);
    signal(SIGHUP, SIG_IGN); /* as nohup does */
    expect(spawn, "sed -n 's/^SigIgn:.*\\(.\\)$/\\1/p' /proc/self/status", "1\n");
    signal(SIGHUP, SIG_DFL);
    signal(SIGPIPE, SIG_DFL);
}

static void the_user_is_dropped(void **state)
{
    struct gl_spawn spawn = plain;
    char script[] = "id -u; id -g; id -G";

    (void)state;
    spawn.uid = 65534;
    spawn.gid = 65534;
    if (getuid() != 0) {
        static const char *const argv[] = {"/bin/true", NULL};
        struct gl_process process;
        struct gl_error err = {0};

        spawn.argv = argv;
        assert_int_equal(gl_process_start(&spawn, &process, &err), -1);
        assert_int_equal(err.sys, EPERM);
        return;
    }
    expect(spawn, script, "65534\n65534\n65534\n");
}

/* Run by a child that gave up root's rights: 0 when the drop is refused as it must be. */
static int try_to_change_user(void)
{
    static const char *const argv[] = {"/bin/true", NULL};
    struct gl_spawn spawn = plain;
    struct gl_process process;
    struct gl_error err = {0};

    spawn.argv = argv;
    spawn.stdout_fd = -1;
    spawn.uid = 1;
    if (setresgid(65534, 65534, 65534) != 0 || setresuid(65534, 65534, 65534) != 0)
        return 1;
    if (gl_process_start(&spawn, &process, &err) == 0 || err.sys != EPERM)
        return 2;
    return strstr(err.text, "user") != NULL ? 0 : 3;
}

static void a_drop_without_rights_is_refused(void **state)
{
    int pid, status;

    (void)state;
    if (getuid() != 0) {
        print_message("skipped: needs root to give it up\n");
        skip();
    }
    fflush(NULL);
    pid = fork();
    if (pid == 0)
        _exit(try_to_change_user());
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void bad_descriptors_are_reported(void **state)
{
    static const char *const argv[] = {"/bin/true", NULL};
    const int bad = 1000000;
    struct gl_spawn spawn = plain;
    struct gl_process process;
    struct gl_error err = {0};

    (void)state;
    spawn.argv = argv;
    spawn.stdout_fd = -1;
    spawn.keep_fds = &bad;
    spawn.keep_count = 1;
    assert_int_equal(gl_process_start(&spawn, &process, &err), -1);
    assert_int_equal(err.sys, EBADF);
    assert_non_null(strstr(err.text, "files"));
    gl_error_clear(&err);
    spawn.keep_count = 0;
    spawn.stdin_fd = bad;
    assert_int_equal(gl_process_start(&spawn, &process, &err), -1);
    assert_int_equal(err.sys, EBADF);
}

static void no_free_descriptor_is_an_error(void **state)
{
    static const char *const argv[] = {"/bin/true", NULL};
    struct rlimit before, none;
    struct gl_spawn spawn = plain;
    struct gl_process process;
    struct gl_error start_error = {0}, capture_error = {0};
    struct gl_str out = {0};
    int started, captured, status;

    (void)state;
    spawn.argv = argv;
    spawn.stdout_fd = -1;
    getrlimit(RLIMIT_NOFILE, &before);
    none = before;
    none.rlim_cur = 3;
    setrlimit(RLIMIT_NOFILE, &none);
    started = gl_process_start(&spawn, &process, &start_error);
    captured = gl_process_capture(argv, 10, 1000, &out, &status, &capture_error);
    setrlimit(RLIMIT_NOFILE, &before);
    assert_int_equal(started, -1);
    assert_int_equal(start_error.sys, EMFILE);
    assert_int_equal(captured, -1);
    assert_int_equal(capture_error.sys, EMFILE);
}

/* A helper in between starts a sleeper bound to it, prints its pid and ends. */
static void a_bound_child_dies_with_its_parent(void **state)
{
    struct gl_process process = {0};
    struct gl_spawn spawn = plain;
    struct gl_error err = {0};
    int ends[2], helper;

    (void)state;
    spawn.argv = sleep_long;
    spawn.stdout_fd = -1;
    spawn.dies_with_parent = true;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    fflush(NULL);
    helper = fork();
    if (helper == 0) {
        ssize_t written = -1;

        if (gl_process_start(&spawn, &process, &err) == 0 && gl_process_is_alive(&process))
            written = write(ends[1], &process, sizeof process);
        _exit(written == (ssize_t)sizeof process ? 0 : 1);
    }
    assert_int_equal(read(ends[0], &process, sizeof process), sizeof process);
    assert_int_equal(waitpid(helper, NULL, 0), helper);
    assert_int_equal(waitpid(process.pid, NULL, 0), process.pid); /* or wait for 100 s */
    assert_false(gl_process_is_alive(&process));
    prctl(PR_SET_CHILD_SUBREAPER, 0);
    close(ends[0]), close(ends[1]);
}

static void a_recycled_pid_is_a_stranger(void **state)
{
    struct gl_process process = start(sleep_long), stranger = process;
    int status;

    (void)state;
    stranger.start_ticks--;
    assert_false(gl_process_is_alive(&stranger));
    assert_int_equal(gl_process_cpu_ms(&stranger), -1);
    gl_process_kill(&stranger, SIGKILL);
    assert_int_equal(gl_process_wait(&process, 50, &status), 0);
    assert_true(gl_process_is_alive(&process));
    gl_process_kill(&process, SIGKILL);
    assert_int_equal(gl_process_wait(&process, -1, &status), 1);
    assert_int_equal(status, 128 + SIGKILL);
}

static void a_name_with_parentheses_is_no_trouble(void **state)
{
    static const char name[] = FOLDER "/a) Z 1 (b";
    static const char *const argv[] = {name, "100", NULL};
    struct gl_process process;
    int status;

    (void)state;
    assert_int_equal(symlink("/bin/sleep", name), 0);
    process = start(argv);
    assert_true(process.start_ticks > 1);
    assert_true(gl_process_is_alive(&process));
    gl_process_kill(&process, SIGKILL);
    assert_int_equal(gl_process_wait(&process, -1, &status), 1);
}

static void a_zombie_is_not_alive(void **state)
{
    static const char *const argv[] = {"true", NULL};
    struct gl_process process = start(argv);
    siginfo_t info;
    int status;

    (void)state;
    assert_int_equal(waitid(P_PID, (id_t)process.pid, &info, WEXITED | WNOWAIT), 0);
    assert_false(gl_process_is_alive(&process));
    assert_int_equal(gl_process_wait(&process, 0, &status), 1);
    assert_int_equal(status, 0);
}

static void nonsense_processes_are_refused(void **state)
{
    static const struct gl_process rows[] = {{0, 0}, {-1, 0}, {1, UINT64_MAX}, {99999999, 1}};
    int status;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        gl_process_kill(&rows[i], SIGKILL);
        assert_int_equal(gl_process_wait(&rows[i], 0, &status), -1);
        assert_int_equal(gl_process_cpu_ms(&rows[i]), -1);
    }
}

static void cpu_time_grows(void **state)
{
    static const char *const argv[] = {"sh", "-c", "while :; do :; done", NULL};
    struct gl_process process = start(argv);
    int status;

    (void)state;
    while (gl_process_cpu_ms(&process) < 30)
        usleep(5000);
    gl_process_kill(&process, SIGKILL);
    assert_int_equal(gl_process_wait(&process, -1, &status), 1);
}

static void capture_collects_stdout(void **state)
{
    static const char *const argv[] = {"sh", "-c", "printf 12345; echo x >&2; exit 3", NULL};
    struct gl_str out = {0};
    struct gl_error err = {0};
    int status = 0;

    (void)state;
    gl_str_add(&out, "0");
    assert_int_equal(gl_process_capture(argv, 5, -1, &out, &status, &err), 0);
    assert_string_equal(gl_str_text(&out), "012345");
    assert_int_equal(status, 3);
    assert_int_equal(gl_process_capture(argv, 4, -1, &out, &status, &err), -1);
    assert_int_equal(err.code, GL_E_TOO_LARGE);
    assert_string_equal(gl_str_text(&out), "012345");
    gl_str_done(&out);
}

/* Beside other work: what is not there yet is not waited for, and nothing is left behind. */
static void capture_is_looked_at_now_and_then(void **state)
{
    const char *const slow[] = {"/bin/sh", "-c", "echo a; read x; echo b", NULL};
    const char *const never[] = {"sleep", "1000", NULL};
    GL_AUTO(gl_str_done) struct gl_str out = {0};
    struct gl_spawn spawn = {.argv = slow, .stdout_fd = -1, .stderr_fd = -1, .uid = -1, .gid = -1};
    struct gl_error err = {0};
    struct gl_capture *capture;
    int ends[2], status = -1;

    (void)state;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    spawn.stdin_fd = ends[0];
    capture = gl_capture_start(&spawn, 100, 60000, &err);
    assert_non_null(capture);
    for (int i = 0; i < 3; i++)
        assert_int_equal(gl_capture_take(capture, i, &out, &status, &err), 0);
    assert_int_equal(out.length, 0);
    assert_int_equal(write(ends[1], "\n", 1), 1);
    assert_int_equal(gl_capture_take(capture, -1, &out, &status, &err), 1);
    assert_string_equal(gl_str_text(&out), "a\nb\n");
    assert_int_equal(status, 0);
    gl_capture_free(capture);
    close(ends[0]);
    close(ends[1]);
    spawn.argv = never;
    spawn.stdin_fd = -1;
    capture = gl_capture_start(&spawn, 100, 20, &err);
    assert_int_equal(gl_capture_take(capture, -1, &out, &status, &err), -1);
    assert_int_equal(err.code, GL_E_TIMEOUT);
    gl_capture_free(capture);
    gl_capture_free(gl_capture_start(&spawn, 100, -1, &err));
    assert_int_equal(waitpid(-1, &status, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

static void capture_gives_up_in_time(void **state)
{
    static const char *const closes[] = {"sh", "-c", "exec >&-; exec sleep 100", NULL};
    const char *const *const rows[] = {sleep_long, closes};
    struct gl_str out = {0};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct gl_error err = {0};
        int status = 55;

        assert_int_equal(gl_process_capture(rows[i], 10, 100, &out, &status, &err), -1);
        assert_int_equal(err.code, GL_E_TIMEOUT);
        assert_int_equal(status, 55);
    }
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* both killed and reaped */
    gl_str_done(&out);
}

static void programs_are_found_in_absolute_folders_only(void **state)
{
    char *path = gl_program_find("sh"), *old = gl_strdup(getenv("PATH"));

    (void)state;
    assert_non_null(path);
    assert_int_equal(path[0], '/');
    free(path);
    assert_null(gl_program_find(""));
    assert_null(gl_program_find("/bin/sh"));
    assert_int_equal(symlink("/bin/true", FOLDER "/only-here"), 0);
    setenv("PATH", FOLDER "::.:/nowhere", 1);
    assert_null(gl_program_find("only-here"));
    assert_null(gl_program_find("sh"));
    unsetenv("PATH");
    path = gl_program_find("sh");
    assert_non_null(path);
    free(path);
    setenv("PATH", old, 1);
    free(old);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exit_status_and_signal_are_reported),
        cmocka_unit_test(an_exec_failure_is_ours_to_report),
        cmocka_unit_test(folder_and_environment_are_set),
        cmocka_unit_test(only_kept_descriptors_pass),
        cmocka_unit_test(standard_descriptors_may_be_permuted),
        cmocka_unit_test(a_file_cannot_outgrow_its_limit),
        cmocka_unit_test(a_detached_child_leads_its_own_session),
        cmocka_unit_test(signals_are_reset),
        cmocka_unit_test(the_user_is_dropped),
        cmocka_unit_test(a_drop_without_rights_is_refused),
        cmocka_unit_test(bad_descriptors_are_reported),
        cmocka_unit_test(no_free_descriptor_is_an_error),
        cmocka_unit_test(a_bound_child_dies_with_its_parent),
        cmocka_unit_test(a_recycled_pid_is_a_stranger),
        cmocka_unit_test(a_name_with_parentheses_is_no_trouble),
        cmocka_unit_test(a_zombie_is_not_alive),
        cmocka_unit_test(nonsense_processes_are_refused),
        cmocka_unit_test(cpu_time_grows),
        cmocka_unit_test(capture_collects_stdout),
        cmocka_unit_test(capture_is_looked_at_now_and_then),
        cmocka_unit_test(capture_gives_up_in_time),
        cmocka_unit_test(programs_are_found_in_absolute_folders_only),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
