/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_AGENT_VM_H
#define GL_AGENT_VM_H

/* What only the first process of a virtual machine may do: mounts, modules, clock, kernel
 * randomness, network address, disk, power. Every step reports its own trouble and none ends the
 * process. Linux only. */

#include "base/error.h"

/* /proc /sys /dev /tmp /run, a sane umask, loopback, and the kernel modules of
 * /lib/greenlaunch/modules.list, one file name of that folder a line, in that order. What went
 * wrong goes to `note`, one call each. */
void gl_vm_boot(void (*note)(void *cookie, const char *text), void *cookie);
int gl_vm_set_clock(int64_t now_ms, struct gl_error *err);
/* Mix bytes into the kernel's generator, count them as random, and reseed at once: machines
 * restored from one snapshot share the generator's state until then. */
int gl_vm_add_entropy(const uint8_t *bytes, size_t length, struct gl_error *err);
/* eth0 as 10.0.2.15/24 with gateway 10.0.2.2 and name server 10.0.2.3 (QEMU's user network). */
int gl_vm_network(struct gl_error *err);
/* Mount the ext4 of `disk` ("vda": its first partition that has one, else the whole disk). */
int gl_vm_mount_disk(const char *disk, const char *at, struct gl_error *err);
/* /proc, /sys, /dev, /tmp and /run of ours inside another root. */
void gl_vm_fill_root(const char *root);
/* Write what is pending to disk and switch the machine off; returns only if it cannot. */
void gl_vm_power_off(void);

#endif
