/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_AGENT_SPOOL_H
#define GL_AGENT_SPOOL_H

/* Records on disk until they are handed over: a folder of append-only segments of 256 KiB, each a
 * sequence of chunks "length, CRC-32C, type, bytes". What was cut off by a kill or a power failure
 * is found by length, checksum and the chain of hashes, and truncated away. Beyond 8 MiB the oldest
 * handed-over records are dropped, else the oldest others are merged in pairs: time resolution is
 * lost, energy never. Never more than 16 MiB, and 8 of those only while it merges. Records that may
 * have been seen by somebody are never told in another way. The key of the chain lies beside them,
 * mode 0600. One process at a time. */

#include "agent/chain.h"

#include <sys/types.h>

#define GL_SPOOL_SEGMENT ((uint64_t)256 << 10)
#define GL_SPOOL_LIVE    ((uint64_t)8 << 20)
#define GL_SPOOL_MOST    ((uint64_t)16 << 20)
#define GL_CHUNK_HEADER  9

enum gl_chunk {
    GL_CHUNK_RECORD = 'R',
    GL_CHUNK_SENDING = 'S',  /* records up to this seq may be seen from now on */
    GL_CHUNK_SENT = 'D',     /* and have arrived */
    GL_CHUNK_BASE = 'B',     /* a merged copy begins: all before this segment is void ... */
    GL_CHUNK_BASE_END = 'E', /* ... once the copy is whole */
};

/* Writing, so that tests can break it at any byte. */
struct gl_spool_io {
    void *cookie;
    ssize_t (*write)(void *cookie, int fd, const void *bytes, size_t length, off_t offset);
    int (*sync)(void *cookie, int fd);
};

struct gl_spool {
    struct gl_spool_io io;
    int folder_fd, lock_fd, fd; /* fd: the segment being written */
    uint32_t first_segment, segment;
    uint64_t offset; /* in it */
    uint64_t total;  /* bytes of all segments */
    uint64_t sending_seq, sent_seq;
    uint32_t unsent_segment; /* where the records after sent_seq begin */
    uint64_t unsent_offset;
    uint32_t taken_segment; /* where the last walk stopped */
    uint64_t taken_offset;
    struct gl_chain_head head;
    uint64_t live_most, bytes_most; /* GL_SPOOL_LIVE and GL_SPOOL_MOST; smaller in tests */
};

/* Make the folder if needed, lock it, recover what is in it. `io` NULL = the real one. Errors:
 * LOCKED, IO, DISK_FULL. */
int gl_spool_open(struct gl_spool *spool, const char *folder, const struct gl_spool_io *io,
                  struct gl_error *err);
void gl_spool_close(struct gl_spool *spool);
/* The seed of the signing key: read, or made from random bytes and stored at the first call. */
int gl_spool_seed(struct gl_spool *spool, uint8_t out[32], struct gl_error *err);
/* The end of the chain, all zero for a new spool. */
void gl_spool_head(const struct gl_spool *spool, struct gl_chain_head *out);

/* Add one record. False when it could not be written whole: then nothing of it is there. */
bool gl_spool_append(struct gl_spool *spool, const struct gl_reading *reading, const char *text,
                     size_t length, const struct gl_hash *hash);
/* Before records up to `seq` are handed over: told to the disk and synced. If the disk is full they
 * are handed over all the same: after a restart the same bytes would go out again first. */
void gl_spool_sending(struct gl_spool *spool, uint64_t seq);
/* They have arrived: the last walk of gl_spool_each() ended with `seq`. */
void gl_spool_sent(struct gl_spool *spool, uint64_t seq);
bool gl_spool_sync(struct gl_spool *spool);
/* Drop or merge if there is too much; *head is the chain's new end afterwards. */
void gl_spool_make_room(struct gl_spool *spool, struct gl_chain_head *head);

/* Call `take` for each record after `after_seq` (not below sent_seq) in order until it returns
 * false. */
void gl_spool_each(struct gl_spool *spool, uint64_t after_seq,
                   bool (*take)(void *cookie, const struct gl_reading *reading, const char *text,
                                size_t length, const struct gl_hash *hash),
                   void *cookie);

/* What a walk over a spool found; `problem` NULL when every byte is sound. */
struct gl_spool_report {
    uint64_t records, first_seq, last_seq, segments;
    struct gl_hash head;
    const char *problem;
    uint32_t problem_segment;
    uint64_t problem_offset;
};
/* Check a spool folder without changing it. Errors: IO, NOT_FOUND (no segment). */
int gl_spool_check(const char *folder, struct gl_spool_report *out, struct gl_error *err);

#endif
