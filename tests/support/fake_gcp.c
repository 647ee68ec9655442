/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/fake_gcp_part.h"

#include "base/file.h"
#include "base/jwt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define VECTORS    "tests/vectors/identity/"
#define EMAIL      "tests@green-tests.iam.gserviceaccount.com"
#define FAKE_STOCK "europe-north1-b,us-east9-a"
#define PREFIX     "/compute/v1/projects/" FAKE_GCP_PROJECT

const char *const fake_gcp_zones[FAKE_GCP_ZONES] = {"europe-north1-a", "europe-north1-b",
                                                    "us-east9-a", "us-east9-b"};

void fake_gcp_complain(struct fake_gcp *fake, const char *what)
{
    gl_str_addf(&fake->complaints, "%s\n", what);
}

void fake_gcp_answer_json(struct gl_test_answer *out, int status, json_t *value)
{
    char *text = json_dumps(value, JSON_COMPACT);

    gl_test_answer_text(out, status, FAKE_GCP_JSON, text);
    free(text);
    json_decref(value);
}

void fake_gcp_refuse(struct gl_test_answer *out, int status, const char *reason,
                     const char *message)
{
    fake_gcp_answer_json(out, status,
                         json_pack("{s:{s:i,s:s,s:[{s:s,s:s,s:s}]}}", "error", "code", status,
                                   "message", message, "errors", "domain", "global", "reason",
                                   reason, "message", message));
}

static int64_t slept_ms(const struct fake_gcp *fake)
{
    return fake->slept_ms != NULL ? *fake->slept_ms : 0;
}

static int64_t ahead_s(const struct fake_gcp *fake)
{
    return slept_ms(fake) / 1000;
}

/* ---- tokens ---- */

static char *file_text(const char *path)
{
    struct gl_error err = {0};
    char *text = NULL;
    size_t length;

    if (gl_file_read(path, 1 << 20, &text, &length, &err) != 0) {
        fprintf(stderr, "%s\n", err.text);
        abort();
    }
    return text;
}

/* The assertion is checked as Google would. */
static bool is_signed(const struct fake_gcp *fake, const char *assertion, const char *audience)
{
    char *keys = file_text(VECTORS "jwks.json");
    const struct gl_jwt_rules rules = {
        GL_RS256, {keys, strlen(keys)}, EMAIL, audience, {time(NULL) + ahead_s(fake)}};
    struct gl_error err = {0};
    json_t *claims = NULL;
    bool is_good =
        gl_jwt_verify((struct gl_view){assertion, strlen(assertion)}, &rules, &claims, &err) == 0 &&
        strcmp(json_string_value(json_object_get(claims, "scope")),
               "https://www.googleapis.com/auth/cloud-platform") == 0;

    if (!is_good)
        fprintf(stderr, "fake gcp: %s\n", err.text);
    json_decref(claims);
    free(keys);
    return is_good;
}

static void give_token(struct fake_gcp *fake, const struct gl_test_request *request,
                       struct gl_test_answer *out)
{
    static const char start[] =
        "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=";
    struct gl_str audience = {0};

    gl_str_addf(&audience, "%s/token", gl_test_server_url(fake->server));
    if (strcmp(request->method, "POST") != 0 ||
        strncmp(request->body, start, sizeof start - 1) != 0 ||
        !is_signed(fake, request->body + sizeof start - 1, audience.text))
        fake_gcp_answer_json(out, 400,
                             json_pack("{s:s,s:s}", "error", "invalid_grant", "error_description",
                                       "the assertion does not hold"));
    else {
        fake->tokens_given++;
        fake_gcp_answer_json(out, 200,
                             json_pack("{s:s,s:i,s:s}", "access_token", FAKE_GCP_TOKEN,
                                       "expires_in", 3599, "token_type", "Bearer"));
    }
    gl_str_done(&audience);
}

/* ---- operations ---- */

