/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/scaleway.h"

#include <stdio.h>
#include <string.h>

/* A block volume outlives its server, whoever deletes that, and bears no label of it. So it is
 * tagged before its server goes: what is tagged and attached to nothing is what a launcher left
 * that was killed between the two, and whoever looks next removes it.
 * https://www.scaleway.com/en/developers/api/block/ (ListVolumes: tags; UpdateVolume: tags) */

#define DETACH_LOOKS 20 /* a block volume of a server that has just gone is in use for seconds */
#define DETACH_MS    1000
#define PER_PAGE     100
#define PAGES_MAX    20
#define MARK         "greenlaunch-ended"
#define MARK_SERVER  MARK "-server="
#define MARK_TOKEN   MARK "-token="
#define TAG_MAX      96

static bool is_uuid(const char *text)
{
    return strlen(text) == 36 && strspn(text, "0123456789abcdef-") == 36;
}

int gl_scaleway_volumes_read(struct gl_vps *vps, const struct gl_instance *instance,
                             struct gl_scaleway_volumes *out, struct gl_error *err)
{
    GL_AUTO(gl_auto_json) json_t *answer = NULL;
    struct gl_scaleway_volumes found = {0};
    struct gl_remote_call call;
    const char *slot, *native;
    char zone[40] = "";
    json_t *volume;

    native = gl_remote_id_split(instance->id, zone);
    gl_vps_call(vps, &call, "GET", "/instance/v1/zones/%s/servers/%s", zone,
                native != NULL ? native : "");
    call.region = instance->zone;
    answer = gl_vps_ask(vps, &call, err);
    if (answer == NULL)
        return -1;
    json_object_foreach(json_object_get(json_object_get(answer, "server"), "volumes"), slot, volume)
    {
        const char *id = gl_vps_text(volume, "id");
        struct gl_scaleway_volume *into = &found.items[found.count];

        if (found.count == GL_SCALEWAY_VOLUMES || !is_uuid(id))
            continue;
        snprintf(into->id, sizeof into->id, "%s", id);
        into->is_block = strcmp(gl_vps_text(volume, "volume_type"), "sbs_volume") == 0;
        found.count++;
    }
    *out = found;
    return 0;
}

/* ---- marks ---- */

static void server_tag(const char *id, char out[TAG_MAX])
{
    char zone[40];
    const char *native = gl_remote_id_split(id, zone);

    snprintf(out, TAG_MAX, MARK_SERVER "%.36s", native != NULL ? native : "");
}

static void token_tag(const char *token, char out[TAG_MAX])
{
    snprintf(out, TAG_MAX, MARK_TOKEN "%.32s", token);
}

json_t *gl_scaleway_volume_tags(const struct gl_instance *instance)
{
    char server[TAG_MAX], token[TAG_MAX];

    server_tag(instance->id, server);
    token_tag(instance->token, token);
    return json_pack("[s,s,s]", MARK, server, token);
}

int gl_scaleway_volumes_mark(struct gl_vps *vps, const struct gl_instance *instance,
                             const struct gl_scaleway_volumes *volumes, struct gl_error *err)
{
    for (size_t i = 0; i < volumes->count; i++) {
        GL_AUTO(gl_auto_json) json_t *body = NULL;
        struct gl_remote_call call;
        struct gl_error why = {0};

        if (!volumes->items[i].is_block)
            continue;
        body = json_pack("{s:o}", "tags", gl_scaleway_volume_tags(instance));
        gl_vps_call(vps, &call, "PATCH", "/block/v1/zones/%s/volumes/%s", instance->zone,
                    volumes->items[i].id);
        call.region = instance->zone;
        gl_remote_body_json(&call, body);
        /* Gone by now, or not ours to name: its server is ended all the same. */
        if (gl_vps_tell(vps, &call, &why) < 0 && why.code != GL_E_NOT_FOUND &&
            why.code != GL_E_PERMISSION)
            return gl_fail(err, why.code, "%s", why.text);
    }
    return 0;
}

/* ---- deleting ---- */

int gl_scaleway_volume_delete(struct gl_vps *vps, const char *zone,
                              const struct gl_scaleway_volume *volume, struct gl_error *err)
{
    struct gl_error why = {0};

    for (int i = 0; i < DETACH_LOOKS; i++) {
        struct gl_remote_call call;

        gl_error_clear(&why);
        gl_vps_call(vps, &call, "DELETE", "/%s/zones/%s/volumes/%s",
                    volume->is_block ? "block/v1" : "instance/v1", zone, volume->id);
        call.region = zone;
        if (gl_vps_tell(vps, &call, &why) == 0 || why.code == GL_E_NOT_FOUND)
            return 0;
        if (why.code != GL_E_BUSY || gl_remote_wait(&vps->remote, DETACH_MS, &why) < 0)
            break;
    }
    return gl_fail(err, why.code, "the volume %s is left: %s", volume->id, why.text);
}

