/* SPDX-License-Identifier: Apache-2.0 */
/* Servers after their launch: https://docs.openstack.org/api-ref/compute/#servers-run-an-action */
#include "providers/cloud/openstack.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALL         "^gl-"
#define CHANGE_MS   180000 /* for a machine to power off or on */
#define LOOK_MS     300
#define LOOK_MAX_MS 3000

static int look_at(struct gl_openstack *os, const char *id, struct gl_openstack_place **out_place,
                   const char **out_uuid, struct gl_openstack_server *out, struct gl_error *err)
{
    return gl_openstack_id(os, id, out_place, out_uuid, err) != 0 ||
                   gl_openstack_look(os, *out_place, *out_uuid, out, err) != 0
               ? -1
               : 0;
}

int gl_openstack_describe(struct gl_cloud *cloud, const char *id, struct gl_instance *out,
                          struct gl_error *err)
{
    struct gl_openstack *os = gl_openstack_of(cloud);
    struct gl_openstack_place *place;
    struct gl_openstack_server seen;
    const char *uuid;

    if (gl_openstack_begin(os, GL_REMOTE_DEADLINE_MS, err) != 0 ||
        look_at(os, id, &place, &uuid, &seen, err) != 0)
        return -1;
    *out = seen.instance;
    return 0;
}

int gl_openstack_list(struct gl_cloud *cloud, struct gl_instance **out, size_t *out_count,
                      struct gl_error *err)
{
    struct gl_openstack *os = gl_openstack_of(cloud);
    struct gl_openstack_servers servers;

    if (gl_openstack_begin(os, GL_REMOTE_DEADLINE_MS, err) != 0 ||
        gl_openstack_search(os, NULL, ALL, &servers, err) != 0)
        return -1;
    *out = gl_alloc((servers.count + 1) * sizeof **out);
    for (size_t i = 0; i < servers.count; i++)
        (*out)[i] = servers.rows[i].instance;
    *out_count = servers.count;
    free(servers.rows);
    return 0;
}

/* A server that failed before it ever ran is removed, and is no instance: 0 only when all such are
 * gone. */
static int end_unborn(struct gl_openstack *os, const struct gl_openstack_servers *servers,
                      const char *token, struct gl_error *err)
{
    for (size_t i = 0; i < servers->count; i++) {
        const struct gl_openstack_server *one = &servers->rows[i];
        struct gl_openstack_place *place;
        const char *uuid;

        if (strcmp(one->instance.token, token) == 0 && one->is_error && !one->has_run &&
            (gl_openstack_id(os, one->instance.id, &place, &uuid, err) != 0 ||
             gl_openstack_remove(os, place, uuid, err) != 0))
            return -1;
    }
    return 0;
}

int gl_openstack_find(struct gl_cloud *cloud, const char *region, const char *token,
                      struct gl_instance *out, struct gl_error *err)
{
    struct gl_openstack *os = gl_openstack_of(cloud);
    struct gl_openstack_servers servers;
    int at, rc;

    if (gl_openstack_begin(os, GL_REMOTE_DEADLINE_MS, err) != 0 ||
        gl_openstack_search(os, region, ALL, &servers, err) != 0)
        return -1;
    at = gl_openstack_best(&servers, token);
    if (at < 0)
        rc = end_unborn(os, &servers, token, err);
    else {
        *out = servers.rows[at].instance;
        gl_openstack_end_others(os, &servers, token, out->id);
        rc = 1;
    }
    free(servers.rows);
    return rc;
}

/* ---- ending, halting ---- */

int gl_openstack_terminate(struct gl_cloud *cloud, const char *id, struct gl_error *err)
{
    struct gl_openstack *os = gl_openstack_of(cloud);
    struct gl_openstack_place *place;
    struct gl_openstack_server seen;
    struct gl_error why = {0};
    const char *uuid;

    if (gl_openstack_begin(os, GL_REMOTE_DEADLINE_MS, err) != 0 ||
        gl_openstack_id(os, id, &place, &uuid, err) != 0)
        return -1;
    if (gl_openstack_look(os, place, uuid, &seen, &why) != 0) {
        if (why.code == GL_E_NOT_FOUND)
            return 0;
        if (why.code != GL_E_PROVIDER) /* a 500 hides it, and does not hinder its end */
            return gl_fail(err, why.code, "%s", why.text);
    }
    return gl_openstack_remove(os, place, uuid, err);
}

static int act(struct gl_openstack *os, struct gl_openstack_place *place, const char *uuid,
               const char *action, struct gl_error *err)
{
    GL_AUTO(gl_auto_json) json_t *body = json_pack("{s:n}", action);
    struct gl_remote_call call = {0};

    gl_openstack_call(place, &call, GL_OPENSTACK_COMPUTE, "POST", "servers/%s/action", uuid);
    gl_remote_body_json(&call, body);
    return gl_openstack_tell(os, &call, err);
}

/* Told once, and looked at until it is so. 409 says that it is in another state than we thought,
 * which the next look shows. */
static int change(struct gl_openstack *os, const char *id, const char *action,
                  enum gl_instance_state wanted, struct gl_error *err)
{
    struct gl_openstack_place *place;
    struct gl_openstack_server seen;
    struct gl_error why = {0};
    const char *uuid;
    int64_t pause = LOOK_MS;

