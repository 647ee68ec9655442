/* SPDX-License-Identifier: Apache-2.0 */
/* Settings of the places that requests go to: venues: {email: {from: ...}, aws/email: {to: ...}}.
 */
#include "broker/config_part.h"
#include "providers/venue/listeners.h"

#include <string.h>

#define NAMES_MAX 32

/* The provider before the slash as demand or a listener calls it; NULL when none of them speaks of
 * it. */
static const char *provider_of(const char *key, const char *slash)
{
    GL_AUTO(gl_auto_free) char *name = gl_strdup(key);
    const struct gl_listener *listener;
    const char *word;
    size_t at = 0;

    name[slash - key] = '\0';
    word = gl_demand_provider_word(name);
    if (strcmp(word, name) == 0)
        return word;
    listener = gl_listener_next(name, &at);
    return listener != NULL ? listener->provider : NULL;
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

static int find_venue(const struct gl_reader *reader, const struct gl_node *node,
                      struct gl_config_section *out, const struct gl_setting_key **out_keys)
{
    const char *slash = strchr(node->key, '/');
    const struct gl_venue_ops *ops = gl_venue_find_ops(slash != NULL ? slash + 1 : node->key);
    const char *provider = slash != NULL ? provider_of(node->key, slash) : NULL;

    if (ops == NULL)
        return fail_venue(reader, node);
    if (slash != NULL && provider == NULL)
        return gl_diagnose(&reader->source, &node->key_mark, GL_E_CONFIG,
                           "venues are written %s, or as in aws/%s for one provider",
                           gl_venue_ops_name(ops), gl_venue_ops_name(ops));
    out->provider = provider;
    out->name = gl_venue_ops_name(ops);
    *out_keys = gl_venue_ops_keys(ops);
    return 0;
}

static int read_venues(const struct gl_reader *reader, const struct gl_field *field,
                       const struct gl_node *node, void *slot)
{
    static const struct gl_config_kind kind = {
        .word = "venue",
        .sections = "{file: {folder: ~/wishes}, aws/email: {to: team@example.com}}",
        .settings = "{folder: ~/wishes}",
        .most = GL_CONFIG_VENUES_MAX,
        .find = find_venue,
    };

    return gl_config_sections_read(reader, field, node, &kind, slot);
}

const struct gl_type gl_config_type_venues = {read_venues, NULL, false};
