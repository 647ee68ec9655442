/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_GUARD_PART_H
#define GL_BROKER_GUARD_PART_H

/* What the files of the guard share: guard.c goes from launch to launch, guard_look.c knows the
 * grid under their rules, guard_cloud.c keeps the clouds open, guard_region.c moves rented
 * machines, guard_past.c knows what was tried before, guard_act.c does it. */

#include "base/json.h"
#include "broker/guard.h"
#include "broker/shift.h"
#include "broker/timetable.h"

/* One zone under one set of rules; worked out once a look. */
struct gl_guard_zone {
    char zone[40];
    struct gl_outlook outlook;
    struct gl_guard_zone *next;
};

/* One set of rules that launches were started by. */
struct gl_guard_rules {
    char *key; /* how the plan states them */
    struct gl_policy *policy;
    bool is_promised;
    double probability;
    struct gl_guard_zone *zones;
    struct gl_guard_rules *next;
};

struct gl_guard_look {
    struct gl_guard *guard;
    struct gl_instant now;
    struct gl_arena arena;
    struct gl_guard_rules *rules;
    struct gl_guarantee_rows open; /* promises, by launch */
    struct gl_guard_cloud *clouds; /* that were opened */
    /* What takes long waits until all others have been looked at: rows, borrowed. */
    bool is_deferring;
    size_t deferred_count;
    const struct gl_launch_row **deferred; /* room for all */
};

/* One launch under watch; everything borrowed from the look but the plan. */
struct gl_watch {
    struct gl_guard_look *look;
    const struct gl_launch_row *row;
    json_t *plan;
    const struct gl_guard_rules *rules; /* NULL: nothing but its plan with pauses is watched */
    const struct gl_outlook *here;      /* NULL without rules */
    struct gl_timetable_kept kept;      /* its plan with pauses; count 0 = none */
    struct gl_timetable_choice wish;    /* what that wants now; NONE without one */
    bool is_by_image;                   /* it can only be moved by image, as a new launch */
    struct gl_relocate_terms terms;     /* that it would keep there */
    char unmoved[200];           /* why it cannot be moved; "" = it can, or was not asked to */
    char continued[GL_CLOUD_ID]; /* moved by image: the launch that it goes on as; "" */
    struct gl_error unsettled;   /* of that move: what is still to be put away */
    size_t place_count;
    struct gl_cloud_place places[GL_GUARD_PLACES_MAX]; /* elsewhere */
    const struct gl_outlook *there[GL_GUARD_PLACES_MAX];
};

/* ---- guard_look.c ---- */

/* Everything known of the grid is asked again from now on. */
void gl_guard_look_renew(struct gl_guard_look *look);
void gl_guard_look_done(struct gl_guard_look *look);
/* *out_is_watched: it was launched by rules on the grid, or carries out a plan with pauses. Free
 * with gl_watch_done() in any case. -1: the plan or its rules cannot be read. */
int gl_watch_begin(struct gl_guard_look *look, const struct gl_launch_row *row,
                   struct gl_watch *out, bool *out_is_watched, struct gl_error *err);
void gl_watch_done(struct gl_watch *watch);
/* Where else it could be, if it is to be moved at all: asked only when there is something to do. */
void gl_watch_elsewhere(struct gl_watch *watch);
/* Seconds until its promise, or its lease if that ends earlier, is over; with a plan until the
 * stretch it is in ends. */
int64_t gl_watch_needed_s(const struct gl_watch *watch);
/* Hours promised there and needed, at most GL_OUTLOOK_H. */
uint32_t gl_watch_hours(const struct gl_watch *watch, const struct gl_guard_place *there);
/* The facts for gl_guard_decide(), as if all could be done; places and moves are storage for
 * GL_GUARD_PLACES_MAX each. */
void gl_watch_facts(const struct gl_watch *watch, struct gl_guard_place *places,
                    struct gl_guard_move *moves, struct gl_guard_facts *out);

