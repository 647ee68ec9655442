/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_PROVIDERS_AWS_SIGV4_H
#define GL_PROVIDERS_AWS_SIGV4_H

/* AWS Signature Version 4: pure, no clock, no network.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 * Every header given is signed except those that a connection or proxy may change (connection,
 * expect, te, transfer-encoding, upgrade, user-agent, x-amzn-trace-id). Refuses SigV4a. */

#include "base/sign.h"
#include "base/unit.h"

#define GL_AWS_KEY_ID 132

/* What requests are signed with; wiped by gl_aws_keys_done(). */
struct gl_aws_keys {
    char id[GL_AWS_KEY_ID];
    struct gl_secret secret;
    struct gl_secret token; /* of a session; length 0 = none */
};
void gl_aws_keys_done(struct gl_aws_keys *keys);

struct gl_sigv4 {
    const struct gl_aws_keys *keys;
    const char *region, *service;
    struct gl_instant at;
    bool keeps_path; /* S3: the path as it is sent; else dot segments and doubled slashes go, and it
                      * is encoded once more than on the wire */
    bool keeps_dots; /* do not normalize, but encode */
    bool has_late_token;      /* the session token is sent, but not signed */
    bool has_hash_header;     /* send and sign x-amz-content-sha256 */
    const char *payload_hash; /* NULL = SHA-256 of the body; else its hex, "UNSIGNED-PAYLOAD",
                               * "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" ... */
    int64_t expires_s;        /* of a presigned request */
};

/* What is to be signed; all borrowed. */
struct gl_sigv4_request {
    const char *method;
    const char *path;    /* as on the wire, "/" */
    const char *query;   /* without "?"; "" = none */
    const char *headers; /* "Name: value" lines with Host, each ended by '\n'; a line that begins
                          * with a space goes on with the one before */
    struct gl_view body;
};

/* The steps of the signature; freed with gl_sigv4_steps_done(). */
struct gl_sigv4_steps {
    struct gl_str canonical, to_sign, signed_headers;
    char signature[GL_HASH_HEX];
};
void gl_sigv4_steps_done(struct gl_sigv4_steps *steps); /* wiped: it may hold a session token */

/* Sign by headers: X-Amz-Date, X-Amz-Security-Token and Authorization lines are appended to
 * *headers, each ended by '\n'. `steps` may be NULL. */
void gl_sigv4_sign(const struct gl_sigv4 *how, const struct gl_sigv4_request *request,
                   struct gl_str *headers, struct gl_sigv4_steps *steps);
/* Sign by query: the whole new query string is appended to *query. */
void gl_sigv4_presign(const struct gl_sigv4 *how, const struct gl_sigv4_request *request,
                      struct gl_str *query, struct gl_sigv4_steps *steps);

#endif
