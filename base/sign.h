/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BASE_SIGN_H
#define GL_BASE_SIGN_H

/* Hashes, Ed25519 signatures (RFC 8032) and secrets, by libsodium. Secrets have their own type:
 * wiped when done, compared in constant time, no function prints one. */

#include "base/str.h"

#define GL_HASH_BYTES      32
#define GL_HASH_HEX        65 /* with NUL */
#define GL_KEY_BYTES       32
#define GL_SIGNATURE_BYTES 64

struct gl_hash {
    uint8_t bytes[GL_HASH_BYTES];
}; /* SHA-256 */
struct gl_public_key {
    uint8_t bytes[GL_KEY_BYTES];
};
struct gl_signature {
    uint8_t bytes[GL_SIGNATURE_BYTES];
};
struct gl_secret_key {
    uint8_t seed[32];
    uint8_t expanded[64];
};
struct gl_secret {
    uint8_t *bytes;
    size_t length;
};

void gl_hash_of(const void *bytes, size_t length, struct gl_hash *out);
/* The same of bytes that come in pieces: init, add any number of times, end. */
struct gl_hasher {
    uint64_t state[16];
};
void gl_hasher_init(struct gl_hasher *hasher);
void gl_hasher_add(struct gl_hasher *hasher, const void *bytes, size_t length);
void gl_hasher_end(struct gl_hasher *hasher, struct gl_hash *out);
/* Hash of a file's bytes, streamed. */
int gl_hash_of_file(const char *path, struct gl_hash *out, struct gl_error *err);
char *gl_hash_hex(const struct gl_hash *hash, char out[GL_HASH_HEX]);
bool gl_hash_equal(const struct gl_hash *a, const struct gl_hash *b);
void gl_hmac_sha256(const void *key, size_t key_length, const void *bytes, size_t length,
                    struct gl_hash *out);
#define GL_SHA512_BYTES 64
void gl_hmac_sha512(const void *key, size_t key_length, const void *bytes, size_t length,
                    uint8_t out[GL_SHA512_BYTES]);

/* Make a key from 32 secret bytes; the same seed gives the same key. */
void gl_key_of_seed(const uint8_t seed[32], struct gl_secret_key *out_secret,
                    struct gl_public_key *out_public);
void gl_sign(const struct gl_secret_key *key, const void *bytes, size_t length,
             struct gl_signature *out);
bool gl_signature_holds(const struct gl_public_key *key, const void *bytes, size_t length,
                        const struct gl_signature *signature);
void gl_secret_key_wipe(struct gl_secret_key *key);

/* Text forms: lower-case hex and base64 (standard alphabet, padded). Parsing takes exactly the
 * whole text and the whole output: -1 with BAD_VALUE otherwise. `out` of printing needs 2n+1 or
 * 4*((n+2)/3)+1 bytes. */
char *gl_hex_text(const void *bytes, size_t length, char *out);
int gl_hex_parse(const char *text, void *out, size_t length, struct gl_error *err);
char *gl_base64_text(const void *bytes, size_t length, char *out);
int gl_base64_parse(const char *text, void *out, size_t capacity, size_t *out_length,
                    struct gl_error *err);

/* Copies; the caller wipes its own copy. */
void gl_secret_init(struct gl_secret *secret, const void *bytes, size_t length);
bool gl_secret_equal(const struct gl_secret *secret, const void *bytes, size_t length);
void gl_secret_done(struct gl_secret *secret);

/* Overwrite memory so that the compiler may not leave it out. */
void gl_wipe(void *memory, size_t length);

#endif
