/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/gcp.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define USER_DATA_MAX ((size_t)200 << 10) /* of 256 KB a metadata value */
#define PAGES_MAX     200

/* ---- one instance ---- */

/* 1 found, 0 there is none of that name, -1. */
static int get(struct gl_gcp *gcp, const char *zone, const char *name, struct gl_instance *out,
               struct gl_error *err)
{
    struct gl_remote_call call = {0};
    struct gl_error trouble = {0};
    GL_AUTO(gl_auto_json) json_t *root = NULL;

    gl_gcp_call(gcp, &call, "GET", "zones/%s/instances/%s", zone, name);
    root = gl_remote_json(&gcp->remote, &call, &trouble);
    gl_remote_call_done(&call);
    if (root == NULL && trouble.code == GL_E_NOT_FOUND)
        return 0;
    if (root == NULL)
        return gl_fail(err, trouble.code, "%s", trouble.text);
    if (!gl_gcp_read_instance(root, out))
        return gl_fail(err, GL_E_TOKEN, "gcp: %s in %s is not ours", name, zone);
    return 1;
}

int gl_gcp_describe(struct gl_cloud *cloud, const char *id, struct gl_instance *out,
                    struct gl_error *err)
{
    struct gl_gcp *gcp = gl_gcp_of(cloud);
    const char *name;
    char zone[48];
    int got;

    if (gl_gcp_id(id, zone, &name, err) != 0 || gl_gcp_begin(gcp, err) != 0)
        return -1;
    got = get(gcp, zone, name, out, err);
    return got > 0 ? 0 : got == 0 ? gl_fail(err, GL_E_NOT_FOUND, "gcp knows no %s", id) : -1;
}

struct gl_userdata gl_gcp_told(const struct gl_gcp *gcp, const struct gl_launch *launch)
{
    return (struct gl_userdata){.launch = launch,
                                .end = GL_GUEST_POWEROFF,
                                .console = "/dev/ttyS0",
                                .notice = launch->is_spot ? "gcp" : NULL,
                                .identity = gcp->service_account != NULL ? "gcp" : NULL,
                                .is_script_only = true,
                                .ceiling = USER_DATA_MAX};
}

static int insert(struct gl_gcp *gcp, const struct gl_launch *launch, const char *zone,
                  struct gl_error *err)
{
    const struct gl_userdata wanted = gl_gcp_told(gcp, launch);
    struct gl_remote_call call = {.region = launch->region, .is_create = true};
    struct gl_str user_data = {0};
    char request_id[37];
    json_t *body;
    int rc;

    if (gl_userdata_make(&wanted, &user_data, err) != 0)
        return -1;
    body = gl_gcp_insert_body(gcp, launch, zone, gl_str_text(&user_data));
    gl_gcp_request_id(launch->token, "insert", request_id);
    gl_gcp_call(gcp, &call, "POST", "zones/%s/instances", zone);
    gl_remote_query(&call, "requestId", request_id);
    gl_remote_body_json(&call, body);
    json_decref(body);
    gl_wipe(user_data.text, user_data.length);
    gl_str_done(&user_data);
    rc = gl_gcp_operate(gcp, &call, zone, err);
    gl_remote_call_done(&call);
    return rc;
}

/* The name is the token: 409 says that an instance of that name is there, ours or not. */
int gl_gcp_launch(struct gl_cloud *cloud, const struct gl_launch *launch, struct gl_instance *out,
                  struct gl_error *err)
{
    struct gl_gcp *gcp = gl_gcp_of(cloud);
    char zone[48], name[GL_CLOUD_ID];
    struct gl_error refused = {0};
    int got;

    if (gl_gcp_zone_of(gcp, launch, zone, err) != 0 || gl_gcp_begin(gcp, err) != 0)
        return -1;
    gl_attempt_name(launch, name);
    got = get(gcp, zone, name, out, err);
    if (got == 0) {
        if (gl_gcp_check_price(gcp, launch, err) != 0)
            return -1;
        if (insert(gcp, launch, zone, &refused) != 0 && refused.code != GL_E_TOKEN) {
            if (gcp->zone != NULL) /* no other is wanted */
                cloud->failure.places[0][0] = '\0';
            return gl_fail(err, refused.code, "%s", refused.text);
        }
        gl_remote_begin(&gcp->remote, GL_REMOTE_DEADLINE_MS);
        got = get(gcp, zone, name, out, err);
    }
    if (got == 0)
        return gl_fail(err, GL_E_OUTCOME, "gcp: %s was accepted and is not there", name);
    if (got > 0 && strcmp(out->token, launch->token) != 0)
        return gl_fail(err, GL_E_TOKEN, "gcp: %s belongs to another launch", name);
    return got > 0 ? 0 : -1;
}

