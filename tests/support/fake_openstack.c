/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/fake_openstack_part.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FAKE_TOKEN "planted-keystone-token-%u"
#define JSON       "application/json"
#define REGION_1   "north"
#define REGION_2   "south"

void fake_openstack_complain(struct fake_openstack *fake, const char *what)
{
    gl_str_addf(&fake->complaints, "%s\n", what);
}

void fake_openstack_json(struct gl_test_answer *out, int status, json_t *value)
{
    char *text = json_dumps(value, JSON_COMPACT);

    gl_test_answer_text(out, status, JSON, text);
    free(text);
    json_decref(value);
}

void fake_openstack_refuse(struct gl_test_answer *out, int status, const char *word,
                           const char *message)
{
    fake_openstack_json(out, status,
                        json_pack("{s:{s:i,s:s}}", word, "code", status, "message", message));
}

void fake_openstack_deny(struct gl_test_answer *out)
{
    fake_openstack_json(out, 401,
                        json_pack("{s:{s:i,s:s,s:s}}", "error", "code", 401, "title",
                                  "Unauthorized", "message",
                                  "The request you have made requires authentication."));
}

bool fake_openstack_is(const struct asked *asked, const char *method)
{
    return strcmp(asked->request->method, method) == 0;
}

const char *fake_openstack_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text != NULL ? text : "";
}

