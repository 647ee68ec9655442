/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_AGENT_SINK_H
#define GL_AGENT_SINK_H

/* Where console lines go: a serial port, or a file that is only appended to. Never blocks: a line
 * that could not be written whole is carried on at the next try. */

#include "base/error.h"

struct gl_sink {
    int fd;      /* -1 = no sink: lines count as written */
    size_t sent; /* bytes of the present line already written */
};

/* A terminal is set to raw output; a file is created 0600. Errors: IO. */
int gl_sink_open(struct gl_sink *sink, const char *path, struct gl_error *err);
/* An open descriptor (not closed by the sink). */
void gl_sink_of_fd(struct gl_sink *sink, int fd);
/* Write the line, or the rest of it: true when all of it is out. The same line must be given until
 * then. */
bool gl_sink_send(struct gl_sink *sink, const char *line, size_t length);
/* The same, trying for at most wait_ms. */
bool gl_sink_send_for(struct gl_sink *sink, const char *line, size_t length, int64_t wait_ms);
/* Wait until a terminal has sent what was written to it, at most wait_ms. */
void gl_sink_drain(const struct gl_sink *sink, int64_t wait_ms);

#endif
