/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/venue/adapter.h"

#include "base/time.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Issues of a repository: https://docs.github.com/rest/issues, /rest/reactions, /rest/search.
 * Labels of people without push rights are dropped silently; the answer shows which were. The
 * search index lags, so absence is proven by the list of issues, newest first. */

#define BODY_MAX 65536
#define VERSION  "2022-11-28"
/* The recommended type, and the one that the published description names. */
#define ACCEPT "application/vnd.github+json, application/json;q=0.9"

static const struct gl_setting_key keys[] = {
    {.name = "repository", .what = "OWNER/NAME", .is_required = true},
    {.name = "login", .what = "whose token it is, for the preview"},
    {.name = "endpoint", .what = "address of the API", .fallback = "https://api.github.com"},
    {.name = "token", .what = "token that may write issues", .variable = "GITHUB_TOKEN"},
    {0}};

static const struct gl_venue_rule rules[] = {
    {403, "secondary rate limit", GL_ANSWER_RATE_LIMITED},
    {403, "abuse detection", GL_ANSWER_RATE_LIMITED},
    {422, "submitted too quickly", GL_ANSWER_RATE_LIMITED},
    {422, "flagged as spam", GL_ANSWER_FORBIDDEN},
    {403, "SAML", GL_ANSWER_PERSON}, /* a person has to authorize the token for the organization */
    {0, NULL, GL_ANSWER_NONE}};

static const struct gl_venue_layout layout = {.noun = "issue",
                                              .id = "number",
                                              .digits = 12,
                                              .id_rule = "an issue has a number",
                                              .link = "html_url",
                                              .title = "title",
                                              .reason = "state_reason",
                                              .updated = "updated_at",
                                              .comments = "comments",
                                              .votes = "reactions/+1",
                                              .state = "state",
                                              .open = "open",
                                              .closed = "closed"};

static bool is_repository(const char *text)
{
    const char *slash = strchr(text, '/');

    return slash != NULL && slash != text && slash[1] != '\0' && strchr(slash + 1, '/') == NULL &&
           gl_venue_is_word(text, "-_./", 140) && text[0] != '.' && slash[1] != '.';
}

static int open_github(struct gl_venue *venue, struct gl_error *err)
{
    if (!is_repository(gl_venue_setting(venue, "repository")))
        return gl_fail(err, GL_E_CONFIG, "github: \"repository\" is written OWNER/NAME");
    return gl_venue_take_endpoint(venue, err);
}

/* ---- composing ---- */

static struct gl_venue_step *add(const struct gl_venue *venue, struct gl_venue_preview *out,
                                 const char *method, const char *path)
{
    struct gl_venue_step *step =
        gl_venue_step_add(out, method, "%s/repos/%s/issues%s", venue->endpoint,
                          gl_venue_setting(venue, "repository"), path);

    gl_venue_step_header(step, "Accept", ACCEPT);
    gl_venue_step_header(step, "X-GitHub-Api-Version", VERSION);
    snprintf(step->added, sizeof step->added, "Authorization from GITHUB_TOKEN");
    return step;
}

static json_t *labels_of(const struct gl_venue_request *request)
{
    json_t *labels = json_array();

    for (const char *const *label = request->labels; label != NULL && *label != NULL; label++)
        json_array_append_new(labels, json_string(*label));
    return labels;
}

static void compose_filing(const struct gl_venue *venue, const struct gl_venue_draft *draft,
                           struct gl_venue_preview *out)
{
    struct gl_venue_step *step = add(venue, out, "POST", "");
    GL_AUTO(gl_str_done) struct gl_str text = {0};

    gl_venue_text(draft, false, BODY_MAX, out->note, &text);
    if (draft->request->labels != NULL && draft->request->labels[0] != NULL)
        gl_venue_note(out->note, "labels are dropped by GitHub without push rights");
    step->is_create = true;
    gl_venue_step_json(step, "application/json",
                       json_pack("{s:s, s:s, s:o}", "title", draft->title, "body",
                                 gl_str_text(&text), "labels", labels_of(draft->request)));
}

/* A vote first: the same one twice is one. The comment comes last, so that its presence says that
 * all of it was done. */
static void compose_joining(const struct gl_venue *venue, const struct gl_venue_draft *draft,
                            struct gl_venue_preview *out)
{
    GL_AUTO(gl_str_done) struct gl_str text = {0};
    struct gl_venue_step *step;
    char path[64];

    snprintf(path, sizeof path, "/%.12s/reactions", draft->target);
    step = add(venue, out, "POST", path);
    gl_venue_step_json(step, "application/json", json_pack("{s:s}", "content", "+1"));
    snprintf(path, sizeof path, "/%.12s/comments", draft->target);
    step = add(venue, out, "POST", path);
    gl_venue_text(draft, false, BODY_MAX - 64, out->note, &text);
    gl_str_addf(&text, "\n\n[%s]", draft->tag);
    step->is_create = true;
    gl_venue_step_json(step, "application/json", json_pack("{s:s}", "body", gl_str_text(&text)));
}

