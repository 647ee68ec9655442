/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/openstack_credential.h"

#include "base/time.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOKEN_CEILING 8192 /* of the header that holds one */
#define EARLY_S       60   /* asked for anew before it ends */
#define FRESH_S       30   /* one so young is not asked for again */
#define LIFE_S        3600 /* taken when keystone does not say */

/* ---- finding ---- */

/* Words that are copied as they are. */
static const struct {
    const char *name, *alias; /* in clouds.yaml; OS_NAME in the environment */
    size_t at, size;
} words[] = {
#define WORD(name, alias, member)                                      \
    {                                                                  \
        name, alias, offsetof(struct gl_openstack_credential, member), \
            sizeof((struct gl_openstack_credential *)NULL)->member     \
    }
    WORD("auth_url", NULL, auth_url),
    WORD("username", NULL, user),
    WORD("user_id", NULL, user_id),
    WORD("user_domain_name", "default_domain_name", user_domain),
    WORD("user_domain_id", "default_domain_id", user_domain_id),
    WORD("project_name", "tenant_name", project),
    WORD("project_id", "tenant_id", project_id),
    WORD("project_domain_name", "default_domain_name", project_domain),
    WORD("project_domain_id", "default_domain_id", project_domain_id),
    WORD("application_credential_name", NULL, application),
    WORD("application_credential_id", NULL, application_id),
    WORD("region_name", NULL, region),
    WORD("cacert", NULL, ca_file),
    WORD("cert", NULL, cert_file),
    WORD("key", NULL, key_file),
#undef WORD
};

static int copy_words(const struct gl_openstack_source *source, struct gl_openstack_credential *out,
                      struct gl_error *err)
{
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        const char *value = gl_openstack_word(source, words[i].name);
        char *into = (char *)out + words[i].at;

        if (value == NULL && words[i].alias != NULL)
            value = gl_openstack_word(source, words[i].alias);
        if (value == NULL)
            continue;
        if (strlen(value) >= words[i].size)
            return gl_fail(err, GL_E_CONFIG, "%s: %s is too long", source->from, words[i].name);
        memcpy(into, value, strlen(value) + 1);
    }
    return 0;
}

/* "regions: [a, b]", or with values of their own: [{name: a, values: {...}}], of which only the
 * name counts here. */
static void copy_regions(const struct gl_openstack_source *source,
                         struct gl_openstack_credential *out)
{
    const json_t *regions = json_object_get(source->cloud, "regions"), *one;
    size_t i;

    json_array_foreach(regions, i, one)
    {
        const json_t *name = json_is_object(one) ? json_object_get(one, "name") : one;

        if (out->regions == NULL)
            out->regions = json_array();
        if (json_is_string(name))
            json_array_append_new(out->regions, json_string(json_string_value(name)));
    }
}

static bool is_word(const char *value, const char *const *list)
{
    while (value != NULL && *list != NULL && strcasecmp(value, *list) != 0)
        list++;
    return value != NULL && *list != NULL;
}

/* Whoever does not look at certificates gives the password to anybody in between. */
static int check_tls(const struct gl_openstack_source *source, struct gl_error *err)
{
    static const char *const yes[] = {"true", "yes", "on", "1", "y", NULL};
    static const char *const no[] = {"false", "no", "off", "0", "n", NULL};
    const char *verify = source->cloud != NULL ? gl_openstack_word(source, "verify") : NULL;

    if (is_word(verify, no) || is_word(gl_openstack_word(source, "insecure"), yes))
        return gl_fail(err, GL_E_CONFIG,
                       "%s: certificates are always verified; name the authority of a private "
                       "cloud as cacert instead of switching that off",
                       source->from);
    return 0;
}

static int take_kind(const struct gl_openstack_source *source, struct gl_openstack_credential *out,
                     struct gl_error *err)
{
    static const char *const passwords[] = {"password", "v3password", NULL};
    static const char *const applications[] = {"v3applicationcredential", "applicationcredential",
                                               "application_credential", NULL};
    const char *type = gl_openstack_word(source, "auth_type");
    char shown[GL_TEXT_SHOWN];

    if (type != NULL && !is_word(type, passwords) && !is_word(type, applications))
        return gl_fail(err, GL_E_CONFIG,
                       "%s: auth_type %s is not spoken here; use a password or an application "
                       "credential (v3applicationcredential)",
                       source->from, gl_text_show(type, shown));
    out->is_application = type != NULL
                              ? is_word(type, applications)
                              : out->application_id[0] != '\0' || out->application[0] != '\0';
    return 0;
}

static int miss(const struct gl_openstack_source *source, const char *what, struct gl_error *err)
{
    return gl_fail(err, GL_E_NO_CREDENTIAL, "%s: %s is missing", source->from, what);
}

static int miss_url(const struct gl_openstack_source *source, struct gl_error *err)
{
    if (gl_openstack_word(source, "profile") == NULL)
        return miss(source, "auth_url (OS_AUTH_URL)", err);
    return gl_fail(err, GL_E_CONFIG,
                   "%s: the profile of a vendor is not looked up: write its auth_url",
                   source->from);
}

