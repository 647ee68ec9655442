/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_PROVIDERS_LOCAL_MACHINE_H
#define GL_PROVIDERS_LOCAL_MACHINE_H

/* The whole state (memory and devices) of a machine that QEMU runs: into a file and out of it, or
 * over to another QEMU. Stop-and-copy unless said otherwise: a live copy corrupts guests under TCG
 * (docs/local.md). Nothing here knows of instances. */

#include "base/sign.h"
#include "providers/cloud/local_qmp.h"

#define GL_MACHINE_WORD 24

/* What a file with a machine's state must be: its length and BLAKE2b. */
struct gl_machine_seal {
    uint64_t length;
    struct gl_hash hash;
};

/* Write the state of a stopped machine to fd, by way of us (QEMU's own files are limited to the
 * size of a console log), and to the socket `also` (-1 = none) of another QEMU that loads it
 * meanwhile. On failure QEMU has given up writing, and the machine can go on. Errors: LAUNCH,
 * TIMEOUT, IO, DISK_FULL. */
int gl_machine_save(struct gl_qmp *qmp, int fd, int also, struct gl_machine_seal *out,
                    struct gl_error *err);
/* Does the file hold that and nothing else? Reads all of it; run while QEMU is loading it. */
bool gl_machine_is_whole(int fd, const struct gl_machine_seal *seal);
/* Send the state of a running machine to the other end of a socket, while it runs; it is stopped
 * ("postmigrate") when this returns 0. On failure it runs on. */
int gl_machine_send_live(struct gl_qmp *qmp, int socket_fd, struct gl_error *err);

/* QEMU's word for what it does: "running", "paused", "inmigrate", "postmigrate" ... */
int gl_machine_status(struct gl_qmp *qmp, char out[GL_MACHINE_WORD], struct gl_error *err);
/* Wait until what is coming in has come. TIMEOUT; IO when QEMU ends. */
int gl_machine_await_loaded(struct gl_qmp *qmp, struct gl_error *err);
int gl_machine_stop(struct gl_qmp *qmp, struct gl_error *err);
/* Let it run, once it has loaded; fine when it runs. A copy that is being made is given up first.
 */
int gl_machine_continue(struct gl_qmp *qmp, struct gl_error *err);

#endif
