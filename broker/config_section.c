/* SPDX-License-Identifier: Apache-2.0 */
/* Clouds and venues alike: `clouds: {aws: {profile: green}}`, `venues: {email: {from: ...}}`. */
#include "broker/config_part.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define NAMES_MAX 32

/* ---- reading ---- */

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

static int fail_setting(const struct gl_reader *reader, const struct gl_node *node,
                        const struct gl_config_kind *kind, const struct gl_setting_key *keys)
{
    const char *names[NAMES_MAX];
    size_t count = 0;
    char what[64];

    for (const struct gl_setting_key *key = keys; key != NULL && key->name != NULL; key++)
        if (key->variable == NULL && count < NAMES_MAX)
            names[count++] = key->name;
    snprintf(what, sizeof what, "this %s has no setting", kind->word);
    return gl_config_fail_near(reader, node, what, names, count);
}

static int read_setting(const struct gl_reader *reader, const struct gl_node *node,
                        const struct gl_config_kind *kind, const struct gl_setting_key *keys,
                        struct gl_setting *out)
{
    const struct gl_setting_key *key = gl_setting_key(keys, node->key);

    if (key == NULL)
        return fail_setting(reader, node, kind, keys);
    if (key->variable != NULL)
        return gl_diagnose(&reader->source, &node->key_mark, GL_E_CONFIG,
                           "%s is a secret: it comes from %s, or from the file that %s_FILE names, "
                           "never from here",
                           key->name, key->variable, key->variable);
    out->name = key->name;
    out->value = gl_value_text(reader, node->key, node, GL_TEXT_MAX);
    return out->value != NULL ? 0 : -1;
}

static int read_section(const struct gl_reader *reader, const struct gl_node *node,
                        const struct gl_config_kind *kind, struct gl_config_section *out)
{
    bool is_bare = node->kind == GL_NODE_SCALAR && node->text[0] == '\0';
    const struct gl_setting_key *keys = NULL;
    int result = 0;

    if (kind->find(reader, node, out, &keys) != 0)
        return -1;
    if (node->kind != GL_NODE_MAP && !(is_bare && kind->may_be_bare))
        return gl_diagnose(&reader->source, &node->mark, GL_E_CONFIG,
                           "%s is a map of settings, as in %s", out->name, kind->settings);
    for (const struct gl_node *item = node->first; item != NULL; item = item->next) {
        struct gl_setting *setting = &out->settings[out->setting_count];

        if (out->setting_count == GL_CONFIG_SETTINGS_MAX)
            return gl_diagnose(&reader->source, &item->mark, GL_E_CONFIG, "more than %d settings",
                               GL_CONFIG_SETTINGS_MAX);
        result |= read_setting(reader, item, kind, keys, setting);
        out->setting_count += setting->value != NULL;
    }
    return result;
}

int gl_config_sections_read(const struct gl_reader *reader, const struct gl_field *field,
                            const struct gl_node *node, const struct gl_config_kind *kind,
                            struct gl_config_sections *out)
{
    int result = 0;

    if (node->kind != GL_NODE_MAP)
        return gl_diagnose(&reader->source, &node->mark, GL_E_CONFIG, "%s is a map, as in %s",
                           field->name, kind->sections);
    for (const struct gl_node *item = node->first; item != NULL; item = item->next) {
        if (out->count == kind->most)
            return gl_diagnose(&reader->source, &item->mark, GL_E_CONFIG, "more than %zu %ss",
                               kind->most, kind->word);
        result |= read_section(reader, item, kind, &out->items[out->count]);
        out->count += out->items[out->count].name != NULL;
    }
    return result;
}

/* ---- keeping ---- */

/* The values are ours though the contract of their readers says const. */
static void free_value(struct gl_setting *setting)
{
    free((void *)(uintptr_t)setting->value);
    setting->value = NULL;
}

static void section_done(struct gl_config_section *section)
{
    for (size_t i = 0; i < section->setting_count; i++)
        free_value(&section->settings[i]);
    *section = (struct gl_config_section){0};
}

/* Whoever's it is, `folder` is a path. */
static char *value_dup(const struct gl_setting *setting, const char *config,
                       const struct gl_world *world)
{
    return strcmp(setting->name, "folder") == 0
               ? gl_config_whole_path(setting->value, config, world)
               : gl_strdup(setting->value);
}

