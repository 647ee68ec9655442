/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/kubernetes_config.h"

#include "base/file.h"
#include "base/process.h"
#include "base/time.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define API            "client.authentication.k8s.io/"
#define ARGUMENTS_MAX  64
#define VARIABLES_MAX  64
#define EARLY_S        60 /* renewed so long before it expires */
#define PROGRAM_LENGTH 512

/* ---- the question ---- */

static const char *text_of(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

/* Only versions whose answers we know; v1alpha1 has gone from Kubernetes. */
static const char *version_of(const json_t *exec)
{
    const char *version = text_of(exec, "apiVersion");

    return version != NULL &&
                   (strcmp(version, API "v1") == 0 || strcmp(version, API "v1beta1") == 0)
               ? version
               : NULL;
}

/* A path is relative to the kubeconfig, a bare name is looked for in PATH. */
static int find_program(const struct gl_kubernetes_config *config, char out[PROGRAM_LENGTH],
                        struct gl_error *err)
{
    const char *command = text_of(config->exec, "command");
    const char *hint = text_of(config->exec, "installHint");
    char shown[GL_TEXT_SHOWN], hint_shown[GL_TEXT_SHOWN];
    char *path;

    if (command == NULL || command[0] == '\0')
        return gl_fail(err, GL_E_CONFIG, "the kubeconfig's plugin has no command");
    if (strchr(command, '/') == NULL)
        path = gl_program_find(command);
    else
        path = command[0] == '/' ? gl_strdup(command) : gl_path_join(config->exec_folder, command);
    if (path == NULL || strlen(path) >= PROGRAM_LENGTH || access(path, X_OK) != 0) {
        free(path);
        return gl_fail(err, GL_E_NO_CREDENTIAL, "the kubeconfig's plugin %s is not installed%s%s",
                       gl_text_show(command, shown), hint != NULL ? ": " : "",
                       hint != NULL ? gl_text_show(hint, hint_shown) : "");
    }
    snprintf(out, PROGRAM_LENGTH, "%s", path);
    free(path);
    return 0;
}

static int set_arguments(const json_t *exec, const char *program,
                         const char *argv[ARGUMENTS_MAX + 2], struct gl_error *err)
{
    const json_t *list = json_object_get(exec, "args"), *one;
    size_t i, used = 0;

    argv[used++] = program;
    if (json_array_size(list) > ARGUMENTS_MAX)
        return gl_fail(err, GL_E_TOO_LARGE, "the kubeconfig's plugin has more than %d arguments",
                       ARGUMENTS_MAX);
    json_array_foreach(list, i, one)
    {
        if (!json_is_string(one) || strlen(json_string_value(one)) != json_string_length(one))
            return gl_fail(err, GL_E_CONFIG, "an argument of the kubeconfig's plugin is no text");
        argv[used++] = json_string_value(one);
    }
    argv[used] = NULL;
    return 0;
}

static char *info_of(const struct gl_kubernetes_config *config, const char *version)
{
    const char *wants = text_of(config->exec, "provideClusterInfo");
    json_t *spec = json_pack("{s:b}", "interactive", 0), *info;
    char *text;

    if (wants != NULL && strcasecmp(wants, "true") == 0)
        json_object_set(spec, "cluster", config->info);
    info =
        json_pack("{s:s,s:s,s:o}", "apiVersion", version, "kind", "ExecCredential", "spec", spec);
    text = json_dumps(info, JSON_COMPACT);
    json_decref(info);
    return text;
}

/* "NAME=value" texts that a child gets; what is `owned` is wiped and freed. */
struct variables {
    const char **rows;
    char *owned[VARIABLES_MAX + 1];
    size_t owned_count;
};

static void variables_done(struct variables *variables)
{
    for (size_t i = 0; i < variables->owned_count; i++) {
        gl_wipe(variables->owned[i], strlen(variables->owned[i]));
        free(variables->owned[i]);
    }
    free(variables->rows);
}

static void add_variable(struct variables *variables, const char *name, const char *value)
{
    size_t size = strlen(name) + strlen(value) + 2;
    char *row = gl_alloc(size);

    snprintf(row, size, "%s=%s", name, value);
    variables->owned[variables->owned_count++] = row;
}

static bool is_replaced(const struct variables *variables, const char *row)
{
    size_t name = strcspn(row, "=") + 1;

    for (size_t i = 0; i < variables->owned_count; i++)
        if (strncmp(variables->owned[i], row, name) == 0)
            return true;
    return false;
}

/* Ours, with those of the kubeconfig in the place of ours of the same name. */
static int set_variables(const json_t *exec, const char *info, struct variables *out,
                         struct gl_error *err)
{
    const json_t *list = json_object_get(exec, "env"), *one;
    size_t i, count = 0, used = 0;

    if (json_array_size(list) > VARIABLES_MAX)
        return gl_fail(err, GL_E_TOO_LARGE, "the kubeconfig's plugin has more than %d variables",
                       VARIABLES_MAX);
    add_variable(out, "KUBERNETES_EXEC_INFO", info);
    json_array_foreach(list, i, one)
    {
        const char *name = text_of(one, "name"), *value = text_of(one, "value");

        if (name == NULL || name[0] == '\0' || strchr(name, '=') != NULL || value == NULL)
            return gl_fail(err, GL_E_CONFIG, "a variable of the kubeconfig's plugin is malformed");
        add_variable(out, name, value);
    }
    while (environ[count] != NULL)
        count++;
    out->rows = gl_alloc((count + out->owned_count + 1) * sizeof *out->rows);
    for (i = 0; i < count; i++)
        if (!is_replaced(out, environ[i]))
            out->rows[used++] = environ[i];
    for (i = 0; i < out->owned_count; i++)
        out->rows[used++] = out->owned[i];
    out->rows[used] = NULL;
    return 0;
}

/* ---- the answer ---- */

static int take_pair(const json_t *status, struct gl_kubernetes_config *out, struct gl_error *err)
{
    const char *cert = text_of(status, "clientCertificateData");
    const char *key = text_of(status, "clientKeyData");

    if ((cert == NULL) != (key == NULL))
        return gl_fail(err, GL_E_NO_CREDENTIAL,
                       "the plugin gave a client certificate or its key, but not both");
    if (cert == NULL)
        return 0;
    if (strstr(cert, "-----BEGIN ") == NULL || strstr(key, "-----BEGIN ") == NULL)
        return gl_fail(err, GL_E_NO_CREDENTIAL, "the plugin's certificate or key is not PEM");
    gl_str_clear(&out->client_cert_pem);
    gl_str_add(&out->client_cert_pem, cert);
    gl_secret_done(&out->client_key_pem);
    gl_secret_init(&out->client_key_pem, key, strlen(key) + 1);
    return 1;
}

static int take_status(const json_t *status, struct gl_kubernetes_config *out, struct gl_error *err)
{
    const char *token = text_of(status, "token");
    const char *until = text_of(status, "expirationTimestamp");
    struct gl_instant expires = {INT64_MAX};
    struct gl_error why = {0};
    int pair;

    if (until != NULL && gl_instant_parse(until, &expires, &why) < 0)
        return gl_fail(err, GL_E_NO_CREDENTIAL, "the plugin's expirationTimestamp is no time");
    if (token != NULL && gl_kubernetes_take_token(token, strlen(token), &out->token, &why) < 0)
        return gl_fail(err, GL_E_NO_CREDENTIAL, "the plugin's answer: %s", why.text);
    pair = take_pair(status, out, err);
    if (pair < 0)
        return -1;
    if (pair == 0 && token == NULL)
        return gl_fail(err, GL_E_NO_CREDENTIAL, "the plugin gave neither token nor certificate");
    out->expires_s = expires.unix_s;
    return 0;
}

int gl_kubernetes_read_exec(const char *bytes, size_t length, const char *version,
                            struct gl_kubernetes_config *out, struct gl_error *err)
{
    struct gl_error why = {0};
    json_t *root = gl_json_parse(bytes, length, "the plugin's answer", &why);
    const char *kind = text_of(root, "kind"), *told = text_of(root, "apiVersion");
    int rc;

    if (root == NULL) /* its text may quote what was not understood: a secret */
        return gl_fail(err, GL_E_NO_CREDENTIAL, "the plugin's answer is not JSON");
    if (kind == NULL || strcmp(kind, "ExecCredential") != 0 || told == NULL ||
        strcmp(told, version) != 0)
        rc = gl_fail(err, GL_E_NO_CREDENTIAL, "the plugin's answer is no ExecCredential of %s",
                     version);
    else
        rc = take_status(json_object_get(root, "status"), out, err);
    gl_kubernetes_forget(root);
    return rc;
}

/* ---- running it ---- */

static int start(struct gl_kubernetes_config *config, const char *version, struct gl_error *err)
{
    const char *argv[ARGUMENTS_MAX + 2];
    GL_AUTO(variables_done) struct variables variables = {0};
    GL_AUTO(gl_auto_free) char *info = info_of(config, version);
    struct gl_spawn spawn = {.argv = argv,
                             .stdin_fd = -1,
                             .stderr_fd = -1,
                             .uid = -1,
                             .gid = -1,
                             .dies_with_parent = true};
    struct gl_error why = {0};
    char program[PROGRAM_LENGTH];

    if (find_program(config, program, err) < 0 ||
        set_arguments(config->exec, program, argv, err) < 0 ||
        set_variables(config->exec, info, &variables, err) < 0)
        return -1;
    spawn.environment = variables.rows;
    config->helper =
        gl_capture_start(&spawn, GL_KUBERNETES_EXEC_CEILING, GL_KUBERNETES_EXEC_MS, &why);
    if (config->helper == NULL)
        return gl_fail(err, GL_E_NO_CREDENTIAL, "the kubeconfig's plugin: %s", why.text);
    return 0;
}

static int read_helper(struct gl_kubernetes_config *config, const struct gl_str *text, int status,
                       struct gl_error *err)
{
    char shown[GL_TEXT_SHOWN];

    if (status != 0)
        return gl_fail(err, GL_E_NO_CREDENTIAL,
                       "the kubeconfig's plugin %s failed with status %d: run it by hand to see "
                       "why",
                       gl_text_show(text_of(config->exec, "command"), shown), status);
    return gl_kubernetes_read_exec(gl_str_text(text), text->length, version_of(config->exec),
                                   config, err);
}

/* What it says; 0 or -1. */
static int take(struct gl_kubernetes_config *config, int got, const struct gl_str *text, int status,
                struct gl_error *err)
{
    gl_capture_free(config->helper);
    config->helper = NULL;
    if (got < 0)
        return gl_wrap(err, "the kubeconfig's plugin");
    if (read_helper(config, text, status, err) < 0)
        return -1;
    config->is_asked = true;
    return 0;
}

/* Look at it: 1 it is at it; else as take(). One that was only just started is not looked at where
 * others wait, too. */
static int look(struct gl_kubernetes_config *config, bool is_new, bool is_beside,
                struct gl_error *err)
{
    struct gl_str text = {0};
    struct gl_error why = {0};
    char shown[GL_TEXT_SHOWN];
    int status = 0, got = 0;

    if (!is_new || !is_beside)
        got = gl_capture_take(config->helper, is_beside ? 0 : -1, &text, &status, &why);
    if (got == 0) {
        gl_fail(err, GL_E_TIMEOUT, "the kubeconfig's plugin %s has not answered yet",
                gl_text_show(text_of(config->exec, "command"), shown));
        return 1;
    }
    if (got < 0)
        gl_fail(err, GL_E_NO_CREDENTIAL, "%s", why.text);
    got = take(config, got, &text, status, err);
    if (text.text != NULL)
        gl_wipe(text.text, text.capacity);
    gl_str_done(&text);
    return got;
}

/* Can it be run at all? */
static int check_exec(const struct gl_kubernetes_config *config, struct gl_error *err)
{
    const char *mode = text_of(config->exec, "interactiveMode");

    if (version_of(config->exec) == NULL)
        return gl_fail(err, GL_E_CONFIG,
                       "the kubeconfig's plugin speaks a version that is not known: " API
                       "v1 and v1beta1 are");
    if (mode != NULL && strcmp(mode, "Always") == 0)
        return gl_fail(err, GL_E_NO_CREDENTIAL,
                       "the kubeconfig's plugin wants to talk to a person: log in with it first, "
                       "or use a token");
    return 0;
}

static int obtain(struct gl_kubernetes_config *config, bool is_good, bool is_beside,
                  struct gl_error *err)
{
    bool is_new = config->helper == NULL;

    if (config->exec == NULL || (is_new && is_good))
        return 0;
    if (is_new && (check_exec(config, err) < 0 || start(config, version_of(config->exec), err) < 0))
        return -1;
    return look(config, is_new, is_beside, err);
}

static bool is_good(const struct gl_kubernetes_config *config, const struct gl_world *world)
{
    return config->is_asked && gl_now(world).unix_s < config->expires_s - EARLY_S;
}

int gl_kubernetes_exec(struct gl_kubernetes_config *config, const struct gl_world *world,
                       bool is_renewed, struct gl_error *err)
{
    return obtain(config, !is_renewed && is_good(config, world), false, err);
}

int gl_kubernetes_exec_ask(struct gl_kubernetes_config *config, const struct gl_world *world,
                           bool is_renewed, struct gl_error *err)
{
    return obtain(config, !is_renewed && is_good(config, world), true, err);
}