static void compose_withdrawing(const struct gl_venue *venue, const struct gl_venue_draft *draft,
                                struct gl_venue_preview *out)
{
    char path[64];

    snprintf(path, sizeof path, "/%.12s", draft->target);
    gl_venue_step_json(add(venue, out, "PATCH", path), "application/json",
                       json_pack("{s:s, s:s}", "state", "closed", "state_reason", "not_planned"));
}

static int compose(const struct gl_venue *venue, const struct gl_venue_draft *draft,
                   struct gl_venue_preview *out, struct gl_error *err)
{
    static void (*const composers[])(const struct gl_venue *, const struct gl_venue_draft *,
                                     struct gl_venue_preview *) = {compose_filing, compose_joining,
                                                                   compose_withdrawing};
    const char *login = gl_venue_setting(venue, "login");

    (void)err;
    snprintf(out->sender, sizeof out->sender, "%.100s",
             login != NULL ? login : "the owner of GITHUB_TOKEN");
    composers[draft->action](venue, draft, out);
    return 0;
}

/* ---- sending ---- */

static int authorize(struct gl_venue *venue, struct gl_remote_call *call, struct gl_error *err)
{
    return gl_venue_add_token(venue, call, "Authorization", "Bearer ", err);
}

/* Which of the labels that were sent the issue does not carry. */
static void note_labels(const struct gl_venue_step *step, const json_t *issue,
                        struct gl_venue_receipt *receipt)
{
    struct gl_error ignored = {0};
    GL_AUTO(gl_auto_json)
    json_t *sent = gl_json_parse(step->body, step->body_length, "what was sent", &ignored);
    const json_t *label, *there;
    size_t i, j;

    json_array_foreach(json_object_get(sent, "labels"), i, label)
    {
        bool is_there = false;

        json_array_foreach(json_object_get(issue, "labels"), j, there) is_there |=
            strcasecmp(gl_venue_member(there, "name"), json_string_value(label)) == 0;
        if (!is_there)
            gl_venue_note(receipt->note, "label left out: %s", json_string_value(label));
    }
}

static int read_step(struct gl_venue *venue, const struct gl_venue_preview *preview, size_t step,
                     const struct gl_remote_call *call, struct gl_venue_receipt *receipt,
                     struct gl_error *err)
{
    GL_AUTO(gl_auto_json) json_t *root = gl_venue_reply_json(venue, call, err);

    if (root == NULL)
        return -1;
    if (preview->action == GL_VENUE_JOINING) {
        if (step == 1)
            gl_venue_link(gl_venue_member(root, "html_url"), receipt->url, sizeof receipt->url);
        return 0;
    }
    if (gl_venue_read_receipt(venue, root, receipt, err) < 0)
        return -1;
    if (preview->action == GL_VENUE_FILING)
        note_labels(&preview->steps[step], root, receipt);
    return 0;
}

/* ---- finding ---- */

/* Begin a GET below the repository's issues, or of another path of the API. */
static void get(const struct gl_venue *venue, const char *path, struct gl_remote_call *call)
{
    *call = (struct gl_remote_call){.method = "GET"};
    gl_str_addf(&call->url, "%s%s", venue->endpoint, path);
    gl_remote_header(call, "Accept", ACCEPT);
    gl_remote_header(call, "X-GitHub-Api-Version", VERSION);
}

static void get_issue(const struct gl_venue *venue, const char *rest, struct gl_remote_call *call)
{
    char path[256];

    snprintf(path, sizeof path, "/repos/%.140s/issues%.60s", gl_venue_setting(venue, "repository"),
             rest);
    get(venue, path, call);
}

/* A page of issues or comments: 1 found, 0 not among them. */
static int look_in(const struct gl_venue *venue, const json_t *page,
                   const struct gl_venue_preview *preview, struct gl_venue_receipt *out,
                   struct gl_error *err)
{
    const json_t *comment;

    if (!json_is_array(page))
        return gl_fail(err, GL_E_BAD_REPLY, "github: a list was expected");
    if (preview->action == GL_VENUE_FILING)
        return gl_venue_look_in(venue, page, preview->tag, out, err);
    comment = gl_venue_tagged(page, "body", preview->tag);
    if (comment == NULL)
        return 0;
    snprintf(out->id, sizeof out->id, "%s", preview->target);
    gl_venue_link(gl_venue_member(comment, "html_url"), out->url, sizeof out->url);
    return 1;
}

