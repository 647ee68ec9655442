/* SPDX-License-Identifier: Apache-2.0 */
#include "base/yamldoc.h"

#include "base/file.h"
#include "base/sign.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

/* A mapping or sequence that is still open. */
struct level {
    json_t *value; /* owned by what holds it */
    char *key;     /* of a mapping: waits for its value */
};

struct reader {
    yaml_parser_t parser;
    const char *name;
    struct gl_view text;
    struct gl_error *err;
    struct level levels[GL_YAMLDOC_MAX_DEPTH];
    size_t depth, nodes;
    json_t *root; /* NULL until there is one */
};

static int fail_at(const struct reader *reader, const yaml_mark_t *mark, enum gl_errc code,
                   const char *what)
{
    size_t line = gl_text_line_within(reader->text.text, reader->text.length, mark->line + 1);

    return gl_fail(reader->err, code, "%s:%zu: %s", reader->name, line, what);
}

/* Put a value where it belongs; takes the reference. */
static int place(struct reader *reader, const yaml_mark_t *mark, json_t *value)
{
    struct level *level = reader->depth > 0 ? &reader->levels[reader->depth - 1] : NULL;

    if (++reader->nodes > GL_YAMLDOC_MAX_NODES) {
        json_decref(value);
        return fail_at(reader, mark, GL_E_TOO_LARGE, "too many values");
    }
    if (level == NULL)
        reader->root = value;
    else if (json_is_array(level->value))
        json_array_append_new(level->value, value);
    else {
        json_object_set_new(level->value, level->key, value);
        free(level->key);
        level->key = NULL;
    }
    return 0;
}

static int take_key(struct reader *reader, const yaml_event_t *event)
{
    struct level *level = &reader->levels[reader->depth - 1];
    const char *text = (const char *)event->data.scalar.value;

    if (strlen(text) != event->data.scalar.length)
        return fail_at(reader, &event->start_mark, GL_E_SYNTAX, "a key holds a NUL");
    if (json_object_get(level->value, text) != NULL)
        return fail_at(reader, &event->start_mark, GL_E_DUPLICATE_KEY, "the same key twice");
    level->key = gl_strdup(text);
    return 0;
}

static bool waits_for_key(const struct reader *reader)
{
    const struct level *level = reader->depth > 0 ? &reader->levels[reader->depth - 1] : NULL;

    return level != NULL && json_is_object(level->value) && level->key == NULL;
}

/* Null as programs write it. What is quoted is a text, and so is nothing at all. */
static bool is_null(const yaml_event_t *event)
{
    const char *text = (const char *)event->data.scalar.value;

    return event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
           (strcmp(text, "null") == 0 || strcmp(text, "~") == 0 || strcmp(text, "Null") == 0 ||
            strcmp(text, "NULL") == 0);
}

static int take_scalar(struct reader *reader, const yaml_event_t *event)
{
    json_t *value;

    if (event->data.scalar.anchor != NULL || event->data.scalar.tag != NULL)
        return fail_at(reader, &event->start_mark, GL_E_SYNTAX, "anchors and tags are not read");
    if (waits_for_key(reader))
        return take_key(reader, event);
    value = is_null(event)
                ? json_null()
                : json_stringn((const char *)event->data.scalar.value, event->data.scalar.length);
    if (value == NULL)
        return fail_at(reader, &event->start_mark, GL_E_SYNTAX, "not UTF-8");
    return place(reader, &event->start_mark, value);
}

static int open_level(struct reader *reader, const yaml_event_t *event, json_t *value,
                      const void *anchor, const void *tag)
{
    const char *trouble = anchor != NULL || tag != NULL           ? "anchors and tags are not read"
                          : waits_for_key(reader)                 ? "a key must be a plain text"
                          : reader->depth >= GL_YAMLDOC_MAX_DEPTH ? "nested too deeply"
                                                                  : NULL;

    if (trouble != NULL) {
        json_decref(value);
        return fail_at(reader, &event->start_mark, GL_E_SYNTAX, trouble);
    }
    if (place(reader, &event->start_mark, value) != 0)
        return -1;
    reader->levels[reader->depth++] = (struct level){.value = value};
    return 0;
}

/* One event: 0 go on, 1 the end, -1. */
static int take(struct reader *reader, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_STREAM_END_EVENT:
        return 1;
    case YAML_DOCUMENT_START_EVENT:
        return reader->root == NULL
                   ? 0
                   : fail_at(reader, &event->start_mark, GL_E_SYNTAX, "a second document");
    case YAML_ALIAS_EVENT:
        return fail_at(reader, &event->start_mark, GL_E_SYNTAX, "aliases are not read");
    case YAML_SCALAR_EVENT:
        return take_scalar(reader, event);
    case YAML_MAPPING_START_EVENT:
        return open_level(reader, event, json_object(), event->data.mapping_start.anchor,
                          event->data.mapping_start.tag);
    case YAML_SEQUENCE_START_EVENT:
        return open_level(reader, event, json_array(), event->data.sequence_start.anchor,
                          event->data.sequence_start.tag);
    case YAML_MAPPING_END_EVENT:
    case YAML_SEQUENCE_END_EVENT:
        reader->depth--;
        return 0;
    default:
        return 0;
    }
}

static int read_all(struct reader *reader)
{
    yaml_event_t event;
    int rc = 0;

    while (rc == 0) {
        if (!yaml_parser_parse(&reader->parser, &event))
            return fail_at(reader, &reader->parser.problem_mark, GL_E_SYNTAX,
                           reader->parser.problem != NULL ? reader->parser.problem : "no YAML");
        rc = take(reader, &event);
        yaml_event_delete(&event);
    }
    return rc > 0 ? 0 : -1;
}

json_t *gl_yamldoc_parse(const char *bytes, size_t length, const char *name, struct gl_error *err)
{
    struct reader reader = {.name = name, .text = {bytes, length}, .err = err};
    int rc;

    if (length > GL_YAMLDOC_MAX_BYTES) {
        gl_fail(err, GL_E_TOO_LARGE, "%s is larger than %zu bytes", name, GL_YAMLDOC_MAX_BYTES);
        return NULL;
    }
    if (!yaml_parser_initialize(&reader.parser))
        gl_die_of_memory();
    yaml_parser_set_input_string(&reader.parser, (const unsigned char *)bytes, length);
    rc = read_all(&reader);
    yaml_parser_delete(&reader.parser);
    for (size_t i = 0; i < reader.depth; i++)
        free(reader.levels[i].key);
    if (rc != 0) {
        json_decref(reader.root);
        return NULL;
    }
    return reader.root != NULL ? reader.root : json_object();
}

json_t *gl_yamldoc_read(const char *path, struct gl_error *err)
{
    char *bytes;
    size_t length;
    json_t *value;

    if (gl_file_read(path, GL_YAMLDOC_MAX_BYTES, &bytes, &length, err) != 0)
        return NULL;
    value = gl_yamldoc_parse(bytes, length, path, err);
    gl_wipe(bytes, length);
    free(bytes);
    return value;
}
