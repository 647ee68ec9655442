/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_TESTS_CLOUD_MEMORY_PART_H
#define GL_TESTS_CLOUD_MEMORY_PART_H

/* What the files of the reference cloud share: cloud_memory.c, and cloud_memory_image.c for what is
 * powered off and imaged. */

#include "tests/conformance/cloud_memory.h"

struct memory_cloud {
    struct gl_cloud cloud;
    struct gl_memory_store *store;
    const struct gl_world *world;
};

struct gl_memory_store *gl_memory_store_of(struct gl_cloud *cloud);
struct gl_memory_instance *gl_memory_find(struct gl_memory_store *store, const char *id,
                                          struct gl_error *err);
/* UNKNOWN_NAME; `type` may be NULL. */
int gl_memory_check(const char *region, const char *type, struct gl_error *err);
/* The fault that this call meets, if any; counts the call. */
struct gl_memory_fault gl_memory_meet(struct gl_memory_store *store, enum gl_memory_op op);
/* -1 before anything was done. */
int gl_memory_before(const struct gl_memory_fault *fault, struct gl_error *err);
/* `got` and the answer, or the fault that eats it. */
int gl_memory_after(const struct gl_memory_fault *fault, int got, struct gl_error *err);
void gl_memory_note_span(struct gl_memory_instance *instance, const struct gl_world *world,
                         bool is_running);
/* Can be launched from in that region. */
bool gl_memory_image_fits(struct gl_memory_store *store, const char *id, const char *region);

int gl_memory_halt(struct gl_cloud *cloud, const char *id, struct gl_error *err);
int gl_memory_start(struct gl_cloud *cloud, const char *id, struct gl_error *err);
int gl_memory_image_create(struct gl_cloud *cloud, const char *id, const char *name,
                           struct gl_cloud_image *out, struct gl_error *err);
int gl_memory_image_copy(struct gl_cloud *cloud, const char *image, const char *region,
                         const char *name, struct gl_cloud_image *out, struct gl_error *err);
int gl_memory_image_look(struct gl_cloud *cloud, const char *image, struct gl_cloud_image *out,
                         struct gl_error *err);
int gl_memory_image_delete(struct gl_cloud *cloud, const char *image, struct gl_error *err);
int gl_memory_image_find(struct gl_cloud *cloud, const char *id, const char *region,
                         const char *name, struct gl_cloud_image *out, struct gl_error *err);

#endif
