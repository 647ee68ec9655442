/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/local_tar.h"

#include "base/file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EXTENSION_MAX 65536 /* bytes of one pax header */

/* Offsets and widths of the fields of a ustar header. */
enum {
    AT_NAME = 0,
    LEN_NAME = 100,
    AT_MODE = 100,
    LEN_ID = 8,
    AT_UID = 108,
    AT_GID = 116,
    AT_SIZE = 124,
    LEN_SIZE = 12,
    AT_MTIME = 136,
    AT_SUM = 148,
    AT_TYPE = 156,
    AT_LINK = 157,
    AT_MAGIC = 257,
    AT_MAJOR = 329,
    AT_MINOR = 337,
    AT_PREFIX = 345,
    LEN_PREFIX = 155,
};

void gl_tar_init(struct gl_tar *tar, int fd)
{
    memset(tar, 0, sizeof *tar);
    tar->fd = fd;
}

/* Octal digits, or GNU's base-256 when the first bit is set (negative ones are refused as huge). */
static uint64_t number(const char *field, size_t width)
{
    uint64_t value = 0;

    if ((unsigned char)field[0] & 0x80) {
        value = (unsigned char)field[0] & 0x7f;
        for (size_t i = 1; i < width; i++)
            value = value << 8 | (unsigned char)field[i];
        return value;
    }
    for (size_t i = 0; i < width; i++) {
        if (field[i] >= '0' && field[i] <= '7')
            value = value << 3 | (uint64_t)(field[i] - '0');
        else if (field[i] != ' ')
            break;
    }
    return value;
}

bool gl_tar_is_header(const char block[GL_TAR_BLOCK])
{
    uint64_t sum = 0;

    for (size_t i = 0; i < GL_TAR_BLOCK; i++)
        sum += i >= AT_SUM && i < AT_SUM + 8 ? ' ' : (unsigned char)block[i];
    return block[AT_NAME] != '\0' && number(block + AT_SUM, 8) == sum;
}

/* 1 read whole, 0 at the end of the file. */
static int read_at(const struct gl_tar *tar, uint64_t offset, void *out, size_t length,
                   struct gl_error *err)
{
    size_t used = 0;

    while (used < length) {
        ssize_t got = pread(tar->fd, (char *)out + used, length - used, (off_t)(offset + used));

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return gl_fail_sys(err, GL_E_IO, errno, "cannot read the tar archive");
        if (got == 0 && used > 0)
            return gl_fail(err, GL_E_BAD_VALUE, "the tar archive ends in the middle of a member");
        if (got == 0)
            return 0;
        used += (size_t)got;
    }
    return 1;
}

/* "/a/b", "./a/b/" -> "a/b"; "./" -> "". */
static void set_name(struct gl_tar *tar, const char *name)
{
    size_t length;

    name = gl_path_below_root(name);
    length = strlen(name);
    while (length > 0 && name[length - 1] == '/')
        length--;
    memmove(tar->name, name, length);
    tar->name[length] = '\0';
}

/* What a pax or GNU header says about the member that follows it. */
struct extension {
    char name[GL_TAR_NAME_MAX], link[GL_TAR_NAME_MAX];
    bool has_size;
    uint64_t size;
};

static int keep(char out[GL_TAR_NAME_MAX], const char *text, size_t length, struct gl_error *err)
{
    if (length >= GL_TAR_NAME_MAX)
        return gl_fail(err, GL_E_BAD_VALUE, "a path in the tar archive is too long");
    memcpy(out, text, length);
    out[length] = '\0';
    return 0;
}

/* Records "LENGTH KEY=VALUE\n", LENGTH counting the whole record. */
static int pax_parse(const char *text, size_t length, struct extension *out, struct gl_error *err)
{
    while (length > 0) {
        char *after;
        unsigned long record = strtoul(text, &after, 10);
        const char *key = after + 1, *equals;

        if (*after != ' ' || record > length || record < (size_t)(key - text) + 3)
            return gl_fail(err, GL_E_BAD_VALUE, "a pax header of the tar archive is malformed");
        equals = memchr(key, '=', record - (size_t)(key - text));
        if (equals == NULL || text[record - 1] != '\n')
            return gl_fail(err, GL_E_BAD_VALUE, "a pax header of the tar archive is malformed");
        size_t value = record - 1 - (size_t)(equals + 1 - text);

        if (equals - key == 4 && memcmp(key, "path", 4) == 0 &&
            keep(out->name, equals + 1, value, err) < 0)
            return -1;
        if (equals - key == 8 && memcmp(key, "linkpath", 8) == 0 &&
            keep(out->link, equals + 1, value, err) < 0)
            return -1;
        if (equals - key == 4 && memcmp(key, "size", 4) == 0) {
            out->has_size = true;
            out->size = strtoull(equals + 1, NULL, 10);
        }
        text += record;
        length -= record;
    }
    return 0;
}

