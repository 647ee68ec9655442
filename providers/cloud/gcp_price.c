/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/gcp.h"
#include "providers/data/data.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Google prices no machine types but cores, GiB and GPUs of a family in a region, told apart by the
 * text of their descriptions (Cloud Billing Catalog API, service 6F81-5844-456A). Types that bring
 * local disks of their own (a2-ultragpu, a3 ...) are left unknown: these are billed besides. */

#define SERVICE     "6F81-5844-456A"
#define PAGES_MAX   20
#define KIND_SKUS   1
#define KIND_AREAS  2
#define KIND_CLAIMS 3

static const struct {
    const char *text; /* the description begins with it, after "Spot Preemptible " */
    const char *family;
    enum gl_gcp_part part;
} descriptions[] = {
    {"E2 Instance Core running", "e2", GL_GCP_CORE},
    {"E2 Instance Ram running", "e2", GL_GCP_RAM},
    {"N1 Predefined Instance Core running", "n1", GL_GCP_CORE},
    {"N1 Predefined Instance Ram running", "n1", GL_GCP_RAM},
    {"N2 Instance Core running", "n2", GL_GCP_CORE},
    {"N2 Instance Ram running", "n2", GL_GCP_RAM},
    {"N2D AMD Instance Core running", "n2d", GL_GCP_CORE},
    {"N2D AMD Instance Ram running", "n2d", GL_GCP_RAM},
    {"N4 Instance Core running", "n4", GL_GCP_CORE},
    {"N4 Instance Ram running", "n4", GL_GCP_RAM},
    {"T2D AMD Instance Core running", "t2d", GL_GCP_CORE},
    {"T2D AMD Instance Ram running", "t2d", GL_GCP_RAM},
    {"T2A Arm Instance Core running", "t2a", GL_GCP_CORE},
    {"T2A Arm Instance Ram running", "t2a", GL_GCP_RAM},
    {"C2D AMD Instance Core running", "c2d", GL_GCP_CORE},
    {"C2D AMD Instance Ram running", "c2d", GL_GCP_RAM},
    {"C3 Instance Core running", "c3", GL_GCP_CORE},
    {"C3 Instance Ram running", "c3", GL_GCP_RAM},
    {"C3D Instance Core running", "c3d", GL_GCP_CORE},
    {"C3D Instance Ram running", "c3d", GL_GCP_RAM},
    {"C4 Instance Core running", "c4", GL_GCP_CORE},
    {"C4 Instance Ram running", "c4", GL_GCP_RAM},
    {"C4A Arm Instance Core running", "c4a", GL_GCP_CORE},
    {"C4A Arm Instance Ram running", "c4a", GL_GCP_RAM},
    {"Compute optimized Core running", "c2", GL_GCP_CORE},
    {"Compute optimized Ram running", "c2", GL_GCP_RAM},
    {"A2 Instance Core running", "a2", GL_GCP_CORE},
    {"A2 Instance Ram running", "a2", GL_GCP_RAM},
    {"Nvidia Tesla A100 GPU running", "a2", GL_GCP_GPU},
    {"Nvidia Tesla A100 GPU attached to Spot Preemptible VMs running", "a2", GL_GCP_GPU},
    {"G2 Instance Core running", "g2", GL_GCP_CORE},
    {"G2 Instance Ram running", "g2", GL_GCP_RAM},
    {"Nvidia L4 GPU running", "g2", GL_GCP_GPU},
    {"Nvidia L4 GPU attached to Spot Preemptible VMs running", "g2", GL_GCP_GPU},
};

/* Shared-core machines are billed for a part of their two vCPUs. */
static const struct {
    const char *name;
    int64_t milli_cores, mib;
} shared[] = {{"e2-micro", 250, 1024}, {"e2-small", 500, 2048}, {"e2-medium", 1000, 4096}};

/* MiB a vCPU of "FAMILY-SHAPE-N". */
static const struct {
    const char *family, *shape;
    int64_t mib;
} shapes[] = {
    {"n1", "standard", 3840}, {"n1", "highmem", 6656},  {"n1", "highcpu", 921},
    {"c2", "standard", 4096}, {"*", "standard", 4096},  {"c3", "highcpu", 2048},
    {"c3d", "highcpu", 2048}, {"c2d", "highcpu", 2048}, {"c4", "highcpu", 2048},
    {"c4a", "highcpu", 2048}, {"n4", "highcpu", 2048},  {"c4", "highmem", 7936},
    {"*", "highmem", 8192},   {"*", "highcpu", 1024},
};

