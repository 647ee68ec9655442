/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_CLI_RENTED_H
#define GL_BROKER_CLI_RENTED_H

/* What a launch on somebody else's machine needs beyond one on this machine: its meter, its price
 * cap, leave for the first use of a cloud, and another place when one has nothing to give. */

#include "broker/cli/start_instance.h"

/* Put meter, spot and price cap into an order for a rented machine; nothing of one on this machine.
 * *meter is storage. USAGE for what cannot be carried there, BAD_VALUE. */
int gl_rented_order(const struct gl_context *context, const struct gl_ask *ask,
                    const struct gl_start_options *options, struct gl_order *order,
                    struct gl_carried_meter *meter, struct gl_error *err);
/* Warn of an offer that the configured meters are not for; false = there is nothing to warn of. */
bool gl_rented_warn(struct gl_context *context, const struct gl_offer *offer);
/* Say plainly what will not be measured. */
void gl_rented_say(struct gl_context *context, const struct gl_order *order);

/* The first launch on a cloud that this ledger ever saw is a short one with a price cap; a person
 * at a terminal is asked. 0 = go on; an exit status (declined); -1 USAGE with the line to type. */
int gl_rented_first_use(struct gl_context *context, struct gl_launcher *launcher,
                        const struct gl_ask *ask, const struct gl_offer *offer,
                        struct gl_error *err);
/* Of two first launches on a cloud at the same moment one goes on: the lock in *out_lock, to be
 * given to gl_launch_unlock() when that one is started or not; -1 where it is not the first.
 * LOCKED. */
int gl_rented_claim_first(struct gl_launcher *launcher, const char *cloud, int *out_lock,
                          struct gl_error *err);
/* It was launched: the next one is not the first. */
void gl_rented_note_use(struct gl_launcher *launcher, const struct gl_order *order);

/* ---- places that had nothing to give ---- */

struct gl_tried {
    char place[160]; /* "gcp europe-north1 n2-standard-2" */
    char cloud[GL_CLOUD_ID], region[GL_CLOUD_ID], type[GL_CLOUD_ID];
    struct gl_error why;
};
struct gl_tries {
    struct gl_without without;
    size_t count;
    struct gl_tried items[GL_LAUNCH_ATTEMPTS + 1];
};
/* Note an answer, and leave out as much as it reaches. */
void gl_tries_add(struct gl_tries *tries, const struct gl_order *order, enum gl_reach reach,
                  const struct gl_error *why);
/* What each place answered, a paragraph each. */
void gl_tries_text(const struct gl_tries *tries, unsigned columns, struct gl_str *out);
/* Refuse: what each place answered, and the demand recorded. The exit status, or -1. */
int gl_tries_refuse(struct gl_context *context, const struct gl_tries *tries,
                    const struct gl_ask_result *asked, struct gl_error *err);

#endif
