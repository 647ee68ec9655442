/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/gcp_credential.h"

#include "base/file.h"
#include "base/jwt.h"
#include "providers/cloud/credential_file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SCOPE        "https://www.googleapis.com/auth/cloud-platform"
#define TOKEN_URL    "https://oauth2.googleapis.com/token"
#define STS_GRANT    "urn:ietf:params:oauth:grant-type:token-exchange"
#define JWT_GRANT    "urn:ietf:params:oauth:grant-type:jwt-bearer"
#define ACCESS_TYPE  "urn:ietf:params:oauth:token-type:access_token"
#define FILE_CEILING ((size_t)64 << 10)
#define LIFE_S       3600
#define EARLY_S      120 /* a token that ends sooner is fetched anew */
#define NEST_MAX     4   /* of impersonated accounts in their files */

bool gl_gcp_is_trusted(const char *url)
{
    static const char *const hosts[] = {"http://127.0.0.1:", "http://localhost:", "http://[::1]:"};
    static const char domain[] = ".googleapis.com";
    const char *host = url + 8;
    size_t length;

    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++)
        if (strncmp(url, hosts[i], strlen(hosts[i])) == 0)
            return true;
    if (strncmp(url, "https://", 8) != 0)
        return false;
    length = strcspn(host, "/?#");
    return memchr(host, '@', length) == NULL && memchr(host, ':', length) == NULL &&
           length > sizeof domain - 1 &&
           strncmp(host + length - (sizeof domain - 1), domain, sizeof domain - 1) == 0;
}

/* ---- reading a file ---- */

struct file {
    const char *path;
    struct gl_gcp_credential *out;
    struct gl_error *err;
};

static int fail_file(const struct file *file, const char *what)
{
    return gl_fail(file->err, GL_E_CONFIG, "%s: %s", file->path, what);
}

/* A member as text that fits; absent is "" unless it must be there. */
static int copy(const struct file *file, const json_t *from, const char *key, bool is_needed,
                char *out, size_t size)
{
    const char *text = json_string_value(json_object_get(from, key));
    char why[120];

    if (text == NULL && !is_needed)
        return 0;
    if (text != NULL && text[0] != '\0' && strlen(text) < size) {
        snprintf(out, size, "%s", text);
        return 0;
    }
    snprintf(why, sizeof why, "\"%.40s\" is %s", key,
             text == NULL ? "missing" : "empty or too long");
    return fail_file(file, why);
}

static int copy_url(const struct file *file, const json_t *from, const char *key, char *out,
                    size_t size)
{
    char why[120];

    if (copy(file, from, key, out[0] == '\0', out, size) != 0)
        return -1;
    if (gl_gcp_is_trusted(out))
        return 0;
    snprintf(why, sizeof why, "\"%.40s\" is no address of Google: no secret is sent there", key);
    return fail_file(file, why);
}

static int copy_secret(const struct file *file, const json_t *from, const char *key,
                       struct gl_secret *out)
{
    const char *text = json_string_value(json_object_get(from, key));
    char why[120];

    if (text == NULL || text[0] == '\0') {
        snprintf(why, sizeof why, "\"%.40s\" is missing", key);
        return fail_file(file, why);
    }
    gl_secret_init(out, text, strlen(text));
    return 0;
}

static int read_service(const struct file *file, const json_t *root)
{
    struct gl_gcp_credential *out = file->out;

    out->kind = GL_GCP_SERVICE;
    snprintf(out->token_url, sizeof out->token_url, TOKEN_URL);
    return copy(file, root, "client_email", true, out->email, sizeof out->email) != 0 ||
                   copy(file, root, "private_key_id", false, out->key_id, sizeof out->key_id) !=
                       0 ||
                   copy_url(file, root, "token_uri", out->token_url, sizeof out->token_url) != 0 ||
                   copy_secret(file, root, "private_key", &out->secret) != 0
               ? -1
               : 0;
}

