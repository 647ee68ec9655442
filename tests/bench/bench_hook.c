/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/bench.h"

#include "base/file.h"
#include "base/jsonpull.h"
#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* Whole commands over one plan, in turn, so that all see the same noise: wall clock, processor and
 * peak memory as the kernel accounts for them. Which commands is tests/bench/hook.sh's choice. */

#define ROWS_MAX      12
#define ROUNDS_MAX    21
#define WORDS_MAX     24
#define READER_ROUNDS 9
#define FILE_MAX      ((size_t)64 << 10)

extern char **environ;

struct row {
    char *words[WORDS_MAX + 1];
    const char *title;
    int rounds, status;
    double wall_s[ROUNDS_MAX], cpu_s[ROUNDS_MAX];
    long peak_kib;
};

/* ---- a plan in the manner of `terraform show -json` ---- */

static const char *const zones[] = {"eu-north-1a", "eu-west-3b", "ca-central-1a", "ap-south-1b"};

static void add_values(FILE *out, unsigned number)
{
    fprintf(out,
            "{\"ami\":\"ami-0ff8a91507f77f867\",\"availability_zone\":\"%s\","
            "\"credit_specification\":[],\"disable_api_termination\":null,\"ebs_optimized\":false,"
            "\"get_password_data\":false,\"hibernation\":null,\"instance_type\":\"m5.4xlarge\","
            "\"launch_template\":[],\"monitoring\":true,\"source_dest_check\":true,",
            zones[number % 4]);
    fprintf(out,
            "\"associate_public_ip_address\":false,\"iam_instance_profile\":\"web-%u\","
            "\"key_name\":\"deploy\",\"metadata_options\":[{\"http_endpoint\":\"enabled\","
            "\"http_put_response_hop_limit\":1,\"http_tokens\":\"required\","
            "\"instance_metadata_tags\":\"disabled\"}],\"ebs_block_device\":[{"
            "\"delete_on_termination\":true,\"device_name\":\"/dev/sdf\",\"encrypted\":true,"
            "\"tags\":{\"Name\":\"data-%u\"},\"volume_size\":500,\"volume_type\":\"gp3\"}],"
            "\"maintenance_options\":[{\"auto_recovery\":\"default\"}],\"volume_tags\":null,",
            number, number);
    fprintf(out,
            "\"root_block_device\":[{\"delete_on_termination\":true,\"volume_size\":50,"
            "\"volume_type\":\"gp2\",\"tags\":{\"Name\":\"root-%u\"}}],"
            "\"tags\":{\"Name\":\"web-%u\",\"Environment\":\"production\",\"Team\":\"shop\"},"
            "\"timeouts\":null,\"user_data\":\"%0512u\"}",
            number, number, number);
}

static void add_head(FILE *out, unsigned number)
{
    fprintf(out,
            "{\"address\":\"module.shard%u.aws_instance.web[%u]\",\"mode\":\"managed\","
            "\"type\":\"aws_instance\",\"name\":\"web\",\"index\":%u,"
            "\"provider_name\":\"registry.terraform.io/hashicorp/aws\",",
            number / 40, number % 40, number % 40);
}

static void add_planned(FILE *out, unsigned number)
{
    add_head(out, number);
    fputs("\"schema_version\":1,\"values\":", out);
    add_values(out, number);
    fputs("}", out);
}

static void add_change(FILE *out, unsigned number)
{
    add_head(out, number);
    fputs("\"change\":{\"actions\":[\"create\"],\"before\":null,\"after\":", out);
    add_values(out, number);
    fputs(",\"after_unknown\":{\"arn\":true,\"cpu_core_count\":true,\"id\":true,"
          "\"ipv6_addresses\":true,\"network_interface\":true,\"private_dns\":true,"
          "\"root_block_device\":[{\"device_name\":true,\"iops\":true}],\"subnet_id\":true,"
          "\"vpc_security_group_ids\":true},\"before_sensitive\":false,\"after_sensitive\":"
          "{\"credit_specification\":[],\"root_block_device\":[{}],\"tags\":{}}}}",
          out);
}

static void add_call(FILE *out, unsigned shard)
{
    fprintf(out,
            "\"shard%u\":{\"source\":\"./shard\",\"expressions\":{\"size\":{\"references\":"
            "[\"var.size\"]}},\"module\":{\"resources\":[{\"address\":\"aws_instance.web\","
            "\"mode\":\"managed\",\"type\":\"aws_instance\",\"name\":\"web\","
            "\"provider_config_key\":\"aws\",\"expressions\":{\"instance_type\":{\"references\":"
            "[\"var.size\"]}},\"schema_version\":1,\"count_expression\":{\"constant_value\":40}}],"
            "\"variables\":{\"size\":{}}}}",
            shard);
}

static void add_each(FILE *out, unsigned count, void (*add)(FILE *out, unsigned number))
{
    for (unsigned i = 0; i < count; i++) {
        if (i > 0)
            fputc(',', out);
        add(out, i);
    }
}

int bench_hook_plan(const char *count, struct gl_error *err)
{
    unsigned resources = (unsigned)strtoul(count, NULL, 10);

    fputs("{\"format_version\":\"1.2\",\"terraform_version\":\"1.9.8\",\"variables\":{\"size\":"
          "{\"value\":\"m5.4xlarge\"}},\"planned_values\":{\"root_module\":{\"resources\":[",
          stdout);
    add_each(stdout, resources, add_planned);
    fputs("]}},\"resource_changes\":[", stdout);
    add_each(stdout, resources, add_change);
    fputs("],\"configuration\":{\"provider_config\":{\"aws\":{\"name\":\"aws\",\"full_name\":"
          "\"registry.terraform.io/hashicorp/aws\"}},\"root_module\":{\"module_calls\":{",
          stdout);
    add_each(stdout, (resources + 39) / 40, add_call);
    fputs("},\"variables\":{\"size\":{}}}}}\n", stdout);
    return fflush(stdout) == 0 ? 0 : gl_fail_sys(err, GL_E_IO, errno, "cannot write the plan");
}

