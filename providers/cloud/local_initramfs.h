/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_PROVIDERS_LOCAL_INITRAMFS_H
#define GL_PROVIDERS_LOCAL_INITRAMFS_H

/* The guest's first file system: the static meter as /init, the kernel modules it loads, busybox
 * with a link for every applet, a few files of /etc. Kept under <state>/initramfs/ by what it was
 * made from. Holds no secret: every instance gets the same one. */

#include "providers/cloud/local_host.h"
#include "providers/cloud/local_image.h"

struct gl_initramfs_options {
    bool has_network, has_disk; /* adds their modules */
};

/* The part of a key that names this initramfs. */
void gl_initramfs_describe(const struct gl_local_host *host,
                           const struct gl_initramfs_options *options, struct gl_str *out);
/* An open descriptor of it (read only), made when it is not there yet; -1 on failure.
 * Errors: IO, DISK_FULL. */
int gl_initramfs_open(const char *state, const struct gl_local_host *host,
                      const struct gl_initramfs_options *options, struct gl_error *err);
/* The same with the tree of an image below /image, in an unnamed file. */
int gl_initramfs_open_with_image(const char *state, const struct gl_local_host *host,
                                 const struct gl_initramfs_options *options,
                                 const struct gl_image *image, uint64_t *out_length,
                                 struct gl_error *err);
/* Is this module (a line of modules.list) needed? */
bool gl_initramfs_wants(const char *module, const struct gl_initramfs_options *options);

#endif
