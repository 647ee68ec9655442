/* SPDX-License-Identifier: Apache-2.0 */
#include "base/process.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* What a child was doing when it could not go on; sent to the parent with errno. */
enum step { STEP_FILES, STEP_LIMIT, STEP_FOLDER, STEP_USER, STEP_PARENT, STEP_EXEC };

struct report {
    enum step step;
    int sys;
};

/* Everything a child needs, made before fork(): after it only async-signal-safe calls are allowed,
 * because another thread may hold the allocator's lock for ever. */
struct plan {
    const struct gl_spawn *spawn;
    const char *program;
    int report_fd;
    int parent;
};

static int64_t monotonic_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* execve() takes its strings without const for historical reasons and never writes to them. */
static char *const *exec_strings(const char *const *strings)
{
    char *const *out;

    memcpy(&out, &strings, sizeof out);
    return out;
}

/* ---- the child, between fork() and exec ---- */

static _Noreturn void child_fail(const struct plan *plan, enum step step)
{
    struct report report = {.step = step, .sys = errno};
    ssize_t ignored = write(plan->report_fd, &report, sizeof report);

    (void)ignored;
    _exit(127);
}

/* Handlers must not run in the child, and an ignored signal would stay ignored after exec; SIGHUP
 * does, as whoever said nohup wishes. */
static void child_reset_signals(void)
{
    sigset_t none;

    for (int signal_number = 1; signal_number < NSIG; signal_number++)
        if (signal(signal_number, SIG_DFL) == SIG_IGN && signal_number == SIGHUP)
            signal(signal_number, SIG_IGN);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* All three are copied above 2 first, so that they may be permutations of 0, 1 and 2. */
static int child_set_stdio(const struct gl_spawn *spawn)
{
    const int wanted[3] = {spawn->stdin_fd, spawn->stdout_fd, spawn->stderr_fd};
    int copies[3];

    for (int i = 0; i < 3; i++) {
        int fd = wanted[i] >= 0 ? wanted[i] : open("/dev/null", O_RDWR | O_CLOEXEC);

        copies[i] = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 3);
        if (copies[i] < 0)
            return -1;
    }
    for (int i = 0; i < 3; i++)
        if (dup2(copies[i], i) < 0)
            return -1;
    return 0;
}

static void close_on_exec_from_3(void)
{
    struct rlimit files;
    int end = 65536;

    if (close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) == 0)
        return;
    /* Linux before 5.11 */
    if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < (rlim_t)end)
        end = (int)files.rlim_cur;
    for (int fd = 3; fd < end; fd++)
        fcntl(fd, F_SETFD, FD_CLOEXEC);
}

static int child_set_files(const struct gl_spawn *spawn)
{
    if (child_set_stdio(spawn) < 0)
        return -1;
    close_on_exec_from_3();
    for (size_t i = 0; i < spawn->keep_count; i++)
        if (fcntl(spawn->keep_fds[i], F_SETFD, 0) < 0)
            return -1;
    return 0;
}

static int child_set_limit(const struct gl_spawn *spawn)
{
    const struct rlimit limit = {.rlim_cur = (rlim_t)spawn->file_size_limit,
                                 .rlim_max = (rlim_t)spawn->file_size_limit};

    if (spawn->file_size_limit <= 0)
        return 0;
    signal(SIGXFSZ, SIG_IGN);
    return setrlimit(RLIMIT_FSIZE, &limit);
}

/* Groups first: without root's rights they could no longer be dropped. */
static int child_drop_user(const struct gl_spawn *spawn)
{
    gid_t gid = (gid_t)spawn->gid;
    uid_t uid = (uid_t)spawn->uid;

    if ((spawn->gid >= 0 || spawn->uid >= 0) && syscall(SYS_setgroups, 0, NULL) < 0)
        return -1;
    if (spawn->gid >= 0 && syscall(SYS_setresgid, gid, gid, gid) < 0)
        return -1;
    if (spawn->uid >= 0 && syscall(SYS_setresuid, uid, uid, uid) < 0)
        return -1;
    return 0;
}

/* After the change of user, which clears the parent-death signal. */
static int child_bind_to_parent(const struct plan *plan)
{
    if (!plan->spawn->dies_with_parent)
        return 0;
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
        return -1;
    if (getppid() != plan->parent)
        _exit(127); /* the parent died before the line above */
    return 0;
}

