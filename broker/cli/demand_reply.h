/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_CLI_DEMAND_REPLY_H
#define GL_BROKER_CLI_DEMAND_REPLY_H

/* The demand signals of commands: recorded, and said in one line. */

#include "broker/cli/command.h"
#include "broker/demand_signal.h"

/* Record them and say so, in text and as data "demand", with `request observe` as a next step once
 * a request is near; of none only that nothing was started. -1:
 * the ledger cannot be written. */
int gl_demand_say(struct gl_context *context, const struct gl_demand *signals, size_t count,
                  struct gl_error *err);

/* Record them beside something else that was done: what cannot be written is a warning for
 * people, and nothing under --json: a document says what was decided. Nothing of none. */
void gl_demand_note(struct gl_context *context, const struct gl_demand *signals, size_t count);

/* For the evidence of the event that begins an act: recorded when the act has come true, whoever
 * writes that (broker/demand_signal.h). New reference; NULL, with a warning: it cannot be said. */
json_t *gl_demand_evidence(struct gl_context *context, const struct gl_demand *signal);

/* What earlier pauses and moves cost, as far as that is known by now: as gl_demand_note(). */
void gl_demand_note_cost(struct gl_context *context);

/* When demand is worth a request, by the configuration of this call or as it is built in. */
struct gl_demand_threshold gl_demand_threshold_of(const struct gl_context *context);

/* The signals of a decision that lets nothing run. Returns how many. */
size_t gl_demand_of_ask(struct gl_context *context, const struct gl_ask_result *asked,
                        struct gl_demand out[GL_DEMAND_PLACES]);

#endif
