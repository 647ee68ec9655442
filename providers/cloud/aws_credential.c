/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/aws_credential_part.h"

#include "base/json.h"
#include "base/process.h"
#include "base/time.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Renew so long before the end; where that fails they are used until then, and asked for again. */
#define RENEW_BEFORE_S     (10 * 60)
#define RENEW_AGAIN_S      60
#define PROCESS_CEILING    ((size_t)1 << 20)
#define PROCESS_TIMEOUT_MS 60000
#define TOKEN_MAX          ((size_t)16 << 10)

const char *gl_aws_env(const struct gl_aws_chain *chain, const char *name)
{
    const struct gl_world *world = chain->options.world;
    const char *value = world->getenv(world->cookie, name);

    return value != NULL && *value != '\0' ? value : NULL;
}

void gl_aws_credential_done(struct gl_aws_credential *credential)
{
    gl_aws_keys_done(&credential->keys);
    *credential = (struct gl_aws_credential){0};
}

void gl_aws_credential_says(struct gl_aws_credential *credential, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(credential->source, sizeof credential->source, format, args);
    va_end(args);
}

/* Visible ASCII only: anything else would break or smuggle in a header. */
static bool is_plain(const char *text, size_t max)
{
    size_t length = strlen(text);

    for (size_t i = 0; i < length; i++)
        if (text[i] <= ' ' || text[i] > '~')
            return false;
    return length > 0 && length <= max;
}

int gl_aws_credential_set(struct gl_aws_credential *out, const char *id, const char *secret,
                          const char *token, struct gl_error *err)
{
    struct gl_aws_credential made = {0};

    if (!is_plain(id, GL_AWS_KEY_ID - 1) || !is_plain(secret, 512))
        return gl_fail(err, GL_E_NO_CREDENTIAL,
                       "an access key needs its id and its secret, without spaces");
    if (token != NULL && *token != '\0' && !is_plain(token, TOKEN_MAX))
        return gl_fail(err, GL_E_NO_CREDENTIAL, "the session token is not one");
    snprintf(made.keys.id, sizeof made.keys.id, "%s", id);
    gl_secret_init(&made.keys.secret, secret, strlen(secret));
    if (token != NULL && *token != '\0')
        gl_secret_init(&made.keys.token, token, strlen(token));
    *out = made;
    return 0;
}

/* ---- as JSON ---- */

/* The library keeps strings until the document is freed, and does not wipe them. */
static void wipe_string(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);

    if (json_is_string(value))
        gl_wipe((char *)(uintptr_t)json_string_value(value), json_string_length(value));
}

static int read_expiry(const json_t *object, struct gl_instant *out, struct gl_error *err)
{
    const char *text = json_string_value(json_object_get(object, "Expiration"));

    *out = (struct gl_instant){0};
    if (text == NULL)
        return 0;
    if (gl_instant_parse(text, out, err) < 0)
        return gl_wrap(err, "Expiration");
    return 0;
}

static int read_members(const json_t *object, const char *token_key, int version,
                        struct gl_aws_credential *out, struct gl_error *err)
{
    const char *id, *secret;
    const char *token = json_string_value(json_object_get(object, token_key));
    const char *code = json_string_value(json_object_get(object, "Code"));
    struct gl_instant expires;
    char shown[GL_TEXT_SHOWN];

    if (version > 0 && json_integer_value(json_object_get(object, "Version")) != version)
        return gl_fail(err, GL_E_BAD_REPLY, "Version is not %d", version);
    if (code != NULL && strcmp(code, "Success") != 0)
        return gl_fail(err, GL_E_NO_CREDENTIAL, "it says %s", gl_text_show(code, shown));
    if (gl_json_string(object, "AccessKeyId", &id, err) < 0 ||
        gl_json_string(object, "SecretAccessKey", &secret, err) < 0 ||
        read_expiry(object, &expires, err) < 0 ||
        gl_aws_credential_set(out, id, secret, token, err) < 0)
        return -1;
    out->expires = expires;
    return 0;
}

int gl_aws_credential_read(const char *bytes, size_t length, const char *token_key, int version,
                           struct gl_aws_credential *out, struct gl_error *err)
{
    struct gl_error why = {0};
    json_t *json = gl_json_parse(bytes, length, "the answer", &why);
    int got;

