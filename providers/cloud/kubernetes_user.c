/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/kubernetes_config.h"

#include "base/file.h"
#include "base/http.h"
#include "base/process.h"
#include "base/yamldoc.h"
#include "providers/cloud/credential_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_CEILING ((size_t)1 << 20) /* of a certificate, key or token */

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text != NULL && text[0] != '\0' ? text : NULL;
}

/* Paths are relative to the file that holds them. */
static char *path_of(const char *folder, const char *path)
{
    return path[0] == '/' || folder == NULL ? gl_strdup(path) : gl_path_join(folder, path);
}

/* ---- certificates and keys ---- */

/* As other tools take it: in lines, too. */
static char *without_space(const char *text)
{
    char *out = gl_alloc(strlen(text) + 1), *to = out;

    for (; *text != '\0'; text++)
        if (strchr(" \t\r\n", *text) == NULL)
            *to++ = *text;
    return out;
}

static void free_secret_text(char **text)
{
    if (*text != NULL)
        gl_wipe(*text, strlen(*text));
    free(*text);
}

/* `name`-data in base64, else the file that `name` names: 1 and fresh bytes, 0 neither, -1. */
static int read_either(const json_t *from, const char *name, const char *folder,
                       struct gl_secret *out, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *path = NULL, *bytes = NULL;
    struct gl_error ignored = {0};
    char data_name[64];
    const char *data;
    size_t length = 0;

    snprintf(data_name, sizeof data_name, "%s-data", name);
    data = text_of(from, data_name);
    if (data == NULL && text_of(from, name) == NULL)
        return 0;
    if (data != NULL) {
        GL_AUTO(free_secret_text) char *packed = without_space(data);

        bytes = gl_alloc(strlen(packed) + 1);
        if (gl_base64_parse(packed, bytes, strlen(packed), &length, &ignored) < 0)
            return gl_fail(err, GL_E_CONFIG, "the kubeconfig's %s is not base64", data_name);
    } else {
        path = path_of(folder, text_of(from, name));
        if (gl_file_read(path, FILE_CEILING, &bytes, &length, err) < 0)
            return gl_wrap(err, "the kubeconfig's %s", name);
    }
    if (memmem(bytes, length, "-----BEGIN ", 11) == NULL || memchr(bytes, '\0', length) != NULL) {
        gl_wipe(bytes, length);
        return gl_fail(err, GL_E_CONFIG, "the kubeconfig's %s is not PEM", name);
    }
    bytes = gl_realloc(bytes, length + 1);
    bytes[length] = '\0';
    gl_secret_init(out, bytes, length + 1); /* with its NUL */
    gl_wipe(bytes, length);
    return 1;
}

static int read_pem(const json_t *from, const char *name, const char *folder, struct gl_str *out,
                    struct gl_error *err)
{
    struct gl_secret pem = {0};
    int got = read_either(from, name, folder, &pem, err);

    if (got > 0)
        gl_str_add(out, (const char *)pem.bytes);
    gl_secret_done(&pem);
    return got;
}

static int read_certificate(const struct gl_kubernetes_choice *choice,
                            struct gl_kubernetes_config *out, struct gl_error *err)
{
    int cert = read_pem(choice->user, "client-certificate", choice->user_folder,
                        &out->client_cert_pem, err);
    int key = cert < 0 ? -1
                       : read_either(choice->user, "client-key", choice->user_folder,
                                     &out->client_key_pem, err);

    if (key < 0)
        return -1;
    if (cert != key)
        return gl_fail(err, GL_E_CONFIG,
                       "the kubeconfig has a client certificate or its key, but not both");
    return 0;
}

/* ---- the user ---- */

static int take_user(const struct gl_kubernetes_choice *choice, struct gl_kubernetes_config *out,
                     struct gl_error *err)
{
    const char *token = text_of(choice->user, "token");
    const char *file = text_of(choice->user, "tokenFile");
    json_t *exec = json_object_get(choice->user, "exec");

    if (read_certificate(choice, out, err) < 0)
        return -1;
    if (file != NULL) /* kubectl prefers it, too */
        out->token_file = path_of(choice->user_folder, file);
    else if (token != NULL && gl_kubernetes_take_token(token, strlen(token), &out->token, err) < 0)
        return gl_wrap(err, "the kubeconfig");
    if (json_is_object(exec)) {
        out->exec = json_deep_copy(exec);
        out->exec_folder = gl_strdup(choice->user_folder != NULL ? choice->user_folder : "");
    }
    if (out->token_file == NULL && token == NULL && out->exec == NULL &&
        out->client_cert_pem.length == 0 && strncmp(out->server, "http://", 7) != 0)
        return gl_fail(err, GL_E_NO_CREDENTIAL,
                       "the kubeconfig's user of context %.60s has no token, certificate or plugin",
                       choice->context);
    return 0;
}

