/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/gcp.h"

#include "providers/cloud/drivers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COMPUTE   "https://compute.googleapis.com"
#define LOCATIONS "https://cloudlocationfinder.googleapis.com"

static const struct gl_setting_key keys[] = {
    {.name = "project",
     .what = "project id; else GOOGLE_CLOUD_PROJECT, else that of the credentials"},
    {.name = "credentials",
     .what = "path of a credentials file; else application default credentials"},
    {.name = "image", .what = "source image; else the newest Debian 12 for the type's processor"},
    {.name = "network",
     .what = "network, or .../subnetworks/NAME",
     .fallback = "global/networks/default"},
    {.name = "address", .what = "yes: machines get a public address", .fallback = "yes"},
    {.name = "zone", .what = "zone, as in europe-north1-a; else one of the region's"},
    {.name = "service-account",
     .what = "e-mail of the machines' account; needed for signed identity"},
    {.name = "endpoint", .what = "address of the API", .fallback = COMPUTE},
    {.name = "billing-endpoint",
     .what = "address of the price catalogue",
     .fallback = "https://cloudbilling.googleapis.com"},
    {.name = "projects-endpoint",
     .what = "address of the permission check",
     .fallback = "https://cloudresourcemanager.googleapis.com"},
    {.name = "locations-endpoint", .what = "address of Cloud Location Finder; else Google's own"},
    {0}};

static int authorize(struct gl_remote *remote, struct gl_remote_call *call, bool is_renewed,
                     struct gl_error *err)
{
    const struct gl_gcp *gcp = (const struct gl_gcp *)remote;

    (void)is_renewed;
    if (gcp->credential.token.length == 0)
        return gl_fail(err, GL_E_NO_CREDENTIAL, "no token was given by %s", gcp->credential.from);
    gl_remote_bearer(call, &gcp->credential.token);
    return 0;
}

static int token_ask(struct gl_remote *remote, bool is_renewed, struct gl_remote_call *out,
                     struct gl_error *err)
{
    return gl_gcp_token_ask(&((struct gl_gcp *)remote)->credential, remote->world, is_renewed, out,
                            err);
}

static int token_read(struct gl_remote *remote, const struct gl_remote_call *call,
                      struct gl_error *err)
{
    return gl_gcp_token_read(&((struct gl_gcp *)remote)->credential, remote->world, call, err);
}

static const struct gl_remote_ops remote_ops = {
    .rules = gl_gcp_rules,
    .read_error = gl_gcp_read_error,
    .authorize = authorize,
    .token_ask = token_ask,
    .token_read = token_read,
};

/* ---- account ---- */

static int gcp_whoami(struct gl_cloud *cloud, char out[128], struct gl_error *err)
{
    struct gl_gcp *gcp = gl_gcp_of(cloud);
    struct gl_remote_call call = {0};
    GL_AUTO(gl_auto_json) json_t *root = NULL;

    if (gl_gcp_begin(gcp, err) != 0)
        return -1;
    call.method = "GET";
    gl_str_addf(&call.url, "%s/compute/v1/projects/%s", gcp->endpoint, gcp->project);
    root = gl_remote_json(&gcp->remote, &call, err);
    gl_remote_call_done(&call);
    if (root == NULL)
        return -1;
    snprintf(out, 128, "%s%s%.60s", gcp->project, gcp->credential.email[0] != '\0' ? " as " : "",
             gcp->credential.email);
    return 0;
}

static enum gl_errc gcp_classify(int status, const char *word)
{
    return gl_remote_code(gl_gcp_rules, status, word, NULL, NULL);
}

static void gcp_close(struct gl_cloud *cloud)
{
    struct gl_gcp *gcp = gl_gcp_of(cloud);

    gl_gcp_credential_done(&gcp->credential);
    gl_remote_done(&gcp->remote);
    json_decref(gcp->names);
    json_decref(gcp->types);
    json_decref(gcp->prices);
    json_decref(gcp->offered);
    free(gcp->region_list);
    free(gcp->type_list);
    free(gcp);
}

