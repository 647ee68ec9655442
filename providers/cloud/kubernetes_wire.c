/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/kubernetes.h"

#include "base/time.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* `reason` of a Status object. */
const struct gl_remote_rule gl_kubernetes_rules[] = {
    {0, "AlreadyExists", NULL, GL_E_TOKEN, GL_REACH_CALL},
    {0, NULL, "denied the request", GL_E_PERMISSION, GL_REACH_ACCOUNT}, /* an admission webhook */
    {0, NULL, " denied request: ", GL_E_PERMISSION, GL_REACH_ACCOUNT},  /* an admission policy */
    {0, "Forbidden", "exceeded quota", GL_E_QUOTA, GL_REACH_ACCOUNT},
    {0, "Forbidden", " usage per ", GL_E_QUOTA, GL_REACH_ACCOUNT}, /* a LimitRange */
    {0, "Forbidden", ": must specify ", GL_E_BAD_VALUE, GL_REACH_ACCOUNT},
    {0, "Forbidden", "it is being terminated", GL_E_UNKNOWN_NAME, GL_REACH_ACCOUNT},
    {0, "Forbidden", NULL, GL_E_PERMISSION, GL_REACH_ACCOUNT},
    {0, "Unauthorized", NULL, GL_E_NO_CREDENTIAL, GL_REACH_ACCOUNT},
    {0, "NotFound", "namespaces \"", GL_E_UNKNOWN_NAME, GL_REACH_ACCOUNT},
    {0, "NotFound", NULL, GL_E_NOT_FOUND, GL_REACH_CALL},
    {410, NULL, NULL, GL_E_NOT_FOUND, GL_REACH_CALL}, /* where a list went on is forgotten */
    {0, "Conflict", "recondition", GL_E_TOKEN, GL_REACH_CALL}, /* another, or changed meanwhile */
    {0, "Conflict", NULL, GL_E_BUSY, GL_REACH_CALL},
    {0, "TooManyRequests", NULL, GL_E_RATE_LIMIT, GL_REACH_ACCOUNT},
    {0, "RequestEntityTooLarge", NULL, GL_E_TOO_LARGE, GL_REACH_CALL},
    {0, "Invalid", NULL, GL_E_BAD_VALUE, GL_REACH_CALL},
    {0, "BadRequest", NULL, GL_E_BAD_VALUE, GL_REACH_CALL},
    {0, "Timeout", NULL, GL_E_PROVIDER, GL_REACH_CALL},
    {0, "ServerTimeout", NULL, GL_E_PROVIDER, GL_REACH_CALL},
    {0, "InternalError", NULL, GL_E_PROVIDER, GL_REACH_CALL},
    {0, "ServiceUnavailable", NULL, GL_E_PROVIDER, GL_REACH_ACCOUNT},
    {0, NULL, NULL, GL_OK, GL_REACH_CALL},
};

/* ---- small reads ---- */

static const char *text_of(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

static void put(char *out, size_t size, const char *text)
{
    if (text != NULL && text[0] != '\0')
        snprintf(out, size, "%.*s", (int)size - 1, text);
}

bool gl_kubernetes_read_error(const struct gl_http_reply *reply, struct gl_remote_word *out)
{
    struct gl_error ignored = {0};
    GL_AUTO(gl_auto_json)
    json_t *root = gl_json_parse(reply->body, reply->body_length, "answer", &ignored);
    const char *kind = text_of(root, "kind"), *reason = text_of(root, "reason");

    if (kind == NULL || strcmp(kind, "Status") != 0)
        return false;
    put(out->word, sizeof out->word, reason);
    put(out->text, sizeof out->text, text_of(root, "message"));
    return true;
}

bool gl_kubernetes_quantity(const char *text, int64_t *out_milli)
{
    static const struct {
        const char *suffix;
        double factor;
    } units[] = {
        {"", 1},           {"m", 1e-3},
        {"k", 1e3},        {"M", 1e6},
        {"G", 1e9},        {"T", 1e12},
        {"P", 1e15},       {"Ki", 1024.0},
        {"Mi", 1048576.0}, {"Gi", 1073741824.0},
        {"u", 1e-6},       {"n", 1e-9},
        {"E", 1e18},       {"Ti", 1099511627776.0},
        {"Pi", 0x1p50},    {"Ei", 0x1p60},
    };
    double value;
    char *end;

    if (text == NULL || text[0] == '\0' || strspn(text, "0123456789.") == 0)
        return false; /* no sign, no hexadecimal, no words for infinity */
    if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
        return false;
    value = strtod(text, &end);
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        double milli = ceil(value * units[i].factor * 1000 - 1e-6);

        if (strcmp(end, units[i].suffix) != 0)
            continue;
        if (!(milli >= 0 && milli < 9e18))
            return false;
        *out_milli = (int64_t)milli;
        return true;
    }
    return false;
}

/* ---- conditions ---- */

/* A condition that holds with this status; NULL = it does not. */
static const json_t *condition(const json_t *object, const char *type, const char *status)
{
    size_t i;
    const json_t *one;

    json_array_foreach(json_object_get(json_object_get(object, "status"), "conditions"), i, one)
    {
        const char *of = text_of(one, "type"), *is = text_of(one, "status");

        if (of != NULL && is != NULL && strcmp(of, type) == 0 && strcmp(is, status) == 0)
            return one;
    }
    return NULL;
}

static const json_t *spec_of(const json_t *object)
{
    return json_object_get(object, "spec");
}

static const json_t *meta_of(const json_t *object)
{
    return json_object_get(object, "metadata");
}

static const char *annotation(const json_t *object, const char *name)
{
    return text_of(json_object_get(meta_of(object), "annotations"), name);
}

static bool is_suspended(const json_t *job)
{
    return json_is_true(json_object_get(spec_of(job), "suspend"));
}

