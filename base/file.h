/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BASE_FILE_H
#define GL_BASE_FILE_H

/* Whole files with a ceiling, atomic replacement, directories of our own. Refuses to follow a
 * symbolic link when it writes, and to read devices. */

#include "base/str.h"

/* Read a regular file (or stdin for "-") of at most `ceiling` bytes; *out is a fresh NUL-terminated
 * buffer of *out_length bytes, to be freed. Errors: IO (with sys ENOENT when there is none),
 * TOO_LARGE. */
int gl_file_read(const char *path, size_t ceiling, char **out, size_t *out_length,
                 struct gl_error *err);
/* The same for a file the user named: what cannot be read is their mistake (USAGE, exit 2). */
int gl_file_read_given(const char *path, size_t ceiling, char **out, size_t *out_length,
                       struct gl_error *err);
/* Replace `path` by these bytes so that a reader or a crash sees the old or the new file, never a
 * half: temporary file in the same folder, fsync, rename, fsync of the folder. Mode e.g. 0600. */
int gl_file_write(const char *path, const void *bytes, size_t length, unsigned mode,
                  struct gl_error *err);
/* The same for a file the user named: /dev/stdout, /dev/stderr, devices and pipes are written to as
 * they stand. gl_file_write() takes the place of none of them: IO. */
int gl_file_write_given(const char *path, const void *bytes, size_t length, unsigned mode,
                        struct gl_error *err);
/* Create `path` and its parents, mode 0700, fine when it exists as a directory. */
int gl_dir_make(const char *path, struct gl_error *err);
/* Remove a folder of ours and all inside; does not follow links; fine when it does not exist. */
int gl_dir_remove(const char *path, struct gl_error *err);
/* Is there anything at `path`? */
bool gl_file_exists(const char *path);
/* Take an exclusive lock on `path` (created 0600); returns an fd to close, or -1: LOCKED when held
 * by another process for longer than `wait_ms`. */
int gl_file_lock(const char *path, int64_t wait_ms, struct gl_error *err);
/* Write all bytes to fd, resuming after EINTR and short writes. */
int gl_fd_write(int fd, const void *bytes, size_t length, struct gl_error *err);
/* Join two path parts with one slash into a fresh string. */
char *gl_path_join(const char *folder, const char *name);
/* A name of an archive without what leads to its root: "/a/b" and "./a/b" are "a/b". Borrowed. */
const char *gl_path_below_root(const char *name);
/* Folder that holds the running program, borrowed, "" if unknown. */
const char *gl_path_of_program(void);

#endif