/* ---- many ---- */

struct listing {
    struct gl_instance *rows;
    size_t count, capacity;
    bool is_whole;
};

static int read_scope(struct listing *listing, const json_t *scope)
{
    size_t i;
    const json_t *row;

    json_array_foreach(json_object_get(scope, "instances"), i, row)
    {
        struct gl_instance instance;

        if (!gl_gcp_read_instance(row, &instance))
            continue;
        if (listing->count == listing->capacity) {
            listing->capacity = listing->capacity > 0 ? 2 * listing->capacity : 16;
            listing->rows = gl_realloc(listing->rows, listing->capacity * sizeof *listing->rows);
        }
        listing->rows[listing->count++] = instance;
    }
    return 0;
}

/* A zone that did not answer is named in `unreachables` or as a warning of its scope: what is
 * missing then is not proven absent. */
static void read_page(struct listing *listing, const json_t *page)
{
    const char *name;
    json_t *scope;

    if (json_array_size(json_object_get(page, "unreachables")) > 0)
        listing->is_whole = false;
    json_object_foreach(json_object_get(page, "items"), name, scope)
    {
        const char *code =
            json_string_value(json_object_get(json_object_get(scope, "warning"), "code"));

        if (code != NULL && strcmp(code, "NO_RESULTS_ON_PAGE") != 0)
            listing->is_whole = false;
        read_scope(listing, scope);
    }
}

static int list_all(struct gl_gcp *gcp, const char *filter, struct listing *out,
                    struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *token = NULL;

    out->is_whole = true;
    for (unsigned i = 0; i < PAGES_MAX; i++) {
        struct gl_remote_call call = {0};
        GL_AUTO(gl_auto_json) json_t *page = NULL;
        const char *next;

        gl_gcp_call(gcp, &call, "GET", "aggregated/instances");
        gl_remote_query(&call, "filter", filter);
        gl_remote_query(&call, "maxResults", "500");
        gl_remote_query(&call, "returnPartialSuccess", "true");
        if (token != NULL)
            gl_remote_query(&call, "pageToken", token);
        page = gl_remote_json(&gcp->remote, &call, err);
        gl_remote_call_done(&call);
        if (page == NULL)
            return -1;
        read_page(out, page);
        next = json_string_value(json_object_get(page, "nextPageToken"));
        if (next == NULL || next[0] == '\0')
            return 0;
        free(token);
        token = gl_strdup(next);
    }
    return gl_fail(err, GL_E_BAD_REPLY, "gcp: the list of instances does not end");
}

int gl_gcp_list(struct gl_cloud *cloud, struct gl_instance **out, size_t *out_count,
                struct gl_error *err)
{
    struct gl_gcp *gcp = gl_gcp_of(cloud);
    struct listing listing = {0};

    if (gl_gcp_begin(gcp, err) != 0)
        return -1;
    if (list_all(gcp, "labels.greenlaunch-request:*", &listing, err) != 0 || !listing.is_whole) {
        free(listing.rows);
        return gl_fail(err, GL_E_PROVIDER, "gcp: some zones did not answer; the list is not whole");
    }
    *out = listing.rows != NULL ? listing.rows : gl_alloc(sizeof **out);
    *out_count = listing.count;
    return 0;
}

int gl_gcp_find(struct gl_cloud *cloud, const char *region, const char *token,
                struct gl_instance *out, struct gl_error *err)
{
    struct gl_gcp *gcp = gl_gcp_of(cloud);
    const struct gl_instance *found;
    struct listing listing = {0};
    char filter[160];
    int rc = -1;

