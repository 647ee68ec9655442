/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/scaleway.h"
#include "providers/cloud/drivers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Scaleway Instances. No create token: the tags carry it. A server is made stopped, gets its user
 * data, and is told to start; a tag says until then that it never ran. `terminate` deletes the
 * server and its local volumes, block volumes are deleted after it (scaleway_volume.c). A server
 * that is off is billed for its disk at least.
 * https://www.scaleway.com/en/developers/api/instances/ */

#define PAGES_MAX     50
#define PER_PAGE      100
#define DEFAULT_IMAGE "debian_bookworm"

static int authorize(struct gl_remote *remote, struct gl_remote_call *call, bool is_renewed,
                     struct gl_error *err)
{
    return gl_vps_authorize((struct gl_vps *)remote, call, is_renewed, "X-Auth-Token", "", err);
}

/* ---- servers ---- */

static bool is_id(const char *id)
{
    const char *all[GL_SCALEWAY_ZONES];
    char zone[40];
    const char *native = gl_remote_id_split(id, zone);

    return native != NULL && strlen(native) == 36 && strspn(native, "0123456789abcdef-") == 36 &&
           gl_scaleway_zones(zone, all) == 1 && strcmp(all[0], zone) == 0;
}

/* A call about one server; `out_zone` becomes its region in messages. */
static void server_call(const struct gl_vps *vps, struct gl_remote_call *call, const char *method,
                        const char *id, const char *below)
{
    char zone[40] = "";
    const char *native = gl_remote_id_split(id, zone);

    gl_vps_call(vps, call, method, "/instance/v1/zones/%s/servers/%s%s", zone,
                native != NULL ? native : "", below);
}

/* A region stands for the zone named by the setting, if it is one of its own, else its first. */
static const char *zone_for(const struct gl_vps *vps, const char *region)
{
    const char *all[GL_SCALEWAY_ZONES], *wanted = gl_vps_setting(vps, "zone");
    size_t count = gl_scaleway_zones(region, all);

    for (size_t i = 0; i < count; i++)
        if (wanted != NULL && strcmp(all[i], wanted) == 0)
            return all[i];
    return count > 0 ? all[0] : NULL;
}

static int create(struct gl_vps *vps, const struct gl_launch *launch, const char *user_data,
                  struct gl_instance *out, struct gl_error *err)
{
    GL_AUTO(gl_auto_json) json_t *body = NULL;
    GL_AUTO(gl_auto_json) json_t *answer = NULL;
    const char *zone = zone_for(vps, launch->region);
    struct gl_remote_call call;

    (void)user_data; /* finish() brings it */
    if (zone == NULL)
        return gl_fail(err, GL_E_UNKNOWN_NAME, "scaleway: no zone is known of the region %s",
                       launch->region);
    if (vps->token.length == 0 && gl_scaleway_credentials(vps, err) < 0)
        return -1;
    if (vps->account[0] == '\0')
        return gl_fail(err, GL_E_NO_CREDENTIAL,
                       "scaleway: no project: set SCW_DEFAULT_PROJECT_ID to the project's id");
    body = gl_scaleway_create_body(launch, gl_vps_image(vps, launch, DEFAULT_IMAGE), vps->account,
                                   gl_vps_setting(vps, "network"));
    gl_vps_call(vps, &call, "POST", "/instance/v1/zones/%s/servers", zone);
    answer = gl_vps_create(vps, &call, zone, body, err);
    if (answer == NULL)
        return -1;
    if (!gl_scaleway_read_server(json_object_get(answer, "server"), zone, out))
        return gl_fail(err, GL_E_OUTCOME, "scaleway in %s: the answer to a create names no server",
                       zone);
    return 0;
}

static int look(struct gl_vps *vps, const char *id, struct gl_instance *out, struct gl_error *err)
{
    GL_AUTO(gl_auto_json) json_t *answer = NULL;
    struct gl_remote_call call;
    char zone[40] = "";

    gl_remote_id_split(id, zone);
    server_call(vps, &call, "GET", id, "");
    call.region = zone;
    answer = gl_vps_ask(vps, &call, err);
    if (answer == NULL)
        return -1;
    if (!gl_scaleway_read_server(json_object_get(answer, "server"), zone, out))
        return gl_fail(err, GL_E_NOT_FOUND, "scaleway: server %s has not our tags", id);
    return 0;
}

static int act(struct gl_vps *vps, const struct gl_instance *instance, const char *action,
               struct gl_error *err)
{
    GL_AUTO(gl_auto_json) json_t *body = json_pack("{s:s}", "action", action);
    struct gl_remote_call call;

