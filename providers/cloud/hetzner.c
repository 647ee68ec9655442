/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/hetzner.h"
#include "providers/cloud/drivers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Hetzner Cloud. A server's name is unique in its project and stands for the attempt; servers are
 * asked for by location, never by data centre. A server that is off is billed like one that runs.
 * https://docs.hetzner.cloud/reference/cloud */

#define PAGES_MAX     100
#define IMAGE_LABEL   "greenlaunch-image"
#define DEFAULT_IMAGE "debian-12"

static int credentials(struct gl_vps *vps, struct gl_error *err)
{
    const struct gl_world *world = vps->remote.world;
    const char *context = gl_vps_setting(vps, "context");
    static const struct gl_vps_tool tool = {"hcloud's cli.toml", "context", "hcloud context list"};
    char *text, token[256] = "";
    bool has_file;

    if (context == NULL && gl_vps_token_env(vps, "HCLOUD_TOKEN"))
        return 0;
    if (context == NULL)
        context = world->getenv(world->cookie, "HCLOUD_CONTEXT");
    text = gl_vps_config_read(vps, "HCLOUD_CONFIG", "hcloud/cli.toml", err);
    if (text != NULL && gl_hetzner_config_token(text, context, token))
        gl_vps_token_set(vps, token);
    has_file = text != NULL;
    gl_vps_config_free(text);
    gl_wipe(token, sizeof token);
    if (vps->token.length > 0)
        return 0;
    if (has_file)
        return gl_vps_config_lacks(vps, &tool, context, err);
    return gl_fail(err, GL_E_NO_CREDENTIAL,
                   "hetzner: no API token: set HCLOUD_TOKEN to one of the project (read and "
                   "write), or make a context with: hcloud context create");
}

/* ---- servers ---- */

/* A server's type is known only by its name here, and its place only by its page: what an answer
 * leaves out is what was asked for. */
static int create(struct gl_vps *vps, const struct gl_launch *launch, const char *user_data,
                  struct gl_instance *out, struct gl_error *err)
{
    GL_AUTO(gl_auto_json)
    json_t *body =
        gl_hetzner_create_body(launch, gl_vps_image(vps, launch, DEFAULT_IMAGE), user_data,
                               gl_vps_setting(vps, "network"), gl_vps_setting(vps, "ssh_key"));
    GL_AUTO(gl_auto_json) json_t *answer = NULL;
    struct gl_remote_call call;

    gl_vps_call(vps, &call, "POST", "/servers");
    answer = gl_vps_create(vps, &call, launch->region, body, err);
    if (answer == NULL)
        return -1;
    gl_vps_forget(answer, "root_password");
    if (!gl_hetzner_read_server(json_object_get(answer, "server"), out))
        return gl_fail(err, GL_E_OUTCOME, "hetzner in %s: the answer to a create names no server",
                       launch->region);
    vps->action = gl_vps_number(json_object_get(answer, "action"), "id");
    if (vps->action < 0)
        vps->action = 0;
    return 0;
}

static int follow(struct gl_vps *vps, struct gl_error *err)
{
    GL_AUTO(gl_auto_json) json_t *answer = NULL;
    struct gl_remote_call call;
    struct gl_error why = {0};

    gl_vps_call(vps, &call, "GET", "/actions/%lld", (long long)vps->action);
    answer = gl_vps_ask(vps, &call, &why);
    if (answer == NULL)
        /* It may not be listed yet: the server's own page tells in the end. */
        return why.code == GL_E_NOT_FOUND ? 0 : gl_fail(err, why.code, "%s", why.text);
    return gl_hetzner_read_action(json_object_get(answer, "action"), err);
}

static int look(struct gl_vps *vps, const char *id, struct gl_instance *out, struct gl_error *err)
{
    GL_AUTO(gl_auto_json) json_t *answer = NULL;
    struct gl_remote_call call;

    gl_vps_call(vps, &call, "GET", "/servers/%s", id);
    answer = gl_vps_ask(vps, &call, err);
    if (answer == NULL)
        return -1;
    if (!gl_hetzner_read_server(json_object_get(answer, "server"), out))
        return gl_fail(err, GL_E_NOT_FOUND, "hetzner: server %s has not our labels", id);
    return 0;
}

/* One page of servers; the next one's number, 0 at the end, -1. */
static int64_t search_page(struct gl_vps *vps, const char *selector, int64_t page,
                           struct gl_vps_list *list, struct gl_error *err)
{
    GL_AUTO(gl_auto_json) json_t *answer = NULL;
    struct gl_remote_call call;
    const json_t *server, *servers;
    size_t i;

