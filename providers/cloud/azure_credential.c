/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/azure_credential.h"

#include "base/file.h"
#include "base/jwt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AUTHORITY      "https://login.microsoftonline.com"
#define METADATA       "http://169.254.169.254"
#define ASSERTION_TYPE "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
#define ASSET_TAG      "7783-7084-3265-9085-8269-3286-77" /* chassis of every machine in Azure */
#define FILE_CEILING   ((size_t)64 << 10)
#define TOKEN_CEILING  ((size_t)16 << 10)
#define LIFE_MAX_S     86400
#define ASSERTION_S    600
#define EARLY_S        120 /* a token that ends sooner is fetched anew */

/* ---- hosts ---- */

bool gl_azure_is_loopback(const char *url)
{
    static const char *const hosts[] = {"http://127.0.0.1", "http://localhost", "http://[::1]"};

    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
        size_t length = strlen(hosts[i]);

        if (strncmp(url, hosts[i], length) == 0 &&
            (url[length] == '\0' || url[length] == ':' || url[length] == '/'))
            return strchr(url, '@') == NULL;
    }
    return false;
}

bool gl_azure_is_authority(const char *url)
{
    static const char *const hosts[] = {"login.microsoftonline.com", "login.microsoftonline.us",
                                        "login.partner.microsoftonline.cn",
                                        "login.chinacloudapi.cn"};
    size_t length;

    if (gl_azure_is_loopback(url))
        return true;
    if (strncmp(url, "https://", 8) != 0)
        return false;
    length = strcspn(url + 8, "/?#");
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++)
        if (strlen(hosts[i]) == length && strncmp(url + 8, hosts[i], length) == 0)
            return true;
    return false;
}

/* Tokens are for one cloud: Azure's own, or that of the US government or of China. */
static const char *audience_of(const char *endpoint)
{
    static const char *const known[] = {"https://management.usgovcloudapi.net",
                                        "https://management.chinacloudapi.cn"};

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(endpoint, known[i]) == 0)
            return known[i];
    return "https://management.azure.com";
}

/* ---- finding ---- */

static const char *env(const struct gl_world *world, const char *name)
{
    const char *value = world->getenv(world->cookie, name);

    return value != NULL && value[0] != '\0' ? value : NULL;
}

/* Goes into a URL and into claims. */
static bool is_name(const char *text)
{
    size_t length = strlen(text);

    return length > 0 && length < 80 &&
           strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-") ==
               length;
}

/* Tenant, client and where to ask. */
static int find_application(const struct gl_world *world, struct gl_azure_credential *out,
                            struct gl_error *err)
{
    const char *tenant = env(world, "AZURE_TENANT_ID"), *client = env(world, "AZURE_CLIENT_ID");
    const char *authority = env(world, "AZURE_AUTHORITY_HOST");
    size_t length;

    if (tenant == NULL || client == NULL)
        return gl_fail(err, GL_E_NO_CREDENTIAL, "%s needs %s, too", out->from,
                       tenant == NULL ? "AZURE_TENANT_ID" : "AZURE_CLIENT_ID");
    if (!is_name(tenant) || !is_name(client))
        return gl_fail(err, GL_E_CONFIG, "%s is no id",
                       is_name(tenant) ? "AZURE_CLIENT_ID" : "AZURE_TENANT_ID");
    authority = authority != NULL ? authority : AUTHORITY;
    length = strlen(authority);
    while (length > 0 && authority[length - 1] == '/')
        length--;
    if (length > 128 || !gl_azure_is_authority(authority) || strpbrk(authority, "?# ") != NULL)
        return gl_fail(err, GL_E_CONFIG,
                       "AZURE_AUTHORITY_HOST is no sign-in host of Microsoft: no secret is sent "
                       "there");
    snprintf(out->client, sizeof out->client, "%s", client);
    snprintf(out->token_url, sizeof out->token_url, "%.*s/%s/oauth2/v2.0/token", (int)length,
             authority, tenant);
    return 0;
}

