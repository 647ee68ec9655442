/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/vps.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOOK_MS      500 /* between two looks at something under way, doubled up to: */
#define LOOK_MAX_MS  2000
#define GONE_MS      30000 /* a deleted server is waited for */
#define SHUTDOWN_MS  60000 /* a guest has to power off */
#define UNSTARTED_MS 45000 /* a launcher needs less between making a server and starting it */
#define STOP_MS      60000 /* on top of what stop() may wait */

static struct gl_vps *vps_of(struct gl_cloud *cloud)
{
    return (struct gl_vps *)cloud;
}

static const char *name_of(const struct gl_vps *vps)
{
    return vps->remote.cloud.ops->name;
}

/* ---- what this handle saw go: the providers forget at once ---- */

static void note_over(struct gl_vps *vps, const char *id)
{
    size_t at = vps->over_count++ % (sizeof vps->over / sizeof *vps->over);

    snprintf(vps->over[at], sizeof vps->over[at], "%s", id);
}

static bool was_seen_over(const struct gl_vps *vps, const char *id)
{
    for (size_t i = 0; i < sizeof vps->over / sizeof *vps->over; i++)
        if (vps->over[i][0] != '\0' && strcmp(vps->over[i], id) == 0)
            return true;
    return false;
}

static int no_such(const struct gl_vps *vps, const char *id, struct gl_error *err)
{
    char shown[GL_TEXT_SHOWN];

    return gl_fail(err, GL_E_NOT_FOUND, "%s has no server %s of ours", name_of(vps),
                   gl_text_show(id, shown));
}

static int look(struct gl_vps *vps, const char *id, struct gl_instance *out, struct gl_error *err)
{
    if (strlen(id) >= GL_CLOUD_ID || !vps->ops->is_id(id))
        return no_such(vps, id, err);
    return vps->ops->look(vps, id, out, err);
}

static int sweep(struct gl_vps *vps, const struct gl_vps_loose *what, struct gl_error *err)
{
    return vps->ops->sweep != NULL ? vps->ops->sweep(vps, what, err) : 0;
}

/* That it is not there says that nothing of it is: what a launcher left that was killed while it
 * removed it is removed first. */
static int look_to_the_end(struct gl_vps *vps, const char *id, struct gl_instance *out,
                           struct gl_error *err)
{
    const struct gl_vps_loose loose = {.id = id};
    struct gl_error why = {0};

    if (look(vps, id, out, &why) == 0)
        return 0;
    if (why.code == GL_E_NOT_FOUND && vps->ops->is_id(id) && sweep(vps, &loose, err) < 0)
        return gl_wrap(err, "server %s is gone, not all of it", id);
    return gl_fail(err, why.code, "%s", why.text);
}

/* ---- waiting ---- */

static bool is_gone(enum gl_instance_state state)
{
    return state == GL_STATE_ENDED || state == GL_STATE_LOST;
}

/* Look until it is in `state` (ENDED: or forgotten): 1, or 0 when it is not after `ms`. *seen is
 * the last that was seen. */
static int wait_for(struct gl_vps *vps, const char *id, enum gl_instance_state state, int64_t ms,
                    struct gl_instance *seen, struct gl_error *err)
{
    const struct gl_world *world = vps->remote.world;
    int64_t until = world->monotonic_ms(world->cookie) + ms, pause = LOOK_MS;

    for (;;) {
        struct gl_error why = {0};

        if (look(vps, id, seen, &why) < 0) {
            if (why.code == GL_E_NOT_FOUND && state == GL_STATE_ENDED)
                return 1;
            return gl_fail(err, why.code, "%s", why.text);
        }
        if (seen->state == state || is_gone(seen->state))
            return 1;
        if (world->monotonic_ms(world->cookie) + pause > until)
            return 0;
        if (gl_remote_wait(&vps->remote, pause, err) < 0)
            return -1;
        pause = pause * 2 < LOOK_MAX_MS ? pause * 2 : LOOK_MAX_MS;
    }
}

/* ---- end ---- */