static int extension_read(struct gl_tar *tar, struct extension *out, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *text = NULL;
    size_t length = (size_t)tar->size;

    if (tar->type == 'g') /* global pax header: comments in practice */
        return 0;
    if (tar->size > EXTENSION_MAX)
        return gl_fail(err, GL_E_BAD_VALUE, "a header of the tar archive is too long");
    text = gl_alloc(length + 1);
    if (length > 0 && read_at(tar, tar->data, text, length, err) <= 0)
        return gl_fail(err, GL_E_BAD_VALUE, "the tar archive ends in the middle of a header");
    if (tar->type == 'x')
        return pax_parse(text, length, out, err);
    return keep(tar->type == 'L' ? out->name : out->link, text, strlen(text), err);
}

static void header_parse(struct gl_tar *tar, const char *block, uint64_t offset)
{
    bool has_prefix = memcmp(block + AT_MAGIC, "ustar", 6) == 0 && block[AT_PREFIX] != '\0';
    char name[LEN_PREFIX + 1 + LEN_NAME + 1];

    snprintf(name, sizeof name, "%.*s%s%.*s", has_prefix ? LEN_PREFIX : 0, block + AT_PREFIX,
             has_prefix ? "/" : "", LEN_NAME, block + AT_NAME);
    set_name(tar, name);
    snprintf(tar->link, sizeof tar->link, "%.*s", LEN_NAME, block + AT_LINK);
    tar->type = block[AT_TYPE] == '\0' || block[AT_TYPE] == '7' ? '0' : block[AT_TYPE];
    tar->mode = (uint32_t)number(block + AT_MODE, LEN_ID) & 07777;
    tar->uid = (uint32_t)number(block + AT_UID, LEN_ID);
    tar->gid = (uint32_t)number(block + AT_GID, LEN_ID);
    tar->mtime = (uint32_t)number(block + AT_MTIME, LEN_SIZE);
    tar->major = (uint32_t)number(block + AT_MAJOR, LEN_ID);
    tar->minor = (uint32_t)number(block + AT_MINOR, LEN_ID);
    tar->size = number(block + AT_SIZE, LEN_SIZE);
    tar->data = offset + GL_TAR_BLOCK;
}

static int place_next(struct gl_tar *tar, struct gl_error *err)
{
    if (tar->size > (uint64_t)1 << 40 || tar->members++ > GL_TAR_MEMBERS_MAX)
        return gl_fail(err, GL_E_BAD_VALUE,
                       "the tar archive has a member or a count beyond reason");
    tar->next = tar->data + ((tar->size + GL_TAR_BLOCK - 1) & ~(uint64_t)(GL_TAR_BLOCK - 1));
    return 0;
}

/* The next header, whatever its type. */
static int next_header(struct gl_tar *tar, struct gl_error *err)
{
    static const char zeros[GL_TAR_BLOCK];
    char block[GL_TAR_BLOCK];
    int got = read_at(tar, tar->next, block, sizeof block, err);

    if (got <= 0)
        return got;
    if (memcmp(block, zeros, sizeof block) == 0)
        return 0;
    if (!gl_tar_is_header(block))
        return gl_fail(err, GL_E_BAD_VALUE, "the tar archive is damaged at byte %llu",
                       (unsigned long long)tar->next);
    header_parse(tar, block, tar->next);
    if (tar->type >= '1' && tar->type <= '6')
        tar->size = 0; /* links and devices carry no bytes, whatever the field says */
    return place_next(tar, err) < 0 ? -1 : 1;
}

static int apply(struct gl_tar *tar, const struct extension *extension, struct gl_error *err)
{
    if (extension->name[0] != '\0')
        set_name(tar, extension->name);
    if (extension->link[0] != '\0')
        memcpy(tar->link, extension->link, sizeof tar->link);
    if (extension->has_size && tar->type == '0') {
        tar->size = extension->size;
        return place_next(tar, err);
    }
    return 0;
}

int gl_tar_next(struct gl_tar *tar, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) struct extension *extension = gl_alloc(sizeof *extension);

    for (;;) {
        int got = next_header(tar, err);

        if (got <= 0)
            return got;
        if (strchr("xgLK", tar->type) == NULL)
            break;
        if (extension_read(tar, extension, err) < 0)
            return -1;
    }
    if (tar->type < '0' || tar->type > '6')
        return gl_fail(err, GL_E_BAD_VALUE, "the tar archive has a member of unsupported type %c",
                       tar->type >= ' ' && tar->type < 127 ? tar->type : '?');
    return apply(tar, extension, err) < 0 ? -1 : 1;
}

/* ---- to cpio: files that have hard links must share an inode number there ---- */

struct shared_file {
    char *name;
    uint32_t ino; /* 0 until the file itself came by */
};

struct links {
    struct shared_file *files;
    size_t count;
};

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct shared_file *)a)->name, ((const struct shared_file *)b)->name);
}

static struct shared_file *find_shared(const struct links *links, const char *name)
{
    GL_AUTO(gl_auto_free) char *copy = gl_strdup(name);
    const struct shared_file key = {.name = copy};