static int find_secret(const struct gl_world *world, const char *value,
                       struct gl_azure_credential *out, struct gl_error *err)
{
    out->kind = GL_AZURE_SECRET;
    gl_secret_init(&out->secret, value, strlen(value));
    return find_application(world, out, err);
}

static int find_certificate(const struct gl_world *world, const char *path,
                            struct gl_azure_credential *out, struct gl_error *err)
{
    const char *passphrase = env(world, "AZURE_CLIENT_CERTIFICATE_PASSWORD");
    bool is_pem;
    size_t length;
    char *bytes;

    out->kind = GL_AZURE_CERTIFICATE;
    if (find_application(world, out, err) != 0)
        return -1;
    if (gl_file_read(path, GL_CRYPTO_MAX_PEM, &bytes, &length, err) != 0) {
        err->code = GL_E_NO_CREDENTIAL;
        return gl_wrap(err, "AZURE_CLIENT_CERTIFICATE_PATH");
    }
    is_pem = strstr(bytes, "-----BEGIN ") != NULL;
    gl_secret_init(&out->secret, bytes, length);
    gl_wipe(bytes, length);
    free(bytes);
    if (!is_pem)
        return gl_fail(
            err, GL_E_CONFIG,
            "%s is not PEM; openssl pkcs12 -in FILE -out FILE.pem makes one of a PKCS#12 "
            "file",
            path);
    if (passphrase != NULL)
        gl_secret_init(&out->passphrase, passphrase, strlen(passphrase));
    return 0;
}

static int find_federated(const struct gl_world *world, const char *path,
                          struct gl_azure_credential *out, struct gl_error *err)
{
    out->kind = GL_AZURE_FEDERATED;
    if (strlen(path) >= sizeof out->file)
        return gl_fail(err, GL_E_CONFIG, "AZURE_FEDERATED_TOKEN_FILE is too long");
    snprintf(out->file, sizeof out->file, "%s", path);
    return find_application(world, out, err);
}

/* A machine of Azure says so in its firmware; asking the metadata address of every other network
 * would cost a time-out. */
static bool is_azure(void)
{
    struct gl_error ignored = {0};
    char *text = NULL;
    size_t length;
    bool is_so;

    if (gl_file_read("/sys/class/dmi/id/chassis_asset_tag", 256, &text, &length, &ignored) != 0)
        return false;
    is_so = strncmp(text, ASSET_TAG, sizeof ASSET_TAG - 1) == 0;
    free(text);
    return is_so;
}

static int find_managed(const struct gl_world *world, struct gl_azure_credential *out,
                        struct gl_error *err)
{
    const char *named = env(world, "GREENLAUNCH_AZURE_METADATA_ENDPOINT");
    const char *client = env(world, "AZURE_CLIENT_ID");

    if (named == NULL && !is_azure())
        return gl_fail(err, GL_E_NO_CREDENTIAL,
                       "no Azure credentials: set AZURE_TENANT_ID, AZURE_CLIENT_ID and "
                       "AZURE_CLIENT_SECRET or AZURE_CLIENT_CERTIFICATE_PATH");
    if (named != NULL && !gl_azure_is_loopback(named) && strcmp(named, METADATA) != 0)
        return gl_fail(err, GL_E_CONFIG,
                       "GREENLAUNCH_AZURE_METADATA_ENDPOINT is no metadata address");
    if (client != NULL && !is_name(client))
        return gl_fail(err, GL_E_CONFIG, "AZURE_CLIENT_ID is no id");
    out->kind = GL_AZURE_MANAGED;
    snprintf(out->from, sizeof out->from, "managed identity");
    snprintf(out->client, sizeof out->client, "%s", client != NULL ? client : "");
    snprintf(out->token_url, sizeof out->token_url, "%.120s/metadata/identity/oauth2/token",
             named != NULL ? named : METADATA);
    return 0;
}

