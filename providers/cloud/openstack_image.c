/* SPDX-License-Identifier: Apache-2.0 */
/* Images of a server's disk, by glance: https://docs.openstack.org/api-ref/image/v2/
 * They belong to one region. Another region's glance fetches them itself by the import method
 * glance-download, with the token of the caller, where its operator has switched that on; through
 * this machine no image is carried. The name is the token of the step. */
#include "providers/cloud/openstack.h"

#include <stdio.h>
#include <string.h>

static const char *text_of(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static bool is_one_of(const char *word, const char *const *list)
{
    while (*list != NULL && strcmp(word, *list) != 0)
        list++;
    return *list != NULL;
}

static void read_image(const json_t *root, struct gl_cloud_image *out)
{
    static const char *const pending[] = {"queued", "saving", "uploading", "importing", NULL};
    static const char *const absent[] = {"deleted", "pending_delete", NULL};
    const char *status = text_of(root, "status"),
               *failed = text_of(root, "os_glance_failed_import");
    const json_t *size = json_object_get(root, "size");

    out->state = status == NULL                  ? GL_IMAGE_FAILED
                 : strcmp(status, "active") == 0 ? GL_IMAGE_READY
                 : is_one_of(status, pending)    ? GL_IMAGE_PENDING
                 : is_one_of(status, absent)     ? GL_IMAGE_ABSENT
                                                 : GL_IMAGE_FAILED;
    if (failed != NULL && failed[0] != '\0' && out->state == GL_IMAGE_PENDING) {
        out->state = GL_IMAGE_FAILED;
        snprintf(out->why, sizeof out->why, "the import failed");
    } else if (out->state == GL_IMAGE_FAILED)
        snprintf(out->why, sizeof out->why, "%.60s", status != NULL ? status : "no status");
    out->bytes = json_is_integer(size) && json_integer_value(size) >= 0
                     ? (int64_t)json_integer_value(size)
                     : GL_UNKNOWN;
}

static int look(struct gl_openstack *os, struct gl_openstack_place *place, const char *uuid,
                struct gl_cloud_image *out, struct gl_error *err)
{
    struct gl_remote_call call = {0};
    struct gl_cloud_image seen = {.bytes = GL_UNKNOWN, .state = GL_IMAGE_ABSENT};
    GL_AUTO(gl_auto_json) json_t *root = NULL;
    struct gl_error why = {0};

    snprintf(seen.id, sizeof seen.id, "%s/%.36s", place->region, uuid);
    gl_openstack_call(place, &call, GL_OPENSTACK_IMAGE, "GET", "images/%s", uuid);
    root = gl_openstack_ask(os, &call, &why);
    if (root != NULL)
        read_image(root, &seen);
    else if (why.code != GL_E_NOT_FOUND)
        return gl_fail(err, why.code, "%s", why.text);
    *out = seen;
    return 0;
}

int gl_openstack_image_look(struct gl_cloud *cloud, const char *image, struct gl_cloud_image *out,
                            struct gl_error *err)
{
    struct gl_openstack *os = gl_openstack_of(cloud);
    struct gl_openstack_place *place;
    const char *uuid;

    if (gl_openstack_begin(os, GL_REMOTE_DEADLINE_MS, err) != 0 ||
        gl_openstack_id(os, image, &place, &uuid, err) != 0)
        return -1;
    return look(os, place, uuid, out, err);
}

/* Is there one of that name already, made by this step? 1 and *out, 0, -1. */
static int find(struct gl_openstack *os, struct gl_openstack_place *place, const char *name,
                struct gl_cloud_image *out, struct gl_error *err)
{
    struct gl_remote_call call = {0};
    GL_AUTO(gl_auto_json) json_t *root = NULL;
    const char *id;

    gl_openstack_call(place, &call, GL_OPENSTACK_IMAGE, "GET", "images");
    if (call.url.length > 0) {
        gl_remote_query(&call, "name", name);
        gl_remote_query(&call, "visibility", "private");
    }
    root = gl_openstack_ask(os, &call, err);
    if (root == NULL)
        return -1;
    id = text_of(json_array_get(json_object_get(root, "images"), 0), "id");
    if (id == NULL)
        return 0;
    if (!gl_openstack_is_uuid(id))
        return gl_fail(err, GL_E_BAD_REPLY, "openstack in %s: an image without an id",
                       place->region);
    return look(os, place, id, out, err) == 0 ? 1 : -1;
}

int gl_openstack_image_find(struct gl_cloud *cloud, const char *id, const char *region,
                            const char *name, struct gl_cloud_image *out, struct gl_error *err)
{
    struct gl_openstack *os = gl_openstack_of(cloud);
    struct gl_cloud_image absent = {.state = GL_IMAGE_ABSENT, .bytes = GL_UNKNOWN};
    struct gl_openstack_place *place;
    int found;

    (void)id;
    if (gl_openstack_begin(os, GL_REMOTE_DEADLINE_MS, err) != 0 ||
        gl_openstack_place(os, region, &place, err) != 0)
        return -1;
    found = find(os, place, name, out, err);
    if (found == 0)
        *out = absent;
    return found < 0 ? -1 : 0;
}

/* The id is in the body from 2.45 on, before that it ends the Location. */
static int take_image_id(struct gl_openstack *os, struct gl_remote_call *call, char out[40],
                         struct gl_error *err)
{
    char location[512], body_id[64] = "";
    const char *id = body_id;
    int rc = gl_remote_send(&os->remote, call, err);

    if (rc != 0) {
        gl_openstack_explain(os, err);
        return -1;
    }
    if (call->reply.body_length > 0) {
        struct gl_error ignored = {0};
        GL_AUTO(gl_auto_json) json_t *root = gl_remote_reply_json(call, &ignored);
        const char *told = text_of(root, "image_id");

        snprintf(body_id, sizeof body_id, "%.63s", told != NULL ? told : "");
    }
    if (body_id[0] == '\0' &&
        gl_http_reply_header(&call->reply, "location", location, sizeof location) &&
        strrchr(location, '/') != NULL)
        id = strrchr(location, '/') + 1;
    if (!gl_openstack_is_uuid(id))
        return gl_fail(err, GL_E_OUTCOME, "openstack: the answer names no image");
    snprintf(out, 40, "%.39s", id);
    return 0;
}

int gl_openstack_image_create(struct gl_cloud *cloud, const char *id, const char *name,
                              struct gl_cloud_image *out, struct gl_error *err)
{
    struct gl_openstack *os = gl_openstack_of(cloud);
    struct gl_remote_call call = {.is_create = true};
    GL_AUTO(gl_auto_json)
    json_t *body = json_pack("{s:{s:s}}", "createImage", "name", name);
    struct gl_openstack_place *place;
    const char *uuid;
    char made[40];
    int rc;

    if (gl_openstack_begin(os, GL_REMOTE_DEADLINE_MS, err) != 0 ||
        gl_openstack_id(os, id, &place, &uuid, err) != 0)
        return -1;
    rc = find(os, place, name, out, err);
    if (rc != 0)
        return rc > 0 ? 0 : -1;
    gl_openstack_call(place, &call, GL_OPENSTACK_COMPUTE, "POST", "servers/%s/action", uuid);
    gl_remote_body_json(&call, body);
    rc = take_image_id(os, &call, made, err);
    gl_remote_call_done(&call);
    return rc == 0 ? look(os, place, made, out, err) : -1;
}

/* ---- to another region ---- */

static int check_import(struct gl_openstack *os, const struct gl_openstack_place *place,
                        struct gl_error *err)
{
    struct gl_remote_call call = {0};
    GL_AUTO(gl_auto_json) json_t *root = NULL;
    const json_t *method;
    struct gl_error why = {0};
    size_t i;

    gl_openstack_call(place, &call, GL_OPENSTACK_IMAGE, "GET", "info/import");
    root = gl_openstack_ask(os, &call, &why);
    if (root == NULL && why.code != GL_E_NOT_FOUND)
        return gl_fail(err, why.code, "%s", why.text);
    json_array_foreach(json_object_get(json_object_get(root, "import-methods"), "value"), i, method)
    {
        const char *name = json_string_value(method);

        if (name != NULL && strcmp(name, "glance-download") == 0)
            return 0;
    }
    return gl_fail(err, GL_E_PERMISSION,
                   "openstack in %s: images cannot be fetched from another region: its operator "
                   "has not enabled the import method glance-download",
                   place->region);
}

/* An empty record of the same formats: its id. */
static int make_record(struct gl_openstack *os, struct gl_openstack_place *from, const char *uuid,
                       struct gl_openstack_place *to, const char *name, char out[40],
                       struct gl_error *err)
{
    struct gl_remote_call ask = {0}, make = {.is_create = true};
    GL_AUTO(gl_auto_json) json_t *source = NULL, *body = NULL, *root = NULL;
    const char *disk, *container, *id;

    gl_openstack_call(from, &ask, GL_OPENSTACK_IMAGE, "GET", "images/%s", uuid);
    source = gl_openstack_ask(os, &ask, err);
    if (source == NULL)
        return -1;
    disk = text_of(source, "disk_format");
    container = text_of(source, "container_format");
    body = json_pack("{s:s,s:s,s:s,s:s}", "name", name, "disk_format", disk != NULL ? disk : "raw",
                     "container_format", container != NULL ? container : "bare", "visibility",
                     "private");
    gl_openstack_call(to, &make, GL_OPENSTACK_IMAGE, "POST", "images");
    if (make.url.length > 0)
        gl_remote_body_json(&make, body);
    root = gl_openstack_ask(os, &make, err);
    id = text_of(root, "id");
    if (root != NULL && (id == NULL || !gl_openstack_is_uuid(id)))
        return gl_fail(err, GL_E_OUTCOME, "openstack in %s: the answer names no image", to->region);
    if (root == NULL)
        return -1;
    snprintf(out, 40, "%s", id);
    return 0;
}

static int delete (struct gl_openstack *os, struct gl_openstack_place *place, const char *uuid,
                   struct gl_error *err)
{
    struct gl_remote_call call = {0};
    struct gl_error why = {0};

    gl_openstack_call(place, &call, GL_OPENSTACK_IMAGE, "DELETE", "images/%s", uuid);
    if (gl_openstack_tell(os, &call, &why) == 0 || why.code == GL_E_NOT_FOUND)
        return 0;
    return gl_fail(err, why.code, "%s", why.text);
}

static int start_import(struct gl_openstack *os, const struct gl_openstack_place *from,
                        const char *uuid, struct gl_openstack_place *to, const char *made,
                        struct gl_error *err)
{
    struct gl_remote_call call = {0};
    GL_AUTO(gl_auto_json)
    json_t *body =
        json_pack("{s:{s:s,s:s,s:s,s:s}}", "method", "name", "glance-download", "glance_region",
                  from->region, "glance_image_id", uuid, "glance_service_interface", "public");

    gl_openstack_call(to, &call, GL_OPENSTACK_IMAGE, "POST", "images/%s/import", made);
    gl_remote_body_json(&call, body);
    return gl_openstack_tell(os, &call, err);
}

/* An empty record that an earlier call left when it was killed goes on being filled. */
static int copy(struct gl_openstack *os, struct gl_openstack_place *from, const char *uuid,
                struct gl_openstack_place *to, const char *name, char made[40],
                struct gl_error *err)
{
    struct gl_error ignored = {0};

    if (made[0] == '\0' &&
        (check_import(os, to, err) != 0 || make_record(os, from, uuid, to, name, made, err) != 0))
        return -1;
    if (start_import(os, from, uuid, to, made, err) == 0)
        return 0;
    delete (os, to, made, &ignored);
    return -1;
}

int gl_openstack_image_copy(struct gl_cloud *cloud, const char *image, const char *region,
                            const char *name, struct gl_cloud_image *out, struct gl_error *err)
{
    struct gl_openstack *os = gl_openstack_of(cloud);
    struct gl_openstack_place *from, *to;
    struct gl_cloud_image found = {.bytes = GL_UNKNOWN};
    const char *uuid;
    char made[40] = "";
    int rc;

    if (gl_openstack_begin(os, GL_REMOTE_DEADLINE_MS, err) != 0 ||
        gl_openstack_id(os, image, &from, &uuid, err) != 0 ||
        gl_openstack_place(os, region, &to, err) != 0)
        return -1;
    if (from == to)
        return look(os, from, uuid, out, err);
    rc = find(os, to, name, &found, err);
    if (rc < 0)
        return -1;
    if (rc > 0 && (found.state != GL_IMAGE_PENDING || found.bytes != GL_UNKNOWN)) {
        *out = found;
        return 0;
    }
    if (rc > 0)
        snprintf(made, sizeof made, "%.36s", strchr(found.id, '/') + 1);
    return copy(os, from, uuid, to, name, made, err) == 0 ? look(os, to, made, out, err) : -1;
}

int gl_openstack_image_delete(struct gl_cloud *cloud, const char *image, struct gl_error *err)
{
    struct gl_openstack *os = gl_openstack_of(cloud);
    struct gl_openstack_place *place;
    const char *uuid;

    if (gl_openstack_begin(os, GL_REMOTE_DEADLINE_MS, err) != 0 ||
        gl_openstack_id(os, image, &place, &uuid, err) != 0)
        return -1;
    return delete (os, place, uuid, err);
}
