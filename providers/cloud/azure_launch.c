/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/azure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* customData: 64 KiB of base64. https://learn.microsoft.com/azure/virtual-machines/custom-data */
#define USER_DATA_MAX ((size_t)48 << 10)
#define LOOK_MS       1000
#define MAKE_MS       900000 /* a machine is made within that, or it is not known */

/* One launch under way. */
struct making {
    struct gl_azure *azure;
    const struct gl_launch *launch;
    char name[GL_CLOUD_ID];
    char path[GL_AZURE_PATH];
    bool is_accepted; /* Azure took the machine on: something may be there */
    bool has_disk;    /* made from a snapshot before the machine */
};

static int check_names(const struct making *making, struct gl_error *err)
{
    const struct gl_launch *launch = making->launch;
    char shown[GL_TEXT_SHOWN];

    if (!gl_azure_is_plain(launch->region) || !gl_azure_is_plain(launch->type))
        return gl_fail(
            err, GL_E_UNKNOWN_NAME, "Azure has no %s",
            gl_text_show(gl_azure_is_plain(launch->region) ? launch->type : launch->region, shown));
    if (strlen(launch->region) + strlen(making->azure->group) + strlen(making->name) + 3 >
        GL_CLOUD_ID)
        return gl_fail(err, GL_E_CONFIG,
                       "azure: the name of the resource group is too long for the ids of machines "
                       "in %s",
                       launch->region);
    return 0;
}

/* ---- waiting until it is made ---- */

static bool is_made(const char *provisioning)
{
    return strcasecmp(provisioning, "Creating") != 0 && strcasecmp(provisioning, "Updating") != 0;
}

/* 1 and the machine; 0 it does not show. A name that is taken by another launch is TOKEN. */
static int see(const struct making *making, struct gl_instance *out, char out_provisioning[24],
               struct gl_error *err)
{
    int got = gl_azure_look(making->azure, making->path, out, out_provisioning, err);

    if (got > 0 && strcmp(out->token, making->launch->token) != 0)
        return gl_fail(err, GL_E_TOKEN, "azure: %s belongs to another launch", making->name);
    return got;
}

/* What was accepted may be 404 for a while. */
static int wait_made(const struct making *making, struct gl_instance *out,
                     char out_provisioning[24], struct gl_error *err)
{
    struct gl_remote *remote = &making->azure->remote;
    int64_t missing_ms = 0;

    gl_remote_begin(remote, MAKE_MS);
    for (;;) {
        int got = see(making, out, out_provisioning, err);

        if (got < 0 || (got > 0 && is_made(out_provisioning)))
            return got < 0 ? -1 : 0;
        missing_ms = got == 0 ? missing_ms + LOOK_MS : 0;
        if (missing_ms > GL_REMOTE_SETTLE_MS)
            return gl_fail(err, GL_E_OUTCOME, "azure: %s was accepted and is not there",
                           making->name);
        if (gl_remote_wait(remote, LOOK_MS, err) != 0)
            return -1;
    }
}

/* ---- asking for it ---- */

static int disk_of(struct making *making, char out[400], bool *out_is_kept, struct gl_error *err)
{
    const struct gl_azure *azure = making->azure;
    const char *image = making->launch->image;
    char region[40];

    out[0] = '\0';
    *out_is_kept = false;
    if (image == NULL)
        return 0;
    if (gl_azure_snapshot_name(image, region) != NULL) {
        making->has_disk = true;
        if (gl_azure_disk_make(making->azure, making->launch, err) != 0)
            return -1;
        snprintf(out, 400,
                 "/subscriptions/%s/resourceGroups/%s/providers/Microsoft.Compute/disks/%s",
                 azure->subscription, azure->group, making->name);
    } else if (strcasestr(image, "/providers/Microsoft.Compute/disks/") != NULL) {
        *out_is_kept = true;
        if (snprintf(out, 400, "%s", image) >= 400)
            return gl_fail(err, GL_E_BAD_VALUE, "azure: the id of the disk is too long");
    }
    return 0;
}

