/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_PROVIDERS_KUBERNETES_CONFIG_H
#define GL_PROVIDERS_KUBERNETES_CONFIG_H

/* Who we are to a cluster, in kubectl's order: the files that KUBECONFIG names (the first to name a
 * thing counts), ~/.kube/config, the service account of the pod we run in. Users: token, token
 * file, client certificate, exec plugin. Refused, with the reason: a server whose certificate is
 * not to be verified, auth-provider, passwords, impersonation: what cannot be honoured is never
 * passed over in silence.
 * https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/
 * https://kubernetes.io/docs/reference/config-api/client-authentication.v1/ */

#include "base/json.h"
#include "base/sign.h"
#include "base/str.h"
#include "base/world.h"

#define GL_KUBERNETES_EXEC_CEILING ((size_t)1 << 20) /* bytes that a plugin may write */
#define GL_KUBERNETES_EXEC_MS      20000
#define GL_KUBERNETES_FILES        32 /* in KUBECONFIG */

struct gl_kubernetes_config {
    char from[300];            /* for messages: "context green of /path", "the service account" */
    char user[128];            /* name in the file; "" = none */
    char server[256];          /* https://..., or http:// on this machine */
    char space[64];            /* namespace; "" = not said */
    char *proxy_url;           /* NULL = the environment's */
    char *tls_name;            /* that the server's certificate must hold; NULL = the server's */
    char *token_file;          /* read anew for every call: it is rotated; NULL = none */
    json_t *exec;              /* the plugin; NULL = none */
    char *exec_folder;         /* of the file that names it */
    json_t *info;              /* what a plugin is told about the cluster */
    int64_t expires_s;         /* of what the plugin gave; INT64_MAX = not told */
    bool is_asked;             /* the plugin has been run */
    struct gl_capture *helper; /* it is at it; NULL = it is not */
    struct gl_secret token;
    struct gl_str ca_pem, client_cert_pem;
    struct gl_secret client_key_pem; /* ends with a NUL byte */
};

/* Find and read; runs no plugin and asks nothing over the network. `files` (may be NULL) stands for
 * KUBECONFIG, `context` (may be NULL) for the current one, `pod_folder` is where a pod finds its
 * service account. NO_CREDENTIAL naming what can be set, CONFIG, SYNTAX; no message holds a secret.
 */
struct gl_kubernetes_asked {
    const char *files, *context, *pod_folder;
};
int gl_kubernetes_config_find(const struct gl_world *world, const struct gl_kubernetes_asked *asked,
                              struct gl_kubernetes_config *out, struct gl_error *err);
void gl_kubernetes_config_done(struct gl_kubernetes_config *config);

/* Run the plugin when there is none of its answers, it has expired, or was rejected (is_renewed).
 * Without a plugin 0. NO_CREDENTIAL. */
int gl_kubernetes_exec(struct gl_kubernetes_config *config, const struct gl_world *world,
                       bool is_renewed, struct gl_error *err);
/* The same beside other work: 1 it is at it, which *err says: ask again, no longer with is_renewed.
 */
int gl_kubernetes_exec_ask(struct gl_kubernetes_config *config, const struct gl_world *world,
                           bool is_renewed, struct gl_error *err);

/* ---- pure ---- */

/* Add a file's document to what others said. CONFIG for entries that are malformed. */
int gl_kubernetes_merge(json_t *merged, const json_t *file, const char *folder,
                        struct gl_error *err);
/* What a context means; all borrowed from `merged`. */
struct gl_kubernetes_choice {
    const char *context, *user_name, *space;
    const json_t *cluster, *user;
    const char *cluster_folder, *user_folder;
};
int gl_kubernetes_choose(const json_t *merged, const char *context,
                         struct gl_kubernetes_choice *out, struct gl_error *err);
/* The answer of a plugin into token, certificate, key and expiry. */
int gl_kubernetes_read_exec(const char *bytes, size_t length, const char *version,
                            struct gl_kubernetes_config *out, struct gl_error *err);
/* Overwrite every text in a value, then give it back. */
void gl_kubernetes_forget(json_t *value);
/* A fresh secret of a text without the white space at its end; BAD_VALUE when it cannot be a header
 * value. */
int gl_kubernetes_take_token(const char *text, size_t length, struct gl_secret *out,
                             struct gl_error *err);

#endif