static json_t *operation_new(struct fake_gcp *fake, json_t *error)
{
    char name[40];
    json_t *operation;

    snprintf(name, sizeof name, "operation-%u", ++fake->operation_count);
    operation = json_pack("{s:s,s:s,s:s,s:i}", "kind", "compute#operation", "name", name, "status",
                          fake->looks > 0 ? "RUNNING" : "DONE", "looks", (int)fake->looks);
    if (error != NULL)
        json_object_set_new(operation, "failure", error);
    json_object_set(fake->operations, name, operation);
    return operation;
}

/* As the API shows it: a failure is told only at the end. */
static json_t *shown(json_t *operation)
{
    json_t *copy = json_deep_copy(operation);
    json_t *failure = json_object_get(copy, "failure");

    if (failure != NULL && strcmp(json_string_value(json_object_get(copy, "status")), "DONE") == 0)
        json_object_update(copy, failure);
    json_object_del(copy, "failure");
    json_object_del(copy, "looks");
    return copy;
}

static void look(struct fake_gcp *fake, const char *name, struct gl_test_answer *out)
{
    json_t *operation = json_object_get(fake->operations, name);
    json_int_t looks = json_integer_value(json_object_get(operation, "looks"));

    if (operation == NULL) {
        fake_gcp_refuse(out, 404, "notFound", "no such operation");
        return;
    }
    json_object_set_new(operation, "looks", json_integer(looks > 0 ? looks - 1 : 0));
    if (looks <= 1)
        json_object_set_new(operation, "status", json_string("DONE"));
    fake_gcp_answer_json(out, 200, shown(operation));
}

void fake_gcp_answer_operation(struct fake_gcp *fake, json_t *error, struct gl_test_answer *out)
{
    json_t *operation = operation_new(fake, error);

    fake_gcp_answer_json(out, 200, shown(operation));
    json_decref(operation);
}

/* ---- instances ---- */

static size_t find(const struct fake_gcp *fake, const char *zone, const char *name)
{
    size_t i;

    for (i = 0; i < fake->count; i++) {
        const json_t *one = fake->instances[i];

        if (one != NULL && strcmp(json_string_value(json_object_get(one, "name")), name) == 0 &&
            strstr(json_string_value(json_object_get(one, "zone")), zone) != NULL)
            break;
    }
    return i;
}

static bool only_has(json_t *object, const char *const *names)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)object, key, value)
    {
        const char *const *name = names;

        while (*name != NULL && strcmp(*name, key) != 0)
            name++;
        if (*name == NULL)
            return false;
    }
    return true;
}

static bool is_insert(json_t *body)
{
    static const char *const all[] = {"name",       "machineType",     "labels",
                                      "scheduling", "metadata",        "networkInterfaces",
                                      "disks",      "serviceAccounts", NULL};
    static const char *const scheduling[] = {"maxRunDuration",    "instanceTerminationAction",
                                             "automaticRestart",  "onHostMaintenance",
                                             "provisioningModel", NULL};
    static const char *const disk[] = {"boot", "autoDelete", "initializeParams", NULL};
    json_t *how = json_object_get(body, "scheduling");
    json_t *first = json_array_get(json_object_get(body, "disks"), 0);

    return only_has(body, all) && only_has(how, scheduling) && only_has(first, disk) &&
           json_is_string(json_object_get(body, "name")) &&
           json_is_string(json_object_get(json_object_get(how, "maxRunDuration"), "seconds")) &&
           json_is_string(
               json_object_get(json_object_get(first, "initializeParams"), "sourceImage")) &&
           json_is_true(json_object_get(first, "autoDelete"));
}

static void query_value(const struct gl_test_request *request, const char *name, char *out,
                        size_t size)
{
    const char *at = request->query;
    size_t length = strlen(name), used = 0;

    out[0] = '\0';
    while (at != NULL && (strncmp(at, name, length) != 0 || at[length] != '='))
        at = strchr(at, '&') != NULL ? strchr(at, '&') + 1 : NULL;
    if (at == NULL)
        return;
    for (at += length + 1; *at != '\0' && *at != '&' && used + 1 < size; at++) {
        unsigned byte;

        if (*at == '%' && sscanf(at + 1, "%2x", &byte) == 1) {
            out[used++] = (char)byte;
            at += 2;
        } else
            out[used++] = *at;
    }
    out[used] = '\0';
}

