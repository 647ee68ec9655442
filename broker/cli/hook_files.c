/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/cli/hook_files.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "broker/cli/hook.h"

#define HEAD_BYTES    ((size_t)16 << 10) /* that recognition looks at */
#define FOLDER_LEVELS 16

/* ---- which reader ---- */

/* The first bytes as a reader sees them: without compression or marks. */
static int read_head(struct gl_feed *feed, struct gl_str *out, struct gl_error *err)
{
    const char *bytes;
    size_t length = 1;

    while (out->length < HEAD_BYTES && length > 0) {
        if (gl_feed_next(feed, &bytes, &length, err) != 0)
            return -1;
        gl_str_add_bytes(out, bytes, length < HEAD_BYTES ? length : HEAD_BYTES);
    }
    return 0;
}

/* NULL in *out: none; *out_why_not then is what a reader says it is instead, or NULL. */
static int find_reader(struct gl_feed *feed, const struct gl_hook_reader **out,
                       const char **out_why_not, struct gl_error *err)
{
    const struct gl_hook_reader *const *readers = gl_hook_readers(), *best = NULL;
    GL_AUTO(gl_str_done) struct gl_str head = {0};
    const char *why_not = NULL;
    int most = 0;

    if (read_head(feed, &head, err) != 0)
        return -1;
    for (size_t i = 0; readers[i] != NULL; i++) {
        const char *why = NULL;
        int score = readers[i]->recognise(gl_str_text(&head), head.length, &why);

        if (score > most)
            best = readers[i];
        most = score > most ? score : most;
        why_not = why_not != NULL ? why_not : why;
    }
    *out = best;
    *out_why_not = why_not;
    return 0;
}

const struct gl_hook_reader *gl_hook_recognise(struct gl_feed *feed, const char *name,
                                               struct gl_error *err)
{
    const struct gl_hook_reader *reader;
    const char *why_not;

    if (find_reader(feed, &reader, &why_not, err) != 0)
        return NULL;
    if (reader == NULL)
        gl_fail(err, GL_E_USAGE, "%s: %s", name,
                why_not != NULL ? why_not : "not a plan that any reader knows");
    return reader;
}

/* ---- which files ---- */

struct gathering {
    struct gl_arena *arena;
    const struct gl_hook_reader *reader; /* NULL: recognised */
    struct gl_hook_files *files;
};

static int add_path(struct gathering *gathering, const char *path, struct gl_error *err)
{
    struct gl_hook_files *files = gathering->files;

    if (files->count == GL_HOOK_FILES_MAX)
        return gl_fail(err, GL_E_USAGE, "more than %d plans", GL_HOOK_FILES_MAX);
    files->items =
        gl_arena_grow(gathering->arena, files->items, files->count, sizeof *files->items);
    files->items[files->count++] = gl_arena_text(gathering->arena, path, strlen(path));
    return 0;
}

static bool ends_with(const char *name, const char *end)
{
    size_t length = strlen(name), tail = strlen(end);

    return length > tail && strcmp(name + length - tail, end) == 0;
}

/* A YAML file may be anything: passed by when no reader knows it. One that a reader knows but
 * cannot take would launch things unseen, so it ends the call. */
static int is_known_yaml(const char *path, bool *out, struct gl_error *err)
{
    const struct gl_hook_reader *reader;
    struct gl_feed *feed = gl_feed_open(path, path, err);
    const char *why_not;
    int result = feed != NULL ? find_reader(feed, &reader, &why_not, err) : -1;

    gl_feed_close(feed);
    if (result != 0)
        return -1;
    if (reader == NULL && why_not != NULL)
        return gl_fail(err, GL_E_USAGE, "%s: %s", path, why_not);
    *out = reader != NULL && reader->has_yaml;
    return 0;
}

