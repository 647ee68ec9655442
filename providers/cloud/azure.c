/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/azure.h"

#include "providers/cloud/drivers.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct gl_setting_key keys[] = {
    {.name = "subscription", .what = "subscription id; else AZURE_SUBSCRIPTION_ID"},
    {.name = "resource-group",
     .what = "resource group of the machines; it must exist",
     .fallback = "greenlaunch"},
    {.name = "subnet",
     .what = "id of a subnet, or NETWORK/SUBNET; REGION=VALUE items, REGION is replaced",
     .fallback = "greenlaunch-REGION/default"},
    {.name = "image",
     .what = "PUBLISHER:OFFER:SKU:VERSION or an image id; else Debian 12 as the type needs"},
    {.name = "admin", .what = "name of the machines' user", .fallback = "greenlaunch"},
    {.name = "ssh-key", .what = "its public key; else one whose private half nobody has"},
    {.name = "public-address", .what = "yes: machines get a public address", .fallback = "yes"},
    {.name = "endpoint", .what = "address of the API", .fallback = "https://management.azure.com"},
    {.name = "prices-endpoint",
     .what = "address of the retail prices",
     .fallback = "https://prices.azure.com"},
    {0}};

static int authorize(struct gl_remote *remote, struct gl_remote_call *call, bool is_renewed,
                     struct gl_error *err)
{
    const struct gl_azure *azure = (const struct gl_azure *)remote;
    const char *url = gl_str_text(&call->url);

    (void)is_renewed;
    if (azure->credential.token.length == 0)
        return gl_fail(err, GL_E_NO_CREDENTIAL, "no token was given for %s",
                       azure->credential.from);
    if (!gl_azure_is_same_origin(azure->endpoint, url))
        return gl_fail(err, GL_E_INTERNAL, "the token is for %s alone", azure->endpoint);
    gl_remote_bearer(call, &azure->credential.token);
    return 0;
}

static int token_ask(struct gl_remote *remote, bool is_renewed, struct gl_remote_call *out,
                     struct gl_error *err)
{
    return gl_azure_token_ask(&((struct gl_azure *)remote)->credential, remote->world, is_renewed,
                              out, err);
}

static int token_read(struct gl_remote *remote, const struct gl_remote_call *call,
                      struct gl_error *err)
{
    return gl_azure_token_read(&((struct gl_azure *)remote)->credential, remote->world, call, err);
}

static const struct gl_remote_ops remote_ops = {
    .rules = gl_azure_rules,
    .read_error = gl_azure_read_error,
    .authorize = authorize,
    .token_ask = token_ask,
    .token_read = token_read,
};

/* ---- account ---- */

static int azure_whoami(struct gl_cloud *cloud, char out[128], struct gl_error *err)
{
    struct gl_azure *azure = gl_azure_of(cloud);
    struct gl_remote_call call = {0};
    GL_AUTO(gl_auto_json) json_t *root = NULL;
    const char *name, *state;
    char shown[GL_TEXT_SHOWN];

    gl_azure_begin(azure);
    gl_azure_call(azure, &call, "GET", GL_AZURE_BASE, "%s", "");
    root = gl_remote_json(&azure->remote, &call, err);
    gl_remote_call_done(&call);
    if (root == NULL)
        return -1;
    name = json_string_value(json_object_get(root, "displayName"));
    state = json_string_value(json_object_get(root, "state"));
    if (state != NULL && strcmp(state, "Enabled") != 0)
        return gl_fail(err, GL_E_PERMISSION, "azure: subscription %s is %s", azure->subscription,
                       gl_text_show(state, shown));
    snprintf(out, 128, "%s (%s)", azure->subscription,
             gl_text_show(name != NULL ? name : "no name", shown));
    return 0;
}

static enum gl_errc azure_classify(int status, const char *word)
{
    return gl_remote_code(gl_azure_rules, status, word, NULL, NULL);
}

static void azure_close(struct gl_cloud *cloud)
{
    struct gl_azure *azure = gl_azure_of(cloud);

    gl_azure_credential_done(&azure->credential);
    gl_remote_done(&azure->remote);
    json_decref(azure->names);
    json_decref(azure->types);
    free(azure->region_list);
    free(azure->type_list);
    free(azure);
}

