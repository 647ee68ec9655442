/* SPDX-License-Identifier: Apache-2.0 */
/* Images that a move could not delete: which they are says the ledger, which launches have any a
 * folder of empty files, so that nobody reads every launch there ever was to find them. */
#include "broker/relocate_part.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "broker/tenant.h"

#define LAUNCHES_MAX 256 /* a sweep */

static char *folder_of(const struct gl_launcher *launcher)
{
    return gl_path_join(launcher->state_folder, "left");
}

/* ---- noting ---- */

static void add_left(json_t *list, const struct gl_relocate_image *image, const char *name)
{
    if (gl_relocate_may_be_left(image))
        json_array_append_new(list, json_string(image->id[0] != '\0' ? image->id : name));
}

static int mark(const struct gl_relocate *move, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *folder = folder_of(move->launcher);
    GL_AUTO(gl_auto_free) char *path = gl_path_join(folder, move->row->launch);

    if (gl_dir_make(folder, err) != 0 || gl_file_write(path, "", 0, 0600, err) != 0)
        return -1;
    gl_launch_step(move->launcher, "relocate-left-marked");
    return 0;
}

json_t *gl_relocate_left(const struct gl_relocate *move, struct gl_error *err)
{
    json_t *list = json_array();
    char image[GL_CLOUD_ID], copy[GL_CLOUD_ID];

    gl_relocate_image_name(move, image);
    gl_relocate_copy_name(move, copy);
    add_left(list, &move->past.image, image);
    add_left(list, &move->past.copy, copy);
    if (json_array_size(list) == 0 || mark(move, err) == 0)
        return list;
    json_decref(list);
    return NULL;
}

/* ---- sweeping ---- */

/* The images of every move of it; 0 when none is left. */
static int sweep_moves(struct gl_relocate *move, const struct gl_relocate_trail *trail,
                       struct gl_error *err)
{
    enum gl_relocate_power power = gl_relocate_power(move);
    int left = 0;

    for (size_t i = 0; i < trail->left_count; i++) {
        struct gl_error why = {0};

        move->past = trail->left[i];
        if (gl_relocate_clean(move, power, &why) == 0 &&
            gl_relocate_note(move, "relocate-swept", json_object(), NULL, &why) == 0)
            continue;
        *err = why;
        left = -1;
    }
    return left;
}

/* 0 when nothing of it is left. */
static int sweep_row(struct gl_launcher *launcher, const struct gl_launch_row *row,
                     const struct gl_relocate_trail *trail, struct gl_error *err)
{
    struct gl_relocate move = {.launcher = launcher, .row = row};
    int result = -1;

    if (gl_launcher_is_silent(launcher, row->cloud))
        return gl_fail(err, GL_E_NETWORK, "%s does not answer", row->cloud);
    move.cloud = launcher->open(launcher->cookie, row->cloud, row->zone, err);
    if (move.cloud == NULL)
        return -1;
    if (gl_tenant_check(launcher, row, move.cloud, err) == 0)
        result = sweep_moves(&move, trail, err);
    gl_cloud_close(move.cloud);
    return result;
}

/* With the launch locked: 0 nothing is left and nothing is under way, 1 there may be later, -1. */
static int sweep_locked(struct gl_launcher *launcher, const char *launch, struct gl_error *err)
{
    GL_AUTO(gl_launch_rows_free) struct gl_launch_rows rows = {0};
    struct gl_relocate_trail trail;

    if (gl_relocate_trail_read(launcher->ledger, launch, &trail, err) != 0 ||
        gl_ledger_launches(launcher->ledger, launch, &rows, err) != 0)
        return -1;
    if (rows.count > 0 && trail.left_count > 0 &&
        sweep_row(launcher, &rows.rows[0], &trail, err) != 0)
        return -1;
    return trail.last.is_open;
}

/* True when there was something to be put away. What another process works on is left to it. */
static bool sweep_one(struct gl_launcher *launcher, const char *path, const char *launch,
                      struct gl_error *err)
{
    int lock = gl_launch_lock(launcher->state_folder, launch, 0, err), left;

    if (lock < 0) {
        if (err->code == GL_E_LOCKED)
            gl_error_clear(err);
        return false;
    }
    left = sweep_locked(launcher, launch, err);
    if (left == 0)
        unlink(path);
    gl_launch_unlock(lock);
    return left == 0;
}

void gl_relocate_sweep(struct gl_launcher *launcher, struct gl_relocate_swept *out)
{
    GL_AUTO(gl_auto_free) char *folder = folder_of(launcher);
    DIR *list = opendir(folder);
    const struct dirent *item;
    unsigned seen = 0;

    *out = (struct gl_relocate_swept){0};
    while (list != NULL && seen < LAUNCHES_MAX && (item = readdir(list)) != NULL) {
        GL_AUTO(gl_auto_free) char *path = gl_path_join(folder, item->d_name);
        struct gl_error why = {0};

        if (strncmp(item->d_name, "gl-", 3) != 0 || strlen(item->d_name) >= GL_CLOUD_ID)
            continue;
        seen++;
        out->swept += sweep_one(launcher, path, item->d_name, &why);
        if (why.code == GL_OK)
            continue;
        gl_wrap(&why, "images that the move of %s left behind", item->d_name);
        if (out->left++ == 0)
            out->first = why;
    }
    if (list != NULL)
        closedir(list);
}
