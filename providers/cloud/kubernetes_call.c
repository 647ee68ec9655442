/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/kubernetes.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGES_MAX 400
#define FRESH_MAX 3 /* times that a list is begun anew */

void gl_kubernetes_call(const struct gl_kubernetes *kubernetes, struct gl_remote_call *call,
                        const char *api, const char *path, ...)
{
    char text[512];
    va_list args;

    va_start(args, path);
    vsnprintf(text, sizeof text, path, args);
    va_end(args);
    gl_str_addf(&call->url, "%s/%s/%s/namespaces/%s/%s", kubernetes->server,
                strchr(api, '/') != NULL ? "apis" : "api", api, kubernetes->space, text);
}

void gl_kubernetes_patch(struct gl_remote_call *call, const json_t *body)
{
    char *text = json_dumps(body, JSON_COMPACT);

    call->method = "PATCH";
    gl_str_add(&call->body, text);
    gl_remote_header(call, "Content-Type", "application/merge-patch+json");
    free(text);
}

/* ---- lists ---- */

/* One page: 1 there is more at *out_next, 0 the end, -1. */
static int read_page(struct gl_kubernetes *kubernetes, struct gl_remote_call *call,
                     const struct gl_kubernetes_listing *listing, char **out_next,
                     struct gl_error *err)
{
    GL_AUTO(gl_auto_json) json_t *page = gl_remote_json(&kubernetes->remote, call, err);
    const char *next = NULL;
    size_t i;
    const json_t *item;

    if (page == NULL)
        return -1;
    if (!json_is_array(json_object_get(page, "items")))
        return gl_fail(err, GL_E_BAD_REPLY, "kubernetes: the answer is no list");
    json_array_foreach(json_object_get(page, "items"), i,
                       item) if (listing->read(listing->cookie, item, err) < 0) return -1;
    json_unpack(page, "{s:{s:s}}", "metadata", "continue", &next);
    if (next == NULL || next[0] == '\0')
        return 0;
    *out_next = gl_strdup(next);
    return 1;
}

static void list_call(const struct gl_kubernetes *kubernetes, struct gl_remote_call *call,
                      const char *api, const char *path, const char *selector)
{
    call->method = "GET";
    if (strcmp(path, "nodes") == 0) /* the only ones outside of a namespace */
        gl_str_addf(&call->url, "%s/api/v1/nodes", kubernetes->server);
    else
        gl_kubernetes_call(kubernetes, call, api, "%s", path);
    if (selector != NULL)
        gl_remote_query(call, "labelSelector", selector);
    gl_remote_query(call, "limit", GL_KUBERNETES_PAGE);
}

int gl_kubernetes_each(struct gl_kubernetes *kubernetes, const char *api, const char *path,
                       const char *selector, const struct gl_kubernetes_listing *listing,
                       struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *next = NULL;
    unsigned begun = 0;

    for (unsigned i = 0; i < PAGES_MAX; i++) {
        struct gl_remote_call call = {.method = NULL};
        struct gl_error trouble = {0};
        char *after = NULL;
        int got;

        list_call(kubernetes, &call, api, path, selector);
        if (next != NULL)
            gl_remote_query(&call, "continue", next);
        got = read_page(kubernetes, &call, listing, &after, &trouble);
        gl_remote_call_done(&call);
        if (got == 0)
            return 0;
        if (got < 0 && !(trouble.code == GL_E_NOT_FOUND && next != NULL && begun++ < FRESH_MAX))
            return gl_fail(err, trouble.code, "%s", trouble.text);
        if (got < 0) /* 410: what was read is not one state of the cluster */
            listing->fresh(listing->cookie);
        free(next);
        next = after;
    }
    return gl_fail(err, GL_E_BAD_REPLY, "kubernetes: the list of %s does not end", path);
}

/* ---- one Job, its pod ---- */

