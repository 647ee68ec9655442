/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/bench.h"

#include "base/http.h"
#include "base/sign.h"
#include "providers/cloud/cloud.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* A launch on EC2 as a whole program, from its start until it knows the instance, beside the AWS
 * CLI's run-instances on the same counterpart, in turn. Ours is the adapter in a process of its
 * own: no policy is judged and no ledger written, so it is not yet the whole `launch`. The address
 * and the keys come from the environment: AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID ... */

#define ROUNDS 15
#define WARMUP 2
#define REGION "eu-north-1"
#define TYPE   "t3.micro"

extern char **environ;

int bench_aws_launch(const char *image, struct gl_error *err)
{
    const struct gl_cloud_setting settings[] = {{"region", REGION}, {"image", image}};
    struct gl_world world;
    const struct gl_cloud_options options = {
        .world = &world, .settings = settings, .setting_count = 2};
    struct gl_launch launch = {
        .region = REGION, .type = TYPE, .launch_id = "gl-bench", .attempt = 1, .lease = {3600}};
    char token[GL_HASH_HEX];
    struct gl_instance made;
    struct gl_cloud *cloud;
    struct gl_hash bytes;
    int result;

    gl_world_real(&world);
    world.http = gl_http_curl_new();
    world.random(world.cookie, &bytes, sizeof bytes);
    launch.token = launch.enrol_token = gl_hash_hex(&bytes, token);
    launch.expires.unix_s = gl_now(&world).unix_s + 3600;
    cloud = gl_cloud_open("aws", &options, err);
    if (cloud == NULL)
        return -1;
    result = cloud->ops->launch(cloud, &launch, &made, err);
    if (result == 0)
        printf("%s\n", made.id);
    gl_cloud_close(cloud);
    gl_http_close(world.http);
    return result;
}

struct runs {
    const char *title;
    const char *const *argv;
    double wall_s[ROUNDS], cpu_s[ROUNDS];
};

static double seconds(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

static int run(struct runs *runs, size_t at, struct gl_error *err)
{
    posix_spawn_file_actions_t actions;
    double begun = bench_now_s();
    struct rusage used;
    int failed, status;
    pid_t pid;

    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    failed = posix_spawnp(&pid, runs->argv[0], &actions, NULL, (char *const *)(uintptr_t)runs->argv,
                          environ);
    posix_spawn_file_actions_destroy(&actions);
    if (failed != 0)
        return gl_fail_sys(err, GL_E_IO, failed, "cannot start %s", runs->argv[0]);
    if (wait4(pid, &status, 0, &used) != pid || status != 0)
        return gl_fail(err, GL_E_LAUNCH, "%s has failed", runs->title);
    runs->wall_s[at] = bench_now_s() - begun;
    runs->cpu_s[at] = seconds(used.ru_utime) + seconds(used.ru_stime);
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

int bench_aws(const char *aws, struct gl_error *err)
{
    const char *image = getenv("MOTO_AMI");
    const char *const theirs[] = {
        aws,  "ec2",      "run-instances", "--image-id", image,  "--count", "1", "--instance-type",
        TYPE, "--region", REGION,          "--output",   "json", NULL};
    char self[4096];
    const char *const ours[] = {self, "aws-launch", image, NULL};
    struct runs runs[] = {{.title = "greenlaunch (adapter alone)", .argv = ours},
                          {.title = "aws ec2 run-instances", .argv = theirs}};
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    double wall[2], cpu[2];

    if (image == NULL || length <= 0)
        return gl_fail(err, GL_E_USAGE, "MOTO_AMI is not set: run by tests/bench/aws.sh");
    self[length] = '\0';
    for (int round = -WARMUP; round < ROUNDS; round++)
        for (size_t i = 0; i < 2; i++)
            if (run(&runs[i], round < 0 ? 0 : (size_t)round, err) < 0)
                return -1;
    for (size_t i = 0; i < 2; i++) {
        wall[i] = median(runs[i].wall_s);
        cpu[i] = median(runs[i].cpu_s);
        printf("  %-30s wall %8.1f ms (%.1f .. %.1f), CPU %8.1f ms; median of %d\n", runs[i].title,
               wall[i] * 1e3, runs[i].wall_s[0] * 1e3, runs[i].wall_s[ROUNDS - 1] * 1e3,
               cpu[i] * 1e3, ROUNDS);
    }
    printf("  theirs / ours: %.1f in wall time, %.1f in CPU time\n", wall[1] / wall[0],
           cpu[1] / cpu[0]);
    return 0;
}
