/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/venue/adapter.h"

#include "base/time.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Issues of a project: https://docs.gitlab.com/api/issues/, /api/notes/, /api/emoji_reactions/.
 * The list's `search` reads the database, not an index. */

#define BODY_MAX ((size_t)60 << 10) /* the server's limit is 1 MiB; ours is a draft's */

static const struct gl_venue_key keys[] = {
    {.name = "project", .what = "GROUP/NAME or number", .is_required = true},
    {.name = "user", .what = "whose token it is, for the preview"},
    {.name = "endpoint", .what = "address of the server", .fallback = "https://gitlab.com"},
    {.name = "token", .what = "token with the scope api", .variable = "GITLAB_TOKEN"},
    {0}};

static const struct gl_venue_rule rules[] = {
    {404, "has already been taken", GL_ANSWER_OK}, /* the vote is there */
    {400, "has already been taken", GL_ANSWER_OK},
    {400, "spam", GL_ANSWER_FORBIDDEN},
    {0, "captcha", GL_ANSWER_PERSON}, /* needs_captcha_response */
    {0, NULL, GL_ANSWER_NONE}};

static bool is_iid(const char *id)
{
    return id[0] != '\0' && id[0] != '0' && strlen(id) <= 12 &&
           strspn(id, "0123456789") == strlen(id);
}

static int open_gitlab(struct gl_venue *venue, struct gl_error *err)
{
    char endpoint[256];

    if (!gl_venue_is_word(gl_venue_setting(venue, "project"), "-_./", 255))
        return gl_fail(err, GL_E_CONFIG, "gitlab: \"project\" is written GROUP/NAME");
    return gl_venue_endpoint(venue, endpoint, err);
}

/* "HOST/api/v4/projects/GROUP%2FNAME/issues" */
static void address(const struct gl_venue *venue, struct gl_str *out)
{
    char endpoint[256] = "";
    struct gl_error checked = {0};

    gl_venue_endpoint(venue, endpoint, &checked);
    gl_str_addf(out, "%s/api/v4/projects/", endpoint);
    gl_remote_encode(out, gl_venue_setting(venue, "project"));
    gl_str_add(out, "/issues");
}

/* ---- composing ---- */

static struct gl_venue_step *add(const struct gl_venue *venue, struct gl_venue_preview *out,
                                 const char *method, const char *target, const char *rest)
{
    GL_AUTO(gl_str_done) struct gl_str url = {0};
    struct gl_venue_step *step;

    address(venue, &url);
    step = gl_venue_step_add(out, method, "%s%s%s%s", url.text, target != NULL ? "/" : "",
                             target != NULL ? target : "", rest);
    snprintf(step->added, sizeof step->added, "PRIVATE-TOKEN from GITLAB_TOKEN");
    return step;
}

static void compose_filing(const struct gl_venue *venue, const struct gl_venue_draft *draft,
                           struct gl_venue_preview *out)
{
    GL_AUTO(gl_str_done) struct gl_str text = {0}, labels = {0};
    struct gl_venue_step *step = add(venue, out, "POST", NULL, "");
    const char *const *label = draft->request->labels;

    for (; label != NULL && *label != NULL; label++)
        gl_str_addf(&labels, "%s%s", labels.length > 0 ? "," : "", *label);
    gl_venue_text(draft, false, BODY_MAX, out->note, &text);
    step->is_create = true;
    gl_venue_step_json(step, "application/json",
                       json_pack("{s:s, s:s, s:s}", "title", draft->title, "description",
                                 gl_str_text(&text), "labels", gl_str_text(&labels)));
}

static void compose_joining(const struct gl_venue *venue, const struct gl_venue_draft *draft,
                            struct gl_venue_preview *out)
{
    GL_AUTO(gl_str_done) struct gl_str text = {0};
    struct gl_venue_step *step = add(venue, out, "POST", draft->target, "/award_emoji");

    gl_venue_step_json(step, "application/json", json_pack("{s:s}", "name", "thumbsup"));
    step = add(venue, out, "POST", draft->target, "/notes");
    gl_venue_text(draft, false, BODY_MAX, out->note, &text);
    gl_str_addf(&text, "\n\n[%s]", draft->tag);
    step->is_create = true;
    gl_venue_step_json(step, "application/json", json_pack("{s:s}", "body", gl_str_text(&text)));
}

static int compose(const struct gl_venue *venue, const struct gl_venue_draft *draft,
                   struct gl_venue_preview *out, struct gl_error *err)
{
    const char *user = gl_venue_setting(venue, "user");

