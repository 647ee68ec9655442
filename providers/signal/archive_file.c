/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/signal/archive_part.h"

#include "base/file.h"
#include "base/json.h"
#include "base/sign.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILES_MAX      4096 /* of the folder that are looked at */
#define NAME_MAX_BYTES 160

static const char *const suffixes[] = {
    [GL_ARCHIVE_ISSUES] = ".issues",
    [GL_ARCHIVE_ACTUALS] = ".actuals",
};

size_t gl_archive_record_bytes(enum gl_archive_kind kind)
{
    return kind == GL_ARCHIVE_ISSUES ? GL_ARCHIVE_ISSUE_BYTES : GL_ARCHIVE_ACTUAL_BYTES;
}

/* "neso.GB.": what every name of a source and zone begins with; other bytes than these become _. */
static void name_prefix(const char *provider, const char *zone, char out[NAME_MAX_BYTES])
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    int used = snprintf(out, NAME_MAX_BYTES, "%.32s", provider);

    for (char *c = out; *c != '\0'; c++)
        *c = strchr(plain, *c) != NULL ? *c : '_';
    out[used++] = '.';
    snprintf(out + used, NAME_MAX_BYTES - (size_t)used, "%.48s", zone);
    for (char *c = out + used; *c != '\0'; c++)
        *c = strchr(plain, *c) != NULL ? *c : '_';
    used = (int)strlen(out);
    snprintf(out + used, NAME_MAX_BYTES - (size_t)used, ".");
}

char *gl_archive_path(const struct gl_archive_key *key, enum gl_archive_kind kind)
{
    const struct gl_meaning *meaning = key->meaning;
    GL_AUTO(gl_str_done) struct gl_str identity = {0};
    char prefix[NAME_MAX_BYTES], name[NAME_MAX_BYTES + 32], hex[GL_HASH_HEX];
    struct gl_hash hash;

    gl_str_addf(&identity, "%s\n%s\n%s\n%s %s %s %s %s %s %s %" PRIu32 " %s", key->provider,
                key->dataset, key->zone, gl_quantity_word(meaning->quantity),
                gl_rate_word(meaning->rate), gl_boundary_word(meaning->boundary),
                gl_gases_word(meaning->gases), gl_trace_word(meaning->trace),
                gl_accounting_word(meaning->accounting), gl_matching_word(meaning->matching),
                meaning->share_of, meaning->factor_set);
    gl_hash_of(gl_str_text(&identity), identity.length, &hash);
    name_prefix(key->provider, key->zone, prefix);
    snprintf(name, sizeof name, "%s%.16s%s", prefix, gl_hash_hex(&hash, hex), suffixes[kind]);
    return gl_path_join(key->folder, name);
}

static bool is_of(const struct gl_archive_entry *entry, const struct gl_archive_key *key)
{
    struct gl_error ignored = {0};

    return strcmp(entry->provider, key->provider) == 0 &&
           strcmp(entry->dataset, key->dataset) == 0 && strcmp(entry->zone, key->zone) == 0 &&
           gl_meaning_join(&entry->meaning, key->meaning, &ignored) == 0;
}

/* Read `length` bytes from `at` on, to `out`; fewer are a torn end. */
static int read_part(int fd, char *out, size_t length, off_t at, size_t *out_got,
                     struct gl_error *err)
{
    size_t done = 0;

    while (done < length) {
        ssize_t got = pread(fd, out + done, length - done, at + (off_t)done);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return gl_fail_sys(err, GL_E_IO, errno, "cannot read");
        if (got == 0)
            break;
        done += (size_t)got;
    }
    *out_got = done;
    return 0;
}

/* Header and records; the oldest record and the newest when there are more than `most`. */
static int read_records(int fd, enum gl_archive_kind kind, size_t most,
                        struct gl_archive_records *out, struct gl_error *err)
{
    const size_t size = gl_archive_record_bytes(kind);
    size_t count, head = 0, tail = 0;
    struct stat info;

