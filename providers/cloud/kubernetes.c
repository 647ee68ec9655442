/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/kubernetes.h"

#include "base/file.h"
#include "providers/cloud/drivers.h"
#include "providers/cloud/setting_list.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WAIT_MAX_S 3600

static const struct gl_setting_key keys[] = {
    {.name = "context", .what = "context of the kubeconfig; else its current-context"},
    {.name = "kubeconfig",
     .what = "paths of kubeconfig files, as in KUBECONFIG, which they replace"},
    {.name = "namespace", .what = "namespace of the Jobs; else the context's, else default"},
    {.name = "image",
     .what = "container image; it needs /bin/sh",
     .fallback = "docker.io/library/debian:12-slim"},
    {.name = "cloud",
     .what = "whose region names the nodes bear: aws, gcp, azure ...; else by their providerID"},
    {.name = "regions",
     .what = "regions, as in eu-north-1,eu-west-3, where nodes may not be listed"},
    {.name = "zone", .what = "zone within the region"},
    {.name = "node-label", .what = "NAME=VALUE that a node must have besides"},
    {.name = GL_CLOUD_ZONE_KEY, .what = GL_CLOUD_ZONE_HELP},
    {.name = "price", .what = "USD per hour of a pod; Kubernetes knows no prices"},
    {.name = "schedule-wait",
     .what = "seconds that a pod waits for a node before it is a stock-out",
     .fallback = "120"},
    {.name = "pod-security",
     .what = "baseline, or restricted: no root, no capabilities",
     .fallback = "baseline"},
    {.name = "service-account", .what = "service account of the pod; else none is mounted"},
    {.name = "pull-secret", .what = "Secret with the credentials of the image registry"},
    {.name = "pod-folder",
     .what = "where a pod finds its own service account",
     .fallback = "/var/run/secrets/kubernetes.io/serviceaccount"},
    {.name = "endpoint", .what = "address of the API; else the cluster's server"},
    {0}};

/* ---- credentials ---- */

/* A token file is rotated by the kubelet: it is read every time. */
static int read_token_file(struct gl_kubernetes *kubernetes, struct gl_error *err)
{
    struct gl_kubernetes_config *config = &kubernetes->config;
    struct gl_error why = {0};
    char *bytes = NULL;
    size_t length;
    int rc;

    if (config->token_file == NULL)
        return 0;
    if (gl_file_read(config->token_file, (size_t)1 << 20, &bytes, &length, &why) < 0)
        return gl_fail(err, GL_E_NO_CREDENTIAL, "%s", why.text);
    rc = gl_kubernetes_take_token(bytes, length, &config->token, &why);
    gl_wipe(bytes, length);
    free(bytes);
    return rc == 0 ? 0 : gl_fail(err, GL_E_NO_CREDENTIAL, "%s: %s", config->token_file, why.text);
}

static void copy_certificates(struct gl_kubernetes *kubernetes)
{
    struct gl_remote *remote = &kubernetes->remote;
    const struct gl_kubernetes_config *config = &kubernetes->config;

    gl_str_clear(&remote->ca_pem);
    gl_str_clear(&remote->client_cert_pem);
    gl_secret_done(&remote->client_key_pem);
    gl_str_add(&remote->ca_pem, gl_str_text(&config->ca_pem));
    gl_str_add(&remote->client_cert_pem, gl_str_text(&config->client_cert_pem));
    if (config->client_key_pem.length > 0)
        gl_secret_init(&remote->client_key_pem, config->client_key_pem.bytes,
                       config->client_key_pem.length);
}

static int authorize(struct gl_remote *remote, struct gl_remote_call *call, bool is_renewed,
                     struct gl_error *err)
{
    struct gl_kubernetes *kubernetes = (struct gl_kubernetes *)remote;
    struct gl_kubernetes_config *config = &kubernetes->config;

    (void)is_renewed; /* token_ask() has seen to it */
    if (read_token_file(kubernetes, err) < 0 ||
        gl_kubernetes_exec(config, remote->world, false, err) < 0)
        return -1;
    copy_certificates(kubernetes);
    if (config->token.length > 0)
        gl_remote_bearer(call, &config->token);
    return 0;
}

static int token_ask(struct gl_remote *remote, bool is_renewed, struct gl_remote_call *out,
                     struct gl_error *err)
{
    struct gl_kubernetes_config *config = &((struct gl_kubernetes *)remote)->config;
    int asked = gl_kubernetes_exec_ask(config, remote->world, is_renewed, err);

