/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_PROVIDERS_REMOTE_PART_H
#define GL_PROVIDERS_REMOTE_PART_H

/* The parts of remote.h, for its own files and their tests: the decision after each exchange as a
 * pure function, one exchange made ready and judged, and many of them under way at once. */

#include "providers/cloud/remote.h"

/* ---- what to do after an exchange: pure ---- */

enum gl_remote_next {
    GL_REMOTE_DONE,  /* to the caller, with the code */
    GL_REMOTE_AGAIN, /* after wait_ms */
    GL_REMOTE_RENEW, /* at once, with fresh credentials */
};

struct gl_remote_case {
    enum gl_errc code; /* of the answer, or of the transport; GL_OK = success */
    bool is_create;
    bool is_unsent;  /* the connection never stood: nothing was asked */
    bool is_renewed; /* credentials were fetched anew for it before */
    unsigned tries;  /* sent so far, from 1 */
    double budget;   /* tries that its region has left */
    int64_t told_ms; /* to wait, as the provider says; -1 */
    int64_t left_ms; /* to the deadline; INT64_MAX = none */
    uint32_t random;
};
struct gl_remote_decision {
    enum gl_remote_next next;
    enum gl_errc code; /* for the caller */
    int64_t wait_ms;
};
struct gl_remote_decision gl_remote_decide(const struct gl_remote_case *at);

/* ---- one exchange ---- */

/* How far a call has come. */
struct gl_remote_tried {
    unsigned tries;     /* sent so far */
    size_t own_headers; /* bytes of call->headers before authorize() added to them */
    unsigned renewals;  /* of the remote, when it was last authorized */
    bool is_renewed;    /* it was rejected once */
    bool must_renew;    /* it is the first to be rejected with these credentials */
    int64_t wait_ms;    /* before the next try */
};
void gl_remote_tried_init(struct gl_remote_tried *tried, const struct gl_remote_call *call);

#define GL_REMOTE_HEADERS 32
struct gl_remote_request {
    struct gl_http_request request;
    const char *lines[GL_REMOTE_HEADERS + 1];
    char *copy; /* of the header lines */
    size_t copy_length;
};
/* Authorize and fill *out, which borrows from remote and call. -1: nothing is to be sent. */
int gl_remote_ready(struct gl_remote *remote, struct gl_remote_call *call,
                    struct gl_remote_tried *tried, struct gl_remote_request *out,
                    struct gl_error *err);
void gl_remote_request_done(struct gl_remote_request *request);
/* Look at an outcome: reply (taken) when *sent is GL_OK, else the transport's error. DONE: it is in
 * call->reply or call->err and call->failure. */
enum gl_remote_next gl_remote_judge(struct gl_remote *remote, struct gl_remote_call *call,
                                    struct gl_remote_tried *tried, struct gl_http_reply *reply,
                                    const struct gl_error *sent);
/* Milliseconds to the deadline; INT64_MAX = none. */
int64_t gl_remote_left_ms(const struct gl_remote *remote);
/* Fail a call that is not sent (any more). */
void gl_remote_call_fail(const struct gl_remote *remote, struct gl_remote_call *call,
                         const struct gl_error *why);
/* "hetzner in fsn1: GET /v1/servers" */
#define GL_REMOTE_WHAT 200
char *gl_remote_what(const struct gl_remote *remote, const struct gl_remote_call *call,
                     char out[GL_REMOTE_WHAT]);
/* Blot out of `text` what stands in the headers or, when it looks like a key, in the body of the
 * call: a provider may quote what it was sent. */
void gl_remote_redact(const struct gl_remote_call *call, char *text);

/* ---- many under way ---- */

struct gl_remote_flight;
struct gl_remote_flight *gl_remote_flight_new(struct gl_http *http, const struct gl_world *world,
                                              int64_t deadline_ms); /* 0 = none */
/* `call` is borrowed until it comes back. */
void gl_remote_flight_add(struct gl_remote_flight *flight, struct gl_remote *remote,
                          struct gl_remote_call *call, void *cookie);
/* The next call with an outcome, in its order; NULL when none is under way. */
struct gl_remote_call *gl_remote_flight_next(struct gl_remote_flight *flight, void **out_cookie);
void gl_remote_flight_free(struct gl_remote_flight *flight);

#endif
