/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/signal/access.h"

#include "base/file.h"
#include "base/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECRET_MAX ((size_t)4096)
#define FILE_MAX   ((size_t)64 << 10)

/* Text that may hold a secret: in one piece, so that growing leaves no copy behind. */
static struct gl_str secret_text(size_t capacity)
{
    return (struct gl_str){.text = gl_alloc(capacity + 1), .capacity = capacity + 1};
}

static void wipe_text(char *text)
{
    if (text != NULL)
        gl_wipe(text, strlen(text));
    free(text);
}

/* ---- reading ---- */

static const char *variable_of(const struct gl_access *access, const struct gl_signal_key *key)
{
    const char *other = key->is_user ? access->config->user_env : access->config->key_env;

    return other != NULL ? other : key->variable;
}

/* A secret is one line of visible ASCII; blanks around it are none of it. */
static int take_secret(const char *text, size_t length, struct gl_secret *out)
{
    while (length > 0 && strchr(" \t\r\n", text[length - 1]) != NULL)
        length--;
    for (; length > 0 && (*text == ' ' || *text == '\t'); length--)
        text++;
    if (length == 0 || length > SECRET_MAX)
        return -1;
    for (size_t i = 0; i < length; i++)
        if (text[i] < ' ' || text[i] > '~')
            return -1;
    gl_secret_init(out, text, length);
    return 0;
}

/* The rest of the line "NAME=..." of a file; NULL when there is none. */
static const char *line_of(const char *text, const char *name)
{
    size_t length = strlen(name);

    for (const char *line = text; *line != '\0'; line += strcspn(line, "\n"), line += *line != '\0')
        if (strncmp(line, name, length) == 0 && line[length] == '=')
            return line + length + 1;
    return NULL;
}

static size_t key_count(const struct gl_signal_ops *ops)
{
    size_t count = 0;

    while (ops->keys != NULL && ops->keys[count].variable != NULL)
        count++;
    return count;
}

static int read_file(struct gl_access *access, struct gl_error *err)
{
    const char *path = access->config->key_file;
    size_t count = key_count(access->ops), length;
    int rc = 0;
    char *text;

    if (gl_file_read(path, FILE_MAX, &text, &length, err)) {
        err->code = GL_E_NO_CREDENTIAL;
        return -1;
    }
    for (size_t i = 0; rc == 0 && i < count; i++) {
        const char *variable = variable_of(access, &access->ops->keys[i]);
        const char *line = line_of(text, variable);
        const char *from = line != NULL ? line : count == 1 ? text : NULL;

        if (from == NULL ||
            take_secret(from, line != NULL ? strcspn(line, "\n") : length, &access->keys[i]))
            rc = gl_fail(err, GL_E_NO_CREDENTIAL, "%s holds no line \"%s=...\" with a %s", path,
                         variable, access->ops->keys[i].what);
    }
    gl_wipe(text, length);
    free(text);
    return rc;
}

static int read_environment(struct gl_access *access, const struct gl_world *world,
                            struct gl_error *err)
{
    for (size_t i = 0; i < key_count(access->ops); i++) {
        const char *variable = variable_of(access, &access->ops->keys[i]);
        const char *text = world->getenv(world->cookie, variable);

        if (text == NULL || text[0] == '\0')
            return gl_fail(err, GL_E_NO_CREDENTIAL,
                           "set %s to the %s, or name a file in the configuration as key_file",
                           variable, access->ops->keys[i].what);
        if (take_secret(text, strlen(text), &access->keys[i]))
            return gl_fail(err, GL_E_NO_CREDENTIAL, "%s holds no possible %s", variable,
                           access->ops->keys[i].what);
    }
    return 0;
}

int gl_access_open(struct gl_access *access, const struct gl_world *world, struct gl_error *err)
{
    const struct gl_signal_signer *signer = access->ops->signer;

    if (key_count(access->ops) == 0 && signer == NULL)
        return 0;
    if (!access->is_read) {
        access->is_read = true;
        access->world = world;
        if (signer != NULL)
            signer->open(access->config, world, &access->signer, &access->trouble);
        else if (access->config->key_file != NULL)
            read_file(access, &access->trouble);
        else
            read_environment(access, world, &access->trouble);
    }
    if (access->trouble.code == GL_OK)
        return 0;
    *err = access->trouble;
    return -1;
}

/* ---- sessions ---- */

bool gl_access_wants_login(const struct gl_access *access, int64_t monotonic_ms)
{
    if (access->ops->login == NULL)
        return false;
    return access->token.bytes == NULL ||
           monotonic_ms - access->token_at_ms >= access->ops->login->renew_s * 1000;
}

/* RFC 7617: base64 of "user:password". */
static char *basic_header(const struct gl_access *access)
{
    struct gl_str pair = secret_text(2 * SECRET_MAX + 1);
    struct gl_str header = secret_text(4 * SECRET_MAX);
    char *coded = gl_alloc(4 * ((2 * SECRET_MAX + 1) / 3 + 1) + 1);

    for (size_t i = 0; i < GL_ACCESS_KEYS; i++) {
        if (i > 0)
            gl_str_add_char(&pair, ':');
        gl_str_add_bytes(&pair, access->keys[i].bytes, access->keys[i].length);
    }
    gl_base64_text(pair.text, pair.length, coded);
    gl_str_addf(&header, "Authorization: Basic %s", coded);
    wipe_text(coded);
    wipe_text(gl_str_take(&pair));
    return gl_str_take(&header);
}

