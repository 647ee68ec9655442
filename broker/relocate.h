/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_RELOCATE_H
#define GL_BROKER_RELOCATE_H

/* Moving a launch to another region of a cloud that cannot move a running machine: power off,
 * image, copy, a new launch from it that says which one it continues, and only when that is
 * verified the old one is ended. Two launches, two receipts; each names the other in the ledger.
 * Whatever fails before the verification is undone: the new machine ended, the images deleted, the
 * old one started again. A machine that cannot be started again stays powered off until its lease
 * ends, and each look tries once more. Decides nothing: judging the place and the gain is the
 * caller's (broker/relocate_cost.h). running --relocate-intended--> moving --relocate-ended-->
 * stopping --> ended
 *                                         --relocate-failed--> running
 * Events between them: "relocate-halted", "-imaging" and "-copying" (with the image's id),
 * "-imaged" and "-copied" (ready), "-launched", "-verified"; "-failing" once it is being undone.
 * After a kill gl_launch_reconcile() undoes what was not launched yet, and goes on with what was.
 */

#include "broker/launch.h"
#include "broker/shift.h"
#include "providers/cloud/userdata.h"

struct gl_relocate_order {
    const char *region, *zone;            /* zone "" = not known */
    const struct gl_shift_reason *reason; /* kept in the event */
    const json_t *plan;                   /* of the new launch: gl_relocate_plan(); borrowed */
    const char *const *command;           /* NULL-terminated; NULL = none */
    const struct gl_carried_meter *meter; /* of a rented machine; NULL = none */
    int64_t max_price_u_usd;              /* per hour; 0 = no cap */
    bool is_spot;
    bool is_describe_enough; /* verified when the cloud says that it runs there, without waiting for
                              * the first reading */
    int64_t image_wait_s, verify_wait_s; /* each image; 0 = two hours, 15 minutes */
    void (*progress)(void *cookie, const char *step, int64_t waited_s); /* NULL = nobody listens */
    void *cookie;
};

/* What came of it. */
struct gl_relocated {
    char launch[GL_CLOUD_ID]; /* the new one; "" = none was started */
    struct gl_error
        unsettled; /* it runs in the other region, but the old machine or an image is not
                    * gone yet: gl_launch_reconcile() tries again. OK = all is done */
};

/* By id, or a name that only one live launch has. 0: it runs there. -1: it runs where it was, or
 * says so loudly when not (powered off, or not known yet). Errors: UNKNOWN_NAME; NOT_FOUND when it
 * is over; USAGE when it is not running, is there already, has a plan with pauses, or its cloud has
 * no images; LOCKED; INTERRUPTED; TIMEOUT when an image or the verification took too long; those of
 * cloud and ledger. Nothing is powered off unless the cloud's own check says it could be launched
 * there. */
int gl_launch_relocate(struct gl_launcher *launcher, const char *launch,
                       const struct gl_relocate_order *order, struct gl_relocated *out,
                       struct gl_error *err);

/* The plan of a launch in its new place: the old one's with place, grid series, power usage, price
 * and times of the new one; the same rules. Judged by data, not promised. */
struct gl_relocate_place {
    const char *cloud, *region;
    const char *const *zones; /* candidates; the first is the place's */
    size_t zone_count;
    const json_t *series; /* of them, as gl_evidence_place(); NULL = nothing is known */
};
json_t *gl_relocate_plan(const json_t *old, const struct gl_relocate_place *place,
                         struct gl_instant now, struct gl_instant until, struct gl_error *err);

/* For the journal's other files, with the launch locked and its state "moving": go on with a
 * relocation that was interrupted, or undo it. `is_ending`: the launch is about to be ended by
 * request, so that it is not started again. */
enum gl_relocate_settled {
    GL_RELOCATE_NONE,   /* there is none under way */
    GL_RELOCATE_BUSY,   /* not settled yet: look again */
    GL_RELOCATE_MOVED,  /* it goes on elsewhere; the launch is "stopping" now */
    GL_RELOCATE_STAYED, /* it is undone; the launch is "running", or "stopping" when is_ending */
};
int gl_relocate_settle(struct gl_launcher *launcher, const struct gl_launch_row *row,
                       struct gl_cloud *cloud, bool is_ending, enum gl_relocate_settled *out,
                       struct gl_error *err);

/* The launch that continues `row` by a move that is under way or done, and the one that it
 * continues: ids, "" = none. For `status`. */
struct gl_relocate_kin {
    char from[GL_CLOUD_ID], to[GL_CLOUD_ID];
};
int gl_relocate_kin(struct gl_launcher *launcher, const struct gl_launch_row *row,
                    struct gl_relocate_kin *out, struct gl_error *err);

#endif
