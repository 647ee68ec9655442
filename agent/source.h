/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_AGENT_SOURCE_H
#define GL_AGENT_SOURCE_H

/* One way to learn energy: a const struct in one file, listed in agent/source.c in order of trust.
 * A source says what it saw between two looks, or that it does not know; it never guesses, and a
 * failed read is never 0. agent/blend.h chooses among sources and falls back to the model. */

#include "agent/place.h"
#include "agent/reading.h"
#include "base/power.h"

#define GL_KINDS 5 /* values of enum gl_component_kind */

/* What one source says of one kind over one look. */
struct gl_yield {
    bool is_known;
    enum gl_tier tier;
    const char *source; /* goes into the record as "s" */
    uint32_t flags;     /* enum gl_component_flag; told even when is_known is false */
    int64_t delta_uj, low_uj, high_uj;
};

/* Bounds of a measured value as multiples of it. */
struct gl_accuracy {
    double low, high;
};

struct gl_source_setup {
    struct gl_place place;
    const struct gl_machine *machine;
    const double *load;     /* 0..1 at the present look; borrowed */
    const char *gpu_helper; /* path of greenlaunch-meter-gpu, NULL = beside the meter, and only
                             * where an NVIDIA or AMD device is */
    /* Said by the helper's source at each look, of the next: it counts AMD's boards, so that their
     * power sensors do not. NULL = nobody says, and it counts none. */
    bool *amd_is_counted;
    /* Opens a counter as perf_event_open(2) does; NULL = the real one, on the real machine only. */
    int (*perf_open)(uint32_t type, uint64_t config, int cpu);
};

struct gl_source {
    const char *name;
    const char *group; /* sources of one group read the same counters: only one is used */
    /* Find the sensor and take the first look. Errors: NOT_FOUND when the machine has none, IO when
     * it has one that cannot be read (the text says why: permission is the usual reason). */
    int (*open)(const struct gl_source_setup *setup, void **out_state, struct gl_error *err);
    /* Longest time between two looks, in ms, for the result to be certain. */
    int64_t (*longest_ms)(const void *state);
    /* Fill what it knows of the `dt_ns` since the last look; out is all unknown on entry. */
    void (*sample)(void *state, int64_t dt_ns, struct gl_yield out[GL_KINDS]);
    /* One line for people: what was found. */
    void (*describe)(const void *state, char *out, size_t room);
    void (*close)(void *state);
};

/* All sources with a sensor, best first; the model is agent/model.h. */
extern const struct gl_source *const gl_sources[];
extern const size_t gl_source_count;

extern const struct gl_source gl_source_hwmon;    /* whole machine: BMC, ACPI power meter */
extern const struct gl_source gl_source_perf;     /* package and DRAM by perf events */
extern const struct gl_source gl_source_powercap; /* package, DRAM, psys by powercap */
extern const struct gl_source gl_source_exported; /* a tree that the host writes for this guest */
extern const struct gl_source gl_source_nvml;     /* GPUs by the helper program */

/* A known yield from a value and its accuracy. */
struct gl_yield gl_yield_of(int64_t delta_uj, struct gl_accuracy accuracy, enum gl_tier tier,
                            const char *source);

#endif