    if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode))
        return gl_fail(err, GL_E_IO, "not a regular file");
    if (info.st_size > GL_ARCHIVE_FILE_BYTES * 2)
        return gl_fail(err, GL_E_TOO_LARGE, "larger than a file of the archive gets");
    count =
        info.st_size > GL_ARCHIVE_HEADER ? ((size_t)info.st_size - GL_ARCHIVE_HEADER) / size : 0;
    if (most < count)
        out->before = count - most;
    count -= out->before;
    out->bytes = gl_alloc(GL_ARCHIVE_HEADER + (count + 1) * size);
    if (read_part(fd, out->bytes, GL_ARCHIVE_HEADER + (out->before > 0 ? size : 0), 0, &head,
                  err) ||
        read_part(fd, out->bytes + head, count * size,
                  (off_t)(GL_ARCHIVE_HEADER + out->before * size), &tail, err))
        return -1;
    /* Shorter than its header: a first write that was cut off. */
    if (head < GL_ARCHIVE_HEADER)
        return 0;
    out->count = (head + tail - GL_ARCHIVE_HEADER) / size;
    out->first = (const uint8_t *)out->bytes + GL_ARCHIVE_HEADER;
    return 0;
}

int gl_archive_load(const struct gl_archive_key *key, enum gl_archive_kind kind, size_t most,
                    struct gl_archive_records *out, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *path = gl_archive_path(key, kind);
    GL_AUTO(gl_auto_close)
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    struct gl_archive_entry entry;

    *out = (struct gl_archive_records){0};
    if (fd < 0 && errno == ENOENT)
        return 0;
    if (fd < 0)
        return gl_fail_sys(err, GL_E_IO, errno, "the signal archive: cannot open %s", path);
    if (read_records(fd, kind, most, out, err))
        return gl_wrap(err, "the signal archive: %s", path);
    if (out->first != NULL &&
        (!gl_archive_header_read(out->bytes, &entry) || !is_of(&entry, key))) {
        out->count = 0;
        out->first = NULL;
        out->is_foreign = true;
    }
    return 0;
}

static bool is_whole(int fd, off_t at, enum gl_archive_kind kind)
{
    uint8_t bytes[GL_ARCHIVE_ISSUE_BYTES];
    int64_t values_u[GL_ARCHIVE_MAX_HOURS];
    struct gl_archive_issue issue;
    struct gl_archive_actual actual;
    size_t size = gl_archive_record_bytes(kind);

    if (pread(fd, bytes, size, at) != (ssize_t)size)
        return false;
    return kind == GL_ARCHIVE_ISSUES ? gl_archive_issue_decode(bytes, values_u, &issue)
                                     : gl_archive_actual_decode(bytes, &actual);
}

/* Where the last whole record ends; the header's length when there is none, 0 without a header. */
static off_t whole_end(int fd, enum gl_archive_kind kind, off_t length)
{
    const off_t size = (off_t)gl_archive_record_bytes(kind);
    off_t end;

    if (length < GL_ARCHIVE_HEADER)
        return 0;
    end = length - (length - GL_ARCHIVE_HEADER) % size;
    while (end > GL_ARCHIVE_HEADER && !is_whole(fd, end - size, kind))
        end -= size;
    return end;
}

static int write_at_end(int fd, const struct gl_archive_key *key, enum gl_archive_kind kind,
                        const struct gl_str *records, struct gl_error *err)
{
    char header[GL_ARCHIVE_HEADER];
    struct stat info;
    off_t end;

    if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode))
        return gl_fail(err, GL_E_IO, "the file is not a regular one");
    end = whole_end(fd, kind, info.st_size);
    if (end == 0 && gl_archive_header_write(key, header, err))
        return -1;
    if ((end != info.st_size && ftruncate(fd, end) != 0) || lseek(fd, end, SEEK_SET) != end)
        return gl_fail_sys(err, GL_E_IO, errno, "cannot cut a torn end");
    if ((end > 0 || gl_fd_write(fd, header, sizeof header, err) == 0) &&
        gl_fd_write(fd, records->text, records->length, err) == 0)
        return 0;
    /* A full disk: what was there before stays as it was. */
    if (ftruncate(fd, end) != 0)
        return gl_wrap(err, "and the torn end stays for the next writer to cut");
    return -1;
}

int gl_archive_append(const struct gl_archive_key *key, enum gl_archive_kind kind,
                      const struct gl_str *records, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *path = gl_archive_path(key, kind);
    GL_AUTO(gl_auto_close)
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);

    if (fd < 0)
        return gl_fail_sys(err, GL_E_IO, errno, "cannot open %s", path);
    return write_at_end(fd, key, kind, records, err) == 0 ? 0 : gl_wrap(err, "%s", path);
}

