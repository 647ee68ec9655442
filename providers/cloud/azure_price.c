/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/azure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Azure's retail prices, which need no account:
 * https://learn.microsoft.com/rest/api/cost-management/retail-prices/azure-retail-prices
 * Catalogue: locations first, then the types and the prices of each, all at once. */

#define VERSION   "2023-01-01-preview"
#define PRICE_MAX 1000.0 /* USD an hour: what is dearer is no machine */
#define PAGES_MAX 20     /* of one type */

enum kind { KIND_LOCATIONS = 1, KIND_SKUS, KIND_PRICES };

/* ---- rows ---- */

static const char *text_of(const json_t *row, const char *key)
{
    const char *text = json_string_value(json_object_get(row, key));

    return text != NULL ? text : "";
}

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), tail = strlen(end);

    return length >= tail && strcmp(text + length - tail, end) == 0;
}

/* An hour of something, in dollars, as it is used. */
static bool is_hourly(const json_t *row)
{
    static const char *const fixed[][2] = {{"type", "Consumption"},
                                           {"currencyCode", "USD"},
                                           {"unitOfMeasure", "1 Hour"},
                                           {"serviceName", "Virtual Machines"}};

    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
        if (strcmp(text_of(row, fixed[i][0]), fixed[i][1]) != 0)
            return false;
    return !(json_number_value(json_object_get(row, "tierMinimumUnits")) > 0);
}

/* With Windows in it, of a host, of cloud services, or at the old low priority. */
static bool is_other(const json_t *row)
{
    static const char *const products[] = {"Windows", "CloudServices", "Cloud Services",
                                           "Dedicated Host"};

    for (size_t i = 0; i < sizeof products / sizeof *products; i++)
        if (strstr(text_of(row, "productName"), products[i]) != NULL)
            return true;
    return strstr(text_of(row, "skuName"), "Low Priority") != NULL;
}

/* Those at the spot price are named so. */
bool gl_azure_read_price(const json_t *row, struct gl_azure_price_row *out)
{
    const json_t *price = json_object_get(row, "retailPrice");
    double usd = json_number_value(price);

    *out = (struct gl_azure_price_row){.region = text_of(row, "armRegionName"),
                                       .type = text_of(row, "armSkuName"),
                                       .is_spot = ends_with(text_of(row, "skuName"), " Spot")};
    if (out->region[0] == '\0' || out->type[0] == '\0' || !(usd > 0) || usd > PRICE_MAX ||
        !is_hourly(row) || is_other(row))
        return false;
    out->u_usd = (int64_t)(usd * 1e6 + 0.5); /* six decimals are more than Azure prints */
    return out->u_usd > 0;
}

void gl_azure_price_call(const struct gl_azure *azure, struct gl_remote_call *call,
                         const char *region, const char *type)
{
    GL_AUTO(gl_str_done) struct gl_str filter = {0};

    gl_str_addf(&filter, "serviceName eq 'Virtual Machines' and armRegionName eq '%.39s'", region);
    if (type != NULL)
        gl_str_addf(&filter, " and armSkuName eq '%.63s'", type);
    gl_str_add(&filter, " and priceType eq 'Consumption'");
    call->method = "GET";
    call->is_open = true;
    gl_str_addf(&call->url, "%s/api/retail/prices", azure->prices);
    gl_remote_query(call, "api-version", VERSION);
    gl_remote_query(call, "$filter", gl_str_text(&filter));
}

/* ---- one type ---- */

struct wanted {
    const char *region, *type;
    struct gl_azure_prices *out;
};

/* Of two prices the dearer: none is understated. */
static void keep(int64_t *into, int64_t u_usd)
{
    if (*into == GL_UNKNOWN || u_usd > *into)
        *into = u_usd;
}

static void read_row(void *cookie, const json_t *row)
{
    const struct wanted *wanted = cookie;
    struct gl_azure_price_row price;

    if (gl_azure_read_price(row, &price) && strcmp(price.region, wanted->region) == 0 &&
        strcmp(price.type, wanted->type) == 0)
        keep(price.is_spot ? &wanted->out->spot_u_usd : &wanted->out->list_u_usd, price.u_usd);
}

int gl_azure_prices_of(struct gl_azure *azure, const char *region, const char *type,
                       struct gl_azure_prices *out, struct gl_error *err)
{
    struct gl_azure_prices prices = {GL_UNKNOWN, GL_UNKNOWN};
    struct wanted wanted = {region, type, &prices};
    const struct gl_azure_pages pages = {.base = azure->prices,
                                         .next = "NextPageLink",
                                         .items = "Items",
                                         .read = read_row,
                                         .cookie = &wanted,
                                         .most = PAGES_MAX};
    struct gl_remote_call call = {.region = region};

    if (gl_azure_is_plain(region) && gl_azure_is_plain(type)) {
        gl_azure_begin(azure);
        gl_azure_price_call(azure, &call, region, type);
        if (gl_azure_each(azure, &call, &pages, err) != 0)
            return -1;
    }
    *out = prices;
    return 0;
}

