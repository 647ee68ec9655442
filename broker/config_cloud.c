/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/config_part.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define NAMES_MAX 32

/* ---- clouds: {aws: {profile: green}, hetzner: {}} ---- */

static const struct gl_cloud_ops *find_cloud(const char *name)
{
    size_t count;
    const struct gl_cloud_driver *drivers = gl_cloud_drivers(&count);

    for (size_t i = 0; i < count; i++)
        if ((drivers[i].ops->caps & GL_CLOUD_REMOTE) != 0 &&
            strcmp(drivers[i].ops->name, name) == 0)
            return drivers[i].ops;
    return NULL;
}

int gl_config_fail_near(const struct gl_reader *reader, const struct gl_node *node,
                        const char *what, const char *const *names, size_t count)
{
    const char *nearest = gl_text_nearest(node->key, names, count);
    GL_AUTO(gl_str_done) struct gl_str known = {0};
    char shown[GL_TEXT_SHOWN];

    for (size_t i = 0; i < count; i++)
        gl_str_addf(&known, "%s%s", i > 0 ? ", " : "", names[i]);
    return gl_diagnose(&reader->source, &node->key_mark, GL_E_CONFIG, "%s \"%s\"%s%s%s; known: %s",
                       what, gl_text_show(node->key, shown),
                       nearest != NULL ? "; did you mean " : "", nearest != NULL ? nearest : "",
                       nearest != NULL ? "?" : "", gl_str_text(&known));
}

static int fail_cloud(const struct gl_reader *reader, const struct gl_node *node)
{
    const char *names[NAMES_MAX];
    size_t count, used = 0;
    const struct gl_cloud_driver *drivers = gl_cloud_drivers(&count);

    for (size_t i = 0; i < count && used < NAMES_MAX; i++)
        if ((drivers[i].ops->caps & GL_CLOUD_REMOTE) != 0)
            names[used++] = drivers[i].ops->name;
    return gl_config_fail_near(reader, node, "there is no cloud", names, used);
}

static int read_setting(const struct gl_reader *reader, const struct gl_node *node,
                        const struct gl_cloud_ops *ops, struct gl_cloud_setting *out)
{
    const char *names[NAMES_MAX];
    size_t count = 0;

    for (const struct gl_cloud_key *key = ops->keys;
         key != NULL && key->name != NULL && count < NAMES_MAX; key++)
        names[count++] = key->name;
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i], node->key) == 0) {
            out->name = names[i];
            out->value = gl_value_text(reader, node->key, node, GL_TEXT_MAX);
            return out->value != NULL ? 0 : -1;
        }
    return gl_config_fail_near(reader, node, "this cloud has no setting", names, count);
}

static int read_cloud(const struct gl_reader *reader, const struct gl_node *node,
                      struct gl_config_cloud *out)
{
    const struct gl_cloud_ops *ops = find_cloud(node->key);
    bool is_bare = node->kind == GL_NODE_SCALAR && node->text[0] == '\0';
    int result = 0;

    if (ops == NULL)
        return fail_cloud(reader, node);
    out->name = ops->name;
    if (node->kind != GL_NODE_MAP && !is_bare)
        return gl_diagnose(&reader->source, &node->mark, GL_E_CONFIG,
                           "%s is a map of settings, as in {region: eu-north-1}, or {}", ops->name);
    for (const struct gl_node *item = node->first; item != NULL; item = item->next) {
        if (out->setting_count == GL_CONFIG_SETTINGS_MAX)
            return gl_diagnose(&reader->source, &item->mark, GL_E_CONFIG, "more than %d settings",
                               GL_CONFIG_SETTINGS_MAX);
        result |= read_setting(reader, item, ops, &out->settings[out->setting_count]);
        out->setting_count += out->settings[out->setting_count].value != NULL;
    }
    return result;
}

static int read_clouds(const struct gl_reader *reader, const struct gl_field *field,
                       const struct gl_node *node, void *slot)
{
    struct gl_config_clouds *clouds = slot;
    int result = 0;

    if (node->kind != GL_NODE_MAP)
        return gl_diagnose(&reader->source, &node->mark, GL_E_CONFIG,
                           "%s is a map, as in {aws: {profile: green}, hetzner: {}}", field->name);
    for (const struct gl_node *item = node->first; item != NULL; item = item->next) {
        if (clouds->count == GL_CONFIG_CLOUDS_MAX)
            return gl_diagnose(&reader->source, &item->mark, GL_E_CONFIG, "more than %d clouds",
                               GL_CONFIG_CLOUDS_MAX);
        result |= read_cloud(reader, item, &clouds->items[clouds->count]);
        clouds->count += clouds->items[clouds->count].name != NULL;
    }
    return result;
}

