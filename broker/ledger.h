/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_LEDGER_H
#define GL_BROKER_LEDGER_H

/* The ledger: an append-only, hash-chained table of events in SQLite (WAL, STRICT, synchronous
 * FULL) and projections that are only ever written in the same transaction as their event. Refuses
 * to change or delete an event. hash = SHA-256 of "prev|seq|at_ms|kind|launch|body"; of these only
 * the body may hold a bar. The chain shows a change and a gap, the highest number ever given a
 * missing tail; someone who rewrites the whole file is only caught by a head noted elsewhere. */

#include "base/json.h"
#include "base/sign.h"
#include "base/world.h"

struct gl_ledger;

/* Open or create `path`; the file itself must not be a link. The schema is made in one transaction.
 * What is no ledger is left as it is. Errors: IO, DISK_FULL, LOCKED, TAMPERED (not a ledger),
 * CONFIG (of a newer program). `max_pages` > 0 caps the file (tests of a full disk). */
struct gl_ledger *gl_ledger_open(const char *path, const struct gl_world *world, int max_pages,
                                 struct gl_error *err);
/* An existing ledger without writing anything, for a full or read-only disk and for a folder of
 * somebody else's: every change is refused with the code of `why` (DISK_FULL, IO). Errors: as
 * above. */
struct gl_ledger *gl_ledger_open_to_look(const char *path, const struct gl_world *world,
                                         const struct gl_error *why, struct gl_error *err);
void gl_ledger_close(struct gl_ledger *ledger); /* NULL is fine */

/* States of a launch. "moving": being paused, resumed or moved; which of them came true is not
 * known yet. */
#define GL_LAUNCH_STATES \
    "intended", "launching", "running", "paused", "moving", "stopping", "ended", "lost"

/* Projection of one launch. Strings live until gl_launch_rows_free(). */
struct gl_launch_row {
    char *launch; /* "gl-4k2p9x" */
    char *name;   /* the user's, or "" */
    char *state;
    char *cloud, *region, *type, *zone;
    char *token;    /* of the last attempt */
    char *instance; /* provider's id, "" before it is known */
    char *plan;     /* canonical JSON: request, decision, offer, evidence (broker/plan.h) */
    char *receipt;  /* canonical JSON, "" before the end */
    int64_t attempt;
    int64_t created_ms, started_ms, expires_ms, ended_ms; /* 0 = not yet */
    int64_t exit_status;                                  /* -1 = none */
    bool is_demo;
};

struct gl_launch_rows {
    size_t count;
    struct gl_launch_row *rows;
};

/* What an event changes in the projection; NULL or negative members are left as they are. */
struct gl_launch_change {
    const char *launch; /* compulsory */
    const char *name, *state, *cloud, *region, *type, *zone, *token, *instance, *plan, *receipt;
    int64_t attempt, created_ms, started_ms, expires_ms, ended_ms, exit_status; /* -1 = keep */
    int is_demo;                                                                /* -1 = keep */
};
#define GL_LAUNCH_KEEP                                                                   \
    .attempt = -1, .created_ms = -1, .started_ms = -1, .expires_ms = -1, .ended_ms = -1, \
    .exit_status = -1, .is_demo = -1

/* Append one event and, in the same transaction, apply `change` (NULL = none). `body` is borrowed
 * and must be canonical-able (no reals). Durable when it returns 0. A member "budget" of the body
 * reserves, spends or moves (broker/budget.h): BUDGET or UNKNOWN_DATA, and nothing is written, when
 * that would overspend. An outcome writes the event "demand" that the guard's act owes with it. */
int gl_ledger_append(struct gl_ledger *ledger, const char *kind, const char *launch,
                     const json_t *body, const struct gl_launch_change *change,
                     struct gl_error *err);

/* Launches, newest first; `filter` is a launch id, a name, a state, or NULL for all. */
int gl_ledger_launches(struct gl_ledger *ledger, const char *filter, struct gl_launch_rows *out,
                       struct gl_error *err);
void gl_launch_rows_free(struct gl_launch_rows *rows);
/* Its state is ended or lost. */
bool gl_launch_row_is_over(const struct gl_launch_row *row);

/* Unmet needs of one launch (broker/demand.h): what is written, and the cases it belongs to. */
struct gl_ledger_demand {
    const json_t *body;
    const char *launch_key;
    bool is_demo;
    size_t count;
    const char (*fingerprints)[GL_HASH_HEX];
};
/* Event "demand"; *out_seen: launches seen of the first fingerprint so far, this one included,
 * those of demonstrations counted apart. */
int gl_ledger_demand(struct gl_ledger *ledger, const struct gl_ledger_demand *demand,
                     int64_t *out_seen, struct gl_error *err);
