/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/model.h"
#include "agent/source.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Energy that the host measured and shares with this guest as a tree of intel-rapl:* folders with
 * an energy_uj each: the layout that Scaphandre's qemu exporter writes and its guests mount at
 * /var/scaphandre. It is the guest's share already; nothing in it says how it was attributed. Some
 * versions of that exporter write microwatts as microjoules every five seconds, a fifth of the
 * truth (Scaphandre issue 428): a tree that stays near a fifth of the model for a minute is not
 * believed, and never multiplied by five (P13). */

#define FILES_MAX  16
#define WITNESS_NS INT64_C(60000000000)
#define QUIET_NS   INT64_C(30000000000) /* without any growth: the host has stopped writing */
#define BUG_LOW    0.1
#define BUG_HIGH   0.3

struct file {
    int fd;
    bool has_before;
    uint64_t before_uj;
};

struct exported {
    const char *folder;
    const double *load;
    struct gl_model model; /* to compare with; only its machine is used */
    double seen_uj, expected_uj;
    int64_t watched_ns, quiet_ns;
    bool is_bugged, is_simulated;
    size_t count;
    struct file files[FILES_MAX];
};

static const char *const folders[] = {"/run/greenlaunch/host", "/var/scaphandre"};

/* Shares by CPU time miss another tenant's cache, memory and frequency: judgement. */
static const struct gl_accuracy accuracy = {0.8, 1.2};

static void add_files(struct exported *exported, const struct gl_place *place, const char *folder)
{
    char full[PATH_MAX], path[PATH_MAX];
    struct dirent *entry;
    DIR *entries;

    snprintf(full, sizeof full, "%s%s", place->sysroot, folder);
    entries = opendir(full);
    while (entries != NULL && (entry = readdir(entries)) != NULL) {
        struct file file = {.fd = -1};

        if (strncmp(entry->d_name, "intel-rapl:", 11) != 0 || exported->count >= FILES_MAX)
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        file.fd = gl_place_open_in(place, path, "energy_uj");
        file.has_before = gl_read_number(file.fd, &file.before_uj);
        if (file.has_before)
            exported->files[exported->count++] = file;
        else if (file.fd >= 0)
            close(file.fd);
    }
    if (entries != NULL)
        closedir(entries);
}

static void exported_close(void *state)
{
    struct exported *exported = state;

    for (size_t i = 0; i < exported->count; i++)
        close(exported->files[i].fd);
    free(exported);
}

static int exported_open(const struct gl_source_setup *setup, void **out_state,
                         struct gl_error *err)
{
    struct exported *exported = gl_alloc(sizeof *exported);

    for (size_t i = 0; i < sizeof folders / sizeof folders[0] && exported->count == 0; i++) {
        exported->folder = folders[i];
        add_files(exported, &setup->place, folders[i]);
    }
    if (exported->count == 0) {
        free(exported);
        return gl_fail(err, GL_E_NOT_FOUND, "the host shares no energy tree");
    }
    exported->load = setup->load;
    exported->model.machine = *setup->machine;
    exported->is_simulated = setup->place.sysroot[0] != '\0';
    *out_state = exported;
    return 0;
}

static int64_t exported_longest_ms(const void *state)
{
    (void)state;
    return 3600000;
}

/* Does what was seen over the last minute bear the mark of the bug? */
static void watch(struct exported *exported, int64_t uj, int64_t dt_ns)
{
    struct gl_yield model[GL_KINDS];

    gl_model_sample(&exported->model, exported->load != NULL ? *exported->load : 0.5, dt_ns, model);
    exported->seen_uj += (double)uj;
    exported->expected_uj += (double)model[GL_COMP_CPU].delta_uj;
    exported->watched_ns += dt_ns;
    if (exported->watched_ns < WITNESS_NS)
        return;
    if (exported->seen_uj > BUG_LOW * exported->expected_uj &&
        exported->seen_uj < BUG_HIGH * exported->expected_uj)
        exported->is_bugged = true;
    exported->seen_uj = exported->expected_uj = 0;
    exported->watched_ns = 0;
}

static bool look_at(struct file *file, double most_uj, int64_t *uj)
{
    bool had_before = file->has_before;
    uint64_t before = file->before_uj, now;

    file->has_before = gl_read_number(file->fd, &now);
    if (!file->has_before)
        return false;
    file->before_uj = now;
    if (!had_before || now < before || (double)(now - before) > most_uj)
        return false;
    *uj += (int64_t)(now - before);
    return true;
}

static void exported_sample(void *state, int64_t dt_ns, struct gl_yield out[GL_KINDS])
{
    struct exported *exported = state;
    /* The host writes every few seconds: a short look may find the energy of a long one. */
    double most_uj =
        gl_power_plausible_max(&exported->model.machine).w * ((double)dt_ns * 1e-3 + 30e6);
    bool is_whole = true;
    int64_t uj = 0;

    for (size_t i = 0; i < exported->count; i++)
        is_whole = look_at(&exported->files[i], most_uj, &uj) && is_whole;
    exported->quiet_ns = is_whole && uj > 0 ? 0 : exported->quiet_ns + dt_ns;
    if (is_whole)
        watch(exported, uj, dt_ns);
    if (exported->is_bugged || !is_whole || exported->quiet_ns >= QUIET_NS) {
        out[GL_COMP_CPU].flags = exported->is_bugged ? GL_FLAG_SENTINEL : GL_FLAG_BOUNDED;
        return;
    }
    out[GL_COMP_CPU] =
        gl_yield_of(uj, accuracy, exported->is_simulated ? GL_TIER_S : GL_TIER_H, "exported");
}

static void exported_describe(const void *state, char *out, size_t room)
{
    const struct exported *exported = state;

    snprintf(out, room, "%zu counters in %s", exported->count, exported->folder);
}

const struct gl_source gl_source_exported = {
    .name = "exported",
    .group = "exported",
    .open = exported_open,
    .longest_ms = exported_longest_ms,
    .sample = exported_sample,
    .describe = exported_describe,
    .close = exported_close,
};
