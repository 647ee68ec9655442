/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/form.h"

#include "base/time.h"

#include <string.h>

#define ID_MAX    64
#define NAMES_MAX 48

/* Words of other tools and of what is not here yet, so that the answer is better than "unknown". */
static const struct {
    const char *name, *hint;
} known_words[] = {
    {"budgets", "write budget in a rule"},
    {"charge", "a launch reserves before and is charged what was measured after, always"},
    {"max_increase", "it belongs in a rule's budget"},
    {"max_increase_share", "it belongs in a rule's budget"},
    {"data_max_age", "write max_data_age"},
    {"method", "write accounting or rate"},
    {"scope", "write boundary"},
    {"when", "write match"},
    {"limits", "limits stand in the rule itself, or under require"},
    {"constraints", "limits stand in the rule itself, or under require"},
    {"waivers", "waivers stand in a file of their own: --waivers FILE"},
};

bool gl_key_is_limit(const struct gl_key *key)
{
    return key->standard == GL_UNKNOWN;
}

static int read_text(const struct gl_reader *reader, const struct gl_field *field,
                     const struct gl_node *node, void *slot)
{
    const char *text = gl_value_text(reader, field->name, node, GL_TEXT_MAX);

    if (text == NULL)
        return -1;
    *(const char **)slot = gl_arena_text(reader->arena, text, strlen(text));
    return 0;
}

static bool is_id_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
}

bool gl_is_id(const char *text)
{
    size_t length = 0;

    while (is_id_char(text[length]))
        length++;
    return length > 0 && length <= ID_MAX && text[length] == '\0' && strchr(".-_", text[0]) == NULL;
}

static int read_id(const struct gl_reader *reader, const struct gl_field *field,
                   const struct gl_node *node, void *slot)
{
    char shown[GL_TEXT_SHOWN];
    const char *text = gl_value_text(reader, field->name, node, GL_TEXT_MAX);

    if (text == NULL)
        return -1;
    if (!gl_is_id(text))
        return gl_diagnose(&reader->source, &node->mark, GL_E_BAD_VALUE,
                           "%s: \"%s\" is no id; write letters, digits, '-', '_' and '.', a letter "
                           "or digit first, at most %d",
                           field->name, gl_text_show(text, shown), ID_MAX);
    *(const char **)slot = gl_arena_text(reader->arena, text, strlen(text));
    return 0;
}

static int read_globs(const struct gl_reader *reader, const struct gl_field *field,
                      const struct gl_node *node, void *slot)
{
    const char *const *globs = gl_value_globs(reader, field->name, node);

    if (globs == NULL)
        return -1;
    *(const char *const **)slot = globs;
    return 0;
}

static int read_addresses(const struct gl_reader *reader, const struct gl_field *field,
                          const struct gl_node *node, void *slot)
{
    const char *const *globs = gl_value_addresses(reader, field->name, node);

    if (globs == NULL)
        return -1;
    *(const char *const **)slot = globs;
    return 0;
}

static int read_word(const struct gl_reader *reader, const struct gl_field *field,
                     const struct gl_node *node, void *slot)
{
    int word = gl_value_word(reader, field->name, node, field->words);

    if (word < 0)
        return -1;
    *(int *)slot = word;
    return 0;
}

static int read_bool(const struct gl_reader *reader, const struct gl_field *field,
                     const struct gl_node *node, void *slot)
{
    static const char *const truth[] = {"false", "true", NULL};
    int word = gl_value_word(reader, field->name, node, truth);

    if (word < 0)
        return -1;
    *(bool *)slot = word == 1;
    return 0;
}

static int read_time(const struct gl_reader *reader, const struct gl_field *field,
                     const struct gl_node *node, void *slot)
{
    struct gl_error err = {0};
    struct gl_instant at;
    const char *text = gl_value_text(reader, field->name, node, GL_TEXT_MAX);
    bool is_date = text != NULL && strlen(text) <= strlen("2026-01-31");

    if (text == NULL)
        return -1;
    if (is_date ? gl_date_parse(text, &at, &err) : gl_instant_parse(text, &at, &err))
        return gl_diagnose(&reader->source, &node->mark, err.code, "%s: %s", field->name, err.text);
    *(int64_t *)slot = at.unix_s;
    return 0;
}

