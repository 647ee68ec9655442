/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/local.h"

#include "base/file.h"
#include "base/sign.h"
#include "providers/cloud/local_config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOCK_MS        30000
#define LAUNCH_WAIT_MS 180000 /* for another launch of the same token */
#define MEMINFO_MAX    ((size_t)64 << 10)
#define HEADROOM_MIB   64

static int check_launch(const struct gl_local *local, const struct gl_launch *launch,
                        struct gl_error *err)
{
    if (gl_local_check_region(local, launch->region, err) < 0 ||
        gl_local_check_type(launch->type, err) < 0)
        return -1;
    if (!gl_local_id_is_valid(launch->launch_id))
        return gl_fail(err, GL_E_BAD_VALUE, "a launch id is \"gl-\" and letters, digits and \"-\"");
    if (strlen(launch->token) != 64 || strspn(launch->token, "0123456789abcdef") != 64)
        return gl_fail(err, GL_E_BAD_VALUE, "the launch token is not 64 hex digits");
    return 0;
}

/* A second attempt of the same launch is another instance. */
static char *fresh_folder(const struct gl_local *local, const struct gl_launch *launch)
{
    GL_AUTO(gl_str_done) struct gl_str id = {0};

    gl_str_add(&id, launch->launch_id);
    if (launch->attempt > 1)
        gl_str_addf(&id, "-%u", launch->attempt);
    return gl_local_folder(local->state, gl_str_text(&id));
}

static void fill_record(const struct gl_local *local, const struct gl_launch *launch,
                        struct gl_local_record *out)
{
    const struct gl_local_type *type = gl_local_find_type(launch->type);

    *out = (struct gl_local_record){.attempt = launch->attempt,
                                    .state = GL_STATE_LAUNCHING,
                                    .host_cpu_ms = -1,
                                    .exit_status = -1,
                                    .started_s = gl_now(local->world).unix_s,
                                    .expires_s = launch->expires.unix_s,
                                    .has_network = launch->has_network,
                                    .vcpus = launch->vcpus > 0 ? launch->vcpus : type->vcpus,
                                    .memory_mib = launch->memory_mib > 0 ? launch->memory_mib
                                                                         : type->memory_mib};
    if (out->expires_s == 0)
        out->expires_s = out->started_s + launch->lease.s;
    snprintf(out->token, sizeof out->token, "%s", launch->token);
    snprintf(out->launch_id, sizeof out->launch_id, "%s", launch->launch_id);
    snprintf(out->region, sizeof out->region, "%s", launch->region);
    snprintf(out->type, sizeof out->type, "%s", launch->type);
    gl_local_tag(local->state, launch->token, out->tag);
    gl_local_boot_id(out->boot);
}

/* Make the folder and the record that announces the launch; the lock of the instance is held from
 * here until the launch is over. -1, or the lock's descriptor. */
static int announce(const char *folder, const struct gl_local_record *record, struct gl_error *err)
{
    static const char *const old[] = {GL_LOCAL_CONSOLE, GL_LOCAL_QEMU_LOG, GL_LOCAL_HISTORY};
    GL_AUTO(gl_auto_free) char *sockets = gl_path_join(folder, "io");
    int lock;

    if (gl_dir_make(sockets, err) < 0)
        return -1;
    lock = gl_local_lock(folder, LOCK_MS, err);
    if (lock < 0)
        return -1;
    gl_local_clean_folder(folder);
    for (size_t i = 0; i < sizeof old / sizeof *old; i++) {
        GL_AUTO(gl_auto_free) char *path = gl_path_join(folder, old[i]);

        unlink(path);
    }
    if (gl_local_record_save(folder, record, err) == 0)
        return lock;
    close(lock);
    return -1;
}

/* Is there memory for it? Unknown counts as yes: QEMU would say so itself. */
int gl_local_check_memory(uint32_t memory_mib, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *text = NULL;
    struct gl_error ignored = {0};
    const char *line;
    size_t length;
    long long free_kib;

    if (gl_file_read("/proc/meminfo", MEMINFO_MAX, &text, &length, &ignored) < 0 ||
        (line = strstr(text, "MemAvailable:")) == NULL)
        return 0;
    free_kib = strtoll(line + strlen("MemAvailable:"), NULL, 10);
    if (free_kib / 1024 >= (long long)memory_mib + HEADROOM_MIB)
        return 0;
    return gl_fail(err, GL_E_LAUNCH,
                   "this machine has %lld MiB of free memory, and the instance "
                   "wants %u; take a smaller type",
                   free_kib / 1024, memory_mib);
}

static bool is_vm(const struct gl_local *local, const struct gl_local_host *host)
{
    return gl_local_host_has_vm(host, NULL) && !local->wants_process;
}

static int start_instance(const struct gl_local *local, const struct gl_launch *launch,
                          const char *folder, struct gl_local_record *record, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) struct gl_link *link = gl_alloc(sizeof *link);
    struct gl_local_host host;
    struct gl_local_start start = {.local = local,
                                   .launch = launch,
                                   .host = &host,
                                   .folder = folder,
                                   .record = record,
                                   .link = link};
    int got = gl_local_check_memory(record->memory_mib, err);

    gl_local_host_look(local->world, &host);
    if (got == 0 && is_vm(local, &host))
        got = gl_local_start_vm(&start, err);
    else if (got == 0)
        got = gl_local_start_process(&start, err);
    gl_local_host_done(&host);
    gl_link_close(link);
    return got;
}

