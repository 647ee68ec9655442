/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/hetzner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* https://docs.hetzner.cloud/reference/cloud#errors */
const struct gl_remote_rule gl_hetzner_rules[] = {
    {0, "resource_unavailable", NULL, GL_E_CAPACITY, GL_REACH_REGION},
    {0, "placement_error", NULL, GL_E_CAPACITY, GL_REACH_REGION},
    {0, "no_space_left_in_location", NULL, GL_E_CAPACITY, GL_REACH_REGION},
    {0, "invalid_input", "unsupported location for server type", GL_E_CAPACITY, GL_REACH_REGION},
    {0, "resource_limit_exceeded", NULL, GL_E_QUOTA, GL_REACH_ACCOUNT},
    {0, "uniqueness_error", NULL, GL_E_TOKEN, GL_REACH_CALL},
    {0, "rate_limit_exceeded", NULL, GL_E_RATE_LIMIT, GL_REACH_ACCOUNT},
    {0, "unauthorized", NULL, GL_E_NO_CREDENTIAL, GL_REACH_ACCOUNT},
    {0, "forbidden", NULL, GL_E_PERMISSION, GL_REACH_ACCOUNT},
    {0, "token_readonly", NULL, GL_E_PERMISSION, GL_REACH_ACCOUNT},
    {0, "protected", NULL, GL_E_PERMISSION, GL_REACH_CALL},
    {0, "locked", NULL, GL_E_BUSY, GL_REACH_CALL},
    {0, "conflict", NULL, GL_E_BUSY, GL_REACH_CALL},
    {0, "resource_locked", NULL, GL_E_BUSY, GL_REACH_CALL},
    {0, "not_found", NULL, GL_E_NOT_FOUND, GL_REACH_CALL},
    {0, "invalid_input", NULL, GL_E_BAD_VALUE, GL_REACH_CALL},
    {0, "json_error", NULL, GL_E_BAD_VALUE, GL_REACH_CALL},
    {0, "maintenance", NULL, GL_E_PROVIDER, GL_REACH_ACCOUNT},
    {.code = GL_OK},
};

bool gl_hetzner_read_error(const struct gl_http_reply *reply, struct gl_remote_word *out)
{
    GL_AUTO(gl_auto_json) json_t *body = gl_vps_body(reply);
    const json_t *error = json_object_get(body, "error");

    if (!json_is_object(error))
        return false;
    *out = (struct gl_remote_word){{0}, {0}, {{0}}};
    snprintf(out->word, sizeof out->word, "%s", gl_vps_text(error, "code"));
    snprintf(out->text, sizeof out->text, "%s", gl_vps_text(error, "message"));
    return out->word[0] != '\0';
}

int64_t gl_hetzner_wait_ms(const struct gl_http_reply *reply, int64_t now_ms)
{
    return gl_vps_wait_until(reply, "ratelimit-reset", now_ms);
}

json_t *gl_hetzner_create_body(const struct gl_launch *launch, const char *image,
                               const char *user_data, const char *network, const char *ssh_key)
{
    char name[GL_CLOUD_ID];
    json_t *body;

    gl_attempt_name(launch, name);
    body = json_pack("{s:s,s:s,s:s,s:s,s:o,s:b,s:s}", "name", name, "server_type", launch->type,
                     "image", image, "location", launch->region, "labels", gl_labels_json(launch),
                     "start_after_create", 1, "user_data", user_data);
    if (network != NULL && gl_vps_is_number(network))
        json_object_set_new(body, "networks",
                            json_pack("[I]", (json_int_t)strtoll(network, NULL, 10)));
    if (ssh_key != NULL)
        json_object_set_new(body, "ssh_keys", json_pack("[s]", ssh_key));
    return body;
}

static const char *label(void *cookie, const char *name)
{
    return json_string_value(json_object_get(cookie, name));
}

static enum gl_instance_state state_of(const char *status)
{
    static const struct {
        const char *status;
        enum gl_instance_state state;
    } rows[] = {
        {"initializing", GL_STATE_LAUNCHING},
        {"starting", GL_STATE_LAUNCHING},
        {"off", GL_STATE_HALTED},
        {"stopping", GL_STATE_STOPPING},
        {"deleting", GL_STATE_STOPPING},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strcmp(rows[i].status, status) == 0)
            return rows[i].state;
    return GL_STATE_RUNNING; /* running, migrating, rebuilding, unknown: it is billed and may draw
                              */
}

/* "location" since 2026, inside of "datacenter" before. */
static const char *place_of(const json_t *server)
{
    const json_t *place = json_object_get(server, "location");

    if (!json_is_object(place))
        place = json_object_get(json_object_get(server, "datacenter"), "location");
    return gl_vps_text(place, "name");
}

bool gl_hetzner_read_server(const json_t *server, struct gl_instance *out)
{
    struct gl_instance made = {.host_cpu_ms = -1, .how = "hetzner"};
    int64_t id = gl_vps_number(server, "id");

    if (id <= 0 || !gl_labels_read(label, json_object_get(server, "labels"), &made))
        return false;
    snprintf(made.id, sizeof made.id, "%lld", (long long)id);
    snprintf(made.region, sizeof made.region, "%s", place_of(server));
    snprintf(made.type, sizeof made.type, "%s",
             gl_vps_text(json_object_get(server, "server_type"), "name"));
    made.started = gl_vps_time(gl_vps_text(server, "created"));
    made.state = state_of(gl_vps_text(server, "status"));
    *out = made;
    return true;
}