    server_call(vps, &call, "POST", instance->id, "/action");
    call.region = instance->zone;
    gl_remote_body_json(&call, body);
    return gl_vps_tell(vps, &call, err);
}

/* It runs, or is about to: an order that met a broken line may have been heard. */
static bool is_started(struct gl_vps *vps, const char *id)
{
    struct gl_instance seen;
    struct gl_error ignored = {0};

    return look(vps, id, &seen, &ignored) == 0 && seen.why[0] == '\0' &&
           (seen.state == GL_STATE_RUNNING || seen.state == GL_STATE_LAUNCHING);
}

static int set_user_data(struct gl_vps *vps, const struct gl_instance *made, const char *user_data,
                         struct gl_error *err)
{
    struct gl_remote_call call;

    server_call(vps, &call, "PATCH", made->id, "/user_data/cloud-init");
    call.region = made->zone;
    gl_str_add(&call.body, user_data);
    gl_remote_header(&call, "Content-Type", "text/plain");
    return gl_vps_tell(vps, &call, err);
}

/* Without the tag a server that is off was halted. One that keeps it and runs is as good. */
static void unmark(struct gl_vps *vps, const struct gl_instance *made)
{
    const struct gl_launch launch = {.token = made->token,
                                     .launch_id = made->launch_id,
                                     .attempt = made->attempt,
                                     .expires = made->expires};
    GL_AUTO(gl_auto_json)
    json_t *body = json_pack("{s:o}", "tags", gl_scaleway_tags(&launch, false));
    struct gl_remote_call call;
    struct gl_error ignored = {0};

    server_call(vps, &call, "PATCH", made->id, "");
    call.region = made->zone;
    gl_remote_body_json(&call, body);
    gl_vps_tell(vps, &call, &ignored);
}

static int finish(struct gl_vps *vps, const struct gl_instance *made, const char *user_data,
                  struct gl_error *err)
{
    struct gl_error why = {0};

    if (set_user_data(vps, made, user_data, err) < 0)
        return -1;
    if (act(vps, made, "poweron", &why) < 0 && !is_started(vps, made->id))
        return gl_fail(err, why.code, "%s", why.text);
    unmark(vps, made);
    vps->action = 1;
    snprintf(vps->acted, sizeof vps->acted, "%s", made->id);
    return 0;
}

static int follow(struct gl_vps *vps, struct gl_error *err)
{
    struct gl_instance seen;
    struct gl_error why = {0};

    if (look(vps, vps->acted, &seen, &why) < 0) /* it may not show yet */
        return why.code == GL_E_NOT_FOUND ? 1 : gl_fail(err, why.code, "%s", why.text);
    return seen.state != GL_STATE_RUNNING;
}

static void page_call(const struct gl_vps *vps, struct gl_remote_call *call, const char *zone,
                      const char *tag, int page)
{
    gl_vps_call(vps, call, "GET", "/instance/v1/zones/%s/servers?per_page=%d&page=%d", zone,
                PER_PAGE, page);
    gl_remote_query(call, "tags", tag);
    call->region = zone;
}

/* One page of one zone that was answered; the number of servers on it, -1. */
static int read_page(const struct gl_remote_call *call, const char *zone, struct gl_vps_list *list,
                     struct gl_error *err)
{
    GL_AUTO(gl_auto_json) json_t *answer = gl_remote_reply_json(call, err);
    const json_t *server, *servers = json_object_get(answer, "servers");
    size_t i;

    if (answer == NULL)
        return gl_wrap(err, "scaleway in %s", zone);
    if (!json_is_array(servers))
        return gl_fail(err, GL_E_BAD_REPLY, "scaleway in %s: the list of servers is none", zone);
    json_array_foreach(servers, i, server)
    {
        struct gl_instance item;

        if (gl_scaleway_read_server(server, zone, &item))
            gl_vps_list_add(list, &item);
    }
    return (int)json_array_size(servers);
}

/* The pages after the first. */
static int search_on(struct gl_vps *vps, const char *zone, const char *tag,
                     struct gl_vps_list *list, struct gl_error *err)
{
    for (int page = 2; page <= PAGES_MAX; page++) {
        GL_AUTO(gl_remote_call_done) struct gl_remote_call call;
        int count;

        page_call(vps, &call, zone, tag, page);
        if (gl_remote_send(&vps->remote, &call, err) < 0)
            return -1;
        count = read_page(&call, zone, list, err);
        if (count < PER_PAGE)
            return count < 0 ? -1 : 0;
    }
    return gl_fail(err, GL_E_TOO_LARGE, "scaleway in %s: more than %d pages of servers", zone,
                   PAGES_MAX);
}