static _Noreturn void child_run(struct plan *plan)
{
    const struct gl_spawn *spawn = plan->spawn;

    child_reset_signals();
    plan->report_fd = fcntl(plan->report_fd, F_DUPFD_CLOEXEC, 3);
    if (spawn->is_detached)
        setsid();
    if (child_set_files(spawn) < 0)
        child_fail(plan, STEP_FILES);
    if (child_set_limit(spawn) < 0)
        child_fail(plan, STEP_LIMIT);
    if (spawn->folder != NULL && chdir(spawn->folder) < 0)
        child_fail(plan, STEP_FOLDER);
    if (child_drop_user(spawn) < 0)
        child_fail(plan, STEP_USER);
    if (child_bind_to_parent(plan) < 0)
        child_fail(plan, STEP_PARENT);
    execve(plan->program, exec_strings(spawn->argv),
           spawn->environment != NULL ? exec_strings(spawn->environment) : environ);
    child_fail(plan, STEP_EXEC);
}

/* ---- the parent ---- */

static char *program_in(const char *folder, size_t folder_length, const char *name)
{
    size_t name_length = strlen(name);
    char *path;

    if (folder_length == 0 || folder[0] != '/')
        return NULL;
    path = gl_alloc(folder_length + 1 + name_length + 1);
    memcpy(path, folder, folder_length);
    path[folder_length] = '/';
    memcpy(path + folder_length + 1, name, name_length);
    if (access(path, X_OK) == 0)
        return path;
    free(path);
    return NULL;
}

char *gl_program_find(const char *name)
{
    const char *folders = getenv("PATH");

    if (name[0] == '\0' || strchr(name, '/') != NULL)
        return NULL;
    if (folders == NULL)
        folders = "/usr/local/bin:/usr/bin:/bin";
    for (;;) {
        size_t length = strcspn(folders, ":");
        char *path = program_in(folders, length, name);

        if (path != NULL || folders[length] == '\0')
            return path;
        folders += length + 1;
    }
}

/* One read of /proc/PID/stat. The program's name stands in parentheses and may hold any byte, so
 * fields are counted from the last closing one. */
static bool stat_parse(char *text, struct gl_process_stat *out)
{
    char *at = strrchr(text, ')'), *end;
    uint64_t fields[20] = {0}; /* fields 3.. of proc(5): [0] is the state letter */

    if (at == NULL || at[1] != ' ' || at[2] == '\0')
        return false;
    out->state = at[2];
    at += 3;
    for (size_t i = 1; i < 20; i++) {
        fields[i] = strtoull(at, &end, 10); /* negative fields wrap; none of ours is one */
        if (end == at)
            return false;
        at = end;
    }
    out->parent = (int)fields[1];
    out->user_ticks = fields[11];
    out->system_ticks = fields[12];
    out->reaped_ticks = fields[13] + fields[14];
    out->start_ticks = fields[19];
    return true;
}

bool gl_process_stat(int pid, struct gl_process_stat *out)
{
    char path[40], text[1024];
    GL_AUTO(gl_auto_close) int fd = -1;
    ssize_t length;

    if (pid <= 0)
        return false;
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    length = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (length <= 0)
        return false;
    text[length] = '\0';
    return stat_parse(text, out);
}

static const char *step_text(enum step step)
{
    switch (step) {
    case STEP_FILES:
        return "cannot set up its files";
    case STEP_LIMIT:
        return "cannot limit its file size";
    case STEP_FOLDER:
        return "cannot enter its folder";
    case STEP_USER:
        return "cannot change its user";
    case STEP_PARENT:
        return "cannot bind it to this process";
    case STEP_EXEC:
        break;
    }
    return "cannot execute it";
}

/* The pipe closes by itself when exec succeeds. */
static bool report_read(int fd, struct report *out)
{
    ssize_t got;

    do
        got = read(fd, out, sizeof *out);
    while (got < 0 && errno == EINTR);
    return got == (ssize_t)sizeof *out;
}

static void reap(int pid)
{
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        continue;
}

/* Signals are blocked around fork() so that no handler of ours runs in the child. */
static int fork_child(struct plan *plan)
{
    sigset_t all, before;
    int pid;

    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    pid = fork();
    if (pid == 0)
        child_run(plan);
    sigprocmask(SIG_SETMASK, &before, NULL);
    return pid;
}

