/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/signal/oracle_config.h"

#include "base/crypto.h"
#include "base/jwt.h"
#include "base/time.h"
#include "providers/cloud/aws_config.h"
#include "providers/cloud/credential_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NAME_MAX_BYTES  255
#define TOKEN_MAX_BYTES ((size_t)8 << 10)
#define FILE_MAX_BYTES  ((size_t)256 << 10)
#define DEFAULT_PROFILE "DEFAULT"
#define DEFAULT_FILE    "~/.oci/config"

/* Of OCIDs and fingerprints, and of a token: nothing that would end a header or its quotes. */
static const char name_letters[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:-";

/* A profile and what the environment says before it. */
struct profile {
    const struct gl_world *world;
    const char *name;
    const char *shown;          /* the file, as a person calls it */
    struct gl_aws_config *file; /* both tools write files of the same form */
};

static const char *env(const struct gl_world *world, const char *name)
{
    const char *value = world->getenv(world->cookie, name);

    return value != NULL && value[0] != '\0' ? value : NULL;
}

/* "~/x" counts from home. Fresh; NULL when there is no home. */
static char *whole_path(const struct gl_world *world, const char *path)
{
    const char *home = env(world, "HOME");
    struct gl_str whole = {0};

    if (strncmp(path, "~/", 2) != 0)
        return gl_strdup(path);
    if (home == NULL)
        return NULL;
    gl_str_addf(&whole, "%s/%s", home, path + 2);
    return gl_str_take(&whole);
}

/* ---- files ---- */

static void wipe_bytes(char *bytes, size_t length)
{
    if (bytes != NULL)
        gl_wipe(bytes, length);
    free(bytes);
}

/* 1 and *out, 0 when there is no such file, -1. */
static int read_bytes(const struct gl_world *world, const char *path, size_t ceiling, char **out,
                      size_t *out_length, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *whole = whole_path(world, path);
    struct gl_error why = {0};

    if (whole == NULL)
        return 0;
    if (gl_credential_file_read(&(struct gl_credential_file){.path = whole, .ceiling = ceiling},
                                out, out_length, &why) == 0)
        return 1;
    if (why.sys == ENOENT)
        return 0;
    return gl_fail(err, why.code == GL_E_IO ? GL_E_NO_CREDENTIAL : why.code, "%s", why.text);
}

static void done(struct profile *profile)
{
    gl_aws_config_free(profile->file);
    profile->file = NULL;
}

/* 1 when the file is there, 0 when not, -1. */
static int find(const struct gl_signal_config *config, const struct gl_world *world,
                struct profile *out, struct gl_error *err)
{
    const char *variable = config->user_env != NULL ? config->user_env : "OCI_CLI_PROFILE";
    const char *name = env(world, variable), *path = config->key_file;
    char *bytes = NULL;
    size_t length = 0;
    int got;

    if (path == NULL)
        path = env(world, "OCI_CLI_CONFIG_FILE");
    *out = (struct profile){.world = world,
                            .name = name != NULL ? name : DEFAULT_PROFILE,
                            .shown = path != NULL ? path : DEFAULT_FILE};
    got = read_bytes(world, out->shown, FILE_MAX_BYTES, &bytes, &length, err);
    if (got == 1 && gl_aws_config_parse(bytes, length, out->shown, &out->file, err) != 0)
        got = -1;
    wipe_bytes(bytes, length);
    return got;
}

/* Of the environment, else of the profile, else of the one that all inherit from. */
static const char *setting(const struct profile *profile, const char *variable, const char *key)
{
    const char *value = variable != NULL ? env(profile->world, variable) : NULL;

    if (value == NULL)
        value = gl_aws_config_get(profile->file, profile->name, key);
    if (value == NULL)
        value = gl_aws_config_get(profile->file, DEFAULT_PROFILE, key);
    return value != NULL && value[0] != '\0' ? value : NULL;
}

static bool is_named(const struct profile *profile)
{
    return strcmp(profile->name, DEFAULT_PROFILE) == 0 ||
           gl_aws_config_has(profile->file, profile->name);
}

bool gl_oracle_look(const struct gl_signal_config *config, const struct gl_world *world,
                    struct gl_str *out)
{
    struct profile profile;
    struct gl_error err = {0};
    int got = find(config, world, &profile, &err);
    bool is_there = got == 1 && is_named(&profile);
    bool is_told = got >= 0 && env(world, "OCI_CLI_TENANCY") != NULL;

    if (got < 0)
        gl_str_add(out, err.text);
    else if (is_there || !is_told)
        gl_str_addf(out, "%s %s", profile.shown,
                    is_there   ? "found"
                    : got == 1 ? "lacks the profile"
                               : "is not there");
    else
        gl_str_add(out, "$OCI_CLI_TENANCY found");
    done(&profile);
    return is_there || is_told;
}

/* ---- names ---- */

/* An OCID or a fingerprint, which are shown nowhere. */
static int name_of(const struct profile *profile, const char *variable, const char *key,
                   const char **out, struct gl_error *err)
{
    const char *value = setting(profile, variable, key);

    if (value == NULL)
        return gl_fail(err, GL_E_NO_CREDENTIAL,
                       "no credentials of Oracle Cloud: \"%s\" is not in %s and $%s is not set; "
                       "write them with: oci setup config",
                       key, profile->shown, variable);
    if (strlen(value) > NAME_MAX_BYTES || value[strspn(value, name_letters)] != '\0')
        return gl_fail(err, GL_E_CONFIG, "%s: \"%s\" is no possible one; take it from the console",
                       profile->shown, key);
    *out = value;
    return 0;
}

static int take_api_name(const struct profile *profile, struct gl_secret *out, struct gl_error *err)
{
    char text[3 * (NAME_MAX_BYTES + 1)];
    const char *tenancy, *user, *fingerprint;
    int length;

    if (name_of(profile, "OCI_CLI_TENANCY", "tenancy", &tenancy, err) != 0 ||
        name_of(profile, "OCI_CLI_USER", "user", &user, err) != 0 ||
        name_of(profile, "OCI_CLI_FINGERPRINT", "fingerprint", &fingerprint, err) != 0)
        return -1;
    length = snprintf(text, sizeof text, "%s/%s/%s", tenancy, user, fingerprint);
    gl_secret_init(out, text, (size_t)length);
    gl_wipe(text, sizeof text);
    return 0;
}

/* ---- sessions ---- */

/* When a token says that it ends, in Unix seconds; INT64_MAX when it does not say it. */
static int64_t end_of(const char *token)
{
    const char *dot = strchr(token, '.');
    struct gl_view claims = {dot != NULL ? dot + 1 : "", dot != NULL ? strcspn(dot + 1, ".") : 0};
    char *bytes = gl_alloc(claims.length + 1);
    struct gl_error untold = {0};
    json_t *root = NULL;
    const json_t *end;
    size_t length = 0;
    int64_t end_s;

    if (gl_base64url_parse(claims, bytes, claims.length + 1, &length, &untold) == 0)
        root = gl_json_parse(bytes, length, "a token", &untold);
    end = json_object_get(root, "exp");
    end_s = json_is_integer(end) ? json_integer_value(end) : INT64_MAX;
    json_decref(root);
    wipe_bytes(bytes, claims.length + 1);
    return end_s;
}

static int check_token(const struct profile *profile, const char *token, struct gl_error *err)
{
    char at[GL_INSTANT_TEXT];
    int64_t end_s;

    if (token[0] == '\0' || token[strspn(token, name_letters)] != '\0')
        return gl_fail(err, GL_E_NO_CREDENTIAL,
                       "the security_token_file of %s holds no token; sign in again with: oci "
                       "session authenticate",
                       profile->shown);
    end_s = end_of(token);
    if (end_s > gl_now(profile->world).unix_s)
        return 0;
    return gl_fail(err, GL_E_NO_CREDENTIAL,
                   "the session of %s ended at %s; sign in again with: oci session authenticate",
                   profile->shown, gl_instant_text((struct gl_instant){end_s}, at));
}

/* "ST$" and the token. */
static int take_token_name(const struct profile *profile, const char *path, struct gl_secret *out,
                           struct gl_error *err)
{
    char *bytes = NULL, *text;
    size_t length = 0;
    int got = read_bytes(profile->world, path, TOKEN_MAX_BYTES, &bytes, &length, err);
    int rc;

    if (got < 1)
        return got == 0 ? gl_fail(err, GL_E_NO_CREDENTIAL,
                                  "the security_token_file of %s is not there; sign in with: oci "
                                  "session authenticate",
                                  profile->shown)
                        : -1;
    while (length > 0 && strchr(" \t\r\n", bytes[length - 1]) != NULL)
        bytes[--length] = '\0';
    rc = check_token(profile, bytes, err);
    if (rc == 0) {
        text = gl_alloc(length + 4);
        memcpy(text, "ST$", 3);
        memcpy(text + 3, bytes, length);
        gl_secret_init(out, text, length + 3);
        wipe_bytes(text, length + 4);
    }
    wipe_bytes(bytes, length);
    return rc;
}

/* The token file where this profile signs in by one: it says so itself, or no user is known. */
static int choose(const struct profile *profile, const char **out_token_file, struct gl_error *err)
{
    const char *how = env(profile->world, "OCI_CLI_AUTH");
    const char *file = setting(profile, "OCI_CLI_SECURITY_TOKEN_FILE", "security_token_file");
    bool is_own = env(profile->world, "OCI_CLI_SECURITY_TOKEN_FILE") != NULL ||
                  gl_aws_config_get(profile->file, profile->name, "security_token_file") != NULL;
    bool wants = is_own || setting(profile, "OCI_CLI_USER", "user") == NULL;

    if (how != NULL && strcmp(how, "api_key") != 0 && strcmp(how, "security_token") != 0)
        return gl_fail(err, GL_E_NO_CREDENTIAL,
                       "OCI_CLI_AUTH names a way to sign in that is not built in; there are "
                       "api_key and security_token");
    if (how != NULL)
        wants = strcmp(how, "security_token") == 0;
    if (how != NULL && wants && file == NULL)
        return gl_fail(err, GL_E_NO_CREDENTIAL,
                       "OCI_CLI_AUTH is security_token, and %s names no security_token_file",
                       profile->shown);
    *out_token_file = wants ? file : NULL;
    return 0;
}

/* ---- the key ---- */

static int take_key(const struct profile *profile, const char *path, struct gl_secret *out,
                    struct gl_error *err)
{
    const char *content = env(profile->world, "OCI_CLI_KEY_CONTENT");
    char *bytes = NULL;
    size_t length = 0;
    int got;

    if (content != NULL) {
        gl_secret_init(out, content, strlen(content));
        return 0;
    }
    if (path == NULL)
        return gl_fail(err, GL_E_NO_CREDENTIAL,
                       "\"key_file\" is not in %s and $OCI_CLI_KEY_FILE is not set",
                       profile->shown);
    got = read_bytes(profile->world, path, GL_CRYPTO_MAX_PEM, &bytes, &length, err);
    if (got == 0)
        return gl_fail(err, GL_E_NO_CREDENTIAL, "the key_file of %s is not there: %s",
                       profile->shown, path);
    if (got < 0)
        return gl_wrap(err, "the key_file of %s", profile->shown);
    gl_secret_init(out, bytes, length);
    wipe_bytes(bytes, length);
    return 0;
}

static int try_key(const struct profile *profile, const struct gl_signal_credential *credential,
                   struct gl_error *err)
{
    static const char mark[] = "ENCRYPTED";
    const struct gl_secret *pem = &credential->key;
    const struct gl_secret *passphrase = &credential->passphrase;
    const struct gl_crypto_key key = {pem, passphrase->length > 0 ? passphrase : NULL};
    struct gl_crypto_signature unused;

    if (passphrase->length == 0 && pem->length > 0 &&
        memmem(pem->bytes, pem->length, mark, sizeof mark - 1) != NULL)
        return gl_fail(err, GL_E_NO_CREDENTIAL,
                       "the private key of %s is encrypted: set OCI_CLI_PASSPHRASE to its pass "
                       "phrase",
                       profile->shown);
    if (gl_crypto_sign(GL_RS256, &key, (struct gl_view){"", 0}, &unused, err) == 0)
        return 0;
    return gl_wrap(err, "the key of %s", profile->shown);
}

static int take_all(const struct profile *profile, struct gl_signal_credential *out,
                    struct gl_error *err)
{
    const char *passphrase = setting(profile, "OCI_CLI_PASSPHRASE", "pass_phrase");
    const char *token_file = NULL;

    if (choose(profile, &token_file, err) != 0 ||
        (token_file != NULL ? take_token_name(profile, token_file, &out->name, err)
                            : take_api_name(profile, &out->name, err)) != 0 ||
        take_key(profile, setting(profile, "OCI_CLI_KEY_FILE", "key_file"), &out->key, err) != 0)
        return -1;
    if (passphrase != NULL)
        gl_secret_init(&out->passphrase, passphrase, strlen(passphrase));
    return try_key(profile, out, err);
}

int gl_oracle_open(const struct gl_signal_config *config, const struct gl_world *world,
                   struct gl_signal_credential *out, struct gl_error *err)
{
    struct gl_signal_credential taken = {0};
    struct profile profile;
    int rc = find(config, world, &profile, err) < 0 ? -1 : 0;

    if (rc == 0 && profile.file != NULL && !is_named(&profile))
        rc = gl_fail(err, GL_E_NO_CREDENTIAL, "%s lacks the profile that is asked for",
                     profile.shown);
    if (rc == 0)
        rc = take_all(&profile, &taken, err);
    done(&profile);
    if (rc == 0) {
        *out = taken;
        return 0;
    }
    gl_secret_done(&taken.name);
    gl_secret_done(&taken.key);
    gl_secret_done(&taken.passphrase);
    return -1;
}
