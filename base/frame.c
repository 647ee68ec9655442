/* SPDX-License-Identifier: Apache-2.0 */
#include "base/frame.h"

#include <string.h>

static const char magic[2] = {'G', 'L'};

static size_t header_length(const char *header)
{
    const unsigned char *at = (const unsigned char *)header + 4;

    return (size_t)at[0] | (size_t)at[1] << 8 | (size_t)at[2] << 16 | (size_t)at[3] << 24;
}

/* Could the first `have` bytes begin a frame? With a whole header the answer is final. */
static bool may_be_header(const char *at, size_t have)
{
    if (at[0] != magic[0] || (have > 1 && at[1] != magic[1]))
        return false;
    if ((have > 2 && (at[2] < 'A' || at[2] > 'Z')) || (have > 3 && at[3] != '\0'))
        return false;
    return have < GL_FRAME_HEADER || header_length(at) <= GL_FRAME_MAX;
}

/* Pass over bytes that no frame can begin with. A garbled header costs only its first byte, so
 * that a frame that begins inside it is still found. */
static void skip_garbage(struct gl_frame_reader *reader)
{
    while (reader->consumed < reader->used) {
        const char *at = reader->buffer + reader->consumed;
        size_t have = reader->used - reader->consumed;
        const char *next;

        if (may_be_header(at, have))
            return;
        next = memchr(at + 1, magic[0], have - 1);
        have = next != NULL ? (size_t)(next - at) : have;
        reader->consumed += have;
        reader->skipped += have;
    }
}

char *gl_frame_reader_space(struct gl_frame_reader *reader, size_t *out_length)
{
    skip_garbage(reader);
    reader->used -= reader->consumed;
    if (reader->consumed > 0)
        memmove(reader->buffer, reader->buffer + reader->consumed, reader->used);
    reader->consumed = 0;
    *out_length = sizeof reader->buffer - reader->used;
    return reader->buffer + reader->used;
}

void gl_frame_reader_fed(struct gl_frame_reader *reader, size_t length)
{
    size_t room = sizeof reader->buffer - reader->used;

    reader->used += length < room ? length : room;
}

bool gl_frame_reader_next(struct gl_frame_reader *reader, struct gl_frame *out)
{
    const char *at;
    size_t have, length;

    skip_garbage(reader);
    at = reader->buffer + reader->consumed;
    have = reader->used - reader->consumed;
    if (have < GL_FRAME_HEADER)
        return false;
    length = header_length(at);
    if (have < GL_FRAME_HEADER + length)
        return false;
    *out = (struct gl_frame){.type = at[2], .length = length, .payload = at + GL_FRAME_HEADER};
    reader->consumed += GL_FRAME_HEADER + length;
    return true;
}

void gl_frame_header(char type, size_t length, char out[GL_FRAME_HEADER])
{
    const char header[GL_FRAME_HEADER] = {
        magic[0],
        magic[1],
        type,
        '\0',
        (char)(length & 0xff),
        (char)(length >> 8 & 0xff),
        (char)(length >> 16 & 0xff),
        (char)(length >> 24 & 0xff),
    };

    memcpy(out, header, sizeof header);
}
