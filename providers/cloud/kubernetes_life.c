/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/kubernetes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOOK_MS    500
#define FIND_TRIES 3
#define UNSEEN     "greenlaunch-unseen"

static const char *meta_text(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(json_object_get(object, "metadata"), name));
}

/* "REGION/JOB" -> the name of the Job, NULL when it is not so formed. */
static const char *name_of(const char *id, struct gl_error *err)
{
    char region[40], shown[GL_TEXT_SHOWN];
    const char *name = gl_remote_id_split(id, region);

    if (name != NULL && strspn(name, "-abcdefghijklmnopqrstuvwxyz0123456789") == strlen(name))
        return name;
    gl_fail(err, GL_E_NOT_FOUND, "%s is not the id of a Job", gl_text_show(id, shown));
    return NULL;
}

static json_t *job_of(struct gl_kubernetes *kubernetes, const char *id, struct gl_error *err)
{
    const char *name = name_of(id, err);

    gl_remote_begin(&kubernetes->remote, GL_REMOTE_DEADLINE_MS);
    return name != NULL ? gl_kubernetes_job(kubernetes, name, err) : NULL;
}

/* Where its node stands, as far as nodes are known already. */
static void add_zone(const struct gl_kubernetes *kubernetes, const json_t *pod,
                     struct gl_instance *out)
{
    const char *node = json_string_value(json_object_get(json_object_get(pod, "spec"), "nodeName"));
    const json_t *known = node != NULL ? json_object_get(kubernetes->nodes, node) : NULL;
    const char *zone = json_string_value(json_object_get(known, "zone"));

    if (zone != NULL)
        snprintf(out->zone, sizeof out->zone, "%.39s", zone);
}

static int look(struct gl_kubernetes *kubernetes, const json_t *job, struct gl_instance *out,
                json_t **out_pod, struct gl_error *err)
{
    json_t *pod = NULL;

    if (gl_kubernetes_pod(kubernetes, job, &pod, err) < 0)
        return -1;
    if (!gl_kubernetes_read_instance(job, pod, out)) {
        json_decref(pod);
        return gl_fail(err, GL_E_TOKEN, "kubernetes: the Job %s is not ours",
                       meta_text(job, "name"));
    }
    add_zone(kubernetes, pod, out);
    if (out_pod != NULL)
        *out_pod = pod;
    else
        json_decref(pod);
    return 0;
}

/* ---- where its pod went ---- */

static bool is_live(const struct gl_instance *instance)
{
    return instance->state == GL_STATE_LAUNCHING || instance->state == GL_STATE_RUNNING;
}

static bool has_place(const json_t *pod)
{
    char words[200];

    return pod != NULL && gl_kubernetes_read_place(pod, words) == 1;
}

static bool is_unseen(const json_t *job)
{
    const json_t *notes = json_object_get(json_object_get(job, "metadata"), "annotations");

    return json_is_string(json_object_get(notes, UNSEEN));
}

/* It was adopted before its pod had a node: who looks next looks at that, too. A note that cannot
 * be written leaves what the pod itself tells. */
static void note_unseen(struct gl_kubernetes *kubernetes, const json_t *job, bool is_so)
{
    struct gl_remote_call call = {.method = NULL};
    json_t *body = json_pack("{s:{s:{s:o}}}", "metadata", "annotations", UNSEEN,
                             is_so ? json_string("yes") : json_null());
    struct gl_error ignored = {0};

    gl_kubernetes_patch(&call, body);
    json_decref(body);
    gl_kubernetes_call(kubernetes, &call, "batch/v1", "jobs/%s", meta_text(job, "name"));
    gl_remote_send(&kubernetes->remote, &call, &ignored);
    gl_remote_call_done(&call);
}

/* One that runs elsewhere is removed. */
static int check_stands(struct gl_kubernetes *kubernetes, const json_t *job, const json_t *pod,
                        const char *region, struct gl_error *err)
{
    struct gl_error why = {0};

    if (gl_kubernetes_check_pod(kubernetes, pod, region, err) == 0)
        return 0;
    if (gl_kubernetes_remove(kubernetes, job, false, &why) < 0)
        gl_wrap(err, "its Job could not be removed (%.200s)", why.text);
    return -1;
}

