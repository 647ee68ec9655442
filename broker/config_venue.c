/* SPDX-License-Identifier: Apache-2.0 */
/* Settings of the places that requests go to: venues: {email: {from: ...}, aws/email: {to: ...}}.
 * A secret is refused here: it has its environment variable. */
#include "broker/config_part.h"
#include "providers/venue/listeners.h"

#include <stdlib.h>
#include <string.h>

#define NAMES_MAX 32

/* ---- reading ---- */

static const char *venue_part(const char *key)
{
    const char *slash = strchr(key, '/');

    return slash != NULL ? slash + 1 : key;
}

/* Is what stands before the slash a provider that demand or a listener speaks of? */
static bool is_provider(const char *key)
{
    GL_AUTO(gl_auto_free) char *provider = gl_strdup(key);
    char *slash = strchr(provider, '/');
    size_t at = 0;

    if (slash == NULL)
        return true;
    *slash = '\0';
    return strcmp(gl_demand_provider_word(provider), provider) == 0 ||
           gl_listener_next(provider, &at) != NULL;
}

static int fail_venue(const struct gl_reader *reader, const struct gl_node *node)
{
    const char *names[NAMES_MAX];
    size_t count, used = 0;
    const struct gl_venue_ops *const *venues = gl_venue_registry(&count);

    for (; used < count && used < NAMES_MAX; used++)
        names[used] = gl_venue_ops_name(venues[used]);
    return gl_config_fail_near(reader, node, "there is no venue", names, used);
}

static int fail_secret(const struct gl_reader *reader, const struct gl_node *node,
                       const struct gl_venue_key *key)
{
    return gl_diagnose(&reader->source, &node->key_mark, GL_E_CONFIG,
                       "%s is a secret: it comes from %s, or from the file that %s_FILE names, "
                       "never from here",
                       key->name, key->variable, key->variable);
}

static int read_setting(const struct gl_reader *reader, const struct gl_node *node,
                        const struct gl_venue_ops *ops, struct gl_venue_setting *out)
{
    const char *names[NAMES_MAX];
    size_t count = 0;

    for (const struct gl_venue_key *key = gl_venue_ops_keys(ops); key->name != NULL; key++) {
        if (strcmp(key->name, node->key) != 0) {
            if (key->variable == NULL && count < NAMES_MAX)
                names[count++] = key->name;
            continue;
        }
        if (key->variable != NULL)
            return fail_secret(reader, node, key);
        out->name = key->name;
        out->value = gl_value_text(reader, node->key, node, GL_TEXT_MAX);
        return out->value != NULL ? 0 : -1;
    }
    return gl_config_fail_near(reader, node, "this venue has no setting", names, count);
}

static int read_venue(const struct gl_reader *reader, const struct gl_node *node,
                      struct gl_config_venue *out)
{
    const struct gl_venue_ops *ops = gl_venue_find_ops(venue_part(node->key));
    int result = 0;

    if (ops == NULL)
        return fail_venue(reader, node);
    if (!is_provider(node->key))
        return gl_diagnose(&reader->source, &node->key_mark, GL_E_CONFIG,
                           "venues are written %s, or as in aws/%s for one provider",
                           gl_venue_ops_name(ops), gl_venue_ops_name(ops));
    if (node->kind != GL_NODE_MAP)
        return gl_diagnose(&reader->source, &node->mark, GL_E_CONFIG,
                           "%s is a map of settings, as in {folder: ~/wishes}",
                           gl_venue_ops_name(ops));
    /* The key is the arena's; the copy that is kept is made by gl_config_venues_take(). */
    out->name = (char *)(uintptr_t)node->key;
    out->venue = gl_venue_ops_name(ops);
    for (const struct gl_node *item = node->first; item != NULL; item = item->next) {
        if (out->setting_count == GL_CONFIG_SETTINGS_MAX)
            return gl_diagnose(&reader->source, &item->mark, GL_E_CONFIG, "more than %d settings",
                               GL_CONFIG_SETTINGS_MAX);
        result |= read_setting(reader, item, ops, &out->settings[out->setting_count]);
        out->setting_count += out->settings[out->setting_count].value != NULL;
    }
    return result;
}