static int is_plan(const struct gathering *gathering, const char *path, bool *out,
                   struct gl_error *err)
{
    *out = ends_with(path, ".json");
    if (*out || !(ends_with(path, ".yaml") || ends_with(path, ".yml")))
        return 0;
    if (gathering->reader == NULL)
        return is_known_yaml(path, out, err);
    *out = gathering->reader->has_yaml;
    return 0;
}

/* What CDK writes bears its mark, a file cdk.out: its manifest names the templates in it. */
static char *assembly_manifest(const char *folder)
{
    GL_AUTO(gl_auto_free) char *mark = gl_path_join(folder, "cdk.out");
    struct stat status;

    return lstat(mark, &status) == 0 && S_ISREG(status.st_mode)
               ? gl_path_join(folder, "manifest.json")
               : NULL;
}

static int add_folder(struct gathering *gathering, const char *folder, unsigned levels,
                      struct gl_error *err);

/* A plan that is passed by would launch things unseen. */
static int check_link(const struct gathering *gathering, const char *path, struct gl_error *err)
{
    bool has_yaml = gathering->reader == NULL || gathering->reader->has_yaml;

    if (!ends_with(path, ".json") &&
        !(has_yaml && (ends_with(path, ".yaml") || ends_with(path, ".yml"))))
        return 0;
    return gl_fail(err, GL_E_USAGE,
                   "%s is a link, and links in a folder are not followed; name what is meant "
                   "itself",
                   path);
}

static int add_entry(struct gathering *gathering, const char *path, unsigned levels,
                     struct gl_error *err)
{
    struct stat status;
    bool is_one = false;

    if (lstat(path, &status) != 0)
        return gl_fail_sys(err, GL_E_USAGE, errno, "cannot look at %s", path);
    if (S_ISDIR(status.st_mode) && levels == 0)
        return gl_fail(err, GL_E_USAGE, "%s lies deeper than %d folders", path, FOLDER_LEVELS);
    if (S_ISDIR(status.st_mode))
        return add_folder(gathering, path, levels - 1, err);
    if (S_ISLNK(status.st_mode))
        return check_link(gathering, path, err);
    if (!S_ISREG(status.st_mode))
        return 0;
    if (is_plan(gathering, path, &is_one, err) != 0)
        return -1;
    return is_one ? add_path(gathering, path, err) : 0;
}

/* Every plan below it at any level, as tools that run many units write them; links are not
 * followed. */
static int add_folder(struct gathering *gathering, const char *folder, unsigned levels,
                      struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *manifest = assembly_manifest(folder);
    DIR *list;
    struct dirent *entry;
    int result = 0;

    if (manifest != NULL)
        return add_path(gathering, manifest, err);
    list = opendir(folder);
    if (list == NULL)
        return gl_fail_sys(err, GL_E_USAGE, errno, "cannot read the folder %s", folder);
    while (result == 0 && (entry = readdir(list)) != NULL) {
        GL_AUTO(gl_auto_free) char *path = gl_path_join(folder, entry->d_name);

        if (entry->d_name[0] != '.')
            result = add_entry(gathering, path, levels, err);
    }
    closedir(list);
    return result;
}

static int compare_paths(const void *left, const void *right)
{
    const char *const *a = left, *const *b = right;

    return strcmp(*a, *b);
}

int gl_hook_files_add(struct gl_arena *arena, const struct gl_hook_reader *reader, const char *word,
                      struct gl_hook_files *files, struct gl_error *err)
{
    struct gathering gathering = {arena, reader, files};
    size_t before = files->count;
    struct stat status;

    if (strcmp(word, "-") == 0 || stat(word, &status) != 0 || !S_ISDIR(status.st_mode))
        return add_path(&gathering, word, err);
    if (add_folder(&gathering, word, FOLDER_LEVELS, err) != 0)
        return -1;
    if (files->count == before)
        return gl_fail(err, GL_E_USAGE, "no %s in the folder %s",
                       reader != NULL && !reader->has_yaml ? "*.json" : "*.json, *.yaml or *.yml",
                       word);
    qsort(files->items + before, files->count - before, sizeof *files->items, compare_paths);
    return 0;
}
