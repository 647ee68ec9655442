/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/azure.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define PAGES_MAX   50
#define ACTION_MAX  128
#define PATTERN_MAX 256

/* ---- price ---- */

int gl_azure_check_price(struct gl_azure *azure, const struct gl_launch *launch,
                         struct gl_error *err)
{
    struct gl_azure_prices prices;
    int64_t price;

    if (launch->max_price_u_usd == 0)
        return 0;
    if (gl_azure_prices_of(azure, launch->region, launch->type, &prices, err) != 0)
        return -1;
    price = launch->is_spot ? prices.spot_u_usd : prices.list_u_usd;
    if (price == GL_UNKNOWN || price > launch->max_price_u_usd)
        return gl_fail(err, GL_E_PRICE, "azure: %s in %s costs %s; nothing was started",
                       launch->type, launch->region,
                       price == GL_UNKNOWN ? "nobody knows what" : "more than the cap");
    return 0;
}

/* ---- permissions ---- */

static void lower(const char *text, char *out, size_t size)
{
    size_t used = 0;

    for (; *text != '\0' && used + 1 < size; text++)
        out[used++] = (char)tolower((unsigned char)*text);
    out[used] = '\0';
}

static bool covers(const json_t *patterns, const char *action)
{
    char wanted[ACTION_MAX], pattern[PATTERN_MAX];
    size_t i;
    const json_t *row;

    lower(action, wanted, sizeof wanted);
    json_array_foreach(patterns, i, row)
    {
        /* ? is a letter like any other to Azure */
        if (!json_is_string(row) || json_string_length(row) >= sizeof pattern ||
            strchr(json_string_value(row), '?') != NULL)
            continue;
        lower(json_string_value(row), pattern, sizeof pattern);
        if (gl_glob_match(pattern, wanted))
            return true;
    }
    return false;
}

/* Every row is a role: what one takes away another may give.
 * https://learn.microsoft.com/azure/role-based-access-control/role-definitions */
bool gl_azure_allows(const json_t *permissions, const char *action)
{
    size_t i;
    const json_t *role;

    json_array_foreach(permissions, i,
                       role) if (covers(json_object_get(role, "actions"), action) &&
                                 !covers(json_object_get(role, "notActions"), action)) return true;
    return false;
}

static void keep_row(void *cookie, const json_t *row)
{
    json_array_append_new(cookie, json_deep_copy(row));
}

static int each(struct gl_azure *azure, struct gl_remote_call *call,
                void (*read)(void *cookie, const json_t *row), void *cookie, struct gl_error *err)
{
    const struct gl_azure_pages pages = {.base = azure->endpoint,
                                         .next = "nextLink",
                                         .items = "value",
                                         .read = read,
                                         .cookie = cookie,
                                         .most = PAGES_MAX};

    return gl_azure_each(azure, call, &pages, err);
}

static int check_permissions(struct gl_azure *azure, struct gl_error *err)
{
    static const char *const needed[] = {
        "Microsoft.Compute/virtualMachines/write", "Microsoft.Compute/virtualMachines/read",
        "Microsoft.Compute/virtualMachines/delete", "Microsoft.Network/networkInterfaces/write",
        "Microsoft.Network/virtualNetworks/subnets/join/action"};
    GL_AUTO(gl_auto_json) json_t *roles = json_array();
    struct gl_remote_call call = {0};
    struct gl_error trouble = {0};

    gl_azure_call(azure, &call, "GET", GL_AZURE_RIGHTS,
                  "/resourceGroups/%s/providers/Microsoft.Authorization/permissions", azure->group);
    if (each(azure, &call, keep_row, roles, &trouble) != 0)
        return trouble.code == GL_E_NOT_FOUND
                   ? gl_fail(err, GL_E_CONFIG, "azure: there is no resource group %s", azure->group)
                   : gl_fail(err, trouble.code, "%s", trouble.text);
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
        if (!gl_azure_allows(roles, needed[i]))
            return gl_fail(err, GL_E_PERMISSION, "azure: resource group %s does not allow %s",
                           azure->group, needed[i]);
    return 0;
}

/* ---- the type ---- */

struct wanted {
    const char *region, *type;
    bool is_spot;
    struct gl_catalog_row row; /* type "" = not met */
    char restriction[64], family[64];
};

static void read_sku(void *cookie, const json_t *sku)
{
    struct wanted *wanted = cookie;
    const char *family = json_string_value(json_object_get(sku, "family")), *why;
    struct gl_catalog_row row;

    if (!gl_azure_read_sku(sku, wanted->region, &row) || strcasecmp(row.type, wanted->type) != 0)
        return;
    wanted->row = row;
    why = gl_azure_restriction(sku, wanted->region);
    snprintf(wanted->restriction, sizeof wanted->restriction, "%.63s", why != NULL ? why : "");
    snprintf(wanted->family, sizeof wanted->family, "%.63s", family != NULL ? family : "");
}

