/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BASE_HTTP_H
#define GL_BASE_HTTP_H

/* One transport contract. curl is loaded on first use, so that a command that needs no network
 * does not pay for it; replay answers from recorded files; fault breaks call N. TLS is always
 * verified. Refuses redirects to another host and bodies over the ceiling. */

#include "base/str.h"
#include "base/world.h"

struct gl_http_request {
    const char *method; /* "GET" ... */
    const char *url;
    const char *const *headers; /* "Name: value", NULL-terminated; may be NULL */
    const void *body;           /* may be NULL */
    size_t body_length;
    int64_t timeout_ms;  /* whole exchange; 0 = 2000 */
    size_t body_ceiling; /* of the answer; 0 = 8 MiB */
};

struct gl_http_reply {
    int status;
    char etag[128];
    char last_modified[64];
    char content_type[96];
    int64_t retry_after_s; /* -1 if absent */
    char *body;            /* NUL-terminated, to be freed by gl_http_reply_done */
    size_t body_length;
};

struct gl_http;
struct gl_http_ops {
    const char *name;
    /* Must fill *out for every HTTP status; -1 only when there was no whole answer (NETWORK,
     * TIMEOUT, TOO_LARGE). Must not retry. */
    int (*send)(struct gl_http *http, const struct gl_http_request *request,
                struct gl_http_reply *out, struct gl_error *err);
    void (*close)(struct gl_http *http); /* must free http; NULL is never passed */
};
struct gl_http {
    const struct gl_http_ops *ops;
};

int gl_http_send(struct gl_http *http, const struct gl_http_request *request,
                 struct gl_http_reply *out, struct gl_error *err);
void gl_http_reply_done(struct gl_http_reply *reply);
void gl_http_close(struct gl_http *http); /* NULL is fine */

/* curl by dlopen at the first send; keeps connections. NETWORK when libcurl is not installed. */
struct gl_http *gl_http_curl_new(void);
/* Answers GETs from files in `folder`: file name = SHA-256 hex of "METHOD URL" + ".http" (status
 * line, headers, blank line, body); a URL without a file is NETWORK "not recorded". */
struct gl_http *gl_http_replay_new(const char *folder);
/* Passes through to `inner` (owned) and writes replay files; drops Authorization-like headers and
 * replaces the query values named in `secret_parameters` (NULL-terminated) by "REDACTED". */
struct gl_http *gl_http_record_new(struct gl_http *inner, const char *folder,
                                   const char *const *secret_parameters);
/* Passes through to `inner` (owned) but breaks call number `call` (from 1) in the named way. */
enum gl_http_fault {
    GL_FAULT_NONE,
    GL_FAULT_NETWORK,
    GL_FAULT_TIMEOUT,
    GL_FAULT_500,
    GL_FAULT_429,
    GL_FAULT_EMPTY,
    GL_FAULT_TRUNCATE,
    GL_FAULT_GARBAGE
};
struct gl_http *gl_http_fault_new(struct gl_http *inner, unsigned call, enum gl_http_fault fault);

#endif
