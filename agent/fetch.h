/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_AGENT_FETCH_H
#define GL_AGENT_FETCH_H

/* Handing out one file or folder as a cpio archive. A child process walks and reads, inside the
 * root of the command, so that neither a slow disk nor a link in a folder harms the guest. */

#include "base/error.h"

#include <sys/types.h>

#define GL_FETCH_MAX ((uint64_t)64 << 20)

struct gl_fetch {
    pid_t pid;     /* 0 = none under way */
    int fd;        /* archive bytes; ends at the end of the archive */
    int reason_fd; /* why it failed, one line */
};

/* Begin to read `path` inside `root` ("" = none). Errors: IO. */
int gl_fetch_start(struct gl_fetch *fetch, const char *root, const char *path,
                   struct gl_error *err);
/* Some bytes of the archive: their number, 0 at its end, -1 when none are there yet. */
ssize_t gl_fetch_read(struct gl_fetch *fetch, char *out, size_t room);
/* After the end: the reason of a failure into out, true if there is one. Closes all. */
bool gl_fetch_end(struct gl_fetch *fetch, char *out, size_t room);
/* {"path":"/out/result"} into out. Errors: BAD_VALUE. */
int gl_fetch_parse(const char *bytes, size_t length, char *out, size_t room, struct gl_error *err);

#endif