static int read_span(const struct gl_reader *reader, const struct gl_field *field,
                     const struct gl_node *node, void *slot)
{
    struct gl_error err = {0};
    struct gl_span span;
    const char *text = gl_value_text(reader, field->name, node, GL_TEXT_MAX);

    if (text == NULL)
        return -1;
    if (gl_span_parse(text, &span, &err))
        return gl_diagnose(&reader->source, &node->mark, err.code, "%s: %s", field->name, err.text);
    *(int64_t *)slot = span.s;
    return 0;
}

static int read_version(const struct gl_reader *reader, const struct gl_field *field,
                        const struct gl_node *node, void *slot)
{
    char shown[GL_TEXT_SHOWN];
    const char *text = gl_value_text(reader, field->name, node, GL_TEXT_MAX);

    (void)slot;
    if (text == NULL)
        return -1;
    if (strcmp(text, "1") != 0)
        return gl_diagnose(&reader->source, &node->mark, GL_E_BAD_VALUE,
                           "version \"%s\" is not known to this program; it reads %s: 1",
                           gl_text_show(text, shown), field->name);
    return 0;
}

static int read_form(const struct gl_reader *reader, const struct gl_field *field,
                     const struct gl_node *node, void *slot)
{
    return gl_form_read(reader, field->form, node, slot);
}

#define TEXT_SCHEMA "{\"type\": \"string\", \"minLength\": 1, \"maxLength\": 1000}"
const struct gl_type gl_type_text = {read_text, TEXT_SCHEMA, false};
const struct gl_type gl_type_id = {
    read_id, "{\"type\": \"string\", \"pattern\": \"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$\"}", false};
const struct gl_type gl_type_globs = {
    read_globs,
    "{\"type\": [\"string\", \"array\"], \"items\": {\"type\": \"string\"}, "
    "\"minItems\": 1}",
    false};
const struct gl_type gl_type_addresses = {
    read_addresses,
    "{\"type\": [\"string\", \"array\"], \"items\": {\"type\": \"string\"}, "
    "\"minItems\": 1}",
    false};
const struct gl_type gl_type_word = {read_word, NULL, false};
const struct gl_type gl_type_bool = {read_bool, "{\"type\": \"boolean\"}", false};
const struct gl_type gl_type_time = {
    read_time,
    "{\"type\": \"string\", \"pattern\": "
    "\"^[0-9]{4}-[0-9]{2}-[0-9]{2}([Tt ].*([Zz]|[+-][0-9]{2}:[0-9]{2}))?$\"}",
    false};
const struct gl_type gl_type_span = {
    read_span, "{\"type\": \"string\", \"pattern\": \"^[0-9].*(w|d|h|min|s)$|^P\"}", false};
const struct gl_type gl_type_version = {read_version, "{\"const\": 1}", false};
const struct gl_type gl_type_form = {read_form, NULL, false};

static const struct gl_field *find_field(const struct gl_form *form, const char *name)
{
    for (const struct gl_field *field = form->fields; field->name != NULL; field++)
        if (strcmp(field->name, name) == 0 ||
            (field->alias != NULL && strcmp(field->alias, name) == 0))
            return field;
    return NULL;
}

static bool takes_key(const struct gl_form *form, const struct gl_key *key)
{
    return key != NULL && form->takes != NULL && form->takes(key);
}

/* The nearest name that the form takes, NULL when none is near. */
static const char *nearest_name(const struct gl_form *form, const char *name)
{
    const char *names[NAMES_MAX];
    size_t count = 0;
    size_t key_count;
    const struct gl_key *keys = gl_keys(&key_count);

    for (const struct gl_field *field = form->fields; field->name != NULL; field++)
        if (count < NAMES_MAX)
            names[count++] = field->name;
    for (size_t i = 0; i < key_count; i++)
        if (count < NAMES_MAX && takes_key(form, &keys[i]))
            names[count++] = keys[i].name;
    return gl_text_nearest(name, names, count);
}

/* "a, b or c" of what a form takes; nothing for one that takes the whole key table. */
static void list_fields(const struct gl_form *form, struct gl_str *out)
{
    for (const struct gl_field *field = form->fields; form->takes == NULL && field->name != NULL;
         field++)
        gl_str_addf(out, "%s%s",
                    out->length == 0        ? ": it takes "
                    : field[1].name != NULL ? ", "
                                            : " or ",
                    field->name);
}

