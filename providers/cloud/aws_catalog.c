/* SPDX-License-Identifier: Apache-2.0 */
/* The live catalogue: the regions first, then of each at once what is offered, the on-demand list
 * and the spot prices, page after page. A spot price is of a zone; the rest of the region. */
#include "providers/cloud/aws_price.h"
#include "providers/cloud/catalog.h"
#include "providers/cloud/drivers.h"

#include <stdio.h>
#include <string.h>

enum { REGIONS, OFFERINGS, PRODUCTS, SPOT };

static int begin(struct gl_cloud *cloud, struct gl_catalog_round *round, struct gl_error *err)
{
    struct gl_aws *aws = (struct gl_aws *)cloud;
    struct gl_remote_call call = {.method = NULL};
    int asked = gl_aws_chain_ask(aws->chain, false, &call, err);

    /* Before the many: a chain that has nothing says so once. What it would ask, the round does. */
    gl_remote_call_done(&call);
    if (asked < 0)
        return -1;
    gl_error_clear(err);
    gl_aws_query(aws, &call, "ec2", aws->home, "DescribeRegions");
    gl_catalog_ask(round, &call, REGIONS, aws->home);
    return 0;
}

static void ask_offerings(struct gl_aws *aws, struct gl_catalog_round *round, const char *region,
                          const char *next)
{
    struct gl_remote_call call;

    gl_aws_query(aws, &call, "ec2", region, "DescribeInstanceTypeOfferings");
    gl_aws_add(&call, "region", "LocationType");
    gl_aws_add(&call, "1000", "MaxResults");
    gl_aws_add(&call, *next != '\0' ? next : NULL, "NextToken");
    gl_catalog_ask(round, &call, OFFERINGS, region);
}

static void ask_products(struct gl_aws *aws, struct gl_catalog_round *round, const char *region,
                         const char *next)
{
    struct gl_remote_call call;

    gl_aws_ask_products(aws, &call, region, NULL, next);
    gl_catalog_ask(round, &call, PRODUCTS, region);
}

static void ask_spot(struct gl_aws *aws, struct gl_catalog_round *round, const char *region,
                     const char *next)
{
    struct gl_remote_call call;

    gl_aws_ask_spot(aws, &call, region, NULL, next);
    gl_catalog_ask(round, &call, SPOT, region);
}

static void read_offerings(const struct gl_xml_node *root, const char *region,
                           struct gl_catalog *catalog)
{
    const struct gl_xml_node *item = gl_xml_child(root, "instanceTypeOfferingSet");

    for (item = gl_xml_child(item, "item"); item != NULL; item = gl_xml_next(item, "item")) {
        const char *type = gl_xml_text(item, "instanceType");
        struct gl_catalog_row row;

        if (type == NULL || strlen(type) >= sizeof row.type)
            continue;
        gl_catalog_row_init(&row, region, type);
        snprintf(row.arch, sizeof row.arch, "%s", gl_aws_arch(type));
        row.is_offered = row.is_offered_known = true;
        gl_catalog_add(catalog, &row);
    }
}

static void read_spot(const struct gl_xml_node *root, const char *region,
                      struct gl_catalog *catalog)
{
    const struct gl_xml_node *item = gl_xml_child(root, "spotPriceHistorySet");

    for (item = gl_xml_child(item, "item"); item != NULL; item = gl_xml_next(item, "item")) {
        const char *type = gl_xml_text(item, "instanceType");
        const char *zone = gl_xml_text(item, "availabilityZone");
        const char *price = gl_xml_text(item, "spotPrice");
        struct gl_catalog_row row;

        if (type == NULL || zone == NULL || price == NULL || strlen(type) >= sizeof row.type ||
            strlen(zone) >= sizeof row.zone)
            continue;
        gl_catalog_row_init(&row, region, type);
        snprintf(row.zone, sizeof row.zone, "%s", zone);
        if (gl_aws_read_money(price, &row.spot_u_usd) && row.spot_u_usd > 0)
            gl_catalog_add(catalog, &row);
    }
}

static int read_products(struct gl_aws *aws, const struct gl_remote_call *call,
                         struct gl_catalog_round *round, const char *region,
                         struct gl_catalog *catalog, struct gl_error *err)
{
    GL_AUTO(gl_auto_json) json_t *json = gl_remote_reply_json(call, err);
    struct gl_catalog_row row;
    const char *next;
    json_t *list, *item;
    size_t i;

    if (json == NULL || gl_json_array(json, "PriceList", &list, err) < 0)
        return gl_wrap(err, "aws: prices of %s", region);
    json_array_foreach(list, i, item) if (json_is_string(item) &&
                                          gl_aws_read_product(json_string_value(item), &row) &&
                                          strcmp(row.region, region) == 0)
        gl_catalog_add(catalog, &row);
    next = json_string_value(json_object_get(json, "NextToken"));
    if (next != NULL && *next != '\0')
        ask_products(aws, round, region, next);
    return 0;
}

static void ask_regions(struct gl_aws *aws, const struct gl_xml_node *root,
                        struct gl_catalog_round *round)
{
    const struct gl_xml_node *item = gl_xml_child(root, "regionInfo");

    for (item = gl_xml_child(item, "item"); item != NULL; item = gl_xml_next(item, "item")) {
        const char *name = gl_xml_text(item, "regionName");
        const char *opted = gl_xml_text(item, "optInStatus");

        if (name == NULL || !gl_aws_is_wanted(aws, name) ||
            (opted != NULL && strcmp(opted, "not-opted-in") == 0))
            continue;
        ask_offerings(aws, round, name, "");
        ask_products(aws, round, name, "");
        ask_spot(aws, round, name, "");
    }
}

static int read(struct gl_cloud *cloud, const struct gl_remote_call *call, int kind,
                const char *region, struct gl_catalog_round *round, struct gl_catalog *catalog,
                struct gl_error *err)
{
    struct gl_aws *aws = (struct gl_aws *)cloud;
    GL_AUTO(gl_auto_xml) struct gl_xml *doc = NULL;
    const char *next;

    if (call->err.code != GL_OK)
        return 0; /* it is noted already */
    if (kind == PRODUCTS)
        return read_products(aws, call, round, region, catalog, err);
    doc = gl_aws_read(call, err);
    if (doc == NULL)
        return -1;
    next = gl_xml_text(gl_xml_root(doc), "nextToken");
    next = next != NULL && strlen(next) < 4096 ? next : "";
    if (kind == REGIONS) {
        ask_regions(aws, gl_xml_root(doc), round);
    } else if (kind == OFFERINGS) {
        read_offerings(gl_xml_root(doc), region, catalog);
        if (*next != '\0')
            ask_offerings(aws, round, region, next);
    } else {
        read_spot(gl_xml_root(doc), region, catalog);
        if (*next != '\0')
            ask_spot(aws, round, region, next);
    }
    return 0;
}

const struct gl_catalog_ops gl_aws_catalog = {.begin = begin, .read = read};
