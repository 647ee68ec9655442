/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"
#include "providers/cloud/local_task.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define QMP_MS 5000
#define CHUNK  ((size_t)256 << 10)

static int begin(struct gl_local_task *task, const struct gl_local_place *target, bool is_live,
                 struct gl_error *err)
{
    struct gl_local_record *record = &task->record;
    struct gl_local_away *away = &record->away;

    *away = (struct gl_local_away){.phase = GL_PHASE_MOVING, .is_live = is_live};
    snprintf(away->from, sizeof away->from, "%s", record->region);
    snprintf(away->target, sizeof away->target, "%s", target->name);
    if (!is_live && gl_local_place_path(target, task->folder, away->path, err) < 0)
        return -1;
    return gl_task_save(task, err);
}

int gl_task_commit_arrival(struct gl_local_task *task, struct gl_error *err)
{
    struct gl_local_record *record = &task->record;
    const struct gl_local_record before = *record;
    int64_t cpu_ms = gl_process_cpu_ms(&record->process);

    if (gl_task_note_still(task, err) < 0)
        return -1;
    record->process = before.away.other;
    record->away.other = before.process;
    record->away.phase = GL_PHASE_WAKING;
    record->cpu_before_ms += cpu_ms > 0 ? cpu_ms : 0;
    snprintf(record->region, sizeof record->region, "%s", before.away.target);
    if (gl_task_save(task, err) == 0)
        return 0;
    *record = before;
    return -1;
}

/* ---- there ---- */

/* A QEMU that waits for the state; *out_socket is the end to write it to. */
static int start_there(struct gl_local_task *task, int *out_socket, struct gl_error *err)
{
    int ends[2], got;
    struct gl_task_arrival arrival = {.waits = true, .suffix = GL_LOCAL_NEW};

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        return gl_fail_sys(err, GL_E_IO, errno, "cannot make a pair of sockets");
    arrival.incoming_fd = ends[1];
    got = gl_task_arrive(task, &arrival, &task->record.away.other, err);
    close(ends[1]);
    if (got == 0)
        got = gl_task_save(task, err);
    if (got == 0)
        *out_socket = ends[0];
    else
        close(ends[0]);
    return got;
}

static int await_there(struct gl_local_task *task, struct gl_error *err)
{
    const struct gl_task_arrival arrival = {.suffix = GL_LOCAL_NEW};

    if (gl_task_await_arrived(task, &arrival, err) < 0)
        return -1;
    gl_task_step(task, "move-loaded");
    return 0;
}

/* ---- stop and copy ---- */

/* Into a file, too: when both QEMUs are killed, it goes on from there. */
static int write_frozen(struct gl_local_task *task, int socket_fd, struct gl_error *err)
{
    struct gl_qmp qmp = {.fd = -1};
    int got = gl_task_freeze(task, &qmp, err);

    if (got < 0)
        return -1;
    gl_task_step(task, "move-stopped");
    got = gl_task_write_state(task, &qmp, socket_fd, err);
    gl_qmp_close(&qmp);
    if (got < 0)
        return -1;
    gl_task_step(task, "move-written");
    if (gl_task_save(task, err) < 0)
        return -1;
    gl_task_step(task, "move-whole");
    return 0;
}

/* ---- live ---- */

/* The guest runs while its memory is copied, and is stopped for the last of it. */
static int copy_live(struct gl_local_task *task, int socket_fd, struct gl_error *err)
{
    const struct gl_world *world = task->local->world;
    struct gl_qmp qmp = {.fd = -1};
    int got = gl_qmp_open(&qmp, task->folder, GL_LOCAL_QMP, QMP_MS, err);

    if (got == 0)
        got = gl_machine_send_live(&qmp, socket_fd, err);
    gl_qmp_close(&qmp);
    if (got < 0 || gl_task_count_console(task, err) < 0)
        return -1;
    task->record.away.still_ms = world->now_ms(world->cookie);
    gl_task_step(task, "live-copied");
    if (gl_task_save(task, err) < 0)
        return -1;
    gl_task_step(task, "live-whole");
    return 0;
}

static int go(struct gl_local_task *task, struct gl_error *err)
{
    int socket_fd = -1, got;

    gl_task_step(task, "move-intended");
    if (gl_task_quiet(task, err) < 0)
        return -1;
    gl_task_step(task, "move-quiet");
    if (start_there(task, &socket_fd, err) < 0)
        return -1;
    gl_task_step(task, "move-started");
    got = task->record.away.is_live ? copy_live(task, socket_fd, err)
                                    : write_frozen(task, socket_fd, err);
    close(socket_fd);
    if (got < 0 || await_there(task, err) < 0)
        return -1;
    return gl_task_commit_arrival(task, err);
}

