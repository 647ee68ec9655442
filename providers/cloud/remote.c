/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/remote_part.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WAIT_SLICE_MS 200 /* is_cancelled is asked as often */

/* ---- the head ---- */

void gl_remote_init(struct gl_remote *remote, const struct gl_cloud_ops *cloud_ops,
                    const struct gl_remote_ops *ops, const struct gl_cloud_options *options)
{
    remote->cloud.ops = cloud_ops;
    remote->ops = ops;
    remote->world = options->world;
    remote->http = options->world->http;
    remote->is_cancelled = options->is_cancelled;
    remote->cookie = options->cookie;
}

void gl_remote_done(struct gl_remote *remote)
{
    gl_str_done(&remote->ca_pem);
    gl_str_done(&remote->client_cert_pem);
    gl_secret_done(&remote->client_key_pem);
}

static bool is_loopback(const char *url)
{
    static const char *const hosts[] = {"http://127.0.0.1", "http://localhost", "http://[::1]"};

    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
        size_t length = strlen(hosts[i]);

        if (strncmp(url, hosts[i], length) == 0 &&
            (url[length] == '\0' || url[length] == ':' || url[length] == '/'))
            return true;
    }
    return false;
}

/* "https://user:password@host" is often written: what stands in it is not shown. */
static int fail_endpoint(const struct gl_cloud_ops *ops, const char *value, struct gl_error *err)
{
    char shown[GL_TEXT_SHOWN];

    if (strchr(value, '@') != NULL)
        return gl_fail(err, GL_E_CONFIG,
                       "%s: the endpoint holds a user name or a password: leave it out", ops->name);
    return gl_fail(err, GL_E_CONFIG,
                   "%s: the endpoint %s is no https:// address (http:// only on this machine)",
                   ops->name, gl_text_show(value, shown));
}

int gl_remote_endpoint(const struct gl_cloud_ops *ops, const struct gl_cloud_options *options,
                       const char *fallback, char out[256], struct gl_error *err)
{
    const char *value = gl_cloud_setting(ops, options, "endpoint");
    size_t length;

    if (value == NULL || value[0] == '\0')
        value = fallback;
    length = strlen(value);
    while (length > 0 && value[length - 1] == '/')
        length--;
    if (length >= 256 || (strncmp(value, "https://", 8) != 0 && !is_loopback(value)) ||
        strpbrk(value, "@?# \t\r\n\\\"") != NULL)
        return fail_endpoint(ops, value, err);
    memcpy(out, value, length);
    out[length] = '\0';
    return 0;
}

/* ---- time ---- */

static int64_t monotonic_ms(const struct gl_remote *remote)
{
    return remote->world->monotonic_ms(remote->world->cookie);
}

void gl_remote_begin(struct gl_remote *remote, int64_t deadline_ms)
{
    remote->deadline_ms = monotonic_ms(remote) + deadline_ms;
    remote->cloud.failure = (struct gl_cloud_failure){.retry_after_ms = -1};
}

int64_t gl_remote_left_ms(const struct gl_remote *remote)
{
    return remote->deadline_ms == 0 ? INT64_MAX : remote->deadline_ms - monotonic_ms(remote);
}

static bool is_watched_cancelled(void *cookie)
{
    const struct gl_remote_watch *watch = cookie;

    return (watch->launch->is_cancelled != NULL &&
            watch->launch->is_cancelled(watch->launch->cookie)) ||
           (watch->before != NULL && watch->before(watch->cookie));
}

void gl_remote_watch(struct gl_remote *remote, const struct gl_launch *launch,
                     struct gl_remote_watch *out)
{
    *out = (struct gl_remote_watch){launch, remote->is_cancelled, remote->cookie};
    remote->is_cancelled = is_watched_cancelled;
    remote->cookie = out;
}

void gl_remote_unwatch(struct gl_remote *remote, const struct gl_remote_watch *watch)
{
    remote->is_cancelled = watch->before;
    remote->cookie = watch->cookie;
}

static bool is_cancelled(const struct gl_remote *remote)
{
    return remote->is_cancelled != NULL && remote->is_cancelled(remote->cookie);
}

int gl_remote_wait(struct gl_remote *remote, int64_t ms, struct gl_error *err)
{
    int64_t until = monotonic_ms(remote) + ms;

    if (ms > gl_remote_left_ms(remote))
        return gl_fail(err, GL_E_TIMEOUT, "%s: no time is left to wait %lld s more",
                       remote->cloud.ops->name, (long long)(ms + 999) / 1000);
    for (int64_t left = ms; left > 0; left = until - monotonic_ms(remote)) {
        if (is_cancelled(remote))
            return gl_fail(err, GL_E_INTERRUPTED, "%s: given up while waiting",
                           remote->cloud.ops->name);
        remote->world->sleep_ms(remote->world->cookie, left < WAIT_SLICE_MS ? left : WAIT_SLICE_MS);
    }
    return 0;
}

/* ---- one call ---- */

/* What authorize() needs, step by step; after the last one it is asked whether that was all. */
static int fetch_token(struct gl_remote *remote, struct gl_remote_tried *tried,
                       struct gl_error *err)
{
    bool is_renewed = tried->must_renew;

