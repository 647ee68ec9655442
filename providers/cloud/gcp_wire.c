/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/gcp.h"

#include "base/time.h"
#include "providers/data/data.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IMAGE_X86 "projects/debian-cloud/global/images/family/debian-12"
#define IMAGE_ARM "projects/debian-cloud/global/images/family/debian-12-arm64"

/* Words of refused requests ("reason") and of operations that failed ("code"): Google writes the
 * same thing in several ways. */
const struct gl_remote_rule gl_gcp_rules[] = {
    {0, "ZONE_RESOURCE_POOL_EXHAUSTED*", NULL, GL_E_CAPACITY, GL_REACH_ZONE},
    {0, "insufficientCapacity", NULL, GL_E_CAPACITY, GL_REACH_ZONE},
    {0, "STOCKOUT", NULL, GL_E_CAPACITY, GL_REACH_ZONE},
    {0, "UNSUPPORTED_OPERATION", NULL, GL_E_CAPACITY, GL_REACH_ZONE},
    {0, "*", "_ALL_REGIONS", GL_E_QUOTA, GL_REACH_ACCOUNT},
    {0, "QUOTA_EXCEEDED", NULL, GL_E_QUOTA, GL_REACH_REGION},
    {0, "quotaExceeded", NULL, GL_E_QUOTA, GL_REACH_REGION},
    {0, "rateLimitExceeded", NULL, GL_E_RATE_LIMIT, GL_REACH_ACCOUNT},
    {0, "userRateLimitExceeded", NULL, GL_E_RATE_LIMIT, GL_REACH_ACCOUNT},
    {0, "RATE_LIMIT_EXCEEDED", NULL, GL_E_RATE_LIMIT, GL_REACH_ACCOUNT},
    {0, "RESOURCE_OPERATION_RATE_EXCEEDED", NULL, GL_E_BUSY, GL_REACH_CALL},
    {0, "RESOURCE_NOT_READY", NULL, GL_E_BUSY, GL_REACH_CALL},
    {0, "resourceNotReady", NULL, GL_E_BUSY, GL_REACH_CALL},
    {0, "alreadyExists", NULL, GL_E_TOKEN, GL_REACH_CALL},
    {0, "RESOURCE_ALREADY_EXISTS", NULL, GL_E_TOKEN, GL_REACH_CALL},
    {0, "CONDITION_NOT_MET", "resourceLocations", GL_E_PERMISSION, GL_REACH_REGION},
    {0, "conditionNotMet", "resourceLocations", GL_E_PERMISSION, GL_REACH_REGION},
    {0, "CONDITION_NOT_MET", NULL, GL_E_PERMISSION, GL_REACH_ACCOUNT}, /* an organization policy */
    {0, "conditionNotMet", NULL, GL_E_PERMISSION, GL_REACH_ACCOUNT},
    {403, "*", "is not found or access is unauthorized", GL_E_UNKNOWN_NAME, GL_REACH_ZONE},
    {400, "*", "does not exist in zone", GL_E_UNKNOWN_NAME, GL_REACH_ZONE},
    {0, "PERMISSIONS_ERROR", NULL, GL_E_PERMISSION, GL_REACH_ACCOUNT},
    {0, "forbidden", NULL, GL_E_PERMISSION, GL_REACH_ACCOUNT},
    {0, "accessNotConfigured", NULL, GL_E_PERMISSION, GL_REACH_ACCOUNT},
    {0, "SERVICE_DISABLED", NULL, GL_E_PERMISSION, GL_REACH_ACCOUNT},
    {0, "authError", NULL, GL_E_NO_CREDENTIAL, GL_REACH_ACCOUNT},
    {0, "invalid_grant", NULL, GL_E_NO_CREDENTIAL, GL_REACH_ACCOUNT},
    {0, "invalid_client", NULL, GL_E_NO_CREDENTIAL, GL_REACH_ACCOUNT},
    {0, "RESOURCE_NOT_FOUND", NULL, GL_E_CAPACITY, GL_REACH_ZONE},
    {0, "notFound", NULL, GL_E_NOT_FOUND, GL_REACH_CALL},
    {0, NULL, NULL, GL_OK, GL_REACH_CALL},
};

/* ---- errors ---- */

static void put(char *out, size_t size, const char *text)
{
    if (text != NULL)
        snprintf(out, size, "%s", text);
}

