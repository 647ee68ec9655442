/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_CLI_HOOK_SERVE_H
#define GL_BROKER_CLI_HOOK_SERVE_H

/* The servers of `hook`: what both have in common. They answer by the policy of the call, read
 * anew for every answer; a server that cannot read it does not start. */

#include "broker/cli/hook.h"
#include "broker/serve/http.h"

struct gl_hook_serving {
    struct gl_context *context;
    const struct gl_hook_values *values;
    struct gl_hook_mapping *mapping;
    struct gl_secret hmac_key; /* empty = none given */
    char *certificate;         /* NULL = no TLS */
    struct gl_secret tls_key;
};

/* Options, secrets and policy; *out is to be done also after an error. Errors: USAGE, and those of
 * the policy. */
int gl_hook_serving_init(struct gl_context *context, const struct gl_hook_values *values,
                         struct gl_hook_serving *out, struct gl_error *err);
/* The certificate and key alone, for a server that judges nothing. USAGE. */
int gl_hook_serving_tls(struct gl_hook_serving *serving, struct gl_error *err);
void gl_hook_serving_done(struct gl_hook_serving *serving);

/* Listen, say so, and serve until SIGINT or SIGTERM; `tend` (may be NULL) is called several times a
 * second. 0 after such an end. `cookie` is that of the routes and of tend, and begins
 * with a pointer to `serving`. */
struct gl_hook_serve_loop {
    const struct gl_server_route *routes;
    size_t route_count;
    void *cookie;
    void (*tend)(void *cookie);
    const char *what; /* "run tasks at /run-task" */
};
int gl_hook_serve_loop(struct gl_hook_serving *serving, const struct gl_hook_serve_loop *loop,
                       struct gl_error *err);
/* "ok": is there anybody? */
void gl_hook_serve_health(void *cookie, const struct gl_server_request *request,
                          struct gl_server_answer *out);
/* One line of the log, in one piece. */
void gl_hook_serve_log(const struct gl_context *context, const char *line);
/* A refusal in words, for the peer and the log. */
void gl_hook_serve_refuse(struct gl_server_answer *out, int status, const char *why);
/* A JSON text that is freed, and a note of two words for the log. */
void gl_hook_serve_reply(struct gl_server_answer *out, char *json, const char *id,
                         const char *note);

/* What is to be judged. */
struct gl_hook_given {
    const char *reader;    /* "terraform" */
    struct gl_view bytes;  /* of the document, borrowed */
    struct gl_view before; /* the same as it stands now; empty = it is new */
    const char *name;      /* of the plan in messages */
    const char *region;    /* of the deployment; NULL or "" = as the options say */
    enum gl_gate gate;
};
/* Read, gather and judge; `tell` gets the report, which is gone afterwards. Errors: those of
 * readers, policy and signals. */
int gl_hook_serve_judge(struct gl_hook_serving *serving, const struct gl_hook_given *given,
                        void (*tell)(void *cookie, const struct gl_hook_report *report),
                        void *cookie, struct gl_error *err);

/* hook serve-runtask, hook serve-admission */
int gl_hook_serve_runtask(struct gl_context *context, const struct gl_hook_values *values,
                          struct gl_error *err);
int gl_hook_serve_admission(struct gl_context *context, const struct gl_hook_values *values,
                            struct gl_error *err);

#endif
