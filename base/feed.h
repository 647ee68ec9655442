/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BASE_FEED_H
#define GL_BASE_FEED_H

/* Bytes of a document from a file, a pipe or memory, in order, once, in constant memory. What other
 * programs wrap around their documents is taken off here: gzip is inflated, UTF-16 with a byte
 * order mark becomes UTF-8, a UTF-8 mark is dropped. The ceilings count what comes out, so that a
 * compressed bomb ends early; what goes in may be twice that, for UTF-16. Sources: RFC 1952;
 * Unicode 15 section 23.8. */

#include "base/error.h"

#define GL_FEED_MAX_BYTES ((uint64_t)1 << 30) /* of one document, after inflating */
#define GL_FEED_BUFFER    ((size_t)64 << 10)

struct gl_feed;

/* A file, a pipe by name (/dev/fd/3), or "-" for standard input; `name` is what errors call the
 * input. NULL: IO. Free with gl_feed_close(). */
struct gl_feed *gl_feed_open(const char *path, const char *name, struct gl_error *err);
/* Reads the descriptor, which stays the caller's to close. Never NULL. */
struct gl_feed *gl_feed_of_fd(int fd, const char *name);
/* Reads the borrowed bytes. Never NULL. */
struct gl_feed *gl_feed_of_bytes(const void *bytes, size_t length, const char *name);
void gl_feed_limit(struct gl_feed *feed, uint64_t max_bytes); /* instead of GL_FEED_MAX_BYTES */
void gl_feed_close(struct gl_feed *feed);

/* The next bytes, borrowed until the next call; 0 bytes at the end. -1: IO, TOO_LARGE, SYNTAX (bad
 * gzip, half a UTF-16 unit), INTERRUPTED (a signal was handled while it waited). Errors name the
 * input. */
int gl_feed_next(struct gl_feed *feed, const char **out_bytes, size_t *out_length,
                 struct gl_error *err);
/* The same, at most `room` (above 0) of them, into the caller's memory: what needs no undressing
 * comes there straight from the file. */
int gl_feed_read(struct gl_feed *feed, char *to, size_t room, size_t *out_length,
                 struct gl_error *err);

const char *gl_feed_name(const struct gl_feed *feed);
uint64_t gl_feed_raw_bytes(const struct gl_feed *feed); /* read so far, before inflating */
/* Before the first byte: nobody will ask for the digest, so that it need not be worked out. */
void gl_feed_skip_digest(struct gl_feed *feed);
/* SHA-256 of the raw bytes, once the end was reached; zeros after gl_feed_skip_digest(). */
void gl_feed_digest(const struct gl_feed *feed, uint8_t out[32]);
/* What was taken off, for messages: "gzip", "UTF-16LE", "gzip, UTF-16LE", "". */
const char *gl_feed_coating(const struct gl_feed *feed);

#endif
