/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/fake_azure_part.h"

#include "tests/support/test_clock.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- operations ---- */

/* `undone`: what it fails with at its end. */
static void accept(struct fake_azure *fake, json_t *undone, unsigned looks,
                   struct gl_test_answer *out)
{
    char name[24];

    snprintf(name, sizeof name, "%u", ++fake->operation_count);
    json_object_set_new(fake->operations, name,
                        json_pack("{s:i,s:o*}", "looks", (int)looks, "failure", undone));
    gl_str_addf(&out->headers,
                "Azure-AsyncOperation: %s" ROOT COMPUTE
                "locations/swedencentral/operations/%s?api-version=2026-03-01\r\n",
                gl_test_server_url(fake->server), name);
    gl_str_add(&out->headers, "Retry-After: 0\r\n");
}

static void look(struct fake_azure *fake, const char *name, struct gl_test_answer *out)
{
    json_t *operation = json_object_get(fake->operations, name), *failure, *shown;
    json_int_t looks = json_integer_value(json_object_get(operation, "looks"));

    gl_str_add(&out->headers, "Retry-After: 0\r\n");
    if (operation == NULL) {
        fake_azure_refuse(out, 404, "OperationNotFound", "no such operation");
        return;
    }
    if (fake->shaky_left > 0) {
        fake->shaky_left--;
        fake_azure_refuse(out, 500, "InternalServerError", "try again");
        return;
    }
    if (looks > 0) {
        json_object_set_new(operation, "looks", json_integer(looks - 1));
        fake_azure_json(out, 200, json_pack("{s:s}", "status", "InProgress"));
        return;
    }
    failure = json_object_get(operation, "failure");
    shown = json_pack("{s:s}", "status", failure != NULL ? "Failed" : "Succeeded");
    if (failure != NULL)
        json_object_update(shown, failure);
    fake_azure_json(out, 200, shown);
}

/* ---- machines ---- */

static void set_power(json_t *vm, const char *power)
{
    char code[40];

    snprintf(code, sizeof code, "PowerState/%s", power);
    json_object_set_new(vm, "view",
                        json_pack("{s:[{s:s},{s:s}]}", "statuses", "code",
                                  "ProvisioningState/succeeded", "code", code));
}

static void set_failed(json_t *vm, const char *why)
{
    char code[80];

    snprintf(code, sizeof code, "ProvisioningState/failed/%s", why);
    json_object_set_new(json_object_get(vm, "properties"), "provisioningState",
                        json_string("Failed"));
    json_object_set_new(vm, "view", json_pack("{s:[{s:s}]}", "statuses", "code", code));
}

/* The group in another case, as Azure does. */
static json_t *vm_add(struct fake_azure *fake, const char *name, const json_t *body)
{
    json_t *vm = json_deep_copy(body), *properties = json_object_get(vm, "properties");
    json_t *disk = json_object_get(json_object_get(properties, "storageProfile"), "osDisk");
    char id[300], when[40];
    time_t now = test_clock_now();

    strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%S.1234567+00:00", gmtime(&now));
    snprintf(id, sizeof id, ROOT "/resourceGroups/GREEN" COMPUTE "virtualMachines/%.80s", name);
    json_object_set_new(vm, "id", json_string(id));
    json_object_set_new(vm, "name", json_string(name));
    json_object_set_new(properties, "provisioningState", json_string("Succeeded"));
    json_object_set_new(properties, "timeCreated", json_string(when));
    json_object_set_new(properties, "vmId", json_string(FAKE_AZURE_VM_ID));
    json_object_del(properties, "osProfile"); /* never shown again */
    snprintf(id, sizeof id, GROUP COMPUTE "disks/%.80s", name);
    json_object_set_new(disk, "managedDisk", json_pack("{s:s}", "id", id));
    if (json_object_get(fake->disks, name) != NULL)
        json_object_set_new(json_object_get(fake->disks, name), "managedBy", json_string(name));
    set_power(vm, "running");
    json_object_set_new(fake->vms, name, vm);
    fake->made++;
    return vm;
}

static json_t *nested_policy(void)
{
    return json_pack("{s:{s:s,s:s,s:[{s:s,s:s,s:[{s:s,s:{s:s}}]}]}}", "error", "code",
                     "InvalidTemplateDeployment", "message", "See inner errors for details.",
                     "details", "code", "RequestDisallowedByPolicy", "message",
                     "Resource 'gl-4k2p9x-1' was disallowed by policy.", "additionalInfo", "type",
                     "PolicyViolation", "info", "policyDefinitionDisplayName", "Only green sizes");
}

