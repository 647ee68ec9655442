/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/kubernetes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- rights ---- */

static const struct {
    const char *verb, *group, *resource, *sub;
} rights[] = {
    {"create", "batch", "jobs", ""}, {"get", "batch", "jobs", ""},    {"list", "batch", "jobs", ""},
    {"patch", "batch", "jobs", ""},  {"delete", "batch", "jobs", ""}, {"create", "", "secrets", ""},
    {"update", "", "secrets", ""},   {"list", "", "pods", ""},        {"patch", "", "pods", ""},
    {"get", "", "pods", "log"},
};
#define RIGHTS (sizeof rights / sizeof *rights)

static void ask_right(const struct gl_kubernetes *kubernetes, size_t i, struct gl_remote_call *call)
{
    json_t *what =
               json_pack("{s:s,s:s,s:s,s:s}", "namespace", kubernetes->space, "verb",
                         rights[i].verb, "group", rights[i].group, "resource", rights[i].resource),
           *body;

    if (rights[i].sub[0] != '\0')
        json_object_set_new(what, "subresource", json_string(rights[i].sub));
    body = json_pack("{s:s,s:s,s:{s:o}}", "apiVersion", "authorization.k8s.io/v1", "kind",
                     "SelfSubjectAccessReview", "spec", "resourceAttributes", what);
    call->method = "POST";
    gl_str_addf(&call->url, "%s/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
                kubernetes->server);
    gl_remote_body_json(call, body);
    json_decref(body);
}

static int read_right(const struct gl_kubernetes *kubernetes, size_t i,
                      const struct gl_remote_call *call, struct gl_error *err)
{
    GL_AUTO(gl_auto_json) json_t *root = NULL;

    if (call->err.code != GL_OK)
        return gl_fail(err, call->err.code, "%s", call->err.text);
    root = gl_remote_reply_json(call, err);
    if (root == NULL)
        return -1;
    if (json_is_true(json_object_get(json_object_get(root, "status"), "allowed")))
        return 0;
    return gl_fail(err, GL_E_PERMISSION, "kubernetes: namespace %s does not allow to %s %s%s%s",
                   kubernetes->space, rights[i].verb, rights[i].resource,
                   rights[i].sub[0] != '\0' ? "/" : "", rights[i].sub);
}

static int check_rights(struct gl_kubernetes *kubernetes, struct gl_error *err)
{
    struct gl_remote_call calls[RIGHTS];
    int rc = 0;

    memset(calls, 0, sizeof calls);
    for (size_t i = 0; i < RIGHTS; i++)
        ask_right(kubernetes, i, &calls[i]);
    gl_remote_send_all(&kubernetes->remote, calls, RIGHTS);
    for (size_t i = 0; i < RIGHTS; i++) {
        if (rc == 0)
            rc = read_right(kubernetes, i, &calls[i], err);
        gl_remote_call_done(&calls[i]);
    }
    return rc;
}

/* ---- the namespace's quota ---- */

struct need {
    const struct gl_launch *launch;
    const struct gl_kubernetes *kubernetes;
};

/* Thousandths that the launch would take of it; 0 = nothing that we know. */
static int64_t need_of(const struct gl_launch *launch, const char *name)
{
    static const char *const ones[] = {"pods", "count/pods", "count/jobs.batch", "secrets",
                                       "count/secrets"};
    static const char *const cpus[] = {"cpu", "requests.cpu", "limits.cpu"};
    static const char *const memories[] = {"memory", "requests.memory", "limits.memory"};

    for (size_t i = 0; i < sizeof ones / sizeof *ones; i++)
        if (strcmp(name, ones[i]) == 0)
            return 1000;
    for (size_t i = 0; i < sizeof cpus / sizeof *cpus; i++)
        if (strcmp(name, cpus[i]) == 0)
            return (int64_t)launch->vcpus * 1000;
    for (size_t i = 0; i < sizeof memories / sizeof *memories; i++)
        if (strcmp(name, memories[i]) == 0)
            return (int64_t)launch->memory_mib * (1 << 20) * 1000;
    return 0;
}

/* One with a scope may be another kind of pod's. */
static int read_quota(void *cookie, const json_t *quota, struct gl_error *err)
{
    const struct need *need = cookie;
    const json_t *spec = json_object_get(quota, "spec"), *status = json_object_get(quota, "status");
    const char *name;
    json_t *hard;

    if (json_object_get(spec, "scopes") != NULL || json_object_get(spec, "scopeSelector") != NULL)
        return 0;
    json_object_foreach(json_object_get(status, "hard"), name, hard)
    {
        int64_t wanted = need_of(need->launch, name), most, used = 0;
        const json_t *taken = json_object_get(json_object_get(status, "used"), name);

        if (wanted == 0 || !gl_kubernetes_quantity(json_string_value(hard), &most))
            continue;
        gl_kubernetes_quantity(json_string_value(taken), &used);
        if (used > most || wanted > most - used)
            return gl_fail(err, GL_E_QUOTA, "kubernetes: the quota %s of namespace %s is used up",
                           name, need->kubernetes->space);
    }
    return 0;
}

