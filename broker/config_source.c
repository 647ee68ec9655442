/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/config_part.h"

#include <string.h>

#define NAMES_MAX     32
#define NAME_MAX_HERE 64

/* Of headers and places. */
static const char name_letters[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";

static int fail_source(const struct gl_reader *reader, const struct gl_node *node, const char *name)
{
    const char *names[NAMES_MAX];
    size_t count;
    const struct gl_signal_ops *const *known = gl_signal_registry(&count);
    const char *nearest;
    char shown[GL_TEXT_SHOWN];
    GL_AUTO(gl_str_done) struct gl_str all = {0};

    for (size_t i = 0; i < count && i < NAMES_MAX; i++)
        names[i] = known[i]->name;
    nearest = gl_text_nearest(name, names, count < NAMES_MAX ? count : NAMES_MAX);
    gl_text_show(name, shown);
    if (nearest != NULL)
        return gl_diagnose(&reader->source, &node->mark, GL_E_CONFIG,
                           "there is no signal source \"%s\"; did you mean %s?", shown, nearest);
    for (size_t i = 0; i < count && i < NAMES_MAX; i++)
        gl_str_addf(&all, "%s%s", i > 0 ? ", " : "", names[i]);
    return gl_diagnose(&reader->source, &node->mark, GL_E_CONFIG,
                       "there is no signal source \"%s\"; there are %s", shown, gl_str_text(&all));
}

/* Capitals only, so that a secret that was put there by mistake is no name; and it is not shown. */
static int read_variable(const struct gl_reader *reader, const struct gl_field *field,
                         const struct gl_node *node, void *slot)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
    const char *text = gl_value_text(reader, field->name, node, GL_TEXT_MAX);

    if (text == NULL)
        return -1;
    if (text[0] == '\0' || text[strspn(text, letters)] != '\0' || strlen(text) > NAME_MAX_HERE)
        return gl_diagnose(&reader->source, &node->mark, GL_E_CONFIG,
                           "%s names an environment variable, in capitals; the secret itself never "
                           "stands here",
                           field->name);
    *(const char **)slot = gl_arena_text(reader->arena, text, strlen(text));
    return 0;
}

static int read_named(const struct gl_reader *reader, const struct gl_field *field,
                      const struct gl_node *node, void *slot)
{
    const char *text = gl_value_text(reader, field->name, node, GL_TEXT_MAX);

    if (text == NULL)
        return -1;
    if (text[0] == '\0' || text[strspn(text, name_letters)] != '\0' || strlen(text) > NAME_MAX_HERE)
        return gl_diagnose(&reader->source, &node->mark, GL_E_CONFIG,
                           "%s is a name of letters, digits, - . and _", field->name);
    *(const char **)slot = gl_arena_text(reader->arena, text, strlen(text));
    return 0;
}

static int read_meaning(const struct gl_reader *reader, const struct gl_field *field,
                        const struct gl_node *node, void *slot)
{
    const char *text = gl_value_text(reader, field->name, node, GL_TEXT_MAX);
    GL_AUTO(gl_str_done) struct gl_str known = {0};
    char shown[GL_TEXT_SHOWN];

    if (text == NULL)
        return -1;
    for (size_t i = 0; field->words[i] != NULL; i++) {
        if (strcmp(field->words[i], text) == 0) {
            *(const char **)slot = field->words[i];
            return 0;
        }
        gl_str_addf(&known, "%s%s", i > 0 ? ", " : "", field->words[i]);
    }
    return gl_diagnose(&reader->source, &node->mark, GL_E_CONFIG, "%s: \"%s\" is none of %s",
                       field->name, gl_text_show(text, shown), gl_str_text(&known));
}

#define SOURCE(member) offsetof(struct gl_signal_config, member)
static const struct gl_type type_variable = {read_variable, NULL, false};
static const struct gl_type type_named = {read_named, NULL, false};
static const struct gl_type type_meaning = {read_meaning, NULL, false};
static const char *const boundary_words[] = {"direct", "lifecycle", NULL};
static const char *const gases_words[] = {"co2", "co2e", NULL};
static const char *const unit_words[] = {"g/kWh", "lb/MWh", NULL};
static const struct gl_field source_fields[] = {
    {.name = "source",
     .type = &gl_type_text,
     .offset = SOURCE(name),
     .help = "Name of a signal source"},
    {.name = "endpoint",
     .type = &gl_type_text,
     .offset = SOURCE(endpoint),
     .help = "Where to ask instead of the source's own address"},
    {.name = "key_env",
     .type = &type_variable,
     .offset = SOURCE(key_env),
     .help = "The environment variable that holds the source's token or password"},
    {.name = "user_env",
     .type = &type_variable,
     .offset = SOURCE(user_env),
     .help = "The environment variable that holds the source's user name"},
    {.name = "key_file",
     .type = &gl_config_type_path,
     .offset = SOURCE(key_file),
     .help = "A file that holds them instead, as lines VARIABLE=value"},
    {.name = "key_header",
     .type = &type_named,
     .offset = SOURCE(key_header),
     .help = "The header that carries the token instead of the usual one"},
    {.name = "location",
     .type = &type_named,
     .offset = SOURCE(location),
     .help = "What the source calls the zone"},
    {.name = "rate",
     .type = &type_meaning,
     .offset = SOURCE(rate),
     .words = gl_rate_words,
     .help = "What the figures of a source that does not say it are: the rate"},
    {.name = "boundary",
     .type = &type_meaning,
     .offset = SOURCE(boundary),
     .words = boundary_words,
     .help = "... which emissions"},
    {.name = "gases",
     .type = &type_meaning,
     .offset = SOURCE(gases),
     .words = gases_words,
     .help = "... of which gases"},
    {.name = "trace",
     .type = &type_meaning,
     .offset = SOURCE(trace),
     .words = gl_trace_words,
     .help = "... of whose electricity"},
    {.name = "unit",
     .type = &type_meaning,
     .offset = SOURCE(unit),
     .words = unit_words,
     .help = "... in which unit"},
    {.name = "file",
     .type = &gl_config_type_path,
     .offset = SOURCE(path),
     .help = "A CSV or JSON series of your own"},
    {.name = "zone",
     .type = &gl_config_type_checked,
     .offset = SOURCE(zone),
     .help = "The grid zone of a file that names none"},
    {.name = NULL},
};
const struct gl_form gl_config_source_form = {.what = "a source", .fields = source_fields};