/* "us-central1-a,us-central1-b" of errorInfo: the zones that do have stock. */
static void read_places(const json_t *error, struct gl_remote_word *out)
{
    size_t i, used = 0;
    const json_t *detail;

    json_array_foreach(json_object_get(error, "errorDetails"), i, detail)
    {
        const json_t *meta = json_object_get(json_object_get(detail, "errorInfo"), "metadatas");
        const char *at = json_string_value(json_object_get(meta, "zonesAvailable"));

        while (at != NULL && *at != '\0' && used < sizeof out->places / sizeof *out->places - 1) {
            size_t length = strcspn(at, ", ");

            if (length > 0 && length < sizeof out->places[0])
                snprintf(out->places[used++], sizeof out->places[0], "%.*s", (int)length, at);
            at += length;
            at += strspn(at, ", ");
        }
    }
}

bool gl_gcp_read_error(const struct gl_http_reply *reply, struct gl_remote_word *out)
{
    struct gl_error ignored = {0};
    GL_AUTO(gl_auto_json)
    json_t *root = gl_json_parse(reply->body, reply->body_length, "answer", &ignored);
    const json_t *error = json_object_get(root, "error");
    const json_t *first = json_array_get(json_object_get(error, "errors"), 0);
    const char *word = json_string_value(json_object_get(first, "reason"));

    if (word == NULL)
        word = json_string_value(json_object_get(error, "status"));
    if (word == NULL)
        word = json_string_value(error); /* OAuth: {"error": "invalid_grant", ...} */
    put(out->word, sizeof out->word, word);
    put(out->text, sizeof out->text,
        json_is_string(error) ? json_string_value(json_object_get(root, "error_description"))
                              : json_string_value(json_object_get(error, "message")));
    return word != NULL;
}

bool gl_gcp_operation_error(const json_t *operation, int *out_status, struct gl_remote_word *out)
{
    const json_t *first =
        json_array_get(json_object_get(json_object_get(operation, "error"), "errors"), 0);
    const json_t *status = json_object_get(operation, "httpErrorStatusCode");

    if (first == NULL)
        return false;
    *out = (struct gl_remote_word){{0}, {0}, {{0}}};
    *out_status = json_is_integer(status) ? (int)json_integer_value(status) : 400;
    put(out->word, sizeof out->word, json_string_value(json_object_get(first, "code")));
    put(out->text, sizeof out->text, json_string_value(json_object_get(first, "message")));
    read_places(first, out);
    return true;
}

/* ---- requests ---- */

