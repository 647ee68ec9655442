/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_AGENT_CPIO_H
#define GL_AGENT_CPIO_H

/* newc cpio archives ("070701", the format of Linux initramfs): unpacked as they arrive in pieces,
 * and written of a file or folder. Refuses names with ".." parts, and never leaves the root folder
 * through a symbolic link, whatever the archive or the folder holds. Owners are not restored. */

#include "base/error.h"

#define GL_CPIO_HEADER 110
#define GL_CPIO_NAME   4096
#define GL_CPIO_LINKS  256 /* files with several names whose first name is remembered */

enum gl_cpio_state { GL_CPIO_AT_HEADER, GL_CPIO_AT_NAME, GL_CPIO_AT_DATA, GL_CPIO_FAILED };

struct gl_cpio_link {
    uint32_t inode;
    char *name;
};

struct gl_cpio {
    int root_fd;
    enum gl_cpio_state state;
    char header[GL_CPIO_HEADER];
    char name[GL_CPIO_NAME];
    char target[GL_CPIO_NAME]; /* of a symbolic link */
    size_t have;               /* bytes of the present header, name (with padding) or data */
    size_t name_size;          /* with NUL */
    uint32_t mode, inode, link_count, data_size;
    uint32_t major, minor;
    int fd; /* the file being written, -1 = its data is passed over */
    bool has_trailer;
    uint64_t entries;
    struct gl_cpio_link links[GL_CPIO_LINKS];
    size_t link_count_kept;
};

/* Unpack below the folder `root`, which is made if it is not there. Errors: IO. */
int gl_cpio_begin(struct gl_cpio *cpio, const char *root, struct gl_error *err);
/* The next piece. After a failure (BAD_VALUE for the archive, IO, DISK_FULL) all further pieces
 * fail too. */
int gl_cpio_feed(struct gl_cpio *cpio, const char *bytes, size_t length, struct gl_error *err);
/* Fails when the archive stopped half-way; an archive without any byte is fine. Releases all. */
int gl_cpio_end(struct gl_cpio *cpio, struct gl_error *err);

/* Write an archive of `path` (file, folder or link, below its own last name) to fd. At most
 * `most_bytes` of file data and 65536 entries, 32 folders deep. Errors: IO, TOO_LARGE; nothing was
 * written when the path is missing or too large at the start. */
int gl_cpio_write(int fd, const char *path, uint64_t most_bytes, struct gl_error *err);

#endif
