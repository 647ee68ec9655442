/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/gcp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGES_MAX 200

/* ---- places and types ---- */

static int read_zones(struct gl_gcp *gcp, const json_t *page, struct gl_error *err)
{
    size_t i;
    const json_t *row;

    json_array_foreach(json_object_get(page, "items"), i, row)
    {
        const char *name = json_string_value(json_object_get(row, "name"));
        const char *status = json_string_value(json_object_get(row, "status"));
        const char *letter = name != NULL ? strrchr(name, '-') : NULL;
        char region[40];
        json_t *zones;

        if (letter == NULL || letter[1] == '\0' || strlen(letter) > 5 ||
            (size_t)(letter - name) >= sizeof region)
            return gl_fail(err, GL_E_BAD_REPLY, "gcp: a zone without a name");
        if (status != NULL && strcmp(status, "UP") != 0)
            continue;
        snprintf(region, sizeof region, "%.*s", (int)(letter - name), name);
        zones = json_object_get(gcp->names, region);
        if (zones == NULL) {
            zones = json_array();
            json_object_set_new(gcp->names, region, zones);
        }
        json_array_append_new(zones, json_string(letter + 1));
    }
    return 0;
}

/* Every page of a list; `read` takes each. */
int gl_gcp_each_page(struct gl_gcp *gcp, const char *path, const char *filter,
                     int (*read)(struct gl_gcp *gcp, const json_t *page, struct gl_error *err),
                     struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *token = NULL;

    for (unsigned i = 0; i < PAGES_MAX; i++) {
        struct gl_remote_call call = {0};
        GL_AUTO(gl_auto_json) json_t *page = NULL;
        const char *next;

        gl_gcp_call(gcp, &call, "GET", "%s", path);
        gl_remote_query(&call, "maxResults", "500");
        if (filter != NULL)
            gl_remote_query(&call, "filter", filter);
        if (token != NULL)
            gl_remote_query(&call, "pageToken", token);
        page = gl_remote_json(&gcp->remote, &call, err);
        gl_remote_call_done(&call);
        if (page == NULL || read(gcp, page, err) != 0)
            return -1;
        next = json_string_value(json_object_get(page, "nextPageToken"));
        if (next == NULL || next[0] == '\0')
            return 0;
        free(token);
        token = gl_strdup(next);
    }
    return gl_fail(err, GL_E_BAD_REPLY, "gcp: the list %s does not end", path);
}

static int ask_zones(struct gl_gcp *gcp, struct gl_error *err)
{
    size_t count, i = 0;
    const char *name;
    json_t *zones;

    if (gcp->names != NULL)
        return 0;
    if (gl_gcp_begin(gcp, err) != 0)
        return -1;
    gcp->names = json_object();
    if (gl_gcp_each_page(gcp, "zones", NULL, read_zones, err) != 0) {
        json_decref(gcp->names);
        gcp->names = NULL;
        return -1;
    }
    count = json_object_size(gcp->names);
    gcp->region_list = gl_alloc((count + 1) * sizeof *gcp->region_list);
    json_object_foreach(gcp->names, name, zones) gcp->region_list[i++] = name;
    return 0;
}

int gl_gcp_zones(struct gl_gcp *gcp, const char *region, char out[GL_GCP_ZONES][8],
                 size_t *out_count, struct gl_error *err)
{
    const json_t *zones;
    size_t i;

    if (ask_zones(gcp, err) != 0)
        return -1;
    zones = json_object_get(gcp->names, region);
    if (json_array_size(zones) == 0) {
        gcp->remote.cloud.failure.reach = GL_REACH_REGION;
        return gl_fail(err, GL_E_UNKNOWN_NAME, "Google has no region %.60s for project %s", region,
                       gcp->project);
    }
    for (i = 0; i < json_array_size(zones) && i < GL_GCP_ZONES; i++)
        snprintf(out[i], sizeof out[0], "%s", json_string_value(json_array_get(zones, i)));
    *out_count = i;
    return 0;
}

static bool is_zone_of(const char *zone, const char *region)
{
    size_t length = strlen(region);

    return zone != NULL && strncmp(zone, region, length) == 0 && zone[length] == '-';
}

int gl_gcp_zone_of(struct gl_gcp *gcp, const struct gl_launch *launch, char out[48],
                   struct gl_error *err)
{
    const char *region = launch->region;
    const char *wanted = is_zone_of(gcp->zone, region) ? gcp->zone : launch->zone;
    char letters[GL_GCP_ZONES][8];
    unsigned long pick;
    size_t count;
    char digits[9];

    if (is_zone_of(wanted, region)) {
        snprintf(out, 48, "%s", wanted);
        return 0;
    }
    if (gl_gcp_zones(gcp, region, letters, &count, err) != 0)
        return -1;
    snprintf(digits, sizeof digits, "%.8s", launch->token);
    pick = strtoul(digits, NULL, 16) % count;
    snprintf(out, 48, "%s-%s", region, letters[pick]);
    return 0;
}

int gl_gcp_regions(struct gl_cloud *cloud, const char *const **out, struct gl_error *err)
{
    struct gl_gcp *gcp = gl_gcp_of(cloud);

    if (ask_zones(gcp, err) != 0)
        return -1;
    *out = gcp->region_list;
    return 0;
}

static int read_types(struct gl_gcp *gcp, const json_t *page, struct gl_error *err)
{
    size_t i;
    const json_t *row;

    json_array_foreach(json_object_get(page, "items"), i, row)
    {
        const char *name = json_string_value(json_object_get(row, "name"));

        if (name == NULL)
            return gl_fail(err, GL_E_BAD_REPLY, "gcp: a machine type without a name");
        json_object_set_new(gcp->types, name, json_true());
    }
    return 0;
}

/* Of all zones of the region. */
int gl_gcp_types(struct gl_cloud *cloud, const char *region, const char *const **out,
                 struct gl_error *err)
{
    struct gl_gcp *gcp = gl_gcp_of(cloud);
    char letters[GL_GCP_ZONES][8], path[128];
    size_t count, used = 0;
    const char *name;
    json_t *value;

    if (gl_gcp_zones(gcp, region, letters, &count, err) != 0 || gl_gcp_begin(gcp, err) != 0)
        return -1;
    json_decref(gcp->types);
    gcp->types = json_object();
    for (size_t i = 0; i < count; i++) {
        snprintf(path, sizeof path, "zones/%.60s-%s/machineTypes", region, letters[i]);
        if (gl_gcp_each_page(gcp, path, NULL, read_types, err) != 0)
            return -1;
    }
    free(gcp->type_list);
    gcp->type_list = gl_alloc((json_object_size(gcp->types) + 1) * sizeof *gcp->type_list);
    json_object_foreach(gcp->types, name, value) gcp->type_list[used++] = name;
    *out = gcp->type_list;
    return 0;
}