const struct gl_cloud_ops gl_azure_ops = {
    .name = "azure",
    .title = "Microsoft Azure",
    .caps = GL_CLOUD_REMOTE | GL_CLOUD_HALTS | GL_CLOUD_IMAGES | GL_CLOUD_CHECKS |
            GL_CLOUD_CONSOLE | GL_CLOUD_SPOT | GL_CLOUD_IDENTITY,
    .keys = keys,
    .whoami = azure_whoami,
    .regions = gl_azure_regions,
    .types = gl_azure_types,
    .price = gl_azure_price,
    .launch = gl_azure_launch,
    .describe = gl_azure_describe,
    .find_by_request = gl_azure_find,
    .list = gl_azure_list,
    .stop = gl_azure_stop,
    .terminate = gl_azure_terminate,
    .console = gl_azure_console,
    .identity = gl_azure_identity,
    .check = gl_azure_check,
    .halt = gl_azure_halt,
    .start = gl_azure_start,
    .image_create = gl_azure_image_create,
    .image_copy = gl_azure_image_copy,
    .image_look = gl_azure_image_look,
    .image_delete = gl_azure_image_delete,
    .image_find = gl_azure_image_find,
    .statement = gl_azure_statement,
    .catalog = &gl_azure_catalog,
    .classify = azure_classify,
    .close = azure_close,
};

/* ---- settings ---- */

static int set_prices(struct gl_azure *azure, const struct gl_cloud_options *options,
                      struct gl_error *err)
{
    const char *value = gl_cloud_setting(&gl_azure_ops, options, "prices-endpoint");
    size_t length = strlen(value);

    while (length > 0 && value[length - 1] == '/')
        length--;
    if (length >= sizeof azure->prices || strpbrk(value, "@?# \t\r\n\\\"") != NULL ||
        (strncmp(value, "https://", 8) != 0 && !gl_azure_is_loopback(value)))
        return gl_fail(err, GL_E_CONFIG, "azure: prices-endpoint is no https:// address");
    snprintf(azure->prices, sizeof azure->prices, "%.*s", (int)length, value);
    return 0;
}

static int set_subscription(struct gl_azure *azure, const struct gl_cloud_options *options,
                            struct gl_error *err)
{
    const struct gl_world *world = options->world;
    const char *value = gl_cloud_setting(&gl_azure_ops, options, "subscription");

    if (value == NULL)
        value = world->getenv(world->cookie, "AZURE_SUBSCRIPTION_ID");
    if (value == NULL || value[0] == '\0')
        return gl_fail(err, GL_E_NO_CREDENTIAL,
                       "no Azure subscription is named: set AZURE_SUBSCRIPTION_ID, or subscription "
                       "in the configuration");
    if (strlen(value) != 36 || strspn(value, "0123456789abcdefABCDEF-") != 36)
        return gl_fail(err, GL_E_CONFIG, "azure: the subscription is no id of 36 characters");
    snprintf(azure->subscription, sizeof azure->subscription, "%s", value);
    return 0;
}

/* It goes into the id of every instance, which is short. */
static int set_group(struct gl_azure *azure, const struct gl_cloud_options *options,
                     struct gl_error *err)
{
    const char *value = gl_cloud_setting(&gl_azure_ops, options, "resource-group");
    size_t length = strlen(value);

    if (length == 0 || length >= sizeof azure->group ||
        strspn(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.()") !=
            length)
        return gl_fail(err, GL_E_CONFIG,
                       "azure: resource-group must have 1 to %zu letters, digits, - _ . ( )",
                       sizeof azure->group - 1);
    for (size_t i = 0; i <= length; i++)
        azure->group[i] = (char)tolower((unsigned char)value[i]);
    return 0;
}

struct gl_cloud *gl_azure_open(const struct gl_cloud_options *options, struct gl_error *err)
{
    struct gl_azure *azure = gl_alloc(sizeof *azure);

    gl_remote_init(&azure->remote, &gl_azure_ops, &remote_ops, options);
    if (gl_remote_endpoint(&gl_azure_ops, options, "https://management.azure.com", azure->endpoint,
                           err) != 0 ||
        set_prices(azure, options, err) != 0 || set_group(azure, options, err) != 0 ||
        gl_azure_credential_find(options->world, azure->endpoint, &azure->credential, err) != 0 ||
        set_subscription(azure, options, err) != 0) {
        azure_close(&azure->remote.cloud);
        return NULL;
    }
    azure->subnet = gl_cloud_setting(&gl_azure_ops, options, "subnet");
    azure->image = gl_cloud_setting(&gl_azure_ops, options, "image");
    azure->ssh_key = gl_cloud_setting(&gl_azure_ops, options, "ssh-key");
    azure->admin = gl_cloud_setting(&gl_azure_ops, options, "admin");
    azure->has_address =
        strcmp(gl_cloud_setting(&gl_azure_ops, options, "public-address"), "yes") == 0;
    return &azure->remote.cloud;
}
