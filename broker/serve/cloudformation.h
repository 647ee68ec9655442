/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_SERVE_CLOUDFORMATION_H
#define GL_BROKER_SERVE_CLOUDFORMATION_H

/* The protocol of CloudFormation Hooks of the Lambda kind (docs.aws.amazon.com, "CloudFormation
 * Hooks user guide"): the event that the function is called with, handed on unchanged, and the
 * answer that it returns. Pure. A resource comes as its properties and becomes a template of one
 * resource for the reader of templates; a stack comes as an address of Amazon S3, which is refused
 * here: whoever calls us has the right to fetch it and we have not. */

#include "base/json.h"
#include "broker/hook/report.h"

#define GL_CFN_MAX_BYTES     ((size_t)2 << 20)
#define GL_CFN_TOKEN         160
#define GL_CFN_REGION        32
#define GL_CFN_MESSAGE       4096 /* characters; CloudFormation cuts there */
#define GL_CFN_MESSAGE_CLOUD 1024 /* and there when Cloud Control asks */

struct gl_cfn_hook {
    char token[GL_CFN_TOKEN];   /* clientRequestToken, "" if absent */
    char region[GL_CFN_REGION]; /* of the stack, or of the function; "" if neither says */
    bool is_delete, is_cloud_control;
    struct gl_str after;  /* template of the resource as it is to be */
    struct gl_str before; /* as it was; empty = created */
};

/* Errors: TOO_LARGE, SYNTAX, BAD_VALUE (no event of a hook). Done also after an error: *out then
 * has the token, if there was one. */
int gl_cfn_parse(struct gl_view body, struct gl_cfn_hook *out, struct gl_error *err);
void gl_cfn_done(struct gl_cfn_hook *hook); /* wipes the templates */

/* The answers, fresh. */
char *gl_cfn_succeeded(const struct gl_cfn_hook *hook, const char *message);
char *gl_cfn_failed(const struct gl_cfn_hook *hook, const char *why); /* InternalFailure */
char *gl_cfn_judged(const struct gl_cfn_hook *hook, const struct gl_hook_report *report,
                    bool is_advisory, bool *out_passed);

#endif
