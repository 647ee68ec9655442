/* SPDX-License-Identifier: Apache-2.0 */
/* What is sent to Kubernetes, beside what its official client sends, and what is read from it. */
#include "providers/cloud/kubernetes.h"

#include "base/file.h"
#include "base/gzip.h"
#include "base/process.h"
#include "providers/cloud/userdata.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define VECTORS "tests/vectors/kubernetes/"
#define TOKEN   "00000000aaaaaaaa0123456789abcdef0123456789abcdef0123456789abcdef"
#define PIN     "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const char *const command[] = {"echo", "hello", NULL};
static const struct gl_carried_meter meter = {.url = "https://example.org/meter", .sha256 = PIN};
static const struct gl_kubernetes whole = {.image = "docker.io/library/debian:12-slim",
                                           .zone = "eu-north-1a",
                                           .security = "restricted",
                                           .service_account = "runner",
                                           .pull_secret = "registry",
                                           .node_label = "green=yes"};

static struct gl_launch launch_of(void)
{
    return (struct gl_launch){.token = TOKEN,
                              .launch_id = "gl-4k2p9x",
                              .region = "eu-north-1",
                              .type = "m5.large",
                              .attempt = 1,
                              .expires = {1800003600},
                              .lease = {3600},
                              .vcpus = 2,
                              .memory_mib = 512,
                              .command = command,
                              .meter = &meter,
                              .enrol_token = "feed"};
}

/* What a Secret holds is ours alone; the API knows its names. */
static void empty_data(json_t *body)
{
    json_t *data = json_object_get(body, "data"), *value;
    const char *name;

    json_object_foreach(data, name, value) json_string_set(value, "");
}

static void is_recorded(const char *name, json_t *body)
{
    char path[128];
    json_t *recorded;

    snprintf(path, sizeof path, VECTORS "%s.json", name);
    recorded = json_load_file(path, 0, NULL);
    assert_non_null(recorded);
    assert_int_equal(json_object_size(json_object_get(recorded, "query")),
                     strcmp(name, "check_job") == 0 ? 2 : 1);
    empty_data(json_object_get(recorded, "body"));
    empty_data(body);
    if (!json_equal(json_object_get(recorded, "body"), body))
        fail_msg("%s: another body: %s", name, json_dumps(body, JSON_COMPACT));
    json_decref(recorded);
}

static void bodies_are_those_of_the_official_client(void **state)
{
    const struct gl_launch launch = launch_of();
    json_t *job = gl_kubernetes_job_body(&whole, &launch), *secret, *made;
    struct gl_error err = {0};

    (void)state;
    is_recorded("create_job", job);
    is_recorded("check_job", job);
    made = json_pack("{s:{s:s}}", "metadata", "uid", "11111111-2222-3333-4444-555555555555");
    secret = gl_kubernetes_secret_body(&launch, made, &err);
    is_recorded("create_secret", secret);
    is_recorded("put_secret", secret);
    json_decref(job);
    json_decref(secret);
    json_decref(made);
}

#define POOL "{\"key\":\"pool\",\"operator\":\"In\",\"values\":[\"eu-north-1\"]}"
#define HERE                                                          \
    "{\"key\":\"topology.kubernetes.io/region\",\"operator\":\"In\"," \
    "\"values\":[\"eu-north-1\"]}"
#define AFFINITY(terms)                                                   \
    "{\"spec\":{\"template\":{\"spec\":{\"affinity\":{\"nodeAffinity\":{" \
    "\"requiredDuringSchedulingIgnoredDuringExecution\":{\"nodeSelectorTerms\":[" terms "]}}}}}}}"

