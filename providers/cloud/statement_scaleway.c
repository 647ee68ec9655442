/* SPDX-License-Identifier: Apache-2.0 */
/* What Scaleway says: kg over the dates that were asked for, which must be the month. Its method
 * counts the mix of the country's grid, PUE, and the making of the servers; no contracts:
 * https://www.scaleway.com/en/docs/environmental-footprint/additional-content/instances-env-footprint
 */
#include "providers/cloud/statement.h"

#include "base/time.h"
#include "policy/facts.h"

#include <stdio.h>
#include <string.h>

static const char *text(const json_t *object, const char *key)
{
    const char *value = json_string_value(json_object_get(object, key));

    return value != NULL ? value : "";
}

static int add_sku(const json_t *sku, struct gl_statement_row *row, struct gl_statement *out,
                   struct gl_error *err)
{
    const json_t *impact = json_object_get(sku, "total_sku_impact");
    const char *product = text(sku, "product_category");

    snprintf(row->service, sizeof row->service, "%.63s", text(sku, "sku"));
    row->kind = strcmp(product, "instances") == 0                          ? GL_STATED_MACHINES
                : strstr(product, "unknown") != NULL || product[0] == '\0' ? GL_STATED_ANY
                                                                           : GL_STATED_OTHER;
    if (gl_statement_number(out, json_object_get(impact, "kg_co2_equivalent"), GL_STATED_KG_UG,
                            &row->ug, err) != 0)
        return -1;
    return gl_statement_add(out, row, err);
}

static int add_zone(const json_t *zone, struct gl_statement_row *row, struct gl_statement *out,
                    struct gl_error *err)
{
    const json_t *sku;
    size_t i;

    snprintf(row->region, sizeof row->region, "%.39s", text(zone, "zone"));
    json_array_foreach(json_object_get(zone, "skus"), i, sku)
    {
        if (add_sku(sku, row, out, err) != 0)
            return -1;
    }
    return 0;
}

static int add_project(const json_t *project, struct gl_statement *out, struct gl_error *err)
{
    struct gl_statement_row row = {.basis = GL_STATED_LOCATION, .ug = GL_UNKNOWN};
    const json_t *region, *zone;
    size_t i, k;

    snprintf(row.account, sizeof row.account, "%.63s", text(project, "project_id"));
    json_array_foreach(json_object_get(project, "regions"), i, region)
        json_array_foreach(json_object_get(region, "zones"), k, zone)
    {
        if (add_zone(zone, &row, out, err) != 0)
            return -1;
    }
    return 0;
}

static bool is_instant(const char *given, struct gl_instant wanted)
{
    struct gl_instant at;
    struct gl_error ignored = {0};

    return gl_instant_parse(given, &at, &ignored) == 0 && at.unix_s == wanted.unix_s;
}

static bool is_of_month(const json_t *root, struct gl_statement *out)
{
    bool is_it = is_instant(text(root, "start_date"), out->month) &&
                 is_instant(text(root, "end_date"), out->until);

    out->has_others |= !is_it;
    return is_it;
}

int gl_statement_scaleway(const json_t *root, struct gl_statement *out, struct gl_error *err)
{
    struct gl_statement_row whole = {
        .kind = GL_STATED_ANY, .basis = GL_STATED_LOCATION, .ug = GL_UNKNOWN};
    const json_t *project;
    json_t *impact;
    size_t i;

    out->provider = "scaleway";
    out->form = "Scaleway environmental footprint";
    out->boundary = "use and making of the servers, with PUE and shared services";
    if (gl_json_object(root, "total_impact", &impact, err) != 0)
        return gl_wrap(err, "scaleway");
    if (!is_of_month(root, out))
        return 0;
    json_array_foreach(json_object_get(root, "projects"), i, project)
    {
        if (add_project(project, out, err) != 0)
            return -1;
    }
    if (out->count > 0)
        return 0;
    if (gl_statement_number(out, json_object_get(impact, "kg_co2_equivalent"), GL_STATED_KG_UG,
                            &whole.ug, err) != 0)
        return -1;
    return gl_statement_add(out, &whole, err);
}