/* With GPUs, and no disk that would be billed besides: as our table has them. */
static const char *const gpu_types[] = {"a2-highgpu-*", "a2-megagpu-*", "g2-standard-*"};

static bool bill_gpus(const char *type, struct gl_gcp_bill *out)
{
    const struct gl_type_row *row = gl_data_type("gcp", type);

    for (size_t i = 0; row != NULL && i < sizeof gpu_types / sizeof *gpu_types; i++)
        if (gl_glob_match(gpu_types[i], type) && row->gpu_count > 0) {
            snprintf(out->family, sizeof out->family, "%.2s", type);
            out->milli_cores = 1000 * (int64_t)row->vcpus;
            out->mib = row->memory_mib;
            out->gpus = row->gpu_count;
            return true;
        }
    return false;
}

bool gl_gcp_billed(const char *type, struct gl_gcp_bill *out)
{
    char family[8], shape[16];
    int cores = 0, end = 0;

    *out = (struct gl_gcp_bill){.gpus = 0};
    for (size_t i = 0; i < sizeof shared / sizeof *shared; i++)
        if (strcmp(type, shared[i].name) == 0) {
            snprintf(out->family, sizeof out->family, "e2");
            out->milli_cores = shared[i].milli_cores;
            out->mib = shared[i].mib;
            return true;
        }
    if (strncmp(type, "a2-", 3) == 0 || strncmp(type, "g2-", 3) == 0)
        return bill_gpus(type, out);
    if (sscanf(type, "%7[a-z0-9]-%15[a-z]-%4d%n", family, shape, &cores, &end) != 3 ||
        type[end] != '\0' || cores < 1)
        return false;
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        if (gl_glob_match(shapes[i].family, family) && strcmp(shapes[i].shape, shape) == 0) {
            snprintf(out->family, sizeof out->family, "%s", family);
            out->milli_cores = 1000 * (int64_t)cores;
            out->mib = shapes[i].mib * cores;
            return true;
        }
    return false;
}

/* Micro-dollars of "units" and "nanos", rounded up; -1 when it makes no sense. */
static int64_t money(const json_t *price)
{
    const char *units = json_string_value(json_object_get(price, "units"));
    const json_t *nanos = json_object_get(price, "nanos");
    const char *currency = json_string_value(json_object_get(price, "currencyCode"));

    if (currency == NULL || strcmp(currency, "USD") != 0 || !json_is_integer(nanos) ||
        json_integer_value(nanos) < 0 || json_integer_value(nanos) > 999999999)
        return -1;
    if (units != NULL && (strlen(units) > 6 || units[strspn(units, "0123456789")] != '\0'))
        return -1;
    return (units != NULL ? strtoll(units, NULL, 10) : 0) * 1000000 +
           (json_integer_value(nanos) + 999) / 1000;
}

bool gl_gcp_read_sku(const json_t *sku, struct gl_gcp_sku *out)
{
    static const char spot[] = "Spot Preemptible ";
    const char *text = json_string_value(json_object_get(sku, "description"));
    const char *usage =
        json_string_value(json_object_get(json_object_get(sku, "category"), "usageType"));
    const json_t *expression = json_object_get(
        json_array_get(json_object_get(sku, "pricingInfo"), 0), "pricingExpression");
    const json_t *rates = json_object_get(expression, "tieredRates");
    const char *unit = json_string_value(json_object_get(expression, "usageUnit"));
    size_t i;

    if (text == NULL || usage == NULL || unit == NULL || json_array_size(rates) == 0)
        return false;
    *out = (struct gl_gcp_sku){.is_spot = strstr(text, spot) != NULL};
    if (strcmp(usage, out->is_spot ? "Preemptible" : "OnDemand") != 0)
        return false;
    text += strncmp(text, spot, sizeof spot - 1) == 0 ? sizeof spot - 1 : 0;
    for (i = 0; i < sizeof descriptions / sizeof *descriptions; i++)
        if (strncmp(text, descriptions[i].text, strlen(descriptions[i].text)) == 0)
            break;
    if (i == sizeof descriptions / sizeof *descriptions ||
        strcmp(unit, descriptions[i].part == GL_GCP_RAM ? "GiBy.h" : "h") != 0)
        return false;
    snprintf(out->family, sizeof out->family, "%s", descriptions[i].family);
    out->part = descriptions[i].part;
    out->u_usd =
        money(json_object_get(json_array_get(rates, json_array_size(rates) - 1), "unitPrice"));
    out->regions = json_object_get(sku, "serviceRegions");
    return out->u_usd >= 0;
}

