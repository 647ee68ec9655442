/* SPDX-License-Identifier: Apache-2.0 */
/* Regions, flavors, images and networks: https://docs.openstack.org/api-ref/compute/ */
#include "providers/cloud/openstack.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGES_MAX   100
#define FLAVORS_MAX 20000
#define PAGE        "500"

/* ---- the token and its catalogue ---- */

static bool is_named(const json_t *names, const char *region)
{
    size_t i;
    const json_t *name;

    json_array_foreach(names, i,
                       name) if (strcmp(json_string_value(name), region) == 0) return true;
    return names == NULL;
}

/* What clouds.yaml does not name is not asked, and nothing is started there. */
static void keep_named(struct gl_openstack *os)
{
    size_t kept = 0;

    for (size_t i = 0; i < os->place_count; i++)
        if (is_named(os->credential.regions, os->places[i].region))
            os->places[kept++] = os->places[i];
    os->place_count = kept;
}

int gl_openstack_take_places(struct gl_openstack *os, struct gl_error *err)
{
    const char *first = os->credential.region[0] != '\0' ? os->credential.region : NULL;

    if (os->place_count > 0)
        return 0;
    os->place_count =
        gl_openstack_read_places(os->credential.catalog, os->region, first, os->places);
    keep_named(os);
    for (size_t i = 0; i < os->place_count; i++)
        os->names[i] = os->places[i].region;
    os->names[os->place_count] = NULL;
    if (os->place_count == 0 && os->credential.regions != NULL)
        return gl_fail(err, GL_E_UNKNOWN_NAME,
                       "the catalogue of %s has none of the regions that %s names",
                       os->credential.auth_url, os->credential.from);
    if (os->place_count == 0 && os->region != NULL)
        return gl_fail(err, GL_E_UNKNOWN_NAME, "the catalogue of %s has no region %.60s",
                       os->credential.auth_url, os->region);
    if (os->place_count == 0)
        return gl_fail(err, GL_E_BAD_REPLY,
                       "the catalogue of %s names no compute service with a public https:// "
                       "address",
                       os->credential.auth_url);
    return 0;
}

static int get_token(struct gl_openstack *os, struct gl_error *err)
{
    struct gl_openstack_credential *credential = &os->credential;
    struct gl_remote_call call = {.is_open = true, .has_secret = true};
    int rc = gl_openstack_token_ask(credential, os->remote.world, false, &call, err);

    if (rc > 0)
        rc = gl_remote_send(&os->remote, &call, err) != 0 ||
                     gl_openstack_token_read(credential, os->remote.world, &call, err) != 0
                 ? -1
                 : 0;
    gl_remote_call_done(&call);
    return rc;
}

int gl_openstack_begin(struct gl_openstack *os, int64_t deadline_ms, struct gl_error *err)
{
    gl_remote_begin(&os->remote, deadline_ms);
    if (os->place_count == 0 && get_token(os, err) != 0)
        return -1;
    return gl_openstack_take_places(os, err);
}

/* ---- versions ---- */

void gl_openstack_version_call(const struct gl_openstack_place *place, struct gl_remote_call *call)
{
    call->method = "GET";
    call->region = place->region;
    call->is_open = true;
    call->has_fixed_status = true; /* 300 is an answer */
    gl_str_addf(&call->url, "%.*s/", (int)gl_openstack_root(place->compute), place->compute);
}

/* An operator who hides that document is spoken to in plain 2.1. */
void gl_openstack_version_read(struct gl_openstack_place *place, const struct gl_remote_call *call)
{
    struct gl_error ignored = {0};
    GL_AUTO(gl_auto_json) json_t *root = NULL;

    if (call->err.code != GL_OK || call->reply.status >= 500)
        return;
    root = gl_remote_reply_json(call, &ignored);
    place->minor = gl_openstack_minor(root);
}

void gl_openstack_ask_versions(struct gl_openstack *os, const char *region)
{
    struct gl_remote_call calls[GL_OPENSTACK_PLACES] = {{0}};
    struct gl_openstack_place *asked[GL_OPENSTACK_PLACES];
    size_t count = 0;

    for (size_t i = 0; i < os->place_count; i++) {
        struct gl_openstack_place *place = &os->places[i];

        if (place->minor >= 0 || (region != NULL && strcmp(place->region, region) != 0))
            continue;
        gl_openstack_version_call(place, &calls[count]);
        asked[count++] = place;
    }
    if (count > 0)
        gl_remote_send_all(&os->remote, calls, count);
    for (size_t i = 0; i < count; i++) {
        gl_openstack_version_read(asked[i], &calls[i]);
        gl_remote_call_done(&calls[i]);
    }
}

int gl_openstack_place(struct gl_openstack *os, const char *region, struct gl_openstack_place **out,
                       struct gl_error *err)
{
    char shown[GL_TEXT_SHOWN];

