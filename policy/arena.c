/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/arena.h"

#include "base/error.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_BYTES ((size_t)512) /* many hold a few texts and no more */
#define CHUNK_BYTES ((size_t)8 << 10)

struct gl_arena_chunk {
    struct gl_arena_chunk *older;
    size_t used, size;
    alignas(max_align_t) unsigned char bytes[];
};

/* One that a large piece fills goes behind the newest, whose rest is still of use. */
static struct gl_arena_chunk *add_chunk(struct gl_arena *arena, size_t wanted)
{
    struct gl_arena_chunk **place = &arena->chunks;
    size_t room = *place == NULL ? FIRST_BYTES : CHUNK_BYTES;
    size_t size = wanted > room ? wanted : room;
    struct gl_arena_chunk *chunk = gl_alloc(sizeof *chunk + size);

    if (*place != NULL && wanted == size)
        place = &(*place)->older;
    chunk->size = size;
    chunk->older = *place;
    *place = chunk;
    return chunk;
}

void *gl_arena_take(struct gl_arena *arena, size_t size)
{
    const size_t step = alignof(max_align_t);
    size_t rounded = (size + step - 1) / step * step;
    struct gl_arena_chunk *chunk = arena->chunks;
    void *taken;

    if (chunk == NULL || chunk->size - chunk->used < rounded)
        chunk = add_chunk(arena, rounded);
    taken = chunk->bytes + chunk->used;
    chunk->used += rounded;
    return taken;
}

char *gl_arena_text(struct gl_arena *arena, const char *text, size_t length)
{
    char *copy = gl_arena_take(arena, length + 1);

    if (length > 0)
        memcpy(copy, text, length);
    return copy;
}

void *gl_arena_grow(struct gl_arena *arena, const void *items, size_t count, size_t size)
{
    void *larger;

    /* Full exactly at the powers of two from four on, which is when a copy was last made. */
    if (count != 0 && (count < 4 || (count & (count - 1)) != 0))
        return (void *)(uintptr_t)items;
    larger = gl_arena_take(arena, (count < 4 ? 4 : count * 2) * size);
    if (count > 0)
        memcpy(larger, items, count * size);
    return larger;
}

void gl_arena_done(struct gl_arena *arena)
{
    while (arena->chunks != NULL) {
        struct gl_arena_chunk *older = arena->chunks->older;

        free(arena->chunks);
        arena->chunks = older;
    }
}
