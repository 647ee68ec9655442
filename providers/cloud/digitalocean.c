/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/digitalocean.h"
#include "providers/cloud/drivers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* DigitalOcean. No create token, names are not unique: the tags of a droplet carry the token. 202
 * means accepted, the action tells the rest. A droplet that is off is billed like one that runs.
 * https://docs.digitalocean.com/reference/api/ */

#define PAGES_MAX     100
#define DEFAULT_IMAGE "debian-12-x64"

static int credentials(struct gl_vps *vps, struct gl_error *err)
{
    const struct gl_world *world = vps->remote.world;
    const char *context = gl_vps_setting(vps, "context");
    static const struct gl_vps_tool tool = {"doctl's config.yaml", "context", "doctl auth list"};
    char *text, token[256] = "";
    bool has_file;

    if (context == NULL && (gl_vps_token_env(vps, "DIGITALOCEAN_ACCESS_TOKEN") ||
                            gl_vps_token_env(vps, "DIGITALOCEAN_TOKEN")))
        return 0;
    if (context == NULL)
        context = world->getenv(world->cookie, "DIGITALOCEAN_CONTEXT");
    text = gl_vps_config_read(vps, NULL, "doctl/config.yaml", err);
    if (text != NULL && gl_digitalocean_config_token(text, context, token))
        gl_vps_token_set(vps, token);
    has_file = text != NULL;
    gl_vps_config_free(text);
    gl_wipe(token, sizeof token);
    if (vps->token.length > 0)
        return 0;
    if (has_file)
        return gl_vps_config_lacks(vps, &tool, context, err);
    return gl_fail(err, GL_E_NO_CREDENTIAL,
                   "digitalocean: no API token: set DIGITALOCEAN_ACCESS_TOKEN to one that may "
                   "read and write droplets, tags, images and actions, or run: doctl auth init");
}

/* ---- droplets ---- */

/* The action of the create among the answer's links. */
static int64_t create_action(const json_t *answer)
{
    const json_t *link;
    size_t i;

    json_array_foreach(json_object_get(json_object_get(answer, "links"), "actions"), i,
                       link) if (strcmp(gl_vps_text(link, "rel"), "create") ==
                                 0) return gl_vps_number(link, "id") > 0
        ? gl_vps_number(link, "id")
        : 0;
    return 0;
}

/* "d123.NAME" is ours and stands for a number. */
static int image_of(struct gl_vps *vps, const struct gl_launch *launch, char out[128],
                    struct gl_error *err)
{
    const char *image = gl_vps_image(vps, launch, DEFAULT_IMAGE);
    struct gl_cloud_image seen;
    int64_t number;

    snprintf(out, 128, "%s", image);
    if (launch->image == NULL || image[0] != 'd' || strchr(image, '.') == NULL)
        return 0;
    number = gl_digitalocean_image_number(vps, image, launch->region, &seen, err);
    if (number < 0)
        return -1;
    if (number == 0)
        return gl_fail(err, GL_E_NOT_FOUND, "digitalocean: there is no image %.100s", image);
    snprintf(out, 128, "%lld", (long long)number);
    return 0;
}

static int create(struct gl_vps *vps, const struct gl_launch *launch, const char *user_data,
                  struct gl_instance *out, struct gl_error *err)
{
    GL_AUTO(gl_auto_json) json_t *body = NULL;
    GL_AUTO(gl_auto_json) json_t *answer = NULL;
    struct gl_remote_call call;
    char image[128];

    if (image_of(vps, launch, image, err) < 0)
        return -1;
    body = gl_digitalocean_create_body(launch, image, user_data, gl_vps_setting(vps, "network"),
                                       gl_vps_setting(vps, "ssh_key"));
    gl_vps_call(vps, &call, "POST", "/v2/droplets");
    answer = gl_vps_create(vps, &call, launch->region, body, err);
    if (answer == NULL)
        return -1;
    if (!gl_digitalocean_read_droplet(json_object_get(answer, "droplet"), out))
        return gl_fail(err, GL_E_OUTCOME,
                       "digitalocean in %s: the answer to a create names no droplet",
                       launch->region);
    if (out->region[0] == '\0')
        snprintf(out->region, sizeof out->region, "%.39s", launch->region);
    vps->action = create_action(answer);
    return 0;
}

static int follow(struct gl_vps *vps, struct gl_error *err)
{
    GL_AUTO(gl_auto_json) json_t *answer = NULL;
    struct gl_remote_call call;
    struct gl_error why = {0};

    gl_vps_call(vps, &call, "GET", "/v2/actions/%lld", (long long)vps->action);
    answer = gl_vps_ask(vps, &call, &why);
    if (answer == NULL)
        return why.code == GL_E_NOT_FOUND ? 0 : gl_fail(err, why.code, "%s", why.text);
    return gl_digitalocean_read_action(json_object_get(answer, "action"), err);
}