void fake_openstack_query(const struct gl_test_request *request, const char *name, char *out,
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

void fake_openstack_set(json_t *object, const char *key, const char *value)
{
    json_object_set_new(object, key, value != NULL ? json_string(value) : json_null());
}

/* ---- keystone ---- */

static json_t *endpoints(const struct fake_openstack *fake, const char *service, const char *tail)
{
    static const char *const names[] = {REGION_1, REGION_2};
    json_t *out = json_array();
    char url[256];

    for (size_t i = 0; i < 2; i++) {
        snprintf(url, sizeof url, "%s/%s/%s%s", gl_test_server_url(fake->server), names[i], service,
                 tail);
        json_array_append_new(out, json_pack("{s:s,s:s,s:s}", "interface", "public", "region_id",
                                             names[i], "url", url));
        json_array_append_new(out, json_pack("{s:s,s:s,s:s}", "interface", "internal", "region_id",
                                             names[i], "url", "http://10.0.0.1:8774"));
    }
    return out;
}

/* A third region leads to an address in the open, and must not be believed. */
static json_t *catalog(const struct fake_openstack *fake)
{
    json_t *compute = endpoints(fake, "compute", "/v2.1/project-1");

    json_array_append_new(compute, json_pack("{s:s,s:s,s:s}", "interface", "public", "region_id",
                                             "open", "url", "http://nova.example:8774/v2.1"));
    return json_pack("[{s:s,s:o},{s:s,s:o},{s:s,s:[]}]", "type", "compute", "endpoints", compute,
                     "type", "image", "endpoints", endpoints(fake, "image", ""), "type",
                     "object-store", "endpoints");
}

static bool is_right(json_t *root)
{
    json_t *auth = json_object_get(root, "auth"), *identity = json_object_get(auth, "identity");
    const char *method = json_string_value(json_array_get(json_object_get(identity, "methods"), 0));
    json_t *inside = json_object_get(identity, method != NULL ? method : "");

    if (method != NULL && strcmp(method, "application_credential") == 0)
        return json_object_get(auth, "scope") == NULL && /* it is in the credential */
               strcmp(fake_openstack_text(inside, "id"), "application-1") == 0 &&
               strcmp(fake_openstack_text(inside, "secret"), FAKE_OPENSTACK_SECRET) == 0;
    inside = json_object_get(inside, "user");
    auth = json_object_get(json_object_get(auth, "scope"), "project");
    return strcmp(fake_openstack_text(inside, "name"), "tester") == 0 &&
           json_object_get(inside, "domain") != NULL && json_object_get(auth, "domain") != NULL &&
           strcmp(fake_openstack_text(auth, "name"), "green") == 0 &&
           strcmp(fake_openstack_text(inside, "password"), FAKE_OPENSTACK_PASSWORD) == 0;
}

static void give_token(struct fake_openstack *fake, const struct gl_test_request *request,
                       struct gl_test_answer *out)
{
    json_t *root = json_loads(request->body, 0, NULL);

    if (strcmp(request->method, "POST") != 0 || !is_right(root)) {
        fake->refused_tokens++;
        fake_openstack_deny(out);
    } else {
        snprintf(fake->token, sizeof fake->token, FAKE_TOKEN, ++fake->tokens_given);
        fake_openstack_json(out, 201,
                            json_pack("{s:{s:s,s:s,s:{s:s},s:{s:s},s:o}}", "token", "issued_at",
                                      "2020-01-01T00:00:00.000000Z", "expires_at",
                                      "2020-01-01T01:00:00.000000Z", "project", "name", "green",
                                      "user", "name", "tester", "catalog", catalog(fake)));
        gl_str_addf(&out->headers, "X-Subject-Token: %s\r\n", fake->token);
    }
    json_decref(root);
}

/* ---- glance ---- */

static void list_images(const struct asked *asked)
{
    json_t *rows = json_array(), *image;
    const char *key;
    char name[128];

    fake_openstack_query(asked->request, "name", name, sizeof name);
    json_object_foreach(asked->region->images, key, image)
    {
        if (strcmp(fake_openstack_text(image, "name"), name) == 0)
            json_array_append(rows, image);
    }
    fake_openstack_json(asked->out, 200, json_pack("{s:o}", "images", rows));
}

static void make_image(const struct asked *asked)
{
    json_t *body = json_loads(asked->request->body, 0, NULL);
    char id[40];

    snprintf(id, sizeof id, "33333333-0000-4000-8000-%012u", ++asked->fake->number);
    if (strcmp(fake_openstack_text(body, "disk_format"), "raw") != 0)
        fake_openstack_complain(asked->fake, "an image of another format");
    fake_openstack_set(body, "id", id);
    fake_openstack_set(body, "status", "queued");
    fake_openstack_set(body, "size", NULL);
    json_object_set(asked->region->images, id, body);
    fake_openstack_json(asked->out, 201, body);
}

static void import(const struct asked *asked, json_t *image)
{
    json_t *root = json_loads(asked->request->body, 0, NULL);
    const json_t *method = json_object_get(root, "method");

    if (strcmp(fake_openstack_text(method, "name"), "glance-download") != 0 ||
        strcmp(fake_openstack_text(method, "glance_region"), REGION_1) != 0 ||
        fake_openstack_text(method, "glance_image_id")[0] == '\0')
        gl_test_answer_text(asked->out, 400, "text/html", "<html>Unknown import</html>");
    else {
        fake_openstack_set(image, "status", "importing");
        asked->out->status = 202;
    }
    json_decref(root);
}

static void on_image(const struct asked *asked, char *id)
{
    char *verb = strchr(id, '/');
    json_t *image;

    if (verb != NULL)
        *verb++ = '\0';
    image = json_object_get(asked->region->images, id);
    if (image == NULL)
        gl_test_answer_text(asked->out, 404, "text/html", "<html>No image found</html>");
    else if (verb != NULL)
        import(asked, image);
    else if (fake_openstack_is(asked, "DELETE")) {
        json_object_del(asked->region->images, id);
        asked->out->status = 204;
    } else {
        fake_openstack_json(asked->out, 200, json_deep_copy(image));
        fake_openstack_set(image, "status", "active");
        json_object_set_new(image, "size", json_integer(1048576));
    }
}

static void on_glance(const struct asked *asked, char *path)
{
    if (strcmp(path, "/v2/images") == 0 && fake_openstack_is(asked, "POST"))
        make_image(asked);
    else if (strcmp(path, "/v2/images") == 0)
        list_images(asked);
    else if (strcmp(path, "/v2/info/import") == 0)
        fake_openstack_json(
            asked->out, 200,
            json_pack("{s:{s:[s,s]}}", "import-methods", "value", "web-download",
                      asked->region->has_import ? "glance-download" : "glance-direct"));
    else if (strncmp(path, "/v2/images/", 11) == 0)
        on_image(asked, path + 11);
    else {
        fake_openstack_complain(asked->fake, asked->request->path);
        gl_test_answer_text(asked->out, 404, "text/html", "<html>no</html>");
    }
}

/* ---- all ---- */

/* Those of other sign-ins hold, too, until they are revoked. */
static bool is_given(const struct fake_openstack *fake, const char *token)
{
    unsigned number, held;

    return sscanf(token, FAKE_TOKEN, &number) == 1 && number > 0 &&
           sscanf(fake->token, FAKE_TOKEN, &held) == 1 && number <= held;
}

/* The document of versions is for everybody. */
static bool is_allowed(struct asked *asked, const char *path)
{
    char token[128];

    gl_test_request_header(asked->request, "x-auth-token", token, sizeof token);
    if (strcmp(path, "/compute/") == 0) {
        if (token[0] != '\0')
            fake_openstack_complain(asked->fake, "a token where none is needed");
        return true;
    }
    if (is_given(asked->fake, token) && asked->fake->deny_tokens == 0)
        return true;
    asked->fake->deny_tokens -= asked->fake->deny_tokens > 0;
    fake_openstack_deny(asked->out);
    return false;
}

static void answer(const struct gl_test_request *request, struct gl_test_answer *out, void *cookie)
{
    struct fake_openstack *fake = cookie;
    struct asked asked = {.fake = fake, .request = request, .out = out};
    char path[2048], *rest;
    size_t at;

    if (strcmp(request->path, "/identity/v3/auth/tokens") == 0) {
        give_token(fake, request, out);
        return;
    }
    snprintf(path, sizeof path, "%s", request->path);
    rest = strchr(path + 1, '/');
    at = strncmp(path, "/" REGION_2 "/", 7) == 0;
    if (rest == NULL || (at == 0 && strncmp(path, "/" REGION_1 "/", 7) != 0)) {
        fake_openstack_complain(fake, request->path);
        fake_openstack_refuse(out, 404, "itemNotFound", "no such address");
        return;
    }
    asked.region = &fake->regions[at];
    asked.name = at == 0 ? REGION_1 : REGION_2;
    if (asked.region->is_dead)
        out->is_hung_up = true;
    else if (!is_allowed(&asked, rest))
        return;
    else if (strncmp(rest, "/compute/", 9) == 0)
        fake_openstack_nova(&asked, rest + 8);
    else
        on_glance(&asked, rest + 6);
}

void fake_openstack_start(struct fake_openstack *fake)
{
    *fake = (struct fake_openstack){.looks = 1, .slow_left = 1, .cores_left = 8};
    for (size_t i = 0; i < 2; i++) {
        fake->regions[i].most = "2.93";
        fake->regions[i].has_import = true;
        fake->regions[i].images =
            json_pack("{s:{s:s,s:s,s:s,s:i,s:s,s:s}}", FAKE_OPENSTACK_IMAGE, "id",
                      FAKE_OPENSTACK_IMAGE, "name", "debian", "status", "active", "size", 4096,
                      "disk_format", "raw", "container_format", "bare");
    }
    fake->console = "booted\n";
    fake->server = gl_test_server_start(answer, fake);
}

void fake_openstack_stop(struct fake_openstack *fake)
{
    gl_test_server_stop(fake->server);
    for (size_t i = 0; i < 2; i++) {
        for (size_t k = 0; k < fake->regions[i].count; k++)
            json_decref(fake->regions[i].servers[k]);
        json_decref(fake->regions[i].images);
    }
    gl_str_done(&fake->complaints);
    gl_str_done(&fake->bodies);
}

size_t fake_openstack_existing(const struct fake_openstack *fake)
{
    size_t count = 0;

    for (size_t i = 0; i < 2; i++)
        for (size_t k = 0; k < fake->regions[i].count; k++)
            count += fake->regions[i].servers[k] != NULL;
    return count;
}
