/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_PROMISE_H
#define GL_BROKER_PROMISE_H

/* A promise that was given: an object in the ledger (rule, zone, start, end, probability, level,
 * evidence), settled later on what was measured: kept, breached, or unsettled when hours are
 * missing for good; missing is never kept. The promise is about the grid, so it is settled whatever
 * became of the instance. */

#include "broker/ledger.h"
#include "policy/guarantee/book.h"

/* A fresh promise as JSON without reals: what the ledger keeps and a receipt repeats. New
 * reference; NULL when nothing is promised. */
json_t *gl_promise_json(const struct gl_book_entry *entry, const struct gl_world *world);

/* Issue it for a launch: event "guarantee". Nothing when nothing is promised. out_id may be NULL;
 * it is "" when nothing was issued. An id that is taken is drawn again. */
#define GL_PROMISE_ID 16
int gl_promise_issue(struct gl_ledger *ledger, const struct gl_world *world, const char *launch,
                     const struct gl_book_entry *entry, char out_id[GL_PROMISE_ID],
                     struct gl_error *err);

/* The grid as known now, with histories; NULL when nothing is known of the zone. */
typedef const struct gl_zone_facts *gl_facts_of(void *cookie, const char *zone);

/* Settle every open promise that has come due. A broken hour settles at once, unless its figure may
 * still be revised; a promise kept or broken on such figures waits GL_PROMISE_REVISED_S for the
 * settled ones, one with missing hours GL_PROMISE_MISSING_S. Missing is never kept. */
#define GL_PROMISE_REVISED_S (3 * 86400)
#define GL_PROMISE_MISSING_S (7 * 86400)

/* Found of one promise; borrowed for the call. */
struct gl_promise_news {
    const struct gl_guarantee_row *row;
    const char *state; /* "kept" "breached" "unsettled"; "open" for one that is broken by figures
                          that may still be revised */
    int64_t hour_s;    /* of the first broken or missing hour; GL_UNKNOWN */
    bool was_there;    /* broken: its launch ran in that zone in that hour, so that the guarantee
                          of the launch is breached; else it had been moved, paused or ended */
    bool on_estimates; /* of figures that the source had not settled */
};

struct gl_promises_settled {
    unsigned kept, breached, unsettled, open;
    unsigned met;          /* of the breached: it was there */
    unsigned failed;       /* could not be read: a promise that was tampered with stays open */
    struct gl_error first; /* of the failed; names it */
};

struct gl_promise_settling {
    struct gl_ledger *ledger;
    const struct gl_world *world;
    gl_facts_of *facts;
    void *cookie;                                                   /* of both */
    void (*news)(void *cookie, const struct gl_promise_news *news); /* NULL = nobody listens */
};
/* -1 when the ledger cannot be read or written; what was settled until then stays so. */
int gl_promise_settle(const struct gl_promise_settling *settling, struct gl_promises_settled *out,
                      struct gl_error *err);
/* The same without news; every promise that could not be read is an error, after the others were
 * settled. */
int gl_promise_settle_all(struct gl_ledger *ledger, const struct gl_world *world,
                          gl_facts_of *facts, void *cookie, struct gl_promises_settled *out,
                          struct gl_error *err);

#endif
