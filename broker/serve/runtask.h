/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_SERVE_RUNTASK_H
#define GL_BROKER_SERVE_RUNTASK_H

/* Run tasks of HCP Terraform and Terraform Enterprise: what they send and what they want to hear
 * (developer.hashicorp.com/terraform, "Run Tasks Integration API", payload version 1). Pure but for
 * gl_runtask_work(), which goes through the transport it is given. Refuses every address that is
 * not https at a host of the list: the addresses come with the request. The access token has no
 * print path and never follows a redirect. */

#include "base/http.h"
#include "base/sign.h"
#include "broker/hook/report.h"

#define GL_RUNTASK_MAX_BYTES ((size_t)256 << 10) /* of a request */
#define GL_RUNTASK_MAX_PLAN  ((size_t)60 << 20)  /* of a plan */
#define GL_RUNTASK_MAX_URL   2048
#define GL_RUNTASK_ID        80
#define GL_RUNTASK_MESSAGE   500 /* bytes of the message beside the task in the run's page */

/* What happens at a stage. */
struct gl_runtask_stage {
    const char *word; /* "post_plan" */
    bool has_plan;    /* false: passed with the note */
    enum gl_gate gate;
    const char *note; /* why there is nothing to judge, or what the verdict stands on */
};
const struct gl_runtask_stage *gl_runtask_stage_named(const char *word); /* NULL */

struct gl_runtask {
    bool is_test; /* endpoint verification: answer 200, nothing else is set */
    const struct gl_runtask_stage *stage;
    bool is_speculative; /* a plan that cannot be applied: never blocked */
    bool is_mandatory;
    char id[GL_RUNTASK_ID];        /* task_result_id */
    char run[GL_RUNTASK_ID];       /* "run-..."; "" if absent */
    char workspace[GL_RUNTASK_ID]; /* name, printable; "" if absent */
    char *plan_url;                /* NULL at a stage without plan */
    char *callback_url;
    struct gl_secret token; /* NUL-terminated inside */
};

/* Is `signature` (X-TFC-Task-Signature, NULL if absent) the lower-case hex HMAC-SHA512 of the raw
 * body? In constant time; to be asked before anything is parsed. */
bool gl_runtask_is_signed(const struct gl_secret *key, struct gl_view body, const char *signature);
/* A signed body. `hosts`: "app.terraform.io" or "tfe.example.com:8443", NULL-terminated. Errors:
 * SYNTAX, BAD_VALUE; their texts hold nothing of the body but stage and hosts. */
int gl_runtask_parse(struct gl_view body, const char *const *hosts, struct gl_runtask *out,
                     struct gl_error *err);
void gl_runtask_done(struct gl_runtask *task);
/* May this address be asked: https, a host of the list, no user name, one line? */
bool gl_runtask_may_ask(const char *url, const char *const *hosts);

/* ---- what is sent back ---- */

/* The body of a callback (application/vnd.api+json), fresh. */
char *gl_runtask_running(const char *message);
char *gl_runtask_ended(bool has_passed, const char *message);
/* The same of a report: an outcome a finding, worst first; never "failed" where `is_advisory`.
 * *out_passed (may be NULL) is what was said. */
char *gl_runtask_judged(const struct gl_hook_report *report, bool is_advisory, bool *out_passed);

/* ---- the work behind the answer ---- */

struct gl_runtask_work {
    struct gl_http *http;
    const struct gl_world *world; /* monotonic clock and sleep */
    const char *ca_pem;           /* NULL = the system's authorities */
    const char *const *hosts;
    bool (*is_stopped)(void *cookie); /* asked between steps */
    /* The callback body for a plan; *out_told is a few words for the log. Fresh, or NULL with *err.
     */
    char *(*judge)(void *cookie, const struct gl_runtask *task, struct gl_view plan,
                   char out_told[GL_RUNTASK_ID], struct gl_error *err);
    void *cookie;
};
/* Fetch the plan, judge it, report; what goes wrong on the way is reported as "failed", so that
 * nothing passes unjudged. *out_told for the log. -1 when even that could not be reported. */
int gl_runtask_do(const struct gl_runtask_work *work, const struct gl_runtask *task,
                  char out_told[GL_RUNTASK_ID], struct gl_error *err);
/* Only report that it failed, and why. */
int gl_runtask_give_up(const struct gl_runtask_work *work, const struct gl_runtask *task,
                       const char *why, struct gl_error *err);

#endif