int gl_azure_credential_find(const struct gl_world *world, const char *endpoint,
                             struct gl_azure_credential *out, struct gl_error *err)
{
    static const struct {
        const char *name;
        int (*find)(const struct gl_world *world, const char *value,
                    struct gl_azure_credential *out, struct gl_error *err);
    } kinds[] = {{"AZURE_CLIENT_SECRET", find_secret},
                 {"AZURE_CLIENT_CERTIFICATE_PATH", find_certificate},
                 {"AZURE_FEDERATED_TOKEN_FILE", find_federated}};

    snprintf(out->audience, sizeof out->audience, "%s", audience_of(endpoint));
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        const char *value = env(world, kinds[i].name);

        if (value == NULL)
            continue;
        snprintf(out->from, sizeof out->from, "%s", kinds[i].name);
        return kinds[i].find(world, value, out, err);
    }
    return find_managed(world, out, err);
}

void gl_azure_credential_done(struct gl_azure_credential *credential)
{
    gl_secret_done(&credential->secret);
    gl_secret_done(&credential->passphrase);
    gl_secret_done(&credential->token);
}

/* ---- asking for a token ---- */

static json_t *header_of(const struct gl_crypto_thumbprint *thumbprint)
{
    GL_AUTO(gl_str_done) struct gl_str sha1 = {0}, sha256 = {0};

    gl_base64url_add(&sha1, thumbprint->sha1, sizeof thumbprint->sha1);
    gl_base64url_add(&sha256, thumbprint->sha256.bytes, sizeof thumbprint->sha256.bytes);
    return json_pack("{s:s,s:s}", "x5t", gl_str_text(&sha1), "x5t#S256", gl_str_text(&sha256));
}

static json_t *claims_of(const struct gl_azure_credential *credential, const struct gl_world *world)
{
    json_int_t now_s = gl_now(world).unix_s;
    uint8_t id[16];
    char hex[2 * sizeof id + 1];

    world->random(world->cookie, id, sizeof id);
    gl_hex_text(id, sizeof id, hex);
    return json_pack("{s:s,s:s,s:s,s:s,s:I,s:I,s:I}", "aud", credential->token_url, "iss",
                     credential->client, "sub", credential->client, "jti", hex, "iat", now_s, "nbf",
                     now_s, "exp", now_s + ASSERTION_S);
}

/* What proves that we hold the key of the certificate. */
static int make_assertion(const struct gl_azure_credential *credential,
                          const struct gl_world *world, struct gl_secret *out, struct gl_error *err)
{
    const struct gl_jwt_signer signer = {
        GL_RS256,
        {&credential->secret, credential->passphrase.length > 0 ? &credential->passphrase : NULL}};
    const struct gl_view pem = {(const char *)credential->secret.bytes, credential->secret.length};
    GL_AUTO(gl_auto_json) json_t *header = NULL, *claims = NULL;
    struct gl_crypto_thumbprint thumbprint;

    if (gl_crypto_thumbprint(pem, &thumbprint, err) != 0)
        return gl_wrap(err, "%s", credential->from);
    header = header_of(&thumbprint);
    claims = claims_of(credential, world);
    if (gl_jwt_make(&signer, header, claims, out, err) != 0)
        return gl_wrap(err, "%s", credential->from);
    return 0;
}

/* Another issuer writes it anew from time to time, so it is read each time. */
static int read_assertion(const struct gl_azure_credential *credential, struct gl_secret *out,
                          struct gl_error *err)
{
    char *bytes = NULL;
    size_t length, used;

    if (gl_file_read(credential->file, FILE_CEILING, &bytes, &length, err) != 0) {
        err->code = GL_E_NO_CREDENTIAL;
        return gl_wrap(err, "%s", credential->from);
    }
    for (used = length; used > 0 && strchr("\r\n ", bytes[used - 1]) != NULL; used--) {
    }
    gl_secret_init(out, bytes, used);
    gl_wipe(bytes, length);
    free(bytes);
    return 0;
}

static int add_proof(const struct gl_azure_credential *credential, const struct gl_world *world,
                     struct gl_remote_call *out, struct gl_error *err)
{
    struct gl_secret assertion = {0};