int gl_archive_replace(const struct gl_archive_key *key, enum gl_archive_kind kind,
                       const struct gl_str *records, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *path = gl_archive_path(key, kind);
    GL_AUTO(gl_str_done) struct gl_str all = {.ceiling = (size_t)GL_ARCHIVE_FILE_BYTES * 2};
    char header[GL_ARCHIVE_HEADER];

    if (gl_archive_header_write(key, header, err))
        return -1;
    gl_str_add_bytes(&all, header, sizeof header);
    gl_str_add_bytes(&all, records->text, records->length);
    if (all.is_cut)
        return gl_fail(err, GL_E_TOO_LARGE, "%s would be too large", path);
    return gl_file_write(path, all.text, all.length, 0600, err);
}

int64_t gl_archive_folder_bytes(const char *folder)
{
    DIR *dir = opendir(folder);
    const struct dirent *entry;
    struct stat info;
    int64_t bytes = 0;

    if (dir == NULL)
        return 0;
    for (size_t i = 0; i < FILES_MAX && (entry = readdir(dir)) != NULL; i++)
        if (fstatat(dirfd(dir), entry->d_name, &info, AT_SYMLINK_NOFOLLOW) == 0 &&
            S_ISREG(info.st_mode))
            bytes += info.st_size;
    closedir(dir);
    return bytes;
}

/* ---- list ---- */

static bool read_entry(int folder, const char *name, struct gl_archive_entry *out)
{
    GL_AUTO(gl_auto_close)
    int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    char header[GL_ARCHIVE_HEADER];
    struct stat info;

    return fd >= 0 && fstat(fd, &info) == 0 && S_ISREG(info.st_mode) &&
           pread(fd, header, sizeof header, 0) == (ssize_t)sizeof header &&
           gl_archive_header_read(header, out);
}

static bool ends_with(const char *name, const char *suffix)
{
    size_t length = strlen(name), most = strlen(suffix);

    return length > most && strcmp(name + length - most, suffix) == 0;
}

static int compare_entries(const void *left, const void *right)
{
    const struct gl_archive_entry *a = left, *b = right;
    int by_dataset = strcmp(a->dataset, b->dataset);
    const struct gl_meaning *x = &a->meaning, *y = &b->meaning;

    if (by_dataset != 0)
        return by_dataset;
    if (x->quantity != y->quantity)
        return x->quantity < y->quantity ? -1 : 1;
    return memcmp(x, y, sizeof *x);
}

/* A pair has one or two files: the second of them is the same entry again. */
static size_t drop_doubles(struct gl_archive_entry *entries, size_t count)
{
    size_t kept = 0;

    for (size_t i = 0; i < count; i++)
        if (kept == 0 || compare_entries(&entries[kept - 1], &entries[i]) != 0)
            entries[kept++] = entries[i];
    return kept;
}

size_t gl_archive_list(const char *folder, const char *provider, const char *zone,
                       struct gl_archive_entry **out)
{
    DIR *dir = opendir(folder);
    struct gl_archive_entry *entries = NULL, found;
    const struct dirent *file;
    char prefix[NAME_MAX_BYTES];
    size_t count = 0;

    *out = NULL;
    if (dir == NULL)
        return 0;
    name_prefix(provider, zone, prefix);
    for (size_t i = 0; i < FILES_MAX && (file = readdir(dir)) != NULL; i++) {
        if (strncmp(file->d_name, prefix, strlen(prefix)) != 0 ||
            (!ends_with(file->d_name, suffixes[0]) && !ends_with(file->d_name, suffixes[1])) ||
            !read_entry(dirfd(dir), file->d_name, &found) ||
            strcmp(found.provider, provider) != 0 || strcmp(found.zone, zone) != 0)
            continue;
        entries = gl_realloc(entries, (count + 1) * sizeof *entries);
        entries[count++] = found;
    }
    closedir(dir);
    if (count > 1)
        qsort(entries, count, sizeof *entries, compare_entries);
    *out = entries;
    return drop_doubles(entries, count);
}