/* Nodes are asked for only of a Job that nobody has seen placed. */
static int look_at_place(struct gl_kubernetes *kubernetes, const json_t *job, const json_t *pod,
                         const struct gl_instance *instance, struct gl_error *err)
{
    const char *const *regions;
    struct gl_error why = {0};
    bool is_first = is_unseen(job);

    if (!is_live(instance) || !has_place(pod))
        return 0;
    if (is_first && gl_kubernetes_regions(&kubernetes->remote.cloud, &regions, &why) < 0 &&
        gl_errc_row(why.code)->is_retryable)
        return 0; /* the next look sees it */
    gl_error_clear(&why);
    if (check_stands(kubernetes, job, pod, instance->region, &why) < 0)
        return gl_fail(err, GL_E_LAUNCH, "%s: it was removed", why.text);
    if (is_first)
        note_unseen(kubernetes, job, false);
    return 0;
}

int gl_kubernetes_describe(struct gl_cloud *cloud, const char *id, struct gl_instance *out,
                           struct gl_error *err)
{
    struct gl_kubernetes *kubernetes = gl_kubernetes_of(cloud);
    GL_AUTO(gl_auto_json) json_t *job = job_of(kubernetes, id, err), *pod = NULL;

    if (job == NULL || look(kubernetes, job, out, &pod, err) < 0)
        return -1;
    return look_at_place(kubernetes, job, pod, out, err);
}

/* ---- many ---- */

static int keep(void *cookie, const json_t *item, struct gl_error *err)
{
    json_t *into = cookie;

    (void)err;
    json_array_append_new(into, json_deep_copy(item));
    return 0;
}

static void forget(void *cookie)
{
    json_array_clear(cookie);
}

/* By the uid of what owns them: a pod by its Job. */
static int keep_pod(void *cookie, const json_t *pod, struct gl_error *err)
{
    json_t *by_owner = cookie;
    const json_t *owners = json_object_get(json_object_get(pod, "metadata"), "ownerReferences");
    const char *uid = json_string_value(json_object_get(json_array_get(owners, 0), "uid"));
    const char *made = meta_text(pod, "creationTimestamp"), *before;

    (void)err;
    if (uid == NULL)
        return 0;
    before = meta_text(json_object_get(by_owner, uid), "creationTimestamp");
    if (before == NULL || made == NULL || strcmp(made, before) >= 0)
        json_object_set_new(by_owner, uid, json_deep_copy(pod));
    return 0;
}

static void forget_pods(void *cookie)
{
    json_object_clear(cookie);
}

/* All of ours; the pods first, so that a Job that is seen has its pod seen, or none yet. */
static int list_all(struct gl_kubernetes *kubernetes, struct gl_instance **out, size_t *out_count,
                    struct gl_error *err)
{
    GL_AUTO(gl_auto_json) json_t *jobs = json_array(), *pods = json_object();
    const struct gl_kubernetes_listing job_list = {keep, forget, jobs};
    const struct gl_kubernetes_listing pod_list = {keep_pod, forget_pods, pods};
    struct gl_instance *rows;
    size_t i, count = 0;
    const json_t *job;

    if (gl_kubernetes_each(kubernetes, "v1", "pods", "greenlaunch-request", &pod_list, err) < 0 ||
        gl_kubernetes_each(kubernetes, "batch/v1", "jobs", "greenlaunch-request", &job_list, err) <
            0)
        return -1;
    rows = gl_alloc((json_array_size(jobs) + 1) * sizeof *rows);
    json_array_foreach(jobs, i, job)
    {
        const char *uid = meta_text(job, "uid");
        const json_t *pod = uid != NULL ? json_object_get(pods, uid) : NULL;

        if (!gl_kubernetes_read_instance(job, pod, &rows[count]))
            continue;
        add_zone(kubernetes, pod, &rows[count++]);
    }
    *out = rows;
    *out_count = count;
    return 0;
}

int gl_kubernetes_list(struct gl_cloud *cloud, struct gl_instance **out, size_t *out_count,
                       struct gl_error *err)
{
    struct gl_kubernetes *kubernetes = gl_kubernetes_of(cloud);

    gl_remote_begin(&kubernetes->remote, GL_REMOTE_DEADLINE_MS);
    return list_all(kubernetes, out, out_count, err);
}

/* The Job of a token: 1, 0, -1. */
static int job_of_token(struct gl_kubernetes *kubernetes, const char *token, json_t **out,
                        struct gl_error *err)
{
    GL_AUTO(gl_auto_json) json_t *jobs = json_array();
    const struct gl_kubernetes_listing listing = {keep, forget, jobs};
    char selector[128];
    size_t i;
    json_t *job;

    snprintf(selector, sizeof selector, "greenlaunch-token-a=%.32s,greenlaunch-token-b=%.32s",
             token, strlen(token) > 32 ? token + 32 : "");
    if (gl_kubernetes_each(kubernetes, "batch/v1", "jobs", selector, &listing, err) < 0)
        return -1;
    json_array_foreach(jobs, i, job)
    {
        struct gl_instance instance;

        if (gl_kubernetes_read_instance(job, NULL, &instance) &&
            strcmp(instance.token, token) == 0) {
            *out = json_incref(job);
            return 1;
        }
    }
    return 0;
}

