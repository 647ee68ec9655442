/* SPDX-License-Identifier: Apache-2.0 */
#include "base/zoneinfo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"

#define FOLDER       "/usr/share/zoneinfo"
#define HEADER_BYTES 44
#define TYPE_BYTES   6
#define MAX_TYPES    256
#define OFFSET_MIN_S (-89999) /* RFC 8536, 3.2 */
#define OFFSET_MAX_S 93599
#define FOOTER_MAX   256
#define WIDEST_S     ((int64_t)OFFSET_MAX_S + 1)

const struct gl_zone gl_zone_utc = {.name = "UTC"};

/* ---- reading ---- */

/* What is left of the file. */
struct cursor {
    const uint8_t *bytes;
    size_t left;
    const char *name;
};

/* The counts of one header, in the order of the file. */
struct counts {
    uint32_t is_ut, is_std, leap, time, type, letters;
};

static int bad(const struct cursor *cursor, const char *what, struct gl_error *err)
{
    return gl_fail(err, GL_E_BAD_VALUE, "time zone %s: %s", cursor->name, what);
}

static int64_t big_endian(const uint8_t *bytes, size_t width)
{
    uint64_t value = (bytes[0] & 0x80) != 0 && width < 8 ? UINT64_MAX : 0;

    for (size_t i = 0; i < width; i++)
        value = value << 8 | bytes[i];
    return (int64_t)value;
}

static const uint8_t *take(struct cursor *cursor, size_t length)
{
    const uint8_t *at = cursor->bytes;

    if (length > cursor->left)
        return NULL;
    cursor->bytes += length;
    cursor->left -= length;
    return at;
}

static int read_header(struct cursor *cursor, char *out_version, struct counts *out,
                       struct gl_error *err)
{
    const uint8_t *at = take(cursor, HEADER_BYTES);
    uint32_t *const fields[] = {&out->is_ut, &out->is_std, &out->leap,
                                &out->time,  &out->type,   &out->letters};

    if (at == NULL || memcmp(at, "TZif", 4) != 0)
        return bad(cursor, "no TZif file", err);
    *out_version = (char)at[4];
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        *fields[i] = (uint32_t)big_endian(at + 20 + 4 * i, 4);
    if (out->time > GL_ZONE_MAX_TIMES || out->type > MAX_TYPES ||
        out->letters > GL_ZONE_MAX_BYTES || out->leap > GL_ZONE_MAX_TIMES ||
        out->is_ut > MAX_TYPES || out->is_std > MAX_TYPES)
        return bad(cursor, "more than any zone has", err);
    return 0;
}

static size_t block_bytes(const struct counts *counts, size_t time_bytes)
{
    return counts->time * (time_bytes + 1) + counts->type * (size_t)TYPE_BYTES + counts->letters +
           counts->leap * (time_bytes + 4) + counts->is_std + counts->is_ut;
}

static int read_changes(struct cursor *cursor, const struct counts *counts, size_t time_bytes,
                        struct gl_zone *zone, struct gl_error *err)
{
    const uint8_t *times = take(cursor, block_bytes(counts, time_bytes));
    const uint8_t *indexes, *types;

    if (times == NULL || counts->type == 0)
        return bad(cursor, "it ends too early", err);
    if (counts->leap > 0)
        return bad(cursor, "it counts leap seconds; use the zone of that name without \"right/\"",
                   err);
    indexes = times + counts->time * time_bytes;
    types = indexes + counts->time;
    zone->count = counts->time;
    zone->at_s = gl_alloc(counts->time * sizeof *zone->at_s);
    zone->offset_s = gl_alloc(counts->time * sizeof *zone->offset_s);
    for (size_t i = 0; i < counts->type; i++) {
        int64_t offset = big_endian(types + i * TYPE_BYTES, 4);

        if (offset < OFFSET_MIN_S || offset > OFFSET_MAX_S)
            return bad(cursor, "an offset of more than a day", err);
    }
    zone->first_s = (int32_t)big_endian(types, 4);
    for (size_t i = 0; i < counts->time; i++) {
        zone->at_s[i] = big_endian(times + i * time_bytes, time_bytes);
        if (indexes[i] >= counts->type || (i > 0 && zone->at_s[i] <= zone->at_s[i - 1]))
            return bad(cursor, "its changes are out of order", err);
        zone->offset_s[i] = (int32_t)big_endian(types + indexes[i] * (size_t)TYPE_BYTES, 4);
    }
    return 0;
}

