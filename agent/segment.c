/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/segment.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

uint32_t gl_crc32c(const void *bytes, size_t length)
{
    /* four bits at a time: sixteen words of table, fast enough for a record a second */
    static const uint32_t table[16] = {
        0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3,
        0x61c69362, 0x7198540d, 0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
        0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
    };
    const uint8_t *in = bytes;
    uint32_t crc = 0xffffffff;

    for (size_t i = 0; i < length; i++) {
        crc ^= in[i];
        crc = crc >> 4 ^ table[crc & 15];
        crc = crc >> 4 ^ table[crc & 15];
    }
    return ~crc;
}

static void put_u32(char *out, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        out[i] = (char)(value >> 8 * i & 0xff);
}

static uint32_t get_u32(const char *in)
{
    uint32_t value = 0;

    for (int i = 3; i >= 0; i--)
        value = value << 8 | (uint8_t)in[i];
    return value;
}

/* The length counts the bytes, the checksum covers type and bytes. */
size_t gl_chunk_write(enum gl_chunk type, const void *bytes, size_t length, char out[GL_CHUNK_MAX])
{
    out[8] = (char)type;
    memcpy(out + GL_CHUNK_HEADER, bytes, length);
    put_u32(out, (uint32_t)length);
    put_u32(out + 4, gl_crc32c(out + 8, length + 1));
    return GL_CHUNK_HEADER + length;
}

size_t gl_chunk_write_number(enum gl_chunk type, uint64_t number, char out[GL_CHUNK_MAX])
{
    char bytes[8];

    put_u32(bytes, (uint32_t)number);
    put_u32(bytes + 4, (uint32_t)(number >> 32));
    return gl_chunk_write(type, bytes, sizeof bytes, out);
}

bool gl_chunk_number(const struct gl_chunk_reader *reader, uint64_t *out)
{
    if (reader->length != 8)
        return false;
    *out = (uint64_t)get_u32(reader->bytes + 4) << 32 | get_u32(reader->bytes);
    return true;
}

/* ---- segment files ---- */

char *gl_segment_name(uint32_t segment, char out[GL_SEGMENT_NAME])
{
    snprintf(out, GL_SEGMENT_NAME, "%08" PRIu32 ".seg", segment % 100000000);
    return out;
}

static bool segment_of_name(const char *name, uint32_t *out)
{
    if (strspn(name, "0123456789") != 8 || strcmp(name + 8, ".seg") != 0)
        return false;
    *out = (uint32_t)strtoul(name, NULL, 10);
    return true;
}

bool gl_segment_range(int folder_fd, uint32_t *out_first, uint32_t *out_last)
{
    int fd = openat(folder_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;
    uint32_t first = UINT32_MAX, last = 0, segment;
    struct dirent *entry;

    if (folder == NULL)
        return false;
    while ((entry = readdir(folder)) != NULL) {
        if (!segment_of_name(entry->d_name, &segment))
            continue;
        first = segment < first ? segment : first;
        last = segment > last ? segment : last;
    }
    closedir(folder);
    if (first == UINT32_MAX)
        return false;
    *out_first = first;
    *out_last = last;
    return true;
}

/* ---- reading ---- */

void gl_chunk_reader_begin(struct gl_chunk_reader *reader, int folder_fd, uint32_t first,
                           uint32_t last)
{
    *reader = (struct gl_chunk_reader){.folder_fd = folder_fd, .segment = first, .last = last};
    reader->fd = -1;
}

void gl_chunk_reader_skip(struct gl_chunk_reader *reader, uint64_t offset)
{
    reader->next = offset;
}

void gl_chunk_reader_end(struct gl_chunk_reader *reader)
{
    if (reader->fd >= 0)
        close(reader->fd);
    reader->fd = -1;
}

static bool stop(struct gl_chunk_reader *reader, const char *problem)
{
    reader->problem = problem;
    return false;
}

/* Read exactly `length` bytes at the place of the chunk; -1 = fewer are there, 0 = none. */
static int read_exactly(const struct gl_chunk_reader *reader, void *out, size_t length, uint64_t at)
{
    ssize_t got;

    do
        got = pread(reader->fd, out, length, (off_t)at);
    while (got < 0 && errno == EINTR);
    if (got == 0)
        return 0;
    return got == (ssize_t)length ? 1 : -1;
}

static bool read_chunk(struct gl_chunk_reader *reader, const char header[GL_CHUNK_HEADER])
{
    char checked[1 + GL_RECORD_MAX];

    reader->length = get_u32(header);
    if (reader->length > GL_RECORD_MAX)
        return stop(reader, "a chunk is too long");
    reader->type = (enum gl_chunk)header[8];
    checked[0] = header[8];
    if (reader->length > 0 &&
        read_exactly(reader, reader->bytes, reader->length, reader->offset + GL_CHUNK_HEADER) <= 0)
        return stop(reader, "a chunk is cut off");
    memcpy(checked + 1, reader->bytes, reader->length);
    if (gl_crc32c(checked, 1 + reader->length) != get_u32(header + 4))
        return stop(reader, "a checksum does not hold");
    reader->next = reader->offset + GL_CHUNK_HEADER + reader->length;
    return true;
}

bool gl_chunk_reader_next(struct gl_chunk_reader *reader)
{
    char header[GL_CHUNK_HEADER], name[GL_SEGMENT_NAME];

    for (;;) {
        int got;

        reader->offset = reader->next;
        if (reader->fd < 0)
            reader->fd = openat(reader->folder_fd, gl_segment_name(reader->segment, name),
                                O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        if (reader->fd < 0)
            return stop(reader, "a segment is missing");
        got = read_exactly(reader, header, sizeof header, reader->offset);
        if (got < 0)
            return stop(reader, "a chunk is cut off");
        if (got > 0)
            return read_chunk(reader, header);
        if (reader->segment == reader->last)
            return false;
        gl_chunk_reader_end(reader);
        reader->segment++;
        reader->next = 0;
    }
}
