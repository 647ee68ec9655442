/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/azure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An image is an incremental snapshot of the system disk; a copy is another one in the other
 * region, which Azure fills in the background (createOption CopyStart, completionPercent); a
 * machine starts from a disk made of it. Of a running machine it is as after a power cut: halt it
 * first.
 * https://learn.microsoft.com/azure/virtual-machines/disks-copy-incremental-snapshot-across-regions
 */

#define DISK_KIND "StandardSSD_LRS"
#define PAGES_MAX 500
#define SWEEP_MAX 16
#define MAKE_MS   300000
#define LOOK_MS   1000

static const char *member(const json_t *object, const char *first, const char *second)
{
    return json_string_value(json_object_get(json_object_get(object, first), second));
}

const char *gl_azure_snapshot_name(const char *image, char out_region[40])
{
    const char *native = image != NULL ? gl_remote_id_split(image, out_region) : NULL;

    if (native == NULL || strncmp(native, "snapshots/", 10) != 0 ||
        !gl_azure_is_plain(native + 10) || strlen(native + 10) >= GL_AZURE_NAME)
        return NULL;
    return native + 10;
}

static int name_of(const char *image, char out_region[40], const char **out_name,
                   struct gl_error *err)
{
    *out_name = gl_azure_snapshot_name(image, out_region);
    return *out_name != NULL
               ? 0
               : gl_fail(err, GL_E_NOT_FOUND, "%.100s is not an image of ours", image);
}

void gl_azure_read_snapshot(const json_t *from, struct gl_cloud_image *out)
{
    const json_t *properties = json_object_get(from, "properties");
    const json_t *done = json_object_get(properties, "completionPercent");
    const json_t *bytes = json_object_get(properties, "diskSizeBytes");
    const char *how = member(properties, "creationData", "createOption");
    const char *failed = member(properties, "copyCompletionError", "errorCode");
    const char *made = gl_azure_provisioning(from);
    bool is_copied = how != NULL && strcmp(how, "CopyStart") == 0;
    bool is_whole = json_is_number(done) ? json_number_value(done) >= 100 : !is_copied;

    out->bytes = json_is_integer(bytes) && json_integer_value(bytes) > 0 ? json_integer_value(bytes)
                                                                         : GL_UNKNOWN;
    if (failed != NULL)
        snprintf(out->why, sizeof out->why, "%.90s", failed);
    if (failed != NULL || strcasecmp(made, "Failed") == 0 || strcasecmp(made, "Canceled") == 0)
        out->state = GL_IMAGE_FAILED;
    else
        out->state =
            is_whole && strcasecmp(made, "Succeeded") == 0 ? GL_IMAGE_READY : GL_IMAGE_PENDING;
}

/* Absent is an answer. A snapshot of that name elsewhere is another step's. */
static int look(struct gl_azure *azure, const char *region, const char *name,
                struct gl_cloud_image *out, struct gl_error *err)
{
    GL_AUTO(gl_auto_json) json_t *root = NULL;
    struct gl_cloud_image seen = {.bytes = GL_UNKNOWN, .state = GL_IMAGE_ABSENT};
    char path[GL_AZURE_PATH], location[40];
    const char *text;

    gl_azure_path(azure->group, "snapshots", name, path);
    snprintf(seen.id, sizeof seen.id, "%.39s/snapshots/%.70s", region, name);
    if (gl_azure_get(azure, GL_AZURE_DISKS, path, &root, err) < 0)
        return -1;
    if (root != NULL) {
        text = json_string_value(json_object_get(root, "location"));
        gl_azure_location(text != NULL ? text : "", location);
        if (strcmp(location, region) != 0)
            return gl_fail(err, GL_E_TOKEN, "azure: the snapshot %s is in %s, not in %s", name,
                           location, region);
        gl_azure_read_snapshot(root, &seen);
    }
    *out = seen;
    return 0;
}

int gl_azure_image_look(struct gl_cloud *cloud, const char *image, struct gl_cloud_image *out,
                        struct gl_error *err)
{
    struct gl_azure *azure = gl_azure_of(cloud);
    const char *name;
    char region[40];

    if (name_of(image, region, &name, err) != 0)
        return -1;
    gl_azure_begin(azure);
    return look(azure, region, name, out, err);
}

int gl_azure_image_find(struct gl_cloud *cloud, const char *id, const char *region,
                        const char *name, struct gl_cloud_image *out, struct gl_error *err)
{
    struct gl_azure *azure = gl_azure_of(cloud);

    (void)id;
    if (!gl_azure_is_plain(name))
        return gl_fail(err, GL_E_BAD_VALUE, "%.80s is no name for a snapshot", name);
    gl_azure_begin(azure);
    return look(azure, region, name, out, err);
}

