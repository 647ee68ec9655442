/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_TESTS_ARCHIVE_DISK_H
#define GL_TESTS_ARCHIVE_DISK_H

/* write(2) with a budget: the call that passes it writes what is left and then either fails like a
 * full disk or ends the process like kill -9. Stands before the C library's. */

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

static long disk_left = -1; /* bytes; -1 = no limit */
static int disk_kills;

ssize_t write(int fd, const void *bytes, size_t length);
ssize_t write(int fd, const void *bytes, size_t length)
{
    size_t some = disk_left >= 0 && (size_t)disk_left < length ? (size_t)disk_left : length;
    ssize_t done = some > 0 ? (ssize_t)syscall(SYS_write, fd, bytes, some) : 0;

    if (disk_left < 0 || done < 0)
        return done;
    disk_left -= done;
    if (some == length)
        return done;
    if (disk_kills)
        _exit(9);
    if (done > 0)
        return done;
    errno = ENOSPC;
    return -1;
}

#endif
