/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/yaml.h"

#include <string.h>
#include <yaml.h>

struct reader {
    yaml_parser_t parser;
    yaml_event_t event;
    const struct gl_source *source;
    struct gl_arena *arena;
    unsigned depth;
};

/* Bytes of the character at `at` that a text may not hold, 0 if it may: controls, the line breaks
 * that only some programs know, and marks that reorder or hide text. */
static size_t unsafe_size(const char *at, size_t left)
{
    static const char *const unsafe[] = {
        "\xe2\x80\x8b", "\xe2\x80\x8c", "\xe2\x80\x8d", "\xe2\x80\x8e", "\xe2\x80\x8f",
        "\xe2\x80\xa8", "\xe2\x80\xa9", "\xe2\x80\xaa", "\xe2\x80\xab", "\xe2\x80\xac",
        "\xe2\x80\xad", "\xe2\x80\xae", "\xe2\x81\xa6", "\xe2\x81\xa7", "\xe2\x81\xa8",
        "\xe2\x81\xa9", "\xef\xbb\xbf",
    };
    unsigned char c = (unsigned char)at[0];

    if (c == '\r')
        return left < 2 || at[1] != '\n';
    if (c < 0x80)
        return (c < 0x20 && c != '\n' && c != '\t') || c == 0x7f;
    if (c == 0xc2 && left > 1 && (unsigned char)at[1] < 0xa0)
        return 2;
    for (size_t i = 0; left >= 3 && i < sizeof unsafe / sizeof unsafe[0]; i++)
        if (memcmp(at, unsafe[i], 3) == 0)
            return 3;
    return 0;
}

/* Offset of the first unsafe character, `length` when there is none. */
static size_t find_unsafe(const char *text, size_t length)
{
    for (size_t at = 0; at < length; at++)
        if (unsafe_size(text + at, length - at) > 0)
            return at;
    return length;
}

static struct gl_mark mark_of_offset(struct gl_view text, size_t offset)
{
    struct gl_mark mark = {1, 1, 1};

    for (size_t at = 0; at < offset && at < text.length; at++) {
        if (text.text[at] == '\n') {
            mark.line++;
            mark.column = 1;
        } else if (((unsigned char)text.text[at] & 0xc0) != 0x80) {
            mark.column++;
        }
    }
    return mark;
}

static int check_text(const struct gl_source *source)
{
    struct gl_view text = source->text;
    struct gl_mark mark;
    size_t at;

    if (text.length > GL_POLICY_MAX_BYTES)
        return gl_diagnose(source, NULL, GL_E_TOO_LARGE, "larger than %zu KiB",
                           GL_POLICY_MAX_BYTES >> 10);
    at = find_unsafe(text.text, text.length);
    if (at == text.length)
        return 0;
    mark = mark_of_offset(text, at);
    return gl_diagnose(source, &mark, GL_E_SYNTAX,
                       "a control character or invisible mark is not allowed here (byte %02x)",
                       (unsigned)(unsigned char)text.text[at]);
}

/* libyaml's marks count characters from 0. The width is what lies on the first line. */
static struct gl_mark mark_of(yaml_mark_t start, yaml_mark_t end)
{
    struct gl_mark mark = {(uint32_t)start.line + 1, (uint32_t)start.column + 1, 1};

    if (end.line == start.line && end.column > start.column)
        mark.width = (uint32_t)(end.column - start.column);
    return mark;
}

static struct gl_mark mark_of_event(const yaml_event_t *event)
{
    return mark_of(event->start_mark, event->end_mark);
}

static int fail_reading(const struct reader *reader)
{
    const yaml_parser_t *parser = &reader->parser;
    struct gl_mark mark = mark_of_offset(reader->source->text, parser->problem_offset);

    return gl_diagnose(reader->source, &mark, GL_E_SYNTAX, "not UTF-8: %s",
                       parser->problem != NULL ? parser->problem : "malformed");
}

/* Is there a tab where libyaml stopped? Its own message does not say so. */
static bool is_at_tab(const struct reader *reader)
{
    size_t index = 0;
    struct gl_view text = reader->source->text;

    for (size_t line = 0; line < reader->parser.problem_mark.line && index < text.length; index++)
        line += text.text[index] == '\n';
    while (index < text.length && text.text[index] == ' ')
        index++;
    return index < text.length && text.text[index] == '\t';
}

/* Is there nothing behind the place where libyaml stopped? */
static bool is_at_end(const struct reader *reader)
{
    struct gl_view text = reader->source->text;
    size_t line = reader->parser.problem_mark.line + 1;

    return gl_text_line_within(text.text, text.length, line) < line;
}

