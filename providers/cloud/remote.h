/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_PROVIDERS_REMOTE_H
#define GL_PROVIDERS_REMOTE_H

/* What the clouds behind an HTTP API share, written once: sending with credentials, trying again
 * where that is safe, waiting out a throttle, and saying in our codes what the provider said in its
 * own. An adapter brings tables and pure functions; it never loops over attempts itself.
 *
 * Rules (facts: a retry is safe only where the provider says so):
 *   RATE_LIMIT, BUSY, a 5xx and a broken connection of a safe call: again, at most GL_REMOTE_TRIES
 *   times, with jitter, after Retry-After or the provider's own reset time, never past the
 *   deadline, and out of a budget that one dead region cannot drain for the others.
 *   A call that creates something is sent again only where the provider refused it before doing
 *   anything (RATE_LIMIT, NO_CREDENTIAL). Without an answer, or with one that does not say (3xx,
 *   5xx, not readable), it is OUTCOME.
 *   NO_CREDENTIAL: once again with fresh credentials.
 *   CAPACITY, QUOTA, PERMISSION, PRICE, TOKEN: at once to the caller.
 *
 * Clouds without create tokens: launch() looks for the token before and after it creates. Of two
 * instances of one token (two launchers at the same moment) the eldest counts, and whoever sees
 * both terminates the other. */

#include "base/http.h"
#include "base/json.h"
#include "base/sign.h"
#include "providers/cloud/cloud.h"
#include "providers/cloud/labels.h"

#define GL_REMOTE_TRIES       3
#define GL_REMOTE_TIMEOUT_MS  10000 /* of one exchange */
#define GL_REMOTE_DEADLINE_MS 60000 /* of one operation with all its exchanges */
#define GL_REMOTE_SETTLE_MS   15000 /* what a provider has done shows in its lists after that */
#define GL_REMOTE_CEILING     ((size_t)16 << 20)
#define GL_REMOTE_BUDGET      10.0 /* tries of a region beyond the first */
#define GL_REMOTE_BUDGETS     64   /* regions with one of their own */

/* One exchange to be sent. Built by the adapter, freed by gl_remote_call_done(), which wipes it:
 * headers may hold a token. */
struct gl_remote_call {
    const char *method;
    struct gl_str url;
    struct gl_str headers; /* "Name: value" lines, each ended by '\n' */
    struct gl_str body;
    const char *region;    /* for messages and the retry budget; NULL = none */
    bool is_create;        /* unanswered = OUTCOME; never sent twice */
    bool is_open;          /* without credentials: a price list, a token exchange */
    bool has_secret;       /* is_open, and yet its question or answer is secret */
    bool has_fixed_status; /* what is no 2xx is an answer, too: the caller looks at it */
    bool is_once;          /* never sent again, whatever comes of it */
    bool is_direct;        /* never by a proxy; metadata addresses never are */
    int64_t timeout_ms;    /* 0 = GL_REMOTE_TIMEOUT_MS */
    size_t ceiling;        /* bytes of the answer; 0 = GL_REMOTE_CEILING */
    /* Out, after sending. */
    struct gl_http_reply reply; /* of a success; freed by gl_remote_call_done() */
    struct gl_error err;        /* GL_OK = success */
    struct gl_cloud_failure failure;
};
void gl_remote_call_done(struct gl_remote_call *call);

/* What a failed answer says. */
struct gl_remote_word {
    char word[96];      /* the code: innermost where codes are nested */
    char text[320];     /* for people */
    char places[8][40]; /* zones named as having stock; "" ends */
};

/* A row of an adapter's table of errors; the first that fits counts. Ends at code GL_OK. */
struct gl_remote_rule {
    int status;       /* 0 = any */
    const char *word; /* a glob over the code; NULL = any */
    const char *text; /* a substring of the text; NULL = any */
    enum gl_errc code;
    enum gl_reach reach;
};

struct gl_remote;
struct gl_remote_ops {
    const struct gl_remote_rule *rules;
    /* The word and text of a failed answer; false when its body holds none. */
    bool (*read_error)(const struct gl_http_reply *reply, struct gl_remote_word *out);
    /* Sign the call or add its token; `is_renewed`: what was used before was rejected. May send
     * calls of its own (is_open ones). -1 NO_CREDENTIAL naming what is missing. Called once a
     * rejection, however many calls met it. */
    int (*authorize)(struct gl_remote *remote, struct gl_remote_call *call, bool is_renewed,
                     struct gl_error *err);
    /* Optional: milliseconds to wait as the provider's own headers say; -1 = they do not. */
    int64_t (*wait_ms)(const struct gl_http_reply *reply, int64_t now_ms);
    /* Optional, for credentials that must be fetched: they are asked for beside the calls of other
     * clouds and once for all calls that need them. token_ask: 1 and the call to send (is_open,
     * has_secret), 0 = authorize() has all it needs, -1 NO_CREDENTIAL. token_read: its answer; then
     * token_ask is asked for the next step, at most GL_REMOTE_TOKEN_STEPS times. A failed call
     * never comes here, unless `hears_failure`: it fails all who wait for it. Where a program of
     * this machine has to be run for them, token_ask starts it and gives GL_REMOTE_TOKEN_WAITS
     * while it is at it, with what is waited for in *err; it is soon asked again, no longer with
     * is_renewed. authorize() waits for it. */
    int (*token_ask)(struct gl_remote *remote, bool is_renewed, struct gl_remote_call *out,
                     struct gl_error *err);
    int (*token_read)(struct gl_remote *remote, const struct gl_remote_call *call,
                      struct gl_error *err);
    bool hears_failure; /* token_read() is told of failed calls, too: call->err; its word counts */
};
#define GL_REMOTE_TOKEN_STEPS 8
#define GL_REMOTE_TOKEN_WAITS 2

