/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/providers/identity_bench.h"

#include <unistd.h>

static const char *const azure_accounts[] = {"8d10da13-8125-4ba9-a717-bf7490507b3d", NULL};
static const char *const others[] = {"123456789012", NULL};

struct azure {
    struct gl_view document, root, issuing;
    struct gl_identity_ask ask;
};

static void azure_init(struct azure *azure, const char *document)
{
    azure->document = read_file(document);
    azure->root = read_file("azure-root.pem");
    azure->issuing = read_file("azure-issuing.der");
    azure->ask = (struct gl_identity_ask){.kind = GL_IDENTITY_AZURE,
                                          .document = azure->document,
                                          .accounts = azure_accounts,
                                          .now = {NOW},
                                          .nonce = CHALLENGE,
                                          .anchors = azure->root,
                                          .intermediates = azure->issuing};
}

static void azure_done(struct azure *azure)
{
    free_view(&azure->document);
    free_view(&azure->root);
    free_view(&azure->issuing);
}

static void test_azure_accepted(void **state)
{
    static const char *const names[] = {"azure-regional.json", "azure-apex.json",
                                        "azure-sovereign.json"};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        GL_AUTO(azure_done) struct azure azure;
        struct gl_identity out;

        azure_init(&azure, names[i]);
        accepted(&azure.ask, &out);
        assert_int_equal(out.grade, GL_IDENTITY_A);
        assert_string_equal(out.provider, "azure");
        assert_string_equal(out.account, "8d10da13-8125-4ba9-a717-bf7490507b3d");
        assert_string_equal(out.instance, "02aab8a4-74ef-476e-8182-f6d2ba4166a6");
        assert_string_equal(out.region, "");
        assert_int_equal(out.issued_at.unix_s, 2426364459);
    }
}

static void azure_refused(const char *document, const char *why)
{
    GL_AUTO(azure_done) struct azure azure;

    azure_init(&azure, document);
    refused(&azure.ask, why);
}

static void test_azure_refused(void **state)
{
    (void)state;
    azure_refused("azure-evil.json", "not one of metadata.azure.com");
    azure_refused("azure-longer.json", "not one of metadata.azure.com");
    azure_refused("azure-unnamed.json", "not one of metadata.azure.com");
    azure_refused("azure-below.json", "does not lead to an anchor");
    azure_refused("azure-no-certificate.json", "signer certificate not found");
    azure_refused("jwks.json", "encoding");
}

static void test_azure_encoding(void **state)
{
    GL_AUTO(azure_done) struct azure azure;
    GL_AUTO(gl_auto_free) char *text = NULL;

    (void)state;
    azure_init(&azure, "azure-regional.json");
    text = gl_strdup(azure.document.text);
    memcpy(strstr(text, "pkcs7"), "pkcs1", 5);
    azure.ask.document = (struct gl_view){text, strlen(text)};
    refused(&azure.ask, "not pkcs7");
}

static void test_azure_circumstances(void **state)
{
    GL_AUTO(azure_done) struct azure azure;
    AUTO_VIEW other = read_file("azure-other-root.pem");
    AUTO_VIEW pem = read_file("azure-issuing.pem");
    struct gl_identity out;

    (void)state;
    azure_init(&azure, "azure-regional.json");
    azure.ask.nonce = "0123456789abcdef0123456789abcdee";
    refused(&azure.ask, "another challenge");
    azure.ask.nonce = CHALLENGE;
    azure.ask.now.unix_s = 2426364459 - 61;
    refused(&azure.ask, "future");
    azure.ask.now.unix_s = 2426386059 + 61;
    refused(&azure.ask, "expired");
    azure.ask.now.unix_s = 2426386059 + 60;
    accepted(&azure.ask, &out);
    azure.ask.now.unix_s = NOW;
    azure.ask.anchors = other;
    refused(&azure.ask, "does not lead to an anchor");
    /* What was fetched is no anchor, whatever it says. */
    azure.ask.anchors = pem;
    refused(&azure.ask, "does not lead to an anchor");
    azure.ask.anchors = azure.root;
    azure.ask.intermediates = pem;
    accepted(&azure.ask, &out);
    azure.ask.intermediates = (struct gl_view){NULL, 0};
    refused(&azure.ask, "does not lead to an anchor");
    azure.ask.intermediates = azure.document;
    refused(&azure.ask, "cannot be read");
    azure.ask.intermediates = azure.issuing;
    azure.ask.accounts = others;
    refused(&azure.ask, "not one of ours");
}

/* The signer's certificate ended a day after it was made; the document's window holds. */
static void test_azure_expired_signer(void **state)
{
    (void)state;
    azure_refused("azure-expired.json", "certificate has expired");
}