/* The first page of every zone at once; one zone that does not answer fails all: it might hold what
 * is looked for. */
static int search_zones(struct gl_vps *vps, const char *const *zones, size_t count, const char *tag,
                        struct gl_vps_list *list, struct gl_error *err)
{
    struct gl_remote_call calls[GL_SCALEWAY_ZONES];
    int result = 0;

    for (size_t i = 0; i < count; i++)
        page_call(vps, &calls[i], zones[i], tag, 1);
    gl_remote_send_all(&vps->remote, calls, count);
    for (size_t i = 0; i < count; i++) {
        const struct gl_error *why = &calls[i].err;
        int seen = -1;

        if (result == 0 && why->code != GL_OK)
            gl_fail(err, why->code, "%s", why->text);
        else if (result == 0)
            seen = read_page(&calls[i], zones[i], list, err);
        if (result == 0 && seen == PER_PAGE)
            seen = search_on(vps, zones[i], tag, list, err);
        result = result < 0 || seen < 0 ? -1 : 0;
        gl_remote_call_done(&calls[i]);
    }
    return result;
}

static int search(struct gl_vps *vps, const char *region, const char *token,
                  struct gl_instance **out, size_t *out_count, struct gl_error *err)
{
    const char *all[GL_SCALEWAY_ZONES];
    size_t count = gl_scaleway_zones(region, all), kept = 0;
    struct gl_vps_list list = {NULL, 0, 0};
    char tag[96] = "greenlaunch";

    if (token != NULL)
        snprintf(tag, sizeof tag, "greenlaunch-token-a=%.32s", token);
    if (search_zones(vps, all, count, tag, &list, err) < 0) {
        free(list.items);
        return -1;
    }
    for (size_t i = 0; i < list.count; i++)
        if (token == NULL || strcmp(list.items[i].token, token) == 0)
            list.items[kept++] = list.items[i];
    *out = list.items;
    *out_count = kept;
    return 0;
}

/* ---- end ---- */

/* A server that runs is terminated, one that is off deleted: the former takes its local volumes
 * along, the latter none. */
static int remove_server(struct gl_vps *vps, const struct gl_instance *instance,
                         struct gl_error *err)
{
    struct gl_scaleway_volumes volumes;
    bool is_off = instance->state == GL_STATE_HALTED || instance->why[0] != '\0';
    struct gl_remote_call call;
    struct gl_error why = {0};

    if (gl_scaleway_volumes_read(vps, instance, &volumes, err) < 0 ||
        gl_scaleway_volumes_mark(vps, instance, &volumes, err) < 0)
        return -1;
    if (is_off) {
        server_call(vps, &call, "DELETE", instance->id, "");
        call.region = instance->zone;
        gl_vps_tell(vps, &call, &why);
    } else
        act(vps, instance, "terminate", &why);
    /* Gone by now, whoever did it, perhaps we whose answer was lost: its volumes are left. */
    if (why.code != GL_OK && why.code != GL_E_NOT_FOUND)
        return gl_fail(err, why.code, "%s", why.text);
    for (size_t i = 0; i < volumes.count; i++)
        if ((is_off || volumes.items[i].is_block) &&
            gl_scaleway_volume_delete(vps, instance->zone, &volumes.items[i], err) < 0)
            return -1;
    return 0;
}

/* In order: the guest is told by ACPI, and the machine given back. */
static int power(struct gl_vps *vps, const struct gl_instance *instance, enum gl_vps_power to,
                 struct gl_error *err)
{
    return act(vps, instance, to == GL_VPS_ON ? "poweron" : "poweroff", err);
}

/* ---- what there is ---- */

/* The zone that a region stands for; NULL and an error. */
static const char *need_zone(const struct gl_vps *vps, const char *region, struct gl_error *err)
{
    const char *zone = zone_for(vps, region);

    if (zone == NULL)
        gl_fail(err, GL_E_UNKNOWN_NAME, "scaleway: no zone is known of the region %s", region);
    return zone;
}

/* A page of the types of a zone, or of their stock; without per_page it would be half as long. */
static void products_call(const struct gl_vps *vps, struct gl_remote_call *call, const char *zone,
                          const char *below, int page)
{
    gl_vps_call(vps, call, "GET", "/instance/v1/zones/%s/products/servers%s?per_page=%d&page=%d",
                zone, below, PER_PAGE, page);
    call->region = zone;
}

