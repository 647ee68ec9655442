/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/fake_kubernetes_part.h"

#include "tests/support/test_clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SPACE "/namespaces/green"
#define JSON  "application/json"

/* All members that there are of what may be sent: a list stands for each of its items, true for a
 * value, "*" for any name. */
static const char job_shape[] =
    "{\"apiVersion\":true,\"kind\":true,\"metadata\":{\"name\":true,\"labels\":{\"*\":true},"
    "\"annotations\":{\"*\":true}},\"spec\":{\"suspend\":true,\"parallelism\":true,"
    "\"completions\":true,\"backoffLimit\":true,\"activeDeadlineSeconds\":true,"
    "\"ttlSecondsAfterFinished\":true,\"template\":{\"metadata\":{\"labels\":{\"*\":true}},"
    "\"spec\":{\"restartPolicy\":true,\"activeDeadlineSeconds\":true,"
    "\"terminationGracePeriodSeconds\":true,\"automountServiceAccountToken\":true,"
    "\"enableServiceLinks\":true,\"serviceAccountName\":true,\"imagePullSecrets\":[{\"name\":true}]"
    ",\"securityContext\":{\"runAsNonRoot\":true,\"runAsUser\":true,\"runAsGroup\":true,"
    "\"fsGroup\":true,\"seccompProfile\":{\"type\":true}},\"affinity\":{\"nodeAffinity\":{"
    "\"requiredDuringSchedulingIgnoredDuringExecution\":{\"nodeSelectorTerms\":[{"
    "\"matchExpressions\":[{\"key\":true,\"operator\":true,\"values\":[true]}]}]}}},"
    "\"containers\":[{\"name\":true,\"image\":true,\"command\":[true],\"resources\":{\"limits\":{"
    "\"cpu\":true,\"memory\":true},\"requests\":{\"cpu\":true,\"memory\":true}},"
    "\"volumeMounts\":[{\"name\":true,\"mountPath\":true,\"readOnly\":true}],"
    "\"securityContext\":{\"allowPrivilegeEscalation\":true,\"capabilities\":{\"drop\":[true]}}}],"
    "\"volumes\":[{\"name\":true,\"secret\":{\"secretName\":true,\"defaultMode\":true},"
    "\"emptyDir\":{}}]}}}}";
static const char secret_shape[] =
    "{\"apiVersion\":true,\"kind\":true,\"metadata\":{\"name\":true,\"labels\":{\"*\":true},"
    "\"ownerReferences\":[{\"apiVersion\":true,\"kind\":true,\"name\":true,\"uid\":true}]},"
    "\"type\":true,\"data\":{\"*\":true}}";

static void complain(struct fake_kubernetes *fake, const char *what, const char *detail)
{
    gl_str_addf(&fake->complaints, "%s: %s\n", what, detail);
}

static bool fits(json_t *value, const json_t *shape)
{
    const char *name;
    json_t *member;
    size_t i;

    if (json_is_true(shape))
        return !json_is_object(value) && !json_is_array(value);
    json_array_foreach(value, i, member) if (!fits(member, json_array_get(shape, 0))) return false;
    json_object_foreach(value, name, member)
    {
        const json_t *of = json_object_get(shape, name);

        if (!fits(member, of != NULL ? of : json_object_get(shape, "*")))
            return false;
    }
    return json_is_array(shape) ? json_is_array(value) : json_is_object(shape);
}

static bool is_shaped(json_t *value, const char *text)
{
    json_t *shape = json_loads(text, 0, NULL);
    bool does = value != NULL && fits(value, shape);

    json_decref(shape);
    return does;
}

/* ---- answers ---- */

void fake_kubernetes_json(struct gl_test_answer *out, int status, json_t *value)
{
    char *text = json_dumps(value, JSON_COMPACT);

    gl_test_answer_text(out, status, JSON, text);
    free(text);
    json_decref(value);
}

static void refuse(struct gl_test_answer *out, int status, const char *reason, const char *message)
{
    fake_kubernetes_json(out, status,
                         json_pack("{s:s,s:s,s:s,s:s,s:s,s:i}", "kind", "Status", "apiVersion",
                                   "v1", "status", "Failure", "message", message, "reason", reason,
                                   "code", status));
}

static void not_found(struct gl_test_answer *out)
{
    refuse(out, 404, "NotFound", "jobs.batch \"x\" not found");
}