    (void)region; /* one question covers them all */
    if (gl_gcp_begin(gcp, err) != 0)
        return -1;
    snprintf(filter, sizeof filter,
             "labels.greenlaunch-token-a=%.32s AND labels.greenlaunch-token-b=%.32s", token,
             strlen(token) > 32 ? token + 32 : "");
    if (list_all(gcp, filter, &listing, err) == 0) {
        found = gl_instance_of_token(listing.rows, listing.count, token);
        if (found != NULL)
            *out = *found;
        rc = found != NULL      ? 1
             : listing.is_whole ? 0
                                : gl_fail(err, GL_E_PROVIDER, "gcp: some zones did not answer");
    }
    free(listing.rows);
    return rc;
}

/* ---- ending, halting ---- */

/* A verb on an instance, followed to its end; done already is fine. */
static int act(struct gl_cloud *cloud, const char *id, const char *verb, struct gl_error *err)
{
    struct gl_gcp *gcp = gl_gcp_of(cloud);
    struct gl_remote_call call = {0};
    struct gl_error refused = {0};
    const char *name;
    char zone[48];
    int rc;

    if (gl_gcp_id(id, zone, &name, err) != 0 || gl_gcp_begin(gcp, err) != 0)
        return -1;
    gl_gcp_call(gcp, &call, verb != NULL ? "POST" : "DELETE", "zones/%s/instances/%s%s%s", zone,
                name, verb != NULL ? "/" : "", verb != NULL ? verb : "");
    rc = gl_gcp_operate(gcp, &call, zone, &refused);
    gl_remote_call_done(&call);
    if (rc != 0 && verb == NULL && refused.code == GL_E_NOT_FOUND)
        return 0;
    return rc == 0 ? 0 : gl_fail(err, refused.code, "%s", refused.text);
}

int gl_gcp_terminate(struct gl_cloud *cloud, const char *id, struct gl_error *err)
{
    return act(cloud, id, NULL, err);
}

int gl_gcp_halt(struct gl_cloud *cloud, const char *id, struct gl_error *err)
{
    return act(cloud, id, "stop", err);
}

int gl_gcp_start(struct gl_cloud *cloud, const char *id, struct gl_error *err)
{
    return act(cloud, id, "start", err);
}

/* Google presses the power button and gives the guest 90 s; the serial console of a stopped
 * instance can still be read, that of a deleted one cannot. */
int gl_gcp_stop(struct gl_cloud *cloud, const char *id, struct gl_span wait, struct gl_error *err)
{
    struct gl_instance instance;
    const char *name;
    char zone[48];

    (void)wait;
    if (gl_gcp_id(id, zone, &name, err) != 0)
        return -1;
    if (gl_gcp_describe(cloud, id, &instance, err) != 0) {
        if (err->code != GL_E_NOT_FOUND)
            return -1;
        gl_error_clear(err);
        return 0;
    }
    return instance.state == GL_STATE_HALTED ? 0 : gl_gcp_halt(cloud, id, err);
}

int gl_gcp_console(struct gl_cloud *cloud, const char *id, uint64_t offset, struct gl_str *out,
                   uint64_t *out_next, struct gl_error *err)
{
    struct gl_gcp *gcp = gl_gcp_of(cloud);
    struct gl_remote_call call = {0};
    GL_AUTO(gl_auto_json) json_t *root = NULL;
    const char *name, *text, *next;
    char zone[48], start[24];

    if (gl_gcp_id(id, zone, &name, err) != 0 || gl_gcp_begin(gcp, err) != 0)
        return -1;
    snprintf(start, sizeof start, "%" PRIu64, offset);
    gl_gcp_call(gcp, &call, "GET", "zones/%s/instances/%s/serialPort", zone, name);
    gl_remote_query(&call, "port", "1");
    gl_remote_query(&call, "start", start);
    root = gl_remote_json(&gcp->remote, &call, err);
    gl_remote_call_done(&call);
    if (root == NULL)
        return -1;
    text = json_string_value(json_object_get(root, "contents"));
    next = json_string_value(json_object_get(root, "next"));
    if (text == NULL || next == NULL || next[strspn(next, "0123456789")] != '\0')
        return gl_fail(err, GL_E_BAD_REPLY, "gcp: the answer is no console");
    gl_str_add_bytes(out, text, strlen(text));
    *out_next = strtoull(next, NULL, 10);
    return 0;
}