/* ---- one price ---- */

struct wanted {
    const char *region;
    struct gl_gcp_bill bill;
    bool is_spot;
    int64_t parts[GL_GCP_PARTS]; /* -1 = not met yet */
};

/* Micro-USD an hour of what is billed; GL_UNKNOWN unless all of it has a price. */
static int64_t sum_of(const struct gl_gcp_bill *bill, const int64_t parts[GL_GCP_PARTS])
{
    if (parts[GL_GCP_CORE] < 0 || parts[GL_GCP_RAM] < 0 ||
        (bill->gpus > 0 && parts[GL_GCP_GPU] < 0))
        return GL_UNKNOWN;
    return (parts[GL_GCP_CORE] * bill->milli_cores + 999) / 1000 +
           (parts[GL_GCP_RAM] * bill->mib + 1023) / 1024 +
           (bill->gpus > 0 ? parts[GL_GCP_GPU] * bill->gpus : 0);
}

static bool is_in(const json_t *regions, const char *region)
{
    size_t i;
    const json_t *one;

    json_array_foreach(regions, i, one) if (json_is_string(one) && strcmp(json_string_value(one),
                                                                          region) == 0) return true;
    return false;
}

static void read_page(const json_t *page, struct wanted *wanted)
{
    size_t i;
    const json_t *row;

    json_array_foreach(json_object_get(page, "skus"), i, row)
    {
        struct gl_gcp_sku sku;

        if (!gl_gcp_read_sku(row, &sku) || sku.is_spot != wanted->is_spot ||
            strcmp(sku.family, wanted->bill.family) != 0 || !is_in(sku.regions, wanted->region))
            continue;
        wanted->parts[sku.part] = sku.u_usd;
    }
}

static void sku_call(const struct gl_gcp *gcp, const char *token, struct gl_remote_call *out)
{
    out->method = "GET";
    gl_str_addf(&out->url, "%s/v1/services/" SERVICE "/skus", gcp->billing);
    gl_remote_query(out, "currencyCode", "USD");
    gl_remote_query(out, "pageSize", "5000");
    if (token != NULL)
        gl_remote_query(out, "pageToken", token);
}

static const char *next_of(const json_t *page)
{
    const char *next = json_string_value(json_object_get(page, "nextPageToken"));

    return next != NULL && next[0] != '\0' ? next : NULL;
}

int gl_gcp_price_of(struct gl_gcp *gcp, const struct gl_launch *launch, int64_t *out,
                    struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *token = NULL;
    struct wanted wanted = {
        .region = launch->region, .is_spot = launch->is_spot, .parts = {-1, -1, -1}};

    *out = GL_UNKNOWN;
    if (!gl_gcp_billed(launch->type, &wanted.bill))
        return 0;
    if (gl_gcp_begin(gcp, err) != 0)
        return -1;
    for (unsigned i = 0; i < PAGES_MAX; i++) {
        struct gl_remote_call call = {0};
        GL_AUTO(gl_auto_json) json_t *page = NULL;

        sku_call(gcp, token, &call);
        page = gl_remote_json(&gcp->remote, &call, err);
        gl_remote_call_done(&call);
        if (page == NULL)
            return -1;
        read_page(page, &wanted);
        *out = sum_of(&wanted.bill, wanted.parts);
        if (next_of(page) == NULL || *out != GL_UNKNOWN)
            break;
        free(token);
        token = gl_strdup(next_of(page));
    }
    return 0;
}

/* One zone of the region that has the type is enough. */
static int check_type(struct gl_gcp *gcp, const char *region, const char *type,
                      struct gl_error *err)
{
    char letters[GL_GCP_ZONES][8], shown[GL_TEXT_SHOWN];
    size_t count;

    if (gl_gcp_zones(gcp, region, letters, &count, err) != 0 || gl_gcp_begin(gcp, err) != 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        struct gl_remote_call call = {.region = region};
        GL_AUTO(gl_auto_json) json_t *root = NULL;
        struct gl_error why = {0};

        gl_gcp_call(gcp, &call, "GET", "zones/%.60s-%s/machineTypes/%.60s", region, letters[i],
                    type);
        root = gl_remote_json(&gcp->remote, &call, &why);
        gl_remote_call_done(&call);
        if (root != NULL)
            return 0;
        if (why.code != GL_E_NOT_FOUND)
            return gl_fail(err, why.code, "%s", why.text);
    }
    return gl_fail(err, GL_E_UNKNOWN_NAME, "Google has no type %s in %s", gl_text_show(type, shown),
                   region);
}

