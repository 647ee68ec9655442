/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_BUDGET_CAP_H
#define GL_BROKER_BUDGET_CAP_H

/* What running work meets when its account is spent: paused or stopped through the journal, as its
 * budget says, and resumed when no account that it is charged to is spent any more; what a budget
 * paused, the guard leaves to it. Spent is what has ended in the window and what runs now has taken
 * so far in it, by its meter. What has taken all that it reserved reserves more where that fits:
 * the high bound of the rest of its lease, or at its own pace. Where it does not, what it has taken
 * is held whatever the caps say, so that nothing new is launched on it, and where that passes a cap
 * it alone is paused or stopped. What was launched over its budget, with a reason and a name, is
 * counted and left alone. The guard asks for all this at every look. */

#include "broker/budget.h"
#include "broker/launch.h"

#define GL_CAPPED_WARNINGS 8
#define GL_CAPPED_WARNING  256
struct gl_capped {
    unsigned paused, resumed, stopped;
    unsigned grown;  /* took more than they reserved, and hold more now */
    unsigned warned; /* accounts that have reached a level of warning, told once */
    char warnings[GL_CAPPED_WARNINGS][GL_CAPPED_WARNING]; /* the first of them */
    unsigned failed; /* could not be paused, resumed or stopped: tried again at the next look */
    struct gl_error first; /* of the failed */
};
/* -1 when the ledger cannot be read. */
int gl_budget_enforce(struct gl_launcher *launcher, struct gl_capped *out, struct gl_error *err);

#endif
