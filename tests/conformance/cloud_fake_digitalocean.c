/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/conformance/cloud_fake_vps.h"

#include "providers/data/data.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* https://docs.digitalocean.com/reference/api/ */

static void fail(struct gl_test_answer *out, int status, const char *id, const char *message)
{
    gl_fake_json(out, status, json_pack("{s:s,s:s}", "id", id, "message", message));
}

static json_t *droplet_json(const struct gl_fake_server *server)
{
    char at[32];

    return json_pack("{s:I,s:s,s:s,s:s,s:s,s:{s:s},s:O}", "id", (json_int_t)server->id, "name",
                     server->name, "status", server->state, "created_at",
                     gl_fake_time(server->created_s, at), "size_slug", server->type, "region",
                     "slug", server->place, "tags", server->labels);
}

static json_t *action_json(const char *type, const char *status)
{
    return json_pack("{s:i,s:s,s:s}", "id", 99, "type", type, "status", status);
}

static void check_tags(struct gl_fake *fake, const json_t *tags)
{
    const json_t *tag;
    size_t i;

    json_array_foreach(tags, i, tag)
    {
        const char *text = json_string_value(tag);

        if (text == NULL || strlen(text) > 255 ||
            strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-_:") != strlen(text))
            gl_fake_complain(fake, "tag %zu is not legal", i);
    }
}

static void create(struct gl_fake *fake, const struct gl_test_request *request,
                   struct gl_test_answer *out)
{
    json_t *body =
        gl_fake_body(fake, request, "name region size image tags user_data vpc_uuid ssh_keys",
                     "name region size image tags user_data");
    const char *type = json_string_value(json_object_get(body, "size"));
    const char *place = json_string_value(json_object_get(body, "region"));
    struct gl_fake_server *server;

    check_tags(fake, json_object_get(body, "tags"));
    if (json_is_integer(json_object_get(body, "image")) &&
        json_integer_value(json_object_get(body, "image")) != 77)
        gl_fake_complain(fake, "no such image");
    if (gl_data_type("digitalocean", type) == NULL || gl_data_region("digitalocean", place) == NULL)
        fail(out, 422, "unprocessable_entity",
             "You specified an invalid size for Droplet creation.");
    else if ((server = gl_fake_new(fake, body, "size", place)) != NULL) {
        snprintf(server->state, sizeof server->state, "new");
        gl_fake_json(out, 202,
                     json_pack("{s:o,s:{s:[{s:i,s:s,s:s}]}}", "droplet", droplet_json(server),
                               "links", "actions", "id", 99, "rel", "create", "href",
                               "https://api.digitalocean.com/v2/actions/99"));
        snprintf(server->state, sizeof server->state, "active");
    }
    json_decref(body);
}

static void list(struct gl_fake *fake, const struct gl_test_request *request,
                 struct gl_test_answer *out)
{
    json_t *droplets = json_array();
    char tag[512], type[512];

    gl_fake_query(request, "tag_name", tag);
    gl_fake_query(request, "type", type);
    if (tag[0] == '\0')
        gl_fake_complain(fake, "a list of everybody's droplets");
    for (size_t i = 0; i < fake->count && type[0] == '\0'; i++)
        if (fake->servers[i].is_there && !gl_fake_hides(&fake->servers[i]) &&
            gl_fake_has_text(fake->servers[i].labels, tag))
            json_array_append_new(droplets, droplet_json(&fake->servers[i]));
    gl_fake_json(out, 200, json_pack("{s:o,s:{}}", "droplets", droplets, "links"));
}

static void act(struct gl_fake *fake, const struct gl_test_request *request,
                struct gl_fake_server *server, struct gl_test_answer *out)
{
    json_t *body = gl_fake_body(fake, request, "type name", "type");
    const char *type = json_string_value(json_object_get(body, "type"));

    if (strcmp(type, "shutdown") == 0 || strcmp(type, "power_off") == 0)
        snprintf(server->state, sizeof server->state, "off");
    else if (strcmp(type, "power_on") == 0)
        snprintf(server->state, sizeof server->state, "active");
    else if (strcmp(type, "snapshot") == 0) {
        fake->images_made++;
        snprintf(fake->image, sizeof fake->image, "%s",
                 json_string_value(json_object_get(body, "name")));
        snprintf(fake->image_place, sizeof fake->image_place, "%s", server->place);
    } else
        gl_fake_complain(fake, "unknown action %s", type);
    gl_fake_json(out, 201, json_pack("{s:o}", "action", action_json(type, "in-progress")));
    json_decref(body);
}

static void one(struct gl_fake *fake, const struct gl_test_request *request,
                struct gl_test_answer *out)
{
    struct gl_fake_server *server = gl_fake_of_id(fake, request->path, "/v2/droplets/");

    if (server == NULL || (strcmp(request->method, "GET") == 0 && gl_fake_hides(server)))
        fail(out, 404, "not_found", "The resource you were accessing could not be found.");
    else if (gl_fake_is(request, "POST", "/v2/droplets/*/actions"))
        act(fake, request, server, out);
    else if (gl_fake_is(request, "GET", "/v2/droplets/*/actions"))
        gl_fake_json(out, 200, json_pack("{s:[]}", "actions"));
    else if (strcmp(request->method, "DELETE") == 0) {
        server->is_there = false;
        gl_test_answer_text(out, 204, "", "");
    } else if (strcmp(request->method, "GET") == 0)
        gl_fake_json(out, 200, json_pack("{s:o}", "droplet", droplet_json(server)));
}

static json_t *image_json(const struct gl_fake *fake)
{
    json_t *regions = json_pack("[s]", fake->image_place);

    if (fake->image_is_everywhere)
        json_array_append_new(regions, json_string("fra1"));
    return json_pack("{s:i,s:s,s:s,s:o,s:f}", "id", 77, "name", fake->image, "status", "available",
                     "regions", regions, "size_gigabytes", 2.5);
}

static void images(struct gl_fake *fake, const struct gl_test_request *request,
                   struct gl_test_answer *out)
{
    if (gl_fake_is(request, "GET", "/v2/images"))
        gl_fake_json(out, 200,
                     fake->image[0] != '\0' ? json_pack("{s:[o]}", "images", image_json(fake))
                                            : json_pack("{s:[]}", "images"));
    else if (fake->image[0] == '\0')
        fail(out, 404, "not_found", "no such image");
    else if (gl_fake_is(request, "POST", "/v2/images/77/actions")) {
        json_t *body = gl_fake_body(fake, request, "type region", "type region");

        fake->image_is_everywhere =
            strcmp(json_string_value(json_object_get(body, "type")), "transfer") == 0;
        json_decref(body);
        gl_fake_json(out, 201,
                     json_pack("{s:o}", "action", action_json("transfer", "in-progress")));
    } else if (gl_fake_is(request, "GET", "/v2/images/77/actions"))
        gl_fake_json(out, 200, json_pack("{s:[]}", "actions"));
    else if (gl_fake_is(request, "DELETE", "/v2/images/77")) {
        fake->image[0] = '\0';
        gl_test_answer_text(out, 204, "", "");
    }
}

static void sizes(const struct gl_test_request *request, struct gl_test_answer *out)
{
    char page[512];

    gl_test_answer_text(
        out, 200, "application/json",
        strcmp(gl_fake_query(request, "page", page), "2") == 0
            ? "{\"sizes\":[{\"slug\":\"s-1vcpu-1gb\",\"memory\":1024,\"vcpus\":1,\"disk\":25,"
              "\"price_monthly\":6,\"price_hourly\":0.00893,\"available\":true,\"regions\":"
              "[\"ams3\",\"fra1\"]}],\"links\":{}}"
            : "{\"sizes\":[{\"slug\":\"g-2vcpu-8gb\",\"memory\":8192,\"vcpus\":2,\"disk\":25,"
              "\"price_monthly\":63,\"price_hourly\":0.09375,\"available\":true,\"regions\":"
              "[\"ams3\"]}],\"links\":{\"pages\":{\"next\":\"https://x/v2/sizes?page=2\"}}}");
}

static void answer(struct gl_fake *fake, const struct gl_test_request *request,
                   struct gl_test_answer *out)
{
    if (gl_fake_is(request, "POST", "/v2/droplets"))
        create(fake, request, out);
    else if (gl_fake_is(request, "GET", "/v2/droplets"))
        list(fake, request, out);
    else if (gl_glob_match("/v2/droplets/*", request->path))
        one(fake, request, out);
    else if (gl_fake_is(request, "GET", "/v2/actions/99"))
        gl_fake_json(out, 200, json_pack("{s:o}", "action", action_json("create", "completed")));
    else if (gl_glob_match("/v2/images*", request->path))
        images(fake, request, out);
    else if (gl_fake_is(request, "DELETE", "/v2/tags/greenlaunch-token-*"))
        gl_test_answer_text(out, 204, "", "");
    else if (gl_fake_is(request, "GET", "/v2/sizes"))
        sizes(request, out);
    else if (gl_fake_is(request, "GET", "/v2/account"))
        gl_test_answer_text(out, 200, "application/json",
                            "{\"account\":{\"uuid\":\"u\",\"droplet_limit\":25,\"team\":{\"name\":"
                            "\"My Team\"}}}");
}

const struct gl_fake_ops gl_fake_digitalocean = {
    .answer = answer,
    .auth_header = "authorization",
    .auth_value = "Bearer " GL_FAKE_TOKEN,
    .unauthorized = "{\"id\":\"unauthorized\",\"message\":\"Unable to authenticate you\"}"};
