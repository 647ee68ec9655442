/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"
#include "providers/cloud/drivers.h"
#include "providers/cloud/local_history.h"
#include "providers/cloud/local_task.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TASK_WAIT_MS 60000 /* for somebody else who is at the instance */

/* ---- place and types ---- */

const struct gl_local_type *gl_local_types(size_t *out_count)
{
    static const struct gl_local_type types[] = {
        {"small", 1, 256}, {"medium", 2, 512}, {"large", 4, 1024}};

    *out_count = sizeof types / sizeof *types;
    return types;
}

const struct gl_local_type *gl_local_find_type(const char *name)
{
    size_t count;
    const struct gl_local_type *types = gl_local_types(&count);

    for (size_t i = 0; i < count; i++)
        if (strcmp(types[i].name, name) == 0)
            return &types[i];
    return NULL;
}

static int local_whoami(struct gl_cloud *cloud, char out[128], struct gl_error *err)
{
    struct gl_local *local = gl_local_of(cloud);
    struct gl_local_host host;
    char name[64] = "";
    bool has_vm;
    int got = 0;

    gl_local_host_look(local->world, &host);
    has_vm = gl_local_host_has_vm(&host, NULL) && !local->wants_process;
    if (!has_vm)
        got = gl_local_process_check(&host, NULL, err);
    gl_local_host_done(&host);
    if (got < 0)
        return -1;
    gethostname(name, sizeof name - 1);
    snprintf(out, 128, "%s (%s)", name, has_vm ? "virtual machines" : "processes only");
    return 0;
}

static int local_regions(struct gl_cloud *cloud, const char *const **out, struct gl_error *err)
{
    (void)err;
    *out = gl_local_of(cloud)->regions;
    return 0;
}

int gl_local_check_region(const struct gl_local *local, const char *region, struct gl_error *err)
{
    GL_AUTO(gl_str_done) struct gl_str names = {0};
    char shown[GL_TEXT_SHOWN];

    if (gl_local_find_place(local, region) != NULL)
        return 0;
    for (size_t i = 0; i < local->place_count; i++)
        gl_str_addf(&names, "%s%s", i > 0 ? ", " : "", local->places[i].name);
    return gl_fail(err, GL_E_UNKNOWN_NAME, "the local cloud has the %s %s, not %s",
                   local->place_count > 1 ? "regions" : "region", gl_str_text(&names),
                   gl_text_show(region, shown));
}

int gl_local_check_type(const char *type, struct gl_error *err)
{
    char shown[GL_TEXT_SHOWN];

    if (gl_local_find_type(type) != NULL)
        return 0;
    return gl_fail(err, GL_E_UNKNOWN_NAME,
                   "the local cloud has no type %s; it has small, medium "
                   "and large",
                   gl_text_show(type, shown));
}

static int local_types(struct gl_cloud *cloud, const char *region, const char *const **out,
                       struct gl_error *err)
{
    static const char *const names[] = {"small", "medium", "large", NULL};

    if (gl_local_check_region(gl_local_of(cloud), region, err) < 0)
        return -1;
    *out = names;
    return 0;
}

static int local_price(struct gl_cloud *cloud, const char *region, const char *type, int64_t *out,
                       struct gl_error *err)
{
    if (gl_local_check_region(gl_local_of(cloud), region, err) < 0 ||
        gl_local_check_type(type, err) < 0)
        return -1;
    *out = 0;
    return 0;
}

/* ---- what is done to one instance ---- */

static int local_stop(struct gl_cloud *cloud, const char *id, struct gl_span wait,
                      struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *folder = NULL;

    if (gl_local_folder_of(gl_local_of(cloud), id, &folder, err) < 0)
        return -1;
    return gl_local_stop(gl_local_of(cloud), folder, wait, err);
}

static int local_terminate(struct gl_cloud *cloud, const char *id, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *folder = NULL;

    if (gl_local_folder_of(gl_local_of(cloud), id, &folder, err) < 0)
        return -1;
    return gl_local_terminate(gl_local_of(cloud), folder, err);
}

static int local_attach(struct gl_cloud *cloud, const char *id, const struct gl_attach *attach,
                        int *out_status, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *folder = NULL;

    if (gl_local_folder_of(gl_local_of(cloud), id, &folder, err) < 0)
        return -1;
    return gl_local_attach(gl_local_of(cloud), folder, attach, out_status, err);
}

static int local_fetch(struct gl_cloud *cloud, const char *id, const char *path, const char *to,
                       struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *folder = NULL;

    if (gl_local_folder_of(gl_local_of(cloud), id, &folder, err) < 0)
        return -1;
    return gl_local_fetch(gl_local_of(cloud), folder, path, to, err);
}

static int local_console(struct gl_cloud *cloud, const char *id, uint64_t offset,
                         struct gl_str *out, uint64_t *out_next, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *folder = NULL;
    struct gl_local_record record;

    if (gl_local_folder_of(gl_local_of(cloud), id, &folder, err) < 0 ||
        gl_local_record_load(folder, &record, err) < 0)
        return -1;
    return gl_local_console(folder, offset, out, out_next, err);
}

