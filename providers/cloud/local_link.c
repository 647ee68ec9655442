/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/local_link.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

int64_t gl_local_clock_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The folder's descriptor must stay open until the address was used. */
static int address_of(const char *folder, const char *name, struct sockaddr_un *out,
                      struct gl_error *err)
{
    int fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return gl_fail_sys(err, GL_E_IO, errno, "cannot open folder %s", folder);
    memset(out, 0, sizeof *out);
    out->sun_family = AF_UNIX;
    snprintf(out->sun_path, sizeof out->sun_path, "/proc/self/fd/%d/%s", fd, name);
    return fd;
}

static int fresh_socket(struct gl_error *err)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        gl_fail_sys(err, GL_E_IO, errno, "cannot make a socket");
    return fd;
}

int gl_local_connect(const char *folder, const char *name, struct gl_error *err)
{
    struct sockaddr_un address;
    GL_AUTO(gl_auto_close) int folder_fd = address_of(folder, name, &address, err);
    int fd = folder_fd < 0 ? -1 : fresh_socket(err);

    if (fd < 0)
        return -1;
    if (connect(fd, (const struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    gl_fail_sys(err, GL_E_IO, errno, "cannot connect to %s/%s", folder, name);
    close(fd);
    return -1;
}

int gl_local_listen(const char *folder, const char *name, struct gl_error *err)
{
    struct sockaddr_un address;
    GL_AUTO(gl_auto_close) int folder_fd = address_of(folder, name, &address, err);
    int fd = folder_fd < 0 ? -1 : fresh_socket(err);
    mode_t mask;
    int got;

    if (fd < 0)
        return -1;
    unlinkat(folder_fd, name, 0);
    mask = umask(0077);
    got = bind(fd, (const struct sockaddr *)&address, sizeof address);
    umask(mask);
    if (got == 0 && listen(fd, 8) == 0)
        return fd;
    gl_fail_sys(err, GL_E_IO, errno, "cannot listen on %s/%s", folder, name);
    close(fd);
    return -1;
}

int gl_link_open(struct gl_link *link, const char *folder, const char *name, struct gl_error *err)
{
    int fd = gl_local_connect(folder, name, err);

    if (fd < 0)
        return -1;
    *link = (struct gl_link){.fd = fd};
    link->out.ceiling = GL_LINK_QUEUE_MAX + GL_FRAME_HEADER;
    return 0;
}

void gl_link_close(struct gl_link *link)
{
    if (link->fd > 0)
        close(link->fd);
    link->fd = -1;
    link->is_closed = true;
    gl_str_done(&link->out);
    link->out_at = 0;
}

size_t gl_link_pending(const struct gl_link *link)
{
    return link->out.length - link->out_at;
}

int gl_link_put(struct gl_link *link, char type, const void *bytes, size_t length,
                struct gl_error *err)
{
    char header[GL_FRAME_HEADER];

    if (link->out_at > 0) {
        memmove(link->out.text, link->out.text + link->out_at, gl_link_pending(link));
        link->out.length -= link->out_at;
        link->out_at = 0;
    }
    if (length > GL_FRAME_MAX || link->out.length + length > GL_LINK_QUEUE_MAX)
        return gl_fail(err, GL_E_TOO_LARGE, "too much is waiting for the guest");
    gl_frame_header(type, length, header);
    gl_str_add_bytes(&link->out, header, sizeof header);
    if (length > 0)
        gl_str_add_bytes(&link->out, bytes, length);
    return 0;
}

static void write_some(struct gl_link *link)
{
    ssize_t done =
        send(link->fd, link->out.text + link->out_at, gl_link_pending(link), MSG_NOSIGNAL);

    if (done > 0)
        link->out_at += (size_t)done;
    else if (done < 0 && errno != EAGAIN && errno != EINTR)
        link->is_closed = true;
    if (gl_link_pending(link) == 0) {
        gl_str_clear(&link->out);
        link->out_at = 0;
    }
}

static void read_some(struct gl_link *link)
{
    size_t room;
    char *space = gl_frame_reader_space(&link->in, &room);
    ssize_t got;

    if (room == 0) /* a whole frame is waiting to be taken */
        return;
    got = read(link->fd, space, room);
    if (got > 0)
        gl_frame_reader_fed(&link->in, (size_t)got);
    else if (got == 0 || (errno != EAGAIN && errno != EINTR))
        link->is_closed = true;
}

void gl_link_wait(struct gl_link *link, int also_fd, int64_t timeout_ms, bool *out_also)
{
    struct pollfd fds[2] = {
        {.fd = link->is_closed ? -1 : link->fd,
         .events = (short)(POLLIN | (gl_link_pending(link) > 0 ? POLLOUT : 0))},
        {.fd = also_fd, .events = POLLIN},
    };

    if (out_also != NULL)
        *out_also = false;
    if (timeout_ms < 0)
        timeout_ms = 0;
    if (poll(fds, 2, timeout_ms < INT32_MAX ? (int)timeout_ms : INT32_MAX) <= 0)
        return;
    if ((fds[0].revents & POLLOUT) != 0)
        write_some(link);
    if ((fds[0].revents & (POLLIN | POLLHUP | POLLERR)) != 0)
        read_some(link);
    if (out_also != NULL)
        *out_also = (fds[1].revents & (POLLIN | POLLHUP)) != 0;
}

bool gl_link_next(struct gl_link *link, struct gl_frame *out)
{
    return gl_frame_reader_next(&link->in, out);
}

int gl_link_flush(struct gl_link *link, int64_t timeout_ms, struct gl_error *err)
{
    int64_t last = gl_local_clock_ms();
    size_t before = gl_link_pending(link);
    struct gl_frame frame;

    while (gl_link_pending(link) > 0) {
        gl_link_wait(link, -1, 100, NULL);
        while (gl_link_next(link, &frame))
            continue;
        if (link->is_closed)
            return gl_fail(err, GL_E_GUEST, "the guest closed its control channel");
        if (gl_link_pending(link) < before) {
            before = gl_link_pending(link);
            last = gl_local_clock_ms();
        }
        if (gl_local_clock_ms() - last > timeout_ms)
            return gl_fail(err, GL_E_GUEST, "the guest takes nothing from its control channel");
    }
    return 0;
}

int gl_link_shut(struct gl_link *link, struct gl_error *err)
{
    if (shutdown(link->fd, SHUT_WR) < 0)
        return gl_fail_sys(err, GL_E_GUEST, errno, "the guest's control channel broke");
    return 0;
}

int gl_link_part(struct gl_link *link, int64_t timeout_ms, struct gl_error *err)
{
    int64_t end_ms = gl_local_clock_ms() + timeout_ms;
    struct gl_frame frame;

    if (gl_link_shut(link, err) < 0)
        return -1;
    while (!link->is_closed) {
        if (gl_local_clock_ms() > end_ms)
            return gl_fail(err, GL_E_GUEST, "the guest takes nothing from its control channel");
        gl_link_wait(link, -1, 50, NULL);
        while (gl_link_next(link, &frame))
            continue;
    }
    return 0;
}
