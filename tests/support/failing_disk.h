/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_TESTS_FAILING_DISK_H
#define GL_TESTS_FAILING_DISK_H

/* A disk that fails: the including program's own write(), rename() and so on stand in front of the
 * C library's for everything it links, SQLite included. They count the calls that change files and,
 * at call number N, kill the process or say that the disk is full. For one source file of a
 * program, which undefines _FORTIFY_SOURCE before its first include and brings fsync() itself. */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct disk {
    bool is_armed;
    unsigned count;
    unsigned kill_at;               /* 0 = never */
    unsigned full_from, full_until; /* calls in [from, until) find no space */
} disk;

/* Shall this call fail? May not return. */
static bool strikes(bool needs_space)
{
    if (!disk.is_armed)
        return false;
    disk.count++;
    if (disk.count == disk.kill_at)
        kill(getpid(), SIGKILL);
    if (!needs_space || disk.count < disk.full_from || disk.count >= disk.full_until)
        return false;
    errno = ENOSPC;
    return true;
}

ssize_t write(int fd, const void *bytes, size_t length)
{
    return strikes(true) ? -1 : syscall(SYS_write, fd, bytes, length);
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t offset)
{
    return strikes(true) ? -1 : syscall(SYS_pwrite64, fd, bytes, length, offset);
}

int ftruncate64(int fd, off64_t length)
{
    return strikes(true) ? -1 : (int)syscall(SYS_ftruncate, fd, length);
}

int renameat(int from_fd, const char *from, int to_fd, const char *to)
{
    return strikes(true) ? -1 : (int)syscall(SYS_renameat, from_fd, from, to_fd, to);
}

int mkdir(const char *path, mode_t mode)
{
    return strikes(true) ? -1 : (int)syscall(SYS_mkdir, path, mode);
}

int fchmod(int fd, mode_t mode)
{
    return strikes(false) ? -1 : (int)syscall(SYS_fchmod, fd, mode);
}

int unlink(const char *path)
{
    return strikes(false) ? -1 : (int)syscall(SYS_unlink, path);
}

int unlinkat(int fd, const char *path, int flags)
{
    return strikes(false) ? -1 : (int)syscall(SYS_unlinkat, fd, path, flags);
}

#endif
