/* SPDX-License-Identifier: Apache-2.0 */
#include "base/crypto_part.h"

#include <string.h>
#include <strings.h>

#define MAX_CHAIN 6
#define SECURITY_LEVEL                                                         \
    2 /* 112 bits: no SHA-1, no RSA below 2048 (SSL_CTX_set_security_level(3)) \
       */
#define MEMBERS(api, s) ((api)->OPENSSL_sk_num((const OPENSSL_STACK *)(s)))

/* OpenSSL's typed stacks are macros around these; the macros would link with the library. */
static void *member_at(const struct gl_crypto_api *api, const void *stack, int index)
{
    return api->OPENSSL_sk_value(stack, index);
}

/* Free a stack and the certificates that it owns. */
static void certificates_free(const struct gl_crypto_api *api, STACK_OF(X509) * certificates)
{
    OPENSSL_STACK *stack = (OPENSSL_STACK *)certificates;

    while (stack != NULL && api->OPENSSL_sk_num(stack) > 0)
        api->X509_free(api->OPENSSL_sk_pop(stack));
    api->OPENSSL_sk_free(stack);
}

static X509 *certificate_next(const struct gl_crypto_api *api, BIO *pem, const uint8_t **der,
                              const uint8_t *end)
{
    static const char no_passphrase[] = "";
    union {
        const char *text;
        void *cookie;
    } passphrase = {.text = no_passphrase}; /* with one nothing is asked at the terminal */

    if (pem != NULL)
        return api->PEM_read_bio_X509(pem, NULL, NULL, passphrase.cookie);
    return *der < end ? api->d2i_X509(NULL, der, end - *der) : NULL;
}

/* Certificates of a text that is PEM, or DER one after the other; NULL when one of them cannot be
 * read or there are too many. No certificates are an empty stack. */
static STACK_OF(X509) * certificates_of(const struct gl_crypto_api *api, struct gl_view text)
{
    bool is_pem = memmem(text.text, text.length, "-----BEGIN", 10) != NULL;
    OPENSSL_STACK *stack = api->OPENSSL_sk_new_null();
    const uint8_t *at = (const uint8_t *)text.text, *end = at + text.length;
    BIO *pem = is_pem ? api->BIO_new_mem_buf(text.text, (int)text.length) : NULL;
    X509 *certificate;
    bool is_good;

    if (stack == NULL || (is_pem && pem == NULL))
        gl_die_of_memory();
    while ((certificate = certificate_next(api, pem, &at, end)) != NULL &&
           api->OPENSSL_sk_push(stack, certificate) <= GL_CRYPTO_MAX_CERTS)
        continue;
    is_good = certificate == NULL && (is_pem ? api->OPENSSL_sk_num(stack) > 0 : at == end);
    if (pem != NULL)
        api->BIO_free(pem);
    api->ERR_clear_error();
    if (is_good)
        return (STACK_OF(X509) *)stack;
    certificates_free(api, (STACK_OF(X509) *)stack);
    return NULL;
}

static int certificates_read(const struct gl_crypto_api *api, struct gl_view text,
                             STACK_OF(X509) * *out, struct gl_error *err)
{
    if (text.length > GL_CRYPTO_MAX_PEM)
        return gl_fail(err, GL_E_TOO_LARGE, "certificates of more than %zu bytes",
                       GL_CRYPTO_MAX_PEM);
    if (text.length == 0)
        text.text = "";
    *out = certificates_of(api, text);
    return *out != NULL ? 0 : gl_fail(err, GL_E_NOT_VERIFIED, "a certificate cannot be read");
}

/* SHA-256 or stronger. Azure names the signature's algorithm where the digest's belongs. */
static bool is_strong(const struct gl_crypto_api *api, CMS_SignerInfo *signer)
{
    const ASN1_OBJECT *object;
    X509_ALGOR *digest;
    int nid, of_signature;

    api->CMS_SignerInfo_get0_algs(signer, NULL, NULL, &digest, NULL);
    api->X509_ALGOR_get0(&object, NULL, NULL, digest);
    nid = api->OBJ_obj2nid(object);
    if (api->OBJ_find_sigid_algs(nid, &of_signature, NULL) == 1)
        nid = of_signature;
    return nid == NID_sha256 || nid == NID_sha384 || nid == NID_sha512;
}

static int shape_check(const struct gl_crypto_api *api, CMS_ContentInfo *message,
                       struct gl_error *err)
{
    STACK_OF(CMS_SignerInfo) * signers;
    ASN1_OCTET_STRING **content;

