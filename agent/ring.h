/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_AGENT_RING_H
#define GL_AGENT_RING_H

/* A fixed ring of bytes between a command and a host that may not be reading. Never grows: when it
 * is full the writer either waits or pushes the oldest bytes out, which are counted. */

#include "base/error.h"

#define GL_RING_BYTES ((size_t)256 << 10)

struct gl_ring {
    size_t start, used;
    uint64_t dropped; /* bytes pushed out so far */
    char bytes[GL_RING_BYTES];
};

/* Add bytes, pushing out the oldest as needed. */
void gl_ring_push(struct gl_ring *ring, const void *bytes, size_t length);
/* The longest run of bytes that lies in one piece; *out_length 0 when empty. */
const char *gl_ring_front(const struct gl_ring *ring, size_t *out_length);
/* Forget `length` bytes of the front. */
void gl_ring_pop(struct gl_ring *ring, size_t length);
static inline size_t gl_ring_room(const struct gl_ring *ring)
{
    return GL_RING_BYTES - ring->used;
}

#endif