static int read_user(const struct file *file, const json_t *root)
{
    struct gl_gcp_credential *out = file->out;

    out->kind = GL_GCP_USER;
    snprintf(out->token_url, sizeof out->token_url, TOKEN_URL);
    return copy(file, root, "client_id", true, out->client_id, sizeof out->client_id) != 0 ||
                   copy_url(file, root, "token_uri", out->token_url, sizeof out->token_url) != 0 ||
                   copy_secret(file, root, "client_secret", &out->client_secret) != 0 ||
                   copy_secret(file, root, "refresh_token", &out->secret) != 0
               ? -1
               : 0;
}

static int read_external(const struct file *file, const json_t *root)
{
    struct gl_gcp_credential *out = file->out;
    const json_t *source = json_object_get(root, "credential_source");
    const json_t *format = json_object_get(source, "format");

    out->kind = GL_GCP_EXTERNAL;
    if (json_object_get(source, "file") == NULL)
        return fail_file(file, "a subject token is read from a file only (credential_source.file)");
    return copy(file, root, "audience", true, out->audience, sizeof out->audience) != 0 ||
                   copy(file, root, "subject_token_type", true, out->subject_type,
                        sizeof out->subject_type) != 0 ||
                   copy(file, source, "file", true, out->subject_file, sizeof out->subject_file) !=
                       0 ||
                   copy(file, format, "subject_token_field_name", false, out->subject_field,
                        sizeof out->subject_field) != 0 ||
                   copy_url(file, root, "token_url", out->token_url, sizeof out->token_url) != 0
               ? -1
               : 0;
}

static int read_kind(const struct file *file, const json_t *root, unsigned nest)
{
    static const struct {
        const char *type;
        int (*read)(const struct file *file, const json_t *root);
    } kinds[] = {{"service_account", read_service},
                 {"authorized_user", read_user},
                 {"external_account", read_external}};
    const char *type = json_string_value(json_object_get(root, "type"));

    if (type == NULL)
        return fail_file(file, "\"type\" is missing: it holds no credentials");
    if (json_object_get(root, "service_account_impersonation_url") != NULL &&
        copy_url(file, root, "service_account_impersonation_url", file->out->impersonate_url,
                 sizeof file->out->impersonate_url) != 0)
        return -1;
    if (strcmp(type, "impersonated_service_account") == 0 &&
        json_object_get(root, "source_credentials") == NULL)
        return fail_file(file, "\"source_credentials\" is missing");
    if (strcmp(type, "impersonated_service_account") == 0)
        return nest < NEST_MAX
                   ? read_kind(file, json_object_get(root, "source_credentials"), nest + 1)
                   : fail_file(file, "too many accounts behind each other");
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(type, kinds[i].type) == 0)
            return kinds[i].read(file, root);
    return fail_file(file, "credentials of this type are not read; use a service account, "
                           "gcloud auth application-default login, or a workload identity file");
}

/* What the parser says of a file may quote it, and it is all secret. */
static json_t *parse_secret(const char *bytes, size_t length, const char *path,
                            struct gl_error *err)
{
    struct gl_error why = {0};
    json_t *root = gl_json_parse(bytes, length, path, &why);

    if (root == NULL)
        gl_fail(err, why.code, "%s is not valid JSON, near line %u", path, why.pos.line);
    return root;
}

static int read_bytes(const char *path, const char *bytes, size_t length,
                      struct gl_gcp_credential *out, struct gl_error *err)
{
    GL_AUTO(gl_auto_json) json_t *root = parse_secret(bytes, length, path, err);
    const struct file file = {path, out, err};

    if (root == NULL)
        return -1;
    snprintf(out->from, sizeof out->from, "%s", path);
    if (copy(&file, root, "project_id", false, out->project, sizeof out->project) != 0 ||
        (out->project[0] == '\0' &&
         copy(&file, root, "quota_project_id", false, out->project, sizeof out->project) != 0))
        return -1;
    return read_kind(&file, root, 0);
}

/* 1 read, 0 there is none, -1. */
static int read_file(const char *path, bool is_named, struct gl_gcp_credential *out,
                     struct gl_error *err)
{
    struct gl_error trouble = {0};
    char *bytes;
    size_t length;
    int rc;