static json_t *allocation_failed(void)
{
    return json_pack("{s:{s:s,s:s,s:[{s:s,s:s}]}}", "error", "code", "ResourceDeploymentFailure",
                     "message", "The operation did not succeed", "details", "code",
                     "AllocationFailed", "message", "Allocation failed. Not enough capacity.");
}

static bool refused(struct fake_azure *fake, const char *size, struct gl_test_answer *out)
{
    if (strcmp(size, "Refused") == 0)
        fake_azure_refuse(out, 409, "SkuNotAvailable",
                          "The requested size is not available in the location");
    else if (strcmp(size, "Quota") == 0)
        fake_azure_refuse(
            out, 409, "OperationNotAllowed",
            "Operation could not be completed as it results in exceeding approved Total "
            "Regional Cores quota.");
    else if (strcmp(size, "Policy") == 0)
        fake_azure_json(out, 403, nested_policy());
    else if (strcmp(size, "Forbidden") == 0)
        fake_azure_refuse(out, 403, "AuthorizationFailed",
                          "The client does not have authorization");
    else if (strcmp(size, "Unknown") == 0)
        fake_azure_refuse(out, 400, "InvalidParameter",
                          "The value Standard_Unknown provided for the VM size is not valid.");
    else if (strcmp(size, "Silent") == 0)
        out->is_hung_up = true;
    else if (strcmp(size, "Slow") == 0 && fake->slow_left > 0) {
        fake->slow_left--;
        gl_str_add(&out->headers, "Retry-After: 1\r\n");
        fake_azure_refuse(out, 429, "TooManyRequests", "slow down");
    } else
        return false;
    return true;
}

/* Made, in one way or another; true when the answer is written. */
static void make(struct fake_azure *fake, const char *name, const char *size, const json_t *body,
                 struct gl_test_answer *out)
{
    bool is_out = strcmp(size, "Stockout") == 0 || strcmp(size, "Stuck") == 0;
    json_t *vm = vm_add(fake, name, body);

    if (strcmp(size, "Late") == 0)
        fake->late_left = 2;
    if (strcmp(size, "Shaky") == 0)
        fake->shaky_left = 5;
    if (is_out)
        set_failed(vm, "AllocationFailed");
    if (strcmp(size, "Elsewhere") == 0)
        gl_str_add(&out->headers, "Azure-AsyncOperation: http://localhost:1/operations/1\r\n");
    else
        accept(fake, is_out ? allocation_failed() : NULL,
               strcmp(size, "Endless") == 0 ? 1000000 : fake->looks, out);
    if (strcmp(size, "Racy") == 0 || strcmp(size, "Foreign") == 0) {
        if (strcmp(size, "Foreign") == 0)
            json_object_set_new(json_object_get(vm, "tags"), "greenlaunch-token-b",
                                json_string("ffffffffffffffffffffffffffffffff"));
        gl_str_clear(&out->headers);
        fake_azure_refuse(out, 412, "PreconditionFailed", "it is there");
        return;
    }
    fake_azure_json(out, 201, json_deep_copy(vm));
    out->cut_after = strcmp(size, "Lost") == 0 ? 20 : 0;
}

static void put_vm(struct fake_azure *fake, const char *name, const struct gl_test_request *request,
                   struct gl_test_answer *out)
{
    static const char *const shapes[] = {"launch", "launch-spot", "launch-disk", NULL};
    json_t *body = json_loads(request->body, 0, NULL);
    const char *size = json_string_value(json_object_get(
        json_object_get(json_object_get(body, "properties"), "hardwareProfile"), "vmSize"));
    const char *place = json_string_value(json_object_get(body, "location"));
    char match[8];

    gl_test_request_header(request, "if-none-match", match, sizeof match);
    if (size == NULL || strcmp(match, "*") != 0 || !fake_azure_is_known(shapes, body)) {
        fake_azure_complain(fake, "a machine that is malformed");
        fake_azure_refuse(out, 400, "InvalidRequestContent", "malformed");
    } else if (strcmp(place, "swedencentral") != 0 && strcmp(place, "westeurope") != 0)
        fake_azure_refuse(out, 400, "LocationNotAvailableForResourceType",
                          "The provided location is not available for the resource type.");
    else if (strncmp(size, "Standard_", 9) != 0)
        refused(fake, "Unknown", out);
    else if (json_object_get(fake->vms, name) != NULL)
        fake_azure_refuse(out, 412, "PreconditionFailed", "it is there");
    else if (!refused(fake, size + 9, out))
        make(fake, name, size + 9, body, out);
    json_decref(body);
}