/* Make it unless it is there: the same name, the same image. */
static int make(struct gl_azure *azure, const char *region, const char *name, json_t *creation,
                struct gl_cloud_image *out, struct gl_error *err)
{
    GL_AUTO(gl_auto_json)
    json_t *body = json_pack("{s:s,s:{s:s},s:{s:s},s:{s:b,s:o}}", "location", region, "tags",
                             "greenlaunch-image", name, "sku", "name", "Standard_LRS", "properties",
                             "incremental", 1, "creationData", creation);
    struct gl_remote_call call = {.region = region, .is_create = true};
    char path[GL_AZURE_PATH];
    int rc;

    if (look(azure, region, name, out, err) != 0)
        return -1;
    if (out->state != GL_IMAGE_ABSENT)
        return 0;
    gl_azure_path(azure->group, "snapshots", name, path);
    gl_azure_call(azure, &call, "PUT", GL_AZURE_DISKS, "%s", path);
    gl_remote_body_json(&call, body);
    rc = gl_remote_send(&azure->remote, &call, err); /* how far it is, look() says */
    gl_remote_call_done(&call);
    if (rc != 0 || look(azure, region, name, out, err) != 0)
        return -1;
    if (out->state == GL_IMAGE_ABSENT) /* accepted, and not shown yet */
        out->state = GL_IMAGE_PENDING;
    return 0;
}

static int check_name(const char *name, struct gl_error *err)
{
    return gl_azure_is_plain(name) && strlen(name) <= 70
               ? 0
               : gl_fail(err, GL_E_BAD_VALUE, "%.80s is no name for a snapshot", name);
}

int gl_azure_image_create(struct gl_cloud *cloud, const char *id, const char *name,
                          struct gl_cloud_image *out, struct gl_error *err)
{
    struct gl_azure *azure = gl_azure_of(cloud);
    GL_AUTO(gl_auto_json) json_t *vm = NULL;
    struct gl_azure_id parts;
    char path[GL_AZURE_PATH];
    const char *disk;
    int got;

    if (check_name(name, err) != 0 || gl_azure_id_read(id, &parts, err) != 0)
        return -1;
    gl_azure_begin(azure);
    gl_azure_path(parts.group, "virtualMachines", parts.name, path);
    got = gl_azure_get(azure, GL_AZURE_COMPUTE, path, &vm, err);
    if (got <= 0)
        return got < 0 ? -1 : gl_fail(err, GL_E_NOT_FOUND, "azure knows no %s", id);
    disk = json_string_value(json_object_get(
        json_object_get(
            json_object_get(json_object_get(json_object_get(vm, "properties"), "storageProfile"),
                            "osDisk"),
            "managedDisk"),
        "id"));
    if (disk == NULL)
        return gl_fail(err, GL_E_BAD_REPLY, "azure: %s has no managed disk", id);
    return make(azure, parts.region, name,
                json_pack("{s:s,s:s}", "createOption", "Copy", "sourceResourceId", disk), out, err);
}

int gl_azure_image_copy(struct gl_cloud *cloud, const char *image, const char *region,
                        const char *name, struct gl_cloud_image *out, struct gl_error *err)
{
    struct gl_azure *azure = gl_azure_of(cloud);
    char from[40], source[400];
    const char *native;

    if (check_name(name, err) != 0 || name_of(image, from, &native, err) != 0)
        return -1;
    if (!gl_azure_is_plain(region))
        return gl_fail(err, GL_E_UNKNOWN_NAME, "Azure has no region of that name");
    gl_azure_begin(azure);
    if (strcmp(from, region) == 0)
        return look(azure, from, native, out, err);
    snprintf(source, sizeof source,
             "/subscriptions/%s/resourceGroups/%s/providers/Microsoft.Compute/snapshots/%s",
             azure->subscription, azure->group, native);
    return make(azure, region, name,
                json_pack("{s:s,s:s}", "createOption", "CopyStart", "sourceResourceId", source),
                out, err);
}

int gl_azure_image_delete(struct gl_cloud *cloud, const char *image, struct gl_error *err)
{
    struct gl_azure *azure = gl_azure_of(cloud);
    struct gl_cloud_image seen;
    char path[GL_AZURE_PATH], region[40];
    const char *name;

    if (name_of(image, region, &name, err) != 0)
        return -1;
    gl_azure_begin(azure);
    if (look(azure, region, name, &seen, err) != 0)
        return -1;
    if (seen.state == GL_IMAGE_ABSENT)
        return 0;
    gl_azure_path(azure->group, "snapshots", name, path);
    return gl_azure_delete(azure, GL_AZURE_DISKS, path, err);
}

