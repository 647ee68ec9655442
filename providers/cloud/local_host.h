/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_PROVIDERS_LOCAL_HOST_H
#define GL_PROVIDERS_LOCAL_HOST_H

/* What this machine offers to run instances with: QEMU, an unpacked guest kernel, the static meter
 * that is the guest's first process, busybox. Looks only; installs nothing. Files of other users
 * that are not root are passed over: what they hold would run. */

#include "base/sign.h"
#include "base/world.h"

struct gl_local_host {
    char *qemu;          /* absolute path; NULL = not installed */
    char *kernel_folder; /* vmlinuz, modules.list, modules/; NULL = none */
    char *meter;         /* a static greenlaunch-meter; NULL = none */
    char *busybox;       /* NULL = the guest has no shell */
};

/* Where: GREENLAUNCH_GUEST (folder of the kernel), GREENLAUNCH_METER; else `guest/` and
 * `greenlaunch-meter` beside the running program, in up to three folders above it, and in
 * ../share/greenlaunch/guest; QEMU and busybox in PATH. */
void gl_local_host_look(const struct gl_world *world, struct gl_local_host *out);
void gl_local_host_done(struct gl_local_host *host);
/* Can it run virtual machines? If not, *out_missing says what is missing. */
bool gl_local_host_has_vm(const struct gl_local_host *host, const char **out_missing);

/* A short text that changes when the file is replaced: path, inode, size, time; "" if absent. */
void gl_local_fingerprint(const char *path, struct gl_str *out);
/* The first 32 hex digits of the hash of a text: a name for what was made from it. */
#define GL_LOCAL_KEY 33
void gl_local_key(const struct gl_str *text, char out[GL_LOCAL_KEY]);
/* A nameless file of ours in a folder, open for reading and writing; -1 with IO. */
int gl_local_temporary(const char *folder, struct gl_error *err);
/* Remove all but the `keep` youngest files of a folder whose names end in `suffix`, and their
 * companions of the same stem. */
void gl_local_keep_youngest(const char *folder, const char *suffix, size_t keep);

#endif
