/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_CLI_CHARGE_H
#define GL_BROKER_CLI_CHARGE_H

/* Whom a launch is charged to: the account of --account, of the configuration, or of the tree
 * org/{team}/{project} by its tags; and one for each rule of the policy with a budget's limit. */

#include "broker/budget.h"
#include "broker/cli/start_instance.h"
#include "broker/hook/judge.h"

/* The member "budget" of the plan of that offer. Errors: USAGE, BAD_VALUE, TOO_LARGE. */
int gl_charge_plan(const struct gl_context *context, const struct gl_ask_result *asked,
                   uint32_t offer, const struct gl_start_options *options, json_t *plan,
                   struct gl_error *err);

/* The same account and caps without an offer, for what judges plans; `rule` is of the policy and
 * has a budget's limit. */
int gl_charge_of_rule(const struct gl_rule *rule, const char *const *tags, struct gl_cap *out_cap,
                      char out_account[GL_ACCOUNT_PATH], struct gl_error *err);

/* What the account of a rule with a budget's limit has left, for gl_hook_ask; `cookie` is the
 * struct gl_context. */
int gl_charge_left(void *cookie, const struct gl_rule *rule, const char *const *tags,
                   struct gl_hook_left *out);

/* Warnings of the accounts of that plan that have reached a level, after it was launched. */
void gl_charge_warn(struct gl_context *context, const struct gl_launcher *launcher,
                    const json_t *plan);

#endif