/* What a server or a webhook may have made of the Job. */
static void a_job_that_was_changed_is_refused(void **state)
{
    static const struct {
        const char *patch;
        enum gl_errc code;
    } rows[] = {
        {"{\"spec\":{\"template\":{\"spec\":{\"tolerations\":[]}}}}", GL_OK},
        {"{\"spec\":{\"ttlSecondsAfterFinished\":5}}", GL_OK},
        {"{\"spec\":{\"suspend\":false}}", GL_E_BAD_REPLY},
        {"{\"spec\":{\"backoffLimit\":6}}", GL_E_BAD_REPLY},
        {"{\"spec\":{\"activeDeadlineSeconds\":90000}}", GL_E_BAD_REPLY},
        {"{\"spec\":{\"template\":{\"spec\":{\"activeDeadlineSeconds\":7200}}}}", GL_E_BAD_REPLY},
        {"{\"spec\":{\"template\":{\"spec\":{\"restartPolicy\":\"OnFailure\"}}}}", GL_E_BAD_REPLY},
        {"{\"spec\":{\"template\":{\"spec\":{\"affinity\":{\"nodeAffinity\":{"
         "\"requiredDuringSchedulingIgnoredDuringExecution\":{\"nodeSelectorTerms\":[{"
         "\"matchExpressions\":[{\"key\":\"topology.kubernetes.io/region\",\"operator\":\"In\","
         "\"values\":[\"us-east-1\"]}]}]}}}}}}}",
         GL_E_BAD_REPLY},
        {"{\"spec\":{\"template\":{\"spec\":{\"affinity\":{\"nodeAffinity\":{"
         "\"requiredDuringSchedulingIgnoredDuringExecution\":{\"nodeSelectorTerms\":[{"
         "\"matchExpressions\":[{\"key\":\"topology.kubernetes.io/region\",\"operator\":\"NotIn\","
         "\"values\":[\"eu-north-1\"]}]}]}}}}}}}",
         GL_E_BAD_REPLY},
        {"{\"spec\":{\"template\":{\"spec\":{\"affinity\":{\"nodeAffinity\":{"
         "\"requiredDuringSchedulingIgnoredDuringExecution\":{\"nodeSelectorTerms\":[{"
         "\"matchExpressions\":[{\"key\":\"topology.kubernetes.io/region\",\"operator\":\"In\","
         "\"values\":[\"eu-north-1\",\"us-east-1\"]}]}]}}}}}}}",
         GL_E_BAD_REPLY},
        {"{\"spec\":{\"template\":{\"spec\":{\"affinity\":{\"nodeAffinity\":{"
         "\"requiredDuringSchedulingIgnoredDuringExecution\":{\"nodeSelectorTerms\":[{},{}]}}}}}}}",
         GL_E_BAD_REPLY},
        {AFFINITY("{\"matchExpressions\":[" POOL "," HERE "]}"), GL_OK},
        {AFFINITY("{\"matchExpressions\":[" HERE "]},{\"matchExpressions\":[" POOL "," HERE "]}"),
         GL_OK},
        {AFFINITY("{\"matchExpressions\":[" HERE "]},{\"matchExpressions\":[" POOL "]}"),
         GL_E_BAD_REPLY}, /* either of them will do */
        {AFFINITY(""), GL_E_BAD_REPLY},
    };
    const struct gl_launch launch = launch_of();

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        json_t *job = gl_kubernetes_job_body(&whole, &launch);
        json_t *patch = json_loads(rows[i].patch, 0, NULL);
        struct gl_error err = {0};

        assert_int_equal(json_object_update_recursive(job, patch), 0);
        gl_kubernetes_check_kept(job, &launch, &err);
        if (err.code != rows[i].code)
            fail_msg("%s: %d %s", rows[i].patch, (int)err.code, err.text);
        json_decref(job);
        json_decref(patch);
    }
}

static void a_quantity_is_read_exactly(void **state)
{
    static const struct {
        const char *text;
        int64_t milli;
    } rows[] = {
        {"2", 2000},
        {"100m", 100},
        {"1.5", 1500},
        {"0", 0},
        {"1Ki", 1024000},
        {"123Mi", 123LL * 1048576 * 1000},
        {"1e3", 1000000},
        {"129M", 129000000000},
        {"1Gi", 1073741824000},
        {"0.5Gi", 536870912000},
    };
    static const char *const bad[] = {"",    "x",    "-1",   "0x10", "1KiB", "inf",
                                      "nan", "9e99", "1 Gi", " 1",   "+1"};
    int64_t milli = -7;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_true(gl_kubernetes_quantity(rows[i].text, &milli));
        if (milli != rows[i].milli)
            fail_msg("%s is %lld", rows[i].text, (long long)milli);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (gl_kubernetes_quantity(bad[i], &milli))
            fail_msg("\"%s\" was taken for %lld", bad[i], (long long)milli);
    assert_false(gl_kubernetes_quantity(NULL, &milli));
}

/* ---- states ---- */

