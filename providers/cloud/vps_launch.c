/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/vps.h"

#include "providers/cloud/userdata.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LAUNCH_MS   120000
#define FOLLOW_MS   60000 /* then it is handed over as launching */
#define CLEAN_MS    60000
#define LOOK_MS     500
#define LOOK_MAX_MS 2000

static const char *name_of(const struct gl_vps *vps)
{
    return vps->remote.cloud.ops->name;
}

/* ---- before anything is made ---- */

static int check_price(const struct gl_vps *vps, const struct gl_launch *launch, int64_t price,
                       struct gl_error *err)
{
    if (launch->max_price_u_usd == 0)
        return 0;
    if (price == GL_UNKNOWN)
        return gl_fail(
            err, GL_E_PRICE,
            "%s in %s: the price of %s in USD is not known, so that no cap can be kept%s",
            name_of(vps), launch->region, launch->type,
            vps->ops->list_prices != NULL ? "; it sells in EUR: set " GL_VPS_RATE : "");
    if (price > launch->max_price_u_usd)
        return gl_fail(err, GL_E_PRICE, "%s in %s: %s costs %.6f USD/h, the cap is %.6f USD/h",
                       name_of(vps), launch->region, launch->type, (double)price / 1e6,
                       (double)launch->max_price_u_usd / 1e6);
    return 0;
}

static int check_names(struct gl_vps *vps, const struct gl_launch *launch, struct gl_error *err)
{
    const char *const *types;

    if (launch->is_spot)
        return gl_fail(err, GL_E_USAGE, "%s sells no spot instances: launch without --spot",
                       name_of(vps));
    return gl_vps_types(&vps->remote.cloud, launch->region, &types, err);
}

/* In dollars by the list of a provider that sells in euro. */
static int ask_list(struct gl_vps *vps, const struct gl_launch *launch, int64_t *out,
                    struct gl_error *err)
{
    struct gl_catalog *list = gl_catalog_new();
    const struct gl_catalog_row *rows;
    int rc = vps->ops->list_prices(vps, launch->region, list, err);
    size_t count = gl_catalog_rows(list, &rows);

    for (size_t i = 0; rc == 0 && i < count; i++)
        if (strcmp(rows[i].region, launch->region) == 0 && strcmp(rows[i].type, launch->type) == 0)
            *out = gl_vps_usd(vps, &rows[i]);
    gl_catalog_free(list);
    return rc == 0 ? 0 : gl_wrap(err, "the price cap cannot be kept");
}

/* What the provider says now, else what the table says of a list in dollars. */
static int check_offer(struct gl_vps *vps, const struct gl_launch *launch, struct gl_error *err)
{
    struct gl_error ignored = {0};
    int64_t price = GL_UNKNOWN;

    if (vps->ops->offer(vps, launch->region, launch->type, &price, err) < 0)
        return -1;
    if (launch->max_price_u_usd != 0 && vps->ops->list_prices != NULL &&
        ask_list(vps, launch, &price, err) < 0)
        return -1;
    if (price == GL_UNKNOWN && vps->ops->list_prices == NULL)
        gl_vps_price(&vps->remote.cloud, launch->region, launch->type, &price, &ignored);
    return check_price(vps, launch, price, err);
}

static struct gl_userdata told_to(const struct gl_vps *vps, const struct gl_launch *launch)
{
    return (struct gl_userdata){
        .launch = launch, .end = GL_GUEST_STAYS, .ceiling = vps->ops->user_data_ceiling};
}

int gl_vps_check(struct gl_cloud *cloud, const struct gl_launch *launch, struct gl_error *err)
{
    struct gl_vps *vps = (struct gl_vps *)cloud;
    const struct gl_userdata told = told_to(vps, launch);

    gl_remote_begin(&vps->remote, GL_REMOTE_DEADLINE_MS);
    if (gl_userdata_check(&told, err) < 0 || check_names(vps, launch, err) < 0)
        return -1;
    return check_offer(vps, launch, err);
}

/* ---- after something was made ---- */

/* Nothing may be left behind a launch that failed; what cannot be ended now is said to be in
 * doubt, so that it is looked for by its token. */
