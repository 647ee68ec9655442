/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/http_tls.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define TLS_DAY_S (24 * 3600L)

struct tls_library {
    __typeof__(ASN1_INTEGER_set) *ASN1_INTEGER_set_;
    __typeof__(BIO_ctrl) *BIO_ctrl_;
    __typeof__(BIO_free) *BIO_free_;
    __typeof__(BIO_new) *BIO_new_;
    __typeof__(BIO_s_mem) *BIO_s_mem_;
    __typeof__(EVP_PKEY_free) *EVP_PKEY_free_;
    __typeof__(EVP_PKEY_Q_keygen) *EVP_PKEY_Q_keygen_;
    __typeof__(EVP_sha256) *EVP_sha256_;
    __typeof__(PEM_write_bio_PrivateKey) *PEM_write_bio_PrivateKey_;
    __typeof__(PEM_write_bio_X509) *PEM_write_bio_X509_;
    __typeof__(SSL_CTX_free) *SSL_CTX_free_;
    __typeof__(SSL_CTX_get_cert_store) *SSL_CTX_get_cert_store_;
    __typeof__(SSL_CTX_new) *SSL_CTX_new_;
    __typeof__(SSL_CTX_set_verify) *SSL_CTX_set_verify_;
    __typeof__(SSL_CTX_use_PrivateKey) *SSL_CTX_use_PrivateKey_;
    __typeof__(SSL_CTX_use_certificate) *SSL_CTX_use_certificate_;
    __typeof__(SSL_accept) *SSL_accept_;
    __typeof__(SSL_free) *SSL_free_;
    __typeof__(SSL_new) *SSL_new_;
    __typeof__(SSL_read) *SSL_read_;
    __typeof__(SSL_set_fd) *SSL_set_fd_;
    __typeof__(SSL_write) *SSL_write_;
    __typeof__(TLS_server_method) *TLS_server_method_;
    __typeof__(X509V3_EXT_conf_nid) *X509V3_EXT_conf_nid_;
    __typeof__(X509V3_set_ctx) *X509V3_set_ctx_;
    __typeof__(X509_EXTENSION_free) *X509_EXTENSION_free_;
    __typeof__(X509_NAME_add_entry_by_txt) *X509_NAME_add_entry_by_txt_;
    __typeof__(X509_STORE_add_cert) *X509_STORE_add_cert_;
    __typeof__(X509_add_ext) *X509_add_ext_;
    __typeof__(X509_free) *X509_free_;
    __typeof__(X509_get_serialNumber) *X509_get_serialNumber_;
    __typeof__(X509_get_subject_name) *X509_get_subject_name_;
    __typeof__(X509_getm_notAfter) *X509_getm_notAfter_;
    __typeof__(X509_getm_notBefore) *X509_getm_notBefore_;
    __typeof__(X509_gmtime_adj) *X509_gmtime_adj_;
    __typeof__(X509_new) *X509_new_;
    __typeof__(X509_set_issuer_name) *X509_set_issuer_name_;
    __typeof__(X509_set_pubkey) *X509_set_pubkey_;
    __typeof__(X509_set_version) *X509_set_version_;
    __typeof__(X509_sign) *X509_sign_;
};