int gl_gcp_price(struct gl_cloud *cloud, const char *region, const char *type, int64_t *out,
                 struct gl_error *err)
{
    const struct gl_launch launch = {.region = region, .type = type};

    if (check_type(gl_gcp_of(cloud), region, type, err) != 0)
        return -1;
    return gl_gcp_price_of(gl_gcp_of(cloud), &launch, out, err);
}

/* ---- catalogue ---- */

/* Cores and GiB come in pages, types in others, in any order: both are kept by region and family
 * (gcp->prices, gcp->offered) until the row of a type is whole. */
static void key_of(const char *region, const char *family, char out[64])
{
    snprintf(out, 64, "%.39s|%.8s", region, family);
}

static json_t *entry_of(json_t *shelf, const char *key, json_t *fresh)
{
    json_t *entry = json_object_get(shelf, key);

    if (entry == NULL)
        json_object_set(shelf, key, fresh);
    json_decref(fresh);
    return json_object_get(shelf, key);
}

static int64_t sum_at(const json_t *units, size_t at, const struct gl_gcp_bill *bill)
{
    int64_t parts[GL_GCP_PARTS];

    for (size_t i = 0; i < GL_GCP_PARTS; i++)
        parts[i] = units != NULL ? json_integer_value(json_array_get(units, at + i)) : -1;
    return sum_of(bill, parts);
}

/* What is known by now of a type's price. */
static void price_row(const json_t *prices, const char *region, const char *type,
                      struct gl_catalog_row *row)
{
    struct gl_gcp_bill bill;
    char key[64];
    const json_t *units;

    snprintf(row->region, sizeof row->region, "%s", region);
    snprintf(row->type, sizeof row->type, "%s", type);
    row->price_u_usd = row->spot_u_usd = row->price_u_own = GL_UNKNOWN;
    row->cfe_ppm = row->estimate_ug = -1;
    if (!gl_gcp_billed(type, &bill))
        return;
    key_of(region, bill.family, key);
    units = json_object_get(prices, key);
    row->price_u_usd = sum_at(units, 0, &bill);
    row->spot_u_usd = sum_at(units, GL_GCP_PARTS, &bill);
}

static void reprice(const struct gl_gcp *gcp, const char *region, const char *key,
                    struct gl_catalog *catalog)
{
    size_t i;
    const json_t *type;

    json_array_foreach(json_object_get(gcp->offered, key), i, type)
    {
        struct gl_catalog_row row = {0};

        price_row(gcp->prices, region, json_string_value(type), &row);
        gl_catalog_add(catalog, &row);
    }
}

static void read_skus(struct gl_gcp *gcp, const json_t *page, struct gl_catalog *catalog)
{
    size_t i, k;
    const json_t *row, *region;

    json_array_foreach(json_object_get(page, "skus"), i, row)
    {
        struct gl_gcp_sku sku;

        if (!gl_gcp_read_sku(row, &sku))
            continue;
        json_array_foreach(sku.regions, k, region)
        {
            char key[64];

            if (!json_is_string(region) || json_string_length(region) > 39)
                continue;
            key_of(json_string_value(region), sku.family, key);
            json_array_set_new(
                entry_of(gcp->prices, key, json_pack("[i,i,i,i,i,i]", -1, -1, -1, -1, -1, -1)),
                (size_t)sku.is_spot * GL_GCP_PARTS + sku.part, json_integer(sku.u_usd));
            reprice(gcp, json_string_value(region), key, catalog);
        }
    }
}

static uint32_t small(const json_t *value)
{
    json_int_t number = json_integer_value(value);

    return number > 0 && number <= 100000000 ? (uint32_t)number : 0;
}

static void read_type(struct gl_gcp *gcp, const char *zone, const json_t *type,
                      struct gl_catalog *catalog)
{
    const char *name = json_string_value(json_object_get(type, "name"));
    const char *arch = json_string_value(json_object_get(type, "architecture"));
    const json_t *gpu = json_array_get(json_object_get(type, "accelerators"), 0);
    const char *letter = strrchr(zone, '-');
    struct gl_catalog_row row = {.is_offered = true, .is_offered_known = true};
    struct gl_gcp_bill bill;
    char region[40], key[64];