const struct gl_type gl_config_type_clouds = {read_clouds, NULL, false};

/* ---- meter: {url: https://..., sha256: ..., push: https://...} ---- */

#define METER(member) offsetof(struct gl_carried_meter, member)
static const struct gl_field meter_fields[] = {
    {.name = "url",
     .type = &gl_type_text,
     .offset = METER(url),
     .help = "Where a rented machine fetches greenlaunch-meter"},
    {.name = "sha256",
     .type = &gl_type_text,
     .offset = METER(sha256),
     .help = "SHA-256 that it must have"},
    {.name = "path",
     .type = &gl_type_text,
     .offset = METER(path),
     .help = "The program on this machine, embedded where it fits"},
    {.name = "gpu_url",
     .type = &gl_type_text,
     .offset = METER(gpu_url),
     .help = "Where greenlaunch-meter-gpu is fetched"},
    {.name = "gpu_sha256",
     .type = &gl_type_text,
     .offset = METER(gpu_sha256),
     .help = "SHA-256 that it must have"},
    {.name = "push",
     .type = &gl_type_text,
     .offset = METER(push),
     .help = "Address that readings are pushed to, beside the console"},
    {.name = NULL},
};
const struct gl_form gl_config_meter_form = {.what = "a meter", .fields = meter_fields};

/* ---- copies ---- */

static const char *dup_or_null(const char *text)
{
    return text != NULL ? gl_strdup(text) : NULL;
}

struct gl_config_cloud gl_config_cloud_dup(const struct gl_config_cloud *cloud)
{
    struct gl_config_cloud copy = *cloud;

    for (size_t i = 0; i < copy.setting_count; i++)
        copy.settings[i].value = gl_strdup(cloud->settings[i].value);
    return copy;
}

struct gl_carried_meter gl_config_meter_dup(const struct gl_carried_meter *meter,
                                            const char *config, const struct gl_world *world)
{
    return (struct gl_carried_meter){
        .url = dup_or_null(meter->url),
        .sha256 = dup_or_null(meter->sha256),
        .path = meter->path != NULL ? gl_config_whole_path(meter->path, config, world) : NULL,
        .gpu_url = dup_or_null(meter->gpu_url),
        .gpu_sha256 = dup_or_null(meter->gpu_sha256),
        .push = dup_or_null(meter->push),
    };
}

/* The strings are ours though the contracts of their readers say const. */
static void free_text(const char *text)
{
    free((void *)(uintptr_t)text);
}

void gl_config_cloud_done(struct gl_config_cloud *cloud)
{
    for (size_t i = 0; i < cloud->setting_count; i++)
        free_text(cloud->settings[i].value);
    *cloud = (struct gl_config_cloud){0};
}

void gl_config_meter_done(struct gl_carried_meter *meter)
{
    free_text(meter->url);
    free_text(meter->sha256);
    free_text(meter->path);
    free_text(meter->gpu_url);
    free_text(meter->gpu_sha256);
    free_text(meter->push);
    *meter = (struct gl_carried_meter){0};
}

/* ---- writing ---- */

void gl_config_add_cloud(struct gl_str *out, const struct gl_config_cloud *cloud)
{
    gl_str_addf(out, "  %s: {", cloud->name);
    for (size_t i = 0; i < cloud->setting_count; i++) {
        gl_str_addf(out, "%s%s: ", i > 0 ? ", " : "", cloud->settings[i].name);
        gl_config_add_quoted(out, cloud->settings[i].value);
    }
    gl_str_add(out, "}\n");
}

void gl_config_add_meter(struct gl_str *out, const struct gl_carried_meter *meter)
{
    bool is_begun = false;

    for (const struct gl_field *field = meter_fields; field->name != NULL; field++) {
        const char *value;

        memcpy(&value, (const char *)meter + field->offset, sizeof value);
        if (value == NULL)
            continue;
        gl_str_addf(out, "%s  %s: ", is_begun ? "" : "meter:\n", field->name);
        gl_config_add_quoted(out, value);
        gl_str_add_char(out, '\n');
        is_begun = true;
    }
}

const struct gl_config_cloud *gl_config_cloud(const struct gl_config *config, const char *name)
{
    for (size_t i = 0; i < config->cloud_count; i++)
        if (strcmp(config->clouds[i].name, name) == 0)
            return &config->clouds[i];
    return NULL;
}