static bool query_has(const struct gl_test_request *request, const char *what)
{
    return strstr(request->query, what) != NULL;
}

/* ---- objects ---- */

static json_t *meta_of(const json_t *object)
{
    return json_object_get(object, "metadata");
}

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text != NULL ? text : "";
}

/* uid, version and time, as the server adds them. */
static void stamp(struct fake_kubernetes *fake, json_t *object, bool is_new)
{
    json_t *meta = meta_of(object);
    char text[64];
    time_t now = test_clock_now();

    snprintf(text, sizeof text, "%u", ++fake->version);
    json_object_set_new(meta, "resourceVersion", json_string(text));
    if (!is_new)
        return;
    snprintf(text, sizeof text, "uid-%u", fake->version);
    json_object_set_new(meta, "uid", json_string(text));
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", gmtime(&now));
    json_object_set_new(meta, "creationTimestamp", json_string(text));
    json_object_set_new(meta, "namespace", json_string("green"));
}

/* ---- the scheduler, the controllers ---- */

static void end_job(json_t *job, json_t *pod, int status, const char *reason)
{
    bool is_good = status == 0;

    json_object_set_new(pod, "status",
                        json_pack("{s:s,s:s,s:[{s:s,s:{s:{s:i,s:s}}}]}", "phase",
                                  is_good ? "Succeeded" : "Failed", "reason", reason,
                                  "containerStatuses", "name", "main", "state", "terminated",
                                  "exitCode", status, "reason", is_good ? "Completed" : "Error"));
    json_object_set_new(job, "status",
                        json_pack("{s:[{s:s,s:s,s:s}]}", "conditions", "type",
                                  is_good ? "Complete" : "Failed", "status", "True", "reason",
                                  is_good ? "CompletionsReached" : "BackoffLimitExceeded"));
}

static json_t *pod_status(const struct fake_kubernetes *fake, bool has_node)
{
    if (!has_node)
        return json_pack("{s:s,s:[{s:s,s:s,s:s,s:s}]}", "phase", "Pending", "conditions", "type",
                         "PodScheduled", "status", "False", "reason", "Unschedulable", "message",
                         "0/4 nodes are available: 4 node(s) didn't match Pod's node affinity.");
    if (fake->keeps_pending)
        return json_pack("{s:s,s:[{s:s,s:{s:{s:s}}}]}", "phase", "Pending", "containerStatuses",
                         "name", "main", "state", "waiting", "reason", "ImagePullBackOff");
    return json_pack("{s:s,s:[{s:s,s:{s:{}}}]}", "phase", "Running", "containerStatuses", "name",
                     "main", "state", "running");
}

static void make_pod(struct fake_kubernetes *fake, json_t *job)
{
    const char *name = text_of(meta_of(job), "name"), *node = fake_kubernetes_node(job);
    json_t *template = json_object_get(json_object_get(job, "spec"), "template");
    json_t *pod = json_pack(
        "{s:{s:s,s:O,s:[{s:s,s:s,s:s}]},s:o}", "metadata", "name", name, "labels",
        json_object_get(json_object_get(template, "metadata"), "labels"), "ownerReferences", "kind",
        "Job", "name", name, "uid", text_of(meta_of(job), "uid"), "spec",
        json_deep_copy(json_object_get(template, "spec")));

    stamp(fake, pod, true);
    if (node != NULL)
        json_object_set_new(json_object_get(pod, "spec"), "nodeName", json_string(node));
    if (fake->strays)
        json_object_del(json_object_get(pod, "spec"), "affinity");
    json_object_set_new(pod, "status", pod_status(fake, node != NULL));
    if (json_object_get(fake->secrets, name) == NULL)
        complain(fake, "a pod without its Secret", name);
    if (node != NULL && fake->exit_status >= 0)
        end_job(job, pod, fake->exit_status, "");
    json_object_set_new(fake->pods, name, pod);
    fake->made++;
}

/* What a change of spec.suspend does. */
static void control(struct fake_kubernetes *fake, json_t *job)
{
    const char *name = text_of(meta_of(job), "name");
    bool is_suspended = json_is_true(json_object_get(json_object_get(job, "spec"), "suspend"));

    if (is_suspended)
        json_object_del(fake->pods, name);
    else if (json_object_get(fake->pods, name) == NULL && !fake->has_no_pods)
        make_pod(fake, job);
}