static void add(struct fake_gcp *fake, const char *zone, const char *request_id, json_t *body)
{
    char text[128], when[40];
    time_t now = time(NULL) + ahead_s(fake);

    strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%S.000-00:00", gmtime(&now));
    snprintf(text, sizeof text, "https://www.googleapis.com%s/zones/%.48s", PREFIX, zone);
    json_object_set_new(body, "zone", json_string(text));
    json_object_set_new(body, "status", json_string("RUNNING"));
    json_object_set_new(body, "creationTimestamp", json_string(when));
    if (fake->lag_ms > 0)
        json_object_set_new(body, "shows_ms",
                            json_integer((json_int_t)(slept_ms(fake) + fake->lag_ms)));
    snprintf(fake->requests[fake->count], sizeof fake->requests[0], "%.39s", request_id);
    fake->instances[fake->count++] = json_incref(body);
    fake->made++;
    fake->unseen = fake->hidden_looks;
}

/* Made, and does not show yet. */
static bool is_hidden(const struct fake_gcp *fake, const json_t *instance)
{
    return instance != NULL &&
           json_integer_value(json_object_get(instance, "shows_ms")) > slept_ms(fake);
}

/* What types that misbehave do instead of starting; false = they start. */
static bool misbehave(struct fake_gcp *fake, const char *zone, const char *type,
                      struct gl_test_answer *out)
{
    if (strcmp(type, "m-zonal") == 0)
        return fake_gcp_is_dry(fake, zone, out);
    if (strcmp(type, "m-quota") == 0)
        fake_gcp_refuse(out, 403, "quotaExceeded", "Quota 'CPUS' exceeded. Limit: 8.0 in region.");
    else if (strcmp(type, "m-forbidden") == 0)
        fake_gcp_refuse(out, 403, "forbidden", "Required 'compute.instances.create' permission");
    else if (strcmp(type, "m-stockout") == 0)
        fake_gcp_answer_operation(fake, fake_gcp_stockout(FAKE_STOCK), out);
    else if (strcmp(type, "m-slow") == 0 && fake->slow_left > 0) {
        fake->slow_left--;
        fake_gcp_refuse(out, 403, "rateLimitExceeded", "Rate Limit Exceeded");
    } else if (strcmp(type, "m-silent") == 0)
        out->is_hung_up = true;
    else
        return false;
    return true;
}

static void start(struct fake_gcp *fake, const char *zone, const char *request_id, json_t *body,
                  struct gl_test_answer *out)
{
    const char *type = strrchr(json_string_value(json_object_get(body, "machineType")), '/') + 1;
    bool is_left_over = strcmp(type, "m-leftover") == 0;

    if (misbehave(fake, zone, type, out))
        return;
    add(fake, zone, request_id, body);
    if (is_left_over)
        json_object_set_new(body, "status", json_string("STAGING"));
    fake_gcp_answer_operation(fake, is_left_over ? fake_gcp_stockout(FAKE_STOCK) : NULL, out);
    out->cut_after = strcmp(type, "m-lost") == 0 ? 20 : 0;
}

static bool is_type(const char *name)
{
    return strchr(name, '-') != NULL && strncmp(name, "no-", 3) != 0;
}

static void insert(struct fake_gcp *fake, const char *zone, const struct gl_test_request *request,
                   struct gl_test_answer *out)
{
    json_t *body = json_loads(request->body, 0, NULL);
    const char *type = json_string_value(json_object_get(body, "machineType"));
    const char *name = json_string_value(json_object_get(body, "name"));
    char id[64];
    size_t i;

