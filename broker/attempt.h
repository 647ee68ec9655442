/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_ATTEMPT_H
#define GL_BROKER_ATTEMPT_H

/* The attempts of one launch: intent, sending, and the proof of what came of it before anything is
 * sent again. Only launch.c calls it. */

#include "broker/tenant.h"

#define GL_ATTEMPT_ZONES 8

struct gl_attempts {
    struct gl_launcher *launcher;
    struct gl_order order; /* as it is now: another place may have been chosen since */
    const char *launch, *enrol_token;
    struct gl_cloud *cloud; /* owned */
    struct gl_launch sent;  /* of the last attempt */
    char token[GL_HASH_HEX];
    char account[GL_TENANT]; /* in which it is launched; "" = cannot be told */
    /* Zones of the region that its provider says have stock, asked after the first had none. */
    char zones[GL_ATTEMPT_ZONES][40];
    unsigned zone_count;    /* in this region */
    unsigned zone_sendings; /* in all: they are none of GL_LAUNCH_ATTEMPTS */
    bool is_recorded;       /* an intent stands in the ledger */
};

/* Until it runs, or until nothing more is to be tried: as gl_launch_start(). The ledger is left
 * ended or, when nothing could be proven, launching. */
int gl_attempts_run(struct gl_attempts *attempts, struct gl_instance *out, struct gl_error *err);

/* Can it be started and accounted for at all? USAGE, INTERNAL. */
int gl_order_check(const struct gl_launcher *launcher, const struct gl_order *order,
                   struct gl_error *err);
/* When its lease ends. */
struct gl_instant gl_order_end(const struct gl_launcher *launcher, const struct gl_order *order);

/* Is what the cloud does not show now proven absent? Not before everything that was sent for the
 * last intent of this launch has had time to show (providers/cloud/remote.h); at once where the
 * cloud is on this machine. */
bool gl_attempt_is_settled(struct gl_launcher *launcher, const struct gl_launch_row *row,
                           const struct gl_cloud *cloud);

#endif
