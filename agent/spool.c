/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/spool.h"

#include "agent/record.h"
#include "agent/segment.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

static ssize_t real_write(void *cookie, int fd, const void *bytes, size_t length, off_t offset)
{
    (void)cookie;
    return pwrite(fd, bytes, length, offset);
}

/* Also for the folder, whose new names must not be lost: there fdatasync() is as good as fsync().
 */
static int real_sync(void *cookie, int fd)
{
    (void)cookie;
    return fdatasync(fd);
}

/* ---- writing ---- */

bool gl_spool_begin_segment(struct gl_spool *spool, uint32_t segment)
{
    char name[GL_SEGMENT_NAME];
    int fd;

    fd = openat(spool->folder_fd, gl_segment_name(segment, name),
                O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return false;
    if (spool->fd >= 0) {
        spool->io.sync(spool->io.cookie, spool->fd);
        close(spool->fd);
    }
    spool->io.sync(spool->io.cookie, spool->folder_fd);
    spool->fd = fd;
    spool->segment = segment;
    spool->offset = 0;
    return true;
}

bool gl_spool_put(struct gl_spool *spool, const char *chunk, size_t length)
{
    size_t written = 0;

    if (spool->total + length > spool->bytes_most)
        return false;
    if (spool->offset + length > GL_SPOOL_SEGMENT &&
        !gl_spool_begin_segment(spool, spool->segment + 1))
        return false;
    while (written < length) {
        ssize_t wrote = spool->io.write(spool->io.cookie, spool->fd, chunk + written,
                                        length - written, (off_t)(spool->offset + written));

        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0)
            break;
        written += (size_t)wrote;
    }
    if (written < length) {
        /* Whether this succeeds or not, the next chunk is written over it. */
        if (ftruncate(spool->fd, (off_t)spool->offset) < 0)
            return false;
        return false;
    }
    spool->offset += length;
    spool->total += length;
    return true;
}

bool gl_spool_sync(struct gl_spool *spool)
{
    return spool->io.sync(spool->io.cookie, spool->fd) == 0;
}

bool gl_spool_append(struct gl_spool *spool, const struct gl_reading *reading, const char *text,
                     size_t length, const struct gl_hash *hash)
{
    char chunk[GL_CHUNK_MAX];

    if (!gl_spool_put(spool, chunk, gl_chunk_write(GL_CHUNK_RECORD, text, length, chunk)))
        return false;
    gl_chain_advance(&spool->head, reading, hash);
    return true;
}

void gl_spool_sending(struct gl_spool *spool, uint64_t seq)
{
    char chunk[GL_CHUNK_MAX];

    gl_spool_put(spool, chunk, gl_chunk_write_number(GL_CHUNK_SENDING, seq, chunk));
    gl_spool_sync(spool);
    spool->sending_seq = seq;
}

/* Not synced: if it is lost, the same bytes are sent again. */
void gl_spool_sent(struct gl_spool *spool, uint64_t seq)
{
    char chunk[GL_CHUNK_MAX];

    gl_spool_put(spool, chunk, gl_chunk_write_number(GL_CHUNK_SENT, seq, chunk));
    spool->sent_seq = seq;
    spool->unsent_segment = spool->taken_segment;
    spool->unsent_offset = spool->taken_offset;
}

/* ---- recovery ---- */

void gl_spool_drop_segments(struct gl_spool *spool, uint32_t first, uint32_t end)
{
    for (uint32_t segment = first; segment < end; segment++) {
        char name[GL_SEGMENT_NAME];
        struct stat info;

        gl_segment_name(segment, name);
        if (fstatat(spool->folder_fd, name, &info, 0) < 0)
            continue;
        if (unlinkat(spool->folder_fd, name, 0) == 0)
            spool->total -=
                (uint64_t)info.st_size < spool->total ? (uint64_t)info.st_size : spool->total;
    }
}

/* Does the segment begin with the mark of a merged copy? */
static bool begins_copy(int folder_fd, uint32_t segment)
{
    struct gl_chunk_reader reader;
    bool is_copy;

    gl_chunk_reader_begin(&reader, folder_fd, segment, segment);
    is_copy = gl_chunk_reader_next(&reader) && reader.type == GL_CHUNK_BASE;
    gl_chunk_reader_end(&reader);
    return is_copy;
}

static bool copy_is_whole(int folder_fd, uint32_t first, uint32_t last)
{
    struct gl_chunk_reader reader;
    bool is_whole = false;

    gl_chunk_reader_begin(&reader, folder_fd, first, last);
    while (!is_whole && gl_chunk_reader_next(&reader))
        is_whole = reader.type == GL_CHUNK_BASE_END;
    gl_chunk_reader_end(&reader);
    return is_whole;
}

