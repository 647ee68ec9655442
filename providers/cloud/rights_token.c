/* SPDX-License-Identifier: Apache-2.0 */
/* Clouds whose tokens carry the rights: nothing finer than a scope or a set can be granted, so the
 * document says which to choose when the token is made, and the rows which call is the reason.
 * https://docs.hetzner.cloud/reference/cloud#authentication
 * https://docs.digitalocean.com/reference/api/scopes
 * https://www.scaleway.com/en/docs/iam/reference-content/permission-sets/ */
#include "providers/cloud/rights.h"

#include <string.h>

#define LOOK(name, call)                      \
    {                                         \
        name, call, GL_RIGHT_LOOK, NULL, NULL \
    }
#define LAUNCH(name, call)                      \
    {                                           \
        name, call, GL_RIGHT_LAUNCH, NULL, NULL \
    }
#define END                                   \
    {                                         \
        NULL, NULL, GL_RIGHT_LOOK, NULL, NULL \
    }

static const struct gl_right hetzner[] = {
    LOOK("Read", "GET /actions/%lld"),
    LOOK("Read", "GET /servers/%s"),
    LOOK("Read", "GET /servers"),
    LOOK("Read", "GET /server_types"),
    LOOK("Read", "GET /pricing"),
    LOOK("Read", "GET /images"),
    LOOK("Read", "GET /images/%s"),
    LAUNCH("Read & Write", "POST /servers"),
    LAUNCH("Read & Write", "DELETE /servers/%s"),
    LAUNCH("Read & Write", "POST /servers/%s/actions/%s"),
    LAUNCH("Read & Write", "POST /servers/%s/actions/create_image"),
    LAUNCH("Read & Write", "DELETE /images/%s"),
    END,
};

/* A scope needs those that its page names beside the calls. Whether a transfer is a creation or an
 * update of the image was not to be found out: both are asked for. */
static const struct gl_right digitalocean[] = {
    LOOK("account:read", "GET /v2/account"),
    LOOK("actions:read", "GET /v2/actions/%lld"),
    LOOK("droplet:read", "GET /v2/droplets/%s"),
    LOOK("droplet:read", "GET /v2/droplets"),
    LOOK("droplet:read", "GET /v2/%s/%s/actions"),
    LOOK("tag:read", NULL),
    LOOK("sizes:read", "GET /v2/sizes"),
    LOOK("regions:read", NULL),
    LOOK("image:read", "GET /v2/images"),
    LAUNCH("droplet:create", "POST /v2/droplets"),
    LAUNCH("tag:create", NULL),
    {"ssh_key:read", NULL, GL_RIGHT_LAUNCH, NULL, "ssh_key"},
    {"vpc:read", NULL, GL_RIGHT_LAUNCH, NULL, "network"},
    LAUNCH("droplet:update", "POST /v2/%s/%s/actions"),
    LAUNCH("image:create", NULL),
    LAUNCH("image:update", NULL),
    LAUNCH("droplet:delete", "DELETE /v2/droplets/%s"),
    LAUNCH("tag:delete", "DELETE /v2/tags/greenlaunch-token-%c:%.32s"),
    LAUNCH("image:delete", "DELETE /v2/images/%lld"),
    END,
};

static const struct gl_right scaleway[] = {
    LOOK("InstancesReadOnly", "GET /instance/v1/zones/%s/servers"),
    LOOK("InstancesReadOnly", "GET /instance/v1/zones/fr-par-1/servers"),
    LOOK("InstancesReadOnly", "GET /instance/v1/zones/%s/servers/%s"),
    LOOK("InstancesReadOnly", "GET /instance/v1/zones/%s/products/servers%s"),
    LAUNCH("InstancesFullAccess", "POST /instance/v1/zones/%s/servers"),
    LAUNCH("InstancesFullAccess", "POST /instance/v1/zones/%s/servers/%s/action"),
    LAUNCH("InstancesFullAccess", "PATCH /instance/v1/zones/%s/servers/%s/user_data/cloud-init"),
    LAUNCH("InstancesFullAccess", "PATCH /instance/v1/zones/%s/servers/%s"),
    LAUNCH("InstancesFullAccess", "DELETE /instance/v1/zones/%s/servers/%s"),
    LAUNCH("InstancesFullAccess", "DELETE /instance/v1/zones/%s/volumes/%s"),
    LOOK("BlockStorageReadOnly", "GET /block/v1/zones/%s/volumes"),
    LAUNCH("BlockStorageFullAccess", "PATCH /block/v1/zones/%s/volumes/%s"),
    LAUNCH("BlockStorageFullAccess", "DELETE /block/v1/zones/%s/volumes/%s"),
    END,
};

/* The permission of a Hetzner token is one of two. */
static void write_hetzner(const struct gl_rights *rights, const struct gl_rights_wanted *wanted,
                          struct gl_str *out)
{
    (void)rights;
    gl_str_addf(out, "permission: %s\n",
                (wanted->parts & GL_RIGHT_LAUNCH) != 0 ? "Read & Write" : "Read");
}

static void write_scopes(const struct gl_rights *rights, const struct gl_rights_wanted *wanted,
                         struct gl_str *out)
{
    gl_str_add(out, "scopes:\n");
    gl_rights_list(rights, wanted, "- ", out);
}

/* The full set holds the one that only reads. */
static void write_sets(const struct gl_rights *rights, const struct gl_rights_wanted *wanted,
                       struct gl_str *out)
{
    struct gl_rights_wanted least = *wanted;

    if ((least.parts & GL_RIGHT_LAUNCH) != 0)
        least.parts = GL_RIGHT_LAUNCH;
    gl_str_add(out, "permission_sets:\n");
    gl_rights_list(rights, &least, "- ", out);
}

const struct gl_rights gl_rights_hetzner = {
    .cloud = "hetzner",
    .form = "text",
    .what = "the permission of an API token",
    .use = "Make the token in the project's Security page. A token reaches all of its project and "
           "cannot be limited further: give greenlaunch a project of its own",
    .rows = hetzner,
    .write = write_hetzner,
};

const struct gl_rights gl_rights_digitalocean = {
    .cloud = "digitalocean",
    .form = "text",
    .what = "the scopes of an API token",
    .use = "Make a token with Custom Scopes on the API page and choose these. Scopes reach all "
           "droplets of the team: give greenlaunch a team of its own",
    .rows = digitalocean,
    .write = write_scopes,
};

const struct gl_rights gl_rights_scaleway = {
    .cloud = "scaleway",
    .form = "text",
    .what = "the permission sets of an IAM policy",
    .use = "Make an IAM application, give it a policy with these sets for one project, and an API "
           "key for it. The sets reach all instances of that project",
    .rows = scaleway,
    .write = write_sets,
};