static int fail_syntax(const struct reader *reader)
{
    const yaml_parser_t *parser = &reader->parser;
    struct gl_mark mark = mark_of(parser->problem_mark, parser->problem_mark);

    if (parser->error == YAML_MEMORY_ERROR)
        gl_die_of_memory();
    if (parser->error == YAML_READER_ERROR)
        return fail_reading(reader);
    if (is_at_tab(reader))
        return gl_diagnose(reader->source, &mark, GL_E_SYNTAX, "tabs may not indent; use spaces");
    return gl_diagnose(reader->source, &mark, GL_E_SYNTAX, "not YAML: %s%s%s%s",
                       is_at_end(reader) ? "the text ends in the middle: " : "",
                       parser->problem != NULL ? parser->problem : "malformed",
                       parser->context != NULL ? ", " : "",
                       parser->context != NULL ? parser->context : "");
}

static int next_event(struct reader *reader)
{
    yaml_event_delete(&reader->event);
    if (!yaml_parser_parse(&reader->parser, &reader->event)) {
        memset(&reader->event, 0, sizeof reader->event);
        return fail_syntax(reader);
    }
    return 0;
}

/* Refuse what the event carries beyond its value; the value is still used. */
static void check_decoration(const struct reader *reader, const yaml_char_t *anchor,
                             const yaml_char_t *tag)
{
    struct gl_mark mark = mark_of_event(&reader->event);

    if (anchor != NULL)
        gl_diagnose(reader->source, &mark, GL_E_SYNTAX,
                    "anchors are not allowed; write the value where it is used");
    if (tag != NULL)
        gl_diagnose(reader->source, &mark, GL_E_SYNTAX,
                    "tags are not allowed; the key says what a value is");
}

static struct gl_node *new_node(struct reader *reader, enum gl_node_kind kind)
{
    struct gl_node *node = gl_arena_take(reader->arena, sizeof *node);

    node->kind = kind;
    node->mark = mark_of_event(&reader->event);
    node->text = "";
    return node;
}

/* Escapes can make what the text itself may not hold. */
static int check_scalar(const struct reader *reader)
{
    const char *value = (const char *)reader->event.data.scalar.value;
    size_t length = reader->event.data.scalar.length;
    struct gl_mark mark = mark_of_event(&reader->event);

    if (find_unsafe(value, length) < length)
        return gl_diagnose(reader->source, &mark, GL_E_SYNTAX,
                           "an escape makes a control character or invisible mark");
    return 0;
}

static struct gl_node *read_scalar(struct reader *reader)
{
    struct gl_node *node;

    check_decoration(reader, reader->event.data.scalar.anchor, reader->event.data.scalar.tag);
    if (check_scalar(reader))
        return NULL;
    node = new_node(reader, GL_NODE_SCALAR);
    node->text = gl_arena_text(reader->arena, (const char *)reader->event.data.scalar.value,
                               reader->event.data.scalar.length);
    node->is_plain = reader->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    return node;
}

/* Append a member to a list or map. */
static int add_member(const struct reader *reader, struct gl_node *node, struct gl_node **last,
                      struct gl_node *member)
{
    bool is_map = node->kind == GL_NODE_MAP;
    size_t limit = is_map ? GL_YAML_MAX_KEYS : GL_YAML_MAX_MEMBERS;

    if (node->count == limit)
        return gl_diagnose(reader->source, &member->mark, GL_E_TOO_LARGE,
                           "more than %zu members in one %s", limit, is_map ? "map" : "list");
    if (*last != NULL)
        (*last)->next = member;
    else
        node->first = member;
    *last = member;
    node->count++;
    return 0;
}

static struct gl_node *read_node(struct reader *reader);

static struct gl_node *read_list(struct reader *reader)
{
    struct gl_node *node = new_node(reader, GL_NODE_LIST);
    struct gl_node *last = NULL;

    check_decoration(reader, reader->event.data.sequence_start.anchor,
                     reader->event.data.sequence_start.tag);
    for (;;) {
        struct gl_node *member;

        if (next_event(reader))
            return NULL;
        if (reader->event.type == YAML_SEQUENCE_END_EVENT)
            return node;
        member = read_node(reader);
        if (member == NULL || add_member(reader, node, &last, member))
            return NULL;
    }
}

/* The key the current event gives; NULL when it may not be one. */
static const char *read_key(struct reader *reader, struct gl_mark *out_mark)
{
    const struct gl_node *key;

    *out_mark = mark_of_event(&reader->event);
    if (reader->event.type != YAML_SCALAR_EVENT) {
        gl_diagnose(reader->source, out_mark, GL_E_SYNTAX, "a key must be a word");
        return NULL;
    }
    key = read_scalar(reader);
    if (key == NULL)
        return NULL;
    if (strcmp(key->text, "<<") == 0) {
        gl_diagnose(reader->source, out_mark, GL_E_SYNTAX,
                    "merge keys are not allowed; use include or defaults");
        return NULL;
    }
    return key->text;
}

