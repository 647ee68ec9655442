/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"
#include "providers/cloud/local_config.h"
#include "providers/cloud/local_qemu.h"
#include "providers/cloud/local_task.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define QMP_MS    5000
#define ANSWER_MS 15000
#define PART_MS   5000
#define KVM       "qemu/kvm"

/* ---- another QEMU ---- */

static int listen_on(const char *folder, const char *name, const char *suffix, struct gl_error *err)
{
    char full[64];

    snprintf(full, sizeof full, "%s%s", name, suffix);
    return gl_local_listen(folder, full, err);
}

/* The kernel has done its work in the guest, but its place in QEMU's memory must be there. */
static int start_qemu(struct gl_local_task *task, const struct gl_local_host *host,
                      const struct gl_task_arrival *arrival, struct gl_process *out,
                      struct gl_error *err)
{
    const struct gl_local_record *record = &task->record;
    GL_AUTO(gl_auto_close)
    int kernel = gl_local_open_file(host->kernel_folder, "vmlinuz", O_RDONLY, err);
    GL_AUTO(gl_auto_close)
    int console = gl_local_open_file(task->folder, GL_LOCAL_CONSOLE, O_WRONLY | O_APPEND, err);
    GL_AUTO(gl_auto_close)
    int log =
        gl_local_open_file(task->folder, GL_LOCAL_QEMU_LOG, O_WRONLY | O_CREAT | O_APPEND, err);
    GL_AUTO(gl_auto_close)
    int control = listen_on(task->folder, GL_LOCAL_CONTROL, arrival->suffix, err);
    GL_AUTO(gl_auto_close) int qmp = listen_on(task->folder, GL_LOCAL_QMP, arrival->suffix, err);
    const struct gl_qemu_plan plan = {.program = host->qemu,
                                      .launch_id = record->launch_id,
                                      .tag = record->tag,
                                      .accel = strcmp(record->how, KVM) == 0 ? "kvm" : "tcg",
                                      .vcpus = record->vcpus,
                                      .memory_mib = record->memory_mib,
                                      .has_network = record->has_network,
                                      .kernel_fd = kernel,
                                      .initrd_fd = -1,
                                      .console_fd = console,
                                      .control_fd = control,
                                      .qmp_fd = qmp,
                                      .disk_fd = -1,
                                      .incoming_fd = arrival->incoming_fd,
                                      .waits = arrival->waits};

    if (kernel < 0 || console < 0 || log < 0 || control < 0 || qmp < 0)
        return -1;
    return gl_qemu_start(&plan, log, out, err);
}

int gl_task_arrive(struct gl_local_task *task, const struct gl_task_arrival *arrival,
                   struct gl_process *out, struct gl_error *err)
{
    struct gl_local_host host;
    const char *missing;
    int got = gl_local_check_memory(task->record.memory_mib, err);

    gl_local_host_look(task->local->world, &host);
    if (got == 0 && !gl_local_host_has_vm(&host, &missing))
        got = gl_fail(err, GL_E_NO_LOCAL, "this machine lacks %s", missing);
    if (got == 0)
        got = start_qemu(task, &host, arrival, out, err);
    gl_local_host_done(&host);
    return got;
}

static int await_paused(struct gl_qmp *qmp, struct gl_error *err)
{
    char word[GL_MACHINE_WORD];

    if (gl_machine_await_loaded(qmp, err) < 0 || gl_machine_status(qmp, word, err) < 0)
        return -1;
    if (strcmp(word, "paused") != 0 && strcmp(word, "prelaunch") != 0)
        return gl_fail(err, GL_E_LAUNCH, "QEMU is %s with what it loaded", word);
    return 0;
}

int gl_task_await_arrived(struct gl_local_task *task, const struct gl_task_arrival *arrival,
                          struct gl_error *err)
{
    struct gl_qmp qmp = {.fd = -1};
    char name[64];
    int got;

    snprintf(name, sizeof name, "%s%s", GL_LOCAL_QMP, arrival->suffix);
    got = gl_qmp_open(&qmp, task->folder, name, QMP_MS, err);
    if (got == 0)
        got = await_paused(&qmp, err);
    gl_qmp_close(&qmp);
    if (got < 0)
        gl_local_add_tail(task->folder, GL_LOCAL_QEMU_LOG, err);
    return got;
}

/* ---- going on ---- */

/* The lease is one of the wall clock: standing still has not prolonged it. */
static int send_time(struct gl_local_task *task, struct gl_link *link, struct gl_error *err)
{
    const struct gl_world *world = task->local->world;
    int64_t now_ms = world->now_ms(world->cookie);
    int64_t left_ms = task->record.expires_s * 1000 - now_ms;
    char text[96];

    snprintf(text, sizeof text, "{\"lease_ms\":%" PRId64 ",\"now_ms\":%" PRId64 ",\"v\":1}",
             left_ms > 0 ? left_ms : 1, now_ms);
    return gl_link_put(link, 'T', text, strlen(text), err);
}