/* ---- disks of machines that start from an image ---- */

static int wait_disk(struct gl_azure *azure, const char *path, struct gl_error *err)
{
    gl_remote_begin(&azure->remote, MAKE_MS);
    for (;;) {
        GL_AUTO(gl_auto_json) json_t *root = NULL;
        int got = gl_azure_get(azure, GL_AZURE_DISKS, path, &root, err);

        if (got < 0)
            return -1;
        if (got > 0 && strcasecmp(gl_azure_provisioning(root), "Succeeded") == 0)
            return 0;
        if (got > 0 && strcasecmp(gl_azure_provisioning(root), "Failed") == 0)
            return gl_fail(err, GL_E_LAUNCH, "azure: the disk was not made");
        if (gl_remote_wait(&azure->remote, LOOK_MS, err) != 0)
            return -1;
    }
}

int gl_azure_disk_make(struct gl_azure *azure, const struct gl_launch *launch, struct gl_error *err)
{
    struct gl_remote_call call = {.region = launch->region, .is_create = true};
    char region[40], name[GL_CLOUD_ID], path[GL_AZURE_PATH], source[400];
    const char *snapshot = gl_azure_snapshot_name(launch->image, region);
    GL_AUTO(gl_auto_json) json_t *body = NULL;
    int rc;

    if (snapshot == NULL || strcmp(region, launch->region) != 0)
        return gl_fail(err, GL_E_BAD_VALUE, "azure: the image is in %s, not in %s",
                       snapshot != NULL ? region : "no region", launch->region);
    gl_attempt_name(launch, name);
    gl_azure_path(azure->group, "disks", name, path);
    snprintf(source, sizeof source,
             "/subscriptions/%s/resourceGroups/%s/providers/Microsoft.Compute/snapshots/%s",
             azure->subscription, azure->group, snapshot);
    body = json_pack("{s:s,s:o,s:{s:s},s:{s:s,s:{s:s,s:s}}}", "location", launch->region, "tags",
                     gl_labels_json(launch), "sku", "name", DISK_KIND, "properties", "osType",
                     "Linux", "creationData", "createOption", "Copy", "sourceResourceId", source);
    gl_azure_call(azure, &call, "PUT", GL_AZURE_DISKS, "%s", path);
    gl_remote_body_json(&call, body);
    rc = gl_azure_operate(azure, &call, NULL, err);
    gl_remote_call_done(&call);
    return rc == 0 ? wait_disk(azure, path, err) : -1;
}

struct sweep {
    const char *token;
    char names[SWEEP_MAX][GL_AZURE_NAME];
    size_t count;
};

static const char *tag(void *cookie, const char *name)
{
    return json_string_value(json_object_get(cookie, name));
}

static void read_disk(void *cookie, const json_t *row)
{
    struct sweep *sweep = cookie;
    struct gl_instance labels = {.host_cpu_ms = -1};
    const char *id = json_string_value(json_object_get(row, "id"));

    if (id == NULL || json_is_string(json_object_get(row, "managedBy")) ||
        sweep->count == SWEEP_MAX || !gl_labels_read(tag, json_object_get(row, "tags"), &labels) ||
        strcmp(labels.token, sweep->token) != 0)
        return;
    sweep->count += gl_azure_path_part(id, "disks", sweep->names[sweep->count], GL_AZURE_NAME);
}

int gl_azure_disks_sweep(struct gl_azure *azure, const char *token, struct gl_error *err)
{
    struct gl_remote_call call = {0};
    struct sweep sweep = {.token = token};
    const struct gl_azure_pages pages = {.base = azure->endpoint,
                                         .next = "nextLink",
                                         .items = "value",
                                         .read = read_disk,
                                         .cookie = &sweep,
                                         .most = PAGES_MAX};
    struct gl_error trouble = {0};
    char path[GL_AZURE_PATH];

    gl_azure_begin(azure);
    gl_azure_call(azure, &call, "GET", GL_AZURE_DISKS,
                  "/resourceGroups/%s/providers/Microsoft.Compute/disks", azure->group);
    if (gl_azure_each(azure, &call, &pages, &trouble) != 0)
        return trouble.code == GL_E_NOT_FOUND ? 0 : gl_fail(err, trouble.code, "%s", trouble.text);
    for (size_t i = 0; i < sweep.count; i++) {
        gl_azure_path(azure->group, "disks", sweep.names[i], path);
        gl_azure_begin(azure);
        if (gl_azure_delete(azure, GL_AZURE_DISKS, path, err) != 0)
            return -1;
    }
    return 0;
}
