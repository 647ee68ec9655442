/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/conformance/cloud_fake_vps.h"

#include "providers/data/data.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* https://www.scaleway.com/en/developers/api/instances/ */

static void fail(struct gl_test_answer *out, int status, const char *type, const char *message)
{
    gl_fake_json(out, status, json_pack("{s:s,s:s}", "type", type, "message", message));
}

/* "/instance/v1/zones/ZONE/..." */
static const char *zone_of(const struct gl_test_request *request, char out[40])
{
    const char *at = strstr(request->path, "/zones/");

    snprintf(out, 40, "%.*s", at != NULL ? (int)strcspn(at + 7, "/") : 0, at != NULL ? at + 7 : "");
    return out;
}

static const char *volume_id(const struct gl_fake_server *server, char out[40])
{
    snprintf(out, 40, "99999999-bbbb-4ccc-8ddd-%012d", (int)server->id);
    return out;
}

static json_t *server_json(const struct gl_fake_server *server)
{
    char at[32], volume[40];
    json_t *volumes = server->has_volume
                          ? json_pack("{s:{s:s,s:s}}", "0", "id", volume_id(server, volume),
                                      "volume_type", "sbs_volume")
                          : json_object();

    return json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:O,s:o}", "id", server->uuid, "name", server->name,
                     "state", server->state, "creation_date", gl_fake_time(server->created_s, at),
                     "commercial_type", server->type, "zone", server->place, "tags", server->labels,
                     "volumes", volumes);
}

static void create(struct gl_fake *fake, const struct gl_test_request *request,
                   struct gl_test_answer *out)
{
    json_t *body = gl_fake_body(
        fake, request,
        "name commercial_type image project tags dynamic_ip_required security_group volumes",
        "name commercial_type image project tags");
    const char *type = json_string_value(json_object_get(body, "commercial_type"));
    struct gl_fake_server *server;
    char zone[40];

    if (strcmp(json_string_value(json_object_get(body, "project")), GL_FAKE_PROJECT) != 0)
        gl_fake_complain(fake, "another project");
    if (!gl_fake_has_text(json_object_get(body, "tags"), "greenlaunch"))
        gl_fake_complain(fake, "no tag to list by");
    if (gl_data_type("scaleway", type) == NULL)
        fail(out, 400, "invalid_arguments", "invalid argument(s)");
    else if ((server = gl_fake_new(fake, body, "commercial_type", zone_of(request, zone))) !=
             NULL) {
        snprintf(server->state, sizeof server->state, "stopped");
        gl_fake_json(out, 201, json_pack("{s:o}", "server", server_json(server)));
    }
    json_decref(body);
}

static void list(struct gl_fake *fake, const struct gl_test_request *request,
                 struct gl_test_answer *out)
{
    json_t *servers = json_array();
    char tag[512], zone[40];

    gl_fake_query(request, "tags", tag);
    zone_of(request, zone);
    for (size_t i = 0; i < fake->count; i++)
        if (fake->servers[i].is_there && strcmp(fake->servers[i].place, zone) == 0 &&
            !gl_fake_hides(&fake->servers[i]) && gl_fake_has_text(fake->servers[i].labels, tag))
            json_array_append_new(servers, server_json(&fake->servers[i]));
    gl_fake_json(out, 200, json_pack("{s:o}", "servers", servers));
}

static void act(struct gl_fake *fake, const struct gl_test_request *request,
                struct gl_fake_server *server, struct gl_test_answer *out)
{
    json_t *body = gl_fake_body(fake, request, "action", "action");
    const char *action = json_string_value(json_object_get(body, "action"));
    bool is_running = strcmp(server->state, "running") == 0;

    if (strcmp(action, "poweron") == 0 && !server->has_user_data)
        gl_fake_complain(fake, "started without its user data");
    if (strcmp(action, "poweron") == 0 && is_running)
        fail(out, 400, "invalid_request_error", "server is already running");
    else if (strcmp(action, "poweron") != 0 && !is_running)
        fail(out, 400, "invalid_request_error", "server should be running");
    else {
        snprintf(server->state, sizeof server->state, "%s",
                 strcmp(action, "poweron") == 0 ? "running" : "stopped");
        if (strcmp(action, "terminate") == 0) {
            server->is_there = false;
            fake->volumes_left += server->has_volume; /* a block volume stays */
        }
        gl_fake_json(out, 202, json_pack("{s:{s:s}}", "task", "id", "task-1"));
    }
    json_decref(body);
}

static void change(struct gl_fake *fake, const struct gl_test_request *request,
                   struct gl_fake_server *server, struct gl_test_answer *out)
{
    json_t *body = gl_fake_body(fake, request, "tags", "tags");

    json_decref(server->labels);
    server->labels = json_deep_copy(json_object_get(body, "tags"));
    json_decref(body);
    gl_fake_json(out, 200, json_pack("{s:o}", "server", server_json(server)));
}

static void set_user_data(struct gl_fake *fake, const struct gl_test_request *request,
                          struct gl_fake_server *server, struct gl_test_answer *out)
{
    char type[64];

