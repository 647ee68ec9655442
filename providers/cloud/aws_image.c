/* SPDX-License-Identifier: Apache-2.0 */
/* Images for a move between regions: create where the instance is, copy called in the destination.
 * https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CopyImage.html */
#include "providers/cloud/aws_part.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SNAPSHOTS_MAX 64

/* What DescribeImages says of one. */
struct image {
    struct gl_cloud_image shown;
    char snapshots[SNAPSHOTS_MAX][32];
    size_t snapshot_count;
};

static void read_state(const struct gl_xml_node *item, struct gl_cloud_image *out)
{
    const char *state = gl_xml_text(item, "imageState"), *why;

    why = gl_xml_text(item, "stateReason/message");
    if (why == NULL)
        why = gl_xml_text(item, "stateReason/code");
    out->state = GL_IMAGE_FAILED;
    if (state == NULL || strcmp(state, "pending") == 0 || strcmp(state, "transient") == 0)
        out->state = GL_IMAGE_PENDING;
    else if (strcmp(state, "available") == 0)
        out->state = GL_IMAGE_READY;
    else if (strcmp(state, "deregistered") == 0)
        out->state = GL_IMAGE_ABSENT;
    if (out->state == GL_IMAGE_FAILED)
        snprintf(out->why, sizeof out->why, "%.95s", why != NULL ? why : state);
}

static void read_image(const struct gl_xml_node *item, const char *region, struct image *out)
{
    const struct gl_xml_node *disk = gl_xml_child(item, "blockDeviceMapping");
    const char *id = gl_xml_text(item, "imageId");
    int64_t gib = 0;

    *out = (struct image){.shown = {.bytes = GL_UNKNOWN}};
    snprintf(out->shown.id, sizeof out->shown.id, "%.39s/%.60s", region, id != NULL ? id : "");
    read_state(item, &out->shown);
    for (disk = gl_xml_child(disk, "item"); disk != NULL; disk = gl_xml_next(disk, "item")) {
        const char *size = gl_xml_text(disk, "ebs/volumeSize");
        const char *snapshot = gl_xml_text(disk, "ebs/snapshotId");

        gib += size != NULL ? strtol(size, NULL, 10) : 0;
        if (snapshot != NULL && strncmp(snapshot, "snap-", 5) == 0 && strlen(snapshot) < 32 &&
            out->snapshot_count < SNAPSHOTS_MAX)
            snprintf(out->snapshots[out->snapshot_count++], 32, "%s", snapshot);
    }
    if (gib > 0 && gib < 1000000)
        out->shown.bytes = gib << 30;
}

/* By id or by name: 1, 0 when there is none, -1. */
static int look(struct gl_aws *aws, const char *region, const char *native, const char *name,
                struct image *out, struct gl_error *err)
{
    GL_AUTO(gl_remote_call_done) struct gl_remote_call call = {0};
    GL_AUTO(gl_auto_xml) struct gl_xml *doc = NULL;
    const struct gl_xml_node *item;
    struct gl_error why = {0};

    gl_aws_query(aws, &call, "ec2", region, "DescribeImages");
    gl_aws_add(&call, native, "ImageId.1");
    if (name != NULL) {
        gl_aws_add(&call, "self", "Owner.1");
        gl_aws_filter(&call, 1, "name", name);
    }
    doc = gl_aws_ask(aws, &call, &why);
    if (doc == NULL)
        return why.code == GL_E_NOT_FOUND ? 0 : gl_fail(err, why.code, "%s", why.text);
    item = gl_xml_child(gl_xml_child(gl_xml_root(doc), "imagesSet"), "item");
    if (item == NULL)
        return 0;
    read_image(item, region, out);
    return 1;
}

static void add_tags(struct gl_remote_call *call, const char *name)
{
    static const char *const resources[] = {"image", "snapshot"};

    for (unsigned i = 0; i < 2; i++) {
        gl_aws_add(call, resources[i], "TagSpecification.%u.ResourceType", i + 1);
        gl_aws_add(call, "greenlaunch-image", "TagSpecification.%u.Tag.1.Key", i + 1);
        gl_aws_add(call, name, "TagSpecification.%u.Tag.1.Value", i + 1);
    }
}

/* Send what makes an image; the one of that name if there is one. */
static int make(struct gl_aws *aws, struct gl_remote_call *call, const char *region,
                const char *name, struct gl_cloud_image *out, struct gl_error *err)
{
    GL_AUTO(gl_auto_xml) struct gl_xml *doc = NULL;
    struct gl_error why = {0};
    struct image found;
    const char *id;

    call->is_create = true;
    doc = gl_aws_ask(aws, call, &why);
    if (doc == NULL) {
        if (strcmp(aws->remote.cloud.failure.word, "InvalidAMIName.Duplicate") != 0 ||
            look(aws, region, NULL, name, &found, err) != 1)
            return gl_fail(err, why.code, "%s", why.text);
        *out = found.shown;
        return 0;
    }
    id = gl_xml_text(gl_xml_root(doc), "imageId");
    if (id == NULL || strncmp(id, "ami-", 4) != 0)
        return gl_fail(err, GL_E_OUTCOME, "aws in %s: the answer names no image", region);
    *out = (struct gl_cloud_image){.state = GL_IMAGE_PENDING, .bytes = GL_UNKNOWN};
    snprintf(out->id, sizeof out->id, "%.39s/%.60s", region, id);
    return 0;
}

/* There is no token for CreateImage: its name is unique instead. */
static int find_made(struct gl_aws *aws, const char *region, const char *name,
                     struct gl_cloud_image *out, struct gl_error *err)
{
    struct image found;
    int got = look(aws, region, NULL, name, &found, err);