static const char *hint_of_word(const char *name)
{
    for (size_t i = 0; i < sizeof known_words / sizeof known_words[0]; i++)
        if (strcmp(known_words[i].name, name) == 0)
            return known_words[i].hint;
    return NULL;
}

static int fail_unknown(const struct gl_reader *reader, const struct gl_form *form,
                        const struct gl_node *member)
{
    char shown[GL_TEXT_SHOWN];
    const char *hint = hint_of_word(member->key);
    const char *nearest = nearest_name(form, member->key);
    GL_AUTO(gl_str_done) struct gl_str taken = {0};

    gl_text_show(member->key, shown);
    if (hint != NULL)
        return gl_diagnose(&reader->source, &member->key_mark, GL_E_UNKNOWN_KEY,
                           "unknown key \"%s\" in %s: %s", shown, form->what, hint);
    if (nearest != NULL)
        return gl_diagnose(&reader->source, &member->key_mark, GL_E_UNKNOWN_KEY,
                           "unknown key \"%s\" in %s: did you mean %s?", shown, form->what,
                           nearest);
    list_fields(form, &taken);
    return gl_diagnose(&reader->source, &member->key_mark, GL_E_UNKNOWN_KEY,
                       "unknown key \"%s\" in %s%s", shown, form->what,
                       gl_key_named(member->key) != NULL ? ": it belongs in a rule's require"
                                                         : gl_str_text(&taken));
}

/* A key of the key table into the limits of `out`. */
static int read_limit(const struct gl_reader *reader, const struct gl_form *form,
                      const struct gl_node *member, void *out)
{
    const struct gl_key *key = gl_key_named(member->key);
    const struct gl_constraint **limits = (void *)((char *)out + form->limits);
    struct gl_constraint *made;

    if (limits[key->id] != NULL)
        return gl_diagnose(&reader->source, &member->key_mark, GL_E_DUPLICATE_KEY,
                           "duplicate key \"%s\": line %u has it already", key->name,
                           limits[key->id]->pos.line);
    made = gl_arena_take(reader->arena, sizeof *made);
    if (gl_value_read(reader, key, member, made))
        return -1;
    limits[key->id] = made;
    return 0;
}

static int read_member(const struct gl_reader *reader, const struct gl_form *form,
                       const struct gl_node *member, void *out)
{
    const struct gl_field *field = find_field(form, member->key);

    if (field != NULL)
        return field->type->read(reader, field, member, (char *)out + field->offset);
    if (takes_key(form, gl_key_named(member->key)))
        return read_limit(reader, form, member, out);
    return fail_unknown(reader, form, member);
}

/* Note a key written under its other name too. */
static bool is_said_twice(const struct gl_reader *reader, const struct gl_form *form,
                          const struct gl_node *node, const struct gl_node *member)
{
    const struct gl_field *field = find_field(form, member->key);

    if (field == NULL || strcmp(field->name, member->key) == 0 ||
        gl_yaml_member(node, field->name) == NULL)
        return false;
    gl_diagnose(&reader->source, &member->key_mark, GL_E_DUPLICATE_KEY,
                "\"%s\" is another name of \"%s\", which is there already", member->key,
                field->name);
    return true;
}

static bool has_field(const struct gl_node *node, const struct gl_field *field)
{
    return gl_yaml_member(node, field->name) != NULL ||
           (field->alias != NULL && gl_yaml_member(node, field->alias) != NULL);
}

int gl_form_read(const struct gl_reader *reader, const struct gl_form *form,
                 const struct gl_node *node, void *out)
{
    int result = 0;

    if (node->kind != GL_NODE_MAP)
        return gl_diagnose(&reader->source, &node->mark, GL_E_BAD_VALUE,
                           "%s is a map, with lines like \"key: value\"", form->what);
    for (const struct gl_node *member = node->first; member != NULL; member = member->next)
        result |=
            is_said_twice(reader, form, node, member) ? -1 : read_member(reader, form, member, out);
    for (const struct gl_field *field = form->fields; field->name != NULL; field++)
        if (field->is_needed && !has_field(node, field))
            result = gl_diagnose(&reader->source, &node->mark, GL_E_BAD_VALUE, "%s needs \"%s\"",
                                 form->what, field->name);
    return result;
}
