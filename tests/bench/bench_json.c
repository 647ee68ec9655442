/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/bench.h"

#include "base/file.h"
#include "base/jsonpull.h"

#include <jansson.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* One plan read by the streaming reader and by jansson's tree, in turn, in processor time: whoever
 * comes after the slow one would pay for it on a busy machine. A plan of a user is given by
 * GREENLAUNCH_BENCH_PLAN; without it one is made up. */

#define ROUNDS         9
#define PLAN_MAX       ((size_t)256 << 20)
#define MADE_RESOURCES 1000

struct plan {
    char *bytes;
    size_t length;
    const char *path; /* NULL: made up */
};

/* ---- a plan in the manner of `terraform show -json` ---- */

static void add_resource(struct gl_str *out, unsigned number)
{
    gl_str_addf(out,
                "%s{\"address\": \"module.shard%u.aws_instance.web[%u]\", \"mode\": \"managed\", "
                "\"type\": \"aws_instance\", \"name\": \"web\", \"provider_name\": "
                "\"registry.terraform.io/hashicorp/aws\", \"change\": {\"actions\": [\"create\"], "
                "\"before\": null, \"after\": {\"ami\": \"ami-0ff8a91507f77f867\", ",
                number > 0 ? ", " : "", number / 40, number);
    gl_str_add(out, "\"credit_specification\": [], \"disable_api_termination\": null, "
                    "\"ebs_optimized\": false, \"instance_type\": \"m5.4xlarge\", "
                    "\"root_block_device\": [{\"delete_on_termination\": true, \"volume_size\": "
                    "50, \"volume_type\": \"gp2\"}], \"source_dest_check\": true, \"tags\": "
                    "{\"Name\": \"web\", \"Environment\": \"production\"}, \"timeouts\": null}, ");
    gl_str_add(out, "\"after_unknown\": {\"arn\": true, \"availability_zone\": true, "
                    "\"cpu_core_count\": true, \"id\": true, \"network_interface\": true, "
                    "\"primary_network_interface_id\": true, \"private_dns\": true, "
                    "\"root_block_device\": [{\"device_name\": true, \"iops\": true}], "
                    "\"subnet_id\": true, \"vpc_security_group_ids\": true}}}");
}

static void make_plan(struct plan *out)
{
    struct gl_str text = {0};

    gl_str_add(&text, "{\"format_version\": \"1.2\", \"terraform_version\": \"1.9.0\", ");
    gl_str_add(&text, "\"resource_changes\": [");
    for (unsigned i = 0; i < MADE_RESOURCES; i++)
        add_resource(&text, i);
    gl_str_add(&text, "]}");
    out->length = text.length;
    out->bytes = gl_str_take(&text);
}

/* ---- one reading each ---- */

static int done(struct gl_jsonpull *pull, struct gl_feed *feed, int rc)
{
    gl_jsonpull_free(pull);
    gl_feed_close(feed);
    return rc;
}

static int check_feed(struct gl_feed *feed, struct gl_error *err)
{
    struct gl_jsonpull *pull = gl_jsonpull_new(feed);

    return done(pull, feed, gl_jsonpull_skip(pull, err));
}

static int check(const struct plan *plan, struct gl_error *err)
{
    return check_feed(gl_feed_of_bytes(plan->bytes, plan->length, "plan"), err);
}

static int take_items(struct gl_jsonpull *pull, struct gl_error *err)
{
    struct gl_jtree tree = {0};
    bool has = true;
    int rc = gl_jsonpull_enter(pull, GL_JARRAY, err);

    while (rc == 0 && has) {
        rc = gl_jsonpull_item(pull, &has, err);
        if (rc == 0 && has)
            rc = gl_jsonpull_take(pull, &tree, err);
    }
    gl_jtree_done(&tree);
    return rc;
}

/* As a reader of plans goes: every resource change as a tree, the rest checked and dropped. */
static int take(const struct plan *plan, struct gl_error *err)
{
    static const char wanted[] = "resource_changes";
    struct gl_feed *feed = gl_feed_of_bytes(plan->bytes, plan->length, "plan");
    struct gl_jsonpull *pull = gl_jsonpull_new(feed);
    struct gl_view key = {0};
    bool has = true;
    int rc = gl_jsonpull_enter(pull, GL_JOBJECT, err);

    while (rc == 0 && has) {
        rc = gl_jsonpull_member(pull, &key, &has, err);
        if (rc != 0 || !has)
            break;
        if (key.length == strlen(wanted) && memcmp(key.text, wanted, key.length) == 0)
            rc = take_items(pull, err);
        else
            rc = gl_jsonpull_skip(pull, err);
    }
    return done(pull, feed, rc);
}

