/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BASE_HTTP_H
#define GL_BASE_HTTP_H

/* One transport contract. curl is loaded on first use, so that a command that needs no network
 * does not pay for it; replay answers from recorded files; fault breaks call N. TLS 1.2 or later is
 * always verified. Follows no redirect (a 3xx goes to the caller), keeps no cookie, never retries
 * (of a GET whose kept connection had ended curl asks once more), refuses bodies and headers over
 * their ceilings. A transport is for one thread at a time. */

#include "base/str.h"
#include "base/world.h"

struct gl_http_request {
    const char *method;         /* "GET" ... */
    const char *url;            /* without user information */
    const char *const *headers; /* "Name: value", NULL-terminated; may be NULL */
    const void *body;           /* may be NULL */
    size_t body_length;
    /* From the first byte to the last, without the wait for a free connection; 0 = 2000. Connecting
     * takes 1.5 s of it at most, or 10 s where it is more than 2 s. */
    int64_t timeout_ms;
    size_t body_ceiling; /* of the answer, decompressed; 0 = 8 MiB */
    /* Question or answer hold a secret: BAD_VALUE over plain http unless the host is this machine
     * (127.0.0.0/8, ::1, localhost) or an instance's metadata (169.254.0.0/16, fd00:ec2::254,
     * metadata.google.internal), and then without proxy. A recording holds nothing of it. The
     * transport's own copies are wiped, and the reply when it is done. */
    bool carries_secret;
    bool is_direct; /* never by a proxy: metadata addresses */
    /* NULL = the environment's (HTTPS_PROXY, NO_PROXY). Else by this one, whatever the environment
     * says: http://, https:// or socks5:// (which finds the name itself), without user name. */
    const char *proxy_url;
    /* https: the name that the certificate must hold and that is asked for; NULL = the URL's. */
    const char *tls_name;
    /* PEM text; NULL = the system's authorities, no client certificate. With ca_pem the system's
     * are not trusted. client_key_pem may be NULL where client_cert_pem holds the key as well. */
    const char *ca_pem, *client_cert_pem, *client_key_pem;
};

#define GL_HTTP_HEADER_CEILING ((size_t)32 << 10)

/* Whether they may stand in proxy_url and in tls_name. */
bool gl_http_is_proxy(const char *url);
bool gl_http_is_tls_name(const char *name); /* a host name or an IPv4 address */

struct gl_http_reply {
    int status;
    char etag[128];
    char last_modified[64];
    char content_type[96];
    int64_t retry_after_s; /* -1 if absent */
    char *body;            /* NUL-terminated, to be freed by gl_http_reply_done */
    size_t body_length;
    /* All lines of the last answer, names in lower case: "name: value\n"; NULL when there is none.
     * Above GL_HTTP_HEADER_CEILING the whole exchange is TOO_LARGE. */
    char *header_text;
    bool is_secret; /* wiped by gl_http_reply_done */
};

struct gl_http;
struct gl_http_ops {
    const char *name;
    /* Must fill *out for every HTTP status; -1 only when there was no whole answer (NETWORK,
     * TIMEOUT, TOO_LARGE, INTERRUPTED). Must not retry what may have changed something. */
    int (*send)(struct gl_http *http, const struct gl_http_request *request,
                struct gl_http_reply *out, struct gl_error *err);
    void (*close)(struct gl_http *http); /* must free http; NULL is never passed */
};
struct gl_http_flight_ops; /* many at once: base/http_part.h */
struct gl_http {
    const struct gl_http_ops *ops;
    const struct gl_http_flight_ops *flights; /* NULL: a batch is sent one after another */
    /* Asked at least four times a second while answers are awaited, NULL = never: true ends what is
     * under way with INTERRUPTED. */
    bool (*is_cancelled)(void *cookie);
    void *cancel_cookie;
};

/* BAD_VALUE for a request that no transport may send: address, line breaks, a secret in the open.
 */
int gl_http_send(struct gl_http *http, const struct gl_http_request *request,
                 struct gl_http_reply *out, struct gl_error *err);
/* The first header of that name (any case) into `out`; false if absent or longer than `size`. */
bool gl_http_reply_header(const struct gl_http_reply *reply, const char *name, char *out,
                          size_t size);
void gl_http_reply_done(struct gl_http_reply *reply);
void gl_http_close(struct gl_http *http); /* NULL is fine; after its batches */

/* ---- many at once ---- */

struct gl_http_exchange {
    struct gl_http_request request;
    struct gl_http_reply reply; /* to be done by the caller when is_done */
    struct gl_error err;        /* why not is_done */
    bool is_done;               /* a whole answer came, of whatever status */
    int64_t took_ms;            /* on the wire; 0 when it was never sent */
    void *cookie;
};

/* Send all, over at most 6 connections a host and 64 in all (HTTP/2 shares one), and wait for every
 * outcome: each its own. Hosts with little under way go first, so that a silent one does not hold
 * up the others. What is under way `deadline_ms` after the call is TIMEOUT; 0 = each request's own
 * limit. Over replay, record and fault one after another. */
void gl_http_send_all(struct gl_http *http, struct gl_http_exchange *exchanges, size_t count,
                      int64_t deadline_ms);

/* The same as a stream: add while answers come. */
struct gl_http_batch *gl_http_batch_new(struct gl_http *http);
/* Copies all of *request (wiped after use when it carries a secret). What is wrong with it comes
 * back from gl_http_batch_next. */
void gl_http_batch_add(struct gl_http_batch *batch, const struct gl_http_request *request,
                       void *cookie);
/* The next finished exchange, in the order of finishing; false when nothing is under way. Waits
 * until `deadline_ms` after gl_http_batch_new (0 = no such limit); then what is left comes back as
 * TIMEOUT, one a call. out->request is borrowed until the next call. */
bool gl_http_batch_next(struct gl_http_batch *batch, int64_t deadline_ms,
                        struct gl_http_exchange *out);
/* Wait at most `most_ms` for gl_http_batch_next() to have something to tell: false when it has not,
 * and the caller may do other things. */
bool gl_http_batch_wait(struct gl_http_batch *batch, int64_t deadline_ms, int64_t most_ms);
/* Ends what is under way; NULL is fine. */
void gl_http_batch_free(struct gl_http_batch *batch);

/* ---- transports ---- */

/* curl by dlopen at the first send; keeps connections. NETWORK when libcurl is not installed. */
struct gl_http *gl_http_curl_new(void);
/* Answers GETs from files in `folder`: file name = SHA-256 hex of "METHOD URL" + ".http" (status
 * line, headers, blank line, body); a URL without a file is NETWORK "not recorded". */
struct gl_http *gl_http_replay_new(const char *folder);
/* Passes through to `inner` (owned) and writes replay files, of headers only those that cannot
 * authorize; replaces the query values named in `secret_parameters` (NULL-terminated) by
 * "REDACTED". Of a request that carries a secret only that there was one: its replay is NETWORK. */
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