int gl_hetzner_read_action(const json_t *action, struct gl_error *err)
{
    const char *status = gl_vps_text(action, "status");
    const json_t *error = json_object_get(action, "error");
    const char *word = gl_vps_text(error, "code"), *text = gl_vps_text(error, "message");
    char shown[GL_TEXT_SHOWN], said[GL_TEXT_SHOWN];
    enum gl_errc code;

    if (strcmp(status, "success") == 0)
        return 0;
    if (strcmp(status, "running") == 0)
        return 1;
    code = gl_remote_code(gl_hetzner_rules, 0, word, text, NULL);
    return gl_fail(err, code != GL_OK ? code : GL_E_PROVIDER, "%s failed: %s: %s",
                   gl_text_show(gl_vps_text(action, "command"), (char[GL_TEXT_SHOWN]){0}),
                   gl_text_show(word, shown), gl_text_show(text, said));
}

bool gl_hetzner_read_image(const json_t *image, const char *region, struct gl_cloud_image *out)
{
    const char *status = gl_vps_text(image, "status");
    double size = json_number_value(json_object_get(image, "image_size"));
    int64_t id = gl_vps_number(image, "id");

    if (id <= 0)
        return false;
    *out = (struct gl_cloud_image){.bytes = GL_UNKNOWN};
    snprintf(out->id, sizeof out->id, "%s/%lld", region, (long long)id);
    out->state = strcmp(status, "available") == 0  ? GL_IMAGE_READY
                 : strcmp(status, "creating") == 0 ? GL_IMAGE_PENDING
                                                   : GL_IMAGE_FAILED;
    if (size > 0 && size < 1e6) /* GB */
        out->bytes = (int64_t)(size * 1e9);
    return true;
}

/* ---- credentials ---- */

static bool config_token(const char *text, const char *context, char out[256])
{
    struct gl_vps_line line;
    bool is_it = false;

    while (gl_vps_config_next(&text, &line)) {
        if (line.key[0] == '[')
            is_it = false;
        else if (strcmp(line.key, "name") == 0)
            is_it = strcmp(line.value, context) == 0;
        else if (is_it && strcmp(line.key, "token") == 0) {
            snprintf(out, 256, "%s", line.value);
            gl_wipe(&line, sizeof line);
            return out[0] != '\0';
        }
        gl_wipe(line.value, sizeof line.value);
    }
    return false;
}

bool gl_hetzner_config_token(const char *text, const char *context, char out[256])
{
    const char *at = text;
    struct gl_vps_line line;

    if (context != NULL)
        return config_token(text, context, out);
    while (gl_vps_config_next(&at, &line) && line.key[0] != '[')
        if (strcmp(line.key, "active_context") == 0)
            return config_token(text, line.value, out);
    return false;
}

/* ---- catalogue ---- */

static void read_price(const json_t *price, const char *type, const char *currency,
                       struct gl_catalog *catalog)
{
    struct gl_catalog_row row;
    int64_t own = gl_vps_money(json_object_get(json_object_get(price, "price_hourly"), "net"));

    gl_catalog_row_init(&row, gl_vps_text(price, "location"), type);
    snprintf(row.currency, sizeof row.currency, "%s", currency);
    row.price_u_own = own;
    if (strcmp(currency, "USD") == 0)
        row.price_u_usd = own;
    if (row.region[0] != '\0')
        gl_catalog_add(catalog, &row);
}

void gl_hetzner_read_pricing(const json_t *answer, struct gl_catalog *catalog)
{
    const json_t *pricing = json_object_get(answer, "pricing"), *type, *price;
    const char *currency = gl_vps_text(pricing, "currency");
    size_t i, j;

    json_array_foreach(json_object_get(pricing, "server_types"), i, type)
        json_array_foreach(json_object_get(type, "prices"), j, price)
            read_price(price, gl_vps_text(type, "name"), currency, catalog);
}

static uint32_t positive(int64_t value)
{
    return value > 0 && value <= UINT32_MAX ? (uint32_t)value : 0;
}

static void read_type(const json_t *type, const json_t *place, struct gl_catalog *catalog)
{
    double memory = json_number_value(json_object_get(type, "memory")); /* GiB */
    struct gl_catalog_row row;

    gl_catalog_row_init(&row, gl_vps_text(place, "name"), gl_vps_text(type, "name"));
    row.vcpus = positive(gl_vps_number(type, "cores"));
    row.memory_mib = memory > 0 && memory < 1e6 ? (uint32_t)(memory * 1024) : 0;
    snprintf(row.arch, sizeof row.arch, "%s",
             strcmp(gl_vps_text(type, "architecture"), "arm") == 0 ? "arm64" : "x86_64");
    if (json_is_boolean(json_object_get(place, "available"))) {
        row.is_offered_known = true;
        row.is_offered = json_is_true(json_object_get(place, "available"));
    }
    if (row.region[0] != '\0')
        gl_catalog_add(catalog, &row);
}

void gl_hetzner_read_types(const json_t *answer, struct gl_catalog *catalog)
{
    const json_t *type, *place;
    size_t i, j;

    json_array_foreach(json_object_get(answer, "server_types"), i, type)
        json_array_foreach(json_object_get(type, "locations"), j, place)
            read_type(type, place, catalog);
}

int gl_hetzner_read_offer(const json_t *answer, const char *region, const char *type)
{
    const json_t *item, *place;
    size_t i, j;

    json_array_foreach(json_object_get(answer, "server_types"), i, item) json_array_foreach(
        json_object_get(item, "locations"), j,
        place) if (strcmp(gl_vps_text(item, "name"), type) == 0 &&
                   strcmp(gl_vps_text(place, "name"), region) ==
                       0) return json_is_false(json_object_get(place, "available"))
        ? 0
        : 1;
    return -1;
}

int64_t gl_hetzner_next_page(const json_t *answer)
{
    int64_t next =
        gl_vps_number(json_object_get(json_object_get(answer, "meta"), "pagination"), "next_page");

    return next > 0 ? next : 0;
}