/* Keep the newest whole merged copy and what follows it; drop a copy that was not finished. */
static void settle_copies(struct gl_spool *spool, uint32_t *first, uint32_t *last)
{
    for (uint32_t segment = *last; segment > *first; segment--) {
        if (!begins_copy(spool->folder_fd, segment))
            continue;
        if (copy_is_whole(spool->folder_fd, segment, *last)) {
            gl_spool_drop_segments(spool, *first, segment);
            *first = segment;
            return;
        }
        gl_spool_drop_segments(spool, segment, *last + 1);
        *last = segment - 1;
    }
}

/* The chain link of a record; the first one of a spool stands on its own. Totals are taken from the
 * record: they are rounded down to mJ there. */
static bool link_record(struct gl_chain_head *head, const char *bytes, size_t length)
{
    struct gl_error ignored = {0};
    struct gl_reading reading;
    struct gl_hash hash;

    if (gl_record_parse(bytes, length, &reading, &ignored) < 0)
        return false;
    if (head->seq > 0 &&
        (reading.seq != head->seq + 1 || !gl_hash_equal(&reading.previous, &head->hash)))
        return false;
    gl_hash_of(bytes, length, &hash);
    gl_chain_advance(head, &reading, &hash);
    for (size_t i = 0; i < reading.component_count; i++)
        head->total_uj[reading.components[i].kind] = reading.components[i].total_mj * 1000;
    return true;
}

/* Take one chunk into what is known of the spool; says why the walk must stop, or NULL. */
static const char *follow(struct gl_spool *spool, const struct gl_chunk_reader *reader)
{
    switch (reader->type) {
    case GL_CHUNK_RECORD:
        return link_record(&spool->head, reader->bytes, reader->length) ? NULL : "the chain breaks";
    case GL_CHUNK_SENDING:
        return gl_chunk_number(reader, &spool->sending_seq) ? NULL : "a mark holds no number";
    case GL_CHUNK_SENT:
        return gl_chunk_number(reader, &spool->sent_seq) ? NULL : "a mark holds no number";
    case GL_CHUNK_BASE:
    case GL_CHUNK_BASE_END:
        return NULL;
    }
    return "an unknown chunk";
}

/* Follow all chunks up to the first that is not sound. */
static void follow_all(struct gl_spool *spool, struct gl_chunk_reader *reader,
                       struct gl_spool_report *report)
{
    while (reader->problem == NULL && gl_chunk_reader_next(reader)) {
        reader->problem = follow(spool, reader);
        if (reader->problem == NULL && reader->type == GL_CHUNK_RECORD && report->records++ == 0)
            report->first_seq = spool->head.seq;
    }
    gl_chunk_reader_end(reader);
}

/* Cut off everything from the first unsound byte, and go on writing there. */
static int cut(struct gl_spool *spool, const struct gl_chunk_reader *reader, uint32_t last,
               struct gl_error *err)
{
    char name[GL_SEGMENT_NAME];
    uint64_t end = reader->problem != NULL ? reader->offset : reader->next;
    struct stat info;

    gl_spool_drop_segments(spool, reader->segment + 1, last + 1);
    spool->fd = openat(spool->folder_fd, gl_segment_name(reader->segment, name),
                       O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (spool->fd < 0 || fstat(spool->fd, &info) < 0)
        return gl_fail_sys(err, GL_E_IO, errno, "cannot open segment %s", name);
    if ((uint64_t)info.st_size > end && ftruncate(spool->fd, (off_t)end) < 0)
        return gl_fail_sys(err, GL_E_IO, errno, "cannot shorten segment %s", name);
    spool->segment = reader->segment;
    spool->offset = end;
    return 0;
}

static void count_bytes(struct gl_spool *spool, uint32_t first, uint32_t last)
{
    spool->total = 0;
    for (uint32_t segment = first; segment <= last; segment++) {
        char name[GL_SEGMENT_NAME];
        struct stat info;

        if (fstatat(spool->folder_fd, gl_segment_name(segment, name), &info, 0) == 0)
            spool->total += (uint64_t)info.st_size;
    }
}

static int recover(struct gl_spool *spool, struct gl_error *err)
{
    struct gl_spool_report ignored = {0};
    struct gl_chunk_reader reader;
    uint32_t first, last;
    int status;

    if (!gl_segment_range(spool->folder_fd, &first, &last)) {
        spool->first_segment = spool->unsent_segment = 1;
        if (!gl_spool_begin_segment(spool, 1))
            return gl_fail_sys(err, GL_E_IO, errno, "cannot make a segment");
        return 0;
    }
    settle_copies(spool, &first, &last);
    gl_chunk_reader_begin(&reader, spool->folder_fd, first, last);
    follow_all(spool, &reader, &ignored);
    spool->first_segment = spool->unsent_segment = first;
    status = cut(spool, &reader, last, err);
    count_bytes(spool, first, spool->segment);
    return status;
}

int gl_spool_open(struct gl_spool *spool, const char *folder, const struct gl_spool_io *io,
                  struct gl_error *err)
{
    static const struct gl_spool_io real = {NULL, real_write, real_sync};

