/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/azure.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WAIT_MS     2000 /* between two looks, where Azure names no time */
#define WAIT_MIN_MS 100
#define WAIT_MAX_MS 60000
#define OPERATE_MS  900000
#define TROUBLE_MAX 5 /* looks in a row that fail */
#define GONE_LOOKS  30

void gl_azure_begin(struct gl_azure *azure)
{
    gl_remote_begin(&azure->remote, GL_REMOTE_DEADLINE_MS);
}

void gl_azure_call(const struct gl_azure *azure, struct gl_remote_call *call, const char *method,
                   const char *version, const char *path, ...)
{
    char text[512];
    va_list args;

    va_start(args, path);
    vsnprintf(text, sizeof text, path, args);
    va_end(args);
    call->method = method;
    gl_str_addf(&call->url, "%s/subscriptions/%s%s", azure->endpoint, azure->subscription, text);
    gl_remote_query(call, "api-version", version);
}

void gl_azure_path(const char *group, const char *kind, const char *name, char out[GL_AZURE_PATH])
{
    snprintf(out, GL_AZURE_PATH, "/resourceGroups/%.40s/providers/Microsoft.Compute/%.20s/%.80s",
             group, kind, name);
}

/* ---- origins ---- */

/* "https://host:443" and "https://host" are one. */
static size_t origin_of(const char *url, char out[300])
{
    const char *host = strstr(url, "://");
    size_t length = host != NULL ? (size_t)(host + 3 - url) + strcspn(host + 3, "/?#") : 0;

    if (length == 0 || length >= 300 || memchr(url, '@', length) != NULL ||
        memchr(url, '\\', length) != NULL)
        return 0;
    if (strncmp(url, "https://", 8) == 0 && length > 12 &&
        strncmp(url + length - 4, ":443", 4) == 0)
        length -= 4;
    memcpy(out, url, length);
    out[length] = '\0';
    return length;
}

bool gl_azure_is_same_origin(const char *base, const char *url)
{
    char a[300], b[300];

    return origin_of(base, a) > 0 && origin_of(url, b) > 0 && strcasecmp(a, b) == 0;
}

/* ---- operations: accepted first, done later ---- */

/* What an answer says of how to go on. */
struct operation {
    char url[GL_AZURE_URL]; /* "" = it was done at once */
    bool is_async;          /* Azure-AsyncOperation: its body has a status; else Location: 202 */
    int64_t wait_ms;
};

static int64_t wait_of(const struct gl_http_reply *reply)
{
    int64_t ms = reply->retry_after_s >= 0 ? reply->retry_after_s * 1000 : WAIT_MS;

    return ms < WAIT_MIN_MS ? WAIT_MIN_MS : ms > WAIT_MAX_MS ? WAIT_MAX_MS : ms;
}

/* Only where the call itself went: the token goes there. */
static int read_operation(const struct gl_azure *azure, const struct gl_http_reply *reply,
                          struct operation *out, struct gl_error *err)
{
    *out = (struct operation){.wait_ms = wait_of(reply)};
    if (gl_http_reply_header(reply, "azure-asyncoperation", out->url, sizeof out->url))
        out->is_async = true;
    else if (reply->status != 202)
        return 0;
    else if (!gl_http_reply_header(reply, "location", out->url, sizeof out->url))
        return gl_fail(err, GL_E_OUTCOME,
                       "azure: accepted, and not said where its end can be looked for");
    if (!gl_azure_is_same_origin(azure->endpoint, out->url))
        return gl_fail(err, GL_E_OUTCOME,
                       "azure: the operation's end is to be looked for at "
                       "another host; it was not asked");
    return 0;
}

