/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"
#include "providers/cloud/local_config.h"
#include "providers/cloud/local_history.h"
#include "providers/cloud/local_task.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define QUIET_MS 15000 /* for who is attached to let go, and the guest to answer */
#define PART_MS  5000
#define QMP_MS   5000

/* ---- quiet ---- */

static bool has_held(struct gl_link *link)
{
    struct gl_guest_hello hello;
    struct gl_error ignored = {0};
    struct gl_frame frame;
    bool is_held = false;

    while (gl_link_next(link, &frame))
        if (frame.type == 'H' &&
            gl_guest_hello_parse(frame.payload, frame.length, &hello, &ignored) == 0)
            is_held |= hello.is_held;
    return is_held;
}

/* One client at a time is answered: an answer also says that nobody else is attached. */
static int await_held(struct gl_local_task *task, struct gl_link *link, struct gl_error *err)
{
    int64_t end_ms = gl_local_clock_ms() + QUIET_MS;

    while (!has_held(link)) {
        if (link->is_closed || !gl_process_is_alive(&task->record.process))
            return gl_fail(err, GL_E_GUEST, "the instance %s ended meanwhile",
                           task->record.launch_id);
        if (gl_local_clock_ms() > end_ms)
            return gl_fail(err, GL_E_GUEST,
                           "the guest of %s does not answer within %d s; its console is %s/%s",
                           task->record.launch_id, QUIET_MS / 1000, task->folder, GL_LOCAL_CONSOLE);
        gl_link_wait(link, -1, 50, NULL);
    }
    return 0;
}

int gl_task_quiet(struct gl_local_task *task, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) struct gl_link *link = gl_alloc(sizeof *link);
    GL_AUTO(gl_auto_free) char *note = gl_path_join(task->folder, GL_LOCAL_HOLD);
    int got;

    if (gl_file_write(note, "", 0, 0600, err) < 0 ||
        gl_link_open(link, task->folder, GL_LOCAL_CONTROL, err) < 0)
        return -1;
    got = gl_link_put(link, 'B', NULL, 0, err);
    if (got == 0)
        got = await_held(task, link, err);
    if (got == 0)
        got = gl_link_part(link, PART_MS, err);
    gl_link_close(link);
    return got;
}

/* ---- its state into a file ---- */

int gl_task_freeze(struct gl_local_task *task, struct gl_qmp *qmp, struct gl_error *err)
{
    const struct gl_world *world = task->local->world;

    if (gl_qmp_open(qmp, task->folder, GL_LOCAL_QMP, QMP_MS, err) < 0)
        return -1;
    if (gl_machine_stop(qmp, err) < 0) {
        gl_qmp_close(qmp);
        return -1;
    }
    task->record.away.still_ms = world->now_ms(world->cookie);
    return 0;
}

int gl_task_count_console(struct gl_local_task *task, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *path = gl_path_join(task->folder, GL_LOCAL_CONSOLE);
    struct stat info;

    if (stat(path, &info) < 0)
        return gl_fail_sys(err, GL_E_IO, errno, "cannot look at %s", path);
    task->record.away.console_bytes = (int64_t)info.st_size;
    return 0;
}

static int sync_path(const char *path, int flags, struct gl_error *err)
{
    GL_AUTO(gl_auto_close) int fd = open(path, O_RDONLY | O_CLOEXEC | flags);

    if (fd < 0 || fsync(fd) < 0)
        return gl_fail_sys(err, GL_E_IO, errno, "cannot write %s", path);
    return 0;
}

/* The file, and its name in its folder. */
static int sync_state(const char *path, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *folder = gl_strdup(path);

    *strrchr(folder, '/') = '\0';
    return sync_path(path, O_NOFOLLOW, err) < 0 ? -1 : sync_path(folder, O_DIRECTORY, err);
}

int gl_task_write_state(struct gl_local_task *task, struct gl_qmp *qmp, int also,
                        struct gl_error *err)
{
    struct gl_local_away *away = &task->record.away;
    GL_AUTO(gl_str_done) struct gl_str part = {0};
    GL_AUTO(gl_auto_close) int fd = -1;
    struct gl_machine_seal seal;

