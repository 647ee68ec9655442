/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/seal.h"

#include <stdlib.h>
#include <string.h>

#define SIGNATURE_BASE64 (4 * ((GL_SIGNATURE_BYTES + 2) / 3) + 1)

char *gl_seal(json_t *document, const struct gl_secret_key *secret, const struct gl_public_key *key,
              struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *text = NULL;
    struct gl_signature signature;
    char hex[2 * GL_KEY_BYTES + 1], base64[SIGNATURE_BASE64];

    json_object_del(document, "signature");
    text = gl_json_canonical(document, err);
    if (text == NULL)
        return NULL;
    gl_sign(secret, text, strlen(text), &signature);
    json_object_set_new(document, "signature",
                        json_pack("{s:s,s:s}", "key", gl_hex_text(key->bytes, GL_KEY_BYTES, hex),
                                  "sig",
                                  gl_base64_text(signature.bytes, sizeof signature.bytes, base64)));
    return gl_json_canonical(document, err);
}

int gl_seal_check(const json_t *document, const struct gl_public_key *given,
                  char out_key[2 * GL_KEY_BYTES + 1], struct gl_error *err)
{
    GL_AUTO(gl_auto_json) json_t *unsigned_part = json_copy((json_t *)(uintptr_t)document);
    GL_AUTO(gl_auto_free) char *text = NULL;
    struct gl_public_key key;
    struct gl_signature signature;
    const char *key_hex, *base64;
    json_t *object;
    size_t length;

    json_object_del(unsigned_part, "signature");
    text = gl_json_canonical(unsigned_part, err);
    if (text == NULL || gl_json_object(document, "signature", &object, err) != 0 ||
        gl_json_string(object, "key", &key_hex, err) != 0 ||
        gl_json_string(object, "sig", &base64, err) != 0 ||
        gl_hex_parse(key_hex, key.bytes, sizeof key.bytes, err) != 0 ||
        gl_base64_parse(base64, signature.bytes, sizeof signature.bytes, &length, err) != 0)
        return -1;
    if (json_object_size(object) != 2)
        return gl_fail(err, GL_E_TAMPERED, "signature holds members that nobody signed");
    if (given != NULL && memcmp(given->bytes, key.bytes, GL_KEY_BYTES) != 0)
        return gl_fail(err, GL_E_TAMPERED,
                       "signature.key is not the public key it must be signed with");
    if (length != sizeof signature.bytes ||
        !gl_signature_holds(&key, text, strlen(text), &signature))
        return gl_fail(err, GL_E_TAMPERED,
                       "the signature does not hold: the document was changed after it was signed");
    gl_hex_text(key.bytes, GL_KEY_BYTES, out_key);
    return 0;
}
