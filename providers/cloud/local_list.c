/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/local_task.h"

#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ENDED_KEPT_S  (7 * 86400)
#define INSTANCES_MAX 10000

/* The record's word, corrected by what can be seen. */
static enum gl_instance_state seen_state(const char *folder, const struct gl_local_record *record,
                                         bool is_alive)
{
    GL_AUTO(gl_auto_free) char *note = gl_path_join(folder, GL_LOCAL_STOP);

    if (record->state == GL_STATE_SUSPENDED)
        return GL_STATE_SUSPENDED;
    if (record->state == GL_STATE_LAUNCHING && (is_alive || gl_local_is_locked(folder)))
        return GL_STATE_LAUNCHING;
    if (!is_alive)
        return GL_STATE_ENDED;
    return gl_file_exists(note) ? GL_STATE_STOPPING : record->state;
}

void gl_local_show(const char *folder, const struct gl_local_record *record,
                   struct gl_instance *out)
{
    struct gl_process process;
    bool is_alive = gl_local_find_alive(record, &process);
    const char *id = strrchr(folder, '/');

    *out = (struct gl_instance){.attempt = record->attempt,
                                .started = {record->started_s},
                                .expires = {record->expires_s},
                                .has_exit = record->has_exit,
                                .exit_status = record->exit_status};
    snprintf(out->id, sizeof out->id, "%s", id != NULL ? id + 1 : folder);
    memcpy(out->launch_id, record->launch_id, sizeof out->launch_id);
    memcpy(out->token, record->token, sizeof out->token);
    memcpy(out->region, record->region, sizeof out->region);
    memcpy(out->type, record->type, sizeof out->type);
    memcpy(out->how, record->how, sizeof out->how);
    snprintf(out->console, sizeof out->console, "%s/%s", folder, GL_LOCAL_CONSOLE);
    out->state = seen_state(folder, record, is_alive);
    out->host_cpu_ms = gl_local_cpu_ms(record, is_alive ? &process : NULL);
    if (strcmp(record->how, "process") != 0 && !record->has_disk)
        out->caps = GL_CLOUD_SUSPENDS | GL_CLOUD_MOVES;
    out->is_unsettled = record->unsettled[0] != '\0';
    memcpy(out->why, record->unsettled, sizeof out->why);
}

void gl_local_settle(const struct gl_local *local, const char *folder,
                     struct gl_local_record *record)
{
    struct gl_local_task task;
    struct gl_error why = {0};

    if (!gl_task_is_due(record))
        return;
    if (gl_task_begin(local, folder, 0, &task, &why) < 0) {
        if (why.code != GL_E_LOCKED) /* else somebody is at it */
            snprintf(record->unsettled, sizeof record->unsettled, "%.*s",
                     (int)sizeof record->unsettled - 1, why.text);
        return;
    }
    *record = task.record;
    gl_task_end(&task);
}

/* Nothing was started and nobody is about to: the launcher died before, or failed. */
bool gl_local_is_nothing(const char *folder, const struct gl_local_record *record)
{
    struct gl_process process;

    return record->state == GL_STATE_LAUNCHING && !gl_local_is_locked(folder) &&
           !gl_local_find_alive(record, &process);
}

int gl_local_folder_of(const struct gl_local *local, const char *id, char **out,
                       struct gl_error *err)
{
    char shown[GL_TEXT_SHOWN];

    if (!gl_local_id_is_valid(id))
        return gl_fail(err, GL_E_NOT_FOUND, "%s is no local instance", gl_text_show(id, shown));
    *out = gl_local_folder(local->state, id);
    return 0;
}

/* Call `visit` for every instance's folder until it returns other than 0; that value. */
int gl_local_each(const struct gl_local *local, int (*visit)(void *cookie, const char *folder),
                  void *cookie, struct gl_error *err)
{
    DIR *handle = opendir(local->state);
    struct dirent *entry;
    int got = 0;

    if (handle == NULL && errno == ENOENT)
        return 0;
    if (handle == NULL)
        return gl_fail_sys(err, GL_E_IO, errno, "cannot read the folder %s", local->state);
    while (got == 0 && (entry = readdir(handle)) != NULL) {
        GL_AUTO(gl_auto_free) char *folder = NULL;

        if (!gl_local_id_is_valid(entry->d_name))
            continue;
        folder = gl_local_folder(local->state, entry->d_name);
        got = visit(cookie, folder);
    }
    closedir(handle);
    return got;
}

