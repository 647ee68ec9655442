/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_RECEIPT_H
#define GL_BROKER_RECEIPT_H

/* The receipt: one signed canonical JSON document per launch.
 *   {"greenlaunch_receipt":1,"evidence":{...},"derived":{...},"signature":{"key","sig"}}
 * "evidence" is what was known: the plan (request, decision, offer, series, guarantee ...) and what
 * the run added ("launch", "name", "demo", "issued_ms", "instance", "meter"), tied to each other by
 * broker/tie.h: a new member of the evidence belongs into the plan, "instance" or "meter".
 * "derived" is gl_account() of it and nothing else, the signature is Ed25519 over the canonical
 * bytes of the document without "signature". Anyone with the file and the public key can verify it
 * and recompute every derived number. */

#include "base/json.h"
#include "base/sign.h"
#include "base/world.h"

#define GL_RECEIPT_MAX_BYTES GL_JSON_MAX_BYTES

/* Canonical text of a receipt for this evidence (borrowed), to be freed; NULL on errors of
 * gl_tie_check() and gl_account(). */
char *gl_receipt_make(const json_t *evidence, const struct gl_secret_key *secret,
                      const struct gl_public_key *key, struct gl_error *err);

/* What verification found. */
struct gl_receipt_check {
    char launch[64];
    char key[2 * GL_KEY_BYTES + 1]; /* that signed it */
    bool is_key_given; /* checked against the caller's key, not only the document's own */
    bool is_demo;
    size_t readings;
    json_t *receipt; /* the whole document; json_decref() */
};

/* Verify the bytes of a receipt; `key` NULL uses the key inside, which proves integrity but not who
 * signed. -1: SYNTAX / TOO_LARGE for what is no receipt; NOT_VERIFIED or TAMPERED naming the first
 * thing that does not follow, e.g. "derived.footprint.total_ug[1] is 12, evidence gives 13". */
int gl_receipt_verify(const char *bytes, size_t length, const struct gl_public_key *key,
                      struct gl_receipt_check *out, struct gl_error *err);
void gl_receipt_check_done(struct gl_receipt_check *check);

/* The broker's own signing key: read from <folder>/broker.key, made there (0600) the first time;
 * the public half stands beside it in broker.pub (hex). */
int gl_broker_key(const char *folder, const struct gl_world *world, struct gl_secret_key *secret,
                  struct gl_public_key *key, struct gl_error *err);
/* A public key from a file holding 64 hex digits, or from such text itself. */
int gl_public_key_read(const char *path_or_hex, struct gl_public_key *out, struct gl_error *err);

#endif
