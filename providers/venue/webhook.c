/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/venue/adapter.h"

#include "base/time.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A CloudEvents 1.0 event in structured mode to an address of the user's:
 * https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md and
 * http-webhook.md (validation by OPTIONS, allowed origin and rate, 410, 429). One event has one id,
 * so that a receiver knows a second copy. Signed as Standard Webhooks says (webhook-id,
 * webhook-timestamp, webhook-signature: HMAC-SHA-256): https://www.standardwebhooks.com */

#define EVENT_TYPE "eu.greenlaunch.request.drafted.v1"
#define KEY_MAX    512

static const struct gl_setting_key keys[] = {
    {.name = "endpoint", .what = "address that takes events", .is_required = true},
    {.name = "origin",
     .what = "DNS name that stands for the sender",
     .fallback = "greenlaunch.invalid"},
    {.name = "validation",
     .what = "ask first whether it wants events",
     .fallback = "yes",
     .choices = "yes|no"},
    {.name = "secret", .what = "key of the signature", .variable = "GREENLAUNCH_WEBHOOK_SECRET"},
    {0}};

static bool is_validated(const struct gl_venue *venue)
{
    return strcmp(gl_venue_setting(venue, "validation"), "yes") == 0;
}

/* An address with its path and query as it is written. */
static int open_webhook(struct gl_venue *venue, struct gl_error *err)
{
    const char *url = gl_venue_setting(venue, "endpoint");

    if (!gl_venue_is_word(gl_venue_setting(venue, "origin"), ".-", 253))
        return gl_fail(err, GL_E_CONFIG, "webhook: \"origin\" is a DNS name");
    if (!gl_venue_is_word(url, "", 511) || strpbrk(url, "#@\"<>\\") != NULL ||
        (strncmp(url, "https://", 8) != 0 && strncmp(url, "http://127.0.0.1", 16) != 0 &&
         strncmp(url, "http://localhost", 16) != 0))
        return gl_fail(err, GL_E_CONFIG, "webhook: \"endpoint\" must be an https address");
    return 0;
}

/* ---- composing ---- */

static json_t *fields_of(const struct gl_venue_request *request)
{
    json_t *fields = json_array();

    for (size_t i = 0; i < request->field_count; i++)
        json_array_append_new(fields, json_pack("{s:s, s:s}", "label", request->fields[i].label,
                                                "value", request->fields[i].value));
    return fields;
}

static json_t *data_of(const struct gl_venue_draft *draft)
{
    const struct gl_venue_request *request = draft->request;
    struct gl_error checked = {0};
    json_t *data = json_pack("{s:s, s:s, s:s, s:s, s:o}", "fingerprint", request->fingerprint,
                             "title", draft->title, "text", request->markdown, "language",
                             request->language != NULL ? request->language : "en", "fields",
                             fields_of(request));

    if (request->json != NULL)
        json_object_set_new(data, "request",
                            gl_json_parse(request->json, strlen(request->json), "draft", &checked));
    return data;
}

static int compose(const struct gl_venue *venue, const struct gl_venue_draft *draft,
                   struct gl_venue_preview *out, struct gl_error *err)
{
    const char *url = gl_venue_setting(venue, "endpoint");
    const char *origin = gl_venue_setting(venue, "origin");
    char at[GL_INSTANT_TEXT], source[300];
    struct gl_venue_step *step;

    (void)err;
    snprintf(out->sender, sizeof out->sender, "%.190s", origin);
    if (is_validated(venue)) {
        step = gl_venue_step_add(out, "OPTIONS", "%s", url);
        gl_venue_step_header(step, "WebHook-Request-Origin", origin);
        gl_venue_step_header(step, "WebHook-Request-Rate", "1");
    }
    step = gl_venue_step_add(out, "POST", "%s", url);
    gl_venue_step_header(step, "Origin", origin);
    step->is_create = true;
    snprintf(step->added, sizeof step->added,
             "webhook-id, webhook-timestamp and "
             "webhook-signature with GREENLAUNCH_WEBHOOK_SECRET, where it is set");
    snprintf(source, sizeof source, "https://%.253s/greenlaunch", origin);
    gl_venue_step_json(step, "application/cloudevents+json; charset=utf-8",
                       json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:o}", "specversion", "1.0",
                                 "id", draft->request->fingerprint, "source", source, "type",
                                 EVENT_TYPE, "time", gl_instant_text(draft->request->drafted, at),
                                 "subject", draft->tag, "datacontenttype", "application/json",
                                 "data", data_of(draft)));
    return 0;
}

