/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_PROVIDERS_LOCAL_CPIO_H
#define GL_PROVIDERS_LOCAL_CPIO_H

/* Archives in the newc form (man 5 cpio; Linux: Documentation/driver-api/early-userspace/
 * buffer-format.rst): what the kernel unpacks as initramfs and the guest as payload. Written
 * straight to a file descriptor, time stamps and owners as given (0 for our own files), so that
 * equal contents are equal bytes. Refuses names that climb, and members above 4 GiB. */

#include "base/str.h"

#include <sys/stat.h>

#define GL_NEWC_HEADER   110
#define GL_NEWC_NAME_MAX 4096

struct gl_newc {
    int fd;           /* borrowed */
    uint64_t length;  /* bytes written so far */
    uint64_t ceiling; /* TOO_LARGE above it */
    uint64_t left;    /* data bytes the open member still wants */
    uint32_t next_ino;
};

/* One member; also what reading a header yields. */
struct gl_newc_member {
    uint32_t ino;  /* 0 = a fresh one */
    uint32_t mode; /* type and permissions, as in struct stat */
    uint32_t uid, gid, mtime;
    uint32_t nlink; /* 0 counts as 1; members of one ino and nlink >= 2 are hard links */
    uint32_t rdev_major, rdev_minor;
    uint32_t size;
    uint32_t name_length; /* with NUL; only from a header read */
};

void gl_newc_init(struct gl_newc *cpio, int fd, uint64_t ceiling);
/* Header and name (without leading slashes); then exactly member->size bytes by gl_newc_data() in
 * any pieces. Errors: BAD_VALUE for a name that holds "..", IO, DISK_FULL, TOO_LARGE. */
int gl_newc_open(struct gl_newc *cpio, const char *name, const struct gl_newc_member *member,
                 struct gl_error *err);
int gl_newc_data(struct gl_newc *cpio, const void *bytes, size_t length, struct gl_error *err);

/* Whole members: text or a link target, a folder with all its parents, a host file with its
 * permissions (at most `ceiling` bytes; parents are written too). */
int gl_newc_add(struct gl_newc *cpio, const char *name, uint32_t mode, const void *bytes,
                size_t length, struct gl_error *err);
int gl_newc_add_folder(struct gl_newc *cpio, const char *name, struct gl_error *err);
int gl_newc_add_parents(struct gl_newc *cpio, const char *name, struct gl_error *err);
int gl_newc_add_file(struct gl_newc *cpio, const char *name, const char *host_path,
                     uint64_t ceiling, struct gl_error *err);
/* The trailer, padded to 512 bytes so that another archive may follow. */
int gl_newc_finish(struct gl_newc *cpio, struct gl_error *err);

/* Read one header: BAD_VALUE when it is none or its name is longer than GL_NEWC_NAME_MAX. */
int gl_newc_header_parse(const char header[GL_NEWC_HEADER], struct gl_newc_member *out,
                         struct gl_error *err);
/* Zero bytes after `length` bytes up to the next multiple of four. */
size_t gl_newc_padding(uint64_t length);
/* Does the path stay below the root it is joined to: no "..", nothing empty? */
bool gl_newc_name_is_safe(const char *name);

#endif