    if (api->OBJ_obj2nid(api->CMS_get0_type(message)) != NID_pkcs7_signed)
        return gl_fail(err, GL_E_NOT_VERIFIED, "the message is not signed data");
    content = api->CMS_get0_content(message);
    if (content == NULL || *content == NULL)
        return gl_fail(err, GL_E_NOT_VERIFIED, "the message does not hold what it signs");
    signers = api->CMS_get0_SignerInfos(message);
    if (signers == NULL || MEMBERS(api, signers) != 1)
        return gl_fail(err, GL_E_NOT_VERIFIED, "the message has %d signers, exactly one is wanted",
                       signers != NULL ? MEMBERS(api, signers) : 0);
    if (!is_strong(api, member_at(api, signers, 0)))
        return gl_fail(err, GL_E_NOT_VERIFIED, "the digest is weaker than SHA-256");
    return 0;
}

static int message_read(const struct gl_crypto_api *api, struct gl_view cms, CMS_ContentInfo **out,
                        struct gl_error *err)
{
    const uint8_t *at = (const uint8_t *)cms.text;
    CMS_ContentInfo *message;

    if (cms.length > GL_CRYPTO_MAX_CMS)
        return gl_fail(err, GL_E_TOO_LARGE, "a signed message of more than %zu bytes",
                       GL_CRYPTO_MAX_CMS);
    message = cms.length > 0 ? api->d2i_CMS_ContentInfo(NULL, &at, (long)cms.length) : NULL;
    if (message == NULL || at != (const uint8_t *)cms.text + cms.length) {
        api->CMS_ContentInfo_free(message);
        api->ERR_clear_error();
        return gl_fail(err, GL_E_NOT_VERIFIED, "no signed message (CMS wanted), or bytes after it");
    }
    if (shape_check(api, message, err) != 0) {
        api->CMS_ContentInfo_free(message);
        return -1;
    }
    *out = message;
    return 0;
}

/* The signature alone: over the content, by a certificate of `believed`, or, where that is NULL, by
 * one that came inside. */
static int signature_check(const struct gl_crypto_api *api, CMS_ContentInfo *message,
                           STACK_OF(X509) * believed, struct gl_str *out_content,
                           struct gl_error *err)
{
    unsigned flags = CMS_BINARY | CMS_NO_SIGNER_CERT_VERIFY | (believed != NULL ? CMS_NOINTERN : 0);
    BIO *content = api->BIO_new(api->BIO_s_mem());
    char *bytes = NULL;
    long length;

    if (content == NULL)
        gl_die_of_memory();
    if (api->CMS_verify(message, believed, NULL, NULL, content, flags) != 1) {
        api->BIO_free(content);
        return gl_crypto_fail(api, err, GL_E_NOT_VERIFIED, "the signature does not hold");
    }
    length = api->BIO_ctrl(content, BIO_CTRL_INFO, 0, &bytes);
    if (length > 0)
        gl_str_add_bytes(out_content, bytes, (size_t)length);
    api->BIO_free(content);
    return 0;
}

int gl_crypto_cms_pinned(struct gl_view cms, struct gl_view pinned, struct gl_str *out_content,
                         struct gl_error *err)
{
    STACK_OF(X509) * believed;
    CMS_ContentInfo *message;
    struct gl_crypto_api api;
    int result;

    if (gl_crypto_load(&api, err) != 0 || certificates_read(&api, pinned, &believed, err) != 0)
        return -1;
    if (MEMBERS(&api, believed) != 1)
        result = gl_fail(err, GL_E_NOT_VERIFIED, "exactly one certificate must be pinned");
    else
        result = message_read(&api, cms, &message, err);
    if (result == 0) {
        result = signature_check(&api, message, believed, out_content, err);
        api.CMS_ContentInfo_free(message);
    }
    certificates_free(&api, believed);
    return result;
}

/* Is `name` one of the domains or below one? "evilmetadata.azure.com" is not below
 * "metadata.azure.com". */
static bool is_within(const char *name, size_t length, const char *const *domains)
{
    for (; *domains != NULL; domains++) {
        size_t tail = strlen(*domains);

        if (length < tail || strncasecmp(name + length - tail, *domains, tail) != 0)
            continue;
        if (length == tail || (length > tail + 1 && name[length - tail - 1] == '.'))
            return true;
    }
    return false;
}