static int check_whole(const struct gl_openstack_source *source,
                       const struct gl_openstack_credential *out, struct gl_error *err)
{
    bool has_user = out->user[0] != '\0' || out->user_id[0] != '\0';

    if (out->auth_url[0] == '\0')
        return miss_url(source, err);
    if (out->secret.length == 0)
        return miss(
            source,
            out->is_application ? "application_credential_secret" : "password (OS_PASSWORD)", err);
    if (out->is_application && out->application_id[0] == '\0' &&
        (out->application[0] == '\0' || !has_user))
        return miss(source, "application_credential_id, or its name with the user's", err);
    if (!out->is_application && !has_user)
        return miss(source, "username (OS_USERNAME)", err);
    if (!out->is_application && out->project[0] == '\0' && out->project_id[0] == '\0')
        return miss(source, "project_name or project_id (OS_PROJECT_NAME)", err);
    return 0;
}

bool gl_openstack_is_trusted(const char *url)
{
    static const char *const hosts[] = {"http://127.0.0.1", "http://localhost", "http://[::1]"};
    const char *host = strstr(url, "://");

    if (host == NULL || strpbrk(url, " \t\r\n\\\"?#") != NULL ||
        memchr(host + 3, '@', strcspn(host + 3, "/")) != NULL || host[3] == '/' || host[3] == '\0')
        return false;
    if (strncmp(url, "https://", 8) == 0)
        return true;
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
        size_t length = strlen(hosts[i]);

        if (strncmp(url, hosts[i], length) == 0 &&
            (url[length] == '\0' || url[length] == ':' || url[length] == '/'))
            return true;
    }
    return false;
}

/* ".../v3", whatever of it is written. */
static int mend_url(const char *from, char url[256], struct gl_error *err)
{
    char shown[GL_TEXT_SHOWN];
    size_t length = strlen(url);

    if (strchr(url, '@') != NULL) /* which may be a password's */
        return gl_fail(err, GL_E_CONFIG,
                       "%s: auth_url holds a user name or a password: leave it out", from);
    if (!gl_openstack_is_trusted(url))
        return gl_fail(err, GL_E_CONFIG,
                       "%s: auth_url %s is no https:// address (http:// only on this machine)",
                       from, gl_text_show(url, shown));
    while (length > 0 && url[length - 1] == '/')
        url[--length] = '\0';
    if (length > 5 && strcmp(url + length - 5, "/v2.0") == 0)
        return gl_fail(err, GL_E_CONFIG, "%s: keystone v2.0 is not spoken; use the v3 address",
                       from);
    if (length > 3 && strcmp(url + length - 3, "/v3") == 0)
        return 0;
    if (length + 4 > 256)
        return gl_fail(err, GL_E_CONFIG, "%s: auth_url is too long", from);
    memcpy(url + length, "/v3", 4);
    return 0;
}

int gl_openstack_credential_find(const struct gl_world *world, const char *cloud,
                                 struct gl_openstack_credential *out, struct gl_error *err)
{
    struct gl_openstack_source source;
    const char *secret;
    int rc;

    if (gl_openstack_source_find(world, cloud, &source, err) != 0)
        return -1;
    snprintf(out->from, sizeof out->from, "%s", source.from);
    rc = check_tls(&source, err) != 0 || copy_words(&source, out, err) != 0 ||
                 take_kind(&source, out, err) != 0
             ? -1
             : 0;
    secret = gl_openstack_word(&source,
                               out->is_application ? "application_credential_secret" : "password");
    copy_regions(&source, out);
    if (rc == 0 && secret != NULL)
        gl_secret_init(&out->secret, secret, strlen(secret) + 1);
    if (rc == 0)
        rc = check_whole(&source, out, err) != 0 || mend_url(out->from, out->auth_url, err) != 0
                 ? -1
                 : 0;
    gl_openstack_source_done(&source);
    return rc;
}

void gl_openstack_credential_done(struct gl_openstack_credential *credential)
{
    gl_secret_done(&credential->secret);
    gl_secret_done(&credential->token);
    json_decref(credential->catalog);
    json_decref(credential->regions);
    credential->catalog = credential->regions = NULL;
}

/* ---- asking ---- */

static void set(json_t *object, const char *key, const char *value)
{
    if (value[0] != '\0')
        json_object_set_new(object, key, json_string(value));
}

/* A name has a meaning only in a domain; an id has one by itself. */
static json_t *named(const char *id, const char *name, const char *domain_id, const char *domain)
{
    json_t *out = json_object(), *inside = json_object();

    set(out, id[0] != '\0' ? "id" : "name", id[0] != '\0' ? id : name);
    set(inside, domain_id[0] == '\0' && domain[0] != '\0' ? "name" : "id",
        domain_id[0] != '\0' ? domain_id
        : domain[0] != '\0'  ? domain
                             : "default");
    if (id[0] == '\0')
        json_object_set(out, "domain", inside);
    json_decref(inside);
    return out;
}

