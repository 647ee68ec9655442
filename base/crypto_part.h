/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BASE_CRYPTO_PART_H
#define GL_BASE_CRYPTO_PART_H

/* Inside base/crypto*.c only. Of OpenSSL's headers types and constants are used; the functions come
 * from dlopen(), so that only a command that needs them maps the library. */

#include "base/crypto.h"

#include <openssl/cms.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#define GL_CRYPTO_FUNCTIONS(X)          \
    X(ASN1_STRING_get0_data)            \
    X(ASN1_STRING_length)               \
    X(AUTHORITY_INFO_ACCESS_free)       \
    X(BIO_ctrl)                         \
    X(BIO_free)                         \
    X(BIO_new)                          \
    X(BIO_new_mem_buf)                  \
    X(BIO_s_mem)                        \
    X(BN_bin2bn)                        \
    X(BN_bn2binpad)                     \
    X(BN_free)                          \
    X(BN_num_bits)                      \
    X(CMS_ContentInfo_free)             \
    X(CMS_SignerInfo_cert_cmp)          \
    X(CMS_SignerInfo_get0_algs)         \
    X(CMS_get0_SignerInfos)             \
    X(CMS_get0_content)                 \
    X(CMS_get0_signers)                 \
    X(CMS_get0_type)                    \
    X(CMS_get1_certs)                   \
    X(CMS_verify)                       \
    X(ECDSA_SIG_free)                   \
    X(ECDSA_SIG_get0)                   \
    X(ECDSA_SIG_new)                    \
    X(ECDSA_SIG_set0)                   \
    X(ERR_clear_error)                  \
    X(ERR_peek_last_error)              \
    X(ERR_reason_error_string)          \
    X(EVP_DigestSign)                   \
    X(EVP_DigestSignInit)               \
    X(EVP_DigestVerify)                 \
    X(EVP_DigestVerifyInit)             \
    X(EVP_MD_CTX_free)                  \
    X(EVP_MD_CTX_new)                   \
    X(EVP_PKEY_CTX_free)                \
    X(EVP_PKEY_CTX_new_from_name)       \
    X(EVP_PKEY_free)                    \
    X(EVP_PKEY_fromdata)                \
    X(EVP_PKEY_fromdata_init)           \
    X(EVP_PKEY_get_bits)                \
    X(EVP_PKEY_get_group_name)          \
    X(EVP_PKEY_is_a)                    \
    X(EVP_sha1)                         \
    X(EVP_sha256)                       \
    X(GENERAL_NAMES_free)               \
    X(OBJ_find_sigid_algs)              \
    X(OBJ_obj2nid)                      \
    X(OPENSSL_sk_free)                  \
    X(OPENSSL_sk_new_null)              \
    X(OPENSSL_sk_num)                   \
    X(OPENSSL_sk_pop)                   \
    X(OPENSSL_sk_push)                  \
    X(OPENSSL_sk_value)                 \
    X(OSSL_PARAM_BLD_free)              \
    X(OSSL_PARAM_BLD_new)               \
    X(OSSL_PARAM_BLD_push_BN)           \
    X(OSSL_PARAM_BLD_push_octet_string) \
    X(OSSL_PARAM_BLD_push_utf8_string)  \
    X(OSSL_PARAM_BLD_to_param)          \
    X(OSSL_PARAM_free)                  \
    X(PEM_read_bio_PrivateKey)          \
    X(PEM_read_bio_X509)                \
    X(X509_ALGOR_get0)                  \
    X(X509_STORE_CTX_free)              \
    X(X509_STORE_CTX_get0_param)        \
    X(X509_STORE_CTX_get_error)         \
    X(X509_STORE_CTX_init)              \
    X(X509_STORE_CTX_new)               \
    X(X509_STORE_add_cert)              \
    X(X509_STORE_free)                  \
    X(X509_STORE_new)                   \
    X(X509_VERIFY_PARAM_set_auth_level) \
    X(X509_VERIFY_PARAM_set_depth)      \
    X(X509_VERIFY_PARAM_set_purpose)    \
    X(X509_VERIFY_PARAM_set_time)       \
    X(X509_check_issued)                \
    X(X509_digest)                      \
    X(X509_free)                        \
    X(X509_get_ext_d2i)                 \
    X(X509_verify_cert)                 \
    X(X509_verify_cert_error_string)    \
    X(d2i_CMS_ContentInfo)              \
    X(d2i_ECDSA_SIG)                    \
    X(d2i_X509)                         \
    X(i2d_ECDSA_SIG)

struct gl_crypto_api {
#define GL_CRYPTO_MEMBER(name) __typeof__(name) *name;
    GL_CRYPTO_FUNCTIONS(GL_CRYPTO_MEMBER)
#undef GL_CRYPTO_MEMBER
};

/* Open libcrypto (once mapped it stays) and find its functions. NO_CREDENTIAL when it is missing.
 */
int gl_crypto_load(struct gl_crypto_api *out, struct gl_error *err);

/* Fail with `code`, the formatted text and OpenSSL's reason; empties its queue of errors. */
int gl_crypto_fail(const struct gl_crypto_api *api, struct gl_error *err, enum gl_errc code,
                   const char *text);

#endif