    for (size_t i = 0; i < os->place_count; i++) {
        struct gl_openstack_place *place = &os->places[i];

        if (strcmp(place->region, region) != 0)
            continue;
        gl_openstack_ask_versions(os, region);
        if (place->minor < 0)
            return gl_fail(err, GL_E_NETWORK, "openstack in %s: %s does not tell its version",
                           region, place->compute);
        *out = place;
        return 0;
    }
    os->remote.cloud.failure.reach = GL_REACH_REGION;
    return gl_fail(err, GL_E_UNKNOWN_NAME, "the catalogue of %s has no region %s",
                   os->credential.auth_url, gl_text_show(region, shown));
}

int gl_openstack_regions(struct gl_cloud *cloud, const char *const **out, struct gl_error *err)
{
    struct gl_openstack *os = gl_openstack_of(cloud);

    if (gl_openstack_begin(os, GL_REMOTE_DEADLINE_MS, err) != 0)
        return -1;
    *out = os->names;
    return 0;
}

/* ---- flavors ---- */

void gl_openstack_flavors_call(const struct gl_openstack_place *place, const char *marker,
                               struct gl_remote_call *call)
{
    gl_openstack_call(place, call, GL_OPENSTACK_COMPUTE, "GET", "flavors/detail");
    gl_remote_query(call, "limit", PAGE);
    if (marker[0] != '\0')
        gl_remote_query(call, "marker", marker);
}

static int64_t number_of(const json_t *row, const char *key)
{
    const json_t *value = json_object_get(row, key);

    return json_is_integer(value) && json_integer_value(value) >= 0 ? json_integer_value(value) : 0;
}

/* Only the marker of the next page is taken, never its address. */
static bool has_next(const json_t *links)
{
    size_t i;
    const json_t *link;

    json_array_foreach(links, i, link)
    {
        const char *rel = json_string_value(json_object_get(link, "rel"));

        if (rel != NULL && strcmp(rel, "next") == 0)
            return true;
    }
    return false;
}

int gl_openstack_read_flavors(struct gl_openstack_place *place, const json_t *page,
                              char out_marker[256], struct gl_error *err)
{
    const json_t *rows = json_object_get(page, "flavors"), *row;
    const char *id = "";
    size_t i;

    if (!json_is_array(rows))
        return gl_fail(err, GL_E_BAD_REPLY, "openstack in %s: the answer holds no flavors",
                       place->region);
    if (place->flavors == NULL)
        place->flavors = json_object();
    json_array_foreach(rows, i, row)
    {
        const char *name = json_string_value(json_object_get(row, "name"));

        id = json_string_value(json_object_get(row, "id"));
        if (id == NULL || strlen(id) >= 256 || json_object_size(place->flavors) >= FLAVORS_MAX)
            return gl_fail(err, GL_E_BAD_REPLY,
                           "openstack in %s: a flavor without an id, or too "
                           "many",
                           place->region);
        if (name != NULL && name[0] != '\0' && strlen(name) < 40)
            json_object_set_new(place->flavors, name,
                                json_pack("{s:s,s:I,s:I,s:I}", "id", id, "vcpus",
                                          (json_int_t)number_of(row, "vcpus"), "ram",
                                          (json_int_t)number_of(row, "ram"), "disk",
                                          (json_int_t)number_of(row, "disk")));
    }
    snprintf(out_marker, 256, "%s", has_next(json_object_get(page, "flavors_links")) ? id : "");
    return 0;
}

static int ask_flavors(struct gl_openstack *os, struct gl_openstack_place *place,
                       struct gl_error *err)
{
    char marker[256] = "";

    if (place->types != NULL)
        return 0; /* all pages were read */
    for (unsigned i = 0; i < PAGES_MAX; i++) {
        struct gl_remote_call call = {0};
        GL_AUTO(gl_auto_json) json_t *page = NULL;
        const char *name;
        json_t *value;
        size_t used = 0;

        gl_openstack_flavors_call(place, marker, &call);
        page = gl_openstack_ask(os, &call, err);
        if (page == NULL || gl_openstack_read_flavors(place, page, marker, err) != 0)
            return -1;
        if (marker[0] != '\0')
            continue;
        place->types = gl_alloc((json_object_size(place->flavors) + 1) * sizeof *place->types);
        json_object_foreach(place->flavors, name, value) place->types[used++] = name;
        return 0;
    }
    return gl_fail(err, GL_E_BAD_REPLY, "openstack in %s: the list of flavors does not end",
                   place->region);
}

int gl_openstack_types(struct gl_cloud *cloud, const char *region, const char *const **out,
                       struct gl_error *err)
{
    struct gl_openstack *os = gl_openstack_of(cloud);
    struct gl_openstack_place *place;

    if (gl_openstack_begin(os, GL_REMOTE_DEADLINE_MS, err) != 0 ||
        gl_openstack_place(os, region, &place, err) != 0 || ask_flavors(os, place, err) != 0)
        return -1;
    *out = place->types;
    return 0;
}