static int start(struct plan *plan, struct gl_process *out, struct gl_error *err)
{
    int ends[2], pid, sys;
    struct report report;
    struct gl_process_stat line = {0};
    bool has_failed;

    if (pipe2(ends, O_CLOEXEC) < 0)
        return gl_fail_sys(err, GL_E_IO, errno, "cannot start %s", plan->program);
    plan->report_fd = ends[1];
    pid = fork_child(plan);
    sys = errno;
    close(ends[1]);
    has_failed = pid > 0 && report_read(ends[0], &report);
    close(ends[0]);
    if (pid < 0)
        return gl_fail_sys(err, GL_E_IO, sys, "cannot start %s", plan->program);
    if (has_failed) {
        reap(pid);
        return gl_fail_sys(err, GL_E_IO, report.sys, "cannot start %s: %s", plan->program,
                           step_text(report.step));
    }
    gl_process_stat(pid,
                    &line); /* fails only for a child that the system already reaped: not alive */
    *out = (struct gl_process){.pid = pid, .start_ticks = line.start_ticks};
    return 0;
}

int gl_process_start(const struct gl_spawn *spawn, struct gl_process *out, struct gl_error *err)
{
    const char *name = spawn->argv[0];
    GL_AUTO(gl_auto_free)
    char *program = strchr(name, '/') ? gl_strdup(name) : gl_program_find(name);
    struct plan plan = {.spawn = spawn, .program = program, .parent = getpid()};

    if (program == NULL)
        return gl_fail_sys(err, GL_E_IO, ENOENT, "cannot find the program %s in PATH", name);
    return start(&plan, out, err);
}

static bool is_same(const struct gl_process *process, struct gl_process_stat *out_line)
{
    return gl_process_stat(process->pid, out_line) && out_line->start_ticks == process->start_ticks;
}

bool gl_process_is_alive(const struct gl_process *process)
{
    struct gl_process_stat line;

    return is_same(process, &line) && line.state != 'Z' && line.state != 'X';
}

/* The pidfd pins the process before its start time is compared, so the signal cannot reach a
 * stranger that took over the pid in between. */
void gl_process_kill(const struct gl_process *process, int signal)
{
    GL_AUTO(gl_auto_close) int fd = -1;

    if (process->pid <= 0)
        return;
    fd = (int)syscall(SYS_pidfd_open, process->pid, 0);
    if (fd < 0 && errno != ENOSYS)
        return;
    if (!gl_process_is_alive(process))
        return;
    if (fd >= 0)
        syscall(SYS_pidfd_send_signal, fd, signal, NULL, 0);
    else
        kill(process->pid, signal);
}

/* One look: 1 ended, 0 still running, -1 not our child. */
static int wait_now(int pid, int *out_status)
{
    int status, got;

    do
        got = waitpid(pid, &status, WNOHANG);
    while (got < 0 && errno == EINTR);
    if (got <= 0)
        return got;
    *out_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return 1;
}

/* Sleep until the pidfd says that the process ended or `left_ms` are over (-1 = for ever). Without
 * pidfds (Linux before 5.3) look every 10 ms. */
static void wait_a_little(int pidfd, int64_t left_ms)
{
    struct pollfd watched = {.fd = pidfd, .events = POLLIN};
    int64_t most = pidfd >= 0 ? 60000 : 10;

    if (left_ms >= 0 && left_ms < most)
        most = left_ms;
    poll(&watched, 1, (int)most);
}

int gl_process_wait(const struct gl_process *process, int64_t timeout_ms, int *out_status)
{
    int64_t end = monotonic_ms() + timeout_ms;
    GL_AUTO(gl_auto_close) int fd = -1;

    if (process->pid <= 0)
        return -1;
    fd = (int)syscall(SYS_pidfd_open, process->pid, 0);
    for (;;) {
        int ended = wait_now(process->pid, out_status);
        int64_t left = timeout_ms < 0 ? -1 : end - monotonic_ms();

        if (ended != 0 || (timeout_ms >= 0 && left <= 0))
            return ended;
        wait_a_little(fd, left);
    }
}

int64_t gl_process_cpu_ms(const struct gl_process *process)
{
    struct gl_process_stat line;
    long per_second = sysconf(_SC_CLK_TCK);

    if (!is_same(process, &line) || per_second <= 0)
        return -1;
    return (int64_t)((line.user_ticks + line.system_ticks) * 1000 / (uint64_t)per_second);
}