/* ---- Jobs ---- */

static void create_job(struct fake_kubernetes *fake, const struct gl_test_request *request,
                       struct gl_test_answer *out)
{
    json_t *body = json_loads(request->body, 0, NULL);
    const char *name = text_of(meta_of(body), "name");

    if (!is_shaped(body, job_shape) || !query_has(request, "fieldValidation=Strict") ||
        json_object_get(json_object_get(body, "spec"), "suspend") == NULL) {
        complain(fake, "a Job that is malformed", request->body);
        refuse(out, 400, "BadRequest", "strict decoding error: unknown field");
    } else if (json_object_get(fake->jobs, name) != NULL)
        refuse(out, 409, "AlreadyExists", "jobs.batch \"x\" already exists");
    else {
        stamp(fake, body, true);
        if (fake->drops_affinity)
            json_object_del(
                json_object_get(json_object_get(json_object_get(body, "spec"), "template"), "spec"),
                "affinity");
        if (!query_has(request, "dryRun=All"))
            json_object_set(fake->jobs, name, body);
        fake_kubernetes_json(out, 201, json_incref(body));
    }
    json_decref(body);
}

static void delete_job(struct fake_kubernetes *fake, const char *name,
                       const struct gl_test_request *request, struct gl_test_answer *out)
{
    const json_t *meta = meta_of(json_object_get(fake->jobs, name));
    json_t *body = json_loads(request->body, 0, NULL);
    const json_t *only = json_object_get(body, "preconditions");
    const char *uid = text_of(only, "uid"), *version = text_of(only, "resourceVersion");

    if (strcmp(text_of(body, "propagationPolicy"), "Background") != 0 || uid[0] == '\0')
        complain(fake, "a Job deleted without its pod, or unseen", request->body);
    if (strcmp(uid, text_of(meta, "uid")) != 0 ||
        (version[0] != '\0' && strcmp(version, text_of(meta, "resourceVersion")) != 0))
        refuse(out, 409, "Conflict",
               "Operation cannot be fulfilled on jobs.batch \"x\": Precondition failed");
    else {
        json_object_del(fake->jobs, name);
        json_object_del(fake->pods, name);
        json_object_del(fake->secrets, name);
        fake->gone++;
        fake_kubernetes_json(out, 200,
                             json_pack("{s:s,s:s}", "kind", "Status", "status", "Success"));
    }
    json_decref(body);
}

static bool is_merge_patch(const struct gl_test_request *request)
{
    char type[64];

    return strcmp(gl_test_request_header(request, "content-type", type, sizeof type),
                  "application/merge-patch+json") == 0;
}

static void patch_job(struct fake_kubernetes *fake, json_t *job,
                      const struct gl_test_request *request, struct gl_test_answer *out)
{
    json_t *body = json_loads(request->body, 0, NULL);
    json_t *suspend = json_object_get(json_object_get(body, "spec"), "suspend");
    json_t *notes = json_object_get(meta_of(body), "annotations"), *note;
    json_t *kept = json_object_get(meta_of(job), "annotations");
    const char *name;

    if (!is_merge_patch(request) || (suspend != NULL ? !json_is_boolean(suspend) : notes == NULL)) {
        complain(fake, "a patch that is malformed", request->body);
        refuse(out, 415, "UnsupportedMediaType", "no such patch");
    } else {
        if (suspend != NULL)
            json_object_set(json_object_get(job, "spec"), "suspend", suspend);
        json_object_foreach(notes, name, note)
        {
            if (json_is_null(note))
                json_object_del(kept, name);
            else
                json_object_set(kept, name, note);
        }
        stamp(fake, job, false);
        control(fake, job);
        fake_kubernetes_json(out, 200, json_deep_copy(job));
    }
    json_decref(body);
}

static void on_job(struct fake_kubernetes *fake, const char *name,
                   const struct gl_test_request *request, struct gl_test_answer *out)
{
    json_t *job = json_object_get(fake->jobs, name);

    if (job == NULL)
        not_found(out);
    else if (strcmp(request->method, "GET") == 0)
        fake_kubernetes_json(out, 200, json_deep_copy(job));
    else if (strcmp(request->method, "PATCH") == 0)
        patch_job(fake, job, request, out);
    else if (strcmp(request->method, "DELETE") == 0)
        delete_job(fake, name, request, out);
    else
        complain(fake, "a method for a Job", request->method);
}

