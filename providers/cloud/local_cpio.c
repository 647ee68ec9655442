/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/local_cpio.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TRAILER "TRAILER!!!"
#define BLOCK   512

static const char zeros[BLOCK];

void gl_newc_init(struct gl_newc *cpio, int fd, uint64_t ceiling)
{
    *cpio = (struct gl_newc){.fd = fd, .ceiling = ceiling, .next_ino = 1};
}

size_t gl_newc_padding(uint64_t length)
{
    return (size_t)(-length & 3);
}

bool gl_newc_name_is_safe(const char *name)
{
    while (*name == '/')
        name++;
    if (*name == '\0')
        return false;
    while (*name != '\0') {
        size_t length = strcspn(name, "/");

        if (length == 2 && memcmp(name, "..", 2) == 0)
            return false;
        name += length;
        name += strspn(name, "/");
    }
    return true;
}

static int put(struct gl_newc *cpio, const void *bytes, size_t length, struct gl_error *err)
{
    if (length > cpio->ceiling - cpio->length)
        return gl_fail(err, GL_E_TOO_LARGE, "the archive would pass %llu MiB",
                       (unsigned long long)(cpio->ceiling >> 20));
    if (gl_fd_write(cpio->fd, bytes, length, err) < 0)
        return -1;
    cpio->length += length;
    return 0;
}

int gl_newc_open(struct gl_newc *cpio, const char *name, const struct gl_newc_member *member,
                 struct gl_error *err)
{
    char block[GL_NEWC_HEADER + GL_NEWC_NAME_MAX + 4];
    uint32_t ino = member->ino != 0 ? member->ino : cpio->next_ino++;
    size_t name_length, length;

    name += strspn(name, "/");
    name_length = strlen(name) + 1;
    if (!gl_newc_name_is_safe(name) || name_length > GL_NEWC_NAME_MAX)
        return gl_fail(err, GL_E_BAD_VALUE, "the path %.80s cannot go into the guest", name);
    length = (size_t)snprintf(
        block, sizeof block, "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X", ino,
        member->mode, member->uid, member->gid, member->nlink ? member->nlink : 1, member->mtime,
        member->size, 0U, 0U, member->rdev_major, member->rdev_minor, (unsigned)name_length, 0U);
    memcpy(block + length, name, name_length);
    length += name_length;
    memcpy(block + length, zeros, gl_newc_padding(length));
    cpio->left = member->size;
    return put(cpio, block, length + gl_newc_padding(length), err);
}

int gl_newc_data(struct gl_newc *cpio, const void *bytes, size_t length, struct gl_error *err)
{
    if (length > cpio->left)
        return gl_fail(err, GL_E_INTERNAL, "a member of the archive is longer than announced");
    if (length == 0)
        return 0;
    if (put(cpio, bytes, length, err) < 0)
        return -1;
    cpio->left -= length;
    return cpio->left == 0 ? put(cpio, zeros, gl_newc_padding(cpio->length), err) : 0;
}

int gl_newc_add(struct gl_newc *cpio, const char *name, uint32_t mode, const void *bytes,
                size_t length, struct gl_error *err)
{
    struct gl_newc_member member = {.mode = mode, .size = (uint32_t)length};

    if (length > UINT32_MAX)
        return gl_fail(err, GL_E_TOO_LARGE, "%.80s is larger than 4 GiB", name);
    if (gl_newc_open(cpio, name, &member, err) < 0)
        return -1;
    return gl_newc_data(cpio, bytes, length, err);
}

int gl_newc_add_parents(struct gl_newc *cpio, const char *name, struct gl_error *err)
{
    char part[GL_NEWC_NAME_MAX];
    size_t at;

    name += strspn(name, "/");
    if (strlen(name) >= sizeof part)
        return gl_fail(err, GL_E_BAD_VALUE, "the path %.80s... is too long", name);
    for (at = strcspn(name, "/"); name[at] != '\0'; at += 1 + strcspn(name + at + 1, "/")) {
        memcpy(part, name, at);
        part[at] = '\0';
        if (part[at - 1] != '/' && gl_newc_add(cpio, part, S_IFDIR | 0755, NULL, 0, err) < 0)
            return -1;
    }
    return 0;
}

