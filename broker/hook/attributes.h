/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_HOOK_ATTRIBUTES_H
#define GL_BROKER_HOOK_ATTRIBUTES_H

/* What a document says of one resource, and what a path of the mapping reads of it. What the
 * document marks as a secret is GL_JHIDDEN in either tree: it is not known, as if it were told
 * later only, and settles that nothing else counts in its place. */

#include "base/jsonpull.h"
#include "policy/arena.h"

struct gl_path; /* of the mapping, parsed: broker/hook/mapping.h has their grammar */

/* How a reader answers what a path cannot see in the attributes themselves. All texts borrowed. */
enum gl_known {
    GL_KNOWN_ABSENT,
    GL_KNOWN_NULL,
    GL_KNOWN_UNSAID, /* =unknown: no attribute says it */
    GL_KNOWN_BLOCK,  /* a block of what is required, where a text belongs */
    GL_KNOWN_LATER,  /* known after apply, or behind a reference that cannot be followed */
    GL_KNOWN_VALUE,
};

struct gl_attributes {
    const struct gl_jtree *tree;
    const struct gl_jnode *values; /* object of attributes; NULL = none */
    const struct gl_jtree *unknown_tree;
    const struct gl_jnode *unknown; /* same shape, true where known after apply; NULL */
    const char *within;             /* the attribute whose members the paths begin at; NULL */
    const void *resource;           /* the reader's own, handed to follow() */
    const char *address;            /* of the resource, for texts that say how; NULL */
    bool is_past;                   /* as it was: what it refers to is read as that was, too */
};

#define GL_FOLLOWED_MAX 64

struct gl_follower {
    void *cookie;
    /* Attributes of every resource of `type` that `attribute` of `from` ("launch_template.id",
     * names only) may refer to, by value or by reference. Returns how many; 0 when it cannot be
     * told, or when there are more. */
    size_t (*follow)(void *cookie, const struct gl_attributes *from, const char *attribute,
                     const char *type, struct gl_attributes out[GL_FOLLOWED_MAX]);
    /* Is the attribute, or the block "a.b.", written in the configuration? 1 yes, 0 no (then what
     * is known later is what the provider fills in), -1 cannot be told. NULL = never. */
    int (*is_written)(void *cookie, const struct gl_attributes *from, const char *attribute);
    /* Is what the attribute says the same as before the change? NULL = never. */
    bool (*is_kept)(void *cookie, const struct gl_attributes *from, const char *attribute);
    bool hides; /* something in the document is GL_JHIDDEN */
};

/* All values a path gives, in order, as text in the arena. Returns how many; *out_known says what
 * the path came to when there is none. *out_how gets the address (or type) that was followed to,
 * else NULL; it may be NULL itself, as may `follower`. Where a reference may mean one of several
 * resources, what they do not all say is not known. */
size_t gl_path_texts(const struct gl_path *path, const struct gl_attributes *attributes,
                     const struct gl_follower *follower, struct gl_arena *arena, const char **out,
                     size_t capacity, enum gl_known *out_known, const char **out_how);
/* The same, of every resource that may be meant; GL_KNOWN_LATER, whatever texts there are, when
 * there may be others, and GL_KNOWN_BLOCK when a block stands in the place of one. */
size_t gl_path_choices(const struct gl_path *path, const struct gl_attributes *attributes,
                       const struct gl_follower *follower, struct gl_arena *arena, const char **out,
                       size_t capacity, enum gl_known *out_known, const char **out_how);
/* A whole number by a path; GL_UNKNOWN when it is not known. */
int64_t gl_path_number(const struct gl_path *path, const struct gl_attributes *attributes,
                       const struct gl_follower *follower, enum gl_known *out_known);
/* The least or the most of the whole numbers there; GL_UNKNOWN when one of them is not known. */
int64_t gl_path_furthest(const struct gl_path *path, const struct gl_attributes *attributes,
                         const struct gl_follower *follower, bool is_most,
                         enum gl_known *out_known);
/* Is any attribute that the path reads of the resource itself written? As is_written() answers;
 * 0 of NULL. */
int gl_path_written(const struct gl_path *path, const struct gl_attributes *attributes,
                    const struct gl_follower *follower);
/* The attribute it reads that is GL_JHIDDEN, here or where it follows to, in the arena: "type",
 * "instance_type of aws_launch_template.web". NULL = none. */
const char *gl_path_hidden(const struct gl_path *path, const struct gl_attributes *attributes,
                           const struct gl_follower *follower, struct gl_arena *arena);
/* First attribute name of a path, for the list of what is unknown: "instance_type". */
const char *gl_path_head(const struct gl_path *path);
/* "subnet_id -> aws_subnet.availability_zone", or a constant: what the attribute itself says is
 * not what is looked for. */
bool gl_path_is_followed(const struct gl_path *path);

#endif
