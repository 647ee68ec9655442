/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/openstack.h"

#include "base/time.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MINOR_MOST  90 /* 2.90: hostname; what newer ones change is not spoken */
#define MINOR_LEAST 37 /* 2.37: networks "auto" and "none" */
#define RUNNING     1  /* OS-EXT-STS:power_state */

/* A refusal is told by its status, the name of its first member and a sentence. */
const struct gl_remote_rule gl_openstack_rules[] = {
    {413, "overLimit", "uota", GL_E_QUOTA, GL_REACH_REGION}, /* older clouds answer so */
    {413, "overLimit", NULL, GL_E_RATE_LIMIT, GL_REACH_ACCOUNT},
    {0, "OverQuota", NULL, GL_E_QUOTA, GL_REACH_REGION},
    {403, "*", "Quota exceeded", GL_E_QUOTA, GL_REACH_REGION},
    {403, "*", "Maximum number of", GL_E_QUOTA, GL_REACH_REGION},
    {403, "*", "zero disk", GL_E_BAD_VALUE, GL_REACH_CALL},
    {413, NULL, "quota", GL_E_QUOTA, GL_REACH_REGION}, /* glance: storage */
    {400, "badRequest", "could not be found", GL_E_UNKNOWN_NAME, GL_REACH_CALL},
    {409, "*", "Multiple possible networks", GL_E_BAD_VALUE, GL_REACH_CALL}, /* name one */
    {501, NULL, NULL, GL_E_NOT_FOUND, GL_REACH_CALL}, /* the operator's driver cannot */
    {0, NULL, NULL, GL_OK, GL_REACH_CALL},
};

/* ---- errors ---- */

static void put(char *out, size_t size, const char *text)
{
    if (text != NULL)
        snprintf(out, size, "%s", text);
}

