/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/conformance/cloud_fake_vps.h"

#include "providers/data/data.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* https://docs.hetzner.cloud/reference/cloud; the endpoint has no /v1 here. */

static void fail(struct gl_test_answer *out, int status, const char *code, const char *message)
{
    gl_fake_json(out, status,
                 json_pack("{s:{s:s,s:s}}", "error", "code", code, "message", message));
}

static json_t *server_json(const struct gl_fake_server *server)
{
    char at[32];

    return json_pack("{s:I,s:s,s:s,s:s,s:{s:s},s:{s:s,s:s},s:O}", "id", (json_int_t)server->id,
                     "name", server->name, "status", server->state, "created",
                     gl_fake_time(server->created_s, at), "server_type", "name", server->type,
                     "location", "name", server->place, "country", "DE", "labels", server->labels);
}

static json_t *action_json(const char *command, const char *status)
{
    return json_pack("{s:i,s:s,s:s,s:i,s:n}", "id", 99, "command", command, "status", status,
                     "progress", 100, "error");
}

/* Names and values as Kubernetes' labels, at most 63 bytes. */
static void check_labels(struct gl_fake *fake, json_t *labels)
{
    const char *key;
    json_t *value;

    json_object_foreach(labels, key, value)
    {
        const char *text = json_string_value(value);

        if (text == NULL || strlen(text) > 63 || strlen(key) > 63 ||
            strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") != strlen(text))
            gl_fake_complain(fake, "label %s has no legal value", key);
    }
}

static void create(struct gl_fake *fake, const struct gl_test_request *request,
                   struct gl_test_answer *out)
{
    json_t *body = gl_fake_body(fake, request,
                                "name server_type image location labels start_after_create "
                                "user_data networks ssh_keys public_net",
                                "name server_type image location labels user_data");
    const char *type = json_string_value(json_object_get(body, "server_type"));
    const char *place = json_string_value(json_object_get(body, "location"));
    struct gl_fake_server *server;

    check_labels(fake, json_object_get(body, "labels"));
    if (strlen(json_string_value(json_object_get(body, "user_data"))) > 32768)
        gl_fake_complain(fake, "user data above 32 KiB");
    for (size_t i = 0; i < fake->count; i++)
        if (fake->servers[i].is_there &&
            strcmp(fake->servers[i].name, json_string_value(json_object_get(body, "name"))) == 0) {
            fail(out, 409, "uniqueness_error", "server name is already used");
            json_decref(body);
            return;
        }
    if (gl_data_type("hetzner", type) == NULL || gl_data_region("hetzner", place) == NULL)
        fail(out, 422, "invalid_input", "invalid input in field 'server_type'");
    else if ((server = gl_fake_new(fake, body, "server_type", place)) != NULL) {
        snprintf(server->state, sizeof server->state, "initializing");
        gl_fake_json(out, 201,
                     json_pack("{s:o,s:o,s:[],s:s}", "server", server_json(server), "action",
                               action_json("create_server", "running"), "next_actions",
                               "root_password", "planted-root-password"));
        snprintf(server->state, sizeof server->state, "running");
    }
    json_decref(body);
}

/* "a=b,c=d" or a bare name. */
static bool is_selected(const struct gl_fake_server *server, const char *selector)
{
    char text[512], *state, *part;

    snprintf(text, sizeof text, "%s", selector);
    for (part = strtok_r(text, ",", &state); part != NULL; part = strtok_r(NULL, ",", &state)) {
        char *equals = strchr(part, '=');
        const char *value;

        if (equals != NULL)
            *equals = '\0';
        value = json_string_value(json_object_get(server->labels, part));
        if (value == NULL || (equals != NULL && strcmp(value, equals + 1) != 0))
            return false;
    }
    return true;
}

static void list(struct gl_fake *fake, const struct gl_test_request *request,
                 struct gl_test_answer *out)
{
    json_t *servers = json_array();
    char selector[512];

    gl_fake_query(request, "label_selector", selector);
    for (size_t i = 0; i < fake->count; i++)
        if (fake->servers[i].is_there && !gl_fake_hides(&fake->servers[i]) &&
            is_selected(&fake->servers[i], selector))
            json_array_append_new(servers, server_json(&fake->servers[i]));
    gl_fake_json(
        out, 200,
        json_pack("{s:o,s:{s:{s:n}}}", "servers", servers, "meta", "pagination", "next_page"));
}

static void act(struct gl_fake_server *server, const char *action, struct gl_test_answer *out)
{
    if (strcmp(action, "shutdown") == 0 || strcmp(action, "poweroff") == 0)
        snprintf(server->state, sizeof server->state, "off");
    else if (strcmp(action, "poweron") == 0)
        snprintf(server->state, sizeof server->state, "running");
    else {
        fail(out, 404, "not_found", "no such action");
        return;
    }
    gl_fake_json(out, 201, json_pack("{s:o}", "action", action_json(action, "running")));
}

static json_t *image_json(const struct gl_fake *fake)
{
    return json_pack("{s:i,s:s,s:s,s:s,s:f,s:{s:s}}", "id", 77, "type", "snapshot", "status",
                     "available", "description", fake->image, "image_size", 1.5, "labels",
                     "greenlaunch-image", fake->image);
}

static void create_image(struct gl_fake *fake, const struct gl_test_request *request,
                         struct gl_test_answer *out)
{
    json_t *body = gl_fake_body(fake, request, "type description labels", "type labels");

    check_labels(fake, json_object_get(body, "labels"));
    snprintf(
        fake->image, sizeof fake->image, "%s",
        json_string_value(json_object_get(json_object_get(body, "labels"), "greenlaunch-image")));
    json_decref(body);
    gl_fake_json(out, 201,
                 json_pack("{s:o,s:o}", "image", image_json(fake), "action",
                           action_json("create_image", "running")));
}

static void images(struct gl_fake *fake, const struct gl_test_request *request,
                   struct gl_test_answer *out)
{
    bool is_there = fake->image[0] != '\0';
    char selector[512], wanted[256];

    if (gl_fake_is(request, "GET", "/images")) {
        snprintf(wanted, sizeof wanted, "greenlaunch-image=%s", fake->image);
        is_there =
            is_there && strcmp(gl_fake_query(request, "label_selector", selector), wanted) == 0;
        gl_fake_json(out, 200,
                     is_there ? json_pack("{s:[o]}", "images", image_json(fake))
                              : json_pack("{s:[]}", "images"));
    } else if (!is_there)
        fail(out, 404, "not_found", "image not found");
    else if (strcmp(request->method, "DELETE") == 0) {
        fake->image[0] = '\0';
        gl_test_answer_text(out, 204, "", "");
    } else
        gl_fake_json(out, 200, json_pack("{s:o}", "image", image_json(fake)));
}

static void pricing(const struct gl_fake *fake, struct gl_test_answer *out)
{
    static const char body[] =
        "{\"pricing\":{\"currency\":\"%s\",\"vat_rate\":\"19.00\",\"server_types\":[{\"id\":1,"
        "\"name\":\"cax11\",\"prices\":[{\"location\":\"fsn1\",\"price_hourly\":{\"net\":"
        "\"0.0052000000\",\"gross\":\"0.0061880000\"}},{\"location\":\"hel1\",\"price_hourly\":{"
        "\"net\":\"0.0052000000\",\"gross\":\"0.0061880000\"}}]}]}}";
    GL_AUTO(gl_str_done) struct gl_str text = {0};

    gl_str_addf(&text, body, fake->bills_in_usd ? "USD" : "EUR");
    gl_test_answer_text(out, 200, "application/json", gl_str_text(&text));
}

static void server_types(const struct gl_test_request *request, struct gl_test_answer *out)
{
    char name[512];
    bool is_second = strcmp(gl_fake_query(request, "page", name), "2") == 0;
    json_t *types = json_array();

    gl_fake_query(request, "name", name);
    if (name[0] == '\0' ? !is_second : strcmp(name, "cax11") == 0)
        json_array_append_new(types, json_pack("{s:s,s:i,s:f,s:s,s:[{s:s,s:b},{s:s,s:b}]}", "name",
                                               "cax11", "cores", 2, "memory", 4.0, "architecture",
                                               "arm", "locations", "name", "fsn1", "available", 1,
                                               "name", "hel1", "available", 0));
    if (name[0] == '\0' && is_second)
        json_array_append_new(types, json_pack("{s:s,s:i,s:f,s:s,s:[{s:s}]}", "name", "cx22",
                                               "cores", 2, "memory", 4.0, "architecture", "x86",
                                               "locations", "name", "fsn1"));
    gl_fake_json(out, 200,
                 is_second || name[0] != '\0'
                     ? json_pack("{s:o,s:{s:{s:n}}}", "server_types", types, "meta", "pagination",
                                 "next_page")
                     : json_pack("{s:o,s:{s:{s:i}}}", "server_types", types, "meta", "pagination",
                                 "next_page", 2));
}

static void one(struct gl_fake *fake, const struct gl_test_request *request,
                struct gl_test_answer *out)
{
    struct gl_fake_server *server = gl_fake_of_id(fake, request->path, "/servers/");

    if (server == NULL || (strcmp(request->method, "GET") == 0 && gl_fake_hides(server)))
        fail(out, 404, "not_found", "server not found");
    else if (gl_fake_is(request, "POST", "/servers/*/actions/create_image"))
        create_image(fake, request, out);
    else if (gl_fake_is(request, "POST", "/servers/*/actions/*"))
        act(server, strrchr(request->path, '/') + 1, out);
    else if (strcmp(request->method, "DELETE") == 0) {
        server->is_there = false;
        gl_fake_json(out, 200, json_pack("{s:o}", "action", action_json("delete", "running")));
    } else if (strcmp(request->method, "GET") == 0)
        gl_fake_json(out, 200, json_pack("{s:o}", "server", server_json(server)));
}

static void answer(struct gl_fake *fake, const struct gl_test_request *request,
                   struct gl_test_answer *out)
{
    if (gl_fake_is(request, "POST", "/servers"))
        create(fake, request, out);
    else if (gl_fake_is(request, "GET", "/servers"))
        list(fake, request, out);
    else if (gl_glob_match("/servers/*", request->path))
        one(fake, request, out);
    else if (gl_fake_is(request, "GET", "/actions/99"))
        gl_fake_json(out, 200,
                     json_pack("{s:o}", "action", action_json("create_server", "success")));
    else if (gl_glob_match("/images*", request->path))
        images(fake, request, out);
    else if (gl_fake_is(request, "GET", "/pricing"))
        pricing(fake, out);
    else if (gl_fake_is(request, "GET", "/server_types"))
        server_types(request, out);
}

const struct gl_fake_ops gl_fake_hetzner = {
    .answer = answer,
    .auth_header = "authorization",
    .auth_value = "Bearer " GL_FAKE_TOKEN,
    .unauthorized =
        "{\"error\":{\"code\":\"unauthorized\",\"message\":\"unable to authenticate\"}}"};
