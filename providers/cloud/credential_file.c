/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/credential_file.h"

#include "base/file.h"
#include "base/sign.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* What is open is looked at, so that nothing else is read than what was looked at. */
static int check(const struct gl_credential_file *file, const struct stat *info,
                 struct gl_error *err)
{
    if (!S_ISREG(info->st_mode))
        return gl_fail(err, GL_E_IO, "%s is not a regular file", file->path);
    if ((info->st_mode & S_IWOTH) != 0)
        return gl_fail(err, GL_E_CONFIG, "%s is not used: anybody may write it (chmod o-w %s)",
                       file->path, file->path);
    if (file->is_from_here && info->st_uid != geteuid() && info->st_uid != 0)
        return gl_fail(
            err, GL_E_CONFIG,
            "%s of the working folder is not used: it belongs to user %u; name it by its "
            "path if you trust it",
            file->path, (unsigned)info->st_uid);
    if (info->st_size < 0 || (uintmax_t)info->st_size > file->ceiling)
        return gl_fail(err, GL_E_TOO_LARGE, "%s is larger than %zu bytes", file->path,
                       file->ceiling);
    return 0;
}

/* As many bytes as there are, at most `size`; -1 with errno. */
static ssize_t read_all(int fd, char *bytes, size_t size)
{
    size_t length = 0;
    ssize_t got = 1;

    while (got > 0 && length < size) {
        do
            got = read(fd, bytes + length, size - length);
        while (got < 0 && errno == EINTR);
        length += got > 0 ? (size_t)got : 0;
    }
    return got < 0 ? -1 : (ssize_t)length;
}

int gl_credential_file_read(const struct gl_credential_file *file, char **out, size_t *out_length,
                            struct gl_error *err)
{
    /* O_NONBLOCK: a FIFO must be refused, not waited for. */
    GL_AUTO(gl_auto_close) int fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    struct stat info;
    ssize_t length;
    char *bytes;

    if (fd < 0 || fstat(fd, &info) != 0)
        return gl_fail_sys(err, GL_E_IO, errno, "cannot open %s", file->path);
    if (check(file, &info, err) != 0)
        return -1;
    bytes = gl_alloc((size_t)info.st_size + 1);
    length = read_all(fd, bytes, (size_t)info.st_size);
    if (length < 0) {
        gl_fail_sys(err, GL_E_IO, errno, "cannot read %s", file->path);
        gl_wipe(bytes, (size_t)info.st_size);
        free(bytes);
        return -1;
    }
    bytes[length] = '\0';
    *out = bytes;
    *out_length = (size_t)length;
    return 0;
}