/* Tries that a region has left: half a one for each success, none beyond GL_REMOTE_BUDGET. */
struct gl_remote_budget {
    char region[40]; /* "" = calls of no region */
    double left;
};

/* The head of every remote adapter's struct. */
struct gl_remote {
    struct gl_cloud cloud; /* first */
    const struct gl_remote_ops *ops;
    const struct gl_world *world; /* borrowed */
    struct gl_http *http;         /* the world's; borrowed */
    bool (*is_cancelled)(void *cookie);
    void *cookie;
    int64_t deadline_ms; /* on the monotonic clock, of the operation under way; 0 = none */
    struct gl_remote_budget budgets[GL_REMOTE_BUDGETS];
    size_t budget_count;
    unsigned renewals; /* how often credentials were fetched anew after a rejection */
    char ca_file[256]; /* of a private endpoint, read at the first call; "" = the system's */
    struct gl_str ca_pem, client_cert_pem; /* Kubernetes, OpenStack; empty = none */
    struct gl_secret client_key_pem;       /* ends with a NUL byte */
    /* Kubernetes; borrowed, NULL = the environment's proxy, the name in the address. */
    const char *proxy_url, *tls_name;
};

/* The setting `endpoint` into `out` (256) without its last slash: https, or http on this machine;
 * `fallback` when not set. CONFIG. */
int gl_remote_endpoint(const struct gl_cloud_ops *ops, const struct gl_cloud_options *options,
                       const char *fallback, char out[256], struct gl_error *err);

/* Fill the head. NETWORK in every later call when the world has no transport (--offline). */
void gl_remote_init(struct gl_remote *remote, const struct gl_cloud_ops *cloud_ops,
                    const struct gl_remote_ops *ops, const struct gl_cloud_options *options);
void gl_remote_done(struct gl_remote *remote);

/* Begin an operation: its deadline counts from here. */
void gl_remote_begin(struct gl_remote *remote, int64_t deadline_ms);
/* Send one call: 0 and call->reply, or -1 with call->err copied to *err and the failure kept in
 * remote->cloud.failure. */
int gl_remote_send(struct gl_remote *remote, struct gl_remote_call *call, struct gl_error *err);
/* Send many at once; each has its own outcome in call->err. Returns how many succeeded. */
size_t gl_remote_send_all(struct gl_remote *remote, struct gl_remote_call *calls, size_t count);
/* Let a launch's own is_cancelled stop its waiting, too, until gl_remote_unwatch(). */
struct gl_remote_watch {
    const struct gl_launch *launch;
    bool (*before)(void *cookie);
    void *cookie;
};
void gl_remote_watch(struct gl_remote *remote, const struct gl_launch *launch,
                     struct gl_remote_watch *out);
void gl_remote_unwatch(struct gl_remote *remote, const struct gl_remote_watch *watch);
/* Wait, cancellable and within the deadline: 0, INTERRUPTED or TIMEOUT. */
int gl_remote_wait(struct gl_remote *remote, int64_t ms, struct gl_error *err);

/* gl_remote_send() of a call whose answer is JSON: a new reference, or NULL (BAD_REPLY when it is
 * not JSON or not of that content type; OUTCOME when the call creates). */
json_t *gl_remote_json(struct gl_remote *remote, struct gl_remote_call *call, struct gl_error *err);
/* The answer of a call that was sent, as JSON. */
json_t *gl_remote_reply_json(const struct gl_remote_call *call, struct gl_error *err);

/* The code of an answer by the adapter's rules, then by the status alone (401 NO_CREDENTIAL, 403
 * PERMISSION, 404 NOT_FOUND, 409 BUSY, 429 RATE_LIMIT, 4xx PROVIDER not retryable as BAD_VALUE,
 * 5xx PROVIDER). out_reach may be NULL. Pure. */
enum gl_errc gl_remote_code(const struct gl_remote_rule *rules, int status, const char *word,
                            const char *text, enum gl_reach *out_reach);

/* Call building. Header values and URL parts from outside are percent-encoded or refused. */
void gl_remote_header(struct gl_remote_call *call, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* "Authorization: Bearer" of a token. */
void gl_remote_bearer(struct gl_remote_call *call, const struct gl_secret *token);
/* Append percent-encoded: everything but A-Z a-z 0-9 - . _ ~ (RFC 3986 section 2.3). */
void gl_remote_encode(struct gl_str *out, const char *text);
/* "&name=value" or "?name=value", encoded. */
void gl_remote_query(struct gl_remote_call *call, const char *name, const char *value);
/* "&name=value" or "name=value" of a form into the body, encoded. */
void gl_remote_form(struct gl_remote_call *call, const char *name, const char *value);
void gl_remote_form_secret(struct gl_remote_call *call, const char *name,
                           const struct gl_secret *value);
void gl_remote_body_text(struct gl_remote_call *call, const char *text); /* as it is */
void gl_remote_body_json(struct gl_remote_call *call, const json_t *body);

/* Split "REGION/native" of an id: region into out (40), returns the native part, which may hold
 * slashes of its own; NULL when it is not so formed. */
const char *gl_remote_id_split(const char *id, char out_region[40]);

#endif
