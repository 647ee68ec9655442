/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_PROVIDERS_CLOUD_IDENTITY_H
#define GL_PROVIDERS_CLOUD_IDENTITY_H

/* Where an instance really runs, by the document that its cloud signed for it: verified here, on
 * the broker's side, from bytes that the instance relayed and may have forged. No clock or network,
 * and of files only the system's root; the signatures are checked by base/crypto.h. Refuses
 * whatever it cannot prove: a region without a pinned certificate, an account that is not ours, a
 * stale or foreign challenge. A proof shows that some code on that machine relayed the document,
 * not that the workload was metered there. The document itself is personal infrastructure data:
 * only its hash is kept. */

#include "base/crypto.h"
#include "providers/data/identity_certs.h"

#define GL_IDENTITY_MAX_DOCUMENT ((size_t)64 << 10)

enum gl_identity_kind {
    GL_IDENTITY_AWS,  /* https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/verify-rsa.html */
    GL_IDENTITY_GCP,  /* https://cloud.google.com/compute/docs/instances/verifying-instance-identity
                       */
    GL_IDENTITY_AZURE /* https://learn.microsoft.com/azure/virtual-machines/instance-metadata-service
                       */
};

/* How good a proof of the place is. */
enum gl_identity_grade {
    GL_IDENTITY_A, /* signed by the cloud for our challenge */
    GL_IDENTITY_B, /* signed by the cloud, but could be replayed while the machine lives */
    GL_IDENTITY_C, /* the cloud's API says so */
    GL_IDENTITY_D  /* the instance says so */
};
/* "A" ... "D". */
const char *gl_identity_grade_text(enum gl_identity_grade grade);
/* The kind of a cloud's name; false when that cloud signs nothing. */
bool gl_identity_kind_of(const char *provider, enum gl_identity_kind *out);

/* Everything is borrowed. */
struct gl_identity_ask {
    enum gl_identity_kind kind;
    struct gl_view document;     /* AWS: base64 lines of rsa2048; Google: the token; Azure: the JSON
                                  * answer of the attested document */
    const char *const *accounts; /* NULL-terminated account, project or subscription ids that are
                                  * ours; none = nothing is accepted */
    struct gl_instant now;

    const char *region;    /* AWS: that it was launched in; only its certificate is believed */
    struct gl_view pinned; /* AWS: PEM of that region's certificate, empty = the built-in one */

    const char *audience; /* Google: exactly (gl_identity_audience) */
    struct gl_view keys;  /* Google: the JWKS of https://www.googleapis.com/oauth2/v3/certs */

    const char *nonce;            /* Azure: the challenge */
    struct gl_view anchors;       /* Azure: PEM of the roots believed (DigiCert Global Root G2) */
    struct gl_view intermediates; /* Azure: what gl_identity_azure_wants() asked for; DER one after
                                   * the other, or PEM */
};

/* What the document proves; "" is what it does not say. */
struct gl_identity {
    enum gl_identity_grade grade; /* A or B */
    const char *provider;         /* "aws", "gcp" or "azure"; constant */
    char account[64];
    char region[40]; /* Azure's document has none */
    char zone[64];
    char instance[64];           /* as the cloud's API names it; vmId for Azure */
    char type[64];               /* Google's and Azure's have none */
    struct gl_instant issued_at; /* AWS: when the machine was started */
    struct gl_hash document;     /* SHA-256 of the bytes that came */
};

/* NOT_VERIFIED naming what does not hold; TOO_LARGE; UNKNOWN_DATA for an AWS region without a
 * certificate; NO_CREDENTIAL without OpenSSL. */
int gl_identity_verify(const struct gl_identity_ask *ask, struct gl_identity *out,
                       struct gl_error *err);

/* The root to which Azure's documents lead, DigiCert Global Root G2, from the system's certificates
 * in `folder` (NULL = /etc/ssl/certs): PEM, to be freed. UNKNOWN_DATA when it is not there;
 * NOT_VERIFIED when what is there is another certificate. */
int gl_identity_azure_anchor(const char *folder, char **out_pem, struct gl_error *err);

/* Azure leaves the certificate between signer and root out. The URL from which the next missing one
 * can be had, given those had so far: plain http or https on www.microsoft.com, anything else is
 * NOT_VERIFIED. The caller fetches it (it is believed only if it chains), appends it to
 * `intermediates` and verifies again; more than two are never needed. */
int gl_identity_azure_wants(struct gl_view document, struct gl_view intermediates,
                            char out_url[GL_CRYPTO_URL], struct gl_error *err);

/* The certificate by which AWS signs in a region, PEM; NULL = none is known here. */
const char *gl_identity_aws_cert(const char *region);
/* All of them, sorted by region. */
const struct gl_identity_cert *gl_identity_aws_certs(size_t *out_count);

#endif