    /* What the parser says of it may quote it. */
    if (json == NULL || !json_is_object(json)) {
        json_decref(json);
        return gl_fail(err, GL_E_BAD_REPLY, "the answer is not a JSON object");
    }
    got = read_members(json, token_key, version, out, err);
    wipe_string(json, "SecretAccessKey");
    wipe_string(json, token_key);
    json_decref(json);
    return got;
}

/* ---- simple sources ---- */

int gl_aws_from_environment(struct gl_aws_chain *chain, struct gl_aws_credential *out,
                            struct gl_error *err)
{
    const char *id = gl_aws_env(chain, "AWS_ACCESS_KEY_ID");
    const char *secret = gl_aws_env(chain, "AWS_SECRET_ACCESS_KEY");

    if (id == NULL)
        return 0;
    if (secret == NULL)
        return gl_fail(err, GL_E_NO_CREDENTIAL,
                       "AWS_ACCESS_KEY_ID is set, but AWS_SECRET_ACCESS_KEY is not");
    if (gl_aws_credential_set(out, id, secret, gl_aws_env(chain, "AWS_SESSION_TOKEN"), err) < 0)
        return gl_wrap(err, "environment");
    gl_aws_credential_says(out, "the environment");
    return 1;
}

int gl_aws_from_static(struct gl_aws_chain *chain, const char *profile, bool is_config,
                       struct gl_aws_credential *out, struct gl_error *err)
{
    const struct gl_aws_files *files = &chain->files;
    const char *values[3];
    static const char *const keys[] = {"aws_access_key_id", "aws_secret_access_key",
                                       "aws_session_token"};

    for (size_t i = 0; i < 3; i++)
        values[i] = is_config ? gl_aws_profile_config(files, profile, keys[i])
                              : gl_aws_config_get(files->credentials, profile, keys[i]);
    if (values[0] == NULL)
        return 0;
    if (values[1] == NULL)
        return gl_fail(err, GL_E_NO_CREDENTIAL,
                       "profile %s has an aws_access_key_id without aws_secret_access_key",
                       profile);
    if (gl_aws_credential_set(out, values[0], values[1], values[2], err) < 0)
        return gl_wrap(err, "profile %s", profile);
    gl_aws_credential_says(out, "profile %s (%s file)", profile,
                           is_config ? "configuration" : "credentials");
    return 1;
}

static struct gl_capture *start_process(const char *line, struct gl_error *err)
{
    char **words = gl_aws_words_split(line, err);
    struct gl_capture *helper = NULL;
    struct gl_error why = {0};

    if (words == NULL)
        return NULL;
    helper = gl_capture_start(&(struct gl_spawn){.argv = (const char *const *)words,
                                                 .stdin_fd = -1,
                                                 .stderr_fd = -1,
                                                 .uid = -1,
                                                 .gid = -1,
                                                 .dies_with_parent = true},
                              PROCESS_CEILING, PROCESS_TIMEOUT_MS, &why);
    gl_aws_words_free(words);
    if (helper == NULL)
        gl_fail(err, GL_E_NO_CREDENTIAL, "%s", why.text);
    return helper;
}

static int read_process(const struct gl_str *text, int status, struct gl_aws_credential *out,
                        struct gl_error *err)
{
    if (status != 0)
        return gl_fail(err, GL_E_NO_CREDENTIAL, "it ended with status %d", status);
    return gl_aws_credential_read(gl_str_text(text), text->length, "SessionToken", 1, out, err);
}

/* What it says; where others wait, too, it is only started, and looked at each time it is asked. */
static int run_process(struct gl_aws_chain *chain, const char *line, struct gl_aws_credential *out,
                       struct gl_error *err)
{
    struct gl_str text = {.ceiling = PROCESS_CEILING};
    bool is_new = chain->helper == NULL;
    struct gl_error why = {0};
    int status = 0, got = 0;

