/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/fake_openstack_part.h"

#include "tests/support/test_clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PAGE 2

static const char *const flavors[] = {"small",    "large",    "m-stockout", "m-quota",
                                      "m-lost",   "m-silent", "m-twin",     "m-slow",
                                      "m-broken", "m-vague",  "m-beaten"};
#define FLAVORS (sizeof flavors / sizeof *flavors)

static bool only_has(json_t *object, const char *const *names)
{
    const char *key;
    json_t *value;

    json_object_foreach(object, key, value)
    {
        const char *const *name = names;

        while (*name != NULL && strcmp(*name, key) != 0)
            name++;
        if (*name == NULL)
            return false;
    }
    return true;
}

/* ---- servers ---- */

static json_t **find(const struct asked *asked, const char *id)
{
    struct fake_openstack_region *region = asked->region;

    for (size_t i = 0; i < region->count; i++)
        if (region->servers[i] != NULL &&
            strcmp(fake_openstack_text(region->servers[i], "id"), id) == 0)
            return &region->servers[i];
    return NULL;
}

static const char *flavor_of(json_t *body)
{
    size_t at = strtoul(fake_openstack_text(body, "flavorRef"), NULL, 10);

    return at > 0 && at <= FLAVORS ? flavors[at - 1] : "";
}

static void add(const struct asked *asked, json_t *body)
{
    struct fake_openstack_region *region = asked->region;
    json_t *server = json_deep_copy(body);
    char id[40], when[40];
    time_t now = test_clock_now();

    snprintf(id, sizeof id, "00000000-0000-4000-8000-%012u", ++asked->fake->number);
    strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", gmtime(&now));
    fake_openstack_set(server, "id", id);
    fake_openstack_set(server, "created", when);
    fake_openstack_set(server, "status", "BUILD");
    fake_openstack_set(server, "OS-EXT-STS:task_state", "scheduling");
    fake_openstack_set(server, "OS-SRV-USG:launched_at", NULL);
    fake_openstack_set(server, "OS-EXT-AZ:availability_zone", "nova");
    fake_openstack_set(server, "kind", flavor_of(body)); /* not shown */
    json_object_set_new(server, "looks", json_integer(asked->fake->looks));
    json_object_set_new(server, "flavor",
                        asked->minor >= 47
                            ? json_pack("{s:s}", "original_name", flavor_of(body))
                            : json_pack("{s:s}", "id", fake_openstack_text(body, "flavorRef")));
    json_object_del(server, "user_data");
    region->servers[region->count++] = server;
    asked->fake->made++;
}

static bool is_create(const struct asked *asked, json_t *body)
{
    static const char *const all[] = {
        "name",     "flavorRef", "imageRef",        "metadata",          "user_data",
        "networks", "key_name",  "security_groups", "availability_zone", NULL};
    const char *data = fake_openstack_text(body, "user_data");

    return body != NULL && only_has(body, all) &&
           strncmp(fake_openstack_text(body, "name"), "gl-", 3) == 0 &&
           strcmp(fake_openstack_text(body, "imageRef"), FAKE_OPENSTACK_IMAGE) == 0 &&
           flavor_of(body)[0] != '\0' && json_is_object(json_object_get(body, "metadata")) &&
           strlen(data) > 0 && strlen(data) <= 65535 &&
           data[strspn(data,
                       "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=")] ==
               '\0' &&
           (asked->minor < 37 || json_object_get(body, "networks") != NULL);
}

static bool misbehaves(const struct asked *asked, const char *flavor)
{
    if (strcmp(flavor, "m-quota") == 0)
        fake_openstack_refuse(
            asked->out, 403, "forbidden",
            "Quota exceeded for cores, instances: Requested 1, but already used 10 of 10 cores");
    else if (strcmp(flavor, "m-slow") == 0 && asked->fake->slow_left > 0) {
        asked->fake->slow_left--;
        fake_openstack_refuse(asked->out, 413, "overLimit", "This request was rate-limited.");
        gl_str_add(&asked->out->headers, "Retry-After: 0\r\n");
    } else if (strcmp(flavor, "m-silent") == 0)
        asked->out->is_hung_up = true;
    else
        return false;
    return true;
}

