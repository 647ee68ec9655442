/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/remote_part.h"

#include "base/file.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHORTEST_QUOTE 12 /* bytes of a header that a message may not repeat */
#define SHORTEST_KEY   32 /* of a body */
#define SHORTEST_WORD  8  /* of a body that asks for credentials: passwords are short */
#define CA_CEILING     ((size_t)1 << 20)
#define LONGEST_ID     47 /* so many hex digits may be an id; more are a key or a token */

/* ---- building: buffers may hold secrets, so that a grown one is wiped before it goes ---- */

static void reserve(struct gl_str *str, size_t more)
{
    size_t capacity = str->capacity > 0 ? str->capacity : 256;
    char *text;

    if (str->length + more + 1 <= str->capacity)
        return;
    while (capacity < str->length + more + 1)
        capacity *= 2;
    text = gl_alloc(capacity);
    if (str->text != NULL) {
        memcpy(text, str->text, str->length);
        gl_wipe(str->text, str->capacity);
        free(str->text);
    }
    str->text = text;
    str->capacity = capacity;
}

static void wipe(struct gl_str *str)
{
    if (str->text != NULL)
        gl_wipe(str->text, str->capacity);
    gl_str_done(str);
}

/* A line break would be a header of somebody else's. */
static bool is_one_line(const char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < ' ' || *text == 0x7f)
            return false;
    return true;
}

void gl_remote_header(struct gl_remote_call *call, const char *name, const char *format, ...)
{
    char *value = NULL;
    va_list values;
    int length;

    va_start(values, format);
    length = vsnprintf(NULL, 0, format, values);
    va_end(values);
    value = gl_alloc((size_t)(length < 0 ? 0 : length) + 1);
    va_start(values, format);
    if (length > 0)
        vsnprintf(value, (size_t)length + 1, format, values);
    va_end(values);
    if (is_one_line(value)) {
        reserve(&call->headers, strlen(name) + strlen(value) + 3);
        gl_str_addf(&call->headers, "%s: %s\n", name, value);
    }
    gl_wipe(value, strlen(value));
    free(value);
}

void gl_remote_bearer(struct gl_remote_call *call, const struct gl_secret *token)
{
    gl_remote_header(call, "Authorization", "Bearer %.*s", (int)token->length,
                     (const char *)token->bytes);
}

void gl_remote_encode(struct gl_str *out, const char *text)
{
    for (const char *at = text; *at != '\0'; at++) {
        if (isalnum((unsigned char)*at) || strchr("-._~", *at) != NULL)
            gl_str_add_char(out, *at);
        else
            gl_str_addf(out, "%%%02X", (unsigned)(unsigned char)*at);
    }
}

void gl_remote_query(struct gl_remote_call *call, const char *name, const char *value)
{
    gl_str_add_char(&call->url, strchr(gl_str_text(&call->url), '?') != NULL ? '&' : '?');
    gl_remote_encode(&call->url, name);
    gl_str_add_char(&call->url, '=');
    gl_remote_encode(&call->url, value);
}

void gl_remote_form(struct gl_remote_call *call, const char *name, const char *value)
{
    if (call->body.length > 0)
        gl_str_add(&call->body, "&");
    gl_str_addf(&call->body, "%s=", name);
    gl_remote_encode(&call->body, value);
}

void gl_remote_form_secret(struct gl_remote_call *call, const char *name,
                           const struct gl_secret *value)
{
    char *text = gl_alloc(value->length + 1);

    memcpy(text, value->bytes, value->length);
    gl_remote_form(call, name, text);
    gl_wipe(text, value->length);
    free(text);
}

void gl_remote_body_text(struct gl_remote_call *call, const char *text)
{
    reserve(&call->body, strlen(text));
    gl_str_add(&call->body, text);
}

void gl_remote_body_json(struct gl_remote_call *call, const json_t *body)
{
    size_t length = json_dumpb(body, NULL, 0, JSON_COMPACT | JSON_ENCODE_ANY);

    reserve(&call->body, length);
    json_dumpb(body, call->body.text + call->body.length, length, JSON_COMPACT | JSON_ENCODE_ANY);
    call->body.length += length;
    call->body.text[call->body.length] = '\0';
    gl_remote_header(call, "Content-Type", "application/json");
}

