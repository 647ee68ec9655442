/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/digitalocean.h"

#include <stdio.h>
#include <string.h>

#define PAGES_MAX 100

static int post_action(struct gl_vps *vps, const char *path, const char *id, json_t *body,
                       bool is_create, struct gl_error *err)
{
    struct gl_remote_call call;

    gl_vps_call(vps, &call, "POST", "/v2/%s/%s/actions", path, id);
    call.is_create = is_create;
    gl_remote_body_json(&call, body);
    json_decref(body);
    return gl_vps_tell(vps, &call, err);
}

int gl_digitalocean_act(struct gl_vps *vps, const char *path, const char *id, json_t *body,
                        struct gl_error *err)
{
    return post_action(vps, path, id, body, false, err);
}

/* ---- images: snapshots by name, transferred to another region as the same image ---- */

int64_t gl_digitalocean_image_number(struct gl_vps *vps, const char *name, const char *region,
                                     struct gl_cloud_image *out, struct gl_error *err)
{
    for (int page = 1; page <= PAGES_MAX; page++) {
        GL_AUTO(gl_auto_json) json_t *answer = NULL;
        struct gl_remote_call call;
        const json_t *image;
        size_t i;

        gl_vps_call(vps, &call, "GET", "/v2/images?private=true&per_page=200&page=%d", page);
        answer = gl_vps_ask(vps, &call, err);
        if (answer == NULL)
            return -1;
        json_array_foreach(json_object_get(answer, "images"), i,
                           image) if (strcmp(gl_vps_text(image, "name"), name) == 0 &&
                                      gl_digitalocean_read_image(
                                          image, region, out)) return gl_vps_number(image, "id");
        if (!gl_digitalocean_has_next(answer))
            return 0;
    }
    return 0;
}

/* Of a thing's actions of one type the newest: 1 under way, 0 done or none, -1 failed, -2 not
 * known. */
static int newest_action(struct gl_vps *vps, const char *path, const char *id, const char *type,
                         struct gl_error *err)
{
    GL_AUTO(gl_auto_json) json_t *answer = NULL;
    struct gl_remote_call call;
    struct gl_error why = {0};
    const json_t *action;
    size_t i;

    gl_vps_call(vps, &call, "GET", "/v2/%s/%s/actions?per_page=50", path, id);
    answer = gl_vps_ask(vps, &call, &why);
    if (answer == NULL && why.code == GL_E_NOT_FOUND)
        return 0;
    if (answer == NULL) {
        gl_fail(err, why.code, "%s", why.text);
        return -2;
    }
    json_array_foreach(json_object_get(answer, "actions"), i,
                       action) if (strcmp(gl_vps_text(action, "type"), type) ==
                                   0) return gl_digitalocean_read_action(action, &why);
    return 0;
}

/* "d123.NAME": the droplet and the step. */
static bool split_name(const char *native, char out_droplet[24])
{
    const char *dot = strchr(native, '.');
    size_t length = dot != NULL ? (size_t)(dot - native) : 0;

    if (native[0] != 'd' || length < 2 || length > 19 || strlen(native) > 100)
        return false;
    snprintf(out_droplet, 24, "%.*s", (int)length - 1, native + 1);
    return gl_vps_is_number(out_droplet);
}

/* `id` may be that of *out. */
static int look_image(struct gl_vps *vps, const char *id, struct gl_cloud_image *out,
                      int64_t *out_number, struct gl_error *err)
{
    char image[128], region[40], droplet[24], number[24];
    const char *native;
    int action = 0;

    snprintf(image, sizeof image, "%s", id);
    native = gl_remote_id_split(image, region);
    if (native == NULL || !split_name(native, droplet))
        return gl_fail(err, GL_E_NOT_FOUND, "digitalocean: that is no image of ours");
    *out = (struct gl_cloud_image){.state = GL_IMAGE_ABSENT, .bytes = GL_UNKNOWN};
    snprintf(out->id, sizeof out->id, "%.127s", image);
    *out_number = gl_digitalocean_image_number(vps, native, region, out, err);
    if (*out_number < 0)
        return -1;
    snprintf(number, sizeof number, "%lld", (long long)*out_number);
    if (*out_number == 0)
        action = newest_action(vps, "droplets", droplet, "snapshot", err);
    else if (out->state == GL_IMAGE_PENDING)
        action = newest_action(vps, "images", number, "transfer", err);
    if (action == -2)
        return -1;
    if (action == -1) {
        out->state = GL_IMAGE_FAILED;
        snprintf(out->why, sizeof out->why, "the provider's action failed");
    } else if (action == 1)
        out->state = GL_IMAGE_PENDING;
    return 0;
}

