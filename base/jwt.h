/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BASE_JWT_H
#define GL_BASE_JWT_H

/* JSON Web Tokens in compact form (RFC 7519, 7515, 7517): made with a private key, verified with a
 * key set that the caller trusts. The algorithm is the caller's choice, never the token's: `none`,
 * HS256 with a public key and every other confusion fail. Refuses tokens without an expiry, issuer
 * or audience, and critical header extensions. No clock or network. */

#include "base/crypto.h"
#include "base/json.h"

#define GL_JWT_MAX_BYTES      ((size_t)16 << 10)
#define GL_JWT_MAX_KEYS_BYTES ((size_t)128 << 10) /* a key set */
#define GL_JWT_MAX_KEYS       64
#define GL_JWT_SKEW_S         60

/* base64url without padding (RFC 4648 section 5). Parsing takes exactly the whole text: characters
 * of the standard alphabet, padding and loose bits at the end are BAD_VALUE. */
void gl_base64url_add(struct gl_str *str, const void *bytes, size_t length);
int gl_base64url_parse(struct gl_view text, void *out, size_t capacity, size_t *out_length,
                       struct gl_error *err);

/* A signed token of `claims`. `header` (may be NULL) adds members such as kid, x5t or x5t#S256 to
 * alg and typ. Both are borrowed. Who holds the token can sign in: it is a secret; its bytes end
 * with a NUL that its length does not count. NO_CREDENTIAL as gl_crypto_sign(). */
struct gl_jwt_signer {
    enum gl_crypto_alg alg;
    struct gl_crypto_key key;
};
int gl_jwt_make(const struct gl_jwt_signer *signer, const json_t *header, const json_t *claims,
                struct gl_secret *out, struct gl_error *err);

struct gl_jwt_rules {
    enum gl_crypto_alg alg;
    struct gl_view keys;   /* JWKS document; the token's kid chooses */
    const char *issuer;    /* iss, exactly */
    const char *audience;  /* aud, exactly: the string, or the one string of an array of one */
    struct gl_instant now; /* exp and iat (and nbf where there) hold within GL_JWT_SKEW_S */
};
/* *out_claims is a new reference. NOT_VERIFIED, TOO_LARGE. */
int gl_jwt_verify(struct gl_view token, const struct gl_jwt_rules *rules, json_t **out_claims,
                  struct gl_error *err);

#endif