    if (look_at(os, id, &place, &uuid, &seen, err) != 0)
        return -1;
    if (seen.instance.state == wanted && !seen.is_busy)
        return 0;
    if (act(os, place, uuid, action, &why) != 0 && why.code != GL_E_BUSY)
        return gl_fail(err, why.code, "%s", why.text);
    for (;;) {
        if (gl_remote_wait(&os->remote, pause, err) != 0)
            return gl_wrap(err, "openstack in %s: %s was told %s and is %s still", place->region,
                           uuid, action, gl_instance_state_word(seen.instance.state));
        if (gl_openstack_look(os, place, uuid, &seen, err) != 0)
            return -1;
        if (seen.instance.state == wanted && !seen.is_busy)
            return 0;
        if (seen.is_error && !seen.is_busy) {
            enum gl_reach reach;

            return gl_fail(err, gl_openstack_fault_code(seen.fault, &reach),
                           "openstack in %s: %s failed at %s: %.200s", place->region, uuid, action,
                           seen.fault);
        }
        pause = pause * 2 < LOOK_MAX_MS ? pause * 2 : LOOK_MAX_MS;
    }
}

int gl_openstack_halt(struct gl_cloud *cloud, const char *id, struct gl_error *err)
{
    struct gl_openstack *os = gl_openstack_of(cloud);

    if (gl_openstack_begin(os, CHANGE_MS, err) != 0)
        return -1;
    return change(os, id, "os-stop", GL_STATE_HALTED, err);
}

int gl_openstack_start(struct gl_cloud *cloud, const char *id, struct gl_error *err)
{
    struct gl_openstack *os = gl_openstack_of(cloud);

    if (gl_openstack_begin(os, CHANGE_MS, err) != 0)
        return -1;
    return change(os, id, "os-start", GL_STATE_RUNNING, err);
}

/* Nova signals the guest and pulls the plug when it does not go (60 s unless its image says
 * otherwise). The console of a machine that is off can still be read, that of a deleted one
 * cannot: it stays, and whoever stopped it terminates it. */
int gl_openstack_stop(struct gl_cloud *cloud, const char *id, struct gl_span wait,
                      struct gl_error *err)
{
    struct gl_openstack *os = gl_openstack_of(cloud);
    struct gl_error why = {0};
    int64_t wait_ms = wait.s > 0 ? wait.s * 1000 : 0;
    struct gl_openstack_place *place;
    const char *uuid;

    if (gl_openstack_begin(os, GL_REMOTE_DEADLINE_MS + wait_ms, err) != 0 ||
        gl_openstack_id(os, id, &place, &uuid, err) != 0)
        return -1;
    if (change(os, id, "os-stop", GL_STATE_HALTED, &why) == 0 || why.code == GL_E_NOT_FOUND)
        return 0;
    return gl_fail(err, why.code, "%s", why.text);
}

/* ---- console ---- */

/* Where in the text goes on what was handed out last: 0 when that is no longer in it. The last
 * place counts: a console that repeats itself is rather cut than doubled. */
static size_t go_on(const struct gl_openstack_tail *tail, const char *text, size_t length)
{
    const char *at = text, *found = NULL;

    while (tail->length > 0 &&
           (at = memmem(at, length - (size_t)(at - text), tail->text, tail->length)) != NULL)
        found = at++;
    return found != NULL ? (size_t)(found - text) + tail->length : 0;
}

static void keep_tail(struct gl_openstack_tail *tail, const char *id, const char *text,
                      size_t length, uint64_t next)
{
    size_t kept = length < sizeof tail->text ? length : sizeof tail->text;

    snprintf(tail->id, sizeof tail->id, "%s", id);
    memcpy(tail->text, text + length - kept, kept);
    tail->length = kept;
    tail->next = next;
}

/* Nova shows the last 100 KiB and does not say how much went before. While no more than that was
 * written offsets are exact; afterwards they count what this handle has handed out, and another
 * process gets the window once more, as readings are numbered and signed. */
static void hand_out(struct gl_openstack *os, const char *id, const char *text, uint64_t offset,
                     struct gl_str *out, uint64_t *out_next)
{
    size_t length = strlen(text), from = 0;

    if (length < GL_OPENSTACK_CONSOLE && offset <= length)
        from = (size_t)offset;
    else if (strcmp(os->tail.id, id) == 0 && os->tail.next == offset)
        from = go_on(&os->tail, text, length);
    gl_str_add_bytes(out, text + from, length - from);
    *out_next = offset + (length - from);
    keep_tail(&os->tail, id, text, length, *out_next);
}

int gl_openstack_console(struct gl_cloud *cloud, const char *id, uint64_t offset,
                         struct gl_str *out, uint64_t *out_next, struct gl_error *err)
{
    struct gl_openstack *os = gl_openstack_of(cloud);
    GL_AUTO(gl_auto_json)
    json_t *body = json_pack("{s:{s:n}}", "os-getConsoleOutput", "length"), *root = NULL;
    struct gl_openstack_place *place;
    struct gl_remote_call call = {0};
    const char *uuid, *text;

    if (gl_openstack_begin(os, GL_REMOTE_DEADLINE_MS, err) != 0 ||
        gl_openstack_id(os, id, &place, &uuid, err) != 0)
        return -1;
    gl_openstack_call(place, &call, GL_OPENSTACK_COMPUTE, "POST", "servers/%s/action", uuid);
    gl_remote_body_json(&call, body);
    root = gl_openstack_ask(os, &call, err);
    if (root == NULL)
        return -1;
    text = json_string_value(json_object_get(root, "output"));
    if (text == NULL)
        return gl_fail(err, GL_E_BAD_REPLY, "openstack in %s: the answer is no console",
                       place->region);
    hand_out(os, id, text, offset, out, out_next);
    return 0;
}
