/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/channel.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define PORT_NAME "org.greenlaunch.0"
#define RETRY_MS  50

int gl_channel_listen(struct gl_channel *channel, const char *path, struct gl_error *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd;

    channel->fd = -1;
    channel->is_socket = true;
    if (strlen(path) >= sizeof address.sun_path)
        return gl_fail(err, GL_E_USAGE, "socket path is longer than %zu bytes: %s",
                       sizeof address.sun_path - 1, path);
    memcpy(address.sun_path, path, strlen(path) + 1);
    unlink(path);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    channel->listen_fd = fd;
    if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof address) < 0 ||
        listen(fd, 1) < 0)
        return gl_fail_sys(err, GL_E_IO, errno, "cannot listen on %s", path);
    return 0;
}

/* ---- the port of a virtual machine ---- */

static bool name_is_ours(const char *port)
{
    char path[300], name[64] = {0};
    int fd;

    snprintf(path, sizeof path, "/sys/class/virtio-ports/%s/name", port);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    if (read(fd, name, sizeof name - 1) < 0)
        name[0] = '\0';
    close(fd);
    name[strcspn(name, "\n")] = '\0';
    return strcmp(name, PORT_NAME) == 0;
}

static int open_virtio_port(void)
{
    DIR *folder = opendir("/sys/class/virtio-ports");
    struct dirent *entry;
    char path[300];
    int fd = -1;

    if (folder == NULL)
        return -1;
    while (fd < 0 && (entry = readdir(folder)) != NULL) {
        if (entry->d_name[0] == '.' || !name_is_ours(entry->d_name))
            continue;
        snprintf(path, sizeof path, "/dev/%s", entry->d_name);
        fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    }
    closedir(folder);
    return fd;
}