    if (draft->target != NULL && !is_iid(draft->target))
        return gl_fail(err, GL_E_BAD_VALUE, "gitlab: an issue has a number");
    snprintf(out->sender, sizeof out->sender, "%.100s",
             user != NULL ? user : "the owner of GITLAB_TOKEN");
    if (draft->action == GL_VENUE_FILING)
        compose_filing(venue, draft, out);
    else if (draft->action == GL_VENUE_JOINING)
        compose_joining(venue, draft, out);
    else
        gl_venue_step_json(add(venue, out, "PUT", draft->target, ""), "application/json",
                           json_pack("{s:s}", "state_event", "close"));
    return 0;
}

/* ---- sending ---- */

static int authorize(struct gl_venue *venue, struct gl_remote_call *call, struct gl_error *err)
{
    bool is_read = strcmp(call->method, "GET") == 0;
    const char *token = "";

    if (gl_venue_secret(venue, "token", !is_read, &token, err) < 0)
        return -1;
    if (token[0] != '\0')
        gl_remote_header(call, "PRIVATE-TOKEN", "%s", token);
    return 0;
}

static int read_issue(const json_t *issue, struct gl_venue_receipt *receipt, struct gl_error *err)
{
    int64_t iid = gl_venue_number(issue, "iid");

    if (iid <= 0)
        return gl_fail(err, GL_E_BAD_REPLY, "gitlab: the answer names no issue");
    snprintf(receipt->id, sizeof receipt->id, "%" PRId64, iid);
    gl_venue_link(gl_venue_member(issue, "web_url"), receipt->url, sizeof receipt->url);
    return 0;
}

static int read_step(struct gl_venue *venue, const struct gl_venue_preview *preview, size_t step,
                     const struct gl_remote_call *call, struct gl_venue_receipt *receipt,
                     struct gl_error *err)
{
    GL_AUTO(gl_auto_json) json_t *root = gl_venue_reply_json(venue, call, err);

    (void)step;
    if (root == NULL)
        return -1;
    return preview->action == GL_VENUE_JOINING ? 0 : read_issue(root, receipt, err);
}

/* ---- looking ---- */

static json_t *get(struct gl_venue *venue, struct gl_remote_call *call, const char *rest,
                   const char *const *queries, struct gl_error *err)
{
    json_t *root;

    *call = (struct gl_remote_call){0};
    address(venue, &call->url);
    gl_str_add(&call->url, rest);
    for (; *queries != NULL; queries += 2)
        gl_remote_query(call, queries[0], queries[1]);
    root = gl_venue_get_json(venue, call, err);
    if (root != NULL && !json_is_array(root)) {
        json_decref(root);
        gl_fail(err, GL_E_BAD_REPLY, "gitlab: a list was expected");
        return NULL;
    }
    return root;
}

static int find_filed(struct gl_venue *venue, const struct gl_venue_preview *preview,
                      struct gl_venue_receipt *out, struct gl_error *err)
{
    const char *const queries[] = {"search", preview->tag, "in",       "title", "scope", "all",
                                   "state",  "all",        "per_page", "100",   NULL};
    GL_AUTO(gl_remote_call_done) struct gl_remote_call call = {0};
    GL_AUTO(gl_auto_json) json_t *root = get(venue, &call, "", queries, err);
    const json_t *item;
    size_t i;

    if (root == NULL)
        return -1;
    json_array_foreach(root, i, item)
    {
        if (gl_venue_has_tag(gl_venue_member(item, "title"), preview->tag))
            return read_issue(item, out, err) < 0 ? -1 : 1;
    }
    return json_array_size(root) < 100
               ? 0
               : gl_fail(err, GL_E_OUTCOME, "gitlab: too many issues with such a title");
}

static int find_joined(struct gl_venue *venue, const struct gl_venue_preview *preview,
                       struct gl_venue_receipt *out, struct gl_error *err)
{
    char rest[40], page[8];

    snprintf(rest, sizeof rest, "/%.12s/notes", preview->target);
    for (unsigned number = 1; number <= GL_VENUE_PAGES; number++) {
        const char *const queries[] = {"order_by", "created_at", "sort", "desc", "per_page",
                                       "100",      "page",       page,   NULL};
        GL_AUTO(gl_remote_call_done) struct gl_remote_call call = {0};
        GL_AUTO(gl_auto_json) json_t *root = NULL;
        const json_t *note;
        size_t i;

        snprintf(page, sizeof page, "%u", number);
        root = get(venue, &call, rest, queries, err);
        if (root == NULL)
            return -1;
        json_array_foreach(root, i, note)
        {
            if (!gl_venue_has_tag(gl_venue_member(note, "body"), preview->tag))
                continue;
            snprintf(out->id, sizeof out->id, "%s", preview->target);
            return 1;
        }
        if (json_array_size(root) < 100)
            return 0;
    }
    return gl_fail(err, GL_E_OUTCOME, "gitlab: too many comments to look through");
}