static int look(struct gl_vps *vps, const char *id, struct gl_instance *out, struct gl_error *err)
{
    GL_AUTO(gl_auto_json) json_t *answer = NULL;
    struct gl_remote_call call;

    gl_vps_call(vps, &call, "GET", "/v2/droplets/%s", id);
    answer = gl_vps_ask(vps, &call, err);
    if (answer == NULL)
        return -1;
    if (!gl_digitalocean_read_droplet(json_object_get(answer, "droplet"), out))
        return gl_fail(err, GL_E_NOT_FOUND, "digitalocean: droplet %s has not our tags", id);
    return 0;
}

/* 1 when there is another page, 0 at the end, -1. Droplets with GPUs have a list of their own. */
static int search_page(struct gl_vps *vps, const char *tag, const char *kind, int page,
                       struct gl_vps_list *list, struct gl_error *err)
{
    GL_AUTO(gl_auto_json) json_t *answer = NULL;
    struct gl_remote_call call;
    const json_t *droplet, *droplets;
    size_t i;

    gl_vps_call(vps, &call, "GET", "/v2/droplets?per_page=200&page=%d%s", page, kind);
    gl_remote_query(&call, "tag_name", tag);
    answer = gl_vps_ask(vps, &call, err);
    if (answer == NULL)
        return -1;
    droplets = json_object_get(answer, "droplets");
    if (!json_is_array(droplets))
        return gl_fail(err, GL_E_BAD_REPLY, "digitalocean: the list of droplets is none");
    json_array_foreach(droplets, i, droplet)
    {
        struct gl_instance item;

        if (gl_digitalocean_read_droplet(droplet, &item))
            gl_vps_list_add(list, &item);
    }
    return gl_digitalocean_has_next(answer);
}

static int search_kind(struct gl_vps *vps, const char *tag, const char *kind,
                       struct gl_vps_list *list, struct gl_error *err)
{
    for (int page = 1; page <= PAGES_MAX; page++) {
        int more = search_page(vps, tag, kind, page, list, err);

        if (more <= 0)
            return more;
    }
    return gl_fail(err, GL_E_TOO_LARGE, "digitalocean: more than %d pages of droplets", PAGES_MAX);
}

static int search(struct gl_vps *vps, const char *region, const char *token,
                  struct gl_instance **out, size_t *out_count, struct gl_error *err)
{
    struct gl_vps_list list = {NULL, 0, 0};
    char tag[GL_DIGITALOCEAN_TAG] = "greenlaunch";
    size_t kept = 0;

