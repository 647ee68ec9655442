/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_HOOK_KEYSET_H
#define GL_BROKER_HOOK_KEYSET_H

/* Numbers for keys of bytes, in order of their first appearance: thousands of resources of a plan
 * are a few dozen of different kinds. */

#include "policy/arena.h"

#include <stdbool.h>
#include <stdint.h>

struct gl_keyset {
    struct gl_keyset_slot *slots;
    size_t capacity, count;
    struct gl_arena arena;
};

/* The number of a key; *out_is_new when it was not there. */
size_t gl_keyset_add(struct gl_keyset *set, const void *bytes, size_t length, bool *out_is_new);
/* The same without adding: SIZE_MAX when it is not there. */
size_t gl_keyset_find(const struct gl_keyset *set, const void *bytes, size_t length);
void gl_keyset_done(struct gl_keyset *set);

#endif
