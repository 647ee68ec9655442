/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/gcp.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Images are global: a copy to another region is the image itself, which is fetched there at its
 * first use. The boot disk has the name of its instance. Of a running machine the copy is as after
 * a power cut: halt it first. */

/* "global/images/NAME" of an id. */
static int native_of(const char *image, const char **out, struct gl_error *err)
{
    char region[40];

    *out = gl_remote_id_split(image, region);
    if (*out == NULL || strncmp(*out, "global/images/", 14) != 0 || strchr(*out + 14, '/') != NULL)
        return gl_fail(err, GL_E_NOT_FOUND, "%.100s is not an image of ours", image);
    return 0;
}

static void read_image(const json_t *root, struct gl_cloud_image *out)
{
    const char *status = json_string_value(json_object_get(root, "status"));
    const char *bytes = json_string_value(json_object_get(root, "archiveSizeBytes"));

    out->bytes = bytes != NULL && bytes[0] != '\0' && strlen(bytes) < 18 &&
                         bytes[strspn(bytes, "0123456789")] == '\0'
                     ? (int64_t)strtoll(bytes, NULL, 10)
                     : GL_UNKNOWN;
    out->state = status == NULL                  ? GL_IMAGE_FAILED
                 : strcmp(status, "READY") == 0  ? GL_IMAGE_READY
                 : strcmp(status, "FAILED") == 0 ? GL_IMAGE_FAILED
                                                 : GL_IMAGE_PENDING;
}

int gl_gcp_image_look(struct gl_cloud *cloud, const char *image, struct gl_cloud_image *out,
                      struct gl_error *err)
{
    struct gl_gcp *gcp = gl_gcp_of(cloud);
    struct gl_remote_call call = {0};
    GL_AUTO(gl_auto_json) json_t *root = NULL;
    struct gl_error trouble = {0};
    char id[sizeof out->id];
    const char *native;

    if (native_of(image, &native, err) != 0 || gl_gcp_begin(gcp, err) != 0)
        return -1;
    gl_gcp_call(gcp, &call, "GET", "%s", native);
    snprintf(id, sizeof id, "%s", image); /* it may be out->id */
    *out = (struct gl_cloud_image){.bytes = GL_UNKNOWN, .state = GL_IMAGE_ABSENT};
    snprintf(out->id, sizeof out->id, "%s", id);
    root = gl_remote_json(&gcp->remote, &call, &trouble);
    gl_remote_call_done(&call);
    if (root != NULL)
        read_image(root, out);
    else if (trouble.code != GL_E_NOT_FOUND)
        return gl_fail(err, trouble.code, "%s", trouble.text);
    return 0;
}

int gl_gcp_image_create(struct gl_cloud *cloud, const char *id, const char *name,
                        struct gl_cloud_image *out, struct gl_error *err)
{
    struct gl_gcp *gcp = gl_gcp_of(cloud);
    struct gl_remote_call call = {.is_create = true};
    GL_AUTO(gl_auto_json) json_t *body = NULL, *root = NULL;
    struct gl_error refused = {0};
    char zone[48], disk[160], region[40], request_id[37], image[128];
    const char *instance;

    if (gl_gcp_id(id, zone, &instance, err) != 0 || gl_gcp_begin(gcp, err) != 0)
        return -1;
    gl_remote_id_split(id, region);
    snprintf(disk, sizeof disk, "projects/%s/zones/%s/disks/%s", gcp->project, zone, instance);
    body =
        json_pack("{s:s,s:s,s:[s]}", "name", name, "sourceDisk", disk, "storageLocations", region);
    gl_gcp_request_id(name, "image", request_id);
    gl_gcp_call(gcp, &call, "POST", "global/images");
    gl_remote_query(&call, "requestId", request_id);
    gl_remote_body_json(&call, body);
    root = gl_remote_json(&gcp->remote, &call, &refused);
    gl_remote_call_done(&call);
    if (root == NULL && refused.code != GL_E_TOKEN) /* of that name: it is the one */
        return gl_fail(err, refused.code, "%s", refused.text);
    snprintf(image, sizeof image, "%s/global/images/%.60s", region, name);
    return gl_gcp_image_look(cloud, image, out, err);
}

int gl_gcp_image_copy(struct gl_cloud *cloud, const char *image, const char *region,
                      const char *name, struct gl_cloud_image *out, struct gl_error *err)
{
    const char *native;
    char id[128];

    (void)name;
    if (native_of(image, &native, err) != 0)
        return -1;
    snprintf(id, sizeof id, "%.39s/%s", region, native);
    return gl_gcp_image_look(cloud, id, out, err);
}

int gl_gcp_image_delete(struct gl_cloud *cloud, const char *image, struct gl_error *err)
{
    struct gl_gcp *gcp = gl_gcp_of(cloud);
    struct gl_remote_call call = {0};
    struct gl_error refused = {0};
    const char *native;
    int rc;

    if (native_of(image, &native, err) != 0 || gl_gcp_begin(gcp, err) != 0)
        return -1;
    gl_gcp_call(gcp, &call, "DELETE", "%s", native);
    rc = gl_gcp_operate(gcp, &call, NULL, &refused);
    gl_remote_call_done(&call);
    return rc == 0 || refused.code == GL_E_NOT_FOUND
               ? 0
               : gl_fail(err, refused.code, "%s", refused.text);
}

int gl_gcp_image_find(struct gl_cloud *cloud, const char *id, const char *region, const char *name,
                      struct gl_cloud_image *out, struct gl_error *err)
{
    char image[128];

    (void)id;
    snprintf(image, sizeof image, "%.39s/global/images/%.60s", region, name);
    return gl_gcp_image_look(cloud, image, out, err);
}