    if (gl_credential_file_read(&(struct gl_credential_file){.path = path, .ceiling = FILE_CEILING},
                                &bytes, &length, &trouble) != 0) {
        if (trouble.sys == ENOENT && !is_named)
            return 0;
        return gl_fail(err, trouble.code == GL_E_CONFIG ? GL_E_CONFIG : GL_E_NO_CREDENTIAL,
                       "the file of Google credentials: %s", trouble.text);
    }
    rc = read_bytes(path, bytes, length, out, err);
    gl_wipe(bytes, length);
    free(bytes);
    return rc == 0 ? 1 : -1;
}

static const char *env(const struct gl_world *world, const char *name)
{
    const char *value = world->getenv(world->cookie, name);

    return value != NULL && value[0] != '\0' ? value : NULL;
}

/* gcloud's own file; NULL when there is no home to look in. */
static char *default_path(const struct gl_world *world)
{
    const char *config = env(world, "CLOUDSDK_CONFIG"), *home = env(world, "HOME");
    struct gl_str path = {0};

    if (config == NULL && home == NULL)
        return NULL;
    gl_str_addf(&path, "%s%s/application_default_credentials.json", config != NULL ? config : home,
                config != NULL ? "" : "/.config/gcloud");
    return gl_str_take(&path);
}

static void of_metadata(const struct gl_world *world, struct gl_gcp_credential *out)
{
    const char *host = env(world, "GCE_METADATA_HOST");

    out->kind = GL_GCP_METADATA;
    snprintf(out->from, sizeof out->from, "metadata server");
    snprintf(out->metadata, sizeof out->metadata, "http://%.110s",
             host != NULL ? host : "metadata.google.internal");
    snprintf(out->token_url, sizeof out->token_url,
             "%s/computeMetadata/v1/instance/service-accounts/default/token", out->metadata);
}

/* A machine of Google names itself in its firmware; asking every other network for that host would
 * cost a time-out. */
static bool is_google(const struct gl_world *world)
{
    struct gl_error err = {0};
    char *text = NULL;
    size_t length;
    bool is_so;

    if (env(world, "GCE_METADATA_HOST") != NULL)
        return true;
    if (gl_file_read("/sys/class/dmi/id/product_name", 256, &text, &length, &err) != 0)
        return false;
    is_so = strncmp(text, "Google", 6) == 0;
    free(text);
    return is_so;
}

int gl_gcp_credential_find(const struct gl_world *world, const char *file,
                           struct gl_gcp_credential *out, struct gl_error *err)
{
    const char *named = file != NULL ? file : env(world, "GOOGLE_APPLICATION_CREDENTIALS");
    GL_AUTO(gl_auto_free) char *path = named != NULL ? gl_strdup(named) : default_path(world);
    int got = path != NULL ? read_file(path, named != NULL, out, err) : 0;

    if (got != 0)
        return got > 0 ? 0 : -1;
    if (is_google(world)) {
        of_metadata(world, out);
        return 0;
    }
    return gl_fail(err, GL_E_NO_CREDENTIAL,
                   "no Google credentials: set GOOGLE_APPLICATION_CREDENTIALS to a key file, or "
                   "run: gcloud auth application-default login");
}

void gl_gcp_credential_done(struct gl_gcp_credential *credential)
{
    gl_secret_done(&credential->secret);
    gl_secret_done(&credential->client_secret);
    gl_secret_done(&credential->token);
    gl_secret_done(&credential->first);
}

/* ---- asking for a token ---- */

static void begin(struct gl_remote_call *call, const char *url)
{
    call->method = "POST";
    gl_str_add(&call->url, url);
    gl_remote_header(call, "Content-Type", "application/x-www-form-urlencoded");
}

