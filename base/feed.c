/* SPDX-License-Identifier: Apache-2.0 */
#include "base/feed.h"

#include "base/sign.h"
#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#define NAME_MAX_BYTES 256
#define GZIP_WINDOW    (15 + 16) /* zlib.h, inflateInit2(): largest window, gzip header only */

/* What may stand before a document and says how it is written. */
enum coat { COAT_NONE, COAT_GZIP, COAT_UTF8, COAT_UTF16LE, COAT_UTF16BE };

struct mark {
    enum coat coat;
    size_t length;
    uint8_t bytes[3];
};

static const struct mark outer_marks[] = {{COAT_GZIP, 2, {0x1f, 0x8b}}};
static const struct mark inner_marks[] = {{COAT_UTF8, 3, {0xef, 0xbb, 0xbf}},
                                          {COAT_UTF16LE, 2, {0xff, 0xfe}},
                                          {COAT_UTF16BE, 2, {0xfe, 0xff}}};
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* One stage of the way from the input to the reader: what it has made and nobody has taken yet. */
struct stage {
    char *buffer; /* of GL_FEED_BUFFER bytes; NULL until needed */
    const char *bytes;
    size_t length;
    bool is_over; /* nothing comes after these bytes */
};

struct gl_feed {
    char name[NAME_MAX_BYTES];
    int fd; /* -1: memory */
    bool is_ours;
    struct gl_view memory; /* all of it, for the digest */
    struct gl_hasher hasher;
    bool has_no_digest;
    uint64_t raw_bytes, made_bytes, max_bytes;
    struct stage raw, plain, text;
    bool is_begun, is_gzip, in_member;
    z_stream *inflater;
    enum coat inner;
    uint16_t high; /* of a surrogate pair; 0 = none waits */
    uint8_t odd;   /* first byte of a unit */
    bool has_odd;  /* `odd` waits for the other */
};

/* ---- opening ---- */

static struct gl_feed *make(int fd, const char *name)
{
    struct gl_feed *feed = gl_alloc(sizeof *feed);

    feed->fd = fd;
    feed->max_bytes = GL_FEED_MAX_BYTES;
    feed->raw.bytes = feed->plain.bytes = feed->text.bytes = "";
    snprintf(feed->name, sizeof feed->name, "%s", name);
    gl_hasher_init(&feed->hasher);
    return feed;
}

/* Files, and pipes as in <(command); a device would never end. */
static int open_path(const char *path, const char *name, struct gl_error *err)
{
    struct stat info;
    int fd;

    if (strcmp(path, "-") == 0)
        fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
    else if (stat(path, &info) == 0 && !S_ISREG(info.st_mode) && !S_ISFIFO(info.st_mode))
        return gl_fail(err, GL_E_IO, "%s is neither a file nor a pipe", name);
    else
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    return fd >= 0 ? fd : gl_fail_sys(err, GL_E_IO, errno, "cannot open %s", name);
}

struct gl_feed *gl_feed_open(const char *path, const char *name, struct gl_error *err)
{
    int fd = open_path(path, name, err);
    struct gl_feed *feed;

    if (fd < 0)
        return NULL;
    feed = make(fd, name);
    feed->is_ours = true;
    return feed;
}

struct gl_feed *gl_feed_of_fd(int fd, const char *name)
{
    return make(fd, name);
}

struct gl_feed *gl_feed_of_bytes(const void *bytes, size_t length, const char *name)
{
    struct gl_feed *feed = make(-1, name);

    feed->memory = (struct gl_view){length > 0 ? bytes : "", length};
    return feed;
}

void gl_feed_limit(struct gl_feed *feed, uint64_t max_bytes)
{
    feed->max_bytes = max_bytes;
}

void gl_feed_skip_digest(struct gl_feed *feed)
{
    feed->has_no_digest = true;
}

void gl_feed_close(struct gl_feed *feed)
{
    if (feed == NULL)
        return;
    if (feed->inflater != NULL)
        inflateEnd(feed->inflater);
    free(feed->inflater);
    free(feed->raw.buffer);
    free(feed->plain.buffer);
    free(feed->text.buffer);
    if (feed->is_ours)
        close(feed->fd);
    free(feed);
}

/* ---- stages: room at the end of what is there, and taking from the front ---- */