    if (credential->kind == GL_AZURE_SECRET) {
        gl_remote_form_secret(out, "client_secret", &credential->secret);
        return 0;
    }
    if ((credential->kind == GL_AZURE_CERTIFICATE
             ? make_assertion(credential, world, &assertion, err)
             : read_assertion(credential, &assertion, err)) != 0)
        return -1;
    gl_remote_form(out, "client_assertion_type", ASSERTION_TYPE);
    gl_remote_form_secret(out, "client_assertion", &assertion);
    gl_secret_done(&assertion);
    return 0;
}

static int ask_application(const struct gl_azure_credential *credential,
                           const struct gl_world *world, struct gl_remote_call *out,
                           struct gl_error *err)
{
    char scope[160];

    snprintf(scope, sizeof scope, "%s/.default", credential->audience);
    out->method = "POST";
    gl_str_add(&out->url, credential->token_url);
    gl_remote_header(out, "Content-Type", "application/x-www-form-urlencoded");
    gl_remote_form(out, "grant_type", "client_credentials");
    gl_remote_form(out, "client_id", credential->client);
    gl_remote_form(out, "scope", scope);
    return add_proof(credential, world, out, err);
}

static void ask_managed(const struct gl_azure_credential *credential, struct gl_remote_call *out)
{
    char resource[160];

    snprintf(resource, sizeof resource, "%s/", credential->audience);
    out->method = "GET";
    gl_str_add(&out->url, credential->token_url);
    gl_remote_query(out, "api-version", "2018-02-01");
    gl_remote_query(out, "resource", resource);
    if (credential->client[0] != '\0')
        gl_remote_query(out, "client_id", credential->client);
    gl_remote_header(out, "Metadata", "true");
}

int gl_azure_token_ask(struct gl_azure_credential *credential, const struct gl_world *world,
                       bool is_renewed, struct gl_remote_call *out, struct gl_error *err)
{
    if (is_renewed || credential->expires_s < gl_now(world).unix_s + EARLY_S)
        gl_secret_done(&credential->token);
    if (credential->token.length > 0)
        return 0;
    if (credential->kind == GL_AZURE_MANAGED)
        ask_managed(credential, out);
    else if (ask_application(credential, world, out, err) != 0)
        return -1;
    return 1;
}

/* ---- the answer ---- */

/* The metadata service writes numbers as text. */
static int64_t life_of(const json_t *root)
{
    const json_t *value = json_object_get(root, "expires_in");
    const char *text = json_string_value(value);
    int64_t life = json_is_integer(value) ? json_integer_value(value) : 0;

    if (text != NULL && text[0] != '\0' && strlen(text) < 10 &&
        text[strspn(text, "0123456789")] == '\0')
        life = strtoll(text, NULL, 10);
    return life < 0 ? 0 : life < LIFE_MAX_S ? life : LIFE_MAX_S;
}

int gl_azure_token_read(struct gl_azure_credential *credential, const struct gl_world *world,
                        const struct gl_remote_call *call, struct gl_error *err)
{
    GL_AUTO(gl_auto_json) json_t *root = gl_remote_reply_json(call, err);
    const json_t *value = json_object_get(root, "access_token");
    const char *type = json_string_value(json_object_get(root, "token_type"));
    const char *text = json_string_value(value);

    if (root == NULL)
        return gl_wrap(err, "%s", credential->from);
    if (text == NULL || text[0] == '\0' || json_string_length(value) > TOKEN_CEILING ||
        strpbrk(text, "\r\n ") != NULL || life_of(root) == 0 ||
        (type != NULL && strcasecmp(type, "Bearer") != 0))
        return gl_fail(err, GL_E_BAD_REPLY, "the answer for %s holds no token", credential->from);
    gl_secret_done(&credential->token);
    gl_secret_init(&credential->token, text, strlen(text));
    credential->expires_s = gl_now(world).unix_s + life_of(root);
    return 0;
}
