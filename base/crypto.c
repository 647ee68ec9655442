/* SPDX-License-Identifier: Apache-2.0 */
#include "base/crypto_part.h"

#include <string.h>

#define MIN_RSA_BITS 2048
#define P256_BYTES   32
#define MAX_ECDSA    80 /* r and s of P-256 in DER */

/* OpenSSL's own would ask at the terminal. */
static int passphrase_of(char *out, int size, int is_writing, void *cookie)
{
    const struct gl_secret *passphrase = cookie;

    (void)is_writing;
    if (passphrase == NULL || passphrase->length > (size_t)size)
        return -1;
    memcpy(out, passphrase->bytes, passphrase->length);
    return (int)passphrase->length;
}

static bool is_for(const struct gl_crypto_api *api, const EVP_PKEY *pkey, enum gl_crypto_alg alg)
{
    char group[32];
    size_t length;
    int bits = api->EVP_PKEY_get_bits(pkey);

    if (alg == GL_RS256)
        return api->EVP_PKEY_is_a(pkey, "RSA") == 1 && bits >= MIN_RSA_BITS &&
               bits <= GL_CRYPTO_MAX_RSA * 8;
    return api->EVP_PKEY_is_a(pkey, "EC") == 1 &&
           api->EVP_PKEY_get_group_name(pkey, group, sizeof group, &length) == 1 &&
           strcmp(group, SN_X9_62_prime256v1) == 0;
}

static int key_read(const struct gl_crypto_api *api, const struct gl_crypto_key *key,
                    EVP_PKEY **out, struct gl_error *err)
{
    /* The library's type for a cookie is not const; passphrase_of() only reads. */
    union {
        const struct gl_secret *given;
        void *cookie;
    } passphrase = {.given = key->passphrase};
    BIO *bio;

    if (key->pem == NULL || key->pem->length == 0 || key->pem->length > GL_CRYPTO_MAX_PEM)
        return gl_fail(err, GL_E_NO_CREDENTIAL, "the private key is empty or larger than %zu bytes",
                       GL_CRYPTO_MAX_PEM);
    bio = api->BIO_new_mem_buf(key->pem->bytes, (int)key->pem->length);
    if (bio == NULL)
        gl_die_of_memory();
    *out = api->PEM_read_bio_PrivateKey(bio, NULL, passphrase_of, passphrase.cookie);
    api->BIO_free(bio);
    if (*out == NULL)
        return gl_crypto_fail(api, err, GL_E_NO_CREDENTIAL,
                              "the private key cannot be read (PEM wanted, or its passphrase)");
    return 0;
}

/* DER of r and s as two numbers of 32 bytes (RFC 7518 section 3.4). */
static bool ecdsa_flat(const struct gl_crypto_api *api, struct gl_crypto_signature *signature)
{
    const uint8_t *at = signature->bytes;
    ECDSA_SIG *pair = api->d2i_ECDSA_SIG(NULL, &at, (long)signature->length);
    const BIGNUM *r, *s;
    uint8_t flat[2 * P256_BYTES];
    bool is_good;

    if (pair == NULL)
        return false;
    api->ECDSA_SIG_get0(pair, &r, &s);
    is_good = api->BN_bn2binpad(r, flat, P256_BYTES) == P256_BYTES &&
              api->BN_bn2binpad(s, flat + P256_BYTES, P256_BYTES) == P256_BYTES;
    api->ECDSA_SIG_free(pair);
    memcpy(signature->bytes, flat, sizeof flat);
    signature->length = sizeof flat;
    return is_good;
}

static bool sign_with(const struct gl_crypto_api *api, EVP_PKEY *pkey, struct gl_view message,
                      struct gl_crypto_signature *out)
{
    EVP_MD_CTX *context = api->EVP_MD_CTX_new();
    bool is_good;

    if (context == NULL)
        gl_die_of_memory();
    out->length = sizeof out->bytes;
    is_good = api->EVP_DigestSignInit(context, NULL, api->EVP_sha256(), NULL, pkey) == 1 &&
              api->EVP_DigestSign(context, out->bytes, &out->length, (const uint8_t *)message.text,
                                  message.length) == 1;
    api->EVP_MD_CTX_free(context);
    return is_good;
}

