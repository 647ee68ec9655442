/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BASE_FRAME_H
#define GL_BASE_FRAME_H

/* The control channel between a local instance and the broker: typed frames over any byte stream
 * (virtio-serial, ISA serial, socket pair). Little-endian header: magic 'G' 'L', type, 0, length
 * (u32). The reader finds the next frame after garbage and never holds more than one frame.
 *
 *   guest -> broker                          broker -> guest
 *   'H' hello   {"boot","command","held",    'C' config  {"launch", ...}: the config object
 *                "meter","state","status",   'P' payload bytes of a newc cpio archive, in order
 *   'O' stdout bytes of the command          'G' go: payload complete, run the command
 *   'R' stderr bytes                         'I' stdin bytes; empty = end
 *   'X' exit    {"status"} of the command    'S' stop: final reading, then power off
 *   'F' file    bytes of a cpio; empty = end 'Q' fetch {"path"}: answered by 'F' frames
 *   'Z' stopped: final reading is written    'W' who: answered by 'H'; lets O, R and X go out,
 *                                                which are held from 'G' on and whenever the
 *                                                broker has gone
 *                                            'B' back soon: holds output, and the command waits;
 *                                                answered by 'H'
 *                                            'T' time {"lease_ms","now_ms","v"}: as 'B', and sets
 *                                                the wall clock and what is left of the lease,
 *                                                after the machine stood still
 *
 * "state" is "waiting" (for 'C'), "ready" (no command), "running" or "exited" (then "status").
 */

#include "base/str.h"

#define GL_FRAME_HEADER 8
#define GL_FRAME_MAX    ((size_t)64 << 10)

struct gl_frame {
    char type;
    size_t length;
    const char *payload; /* borrowed from the reader until the next call */
};

struct gl_frame_reader {
    char buffer[GL_FRAME_HEADER + GL_FRAME_MAX];
    size_t used;      /* bytes in the buffer */
    size_t consumed;  /* of them, already given out */
    uint64_t skipped; /* bytes of garbage passed over */
};

/* Room for more input; write at most *out_length bytes there, then call gl_frame_reader_fed(). */
char *gl_frame_reader_space(struct gl_frame_reader *reader, size_t *out_length);
void gl_frame_reader_fed(struct gl_frame_reader *reader, size_t length);
/* The next whole frame: true and *out, or false when more input is needed. */
bool gl_frame_reader_next(struct gl_frame_reader *reader, struct gl_frame *out);
/* Fill the header of a frame of `length` <= GL_FRAME_MAX payload bytes. */
void gl_frame_header(char type, size_t length, char out[GL_FRAME_HEADER]);

#endif
