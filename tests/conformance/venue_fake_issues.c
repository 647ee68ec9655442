/* SPDX-License-Identifier: Apache-2.0 */
/* GitHub, GitLab and Jira. */
#include "tests/conformance/venue_fake.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- GitHub ---- */

static json_t *github_issue(const struct venue_item *item)
{
    char url[120];

    snprintf(url, sizeof url, "https://github.com/o/r/issues/%" PRId64, item->id);
    return json_pack("{s:I, s:s, s:s, s:s, s:i, s:[], s:{s:i}, s:s}", "number",
                     (json_int_t)item->id, "html_url", url, "title", item->title, "state",
                     item->is_closed ? "closed" : "open", "comments", (int)item->text_count,
                     "labels", "reactions", "+1", (int)item->votes, "updated_at",
                     "2026-11-22T08:00:00Z");
}

static void github_list(struct venue_fake *fake, const struct gl_test_request *request,
                        struct gl_test_answer *out)
{
    json_t *list = json_array();
    char since[64], page[8];

    venue_fake_query(request, "since", since, sizeof since);
    venue_fake_query(request, "page", page, sizeof page);
    if (strcmp(since, "2026-11-19T00:00:00Z") != 0 || strcmp(page, "1") != 0)
        venue_fake_complain(fake, "since %s page %s", since, page);
    for (size_t i = 0; !fake->is_lagging && i < fake->item_count; i++)
        json_array_append_new(list, github_issue(&fake->items[i]));
    venue_fake_json(out, 200, list);
}

static void github_search(struct venue_fake *fake, const struct gl_test_request *request,
                          struct gl_test_answer *out)
{
    json_t *list = json_array();
    char query[400];

    venue_fake_query(request, "q", query, sizeof query);
    if (strcmp(query, "repo:o/r is:issue in:title,body carbon hour intensity") != 0)
        venue_fake_complain(fake, "q is %s", query);
    for (int i = 0; i < 5; i++)
        json_array_append_new(list, json_pack("{s:i, s:s, s:s, s:s}", "number", 7 + i, "html_url",
                                              "javascript:alert(1)", "title", VENUE_WEIRD, "state",
                                              "open"));
    venue_fake_json(out, 200, json_pack("{s:i, s:o}", "total_count", 5, "items", list));
}

static void github_create(struct venue_fake *fake, const struct gl_test_request *request,
                          struct gl_test_answer *out)
{
    json_t *body = venue_fake_body(fake, request, "!title !body labels");

    if (venue_fake_may_create(fake, out)) {
        venue_fake_json(
            out, 201,
            github_issue(venue_fake_add(fake, json_string_value(json_object_get(body, "title")))));
        venue_fake_spoil(fake, out);
    }
    json_decref(body);
}

static void github_one(struct venue_fake *fake, const struct gl_test_request *request,
                       struct venue_item *item, struct gl_test_answer *out)
{
    char etag[80];

    if (strcmp(request->method, "PATCH") == 0) {
        json_decref(venue_fake_body(fake, request, "!state !state_reason"));
        item->is_closed = true;
    }
    gl_test_request_header(request, "if-none-match", etag, sizeof etag);
    if (strcmp(etag, "W/\"one\"") == 0) {
        out->status = 304;
        return;
    }
    venue_fake_json(out, 200, github_issue(item));
    gl_str_add(&out->headers, "ETag: W/\"one\"\r\n");
}

static void github_join(struct venue_fake *fake, const struct gl_test_request *request,
                        struct venue_item *item, const char *what, struct gl_test_answer *out)
{
    json_t *body;

    if (strcmp(what, "/reactions") == 0) {
        body = venue_fake_body(fake, request, "!content");
        item->votes = 1;
        venue_fake_json(out, 201, json_pack("{s:i, s:s}", "id", 1, "content", "+1"));
    } else if (strcmp(request->method, "GET") == 0) {
        body = json_array();
        for (unsigned i = 0; i < item->text_count; i++)
            json_array_append_new(body, json_pack("{s:s}", "body", item->texts[i]));
        venue_fake_json(out, 200, json_incref(body));
    } else {
        body = venue_fake_body(fake, request, "!body");
        if (venue_fake_may_create(fake, out)) {
            venue_fake_comment(fake, item, json_string_value(json_object_get(body, "body")));
            venue_fake_json(out, 201, json_pack("{s:i}", "id", 5));
            venue_fake_spoil(fake, out);
        }
    }
    json_decref(body);
}