static void create(const struct asked *asked)
{
    json_t *root = json_loads(asked->request->body, 0, NULL);
    json_t *body = json_object_get(root, "server");
    const char *flavor = flavor_of(body);

    asked->fake->posts++;
    gl_str_add(&asked->fake->bodies, asked->request->body);
    if (asked->minor < 37 && json_is_string(json_object_get(body, "networks")))
        fake_openstack_refuse(
            asked->out, 400, "badRequest",
            "Invalid input for field/attribute networks. Value: auto. 'auto' is not of type "
            "'array'");
    else if (!is_create(asked, body)) {
        fake_openstack_complain(asked->fake, "a create that is malformed");
        fake_openstack_refuse(asked->out, 400, "badRequest",
                              "Invalid input for field/attribute server.");
    } else if (!misbehaves(asked, flavor)) {
        add(asked, body);
        if (strcmp(flavor, "m-twin") == 0 || strcmp(flavor, "m-beaten") == 0)
            add(asked, body);
        fake_openstack_json(
            asked->out, 202,
            json_pack("{s:{s:s,s:s}}", "server", "id",
                      fake_openstack_text(asked->region->servers[asked->region->count - 1], "id"),
                      "adminPass", "planted-admin-pass"));
        asked->out->cut_after = strcmp(flavor, "m-lost") == 0 ? 20 : 0;
        if (strcmp(flavor, "m-vague") == 0) {
            gl_str_clear(&asked->out->body);
            fake_openstack_refuse(asked->out, 500, "computeFault", "Unexpected API Error.");
        }
    }
    json_decref(root);
}

static void fail_server(json_t *server, const char *why)
{
    fake_openstack_set(server, "status", "ERROR");
    json_object_set_new(server, "fault", json_pack("{s:i,s:s}", "code", 500, "message", why));
}

/* Each look brings it further. */
static void step(json_t *server)
{
    json_int_t looks = json_integer_value(json_object_get(server, "looks"));
    const char *kind = fake_openstack_text(server, "kind"),
               *task = fake_openstack_text(server, "OS-EXT-STS:task_state");

    if (looks > 0) {
        json_object_set_new(server, "looks", json_integer(looks - 1));
        return;
    }
    if (strcmp(task, "scheduling") == 0 && strcmp(kind, "m-stockout") == 0)
        fail_server(server, "No valid host was found. There are not enough hosts available.");
    else if (strcmp(task, "scheduling") == 0 && strcmp(kind, "m-broken") == 0)
        fail_server(server, "Image is unacceptable: \x1b[31mred");
    else if (strcmp(task, "scheduling") == 0 || strcmp(task, "powering-on") == 0) {
        fake_openstack_set(server, "status", "ACTIVE");
        fake_openstack_set(server, "OS-SRV-USG:launched_at", "2026-01-01T00:00:00.000000");
    } else if (strcmp(task, "powering-off") == 0)
        fake_openstack_set(server, "status", "SHUTOFF");
    fake_openstack_set(server, "OS-EXT-STS:task_state", NULL);
}

static bool is_beaten(const struct asked *asked, json_t **server)
{
    return strcmp(fake_openstack_text(*server, "kind"), "m-beaten") == 0 &&
           server > asked->region->servers &&
           strcmp(fake_openstack_text(*server, "status"), "BUILD") == 0;
}

static json_t *shown(json_t *server)
{
    json_t *copy = json_deep_copy(server);

    json_object_del(copy, "kind");
    json_object_del(copy, "looks");
    return copy;
}

