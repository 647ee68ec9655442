/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_POLICY_ARENA_H
#define GL_POLICY_ARENA_H

/* Memory that is given back all at once. A policy is many small pieces that live exactly as long as
 * it does. Nothing taken is freed alone; gl_arena_done() ends everything. */

#include <stddef.h>

struct gl_arena {
    struct gl_arena_chunk *chunks; /* newest first */
};

/* Zeroed memory, aligned for any object; never NULL. */
void *gl_arena_take(struct gl_arena *arena, size_t size);
/* A NUL-terminated copy of `length` bytes. */
char *gl_arena_text(struct gl_arena *arena, const char *text, size_t length);
/* Room for item number `count` of an array whose first `count` items are at `items` (NULL when
 * there are none): the array itself, or a copy twice as large. Items are of `size` bytes. */
void *gl_arena_grow(struct gl_arena *arena, const void *items, size_t count, size_t size);
void gl_arena_done(struct gl_arena *arena);

#endif
