/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/local_image.h"

#include "base/process.h"
#include "providers/cloud/local_host.h"
#include "providers/cloud/local_tar.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define UNPACKED_MAX ((int64_t)2 << 30)
#define UNPACK_MS    300000
#define MEMBERS_MAX  1000000
#define ROOT         "image"

/* Disks: a partition table, or an ext2/3/4 superblock at 1024 (its magic at 1080). */
static bool is_raw_disk(const char *bytes, size_t length)
{
    return (length >= 512 && memcmp(bytes + 510, "\x55\xaa", 2) == 0) ||
           (length >= 1082 && memcmp(bytes + 1080, "\x53\xef", 2) == 0);
}

enum gl_image_kind gl_image_kind_of(const char *bytes, size_t length, const char **out_unpacker)
{
    static const struct {
        const char *magic;
        size_t length;
        const char *program;
    } packed[] = {
        {"\x1f\x8b", 2, "gzip"},
        {"\xfd"
         "7zXZ",
         6, "xz"},
        {"\x28\xb5\x2f\xfd", 4, "zstd"},
        {"BZh", 3, "bzip2"},
    };

    for (size_t i = 0; i < sizeof packed / sizeof *packed; i++) {
        if (length < packed[i].length || memcmp(bytes, packed[i].magic, packed[i].length) != 0)
            continue;
        if (out_unpacker != NULL)
            *out_unpacker = packed[i].program;
        return GL_IMAGE_PACKED;
    }
    if (length >= 4 && memcmp(bytes, "QFI\xfb", 4) == 0)
        return GL_IMAGE_QCOW2;
    if (length >= 6 && (memcmp(bytes, "070701", 6) == 0 || memcmp(bytes, "070702", 6) == 0))
        return GL_IMAGE_CPIO;
    if (length >= GL_TAR_BLOCK && gl_tar_is_header(bytes))
        return GL_IMAGE_TAR;
    return is_raw_disk(bytes, length) ? GL_IMAGE_RAW : GL_IMAGE_UNKNOWN;
}

static uint64_t big_endian(const char *bytes, size_t width)
{
    uint64_t value = 0;

    for (size_t i = 0; i < width; i++)
        value = value << 8 | (unsigned char)bytes[i];
    return value;
}

/* docs/interop/qcow2.txt of QEMU: backing_file_offset at 8; version at 4; from version 3 on
 * incompatible_features at 72, whose bit 2 is "external data file". */
int gl_image_check_qcow2(const char *bytes, size_t length, struct gl_error *err)
{
    uint64_t version;

    if (length < 104 || memcmp(bytes, "QFI\xfb", 4) != 0)
        return gl_fail(err, GL_E_BAD_VALUE, "the disk image is no whole qcow2 file");
    version = big_endian(bytes + 4, 4);
    if (version != 2 && version != 3)
        return gl_fail(err, GL_E_BAD_VALUE, "the disk image is qcow2 of an unknown version");
    if (big_endian(bytes + 8, 8) != 0 || (version == 3 && (big_endian(bytes + 72, 8) & 4) != 0))
        return gl_fail(err, GL_E_BAD_VALUE,
                       "the disk image refers to another file; flatten it: "
                       "qemu-img convert -O qcow2 IMAGE FLAT");
    return 0;
}

/* Run `program -dc` from one descriptor into the other. */
static int unpack(const char *program, int in_fd, int out_fd, struct gl_error *err)
{
    const char *argv[] = {program, "-dc", NULL};
    const struct gl_spawn spawn = {.argv = argv,
                                   .stdin_fd = in_fd,
                                   .stdout_fd = out_fd,
                                   .stderr_fd = -1,
                                   .uid = -1,
                                   .gid = -1,
                                   .dies_with_parent = true,
                                   .file_size_limit = UNPACKED_MAX};
    struct gl_process process;
    int status = -1;

    if (gl_process_start(&spawn, &process, err) < 0)
        return gl_wrap(err, "cannot unpack the image");
    if (gl_process_wait(&process, UNPACK_MS, &status) != 1) {
        gl_process_kill(&process, SIGKILL);
        gl_process_wait(&process, -1, &status);
        return gl_fail(err, GL_E_TIMEOUT, "unpacking the image with %s takes too long", program);
    }
    if (status != 0)
        return gl_fail(err, GL_E_BAD_VALUE,
                       "%s cannot unpack the image (status %d; at most 2 GiB "
                       "are unpacked)",
                       program, status);
    return 0;
}

static int replace_by_unpacked(struct gl_image *image, const char *program, const char *work_folder,
                               struct gl_error *err)
{
    int fd = gl_local_temporary(work_folder, err);

    if (fd < 0)
        return gl_wrap(err, "cannot unpack the image");
    if (lseek(image->fd, 0, SEEK_SET) < 0 || unpack(program, image->fd, fd, err) < 0) {
        close(fd);
        return gl_fail_sys(err, GL_E_IO, errno, "cannot read the image");
    }
    close(image->fd);
    image->fd = fd;
    return 0;
}

static int look(struct gl_image *image, const char *path, const char **out_unpacker,
                struct gl_error *err)
{
    char bytes[GL_IMAGE_LOOK];
    struct stat info;
    ssize_t got = pread(image->fd, bytes, sizeof bytes, 0);

    if (got < 0 || fstat(image->fd, &info) < 0)
        return gl_fail_sys(err, GL_E_IO, errno, "cannot read %s", path);
    image->length = (uint64_t)info.st_size;
    image->kind = gl_image_kind_of(bytes, (size_t)got, out_unpacker);
    if (image->kind == GL_IMAGE_UNKNOWN)
        return gl_fail(err, GL_E_BAD_VALUE,
                       "%s is neither a tar or cpio root file system nor a "
                       "raw or qcow2 disk",
                       path);
    return image->kind == GL_IMAGE_QCOW2 ? gl_image_check_qcow2(bytes, (size_t)got, err) : 0;
}

