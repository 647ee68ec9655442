/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BASE_CRYPTO_H
#define GL_BASE_CRYPTO_H

/* The cryptography that clouds ask for and libsodium does not have: RS256 and ES256 signatures
 * (RFC 7518 sections 3.3 and 3.4), X.509 thumbprints, CMS signatures (RFC 5652). OpenSSL's
 * libcrypto is opened at the first use, so that a command that needs none of this does not map it;
 * where it is missing every function fails with NO_CREDENTIAL naming the library. Refuses what it
 * cannot check: RSA keys below 2048 bits, digests weaker than SHA-256, more than one signer,
 * encrypted keys without their passphrase (nothing ever prompts). No file, clock or network. */

#include "base/sign.h"
#include "base/unit.h"

#define GL_CRYPTO_MAX_PEM   ((size_t)64 << 10) /* a key, or certificates one after the other */
#define GL_CRYPTO_MAX_CMS   ((size_t)64 << 10) /* a signed document */
#define GL_CRYPTO_MAX_CERTS 32                 /* of one PEM text */
#define GL_CRYPTO_MAX_RSA   1024               /* bytes of modulus or signature: 8192 bits */

enum gl_crypto_alg {
    GL_RS256, /* RSASSA-PKCS1-v1_5 with SHA-256 */
    GL_ES256  /* ECDSA on P-256 with SHA-256; the signature is r and s, 64 bytes */
};

/* A private key as PEM (PKCS#8, PKCS#1 or SEC1); other PEM blocks around it are passed over. Both
 * are borrowed. */
struct gl_crypto_key {
    const struct gl_secret *pem;
    const struct gl_secret *passphrase; /* of an encrypted key; NULL = none */
};

struct gl_crypto_signature {
    uint8_t bytes[GL_CRYPTO_MAX_RSA];
    size_t length;
};

/* Sign `message`. NO_CREDENTIAL when the key cannot be read or is not one for `alg`. */
int gl_crypto_sign(enum gl_crypto_alg alg, const struct gl_crypto_key *key, struct gl_view message,
                   struct gl_crypto_signature *out, struct gl_error *err);

/* Public keys as a JWK has them (RFC 7518 section 6), big-endian. */
struct gl_crypto_public {
    enum gl_crypto_alg alg;
    struct gl_view n, e; /* RS256: modulus, exponent */
    struct gl_view x, y; /* ES256: 32 bytes each */
};

/* 0 when `signature` is that key's over `message`; NOT_VERIFIED otherwise. */
int gl_crypto_verify(const struct gl_crypto_public *key, struct gl_view message,
                     struct gl_view signature, struct gl_error *err);

/* SHA-1 and SHA-256 of the DER of the first certificate in `pem`: Azure's x5t and x5t#S256. They
 * name a certificate, they prove nothing. CONFIG when there is no certificate. */
struct gl_crypto_thumbprint {
    uint8_t sha1[20];
    struct gl_hash sha256;
};
int gl_crypto_thumbprint(struct gl_view pem, struct gl_crypto_thumbprint *out,
                         struct gl_error *err);

/* CMS signed data (DER or BER) with its content inside, signed by exactly the certificate in
 * `pinned` (PEM, one certificate; its dates do not matter, it is believed as it is). Certificates
 * that come inside the message are never believed (CMS_NOINTERN), so a stranger's self-signed
 * message fails; so do two signers. *out_content is what was signed, from inside the signature.
 * NOT_VERIFIED, TOO_LARGE. */
int gl_crypto_cms_pinned(struct gl_view cms, struct gl_view pinned, struct gl_str *out_content,
                         struct gl_error *err);

/* The same where the signer's certificate comes with the message and must lead to an anchor. */
struct gl_crypto_chain {
    struct gl_view anchors;       /* PEM, one or more: the only roots believed */
    struct gl_view intermediates; /* PEM, or DER one after the other: believed only if they chain;
                                   * may be empty */
    struct gl_instant at;         /* every certificate must be valid then */
    const char *const *domains;   /* NULL-terminated: the signer must have a DNS name that is one of
                                   * them or lies below one on a dot boundary */
};
int gl_crypto_cms_chained(struct gl_view cms, const struct gl_crypto_chain *chain,
                          struct gl_str *out_content, struct gl_error *err);

/* Where the certificate that is missing from the signer's chain can be fetched ("CA Issuers", RFC
 * 5280 section 4.2.2.1): the claim of the signer, or of the last certificate that follows it among
 * `intermediates` (as above). Not verified: the caller decides whether to go there. NOT_VERIFIED
 * when there is none. */
#define GL_CRYPTO_URL 512
int gl_crypto_cms_issuer_url(struct gl_view cms, struct gl_view intermediates,
                             char out[GL_CRYPTO_URL], struct gl_error *err);

#endif
