/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/ring.h"

#include <string.h>

/* Copy into the free part, which may wrap round once. */
static void append(struct gl_ring *ring, const char *bytes, size_t length)
{
    size_t at = (ring->start + ring->used) % GL_RING_BYTES;
    size_t first = length < GL_RING_BYTES - at ? length : GL_RING_BYTES - at;

    memcpy(ring->bytes + at, bytes, first);
    memcpy(ring->bytes, bytes + first, length - first);
    ring->used += length;
}

void gl_ring_push(struct gl_ring *ring, const void *bytes, size_t length)
{
    const char *from = bytes;

    if (length > GL_RING_BYTES) {
        ring->dropped += length - GL_RING_BYTES;
        from += length - GL_RING_BYTES;
        length = GL_RING_BYTES;
    }
    if (length > gl_ring_room(ring)) {
        size_t out = length - gl_ring_room(ring);

        ring->dropped += out;
        gl_ring_pop(ring, out);
    }
    append(ring, from, length);
}

const char *gl_ring_front(const struct gl_ring *ring, size_t *out_length)
{
    size_t to_end = GL_RING_BYTES - ring->start;

    *out_length = ring->used < to_end ? ring->used : to_end;
    return ring->bytes + ring->start;
}

void gl_ring_pop(struct gl_ring *ring, size_t length)
{
    if (length > ring->used)
        length = ring->used;
    ring->start = (ring->start + length) % GL_RING_BYTES;
    ring->used -= length;
}