struct gl_userdata gl_azure_told(const struct gl_launch *launch)
{
    return (struct gl_userdata){.launch = launch,
                                .end = GL_GUEST_STAYS,
                                .console = "/dev/ttyS0",
                                .identity = "azure",
                                .notice = launch->is_spot ? "azure" : NULL,
                                .ceiling = USER_DATA_MAX};
}

/* Base64 of what the machine is told; secret. */
static char *user_data_of(const struct gl_launch *launch, struct gl_error *err)
{
    const struct gl_userdata wanted = gl_azure_told(launch);
    struct gl_str text = {0};
    char *out;

    if (gl_userdata_make(&wanted, &text, err) != 0)
        return NULL;
    out = gl_alloc(4 * ((text.length + 2) / 3) + 1);
    gl_base64_text(gl_str_text(&text), text.length, out);
    gl_wipe(text.text, text.length);
    gl_str_done(&text);
    return out;
}

static int put(struct making *making, const json_t *body, struct gl_error *err)
{
    struct gl_remote_call call = {.region = making->launch->region, .is_create = true};
    int rc;

    gl_azure_call(making->azure, &call, "PUT", GL_AZURE_COMPUTE, "%s", making->path);
    gl_remote_header(&call, "If-None-Match", "*");
    gl_remote_body_json(&call, body);
    rc = gl_azure_operate(making->azure, &call, &making->is_accepted, err);
    gl_remote_call_done(&call);
    return rc;
}

static int ask(struct making *making, struct gl_error *err)
{
    struct gl_azure *azure = making->azure;
    char forgotten[GL_AZURE_SSH_KEY], disk[400];
    struct gl_azure_body wanted = {.launch = making->launch, .ssh_key = azure->ssh_key};
    GL_AUTO(gl_auto_json) json_t *body = NULL;
    char *user_data = user_data_of(making->launch, err);

    if (user_data == NULL)
        return -1;
    if (azure->ssh_key == NULL) {
        gl_azure_forgotten_key(azure->remote.world, forgotten);
        wanted.ssh_key = forgotten;
    }
    wanted.user_data = user_data;
    if (disk_of(making, disk, &wanted.is_disk_kept, err) == 0) {
        wanted.disk = disk[0] != '\0' ? disk : NULL;
        body = gl_azure_vm_body(azure, &wanted, err);
    }
    gl_wipe(user_data, strlen(user_data));
    free(user_data);
    if (body == NULL)
        return -1;
    gl_remote_begin(&azure->remote, GL_REMOTE_DEADLINE_MS);
    return put(making, body, err);
}

/* ---- when it fails ---- */

/* A machine that was accepted and then not made is still there, with its interface and disk. */
static int clean(struct making *making, struct gl_error *err)
{
    struct gl_azure *azure = making->azure;
    bool (*before)(void *cookie) = azure->remote.is_cancelled;
    char disk[GL_AZURE_PATH];
    int rc = 0;

    azure->remote.is_cancelled = NULL; /* seen to its end */
    gl_azure_begin(azure);
    if (making->is_accepted)
        rc = gl_azure_delete(azure, GL_AZURE_COMPUTE, making->path, err);
    if (rc == 0 && making->has_disk) {
        gl_azure_path(azure->group, "disks", making->name, disk);
        gl_azure_begin(azure);
        rc = gl_azure_delete(azure, GL_AZURE_DISKS, disk, err);
    }
    azure->remote.is_cancelled = before;
    return rc;
}

/* The failure as it is once nothing is left; OUTCOME otherwise. */
static int give_up(struct making *making, const struct gl_error *why, struct gl_error *err)
{
    struct gl_cloud_failure failure = making->azure->remote.cloud.failure;
    struct gl_error left = {0};
    int rc = 0;

    if (making->is_accepted || making->has_disk)
        rc = clean(making, &left);
    making->azure->remote.cloud.failure = failure;
    if (rc != 0)
        return gl_fail(err, GL_E_OUTCOME, "%s; what it left could not be proven gone: %s",
                       why->text, left.text);
    /* The group is all that can be missing where something is to be made. */
    if (why->code == GL_E_NOT_FOUND)
        return gl_fail(err, GL_E_CONFIG, "%s: is there a resource group %s?", why->text,
                       making->azure->group);
    return gl_fail(err, why->code, "%s", why->text);
}

