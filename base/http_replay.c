/* SPDX-License-Identifier: Apache-2.0 */
#include "base/http_part.h"

#include "base/file.h"
#include "base/sign.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A recording is a file of its own for every "METHOD URL": a status line, headers, a blank line
 * and the body, or one line "ERROR network", "ERROR timeout" or "ERROR secret". */

#define HEADERS_CEILING ((size_t)64 << 10)
#define ERROR_NETWORK   "ERROR network"
#define ERROR_TIMEOUT   "ERROR timeout"
#define ERROR_SECRET    "ERROR secret"
#define REDACTED        "REDACTED"

/* Path of the recording of "METHOD URL", to be freed. */
static char *recording_path(const char *folder, const char *method, const char *url)
{
    GL_AUTO(gl_str_done) struct gl_str key = {0};
    struct gl_hash hash;
    char name[GL_HASH_HEX + sizeof ".http"];

    gl_str_addf(&key, "%s %s", method, url);
    gl_hash_of(gl_str_text(&key), key.length, &hash);
    gl_hash_hex(&hash, name);
    memcpy(name + GL_HASH_HEX - 1, ".http", sizeof ".http");
    return gl_path_join(folder, name);
}

/* ---- replay ---- */

struct replay_http {
    struct gl_http http;
    char *folder;
};

/* Take the next line off *rest, without its line end; false at the end. */
static bool next_line(struct gl_view *rest, struct gl_view *out)
{
    const char *end = rest->length > 0 ? memchr(rest->text, '\n', rest->length) : NULL;

    if (end == NULL)
        return false;
    *out = (struct gl_view){rest->text, (size_t)(end - rest->text)};
    rest->length -= out->length + 1;
    rest->text = end + 1;
    if (out->length > 0 && out->text[out->length - 1] == '\r')
        out->length--;
    return true;
}

static bool is_text(struct gl_view view, const char *text)
{
    return view.length == strlen(text) && memcmp(view.text, text, view.length) == 0;
}

/* Status line and headers; *rest becomes the body. */
static int read_head(struct gl_view *rest, struct gl_http_headers *headers,
                     struct gl_http_reply *reply, const char *what, struct gl_error *err)
{
    struct gl_view line;
    int status;

    if (!next_line(rest, &line))
        return gl_fail(err, GL_E_NETWORK, "%s: not a recording", what);
    if (is_text(line, ERROR_NETWORK))
        return gl_fail(err, GL_E_NETWORK, "%s: recorded network failure", what);
    if (is_text(line, ERROR_TIMEOUT))
        return gl_fail(err, GL_E_TIMEOUT, "%s: recorded timeout", what);
    if (is_text(line, ERROR_SECRET))
        return gl_fail(err, GL_E_NETWORK, "%s: not recorded, because it carried a secret", what);
    status = gl_http_status_parse(line.text, line.length);
    if (status < 0)
        return gl_fail(err, GL_E_NETWORK, "%s: not a recording", what);
    gl_http_headers_init(headers, reply, status);
    while (next_line(rest, &line)) {
        if (line.length == 0)
            return 0;
        gl_http_headers_line(headers, line.text, line.length);
    }
    return gl_fail(err, GL_E_NETWORK, "%s: the recording ends within its headers", what);
}

static int replay_parse(const char *bytes, size_t length, const struct gl_http_request *request,
                        struct gl_http_reply *out, struct gl_error *err)
{
    GL_AUTO(gl_http_headers_done) struct gl_http_headers headers = {0};
    struct gl_view rest = {bytes, length};
    struct gl_http_reply reply;
    char what[GL_HTTP_WHAT];

    gl_http_what(request, what);
    if (read_head(&rest, &headers, &reply, what, err) < 0)
        return -1;
    if (headers.text.is_cut)
        return gl_fail(err, GL_E_TOO_LARGE, "%s: the headers are larger than %zu bytes", what,
                       GL_HTTP_HEADER_CEILING);
    if (rest.length > gl_http_ceiling(request))
        return gl_fail(err, GL_E_TOO_LARGE, "%s: the answer is larger than %zu bytes", what,
                       gl_http_ceiling(request));
    gl_http_headers_end(&headers);
    reply.body = gl_alloc(rest.length + 1);
    memcpy(reply.body, rest.text, rest.length);
    reply.body_length = rest.length;
    *out = reply;
    return 0;
}

