/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/kubernetes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOOK_MS  500
#define CLEAN_MS 30000

/* ---- the steps ---- */

static json_t *create_job(struct gl_kubernetes *kubernetes, const struct gl_launch *launch,
                          struct gl_error *err)
{
    struct gl_remote_call call = {.method = "POST", .region = launch->region, .is_create = true};
    json_t *body = gl_kubernetes_job_body(kubernetes, launch), *job;

    gl_kubernetes_call(kubernetes, &call, "batch/v1", "jobs");
    gl_remote_query(&call, "fieldValidation", "Strict");
    gl_remote_body_json(&call, body);
    json_decref(body);
    job = gl_remote_json(&kubernetes->remote, &call, err);
    gl_remote_call_done(&call);
    return job;
}

static int send_secret(struct gl_kubernetes *kubernetes, const struct gl_launch *launch,
                       const json_t *body, bool is_there, struct gl_error *err)
{
    struct gl_remote_call call = {
        .method = is_there ? "PUT" : "POST", .region = launch->region, .is_create = !is_there};
    char name[GL_CLOUD_ID];
    int rc;

    gl_attempt_name(launch, name);
    gl_kubernetes_call(kubernetes, &call, "v1", "secrets%s%s", is_there ? "/" : "",
                       is_there ? name : "");
    gl_remote_query(&call, "fieldValidation", "Strict");
    gl_remote_body_json(&call, body);
    rc = gl_remote_send(&kubernetes->remote, &call, err);
    gl_remote_call_done(&call);
    return rc;
}

/* An earlier try of the same launch may have left one: no pod has seen it yet. */
static int put_secret(struct gl_kubernetes *kubernetes, const struct gl_launch *launch,
                      const json_t *job, struct gl_error *err)
{
    json_t *body = gl_kubernetes_secret_body(launch, job, err);
    struct gl_error trouble = {0};
    int rc;

    if (body == NULL)
        return -1;
    rc = send_secret(kubernetes, launch, body, false, &trouble);
    if (rc < 0 && trouble.code == GL_E_TOKEN) {
        gl_error_clear(&trouble);
        rc = send_secret(kubernetes, launch, body, true, &trouble);
    }
    gl_kubernetes_forget(body);
    return rc < 0 ? gl_fail(err, trouble.code, "%s", trouble.text) : 0;
}

/* From here on it runs: whatever hinders the answer leaves that open. */
static int let_go(struct gl_kubernetes *kubernetes, const struct gl_launch *launch,
                  struct gl_error *err)
{
    struct gl_remote_call call = {.method = NULL, .region = launch->region};
    json_t *body = json_pack("{s:{s:b}}", "spec", "suspend", 0);
    struct gl_error trouble = {0};
    char name[GL_CLOUD_ID];
    int rc;

    gl_attempt_name(launch, name);
    gl_kubernetes_patch(&call, body);
    json_decref(body);
    gl_kubernetes_call(kubernetes, &call, "batch/v1", "jobs/%s", name);
    rc = gl_remote_send(&kubernetes->remote, &call, &trouble);
    gl_remote_call_done(&call);
    if (rc == 0)
        return 0;
    return gl_fail(err,
                   trouble.code == GL_E_PERMISSION || trouble.code == GL_E_NO_CREDENTIAL ||
                           trouble.code == GL_E_BAD_VALUE
                       ? trouble.code
                       : GL_E_OUTCOME,
                   "%s", trouble.text);
}

/* ---- taking back ---- */

/* What cannot be removed now is in doubt, so that it is looked for by its token. */
static int take_back(struct gl_kubernetes *kubernetes, const json_t *job, struct gl_error *err)
{
    struct gl_cloud_failure failure = kubernetes->remote.cloud.failure;
    bool (*before)(void *cookie) = kubernetes->remote.is_cancelled;
    struct gl_error why = {0};

    gl_remote_begin(&kubernetes->remote, CLEAN_MS);
    kubernetes->remote.is_cancelled = NULL;
    if (gl_kubernetes_remove(kubernetes, job, false, &why) < 0) {
        err->code = GL_E_OUTCOME;
        gl_wrap(err, "its Job could not be removed after a failure (%.200s)", why.text);
    }
    kubernetes->remote.is_cancelled = before;
    kubernetes->remote.cloud.failure = failure;
    return -1;
}

