/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_PROVIDERS_DATA_IDENTITY_CERTS_H
#define GL_PROVIDERS_DATA_IDENTITY_CERTS_H

/* The rows of identity_certs.c; reached through providers/cloud/identity.h. */

#include <stddef.h>

struct gl_identity_cert {
    const char *region;
    const char *pem;
};
extern const struct gl_identity_cert gl_identity_cert_rows[];
extern const size_t gl_identity_cert_count;

#endif