/* ---- the signature ---- */

/* "whsec_BASE64", or the bytes as they are. */
static size_t key_of(const char *secret, uint8_t out[KEY_MAX])
{
    struct gl_error ignored = {0};
    size_t length = strnlen(secret, KEY_MAX);

    if (strncmp(secret, "whsec_", 6) == 0 &&
        gl_base64_parse(secret + 6, out, KEY_MAX, &length, &ignored) == 0)
        return length;
    length = strnlen(secret, KEY_MAX);
    memcpy(out, secret, length);
    return length;
}

static int authorize(struct gl_venue *venue, struct gl_remote_call *call, struct gl_error *err)
{
    GL_AUTO(gl_str_done) struct gl_str signed_text = {0};
    GL_AUTO(gl_auto_json) json_t *event = NULL;
    struct gl_error checked = {0};
    char base64[48], id[80];
    uint8_t key[KEY_MAX];
    struct gl_hash mac;
    const char *secret;
    int64_t now_s = gl_now(venue->options->world).unix_s;

    if (gl_venue_secret(venue, "secret", false, &secret, err) < 0)
        return -1;
    if (secret[0] == '\0' || call->body.length == 0)
        return 0;
    event = gl_json_parse(call->body.text, call->body.length, "the event", &checked);
    snprintf(id, sizeof id, "%s", gl_venue_member(event, "id"));
    gl_str_addf(&signed_text, "%s.%" PRId64 ".", id, now_s);
    gl_str_add_bytes(&signed_text, call->body.text, call->body.length);
    gl_hmac_sha256(key, key_of(secret, key), signed_text.text, signed_text.length, &mac);
    gl_wipe(key, sizeof key);
    gl_remote_header(call, "webhook-id", "%s", id);
    gl_remote_header(call, "webhook-timestamp", "%" PRId64, now_s);
    gl_remote_header(call, "webhook-signature", "v1,%s",
                     gl_base64_text(mac.bytes, sizeof mac.bytes, base64));
    return 0;
}

/* ---- the answers ---- */

/* Consent is the header alone: a status says nothing (http-webhook.md section 4.2). */
static int read_validation(struct gl_venue *venue, const struct gl_remote_call *call,
                           struct gl_error *err)
{
    const char *origin = gl_venue_setting(venue, "origin");
    char allowed[300] = "", rate[32] = "*";

    if (!gl_http_reply_header(&call->reply, "webhook-allowed-origin", allowed, sizeof allowed) ||
        (strcmp(allowed, "*") != 0 && strcasecmp(allowed, origin) != 0)) {
        venue->answer = GL_ANSWER_FORBIDDEN;
        return gl_fail(err, GL_E_PERMISSION,
                       "webhook: the address has not said that it wants events of %s; if it never "
                       "says so, set \"validation\" to no",
                       origin);
    }
    gl_http_reply_header(&call->reply, "webhook-allowed-rate", rate, sizeof rate);
    if (strcmp(rate, "*") != 0 &&
        (strspn(rate, "0123456789") != strlen(rate) || strtol(rate, NULL, 10) < 1)) {
        venue->answer = GL_ANSWER_RATE_LIMITED;
        return gl_fail(err, GL_E_RATE_LIMIT, "webhook: the address allows no event a minute");
    }
    return 0;
}

static int read_step(struct gl_venue *venue, const struct gl_venue_preview *preview, size_t step,
                     const struct gl_remote_call *call, struct gl_venue_receipt *receipt,
                     struct gl_error *err)
{
    if (strcmp(preview->steps[step].method, "OPTIONS") == 0)
        return read_validation(venue, call, err);
    snprintf(receipt->id, sizeof receipt->id, "%s", preview->tag);
    if (call->reply.status == 202)
        gl_venue_note(receipt->note, "accepted, not yet processed");
    return 0;
}

const struct gl_venue_ops gl_venue_webhook = {
    .name = "webhook",
    .title = "a CloudEvents receiver",
    .docs = "https://github.com/cloudevents/spec",
    .caps = GL_VENUE_IDEMPOTENT,
    .keys = keys,
    .place_key = "endpoint",
    .open = open_webhook,
    .compose = compose,
    .authorize = authorize,
    .read = read_step,
};