    if (is_new && (chain->helper = start_process(line, err)) == NULL)
        return -1;
    if (!is_new || !chain->is_beside)
        got = gl_capture_take(chain->helper, chain->is_beside ? 0 : -1, &text, &status, &why);
    chain->is_waiting = got == 0;
    if (chain->is_waiting)
        return gl_fail(err, GL_E_TIMEOUT, "it has not answered yet");
    if (got < 0)
        gl_fail(err, why.code == GL_E_TIMEOUT ? GL_E_TIMEOUT : GL_E_NO_CREDENTIAL, "%s", why.text);
    else
        got = read_process(&text, status, out, err) == 0 ? 1 : -1;
    gl_capture_free(chain->helper);
    chain->helper = NULL;
    if (text.text != NULL)
        gl_wipe(text.text, text.capacity);
    gl_str_done(&text);
    return got;
}

int gl_aws_from_process(struct gl_aws_chain *chain, const char *profile,
                        struct gl_aws_credential *out, struct gl_error *err)
{
    const char *line = gl_aws_profile_get(&chain->files, profile, "credential_process");
    int got;

    if (line == NULL || *line == '\0')
        return 0;
    if (gl_aws_walk_helped(chain, out))
        return 1;
    got = run_process(chain, line, out, err);
    if (got < 0) {
        err->code = err->code == GL_E_TIMEOUT ? GL_E_TIMEOUT : GL_E_NO_CREDENTIAL;
        return gl_wrap(err, "credential_process of profile %s", profile);
    }
    gl_aws_credential_says(out, "profile %s (credential_process)", profile);
    gl_aws_walk_help(chain, out);
    return got;
}

/* ---- the chain ---- */

/* Sessions that only AWS's own tool can renew. */
int gl_aws_refuse_session(const struct gl_aws_chain *chain, const char *profile,
                          struct gl_error *err)
{
    static const char *const keys[] = {"sso_session", "sso_start_url", "sso_account_id",
                                       "login_session"};

    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (gl_aws_profile_config(&chain->files, profile, keys[i]) != NULL)
            return gl_fail(err, GL_E_NO_CREDENTIAL,
                           "profile %s has %s, which needs AWS's own tool: make a second profile "
                           "with credential_process = aws configure export-credentials --format "
                           "process --profile %s",
                           profile, keys[i], profile);
    return 0;
}

static int from_profile(struct gl_aws_chain *chain, struct gl_aws_credential *out,
                        struct gl_error *err)
{
    int got = gl_aws_from_static(chain, chain->profile, false, out, err);

    /* Also beside a session: a credential_process is what we ask for in its place. */
    if (got == 0)
        got = gl_aws_from_process(chain, chain->profile, out, err);
    if (got == 0)
        got = gl_aws_refuse_session(chain, chain->profile, err);
    return got != 0 ? got : gl_aws_from_static(chain, chain->profile, true, out, err);
}

static int fail_nothing(const struct gl_aws_chain *chain, struct gl_error *err)
{
    char shown[GL_TEXT_SHOWN];
    bool is_silent = chain->unanswered[0] != '\0';

    return gl_fail(err, GL_E_NO_CREDENTIAL,
                   "no AWS credentials: neither AWS_ACCESS_KEY_ID, nor profile %s, nor a role of a "
                   "container or of this machine%s%s%s",
                   chain->profile, is_silent ? " (" : "",
                   is_silent ? gl_text_show(chain->unanswered, shown) : "",
                   is_silent ? " gives no answer)" : "");
}

static int find(struct gl_aws_chain *chain, struct gl_aws_credential *out, struct gl_error *err)
{
    int got = chain->is_named ? 0 : gl_aws_from_environment(chain, out, err);

    if (got == 0)
        got = gl_aws_from_role(chain, chain->profile, 0, out, err);
    if (got == 0)
        got = gl_aws_from_web_identity(chain, out, err);
    if (got == 0)
        got = from_profile(chain, out, err);
    if (got == 0)
        got = gl_aws_from_container(chain, out, err);
    if (got == 0)
        got = gl_aws_from_instance(chain, out, err);
    if (got == 0)
        got = fail_nothing(chain, err);
    return got < 0 ? -1 : 0;
}

static bool holds(const struct gl_aws_credential *credential, int64_t now_s, int64_t margin_s)
{
    return credential->expires.unix_s == 0 || credential->expires.unix_s - now_s > margin_s;
}