static int ask_service(struct gl_gcp_credential *credential, int64_t now_s,
                       struct gl_remote_call *out, struct gl_error *err)
{
    const struct gl_jwt_signer signer = {GL_RS256, {&credential->secret, NULL}};
    GL_AUTO(gl_auto_json)
    json_t *claims = json_pack("{s:s,s:s,s:s,s:I,s:I}", "iss", credential->email, "scope", SCOPE,
                               "aud", credential->token_url, "iat", (json_int_t)now_s, "exp",
                               (json_int_t)(now_s + LIFE_S));
    GL_AUTO(gl_auto_json)
    json_t *header =
        credential->key_id[0] != '\0' ? json_pack("{s:s}", "kid", credential->key_id) : NULL;
    struct gl_secret assertion = {0};

    if (gl_jwt_make(&signer, header, claims, &assertion, err) != 0)
        return gl_wrap(err, "%s", credential->from);
    begin(out, credential->token_url);
    gl_remote_form(out, "grant_type", JWT_GRANT);
    gl_remote_form_secret(out, "assertion", &assertion);
    gl_secret_done(&assertion);
    return 0;
}

static int ask_user(struct gl_gcp_credential *credential, struct gl_remote_call *out)
{
    begin(out, credential->token_url);
    gl_remote_form(out, "grant_type", "refresh_token");
    gl_remote_form(out, "client_id", credential->client_id);
    gl_remote_form_secret(out, "client_secret", &credential->client_secret);
    gl_remote_form_secret(out, "refresh_token", &credential->secret);
    return 0;
}

/* The subject token: another system writes it anew from time to time, so it is read each time. */
static int read_subject(const struct gl_gcp_credential *credential, struct gl_secret *out,
                        struct gl_error *err)
{
    char *bytes = NULL;
    size_t length;
    int rc = 0;

    if (gl_file_read(credential->subject_file, FILE_CEILING, &bytes, &length, err) != 0) {
        err->code = GL_E_NO_CREDENTIAL;
        return gl_wrap(err, "the subject token of %s", credential->from);
    }
    if (credential->subject_field[0] == '\0') {
        while (length > 0 && strchr("\r\n ", bytes[length - 1]) != NULL)
            length--;
        gl_secret_init(out, bytes, length);
    } else {
        json_t *root = parse_secret(bytes, length, credential->subject_file, err);
        const char *text = json_string_value(json_object_get(root, credential->subject_field));

        if (text != NULL)
            gl_secret_init(out, text, strlen(text));
        else
            rc = gl_fail(err, GL_E_NO_CREDENTIAL, "%s has no \"%s\"", credential->subject_file,
                         credential->subject_field);
        json_decref(root);
    }
    gl_wipe(bytes, length);
    free(bytes);
    return rc;
}

static int ask_external(struct gl_gcp_credential *credential, struct gl_remote_call *out,
                        struct gl_error *err)
{
    struct gl_secret subject = {0};

    if (read_subject(credential, &subject, err) != 0)
        return -1;
    begin(out, credential->token_url);
    gl_remote_form(out, "grant_type", STS_GRANT);
    gl_remote_form(out, "audience", credential->audience);
    gl_remote_form(out, "scope", SCOPE);
    gl_remote_form(out, "requested_token_type", ACCESS_TYPE);
    gl_remote_form(out, "subject_token_type", credential->subject_type);
    gl_remote_form_secret(out, "subject_token", &subject);
    gl_secret_done(&subject);
    return 0;
}

static int ask_metadata(const struct gl_gcp_credential *credential, const char *path,
                        struct gl_remote_call *out)
{
    out->method = "GET";
    gl_str_addf(&out->url, "%s%s", path[0] == '/' ? credential->metadata : "", path);
    gl_remote_header(out, "Metadata-Flavor", "Google");
    return 0;
}

static void ask_impersonated(const struct gl_gcp_credential *credential, struct gl_remote_call *out)
{
    GL_AUTO(gl_auto_json) json_t *body = json_pack("{s:[s]}", "scope", SCOPE);

    out->method = "POST";
    gl_str_add(&out->url, credential->impersonate_url);
    gl_remote_bearer(out, &credential->first);
    gl_remote_body_json(out, body);
}

