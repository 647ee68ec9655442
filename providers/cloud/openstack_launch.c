/* SPDX-License-Identifier: Apache-2.0 */
/* https://docs.openstack.org/api-ref/compute/#create-server */
#include "providers/cloud/openstack.h"

#include "providers/cloud/userdata.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LAUNCH_MS   300000
#define LOOK_MS     300
#define LOOK_MAX_MS 3000
/* What base64 makes of so many bytes is at most GL_OPENSTACK_USER_DATA characters. */
#define USER_DATA_MAX ((size_t)GL_OPENSTACK_USER_DATA / 4 * 3)

/* What one launch is about. */
struct making {
    struct gl_openstack *os;
    struct gl_openstack_place *place;
    const struct gl_launch *launch;
    char name[GL_CLOUD_ID + 4]; /* as a regular expression */
    char uuid[40];
};

/* ---- making ---- */

static struct gl_userdata told_to(const struct gl_launch *launch)
{
    return (struct gl_userdata){
        .launch = launch, .end = GL_GUEST_STAYS, .console = "/dev/ttyS0", .ceiling = USER_DATA_MAX};
}

static char *coded_user_data(const struct gl_launch *launch, struct gl_error *err)
{
    const struct gl_userdata wanted = told_to(launch);
    struct gl_str plain = {0};
    char *coded = NULL;

    if (gl_userdata_make(&wanted, &plain, err) == 0) {
        coded = gl_alloc(4 * ((plain.length + 2) / 3) + 1);
        gl_base64_text(gl_str_text(&plain), plain.length, coded);
    }
    if (plain.text != NULL)
        gl_wipe(plain.text, plain.length);
    gl_str_done(&plain);
    return coded;
}

static json_t *body_of(struct making *making, const char *user_data, struct gl_error *err)
{
    struct gl_openstack *os = making->os;
    struct gl_openstack_body wanted = {.launch = making->launch,
                                       .user_data = user_data,
                                       .keypair = os->keypair,
                                       .security_group = os->security_group,
                                       .zone = os->zone};
    char image[64], network[64];
    const json_t *flavor;

    if (gl_openstack_flavor(os, making->place, making->launch->type, &flavor, err) != 0 ||
        gl_openstack_image_of(os, making->place, making->launch, image, err) != 0 ||
        gl_openstack_network_of(os, making->place, network, err) != 0)
        return NULL;
    wanted.flavor = json_string_value(json_object_get(flavor, "id"));
    wanted.image = image;
    wanted.network = network;
    return gl_openstack_server_body(&wanted);
}

/* The answer holds a password of the machine that nobody asked for. */
static int take_id(struct making *making, struct gl_remote_call *call, struct gl_error *err)
{
    GL_AUTO(gl_auto_json) json_t *root = gl_openstack_ask(making->os, call, err);
    const json_t *server = json_object_get(root, "server");
    const char *id = json_string_value(json_object_get(server, "id"));
    union {
        const char *borrowed;
        char *ours;
    } password = {json_string_value(json_object_get(server, "adminPass"))};

    if (password.borrowed != NULL)
        gl_wipe(password.ours, strlen(password.borrowed));
    if (root == NULL)
        return -1;
    if (id == NULL || !gl_openstack_is_uuid(id))
        return gl_fail(err, GL_E_OUTCOME, "openstack in %s: the answer names no server",
                       making->place->region);
    snprintf(making->uuid, sizeof making->uuid, "%s", id);
    return 0;
}

static int create(struct making *making, struct gl_error *err)
{
    struct gl_remote_call call = {.is_create = true};
    char *user_data = coded_user_data(making->launch, err);
    json_t *body = user_data != NULL ? body_of(making, user_data, err) : NULL;
    int rc = -1;

    if (body != NULL) {
        gl_openstack_call(making->place, &call, GL_OPENSTACK_COMPUTE, "POST", "servers");
        gl_remote_body_json(&call, body);
        rc = take_id(making, &call, err);
    }
    json_decref(body);
    if (user_data != NULL)
        gl_wipe(user_data, strlen(user_data));
    free(user_data);
    return rc;
}

/* ---- looking for it ---- */

/* 1 and its uuid, 0 there is none, -1. Of several, those that failed count too: they are ours to
 * remove. */
static int search(struct making *making, struct gl_error *err)
{
    struct gl_openstack_servers servers;
    const char *token = making->launch->token;
    int at;

    if (gl_openstack_search(making->os, making->place->region, making->name, &servers, err) != 0)
        return -1;
    at = gl_openstack_best(&servers, token);
    for (size_t i = 0; at < 0 && i < servers.count; i++)
        if (strcmp(servers.rows[i].instance.token, token) == 0)
            at = (int)i;
    if (at >= 0)
        snprintf(making->uuid, sizeof making->uuid, "%.36s",
                 strchr(servers.rows[at].instance.id, '/') + 1);
    free(servers.rows);
    return at >= 0;
}