static void forget(void *cookie)
{
    (void)cookie; /* each quota is judged by itself */
}

static int check_quota(struct gl_kubernetes *kubernetes, const struct gl_launch *launch,
                       struct gl_error *err)
{
    struct need need = {launch, kubernetes};
    const struct gl_kubernetes_listing listing = {read_quota, forget, &need};
    struct gl_error trouble = {0};

    if (gl_kubernetes_each(kubernetes, "v1", "resourcequotas", NULL, &listing, &trouble) == 0 ||
        trouble.code == GL_E_PERMISSION) /* not needed for a launch: the cluster would tell */
        return 0;
    return gl_fail(err, trouble.code, "%s", trouble.text);
}

/* ---- the dry run ---- */

/* A webhook with effects of its own takes part in no dry run: that says nothing of a launch. */
static bool is_untold(const struct gl_error *trouble)
{
    return strstr(trouble->text, "does not support dry run") != NULL;
}

static int dry_run(struct gl_kubernetes *kubernetes, const struct gl_launch *launch,
                   struct gl_error *err)
{
    struct gl_remote_call call = {.method = "POST", .region = launch->region};
    json_t *body = gl_kubernetes_job_body(kubernetes, launch);
    GL_AUTO(gl_auto_json) json_t *job = NULL;
    struct gl_error trouble = {0};

    gl_kubernetes_call(kubernetes, &call, "batch/v1", "jobs");
    gl_remote_query(&call, "fieldValidation", "Strict");
    gl_remote_query(&call, "dryRun", "All");
    gl_remote_body_json(&call, body);
    json_decref(body);
    job = gl_remote_json(&kubernetes->remote, &call, &trouble);
    gl_remote_call_done(&call);
    if (job == NULL && (trouble.code == GL_E_TOKEN || is_untold(&trouble)))
        return 0; /* with the token: it is launched already, the same Job */
    if (job == NULL)
        return gl_fail(err, trouble.code, "%s", trouble.text);
    return gl_kubernetes_check_kept(job, launch, err);
}

/* The pod that the Job's controller would make. */
static json_t *pod_body(const struct gl_kubernetes *kubernetes, const struct gl_launch *launch)
{
    GL_AUTO(gl_auto_json) json_t *job = gl_kubernetes_job_body(kubernetes, launch);
    json_t *template = json_object_get(json_object_get(job, "spec"), "template");
    json_t *pod = json_pack("{s:s,s:s}", "apiVersion", "v1", "kind", "Pod");

    json_object_update(pod, template);
    json_object_set(json_object_get(pod, "metadata"), "name",
                    json_object_get(json_object_get(job, "metadata"), "name"));
    return pod;
}

int gl_kubernetes_try_pod(struct gl_kubernetes *kubernetes, const struct gl_launch *launch,
                          struct gl_error *err)
{
    struct gl_remote_call call = {.method = "POST", .region = launch->region};
    json_t *body = pod_body(kubernetes, launch);
    struct gl_error trouble = {0};
    int rc;

    gl_kubernetes_call(kubernetes, &call, "v1", "pods");
    gl_remote_query(&call, "fieldValidation", "Strict");
    gl_remote_query(&call, "dryRun", "All");
    gl_remote_body_json(&call, body);
    json_decref(body);
    rc = gl_remote_send(&kubernetes->remote, &call, &trouble);
    gl_remote_call_done(&call);
    if (rc == 0 || trouble.code == GL_E_TOKEN || is_untold(&trouble) ||
        strstr(trouble.text, "cannot create resource") != NULL)
        return 0;
    return gl_fail(err, trouble.code, "%s", trouble.text);
}

int gl_kubernetes_check(struct gl_cloud *cloud, const struct gl_launch *launch,
                        struct gl_error *err)
{
    struct gl_kubernetes *kubernetes = gl_kubernetes_of(cloud);

    if (gl_kubernetes_check_launch(kubernetes, launch, err) < 0 ||
        gl_kubernetes_check_secret(launch, err) < 0 ||
        gl_kubernetes_check_place(kubernetes, launch->region, launch->type, err) < 0 ||
        gl_kubernetes_check_price(kubernetes, launch, err) < 0)
        return -1;
    gl_remote_begin(&kubernetes->remote, GL_REMOTE_DEADLINE_MS);
    return check_rights(kubernetes, err) < 0 || dry_run(kubernetes, launch, err) < 0 ||
                   check_quota(kubernetes, launch, err) < 0 ||
                   gl_kubernetes_try_pod(kubernetes, launch, err) < 0
               ? -1
               : 0;
}