static const struct tls_function {
    const char *name;
    size_t offset; /* in struct tls_library */
} tls_functions[] = {
#define FUNCTION(name) #name, offsetof(struct tls_library, name##_)
    {FUNCTION(ASN1_INTEGER_set)},
    {FUNCTION(BIO_ctrl)},
    {FUNCTION(BIO_free)},
    {FUNCTION(BIO_new)},
    {FUNCTION(BIO_s_mem)},
    {FUNCTION(EVP_PKEY_free)},
    {FUNCTION(EVP_PKEY_Q_keygen)},
    {FUNCTION(EVP_sha256)},
    {FUNCTION(PEM_write_bio_PrivateKey)},
    {FUNCTION(PEM_write_bio_X509)},
    {FUNCTION(SSL_CTX_free)},
    {FUNCTION(SSL_CTX_get_cert_store)},
    {FUNCTION(SSL_CTX_new)},
    {FUNCTION(SSL_CTX_set_verify)},
    {FUNCTION(SSL_CTX_use_PrivateKey)},
    {FUNCTION(SSL_CTX_use_certificate)},
    {FUNCTION(SSL_accept)},
    {FUNCTION(SSL_free)},
    {FUNCTION(SSL_new)},
    {FUNCTION(SSL_read)},
    {FUNCTION(SSL_set_fd)},
    {FUNCTION(SSL_write)},
    {FUNCTION(TLS_server_method)},
    {FUNCTION(X509V3_EXT_conf_nid)},
    {FUNCTION(X509V3_set_ctx)},
    {FUNCTION(X509_EXTENSION_free)},
    {FUNCTION(X509_NAME_add_entry_by_txt)},
    {FUNCTION(X509_STORE_add_cert)},
    {FUNCTION(X509_add_ext)},
    {FUNCTION(X509_free)},
    {FUNCTION(X509_get_serialNumber)},
    {FUNCTION(X509_get_subject_name)},
    {FUNCTION(X509_getm_notAfter)},
    {FUNCTION(X509_getm_notBefore)},
    {FUNCTION(X509_gmtime_adj)},
    {FUNCTION(X509_new)},
    {FUNCTION(X509_set_issuer_name)},
    {FUNCTION(X509_set_pubkey)},
    {FUNCTION(X509_set_version)},
    {FUNCTION(X509_sign)},
#undef FUNCTION
};

struct tls_identity {
    X509 *certificate;
    EVP_PKEY *key;
};

struct gl_test_tls_side {
    struct tls_library lib;
    SSL_CTX *contexts[GL_HANDSHAKES]; /* NULL where none is needed */
    struct tls_identity authority, server, client, stranger;
    struct tls_identity bad[GL_HANDSHAKES]; /* what is shown instead of `server` */
    char *ca, *client_cert, *client_key;
};

struct gl_test_tls_link {
    const struct tls_library *lib;
    SSL *ssl;
};

static bool tls_load(struct tls_library *out)
{
    void *library = dlopen("libssl.so.3", RTLD_NOW | RTLD_LOCAL); /* finds libcrypto's as well */

    for (size_t i = 0; library != NULL && i < sizeof tls_functions / sizeof tls_functions[0]; i++) {
        void *symbol = dlsym(library, tls_functions[i].name);

        if (symbol == NULL)
            return false;
        memcpy((char *)out + tls_functions[i].offset, &symbol, sizeof symbol);
    }
    return library != NULL;
}

static bool tls_add_extension(const struct tls_library *lib, X509 *to, int nid, const char *value)
{
    X509V3_CTX context = {0};
    X509_EXTENSION *extension;
    bool is_added;

    lib->X509V3_set_ctx_(&context, to, to, NULL, NULL, 0);
    extension = lib->X509V3_EXT_conf_nid_(NULL, &context, nid, value);
    is_added = extension != NULL && lib->X509_add_ext_(to, extension, -1) == 1;
    lib->X509_EXTENSION_free_(extension);
    return is_added;
}

struct tls_wish {
    const char *name, *alternative; /* "IP:127.0.0.1"; NULL = an authority */
    long number, from_s, to_s;      /* validity, from now */
};

static bool tls_fill(const struct tls_library *lib, X509 *certificate, const struct tls_wish *wish)
{
    const unsigned char *name = (const unsigned char *)wish->name;

    return lib->X509_set_version_(certificate, 2) == 1 &&
           lib->ASN1_INTEGER_set_(lib->X509_get_serialNumber_(certificate), wish->number) == 1 &&
           lib->X509_gmtime_adj_(lib->X509_getm_notBefore_(certificate), wish->from_s) != NULL &&
           lib->X509_gmtime_adj_(lib->X509_getm_notAfter_(certificate), wish->to_s) != NULL &&
           lib->X509_NAME_add_entry_by_txt_(lib->X509_get_subject_name_(certificate), "CN",
                                            MBSTRING_ASC, name, -1, -1, 0) == 1 &&
           (wish->alternative != NULL
                ? tls_add_extension(lib, certificate, NID_subject_alt_name, wish->alternative)
                : tls_add_extension(lib, certificate, NID_basic_constraints, "critical,CA:TRUE"));
}

