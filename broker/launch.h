/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_LAUNCH_H
#define GL_BROKER_LAUNCH_H

/* The launch journal: intent before send, outcome after, and whatever a crash left in between found
 * again by its token. Promises: no orphan, no double launch, no lost gram.
 *   intended --send--> running --stop--> stopping --final reading--> ended (with a receipt)
 *   running <--> moving <--> paused: broker/shift.h
 *   an unknown outcome is never sent again before find_by_request has proven absence. */

#include "broker/ledger.h"
#include "providers/cloud/cloud.h"

/* Remote clouds that could not be asked: whoever brings the ledger to the truth asks each of them
 * once only, so that one that is dead costs the others no more than its own deadline. */
#define GL_SILENT_MAX 16
struct gl_silent {
    size_t count;
    struct {
        char cloud[24];
        struct gl_error why;
    } items[GL_SILENT_MAX];
};

/* What launching needs; borrowed. */
struct gl_launcher {
    const struct gl_world *world;
    struct gl_ledger *ledger;
    const char *state_folder;
    /* Open a cloud by name; the launcher closes it. */
    void *cookie;
    struct gl_cloud *(*open)(void *cookie, const char *cloud, const char *zone,
                             struct gl_error *err);
    /* Called between two durable steps with the step's name; may not return (tests kill there).
     * NULL = nothing. */
    void (*checkpoint)(void *cookie, const char *step);
    /* Has something asked us to stop? Then what is still starting is ended. NULL = never. */
    bool (*is_interrupted)(void *cookie);
    /* In a child that only asks: leave the parent's connections alone, say nothing. NULL = clouds
     * are asked one after another. */
    void (*apart)(void *cookie);
    struct gl_silent silent; /* filled by gl_launch_reconcile() */
    bool is_roll_called;     /* broker/rollcall.h has just filled it: the next reconcile asks on */
};

/* Why a cloud is not asked again now, the others must not wait for it; NULL = it is. */
const struct gl_error *gl_launcher_silence(const struct gl_launcher *launcher, const char *cloud);
bool gl_launcher_is_silent(const struct gl_launcher *launcher, const char *cloud);
/* Is it a failure of a remote cloud that another question would meet as well? */
bool gl_launcher_would_be_silent(const char *cloud, const struct gl_error *why);
/* Note it, if it is one. */
void gl_launcher_note_silence(struct gl_launcher *launcher, const char *cloud,
                              const struct gl_error *why);

#define GL_LAUNCH_ATTEMPTS 3

/* What to launch. */
struct gl_order {
    const char *name; /* "" = none */
    const char *cloud, *zone;
    const json_t *plan;      /* evidence so far: request, decision, offer, machine, series,
                              * guarantee, pue, embodied, meter.interval_ms; borrowed */
    struct gl_launch launch; /* region, type, lease, command ...; ids and tokens are filled in;
                              * expires: the lease's end, 0 = counted from the start */
    bool is_demo;
    const json_t *budget_from; /* of a launch that goes on from another: "from" of its reservation
                                * (broker/budget.h); borrowed; NULL = none */
    /* The place has nothing to give (CAPACITY, QUOTA, PRICE, or NO_PLACE: the account cannot use
     * it; cloud->failure says how far that reaches), and nothing was started there: change *order
     * to another place that the rules allow (cloud, zone, plan, launch) and return 1; 0 = there is
     * none. What it puts there must outlive the launch. NULL = the failure is final. */
    int (*elsewhere)(void *cookie, const struct gl_cloud *cloud, const struct gl_error *why,
                     struct gl_order *order, struct gl_error *err);
    void *elsewhere_cookie;
};

/* May an instance be called that ("" = nothing)? USAGE when not. */
int gl_launch_check_name(const char *name, struct gl_error *err);

/* Start one instance through the journal. On success *out and the launch id are filled and the
 * ledger says running. -1 leaves the ledger either ended ("failed", proven absent) or, when nothing
 * could be proven, launching: gl_launch_reconcile() will look again. INTERRUPTED: it was ended
 * while it was starting; only out->launch_id is filled, and its receipt charges the time until
 * then. Only failures of the provider are tried again, GL_LAUNCH_ATTEMPTS in all; a full disk is
 * not. Where a zone has no stock and its provider names others of the region that have, those are
 * asked first, and are none of these attempts. What a remote cloud does not show is believed absent
 * only when it has had the time to show it. A cloud that can check a launch beforehand (CHECKS) is
 * asked to, before anything is written.
 */
int gl_launch_start(struct gl_launcher *launcher, const struct gl_order *order,
                    struct gl_instance *out, struct gl_error *err);

/* How a launch is to be ended, and what came of it. */
struct gl_ending {
    struct gl_span wait; /* at most so long for the meter's final reading */
    int64_t exit_status; /* of the command inside; -1 = as the cloud says */
    bool is_over;        /* out: nothing of it runs any more, even if that could not be recorded */
    char *receipt;       /* out: its text, to be freed; NULL = none */
};

/* End a running launch, named by its id or by a name that only one live launch has: orderly stop,
 * readings, receipt, ledger. Idempotent. Errors: UNKNOWN_NAME; NOT_FOUND when it never started, so
 * that there is no receipt; PROVIDER when it is not known whether it runs; those of the cloud and
 * the ledger. With -1 and is_over it was stopped and could not be recorded: that is made up for by
 * the next gl_launch_reconcile() that can write. */
int gl_launch_finish(struct gl_launcher *launcher, const char *launch, struct gl_ending *ending,
                     struct gl_error *err);

/* Look at every launch that is not over and bring the ledger to the truth: adopt what runs, end
 * what was never started, reap what is past its lease, write receipts of what ended by itself, note
 * what a pause, resume or move that was interrupted came to.
 * What another live process is working on is left to it. Counts what changed; a launch that could
 * not be brought to the truth is counted and does not keep the others from it. -1 only when the
 * ledger cannot be read. */
struct gl_reconciled {
    unsigned adopted, absent, reaped, finished, lost, unknown, failed;
    unsigned shifted;      /* found paused, running again or moved (broker/shift.h) */
    struct gl_error first; /* of the failed */
};
int gl_launch_reconcile(struct gl_launcher *launcher, struct gl_reconciled *out,
                        struct gl_error *err);

/* The meter log of a launch from its console so far; free with gl_meterlog_done(). Where the
 * enrolment token is gone nothing can be checked: the log accepts nothing. */
struct gl_meterlog;
int gl_launch_readings(struct gl_launcher *launcher, const struct gl_launch_row *row,
                       struct gl_cloud *cloud, struct gl_meterlog *out, struct gl_error *err);

/* What it has cost until now: the derived part (broker/account.h) of the receipt that it would get
 * if it ended now, but for a silence that is as long as meters are silent between two batches.
 * Changes nothing. *out_derived is a new reference. */
int gl_launch_so_far(struct gl_launcher *launcher, const struct gl_launch_row *row,
                     struct gl_cloud *cloud, json_t **out_derived, struct gl_error *err);

/* Ended or lost. */
bool gl_instance_is_over(const struct gl_instance *instance);

/* "<state>/receipts/<launch>.json", fresh. */
char *gl_receipt_path(const char *state_folder, const char *launch);

#endif
