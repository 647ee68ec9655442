/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/azure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGES_MAX 50

/* ---- places ---- */

/* Logical ones ("europe") hold nothing. */
static void read_location(void *cookie, const json_t *row)
{
    json_t *names = cookie;
    const char *name = json_string_value(json_object_get(row, "name"));
    const char *kind =
        json_string_value(json_object_get(json_object_get(row, "metadata"), "regionType"));
    const char *sort = json_string_value(json_object_get(row, "type"));

    if (name == NULL || strlen(name) >= 40 || !gl_azure_is_plain(name) ||
        (kind != NULL && strcmp(kind, "Physical") != 0) ||
        (sort != NULL && strcmp(sort, "Region") != 0))
        return;
    json_object_set_new(names, name, json_true());
}

static const char **list_of(json_t *names)
{
    const char **out = gl_alloc((json_object_size(names) + 1) * sizeof *out);
    const char *name;
    size_t used = 0;
    json_t *value;

    json_object_foreach(names, name, value) out[used++] = name;
    return out;
}

int gl_azure_regions(struct gl_cloud *cloud, const char *const **out, struct gl_error *err)
{
    struct gl_azure *azure = gl_azure_of(cloud);
    struct gl_remote_call call = {0};
    GL_AUTO(gl_auto_json) json_t *names = NULL;
    struct gl_azure_pages pages = {.base = azure->endpoint,
                                   .next = "nextLink",
                                   .items = "value",
                                   .read = read_location,
                                   .most = PAGES_MAX};

    if (azure->names == NULL) {
        names = json_object();
        pages.cookie = names;
        gl_azure_begin(azure);
        gl_azure_call(azure, &call, "GET", GL_AZURE_BASE, "/locations");
        if (gl_azure_each(azure, &call, &pages, err) != 0)
            return -1;
        azure->region_list = list_of(names);
        azure->names = names;
        names = NULL;
    }
    *out = azure->region_list;
    return 0;
}

/* ---- types ---- */

void gl_azure_sku_call(const struct gl_azure *azure, struct gl_remote_call *call,
                       const char *region)
{
    char filter[80];

    snprintf(filter, sizeof filter, "location eq '%.39s'", region);
    gl_azure_call(azure, call, "GET", GL_AZURE_SKUS, "/providers/Microsoft.Compute/skus");
    gl_remote_query(call, "$filter", filter);
}

static bool is_in(const json_t *names, const char *region)
{
    size_t i;
    const json_t *one;

    json_array_foreach(names, i,
                       one) if (json_is_string(one) &&
                                strcasecmp(json_string_value(one), region) == 0) return true;
    return false;
}

/* Zone restrictions leave the rest of the location. */
const char *gl_azure_restriction(const json_t *sku, const char *region)
{
    size_t i;
    const json_t *row;

    json_array_foreach(json_object_get(sku, "restrictions"), i, row)
    {
        const char *type = json_string_value(json_object_get(row, "type"));
        const char *reason = json_string_value(json_object_get(row, "reasonCode"));
        const json_t *info = json_object_get(row, "restrictionInfo");

        if (type != NULL && strcmp(type, "Location") == 0 && reason != NULL &&
            (is_in(json_object_get(row, "values"), region) ||
             is_in(json_object_get(info, "locations"), region)))
            return reason;
    }
    return NULL;
}

/* Whole and decimal numbers as text: "vCPUs" "2", "MemoryGB" "0.5". */
static double capability(const json_t *sku, const char *name)
{
    size_t i;
    const json_t *row;

    json_array_foreach(json_object_get(sku, "capabilities"), i, row)
    {
        const char *key = json_string_value(json_object_get(row, "name"));
        const char *value = json_string_value(json_object_get(row, "value"));

        if (key == NULL || value == NULL || strcmp(key, name) != 0 || strlen(value) > 9 ||
            value[strspn(value, "0123456789.")] != '\0')
            continue;
        return strtod(value, NULL);
    }
    return 0;
}

static const char *capability_text(const json_t *sku, const char *name)
{
    size_t i;
    const json_t *row;

    json_array_foreach(json_object_get(sku, "capabilities"), i, row)
    {
        const char *key = json_string_value(json_object_get(row, "name"));

        if (key != NULL && strcmp(key, name) == 0)
            return json_string_value(json_object_get(row, "value"));
    }
    return NULL;
}

/* 0 = not told, or no possible figure. */
static uint32_t count_of(double value)
{
    return value > 0 && value <= UINT32_MAX ? (uint32_t)value : 0;
}

bool gl_azure_read_sku(const json_t *sku, const char *region, struct gl_catalog_row *out)
{
    const char *kind = json_string_value(json_object_get(sku, "resourceType"));
    const char *name = json_string_value(json_object_get(sku, "name"));
    const char *arch = capability_text(sku, "CpuArchitectureType");

    if (kind == NULL || name == NULL || strcmp(kind, "virtualMachines") != 0 ||
        strlen(name) >= sizeof out->type || !gl_azure_is_plain(name) ||
        !is_in(json_object_get(sku, "locations"), region))
        return false;
    gl_catalog_row_init(out, region, name);
    out->vcpus = count_of(capability(sku, "vCPUs"));
    out->memory_mib = count_of(capability(sku, "MemoryGB") * 1024);
    out->gpu_count = count_of(capability(sku, "GPUs"));
    if (arch != NULL)
        snprintf(out->arch, sizeof out->arch, "%s",
                 strcasecmp(arch, "Arm64") == 0 ? "arm64" : "x86_64");
    out->is_offered = gl_azure_restriction(sku, region) == NULL;
    out->is_offered_known = true;
    return true;
}

struct offered {
    const char *region;
    json_t *types;
};

static void read_type(void *cookie, const json_t *sku)
{
    struct offered *offered = cookie;
    struct gl_catalog_row row;

    if (gl_azure_read_sku(sku, offered->region, &row) && row.is_offered)
        json_object_set_new(offered->types, row.type, json_true());
}

int gl_azure_types(struct gl_cloud *cloud, const char *region, const char *const **out,
                   struct gl_error *err)
{
    struct gl_azure *azure = gl_azure_of(cloud);
    struct gl_remote_call call = {.region = region};
    GL_AUTO(gl_auto_json) json_t *types = json_object();
    struct offered offered = {region, types};
    const struct gl_azure_pages pages = {.base = azure->endpoint,
                                         .next = "nextLink",
                                         .items = "value",
                                         .read = read_type,
                                         .cookie = &offered,
                                         .most = PAGES_MAX};
    char shown[GL_TEXT_SHOWN];

    if (gl_azure_is_plain(region)) {
        gl_azure_begin(azure);
        gl_azure_sku_call(azure, &call, region);
        if (gl_azure_each(azure, &call, &pages, err) != 0)
            return -1;
    }
    if (json_object_size(types) == 0)
        return gl_fail(err, GL_E_UNKNOWN_NAME, "Azure has no types in %s for this subscription",
                       gl_text_show(region, shown));
    json_decref(azure->types);
    free(azure->type_list);
    azure->type_list = list_of(types);
    azure->types = types;
    types = NULL;
    *out = azure->type_list;
    return 0;
}