/* Opening a serial port that does not exist succeeds; only writing to it fails. */
static int open_serial_port(void)
{
    int fd = open("/dev/ttyS1", O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    struct termios mode;

    if (fd < 0)
        return -1;
    if (tcgetattr(fd, &mode) == 0) {
        cfmakeraw(&mode);
        mode.c_cflag |= CLOCAL | CREAD;
        cfsetspeed(&mode, B115200);
        if (tcsetattr(fd, TCSANOW, &mode) == 0 && write(fd, "\n", 1) == 1)
            return fd;
    }
    close(fd);
    return -1;
}

int gl_channel_open_port(struct gl_channel *channel, int64_t wait_ms, struct gl_error *err)
{
    const struct timespec pause = {.tv_nsec = 10000000};

    channel->listen_fd = -1;
    channel->is_socket = false;
    channel->fd = open_virtio_port();
    for (int64_t waited = 0; channel->fd < 0 && waited < wait_ms; waited += 10) {
        nanosleep(&pause, NULL);
        channel->fd = open_virtio_port();
    }
    if (channel->fd < 0)
        channel->fd = open_serial_port();
    if (channel->fd < 0)
        return gl_fail(err, GL_E_NOT_FOUND,
                       "no control channel: neither a virtio port " PORT_NAME " nor ttyS1");
    return 0;
}

void gl_channel_close(struct gl_channel *channel)
{
    if (channel->fd >= 0)
        close(channel->fd);
    if (channel->listen_fd >= 0)
        close(channel->listen_fd);
    channel->fd = channel->listen_fd = -1;
}

/* ---- both ---- */

/* The other side is gone: what was half sent or half read means nothing to the next one. */
static void lose(struct gl_channel *channel, int64_t now_ms)
{
    channel->was_lost = channel->was_lost || channel->is_up;
    channel->is_up = channel->is_deaf = false;
    channel->out_sent = 0;
    channel->reader.used = channel->reader.consumed = 0;
    channel->retry_at_ms = now_ms + RETRY_MS;
    if (!channel->is_socket)
        return;
    close(channel->fd);
    channel->fd = -1;
}

static void send_some(struct gl_channel *channel, int64_t now_ms)
{
    while (channel->fd >= 0 && !channel->is_deaf && channel->out_sent < channel->out_length) {
        const char *at = channel->out + channel->out_sent;
        size_t left = channel->out_length - channel->out_sent;
        ssize_t sent = channel->is_socket ? send(channel->fd, at, left, MSG_NOSIGNAL)
                                          : write(channel->fd, at, left);

        if (sent > 0) {
            channel->out_sent += (size_t)sent;
            channel->progress_ms = now_ms;
            channel->is_up = true;
            continue;
        }
        if (sent < 0 && errno == EINTR)
            continue;
        channel->is_deaf = sent < 0 && errno != EAGAIN;
        return;
    }
    if (channel->out_sent == channel->out_length)
        channel->out_sent = channel->out_length = 0;
}

static void receive_some(struct gl_channel *channel, int64_t now_ms)
{
    size_t room;
    char *space = gl_frame_reader_space(&channel->reader, &room);
    ssize_t got;

    if (room == 0)
        return;
    got = read(channel->fd, space, room);
    if (got > 0) {
        gl_frame_reader_fed(&channel->reader, (size_t)got);
        channel->is_up = true;
    } else if (got == 0 || (errno != EAGAIN && errno != EINTR))
        lose(channel, now_ms);
}

static void accept_client(struct gl_channel *channel)
{
    int fd = accept4(channel->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (fd >= 0)
        channel->fd = fd;
}

size_t gl_channel_poll(const struct gl_channel *channel, int64_t now_ms, struct pollfd out[1],
                       int64_t *timeout_ms)
{
    size_t count = 0;
    short events = channel->is_paused ? 0 : POLLIN;

    /* One host at a time: the next one waits until all that this one sent has been read. */
    if (channel->listen_fd >= 0 && channel->fd < 0)
        out[count++] = (struct pollfd){.fd = channel->listen_fd, .events = POLLIN};
    if (channel->fd < 0)
        return count;
    if (now_ms < channel->retry_at_ms) {
        if (*timeout_ms < 0 || channel->retry_at_ms - now_ms < *timeout_ms)
            *timeout_ms = channel->retry_at_ms - now_ms;
        return count;
    }
    if (channel->out_length > 0 && !channel->is_deaf)
        events |= POLLOUT;
    out[count++] = (struct pollfd){.fd = channel->fd, .events = events};
    return count;
}

/* A host that is gone is only lost once all that it sent has been read. */
static void serve_port(struct gl_channel *channel, int64_t now_ms, short revents)
{
    if ((revents & POLLIN) != 0)
        receive_some(channel, now_ms);
    else if ((revents & (POLLHUP | POLLERR | POLLNVAL)) != 0 && channel->is_paused)
        channel->retry_at_ms = now_ms + RETRY_MS;
    else if ((revents & (POLLHUP | POLLERR | POLLNVAL)) != 0)
        lose(channel, now_ms);
    if (channel->fd >= 0 && (revents & POLLOUT) != 0)
        send_some(channel, now_ms);
}

void gl_channel_serve(struct gl_channel *channel, int64_t now_ms, const struct pollfd *polled,
                      size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (polled[i].revents == 0)
            continue;
        if (polled[i].fd == channel->listen_fd)
            accept_client(channel);
        else if (polled[i].fd == channel->fd)
            serve_port(channel, now_ms, polled[i].revents);
    }
}

bool gl_channel_next(struct gl_channel *channel, struct gl_frame *out)
{
    return gl_frame_reader_next(&channel->reader, out);
}

bool gl_channel_is_free(const struct gl_channel *channel)
{
    return channel->fd >= 0 && !channel->is_deaf && channel->out_length == 0;
}

char *gl_channel_payload(struct gl_channel *channel)
{
    return channel->out + GL_FRAME_HEADER;
}

void gl_channel_put(struct gl_channel *channel, int64_t now_ms, char type, size_t length)
{
    gl_frame_header(type, length, channel->out);
    channel->out_length = GL_FRAME_HEADER + length;
    channel->out_sent = 0;
    channel->progress_ms = now_ms;
    if (now_ms >= channel->retry_at_ms)
        send_some(channel, now_ms);
}

void gl_channel_put_text(struct gl_channel *channel, int64_t now_ms, char type, const char *text)
{
    size_t length = strlen(text);

    if (length > GL_FRAME_MAX)
        length = GL_FRAME_MAX;
    memcpy(gl_channel_payload(channel), text, length);
    gl_channel_put(channel, now_ms, type, length);
}
