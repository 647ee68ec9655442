/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_PROVIDERS_AWS_CREDENTIAL_H
#define GL_PROVIDERS_AWS_CREDENTIAL_H

/* Where AWS credentials come from, in the order of AWS's own tools: environment, role of a profile,
 * web identity, credentials file, credential_process, configuration file, container, instance
 * metadata (version 2 only). Kept until they are about to end, then fetched anew. Refuses what
 * would have to ask a person: MFA codes, SSO and login sessions, naming the credential_process line
 * that does it instead. No secret ever stands in an error.
 * https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html */

#include "base/world.h"
#include "providers/cloud/aws_config.h"
#include "providers/cloud/aws_sigv4.h"

struct gl_aws_credential {
    struct gl_aws_keys keys;
    struct gl_instant expires; /* 0 = never */
    char source[160];          /* "the environment", "profile green (its role ...)" */
};

struct gl_aws_chain;

/* Settings that go before the environment; all borrowed until gl_aws_chain_free(), NULL = none. */
struct gl_aws_chain_options {
    const struct gl_world *world;
    const char *profile, *region, *endpoint;
};

/* Reads the shared files, fetches nothing. SYNTAX, IO ...; NO_CREDENTIAL when the named profile is
 * in neither file. */
struct gl_aws_chain *gl_aws_chain_new(const struct gl_aws_chain_options *options,
                                      struct gl_error *err);
void gl_aws_chain_free(struct gl_aws_chain *chain); /* NULL is fine */

/* Credentials good for now, borrowed until the next call. `is_renewed`: the last ones were
 * rejected. -1 NO_CREDENTIAL saying what was looked at, or what is wrong where they should be. */
int gl_aws_chain_get(struct gl_aws_chain *chain, bool is_renewed,
                     const struct gl_aws_credential **out, struct gl_error *err);
/* The same beside other work, as token_ask and token_read of remote.h: 0 gl_aws_chain_get() has
 * all it needs; 1 *out is to be sent to STS, a container or this machine, and what comes of it,
 * an answer or a failure, goes to gl_aws_chain_take(); GL_REMOTE_TOKEN_WAITS a credential_process
 * is at it, named in *err. Then ask again, no longer with is_renewed. */
struct gl_remote_call;
int gl_aws_chain_ask(struct gl_aws_chain *chain, bool is_renewed, struct gl_remote_call *out,
                     struct gl_error *err);
int gl_aws_chain_take(struct gl_aws_chain *chain, const struct gl_remote_call *call,
                      struct gl_error *err);
/* The setting, AWS_REGION, AWS_DEFAULT_REGION, the profile's; NULL = none is named. Borrowed. */
const char *gl_aws_chain_region(const struct gl_aws_chain *chain);
/* Append the address of a service ("ec2", "sts" ...) in a region: the setting, AWS_ENDPOINT_URL_X,
 * AWS_ENDPOINT_URL, the profile's, the partition's own. No slash at its end. */
void gl_aws_chain_endpoint(const struct gl_aws_chain *chain, const char *service,
                           const char *region, struct gl_str *out);

/* The domain of a region's partition: "amazonaws.com", "amazonaws.com.cn" ... Pure. */
const char *gl_aws_domain(const char *region);
/* Does it look like the name of a region ("eu-west-1")? Pure. */
bool gl_aws_is_region(const char *text);

/* Credentials as a process or an endpoint writes them. Pure; BAD_REPLY says what is missing, never
 * what was there. `token_key` is how it calls the session token; `version` 1 = must be there. */
int gl_aws_credential_read(const char *bytes, size_t length, const char *token_key, int version,
                           struct gl_aws_credential *out, struct gl_error *err);
void gl_aws_credential_done(struct gl_aws_credential *credential);

#endif