int gl_gcp_token_ask(struct gl_gcp_credential *credential, const struct gl_world *world,
                     bool is_renewed, struct gl_remote_call *out, struct gl_error *err)
{
    int64_t now_s = gl_now(world).unix_s;
    int rc = 0;

    if (is_renewed || credential->expires_s < now_s + EARLY_S)
        gl_secret_done(&credential->token);
    /* One whose impersonation failed is still there, perhaps for too long. */
    if (is_renewed || credential->first_expires_s < now_s + EARLY_S)
        gl_secret_done(&credential->first);
    if (credential->token.length > 0 &&
        (credential->project[0] != '\0' || credential->kind != GL_GCP_METADATA))
        return 0;
    if (credential->token.length > 0)
        rc = ask_metadata(credential, "/computeMetadata/v1/project/project-id", out);
    else if (credential->first.length > 0)
        ask_impersonated(credential, out);
    else if (credential->kind == GL_GCP_SERVICE)
        rc = ask_service(credential, now_s, out, err);
    else if (credential->kind == GL_GCP_USER)
        rc = ask_user(credential, out);
    else if (credential->kind == GL_GCP_EXTERNAL)
        rc = ask_external(credential, out, err);
    else
        rc = ask_metadata(credential, credential->token_url, out);
    return rc == 0 ? 1 : -1;
}

/* ---- the answer ---- */

/* Who answers at that address without the header is not Google's metadata server. */
static int check_flavor(const struct gl_gcp_credential *credential,
                        const struct gl_remote_call *call, struct gl_error *err)
{
    char flavor[16];

    if (credential->kind != GL_GCP_METADATA ||
        (gl_http_reply_header(&call->reply, "metadata-flavor", flavor, sizeof flavor) &&
         strcmp(flavor, "Google") == 0))
        return 0;
    return gl_fail(err, GL_E_NO_CREDENTIAL, "%s is not Google's metadata server",
                   credential->metadata);
}

static int take_project(struct gl_gcp_credential *credential, const struct gl_remote_call *call,
                        struct gl_error *err)
{
    size_t length = strspn(call->reply.body, "abcdefghijklmnopqrstuvwxyz0123456789-:.");

    if (length == 0 || length >= sizeof credential->project || call->reply.body[length] != '\0')
        return gl_fail(err, GL_E_BAD_REPLY, "the metadata server names no project");
    memcpy(credential->project, call->reply.body, length + 1);
    return 0;
}

/* "expires_in" of OAuth, or "expireTime" of generateAccessToken, of which an hour is the most. */
static int64_t life_of(const json_t *root)
{
    const json_t *seconds = json_object_get(root, "expires_in");

    if (json_is_integer(seconds) && json_integer_value(seconds) > 0)
        return json_integer_value(seconds) < LIFE_S ? json_integer_value(seconds) : LIFE_S;
    return json_object_get(root, "expireTime") != NULL ? LIFE_S / 2 : 0;
}

int gl_gcp_token_read(struct gl_gcp_credential *credential, const struct gl_world *world,
                      const struct gl_remote_call *call, struct gl_error *err)
{
    GL_AUTO(gl_auto_json) json_t *root = NULL;
    const char *text;
    bool is_second = credential->first.length > 0;

    if (check_flavor(credential, call, err) != 0)
        return -1;
    if (credential->token.length > 0)
        return take_project(credential, call, err);
    root = gl_remote_reply_json(call, err);
    text = json_string_value(json_object_get(root, is_second ? "accessToken" : "access_token"));
    if (text == NULL || text[0] == '\0' || life_of(root) == 0)
        return gl_fail(err, GL_E_BAD_REPLY, "the answer of %s holds no token", credential->from);
    if (credential->impersonate_url[0] != '\0' && !is_second) {
        gl_secret_init(&credential->first, text, strlen(text));
        credential->first_expires_s = gl_now(world).unix_s + life_of(root);
        return 0;
    }
    gl_secret_done(&credential->first);
    gl_secret_init(&credential->token, text, strlen(text));
    credential->expires_s = gl_now(world).unix_s + life_of(root);
    return 0;
}
