/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/venue/adapter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Issues of Jira Cloud: https://developer.atlassian.com/cloud/jira/platform/rest/v3/
 * Texts are Atlassian documents (ADF). Creating is not idempotent, and /search/jql reads an index
 * that lags: absence counts only after a while. Closing takes a transition that every project
 * names otherwise, so that withdrawing is left to a person. */

#define PARAGRAPHS_MAX 2000
#define SUMMARY_MAX    255

static const struct gl_setting_key keys[] = {
    {.name = "endpoint", .what = "https://NAME.atlassian.net", .is_required = true},
    {.name = "project", .what = "key of the project", .is_required = true},
    {.name = "issue_type", .what = "type of the issue", .fallback = "Story"},
    {.name = "email", .what = "mailbox of the account", .is_required = true},
    {.name = "token", .what = "API token", .variable = "JIRA_API_TOKEN", .is_required = true},
    {0}};

static const struct gl_venue_rule rules[] = {{403, "CAPTCHA", GL_ANSWER_PERSON},
                                             {401, "CAPTCHA", GL_ANSWER_PERSON},
                                             {0, NULL, GL_ANSWER_NONE}};

static bool is_issue(const char *key)
{
    const char *dash = strrchr(key, '-');

    return dash != NULL && dash != key && dash[1] != '\0' &&
           strspn(dash + 1, "0123456789") == strlen(dash + 1) && gl_venue_is_word(key, "-_", 60);
}

static const struct gl_venue_layout layout = {.noun = "issue",
                                              .id = "key",
                                              .is_id = is_issue,
                                              .id_rule = "an issue is called as in GREEN-1",
                                              .browse = "/browse/",
                                              .title = "fields/summary",
                                              .reason = "fields/status/name",
                                              .updated = "fields/updated",
                                              .comments = "fields/comment/total",
                                              .votes = "fields/votes/votes",
                                              .state = "fields/status/statusCategory/key",
                                              .closed = "done"};

static int open_jira(struct gl_venue *venue, struct gl_error *err)
{
    if (!gl_venue_is_word(gl_venue_setting(venue, "project"), "_", 40))
        return gl_fail(err, GL_E_CONFIG, "jira: \"project\" is a key as in GREEN");
    if (!gl_venue_is_mailbox(gl_venue_setting(venue, "email")))
        return gl_fail(err, GL_E_CONFIG, "jira: \"email\" must be one mail address");
    return gl_venue_take_endpoint(venue, err);
}

static void address(const struct gl_venue *venue, const char *path, struct gl_str *out)
{
    gl_str_addf(out, "%s/rest/api/3/%s", venue->endpoint, path);
}

/* ---- Atlassian documents ---- */

static json_t *text_node(const char *text, size_t length)
{
    return json_pack("{s:s, s:s%}", "type", "text", "text", text, length);
}

/* A heading, or a paragraph whose lines are broken where they were. */
static json_t *block_of(const char *text, size_t length)
{
    json_t *content = json_array();
    size_t hashes = strspn(text, "#");

    if (hashes > 0 && hashes <= 6 && hashes + 1 < length && text[hashes] == ' ') {
        json_array_append_new(content, text_node(text + hashes + 1, length - hashes - 1));
        return json_pack("{s:s, s:{s:i}, s:o}", "type", "heading", "attrs", "level", (int)hashes,
                         "content", content);
    }
    for (size_t at = 0; at < length;) {
        const char *end = memchr(text + at, '\n', length - at);
        size_t line = end != NULL ? (size_t)(end - text) - at : length - at;

        if (at > 0)
            json_array_append_new(content, json_pack("{s:s}", "type", "hardBreak"));
        if (line > 0)
            json_array_append_new(content, text_node(text + at, line));
        at += line + 1;
    }
    return json_pack("{s:s, s:o}", "type", "paragraph", "content", content);
}

/* Blocks are parted by empty lines. */
static json_t *document_of(const char *text)
{
    json_t *content = json_array();

    for (unsigned i = 0; *text != '\0' && i < PARAGRAPHS_MAX; i++) {
        const char *end;

        text += strspn(text, "\n");
        end = strstr(text, "\n\n");
        if (*text != '\0')
            json_array_append_new(
                content, block_of(text, end != NULL ? (size_t)(end - text) : strlen(text)));
        text = end != NULL ? end : text + strlen(text);
    }
    return json_pack("{s:s, s:i, s:o}", "type", "doc", "version", 1, "content", content);
}

/* ---- composing ---- */

