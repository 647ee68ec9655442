/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"
#include "providers/cloud/local.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define STATE_SUFFIX ".mig"

static bool is_name(const char *name)
{
    size_t length = strlen(name);

    return length > 0 && length < sizeof(((struct gl_local_place *)0)->name) &&
           strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.") ==
               length;
}

static int take(struct gl_local *local, const struct gl_cloud_place *given, struct gl_error *err)
{
    struct gl_local_place *place = &local->places[local->place_count];
    char shown[GL_TEXT_SHOWN];

    if (!is_name(given->name))
        return gl_fail(err, GL_E_CONFIG, "%s is no name for a place of the local cloud",
                       gl_text_show(given->name, shown));
    for (size_t i = 0; i < local->place_count; i++)
        if (strcmp(local->places[i].name, given->name) == 0)
            return gl_fail(err, GL_E_CONFIG, "the local cloud has two places named %s",
                           given->name);
    snprintf(place->name, sizeof place->name, "%s", given->name);
    snprintf(place->zone, sizeof place->zone, "%s", given->zone != NULL ? given->zone : "");
    place->folder = given->folder != NULL ? gl_strdup(given->folder) : NULL;
    local->regions[local->place_count++] = place->name;
    return 0;
}

int gl_local_places_take(struct gl_local *local, const struct gl_cloud_options *options,
                         struct gl_error *err)
{
    const struct gl_cloud_place alone = {.name = GL_LOCAL_REGION, .zone = options->zone};

    if (options->place_count > GL_CLOUD_PLACES_MAX)
        return gl_fail(err, GL_E_CONFIG, "the local cloud has more than %d places",
                       GL_CLOUD_PLACES_MAX);
    if (options->place_count == 0)
        return take(local, &alone, err);
    for (size_t i = 0; i < options->place_count; i++)
        if (take(local, &options->places[i], err) < 0)
            return -1;
    return 0;
}

void gl_local_places_done(struct gl_local *local)
{
    for (size_t i = 0; i < local->place_count; i++)
        free(local->places[i].folder);
    local->place_count = 0;
}

const struct gl_local_place *gl_local_find_place(const struct gl_local *local, const char *region)
{
    for (size_t i = 0; i < local->place_count; i++)
        if (strcmp(local->places[i].name, region) == 0)
            return &local->places[i];
    for (size_t i = 0; region[0] != '\0' && i < local->place_count; i++)
        if (strcmp(local->places[i].zone, region) == 0)
            return &local->places[i];
    return NULL;
}

/* Never made by us: an empty folder where a disk should be mounted is no place. */
int gl_local_place_check(const struct gl_local_place *place, struct gl_error *err)
{
    struct stat info;

    if (place->folder == NULL || (stat(place->folder, &info) == 0 && S_ISDIR(info.st_mode)))
        return 0;
    return gl_fail(err, GL_E_NOT_FOUND, "the place %s is not there: it has no folder %s",
                   place->name, place->folder);
}

int gl_local_place_path(const struct gl_local_place *place, const char *folder,
                        char out[GL_LOCAL_PATH], struct gl_error *err)
{
    const char *id = strrchr(folder, '/');
    int length = place->folder == NULL
                     ? snprintf(out, GL_LOCAL_PATH, "%s/" GL_LOCAL_MACHINE, folder)
                     : snprintf(out, GL_LOCAL_PATH, "%s/%s" STATE_SUFFIX, place->folder,
                                id != NULL ? id + 1 : folder);

    if (length < 0 || length >= GL_LOCAL_PATH)
        return gl_fail(err, GL_E_BAD_VALUE, "the folder of the place %s has too long a name",
                       place->name);
    return 0;
}

static void drop(const char *path, const char *keep)
{
    GL_AUTO(gl_str_done) struct gl_str part = {0};

    gl_str_addf(&part, "%s.part", path);
    unlink(part.text);
    if (keep == NULL || strcmp(path, keep) != 0)
        unlink(path);
}

void gl_local_drop_states(const struct gl_local *local, const char *folder, const char *keep)
{
    const struct gl_local_place home = {.folder = NULL};
    struct gl_error ignored = {0};
    char path[GL_LOCAL_PATH];

    for (size_t i = 0; i <= local->place_count; i++) {
        const struct gl_local_place *place = i < local->place_count ? &local->places[i] : &home;

        if (gl_local_place_path(place, folder, path, &ignored) == 0)
            drop(path, keep);
    }
}