    gl_vps_call(vps, &call, "GET", "/servers?per_page=50&page=%lld", (long long)page);
    gl_remote_query(&call, "label_selector", selector);
    answer = gl_vps_ask(vps, &call, err);
    if (answer == NULL)
        return -1;
    servers = json_object_get(answer, "servers");
    if (!json_is_array(servers))
        return gl_fail(err, GL_E_BAD_REPLY, "hetzner: the list of servers is none");
    json_array_foreach(servers, i, server)
    {
        struct gl_instance item;

        if (gl_hetzner_read_server(server, &item))
            gl_vps_list_add(list, &item);
    }
    return gl_hetzner_next_page(answer) > page ? gl_hetzner_next_page(answer) : 0;
}

static int search(struct gl_vps *vps, const char *region, const char *token,
                  struct gl_instance **out, size_t *out_count, struct gl_error *err)
{
    struct gl_vps_list list = {NULL, 0, 0};
    char selector[160] = "greenlaunch-request";
    int64_t page = 1;

    (void)region; /* one list for all locations */
    if (token != NULL)
        snprintf(selector, sizeof selector, "greenlaunch-token-a=%.32s,greenlaunch-token-b=%s",
                 token, strlen(token) > 32 ? token + 32 : "");
    for (int i = 0; page > 0; i++) {
        if (i == PAGES_MAX)
            page =
                gl_fail(err, GL_E_TOO_LARGE, "hetzner: more than %d pages of servers", PAGES_MAX);
        else
            page = search_page(vps, selector, page, &list, err);
    }
    if (page < 0) {
        free(list.items);
        return -1;
    }
    *out = list.items;
    *out_count = list.count;
    return 0;
}

static int remove_server(struct gl_vps *vps, const struct gl_instance *instance,
                         struct gl_error *err)
{
    struct gl_remote_call call;

    gl_vps_call(vps, &call, "DELETE", "/servers/%s", instance->id);
    call.region = instance->region;
    return gl_vps_tell(vps, &call, err);
}

static int power(struct gl_vps *vps, const struct gl_instance *instance, enum gl_vps_power to,
                 struct gl_error *err)
{
    static const char *const words[] = {"shutdown", "poweroff", "poweron"};
    struct gl_remote_call call;

    gl_vps_call(vps, &call, "POST", "/servers/%s/actions/%s", instance->id, words[to]);
    call.region = instance->region;
    return gl_vps_tell(vps, &call, err);
}

static int offer(struct gl_vps *vps, const char *region, const char *type, int64_t *out_u_usd,
                 struct gl_error *err)
{
    GL_AUTO(gl_auto_json) json_t *answer = NULL;
    struct gl_remote_call call;
    char shown[GL_TEXT_SHOWN];

    *out_u_usd = GL_UNKNOWN; /* the list says amounts here, but not of which currency */
    gl_vps_call(vps, &call, "GET", "/server_types");
    gl_remote_query(&call, "name", type);
    answer = gl_vps_ask(vps, &call, err);
    if (answer == NULL)
        return -1;
    switch (gl_hetzner_read_offer(answer, region, type)) {
    case 1:
        return 0;
    case 0:
        return gl_fail(err, GL_E_CAPACITY, "hetzner in %s: %s cannot be had there now", region,
                       gl_text_show(type, shown));
    default:
        return gl_fail(err, GL_E_UNKNOWN_NAME, "hetzner in %s: there is no type %s", region,
                       gl_text_show(type, shown));
    }
}

/* One list for all locations; an account may be billed in dollars. */
static int list_prices(struct gl_vps *vps, const char *region, struct gl_catalog *out,
                       struct gl_error *err)
{
    GL_AUTO(gl_auto_json) json_t *answer = NULL;
    struct gl_remote_call call;

    (void)region;
    gl_vps_call(vps, &call, "GET", "/pricing");
    answer = gl_vps_ask(vps, &call, err);
    if (answer == NULL)
        return -1;
    gl_hetzner_read_pricing(answer, out);
    return 0;
}

/* A token has no account that it could name. */
static int whoami(struct gl_cloud *cloud, char out[128], struct gl_error *err)
{
    struct gl_vps *vps = (struct gl_vps *)cloud;
    GL_AUTO(gl_auto_json) json_t *answer = NULL;
    struct gl_remote_call call;

    gl_remote_begin(&vps->remote, GL_REMOTE_DEADLINE_MS);
    gl_vps_call(vps, &call, "GET", "/servers?per_page=1");
    answer = gl_vps_ask(vps, &call, err);
    if (answer == NULL)
        return -1;
    snprintf(out, 128, "the project of the API token");
    return 0;
}

/* ---- images: a snapshot can be used in every location ---- */

static int ask_image(struct gl_vps *vps, struct gl_remote_call *call, const char *region,
                     struct gl_cloud_image *out, struct gl_error *err)
{
    GL_AUTO(gl_auto_json) json_t *answer = gl_vps_ask(vps, call, err);