json_t *gl_kubernetes_job(struct gl_kubernetes *kubernetes, const char *name, struct gl_error *err)
{
    struct gl_remote_call call = {.method = "GET"};
    struct gl_instance ours;
    json_t *job;

    gl_kubernetes_call(kubernetes, &call, "batch/v1", "jobs/%s", name);
    job = gl_remote_json(&kubernetes->remote, &call, err);
    gl_remote_call_done(&call);
    if (job == NULL || gl_kubernetes_read_instance(job, NULL, &ours))
        return job;
    json_decref(job);
    gl_fail(err, GL_E_TOKEN, "kubernetes: the Job %s in %s is not ours", name, kubernetes->space);
    return NULL;
}

struct pod_search {
    const char *uid; /* of the Job */
    json_t *found;
};

static const char *meta_text(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(json_object_get(object, "metadata"), name));
}

static bool is_owned(const json_t *pod, const char *uid)
{
    size_t i;
    const json_t *owner;

    json_array_foreach(json_object_get(json_object_get(pod, "metadata"), "ownerReferences"), i,
                       owner)
    {
        const char *of = json_string_value(json_object_get(owner, "uid"));

        if (of != NULL && strcmp(of, uid) == 0)
            return true;
    }
    return false;
}

/* A Job of ours has one; of several the youngest says how it is. */
static int read_pod(void *cookie, const json_t *pod, struct gl_error *err)
{
    struct pod_search *search = cookie;
    const char *made = meta_text(pod, "creationTimestamp");
    const char *before = meta_text(search->found, "creationTimestamp");

    (void)err;
    if (!is_owned(pod, search->uid) ||
        (search->found != NULL && before != NULL && (made == NULL || strcmp(made, before) < 0)))
        return 0;
    json_decref(search->found);
    search->found = json_deep_copy(pod);
    return 0;
}

static void forget_pod(void *cookie)
{
    struct pod_search *search = cookie;

    json_decref(search->found);
    search->found = NULL;
}

int gl_kubernetes_pod(struct gl_kubernetes *kubernetes, const json_t *job, json_t **out,
                      struct gl_error *err)
{
    struct pod_search search = {.uid = meta_text(job, "uid")};
    const struct gl_kubernetes_listing listing = {read_pod, forget_pod, &search};
    const char *name = meta_text(job, "name");
    char selector[128];

    if (search.uid == NULL || name == NULL)
        return gl_fail(err, GL_E_BAD_REPLY, "kubernetes: a Job without name or uid");
    snprintf(selector, sizeof selector, "job-name=%.100s", name);
    if (gl_kubernetes_each(kubernetes, "v1", "pods", selector, &listing, err) < 0) {
        json_decref(search.found);
        return -1;
    }
    *out = search.found;
    return 0;
}

/* ---- removing ---- */

int gl_kubernetes_remove(struct gl_kubernetes *kubernetes, const json_t *job, bool is_unchanged,
                         struct gl_error *err)
{
    const char *name = meta_text(job, "name"), *uid = meta_text(job, "uid");
    const char *version = meta_text(job, "resourceVersion");
    struct gl_remote_call call = {.method = "DELETE"};
    struct gl_error trouble = {0};
    json_t *body, *only;
    int rc;

    if (name == NULL || uid == NULL || (is_unchanged && version == NULL))
        return gl_fail(err, GL_E_BAD_REPLY, "kubernetes: a Job without name, uid or version");
    only = json_pack("{s:s}", "uid", uid);
    if (is_unchanged)
        json_object_set_new(only, "resourceVersion", json_string(version));
    body = json_pack("{s:s,s:s,s:s,s:o}", "apiVersion", "v1", "kind", "DeleteOptions",
                     "propagationPolicy", "Background", "preconditions", only);
    gl_kubernetes_call(kubernetes, &call, "batch/v1", "jobs/%s", name);
    gl_remote_body_json(&call, body);
    json_decref(body);
    rc = gl_remote_send(&kubernetes->remote, &call, &trouble);
    gl_remote_call_done(&call);
    if (rc == 0)
        return 1;
    if (trouble.code == GL_E_NOT_FOUND || trouble.code == GL_E_TOKEN)
        return 0;
    return gl_fail(err, trouble.code, "%s", trouble.text);
}
