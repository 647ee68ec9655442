/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"
#include "providers/cloud/local_config.h"
#include "providers/cloud/local_task.h"

#include <string.h>

#define SEE_END_MS   5000  /* from the last reading to the end of the process */
#define TASK_WAIT_MS 60000 /* for somebody who suspends or moves it */

/* ---- the end, written down ---- */

static bool write_ending(void *cookie, struct gl_local_record *record)
{
    const struct gl_local_ending *ending = cookie;
    struct gl_process process;

    bool is_ended = ending->is_ended &&
                    (ending->is_forced ||
                     (record->state == GL_STATE_RUNNING && record->away.phase == GL_PHASE_NONE));

    /* A launcher that died may have left a child that became visible only now: until its exec the
     * child held the lock that we have. */
    if (is_ended && gl_local_find_alive(record, &process))
        gl_local_kill(&process);
    if (is_ended && (record->state == GL_STATE_SUSPENDED || record->away.phase != GL_PHASE_NONE))
        gl_local_kill_others(record->tag, NULL, NULL);
    if (ending->has_exit) {
        record->has_exit = true;
        record->exit_status = ending->exit_status;
    }
    if (ending->cpu_ms >= 0)
        record->host_cpu_ms = ending->cpu_ms;
    else if (is_ended && record->state == GL_STATE_SUSPENDED)
        record->host_cpu_ms = gl_local_cpu_ms(record, NULL);
    if (is_ended) {
        record->state = GL_STATE_ENDED;
        record->process = (struct gl_process){0};
        record->away = (struct gl_local_away){.phase = GL_PHASE_NONE};
    }
    return true;
}

int gl_local_note_ending(const struct gl_local *local, const char *folder,
                         struct gl_local_ending *ending, struct gl_error *err)
{
    if (ending->is_ended && ending->is_forced)
        gl_local_clean_folder(folder);
    if (gl_local_update(folder, write_ending, ending, err) < 0)
        return -1;
    if (ending->is_ended && ending->is_forced)
        gl_local_drop_states(local, folder, NULL);
    return 0;
}

/* ---- stop, terminate ---- */

int gl_local_terminate(const struct gl_local *local, const char *folder, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *note = gl_path_join(folder, GL_LOCAL_STOP);
    struct gl_local_ending ending = {.is_ended = true, .is_forced = true, .cpu_ms = -1};
    struct gl_local_record record;
    struct gl_process process;
    struct gl_error why = {0};

    if (gl_local_record_load(folder, &record, err) < 0)
        return -1;
    /* A launch under way must not go on with another attempt. */
    if (record.state == GL_STATE_LAUNCHING && gl_file_write(note, "", 0, 0600, err) < 0)
        return -1;
    if (gl_local_find_alive(&record, &process)) {
        ending.cpu_ms = gl_local_cpu_ms(&record, &process);
        gl_local_kill(&process);
    } else if (record.state == GL_STATE_ENDED) {
        return 0;
    }
    if (gl_local_note_ending(local, folder, &ending, &why) == 0 || why.code == GL_E_NOT_FOUND)
        return 0; /* a launch that failed takes its record away itself */
    *err = why;
    return -1;
}

struct stopping {
    struct gl_link *link;
    struct gl_local_ending ending;
    bool is_final; /* the final reading is written */
};

static void hear(struct stopping *stopping)
{
    struct gl_error ignored = {0};
    struct gl_frame frame;

    while (gl_link_next(stopping->link, &frame)) {
        if (frame.type == 'X' && gl_guest_exit_parse(frame.payload, frame.length,
                                                     &stopping->ending.exit_status, &ignored) == 0)
            stopping->ending.has_exit = true;
        stopping->is_final |= frame.type == 'Z';
    }
}

/* Until the process has ended by itself, or the time is over. */
static void wait_orderly(struct stopping *stopping, const struct gl_local_record *record,
                         const struct gl_process *process, struct gl_span wait)
{
    int64_t end_ms = gl_local_clock_ms() + wait.s * 1000;

    while (gl_process_is_alive(process) && gl_local_clock_ms() < end_ms) {
        int64_t cpu_ms = gl_local_cpu_ms(record, process);

        if (cpu_ms >= 0)
            stopping->ending.cpu_ms = cpu_ms;
        if (stopping->link->is_closed)
            gl_link_wait(stopping->link, -1, 20, NULL); /* the process is about to end */
        else
            gl_link_wait(stopping->link, -1, 50, NULL);
        hear(stopping);
        if (stopping->is_final && end_ms > gl_local_clock_ms() + SEE_END_MS)
            end_ms = gl_local_clock_ms() + SEE_END_MS;
    }
}

/* The note reaches the guest through whoever is attached; the frame, when nobody is. */
static int ask_to_stop(const char *folder, struct gl_link *link, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *path = gl_path_join(folder, GL_LOCAL_STOP);
    struct gl_error ignored = {0};

    if (gl_file_write(path, "", 0, 0600, err) < 0)
        return -1;
    if (gl_link_open(link, folder, GL_LOCAL_CONTROL, &ignored) == 0)
        return gl_link_put(link, 'W', NULL, 0, err) < 0 /* or it keeps the exit status for itself */
                   ? -1
                   : gl_link_put(link, 'S', NULL, 0, err);
    link->is_closed = true;
    link->fd = -1;
    return 0;
}

/* It is suspended, or somebody is at it: its end is orderly when it runs. When it cannot go on,
 * there is no last reading. */
static int wake_to_end(const struct gl_local *local, const char *folder,
                       struct gl_local_record *record, struct gl_error *err)
{
    struct gl_local_task task;
    struct gl_error ignored = {0};

    if (record->state != GL_STATE_SUSPENDED && !gl_task_is_due(record))
        return 0;
    if (gl_task_begin(local, folder, TASK_WAIT_MS, &task, err) < 0)
        return -1;
    if (task.record.state == GL_STATE_SUSPENDED)
        gl_task_wake(&task, &ignored);
    *record = task.record;
    gl_task_end(&task);
    return 0;
}

int gl_local_stop(const struct gl_local *local, const char *folder, struct gl_span wait,
                  struct gl_error *err)
{
    GL_AUTO(gl_auto_free) struct gl_link *link = gl_alloc(sizeof *link);
    struct stopping stopping = {.link = link,
                                .ending = {.is_ended = true, .is_forced = true, .cpu_ms = -1}};
    struct gl_local_record record;
    struct gl_process process;
    int status;

    if (gl_local_record_load(folder, &record, err) < 0 ||
        wake_to_end(local, folder, &record, err) < 0)
        return -1;
    /* While it is still being launched there is nothing to say to it. */
    if (record.state == GL_STATE_LAUNCHING || !gl_local_find_alive(&record, &process))
        return gl_local_terminate(local, folder, err);
    if (ask_to_stop(folder, link, err) < 0)
        return -1;
    wait_orderly(&stopping, &record, &process, wait);
    gl_link_close(link);
    gl_process_wait(&process, 0, &status); /* reap it if it is our child */
    if (gl_process_is_alive(&process))
        gl_local_kill(&process);
    return gl_local_note_ending(local, folder, &stopping.ending, err);
}