    query_value(request, "requestId", id, sizeof id);
    for (i = 0; i < fake->count && strcmp(fake->requests[i], id) != 0; i++) {
    }
    if (!is_insert(body) || strlen(id) != 36 || type == NULL || strrchr(type, '/') == NULL) {
        fake_gcp_complain(fake, "an insert that is malformed");
        fake_gcp_refuse(out, 400, "invalid", "Invalid value");
    } else if (!is_type(strrchr(type, '/') + 1))
        fake_gcp_refuse(out, 400, "invalid",
                        "Invalid value for field 'resource.machineType': it does not exist in zone "
                        "'europe-north1-a'.");
    else if (i < fake->count)
        fake_gcp_answer_operation(fake, NULL, out);
    else if (find(fake, zone, name) < fake->count)
        fake_gcp_refuse(out, 409, "alreadyExists", "The resource already exists");
    else
        start(fake, zone, id, body, out);
    json_decref(body);
}

static void set_status(const struct fake_gcp *fake, json_t *instance, const char *status)
{
    time_t now = time(NULL) + ahead_s(fake);
    char when[40];

    json_object_set_new(instance, "status", json_string(status));
    strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%S.000-00:00", gmtime(&now));
    if (strcmp(status, "TERMINATED") == 0)
        json_object_set_new(instance, "lastStopTimestamp", json_string(when));
}

/* From byte `start`, as the API hands it out. */
static void answer_console(struct fake_gcp *fake, const json_t *instance,
                           const struct gl_test_request *request, struct gl_test_answer *out)
{
    struct gl_str text = {0};
    char start[24], next[24];
    size_t from;

    query_value(request, "start", start, sizeof start);
    from = strtoull(start, NULL, 10);
    if (fake->console != NULL)
        fake->console(fake->console_cookie, instance, &text);
    else
        gl_str_add(&text, "booted\n");
    from = from < text.length ? from : text.length;
    snprintf(next, sizeof next, "%zu", text.length);
    fake_gcp_answer_json(out, 200,
                         json_pack("{s:s,s:s,s:s}", "contents", gl_str_text(&text) + from, "start",
                                   start, "next", next));
    gl_str_done(&text);
}

static void look_or_remove(struct fake_gcp *fake, size_t at, const char *method,
                           struct gl_test_answer *out)
{
    bool is_unseen = fake->unseen > 0 && at == fake->count - 1;

    if (strcmp(method, "DELETE") == 0) {
        json_decref(fake->instances[at]);
        fake->instances[at] = NULL;
        fake_gcp_answer_operation(fake, NULL, out);
    } else if (is_unseen || is_hidden(fake, fake->instances[at])) {
        fake->unseen -= is_unseen;
        fake_gcp_refuse(out, 404, "notFound", "The resource was not found");
    } else
        fake_gcp_answer_json(out, 200, json_deep_copy(fake->instances[at]));
}

/* "/zones/Z/instances/NAME[/VERB]" */
static void on_instance(struct fake_gcp *fake, const char *zone, char *name,
                        const struct gl_test_request *request, struct gl_test_answer *out)
{
    char *verb = strchr(name, '/');
    size_t at;

    if (verb != NULL)
        *verb++ = '\0';
    at = find(fake, zone, name);
    if (at == fake->count)
        fake_gcp_refuse(out, 404, "notFound", "The resource was not found");
    else if (verb == NULL)
        look_or_remove(fake, at, request->method, out);
    else if (strcmp(verb, "stop") == 0 || strcmp(verb, "start") == 0) {
        set_status(fake, fake->instances[at], verb[2] == 'o' ? "TERMINATED" : "RUNNING");
        fake_gcp_answer_operation(fake, NULL, out);
    } else if (strcmp(verb, "serialPort") == 0)
        answer_console(fake, fake->instances[at], request, out);
    else {
        fake_gcp_complain(fake, "an unknown verb");
        fake_gcp_refuse(out, 404, "notFound", "no such method");
    }
}

