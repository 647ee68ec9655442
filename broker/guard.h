/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_GUARD_H
#define GL_BROKER_GUARD_H

/* The guard: looks at every launch that runs or is paused, issues its promise again on what is
 * known now, and does what policy/guard.h decides before the promise is expected to lapse. A launch
 * that was promised nothing but holds by the data at hand is judged again by the same evaluator.
 * Everything it does goes through the journal (broker/shift.h), so that a guard killed at any step
 * leaves one instance and a ledger that can be brought to the truth. A launch that carries out a
 * plan with pauses (broker/timetable.h) is paused between its stretches, resumed in them, and ended
 * when its work is done; the next look goes on with whatever a killed one left. One guard acts at a
 * time: the second one finds the lock taken and says so. Command line, daemon, demonstration and
 * simulation call this same function; clock, clouds and grid facts come from outside. */

#include "broker/budget_cap.h"
#include "broker/launch.h"
#include "broker/promise.h"
#include "broker/relocate.h"
#include "policy/guard.h"
#include "policy/outlook.h"

/* Done with one launch, for talk, tests and reports; borrowed for the call. An act that failed is
 * told, then the milder one that was done instead: two reports of one launch. */
struct gl_guard_report {
    const struct gl_launch_row *row;
    struct gl_guard_choice choice;
    const struct gl_promise *promise; /* issued again here; NULL = judged by data, or unknown */
    const struct gl_outlook *here;    /* NULL: its plan or rules cannot be read */
    const char *rule;                 /* whose promise is the shortest; "" = none */
    const char *to_region, *to_zone;  /* of a move; else "" */
    const char *continued;            /* moved by image: the launch that goes on there; else "" */
    const char *unmoved;              /* it was to be moved, and why it cannot be; else "" */
    const struct gl_error *failed;    /* the act was tried and failed; NULL = done or none tried */
    const struct gl_error *untold;    /* done, but its promise, notice or demand is not in the
                                         ledger; NULL = it is */
    unsigned tries;  /* times in a row that this act, or the one it stands for, has failed */
    int64_t retry_s; /* not tried again before; GL_UNKNOWN = it was tried, or nothing failed */
    int64_t next_s;  /* of a plan with pauses: when it changes next; GL_UNKNOWN */
    int64_t told_s;  /* NOTIFY: the same was told before, then; GL_UNKNOWN = for the first time */
};

#define GL_GUARD_LEAD_S 3600

struct gl_guard {
    struct gl_launcher *launcher;
    /* The grid as known now, with histories; NULL when nothing is known of the zone. Lives until
     * the look is over. */
    void *cookie;
    gl_facts_of *facts;
    /* Places that the launch's cloud could move it to: fills at most `capacity`, returns how many.
     * NULL = it cannot be moved. A rented machine goes there by image (broker/relocate.h), as a new
     * launch with the rest of its lease: after everything else was looked at, for it takes long. */
    size_t (*places)(void *cookie, const struct gl_launch_row *row, struct gl_cloud_place *out,
                     size_t capacity);
    void (*report)(void *cookie, const struct gl_guard_report *report); /* NULL = nobody listens */
    void (*news)(void *cookie, const struct gl_promise_news *news);     /* of promises; NULL too */
    const struct gl_carried_meter *meter; /* of a rented machine that moves; NULL = none moves */
    bool is_any_price; /* a rented machine moves whatever that costs in money; else for no more than
                          the rest of its lease does, and never where a price is not known */
    const struct gl_book_memory *memory;
    const char *only; /* look at this launch only, and settle no promise; NULL = at all */
    int64_t late_s;   /* a look comes so late at worst, for plans with pauses; 0 = five minutes */
    int64_t lead_s;   /* act when it lapses within this; 0 = GL_GUARD_LEAD_S */
    uint32_t min_stay_h; /* 0 = 2 */
    double margin;       /* negative = 0.5 */
    bool is_dry;         /* decide and report only: nothing is reconciled, settled or recorded */
    bool is_locked;      /* the caller holds gl_guard_lock() */
};

#define GL_GUARD_PLACES_MAX 96
/* The regions of the built-in table that a rented launch could go to, for `places`: of its cloud,
 * in a known zone, where its type has a price. */
size_t gl_guard_regions(const struct gl_launch_row *row, struct gl_cloud_place *out,
                        size_t capacity);

struct gl_guarded {
    unsigned watched, stayed, moved, paused, resumed, stopped, notified;
    unsigned failed;      /* launches where something that was tried failed */
    unsigned undone;      /* of these, where nothing could be done instead */
    unsigned over_budget; /* of those that failed, where nothing but a budget was in the way */
    int64_t next_s;       /* a plan with pauses changes next; GL_UNKNOWN = there is none */
    int64_t unseen_s;     /* since a guard last looked at everything; GL_UNKNOWN = none ever did */
    struct gl_capped capped; /* by their budgets; counted above as well */
    struct gl_promises_settled settled;
    struct gl_reconciled reconciled;
    struct gl_relocate_swept swept; /* images that earlier moves left */
};

/* Be the guard of this state folder for longer than a look: a descriptor to close, or -1 LOCKED
 * when another one is, for two seconds on. Taken by gl_guard_once() itself unless guard->is_locked.
 */
int gl_guard_lock(const char *state_folder, struct gl_error *err);

/* One look at everything: reconcile, settle what promises have come due or are broken
 * (broker/promise.h), then each launch; ends early, in order, when launcher->is_interrupted says
 * so. -1 LOCKED when another guard is at work; else only when the ledger cannot be read or a
 * settlement cannot be written. */
int gl_guard_once(struct gl_guard *guard, struct gl_guarded *out, struct gl_error *err);

#endif
