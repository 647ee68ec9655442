/* SPDX-License-Identifier: Apache-2.0 */
/* Finding, looking, removing. */
#include "providers/cloud/openstack.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGES_MAX    200
#define PAGE         "500"
#define GONE_MS      90000
#define LOOK_MS      300
#define LOOK_MAX_MS  3000
#define DELETE_EVERY 4 /* looks at one that does not seem to go */

static void add(struct gl_openstack_servers *servers, const struct gl_openstack_server *server)
{
    if (servers->count == servers->capacity) {
        servers->capacity = servers->capacity > 0 ? 2 * servers->capacity : 16;
        servers->rows = gl_realloc(servers->rows, servers->capacity * sizeof *servers->rows);
    }
    servers->rows[servers->count++] = *server;
}

/* ---- lists: all regions at once, page by page ---- */

struct asked {
    struct gl_openstack_place *place;
    char marker[64];
    bool is_open; /* pages are left */
};

static void ask_page(const struct asked *asked, const char *name, struct gl_remote_call *call)
{
    gl_openstack_call(asked->place, call, GL_OPENSTACK_COMPUTE, "GET", "servers/detail");
    gl_remote_query(call, "name", name);
    gl_remote_query(call, "limit", PAGE);
    if (asked->marker[0] != '\0')
        gl_remote_query(call, "marker", asked->marker);
}

static int read_page(struct asked *asked, const json_t *page, struct gl_openstack_servers *out,
                     struct gl_error *err)
{
    const json_t *rows = json_object_get(page, "servers"), *row;
    const char *id = NULL;
    size_t i;

    if (!json_is_array(rows))
        return gl_fail(err, GL_E_BAD_REPLY, "openstack in %s: the answer holds no servers",
                       asked->place->region);
    json_array_foreach(rows, i, row)
    {
        struct gl_openstack_server server;

        id = json_string_value(json_object_get(row, "id"));
        if (gl_openstack_read_server(row, asked->place->region, asked->place->flavors, &server))
            add(out, &server);
    }
    asked->is_open = json_array_size(json_object_get(page, "servers_links")) > 0;
    if (!asked->is_open)
        return 0;
    if (id == NULL || !gl_openstack_is_uuid(id) || strcmp(id, asked->marker) == 0)
        return gl_fail(err, GL_E_BAD_REPLY, "openstack in %s: the list of servers does not go on",
                       asked->place->region);
    snprintf(asked->marker, sizeof asked->marker, "%s", id);
    return 0;
}

static int take_answer(struct gl_openstack *os, struct asked *asked,
                       const struct gl_remote_call *call, struct gl_openstack_servers *out,
                       struct gl_error *err)
{
    GL_AUTO(gl_auto_json) json_t *page = NULL;
    struct gl_error why = call->err;

    asked->is_open = false;
    if (why.code != GL_OK) {
        gl_openstack_explain(os, &why);
        return gl_fail(err, why.code, "%s", why.text);
    }
    page = gl_remote_reply_json(call, err);
    return page != NULL ? read_page(asked, page, out, err) : -1;
}

/* One page of every region that has some left. Returns how many were asked for. */
static size_t one_round(struct gl_openstack *os, struct asked *asked, size_t count,
                        const char *name, struct gl_openstack_servers *out, struct gl_error *err)
{
    struct gl_remote_call calls[GL_OPENSTACK_PLACES] = {{0}};
    struct asked *of[GL_OPENSTACK_PLACES];
    size_t open = 0;

    for (size_t i = 0; i < count; i++)
        if (asked[i].is_open) {
            ask_page(&asked[i], name, &calls[open]);
            of[open++] = &asked[i];
        }
    if (open > 0)
        gl_remote_send_all(&os->remote, calls, open);
    for (size_t i = 0; i < open; i++) {
        take_answer(os, of[i], &calls[i], out, err);
        gl_remote_call_done(&calls[i]);
    }
    return open;
}

int gl_openstack_search(struct gl_openstack *os, const char *region, const char *name,
                        struct gl_openstack_servers *out, struct gl_error *err)
{
    struct asked asked[GL_OPENSTACK_PLACES] = {{0}};
    struct gl_openstack_place *place;
    struct gl_error why = {0};
    unsigned round = 0;
    size_t count = 0;

    *out = (struct gl_openstack_servers){0};
    gl_openstack_ask_versions(os, region);
    for (size_t i = 0; i < os->place_count; i++) {
        if (region != NULL && strcmp(os->places[i].region, region) != 0)
            continue;
        if (gl_openstack_place(os, os->places[i].region, &place, &why) == 0)
            asked[count++] = (struct asked){.place = place, .is_open = true};
    }
    if (count == 0 && why.code == GL_OK)
        return gl_openstack_place(os, region != NULL ? region : "", &place, err);
    while (why.code == GL_OK && round++ < PAGES_MAX &&
           one_round(os, asked, count, name, out, &why) > 0) {
    }
    if (why.code == GL_OK && round > PAGES_MAX)
        gl_fail(&why, GL_E_BAD_REPLY, "openstack: the list of servers does not end");
    if (why.code == GL_OK)
        return 0;
    free(out->rows);
    *out = (struct gl_openstack_servers){0};
    return gl_fail(err, why.code, "%s", why.text);
}