static void github_answer(struct venue_fake *fake, const struct gl_test_request *request,
                          struct gl_test_answer *out)
{
    const char *rest = request->path + strlen("/repos/o/r/issues");
    struct venue_item *item;
    char *end;

    venue_fake_header(fake, request, "authorization", "Bearer " VENUE_SECRET);
    venue_fake_header(fake, request, "accept",
                      "application/vnd.github+json, application/json;q=0.9");
    venue_fake_header(fake, request, "x-github-api-version", "2022-11-28");
    if (strcmp(request->path, "/search/issues") == 0) {
        github_search(fake, request, out);
        return;
    }
    if (strncmp(request->path, "/repos/o/r/issues", 17) != 0) {
        venue_fake_complain(fake, "path %s", request->path);
        out->status = 404;
        return;
    }
    if (*rest == '\0') {
        (strcmp(request->method, "POST") == 0 ? github_create : github_list)(fake, request, out);
        return;
    }
    item = venue_fake_at(fake, strtol(rest + 1, &end, 10));
    if (item == NULL)
        venue_fake_json(out, 404, json_pack("{s:s}", "message", "Not Found"));
    else if (*end == '\0')
        github_one(fake, request, item, out);
    else
        github_join(fake, request, item, end, out);
}

static const char *const github_settings[] = {"repository", "o/r", "endpoint", "URL", NULL};
static const char *const github_environment[] = {"GITHUB_TOKEN=" VENUE_SECRET, NULL};
const struct venue_fake_ops venue_fake_github = {.venue = "github",
                                                 .settings = github_settings,
                                                 .environment = github_environment,
                                                 .answer = github_answer};

/* ---- GitLab ---- */

static json_t *gitlab_issue(const struct venue_item *item)
{
    return json_pack("{s:i, s:I, s:s, s:s, s:s, s:i, s:i}", "id", 90000, "iid",
                     (json_int_t)item->id, "web_url", "https://gitlab.com/g/p/-/issues/1", "title",
                     item->title, "state", item->is_closed ? "closed" : "opened", "upvotes",
                     (int)item->votes, "user_notes_count", (int)item->text_count);
}

static void gitlab_list(struct venue_fake *fake, const struct gl_test_request *request,
                        struct gl_test_answer *out)
{
    json_t *list = json_array();
    char search[200], in[40];

    venue_fake_query(request, "search", search, sizeof search);
    venue_fake_query(request, "in", in, sizeof in);
    if (strcmp(in, "title,description") == 0)
        for (int i = 0; i < 5; i++)
            json_array_append_new(list, json_pack("{s:i, s:s, s:s, s:s, s:i}", "iid", 7 + i,
                                                  "web_url", "file:///etc/passwd", "title",
                                                  VENUE_WEIRD, "state", "opened", "upvotes", 3));
    else if (strncmp(search, "GL-", 3) != 0)
        venue_fake_complain(fake, "search is %s", search);
    for (size_t i = 0; !fake->is_lagging && i < fake->item_count; i++)
        json_array_append_new(list, gitlab_issue(&fake->items[i]));
    venue_fake_json(out, 200, list);
}

static void gitlab_create(struct venue_fake *fake, const struct gl_test_request *request,
                          struct gl_test_answer *out)
{
    json_t *body = venue_fake_body(fake, request, "!title !description labels");

    if (venue_fake_may_create(fake, out)) {
        venue_fake_json(
            out, 201,
            gitlab_issue(venue_fake_add(fake, json_string_value(json_object_get(body, "title")))));
        venue_fake_spoil(fake, out);
    }
    json_decref(body);
}

static void gitlab_notes(struct venue_fake *fake, const struct gl_test_request *request,
                         struct venue_item *item, struct gl_test_answer *out)
{
    json_t *body = NULL, *list;