void gl_remote_call_done(struct gl_remote_call *call)
{
    wipe(&call->url);
    wipe(&call->headers);
    wipe(&call->body);
    if (call->reply.body != NULL)
        gl_wipe(call->reply.body, call->reply.body_length);
    gl_http_reply_done(&call->reply);
}

/* ---- messages ---- */

char *gl_remote_what(const struct gl_remote *remote, const struct gl_remote_call *call,
                     char out[GL_REMOTE_WHAT])
{
    const char *url = gl_str_text(&call->url), *host = strstr(url, "://");
    const char *path = host != NULL ? strchr(host + 3, '/') : url;

    snprintf(out, GL_REMOTE_WHAT, "%s%s%s: %s %.*s", remote->cloud.ops->name,
             call->region != NULL ? " in " : "", call->region != NULL ? call->region : "",
             call->method, path != NULL ? (int)strcspn(path, "?#") : 1, path != NULL ? path : "/");
    return out;
}

static bool is_key_char(char c)
{
    return isalnum((unsigned char)c) || (c != '\0' && strchr("+/_=-.~", c) != NULL);
}

/* The bytes are not NUL-terminated on either side. */
static bool is_in(const struct gl_str *where, const char *run, size_t length)
{
    return where->length > 0 && memmem(where->text, where->length, run, length) != NULL;
}

/* In the body as it is, or as a form writes it. */
static bool is_in_body(const struct gl_remote_call *call, const char *run, size_t length)
{
    size_t shortest = call->is_open && call->has_secret ? SHORTEST_WORD : SHORTEST_KEY;
    struct gl_str word = {0}, coded = {0};
    bool is_it;

    if (length < shortest || call->body.length == 0)
        return false;
    gl_str_add_bytes(&word, run, length);
    gl_remote_encode(&coded, gl_str_text(&word));
    is_it = is_in(&call->body, run, length) || is_in(&call->body, coded.text, coded.length);
    wipe(&word);
    wipe(&coded);
    return is_it;
}

static bool is_quoted(const struct gl_remote_call *call, const char *run, size_t length)
{
    return (length >= SHORTEST_QUOTE && is_in(&call->headers, run, length)) ||
           is_in_body(call, run, length);
}

/* As a whole, or a part of it: "token=SECRET" and "SECRET." are quotations, too. */
static bool holds_quotation(const struct gl_remote_call *call, const char *run, size_t length)
{
    if (is_quoted(call, run, length))
        return true;
    for (size_t at = 0; at < length;) {
        size_t part = 0;

        while (at + part < length && strchr("=./+~", run[at + part]) == NULL)
            part++;
        if (part > 0 && part < length && is_quoted(call, run + at, part))
            return true;
        at += part + 1;
    }
    return false;
}

void gl_remote_redact(const struct gl_remote_call *call, char *text)
{
    for (char *run = text; *run != '\0';) {
        size_t length = 0;

        while (is_key_char(run[length]))
            length++;
        if (strspn(run, "0123456789abcdefABCDEF") > LONGEST_ID ||
            holds_quotation(call, run, length))
            memset(run, '*', length);
        run += length > 0 ? length : 1;
    }
}

void gl_remote_call_fail(const struct gl_remote *remote, struct gl_remote_call *call,
                         const struct gl_error *why)
{
    const char *name = remote->cloud.ops->name;
    bool is_named = strncmp(why->text, name, strlen(name)) == 0;
    char what[GL_REMOTE_WHAT];

    gl_error_clear(&call->err);
    call->failure = (struct gl_cloud_failure){.retry_after_ms = -1};
    gl_fail(&call->err, why->code, "%s%s%s", is_named ? "" : gl_remote_what(remote, call, what),
            is_named ? "" : ": ", why->text);
}

/* ---- the request ---- */

void gl_remote_tried_init(struct gl_remote_tried *tried, const struct gl_remote_call *call)
{
    *tried = (struct gl_remote_tried){.own_headers = call->headers.length};
}