int gl_digitalocean_image_look(struct gl_cloud *cloud, const char *image,
                               struct gl_cloud_image *out, struct gl_error *err)
{
    struct gl_vps *vps = (struct gl_vps *)cloud;
    int64_t number;

    gl_remote_begin(&vps->remote, GL_REMOTE_DEADLINE_MS);
    return look_image(vps, image, out, &number, err);
}

int gl_digitalocean_image_find(struct gl_cloud *cloud, const char *id, const char *region,
                               const char *name, struct gl_cloud_image *out, struct gl_error *err)
{
    struct gl_vps *vps = (struct gl_vps *)cloud;
    char image[128];
    int64_t number;

    snprintf(image, sizeof image, "%.26s/d%.19s.%.70s", region, id, name);
    gl_remote_begin(&vps->remote, GL_REMOTE_DEADLINE_MS);
    return look_image(vps, image, out, &number, err);
}

int gl_digitalocean_image_create(struct gl_cloud *cloud, const char *id, const char *name,
                                 struct gl_cloud_image *out, struct gl_error *err)
{
    struct gl_vps *vps = (struct gl_vps *)cloud;
    struct gl_instance instance;
    char image[128], native[100];
    int64_t number;

    if (gl_vps_describe(cloud, id, &instance, err) < 0)
        return -1;
    snprintf(native, sizeof native, "d%.19s.%.70s", instance.id, name);
    snprintf(image, sizeof image, "%.26s/%s", instance.region, native);
    if (look_image(vps, image, out, &number, err) < 0)
        return -1;
    if (out->state == GL_IMAGE_PENDING || out->state == GL_IMAGE_READY)
        return 0;
    /* Names are not unique: sent twice it makes, and bills, two. */
    if (post_action(vps, "droplets", instance.id,
                    json_pack("{s:s,s:s}", "type", "snapshot", "name", native), true, err) < 0)
        return -1;
    out->state = GL_IMAGE_PENDING;
    out->why[0] = '\0';
    return 0;
}

int gl_digitalocean_image_copy(struct gl_cloud *cloud, const char *image, const char *region,
                               const char *name, struct gl_cloud_image *out, struct gl_error *err)
{
    struct gl_vps *vps = (struct gl_vps *)cloud;
    const char *slash = strchr(image, '/');
    const char *const *types;
    char copy[128], number_text[24];
    int64_t number;

    (void)name;
    gl_remote_begin(&vps->remote, GL_REMOTE_DEADLINE_MS);
    if (gl_vps_types(cloud, region, &types, err) < 0)
        return -1;
    snprintf(copy, sizeof copy, "%.26s/%.100s", region, slash != NULL ? slash + 1 : "");
    if (look_image(vps, copy, out, &number, err) < 0)
        return -1;
    if (number == 0)
        return gl_fail(err, GL_E_NOT_FOUND, "digitalocean: the image %.80s is not ready", image);
    snprintf(number_text, sizeof number_text, "%lld", (long long)number);
    if (out->state == GL_IMAGE_READY ||
        newest_action(vps, "images", number_text, "transfer", err) == 1)
        return 0;
    if (gl_digitalocean_act(vps, "images", number_text,
                            json_pack("{s:s,s:s}", "type", "transfer", "region", region), err) < 0)
        return -1;
    out->state = GL_IMAGE_PENDING;
    return 0;
}

int gl_digitalocean_image_delete(struct gl_cloud *cloud, const char *image, struct gl_error *err)
{
    struct gl_vps *vps = (struct gl_vps *)cloud;
    struct gl_cloud_image seen;
    struct gl_remote_call call;
    struct gl_error why = {0};
    int64_t number;

    gl_remote_begin(&vps->remote, GL_REMOTE_DEADLINE_MS);
    if (look_image(vps, image, &seen, &number, err) < 0)
        return -1;
    if (number == 0)
        return seen.state == GL_IMAGE_PENDING
                   ? gl_fail(err, GL_E_BUSY, "digitalocean: the snapshot %.80s is being made",
                             image)
                   : 0;
    gl_vps_call(vps, &call, "DELETE", "/v2/images/%lld", (long long)number);
    if (gl_vps_tell(vps, &call, &why) < 0 && why.code != GL_E_NOT_FOUND)
        return gl_fail(err, why.code, "%s", why.text);
    return 0;
}