static int remove_one(struct gl_vps *vps, const struct gl_instance *instance, struct gl_error *err)
{
    struct gl_error why = {0};
    struct gl_instance seen;

    if (vps->ops->remove(vps, instance, &why) < 0 && why.code != GL_E_NOT_FOUND)
        return gl_fail(err, why.code, "%s", why.text);
    if (why.code == GL_E_NOT_FOUND &&
        sweep(vps, &(struct gl_vps_loose){.id = instance->id}, err) < 0)
        return -1;
    if (wait_for(vps, instance->id, GL_STATE_ENDED, GONE_MS, &seen, err) < 0)
        return -1;
    note_over(vps, instance->id);
    return 0;
}

int gl_vps_terminate(struct gl_cloud *cloud, const char *id, struct gl_error *err)
{
    struct gl_vps *vps = vps_of(cloud);
    struct gl_instance seen;
    struct gl_error why = {0};

    gl_remote_begin(&vps->remote, GL_REMOTE_DEADLINE_MS + GONE_MS);
    if (look_to_the_end(vps, id, &seen, &why) < 0) {
        if (why.code == GL_E_NOT_FOUND && was_seen_over(vps, id))
            return 0;
        return gl_fail(err, why.code, "%s", why.text);
    }
    return remove_one(vps, &seen, err);
}

int gl_vps_stop(struct gl_cloud *cloud, const char *id, struct gl_span wait, struct gl_error *err)
{
    struct gl_vps *vps = vps_of(cloud);
    int64_t wait_ms = wait.s > 0 ? wait.s * 1000 : 0;
    struct gl_instance seen;
    struct gl_error why = {0};

    gl_remote_begin(&vps->remote, wait_ms + STOP_MS + GONE_MS);
    if (look_to_the_end(vps, id, &seen, &why) < 0) {
        if (why.code == GL_E_NOT_FOUND && was_seen_over(vps, id))
            return 0;
        return gl_fail(err, why.code, "%s", why.text);
    }
    /* One that does not take the signal is ended all the same. */
    if (seen.state == GL_STATE_RUNNING &&
        vps->ops->power(vps, &seen, GL_VPS_OFF_IN_ORDER, &why) == 0)
        wait_for(vps, id, GL_STATE_HALTED, wait_ms, &seen, &why);
    return remove_one(vps, &seen, err);
}

/* ---- of one token ---- */

static const struct gl_instance *search_one(struct gl_vps *vps, const char *region,
                                            const char *token, struct gl_vps_list *list,
                                            struct gl_error *err)
{
    *list = (struct gl_vps_list){NULL, 0, 0};
    if (vps->ops->search(vps, region, token, &list->items, &list->count, err) < 0)
        return NULL;
    return gl_instance_of_token(list->items, list->count, token);
}

/* The eldest counts; the others never should have been. What cannot be ended now is found again by
 * whoever looks next. */
static void end_others(struct gl_vps *vps, const struct gl_vps_list *list, const char *token,
                       const struct gl_instance *best)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct gl_instance *item = &list->items[i];
        struct gl_error ignored = {0};

        if (item != best && strcmp(item->token, token) == 0 && !is_gone(item->state) &&
            strcmp(item->id, best->id) != 0)
            remove_one(vps, item, &ignored);
    }
}

/* 1 and *out, 0 absent, -1 not known. */
static int find(struct gl_vps *vps, const char *region, const char *token, struct gl_instance *out,
                struct gl_error *err)
{
    struct gl_vps_list list;
    struct gl_error why = {0};
    const struct gl_instance *best = search_one(vps, region, token, &list, &why);
    int found = best != NULL;

    if (why.code != GL_OK) {
        free(list.items);
        return gl_fail(err, why.code, "%s", why.text);
    }
    if (best != NULL) {
        end_others(vps, &list, token, best);
        *out = *best;
    }
    free(list.items);
    return found;
}

static bool is_unstarted(const struct gl_instance *instance)
{
    return strcmp(instance->why, GL_VPS_UNSTARTED) == 0;
}

int gl_vps_find_by_request(struct gl_cloud *cloud, const char *region, const char *token,
                           struct gl_instance *out, struct gl_error *err)
{
    struct gl_vps *vps = vps_of(cloud);
    const struct gl_world *world = vps->remote.world;
    struct gl_instance seen;
    int64_t started;
    int found;

