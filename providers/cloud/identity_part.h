/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_PROVIDERS_CLOUD_IDENTITY_PART_H
#define GL_PROVIDERS_CLOUD_IDENTITY_PART_H

/* Inside providers/cloud/identity*.c only. */

#include "base/json.h"
#include "providers/cloud/identity.h"

/* A member that is a cloud's name of something, copied. */
int gl_identity_text(const json_t *object, const char *key, char *out, size_t size,
                     struct gl_error *err);
/* NOT_VERIFIED when `account` is not on the list. */
int gl_identity_ours(const struct gl_identity_ask *ask, const char *account, struct gl_error *err);
/* Base64 with line breaks, as bytes. */
int gl_identity_base64(struct gl_view text, struct gl_str *out, struct gl_error *err);

int gl_identity_azure_verify(const struct gl_identity_ask *ask, struct gl_identity *out,
                             struct gl_error *err);

#endif
