/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/bench.h"

#include "base/file.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* A launch on EC2 by the whole command, from the start of the process until the instance is
 * recorded in the ledger and the process gone, beside the AWS CLI's run-instances on the same
 * counterpart, in turn. Prepared by tests/bench/aws.sh: FOLDER/ours and FOLDER/theirs hold the
 * words of the commands, one a line, FOLDER/primed the state that ours begins with each time, so
 * that it looks after no launch of an earlier round. */

#define ROUNDS 15
#define WARMUP 2
#define WORDS  32

extern char **environ;

struct runs {
    const char *title, *file;
    char *text; /* of the file; its words */
    char *argv[WORDS];
    double wall_s[ROUNDS], cpu_s[ROUNDS], peak_kib[ROUNDS];
};

static int read_words(const char *folder, struct runs *runs, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *path = gl_path_join(folder, runs->file);
    size_t length, count = 0;
    char *rest;

    if (gl_file_read(path, 65536, &runs->text, &length, err) != 0)
        return -1;
    for (char *word = strtok_r(runs->text, "\n", &rest); word != NULL && count < WORDS - 1;
         word = strtok_r(NULL, "\n", &rest))
        runs->argv[count++] = word;
    return count > 0 ? 0 : gl_fail(err, GL_E_USAGE, "%s is empty", path);
}

static double seconds(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

static int run(char *const *argv, struct rusage *out_used, double *out_wall_s, struct gl_error *err)
{
    posix_spawn_file_actions_t actions;
    double begun = bench_now_s();
    int failed, status;
    pid_t pid;

    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    failed = posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (failed != 0)
        return gl_fail_sys(err, GL_E_IO, failed, "cannot start %s", argv[0]);
    if (wait4(pid, &status, 0, out_used) != pid || status != 0)
        return gl_fail(err, GL_E_LAUNCH, "%s has failed", argv[0]);
    *out_wall_s = bench_now_s() - begun;
    return 0;
}

static int fresh_state(const char *folder, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *primed = gl_path_join(folder, "primed");
    GL_AUTO(gl_auto_free) char *state = gl_path_join(folder, "state");
    char *const remove[] = {(char[]){"rm"}, (char[]){"-rf"}, state, NULL};
    char *const copy[] = {(char[]){"cp"}, (char[]){"-a"}, primed, state, NULL};
    struct rusage ignored;
    double wall_s;

    return run(remove, &ignored, &wall_s, err) == 0 ? run(copy, &ignored, &wall_s, err) : -1;
}

static int measure(const char *folder, struct runs *runs, size_t at, struct gl_error *err)
{
    struct rusage used;

    if (fresh_state(folder, err) != 0 || run(runs->argv, &used, &runs->wall_s[at], err) != 0)
        return -1;
    runs->cpu_s[at] = seconds(used.ru_utime) + seconds(used.ru_stime);
    runs->peak_kib[at] = (double)used.ru_maxrss;
    return 0;
}

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

static void show(struct runs runs[2])
{
    double wall[2], cpu[2];

    for (size_t i = 0; i < 2; i++) {
        wall[i] = median(runs[i].wall_s);
        cpu[i] = median(runs[i].cpu_s);
        printf("  %-24s wall %7.1f ms (%.1f .. %.1f), CPU %7.1f ms, peak %5.1f MB; median of %d\n",
               runs[i].title, wall[i] * 1e3, runs[i].wall_s[0] * 1e3,
               runs[i].wall_s[ROUNDS - 1] * 1e3, cpu[i] * 1e3,
               median(runs[i].peak_kib) / 1e3 * 1.024, ROUNDS);
    }
    printf("  theirs / ours: %.1f in wall time, %.1f in CPU time\n", wall[1] / wall[0],
           cpu[1] / cpu[0]);
}

int bench_aws(const char *folder, struct gl_error *err)
{
    struct runs runs[] = {{.title = "greenlaunch launch", .file = "ours"},
                          {.title = "aws ec2 run-instances", .file = "theirs"}};
    int result = read_words(folder, &runs[0], err) | read_words(folder, &runs[1], err);

    for (int round = -WARMUP; result == 0 && round < ROUNDS; round++)
        for (size_t i = 0; result == 0 && i < 2; i++)
            result = measure(folder, &runs[i], round < 0 ? 0 : (size_t)round, err);
    if (result == 0)
        show(runs);
    free(runs[0].text);
    free(runs[1].text);
    return result;
}
