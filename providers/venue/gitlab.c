/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/venue/adapter.h"

#include "base/time.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Issues of a project: https://docs.gitlab.com/api/issues/, /api/notes/, /api/emoji_reactions/.
 * The list's `search` reads the database, not an index. */

#define BODY_MAX ((size_t)60 << 10) /* the server's limit is 1 MiB; ours is a draft's */

static const struct gl_setting_key keys[] = {
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

static const struct gl_venue_layout layout = {.noun = "issue",
                                              .id = "iid",
                                              .digits = 12,
                                              .id_rule = "an issue has a number",
                                              .link = "web_url",
                                              .title = "title",
                                              .updated = "updated_at",
                                              .comments = "user_notes_count",
                                              .votes = "upvotes",
                                              .state = "state",
                                              .open = "opened",
                                              .closed = "closed"};

static int open_gitlab(struct gl_venue *venue, struct gl_error *err)
{
    if (!gl_venue_is_word(gl_venue_setting(venue, "project"), "-_./", 255))
        return gl_fail(err, GL_E_CONFIG, "gitlab: \"project\" is written GROUP/NAME");
    return gl_venue_take_endpoint(venue, err);
}

/* "HOST/api/v4/projects/GROUP%2FNAME/issues" */
static void address(const struct gl_venue *venue, struct gl_str *out)
{
    gl_str_addf(out, "%s/api/v4/projects/", venue->endpoint);
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

    (void)err;
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
    return gl_venue_add_token(venue, call, "PRIVATE-TOKEN", "", err);
}

static int read_step(struct gl_venue *venue, const struct gl_venue_preview *preview, size_t step,
                     const struct gl_remote_call *call, struct gl_venue_receipt *receipt,
                     struct gl_error *err)
{
    GL_AUTO(gl_auto_json) json_t *root = gl_venue_reply_json(venue, call, err);

    (void)step;
    if (root == NULL)
        return -1;
    return preview->action == GL_VENUE_JOINING ? 0
                                               : gl_venue_read_receipt(venue, root, receipt, err);
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
    int rc = root != NULL ? gl_venue_look_in(venue, root, preview->tag, out, err) : -1;

    return rc != 0 || json_array_size(root) < 100
               ? rc
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

        snprintf(page, sizeof page, "%u", number);
        root = get(venue, &call, rest, queries, err);
        if (root == NULL)
            return -1;
        if (gl_venue_tagged(root, "body", preview->tag) != NULL) {
            snprintf(out->id, sizeof out->id, "%s", preview->target);
            return 1;
        }
        if (json_array_size(root) < 100)
            return 0;
    }
    return gl_fail(err, GL_E_OUTCOME, "gitlab: too many comments to look through");
}

static int find_closed(struct gl_venue *venue, const struct gl_venue_preview *preview,
                       struct gl_venue_receipt *out, struct gl_error *err)
{
    GL_AUTO(gl_remote_call_done) struct gl_remote_call call = {0};
    GL_AUTO(gl_auto_json) json_t *root = NULL;

    address(venue, &call.url);
    gl_str_addf(&call.url, "/%s", preview->target);
    root = gl_venue_get_json(venue, &call, err);
    if (root == NULL || gl_venue_check_request(venue, root, err) < 0 ||
        gl_venue_read_receipt(venue, root, out, err) < 0)
        return -1;
    return gl_venue_is_closed(venue, root);
}

static int find(struct gl_venue *venue, const struct gl_venue_preview *preview,
                struct gl_venue_receipt *out, struct gl_error *err)
{
    if (preview->action == GL_VENUE_FILING)
        return find_filed(venue, preview, out, err);
    if (preview->action == GL_VENUE_JOINING)
        return find_joined(venue, preview, out, err);
    return find_closed(venue, preview, out, err);
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
        if (gl_venue_add_candidate(venue, item, out, out_count, err) < 0)
            return -1;
    }
    return 0;
}

static int status(struct gl_venue *venue, const char *id, const char *etag,
                  struct gl_venue_status *out, struct gl_error *err)
{
    GL_AUTO(gl_remote_call_done) struct gl_remote_call call = {0};

    address(venue, &call.url);
    gl_str_addf(&call.url, "/%s", id);
    return gl_venue_get_status(venue, &call, etag, out, err);
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
    .layout = &layout,
    .open = open_gitlab,
    .compose = compose,
    .authorize = authorize,
    .read = read_step,
    .find = find,
    .search = search,
    .status = status,
};
