/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_PROVIDERS_SIGNAL_OCI_SIGN_H
#define GL_PROVIDERS_SIGNAL_OCI_SIGN_H

/* Oracle Cloud's request signature, version 1: RSA-SHA256 over the date, the request target and the
 * host, after draft-cavage-http-signatures-08.
 * https://docs.oracle.com/en-us/iaas/Content/API/Concepts/signingrequests.htm
 * Signs GET only: there is no body to hash. No file, clock or network; the key's size is checked
 * where it signs (base/crypto.h). */

#include "base/crypto.h"

#define GL_OCI_DATE 30

/* "Thu, 05 Jan 2014 21:31:40 GMT" (RFC 9110 section 5.6.7). */
char *gl_oci_date(struct gl_instant at, char out[GL_OCI_DATE]);

/* The three lines that are signed for a GET of `url`, added to *out: with the port only where it is
 * not the scheme's own, as clients send the host. BAD_VALUE when it is no http address. */
int gl_oci_signing_string(const char *url, const char *date, struct gl_str *out,
                          struct gl_error *err);

/* "Authorization: Signature ..." of a signature made, fresh, in one piece that never moved: wipe it
 * and free it. `key_id` is "tenancy/user/fingerprint", or "ST$" and a session's token. */
char *gl_oci_header(struct gl_view key_id, const struct gl_crypto_signature *signature);

/* All of it. NO_CREDENTIAL when the key cannot be read or is not RSA of 2048 bits and more. */
int gl_oci_authorize(const struct gl_crypto_key *key, struct gl_view key_id, const char *url,
                     const char *date, char **out, struct gl_error *err);

#endif
