/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/conformance/cloud_memory_part.h"

#include <stdio.h>
#include <string.h>

unsigned gl_memory_images(const struct gl_memory_store *store)
{
    unsigned count = 0;

    for (size_t i = 0; i < GL_MEMORY_IMAGES; i++)
        count += store->images[i].is_there;
    return count;
}

static struct gl_memory_image *find_image(struct gl_memory_store *store, const char *id)
{
    for (size_t i = 0; i < GL_MEMORY_IMAGES; i++)
        if (store->images[i].is_there && strcmp(store->images[i].seen.id, id) == 0)
            return &store->images[i];
    return NULL;
}

bool gl_memory_image_fits(struct gl_memory_store *store, const char *id, const char *region)
{
    const struct gl_memory_image *image = find_image(store, id);

    return image != NULL && image->seen.state == GL_IMAGE_READY &&
           strcmp(image->region, region) == 0;
}

/* ---- powered off, and images ---- */

static int switch_power(struct gl_cloud *cloud, const char *id, enum gl_memory_op op,
                        struct gl_error *err)
{
    struct gl_memory_store *store = gl_memory_store_of(cloud);
    struct gl_memory_fault fault = gl_memory_meet(store, op);
    enum gl_instance_state to = op == GL_MEMORY_HALT ? GL_STATE_HALTED : GL_STATE_RUNNING;
    struct gl_memory_instance *instance;

    if (gl_memory_before(&fault, err) < 0 || (instance = gl_memory_find(store, id, err)) == NULL)
        return -1;
    if (instance->seen.state != GL_STATE_RUNNING && instance->seen.state != GL_STATE_HALTED)
        return gl_fail(err, GL_E_GUEST, "%.40s is neither on nor off", id);
    if (instance->seen.state != to) {
        instance->seen.state = to;
        gl_memory_note_span(instance, ((struct memory_cloud *)cloud)->world,
                            to == GL_STATE_RUNNING);
    }
    return gl_memory_after(&fault, 0, err);
}

int gl_memory_halt(struct gl_cloud *cloud, const char *id, struct gl_error *err)
{
    return switch_power(cloud, id, GL_MEMORY_HALT, err);
}

int gl_memory_start(struct gl_cloud *cloud, const char *id, struct gl_error *err)
{
    return switch_power(cloud, id, GL_MEMORY_START, err);
}

/* The one of that name in that region, or a new one. */
static struct gl_memory_image *make_image(struct gl_memory_store *store, const char *region,
                                          const char *name, struct gl_error *err)
{
    struct gl_memory_image *free_one = NULL;

    for (size_t i = 0; i < GL_MEMORY_IMAGES; i++) {
        struct gl_memory_image *image = &store->images[i];

        if (image->is_there && strcmp(image->name, name) == 0 && strcmp(image->region, region) == 0)
            return image;
        if (!image->is_there && free_one == NULL)
            free_one = image;
    }
    if (free_one == NULL) {
        gl_fail(err, GL_E_QUOTA, "the memory cloud holds no more images");
        return NULL;
    }
    *free_one = (struct gl_memory_image){.is_there = true, .still_pending = store->image_steps};
    snprintf(free_one->name, sizeof free_one->name, "%s", name);
    snprintf(free_one->region, sizeof free_one->region, "%s", region);
    snprintf(free_one->seen.id, sizeof free_one->seen.id, "%.39s/img-%u", region, ++store->imaged);
    free_one->seen.bytes = INT64_C(2) << 30;
    free_one->seen.state = store->image_steps > 0 ? GL_IMAGE_PENDING : GL_IMAGE_READY;
    return free_one;
}

int gl_memory_image_create(struct gl_cloud *cloud, const char *id, const char *name,
                           struct gl_cloud_image *out, struct gl_error *err)
{
    struct gl_memory_store *store = gl_memory_store_of(cloud);
    struct gl_memory_fault fault = gl_memory_meet(store, GL_MEMORY_IMAGE_CREATE);
    const struct gl_memory_instance *instance;
    const struct gl_memory_image *image;

