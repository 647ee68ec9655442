/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_PROVIDERS_LOCAL_TAR_H
#define GL_PROVIDERS_LOCAL_TAR_H

/* Read tar archives (POSIX.1-1988 ustar, POSIX.1-2001 pax `path`, `linkpath` and `size`, GNU long
 * names and base-256 numbers) and rewrite a root file system as cpio, which is what a kernel
 * unpacks. Refuses sparse members, multi-volume archives and names that climb. */

#include "providers/cloud/local_cpio.h"

#define GL_TAR_BLOCK       512
#define GL_TAR_NAME_MAX    4096
#define GL_TAR_MEMBERS_MAX 1000000

/* A walk over the members of a seekable archive. */
struct gl_tar {
    int fd;        /* borrowed; read by pread(2) only */
    uint64_t next; /* offset of the next header */
    uint32_t members;
    /* The member at hand. */
    char name[GL_TAR_NAME_MAX]; /* without leading "/" and "./"; "" = the root itself */
    char link[GL_TAR_NAME_MAX]; /* of links, as written */
    char type;                  /* '0' file, '1' hard link, '2' symbolic, '3' '4' device,
                                 * '5' folder, '6' FIFO */
    uint64_t data, size;        /* offset and length of its bytes */
    uint32_t mode, uid, gid, mtime, major, minor;
};

void gl_tar_init(struct gl_tar *tar, int fd);
/* 1 a member, 0 the end, -1 with BAD_VALUE or IO. */
int gl_tar_next(struct gl_tar *tar, struct gl_error *err);
/* Is this block the header of a member (its checksum holds)? */
bool gl_tar_is_header(const char block[GL_TAR_BLOCK]);
/* Append every member below the folder `prefix` of the archive being written. */
int gl_tar_to_cpio(int fd, const char *prefix, struct gl_newc *cpio, struct gl_error *err);

#endif