/* What is left goes to the front of the buffer; the room behind it. */
static char *room_of(struct stage *stage, size_t *out_room)
{
    if (stage->buffer == NULL)
        stage->buffer = gl_alloc(GL_FEED_BUFFER);
    if (stage->length > 0)
        memmove(stage->buffer, stage->bytes, stage->length);
    stage->bytes = stage->buffer;
    *out_room = GL_FEED_BUFFER - stage->length;
    return stage->buffer + stage->length;
}

static void drop(struct stage *stage, size_t length)
{
    stage->bytes += length;
    stage->length -= length;
}

/* ---- bytes as they come ---- */

static ssize_t read_some(int fd, char *buffer, size_t room)
{
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    ssize_t got;

    for (;;) {
        got = read(fd, buffer, room);
        if (got >= 0 || errno != EAGAIN || poll(&wait, 1, -1) < 0)
            return got;
    }
}

/* An input that makes nothing, as empty gzip members do, must end as well; UTF-16 halves. */
static bool is_endless(const struct gl_feed *feed)
{
    return feed->raw_bytes / 2 > feed->max_bytes + GL_FEED_BUFFER;
}

static int fail_large(const struct gl_feed *feed, struct gl_error *err)
{
    return gl_fail(err, GL_E_TOO_LARGE, "%s is larger than %llu bytes", feed->name,
                   (unsigned long long)feed->max_bytes);
}

/* From the descriptor into `to`; *out_got 0 at the end. */
static int read_raw(struct gl_feed *feed, char *to, size_t room, size_t *out_got,
                    struct gl_error *err)
{
    ssize_t got = read_some(feed->fd, to, room);

    if (got < 0)
        return gl_fail_sys(err, errno == EINTR ? GL_E_INTERRUPTED : GL_E_IO, errno,
                           "cannot read %s", feed->name);
    if (!feed->has_no_digest)
        gl_hasher_add(&feed->hasher, to, (size_t)got);
    feed->raw_bytes += (size_t)got;
    feed->raw.is_over = got == 0;
    *out_got = (size_t)got;
    return is_endless(feed) ? fail_large(feed, err) : 0;
}

/* Something more in `raw`, or is_over. */
static int fill_raw(struct gl_feed *feed, struct gl_error *err)
{
    size_t room, got;
    char *to;

    if (feed->fd < 0) {
        feed->raw.bytes = feed->memory.text;
        feed->raw.length = feed->memory.length;
        feed->raw.is_over = true;
        feed->raw_bytes = feed->memory.length;
        return 0;
    }
    to = room_of(&feed->raw, &room);
    if (read_raw(feed, to, room, &got, err) != 0)
        return -1;
    feed->raw.length += got;
    return 0;
}

/* ---- gzip ---- */

static int fail_gzip(const struct gl_feed *feed, const char *what, struct gl_error *err)
{
    return gl_fail(err, GL_E_SYNTAX, "%s: %s", feed->name, what);
}

static void start_inflater(struct gl_feed *feed)
{
    feed->inflater = gl_alloc(sizeof *feed->inflater);
    /* Fails for lack of memory only: the arguments are constants. */
    if (inflateInit2(feed->inflater, GZIP_WINDOW) != Z_OK)
        gl_die_of_memory();
}

/* Inflate some of `raw` into `to`: one call of zlib. */
static int inflate_some(struct gl_feed *feed, char *to, size_t room, struct gl_error *err)
{
    z_stream *stream = feed->inflater;
    size_t given = feed->raw.length < GL_FEED_MAX_BYTES ? feed->raw.length : GL_FEED_MAX_BYTES;
    int rc;

    stream->next_in = (z_const Bytef *)(uintptr_t)feed->raw.bytes; /* zlib reads it only */
    stream->avail_in = (uInt)given;
    stream->next_out = (Bytef *)to;
    stream->avail_out = (uInt)room;
    rc = inflate(stream, Z_NO_FLUSH);
    if (rc == Z_MEM_ERROR)
        gl_die_of_memory();
    if (rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR)
        return fail_gzip(feed, "the gzip data is damaged", err);
    drop(&feed->raw, given - stream->avail_in);
    feed->plain.length += room - stream->avail_out;
    if (rc == Z_STREAM_END) {
        feed->in_member = false;
        inflateReset(stream);
    }
    return 0;
}