static bool is_last_page(const json_t *answer)
{
    return json_object_size(json_object_get(answer, "servers")) < PER_PAGE;
}

static int offer(struct gl_vps *vps, const char *region, const char *type, int64_t *out_u_usd,
                 struct gl_error *err)
{
    const char *zone = need_zone(vps, region, err);
    char shown[GL_TEXT_SHOWN];

    *out_u_usd = GL_UNKNOWN; /* sold in EUR */
    if (zone == NULL)
        return -1;
    for (int page = 1; page <= PAGES_MAX; page++) {
        GL_AUTO(gl_auto_json) json_t *answer = NULL;
        struct gl_remote_call call;
        int offered;

        products_call(vps, &call, zone, "/availability", page);
        answer = gl_vps_ask(vps, &call, err);
        if (answer == NULL)
            return -1;
        offered = gl_scaleway_read_offer(answer, type);
        if (offered == 1)
            return 0;
        if (offered == 0)
            return gl_fail(err, GL_E_CAPACITY, "scaleway in %s: %s is out of stock", zone,
                           gl_text_show(type, shown));
        if (is_last_page(answer))
            break;
    }
    return gl_fail(err, GL_E_UNKNOWN_NAME, "scaleway in %s: there is no type %s", zone,
                   gl_text_show(type, shown));
}

static int list_prices(struct gl_vps *vps, const char *region, struct gl_catalog *out,
                       struct gl_error *err)
{
    const char *zone = need_zone(vps, region, err);
    bool is_last = zone == NULL;

    for (int page = 1; !is_last && page <= PAGES_MAX; page++) {
        GL_AUTO(gl_auto_json) json_t *answer = NULL;
        struct gl_remote_call call;

        products_call(vps, &call, zone, "", page);
        answer = gl_vps_ask(vps, &call, err);
        if (answer == NULL)
            return -1;
        gl_scaleway_read_types(answer, zone, out);
        is_last = is_last_page(answer);
    }
    return zone != NULL ? 0 : -1;
}

static int whoami(struct gl_cloud *cloud, char out[128], struct gl_error *err)
{
    struct gl_vps *vps = (struct gl_vps *)cloud;
    GL_AUTO(gl_auto_json) json_t *answer = NULL;
    struct gl_remote_call call;

    gl_remote_begin(&vps->remote, GL_REMOTE_DEADLINE_MS);
    gl_vps_call(vps, &call, "GET", "/instance/v1/zones/fr-par-1/servers?per_page=1");
    answer = gl_vps_ask(vps, &call, err);
    if (answer == NULL)
        return -1;
    if (vps->account[0] == '\0')
        return gl_fail(err, GL_E_NO_CREDENTIAL,
                       "scaleway: no project: set SCW_DEFAULT_PROJECT_ID to the project's id");
    snprintf(out, 128, "project %s", vps->account);
    return 0;
}

/* What is asked of a zone, and the page of it: kind = page * KINDS + what. */
enum { KIND_TYPES, KIND_STOCK, KIND_ESTIMATES, KINDS };

static void ask_products(const struct gl_vps *vps, struct gl_catalog_round *round, const char *zone,
                         int kind)
{
    struct gl_remote_call call;

    products_call(vps, &call, zone, kind % KINDS == KIND_STOCK ? "/availability" : "",
                  kind / KINDS);
    gl_catalog_ask(round, &call, kind, zone);
}

/* Of all zones in one list; no prices hang on it.
 * https://www.scaleway.com/en/developers/api/product-catalog/public-catalog-api/ */
static void ask_estimates(const struct gl_vps *vps, struct gl_catalog_round *round, int page)
{
    struct gl_remote_call call;

    gl_vps_call(vps, &call, "GET",
                "/product-catalog/v2alpha1/public-catalog/products?product_types=instance&"
                "status=general_availability&page_size=%d&page=%d",
                PER_PAGE, page);
    call.has_fixed_status = true;
    gl_catalog_ask(round, &call, page * KINDS + KIND_ESTIMATES, "");
}

static int read_estimates(const struct gl_vps *vps, const struct gl_remote_call *call, int page,
                          struct gl_catalog_round *round, struct gl_catalog *catalog)
{
    GL_AUTO(gl_auto_json) json_t *answer = NULL;
    struct gl_error ignored = {0};

