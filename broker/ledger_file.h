/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_LEDGER_FILE_H
#define GL_BROKER_LEDGER_FILE_H

/* What the files of the ledger share: the open database, its statements and its errors. Nobody else
 * includes it. */

#include "broker/ledger.h"

#include <sqlite3.h>
#include <time.h>

struct gl_ledger {
    sqlite3 *db;
    const struct gl_world *world;
    struct gl_error unwritable; /* why it is open to look only; code GL_OK = it is not */
    char *frozen;               /* its file, read as if nobody wrote to it; NULL = it is not */
    struct timespec frozen_at;  /* when that file was last written to before */
};

/* Fill *err with what SQLite says. Returns -1. */
int gl_ledger_fail(sqlite3 *db, const char *what, struct gl_error *err);
/* Statements without a result. */
int gl_ledger_run(struct gl_ledger *ledger, const char *sql, struct gl_error *err);
int gl_ledger_prepare(struct gl_ledger *ledger, const char *sql, sqlite3_stmt **out,
                      struct gl_error *err);
/* Was a file that is read as if nobody wrote to it written to all the same? */
bool gl_ledger_was_written(const struct gl_ledger *ledger);
/* Is there a table of that name? One of an earlier version that is only looked at may lack it. */
int gl_ledger_has_table(struct gl_ledger *ledger, const char *name, bool *out,
                        struct gl_error *err);
void gl_ledger_finalize(sqlite3_stmt **statement);
#define STATEMENT GL_AUTO(gl_ledger_finalize) sqlite3_stmt *
/* One event at the end of the chain, within a transaction. */
int gl_ledger_insert(struct gl_ledger *ledger, const char *kind, const char *launch,
                     const json_t *body, struct gl_error *err);
/* Do the promises follow from their events? TAMPERED naming the first that does not. */
int gl_ledger_check_guarantees(struct gl_ledger *ledger, struct gl_error *err);
/* What the member "budget" of an event, or its end of a launch, does to the accounts; `schema` is
 * "main", or "temp" to work them out again (ledger_budgets.c). */
int gl_ledger_budget_apply(struct gl_ledger *ledger, const char *schema, const char *launch,
                           const json_t *body, struct gl_error *err);
/* Before it: BUDGET or UNKNOWN_DATA when it is a reservation or transfer that does not fit. */
int gl_ledger_budget_allow(struct gl_ledger *ledger, const char *launch, const json_t *body,
                           struct gl_error *err);
/* Do the accounts follow from the events? TAMPERED. */
int gl_ledger_check_budgets(struct gl_ledger *ledger, struct gl_error *err);
/* The projection of demand signals (ledger_signals.c); `s` is "main." or "temp.". A signal is a row
 * of fixed length over texts that many share; `open` until its cost is known. The head says up to
 * which event it goes, and a sum over all its rows. */
#define GL_LEDGER_SIGNAL_TABLES(s)                                                        \
    "CREATE TABLE IF NOT EXISTS " s "demand_texts("                                       \
    " id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE) STRICT;"                         \
    "CREATE TABLE IF NOT EXISTS " s "demand_signals("                                     \
    " id INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, open INTEGER NOT NULL,"             \
    " signal BLOB NOT NULL) STRICT;"                                                      \
    "CREATE TABLE IF NOT EXISTS " s "demand_head("                                        \
    " one INTEGER PRIMARY KEY CHECK(one = 1), upto INTEGER NOT NULL, hash TEXT NOT NULL," \
    " digest INTEGER NOT NULL) STRICT;"                                                   \
    "CREATE INDEX IF NOT EXISTS " s "demand_open ON demand_signals(id) WHERE open = 1;"
/* Take in at most `most` events that it does not have yet, up to event `last`; within a
 * transaction. *out_taken: how many. What cannot be read is kept as such: reading it fails. */
int gl_ledger_signals_fold(struct gl_ledger *ledger, const char *schema, int64_t last, int64_t most,
                           int64_t *out_taken, struct gl_error *err);
/* gl_ledger_demand() within a transaction. */
int gl_ledger_demand_write(struct gl_ledger *ledger, const struct gl_ledger_demand *demand,
                           int64_t *out_seen, struct gl_error *err);
/* After an event within its transaction: the unmet needs that the act of the guard which it
 * completes said of itself when it began (ledger_owed.c). */
int gl_ledger_demand_owed(struct gl_ledger *ledger, const char *kind, const char *launch,
                          const json_t *body, struct gl_error *err);
/* Does it follow from the events? TAMPERED. */
int gl_ledger_check_signals(struct gl_ledger *ledger, struct gl_error *err);
/* Begin to write; refused where the ledger is open to look only. */
int gl_ledger_begin(struct gl_ledger *ledger, struct gl_error *err);

#endif