/* Something more in `plain`, or is_over. RFC 1952 section 2.2: members follow each other. */
static int fill_plain(struct gl_feed *feed, struct gl_error *err)
{
    size_t room, before = feed->plain.length;
    char *to = room_of(&feed->plain, &room);

    while (feed->plain.length == before && !feed->plain.is_over) {
        if (feed->raw.length == 0 && !feed->raw.is_over && fill_raw(feed, err) != 0)
            return -1;
        if (feed->raw.length > 0) {
            feed->in_member = true;
            if (inflate_some(feed, to, room, err) != 0)
                return -1;
        } else if (feed->raw.is_over) {
            feed->plain.is_over = true;
            if (feed->in_member)
                return fail_gzip(feed, "the gzip data ends too early", err);
        }
    }
    return 0;
}

/* ---- UTF-16 ---- */

static int fail_utf16(const struct gl_feed *feed, struct gl_error *err)
{
    return gl_fail(err, GL_E_SYNTAX, "%s: half a character of UTF-16", feed->name);
}

/* One unit; how many bytes it made, or -1 when it does not pair. */
static int put_unit(struct gl_feed *feed, uint16_t unit, char *to)
{
    bool is_high = unit >= 0xd800 && unit < 0xdc00, is_low = unit >= 0xdc00 && unit < 0xe000;
    uint32_t code = unit;

    if (is_low != (feed->high != 0))
        return -1;
    if (is_low)
        code = 0x10000 + ((uint32_t)(feed->high - 0xd800) << 10) + (unit - 0xdc00u);
    feed->high = is_high ? unit : 0;
    return is_high ? 0 : (int)gl_utf8_put(code, to);
}

static uint16_t unit_of(const struct gl_feed *feed, uint8_t first, uint8_t second)
{
    return (uint16_t)(feed->inner == COAT_UTF16LE ? second << 8 | first : first << 8 | second);
}

/* Turn as much of `from` into `text`, which is empty, as there is room for. */
static int convert(struct gl_feed *feed, struct stage *from, struct gl_error *err)
{
    size_t room, used = 0;
    char *to = room_of(&feed->text, &room);

    while (used < from->length && feed->text.length + 4 <= room) {
        uint8_t byte = (uint8_t)from->bytes[used++];
        int made;

        if (!feed->has_odd) {
            feed->odd = byte;
            feed->has_odd = true;
            continue;
        }
        feed->has_odd = false;
        made = put_unit(feed, unit_of(feed, feed->odd, byte), to + feed->text.length);
        if (made < 0)
            return fail_utf16(feed, err);
        feed->text.length += (size_t)made;
    }
    drop(from, used);
    return 0;
}

/* ---- the way as a whole ---- */

static struct stage *decoded(struct gl_feed *feed)
{
    return feed->is_gzip ? &feed->plain : &feed->raw;
}

static int fill_decoded(struct gl_feed *feed, struct gl_error *err)
{
    return feed->is_gzip ? fill_plain(feed, err) : fill_raw(feed, err);
}

/* The mark that these bytes begin with; *out_is_open: more bytes may make it one. */
static const struct mark *mark_of(const struct mark *marks, size_t count, const struct stage *stage,
                                  bool *out_is_open)
{
    *out_is_open = false;
    for (size_t i = 0; i < count; i++) {
        size_t shared = stage->length < marks[i].length ? stage->length : marks[i].length;

        if (shared > 0 && memcmp(stage->bytes, marks[i].bytes, shared) != 0)
            continue;
        if (shared == marks[i].length)
            return &marks[i];
        *out_is_open = true;
    }
    return NULL;
}

/* The coat that the first decoded bytes tell of, COAT_NONE when there is none; read until sure. */
static int find_coat(struct gl_feed *feed, const struct mark *marks, size_t count,
                     enum coat *out_coat, struct gl_error *err)
{
    struct stage *stage = decoded(feed);
    const struct mark *mark;
    bool is_open;

    for (;;) {
        mark = mark_of(marks, count, stage, &is_open);
        if (mark != NULL || !is_open || stage->is_over)
            break;
        if (fill_decoded(feed, err) != 0)
            return -1;
    }
    *out_coat = mark != NULL ? mark->coat : COAT_NONE;
    if (mark != NULL && mark->coat != COAT_GZIP)
        drop(stage, mark->length);
    return 0;
}

