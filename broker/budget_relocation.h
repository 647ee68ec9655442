/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_BUDGET_RELOCATION_H
#define GL_BROKER_BUDGET_RELOCATION_H

/* What a move to another region may take of the accounts of its launch. Reserves nothing itself: it
 * makes the bodies of events (broker/budget.h has their meaning). */

#include "broker/budget.h"

/* The "budget" of a launch that is about to be moved by image (*out NULL when it holds nothing):
 * one machine runs at a time, but until the new one is verified the move may fail, and then the
 * rest of the old one is used as well, with the time that it was off as its readings leave it.
 * Reserved is the most of what may come of it: what is used and all of the rest there; or all of
 * the old reservation and the trial there. One that runs on meanwhile uses as much of its own as
 * that trial lasts. */
struct gl_relocation_of {
    const struct gl_launch_row *row;
    const json_t *plan;      /* of the new launch */
    int64_t max_price_u_usd; /* as of gl_wanted_of */
    int64_t trial_s;         /* until it is verified, or ended again */
    int64_t told_ug;         /* by its meter so far; GL_UNKNOWN */
    bool runs_on;            /* it is not powered off for it */
};
struct gl_relocation_held {
    bool is_held;           /* false: nothing is, and there is nothing to reserve */
    struct gl_amount used;  /* by now */
    struct gl_amount alone; /* what it holds when it stays */
};
int gl_budget_of_relocation(struct gl_ledger *ledger, const struct gl_relocation_of *of,
                            struct gl_relocation_held *out_held, json_t **out,
                            struct gl_error *err);
/* The "budget" of the event that it stays, after the launch `tried` ("" = none was begun): it holds
 * what it did before, that one what is left, and gives nothing back. New reference. */
json_t *gl_budget_stay_json(const struct gl_amount *alone, const char *tried);
/* The member "from" of a reservation. New reference. */
json_t *gl_budget_from_json(const char *launch, const struct gl_amount *used);

#endif