/* Need nothing be fetched? */
static bool is_good(const struct gl_aws_chain *chain, int64_t now_s)
{
    return chain->has_kept && chain->helper == NULL && chain->walk.began_s == 0 &&
           !chain->is_rejected &&
           (holds(&chain->kept, now_s, RENEW_BEFORE_S) ||
            (holds(&chain->kept, now_s, 0) && now_s < chain->retry_s));
}

/* Fetch anew. Where that fails and what we have still holds, go on with it: the service is down. */
static int renew(struct gl_aws_chain *chain, int64_t now_s, struct gl_error *err)
{
    struct gl_aws_credential fresh = {0};
    bool was_rejected = chain->is_rejected;
    struct gl_error why = {0};
    int got;

    gl_aws_walk_begin(chain, now_s);
    got = find(chain, &fresh, &why);
    if (got == 0 || !chain->is_waiting)
        gl_aws_walk_forget(chain);
    if (got == 0) {
        gl_aws_credential_done(&chain->kept);
        chain->kept = fresh;
        chain->has_kept = true;
        chain->is_rejected = false;
        chain->retry_s = 0;
        return 0;
    }
    if (chain->is_waiting)
        return gl_fail(err, why.code, "%s", why.text);
    chain->is_rejected = false;
    if (was_rejected || !chain->has_kept || !holds(&chain->kept, now_s, 0))
        return gl_fail(err, why.code, "%s", why.text);
    chain->retry_s = now_s + RENEW_AGAIN_S;
    return 0;
}

int gl_aws_chain_get(struct gl_aws_chain *chain, bool is_renewed,
                     const struct gl_aws_credential **out, struct gl_error *err)
{
    int64_t now_s = gl_now(chain->options.world).unix_s;

    chain->is_rejected |= is_renewed;
    if (!is_good(chain, now_s) && renew(chain, now_s, err) < 0)
        return -1;
    *out = &chain->kept;
    return 0;
}

struct gl_aws_chain *gl_aws_chain_new(const struct gl_aws_chain_options *options,
                                      struct gl_error *err)
{
    struct gl_aws_chain *chain = gl_alloc(sizeof *chain);
    char shown[GL_TEXT_SHOWN];

    chain->options = *options;
    chain->is_named = options->profile != NULL && *options->profile != '\0';
    chain->profile = chain->is_named ? options->profile : gl_aws_env(chain, "AWS_PROFILE");
    if (chain->profile == NULL)
        chain->profile = gl_aws_env(chain, "AWS_DEFAULT_PROFILE");
    if (gl_aws_files_read(options->world, &chain->files, err) < 0) {
        gl_aws_chain_free(chain);
        return NULL;
    }
    if (chain->profile == NULL) {
        chain->profile = "default";
    } else if (!gl_aws_profile_exists(&chain->files, chain->profile)) {
        gl_fail(err, GL_E_NO_CREDENTIAL, "there is no AWS profile %s",
                gl_text_show(chain->profile, shown));
        gl_aws_chain_free(chain);
        return NULL;
    }
    return chain;
}

void gl_aws_chain_free(struct gl_aws_chain *chain)
{
    if (chain == NULL)
        return;
    gl_capture_free(chain->helper);
    gl_aws_walk_forget(chain);
    gl_aws_credential_done(&chain->kept);
    gl_aws_files_done(&chain->files);
    free(chain);
}

/* ---- places ---- */

const char *gl_aws_chain_region(const struct gl_aws_chain *chain)
{
    const char *region = chain->options.region;

    if (region == NULL || *region == '\0')
        region = gl_aws_env(chain, "AWS_REGION");
    if (region == NULL)
        region = gl_aws_env(chain, "AWS_DEFAULT_REGION");
    if (region == NULL)
        region = gl_aws_profile_get(&chain->files, chain->profile, "region");
    return region != NULL && *region != '\0' ? region : NULL;
}