    if (strcmp(gl_test_request_header(request, "content-type", type, sizeof type), "text/plain") !=
            0 ||
        request->body_length == 0)
        gl_fake_complain(fake, "user data: not as text, or empty");
    /* Of two who found it unstarted one may come later than the other's start. */
    if (strcmp(server->state, "stopped") != 0 && !server->has_user_data)
        gl_fake_complain(fake, "user data first came after the start");
    server->has_user_data = true;
    gl_test_answer_text(out, 204, "", "");
}

static void erase(struct gl_fake *fake, struct gl_fake_server *server, struct gl_test_answer *out)
{
    if (strcmp(server->state, "stopped") != 0) {
        fail(out, 400, "invalid_request_error", "server should be stopped");
        return;
    }
    server->is_there = false;
    fake->volumes_left += server->has_volume;
    gl_test_answer_text(out, 204, "", "");
}

static void one(struct gl_fake *fake, const struct gl_test_request *request,
                struct gl_test_answer *out)
{
    struct gl_fake_server *server = gl_fake_of_id(fake, request->path, "/servers/");
    const char *below = strstr(request->path, "/servers/") + 9;

    below += strcspn(below, "/");
    if (server == NULL ||
        (strcmp(request->method, "GET") == 0 && below[0] == '\0' && gl_fake_hides(server)))
        fail(out, 404, "unknown_resource", "\"aaaa\" not found");
    else if (strcmp(below, "/action") == 0 && strcmp(request->method, "POST") == 0)
        act(fake, request, server, out);
    else if (strcmp(below, "/user_data/cloud-init") == 0 && strcmp(request->method, "PATCH") == 0)
        set_user_data(fake, request, server, out);
    else if (below[0] == '\0' && strcmp(request->method, "PATCH") == 0)
        change(fake, request, server, out);
    else if (below[0] == '\0' && strcmp(request->method, "DELETE") == 0)
        erase(fake, server, out);
    else if (below[0] == '\0' && strcmp(request->method, "GET") == 0)
        gl_fake_json(out, 200, json_pack("{s:o}", "server", server_json(server)));
}

/* ---- https://www.scaleway.com/en/developers/api/block/ ---- */

static bool is_in_use(const struct gl_fake_server *server)
{
    return server->is_there || server->volume_user[0] != '\0';
}

static json_t *volume_json(const struct gl_fake_server *server)
{
    char id[40];
    const char *user = server->volume_user[0] != '\0' ? server->volume_user : server->uuid;
    json_t *references = is_in_use(server)
                             ? json_pack("[{s:s,s:s}]", "product_resource_type", "instance_server",
                                         "product_resource_id", user)
                             : json_array();

    return json_pack("{s:s,s:s,s:s,s:s,s:o,s:o}", "id", volume_id(server, id), "zone",
                     server->place, "type", "sbs_5k", "status",
                     is_in_use(server) ? "in_use" : "available", "tags",
                     server->volume_tags != NULL ? json_incref(server->volume_tags) : json_array(),
                     "references", references);
}

static void list_volumes(struct gl_fake *fake, const struct gl_test_request *request,
                         struct gl_test_answer *out)
{
    json_t *volumes = json_array();
    char tag[512], zone[40];

    gl_fake_query(request, "tags", tag);
    zone_of(request, zone);
    for (size_t i = 0; i < fake->count; i++)
        if (fake->servers[i].has_volume && strcmp(fake->servers[i].place, zone) == 0 &&
            gl_fake_has_text(fake->servers[i].volume_tags, tag))
            json_array_append_new(volumes, volume_json(&fake->servers[i]));
    gl_fake_json(out, 200, json_pack("{s:o}", "volumes", volumes));
}

static void one_volume(struct gl_fake *fake, const struct gl_test_request *request,
                       struct gl_test_answer *out)
{
    struct gl_fake_server *server = NULL;
    const char *wanted = strstr(request->path, "/volumes/") + 9;
    char id[40];

    for (size_t i = 0; i < fake->count; i++)
        if (fake->servers[i].has_volume && strcmp(volume_id(&fake->servers[i], id), wanted) == 0)
            server = &fake->servers[i];
    if (server == NULL)
        fail(out, 404, "not_found", "resource is not found");
    else if (strcmp(request->method, "PATCH") == 0) {
        json_t *body = gl_fake_body(fake, request, "tags", "tags");

        json_decref(server->volume_tags);
        server->volume_tags = json_deep_copy(json_object_get(body, "tags"));
        json_decref(body);
        gl_fake_json(out, 200, volume_json(server));
    } else if (strcmp(request->method, "DELETE") == 0 && is_in_use(server))
        fail(out, 412, "precondition_failed", "resource is still in use");
    else if (strcmp(request->method, "DELETE") == 0) {
        server->has_volume = false;
        fake->volumes_left--;
        gl_test_answer_text(out, 204, "", "");
    }
}

/* A page, of 50 where nothing else is asked for and of 100 at most: others first, `last` at the
 * end. */