#define POD(phase, more) "{\"spec\":{},\"status\":{\"phase\":\"" phase "\"" more "}}"
#define MAIN(state)      ",\"containerStatuses\":[{\"name\":\"main\",\"state\":{" state "}}]"

static void states_are_told_apart(void **state)
{
    static const struct {
        const char *status, *pod; /* of the Job; NULL = no pod */
        enum gl_instance_state is;
        int exit; /* -1 = none */
        const char *why;
    } rows[] = {
        {"{}", NULL, GL_STATE_LAUNCHING, -1, ""},
        {"{}", POD("Running", MAIN("\"running\":{}")), GL_STATE_RUNNING, -1, ""},
        {"{}", POD("Pending", MAIN("\"waiting\":{\"reason\":\"ErrImagePull\"}")),
         GL_STATE_LAUNCHING, -1, "ErrImagePull"},
        {"{}",
         POD("Pending", ",\"conditions\":[{\"type\":\"PodScheduled\",\"status\":\"False\","
                        "\"reason\":\"Unschedulable\"}]"),
         GL_STATE_LAUNCHING, -1, "Unschedulable"},
        {"{}", POD("Succeeded", MAIN("\"terminated\":{\"exitCode\":0}")), GL_STATE_ENDED, 0, ""},
        {"{}", POD("Failed", MAIN("\"terminated\":{\"exitCode\":137,\"reason\":\"OOMKilled\"}")),
         GL_STATE_ENDED, 137, "OOMKilled"},
        {"{}", POD("Failed", ",\"reason\":\"Evicted\""), GL_STATE_ENDED, -1, "Evicted"},
        {"{}", POD("Unknown", ",\"reason\":\"NodeLost\""), GL_STATE_RUNNING, -1, "NodeLost"},
        {"{}", POD("Sideways", ""), GL_STATE_RUNNING, -1, "Sideways"},
        {"{}", "{\"spec\":{\"activeDeadlineSeconds\":1},\"status\":{\"phase\":\"Running\"}}",
         GL_STATE_STOPPING, -1, ""},
        {"{}", "{\"metadata\":{\"deletionTimestamp\":\"x\"},\"status\":{\"phase\":\"Running\"}}",
         GL_STATE_STOPPING, -1, ""},
        {"{\"conditions\":[{\"type\":\"Failed\",\"status\":\"True\",\"reason\":"
         "\"DeadlineExceeded\"}]}",
         NULL, GL_STATE_ENDED, -1, "DeadlineExceeded"},
        {"{\"conditions\":[{\"type\":\"Complete\",\"status\":\"True\"}]}", NULL, GL_STATE_ENDED, -1,
         ""},
        {"{\"conditions\":[{\"type\":\"Failed\",\"status\":\"False\"}]}", NULL, GL_STATE_LAUNCHING,
         -1, ""},
        {"{}", POD("Failed", MAIN("\"terminated\":{\"exitCode\":99999}")), GL_STATE_ENDED, -1, ""},
        {"[]", "[]", GL_STATE_LAUNCHING, -1, ""},
    };
    const struct gl_launch launch = launch_of();

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        json_t *job = gl_kubernetes_job_body(&whole, &launch);
        json_t *pod = rows[i].pod != NULL ? json_loads(rows[i].pod, 0, NULL) : NULL;
        struct gl_instance out;

        json_object_set_new(json_object_get(job, "spec"), "suspend", json_false());
        json_object_set_new(job, "status", json_loads(rows[i].status, 0, NULL));
        assert_true(gl_kubernetes_read_instance(job, pod, &out));
        if (out.state != rows[i].is || out.has_exit != (rows[i].exit >= 0) ||
            (out.has_exit && out.exit_status != rows[i].exit) || strcmp(out.why, rows[i].why) != 0)
            fail_msg("row %zu: %s %d %d \"%s\"", i, gl_instance_state_word(out.state), out.has_exit,
                     out.exit_status, out.why);
        json_decref(job);
        json_decref(pod);
    }
}

