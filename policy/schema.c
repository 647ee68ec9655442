/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/draft.h"

#include "base/json.h"
#include "base/unit.h"

#include <stdlib.h>
#include <string.h>

/* The JSON Schema says what the tables say. It is for editors: it knows the shape of values, the
 * parser alone knows includes, ids and what contradicts what. */

/* A fragment from a table; a table that is no JSON is a mistake of ours that a test finds. */
static json_t *fragment(const char *text)
{
    json_t *value = json_loads(text, 0, NULL);

    return value != NULL ? value : json_object();
}

static json_t *words_schema(const char *const *words)
{
    json_t *list = json_array();

    for (; *words != NULL; words++)
        if (**words != '\0')
            json_array_append_new(list, json_string(*words));
    return json_pack("{s:o}", "enum", list);
}

static json_t *quantity_schema(const struct gl_key *key)
{
    const struct gl_dimension_row *row = gl_dimension_row((enum gl_dimension)key->dim);

    return json_pack("{s:s, s:s}", "type", "string", "pattern", row->pattern);
}

static json_t *globs_schema(const struct gl_key *key)
{
    bool is_country = key->id == GL_KEY_COUNTRIES || key->id == GL_KEY_NOT_COUNTRIES;
    const char *pattern = is_country ? "^[A-Z]{2}$" : "^[!-~]+$";

    return json_pack("{s:[s,s], s:s, s:i, s:{s:s, s:s}}", "type", "string", "array", "pattern",
                     pattern, "minItems", 1, "items", "type", "string", "pattern", pattern);
}

static json_t *key_schema(const struct gl_key *key)
{
    switch (key->kind) {
    case GL_KIND_GLOBS:
        return globs_schema(key);
    case GL_KIND_WORD:
        return words_schema(key->words);
    case GL_KIND_COUNT:
        return json_pack("{s:[s,s], s:i, s:s}", "type", "integer", "string", "minimum", 0,
                         "pattern", "^[0-9]+$");
    case GL_KIND_BOOL:
        return json_pack("{s:s}", "type", "boolean");
    case GL_KIND_SPAN:
    case GL_KIND_QUANTITY:
        break;
    }
    return quantity_schema(key);
}

static json_t *form_schema(const struct gl_form *form);

static json_t *field_schema(const struct gl_field *field)
{
    if (field->form != NULL && field->type->is_list)
        return json_pack("{s:s, s:o}", "type", "array", "items", form_schema(field->form));
    if (field->form != NULL)
        return form_schema(field->form);
    if (field->words != NULL && field->type != &gl_type_word)
        return json_pack("{s:[s,s], s:o, s:i}", "type", "string", "array", "items",
                         words_schema(field->words), "minItems", 1);
    if (field->words != NULL)
        return words_schema(field->words);
    return fragment(field->type->schema);
}

static void add_property(json_t *properties, const char *name, const char *help, json_t *schema)
{
    json_object_set_new(schema, "description", json_string(help));
    json_object_set_new(properties, name, schema);
}

static void add_keys(json_t *properties, const struct gl_form *form)
{
    size_t count;
    const struct gl_key *keys = gl_keys(&count);

    for (size_t i = 0; i < count; i++)
        if (form->takes != NULL && form->takes(&keys[i])) {
            GL_AUTO(gl_str_done) struct gl_str help = {0};

            gl_str_addf(&help, "%s; as in %s", keys[i].help, keys[i].example);
            add_property(properties, keys[i].name, help.text, key_schema(&keys[i]));
        }
}

/* Forms nest four deep at most: file, rule, budget, charge. */
static json_t *form_schema(const struct gl_form *form)
{
    json_t *properties = json_object();
    json_t *needed = json_array();
    json_t *schema = json_pack("{s:s, s:b}", "type", "object", "additionalProperties", 0);

    for (const struct gl_field *field = form->fields; field->name != NULL; field++) {
        add_property(properties, field->name, field->help, field_schema(field));
        if (field->is_needed)
            json_array_append_new(needed, json_string(field->name));
    }
    add_keys(properties, form);
    json_object_set_new(schema, "properties", properties);
    if (json_array_size(needed) > 0)
        json_object_set_new(schema, "required", needed);
    else
        json_decref(needed);
    return schema;
}

void gl_policy_schema(struct gl_str *out)
{
    json_t *schema =
        json_pack("{s:s, s:s, s:{s:[s]}, s:o, s:o}", "$schema",
                  "https://json-schema.org/draft/2020-12/schema", "title",
                  "greenlaunch policy and waivers files", "if", "required", "greenlaunch_waivers",
                  "then", form_schema(&gl_waivers_form), "else", form_schema(&gl_policy_form));
    char *text = gl_json_pretty(schema);

    gl_str_add(out, text);
    gl_str_add_char(out, '\n');
    free(text);
    json_decref(schema);
}