const struct gl_cloud_ops gl_gcp_ops = {
    .name = "gcp",
    .title = "Google Compute Engine",
    .caps = GL_CLOUD_REMOTE | GL_CLOUD_DEADLINE | GL_CLOUD_HALTS | GL_CLOUD_IMAGES |
            GL_CLOUD_CHECKS | GL_CLOUD_CONSOLE | GL_CLOUD_SPOT | GL_CLOUD_IDENTITY,
    .identity_setting = "service-account",
    .keys = keys,
    .whoami = gcp_whoami,
    .regions = gl_gcp_regions,
    .types = gl_gcp_types,
    .price = gl_gcp_price,
    .launch = gl_gcp_launch,
    .describe = gl_gcp_describe,
    .find_by_request = gl_gcp_find,
    .list = gl_gcp_list,
    .stop = gl_gcp_stop,
    .terminate = gl_gcp_terminate,
    .console = gl_gcp_console,
    .check = gl_gcp_check,
    .halt = gl_gcp_halt,
    .start = gl_gcp_start,
    .image_create = gl_gcp_image_create,
    .image_copy = gl_gcp_image_copy,
    .image_look = gl_gcp_image_look,
    .image_delete = gl_gcp_image_delete,
    .image_find = gl_gcp_image_find,
    .catalog = &gl_gcp_catalog,
    .classify = gcp_classify,
    .close = gcp_close,
};

static int set_endpoint(const struct gl_cloud_options *options, const char *name, char out[256],
                        struct gl_error *err)
{
    const char *value = gl_cloud_setting(&gl_gcp_ops, options, name);
    size_t length = value != NULL ? strlen(value) : 0;

    if (value == NULL)
        return 0;
    while (length > 0 && value[length - 1] == '/')
        length--;
    if (length >= 256 || (!gl_gcp_is_trusted(value) && strncmp(value, "https://", 8) != 0))
        return gl_fail(err, GL_E_CONFIG, "gcp: %s is no https:// address", name);
    snprintf(out, 256, "%.*s", (int)length, value);
    return 0;
}

static void find_project(struct gl_gcp *gcp, const struct gl_cloud_options *options)
{
    static const char *const names[] = {"GOOGLE_CLOUD_PROJECT", "CLOUDSDK_CORE_PROJECT",
                                        "GCLOUD_PROJECT"};
    const struct gl_world *world = options->world;
    const char *value = gl_cloud_setting(&gl_gcp_ops, options, "project");

    for (size_t i = 0; value == NULL && i < sizeof names / sizeof *names; i++)
        value = world->getenv(world->cookie, names[i]);
    if (value == NULL || value[0] == '\0')
        value = gcp->credential.project;
    snprintf(gcp->project, sizeof gcp->project, "%s", value);
}

struct gl_cloud *gl_gcp_open(const struct gl_cloud_options *options, struct gl_error *err)
{
    struct gl_gcp *gcp = gl_alloc(sizeof *gcp);

    gl_remote_init(&gcp->remote, &gl_gcp_ops, &remote_ops, options);
    if (set_endpoint(options, "endpoint", gcp->endpoint, err) != 0 ||
        set_endpoint(options, "billing-endpoint", gcp->billing, err) != 0 ||
        set_endpoint(options, "projects-endpoint", gcp->resources, err) != 0 ||
        set_endpoint(options, "locations-endpoint", gcp->locations, err) != 0 ||
        gl_gcp_credential_find(options->world,
                               gl_cloud_setting(&gl_gcp_ops, options, "credentials"),
                               &gcp->credential, err) != 0) {
        gcp_close(&gcp->remote.cloud);
        return NULL;
    }
    /* A private API says nothing of Google's regions, and Google is not to hear of it. */
    if (gcp->locations[0] == '\0' && strcmp(gcp->endpoint, COMPUTE) == 0)
        snprintf(gcp->locations, sizeof gcp->locations, "%s", LOCATIONS);
    find_project(gcp, options);
    gcp->image = gl_cloud_setting(&gl_gcp_ops, options, "image");
    gcp->network = gl_cloud_setting(&gl_gcp_ops, options, "network");
    gcp->zone = gl_cloud_setting(&gl_gcp_ops, options, "zone");
    gcp->service_account = gl_cloud_setting(&gl_gcp_ops, options, "service-account");
    gcp->has_address = strcmp(gl_cloud_setting(&gl_gcp_ops, options, "address"), "yes") == 0;
    return &gcp->remote.cloud;
}
