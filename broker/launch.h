/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_LAUNCH_H
#define GL_BROKER_LAUNCH_H

/* The launch journal: intent before send, outcome after, and whatever a crash left in between found
 * again by its token. Promises: no orphan, no double launch, no lost gram.
 *   intended --send--> running --stop--> stopping --final reading--> ended (with a receipt)
 *   an unknown outcome is never sent again before find_by_request has proven absence. */

#include "broker/ledger.h"
#include "providers/cloud/cloud.h"

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
};

#define GL_LAUNCH_ATTEMPTS 3

/* What to launch. */
struct gl_order {
    const char *name; /* "" = none */
    const char *cloud, *zone;
    const json_t *plan;      /* evidence so far: request, decision, offer, machine, series,
                              * guarantee, pue, embodied, meter.interval_ms; borrowed */
    struct gl_launch launch; /* region, type, lease, command ...; ids and tokens are filled in */
    bool is_demo;
};

/* Start one instance through the journal. On success *out and the launch id are filled and the
 * ledger says running. -1 leaves the ledger either ended ("failed", proven absent) or, when nothing
 * could be proven, launching: gl_launch_reconcile() will look again. */
int gl_launch_start(struct gl_launcher *launcher, const struct gl_order *order,
                    struct gl_instance *out, struct gl_error *err);

/* End a running launch, named by its id or by a name that only one live launch has: orderly stop
 * (at most `wait`), readings, receipt, ledger. Idempotent. *out_receipt is the receipt's text, to
 * be freed; may be NULL. Errors: UNKNOWN_NAME; NOT_FOUND when it never started, so that there is no
 * receipt; PROVIDER when it is not known whether it runs; those of the cloud and the ledger. */
int gl_launch_finish(struct gl_launcher *launcher, const char *launch, struct gl_span wait,
                     int64_t exit_status, char **out_receipt, struct gl_error *err);

/* Look at every launch that is not over and bring the ledger to the truth: adopt what runs, end
 * what was never started, reap what is past its lease, write receipts of what ended by itself.
 * What another live process is working on is left to it. Counts what changed; a launch that could
 * not be brought to the truth is counted and does not keep the others from it. -1 only when the
 * ledger cannot be read. */
struct gl_reconciled {
    unsigned adopted, absent, reaped, finished, lost, unknown, failed;
    struct gl_error first; /* of the failed */
};
int gl_launch_reconcile(struct gl_launcher *launcher, struct gl_reconciled *out,
                        struct gl_error *err);

/* The meter log of a launch from its console so far; free with gl_meterlog_done(). */
struct gl_meterlog;
int gl_launch_readings(struct gl_launcher *launcher, const struct gl_launch_row *row,
                       struct gl_cloud *cloud, struct gl_meterlog *out, struct gl_error *err);

/* "<state>/receipts/<launch>.json", fresh. */
char *gl_receipt_path(const char *state_folder, const char *launch);

#endif
