/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_REQUEST_RULE_H
#define GL_BROKER_REQUEST_RULE_H

/* A rule in normal form (gl_demand_rule()) as a policy again, to ask whether offers satisfy it now.
 * Pure. */

#include "policy/policy.h"

/* A policy of that rule alone. NULL with UNKNOWN_DATA when the normal form does not say all of it:
 * limits on places, sizes, prices and budgets are the user's own and left out of it. Proven by
 * writing it as normal form once more. */
struct gl_policy *gl_request_rule_read(const char *rule, struct gl_error *err);

#endif