void gl_access_login(const struct gl_access *access, struct gl_access_dress *out)
{
    const struct gl_signal_login *login = access->ops->login;
    const char *endpoint = access->config->endpoint;
    struct gl_str url = {0};

    gl_str_addf(&url, "%s%s", endpoint != NULL ? endpoint : login->endpoint, login->path);
    *out = (struct gl_access_dress){.url = gl_str_take(&url), .headers = {basic_header(access)}};
}

void gl_access_forget(struct gl_access *access)
{
    gl_secret_done(&access->token);
    access->token = (struct gl_secret){0};
}

int gl_access_take(struct gl_access *access, struct gl_view body, int64_t monotonic_ms,
                   struct gl_error *err)
{
    struct gl_error trouble = {0};
    GL_AUTO(gl_auto_json)
    json_t *root = gl_json_parse(body.text, body.length, "the answer to the login", &trouble);
    const char *token = json_string_value(json_object_get(root, access->ops->login->member));
    struct gl_secret taken = {0};

    if (token == NULL || take_secret(token, strlen(token), &taken))
        return gl_fail(err, GL_E_BAD_REPLY, "the answer to the login holds no token");
    gl_access_forget(access);
    access->token = taken;
    access->token_at_ms = monotonic_ms;
    gl_wipe((void *)(uintptr_t)token, strlen(token));
    return 0;
}

/* ---- answers ---- */

#define SHORTEST_BLOT 8 /* a shorter one would be met by chance, and is none */

static void blot(const struct gl_secret *secret, char *bytes, size_t length)
{
    char *end = bytes + length, *at = bytes;

    if (secret->length < SHORTEST_BLOT)
        return;
    while ((at = memmem(at, (size_t)(end - at), secret->bytes, secret->length)) != NULL) {
        memset(at, '*', secret->length);
        at += secret->length;
    }
}

/* A name of parts, "a/b/c": each of them tells who asked. */
static void blot_parts(const struct gl_secret *name, char *bytes, size_t length)
{
    for (size_t at = 0; at < name->length;) {
        const uint8_t *slash = memchr(name->bytes + at, '/', name->length - at);
        size_t end = slash != NULL ? (size_t)(slash - name->bytes) : name->length;

        blot(&(struct gl_secret){name->bytes + at, end - at}, bytes, length);
        at = end + 1;
    }
}

void gl_access_blot(const struct gl_access *access, char *bytes, size_t length)
{
    size_t count = key_count(access->ops);

    for (size_t i = 0; bytes != NULL && i < count; i++)
        if (!access->ops->keys[i].is_user)
            blot(&access->keys[i], bytes, length);
    if (bytes != NULL) {
        blot(&access->token, bytes, length);
        blot_parts(&access->signer.name, bytes, length);
    }
}

/* ---- sending ---- */

static void add_encoded(struct gl_str *out, const struct gl_secret *secret)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

    for (size_t i = 0; i < secret->length; i++)
        if (strchr(plain, secret->bytes[i]) != NULL)
            gl_str_add_char(out, (char)secret->bytes[i]);
        else
            gl_str_addf(out, "%%%02X", secret->bytes[i]);
}

static char *header_of(const char *name, const char *scheme, const struct gl_secret *secret)
{
    struct gl_str line = secret_text(strlen(name) + strlen(scheme) + secret->length + 4);

    gl_str_addf(&line, "%s: %s", name, scheme);
    gl_str_add_bytes(&line, secret->bytes, secret->length);
    return gl_str_take(&line);
}

int gl_access_dress(const struct gl_access *access, const char *url, struct gl_access_dress *out,
                    struct gl_error *err)
{
    struct gl_str text = secret_text(strlen(url) + GL_ACCESS_KEYS * (3 * SECRET_MAX + 64));
    size_t count = 0;

    *out = (struct gl_access_dress){0};
    gl_str_add(&text, url);
    for (size_t i = 0; i < key_count(access->ops); i++) {
        const struct gl_signal_key *key = &access->ops->keys[i];
        const char *header = key->header;

        if (header != NULL && access->config->key_header != NULL)
            header = access->config->key_header;
        if (header != NULL)
            out->headers[count++] = header_of(header, "", &access->keys[i]);
        if (key->parameter == NULL)
            continue;
        gl_str_addf(&text, "%c%s=", strchr(url, '?') != NULL ? '&' : '?', key->parameter);
        add_encoded(&text, &access->keys[i]);
    }
    if (access->token.bytes != NULL)
        out->headers[count++] = header_of("Authorization", "Bearer ", &access->token);
    out->url = gl_str_take(&text);
    if (access->ops->signer == NULL ||
        access->ops->signer->sign(&access->signer, url, gl_now(access->world), &out->headers[count],
                                  err) == 0)
        return 0;
    gl_access_dress_done(out);
    return -1;
}

void gl_access_dress_done(struct gl_access_dress *dress)
{
    wipe_text(dress->url);
    for (size_t i = 0; i <= GL_ACCESS_HEADERS; i++)
        wipe_text(dress->headers[i]);
    *dress = (struct gl_access_dress){0};
}

void gl_access_done(struct gl_access *access)
{
    for (size_t i = 0; i < GL_ACCESS_KEYS; i++)
        gl_secret_done(&access->keys[i]);
    gl_secret_done(&access->token);
    gl_secret_done(&access->signer.name);
    gl_secret_done(&access->signer.key);
    gl_secret_done(&access->signer.passphrase);
    access->is_read = false;
}
