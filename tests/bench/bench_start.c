/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/bench.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Whole programs, from before they are started until they are gone, beside /bin/true: each command
 * in turn, so that all see the same noise. */

#define ROUNDS 200
#define WARMUP 5
#define WORDS  12

extern char **environ;

struct command {
    const char *title;
    const char *words[WORDS]; /* after the program; the first command is /bin/true */
    double first_s[ROUNDS];   /* until the first byte of output */
    double whole_s[ROUNDS];
};

static struct command commands[] = {
    {.title = "/bin/true"},
    {.title = "version", .words = {"version"}},
    {.title = "offers", .words = {"offers", "--offline"}},
    {.title = "offers, renewable, grade D",
     .words = {"offers", "--offline", "--renewable-only", "--min-grade", "D"}},
    {.title = "offers, renewable (none fits)",
     .words = {"offers", "--offline", "--renewable-only"}},
    {.title = "offers, renewable 50%, D",
     .words = {"offers", "--offline", "--renewable-only=50%", "--min-grade", "D"}},
    {.title = "offers, best of each region", .words = {"offers", "--offline", "--by-region"}},
    {.title = "offers, D, with digest",
     .words = {"offers", "--offline", "--renewable-only", "--min-grade", "D", "--json"}},
};

#define COMMANDS (sizeof commands / sizeof commands[0])

static int by_value(const void *a, const void *b)
{
    const double *left = a, *right = b;

    return (*left > *right) - (*left < *right);
}

static double median(double *values)
{
    qsort(values, ROUNDS, sizeof *values, by_value);
    return values[ROUNDS / 2];
}

static int spawn(const char *program, const struct command *command, int out, pid_t *pid)
{
    char *argv[WORDS + 2] = {0};
    posix_spawn_file_actions_t actions;
    int failed;

    argv[0] = strdup(program);
    for (size_t i = 0; i < WORDS && command->words[i] != NULL; i++)
        argv[i + 1] = strdup(command->words[i]);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    failed = posix_spawn(pid, program, &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    for (size_t i = 0; argv[i] != NULL; i++)
        free(argv[i]);
    return failed;
}

static int run_once(const char *program, const struct command *command, double *out_first_s,
                    double *out_whole_s, struct gl_error *err)
{
    char bytes[65536];
    int pipes[2], failed, status;
    pid_t pid;
    double begun = bench_now_s();

    if (pipe2(pipes, O_CLOEXEC) != 0)
        return gl_fail_sys(err, GL_E_IO, errno, "no pipe");
    failed = spawn(program, command, pipes[1], &pid);
    close(pipes[1]);
    if (failed == 0) {
        ssize_t got = read(pipes[0], bytes, sizeof bytes);

        *out_first_s = bench_now_s() - begun;
        while (got > 0)
            got = read(pipes[0], bytes, sizeof bytes);
        waitpid(pid, &status, 0);
        *out_whole_s = bench_now_s() - begun;
    }
    close(pipes[0]);
    return failed == 0 ? 0 : gl_fail_sys(err, GL_E_IO, failed, "cannot start %s", program);
}

int bench_start(const char *greenlaunch, struct gl_error *err)
{
    double base;

    for (int round = -WARMUP; round < ROUNDS; round++)
        for (size_t i = 0; i < COMMANDS; i++) {
            size_t at = round < 0 ? 0 : (size_t)round;

            if (run_once(i == 0 ? commands[i].title : greenlaunch, &commands[i],
                         &commands[i].first_s[at], &commands[i].whole_s[at], err) != 0)
                return -1;
        }
    base = median(commands[0].whole_s);
    for (size_t i = 0; i < COMMANDS; i++) {
        double first = median(commands[i].first_s), whole = median(commands[i].whole_s);

        printf("  %-30s first output %6.2f ms %5.2f x, whole %6.2f ms %5.2f x /bin/true "
               "(%.2f .. %.2f ms)\n",
               commands[i].title, first * 1e3, first / base, whole * 1e3, whole / base,
               commands[i].whole_s[0] * 1e3, commands[i].whole_s[ROUNDS * 9 / 10] * 1e3);
    }
    return 0;
}
