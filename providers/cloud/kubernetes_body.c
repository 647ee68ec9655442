/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/kubernetes.h"

#include "providers/cloud/guest_shell.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECRET_MAX ((size_t)1 << 20) /* of all values together */
#define GRACE_S    30                /* from the signal to the end: the last reading is written */
#define LATE_S     120   /* the pod's own deadline comes first: its log can be read then */
#define KEPT_S     86400 /* a Job that is over, and its log, until the cluster forgets it */
#define NOBODY     65534

/* ---- before anything is sent ---- */

/* Label values: letters, digits, - _ . and at most 63 of them. */
static bool is_label(const char *text)
{
    static const char ends[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    size_t length = strlen(text);

    return length > 0 && length <= 63 && strchr(ends, text[0]) != NULL &&
           strchr(ends, text[length - 1]) != NULL &&
           strspn(text, "-_.abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") ==
               length;
}

static bool is_name(const char *text)
{
    size_t length = strlen(text);

    return length > 0 && length <= 63 && text[0] != '-' && text[length - 1] != '-' &&
           strspn(text, "-abcdefghijklmnopqrstuvwxyz0123456789") == length;
}

static bool is_image(const char *text)
{
    return text[0] != '\0' && strlen(text) <= 512 &&
           strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._/:@") ==
               strlen(text);
}

int gl_kubernetes_check_launch(const struct gl_kubernetes *kubernetes,
                               const struct gl_launch *launch, struct gl_error *err)
{
    const char *image = launch->image != NULL ? launch->image : kubernetes->image;
    char name[GL_CLOUD_ID], shown[GL_TEXT_SHOWN];

    gl_attempt_name(launch, name);
    if (launch->is_spot)
        return gl_fail(err, GL_E_USAGE,
                       "kubernetes sells no spot instances: launch without --spot, "
                       "or name a node-label of such nodes");
    if (!is_name(name) || strlen(launch->token) != GL_HASH_HEX - 1)
        return gl_fail(err, GL_E_BAD_VALUE, "%s cannot be the name of a Job",
                       gl_text_show(name, shown));
    if (!is_label(launch->region) || !is_label(launch->type))
        return gl_fail(
            err, GL_E_UNKNOWN_NAME, "no node can have the region or type %s",
            gl_text_show(is_label(launch->region) ? launch->type : launch->region, shown));
    if (!is_image(image))
        return gl_fail(err, GL_E_BAD_VALUE, "%s is no container image", gl_text_show(image, shown));
    if (launch->lease.s < 1 || launch->lease.s > INT32_MAX)
        return gl_fail(err, GL_E_BAD_VALUE, "the lease is no time that a pod can run");
    if (launch->user_data != NULL && launch->user_data[0] != '\0' &&
        strncmp(launch->user_data, "#!", 2) != 0)
        return gl_fail(err, GL_E_BAD_VALUE,
                       "a container runs scripts only: user data begins with "
                       "#!");
    return gl_guest_check_meter(launch, err);
}

/* ---- the Job ---- */

static void add_rule(json_t *rules, const char *key, const char *value)
{
    json_array_append_new(
        rules, json_pack("{s:s,s:s,s:[s]}", "key", key, "operator", "In", "values", value));
}

/* Required, not preferred: a green place or none. */
static json_t *affinity_of(const struct gl_kubernetes *kubernetes, const struct gl_launch *launch)
{
    json_t *rules = json_array();

    add_rule(rules, GL_KUBERNETES_REGION, launch->region);
    if (kubernetes->zone != NULL)
        add_rule(rules, GL_KUBERNETES_ZONE, kubernetes->zone);
    if (strcmp(launch->type, GL_KUBERNETES_ANY) != 0)
        add_rule(rules, GL_KUBERNETES_TYPE, launch->type);
    if (kubernetes->node_label != NULL) {
        char key[256];
        const char *value = strchr(kubernetes->node_label, '='); /* open() has looked */

        snprintf(key, sizeof key, "%.*s", (int)(value - kubernetes->node_label),
                 kubernetes->node_label);
        add_rule(rules, key, value + 1);
    }
    return json_pack("{s:{s:{s:[{s:o}]}}}", "nodeAffinity",
                     "requiredDuringSchedulingIgnoredDuringExecution", "nodeSelectorTerms",
                     "matchExpressions", rules);
}

/* Requests and limits alike: the size that was asked for and metered. */
static json_t *resources_of(const struct gl_launch *launch)
{
    json_t *sizes = json_object(), *out;
    char text[32];

    if (launch->vcpus > 0) {
        snprintf(text, sizeof text, "%u", (unsigned)launch->vcpus);
        json_object_set_new(sizes, "cpu", json_string(text));
    }
    if (launch->memory_mib > 0) {
        snprintf(text, sizeof text, "%uMi", (unsigned)launch->memory_mib);
        json_object_set_new(sizes, "memory", json_string(text));
    }
    out = json_pack("{s:O,s:O}", "limits", sizes, "requests", sizes);
    json_decref(sizes);
    return out;
}

static json_t *container_of(const struct gl_kubernetes *kubernetes, const struct gl_launch *launch)
{
    const char *image = launch->image != NULL ? launch->image : kubernetes->image;
    json_t *out = json_pack("{s:s,s:s,s:[s,s],s:o,s:[{s:s,s:s,s:b},{s:s,s:s}]}", "name", "main",
                            "image", image, "command", "/bin/sh", "/greenlaunch/run", "resources",
                            resources_of(launch), "volumeMounts", "name", "launch", "mountPath",
                            "/greenlaunch", "readOnly", 1, "name", "work", "mountPath",
                            "/var/lib/greenlaunch");

    if (strcmp(kubernetes->security, "restricted") == 0)
        json_object_set_new(out, "securityContext",
                            json_pack("{s:b,s:{s:[s]}}", "allowPrivilegeEscalation", 0,
                                      "capabilities", "drop", "ALL"));
    return out;
}

static json_t *pod_spec_of(const struct gl_kubernetes *kubernetes, const struct gl_launch *launch)
{
    bool is_restricted = strcmp(kubernetes->security, "restricted") == 0;
    char name[GL_CLOUD_ID];
    json_t *out;

    gl_attempt_name(launch, name);
    out = json_pack("{s:s,s:I,s:i,s:b,s:b,s:o,s:[o],s:[{s:s,s:{s:s,s:i}},{s:s,s:{}}]}",
                    "restartPolicy", "Never", "activeDeadlineSeconds", (json_int_t)launch->lease.s,
                    "terminationGracePeriodSeconds", GRACE_S, "automountServiceAccountToken",
                    kubernetes->service_account != NULL, "enableServiceLinks", 0, "affinity",
                    affinity_of(kubernetes, launch), "containers", container_of(kubernetes, launch),
                    "volumes", "name", "launch", "secret", "secretName", name, "defaultMode",
                    is_restricted ? 0440 : 0400, "name", "work", "emptyDir");
    if (kubernetes->service_account != NULL)
        json_object_set_new(out, "serviceAccountName", json_string(kubernetes->service_account));
    if (kubernetes->pull_secret != NULL)
        json_object_set_new(out, "imagePullSecrets",
                            json_pack("[{s:s}]", "name", kubernetes->pull_secret));
    if (is_restricted)
        json_object_set_new(out, "securityContext",
                            json_pack("{s:b,s:i,s:i,s:i,s:{s:s}}", "runAsNonRoot", 1, "runAsUser",
                                      NOBODY, "runAsGroup", NOBODY, "fsGroup", NOBODY,
                                      "seccompProfile", "type", "RuntimeDefault"));
    return out;
}

json_t *gl_kubernetes_job_body(const struct gl_kubernetes *kubernetes,
                               const struct gl_launch *launch)
{
    char name[GL_CLOUD_ID];
    json_t *spec;

    gl_attempt_name(launch, name);
    spec = json_pack("{s:b,s:i,s:i,s:i,s:I,s:i,s:{s:{s:o},s:o}}", "suspend", 1, "parallelism", 1,
                     "completions", 1, "backoffLimit", 0, "activeDeadlineSeconds",
                     (json_int_t)launch->lease.s + LATE_S, "ttlSecondsAfterFinished", KEPT_S,
                     "template", "metadata", "labels", gl_labels_json(launch), "spec",
                     pod_spec_of(kubernetes, launch));
    return json_pack("{s:s,s:s,s:{s:s,s:o,s:{s:s,s:s}},s:o}", "apiVersion", "batch/v1", "kind",
                     "Job", "metadata", "name", name, "labels", gl_labels_json(launch),
                     "annotations", "greenlaunch-region", launch->region, "greenlaunch-type",
                     launch->type, "spec", spec);
}

static bool is_region(const json_t *rule, const char *region)
{
    const char *key = json_string_value(json_object_get(rule, "key"));
    const char *relation = json_string_value(json_object_get(rule, "operator"));
    const json_t *values = json_object_get(rule, "values");
    const char *value = json_string_value(json_array_get(values, 0));

    return key != NULL && strcmp(key, GL_KUBERNETES_REGION) == 0 && relation != NULL &&
           strcmp(relation, "In") == 0 && json_array_size(values) == 1 && value != NULL &&
           strcmp(value, region) == 0;
}

/* Terms are alternatives, the rules of one hold together: each needs the region among its own. */
static bool holds_region(const json_t *terms, const char *region)
{
    const json_t *term, *rule;
    size_t i, k, held = 0;

    json_array_foreach(terms, i, term)
    {
        bool does = false;

        json_array_foreach(json_object_get(term, "matchExpressions"), k, rule) does |=
            is_region(rule, region);
        held += does;
    }
    return held > 0 && held == json_array_size(terms);
}

static const json_t *terms_of(const json_t *pod_spec)
{
    const json_t *affinity = json_object_get(json_object_get(pod_spec, "affinity"), "nodeAffinity");

    return json_object_get(
        json_object_get(affinity, "requiredDuringSchedulingIgnoredDuringExecution"),
        "nodeSelectorTerms");
}

int gl_kubernetes_check_pod(const struct gl_kubernetes *kubernetes, const json_t *pod,
                            const char *region, struct gl_error *err)
{
    const json_t *spec = json_object_get(pod, "spec");
    const char *name = json_string_value(json_object_get(spec, "nodeName"));
    const json_t *node = name != NULL ? json_object_get(kubernetes->nodes, name) : NULL;
    const char *stands = json_string_value(json_object_get(node, "region"));

    if (holds_region(terms_of(spec), region) && (stands == NULL || strcmp(stands, region) == 0))
        return 0;
    return gl_fail(err, GL_E_BAD_REPLY,
                   "kubernetes: the cluster changed where the pod may run: it is not held in %s",
                   region);
}

/* A server before 1.25 drops names it does not know, and a webhook may change what it likes. */
int gl_kubernetes_check_kept(json_t *job, const struct gl_launch *launch, struct gl_error *err)
{
    const char *policy = NULL;
    json_int_t backoff = -1, late = -1, lease = -1;
    int is_suspended = 0;
    json_t *pod = NULL;

    if (json_unpack(job, "{s:{s:b,s:I,s:I,s:{s:o}}}", "spec", "suspend", &is_suspended,
                    "backoffLimit", &backoff, "activeDeadlineSeconds", &late, "template", "spec",
                    &pod) != 0 ||
        json_unpack(pod, "{s:s,s:I}", "restartPolicy", &policy, "activeDeadlineSeconds", &lease) !=
            0)
        return gl_fail(err, GL_E_BAD_REPLY, "the cluster dropped a part of the Job");
    if (!holds_region(terms_of(pod), launch->region))
        return gl_fail(err, GL_E_BAD_REPLY,
                       "the cluster changed where the Job may run: it would not be held in %s",
                       launch->region);
    if (!is_suspended || backoff != 0 || strcmp(policy, "Never") != 0 || lease < 1 ||
        lease > launch->lease.s || late > launch->lease.s + LATE_S)
        return gl_fail(err, GL_E_BAD_REPLY,
                       "the cluster changed how long or how often the Job may "
                       "run");
    return 0;
}

/* ---- the Secret ---- */

struct secret_data {
    json_t *data;
    size_t bytes;
};

static void add_bytes(struct secret_data *out, const char *name, const void *bytes, size_t length)
{
    size_t size = 4 * ((length + 2) / 3) + 1;
    char *text = gl_alloc(size);

    json_object_set_new(out->data, name, json_string(gl_base64_text(bytes, length, text)));
    out->bytes += length;
    gl_wipe(text, size);
    free(text);
}

static void add_text(struct secret_data *out, const char *name, const char *text)
{
    if (text != NULL && text[0] != '\0')
        add_bytes(out, name, text, strlen(text));
}

static int add_meter(struct secret_data *out, const struct gl_carried_meter *meter,
                     struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *bytes = NULL;
    size_t length;

    add_text(out, "meter-gpu-url", meter->gpu_url);
    add_text(out, "meter-gpu-sha256", meter->gpu_sha256);
    add_text(out, "push", meter->push);
    if (meter->url != NULL) {
        add_text(out, "meter-url", meter->url);
        add_text(out, "meter-sha256", meter->sha256);
        return 0;
    }
    bytes = gl_guest_meter(meter->path, &length, err);
    if (bytes == NULL)
        return -1;
    add_bytes(out, "meter.gz", bytes, length);
    return 0;
}

static int add_all(struct secret_data *out, const struct gl_launch *launch, struct gl_error *err)
{
    struct gl_str script = {0}, command = {0};

    gl_kubernetes_script(launch, &script);
    add_text(out, "run", gl_str_text(&script));
    gl_str_done(&script);
    if (launch->command != NULL)
        gl_kubernetes_command(launch->command, &command);
    add_text(out, "command", gl_str_text(&command));
    if (command.text != NULL)
        gl_wipe(command.text, command.length);
    gl_str_done(&command);
    add_text(out, "own", launch->user_data);
    if (launch->meter != NULL) {
        add_text(out, "token", launch->enrol_token);
        if (add_meter(out, launch->meter, err) < 0)
            return -1;
    }
    if (out->bytes > SECRET_MAX)
        return gl_fail(err, GL_E_TOO_LARGE, "the launch is %zu bytes larger than a Secret may be%s",
                       out->bytes - SECRET_MAX,
                       launch->meter != NULL && launch->meter->url == NULL
                           ? "; let the container fetch its meter: --meter-url"
                           : "");
    return 0;
}

int gl_kubernetes_check_secret(const struct gl_launch *launch, struct gl_error *err)
{
    struct secret_data made = {.data = json_object()};
    int result = add_all(&made, launch, err);

    gl_kubernetes_forget(made.data);
    return result;
}

json_t *gl_kubernetes_secret_body(const struct gl_launch *launch, const json_t *job,
                                  struct gl_error *err)
{
    const json_t *meta = json_object_get(job, "metadata");
    const char *uid = json_string_value(json_object_get(meta, "uid"));
    struct secret_data made = {.data = json_object()};
    char name[GL_CLOUD_ID];

    gl_attempt_name(launch, name);
    if (uid == NULL || add_all(&made, launch, err) < 0) {
        gl_kubernetes_forget(made.data);
        if (uid == NULL)
            gl_fail(err, GL_E_BAD_REPLY, "the Job has no uid");
        return NULL;
    }
    return json_pack("{s:s,s:s,s:{s:s,s:o,s:[{s:s,s:s,s:s,s:s}]},s:s,s:o}", "apiVersion", "v1",
                     "kind", "Secret", "metadata", "name", name, "labels", gl_labels_json(launch),
                     "ownerReferences", "apiVersion", "batch/v1", "kind", "Job", "name", name,
                     "uid", uid, "type", "Opaque", "data", made.data);
}