static int replay_send(struct gl_http *http, const struct gl_http_request *request,
                       struct gl_http_reply *out, struct gl_error *err)
{
    const struct replay_http *self = (const struct replay_http *)http;
    GL_AUTO(gl_auto_free) char *path = recording_path(self->folder, request->method, request->url);
    GL_AUTO(gl_auto_free) char *bytes = NULL;
    struct gl_error trouble = {0};
    char what[GL_HTTP_WHAT];
    size_t length;

    if (gl_file_read(path, HEADERS_CEILING + gl_http_ceiling(request), &bytes, &length, &trouble) ==
        0)
        return replay_parse(bytes, length, request, out, err);
    gl_http_what(request, what);
    if (trouble.sys == ENOENT)
        return gl_fail(err, GL_E_NETWORK, "%s: not recorded", what);
    return gl_fail(err, trouble.code == GL_E_TOO_LARGE ? GL_E_TOO_LARGE : GL_E_NETWORK, "%s: %s",
                   what, trouble.text);
}

static void replay_close(struct gl_http *http)
{
    struct replay_http *self = (struct replay_http *)http;

    free(self->folder);
    free(self);
}

struct gl_http *gl_http_replay_new(const char *folder)
{
    static const struct gl_http_ops ops = {
        .name = "replay", .send = replay_send, .close = replay_close};
    struct replay_http *self = gl_alloc(sizeof *self);

    self->http.ops = &ops;
    self->folder = gl_strdup(folder);
    return &self->http;
}

/* ---- record ---- */

struct record_http {
    struct gl_http http;
    struct gl_http *inner;
    char *folder;
    const char *const *secret_parameters; /* borrowed: a const table of the caller */
};

static bool is_secret(const struct record_http *self, struct gl_view name)
{
    for (size_t i = 0; self->secret_parameters != NULL && self->secret_parameters[i] != NULL; i++)
        if (is_text(name, self->secret_parameters[i]))
            return true;
    return false;
}

/* The "name=value" at `at` up to the next & or the end of the query. */
struct parameter {
    struct gl_view name, value;
};

static size_t parameter_at(const char *at, struct parameter *out)
{
    size_t length = strcspn(at, "&#");
    size_t name = strcspn(at, "=&#");

    out->name = (struct gl_view){at, name};
    out->value = (struct gl_view){at + length, 0};
    if (at[name] == '=')
        out->value = (struct gl_view){at + name + 1, length - name - 1};
    return length;
}

/* The address without the values of secret parameters. */
static void add_safe_url(const struct record_http *self, const char *url, struct gl_str *out)
{
    size_t head = strcspn(url, "?#");
    const char *at = url + head;

    gl_str_add_bytes(out, url, head);
    while (*at == '?' || *at == '&') {
        struct parameter parameter;
        size_t length = parameter_at(at + 1, &parameter);

        gl_str_add_char(out, *at);
        if (is_secret(self, parameter.name)) {
            gl_str_add_bytes(out, parameter.name.text, parameter.name.length);
            gl_str_add(out, "=" REDACTED);
        } else
            gl_str_add_bytes(out, at + 1, length);
        at += 1 + length;
    }
    gl_str_add(out, at);
}

/* Some servers repeat the whole address in their answer. */
static void add_safe_bytes(struct gl_view bytes, struct gl_view secret, struct gl_str *out)
{
    while (secret.length > 0 && bytes.length > 0) {
        const char *found = memmem(bytes.text, bytes.length, secret.text, secret.length);
        size_t before = found != NULL ? (size_t)(found - bytes.text) : bytes.length;

        if (found == NULL)
            break;
        gl_str_add_bytes(out, bytes.text, before);
        gl_str_add(out, REDACTED);
        bytes.text += before + secret.length;
        bytes.length -= before + secret.length;
    }
    gl_str_add_bytes(out, bytes.text, bytes.length);
}