/* ---- while it is suspended ---- */

static int copy_bytes(int from, int to, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *bytes = gl_alloc(CHUNK);
    ssize_t got;

    while ((got = read(from, bytes, CHUNK)) != 0) {
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return gl_fail_sys(err, GL_E_IO, errno, "cannot read a saved state");
        if (gl_fd_write(to, bytes, (size_t)got, err) < 0)
            return -1;
    }
    return fsync(to) < 0 ? gl_fail_sys(err, GL_E_IO, errno, "cannot write a saved state") : 0;
}

static int copy_state(const struct gl_local_away *away, const char *path, struct gl_error *err)
{
    GL_AUTO(gl_str_done) struct gl_str part = {0};
    GL_AUTO(gl_auto_close) int from = gl_task_open_state(away, err);
    GL_AUTO(gl_auto_close) int to = -1;

    if (from < 0)
        return -1;
    gl_str_addf(&part, "%s.part", path);
    to = open(part.text, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (to < 0)
        return gl_fail_sys(err, GL_E_IO, errno, "cannot create %s", part.text);
    if (copy_bytes(from, to, err) < 0)
        return gl_wrap(err, "%s", part.text);
    if (!gl_machine_is_whole(to, &away->seal))
        return gl_fail(err, GL_E_LAUNCH, "the saved state %s does not match its hash", away->path);
    if (rename(part.text, path) < 0)
        return gl_fail_sys(err, GL_E_IO, errno, "cannot write %s", path);
    return 0;
}

static int move_suspended(struct gl_local_task *task, const struct gl_local_place *target,
                          struct gl_error *err)
{
    struct gl_local_record *record = &task->record;
    struct gl_error ignored = {0};
    char path[GL_LOCAL_PATH];
    int got = 0;

    if (gl_local_place_path(target, task->folder, path, err) < 0)
        return -1;
    record->away.phase = GL_PHASE_MOVING;
    if (gl_task_save(task, err) < 0)
        return -1;
    gl_task_step(task, "carry-intended");
    if (strcmp(path, record->away.path) != 0)
        got = copy_state(&record->away, path, err);
    if (got < 0) {
        gl_task_settle(task, &ignored);
        return gl_wrap(err, "%s was not moved", record->launch_id);
    }
    gl_task_step(task, "carry-copied");
    memcpy(record->away.path, path, sizeof path);
    snprintf(record->region, sizeof record->region, "%s", target->name);
    if (gl_task_save(task, err) < 0)
        return -1;
    gl_task_step(task, "carry-committed");
    return gl_task_settle(task, err);
}

/* ---- move ---- */

/* Proved by its running there: the first boot found out whether KVM works (local_vm.c). */
static bool can_be_live(const struct gl_local_task *task)
{
    return strcmp(task->record.how, "qemu/kvm") == 0 || task->local->moves_live;
}

/* It is there but did not go on, or not as it should: whatever that leaves is settled. */
static int after_failure(struct gl_local_task *task, const struct gl_local_place *target,
                         struct gl_error *err)
{
    const struct gl_local_record *record = &task->record;
    struct gl_error why = {0};
    bool is_running = gl_task_settle(task, &why) == 0 && record->state == GL_STATE_RUNNING &&
                      gl_local_is_alive(record);

    if (is_running && strcmp(record->region, target->name) == 0) {
        gl_error_clear(err);
        return 0;
    }
    return gl_wrap(err, is_running ? "%s was not moved" : "%s did not go on", record->launch_id);
}

int gl_task_move(struct gl_local_task *task, const struct gl_local_place *target,
                 struct gl_error *err)
{
    struct gl_local_record *record = &task->record;
    bool is_live = can_be_live(task);
    struct gl_error ignored = {0};

    if (gl_local_find_place(task->local, record->region) == target)
        return 0;
    if (gl_local_place_check(target, err) < 0)
        return -1;
    if (record->state == GL_STATE_SUSPENDED)
        return move_suspended(task, target, err);
    if (gl_task_check(task, err) < 0 || begin(task, target, is_live, err) < 0)
        return -1;
    if (go(task, err) < 0) {
        gl_task_settle(task, &ignored);
        return gl_wrap(err, "%s was not moved", record->launch_id);
    }
    gl_task_step(task, "move-committed");
    return gl_task_go_on(task, err) == 0 ? 0 : after_failure(task, target, err);
}
