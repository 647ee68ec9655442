/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_BUDGET_PART_H
#define GL_BROKER_BUDGET_PART_H

/* What the files of the accounts share: ledger_budgets.c applies events, budget_read.c reads the
 * projection, budget_allow.c says what fits, budget.c writes. */

#include "broker/budget.h"
#include "broker/ledger_file.h"

/* An integer member; GL_UNKNOWN when it is null or not there. */
int64_t gl_budget_member(const json_t *object, const char *key);
/* NULL for what is not known. */
void gl_budget_bind(sqlite3_stmt *statement, int index, int64_t amount);
/* A ledger of an earlier version that may only be looked at has none. */
int gl_budget_has_tables(struct gl_ledger *ledger, bool *out, struct gl_error *err);

#endif
