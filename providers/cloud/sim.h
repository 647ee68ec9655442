/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_PROVIDERS_SIM_H
#define GL_PROVIDERS_SIM_H

/* The simulated cloud: many places and thousands of instances in memory, on the clock of the world
 * it is given, which may be a virtual one. For demonstrations, replay, scale and fault tests:
 * everything it says of itself is marked as simulated, and it is not in the registry, so that
 * nobody launches on it by mistake. It runs no command. The memory is shared with child processes;
 * every operation holds a lock that a killed process gives back. */

#include "providers/cloud/cloud.h"

#define GL_SIM_NAME          "sim"
#define GL_SIM_PLACES_MAX    256
#define GL_SIM_FAULTS_MAX    256
#define GL_SIM_INSTANCES_MAX 100000
#define GL_SIM_SPANS_MAX     64 /* of one instance: then it can no longer be moved or suspended */

struct gl_sim_place {
    const char *name;          /* the region */
    int64_t price_u_usd_per_h; /* of one vCPU; GL_UNKNOWN = not said */
    uint32_t capacity;         /* instances at once; 0 = as many as there are */
};

/* What goes wrong in a place in [from, until), told in advance. */
enum gl_sim_fault_kind {
    GL_SIM_NO_STOCK,    /* nothing can be launched or moved there: RATE_LIMIT */
    GL_SIM_UNREACHABLE, /* every call that concerns it fails: NETWORK; what runs there runs on */
    GL_SIM_SLOW,        /* moves there and from there take extra_ms longer */
    GL_SIM_SPOT,        /* notice at `from`: leases end at `until`, in order */
    GL_SIM_GONE         /* it is gone with all that was in it, and nothing can be started there */
};
struct gl_sim_fault {
    enum gl_sim_fault_kind kind;
    const char *place;
    int64_t from_ms, until_ms; /* Unix ms */
    int64_t extra_ms;          /* SLOW */
};

/* What the meter of an instance may know of it. */
struct gl_sim_guest {
    const char *launch_id, *type;
    uint8_t enrol[32];
    uint32_t vcpus, memory_mib, interval_s;
    const struct gl_instance_span *spans; /* as of spans(): the last until_ms is INT64_MAX */
    size_t span_count;
    int64_t until_ms; /* what has been: now, or its end */
    bool is_final;    /* it has ended in order: its meter said goodbye */
};

struct gl_sim_options {
    const struct gl_world *world; /* borrowed */
    const struct gl_sim_place *places;
    size_t place_count;
    size_t instances; /* at most so many ever; 0 = 1,000 */
    int64_t move_ms;  /* how long an instance stands still when it is moved while running */
    /* The console text of an instance so far, from its first byte, appended to *out: the same
     * instance a moment later says the same and more. NULL = its meter is mute. */
    void *cookie;
    void (*console)(void *cookie, const struct gl_sim_guest *guest, struct gl_str *out);
};

struct gl_sim;
/* NULL: TOO_LARGE, BAD_VALUE (no place, two of one name, a name too long). Names are copied. */
struct gl_sim *gl_sim_new(const struct gl_sim_options *options, struct gl_error *err);
void gl_sim_free(struct gl_sim *sim); /* NULL is fine */
/* Errors: UNKNOWN_NAME (no such place), TOO_LARGE. */
int gl_sim_schedule(struct gl_sim *sim, const struct gl_sim_fault *fault, struct gl_error *err);
/* A handle; several may be open, also in child processes. Close with gl_cloud_close(). */
struct gl_cloud *gl_sim_open(struct gl_sim *sim);
/* Instances that were ever started, and those that run or are suspended now. */
size_t gl_sim_count(struct gl_sim *sim, bool is_alive);

#endif
