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

/* What it has left until its window ends, into all but out->account. */
void gl_charge_left_of(const struct gl_cap *cap, const struct gl_account_state *state,
                       struct gl_instant now, struct gl_hook_left *out);

/* What the accounts of the tree have left that launches are charged to, for gl_hook_ask. Looked up
 * once each; nothing of it is limited where there is no ledger. Free with gl_charge_tree_done(). */
struct gl_charge_tree {
    struct gl_context *context;
    const char *tree;
    size_t levels; /* 0 = nothing is limited */
    bool is_lost;  /* the ledger cannot be read */
    struct gl_caps caps;
    json_t *seen; /* by account: its place in items */
    struct gl_hook_left *items;
    size_t count;
};
void gl_charge_tree_open(struct gl_context *context, struct gl_charge_tree *out);
void gl_charge_tree_done(struct gl_charge_tree *tree);
int gl_charge_tree_left(void *cookie, size_t level, const char *const *tags,
                        struct gl_hook_left *out);

/* Are there accounts whose grams are capped, so that futures of the grid are of use? */
bool gl_charge_wants_futures(struct gl_ledger *ledger);
/* Into plan["budget"]: the futures of the offer's grid over its time, where their history is at
 * hand and of the meaning that the plan counts in; else nothing. */
void gl_charge_futures(const struct gl_config *config, const struct gl_ask_result *asked,
                       uint32_t offer, json_t *plan);

/* A launch that its budget has no room for: what would fit, as data, text and next steps beside
 * *err, which says the first. Nothing for any other error. `plan` is of asked's first offer. */
void gl_charge_tell(struct gl_context *context, struct gl_ledger *ledger,
                    const struct gl_ask_result *asked, const struct gl_start_options *options,
                    const json_t *plan, const struct gl_error *err);

/* Warnings of the accounts of that plan that have reached a level, after it was launched; each once
 * in a window, by whoever comes first. */
void gl_charge_warn(struct gl_context *context, const struct gl_launcher *launcher,
                    const json_t *plan);

#endif