int gl_newc_add_folder(struct gl_newc *cpio, const char *name, struct gl_error *err)
{
    if (gl_newc_add_parents(cpio, name, err) < 0)
        return -1;
    return gl_newc_add(cpio, name, S_IFDIR | 0755, NULL, 0, err);
}

/* Copy what `fd` holds into the open member; the file may shrink or grow under our hands. */
static int copy_data(struct gl_newc *cpio, int fd, const char *host_path, struct gl_error *err)
{
    char bytes[65536];

    while (cpio->left > 0) {
        size_t want = cpio->left < sizeof bytes ? (size_t)cpio->left : sizeof bytes;
        ssize_t got = read(fd, bytes, want);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return gl_fail_sys(err, GL_E_IO, errno, "cannot read %s", host_path);
        if (got == 0)
            return gl_fail(err, GL_E_IO, "%s became shorter while it was read", host_path);
        if (gl_newc_data(cpio, bytes, (size_t)got, err) < 0)
            return -1;
    }
    return 0;
}

int gl_newc_add_file(struct gl_newc *cpio, const char *name, const char *host_path,
                     uint64_t ceiling, struct gl_error *err)
{
    GL_AUTO(gl_auto_close) int fd = open(host_path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    struct gl_newc_member member = {0};
    struct stat info;

    if (fd < 0 || fstat(fd, &info) < 0)
        return gl_fail_sys(err, GL_E_IO, errno, "cannot open %s", host_path);
    if (!S_ISREG(info.st_mode))
        return gl_fail(err, GL_E_BAD_VALUE, "%s is not a regular file", host_path);
    if ((uint64_t)info.st_size > ceiling || info.st_size > (off_t)UINT32_MAX)
        return gl_fail(err, GL_E_TOO_LARGE, "%s is larger than %llu MiB", host_path,
                       (unsigned long long)(ceiling >> 20));
    member.mode = S_IFREG | (info.st_mode & 0777);
    member.size = (uint32_t)info.st_size;
    if (gl_newc_add_parents(cpio, name, err) < 0 || gl_newc_open(cpio, name, &member, err) < 0)
        return -1;
    return copy_data(cpio, fd, host_path, err);
}

int gl_newc_finish(struct gl_newc *cpio, struct gl_error *err)
{
    const struct gl_newc_member none = {.ino = UINT32_MAX};

    if (gl_newc_open(cpio, TRAILER, &none, err) < 0)
        return -1;
    return put(cpio, zeros, (size_t)(-cpio->length & (BLOCK - 1)), err);
}

/* Eight hex digits; false when one is none. */
static bool hex_field(const char *digits, uint32_t *out)
{
    uint32_t value = 0;

    for (int i = 0; i < 8; i++) {
        char c = digits[i];

        if (c >= '0' && c <= '9')
            value = value << 4 | (uint32_t)(c - '0');
        else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
            value = value << 4 | (uint32_t)((c | 0x20) - 'a' + 10);
        else
            return false;
    }
    *out = value;
    return true;
}

int gl_newc_header_parse(const char header[GL_NEWC_HEADER], struct gl_newc_member *out,
                         struct gl_error *err)
{
    uint32_t field[13];

    if (memcmp(header, "070701", 6) != 0 && memcmp(header, "070702", 6) != 0)
        return gl_fail(err, GL_E_BAD_VALUE, "not a cpio archive of the newc form");
    for (int i = 0; i < 13; i++)
        if (!hex_field(header + 6 + 8 * i, &field[i]))
            return gl_fail(err, GL_E_BAD_VALUE, "a cpio header holds no number where one must be");
    if (field[11] == 0 || field[11] > GL_NEWC_NAME_MAX)
        return gl_fail(err, GL_E_BAD_VALUE, "a cpio member's name is empty or too long");
    *out = (struct gl_newc_member){.ino = field[0],
                                   .mode = field[1],
                                   .uid = field[2],
                                   .gid = field[3],
                                   .nlink = field[4],
                                   .mtime = field[5],
                                   .size = field[6],
                                   .rdev_major = field[9],
                                   .rdev_minor = field[10],
                                   .name_length = field[11]};
    return 0;
}