/* The two filters that are used. */
static bool matches(const json_t *instance, const char *filter)
{
    const json_t *labels = json_object_get(instance, "labels");
    const char *half = strstr(filter, "token-a=");
    const char *value = json_string_value(json_object_get(labels, "greenlaunch-token-a"));

    if (half == NULL)
        return json_object_get(labels, "greenlaunch-request") != NULL;
    return value != NULL && strncmp(half + 8, value, 32) == 0;
}

static void list(struct fake_gcp *fake, const struct gl_test_request *request,
                 struct gl_test_answer *out)
{
    json_t *items = json_object(), *page;
    char filter[256];

    query_value(request, "filter", filter, sizeof filter);
    for (size_t z = 0; z < FAKE_GCP_ZONES; z++) {
        json_t *rows = json_array();
        char scope[64];

        for (size_t i = 0; i < fake->count; i++)
            if (fake->instances[i] != NULL && !is_hidden(fake, fake->instances[i]) &&
                matches(fake->instances[i], filter) &&
                strstr(json_string_value(json_object_get(fake->instances[i], "zone")),
                       fake_gcp_zones[z]))
                json_array_append(rows, fake->instances[i]);
        snprintf(scope, sizeof scope, "zones/%s", fake_gcp_zones[z]);
        json_object_set_new(items, scope,
                            json_array_size(rows) > 0
                                ? json_pack("{s:O}", "instances", rows)
                                : json_pack("{s:{s:s}}", "warning", "code", "NO_RESULTS_ON_PAGE"));
        json_decref(rows);
    }
    page = json_pack("{s:o}", "items", items);
    if (fake->is_partial)
        json_object_set_new(page, "unreachables", json_pack("[s]", "zones/us-east9-b"));
    fake_gcp_answer_json(out, 200, page);
}

/* ---- all ---- */

static void on_zone(struct fake_gcp *fake, char *rest, const struct gl_test_request *request,
                    struct gl_test_answer *out)
{
    char *what = strchr(rest, '/');

    if (what == NULL) {
        fake_gcp_refuse(out, 404, "notFound", "no such method");
        return;
    }
    *what++ = '\0';
    if (strcmp(what, "instances") == 0 && strcmp(request->method, "POST") == 0)
        insert(fake, rest, request, out);
    else if (strncmp(what, "instances/", 10) == 0)
        on_instance(fake, rest, what + 10, request, out);
    else if (strncmp(what, "operations/", 11) == 0)
        look(fake, what + 11, out);
    else if (strcmp(what, "machineTypes") == 0)
        fake_gcp_list_types(out);
    else if (strncmp(what, "machineTypes/", 13) == 0 && is_type(what + 13))
        fake_gcp_answer_json(out, 200, fake_gcp_type_row(what + 13, 2, 8192));
    else
        fake_gcp_refuse(out, 404, "notFound", "The resource was not found");
}

static void on_project(struct fake_gcp *fake, char *rest, const struct gl_test_request *request,
                       struct gl_test_answer *out)
{
    if (rest[0] == '\0')
        fake_gcp_answer_json(out, 200, json_pack("{s:s}", "name", FAKE_GCP_PROJECT));
    else if (strcmp(rest, "/zones") == 0)
        fake_gcp_list_zones(out);
    else if (strncmp(rest, "/zones/", 7) == 0)
        on_zone(fake, rest + 7, request, out);
    else if (strcmp(rest, "/aggregated/instances") == 0)
        list(fake, request, out);
    else if (strcmp(rest, "/aggregated/machineTypes") == 0)
        fake_gcp_all_types(request, out);
    else if (strncmp(rest, "/regions/", 9) == 0)
        fake_gcp_quotas(fake, out);
    else if (strncmp(rest, "/global/images", 14) == 0)
        fake_gcp_on_image(fake, rest[14] == '/' ? rest + 15 : "", request, out);
    else if (strncmp(rest, "/global/operations/", 19) == 0)
        look(fake, rest + 19, out);
    else {
        fake_gcp_complain(fake, request->path);
        fake_gcp_refuse(out, 404, "notFound", "no such method");
    }
}

