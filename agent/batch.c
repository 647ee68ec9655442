/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/batch.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void gl_batch_clear(struct gl_batch *batch)
{
    batch->count = batch->used = batch->line_start = batch->line_length = 0;
}

bool gl_batch_is_sealed(const struct gl_batch *batch)
{
    return batch->line_length > 0;
}

bool gl_batch_has_room(const struct gl_batch *batch)
{
    return !gl_batch_is_sealed(batch) && batch->count < GL_BATCH_RECORDS_MAX &&
           GL_BATCH_PREFIX + batch->used + 1 + GL_RECORD_MAX + GL_BATCH_SUFFIX <= GL_BATCH_MAX;
}

void gl_batch_add(struct gl_batch *batch, const char *record, size_t length, uint64_t seq,
                  const struct gl_hash *hash)
{
    char *at = batch->text + GL_BATCH_PREFIX + batch->used;

    if (batch->count == 0)
        batch->first_seq = seq;
    else
        *at++ = ',';
    memcpy(at, record, length);
    batch->used += length + (batch->count > 0 ? 1 : 0);
    batch->last_seq = seq;
    batch->head = *hash;
    batch->count++;
}

size_t gl_batch_signed_text(const struct gl_hash *head, const struct gl_public_key *key,
                            const char *launch, uint64_t first_seq, uint64_t last_seq,
                            char out[GL_BATCH_PREFIX])
{
    char head_hex[GL_HASH_HEX], key_hex[2 * GL_KEY_BYTES + 1];
    int length =
        snprintf(out, GL_BATCH_PREFIX,
                 "{\"head\":\"%s\",\"key\":\"%s\",\"launch\":\"%.63s\",\"n0\":%" PRIu64
                 ",\"n1\":%" PRIu64 "}",
                 gl_hash_hex(head, head_hex), gl_hex_text(key->bytes, sizeof key->bytes, key_hex),
                 launch, first_seq, last_seq);

    return (size_t)length;
}

/* The members before and after the records are those of the signed text, plus the signature. */
const char *gl_batch_seal(struct gl_batch *batch, const char *launch,
                          const struct gl_secret_key *key, const struct gl_public_key *public_key,
                          size_t *out_length)
{
    char text[GL_BATCH_PREFIX], prefix[GL_BATCH_PREFIX];
    char base64[4 * ((GL_SIGNATURE_BYTES + 2) / 3) + 1];
    struct gl_signature signature;
    size_t length = gl_batch_signed_text(&batch->head, public_key, launch, batch->first_seq,
                                         batch->last_seq, text);
    char *end = batch->text + GL_BATCH_PREFIX + batch->used;
    int before, after;

    gl_sign(key, text, length, &signature);
    gl_base64_text(signature.bytes, sizeof signature.bytes, base64);
    before = snprintf(prefix, sizeof prefix, "GLM1 %.*s,\"records\":[", (int)length - 1, text);
    after = snprintf(end, GL_BATCH_SUFFIX, "],\"sig\":\"%s\",\"v\":1}\n", base64);
    batch->line_start = GL_BATCH_PREFIX - (size_t)before;
    memcpy(batch->text + batch->line_start, prefix, (size_t)before);
    batch->line_length = (size_t)before + batch->used + (size_t)after;
    *out_length = batch->line_length;
    return batch->text + batch->line_start;
}

size_t gl_exit_line(const char *launch, int exit_status, const struct gl_secret_key *key,
                    const struct gl_public_key *public_key, char out[GL_EXIT_MAX])
{
    char text[GL_BATCH_PREFIX], key_hex[2 * GL_KEY_BYTES + 1];
    char base64[4 * ((GL_SIGNATURE_BYTES + 2) / 3) + 1];
    struct gl_signature signature;
    int length = snprintf(
        text, sizeof text, "{\"exit\":%d,\"key\":\"%s\",\"launch\":\"%.63s\"}", exit_status,
        gl_hex_text(public_key->bytes, sizeof public_key->bytes, key_hex), launch);

    gl_sign(key, text, (size_t)length, &signature);
    gl_base64_text(signature.bytes, sizeof signature.bytes, base64);
    return (size_t)snprintf(out, GL_EXIT_MAX, "GLX1 %.*s,\"sig\":\"%s\",\"v\":1}\n", length - 1,
                            text, base64);
}

void gl_enrolment_proof(const uint8_t token[GL_TOKEN_BYTES], const char *launch,
                        const struct gl_public_key *key, struct gl_hash *out)
{
    char hex[2 * GL_KEY_BYTES + 1], text[64 + 1 + sizeof hex];
    int length = snprintf(text, sizeof text, "%.63s|%s", launch,
                          gl_hex_text(key->bytes, sizeof key->bytes, hex));

    gl_hmac_sha256(token, GL_TOKEN_BYTES, text, (size_t)length, out);
}

size_t gl_enrolment_line(const char *boot, const char *launch, const uint8_t token[GL_TOKEN_BYTES],
                         const struct gl_public_key *key, char out[GL_ENROLMENT_MAX])
{
    char hex[2 * GL_KEY_BYTES + 1], proof_hex[GL_HASH_HEX];
    struct gl_hash proof;
    int length;

    gl_enrolment_proof(token, launch, key, &proof);
    length = snprintf(out, GL_ENROLMENT_MAX,
                      "GLE1 {\"boot\":\"%.39s\",\"key\":\"%s\",\"launch\":\"%.63s\","
                      "\"proof\":\"%s\",\"v\":1}\n",
                      boot, gl_hex_text(key->bytes, sizeof key->bytes, hex), launch,
                      gl_hash_hex(&proof, proof_hex));
    return (size_t)length;
}
