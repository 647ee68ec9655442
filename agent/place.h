/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_AGENT_PLACE_H
#define GL_AGENT_PLACE_H

/* Where the meter looks for /sys and /proc: the real ones, or a fixture tree below a prefix, whose
 * readings then can never pass for measured ones. Also the two clocks, and small files kept open.
 */

#include "base/error.h"

struct gl_place {
    const char *sysroot; /* "" = the real machine */
};

/* One instant on both clocks. */
struct gl_moment {
    int64_t boottime_ns; /* CLOCK_BOOTTIME: counts suspended time too, never steps */
    int64_t wall_ms;
};

struct gl_moment gl_moment_now(void);

/* Open `path` (absolute) for reading below the prefix; -1 with errno. */
int gl_place_open(const struct gl_place *place, const char *path);
/* Is this the kernel's own file: no prefix, and the file lies on sysfs? A tree that somebody bound
 * over /sys does not. */
bool gl_place_is_genuine(const struct gl_place *place, int fd);

/* Text of a file kept open, read anew from its start, cut at room - 1, NUL-terminated. Returns the
 * length, -1 when it cannot be read or is empty. */
int gl_read_text(int fd, char *out, size_t room);
/* A file that holds one decimal number; false for anything else, never 0 for an error. */
bool gl_read_number(int fd, uint64_t *out);
/* The same by folder and name: the first line without its newline, or the number. */
int gl_place_open_in(const struct gl_place *place, const char *folder, const char *name);
bool gl_place_line(const struct gl_place *place, const char *folder, const char *name, char *out,
                   size_t room);
bool gl_place_number(const struct gl_place *place, const char *folder, const char *name,
                     uint64_t *out);

#endif
