/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_SHIFT_H
#define GL_BROKER_SHIFT_H

/* Pausing, resuming and moving what runs, through the launch journal: the intent is written before
 * the cloud is asked, the outcome after it, and what a crash leaves in between is settled by
 * gl_launch_reconcile() from what the cloud reports. Decides nothing.
 *   running --pause--> moving --> paused --resume--> moving --> running
 *   running or paused --move--> moving --> as before, in another place
 * Events: "pause", "resume", "move" before; "paused", "resumed", "moved", or "stayed" after. The
 * lease goes on while it is paused: past it, it is ended like any other. */

#include "broker/launch.h"
#include "broker/runclock.h"

/* Kept in the event. */
struct gl_shift_reason {
    const char *by;         /* "guard" or "person" */
    const char *why;        /* a sentence; may be "" */
    const json_t *evidence; /* what it rests on; NULL = nothing */
};

/* Where to. */
struct gl_shift_place {
    const char *region, *zone; /* zone "" = not known: its carbon will be unknown */
    const json_t *series;      /* what is known of the zone from now to the end of the lease, as
                                * gl_evidence_place(); kept in the event and, once it has moved, in the
                                * receipt as "instance.series". NULL = nothing: carbon unknown */
};

/* By the launch's id or a name that only one live launch has. Fine, and without an event, when it
 * is so already. -1: it stays what it was (event "stayed") or, when the outcome is not known,
 * "moving" until gl_launch_reconcile(). Errors: UNKNOWN_NAME; NOT_FOUND when it is over; USAGE when
 * it cannot be paused or moved, or was launched by a version whose receipts know no pauses; LOCKED
 * when another process works on it; those of the cloud and the ledger. */
int gl_launch_pause(struct gl_launcher *launcher, const char *launch,
                    const struct gl_shift_reason *reason, struct gl_error *err);
int gl_launch_resume(struct gl_launcher *launcher, const char *launch,
                     const struct gl_shift_reason *reason, struct gl_error *err);
int gl_launch_move(struct gl_launcher *launcher, const char *launch,
                   const struct gl_shift_place *to, const struct gl_shift_reason *reason,
                   struct gl_error *err);

/* For the journal's other files, with the launch locked: bring state, region and zone of a launch
 * to what its cloud reports of its instance, which is not over. *out_changed: an event was written.
 * PROVIDER: its cloud cannot settle what was interrupted, and nothing is concluded. */
int gl_shift_settle(struct gl_launcher *launcher, const struct gl_launch_row *row,
                    const struct gl_instance *instance, bool *out_changed, struct gl_error *err);

/* The same before a launch is ended, where a pause, resume or move is still under way; its
 * instance, as just seen, may be over. What cannot be told or written keeps nothing from being
 * ended. */
void gl_shift_settle_before_end(struct gl_launcher *launcher, const struct gl_launch_row *row,
                                struct gl_cloud *cloud, const struct gl_instance *seen);

/* When and where an instance ran: the cloud's spans, with the zone of each by launch and moves.
 * Nothing when it always ran where it was launched. `cloud` NULL: there is nobody to ask; it is
 * taken to have always run, where the ledger says. Errors: of cloud and ledger. */
struct gl_shift_times {
    struct gl_run_spans spans; /* the last one's until_ms is INT64_MAX */
    json_t *moves;             /* by number: what the events "move" said */
};
int gl_shift_times(struct gl_launcher *launcher, const struct gl_launch_row *row,
                   struct gl_cloud *cloud, struct gl_shift_times *out, struct gl_error *err);
void gl_shift_times_done(struct gl_shift_times *times);
/* Put "spans" and "series" of [started_ms, ended_ms] into the "instance" of a receipt, and the last
 * one's "region" and "zone". Series beyond what a receipt can hold are left out: the carbon of
 * their places is then unknown. */
void gl_shift_evidence(const struct gl_shift_times *times, json_t *instance);

#endif
