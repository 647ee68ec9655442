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

/* The rule of `policy` that is `rule` in normal form, with all its limits, whatever it is matched
 * by and however strict it is; borrowed parts, into *out. False: none is, or it has a budget. */
bool gl_request_rule_find(const struct gl_policy *policy, const char *rule, struct gl_rule *out);

#endif