/* ---- the peer that is a library: the whole file as a tree ---- */

int bench_hook_jansson(const char *path, struct gl_error *err)
{
    json_error_t fault;
    json_t *value = json_load_file(path, JSON_REJECT_DUPLICATES, &fault);

    json_decref(value);
    return value != NULL ? 0 : gl_fail(err, GL_E_SYNTAX, "jansson refuses the plan");
}

/* ---- the reader alone ---- */

static int by_value(const void *a, const void *b)
{
    const double *left = a, *right = b;

    return (*left > *right) - (*left < *right);
}

static double median(double *values, int count)
{
    qsort(values, (size_t)count, sizeof *values, by_value);
    return values[count / 2];
}

/* As the hook reads it: from the file, without a digest. */
static int pass_over(const char *path, struct gl_error *err)
{
    struct gl_feed *feed = gl_feed_open(path, "the plan", err);
    struct gl_jsonpull *pull;
    int status;

    if (feed == NULL)
        return -1;
    gl_feed_skip_digest(feed);
    pull = gl_jsonpull_new(feed);
    status = gl_jsonpull_skip(pull, err);
    gl_jsonpull_free(pull);
    gl_feed_close(feed);
    return status;
}

int bench_hook_reader(const char *path, struct gl_error *err)
{
    double took_s[READER_ROUNDS];
    struct stat info;

    if (stat(path, &info) != 0)
        return gl_fail_sys(err, GL_E_IO, errno, "cannot find the plan");
    for (int round = 0; round < READER_ROUNDS; round++) {
        double begun = bench_processor_s();

        if (pass_over(path, err) != 0)
            return -1;
        took_s[round] = bench_processor_s() - begun;
    }
    printf("  %-34s processor %8.1f ms, %.0f MB/s (%d rounds, from the file, checked whole)\n",
           "its streaming reader alone", median(took_s, READER_ROUNDS) * 1e3,
           (double)info.st_size / median(took_s, READER_ROUNDS) / 1e6, READER_ROUNDS);
    return 0;
}

/* ---- running ---- */

/* "ROUNDS <tab> TITLE <tab> WORD <tab> WORD ...", cut in place. */
static bool parse_row(char *line, struct row *out)
{
    char *rest = line;
    size_t count = 0;

    *out = (struct row){.rounds = atoi(strsep(&rest, "\t"))};
    out->title = strsep(&rest, "\t");
    while (rest != NULL && count < WORDS_MAX)
        out->words[count++] = strsep(&rest, "\t");
    return count > 0 && out->rounds > 0 && out->rounds <= ROUNDS_MAX;
}

static double seconds(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

static int run_once(struct row *row, int round, struct gl_error *err)
{
    posix_spawn_file_actions_t actions;
    struct rusage usage;
    double begun = bench_now_s();
    int failed;
    pid_t pid;

    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    failed = posix_spawnp(&pid, row->words[0], &actions, NULL, row->words, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (failed != 0)
        return gl_fail_sys(err, GL_E_IO, failed, "cannot start %s", row->words[0]);
    if (wait4(pid, &row->status, 0, &usage) != pid)
        return gl_fail_sys(err, GL_E_IO, errno, "lost %s", row->words[0]);
    row->wall_s[round] = bench_now_s() - begun;
    row->cpu_s[round] = seconds(usage.ru_utime) + seconds(usage.ru_stime);
    if (usage.ru_maxrss > row->peak_kib)
        row->peak_kib = usage.ru_maxrss;
    return 0;
}

static void show(struct row *rows, size_t count)
{
    double base = median(rows[0].cpu_s, rows[0].rounds);

    for (size_t i = 0; i < count; i++) {
        struct row *row = &rows[i];
        double cpu = median(row->cpu_s, row->rounds), ratio = base > 0 ? cpu / base : 0;
        char ended[32];

        snprintf(ended, sizeof ended, WIFEXITED(row->status) ? "status %d" : "signal %d",
                 WIFEXITED(row->status) ? WEXITSTATUS(row->status) : WTERMSIG(row->status));
        printf(
            "  %-34s wall %8.1f ms, processor %8.1f ms %7.*f x, peak %8ld KiB (%d round%s, %s)\n",
            row->title, median(row->wall_s, row->rounds) * 1e3, cpu * 1e3, ratio < 0.1 ? 3 : 2,
            ratio, row->peak_kib, row->rounds, row->rounds == 1 ? "" : "s", ended);
    }
}

int bench_hook(const char *path, struct gl_error *err)
{
    static struct row rows[ROWS_MAX];
    GL_AUTO(gl_auto_free) char *text = NULL;
    size_t length, count = 0;
    int most = 0;

    if (gl_file_read(path, FILE_MAX, &text, &length, err) != 0)
        return -1;
    for (char *rest = text, *line; count < ROWS_MAX && (line = strsep(&rest, "\n")) != NULL;)
        if (*line != '\0' && parse_row(line, &rows[count])) {
            most = rows[count].rounds > most ? rows[count].rounds : most;
            count++;
        }
    if (count == 0)
        return gl_fail(err, GL_E_USAGE, "%s names no command", path);
    for (int round = 0; round < most; round++)
        for (size_t i = 0; i < count; i++)
            if (round < rows[i].rounds && run_once(&rows[i], round, err) != 0)
                return -1;
    show(rows, count);
    return 0;
}