static struct gl_venue_step *add(const struct gl_venue *venue, struct gl_venue_preview *out,
                                 const char *path)
{
    GL_AUTO(gl_str_done) struct gl_str url = {0};
    struct gl_venue_step *step;

    address(venue, path, &url);
    step = gl_venue_step_add(out, "POST", "%s", url.text);
    gl_venue_step_header(step, "Accept", "application/json");
    snprintf(step->added, sizeof step->added, "Authorization from JIRA_API_TOKEN");
    return step;
}

/* Jira's labels hold no blanks. */
static json_t *labels_of(const struct gl_venue_request *request)
{
    json_t *labels = json_array();

    for (const char *const *label = request->labels; label != NULL && *label != NULL; label++) {
        char copy[64];

        snprintf(copy, sizeof copy, "%s", *label);
        for (char *at = copy; (at = strchr(at, ' ')) != NULL;)
            *at = '-';
        json_array_append_new(labels, json_string(copy));
    }
    return labels;
}

static int compose(const struct gl_venue *venue, const struct gl_venue_draft *draft,
                   struct gl_venue_preview *out, struct gl_error *err)
{
    GL_AUTO(gl_str_done) struct gl_str text = {0};
    struct gl_venue_step *step;
    char path[128];

    if (strlen(draft->title) > SUMMARY_MAX)
        return gl_fail(err, GL_E_TOO_LARGE, "jira: a title has at most %d bytes with its tag",
                       SUMMARY_MAX);
    snprintf(out->sender, sizeof out->sender, "%.190s", gl_venue_setting(venue, "email"));
    gl_venue_text(draft, false, (size_t)30 << 10, out->note, &text);
    if (draft->action == GL_VENUE_FILING) {
        step = add(venue, out, "issue");
        step->is_create = true;
        gl_venue_step_json(step, "application/json",
                           json_pack("{s:{s:{s:s}, s:{s:s}, s:s, s:o, s:o}}", "fields", "project",
                                     "key", gl_venue_setting(venue, "project"), "issuetype", "name",
                                     gl_venue_setting(venue, "issue_type"), "summary", draft->title,
                                     "description", document_of(gl_str_text(&text)), "labels",
                                     labels_of(draft->request)));
        return 0;
    }
    snprintf(path, sizeof path, "issue/%.60s/votes", draft->target);
    add(venue, out, path);
    gl_str_addf(&text, "\n\n[%s]", draft->tag);
    snprintf(path, sizeof path, "issue/%.60s/comment", draft->target);
    step = add(venue, out, path);
    step->is_create = true;
    gl_venue_step_json(step, "application/json",
                       json_pack("{s:o}", "body", document_of(text.text)));
    return 0;
}

/* ---- sending ---- */

static int authorize(struct gl_venue *venue, struct gl_remote_call *call, struct gl_error *err)
{
    const char *token;

    if (gl_venue_secret(venue, "token", true, &token, err) < 0)
        return -1;
    gl_venue_basic(call, gl_venue_setting(venue, "email"), "", token);
    return 0;
}

/* A vote is answered with 204. */
static int read_step(struct gl_venue *venue, const struct gl_venue_preview *preview, size_t step,
                     const struct gl_remote_call *call, struct gl_venue_receipt *receipt,
                     struct gl_error *err)
{
    GL_AUTO(gl_auto_json) json_t *root = NULL;

    if (preview->action == GL_VENUE_JOINING && step == 0)
        return 0;
    root = gl_venue_reply_json(venue, call, err);
    if (root == NULL)
        return -1;
    return preview->action == GL_VENUE_FILING ? gl_venue_read_receipt(venue, root, receipt, err)
                                              : 0;
}

/* ---- looking ---- */

/* The issues a query finds, as the list in *out_root. */
static const json_t *ask(struct gl_venue *venue, const char *jql, int most,
                         struct gl_remote_call *call, json_t **out_root, struct gl_error *err)
{
    json_t *list, *body = json_pack("{s:s, s:[s,s,s], s:i}", "jql", jql, "fields", "summary",
                                    "status", "votes", "maxResults", most);

    *call = (struct gl_remote_call){.method = "POST"};
    address(venue, "search/jql", &call->url);
    gl_remote_header(call, "Accept", "application/json");
    gl_remote_body_json(call, body);
    json_decref(body);
    if (gl_venue_exchange(venue, call, err) < 0)
        return NULL;
    *out_root = gl_venue_reply_json(venue, call, err);
    if (*out_root == NULL || gl_json_array(*out_root, "issues", &list, err) < 0)
        return NULL;
    return list;
}

static int find_filed(struct gl_venue *venue, const struct gl_venue_preview *preview,
                      struct gl_venue_receipt *out, struct gl_error *err)
{
    GL_AUTO(gl_remote_call_done) struct gl_remote_call call = {0};
    GL_AUTO(gl_auto_json) json_t *root = NULL;
    const json_t *issues;
    char jql[200];
    int rc;