static int fail_operation(struct gl_azure *azure, const json_t *root, struct gl_error *err)
{
    struct gl_remote_word word = {0};
    struct gl_cloud_failure *failure = &azure->remote.cloud.failure;
    char shown[GL_TEXT_SHOWN];
    enum gl_errc code;
    GL_AUTO(gl_str_done) struct gl_str clean = {.ceiling = sizeof word.text};

    *failure = (struct gl_cloud_failure){.retry_after_ms = -1};
    if (!gl_azure_error_of(json_object_get(root, "error"), &word))
        snprintf(word.word, sizeof word.word, "%s",
                 json_string_value(json_object_get(root, "status")));
    code = gl_remote_code(gl_azure_rules, 500, word.word, word.text, &failure->reach);
    snprintf(failure->word, sizeof failure->word, "%.63s", word.word);
    gl_str_add_printable(&clean, word.text, strlen(word.text));
    return gl_fail(err, code, "azure: %s%s%s", gl_text_show(word.word, shown),
                   clean.length > 0 ? ": " : "", gl_str_text(&clean));
}

/* 1 done, 0 not yet, -1 its error. */
static int read_status(struct gl_azure *azure, const struct operation *operation,
                       const struct gl_remote_call *call, struct gl_error *err)
{
    GL_AUTO(gl_auto_json) json_t *root = NULL;
    struct gl_error unread = {0};
    const char *status;

    if (!operation->is_async)
        return call->reply.status != 202;
    root = gl_remote_reply_json(call, &unread);
    status = json_string_value(json_object_get(root, "status"));
    if (status == NULL)
        return gl_fail(err, GL_E_OUTCOME, "azure: the answer is no operation");
    if (strcasecmp(status, "Succeeded") == 0)
        return 1;
    if (strcasecmp(status, "Failed") == 0 || strcasecmp(status, "Canceled") == 0)
        return fail_operation(azure, root, err);
    return 0;
}

/* Location: what is no success is the operation's own error, unless it is the look that failed. */
static bool is_trouble(const struct operation *operation, enum gl_errc code)
{
    switch (code) {
    case GL_E_RATE_LIMIT:
    case GL_E_PROVIDER:
    case GL_E_NETWORK:
    case GL_E_TIMEOUT:
    case GL_E_BUSY:
        return true;
    case GL_E_NOT_FOUND: /* not shown yet */
        return operation->is_async;
    default:
        return false;
    }
}

static int unknown(const struct gl_error *trouble, struct gl_error *err)
{
    return gl_fail(err, trouble->code == GL_E_INTERRUPTED ? trouble->code : GL_E_OUTCOME, "%s",
                   trouble->text);
}

/* From here on it is accepted: whatever hinders our looking leaves the outcome unknown. */
static int follow(struct gl_azure *azure, struct operation *operation, struct gl_error *err)
{
    unsigned troubles = 0;

    gl_remote_begin(&azure->remote, OPERATE_MS);
    for (;;) {
        struct gl_remote_call call = {.method = "GET"};
        struct gl_error trouble = {0};
        int rc = 0;

        if (gl_remote_wait(&azure->remote, operation->wait_ms, &trouble) != 0)
            return unknown(&trouble, err);
        gl_str_add(&call.url, operation->url);
        if (gl_remote_send(&azure->remote, &call, &trouble) == 0) {
            rc = read_status(azure, operation, &call, err);
            operation->wait_ms = wait_of(&call.reply);
            troubles = 0;
        } else if (!is_trouble(operation, trouble.code) && !operation->is_async)
            rc = gl_fail(err, trouble.code, "%s", trouble.text);
        else if (!is_trouble(operation, trouble.code) || ++troubles > TROUBLE_MAX)
            rc = unknown(&trouble, err);
        gl_remote_call_done(&call);
        if (rc != 0)
            return rc > 0 ? 0 : -1;
    }
}

int gl_azure_operate(struct gl_azure *azure, struct gl_remote_call *call, bool *out_is_accepted,
                     struct gl_error *err)
{
    struct operation operation;
    int sent = gl_remote_send(&azure->remote, call, err);

