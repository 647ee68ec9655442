/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_PROVIDERS_LOCAL_QEMU_H
#define GL_PROVIDERS_LOCAL_QEMU_H

/* QEMU's command line and its start. QEMU gets descriptors, never paths of ours: it runs under its
 * seccomp sandbox, as root's `nobody` where we are root, and can open nothing in the state folder.
 * Flags and their reasons: docs/local.md. */

#include "base/process.h"
#include "providers/cloud/local_record.h"

#define GL_QEMU_ARGUMENTS_MAX 96
#define GL_QEMU_FILE_LIMIT    ((int64_t)64 << 20) /* of the console log */
#define GL_QEMU_DISK_LIMIT    ((int64_t)4 << 30)  /* of what a guest writes to its disk */

struct gl_qemu_plan {
    const char *program;
    const char *launch_id, *tag;
    const char *accel; /* "tcg" or "kvm" */
    uint32_t vcpus, memory_mib;
    bool has_network;
    int kernel_fd, console_fd, control_fd, qmp_fd;
    int initrd_fd; /* -1 = none: for a guest that has booted already */
    int disk_fd;   /* -1 = none */
    bool is_disk_qcow2;
    int incoming_fd; /* a snapshot to go on from; -1 = boot */
    bool waits;      /* nothing runs before it is told to */
};

struct gl_qemu_arguments {
    char *words[GL_QEMU_ARGUMENTS_MAX]; /* owned, NULL-terminated */
    size_t count;
};

/* The whole command line; free with gl_qemu_arguments_done(). */
void gl_qemu_arguments_make(const struct gl_qemu_plan *plan, struct gl_qemu_arguments *out);
void gl_qemu_arguments_done(struct gl_qemu_arguments *arguments);
/* Start it detached; what it complains about goes to log_fd. Errors: as gl_process_start(). */
int gl_qemu_start(const struct gl_qemu_plan *plan, int log_fd, struct gl_process *out,
                  struct gl_error *err);
/* May the user that QEMU will run as open /dev/kvm? *out_gid is the group it needs for it. */
bool gl_qemu_may_use_kvm(int *out_gid);

#endif
