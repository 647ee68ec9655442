/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_SERVE_HTTP_H
#define GL_BROKER_SERVE_HTTP_H

/* A small HTTP/1.1 server for the servers of the hook: a table of routes, whole bodies, one thread,
 * no file of its own. Everything of a peer has a ceiling: bytes of header and body, connections,
 * connections of one peer, silence, and time in all. One line a request goes to the log, without
 * query, header or body. TLS 1.2 or later by libmicrohttpd and the GnuTLS behind it, loaded when a
 * server starts; without TLS it listens on this machine only. Refuses to serve files, to redirect
 * and to keep state between requests. */

#include "base/sign.h"
#include "base/world.h"

#define GL_SERVER_HEADER_BYTES ((size_t)32 << 10) /* of request line and headers, with the pool */
#define GL_SERVER_CONNECTIONS  64
#define GL_SERVER_PER_PEER     32
#define GL_SERVER_SILENCE_S    10    /* without a byte */
#define GL_SERVER_REQUEST_MS   30000 /* from the first byte of a request to the last */
#define GL_SERVER_NOTE         160

struct gl_server_request {
    const char *path;    /* without the query */
    struct gl_view body; /* NUL-terminated; wiped when the answer was made */
    /* The first header of that name, any case; NULL if absent. Borrowed. */
    const char *(*header)(const struct gl_server_request *request, const char *name);
    void *cookie; /* of header() */
};

struct gl_server_answer {
    int status;               /* 0 = 200 */
    const char *content_type; /* NULL = "text/plain; charset=utf-8" */
    struct gl_str body;
    char note[GL_SERVER_NOTE]; /* for the log, printable: what came of it */
};

struct gl_server_route {
    const char *method, *path; /* exact; of one path a row a method */
    size_t body_ceiling;       /* 0: a body is refused */
    void (*answer)(void *cookie, const struct gl_server_request *request,
                   struct gl_server_answer *out);
};

struct gl_server_options {
    const char *listen;                   /* "127.0.0.1:8443"; port 0 = any that is free */
    const char *certificate_pem;          /* NULL = no TLS: loopback only */
    const struct gl_secret *key_pem;      /* NUL-terminated inside; borrowed until the stop */
    const struct gl_server_route *routes; /* borrowed */
    size_t route_count;
    void *cookie; /* of the routes and the log */
    void (*log)(void *cookie, const char *line);
    const struct gl_world *world; /* clock */
};

struct gl_server;
/* Listens when it returns. NULL: USAGE (address, certificate or key), NETWORK (no library). */
struct gl_server *gl_server_start(const struct gl_server_options *options, struct gl_error *err);
/* "https://127.0.0.1:8443"; borrowed. */
const char *gl_server_url(const struct gl_server *server);
/* Serve what has come, waiting for it at most so long. -1: NETWORK, the server is of no use any
 * more. */
int gl_server_run(struct gl_server *server, int wait_ms, struct gl_error *err);
/* Take no new connection, end the requests under way for at most `grace_ms`, then all. NULL is
 * fine. */
void gl_server_stop(struct gl_server *server, int64_t grace_ms);

#endif