/* ---- what was left ---- */

static const char *server_of(const json_t *volume)
{
    const json_t *tag;
    size_t i;

    json_array_foreach(json_object_get(volume, "tags"), i, tag)
    {
        const char *text = json_is_string(tag) ? json_string_value(tag) : "";

        if (strncmp(text, MARK_SERVER, strlen(MARK_SERVER)) == 0)
            return text + strlen(MARK_SERVER);
    }
    return "";
}

bool gl_scaleway_is_loose(const json_t *volume, bool is_server_gone)
{
    const char *server = server_of(volume);
    const json_t *references = json_object_get(volume, "references"), *one;
    size_t i;

    if (!is_uuid(server) || !is_uuid(gl_vps_text(volume, "id")))
        return false;
    json_array_foreach(references, i,
                       one) if (!is_server_gone || strcmp(gl_vps_text(one, "product_resource_id"),
                                                          server) != 0) return false;
    return true;
}

/* One page of a zone; how many were on it, -1. */
static int sweep_page(struct gl_vps *vps, const json_t *answer, const char *zone,
                      bool is_server_gone, struct gl_error *err)
{
    const json_t *volumes = json_object_get(answer, "volumes"), *one;
    size_t i;

    if (!json_is_array(volumes))
        return gl_fail(err, GL_E_BAD_REPLY, "scaleway in %s: the list of volumes is none", zone);
    json_array_foreach(volumes, i, one)
    {
        struct gl_scaleway_volume volume = {.is_block = true};

        if (!gl_scaleway_is_loose(one, is_server_gone))
            continue;
        snprintf(volume.id, sizeof volume.id, "%s", gl_vps_text(one, "id"));
        if (gl_scaleway_volume_delete(vps, zone, &volume, err) < 0)
            return -1;
    }
    return (int)json_array_size(volumes);
}

static void page_call(const struct gl_vps *vps, struct gl_remote_call *call, const char *zone,
                      const char *tag, int page)
{
    gl_vps_call(vps, call, "GET", "/block/v1/zones/%s/volumes?page_size=%d&page=%d", zone, PER_PAGE,
                page);
    gl_remote_query(call, "tags", tag);
    call->region = zone;
}

static int sweep_on(struct gl_vps *vps, const char *zone, const char *tag, bool is_server_gone,
                    struct gl_error *err)
{
    for (int page = 2; page <= PAGES_MAX; page++) {
        GL_AUTO(gl_auto_json) json_t *answer = NULL;
        struct gl_remote_call call;
        int seen;

        page_call(vps, &call, zone, tag, page);
        answer = gl_vps_ask(vps, &call, err);
        seen = answer != NULL ? sweep_page(vps, answer, zone, is_server_gone, err) : -1;
        if (seen < PER_PAGE)
            return seen < 0 ? -1 : 0;
    }
    return 0; /* the next look goes on */
}

static int sweep_answer(struct gl_vps *vps, const struct gl_remote_call *call, const char *tag,
                        bool is_server_gone, struct gl_error *err)
{
    GL_AUTO(gl_auto_json) json_t *answer = NULL;
    int seen;

    /* Keys that may not see volumes could not have deleted any: nothing would ever be proven. */
    if (call->err.code == GL_E_PERMISSION || call->err.code == GL_E_NOT_FOUND)
        return 0;
    if (call->err.code != GL_OK)
        return gl_fail(err, call->err.code, "%s", call->err.text);
    answer = gl_remote_reply_json(call, err);
    if (answer == NULL)
        return -1;
    seen = sweep_page(vps, answer, call->region, is_server_gone, err);
    return seen == PER_PAGE ? sweep_on(vps, call->region, tag, is_server_gone, err)
           : seen < 0       ? -1
                            : 0;
}

int gl_scaleway_sweep(struct gl_vps *vps, const struct gl_vps_loose *what, struct gl_error *err)
{
    struct gl_remote_call calls[GL_SCALEWAY_ZONES];
    const char *zones[GL_SCALEWAY_ZONES];
    char tag[TAG_MAX] = MARK, zone[40] = "";
    bool is_server_gone = what->id != NULL || what->token != NULL;
    size_t count;
    int result = 0;

    if (what->id != NULL) {
        gl_remote_id_split(what->id, zone);
        server_tag(what->id, tag);
    } else if (what->token != NULL)
        token_tag(what->token, tag);
    count = gl_scaleway_zones(what->id != NULL ? zone : what->region, zones);
    for (size_t i = 0; i < count; i++)
        page_call(vps, &calls[i], zones[i], tag, 1);
    gl_remote_send_all(&vps->remote, calls, count);
    for (size_t i = 0; i < count; i++) {
        struct gl_error why = {0};

        if (sweep_answer(vps, &calls[i], tag, is_server_gone, &why) < 0 && result == 0)
            result = gl_fail(err, why.code, "%s", why.text);
        gl_remote_call_done(&calls[i]);
    }
    return result;
}
