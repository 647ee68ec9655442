/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/venue/adapter.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Requests to a help desk as its customer:
 * https://developer.zendesk.com/api-reference/ticketing/tickets/ticket-requests/
 * Without a token as a stranger, where the desk allows it: then nothing can be looked at later. The
 * Idempotency-Key keeps a second copy out for some hours. */

static const struct gl_venue_key keys[] = {
    {.name = "endpoint", .what = "https://NAME.zendesk.com", .is_required = true},
    {.name = "name", .what = "your name", .is_required = true},
    {.name = "email", .what = "your mailbox", .is_required = true},
    {.name = "token", .what = "API token of that mailbox", .variable = "ZENDESK_API_TOKEN"},
    {0}};

/* A key that is known with another body. */
static const struct gl_venue_rule rules[] = {{400, "Idempotency", GL_ANSWER_REFUSED},
                                             {422, "captcha", GL_ANSWER_PERSON},
                                             {0, NULL, GL_ANSWER_NONE}};

static bool is_ticket(const char *id)
{
    return id[0] != '\0' && id[0] != '0' && strlen(id) <= 18 &&
           strspn(id, "0123456789") == strlen(id);
}

static int open_zendesk(struct gl_venue *venue, struct gl_error *err)
{
    char endpoint[256];

    if (!gl_venue_is_mailbox(gl_venue_setting(venue, "email")))
        return gl_fail(err, GL_E_CONFIG, "zendesk: \"email\" must be one mail address");
    return gl_venue_endpoint(venue, endpoint, err);
}

static void address(const struct gl_venue *venue, const char *path, struct gl_str *out)
{
    char endpoint[256] = "";
    struct gl_error checked = {0};

    gl_venue_endpoint(venue, endpoint, &checked);
    gl_str_addf(out, "%s/api/v2/requests%s", endpoint, path);
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

    if (draft->target != NULL && !is_ticket(draft->target))
        return gl_fail(err, GL_E_BAD_VALUE, "zendesk: a request has a number");
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
    GL_AUTO(gl_str_done) struct gl_str pair = {0};
    GL_AUTO(gl_auto_free) char *base64 = NULL;
    const char *token = "";

    if (gl_venue_secret(venue, "token", !is_filing, &token, err) < 0)
        return -1;
    if (token[0] == '\0')
        return 0;
    gl_str_addf(&pair, "%s/token:%s", gl_venue_setting(venue, "email"), token);
    base64 = gl_alloc(4 * ((pair.length + 2) / 3) + 1);
    gl_base64_text(pair.text, pair.length, base64);
    gl_remote_header(call, "Authorization", "Basic %s", base64);
    gl_wipe(pair.text, pair.length);
    gl_wipe(base64, strlen(base64));
    return 0;
}

static int read_request(const json_t *request, struct gl_venue_receipt *receipt,
                        struct gl_error *err)
{
    int64_t id = gl_venue_number(request, "id");

    if (id <= 0)
        return gl_fail(err, GL_E_BAD_REPLY, "zendesk: the answer names no request");
    snprintf(receipt->id, sizeof receipt->id, "%" PRId64, id);
    return 0;
}

static int read_step(struct gl_venue *venue, const struct gl_venue_preview *preview, size_t step,
                     const struct gl_remote_call *call, struct gl_venue_receipt *receipt,
                     struct gl_error *err)
{
    GL_AUTO(gl_auto_json) json_t *root = gl_venue_reply_json(venue, call, err);

    (void)step, (void)preview;
    return root != NULL ? read_request(json_object_get(root, "request"), receipt, err) : -1;
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
    if (gl_venue_number(request, "id") > 0 && gl_venue_member(request, "status")[0] != '\0')
        return request;
    gl_fail(err, GL_E_BAD_REPLY, "zendesk: the answer is no request");
    return NULL;
}

static bool is_over(const json_t *request)
{
    const char *status = gl_venue_member(request, "status");

    return strcmp(status, "solved") == 0 || strcmp(status, "closed") == 0;
}

static int find_filed(struct gl_venue *venue, const struct gl_venue_preview *preview,
                      struct gl_venue_receipt *out, struct gl_error *err)
{
    GL_AUTO(gl_remote_call_done) struct gl_remote_call call = {0};
    GL_AUTO(gl_auto_json) json_t *root = NULL;
    json_t *requests;
    const json_t *request;
    size_t i;

    address(venue, "/search.json", &call.url);
    gl_remote_query(&call, "query", preview->tag);
    root = gl_venue_get_json(venue, &call, err);
    if (root == NULL || gl_json_array(root, "requests", &requests, err) < 0)
        return -1;
    json_array_foreach(requests, i, request)
    {
        if (gl_venue_has_tag(gl_venue_member(request, "subject"), preview->tag))
            return read_request(request, out, err) < 0 ? -1 : 1;
    }
    return json_array_size(requests) < 100
               ? 0
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
    if (request == NULL || read_request(request, out, err) < 0)
        return -1;
    return is_over(request);
}

static int status(struct gl_venue *venue, const char *id, const char *etag,
                  struct gl_venue_status *out, struct gl_error *err)
{
    GL_AUTO(gl_remote_call_done) struct gl_remote_call call = {0};
    GL_AUTO(gl_auto_json) json_t *root = NULL;
    const json_t *request;
    const char *word;

    (void)etag; /* the API has none */
    if (!is_ticket(id))
        return gl_fail(err, GL_E_BAD_VALUE, "zendesk: a request has a number");
    request = get(venue, id, &call, &root, err);
    if (request == NULL)
        return -1;
    word = gl_venue_member(request, "status");
    out->updated = gl_venue_time(request, "updated_at");
    out->state = is_over(request)               ? GL_REQUEST_CLOSED
                 : strcmp(word, "pending") == 0 ? GL_REQUEST_ANSWERED
                                                : GL_REQUEST_OPEN;
    gl_venue_show(word, out->reason, sizeof out->reason);
    gl_venue_show(gl_venue_member(request, "subject"), out->title, sizeof out->title);
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
    .open = open_zendesk,
    .compose = compose,
    .authorize = authorize,
    .read = read_step,
    .find = find,
    .status = status,
};