    gl_remote_begin(&vps->remote, GL_REMOTE_DEADLINE_MS + UNSTARTED_MS + GONE_MS);
    started = world->monotonic_ms(world->cookie);
    while ((found = find(vps, region, token, &seen, err)) == 1 && is_unstarted(&seen)) {
        /* Its launcher is at it, or was killed over it: nobody but the launcher knows its command,
         * so that it can only be ended. */
        if (gl_now(world).unix_s - seen.started.unix_s > UNSTARTED_MS / 1000 ||
            world->monotonic_ms(world->cookie) - started > UNSTARTED_MS)
            return remove_one(vps, &seen, err);
        if (gl_remote_wait(&vps->remote, LOOK_MAX_MS, err) < 0)
            return -1;
    }
    if (found == 1)
        *out = seen;
    if (found == 0 && sweep(vps, &(struct gl_vps_loose){.region = region, .token = token}, err) < 0)
        return -1;
    return found;
}

int gl_vps_list(struct gl_cloud *cloud, struct gl_instance **out, size_t *out_count,
                struct gl_error *err)
{
    struct gl_vps *vps = vps_of(cloud);
    struct gl_instance *items = NULL;
    struct gl_error ignored = {0};
    size_t count = 0;

    gl_remote_begin(&vps->remote, GL_REMOTE_DEADLINE_MS);
    if (vps->ops->search(vps, NULL, NULL, &items, &count, err) < 0) {
        free(items);
        return -1;
    }
    /* What is left over of others is no server: not to be removed now is no failure. */
    sweep(vps, &(struct gl_vps_loose){.region = NULL}, &ignored);
    *out = items != NULL ? items : gl_alloc(sizeof *items);
    *out_count = count;
    return 0;
}

int gl_vps_describe(struct gl_cloud *cloud, const char *id, struct gl_instance *out,
                    struct gl_error *err)
{
    struct gl_vps *vps = vps_of(cloud);
    struct gl_instance seen;

    gl_remote_begin(&vps->remote, GL_REMOTE_DEADLINE_MS);
    if (look_to_the_end(vps, id, &seen, err) < 0)
        return -1;
    *out = seen;
    return 0;
}

/* None of these providers hands out a console's text by its API. */
int gl_vps_console(struct gl_cloud *cloud, const char *id, uint64_t offset, struct gl_str *out,
                   uint64_t *out_next, struct gl_error *err)
{
    struct gl_instance seen;

    (void)out;
    if (gl_vps_describe(cloud, id, &seen, err) < 0)
        return -1;
    *out_next = offset;
    return 0;
}

/* ---- power ---- */

int gl_vps_halt(struct gl_cloud *cloud, const char *id, struct gl_error *err)
{
    struct gl_vps *vps = vps_of(cloud);
    struct gl_instance seen;
    int got = 0;

    gl_remote_begin(&vps->remote, SHUTDOWN_MS + GL_REMOTE_DEADLINE_MS);
    if (look(vps, id, &seen, err) < 0)
        return -1;
    if (seen.state == GL_STATE_HALTED)
        return 0;
    if (vps->ops->power(vps, &seen, GL_VPS_OFF_IN_ORDER, err) < 0 ||
        (got = wait_for(vps, id, GL_STATE_HALTED, SHUTDOWN_MS / 2, &seen, err)) < 0)
        return -1;
    if (got == 0 && (vps->ops->power(vps, &seen, GL_VPS_OFF_NOW, err) < 0 ||
                     (got = wait_for(vps, id, GL_STATE_HALTED, SHUTDOWN_MS / 2, &seen, err)) < 0))
        return -1;
    return got == 1
               ? 0
               : gl_fail(err, GL_E_BUSY, "%s: server %s is still powering off", name_of(vps), id);
}

int gl_vps_start(struct gl_cloud *cloud, const char *id, struct gl_error *err)
{
    struct gl_vps *vps = vps_of(cloud);
    struct gl_instance seen;
    int got;

    gl_remote_begin(&vps->remote, GL_REMOTE_DEADLINE_MS * 2);
    if (look(vps, id, &seen, err) < 0)
        return -1;
    if (seen.state == GL_STATE_RUNNING)
        return 0;
    if (vps->ops->power(vps, &seen, GL_VPS_ON, err) < 0)
        return -1;
    got = wait_for(vps, id, GL_STATE_RUNNING, GL_REMOTE_DEADLINE_MS, &seen, err);
    return got != 0 ? (got > 0 ? 0 : -1)
                    : gl_fail(err, GL_E_BUSY, "%s: server %s is still starting", name_of(vps), id);
}