    if (remote->ops->token_ask == NULL)
        return 0;
    for (unsigned step = 0; step <= GL_REMOTE_TOKEN_STEPS; step++) {
        GL_AUTO(gl_remote_call_done) struct gl_remote_call call = {.method = NULL};
        int asked = remote->ops->token_ask(remote, is_renewed, &call, err);

        if (asked == GL_REMOTE_TOKEN_WAITS)
            gl_error_clear(err); /* nobody else waits: authorize() may */
        if (asked <= 0 || asked == GL_REMOTE_TOKEN_WAITS)
            return asked < 0 ? -1 : 0;
        if (step == GL_REMOTE_TOKEN_STEPS)
            break;
        is_renewed = false;
        call.is_open = call.has_secret = true;
        if (gl_remote_send(remote, &call, err) < 0) {
            if (!remote->ops->hears_failure)
                return -1;
            gl_error_clear(err);
        }
        if (remote->ops->token_read(remote, &call, err) < 0)
            return -1;
    }
    return gl_fail(err, GL_E_BAD_REPLY, "%s: credentials take more than %d steps",
                   remote->cloud.ops->name, GL_REMOTE_TOKEN_STEPS);
}

static bool ask_cancelled(void *cookie)
{
    return is_cancelled(cookie);
}

/* A call that creates is seen to its end: what it made could not be told otherwise. */
static int send_cancellable(struct gl_remote *remote, const struct gl_remote_call *call,
                            const struct gl_http_request *request, struct gl_http_reply *out,
                            struct gl_error *err)
{
    struct gl_http *http = remote->http;
    bool (*before)(void *cookie) = http->is_cancelled;
    void *cookie = http->cancel_cookie;
    int result;

    http->is_cancelled = call->is_create || remote->is_cancelled == NULL ? NULL : ask_cancelled;
    http->cancel_cookie = remote;
    result = gl_http_send(http, request, out, err);
    http->is_cancelled = before;
    http->cancel_cookie = cookie;
    return result;
}

static enum gl_remote_next send_once(struct gl_remote *remote, struct gl_remote_call *call,
                                     struct gl_remote_tried *tried)
{
    struct gl_remote_request request;
    struct gl_http_reply reply = {.retry_after_s = -1};
    struct gl_error sent = {0};
    enum gl_remote_next next;

    if (is_cancelled(remote))
        gl_fail(&sent, GL_E_INTERRUPTED, "given up before it was sent");
    else if ((!call->is_open && fetch_token(remote, tried, &sent) < 0) ||
             gl_remote_ready(remote, call, tried, &request, &sent) < 0) {
    } else {
        send_cancellable(remote, call, &request.request, &reply, &sent);
        next = gl_remote_judge(remote, call, tried, &reply, &sent);
        gl_remote_request_done(&request);
        return next;
    }
    gl_remote_call_fail(remote, call, &sent);
    return GL_REMOTE_DONE;
}

static int keep_failure(struct gl_remote *remote, const struct gl_remote_call *call,
                        struct gl_error *err)
{
    if (call->err.code == GL_OK)
        return 0;
    remote->cloud.failure = call->failure;
    if (err->code == GL_OK)
        *err = call->err;
    return -1;
}

int gl_remote_send(struct gl_remote *remote, struct gl_remote_call *call, struct gl_error *err)
{
    struct gl_remote_tried tried;
    struct gl_error why = {0};

    gl_remote_tried_init(&tried, call);
    gl_error_clear(&call->err);
    if (remote->http == NULL) {
        struct gl_error ignored = {0};

        /* Who has no credentials is told so, with or without a network. */
        if (!call->is_open && remote->ops->authorize(remote, call, false, &ignored) < 0 &&
            ignored.code == GL_E_NO_CREDENTIAL)
            why = ignored;
        gl_fail(&why, GL_E_NETWORK, "not asked: this command is offline");
        gl_remote_call_fail(remote, call, &why);
        return keep_failure(remote, call, err);
    }
    while (send_once(remote, call, &tried) != GL_REMOTE_DONE)
        if (gl_remote_wait(remote, tried.wait_ms, &why) < 0) {
            gl_remote_call_fail(remote, call, &why);
            break;
        }
    return keep_failure(remote, call, err);
}

/* ---- JSON ---- */

json_t *gl_remote_reply_json(const struct gl_remote_call *call, struct gl_error *err)
{
    const struct gl_http_reply *reply = &call->reply;
    enum gl_errc code = call->is_create ? GL_E_OUTCOME : GL_E_BAD_REPLY;
    char shown[GL_TEXT_SHOWN];
    struct gl_error why = {0};
    json_t *value = NULL;

    if (strcasestr(reply->content_type, "json") == NULL)
        gl_fail(err, code, "the answer is not JSON but \"%s\"",
                gl_text_show(reply->content_type, shown));
    else if ((value = gl_json_parse(reply->body != NULL ? reply->body : "", reply->body_length,
                                    "the answer", &why)) == NULL)
        /* The parser quotes what it could not read: half a token, perhaps. */
        gl_fail(err, code, "%s", call->has_secret ? "the answer is not valid JSON" : why.text);
    return value;
}

json_t *gl_remote_json(struct gl_remote *remote, struct gl_remote_call *call, struct gl_error *err)
{
    json_t *value;
    char what[GL_REMOTE_WHAT];

    if (gl_remote_send(remote, call, err) < 0)
        return NULL;
    value = gl_remote_reply_json(call, err);
    if (value == NULL)
        gl_wrap(err, "%s", gl_remote_what(remote, call, what));
    return value;
}
