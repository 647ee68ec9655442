/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/digitalocean.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What goes wrong with a create is 422 whatever it is: only its text tells. */
const struct gl_remote_rule gl_digitalocean_rules[] = {
    {429, NULL, NULL, GL_E_RATE_LIMIT, GL_REACH_ACCOUNT},
    {0, "too_many_requests", NULL, GL_E_RATE_LIMIT, GL_REACH_ACCOUNT},
    {401, NULL, NULL, GL_E_NO_CREDENTIAL, GL_REACH_ACCOUNT},
    {422, NULL, "droplet limit", GL_E_QUOTA, GL_REACH_ACCOUNT},
    {422, NULL, "exceed", GL_E_QUOTA, GL_REACH_ACCOUNT},
    {422, NULL, "image you specified", GL_E_BAD_VALUE, GL_REACH_CALL}, /* is of another region */
    {422, NULL, "currently restricted", GL_E_QUOTA, GL_REACH_ACCOUNT},
    {422, NULL, "not available in", GL_E_CAPACITY, GL_REACH_REGION},
    {422, NULL, "is not currently available", GL_E_CAPACITY, GL_REACH_REGION},
    {422, NULL, "egion is not available", GL_E_CAPACITY, GL_REACH_REGION},
    {422, NULL, "pending event", GL_E_BUSY, GL_REACH_CALL},
    {422, NULL, "is already powered", GL_E_BUSY, GL_REACH_CALL},
    {403, NULL, "limit", GL_E_QUOTA, GL_REACH_ACCOUNT},
    {.code = GL_OK},
};

bool gl_digitalocean_read_error(const struct gl_http_reply *reply, struct gl_remote_word *out)
{
    GL_AUTO(gl_auto_json) json_t *body = gl_vps_body(reply);

    *out = (struct gl_remote_word){{0}, {0}, {{0}}};
    snprintf(out->word, sizeof out->word, "%s", gl_vps_text(body, "id"));
    snprintf(out->text, sizeof out->text, "%s", gl_vps_text(body, "message"));
    return out->word[0] != '\0';
}

int64_t gl_digitalocean_wait_ms(const struct gl_http_reply *reply, int64_t now_ms)
{
    return gl_vps_wait_until(reply, "ratelimit-reset", now_ms);
}

void gl_digitalocean_tag(const struct gl_label *label, char out[GL_DIGITALOCEAN_TAG])
{
    snprintf(out, GL_DIGITALOCEAN_TAG, "%s:%s", label->name, label->value);
}

/* An image is named by a word, or numbered. */
static json_t *image_value(const char *image)
{
    return gl_vps_is_number(image) ? json_integer(strtoll(image, NULL, 10)) : json_string(image);
}

json_t *gl_digitalocean_create_body(const struct gl_launch *launch, const char *image,
                                    const char *user_data, const char *network, const char *ssh_key)
{
    struct gl_label labels[GL_LABEL_COUNT];
    char name[GL_CLOUD_ID], tag[GL_DIGITALOCEAN_TAG];
    json_t *tags = json_pack("[s]", "greenlaunch"), *body;

    gl_labels_of(launch, labels);
    for (size_t i = 0; i < GL_LABEL_COUNT; i++) {
        gl_digitalocean_tag(&labels[i], tag);
        json_array_append_new(tags, json_string(tag));
    }
    gl_attempt_name(launch, name);
    /* Without a region the provider would choose one. */
    body =
        json_pack("{s:s,s:s,s:s,s:o,s:o,s:s}", "name", name, "region", launch->region, "size",
                  launch->type, "image", image_value(image), "tags", tags, "user_data", user_data);
    if (network != NULL)
        json_object_set_new(body, "vpc_uuid", json_string(network));
    if (ssh_key != NULL)
        json_object_set_new(body, "ssh_keys", json_pack("[o]", image_value(ssh_key)));
    return body;
}

static const char *tag_value(void *cookie, const char *name)
{
    const json_t *tags = cookie, *tag;
    size_t i, length = strlen(name);

    json_array_foreach(tags, i, tag)
    {
        const char *text = json_string_value(tag);

        if (text != NULL && strncmp(text, name, length) == 0 && text[length] == ':')
            return text + length + 1;
    }
    return NULL;
}

static enum gl_instance_state state_of(const json_t *droplet)
{
    const char *status = gl_vps_text(droplet, "status");

    return strcmp(status, "new") == 0       ? GL_STATE_LAUNCHING
           : strcmp(status, "off") == 0     ? GL_STATE_HALTED
           : strcmp(status, "archive") == 0 ? GL_STATE_ENDED
                                            : GL_STATE_RUNNING;
}

bool gl_digitalocean_read_droplet(const json_t *droplet, struct gl_instance *out)
{
    struct gl_instance made = {.host_cpu_ms = -1, .how = "digitalocean"};
    int64_t id = gl_vps_number(droplet, "id");

    if (id <= 0 || !gl_labels_read(tag_value, json_object_get(droplet, "tags"), &made))
        return false;
    snprintf(made.id, sizeof made.id, "%lld", (long long)id);
    snprintf(made.region, sizeof made.region, "%s",
             gl_vps_text(json_object_get(droplet, "region"), "slug"));
    snprintf(made.type, sizeof made.type, "%s", gl_vps_text(droplet, "size_slug"));
    made.started = gl_vps_time(gl_vps_text(droplet, "created_at"));
    made.state = state_of(droplet);
    *out = made;
    return true;
}

