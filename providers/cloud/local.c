/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/local.h"

#include "base/file.h"
#include "providers/cloud/drivers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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
        got = gl_local_process_check(&host, err);
    gl_local_host_done(&host);
    if (got < 0)
        return -1;
    gethostname(name, sizeof name - 1);
    snprintf(out, 128, "%s (%s)", name, has_vm ? "virtual machines" : "processes only");
    return 0;
}

static int local_regions(struct gl_cloud *cloud, const char *const **out, struct gl_error *err)
{
    static const char *const names[] = {GL_LOCAL_REGION, NULL};

    (void)cloud;
    (void)err;
    *out = names;
    return 0;
}

int gl_local_check_region(const struct gl_local *local, const char *region, struct gl_error *err)
{
    char shown[GL_TEXT_SHOWN];

    /* The zone it stands in names it, too. */
    if (strcmp(region, GL_LOCAL_REGION) == 0 ||
        (local->zone[0] != '\0' && strcmp(region, local->zone) == 0))
        return 0;
    return gl_fail(err, GL_E_UNKNOWN_NAME,
                   "the local cloud has the region " GL_LOCAL_REGION " only, not %s",
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
    return gl_local_stop(folder, wait, err);
}

static int local_terminate(struct gl_cloud *cloud, const char *id, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *folder = NULL;

    if (gl_local_folder_of(gl_local_of(cloud), id, &folder, err) < 0)
        return -1;
    return gl_local_terminate(folder, err);
}

static int local_attach(struct gl_cloud *cloud, const char *id, const struct gl_attach *attach,
                        int *out_status, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *folder = NULL;

    if (gl_local_folder_of(gl_local_of(cloud), id, &folder, err) < 0)
        return -1;
    return gl_local_attach(folder, attach, out_status, err);
}

static int local_fetch(struct gl_cloud *cloud, const char *id, const char *path, const char *to,
                       struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *folder = NULL;

    if (gl_local_folder_of(gl_local_of(cloud), id, &folder, err) < 0)
        return -1;
    return gl_local_fetch(folder, path, to, err);
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

static enum gl_errc local_classify(int status, const char *word)
{
    (void)word;
    return status == 0 ? GL_OK : GL_E_LAUNCH; /* no provider's words here: QEMU's exit status */
}

static void local_close(struct gl_cloud *cloud)
{
    struct gl_local *local = gl_local_of(cloud);

    free(local->state);
    free(local);
}

struct gl_cloud *gl_local_open(const struct gl_cloud_options *options, struct gl_error *err)
{
    struct gl_local *local = gl_alloc(sizeof *local);

    (void)err;
    local->cloud.ops = &gl_local_ops;
    local->world = options->world;
    local->state = gl_path_join(options->state_folder, "local");
    snprintf(local->zone, sizeof local->zone, "%s", options->zone != NULL ? options->zone : "");
    local->wants_process = options->wants_process;
    return &local->cloud;
}

const struct gl_cloud_ops gl_local_ops = {
    .name = "local",
    .title = "this machine: virtual machines under QEMU, or processes where that is missing",
    .caps = GL_CLOUD_RUNS_COMMANDS | GL_CLOUD_FREE,
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
    .classify = local_classify,
    .close = local_close,
};