/* It was asked for, and nobody knows what came of it: looked for until what was done would show. */
static int settle(struct making *making, struct gl_error *err)
{
    const struct gl_world *world = making->os->remote.world;
    struct gl_cloud_failure failure = making->os->remote.cloud.failure;
    int64_t until = world->monotonic_ms(world->cookie) + GL_REMOTE_SETTLE_MS;
    struct gl_error why = {0};
    int found;

    while ((found = search(making, &why)) <= 0 && world->monotonic_ms(world->cookie) < until) {
        gl_error_clear(&why);
        if (gl_remote_wait(&making->os->remote, LOOK_MAX_MS, &why) != 0)
            break;
    }
    if (found > 0) {
        gl_error_clear(err);
        return 0;
    }
    if (found < 0)
        gl_wrap(err, "not found by its token either (%.200s)", why.text);
    making->os->remote.cloud.failure = failure;
    return -1;
}

/* ---- following it ---- */

/* Nothing may be left behind a launch that failed; what cannot be ended now is in doubt, so that it
 * is looked for by its token. */
static int clean(struct making *making, struct gl_error *err)
{
    struct gl_cloud_failure failure = making->os->remote.cloud.failure;
    struct gl_error why = {0};

    making->os->remote.is_cancelled = NULL;
    if (gl_openstack_remove(making->os, making->place, making->uuid, &why) != 0) {
        err->code = GL_E_OUTCOME;
        gl_wrap(err, "server %s could not be ended after a failure (%.200s)", making->uuid,
                why.text);
    }
    making->os->remote.cloud.failure = failure;
    return -1;
}

static int fail_fault(struct making *making, const struct gl_openstack_server *server,
                      struct gl_error *err)
{
    struct gl_cloud_failure *failure = &making->os->remote.cloud.failure;
    enum gl_reach reach;
    enum gl_errc code = gl_openstack_fault_code(server->fault, &reach);
    struct gl_str clean_text = {.ceiling = 300};

    *failure = (struct gl_cloud_failure){.reach = reach, .retry_after_ms = -1};
    snprintf(failure->word, sizeof failure->word, "%.63s", server->fault);
    gl_str_add_printable(&clean_text, server->fault, strlen(server->fault));
    gl_fail(err, code, "openstack in %s: the server failed after it was accepted: %s",
            making->place->region,
            clean_text.length > 0 ? gl_str_text(&clean_text) : "no reason is told");
    gl_str_done(&clean_text);
    return clean(making, err);
}

/* A look that failed: 0 = look again, -1 = it is over with it. */
static int bear(struct making *making, const struct gl_error *why, bool is_past,
                struct gl_error *err)
{
    if (why->code == GL_E_NOT_FOUND && is_past)
        return gl_fail(err, GL_E_LAUNCH, "openstack in %s: server %s went before it ran",
                       making->place->region, making->uuid);
    if (why->code != GL_E_INTERRUPTED && why->code != GL_E_TOKEN && why->code != GL_E_PERMISSION)
        return 0;
    gl_fail(err, why->code, "%s", why->text);
    return clean(making, err);
}

/* Until it is up. One that is being built at the end of our time is handed over as it is. */
static int await(struct making *making, struct gl_openstack_server *out, struct gl_error *err)
{
    const struct gl_world *world = making->os->remote.world;
    int64_t settled = world->monotonic_ms(world->cookie) + GL_REMOTE_SETTLE_MS, pause = LOOK_MS;
    struct gl_error why = {0};
    bool was_seen = false;

    for (;;) {
        gl_error_clear(&why);
        if (gl_openstack_look(making->os, making->place, making->uuid, out, &why) == 0) {
            was_seen = true;
            if (out->is_error && !out->has_run)
                return fail_fault(making, out, err);
            if (out->instance.state != GL_STATE_LAUNCHING)
                return 0;
        } else if (bear(making, &why, was_seen || world->monotonic_ms(world->cookie) > settled,
                        err) != 0)
            return -1;
        gl_error_clear(&why);
        if (gl_remote_wait(&making->os->remote, pause, &why) != 0)
            break;
        pause = pause * 2 < LOOK_MAX_MS ? pause * 2 : LOOK_MAX_MS;
    }
    if (why.code == GL_E_TIMEOUT && was_seen)
        return 0;
    gl_fail(err, why.code, "%s", why.text);
    return clean(making, err);
}

/* Another launcher with the same token may have made one at the same moment: the eldest counts. */
static int be_the_only_one(struct making *making, struct gl_instance *inout)
{
    struct gl_openstack_servers servers;
    struct gl_error why = {0};
    int at;

    if (gl_openstack_search(making->os, making->place->region, making->name, &servers, &why) != 0)
        return 0; /* whoever looks next sees both */
    at = gl_openstack_best(&servers, making->launch->token);
    if (at >= 0)
        *inout = servers.rows[at].instance;
    gl_openstack_end_others(making->os, &servers, making->launch->token, inout->id);
    free(servers.rows);
    return 0;
}

