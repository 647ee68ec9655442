/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_PROVIDERS_AWS_CREDENTIAL_PART_H
#define GL_PROVIDERS_AWS_CREDENTIAL_PART_H

/* The insides of the credential chain: aws_credential.c keeps and orders, aws_role.c asks STS,
 * aws_metadata.c asks containers and instances, aws_walk.c sends for them. Each source answers 1
 * (*out filled), 0 (not set up here) or -1 (set up, but it fails). */

#include "base/http.h"
#include "base/process.h"
#include "providers/cloud/aws_credential.h"
#include "providers/cloud/remote.h"

#define GL_AWS_ROLE_DEPTH 5 /* roles that lead to roles */

/* What a walk along the chain has heard so far. */
#define GL_AWS_STEPS GL_REMOTE_TOKEN_STEPS
struct gl_aws_step {
    struct gl_str url;
    struct gl_http_reply reply;
    struct gl_error err; /* GL_OK = answered */
};
struct gl_aws_walk {
    struct gl_aws_step steps[GL_AWS_STEPS];
    size_t count, at;           /* heard; the next to be asked for again */
    int64_t began_s;            /* 0 = none is under way */
    struct gl_remote_call *out; /* where the next question goes; NULL = it is sent at once */
    struct gl_str asked_url;    /* of the question that is open */
    bool has_asked, has_helped;
    struct gl_aws_credential helped; /* what a credential_process has said */
};

struct gl_aws_chain {
    struct gl_aws_chain_options options;
    struct gl_aws_files files;
    const char *profile; /* the name in use */
    bool is_named;       /* by the setting: then the environment's keys do not count */
    bool has_kept;
    struct gl_aws_credential kept;
    int64_t retry_s; /* after a failed renewal of what still holds: not before; 0 = at once */
    struct gl_capture *helper; /* a credential_process that is at it; NULL = none */
    bool is_rejected;          /* what is kept, until the helper has answered */
    bool is_beside;            /* others wait, too: do not wait for the helper ... */
    bool is_waiting;           /* ... but say here that it, or a host, is at it */
    struct gl_aws_walk walk;
    char unanswered[128]; /* the metadata service that gives no answer; "" = not asked */
};

/* The walk: gl_aws_walk_begin() at its start, gl_aws_walk_forget() at its end. gl_aws_walk_send()
 * is gl_http_send() to who asks; the flight sends it where others wait, too (-1 and is_waiting). */
void gl_aws_walk_begin(struct gl_aws_chain *chain, int64_t now_s);
void gl_aws_walk_forget(struct gl_aws_chain *chain);
int gl_aws_walk_send(struct gl_aws_chain *chain, const struct gl_http_request *request,
                     struct gl_http_reply *out, struct gl_error *err);
/* What the credential_process of this walk has said, if it has; keep it for the rest of it. */
bool gl_aws_walk_helped(const struct gl_aws_chain *chain, struct gl_aws_credential *out);
void gl_aws_walk_help(struct gl_aws_chain *chain, const struct gl_aws_credential *from);

/* Environment variable, NULL when unset or empty. */
const char *gl_aws_env(const struct gl_aws_chain *chain, const char *name);
/* Copy a pair of keys; -1 NO_CREDENTIAL when they could not stand in a header. `token` may be NULL.
 */
int gl_aws_credential_set(struct gl_aws_credential *out, const char *id, const char *secret,
                          const char *token, struct gl_error *err);
void gl_aws_credential_says(struct gl_aws_credential *credential, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

int gl_aws_from_environment(struct gl_aws_chain *chain, struct gl_aws_credential *out,
                            struct gl_error *err);
/* credential_process of a profile. */
int gl_aws_from_process(struct gl_aws_chain *chain, const char *profile,
                        struct gl_aws_credential *out, struct gl_error *err);
/* -1 where a profile has a session (SSO, login) that only AWS's own tool can renew, naming the line
 * that helps; else 0. */
int gl_aws_refuse_session(const struct gl_aws_chain *chain, const char *profile,
                          struct gl_error *err);
/* role_arn of a profile, with its source or its token file. */
int gl_aws_from_role(struct gl_aws_chain *chain, const char *profile, unsigned depth,
                     struct gl_aws_credential *out, struct gl_error *err);
/* AWS_ROLE_ARN and AWS_WEB_IDENTITY_TOKEN_FILE. */
int gl_aws_from_web_identity(struct gl_aws_chain *chain, struct gl_aws_credential *out,
                             struct gl_error *err);
/* Static keys of a profile in the credentials file, or in the configuration. */
int gl_aws_from_static(struct gl_aws_chain *chain, const char *profile, bool is_config,
                       struct gl_aws_credential *out, struct gl_error *err);
int gl_aws_from_container(struct gl_aws_chain *chain, struct gl_aws_credential *out,
                          struct gl_error *err);
int gl_aws_from_instance(struct gl_aws_chain *chain, struct gl_aws_credential *out,
                         struct gl_error *err);

/* May the credentials of a container be asked for there? https, or this machine, or the addresses
 * of ECS and EKS. Pure. */
bool gl_aws_is_container_url(const char *url);

#endif