static int text_or_none(const json_t *object, const char *name, const char **out,
                        struct gl_error *err)
{
    const json_t *value = json_object_get(object, name);

    if (value != NULL && !json_is_null(value) && !json_is_string(value))
        return gl_fail(err, GL_E_CONFIG, "the kubeconfig's %s is no text", name);
    *out = text_of(object, name);
    return 0;
}

/* By which way, and whose name the certificate must hold: a cluster behind a jump host. */
static int take_way(const struct gl_kubernetes_choice *choice, struct gl_kubernetes_config *out,
                    struct gl_error *err)
{
    const char *proxy = NULL, *name = NULL;

    if (text_or_none(choice->cluster, "proxy-url", &proxy, err) < 0 ||
        text_or_none(choice->cluster, "tls-server-name", &name, err) < 0)
        return -1;
    if (proxy != NULL && !gl_http_is_proxy(proxy)) /* it may hold a password: not shown */
        return gl_fail(err, GL_E_CONFIG,
                       "the kubeconfig's proxy-url must be http://, https:// or socks5:// without "
                       "user name; set HTTPS_PROXY in the environment for others");
    if (proxy != NULL && strncmp(out->server, "http://", 7) == 0)
        return gl_fail(err, GL_E_CONFIG,
                       "the kubeconfig's proxy-url is not used: credentials go to a server on "
                       "http:// without a proxy only");
    if (name != NULL && !gl_http_is_tls_name(name))
        return gl_fail(err, GL_E_CONFIG, "the kubeconfig's tls-server-name is no host name");
    out->proxy_url = proxy != NULL ? gl_strdup(proxy) : NULL;
    out->tls_name = name != NULL ? gl_strdup(name) : NULL;
    return 0;
}

static int take_cluster(const struct gl_kubernetes_choice *choice, struct gl_kubernetes_config *out,
                        struct gl_error *err)
{
    const char *server = text_of(choice->cluster, "server");

    if (strlen(server) >= sizeof out->server)
        return gl_fail(err, GL_E_CONFIG, "the kubeconfig's server is too long an address");
    snprintf(out->server, sizeof out->server, "%s", server);
    if (read_pem(choice->cluster, "certificate-authority", choice->cluster_folder, &out->ca_pem,
                 err) < 0)
        return -1;
    if (take_way(choice, out, err) < 0)
        return -1;
    out->info = json_pack("{s:s,s:s*,s:s*}", "server", server, "proxy-url", out->proxy_url,
                          "tls-server-name", out->tls_name);
    if (out->ca_pem.length > 0) {
        char *text = gl_alloc(4 * ((out->ca_pem.length + 2) / 3) + 1);

        json_object_set_new(
            out->info, "certificate-authority-data",
            json_string(gl_base64_text(out->ca_pem.text, out->ca_pem.length, text)));
        free(text);
    }
    return 0;
}

/* ---- files ---- */

/* 1 read, 0 not there, -1. */
static int add_file(json_t *merged, const char *path, struct gl_error *err)
{
    struct gl_error trouble = {0};
    GL_AUTO(gl_auto_free) char *folder = gl_strdup(path);
    json_t *document = NULL;
    char *slash = strrchr(folder, '/'), *bytes;
    size_t length;
    int rc;

    if (gl_credential_file_read(
            &(struct gl_credential_file){.path = path, .ceiling = GL_YAMLDOC_MAX_BYTES}, &bytes,
            &length, &trouble) == 0) {
        document = gl_yamldoc_parse(bytes, length, path, &trouble);
        gl_wipe(bytes, length);
        free(bytes);
    }

    if (document == NULL && trouble.code == GL_E_IO && trouble.sys == ENOENT)
        return 0;
    if (document == NULL)
        return gl_fail(err, trouble.code, "%s", trouble.text);
    if (slash != NULL)
        *slash = '\0';
    rc = gl_kubernetes_merge(merged, document, slash != NULL ? folder : ".", err);
    json_decref(document); /* its parts live on in `merged`, which is forgotten */
    return rc < 0 ? gl_wrap(err, "%s", path) : 1;
}