    if (call->reply.status != 200)
        return 0;
    answer = gl_remote_reply_json(call, &ignored);
    if (answer != NULL && gl_scaleway_read_estimates(answer, catalog) == PER_PAGE &&
        page < PAGES_MAX)
        ask_estimates(vps, round, page + 1);
    return 0;
}

static int catalog_begin(struct gl_cloud *cloud, struct gl_catalog_round *round,
                         struct gl_error *err)
{
    struct gl_vps *vps = (struct gl_vps *)cloud;
    const char *all[GL_SCALEWAY_ZONES];
    size_t count = gl_scaleway_zones(NULL, all);

    if (vps->token.length == 0 && gl_scaleway_credentials(vps, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        for (int what = KIND_TYPES; what <= KIND_STOCK; what++)
            ask_products(vps, round, all[i], KINDS + what);
    ask_estimates(vps, round, 1);
    return 0;
}

static int catalog_read(struct gl_cloud *cloud, const struct gl_remote_call *call, int kind,
                        const char *region, struct gl_catalog_round *round,
                        struct gl_catalog *catalog, struct gl_error *err)
{
    const struct gl_vps *vps = (const struct gl_vps *)cloud;
    GL_AUTO(gl_auto_json) json_t *answer = NULL;
    struct gl_catalog *list;

    if (call->err.code != GL_OK)
        return 0;
    if (kind % KINDS == KIND_ESTIMATES)
        return read_estimates(vps, call, kind / KINDS, round, catalog);
    answer = gl_remote_reply_json(call, err);
    if (answer == NULL)
        return gl_wrap(err, "scaleway in %s", region);
    if (!is_last_page(answer) && kind / KINDS < PAGES_MAX)
        ask_products(vps, round, region, kind + KINDS);
    if (kind % KINDS == KIND_STOCK) {
        gl_scaleway_read_stock(answer, region, catalog);
        return 0;
    }
    list = gl_catalog_new();
    gl_scaleway_read_types(answer, region, list);
    gl_vps_add_rows(vps, list, catalog);
    gl_catalog_free(list);
    return 0;
}

static const struct gl_catalog_ops catalog_ops = {.begin = catalog_begin, .read = catalog_read};

/* ---- the rows ---- */

static enum gl_errc classify(int status, const char *word)
{
    return gl_remote_code(gl_scaleway_rules, status, word, NULL, NULL);
}

static const struct gl_setting_key keys[] = {
    {.name = "endpoint", .what = "address of the API, for a private gateway"},
    {.name = "profile", .what = "profile of the scw command whose key is used"},
    {.name = "project", .what = "id of the project that pays"},
    {.name = "zone", .what = "zone to launch in, where the region has several"},
    {.name = "image", .what = "image of new servers, a label or an id", .fallback = DEFAULT_IMAGE},
    {.name = "network", .what = "id of a security group"},
    GL_VPS_RATE_KEY,
    {0}};

static const struct gl_remote_ops remote_ops = {
    .rules = gl_scaleway_rules, .read_error = gl_scaleway_read_error, .authorize = authorize};

static const struct gl_vps_ops vps_ops = {
    .endpoint = "https://api.scaleway.com",
    .user_data_ceiling = (size_t)16 << 10,
    .credentials = gl_scaleway_credentials,
    .create = create,
    .finish = finish,
    .follow = follow,
    .look = look,
    .search = search,
    .remove = remove_server,
    .sweep = gl_scaleway_sweep,
    .power = power,
    .offer = offer,
    .list_prices = list_prices,
    .is_id = is_id,
};

struct gl_cloud *gl_scaleway_open(const struct gl_cloud_options *options, struct gl_error *err)
{
    return gl_vps_open(&gl_scaleway_ops, &remote_ops, &vps_ops, options, err);
}

const struct gl_cloud_ops gl_scaleway_ops = {
    .name = "scaleway",
    .title = "Scaleway Instances",
    .caps = GL_CLOUD_REMOTE | GL_CLOUD_HALTS | GL_CLOUD_CHECKS,
    .keys = keys,
    .whoami = whoami,
    .regions = gl_vps_regions,
    .types = gl_vps_types,
    .price = gl_vps_price,
    .launch = gl_vps_launch,
    .describe = gl_vps_describe,
    .find_by_request = gl_vps_find_by_request,
    .list = gl_vps_list,
    .stop = gl_vps_stop,
    .terminate = gl_vps_terminate,
    .console = gl_vps_console,
    .check = gl_vps_check,
    .halt = gl_vps_halt,
    .start = gl_vps_start,
    .catalog = &catalog_ops,
    .classify = classify,
    .close = gl_vps_close,
};