int gl_azure_price(struct gl_cloud *cloud, const char *region, const char *type, int64_t *out,
                   struct gl_error *err)
{
    struct gl_azure *azure = gl_azure_of(cloud);
    struct gl_azure_prices prices;

    if (gl_azure_prices_of(azure, region, type, &prices, err) != 0 ||
        (prices.list_u_usd == GL_UNKNOWN && prices.spot_u_usd == GL_UNKNOWN &&
         gl_azure_check_type(azure, region, type, err) != 0))
        return -1;
    *out = prices.list_u_usd;
    return 0;
}

/* ---- catalogue ---- */

static void read_prices(const json_t *page, const char *region, struct gl_catalog *catalog)
{
    size_t i;
    const json_t *item;

    json_array_foreach(json_object_get(page, "Items"), i, item)
    {
        struct gl_azure_price_row price;
        struct gl_catalog_row row;

        if (!gl_azure_read_price(item, &price) || strcmp(price.region, region) != 0 ||
            !gl_azure_is_plain(price.type) || strlen(price.type) >= sizeof row.type)
            continue;
        gl_catalog_row_init(&row, region, price.type);
        *(price.is_spot ? &row.spot_u_usd : &row.price_u_usd) = price.u_usd;
        gl_catalog_add(catalog, &row);
    }
}

static void read_skus(const json_t *page, const char *region, struct gl_catalog *catalog)
{
    size_t i;
    const json_t *sku;

    json_array_foreach(json_object_get(page, "value"), i, sku)
    {
        struct gl_catalog_row row;

        if (gl_azure_read_sku(sku, region, &row))
            gl_catalog_add(catalog, &row);
    }
}

static void ask_region(const struct gl_azure *azure, const char *region,
                       struct gl_catalog_round *round)
{
    struct gl_remote_call skus = {0}, prices = {0};

    gl_azure_sku_call(azure, &skus, region);
    gl_catalog_ask(round, &skus, KIND_SKUS, region);
    gl_azure_price_call(azure, &prices, region, NULL);
    gl_catalog_ask(round, &prices, KIND_PRICES, region);
}

static void read_locations(const struct gl_azure *azure, const json_t *page,
                           struct gl_catalog_round *round)
{
    size_t i;
    const json_t *row;

    json_array_foreach(json_object_get(page, "value"), i, row)
    {
        const char *kind = text_of(json_object_get(row, "metadata"), "regionType");
        const char *sort = text_of(row, "type"), *name = text_of(row, "name");

        if (gl_azure_is_plain(name) && strlen(name) < 40 && strcmp(kind, "Logical") != 0 &&
            (sort[0] == '\0' || strcmp(sort, "Region") == 0))
            ask_region(azure, name, round);
    }
}

static int ask_next(const struct gl_azure *azure, const json_t *page, int kind, const char *region,
                    struct gl_catalog_round *round, struct gl_error *err)
{
    bool is_price = kind == KIND_PRICES;
    struct gl_remote_call call = {.method = "GET", .is_open = is_price};
    const char *next;
    int more = gl_azure_next(page, is_price ? "NextPageLink" : "nextLink",
                             is_price ? azure->prices : azure->endpoint, &next, err);

    if (more <= 0)
        return more;
    gl_str_add(&call.url, next);
    gl_catalog_ask(round, &call, kind, region);
    return 0;
}

static int catalog_read(struct gl_cloud *cloud, const struct gl_remote_call *call, int kind,
                        const char *region, struct gl_catalog_round *round,
                        struct gl_catalog *catalog, struct gl_error *err)
{
    const struct gl_azure *azure = gl_azure_of(cloud);
    GL_AUTO(gl_auto_json) json_t *page = NULL;

    if (call->err.code != GL_OK)
        return gl_fail(err, call->err.code, "%s", call->err.text);
    page = gl_remote_reply_json(call, err);
    if (page == NULL)
        return -1;
    if (!json_is_array(json_object_get(page, kind == KIND_PRICES ? "Items" : "value")))
        return gl_fail(err, GL_E_BAD_REPLY, "azure: a list without rows");
    if (kind == KIND_LOCATIONS)
        read_locations(azure, page, round);
    else if (kind == KIND_SKUS)
        read_skus(page, region, catalog);
    else
        read_prices(page, region, catalog);
    return ask_next(azure, page, kind, region, round, err);
}

static int catalog_begin(struct gl_cloud *cloud, struct gl_catalog_round *round,
                         struct gl_error *err)
{
    struct gl_remote_call call = {0};

    (void)err;
    gl_azure_call(gl_azure_of(cloud), &call, "GET", GL_AZURE_BASE, "/locations");
    gl_catalog_ask(round, &call, KIND_LOCATIONS, "");
    return 0;
}

const struct gl_catalog_ops gl_azure_catalog = {.begin = catalog_begin, .read = catalog_read};