int gl_crypto_sign(enum gl_crypto_alg alg, const struct gl_crypto_key *key, struct gl_view message,
                   struct gl_crypto_signature *out, struct gl_error *err)
{
    struct gl_crypto_signature made;
    struct gl_crypto_api api;
    EVP_PKEY *pkey;
    bool is_usable, is_good;

    if (gl_crypto_load(&api, err) != 0 || key_read(&api, key, &pkey, err) != 0)
        return -1;
    is_usable = is_for(&api, pkey, alg);
    is_good = is_usable && sign_with(&api, pkey, message, &made) &&
              (alg != GL_ES256 || ecdsa_flat(&api, &made));
    api.EVP_PKEY_free(pkey);
    if (!is_usable)
        return gl_fail(err, GL_E_NO_CREDENTIAL, "the private key is not %s",
                       alg == GL_RS256 ? "RSA of 2048 to 8192 bits" : "on the curve P-256");
    if (!is_good)
        return gl_crypto_fail(&api, err, GL_E_NO_CREDENTIAL, "the private key does not sign");
    *out = made;
    return 0;
}

static BIGNUM *number_of(const struct gl_crypto_api *api, struct gl_view bytes)
{
    return api->BN_bin2bn((const uint8_t *)bytes.text, (int)bytes.length, NULL);
}

static bool push_rsa(const struct gl_crypto_api *api, OSSL_PARAM_BLD *build, const BIGNUM *n,
                     const BIGNUM *e)
{
    int bits = api->BN_num_bits(n);

    /* An exponent of 1 would let everything pass; the common ones are 3 and 65537. */
    return bits >= MIN_RSA_BITS && bits <= GL_CRYPTO_MAX_RSA * 8 && api->BN_num_bits(e) >= 2 &&
           api->BN_num_bits(e) <= 64 &&
           api->OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
           api->OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e) == 1;
}

static EVP_PKEY *pkey_of(const struct gl_crypto_api *api, OSSL_PARAM_BLD *build, const char *type)
{
    OSSL_PARAM *params = api->OSSL_PARAM_BLD_to_param(build);
    EVP_PKEY_CTX *context = api->EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    EVP_PKEY *pkey = NULL;

    if (params != NULL && context != NULL && api->EVP_PKEY_fromdata_init(context) == 1 &&
        api->EVP_PKEY_fromdata(context, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1)
        pkey = NULL;
    api->EVP_PKEY_CTX_free(context);
    api->OSSL_PARAM_free(params);
    return pkey;
}

static EVP_PKEY *rsa_of(const struct gl_crypto_api *api, const struct gl_crypto_public *key)
{
    OSSL_PARAM_BLD *build;
    BIGNUM *n, *e;
    EVP_PKEY *pkey = NULL;

    if (key->n.length > GL_CRYPTO_MAX_RSA || key->e.length > GL_CRYPTO_MAX_RSA)
        return NULL;
    build = api->OSSL_PARAM_BLD_new();
    n = number_of(api, key->n);
    e = number_of(api, key->e);
    if (build != NULL && n != NULL && e != NULL && push_rsa(api, build, n, e))
        pkey = pkey_of(api, build, "RSA");
    api->OSSL_PARAM_BLD_free(build);
    api->BN_free(n);
    api->BN_free(e);
    return pkey;
}

static EVP_PKEY *ec_of(const struct gl_crypto_api *api, const struct gl_crypto_public *key)
{
    uint8_t point[1 + 2 * P256_BYTES] = {POINT_CONVERSION_UNCOMPRESSED};
    OSSL_PARAM_BLD *build;
    EVP_PKEY *pkey = NULL;

    if (key->x.length != P256_BYTES || key->y.length != P256_BYTES)
        return NULL;
    memcpy(point + 1, key->x.text, P256_BYTES);
    memcpy(point + 1 + P256_BYTES, key->y.text, P256_BYTES);
    build = api->OSSL_PARAM_BLD_new();
    if (build != NULL &&
        api->OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0) == 1 &&
        api->OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point,
                                              sizeof point) == 1)
        pkey = pkey_of(api, build, "EC");
    api->OSSL_PARAM_BLD_free(build);
    return pkey;
}