    if (strcmp(request->method, "GET") == 0) {
        list = json_array();
        for (unsigned i = 0; i < item->text_count; i++)
            json_array_append_new(list, json_pack("{s:s}", "body", item->texts[i]));
        venue_fake_json(out, 200, list);
        return;
    }
    body = venue_fake_body(fake, request, "!body");
    if (venue_fake_may_create(fake, out)) {
        venue_fake_comment(fake, item, json_string_value(json_object_get(body, "body")));
        venue_fake_json(out, 201, json_pack("{s:i}", "id", 5));
        venue_fake_spoil(fake, out);
    }
    json_decref(body);
}

/* The same vote twice is answered as GitLab does: 404, already taken. */
static void gitlab_vote(struct venue_fake *fake, const struct gl_test_request *request,
                        struct venue_item *item, struct gl_test_answer *out)
{
    json_decref(venue_fake_body(fake, request, "!name"));
    if (item->votes > 0)
        venue_fake_json(
            out, 404, json_pack("{s:s}", "message", "404 Award Emoji Name has already been taken"));
    else
        venue_fake_json(out, 201, json_pack("{s:i}", "id", 5));
    item->votes = 1;
}

static void gitlab_answer(struct venue_fake *fake, const struct gl_test_request *request,
                          struct gl_test_answer *out)
{
    static const char base[] = "/api/v4/projects/g%2Fp/issues";
    const char *rest = request->path + strlen(base);
    struct venue_item *item;
    char *end;

    venue_fake_header(fake, request, "private-token", VENUE_SECRET);
    if (strncmp(request->path, base, strlen(base)) != 0) {
        venue_fake_complain(fake, "path %s", request->path);
        out->status = 404;
        return;
    }
    if (*rest == '\0') {
        (strcmp(request->method, "POST") == 0 ? gitlab_create : gitlab_list)(fake, request, out);
        return;
    }
    item = venue_fake_at(fake, strtol(rest + 1, &end, 10));
    if (item == NULL) {
        venue_fake_json(out, 404, json_pack("{s:s}", "message", "404 Not found"));
    } else if (strcmp(end, "/notes") == 0) {
        gitlab_notes(fake, request, item, out);
    } else if (strcmp(end, "/award_emoji") == 0) {
        gitlab_vote(fake, request, item, out);
    } else {
        item->is_closed |= strcmp(request->method, "PUT") == 0;
        venue_fake_json(out, 200, gitlab_issue(item));
    }
}

static const char *const gitlab_settings[] = {"project", "g/p", "endpoint", "URL", NULL};
static const char *const gitlab_environment[] = {"GITLAB_TOKEN=" VENUE_SECRET, NULL};
const struct venue_fake_ops venue_fake_gitlab = {.venue = "gitlab",
                                                 .settings = gitlab_settings,
                                                 .environment = gitlab_environment,
                                                 .answer = gitlab_answer};

/* ---- Jira ---- */

static json_t *jira_issue(const struct venue_item *item)
{
    char key[40];

    snprintf(key, sizeof key, "GREEN-%" PRId64, item->id);
    return json_pack("{s:s, s:{s:s, s:{s:s, s:{s:s}}, s:{s:i}, s:{s:i}}}", "key", key, "fields",
                     "summary", item->title, "status", "name", "To Do", "statusCategory", "key",
                     item->is_closed ? "done" : "new", "votes", "votes", (int)item->votes,
                     "comment", "total", (int)item->text_count);
}

static void jira_create(struct venue_fake *fake, const struct gl_test_request *request,
                        struct gl_test_answer *out)
{
    json_t *body = venue_fake_body(fake, request, "!fields");
    json_t *fields = json_object_get(body, "fields");
    json_t *document = json_object_get(fields, "description");

    if (strcmp(json_string_value(json_object_get(document, "type")), "doc") != 0 ||
        json_integer_value(json_object_get(document, "version")) != 1 ||
        json_array_size(json_object_get(document, "content")) == 0)
        venue_fake_complain(fake, "the description is no ADF");
    if (venue_fake_may_create(fake, out)) {
        venue_fake_json(out, 201,
                        jira_issue(venue_fake_add(
                            fake, json_string_value(json_object_get(fields, "summary")))));
        venue_fake_spoil(fake, out);
    }
    json_decref(body);
}

