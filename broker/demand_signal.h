/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_DEMAND_SIGNAL_H
#define GL_BROKER_DEMAND_SIGNAL_H

/* Signals made of what was decided, kept or promised, without anything that names the user. Writes
 * nothing: gl_demand_record() does. */

#include "broker/demand.h"

/* What a signal begins with: nothing known, nothing done instead, at this time; of a launch, or,
 * for NULL, under a key of its own. */
struct gl_demand gl_demand_begin(const struct gl_world *world, const char *launch, bool is_demo);

/* Instance time of a run, and the GPU time of so many GPUs; what is too large is cut to the most
 * that a signal may hold. */
void gl_demand_want(struct gl_demand *demand, struct gl_span duration, uint32_t count,
                    uint32_t gpus);

/* Of a decision that lets nothing run: for each provider asked about, the nearest offer that green
 * rules kept back, or, without one, the nearest at all; at most GL_DEMAND_PLACES, the nearest
 * provider first. Each is `like` with place, rule, limit and gap filled; without a family where the
 * request names no type. Returns how many. */
size_t gl_demand_of_decision(const struct gl_question *question, const struct gl_decision *decision,
                             const struct gl_demand *like, struct gl_demand out[GL_DEMAND_PLACES]);

/* The rule, its limit and what was missing of one reason. False: a provider can do nothing for it.
 */
bool gl_demand_of_reason(const struct gl_reason *reason, struct gl_demand *demand);

/* The green rule of a policy, in normal form; of several the first in order of text, "" without
 * one. */
void gl_demand_of_policy(const struct gl_policy *policy, char out[GL_DEMAND_RULE]);

/* Of a launch as the ledger has it: place, key and mark, the rule that its plan states (the one of
 * that id, NULL or unknown: any), the grade it rested on, GPUs, and `left` of its run. False: it
 * was launched without rules on figures. */
bool gl_demand_of_launch(const struct gl_world *world, const struct gl_launch_row *row,
                         const char *rule, struct gl_span left, struct gl_demand *out);

#endif