static int begin(struct gl_feed *feed, struct gl_error *err)
{
    enum coat outer;

    feed->is_begun = true;
    if (find_coat(feed, outer_marks, COUNT(outer_marks), &outer, err) != 0)
        return -1;
    if (outer == COAT_GZIP) {
        start_inflater(feed);
        feed->is_gzip = true;
    }
    return find_coat(feed, inner_marks, COUNT(inner_marks), &feed->inner, err);
}

static bool is_utf16(const struct gl_feed *feed)
{
    return feed->inner == COAT_UTF16LE || feed->inner == COAT_UTF16BE;
}

/* The next stretch of UTF-8 in *out, a stage; empty at the end. */
static int advance(struct gl_feed *feed, struct stage **out, struct gl_error *err)
{
    struct stage *stage = decoded(feed);

    *out = is_utf16(feed) ? &feed->text : stage;
    while ((*out)->length == 0) {
        if (stage->length == 0 && !stage->is_over && fill_decoded(feed, err) != 0)
            return -1;
        if (stage->length == 0 && stage->is_over)
            return feed->has_odd || feed->high != 0 ? fail_utf16(feed, err) : 0;
        if (is_utf16(feed) && convert(feed, stage, err) != 0)
            return -1;
    }
    return 0;
}

/* One more piece for the reader is within the ceiling. */
static int count_made(struct gl_feed *feed, size_t length, struct gl_error *err)
{
    feed->made_bytes += length;
    return feed->made_bytes > feed->max_bytes ? fail_large(feed, err) : 0;
}

/* What comes next, without taking it. */
static int find_next(struct gl_feed *feed, struct stage **out, struct gl_error *err)
{
    if (!feed->is_begun && begin(feed, err) != 0)
        return -1;
    return advance(feed, out, err);
}

int gl_feed_next(struct gl_feed *feed, const char **out_bytes, size_t *out_length,
                 struct gl_error *err)
{
    struct stage *stage;

    if (find_next(feed, &stage, err) != 0 || count_made(feed, stage->length, err) != 0)
        return -1;
    *out_bytes = stage->bytes;
    *out_length = stage->length;
    drop(stage, stage->length);
    return 0;
}

/* Are the bytes of the descriptor those of the document, and none of them waiting? */
static bool is_bare(const struct gl_feed *feed)
{
    return feed->is_begun && feed->fd >= 0 && !feed->is_gzip && !is_utf16(feed) &&
           feed->raw.length == 0 && !feed->raw.is_over;
}

int gl_feed_read(struct gl_feed *feed, char *to, size_t room, size_t *out_length,
                 struct gl_error *err)
{
    struct stage *stage;
    size_t length;

    if (is_bare(feed)) {
        if (read_raw(feed, to, room, &length, err) != 0)
            return -1;
    } else {
        if (find_next(feed, &stage, err) != 0)
            return -1;
        length = stage->length < room ? stage->length : room;
        if (length > 0)
            memcpy(to, stage->bytes, length);
        drop(stage, length);
    }
    if (count_made(feed, length, err) != 0)
        return -1;
    *out_length = length;
    return 0;
}

/* ---- what is known of it ---- */

const char *gl_feed_name(const struct gl_feed *feed)
{
    return feed->name;
}

uint64_t gl_feed_raw_bytes(const struct gl_feed *feed)
{
    return feed->raw_bytes;
}

void gl_feed_digest(const struct gl_feed *feed, uint8_t out[32])
{
    struct gl_hasher hasher = feed->hasher;
    struct gl_hash hash = {{0}};

    if (feed->fd < 0 && !feed->has_no_digest)
        gl_hash_of(feed->memory.text, feed->memory.length, &hash);
    else if (!feed->has_no_digest)
        gl_hasher_end(&hasher, &hash);
    memcpy(out, hash.bytes, sizeof hash.bytes);
}

const char *gl_feed_coating(const struct gl_feed *feed)
{
    static const char *const names[][2] = {
        [COAT_NONE] = {"", "gzip"},
        [COAT_GZIP] = {"", "gzip"},
        [COAT_UTF8] = {"", "gzip"},
        [COAT_UTF16LE] = {"UTF-16LE", "gzip, UTF-16LE"},
        [COAT_UTF16BE] = {"UTF-16BE", "gzip, UTF-16BE"},
    };

    return names[feed->inner][feed->is_gzip];
}
