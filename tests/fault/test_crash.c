/* SPDX-License-Identifier: Apache-2.0 */
/* A crash of the command while it holds a token: no picture of its memory stays behind, whatever
 * the limits are that it was started with, and nobody else of its user could look into it while it
 * lived. BUILD_DIR is where greenlaunch lies. */
#include "base/file.h"
#include "tests/support/scratch.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define PLANTED "planted-crash-token-77c1planted-crash-token-77c1planted-crash-to"
#define NOBODY  65534
#define WAIT_MS 20000

static char *folder, *program;
static int listener;
static struct gl_error err;

/* Takes calls, and never answers one. */
static unsigned listen_mute(void)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof name;

    listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(listener >= 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&name, sizeof name), 0);
    assert_int_equal(listen(listener, 4), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&name, &length), 0);
    return ntohs(name.sin_port);
}

static int set_up(void **state)
{
    const char *build = getenv("BUILD_DIR");
    char *whole = realpath(build != NULL ? build : "build", NULL);
    GL_AUTO(gl_auto_free) char *path = NULL;
    char text[256];

    (void)state;
    folder = scratch_make("crash");
    program = gl_path_join(whole, "greenlaunch");
    free(whole);
    path = gl_path_join(folder, "config.yaml");
    snprintf(text, sizeof text,
             "greenlaunch_config: 1\nclouds: {hetzner: {endpoint: 'http://127.0.0.1:%u'}}\n"
             "sources: []\n",
             listen_mute());
    assert_int_equal(gl_file_write(path, text, strlen(text), 0644, &err), 0);
    return chmod(folder, 0777);
}

static int tear_down(void **state)
{
    (void)state;
    close(listener);
    scratch_remove(folder);
    free(program);
    return 0;
}

/* With all that a user may have set to get a picture. */
static _Noreturn void become(bool as_nobody)
{
    char command[] = "provider", check[] = "check", cloud[] = "hetzner", config[] = "--config",
         file[] = "config.yaml", state[] = "--state", here[] = "state", *name = program;
    char *argv[] = {name, command, check, cloud, config, file, state, here, NULL};
    char token[] = "HCLOUD_TOKEN=" PLANTED, path[] = "PATH=/usr/bin:/bin", home[] = "HOME=.";
    char *environment[] = {token, path, home, NULL};
    const struct rlimit all = {RLIM_INFINITY, RLIM_INFINITY};

    int fd = open(program, O_PATH | O_CLOEXEC); /* nobody may not reach the tree by its path */

    if (fd < 0 || chdir(folder) != 0 || setrlimit(RLIMIT_CORE, &all) != 0)
        _exit(120);
    if (as_nobody && (setgid(NOBODY) != 0 || setuid(NOBODY) != 0))
        _exit(121);
    close(STDOUT_FILENO);
    close(STDERR_FILENO);
    fexecve(fd, argv, environment);
    _exit(122);
}

/* It has sent its token, or is about to. */
static int start_asking(bool as_nobody)
{
    struct pollfd call = {.fd = listener, .events = POLLIN};
    int pid = fork();

    assert_true(pid >= 0);
    if (pid == 0)
        become(as_nobody);
    assert_int_equal(poll(&call, 1, WAIT_MS), 1);
    return pid;
}

static size_t pictures(void)
{
    DIR *directory = opendir(folder);
    struct dirent *entry;
    size_t count = 0;

    while (directory != NULL && (entry = readdir(directory)) != NULL)
        count += strstr(entry->d_name, "core") != NULL;
    if (directory != NULL)
        closedir(directory);
    return count;
}

static void a_crash_leaves_no_picture(void **state)
{
    int pid = start_asking(false), status;

    (void)state;
    assert_int_equal(kill(pid, SIGABRT), 0); /* sanitizers keep SIGSEGV for themselves */
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
    assert_false(WCOREDUMP(status));
    assert_int_equal(pictures(), 0);
}

/* Linux gives the files of such a process to root. */
static void its_memory_is_nobody_elses(void **state)
{
    bool is_root = geteuid() == 0;
    int pid, status;
    char path[64];
    struct stat seen;

    (void)state;
    pid = start_asking(is_root);
    snprintf(path, sizeof path, "/proc/%d/mem", pid);
    assert_int_equal(stat(path, &seen), 0);
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(seen.st_uid, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_crash_leaves_no_picture, set_up, tear_down),
        cmocka_unit_test_setup_teardown(its_memory_is_nobody_elses, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