    if (gl_memory_before(&fault, err) < 0 || (instance = gl_memory_find(store, id, err)) == NULL)
        return -1;
    if (instance->seen.state != GL_STATE_HALTED)
        return gl_fail(err, GL_E_GUEST, "%.40s is not powered off", id);
    image = make_image(store, instance->seen.region, name, err);
    if (image == NULL || gl_memory_after(&fault, 0, err) < 0)
        return -1;
    *out = image->seen;
    return 0;
}

int gl_memory_image_copy(struct gl_cloud *cloud, const char *image, const char *region,
                         const char *name, struct gl_cloud_image *out, struct gl_error *err)
{
    struct gl_memory_store *store = gl_memory_store_of(cloud);
    struct gl_memory_fault fault = gl_memory_meet(store, GL_MEMORY_IMAGE_COPY);
    const struct gl_memory_image *from = find_image(store, image), *copy;

    if (gl_memory_before(&fault, err) < 0 || gl_memory_check(region, NULL, err) < 0)
        return -1;
    if (from == NULL || from->seen.state != GL_IMAGE_READY)
        return gl_fail(err, GL_E_NOT_FOUND, "there is no image %.40s to copy", image);
    copy = make_image(store, region, name, err);
    if (copy == NULL || gl_memory_after(&fault, 0, err) < 0)
        return -1;
    *out = copy->seen;
    return 0;
}

int gl_memory_image_look(struct gl_cloud *cloud, const char *image, struct gl_cloud_image *out,
                         struct gl_error *err)
{
    struct gl_memory_store *store = gl_memory_store_of(cloud);
    struct gl_memory_fault fault = gl_memory_meet(store, GL_MEMORY_IMAGE_LOOK);
    struct gl_memory_image *found = find_image(store, image);

    if (gl_memory_before(&fault, err) < 0)
        return -1;
    if (found != NULL && found->seen.state == GL_IMAGE_PENDING && found->still_pending-- == 0)
        found->seen.state = GL_IMAGE_READY;
    if (gl_memory_after(&fault, 0, err) < 0)
        return -1;
    if (found != NULL) {
        *out = found->seen;
        return 0;
    }
    *out = (struct gl_cloud_image){.state = GL_IMAGE_ABSENT, .bytes = GL_UNKNOWN};
    snprintf(out->id, sizeof out->id, "%.120s", image);
    return 0;
}

int gl_memory_image_delete(struct gl_cloud *cloud, const char *image, struct gl_error *err)
{
    struct gl_memory_store *store = gl_memory_store_of(cloud);
    struct gl_memory_fault fault = gl_memory_meet(store, GL_MEMORY_IMAGE_DELETE);
    struct gl_memory_image *found = find_image(store, image);

    if (gl_memory_before(&fault, err) < 0)
        return -1;
    if (found != NULL)
        found->is_there = false;
    return gl_memory_after(&fault, 0, err);
}

int gl_memory_image_find(struct gl_cloud *cloud, const char *id, const char *region,
                         const char *name, struct gl_cloud_image *out, struct gl_error *err)
{
    struct gl_memory_store *store = gl_memory_store_of(cloud);
    struct gl_memory_fault fault = gl_memory_meet(store, GL_MEMORY_IMAGE_FIND);

    (void)id;
    if (gl_memory_before(&fault, err) < 0 || gl_memory_after(&fault, 0, err) < 0)
        return -1;
    *out = (struct gl_cloud_image){.state = GL_IMAGE_ABSENT, .bytes = GL_UNKNOWN};
    for (size_t i = 0; i < GL_MEMORY_IMAGES; i++)
        if (store->images[i].is_there && strcmp(store->images[i].name, name) == 0 &&
            strcmp(store->images[i].region, region) == 0)
            *out = store->images[i].seen;
    return 0;
}