    if (got == 1)
        *out = found.shown;
    return got;
}

int gl_aws_image_create(struct gl_cloud *cloud, const char *id, const char *name,
                        struct gl_cloud_image *out, struct gl_error *err)
{
    struct gl_aws *aws = (struct gl_aws *)cloud;
    GL_AUTO(gl_remote_call_done) struct gl_remote_call call = {0};
    const char *native;
    char region[40];
    int got;

    if (gl_aws_split(id, "i-", region, &native, err) < 0)
        return -1;
    gl_remote_begin(&aws->remote, GL_REMOTE_DEADLINE_MS);
    got = find_made(aws, region, name, out, err);
    if (got != 0)
        return got < 0 ? -1 : 0;
    gl_aws_query(aws, &call, "ec2", region, "CreateImage");
    gl_aws_add(&call, native, "InstanceId");
    gl_aws_add(&call, name, "Name");
    gl_aws_add(&call, "false", "NoReboot"); /* a file system at rest, not one caught in writing */
    add_tags(&call, name);
    return make(aws, &call, region, name, out, err);
}

int gl_aws_image_copy(struct gl_cloud *cloud, const char *image, const char *region,
                      const char *name, struct gl_cloud_image *out, struct gl_error *err)
{
    struct gl_aws *aws = (struct gl_aws *)cloud;
    GL_AUTO(gl_remote_call_done) struct gl_remote_call call = {0};
    const char *native;
    char from[40], token[65];
    int got;

    if (gl_aws_split(image, "ami-", from, &native, err) < 0 ||
        gl_aws_check_region(aws, region, err) < 0)
        return -1;
    gl_remote_begin(&aws->remote, GL_REMOTE_DEADLINE_MS);
    got = find_made(aws, region, name, out, err);
    if (got != 0)
        return got < 0 ? -1 : 0;
    snprintf(token, sizeof token, "%.64s", name);
    gl_aws_query(aws, &call, "ec2", region, "CopyImage");
    gl_aws_add(&call, from, "SourceRegion");
    gl_aws_add(&call, native, "SourceImageId");
    gl_aws_add(&call, name, "Name");
    gl_aws_add(&call, token, "ClientToken");
    add_tags(&call, name);
    return make(aws, &call, region, name, out, err);
}

int gl_aws_image_find(struct gl_cloud *cloud, const char *id, const char *region, const char *name,
                      struct gl_cloud_image *out, struct gl_error *err)
{
    struct gl_aws *aws = (struct gl_aws *)cloud;
    struct gl_cloud_image absent = {.state = GL_IMAGE_ABSENT, .bytes = GL_UNKNOWN};
    int got;

    (void)id;
    if (gl_aws_check_region(aws, region, err) < 0)
        return -1;
    gl_remote_begin(&aws->remote, GL_REMOTE_DEADLINE_MS);
    got = find_made(aws, region, name, out, err);
    if (got == 0)
        *out = absent;
    return got < 0 ? -1 : 0;
}

int gl_aws_image_look(struct gl_cloud *cloud, const char *image, struct gl_cloud_image *out,
                      struct gl_error *err)
{
    struct gl_aws *aws = (struct gl_aws *)cloud;
    const char *native;
    struct image found;
    char region[40];
    int got;

    if (gl_aws_split(image, "ami-", region, &native, err) < 0)
        return -1;
    gl_remote_begin(&aws->remote, GL_REMOTE_DEADLINE_MS);
    got = look(aws, region, native, NULL, &found, err);
    if (got < 0)
        return -1;
    *out = (struct gl_cloud_image){.state = GL_IMAGE_ABSENT, .bytes = GL_UNKNOWN};
    snprintf(out->id, sizeof out->id, "%.127s", image);
    if (got == 1)
        *out = found.shown;
    return 0;
}

/* What an older EC2 leaves behind; one that is gone already is fine. */
static int delete_snapshots(struct gl_aws *aws, const char *region, const struct image *image,
                            struct gl_error *err)
{
    for (size_t i = 0; i < image->snapshot_count; i++) {
        GL_AUTO(gl_remote_call_done) struct gl_remote_call call = {0};
        struct gl_error why = {0};

        gl_aws_query(aws, &call, "ec2", region, "DeleteSnapshot");
        gl_aws_add(&call, image->snapshots[i], "SnapshotId");
        if (gl_remote_send(&aws->remote, &call, &why) < 0 && why.code != GL_E_NOT_FOUND)
            return gl_fail(err, why.code, "%s", why.text);
    }
    return 0;
}

int gl_aws_image_delete(struct gl_cloud *cloud, const char *image, struct gl_error *err)
{
    struct gl_aws *aws = (struct gl_aws *)cloud;
    GL_AUTO(gl_remote_call_done) struct gl_remote_call call = {0};
    struct gl_error why = {0};
    const char *native;
    struct image found;
    char region[40];
    int got;

    if (gl_aws_split(image, "ami-", region, &native, err) < 0)
        return -1;
    gl_remote_begin(&aws->remote, GL_REMOTE_DEADLINE_MS);
    got = look(aws, region, native, NULL, &found, err);
    if (got <= 0)
        return got;
    gl_aws_query(aws, &call, "ec2", region, "DeregisterImage");
    gl_aws_add(&call, native, "ImageId");
    gl_aws_add(&call, "true", "DeleteAssociatedSnapshots");
    if (gl_remote_send(&aws->remote, &call, &why) < 0 && why.code != GL_E_NOT_FOUND)
        return gl_fail(err, why.code, "%s", why.text);
    return delete_snapshots(aws, region, &found, err);
}