bool gl_kubernetes_is_unstarted(const json_t *job)
{
    return is_suspended(job) && annotation(job, "greenlaunch-stopped") == NULL &&
           text_of(meta_of(job), "deletionTimestamp") == NULL;
}

int gl_kubernetes_read_place(const json_t *pod, char out[200])
{
    const json_t *refused = condition(pod, "PodScheduled", "False");
    const char *reason = text_of(refused, "reason"), *message = text_of(refused, "message");
    struct gl_str text = {.ceiling = 199};

    if (text_of(spec_of(pod), "nodeName") != NULL || condition(pod, "PodScheduled", "True") != NULL)
        return 1;
    if (reason == NULL || strcmp(reason, "Unschedulable") != 0)
        return 0;
    if (message != NULL)
        gl_str_add_printable(&text, message, strlen(message));
    snprintf(out, 200, "%s", gl_str_text(&text));
    gl_str_done(&text);
    return -1;
}

/* ---- states ---- */

static const json_t *container_of(const json_t *pod)
{
    size_t i;
    const json_t *one;

    json_array_foreach(json_object_get(json_object_get(pod, "status"), "containerStatuses"), i, one)
    {
        const char *name = text_of(one, "name");

        if (name != NULL && strcmp(name, "main") == 0)
            return json_object_get(one, "state");
    }
    return NULL;
}

static void read_exit(const json_t *pod, struct gl_instance *out)
{
    const json_t *ended = json_object_get(container_of(pod), "terminated");
    const json_t *code = json_object_get(ended, "exitCode");

    if (!json_is_integer(code) || json_integer_value(code) < 0 || json_integer_value(code) > 255)
        return;
    out->has_exit = true;
    out->exit_status = (int)json_integer_value(code);
    put(out->why, sizeof out->why, text_of(ended, "reason"));
}

/* A waiting one says why (ImagePullBackOff); one without a node is Unschedulable. */
static void read_waiting(const json_t *pod, struct gl_instance *out)
{
    const char *reason = text_of(json_object_get(container_of(pod), "waiting"), "reason");

    if (reason == NULL)
        reason = text_of(condition(pod, "PodScheduled", "False"), "reason");
    put(out->why, sizeof out->why, reason);
}

static enum gl_instance_state pod_state(const json_t *pod, struct gl_instance *out)
{
    const json_t *status = json_object_get(pod, "status");
    const json_t *limit = json_object_get(spec_of(pod), "activeDeadlineSeconds");
    const char *phase = text_of(status, "phase"), *reason = text_of(status, "reason");
    bool is_ending = text_of(meta_of(pod), "deletionTimestamp") != NULL ||
                     (json_is_integer(limit) && json_integer_value(limit) <= GL_KUBERNETES_STOPS);

    if (phase == NULL)
        return is_ending ? GL_STATE_STOPPING : GL_STATE_LAUNCHING;
    if (strcmp(phase, "Succeeded") == 0 || strcmp(phase, "Failed") == 0) {
        read_exit(pod, out);
        put(out->why, sizeof out->why, reason); /* Evicted, DeadlineExceeded ... */
        return GL_STATE_ENDED;
    }
    if (strcmp(phase, "Pending") == 0) {
        read_waiting(pod, out);
        return is_ending ? GL_STATE_STOPPING : GL_STATE_LAUNCHING;
    }
    if (strcmp(phase, "Running") != 0) /* Unknown: its node is silent, and may run it */
        put(out->why, sizeof out->why, reason != NULL ? reason : phase);
    return is_ending ? GL_STATE_STOPPING : GL_STATE_RUNNING;
}

static enum gl_instance_state state_of(const json_t *job, const json_t *pod,
                                       struct gl_instance *out)
{
    const json_t *failed = condition(job, "Failed", "True");
    enum gl_instance_state state = pod != NULL ? pod_state(pod, out) : GL_STATE_LAUNCHING;

    if (text_of(meta_of(job), "deletionTimestamp") != NULL)
        return GL_STATE_STOPPING;
    if (condition(job, "Complete", "True") != NULL)
        return GL_STATE_ENDED;
    if (failed != NULL) {
        if (out->why[0] == '\0')
            put(out->why, sizeof out->why, text_of(failed, "reason"));
        return GL_STATE_ENDED;
    }
    if (pod == NULL && is_suspended(job))
        return gl_kubernetes_is_unstarted(job) ? GL_STATE_LAUNCHING : GL_STATE_ENDED;
    return state;
}

static const char *label(void *cookie, const char *name)
{
    return text_of(cookie, name);
}

bool gl_kubernetes_read_instance(const json_t *job, const json_t *pod, struct gl_instance *out)
{
    const json_t *meta = meta_of(job);
    const char *name = text_of(meta, "name"), *created = text_of(meta, "creationTimestamp");
    const char *region = annotation(job, "greenlaunch-region");
    const char *type = annotation(job, "greenlaunch-type");
    struct gl_error ignored = {0};

    *out = (struct gl_instance){.host_cpu_ms = -1};
    if (name == NULL || region == NULL || region[0] == '\0' || strchr(region, '/') != NULL ||
        strlen(region) >= sizeof out->region ||
        !gl_labels_read(label, json_object_get(meta, "labels"), out) ||
        snprintf(out->id, sizeof out->id, "%s/%s", region, name) >= (int)sizeof out->id)
        return false;
    put(out->region, sizeof out->region, region);
    put(out->type, sizeof out->type, type);
    put(out->how, sizeof out->how, "kubernetes");
    out->state = state_of(job, pod, out);
    if (created != NULL && gl_instant_parse(created, &out->started, &ignored) != 0)
        out->started = (struct gl_instant){0};
    return true;
}