void gl_gcp_request_id(const char *token, const char *step, char out[37])
{
    GL_AUTO(gl_str_done) struct gl_str text = {0};
    struct gl_hash hash;
    char hex[GL_HASH_HEX];

    gl_str_addf(&text, "%s|%s", token, step);
    gl_hash_of(gl_str_text(&text), text.length, &hash);
    hash.bytes[6] = (uint8_t)((hash.bytes[6] & 0x0f) | 0x80);
    hash.bytes[8] = (uint8_t)((hash.bytes[8] & 0x3f) | 0x80);
    gl_hash_hex(&hash, hex);
    snprintf(out, 37, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
}

/* Of a type that no table has: Arm series are called t2a, c4a, n4a. */
static bool is_arm(const char *type)
{
    const struct gl_type_row *row = gl_data_type("gcp", type);
    size_t series = strcspn(type, "-");

    if (row != NULL)
        return strcmp(row->arch, "arm64") == 0;
    return series >= 3 && type[series - 1] == 'a' && isdigit((unsigned char)type[series - 2]);
}

/* Of a migrated instance: "REGION/global/images/NAME". */
static const char *image_of(const struct gl_gcp *gcp, const struct gl_launch *launch)
{
    char region[40];
    const char *native = launch->image != NULL ? gl_remote_id_split(launch->image, region) : NULL;

    if (launch->image != NULL)
        return native != NULL ? native : launch->image;
    return gcp->image != NULL ? gcp->image : is_arm(launch->type) ? IMAGE_ARM : IMAGE_X86;
}

/* int64 members are strings in Google's JSON. */
static json_t *scheduling_of(const struct gl_launch *launch)
{
    char seconds[24];
    json_t *out;

    snprintf(seconds, sizeof seconds, "%" PRId64, launch->lease.s);
    out = json_pack("{s:{s:s},s:s,s:b,s:s}", "maxRunDuration", "seconds", seconds,
                    "instanceTerminationAction", "DELETE", "automaticRestart", 0,
                    "onHostMaintenance", "TERMINATE");
    if (launch->is_spot)
        json_object_set_new(out, "provisioningModel", json_string("SPOT"));
    return out;
}

static json_t *network_of(const struct gl_gcp *gcp)
{
    bool is_subnet = strstr(gcp->network, "/subnetworks/") != NULL;
    json_t *out = json_pack("{s:s}", is_subnet ? "subnetwork" : "network", gcp->network);

    if (gcp->has_address)
        json_object_set_new(
            out, "accessConfigs",
            json_pack("[{s:s,s:s}]", "name", "External NAT", "type", "ONE_TO_ONE_NAT"));
    return out;
}

json_t *gl_gcp_insert_body(const struct gl_gcp *gcp, const struct gl_launch *launch,
                           const char *zone, const char *user_data)
{
    char name[GL_CLOUD_ID], type[160];
    json_t *out;

    gl_attempt_name(launch, name);
    snprintf(type, sizeof type, "zones/%s/machineTypes/%s", zone, launch->type);
    out = json_pack("{s:s,s:s,s:o,s:o,s:o,s:[o]}", "name", name, "machineType", type, "labels",
                    gl_labels_json(launch), "scheduling", scheduling_of(launch), "metadata",
                    json_pack("{s:[{s:s,s:s},{s:s,s:s}]}", "items", "key", "startup-script",
                              "value", user_data, "key", "serial-port-enable", "value", "TRUE"),
                    "networkInterfaces", network_of(gcp));
    json_object_set_new(out, "disks",
                        json_pack("[{s:b,s:b,s:{s:s,s:o}}]", "boot", 1, "autoDelete", 1,
                                  "initializeParams", "sourceImage", image_of(gcp, launch),
                                  "labels", gl_labels_json(launch)));
    if (gcp->service_account != NULL)
        json_object_set_new(out, "serviceAccounts",
                            json_pack("[{s:s,s:[s]}]", "email", gcp->service_account, "scopes",
                                      "https://www.googleapis.com/auth/cloud-platform"));
    return out;
}

/* ---- answers ---- */

const char *gl_gcp_last(const char *url)
{
    const char *slash = strrchr(url, '/');

    return slash != NULL ? slash + 1 : url;
}

static const char *label(void *cookie, const char *name)
{
    return json_string_value(json_object_get(cookie, name));
}

static enum gl_instance_state state_of(const char *status)
{
    static const struct {
        const char *word;
        enum gl_instance_state state;
    } states[] = {
        {"PROVISIONING", GL_STATE_LAUNCHING}, {"STAGING", GL_STATE_LAUNCHING},
        {"RUNNING", GL_STATE_RUNNING},        {"REPAIRING", GL_STATE_RUNNING},
        {"STOPPING", GL_STATE_STOPPING},      {"SUSPENDING", GL_STATE_STOPPING},
        {"PENDING_STOP", GL_STATE_STOPPING},  {"SUSPENDED", GL_STATE_SUSPENDED},
        {"TERMINATED", GL_STATE_HALTED},      {"STOPPED", GL_STATE_HALTED},
        {"PENDING", GL_STATE_LAUNCHING},      {"DEPROVISIONING", GL_STATE_STOPPING},
    };

    for (size_t i = 0; status != NULL && i < sizeof states / sizeof *states; i++)
        if (strcmp(status, states[i].word) == 0)
            return states[i].state;
    return GL_STATE_RUNNING; /* what is not known may run, and is billed */
}

bool gl_gcp_read_instance(const json_t *from, struct gl_instance *out)
{
    const char *name = json_string_value(json_object_get(from, "name"));
    const char *zone = json_string_value(json_object_get(from, "zone"));
    const char *type = json_string_value(json_object_get(from, "machineType"));
    const char *status = json_string_value(json_object_get(from, "status"));
    const char *created = json_string_value(json_object_get(from, "creationTimestamp"));
    const char *stopped = json_string_value(json_object_get(from, "lastStopTimestamp"));
    const char *letter;
    struct gl_error ignored = {0};

    *out = (struct gl_instance){.host_cpu_ms = -1};
    if (name == NULL || zone == NULL ||
        !gl_labels_read(label, json_object_get(from, "labels"), out))
        return false;
    zone = gl_gcp_last(zone);
    letter = strrchr(zone, '-');
    if (letter == NULL || (size_t)(letter - zone) >= sizeof out->region ||
        strlen(zone) >= sizeof out->zone)
        return false;
    snprintf(out->region, sizeof out->region, "%.*s", (int)(letter - zone), zone);
    snprintf(out->zone, sizeof out->zone, "%s", zone);
    snprintf(out->type, sizeof out->type, "%s", type != NULL ? gl_gcp_last(type) : "");
    snprintf(out->how, sizeof out->how, "gce");
    if (snprintf(out->id, sizeof out->id, "%s/%s/%s", out->region, letter + 1, name) >=
        (int)sizeof out->id)
        return false;
    out->state = state_of(status);
    if (created != NULL && gl_instant_parse(created, &out->started, &ignored) != 0)
        out->started = (struct gl_instant){0};
    if (out->state == GL_STATE_HALTED && stopped != NULL &&
        gl_instant_parse(stopped, &out->ended, &ignored) != 0)
        out->ended = (struct gl_instant){0};
    return true;
}