static void list_products(const struct gl_fake *fake, const struct gl_test_request *request,
                          struct gl_test_answer *out, const char *last)
{
    json_t *servers = json_object(), *rest = json_loads(last, 0, NULL);
    char text[512];
    size_t size = strtoul(gl_fake_query(request, "per_page", text), NULL, 10);
    size_t page = strtoul(gl_fake_query(request, "page", text), NULL, 10);
    size_t from;

    size = size == 0 ? 50 : size > 100 ? 100 : size;
    from = size * (page > 0 ? page - 1 : 0);
    for (size_t i = from; i < fake->other_types && i < from + size; i++) {
        snprintf(text, sizeof text, "OTHER-%zu", i);
        json_object_set_new(servers, text, json_pack("{s:b}", "end_of_service", 1));
    }
    if (fake->other_types < from + size)
        json_object_update(servers, rest);
    json_decref(rest);
    gl_fake_json(out, 200, json_pack("{s:o}", "servers", servers));
}

/* The first is in another zone of the region, dirtier; the rest say nothing that holds. */
static void list_catalog(const struct gl_test_request *request, struct gl_test_answer *out)
{
    char text[512];

    if (strcmp(gl_fake_query(request, "product_types", text), "instance") != 0)
        fail(out, 400, "invalid_arguments", "product_types");
    else
        gl_test_answer_text(
            out, 200, "application/json",
            "{\"total_count\":5,\"products\":["
            "{\"locality\":{\"zone\":\"fr-par-2\"},\"properties\":{\"instance\":{\"offer_id\":"
            "\"DEV1-S\"}},\"environmental_impact_estimation\":{\"kg_co2_equivalent\":0.00007,"
            "\"m3_water_usage\":0.001},\"unit_of_measure\":{\"unit\":\"minute\",\"size\":1}},"
            "{\"locality\":{\"zone\":\"fr-par-1\"},\"properties\":{\"instance\":{\"offer_id\":"
            "\"DEV1-S\"}},\"environmental_impact_estimation\":{\"kg_co2_equivalent\":0.0016},"
            "\"unit_of_measure\":{\"unit\":\"hour\",\"size\":1}},"
            "{\"locality\":{\"zone\":\"fr-par-1\"},\"properties\":{\"instance\":{\"offer_id\":"
            "\"GP1-S\"}},\"environmental_impact_estimation\":{\"kg_co2_equivalent\":0.1},"
            "\"unit_of_measure\":{\"unit\":\"gigabyte\",\"size\":1}},"
            "{\"locality\":{\"zone\":\"fr-par-1\"},\"properties\":{\"instance\":{\"offer_id\":"
            "\"OLD\"}},\"unit_of_measure\":{\"unit\":\"hour\",\"size\":1}},"
            "{\"locality\":{\"region\":\"fr-par\"},\"properties\":{\"instance\":{\"offer_id\":"
            "\"DEV1-S\"}},\"environmental_impact_estimation\":{\"kg_co2_equivalent\":-1},"
            "\"unit_of_measure\":{\"unit\":\"hour\",\"size\":1}}]}");
}

static void answer(struct gl_fake *fake, const struct gl_test_request *request,
                   struct gl_test_answer *out)
{
    if (gl_fake_is(request, "POST", "/instance/v1/zones/*/servers"))
        create(fake, request, out);
    else if (gl_fake_is(request, "GET", "/instance/v1/zones/*/products/servers/availability"))
        list_products(fake, request, out,
                      "{\"DEV1-S\":{\"availability\":\"available\"},\"GP1-S\":{"
                      "\"availability\":\"shortage\"}}");
    else if (gl_fake_is(request, "GET", "/instance/v1/zones/*/products/servers"))
        list_products(fake, request, out,
                      "{\"DEV1-S\":{\"ncpus\":2,\"ram\":2147483648,\"gpu\":0,"
                      "\"arch\":\"x86_64\",\"hourly_price\":0.0088,\"monthly_price\":6.42},"
                      "\"OLD\":{\"ncpus\":2,\"ram\":2147483648,\"end_of_service\":true,"
                      "\"hourly_price\":0.01}}");
    else if (gl_fake_is(request, "GET", "/product-catalog/v2alpha1/public-catalog/products"))
        list_catalog(request, out);
    else if (gl_fake_is(request, "GET", "/instance/v1/zones/*/servers"))
        list(fake, request, out);
    else if (gl_glob_match("/instance/v1/zones/*/servers/*", request->path))
        one(fake, request, out);
    else if (gl_fake_is(request, "GET", "/block/v1/zones/*/volumes"))
        list_volumes(fake, request, out);
    else if (gl_glob_match("/block/v1/zones/*/volumes/*", request->path))
        one_volume(fake, request, out);
}

const struct gl_fake_ops gl_fake_scaleway = {
    .answer = answer,
    .auth_header = "x-auth-token",
    .auth_value = GL_FAKE_TOKEN,
    .unauthorized = "{\"type\":\"denied_authentication\",\"message\":\"authentication is denied\","
                    "\"method\":\"api_key\",\"reason\":\"not_found\"}"};