    if (out_is_accepted != NULL)
        *out_is_accepted = sent == 0;
    if (sent != 0 || read_operation(azure, &call->reply, &operation, err) != 0)
        return -1;
    return operation.url[0] == '\0' ? 0 : follow(azure, &operation, err);
}

/* ---- lists ---- */

int gl_azure_next(const json_t *page, const char *key, const char *base, const char **out,
                  struct gl_error *err)
{
    const char *next = json_string_value(json_object_get(page, key));

    if (next == NULL || next[0] == '\0')
        return 0;
    if (strlen(next) >= GL_AZURE_URL || !gl_azure_is_same_origin(base, next))
        return gl_fail(err, GL_E_BAD_REPLY, "azure: the next page is at another host");
    *out = next;
    return 1;
}

int gl_azure_each(struct gl_azure *azure, struct gl_remote_call *call,
                  const struct gl_azure_pages *pages, struct gl_error *err)
{
    bool is_open = call->is_open;

    for (unsigned i = 0; i < pages->most; i++) {
        GL_AUTO(gl_auto_json) json_t *page = gl_remote_json(&azure->remote, call, err);
        const json_t *rows = json_object_get(page, pages->items), *row;
        const char *next = NULL, *region = call->region;
        size_t k;
        int more;

        gl_remote_call_done(call);
        if (page == NULL)
            return -1;
        if (!json_is_array(rows))
            return gl_fail(err, GL_E_BAD_REPLY, "azure: a list without \"%s\"", pages->items);
        json_array_foreach(rows, k, row) pages->read(pages->cookie, row);
        more = gl_azure_next(page, pages->next, pages->base, &next, err);
        if (more <= 0)
            return more;
        *call = (struct gl_remote_call){.method = "GET", .region = region, .is_open = is_open};
        gl_str_add(&call->url, next);
    }
    gl_remote_call_done(call);
    return gl_fail(err, GL_E_BAD_REPLY, "azure: a list of more than %u pages", pages->most);
}

/* ---- one resource ---- */

int gl_azure_get(struct gl_azure *azure, const char *version, const char *path, json_t **out,
                 struct gl_error *err)
{
    struct gl_remote_call call = {0};
    struct gl_error trouble = {0};
    json_t *root;

    gl_azure_call(azure, &call, "GET", version, "%s", path);
    root = gl_remote_json(&azure->remote, &call, &trouble);
    gl_remote_call_done(&call);
    if (root != NULL) {
        *out = root;
        return 1;
    }
    return trouble.code == GL_E_NOT_FOUND ? 0 : gl_fail(err, trouble.code, "%s", trouble.text);
}

/* The end of a delete does not always show at once. */
static int see_gone(struct gl_azure *azure, const char *version, const char *path,
                    struct gl_error *err)
{
    for (unsigned i = 0; i < GONE_LOOKS; i++) {
        GL_AUTO(gl_auto_json) json_t *root = NULL;
        int got = gl_azure_get(azure, version, path, &root, err);

        if (got <= 0)
            return got;
        if (gl_remote_wait(&azure->remote, WAIT_MS, err) != 0)
            return -1;
    }
    return gl_fail(err, GL_E_PROVIDER, "azure: %s is still there after it was deleted", path);
}

int gl_azure_delete(struct gl_azure *azure, const char *version, const char *path,
                    struct gl_error *err)
{
    struct gl_remote_call call = {0};
    struct gl_error refused = {0};
    int rc;

    gl_azure_call(azure, &call, "DELETE", version, "%s", path);
    if (strstr(path, "/virtualMachines/") != NULL)
        gl_remote_query(&call, "forceDeletion", "true");
    rc = gl_azure_operate(azure, &call, NULL, &refused);
    gl_remote_call_done(&call);
    if (rc != 0 && refused.code == GL_E_NOT_FOUND)
        return 0;
    if (rc != 0)
        return gl_fail(err, refused.code, "%s", refused.text);
    gl_azure_begin(azure);
    return see_gone(azure, version, path, err);
}
