/* SPDX-License-Identifier: Apache-2.0 */
/* One exchange with a venue, and what its answer means. */
#include "providers/venue/adapter.h"

#include "providers/cloud/remote_part.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SAID_MAX 240

/* ---- what an answer means: pure ---- */

static bool has_text(const struct gl_http_reply *reply, const char *text)
{
    return reply->body != NULL && memmem(reply->body, reply->body_length, text, strlen(text));
}

static bool is_page(const struct gl_http_reply *reply)
{
    return strncasecmp(reply->content_type, "text/html", 9) == 0;
}

/* A redirect to a page where a person has to do something. */
static bool leads_to_person(const struct gl_http_reply *reply)
{
    static const char *const words[] = {"login", "log-in",  "signin",  "sign_in",  "sign-in",
                                        "sso",   "captcha", "consent", "challenge"};
    char where[2048];

    if (!gl_http_reply_header(reply, "location", where, sizeof where))
        return false;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcasestr(where, words[i]) != NULL)
            return true;
    return false;
}

static bool is_throttle(const struct gl_http_reply *reply)
{
    char left[16];

    return reply->retry_after_s >= 0 ||
           (gl_http_reply_header(reply, "x-ratelimit-remaining", left, sizeof left) &&
            strcmp(left, "0") == 0) ||
           has_text(reply, "secondary rate limit");
}

static enum gl_venue_answer judge_403(const struct gl_http_reply *reply)
{
    if (is_page(reply) && (has_text(reply, "captcha") || has_text(reply, "challenge")))
        return GL_ANSWER_PERSON;
    return is_throttle(reply) ? GL_ANSWER_RATE_LIMITED : GL_ANSWER_FORBIDDEN;
}

static bool fits(const struct gl_venue_rule *rule, const struct gl_http_reply *reply)
{
    return (rule->status == 0 || rule->status == reply->status) &&
           (rule->text == NULL || has_text(reply, rule->text));
}

static enum gl_venue_answer judge_status(const struct gl_http_reply *reply)
{
    static const struct {
        int status;
        enum gl_venue_answer answer;
    } rows[] = {{304, GL_ANSWER_OK},      {401, GL_ANSWER_LOGIN},  {404, GL_ANSWER_ABSENT},
                {408, GL_ANSWER_UNCLEAR}, {410, GL_ANSWER_GONE},   {429, GL_ANSWER_RATE_LIMITED},
                {451, GL_ANSWER_GONE},    {501, GL_ANSWER_REFUSED}};

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].status == reply->status)
            return rows[i].answer;
    return reply->status >= 400 && reply->status < 500 ? GL_ANSWER_REFUSED : GL_ANSWER_UNCLEAR;
}

enum gl_venue_answer gl_venue_judge(const struct gl_venue_rule *rules,
                                    const struct gl_http_reply *reply)
{
    /* A good answer holds what people wrote: its words mean nothing here. */
    if (reply->status >= 200 && reply->status < 300)
        return GL_ANSWER_OK;
    for (; rules != NULL && rules->answer != GL_ANSWER_NONE; rules++)
        if (fits(rules, reply))
            return rules->answer;
    if (reply->status == 403)
        return judge_403(reply);
    if (reply->status / 100 == 3 && leads_to_person(reply))
        return GL_ANSWER_PERSON;
    if (reply->status == 503 && reply->retry_after_s >= 0)
        return GL_ANSWER_RATE_LIMITED;
    return judge_status(reply);
}

static enum gl_errc code_of(enum gl_venue_answer answer, bool is_create)
{
    static const enum gl_errc codes[GL_ANSWERS] = {
        [GL_ANSWER_RATE_LIMITED] = GL_E_RATE_LIMIT, [GL_ANSWER_FORBIDDEN] = GL_E_PERMISSION,
        [GL_ANSWER_LOGIN] = GL_E_NO_CREDENTIAL,     [GL_ANSWER_PERSON] = GL_E_PERMISSION,
        [GL_ANSWER_GONE] = GL_E_NOT_FOUND,          [GL_ANSWER_ABSENT] = GL_E_NOT_FOUND,
        [GL_ANSWER_REFUSED] = GL_E_BAD_VALUE,       [GL_ANSWER_UNCLEAR] = GL_E_PROVIDER,
    };

    return is_create && answer == GL_ANSWER_UNCLEAR ? GL_E_OUTCOME : codes[answer];
}

/* ---- messages ---- */

/* "github: POST /repos/o/r/issues", without query: it may hold what is searched for. */
static void name_call(const struct gl_venue *venue, const struct gl_remote_call *call,
                      char out[200])
{
    const char *host = strstr(gl_str_text(&call->url), "://");
    const char *path = host != NULL ? strchr(host + 3, '/') : NULL;

    snprintf(out, 200, "%s: %s %.*s", venue->ops->name, call->method,
             path != NULL ? (int)strcspn(path, "?#") : 1, path != NULL ? path : "/");
}