static void handle(const struct gl_test_request *request, struct gl_test_answer *out,
                   struct fake_gcp *fake)
{
    char auth[128], path[2048];

    if (strcmp(request->path, "/token") == 0) {
        give_token(fake, request, out);
        return;
    }
    gl_test_request_header(request, "authorization", auth, sizeof auth);
    if (strcmp(auth, "Bearer " FAKE_GCP_TOKEN) != 0 || fake->deny_tokens > 0) {
        fake->deny_tokens -= fake->deny_tokens > 0;
        fake_gcp_refuse(out, 401, "authError", "Invalid Credentials");
        return;
    }
    snprintf(path, sizeof path, "%s", request->path);
    if (strncmp(path, PREFIX, sizeof PREFIX - 1) == 0)
        on_project(fake, path + sizeof PREFIX - 1, request, out);
    else if (strcmp(path, "/v1/services/6F81-5844-456A/skus") == 0)
        fake_gcp_list_skus(out);
    else if (strcmp(path, "/v1/projects/" FAKE_GCP_PROJECT "/locations/global/cloudLocations") == 0)
        fake_gcp_list_places(fake, request, out);
    else if (strcmp(path, "/v1/projects/" FAKE_GCP_PROJECT ":testIamPermissions") == 0)
        gl_test_answer_text(out, 200, FAKE_GCP_JSON, request->body);
    else {
        fake_gcp_complain(fake, request->path);
        fake_gcp_refuse(out, 404, "notFound", "no such address");
    }
}

static void answer(const struct gl_test_request *request, struct gl_test_answer *out, void *cookie)
{
    struct fake_gcp *fake = cookie;

    if (fake->before != NULL && fake->before(fake->fault_cookie, request, out))
        return;
    handle(request, out, fake);
    if (fake->after != NULL)
        fake->after(fake->fault_cookie, request, out);
}

static void write_key(struct fake_gcp *fake, const char *folder)
{
    char *pem = file_text(VECTORS "rsa.pem"), *keys = file_text(VECTORS "jwks.json"), *text, *path;
    json_t *set = json_loads(keys, 0, NULL), *root;
    struct gl_str url = {0};
    struct gl_error err = {0};

    gl_str_addf(&url, "%s/token", gl_test_server_url(fake->server));
    root = json_pack(
        "{s:s,s:s,s:s,s:s,s:s,s:s}", "type", "service_account", "project_id", FAKE_GCP_PROJECT,
        "client_email", EMAIL, "private_key", pem, "token_uri", url.text, "private_key_id",
        json_string_value(json_object_get(json_array_get(json_object_get(set, "keys"), 0), "kid")));
    text = json_dumps(root, 0);
    path = gl_path_join(folder, "account.json");
    if (gl_file_write(path, text, strlen(text), 0600, &err) != 0)
        abort();
    snprintf(fake->key_path, sizeof fake->key_path, "%s", path);
    free(path);
    free(text);
    free(pem);
    free(keys);
    gl_str_done(&url);
    json_decref(set);
    json_decref(root);
}

void fake_gcp_start(struct fake_gcp *fake, const char *folder)
{
    *fake = (struct fake_gcp){.looks = 1, .slow_left = 1, .cpus_left = 8};
    fake->operations = json_object();
    fake->images = json_object();
    fake->server = gl_test_server_start(answer, fake);
    write_key(fake, folder);
}

void fake_gcp_stop(struct fake_gcp *fake)
{
    gl_test_server_stop(fake->server);
    for (size_t i = 0; i < fake->count; i++)
        json_decref(fake->instances[i]);
    json_decref(fake->operations);
    json_decref(fake->images);
    gl_str_done(&fake->complaints);
}

size_t fake_gcp_running(const struct fake_gcp *fake)
{
    size_t count = 0;

    for (size_t i = 0; i < fake->count; i++)
        count += fake->instances[i] != NULL;
    return count;
}
