/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/signal/cache.h"

#include "base/file.h"
#include "base/json.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BODY_CEILING   ((size_t)8 << 20)
#define HEADER_CEILING ((size_t)8 << 10)
#define FILES_MAX      20000 /* looked at when the folder is cleaned */
#define ANSWER_SUFFIX  ".answer"
#define LATEST_SUFFIX  ".latest"

/* "<SHA-256 of a, space, b><suffix>" */
static void name_of(const char *a, const char *b, const char *suffix, char out[80])
{
    GL_AUTO(gl_str_done) struct gl_str text = {0};
    struct gl_hash hash;
    char hex[GL_HASH_HEX];

    gl_str_addf(&text, "%s %s", a, b);
    gl_hash_of(gl_str_text(&text), text.length, &hash);
    snprintf(out, 80, "%s%s", gl_hash_hex(&hash, hex), suffix);
}

bool gl_cache_is_empty(const char *folder)
{
    DIR *opened = folder != NULL ? opendir(folder) : NULL;
    const struct dirent *entry = NULL;

    if (opened == NULL)
        return true;
    while ((entry = readdir(opened)) != NULL && entry->d_name[0] == '.')
        continue;
    closedir(opened);
    return entry == NULL;
}

void gl_cached_done(struct gl_cached *cached)
{
    free(cached->body);
    *cached = (struct gl_cached){0};
}

static int read_header(json_t *header, const char *source, const char *url, struct gl_cached *out,
                       struct gl_error *err)
{
    const char *found_source, *found_url, *etag, *modified;

    if (gl_json_string(header, "source", &found_source, err) ||
        gl_json_string(header, "url", &found_url, err) ||
        gl_json_string(header, "etag", &etag, err) ||
        gl_json_string(header, "last_modified", &modified, err) ||
        gl_json_int(header, "retrieved_s", 0, INT64_MAX, &out->retrieved_s, err) ||
        gl_json_int(header, "checked_s", 0, INT64_MAX, &out->checked_s, err))
        return -1;
    if (strcmp(found_source, source) != 0 || (url != NULL && strcmp(found_url, url) != 0))
        return gl_fail(err, GL_E_BAD_REPLY, "another answer");
    snprintf(out->etag, sizeof out->etag, "%s", etag);
    snprintf(out->last_modified, sizeof out->last_modified, "%s", modified);
    return 0;
}

/* Take the next line off *rest; false when there is none within the ceiling. */
static bool next_line(struct gl_view *rest, struct gl_view *out)
{
    size_t most = rest->length < HEADER_CEILING ? rest->length : HEADER_CEILING;
    const char *end = memchr(rest->text, '\n', most);

    if (end == NULL)
        return false;
    *out = (struct gl_view){rest->text, (size_t)(end - rest->text)};
    rest->length -= out->length + 1;
    rest->text = end + 1;
    return true;
}

/* Does the first line hash all that follows? Then *rest is what follows. */
static bool is_whole(struct gl_view *rest)
{
    struct gl_view line;
    struct gl_hash hash;
    char hex[GL_HASH_HEX];

    if (!next_line(rest, &line))
        return false;
    gl_hash_of(rest->text, rest->length, &hash);
    gl_hash_hex(&hash, hex);
    return line.length == GL_HASH_HEX - 1 && memcmp(line.text, hex, line.length) == 0;
}

/* Take a file apart; `url` NULL accepts any. */
static bool take_apart(struct gl_view rest, const char *source, const char *url,
                       struct gl_cached *out)
{
    GL_AUTO(gl_auto_json) json_t *header = NULL;
    struct gl_error ignored = {0};
    struct gl_cached found = {0};
    struct gl_view line;

    if (!is_whole(&rest) || !next_line(&rest, &line))
        return false;
    header = gl_json_parse(line.text, line.length, "cache", &ignored);
    if (header == NULL || read_header(header, source, url, &found, &ignored))
        return false;
    found.length = rest.length;
    found.body = gl_alloc(rest.length + 1);
    memcpy(found.body, rest.text, rest.length);
    *out = found;
    return true;
}

static bool read_answer(const struct gl_cache_key *key, const char *name, const char *url,
                        struct gl_cached *out)
{
    GL_AUTO(gl_auto_free) char *path = gl_path_join(key->folder, name);
    GL_AUTO(gl_auto_free) char *bytes = NULL;
    struct gl_error ignored = {0};
    size_t length;

    if (gl_file_read(path, HEADER_CEILING + BODY_CEILING, &bytes, &length, &ignored))
        return false;
    return take_apart((struct gl_view){bytes, length}, key->source, url, out);
}

bool gl_cache_find(const struct gl_cache_key *key, struct gl_cached *out)
{
    char name[80];

    if (key->folder == NULL)
        return false;
    name_of(key->source, key->url, ANSWER_SUFFIX, name);
    return read_answer(key, name, key->url, out);
}