/* A launcher that was stopped may not have seen where the pod went: one that runs elsewhere is
 * removed. Where nodes may not be listed, the pod itself tells. 1, -1. */
static int adopt(struct gl_kubernetes *kubernetes, const json_t *job, struct gl_instance *out,
                 struct gl_error *err)
{
    GL_AUTO(gl_auto_json) json_t *pod = NULL;
    const char *const *regions;
    struct gl_error unasked = {0};

    gl_kubernetes_regions(&kubernetes->remote.cloud, &regions, &unasked);
    if (look(kubernetes, job, out, &pod, err) < 0)
        return -1;
    if (!is_live(out))
        return 1;
    if (!has_place(pod))
        note_unseen(kubernetes, job, true);
    if (pod == NULL)
        return 1;
    if (gl_errc_row(unasked.code)->is_retryable)
        return gl_fail(err, unasked.code, "%s", unasked.text);
    return check_stands(kubernetes, job, pod, out->region, err) == 0 ? 1 : -1;
}

/* One that was never let go runs nothing; its launcher is gone, or learns from a 404 that it was
 * too slow. It is removed only as it was seen: let go in between, it stays. */
int gl_kubernetes_find(struct gl_cloud *cloud, const char *region, const char *token,
                       struct gl_instance *out, struct gl_error *err)
{
    struct gl_kubernetes *kubernetes = gl_kubernetes_of(cloud);

    (void)region; /* one question covers them all */
    gl_remote_begin(&kubernetes->remote, GL_REMOTE_DEADLINE_MS);
    for (unsigned i = 0; i < FIND_TRIES; i++) {
        GL_AUTO(gl_auto_json) json_t *job = NULL;
        int got = job_of_token(kubernetes, token, &job, err), gone;

        if (got <= 0)
            return got;
        if (!gl_kubernetes_is_unstarted(job))
            return adopt(kubernetes, job, out, err);
        gone = gl_kubernetes_remove(kubernetes, job, true, err);
        if (gone < 0)
            return -1;
    }
    return gl_fail(err, GL_E_BUSY, "kubernetes: the Job of the launch keeps changing");
}

/* ---- ending ---- */

static int suspend(struct gl_kubernetes *kubernetes, const json_t *job, struct gl_error *err)
{
    struct gl_remote_call call = {.method = NULL};
    json_t *body = json_pack("{s:{s:{s:s}},s:{s:b}}", "metadata", "annotations",
                             "greenlaunch-stopped", "yes", "spec", "suspend", 1);
    int rc;

    gl_kubernetes_patch(&call, body);
    json_decref(body);
    gl_kubernetes_call(kubernetes, &call, "batch/v1", "jobs/%s", meta_text(job, "name"));
    rc = gl_remote_send(&kubernetes->remote, &call, err);
    gl_remote_call_done(&call);
    return rc;
}

/* The kubelet then ends the pod in order and keeps it with its log; suspending the Job would delete
 * both. https://kubernetes.io/docs/concepts/workloads/pods/#pod-update-and-replacement */
static int end_pod(struct gl_kubernetes *kubernetes, const json_t *pod, struct gl_error *err)
{
    struct gl_remote_call call = {.method = NULL};
    json_t *body = json_pack("{s:{s:i}}", "spec", "activeDeadlineSeconds", GL_KUBERNETES_STOPS);
    int rc;

    gl_kubernetes_patch(&call, body);
    json_decref(body);
    gl_kubernetes_call(kubernetes, &call, "v1", "pods/%s", meta_text(pod, "name"));
    rc = gl_remote_send(&kubernetes->remote, &call, err);
    gl_remote_call_done(&call);
    return rc;
}

static bool is_over(const struct gl_instance *instance)
{
    return instance->state == GL_STATE_ENDED || instance->state == GL_STATE_LOST;
}

static int wait_for_end(struct gl_cloud *cloud, const char *id, struct gl_span wait,
                        struct gl_error *err)
{
    struct gl_kubernetes *kubernetes = gl_kubernetes_of(cloud);
    const struct gl_world *world = kubernetes->remote.world;
    int64_t until = world->monotonic_ms(world->cookie) + wait.s * 1000;
    struct gl_instance instance;

    while (world->monotonic_ms(world->cookie) < until) {
        if (gl_kubernetes_describe(cloud, id, &instance, err) < 0) {
            if (err->code != GL_E_NOT_FOUND)
                return -1;
            gl_error_clear(err);
            return 0;
        }
        if (is_over(&instance))
            return 0;
        if (gl_remote_wait(&kubernetes->remote, LOOK_MS, err) < 0)
            return -1;
    }
    return 0; /* its grace is the kubelet's matter */
}