/* What an earlier try has added goes. */
static void cut_headers(struct gl_remote_call *call, size_t length)
{
    if (call->headers.length <= length)
        return;
    gl_wipe(call->headers.text + length, call->headers.length - length);
    call->headers.length = length;
}

/* An instance's own metadata is never asked by way of a proxy. */
static bool is_metadata(const char *url)
{
    const char *host = strstr(url, "://");

    return host != NULL &&
           (strncmp(host, "://169.254.", 11) == 0 || strncmp(host, "://[fd00:ec2::254]", 18) == 0 ||
            strncmp(host, "://metadata.google.internal", 27) == 0);
}

static int split_lines(const struct gl_remote_call *call, struct gl_remote_request *out,
                       struct gl_error *err)
{
    size_t count = 0;
    char *line;

    out->copy_length = call->headers.length;
    out->copy = gl_alloc(out->copy_length + 1);
    if (out->copy_length > 0)
        memcpy(out->copy, call->headers.text, out->copy_length);
    line = out->copy;
    for (char *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        *end = '\0';
        if (count == GL_REMOTE_HEADERS)
            return gl_fail(err, GL_E_INTERNAL, "a call with more than %d headers",
                           GL_REMOTE_HEADERS);
        out->lines[count++] = line;
    }
    out->lines[count] = NULL;
    return 0;
}

static int64_t timeout_of(const struct gl_remote *remote, const struct gl_remote_call *call)
{
    int64_t own = call->timeout_ms > 0 ? call->timeout_ms : GL_REMOTE_TIMEOUT_MS;
    int64_t left = gl_remote_left_ms(remote);

    return own < left ? own : left;
}

static int load_ca(struct gl_remote *remote, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *pem = NULL;
    struct gl_error why = {0};
    size_t length;

    if (remote->ca_file[0] == '\0' || remote->ca_pem.length > 0)
        return 0;
    if (gl_file_read_given(remote->ca_file, CA_CEILING, &pem, &length, &why) < 0)
        return gl_fail(err, GL_E_CONFIG, "its certificate authorities (cacert): %s", why.text);
    gl_str_add_bytes(&remote->ca_pem, pem, length);
    return 0;
}

int gl_remote_ready(struct gl_remote *remote, struct gl_remote_call *call,
                    struct gl_remote_tried *tried, struct gl_remote_request *out,
                    struct gl_error *err)
{
    bool must_renew = tried->must_renew;

    *out = (struct gl_remote_request){.copy = NULL};
    cut_headers(call, tried->own_headers);
    tried->must_renew = false;
    tried->renewals = remote->renewals;
    if (load_ca(remote, err) < 0 ||
        (!call->is_open && remote->ops->authorize(remote, call, must_renew, err) < 0))
        return -1;
    if (timeout_of(remote, call) <= 0)
        return gl_fail(err, GL_E_TIMEOUT, "no time is left for it; it was not sent");
    if (split_lines(call, out, err) < 0) {
        gl_remote_request_done(out);
        return -1;
    }
    out->request = (struct gl_http_request){
        .method = call->method,
        .url = gl_str_text(&call->url),
        .headers = out->lines,
        .body = call->body.length > 0 ? call->body.text : NULL,
        .body_length = call->body.length,
        .timeout_ms = timeout_of(remote, call),
        .body_ceiling = call->ceiling > 0 ? call->ceiling : GL_REMOTE_CEILING,
        .carries_secret = !call->is_open || call->has_secret,
        .is_direct = call->is_direct || is_metadata(gl_str_text(&call->url)),
        .ca_pem = remote->ca_pem.length > 0 ? remote->ca_pem.text : NULL,
        .client_cert_pem = remote->client_cert_pem.length > 0 ? remote->client_cert_pem.text : NULL,
        .client_key_pem = (const char *)remote->client_key_pem.bytes,
        .proxy_url = remote->proxy_url,
        .tls_name = remote->tls_name,
    };
    return 0;
}

void gl_remote_request_done(struct gl_remote_request *request)
{
    if (request->copy != NULL)
        gl_wipe(request->copy, request->copy_length);
    free(request->copy);
    request->copy = NULL;
}