/* ---- the launch ---- */

static int check_first(const struct gl_openstack *os, const struct gl_launch *launch,
                       struct gl_error *err)
{
    if (launch->is_spot)
        return gl_fail(err, GL_E_USAGE, "openstack has no spot price: launch without --spot");
    return gl_openstack_check_price(os, launch, err);
}

static int launch_one(struct making *making, struct gl_instance *out, struct gl_error *err)
{
    struct gl_openstack_server server;
    struct gl_error why = {0};
    char ours[sizeof making->uuid];
    int rc, found = search(making, err);

    if (found < 0 || (found == 0 && check_first(making->os, making->launch, err) != 0))
        return -1;
    if (found == 0 && create(making, &why) != 0) {
        gl_fail(err, why.code, "%s", why.text);
        if (why.code != GL_E_OUTCOME || settle(making, err) != 0)
            return -1;
    }
    memcpy(ours, making->uuid, sizeof ours);
    rc = await(making, &server, err);
    /* Another launcher with the same token may have the elder, and have ended ours. */
    if (rc != 0 && err->code == GL_E_LAUNCH && search(making, &why) > 0 &&
        strcmp(making->uuid, ours) != 0) {
        gl_error_clear(err);
        rc = await(making, &server, err);
    }
    if (rc != 0)
        return -1;
    be_the_only_one(making, &server.instance);
    *out = server.instance;
    return 0;
}

int gl_openstack_launch(struct gl_cloud *cloud, const struct gl_launch *launch,
                        struct gl_instance *out, struct gl_error *err)
{
    struct gl_openstack *os = gl_openstack_of(cloud);
    struct making making = {.os = os, .launch = launch};
    struct gl_remote_watch watch;
    char name[GL_CLOUD_ID];
    const json_t *flavor;
    int rc;

    if (gl_openstack_begin(os, LAUNCH_MS, err) != 0 ||
        gl_openstack_place(os, launch->region, &making.place, err) != 0 ||
        gl_openstack_flavor(os, making.place, launch->type, &flavor, err) != 0)
        return -1;
    gl_attempt_name(launch, name);
    snprintf(making.name, sizeof making.name, "^%s$", name);
    gl_remote_watch(&os->remote, launch, &watch);
    rc = launch_one(&making, out, err);
    gl_remote_unwatch(&os->remote, &watch);
    return rc;
}

/* ---- before it: no dry run, but the head-room ---- */

static int check_room(const struct gl_openstack_place *place, const json_t *limits,
                      const json_t *flavor, struct gl_error *err)
{
    static const struct {
        const char *most, *used, *of; /* of the flavor; NULL = one */
    } rows[] = {{"maxTotalInstances", "totalInstancesUsed", NULL},
                {"maxTotalCores", "totalCoresUsed", "vcpus"},
                {"maxTotalRAMSize", "totalRAMUsed", "ram"}};

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const json_t *most = json_object_get(limits, rows[i].most);
        const json_t *used = json_object_get(limits, rows[i].used);
        json_int_t needs =
            rows[i].of != NULL ? json_integer_value(json_object_get(flavor, rows[i].of)) : 1;

        /* No sum of two figures from outside: it might overflow. */
        if (json_is_integer(most) && json_integer_value(most) >= 0 && json_is_integer(used) &&
            json_integer_value(used) > json_integer_value(most) - needs)
            return gl_fail(err, GL_E_QUOTA, "openstack in %s: quota %s is %lld, %lld are used",
                           place->region, rows[i].most, (long long)json_integer_value(most),
                           (long long)json_integer_value(used));
    }
    return 0;
}

int gl_openstack_check(struct gl_cloud *cloud, const struct gl_launch *launch, struct gl_error *err)
{
    struct gl_openstack *os = gl_openstack_of(cloud);
    struct gl_remote_call call = {0};
    GL_AUTO(gl_auto_json) json_t *root = NULL;
    struct gl_openstack_place *place;
    const json_t *flavor;
    char image[64], network[64];
    const struct gl_userdata told = told_to(launch);

    if (gl_userdata_check(&told, err) != 0 ||
        gl_openstack_begin(os, GL_REMOTE_DEADLINE_MS, err) != 0 ||
        gl_openstack_place(os, launch->region, &place, err) != 0 ||
        gl_openstack_flavor(os, place, launch->type, &flavor, err) != 0 ||
        check_first(os, launch, err) != 0 ||
        gl_openstack_image_of(os, place, launch, image, err) != 0 ||
        gl_openstack_network_of(os, place, network, err) != 0)
        return -1;
    gl_openstack_call(place, &call, GL_OPENSTACK_COMPUTE, "GET", "limits");
    root = gl_openstack_ask(os, &call, err);
    if (root == NULL)
        return -1;
    return check_room(place, json_object_get(json_object_get(root, "limits"), "absolute"), flavor,
                      err);
}
