/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_TESTS_CLOUD_MEMORY_H
#define GL_TESTS_CLOUD_MEMORY_H

/* The reference cloud: instances are rows of memory that child processes share, so that a test can
 * kill a launcher and look from outside. Does what providers/cloud/cloud.h says and nothing more;
 * with faults to order, for everything that drives a cloud. */

#include "providers/cloud/cloud.h"

#define GL_MEMORY_REGION    "memory-1"
#define GL_MEMORY_REGION_2  "memory-2"
#define GL_MEMORY_TYPE      "tiny"
#define GL_MEMORY_INSTANCES 64
#define GL_MEMORY_SPANS_MAX 64
#define GL_MEMORY_IMAGES    16

enum gl_memory_op {
    GL_MEMORY_WHOAMI,
    GL_MEMORY_PRICE,
    GL_MEMORY_LAUNCH,
    GL_MEMORY_DESCRIBE,
    GL_MEMORY_FIND,
    GL_MEMORY_LIST,
    GL_MEMORY_STOP,
    GL_MEMORY_TERMINATE,
    GL_MEMORY_CONSOLE,
    GL_MEMORY_ATTACH,
    GL_MEMORY_SUSPEND,
    GL_MEMORY_RESUME,
    GL_MEMORY_MOVE,
    GL_MEMORY_SPANS,
    GL_MEMORY_HALT,
    GL_MEMORY_START,
    GL_MEMORY_IMAGE_CREATE,
    GL_MEMORY_IMAGE_COPY,
    GL_MEMORY_IMAGE_LOOK,
    GL_MEMORY_IMAGE_DELETE,
    GL_MEMORY_IMAGE_FIND,
    GL_MEMORY_OPS,
};

/* What goes wrong with the next `times` calls of an operation. */
struct gl_memory_fault {
    unsigned times;
    enum gl_errc code;
    bool acts_first;   /* it is done all the same: only the answer is lost */
    bool kills_caller; /* _exit(99) instead of an answer: a crash at that moment */
};

struct gl_memory_instance {
    bool is_there;
    struct gl_instance seen;
    unsigned still_launching; /* describes that still say "launching" */
    size_t span_count;
    struct gl_instance_span spans[GL_MEMORY_SPANS_MAX];
    size_t console_length;
    char console[16384];
};

struct gl_memory_image {
    bool is_there;
    char name[GL_CLOUD_ID], region[40];
    struct gl_cloud_image seen;
    unsigned still_pending; /* looks that still say "pending" */
};

/* All of it; shared memory. Tests may read and change everything. */
struct gl_memory_store {
    struct gl_memory_fault faults[GL_MEMORY_OPS];
    unsigned calls[GL_MEMORY_OPS];
    unsigned launched;         /* instances really started, ever */
    unsigned launch_steps;     /* new instances stay "launching" for so many describes */
    int command_status;        /* what attach() returns */
    int64_t price_u_usd_per_h; /* GL_UNKNOWN = does not say */
    unsigned image_steps;      /* new images stay "pending" for so many looks */
    unsigned imaged;           /* images really made, ever */
    struct gl_memory_image images[GL_MEMORY_IMAGES];
    const char *command_output; /* what attach() hands to on_stdout; NULL = nothing */
    struct gl_memory_instance instances[GL_MEMORY_INSTANCES];
};

struct gl_memory_store *gl_memory_store_new(void);
void gl_memory_store_free(struct gl_memory_store *store);
/* A cloud over the store, named "memory"; several may be open. Close with gl_cloud_close(). */
struct gl_cloud *gl_memory_cloud_open(struct gl_memory_store *store, const struct gl_world *world);
/* Running instances. */
unsigned gl_memory_running(const struct gl_memory_store *store);
/* Images, and instances that are running and not powered off. */
unsigned gl_memory_images(const struct gl_memory_store *store);
unsigned gl_memory_on(const struct gl_memory_store *store);
/* Append console text to an instance. */
void gl_memory_write_console(struct gl_memory_store *store, const char *id, const char *text);

#endif
