/* SPDX-License-Identifier: Apache-2.0 */
/* The clouds that a look asks: each opened once, however many launches stand in it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/guard_part.h"

struct gl_guard_cloud {
    char name[24], zone[40];
    struct gl_cloud *cloud; /* NULL: it could not be opened, `why` */
    struct gl_error why;
    struct gl_guard_cloud *next;
};

/* A handle of a cloud of this machine stands in a grid zone; of a rented one it serves them all. */
static bool fits(const struct gl_guard_cloud *open, const struct gl_launch_row *row)
{
    bool is_everywhere = open->cloud != NULL && (open->cloud->ops->caps & GL_CLOUD_REMOTE) != 0;

    return strcmp(open->name, row->cloud) == 0 &&
           (is_everywhere || strcmp(open->zone, row->zone) == 0);
}

static struct gl_guard_cloud *open_of(struct gl_guard_look *look, const struct gl_launch_row *row)
{
    struct gl_launcher *launcher = look->guard->launcher;
    struct gl_guard_cloud *open = look->clouds;

    while (open != NULL && !fits(open, row))
        open = open->next;
    if (open != NULL)
        return open;
    open = gl_alloc(sizeof *open);
    *open = (struct gl_guard_cloud){.next = look->clouds};
    snprintf(open->name, sizeof open->name, "%s", row->cloud);
    snprintf(open->zone, sizeof open->zone, "%s", row->zone);
    open->cloud = launcher->open(launcher->cookie, row->cloud, row->zone, &open->why);
    look->clouds = open;
    return open;
}

struct gl_cloud *gl_guard_cloud(struct gl_guard_look *look, const struct gl_launch_row *row,
                                struct gl_error *err)
{
    const struct gl_error *silence = gl_launcher_silence(look->guard->launcher, row->cloud);
    const struct gl_guard_cloud *open = silence == NULL ? open_of(look, row) : NULL;
    const struct gl_error *why = silence != NULL ? silence : &open->why;

    if (open != NULL && open->cloud != NULL)
        return open->cloud;
    gl_fail(err, why->code, "%s", why->text);
    return NULL;
}

void gl_guard_clouds_close(struct gl_guard_look *look)
{
    while (look->clouds != NULL) {
        struct gl_guard_cloud *next = look->clouds->next;

        gl_cloud_close(look->clouds->cloud);
        free(look->clouds);
        look->clouds = next;
    }
}