/* *text without the values that the address holds in secret parameters. */
static void make_safe(const struct record_http *self, const char *url, struct gl_str *text)
{
    const char *at = url + strcspn(url, "?#");

    while (*at == '?' || *at == '&') {
        struct gl_str safe = {0};
        struct parameter parameter;
        size_t length = parameter_at(at + 1, &parameter);

        if (is_secret(self, parameter.name)) {
            add_safe_bytes((struct gl_view){gl_str_text(text), text->length}, parameter.value,
                           &safe);
            gl_str_done(text);
            *text = safe;
        }
        at += 1 + length;
    }
}

static void add_header(struct gl_str *out, const char *name, const char *value)
{
    if (value[0] != '\0')
        gl_str_addf(out, "%s: %s\r\n", name, value);
}

/* Where long operations and further pages are found. */
static void add_links(const struct gl_http_reply *reply, struct gl_str *out)
{
    static const char *const names[] = {"date", "link", "location", "azure-asyncoperation"};
    char value[2048];

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (gl_http_reply_header(reply, names[i], value, sizeof value))
            add_header(out, names[i], value);
}

/* Request headers are never written, so no Authorization can be; of the answer's only those that
 * are known to hold none, so no Set-Cookie can be either. */
static void add_reply(const struct record_http *self, const struct gl_http_request *request,
                      const char *safe_url, const struct gl_http_reply *reply, struct gl_str *out)
{
    GL_AUTO(gl_str_done) struct gl_str body = {0}, links = {0};

    gl_str_addf(out, "HTTP/1.1 %d\r\nX-Recorded-Request: %s %s\r\n", reply->status, request->method,
                safe_url);
    add_header(out, "Content-Type", reply->content_type);
    add_header(out, "ETag", reply->etag);
    add_header(out, "Last-Modified", reply->last_modified);
    if (reply->retry_after_s >= 0)
        gl_str_addf(out, "Retry-After: %lld\r\n", (long long)reply->retry_after_s);
    add_links(reply, &links);
    make_safe(self, request->url, &links);
    gl_str_add_bytes(out, gl_str_text(&links), links.length);
    gl_str_add(out, "\r\n");
    gl_str_add_bytes(&body, reply->body, reply->body_length);
    make_safe(self, request->url, &body);
    gl_str_add_bytes(out, gl_str_text(&body), body.length);
}

/* Write what happened; `reply` is NULL when there was no answer for reason `code`. */
static int record_write(const struct record_http *self, const struct gl_http_request *request,
                        const struct gl_http_reply *reply, enum gl_errc code, struct gl_error *err)
{
    GL_AUTO(gl_str_done) struct gl_str safe_url = {0};
    GL_AUTO(gl_str_done) struct gl_str text = {0};
    GL_AUTO(gl_auto_free) char *path = NULL;

    add_safe_url(self, request->url, &safe_url);
    if (request->carries_secret)
        gl_str_add(&text, ERROR_SECRET "\n");
    else if (reply != NULL)
        add_reply(self, request, gl_str_text(&safe_url), reply, &text);
    else
        gl_str_add(&text, code == GL_E_TIMEOUT ? ERROR_TIMEOUT "\n" : ERROR_NETWORK "\n");
    path = recording_path(self->folder, request->method, gl_str_text(&safe_url));
    if (gl_dir_make(self->folder, err) < 0)
        return -1;
    return gl_file_write(path, gl_str_text(&text), text.length, 0600, err);
}

static int record_send(struct gl_http *http, const struct gl_http_request *request,
                       struct gl_http_reply *out, struct gl_error *err)
{
    struct record_http *self = (struct record_http *)http;
    struct gl_http_reply reply;
    struct gl_error trouble = {0};

