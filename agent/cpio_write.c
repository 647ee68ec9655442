/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/cpio.h"

#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEPTH_MAX   32
#define ENTRIES_MAX 65536

/* One walk over the tree: the first only counts, the second writes. */
struct walk {
    int out_fd; /* -1 = count only */
    uint64_t bytes, most_bytes;
    uint32_t entries; /* also gives each entry its own inode number */
    unsigned depth;
    char path[PATH_MAX]; /* of the present entry */
    size_t name_at;      /* where its name in the archive begins */
};

static int put(const struct walk *walk, const void *bytes, size_t length, struct gl_error *err)
{
    return walk->out_fd < 0 ? 0 : gl_fd_write(walk->out_fd, bytes, length, err);
}

static int put_padding(const struct walk *walk, uint64_t written, struct gl_error *err)
{
    return put(walk, "\0\0\0", (4 - written % 4) % 4, err);
}

static int put_header(const struct walk *walk, const char *name, const struct stat *info,
                      struct gl_error *err)
{
    char header[GL_CPIO_HEADER + 1];
    size_t name_size = strlen(name) + 1;

    snprintf(header, sizeof header, "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x",
             walk->entries, info->st_mode, 0U, 0U, 1U, (unsigned)info->st_mtime,
             (unsigned)info->st_size, 0U, 0U, 0U, 0U, (unsigned)name_size, 0U);
    if (put(walk, header, GL_CPIO_HEADER, err) < 0 || put(walk, name, name_size, err) < 0)
        return -1;
    return put_padding(walk, GL_CPIO_HEADER + name_size, err);
}

/* Exactly `size` bytes, whatever happens to the file meanwhile: missing ones are zero. */
static int put_file(const struct walk *walk, uint64_t size, struct gl_error *err)
{
    static const char zeros[4096];
    char buffer[16384];
    GL_AUTO(gl_auto_close) int fd = -1;
    uint64_t left = size;

    if (walk->out_fd < 0)
        return 0;
    fd = open(walk->path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return gl_fail_sys(err, GL_E_IO, errno, "cannot open %s", walk->path);
    while (left > 0) {
        ssize_t got = read(fd, buffer, left < sizeof buffer ? (size_t)left : sizeof buffer);
        size_t some = left < sizeof zeros ? (size_t)left : sizeof zeros;

        if (got > 0)
            some = (size_t)got;
        if (put(walk, got > 0 ? buffer : zeros, some, err) < 0)
            return -1;
        left -= some;
    }
    return put_padding(walk, size, err);
}

static int put_link(const struct walk *walk, uint64_t size, struct gl_error *err)
{
    char target[GL_CPIO_NAME] = {0};
    ssize_t length = readlink(walk->path, target, sizeof target - 1);

    if (length < 0 || (uint64_t)length != size)
        return gl_fail_sys(err, GL_E_IO, errno, "cannot read the link %s", walk->path);
    if (put(walk, target, (size_t)size, err) < 0)
        return -1;
    return put_padding(walk, size, err);
}

static int visit(struct walk *walk, struct gl_error *err);

static bool is_dots(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* All entries of the open folder. */
static int visit_each(struct walk *walk, DIR *folder, struct gl_error *err)
{
    size_t length = strlen(walk->path);
    struct dirent *entry;

    while ((entry = readdir(folder)) != NULL) {
        int status;

        if (is_dots(entry->d_name))
            continue;
        if (length + strlen(entry->d_name) + 2 > sizeof walk->path)
            return gl_fail(err, GL_E_TOO_LARGE, "a path is too long below %s", walk->path);
        snprintf(walk->path + length, sizeof walk->path - length, "/%s", entry->d_name);
        status = visit(walk, err);
        walk->path[length] = '\0';
        if (status < 0)
            return -1;
    }
    return 0;
}

static int visit_folder(struct walk *walk, struct gl_error *err)
{
    DIR *folder;
    int status;

    if (walk->depth >= DEPTH_MAX)
        return gl_fail(err, GL_E_TOO_LARGE, "more than %d folders deep", DEPTH_MAX);
    folder = opendir(walk->path);
    if (folder == NULL)
        return gl_fail_sys(err, GL_E_IO, errno, "cannot open %s", walk->path);
    walk->depth++;
    status = visit_each(walk, folder, err);
    walk->depth--;
    closedir(folder);
    return status;
}

/* Sockets, devices and pipes have no content to hand over: left out. */
static int visit(struct walk *walk, struct gl_error *err)
{
    struct stat info;
    bool is_file, is_folder;

    if (lstat(walk->path, &info) < 0)
        return gl_fail_sys(err, GL_E_IO, errno, "cannot read %s", walk->path);
    is_file = S_ISREG(info.st_mode) || S_ISLNK(info.st_mode);
    is_folder = S_ISDIR(info.st_mode);
    if (!is_file && !is_folder)
        return 0;
    if (is_folder)
        info.st_size = 0;
    walk->bytes += (uint64_t)info.st_size;
    if (walk->bytes > walk->most_bytes || ++walk->entries > ENTRIES_MAX)
        return gl_fail(err, GL_E_TOO_LARGE, "%s holds more than %llu bytes or %d entries",
                       walk->path, (unsigned long long)walk->most_bytes, ENTRIES_MAX);
    if (put_header(walk, walk->path + walk->name_at, &info, err) < 0)
        return -1;
    if (is_folder)
        return visit_folder(walk, err);
    return S_ISREG(info.st_mode) ? put_file(walk, (uint64_t)info.st_size, err)
                                 : put_link(walk, (uint64_t)info.st_size, err);
}

static int walk_tree(int fd, const char *path, uint64_t most_bytes, struct gl_error *err)
{
    struct walk walk = {.out_fd = fd, .most_bytes = most_bytes};
    size_t length = strlen(path);
    struct stat trailer = {0};

    while (length > 1 && path[length - 1] == '/')
        length--;
    if (length == 0 || length >= sizeof walk.path)
        return gl_fail(err, GL_E_BAD_VALUE, "a path of %zu bytes", length);
    memcpy(walk.path, path, length);
    while (length > 0 && path[length - 1] != '/')
        length--;
    walk.name_at = length;
    if (walk.path[walk.name_at] == '\0' || is_dots(walk.path + walk.name_at))
        return gl_fail(err, GL_E_BAD_VALUE, "a path without a last name: %s", path);
    if (visit(&walk, err) < 0)
        return -1;
    walk.entries = 0;
    return put_header(&walk, "TRAILER!!!", &trailer, err);
}

int gl_cpio_write(int fd, const char *path, uint64_t most_bytes, struct gl_error *err)
{
    if (walk_tree(-1, path, most_bytes, err) < 0)
        return -1;
    return walk_tree(fd, path, most_bytes, err);
}
