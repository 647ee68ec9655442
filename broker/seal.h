/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_SEAL_H
#define GL_BROKER_SEAL_H

/* A JSON document signed as a whole: its member "signature" {"key","sig"} is Ed25519 over the
 * canonical bytes of the document without that member. */

#include "base/json.h"
#include "base/sign.h"

/* Set "signature" and give the canonical text, to be freed. NULL: INTERNAL. */
char *gl_seal(json_t *document, const struct gl_secret_key *secret, const struct gl_public_key *key,
              struct gl_error *err);
/* Does the signature hold, by `given` where that is not NULL? The key that signed goes to out_key
 * as hex. TAMPERED, or BAD_REPLY and BAD_VALUE for what is no signature. */
int gl_seal_check(const json_t *document, const struct gl_public_key *given,
                  char out_key[2 * GL_KEY_BYTES + 1], struct gl_error *err);

#endif