    (void)region; /* one list for all regions */
    if (token != NULL)
        snprintf(tag, sizeof tag, "greenlaunch-token-a:%.32s", token);
    if (search_kind(vps, tag, "", &list, err) < 0 ||
        search_kind(vps, tag, "&type=gpus", &list, err) < 0) {
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

/* The tags that no other droplet has go with it: a failure to do so leaves two words behind. */
static void remove_tags(struct gl_vps *vps, const struct gl_instance *instance)
{
    for (size_t i = 0; i < 2; i++) {
        struct gl_remote_call call;
        struct gl_error ignored = {0};

        gl_vps_call(vps, &call, "DELETE", "/v2/tags/greenlaunch-token-%c:%.32s", i == 0 ? 'a' : 'b',
                    instance->token + i * 32);
        gl_vps_tell(vps, &call, &ignored);
    }
}

static bool is_shared(struct gl_vps *vps, const struct gl_instance *instance)
{
    struct gl_instance *items = NULL;
    struct gl_error ignored = {0};
    size_t count = 0;
    bool is_one = search(vps, NULL, instance->token, &items, &count, &ignored) == 0 &&
                  (count == 0 || (count == 1 && strcmp(items[0].id, instance->id) == 0));

    free(items);
    return !is_one;
}

static int remove_droplet(struct gl_vps *vps, const struct gl_instance *instance,
                          struct gl_error *err)
{
    struct gl_remote_call call;

    gl_vps_call(vps, &call, "DELETE", "/v2/droplets/%s", instance->id);
    call.region = instance->region;
    if (gl_vps_tell(vps, &call, err) < 0)
        return -1;
    if (!is_shared(vps, instance))
        remove_tags(vps, instance);
    return 0;
}

static int power(struct gl_vps *vps, const struct gl_instance *instance, enum gl_vps_power to,
                 struct gl_error *err)
{
    static const char *const words[] = {"shutdown", "power_off", "power_on"};

    return gl_digitalocean_act(vps, "droplets", instance->id, json_pack("{s:s}", "type", words[to]),
                               err);
}

static int offer(struct gl_vps *vps, const char *region, const char *type, int64_t *out_u_usd,
                 struct gl_error *err)
{
    char shown[GL_TEXT_SHOWN];

    *out_u_usd = GL_UNKNOWN;
    for (int page = 1; page <= PAGES_MAX; page++) {
        GL_AUTO(gl_auto_json) json_t *answer = NULL;
        struct gl_remote_call call;
        int offered;

        gl_vps_call(vps, &call, "GET", "/v2/sizes?per_page=200&page=%d", page);
        answer = gl_vps_ask(vps, &call, err);
        if (answer == NULL)
            return -1;
        offered = gl_digitalocean_read_offer(answer, region, type, out_u_usd);
        if (offered == 1)
            return 0;
        if (offered == 0)
            return gl_fail(err, GL_E_CAPACITY, "digitalocean in %s: %s cannot be had there now",
                           region, gl_text_show(type, shown));
        if (!gl_digitalocean_has_next(answer))
            break;
    }
    return gl_fail(err, GL_E_UNKNOWN_NAME, "digitalocean: there is no size %s",
                   gl_text_show(type, shown));
}

static int whoami(struct gl_cloud *cloud, char out[128], struct gl_error *err)
{
    struct gl_vps *vps = (struct gl_vps *)cloud;
    GL_AUTO(gl_auto_json) json_t *answer = NULL;
    struct gl_remote_call call;
    const json_t *account, *team;
    char shown[GL_TEXT_SHOWN];

    gl_remote_begin(&vps->remote, GL_REMOTE_DEADLINE_MS);
    gl_vps_call(vps, &call, "GET", "/v2/account");
    answer = gl_vps_ask(vps, &call, err);
    if (answer == NULL)
        return -1;
    account = json_object_get(answer, "account");
    team = json_object_get(account, "team");
    snprintf(out, 128, "account %s",
             gl_text_show(json_is_object(team) ? gl_vps_text(team, "name")
                                               : gl_vps_text(account, "uuid"),
                          shown));
    return 0;
}

/* ---- catalogue ---- */

static void ask_sizes(struct gl_vps *vps, struct gl_catalog_round *round, int page)
{
    struct gl_remote_call call;

    gl_vps_call(vps, &call, "GET", "/v2/sizes?per_page=200&page=%d", page);
    gl_catalog_ask(round, &call, page, NULL);
}

static int catalog_begin(struct gl_cloud *cloud, struct gl_catalog_round *round,
                         struct gl_error *err)
{
    struct gl_vps *vps = (struct gl_vps *)cloud;

    if (vps->token.length == 0 && credentials(vps, err) < 0)
        return -1;
    ask_sizes(vps, round, 1);
    return 0;
}

/* `kind` is the page. */
static int catalog_read(struct gl_cloud *cloud, const struct gl_remote_call *call, int kind,
                        const char *region, struct gl_catalog_round *round,
                        struct gl_catalog *catalog, struct gl_error *err)
{
    GL_AUTO(gl_auto_json) json_t *answer = NULL;

    (void)region;
    if (call->err.code != GL_OK)
        return 0;
    answer = gl_remote_reply_json(call, err);
    if (answer == NULL)
        return gl_wrap(err, "digitalocean");
    gl_digitalocean_read_sizes(answer, catalog);
    if (gl_digitalocean_has_next(answer) && kind < PAGES_MAX)
        ask_sizes((struct gl_vps *)cloud, round, kind + 1);
    return 0;
}

static const struct gl_catalog_ops catalog_ops = {.begin = catalog_begin, .read = catalog_read};

/* ---- the rows ---- */

static enum gl_errc classify(int status, const char *word)
{
    return gl_remote_code(gl_digitalocean_rules, status, word, NULL, NULL);
}

static const struct gl_setting_key keys[] = {
    {.name = "endpoint", .what = "address of the API, for a private gateway"},
    {.name = "context", .what = "context of the doctl command whose token is used"},
    {.name = "image", .what = "image of new droplets", .fallback = DEFAULT_IMAGE},
    {.name = "network", .what = "UUID of the VPC to join"},
    {.name = "ssh_key", .what = "id or fingerprint of an SSH key to let in"},
    {0}};

static const struct gl_remote_ops remote_ops = {.rules = gl_digitalocean_rules,
                                                .read_error = gl_digitalocean_read_error,
                                                .authorize = gl_vps_bearer,
                                                .wait_ms = gl_digitalocean_wait_ms};

static const struct gl_vps_ops vps_ops = {
    .endpoint = "https://api.digitalocean.com",
    .user_data_ceiling = (size_t)64 << 10,
    .credentials = credentials,
    .create = create,
    .follow = follow,
    .look = look,
    .search = search,
    .remove = remove_droplet,
    .power = power,
    .offer = offer,
    .is_id = gl_vps_is_number,
};

struct gl_cloud *gl_digitalocean_open(const struct gl_cloud_options *options, struct gl_error *err)
{
    return gl_vps_open(&gl_digitalocean_ops, &remote_ops, &vps_ops, options, err);
}

const struct gl_cloud_ops gl_digitalocean_ops = {
    .name = "digitalocean",
    .title = "DigitalOcean",
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
    .image_create = gl_digitalocean_image_create,
    .image_copy = gl_digitalocean_image_copy,
    .image_look = gl_digitalocean_image_look,
    .image_delete = gl_digitalocean_image_delete,
    .image_find = gl_digitalocean_image_find,
    .catalog = &catalog_ops,
    .classify = classify,
    .close = gl_vps_close,
};
