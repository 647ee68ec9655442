/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/vps.h"

#include "base/time.h"
#include "providers/data/data.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CREATE_MS 30000

/* ---- opening ---- */

static void copy_settings(struct gl_vps *vps, const struct gl_cloud_options *options)
{
    const struct gl_cloud_ops *ops = vps->remote.cloud.ops;
    size_t count = 0;

    while (ops->keys != NULL && ops->keys[count].name != NULL)
        count++;
    vps->settings = gl_alloc((count + 1) * sizeof *vps->settings);
    for (size_t i = 0; i < count; i++) {
        const char *value = gl_cloud_setting(ops, options, ops->keys[i].name);

        if (value != NULL && value[0] != '\0')
            vps->settings[vps->setting_count++] =
                (struct gl_setting){ops->keys[i].name, gl_strdup(value)};
    }
}

/* From a tenth to ten: what is beyond was meant the other way round, or is a slip. */
static int take_rate(struct gl_vps *vps, struct gl_error *err)
{
    const char *text = gl_vps_setting(vps, GL_VPS_RATE);
    GL_AUTO(gl_auto_json) json_t *value = text != NULL ? json_string(text) : NULL;
    int64_t rate = gl_vps_money(value);
    char shown[GL_TEXT_SHOWN];

    vps->usd_per_eur_u = GL_UNKNOWN;
    if (text == NULL)
        return 0;
    if (rate == GL_UNKNOWN || rate < 100000 || rate > 10000000)
        return gl_fail(err, GL_E_CONFIG, "%s: " GL_VPS_RATE " is %s instead of a rate as in 1.10",
                       vps->remote.cloud.ops->name, gl_text_show(text, shown));
    vps->usd_per_eur_u = rate;
    return 0;
}

struct gl_cloud *gl_vps_open(const struct gl_cloud_ops *cloud_ops,
                             const struct gl_remote_ops *remote_ops, const struct gl_vps_ops *ops,
                             const struct gl_cloud_options *options, struct gl_error *err)
{
    struct gl_vps *vps = gl_alloc(sizeof *vps);

    gl_remote_init(&vps->remote, cloud_ops, remote_ops, options);
    vps->ops = ops;
    copy_settings(vps, options);
    if (gl_remote_endpoint(cloud_ops, options, ops->endpoint, vps->endpoint, err) < 0 ||
        take_rate(vps, err) < 0) {
        gl_vps_close(&vps->remote.cloud);
        return NULL;
    }
    return &vps->remote.cloud;
}

static void free_text(const char *text)
{
    union {
        const char *borrowed;
        void *owned;
    } both = {text};

    free(both.owned);
}

void gl_vps_close(struct gl_cloud *cloud)
{
    struct gl_vps *vps = (struct gl_vps *)cloud;

    for (size_t i = 0; i < vps->setting_count; i++)
        free_text(vps->settings[i].value);
    free(vps->settings);
    free(vps->regions);
    free(vps->types);
    gl_secret_done(&vps->token);
    gl_remote_done(&vps->remote);
    free(vps);
}

const char *gl_vps_setting(const struct gl_vps *vps, const char *name)
{
    return gl_setting_find(vps->settings, vps->setting_count, name);
}

/* ---- the built-in tables ---- */

static const char *cloud_name(const struct gl_vps *vps)
{
    return vps->remote.cloud.ops->name;
}

static int unknown_region(const struct gl_vps *vps, const char *region, struct gl_error *err)
{
    char shown[GL_TEXT_SHOWN];

    return gl_fail(err, GL_E_UNKNOWN_NAME, "%s has no region %s that is known here",
                   cloud_name(vps), gl_text_show(region, shown));
}

int gl_vps_regions(struct gl_cloud *cloud, const char *const **out, struct gl_error *err)
{
    struct gl_vps *vps = (struct gl_vps *)cloud;
    const struct gl_region_row *rows;
    size_t count = gl_data_regions(&rows), found = 0;

    (void)err;
    if (vps->regions == NULL) {
        vps->regions = gl_alloc((count + 1) * sizeof *vps->regions);
        for (size_t i = 0; i < count; i++)
            if (strcmp(rows[i].cloud, cloud_name(vps)) == 0)
                vps->regions[found++] = rows[i].region;
    }
    *out = vps->regions;
    return 0;
}

int gl_vps_types(struct gl_cloud *cloud, const char *region, const char *const **out,
                 struct gl_error *err)
{
    struct gl_vps *vps = (struct gl_vps *)cloud;
    const struct gl_type_row *rows;
    size_t count = gl_data_types(&rows), found = 0;