/* ---- waiting for a node ---- */

/* The Job's controller was refused its pod; the same question tells why. */
static int fail_pod(struct gl_kubernetes *kubernetes, const struct gl_launch *launch,
                    struct gl_error *err)
{
    struct gl_error why = {0};

    gl_remote_begin(&kubernetes->remote, GL_REMOTE_DEADLINE_MS);
    if (gl_kubernetes_try_pod(kubernetes, launch, &why) < 0 && !gl_errc_row(why.code)->is_retryable)
        return gl_fail(err, why.code, "%s", why.text);
    kubernetes->remote.cloud.failure =
        (struct gl_cloud_failure){.reach = GL_REACH_ACCOUNT, .retry_after_ms = -1};
    return gl_fail(err, GL_E_LAUNCH,
                   "kubernetes: no pod was made for the Job within %lld s: a quota or an "
                   "admission rule of namespace %s may refuse it",
                   (long long)kubernetes->schedule_wait_s, kubernetes->space);
}

static int fail_place(struct gl_kubernetes *kubernetes, const struct gl_launch *launch,
                      const json_t *pod, const char *words, struct gl_error *err)
{
    struct gl_cloud_failure *failure = &kubernetes->remote.cloud.failure;

    if (pod == NULL)
        return fail_pod(kubernetes, launch, err);
    *failure = (struct gl_cloud_failure){.reach = GL_REACH_REGION, .retry_after_ms = -1};
    snprintf(failure->word, sizeof failure->word, "Unschedulable");
    return gl_fail(err, GL_E_CAPACITY, "kubernetes: no node in %s for %s within %lld s: %s",
                   launch->region, launch->type, (long long)kubernetes->schedule_wait_s,
                   words[0] != '\0' ? words : "the scheduler did not say why");
}

static bool is_given_up(const struct gl_launch *launch)
{
    return launch->is_cancelled != NULL && launch->is_cancelled(launch->cookie);
}

/* Until the pod has a node of the region, or is over already. */
static int wait_for_node(struct gl_kubernetes *kubernetes, const struct gl_launch *launch,
                         const json_t *job, struct gl_error *err)
{
    const struct gl_world *world = kubernetes->remote.world;
    int64_t wait_ms = kubernetes->schedule_wait_s * 1000;
    int64_t until = world->monotonic_ms(world->cookie) + wait_ms;

    gl_remote_begin(&kubernetes->remote, GL_REMOTE_DEADLINE_MS + wait_ms);
    for (;;) {
        GL_AUTO(gl_auto_json) json_t *pod = NULL;
        char words[200] = "";
        int placed;

        if (gl_kubernetes_pod(kubernetes, job, &pod, err) < 0)
            return -1;
        placed = pod != NULL ? gl_kubernetes_read_place(pod, words) : 0;
        if (placed == 1)
            return gl_kubernetes_check_pod(kubernetes, pod, launch->region, err);
        if (is_given_up(launch))
            return gl_fail(err, GL_E_INTERRUPTED, "kubernetes: given up while waiting for a node");
        if (world->monotonic_ms(world->cookie) >= until)
            return fail_place(kubernetes, launch, pod, words, err);
        if (gl_remote_wait(&kubernetes->remote, LOOK_MS, err) < 0)
            return -1;
    }
}

/* ---- launching ---- */

/* The Job that bears the name: 1 ours and running or over, 0 there is none, 2 ours and never let
 * go; -1. */
static int meet(struct gl_kubernetes *kubernetes, const struct gl_launch *launch, json_t **out,
                struct gl_error *err)
{
    struct gl_error trouble = {0};
    struct gl_instance instance;
    char name[GL_CLOUD_ID];
    json_t *job;