/* Overwrite every occurrence. */
static void blot(char *text, const char *secret)
{
    size_t length = strlen(secret);

    if (length < 4)
        return;
    for (char *at = text; (at = strstr(at, secret)) != NULL; at += length)
        memset(at, '*', length);
}

/* Foreign words without anything of ours that is secret; the headers hold what was added. */
static void clean(const struct gl_venue *venue, const struct gl_remote_call *call, char *text)
{
    for (size_t i = 0; i < GL_VENUE_SECRETS; i++)
        if (venue->secrets[i].length > 1)
            blot(text, (const char *)venue->secrets[i].bytes);
    gl_remote_redact(call, text);
}

static const char *said_in(const json_t *root)
{
    static const char *const keys[] = {
        "message", "error_description", "Message", "description", "error", "detail"};
    const json_t *first;

    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const json_t *value = json_object_get(root, keys[i]);

        if (json_is_string(value))
            return json_string_value(value);
        if (json_is_object(value) && json_is_string(json_object_get(value, "message")))
            return json_string_value(json_object_get(value, "message"));
    }
    first = json_array_get(json_object_get(root, "errorMessages"), 0);
    return json_is_string(first) ? json_string_value(first) : "";
}

/* What the venue said, one printable line. */
static void read_said(const struct gl_venue *venue, const struct gl_remote_call *call,
                      char out[SAID_MAX])
{
    struct gl_error ignored = {0};
    GL_AUTO(gl_auto_json) json_t *root = NULL;

    out[0] = '\0';
    if (call->reply.body_length == 0)
        return;
    root = gl_json_parse(call->reply.body, call->reply.body_length, "answer", &ignored);
    if (root == NULL)
        return;
    gl_venue_show(said_in(root), out, SAID_MAX);
    clean(venue, call, out);
}

static int fail_answer(struct gl_venue *venue, const struct gl_remote_call *call,
                       struct gl_error *err)
{
    char what[200], said[SAID_MAX];
    const char *person =
        venue->answer == GL_ANSWER_PERSON ? "; open it in a browser and go on there" : "";

    name_call(venue, call, what);
    read_said(venue, call, said);
    return gl_fail(err, code_of(venue->answer, call->is_create), "%s: %s (HTTP %d)%s%s%s", what,
                   gl_venue_answer_word(venue->answer), call->reply.status,
                   said[0] != '\0' ? ": " : "", said, person);
}

/* ---- sending ---- */

static size_t split_headers(char *text, const char **out, size_t most)
{
    size_t count = 0;

    for (char *line = text; *line != '\0' && count < most;) {
        char *end = line + strcspn(line, "\n");

        out[count++] = line;
        line = *end == '\0' ? end : end + 1;
        *end = '\0';
    }
    out[count] = NULL;
    return count;
}

/* Nothing was asked where the connection never stood: what libcurl says only before it does. */
static bool is_unsent(const struct gl_error *why)
{
    static const char *const words[] = {"Failed to connect",       "Could not resolve",
                                        "no connection within",    "is not installed",
                                        "SSL certificate problem", "no alternative certificate"};

    if (why->code == GL_E_BAD_VALUE) /* no transport may send it */
        return true;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strstr(why->text, words[i]) != NULL)
            return true;
    return false;
}

static int send_once(struct gl_venue *venue, struct gl_remote_call *call, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *headers = gl_strdup(gl_str_text(&call->headers));
    size_t length = strlen(headers);
    const char *lines[GL_REMOTE_HEADERS + 1];
    struct gl_http_request request = {.method = call->method,
                                      .url = gl_str_text(&call->url),
                                      .headers = lines,
                                      .body = call->body.length > 0 ? call->body.text : NULL,
                                      .body_length = call->body.length,
                                      .timeout_ms = GL_VENUE_TIMEOUT_MS,
                                      .body_ceiling = GL_VENUE_CEILING,
                                      .carries_secret = true};
    struct gl_error why = {0};
    char what[200];
    int rc;

    split_headers(headers, lines, GL_REMOTE_HEADERS);
    rc = gl_http_send(venue->options->world->http, &request, &call->reply, &why);
    gl_wipe(headers, length);
    if (rc == 0)
        return 0;
    venue->answer = GL_ANSWER_UNCLEAR;
    clean(venue, call, why.text);
    name_call(venue, call, what);
    if (call->is_create && !is_unsent(&why) && why.code != GL_E_INTERRUPTED)
        return gl_fail(err, GL_E_OUTCOME, "%s: it is not known whether it arrived: %s", what,
                       why.text);
    if (call->is_create && why.code == GL_E_INTERRUPTED)
        return gl_fail(err, GL_E_OUTCOME, "%s: interrupted, it may have arrived", what);
    /* Too large is nothing that we said. */
    return gl_fail(err, why.code == GL_E_TOO_LARGE ? GL_E_BAD_REPLY : why.code, "%s: %s", what,
                   why.text);
}