static int read_venues(const struct gl_reader *reader, const struct gl_field *field,
                       const struct gl_node *node, void *slot)
{
    struct gl_config_venues *venues = slot;
    int result = 0;

    if (node->kind != GL_NODE_MAP)
        return gl_diagnose(&reader->source, &node->mark, GL_E_CONFIG,
                           "%s is a map, as in {file: {folder: ~/wishes}, aws/email: {to: "
                           "team@example.com}}",
                           field->name);
    for (const struct gl_node *item = node->first; item != NULL; item = item->next) {
        if (venues->count == GL_CONFIG_VENUES_MAX)
            return gl_diagnose(&reader->source, &item->mark, GL_E_CONFIG, "more than %d venues",
                               GL_CONFIG_VENUES_MAX);
        result |= read_venue(reader, item, &venues->items[venues->count]);
        venues->count += venues->items[venues->count].name != NULL;
    }
    return result;
}

const struct gl_type gl_config_type_venues = {read_venues, NULL, false};

/* ---- keeping ---- */

static struct gl_config_venue dup(const struct gl_config_venue *venue, const char *config,
                                  const struct gl_world *world)
{
    struct gl_config_venue copy = *venue;

    copy.name = gl_strdup(venue->name);
    for (size_t i = 0; i < copy.setting_count; i++) {
        const struct gl_venue_setting *from = &venue->settings[i];

        copy.settings[i].value = strcmp(from->name, "folder") == 0
                                     ? gl_config_whole_path(from->value, config, world)
                                     : gl_strdup(from->value);
    }
    return copy;
}

void gl_config_venues_take(const struct gl_config_venues *venues, const struct gl_world *world,
                           struct gl_config *out)
{
    out->venue_count = venues->count;
    out->venues = venues->count > 0 ? gl_alloc(venues->count * sizeof *out->venues) : NULL;
    for (size_t i = 0; i < venues->count; i++)
        out->venues[i] = dup(&venues->items[i], out->path, world);
}

void gl_config_venues_done(struct gl_config *config)
{
    for (size_t i = 0; i < config->venue_count; i++) {
        free(config->venues[i].name);
        for (size_t k = 0; k < config->venues[i].setting_count; k++)
            free((void *)(uintptr_t)config->venues[i].settings[k].value);
    }
    free(config->venues);
    config->venues = NULL;
    config->venue_count = 0;
}

/* ---- writing and asking ---- */

void gl_config_add_venues(struct gl_str *out, const struct gl_config *config)
{
    if (config->venue_count > 0)
        gl_str_add(out, "venues:\n");
    for (size_t i = 0; i < config->venue_count; i++) {
        const struct gl_config_venue *venue = &config->venues[i];

        gl_str_add(out, "  ");
        gl_config_add_quoted(out, venue->name);
        gl_str_add(out, ": {");
        for (size_t k = 0; k < venue->setting_count; k++) {
            gl_str_addf(out, "%s%s: ", k > 0 ? ", " : "", venue->settings[k].name);
            gl_config_add_quoted(out, venue->settings[k].value);
        }
        gl_str_add(out, "}\n");
    }
}

static bool is_of(const struct gl_config_venue *row, const char *provider, const char *venue)
{
    size_t length = provider != NULL ? strlen(provider) : 0;

    if (strcmp(row->venue, venue) != 0)
        return false;
    return provider == NULL ? strchr(row->name, '/') == NULL
                            : strncmp(row->name, provider, length) == 0 && row->name[length] == '/';
}

const struct gl_config_venue *gl_config_venue(const struct gl_config *config, const char *provider,
                                              const char *venue)
{
    for (size_t i = 0; i < config->venue_count; i++)
        if (is_of(&config->venues[i], provider, venue))
            return &config->venues[i];
    return NULL;
}
