/* SPDX-License-Identifier: Apache-2.0 */
/* OVHcloud, Zendesk and a CloudEvents receiver. */
#include "providers/venue/sha1.h"
#include "tests/conformance/venue_fake.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- OVHcloud ---- */

static void ovh_check(struct venue_fake *fake, const struct gl_test_request *request)
{
    char at[40], signature[GL_SHA1_HEX + 3] = "$1$";
    GL_AUTO(gl_str_done) struct gl_str whole = {0};

    gl_test_request_header(request, "x-ovh-timestamp", at, sizeof at);
    gl_str_addf(&whole, "%s+%s+%s+%s%s%s%s+%s+%s", VENUE_SECRET, "consumer-" VENUE_SECRET,
                request->method, gl_test_server_url(fake->server), request->path,
                request->query[0] != '\0' ? "?" : "", request->query, request->body, at);
    gl_sha1_hex(whole.text, whole.length, signature + 3);
    venue_fake_header(fake, request, "x-ovh-application", "key-" VENUE_SECRET);
    venue_fake_header(fake, request, "x-ovh-consumer", "consumer-" VENUE_SECRET);
    venue_fake_header(fake, request, "x-ovh-signature", signature);
}

static json_t *ovh_ticket(const struct venue_item *item)
{
    return json_pack("{s:I, s:s, s:s}", "ticketId", (json_int_t)item->id, "subject", item->title,
                     "state", item->is_closed ? "closed" : "open");
}

static void ovh_list(struct venue_fake *fake, const struct gl_test_request *request,
                     struct gl_test_answer *out)
{
    json_t *list = json_array();
    char subject[40], since[40];

    venue_fake_query(request, "subject", subject, sizeof subject);
    venue_fake_query(request, "minCreationDate", since, sizeof since);
    if (strncmp(subject, "GL-", 3) != 0 || strcmp(since, "2026-11-19T00:00:00Z") != 0)
        venue_fake_complain(fake, "subject %s since %s", subject, since);
    for (size_t i = 0; !fake->is_lagging && i < fake->item_count; i++)
        json_array_append_new(list, json_integer(fake->items[i].id));
    venue_fake_json(out, 200, list);
}

static void ovh_answer(struct venue_fake *fake, const struct gl_test_request *request,
                       struct gl_test_answer *out)
{
    static const char base[] = "/support/tickets";
    const char *rest = request->path + strlen(base);
    struct venue_item *item;
    json_t *body;
    char *end;

    ovh_check(fake, request);
    if (strncmp(request->path, base, strlen(base)) != 0) {
        venue_fake_complain(fake, "path %s", request->path);
        out->status = 404;
    } else if (*rest == '\0') {
        ovh_list(fake, request, out);
    } else if (strcmp(rest, "/create") == 0) {
        body = venue_fake_body(fake, request, "!subject !body category product serviceName type");
        if (venue_fake_may_create(fake, out)) {
            venue_fake_json(out, 200,
                            ovh_ticket(venue_fake_add(
                                fake, json_string_value(json_object_get(body, "subject")))));
            venue_fake_spoil(fake, out);
        }
        json_decref(body);
    } else if ((item = venue_fake_at(fake, strtol(rest + 1, &end, 10))) == NULL) {
        venue_fake_json(out, 404, json_pack("{s:s}", "message", "This service does not exist"));
    } else {
        item->is_closed |= strcmp(end, "/close") == 0;
        if (strcmp(request->method, "POST") == 0)
            gl_test_answer_text(out, 200, "application/json", "null");
        else
            venue_fake_json(out, 200, ovh_ticket(item));
    }
}

static const char *const ovh_settings[] = {"endpoint", "URL", NULL};
static const char *const ovh_environment[] = {"OVH_APPLICATION_KEY=key-" VENUE_SECRET,
                                              "OVH_APPLICATION_SECRET=" VENUE_SECRET,
                                              "OVH_CONSUMER_KEY=consumer-" VENUE_SECRET, NULL};
const struct venue_fake_ops venue_fake_ovh = {
    .venue = "ovh", .settings = ovh_settings, .environment = ovh_environment, .answer = ovh_answer};

/* ---- Zendesk ---- */

static json_t *zendesk_request(const struct venue_item *item)
{
    return json_pack("{s:I, s:s, s:s}", "id", (json_int_t)item->id, "subject", item->title,
                     "status", item->is_closed ? "solved" : "new");
}

static void zendesk_create(struct venue_fake *fake, const struct gl_test_request *request,
                           struct gl_test_answer *out)
{
    json_t *body = venue_fake_body(fake, request, "!request");
    const char *subject =
        json_string_value(json_object_get(json_object_get(body, "request"), "subject"));
    char key[80];

    gl_test_request_header(request, "idempotency-key", key, sizeof key);
    if (strlen(key) != 64)
        venue_fake_complain(fake, "idempotency-key %s", key);
    for (size_t i = 0; i < fake->item_count; i++)
        if (strcmp(fake->items[i].name, key) == 0) {
            venue_fake_json(out, 201,
                            json_pack("{s:o}", "request", zendesk_request(&fake->items[i])));
            json_decref(body);
            return;
        }
    if (venue_fake_may_create(fake, out)) {
        struct venue_item *item = venue_fake_add(fake, subject);

        snprintf(item->name, sizeof item->name, "%s", key);
        venue_fake_json(out, 201, json_pack("{s:o}", "request", zendesk_request(item)));
        venue_fake_spoil(fake, out);
    }
    json_decref(body);
}

