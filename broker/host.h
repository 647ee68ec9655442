/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_HOST_H
#define GL_BROKER_HOST_H

/* What this machine is, for offers of the local cloud and the model of its power. */

#include "base/world.h"

struct gl_host {
    uint32_t vcpus, memory_mib;
    const char *family; /* CPU family key of base/power.h; NULL = unknown */
    char cpu[80];       /* model name as the kernel says it */
};

/* The kernel's boot id, "" when it cannot be read: monotonic times of one boot can be compared. */
#define GL_BOOT_ID 40
void gl_host_boot_id(char out[GL_BOOT_ID]);

/* Read /proc, for the processor the file that GREENLAUNCH_CPUINFO names in place of /proc/cpuinfo;
 * what cannot be read is 0, NULL or "". */
void gl_host_read(const struct gl_world *world, struct gl_host *out);

#endif