/* Bodies of the events "demand" since `since_ms`, in no order; stops with -1 when `each` gives -1.
 */
int gl_ledger_demands(struct gl_ledger *ledger, int64_t since_ms, void *cookie,
                      int (*each)(void *cookie, const json_t *body, struct gl_error *err),
                      struct gl_error *err);
/* The same signals out of a projection that is kept with the events, a million in a fraction of a
 * second: those of events since `since_ms`, each with the cost that became known of it later. What
 * the projection lacks is taken in first, or, where nothing can be written, worked out beside it.
 * *out_is_sound false: its rows are not those that were written, and nothing of what `each` was
 * given may be used; gl_ledger_signals_renew() makes it again from the events. -1 when `each` gives
 * -1; TAMPERED for a signal that cannot be read. */
struct gl_demand;
int gl_ledger_signals(struct gl_ledger *ledger, int64_t since_ms, void *cookie,
                      int (*each)(void *cookie, const struct gl_demand *demand,
                                  struct gl_error *err),
                      bool *out_is_sound, struct gl_error *err);
int gl_ledger_signals_renew(struct gl_ledger *ledger, struct gl_error *err);

/* Pauses and moves whose cost nobody has written down yet: by the event that told of them. */
struct gl_ledger_open {
    int64_t seq;
    char launch_key[16];
    bool is_move;
    bool has_extra; /* the grams were known, the time alone is not */
};
/* The oldest first; *out is freed by the caller. None where the ledger is open to look only. */
int gl_ledger_signals_open(struct gl_ledger *ledger, struct gl_ledger_open **out, size_t *out_count,
                           struct gl_error *err);
/* Event "demand-cost": what the signal of event `seq` cost, once: nothing is written when that was
 * said before. GL_UNKNOWN is said as such, and stays. */
struct gl_ledger_cost {
    int64_t seq;
    const char *launch_key;
    int64_t lost_ms, extra_ug;
};
int gl_ledger_signal_cost(struct gl_ledger *ledger, const struct gl_ledger_cost *cost,
                          struct gl_error *err);

/* Promises of a green duration (broker/promise.h): one row each, made by its event "guarantee",
 * settled by its event "settled". */
struct gl_guarantee_row {
    char *id; /* "gr-..." */
    char *launch, *state, *zone;
    char *body;    /* canonical JSON of the promise */
    char *settled; /* canonical JSON of what became of it, "" before */
    int64_t until_s;
    bool is_demo; /* its launch is one of a demonstration */
};
struct gl_guarantee_rows {
    size_t count;
    struct gl_guarantee_row *rows;
};
#define GL_GUARANTEE_STATES "open", "kept", "breached", "unsettled"

/* Issue a promise: `body` has "id", "state", "zone" and "until_s". DUPLICATE_KEY: that id is
 * taken. */
int gl_ledger_guarantee(struct gl_ledger *ledger, const char *launch, const json_t *body,
                        struct gl_error *err);
/* What became of it: `body` has "id" and "state". With it, in one transaction, the unmet need that
 * a broken one is (NULL = none), so that neither is ever there without the other. *out_settled
 * false, and nothing written: it was settled before. UNKNOWN_NAME: that launch has no such promise.
 */
int gl_ledger_guarantee_settle(struct gl_ledger *ledger, const char *launch, const json_t *body,
                               const struct gl_ledger_demand *demand, bool *out_settled,
                               struct gl_error *err);
/* Newest first; `filter` is an id, a launch or a state, NULL = all. */
int gl_ledger_guarantees(struct gl_ledger *ledger, const char *filter,
                         struct gl_guarantee_rows *out, struct gl_error *err);
void gl_guarantee_rows_free(struct gl_guarantee_rows *rows);

/* The clock of its world. */
int64_t gl_ledger_now_ms(const struct gl_ledger *ledger);

/* Recompute every hash, and compare promises, accounts and signals with their events. 0 and counts,
 * or -1 TAMPERED naming what is bad first; LOCKED when it is open to look only and somebody wrote
 * to it meanwhile. */
struct gl_ledger_check {
    int64_t events;
    int64_t launches;
    int64_t latest_ms; /* the latest time of any event; 0 = there is none */
    char head[GL_HASH_HEX];
};
int gl_ledger_check(struct gl_ledger *ledger, struct gl_ledger_check *out, struct gl_error *err);

/* Every event in order as one canonical JSON object; stops when `each` returns non-zero. */
int gl_ledger_events(struct gl_ledger *ledger, const char *launch, void *cookie,
                     int (*each)(void *cookie, const json_t *event), struct gl_error *err);

#endif
