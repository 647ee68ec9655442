/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_ACCOUNT_PART_H
#define GL_BROKER_ACCOUNT_PART_H

/* What the two halves of the account share: account.c reads the evidence and writes what follows,
 * account_cut.c cuts the run. */

#include "broker/account.h"
#include "broker/evidence.h"
#include "broker/meterlog.h"
#include "broker/plausible.h"
#include "policy/footprint.h"

#define HOUR_MS 3600000

/* Everything read out of the evidence once. */
struct account {
    struct gl_meterlog log;
    struct gl_run_facts facts; /* owns its spans */
    int64_t method;
    struct gl_evidence_list series;
    struct gl_evidence_moves moves;
    size_t stretch_count;
    struct gl_stretch *stretches;
    size_t slot_count;
    struct gl_slot *slots;
    const struct gl_run_span **slot_spans; /* of each slot; NULL = where it was launched */
    bool is_intensity_known;               /* of every slot */
    size_t zones_needed;                   /* two candidates when the mapping is disputed */
};

/* Fill stretches and facts.covered_ms. */
void gl_account_cut(struct account *account);
/* Fill slots from stretches. */
void gl_account_slots(struct account *account);

#endif