int gl_openstack_flavor(struct gl_openstack *os, struct gl_openstack_place *place, const char *type,
                        const json_t **out, struct gl_error *err)
{
    char shown[GL_TEXT_SHOWN];

    if (ask_flavors(os, place, err) != 0)
        return -1;
    *out = json_object_get(place->flavors, type);
    if (*out == NULL)
        return gl_fail(err, GL_E_UNKNOWN_NAME, "openstack in %s: there is no flavor %s",
                       place->region, gl_text_show(type, shown));
    return 0;
}

/* ---- what stands by a name ---- */

/* The first of a list of that name: its id, or UNKNOWN_NAME. */
static int take_first(const struct gl_openstack_place *place, const json_t *rows, const char *what,
                      const char *name, char out[64], struct gl_error *err)
{
    const char *id = json_string_value(json_object_get(json_array_get(rows, 0), "id"));
    char shown[GL_TEXT_SHOWN];

    if (id == NULL || !gl_openstack_is_uuid(id))
        return gl_fail(err, GL_E_UNKNOWN_NAME, "openstack in %s: there is no %s %s", place->region,
                       what, gl_text_show(name, shown));
    snprintf(out, 64, "%s", id);
    return 0;
}

/* The newest active one that may be seen. */
static int find_image(struct gl_openstack *os, const struct gl_openstack_place *place,
                      const char *name, char out[64], struct gl_error *err)
{
    struct gl_remote_call call = {0};
    GL_AUTO(gl_auto_json) json_t *root = NULL;

    gl_openstack_call(place, &call, GL_OPENSTACK_IMAGE, "GET", "images");
    if (call.url.length > 0) {
        gl_remote_query(&call, "name", name);
        gl_remote_query(&call, "status", "active");
        gl_remote_query(&call, "sort", "created_at:desc");
    }
    root = gl_openstack_ask(os, &call, err);
    return root == NULL
               ? -1
               : take_first(place, json_object_get(root, "images"), "active image", name, out, err);
}

int gl_openstack_image_of(struct gl_openstack *os, struct gl_openstack_place *place,
                          const struct gl_launch *launch, char out[64], struct gl_error *err)
{
    char region[40];
    const char *native = launch->image != NULL ? gl_remote_id_split(launch->image, region) : NULL;
    const char *wanted = launch->image != NULL ? launch->image : os->image;

    if (native != NULL && gl_openstack_is_uuid(native)) {
        if (strcmp(region, place->region) != 0)
            return gl_fail(err, GL_E_UNKNOWN_NAME, "image %.100s is not in %s", launch->image,
                           place->region);
        wanted = native;
    }
    if (wanted == NULL)
        return gl_fail(err, GL_E_CONFIG,
                       "openstack: no image is named: set image (a name or an id) in the "
                       "configuration of the cloud");
    if (gl_openstack_is_uuid(wanted)) {
        snprintf(out, 64, "%s", wanted);
        return 0;
    }
    if (launch->image == NULL && place->image_id[0] == '\0' &&
        find_image(os, place, wanted, place->image_id, err) != 0)
        return -1;
    if (launch->image != NULL)
        return find_image(os, place, wanted, out, err);
    snprintf(out, 64, "%s", place->image_id);
    return 0;
}

static int find_network(struct gl_openstack *os, struct gl_openstack_place *place,
                        struct gl_error *err)
{
    struct gl_remote_call call = {0};
    GL_AUTO(gl_auto_json) json_t *root = NULL;

    gl_openstack_call(place, &call, GL_OPENSTACK_NETWORK, "GET", "networks");
    if (call.url.length > 0)
        gl_remote_query(&call, "name", os->network);
    root = gl_openstack_ask(os, &call, err);
    return root == NULL ? -1
                        : take_first(place, json_object_get(root, "networks"), "network",
                                     os->network, place->network_id, err);
}

/* Without microversions there is no "auto" and no "none": saying nothing is like "auto" where the
 * project has one network. */
int gl_openstack_network_of(struct gl_openstack *os, struct gl_openstack_place *place, char out[64],
                            struct gl_error *err)
{
    bool is_auto = strcmp(os->network, "auto") == 0, is_none = strcmp(os->network, "none") == 0;

    if (place->minor <= 1 && is_none)
        return gl_fail(err, GL_E_CONFIG,
                       "openstack in %s: its API is too old for machines without a network",
                       place->region);
    if (is_auto || is_none || gl_openstack_is_uuid(os->network)) {
        snprintf(out, 64, "%s", is_auto && place->minor <= 1 ? "" : os->network);
        return 0;
    }
    if (place->network_id[0] == '\0' && find_network(os, place, err) != 0)
        return -1;
    snprintf(out, 64, "%s", place->network_id);
    return 0;
}