static int name_check(const struct gl_crypto_api *api, const X509 *signer,
                      const char *const *domains, struct gl_error *err)
{
    GENERAL_NAMES *names = api->X509_get_ext_d2i(signer, NID_subject_alt_name, NULL, NULL);
    bool is_found = false;

    for (int i = 0; names != NULL && !is_found && i < MEMBERS(api, names); i++) {
        const GENERAL_NAME *name = member_at(api, names, i);

        if (name->type == GEN_DNS)
            is_found = is_within((const char *)api->ASN1_STRING_get0_data(name->d.dNSName),
                                 (size_t)api->ASN1_STRING_length(name->d.dNSName), domains);
    }
    api->GENERAL_NAMES_free(names);
    api->ERR_clear_error();
    if (!is_found)
        return gl_fail(err, GL_E_NOT_VERIFIED, "the signer's certificate is not one of %s",
                       domains[0] != NULL ? domains[0] : "any domain");
    return 0;
}

/* `others` are believed only where they lead from the signer to an anchor. */
static int path_check(const struct gl_crypto_api *api, X509 *signer, STACK_OF(X509) * others,
                      const struct gl_crypto_chain *chain, struct gl_error *err)
{
    STACK_OF(X509) *anchors = NULL;
    X509_STORE *store = api->X509_STORE_new();
    X509_STORE_CTX *context = api->X509_STORE_CTX_new();
    X509_VERIFY_PARAM *rules;
    int result = certificates_read(api, chain->anchors, &anchors, err);

    if (store == NULL || context == NULL)
        gl_die_of_memory();
    for (int i = 0; result == 0 && i < MEMBERS(api, anchors); i++)
        api->X509_STORE_add_cert(store, member_at(api, anchors, i));
    if (result == 0 && api->X509_STORE_CTX_init(context, store, signer, others) != 1)
        gl_die_of_memory();
    if (result == 0) {
        rules = api->X509_STORE_CTX_get0_param(context);
        api->X509_VERIFY_PARAM_set_time(rules, (time_t)chain->at.unix_s);
        api->X509_VERIFY_PARAM_set_purpose(rules, X509_PURPOSE_ANY);
        api->X509_VERIFY_PARAM_set_auth_level(rules, SECURITY_LEVEL);
        api->X509_VERIFY_PARAM_set_depth(rules, MAX_CHAIN);
        if (api->X509_verify_cert(context) != 1)
            result = gl_fail(
                err, GL_E_NOT_VERIFIED, "the signer's certificate does not lead to an anchor: %s",
                api->X509_verify_cert_error_string(api->X509_STORE_CTX_get_error(context)));
    }
    api->X509_STORE_CTX_free(context);
    api->X509_STORE_free(store);
    certificates_free(api, anchors);
    api->ERR_clear_error();
    return result;
}

/* Certificates that came with the message and those given, as one stack that owns them. */
static int others_of(const struct gl_crypto_api *api, CMS_ContentInfo *message,
                     struct gl_view given, STACK_OF(X509) * *out, struct gl_error *err)
{
    STACK_OF(X509) * inside;

    if (certificates_read(api, given, out, err) != 0)
        return -1;
    inside = api->CMS_get1_certs(message); /* NULL when there are none */
    while (inside != NULL && MEMBERS(api, inside) > 0)
        api->OPENSSL_sk_push((OPENSSL_STACK *)*out, api->OPENSSL_sk_pop((OPENSSL_STACK *)inside));
    certificates_free(api, inside);
    if (MEMBERS(api, *out) <= GL_CRYPTO_MAX_CERTS)
        return 0;
    certificates_free(api, *out);
    return gl_fail(err, GL_E_TOO_LARGE, "more than %d certificates", GL_CRYPTO_MAX_CERTS);
}

/* Everything about the signer of a message whose signature was checked with a certificate that
 * came inside it. */
static int signer_check(const struct gl_crypto_api *api, CMS_ContentInfo *message,
                        const struct gl_crypto_chain *chain, struct gl_error *err)
{
    STACK_OF(X509) *signers = api->CMS_get0_signers(message); /* the stack is ours, its X509 not */
    STACK_OF(X509) * others;
    X509 *signer = signers != NULL ? member_at(api, signers, 0) : NULL;
    int result;

    if (signer == NULL)
        result = gl_fail(err, GL_E_NOT_VERIFIED, "the message has no signer");
    else
        result = others_of(api, message, chain->intermediates, &others, err);
    if (result == 0) {
        result = path_check(api, signer, others, chain, err);
        certificates_free(api, others);
    }
    if (result == 0)
        result = name_check(api, signer, chain->domains, err);
    api->OPENSSL_sk_free((OPENSSL_STACK *)signers);
    return result;
}