    if (name == NULL || letter == NULL || (size_t)(letter - zone) >= sizeof region)
        return;
    snprintf(region, sizeof region, "%.*s", (int)(letter - zone), zone);
    price_row(gcp->prices, region, name, &row);
    row.vcpus = small(json_object_get(type, "guestCpus"));
    row.memory_mib = small(json_object_get(type, "memoryMb"));
    snprintf(row.arch, sizeof row.arch, "%s",
             arch != NULL && strcmp(arch, "ARM64") == 0 ? "arm64" : "x86_64");
    row.gpu_count = small(json_object_get(gpu, "guestAcceleratorCount"));
    if (json_is_string(json_object_get(gpu, "guestAcceleratorType")))
        snprintf(row.gpu, sizeof row.gpu, "%.39s",
                 gl_gcp_last(json_string_value(json_object_get(gpu, "guestAcceleratorType"))));
    gl_catalog_add(catalog, &row);
    if (!gl_gcp_billed(name, &bill))
        return;
    key_of(region, bill.family, key);
    json_array_append_new(entry_of(gcp->offered, key, json_array()), json_string(name));
}

static bool read_areas(struct gl_gcp *gcp, const json_t *page, struct gl_catalog *catalog)
{
    const char *name;
    json_t *scope;
    size_t i;
    const json_t *type;

    json_object_foreach(json_object_get(page, "items"), name, scope)
        json_array_foreach(json_object_get(scope, "machineTypes"), i, type)
            read_type(gcp, gl_gcp_last(name), type, catalog);
    return json_array_size(json_object_get(page, "unreachables")) == 0;
}

static void ask_areas(const struct gl_gcp *gcp, const char *token, struct gl_catalog_round *round)
{
    struct gl_remote_call call = {0};

    gl_gcp_call(gcp, &call, "GET", "aggregated/machineTypes");
    gl_remote_query(&call, "maxResults", "500");
    gl_remote_query(&call, "returnPartialSuccess", "true");
    if (token != NULL)
        gl_remote_query(&call, "pageToken", token);
    gl_catalog_ask(round, &call, KIND_AREAS, "");
}

static int catalog_read(struct gl_cloud *cloud, const struct gl_remote_call *call, int kind,
                        const char *region, struct gl_catalog_round *round,
                        struct gl_catalog *catalog, struct gl_error *err)
{
    struct gl_gcp *gcp = gl_gcp_of(cloud);
    GL_AUTO(gl_auto_json) json_t *page = NULL;
    struct gl_remote_call next = {0};
    bool is_whole = true;

    (void)region;
    if (call->err.code != GL_OK)
        return gl_fail(err, call->err.code, "%s", call->err.text);
    if (kind == KIND_CLAIMS)
        return gl_gcp_read_claims(gcp, call, kind, round, catalog, err);
    page = gl_remote_reply_json(call, err);
    if (page == NULL)
        return -1;
    if (kind == KIND_SKUS) {
        read_skus(gcp, page, catalog);
        if (next_of(page) != NULL) {
            sku_call(gcp, next_of(page), &next);
            gl_catalog_ask(round, &next, KIND_SKUS, "");
        }
        return 0;
    }
    is_whole = read_areas(gcp, page, catalog);
    if (next_of(page) != NULL)
        ask_areas(gcp, next_of(page), round);
    return is_whole ? 0 : gl_fail(err, GL_E_PROVIDER, "gcp: some zones did not answer");
}

/* Both lists are long: the first page of each is asked for at once. */
static int catalog_begin(struct gl_cloud *cloud, struct gl_catalog_round *round,
                         struct gl_error *err)
{
    struct gl_gcp *gcp = gl_gcp_of(cloud);
    struct gl_remote_call skus = {0};

    if (gl_gcp_begin(gcp, err) != 0)
        return -1;
    json_decref(gcp->prices);
    json_decref(gcp->offered);
    gcp->prices = json_object();
    gcp->offered = json_object();
    sku_call(gcp, NULL, &skus);
    gl_catalog_ask(round, &skus, KIND_SKUS, "");
    ask_areas(gcp, NULL, round);
    gl_gcp_ask_claims(gcp, KIND_CLAIMS, NULL, round);
    return 0;
}

const struct gl_catalog_ops gl_gcp_catalog = {.begin = catalog_begin, .read = catalog_read};