static const char *text_of(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static bool is_web_page(const struct gl_http_reply *reply)
{
    return strcasestr(reply->content_type, "html") != NULL ||
           strcasestr(reply->content_type, "text") != NULL;
}

/* {"forbidden": {"code","message"}}, {"error": {"code","title","message"}}, {"NeutronError":
 * {"type","message"}}, {"errors": [{"code","title","detail"}]}; glance answers in HTML, of which
 * the status is enough. */
bool gl_openstack_read_error(const struct gl_http_reply *reply, struct gl_remote_word *out)
{
    struct gl_error ignored = {0};
    GL_AUTO(gl_auto_json)
    json_t *root = is_web_page(reply) ? NULL
                                      : gl_json_parse(reply->body != NULL ? reply->body : "",
                                                      reply->body_length, "answer", &ignored);
    void *first = json_object_iter(root);
    const char *word = first != NULL ? json_object_iter_key(first) : NULL;
    const json_t *inside = first != NULL ? json_object_iter_value(first) : NULL;

    if (json_is_array(inside))
        inside = json_array_get(inside, 0);
    if (text_of(inside, "type") != NULL)
        word = text_of(inside, "type");
    else if (word != NULL && strncmp(word, "error", 5) == 0 && text_of(inside, "title") != NULL)
        word = text_of(inside, "title");
    put(out->word, sizeof out->word, word);
    put(out->text, sizeof out->text,
        json_is_string(inside) ? json_string_value(inside) : text_of(inside, "message"));
    if (out->text[0] == '\0')
        put(out->text, sizeof out->text, text_of(inside, "detail"));
    return word != NULL;
}

enum gl_errc gl_openstack_fault_code(const char *text, enum gl_reach *out_reach)
{
    static const struct {
        const char *text;
        enum gl_errc code;
    } faults[] = {
        {"No valid host", GL_E_CAPACITY},
        {"Exhausted all hosts", GL_E_CAPACITY},
        {"Exceeded maximum number of retries", GL_E_CAPACITY},
        {"Insufficient", GL_E_CAPACITY},
        {"Quota exceeded", GL_E_QUOTA},
        {"Maximum number of ports", GL_E_QUOTA},
        {"No more IP addresses", GL_E_CAPACITY},
    };

    *out_reach = GL_REACH_CALL;
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
        if (strstr(text, faults[i].text) != NULL) {
            *out_reach = GL_REACH_REGION;
            return faults[i].code;
        }
    return GL_E_LAUNCH;
}

/* ---- places ---- */

static bool is_region(const char *name)
{
    size_t length = name != NULL ? strlen(name) : 0;

    if (length == 0 || length >= GL_OPENSTACK_REGION)
        return false;
    for (; *name != '\0'; name++)
        if ((unsigned char)*name <= ' ' || *name == '/' || (unsigned char)*name >= 0x7f)
            return false;
    return true;
}

static void keep_url(char out[300], const char *url)
{
    size_t length = url != NULL ? strlen(url) : 0;

    while (length > 0 && url[length - 1] == '/')
        length--;
    if (length == 0 || length >= 300 || out[0] != '\0' || !gl_openstack_is_trusted(url))
        return;
    memcpy(out, url, length);
    out[length] = '\0';
}

static struct gl_openstack_place *place_of(struct gl_openstack_place *places, size_t *count,
                                           const char *region)
{
    for (size_t i = 0; i < *count; i++)
        if (strcmp(places[i].region, region) == 0)
            return &places[i];
    if (*count == GL_OPENSTACK_PLACES)
        return NULL;
    places[*count] = (struct gl_openstack_place){.minor = -1};
    snprintf(places[*count].region, sizeof places->region, "%s", region);
    return &places[(*count)++];
}

static void read_endpoint(const char *type, const json_t *endpoint, const char *only,
                          struct gl_openstack_place *places, size_t *count)
{
    const char *region = text_of(endpoint, "region_id"),
               *interface = text_of(endpoint, "interface");
    struct gl_openstack_place *place;

    if (region == NULL)
        region = text_of(endpoint, "region");
    if (interface == NULL || strcmp(interface, "public") != 0 || !is_region(region) ||
        (only != NULL && strcmp(only, region) != 0))
        return;
    place = place_of(places, count, region);
    if (place == NULL)
        return;
    if (strcmp(type, "compute") == 0)
        keep_url(place->compute, text_of(endpoint, "url"));
    else if (strcmp(type, "image") == 0)
        keep_url(place->image, text_of(endpoint, "url"));
    else
        keep_url(place->network, text_of(endpoint, "url"));
}

/* Regions without a compute service go; the preferred one comes first. */
static size_t sift(struct gl_openstack_place *places, size_t count, const char *first)
{
    size_t used = 0;

    for (size_t i = 0; i < count; i++)
        if (places[i].compute[0] != '\0')
            places[used++] = places[i];
    for (size_t i = 1; first != NULL && i < used; i++)
        if (strcmp(places[i].region, first) == 0) {
            struct gl_openstack_place head = places[i];

            places[i] = places[0];
            places[0] = head;
        }
    return used;
}

size_t gl_openstack_read_places(const json_t *catalog, const char *only, const char *first,
                                struct gl_openstack_place out[GL_OPENSTACK_PLACES])
{
    size_t count = 0, i, k;
    const json_t *service, *endpoint;

    json_array_foreach(catalog, i, service)
    {
        const char *type = text_of(service, "type");

        if (type == NULL || (strcmp(type, "compute") != 0 && strcmp(type, "image") != 0 &&
                             strcmp(type, "network") != 0))
            continue;
        json_array_foreach(json_object_get(service, "endpoints"), k, endpoint)
            read_endpoint(type, endpoint, only, out, &count);
    }
    return sift(out, count, first);
}

size_t gl_openstack_root(const char *compute)
{
    const char *host = strstr(compute, "://");
    const char *at = host != NULL ? strstr(host + 3, "/v2") : NULL;

    return at != NULL ? (size_t)(at - compute) : strlen(compute);
}

int gl_openstack_minor(const json_t *versions)
{
    size_t i;
    const json_t *row;
    int most = 1;

    json_array_foreach(json_object_get(versions, "versions"), i, row)
    {
        const char *id = text_of(row, "id"), *high = text_of(row, "version");

        if (id == NULL || strcmp(id, "v2.1") != 0 || high == NULL || strncmp(high, "2.", 2) != 0 ||
            strlen(high) > 6 || high[2 + strspn(high + 2, "0123456789")] != '\0')
            continue;
        most = (int)strtol(high + 2, NULL, 10);
    }
    return most < MINOR_LEAST ? 1 : most < MINOR_MOST ? most : MINOR_MOST;
}

/* ---- requests ---- */

static json_t *network_of(const char *network)
{
    if (strcmp(network, "auto") == 0 || strcmp(network, "none") == 0)
        return json_string(network);
    return json_pack("[{s:s}]", "uuid", network);
}

json_t *gl_openstack_server_body(const struct gl_openstack_body *wanted)
{
    char name[GL_CLOUD_ID];
    json_t *server;

    gl_attempt_name(wanted->launch, name);
    server = json_pack("{s:s,s:s,s:s,s:o,s:s}", "name", name, "flavorRef", wanted->flavor,
                       "imageRef", wanted->image, "metadata", gl_labels_json(wanted->launch),
                       "user_data", wanted->user_data);
    if (wanted->network[0] != '\0')
        json_object_set_new(server, "networks", network_of(wanted->network));
    if (wanted->keypair != NULL)
        json_object_set_new(server, "key_name", json_string(wanted->keypair));
    if (wanted->security_group != NULL)
        json_object_set_new(server, "security_groups",
                            json_pack("[{s:s}]", "name", wanted->security_group));
    if (wanted->zone != NULL)
        json_object_set_new(server, "availability_zone", json_string(wanted->zone));
    return json_pack("{s:o}", "server", server);
}

/* ---- answers ---- */

static const char *label(void *cookie, const char *name)
{
    return json_string_value(json_object_get(cookie, name));
}

/* What still exists is never told as over: nobody would end it then. */
static enum gl_instance_state state_of(const char *status, const char *task, bool has_power)
{
    static const struct {
        const char *word;
        enum gl_instance_state state;
    } states[] = {
        {"BUILD", GL_STATE_LAUNCHING},    {"SHUTOFF", GL_STATE_HALTED},
        {"PAUSED", GL_STATE_SUSPENDED},   {"SUSPENDED", GL_STATE_SUSPENDED},
        {"SHELVED", GL_STATE_HALTED},     {"SHELVED_OFFLOADED", GL_STATE_HALTED},
        {"SOFT_DELETED", GL_STATE_ENDED}, {"DELETED", GL_STATE_ENDED},
    };

    if (task != NULL && (strcmp(task, "deleting") == 0 || strcmp(task, "powering-off") == 0))
        return GL_STATE_STOPPING;
    for (size_t i = 0; i < sizeof states / sizeof *states; i++)
        if (strcmp(status, states[i].word) == 0)
            return states[i].state;
    if (strcmp(status, "ERROR") == 0)
        return has_power ? GL_STATE_RUNNING : GL_STATE_HALTED;
    return GL_STATE_RUNNING; /* ACTIVE, REBOOT, RESIZE, UNKNOWN (its host does not answer) ... */
}

/* The name where the answer has it (from 2.47), else by its id. */
static void read_type(const json_t *flavor, json_t *flavors, char out[40])
{
    const char *name = text_of(flavor, "original_name"), *id = text_of(flavor, "id"), *key;
    json_t *row;

    json_object_foreach((name == NULL && id != NULL ? flavors : NULL), key, row)
    {
        const char *known = text_of(row, "id");

        if (known != NULL && strcmp(known, id) == 0)
            name = key;
    }
    put(out, 40, name != NULL ? name : id);
}

static void read_state(const json_t *from, struct gl_openstack_server *out)
{
    const char *status = text_of(from, "status"), *task = text_of(from, "OS-EXT-STS:task_state");
    const json_t *power = json_object_get(from, "OS-EXT-STS:power_state");
    bool has_power = json_is_integer(power) && json_integer_value(power) == RUNNING;

    if (status == NULL)
        status = "UNKNOWN";
    out->instance.state = state_of(status, task, has_power);
    out->is_error = strcmp(status, "ERROR") == 0;
    out->is_busy = task != NULL;
    out->is_kept = strcmp(status, "SOFT_DELETED") == 0;
    out->has_run = has_power || json_is_string(json_object_get(from, "OS-SRV-USG:launched_at"));
    put(out->fault, sizeof out->fault, text_of(json_object_get(from, "fault"), "message"));
    if (out->is_error)
        snprintf(out->instance.why, sizeof out->instance.why, "%.95s",
                 out->fault[0] != '\0' ? out->fault : "ERROR");
    else if (strcmp(status, "UNKNOWN") == 0)
        snprintf(out->instance.why, sizeof out->instance.why, "its host does not answer");
}

bool gl_openstack_read_server(const json_t *from, const char *region, json_t *flavors,
                              struct gl_openstack_server *out)
{
    const char *id = text_of(from, "id"), *created = text_of(from, "created");
    struct gl_instance *instance = &out->instance;
    struct gl_error ignored = {0};

    *out = (struct gl_openstack_server){.instance.host_cpu_ms = -1};
    if (id == NULL || !gl_openstack_is_uuid(id) ||
        !gl_labels_read(label, json_object_get(from, "metadata"), instance))
        return false;
    snprintf(instance->region, sizeof instance->region, "%s", region);
    snprintf(instance->id, sizeof instance->id, "%.26s/%.36s", region, id);
    snprintf(instance->how, sizeof instance->how, "nova");
    read_type(json_object_get(from, "flavor"), flavors, instance->type);
    if (text_of(from, "OS-EXT-AZ:availability_zone") != NULL)
        snprintf(instance->zone, sizeof instance->zone, "%.39s",
                 text_of(from, "OS-EXT-AZ:availability_zone"));
    read_state(from, out);
    if (created == NULL || gl_instant_parse(created, &instance->started, &ignored) != 0)
        instance->started = (struct gl_instant){0};
    return true;
}
