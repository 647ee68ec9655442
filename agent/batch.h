/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_AGENT_BATCH_H
#define GL_AGENT_BATCH_H

/* Batches and the enrolment line of agent/reading.h, built in one fixed buffer: records are added
 * as they come, then the batch is sealed into one console line. Never allocates, and knows no JSON
 * library: the texts put in are digests, digits and names that need no escapes. */

#include "agent/reading.h"

#define GL_EXIT_MAX      512
#define GL_BATCH_PREFIX  512 /* room for "GLM1 " and the members before the records */
#define GL_BATCH_SUFFIX  256 /* and for those after them */
#define GL_ENROLMENT_MAX 512

struct gl_batch {
    uint64_t first_seq, last_seq;
    struct gl_hash head; /* of the last record */
    size_t count;
    size_t used;                    /* bytes of records with their commas */
    size_t line_start, line_length; /* after sealing; 0 = not sealed */
    char text[GL_BATCH_MAX];
};

void gl_batch_clear(struct gl_batch *batch);
bool gl_batch_is_sealed(const struct gl_batch *batch);
/* Is there room for one more record of any size? */
bool gl_batch_has_room(const struct gl_batch *batch);
/* Add canonical record bytes; *hash is theirs. */
void gl_batch_add(struct gl_batch *batch, const char *record, size_t length, uint64_t seq,
                  const struct gl_hash *hash);
/* Sign what is there and make the line "GLM1 {...}\n"; borrowed until the batch is cleared. */
const char *gl_batch_seal(struct gl_batch *batch, const char *launch,
                          const struct gl_secret_key *key, const struct gl_public_key *public_key,
                          size_t *out_length);

/* The bytes that a batch's signature covers. Returns the length. */
size_t gl_batch_signed_text(const struct gl_hash *head, const struct gl_public_key *key,
                            const char *launch, uint64_t first_seq, uint64_t last_seq,
                            char out[GL_BATCH_PREFIX]);
/* How the command under the meter ended (0 to 255), signed as the batches are, over the line's
 * first three members: "GLX1 {"exit":N,"key":HEX,"launch":ID,"sig":BASE64,"v":1}\n". Returns the
 * length. */
size_t gl_exit_line(const char *launch, int exit_status, const struct gl_secret_key *key,
                    const struct gl_public_key *public_key, char out[GL_EXIT_MAX]);
#define GL_TOKEN_BYTES 32
/* HMAC-SHA256, keyed by the one-time token, over launch "|" public key in hex. */
void gl_enrolment_proof(const uint8_t token[GL_TOKEN_BYTES], const char *launch,
                        const struct gl_public_key *key, struct gl_hash *out);
/* "GLE1 {...}\n" into out; returns the length. */
size_t gl_enrolment_line(const char *boot, const char *launch, const uint8_t token[GL_TOKEN_BYTES],
                         const struct gl_public_key *key, char out[GL_ENROLMENT_MAX]);

#endif