/* r and s as DER, which is what the library checks; 0 when they are not two numbers of 32 bytes. */
static size_t ecdsa_der(const struct gl_crypto_api *api, struct gl_view flat,
                        uint8_t out[MAX_ECDSA])
{
    ECDSA_SIG *pair;
    BIGNUM *r, *s;
    int length = 0;

    if (flat.length != 2 * P256_BYTES)
        return 0;
    pair = api->ECDSA_SIG_new();
    r = number_of(api, (struct gl_view){flat.text, P256_BYTES});
    s = number_of(api, (struct gl_view){flat.text + P256_BYTES, P256_BYTES});
    if (pair == NULL || r == NULL || s == NULL)
        gl_die_of_memory();
    if (api->ECDSA_SIG_set0(pair, r, s) == 1) /* takes both */
        length = api->i2d_ECDSA_SIG(pair, &out);
    api->ECDSA_SIG_free(pair);
    return length > 0 ? (size_t)length : 0;
}

static bool holds(const struct gl_crypto_api *api, EVP_PKEY *pkey, struct gl_view message,
                  struct gl_view signature)
{
    EVP_MD_CTX *context = api->EVP_MD_CTX_new();
    bool is_good;

    if (context == NULL)
        gl_die_of_memory();
    is_good = api->EVP_DigestVerifyInit(context, NULL, api->EVP_sha256(), NULL, pkey) == 1 &&
              api->EVP_DigestVerify(context, (const uint8_t *)signature.text, signature.length,
                                    (const uint8_t *)message.text, message.length) == 1;
    api->EVP_MD_CTX_free(context);
    return is_good;
}

int gl_crypto_verify(const struct gl_crypto_public *key, struct gl_view message,
                     struct gl_view signature, struct gl_error *err)
{
    uint8_t der[MAX_ECDSA];
    struct gl_crypto_api api;
    EVP_PKEY *pkey;
    bool is_good;

    if (gl_crypto_load(&api, err) != 0)
        return -1;
    pkey = key->alg == GL_RS256 ? rsa_of(&api, key) : ec_of(&api, key);
    if (pkey == NULL)
        return gl_crypto_fail(&api, err, GL_E_NOT_VERIFIED,
                              key->alg == GL_RS256
                                  ? "the public key is not RSA of 2048 to 8192 bits"
                                  : "the public key is not a point of P-256");
    if (key->alg == GL_ES256)
        signature = (struct gl_view){(const char *)der, ecdsa_der(&api, signature, der)};
    is_good = signature.length > 0 && holds(&api, pkey, message, signature);
    api.EVP_PKEY_free(pkey);
    api.ERR_clear_error();
    return is_good ? 0 : gl_fail(err, GL_E_NOT_VERIFIED, "the signature is not that key's");
}

int gl_crypto_thumbprint(struct gl_view pem, struct gl_crypto_thumbprint *out, struct gl_error *err)
{
    struct gl_crypto_thumbprint made;
    struct gl_crypto_api api;
    unsigned sha1_length = 0, sha256_length = 0;
    X509 *certificate;
    BIO *bio;

    if (gl_crypto_load(&api, err) != 0)
        return -1;
    if (pem.length == 0 || pem.length > GL_CRYPTO_MAX_PEM)
        return gl_fail(err, GL_E_CONFIG, "the certificate is empty or larger than %zu bytes",
                       GL_CRYPTO_MAX_PEM);
    bio = api.BIO_new_mem_buf(pem.text, (int)pem.length);
    if (bio == NULL)
        gl_die_of_memory();
    certificate = api.PEM_read_bio_X509(bio, NULL, passphrase_of, NULL);
    api.BIO_free(bio);
    if (certificate == NULL)
        return gl_crypto_fail(&api, err, GL_E_CONFIG, "no certificate (PEM wanted)");
    api.X509_digest(certificate, api.EVP_sha1(), made.sha1, &sha1_length);
    api.X509_digest(certificate, api.EVP_sha256(), made.sha256.bytes, &sha256_length);
    api.X509_free(certificate);
    if (sha1_length != sizeof made.sha1 || sha256_length != sizeof made.sha256.bytes)
        return gl_crypto_fail(&api, err, GL_E_CONFIG, "no thumbprint of the certificate");
    *out = made;
    return 0;
}