    if (gl_data_region(cloud_name(vps), region) == NULL)
        return unknown_region(vps, region, err);
    if (vps->types == NULL) {
        vps->types = gl_alloc((count + 1) * sizeof *vps->types);
        for (size_t i = 0; i < count; i++)
            if (strcmp(rows[i].cloud, cloud_name(vps)) == 0)
                vps->types[found++] = rows[i].name;
    }
    *out = vps->types;
    return 0;
}

int gl_vps_price(struct gl_cloud *cloud, const char *region, const char *type, int64_t *out,
                 struct gl_error *err)
{
    struct gl_vps *vps = (struct gl_vps *)cloud;
    const struct gl_region_row *place = gl_data_region(cloud_name(vps), region);
    const struct gl_type_row *kind = gl_data_type(cloud_name(vps), type);
    char shown[GL_TEXT_SHOWN];
    int64_t price;

    if (place == NULL)
        return unknown_region(vps, region, err);
    if (kind == NULL)
        return gl_fail(err, GL_E_UNKNOWN_NAME, "%s has no type %s that is known here",
                       cloud_name(vps), gl_text_show(type, shown));
    price = gl_data_price(kind, place, NULL);
    *out = price >= 0 ? price : GL_UNKNOWN;
    return 0;
}

#define OWN_MAX INT64_C(100000000000) /* 100,000 EUR an hour: no machine costs more */

int64_t gl_vps_usd(const struct gl_vps *vps, const struct gl_catalog_row *row)
{
    if (row->price_u_usd != GL_UNKNOWN)
        return row->price_u_usd;
    if (strcmp(row->currency, "EUR") != 0 || row->price_u_own == GL_UNKNOWN ||
        row->price_u_own > OWN_MAX || vps->usd_per_eur_u == GL_UNKNOWN)
        return GL_UNKNOWN;
    return (row->price_u_own * vps->usd_per_eur_u + 999999) / 1000000;
}

void gl_vps_add_rows(const struct gl_vps *vps, const struct gl_catalog *from,
                     struct gl_catalog *into)
{
    const struct gl_catalog_row *rows;
    size_t count = gl_catalog_rows(from, &rows);

    for (size_t i = 0; i < count; i++) {
        struct gl_catalog_row row = rows[i];

        row.price_u_usd = gl_vps_usd(vps, &row);
        gl_catalog_add(into, &row);
    }
}

bool gl_vps_knows(const struct gl_vps *vps, const char *region, const char *type)
{
    return gl_data_region(cloud_name(vps), region) != NULL &&
           gl_data_type(cloud_name(vps), type) != NULL;
}

/* ---- calls ---- */

void gl_vps_token_set(struct gl_vps *vps, const char *text)
{
    gl_secret_done(&vps->token);
    gl_secret_init(&vps->token, text, strlen(text) + 1);
}

bool gl_vps_token_env(struct gl_vps *vps, const char *variable)
{
    const struct gl_world *world = vps->remote.world;
    const char *value = world->getenv(world->cookie, variable);

    if (value == NULL || value[0] == '\0')
        return false;
    gl_vps_token_set(vps, value);
    return true;
}

int gl_vps_authorize(struct gl_vps *vps, struct gl_remote_call *call, bool is_renewed,
                     const char *name, const char *prefix, struct gl_error *err)
{
    size_t before = call->headers.length;

    if (is_renewed)
        gl_secret_done(&vps->token);
    if (vps->token.length == 0 && vps->ops->credentials(vps, err) < 0)
        return -1;
    gl_remote_header(call, name, "%s%s", prefix, (const char *)vps->token.bytes);
    if (call->headers.length == before)
        return gl_fail(err, GL_E_NO_CREDENTIAL, "%s: the token holds a line break or the like",
                       cloud_name(vps));
    return 0;
}

int gl_vps_bearer(struct gl_remote *remote, struct gl_remote_call *call, bool is_renewed,
                  struct gl_error *err)
{
    return gl_vps_authorize((struct gl_vps *)remote, call, is_renewed, "Authorization", "Bearer ",
                            err);
}

void gl_vps_call(const struct gl_vps *vps, struct gl_remote_call *call, const char *method,
                 const char *format, ...)
{
    va_list values;
    char path[512];

    va_start(values, format);
    vsnprintf(path, sizeof path, format, values);
    va_end(values);
    *call = (struct gl_remote_call){.method = method};
    gl_str_addf(&call->url, "%s%s", vps->endpoint, path);
    gl_remote_header(call, "Accept", "application/json");
}

