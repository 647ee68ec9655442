/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/cpio.h"

#include "base/file.h"
#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define TRAILER    "TRAILER!!!"
#define LINKS_MOST 40

int gl_cpio_begin(struct gl_cpio *cpio, const char *root, struct gl_error *err)
{
    int fd;

    if (mkdir(root, 0755) < 0 && errno != EEXIST)
        return gl_fail_sys(err, GL_E_IO, errno, "cannot make %s", root);
    fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return gl_fail_sys(err, GL_E_IO, errno, "cannot open %s", root);
    memset(cpio, 0, sizeof *cpio);
    cpio->root_fd = fd;
    cpio->fd = -1;
    return 0;
}

/* Field `index` (0..12) of eight hex digits after the magic. */
static int header_field(const struct gl_cpio *cpio, int index, uint32_t *out)
{
    uint32_t value = 0;

    for (int i = 0; i < 8; i++) {
        char c = cpio->header[6 + 8 * index + i];
        uint32_t digit;

        if (c >= '0' && c <= '9')
            digit = (uint32_t)(c - '0');
        else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
            digit = (uint32_t)((c | 0x20) - 'a' + 10);
        else
            return -1;
        value = value << 4 | digit;
    }
    *out = value;
    return 0;
}

static int read_header(struct gl_cpio *cpio, struct gl_error *err)
{
    uint32_t name_size;

    if (memcmp(cpio->header, "070701", 6) != 0 && memcmp(cpio->header, "070702", 6) != 0)
        return gl_fail(err, GL_E_BAD_VALUE, "not a newc cpio archive");
    if (header_field(cpio, 0, &cpio->inode) < 0 || header_field(cpio, 1, &cpio->mode) < 0 ||
        header_field(cpio, 4, &cpio->link_count) < 0 ||
        header_field(cpio, 6, &cpio->data_size) < 0 || header_field(cpio, 9, &cpio->major) < 0 ||
        header_field(cpio, 10, &cpio->minor) < 0 || header_field(cpio, 11, &name_size) < 0)
        return gl_fail(err, GL_E_BAD_VALUE, "a cpio header is broken");
    if (name_size < 2 || name_size > GL_CPIO_NAME)
        return gl_fail(err, GL_E_BAD_VALUE, "a cpio name has %u bytes", (unsigned)name_size);
    cpio->name_size = name_size;
    return 0;
}

/* Strip leading "/" and "./"; refuse a ".." part. The rest may be empty (the root itself). */
static const char *plain_name(const char *name)
{
    for (const char *part = name; part != NULL; part = strchr(part, '/')) {
        part += strspn(part, "/");
        if (strcmp(part, "..") == 0 || strncmp(part, "../", 3) == 0)
            return NULL;
    }
    return gl_path_below_root(name);
}

/* A path being followed inside the root, part by part. */
struct route {
    char done[GL_CPIO_NAME];     /* free of links, relative to the root; "" = the root */
    char rest[2 * GL_CPIO_NAME]; /* still to be followed */
    unsigned links;
};

/* Take the next part of the rest: 1, 0 at its end, -1 with errno when no file can be named so. */
static int next_part(struct route *route, char out[NAME_MAX + 1])
{
    const char *start = route->rest + strspn(route->rest, "/");
    size_t length = strcspn(start, "/");

    if (length > NAME_MAX) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(out, start, length);
    out[length] = '\0';
    memmove(route->rest, start + length, strlen(start + length) + 1);
    return length > 0;
}

static void go_up(struct route *route)
{
    char *slash = strrchr(route->done, '/');

    *(slash != NULL ? slash : route->done) = '\0';
}

/* Go on at the target of a link: from the root if it is absolute, else from the folder it is in. */
static int follow_link(struct route *route, const char *target)
{
    char rest[sizeof route->rest];

    if (++route->links > LINKS_MOST ||
        snprintf(rest, sizeof rest, "%s/%s", target, route->rest) >= (int)sizeof rest) {
        errno = ELOOP;
        return -1;
    }
    memcpy(route->rest, rest, strlen(rest) + 1);
    if (target[0] == '/')
        route->done[0] = '\0';
    return 0;
}