    *spool = (struct gl_spool){
        .io = io != NULL ? *io : real,
        .folder_fd = -1,
        .lock_fd = -1,
        .fd = -1,
        .live_most = GL_SPOOL_LIVE,
        .bytes_most = GL_SPOOL_MOST,
    };
    if (gl_dir_make(folder, err) < 0)
        return -1;
    spool->folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (spool->folder_fd >= 0)
        spool->lock_fd =
            openat(spool->folder_fd, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (spool->lock_fd < 0)
        return gl_fail_sys(err, GL_E_IO, errno, "cannot open the spool %s", folder);
    if (flock(spool->lock_fd, LOCK_EX | LOCK_NB) < 0)
        return gl_fail(err, GL_E_LOCKED, "another meter uses the spool %s", folder);
    if (recover(spool, err) < 0)
        return gl_wrap(err, "spool %s", folder);
    return 0;
}

void gl_spool_close(struct gl_spool *spool)
{
    gl_auto_close(&spool->fd);
    gl_auto_close(&spool->folder_fd);
    gl_auto_close(&spool->lock_fd);
    spool->fd = spool->folder_fd = spool->lock_fd = -1;
}

int gl_spool_seed(struct gl_spool *spool, uint8_t out[32], struct gl_error *err)
{
    uint8_t seed[32];
    int fd = openat(spool->folder_fd, "key", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

    if (fd >= 0) {
        bool is_whole = read(fd, seed, sizeof seed) == sizeof seed;

        close(fd);
        if (!is_whole)
            return gl_fail(err, GL_E_IO, "the key of the spool is not whole");
        memcpy(out, seed, sizeof seed);
        gl_wipe(seed, sizeof seed);
        return 0;
    }
    if (getrandom(seed, sizeof seed, 0) != sizeof seed)
        return gl_fail_sys(err, GL_E_IO, errno, "no randomness");
    fd = openat(spool->folder_fd, "key.new", O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
                0600);
    if (fd < 0 || write(fd, seed, sizeof seed) != sizeof seed || fsync(fd) < 0 ||
        renameat(spool->folder_fd, "key.new", spool->folder_fd, "key") < 0) {
        gl_auto_close(&fd);
        return gl_fail_sys(err, GL_E_IO, errno, "cannot store the key of the spool");
    }
    close(fd);
    fsync(spool->folder_fd);
    memcpy(out, seed, sizeof seed);
    gl_wipe(seed, sizeof seed);
    return 0;
}

void gl_spool_head(const struct gl_spool *spool, struct gl_chain_head *out)
{
    *out = spool->head;
}

/* ---- reading ---- */

void gl_spool_each(struct gl_spool *spool, uint64_t after_seq,
                   bool (*take)(void *cookie, const struct gl_reading *reading, const char *text,
                                size_t length, const struct gl_hash *hash),
                   void *cookie)
{
    struct gl_chunk_reader reader;
    bool wants_more = true;

    gl_chunk_reader_begin(&reader, spool->folder_fd, spool->unsent_segment, spool->segment);
    gl_chunk_reader_skip(&reader, spool->unsent_offset);
    while (wants_more && gl_chunk_reader_next(&reader)) {
        struct gl_error ignored = {0};
        struct gl_reading reading;
        struct gl_hash hash;

        if (reader.type != GL_CHUNK_RECORD ||
            gl_record_parse(reader.bytes, reader.length, &reading, &ignored) < 0 ||
            reading.seq <= after_seq)
            continue;
        gl_hash_of(reader.bytes, reader.length, &hash);
        wants_more = take(cookie, &reading, reader.bytes, reader.length, &hash);
        spool->taken_segment = reader.segment;
        spool->taken_offset = reader.next;
    }
    gl_chunk_reader_end(&reader);
}

int gl_spool_check(const char *folder, struct gl_spool_report *out, struct gl_error *err)
{
    struct gl_spool spool = {.lock_fd = -1, .fd = -1};
    struct gl_chunk_reader reader;
    uint32_t first, last;

    spool.folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (spool.folder_fd < 0)
        return gl_fail_sys(err, GL_E_IO, errno, "cannot open the spool %s", folder);
    if (!gl_segment_range(spool.folder_fd, &first, &last)) {
        gl_spool_close(&spool);
        return gl_fail(err, GL_E_NOT_FOUND, "%s holds no spool", folder);
    }
    for (uint32_t segment = last; segment > first; segment--)
        if (begins_copy(spool.folder_fd, segment) && copy_is_whole(spool.folder_fd, segment, last))
            first = segment;
    *out = (struct gl_spool_report){.segments = last - first + 1};
    gl_chunk_reader_begin(&reader, spool.folder_fd, first, last);
    follow_all(&spool, &reader, out);
    out->last_seq = spool.head.seq;
    out->head = spool.head.hash;
    out->problem = reader.problem;
    out->problem_segment = reader.segment;
    out->problem_offset = reader.offset;
    gl_spool_close(&spool);
    return 0;
}
