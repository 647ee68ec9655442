/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_KEEPING_H
#define GL_BROKER_KEEPING_H

/* Was the guarantee kept? The rules of the launch, as the plan states them, asked again of the one
 * evaluator for every interval of the run, on the series of the receipt. Three-valued: kept when
 * time, evidence and every limit hold; breached when a limit is violated; unknown otherwise. Pure.
 *
 * Stated rules ("guarantee.rules" of a plan): [{"id","limits":[{"key","limit"}]}], the limits on
 * intensity and shares of the binding rules and the keys that say how they are judged;
 * "guarantee.series": further sources of the zones, as "series" but making no carbon. green_for
 * and green_below speak of a time of their own and are judged by the decision alone. */

#include "base/json.h"
#include "broker/evidence.h"
#include "broker/runclock.h"
#include "policy/decide.h"
#include "policy/footprint.h"

/* The rules that bind this offer, to be stated in its plan: those whose limits the decision found
 * satisfied. New reference. */
json_t *gl_keeping_rules(const struct gl_question *question, uint32_t offer);

/* Would the rules stated in a plan hold from now to `until` in this zone, by what is known of it
 * now? Without stated rules nothing is promised: satisfied. What does not hold first, as a sentence
 * in out_reason. Errors: NOT_VERIFIED for rules that are none. */
int gl_keeping_place(const json_t *plan, const struct gl_zone_facts *zone, struct gl_instant now,
                     struct gl_instant until, enum gl_outcome *out, struct gl_str *out_reason,
                     struct gl_error *err);

/* Back to a policy, to be freed; NULL for no rules. Errors: NOT_VERIFIED for rules that are none.
 */
int gl_keeping_read_rules(const json_t *rules, struct gl_policy **out, struct gl_error *err);

struct gl_keeping {
    const json_t *evidence;
    const struct gl_evidence_list *series;
    const struct gl_evidence_moves *moves;  /* what was known of the places it was moved to */
    const struct gl_slot *slots;            /* the run, hour by hour */
    const struct gl_run_span *const *spans; /* the place of each slot; NULL = as launched */
    size_t slot_count;
    int64_t started_s, ended_s; /* whole seconds around the run */
    int64_t method;             /* gl_account_method() */
    bool is_intensity_known;    /* of every slot */
};

/* "derived.guarantee": null without a promise; of method 1 {"state","run_until_s",
 * "promised_until_s"} with kept, outlived or unknown by time and coverage alone; from method 2 on
 * {"state","why","first","run_until_s","promised_until_s"}: why is "" when kept, else "limit",
 * "evidence", "time" or "no rule"; first is the first interval at fault, or null:
 * {"from_s","until_s","rule","key","limit","found_u"}. Errors: NOT_VERIFIED for rules that are
 * none. */
int gl_keeping_json(const struct gl_keeping *keeping, json_t **out, struct gl_error *err);

#endif