/* Refused because the name is taken (or because its maker still works on it): ours is fine. */
static int take_other(struct making *making, const struct gl_error *why, struct gl_instance *out,
                      struct gl_error *err)
{
    struct gl_cloud_failure failure = making->azure->remote.cloud.failure;
    char provisioning[24];
    int got;

    gl_azure_begin(making->azure);
    got = see(making, out, provisioning, err);
    if (got > 0 && !is_made(provisioning))
        return wait_made(making, out, provisioning, err);
    making->azure->remote.cloud.failure = failure;
    if (got == 0)
        return give_up(making, why, err);
    return got > 0 ? 0 : -1;
}

/* It was made, as far as Azure said: what hinders our looking leaves only the outcome unknown. */
static int see_made(const struct making *making, struct gl_instance *out, struct gl_error *err)
{
    struct gl_error trouble = {0};
    char provisioning[24] = "";

    if (wait_made(making, out, provisioning, &trouble) != 0)
        return gl_fail(err,
                       trouble.code == GL_E_INTERRUPTED || trouble.code == GL_E_TOKEN
                           ? trouble.code
                           : GL_E_OUTCOME,
                       "%s", trouble.text);
    if (strcasecmp(provisioning, "Failed") != 0)
        return 0;
    return gl_fail(err, gl_remote_code(gl_azure_rules, 500, out->why, NULL, NULL),
                   "azure: %s was not made: %s", making->name,
                   out->why[0] != '\0' ? out->why : "no reason is told");
}

static int make(struct making *making, struct gl_instance *out, struct gl_error *err)
{
    struct gl_error why = {0};

    if (ask(making, &why) == 0 && see_made(making, out, &why) == 0)
        return 0;
    if (why.code == GL_E_OUTCOME)
        return gl_fail(err, why.code, "%s", why.text);
    if (!making->is_accepted && (why.code == GL_E_TOKEN || why.code == GL_E_BUSY))
        return take_other(making, &why, out, err);
    return give_up(making, &why, err);
}

/* Whoever waits may give up: asked while the machine is being made, too. */
static int make_cancellable(struct making *making, struct gl_instance *out, struct gl_error *err)
{
    struct gl_remote *remote = &making->azure->remote;
    bool (*before)(void *cookie) = remote->is_cancelled;
    void *cookie = remote->cookie;
    int rc;

    if (making->launch->is_cancelled != NULL) {
        remote->is_cancelled = making->launch->is_cancelled;
        remote->cookie = making->launch->cookie;
    }
    rc = make(making, out, err);
    remote->is_cancelled = before;
    remote->cookie = cookie;
    return rc;
}

int gl_azure_launch(struct gl_cloud *cloud, const struct gl_launch *launch, struct gl_instance *out,
                    struct gl_error *err)
{
    struct gl_azure *azure = gl_azure_of(cloud);
    struct making making = {.azure = azure, .launch = launch};
    struct gl_instance seen;
    char provisioning[24];
    int got;

    gl_attempt_name(launch, making.name);
    gl_azure_path(azure->group, "virtualMachines", making.name, making.path);
    if (check_names(&making, err) != 0)
        return -1;
    gl_azure_begin(azure);
    got = see(&making, &seen, provisioning, err);
    if (got < 0)
        return -1;
    if (got == 0 && gl_azure_check_price(azure, launch, err) != 0)
        return -1;
    if ((got == 0 && make_cancellable(&making, &seen, err) != 0) ||
        (got > 0 && !is_made(provisioning) && wait_made(&making, &seen, provisioning, err) != 0))
        return -1;
    *out = seen;
    return 0;
}