/* The rule between two line ends; an empty one says nothing. */
static int read_footer(struct cursor *cursor, struct gl_zone *zone, struct gl_error *err)
{
    const uint8_t *end =
        cursor->left > 1 ? memchr(cursor->bytes + 1, '\n', cursor->left - 1) : NULL;
    char text[FOOTER_MAX];
    size_t length;

    if (end == NULL || cursor->bytes[0] != '\n')
        return bad(cursor, "no rule at its end", err);
    length = (size_t)(end - cursor->bytes) - 1;
    if (length >= sizeof text || memchr(cursor->bytes + 1, '\0', length) != NULL)
        return bad(cursor, "a bad rule at its end", err);
    memcpy(text, cursor->bytes + 1, length);
    text[length] = '\0';
    if (length > 0 && gl_zone_rule_read(text, &zone->rule, err) != 0)
        return gl_wrap(err, "time zone %s", cursor->name);
    return 0;
}

static int read_all(struct cursor *cursor, struct gl_zone *zone, struct gl_error *err)
{
    struct counts counts;
    char version;

    if (read_header(cursor, &version, &counts, err) != 0)
        return -1;
    if (version == '\0')
        return read_changes(cursor, &counts, 4, zone, err);
    if (version < '2' || version > '4')
        return bad(cursor, "a version of TZif that is not known", err);
    if (take(cursor, block_bytes(&counts, 4)) == NULL)
        return bad(cursor, "it ends too early", err);
    if (read_header(cursor, &version, &counts, err) != 0 ||
        read_changes(cursor, &counts, 8, zone, err) != 0)
        return -1;
    return read_footer(cursor, zone, err);
}

int gl_zone_read(const void *bytes, size_t length, const char *name, struct gl_zone *out,
                 struct gl_error *err)
{
    struct cursor cursor = {bytes, length, name};
    struct gl_zone zone = {0};

    if (length > GL_ZONE_MAX_BYTES)
        return gl_fail(err, GL_E_TOO_LARGE, "time zone %s: more than %zu bytes", name,
                       GL_ZONE_MAX_BYTES);
    snprintf(zone.name, sizeof zone.name, "%s", name);
    if (read_all(&cursor, &zone, err) != 0) {
        gl_zone_done(&zone);
        return -1;
    }
    *out = zone;
    return 0;
}

static bool is_name(const char *name)
{
    size_t length = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                                 "/_+-");

    return length > 0 && length < GL_ZONE_NAME && name[length] == '\0' && name[0] != '/' &&
           name[length - 1] != '/' && strstr(name, "//") == NULL;
}

int gl_zone_load(const char *name, const char *folder, struct gl_zone *out, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *path = NULL;
    GL_AUTO(gl_auto_free) char *bytes = NULL;
    struct gl_error why = {0};
    size_t length;

    if (strcmp(name, gl_zone_utc.name) == 0) {
        *out = gl_zone_utc;
        return 0;
    }
    if (!is_name(name))
        return gl_fail(err, GL_E_UNKNOWN_NAME,
                       "\"%.40s\" is no time zone; write one as in Europe/Berlin, or UTC", name);
    path = gl_path_join(folder != NULL ? folder : FOLDER, name);
    if (gl_file_read(path, GL_ZONE_MAX_BYTES, &bytes, &length, &why) != 0)
        return gl_fail(err, GL_E_UNKNOWN_NAME,
                       "no time zone \"%s\" on this machine (%s); UTC is always known", name,
                       why.text);
    return gl_zone_read(bytes, length, name, out, err);
}

void gl_zone_done(struct gl_zone *zone)
{
    free(zone->at_s);
    free(zone->offset_s);
    *zone = (struct gl_zone){0};
}

/* ---- asking ---- */

/* How many changes had happened by then. */
static size_t changes_until(const struct gl_zone *zone, int64_t at_s)
{
    size_t low = 0, high = zone->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (zone->at_s[middle] <= at_s)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

int32_t gl_zone_offset(const struct gl_zone *zone, int64_t at_s)
{
    size_t past = changes_until(zone, at_s);

    if (past == zone->count && zone->rule.is_there)
        return gl_zone_rule_offset(&zone->rule, at_s);
    return past > 0 ? zone->offset_s[past - 1] : zone->first_s;
}

int64_t gl_zone_next(const struct gl_zone *zone, int64_t at_s)
{
    size_t past = changes_until(zone, at_s);

    if (past < zone->count)
        return zone->at_s[past];
    return zone->rule.is_there ? gl_zone_rule_next(&zone->rule, at_s) : INT64_MAX;
}

/* From stretch to stretch of one offset. */
int64_t gl_zone_of_local(const struct gl_zone *zone, int64_t local_s)
{
    int64_t from_s = local_s - WIDEST_S;

    for (;;) {
        int64_t until_s = gl_zone_next(zone, from_s);
        int64_t at_s = local_s - gl_zone_offset(zone, from_s);

        if (at_s < from_s)
            at_s = from_s;
        if (at_s < until_s)
            return at_s;
        from_s = until_s;
    }
}