/* A key and a certificate for it, signed by `authority` (NULL: by itself). */
static bool tls_make(const struct tls_library *lib, const struct tls_wish *wish,
                     const struct tls_identity *authority, struct tls_identity *out)
{
    const struct tls_identity *by = authority != NULL ? authority : out;

    out->key = lib->EVP_PKEY_Q_keygen_(NULL, NULL, "EC", "P-256");
    out->certificate = lib->X509_new_();
    return out->key != NULL && out->certificate != NULL && tls_fill(lib, out->certificate, wish) &&
           lib->X509_set_pubkey_(out->certificate, out->key) == 1 &&
           lib->X509_set_issuer_name_(out->certificate,
                                      lib->X509_get_subject_name_(by->certificate)) == 1 &&
           lib->X509_sign_(out->certificate, by->key, lib->EVP_sha256_()) > 0;
}

/* PEM of the key or (NULL) the certificate, to be freed. */
static char *tls_pem_of(const struct tls_library *lib, X509 *certificate, EVP_PKEY *key)
{
    BIO *bio = lib->BIO_new_(lib->BIO_s_mem_());
    char *bytes = NULL, *text;
    long length;

    if (key != NULL)
        lib->PEM_write_bio_PrivateKey_(bio, key, NULL, NULL, 0, NULL, NULL);
    else
        lib->PEM_write_bio_X509_(bio, certificate);
    length = lib->BIO_ctrl_(bio, BIO_CTRL_INFO, 0, &bytes);
    text = gl_alloc((size_t)length + 1);
    memcpy(text, bytes, (size_t)length);
    lib->BIO_free_(bio);
    return text;
}

static bool tls_make_all(struct gl_test_tls_side *side, const struct gl_test_tls *tls)
{
    const char *name = tls->name != NULL ? tls->name : "127.0.0.1";
    struct in6_addr ignored;
    bool is_address = inet_pton(AF_INET, name, &ignored) == 1;
    char alternative[300], authority[40];
    struct tls_wish server = {name, alternative, 2, -2 * TLS_DAY_S,
                              tls->is_expired ? -TLS_DAY_S : TLS_DAY_S};

    snprintf(authority, sizeof authority, "Test authority %p", (void *)side); /* one of many */
    snprintf(alternative, sizeof alternative, "%s:%s", is_address ? "IP" : "DNS", name);
    return tls_make(&side->lib, &(struct tls_wish){authority, NULL, 1, -2 * TLS_DAY_S, TLS_DAY_S},
                    NULL, &side->authority) &&
           tls_make(&side->lib, &server, &side->authority, &side->server) &&
           tls_make(&side->lib,
                    &(struct tls_wish){"client", "DNS:client", 3, -TLS_DAY_S, TLS_DAY_S},
                    &side->authority, &side->client);
}

/* What a server shows whose handshakes go wrong. */
static bool tls_make_bad(struct gl_test_tls_side *side)
{
    const struct tls_wish wishes[GL_HANDSHAKES] = {
        [GL_HANDSHAKE_STRANGER] = {"127.0.0.1", "IP:127.0.0.1", 4, -TLS_DAY_S, TLS_DAY_S},
        [GL_HANDSHAKE_EXPIRED] = {"127.0.0.1", "IP:127.0.0.1", 5, -2 * TLS_DAY_S, -TLS_DAY_S},
        [GL_HANDSHAKE_OTHER_HOST] = {"other.example", "DNS:other.example", 6, -TLS_DAY_S,
                                     TLS_DAY_S}};

    if (!tls_make(&side->lib, &(struct tls_wish){"Stranger", NULL, 1, -TLS_DAY_S, TLS_DAY_S}, NULL,
                  &side->stranger))
        return false;
    for (size_t i = 0; i < GL_HANDSHAKES; i++)
        if (wishes[i].name != NULL &&
            !tls_make(&side->lib, &wishes[i],
                      i == GL_HANDSHAKE_STRANGER ? &side->stranger : &side->authority,
                      &side->bad[i]))
            return false;
    return true;
}

static SSL_CTX *tls_context(const struct tls_library *lib, const struct tls_identity *shown)
{
    SSL_CTX *context = lib->SSL_CTX_new_(lib->TLS_server_method_());

    if (context != NULL && lib->SSL_CTX_use_certificate_(context, shown->certificate) == 1 &&
        lib->SSL_CTX_use_PrivateKey_(context, shown->key) == 1)
        return context;
    lib->SSL_CTX_free_(context);
    return NULL;
}