    if (answer == NULL)
        return -1;
    if (!gl_hetzner_read_image(json_object_get(answer, "image"), region, out))
        return gl_fail(err, GL_E_BAD_REPLY, "hetzner: the answer holds no image");
    return 0;
}

/* 1 when there is one of that name. */
static int find_image(struct gl_vps *vps, const char *region, const char *name,
                      struct gl_cloud_image *out, struct gl_error *err)
{
    GL_AUTO(gl_auto_json) json_t *answer = NULL;
    struct gl_remote_call call;
    char selector[128];

    snprintf(selector, sizeof selector, IMAGE_LABEL "=%.63s", name);
    gl_vps_call(vps, &call, "GET", "/images?type=snapshot");
    gl_remote_query(&call, "label_selector", selector);
    answer = gl_vps_ask(vps, &call, err);
    if (answer == NULL)
        return -1;
    return gl_hetzner_read_image(json_array_get(json_object_get(answer, "images"), 0), region, out);
}

static int image_create(struct gl_cloud *cloud, const char *id, const char *name,
                        struct gl_cloud_image *out, struct gl_error *err)
{
    struct gl_vps *vps = (struct gl_vps *)cloud;
    GL_AUTO(gl_auto_json) json_t *body = NULL;
    struct gl_instance instance;
    struct gl_remote_call call;
    char value[64];
    int found;

    if (gl_vps_describe(cloud, id, &instance, err) < 0)
        return -1;
    found = find_image(vps, instance.region, name, out, err);
    if (found != 0)
        return found < 0 ? -1 : 0;
    snprintf(value, sizeof value, "%s", name);
    body = json_pack("{s:s,s:s,s:{s:s}}", "type", "snapshot", "description", value, "labels",
                     IMAGE_LABEL, value);
    gl_vps_call(vps, &call, "POST", "/servers/%s/actions/create_image", id);
    call.region = instance.region;
    call.is_create = true;
    gl_remote_body_json(&call, body);
    return ask_image(vps, &call, instance.region, out, err);
}

/* `id` may be that of *out. */
static int image_look(struct gl_cloud *cloud, const char *id, struct gl_cloud_image *out,
                      struct gl_error *err)
{
    struct gl_vps *vps = (struct gl_vps *)cloud;
    struct gl_remote_call call;
    struct gl_error why = {0};
    char image[128], region[40];
    const char *native;

    snprintf(image, sizeof image, "%s", id);
    native = gl_remote_id_split(image, region);
    gl_remote_begin(&vps->remote, GL_REMOTE_DEADLINE_MS);
    if (native == NULL || !gl_vps_is_number(native))
        return gl_fail(err, GL_E_NOT_FOUND, "hetzner: that is no image of ours");
    gl_vps_call(vps, &call, "GET", "/images/%s", native);
    if (ask_image(vps, &call, region, out, &why) == 0)
        return 0;
    if (why.code != GL_E_NOT_FOUND)
        return gl_fail(err, why.code, "%s", why.text);
    *out = (struct gl_cloud_image){.state = GL_IMAGE_ABSENT, .bytes = GL_UNKNOWN};
    snprintf(out->id, sizeof out->id, "%s", image);
    return 0;
}

static int image_find(struct gl_cloud *cloud, const char *id, const char *region, const char *name,
                      struct gl_cloud_image *out, struct gl_error *err)
{
    struct gl_vps *vps = (struct gl_vps *)cloud;
    struct gl_cloud_image absent = {.state = GL_IMAGE_ABSENT, .bytes = GL_UNKNOWN};
    int found;

    (void)id;
    gl_remote_begin(&vps->remote, GL_REMOTE_DEADLINE_MS);
    found = find_image(vps, region, name, out, err);
    if (found == 0)
        *out = absent;
    return found < 0 ? -1 : 0;
}

/* The same snapshot under the other location's name. */
static int image_copy(struct gl_cloud *cloud, const char *image, const char *region,
                      const char *name, struct gl_cloud_image *out, struct gl_error *err)
{
    const char *const *types;
    char copy[128];
    const char *slash = strchr(image, '/');

    (void)name;
    snprintf(copy, sizeof copy, "%.39s/%.80s", region, slash != NULL ? slash + 1 : "");
    if (gl_vps_types(cloud, region, &types, err) < 0)
        return -1;
    return image_look(cloud, copy, out, err);
}

