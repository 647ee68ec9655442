/* SPDX-License-Identifier: Apache-2.0 */
/* The two images of a move: named before they are asked for, found again by that name, deleted. */
#include "broker/relocate_part.h"

#include <stdio.h>
#include <string.h>

#include "providers/cloud/remote.h"

/* What a provider was asked for shows within this, or was never made. */
#define SHOWN_MS ((int64_t)GL_REMOTE_DEADLINE_MS + GL_REMOTE_SETTLE_MS)

/* ---- names ---- */

void gl_relocate_image_name(const struct gl_relocate *move, char out[GL_CLOUD_ID])
{
    snprintf(out, GL_CLOUD_ID, "%.40s-move%u", move->row->launch, move->past.number);
}

void gl_relocate_copy_name(const struct gl_relocate *move, char out[GL_CLOUD_ID])
{
    snprintf(out, GL_CLOUD_ID, "%.40s-move%u-there", move->row->launch, move->past.number);
}

/* ---- the machine ---- */

enum gl_relocate_power gl_relocate_power(const struct gl_relocate *move)
{
    struct gl_error why = {0};
    struct gl_instance seen;

    if (move->cloud->ops->describe(move->cloud, move->row->instance, &seen, &why) != 0)
        return why.code == GL_E_NOT_FOUND ? GL_POWER_GONE : GL_POWER_UNKNOWN;
    if (gl_instance_is_over(&seen))
        return GL_POWER_GONE;
    return seen.state == GL_STATE_HALTED ? GL_POWER_OFF : GL_POWER_ON;
}

/* ---- finding ---- */

bool gl_relocate_is_refusal(enum gl_errc code)
{
    static const enum gl_errc codes[] = {GL_E_PERMISSION, GL_E_NO_CREDENTIAL, GL_E_UNKNOWN_NAME,
                                         GL_E_BAD_VALUE,  GL_E_QUOTA,         GL_E_NOT_FOUND,
                                         GL_E_USAGE,      GL_E_CAPACITY,      GL_E_NO_PLACE};

    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (codes[i] == code)
            return true;
    return false;
}

static bool has_shown(const struct gl_relocate *move, const struct gl_relocate_image *image)
{
    const struct gl_world *world = move->launcher->world;

    return world->now_ms(world->cookie) - image->sent_ms >= SHOWN_MS;
}

/* Asked by name, which makes nothing: 1 there, 0 not there, -1 it cannot be told. */
static int look_by_name(const struct gl_relocate *move, bool is_copy, struct gl_cloud_image *out,
                        struct gl_error *err)
{
    const struct gl_cloud_ops *ops = move->cloud->ops;
    const char *region = is_copy ? move->past.region : move->row->region;
    char name[GL_CLOUD_ID];

    if (ops->image_find == NULL)
        return gl_fail(err, GL_E_PROVIDER, "%s cannot look for images by name", ops->name);
    (is_copy ? gl_relocate_copy_name : gl_relocate_image_name)(move, name);
    if (ops->image_find(move->cloud, move->row->instance, region, name, out, err) != 0)
        return -1;
    return out->state != GL_IMAGE_ABSENT;
}

/* Asked for again: the same name gives the same image, also where the first request is late. Only
 * of a machine that is off, for making one restarts it on some clouds. 0 named, -1. */
static int ask_again(const struct gl_relocate *move, bool is_copy, enum gl_relocate_power power,
                     struct gl_cloud_image *out, struct gl_error *err)
{
    const struct gl_cloud_ops *ops = move->cloud->ops;
    const struct gl_relocate_image *image = &move->past.image;
    char name[GL_CLOUD_ID];

    (is_copy ? gl_relocate_copy_name : gl_relocate_image_name)(move, name);
    if (is_copy && image->id[0] != '\0' && !image->is_gone)
        return ops->image_copy(move->cloud, image->id, move->past.region, name, out, err);
    if (!is_copy && power == GL_POWER_OFF)
        return ops->image_create(move->cloud, move->row->instance, name, out, err);
    return gl_fail(err, GL_E_BUSY, "whether there is an image %s cannot be told yet", name);
}

/* Proven that there is none: it does not show and has had the time to; or, where nobody can look by
 * name, the same request is refused now. */
static bool is_proven_absent(const struct gl_relocate *move, const struct gl_relocate_image *image,
                             int found, enum gl_errc refused)
{
    bool says_nothing = refused == GL_E_PERMISSION || refused == GL_E_NO_CREDENTIAL;

    if (move->cloud->ops->image_find != NULL)
        return found == 0 && has_shown(move, image);
    return gl_relocate_is_refusal(refused) && !says_nothing;
}

/* An image may have been made whose answer nobody heard. 0 when its id is known or there is none,
 * -1 when it may be there. */
static int name_image(struct gl_relocate *move, bool is_copy, enum gl_relocate_power power,
                      struct gl_error *err)
{
    struct gl_relocate_image *image = is_copy ? &move->past.copy : &move->past.image;
    struct gl_cloud_image seen;
    struct gl_error unseen = {0};
    int found;

    if (!image->is_sent || image->is_gone || image->id[0] != '\0')
        return 0;
    found = look_by_name(move, is_copy, &seen, &unseen);
    image->is_gone = is_proven_absent(move, image, found, GL_OK);
    if (image->is_gone)
        return 0;
    if (found <= 0 && ask_again(move, is_copy, power, &seen, err) != 0) {
        image->is_gone = is_proven_absent(move, image, found, err->code);
        if (!image->is_gone)
            return -1;
        gl_error_clear(err);
        return 0;
    }
    snprintf(image->id, sizeof image->id, "%s", seen.id);
    return gl_relocate_note(move, is_copy ? "relocate-copy" : "relocate-image",
                            json_pack("{s:s}", "image", seen.id), NULL, err);
}

/* ---- deleting ---- */

int gl_relocate_delete(struct gl_cloud *cloud, const char *image, struct gl_error *err)
{
    struct gl_cloud_image seen;
    struct gl_error gone = {0};

    if (cloud->ops->image_delete(cloud, image, err) == 0)
        return 0;
    /* What counts is whether it is there. */
    if (cloud->ops->image_look(cloud, image, &seen, &gone) == 0 && seen.state == GL_IMAGE_ABSENT) {
        gl_error_clear(err);
        return 0;
    }
    return gl_wrap(err, "image %s", image);
}

static int delete_image(struct gl_relocate *move, struct gl_relocate_image *image,
                        struct gl_error *err)
{
    if (image->is_gone || image->id[0] == '\0')
        return 0;
    if (gl_relocate_delete(move->cloud, image->id, err) != 0)
        return -1;
    image->is_gone = true;
    return 0;
}

/* May it be there? */
bool gl_relocate_may_be_left(const struct gl_relocate_image *image)
{
    return image->is_sent && !image->is_gone;
}

/* As long as the copy has no name its image stays: the copy is asked for again with it. */
int gl_relocate_clean(struct gl_relocate *move, enum gl_relocate_power power, struct gl_error *err)
{
    struct gl_error copy = {0}, image = {0};

    name_image(move, false, power, &image);
    if (name_image(move, true, power, &copy) == 0) {
        delete_image(move, &move->past.copy, &copy);
        if (image.code == GL_OK)
            delete_image(move, &move->past.image, &image);
    }
    if (!gl_relocate_may_be_left(&move->past.copy) && !gl_relocate_may_be_left(&move->past.image))
        return 0;
    *err = copy.code != GL_OK ? copy : image;
    return -1;
}
