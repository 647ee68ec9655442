/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_PROVIDERS_LOCAL_IMAGE_H
#define GL_PROVIDERS_LOCAL_IMAGE_H

/* What --image may be, told by its bytes and never by its name: a root file system as tar or cpio
 * (plain or gzip, xz, zstd, bzip2), or a disk as raw or qcow2. Refuses a qcow2 disk that names
 * another file (backing or data file): it could make QEMU read any file of the user. */

#include "providers/cloud/local_cpio.h"

enum gl_image_kind {
    GL_IMAGE_UNKNOWN,
    GL_IMAGE_TAR,
    GL_IMAGE_CPIO,
    GL_IMAGE_RAW,
    GL_IMAGE_QCOW2,
    GL_IMAGE_PACKED, /* compressed: what is inside is known after unpacking */
};

struct gl_image {
    enum gl_image_kind kind;
    int fd; /* owned: a tree, unpacked if need be, or the disk; read only */
    uint64_t length;
};

/* The first bytes decide; `length` of them, at least GL_IMAGE_LOOK where the file has as many. */
#define GL_IMAGE_LOOK 2048
enum gl_image_kind gl_image_kind_of(const char *bytes, size_t length, const char **out_unpacker);
/* BAD_VALUE when a qcow2 header names another file or is none. */
int gl_image_check_qcow2(const char *bytes, size_t length, struct gl_error *err);

/* Can that be used, as far as its first bytes tell? Nothing is kept or unpacked.
 * Errors: USAGE when it cannot be opened, IO, BAD_VALUE. */
int gl_image_check(const char *path, enum gl_image_kind *out_kind, struct gl_error *err);
/* Open and, when compressed, unpack into an unnamed file below `work_folder` (at most 2 GiB).
 * Errors: IO, BAD_VALUE, TOO_LARGE. */
int gl_image_open(const char *path, const char *work_folder, struct gl_image *out,
                  struct gl_error *err);
void gl_image_close(struct gl_image *image);
bool gl_image_is_disk(const struct gl_image *image);
/* Append the tree of a tar or cpio image below the folder "image". */
int gl_image_add_tree(const struct gl_image *image, struct gl_newc *cpio, struct gl_error *err);

#endif