static bool has_answered(struct gl_link *link)
{
    struct gl_frame frame;
    bool has_one = false;

    while (gl_link_next(link, &frame))
        has_one |= frame.type == 'H';
    return has_one;
}

static int await_answer(struct gl_local_task *task, struct gl_link *link, struct gl_error *err)
{
    int64_t end_ms = gl_local_clock_ms() + ANSWER_MS;

    while (!has_answered(link)) {
        if (link->is_closed || !gl_process_is_alive(&task->record.process))
            return gl_fail(err, GL_E_GUEST, "%s ended when it was to go on",
                           task->record.launch_id);
        if (gl_local_clock_ms() > end_ms)
            return gl_fail(err, GL_E_GUEST, "the guest of %s does not answer; its console is %s/%s",
                           task->record.launch_id, task->folder, GL_LOCAL_CONSOLE);
        gl_link_wait(link, -1, 50, NULL);
    }
    return 0;
}

/* What it is told lies in its channel before it runs the first instruction. */
static int let_go(struct gl_local_task *task, struct gl_link *link, struct gl_error *err)
{
    struct gl_qmp qmp = {.fd = -1};
    int got = send_time(task, link, err);

    if (got == 0) {
        gl_link_wait(link, -1, 0, NULL);
        got = gl_qmp_open(&qmp, task->folder, GL_LOCAL_QMP, QMP_MS, err);
    }
    if (got == 0) {
        gl_task_note_running(task);
        gl_task_step(task, "wake-noted");
        got = gl_machine_continue(&qmp, err);
    }
    gl_qmp_close(&qmp);
    if (got < 0)
        return -1;
    gl_task_step(task, "wake-running");
    return await_answer(task, link, err);
}

int gl_task_go_on(struct gl_local_task *task, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) struct gl_link *link = gl_alloc(sizeof *link);
    struct gl_local_record *record = &task->record;
    struct gl_error ignored = {0};
    int got;

    gl_task_adopt_sockets(task);
    got = gl_link_open(link, task->folder, GL_LOCAL_CONTROL, err);
    if (got == 0)
        got = let_go(task, link, err);
    if (got == 0)
        gl_link_part(link, PART_MS, &ignored);
    gl_link_close(link);
    if (got < 0)
        return -1;
    gl_task_step(task, "wake-answered");
    gl_local_kill_others(record->tag, &record->process, NULL);
    gl_local_drop_states(task->local, task->folder, NULL);
    gl_task_step(task, "wake-dropped");
    record->away = (struct gl_local_away){.phase = GL_PHASE_NONE};
    if (gl_task_save(task, err) < 0)
        return -1;
    gl_task_clean(task);
    return 0;
}

/* ---- from the file ---- */

int gl_task_open_state(const struct gl_local_away *away, struct gl_error *err)
{
    int fd = open(away->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    struct stat info;

    if (fd < 0)
        return gl_fail_sys(err, GL_E_IO, errno, "cannot open the saved state %s", away->path);
    if (fstat(fd, &info) == 0 && (uint64_t)info.st_size == away->seal.length)
        return fd;
    close(fd);
    return gl_fail(err, GL_E_LAUNCH, "the saved state %s has another length", away->path);
}

static int load(struct gl_local_task *task, struct gl_error *err)
{
    struct gl_local_record *record = &task->record;
    GL_AUTO(gl_auto_close) int fd = gl_task_open_state(&record->away, err);
    const struct gl_task_arrival arrival = {.incoming_fd = fd, .suffix = ""};

    if (fd < 0 || gl_task_arrive(task, &arrival, &record->process, err) < 0)
        return -1;
    gl_local_boot_id(record->boot);
    if (gl_task_save(task, err) < 0)
        return -1;
    gl_task_step(task, "wake-started");
    if (!gl_machine_is_whole(fd, &record->away.seal)) /* while QEMU is loading it */
        return gl_fail(err, GL_E_LAUNCH, "the saved state %s does not match its hash",
                       record->away.path);
    if (gl_task_await_arrived(task, &arrival, err) < 0)
        return -1;
    gl_task_step(task, "wake-loaded");
    record->state = GL_STATE_RUNNING;
    if (gl_task_save(task, err) == 0)
        return 0;
    record->state = GL_STATE_SUSPENDED;
    return -1;
}

int gl_task_wake(struct gl_local_task *task, struct gl_error *err)
{
    struct gl_local_record *record = &task->record;
    struct gl_error ignored = {0};

    record->away.phase = GL_PHASE_WAKING;
    if (gl_task_save(task, err) < 0)
        return -1;
    gl_task_step(task, "wake-intended");
    if (load(task, err) < 0) {
        record->away.target[0] = '\0'; /* not again by itself: it would fail again */
        gl_task_settle(task, &ignored);
        return gl_wrap(err, "%s is suspended still", record->launch_id);
    }
    gl_task_step(task, "wake-committed");
    return gl_task_go_on(task, err);
}
