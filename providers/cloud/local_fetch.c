/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"
#include "base/json.h"
#include "providers/cloud/local.h"
#include "providers/cloud/local_cpio.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FETCH_MAX   ((uint64_t)64 << 20)
#define ARCHIVE_MAX (FETCH_MAX + ((uint64_t)1 << 20))
#define SILENCE_MS  15000
#define MEMBERS_MAX 10000

/* ---- asking ---- */

struct fetching {
    int fd; /* takes the archive */
    uint64_t length;
    bool is_done;
    char reason[160]; /* what the guest said on stderr before an empty answer */
};

static void keep_reason(struct fetching *fetching, const struct gl_frame *frame)
{
    GL_AUTO(gl_str_done) struct gl_str text = {0};

    gl_str_add_printable(&text, frame->payload, frame->length < 150 ? frame->length : 150);
    snprintf(fetching->reason, sizeof fetching->reason, "%s", gl_str_text(&text));
}

static int on_frame(struct fetching *fetching, const struct gl_frame *frame, struct gl_error *err)
{
    if (frame->type == 'R' && fetching->length == 0)
        keep_reason(fetching, frame);
    if (frame->type != 'F')
        return 0;
    fetching->is_done = frame->length == 0;
    fetching->length += frame->length;
    if (fetching->length > ARCHIVE_MAX)
        return gl_fail(err, GL_E_TOO_LARGE, "the guest sends more than 64 MiB");
    return gl_fd_write(fetching->fd, frame->payload, frame->length, err);
}

static int receive(struct gl_link *link, struct fetching *fetching, struct gl_error *err)
{
    int64_t heard_ms = gl_local_clock_ms();
    struct gl_frame frame;

    while (!fetching->is_done) {
        gl_link_wait(link, -1, 200, NULL);
        while (!fetching->is_done && gl_link_next(link, &frame)) {
            heard_ms = gl_local_clock_ms();
            if (on_frame(fetching, &frame, err) < 0)
                return -1;
        }
        if (!fetching->is_done && link->is_closed)
            return gl_fail(err, GL_E_GUEST, "the instance ended while a file was fetched");
        if (gl_local_clock_ms() - heard_ms > SILENCE_MS)
            return gl_fail(err, GL_E_GUEST,
                           "the guest does not answer; is somebody else attached "
                           "to it?");
    }
    return 0;
}

static int request(struct gl_link *link, const char *path, struct gl_error *err)
{
    GL_AUTO(gl_auto_json) json_t *object = json_pack("{s:s}", "path", path);
    GL_AUTO(gl_auto_free) char *text = NULL;

    if (object == NULL)
        return gl_fail(err, GL_E_BAD_VALUE, "the path to fetch is not UTF-8 text");
    text = gl_json_canonical(object, err);
    return text == NULL ? -1 : gl_link_put(link, 'Q', text, strlen(text), err);
}

/* ---- unpacking ---- */

static int take(int fd, uint64_t *at, void *out, size_t length, struct gl_error *err)
{
    ssize_t got = pread(fd, out, length, (off_t)*at);

    if (got < 0 || (size_t)got != length)
        return gl_fail(err, GL_E_GUEST, "the guest sent half an archive");
    *at += length;
    return 0;
}

static int copy_out(int fd, uint64_t at, uint32_t size, int to, struct gl_error *err)
{
    char bytes[65536];

    while (size > 0) {
        size_t part = size < sizeof bytes ? size : sizeof bytes;

        if (take(fd, &at, bytes, part, err) < 0 || gl_fd_write(to, bytes, part, err) < 0)
            return -1;
        size -= (uint32_t)part;
    }
    return 0;
}

/* Write one regular file; its name was checked. */
static int write_file(const char *path, int fd, uint64_t at, const struct gl_newc_member *member,
                      struct gl_error *err)
{
    GL_AUTO(gl_str_done) struct gl_str part = {0};
    int to, got;