static json_t *user_of(const struct gl_openstack_credential *credential)
{
    return named(credential->user_id, credential->user, credential->user_domain_id,
                 credential->user_domain);
}

/* The scope of an application credential is in it: naming one is refused. */
static json_t *application_of(const struct gl_openstack_credential *credential, json_t *secret)
{
    json_t *out = json_pack("{s:O}", "secret", secret);

    if (credential->application_id[0] != '\0')
        set(out, "id", credential->application_id);
    else {
        set(out, "name", credential->application);
        json_object_set_new(out, "user", user_of(credential));
    }
    return json_pack("{s:{s:{s:[s],s:o}}}", "auth", "identity", "methods", "application_credential",
                     "application_credential", out);
}

static json_t *password_of(const struct gl_openstack_credential *credential, json_t *secret)
{
    json_t *user = user_of(credential);

    json_object_set(user, "password", secret);
    return json_pack("{s:{s:{s:[s],s:{s:o}},s:{s:o}}}", "auth", "identity", "methods", "password",
                     "password", "user", user, "scope", "project",
                     named(credential->project_id, credential->project,
                           credential->project_domain_id, credential->project_domain));
}

static void forget(json_t *text)
{
    union {
        const char *borrowed;
        char *ours;
    } both = {json_string_value(text)};

    if (both.borrowed != NULL)
        gl_wipe(both.ours, json_string_length(text));
    json_decref(text);
}

int gl_openstack_token_ask(struct gl_openstack_credential *credential, const struct gl_world *world,
                           bool is_renewed, struct gl_remote_call *out, struct gl_error *err)
{
    int64_t now_s = gl_now(world).unix_s;
    json_t *secret, *body;

    if ((is_renewed && now_s - credential->given_s >= FRESH_S) || now_s >= credential->renew_s)
        gl_secret_done(&credential->token);
    if (credential->token.length > 0)
        return 0;
    secret = json_string((const char *)credential->secret.bytes);
    if (secret == NULL)
        return gl_fail(err, GL_E_NO_CREDENTIAL, "%s: the secret is no UTF-8", credential->from);
    body = credential->is_application ? application_of(credential, secret)
                                      : password_of(credential, secret);
    if (body == NULL)
        gl_fail(err, GL_E_NO_CREDENTIAL, "%s: a name is no UTF-8", credential->from);
    else {
        out->method = "POST";
        gl_str_addf(&out->url, "%s/auth/tokens", credential->auth_url);
        gl_remote_body_json(out, body);
    }
    forget(secret);
    json_decref(body);
    return body != NULL ? 1 : -1;
}

/* ---- the answer ---- */

/* By keystone's own two times, so that a clock that is wrong here does not matter. */
static int64_t life_of(const json_t *token)
{
    const char *until = json_string_value(json_object_get(token, "expires_at"));
    const char *since = json_string_value(json_object_get(token, "issued_at"));
    struct gl_instant from, to;
    struct gl_error ignored = {0};

    if (until == NULL || since == NULL || gl_instant_parse(until, &to, &ignored) != 0 ||
        gl_instant_parse(since, &from, &ignored) != 0 || to.unix_s <= from.unix_s)
        return LIFE_S;
    return to.unix_s - from.unix_s;
}

static const char *name_in(const json_t *token, const char *what)
{
    const char *name = json_string_value(json_object_get(json_object_get(token, what), "name"));

    return name != NULL ? name : "?";
}

static int take_token(struct gl_openstack_credential *credential, const struct gl_world *world,
                      const json_t *token, const char *text)
{
    int64_t life_s = life_of(token);

    gl_secret_done(&credential->token);
    gl_secret_init(&credential->token, text, strlen(text) + 1);
    credential->given_s = gl_now(world).unix_s;
    credential->renew_s = credential->given_s + life_s - (life_s > 2 * EARLY_S ? EARLY_S : 1);
    snprintf(credential->account, sizeof credential->account, "%.60s as %.60s",
             name_in(token, "project"), name_in(token, "user"));
    json_decref(credential->catalog);
    credential->catalog = json_incref(json_object_get(token, "catalog"));
    return 0;
}

int gl_openstack_token_read(struct gl_openstack_credential *credential,
                            const struct gl_world *world, const struct gl_remote_call *call,
                            struct gl_error *err)
{
    GL_AUTO(gl_auto_json) json_t *root = NULL;
    const json_t *token;
    char text[TOKEN_CEILING];
    int rc = -1;

    if (!gl_http_reply_header(&call->reply, "x-subject-token", text, sizeof text) ||
        text[0] == '\0')
        return gl_fail(err, GL_E_BAD_REPLY, "the answer of %s holds no token",
                       credential->auth_url);
    root = gl_remote_reply_json(call, err);
    token = json_object_get(root, "token");
    if (root != NULL && !json_is_array(json_object_get(token, "catalog")))
        gl_fail(err, GL_E_BAD_REPLY, "the token of %s has no catalogue: is it of a project?",
                credential->auth_url);
    else if (root != NULL)
        rc = take_token(credential, world, token, text);
    gl_wipe(text, sizeof text);
    return rc;
}