const char *gl_aws_domain(const char *region)
{
    static const struct {
        const char *prefix, *domain;
    } partitions[] = {{"cn-", "amazonaws.com.cn"},
                      {"us-iso-", "c2s.ic.gov"},
                      {"us-isob-", "sc2s.sgov.gov"},
                      {"eusc-", "amazonaws.eu"},
                      {"", "amazonaws.com"}};
    size_t i = 0;

    while (strncmp(region, partitions[i].prefix, strlen(partitions[i].prefix)) != 0)
        i++;
    return partitions[i].domain;
}

/* "xx-word-...-N" of lower-case letters. */
bool gl_aws_is_region(const char *text)
{
    size_t length = strlen(text), dashes = 0;

    if (length < 6 || length >= 40 || text[length - 1] < '0' || text[length - 1] > '9')
        return false;
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '-' && (i < 2 || text[i - 1] == '-'))
            return false;
        if (text[i] != '-' && (text[i] < 'a' || text[i] > 'z') &&
            (dashes < 2 || text[i] < '0' || text[i] > '9'))
            return false;
        dashes += text[i] == '-';
    }
    return dashes >= 2;
}

static bool ignores_endpoints(const struct gl_aws_chain *chain)
{
    const char *text = gl_aws_env(chain, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS");

    return text != NULL && strcmp(text, "true") == 0;
}

/* Services whose host is not called as they are. */
static const struct {
    const char *service, *id, *host;
    const char *domain; /* NULL = the partition's */
} odd_names[] = {{"pricing", "PRICING", "api.pricing", NULL},
                 {"sustainability", "SUSTAINABILITY", "api.sustainability", "api.aws"}};

/* "EC2", "SUSTAINABILITY": as it is called in names of variables. */
static void id_of(const char *service, char out[32])
{
    size_t i;

    for (i = 0; i < sizeof odd_names / sizeof *odd_names; i++)
        if (strcmp(odd_names[i].service, service) == 0)
            service = odd_names[i].id;
    for (i = 0; service[i] != '\0' && i < 31; i++)
        out[i] =
            service[i] >= 'a' && service[i] <= 'z' ? (char)(service[i] - 'a' + 'A') : service[i];
    out[i] = '\0';
}

static const char *domain_of(const char *service, const char *region)
{
    for (size_t i = 0; i < sizeof odd_names / sizeof *odd_names; i++)
        if (strcmp(odd_names[i].service, service) == 0 && odd_names[i].domain != NULL)
            return odd_names[i].domain;
    return gl_aws_domain(region);
}

static const char *host_of(const char *service)
{
    for (size_t i = 0; i < sizeof odd_names / sizeof *odd_names; i++)
        if (strcmp(odd_names[i].service, service) == 0)
            return odd_names[i].host;
    return service;
}

/* An endpoint that was set up for it; NULL = the partition's own. */
static const char *endpoint_of(const struct gl_aws_chain *chain, const char *service)
{
    const struct gl_aws_files *files = &chain->files;
    char id[32], name[64], section[300];
    const char *found, *services;

    if (chain->options.endpoint != NULL && *chain->options.endpoint != '\0')
        return chain->options.endpoint;
    if (ignores_endpoints(chain))
        return NULL;
    id_of(service, id);
    snprintf(name, sizeof name, "AWS_ENDPOINT_URL_%s", id);
    found = gl_aws_env(chain, name);
    if (found == NULL)
        found = gl_aws_env(chain, "AWS_ENDPOINT_URL");
    services = gl_aws_profile_config(files, chain->profile, "services");
    if (found == NULL && services != NULL) {
        snprintf(section, sizeof section, "services %.255s", services);
        snprintf(name, sizeof name, "%s.endpoint_url", service);
        found = gl_aws_config_get(files->config, section, name);
    }
    return found != NULL ? found : gl_aws_profile_config(files, chain->profile, "endpoint_url");
}

void gl_aws_chain_endpoint(const struct gl_aws_chain *chain, const char *service,
                           const char *region, struct gl_str *out)
{
    const char *given = endpoint_of(chain, service);
    size_t length = given != NULL ? strlen(given) : 0;

    while (length > 0 && given[length - 1] == '/')
        length--;
    if (length > 0)
        gl_str_add_bytes(out, given, length);
    else
        gl_str_addf(out, "https://%s.%s.%s", host_of(service), region, domain_of(service, region));
}
