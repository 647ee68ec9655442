/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"
#include "providers/cloud/local.h"
#include "providers/cloud/local_config.h"
#include "providers/cloud/local_jail.h"
#include "providers/cloud/local_payload.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CONNECT_MS    10000
#define CPUINFO_MAX   ((size_t)1 << 20)
#define PROCESSES_MAX 65536

int gl_local_process_check(const struct gl_local_host *host, const struct gl_launch *launch,
                           struct gl_error *err)
{
    const char *missing = NULL;

    gl_local_host_has_vm(host, &missing);
    if (launch != NULL && launch->image != NULL)
        return gl_fail(err, GL_E_NO_LOCAL, "an image needs a virtual machine, and %s%s",
                       missing != NULL ? "this machine lacks " : "processes were asked for",
                       missing != NULL ? missing : "");
    if (host->meter == NULL)
        return gl_fail(err, GL_E_NO_LOCAL,
                       "the static program greenlaunch-meter is not beside "
                       "this one; build it with: make");
    return gl_jail_check(err);
}

/* ---- CPU time of a whole namespace ---- */

/* A process, its parent and all CPU time, that of awaited children included. */
struct counted {
    int pid, parent;
    uint64_t ticks;
    bool is_inside;
};

static bool count_one(int pid, struct counted *out)
{
    struct gl_process_stat stat;

    if (!gl_process_stat(pid, &stat))
        return false;
    *out = (struct counted){.pid = pid,
                            .parent = stat.parent,
                            .ticks = stat.user_ticks + stat.system_ticks + stat.reaped_ticks};
    return true;
}

static size_t read_all(struct counted *out)
{
    DIR *folder = opendir("/proc");
    struct dirent *entry;
    size_t count = 0;

    while (folder != NULL && count < PROCESSES_MAX && (entry = readdir(folder)) != NULL) {
        int pid = (int)strtol(entry->d_name, NULL, 10);

        if (pid > 0 && count_one(pid, &out[count]))
            count++;
    }
    if (folder != NULL)
        closedir(folder);
    return count;
}

static int by_pid(const void *a, const void *b)
{
    return ((const struct counted *)a)->pid - ((const struct counted *)b)->pid;
}

/* Everything in the namespace descends from its first process: orphans are handed to it. */
static void mark_inside(struct counted *processes, size_t count, int first)
{
    bool is_changed = true;

    qsort(processes, count, sizeof *processes, by_pid);
    while (is_changed) {
        is_changed = false;
        for (size_t i = 0; i < count; i++) {
            const struct counted key = {.pid = processes[i].parent};
            const struct counted *parent;

            if (processes[i].is_inside)
                continue;
            parent = bsearch(&key, processes, count, sizeof key, by_pid);
            processes[i].is_inside =
                processes[i].pid == first || (parent != NULL && parent->is_inside);
            is_changed |= processes[i].is_inside;
        }
    }
}

int64_t gl_local_process_cpu_ms(const struct gl_process *process)
{
    GL_AUTO(gl_auto_free) struct counted *processes = NULL;
    long per_second = sysconf(_SC_CLK_TCK);
    uint64_t ticks = 0;
    size_t count;

    if (!gl_process_is_alive(process) || per_second <= 0)
        return -1;
    processes = gl_alloc(PROCESSES_MAX * sizeof *processes);
    count = read_all(processes);
    mark_inside(processes, count, process->pid);
    for (size_t i = 0; i < count; i++)
        ticks += processes[i].is_inside ? processes[i].ticks : 0;
    return (int64_t)(ticks * 1000 / (uint64_t)per_second);
}

/* ---- start ---- */

static int make_payload(const struct gl_local_start *start, int *out_fd, struct gl_error *err)
{
    const struct gl_launch *launch = start->launch;
    uint64_t length;

    if ((launch->with == NULL || launch->with[0] == NULL) &&
        (launch->files_in == NULL || launch->files_in[0] == NULL))
        return 0;
    *out_fd = gl_local_temporary(start->local->state, err);
    if (*out_fd < 0 ||
        gl_payload_pack(launch->with, launch->files_in, gl_jail_shows, *out_fd, &length, err) != 0)
        return -1;
    if (lseek(*out_fd, 0, SEEK_SET) != 0)
        return gl_fail_sys(err, GL_E_IO, errno, "cannot pack the files for the guest");
    return 0;
}

