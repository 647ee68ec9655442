/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/command.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define READ_PIECE    16384
#define DRAIN_MOST_MS 1000

/* ---- the child ---- */

static _Noreturn void child_fail(const char *what, const char *name, int status)
{
    dprintf(2, "greenlaunch: cannot %s %s: %s\n", what, name, strerror(errno));
    _exit(status);
}

static void child_reset(void)
{
    sigset_t none;

    for (int number = 1; number < NSIG; number++)
        signal(number, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static void child_oom_first(void)
{
    int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

    if (fd >= 0 && write(fd, "500", 3) == 3)
        close(fd);
}

/* exec takes strings without const for historical reasons and never writes to them. */
static char *const *exec_strings(const char *const *strings)
{
    char *const *out;

    memcpy(&out, &strings, sizeof out);
    return out;
}

static _Noreturn void child_run(const struct gl_command_spec *spec, const int fds[3], pid_t parent)
{
    int status;

    setsid();
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* process mode: nothing outlives a killed guest */
    if (getppid() != parent)
        _exit(126); /* it was killed before we asked */
    for (int i = 0; i < 3; i++)
        if (dup2(fds[i], i) < 0)
            _exit(126);
    child_reset();
    if (spec->is_oom_first)
        child_oom_first();
    if (spec->root[0] != '\0' && (chroot(spec->root) < 0 || chdir("/") < 0))
        child_fail("change the root to", spec->root, 126);
    if (chdir("/work") < 0 && errno != ENOENT)
        child_fail("enter", "/work", 126);
    clearenv();
    setenv("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", 1);
    setenv("HOME", "/root", 1);
    execvp(spec->argv[0], exec_strings(spec->argv));
    status = errno == ENOENT ? 127 : 126;
    child_fail("run", spec->argv[0], status);
}

/* ---- the guest ---- */

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* Three pipes, all ends close-on-exec and ours non-blocking. */
static int make_pipes(int ends[3][2])
{
    for (int i = 0; i < 3; i++) {
        if (pipe2(ends[i], O_CLOEXEC) < 0)
            return -1;
        if (fcntl(ends[i][i == 0 ? 1 : 0], F_SETFL, O_NONBLOCK) < 0)
            return -1;
    }
    return 0;
}

int gl_command_start(struct gl_command *command, const struct gl_command_spec *spec,
                     struct gl_error *err)
{
    int ends[3][2] = {{-1, -1}, {-1, -1}, {-1, -1}};
    pid_t parent = getpid();
    pid_t pid = make_pipes(ends) < 0 ? -1 : fork();

    if (pid == 0)
        child_run(spec, (const int[]){ends[0][0], ends[1][1], ends[2][1]}, parent);
    close_fd(&ends[0][0]);
    close_fd(&ends[1][1]);
    close_fd(&ends[2][1]);
    if (pid < 0) {
        gl_fail_sys(err, GL_E_IO, errno, "cannot make a process");
        for (int i = 0; i < 3; i++)
            close_fd(&ends[i][i == 0 ? 1 : 0]);
        return -1;
    }
    command->pid = pid;
    command->in_fd = ends[0][1];
    command->out_fd[0] = ends[1][0];
    command->out_fd[1] = ends[2][0];
    return 0;
}

void gl_command_refuse(struct gl_command *command, int status, const char *text, int64_t now_ms)
{
    gl_ring_push(&command->out[1], text, strlen(text));
    command->in_fd = command->out_fd[0] = command->out_fd[1] = -1;
    command->is_ended = true;
    command->status = status;
    command->ended_ms = now_ms;
}

void gl_command_ended(struct gl_command *command, int wait_status, int64_t now_ms)
{
    command->is_ended = true;
    command->status =
        WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
    command->ended_ms = now_ms;
    close_fd(&command->in_fd);
}

void gl_command_signal(const struct gl_command *command, int signal_number)
{
    if (command->pid > 0)
        kill(-command->pid, signal_number);
}

size_t gl_command_poll(const struct gl_command *command, bool may_wait, struct pollfd out[3])
{
    size_t count = 0;

    if (command->pid <= 0)
        return 0;
    if (command->in_fd >= 0)
        out[count++] = (struct pollfd){
            .fd = command->in_fd,
            .events = command->in.used > 0 || command->is_in_ending ? POLLOUT : 0,
        };
    for (int i = 0; i < 2; i++)
        if (command->out_fd[i] >= 0 && (!may_wait || gl_ring_room(&command->out[i]) >= READ_PIECE))
            out[count++] = (struct pollfd){.fd = command->out_fd[i], .events = POLLIN};
    return count;
}

/* The command closed its stdin: what is left has no reader. */
static void drop_in(struct gl_command *command)
{
    gl_ring_pop(&command->in, command->in.used);
    close_fd(&command->in_fd);
}

static void write_in(struct gl_command *command)
{
    while (command->in.used > 0) {
        size_t length;
        const char *front = gl_ring_front(&command->in, &length);
        ssize_t wrote = write(command->in_fd, front, length);

        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < 0 && errno == EAGAIN)
            return;
        if (wrote < 0) {
            drop_in(command);
            return;
        }
        gl_ring_pop(&command->in, (size_t)wrote);
    }
    if (command->is_in_ending)
        close_fd(&command->in_fd);
}

static void read_out(struct gl_command *command, int i)
{
    char piece[READ_PIECE];
    ssize_t got = read(command->out_fd[i], piece, sizeof piece);

    if (got > 0)
        gl_ring_push(&command->out[i], piece, (size_t)got);
    else if (got == 0 || (errno != EAGAIN && errno != EINTR))
        close_fd(&command->out_fd[i]);
}

void gl_command_serve(struct gl_command *command, const struct pollfd *polled, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (polled[i].revents == 0)
            continue;
        if (polled[i].fd == command->in_fd && (polled[i].revents & POLLERR) != 0)
            drop_in(command);
        else if (polled[i].fd == command->in_fd)
            write_in(command);
        else if (polled[i].fd == command->out_fd[0])
            read_out(command, 0);
        else if (polled[i].fd == command->out_fd[1])
            read_out(command, 1);
    }
}

bool gl_command_is_drained(const struct gl_command *command, int64_t now_ms)
{
    if (!command->is_ended || command->out[0].used > 0 || command->out[1].used > 0)
        return false;
    return (command->out_fd[0] < 0 && command->out_fd[1] < 0) ||
           now_ms - command->ended_ms >= DRAIN_MOST_MS;
}

/* Has stdin nobody who could read it? Then everything is taken and forgotten. */
static bool is_in_gone(const struct gl_command *command)
{
    return command->is_ended || (command->pid > 0 && command->in_fd < 0);
}

size_t gl_command_in_room(const struct gl_command *command)
{
    return is_in_gone(command) ? GL_RING_BYTES : gl_ring_room(&command->in);
}

void gl_command_feed(struct gl_command *command, const char *bytes, size_t length)
{
    if (command->is_in_ending || is_in_gone(command))
        return;
    if (length == 0)
        command->is_in_ending = true;
    else
        gl_ring_push(&command->in, bytes, length);
}