/* Everything that changed since the draft: what is not there was never filed. */
static int find_listed(struct gl_venue *venue, const struct gl_venue_preview *preview,
                       struct gl_venue_receipt *out, struct gl_error *err)
{
    bool is_filing = preview->action == GL_VENUE_FILING;
    char since[GL_INSTANT_TEXT], number[8], rest[64] = "";

    gl_instant_text(gl_venue_since(preview), since);
    if (!is_filing)
        snprintf(rest, sizeof rest, "/%.12s/comments", preview->target);
    for (unsigned page = 1; page <= GL_VENUE_PAGES; page++) {
        GL_AUTO(gl_remote_call_done) struct gl_remote_call call = {0};
        GL_AUTO(gl_auto_json) json_t *root = NULL;
        int rc;

        get_issue(venue, rest, &call);
        snprintf(number, sizeof number, "%u", page);
        if (is_filing) {
            gl_remote_query(&call, "state", "all");
            gl_remote_query(&call, "sort", "created");
            gl_remote_query(&call, "direction", "desc");
        }
        gl_remote_query(&call, "since", since);
        gl_remote_query(&call, "per_page", "100");
        gl_remote_query(&call, "page", number);
        root = gl_venue_get_json(venue, &call, err);
        rc = root != NULL ? look_in(venue, root, preview, out, err) : -1;
        if (rc != 0 || json_array_size(root) < 100)
            return rc;
    }
    return gl_fail(err, GL_E_OUTCOME,
                   "github: too much has changed since the draft to look "
                   "through it all");
}

static int find_closed(struct gl_venue *venue, const struct gl_venue_preview *preview,
                       struct gl_venue_receipt *out, struct gl_error *err)
{
    GL_AUTO(gl_remote_call_done) struct gl_remote_call call = {0};
    GL_AUTO(gl_auto_json) json_t *root = NULL;
    char rest[64];

    snprintf(rest, sizeof rest, "/%.12s", preview->target);
    get_issue(venue, rest, &call);
    root = gl_venue_get_json(venue, &call, err);
    if (root == NULL || gl_venue_read_receipt(venue, root, out, err) < 0)
        return -1;
    return gl_venue_is_closed(venue, root);
}

static int find(struct gl_venue *venue, const struct gl_venue_preview *preview,
                struct gl_venue_receipt *out, struct gl_error *err)
{
    if (preview->action == GL_VENUE_WITHDRAWING)
        return find_closed(venue, preview, out, err);
    return find_listed(venue, preview, out, err);
}

/* ---- looking ---- */

static int search(struct gl_venue *venue, const char *words, struct gl_venue_candidate *out,
                  size_t *out_count, struct gl_error *err)
{
    GL_AUTO(gl_remote_call_done) struct gl_remote_call call = {0};
    GL_AUTO(gl_auto_json) json_t *root = NULL;
    struct gl_error unread = {0};
    char query[400];
    json_t *items;
    const json_t *item;
    size_t i;

    snprintf(query, sizeof query, "repo:%.140s is:issue in:title,body %.160s",
             gl_venue_setting(venue, "repository"), words);
    get(venue, "/search/issues", &call);
    gl_remote_query(&call, "q", query);
    gl_remote_query(&call, "per_page", "3");
    root = gl_venue_get_json(venue, &call, err);
    if (root == NULL)
        return -1;
    if (gl_json_array(root, "items", &items, err) < 0)
        return gl_wrap(err, "github: GET /search/issues");
    json_array_foreach(items, i, item) /* one that cannot be read is none: the others may be */
        gl_venue_add_candidate(venue, item, out, out_count, &unread);
    if (*out_count > 0 || unread.code == GL_OK)
        return 0;
    *err = unread;
    return -1;
}

static int status(struct gl_venue *venue, const char *id, const char *etag,
                  struct gl_venue_status *out, struct gl_error *err)
{
    GL_AUTO(gl_remote_call_done) struct gl_remote_call call = {0};
    char rest[64];

    snprintf(rest, sizeof rest, "/%.12s", id);
    get_issue(venue, rest, &call);
    return gl_venue_get_status(venue, &call, etag, out, err);
}

const struct gl_venue_ops gl_venue_github = {
    .name = "github",
    .title = "GitHub issues",
    .docs = "https://docs.github.com/en/rest/issues/issues",
    .caps = GL_VENUE_PUBLIC | GL_VENUE_SEARCH | GL_VENUE_JOIN | GL_VENUE_FIND | GL_VENUE_STATUS |
            GL_VENUE_WITHDRAW,
    .keys = keys,
    .place_key = "repository",
    .settle_s = 5, /* read replicas */
    .rules = rules,
    .layout = &layout,
    .open = open_github,
    .compose = compose,
    .authorize = authorize,
    .read = read_step,
    .find = find,
    .search = search,
    .status = status,
};
