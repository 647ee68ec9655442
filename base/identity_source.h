/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BASE_IDENTITY_SOURCE_H
#define GL_BASE_IDENTITY_SOURCE_H

/* Where an instance finds the document by which its cloud says who it is, for the meter inside.
 * Facts only: nothing here fetches. What comes back is believed nowhere before
 * providers/cloud/identity.h has verified it outside of the instance. */

#include "base/str.h"

/* The names that a cloud's own tools read an endpoint from; ours where it has none. */
struct gl_identity_source {
    const char *provider; /* "aws" ... */
    const char *endpoint; /* scheme and host */
    const char *variable; /* environment variable that replaces the endpoint; without a scheme in
                           * it, it is a host and http is meant */
    const char *path;     /* one %s where the challenge goes, or none */
    const char *header;   /* that the request must carry; NULL = only the session token */
    const char *answer;   /* header that the answer must carry; NULL = none */
    const char *session;  /* path to PUT for a session token first; NULL = none */
    const char *session_header; /* of that PUT */
    const char *token_header;   /* name of the header that then carries the token */
    bool is_base64;             /* the answer is bare base64 in lines; else JSON or a token as is */
    bool has_challenge;         /* the document holds the challenge: it is fresh */
};

/* NULL when the cloud signs nothing (then its API must say where the instance runs). */
const struct gl_identity_source *gl_identity_source(const char *provider);
const struct gl_identity_source *gl_identity_sources(size_t *out_count);

/* The challenge of an attempt as every cloud takes it: 32 letters and digits (Azure's ceiling),
 * the beginning of the hex of a SHA-256 that the broker chose. */
#define GL_IDENTITY_CHALLENGE 33 /* with NUL */
bool gl_identity_challenge_ok(const char *challenge);

/* What a Google token is asked for: "greenlaunch/BROKER/CHALLENGE". BAD_VALUE when the broker's
 * name has other than letters, digits, dots, dashes and underscores, or does not fit. */
#define GL_IDENTITY_AUDIENCE 160
int gl_identity_audience(const char *broker, const char *challenge, char out[GL_IDENTITY_AUDIENCE],
                         struct gl_error *err);

/* Append the URL to get. `endpoint` is the value of the source's variable, NULL or "" = its own.
 * `challenge` is the audience for Google. BAD_VALUE for one that would need escaping, or an
 * endpoint that is neither a host nor http(s)://host. */
int gl_identity_url(const struct gl_identity_source *source, const char *endpoint,
                    const char *challenge, struct gl_str *out, struct gl_error *err);

#endif