/* ---- Secrets ---- */

static void on_secret(struct fake_kubernetes *fake, bool is_new,
                      const struct gl_test_request *request, struct gl_test_answer *out)
{
    json_t *body = json_loads(request->body, 0, NULL), *value;
    const char *name = text_of(meta_of(body), "name"), *key;
    const json_t *owner = json_array_get(json_object_get(meta_of(body), "ownerReferences"), 0);
    const json_t *job = json_object_get(fake->jobs, name);
    size_t bytes = 0;

    json_object_foreach(json_object_get(body, "data"), key, value) bytes +=
        json_string_length(value) / 4 * 3;
    if (!is_shaped(body, secret_shape) || bytes > (1u << 20) + 64) {
        complain(fake, "a Secret that is malformed", name);
        refuse(out, 422, "Invalid", "the Secret is invalid");
    } else if (job != NULL && strcmp(text_of(owner, "uid"), text_of(meta_of(job), "uid")) != 0) {
        complain(fake, "a Secret of nobody", name);
        refuse(out, 422, "Invalid", "the owner is another");
    } else if (is_new && json_object_get(fake->secrets, name) != NULL)
        refuse(out, 409, "AlreadyExists", "secrets \"x\" already exists");
    else {
        if (job != NULL) /* else the collector takes it at once */
            json_object_set(fake->secrets, name, body);
        fake_kubernetes_json(out, is_new ? 201 : 200, json_incref(body));
    }
    json_decref(body);
}

/* ---- pods ---- */

static void patch_pod(struct fake_kubernetes *fake, const char *name, json_t *pod,
                      const struct gl_test_request *request, struct gl_test_answer *out)
{
    json_t *body = json_loads(request->body, 0, NULL), *spec = json_object_get(pod, "spec");
    json_t *seconds = json_object_get(json_object_get(body, "spec"), "activeDeadlineSeconds");
    json_t *job = json_object_get(fake->jobs, name);

    if (!is_merge_patch(request) || !json_is_integer(seconds) ||
        json_object_size(json_object_get(body, "spec")) != 1 ||
        json_integer_value(seconds) >
            json_integer_value(json_object_get(spec, "activeDeadlineSeconds"))) {
        complain(fake, "a patch that no pod takes", request->body);
        refuse(out, 422, "Invalid", "pod updates may not change fields other than");
    } else {
        json_object_set(spec, "activeDeadlineSeconds", seconds);
        if (strcmp(text_of(json_object_get(pod, "status"), "phase"), "Running") == 0)
            end_job(job, pod, 143, "DeadlineExceeded");
        fake_kubernetes_json(out, 200, json_deep_copy(pod));
    }
    json_decref(body);
}

static void try_pod(struct fake_kubernetes *fake, const struct gl_test_request *request,
                    struct gl_test_answer *out)
{
    json_t *body = json_loads(request->body, 0, NULL);
    json_t *shape = json_loads(job_shape, 0, NULL);
    json_t *pod = json_object_get(json_object_get(shape, "spec"), "template");

    json_object_set_new(pod, "apiVersion", json_true());
    json_object_set_new(pod, "kind", json_true());
    json_object_set_new(meta_of(pod), "name", json_true());
    if (!fits(body, pod) || !query_has(request, "fieldValidation=Strict") ||
        !query_has(request, "dryRun=All"))
        complain(fake, "a pod that is malformed, or no dry run", request->body);
    if (fake->pod_refused != NULL)
        refuse(out, 403, "Forbidden", fake->pod_refused);
    else
        fake_kubernetes_json(out, 201, json_incref(body));
    json_decref(body);
    json_decref(shape);
}

static void tell_log(const struct fake_kubernetes *fake, const json_t *pod,
                     const struct gl_test_request *request, struct gl_test_answer *out)
{
    if (strcmp(text_of(json_object_get(pod, "status"), "phase"), "Pending") == 0)
        refuse(out, 400, "BadRequest", "container \"main\" in pod \"x\" is waiting to start");
    else if (!query_has(request, "container=main"))
        refuse(out, 400, "BadRequest", "a container name must be specified");
    else
        gl_test_answer_text(out, 200, "text/plain", fake->log);
}

