/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/cloud.h"
#include "providers/cloud/drivers.h"

#include <string.h>

/* One row a cloud. */
/* clang-format off: it would set two in a line */
static const struct gl_cloud_driver drivers[] = {
    {&gl_local_ops, gl_local_open},
    {&gl_aws_ops, gl_aws_open},
    {&gl_gcp_ops, gl_gcp_open},
    {&gl_azure_ops, gl_azure_open},
    {&gl_openstack_ops, gl_openstack_open},
    {&gl_hetzner_ops, gl_hetzner_open},
    {&gl_digitalocean_ops, gl_digitalocean_open},
    {&gl_scaleway_ops, gl_scaleway_open},
    {&gl_kubernetes_ops, gl_kubernetes_open},
};
/* clang-format on */

const struct gl_cloud_driver *gl_cloud_drivers(size_t *out_count)
{
    *out_count = sizeof drivers / sizeof *drivers;
    return drivers;
}

const struct gl_cloud_ops *gl_cloud_find(const char *name)
{
    for (size_t i = 0; i < sizeof drivers / sizeof *drivers; i++)
        if (strcmp(drivers[i].ops->name, name) == 0)
            return drivers[i].ops;
    return NULL;
}

bool gl_cloud_is_remote(const char *name)
{
    const struct gl_cloud_ops *ops = gl_cloud_find(name);

    return ops != NULL && (ops->caps & GL_CLOUD_REMOTE) != 0;
}

struct gl_cloud *gl_cloud_open(const char *name, const struct gl_cloud_options *options,
                               struct gl_error *err)
{
    const char *names[sizeof drivers / sizeof *drivers], *near;
    char shown[GL_TEXT_SHOWN];

    for (size_t i = 0; i < sizeof drivers / sizeof *drivers; i++) {
        names[i] = drivers[i].ops->name;
        if (strcmp(names[i], name) == 0)
            return drivers[i].open(options, err);
    }
    near = gl_text_nearest(name, names, sizeof names / sizeof *names);
    gl_fail(err, GL_E_UNKNOWN_NAME, "there is no cloud named %s%s%s%s", gl_text_show(name, shown),
            near != NULL ? "; did you mean " : "", near != NULL ? near : "",
            near != NULL ? "?" : "");
    return NULL;
}

void gl_cloud_close(struct gl_cloud *cloud)
{
    if (cloud != NULL)
        cloud->ops->close(cloud);
}

const char *gl_instance_state_word(enum gl_instance_state state)
{
    static const char *const words[] = {
        [GL_STATE_LAUNCHING] = "launching", [GL_STATE_RUNNING] = "running",
        [GL_STATE_SUSPENDED] = "suspended", [GL_STATE_STOPPING] = "stopping",
        [GL_STATE_HALTED] = "halted",       [GL_STATE_ENDED] = "ended",
        [GL_STATE_LOST] = "lost",
    };

    return (size_t)state < sizeof words / sizeof *words ? words[state] : "unknown";
}

const char *gl_cloud_setting(const struct gl_cloud_ops *ops, const struct gl_cloud_options *options,
                             const char *name)
{
    const struct gl_setting_key *key = gl_setting_key(ops->keys, name);
    const char *value = gl_setting_find(options->settings, options->setting_count, name);

    return value != NULL || key == NULL ? value : key->fallback;
}