static void zendesk_answer(struct venue_fake *fake, const struct gl_test_request *request,
                           struct gl_test_answer *out)
{
    static const char base[] = "/api/v2/requests";
    const char *rest = request->path + strlen(base);
    struct venue_item *item;
    json_t *list;

    venue_fake_header(fake, request, "authorization", /* a@example.org/token and the secret */
                      "Basic YUBleGFtcGxlLm9yZy90b2tlbjpwbGFudGVkLXNlY3JldC0wMTIzNDU2Nzg5LWFiY2Rl"
                      "ZmdoaWo=");
    if (strncmp(request->path, base, strlen(base)) != 0) {
        venue_fake_complain(fake, "path %s", request->path);
        out->status = 404;
    } else if (strcmp(rest, ".json") == 0) {
        zendesk_create(fake, request, out);
    } else if (strcmp(rest, "/search.json") == 0) {
        list = json_array();
        for (size_t i = 0; !fake->is_lagging && i < fake->item_count; i++)
            json_array_append_new(list, zendesk_request(&fake->items[i]));
        venue_fake_json(out, 200, json_pack("{s:o}", "requests", list));
    } else if ((item = venue_fake_at(fake, strtol(rest + 1, NULL, 10))) == NULL) {
        venue_fake_json(out, 404, json_pack("{s:s}", "error", "RecordNotFound"));
    } else {
        item->is_closed |= strcmp(request->method, "PUT") == 0;
        venue_fake_json(out, 200, json_pack("{s:o}", "request", zendesk_request(item)));
    }
}

static const char *const zendesk_settings[] = {"endpoint", "URL",           "name", "Ada Green",
                                               "email",    "a@example.org", NULL};
static const char *const zendesk_environment[] = {"ZENDESK_API_TOKEN=" VENUE_SECRET, NULL};
const struct venue_fake_ops venue_fake_zendesk = {.venue = "zendesk",
                                                  .settings = zendesk_settings,
                                                  .environment = zendesk_environment,
                                                  .answer = zendesk_answer};

/* ---- CloudEvents ---- */

/* The same id is the same event. */
static void webhook_take(struct venue_fake *fake, const struct gl_test_request *request,
                         struct gl_test_answer *out)
{
    json_t *event = venue_fake_body(fake, request,
                                    "!specversion !id !source !type !time !subject "
                                    "!datacontenttype !data");
    const char *id = json_string_value(json_object_get(event, "id"));
    char base64[48], expected[60], at[24];
    GL_AUTO(gl_str_done) struct gl_str text = {0};
    struct gl_hash mac;
    struct venue_item *item;

    gl_test_request_header(request, "webhook-timestamp", at, sizeof at);
    gl_str_addf(&text, "%s.%s.%s", id, at, request->body);
    gl_hmac_sha256(VENUE_SECRET, strlen(VENUE_SECRET), text.text, text.length, &mac);
    snprintf(expected, sizeof expected, "v1,%s", gl_base64_text(mac.bytes, 32, base64));
    venue_fake_header(fake, request, "webhook-id", id);
    venue_fake_header(fake, request, "webhook-signature", expected);
    venue_fake_header(fake, request, "origin", "green.example.org");
    venue_fake_header(fake, request, "content-type", "application/cloudevents+json; charset=utf-8");
    if (venue_fake_may_create(fake, out)) {
        if (fake->item_count == 0 || strcmp(fake->items[0].name, id) != 0) {
            item = venue_fake_add(fake, json_string_value(json_object_get(event, "subject")));
            snprintf(item->name, sizeof item->name, "%s", id);
        }
        gl_test_answer_text(out, 202, "text/plain", "");
        venue_fake_spoil(fake, out);
    }
    json_decref(event);
}

static void webhook_answer(struct venue_fake *fake, const struct gl_test_request *request,
                           struct gl_test_answer *out)
{
    if (strcmp(request->path, "/hook") != 0 || strcmp(request->query, "a=1") != 0)
        venue_fake_complain(fake, "%s?%s", request->path, request->query);
    if (strcmp(request->method, "OPTIONS") != 0) {
        webhook_take(fake, request, out);
        return;
    }
    venue_fake_header(fake, request, "webhook-request-origin", "green.example.org");
    gl_str_add(&out->headers, fake->is_lagging ? "Allow: GET\r\n"
                                               : "WebHook-Allowed-Origin: green.example.org\r\n"
                                                 "WebHook-Allowed-Rate: 10\r\n");
}

static const char *const webhook_settings[] = {"endpoint", "URL/hook?a=1", "origin",
                                               "green.example.org", NULL};
static const char *const webhook_environment[] = {"GREENLAUNCH_WEBHOOK_SECRET=" VENUE_SECRET, NULL};
const struct venue_fake_ops venue_fake_webhook = {.venue = "webhook",
                                                  .settings = webhook_settings,
                                                  .environment = webhook_environment,
                                                  .answer = webhook_answer};