/* Azure names sha256WithRSAEncryption where the digest belongs; both names are nine bytes long. */
static void test_azure_digest_name(void **state)
{
    static const uint8_t digest[] = {0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01};
    static const uint8_t theirs[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b};
    GL_AUTO(azure_done) struct azure azure;
    GL_AUTO(gl_auto_json) json_t *answer = NULL;
    GL_AUTO(gl_auto_free) char *text = NULL;
    uint8_t der[4096], *at;
    char base64[8192];
    struct gl_error err = {0};
    struct gl_identity out;
    size_t length;
    unsigned count = 0;

    (void)state;
    azure_init(&azure, "azure-regional.json");
    answer = gl_json_parse(azure.document.text, azure.document.length, "answer", &err);
    gl_base64_parse(json_string_value(json_object_get(answer, "signature")), der, sizeof der,
                    &length, &err);
    /* The list of digests and the signer's own stand outside of what is signed; capabilities that
     * openssl adds inside list other names. */
    while ((at = memmem(der, length, digest, sizeof digest)) != NULL && ++count < 20)
        memcpy(at, theirs, sizeof theirs);
    assert_int_equal(count, 2);
    gl_base64_text(der, length, base64);
    json_object_set_new(answer, "signature", json_string(base64));
    text = json_dumps(answer, 0);
    azure.ask.document = (struct gl_view){text, strlen(text)};
    accepted(&azure.ask, &out);
}

static void test_azure_wants(void **state)
{
    static const struct gl_view nothing = {NULL, 0};
    GL_AUTO(azure_done) struct azure azure, lured;
    char url[GL_CRYPTO_URL] = "untouched";
    struct gl_error err = {0};

    (void)state;
    azure_init(&azure, "azure-regional.json");
    azure_init(&lured, "azure-lured.json");
    assert_int_equal(gl_identity_azure_wants(azure.document, nothing, url, &err), 0);
    assert_string_equal(url, "http://www.microsoft.com/pkiops/certs/issuing.crt");
    /* With that one at hand, the one above it. */
    assert_int_equal(gl_identity_azure_wants(azure.document, azure.issuing, url, &err), 0);
    assert_string_equal(url, "http://www.microsoft.com/pkiops/certs/root.crt");
    assert_int_equal(gl_identity_azure_wants(lured.document, nothing, url, &err), -1);
    assert_int_equal(err.code, GL_E_NOT_VERIFIED);
    assert_non_null(strstr(err.text, "not on www.microsoft.com"));
    gl_error_clear(&err);
    azure.document.length /= 2;
    assert_int_equal(gl_identity_azure_wants(azure.document, nothing, url, &err), -1);
    assert_int_equal(err.code, GL_E_NOT_VERIFIED);
}

/* The folder's own root may be missing on a machine; a false one is refused everywhere. */
static void test_azure_anchor(void **state)
{
    GL_AUTO(gl_auto_free) char *folder = gl_strdup("/tmp/gl-anchor-XXXXXX");
    GL_AUTO(gl_auto_free) char *path = NULL, *pem = NULL;
    AUTO_VIEW other = read_file("azure-root.pem");
    struct gl_error err = {0};

    (void)state;
    assert_non_null(mkdtemp(folder));
    path = gl_path_join(folder, "DigiCert_Global_Root_G2.pem");
    assert_int_equal(gl_identity_azure_anchor(folder, &pem, &err), -1);
    assert_int_equal(err.code, GL_E_UNKNOWN_DATA);
    gl_error_clear(&err);
    assert_int_equal(gl_file_write(path, other.text, other.length, 0600, &err), 0);
    assert_int_equal(gl_identity_azure_anchor(folder, &pem, &err), -1);
    assert_int_equal(err.code, GL_E_NOT_VERIFIED);
    assert_null(pem);
    unlink(path);
    rmdir(folder);
    gl_error_clear(&err);
    if (!gl_file_exists("/etc/ssl/certs/DigiCert_Global_Root_G2.pem"))
        skip();
    assert_int_equal(gl_identity_azure_anchor(NULL, &pem, &err), 0);
    assert_non_null(strstr(pem, "-----BEGIN CERTIFICATE-----"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_azure_accepted),       cmocka_unit_test(test_azure_refused),
        cmocka_unit_test(test_azure_encoding),       cmocka_unit_test(test_azure_circumstances),
        cmocka_unit_test(test_azure_expired_signer), cmocka_unit_test(test_azure_digest_name),
        cmocka_unit_test(test_azure_wants),          cmocka_unit_test(test_azure_anchor),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