struct gl_config_sections gl_config_sections_dup(const struct gl_config_sections *sections,
                                                 const char *config, const struct gl_world *world)
{
    struct gl_config_sections copy = *sections;

    for (size_t i = 0; i < copy.count; i++)
        for (size_t k = 0; k < copy.items[i].setting_count; k++) {
            struct gl_setting *setting = &copy.items[i].settings[k];

            setting->value = value_dup(setting, config, world);
        }
    return copy;
}

void gl_config_sections_done(struct gl_config_sections *sections)
{
    for (size_t i = 0; i < sections->count; i++)
        section_done(&sections->items[i]);
    sections->count = 0;
}

/* ---- writing ---- */

void gl_config_add_section(struct gl_str *out, const struct gl_config_section *section)
{
    bool is_of_provider = section->provider != NULL;

    gl_str_addf(out, "  %s%s%s: {", is_of_provider ? section->provider : "",
                is_of_provider ? "/" : "", section->name);
    for (size_t i = 0; i < section->setting_count; i++) {
        gl_str_addf(out, "%s%s: ", i > 0 ? ", " : "", section->settings[i].name);
        gl_config_add_quoted(out, section->settings[i].value);
    }
    gl_str_add(out, "}\n");
}

void gl_config_add_sections(struct gl_str *out, const char *key,
                            const struct gl_config_sections *sections)
{
    if (sections->count > 0)
        gl_str_addf(out, "%s:\n", key);
    for (size_t i = 0; i < sections->count; i++)
        gl_config_add_section(out, &sections->items[i]);
}

/* ---- asking and setting ---- */

static bool is_same(const char *one, const char *other)
{
    return one == NULL || other == NULL ? one == other : strcmp(one, other) == 0;
}

static size_t find(const struct gl_config_sections *sections, const char *provider,
                   const char *name)
{
    size_t at = 0;

    while (at < sections->count && !(strcmp(sections->items[at].name, name) == 0 &&
                                     is_same(sections->items[at].provider, provider)))
        at++;
    return at;
}

const struct gl_config_section *gl_config_cloud(const struct gl_config *config, const char *name)
{
    size_t at = find(&config->clouds, NULL, name);

    return at < config->clouds.count ? &config->clouds.items[at] : NULL;
}

const struct gl_config_section *gl_config_venue(const struct gl_config *config,
                                                const char *provider, const char *venue)
{
    size_t at = find(&config->venues, provider, venue);

    return at < config->venues.count ? &config->venues.items[at] : NULL;
}

const char *gl_config_setting(const struct gl_config_section *section, const char *name)
{
    return section != NULL ? gl_setting_find(section->settings, section->setting_count, name)
                           : NULL;
}

struct gl_config_section *gl_config_cloud_add(struct gl_config *config, const char *name,
                                              struct gl_error *err)
{
    struct gl_config_sections *clouds = &config->clouds;
    size_t at = find(clouds, NULL, name);

    if (at == GL_CONFIG_CLOUDS_MAX) {
        gl_fail(err, GL_E_CONFIG, "more than %d clouds", GL_CONFIG_CLOUDS_MAX);
        return NULL;
    }
    if (at == clouds->count)
        clouds->items[clouds->count++] = (struct gl_config_section){.name = name};
    return &clouds->items[at];
}

void gl_config_cloud_drop(struct gl_config *config, const char *name)
{
    struct gl_config_sections *clouds = &config->clouds;
    size_t at = find(clouds, NULL, name);

    if (at == clouds->count)
        return;
    section_done(&clouds->items[at]);
    memmove(&clouds->items[at], &clouds->items[at + 1],
            (--clouds->count - at) * sizeof clouds->items[0]);
}

static void drop_setting(struct gl_config_section *section, const char *name)
{
    for (size_t i = 0; i < section->setting_count; i++) {
        if (strcmp(section->settings[i].name, name) != 0)
            continue;
        free_value(&section->settings[i]);
        memmove(&section->settings[i], &section->settings[i + 1],
                (--section->setting_count - i) * sizeof section->settings[0]);
        return;
    }
}

int gl_config_set(struct gl_config_section *section, const char *name, const char *value,
                  struct gl_error *err)
{
    drop_setting(section, name);
    if (value[0] == '\0')
        return 0;
    if (section->setting_count == GL_CONFIG_SETTINGS_MAX)
        return gl_fail(err, GL_E_USAGE, "more than %d settings", GL_CONFIG_SETTINGS_MAX);
    section->settings[section->setting_count++] = (struct gl_setting){name, gl_strdup(value)};
    return 0;
}
