/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_AGENT_LOAD_H
#define GL_AGENT_LOAD_H

/* How busy the machine, or one tree of processes on it, has been since the last look. Time that the
 * hypervisor gave to others (steal) is neither busy nor idle: it is told apart. */

#include "agent/place.h"

#include <sys/types.h>

enum gl_load_scope {
    GL_LOAD_MACHINE, /* /proc/stat: the whole (virtual) machine is metered */
    GL_LOAD_TREE,    /* CPU time of one process's descendants, over `threads` */
};

struct gl_load {
    enum gl_load_scope scope;
    double threads;              /* of the tree's slice */
    pid_t root;                  /* tree: this process or its parent; its descendants
                                  * count, but not this process and its own */
    struct gl_process_row *rows; /* tree: room for one look at all processes */
    int stat_fd, memory_fd;
    uint64_t busy, steal, total; /* ticks at the last look */
    double tree_s;               /* CPU seconds of the tree at the last look */
    int64_t at_ns;
    /* results */
    double busy_share; /* 0..1 */
    uint32_t busy_ppm, steal_ppm, memory_mb;
};

/* Open and take the first look; scope, threads and root are set by the caller. Works without /proc
 * too: then the machine counts as fully busy. A tree is looked at in the real /proc, at most
 * GL_PROCESSES_MAX processes of it; its cost grows with the processes that are visible. */
#define GL_PROCESSES_MAX 8192
void gl_load_open(struct gl_load *load, const struct gl_place *place, int64_t now_ns);
void gl_load_update(struct gl_load *load, int64_t now_ns);
void gl_load_close(struct gl_load *load);

/* Vendor, family, model and stepping from /proc/cpuinfo (Arm: implementer and part as family and
 * model); false when they cannot be told. */
struct gl_cpu_name {
    char vendor[16];
    unsigned family, model, stepping;
};
bool gl_cpu_name(const struct gl_place *place, struct gl_cpu_name *out);
/* Processors online and megabytes of memory, at least 1 each. */
unsigned gl_cpu_threads(const struct gl_place *place);
unsigned gl_memory_mb(const struct gl_place *place);

#endif
