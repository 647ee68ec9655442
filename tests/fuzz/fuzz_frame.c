/* SPDX-License-Identifier: Apache-2.0 */
#include "base/frame.h"

#include <stdlib.h>
#include <string.h>

/* The control channel's reader on any bytes: whatever the pieces, the same frames come out, and
 * every byte is in a frame, skipped or still waiting. */

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

struct tally {
    uint64_t frames, payload, hash, skipped;
};

static void take_frames(struct gl_frame_reader *reader, struct tally *tally)
{
    struct gl_frame frame;

    while (gl_frame_reader_next(reader, &frame)) {
        if (frame.length > GL_FRAME_MAX || frame.payload < reader->buffer ||
            frame.payload + frame.length > reader->buffer + sizeof reader->buffer)
            abort();
        tally->frames++;
        tally->payload += frame.length;
        tally->hash = tally->hash * 31 + (unsigned char)frame.type;
        for (size_t i = 0; i < frame.length; i++)
            tally->hash = tally->hash * 31 + (unsigned char)frame.payload[i];
    }
}

static struct tally read_in_pieces(const uint8_t *bytes, size_t size, size_t piece)
{
    struct gl_frame_reader *reader = gl_alloc(sizeof *reader);
    struct tally tally = {0};
    size_t room, fed = 0;

    while (fed < size) {
        char *space = gl_frame_reader_space(reader, &room);
        size_t some = size - fed < piece ? size - fed : piece;

        if (room == 0)
            abort();
        some = some < room ? some : room;
        memcpy(space, bytes + fed, some);
        gl_frame_reader_fed(reader, some);
        fed += some;
        take_frames(reader, &tally);
    }
    tally.skipped = reader->skipped;
    if (tally.skipped + tally.payload + tally.frames * GL_FRAME_HEADER + reader->used -
            reader->consumed !=
        size)
        abort();
    free(reader);
    return tally;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct tally whole, pieces;

    if (size == 0)
        return 0;
    whole = read_in_pieces(bytes + 1, size - 1, SIZE_MAX);
    pieces = read_in_pieces(bytes + 1, size - 1, (size_t)bytes[0] + 1);
    if (memcmp(&whole, &pieces, sizeof whole) != 0)
        abort();
    return 0;
}