/* One part further; -1 with errno when it is not there. */
static int go_on(int root_fd, struct route *route, const char *part)
{
    char path[GL_CPIO_NAME + NAME_MAX + 2], target[GL_CPIO_NAME];
    ssize_t length;

    if (strcmp(part, ".") == 0)
        return 0;
    if (strcmp(part, "..") == 0) {
        go_up(route);
        return 0;
    }
    snprintf(path, sizeof path, "%s%s%s", route->done, route->done[0] != '\0' ? "/" : "", part);
    length = readlinkat(root_fd, path, target, sizeof target - 1);
    if (length >= 0) {
        target[length] = '\0';
        return follow_link(route, target);
    }
    if (errno != EINVAL || strlen(path) >= sizeof route->done)
        return -1;
    memcpy(route->done, path, strlen(path) + 1);
    return 0;
}

/* Open a folder of the root as if the root were "/": links inside it cannot lead out, because each
 * is read and followed here and the kernel never sees one. */
static int open_in_root(int root_fd, const char *folder)
{
    struct route route = {.done = ""};
    char part[NAME_MAX + 1];
    int more;

    snprintf(route.rest, sizeof route.rest, "%s", folder);
    while ((more = next_part(&route, part)) > 0)
        if (go_on(root_fd, &route, part) < 0)
            return -1;
    if (more < 0)
        return -1;
    return openat(root_fd, route.done[0] != '\0' ? route.done : ".",
                  O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* Open `path`, whose last part is `last`; make it in `parent` when it is not there. */
static int enter_folder(int root_fd, int parent, const char *path, const char *last)
{
    int fd = open_in_root(root_fd, path);

    if (fd < 0 && errno == ENOENT && mkdirat(parent, last, 0755) == 0)
        fd = open_in_root(root_fd, path);
    return fd;
}

/* Open the folder that holds `name`, making the folders on the way; *out_last is the last part. */
static int open_parent(int root_fd, char *name, const char **out_last)
{
    int parent = open_in_root(root_fd, ".");
    char *last = name, *slash;

    while (parent >= 0 && (slash = strchr(last, '/')) != NULL) {
        int next;

        *slash = '\0';
        next = enter_folder(root_fd, parent, name, last);
        *slash = '/';
        close(parent);
        parent = next;
        last = slash + 1;
    }
    *out_last = last;
    return parent;
}

static int make_folder(const struct gl_cpio *cpio, int parent, const char *last)
{
    int fd;

    if (mkdirat(parent, last, cpio->mode & 07777) == 0)
        return fchmodat(parent, last, cpio->mode & 07777, 0);
    if (errno != EEXIST)
        return -1;
    /* A link to a folder stays: archives put files below /lib when /lib points to /usr/lib. */
    fd = openat(parent, last, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0)
        close(fd);
    return fd >= 0 ? 0 : -1;
}

static const char *first_name(const struct gl_cpio *cpio)
{
    for (size_t i = 0; i < cpio->link_count_kept; i++)
        if (cpio->links[i].inode == cpio->inode)
            return cpio->links[i].name;
    return NULL;
}

/* Give the file behind `first` a second name. */
static int link_to(const struct gl_cpio *cpio, const char *first, int parent, const char *last)
{
    char name[GL_CPIO_NAME];
    const char *first_last;
    int first_parent, status;

    memcpy(name, first, strlen(first) + 1);
    first_parent = open_parent(cpio->root_fd, name, &first_last);
    if (first_parent < 0)
        return -1;
    status = linkat(first_parent, first_last, parent, last, 0);
    close(first_parent);
    return status;
}

/* Files with several names: the first entry makes the file, later ones link to it, and whichever
 * has data fills it. */
static int make_file(struct gl_cpio *cpio, int parent, const char *last, const char *name)
{
    const char *first = cpio->link_count > 1 ? first_name(cpio) : NULL;
    int flags = O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC | (first == NULL ? O_EXCL : O_TRUNC);

    if (unlinkat(parent, last, 0) < 0 && errno != ENOENT)
        return -1;
    if (first != NULL && link_to(cpio, first, parent, last) < 0)
        return -1;
    if (first != NULL && cpio->data_size == 0)
        return 0;
    cpio->fd = openat(parent, last, flags, 0600);
    if (cpio->fd < 0)
        return -1;
    if (first == NULL && cpio->link_count > 1 && cpio->link_count_kept < GL_CPIO_LINKS)
        cpio->links[cpio->link_count_kept++] =
            (struct gl_cpio_link){.inode = cpio->inode, .name = gl_strdup(name)};
    return 0;
}

/* Devices need privilege; without it they are left out, as there is nothing behind them. */
static int make_node(const struct gl_cpio *cpio, int parent, const char *last)
{
    if (mknodat(parent, last, cpio->mode, makedev(cpio->major, cpio->minor)) == 0 ||
        errno == EEXIST || errno == EPERM)
        return 0;
    return -1;
}

static int make_entry(struct gl_cpio *cpio, char *name)
{
    const char *last;
    int parent = open_parent(cpio->root_fd, name, &last);
    int status = 0;

    if (parent < 0)
        return -1;
    switch (cpio->mode & S_IFMT) {
    case S_IFDIR:
        status = make_folder(cpio, parent, last);
        break;
    case S_IFREG:
        status = make_file(cpio, parent, last, name);
        break;
    case S_IFLNK:
        status = unlinkat(parent, last, 0) < 0 && errno != ENOENT ? -1 : 0;
        if (status == 0)
            status = symlinkat(cpio->target, parent, last);
        break;
    case S_IFCHR:
    case S_IFBLK:
    case S_IFIFO:
        status = make_node(cpio, parent, last);
        break;
    default:
        break;
    }
    close(parent);
    return status;
}

/* Create what the present entry describes; cpio->fd is then open for a file with data. */
static int start_entry(struct gl_cpio *cpio, struct gl_error *err)
{
    char name[GL_CPIO_NAME];
    const char *plain = plain_name(cpio->name);
    char shown[GL_TEXT_SHOWN];
    size_t length;

    if (plain == NULL)
        return gl_fail(err, GL_E_BAD_VALUE, "cpio name %s leads out of the root",
                       gl_text_show(cpio->name, shown));
    length = strlen(plain);
    while (length > 0 && plain[length - 1] == '/')
        length--;
    memcpy(name, plain, length);
    name[length] = '\0';
    if (length > 0 && make_entry(cpio, name) < 0)
        return gl_fail_sys(err, GL_E_IO, errno, "cannot make %s", gl_text_show(name, shown));
    return 0;
}

static bool is_link(const struct gl_cpio *cpio)
{
    return (cpio->mode & S_IFMT) == S_IFLNK;
}

static int end_name(struct gl_cpio *cpio, struct gl_error *err)
{
    if (cpio->name[cpio->name_size - 1] != '\0' || strlen(cpio->name) + 1 != cpio->name_size)
        return gl_fail(err, GL_E_BAD_VALUE, "a cpio name is not one string");
    if (strcmp(cpio->name, TRAILER) == 0) {
        cpio->has_trailer = true;
        cpio->data_size = 0;
        return 0;
    }
    cpio->has_trailer = false;
    cpio->entries++;
    if (is_link(cpio) && (cpio->data_size == 0 || cpio->data_size >= sizeof cpio->target))
        return gl_fail(err, GL_E_BAD_VALUE, "a cpio link has a target of %u bytes",
                       (unsigned)cpio->data_size);
    return is_link(cpio) ? 0 : start_entry(cpio, err);
}

static int end_data(struct gl_cpio *cpio, struct gl_error *err)
{
    int status = 0;

    if (is_link(cpio) && !cpio->has_trailer) {
        cpio->target[cpio->data_size] = '\0';
        status = start_entry(cpio, err);
    }
    if (cpio->fd >= 0 && fchmod(cpio->fd, cpio->mode & 07777) < 0)
        status = gl_fail_sys(err, GL_E_IO, errno, "cannot set the mode of a file");
    if (cpio->fd >= 0)
        close(cpio->fd);
    cpio->fd = -1;
    return status;
}

/* Bytes of padding after `size` bytes, so that the next part starts at a multiple of four. */
static size_t padding(size_t size)
{
    return (4 - size % 4) % 4;
}

/* Copy what of the part of `size` bytes is still missing; returns the bytes taken. */
static size_t gather(struct gl_cpio *cpio, char *to, size_t size, const char *bytes, size_t length)
{
    size_t take = size - cpio->have < length ? size - cpio->have : length;

    memcpy(to + cpio->have, bytes, take);
    cpio->have += take;
    return take;
}

static int write_data(struct gl_cpio *cpio, const char *bytes, size_t length, struct gl_error *err)
{
    size_t left = cpio->have < cpio->data_size ? cpio->data_size - cpio->have : 0;
    size_t take = length < left ? length : left;

    if (is_link(cpio))
        memcpy(cpio->target + cpio->have, bytes, take);
    else if (cpio->fd >= 0 && gl_fd_write(cpio->fd, bytes, take, err) < 0)
        return -1;
    cpio->have += length;
    return 0;
}

static void next_state(struct gl_cpio *cpio, enum gl_cpio_state state)
{
    cpio->state = state;
    cpio->have = 0;
}

/* Take some of the bytes; *out_taken is at least one. */
static int feed_header(struct gl_cpio *cpio, const char *bytes, size_t length, size_t *out_taken,
                       struct gl_error *err)
{
    *out_taken = 1;
    if (cpio->have == 0 && bytes[0] == '\0' && (cpio->has_trailer || cpio->entries == 0))
        return 0; /* padding between archives */
    *out_taken = gather(cpio, cpio->header, GL_CPIO_HEADER, bytes, length);
    if (cpio->have < GL_CPIO_HEADER)
        return 0;
    next_state(cpio, GL_CPIO_AT_NAME);
    return read_header(cpio, err);
}

static int feed_name(struct gl_cpio *cpio, const char *bytes, size_t length, size_t *out_taken,
                     struct gl_error *err)
{
    size_t size = cpio->name_size + padding(GL_CPIO_HEADER + cpio->name_size);
    bool is_padding = cpio->have >= cpio->name_size;

    if (is_padding) {
        *out_taken = 1;
        cpio->have++;
    } else {
        *out_taken = gather(cpio, cpio->name, cpio->name_size, bytes, length);
    }
    if (cpio->have < size)
        return 0;
    next_state(cpio, GL_CPIO_AT_DATA);
    if (end_name(cpio, err) < 0)
        return -1;
    if (cpio->data_size > 0)
        return 0;
    next_state(cpio, GL_CPIO_AT_HEADER);
    return end_data(cpio, err);
}

static int feed_data(struct gl_cpio *cpio, const char *bytes, size_t length, size_t *out_taken,
                     struct gl_error *err)
{
    size_t size = cpio->data_size + padding(cpio->data_size);
    size_t take = size - cpio->have < length ? size - cpio->have : length;

    *out_taken = take;
    if (write_data(cpio, bytes, take, err) < 0)
        return -1;
    if (cpio->have < size)
        return 0;
    next_state(cpio, GL_CPIO_AT_HEADER);
    return end_data(cpio, err);
}

static int feed(struct gl_cpio *cpio, const char *bytes, size_t length, size_t *out_taken,
                struct gl_error *err)
{
    switch (cpio->state) {
    case GL_CPIO_AT_HEADER:
        return feed_header(cpio, bytes, length, out_taken, err);
    case GL_CPIO_AT_NAME:
        return feed_name(cpio, bytes, length, out_taken, err);
    case GL_CPIO_AT_DATA:
        return feed_data(cpio, bytes, length, out_taken, err);
    case GL_CPIO_FAILED:
        break;
    }
    return gl_fail(err, GL_E_BAD_VALUE, "the archive failed before");
}

int gl_cpio_feed(struct gl_cpio *cpio, const char *bytes, size_t length, struct gl_error *err)
{
    while (length > 0) {
        size_t taken = 0;

        if (feed(cpio, bytes, length, &taken, err) < 0) {
            cpio->state = GL_CPIO_FAILED;
            return -1;
        }
        bytes += taken;
        length -= taken;
    }
    return 0;
}

int gl_cpio_end(struct gl_cpio *cpio, struct gl_error *err)
{
    bool is_whole = cpio->state == GL_CPIO_AT_HEADER && cpio->have == 0 &&
                    (cpio->has_trailer || cpio->entries == 0);

    if (cpio->fd >= 0)
        close(cpio->fd);
    close(cpio->root_fd);
    for (size_t i = 0; i < cpio->link_count_kept; i++)
        free(cpio->links[i].name);
    cpio->link_count_kept = 0;
    if (!is_whole)
        return gl_fail(err, GL_E_BAD_VALUE, "the cpio archive is not whole");
    return 0;
}
