/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_AGENT_SEGMENT_H
#define GL_AGENT_SEGMENT_H

/* Chunks and segment files of a spool, for agent/spool*.c only. */

#include "agent/spool.h"

#define GL_CHUNK_MAX    (GL_CHUNK_HEADER + GL_RECORD_MAX)
#define GL_SEGMENT_NAME 16

/* CRC-32C (Castagnoli, RFC 3720 appendix B.4). */
uint32_t gl_crc32c(const void *bytes, size_t length);
/* Length, checksum, type and bytes of a chunk into out; returns its size. */
size_t gl_chunk_write(enum gl_chunk type, const void *bytes, size_t length, char out[GL_CHUNK_MAX]);
size_t gl_chunk_write_number(enum gl_chunk type, uint64_t number, char out[GL_CHUNK_MAX]);

char *gl_segment_name(uint32_t segment, char out[GL_SEGMENT_NAME]);
/* Lowest and highest segment in the folder; false when there is none. */
bool gl_segment_range(int folder_fd, uint32_t *out_first, uint32_t *out_last);

/* A walk over the chunks of segments first..last. */
struct gl_chunk_reader {
    int folder_fd, fd;
    uint32_t segment, last;
    uint64_t offset; /* of the present chunk; after a failure: where sound data ends */
    uint64_t next;
    const char *problem; /* why the walk stopped, NULL at the end */
    enum gl_chunk type;
    size_t length;
    char bytes[GL_RECORD_MAX];
};

void gl_chunk_reader_begin(struct gl_chunk_reader *reader, int folder_fd, uint32_t first,
                           uint32_t last);
/* Start at this place of the first segment instead of its beginning. */
void gl_chunk_reader_skip(struct gl_chunk_reader *reader, uint64_t offset);
/* The next chunk; false at the end or at the first unsound byte. */
bool gl_chunk_reader_next(struct gl_chunk_reader *reader);
void gl_chunk_reader_end(struct gl_chunk_reader *reader);
/* The number in an S, D, B or E chunk; false if it holds none. */
bool gl_chunk_number(const struct gl_chunk_reader *reader, uint64_t *out);

/* A chunk into the present segment, beginning a new one when it is full. False when it could not be
 * written whole: then nothing of it is there. */
bool gl_spool_put(struct gl_spool *spool, const char *chunk, size_t length);
/* Begin a new segment after the present one. */
bool gl_spool_begin_segment(struct gl_spool *spool, uint32_t segment);
void gl_spool_drop_segments(struct gl_spool *spool, uint32_t first, uint32_t end);
/* Merge the oldest records that nobody can have seen; false when that gained nothing. */
bool gl_spool_compact(struct gl_spool *spool);

#endif
