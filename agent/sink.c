/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define HALF_LINE_MS 200

int gl_sink_open(struct gl_sink *sink, const char *path, struct gl_error *err)
{
    struct termios mode;
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0600);

    if (fd < 0)
        return gl_fail_sys(err, GL_E_IO, errno, "cannot open %s", path);
    if (tcgetattr(fd, &mode) == 0) {
        cfmakeraw(&mode);
        mode.c_cflag |= CLOCAL;
        tcsetattr(fd, TCSANOW, &mode);
    }
    *sink = (struct gl_sink){.fd = fd};
    return 0;
}

void gl_sink_of_fd(struct gl_sink *sink, int fd)
{
    *sink = (struct gl_sink){.fd = fd};
}

bool gl_sink_send(struct gl_sink *sink, const char *line, size_t length)
{
    while (sink->fd >= 0 && sink->sent < length) {
        ssize_t wrote = write(sink->fd, line + sink->sent, length - sink->sent);

        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0)
            return false;
        sink->sent += (size_t)wrote;
    }
    sink->sent = 0;
    return true;
}

static int64_t monotonic_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

bool gl_sink_send_for(struct gl_sink *sink, const char *line, size_t length, int64_t wait_ms)
{
    int64_t start_ms = monotonic_ms();
    const struct timespec pause = {.tv_nsec = 10000000};

    while (!gl_sink_send(sink, line, length)) {
        struct pollfd room = {.fd = sink->fd, .events = POLLOUT};
        /* Half a line on a console that others write to as well: finish it soon. */
        int64_t most_ms = sink->sent > 0 && wait_ms < HALF_LINE_MS ? HALF_LINE_MS : wait_ms;

        if (monotonic_ms() - start_ms >= most_ms)
            return false;
        /* A full disk is always "ready": do not spin on it. */
        if (poll(&room, 1, 10) != 0)
            nanosleep(&pause, NULL);
    }
    return true;
}

void gl_sink_drain(const struct gl_sink *sink, int64_t wait_ms)
{
    const struct timespec pause = {.tv_nsec = 5000000};
    int64_t end_ms = monotonic_ms() + wait_ms;
    int waiting = 0;

    while (sink->fd >= 0 && ioctl(sink->fd, TIOCOUTQ, &waiting) == 0 && waiting > 0 &&
           monotonic_ms() < end_ms)
        nanosleep(&pause, NULL);
}