/* What the guest writes to must be its user's. */
static int make_files(const char *folder, int *out_log, struct gl_error *err)
{
    static const char *const names[] = {GL_LOCAL_CONSOLE, "io"};
    GL_AUTO(gl_auto_free) char *log = gl_path_join(folder, GL_LOCAL_QEMU_LOG);
    GL_AUTO(gl_auto_free) char *console = gl_path_join(folder, GL_LOCAL_CONSOLE);
    GL_AUTO(gl_auto_close)
    int fd = open(console, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd < 0)
        return gl_fail_sys(err, GL_E_IO, errno, "cannot create %s", console);
    for (size_t i = 0; geteuid() == 0 && i < sizeof names / sizeof *names; i++) {
        GL_AUTO(gl_auto_free) char *path = gl_path_join(folder, names[i]);

        if (lchown(path, GL_LOCAL_NOBODY, GL_LOCAL_NOBODY) < 0)
            return gl_fail_sys(err, GL_E_IO, errno, "cannot hand %s over", path);
    }
    *out_log = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (*out_log < 0)
        return gl_fail_sys(err, GL_E_IO, errno, "cannot create %s", log);
    return 0;
}

/* The guest makes its control socket by itself, a moment after it has started. */
static int connect_guest(struct gl_local_start *start, struct gl_error *err)
{
    int64_t end_ms = gl_local_clock_ms() + CONNECT_MS;

    for (;;) {
        struct gl_error why = {0};

        if (gl_link_open(start->link, start->folder, GL_LOCAL_CONTROL, &why) == 0)
            return 0;
        if (!gl_process_is_alive(&start->record->process) || gl_local_clock_ms() > end_ms) {
            *err = why;
            gl_local_add_tail(start->folder, GL_LOCAL_QEMU_LOG, err);
            return -1;
        }
        poll(NULL, 0, 10);
    }
}

static int run_guest(struct gl_local_start *start, int payload_fd, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *cpuinfo = NULL;
    struct gl_error ignored = {0};
    struct gl_guest_place place = {.vcpus = start->record->vcpus,
                                   .memory_mib = start->record->memory_mib,
                                   .has_payload = payload_fd >= 0};
    size_t length;

    if (gl_file_read("/proc/cpuinfo", CPUINFO_MAX, &cpuinfo, &length, &ignored) == 0)
        place.family = gl_local_cpu_family(cpuinfo);
    if (gl_local_record_save(start->folder, start->record, err) < 0 ||
        connect_guest(start, err) < 0 || gl_local_wait_hello(start, true, CONNECT_MS, err) < 0)
        return -1;
    return gl_local_configure(start, &place, payload_fd, err);
}

static int start_jail(struct gl_local_start *start, int log_fd, struct gl_error *err)
{
    GL_AUTO(gl_str_done) struct gl_str name = {0};
    const struct gl_jail jail = {
        .program = start->host->meter,
        .folder = start->folder,
        .host_name = start->record->launch_id,
        .memory_mib = start->record->memory_mib,
        .shares_network = start->launch->has_network,
        .log_fd = log_fd,
        .name = (gl_str_addf(&name, "greenlaunch-meter:%s", start->record->tag), name.text)};

    snprintf(start->record->how, sizeof start->record->how, "process");
    return gl_jail_start(&jail, &start->record->process, err);
}

int gl_local_start_process(struct gl_local_start *start, struct gl_error *err)
{
    GL_AUTO(gl_auto_close) int payload_fd = -1;
    GL_AUTO(gl_auto_close) int log_fd = -1;

    if (gl_local_process_check(start->host, start->launch, err) < 0)
        return -1;
    if (make_payload(start, &payload_fd, err) < 0 || make_files(start->folder, &log_fd, err) < 0 ||
        start_jail(start, log_fd, err) < 0)
        return -1;
    if (run_guest(start, payload_fd, err) == 0)
        return 0;
    gl_link_close(start->link);
    gl_local_kill(&start->record->process);
    start->record->process = (struct gl_process){0};
    return -1;
}
