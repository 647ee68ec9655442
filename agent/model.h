/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_AGENT_MODEL_H
#define GL_AGENT_MODEL_H

/* Energy without a sensor, from base/power.h and the load. Tier E1 when the broker named the CPU
 * family, E2 when /proc/cpuinfo gave it, E3 otherwise. */

#include "agent/config.h"
#include "agent/source.h"

struct gl_model {
    struct gl_machine machine;
    enum gl_tier tier;
};

/* The machine that `config` describes; an unknown family key counts as none. */
void gl_model_init(struct gl_model *model, const struct gl_config_machine *config,
                   const struct gl_place *place);
/* CPU with board and its usual memory ("cpu"), memory beyond that ("dram", not known when 0), GPUs
 * by their limit when there are any ("gpu": load not known, so idle .. half .. full). */
void gl_model_sample(const struct gl_model *model, double load, int64_t dt_ns,
                     struct gl_yield out[GL_KINDS]);
/* All of the memory, for a machine whose CPU is measured without it (0.38 W/GB, 0.2 .. 0.6). */
struct gl_yield gl_model_memory(const struct gl_model *model, int64_t dt_ns);
/* The rest of the board as a share of measured CPU and memory: 0.33, 0.2 .. 0.6 (BoaviztAPI's
 * ratio of other consumption). */
struct gl_yield gl_model_board(int64_t cpu_and_memory_uj);
/* First 16 hex digits of the SHA-256 over every figure that the model can give. */
void gl_model_hash(char out[17]);

#endif