int gl_digitalocean_read_action(const json_t *action, struct gl_error *err)
{
    const char *status = gl_vps_text(action, "status");
    char shown[GL_TEXT_SHOWN];

    if (strcmp(status, "completed") == 0)
        return 0;
    if (strcmp(status, "in-progress") == 0)
        return 1;
    return gl_fail(err, GL_E_LAUNCH,
                   "digitalocean: the action %s ended in an error, no reason told",
                   gl_text_show(gl_vps_text(action, "type"), shown));
}

/* ---- credentials ----
 * access-token: dop_v1_...      of the context "default"
 * context: NAME
 * auth-contexts:
 *   NAME: dop_v1_... */

static bool named_token(const char *text, const char *context, char out[256])
{
    bool is_default = strcmp(context, "default") == 0, is_inside = false, found = false;
    struct gl_vps_line line;

    while (!found && gl_vps_config_next(&text, &line)) {
        if (line.indent == 0) {
            is_inside = strcmp(line.key, "auth-contexts") == 0;
            found = is_default && strcmp(line.key, "access-token") == 0 && line.value[0] != '\0';
        } else
            found = is_inside && strcmp(line.key, context) == 0 && line.value[0] != '\0';
        if (found)
            snprintf(out, 256, "%s", line.value);
        gl_wipe(line.value, sizeof line.value);
    }
    return found;
}

bool gl_digitalocean_config_token(const char *text, const char *context, char out[256])
{
    struct gl_vps_line line;
    const char *at = text;

    if (context != NULL)
        return named_token(text, context, out);
    while (gl_vps_config_next(&at, &line))
        if (line.indent == 0 && strcmp(line.key, "context") == 0 && line.value[0] != '\0')
            return named_token(text, line.value, out);
    return named_token(text, "default", out);
}

/* ---- sizes ---- */

static uint32_t positive(int64_t value)
{
    return value > 0 && value <= UINT32_MAX ? (uint32_t)value : 0;
}

static void read_size(const json_t *size, const char *region, struct gl_catalog *catalog)
{
    const json_t *gpu = json_object_get(size, "gpu_info");
    struct gl_catalog_row row;

    gl_catalog_row_init(&row, region, gl_vps_text(size, "slug"));
    row.vcpus = positive(gl_vps_number(size, "vcpus"));
    row.memory_mib = positive(gl_vps_number(size, "memory"));
    row.gpu_count = positive(gl_vps_number(gpu, "count"));
    snprintf(row.gpu, sizeof row.gpu, "%s", gl_vps_text(gpu, "model"));
    row.price_u_own = row.price_u_usd = gl_vps_money(json_object_get(size, "price_hourly"));
    snprintf(row.currency, sizeof row.currency, "USD");
    row.is_offered_known = json_is_boolean(json_object_get(size, "available"));
    row.is_offered = json_is_true(json_object_get(size, "available"));
    if (row.region[0] != '\0' && row.type[0] != '\0')
        gl_catalog_add(catalog, &row);
}

void gl_digitalocean_read_sizes(const json_t *answer, struct gl_catalog *catalog)
{
    const json_t *size, *region;
    size_t i, j;

    json_array_foreach(json_object_get(answer, "sizes"), i, size)
        json_array_foreach(json_object_get(size, "regions"), j, region) if (json_is_string(region))
            read_size(size, json_string_value(region), catalog);
}

static bool has_text(const json_t *array, const char *text)
{
    const json_t *item;
    size_t i;

    json_array_foreach(array, i, item) if (json_is_string(item) &&
                                           strcmp(json_string_value(item), text) == 0) return true;
    return false;
}

int gl_digitalocean_read_offer(const json_t *answer, const char *region, const char *type,
                               int64_t *out_u_usd)
{
    const json_t *size;
    size_t i;

    json_array_foreach(json_object_get(answer, "sizes"), i, size)
    {
        if (strcmp(gl_vps_text(size, "slug"), type) != 0)
            continue;
        *out_u_usd = gl_vps_money(json_object_get(size, "price_hourly"));
        return has_text(json_object_get(size, "regions"), region) &&
               !json_is_false(json_object_get(size, "available"));
    }
    return -1;
}

bool gl_digitalocean_has_next(const json_t *answer)
{
    return gl_vps_text(json_object_get(json_object_get(answer, "links"), "pages"), "next")[0] !=
           '\0';
}

bool gl_digitalocean_read_image(const json_t *image, const char *region, struct gl_cloud_image *out)
{
    const char *status = gl_vps_text(image, "status");
    double size = json_number_value(json_object_get(image, "size_gigabytes"));
    bool is_there = has_text(json_object_get(image, "regions"), region);

    if (gl_vps_number(image, "id") <= 0)
        return false;
    out->bytes = size > 0 && size < 1e6 ? (int64_t)(size * 1e9) : GL_UNKNOWN;
    out->state = strcmp(status, "deleted") == 0 || strcmp(status, "retired") == 0 ? GL_IMAGE_FAILED
                 : strcmp(status, "available") == 0 && is_there                   ? GL_IMAGE_READY
                                                                : GL_IMAGE_PENDING;
    return true;
}
