/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_PROVIDERS_LOCAL_JAIL_H
#define GL_PROVIDERS_LOCAL_JAIL_H

/* Namespaces for an instance that is a process: its own users, processes, mounts, host name, IPC
 * and network; the system's folders read-only, everything else fresh and in memory. Root's
 * instances run as `nobody`. Isolates less than a machine: it shares the kernel and its bugs. */

#include "base/process.h"

struct gl_jail {
    const char *program; /* static; becomes the first process */
    const char *name;    /* its argv[0]; holds the instance's tag */
    const char *folder;  /* of the instance: io/ and the console are bound into it */
    const char *host_name;
    uint32_t memory_mib; /* ceiling of its files, which live in memory */
    bool shares_network; /* the machine's own network instead of none */
    int log_fd;          /* its stdout and stderr */
};

/* Inside: where the control socket and the console are. */
#define GL_JAIL_CONTROL "/run/greenlaunch/io/control.sock"
#define GL_JAIL_CONSOLE "/run/greenlaunch/console.log"

/* Start it, detached. NO_LOCAL when this machine does not allow namespaces, LAUNCH otherwise. */
int gl_jail_start(const struct gl_jail *jail, struct gl_process *out, struct gl_error *err);
/* May this user make the namespaces needed? NO_LOCAL with the remedy if not. */
int gl_jail_check(struct gl_error *err);
/* Is that path of the machine visible inside, read-only? */
bool gl_jail_shows(const char *path);

#endif