static void show_vm(struct fake_azure *fake, const char *name, const char *query,
                    struct gl_test_answer *out)
{
    json_t *vm = json_object_get(fake->vms, name), *copy;

    if (vm == NULL || fake->late_left > 0) {
        fake->late_left -= vm != NULL;
        fake_azure_refuse(out, 404, "ResourceNotFound", "The Resource was not found.");
        return;
    }
    copy = json_deep_copy(vm);
    if (strstr(query, "instanceView") != NULL)
        json_object_set(json_object_get(copy, "properties"), "instanceView",
                        json_object_get(copy, "view"));
    json_object_del(copy, "view");
    fake_azure_json(out, 200, copy);
}

static void delete_vm(struct fake_azure *fake, const char *name, const char *query,
                      struct gl_test_answer *out)
{
    const json_t *vm = json_object_get(fake->vms, name);
    const char *size = json_string_value(json_object_get(
        json_object_get(json_object_get(vm, "properties"), "hardwareProfile"), "vmSize"));

    if (strstr(query, "forceDeletion=true") == NULL)
        fake_azure_complain(fake, "a delete that is not forced");
    if (vm == NULL) {
        out->status = 204;
        return;
    }
    if (strcmp(size, "Standard_Stuck") == 0) {
        fake_azure_refuse(out, 409, "ScopeLocked", "The scope cannot perform delete");
        return;
    }
    json_object_del(fake->vms, name);
    json_object_del(fake->disks, name);
    accept(fake, NULL, fake->looks, out);
    out->status = 202;
}

static void give_log(struct fake_azure *fake, struct gl_test_answer *out)
{
    char url[300];

    snprintf(url, sizeof url, "%s/blob/log?sv=1&sig=" FAKE_AZURE_SIGNATURE,
             fake->has_evil_log ? "https://evil.example" : gl_test_server_url(fake->server));
    fake_azure_json(out, 200, json_pack("{s:s}", "serialConsoleLogBlobUri", url));
}

static void act(struct fake_azure *fake, const char *name, const char *verb,
                struct gl_test_answer *out)
{
    json_t *vm = json_object_get(fake->vms, name);

    if (vm == NULL) {
        fake_azure_refuse(out, 404, "ResourceNotFound", "The Resource was not found.");
        return;
    }
    if (strcmp(verb, "retrieveBootDiagnosticsData") == 0) {
        give_log(fake, out);
        return;
    }
    if (strcmp(verb, "deallocate") == 0)
        set_power(vm, "deallocated");
    else if (strcmp(verb, "powerOff") == 0)
        set_power(vm, "stopped");
    else if (strcmp(verb, "start") != 0)
        fake_azure_complain(fake, "an unknown verb");
    else if (!fake->is_start_full)
        set_power(vm, "running");
    out->status = 202;
    accept(fake, strcmp(verb, "start") == 0 && fake->is_start_full ? allocation_failed() : NULL,
           fake->looks, out);
}

static void on_vm(struct fake_azure *fake, char *name, const struct gl_test_request *request,
                  struct gl_test_answer *out)
{
    char *verb = strchr(name, '/');

    if (verb != NULL)
        *verb++ = '\0';
    if (verb != NULL && strcmp(request->method, "POST") == 0)
        act(fake, name, verb, out);
    else if (verb == NULL && strcmp(request->method, "GET") == 0)
        show_vm(fake, name, request->query, out);
    else if (verb == NULL && strcmp(request->method, "PUT") == 0)
        put_vm(fake, name, request, out);
    else if (verb == NULL && strcmp(request->method, "DELETE") == 0)
        delete_vm(fake, name, request->query, out);
    else {
        fake_azure_complain(fake, "an unknown method");
        fake_azure_refuse(out, 405, "MethodNotAllowed", "no");
    }
}

/* One machine a page. */
static void list_vms(struct fake_azure *fake, const char *query, struct gl_test_answer *out)
{
    json_t *page, *vm;
    char from[16], next[400];
    size_t skip, at = 0;
    const char *name;

    fake_azure_query(query, "skip", from, sizeof from);
    skip = (size_t)atoi(from);
    page = json_pack("{s:[]}", "value");
    json_object_foreach(fake->vms, name, vm)
    {
        if (at++ != skip)
            continue;
        vm = json_deep_copy(vm);
        json_object_del(vm, "view");
        json_array_append_new(json_object_get(page, "value"), vm);
    }
    if (skip + 1 < json_object_size(fake->vms)) {
        snprintf(next, sizeof next,
                 "%s" ROOT COMPUTE "virtualMachines?api-version=2026-03-01&skip=%zu",
                 fake->has_evil_pages ? "http://localhost:1" : gl_test_server_url(fake->server),
                 skip + 1);
        json_object_set_new(page, "nextLink", json_string(next));
    }
    fake_azure_json(out, 200, page);
}