/* Note a second use of a key; the first one stays. */
static bool is_duplicate(const struct reader *reader, const struct gl_node *map,
                         const struct gl_node *member)
{
    const struct gl_node *first = gl_yaml_member(map, member->key);
    char shown[GL_TEXT_SHOWN];

    if (first == NULL)
        return false;
    gl_diagnose(reader->source, &member->key_mark, GL_E_DUPLICATE_KEY,
                "duplicate key \"%s\": line %u has it already", gl_text_show(member->key, shown),
                first->key_mark.line);
    return true;
}

static struct gl_node *read_map(struct reader *reader)
{
    struct gl_node *node = new_node(reader, GL_NODE_MAP);
    struct gl_node *last = NULL;

    check_decoration(reader, reader->event.data.mapping_start.anchor,
                     reader->event.data.mapping_start.tag);
    for (;;) {
        struct gl_node *member;
        struct gl_mark mark;
        const char *key;

        if (next_event(reader))
            return NULL;
        if (reader->event.type == YAML_MAPPING_END_EVENT)
            return node;
        key = read_key(reader, &mark);
        if (key == NULL || next_event(reader))
            return NULL;
        member = read_node(reader);
        if (member == NULL)
            return NULL;
        member->key = key;
        member->key_mark = mark;
        if (node->first == NULL && mark.line == node->mark.line && mark.column == node->mark.column)
            node->mark.width = mark.width; /* a block map begins with its first key */
        if (!is_duplicate(reader, node, member) && add_member(reader, node, &last, member))
            return NULL;
    }
}

static struct gl_node *fail_node(const struct reader *reader, enum gl_errc code, const char *text)
{
    struct gl_mark mark = mark_of_event(&reader->event);

    gl_diagnose(reader->source, &mark, code, "%s", text);
    return NULL;
}

/* The node that the current event begins; the current event is then its last one. */
static struct gl_node *read_node(struct reader *reader)
{
    struct gl_node *node;

    if (reader->event.type == YAML_SCALAR_EVENT)
        return read_scalar(reader);
    if (reader->event.type == YAML_ALIAS_EVENT)
        return fail_node(reader, GL_E_SYNTAX, "aliases are not allowed; write the value out");
    if (reader->depth == GL_POLICY_MAX_DEPTH)
        return fail_node(reader, GL_E_TOO_LARGE, "nested too deeply (64 levels)");
    reader->depth++;
    node = reader->event.type == YAML_SEQUENCE_START_EVENT ? read_list(reader) : read_map(reader);
    reader->depth--;
    return node;
}

static struct gl_node *fail_document(const struct reader *reader)
{
    return fail_node(reader, GL_E_SYNTAX,
                     reader->event.type == YAML_STREAM_END_EVENT
                         ? "empty: the first line is greenlaunch: 1"
                         : "YAML directives are not allowed");
}

static const struct gl_node *read_document(struct reader *reader)
{
    const struct gl_node *root;

    if (next_event(reader) || next_event(reader)) /* the start of the stream, of the document */
        return NULL;
    if (reader->event.type != YAML_DOCUMENT_START_EVENT ||
        reader->event.data.document_start.version_directive != NULL ||
        reader->event.data.document_start.tag_directives.start !=
            reader->event.data.document_start.tag_directives.end)
        return fail_document(reader);
    if (next_event(reader))
        return NULL;
    root = read_node(reader);
    if (root == NULL || next_event(reader) || next_event(reader)) /* the end of both */
        return NULL;
    if (reader->event.type != YAML_STREAM_END_EVENT)
        return fail_node(reader, GL_E_SYNTAX, "only one document is allowed in a file");
    return root;
}

const struct gl_node *gl_yaml_read(const struct gl_source *source, struct gl_arena *arena)
{
    struct reader reader = {.source = source, .arena = arena};
    const struct gl_node *root;

    if (check_text(source))
        return NULL;
    if (!yaml_parser_initialize(&reader.parser))
        gl_die_of_memory();
    yaml_parser_set_encoding(&reader.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&reader.parser, (const unsigned char *)source->text.text,
                                 source->text.length);
    root = read_document(&reader);
    yaml_event_delete(&reader.event);
    yaml_parser_delete(&reader.parser);
    return root;
}

const struct gl_node *gl_yaml_member(const struct gl_node *node, const char *key)
{
    if (node == NULL || node->kind != GL_NODE_MAP)
        return NULL;
    for (const struct gl_node *member = node->first; member != NULL; member = member->next)
        if (strcmp(member->key, key) == 0)
            return member;
    return NULL;
}