    if (links->count == 0)
        return NULL;
    return bsearch(&key, links->files, links->count, sizeof key, by_name);
}

static void links_done(struct links *links)
{
    for (size_t i = 0; i < links->count; i++)
        free(links->files[i].name);
    free(links->files);
}

/* A hard link's target is named like a member: normalise it the same way. */
static void link_as_name(struct gl_tar *tar, char out[GL_TAR_NAME_MAX])
{
    char own[GL_TAR_NAME_MAX];

    memcpy(own, tar->name, sizeof own);
    set_name(tar, tar->link);
    memcpy(out, tar->name, GL_TAR_NAME_MAX);
    memcpy(tar->name, own, sizeof own);
}

static int collect_links(int fd, struct links *out, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) struct gl_tar *tar = gl_alloc(sizeof *tar);
    size_t capacity = 0, unique = 0;
    char name[GL_TAR_NAME_MAX];
    int got;

    gl_tar_init(tar, fd);
    while ((got = gl_tar_next(tar, err)) > 0) {
        if (tar->type != '1')
            continue;
        if (out->count == capacity)
            out->files =
                gl_realloc(out->files, (capacity = capacity * 2 + 64) * sizeof *out->files);
        link_as_name(tar, name);
        out->files[out->count++] = (struct shared_file){.name = gl_strdup(name)};
    }
    if (got < 0 || out->count == 0)
        return got;
    qsort(out->files, out->count, sizeof *out->files, by_name);
    for (size_t i = 1; i < out->count; i++) {
        if (strcmp(out->files[unique].name, out->files[i].name) != 0)
            out->files[++unique] = out->files[i];
        else
            free(out->files[i].name);
    }
    out->count = unique + 1;
    return 0;
}

static int copy_member(const struct gl_tar *tar, struct gl_newc *cpio, struct gl_error *err)
{
    char bytes[65536];
    uint64_t done = 0;

    while (done < tar->size) {
        size_t want = tar->size - done < sizeof bytes ? (size_t)(tar->size - done) : sizeof bytes;
        int got = read_at(tar, tar->data + done, bytes, want, err);

        if (got == 0)
            return gl_fail(err, GL_E_BAD_VALUE, "the tar archive ends in the middle of a member");
        if (got < 0 || gl_newc_data(cpio, bytes, want, err) < 0)
            return -1;
        done += want;
    }
    return 0;
}

static const uint32_t file_type[] = {
    ['0' - '0'] = S_IFREG, ['1' - '0'] = S_IFREG, ['2' - '0'] = S_IFLNK, ['3' - '0'] = S_IFCHR,
    ['4' - '0'] = S_IFBLK, ['5' - '0'] = S_IFDIR, ['6' - '0'] = S_IFIFO};

static int convert_member(struct gl_tar *tar, const struct links *links, const char *prefix,
                          struct gl_newc *cpio, struct gl_error *err)
{
    struct gl_newc_member member = {.mode = file_type[tar->type - '0'] | tar->mode,
                                    .uid = tar->uid,
                                    .gid = tar->gid,
                                    .mtime = tar->mtime,
                                    .rdev_major = tar->major,
                                    .rdev_minor = tar->minor,
                                    .size = tar->type == '2' ? (uint32_t)strlen(tar->link)
                                                             : (uint32_t)tar->size};
    char name[GL_TAR_NAME_MAX + 64];
    struct shared_file *shared;

    if (tar->size > UINT32_MAX)
        return gl_fail(err, GL_E_TOO_LARGE, "%.80s is larger than 4 GiB", tar->name);
    if (tar->type == '1') {
        link_as_name(tar, name);
        shared = find_shared(links, name);
        if (shared == NULL || shared->ino == 0)
            return gl_fail(err, GL_E_BAD_VALUE,
                           "%.80s is a hard link to %.80s, which did not "
                           "come before it",
                           tar->name, name);
    } else {
        shared = find_shared(links, tar->name);
        if (shared != NULL)
            shared->ino = cpio->next_ino++;
    }
    member.ino = shared != NULL ? shared->ino : 0;
    member.nlink = shared != NULL ? 2 : 1;
    snprintf(name, sizeof name, "%s/%s", prefix, tar->name);
    if (gl_newc_open(cpio, name, &member, err) < 0)
        return -1;
    if (tar->type == '2')
        return gl_newc_data(cpio, tar->link, member.size, err);
    return copy_member(tar, cpio, err);
}

int gl_tar_to_cpio(int fd, const char *prefix, struct gl_newc *cpio, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) struct gl_tar *tar = gl_alloc(sizeof *tar);
    GL_AUTO(links_done) struct links links = {0};
    int got;

    if (collect_links(fd, &links, err) < 0)
        return -1;
    gl_tar_init(tar, fd);
    while ((got = gl_tar_next(tar, err)) > 0)
        if (tar->name[0] != '\0' && convert_member(tar, &links, prefix, cpio, err) < 0)
            return -1;
    return got;
}
