/* SPDX-License-Identifier: Apache-2.0 */
#include "base/yamldoc.h"
#include "providers/cloud/kubernetes_config.h"

#include <stdlib.h>
#include <string.h>

/* A kubeconfig, and the answer of a credential plugin. */

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void demand(bool holds)
{
    if (!holds)
        abort();
}

static void check_config(const char *bytes, size_t size)
{
    struct gl_error err = {0};
    json_t *file = gl_yamldoc_parse(bytes, size, "fuzz", &err), *merged = json_object();
    struct gl_kubernetes_choice choice;

    gl_error_clear(&err);
    if (file != NULL && gl_kubernetes_merge(merged, file, "/f", &err) == 0) {
        int rc = gl_kubernetes_choose(merged, NULL, &choice, &err);

        demand(rc == 0 ? json_is_string(json_object_get(choice.cluster, "server"))
                       : err.code == GL_E_CONFIG || err.code == GL_E_NO_CREDENTIAL);
        demand(rc != 0 || json_object_get(choice.user, "auth-provider") == NULL ||
               json_is_null(json_object_get(choice.user, "auth-provider")) ||
               (json_is_string(json_object_get(choice.user, "auth-provider")) &&
                json_string_length(json_object_get(choice.user, "auth-provider")) == 0));
    }
    json_decref(file);
    gl_kubernetes_forget(merged);
}

static void check_answer(const char *bytes, size_t size)
{
    struct gl_kubernetes_config config = {0};
    struct gl_error err = {0};

    if (gl_kubernetes_read_exec(bytes, size, "client.authentication.k8s.io/v1", &config, &err) == 0)
        demand(config.token.length > 0 || config.client_key_pem.length > 0);
    else
        demand(err.code == GL_E_NO_CREDENTIAL);
    for (size_t i = 0; i < config.token.length; i++)
        demand(config.token.bytes[i] > ' ' && config.token.bytes[i] <= '~');
    gl_kubernetes_config_done(&config);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    check_config((const char *)bytes, size);
    check_answer((const char *)bytes, size);
    return 0;
}