    gl_str_addf(&part, "%s.part", away->path);
    fd = open(part.text, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return gl_fail_sys(err, GL_E_IO, errno, "cannot create %s", part.text);
    if (gl_machine_save(qmp, fd, also, &seal, err) < 0)
        return gl_wrap(err, "%s", part.text);
    if (rename(part.text, away->path) < 0)
        return gl_fail_sys(err, GL_E_IO, errno, "cannot write %s", part.text);
    if (gl_task_count_console(task, err) < 0)
        return -1;
    away->seal = seal;
    return 0;
}

/* ---- the history ---- */

int gl_task_note_still(const struct gl_local_task *task, struct gl_error *err)
{
    const struct gl_local_away *away = &task->record.away;
    const char *region = away->from[0] != '\0' ? away->from : task->record.region;
    struct gl_local_event event = {.at_ms = away->still_ms};

    if (away->still_ms == 0)
        return 0;
    snprintf(event.region, sizeof event.region, "%s", region);
    return gl_history_note(task->folder, &task->record, region, &event, err);
}

/* What it costs when it fails is the knowledge that it stood still: then the time is charged. */
void gl_task_note_running(const struct gl_local_task *task)
{
    const struct gl_world *world = task->local->world;
    struct gl_local_event event = {.at_ms = world->now_ms(world->cookie), .is_running = true};
    struct gl_error ignored = {0};

    if (task->record.away.still_ms == 0 || gl_task_note_still(task, &ignored) < 0)
        return;
    snprintf(event.region, sizeof event.region, "%s", task->record.region);
    gl_history_note(task->folder, &task->record, task->record.region, &event, &ignored);
}

/* ---- suspend ---- */

/* From here on the file is the instance, and what is left of QEMU a leftover. */
static int commit(struct gl_local_task *task, struct gl_error *err)
{
    struct gl_local_record *record = &task->record;
    const struct gl_local_record before = *record;
    int64_t cpu_ms = gl_process_cpu_ms(&record->process);

    if (gl_task_note_still(task, err) < 0)
        return -1;
    record->state = GL_STATE_SUSPENDED;
    record->away.phase = GL_PHASE_NONE;
    record->cpu_before_ms += cpu_ms > 0 ? cpu_ms : 0;
    if (gl_task_save(task, err) == 0)
        return 0;
    *record = before;
    return -1;
}

static int put_to_sleep(struct gl_local_task *task, struct gl_error *err)
{
    struct gl_qmp qmp = {.fd = -1};
    int got = gl_task_quiet(task, err);

    if (got < 0)
        return -1;
    gl_task_step(task, "suspend-quiet");
    got = gl_task_freeze(task, &qmp, err);
    if (got == 0) {
        gl_task_step(task, "suspend-stopped");
        got = gl_task_write_state(task, &qmp, -1, err);
    }
    gl_qmp_close(&qmp);
    if (got == 0)
        got = sync_state(task->record.away.path, err);
    if (got == 0) {
        gl_task_step(task, "suspend-written");
        got = commit(task, err);
    }
    return got;
}

int gl_task_suspend(struct gl_local_task *task, struct gl_error *err)
{
    struct gl_local_record *record = &task->record;
    const struct gl_local_place *place = gl_local_find_place(task->local, record->region);
    const struct gl_local_place home = {.folder = NULL};
    struct gl_error ignored = {0};

    if (record->state == GL_STATE_SUSPENDED)
        return 0;
    if (place == NULL) /* it is in the configuration no more */
        place = &home;
    record->away = (struct gl_local_away){.phase = GL_PHASE_SUSPENDING};
    if (gl_task_check(task, err) < 0 || gl_local_place_check(place, err) < 0 ||
        gl_local_place_path(place, task->folder, record->away.path, err) < 0 ||
        gl_task_save(task, err) < 0)
        return -1;
    gl_task_step(task, "suspend-intended");
    if (put_to_sleep(task, err) < 0) {
        gl_task_settle(task, &ignored);
        return gl_wrap(err, "%s was not suspended", record->launch_id);
    }
    gl_task_step(task, "suspend-committed");
    return gl_task_settle(task, err);
}

/* ---- back, or the end ---- */

int gl_task_undo(struct gl_local_task *task, struct gl_error *err)
{
    struct gl_local_record *record = &task->record;
    struct gl_qmp qmp = {.fd = -1};
    int got;

    gl_local_kill_others(record->tag, &record->process, NULL);
    got = gl_qmp_open(&qmp, task->folder, GL_LOCAL_QMP, QMP_MS, err);
    if (got == 0)
        got = gl_machine_continue(&qmp, err);
    gl_qmp_close(&qmp);
    if (got < 0)
        return gl_wrap(err, "the machine of %s does not run on", record->launch_id);
    gl_task_note_running(task);
    gl_local_drop_states(task->local, task->folder, NULL);
    gl_task_clean(task);
    record->away = (struct gl_local_away){.phase = GL_PHASE_NONE};
    return gl_task_save(task, err);
}

int gl_task_bury(struct gl_local_task *task, struct gl_error *err)
{
    struct gl_local_record *record = &task->record;

    gl_local_kill_others(record->tag, NULL, NULL);
    gl_local_drop_states(task->local, task->folder, NULL);
    gl_task_clean(task);
    gl_local_clean_folder(task->folder);
    record->state = GL_STATE_ENDED;
    record->process = (struct gl_process){0};
    record->away = (struct gl_local_away){.phase = GL_PHASE_NONE};
    return gl_task_save(task, err);
}
