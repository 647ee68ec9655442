/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_SIM_METER_H
#define GL_BROKER_SIM_METER_H

/* The meter of a simulated instance: real records, chained, batched and signed as the real meter
 * does it (agent/chain.h, agent/batch.h), of energy that never flowed. Every record says tier S,
 * simulated, so that no figure that rests on one passes for measured: evidence grade E. */

#include "agent/batch.h"
#include "providers/cloud/sim.h"

#define GL_SIM_CPU_FAMILY "icelake" /* of every simulated machine */

struct gl_sim_meter {
    double load;           /* of every machine; 0 = gl_sim_meter_load() */
    uint32_t per_batch;    /* records in a batch, 1..GL_BATCH_RECORDS_MAX; 0 = 8 */
    char model[17];        /* hash of the power model, made on first use */
    struct gl_batch batch; /* in the making */
};

/* For gl_sim_options.console; the cookie is a struct gl_sim_meter. Key and boot id follow from
 * the enrolment token. The meter's clock is that of its machine: while that stands still it
 * neither reads nor uses energy, and the record after it says GL_FLAG_JUMPED. */
void gl_sim_meter_console(void *cookie, const struct gl_sim_guest *guest, struct gl_str *out);

/* A load, 0.4 to 0.9, that follows from the enrolment token. */
double gl_sim_meter_load(const struct gl_sim_guest *guest);
/* Watts of a simulated machine at that load. */
struct gl_band gl_sim_meter_watts(uint32_t vcpus, uint32_t memory_mib, double load);

#endif
