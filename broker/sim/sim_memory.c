/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/sim/sim_memory.h"

#include <stdlib.h>
#include <string.h>

/* A few rules times the zones: looked through one by one. */
struct entry {
    struct gl_hash key;
    size_t size;
    void *bytes;
};

struct gl_sim_memory {
    size_t count;
    struct entry *entries;
};

static struct entry *find(struct gl_sim_memory *memory, const struct gl_hash *key)
{
    for (size_t i = 0; i < memory->count; i++)
        if (gl_hash_equal(&memory->entries[i].key, key))
            return &memory->entries[i];
    return NULL;
}

static bool load(void *cookie, const struct gl_hash *key, void *bytes, size_t size)
{
    const struct entry *entry = find(cookie, key);

    if (entry == NULL || entry->size != size)
        return false;
    memcpy(bytes, entry->bytes, size);
    return true;
}

static void save(void *cookie, const struct gl_hash *key, const void *bytes, size_t size)
{
    struct gl_sim_memory *memory = cookie;
    struct entry *entry = find(memory, key);

    if (entry == NULL) {
        memory->entries =
            gl_realloc(memory->entries, (memory->count + 1) * sizeof *memory->entries);
        entry = &memory->entries[memory->count++];
        *entry = (struct entry){.key = *key};
    }
    if (entry->size != size)
        entry->bytes = gl_realloc(entry->bytes, size);
    entry->size = size;
    memcpy(entry->bytes, bytes, size);
}

struct gl_sim_memory *gl_sim_memory_new(struct gl_book_memory *out)
{
    struct gl_sim_memory *memory = gl_alloc(sizeof *memory);

    *out = (struct gl_book_memory){.cookie = memory, .load = load, .save = save};
    return memory;
}

void gl_sim_memory_free(struct gl_sim_memory *memory)
{
    for (size_t i = 0; memory != NULL && i < memory->count; i++)
        free(memory->entries[i].bytes);
    free(memory != NULL ? memory->entries : NULL);
    free(memory);
}
