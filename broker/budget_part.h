/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_BUDGET_PART_H
#define GL_BROKER_BUDGET_PART_H

/* What the files of the accounts share: ledger_budgets.c applies events, budget_read.c reads the
 * projection, budget_allow.c and budget_short.c say what fits, budget_wanted.c how much a run may
 * take, budget.c writes. */

#include "broker/budget.h"
#include "broker/ledger_file.h"

/* An integer member; GL_UNKNOWN when it is null or not there. */
int64_t gl_budget_member(const json_t *object, const char *key);
/* NULL for what is not known. */
void gl_budget_bind(sqlite3_stmt *statement, int index, int64_t amount);
json_t *gl_budget_amount_json(int64_t amount); /* new reference */
/* A spending is booked in pieces of time, cut where windows may begin: so many, and one more. */
#define GL_BUDGET_PIECES 96
/* Warnings are events of an account: no launch has such an id. */
#define GL_BUDGET_SUBJECT_OF "budget:"
#define GL_BUDGET_SUBJECT    (GL_ACCOUNT_PATH + sizeof GL_BUDGET_SUBJECT_OF)
/* Sums of what is reserved and will still be so at that instant; `without` a launch, NULL = all. */
int gl_budget_held_at(struct gl_ledger *ledger, const char *path, int64_t at_ms,
                      const char *without, struct gl_amount *out, struct gl_error *err);
/* Of a sliding window: the first instant at which so much has fallen out of it. GL_UNKNOWN = that
 * much is not in it. */
int gl_budget_falls_out(struct gl_ledger *ledger, const struct gl_cap *cap, const char *path,
                        int64_t now_s, const struct gl_amount *wanted, int64_t *out_s,
                        struct gl_error *err);

#endif
