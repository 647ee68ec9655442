/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_HOOK_PATH_WALK_H
#define GL_BROKER_HOOK_PATH_WALK_H

/* Shared by path_walk.c (steps, references, takers), path_choice.c (which alternative counts) and
 * path_eval.c (what callers ask). */

#include "broker/hook/path.h"

/* A place in a resource: its value, and what is said there of what is known later. Both may be
 * NULL. */
struct gl_spot {
    const struct gl_attributes *of;
    const struct gl_jnode *value, *later;
};

/* An attribute that is hidden, by its names. */
struct gl_hidden {
    const struct gl_path_step *steps; /* NULL = nothing */
    size_t count;
    const char *of; /* address of the resource that a reference led to; NULL */
};

struct gl_walk {
    const struct gl_follower *follower;
    void (*take)(struct gl_walk *walk, const struct gl_spot *spot, const char *constant);
    size_t values; /* taken */
    bool has_null, has_later, has_unsaid;
    bool has_block;          /* where a text belongs */
    struct gl_hidden hidden; /* which is told later, too */
    struct gl_path_step within;
    unsigned follows;
    const char *how;    /* where a reference led */
    const char *inside; /* the attribute whose items are walked, by its whole name; NULL */
    /* of the takers */
    struct gl_arena *arena;
    const char **texts;
    size_t count, capacity;
    bool takes_all; /* of every resource that a reference may mean */
    int64_t sum;    /* or the furthest of them */
    bool is_number, is_most;
};

#define GL_WALK_NAME 512 /* of an attribute by its whole name */

/* ---- path_walk.c ---- */

void gl_walk_take(struct gl_walk *walk, const struct gl_spot *spot, const char *constant);
/* Takers: texts into `texts`, the sum of numbers, and what only looks. */
void gl_walk_take_text(struct gl_walk *walk, const struct gl_spot *spot, const char *constant);
void gl_walk_take_number(struct gl_walk *walk, const struct gl_spot *spot, const char *constant);
void gl_walk_take_nothing(struct gl_walk *walk, const struct gl_spot *spot, const char *constant);
/* A whole number that is not below 0. */
bool gl_walk_read_number(const struct gl_spot *spot, const char *constant, int64_t *out);

void gl_walk_steps(struct gl_walk *walk, const struct gl_path_term *term, size_t index,
                   const struct gl_spot *spot);
void gl_walk_follow(struct gl_walk *walk, const struct gl_path_term *term,
                    const struct gl_spot *spot);
/* "a.b" of the b in "a.(b ; c)". */
const char *gl_walk_whole_name(const struct gl_walk *walk, const struct gl_path_term *term,
                               char out[GL_WALK_NAME]);
/* Is it there at all, known or not? */
bool gl_walk_is_set(const struct gl_walk *walk, const struct gl_path_term *term,
                    const struct gl_spot *spot);

/* ---- path_choice.c ---- */

void gl_walk_path(struct gl_walk *walk, const struct gl_path *path, const struct gl_spot *spot);

#endif