/* A source that does not say what its figures are is told, all of it or nothing. A place of another
 * source's own belongs to one zone. */
static int check_told(const struct gl_reader *reader, const struct gl_node *node,
                      const struct gl_signal_config *source)
{
    const struct {
        const char *name, *value;
    } told[] = {{"endpoint", source->endpoint}, {"zone", source->zone},
                {"location", source->location}, {"rate", source->rate},
                {"boundary", source->boundary}, {"gases", source->gases},
                {"trace", source->trace},       {"unit", source->unit}};
    bool needs = gl_signal_find(source->name)->needs_meaning;

    for (size_t i = 0; i < sizeof told / sizeof told[0]; i++) {
        if (needs && told[i].value == NULL)
            return gl_diagnose(&reader->source, &node->mark, GL_E_CONFIG,
                               "%s does not say what its figures are: say it with %s", source->name,
                               told[i].name);
        if (!needs && i > 2 && told[i].value != NULL)
            return gl_diagnose(&reader->source, &node->mark, GL_E_CONFIG,
                               "%s says itself what its figures are: leave out %s", source->name,
                               told[i].name);
    }
    if (source->location != NULL && source->zone == NULL)
        return gl_diagnose(&reader->source, &node->mark, GL_E_CONFIG,
                           "a location belongs to one zone: say it with zone");
    return 0;
}

static int read_source(const struct gl_reader *reader, const struct gl_node *node,
                       struct gl_signal_config *out)
{
    if (node->kind == GL_NODE_SCALAR)
        out->name = gl_value_text(reader, "a source", node, GL_TEXT_MAX);
    else if (gl_form_read(reader, &gl_config_source_form, node, out) != 0)
        return -1;
    if (out->name == NULL && out->path != NULL)
        out->name = "file";
    if (out->name == NULL)
        return gl_diagnose(&reader->source, &node->mark, GL_E_CONFIG,
                           "a source is a name, or {file: PATH, zone: ZONE}");
    if (gl_signal_find(out->name) == NULL)
        return fail_source(reader, node, out->name);
    if (check_told(reader, node, out) != 0)
        return -1;
    if ((strcmp(out->name, "file") == 0) != (out->path != NULL))
        return gl_diagnose(&reader->source, &node->mark, GL_E_CONFIG,
                           "only the source \"file\" has a path, and it needs one: {file: PATH}");
    return 0;
}

static int read_sources(const struct gl_reader *reader, const struct gl_field *field,
                        const struct gl_node *node, void *slot)
{
    struct gl_config_sources *sources = slot;
    int result = 0;

    sources->is_given = true;
    if (node->kind != GL_NODE_LIST)
        return gl_diagnose(&reader->source, &node->mark, GL_E_CONFIG,
                           "%s is a list, as in [neso, {file: grid.csv, zone: DE}]", field->name);
    for (const struct gl_node *item = node->first; item != NULL; item = item->next) {
        if (sources->count == GL_CONFIG_SOURCES_MAX)
            return gl_diagnose(&reader->source, &item->mark, GL_E_CONFIG, "more than %d sources",
                               GL_CONFIG_SOURCES_MAX);
        result |= read_source(reader, item, &sources->items[sources->count++]);
    }
    return result;
}

const struct gl_type gl_config_type_sources = {read_sources, NULL, false};

/* ---- keeping and writing ---- */

struct gl_signal_config gl_config_source_dup(const struct gl_signal_config *source,
                                             const char *config, const struct gl_world *world)
{
    struct gl_signal_config copy = *source;

    gl_config_texts_keep(&gl_config_source_form, &copy, config, world);
    return copy;
}

void gl_config_source_done(struct gl_signal_config *source)
{
    gl_config_texts_done(&gl_config_source_form, source);
}

void gl_config_add_source(struct gl_str *out, const struct gl_signal_config *source)
{
    struct gl_signal_config shown = *source;

    if (shown.path != NULL)
        shown.name = NULL; /* a file needs no other name */
    gl_config_add_texts(out, &gl_config_source_form, &shown);
}