static void on_pod(struct fake_kubernetes *fake, char *name, const struct gl_test_request *request,
                   struct gl_test_answer *out)
{
    char *sub = strchr(name, '/');
    json_t *pod;

    if (sub != NULL)
        *sub++ = '\0';
    pod = json_object_get(fake->pods, name);
    if (pod == NULL)
        not_found(out);
    else if (sub != NULL && strcmp(sub, "log") == 0 && strcmp(request->method, "GET") == 0)
        tell_log(fake, pod, request, out);
    else if (sub == NULL && strcmp(request->method, "PATCH") == 0)
        patch_pod(fake, name, pod, request, out);
    else
        complain(fake, "what is asked of a pod", request->method);
}

/* ---- everything ---- */

/* What another launcher does. */
static void let_all_go(struct fake_kubernetes *fake)
{
    const char *name;
    json_t *job;

    json_object_foreach(fake->jobs, name, job)
    {
        json_object_set_new(fake->secrets, name, json_object());
        json_object_set_new(json_object_get(job, "spec"), "suspend", json_false());
        stamp(fake, job, false);
        control(fake, job);
    }
}

static const struct refusal {
    enum fake_kubernetes_trouble trouble;
    int status;
    const char *reason, *message;
} refusals[] = {
    {FAKE_KUBERNETES_FORBIDDEN, 403, "Forbidden",
     "User \"tests\" cannot do this in the namespace \"green\""},
    {FAKE_KUBERNETES_DENIED, 400, "",
     "admission webhook \"jobs.example.com\" denied the request: name an owner"},
    {FAKE_KUBERNETES_UNTOLD, 400, "BadRequest",
     "admission webhook \"jobs.example.com\" does not support dry run"},
    {FAKE_KUBERNETES_QUOTA, 403, "Forbidden", "exceeded quota: all, requested: count/jobs.batch=1"},
    {FAKE_KUBERNETES_SLOW, 429, "TooManyRequests", "please try again later"},
    {FAKE_KUBERNETES_GONE, 410, "Expired", "The provided continue parameter is too old"},
    {FAKE_KUBERNETES_FINE, 0, NULL, NULL},
};

/* Is this request met by the trouble? What is lost is done first. */
static bool meet_trouble(struct fake_kubernetes *fake, const struct gl_test_request *request,
                         struct gl_test_answer *out)
{
    enum fake_kubernetes_trouble trouble = fake->trouble;
    const struct refusal *row = refusals;

    if (trouble == FAKE_KUBERNETES_FINE || strcmp(fake->trouble_method, request->method) != 0 ||
        strstr(request->path, fake->trouble_path) == NULL ||
        (trouble == FAKE_KUBERNETES_GONE && !query_has(request, "continue=")))
        return false;
    fake->trouble = FAKE_KUBERNETES_FINE;
    while (row->trouble != trouble && row->trouble != FAKE_KUBERNETES_FINE)
        row++;
    if (trouble == FAKE_KUBERNETES_SLOW)
        gl_str_addf(&out->headers, "Retry-After: 1\r\n");
    if (trouble == FAKE_KUBERNETES_RACE)
        let_all_go(fake);
    else if (trouble == FAKE_KUBERNETES_LOST)
        out->cut_after = 20;
    else if (trouble == FAKE_KUBERNETES_SILENT)
        out->is_hung_up = true;
    else if (row->trouble == trouble)
        refuse(out, row->status, row->reason, row->message);
    else
        refuse(out, 500, "InternalError", "etcdserver: leader changed");
    return trouble != FAKE_KUBERNETES_LOST && trouble != FAKE_KUBERNETES_RACE;
}

/* Is `path` this collection (NULL), or an item of it, whose name is then at *out_name? */
static bool is_below(const char *path, const char *collection, const char **out_name)
{
    size_t length = strlen(collection);

    if (strncmp(path, collection, length) != 0)
        return false;
    if (out_name == NULL)
        return path[length] == '\0';
    *out_name = path + length + 1;
    return path[length] == '/';
}

static bool route_objects(struct fake_kubernetes *fake, const struct gl_test_request *request,
                          struct gl_test_answer *out)
{
    static const char jobs[] = "/apis/batch/v1" SPACE "/jobs", pods[] = "/api/v1" SPACE "/pods",
                      secrets[] = "/api/v1" SPACE "/secrets";
    bool is_get = strcmp(request->method, "GET") == 0;
    const char *path = request->path, *item;
    char name[256];

