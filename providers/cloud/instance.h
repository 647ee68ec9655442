/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_PROVIDERS_INSTANCE_H
#define GL_PROVIDERS_INSTANCE_H

/* The nouns of the cloud contract (cloud.h): what is launched, what runs, what its disk can become,
 * and what is told while it is attended. */

#include "base/process.h"
#include "base/str.h"
#include "base/world.h"
#include "policy/facts.h"

#define GL_CLOUD_ID 64

/* States of DESIGN section 2 as the provider sees them. */
enum gl_instance_state {
    GL_STATE_LAUNCHING,
    GL_STATE_RUNNING,
    GL_STATE_SUSPENDED,
    GL_STATE_STOPPING,
    GL_STATE_ENDED,
    GL_STATE_LOST,  /* its provider has forgotten it; never said of one that is seen */
    GL_STATE_HALTED /* powered off, the disk kept: still billed on most clouds */
};

struct gl_launch {
    const char *token;     /* launch token: same token, same instance; 64 hex digits */
    const char *launch_id; /* "gl-4k2p9x" */
    const char *region, *type;
    const char *arch; /* of the type, "arm64"; NULL or "" = not known */
    uint32_t attempt;
    struct gl_instant expires; /* lease end; label greenlaunch-expires */
    struct gl_span lease;
    const char *enrol_token;     /* one-time secret of the meter, hex */
    uint32_t vcpus, memory_mib;  /* 0 = the type's own */
    const char *const *command;  /* argv of the command to run inside, NULL = none */
    const char *image;           /* local: root file system or disk; NULL = the built-in one */
    const char *const *with;     /* host programs to carry along, NULL-terminated; may be NULL */
    const char *const *files_in; /* "HOST:GUEST" small files, NULL-terminated; may be NULL */
    bool has_network;            /* local: --net user */
    const char *user_data;       /* extra text for the guest; may be NULL */
    uint32_t interval_s;         /* of the meter; 0 = 10 */
    bool is_spot;                /* remote: at the spot price */
    const char *zone;            /* remote: an availability zone of the region, by its provider's
                                  * name; NULL = the cloud's choice */
    int64_t max_price_u_usd;     /* per hour; 0 = no cap. A dearer one is PRICE, nothing started */
    const struct gl_carried_meter *meter; /* remote: how the guest gets its meter; NULL = none */
    /* Asked at least four times a second while the caller waits for it to start: true = give up,
     * leave nothing running, fail with INTERRUPTED. NULL = never. */
    bool (*is_cancelled)(void *cookie);
    void *cookie; /* of is_cancelled */
};

struct gl_instance {
    char id[GL_CLOUD_ID]; /* the provider's own name */
    char launch_id[GL_CLOUD_ID];
    char token[GL_HASH_HEX];
    char region[40], type[40];
    uint32_t attempt;
    enum gl_instance_state state;
    struct gl_instant started, expires;
    bool has_exit;
    int exit_status;         /* of the command inside */
    char how[48];            /* "qemu/tcg", "qemu/kvm", "process" */
    char console[256];       /* local path or "" */
    int64_t host_cpu_ms;     /* CPU the host spent on it; -1 not known */
    uint32_t caps;           /* of SUSPENDS and MOVES, what can be done to this one */
    char zone[40];           /* availability zone; "" = not told */
    char why[96];            /* why it ended or failed, in the provider's word; "" = not told */
    bool is_unsettled;       /* an interrupted suspend, resume or move cannot be settled now, as
                              * `why` says: state and region may be others */
    struct gl_instant ended; /* when it ended or was powered off, by the provider; 0 = not told */
};

/* An image of an instance's disk, for a move between regions. */
struct gl_cloud_image {
    char id[128]; /* "REGION/native" */
    enum { GL_IMAGE_PENDING, GL_IMAGE_READY, GL_IMAGE_FAILED, GL_IMAGE_ABSENT } state;
    int64_t bytes; /* GL_UNKNOWN */
    char why[96];
};

/* A stretch of an instance's time. While it did not run (suspended, frozen for a move) it used no
 * energy and its boot clock stood still: the broker adds these stretches to the boot clock and
 * charges no gap for them. Told by the cloud, never by the guest. */
struct gl_instance_span {
    int64_t from_ms, until_ms; /* Unix ms; INT64_MAX for the last: it goes on, or ended with it */
    bool is_running;
    char region[40];
};

/* What attach() reports while the command runs; every callback may be NULL. */
struct gl_attach {
    void *cookie;
    void (*on_stdout)(void *cookie, const char *bytes, size_t length);
    void (*on_stderr)(void *cookie, const char *bytes, size_t length);
    void (*on_state)(void *cookie, const char *what); /* "booted", "command started" ... */
    bool (*on_tick)(void *cookie); /* at least four times a second; false = cancel */
    int stdin_fd;                  /* -1 = none */
};

const char *gl_instance_state_word(enum gl_instance_state state);

#endif
