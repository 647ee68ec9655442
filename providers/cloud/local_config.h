/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_PROVIDERS_LOCAL_CONFIG_H
#define GL_PROVIDERS_LOCAL_CONFIG_H

/* The configuration an instance gets as its first frame ('C'; agent/config.h reads it). Holds the
 * enrolment token: wipe it once it is sent, never write it to a file. */

#include "providers/cloud/cloud.h"

#define GL_GUEST_CONFIG_MAX ((size_t)32 << 10)
#define GL_GUEST_INTERVAL_S 10

/* What a launch does not say by itself. */
struct gl_guest_place {
    uint32_t vcpus, memory_mib;
    const char *family; /* of this machine's CPU (base/power.h); NULL = unknown */
    const char *disk;   /* "vda" or NULL */
    const char *root;   /* "/image" or NULL */
    bool has_payload;
};

/* Canonical JSON, to be wiped and freed. Errors: TOO_LARGE above 32 KiB, BAD_VALUE for text that
 * is not UTF-8 or a token that is not 64 hex digits. */
char *gl_guest_config_text(const struct gl_launch *launch, const struct gl_guest_place *place,
                           const struct gl_world *world, struct gl_error *err);
/* The hello that a guest answers 'W' with. BAD_REPLY when it is none. */
struct gl_guest_hello {
    char state[16]; /* "waiting", "ready", "running", "exited" */
    bool has_command;
    bool is_held; /* output waits for 'W' */
    int status;   /* of the command; -1 until it has ended */
};
int gl_guest_hello_parse(const char *bytes, size_t length, struct gl_guest_hello *out,
                         struct gl_error *err);
/* {"status":N} of an exit frame. */
int gl_guest_exit_parse(const char *bytes, size_t length, int *out, struct gl_error *err);

/* CPU family key of this machine, NULL when unknown; from /proc/cpuinfo's text. */
const char *gl_local_cpu_family(const char *cpuinfo);

#endif