/* ---- suspend, resume, move ---- */

/* Begin with one instance; *out_folder is fresh. */
static int begin(struct gl_cloud *cloud, const char *id, char **out_folder,
                 struct gl_local_task *out, struct gl_error *err)
{
    const struct gl_local *local = gl_local_of(cloud);

    if (gl_local_folder_of(local, id, out_folder, err) < 0)
        return -1;
    return gl_task_begin(local, *out_folder, TASK_WAIT_MS, out, err);
}

static int local_suspend(struct gl_cloud *cloud, const char *id, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *folder = NULL;
    struct gl_local_task task;
    int got;

    if (begin(cloud, id, &folder, &task, err) < 0)
        return -1;
    got = gl_task_suspend(&task, err);
    gl_task_end(&task);
    return got;
}

static int resume(struct gl_local_task *task, struct gl_error *err)
{
    struct gl_local_record *record = &task->record;
    const struct gl_local_place *place = gl_local_find_place(task->local, record->region);

    if (record->state == GL_STATE_RUNNING && gl_local_is_alive(record))
        return 0;
    if (record->state != GL_STATE_SUSPENDED)
        return gl_fail(err, GL_E_GUEST, "the instance %s has ended", record->launch_id);
    if (record->expires_s <= gl_now(task->local->world).unix_s)
        return gl_fail(err, GL_E_TIMEOUT, "the lease of %s ended while it was suspended",
                       record->launch_id);
    if (place != NULL && gl_local_place_check(place, err) < 0)
        return -1;
    record->away.target[0] = '\0';
    return gl_task_wake(task, err);
}

static int local_resume(struct gl_cloud *cloud, const char *id, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *folder = NULL;
    struct gl_error ignored = {0};
    struct gl_local_task task;
    int got;

    if (begin(cloud, id, &folder, &task, err) < 0)
        return -1;
    got = resume(&task, err);
    if (got < 0)
        gl_task_settle(&task, &ignored);
    gl_task_end(&task);
    return got;
}

static int local_move(struct gl_cloud *cloud, const char *id, const char *region,
                      struct gl_error *err)
{
    const struct gl_local *local = gl_local_of(cloud);
    GL_AUTO(gl_auto_free) char *folder = NULL;
    struct gl_local_task task;
    int got;

    if (begin(cloud, id, &folder, &task, err) < 0)
        return -1;
    got = gl_local_check_region(local, region, err);
    if (got == 0)
        got = gl_task_move(&task, gl_local_find_place(local, region), err);
    gl_task_end(&task);
    return got;
}

static int local_spans(struct gl_cloud *cloud, const char *id, struct gl_instance_span **out,
                       size_t *out_count, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *folder = NULL;
    struct gl_local_record record;

    if (gl_local_look(gl_local_of(cloud), id, &folder, &record, err) < 0)
        return -1;
    return gl_history_read(folder, &record, out, out_count, err);
}

static enum gl_errc local_classify(int status, const char *word)
{
    (void)word;
    return status == 0 ? GL_OK : GL_E_LAUNCH; /* no provider's words here: QEMU's exit status */
}

static void local_close(struct gl_cloud *cloud)
{
    struct gl_local *local = gl_local_of(cloud);

    gl_local_places_done(local);
    free(local->state);
    free(local);
}

struct gl_cloud *gl_local_open(const struct gl_cloud_options *options, struct gl_error *err)
{
    struct gl_local *local = gl_alloc(sizeof *local);

    local->cloud.ops = &gl_local_ops;
    local->world = options->world;
    local->state = gl_path_join(options->state_folder, "local");
    local->wants_process = options->wants_process;
    if (gl_local_places_take(local, options, err) == 0)
        return &local->cloud;
    local_close(&local->cloud);
    return NULL;
}

const struct gl_cloud_ops gl_local_ops = {
    .name = "local",
    .title = "this machine: virtual machines under QEMU, or processes where that is missing",
    .caps = GL_CLOUD_RUNS_COMMANDS | GL_CLOUD_FREE | GL_CLOUD_SUSPENDS | GL_CLOUD_MOVES |
            GL_CLOUD_CHECKS,
    .whoami = local_whoami,
    .regions = local_regions,
    .types = local_types,
    .price = local_price,
    .launch = gl_local_launch,
    .describe = gl_local_describe,
    .find_by_request = gl_local_find_by_request,
    .list = gl_local_list,
    .stop = local_stop,
    .terminate = local_terminate,
    .console = local_console,
    .attach = local_attach,
    .fetch = local_fetch,
    .suspend = local_suspend,
    .resume = local_resume,
    .move = local_move,
    .spans = local_spans,
    .check = gl_local_check,
    .classify = local_classify,
    .close = local_close,
};