/* Ids in the order they were made; a page begins behind the marker. */
static void list_servers(const struct asked *asked)
{
    json_t *rows = json_array(), *page;
    char name[128], marker[64];
    bool has_more = false;

    fake_openstack_query(asked->request, "name", name, sizeof name);
    fake_openstack_query(asked->request, "marker", marker, sizeof marker);
    if (name[0] != '^')
        fake_openstack_complain(asked->fake, "a list without a name");
    for (size_t i = 0; i < asked->region->count; i++) {
        json_t *server = asked->region->servers[i];
        size_t length = strlen(name) - 1 - (name[strlen(name) - 1] == '$');

        if (server == NULL || strcmp(fake_openstack_text(server, "id"), marker) <= 0 ||
            strncmp(fake_openstack_text(server, "name"), name + 1, length) != 0 ||
            (name[length + 1] == '$' && fake_openstack_text(server, "name")[length] != '\0'))
            continue;
        if (json_array_size(rows) == PAGE)
            has_more = true;
        else
            json_array_append_new(rows, shown(server));
    }
    page = json_pack("{s:o}", "servers", rows);
    if (has_more)
        json_object_set_new(page, "servers_links",
                            json_pack("[{s:s,s:s}]", "rel", "next", "href", "http://evil.example"));
    fake_openstack_json(asked->out, 200, page);
}

static void act(const struct asked *asked, json_t *server)
{
    json_t *root = json_loads(asked->request->body, 0, NULL);
    void *first = json_object_iter(root);
    const char *verb = first != NULL ? json_object_iter_key(first) : "";
    const char *status = fake_openstack_text(server, "status");

    if (strcmp(verb, "os-getConsoleOutput") == 0)
        fake_openstack_json(asked->out, 200, json_pack("{s:s}", "output", asked->fake->console));
    else if (strcmp(verb, "createImage") == 0) {
        char id[40];

        snprintf(id, sizeof id, "22222222-0000-4000-8000-%012u", ++asked->fake->number);
        json_object_set_new(asked->region->images, id,
                            json_pack("{s:s,s:s,s:s,s:n,s:s,s:s}", "id", id, "name",
                                      fake_openstack_text(json_object_get(root, verb), "name"),
                                      "status", "queued", "size", "disk_format", "raw",
                                      "container_format", "bare"));
        if (asked->minor >= 45)
            fake_openstack_json(asked->out, 202, json_pack("{s:s}", "image_id", id));
        else {
            asked->out->status = 202;
            gl_str_addf(&asked->out->headers, "Location: http://glance.example/images/%s\r\n", id);
        }
    } else if (strcmp(verb, "os-stop") == 0 && strcmp(status, "ACTIVE") == 0) {
        fake_openstack_set(server, "OS-EXT-STS:task_state", "powering-off");
        asked->out->status = 202;
    } else if (strcmp(verb, "os-start") == 0 && strcmp(status, "SHUTOFF") == 0) {
        fake_openstack_set(server, "OS-EXT-STS:task_state", "powering-on");
        asked->out->status = 202;
    } else
        fake_openstack_refuse(asked->out, 409, "conflictingRequest",
                              "Cannot do that while it is in vm_state stopped");
    json_decref(root);
}

static void forget(const struct asked *asked, json_t **server)
{
    if (strcmp(fake_openstack_text(*server, "status"), "DELETED") != 0)
        return;
    if (asked->region->lingers > 0) {
        asked->region->lingers--;
        return;
    }
    json_decref(*server);
    *server = NULL;
}

static void on_server(const struct asked *asked, char *id)
{
    char *verb = strchr(id, '/');
    json_t **server;

    if (verb != NULL)
        *verb++ = '\0';
    server = find(asked, id);
    if (asked->region->faults > 0) {
        asked->region->faults--;
        fake_openstack_refuse(asked->out, 500, "computeFault",
                              "Unexpected API Error. Unable to reach neutron");
    } else if (server == NULL)
        fake_openstack_refuse(asked->out, 404, "itemNotFound", "Instance could not be found.");
    else if (verb != NULL && fake_openstack_is(asked, "POST"))
        act(asked, *server);
    else if (fake_openstack_is(asked, "DELETE") && asked->region->bad_ends > 0) {
        asked->region->bad_ends--;
        fail_server(*server, "the hypervisor did not let go");
        asked->out->status = 204;
    } else if (fake_openstack_is(asked, "DELETE")) {
        fake_openstack_set(*server, "status", "DELETED");
        asked->out->status = 204;
        forget(asked, server);
    } else {
        fake_openstack_json(asked->out, 200, json_pack("{s:o}", "server", shown(*server)));
        if (is_beaten(asked, server))
            fake_openstack_set(*server, "status", "DELETED");
        step(*server);
        forget(asked, server);
    }
}