    gl_str_addf(&part, "%s.part", path);
    to = open(part.text, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
              member->mode & 0777 & ~(mode_t)022);
    if (to < 0)
        return gl_fail_sys(err, GL_E_IO, errno, "cannot create %s", part.text);
    got = copy_out(fd, at, member->size, to, err);
    close(to);
    if (got == 0 && rename(part.text, path) < 0)
        got = gl_fail_sys(err, GL_E_IO, errno, "cannot write %s", path);
    if (got < 0)
        unlink(part.text);
    return got;
}

/* Where a member goes: its first part is the fetched path's last name, which `to` replaces. */
static int place_member(const char *to, const char *name, struct gl_str *out, struct gl_error *err)
{
    const char *rest = strchr(name, '/');

    if (!gl_newc_name_is_safe(name))
        return gl_fail(err, GL_E_GUEST, "the guest sent a name that climbs");
    gl_str_add(out, to);
    if (rest != NULL)
        gl_str_add(out, rest);
    return 0;
}

/* 1 a member was unpacked, 0 the trailer came. Only plain files and folders are taken: a link from
 * a guest could lead anywhere. */
static int unpack_member(int fd, uint64_t *at, const char *to, struct gl_error *err)
{
    GL_AUTO(gl_str_done) struct gl_str path = {0};
    char header[GL_NEWC_HEADER], name[GL_NEWC_NAME_MAX];
    struct gl_newc_member member;
    uint64_t data;

    if (take(fd, at, header, sizeof header, err) < 0)
        return -1;
    if (gl_newc_header_parse(header, &member, err) < 0 ||
        take(fd, at, name, member.name_length, err) < 0)
        return gl_wrap(err, "the guest's archive");
    if (name[member.name_length - 1] != '\0')
        return gl_fail(err, GL_E_GUEST, "the guest sent a name without an end");
    data = *at + gl_newc_padding(GL_NEWC_HEADER + member.name_length);
    *at = data + member.size + gl_newc_padding(member.size);
    if (strcmp(name, "TRAILER!!!") == 0)
        return 0;
    if (place_member(to, name, &path, err) < 0)
        return -1;
    if (S_ISDIR(member.mode))
        return gl_dir_make(path.text, err) < 0 ? -1 : 1;
    if (S_ISREG(member.mode))
        return write_file(path.text, fd, data, &member, err) < 0 ? -1 : 1;
    return 1;
}

static int unpack(const struct fetching *fetching, const char *to, struct gl_error *err)
{
    uint64_t at = 0;
    int count = 0, got;

    while ((got = unpack_member(fetching->fd, &at, to, err)) > 0)
        if (++count > MEMBERS_MAX)
            return gl_fail(err, GL_E_TOO_LARGE, "the folder to fetch holds more than %d files",
                           MEMBERS_MAX);
    if (got == 0 && count == 0)
        return gl_fail(err, GL_E_NOT_FOUND, "the guest has nothing at that path");
    return got;
}

int gl_local_fetch(const struct gl_local *local, const char *folder, const char *path,
                   const char *to, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) struct gl_link *link = gl_alloc(sizeof *link);
    struct fetching fetching = {.fd = -1};
    struct gl_local_record record;
    struct gl_process process;
    int got;

    if (gl_local_record_load(folder, &record, err) < 0)
        return -1;
    gl_local_settle(local, folder, &record);
    if (record.state == GL_STATE_SUSPENDED)
        return gl_fail(err, GL_E_GUEST, "the instance %s is suspended: resume it first",
                       record.launch_id);
    if (!gl_local_find_alive(&record, &process))
        return gl_fail(err, GL_E_GUEST, "the instance %s has ended, and its files with it",
                       record.launch_id);
    fetching.fd = gl_local_temporary(folder, err);
    if (fetching.fd < 0)
        return -1;
    got = gl_link_open(link, folder, GL_LOCAL_CONTROL, err);
    if (got == 0)
        got = request(link, path, err);
    if (got == 0)
        got = receive(link, &fetching, err);
    gl_link_close(link);
    if (got == 0 && fetching.length == 0)
        got =
            gl_fail(err, GL_E_NOT_FOUND, "the guest cannot hand out %s: %s", path, fetching.reason);
    if (got == 0)
        got = unpack(&fetching, to, err);
    close(fetching.fd);
    return got;
}
