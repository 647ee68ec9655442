/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_ACCOUNT_H
#define GL_BROKER_ACCOUNT_H

/* From evidence to figures: the one pure function behind both making and verifying a receipt.
 * Takes the evidence part of a receipt (broker/receipt.h) and derives everything that follows from
 * it: accepted readings, plausibility, gaps, hourly slots, footprint, SCI, whether the guarantee
 * was kept. The same evidence gives the same bytes. Reads no clock and no file. */

#include "agent/reading.h"

/* Receipts say by which method they were accounted for ("method_version" of the plan; without it
 * 1), so that older ones stay verifiable byte by byte. 2: rule P12, readings after the end are
 * charged, the guarantee's rules are asked again, and the parts are tied (broker/tie.h). 3: where
 * and when it ran ("instance.spans", broker/runclock.h), and an orderly end may take GL_ENDING_S
 * longer than the promise. 4: hours whose source states no bounds get some (broker/evidence.h), the
 * embodied share leaves out what was spent suspended, and the grade of the total is its own. */
#define GL_METHOD_VERSION 4
#define GL_ENDING_S       10
/* "instance.cloud" of a command metered on this machine, which was never decided about. */
#define GL_METHOD_HOST "this machine"
/* 1 to GL_METHOD_VERSION. Errors: BAD_REPLY for anything else. */
int gl_account_method(const json_t *evidence, int64_t *out, struct gl_error *err);

/* Energy of a stretch of the run: a reading's interval, or a gap charged at the high bound. */
struct gl_stretch {
    int64_t from_ms, until_ms;
    int64_t energy_uj[3]; /* low, central, high */
    bool is_gap;
};

/* *out is a new object with members "meter", "plausibility", "gaps", "slots", "footprint", "sci",
 * "guarantee", "saved", "grade" (of the operational carbon), "energy_grade", since method 4
 * "total_grade", and "run" where the instance has spans. Errors: BAD_REPLY (evidence malformed),
 * TAMPERED, NOT_VERIFIED. */
int gl_account(const json_t *evidence, json_t **out_derived, struct gl_error *err);

/* The embodied part rests on data sheets of other servers. */
#define GL_EMBODIED_GRADE 'E'
/* Of the total of a derived part: "total_grade", or by its rule for receipts before method 4. 'E'
 * when it does not say. */
char gl_account_total_grade(const json_t *derived);

/* Evidence grade 'A'..'E' of energy of a tier. */
char gl_tier_grade(enum gl_tier tier);

#endif
