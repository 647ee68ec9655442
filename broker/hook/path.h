/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_HOOK_PATH_H
#define GL_BROKER_HOOK_PATH_H

/* Paths of the mapping as parsed; mapping.h has their grammar and how they are evaluated. Internal
 * to the mapping. */

#include "broker/hook/mapping.h"

#define GL_PATH_MAX_STEPS 12
#define GL_PATH_MAX_DEPTH 4 /* references and groups within each other */

/* One name, as Terraform and as Pulumi write it. */
struct gl_path_step {
    const char *name, *camel, *plural;
};
struct gl_path_term {
    const char *constant;             /* text after "="; NULL = attributes */
    const struct gl_path_term *guard; /* "enabled" of "enabled ? count"; NULL */
    const struct gl_path_step *steps; /* NULL: of the resource itself, "(b ; c)" */
    size_t step_count;
    const char *attribute;           /* the names with dots: what follow() is asked for */
    const char *follow;              /* type of the resource referred to; NULL */
    const struct gl_path *rest;      /* in the followed resource or in every item; NULL = value */
    const struct gl_path_term *next; /* added to it; NULL */
};
struct gl_path_choice {
    const struct gl_path_term *terms;
    const struct gl_path_choice *next;
};
struct gl_path {
    const char *text;
    const struct gl_path_choice *first;
};

/* What is wrong with a path, and at which byte. */
struct gl_path_fault {
    const char *reason;
    size_t offset;
};

/* The path of a text in `arena`; NULL with *out_fault filled. */
const struct gl_path *gl_path_parse(const char *text, struct gl_arena *arena,
                                    struct gl_path_fault *out_fault);
/* The names with dots of its first term: "launch_template.id"; "" for a constant. */
const char *gl_path_attribute(const struct gl_path *path);
/* Does the path read `attribute` (by any of its names) of the resource itself? */
bool gl_path_has_head(const struct gl_path *path, const char *attribute);
/* Does it read `attribute` of a resource of `type` that it follows to? attribute NULL: anything. */
bool gl_path_follows(const struct gl_path *path, const char *type, const char *attribute);

#endif