static int image_delete(struct gl_cloud *cloud, const char *image, struct gl_error *err)
{
    struct gl_vps *vps = (struct gl_vps *)cloud;
    struct gl_remote_call call;
    struct gl_error why = {0};
    char region[40];
    const char *native = gl_remote_id_split(image, region);

    gl_remote_begin(&vps->remote, GL_REMOTE_DEADLINE_MS);
    if (native == NULL || !gl_vps_is_number(native))
        return gl_fail(err, GL_E_NOT_FOUND, "hetzner: that is no image of ours");
    gl_vps_call(vps, &call, "DELETE", "/images/%s", native);
    if (gl_vps_tell(vps, &call, &why) < 0 && why.code != GL_E_NOT_FOUND)
        return gl_fail(err, why.code, "%s", why.text);
    return 0;
}

/* ---- catalogue ---- */

enum { KIND_PRICING = 0 }; /* else the page of types */

static void ask_types(struct gl_vps *vps, struct gl_catalog_round *round, int64_t page)
{
    struct gl_remote_call call;

    gl_vps_call(vps, &call, "GET", "/server_types?per_page=50&page=%lld", (long long)page);
    gl_catalog_ask(round, &call, (int)page, NULL);
}

static int catalog_begin(struct gl_cloud *cloud, struct gl_catalog_round *round,
                         struct gl_error *err)
{
    struct gl_vps *vps = (struct gl_vps *)cloud;
    struct gl_remote_call call;

    if (vps->token.length == 0 && credentials(vps, err) < 0)
        return -1;
    gl_vps_call(vps, &call, "GET", "/pricing");
    gl_catalog_ask(round, &call, KIND_PRICING, NULL);
    ask_types(vps, round, 1);
    return 0;
}

static int catalog_read(struct gl_cloud *cloud, const struct gl_remote_call *call, int kind,
                        const char *region, struct gl_catalog_round *round,
                        struct gl_catalog *catalog, struct gl_error *err)
{
    const struct gl_vps *vps = (const struct gl_vps *)cloud;
    GL_AUTO(gl_auto_json) json_t *answer = NULL;
    struct gl_catalog *list;
    int64_t next;

    (void)region;
    if (call->err.code != GL_OK)
        return 0;
    answer = gl_remote_reply_json(call, err);
    if (answer == NULL)
        return gl_wrap(err, "hetzner");
    if (kind == KIND_PRICING) {
        list = gl_catalog_new();
        gl_hetzner_read_pricing(answer, list);
        gl_vps_add_rows(vps, list, catalog);
        gl_catalog_free(list);
        return 0;
    }
    gl_hetzner_read_types(answer, catalog);
    next = gl_hetzner_next_page(answer);
    if (next > kind && next <= PAGES_MAX) /* pages that do not go on would never end */
        ask_types((struct gl_vps *)cloud, round, next);
    return 0;
}

static const struct gl_catalog_ops catalog_ops = {.begin = catalog_begin, .read = catalog_read};

/* ---- the rows ---- */

static enum gl_errc classify(int status, const char *word)
{
    return gl_remote_code(gl_hetzner_rules, status, word, NULL, NULL);
}

static const struct gl_setting_key keys[] = {
    {.name = "endpoint", .what = "address of the API, for a private gateway"},
    {.name = "context", .what = "context of the hcloud command whose token is used"},
    {.name = "image", .what = "image of new servers", .fallback = DEFAULT_IMAGE},
    {.name = "network", .what = "id of a private network to join"},
    {.name = "ssh_key", .what = "name of an SSH key to let in"},
    GL_VPS_RATE_KEY,
    {0}};

static const struct gl_remote_ops remote_ops = {.rules = gl_hetzner_rules,
                                                .read_error = gl_hetzner_read_error,
                                                .authorize = gl_vps_bearer,
                                                .wait_ms = gl_hetzner_wait_ms};

static const struct gl_vps_ops vps_ops = {
    .endpoint = "https://api.hetzner.cloud/v1",
    .user_data_ceiling = (size_t)32 << 10,
    .credentials = credentials,
    .create = create,
    .follow = follow,
    .look = look,
    .search = search,
    .remove = remove_server,
    .power = power,
    .offer = offer,
    .list_prices = list_prices,
    .is_id = gl_vps_is_number,
};

struct gl_cloud *gl_hetzner_open(const struct gl_cloud_options *options, struct gl_error *err)
{
    return gl_vps_open(&gl_hetzner_ops, &remote_ops, &vps_ops, options, err);
}

const struct gl_cloud_ops gl_hetzner_ops = {
    .name = "hetzner",
    .title = "Hetzner Cloud",
    .caps = GL_CLOUD_REMOTE | GL_CLOUD_HALTS | GL_CLOUD_IMAGES | GL_CLOUD_CHECKS,
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
    .image_create = image_create,
    .image_copy = image_copy,
    .image_look = image_look,
    .image_delete = image_delete,
    .image_find = image_find,
    .catalog = &catalog_ops,
    .classify = classify,
    .close = gl_vps_close,
};
