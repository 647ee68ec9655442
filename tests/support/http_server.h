/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_TESTS_HTTP_SERVER_H
#define GL_TESTS_HTTP_SERVER_H

/* A web server of our own for tests: a thread on a loopback port, gone with the process. A handler
 * reads each parsed request and fills the answer, or misbehaves as told: late, dripping, cut,
 * silent. Speaks HTTP/1.1 with keep-alive, plain or TLS. An assertion of the test that fails
 * inside a handler would not reach cmocka: note what came in the log and assert afterwards.
 *
 *     static void answer(const struct gl_test_request *request, struct gl_test_answer *out,
 *                        void *cookie)
 *     {
 *         gl_test_answer_text(out, strcmp(request->path, "/v1/servers") == 0 ? 200 : 404,
 *                             "application/json", "{\"servers\":[]}");
 *     }
 *     struct gl_test_server *server = gl_test_server_start(answer, NULL);
 *     ... gl_test_server_url(server) is "http://127.0.0.1:PORT" ...
 *     gl_test_server_stop(server);
 */

#include "base/str.h"

/* What goes wrong with one handshake. */
enum gl_test_handshake {
    GL_HANDSHAKE_FINE,
    GL_HANDSHAKE_CUT,        /* hangs up in the middle of it */
    GL_HANDSHAKE_STRANGER,   /* a certificate of an authority that nobody knows */
    GL_HANDSHAKE_EXPIRED,    /* ended yesterday */
    GL_HANDSHAKE_OTHER_HOST, /* good, but of another host */
    GL_HANDSHAKES
};

struct gl_test_request {
    char method[16];
    char path[2048];         /* before the "?" */
    char query[4096];        /* after it, "" if absent */
    const char *header_text; /* "name: value\n", names in lower case */
    const char *body;        /* NUL-terminated */
    size_t body_length;
    unsigned connection; /* from 1 */
    unsigned number;     /* of the request at this server, from 1 */
    /* Not FINE: a client that goes on after what it must not trust. */
    enum gl_test_handshake handshake;
};

/* The value of a header into `out`, "" if absent; returns out. */
char *gl_test_request_header(const struct gl_test_request *request, const char *name, char *out,
                             size_t size);

struct gl_test_answer {
    int status;            /* 0 = 200 */
    struct gl_str headers; /* "Name: value\r\n" each; Content-Length is added unless it is there */
    struct gl_str body;    /* bytes */
    int64_t delay_ms;      /* before the first byte */
    int64_t drip_ms;       /* body: one byte, then this pause, and so on */
    size_t cut_after;      /* hang up after so many bytes of head and body; 0 = never */
    bool is_silent;        /* never answer: hold the connection until the peer or we end */
    bool is_hung_up;       /* close at once, without an answer */
    bool is_last;          /* "Connection: close" and close afterwards */
    size_t flood_bytes;    /* after the body, so many bytes more (no Content-Length) */
};

/* Fill an answer with a text; gl_str_addf(&answer->headers, ...) adds headers. */
void gl_test_answer_text(struct gl_test_answer *answer, int status, const char *content_type,
                         const char *body);

/* Runs on the server's threads, one call at a time (a lock is held): shared state needs no lock of
 * its own, but the test reads it after the exchange or after gl_test_server_stop. */
typedef void gl_test_handler(const struct gl_test_request *request, struct gl_test_answer *out,
                             void *cookie);

struct gl_test_server *gl_test_server_start(gl_test_handler *handler, void *cookie);
/* The same with TLS; keys and certificates are made by libcrypto for this server alone. */
struct gl_test_tls {
    const char *name;     /* in the certificate; NULL = "127.0.0.1" (as address) */
    bool is_expired;      /* ended yesterday */
    bool asks_for_client; /* refuses clients without a certificate of gl_test_server_client_cert */
    /* Asked at each connection, under the same lock as the handler; NULL = all are fine. */
    enum gl_test_handshake (*handshake)(void *cookie);
    void *handshake_cookie;
};
struct gl_test_server *gl_test_server_start_tls(gl_test_handler *handler, void *cookie,
                                                const struct gl_test_tls *tls);
/* Ends its threads and connections; NULL is fine. */
void gl_test_server_stop(struct gl_test_server *server);

/* How far away it is: every answer takes so much longer. Before the first request. */
void gl_test_server_set_latency(struct gl_test_server *server, int64_t ms);

/* "http://127.0.0.1:PORT" or "https://..."; borrowed. */
const char *gl_test_server_url(const struct gl_test_server *server);
int gl_test_server_port(const struct gl_test_server *server);
/* PEM texts, borrowed; NULL without TLS. */
const char *gl_test_server_ca(const struct gl_test_server *server);
const char *gl_test_server_client_cert(const struct gl_test_server *server);
const char *gl_test_server_client_key(const struct gl_test_server *server);

/* So far. */
unsigned gl_test_server_connections(struct gl_test_server *server);
unsigned gl_test_server_most_at_once(struct gl_test_server *server); /* connections */
unsigned gl_test_server_requests(struct gl_test_server *server);
/* "METHOD path?query\n" of every request in the order of arrival; to be freed. */
char *gl_test_server_log(struct gl_test_server *server);

#endif
