/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/place.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

struct gl_moment gl_moment_now(void)
{
    struct timespec boot, wall;

    clock_gettime(CLOCK_BOOTTIME, &boot);
    clock_gettime(CLOCK_REALTIME, &wall);
    return (struct gl_moment){
        .boottime_ns = (int64_t)boot.tv_sec * 1000000000 + boot.tv_nsec,
        .wall_ms = (int64_t)wall.tv_sec * 1000 + wall.tv_nsec / 1000000,
    };
}

int gl_place_open(const struct gl_place *place, const char *path)
{
    char full[PATH_MAX];

    if (snprintf(full, sizeof full, "%s%s", place->sysroot, path) >= (int)sizeof full) {
        errno = ENAMETOOLONG;
        return -1;
    }
    return open(full, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
}

bool gl_place_is_genuine(const struct gl_place *place, int fd)
{
    struct statfs info;

    return place->sysroot[0] == '\0' && fstatfs(fd, &info) == 0 && info.f_type == SYSFS_MAGIC;
}

int gl_read_text(int fd, char *out, size_t room)
{
    ssize_t got;

    do
        got = pread(fd, out, room - 1, 0);
    while (got < 0 && errno == EINTR);
    if (got <= 0)
        return -1;
    out[got] = '\0';
    return (int)got;
}

bool gl_read_number(int fd, uint64_t *out)
{
    char text[32];
    const char *at = text;
    uint64_t value = 0;

    if (fd < 0 || gl_read_text(fd, text, sizeof text) < 0 || *at < '0' || *at > '9')
        return false;
    for (; *at >= '0' && *at <= '9'; at++)
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(*at - '0'), &value))
            return false;
    if (*at != '\n' && *at != '\0')
        return false;
    *out = value;
    return true;
}

int gl_place_open_in(const struct gl_place *place, const char *folder, const char *name)
{
    char path[PATH_MAX];

    if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    return gl_place_open(place, path);
}

bool gl_place_line(const struct gl_place *place, const char *folder, const char *name, char *out,
                   size_t room)
{
    int fd = gl_place_open_in(place, folder, name);
    int length = fd < 0 ? -1 : gl_read_text(fd, out, room);

    if (fd >= 0)
        close(fd);
    if (length < 0)
        return false;
    out[strcspn(out, "\n")] = '\0';
    return true;
}

bool gl_place_number(const struct gl_place *place, const char *folder, const char *name,
                     uint64_t *out)
{
    int fd = gl_place_open_in(place, folder, name);
    bool is_number = gl_read_number(fd, out);

    if (fd >= 0)
        close(fd);
    return is_number;
}