    snprintf(jql, sizeof jql, "project = \"%.40s\" AND summary ~ \"\\\"%s\\\"\" ORDER BY created",
             gl_venue_setting(venue, "project"), preview->tag);
    issues = ask(venue, jql, 50, &call, &root, err);
    rc = issues != NULL ? gl_venue_look_in(venue, issues, preview->tag, out, err) : -1;
    return rc != 0 || json_array_size(issues) < 50
               ? rc
               : gl_fail(err, GL_E_OUTCOME, "jira: too many issues to look through");
}

static json_t *get(struct gl_venue *venue, const char *path, struct gl_remote_call *call,
                   struct gl_error *err)
{
    *call = (struct gl_remote_call){0};
    address(venue, path, &call->url);
    gl_remote_header(call, "Accept", "application/json");
    return gl_venue_get_json(venue, call, err);
}

/* Is the tag in the text of this document? Looked for in its own JSON: it is plain ASCII. */
static bool holds_tag(const json_t *document, const char *tag)
{
    GL_AUTO(gl_auto_free) char *text = json_dumps(document, JSON_COMPACT | JSON_ENCODE_ANY);

    return text != NULL && gl_venue_has_tag(text, tag);
}

static int find_joined(struct gl_venue *venue, const struct gl_venue_preview *preview,
                       struct gl_venue_receipt *out, struct gl_error *err)
{
    GL_AUTO(gl_remote_call_done) struct gl_remote_call call = {0};
    GL_AUTO(gl_auto_json) json_t *root = NULL;
    json_t *comments;
    const json_t *comment;
    char path[160];
    size_t i;

    snprintf(path, sizeof path, "issue/%.60s/comment?orderBy=-created&maxResults=100",
             preview->target);
    root = get(venue, path, &call, err);
    if (root == NULL || gl_json_array(root, "comments", &comments, err) < 0)
        return -1;
    json_array_foreach(comments, i, comment)
    {
        if (!holds_tag(json_object_get(comment, "body"), preview->tag))
            continue;
        snprintf(out->id, sizeof out->id, "%s", preview->target);
        return 1;
    }
    return json_array_size(comments) < 100
               ? 0
               : gl_fail(err, GL_E_OUTCOME, "jira: too many comments to look through");
}

static int find(struct gl_venue *venue, const struct gl_venue_preview *preview,
                struct gl_venue_receipt *out, struct gl_error *err)
{
    return preview->action == GL_VENUE_FILING ? find_filed(venue, preview, out, err)
                                              : find_joined(venue, preview, out, err);
}

static int search(struct gl_venue *venue, const char *words, struct gl_venue_candidate *out,
                  size_t *out_count, struct gl_error *err)
{
    GL_AUTO(gl_remote_call_done) struct gl_remote_call call = {0};
    GL_AUTO(gl_auto_json) json_t *root = NULL;
    const json_t *issues, *issue;
    char jql[300];
    size_t i;

    snprintf(jql, sizeof jql, "project = \"%.40s\" AND text ~ \"%.150s\"",
             gl_venue_setting(venue, "project"), words);
    issues = ask(venue, jql, GL_VENUE_CANDIDATES, &call, &root, err);
    if (issues == NULL)
        return -1;
    json_array_foreach(issues, i, issue)
    {
        if (gl_venue_add_candidate(venue, issue, out, out_count, err) < 0)
            return -1;
    }
    return 0;
}

static int status(struct gl_venue *venue, const char *id, const char *etag,
                  struct gl_venue_status *out, struct gl_error *err)
{
    GL_AUTO(gl_remote_call_done) struct gl_remote_call call = {0};
    GL_AUTO(gl_auto_json) json_t *root = NULL;
    json_t *fields;
    char path[160];

    (void)etag; /* the API has none */
    snprintf(path, sizeof path, "issue/%.60s?fields=summary,status,updated,votes,comment", id);
    root = get(venue, path, &call, err);
    if (root == NULL || gl_json_object(root, "fields", &fields, err) < 0)
        return -1;
    gl_venue_read_status(venue, root, out);
    return 0;
}

const struct gl_venue_ops gl_venue_jira = {
    .name = "jira",
    .title = "Jira Cloud issues",
    .docs = "https://developer.atlassian.com/cloud/jira/platform/rest/v3/",
    .caps = GL_VENUE_SEARCH | GL_VENUE_JOIN | GL_VENUE_FIND | GL_VENUE_STATUS,
    .keys = keys,
    .place_key = "project",
    .settle_s = 600, /* the index lags by minutes at times */
    .rules = rules,
    .layout = &layout,
    .open = open_jira,
    .compose = compose,
    .authorize = authorize,
    .read = read_step,
    .find = find,
    .search = search,
    .status = status,
};