/* ---- disks and snapshots ---- */

static void put_thing(struct fake_azure *fake, json_t *things, const char *name,
                      const struct gl_test_request *request, struct gl_test_answer *out)
{
    static const char *const disk[] = {"disk", NULL}, *const image[] = {"image", "image-copy",
                                                                        NULL};
    json_t *body = json_loads(request->body, 0, NULL), *properties;
    bool is_disk = things == fake->disks;
    char id[300];

    if (!fake_azure_is_known(is_disk ? disk : image, body)) {
        fake_azure_complain(fake, "a disk or snapshot that is malformed");
        fake_azure_refuse(out, 400, "InvalidRequestContent", "malformed");
        json_decref(body);
        return;
    }
    properties = json_object_get(body, "properties");
    snprintf(id, sizeof id, GROUP COMPUTE "%s/%.80s", is_disk ? "disks" : "snapshots", name);
    json_object_set_new(body, "id", json_string(id));
    json_object_set_new(body, "name", json_string(name));
    json_object_set_new(properties, "provisioningState", json_string("Succeeded"));
    json_object_set_new(properties, "diskSizeBytes", json_integer(32213303296));
    if (!is_disk && strcmp(json_string_value(json_object_get(
                               json_object_get(properties, "creationData"), "createOption")),
                           "CopyStart") == 0)
        json_object_set_new(properties, "completionPercent", json_integer(fake->percent));
    json_object_set(things, name, body);
    accept(fake, NULL, fake->looks, out);
    fake_azure_json(out, 202, body);
}

static void on_thing(struct fake_azure *fake, json_t *things, const char *name,
                     const struct gl_test_request *request, struct gl_test_answer *out)
{
    json_t *thing = json_object_get(things, name);

    if (strcmp(request->method, "PUT") == 0)
        put_thing(fake, things, name, request, out);
    else if (thing == NULL && strcmp(request->method, "GET") == 0)
        fake_azure_refuse(out, 404, "ResourceNotFound", "The Resource was not found.");
    else if (strcmp(request->method, "GET") == 0) {
        if (json_object_get(json_object_get(thing, "properties"), "completionPercent") != NULL)
            json_object_set_new(json_object_get(thing, "properties"), "completionPercent",
                                json_real(fake->percent));
        fake_azure_json(out, 200, json_deep_copy(thing));
    } else if (thing == NULL)
        out->status = 204;
    else {
        json_object_del(things, name);
        out->status = 202;
        gl_str_addf(&out->headers, "Location: %s" ROOT COMPUTE "done?api-version=2025-01-02\r\n",
                    gl_test_server_url(fake->server));
        gl_str_add(&out->headers, "Retry-After: 0\r\n");
    }
}

static void list_disks(struct fake_azure *fake, struct gl_test_answer *out)
{
    json_t *rows = json_array(), *disk;
    const char *name;

    json_object_foreach(fake->disks, name, disk) json_array_append(rows, disk);
    fake_azure_json(out, 200, json_pack("{s:o}", "value", rows));
}

/* ---- all ---- */

static bool has_version(const struct gl_test_request *request)
{
    const char *wanted = strstr(request->path, "/skus") != NULL          ? "2021-07-01"
                         : strstr(request->path, "/permissions") != NULL ? "2022-04-01"
                         : strstr(request->path, "/disks") != NULL ||
                                 strstr(request->path, "/snapshots") != NULL ||
                                 strstr(request->path, "/done") != NULL
                             ? "2025-01-02"
                         : strstr(request->path, COMPUTE) != NULL ? "2026-03-01"
                                                                  : "2022-12-01";
    char version[16];

    fake_azure_query(request->query, "api-version", version, sizeof version);
    return strcmp(version, wanted) == 0;
}

static void on_group(struct fake_azure *fake, char *rest, const struct gl_test_request *request,
                     struct gl_test_answer *out)
{
    if (strncmp(rest, "virtualMachines/", 16) == 0)
        on_vm(fake, rest + 16, request, out);
    else if (strcmp(rest, "disks") == 0)
        list_disks(fake, out);
    else if (strncmp(rest, "disks/", 6) == 0)
        on_thing(fake, fake->disks, rest + 6, request, out);
    else if (strncmp(rest, "snapshots/", 10) == 0)
        on_thing(fake, fake->snapshots, rest + 10, request, out);
    else
        fake_azure_complain(fake, request->path);
}