static int open_and_look(const char *path, struct gl_image *image, const char **out_unpacker,
                         struct gl_error *err)
{
    struct stat info;

    image->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (image->fd < 0 || fstat(image->fd, &info) < 0)
        return gl_fail_sys(err, GL_E_USAGE, errno, "cannot open the image %s", path);
    if (!S_ISREG(info.st_mode))
        return gl_fail(err, GL_E_BAD_VALUE, "the image %s is not a regular file", path);
    return look(image, path, out_unpacker, err);
}

int gl_image_check(const char *path, enum gl_image_kind *out_kind, struct gl_error *err)
{
    struct gl_image image = {.fd = -1};
    const char *unpacker = NULL;
    int result = open_and_look(path, &image, &unpacker, err);

    gl_image_close(&image);
    if (result == 0)
        *out_kind = image.kind;
    return result;
}

static int open_image(const char *path, const char *work_folder, struct gl_image *image,
                      struct gl_error *err)
{
    const char *unpacker = NULL;

    if (open_and_look(path, image, &unpacker, err) < 0)
        return -1;
    if (image->kind != GL_IMAGE_PACKED)
        return 0;
    if (replace_by_unpacked(image, unpacker, work_folder, err) < 0 ||
        look(image, path, &unpacker, err) < 0)
        return -1;
    if (image->kind != GL_IMAGE_TAR && image->kind != GL_IMAGE_CPIO)
        return gl_fail(err, GL_E_BAD_VALUE,
                       "%s holds no tar or cpio archive; unpack a disk image "
                       "yourself",
                       path);
    return 0;
}

int gl_image_open(const char *path, const char *work_folder, struct gl_image *out,
                  struct gl_error *err)
{
    struct gl_image image = {.fd = -1};

    if (open_image(path, work_folder, &image, err) < 0) {
        gl_image_close(&image);
        return -1;
    }
    *out = image;
    return 0;
}

void gl_image_close(struct gl_image *image)
{
    if (image->fd >= 0)
        close(image->fd);
    image->fd = -1;
}

bool gl_image_is_disk(const struct gl_image *image)
{
    return image->kind == GL_IMAGE_RAW || image->kind == GL_IMAGE_QCOW2;
}

/* ---- cpio into cpio, with a prefix ---- */

struct source {
    int fd;
    uint64_t at;
};

static int take(struct source *source, void *out, size_t length, struct gl_error *err)
{
    size_t used = 0;

    while (used < length) {
        ssize_t got =
            pread(source->fd, (char *)out + used, length - used, (off_t)(source->at + used));

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return gl_fail_sys(err, GL_E_IO, errno, "cannot read the cpio archive");
        if (got == 0)
            return gl_fail(err, GL_E_BAD_VALUE, "the cpio archive ends in the middle");
        used += (size_t)got;
    }
    source->at += length;
    return 0;
}

static int copy_data(struct source *source, uint32_t size, struct gl_newc *cpio,
                     struct gl_error *err)
{
    char bytes[65536];

    while (size > 0) {
        size_t part = size < sizeof bytes ? size : sizeof bytes;

        if (take(source, bytes, part, err) < 0 || gl_newc_data(cpio, bytes, part, err) < 0)
            return -1;
        size -= (uint32_t)part;
    }
    return 0;
}

static const char *relative(const char *name)
{
    while (*name == '/' || (name[0] == '.' && (name[1] == '/' || name[1] == '\0')))
        name++;
    return name;
}

/* 1 copied, 0 the trailer came. */
static int copy_member(struct source *source, struct gl_newc *cpio, struct gl_error *err)
{
    char header[GL_NEWC_HEADER], name[GL_NEWC_NAME_MAX], full[GL_NEWC_NAME_MAX + sizeof ROOT + 1];
    struct gl_newc_member member;
    const char *own;

    if (take(source, header, sizeof header, err) < 0 ||
        gl_newc_header_parse(header, &member, err) < 0 ||
        take(source, name, member.name_length, err) < 0)
        return -1;
    if (name[member.name_length - 1] != '\0')
        return gl_fail(err, GL_E_BAD_VALUE, "a name in the cpio archive does not end");
    source->at += gl_newc_padding(GL_NEWC_HEADER + member.name_length);
    if (strcmp(name, "TRAILER!!!") == 0)
        return 0;
    own = relative(name);
    if (*own == '\0') {
        source->at += member.size + gl_newc_padding(member.size);
        return 1;
    }
    snprintf(full, sizeof full, ROOT "/%s", own);
    if (gl_newc_open(cpio, full, &member, err) < 0 || copy_data(source, member.size, cpio, err) < 0)
        return -1;
    source->at += gl_newc_padding(member.size);
    return 1;
}

static int add_cpio(int fd, struct gl_newc *cpio, struct gl_error *err)
{
    struct source source = {.fd = fd};
    uint32_t count = 0;
    int got;

    while ((got = copy_member(&source, cpio, err)) > 0)
        if (++count > MEMBERS_MAX)
            return gl_fail(err, GL_E_TOO_LARGE, "the cpio archive has more than %d members",
                           MEMBERS_MAX);
    return got;
}

int gl_image_add_tree(const struct gl_image *image, struct gl_newc *cpio, struct gl_error *err)
{
    if (gl_newc_add_folder(cpio, ROOT, err) < 0)
        return -1;
    if (image->kind == GL_IMAGE_CPIO)
        return add_cpio(image->fd, cpio, err);
    return gl_tar_to_cpio(image->fd, ROOT, cpio, err);
}