int gl_crypto_cms_chained(struct gl_view cms, const struct gl_crypto_chain *chain,
                          struct gl_str *out_content, struct gl_error *err)
{
    GL_AUTO(gl_str_done) struct gl_str content = {0};
    CMS_ContentInfo *message;
    struct gl_crypto_api api;
    int result;

    if (gl_crypto_load(&api, err) != 0 || message_read(&api, cms, &message, err) != 0)
        return -1;
    result = signature_check(&api, message, NULL, &content, err);
    if (result == 0)
        result = signer_check(&api, message, chain, err);
    api.CMS_ContentInfo_free(message);
    if (result == 0)
        gl_str_add_bytes(out_content, gl_str_text(&content), content.length);
    return result;
}

/* The first certificate of `among` that issued `subject` and is not the same; NULL for none. */
static X509 *issuer_of(const struct gl_crypto_api *api, X509 *subject, STACK_OF(X509) * among)
{
    for (int i = 0; i < MEMBERS(api, among); i++) {
        X509 *certificate = member_at(api, among, i);

        if (api->X509_check_issued(certificate, subject) == X509_V_OK &&
            api->X509_check_issued(certificate, certificate) != X509_V_OK)
            return certificate;
    }
    return NULL;
}

static X509 *signer_of(const struct gl_crypto_api *api, CMS_ContentInfo *message,
                       STACK_OF(X509) * among)
{
    CMS_SignerInfo *info = member_at(api, api->CMS_get0_SignerInfos(message), 0);

    for (int i = 0; i < MEMBERS(api, among); i++)
        if (api->CMS_SignerInfo_cert_cmp(info, member_at(api, among, i)) == 0)
            return member_at(api, among, i);
    return NULL;
}

static bool is_plain(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (text[i] <= ' ' || text[i] > '~')
            return false;
    return length > 0 && length < GL_CRYPTO_URL;
}

static bool url_of(const struct gl_crypto_api *api, const X509 *certificate,
                   char out[GL_CRYPTO_URL])
{
    AUTHORITY_INFO_ACCESS *ways = api->X509_get_ext_d2i(certificate, NID_info_access, NULL, NULL);
    bool is_found = false;

    for (int i = 0; ways != NULL && !is_found && i < MEMBERS(api, ways); i++) {
        const ACCESS_DESCRIPTION *way = member_at(api, ways, i);
        const char *text;
        size_t length;

        if (api->OBJ_obj2nid(way->method) != NID_ad_ca_issuers || way->location->type != GEN_URI)
            continue;
        text = (const char *)api->ASN1_STRING_get0_data(way->location->d.uniformResourceIdentifier);
        length = (size_t)api->ASN1_STRING_length(way->location->d.uniformResourceIdentifier);
        is_found = is_plain(text, length);
        if (is_found) {
            memcpy(out, text, length);
            out[length] = '\0';
        }
    }
    api->AUTHORITY_INFO_ACCESS_free(ways);
    api->ERR_clear_error();
    return is_found;
}

int gl_crypto_cms_issuer_url(struct gl_view cms, struct gl_view intermediates,
                             char out[GL_CRYPTO_URL], struct gl_error *err)
{
    STACK_OF(X509) *others = NULL;
    CMS_ContentInfo *message;
    struct gl_crypto_api api;
    X509 *last, *next;
    bool is_found = false;
    int result;

    if (gl_crypto_load(&api, err) != 0 || message_read(&api, cms, &message, err) != 0)
        return -1;
    result = others_of(&api, message, intermediates, &others, err);
    if (result == 0) {
        last = signer_of(&api, message, others);
        for (int i = 0; last != NULL && i < MAX_CHAIN; i++)
            if ((next = issuer_of(&api, last, others)) != NULL)
                last = next;
        is_found = last != NULL && url_of(&api, last, out);
        certificates_free(&api, others);
    }
    api.CMS_ContentInfo_free(message);
    if (result == 0 && !is_found)
        return gl_fail(err, GL_E_NOT_VERIFIED,
                       "the signer's certificate does not say who issued it");
    return result;
}
