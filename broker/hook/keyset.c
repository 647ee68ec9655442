/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/hook/keyset.h"

#include "base/error.h"

#include <stdlib.h>
#include <string.h>

#define SMALLEST 64

/* Open addressing, at most half full. */
struct gl_keyset_slot {
    const char *bytes; /* NULL = free */
    size_t length;
    uint64_t hash;
    size_t number;
};

/* FNV-1a, 64 bits. */
static uint64_t hash_of(const unsigned char *bytes, size_t length)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (size_t i = 0; i < length; i++)
        hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
    return hash;
}

static struct gl_keyset_slot *slot_of(const struct gl_keyset *set, const struct gl_keyset_slot *key)
{
    size_t at = (size_t)key->hash & (set->capacity - 1);

    while (set->slots[at].bytes != NULL &&
           (set->slots[at].hash != key->hash || set->slots[at].length != key->length ||
            memcmp(set->slots[at].bytes, key->bytes, key->length) != 0))
        at = (at + 1) & (set->capacity - 1);
    return &set->slots[at];
}

static void grow(struct gl_keyset *set)
{
    struct gl_keyset larger = *set;

    larger.capacity = set->capacity != 0 ? set->capacity * 2 : SMALLEST;
    larger.slots = gl_alloc(larger.capacity * sizeof *larger.slots);
    for (size_t i = 0; i < set->capacity; i++)
        if (set->slots[i].bytes != NULL)
            *slot_of(&larger, &set->slots[i]) = set->slots[i];
    free(set->slots);
    *set = larger;
}

size_t gl_keyset_add(struct gl_keyset *set, const void *bytes, size_t length, bool *out_is_new)
{
    struct gl_keyset_slot key = {.bytes = bytes, .length = length, .hash = hash_of(bytes, length)};
    struct gl_keyset_slot *slot;

    if (set->count * 2 >= set->capacity)
        grow(set);
    slot = slot_of(set, &key);
    *out_is_new = slot->bytes == NULL;
    if (*out_is_new) {
        *slot = key;
        slot->bytes = gl_arena_text(&set->arena, bytes, length);
        slot->number = set->count++;
    }
    return slot->number;
}

size_t gl_keyset_find(const struct gl_keyset *set, const void *bytes, size_t length)
{
    struct gl_keyset_slot key = {.bytes = bytes, .length = length, .hash = hash_of(bytes, length)};
    const struct gl_keyset_slot *slot = set->capacity != 0 ? slot_of(set, &key) : NULL;

    return slot != NULL && slot->bytes != NULL ? slot->number : SIZE_MAX;
}

void gl_keyset_done(struct gl_keyset *set)
{
    free(set->slots);
    gl_arena_done(&set->arena);
    *set = (struct gl_keyset){0};
}