static int exchange(struct gl_venue *venue, struct gl_remote_call *call, struct gl_error *err)
{
    venue->wait_s = -1;
    if (venue->options->world->http == NULL)
        return gl_fail(err, GL_E_NETWORK, "%s: the network is not to be used", venue->ops->name);
    if (send_once(venue, call, err) < 0)
        return -1;
    venue->wait_s = call->reply.retry_after_s;
    venue->answer = gl_venue_judge(venue->ops->rules, &call->reply);
    return venue->answer == GL_ANSWER_OK ? 0 : fail_answer(venue, call, err);
}

int gl_venue_exchange(struct gl_venue *venue, struct gl_remote_call *call, struct gl_error *err)
{
    if (venue->ops->authorize != NULL && venue->ops->authorize(venue, call, err) < 0) {
        venue->answer = err->code == GL_E_NO_CREDENTIAL ? GL_ANSWER_LOGIN : venue->answer;
        return -1;
    }
    return exchange(venue, call, err);
}

/* JSON counts, whatever type it is said to be. */
json_t *gl_venue_reply_json(struct gl_venue *venue, const struct gl_remote_call *call,
                            struct gl_error *err)
{
    struct gl_error why = {0};
    bool is_web_page = is_page(&call->reply);
    char what[200];
    json_t *root = NULL;

    if (call->reply.body_length > 0)
        root = gl_json_parse(call->reply.body, call->reply.body_length, "answer", &why);
    if (root != NULL)
        return root;
    name_call(venue, call, what);
    venue->answer = is_web_page ? GL_ANSWER_PERSON : GL_ANSWER_UNCLEAR;
    gl_fail(err,
            call->is_create ? GL_E_OUTCOME
            : is_web_page   ? GL_E_PERMISSION
                            : GL_E_BAD_REPLY,
            "%s: %s", what,
            is_web_page ? "a web page came back: needs a person; open it in a browser"
                        : "the answer is no JSON");
    return NULL;
}

void gl_venue_basic(struct gl_remote_call *call, const char *user, const char *suffix,
                    const char *password)
{
    GL_AUTO(gl_str_done) struct gl_str pair = {0};
    GL_AUTO(gl_auto_free) char *base64 = NULL;

    gl_str_addf(&pair, "%s%s:%s", user, suffix, password);
    base64 = gl_alloc(4 * ((pair.length + 2) / 3) + 1);
    gl_base64_text(pair.text, pair.length, base64);
    gl_remote_header(call, "Authorization", "Basic %s", base64);
    gl_wipe(pair.text, pair.length);
    gl_wipe(base64, strlen(base64));
}

json_t *gl_venue_get_json(struct gl_venue *venue, struct gl_remote_call *call, struct gl_error *err)
{
    call->method = "GET";
    if (gl_venue_exchange(venue, call, err) < 0)
        return NULL;
    return gl_venue_reply_json(venue, call, err);
}

int gl_venue_get_status(struct gl_venue *venue, struct gl_remote_call *call, const char *etag,
                        struct gl_venue_status *out, struct gl_error *err)
{
    GL_AUTO(gl_auto_json) json_t *root = NULL;

    call->method = "GET";
    if (etag != NULL)
        gl_remote_header(call, "If-None-Match", "%s", etag);
    if (gl_venue_exchange(venue, call, err) < 0)
        return -1;
    out->is_same = call->reply.status == 304;
    if (out->is_same)
        return 0;
    root = gl_venue_reply_json(venue, call, err);
    if (root == NULL || gl_venue_check_request(venue, root, err) < 0)
        return -1;
    gl_venue_read_status(venue, root, out);
    snprintf(out->etag, sizeof out->etag, "%s", call->reply.etag);
    return 0;
}

/* ---- tokens ---- */

int gl_venue_add_token(struct gl_venue *venue, struct gl_remote_call *call, const char *header,
                       const char *prefix, struct gl_error *err)
{
    bool is_read = strcmp(call->method, "GET") == 0;
    const char *token = "";

    if (gl_venue_secret(venue, "token", !is_read, &token, err) < 0)
        return -1;
    if (token[0] != '\0')
        gl_remote_header(call, header, "%s%s", prefix, token);
    return 0;
}

int gl_venue_fetch_token(struct gl_venue *venue, const struct gl_venue_tokens *tokens,
                         void *credential, struct gl_error *err)
{
    for (unsigned step = 0; step < GL_REMOTE_TOKEN_STEPS; step++) {
        GL_AUTO(gl_remote_call_done) struct gl_remote_call call = {0};
        struct gl_error why = {0};
        int rc = tokens->ask(credential, venue->options->world, &call, err);

        if (rc <= 0)
            return rc;
        if (exchange(venue, &call, &why) < 0)
            return gl_fail(err, why.code == GL_E_BAD_VALUE ? GL_E_NO_CREDENTIAL : why.code,
                           "no token: %s", why.text);
        if (tokens->read(credential, venue->options->world, &call, err) < 0)
            return -1;
    }
    return gl_fail(err, GL_E_NO_CREDENTIAL, "%s: no token after %d steps", venue->ops->name,
                   GL_REMOTE_TOKEN_STEPS);
}