static void what_is_not_ours_is_not_read(void **state)
{
    static const char *const gone[] = {"greenlaunch-token-a", "greenlaunch-request",
                                       "greenlaunch-expires"};
    const struct gl_launch launch = launch_of();
    struct gl_instance out;

    (void)state;
    for (size_t i = 0; i < sizeof gone / sizeof *gone; i++) {
        json_t *job = gl_kubernetes_job_body(&whole, &launch);
        json_t *meta = json_object_get(job, "metadata");

        json_object_del(json_object_get(meta, "labels"), gone[i]);
        assert_false(gl_kubernetes_read_instance(job, NULL, &out));
        json_decref(job);
    }
    assert_false(gl_kubernetes_read_instance(NULL, NULL, &out));
}

/* ---- the script, really run ---- */

struct stage {
    char folder[64];
    char in[96], dir[96], path[128];
};

static void put_bytes(struct stage *stage, const char *name, const char *bytes, size_t length,
                      unsigned mode)
{
    struct gl_error err = {0};

    snprintf(stage->path, sizeof stage->path, "%s/%s", stage->in, name);
    assert_int_equal(gl_file_write(stage->path, bytes, length, mode, &err), 0);
}

static void put(struct stage *stage, const char *name, const char *text, unsigned mode)
{
    put_bytes(stage, name, text, strlen(text), mode);
}

static void put_meter(struct stage *stage, const char *script)
{
    struct gl_error err = {0};
    size_t length;
    GL_AUTO(gl_auto_free) char *bytes = gl_gzip(script, strlen(script), &length, &err);

    put_bytes(stage, "meter.gz", bytes, length, 0600);
}

static void set_stage(struct stage *stage, const struct gl_launch *launch)
{
    struct gl_str text = {0};

    snprintf(stage->folder, sizeof stage->folder, "/tmp/gl-kubernetes-XXXXXX");
    assert_non_null(mkdtemp(stage->folder));
    snprintf(stage->in, sizeof stage->in, "%s/in", stage->folder);
    snprintf(stage->dir, sizeof stage->dir, "%s/dir", stage->folder);
    assert_int_equal(mkdir(stage->in, 0700), 0);
    assert_int_equal(mkdir(stage->dir, 0700), 0);
    gl_kubernetes_script(launch, &text);
    put(stage, "run", gl_str_text(&text), 0600);
    gl_str_clear(&text);
    gl_kubernetes_command(launch->command, &text);
    put(stage, "command", gl_str_text(&text), 0600);
    gl_str_done(&text);
    setenv("GREENLAUNCH_IN", stage->in, 1);
    setenv("GREENLAUNCH_DIR", stage->dir, 1);
}

static void leave_stage(struct stage *stage)
{
    struct gl_error err = {0};

    gl_dir_remove(stage->folder, &err);
}

/* A pod ends as a whole, with its first process. */
static void end_pod(void)
{
    static const char all[] = "for p in /proc/[0-9]*; do [ \"$p\" = /proc/$$ ] || ! grep -qs "
                              "\"GREENLAUNCH_DIR=$GREENLAUNCH_DIR\" \"$p/environ\" || "
                              "kill -KILL \"${p#/proc/}\"; done";

    assert_int_equal(system(all), 0);
}

static int run_stage(struct stage *stage, struct gl_str *out)
{
    const char *const argv[] = {"/bin/sh", stage->path, NULL};
    struct gl_error err = {0};
    int status = -1;

    snprintf(stage->path, sizeof stage->path, "%s/run", stage->in);
    if (gl_process_capture(argv, 1 << 20, 20000, out, &status, &err) != 0)
        fail_msg("%s", err.text);
    end_pod();
    return status;
}

/* As the real one: readings to the descriptor, the command after "--" with its status. */
static const char stand_in[] = "#!/bin/sh\n"
                               "echo \"$*\" >\"$GREENLAUNCH_DIR/arguments\"\n"
                               "echo 'GLM1 reading' >&3\n"
                               "while [ \"$1\" != -- ]; do shift; done\n"
                               "shift\n"
                               "trap 'kill -TERM $!' TERM\n"
                               "\"$@\" &\n"
                               "wait $!; status=$?; wait $! 2>/dev/null\n"
                               "echo 'GLM1 last' >&3\n"
                               "exit $status\n";

