/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/whereabouts.h"

#include "base/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html
 * https://cloud.google.com/docs/authentication/application-default-credentials
 * https://github.com/hetznercloud/cli, doctl and scw: their configuration files */
const struct gl_whereabouts gl_whereabouts[] = {
    {"aws", GL_WHERE_VARIABLE, "AWS_ACCESS_KEY_ID", NULL},
    {"aws", GL_WHERE_VARIABLE, "AWS_PROFILE", NULL},
    {"aws", GL_WHERE_VARIABLE, "AWS_WEB_IDENTITY_TOKEN_FILE", NULL},
    {"aws", GL_WHERE_FILE, "AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials"},
    {"aws", GL_WHERE_FILE, "AWS_CONFIG_FILE", "~/.aws/config"},
    {"aws", GL_WHERE_VARIABLE, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", NULL},
    {"aws", GL_WHERE_VARIABLE, "AWS_CONTAINER_CREDENTIALS_FULL_URI", NULL},
    {"gcp", GL_WHERE_VARIABLE, "GOOGLE_APPLICATION_CREDENTIALS", NULL},
    {"gcp", GL_WHERE_FILE, NULL, "$CLOUDSDK_CONFIG/application_default_credentials.json"},
    {"gcp", GL_WHERE_FILE, NULL, "~/.config/gcloud/application_default_credentials.json"},
    {"gcp", GL_WHERE_VARIABLE, "GCE_METADATA_HOST", NULL},
    {"azure", GL_WHERE_VARIABLE, "AZURE_CLIENT_SECRET", NULL},
    {"azure", GL_WHERE_VARIABLE, "AZURE_CLIENT_CERTIFICATE_PATH", NULL},
    {"azure", GL_WHERE_VARIABLE, "AZURE_FEDERATED_TOKEN_FILE", NULL},
    {"openstack", GL_WHERE_VARIABLE, "OS_CLOUD", NULL},
    {"openstack", GL_WHERE_VARIABLE, "OS_AUTH_URL", NULL},
    {"openstack", GL_WHERE_FILE, "OS_CLIENT_CONFIG_FILE", "./clouds.yaml"},
    {"openstack", GL_WHERE_FILE, NULL, "+/openstack/clouds.yaml"},
    {"openstack", GL_WHERE_FILE, NULL, "/etc/openstack/clouds.yaml"},
    {"hetzner", GL_WHERE_VARIABLE, "HCLOUD_TOKEN", NULL},
    {"hetzner", GL_WHERE_FILE, "HCLOUD_CONFIG", "+/hcloud/cli.toml"},
    {"digitalocean", GL_WHERE_VARIABLE, "DIGITALOCEAN_ACCESS_TOKEN", NULL},
    {"digitalocean", GL_WHERE_VARIABLE, "DIGITALOCEAN_TOKEN", NULL},
    {"digitalocean", GL_WHERE_FILE, NULL, "+/doctl/config.yaml"},
    {"scaleway", GL_WHERE_VARIABLE, "SCW_SECRET_KEY", NULL},
    {"scaleway", GL_WHERE_FILE, "SCW_CONFIG_PATH", "+/scw/config.yaml"},
    {"kubernetes", GL_WHERE_FILES, "KUBECONFIG", "~/.kube/config"},
    {"kubernetes", GL_WHERE_VARIABLE, "KUBERNETES_SERVICE_HOST", NULL},
    {NULL, GL_WHERE_VARIABLE, NULL, NULL},
};

static const char *value_of(const struct gl_world *world, const char *name)
{
    const char *value = name != NULL ? world->getenv(world->cookie, name) : NULL;

    return value != NULL && value[0] != '\0' ? value : NULL;
}

/* "$NAME/rest": below the folder of a variable. */
static char *path_of_variable(const char *path, const struct gl_world *world)
{
    size_t length = strcspn(path, "/");
    char name[64];
    const char *folder;

    snprintf(name, sizeof name, "%.*s", (int)(length - 1), path + 1);
    folder = value_of(world, name);
    return folder != NULL ? gl_path_join(folder, path + length + 1) : NULL;
}

/* The path as it lies on this machine, fresh; NULL without a home. */
static char *whole_path(const struct gl_whereabouts *row, const struct gl_world *world)
{
    const char *named = value_of(world, row->variable), *home = value_of(world, "HOME");
    const char *folder = value_of(world, "XDG_CONFIG_HOME");
    struct gl_str path = {0};

    if (named != NULL)
        return gl_strdup(named);
    if (row->path[0] == '$')
        return path_of_variable(row->path, world);
    if (row->path[0] == '+' && folder != NULL && folder[0] == '/')
        return gl_path_join(folder, row->path + 2);
    if (row->path[0] != '+' && row->path[0] != '~')
        return gl_strdup(row->path);
    if (home == NULL)
        return NULL;
    gl_str_addf(&path, "%s%s%s", home, row->path[0] == '+' ? "/.config" : "", row->path + 1);
    return gl_str_take(&path);
}

static void add_shown(const struct gl_whereabouts *row, struct gl_str *out)
{
    if (row->kind == GL_WHERE_VARIABLE)
        gl_str_addf(out, "$%s", row->variable);
    else if (row->path[0] == '+')
        gl_str_addf(out, "~/.config%s", row->path + 1);
    else
        gl_str_add(out, row->path);
}

static bool is_any_there(const char *list)
{
    bool is_there = false;

    while (!is_there && *list != '\0') {
        size_t length = strcspn(list, ":");
        GL_AUTO(gl_str_done) struct gl_str path = {0};

        gl_str_add_bytes(&path, list, length);
        is_there = length > 0 && gl_file_exists(path.text);
        list += length + (list[length] == ':');
    }
    return is_there;
}

static bool has_something(const struct gl_whereabouts *row, const struct gl_world *world)
{
    GL_AUTO(gl_auto_free) char *path = NULL;

    if (row->kind == GL_WHERE_VARIABLE)
        return value_of(world, row->variable) != NULL;
    path = whole_path(row, world);
    if (path != NULL && row->kind == GL_WHERE_FILES)
        return is_any_there(path);
    return path != NULL && gl_file_exists(path);
}

/* A file that a variable names is called by the variable. */
static void add_found(const struct gl_whereabouts *row, const struct gl_world *world,
                      struct gl_str *out)
{
    if (row->kind != GL_WHERE_VARIABLE && value_of(world, row->variable) != NULL)
        gl_str_addf(out, "the file%s of $%s", row->kind == GL_WHERE_FILES ? "s" : "",
                    row->variable);
    else
        add_shown(row, out);
}

void gl_whereabouts_found(const char *cloud, const struct gl_world *world, struct gl_str *out)
{
    size_t start = out->length;

    for (const struct gl_whereabouts *row = gl_whereabouts; row->cloud != NULL; row++) {
        if (strcmp(row->cloud, cloud) != 0 || !has_something(row, world))
            continue;
        if (out->length > start)
            gl_str_add(out, ", ");
        add_found(row, world, out);
    }
}

void gl_whereabouts_all(const char *cloud, struct gl_str *out)
{
    size_t start = out->length;

    for (const struct gl_whereabouts *row = gl_whereabouts; row->cloud != NULL; row++) {
        if (strcmp(row->cloud, cloud) != 0)
            continue;
        if (out->length > start)
            gl_str_add(out, ", ");
        add_shown(row, out);
    }
}
