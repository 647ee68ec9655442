/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/venue/adapter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Requests to a help desk as its customer:
 * https://developer.zendesk.com/api-reference/ticketing/tickets/ticket-requests/
 * Without a token as a stranger, where the desk allows it: then nothing can be looked at later. The
 * Idempotency-Key keeps a second copy out for some hours. */

static const struct gl_setting_key keys[] = {
    {.name = "endpoint", .what = "https://NAME.zendesk.com", .is_required = true},
    {.name = "name", .what = "your name", .is_required = true},
    {.name = "email", .what = "your mailbox", .is_required = true},
    {.name = "token", .what = "API token of that mailbox", .variable = "ZENDESK_API_TOKEN"},
    {0}};

/* A key that is known with another body. */
static const struct gl_venue_rule rules[] = {{400, "Idempotency", GL_ANSWER_REFUSED},
                                             {422, "captcha", GL_ANSWER_PERSON},
                                             {0, NULL, GL_ANSWER_NONE}};

static const struct gl_venue_layout layout = {.noun = "request",
                                              .id = "id",
                                              .digits = 18,
                                              .id_rule = "a request has a number",
                                              .title = "subject",
                                              .reason = "status",
                                              .updated = "updated_at",
                                              .state = "status",
                                              .closed = "solved|closed",
                                              .answered = "pending"};

static int open_zendesk(struct gl_venue *venue, struct gl_error *err)
{
    if (!gl_venue_is_mailbox(gl_venue_setting(venue, "email")))
        return gl_fail(err, GL_E_CONFIG, "zendesk: \"email\" must be one mail address");
    return gl_venue_take_endpoint(venue, err);
}

static void address(const struct gl_venue *venue, const char *path, struct gl_str *out)
{
    gl_str_addf(out, "%s/api/v2/requests%s", venue->endpoint, path);
}

/* ---- composing ---- */

static struct gl_venue_step *add(const struct gl_venue *venue, struct gl_venue_preview *out,
                                 const char *method, const char *path)
{
    GL_AUTO(gl_str_done) struct gl_str url = {0};
    struct gl_venue_step *step;

    address(venue, path, &url);
    step = gl_venue_step_add(out, method, "%s", url.text);
    gl_venue_step_header(step, "Accept", "application/json");
    snprintf(step->added, sizeof step->added,
             "Authorization from ZENDESK_API_TOKEN, where it is set");
    return step;
}

static int compose(const struct gl_venue *venue, const struct gl_venue_draft *draft,
                   struct gl_venue_preview *out, struct gl_error *err)
{
    const char *name = gl_venue_setting(venue, "name"), *email = gl_venue_setting(venue, "email");
    GL_AUTO(gl_str_done) struct gl_str text = {0};
    struct gl_venue_step *step;
    char path[64];

    (void)err;
    snprintf(out->sender, sizeof out->sender, "%.80s <%.100s>", name, email);
    if (draft->action == GL_VENUE_WITHDRAWING) {
        snprintf(path, sizeof path, "/%.18s.json", draft->target);
        gl_venue_step_json(add(venue, out, "PUT", path), "application/json",
                           json_pack("{s:{s:b}}", "request", "solved", 1));
        return 0;
    }
    step = add(venue, out, "POST", ".json");
    step->is_create = true;
    gl_venue_step_header(step, "Idempotency-Key", draft->request->fingerprint);
    gl_venue_text(draft, true, GL_VENUE_BODY_MAX - 1, out->note, &text);
    gl_venue_step_json(step, "application/json",
                       json_pack("{s:{s:{s:s, s:s}, s:s, s:{s:s}}}", "request", "requester", "name",
                                 name, "email", email, "subject", draft->title, "comment", "body",
                                 gl_str_text(&text)));
    return 0;
}

/* ---- sending ---- */

/* Looking needs the token, sending does not. */
static int authorize(struct gl_venue *venue, struct gl_remote_call *call, struct gl_error *err)
{
    bool is_filing = strcmp(call->method, "POST") == 0;
    const char *token = "";

    if (gl_venue_secret(venue, "token", !is_filing, &token, err) < 0)
        return -1;
    if (token[0] != '\0')
        gl_venue_basic(call, gl_venue_setting(venue, "email"), "/token", token);
    return 0;
}