/* ---- the rest of nova ---- */

static void list_flavors(const struct asked *asked)
{
    json_t *rows = json_array(), *page;
    char marker[64], id[8];
    size_t from, at;

    fake_openstack_query(asked->request, "marker", marker, sizeof marker);
    from = strtoul(marker, NULL, 10);
    for (at = from; at < FLAVORS && at < from + PAGE; at++) {
        snprintf(id, sizeof id, "%zu", at + 1);
        json_array_append_new(rows,
                              json_pack("{s:s,s:s,s:i,s:i,s:i}", "id", id, "name", flavors[at],
                                        "vcpus", at == 1 ? 8 : 1, "ram", 2048, "disk", 10));
    }
    page = json_pack("{s:o}", "flavors", rows);
    if (at < FLAVORS)
        json_object_set_new(page, "flavors_links",
                            json_pack("[{s:s,s:s}]", "rel", "next", "href", "http://evil.example"));
    fake_openstack_json(asked->out, 200, page);
}

static void limits(const struct asked *asked)
{
    fake_openstack_json(asked->out, 200,
                        json_pack("{s:{s:[],s:{s:i,s:i,s:i,s:i,s:i,s:i}}}", "limits", "rate",
                                  "absolute", "maxTotalInstances", 10, "totalInstancesUsed", 0,
                                  "maxTotalCores", 20, "totalCoresUsed",
                                  20 - asked->fake->cores_left, "maxTotalRAMSize", -1,
                                  "totalRAMUsed", 4096));
}

static void versions(const struct asked *asked)
{
    if (asked->region->most == NULL)
        gl_test_answer_text(asked->out, 404, "text/html", "<html>no</html>");
    else
        fake_openstack_json(asked->out, 300,
                            json_pack("{s:[{s:s,s:s,s:s},{s:s,s:s,s:s}]}", "versions", "id", "v2.0",
                                      "version", "", "min_version", "", "id", "v2.1", "version",
                                      asked->region->most, "min_version", "2.1"));
}

/* "compute 2.N" of the header; false when it is refused. */
static bool read_version(struct asked *asked)
{
    char header[64];

    gl_test_request_header(asked->request, "openstack-api-version", header, sizeof header);
    asked->minor = strncmp(header, "compute 2.", 10) == 0 ? atoi(header + 10) : 1;
    if (asked->region->most == NULL || asked->minor <= atoi(asked->region->most + 2))
        return true;
    fake_openstack_complain(asked->fake, "a version that was not offered");
    fake_openstack_refuse(asked->out, 406, "computeFault",
                          "Version is not supported by the API. Maximum is less");
    return false;
}

void fake_openstack_nova(struct asked *asked, char *path)
{
    static const char prefix[] = "/v2.1/project-1/";

    if (strcmp(path, "/") == 0) {
        versions(asked);
        return;
    }
    if (strncmp(path, prefix, sizeof prefix - 1) != 0 || !read_version(asked)) {
        fake_openstack_refuse(asked->out, 404, "itemNotFound", "no such path");
        return;
    }
    path += sizeof prefix - 1;
    if (asked->fake->has_rules)
        fake_openstack_deny(asked->out);
    else if (strcmp(path, "servers") == 0 && fake_openstack_is(asked, "POST"))
        create(asked);
    else if (strcmp(path, "servers/detail") == 0)
        list_servers(asked);
    else if (strncmp(path, "servers/", 8) == 0)
        on_server(asked, path + 8);
    else if (strcmp(path, "flavors/detail") == 0)
        list_flavors(asked);
    else if (strcmp(path, "limits") == 0)
        limits(asked);
    else {
        fake_openstack_complain(asked->fake, asked->request->path);
        fake_openstack_refuse(asked->out, 404, "itemNotFound", "no such path");
    }
}