static void on_subscription(struct fake_azure *fake, char *path,
                            const struct gl_test_request *request, struct gl_test_answer *out)
{
    static const char operations[] = ROOT COMPUTE "locations/swedencentral/operations/";

    if (strncmp(path, GROUP COMPUTE, strlen(GROUP COMPUTE)) == 0)
        on_group(fake, path + strlen(GROUP COMPUTE), request, out);
    else if (strcmp(path, GROUP "/providers/Microsoft.Authorization/permissions") == 0)
        fake_azure_rights(fake, out);
    else if (strcmp(path, ROOT COMPUTE "virtualMachines") == 0)
        list_vms(fake, request->query, out);
    else if (strncmp(path, operations, sizeof operations - 1) == 0)
        look(fake, path + sizeof operations - 1, out);
    else if (strcmp(path, ROOT COMPUTE "done") == 0)
        out->status = 200;
    else if (strcmp(path, ROOT COMPUTE "skus") == 0)
        fake_azure_skus(fake, request->query, out);
    else if (strcmp(path, ROOT COMPUTE "locations/swedencentral/usages") == 0)
        fake_azure_usages(fake, out);
    else if (strcmp(path, ROOT "/locations") == 0)
        fake_azure_locations(out);
    else if (strcmp(path, ROOT) == 0)
        fake_azure_json(out, 200,
                        json_pack("{s:s,s:s}", "displayName", "Green tests", "state", "Enabled"));
    else
        fake_azure_refuse(out, 404, "ResourceGroupNotFound",
                          "The resource group could not be found.");
}

static void on_api(struct fake_azure *fake, const struct gl_test_request *request,
                   struct gl_test_answer *out)
{
    char auth[128], path[2048];

    gl_test_request_header(request, "authorization", auth, sizeof auth);
    if (strcmp(auth, "Bearer " FAKE_AZURE_TOKEN) != 0 || fake->deny_tokens > 0) {
        fake->deny_tokens -= fake->deny_tokens > 0;
        fake_azure_refuse(out, 401, "InvalidAuthenticationToken", "The access token is invalid.");
        return;
    }
    fake_azure_note(fake, request);
    if (!has_version(request)) {
        fake_azure_complain(fake, "a wrong api-version");
        fake_azure_complain(fake, request->path);
        fake_azure_refuse(out, 400, "InvalidApiVersionParameter", "api-version");
        return;
    }
    snprintf(path, sizeof path, "%s", request->path);
    on_subscription(fake, path, request, out);
}

static void on_blob(struct fake_azure *fake, const struct gl_test_request *request,
                    struct gl_test_answer *out)
{
    char auth[64], signature[80];

    gl_test_request_header(request, "authorization", auth, sizeof auth);
    fake_azure_query(request->query, "sig", signature, sizeof signature);
    if (auth[0] != '\0' || strcmp(signature, FAKE_AZURE_SIGNATURE) != 0)
        fake_azure_complain(fake, "the log asked with a token, or without its signature");
    if (fake->log == NULL)
        gl_test_answer_text(out, 404, "application/xml",
                            "<Error><Code>BlobNotFound</Code></Error>");
    else
        gl_test_answer_text(out, 200, "text/plain", fake->log);
}

static void answer(const struct gl_test_request *request, struct gl_test_answer *out, void *cookie)
{
    struct fake_azure *fake = cookie;

    if (strcmp(request->path, "/" FAKE_AZURE_TENANT "/oauth2/v2.0/token") == 0)
        fake_azure_sign_in(fake, request, out);
    else if (strcmp(request->path, "/metadata/identity/oauth2/token") == 0)
        fake_azure_identity(fake, request, out);
    else if (strcmp(request->path, "/api/retail/prices") == 0)
        fake_azure_prices(fake, request, out);
    else if (strcmp(request->path, "/blob/log") == 0)
        on_blob(fake, request, out);
    else
        on_api(fake, request, out);
}

void fake_azure_start(struct fake_azure *fake)
{
    *fake = (struct fake_azure){.looks = 1, .slow_left = 1, .cores_left = 8, .percent = 100};
    fake->vms = json_object();
    fake->disks = json_object();
    fake->snapshots = json_object();
    fake->operations = json_object();
    fake->requests = json_array();
    fake->server = gl_test_server_start(answer, fake);
}

void fake_azure_stop(struct fake_azure *fake)
{
    gl_test_server_stop(fake->server);
    json_decref(fake->vms);
    json_decref(fake->disks);
    json_decref(fake->snapshots);
    json_decref(fake->operations);
    json_decref(fake->requests);
    gl_str_done(&fake->complaints);
}

size_t fake_azure_running(const struct fake_azure *fake)
{
    return json_object_size(fake->vms);
}