static int clean(struct gl_vps *vps, const struct gl_instance *made, struct gl_error *err)
{
    struct gl_cloud_failure failure = vps->remote.cloud.failure;
    struct gl_error why = {0};

    gl_remote_begin(&vps->remote, CLEAN_MS);
    vps->remote.is_cancelled = NULL;
    if (gl_vps_terminate(&vps->remote.cloud, made->id, &why) < 0 && why.code != GL_E_NOT_FOUND) {
        err->code = GL_E_OUTCOME;
        gl_wrap(err, "server %s could not be ended after a failure (%.200s)", made->id, why.text);
    }
    vps->remote.cloud.failure = failure;
    return -1;
}

/* Until the provider says that it is done, or for so long. */
static int follow(struct gl_vps *vps, struct gl_error *err)
{
    const struct gl_world *world = vps->remote.world;
    int64_t until = world->monotonic_ms(world->cookie) + FOLLOW_MS, pause = LOOK_MS;
    int got = 0;

    while (vps->action != 0 && world->monotonic_ms(world->cookie) < until &&
           (got = vps->ops->follow(vps, err)) > 0) {
        if (gl_remote_wait(&vps->remote, pause, err) < 0)
            return -1;
        pause = pause * 2 < LOOK_MAX_MS ? pause * 2 : LOOK_MAX_MS;
    }
    return got < 0 ? -1 : 0;
}

/* A provider's lists and pages lag behind what it has done. */
static void look_again(struct gl_vps *vps, struct gl_instance *inout)
{
    const struct gl_world *world = vps->remote.world;
    int64_t until = world->monotonic_ms(world->cookie) + GL_REMOTE_SETTLE_MS;

    for (;;) {
        struct gl_instance seen;
        struct gl_error why = {0};

        if (vps->ops->look(vps, inout->id, &seen, &why) == 0) {
            *inout = seen;
            return;
        }
        if (why.code != GL_E_NOT_FOUND || world->monotonic_ms(world->cookie) > until ||
            gl_remote_wait(&vps->remote, LOOK_MS, &why) < 0)
            return;
    }
}

/* Another launcher with the same token may have made one at the same moment. */
static int be_the_only_one(struct gl_vps *vps, const struct gl_launch *launch,
                           struct gl_instance *inout)
{
    struct gl_vps_list list = {NULL, 0, 0};
    const struct gl_instance *best;
    struct gl_error why = {0};
    bool has_ours = false;

    if (vps->ops->search(vps, launch->region, launch->token, &list.items, &list.count, &why) < 0) {
        free(list.items);
        return 0; /* whoever looks next sees both */
    }
    list.capacity = list.count;
    for (size_t i = 0; i < list.count; i++)
        has_ours |= strcmp(list.items[i].id, inout->id) == 0;
    if (!has_ours)
        gl_vps_list_add(&list, inout);
    best = gl_instance_of_token(list.items, list.count, launch->token);
    for (size_t i = 0; i < list.count; i++)
        if (best != NULL && strcmp(list.items[i].id, best->id) != 0 &&
            strcmp(list.items[i].token, launch->token) == 0)
            gl_vps_terminate(&vps->remote.cloud, list.items[i].id, &why);
    if (best != NULL)
        *inout = *best;
    free(list.items);
    return 0;
}

static int finish(struct gl_vps *vps, const struct gl_launch *launch, const char *user_data,
                  struct gl_instance *inout, struct gl_error *err)
{
    if ((vps->ops->finish != NULL && vps->ops->finish(vps, inout, user_data, err) < 0) ||
        follow(vps, err) < 0)
        return clean(vps, inout, err);
    look_again(vps, inout);
    if (vps->ops->finish != NULL && inout->state == GL_STATE_HALTED) {
        gl_fail(err, GL_E_LAUNCH, "%s in %s: server %s was told to start and is off still",
                name_of(vps), launch->region, inout->id);
        return clean(vps, inout, err);
    }
    return be_the_only_one(vps, launch, inout);
}

/* ---- the launch ---- */

static bool is_unstarted(const struct gl_instance *instance)
{
    return strcmp(instance->why, GL_VPS_UNSTARTED) == 0;
}

/* 1 found (and started, if it was only made), 0 absent, -1 not known. */
static int search(struct gl_vps *vps, const struct gl_launch *launch, const char *user_data,
                  struct gl_instance *out, struct gl_error *err)
{
    struct gl_vps_list list = {NULL, 0, 0};
    const struct gl_instance *best;
    struct gl_instance found;

    if (vps->ops->search(vps, launch->region, launch->token, &list.items, &list.count, err) < 0) {
        free(list.items);
        return -1;
    }
    best = gl_instance_of_token(list.items, list.count, launch->token);
    if (best != NULL)
        found = *best;
    free(list.items);
    if (best == NULL)
        return 0;
    if (is_unstarted(&found) && finish(vps, launch, user_data, &found, err) < 0)
        return -1;
    *out = found;
    return 1;
}

