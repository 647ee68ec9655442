/* SPDX-License-Identifier: Apache-2.0 */
/* Prices: the Price List Query API for on-demand, the spot history for spot.
 * https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/using-price-list-query-api.html
 * https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeSpotPriceHistory.html */
#include "providers/cloud/aws_part.h"

#include "base/time.h"
#include "providers/cloud/aws_price.h"
#include "providers/cloud/catalog.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- reading ---- */

bool gl_aws_read_money(const char *text, int64_t *out_u)
{
    int64_t whole = 0, parts = 0;
    size_t digits = strspn(text, "0123456789"), behind = 0;

    if (digits == 0 || digits > 9)
        return false;
    for (size_t i = 0; i < digits; i++)
        whole = whole * 10 + (text[i] - '0');
    text += digits;
    if (*text == '.') {
        text++;
        behind = strspn(text, "0123456789");
        for (size_t i = 0; i < 6; i++)
            parts = parts * 10 + (i < behind ? text[i] - '0' : 0);
        if (behind > 6 && text[6] >= '5')
            parts++;
    }
    if (text[behind] != '\0')
        return false;
    *out_u = whole * 1000000 + parts;
    return true;
}

/* "8 GiB", "1,952 GiB", "0.5 GiB" */
static uint32_t read_memory(const char *text)
{
    char plain[24];
    size_t length = 0;
    int64_t millionths;

    for (; text != NULL && *text != '\0' && *text != ' ' && length + 1 < sizeof plain; text++)
        if (*text != ',')
            plain[length++] = *text;
    plain[length] = '\0';
    if (!gl_aws_read_money(plain, &millionths) || millionths > INT64_C(100000) * 1000000)
        return 0;
    return (uint32_t)(millionths * 1024 / 1000000);
}

static uint32_t read_count(const char *text)
{
    unsigned long count = text != NULL ? strtoul(text, NULL, 10) : 0;

    return count <= 100000 ? (uint32_t)count : 0;
}

static const char *attribute(const json_t *product, const char *name)
{
    const json_t *attributes = json_object_get(json_object_get(product, "product"), "attributes");

    return json_string_value(json_object_get(attributes, name));
}

/* The hourly price of one dimension; a zero is no price, it belongs to reservations. */
static bool read_dimension(const json_t *dimension, struct gl_catalog_row *out)
{
    const json_t *prices = json_object_get(dimension, "pricePerUnit");
    const char *unit = json_string_value(json_object_get(dimension, "unit"));
    const char *usd = json_string_value(json_object_get(prices, "USD"));
    const char *cny = json_string_value(json_object_get(prices, "CNY"));
    int64_t price;

    if (unit == NULL || strcmp(unit, "Hrs") != 0)
        return false;
    if (usd != NULL && gl_aws_read_money(usd, &price) && price > 0) {
        out->price_u_usd = out->price_u_own = price;
        snprintf(out->currency, sizeof out->currency, "USD");
        return true;
    }
    if (cny != NULL && gl_aws_read_money(cny, &price) && price > 0) {
        out->price_u_own = price;
        snprintf(out->currency, sizeof out->currency, "CNY");
        return true;
    }
    return false;
}

/* {"terms": {"OnDemand": {SKU: {"priceDimensions": {CODE: {...}}}}}} */
static bool read_terms(const json_t *product, struct gl_catalog_row *out)
{
    json_t *offers = json_object_get(json_object_get(product, "terms"), "OnDemand");
    json_t *offer, *dimension;
    const char *key;

    json_object_foreach(offers, key, offer)
    {
        const char *inner;

        json_object_foreach(json_object_get(offer, "priceDimensions"), inner,
                            dimension) if (read_dimension(dimension, out)) return true;
    }
    return false;
}

bool gl_aws_read_product(const char *text, struct gl_catalog_row *out)
{
    struct gl_error ignored = {0};
    GL_AUTO(gl_auto_json) json_t *product = gl_json_parse(text, strlen(text), "price", &ignored);
    const char *region = attribute(product, "regionCode");
    const char *type = attribute(product, "instanceType"), *gpus = attribute(product, "gpu");
    struct gl_catalog_row row;

    if (region == NULL || type == NULL || strlen(region) >= sizeof row.region ||
        strlen(type) >= sizeof row.type)
        return false;
    gl_catalog_row_init(&row, region, type);
    row.vcpus = read_count(attribute(product, "vcpu"));
    row.memory_mib = read_memory(attribute(product, "memory"));
    row.gpu_count = read_count(gpus);
    snprintf(row.arch, sizeof row.arch, "%s", gl_aws_arch(type));
    if (!read_terms(product, &row))
        return false;
    *out = row;
    return true;
}

/* ---- asking ---- */