/* ---- guard_cloud.c ---- */

/* The cloud of a launch, borrowed until the look is over; NULL with *err, also of one that did not
 * answer in this look. */
struct gl_cloud *gl_guard_cloud(struct gl_guard_look *look, const struct gl_launch_row *row,
                                struct gl_error *err);
void gl_guard_clouds_close(struct gl_guard_look *look);

/* ---- guard_region.c ---- */

/* Can a launch of this cloud go to another region by image? false: watch->unmoved says why not. */
bool gl_guard_can_relocate(struct gl_watch *watch, const struct gl_cloud_ops *ops);
/* The other candidate zone of a disputed region; NULL = none. */
const char *gl_guard_second_zone(const struct gl_watch *watch, const struct gl_cloud_place *place);
/* The full cost of going to places[index], and what being there saves of `kw` while it lasts. What
 * is not known stays so. */
void gl_guard_region_cost(const struct gl_watch *watch, size_t index, double kw,
                          struct gl_guard_place *there, struct gl_guard_move *out);
/* What such a move may cost in money, millionths of a dollar: as much as the rest of the lease
 * does. GL_UNKNOWN = whatever it costs. */
int64_t gl_guard_move_ceiling(const struct gl_watch *watch);
/* Go: as gl_launch_relocate(). */
int gl_guard_relocate(struct gl_watch *watch, size_t place, const struct gl_shift_reason *reason,
                      struct gl_error *err);

/* ---- guard_past.c ---- */

#define GL_GUARD_ACTS (GL_GUARD_NOTIFY + 1)
struct gl_guard_past {
    bool is_paused_by_person;
    int64_t person_resumed_s; /* the last time that a person did; GL_UNKNOWN */
    int64_t moved_s;          /* when it arrived where it is; GL_UNKNOWN = where it was launched */
    struct {
        unsigned failures; /* in a row */
        int64_t last_s;
    } tried[GL_GUARD_ACTS];
    int64_t told_s; /* the last notice; GL_UNKNOWN */
    char told_why[80];
};
int gl_guard_past_read(struct gl_ledger *ledger, const char *launch, struct gl_guard_past *out,
                       struct gl_error *err);
/* What was moved lately is not moved again: set in *facts, and in watch->unmoved where it would be
 * moved otherwise. */
void gl_guard_moved_lately(struct gl_watch *watch, const struct gl_guard_past *past,
                           struct gl_guard_facts *facts);
/* When what has failed may be tried again: five minutes after the first failure, twice as long
 * after each further one, at most an hour. GL_UNKNOWN when it may be tried now. */
int64_t gl_guard_past_retry_s(const struct gl_guard_past *past, enum gl_guard_act act,
                              int64_t now_s);

/* ---- guard_act.c ---- */

/* Do it. -1 with *err and, in *out_step, which act failed (a resume elsewhere moves first). */
int gl_guard_act(struct gl_watch *watch, const struct gl_guard_choice *choice,
                 enum gl_guard_act *out_step, struct gl_error *err);
/* Event "guard": {"act","why","evidence","error"}. `failed` NULL: it is done, or is begun now. */
int gl_guard_note(const struct gl_watch *watch, enum gl_guard_act act,
                  const struct gl_guard_choice *choice, const struct gl_error *failed,
                  struct gl_error *err);
/* What comes after an act that was done: the promise where it goes on now, and what is over now has
 * a cost. What the act says of a need stands in the event that began it ("evidence"."demand") and
 * was written with its outcome. */
int gl_guard_after(const struct gl_watch *watch, const struct gl_guard_choice *choice,
                   struct gl_error *err);
/* It runs on where it is: the promise there, unless one stands. */
int gl_guard_renew_promise(const struct gl_watch *watch, struct gl_error *err);

void gl_guard_checkpoint(const struct gl_guard *guard, const char *step);

#endif
