/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_PROVIDERS_LOCAL_LINK_H
#define GL_PROVIDERS_LOCAL_LINK_H

/* Unix sockets of an instance's folder, and the frames (base/frame.h) on its control socket.
 * Sockets are named through /proc/self/fd, so the 107 bytes of sun_path never limit where the state
 * folder lies. Nothing here blocks longer than it is told to. A guest's control socket serves one
 * client at a time: a second one is connected but not answered until the first has gone. */

#include "base/frame.h"

/* Connect to, or listen on, `name` in `folder`; the descriptor is non-blocking and closed on exec.
 * Errors: IO with sys (ECONNREFUSED, ENOENT: nobody listens). */
int gl_local_connect(const char *folder, const char *name, struct gl_error *err);
int gl_local_listen(const char *folder, const char *name, struct gl_error *err);
/* Milliseconds that never step back: real ones, because real processes are waited for. */
int64_t gl_local_clock_ms(void);

#define GL_LINK_QUEUE_MAX ((size_t)1 << 20)

struct gl_link {
    int fd;
    bool is_closed;    /* the other side has gone */
    struct gl_str out; /* frames not written yet, from out_at on */
    size_t out_at;
    struct gl_frame_reader in;
};

/* Connect to the socket `name` of an instance's folder. *link must be all zero or closed. */
int gl_link_open(struct gl_link *link, const char *folder, const char *name, struct gl_error *err);
void gl_link_close(struct gl_link *link);

/* Queue one frame (at most GL_FRAME_MAX bytes). TOO_LARGE when the queue is full. */
int gl_link_put(struct gl_link *link, char type, const void *bytes, size_t length,
                struct gl_error *err);
size_t gl_link_pending(const struct gl_link *link);
/* Write and read what can be written and read, waiting at most timeout_ms for either or for
 * `also_fd` (-1 = none) to become readable; *out_also tells the latter (may be NULL). Sets
 * is_closed at the end of the stream. */
void gl_link_wait(struct gl_link *link, int also_fd, int64_t timeout_ms, bool *out_also);
/* The next whole frame among what was read. */
bool gl_link_next(struct gl_link *link, struct gl_frame *out);
/* Leave so that nothing on its way is lost: say that we send no more, and read until the other side
 * has closed; a plain close would let QEMU drop what it has not read yet. GUEST after timeout_ms.
 * What comes meanwhile is dropped: who wants it calls gl_link_shut() alone, and goes on reading. */
int gl_link_part(struct gl_link *link, int64_t timeout_ms, struct gl_error *err);
int gl_link_shut(struct gl_link *link, struct gl_error *err);
/* Write the queue out; GUEST when the other side takes nothing for timeout_ms or has gone. Frames
 * that come meanwhile and are no hello are dropped. */
int gl_link_flush(struct gl_link *link, int64_t timeout_ms, struct gl_error *err);

#endif
