/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_PROVIDERS_LOCAL_GOLDEN_H
#define GL_PROVIDERS_LOCAL_GOLDEN_H

/* Golden snapshots: the memory of a booted guest that waits for its configuration, from which
 * later launches go on instead of booting. Kept as <state>/golden/<key>.mig with its length and
 * BLAKE2b in <key>.json. The key covers QEMU, kernel, initramfs, memory, CPUs and accelerator. A
 * snapshot that does not match its hash is removed, never used. Every instance gets fresh entropy
 * with its configuration, because the snapshot's random state is shared. */

#include "providers/cloud/local_host.h"
#include "providers/cloud/local_machine.h"

struct gl_golden {
    int fd; /* the snapshot, open for reading; -1 = there is none */
    struct gl_machine_seal seal;
};

/* Open the snapshot of a key; *out has fd -1 when there is none or its length is wrong (then it is
 * removed). */
void gl_golden_open(const char *state, const char *key, struct gl_golden *out);
void gl_golden_close(struct gl_golden *golden);
/* Does the whole file match its hash? Reads all of it; run while QEMU is loading it. */
bool gl_golden_is_whole(const struct gl_golden *golden);
/* Remove a snapshot that proved bad. */
void gl_golden_remove(const char *state, const char *key);

/* Stop the guest behind `qmp`, write its state as the snapshot of `key`, and let it go on. On any
 * failure there is no snapshot; -1 only when the guest does not run on (LAUNCH). */
int gl_golden_make(const char *state, const char *key, struct gl_qmp *qmp, struct gl_error *err);
/* The companion's text, and back. */
char *gl_golden_text(const struct gl_machine_seal *seal, struct gl_error *err);
int gl_golden_parse(const char *text, size_t size, struct gl_machine_seal *out,
                    struct gl_error *err);

#endif
