/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_RELOCATE_PART_H
#define GL_BROKER_RELOCATE_PART_H

/* What the files of broker/relocate.h share: relocate.c goes there, relocate_undo.c comes back and
 * settles after a crash, relocate_image.c finds and deletes the images, relocate_past.c reads and
 * writes the journal, relocate_left.c puts away what stayed behind, relocate_plan.c makes plans. */

#include "broker/budget_relocation.h"
#include "broker/closing.h"
#include "broker/relocate.h"

#define GL_RELOCATE_LOOK_MS 5000
#define GL_RELOCATE_STEP_MS (INT64_C(15) * 60 * 1000) /* power off, start again, clean up */

/* One of the two images of a move. */
struct gl_relocate_image {
    bool is_sent; /* asked for: it may be there, whatever the answer was */
    bool is_gone; /* deleted, or proven never made */
    int64_t sent_ms;
    char id[128]; /* "" = not known */
};

/* The last relocation of a launch, as its events tell it. */
struct gl_relocate_past {
    unsigned number; /* 1 = the first; 0 = there was none */
    bool is_open;    /* neither ended nor failed */
    bool is_moved;   /* it ended: the launch goes on elsewhere */
    bool is_halted, is_imaged, is_copied, is_verified, is_failing;
    bool is_describe_enough;
    char region[40];
    struct gl_relocate_image image, copy;
    char launch[GL_CLOUD_ID];                                /* the new one, "" = not told */
    int64_t halted_ms, launched_ms, verified_ms, failing_ms; /* by the ledger's clock */
    int64_t verify_wait_s;
    struct gl_relocation_held held; /* of its accounts */
    char why[200];                  /* it is being undone */
};
/* And those before it whose images may be left. */
#define GL_RELOCATE_LEFT_MAX 16
struct gl_relocate_trail {
    struct gl_relocate_past last;
    size_t left_count;
    struct gl_relocate_past left[GL_RELOCATE_LEFT_MAX];
};
int gl_relocate_trail_read(struct gl_ledger *ledger, const char *launch,
                           struct gl_relocate_trail *out, struct gl_error *err);
int gl_relocate_past_read(struct gl_ledger *ledger, const char *launch,
                          struct gl_relocate_past *out, struct gl_error *err);

/* One relocation at work. */
struct gl_relocate {
    struct gl_launcher *launcher;
    const struct gl_launch_row *row; /* of the old launch */
    struct gl_cloud *cloud;          /* borrowed */
    struct gl_relocate_past past;
    struct gl_relocate_terms terms;
    const struct gl_relocate_order *order; /* NULL after a crash */
    struct gl_carried_meter meter;         /* for its type; none after a crash */
};

/* Append an event with `body` (taken) and, unless NULL, the launch's new state. */
int gl_relocate_note(const struct gl_relocate *move, const char *kind, json_t *body,
                     const char *state, struct gl_error *err);
/* The launch that this move started, whatever became of it: 1 and *out_rows with its index, 0 none,
 * -1. */
int gl_relocate_find_new(const struct gl_relocate *move, struct gl_launch_rows *out_rows,
                         size_t *out_index, struct gl_error *err);

/* 1 verified, 0 not yet, -1 it never will be (*err says why). One look. */
int gl_relocate_verify(const struct gl_relocate *move, const struct gl_launch_row *row,
                       struct gl_error *err);
/* After the verification: images away, "ended" and the old launch stopping. An image that cannot be
 * deleted is left to gl_relocate_sweep() after 15 minutes, or at once when is_ending. 0 done, 1
 * *err says what is left (to be tried again while past.is_open), -1 the ledger failed. */
int gl_relocate_close(struct gl_relocate *move, bool is_ending, struct gl_error *err);
/* Undo it, because of *why: as gl_launch_relocate() promises. *out_is_busy: to be tried again, *err
 * says what is in the way. */
int gl_relocate_undo(struct gl_relocate *move, const struct gl_error *why, bool is_ending,
                     bool *out_is_busy, struct gl_error *err);

/* ---- relocate_image.c ---- */

/* Names of the images: the same of one move however often it is asked for. */
void gl_relocate_image_name(const struct gl_relocate *move, char out[GL_CLOUD_ID]);
void gl_relocate_copy_name(const struct gl_relocate *move, char out[GL_CLOUD_ID]);

/* What the cloud says of the old machine. */
enum gl_relocate_power { GL_POWER_ON, GL_POWER_OFF, GL_POWER_GONE, GL_POWER_UNKNOWN };
enum gl_relocate_power gl_relocate_power(const struct gl_relocate *move);

/* Find both images by name where their answer was never heard, and delete them: 0 when none is left
 * or can still appear; else -1, and past.image and past.copy say which may be. */
int gl_relocate_clean(struct gl_relocate *move, enum gl_relocate_power power, struct gl_error *err);
/* May it be there? */
bool gl_relocate_may_be_left(const struct gl_relocate_image *image);
/* An answer that says no: the call that it answers made nothing. */
bool gl_relocate_is_refusal(enum gl_errc code);
/* Delete one by its id: 0 when it is not there any more. */
int gl_relocate_delete(struct gl_cloud *cloud, const char *image, struct gl_error *err);

/* ---- relocate_left.c ---- */

/* The images that may be left, for the event that closes the move. Notes the launch as one that
 * gl_relocate_sweep() must look at: before the event, so that no crash forgets it. New reference;
 * NULL with *err. */
json_t *gl_relocate_left(const struct gl_relocate *move, struct gl_error *err);

#endif