/* It was asked for, and nobody knows what came of it: looked for until what was done would show. */
static int settle(struct gl_vps *vps, const struct gl_launch *launch, const char *user_data,
                  struct gl_instance *out, struct gl_error *err)
{
    const struct gl_world *world = vps->remote.world;
    struct gl_cloud_failure failure = vps->remote.cloud.failure;
    int64_t until = world->monotonic_ms(world->cookie) + GL_REMOTE_SETTLE_MS;
    struct gl_error why = {0};
    int found;

    gl_remote_begin(&vps->remote, GL_REMOTE_SETTLE_MS + CLEAN_MS);
    for (;;) {
        gl_error_clear(&why);
        found = search(vps, launch, user_data, out, &why);
        if (found == 1) {
            gl_error_clear(err);
            return 0;
        }
        if (world->monotonic_ms(world->cookie) >= until ||
            gl_remote_wait(&vps->remote, LOOK_MAX_MS, &why) < 0)
            break;
    }
    if (found < 0)
        gl_wrap(err, "not found by its token either (%.200s)", why.text);
    vps->remote.cloud.failure = failure;
    return -1;
}

/* Another launcher with the same token has the elder, and has ended ours: that is the one. */
static int take_elder(struct gl_vps *vps, const struct gl_launch *launch, const char *user_data,
                      const struct gl_instance *ours, struct gl_instance *out, struct gl_error *err)
{
    struct gl_error why = {0};

    if ((err->code != GL_E_NOT_FOUND && err->code != GL_E_LAUNCH) ||
        search(vps, launch, user_data, out, &why) <= 0 || strcmp(out->id, ours->id) == 0)
        return -1;
    gl_error_clear(err);
    return 0;
}

static int create(struct gl_vps *vps, const struct gl_launch *launch, const char *user_data,
                  struct gl_instance *out, struct gl_error *err)
{
    struct gl_instance made = {.host_cpu_ms = -1};
    struct gl_error why = {0};

    vps->action = 0;
    if (vps->ops->create(vps, launch, user_data, &made, &why) < 0) {
        /* What the table does not know and the provider refuses is a wrong name. */
        if ((why.code == GL_E_BAD_VALUE || why.code == GL_E_NOT_FOUND) &&
            !gl_vps_knows(vps, launch->region, launch->type))
            why.code = GL_E_UNKNOWN_NAME;
        gl_fail(err, why.code, "%s", why.text);
        if (why.code != GL_E_OUTCOME && why.code != GL_E_TOKEN)
            return -1;
        if (settle(vps, launch, user_data, out, err) < 0)
            return -1;
        return 0;
    }
    if (finish(vps, launch, user_data, &made, err) < 0)
        return take_elder(vps, launch, user_data, &made, out, err);
    *out = made;
    return 0;
}

static int launch_cancellable(struct gl_vps *vps, const struct gl_launch *launch,
                              struct gl_instance *out, struct gl_error *err)
{
    GL_AUTO(gl_str_done) struct gl_str user_data = {0};
    const struct gl_userdata told = told_to(vps, launch);
    struct gl_instance made;
    int result;

    if (gl_userdata_make(&told, &user_data, err) < 0)
        return -1;
    result = search(vps, launch, gl_str_text(&user_data), &made, err);
    if (result == 0 && launch->max_price_u_usd != 0)
        result = check_offer(vps, launch, err);
    if (result == 0)
        result = create(vps, launch, gl_str_text(&user_data), &made, err) == 0 ? 1 : -1;
    gl_wipe(user_data.text, user_data.length);
    if (result < 0)
        return -1;
    *out = made;
    return 0;
}

int gl_vps_launch(struct gl_cloud *cloud, const struct gl_launch *launch, struct gl_instance *out,
                  struct gl_error *err)
{
    struct gl_vps *vps = (struct gl_vps *)cloud;
    struct gl_remote_watch watch;
    int result;

    if (check_names(vps, launch, err) < 0)
        return -1;
    gl_remote_begin(&vps->remote, LAUNCH_MS);
    gl_remote_watch(&vps->remote, launch, &watch);
    result = launch_cancellable(vps, launch, out, err);
    gl_remote_unwatch(&vps->remote, &watch);
    return result;
}