    if (is_below(path, jobs, NULL) && is_get)
        fake_kubernetes_list(fake->jobs, request, out);
    else if (is_below(path, jobs, NULL) && strcmp(request->method, "POST") == 0)
        create_job(fake, request, out);
    else if (is_below(path, jobs, &item))
        on_job(fake, item, request, out);
    else if (is_below(path, secrets, NULL) && strcmp(request->method, "POST") == 0)
        on_secret(fake, true, request, out);
    else if (is_below(path, secrets, &item) && strcmp(request->method, "PUT") == 0)
        on_secret(fake, false, request, out);
    else if (is_below(path, pods, NULL) && is_get)
        fake_kubernetes_list(fake->pods, request, out);
    else if (is_below(path, pods, NULL))
        try_pod(fake, request, out);
    else if (is_below(path, pods, &item)) {
        snprintf(name, sizeof name, "%.255s", item);
        on_pod(fake, name, request, out);
    } else
        return false;
    return true;
}

static bool route_rest(struct fake_kubernetes *fake, const struct gl_test_request *request,
                       struct gl_test_answer *out)
{
    const char *path = request->path;
    bool is_get = strcmp(request->method, "GET") == 0;

    if (strcmp(path, "/api/v1" SPACE "/resourcequotas") == 0 && is_get)
        fake_kubernetes_quotas(fake, out);
    else if (strcmp(path, "/api/v1/nodes") == 0 && is_get && fake->hides_nodes)
        refuse(out, 403, "Forbidden", "nodes is forbidden: User \"tests\" cannot list");
    else if (strcmp(path, "/api/v1/nodes") == 0 && is_get)
        fake_kubernetes_nodes(request, out);
    else if (strcmp(path, "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews") == 0 && !is_get)
        fake_kubernetes_review(fake, request, out);
    else if (strcmp(path, "/apis/authentication.k8s.io/v1/selfsubjectreviews") == 0 && !is_get) {
        if (fake->is_old)
            refuse(out, 404, "NotFound", "the server could not find the requested resource");
        else
            fake_kubernetes_json(
                out, 201, json_pack("{s:{s:{s:s}}}", "status", "userInfo", "username", "tests"));
    } else
        return false;
    return true;
}

static void route(struct fake_kubernetes *fake, const struct gl_test_request *request,
                  struct gl_test_answer *out)
{
    if (route_objects(fake, request, out) || route_rest(fake, request, out))
        return;
    complain(fake, request->method, request->path);
    refuse(out, 404, "NotFound", "the server could not find the requested resource");
}

static void handle(const struct gl_test_request *request, struct gl_test_answer *out, void *cookie)
{
    struct fake_kubernetes *fake = cookie;

    if (!fake_kubernetes_lets_in(fake, request))
        refuse(out, 401, "Unauthorized", "Unauthorized");
    else if (!meet_trouble(fake, request, out))
        route(fake, request, out);
}

void fake_kubernetes_init(struct fake_kubernetes *fake)
{
    *fake = (struct fake_kubernetes){.cpu_used = "2",
                                     .log = "booted\n",
                                     .exit_status = -1,
                                     .token = FAKE_KUBERNETES_TOKEN,
                                     .jobs = json_object(),
                                     .secrets = json_object(),
                                     .pods = json_object()};
}

void fake_kubernetes_start(struct fake_kubernetes *fake)
{
    fake->server = fake->tls != NULL ? gl_test_server_start_tls(handle, fake, fake->tls)
                                     : gl_test_server_start(handle, fake);
}

void fake_kubernetes_stop(struct fake_kubernetes *fake)
{
    gl_test_server_stop(fake->server);
    json_decref(fake->jobs);
    json_decref(fake->secrets);
    json_decref(fake->pods);
    gl_str_done(&fake->complaints);
}

size_t fake_kubernetes_running(const struct fake_kubernetes *fake)
{
    const char *name;
    json_t *pod;
    size_t count = 0;

    json_object_foreach(fake->pods, name, pod)
    {
        const char *phase = text_of(json_object_get(pod, "status"), "phase");

        count += strcmp(phase, "Running") == 0 || strcmp(phase, "Pending") == 0;
    }
    return count;
}