bool gl_cache_find_latest(const struct gl_cache_key *key, struct gl_cached *out)
{
    GL_AUTO(gl_auto_free) char *path = NULL;
    GL_AUTO(gl_auto_free) char *text = NULL;
    struct gl_error ignored = {0};
    struct gl_hash hash;
    char name[80];
    size_t length;

    if (key->folder == NULL)
        return false;
    name_of(key->source, key->slot, LATEST_SUFFIX, name);
    path = gl_path_join(key->folder, name);
    if (gl_file_read(path, GL_HASH_HEX, &text, &length, &ignored) ||
        gl_hex_parse(text, hash.bytes, sizeof hash.bytes, &ignored))
        return false;
    snprintf(name, sizeof name, "%s" ANSWER_SUFFIX, text);
    return read_answer(key, name, NULL, out);
}

/* Header line and body, under the line that hashes them. */
static void write_answer(const struct gl_cache_key *key, const struct gl_cached *cached,
                         struct gl_str *out)
{
    GL_AUTO(gl_str_done) struct gl_str rest = {0};
    json_t *header =
        json_pack("{s:s,s:s,s:s,s:s,s:I,s:I}", "source", key->source, "url", key->url, "etag",
                  cached->etag, "last_modified", cached->last_modified, "retrieved_s",
                  (json_int_t)cached->retrieved_s, "checked_s", (json_int_t)cached->checked_s);
    char *text = json_dumps(header, JSON_SORT_KEYS | JSON_COMPACT | JSON_ENSURE_ASCII);
    struct gl_hash hash;
    char hex[GL_HASH_HEX];

    gl_str_add(&rest, text != NULL ? text : ""); /* not UTF-8: no header, no answer */
    gl_str_add_char(&rest, '\n');
    gl_str_add_bytes(&rest, cached->body, cached->length);
    gl_hash_of(gl_str_text(&rest), rest.length, &hash);
    gl_str_addf(out, "%s\n", gl_hash_hex(&hash, hex));
    gl_str_add_bytes(out, gl_str_text(&rest), rest.length);
    free(text);
    json_decref(header);
}

/* One file of the cache. */
struct kept {
    char name[80];
    int64_t bytes;
    struct timespec changed;
};

static int compare_age(const void *left, const void *right)
{
    const struct kept *a = left, *b = right;

    if (a->changed.tv_sec != b->changed.tv_sec)
        return a->changed.tv_sec < b->changed.tv_sec ? -1 : 1;
    if (a->changed.tv_nsec != b->changed.tv_nsec)
        return a->changed.tv_nsec < b->changed.tv_nsec ? -1 : 1;
    return strcmp(a->name, b->name);
}

static bool has_suffix(const char *name, const char *suffix)
{
    size_t length = strlen(name);

    return length == GL_HASH_HEX - 1 + strlen(suffix) &&
           strcmp(name + GL_HASH_HEX - 1, suffix) == 0;
}

/* Our files in the folder; *out is fresh. */
static size_t list_kept(DIR *dir, struct kept **out)
{
    size_t count = 0, capacity = 64;
    const struct dirent *entry;
    struct stat info;

    *out = gl_alloc(capacity * sizeof **out);
    while (count < FILES_MAX && (entry = readdir(dir)) != NULL) {
        if (!has_suffix(entry->d_name, ANSWER_SUFFIX) && !has_suffix(entry->d_name, LATEST_SUFFIX))
            continue;
        if (fstatat(dirfd(dir), entry->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0)
            continue;
        if (count == capacity)
            *out = gl_realloc(*out, (capacity *= 2) * sizeof **out);
        snprintf((*out)[count].name, sizeof(*out)[count].name, "%.79s", entry->d_name);
        (*out)[count].bytes = info.st_size;
        (*out)[count++].changed = info.st_mtim;
    }
    return count;
}

static void remove_oldest(const char *folder, int64_t max_bytes)
{
    DIR *dir = opendir(folder);
    struct kept *kept;
    int64_t bytes = 0;
    size_t count;

    if (dir == NULL)
        return;
    count = list_kept(dir, &kept);
    for (size_t i = 0; i < count; i++)
        bytes += kept[i].bytes;
    if (bytes > max_bytes)
        qsort(kept, count, sizeof *kept, compare_age);
    for (size_t i = 0; i < count && bytes > max_bytes; i++) {
        unlinkat(dirfd(dir), kept[i].name, 0);
        bytes -= kept[i].bytes;
    }
    free(kept);
    closedir(dir);
}

int gl_cache_keep(const struct gl_cache_key *key, const struct gl_cached *cached, int64_t max_bytes,
                  struct gl_error *err)
{
    GL_AUTO(gl_str_done) struct gl_str text = {0};
    GL_AUTO(gl_auto_free) char *answer = NULL;
    GL_AUTO(gl_auto_free) char *latest = NULL;
    char answer_name[80], latest_name[80];

    if (key->folder == NULL || cached->length > BODY_CEILING)
        return 0;
    name_of(key->source, key->url, ANSWER_SUFFIX, answer_name);
    name_of(key->source, key->slot, LATEST_SUFFIX, latest_name);
    answer = gl_path_join(key->folder, answer_name);
    latest = gl_path_join(key->folder, latest_name);
    write_answer(key, cached, &text);
    if (gl_dir_make(key->folder, err) ||
        gl_file_write(answer, gl_str_text(&text), text.length, 0600, err) ||
        gl_file_write(latest, answer_name, GL_HASH_HEX - 1, 0600, err))
        return gl_wrap(err, "the signal cache");
    remove_oldest(key->folder, max_bytes);
    return 0;
}
