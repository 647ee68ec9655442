/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_PROVIDERS_LOCAL_KVM_H
#define GL_PROVIDERS_LOCAL_KVM_H

/* Which accelerator a machine gets. A readable /dev/kvm proves nothing: some hosts offer one on
 * which QEMU aborts or the guest hangs silently. So the first launch of a boot tries it with a
 * short limit, and the verdict is kept by boot id and QEMU in <state>/kvm.json. */

#include "base/world.h"

enum gl_kvm_verdict { GL_KVM_UNKNOWN, GL_KVM_WORKS, GL_KVM_FAILS };

struct gl_accel_choice {
    const char *first; /* "kvm" or "tcg" */
    bool is_probe;     /* kvm, not proved yet: fall back to tcg when no hello comes in time */
};

/* GREENLAUNCH_ACCEL=tcg|kvm forces and =probe forgets the verdict; else the kept verdict; else a
 * probe where /dev/kvm may be opened; else tcg. BAD_VALUE for another word. */
int gl_accel_choose(const struct gl_world *world, const char *state, const char *qemu,
                    struct gl_accel_choice *out, struct gl_error *err);
enum gl_kvm_verdict gl_kvm_recall(const char *state, const char *qemu);
/* Best effort: without it the next launch probes again. */
void gl_kvm_remember(const char *state, const char *qemu, bool works);

#endif