static void jira_search(struct venue_fake *fake, const struct gl_test_request *request,
                        struct gl_test_answer *out)
{
    json_t *body = venue_fake_body(fake, request, "!jql !fields !maxResults");
    const char *jql = json_string_value(json_object_get(body, "jql"));
    json_t *list = json_array();

    if (strstr(jql, "text ~ \"carbon hour intensity\"") != NULL)
        for (int i = 0; i < 3; i++)
            json_array_append_new(list, json_pack("{s:s, s:{s:s}}", "key", "GREEN-9", "fields",
                                                  "summary", VENUE_WEIRD));
    else if (strstr(jql, "summary ~ \"\\\"GL-") == NULL)
        venue_fake_complain(fake, "jql is %s", jql);
    for (size_t i = 0; !fake->is_lagging && i < fake->item_count; i++)
        json_array_append_new(list, jira_issue(&fake->items[i]));
    venue_fake_json(out, 200, json_pack("{s:o, s:b}", "issues", list, "isLast", 1));
    json_decref(body);
}

static void jira_comments(struct venue_fake *fake, const struct gl_test_request *request,
                          struct venue_item *item, struct gl_test_answer *out)
{
    json_t *list = json_array(), *body;
    char *text;

    if (strcmp(request->method, "GET") == 0) {
        for (unsigned i = 0; i < item->text_count; i++)
            json_array_append_new(list, json_pack("{s:s}", "body", item->texts[i]));
        venue_fake_json(out, 200, json_pack("{s:o}", "comments", list));
        return;
    }
    json_decref(list);
    body = venue_fake_body(fake, request, "!body");
    text = json_dumps(json_object_get(body, "body"), JSON_COMPACT);
    if (venue_fake_may_create(fake, out)) {
        venue_fake_comment(fake, item, text);
        venue_fake_json(out, 201, json_pack("{s:s}", "id", "5"));
        venue_fake_spoil(fake, out);
    }
    free(text);
    json_decref(body);
}

static void jira_answer(struct venue_fake *fake, const struct gl_test_request *request,
                        struct gl_test_answer *out)
{
    static const char base[] = "/rest/api/3/";
    const char *rest = request->path + strlen(base);
    struct venue_item *item = NULL;
    char *end = NULL;

    venue_fake_header(fake, request, "authorization", /* base64 of a@example.org and the secret */
                      "Basic YUBleGFtcGxlLm9yZzpwbGFudGVkLXNlY3JldC0wMTIzNDU2Nzg5LWFiY2RlZmdoaWo=");
    venue_fake_header(fake, request, "accept", "application/json");
    if (strcmp(rest, "issue") == 0) {
        jira_create(fake, request, out);
        return;
    }
    if (strcmp(rest, "search/jql") == 0) {
        jira_search(fake, request, out);
        return;
    }
    if (strncmp(rest, "issue/GREEN-", 12) == 0)
        item = venue_fake_at(fake, strtol(rest + 12, &end, 10));
    if (item == NULL) {
        venue_fake_json(out, 404, json_pack("{s:[s]}", "errorMessages", "Issue does not exist"));
    } else if (strcmp(end, "/comment") == 0) {
        jira_comments(fake, request, item, out);
    } else if (strcmp(end, "/votes") == 0) {
        item->votes = 1;
        out->status = 204;
    } else {
        venue_fake_json(out, 200, jira_issue(item));
    }
}

static const char *const jira_settings[] = {"project", "GREEN",         "endpoint", "URL",
                                            "email",   "a@example.org", NULL};
static const char *const jira_environment[] = {"JIRA_API_TOKEN=" VENUE_SECRET, NULL};
const struct venue_fake_ops venue_fake_jira = {.venue = "jira",
                                               .settings = jira_settings,
                                               .environment = jira_environment,
                                               .answer = jira_answer};