static int read_step(struct gl_venue *venue, const struct gl_venue_preview *preview, size_t step,
                     const struct gl_remote_call *call, struct gl_venue_receipt *receipt,
                     struct gl_error *err)
{
    GL_AUTO(gl_auto_json) json_t *root = gl_venue_reply_json(venue, call, err);

    (void)step, (void)preview;
    if (root == NULL)
        return -1;
    return gl_venue_read_receipt(venue, json_object_get(root, "request"), receipt, err);
}

/* ---- looking ---- */

/* One request, borrowed from *out_root. */
static const json_t *get(struct gl_venue *venue, const char *id, struct gl_remote_call *call,
                         json_t **out_root, struct gl_error *err)
{
    const json_t *request;
    char path[64];

    snprintf(path, sizeof path, "/%.18s.json", id);
    *call = (struct gl_remote_call){0};
    address(venue, path, &call->url);
    *out_root = gl_venue_get_json(venue, call, err);
    if (*out_root == NULL)
        return NULL;
    request = json_object_get(*out_root, "request");
    return gl_venue_check_request(venue, request, err) == 0 ? request : NULL;
}

static int find_filed(struct gl_venue *venue, const struct gl_venue_preview *preview,
                      struct gl_venue_receipt *out, struct gl_error *err)
{
    GL_AUTO(gl_remote_call_done) struct gl_remote_call call = {0};
    GL_AUTO(gl_auto_json) json_t *root = NULL;
    json_t *requests;
    int rc;

    address(venue, "/search.json", &call.url);
    gl_remote_query(&call, "query", preview->tag);
    root = gl_venue_get_json(venue, &call, err);
    if (root == NULL || gl_json_array(root, "requests", &requests, err) < 0)
        return -1;
    rc = gl_venue_look_in(venue, requests, preview->tag, out, err);
    return rc != 0 || json_array_size(requests) < 100
               ? rc
               : gl_fail(err, GL_E_OUTCOME, "zendesk: too many requests to look through");
}

static int find(struct gl_venue *venue, const struct gl_venue_preview *preview,
                struct gl_venue_receipt *out, struct gl_error *err)
{
    GL_AUTO(gl_remote_call_done) struct gl_remote_call call = {0};
    GL_AUTO(gl_auto_json) json_t *root = NULL;
    const json_t *request;
    const char *token;

    if (gl_venue_secret(venue, "token", false, &token, err) < 0)
        return -1;
    if (token[0] == '\0')
        return gl_fail(err, GL_E_USAGE, "zendesk: a stranger cannot look at requests");
    if (preview->action == GL_VENUE_FILING)
        return find_filed(venue, preview, out, err);
    request = get(venue, preview->target, &call, &root, err);
    if (request == NULL || gl_venue_read_receipt(venue, request, out, err) < 0)
        return -1;
    return gl_venue_is_closed(venue, request);
}

static int status(struct gl_venue *venue, const char *id, const char *etag,
                  struct gl_venue_status *out, struct gl_error *err)
{
    GL_AUTO(gl_remote_call_done) struct gl_remote_call call = {0};
    GL_AUTO(gl_auto_json) json_t *root = NULL;
    const json_t *request;

    (void)etag; /* the API has none */
    request = get(venue, id, &call, &root, err);
    if (request == NULL)
        return -1;
    gl_venue_read_status(venue, request, out);
    return 0;
}

const struct gl_venue_ops gl_venue_zendesk = {
    .name = "zendesk",
    .title = "Zendesk request",
    .docs = "https://developer.zendesk.com/api-reference/ticketing/tickets/ticket-requests/",
    .caps = GL_VENUE_FIND | GL_VENUE_IDEMPOTENT | GL_VENUE_STATUS | GL_VENUE_WITHDRAW,
    .keys = keys,
    .place_key = "endpoint",
    .settle_s = 600,      /* the search index */
    .idempotent_s = 3600, /* the desk keeps a key for two hours */
    .rules = rules,
    .layout = &layout,
    .open = open_zendesk,
    .compose = compose,
    .authorize = authorize,
    .read = read_step,
    .find = find,
    .status = status,
};