/* ---- of one token ---- */

static bool is_unborn(const struct gl_openstack_server *server)
{
    return server->is_error && !server->has_run;
}

int gl_openstack_best(const struct gl_openstack_servers *servers, const char *token)
{
    struct gl_instance *rows = gl_alloc((servers->count + 1) * sizeof *rows);
    const struct gl_instance *best;
    size_t used = 0;
    int at = -1;

    for (size_t i = 0; i < servers->count; i++)
        if (!is_unborn(&servers->rows[i]) && servers->rows[i].instance.state != GL_STATE_ENDED)
            rows[used++] = servers->rows[i].instance;
    best = gl_instance_of_token(rows, used, token);
    for (size_t i = 0; best != NULL && at < 0 && i < servers->count; i++)
        if (strcmp(servers->rows[i].instance.id, best->id) == 0)
            at = (int)i;
    free(rows);
    return at;
}

void gl_openstack_end_others(struct gl_openstack *os, const struct gl_openstack_servers *servers,
                             const char *token, const char *best)
{
    for (size_t i = 0; i < servers->count; i++) {
        const struct gl_instance *one = &servers->rows[i].instance;
        struct gl_openstack_place *place;
        struct gl_error ignored = {0};
        const char *uuid;

        if (strcmp(one->token, token) == 0 && strcmp(one->id, best) != 0 &&
            gl_openstack_id(os, one->id, &place, &uuid, &ignored) == 0)
            gl_openstack_remove(os, place, uuid, &ignored);
    }
}

/* ---- one ---- */

int gl_openstack_look(struct gl_openstack *os, struct gl_openstack_place *place, const char *uuid,
                      struct gl_openstack_server *out, struct gl_error *err)
{
    struct gl_remote_call call = {0};
    GL_AUTO(gl_auto_json) json_t *root = NULL;

    gl_openstack_call(place, &call, GL_OPENSTACK_COMPUTE, "GET", "servers/%s", uuid);
    root = gl_openstack_ask(os, &call, err);
    if (root == NULL)
        return -1;
    if (!gl_openstack_read_server(json_object_get(root, "server"), place->region, place->flavors,
                                  out))
        return gl_fail(err, GL_E_TOKEN, "openstack in %s: server %s is not ours", place->region,
                       uuid);
    return 0;
}

static int delete_once(struct gl_openstack *os, struct gl_openstack_place *place, const char *uuid,
                       struct gl_error *err)
{
    struct gl_remote_call call = {0};

    gl_openstack_call(place, &call, GL_OPENSTACK_COMPUTE, "DELETE", "servers/%s", uuid);
    return gl_openstack_tell(os, &call, err);
}

static bool is_passing(enum gl_errc code)
{
    return code == GL_E_PROVIDER || code == GL_E_BUSY || code == GL_E_NETWORK ||
           code == GL_E_TIMEOUT || code == GL_E_RATE_LIMIT;
}

/* 1 gone, 0 not yet, -1. */
static int is_gone(struct gl_openstack *os, struct gl_openstack_place *place, const char *uuid,
                   unsigned looks, struct gl_error *err)
{
    struct gl_openstack_server seen;
    struct gl_error why = {0};

    if (gl_openstack_look(os, place, uuid, &seen, &why) != 0) {
        if (why.code == GL_E_NOT_FOUND)
            return 1;
        return is_passing(why.code) ? 0 : gl_fail(err, why.code, "%s", why.text);
    }
    if (seen.is_kept)
        return 1;
    if (seen.instance.state == GL_STATE_ENDED) /* DELETED, for a moment: not gone yet */
        return 0;
    if (seen.is_error
            ? !seen.is_busy
            : seen.instance.state != GL_STATE_STOPPING && looks % DELETE_EVERY == DELETE_EVERY - 1)
        delete_once(os, place, uuid, &why);
    return 0;
}

int gl_openstack_remove(struct gl_openstack *os, struct gl_openstack_place *place, const char *uuid,
                        struct gl_error *err)
{
    struct gl_error why = {0};
    int64_t pause = LOOK_MS;

    gl_remote_begin(&os->remote, GONE_MS);
    if (delete_once(os, place, uuid, &why) != 0 && !is_passing(why.code))
        return why.code == GL_E_NOT_FOUND ? 0 : gl_fail(err, why.code, "%s", why.text);
    for (unsigned looks = 0;; looks++) {
        int gone = is_gone(os, place, uuid, looks, err);

        if (gone != 0)
            return gone > 0 ? 0 : -1;
        if (gl_remote_wait(&os->remote, pause, err) != 0)
            return gl_wrap(err, "openstack in %s: server %s was told to go and is still there",
                           place->region, uuid);
        pause = pause * 2 < LOOK_MAX_MS ? pause * 2 : LOOK_MAX_MS;
    }
}
