/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_PROVIDERS_LOCAL_TASK_H
#define GL_PROVIDERS_LOCAL_TASK_H

/* Suspending, resuming and moving one instance. Whoever does it holds the instance's lock, and
 * writes into its record what is about to be done before it is done; whoever finds such a record
 * with nobody at work finishes it or takes it back (gl_task_settle()), so that there is one running
 * instance however it was interrupted. The record's `process` is the one that is the instance;
 * every other QEMU with its tag is a leftover. Steps: docs/local.md. */

#include "providers/cloud/local.h"

struct gl_local_task {
    const struct gl_local *local;
    const char *folder; /* of the instance */
    struct gl_local_record record;
    int lock;
};

/* Take the lock, waiting at most wait_ms, load the record, settle what somebody left. Errors:
 * NOT_FOUND, LOCKED, and those of gl_task_settle(). On failure there is nothing to end. */
int gl_task_begin(const struct gl_local *local, const char *folder, int64_t wait_ms,
                  struct gl_local_task *out, struct gl_error *err);
void gl_task_end(struct gl_local_task *task);
int gl_task_save(struct gl_local_task *task, struct gl_error *err);
/* For tests: this is done, the next is not. */
void gl_task_step(const struct gl_local_task *task, const char *step);

/* Was somebody interrupted? */
bool gl_task_is_due(const struct gl_local_record *record);
/* Finish or take back. Fine when nothing is due. */
int gl_task_settle(struct gl_local_task *task, struct gl_error *err);

/* Can it be suspended and moved? NO_LOCAL with the reason, GUEST when it has ended. */
int gl_task_check(const struct gl_local_task *task, struct gl_error *err);

/* ---- local_suspend.c: out of QEMU ---- */

/* Whoever is attached lets go, and the guest holds its output. GUEST when it does not answer. */
int gl_task_quiet(struct gl_local_task *task, struct gl_error *err);
/* Stop the machine; it stands still from away.still_ms on. *qmp is open afterwards. */
int gl_task_freeze(struct gl_local_task *task, struct gl_qmp *qmp, struct gl_error *err);
/* Its state into the file away.path, whole, and into the socket `also` (-1 = none); away.seal and
 * away.console_bytes are set. Not synced. */
int gl_task_write_state(struct gl_local_task *task, struct gl_qmp *qmp, int also,
                        struct gl_error *err);
/* The console log's size, when nothing is written to it. */
int gl_task_count_console(struct gl_local_task *task, struct gl_error *err);
/* Write into the history that it has stood still since away.still_ms, where it was; and that it
 * runs where the record says from now on. Twice is as good as once. */
int gl_task_note_still(const struct gl_local_task *task, struct gl_error *err);
void gl_task_note_running(const struct gl_local_task *task);
/* Let the machine of record.process run on, and remove what was begun. */
int gl_task_undo(struct gl_local_task *task, struct gl_error *err);
/* It has ended; nothing of it is left but its record and logs. */
int gl_task_bury(struct gl_local_task *task, struct gl_error *err);
int gl_task_suspend(struct gl_local_task *task, struct gl_error *err);

/* ---- local_wake.c: into QEMU ---- */

struct gl_task_arrival {
    int incoming_fd;
    bool waits;         /* QEMU lets nothing run by itself when it has come */
    const char *suffix; /* of its sockets' names: "" or GL_LOCAL_NEW */
};

/* Start a QEMU that takes the machine's state in; written down by the caller. */
int gl_task_arrive(struct gl_local_task *task, const struct gl_task_arrival *arrival,
                   struct gl_process *out, struct gl_error *err);
/* Wait until it has come, and stands still there. */
int gl_task_await_arrived(struct gl_local_task *task, const struct gl_task_arrival *arrival,
                          struct gl_error *err);
/* record.process is the instance, and stands still: tell it the time, let it run, remove the rest.
 */
int gl_task_go_on(struct gl_local_task *task, struct gl_error *err);
/* From SUSPENDED to running where the record says. On failure before it runs it is SUSPENDED. */
int gl_task_wake(struct gl_local_task *task, struct gl_error *err);
/* The file with its state; -1 when it is not there or of another length. */
int gl_task_open_state(const struct gl_local_away *away, struct gl_error *err);

/* ---- local_sockets.c ---- */

/* A rename keeps who listens: the QEMU it goes to takes over the names, the one it left can still
 * be reached by others, until one of them is gone. */
void gl_task_adopt_sockets(const struct gl_local_task *task);
void gl_task_restore_sockets(const struct gl_local_task *task);
/* Remove sockets of QEMUs that it is not, and the note `hold`. */
void gl_task_clean(const struct gl_local_task *task);

/* ---- local_move.c ---- */

int gl_task_move(struct gl_local_task *task, const struct gl_local_place *target,
                 struct gl_error *err);
/* The QEMU it goes to is the instance from here on, and the one it left stands by. */
int gl_task_commit_arrival(struct gl_local_task *task, struct gl_error *err);

#endif