static void the_command_runs_under_the_meter(void **state)
{
    static const char *const words[] = {
        "sh", "-c", "echo \"it's $1\"; echo forged >&3; exit 7", "x", "a 'b' $HOME", NULL};
    struct gl_launch launch = launch_of();
    struct gl_str out = {0};
    struct stage stage;
    struct gl_error err = {0};
    char *arguments, path[160];
    size_t length;

    (void)state;
    launch.command = words;
    launch.expires.unix_s = time(NULL) + 3600;
    set_stage(&stage, &launch);
    put_meter(&stage, stand_in);
    put(&stage, "token", "feed", 0600);
    assert_int_equal(run_stage(&stage, &out), 7);
    assert_non_null(strstr(gl_str_text(&out), "GLM1 reading\n"));
    assert_non_null(strstr(gl_str_text(&out), "greenlaunch: | it's a 'b' $HOME\n"));
    assert_non_null(strstr(gl_str_text(&out), "GLX1 {\"exit\":7,\"launch\":\"gl-4k2p9x\"}\n"));
    assert_null(strstr(gl_str_text(&out), "\nforged"));
    snprintf(path, sizeof path, "%s/arguments", stage.dir);
    assert_int_equal(gl_file_read(path, 4096, &arguments, &length, &err), 0);
    assert_null(strstr(arguments, "feed"));
    assert_non_null(strstr(arguments, "--run --launch gl-4k2p9x --token-file"));
    free(arguments);
    gl_str_done(&out);
    leave_stage(&stage);
}

/* The signal that ends a pod reaches the command, and the last lines are still written. */
static void a_pod_that_is_ended_says_its_last(void **state)
{
    static const char *const words[] = {"sh", "-c", "kill -TERM $PPID; exec sleep 20", NULL};
    struct gl_launch launch = launch_of();
    struct gl_str out = {0};
    struct stage stage;

    (void)state;
    launch.command = words;
    launch.expires.unix_s = time(NULL) + 3600;
    set_stage(&stage, &launch);
    assert_int_equal(run_stage(&stage, &out), 143); /* without a meter: the shell is its parent */
    assert_non_null(strstr(gl_str_text(&out), "GLX1 {\"exit\":143,"));
    gl_str_done(&out);
    put_meter(&stage, stand_in);
    assert_int_equal(run_stage(&stage, &out), 143);
    assert_non_null(strstr(gl_str_text(&out), "GLM1 last\n"));
    assert_non_null(strstr(gl_str_text(&out), "GLX1 {\"exit\":143,"));
    gl_str_done(&out);
    leave_stage(&stage);
}

static void a_lease_that_ends_ends_the_command(void **state)
{
    static const char *const words[] = {"sleep", "20", NULL};
    struct gl_launch launch = launch_of();
    struct gl_str out = {0};
    struct stage stage;

    (void)state;
    launch.command = words;
    launch.expires.unix_s = time(NULL) + 3600;
    launch.lease.s = 1;
    set_stage(&stage, &launch);
    assert_int_equal(run_stage(&stage, &out), 143);
    gl_str_clear(&out);
    leave_stage(&stage);
    launch.expires.unix_s = time(NULL) - 1;
    set_stage(&stage, &launch);
    assert_int_equal(run_stage(&stage, &out), 125);
    assert_non_null(strstr(gl_str_text(&out), "the lease has ended"));
    gl_str_done(&out);
    leave_stage(&stage);
}

static void only_the_pinned_meter_runs(void **state)
{
    struct gl_launch launch = launch_of();
    struct gl_str out = {0};
    struct stage stage;

    (void)state;
    launch.expires.unix_s = time(NULL) + 3600;
    set_stage(&stage, &launch);
    put(&stage, "meter-url", "https://127.0.0.1:1/meter", 0600); /* nobody listens there */
    put(&stage, "meter-sha256", PIN, 0600);
    assert_int_equal(run_stage(&stage, &out), 125);
    assert_non_null(strstr(gl_str_text(&out), "cannot be fetched"));
    assert_null(strstr(gl_str_text(&out), "GLX1"));
    gl_str_done(&out);
    leave_stage(&stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bodies_are_those_of_the_official_client),
        cmocka_unit_test(a_job_that_was_changed_is_refused),
        cmocka_unit_test(a_quantity_is_read_exactly),
        cmocka_unit_test(states_are_told_apart),
        cmocka_unit_test(what_is_not_ours_is_not_read),
        cmocka_unit_test(the_command_runs_under_the_meter),
        cmocka_unit_test(a_pod_that_is_ended_says_its_last),
        cmocka_unit_test(a_lease_that_ends_ends_the_command),
        cmocka_unit_test(only_the_pinned_meter_runs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