void gl_aws_ask_products(struct gl_aws *aws, struct gl_remote_call *call, const char *region,
                         const char *type, const char *next)
{
    static const char *const fixed[][2] = {{"operatingSystem", "Linux"},
                                           {"tenancy", "Shared"},
                                           {"capacitystatus", "Used"},
                                           {"preInstalledSw", "NA"}};
    json_t *filters = json_array(), *body;

    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
        json_array_append_new(filters, json_pack("{s:s, s:s, s:s}", "Type", "TERM_MATCH", "Field",
                                                 fixed[i][0], "Value", fixed[i][1]));
    json_array_append_new(filters, json_pack("{s:s, s:s, s:s}", "Type", "TERM_MATCH", "Field",
                                             "regionCode", "Value", region));
    if (type != NULL)
        json_array_append_new(filters, json_pack("{s:s, s:s, s:s}", "Type", "TERM_MATCH", "Field",
                                                 "instanceType", "Value", type));
    body = json_pack("{s:s, s:o, s:i}", "ServiceCode", "AmazonEC2", "Filters", filters,
                     "MaxResults", 100);
    if (next != NULL && *next != '\0')
        json_object_set_new(body, "NextToken", json_string(next));
    gl_aws_json(aws, call, "pricing",
                strncmp(region, "cn-", 3) == 0 ? "cn-northwest-1" : "us-east-1",
                "AWSPriceListService.GetProducts", body);
    json_decref(body);
}

/* Is the type offered there at all? 1, 0, -1. */
static int is_offered(struct gl_aws *aws, const char *region, const char *type,
                      struct gl_error *err)
{
    const char *const *names;

    if (aws->remote.cloud.ops->types(&aws->remote.cloud, region, &names, err) < 0)
        return -1;
    for (; *names != NULL; names++)
        if (strcmp(*names, type) == 0)
            return 1;
    return 0;
}

/* Of one type in one region: *out stays GL_UNKNOWN when the list has none. */
static int ask_price(struct gl_aws *aws, const char *region, const char *type, int64_t *out,
                     struct gl_error *err)
{
    GL_AUTO(gl_remote_call_done) struct gl_remote_call call = {0};
    GL_AUTO(gl_auto_json) json_t *json = NULL;
    struct gl_catalog_row row;
    json_t *list, *item;
    size_t i;

    gl_aws_ask_products(aws, &call, region, type, NULL);
    json = gl_remote_json(&aws->remote, &call, err);
    if (json == NULL || gl_json_array(json, "PriceList", &list, err) < 0)
        return -1;
    json_array_foreach(list, i, item) if (json_is_string(item) &&
                                          gl_aws_read_product(json_string_value(item), &row) &&
                                          strcmp(row.type, type) == 0 &&
                                          strcmp(row.region, region) == 0)
    {
        *out = row.price_u_usd;
        return 0;
    }
    return 0;
}

static int fail_type(const char *region, const char *type, struct gl_error *err)
{
    char shown[GL_TEXT_SHOWN];

    return gl_fail(err, GL_E_UNKNOWN_NAME, "aws has no type %s in %s", gl_text_show(type, shown),
                   region);
}

int gl_aws_price(struct gl_cloud *cloud, const char *region, const char *type, int64_t *out,
                 struct gl_error *err)
{
    struct gl_aws *aws = (struct gl_aws *)cloud;
    int64_t price = GL_UNKNOWN;
    int offered;

    if (gl_aws_check_region(aws, region, err) < 0)
        return -1;
    gl_remote_begin(&aws->remote, GL_REMOTE_DEADLINE_MS);
    if (ask_price(aws, region, type, &price, err) < 0)
        return -1;
    if (price == GL_UNKNOWN) {
        offered = is_offered(aws, region, type, err);
        if (offered <= 0)
            return offered < 0 ? -1 : fail_type(region, type, err);
    }
    *out = price;
    return 0;
}

/* ---- spot ---- */

void gl_aws_ask_spot(struct gl_aws *aws, struct gl_remote_call *call, const char *region,
                     const char *type, const char *next)
{
    char now[GL_INSTANT_TEXT];

    gl_aws_query(aws, call, "ec2", region, "DescribeSpotPriceHistory");
    gl_aws_add(call, gl_instant_text(gl_now(aws->remote.world), now), "StartTime");
    gl_aws_add(call, "Linux/UNIX", "ProductDescription.1");
    gl_aws_add(call, type, "InstanceType.1");
    gl_aws_add(call, next != NULL && *next != '\0' ? next : NULL, "NextToken");
}

int gl_aws_spot_price(struct gl_aws *aws, const char *region, const char *type, int64_t *out,
                      struct gl_error *err)
{
    GL_AUTO(gl_remote_call_done) struct gl_remote_call call = {0};
    GL_AUTO(gl_auto_xml) struct gl_xml *doc = NULL;
    const struct gl_xml_node *item;
    int64_t best = GL_UNKNOWN, price;

    gl_aws_ask_spot(aws, &call, region, type, NULL);
    doc = gl_aws_ask(aws, &call, err);
    if (doc == NULL)
        return -1;
    item = gl_xml_child(gl_xml_child(gl_xml_root(doc), "spotPriceHistorySet"), "item");
    for (; item != NULL; item = gl_xml_next(item, "item")) {
        const char *text = gl_xml_text(item, "spotPrice");

        if (text != NULL && gl_aws_read_money(text, &price) && price > 0 &&
            (best == GL_UNKNOWN || price > best))
            best = price;
    }
    *out = best;
    return 0;
}
