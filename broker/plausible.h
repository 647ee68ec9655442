/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_PLAUSIBLE_H
#define GL_BROKER_PLAUSIBLE_H

/* The plausibility rules P1..P12 over verified readings: a signature says who spoke, these say
 * whether it can be true. Each rule is one row; an implausible interval is replaced by the bound of
 * the machine's model, never dropped and never believed. Sources: docs/method.md. */

#include "agent/reading.h"
#include "base/power.h"
#include "broker/runclock.h"

/* What a first reading covers at most: it comes half a second after the meter starts, and what lies
 * before (booting) is a gap. */
#define GL_FIRST_READING_MS 1000

enum gl_plausible_result { GL_PLAUSIBLE, GL_FLAGGED, GL_REPLACED, GL_NOT_CHECKED };

/* What the rules may look at. Times in Unix ms of the broker; those of readings, and what lies
 * between two, by the run's own clock (broker/runclock.h). */
struct gl_run_facts {
    struct gl_machine machine;
    int64_t started_ms, ended_ms;
    int64_t latest_ms;   /* a reading that ends later is taken to end here; 0 = ended_ms */
    int64_t interval_ms; /* asked sampling interval */
    int64_t host_cpu_ms; /* CPU the host spent on it; -1 not known */
    const struct gl_reading *readings;
    size_t count;
    uint32_t forked;           /* from the meter log */
    int64_t covered_ms;        /* of the run, by readings */
    struct gl_run_spans spans; /* when it stood still; borrowed */
};

struct gl_plausible_finding {
    const char *rule; /* "P1" */
    const char *title;
    enum gl_plausible_result result;
    uint32_t count; /* intervals concerned */
    char note[120];
};

#define GL_PLAUSIBLE_RULES 12
/* One finding a rule, in order. */
void gl_plausible_check(const struct gl_run_facts *facts,
                        struct gl_plausible_finding out[GL_PLAUSIBLE_RULES]);
/* Is the energy of reading `index` over `interval_ms` impossible (P1), so that the model's bound
 * must stand in? */
bool gl_plausible_is_excessive(const struct gl_run_facts *facts, size_t index, int64_t interval_ms);
/* Energy of one reading, low / central / high: of the node where it is measured, else the sum of
 * the parts. */
void gl_reading_energy(const struct gl_reading *reading, int64_t out_uj[3]);
/* The most microjoules the machine can have used in that time (P1). */
int64_t gl_plausible_bound_uj(const struct gl_run_facts *facts, int64_t interval_ms);
/* The run's own clock at the end of reading `index`, from the boot clock, anchored at the run (P9),
 * not before its start and not after latest_ms. */
int64_t gl_reading_end_ms(const struct gl_run_facts *facts, size_t index);
/* The end of the last reading in Unix ms, not cut at ended_ms: how long the run was by its meter.
 * count > 0. */
int64_t gl_readings_until_ms(const struct gl_run_facts *facts);
/* The run's own clock at its end. */
int64_t gl_run_end_ms(const struct gl_run_facts *facts);
const char *gl_plausible_word(enum gl_plausible_result result);

#endif