/* What a failed launch leaves: nothing that runs, its logs, and a record only if its command may
 * have begun. */
static void take_back(const char *folder, struct gl_local_record *record)
{
    GL_AUTO(gl_auto_free) char *path = gl_path_join(folder, "instance.json");
    struct gl_error ignored = {0};
    bool may_have_run = record->state == GL_STATE_RUNNING;

    gl_local_clean_folder(folder);
    record->state = GL_STATE_ENDED;
    record->process = (struct gl_process){0};
    if (!may_have_run)
        unlink(path);
    else
        gl_local_record_save(folder, record, &ignored);
}

/* What the guest is told must fit, in whichever place it boots. */
static int check_config(const struct gl_local *local, const struct gl_launch *launch,
                        struct gl_error *err)
{
    static const struct gl_guest_place longest = {.disk = "vda", .root = "/image"};
    char *text = gl_guest_config_text(launch, &longest, local->world, err);

    if (text == NULL)
        return -1;
    gl_wipe(text, strlen(text));
    free(text);
    return 0;
}

int gl_local_check(struct gl_cloud *cloud, const struct gl_launch *launch, struct gl_error *err)
{
    const struct gl_local *local = gl_local_of(cloud);
    const struct gl_local_type *type = gl_local_find_type(launch->type);
    struct gl_local_host host;
    int got;

    if (check_launch(local, launch, err) < 0 || check_config(local, launch, err) < 0 ||
        gl_local_check_memory(launch->memory_mib > 0 ? launch->memory_mib : type->memory_mib, err) <
            0)
        return -1;
    gl_local_host_look(local->world, &host);
    got = is_vm(local, &host) ? 0 : gl_local_process_check(&host, launch, err);
    gl_local_host_done(&host);
    return got;
}

static int launch_fresh(const struct gl_local *local, const struct gl_launch *launch,
                        const char *folder, int lock, struct gl_local_record *record,
                        struct gl_error *err)
{
    int got = start_instance(local, launch, folder, record, err);

    if (got < 0)
        take_back(folder, record);
    close(lock);
    return got;
}

/* Its launcher died before the command could start: end what it left and begin again. */
static void sweep(const struct gl_local_record *record)
{
    gl_local_kill_others(record->tag, NULL, NULL);
}

/* Under the lock of the state folder: find the token's instance or announce a new one. 1 there is
 * one (*out_folder), 0 announced (*out_lock is held). */
static int settle(const struct gl_local *local, const struct gl_launch *launch, char **out_folder,
                  struct gl_local_record *record, int *out_lock, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *path = gl_path_join(local->state, "lock");
    GL_AUTO(gl_auto_close) int state_lock = gl_file_lock(path, LOCK_MS, err);
    struct gl_local_search search = {.token = launch->token, .err = err};
    int got = state_lock < 0 ? -1 : gl_local_each(local, gl_local_match_token, &search, err);

    if (got < 0)
        return -1;
    *out_folder = search.folder != NULL ? search.folder : fresh_folder(local, launch);
    if (search.folder != NULL &&
        (search.record.state != GL_STATE_LAUNCHING || gl_local_is_locked(*out_folder)))
        return 1;
    if (search.folder != NULL)
        sweep(&search.record);
    else if (gl_local_record_load(*out_folder, record, &(struct gl_error){0}) == 0)
        return gl_fail(err, GL_E_BAD_VALUE, "there is another instance of the name %s already",
                       strrchr(*out_folder, '/') + 1);
    fill_record(local, launch, record);
    *out_lock = announce(*out_folder, record, err);
    return *out_lock < 0 ? -1 : 0;
}

/* Another process may still be at it. */
static int await_other(const char *folder, struct gl_instance *out, struct gl_error *err)
{
    GL_AUTO(gl_auto_close) int lock = gl_local_lock(folder, LAUNCH_WAIT_MS, err);
    struct gl_local_record record;

    if (lock < 0)
        return -1;
    if (gl_local_record_load(folder, &record, err) < 0)
        return gl_wrap(err, "the same launch, begun by another process, failed");
    gl_local_show(folder, &record, out);
    return 0;
}

int gl_local_launch(struct gl_cloud *cloud, const struct gl_launch *launch, struct gl_instance *out,
                    struct gl_error *err)
{
    struct gl_local *local = gl_local_of(cloud);
    GL_AUTO(gl_auto_free) char *folder = NULL;
    struct gl_local_record record;
    int got, lock = -1;

    if (check_launch(local, launch, err) < 0 || gl_dir_make(local->state, err) < 0)
        return -1;
    got = settle(local, launch, &folder, &record, &lock, err);
    if (got < 0)
        return -1;
    if (got == 1)
        return await_other(folder, out, err);
    if (launch_fresh(local, launch, folder, lock, &record, err) < 0)
        return -1;
    gl_local_show(folder, &record, out);
    return 0;
}
