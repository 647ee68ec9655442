/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_CLI_SHOW_BUDGET_H
#define GL_BROKER_CLI_SHOW_BUDGET_H

/* Accounts under their caps as text and data. */

#include "broker/budget.h"
#include "broker/cli/command.h"

/* One account as it is shown. */
struct gl_shown_account {
    char path[GL_ACCOUNT_PATH];
    const struct gl_cap *cap; /* borrowed */
    struct gl_account_state state;
    struct gl_exhaustion grams, money; /* within the window or not */
    json_t *reservations;              /* [{"launch","ug","u_usd","how"}], owned */
};

/* Accounts under a cap, `below` and what is below it (NULL = all), in order of path. The storage is
 * of `caps`, which must outlive it; free with gl_shown_free(). */
int gl_shown_accounts(struct gl_context *context, struct gl_ledger *ledger,
                      const struct gl_caps *caps, const char *below, struct gl_shown_account **out,
                      size_t *out_count, struct gl_error *err);

void gl_shown_free(struct gl_shown_account *accounts, size_t count);

/* The table with bars. */
void gl_show_budgets(struct gl_context *context, const struct gl_shown_account *accounts,
                     size_t count);
/* Caps of each account in a place ("org/{team}"), which have no row of their own. */
void gl_show_patterns(struct gl_context *context, const struct gl_caps *caps);
/* "20.0 kg and 200.00 USD per month (UTC); at the cap: refuse" */
void gl_show_cap_text(const struct gl_cap *cap, struct gl_str *out);
/* When each runs out, in sentences. */
void gl_show_exhaustion(struct gl_context *context, const struct gl_shown_account *accounts,
                        size_t count);
/* New reference: {"accounts": [...], "caps": [...]}. */
json_t *gl_budgets_json(const struct gl_shown_account *accounts, size_t count,
                        const struct gl_caps *caps);

#endif