/* One issue, as JSON. */
static json_t *get_issue(struct gl_venue *venue, const char *id, const char *etag,
                         struct gl_remote_call *call, struct gl_error *err)
{
    json_t *root;

    *call = (struct gl_remote_call){.method = "GET"};
    address(venue, &call->url);
    gl_str_addf(&call->url, "/%s", id);
    if (etag != NULL)
        gl_remote_header(call, "If-None-Match", "%s", etag);
    if (gl_venue_exchange(venue, call, err) < 0)
        return NULL;
    if (call->reply.status == 304)
        return json_null();
    root = gl_venue_reply_json(venue, call, err);
    if (root != NULL &&
        (gl_venue_number(root, "iid") <= 0 || gl_venue_member(root, "state")[0] == '\0')) {
        json_decref(root);
        gl_fail(err, GL_E_BAD_REPLY, "gitlab: the answer is no issue");
        return NULL;
    }
    return root;
}

static int find(struct gl_venue *venue, const struct gl_venue_preview *preview,
                struct gl_venue_receipt *out, struct gl_error *err)
{
    GL_AUTO(gl_remote_call_done) struct gl_remote_call call = {0};
    GL_AUTO(gl_auto_json) json_t *root = NULL;

    if (preview->action == GL_VENUE_FILING)
        return find_filed(venue, preview, out, err);
    if (preview->action == GL_VENUE_JOINING)
        return find_joined(venue, preview, out, err);
    root = get_issue(venue, preview->target, NULL, &call, err);
    if (root == NULL || read_issue(root, out, err) < 0)
        return -1;
    return strcmp(gl_venue_member(root, "state"), "closed") == 0;
}

static int search(struct gl_venue *venue, const char *words, struct gl_venue_candidate *out,
                  size_t *out_count, struct gl_error *err)
{
    const char *const queries[] = {"search",   words, "in", "title,description", "scope", "all",
                                   "per_page", "3",   NULL};
    GL_AUTO(gl_remote_call_done) struct gl_remote_call call = {0};
    GL_AUTO(gl_auto_json) json_t *root = get(venue, &call, "", queries, err);
    const json_t *item;
    size_t i;

    if (root == NULL)
        return -1;
    json_array_foreach(root, i, item)
    {
        struct gl_venue_receipt issue = {0};
        struct gl_venue_candidate *candidate = &out[*out_count];

        if (*out_count == GL_VENUE_CANDIDATES)
            break;
        if (read_issue(item, &issue, err) < 0)
            return -1;
        snprintf(candidate->id, sizeof candidate->id, "%s", issue.id);
        gl_venue_link(issue.url, candidate->url, sizeof candidate->url);
        gl_venue_show(gl_venue_member(item, "title"), candidate->title, sizeof candidate->title);
        candidate->is_open = strcmp(gl_venue_member(item, "state"), "opened") == 0;
        candidate->votes = gl_venue_number(item, "upvotes");
        ++*out_count;
    }
    return 0;
}

static int status(struct gl_venue *venue, const char *id, const char *etag,
                  struct gl_venue_status *out, struct gl_error *err)
{
    GL_AUTO(gl_remote_call_done) struct gl_remote_call call = {0};
    GL_AUTO(gl_auto_json) json_t *root = NULL;

    if (!is_iid(id))
        return gl_fail(err, GL_E_BAD_VALUE, "gitlab: an issue has a number");
    root = get_issue(venue, id, etag, &call, err);
    if (root == NULL)
        return -1;
    out->is_same = json_is_null(root);
    if (out->is_same)
        return 0;
    out->comments = gl_venue_number(root, "user_notes_count");
    out->votes = gl_venue_number(root, "upvotes");
    out->updated = gl_venue_time(root, "updated_at");
    out->state = strcmp(gl_venue_member(root, "state"), "closed") == 0 ? GL_REQUEST_CLOSED
                 : out->comments > 0                                   ? GL_REQUEST_ANSWERED
                                                                       : GL_REQUEST_OPEN;
    gl_venue_show(gl_venue_member(root, "title"), out->title, sizeof out->title);
    snprintf(out->etag, sizeof out->etag, "%s", call.reply.etag);
    return 0;
}

const struct gl_venue_ops gl_venue_gitlab = {
    .name = "gitlab",
    .title = "GitLab issues",
    .docs = "https://docs.gitlab.com/api/issues/",
    .caps = GL_VENUE_PUBLIC | GL_VENUE_SEARCH | GL_VENUE_JOIN | GL_VENUE_FIND | GL_VENUE_STATUS |
            GL_VENUE_WITHDRAW,
    .keys = keys,
    .place_key = "project",
    .settle_s = 5, /* read replicas */
    .rules = rules,
    .open = open_gitlab,
    .compose = compose,
    .authorize = authorize,
    .read = read_step,
    .find = find,
    .search = search,
    .status = status,
};
