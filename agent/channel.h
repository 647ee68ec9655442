/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_AGENT_CHANNEL_H
#define GL_AGENT_CHANNEL_H

/* The guest's end of the control channel: a virtio-serial port, else the second ISA serial port,
 * else (process mode) a unix socket that the guest listens on. Never blocks: one frame at a time
 * waits to be sent, and the caller asks gl_channel_is_free() before it makes the next. A host that
 * goes away and comes back gets whole frames only. */

#include "base/frame.h"

#include <poll.h>

struct gl_channel {
    bool is_socket;
    int listen_fd;       /* -1 unless is_socket */
    int fd;              /* -1 while nobody is connected */
    bool is_deaf;        /* takes nothing more; what it sent before may still be read */
    bool is_up;          /* bytes have gone through since the last loss */
    bool was_lost;       /* set when the host went away; the owner clears it */
    bool is_paused;      /* hold back reading: the owner cannot take more now */
    int64_t retry_at_ms; /* look at a port without a host again then */
    int64_t progress_ms; /* when bytes last went out, or a frame began to wait */
    size_t out_length, out_sent;
    char out[GL_FRAME_HEADER + GL_FRAME_MAX];
    struct gl_frame_reader reader;
};

/* Listen on a unix socket at `path`, which is replaced. Errors: IO. */
int gl_channel_listen(struct gl_channel *channel, const char *path, struct gl_error *err);
/* Open the port named org.greenlaunch.0, waiting at most wait_ms for it to appear, else ttyS1 if a
 * write to it succeeds. Errors: NOT_FOUND. */
int gl_channel_open_port(struct gl_channel *channel, int64_t wait_ms, struct gl_error *err);
void gl_channel_close(struct gl_channel *channel);

/* Fill at most one entry for poll(); returns their number. *timeout_ms is lowered as needed. */
size_t gl_channel_poll(const struct gl_channel *channel, int64_t now_ms, struct pollfd out[1],
                       int64_t *timeout_ms);
/* Act on what poll() said about those entries: accept, read into the frame reader, send. */
void gl_channel_serve(struct gl_channel *channel, int64_t now_ms, const struct pollfd *polled,
                      size_t count);
/* The next whole frame that arrived. */
bool gl_channel_next(struct gl_channel *channel, struct gl_frame *out);

/* May a frame be put? */
bool gl_channel_is_free(const struct gl_channel *channel);
/* Where its payload of at most GL_FRAME_MAX bytes goes. */
char *gl_channel_payload(struct gl_channel *channel);
/* Send the payload written there. */
void gl_channel_put(struct gl_channel *channel, int64_t now_ms, char type, size_t length);
void gl_channel_put_text(struct gl_channel *channel, int64_t now_ms, char type, const char *text);

#endif
