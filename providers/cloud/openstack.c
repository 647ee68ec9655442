/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/openstack.h"

#include "base/file.h"
#include "providers/cloud/drivers.h"
#include "providers/cloud/setting_list.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PEM_CEILING ((size_t)1 << 20)

static const struct gl_setting_key keys[] = {
    {.name = "cloud", .what = "name of a cloud of clouds.yaml; else OS_CLOUD, else OS_AUTH_URL"},
    {.name = "region", .what = "only this region; else all that the catalogue names"},
    {.name = "image", .what = "image to start from, by name or id; required"},
    {.name = "network", .what = "network by name or id, auto or none", .fallback = "auto"},
    {.name = "keypair", .what = "name of an SSH key pair"},
    {.name = "security-group", .what = "name of a security group"},
    {.name = "availability-zone", .what = "availability zone; else nova's choice"},
    {.name = GL_CLOUD_ZONE_KEY, .what = GL_CLOUD_ZONE_HELP},
    {.name = "price",
     .what = "USD per hour: of any flavor, or small=0.02, large=0.08; OpenStack knows no prices"},
    {0}};

static int authorize(struct gl_remote *remote, struct gl_remote_call *call, bool is_renewed,
                     struct gl_error *err)
{
    const struct gl_openstack_credential *credential =
        &((const struct gl_openstack *)remote)->credential;

    (void)is_renewed;
    if (credential->token.length == 0)
        return gl_fail(err, GL_E_NO_CREDENTIAL, "no token was given by %s", credential->auth_url);
    gl_remote_header(call, "X-Auth-Token", "%s", (const char *)credential->token.bytes);
    return 0;
}

static int token_ask(struct gl_remote *remote, bool is_renewed, struct gl_remote_call *out,
                     struct gl_error *err)
{
    return gl_openstack_token_ask(&((struct gl_openstack *)remote)->credential, remote->world,
                                  is_renewed, out, err);
}

static int token_read(struct gl_remote *remote, const struct gl_remote_call *call,
                      struct gl_error *err)
{
    return gl_openstack_token_read(&((struct gl_openstack *)remote)->credential, remote->world,
                                   call, err);
}

static const struct gl_remote_ops remote_ops = {
    .rules = gl_openstack_rules,
    .read_error = gl_openstack_read_error,
    .authorize = authorize,
    .token_ask = token_ask,
    .token_read = token_read,
};

static int openstack_whoami(struct gl_cloud *cloud, char out[128], struct gl_error *err)
{
    struct gl_openstack *os = gl_openstack_of(cloud);

    if (gl_openstack_begin(os, GL_REMOTE_DEADLINE_MS, err) != 0)
        return -1;
    snprintf(out, 128, "%s", os->credential.account);
    return 0;
}

static enum gl_errc openstack_classify(int status, const char *word)
{
    enum gl_reach reach;

    /* Without an answer it is what a server failed with. */
    return status == 0 && word != NULL
               ? gl_openstack_fault_code(word, &reach)
               : gl_remote_code(gl_openstack_rules, status, word, word, &reach);
}

static void openstack_close(struct gl_cloud *cloud)
{
    struct gl_openstack *os = gl_openstack_of(cloud);

    gl_openstack_credential_done(&os->credential);
    gl_remote_done(&os->remote);
    for (size_t i = 0; i < os->place_count; i++) {
        json_decref(os->places[i].flavors);
        free(os->places[i].types);
    }
    free(os->kept);
    free(os);
}

const struct gl_cloud_ops gl_openstack_ops = {
    .name = "openstack",
    .title = "OpenStack",
    .caps = GL_CLOUD_REMOTE | GL_CLOUD_HALTS | GL_CLOUD_IMAGES | GL_CLOUD_CHECKS | GL_CLOUD_CONSOLE,
    .keys = keys,
    .whoami = openstack_whoami,
    .regions = gl_openstack_regions,
    .types = gl_openstack_types,
    .price = gl_openstack_price,
    .launch = gl_openstack_launch,
    .describe = gl_openstack_describe,
    .find_by_request = gl_openstack_find,
    .list = gl_openstack_list,
    .stop = gl_openstack_stop,
    .terminate = gl_openstack_terminate,
    .console = gl_openstack_console,
    .check = gl_openstack_check,
    .halt = gl_openstack_halt,
    .start = gl_openstack_start,
    .image_create = gl_openstack_image_create,
    .image_copy = gl_openstack_image_copy,
    .image_look = gl_openstack_image_look,
    .image_delete = gl_openstack_image_delete,
    .image_find = gl_openstack_image_find,
    .catalog = &gl_openstack_catalog,
    .classify = openstack_classify,
    .close = openstack_close,
};

/* Of a private cloud that asks its clients for certificates. */
static int load_client(struct gl_openstack *os, struct gl_error *err)
{
    const struct gl_openstack_credential *credential = &os->credential;
    char *pem;
    size_t length;

    if (credential->cert_file[0] == '\0')
        return 0;
    if (gl_file_read_given(credential->cert_file, PEM_CEILING, &pem, &length, err) != 0)
        return gl_wrap(err, "%s: cert", credential->from);
    gl_str_add_bytes(&os->remote.client_cert_pem, pem, length);
    gl_wipe(pem, length);
    free(pem);
    if (credential->key_file[0] == '\0')
        return 0;
    if (gl_file_read_given(credential->key_file, PEM_CEILING, &pem, &length, err) != 0)
        return gl_wrap(err, "%s: key", credential->from);
    gl_secret_init(&os->remote.client_key_pem, pem, length + 1);
    gl_wipe(pem, length);
    free(pem);
    return 0;
}

/* The settings' texts are the caller's: copied, one after another. */
static void keep_settings(struct gl_openstack *os, const struct gl_cloud_options *options)
{
    const struct {
        const char *name;
        const char **into;
    } rows[] = {{"region", &os->region},
                {"image", &os->image},
                {"network", &os->network},
                {"keypair", &os->keypair},
                {"security-group", &os->security_group},
                {"availability-zone", &os->zone},
                {"price", &os->price}};
    size_t room = 0, used = 0;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        *rows[i].into = gl_cloud_setting(&gl_openstack_ops, options, rows[i].name);
        if (*rows[i].into != NULL && **rows[i].into == '\0')
            *rows[i].into = NULL;
        room += *rows[i].into != NULL ? strlen(*rows[i].into) + 1 : 0;
    }
    os->kept = gl_alloc(room + sizeof "auto");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t length = *rows[i].into != NULL ? strlen(*rows[i].into) + 1 : 0;

        if (length > 0)
            *rows[i].into = memcpy(os->kept + used, *rows[i].into, length);
        used += length;
    }
    if (os->network == NULL)
        os->network = "auto";
}

struct gl_cloud *gl_openstack_open(const struct gl_cloud_options *options, struct gl_error *err)
{
    struct gl_openstack *os = gl_alloc(sizeof *os);
    const char *cloud = gl_cloud_setting(&gl_openstack_ops, options, "cloud");

    gl_remote_init(&os->remote, &gl_openstack_ops, &remote_ops, options);
    keep_settings(os, options);
    if (gl_openstack_credential_find(options->world,
                                     cloud != NULL && cloud[0] != '\0' ? cloud : NULL,
                                     &os->credential, err) != 0 ||
        load_client(os, err) != 0) {
        openstack_close(&os->remote.cloud);
        return NULL;
    }
    snprintf(os->remote.ca_file, sizeof os->remote.ca_file, "%s", os->credential.ca_file);
    return &os->remote.cloud;
}