    (void)out;
    return asked > 0 ? GL_REMOTE_TOKEN_WAITS : asked;
}

static const struct gl_remote_ops remote_ops = {.rules = gl_kubernetes_rules,
                                                .read_error = gl_kubernetes_read_error,
                                                .authorize = authorize,
                                                .token_ask = token_ask};

/* ---- account ---- */

static json_t *ask_who(struct gl_kubernetes *kubernetes, struct gl_error *err)
{
    struct gl_remote_call call = {.method = "POST"};
    json_t *body = json_pack("{s:s,s:s}", "apiVersion", "authentication.k8s.io/v1", "kind",
                             "SelfSubjectReview"),
           *root;

    gl_str_addf(&call.url, "%s/apis/authentication.k8s.io/v1/selfsubjectreviews",
                kubernetes->server);
    gl_remote_body_json(&call, body);
    json_decref(body);
    root = gl_remote_json(&kubernetes->remote, &call, err);
    gl_remote_call_done(&call);
    return root;
}

/* A cluster before 1.28 does not tell who one is, but whether one may ask at all. */
static int ask_version(struct gl_kubernetes *kubernetes, struct gl_error *err)
{
    struct gl_remote_call call = {.method = "GET"};
    json_t *root;

    gl_kubernetes_call(kubernetes, &call, "batch/v1", "jobs");
    gl_remote_query(&call, "limit", "1");
    root = gl_remote_json(&kubernetes->remote, &call, err);
    gl_remote_call_done(&call);
    json_decref(root);
    return root != NULL ? 0 : -1;
}

static int kubernetes_whoami(struct gl_cloud *cloud, char out[128], struct gl_error *err)
{
    struct gl_kubernetes *kubernetes = gl_kubernetes_of(cloud);
    struct gl_error trouble = {0};
    GL_AUTO(gl_auto_json) json_t *root = NULL;
    const char *name = NULL, *server;
    char shown[GL_TEXT_SHOWN];

    gl_remote_begin(&kubernetes->remote, GL_REMOTE_DEADLINE_MS);
    root = ask_who(kubernetes, &trouble);
    if (root == NULL && trouble.code != GL_E_NOT_FOUND && trouble.code != GL_E_PERMISSION)
        return gl_fail(err, trouble.code, "%s", trouble.text);
    if (root == NULL && ask_version(kubernetes, err) < 0)
        return -1;
    json_unpack(root, "{s:{s:{s:s}}}", "status", "userInfo", "username", &name);
    server = strstr(kubernetes->config.server, "://");
    /* A namespace is one of a cluster, and only its address names that. */
    snprintf(out, 128, "%.24s in namespace %.50s of %.35s",
             gl_text_show(name != NULL ? name : kubernetes->config.from, shown), kubernetes->space,
             server != NULL ? server + 3 : kubernetes->config.server);
    return 0;
}

static enum gl_errc kubernetes_classify(int status, const char *word)
{
    return gl_remote_code(gl_kubernetes_rules, status, word, NULL, NULL);
}

static void kubernetes_close(struct gl_cloud *cloud)
{
    struct gl_kubernetes *kubernetes = gl_kubernetes_of(cloud);

    gl_kubernetes_config_done(&kubernetes->config);
    gl_remote_done(&kubernetes->remote);
    json_decref(kubernetes->nodes);
    json_decref(kubernetes->names);
    free(kubernetes->region_list);
    free(kubernetes->type_list);
    free(kubernetes);
}

const struct gl_cloud_ops gl_kubernetes_ops = {
    .name = "kubernetes",
    .title = "Kubernetes",
    .caps = GL_CLOUD_REMOTE | GL_CLOUD_DEADLINE | GL_CLOUD_CHECKS | GL_CLOUD_CONSOLE,
    .keys = keys,
    .whoami = kubernetes_whoami,
    .regions = gl_kubernetes_regions,
    .types = gl_kubernetes_types,
    .price = gl_kubernetes_price,
    .launch = gl_kubernetes_launch,
    .describe = gl_kubernetes_describe,
    .find_by_request = gl_kubernetes_find,
    .list = gl_kubernetes_list,
    .stop = gl_kubernetes_stop,
    .terminate = gl_kubernetes_terminate,
    .console = gl_kubernetes_console,
    .check = gl_kubernetes_check,
    .catalog = &gl_kubernetes_catalog,
    .classify = kubernetes_classify,
    .close = kubernetes_close,
};

/* ---- opening ---- */