static bool tls_set_contexts(struct gl_test_tls_side *side, bool asks_for_client)
{
    const struct tls_library *lib = &side->lib;
    SSL_CTX *fine = tls_context(lib, &side->server);

    side->contexts[GL_HANDSHAKE_FINE] = fine;
    for (size_t i = 0; i < GL_HANDSHAKES; i++)
        if (side->bad[i].certificate != NULL)
            side->contexts[i] = tls_context(lib, &side->bad[i]);
    if (fine == NULL || !asks_for_client)
        return fine != NULL;
    lib->SSL_CTX_set_verify_(fine, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    return lib->X509_STORE_add_cert_(lib->SSL_CTX_get_cert_store_(fine),
                                     side->authority.certificate) == 1;
}

struct gl_test_tls_side *gl_test_tls_new(const struct gl_test_tls *tls)
{
    struct gl_test_tls_side *side = gl_alloc(sizeof *side);

    if (!tls_load(&side->lib)) {
        free(side);
        return NULL;
    }
    if (!tls_make_all(side, tls) || (tls->handshake != NULL && !tls_make_bad(side)) ||
        !tls_set_contexts(side, tls->asks_for_client)) {
        gl_test_tls_free(side);
        return NULL;
    }
    side->ca = tls_pem_of(&side->lib, side->authority.certificate, NULL);
    side->client_cert = tls_pem_of(&side->lib, side->client.certificate, NULL);
    side->client_key = tls_pem_of(&side->lib, NULL, side->client.key);
    return side;
}

static void tls_identity_free(const struct tls_library *lib, const struct tls_identity *identity)
{
    lib->X509_free_(identity->certificate);
    lib->EVP_PKEY_free_(identity->key);
}

void gl_test_tls_free(struct gl_test_tls_side *side)
{
    const struct tls_identity *const all[] = {&side->authority, &side->server, &side->client,
                                              &side->stranger};

    for (size_t i = 0; i < GL_HANDSHAKES; i++) {
        side->lib.SSL_CTX_free_(side->contexts[i]);
        tls_identity_free(&side->lib, &side->bad[i]);
    }
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        tls_identity_free(&side->lib, all[i]);
    free(side->ca);
    free(side->client_cert);
    free(side->client_key);
    free(side);
}

const char *gl_test_tls_ca(const struct gl_test_tls_side *side)
{
    return side->ca;
}

const char *gl_test_tls_client_cert(const struct gl_test_tls_side *side)
{
    return side->client_cert;
}

const char *gl_test_tls_client_key(const struct gl_test_tls_side *side)
{
    return side->client_key;
}

/* The peer's hello is heard, and five bytes of ours are all it gets. */
static void tls_cut(int fd)
{
    char hello[512];

    if (recv(fd, hello, sizeof hello, 0) > 0)
        (void)send(fd, "\x16\x03\x03\x00\x7a", 5, MSG_NOSIGNAL);
}

struct gl_test_tls_link *gl_test_tls_accept(const struct gl_test_tls_side *side, int fd,
                                            enum gl_test_handshake how)
{
    struct gl_test_tls_link *link;

    if (side->contexts[how] == NULL) {
        tls_cut(fd);
        return NULL;
    }
    link = gl_alloc(sizeof *link);
    link->lib = &side->lib;
    link->ssl = link->lib->SSL_new_(side->contexts[how]);
    if (link->ssl != NULL && link->lib->SSL_set_fd_(link->ssl, fd) == 1 &&
        link->lib->SSL_accept_(link->ssl) == 1)
        return link;
    gl_test_tls_close(link);
    return NULL;
}

int gl_test_tls_read(struct gl_test_tls_link *link, void *out, int size)
{
    return link->lib->SSL_read_(link->ssl, out, size);
}

int gl_test_tls_write(struct gl_test_tls_link *link, const void *bytes, int length)
{
    return link->lib->SSL_write_(link->ssl, bytes, length);
}

void gl_test_tls_close(struct gl_test_tls_link *link)
{
    link->lib->SSL_free_(link->ssl);
    free(link);
}