/* Running: 1 it was told to end, 0 it needs no waiting, -1. */
static int begin_end(struct gl_kubernetes *kubernetes, const json_t *job, struct gl_error *err)
{
    GL_AUTO(gl_auto_json) json_t *pod = NULL;
    struct gl_instance instance;
    char words[200];

    if (look(kubernetes, job, &instance, &pod, err) < 0)
        return -1;
    if (is_over(&instance))
        return 0;
    if (instance.state == GL_STATE_STOPPING)
        return 1;
    if (pod == NULL || gl_kubernetes_read_place(pod, words) != 1) /* no kubelet knows it */
        return suspend(kubernetes, job, err) < 0 ? -1 : 0;
    return end_pod(kubernetes, pod, err) < 0 ? -1 : 1;
}

int gl_kubernetes_stop(struct gl_cloud *cloud, const char *id, struct gl_span wait,
                       struct gl_error *err)
{
    struct gl_kubernetes *kubernetes = gl_kubernetes_of(cloud);
    struct gl_error trouble = {0};
    GL_AUTO(gl_auto_json) json_t *job = job_of(kubernetes, id, &trouble);
    int rc = job != NULL ? begin_end(kubernetes, job, &trouble) : -1;

    if (rc < 0 && trouble.code == GL_E_NOT_FOUND && name_of(id, err) != NULL)
        return 0; /* it has ended, and the cluster has forgotten it */
    if (rc < 0)
        return gl_fail(err, trouble.code, "%s", trouble.text);
    return rc > 0 ? wait_for_end(cloud, id, wait, err) : 0;
}

int gl_kubernetes_terminate(struct gl_cloud *cloud, const char *id, struct gl_error *err)
{
    struct gl_kubernetes *kubernetes = gl_kubernetes_of(cloud);
    struct gl_error trouble = {0};
    GL_AUTO(gl_auto_json) json_t *job = job_of(kubernetes, id, &trouble);

    if (job == NULL && trouble.code == GL_E_NOT_FOUND && name_of(id, err) != NULL)
        return 0;
    if (job == NULL)
        return gl_fail(err, trouble.code, "%s", trouble.text);
    return gl_kubernetes_remove(kubernetes, job, false, err) < 0 ? -1 : 0;
}

/* ---- the log ---- */

static bool has_begun(const json_t *pod)
{
    const char *phase = json_string_value(json_object_get(json_object_get(pod, "status"), "phase"));

    return phase != NULL && strcmp(phase, "Pending") != 0;
}

/* The API tells the log from its beginning only. One that is shorter than what was read has been
 * rotated: all of it is new. */
static void take_log(const struct gl_http_reply *reply, uint64_t offset, struct gl_str *out,
                     uint64_t *out_next)
{
    uint64_t length = reply->body_length;
    uint64_t from = offset <= length ? offset : 0;

    if (length > from)
        gl_str_add_bytes(out, reply->body + from, length - from);
    *out_next = length;
}

static int read_log(struct gl_kubernetes *kubernetes, const json_t *pod, uint64_t offset,
                    struct gl_str *out, uint64_t *out_next, struct gl_error *err)
{
    struct gl_remote_call call = {.method = "GET"};
    char limit[24];
    int rc;

    snprintf(limit, sizeof limit, "%zu", GL_REMOTE_CEILING - 1);
    gl_kubernetes_call(kubernetes, &call, "v1", "pods/%s/log", meta_text(pod, "name"));
    gl_remote_query(&call, "container", "main");
    gl_remote_query(&call, "limitBytes", limit);
    rc = gl_remote_send(&kubernetes->remote, &call, err);
    if (rc == 0)
        take_log(&call.reply, offset, out, out_next);
    gl_remote_call_done(&call);
    return rc;
}

int gl_kubernetes_console(struct gl_cloud *cloud, const char *id, uint64_t offset,
                          struct gl_str *out, uint64_t *out_next, struct gl_error *err)
{
    struct gl_kubernetes *kubernetes = gl_kubernetes_of(cloud);
    GL_AUTO(gl_auto_json) json_t *job = job_of(kubernetes, id, err), *pod = NULL;

    if (job == NULL || gl_kubernetes_pod(kubernetes, job, &pod, err) < 0)
        return -1;
    if (pod == NULL || !has_begun(pod)) {
        *out_next = offset; /* nothing was said yet */
        return 0;
    }
    return read_log(kubernetes, pod, offset, out, out_next, err);
}