json_t *gl_vps_ask(struct gl_vps *vps, struct gl_remote_call *call, struct gl_error *err)
{
    json_t *value = gl_remote_json(&vps->remote, call, err);

    gl_remote_call_done(call);
    return value;
}

json_t *gl_vps_create(struct gl_vps *vps, struct gl_remote_call *call, const char *region,
                      json_t *body, struct gl_error *err)
{
    call->region = region;
    call->is_create = true;
    call->timeout_ms = CREATE_MS;
    gl_remote_body_json(call, body);
    gl_vps_forget(body, "user_data");
    return gl_vps_ask(vps, call, err);
}

int gl_vps_tell(struct gl_vps *vps, struct gl_remote_call *call, struct gl_error *err)
{
    int result = gl_remote_send(&vps->remote, call, err);

    gl_remote_call_done(call);
    return result;
}

void gl_vps_list_add(struct gl_vps_list *list, const struct gl_instance *item)
{
    if (list->count == list->capacity) {
        list->capacity = list->capacity > 0 ? list->capacity * 2 : 16;
        list->items = gl_realloc(list->items, list->capacity * sizeof *list->items);
    }
    list->items[list->count++] = *item;
}

/* ---- JSON ---- */

const char *gl_vps_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text != NULL ? text : "";
}

int64_t gl_vps_number(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);

    return json_is_integer(value) ? json_integer_value(value) : -1;
}

/* Seven digits behind the point decide; the eighth and later ones do not. */
int64_t gl_vps_money(const json_t *value)
{
    const char *text = json_string_value(value);
    int64_t micro = 0, unit = 1000000;
    char buffer[64];

    if (json_is_number(value)) {
        /* 12 digits behind the point print what a decimal of few digits was. */
        snprintf(buffer, sizeof buffer, "%.12f", json_number_value(value));
        text = buffer;
    }
    if (text == NULL || strspn(text, "0123456789.") != strlen(text) || *text < '0' || *text > '9')
        return GL_UNKNOWN;
    for (; *text >= '0' && *text <= '9'; text++)
        if ((micro = micro * 10 + (*text - '0') * INT64_C(1000000)) > INT64_C(1000000000000000))
            return GL_UNKNOWN;
    if (*text == '.')
        text++;
    for (; *text >= '0' && *text <= '9'; text++) {
        unit /= 10;
        if (unit == 0)
            return micro + (*text >= '5');
        micro += (*text - '0') * unit;
    }
    return *text == '\0' ? micro : GL_UNKNOWN;
}

struct gl_instant gl_vps_time(const char *text)
{
    struct gl_instant at = {0};
    struct gl_error ignored = {0};

    if (gl_instant_parse(text, &at, &ignored) != 0)
        at.unix_s = 0;
    return at;
}

bool gl_vps_is_number(const char *text)
{
    size_t length = strlen(text);

    return length > 0 && length <= 18 && strspn(text, "0123456789") == length;
}

int64_t gl_vps_wait_until(const struct gl_http_reply *reply, const char *header, int64_t now_ms)
{
    char value[32];
    int64_t at;

    if (!gl_http_reply_header(reply, header, value, sizeof value) || !gl_vps_is_number(value))
        return -1;
    at = strtoll(value, NULL, 10);
    if (at > INT64_MAX / 1000)
        return -1;
    return at * 1000 > now_ms ? at * 1000 - now_ms : 0;
}

json_t *gl_vps_body(const struct gl_http_reply *reply)
{
    struct gl_error ignored = {0};
    json_t *value = reply->body != NULL
                        ? gl_json_parse(reply->body, reply->body_length, "an answer", &ignored)
                        : NULL;

    if (json_is_object(value))
        return value;
    json_decref(value);
    return NULL;
}

void gl_vps_forget(json_t *object, const char *key)
{
    union {
        const char *borrowed;
        char *ours;
    } both = {json_string_value(json_object_get(object, key))};

    if (both.borrowed != NULL)
        gl_wipe(both.ours, strlen(both.borrowed));
}

const char *gl_vps_image(const struct gl_vps *vps, const struct gl_launch *launch,
                         const char *fallback)
{
    const char *slash = launch->image != NULL ? strchr(launch->image, '/') : NULL;
    const char *own = gl_vps_setting(vps, "image");

    if (launch->image != NULL)
        return slash != NULL ? slash + 1 : launch->image;
    return own != NULL ? own : fallback;
}