    gl_attempt_name(launch, name);
    job = gl_kubernetes_job(kubernetes, name, &trouble);
    if (job == NULL && trouble.code == GL_E_NOT_FOUND)
        return 0;
    if (job == NULL)
        return gl_fail(err, trouble.code, "%s", trouble.text);
    if (!gl_kubernetes_read_instance(job, NULL, &instance) ||
        strcmp(instance.token, launch->token) != 0) {
        json_decref(job);
        return gl_fail(err, GL_E_TOKEN, "kubernetes: the Job %s belongs to another launch", name);
    }
    *out = job;
    return gl_kubernetes_is_unstarted(job) ? 2 : 1;
}

/* A fresh Job, suspended; one that another launcher of the same token made meanwhile. */
static int make(struct gl_kubernetes *kubernetes, const struct gl_launch *launch, json_t **out,
                struct gl_error *err)
{
    struct gl_error refused = {0};

    if (gl_kubernetes_check_place(kubernetes, launch->region, launch->type, err) < 0 ||
        gl_kubernetes_check_price(kubernetes, launch, err) < 0)
        return -1;
    gl_remote_begin(&kubernetes->remote, GL_REMOTE_DEADLINE_MS);
    *out = create_job(kubernetes, launch, &refused);
    if (*out == NULL && refused.code == GL_E_TOKEN)
        return meet(kubernetes, launch, out, err);
    return *out != NULL ? 2 : gl_fail(err, refused.code, "%s", refused.text);
}

static int go_on(struct gl_kubernetes *kubernetes, const struct gl_launch *launch, json_t *job,
                 struct gl_error *err)
{
    if (gl_kubernetes_check_kept(job, launch, err) < 0 ||
        put_secret(kubernetes, launch, job, err) < 0)
        return take_back(kubernetes, job, err);
    if (let_go(kubernetes, launch, err) < 0)
        return err->code == GL_E_OUTCOME ? -1 : take_back(kubernetes, job, err);
    if (wait_for_node(kubernetes, launch, job, err) < 0)
        return take_back(kubernetes, job, err);
    return 0;
}

/* One that was let go before: whoever did may have been stopped before it saw where the pod went.
 * What is over stays as it is; what only could not be asked stays, too. */
static int take_up(struct gl_kubernetes *kubernetes, const struct gl_launch *launch, json_t *job,
                   struct gl_error *err)
{
    GL_AUTO(gl_auto_json) json_t *pod = NULL;
    const char *const *regions;
    struct gl_instance instance;

    if (gl_kubernetes_pod(kubernetes, job, &pod, err) < 0)
        return -1;
    if (gl_kubernetes_read_instance(job, pod, &instance) && instance.state != GL_STATE_LAUNCHING &&
        instance.state != GL_STATE_RUNNING)
        return 0;
    if (gl_kubernetes_regions(&kubernetes->remote.cloud, &regions, err) < 0)
        return -1;
    if (wait_for_node(kubernetes, launch, job, err) == 0)
        return 0;
    return gl_errc_row(err->code)->is_retryable ? -1 : take_back(kubernetes, job, err);
}

int gl_kubernetes_launch(struct gl_cloud *cloud, const struct gl_launch *launch,
                         struct gl_instance *out, struct gl_error *err)
{
    struct gl_kubernetes *kubernetes = gl_kubernetes_of(cloud);
    GL_AUTO(gl_auto_json) json_t *job = NULL;
    char id[GL_CLOUD_ID + 48], name[GL_CLOUD_ID];
    int met;

    if (gl_kubernetes_check_launch(kubernetes, launch, err) < 0)
        return -1;
    gl_attempt_name(launch, name);
    snprintf(id, sizeof id, "%.39s/%s", launch->region, name);
    if (strlen(id) >= GL_CLOUD_ID)
        return gl_fail(err, GL_E_BAD_VALUE, "%s/%s is too long a name", launch->region, name);
    gl_remote_begin(&kubernetes->remote, GL_REMOTE_DEADLINE_MS);
    met = meet(kubernetes, launch, &job, err);
    if (met == 0)
        met = make(kubernetes, launch, &job, err);
    if (met == 0)
        return gl_fail(err, GL_E_OUTCOME, "kubernetes: the Job %s was there and has gone", name);
    if (met < 0 || (met == 2 ? go_on : take_up)(kubernetes, launch, job, err) < 0)
        return -1;
    return gl_kubernetes_describe(cloud, id, out, err);
}