static int find_type(struct gl_azure *azure, struct wanted *wanted, struct gl_error *err)
{
    struct gl_remote_call call = {.region = wanted->region};
    char place[GL_TEXT_SHOWN], type[GL_TEXT_SHOWN];

    if (gl_azure_is_plain(wanted->region)) {
        gl_azure_sku_call(azure, &call, wanted->region);
        if (each(azure, &call, read_sku, wanted, err) != 0)
            return -1;
    }
    return wanted->row.type[0] != '\0'
               ? 0
               : gl_fail(err, GL_E_UNKNOWN_NAME, "Azure has no type %s in %s",
                         gl_text_show(wanted->type, type), gl_text_show(wanted->region, place));
}

int gl_azure_check_type(struct gl_azure *azure, const char *region, const char *type,
                        struct gl_error *err)
{
    struct wanted wanted = {.region = region, .type = type};

    gl_azure_begin(azure);
    return find_type(azure, &wanted, err);
}

static int check_restriction(struct gl_azure *azure, const struct wanted *wanted,
                             struct gl_error *err)
{
    char shown[GL_TEXT_SHOWN];

    if (wanted->restriction[0] == '\0')
        return 0;
    azure->remote.cloud.failure.reach = GL_REACH_REGION;
    return gl_fail(err, strcmp(wanted->restriction, "QuotaId") == 0 ? GL_E_QUOTA : GL_E_CAPACITY,
                   "azure: %s in %s is not for this subscription: %s", wanted->type, wanted->region,
                   gl_text_show(wanted->restriction, shown));
}

/* ---- quota ---- */

struct usage {
    const struct wanted *wanted;
    int64_t vcpus;
    char full[64]; /* what is used up; "" = nothing */
};

static void read_usage(void *cookie, const json_t *row)
{
    struct usage *usage = cookie;
    const char *name = json_string_value(json_object_get(json_object_get(row, "name"), "value"));
    const json_t *limit = json_object_get(row, "limit"),
                 *used = json_object_get(row, "currentValue");
    bool is_spot = usage->wanted->is_spot;
    int64_t needed = usage->vcpus;

    if (name == NULL || !json_is_integer(limit) || !json_is_integer(used) || usage->full[0] != '\0')
        return;
    if (strcmp(name, "virtualMachines") == 0)
        needed = 1;
    else if (is_spot ? strcmp(name, "lowPriorityCores") != 0
                     : strcmp(name, "cores") != 0 && strcasecmp(name, usage->wanted->family) != 0)
        return;
    if (json_integer_value(limit) - json_integer_value(used) < needed)
        snprintf(usage->full, sizeof usage->full, "%.60s", name);
}

static int check_quota(struct gl_azure *azure, const struct wanted *wanted, uint32_t vcpus,
                       struct gl_error *err)
{
    struct gl_remote_call call = {.region = wanted->region};
    struct usage usage = {.wanted = wanted,
                          .vcpus = wanted->row.vcpus > 0 ? wanted->row.vcpus
                                   : vcpus > 0           ? vcpus
                                                         : 1};
    char shown[GL_TEXT_SHOWN];

    gl_azure_call(azure, &call, "GET", GL_AZURE_COMPUTE,
                  "/providers/Microsoft.Compute/locations/%s/usages", wanted->region);
    if (each(azure, &call, read_usage, &usage, err) != 0)
        return -1;
    if (usage.full[0] == '\0')
        return 0;
    azure->remote.cloud.failure.reach = GL_REACH_REGION;
    return gl_fail(err, GL_E_QUOTA, "azure: the quota %s of %s is used up",
                   gl_text_show(usage.full, shown), wanted->region);
}

/* Azure has no dry run for a machine: rights, restrictions of the type, and what is left of the
 * quota. Nobody can ask for stock. */
int gl_azure_check(struct gl_cloud *cloud, const struct gl_launch *launch, struct gl_error *err)
{
    struct gl_azure *azure = gl_azure_of(cloud);
    struct wanted wanted = {
        .region = launch->region, .type = launch->type, .is_spot = launch->is_spot};
    const struct gl_userdata told = gl_azure_told(launch);

    gl_azure_begin(azure);
    return gl_userdata_check(&told, err) != 0 || check_permissions(azure, err) != 0 ||
                   find_type(azure, &wanted, err) != 0 ||
                   check_restriction(azure, &wanted, err) != 0 ||
                   check_quota(azure, &wanted, launch->vcpus, err) != 0 ||
                   gl_azure_check_price(azure, launch, err) != 0
               ? -1
               : 0;
}