/* From the disk (the cache, by now), with the digest of its bytes. */
static int check_file(const struct plan *plan, struct gl_error *err)
{
    struct gl_feed *feed = plan->path != NULL ? gl_feed_open(plan->path, "plan", err) : NULL;

    return feed != NULL ? check_feed(feed, err) : -1;
}

static int jansson(const struct plan *plan, struct gl_error *err)
{
    json_t *value = json_loadb(plan->bytes, plan->length, JSON_REJECT_DUPLICATES, NULL);

    json_decref(value);
    return value != NULL ? 0 : gl_fail(err, GL_E_SYNTAX, "jansson refuses the plan");
}

static struct reading {
    const char *title;
    int (*read)(const struct plan *plan, struct gl_error *err);
    bool needs_file;
    long peak_kib;
    double took_s[ROUNDS];
} readings[] = {
    {.title = "streaming reader, checked whole", .read = check},
    {.title = "the same from the file, with digest", .read = check_file, .needs_file = true},
    {.title = "each resource change as a tree", .read = take},
    {.title = "jansson's tree", .read = jansson},
};

#define READINGS (sizeof readings / sizeof readings[0])
#define PEER     (READINGS - 1)

static int by_value(const void *a, const void *b)
{
    const double *left = a, *right = b;

    return (*left > *right) - (*left < *right);
}

static int measure(const struct plan *plan, struct reading *reading, int round,
                   struct gl_error *err)
{
    double start = bench_processor_s();

    if (reading->needs_file && plan->path == NULL)
        return 0;
    if (reading->read(plan, err) != 0)
        return -1;
    reading->took_s[round] = bench_processor_s() - start;
    malloc_trim(0); /* else the next to allocate tidies up after this one, within its own time */
    return 0;
}

/* What one reading needs beside the plan: in a process of its own, because memory that was freed
 * stays with the process. */
static void weigh(const struct plan *plan, struct reading *reading)
{
    int pipes[2];
    pid_t pid;

    reading->peak_kib = -1;
    if (pipe(pipes) != 0)
        return;
    pid = fork();
    if (pid == 0) {
        struct gl_error err = {0};
        long before, kib;

        bench_peak_reset();
        before = bench_peak_kib();
        reading->read(plan, &err);
        kib = bench_peak_kib() - before;
        _exit(write(pipes[1], &kib, sizeof kib) == (ssize_t)sizeof kib ? 0 : 1);
    }
    close(pipes[1]);
    if (pid > 0 && read(pipes[0], &reading->peak_kib, sizeof(long)) != (ssize_t)sizeof(long))
        reading->peak_kib = -1;
    close(pipes[0]);
    waitpid(pid, NULL, 0);
}

static void show(const struct plan *plan)
{
    double peer_s;

    for (size_t i = 0; i < READINGS; i++)
        qsort(readings[i].took_s, ROUNDS, sizeof readings[i].took_s[0], by_value);
    peer_s = readings[PEER].took_s[ROUNDS / 2];
    printf("  %s of %.1f MB, %d rounds in turn, median of processor time\n",
           plan->path != NULL ? "the plan given" : "a made-up plan", (double)plan->length / 1e6,
           ROUNDS);
    for (size_t i = 0; i < READINGS; i++) {
        double took_s = readings[i].took_s[ROUNDS / 2];

        if (took_s > 0)
            printf("  %-36s %8.2f ms %7.0f MB/s %6.1f x jansson %8ld KiB\n", readings[i].title,
                   took_s * 1e3, (double)plan->length / took_s / 1e6, peer_s / took_s,
                   readings[i].peak_kib);
    }
}

int bench_json(struct gl_error *err)
{
    struct plan plan = {.path = getenv("GREENLAUNCH_BENCH_PLAN")};
    int rc = 0;

    if (plan.path == NULL)
        make_plan(&plan);
    else if (gl_file_read(plan.path, PLAN_MAX, &plan.bytes, &plan.length, err) != 0)
        return -1;
    for (size_t i = 0; i < READINGS; i++)
        weigh(&plan, &readings[i]);
    for (int round = 0; round < ROUNDS && rc == 0; round++)
        for (size_t i = 0; i < READINGS && rc == 0; i++)
            rc = measure(&plan, &readings[i], round, err);
    if (rc == 0)
        show(&plan);
    free(plan.bytes);
    return rc;
}
