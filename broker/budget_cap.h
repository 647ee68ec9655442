/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_BUDGET_CAP_H
#define GL_BROKER_BUDGET_CAP_H

/* What running work meets when its account is spent: paused or stopped through the journal, as its
 * budget says, and resumed when no account that it is charged to is spent any more; what a budget
 * paused, the guard leaves to it. Spent is what has ended in the window and what runs now has taken
 * so far, by its meter. The guard asks for it at every look. */

#include "broker/budget.h"
#include "broker/launch.h"

struct gl_capped {
    unsigned paused, resumed, stopped;
    unsigned failed; /* could not be paused, resumed or stopped: tried again at the next look */
    struct gl_error first; /* of the failed */
};
/* -1 when the ledger cannot be read. */
int gl_budget_enforce(struct gl_launcher *launcher, struct gl_capped *out, struct gl_error *err);

#endif