static const char *setting(const struct gl_cloud_options *options, const char *name)
{
    const char *value = gl_cloud_setting(&gl_kubernetes_ops, options, name);

    return value != NULL && value[0] != '\0' ? value : NULL;
}

static int fail_setting(const char *name, const char *value, const char *wanted,
                        struct gl_error *err)
{
    char shown[GL_TEXT_SHOWN];

    return gl_fail(err, GL_E_CONFIG, "kubernetes: %s is %s, not \"%s\"", name, wanted,
                   gl_text_show(value, shown));
}

static int take_numbers(struct gl_kubernetes *kubernetes, const struct gl_cloud_options *options,
                        struct gl_error *err)
{
    const char *price = setting(options, "price"), *wait = setting(options, "schedule-wait");
    int64_t milli;

    kubernetes->price_u_usd = GL_UNKNOWN;
    if (price != NULL) {
        kubernetes->price_u_usd = gl_cloud_setting_usd(price);
        if (kubernetes->price_u_usd == GL_UNKNOWN)
            return fail_setting("price", price, "USD per hour, as in 0.05", err);
    }
    if (!gl_kubernetes_quantity(wait, &milli) || milli % 1000 != 0 || milli > WAIT_MAX_S * 1000)
        return fail_setting("schedule-wait", wait, "seconds, at most 3600", err);
    kubernetes->schedule_wait_s = milli / 1000;
    return 0;
}

static bool is_name(const char *text, const char *more)
{
    size_t length = strlen(text);

    for (size_t i = 0; i < length; i++)
        if (strchr("-abcdefghijklmnopqrstuvwxyz0123456789", text[i]) == NULL &&
            strchr(more, text[i]) == NULL)
            return false;
    return length > 0 && length <= 63;
}

static int take_names(struct gl_kubernetes *kubernetes, const struct gl_cloud_options *options,
                      struct gl_error *err)
{
    static const char more[] = "._/ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    const char *space = setting(options, "namespace");
    const char *equals;

    kubernetes->image = setting(options, "image");
    kubernetes->zone = setting(options, "zone");
    kubernetes->host = setting(options, "cloud");
    kubernetes->regions = setting(options, "regions");
    kubernetes->security = setting(options, "pod-security");
    kubernetes->service_account = setting(options, "service-account");
    kubernetes->pull_secret = setting(options, "pull-secret");
    kubernetes->node_label = setting(options, "node-label");
    if (space == NULL)
        space = kubernetes->config.space[0] != '\0' ? kubernetes->config.space : "default";
    if (!is_name(space, ""))
        return fail_setting("namespace", space, "a name of a-z, 0-9 and -", err);
    snprintf(kubernetes->space, sizeof kubernetes->space, "%s", space);
    if (strcmp(kubernetes->security, "baseline") != 0 &&
        strcmp(kubernetes->security, "restricted") != 0)
        return fail_setting("pod-security", kubernetes->security, "baseline or restricted", err);
    equals = kubernetes->node_label != NULL ? strchr(kubernetes->node_label, '=') : NULL;
    if (kubernetes->node_label != NULL &&
        (equals == NULL || equals == kubernetes->node_label || !is_name(equals + 1, more) ||
         equals - kubernetes->node_label > 250))
        return fail_setting("node-label", kubernetes->node_label, "NAME=VALUE", err);
    return 0;
}

struct gl_cloud *gl_kubernetes_open(const struct gl_cloud_options *options, struct gl_error *err)
{
    struct gl_kubernetes *kubernetes = gl_alloc(sizeof *kubernetes);
    const struct gl_kubernetes_asked asked = {.files = setting(options, "kubeconfig"),
                                              .context = setting(options, "context"),
                                              .pod_folder = setting(options, "pod-folder")};

    gl_remote_init(&kubernetes->remote, &gl_kubernetes_ops, &remote_ops, options);
    if (gl_kubernetes_config_find(options->world, &asked, &kubernetes->config, err) < 0 ||
        gl_remote_endpoint(&gl_kubernetes_ops, options, kubernetes->config.server,
                           kubernetes->server, err) < 0 ||
        take_numbers(kubernetes, options, err) < 0 || take_names(kubernetes, options, err) < 0) {
        kubernetes_close(&kubernetes->remote.cloud);
        return NULL;
    }
    kubernetes->remote.proxy_url = kubernetes->config.proxy_url;
    kubernetes->remote.tls_name = kubernetes->config.tls_name;
    return &kubernetes->remote.cloud;
}
