/* SPDX-License-Identifier: Apache-2.0 */
/* Flavors of all regions at once. OpenStack has no prices: what the settings say is all. */
#include "providers/cloud/openstack.h"

#include "providers/cloud/setting_list.h"

#include <string.h>

enum kind { TOKEN, VERSION, FLAVORS };

int64_t gl_openstack_price_of(const struct gl_openstack *os, const char *type)
{
    char text[32];

    return gl_cloud_setting_item(os->price, type, text, sizeof text) ? gl_cloud_setting_usd(text)
                                                                     : GL_UNKNOWN;
}

int gl_openstack_check_price(const struct gl_openstack *os, const struct gl_launch *launch,
                             struct gl_error *err)
{
    int64_t price = gl_openstack_price_of(os, launch->type);

    if (launch->max_price_u_usd == 0 || (price != GL_UNKNOWN && price <= launch->max_price_u_usd))
        return 0;
    return price == GL_UNKNOWN
               ? gl_fail(err, GL_E_PRICE,
                         "openstack in %s: what %s costs is not known, so that no cap can be kept: "
                         "name the setting price",
                         launch->region, launch->type)
               : gl_fail(err, GL_E_PRICE, "openstack in %s: %s costs %.6f USD/h, the cap is %.6f",
                         launch->region, launch->type, (double)price / 1e6,
                         (double)launch->max_price_u_usd / 1e6);
}

int gl_openstack_price(struct gl_cloud *cloud, const char *region, const char *type, int64_t *out,
                       struct gl_error *err)
{
    struct gl_openstack *os = gl_openstack_of(cloud);
    struct gl_openstack_place *place;
    const json_t *flavor;

    if (gl_openstack_begin(os, GL_REMOTE_DEADLINE_MS, err) != 0 ||
        gl_openstack_place(os, region, &place, err) != 0 ||
        gl_openstack_flavor(os, place, type, &flavor, err) != 0)
        return -1;
    *out = gl_openstack_price_of(os, type);
    return 0;
}

static void ask_flavors(const struct gl_openstack_place *place, const char *marker,
                        struct gl_catalog_round *round)
{
    struct gl_remote_call call = {0};

    gl_openstack_flavors_call(place, marker, &call);
    gl_catalog_ask(round, &call, FLAVORS, place->region);
}

static int ask_places(struct gl_openstack *os, struct gl_catalog_round *round, struct gl_error *err)
{
    if (gl_openstack_take_places(os, err) != 0)
        return -1;
    for (size_t i = 0; i < os->place_count; i++) {
        struct gl_remote_call call = {0};

        if (os->places[i].minor >= 0) {
            ask_flavors(&os->places[i], "", round);
            continue;
        }
        gl_openstack_version_call(&os->places[i], &call);
        gl_catalog_ask(round, &call, VERSION, os->places[i].region);
    }
    return 0;
}

/* The regions are in the token's answer. */
static int begin(struct gl_cloud *cloud, struct gl_catalog_round *round, struct gl_error *err)
{
    struct gl_openstack *os = gl_openstack_of(cloud);
    struct gl_remote_call call = {.is_open = true, .has_secret = true};
    int asked = os->place_count > 0
                    ? 0
                    : gl_openstack_token_ask(&os->credential, os->remote.world, false, &call, err);

    if (asked > 0)
        gl_catalog_ask(round, &call, TOKEN, NULL);
    return asked == 0 ? ask_places(os, round, err) : asked > 0 ? 0 : -1;
}

static void add_rows(const struct gl_openstack *os, const struct gl_openstack_place *place,
                     const json_t *page, struct gl_catalog *catalog)
{
    size_t i;
    const json_t *row;

    json_array_foreach(json_object_get(page, "flavors"), i, row)
    {
        const char *name = json_string_value(json_object_get(row, "name"));
        const json_t *kept = name != NULL ? json_object_get(place->flavors, name) : NULL;
        struct gl_catalog_row out;

        if (kept == NULL)
            continue;
        gl_catalog_row_init(&out, place->region, name);
        out.price_u_usd = gl_openstack_price_of(os, name);
        out.vcpus = (uint32_t)(json_integer_value(json_object_get(kept, "vcpus")) & 0xffffff);
        out.memory_mib = (uint32_t)(json_integer_value(json_object_get(kept, "ram")) & 0x7fffffff);
        gl_catalog_add(catalog, &out);
    }
}

static int read_flavors(const struct gl_openstack *os, struct gl_openstack_place *place,
                        const struct gl_remote_call *call, struct gl_catalog_round *round,
                        struct gl_catalog *catalog, struct gl_error *err)
{
    GL_AUTO(gl_auto_json) json_t *page = gl_remote_reply_json(call, err);
    char marker[256];

    if (page == NULL || gl_openstack_read_flavors(place, page, marker, err) != 0)
        return -1;
    add_rows(os, place, page, catalog);
    if (marker[0] != '\0')
        ask_flavors(place, marker, round);
    return 0;
}

static struct gl_openstack_place *place_of(struct gl_openstack *os, const char *region)
{
    for (size_t i = 0; i < os->place_count; i++)
        if (strcmp(os->places[i].region, region) == 0)
            return &os->places[i];
    return NULL;
}

static int read_answer(struct gl_cloud *cloud, const struct gl_remote_call *call, int kind,
                       const char *region, struct gl_catalog_round *round,
                       struct gl_catalog *catalog, struct gl_error *err)
{
    struct gl_openstack *os = gl_openstack_of(cloud);
    struct gl_openstack_place *place;

    if (call->err.code != GL_OK) {
        struct gl_error why = call->err;

        gl_openstack_explain(os, &why);
        return gl_fail(err, why.code, "%s", why.text);
    }
    if (kind == TOKEN)
        return gl_openstack_token_read(&os->credential, os->remote.world, call, err) != 0
                   ? -1
                   : ask_places(os, round, err);
    place = place_of(os, region);
    if (place == NULL)
        return gl_fail(err, GL_E_BAD_REPLY, "openstack: region %.40s went away", region);
    if (kind == FLAVORS)
        return read_flavors(os, place, call, round, catalog, err);
    gl_openstack_version_read(place, call);
    if (place->minor < 0)
        return gl_fail(err, GL_E_PROVIDER, "openstack in %s: %s does not tell its version",
                       place->region, place->compute);
    ask_flavors(place, "", round);
    return 0;
}

const struct gl_catalog_ops gl_openstack_catalog = {begin, read_answer};
