/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/venue/adapter.h"

#include "base/time.h"
#include "providers/venue/sha1.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Tickets of OVHcloud: https://eu.api.ovh.com/console/?section=%2Fsupport
 * Every call is signed: "$1$" + SHA1(secret+consumer+METHOD+URL+BODY+time), by this machine's clock
 * (https://github.com/ovh/python-ovh). A ticket is seen by support only; the public roadmaps are on
 * GitHub. */

#define TEXT_MAX ((size_t)20 << 10)

static const struct gl_setting_key keys[] = {
    {.name = "product", .what = "product", .fallback = "publiccloud"},
    {.name = "service", .what = "name of the service it is about"},
    {.name = "category", .what = "category", .fallback = "assistance"},
    {.name = "type",
     .what = "type",
     .fallback = "genericRequest",
     .choices = "criticalIntervention|genericRequest"},
    {.name = "endpoint", .what = "address of the API", .fallback = "https://eu.api.ovh.com/1.0"},
    {.name = "application_key",
     .what = "key",
     .variable = "OVH_APPLICATION_KEY",
     .is_required = true},
    {.name = "application_secret",
     .what = "secret of the key",
     .variable = "OVH_APPLICATION_SECRET",
     .is_required = true},
    {.name = "consumer_key",
     .what = "right of the account",
     .variable = "OVH_CONSUMER_KEY",
     .is_required = true},
    {0}};

static const struct gl_venue_rule rules[] = {
    {0, "INVALID_CREDENTIAL", GL_ANSWER_LOGIN},     {0, "INVALID_KEY", GL_ANSWER_LOGIN},
    {0, "NOT_CREDENTIAL", GL_ANSWER_LOGIN},         {400, "Invalid signature", GL_ANSWER_LOGIN},
    {403, "NOT_GRANTED_CALL", GL_ANSWER_FORBIDDEN}, {0, NULL, GL_ANSWER_NONE}};

static const struct gl_venue_layout layout = {.noun = "ticket",
                                              .id = "ticketId",
                                              .digits = 18,
                                              .id_rule = "a ticket has a number",
                                              .title = "subject",
                                              .reason = "state",
                                              .updated = "updateDate",
                                              .state = "state",
                                              .closed = "closed"};

static void address(const struct gl_venue *venue, const char *path, struct gl_str *out)
{
    gl_str_addf(out, "%s/support/tickets%s", venue->endpoint, path);
}

static int compose(const struct gl_venue *venue, const struct gl_venue_draft *draft,
                   struct gl_venue_preview *out, struct gl_error *err)
{
    const char *service = gl_venue_setting(venue, "service");
    bool is_filing = draft->action == GL_VENUE_FILING;
    GL_AUTO(gl_str_done) struct gl_str url = {0}, text = {0};
    struct gl_venue_step *step;
    char path[64] = "/create";
    json_t *body;

    (void)err;
    if (!is_filing)
        snprintf(path, sizeof path, "/%.18s/close", draft->target);
    address(venue, path, &url);
    snprintf(out->sender, sizeof out->sender, "the OVHcloud account of OVH_CONSUMER_KEY");
    step = gl_venue_step_add(out, "POST", "%s", url.text);
    snprintf(step->added, sizeof step->added,
             "X-Ovh-Application, -Consumer, -Timestamp and -Signature");
    step->is_create = is_filing;
    if (is_filing)
        gl_venue_text(draft, true, TEXT_MAX, out->note, &text);
    body = is_filing ? json_pack("{s:s, s:s, s:s, s:s, s:s}", "subject", draft->title, "body",
                                 gl_str_text(&text), "product", gl_venue_setting(venue, "product"),
                                 "category", gl_venue_setting(venue, "category"), "type",
                                 gl_venue_setting(venue, "type"))
                     : json_object();
    if (is_filing && service != NULL)
        json_object_set_new(body, "serviceName", json_string(service));
    gl_venue_step_json(step, "application/json;charset=utf-8", body);
    return 0;
}

/* ---- sending ---- */

static int authorize(struct gl_venue *venue, struct gl_remote_call *call, struct gl_error *err)
{
    GL_AUTO(gl_str_done) struct gl_str text = {0};
    const char *key, *secret, *consumer;
    char signature[GL_SHA1_HEX];
    int64_t now_s = gl_now(venue->options->world).unix_s;

    if (gl_venue_secret(venue, "application_key", true, &key, err) < 0 ||
        gl_venue_secret(venue, "application_secret", true, &secret, err) < 0 ||
        gl_venue_secret(venue, "consumer_key", true, &consumer, err) < 0)
        return -1;
    gl_str_addf(&text, "%s+%s+%s+%s+", secret, consumer, call->method, gl_str_text(&call->url));
    gl_str_add_bytes(&text, gl_str_text(&call->body), call->body.length);
    gl_str_addf(&text, "+%" PRId64, now_s);
    gl_sha1_hex(text.text, text.length, signature);
    gl_wipe(text.text, text.length);
    gl_remote_header(call, "X-Ovh-Application", "%s", key);
    gl_remote_header(call, "X-Ovh-Consumer", "%s", consumer);
    gl_remote_header(call, "X-Ovh-Timestamp", "%" PRId64, now_s);
    gl_remote_header(call, "X-Ovh-Signature", "$1$%s", signature);
    return 0;
}

static int read_step(struct gl_venue *venue, const struct gl_venue_preview *preview, size_t step,
                     const struct gl_remote_call *call, struct gl_venue_receipt *receipt,
                     struct gl_error *err)
{
    GL_AUTO(gl_auto_json) json_t *root = NULL;

    (void)step;
    if (preview->action != GL_VENUE_FILING) /* closing answers nothing */
        return 0;
    root = gl_venue_reply_json(venue, call, err);
    return root != NULL ? gl_venue_read_receipt(venue, root, receipt, err) : -1;
}

/* ---- looking ---- */

static json_t *get_ticket(struct gl_venue *venue, const char *id, struct gl_remote_call *call,
                          struct gl_error *err)
{
    char path[64];
    json_t *root;

    snprintf(path, sizeof path, "/%.18s", id);
    *call = (struct gl_remote_call){0};
    address(venue, path, &call->url);
    root = gl_venue_get_json(venue, call, err);
    if (root == NULL || gl_venue_check_request(venue, root, err) == 0)
        return root;
    json_decref(root);
    return NULL;
}

/* One of the tickets that were found: 1 when it carries the tag. */
static int look_at(struct gl_venue *venue, int64_t id, const char *tag,
                   struct gl_venue_receipt *out, struct gl_error *err)
{
    GL_AUTO(gl_remote_call_done) struct gl_remote_call call = {0};
    GL_AUTO(gl_auto_json) json_t *ticket = NULL;
    char number[24];

    snprintf(number, sizeof number, "%" PRId64, id);
    ticket = get_ticket(venue, number, &call, err);
    if (ticket == NULL)
        return -1;
    if (!gl_venue_has_tag(gl_venue_member(ticket, "subject"), tag))
        return 0;
    return gl_venue_read_receipt(venue, ticket, out, err) < 0 ? -1 : 1;
}

static int find_filed(struct gl_venue *venue, const struct gl_venue_preview *preview,
                      struct gl_venue_receipt *out, struct gl_error *err)
{
    GL_AUTO(gl_remote_call_done) struct gl_remote_call call = {0};
    GL_AUTO(gl_auto_json) json_t *root = NULL;
    char since[GL_INSTANT_TEXT];
    const json_t *id;
    size_t i;

    address(venue, "", &call.url);
    gl_remote_query(&call, "subject", preview->tag);
    gl_remote_query(&call, "minCreationDate", gl_instant_text(gl_venue_since(preview), since));
    root = gl_venue_get_json(venue, &call, err);
    if (root == NULL)
        return -1;
    if (!json_is_array(root))
        return gl_fail(err, GL_E_BAD_REPLY, "ovh: a list was expected");
    if (json_array_size(root) > 20)
        return gl_fail(err, GL_E_OUTCOME, "ovh: too many tickets to look through");
    json_array_foreach(root, i, id)
    {
        int rc = json_is_integer(id) && json_integer_value(id) > 0
                     ? look_at(venue, json_integer_value(id), preview->tag, out, err)
                     : gl_fail(err, GL_E_BAD_REPLY, "ovh: a list of numbers was expected");

        if (rc != 0)
            return rc;
    }
    return 0;
}

static int find(struct gl_venue *venue, const struct gl_venue_preview *preview,
                struct gl_venue_receipt *out, struct gl_error *err)
{
    GL_AUTO(gl_remote_call_done) struct gl_remote_call call = {0};
    GL_AUTO(gl_auto_json) json_t *ticket = NULL;

    if (preview->action == GL_VENUE_FILING)
        return find_filed(venue, preview, out, err);
    ticket = get_ticket(venue, preview->target, &call, err);
    if (ticket == NULL || gl_venue_read_receipt(venue, ticket, out, err) < 0)
        return -1;
    return gl_venue_is_closed(venue, ticket);
}

static int status(struct gl_venue *venue, const char *id, const char *etag,
                  struct gl_venue_status *out, struct gl_error *err)
{
    GL_AUTO(gl_remote_call_done) struct gl_remote_call call = {0};
    GL_AUTO(gl_auto_json) json_t *ticket = NULL;

    (void)etag; /* the API has none */
    ticket = get_ticket(venue, id, &call, err);
    if (ticket == NULL)
        return -1;
    gl_venue_read_status(venue, ticket, out);
    if (out->state == GL_REQUEST_OPEN &&
        strcmp(gl_venue_member(ticket, "lastMessageFrom"), "support") == 0)
        out->state = GL_REQUEST_ANSWERED;
    return 0;
}

const struct gl_venue_ops gl_venue_ovh = {
    .name = "ovh",
    .title = "OVHcloud ticket",
    .docs = "https://eu.api.ovh.com/console/?section=%2Fsupport",
    .caps = GL_VENUE_FIND | GL_VENUE_STATUS | GL_VENUE_WITHDRAW,
    .keys = keys,
    .place_key = "product",
    .settle_s = 60,
    .rules = rules,
    .layout = &layout,
    .open = gl_venue_take_endpoint,
    .compose = compose,
    .authorize = authorize,
    .read = read_step,
    .find = find,
    .status = status,
};
