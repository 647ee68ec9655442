/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_RELOCATE_H
#define GL_BROKER_RELOCATE_H

/* Moving a launch to another region of a cloud that cannot move a running machine: power off,
 * image, copy, a new launch from it that says which one it continues, and only when that is
 * verified the old one is ended. Two launches, two receipts; each names the other in the ledger.
 * Whatever fails before the verification is undone: the new machine ended, the images deleted, the
 * old one started again. A machine that cannot be started again stays powered off until its lease
 * ends, and each look tries once more. Where the cloud makes no images, or when it is asked for, it
 * begins anew: nothing is powered off or copied, the new launch starts as the first one did, and
 * the old one runs on until that is verified. Decides nothing: judging the place and the gain is
 * the caller's (broker/relocate_cost.h). running --relocate-intended--> moving --relocate-ended-->
 * stopping --> ended
 *                                         --relocate-failed--> running
 * Events between them: "relocate-halted", "-imaging" and "-copying" (by name, before it is asked
 * for), "-image" and "-copy" (the id it got), "-imaged" and "-copied" (ready), "-launched",
 * "-verified"; "-failing" once it is being undone; "-swept" when images that it left are gone.
 * After a kill gl_launch_reconcile() undoes what was not launched yet, and goes on with what was. A
 * launch keeps its price cap and whether it is a spot one wherever it goes. */

#include "broker/launch.h"
#include "broker/shift.h"
#include "providers/cloud/userdata.h"

struct gl_relocate_order {
    bool is_anew;                         /* without its disk, from the beginning */
    const char *region, *zone;            /* zone "" = not known */
    const struct gl_shift_reason *reason; /* kept in the event */
    const json_t *plan;                   /* of the new launch: gl_relocate_plan(); borrowed */
    const char *const *command;           /* NULL-terminated; NULL = none */
    const struct gl_carried_meter *meter; /* all that are named, for a rented machine; NULL */
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
 * is over; USAGE when it is not running, is there already, has a plan with pauses, its cloud has
 * no images, or it was launched with user data, which nobody keeps, and is to begin anew; LOCKED;
 * INTERRUPTED; TIMEOUT when an image or the verification took too long; those of cloud and ledger.
 * Nothing is powered off unless the cloud's own check says it could be launched there. */
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

/* Delete what moves could not delete when they were closed, also of launches that are over: images
 * are paid for until they are gone. Every look calls it. One that cannot be deleted stays noted. */
struct gl_relocate_swept {
    unsigned swept, left;  /* launches */
    struct gl_error first; /* of what is left */
};
void gl_relocate_sweep(struct gl_launcher *launcher, struct gl_relocate_swept *out);

/* Since when the machine of a launch that was moved on has been powered off: whatever its cloud
 * says later, it used nothing after that. Unix ms by the ledger's clock; GL_UNKNOWN when it was not
 * moved by image, or the move was undone. For the end of its run (broker/closing.c). */
int gl_relocate_off_since(struct gl_ledger *ledger, const char *launch, int64_t *out_ms,
                          struct gl_error *err);

/* What a launch keeps of its rules are the grid's, hour by hour, and its price cap. USAGE naming
 * the first other one: a rule about the place or the sum cannot be asked again, and a move past it
 * would break it unseen. */
int gl_relocate_check_rules(const char *launch, const json_t *plan, struct gl_error *err);
/* The command as the plan has it: the words belong to the plan; *out NULL = none. A command of
 * which the plan does not hold every byte is not run again: USAGE; TOO_LARGE. */
#define GL_RELOCATE_WORDS_MAX 1024
int gl_relocate_command(const json_t *plan, const char *storage[GL_RELOCATE_WORDS_MAX + 1],
                        const char *const **out, struct gl_error *err);
/* What a launch was sent with and a launch that continues it keeps: as its intent says, and as the
 * rules of its plan cap its price. Image and user data matter to one that begins anew. Errors:
 * NOT_VERIFIED, those of the ledger. */
struct gl_relocate_terms {
    bool is_spot, has_user_data;
    int64_t max_price_u_usd; /* per hour; 0 = no cap */
    char image[256];         /* "" = the cloud's own */
    char arch[16];           /* of its type; "" = not known */
};
int gl_relocate_terms_read(struct gl_ledger *ledger, const struct gl_launch_row *row,
                           struct gl_relocate_terms *out, struct gl_error *err);

/* Can this cloud move by image at all? */
bool gl_relocate_has_images(const struct gl_cloud_ops *ops);

/* The launch that continues `row` by a move that is under way or done, and the one that it
 * continues: ids, "" = none. For `status`. */
struct gl_relocate_kin {
    char from[GL_CLOUD_ID], to[GL_CLOUD_ID];
};
int gl_relocate_kin(struct gl_launcher *launcher, const struct gl_launch_row *row,
                    struct gl_relocate_kin *out, struct gl_error *err);

#endif
