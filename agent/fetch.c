/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/fetch.h"

#include "agent/cpio.h"
#include "agent/scan.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static _Noreturn void child_run(const char *root, const char *path, const int fds[2])
{
    struct gl_error err = {0};
    sigset_t none;
    int status = 0;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    if (root[0] != '\0' && (chroot(root) < 0 || chdir("/") < 0))
        status = gl_fail_sys(&err, GL_E_IO, errno, "cannot change the root to %s", root);
    if (status == 0)
        status = gl_cpio_write(fds[0], path, GL_FETCH_MAX, &err);
    if (status < 0)
        dprintf(fds[1], "%.500s", err.text);
    _exit(status < 0 ? 1 : 0);
}

static void close_both(int fds[2])
{
    for (int i = 0; i < 2; i++)
        if (fds[i] >= 0)
            close(fds[i]);
}

int gl_fetch_start(struct gl_fetch *fetch, const char *root, const char *path, struct gl_error *err)
{
    int data[2] = {-1, -1}, reason[2] = {-1, -1};
    pid_t pid = -1;

    if (pipe2(data, O_CLOEXEC) == 0 && pipe2(reason, O_CLOEXEC) == 0)
        pid = fork();
    if (pid == 0)
        child_run(root, path, (const int[]){data[1], reason[1]});
    if (pid < 0) {
        gl_fail_sys(err, GL_E_IO, errno, "cannot make a process");
        close_both(data);
        close_both(reason);
        return -1;
    }
    close(data[1]);
    close(reason[1]);
    fcntl(data[0], F_SETFL, O_NONBLOCK);
    *fetch = (struct gl_fetch){.pid = pid, .fd = data[0], .reason_fd = reason[0]};
    return 0;
}

ssize_t gl_fetch_read(struct gl_fetch *fetch, char *out, size_t room)
{
    ssize_t got = read(fetch->fd, out, room);

    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return -1;
    return got < 0 ? 0 : got;
}

bool gl_fetch_end(struct gl_fetch *fetch, char *out, size_t room)
{
    ssize_t got = read(fetch->reason_fd, out, room - 1);

    out[got > 0 ? got : 0] = '\0';
    close(fetch->fd);
    close(fetch->reason_fd);
    *fetch = (struct gl_fetch){.fd = -1, .reason_fd = -1};
    return got > 0;
}

int gl_fetch_parse(const char *bytes, size_t length, char *out, size_t room, struct gl_error *err)
{
    struct gl_scan scan;
    char key[GL_SCAN_KEY];
    bool has_path = false;

    gl_scan_begin(&scan, bytes, length);
    if (gl_scan_enter(&scan, '{'))
        while (gl_scan_more(&scan, '}') && gl_scan_key(&scan, key)) {
            if (has_path || strcmp(key, "path") != 0)
                gl_scan_refuse(&scan, "an unknown key");
            has_path = gl_scan_string(&scan, out, room, NULL);
        }
    if (!gl_scan_done(&scan))
        return gl_fail(err, GL_E_BAD_VALUE, "fetch: %s", scan.problem);
    if (!has_path || out[0] != '/')
        return gl_fail(err, GL_E_BAD_VALUE, "fetch: no absolute path");
    return 0;
}