    gl_http_cancel_like(self->inner, http);
    if (gl_http_send(self->inner, request, &reply, err) < 0) {
        if (err->code == GL_E_NETWORK || err->code == GL_E_TIMEOUT)
            record_write(self, request, NULL, err->code, &trouble); /* the first error counts */
        return -1;
    }
    if (record_write(self, request, &reply, GL_OK, err) < 0) {
        gl_http_reply_done(&reply);
        return gl_wrap(err, "cannot record an answer");
    }
    *out = reply;
    return 0;
}

static void record_close(struct gl_http *http)
{
    struct record_http *self = (struct record_http *)http;

    gl_http_close(self->inner);
    free(self->folder);
    free(self);
}

struct gl_http *gl_http_record_new(struct gl_http *inner, const char *folder,
                                   const char *const *secret_parameters)
{
    static const struct gl_http_ops ops = {
        .name = "record", .send = record_send, .close = record_close};
    struct record_http *self = gl_alloc(sizeof *self);

    self->http.ops = &ops;
    self->inner = inner;
    self->folder = gl_strdup(folder);
    self->secret_parameters = secret_parameters;
    return &self->http;
}

/* ---- fault ---- */

struct fault_http {
    struct gl_http http;
    struct gl_http *inner;
    unsigned call, calls;
    enum gl_http_fault fault;
};

static void status_only(int status, int64_t retry_after_s, struct gl_http_reply *out)
{
    *out = (struct gl_http_reply){
        .status = status, .retry_after_s = retry_after_s, .body = gl_strdup("")};
}

/* Bytes that no parser likes, the same in every run: a linear congruential generator. */
static void fill_with_garbage(char *bytes, size_t length)
{
    uint32_t state = 1;

    for (size_t i = 0; i < length; i++) {
        state = state * 1664525u + 1013904223u;
        bytes[i] = (char)(state >> 24);
    }
}

static void spoil_body(enum gl_http_fault fault, struct gl_http_reply *reply)
{
    if (fault == GL_FAULT_EMPTY)
        reply->body_length = 0;
    else if (fault == GL_FAULT_TRUNCATE)
        reply->body_length /= 2;
    else
        fill_with_garbage(reply->body, reply->body_length);
    reply->body[reply->body_length] = '\0';
}

/* Two kinds of silence: NETWORK never reached the other side, TIMEOUT did and lost the answer. */
static int fault_send(struct gl_http *http, const struct gl_http_request *request,
                      struct gl_http_reply *out, struct gl_error *err)
{
    struct fault_http *self = (struct fault_http *)http;
    bool is_now = ++self->calls == self->call && self->fault != GL_FAULT_NONE;
    struct gl_http_reply reply;

    gl_http_cancel_like(self->inner, http);
    if (is_now && self->fault == GL_FAULT_NETWORK)
        return gl_fail(err, GL_E_NETWORK, "injected network failure");
    if (is_now && (self->fault == GL_FAULT_500 || self->fault == GL_FAULT_429)) {
        status_only(self->fault == GL_FAULT_500 ? 500 : 429, self->fault == GL_FAULT_500 ? -1 : 1,
                    out);
        return 0;
    }
    if (gl_http_send(self->inner, request, &reply, err) < 0)
        return -1;
    if (is_now && self->fault == GL_FAULT_TIMEOUT) {
        gl_http_reply_done(&reply);
        return gl_fail(err, GL_E_TIMEOUT, "injected timeout");
    }
    if (is_now)
        spoil_body(self->fault, &reply);
    *out = reply;
    return 0;
}

static void fault_close(struct gl_http *http)
{
    struct fault_http *self = (struct fault_http *)http;

    gl_http_close(self->inner);
    free(self);
}

struct gl_http *gl_http_fault_new(struct gl_http *inner, unsigned call, enum gl_http_fault fault)
{
    static const struct gl_http_ops ops = {
        .name = "fault", .send = fault_send, .close = fault_close};
    struct fault_http *self = gl_alloc(sizeof *self);

    self->http.ops = &ops;
    self->inner = inner;
    self->call = call;
    self->fault = fault;
    return &self->http;
}
