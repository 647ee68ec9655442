/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BASE_POWER_H
#define GL_BASE_POWER_H

/* Power of a machine without a sensor, as low / central / high watts.
 * CPU: watts per hardware thread of a CPU family at 0, 10 .. 100 % load, linear between points
 * (medians with p10 and p90 of SPECpower servers with at least 16 threads; docs/method.md).
 * Memory above the family's own: 0.38 W/GB (0.2..0.6). GPU: TDP times 0.1, 0.4, 0.75, 1.0 at 0, 10,
 * 50, 100 % (judgement). Refuses to give one number without its band. */

#include "base/unit.h"

enum gl_model_tier {
    GL_MODEL_FAMILY = 1, /* E1/E2: CPU family known: truth within x0.83 .. x1.72 of central, 90 % */
    GL_MODEL_GENERIC = 3, /* E3: unknown CPU: x0.4 .. x2.5 (judgement) */
};

struct gl_power_family {
    const char *key;           /* "cascadelake"; sorted */
    const char *name;          /* "Intel Cascade Lake" */
    uint16_t servers;          /* behind the figures */
    float w_per_thread[3][11]; /* p10, median, p90 at 0..100 % */
    float gb_per_thread;       /* memory already inside the curve; 0 = not known, take 4 */
};

/* The family of a key, NULL when unknown. */
const struct gl_power_family *gl_power_family(const char *key);
const struct gl_power_family *gl_power_families(size_t *out_count);
/* The family key of a CPU: vendor "GenuineIntel" | "AuthenticAMD" | "ARM", CPUID family and model
 * (ARM: implementer and part). NULL when unknown. */
const char *gl_power_family_of_cpu(const char *vendor, unsigned family, unsigned model,
                                   unsigned stepping);

struct gl_machine {
    const struct gl_power_family *family; /* NULL = unknown */
    double threads;                       /* vCPUs, times the baseline share of burstable types */
    double memory_gb;
    unsigned gpu_count;
    double gpu_watts; /* board limit each */
};

/* Watts of the whole slice at CPU load and GPU load in 0..1; without PUE. */
struct gl_band gl_power_cpu(const struct gl_machine *machine, double load);
struct gl_band gl_power_memory(const struct gl_machine *machine);
struct gl_band gl_power_gpu(const struct gl_machine *machine, double load);
struct gl_band gl_power_machine(const struct gl_machine *machine, double cpu_load, double gpu_load);

/* Ceiling of metering rule P1 and floor of P2 (facts: 1.6*(1.25*p90(100 %)*threads + 0.6*GB) +
 * 1.05*GPU limits; 0.5*p10 idle*threads + 5 W a GPU). */
struct gl_power gl_power_plausible_max(const struct gl_machine *machine);
struct gl_power gl_power_plausible_min(const struct gl_machine *machine);

#endif