/* An unreadable record could be the one that is asked for: then the answer is not known. */
int gl_local_match_token(void *cookie, const char *folder)
{
    struct gl_local_search *search = cookie;
    struct gl_local_record record;
    struct gl_error why = {0};

    if (gl_local_record_load(folder, &record, &why) < 0) {
        if (why.code == GL_E_NOT_FOUND)
            return 0;
        *search->err = why;
        return -1;
    }
    if (strcmp(record.token, search->token) != 0)
        return 0;
    search->folder = gl_strdup(folder);
    search->record = record;
    return 1;
}

int gl_local_find_by_request(struct gl_cloud *cloud, const char *region, const char *token,
                             struct gl_instance *out, struct gl_error *err)
{
    struct gl_local_search search = {.token = token, .err = err};
    int got = gl_local_each(gl_local_of(cloud), gl_local_match_token, &search, err);
    GL_AUTO(gl_auto_free) char *folder = search.folder;

    (void)region;
    if (got != 1)
        return got;
    gl_local_settle(gl_local_of(cloud), folder, &search.record);
    if (gl_local_is_nothing(folder, &search.record))
        return 0;
    gl_local_show(folder, &search.record, out);
    return 1;
}

int gl_local_look(const struct gl_local *local, const char *id, char **out_folder,
                  struct gl_local_record *out, struct gl_error *err)
{
    if (gl_local_folder_of(local, id, out_folder, err) < 0 ||
        gl_local_record_load(*out_folder, out, err) < 0)
        return -1;
    gl_local_settle(local, *out_folder, out);
    return 0;
}

int gl_local_describe(struct gl_cloud *cloud, const char *id, struct gl_instance *out,
                      struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *folder = NULL;
    struct gl_local_record record;

    if (gl_local_look(gl_local_of(cloud), id, &folder, &record, err) < 0)
        return -1;
    gl_local_show(folder, &record, out);
    return 0;
}

struct listing {
    const struct gl_local *local;
    struct gl_instance *items;
    size_t count, capacity;
    struct gl_error *err;
};

/* Was the folder left alone for longer than ended instances are kept? */
static bool is_stale(const struct gl_local *local, const char *folder)
{
    struct stat info;

    return stat(folder, &info) == 0 && info.st_mtime + ENDED_KEPT_S < gl_now(local->world).unix_s;
}

static int add_listed(void *cookie, const char *folder)
{
    struct listing *listing = cookie;
    struct gl_local_record record;
    struct gl_error why = {0};
    struct gl_instance instance;
    bool has_record = gl_local_record_load(folder, &record, &why) == 0;

    if (!has_record && why.code != GL_E_NOT_FOUND) {
        *listing->err = why;
        return -1;
    }
    if (has_record)
        gl_local_settle(listing->local, folder, &record);
    if (has_record)
        gl_local_show(folder, &record, &instance);
    if ((!has_record || instance.state == GL_STATE_ENDED) && is_stale(listing->local, folder) &&
        !gl_local_is_locked(folder)) {
        gl_dir_remove(folder, &why);
        return 0;
    }
    if (!has_record || gl_local_is_nothing(folder, &record) || listing->count == INSTANCES_MAX)
        return 0;
    if (listing->count == listing->capacity) {
        listing->capacity = listing->capacity * 2 + 16;
        listing->items = gl_realloc(listing->items, listing->capacity * sizeof *listing->items);
    }
    listing->items[listing->count++] = instance;
    return 0;
}

int gl_local_list(struct gl_cloud *cloud, struct gl_instance **out, size_t *out_count,
                  struct gl_error *err)
{
    struct listing listing = {.local = gl_local_of(cloud), .err = err};

    if (gl_local_each(gl_local_of(cloud), add_listed, &listing, err) < 0) {
        free(listing.items);
        return -1;
    }
    *out = listing.items != NULL ? listing.items : gl_alloc(sizeof **out);
    *out_count = listing.count;
    return 0;
}
