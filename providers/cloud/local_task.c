/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/local_task.h"

#include <string.h>
#include <unistd.h>

#define QMP_MS 5000

/* ---- one at a time ---- */

int gl_task_begin(const struct gl_local *local, const char *folder, int64_t wait_ms,
                  struct gl_local_task *out, struct gl_error *err)
{
    struct gl_local_task task = {.local = local, .folder = folder};

    /* Before the lock, which would make a folder that is not there. */
    if (gl_local_record_load(folder, &task.record, err) < 0)
        return -1;
    task.lock = gl_local_lock(folder, wait_ms, err);
    if (task.lock < 0)
        return -1;
    if (gl_local_record_load(folder, &task.record, err) == 0 && gl_task_settle(&task, err) == 0) {
        *out = task;
        return 0;
    }
    close(task.lock);
    return -1;
}

void gl_task_end(struct gl_local_task *task)
{
    close(task->lock);
    task->lock = -1;
}

int gl_task_save(struct gl_local_task *task, struct gl_error *err)
{
    return gl_local_record_save(task->folder, &task->record, err);
}

void gl_task_step(const struct gl_local_task *task, const char *step)
{
    if (task->local->at_step != NULL)
        task->local->at_step(task->local->step_cookie, step);
}

int gl_task_check(const struct gl_local_task *task, struct gl_error *err)
{
    const struct gl_local_record *record = &task->record;

    if (strcmp(record->how, "process") == 0)
        return gl_fail(err, GL_E_NO_LOCAL,
                       "%s is a process, not a virtual machine: its state is spread over this "
                       "machine's kernel and cannot be saved",
                       record->launch_id);
    if (record->has_disk)
        return gl_fail(err, GL_E_NO_LOCAL,
                       "%s has a disk of its own: what it wrote there is in QEMU's hands alone",
                       record->launch_id);
    if (record->state != GL_STATE_RUNNING || !gl_local_is_alive(record))
        return gl_fail(err, GL_E_GUEST, "the instance %s does not run", record->launch_id);
    return 0;
}

/* ---- what somebody left ---- */

bool gl_task_is_due(const struct gl_local_record *record)
{
    return record->state != GL_STATE_ENDED &&
           (record->away.phase != GL_PHASE_NONE ||
            (record->state == GL_STATE_SUSPENDED && record->process.pid > 0));
}

/* The file is the instance. A move that had lost its machine goes on from there. */
static int settle_suspended(struct gl_local_task *task, struct gl_error *err)
{
    struct gl_local_record *record = &task->record;
    struct gl_local_away *away = &record->away;
    bool is_arriving = away->phase == GL_PHASE_WAKING && away->target[0] != '\0';
    struct gl_error ignored = {0};

    gl_local_kill_others(record->tag, NULL, NULL);
    gl_task_note_still(task, &ignored);
    gl_local_drop_states(task->local, task->folder, away->path);
    gl_task_clean(task);
    record->process = away->other = (struct gl_process){0};
    if (is_arriving)
        return gl_task_wake(task, err);
    away->phase = GL_PHASE_NONE;
    away->from[0] = away->target[0] = '\0';
    return gl_task_save(task, err);
}

/* Its state is a file, and no QEMU holds it any more. */
static int go_on_from_file(struct gl_local_task *task, bool wakes, struct gl_error *err)
{
    struct gl_local_record *record = &task->record;

    record->state = GL_STATE_SUSPENDED;
    record->away.phase = wakes ? GL_PHASE_WAKING : GL_PHASE_NONE;
    return settle_suspended(task, err);
}

static bool has_whole_file(const struct gl_local_task *task)
{
    const struct gl_local_away *away = &task->record.away;
    struct gl_error ignored = {0};
    int fd = away->seal.length > 0 ? gl_task_open_state(away, &ignored) : -1;

    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

static bool is_other_alive(const struct gl_local_record *record)
{
    struct gl_local_record other = *record;

    other.process = record->away.other;
    return gl_local_is_alive(&other);
}

/* All of it has come, and waits for the word. */
static bool has_arrived_live(const struct gl_local_task *task)
{
    const struct gl_local_away *away = &task->record.away;
    struct gl_qmp qmp = {.fd = -1};
    struct gl_error ignored = {0};
    char word[GL_MACHINE_WORD] = "";

    if (!away->is_live || away->still_ms == 0 || !is_other_alive(&task->record))
        return false;
    if (gl_qmp_open(&qmp, task->folder, GL_LOCAL_QMP GL_LOCAL_NEW, QMP_MS, &ignored) == 0)
        gl_machine_status(&qmp, word, &ignored);
    gl_qmp_close(&qmp);
    return strcmp(word, "paused") == 0;
}

/* SUSPENDING or MOVING: while its QEMU lives, that is the instance. */
static int settle_leaving(struct gl_local_task *task, struct gl_error *err)
{
    struct gl_local_record *record = &task->record;

    if (gl_local_is_alive(record))
        return gl_task_undo(task, err);
    if (has_arrived_live(task)) {
        gl_local_kill_others(record->tag, &record->away.other, NULL);
        return gl_task_commit_arrival(task, err) == 0 ? gl_task_go_on(task, err) : -1;
    }
    if (record->away.phase == GL_PHASE_MOVING && has_whole_file(task)) {
        memcpy(record->region, record->away.target, sizeof record->region);
        return go_on_from_file(task, true, err);
    }
    return gl_task_bury(task, err);
}

/* It has told nobody anything since it was saved: to go on once more doubles nothing. */
static bool has_done_nothing(struct gl_local_task *task)
{
    int64_t before = task->record.away.console_bytes;
    struct gl_error ignored = {0};
    bool is_same =
        gl_task_count_console(task, &ignored) == 0 && task->record.away.console_bytes == before;

    task->record.away.console_bytes = before;
    return is_same;
}

static int back_to_where_it_was(struct gl_local_task *task, struct gl_error *err)
{
    struct gl_local_record *record = &task->record;
    struct gl_local_away *away = &record->away;

    gl_task_restore_sockets(task);
    record->process = away->other;
    away->other = (struct gl_process){0};
    away->phase = GL_PHASE_MOVING;
    memcpy(record->region, away->from, sizeof record->region);
    return gl_task_undo(task, err);
}

/* WAKING: it was to run, and may have. */
static int settle_waking(struct gl_local_task *task, struct gl_error *err)
{
    struct gl_local_record *record = &task->record;

    if (gl_local_is_alive(record))
        return gl_task_go_on(task, err);
    if (!has_done_nothing(task))
        return gl_task_bury(task, err);
    if (is_other_alive(record))
        return back_to_where_it_was(task, err);
    if (has_whole_file(task))
        return go_on_from_file(task, record->away.target[0] != '\0', err);
    return gl_task_bury(task, err);
}

int gl_task_settle(struct gl_local_task *task, struct gl_error *err)
{
    const struct gl_local_record *record = &task->record;

    if (!gl_task_is_due(record))
        return 0;
    if (record->state == GL_STATE_SUSPENDED)
        return settle_suspended(task, err);
    if (record->away.phase == GL_PHASE_WAKING)
        return settle_waking(task, err);
    return settle_leaving(task, err);
}