/* How many there were; -1. */
static int add_files(json_t *merged, const char *list, struct gl_error *err)
{
    int count = 0;

    for (unsigned i = 0; *list != '\0'; i++) {
        size_t length = strcspn(list, ":");
        GL_AUTO(gl_str_done) struct gl_str path = {0};
        int got;

        gl_str_add_bytes(&path, list, length);
        got = length > 0 ? add_file(merged, path.text, err) : 0;

        if (i >= GL_KUBERNETES_FILES)
            return gl_fail(err, GL_E_TOO_LARGE, "KUBECONFIG names more than %d files",
                           GL_KUBERNETES_FILES);
        if (got < 0)
            return -1;
        count += got;
        list += length + (list[length] == ':');
    }
    return count;
}

static int take_context(const json_t *merged, const char *context, struct gl_kubernetes_config *out,
                        struct gl_error *err)
{
    struct gl_kubernetes_choice choice;
    char shown[GL_TEXT_SHOWN];

    if (gl_kubernetes_choose(merged, context, &choice, err) < 0)
        return -1;
    snprintf(out->from, sizeof out->from, "context %s", gl_text_show(choice.context, shown));
    snprintf(out->user, sizeof out->user, "%s", choice.user_name);
    if (choice.space != NULL && strlen(choice.space) >= sizeof out->space)
        return gl_fail(err, GL_E_CONFIG, "the kubeconfig's namespace is too long a name");
    snprintf(out->space, sizeof out->space, "%s", choice.space != NULL ? choice.space : "");
    return take_cluster(&choice, out, err) < 0 || take_user(&choice, out, err) < 0 ? -1 : 0;
}

/* ---- in a pod ---- */

static int take_pod(const struct gl_world *world, const char *folder,
                    struct gl_kubernetes_config *out, struct gl_error *err)
{
    const char *host = world->getenv(world->cookie, "KUBERNETES_SERVICE_HOST");
    const char *port = world->getenv(world->cookie, "KUBERNETES_SERVICE_PORT");
    GL_AUTO(gl_auto_free) char *ca = gl_path_join(folder, "ca.crt");
    GL_AUTO(gl_auto_free) char *space = gl_path_join(folder, "namespace");
    GL_AUTO(gl_auto_free) char *bytes = NULL, *name = NULL;
    struct gl_error ignored = {0};
    size_t length;
    bool is_v6 = strchr(host, ':') != NULL;

    snprintf(out->from, sizeof out->from, "the service account of this pod");
    snprintf(out->server, sizeof out->server, "https://%s%.200s%s:%.8s", is_v6 ? "[" : "", host,
             is_v6 ? "]" : "", port != NULL ? port : "443");
    out->token_file = gl_path_join(folder, "token");
    if (gl_file_read(ca, FILE_CEILING, &bytes, &length, err) < 0)
        return gl_wrap(err, "the service account of this pod");
    gl_str_add_bytes(&out->ca_pem, bytes, length);
    if (gl_file_read(space, sizeof out->space - 1, &name, &length, &ignored) == 0)
        snprintf(out->space, sizeof out->space, "%.*s", (int)strcspn(name, "\r\n"), name);
    return 0;
}

int gl_kubernetes_config_find(const struct gl_world *world, const struct gl_kubernetes_asked *asked,
                              struct gl_kubernetes_config *out, struct gl_error *err)
{
    const char *list =
        asked->files != NULL ? asked->files : world->getenv(world->cookie, "KUBECONFIG");
    const char *home = world->getenv(world->cookie, "HOME");
    GL_AUTO(gl_auto_free) char *fallback = NULL;
    json_t *merged = json_object();
    int got;

    if ((list == NULL || list[0] == '\0') && home != NULL && home[0] != '\0')
        list = fallback = gl_path_join(home, ".kube/config");
    got = list != NULL ? add_files(merged, list, err) : 0;
    if (got > 0 && take_context(merged, asked->context, out, err) < 0)
        got = -1;
    gl_kubernetes_forget(merged);
    if (got != 0)
        return got > 0 ? 0 : -1;
    if (world->getenv(world->cookie, "KUBERNETES_SERVICE_HOST") != NULL)
        return take_pod(world, asked->pod_folder, out, err);
    return gl_fail(err, GL_E_NO_CREDENTIAL,
                   "no kubeconfig was found: set KUBECONFIG, or write ~/.kube/config");
}

void gl_kubernetes_config_done(struct gl_kubernetes_config *config)
{
    free(config->token_file);
    free(config->proxy_url);
    free(config->tls_name);
    gl_capture_free(config->helper);
    gl_kubernetes_forget(config->exec);
    free(config->exec_folder);
    json_decref(config->info);
    gl_secret_done(&config->token);
    gl_str_done(&config->ca_pem);
    gl_str_done(&config->client_cert_pem);
    gl_secret_done(&config->client_key_pem);
    *config = (struct gl_kubernetes_config){0};
}
