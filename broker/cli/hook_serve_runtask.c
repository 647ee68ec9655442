/* SPDX-License-Identifier: Apache-2.0 */
/* hook serve-runtask: HCP Terraform asks, a child of the server looks and reports. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "broker/cli/hook_serve.h"
#include "broker/interrupt.h"
#include "broker/serve/jobs.h"

#define CA_MAX   ((size_t)1 << 20)
#define GRACE_MS 20000 /* of the tasks under way, before they are told to stop */

static const char *const standard_hosts[] = {"app.terraform.io", "archivist.terraform.io"};
#define STANDARD (sizeof standard_hosts / sizeof standard_hosts[0])

struct runtask_server {
    struct gl_hook_serving *serving; /* first: the log wants it */
    struct gl_jobs *jobs;
    const char *hosts[STANDARD + GL_OPTION_LIST_MAX + 1];
    char *ca_pem; /* NULL = the system's authorities */
};

/* ---- in the child ---- */

struct judging {
    struct runtask_server *server;
    const struct gl_runtask *task;
    char *body;
    char *told;
};

static void tell(void *cookie, const struct gl_hook_report *report)
{
    struct judging *judging = cookie;
    bool is_advisory = judging->task->is_speculative || report->is_advisory;
    bool has_passed;

    judging->body = gl_runtask_judged(report, is_advisory, &has_passed);
    snprintf(judging->told, GL_RUNTASK_ID, "%s, verdict %s%s", has_passed ? "passed" : "failed",
             gl_verdict_word(report->verdict),
             judging->task->is_speculative ? ", speculative" : "");
}

static char *judge(void *cookie, const struct gl_runtask *task, struct gl_view plan,
                   char out_told[GL_RUNTASK_ID], struct gl_error *err)
{
    struct judging judging = {.server = cookie, .task = task, .told = out_told};
    const struct gl_hook_given given = {.reader = "terraform",
                                        .bytes = plan,
                                        .name = task->run[0] != '\0' ? task->run : "plan",
                                        .gate = task->stage->gate};

    if (gl_hook_serve_judge(judging.server->serving, &given, tell, &judging, err) != 0)
        return NULL;
    return judging.body;
}

static bool is_stopped(void *cookie)
{
    (void)cookie;
    return gl_interrupted();
}

static int work(void *cookie, const struct gl_runtask *task, const char *why)
{
    struct runtask_server *server = cookie;
    struct gl_context *context = server->serving->context;
    struct gl_http *http = gl_http_curl_new();
    const struct gl_runtask_work work = {.http = http,
                                         .world = &context->world,
                                         .ca_pem = server->ca_pem,
                                         .hosts = server->hosts,
                                         .is_stopped = is_stopped,
                                         .judge = judge,
                                         .cookie = server};
    char told[GL_RUNTASK_ID] = "not judged", line[512];
    struct gl_error err = {0};
    int result;

    http->is_cancelled = why == NULL ? is_stopped : NULL;
    result = why != NULL ? gl_runtask_give_up(&work, task, why, &err)
                         : gl_runtask_do(&work, task, told, &err);
    snprintf(line, sizeof line, "%s %s %s: %s%s%.120s", task->id, task->stage->word,
             task->workspace, told, result != 0 ? "; not reported: " : "",
             result != 0 ? err.text : "");
    gl_hook_serve_log(context, line);
    gl_http_close(http);
    return result == 0 ? 0 : 1;
}

/* ---- in the server ---- */

static void take(struct runtask_server *server, struct gl_runtask *task,
                 struct gl_server_answer *out)
{
    static const char *const words[] = {
        [GL_JOBS_TAKEN] = "taken", [GL_JOBS_BEFORE] = "taken before", [GL_JOBS_FULL] = "too many"};
    char id[GL_RUNTASK_ID];
    const char *stage = task->stage->word;
    enum gl_jobs_taken taken;

    memcpy(id, task->id, sizeof id);
    taken = gl_jobs_add(server->jobs, task);
    out->status = taken == GL_JOBS_FULL ? 503 : 200;
    snprintf(out->note, sizeof out->note, "%s %s: %s", id, stage, words[taken]);
}

static void on_task(void *cookie, const struct gl_server_request *request,
                    struct gl_server_answer *out)
{
    struct runtask_server *server = cookie;
    struct gl_runtask task = {0};
    struct gl_error err = {0};

    if (!gl_runtask_is_signed(&server->serving->hmac_key, request->body,
                              request->header(request, "X-TFC-Task-Signature"))) {
        gl_hook_serve_refuse(out, 401, "the signature is missing or wrong");
        return;
    }
    if (gl_runtask_parse(request->body, server->hosts, &task, &err) != 0) {
        gl_hook_serve_refuse(
            out, err.code == GL_E_BAD_VALUE || err.code == GL_E_BAD_REPLY ? 422 : 400, err.text);
        return;
    }
    if (task.is_test)
        snprintf(out->note, sizeof out->note, "test-token: verified, nothing done");
    else
        take(server, &task, out);
    gl_runtask_done(&task);
}

static void tend(void *cookie)
{
    struct runtask_server *server = cookie;

    gl_jobs_tend(server->jobs);
}

static int prepare(struct runtask_server *server, struct gl_error *err)
{
    const struct gl_hook_serve_values *values = &server->serving->values->serve;
    size_t count = 0, length;

    if (values->hmac_key_file == NULL)
        return gl_fail(err, GL_E_USAGE,
                       "hook serve-runtask needs --hmac-key-file FILE: without it anybody could "
                       "hand us tasks");
    for (size_t i = 0; i < STANDARD; i++)
        server->hosts[count++] = standard_hosts[i];
    for (size_t i = 0; i < values->allow_hosts.count; i++)
        server->hosts[count++] = values->allow_hosts.items[i];
    if (values->ca_file != NULL &&
        gl_file_read_given(values->ca_file, CA_MAX, &server->ca_pem, &length, err) != 0)
        return gl_wrap(err, "--ca-file");
    return 0;
}

int gl_hook_serve_runtask(struct gl_context *context, const struct gl_hook_values *values,
                          struct gl_error *err)
{
    static const struct gl_server_route routes[] = {
        {"POST", "/run-task", GL_RUNTASK_MAX_BYTES, on_task},
        {"GET", "/healthz", 0, gl_hook_serve_health}};
    struct gl_hook_serving serving;
    struct runtask_server server = {.serving = &serving};
    int result = -1;

    if (gl_hook_serving_init(context, values, &serving, err) == 0 && prepare(&server, err) == 0) {
        server.jobs = gl_jobs_new(
            &(struct gl_jobs_options){.world = &context->world, .run = work, .cookie = &server});
        result = gl_hook_serve_loop(
            &serving,
            &(struct gl_hook_serve_loop){.routes = routes,
                                         .route_count = sizeof routes / sizeof routes[0],
                                         .cookie = &server,
                                         .tend = tend,
                                         .what = "run tasks at /run-task"},
            err);
        gl_jobs_stop(server.jobs, GRACE_MS);
    }
    free(server.ca_pem);
    gl_hook_serving_done(&serving);
    return result;
}
