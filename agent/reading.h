/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_AGENT_READING_H
#define GL_AGENT_READING_H

/* The meter's record and batch: canonical JSON, integers only, cumulative millijoules, chained by
 * SHA-256, signed by Ed25519. Written by the meter, read by the broker; carbon is never here.
 *
 * Record (one line, keys sorted; the bytes are what is hashed):
 *  {"a":agent build hash,"b":boot id,"c":[{"d":delta uJ,"e":cumulative mJ,"f":flags,"h":high uJ,
 *   "k":"cpu","l":low uJ,"s":"perf","t":"M1"}],"g":gap ms,"i":launch,"m":model hash,"n":seq,
 *   "p":previous record hash,"tb":boot-time ns,"tw":wall ms,
 *   "u":{"busy_ppm":..,"mem_mb":..,"steal_ppm":..},"v":1}
 * plus "final":true in the last one of a run. First record: "p" is 64 zeros.
 * Batch: {"head":hash of the last record,"key":public key hex,"launch":id,"records":[...],
 *   "sig":base64 of Ed25519 over canonical {"head","key","launch","n0","n1"},"n0":first seq,
 *   "n1":last seq,"v":1}
 * Console line: "GLM1 " + canonical batch JSON + "\n"; enrolment "GLE1 " + {"boot","key","launch",
 *   "proof":hex HMAC-SHA256(token, launch "|" key hex),"v":1}. */

#include "base/json.h"
#include "base/sign.h"
#include "base/unit.h"

#define GL_COMPONENTS_MAX    8
#define GL_RECORD_MAX        2048 /* bytes of one canonical record */
#define GL_BATCH_RECORDS_MAX 64
#define GL_BATCH_MAX         ((size_t)160 << 10)

enum gl_component_kind { GL_COMP_CPU, GL_COMP_DRAM, GL_COMP_GPU, GL_COMP_NODE, GL_COMP_OTHER };
/* M1 hardware counter, M2 hardware gauge integrated, H host-exported, E1 model by instance type,
 * E2 by CPUID, E3 generic, S simulated (a fixture tree: never counts as measured). */
enum gl_tier { GL_TIER_M1, GL_TIER_M2, GL_TIER_H, GL_TIER_E1, GL_TIER_E2, GL_TIER_E3, GL_TIER_S };
enum gl_component_flag {
    GL_FLAG_WRAPPED = 1,  /* a counter wrapped inside the interval */
    GL_FLAG_BOUNDED = 2,  /* ambiguous or failed read: delta is the model's bound */
    GL_FLAG_SENTINEL = 4, /* the sensor gave nonsense and was dropped */
    GL_FLAG_MERGED = 8,   /* several records merged by a full spool */
    GL_FLAG_REBOOT = 16,  /* first record after a reboot or a driver reload */
    GL_FLAG_JUMPED = 32,  /* the wall clock moved against the boot clock by more than a second: the
                           * machine stood still, suspended, or somebody set its clock */
};
#define GL_FLAGS_ALL 63u

struct gl_component {
    enum gl_component_kind kind;
    enum gl_tier tier;
    char source[16]; /* "perf", "powercap", "psys", "hwmon", "nvml", "amdsmi", "model" */
    uint32_t flags;
    int64_t delta_uj, low_uj, high_uj; /* of this interval */
    int64_t total_mj;                  /* cumulative since the meter's first start, rounded down */
};

struct gl_reading {
    char agent[17]; /* first 16 hex digits of the program's hash */
    char boot[40];
    char launch[64];
    char model[17]; /* hash of the model table, 16 hex digits */
    uint64_t seq;
    struct gl_hash previous;
    int64_t gap_ms; /* time not covered before this interval */
    int64_t boottime_ns, wall_ms;
    uint32_t busy_ppm, steal_ppm, memory_mb;
    bool is_final;
    size_t component_count;
    struct gl_component components[GL_COMPONENTS_MAX];
};

const char *gl_component_kind_text(enum gl_component_kind kind);
const char *gl_tier_text(enum gl_tier tier);

/* Canonical bytes of a record into out[GL_RECORD_MAX]; returns the length. Never allocates. */
size_t gl_reading_write(const struct gl_reading *reading, char out[GL_RECORD_MAX]);
/* Parse and check ranges; the bytes must be the canonical form (BAD_REPLY otherwise). */
int gl_reading_parse(const char *bytes, size_t length, struct gl_reading *out,
                     struct gl_error *err);

#endif
